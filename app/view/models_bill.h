/* What a bill's page, the comparison of schedules and that with a utility's file show. Filled by
 * view/model_bill.c, web/page_what_if.c and view/model_green.c. */
#ifndef TIDEMARK_VIEW_MODELS_BILL_H
#define TIDEMARK_VIEW_MODELS_BILL_H

#include "view/models.h"

struct bill_row {
    const char *charge, *when;           /* "Energy", "Summer, Peak" */
    const char *note;                    /* NULL: none */
    const char *quantity, *rate, *amount;
    bool is_credit;
};

/* A billing account's part of the bill. */
struct bill_part {
    const char *name;                    /* "Site roof" */
    const char *source;                  /* "Time of use, version 2" */
    const struct bill_row *rows;
    int n_rows;
    const char *total;
};

struct bill_view {
    struct page_view page;
    struct place_view place;             /* sites and devices alone: the form is the page's own */
    const char *problem;
    const char *where, *span, *made;     /* "As known on 21 Nov 2026, 14:05" */
    const char *from, *to, *as_of;       /* the form's values; as_of "" for now */
    const char *dates_error;
    const char *previous, *next;
    const struct bill_part *parts;
    int n_parts;
    const char *total, *status, *status_class;
    const char *part_of;                 /* a sentence where it is no whole bill, or NULL */
    const char *missing, *unpriced;      /* sentences, or NULL */
    const char *sources;                 /* which series counted, and which did not; or NULL */
    const char *csv, *costs_href;
};

/* A schedule in the comparison. */
struct what_if_row {
    int64_t id;
    const char *name, *currency;
    bool is_chosen;
    const char *total;                   /* NULL: not compared, or why not stands in `problem` */
    const char *problem;
    const char *more;                    /* "+€12.00 (+8 %)" than the cheapest; NULL for it */
    const char *lacks;                   /* why it is not compared with that; NULL: it is */
    const char *percent;                 /* of the dearest: "62.5"; NULL: not compared */
    bool is_cheapest, is_now;            /* is_now: what is in force */
    const struct bill_part *parts;       /* its bill */
    int n_parts;
};

struct what_if_view {
    struct page_view page;
    struct place_view place;
    const char *where, *span;
    const char *from, *to, *dates_error;
    const struct what_if_row *rows;
    int n_rows, n_compared;
    const char *note;                    /* how much of the time is known; NULL */
};

/* The same of a utility's file and of here. */
struct pair_row {
    const char *name, *file, *ours, *difference;
};

struct file_line {
    const char *time, *direction;
    const char *file_energy, *energy, *file_cost, *cost;
};

/* A line of the utility's bill and one of ours, each in its own order: "" where there are fewer. */
struct file_bill_row {
    const char *file, *file_amount, *ours, *amount;
};

struct file_bill {
    const char *days;                    /* "1 to 28 Feb 2026" */
    const struct file_bill_row *rows;
    int n_rows;
};

struct bill_file_view {
    struct page_view page;
    struct place_view place;
    const char *where, *problem;         /* problem NULL: none */
    bool has_result, is_same;
    const char *summary, *ignored;       /* ignored NULL: nothing was */
    const struct pair_row *totals;
    int n_totals;
    const struct file_bill *bills;       /* of which the file has lines */
    int n_bills;
    const struct file_line *lines;       /* of those that are not the same */
    int n_lines, n_more;
};

#endif
