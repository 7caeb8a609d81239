/* A store to try: a directory of the test's own, or what the environment's S3_* name. */
#ifndef TIDEMARK_TESTS_OBJECTS_TEST_H
#define TIDEMARK_TESTS_OBJECTS_TEST_H

#include "objects/store.h"

#include "tap.h"

static struct op op;
static struct config config;
static char home[] = "/tmp/tidemark-objects-XXXXXX";

static void open_config(void)
{
    char error[512];

    if (!getenv("TIDEMARK_HOME") && setenv("TIDEMARK_HOME", mkdtemp(home), 1) != 0) {
        abort();
    }
    if (!crypto_open() || !config_load(&config, NULL, error, sizeof error)) {
        printf("Bail out! %s\n", error);
        exit(1);
    }
    op_init(&op, arena_new(256u << 20), "test");
}

/* Says what failed, if anything. */
static void show_fault(void)
{
    if (op.fault.code != OK) {
        diag("%s", op.fault.detail);
    }
}

#endif
