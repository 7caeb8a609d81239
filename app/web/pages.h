/* The pages' handlers, for the list of URLs (serve/routes.c). */
#ifndef TIDEMARK_WEB_PAGES_H
#define TIDEMARK_WEB_PAGES_H

#include "web/web.h"

/* GET / */
enum err page_overview(struct web *web);
/* GET /devices */
enum err page_devices(struct web *web);
/* GET /devices/{key} */
enum err page_device(struct web *web);

/* GET /login; who is logged in goes on. */
enum err page_login(struct web *web);
/* POST /login: email, password, next. */
enum err page_login_post(struct web *web);
/* POST /logout */
enum err page_logout_post(struct web *web);

#endif
