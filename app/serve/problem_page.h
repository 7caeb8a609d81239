/* A failure as a page for people. */
#ifndef TIDEMARK_SERVE_PROBLEM_PAGE_H
#define TIDEMARK_SERVE_PROBLEM_PAGE_H

#include "auth/identity.h"
#include "http/response.h"

/* Replaces the body of a response that http_problem made; status and headers stay. The frame is
 * that of `who`, where somebody is logged in. */
void problem_page(struct http_response *response, const struct op *op, const struct identity *who);

#endif
