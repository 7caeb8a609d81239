/* From a rejection to what is kept of it: its text, and the request without its credentials
 * (redact) and what is too long. Called by the service and by replay. */
#include "ingest/reject.h"

#include "base/buf.h"
#include "base/limits.h"
#include "ingest/packed.h"
#include "ingest/redact.h"

#define MAX_TARGET_BYTES MAX_REJECT_BYTES /* conventions that post by GET have all of it here */
#define MAX_TYPE_BYTES 200
#define MAX_REASON_BYTES 1000

/* ---- the address ---- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == '~';
}

static void add_escaped(struct buf *out, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (is_plain((char)byte)) {
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
                      const struct ingest_format *format, const struct redact *redact)
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
        if (!is_said && !redact_is_credential(redact, param->name, param->value)) {
            add_param(out, mark, param->name, param->value);
            mark = '&';
        }
    }
}

/* With its parameters, such as a boundary; of a body that was opened what it is now. */
static struct str type_of(const struct http_request *request)
{
    return request->receipt ? request->content_type : http_header(request, "Content-Type");
}

/* The address without credentials; *is_whole is false when it had to be cut. */
static struct str target_of(const struct reject_context *context, const struct redact *redact,
                            bool *is_whole)
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
    add_query(&out, request, context->format, redact);
    *is_whole = *is_whole && !out.is_broken;
    struct str target = { out.data, out.is_broken ? path_len : out.len };
    return target.ptr ? target : STR("/");
}

/* ---- records ---- */

/* At most `max` bytes, whole characters. */
static struct str cut(struct str text, size_t max)
{
    if (text.len <= max) {
        return text;
    }
    text.len = max;
    while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80) {
        text.len--;
    }
    return text;
}

struct str ingest_reject_line(struct arena *arena, struct str text)
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

/* A line of at most `max` bytes without tokens; ptr NULL of ptr NULL. */
static struct str kept_line(const struct redact *redact, struct str text, size_t max)
{
    if (!text.ptr) {
        return text;
    }
    struct str line = cut(redact_item(redact, text, max + 4), max); /* 4: of a character cut */
    return ingest_reject_line(redact->arena, line);
}

/* The text as it came, and what is kept of it. */
static void set_text(struct ingest_reject *reject, struct str text, struct str kept)
{
    reject->text = kept;
    reject->size = (int32_t)text.len;
    if (kept.len < text.len) {
        reject->flags &= ~REJECT_IS_WHOLE;
    }
}

/* What all rejections of the request share; without text. */
static struct ingest_reject request_reject(const struct reject_context *context,
                                           const struct redact *redact)
{
    struct http_request *request = context->request;
    const struct identity *who = context->who;
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
        .method = str_of(request->method == HTTP_POST ? "POST" : "GET"),
        .target = target_of(context, redact, &is_whole),
        .content_type = kept_line(redact, type_of(request), MAX_TYPE_BYTES),
    };
    if (!reject.content_type.ptr) {
        reject.content_type = STR("");
    }
    reject.flags = (who->is_backfill ? REJECT_IS_BACKFILL : 0) | (is_whole ? REJECT_IS_WHOLE : 0);
    return reject;
}

/* How much of a text is kept as it is. */
static size_t kept_bytes(struct str text)
{
    return text.len <= MAX_REJECT_WHOLE_BYTES ? text.len : MAX_REJECT_BYTES;
}

static void set_body(struct ingest_reject *reject, const struct redact *redact, struct str body)
{
    if (body.len > MAX_REJECT_WHOLE_BYTES || packed_is(body)) {
        struct str text = redact_body(redact, body, body.len);
        struct str packed = packed_make(redact->arena, text, MAX_REJECT_WHOLE_BYTES);
        if (packed.ptr && text.len == body.len) {
            reject->text = packed;
            reject->size = (int32_t)body.len;
            return;
        }
    }
    set_text(reject, body, redact_body(redact, body, kept_bytes(body)));
}

static void set_error(struct ingest_reject *reject, const struct redact *redact,
                      const struct ingest_error *error)
{
    reject->item = (int32_t)error->index;
    reject->field = str_of(error->field);
    reject->reason = kept_line(redact, str_of(error->detail), MAX_REASON_BYTES);
    reject->device = kept_line(redact, error->device, MAX_NAME_BYTES);
}

/* The item's own text. */
static void set_source(struct ingest_reject *reject, const struct redact *redact,
                       const struct ingest_columns *columns, struct str source)
{
    source = str_trim(source);
    if (columns->source_head.len) {
        struct buf text;
        buf_init(&text, redact->arena, columns->source_head.len + source.len + 2);
        buf_add_str(&text, columns->source_head);
        buf_add_char(&text, '\n');
        buf_add_str(&text, source);
        source = text.is_broken ? source : buf_str(&text);
    }
    reject->flags |= REJECT_IS_ITEM;
    set_text(reject, source, redact_item(redact, source, kept_bytes(source)));
}

/* One more item that the body is kept for, beside the first one. */
static void join(struct ingest_reject *reject, const struct redact *redact,
                 const struct ingest_error *error)
{
    struct str device = kept_line(redact, error->device, MAX_NAME_BYTES);

    reject->item = -1;
    if (!str_equal(device, reject->device)) {
        reject->device = (struct str){ NULL, 0 };
    }
}

/* Says in the reason, which is the first item's, how many there are. */
static void count_joined(struct ingest_reject *reject, struct arena *arena, uint32_t n)
{
    const char *reason =
        n > 1 ? arena_printf(arena, "%.*s (and %u more of its items)", (int)reject->reason.len,
                             reject->reason.ptr, n - 1)
              : NULL;

    reject->n_items = n;
    reject->reason = reason ? str_of(reason) : reject->reason;
}

void ingest_reject_items(const struct reject_context *context,
                         const struct ingest_columns *columns)
{
    struct arena *arena = context->request->op->arena;
    const struct redact redact = redact_of(context->request, context->format);
    const struct ingest_reject request = request_reject(context, &redact);
    const struct str whole = context->request->body;
    struct ingest_reject body = request, *joined = NULL;
    struct ingest_reject *rejects = arena_array(arena, columns->n_errors + 1, sizeof *rejects);
    struct ledger_account dropped = { .figures = { 0 } };
    size_t n = 0;

    set_body(&body, &redact, whole);
    bool is_once = whole.len > MAX_REJECT_BYTES && (body.flags & REJECT_IS_WHOLE);
    for (size_t i = 0; rejects && i < columns->n_errors; i++) {
        const struct ingest_error *error = &columns->errors[i];
        if (!error->source.len && joined) {
            join(joined, &redact, error);
            continue;
        }
        rejects[n] = error->source.len ? request : body;
        set_error(&rejects[n], &redact, error);
        if (error->source.len) {
            set_source(&rejects[n], &redact, columns, error->source);
        } else if (is_once) {
            joined = &rejects[n];
        }
        n++;
    }
    dropped.figures[LEDGER_DROPPED] = columns->n_rejected - n;
    if (joined) {
        count_joined(joined, arena, columns->n_rejected - (uint32_t)n + 1);
        dropped.figures[LEDGER_DROPPED] = 0;
    }
    ingest_ledger_keep(context->ledger, rejects, n);
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
    const struct redact redact = redact_of(request, context->format);
    struct ingest_reject reject = request_reject(context, &redact);

    set_body(&reject, &redact, request->body);
    if (!request->is_body_read && request->content_length != 0) {
        reject.size = body_size(request);
        reject.flags &= ~REJECT_IS_WHOLE;
    }
    reject.reason =
        kept_line(&redact, str_of(ingest_reject_reason(request->op)), MAX_REASON_BYTES);
    ingest_ledger_keep(context->ledger, &reject, 1);
}
