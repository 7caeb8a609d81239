/* The handlers of the pages of access, for the list of URLs (serve/routes.c). */
#ifndef TIDEMARK_WEB_PAGES_ACCESS_H
#define TIDEMARK_WEB_PAGES_ACCESS_H

#include "web/web.h"

/* POST /switch: tenant, to look at another one. */
enum err page_switch_post(struct web *web);
/* POST /theme: theme ("light", "dark", "auto"), next; also before the login. */
enum err page_theme_post(struct web *web);

/* GET and POST /account; the form's `do` says what: name, password, sessions. */
enum err page_account(struct web *web);
enum err page_account_post(struct web *web);

/* GET and POST /invite/{secret}: become a member. */
enum err page_invite(struct web *web);
enum err page_invite_post(struct web *web);
/* GET and POST /reset/{secret}: set a new password. */
enum err page_reset(struct web *web);
enum err page_reset_post(struct web *web);

/* GET and POST /admin/tokens: the list, a new one. */
enum err page_tokens(struct web *web);
enum err page_tokens_post(struct web *web);
/* GET and POST /admin/tokens/{id}; `do`: save, rotate, revoke. */
enum err page_token(struct web *web);
enum err page_token_post(struct web *web);

/* GET and POST /admin/users; `do`: invite, withdraw. */
enum err page_users(struct web *web);
enum err page_users_post(struct web *web);
/* GET and POST /admin/users/{id}; `do`: role, reset, remove. */
enum err page_user(struct web *web);
enum err page_user_post(struct web *web);

/* GET and POST /admin/settings */
enum err page_settings(struct web *web);
enum err page_settings_post(struct web *web);

/* GET and POST /admin/plugins (key, kind, is_enabled, config), /admin/plugins/{key} (the same but
 * the key); POST …/remove */
enum err page_plugins(struct web *web);
enum err page_plugins_add(struct web *web);
enum err page_plugin(struct web *web);
enum err page_plugin_save(struct web *web);
enum err page_plugin_remove(struct web *web);

/* GET /admin/audit?area=&actor=&before=&id= */
enum err page_audit(struct web *web);

#endif
