/* A request of a convention from its bytes to its columns and its answer, without a server: the
 * query, the form, the path and headers are read as the server reads them. */
#ifndef TIDEMARK_TESTS_CONVENTION_TEST_H
#define TIDEMARK_TESTS_CONVENTION_TEST_H

#include "http_test.h"
#include "ingest_test.h"

#include "http/router.h"

struct convention_test {
    struct ingest_test ingest;
    const struct ingest_format *format;
    const char *pattern; /* of the route */
    struct fake fake;
    struct http_request request;
    struct ingest_columns *columns;
};

/* The request begins: fake_set and fake_body may follow, then convention_parse. */
static inline void convention_begin(struct convention_test *test, const char *method,
                                    const char *target)
{
    ingest_test_reset(&test->ingest);
    test->fake = fake_request(method, target);
}

static inline enum err convention_parse(struct convention_test *test)
{
    struct op *op = &test->ingest.op;
    struct str body;

    test->fake.step = 4096;
    test->columns = NULL;
    enum err err = http_request_init(&test->request, op, &test->fake.transport);
    if (!err && !http_path_matches(&test->request, test->pattern)) {
        err = fail(op, ERR_NOT_FOUND, "%s is not the route's", test->pattern);
    }
    if (!err) {
        err = http_read_decoded_body(&test->request, MAX_INGEST_BODY_BYTES, &body);
    }
    if (err) {
        return err;
    }
    test->columns = columns_new(op, &test->ingest.rules);
    return test->columns ? test->format->parse(&test->request, body, test->columns) : ERR_INTERNAL;
}

/* Columns, or the failure in words. */
static inline const char *convention_result(struct convention_test *test, enum err err)
{
    return err ? test->ingest.op.fault.detail : ingest_test_dump(&test->ingest, test->columns);
}

/* What is sent back, with its status before it: "200 ok". */
static inline const char *convention_answer(struct convention_test *test, enum err err,
                                            const struct ingest_outcome *outcome)
{
    struct http_response response;

    http_response_init(&response, test->ingest.arena);
    if (!err) {
        err = test->format->answer(&test->request, outcome, &response);
    }
    if (err) {
        test->format->answer_error(&test->request, &response);
    }
    return arena_printf(test->ingest.arena, "%d %.*s", response.status, (int)response.body.len,
                        response.body.data ? response.body.data : "");
}

#endif
