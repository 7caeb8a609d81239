/* A failure as a page for people. */
#ifndef TIDEMARK_SERVE_PROBLEM_PAGE_H
#define TIDEMARK_SERVE_PROBLEM_PAGE_H

#include "web/web.h"

/* Replaces the body of a response that http_problem made; status and headers stay. The frame is
 * that of web->who, where somebody is logged in. */
void problem_page(const struct web *web);

#endif
