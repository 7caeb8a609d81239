/* The pages' handlers, for the list of URLs (serve/routes.c). */
#ifndef TIDEMARK_WEB_PAGES_H
#define TIDEMARK_WEB_PAGES_H

#include "web/web.h"

/* GET / */
enum err page_overview(struct web *web);
/* GET /devices */
enum err page_devices(struct web *web);
/* GET /events */
enum err page_events(struct web *web);
/* GET /uploads; POST /uploads/remove (id) */
enum err page_archives(struct web *web);
enum err page_archives_verify(struct web *web);
enum err page_archives_restore(struct web *web);
enum err page_archives_restore_days(struct web *web);
enum err page_uploads(struct web *web);
enum err page_uploads_remove(struct web *web);
/* GET /devices/{key} */
enum err page_device(struct web *web);

/* The page of the device `key`, for /devices/{key} and for a link that shows it. */
enum err page_device_show(struct web *web, struct str key);

/* GET and POST /admin/devices (key, name, model, site); GET takes q, site, state, after */
enum err page_admin_devices(struct web *web);
enum err page_admin_devices_add(struct web *web);
/* GET and POST /admin/devices/import (text, seen, step) */
enum err page_admin_import(struct web *web);
enum err page_admin_import_post(struct web *web);
/* GET and POST /admin/devices/{key} (name, model, site, config); POST …/retire (retired),
 * …/series (series, unit, kind, role) */
enum err page_admin_device(struct web *web);
enum err page_admin_device_save(struct web *web);
enum err page_admin_device_retire(struct web *web);
enum err page_admin_device_series(struct web *web);
/* GET /admin/devices/{key}/corrections; POST it (series, time, value), …/delete (metric, from, to,
 * sure), /admin/devices/{key}/erase (key) */
enum err page_admin_corrections(struct web *web);
enum err page_admin_corrections_put(struct web *web);
enum err page_admin_corrections_delete(struct web *web);
enum err page_admin_device_erase(struct web *web);
/* GET and POST /admin/devices/{key}/meter (kind, series, at, and the parts of the kind), POST
 * …/withdraw (entry): what happened to the meter */
enum err page_admin_meter(struct web *web);
enum err page_admin_meter_add(struct web *web);
enum err page_admin_meter_withdraw(struct web *web);
/* GET and POST /admin/sites (key, name, timezone), /admin/sites/{key} (name, timezone); POST
 * …/remove */
enum err page_admin_sites(struct web *web);
enum err page_admin_sites_add(struct web *web);
enum err page_admin_site(struct web *web);
enum err page_admin_site_save(struct web *web);
enum err page_admin_site_remove(struct web *web);

/* GET /admin/rejects?convention=&device=&reason=&state=&before=, POST (the same and `do`: replay,
 * remove; `id`: one alone): what ingest did not take */
enum err page_rejects(struct web *web);
enum err page_rejects_post(struct web *web);

/* GET and POST /admin/shares (name, device, days), POST /admin/shares/revoke (id) */
enum err page_shares(struct web *web);
enum err page_shares_add(struct web *web);
enum err page_shares_revoke(struct web *web);
/* GET /share/{secret}: the page that the link opens */
enum err page_share(struct web *web);

/* GET /operator: the installation as its operators see it. */
enum err page_operator(struct web *web);
/* GET and POST /operator/tenants (slug, name, timezone, currency), /operator/tenants/{slug}
 * (the same but the slug), POST …/limits, …/status (status), …/erase (confirm) */
enum err page_operator_tenant_new(struct web *web);
enum err page_operator_tenant_add(struct web *web);
enum err page_operator_tenant(struct web *web);
enum err page_operator_tenant_save(struct web *web);
enum err page_operator_tenant_limits(struct web *web);
enum err page_operator_tenant_status(struct web *web);
enum err page_operator_tenant_erase(struct web *web);

/* GET /login; who is logged in goes on. */
enum err page_login(struct web *web);
/* POST /login: email, password, next. */
enum err page_login_post(struct web *web);
/* POST /logout */
enum err page_logout_post(struct web *web);

#endif
