/* Between the files that read a rate schedule's document: tariff_read.c (the whole, names),
 * tariff_read_calendar.c (seasons, holidays, windows, billing) and tariff_read_charges.c. For
 * nobody else. Each tells its problems and goes on, so that all are told at once. */
#ifndef TIDEMARK_DOMAIN_TARIFF_PARTS_H
#define TIDEMARK_DOMAIN_TARIFF_PARTS_H

#include "domain/document.h"
#include "domain/tariff.h"

struct tariff_reading {
    struct doc doc;
    struct tariff *out;
};

/* In order: what is named by the later ones is read before. */
void tariff_read_seasons(struct tariff_reading *reading);
void tariff_read_holidays(struct tariff_reading *reading);
void tariff_read_windows(struct tariff_reading *reading);
void tariff_read_baseline(struct tariff_reading *reading);
void tariff_read_billing(struct tariff_reading *reading);
void tariff_read_charges(struct tariff_reading *reading);

/* A copy in the arena; "" without memory, which is a problem. */
const char *tariff_keep(struct tariff_reading *reading, struct str text);
/* `n` zeroed elements; NULL without memory, which is a problem, or where n is 0. */
void *tariff_array(struct tariff_reading *reading, int n, size_t size);

/* The index of a name; -1 where there is none. */
int tariff_find(const struct tariff_name *names, int n, struct str name);
/* A member that names a season or a period, TARIFF_ANY where it is not there; false where there is
 * none of that name. */
bool tariff_read_season(struct tariff_reading *reading, struct doc_node *object, int *out);
bool tariff_read_period(struct tariff_reading *reading, struct doc_node *object, int *out);

/* A string "06-01" as month * 100 + day. */
bool tariff_read_date(struct tariff_reading *reading, const struct doc_node *node, int *out);

#endif
