/* Between bill_file.c (reading the feed) and bill_file_join.c (which meter and type its blocks are
 * of). For nobody else. */
#ifndef TIDEMARK_DOMAIN_BILL_FILE_PARTS_H
#define TIDEMARK_DOMAIN_BILL_FILE_PARTS_H

#include "domain/bill_file.h"

#define BILL_MAX_DEPTH 24
#define BILL_MAX_RELATED 6
#define BILL_UOM_WH 72

enum bill_entry_kind { ENTRY_OTHER, ENTRY_METER, ENTRY_TYPE, ENTRY_BLOCK };

/* An entry of the feed; the first stands for what is in none. */
struct bill_entry {
    enum bill_entry_kind kind;
    struct str self, up, related[BILL_MAX_RELATED];
    int n_related;
    int64_t power, uom, flow, accumulation;   /* of a reading type */
    int from, to;                             /* of a block: its readings */
    const struct bill_entry *type;            /* of a meter or block, once joined; or NULL */
    struct str point;                         /* of a block, once joined: its usage point's */
};

struct bill_parse {
    struct op *op;
    struct str path[BILL_MAX_DEPTH];   /* local names of what is open */
    int depth;
    struct bill_entry *entries;
    size_t n_entries, entries_size;
    struct bill_reading *readings;
    int64_t *values;              /* of the readings, as written */
    size_t n_readings, readings_size;
    struct bill_summary *summaries;
    int n_summaries;
    int64_t summary_power, summary_uom, summary_value;
    struct bill_detail *details;  /* of all summaries, one after the other */
    int n_details;
    bool has_amount;              /* of the last of them */
    int64_t currency;             /* ISO 4217's number; 0: not told */
    bool is_in_record;            /* within a reading or a summary */
    bool has_value, is_broken_reading;
    int n_ignored;
    enum err err;
};

/* value × 10^power Wh in nano-kWh; false where that is absurd or too much. */
bool bill_file_scale(int64_t value, int64_t power, int64_t *out);

/* Gives the readings their scale and order, adds up usage points, and tells what was read.
 * ERR_INVALID where these tell intervals that overlap and are not the same. */
enum err bill_file_finish(struct bill_parse *parse, struct bill_file *out) MUST_CHECK;

#endif
