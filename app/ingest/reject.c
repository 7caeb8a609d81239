/* From a rejection to what is kept of it. Answers for what is left out: tokens, in whatever place
 * a convention has for them, and what is too long. Called by the service and by replay. */
#include "ingest/reject.h"

#include "base/buf.h"
#include "base/limits.h"

#define MAX_TARGET_BYTES MAX_REJECT_BYTES /* conventions that post by GET have all of it here */
#define MAX_TYPE_BYTES 200
#define TOKEN_START "tmk_" /* of all tokens (auth/token) */

/* ---- what must not be kept ---- */

static bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

static const char *find_token(struct str text)
{
    return text.len ? memmem(text.ptr, text.len, TOKEN_START, sizeof TOKEN_START - 1) : NULL;
}

/* The text with an x for each character of a token in it; ptr NULL without memory. */
static struct str without_tokens(struct arena *arena, struct str text)
{
    const char *found = find_token(text);

    if (!found) {
        return text.ptr ? text : STR("");
    }
    char *copy = arena_copy(arena, text);
    if (!copy) {
        return (struct str){ 0 };
    }
    char *at = copy + (found - text.ptr), *end = copy + text.len;
    while (at) {
        at += sizeof TOKEN_START - 1;
        while (at < end && is_token_character(*at)) {
            *at++ = 'x';
        }
        at = memmem(at, (size_t)(end - at), TOKEN_START, sizeof TOKEN_START - 1);
    }
    return (struct str){ copy, text.len };
}

/* Names of parameters that carry credentials in the conventions there are. */
static bool is_credential(const struct ingest_format *format, const struct http_param *param)
{
    static const char *const names[] = { "p", "u", "apikey", "devicekey", "token" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_equal(param->name, str_of(names[i]))) {
            return true;
        }
    }
    return find_token(param->value) || find_token(param->name) ||
           ((format->credentials & CREDENTIAL_IN_PVOUTPUT) &&
            str_equal(param->name, STR("key")));
}

/* ---- the address ---- */

static void add_escaped(struct buf *out, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (is_token_character((char)byte) || byte == '.' || byte == '~') {
            buf_add_char(out, (char)byte);
        } else {
            const char escape[] = { '%', hex[byte >> 4], hex[byte & 15] };
            buf_add(out, escape, sizeof escape);
        }
    }
}

static void add_param(struct buf *out, char mark, struct str name, struct str value)
{
    buf_add_char(out, mark);
    add_escaped(out, name);
    buf_add_char(out, '=');
    add_escaped(out, value);
}

/* The query without credentials, and the header that the format wants kept. */
static void add_query(struct buf *out, const struct http_request *request,
                      const struct ingest_format *format)
{
    struct str header = { 0 };
    char mark = '?';

    if (format->kept_header) {
        header = str_trim(http_header(request, format->kept_header));
    }
    bool is_kept = header.len > 0 && str_is_utf8(header);
    if (is_kept) {
        add_param(out, mark, str_of(format->kept_as), header);
        mark = '&';
    }
    for (int i = 0; i < request->n_query && !out->is_broken; i++) {
        const struct http_param *param = &request->query[i];
        bool is_said = is_kept && str_equal(param->name, str_of(format->kept_as));
        if (!is_said && !is_credential(format, param)) {
            add_param(out, mark, param->name, param->value);
            mark = '&';
        }
    }
}

/* The address without credentials; *is_whole is false when it had to be cut. */
static struct str target_of(const struct reject_context *context, bool *is_whole)
{
    const struct http_request *request = context->request;
    struct str token = http_capture(request, "token");
    struct buf out;

    buf_init(&out, request->op->arena, MAX_TARGET_BYTES);
    for (int i = 0; i < request->n_segments; i++) {
        bool is_token = token.ptr && str_equal(request->segments[i], token);
        buf_add_char(&out, '/');
        add_escaped(&out, is_token ? STR("-") : request->segments[i]);
    }
    size_t path_len = out.len;
    add_query(&out, request, context->format);
    *is_whole = *is_whole && !out.is_broken;
    return out.is_broken ? (struct str){ out.data, path_len } : buf_str(&out);
}

/* ---- records ---- */

/* The text as the database takes it: other bytes than UTF-8 become question marks. */
static struct str clean(struct arena *arena, struct str text)
{
    if (!text.ptr || str_is_utf8(text)) {
        return text;
    }
    char *copy = arena_copy(arena, text);
    for (size_t i = 0; copy && i < text.len; i++) {
        copy[i] = copy[i] > 0 && copy[i] < 0x7f ? copy[i] : '?';
    }
    return copy ? (struct str){ copy, text.len } : STR("?");
}

static struct str cut(struct str text, size_t max)
{
    return (struct str){ text.ptr, text.len < max ? text.len : max };
}

static void set_text(struct ingest_reject *reject, struct arena *arena, struct str text)
{
    struct str kept = without_tokens(arena, cut(text, MAX_REJECT_BYTES));

    reject->text = kept.ptr ? kept : STR("");
    reject->size = (int32_t)text.len;
    if (reject->text.len < text.len) {
        reject->flags &= ~REJECT_IS_WHOLE;
    }
}

/* What all rejections of the request share; without text. */
static struct ingest_reject request_reject(const struct reject_context *context)
{
    struct http_request *request = context->request;
    const struct identity *who = context->who;
    struct arena *arena = request->op->arena;
    bool is_whole = true;
    struct ingest_reject reject = {
        .tenant_id = who->tenant_id,
        .device_id = who->device_id,
        .item = -1,
        .time_us = context->time_us,
        .token_id = who->token_id,
        .request_id = str_of(request->op->id),
        .device = who->device_id ? str_of(who->device_key) : (struct str){ 0 },
        .convention = str_of(context->format->name),
        .method = str_of(request->method == HTTP_GET ? "GET" : "POST"),
        .target = clean(arena, target_of(context, &is_whole)),
        .content_type = cut(clean(arena, http_header(request, "Content-Type")), MAX_TYPE_BYTES),
    };
    if (!reject.content_type.ptr) {
        reject.content_type = STR("");
    }
    reject.flags = (who->is_backfill ? REJECT_IS_BACKFILL : 0) | (is_whole ? REJECT_IS_WHOLE : 0);
    return reject;
}

void ingest_reject_items(const struct reject_context *context,
                         const struct ingest_columns *columns)
{
    struct arena *arena = context->request->op->arena;
    const struct ingest_reject request = request_reject(context);
    struct ingest_reject body = request;
    size_t n = columns->n_errors;
    struct ingest_reject *rejects = arena_array(arena, n + 1, sizeof *rejects);
    struct ledger_account dropped = { .figures = { 0 } };

    set_text(&body, arena, context->request->body);
    for (size_t i = 0; rejects && i < n; i++) {
        const struct ingest_error *error = &columns->errors[i];
        rejects[i] = error->source.len ? request : body;
        rejects[i].item = (int32_t)error->index;
        rejects[i].field = str_of(error->field);
        rejects[i].reason = clean(arena, str_of(error->detail));
        rejects[i].device = clean(arena, error->device);
        if (error->source.len) {
            rejects[i].flags |= REJECT_IS_ITEM;
            set_text(&rejects[i], arena, str_trim(error->source));
        }
    }
    n = rejects ? n : 0;
    ingest_ledger_keep(context->ledger, rejects, n);
    dropped.figures[LEDGER_DROPPED] = columns->n_rejected - n;
    if (dropped.figures[LEDGER_DROPPED]) {
        ingest_ledger_count(context->ledger, context->who->tenant_id, &dropped);
    }
}

const char *ingest_reject_reason(const struct op *op)
{
    const struct err_row *row = err_row(op->fault.code);

    return row->is_detail_public && op->fault.detail[0] ? op->fault.detail : row->title;
}

/* As announced; 0: it was not. */
static int32_t body_size(const struct http_request *request)
{
    int64_t length = request->content_length;

    return length < 0 ? 0 : length < INT32_MAX ? (int32_t)length : INT32_MAX;
}

void ingest_reject_body(const struct reject_context *context)
{
    struct http_request *request = context->request;
    struct ingest_reject reject = request_reject(context);

    set_text(&reject, request->op->arena, request->body);
    if (!request->is_body_read && request->content_length != 0) {
        reject.size = body_size(request);
        reject.flags &= ~REJECT_IS_WHOLE;
    }
    reject.reason = clean(request->op->arena, str_of(ingest_reject_reason(request->op)));
    ingest_ledger_keep(context->ledger, &reject, 1);
}
