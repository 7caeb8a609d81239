/* Fields of the administration's forms. Called by page_admin_*.c. */
#include "web/admin_fields.h"

#include "base/limits.h"
#include "domain/device_change.h"
#include "domain/site.h"
#include "domain/zone.h"
#include "web/form_input.h"

#define SITE_CHOICES_MAX 200 /* a longer list is nothing to choose from */

enum err admin_site_field(struct web *web, const char *key, struct field_view *out)
{
    struct arena *arena = web->op->arena;
    struct site_list sites;
    enum err err = site_list(web->tx, (struct str){ NULL, 0 }, SITE_CHOICES_MAX + 1, &sites);

    if (err != OK) {
        return err;
    }
    *out = (struct field_view){ .name = "site", .label = "Site", .value = key ? key : "",
                                .max_bytes = MAX_NAME_BYTES };
    if (sites.n > SITE_CHOICES_MAX) {
        out->type = "text";
        out->hint = "The site’s key. Empty: none.";
        return OK;
    }
    struct choice_view *choices = arena_array(arena, (size_t)sites.n + 1, sizeof *choices);
    if (!choices) {
        return fail_memory(web->op);
    }
    choices[0] = (struct choice_view){ "", "None" };
    for (int i = 0; i < sites.n; i++) {
        choices[i + 1] = (struct choice_view){ sites.items[i].key, sites.items[i].name };
    }
    out->type = "select";
    out->choices = choices;
    out->n_choices = sites.n + 1;
    return OK;
}

enum err admin_zone_field(struct web *web, const char *name, struct field_view *out)
{
    const char *const *names;
    int n = 0;
    enum err err = zone_list(web->tx, &names, &n);

    if (err != OK) {
        return err;
    }
    struct choice_view *choices = arena_array(web->op->arena, (size_t)n + 1, sizeof *choices);
    if (!choices) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        choices[i] = (struct choice_view){ names[i], "" };
    }
    *out = (struct field_view){
        .name = "timezone", .label = "Time zone", .type = "text", .value = name,
        .choices = choices, .n_choices = n, .is_required = true, .max_bytes = MAX_NAME_BYTES,
        .hint = "Days, weeks and months are this zone’s. For example Europe/Berlin.",
    };
    return OK;
}

enum err admin_check_site(struct web *web, struct field_view *fields, int n)
{
    struct str key = form_value(fields, n, "site");
    bool is_there = true;
    enum err err = key.ptr ? site_exists(web->tx, key, &is_there) : OK;

    if (err == OK && !is_there) {
        form_refuse(fields, n, "site", "There is no site with this key.");
    }
    return err;
}

void admin_check_key(struct field_view *fields, int n)
{
    struct str key = form_value(fields, n, "key");

    if (str_equal(key, STR(".")) || str_equal(key, STR(".."))) {
        form_refuse(fields, n, "key", "A key is more than dots.");
    }
    for (size_t i = 0; i < key.len; i++) {
        if ((unsigned char)key.ptr[i] < ' ' || key.ptr[i] == 0x7f) {
            form_refuse(fields, n, "key", "A key holds no control characters.");
        }
    }
}

enum err admin_check_zone(struct web *web, struct field_view *fields, int n)
{
    struct str name = form_value(fields, n, "timezone");
    bool is_there = true;
    enum err err = name.ptr ? zone_exists(web->tx, name, &is_there) : OK;

    if (err == OK && !is_there) {
        form_refuse(fields, n, "timezone", "There is no time zone of this name.");
    }
    return err;
}

enum err admin_check_config(struct web *web, struct field_view *fields, int n)
{
    struct str config = form_value(fields, n, "config");
    const char *problem = NULL;
    enum err err = config.ptr ? device_config_check(web->tx, config, &problem) : OK;

    if (err == OK && problem) {
        struct str rest = str_of(problem);
        (void)str_cut(&rest, ' '); /* "config: " is what the field's label says */
        form_refuse(fields, n, "config",
                    arena_printf(web->op->arena, "The configuration %.*s.", (int)rest.len,
                                 rest.ptr));
    }
    return err;
}
