/* The named values of one event, where a convention puts numbers and texts side by side: numbers
 * become the event's metrics, texts members of its data. Filled by the formats' parsers between
 * columns_begin and fields_end. */
#ifndef TIDEMARK_INGEST_FIELDS_H
#define TIDEMARK_INGEST_FIELDS_H

#include "base/json.h"
#include "ingest/columns.h"

struct ingest_fields {
    struct ingest_columns *columns;
    struct buf texts; /* members of an object, separated by commas */
    int n_texts;
    bool is_rejected;
};

/* Rejects the event once, with its first fault. */
#define fields_reject(fields, field, ...)                                     \
    do {                                                                      \
        if (!(fields)->is_rejected) {                                         \
            columns_reject((fields)->columns, ERR_INVALID, (field), __VA_ARGS__); \
        }                                                                     \
        (fields)->is_rejected = true;                                         \
    } while (0)

/* No values yet, of the event that columns_begin gave. */
void fields_begin(struct ingest_fields *fields, struct ingest_columns *columns);

/* Adds a number; the event is rejected when it has too many. */
void fields_number(struct ingest_fields *fields, struct str name, double value);

/* Adds a text to the event's data. */
void fields_text(struct ingest_fields *fields, struct str name, struct str value);

/* Reads the scalar where the reader stands: a number, true and false as 1 and 0, a string that is
 * a number as one, any other as a text; null is no value. Lists and objects are kept as data.
 * False when the reader failed. */
bool fields_read(struct ingest_fields *fields, struct str name, struct json_reader *reader)
    MUST_CHECK;

/* Ends the event: kept by columns_end, unless it was rejected. One without a single value, or with
 * nulls alone, says nothing and leaves nothing. */
void fields_end(struct ingest_fields *fields);

#endif
