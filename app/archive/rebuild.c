/* Rebuilding: the newest sound catalogue of each tenant is chosen, then all are loaded, then the
 * days that the database does not have come one after the other, and last what is to be made of
 * them is noted. */
#include "archive/rebuild.h"

#include "archive/catalogue.h"
#include "archive/parts.h"
#include "archive/rebuild_late.h"
#include "archive/rebuild_tenant.h"
#include "gen/queries.h"

#include <stdarg.h>

#define PAGES_ARENA_BYTES (16u << 20) /* names of days, and keys that are listed */
#define PAGE_DAYS 100
#define PASSWORD_BYTES 32 /* random, and known to nobody */

/* A catalogue in the store. */
struct candidate {
    const char *key;
    struct candidate *older;
};

/* A tenant in the store. */
struct found {
    struct str prefix; /* of its catalogues' keys, up to the slash */
    struct candidate *newest;
    int n; /* candidates */
    const char *chosen;
    struct found *next;
};

struct rebuilding {
    struct archive *archive;
    const struct rebuild_wish *wish;
    struct op *op;
    struct found *first, *last; /* in the archive's memory of tenants */
    struct arena *pages;
    struct op paging; /* on it */
    char nobodys_hash[CRYPTO_PASSWORD_SIZE];
    int n_tenants, n_days, n_damaged;
    int64_t n_rows;
};

__attribute__((format(printf, 2, 3))) static void say(const struct rebuilding *rebuilding,
                                                      const char *format, ...)
{
    FILE *progress = rebuilding->wish->progress;
    va_list args;

    if (progress != NULL) {
        va_start(args, format);
        vfprintf(progress, format, args);
        va_end(args);
        fputc('\n', progress);
        (void)fflush(progress);
    }
}

/* Tells what is damaged, and forgets that failure. */
static void tell_damage(struct rebuilding *rebuilding, const char *what)
{
    say(rebuilding, "damaged\t%s\t%s", what, rebuilding->op->fault.detail);
    op_clear_fault(rebuilding->op);
    rebuilding->n_damaged++;
}

/* Runs one statement in a transaction of its own, in the memory of pages. */
static enum err ask(struct rebuilding *rebuilding, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    enum err err = db_run_committed(&rebuilding->paging, rebuilding->archive->conn, 0, query, args,
                                    out);

    if (err != OK) {
        rebuilding->op->fault = rebuilding->paging.fault;
        op_clear_fault(&rebuilding->paging);
    }
    return err;
}

/* ---- what there is ---- */

static enum err note_key(struct rebuilding *rebuilding, const char *key)
{
    struct arena *arena = rebuilding->archive->tenants;
    const char *slash = strchr(key + strlen(CATALOGUE_PREFIX), '/');
    size_t ending = strlen(CATALOGUE_ENDING), len = strlen(key);

    if (slash == NULL || len < ending || strcmp(key + len - ending, CATALOGUE_ENDING) != 0) {
        return OK; /* not ours */
    }
    struct candidate *candidate = arena_alloc(arena, sizeof *candidate);
    char *copy = arena_copy(arena, str_of(key));
    if (candidate == NULL || copy == NULL) {
        return fail_memory(rebuilding->op);
    }
    struct str prefix = { copy, (size_t)(slash - key) };
    struct found *found = rebuilding->last;
    if (found == NULL || !str_equal(found->prefix, prefix)) {
        found = arena_alloc(arena, sizeof *found);
        if (found == NULL) {
            return fail_memory(rebuilding->op);
        }
        *found = (struct found){ .prefix = prefix };
        *(rebuilding->last != NULL ? &rebuilding->last->next : &rebuilding->first) = found;
        rebuilding->last = found;
    }
    *candidate = (struct candidate){ copy, found->newest };
    found->newest = candidate;
    found->n++;
    return OK;
}

/* Keys come sorted: by tenant, and of each the oldest first. */
static enum err list_catalogues(struct rebuilding *rebuilding)
{
    struct archive *archive = rebuilding->archive;
    const char *after = NULL;
    struct store_page page;
    enum err err = OK;

    arena_reset(archive->tenants);
    do {
        arena_reset(archive->files);
        err = store_list(archive->store, &archive->file, CATALOGUE_PREFIX, after, STORE_MAX_LIST,
                         &page);
        for (int i = 0; err == OK && i < page.n; i++) {
            err = note_key(rebuilding, page.objects[i].key);
        }
        after = err == OK && page.next != NULL ? arena_copy(archive->tenants, str_of(page.next))
                                               : NULL;
    } while (after != NULL);
    err = archive_fail(archive, err);
    if (err == OK && rebuilding->first == NULL) {
        err = fail(rebuilding->op, ERR_NOT_FOUND,
                   "there is no catalogue in %s (%s…): the archive writes them at each run",
                   store_name(archive->store), CATALOGUE_PREFIX);
    }
    return err;
}

/* The newest catalogue of a tenant that is sound; an older one only where damage may be skipped. */
static enum err choose(struct rebuilding *rebuilding, struct found *found)
{
    const struct candidate *candidate = found->newest;
    enum err err;

    for (; candidate != NULL; candidate = candidate->older) {
        err = catalogue_read(rebuilding->archive, candidate->key, NULL, NULL);
        if (err == OK) {
            found->chosen = candidate->key;
            return OK;
        }
        if (err == ERR_CONFLICT || err_may_pass(err)) {
            return err;
        }
        tell_damage(rebuilding, candidate->key);
        if (!rebuilding->wish->skips_damaged) {
            return OK;
        }
    }
    return OK;
}

static enum err choose_all(struct rebuilding *rebuilding)
{
    enum err err = OK;

    for (struct found *at = rebuilding->first; at != NULL && err == OK; at = at->next) {
        err = choose(rebuilding, at);
    }
    if (err == OK && rebuilding->n_damaged > 0 && !rebuilding->wish->skips_damaged) {
        err = fail(rebuilding->op, ERR_INVALID,
                   "%d catalogues are damaged, and nothing was written: bring them back, or take "
                   "those before with --skip-damaged",
                   rebuilding->n_damaged);
    }
    return err;
}

/* ---- tenants ---- */

static enum err load_tenant(struct rebuilding *rebuilding, const struct found *found)
{
    arena_reset(rebuilding->pages);
    struct str *keys = arena_array(rebuilding->pages, (size_t)found->n, sizeof *keys);
    struct rebuild_tenant tenant = { .catalogue = found->chosen, .keys = keys,
                                     .password_hash = rebuilding->nobodys_hash };

    if (keys == NULL) {
        return fail_memory(rebuilding->op);
    }
    for (const struct candidate *at = found->newest; at != NULL; at = at->older) {
        keys[tenant.n_keys++] = str_of(at->key);
    }
    enum err err = rebuild_tenant_load(rebuilding->archive, &tenant);
    if (err != OK) {
        return err;
    }
    say(rebuilding, "%s\t%s\t%lld devices\t%lld series\t%lld archived days",
        tenant.is_new ? "tenant" : "there", tenant.slug, (long long)tenant.n_devices,
        (long long)tenant.n_series, (long long)tenant.n_days);
    rebuilding->n_tenants++;
    return OK;
}

/* Members get a hash that no known password fits, and that takes as long to try as any other. */
static enum err make_hash(struct rebuilding *rebuilding)
{
    uint8_t random[PASSWORD_BYTES];
    char password[2 * PASSWORD_BYTES + 1];

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, password);
    bool is_made = crypto_password_hash(str_of(password), rebuilding->nobodys_hash);
    return is_made ? OK : fail(rebuilding->op, ERR_UNAVAILABLE, "no memory to hash a password");
}

static enum err load_tenants(struct rebuilding *rebuilding)
{
    enum err err = make_hash(rebuilding);

    for (struct found *at = rebuilding->first; at != NULL && err == OK; at = at->next) {
        err = at->chosen != NULL ? load_tenant(rebuilding, at) : OK;
    }
    return err;
}

/* ---- days ---- */

static const struct found *find_tenant(const struct rebuilding *rebuilding, struct str slug)
{
    size_t skipped = strlen(CATALOGUE_PREFIX);
    const struct found *at = rebuilding->first;

    while (at != NULL &&
           !str_equal((struct str){ at->prefix.ptr + skipped, at->prefix.len - skipped }, slug)) {
        at = at->next;
    }
    return at;
}

static const char *catalogue_of(void *context, struct str slug)
{
    const struct found *found = find_tenant(context, slug);

    return found != NULL ? found->chosen : NULL;
}

/* Tells, once, of a tenant that has something in the archive but no catalogue. */
static enum err meet_tenant(void *context, struct str slug)
{
    struct rebuilding *rebuilding = context;
    struct arena *arena = rebuilding->archive->tenants;

    if (find_tenant(rebuilding, slug) != NULL) {
        return OK;
    }
    struct found *found = arena_alloc(arena, sizeof *found);
    char *prefix = arena_printf(arena, CATALOGUE_PREFIX "%.*s", (int)slug.len, slug.ptr);
    if (found == NULL || prefix == NULL) {
        return fail_memory(rebuilding->op);
    }
    *found = (struct found){ .prefix = str_of(prefix), .next = rebuilding->first };
    rebuilding->first = found;
    (void)fail(rebuilding->op, ERR_NOT_FOUND, "there is no catalogue of this tenant");
    tell_damage(rebuilding, prefix);
    return OK;
}

static void refuse_manifest(void *context, const char *key)
{
    tell_damage(context, key);
}

static enum err take_late_files(struct rebuilding *rebuilding)
{
    const struct late_tenants tenants = { catalogue_of, meet_tenant, refuse_manifest, rebuilding };
    int n = 0;
    enum err err = late_files_take(rebuilding->archive, &tenants, &n);

    if (err == OK && n > 0) {
        say(rebuilding, "late\t%d days' files are younger than their catalogue", n);
    }
    return err;
}

/* A page of days, after the last of the one before, which is released. */
static enum err load_page(struct rebuilding *rebuilding, struct db_rows **page)
{
    struct db_rows *before = *page;
    int last = before != NULL ? db_count(before) - 1 : -1;
    struct archive_task after = { .slug = NULL };
    char slug[64], relation[64], day[16];
    struct db_args args;

    if (last >= 0) {
        snprintf(slug, sizeof slug, "%s", db_text(before, last, REBUILD_DAYS_SLUG));
        snprintf(relation, sizeof relation, "%s", db_text(before, last, REBUILD_DAYS_RELATION));
        snprintf(day, sizeof day, "%s", db_text(before, last, REBUILD_DAYS_DAY));
        after = (struct archive_task){ .slug = slug, .relation = relation, .day = day };
    }
    arena_reset(rebuilding->pages);
    db_args_init(&args, rebuilding->pages);
    db_arg_text(&args, after.slug);
    db_arg_text(&args, after.relation);
    db_arg_text(&args, after.day);
    db_arg_int(&args, PAGE_DAYS);
    return ask(rebuilding, &q_rebuild_days, &args, page);
}

static enum err restore_day(struct rebuilding *rebuilding, const struct db_rows *page, int at)
{
    const struct archive_task task = {
        .tenant_id = db_int(page, at, REBUILD_DAYS_TENANT_ID),
        .slug = db_text(page, at, REBUILD_DAYS_SLUG),
        .relation = db_text(page, at, REBUILD_DAYS_RELATION),
        .day = db_text(page, at, REBUILD_DAYS_DAY),
    };
    char what[160];
    struct archive_done done;
    enum err err = archive_restore_day(rebuilding->archive, &task, ARCHIVE_PIN_DAYS, &done);

    if (err != OK && err_may_pass(err)) {
        return err;
    }
    if (err != OK) {
        snprintf(what, sizeof what, "%s %s %s", task.slug, task.relation, task.day);
        tell_damage(rebuilding, what);
        return OK;
    }
    if (done.is_derived) {
        return OK; /* the worker makes it */
    }
    rebuilding->n_days++;
    rebuilding->n_rows += done.n_rows;
    say(rebuilding, "day\t%s\t%s\t%s\t%lld rows", task.slug, task.relation, task.day,
        (long long)done.n_rows);
    return OK;
}

static enum err restore_days(struct rebuilding *rebuilding)
{
    struct db_rows *page = NULL;
    enum err err;
    int n;

    do {
        err = load_page(rebuilding, &page);
        n = err == OK ? db_count(page) : 0;
        for (int i = 0; i < n && err == OK; i++) {
            err = restore_day(rebuilding, page, i);
        }
    } while (err == OK && n == PAGE_DAYS);
    if (err == OK && rebuilding->n_damaged > 0 && !rebuilding->wish->skips_damaged) {
        err = fail(rebuilding->op, ERR_INVALID,
                   "%d days, tenants or manifests are damaged or not there, and nothing is made of "
                   "the others yet: bring back what is missing and run this again, or go on "
                   "without with --skip-damaged",
                   rebuilding->n_damaged);
    }
    return err;
}

/* ---- all of it ---- */

static enum err begin(struct rebuilding *rebuilding, bool is_look)
{
    struct db_args args;
    struct db_rows *rows;

    arena_reset(rebuilding->pages);
    db_args_init(&args, rebuilding->pages);
    db_arg_bool(&args, is_look);
    enum err err = ask(rebuilding, &q_rebuild_begin, &args, &rows);
    if (err == OK && is_look && db_bool(rows, 0, REBUILD_BEGIN_IS_BEGUN)) {
        say(rebuilding, "going on with what was begun");
    }
    return err;
}

static enum err take_steps(struct rebuilding *rebuilding)
{
    enum err err = begin(rebuilding, true);

    err = err ? err : list_catalogues(rebuilding);
    err = err ? err : choose_all(rebuilding);
    err = err ? err : begin(rebuilding, false);
    err = err ? err : load_tenants(rebuilding);
    err = err ? err : take_late_files(rebuilding);
    err = err ? err : restore_days(rebuilding);
    if (err != OK) {
        return err;
    }
    arena_reset(rebuilding->pages);
    return ask(rebuilding, &q_rebuild_end, NULL, NULL);
}

enum err archive_rebuild(struct archive *archive, const struct rebuild_wish *wish)
{
    struct rebuilding rebuilding = { .archive = archive, .wish = wish, .op = archive->op,
                                     .pages = arena_new(PAGES_ARENA_BYTES) };

    if (rebuilding.pages == NULL) {
        return fail_memory(archive->op);
    }
    op_init(&rebuilding.paging, rebuilding.pages, archive->op->id);
    enum err err = take_steps(&rebuilding);
    if (err == OK) {
        say(&rebuilding,
            "%d tenants, and %d days (%lld rows) that were missing: the worker makes rollups, "
            "energy and costs of them; members need new passwords, devices and programs new tokens",
            rebuilding.n_tenants, rebuilding.n_days, (long long)rebuilding.n_rows);
    }
    arena_free(rebuilding.pages);
    return err;
}
