/* Rates the accounts of a place from a day on and writes what came of it into the ledger. Called by
 * work/job_costs.c. */
#include "domain/cost_work.h"

#include "db/db.h"
#include "domain/cost_turn.h"
#include "gen/queries.h"

#define STEP_DAYS 400             /* of an account at once */
#define STEP_METER_DAYS 8000      /* read at once: some 20 MB */
#define ACCOUNT_BYTES (64u << 20) /* of memory that a step of an account takes at most */
/* Read around what is rated. */
#define CALENDAR_US ((int64_t)(COST_RATCHET_REACH_DAYS + 3) * US_PER_DAY)

static enum err take(struct cost_turn *turn)
{
    struct cost_work *work = turn->work;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(turn->tx)->arena);
    db_arg_int(&args, work->tenant_id);
    db_arg_int(&args, work->site_id);
    enum err err = db_run(turn->tx, &q_job_cost_take, &args, &rows);
    work->is_taken = err == OK && db_count(rows) > 0;
    if (!work->is_taken) {
        return err;
    }
    work->tenant_id = db_int(rows, 0, JOB_COST_TAKE_TENANT_ID);
    work->site_id = db_int(rows, 0, JOB_COST_TAKE_SITE_ID);
    turn->is_idle = db_is_null(rows, 0, JOB_COST_TAKE_FROM_TIME);
    if (turn->is_idle) {
        return OK;
    }
    turn->site = db_text(rows, 0, JOB_COST_TAKE_SITE);
    turn->from_us = db_time(rows, 0, JOB_COST_TAKE_FROM_TIME);
    turn->to_us = db_time(rows, 0, JOB_COST_TAKE_TO_TIME);
    turn->energy_us = db_time(rows, 0, JOB_COST_TAKE_ENERGY_FROM);
    turn->energy_end_us = db_time(rows, 0, JOB_COST_TAKE_ENERGY_TO);
    turn->first_us = db_time(rows, 0, JOB_COST_TAKE_FIRST_TIME);
    turn->settled_us = db_time(rows, 0, JOB_COST_TAKE_SETTLED_UNTIL);
    turn->kept_us = db_time(rows, 0, JOB_COST_TAKE_KEPT_FROM);
    turn->next_us = turn->rated_from_us = turn->due_us = INT64_MAX;
    turn->rated_until_us = INT64_MIN;
    return db_bind_tenant(turn->tx, work->tenant_id);
}

/* ---- which days ---- */

static struct rating_cycle cycle_of(const struct cost_account *account, int64_t day)
{
    return rating_cycle_of(account->rates.versions, account->rates.n, day, INT64_MAX);
}

/* The site's day that is not over. */
static int64_t site_day(const struct cost_turn *turn, const struct cost_account *account)
{
    return span_day_of(&account->site_zone, turn->settled_us);
}

/* The account's first day that is not over, or of which the site's is not. */
static int64_t over_day_of(const struct cost_turn *turn, const struct cost_account *account)
{
    return span_day_of(&account->zone,
                       span_day_start(&account->site_zone, site_day(turn, account)));
}

/* Where the ledger may begin: no cycle of which energy may be gone. */
static int64_t first_day(const struct cost_turn *turn, const struct cost_account *account,
                         int64_t from_us)
{
    int64_t kept_day = cost_turn_day(account, turn->kept_us) + 1;
    struct rating_cycle cycle = cycle_of(account, cost_turn_day(account, from_us));

    if (cycle.from_day < kept_day) {
        cycle = cycle_of(account, kept_day);
        return cycle.from_day >= kept_day ? cycle.from_day : cycle.to_day;
    }
    return cycle.from_day;
}

static int64_t last_day(const struct cost_turn *turn, const struct cost_account *account,
                        int64_t over_day)
{
    if (turn->to_us >= turn->settled_us || cost_has_ratchets(&account->rates)) {
        return over_day;
    }
    int64_t day = span_day_of(&account->zone, turn->to_us + LONGEST_DAY_US);
    return cost_least(cycle_of(account, day).to_day, over_day);
}

static struct cost_stretch stretch_of(const struct cost_turn *turn,
                                      const struct cost_account *account)
{
    struct cost_stretch stretch = { .over_day = over_day_of(turn, account) };
    int64_t most = account->n_meters > 0 ? STEP_METER_DAYS / account->n_meters : STEP_DAYS;

    stretch.from_day = first_day(turn, account, turn->from_us);
    stretch.end_day = last_day(turn, account, stretch.over_day);
    stretch.to_day = stretch.end_day;
    most = most > STEP_DAYS ? STEP_DAYS : most;
    if (stretch.to_day - stretch.from_day > most) {
        /* beyond where it began, which may be a cycle behind from_day: the next begins later */
        int64_t began_day =
            cost_latest(stretch.from_day, span_day_of(&account->zone, turn->from_us));
        int64_t cut = cycle_of(account, stretch.from_day + most).from_day;
        stretch.to_day = cost_least(cut > began_day ? cut : cycle_of(account, began_day).to_day,
                                    stretch.end_day);
    }
    return stretch;
}

/* ---- an account ---- */

/* Where the ledger has days of another zone, all go, and are rated again. Those of which energy may
 * be gone stay. */
static enum err check_zone(struct cost_turn *turn, const struct cost_account *account)
{
    int64_t day = first_day(turn, account, turn->first_us);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(turn->tx)->arena);
    db_arg_text(&args, account->site);
    db_arg_text(&args, account->device);
    db_arg_text(&args, account->zone.name);
    db_arg_int(&args, (int32_t)day);
    enum err err = db_run(turn->tx, &q_job_cost_is_rezoned, &args, &rows);
    if (err != OK || !db_bool(rows, 0, JOB_COST_IS_REZONED_IS_REZONED)) {
        return err;
    }
    turn->from_us = turn->energy_us = turn->first_us;
    turn->to_us = turn->energy_end_us = INT64_MAX;
    /* a zone's day is at most one before or behind another's */
    int64_t end_day = span_day_of(&account->zone, turn->settled_us) + 2;
    return cost_stretch_remove(turn, account, day, end_day);
}

/* Reads the account's zone and schedules. All of its days are of one zone. */
static enum err prepare(struct cost_turn *turn, struct cost_account *account)
{
    int64_t from_us = turn->first_us - CALENDAR_US, to_us = turn->settled_us + CALENDAR_US;
    enum err err =
        zone_load(turn->tx, account->site_zone.name, from_us, to_us, &account->site_zone);

    if (err != OK) {
        return err;
    }
    account->zone = account->site_zone;
    int64_t from_day = span_day_of(&account->zone, turn->first_us) - COST_REACH_DAYS;
    int64_t over_day = span_day_of(&account->zone, turn->settled_us);
    const struct cost_rates_query around = { .site = account->site,
                                             .device = account->device,
                                             .from_day = from_day > 0 ? from_day : 0,
                                             .to_day = over_day + COST_REACH_DAYS,
                                             .known_us = COST_LATEST };
    err = cost_rates_load(turn->tx, &around, &account->rates);
    const struct tariff *tariff =
        err == OK ? cost_last_tariff(account, from_day + COST_REACH_DAYS, over_day) : NULL;
    if (tariff && strcmp(tariff->timezone, account->zone.name) != 0) {
        err = zone_load(turn->tx, tariff->timezone, from_us, to_us, &account->zone);
    }
    return err == OK ? check_zone(turn, account) : err;
}

/* The days of each currency and zone by themselves. */
static enum err rate_stretch(struct cost_turn *turn, struct cost_account *account,
                             const struct cost_stretch *stretch)
{
    struct cost_stretch part = *stretch;
    enum err err = OK;

    for (; err == OK && part.from_day < stretch->to_day; part.from_day = part.to_day) {
        part.to_day = cost_same_until(&account->rates, part.from_day, stretch->to_day);
        err = cost_stretch_rate(turn, account, &part);
    }
    return err;
}

static enum err rate_account(struct cost_turn *turn, struct cost_account *account)
{
    struct cost_stretch stretch = stretch_of(turn, account);
    enum err err = rate_stretch(turn, account, &stretch);

    if (stretch.to_day < stretch.end_day) {
        turn->next_us = cost_least(turn->next_us, span_day_start(&account->zone, stretch.to_day));
    }
    turn->rated_from_us =
        cost_least(turn->rated_from_us, span_day_start(&account->zone, stretch.over_day));
    /* the site's day, for what changes later in it changes the account's day at its start */
    turn->rated_until_us = span_day_start(&account->site_zone, site_day(turn, account));
    turn->due_us = span_day_start(&account->site_zone, site_day(turn, account) + 1);
    return err;
}

/* ---- a place ---- */

/* One after the other, each with memory of its own: a place may have any number. */
static enum err rate_accounts(struct cost_turn *turn, const struct cost_accounts *accounts)
{
    struct op *op = db_op(turn->tx);
    struct arena *whole = op->arena;
    struct arena *scratch = arena_new(ACCOUNT_BYTES);
    enum err err = scratch ? OK : fail_memory(op);

    op->arena = scratch ? scratch : whole;
    for (int i = 0; err == OK && i < accounts->n; i++) {
        struct cost_account account = accounts->items[i];
        err = prepare(turn, &account);
        if (err == OK) {
            err = rate_account(turn, &account);
        }
        arena_reset(scratch);
    }
    op->arena = whole;
    arena_free(scratch);
    return err;
}

/* Leaves what is not rated. A change that ends before it may reach into its first day. */
static enum err leave(struct cost_turn *turn)
{
    struct db_args args;

    if (turn->next_us == INT64_MAX) {
        return OK;
    }
    turn->to_us = cost_latest(turn->to_us, turn->next_us + 1);
    if (turn->energy_us < turn->energy_end_us && turn->energy_us < turn->next_us) {
        turn->energy_end_us = cost_latest(turn->energy_end_us, turn->next_us + 1);
    }
    db_args_init(&args, db_op(turn->tx)->arena);
    db_arg_text(&args, turn->site);
    db_arg_time(&args, turn->next_us);
    db_arg_time(&args, turn->to_us);
    db_arg_time(&args, turn->energy_us);
    db_arg_time(&args, turn->energy_end_us);
    return db_run(turn->tx, &q_job_cost_leave, &args, NULL);
}

static enum err finish(struct cost_turn *turn, const struct cost_accounts *accounts)
{
    struct op *op = db_op(turn->tx);
    struct str *devices = arena_array(op->arena, (size_t)accounts->n + 1, sizeof *devices);
    struct db_args args;
    struct db_rows *rows;

    if (!devices) {
        return fail_memory(op);
    }
    for (int i = 0; i < accounts->n; i++) {
        const char *device = accounts->items[i].device;
        devices[i] = device ? str_of(device) : STR("");
    }
    db_args_init(&args, op->arena);
    db_arg_text(&args, turn->site);
    db_arg_str_array(&args, devices, (size_t)accounts->n);
    db_arg_time(&args, turn->first_us);
    db_arg_time(&args, turn->rated_from_us);
    db_arg_time(&args, turn->rated_until_us);
    db_arg_time(&args, turn->due_us);
    enum err err = db_run(turn->tx, &q_job_cost_finish, &args, &rows);
    if (err == OK) {
        turn->work->n_rows += db_int64(rows, 0, JOB_COST_FINISH_ROWS_REMOVED);
    }
    return err == OK ? leave(turn) : err;
}

enum err cost_work_step(struct db_tx *tx, struct cost_work *work)
{
    struct cost_turn turn = { .tx = tx, .work = work };
    struct cost_accounts accounts = { NULL, 0 };
    enum err err = take(&turn);

    if (err != OK || !work->is_taken || turn.is_idle) {
        return err;
    }
    err = cost_accounts_at(tx, turn.site, &accounts);
    if (err == OK) {
        err = rate_accounts(&turn, &accounts);
    }
    return err == OK && accounts.n > 0 ? finish(&turn, &accounts) : err;
}
