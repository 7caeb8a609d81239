/* The facts of a place's costs as their page shows them. */
#ifndef TIDEMARK_VIEW_MODEL_COSTS_H
#define TIDEMARK_VIEW_MODEL_COSTS_H

#include "domain/cost_device.h"
#include "domain/cost_explain.h"
#include "domain/cost_outlook.h"
#include "domain/sample.h"
#include "view/models.h"

enum cost_view { COSTS_DAY, COSTS_MONTH, COSTS_YEAR };
/* "day", "month", "year". */
extern const char *const COST_VIEW_NAMES[COSTS_YEAR + 1];

/* Shown by hour, by day, by month. */
enum sample_bucket cost_view_bucket(enum cost_view view);

struct costs_facts {
    int64_t now_us;
    struct zone zone;                    /* the place's */
    const char *site, *device;           /* keys; NULL: all */
    enum cost_view view;
    int64_t from_day, to_day;            /* local; to exclusive, and may lie ahead */
    const char *currency;                /* NULL: no schedule is in force */
    int decimals;
    const struct cost_accounts *accounts;   /* rated over what is shown; NULL for a year */
    struct cost_buckets buckets;         /* what is shown, up to today */
    struct cost_outlook outlook;
    struct cost_devices devices;
    const char *devices_note;            /* why there are none; NULL */
    const struct cost_sources *sources;  /* COSTS_DAY: of each account */
    bool has_rates_page;                 /* the person may see schedules */
};

/* `/costs?…` of a view and one of its days. */
const char *costs_link(struct arena *arena, const struct costs_facts *facts, enum cost_view view,
                       int64_t day);

/* Fills all but `page`, `place` and `problem`. False beyond the arena's cap. */
bool costs_view(struct arena *arena, const struct costs_facts *facts,
                struct costs_view *out) MUST_CHECK;

/* model_explain.c: why the one day costs what it costs. */
bool costs_explain(struct arena *arena, const struct costs_facts *facts,
                   struct costs_view *out) MUST_CHECK;

/* model_bands.c: what a chart of costs is stacked of, and its slots. False beyond the cap. */
bool costs_chart(struct arena *arena, const struct costs_facts *facts,
                 struct costs_view *out) MUST_CHECK;

#endif
