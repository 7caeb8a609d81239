/* /admin/tokens: a tenant's tokens, and a new one, whose secret is on the page that answers the
 * form and nowhere else. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/page_token.h"
#include "web/pages_access.h"

#include "domain/device.h"
#include "gen/templates.h"
#include "view/model_parts.h"

#include <inttypes.h>

#define TOKENS_SHOWN 50

enum { FIELD_KIND, FIELD_NAME, FIELD_DEVICE, FIELD_EXPIRES, FIELD_BACKFILL, FIELD_ENCRYPTED,
       N_FIELDS };
_Static_assert((int)N_FIELDS == TOKEN_FIELDS, "the view has room for the fields");

static const struct choice_view kinds[] = {
    { "device", "Device: sends readings" },
    { "api", "API: reads" },
    { "admin", "Admin: sends, reads and manages" },
};

static const struct form_outcome outcomes[] = {
    { "revoked", "The token is revoked. What used it is shut out within 5 seconds." },
};

static void list_fields(struct field_view fields[N_FIELDS])
{
    fields[FIELD_KIND] = (struct field_view){
        .name = "kind", .label = "Kind", .type = "select", .value = "device", .choices = kinds,
        .n_choices = sizeof kinds / sizeof *kinds,
    };
    fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .is_required = true,
        .max_bytes = TOKENS_MAX_NAME_BYTES, .hint = "Who or what will use it.",
    };
    fields[FIELD_DEVICE] = (struct field_view){
        .name = "device", .label = "Only for the device", .type = "text", .is_code = true,
        .max_bytes = MAX_NAME_BYTES,
        .hint = "A device’s key, for device tokens only. Empty: any device.",
    };
    fields[FIELD_EXPIRES] = token_expiry_field();
    fields[FIELD_BACKFILL] = (struct field_view){
        .name = "backfill", .label = "May send readings of any age", .type = "checkbox",
        .hint = "Otherwise readings too old to be kept raw are refused.",
    };
    fields[FIELD_ENCRYPTED] = (struct field_view){
        .name = "encrypted", .label = "Encrypts what it sends (emoncms)", .type = "checkbox",
        .hint = "For devices without TLS, such as IoTaWatt with a userid. The server keeps the "
                "key of such a token; of others it knows only a hash.",
    };
}

struct field_view token_expiry_field(void)
{
    static const struct choice_view spans[] = {
        { "never", "Never" }, { "7", "In 7 days" }, { "30", "In 30 days" },
        { "90", "In 90 days" }, { "365", "In a year" },
    };

    return (struct field_view){
        .name = "expires", .label = "Expires", .type = "select", .value = "never",
        .choices = spans, .n_choices = sizeof spans / sizeof *spans,
    };
}

int64_t token_expiry_of(struct str days, int64_t now_us)
{
    long long n = 0;

    return str_to_int64(days, &n) ? now_us + n * US_PER_DAY : TOKENS_NEVER;
}

struct token_line token_line(struct arena *arena, const struct zone *zone, int64_t now_us,
                           const struct token_item *token)
{
    static const struct { const char *kind, *word; } WORDS[] = {
        { "device", "Device" }, { "api", "API" }, { "admin", "Admin" },
    };
    bool is_revoked = token->revoked_us != TOKENS_NEVER;
    const char *id = arena_printf(arena, "%" PRId64, token->id);
    struct token_line row = {
        .id = id,
        .name = token->name[0] ? token->name : arena_printf(arena, "Token %s", id),
        .prefix = token->prefix,
        .kind = token->kind,
        .device = token->device,
        .last_used = moment_view(arena, zone, now_us, token->last_used_us),
        .expires = moment_view(arena, zone, now_us, token->expires_us),
        .state = is_revoked ? "Revoked" : token->is_active ? "Works" : "Expired",
        .state_class = token->is_active ? "live" : "",
    };
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        row.kind = strcmp(token->kind, WORDS[i].kind) == 0 ? WORDS[i].word : row.kind;
    }
    return row;
}

static int64_t before_id(const struct web *web)
{
    long long id = 0;

    return str_to_int64(http_query(web->request, "before"), &id) && id > 0 ? id : 0;
}

static enum err add_rows(struct web *web, struct tokens_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct token_items tokens;
    struct zone zone;
    const char *all = view->with_ended ? "&all=1" : "";
    enum err err =
        tokens_list(web->tx, before_id(web), view->with_ended, TOKENS_SHOWN + 1, &tokens);

    if (err == OK) {
        err = page_zone(web, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    int n = tokens.n > TOKENS_SHOWN ? TOKENS_SHOWN : tokens.n;
    struct token_line *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = token_line(arena, &zone, now_us, &tokens.items[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    if (before_id(web) > 0) {
        view->pager.first = view->with_ended ? "/admin/tokens?all=1" : "/admin/tokens";
    }
    if (tokens.n > n) {
        view->pager.next =
            arena_printf(arena, "/admin/tokens?before=%s%s", rows[n - 1].id, all);
    }
    return OK;
}

static enum err show(struct web *web, struct tokens_view *view)
{
    view->with_ended = str_equal(http_query(web->request, "all"), STR("1"));
    enum err err = add_rows(web, view);
    if (err != OK) {
        return err;
    }
    view->page = page_view(web, "Tokens", "/admin/tokens");
    page_is_html(web);
    tpl_page_tokens(&web->response->body, view);
    return OK;
}

enum err page_tokens(struct web *web)
{
    struct tokens_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };

    list_fields(view.fields);
    return show(web, &view);
}

/* The database would refuse an unknown device too, but then could show no page. */
static enum err check_fields(struct web *web, struct field_view *fields)
{
    const char *kind = fields[FIELD_KIND].value;
    struct str key = form_value(fields, N_FIELDS, "device");
    struct device device;

    if (strcmp(kind, "api") == 0 && fields[FIELD_BACKFILL].value[0] == '1') {
        form_refuse(fields, N_FIELDS, "backfill", "An API token sends no readings.");
    }
    if (strcmp(kind, "device") != 0 && fields[FIELD_ENCRYPTED].value[0] == '1') {
        form_refuse(fields, N_FIELDS, "encrypted", "Only a device token is used so.");
    }
    if (!key.ptr) {
        return OK;
    }
    if (strcmp(kind, "device") != 0) {
        form_refuse(fields, N_FIELDS, "device", "Only a device token belongs to a device.");
        return OK;
    }
    enum err err = device_find(web->tx, key, &device);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        form_refuse(fields, N_FIELDS, "device", "There is no device with this key.");
        return OK;
    }
    return err;
}

struct secret_view token_secret(struct op *op, const struct new_secret *secret, int64_t id)
{
    static const char ONCE[] = "It is shown this once and cannot be looked up later: copy it to "
                               "where it is needed now.";

    return (struct secret_view){
        .heading = "The token",
        .text = arena_copy(op->arena, str_of(secret->text)),
        .about = secret->is_encrypted
                     ? arena_printf(op->arena,
                                    "%s The device’s user id is %" PRId64
                                    ", its key the 32 digits after " TOKEN_PREFIX ".",
                                    ONCE, id)
                     : ONCE,
    };
}

static enum err store(struct web *web, struct field_view *fields, struct secret_view *shown)
{
    struct str device = form_value(fields, N_FIELDS, "device");
    bool is_encrypted = fields[FIELD_ENCRYPTED].value[0] == '1';
    struct new_secret secret;
    int64_t id = 0;

    new_secret_make(&secret, is_encrypted);
    struct token_item token = {
        .kind = fields[FIELD_KIND].value,
        .device = device.ptr,
        .name = fields[FIELD_NAME].value,
        .prefix = arena_copy(web->op->arena, str_of(secret.prefix)),
        .expires_us = token_expiry_of(str_of(fields[FIELD_EXPIRES].value), clock_now_us()),
        .is_backfill = fields[FIELD_BACKFILL].value[0] == '1',
    };
    enum err err = tokens_add(web->tx, &token, secret.hash, &id);
    if (err == OK) {
        err = new_secret_keep(web, &secret, id);
    }
    *shown = token_secret(web->op, &secret, id);
    return err;
}

enum err page_tokens_post(struct web *web)
{
    struct tokens_view view = { .with_ended = false };

    list_fields(view.fields);
    (void)form_take(web, view.fields, N_FIELDS);
    enum err err = check_fields(web, view.fields);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show(web, &view);
    }
    err = store(web, view.fields, &view.secret);
    list_fields(view.fields);
    return err == OK ? show(web, &view) : err;
}
