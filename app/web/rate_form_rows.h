/* The lists of a rate schedule's form: which columns each has, and what is done with all of them
 * alike. Called by the other files of the form and by page_rate_edit.c. */
#ifndef TIDEMARK_WEB_RATE_FORM_ROWS_H
#define TIDEMARK_WEB_RATE_FORM_ROWS_H

#include "base/json.h"
#include "view/models_editor.h"
#include "web/web.h"

/* Cells of rows, by their columns. */
enum { HOLIDAY_DAY, HOLIDAY_NAME, HOLIDAY_LATER, HOLIDAY_OBSERVED };
enum { SERIES_NAME, SERIES_MINUTES, SERIES_PRICES };
enum {
    CHARGE_TYPE, CHARGE_NAME, CHARGE_SEASON, CHARGE_PERIOD, CHARGE_PRICE, CHARGE_PER, CHARGE_OF,
    CHARGE_TIERS_OF, CHARGE_TIERS_BEGIN, CHARGE_TIERS_COUNT, CHARGE_WINDOW, CHARGE_RATCHET,
    CHARGE_CYCLES, CHARGE_DATES, CHARGE_CELLS
};

/* Lists without rows. */
void rate_rows_init(struct rate_form *form);

/* A further row, empty; NULL where there is no room for one. */
struct row_view *rate_rows_add(struct rows_view *list);

/* Whether nothing in it makes a row. */
bool rate_row_is_blank(const struct rows_view *list, const struct row_view *row);

/* Takes what was posted of all lists. */
void rate_rows_take(const struct web *web, struct rate_form *form);

/* Takes the member `key` where all columns of its list are members themselves, as the reader, which
 * stands before its value, has it; false where it is no such list. What has no room is left out:
 * `is_too_long`. */
bool rate_rows_read(struct json_reader *json, struct str key, struct rate_form *form,
                    bool *is_too_long);

/* Opens the list's member before the first of its rows, and the row's object; notes where in the
 * document the row stands. `n`: of rows written. */
void rate_row_open(struct json_writer *json, struct arena *arena, const struct rows_view *list,
                   struct row_view *row, int n);

/* Writes the members of those lists. */
void rate_rows_write(struct json_writer *json, struct arena *arena, struct rate_form *form);

/* Whether a text would come back from a browser as it is: without control characters, but for the
 * ends of lines where it may have several, and blanks around. */
bool rate_text_is_typed(const char *value, bool is_lines);

/* Whether all cells would. */
bool rate_rows_are_typed(const struct rate_form *form);

/* Adds empty rows to fill in, and lays out all of them for the page; false without memory. */
bool rate_rows_show(struct arena *arena, struct rate_form *form);

#endif
