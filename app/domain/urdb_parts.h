/* Between urdb_read.c (URDB's calendar and the whole) and urdb_charges.c. For nobody else. */
#ifndef TIDEMARK_DOMAIN_URDB_PARTS_H
#define TIDEMARK_DOMAIN_URDB_PARTS_H

#include "domain/document.h"
#include "domain/tariff.h"

#define URDB_MONTHS 12
#define URDB_HOURS 24
#define URDB_FORMER "(supercedes " /* in a document's source, what it says it supercedes, and ")" */

/* URDB's two schedules of a structure: the period of each hour. */
struct urdb_schedule {
    uint8_t weekday[URDB_MONTHS][URDB_HOURS];
    uint8_t weekend[URDB_MONTHS][URDB_HOURS];
    int n_periods; /* 0: there is none */
};

struct urdb_reading {
    struct doc doc;
    struct doc_node *rate;      /* the rate's object */
    struct json_writer *json;   /* the document that is made of it */
    struct urdb_schedule energy, demand;
    uint8_t flat[URDB_MONTHS];  /* the flat demand's structure of each month */
    int n_flat;
    int season[URDB_MONTHS];    /* months that are alike */
    int n_seasons;
    bool has_sell;              /* there is a price for what is fed in */
};

/* Names of URDB's periods in the document: "p1", "d1". */
const char *urdb_period_name(struct urdb_reading *reading, char kind, int index);
/* "s1" */
const char *urdb_season_name(struct urdb_reading *reading, int season);
/* An optional decimal of the object, rounded to billionths; 0 where it is not there. */
int64_t urdb_number(struct urdb_reading *reading, struct doc_node *object, const char *name);
void urdb_write_decimal(struct json_writer *json, const char *key, int64_t nano);

/* Writes the member charges. */
void urdb_convert_charges(struct urdb_reading *reading);

#endif
