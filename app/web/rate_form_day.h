/* The day of a holiday and the price of a series as people write them, and as documents have them.
 * Called by rate_form_terms.c and by the form's reading and writing of charges. */
#ifndef TIDEMARK_WEB_RATE_FORM_DAY_H
#define TIDEMARK_WEB_RATE_FORM_DAY_H

#include "base/arena.h"
#include "base/json.h"

/* A holiday's members as texts; NULL: it has none. */
struct holiday_day {
    const char *date, *on, *easter, *month, *weekday, *nth;
};

/* "2026-12-24", "12-25", "easter -2", "4th thu of nov", "last mon of may"; "" where it is none of
 * these. In the arena; NULL without memory. */
const char *holiday_day_text(struct arena *arena, const struct holiday_day *day);

/* Writes the members that a text means; false, and nothing is written, where it means none. */
bool holiday_day_write(struct json_writer *json, struct str text);

/* A price by time: series * factor + add. */
struct series_price {
    struct str series, factor, add; /* len 0: none */
    bool is_less;                   /* add is taken away */
};

/* Takes "spot * 1.19 + 0.05" apart ("×" for "*", too; both parts may be missing; a name that is
 * more than a word may stand in quotation marks; where more follows them than these parts the name
 * is all of it, marks included); false for what begins with neither a letter nor such a mark, as
 * amounts do. */
bool series_price_read(struct arena *arena, struct str text, struct series_price *out);

/* The same as text, which is read as that again; NULL without memory. */
const char *series_price_text(struct arena *arena, const char *series, const char *factor,
                              const char *add);

#endif
