/* The pages of energy and money. */
#ifndef TIDEMARK_WEB_PAGE_COSTS_H
#define TIDEMARK_WEB_PAGE_COSTS_H

#include "web/web.h"

/* GET /energy: by role in local buckets. */
enum err page_energy(struct web *web) MUST_CHECK;

/* GET /costs: by rate period, this month and what it will come to, by device, and why. */
enum err page_costs(struct web *web) MUST_CHECK;

/* GET /costs/bill: the bill of some days, to be printed. */
enum err page_bill(struct web *web) MUST_CHECK;

/* GET and POST /costs/compare: a utility's file beside what was measured. */
enum err page_bill_file(struct web *web) MUST_CHECK;
enum err page_bill_file_post(struct web *web) MUST_CHECK;

/* GET /costs/what-if: the same days under other schedules. */
enum err page_what_if(struct web *web) MUST_CHECK;

#endif
