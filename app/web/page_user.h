/* What the pages of members share. Included by page_user.c and page_users.c. */
#ifndef TIDEMARK_WEB_PAGE_USER_H
#define TIDEMARK_WEB_PAGE_USER_H

#include "domain/member.h"
#include "domain/zone.h"
#include "view/models.h"
#include "web/web.h"

/* A member as the list shows it. */
struct member_row user_row(const struct web *web, const struct zone *zone, int64_t now_us,
                           const struct member *member);

/* The select of a role. */
struct field_view user_role_field(const char *role);

#endif
