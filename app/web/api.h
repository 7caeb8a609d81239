/* Handlers of the query API. Each reads its parameters, calls the domain and fills the
 * response; what a URL may be called by and with is in serve/routes.c. */
#ifndef TIDEMARK_WEB_API_H
#define TIDEMARK_WEB_API_H

#include "web/web.h"

/* GET /v1/archives?limit=&cursor=, POST /v1/archives/{id}/restore */
enum err api_archives_list(struct web *web);
enum err api_archives_verify(struct web *web);
enum err api_archives_restore(struct web *web);
/* GET /v1/devices?site=&q=&retired=&limit=&cursor= */
enum err api_devices_list(struct web *web);
/* POST /v1/devices */
enum err api_devices_add(struct web *web);
/* GET /v1/devices/{key}: the device with its series */
enum err api_devices_show(struct web *web);
/* PATCH /v1/devices/{key} */
enum err api_devices_change(struct web *web);
/* GET /v1/devices/{key}/series, PATCH /v1/devices/{key}/series/{id} */
enum err api_series_list(struct web *web);
enum err api_series_change(struct web *web);
/* GET /v1/sites, POST, GET PATCH DELETE /v1/sites/{key} */
enum err api_sites_list(struct web *web);
enum err api_sites_add(struct web *web);
enum err api_sites_show(struct web *web);
enum err api_sites_change(struct web *web);
enum err api_sites_remove(struct web *web);
/* GET /v1/devices/{key}/samples?metric=&from=&to=&bucket=&tz=&limit=&cursor= */
enum err api_samples_list(struct web *web);
/* PUT and DELETE of /v1/devices/{key}/samples, DELETE /v1/devices/{key}: admins' corrections */
enum err api_corrections_put(struct web *web);
enum err api_corrections_delete(struct web *web);
enum err api_devices_erase(struct web *web);
/* GET /v1/devices/{key}/meter-entries?limit=&cursor=, POST; DELETE …/{id}: a meter's timeline */
enum err api_meter_list(struct web *web);
enum err api_meter_add(struct web *web);
enum err api_meter_withdraw(struct web *web);
/* GET /v1/rollups?bucket=&metric=&device=&site=&from=&to=&tz=&limit=&cursor= */
enum err api_rollups_list(struct web *web);
/* GET /v1/energy?bucket=&device=&site=&from=&to=&tz=&limit=&cursor= */
enum err api_energy_list(struct web *web);
/* GET /v1/events?type=&device=&site=&from=&to=&data=&data.path=&limit=&cursor= */
enum err api_events_list(struct web *web);
/* GET /v1/shares, POST, DELETE /v1/shares/{id}: read-only links of a dashboard */
enum err api_shares_list(struct web *web);
enum err api_shares_add(struct web *web);
enum err api_shares_revoke(struct web *web);
/* GET and DELETE /v1/rejects?from=&to=&device=&reason=&convention=&state=, POST /v1/rejects/replay
 * with the same; GET and DELETE /v1/rejects/{id}, POST /v1/rejects/{id}/replay */
enum err api_rejects_list(struct web *web);
enum err api_rejects_show(struct web *web);
enum err api_rejects_replay(struct web *web);
enum err api_rejects_replay_all(struct web *web);
enum err api_rejects_delete(struct web *web);
enum err api_rejects_delete_all(struct web *web);
/* GET /v1/ingest/hours?from=&to=&limit=&cursor= */
enum err api_ingest_hours(struct web *web);
/* GET /v1/tenants, POST, GET PATCH DELETE /v1/tenants/{slug}: for operators */
enum err api_tenants_list(struct web *web);
enum err api_tenants_add(struct web *web);
enum err api_tenants_show(struct web *web);
enum err api_tenants_change(struct web *web);
enum err api_tenants_erase(struct web *web);
/* GET /v1/usage?limit=&cursor=: for operators */
enum err api_usage_list(struct web *web);
/* GET /v1/openapi.json */
enum err api_meta_openapi(struct web *web);

#endif
