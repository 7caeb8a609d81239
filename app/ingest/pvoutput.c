/* Device and answers of PVOutput. Called by its formats. */
#include "ingest/pvoutput.h"

#include "http/form.h"
#include "ingest/plain.h"

struct str pvoutput_system(const struct http_request *request, const struct ingest_columns *columns)
{
    struct str id = str_trim(http_header(request, PVOUTPUT_SYSTEM_HEADER));

    if (columns->rules.is_device_bound) {
        return columns->rules.device;
    }
    id = id.len > 0 ? id : str_trim(http_field(request, PVOUTPUT_SYSTEM_FIELD));
    if (id.len == 0 || !str_is_utf8(id)) {
        return (struct str){ NULL, 0 };
    }
    return id;
}

static void answer_words(struct http_response *response, struct arena *arena, int status,
                         const char *kind, const char *words)
{
    const char *text = arena_printf(arena, "%s %d: %s", kind, status, words);

    plain_answer(response, status, text ? text : kind);
}

enum err pvoutput_answer(struct http_request *request, const struct ingest_outcome *outcome,
                         struct http_response *response, const char *success)
{
    if (outcome->rejected == 0) {
        plain_answer(response, 200, success);
    } else {
        answer_words(response, request->op->arena, 400, "Bad request", outcome->errors[0].detail);
    }
    return OK;
}

void pvoutput_answer_error(struct http_request *request, struct http_response *response)
{
    const struct op *op = request->op;
    const char *words = http_public_detail(op);

    plain_failure(response, op);
    switch (response->status) {
    case 400:
    case 413:
    case 422: answer_words(response, op->arena, 400, "Bad request", words); break;
    case 401:
        answer_words(response, op->arena, 401, "Unauthorized", "Invalid API Key");
        break;
    case 429: /* as PVOutput has it */
    case 403: answer_words(response, op->arena, 403, "Forbidden", words); break;
    default:
        answer_words(response, op->arena, response->status, http_reason(response->status), words);
    }
}
