/* Buckets and counts of tenants and tokens, in tables of fixed size. A tenant's place is never
 * given to another; a token's is, when its bucket is full again, which is as good as new. Called by
 * serve's gate for each post, by the service for what was stored, and by the flusher. */
#include "ingest/quota.h"

#include "base/bucket.h"
#include "base/clock.h"
#include "base/limits.h"
#include "db/db.h"
#include "gen/queries.h"
#include "ingest/columns.h"

#include <sys/mman.h>

/* A power of two. Numbers of tenants follow each other, so places do: what is not taken yet costs
 * address space alone. */
#define TENANT_PLACES (1u << 20)
#define TENANT_STEPS 64 /* looked at for a place; a tenant that finds none there has no limits */
#define TOKEN_SETS 4096u          /* the same */
#define TOKEN_WAYS 8
#define FULL_US (2 * US_PER_SECOND)
#define MAX_RETRY_S 3600 /* a quota may be raised before the day ends */

struct tenant_quota {
    _Atomic int32_t tenant_id; /* 0: a free place */
    struct bucket posts;
    _Atomic int64_t pending;   /* rows counted and not in the database yet */
    _Atomic int64_t stored;    /* rows of the day that ends at day_ends_us, as the database says */
    _Atomic int64_t day_ends_us; /* 0: it was not asked yet */
    _Atomic int64_t full_until_us; /* monotonic */
    _Atomic bool is_asked;     /* its day is to be asked for, even if nothing was counted */
};

struct token_quota {
    _Atomic int64_t token_id;
    struct bucket posts;
};

struct quotas {
    struct identity_limits defaults;
    _Atomic uint64_t refused[QUOTA_LIMITS];
    _Atomic size_t n_places; /* of tenants, up to the last one taken */
    struct tenant_quota tenants[TENANT_PLACES];
    struct token_quota tokens[TOKEN_SETS][TOKEN_WAYS];
};

struct quotas *quotas_new(const struct identity_limits *defaults)
{
    struct quotas *quotas =
        mmap(NULL, sizeof *quotas, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (quotas == MAP_FAILED) {
        return NULL;
    }
    quotas->defaults = *defaults;
    return quotas;
}

static int64_t either(int64_t own, int64_t fallback)
{
    return own == IDENTITY_NO_LIMIT_OF_ITS_OWN ? fallback : own;
}

struct identity_limits quotas_limits(const struct quotas *quotas,
                                     const struct identity_limits *own)
{
    if (!quotas) {
        return (struct identity_limits){ 0 };
    }
    const struct identity_limits *defaults = &quotas->defaults;
    return (struct identity_limits){
        .request_rate = (int)either(own->request_rate, defaults->request_rate),
        .token_rate = (int)either(own->token_rate, defaults->token_rate),
        .max_series = (int)either(own->max_series, defaults->max_series),
        .rows_per_day = either(own->rows_per_day, defaults->rows_per_day),
    };
}

/* ---- places ---- */

static uint64_t scatter(uint64_t number)
{
    return number * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

/* The place is one that quotas_sync looks at. */
static void note_place(struct quotas *quotas, size_t at)
{
    size_t n = atomic_load(&quotas->n_places);

    while (n <= at && !atomic_compare_exchange_weak(&quotas->n_places, &n, at + 1)) {
    }
}

/* The tenant's place, taken where it has none; NULL when all that it may have are taken. */
static struct tenant_quota *tenant_place(struct quotas *quotas, int32_t tenant_id)
{
    for (size_t i = 0; i < TENANT_STEPS; i++) {
        size_t at = ((uint32_t)tenant_id + i) & (TENANT_PLACES - 1);
        struct tenant_quota *place = &quotas->tenants[at];
        int32_t found = atomic_load_explicit(&place->tenant_id, memory_order_relaxed);
        if (found == 0 && atomic_compare_exchange_strong(&place->tenant_id, &found, tenant_id)) {
            note_place(quotas, at);
            return place;
        }
        if (found == tenant_id) {
            return place;
        }
    }
    return NULL;
}

/* The token's bucket. Of a set in use throughout, that of whoever waits least is taken over. */
static struct bucket *token_bucket(struct quotas *quotas, int64_t token_id)
{
    struct token_quota *set = quotas->tokens[scatter((uint64_t)token_id) & (TOKEN_SETS - 1)];
    struct token_quota *oldest = &set[0];

    for (int i = 0; i < TOKEN_WAYS; i++) {
        if (atomic_load_explicit(&set[i].token_id, memory_order_relaxed) == token_id) {
            return &set[i].posts;
        }
        if (atomic_load_explicit(&set[i].posts.full_at_us, memory_order_relaxed) <
            atomic_load_explicit(&oldest->posts.full_at_us, memory_order_relaxed)) {
            oldest = &set[i];
        }
    }
    /* two at once may each take it: then one of them is let in once more */
    atomic_store_explicit(&oldest->token_id, token_id, memory_order_relaxed);
    atomic_store_explicit(&oldest->posts.full_at_us, 0, memory_order_relaxed);
    return &oldest->posts;
}

/* ---- posts ---- */

static int64_t get(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void add(_Atomic int64_t *number, int64_t n)
{
    atomic_fetch_add_explicit(number, n, memory_order_relaxed);
}

static int64_t rows_today(const struct tenant_quota *place, int64_t now_us)
{
    int64_t stored = now_us < get(&place->day_ends_us) ? get(&place->stored) : 0;

    return stored + get(&place->pending);
}

static void refuse(struct quotas *quotas, enum quota_limit limit)
{
    atomic_fetch_add_explicit(&quotas->refused[limit], 1, memory_order_relaxed);
}

static int seconds_of(int64_t wait_us)
{
    int64_t seconds = (wait_us + US_PER_SECOND - 1) / US_PER_SECOND;

    return (int)(seconds < 1 ? 1 : seconds > MAX_RETRY_S ? MAX_RETRY_S : seconds);
}

/* A post that asks to be let in. */
struct caller {
    struct quotas *quotas;
    struct op *op;
    int64_t monotonic_us, now_us;
    int *retry_s;
};

/* What is left of the day. It is asked for anew where it is not known yet, and now and then of a
 * tenant that has used it up, whose time zone may have changed. */
static enum err check_rows(const struct caller *caller, struct tenant_quota *place,
                           int64_t rows_per_day)
{
    int64_t ends_us = get(&place->day_ends_us);
    int64_t left_us = ends_us > caller->now_us ? ends_us - caller->now_us : 0;
    bool is_used_up = rows_today(place, caller->now_us) >= rows_per_day;

    if (is_used_up || left_us == 0) {
        atomic_store_explicit(&place->is_asked, true, memory_order_relaxed);
    }
    if (!is_used_up) {
        return OK;
    }
    refuse(caller->quotas, QUOTA_ROWS);
    *caller->retry_s = seconds_of(left_us);
    return fail(caller->op, ERR_RATE_LIMITED,
                "This tenant has stored the %lld rows that it may store a day. Its next day "
                "begins in %lld minutes.",
                (long long)rows_per_day, (long long)(left_us / US_PER_MINUTE + 1));
}

static enum err check_rate(const struct caller *caller, struct bucket *bucket, int rate,
                           enum quota_limit limit)
{
    int64_t wait_us;

    if (bucket_take(bucket, rate, caller->monotonic_us, &wait_us)) {
        return OK;
    }
    refuse(caller->quotas, limit);
    *caller->retry_s = seconds_of(wait_us);
    return fail(caller->op, ERR_RATE_LIMITED, "More than %d posts a second of this %s.", rate,
                limit == QUOTA_TOKEN_RATE ? "token" : "tenant");
}

/* The tenant's own two limits. */
static enum err check_tenant(const struct caller *caller, int32_t tenant_id,
                             const struct identity_limits *limits)
{
    enum err err = OK;

    if (!limits->request_rate && !limits->rows_per_day) {
        return OK;
    }
    struct tenant_quota *place = tenant_place(caller->quotas, tenant_id);
    if (place && limits->rows_per_day) {
        err = check_rows(caller, place, limits->rows_per_day);
    }
    if (!err && place && limits->request_rate) {
        err = check_rate(caller, &place->posts, limits->request_rate, QUOTA_REQUEST_RATE);
    }
    return err;
}

enum err quotas_admit(struct quotas *quotas, struct op *op, const struct identity *who,
                      int64_t monotonic_us, int64_t now_us, int *retry_s)
{
    struct caller caller = { quotas, op, monotonic_us, now_us, NULL };
    const struct identity_limits limits = quotas_limits(quotas, &who->limits);
    struct bucket *token = NULL;
    enum err err = OK;

    caller.retry_s = retry_s;
    if (limits.token_rate) {
        token = token_bucket(quotas, who->token_id);
        err = check_rate(&caller, token, limits.token_rate, QUOTA_TOKEN_RATE);
    }
    if (err) {
        return err;
    }
    err = check_tenant(&caller, who->tenant_id, &limits);
    if (err && token) {
        bucket_give(token, limits.token_rate); /* it did not get through */
    }
    return err;
}

void quotas_undo(struct quotas *quotas, const struct identity *who)
{
    const struct identity_limits limits = quotas_limits(quotas, &who->limits);

    if (limits.token_rate) {
        bucket_give(token_bucket(quotas, who->token_id), limits.token_rate);
    }
    struct tenant_quota *place =
        limits.request_rate ? tenant_place(quotas, who->tenant_id) : NULL;
    if (place) {
        bucket_give(&place->posts, limits.request_rate);
    }
}

uint64_t quotas_refused(const struct quotas *quotas, enum quota_limit limit)
{
    return quotas ? atomic_load_explicit(&quotas->refused[limit], memory_order_relaxed) : 0;
}

/* ---- rows ---- */

void quotas_count(struct quotas *quotas, int32_t tenant_id, const struct ingest_columns *columns)
{
    struct tenant_quota *place = quotas ? tenant_place(quotas, tenant_id) : NULL;
    int64_t n = 0;

    if (!place) {
        return;
    }
    for (size_t i = 0; i < columns->n_events; i++) {
        const struct ingest_event *event = &columns->events[i];
        if (event->outcome) {
            n += event->n_rows + event->is_stored;
        }
    }
    add(&place->pending, n);
}

void quotas_note_full(struct quotas *quotas, int32_t tenant_id, int64_t monotonic_us)
{
    struct tenant_quota *place = quotas ? tenant_place(quotas, tenant_id) : NULL;

    if (!place) {
        return;
    }
    refuse(quotas, QUOTA_SERIES);
    if (monotonic_us >= get(&place->full_until_us)) { /* else nobody counted now */
        atomic_store_explicit(&place->full_until_us, monotonic_us + FULL_US, memory_order_relaxed);
    }
}

bool quotas_is_full(struct quotas *quotas, int32_t tenant_id, int64_t monotonic_us)
{
    const struct tenant_quota *place = quotas ? tenant_place(quotas, tenant_id) : NULL;

    return place && monotonic_us < get(&place->full_until_us);
}

/* ---- the database ---- */

/* What one sync brings: places, and the rows taken from each. */
struct haul {
    struct tenant_quota **places;
    int32_t *tenants;
    int64_t *rows;
    size_t n;
};

/* Takes over what is pending. It counts as stored already, so that nobody sees it vanish. */
static void take_pending(struct quotas *quotas, size_t n, struct haul *haul, int64_t now_us)
{
    for (size_t i = 0; i < n; i++) {
        struct tenant_quota *place = &quotas->tenants[i];
        int32_t tenant_id = atomic_load_explicit(&place->tenant_id, memory_order_relaxed);
        if (!tenant_id || (!get(&place->pending) && !atomic_load(&place->is_asked))) {
            continue;
        }
        if (now_us >= get(&place->day_ends_us)) {
            atomic_store(&place->stored, 0);
        }
        int64_t rows = atomic_load(&place->pending);
        add(&place->stored, rows);
        add(&place->pending, -rows);
        haul->places[haul->n] = place;
        haul->tenants[haul->n] = tenant_id;
        haul->rows[haul->n++] = rows;
    }
}

static void put_back(const struct haul *haul)
{
    for (size_t i = 0; i < haul->n; i++) {
        add(&haul->places[i]->pending, haul->rows[i]);
        add(&haul->places[i]->stored, -haul->rows[i]);
    }
}

static void learn(struct quotas *quotas, const struct db_rows *rows)
{
    for (int i = 0; i < db_count(rows); i++) {
        struct tenant_quota *place =
            tenant_place(quotas, db_int(rows, i, INGEST_DAY_ADD_TENANT_ID));
        if (place) {
            atomic_store(&place->stored, db_int64(rows, i, INGEST_DAY_ADD_ROWS_TODAY));
            atomic_store(&place->day_ends_us, db_time(rows, i, INGEST_DAY_ADD_ENDS_AT));
            atomic_store(&place->is_asked, false);
        }
    }
}

static enum err add_days(struct op *op, struct db_conn *conn, const struct haul *haul,
                         struct db_rows **rows)
{
    struct db_args args;

    db_args_init(&args, op->arena);
    db_arg_int_array(&args, haul->tenants, haul->n);
    db_arg_int64_array(&args, haul->rows, haul->n);
    return db_run_committed(op, conn, 0, &q_ingest_day_add, &args, rows);
}

void quotas_sync(struct quotas *quotas, struct op *op, struct db_conn *conn, int64_t now_us)
{
    size_t n = atomic_load(&quotas->n_places);
    struct haul haul = {
        .places = arena_array(op->arena, n + 1, sizeof *haul.places),
        .tenants = arena_array(op->arena, n + 1, sizeof *haul.tenants),
        .rows = arena_array(op->arena, n + 1, sizeof *haul.rows),
    };
    struct db_rows *rows;

    if (!haul.places || !haul.tenants || !haul.rows) {
        (void)fail_memory(op);
        return;
    }
    take_pending(quotas, n, &haul, now_us);
    if (haul.n == 0) {
        return;
    }
    if (add_days(op, conn, &haul, &rows) == OK) {
        learn(quotas, rows);
    } else {
        put_back(&haul);
    }
}
