/* Names and questions of emoncms. Called by its format (ingest) and by its helper (web). */
#include "domain/emoncms.h"

#include "db/db.h"
#include "gen/queries.h"

static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.' || c == ' ' || (unsigned char)c >= 0x80;
}

struct str emoncms_name(struct arena *arena, struct str text)
{
    size_t at = 0, len = 0;

    while (at < text.len && is_kept(text.ptr[at])) {
        at++;
    }
    if (at == text.len) {
        return str_trim(text);
    }
    char *kept = arena_alloc(arena, text.len);
    if (!kept) {
        return (struct str){ NULL, 0 };
    }
    for (at = 0; at < text.len; at++) {
        if (is_kept(text.ptr[at])) {
            kept[len++] = text.ptr[at];
        }
    }
    return str_trim((struct str){ kept, len });
}

enum err emoncms_inputs(struct db_tx *tx, struct str node, struct emoncms_inputs *out)
{
    struct arena *arena = db_op(tx)->arena;
    struct db_args args;
    struct db_rows *rows;

    *out = (struct emoncms_inputs){ .n = 0 };
    db_args_init(&args, arena);
    db_arg_str(&args, node);
    enum err err = db_run(tx, &q_ingest_latest, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct emoncms_input *items = arena_array(arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct emoncms_input){
            .metric = db_text(rows, i, INGEST_LATEST_METRIC),
            .last_us = db_time(rows, i, INGEST_LATEST_LAST_TIME),
        };
    }
    *out = (struct emoncms_inputs){ .items = items, .n = n };
    return OK;
}
