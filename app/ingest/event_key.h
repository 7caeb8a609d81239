/* The identity of an event among its device's events, so that the same sent again is known. */
#ifndef TIDEMARK_INGEST_EVENT_KEY_H
#define TIDEMARK_INGEST_EVENT_KEY_H

#include "base/buf.h"
#include "ingest/columns.h"

#define EVENT_KEY_BYTES 16

/* Writes the draft's key: from its id, else its seq and time, else all its content (device and
 * tenant are not part of it, the table is keyed by them). `scratch` is overwritten; false when
 * it is too small for the content. The same content in another order is the same key. */
bool event_key(const struct ingest_draft *draft, struct buf *scratch, uint8_t out[EVENT_KEY_BYTES])
    MUST_CHECK;

/* Reads a UUID as RFC 9562 writes it, in either case. False on anything else. */
bool event_parse_uuid(struct str text, uint8_t out[16]) MUST_CHECK;

/* Writes it back in lower case with its NUL. */
#define EVENT_UUID_SIZE 37
void event_format_uuid(const uint8_t uuid[16], char out[EVENT_UUID_SIZE]);

#endif
