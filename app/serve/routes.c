/* The one list of URLs. Sorted by path; where two rows fit, the first one wins. */
#include "serve/route.h"

#include "ingest/format.h"
#include "serve/health.h"
#include "serve/metrics.h"
#include "transfer/transfer.h"
#include "web/api.h"
#include "web/api_access.h"
#include "web/api_costs.h"
#include "web/api_rates.h"
#include "web/compat_emoncms.h"
#include "web/compat_influx.h"
#include "web/page_costs.h"
#include "web/page_rates.h"
#include "web/pages.h"
#include "web/pages_access.h"

#define API(methods, path, access, tx, handler)                             \
    {                                                                       \
        methods, path, access, tx, 0, PROCESS_WEB, STYLE_API, handler, NULL \
    }
#define PAGE(methods, path, access, tx, handler)                             \
    {                                                                        \
        methods, path, access, tx, 0, PROCESS_WEB, STYLE_PAGE, handler, NULL \
    }
#define FORM(path, access, tx, handler)                                                          \
    {                                                                                            \
        HTTP_POST, path, access, tx, MAX_FORM_BODY_BYTES, PROCESS_WEB, STYLE_PAGE, handler, NULL \
    }
/* A page of the administration, and a form of it. */
#define ADMIN_PAGE(path, handler) PAGE(HTTP_GET, path, ACCESS_ADMIN, TX_READ, handler)
#define ADMIN_FORM(path, handler) FORM(path, ACCESS_ADMIN, TX_WRITE, handler)
/* An admin's change through the API: a JSON body where there is one (web/body.h). */
#define CHANGE(methods, path, handler)                                                           \
    {                                                                                            \
        methods, path, ACCESS_ADMIN, TX_WRITE, MAX_JSON_BODY_BYTES, PROCESS_WEB, STYLE_API,      \
            handler, NULL                                                                        \
    }
/* A question whose words do not fit into an address: it changes nothing. */
#define QUESTION(path, handler)                                                                  \
    {                                                                                            \
        HTTP_POST, path, ACCESS_READ, TX_READ, MAX_JSON_BODY_BYTES, PROCESS_WEB, STYLE_API,      \
            handler, NULL                                                                        \
    }
/* The same of a utility's file. */
#define FILE_QUESTION(path, handler)                                                             \
    {                                                                                            \
        HTTP_POST, path, ACCESS_READ, TX_READ, MAX_BILL_FILE_BYTES, PROCESS_WEB, STYLE_API,      \
            handler, NULL                                                                        \
    }
/* An admin's change with a long list of changes. */
#define CHANGE_MANY(methods, path, handler)                                                      \
    {                                                                                            \
        methods, path, ACCESS_ADMIN, TX_WRITE, MAX_CORRECTIONS_BODY_BYTES, PROCESS_WEB,          \
            STYLE_API, handler, NULL                                                             \
    }
/* The same of an operator who may change the installation. */
#define OPERATE(methods, path, handler)                                                          \
    {                                                                                            \
        methods, path, ACCESS_OPERATOR_ADMIN, TX_WRITE, MAX_JSON_BODY_BYTES, PROCESS_WEB,        \
            STYLE_API, handler, NULL                                                             \
    }
#define INGEST_BY(methods, path, format)                                                         \
    {                                                                                            \
        methods, path, ACCESS_INGEST, TX_NONE, MAX_INGEST_BODY_BYTES, PROCESS_INGEST, STYLE_API, \
            NULL, format                                                                         \
    }
#define INGEST(path, format) INGEST_BY(HTTP_POST, path, format)
/* What a device asks before and beside posting, in its convention. */
#define ASK(methods, path, access, tx, handler, format)                                          \
    {                                                                                            \
        methods, path, access, tx, MAX_FORM_BODY_BYTES, PROCESS_INGEST, STYLE_API, handler, format \
    }

/* A file that comes or goes: as long as it likes, in a process of its own. */
#define FILES(methods, path, access, tx, style, handler)                                         \
    {                                                                                            \
        methods, path, access, tx, 0, PROCESS_UPLOAD, style, handler, NULL                       \
    }

/* emoncms, at the root or in its usual folder. */
#define EMONCMS_POST(path) \
    INGEST_BY(HTTP_GET | HTTP_POST, path, &ingest_format_emoncms_post)
#define EMONCMS_BULK(path) \
    INGEST_BY(HTTP_GET | HTTP_POST, path, &ingest_format_emoncms_bulk)
#define EMONCMS_GET(path)                                                          \
    ASK(HTTP_GET, path, ACCESS_INGEST, TX_READ, compat_emoncms_get,                \
        &ingest_format_emoncms_post)
#define EMONCMS(folder)                                                            \
    EMONCMS_BULK(folder "/input/bulk"), EMONCMS_BULK(folder "/input/bulk.json"),   \
        EMONCMS_GET(folder "/input/get"), EMONCMS_GET(folder "/input/get.json"),   \
        EMONCMS_GET(folder "/input/get/{node}"), EMONCMS_GET(folder "/input/get/{node}/{name}"), \
        EMONCMS_POST(folder "/input/post"), EMONCMS_POST(folder "/input/post.json"), \
        EMONCMS_POST(folder "/input/post/{node}")

const struct route ROUTES[] = {
    PAGE(HTTP_GET, "/", ACCESS_READ, TX_READ, page_overview),
    PAGE(HTTP_GET, "/account", ACCESS_PERSON, TX_READ, page_account),
    FORM("/account", ACCESS_PERSON, TX_WRITE, page_account_post),
    INGEST("/acquisuite", &ingest_format_acquisuite),
    ADMIN_PAGE("/admin/audit", page_audit),
    ADMIN_PAGE("/admin/devices", page_admin_devices),
    ADMIN_FORM("/admin/devices", page_admin_devices_add),
    ADMIN_PAGE("/admin/devices/import", page_admin_import),
    { HTTP_POST, "/admin/devices/import", ACCESS_ADMIN, TX_WRITE, MAX_LIST_BODY_BYTES, PROCESS_WEB,
      STYLE_PAGE, page_admin_import_post, NULL },
    ADMIN_PAGE("/admin/devices/{key}", page_admin_device),
    ADMIN_FORM("/admin/devices/{key}", page_admin_device_save),
    ADMIN_PAGE("/admin/devices/{key}/corrections", page_admin_corrections),
    ADMIN_FORM("/admin/devices/{key}/corrections", page_admin_corrections_put),
    ADMIN_FORM("/admin/devices/{key}/corrections/delete", page_admin_corrections_delete),
    ADMIN_FORM("/admin/devices/{key}/erase", page_admin_device_erase),
    ADMIN_PAGE("/admin/devices/{key}/meter", page_admin_meter),
    ADMIN_FORM("/admin/devices/{key}/meter", page_admin_meter_add),
    ADMIN_FORM("/admin/devices/{key}/meter/withdraw", page_admin_meter_withdraw),
    ADMIN_FORM("/admin/devices/{key}/retire", page_admin_device_retire),
    ADMIN_FORM("/admin/devices/{key}/series", page_admin_device_series),
    ADMIN_PAGE("/admin/plugins", page_plugins),
    ADMIN_FORM("/admin/plugins", page_plugins_add),
    ADMIN_PAGE("/admin/plugins/{key}", page_plugin),
    ADMIN_FORM("/admin/plugins/{key}", page_plugin_save),
    ADMIN_FORM("/admin/plugins/{key}/remove", page_plugin_remove),
    ADMIN_PAGE("/admin/rates", page_rates),
    { HTTP_POST, "/admin/rates", ACCESS_ADMIN, TX_WRITE, MAX_LIST_BODY_BYTES, PROCESS_WEB,
      STYLE_PAGE, page_rates_add, NULL },
    ADMIN_PAGE("/admin/rates/new", page_rate_new),
    { HTTP_POST, "/admin/rates/new", ACCESS_ADMIN, TX_WRITE, MAX_LIST_BODY_BYTES, PROCESS_WEB,
      STYLE_PAGE, page_rate_new_post, NULL },
    ADMIN_PAGE("/admin/rates/{id}", page_rate),
    { HTTP_POST, "/admin/rates/{id}", ACCESS_ADMIN, TX_WRITE, MAX_LIST_BODY_BYTES, PROCESS_WEB,
      STYLE_PAGE, page_rate_change, NULL },
    ADMIN_FORM("/admin/rates/{id}/assign", page_rate_assign),
    ADMIN_PAGE("/admin/rates/{id}/edit", page_rate_edit),
    { HTTP_POST, "/admin/rates/{id}/edit", ACCESS_ADMIN, TX_WRITE, MAX_LIST_BODY_BYTES, PROCESS_WEB,
      STYLE_PAGE, page_rate_edit_post, NULL },
    ADMIN_FORM("/admin/rates/{id}/remove", page_rate_remove),
    ADMIN_FORM("/admin/rates/{id}/withdraw", page_rate_withdraw),
    ADMIN_PAGE("/admin/rejects", page_rejects),
    ADMIN_FORM("/admin/rejects", page_rejects_post),
    ADMIN_PAGE("/admin/settings", page_settings),
    ADMIN_FORM("/admin/settings", page_settings_post),
    PAGE(HTTP_GET, "/admin/shares", ACCESS_ADMIN, TX_READ, page_shares),
    FORM("/admin/shares", ACCESS_ADMIN, TX_WRITE, page_shares_add),
    FORM("/admin/shares/revoke", ACCESS_ADMIN, TX_WRITE, page_shares_revoke),
    ADMIN_PAGE("/admin/sites", page_admin_sites),
    ADMIN_FORM("/admin/sites", page_admin_sites_add),
    ADMIN_PAGE("/admin/sites/{key}", page_admin_site),
    ADMIN_FORM("/admin/sites/{key}", page_admin_site_save),
    ADMIN_FORM("/admin/sites/{key}/remove", page_admin_site_remove),
    ADMIN_PAGE("/admin/tokens", page_tokens),
    ADMIN_FORM("/admin/tokens", page_tokens_post),
    ADMIN_PAGE("/admin/tokens/{id}", page_token),
    ADMIN_FORM("/admin/tokens/{id}", page_token_post),
    ADMIN_PAGE("/admin/users", page_users),
    ADMIN_FORM("/admin/users", page_users_post),
    ADMIN_PAGE("/admin/users/{id}", page_user),
    ADMIN_FORM("/admin/users/{id}", page_user_post),
    INGEST("/api/v1/write", &ingest_format_prometheus),
    INGEST("/api/v1/{token}/attributes", &ingest_format_thingsboard_attributes),
    INGEST("/api/v1/{token}/telemetry", &ingest_format_thingsboard_telemetry),
    ASK(HTTP_POST, "/api/v2/query", ACCESS_INGEST, TX_READ, compat_influx_flux,
        &ingest_format_influx_2),
    INGEST("/api/v2/write", &ingest_format_influx_2),
    INGEST("/api/v3/write_lp", &ingest_format_influx_3),
    PAGE(HTTP_GET, "/archives", ACCESS_READ, TX_READ, page_archives),
    ADMIN_FORM("/archives/restore", page_archives_restore),
    ADMIN_FORM("/archives/restore-days", page_archives_restore_days),
    ADMIN_FORM("/archives/verify", page_archives_verify),
    INGEST("/collectd", &ingest_format_collectd),
    PAGE(HTTP_GET, "/costs", ACCESS_READ, TX_READ, page_costs),
    PAGE(HTTP_GET, "/costs/bill", ACCESS_READ, TX_READ, page_bill),
    PAGE(HTTP_GET, "/costs/compare", ACCESS_READ, TX_READ, page_bill_file),
    { HTTP_POST, "/costs/compare", ACCESS_READ, TX_READ, MAX_BILL_FILE_BYTES, PROCESS_WEB,
      STYLE_PAGE, page_bill_file_post, NULL },
    PAGE(HTTP_GET, "/costs/what-if", ACCESS_READ, TX_READ, page_what_if),
    PAGE(HTTP_GET, "/devices", ACCESS_READ, TX_READ, page_devices),
    PAGE(HTTP_GET, "/devices/{key}", ACCESS_READ, TX_READ, page_device),
    INGEST("/egauge", &ingest_format_egauge),
    EMONCMS("/emoncms"),
    PAGE(HTTP_GET, "/energy", ACCESS_READ, TX_READ, page_energy),
    PAGE(HTTP_GET, "/events", ACCESS_READ, TX_READ, page_events),
    ASK(HTTP_GET, "/health", ACCESS_PUBLIC, TX_READ, compat_influx_health,
        &ingest_format_influx_health),
    EMONCMS(""),
    PAGE(HTTP_GET, "/invite/{secret}", ACCESS_LOGIN, TX_READ, page_invite),
    FORM("/invite/{secret}", ACCESS_LOGIN, TX_WRITE, page_invite_post),
    PAGE(HTTP_GET, "/login", ACCESS_LOGIN, TX_NONE, page_login),
    FORM("/login", ACCESS_LOGIN, TX_WRITE, page_login_post),
    FORM("/logout", ACCESS_PERSON, TX_WRITE, page_logout_post),
    API(HTTP_GET, "/metrics", ACCESS_PUBLIC, TX_OWN, health_metrics),
    PAGE(HTTP_GET, "/operator", ACCESS_OPERATOR, TX_READ, page_operator),
    PAGE(HTTP_GET, "/operator/tenants", ACCESS_OPERATOR_ADMIN, TX_READ, page_operator_tenant_new),
    FORM("/operator/tenants", ACCESS_OPERATOR_ADMIN, TX_WRITE, page_operator_tenant_add),
    PAGE(HTTP_GET, "/operator/tenants/{slug}", ACCESS_OPERATOR, TX_READ, page_operator_tenant),
    FORM("/operator/tenants/{slug}", ACCESS_OPERATOR_ADMIN, TX_WRITE, page_operator_tenant_save),
    FORM("/operator/tenants/{slug}/erase", ACCESS_OPERATOR_ADMIN, TX_WRITE,
         page_operator_tenant_erase),
    FORM("/operator/tenants/{slug}/limits", ACCESS_OPERATOR_ADMIN, TX_WRITE,
         page_operator_tenant_limits),
    FORM("/operator/tenants/{slug}/status", ACCESS_OPERATOR_ADMIN, TX_WRITE,
         page_operator_tenant_status),
    ASK(HTTP_GET, "/ping", ACCESS_PUBLIC, TX_NONE, compat_influx_ping, &ingest_format_influx_1),
    ASK(HTTP_GET | HTTP_POST, "/query", ACCESS_INGEST, TX_READ, compat_influx_query,
        &ingest_format_influx_1),
    PAGE(HTTP_GET, "/reset/{secret}", ACCESS_LOGIN, TX_READ, page_reset),
    FORM("/reset/{secret}", ACCESS_LOGIN, TX_WRITE, page_reset_post),
    INGEST_BY(HTTP_GET | HTTP_POST, "/service/r2/addbatchstatus.jsp",
              &ingest_format_pvoutput_batch),
    INGEST_BY(HTTP_GET | HTTP_POST, "/service/r2/addoutput.jsp", &ingest_format_pvoutput_output),
    INGEST_BY(HTTP_GET | HTTP_POST, "/service/r2/addstatus.jsp", &ingest_format_pvoutput_status),
    PAGE(HTTP_GET, "/share/{secret}", ACCESS_SHARE, TX_READ, page_share),
    FORM("/switch", ACCESS_PERSON, TX_WRITE, page_switch_post),
    FORM("/theme", ACCESS_LOGIN, TX_NONE, page_theme_post),
    PAGE(HTTP_GET, "/uploads", ACCESS_READ, TX_READ, page_uploads),
    FILES(HTTP_POST, "/uploads", ACCESS_ADMIN, TX_OWN, STYLE_PAGE, transfer_page_post),
    ADMIN_FORM("/uploads/remove", page_uploads_remove),
    API(HTTP_GET, "/v1/archives", ACCESS_READ, TX_READ, api_archives_list),
    FILES(HTTP_GET, "/v1/archives/{id}", ACCESS_READ, TX_OWN, STYLE_API, transfer_archives_show),
    CHANGE(HTTP_POST, "/v1/archives/{id}/restore", api_archives_restore),
    CHANGE(HTTP_POST, "/v1/archives/{id}/verify", api_archives_verify),
    API(HTTP_GET, "/v1/audit", ACCESS_ADMIN, TX_READ, api_audit_list),
    API(HTTP_GET, "/v1/bills", ACCESS_READ, TX_READ, api_bills_show),
    FILE_QUESTION("/v1/bills/compare", api_bills_compare),
    API(HTTP_GET, "/v1/costs", ACCESS_READ, TX_STREAM, api_costs_list),
    API(HTTP_GET, "/v1/costs/explain", ACCESS_READ, TX_READ, api_costs_explain),
    API(HTTP_GET, "/v1/devices", ACCESS_READ, TX_STREAM, api_devices_list),
    CHANGE(HTTP_POST, "/v1/devices", api_devices_add),
    API(HTTP_GET, "/v1/devices/{key}", ACCESS_READ, TX_READ, api_devices_show),
    CHANGE(HTTP_PATCH, "/v1/devices/{key}", api_devices_change),
    CHANGE(HTTP_DELETE, "/v1/devices/{key}", api_devices_erase),
    API(HTTP_GET, "/v1/devices/{key}/meter-entries", ACCESS_READ, TX_READ, api_meter_list),
    CHANGE(HTTP_POST, "/v1/devices/{key}/meter-entries", api_meter_add),
    CHANGE(HTTP_DELETE, "/v1/devices/{key}/meter-entries/{id}", api_meter_withdraw),
    API(HTTP_GET, "/v1/devices/{key}/samples", ACCESS_READ, TX_STREAM, api_samples_list),
    CHANGE_MANY(HTTP_PUT, "/v1/devices/{key}/samples", api_corrections_put),
    CHANGE(HTTP_DELETE, "/v1/devices/{key}/samples", api_corrections_delete),
    API(HTTP_GET, "/v1/devices/{key}/series", ACCESS_READ, TX_READ, api_series_list),
    CHANGE(HTTP_PATCH, "/v1/devices/{key}/series/{id}", api_series_change),
    API(HTTP_GET, "/v1/energy", ACCESS_READ, TX_STREAM, api_energy_list),
    INGEST("/v1/event", &ingest_format_event),
    API(HTTP_GET, "/v1/events", ACCESS_READ, TX_STREAM, api_events_list),
    INGEST("/v1/events/batch", &ingest_format_events),
    API(HTTP_GET, "/v1/healthz", ACCESS_PUBLIC, TX_NONE, health_live),
    API(HTTP_GET, "/v1/ingest/hours", ACCESS_ADMIN, TX_READ, api_ingest_hours),
    API(HTTP_GET, "/v1/invites", ACCESS_ADMIN, TX_READ, api_invites_list),
    API(HTTP_GET, "/v1/invites/{id}", ACCESS_ADMIN, TX_READ, api_invites_show),
    CHANGE(HTTP_DELETE, "/v1/invites/{id}", api_invites_withdraw),
    INGEST("/v1/logs", &ingest_format_otlp_logs),
    INGEST("/v1/metrics", &ingest_format_otlp_metrics),
    API(HTTP_GET, "/v1/openapi.json", ACCESS_PUBLIC, TX_NONE, api_meta_openapi),
    API(HTTP_GET, "/v1/plugins", ACCESS_ADMIN, TX_READ, api_plugins_list),
    API(HTTP_GET, "/v1/plugins/{key}", ACCESS_ADMIN, TX_READ, api_plugins_show),
    CHANGE(HTTP_PUT, "/v1/plugins/{key}", api_plugins_put),
    CHANGE(HTTP_DELETE, "/v1/plugins/{key}", api_plugins_remove),
    API(HTTP_GET, "/v1/rate-schedules", ACCESS_READ, TX_READ, api_rates_list),
    CHANGE_MANY(HTTP_POST, "/v1/rate-schedules", api_rates_add),
    API(HTTP_GET, "/v1/rate-schedules/applied", ACCESS_READ, TX_READ, api_rates_applied),
    QUESTION("/v1/rate-schedules/compare", api_costs_compare),
    API(HTTP_GET, "/v1/rate-schedules/{id}", ACCESS_READ, TX_READ, api_rates_show),
    CHANGE_MANY(HTTP_PUT, "/v1/rate-schedules/{id}", api_rates_put),
    CHANGE(HTTP_DELETE, "/v1/rate-schedules/{id}", api_rates_remove),
    CHANGE(HTTP_POST, "/v1/rate-schedules/{id}/assign", api_rates_assign),
    CHANGE(HTTP_DELETE, "/v1/rate-schedules/{id}/assignments/{assignment}", api_rates_unassign),
    API(HTTP_GET, "/v1/rate-schedules/{id}/prices", ACCESS_READ, TX_READ, api_rates_prices_list),
    CHANGE_MANY(HTTP_POST, "/v1/rate-schedules/{id}/prices", api_rates_prices_add),
    API(HTTP_GET, "/v1/readyz", ACCESS_PUBLIC, TX_READ, health_ready),
    API(HTTP_GET, "/v1/rejects", ACCESS_ADMIN, TX_READ, api_rejects_list),
    CHANGE(HTTP_DELETE, "/v1/rejects", api_rejects_delete_all),
    CHANGE(HTTP_POST, "/v1/rejects/replay", api_rejects_replay_all),
    API(HTTP_GET, "/v1/rejects/{id}", ACCESS_ADMIN, TX_READ, api_rejects_show),
    CHANGE(HTTP_DELETE, "/v1/rejects/{id}", api_rejects_delete),
    CHANGE(HTTP_POST, "/v1/rejects/{id}/replay", api_rejects_replay),
    API(HTTP_GET, "/v1/rollups", ACCESS_READ, TX_STREAM, api_rollups_list),
    API(HTTP_GET, "/v1/shares", ACCESS_ADMIN, TX_READ, api_shares_list),
    CHANGE(HTTP_POST, "/v1/shares", api_shares_add),
    CHANGE(HTTP_DELETE, "/v1/shares/{id}", api_shares_revoke),
    API(HTTP_GET, "/v1/sites", ACCESS_ADMIN, TX_READ, api_sites_list),
    CHANGE(HTTP_POST, "/v1/sites", api_sites_add),
    API(HTTP_GET, "/v1/sites/{key}", ACCESS_ADMIN, TX_READ, api_sites_show),
    CHANGE(HTTP_PATCH, "/v1/sites/{key}", api_sites_change),
    CHANGE(HTTP_DELETE, "/v1/sites/{key}", api_sites_remove),
    API(HTTP_GET, "/v1/tenant", ACCESS_ADMIN, TX_READ, api_tenant_show),
    CHANGE(HTTP_PATCH, "/v1/tenant", api_tenant_change),
    API(HTTP_GET, "/v1/tenants", ACCESS_OPERATOR, TX_READ, api_tenants_list),
    OPERATE(HTTP_POST, "/v1/tenants", api_tenants_add),
    API(HTTP_GET, "/v1/tenants/{slug}", ACCESS_OPERATOR, TX_READ, api_tenants_show),
    OPERATE(HTTP_PATCH, "/v1/tenants/{slug}", api_tenants_change),
    OPERATE(HTTP_DELETE, "/v1/tenants/{slug}", api_tenants_erase),
    API(HTTP_GET, "/v1/tokens", ACCESS_ADMIN, TX_READ, api_tokens_list),
    CHANGE(HTTP_POST, "/v1/tokens", api_tokens_add),
    API(HTTP_GET, "/v1/tokens/{id}", ACCESS_ADMIN, TX_READ, api_tokens_show),
    CHANGE(HTTP_PATCH, "/v1/tokens/{id}", api_tokens_change),
    CHANGE(HTTP_DELETE, "/v1/tokens/{id}", api_tokens_revoke),
    CHANGE(HTTP_POST, "/v1/tokens/{id}/rotate", api_tokens_rotate),
    FILES(HTTP_GET, "/v1/uploads", ACCESS_READ, TX_READ, STYLE_API, transfer_uploads_list),
    FILES(HTTP_POST, "/v1/uploads", ACCESS_UPLOAD, TX_OWN, STYLE_API, transfer_uploads_post),
    FILES(HTTP_GET, "/v1/uploads/{id}", ACCESS_READ, TX_OWN, STYLE_API, transfer_uploads_show),
    FILES(HTTP_DELETE, "/v1/uploads/{id}", ACCESS_ADMIN, TX_WRITE, STYLE_API,
          transfer_uploads_remove),
    FILES(HTTP_PUT, "/v1/uploads/{name}", ACCESS_UPLOAD, TX_OWN, STYLE_API, transfer_uploads_put),
    API(HTTP_GET, "/v1/usage", ACCESS_OPERATOR, TX_READ, api_usage_list),
    API(HTTP_GET, "/v1/users", ACCESS_ADMIN, TX_READ, api_users_list),
    CHANGE(HTTP_POST, "/v1/users", api_users_invite),
    API(HTTP_GET, "/v1/users/{id}", ACCESS_ADMIN, TX_READ, api_users_show),
    CHANGE(HTTP_PATCH, "/v1/users/{id}", api_users_change),
    CHANGE(HTTP_DELETE, "/v1/users/{id}", api_users_remove),
    CHANGE(HTTP_POST, "/v1/users/{id}/reset", api_users_reset),
    API(HTTP_GET, "/v1/version", ACCESS_PUBLIC, TX_NONE, health_version),
    INGEST("/write", &ingest_format_influx_1),
};
const int N_ROUTES = sizeof ROUTES / sizeof ROUTES[0];

_Static_assert(sizeof ROUTES / sizeof ROUTES[0] <= METRICS_MAX_ROUTES,
               "each route has its counters");
