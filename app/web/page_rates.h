/* The pages of rate schedules. */
#ifndef TIDEMARK_WEB_PAGE_RATES_H
#define TIDEMARK_WEB_PAGE_RATES_H

#include "view/models_rates.h"
#include "web/rate_input.h"

/* /admin/rates, and a form of it. */
enum err page_rates(struct web *web);
enum err page_rates_add(struct web *web);
/* /admin/rates/{id}?version=, and forms of it */
enum err page_rate(struct web *web);
enum err page_rate_change(struct web *web);
enum err page_rate_assign(struct web *web);
enum err page_rate_withdraw(struct web *web);
enum err page_rate_remove(struct web *web);
/* page_rate_edit.c: /admin/rates/new and /admin/rates/{id}/edit, and what their form posts. */
enum err page_rate_new(struct web *web);
enum err page_rate_new_post(struct web *web);
enum err page_rate_edit(struct web *web);
enum err page_rate_edit_post(struct web *web);

/* "from 2024-01-01 to 2024-12-31", "always"; `to_day` is exclusive. NULL: no bound. */
const char *page_rates_days(struct arena *arena, const char *from_day, const char *to_day);

/* Who made it, as people are told: an e-mail, "token 17", "the demo"; "Tidemark" where nobody was
 * named, and what is kept is the role of the connection. */
const char *page_rates_maker(const char *made_by);

/* What is wrong with a document, for the page. NULL beyond the arena's cap. */
const struct rate_wrong *page_rates_wrongs(struct arena *arena, const struct problems *problems);

/* "/admin/rates/17" */
const char *page_rates_path(struct arena *arena, int32_t id);

#endif
