/* The frame of pages. Called by page_*.c. */
#include "web/page.h"

struct page_view page_view(const struct web *web, const char *title, const char *here)
{
    const struct identity *who = web->who;
    bool is_person = who->kind == IDENTITY_PERSON;
    bool has_name = is_person && who->person_name != NULL && who->person_name[0] != '\0';
    return (struct page_view){
        .title = title,
        .here = here,
        .tenant = is_person || who->kind == IDENTITY_SHARE ? who->tenant_name : NULL,
        .is_shared = who->kind == IDENTITY_SHARE,
        .person = has_name ? who->person_name : is_person ? who->person_email : NULL,
        .csrf = who->csrf,
        .is_admin = is_person && who->role == ROLE_ADMIN,
    };
}

void page_is_html(struct web *web)
{
    web->response->content_type = "text/html; charset=utf-8";
}
