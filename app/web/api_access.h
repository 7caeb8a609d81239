/* Handlers of the API for the administration of access, for the list of URLs. */
#ifndef TIDEMARK_WEB_API_ACCESS_H
#define TIDEMARK_WEB_API_ACCESS_H

#include "web/web.h"

/* GET, POST /v1/tokens; GET, PATCH, DELETE /v1/tokens/{id}; POST /v1/tokens/{id}/rotate */
enum err api_tokens_list(struct web *web);
enum err api_tokens_add(struct web *web);
enum err api_tokens_show(struct web *web);
enum err api_tokens_change(struct web *web);
enum err api_tokens_revoke(struct web *web);
enum err api_tokens_rotate(struct web *web);

/* GET, POST /v1/users (POST invites); GET, PATCH, DELETE /v1/users/{id};
 * POST /v1/users/{id}/reset */
enum err api_users_list(struct web *web);
enum err api_users_invite(struct web *web);
enum err api_users_show(struct web *web);
enum err api_users_change(struct web *web);
enum err api_users_remove(struct web *web);
enum err api_users_reset(struct web *web);

/* GET /v1/invites; GET, DELETE /v1/invites/{id} */
enum err api_invites_list(struct web *web);
enum err api_invites_show(struct web *web);
enum err api_invites_withdraw(struct web *web);

/* GET, PATCH /v1/tenant: the caller's own */
enum err api_tenant_show(struct web *web);
enum err api_tenant_change(struct web *web);

/* GET /v1/plugins; GET, PUT, DELETE /v1/plugins/{key} */
enum err api_plugins_list(struct web *web);
enum err api_plugins_show(struct web *web);
enum err api_plugins_put(struct web *web);
enum err api_plugins_remove(struct web *web);

/* GET /v1/audit?action=&actor=&from=&to=&limit=&cursor= */
enum err api_audit_list(struct web *web);

#endif
