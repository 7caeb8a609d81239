/* The parts of an answer in words. Called by the formats' answers. */
#include "ingest/plain.h"

#define RETRY_AFTER_SECONDS "1" /* as problems have it */

void plain_answer(struct http_response *response, int status, const char *text)
{
    response->status = status;
    response->content_type = "text/plain";
    buf_clear(&response->body);
    buf_add_text(&response->body, text);
}

void plain_failure(struct http_response *response, const struct op *op)
{
    const struct err_row *row = err_row(op->fault.code);

    response->status = row->status;
    buf_clear(&response->body);
    if ((row->status == 503 || row->status == 429) &&
        !http_response_header(response, "Retry-After")) {
        (void)http_add_header(response, "Retry-After", RETRY_AFTER_SECONDS);
    }
}
