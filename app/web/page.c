/* The frame of pages. Called by page_*.c and by the page of a failure. */
#include "web/page.h"

#include "auth/cookie.h"
#include "domain/zone.h"

#define THEME_COOKIE "theme"
#define MOMENTS_DAYS 400 /* ahead and back that moments are exact across changes of the clocks */

/* The theme that the browser's cookie asks for: "light", "dark", or "". */
static const char *theme_of(const struct web *web)
{
    static const char *const THEMES[] = { "light", "dark" };
    bool is_secure = cookie_is_secure(web->config, web->request);
    struct str value = cookie_read(web->request, THEME_COOKIE, is_secure);

    for (size_t i = 0; i < sizeof THEMES / sizeof THEMES[0]; i++) {
        if (str_equal(value, str_of(THEMES[i]))) {
            return THEMES[i];
        }
    }
    return "";
}

/* The tenants that the person may turn to; *n is 0 where there is no choice. */
static const struct home_view *homes_of(const struct web *web, int *n)
{
    const struct identity *who = web->who;
    struct home_view *homes = NULL;

    *n = 0;
    if (who->n_homes > 0) {
        homes = arena_array(web->op->arena, (size_t)who->n_homes, sizeof *homes);
    }
    for (int i = 0; homes && i < who->n_homes; i++) {
        homes[i] = (struct home_view){
            .slug = who->homes[i].slug,
            .name = who->homes[i].name,
            .is_here = who->tenant_slug && strcmp(who->homes[i].slug, who->tenant_slug) == 0,
        };
        *n = who->n_homes;
    }
    return homes;
}

struct page_view page_view(const struct web *web, const char *title, const char *here)
{
    const struct identity *who = web->who;
    bool is_person = who->kind == IDENTITY_PERSON;
    bool has_name = is_person && who->person_name != NULL && who->person_name[0] != '\0';
    int n_homes = 0;
    const struct home_view *homes = homes_of(web, &n_homes);
    const char *path = arena_copy(web->op->arena, web->request->target);
    return (struct page_view){
        .title = title,
        .here = here,
        .path = path ? path : "/",
        .theme = theme_of(web),
        .tenant = is_person || who->kind == IDENTITY_SHARE ? who->tenant_name : NULL,
        .is_shared = who->kind == IDENTITY_SHARE,
        .person = has_name ? who->person_name : is_person ? who->person_email : NULL,
        .csrf = who->csrf,
        .is_admin = is_person && who->role == ROLE_ADMIN,
        .is_operator = is_person && who->operator_role != OPERATOR_NONE,
        .homes = homes,
        .n_homes = n_homes,
    };
}

enum err page_zone(const struct web *web, int64_t now_us, struct zone *out)
{
    const char *name = web->who->tenant_timezone ? web->who->tenant_timezone : "UTC";

    return zone_load(web->tx, name, now_us - MOMENTS_DAYS * US_PER_DAY,
                     now_us + MOMENTS_DAYS * US_PER_DAY, out);
}

void page_is_html(struct web *web)
{
    web->response->content_type = "text/html; charset=utf-8";
}
