/* `tidemark import`: a file of readings through ingest's own parser and writer, in this process.
 * Answers for the command line, what is shown while it runs and what is said at the end; the
 * work is ingest/import's. */
#include "base/json.h"
#include "db/conn.h"
#include "db/url.h"
#include "domain/zone.h"
#include "gen/queries.h"
#include "ingest/import.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_BYTES (64u << 20)
#define SHOWN_REJECTIONS 20
#define PATIENCE_MS 60000 /* for a database that restarts */
#define PROGRESS_EVERY_US (US_PER_SECOND / 2)
#define STATEMENT_TIMEOUT_MS 60000
#define DRAIN_MS 60000
/* For which years a zone's offsets are asked: 1950 to 2047. */
#define ZONE_FROM_US (-20 * 366 * US_PER_DAY)
#define ZONE_TO_US (78 * 366 * US_PER_DAY)

static const struct options_help HELP = {
    .usage = "tidemark import --tenant SLUG --format csv|ndjson [OPTION…] [FILE|-]",
    .about =
        "Imports readings of any age from a file, or from standard input. Devices that are not\n"
        "known are registered. What is stored already is counted as a duplicate, so an import\n"
        "can be run again. Prints one line of JSON with the counts of events; complains of the\n"
        "first 20 rejected lines on standard error and exits 1 when there are any.\n"
        "\n"
        "ndjson  one event a line, as POST /v1/event takes it\n"
        "csv     a header, then a record a line, quoted as RFC 4180 says:\n"
        "        device,time,metric,value             a sample a line, or\n"
        "        device,time,energy_kwh,voltage_v,…   every other column is a metric; empty\n"
        "        cells are no readings, text goes to the event's data\n"
        "        The device column may be missing with --device. Times are RFC 3339, integer\n"
        "        epochs, dates, or dates and times in the zone of --timezone.",
};

struct import_command {
    const char *tenant, *format, *device, *time_column, *device_column, *timezone;
    const char *file;
    struct op op;
    struct zone zone;
    struct ingest_sender sender;
    struct import_options options;
    struct import_progress result;
    off_t size;            /* of the file; 0: not known */
    int64_t begun_us, shown_us;
    bool shows_progress;
    int n_shown;           /* rejections */
};

/* ---- what is seen ---- */

static void show_progress(void *context, const struct import_progress *progress)
{
    struct import_command *command = context;
    int64_t now_us = clock_monotonic_us();
    double seconds = (double)(now_us - command->begun_us) / 1e6;
    uint64_t events = progress->accepted + progress->duplicates + progress->updated;

    if (!command->shows_progress || now_us - command->shown_us < PROGRESS_EVERY_US) {
        return;
    }
    command->shown_us = now_us;
    fprintf(stderr, "\r%.1f MB", (double)progress->bytes / 1e6);
    if (command->size > 0) {
        fprintf(stderr, ", %.0f %%", 100 * (double)progress->bytes / (double)command->size);
    }
    fprintf(stderr, ", %llu events, %.0f/s\033[K", (unsigned long long)events,
            seconds > 0 ? (double)events / seconds : 0);
}

static void show_rejection(void *context, uint32_t line, const char *detail)
{
    struct import_command *command = context;

    if (command->n_shown++ < SHOWN_REJECTIONS) {
        fprintf(stderr, "%sline %u: %s\n", command->shows_progress ? "\r\033[K" : "", line, detail);
    }
}

static void print_member(struct json_writer *writer, const char *key, uint64_t value)
{
    json_key(writer, key);
    json_int(writer, (int64_t)value);
}

static void print_result(struct import_command *command)
{
    const struct import_progress *result = &command->result;
    int64_t took_ms = (clock_monotonic_us() - command->begun_us) / 1000;
    struct json_writer writer;
    struct buf line;

    if (command->shows_progress) {
        fputs("\r\033[K", stderr);
    }
    buf_init(&line, command->op.arena, 1024);
    json_writer_init(&writer, &line);
    json_open_object(&writer);
    print_member(&writer, "accepted", result->accepted);
    print_member(&writer, "duplicates", result->duplicates);
    print_member(&writer, "updated", result->updated);
    print_member(&writer, "rejected", result->rejected);
    print_member(&writer, "bytes", result->bytes);
    json_key(&writer, "seconds");
    json_double(&writer, (double)took_ms / 1e3);
    json_close_object(&writer);
    printf("%.*s\n", (int)line.len, line.data);
}

/* ---- what has to be known first ---- */

static enum err find_tenant(struct import_command *command, const struct config *config)
{
    struct operator_session session;
    struct db_args args;
    struct db_rows *rows;
    enum err err = operator_open(&session, config);

    if (!err) {
        db_args_init(&args, session.op.arena);
        db_arg_text(&args, command->tenant);
        err = db_run(session.tx, &q_ingest_tenant, &args, &rows);
    }
    if (!err && db_count(rows) == 0) {
        err = fail(&session.op, ERR_NOT_FOUND, "there is no tenant %s", command->tenant);
    }
    if (!err) {
        command->sender.tenant_id = db_int(rows, 0, INGEST_TENANT_ID);
    }
    int status = operator_close(&session, err);
    operator_free(&session);
    return err ? err : status == EXIT_OK ? OK : ERR_UNAVAILABLE;
}

static enum err no_zone(struct import_command *command)
{
    return fail(&command->op, ERR_INVALID, "there is no time zone \"%s\"", command->timezone);
}

static enum err find_zone(struct import_command *command, const struct config *config)
{
    struct op *op = &command->op;
    const char *url;
    struct db_tx *tx;

    command->zone = (struct zone){ .name = "UTC" };
    if (!command->timezone || strcmp(command->timezone, "UTC") == 0) {
        return OK;
    }
    if (!zone_is_name(str_of(command->timezone))) {
        return no_zone(command);
    }
    enum err err = db_role_url(op, config, DB_ROLE_READ, &url);
    if (err) {
        return err;
    }
    const struct db_options options = { .url = url, .name = "tidemark import" };
    struct db_conn *conn = db_conn_new(&options);
    if (!conn) {
        return fail_memory(op);
    }
    err = db_begin(op, conn, DB_READ, 0, &tx);
    if (!err) {
        err = zone_load(tx, command->timezone, ZONE_FROM_US, ZONE_TO_US, &command->zone);
        db_rollback(tx);
    }
    db_conn_close(conn);
    if (err == ERR_INVALID) {
        op_clear_fault(op);
        return no_zone(command);
    }
    return err;
}

static enum err open_file(struct import_command *command)
{
    struct stat status;

    command->options.fd = STDIN_FILENO;
    if (command->file && strcmp(command->file, "-") != 0) {
        command->options.fd = open(command->file, O_RDONLY | O_CLOEXEC);
        if (command->options.fd < 0) {
            return fail(&command->op, ERR_NOT_FOUND, "%s: %s", command->file, strerror(errno));
        }
    }
    if (fstat(command->options.fd, &status) == 0 && S_ISREG(status.st_mode)) {
        command->size = status.st_size;
    }
    return OK;
}

/* ---- the command ---- */

static enum err run_service(struct import_command *command, const struct config *config)
{
    const char *url;
    enum err err = db_role_url(&command->op, config, DB_ROLE_INGEST, &url);

    if (err) {
        return err;
    }
    struct ingest_options options = {
        .db = { .url = url, .name = "tidemark import", .is_prepared = config->db_prepare,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS },
        .queue_bytes = QUEUE_MAX_BYTES,
    };
    options.pool = db_pool_new(&options.db, 1);
    struct ingest_service *service = options.pool ? ingest_start(&options) : NULL;
    if (service) {
        command->begun_us = clock_monotonic_us();
        err = import_run(&command->op, service, &command->sender, &command->options,
                         &command->result);
        ingest_stop(service, DRAIN_MS);
    } else {
        err = fail_memory(&command->op);
    }
    db_pool_free(options.pool);
    return err;
}

static int run(struct import_command *command, const struct config *config)
{
    command->shows_progress = isatty(STDERR_FILENO);
    command->sender.may_register = true;
    command->options.device = str_of(command->device);
    command->options.time_column = str_of(command->time_column);
    command->options.device_column = str_of(command->device_column);
    command->options.zone = &command->zone;
    command->options.patience_ms = PATIENCE_MS;
    command->options.on_progress = show_progress;
    command->options.on_reject = show_rejection;
    command->options.context = command;

    enum err err = find_tenant(command, config);
    if (err) {
        return EXIT_FAILED; /* it said why */
    }
    err = open_file(command);
    if (!err) {
        err = find_zone(command, config);
    }
    if (!err) {
        err = run_service(command, config);
        print_result(command);
    }
    if (err) {
        options_complain(&command->op);
        op_log_fault(&command->op);
    }
    if (command->n_shown > SHOWN_REJECTIONS) {
        fprintf(stderr, "… %llu lines were rejected\n",
                (unsigned long long)command->result.rejected);
    }
    return err || command->result.rejected ? EXIT_FAILED : EXIT_OK;
}

int cmd_import(const struct config *config, int argc, char **argv)
{
    struct import_command command = { .tenant = NULL };
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose readings they are", &command.tenant, NULL },
        { "--format", "csv|ndjson", "of the file", &command.format, NULL },
        { "--device", "KEY", "of the records that name none", &command.device, NULL },
        { "--time-column", "NAME", "of CSV; else time, timestamp, datetime or date",
          &command.time_column, NULL },
        { "--device-column", "NAME", "of CSV; else device", &command.device_column, NULL },
        { "--timezone", "TZ", "IANA zone of times that name none; else UTC", &command.timezone,
          NULL },
        { .name = NULL },
    };
    struct option_words words = { &command.file, 1, 0 };
    int status = options_parse(argc, argv, &HELP, rows, &words);

    if (status >= 0) {
        return status;
    }
    if (!command.tenant) {
        return options_misused(&HELP, "which tenant? (--tenant)");
    }
    bool is_csv = command.format && strcmp(command.format, "csv") == 0;
    if (!is_csv && (!command.format || strcmp(command.format, "ndjson") != 0)) {
        return options_misused(&HELP, "--format wants csv or ndjson");
    }
    command.options.format = is_csv ? IMPORT_CSV : IMPORT_NDJSON;
    struct arena *arena = arena_new(ARENA_BYTES);
    if (!arena) {
        return EXIT_FAILED;
    }
    op_init(&command.op, arena, "import");
    status = run(&command, config);
    arena_free(arena);
    return status;
}
