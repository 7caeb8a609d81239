/* `tidemark seed`: the demo's tenants with their past, their logins, and their devices at
 * work. What the demo is says domain/demo.h. */
#include "base/op.h"
#include "db/conn.h"
#include "db/url.h"
#include "domain/demo_rates.h"
#include "domain/demo_seed.h"
#include "serve/commands.h"
#include "serve/options.h"
#include "serve/seed_conns.h"
#include "serve/seed_post.h"
#include "work/jobs.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED_ARENA_BYTES (64u << 20)
#define EVERY_S_DEFAULT 10
#define EVERY_S_MAX 300

static const struct options_help HELP = {
    .usage = "tidemark seed [--print-logins | --post URL [--every SECONDS]]",
    .about = "Makes the demo tenants and fills their past up to now; run again, it fills what has\n"
             "been missing since.",
};

static void print_login(const struct demo_person *person)
{
    printf("%s %s\n", person->email, person->password);
}

static void print_logins(void)
{
    for (int i = 0; i < demo_tenants_count; i++) {
        for (int j = 0; j < demo_tenants[i].n_persons; j++) {
            print_login(&demo_tenants[i].persons[j]);
        }
    }
    print_login(&demo_operator);
}

static enum err seed_tenant(struct op *op, const struct demo_conns *conns,
                            const struct demo_tenant *tenant)
{
    struct demo_store store;
    int64_t samples = 0;
    int64_t started_us = clock_monotonic_us();
    enum err err = demo_store_open(op, conns, tenant, &store);
    if (err == OK) {
        err = demo_rates_put(op, conns, &store);
    }
    if (err == OK) {
        err = demo_store_fill(op, conns, &store, clock_now_us(), &samples);
    }
    if (err == OK) {
        fprintf(stderr, "seeded %s: %lld samples in %.1f s\n", tenant->slug, (long long)samples,
                (double)(clock_monotonic_us() - started_us) / 1e6);
    }
    return err;
}

/* Seeds a tenant, or (NULL) the operator, with memory and connections of its own. */
static int seed_part(const struct config *config, const struct demo_tenant *tenant)
{
    struct op op;
    struct demo_conns conns;
    struct arena *arena = arena_new(SEED_ARENA_BYTES);
    if (arena == NULL) {
        return EXIT_FAILED;
    }
    op_init(&op, arena, "seed");
    enum err err = seed_conns_open(&op, config, &conns);
    if (err == OK) {
        err = tenant ? seed_tenant(&op, &conns, tenant) : demo_operator_put(&op, &conns);
    }
    if (err != OK) {
        options_complain(&op);
        op_log_fault(&op);
    }
    seed_conns_close(&conns);
    arena_free(arena);
    return err == OK ? EXIT_OK : EXIT_FAILED;
}

/* Rolls up what was filled, as the worker would: the first page finds it done. */
static int roll_up(const struct config *config)
{
    struct op op, work;
    const char *url;
    struct arena *arena = arena_new(SEED_ARENA_BYTES); /* the address, as long as the connection */
    struct arena *passes = arena_new(SEED_ARENA_BYTES); /* emptied by the job */
    if (!arena || !passes) {
        arena_free(arena);
        arena_free(passes);
        return EXIT_FAILED;
    }
    op_init(&op, arena, "seed");
    op_init(&work, passes, "seed");
    struct db_conn *conn = NULL;
    enum err err = db_role_url(&op, config, DB_ROLE_WORKER, &url);
    if (err == OK) {
        struct db_options options = { .url = url, .name = "tidemark seed",
                                      .is_prepared = config->db_prepare };
        conn = db_conn_new(&options);
        struct job_pass pass = { .op = &work, .conn = conn, .config = config, .stop_fd = -1,
                                 .is_once = true };
        err = conn ? job_rollups(&pass) : fail_memory(&work);
    }
    if (err != OK) {
        const struct op *failed = op.fault.code != OK ? &op : &work;
        options_complain(failed);
        op_log_fault(failed);
    }
    db_conn_close(conn);
    arena_free(arena);
    arena_free(passes);
    return err == OK ? EXIT_OK : EXIT_FAILED;
}

/* Each tenant in a process of its own: a start waits for the slowest, not for the sum. */
static int seed(const struct config *config)
{
    int status = EXIT_OK;
    for (int i = 0; i < demo_tenants_count; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(seed_part(config, &demo_tenants[i]));
        }
        if (pid < 0) {
            status = EXIT_FAILED;
        }
    }
    if (seed_part(config, NULL) != EXIT_OK) {
        status = EXIT_FAILED;
    }
    int ended;
    while (wait(&ended) > 0) {
        if (!WIFEXITED(ended) || WEXITSTATUS(ended) != EXIT_OK) {
            status = EXIT_FAILED;
        }
    }
    return status == EXIT_OK ? roll_up(config) : status;
}

/* The address of the event endpoint under the server's root. */
static int post(const struct config *config, const char *root, int every_s)
{
    char url[512];
    size_t len = strlen(root);
    while (len > 0 && root[len - 1] == '/') {
        len--;
    }
    bool is_http = strncmp(root, "http://", 7) == 0 || strncmp(root, "https://", 8) == 0;
    if (!is_http || len > sizeof url - sizeof "/v1/event") {
        return options_misused(&HELP, "--post wants an http or https URL");
    }
    snprintf(url, sizeof url, "%.*s/v1/event", (int)len, root);
    return seed_post(config, url, every_s) ? EXIT_OK : EXIT_FAILED;
}

static bool read_seconds(const char *text, int *out)
{
    long long value = EVERY_S_DEFAULT;
    bool is_good = text == NULL || str_to_int64(str_of(text), &value);
    *out = (int)value;
    return is_good && value >= 1 && value <= EVERY_S_MAX;
}

int cmd_seed(const struct config *config, int argc, char **argv)
{
    const char *url = NULL, *every = NULL;
    bool is_logins = false;
    int every_s = 0;
    const struct option_row rows[] = {
        { "--post", "URL", "let the demo's devices post to the server at URL until SIGTERM", &url,
          NULL },
        { "--every", "SECONDS", "how often they post: 1 to 300, else 10", &every, NULL },
        { "--print-logins", NULL, "print the demo's logins, e-mail then password, and end", NULL,
          &is_logins },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, rows, NULL);
    if (status >= 0) {
        return status;
    }
    if (!read_seconds(every, &every_s)) {
        return options_misused(&HELP, "--every is from 1 to %d seconds", EVERY_S_MAX);
    }
    if (is_logins) {
        print_logins();
        return EXIT_OK;
    }
    return url ? post(config, url, every_s) : seed(config);
}
