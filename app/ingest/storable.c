/* What the grammar of JSON allows and jsonb does not: numbers beyond numeric's range. Called by the
 * formats for values that are kept as they came. */
#include "ingest/storable.h"

/* An exponent or a run of digits beyond these is no reading of anything, and jsonb's numeric,
 * which ends at 131,072 digits, would refuse the whole batch for it. */
#define MAX_NUMBER_BYTES 1000
#define MAX_EXPONENT 1000

/* Passes over the number at `at`; NULL when it is out of range. */
static const char *pass_number(const char *at, const char *end)
{
    const char *start = at;
    int exponent = 0;

    while (at < end && ((*at >= '0' && *at <= '9') || *at == '.' || *at == '-')) {
        at++;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        for (; at < end && *at >= '0' && *at <= '9'; at++) {
            exponent = exponent * 10 + (*at - '0');
            if (exponent > MAX_EXPONENT) {
                return NULL;
            }
        }
    }
    return at - start > MAX_NUMBER_BYTES ? NULL : at;
}

const char *storable_pass_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        at += *at == '\\' && at + 1 < end;
    }
    return at < end ? at + 1 : end;
}

bool storable_json(struct str text)
{
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;

    while (at < end) {
        if (*at == '"') {
            at = storable_pass_string(at, end);
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            at = pass_number(at, end);
            if (!at) {
                return false;
            }
        } else {
            at++;
        }
    }
    return true;
}
