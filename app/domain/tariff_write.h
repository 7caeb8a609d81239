/* Writes a rate schedule as its JSON document: what tariff_read reads to the same structure. */
#ifndef TIDEMARK_DOMAIN_TARIFF_WRITE_H
#define TIDEMARK_DOMAIN_TARIFF_WRITE_H

#include "base/json.h"
#include "domain/tariff.h"

/* As one JSON object. Numbers are decimal strings; what is at its default is left out. */
void tariff_write(struct json_writer *json, const struct tariff *tariff);

#endif
