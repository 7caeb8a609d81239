/* OTLP metrics and logs on whatever bytes, as protobuf and as JSON: it never reads beyond the body,
 * and the columns it leaves hold together. What JSON is rewritten as must be protobuf. */
#include "ingest/otlp.h"
#include "ingest_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fields of a message, one by one, to its end. */
static void check_rewritten(struct str body, const struct otlp_message *message)
{
    struct arena *arena = arena_new(64u << 20);
    struct op op;
    struct http_request request = { .op = &op, .content_type = STR(OTLP_JSON) };
    struct proto_field field;
    struct str rewritten;
    bool is_broken = false;

    op_init(&op, arena, "fuzz");
    if (otlp_body(&request, body, message, &rewritten) == OK) {
        struct proto_reader reader = proto_reader(rewritten, &is_broken);
        while (proto_next(&reader, &field)) {
            require(field.number == 1 && field.wire == PROTO_BYTES, "a request has one kind of field");
        }
        require(!is_broken, "what JSON is rewritten as is protobuf");
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };

    check_format(&ingest_format_otlp_metrics, OTLP_PROTOBUF, body);
    check_format(&ingest_format_otlp_metrics, OTLP_JSON, body);
    check_format(&ingest_format_otlp_logs, OTLP_PROTOBUF, body);
    check_format(&ingest_format_otlp_logs, OTLP_JSON, body);
    check_rewritten(body, &otlp_metrics_request);
    check_rewritten(body, &otlp_logs_request);
    return 0;
}
