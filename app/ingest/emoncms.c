/* Answers of emoncms (its index.php and input_controller.php). Called by its formats. */
#include "ingest/emoncms.h"

#include "base/json.h"
#include "http/form.h"
#include "ingest/plain.h"

#define MESSAGE_BYTES 1024

/* As emoncms writes it: with a blank after each colon and comma, and ' for " in the message. */
static void write_failure(struct http_response *response, const char *message)
{
    char text[MESSAGE_BYTES];
    struct json_writer writer;

    (void)snprintf(text, sizeof text, "%s", message);
    for (char *at = text; *at; at++) {
        *at = *at == '"' ? '\'' : *at;
    }
    buf_clear(&response->body);
    buf_add_text(&response->body, "{\"success\": false, \"message\": ");
    json_writer_init(&writer, &response->body);
    json_text(&writer, text);
    buf_add_char(&response->body, '}');
    response->content_type = "text/plain";
}

enum err emoncms_answer(struct http_request *request, const struct ingest_outcome *outcome,
                        struct http_response *response)
{
    bool is_full = http_field(request, "fulljson").ptr != NULL;
    char message[MESSAGE_BYTES];

    if (outcome->rejected == 0) {
        plain_answer(response, 200,
                     request->receipt ? request->receipt
                     : is_full        ? "{\"success\": true}"
                                      : "ok");
        return OK;
    }
    uint32_t kept = outcome->accepted + outcome->duplicates + outcome->updated;
    const struct ingest_error *first = &outcome->errors[0];
    if (kept == 0 && outcome->rejected == 1) {
        (void)snprintf(message, sizeof message, "%s", first->detail);
    } else {
        (void)snprintf(message, sizeof message, "%u rejected, %u stored; row %u: %s",
                       outcome->rejected, kept, first->index, first->detail);
    }
    write_failure(response, message);
    return OK;
}

void emoncms_answer_error(struct http_request *request, struct http_response *response)
{
    enum err code = request->op->fault.code;

    if (code == ERR_UNAUTHORIZED) {
        plain_answer(response, 401, "Invalid API key");
        return;
    }
    plain_failure(response, request->op);
    write_failure(response, http_public_detail(request->op));
    if (code == ERR_MALFORMED || code == ERR_INVALID) {
        response->status = 200;
    } else if (code == ERR_RATE_LIMITED) {
        response->status = 503; /* its senders know no other "later" */
    }
}
