/* Fields that several forms of the administration have: a site, a time zone, a configuration. */
#ifndef TIDEMARK_WEB_ADMIN_FIELDS_H
#define TIDEMARK_WEB_ADMIN_FIELDS_H

#include "view/models_form.h"
#include "web/web.h"

/* The field "site", holding `key` (NULL: none): a choice of the tenant's sites; where there are
 * very many of them, a text to type the key into. */
enum err admin_site_field(struct web *web, const char *key, struct field_view *out) MUST_CHECK;

/* The field "timezone", holding `name`, with the zones of the tz database to pick from. */
enum err admin_zone_field(struct web *web, const char *name, struct field_view *out) MUST_CHECK;

/* After form_take: puts an error beside a "key" that no device or site can have. */
void admin_check_key(struct field_view *fields, int n);

/* After form_take: puts an error beside a site, a zone or a configuration ("config") that there
 * is not or cannot be. An empty one is none. */
enum err admin_check_site(struct web *web, struct field_view *fields, int n) MUST_CHECK;
enum err admin_check_zone(struct web *web, struct field_view *fields, int n) MUST_CHECK;
enum err admin_check_config(struct web *web, struct field_view *fields, int n) MUST_CHECK;

#endif
