/* /admin/rates: the tenant's rate schedules, and a form that takes a document. */
#include "web/page_rates.h"

#include "gen/templates.h"
#include "web/admin_fields.h"
#include "web/form_input.h"
#include "web/page.h"

#define RATES_SHOWN 50

enum { FIELD_FORM, FIELD_ZONE, FIELD_DOCUMENT, N_FIELDS };

static const struct choice_view FORMS[] = {
    { "json", "A rate schedule of Tidemark" },
    { "urdb", "A rate of OpenEI’s URDB" },
};

static const struct form_outcome OUTCOMES[] = {
    { "removed", "The rate schedule is removed." },
};

const char *page_rates_days(struct arena *arena, const char *from_day, const char *to_day)
{
    if (from_day && to_day) {
        return arena_printf(arena, "from %s until before %s", from_day, to_day);
    }
    if (from_day) {
        return arena_printf(arena, "from %s", from_day);
    }
    return to_day ? arena_printf(arena, "until before %s", to_day) : "always";
}

const char *page_rates_maker(const char *made_by)
{
    static const char role[] = "tidemark_";

    return strncmp(made_by, role, sizeof role - 1) == 0 ? "Tidemark" : made_by;
}

const struct rate_wrong *page_rates_wrongs(struct arena *arena, const struct problems *problems)
{
    struct rate_wrong *wrongs = arena_array(arena, (size_t)problems->n + 1, sizeof *wrongs);

    for (int i = 0; wrongs && i < problems->n; i++) {
        wrongs[i] = (struct rate_wrong){ problems->items[i].field, problems->items[i].detail };
    }
    return wrongs;
}

const char *page_rates_path(struct arena *arena, int32_t id)
{
    return arena_printf(arena, "/admin/rates/%d", (int)id);
}

static enum err add_rows(struct web *web, struct rates_view *view)
{
    struct arena *arena = web->op->arena;
    struct str text = http_query(web->request, "after");
    struct rate_schedule_list list;
    long long after = 0;

    if (text.ptr && (!str_to_int64(text, &after) || after < 0 || after > INT32_MAX)) {
        after = 0;
    }
    enum err err = rate_schedule_list(web->tx, (int32_t)after, RATES_SHOWN + 1, &list);
    if (err != OK) {
        return err;
    }
    int n = list.n > RATES_SHOWN ? RATES_SHOWN : list.n;
    struct rate_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        const struct rate_schedule *item = &list.items[i];
        rows[i] = (struct rate_row){
            .id = item->id, .name = item->name, .currency = item->newest.currency,
            .zone = item->newest.timezone,
            .valid = page_rates_days(arena, item->newest.from_day, item->newest.to_day),
            .versions = item->newest.number, .assignments = item->assignments,
        };
    }
    view->rows = rows;
    view->n_rows = n;
    view->pager = (struct pager_view){
        .first = after > 0 ? "/admin/rates" : NULL,
        .next = list.n > n ? arena_printf(arena, "/admin/rates?after=%d", (int)list.items[n - 1].id)
                           : NULL,
    };
    return OK;
}

static enum err list_fields(struct web *web, struct field_view fields[N_FIELDS])
{
    fields[FIELD_FORM] = (struct field_view){
        .name = "form", .label = "What it is", .type = "select", .value = FORMS[0].value,
        .choices = FORMS, .n_choices = sizeof FORMS / sizeof *FORMS,
    };
    fields[FIELD_DOCUMENT] = (struct field_view){
        .name = "document", .label = "Document", .type = "textarea", .rows = 12, .is_code = true,
        .is_required = true, .max_bytes = MAX_LIST_BODY_BYTES,
        .hint = "JSON. The smallest: {\"name\": \"Flat\", \"timezone\": \"Europe/Berlin\", "
                "\"currency\": \"EUR\", \"charges\": [{\"type\": \"energy\", \"rate\": \"0.32\"}]}",
    };
    enum err err = admin_zone_field(web, web->who->tenant_timezone, &fields[FIELD_ZONE]);
    fields[FIELD_ZONE].is_required = false;
    fields[FIELD_ZONE].hint = "Of a rate of URDB, which has none. A rate schedule of Tidemark has "
                              "its own.";
    return err;
}

static enum err show(struct web *web, struct rates_view *view)
{
    enum err err = add_rows(web, view);

    if (err != OK) {
        return err;
    }
    view->n_fields = N_FIELDS;
    view->page = page_view(web, "Rates", "/admin/rates");
    page_is_html(web);
    tpl_page_rates(&web->response->body, view);
    return OK;
}

enum err page_rates(struct web *web)
{
    struct rates_view view = {
        .notice = form_notice(web, OUTCOMES, sizeof OUTCOMES / sizeof *OUTCOMES),
    };
    enum err err = list_fields(web, view.fields);

    return err == OK ? show(web, &view) : err;
}

/* Keeps the document where it is whole; else its problems are in the view. *id 0: not kept. */
static enum err keep(struct web *web, struct rates_view *view, int32_t *id, bool *is_partly)
{
    struct problems problems;
    struct rate_input input;
    struct rate_text text = {
        .text = form_value(view->fields, N_FIELDS, "document"),
        .is_urdb = str_equal(form_value(view->fields, N_FIELDS, "form"), STR("urdb")),
        .timezone = form_value(view->fields, N_FIELDS, "timezone"),
    };
    enum err err = rate_input_read(web, &text, &problems, &input);

    *is_partly = err == OK && input.left && input.left->n > 0;
    if (err == OK && !input.tariff) {
        view->wrongs = page_rates_wrongs(web->op->arena, &problems);
        view->n_wrongs = view->wrongs ? problems.n : 0;
        form_refuse(view->fields, N_FIELDS, "document",
                    "Nothing is kept: see what is wrong above.");
        return OK;
    }
    return err == OK ? rate_version_add(web->tx, input.tariff, input.format, id) : err;
}

enum err page_rates_add(struct web *web)
{
    struct rates_view view = { .is_adding = true };
    bool is_partly = false;
    int32_t id = 0;
    enum err err = list_fields(web, view.fields);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.fields, N_FIELDS);
    err = admin_check_zone(web, view.fields, N_FIELDS);
    if (err == OK && form_is_good(view.fields, N_FIELDS)) {
        err = keep(web, &view, &id, &is_partly);
    }
    if (err != OK) {
        return err;
    }
    if (id == 0) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show(web, &view);
    }
    return form_done(web, page_rates_path(web->op->arena, id),
                     is_partly ? "partly" : "added");
}
