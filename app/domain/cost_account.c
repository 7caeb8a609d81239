/* Says which billing accounts there are, and which meters each has. Called by cost.c. */
#include "domain/cost_parts.h"

#include "db/db.h"
#include "gen/queries.h"

#include <string.h>

/* The site's meters [from, to), and the accounts that they become. */
struct place {
    struct op *op;
    struct cost_meter *meters;
    int from, to;
    bool has_grid;
    struct cost_accounts *out;
};

static bool is_role(const struct cost_meter *meter, const char *role)
{
    return strcmp(meter->role, role) == 0;
}

static bool is_grid(const struct cost_meter *meter)
{
    return is_role(meter, "grid_import") || is_role(meter, "grid_export");
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* ---- one device ---- */

void cost_keep_device(struct cost_account *account)
{
    static const char *const roles[] = { "grid_import", "consumption", "sub_meter" };
    int role = 2, n = 0;

    for (int i = 0; i < account->n_meters; i++) {
        const struct cost_meter *meter = &account->meters[i];
        if (is_grid(meter)) {
            role = 0;
        } else if (is_role(meter, roles[1]) && role > 1) {
            role = 1;
        }
    }
    for (int i = 0; i < account->n_meters; i++) {
        struct cost_meter meter = account->meters[i];
        if (is_role(&meter, roles[role]) || (role == 0 && is_grid(&meter))) {
            meter.role = role == 2 ? roles[1] : meter.role;
            account->meters[n++] = meter;
        }
    }
    account->n_meters = n;
}

/* ---- a site ---- */

static enum err begin_account(struct place *place, struct cost_account **out)
{
    struct cost_account *account = &place->out->items[place->out->n++];

    *account = (struct cost_account){ .site = place->meters[place->from].site,
                                      .ledger_day = INT64_MIN };
    account->meters =
        arena_array(place->op->arena, (size_t)(place->to - place->from), sizeof *account->meters);
    account->site_zone.name = place->meters[place->from].zone;
    *out = account;
    return account->meters ? OK : fail_memory(place->op);
}

/* The end of the meters of the device that meter `from` is of. */
static int device_end(const struct place *place, int from)
{
    int to = from + 1;

    while (to < place->to && strcmp(place->meters[to].device, place->meters[from].device) == 0) {
        to++;
    }
    return to;
}

/* Whether the device's meters [from, to) get a bill of their own. */
static bool is_account(const struct place *place, int from, int to)
{
    bool has_grid = false;

    for (int i = from; i < to; i++) {
        has_grid = has_grid || is_grid(&place->meters[i]);
    }
    return place->meters[from].is_apart && (has_grid || !place->has_grid);
}

static void take(struct cost_account *account, const struct place *place, int from, int to)
{
    memcpy(account->meters + account->n_meters, place->meters + from,
           (size_t)(to - from) * sizeof *account->meters);
    account->n_meters += to - from;
}

static enum err split_site(struct place *place)
{
    struct cost_account *rest = NULL, *own;
    enum err err = OK;

    for (int i = place->from; i < place->to; i++) {
        place->has_grid = place->has_grid || is_grid(&place->meters[i]);
    }
    for (int from = place->from, to; err == OK && from < place->to; from = to) {
        to = device_end(place, from);
        if (is_account(place, from, to)) {
            err = begin_account(place, &own);
            if (err == OK) {
                own->device = place->meters[from].device;
                take(own, place, from, to);
            }
            continue;
        }
        err = rest ? OK : begin_account(place, &rest);
        if (err == OK) {
            take(rest, place, from, to);
        }
    }
    return err;
}

/* ---- all of it ---- */

enum err cost_zone(struct db_tx *tx, const struct cost_query *query, const char **out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, query->device);
    db_arg_str(&args, query->site);
    enum err err = db_run(tx, &q_rollup_zone, &args, &rows);
    if (err == OK && db_count(rows) == 0) {
        err = fail(db_op(tx), ERR_NOT_FOUND, "there is no such tenant");
    }
    if (err == OK) {
        *out = db_text(rows, 0, ROLLUP_ZONE_TIMEZONE);
    }
    return err;
}

/* One account of all meters: of a device, or where there are none. */
static enum err find_single(struct db_tx *tx, const struct cost_query *query,
                            const struct cost_meters *all, struct cost_accounts *out)
{
    struct arena *arena = db_op(tx)->arena;
    struct cost_account *account = &out->items[0];

    out->n = 1;
    *account = (struct cost_account){ .meters = all->items,
                                      .n_meters = all->n,
                                      .ledger_day = INT64_MIN };
    if (query->device.ptr) {
        account->device = arena_copy(arena, query->device);
        account->site = all->n > 0 ? all->items[0].site : NULL;
        account->is_valued = all->n == 0 || !all->items[0].is_apart;
        cost_keep_device(account);
    } else if (query->site.ptr) {
        account->site = arena_copy(arena, query->site);
    }
    return cost_zone(tx, query, &account->site_zone.name);
}

/* Room for accounts: each device may be one, and each site have one more. */
static enum err make_room(struct op *op, const struct cost_meters *all, struct cost_accounts *out)
{
    *out = (struct cost_accounts){ arena_array(op->arena, 2 * (size_t)all->n + 1,
                                               sizeof *out->items), 0 };
    return out->items ? OK : fail_memory(op);
}

/* Where the meters of the site end that meter `from` is of. */
static int site_end(const struct cost_meters *all, int from)
{
    int to = from + 1;

    while (to < all->n && is_same(all->items[to].site, all->items[from].site)) {
        to++;
    }
    return to;
}

enum err cost_accounts_find(struct db_tx *tx, const struct cost_query *query,
                            struct cost_accounts *out)
{
    struct op *op = db_op(tx);
    struct cost_meters all;
    enum err err = cost_meters_load(tx, query->site, query->device, query->as_of_us, &all);

    if (err == OK) {
        err = make_room(op, &all, out);
    }
    if (err == OK && (query->device.ptr || all.n == 0)) {
        return find_single(tx, query, &all, out);
    }
    for (int from = 0, to; err == OK && from < all.n; from = to) {
        to = site_end(&all, from);
        struct place place = {
            .op = op, .meters = all.items, .from = from, .to = to, .out = out,
        };
        err = split_site(&place);
    }
    return err;
}

enum err cost_accounts_at(struct db_tx *tx, const char *site, struct cost_accounts *out)
{
    struct op *op = db_op(tx);
    struct cost_meters all;
    const struct str none = { NULL, 0 };
    enum err err = cost_meters_load(tx, site ? str_of(site) : none, none, COST_LATEST, &all);

    if (err == OK) {
        err = make_room(op, &all, out);
    }
    for (int from = 0, to; err == OK && from < all.n; from = to) {
        to = site_end(&all, from);
        struct place place = {
            .op = op, .meters = all.items, .from = from, .to = to, .out = out,
        };
        if (is_same(all.items[from].site, site)) {
            err = split_site(&place);
        }
    }
    return err;
}
