/* Lenient numbers: what JSON's grammar forbids is mended in a copy, whose value is then strtod's.
 * Called by the formats that carry numbers in texts. */
#include "ingest/number.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

#define MAX_NUMBER_BYTES 64
#define MAX_EPOCH 9e18 /* fits an int64 */
#define MILLISECONDS_FROM 1e11

/* True for digits with at most one point among them and an exponent at the end. */
static bool is_number(const char *at)
{
    int digits = 0;

    at += *at == '+' || *at == '-';
    for (; *at >= '0' && *at <= '9'; at++) {
        digits++;
    }
    at += *at == '.';
    for (; *at >= '0' && *at <= '9'; at++) {
        digits++;
    }
    if (digits > 0 && (*at == 'e' || *at == 'E')) {
        at++;
        at += *at == '+' || *at == '-';
        for (digits = 0; *at >= '0' && *at <= '9'; at++) {
            digits++;
        }
    }
    return digits > 0 && *at == '\0';
}

bool number_read(struct str text, double *out)
{
    char copy[MAX_NUMBER_BYTES + 1];

    text = str_trim(text);
    if (text.len == 0 || text.len > MAX_NUMBER_BYTES) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (!is_number(copy)) {
        return false;
    }
    *out = strtod(copy, NULL); /* the process never leaves the C locale */
    return isfinite(*out);
}

static bool read_epoch(double epoch, int64_t *out_us)
{
    if (!(fabs(epoch) < MAX_EPOCH)) {
        return false;
    }
    *out_us = fabs(epoch) < MILLISECONDS_FROM ? llround(epoch * (double)US_PER_SECOND)
                                              : clock_from_epoch((int64_t)epoch);
    return true;
}

bool number_read_time(struct str text, int64_t *out_us)
{
    double epoch;
    long long whole;

    text = str_trim(text);
    if (str_to_int64(text, &whole)) {
        *out_us = clock_from_epoch(whole);
        return true;
    }
    return number_read(text, &epoch) ? read_epoch(epoch, out_us)
                                     : clock_parse_rfc3339(text, out_us);
}
