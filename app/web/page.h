/* What the pages share: their frame, and the end of rendering. Included by page_*.c. */
#ifndef TIDEMARK_WEB_PAGE_H
#define TIDEMARK_WEB_PAGE_H

#include "base/clock.h"
#include "view/models.h"
#include "web/web.h"

/* The frame for whoever is asking. `here`: the menu's entry, "" for none. */
struct page_view page_view(const struct web *web, const char *title, const char *here);

/* The tenant's zone (UTC for who has none) around now, for moments. */
enum err page_zone(const struct web *web, int64_t now_us, struct zone *out) MUST_CHECK;

/* Says that the body is a page. */
void page_is_html(struct web *web);

#endif
