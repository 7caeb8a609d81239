/* Reading of the XML that devices and utilities write: tags, their attributes and what stands
 * between them, in order. The declaration, the document type, comments and instructions are passed
 * over; the five entities and character references are known, and no others can be made, so nothing
 * grows by being read. Namespaces and CDATA are not, and whether the right tag is closed is for who
 * reads. Called by ingest/format_egauge and domain/bill_file. */
#ifndef TIDEMARK_BASE_XML_H
#define TIDEMARK_BASE_XML_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

#define XML_MAX_ATTRIBUTES 16

enum xml_kind { XML_OPEN, XML_CLOSE, XML_TEXT, XML_END, XML_BROKEN };

struct xml_attribute {
    struct str name, value; /* the value as it is written, between its quotes */
};

struct xml_token {
    enum xml_kind kind;
    struct str name; /* of a tag; the text as it is written */
    struct xml_attribute attributes[XML_MAX_ATTRIBUTES]; /* of XML_OPEN */
    int n_attributes;
};

struct xml_reader {
    struct str rest;
    struct str closing; /* of <name/>, which is opened and then closed; ptr NULL: none */
};

/* At the beginning of the text. */
struct xml_reader xml_reader(struct str text);

/* The next of the document; after XML_END and XML_BROKEN there is none. */
void xml_next(struct xml_reader *reader, struct xml_token *out);

/* The value of an attribute as it is written; ptr NULL when absent. */
struct str xml_attribute(const struct xml_token *token, const char *name);

/* A text or value with its entities resolved, in the arena where it has any. False for an entity
 * that is not known, what is not UTF-8, or without memory. */
bool xml_decode(struct arena *arena, struct str text, struct str *out);

#endif
