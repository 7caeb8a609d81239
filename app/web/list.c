/* Writes lists in JSON, CSV, NDJSON or Parquet. Called by api_*.c handlers and list_stream.c. */
#include "web/list.h"

#include "base/clock.h"

#include <math.h>

static bool is_csv(const struct list_writer *list)
{
    return list->form == ANSWER_CSV;
}

/* A writer that puts items into the response's body; what is around them is the caller's. */
static void start(struct list_writer *list, struct web *web, enum answer_form form,
                  const char *const *columns, int n_columns)
{
    *list = (struct list_writer){
        .web = web, .form = form, .columns = columns, .n_columns = n_columns
    };
    csv_writer_init(&list->csv, &web->response->body);
    json_writer_init(&list->json, &web->response->body);
}

/* What stands before the items. */
static void write_head(struct list_writer *list)
{
    if (is_csv(list)) {
        for (int i = 0; i < list->n_columns; i++) {
            csv_text(&list->csv, str_of(list->columns[i]));
        }
        csv_end_record(&list->csv);
    } else if (list->form == ANSWER_JSON) {
        json_open_object(&list->json);
        json_key(&list->json, "items");
        json_open_array(&list->json);
    }
}

enum err list_begin_typed(struct list_writer *list, struct web *web, const char *const *columns,
                          int n_columns, const struct parquet_schema *schema)
{
    enum answer_form form;
    enum err err = schema ? accept_form_or_parquet(web, &form) : accept_form(web, &form);
    if (err != OK) {
        return err;
    }
    start(list, web, form, columns, n_columns);
    web->response->content_type = accept_media_type(form);
    write_head(list);
    return form == ANSWER_PARQUET
               ? list_parquet_begin(web->op, schema, &web->response->body, &list->parquet)
               : OK;
}

enum err list_begin(struct list_writer *list, struct web *web, const char *const *columns,
                    int n_columns)
{
    return list_begin_typed(list, web, columns, n_columns, NULL);
}

void list_single(struct list_writer *list, struct web *web, const char *const *columns,
                 int n_columns)
{
    start(list, web, ANSWER_JSON, columns, n_columns);
    web->response->content_type = "application/json";
}

void list_resume(struct list_writer *list, struct web *web, const struct list_writer *begun)
{
    start(list, web, begun->form, begun->columns, begun->n_columns);
    list->parquet = begun->parquet;
    if (list->parquet) {
        list->parquet->body = &web->response->body;
    }
}

void list_item(struct list_writer *list)
{
    list->at = 0;
    if (list->parquet) {
        return;
    }
    if (list->form == ANSWER_NDJSON) {
        json_writer_init(&list->json, &list->web->response->body); /* no comma between lines */
    }
    if (!is_csv(list)) {
        json_open_object(&list->json);
    }
}

void list_end_item(struct list_writer *list)
{
    if (list->parquet) {
        list_parquet_end_row(list->parquet);
        return;
    }
    if (is_csv(list)) {
        csv_end_record(&list->csv);
        return;
    }
    json_close_object(&list->json);
    if (list->form == ANSWER_NDJSON) {
        buf_add_char(&list->web->response->body, '\n');
    }
}

/* Writes the next column's name in JSON; in CSV the header did. */
static void begin_value(struct list_writer *list)
{
    if (!is_csv(list)) {
        json_key(&list->json, list->columns[list->at]);
    }
    list->at++;
}

void list_null(struct list_writer *list)
{
    if (list->parquet) {
        list->at++; /* what is not put is NULL */
        return;
    }
    begin_value(list);
    if (is_csv(list)) {
        csv_null(&list->csv);
    } else {
        json_null(&list->json);
    }
}

void list_text(struct list_writer *list, const char *value)
{
    if (value == NULL) {
        list_null(list);
        return;
    }
    if (list->parquet) {
        parquet_put_str(list->parquet->writer, list->at++, str_of(value));
        return;
    }
    begin_value(list);
    if (is_csv(list)) {
        csv_text(&list->csv, str_of(value));
    } else {
        json_text(&list->json, value);
    }
}

void list_int(struct list_writer *list, int64_t value)
{
    if (list->parquet) {
        parquet_put_int(list->parquet->writer, list->at++, value);
        return;
    }
    begin_value(list);
    if (is_csv(list)) {
        csv_int(&list->csv, value);
    } else {
        json_int(&list->json, value);
    }
}

void list_bool(struct list_writer *list, bool value)
{
    if (list->parquet) {
        parquet_put_bool(list->parquet->writer, list->at++, value);
        return;
    }
    begin_value(list);
    if (is_csv(list)) {
        csv_bool(&list->csv, value);
    } else {
        json_bool(&list->json, value);
    }
}

void list_double(struct list_writer *list, double value)
{
    if (list->parquet) {
        parquet_put_double(list->parquet->writer, list->at++, value);
        return;
    }
    begin_value(list);
    if (is_csv(list)) {
        csv_double(&list->csv, value);
    } else {
        json_double(&list->json, value);
    }
}

void list_time(struct list_writer *list, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    if (list->parquet) {
        parquet_put_time(list->parquet->writer, list->at++, time_us);
    } else {
        list_text(list, clock_format(time_us, text));
    }
}

void list_json(struct list_writer *list, const char *value)
{
    if (value == NULL || list->parquet) {
        list_text(list, value);
        return;
    }
    begin_value(list);
    if (is_csv(list)) {
        csv_text(&list->csv, str_of(value));
    } else {
        json_raw(&list->json, str_of(value));
    }
}

void list_labels(struct list_writer *list, const char *value)
{
    bool is_empty = value == NULL || str_equal(str_of(value), STR("{}"));
    if (!is_empty || list->parquet) {
        list_json(list, value);
    } else if (is_csv(list)) {
        list_null(list);
    } else {
        list->at++;
    }
}

enum err list_end(struct list_writer *list, enum cursor_kind kind, const struct cursor *last)
{
    struct op *op = list->web->op;
    const char *next = NULL;
    if (last != NULL) {
        next = cursor_encode(op->arena, kind, *last);
        if (next == NULL) {
            return fail_memory(op);
        }
    }
    if (list->form == ANSWER_JSON) {
        json_close_array(&list->json);
        json_key(&list->json, "next");
        json_text(&list->json, next);
        json_close_object(&list->json);
    } else if (next != NULL && !http_add_header(list->web->response, "X-Next-Cursor", next)) {
        return fail(op, ERR_INTERNAL, "no room for the header of the next page");
    }
    enum err err = list->parquet ? list_parquet_end(list->parquet) : OK;
    if (err == OK && list->web->response->body.is_broken) {
        return fail(op, ERR_INTERNAL, "the list is longer than a response may be");
    }
    return err;
}
