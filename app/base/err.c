/* What each failure means: to the client (status, slug, title), and to the log (level).
 * Called where failures are answered (http, serve) and logged (op). */
#include "base/err.h"

static const struct err_row rows[ERR_COUNT] = {
    /* code, HTTP status, slug, title, level, whether the detail is public */
    { OK, 200, "ok", "OK", LOG_DEBUG, true },
    { ERR_MALFORMED, 400, "malformed", "Malformed request", LOG_INFO, true },
    { ERR_UNAUTHORIZED, 401, "unauthorized", "Authentication required", LOG_INFO, true },
    { ERR_FORBIDDEN, 403, "forbidden", "Not allowed", LOG_INFO, true },
    { ERR_NOT_FOUND, 404, "not-found", "Not found", LOG_INFO, true },
    { ERR_METHOD, 405, "method-not-allowed", "Method not allowed", LOG_INFO, true },
    { ERR_NOT_ACCEPTABLE, 406, "not-acceptable", "Not acceptable", LOG_INFO, true },
    { ERR_CONFLICT, 409, "conflict", "Conflict", LOG_INFO, true },
    { ERR_LENGTH_REQUIRED, 411, "length-required", "Length required", LOG_INFO, true },
    { ERR_PRECONDITION, 412, "precondition-failed", "Precondition failed", LOG_INFO, true },
    { ERR_TOO_LARGE, 413, "too-large", "Too large", LOG_INFO, true },
    { ERR_MEDIA_TYPE, 415, "unsupported-media-type", "Unsupported media type", LOG_INFO, true },
    { ERR_INVALID, 422, "invalid", "Understood, but not valid", LOG_INFO, true },
    { ERR_RATE_LIMITED, 429, "rate-limited", "Too many requests", LOG_DEBUG, true },
    { ERR_INTERNAL, 500, "internal", "Internal error", LOG_ERROR, false },
    { ERR_UNAVAILABLE, 503, "unavailable", "Temporarily unavailable", LOG_ERROR, false },
    { ERR_MAINTENANCE, 503, "maintenance", "Maintenance", LOG_DEBUG, true },
    { ERR_CHANGING, 503, "changing", "Temporarily unavailable", LOG_INFO, true },
    { ERR_DAMAGED, 500, "damaged", "Damaged or missing", LOG_ERROR, true },
};

const struct err_row *err_row(enum err code)
{
    return (unsigned)code < ERR_COUNT ? &rows[code] : &rows[ERR_INTERNAL];
}

bool err_may_pass(enum err code)
{
    return err_row(code)->status == 503;
}
