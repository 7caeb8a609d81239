/* Loads what a utility's file is compared with. Called by page_bill_file.c and api_bill_file.c. */
#include "web/bill_file_load.h"

#include <string.h>

static enum err check(struct web *web, const struct bill_file *file, int64_t *from_us,
                      int64_t *to_us)
{
    bill_file_span(file, from_us, to_us);
    return *to_us - *from_us <= BILL_FILE_DAYS * US_PER_DAY
               ? OK
               : fail(web->op, ERR_INVALID, "The file covers more than %d days: ask the utility "
                                            "for less at once.", BILL_FILE_DAYS);
}

enum err bill_file_load(struct web *web, const struct cost_query *base, struct str text,
                        struct bill_file_loaded *out)
{
    struct cost_query query = *base;
    enum err err = bill_file_read(web->op, text, &out->file);

    query.needs_slots = true;
    query.from.kind = query.to.kind = BOUND_TIME;
    if (err == OK) {
        err = check(web, &out->file, &query.from.time_us, &query.to.time_us);
    }
    if (err == OK) {
        err = cost_load(web->tx, &query, &out->accounts);
    }
    if (err == OK) {
        err = cost_currency(web->op, &out->accounts, &out->currency, &out->decimals);
    }
    if (err == OK && out->currency && out->file.currency &&
        strcmp(out->currency, out->file.currency) != 0) {
        err = fail(web->op, ERR_INVALID, "The file is in %s, and what is in force here in %s.",
                   out->file.currency, out->currency);
    }
    return err == OK ? bill_compare(web->op, &out->file, &out->accounts, &out->comparison) : err;
}
