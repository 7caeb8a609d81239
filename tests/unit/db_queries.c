/* Every statement of sql/queries/ against the migrated schema, as each of its roles: it is
 * parsed, planned with NULLs, allowed, and gives the columns and takes the parameters that it
 * declares. Works for each engine: whichever the database given was migrated for. */
#include "db_test.h"

#include "base/buf.h"
#include "db/migrate.h"
#include "db/pq.h"
#include "gen/queries.h"

#include <strings.h>

#define TENANT "1"

static void clear(PGresult *result)
{
    PQclear(result);
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Runs text that must work. */
static bool must(PGconn *pq, const char *sql)
{
    PGresult *result = PQexec(pq, sql);
    bool has_worked = is_good(result);
    if (!has_worked) {
        diag("%s: %s", sql, PQerrorMessage(pq));
    }
    clear(result);
    return has_worked;
}

static bool starts_with_word(const char *sql, const char *word)
{
    size_t len = strlen(word);
    return strncasecmp(sql, word, len) == 0 && strchr(" \n\t(", sql[len]) != NULL;
}

/* Only these can be planned; the rest (BEGIN, COPY, LOCK, DO …) is parsed. */
static bool is_plannable(const char *sql)
{
    static const char *const words[] = { "SELECT", "INSERT", "UPDATE", "DELETE",
                                         "WITH",   "VALUES", "MERGE" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (starts_with_word(sql, words[i])) {
            return true;
        }
    }
    return false;
}

/* "super" stays who it is. */
static bool become(PGconn *pq, const char *role)
{
    char sql[128];
    if (strcmp(role, "super") == 0) {
        return true;
    }
    snprintf(sql, sizeof sql, "SET SESSION AUTHORIZATION tidemark_%s", role);
    return must(pq, sql);
}

static bool is_readable_type(Oid type)
{
    switch (type) {
    case PG_BOOL:
    case PG_BYTEA:
    case PG_NAME:
    case PG_INT8:
    case PG_INT2:
    case PG_INT4:
    case PG_TEXT:
    case PG_OID:
    case PG_JSON:
    case PG_FLOAT4:
    case PG_FLOAT8:
    case PG_BPCHAR:
    case PG_VARCHAR:
    case PG_TIMESTAMPTZ:
    case PG_UUID:
    case PG_INT8_ARRAY:
    case PG_TIMESTAMPTZ_ARRAY: /* by db_int64_list */
    case PG_JSONB: return true;
    default: return type == 2278; /* void: of a function called for what it does */
    }
}

/* Declared columns and parameters against what the server understood. */
static bool has_declared_shape(PGconn *pq, const struct db_query *query)
{
    PGresult *shape = PQdescribePrepared(pq, "");
    bool is_same = is_good(shape) && PQnparams(shape) == query->n_params;
    if (!is_same) {
        diag("%d parameters, declared %d", PQnparams(shape), query->n_params);
    }
    if (query->n_columns > 0 && PQnfields(shape) != query->n_columns) {
        diag("%d columns, declared %d", PQnfields(shape), query->n_columns);
        is_same = false;
    }
    for (int i = 0; i < query->n_columns && i < PQnfields(shape); i++) {
        if (strcmp(PQfname(shape, i), query->columns[i]) != 0) {
            diag("column %d is %s, declared %s", i + 1, PQfname(shape, i), query->columns[i]);
            is_same = false;
        }
        if (!is_readable_type(PQftype(shape, i))) {
            diag("column %s has type %u, which C does not read: cast it", PQfname(shape, i),
                 PQftype(shape, i));
            is_same = false;
        }
    }
    clear(shape);
    return is_same;
}

/* PREPARE and EXPLAIN EXECUTE with NULLs. A generic plan, so that the server cannot fold a
 * strict function of NULL away, and with it the check of its EXECUTE right. */
static bool is_planned(PGconn *pq, struct arena *arena, const struct db_query *query)
{
    struct buf text;
    buf_init(&text, arena, 65536);
    buf_printf(&text, "PREPARE checked AS %s", query->sql);
    buf_add_char(&text, '\0');
    if (text.is_broken || !must(pq, text.data)) {
        return false;
    }
    buf_init(&text, arena, 65536);
    buf_add_text(&text, "EXPLAIN EXECUTE checked");
    for (int i = 0; i < query->n_params; i++) {
        buf_add_text(&text, i == 0 ? " (NULL" : ", NULL");
    }
    buf_add_text(&text, query->n_params > 0 ? ")" : "");
    buf_add_char(&text, '\0');
    return !text.is_broken && must(pq, text.data);
}

static bool is_parsed(PGconn *pq, const struct db_query *query)
{
    PGresult *result = PQprepare(pq, "", query->sql, 0, NULL);
    bool has_worked = is_good(result);
    if (!has_worked) {
        diag("%s", PQerrorMessage(pq));
    }
    clear(result);
    return has_worked && has_declared_shape(pq, query);
}

/* A COPY of no rows: only running it asks for the right to do so. */
static bool is_copied(PGconn *pq, struct arena *arena, const struct db_query *query)
{
    struct buf rows;
    PGresult *result = PQexec(pq, query->sql);
    bool has_worked = PQresultStatus(result) == PGRES_COPY_IN && PQbinaryTuples(result);
    clear(result);
    if (!has_worked) {
        diag("%s", PQerrorMessage(pq));
        return false;
    }
    buf_init(&rows, arena, 64);
    buf_add(&rows, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\377\377", 21);
    has_worked = PQputCopyData(pq, rows.data, (int)rows.len) == 1 && PQputCopyEnd(pq, NULL) == 1;
    while ((result = PQgetResult(pq)) != NULL) {
        has_worked = has_worked && is_good(result);
        clear(result);
    }
    if (!has_worked) {
        diag("%s", PQerrorMessage(pq));
    }
    return has_worked;
}

static bool is_right(PGconn *pq, struct arena *arena, const struct db_query *query,
                     const char *role)
{
    bool is_fine = become(pq, role) && must(pq, "BEGIN") &&
                   must(pq, "SELECT set_config('tidemark.tenant_id', '" TENANT "', true)") &&
                   must(pq, "SET LOCAL plan_cache_mode = force_generic_plan");
    if (is_fine && starts_with_word(query->sql, "FETCH")) { /* of the cursor that this opens */
        is_fine = must(pq, "SELECT ops.archive_begin(t, '2026-11-20', '2026-11-20', true, '{}')"
                           " FROM unnest(ARRAY['samples', 'costs']) t");
    }
    is_fine = is_fine && is_parsed(pq, query);
    if (is_fine && is_plannable(query->sql)) {
        is_fine = is_planned(pq, arena, query);
    } else if (is_fine && starts_with_word(query->sql, "COPY")) {
        is_fine = is_copied(pq, arena, query);
    }
    must(pq, "ROLLBACK");
    must(pq, "DEALLOCATE ALL");
    return must(pq, "RESET SESSION AUTHORIZATION") && is_fine;
}

static void test_query(PGconn *pq, struct arena *arena, const struct db_query *query)
{
    struct str roles = str_of(query->roles);
    while (roles.ptr) {
        struct str role = str_trim(str_cut(&roles, ' '));
        const char *name = arena_copy(arena, role);
        if (role.len > 0 && name) {
            ok(is_right(pq, arena, query, name), "%s as %s", query->name, name);
        }
    }
    arena_reset(arena);
}

/* URLs without a password for the roles: the migration then leaves their passwords alone. */
static void migrate(struct db_test *test)
{
    const struct config config = {
        .home = "/nonexistent",
        .database_url = test->url,
        .database_web_url = test->url,
        .database_ingest_url = test->url,
        .database_worker_url = test->url,
        .database_operator_url = test->url,
        .database_read_url = test->url,
        .database_backup_url = test->url,
    };
    if (db_migrate(&test->op, &config, NULL) != OK) {
        printf("Bail out! %s\n", test->op.fault.detail);
        exit(1);
    }
    db_test_reset(test);
}

int main(void)
{
    struct db_test test;
    if (!db_test_open(&test)) {
        return 0;
    }
    migrate(&test);
    PGconn *pq = PQconnectdb(test.url);
    if (PQstatus(pq) != CONNECTION_OK) {
        printf("Bail out! %s\n", PQerrorMessage(pq));
        return 1;
    }
    must(pq, "SET client_min_messages = warning");
    for (size_t i = 0; i < db_queries_count; i++) {
        test_query(pq, test.arena, db_queries[i]);
    }
    PQfinish(pq);
    db_test_close(&test);
    return done_testing();
}
