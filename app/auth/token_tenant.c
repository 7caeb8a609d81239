/* Tenants by their numbers, in chains; texts lie together behind each. Called by the token cache
 * under its lock. */
#include "auth/token_tenant.h"

#define N_TEXTS 4

static void list_texts(struct identity *who, const char **list[N_TEXTS])
{
    list[0] = &who->tenant_slug;
    list[1] = &who->tenant_name;
    list[2] = &who->tenant_timezone;
    list[3] = &who->tenant_currency;
}

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
    return a->may_register == b->may_register && a->raw_days == b->raw_days &&
           a->limits.request_rate == b->limits.request_rate &&
           a->limits.token_rate == b->limits.token_rate &&
           a->limits.max_series == b->limits.max_series &&
           a->limits.rows_per_day == b->limits.rows_per_day &&
           a->adapters_version == b->adapters_version &&
           is_same_text(a->tenant_slug, b->tenant_slug) &&
           is_same_text(a->tenant_name, b->tenant_name) &&
           is_same_text(a->tenant_timezone, b->tenant_timezone) &&
           is_same_text(a->tenant_currency, b->tenant_currency);
}

static struct token_tenant **slot_of(struct token_tenants *tenants, int32_t tenant_id)
{
    return &tenants->slots[(uint32_t)tenant_id % TOKEN_TENANT_SLOTS];
}

struct token_tenant *token_tenant_find(struct token_tenants *tenants, int32_t tenant_id)
{
    struct token_tenant *tenant = *slot_of(tenants, tenant_id);

    while (tenant && (tenant->is_past || tenant->who.tenant_id != tenant_id)) {
        tenant = tenant->next;
    }
    return tenant;
}

void token_tenant_move_texts(struct identity *who, char *to)
{
    const char **list[N_TEXTS];

    list_texts(who, list);
    for (int i = 0; i < N_TEXTS; i++) {
        size_t size = size_of(*list[i]);
        if (size) {
            memcpy(to, *list[i], size);
            *list[i] = to;
            to += size;
        }
    }
}

static struct token_tenant *add(struct token_tenants *tenants, struct arena *arena,
                                const struct identity *who)
{
    size_t n_bytes = size_of(who->tenant_slug) + size_of(who->tenant_name) +
                     size_of(who->tenant_timezone) + size_of(who->tenant_currency);
    struct token_tenant **slot = slot_of(tenants, who->tenant_id);
    struct token_tenant *tenant = arena_alloc(arena, sizeof *tenant + n_bytes);

    if (!tenant) {
        return NULL;
    }
    tenant->n_bytes = n_bytes;
    tenant->who = (struct identity){
        .tenant_id = who->tenant_id,
        .tenant_slug = who->tenant_slug,
        .tenant_name = who->tenant_name,
        .tenant_timezone = who->tenant_timezone,
        .tenant_currency = who->tenant_currency,
        .may_register = who->may_register,
        .raw_days = who->raw_days,
        .limits = who->limits,
        .adapters_version = who->adapters_version,
    };
    token_tenant_move_texts(&tenant->who, tenant->texts);
    tenant->next = *slot;
    *slot = tenant;
    return tenant;
}

struct token_tenant *token_tenant_have(struct token_tenants *tenants, struct arena *arena,
                                       const struct identity *who)
{
    struct token_tenant *tenant = token_tenant_find(tenants, who->tenant_id);

    if (tenant && is_same(&tenant->who, who)) {
        return tenant;
    }
    if (tenant) {
        tenant->is_past = true;
    }
    return add(tenants, arena, who);
}
