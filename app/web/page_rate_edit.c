/* /admin/rates/new and /admin/rates/{id}/edit: a rate schedule as a form of seasons, periods, rules
 * and prices, with what yesterday would have cost under it before anything is kept. */
#include "web/page_rates.h"

#include "domain/span.h"
#include "domain/tariff_write.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/format_money.h"
#include "view/model_bill.h"
#include "view/model_rates.h"
#include "view/models_editor.h"
#include "web/api_rates.h"
#include "web/bill_write.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/rate_base.h"
#include "web/rate_cover.h"
#include "web/rate_form.h"
#include "web/rate_form_rows.h"

#define MAX_DOCUMENT_BYTES (2u << 20)

/* What is edited. */
struct editing {
    int32_t id;                /* 0: a new one */
    struct editor_view *view;
    struct rate_input input;   /* tariff NULL: not whole */
};

static enum err begin(struct web *web, bool is_new, struct editing *out)
{
    struct rate_schedule schedule;
    enum err err = is_new ? OK : api_rates_capture(web, &out->id);
    struct editor_view *view = arena_alloc(web->op->arena, sizeof *view);

    if (!view) {
        return fail_memory(web->op);
    }
    if (err != OK) {
        return err;
    }
    out->view = view;
    rate_form_init(&view->form);
    view->is_new = is_new;
    view->heading = "A new rate schedule";
    view->back = "/admin/rates";
    view->action = "/admin/rates/new";
    if (!is_new) {
        err = rate_schedule_find(web->tx, out->id, &schedule);
        view->back = page_rates_path(web->op->arena, out->id);
        view->action = arena_printf(web->op->arena, "/admin/rates/%d/edit", (int)out->id);
        view->heading = err == OK ? schedule.name : "";
        view->newer.base = err == OK ? schedule.newest.number : 0;
    }
    return err;
}

/* ---- what yesterday would have cost ---- */

static enum err rate_yesterday(struct web *web, const struct tariff *tariff, int32_t id,
                               int64_t today, struct cost_accounts *accounts, struct bill_sum *sum)
{
    const struct cost_query query = {
        .from = { .kind = BOUND_DAY, .day = today - 1 },
        .to = { .kind = BOUND_DAY, .day = today },
        .as_of_us = COST_LATEST,
        .now_us = clock_now_us(),
        .schedule_id = tariff ? id : 0,
        .tariff = tariff,
    };
    enum err err = cost_load(web->tx, &query, accounts);

    return err == OK ? bill_sum(web, accounts, sum) : err;
}

/* What it did cost, where that can be added up. */
static enum err add_now(struct web *web, int64_t today, struct editor_view *view)
{
    struct cost_accounts accounts;
    struct bill_sum sum;
    enum err err = rate_yesterday(web, NULL, 0, today, &accounts, &sum);

    if (err == ERR_INVALID) {
        op_clear_fault(web->op);
        return OK;
    }
    if (err == OK) {
        view->preview_now =
            format_money(web->op->arena, sum.total, sum.decimals, sum.currency);
    }
    return err;
}

static enum err add_preview(struct web *web, const struct editing *editing)
{
    struct editor_view *view = editing->view;
    struct cost_accounts accounts;
    struct bill_sum sum;
    struct zone zone;
    enum err err = page_zone(web, clock_now_us(), &zone);

    if (err != OK) {
        return err;
    }
    int64_t today = span_day_of(&zone, clock_now_us());
    view->preview_day =
        format_day_long(web->op->arena, &zone, span_day_start(&zone, today - 1));
    err = rate_yesterday(web, editing->input.tariff, editing->id, today, &accounts, &sum);
    if (err == ERR_INVALID) {
        view->preview_problem = arena_copy(web->op->arena, str_of(web->op->fault.detail));
        op_clear_fault(web->op);
        return OK;
    }
    if (err != OK) {
        return err;
    }
    view->preview_total = format_money(web->op->arena, sum.total, sum.decimals, sum.currency);
    view->n_preview_parts = accounts.n;
    if (!bill_parts(web->op->arena, &accounts, sum.bills, &view->preview_parts)) {
        return fail_memory(web->op);
    }
    return add_now(web, today, view);
}

/* ---- the page ---- */

static enum err show(struct web *web, struct editing *editing)
{
    struct editor_view *view = editing->view;
    enum err err = OK;

    if (editing->input.tariff) {
        if (!model_rate(web->op->arena, editing->input.tariff, &view->week)) {
            return fail_memory(web->op);
        }
        err = add_preview(web, editing);
    }
    if (err != OK) {
        return err;
    }
    if (!rate_rows_show(web->op->arena, &view->form)) {
        return fail_memory(web->op);
    }
    view->page = page_view(web, view->heading, "/admin/rates");
    page_is_html(web);
    tpl_page_rate_edit(&web->response->body, view);
    return OK;
}

/* The document that the schedule is written as; ptr NULL without memory. */
static struct str written(struct web *web, const struct tariff *tariff)
{
    struct json_writer json;
    struct buf text;

    buf_init(&text, web->op->arena, MAX_DOCUMENT_BYTES);
    json_writer_init(&json, &text);
    tariff_write(&json, tariff);
    return text.is_broken ? (struct str){ NULL, 0 } : buf_str(&text);
}

/* Whether saving the form as it is would change nothing: it is written as a document, and that is
 * read to the same schedule. */
static enum err check_whole(struct web *web, struct editing *editing, bool *is_whole)
{
    struct problems apart, problems;
    struct rate_text text = { .timezone = { NULL, 0 } };
    struct rate_input again = { .tariff = NULL };

    problems_init(&apart, web->op->arena);
    enum err err = rate_form_write(web->op, &editing->view->form, &apart, &text.text);
    if (err == OK) {
        err = rate_input_read(web, &text, &problems, &again);
    }
    *is_whole = err == OK && apart.n_total == 0 && again.tariff &&
                str_equal(written(web, again.tariff), written(web, editing->input.tariff));
    return err;
}

/* The stored document as a form or, where that cannot hold all of it, as it is. */
static enum err load(struct web *web, const char *document, struct editing *editing)
{
    struct problems problems;
    struct rate_text text = { .text = str_of(document) };
    bool is_whole = false;
    enum err err = rate_input_read(web, &text, &problems, &editing->input);

    if (err == OK && !editing->input.tariff) {
        err = fail(web->op, ERR_INTERNAL, "rate schedule %d cannot be read", (int)editing->id);
    }
    if (err == OK) {
        err = rate_form_of(web->op, text.text, &editing->view->form, &is_whole);
    }
    is_whole = is_whole && rate_form_is_typed(web, &editing->view->form);
    if (err == OK && is_whole) {
        err = check_whole(web, editing, &is_whole);
    }
    if (err == OK && !is_whole) {
        editing->view->document = (struct field_view){
            .name = "document", .label = "Document", .type = "textarea", .rows = 20,
            .is_code = true, .is_required = true, .value = document,
            .hint = "This schedule has more than the form can hold.",
        };
    }
    return err;
}

enum err page_rate_edit(struct web *web)
{
    struct editing editing = { .id = 0 };
    struct rate_schedule schedule;
    const char *document = NULL;
    enum err err = begin(web, false, &editing);

    if (err == OK) {
        err = rate_schedule_find(web->tx, editing.id, &schedule);
    }
    if (err == OK) {
        err = rate_version_document(web->tx, editing.id, schedule.newest.number, &document);
    }
    if (err == OK) {
        err = load(web, document, &editing);
    }
    return err == OK ? show(web, &editing) : err;
}

enum err page_rate_new(struct web *web)
{
    struct editing editing = { .id = 0 };
    enum err err = begin(web, true, &editing);

    if (err != OK) {
        return err;
    }
    struct rate_form *form = &editing.view->form;
    form_field(form->head, EDITOR_HEAD, "timezone")->value = web->who->tenant_timezone;
    form_field(form->head, EDITOR_HEAD, "currency")->value = web->who->tenant_currency;
    rate_rows_add(&form->lists[EDITOR_CHARGES])->values[CHARGE_TYPE] = "energy";
    return show(web, &editing);
}

/* ---- what was posted ---- */

/* Reads the form's document; what is wrong with it stands beside the fields. */
static enum err read_posted(struct web *web, struct editing *editing)
{
    struct editor_view *view = editing->view;
    struct rate_wrong *wrongs = arena_array(web->op->arena, 2 * PROBLEMS_MAX, sizeof *wrongs);
    struct problems apart, problems;
    struct rate_text text = { .timezone = { NULL, 0 } };

    if (!wrongs) {
        return fail_memory(web->op);
    }
    bool is_good = rate_form_take(web, &view->form);
    problems_init(&apart, web->op->arena);
    enum err err = rate_form_write(web->op, &view->form, &apart, &text.text);
    if (err == OK) {
        err = rate_input_read(web, &text, &problems, &editing->input);
    }
    if (err != OK) {
        return err;
    }
    int n = rate_form_blame(web->op->arena, &view->form, &apart, wrongs);
    n += rate_form_blame(web->op->arena, &view->form, &problems, wrongs + n);
    view->wrongs = wrongs;
    view->n_wrongs = n;
    if (!is_good || apart.n_total > 0) {
        editing->input.tariff = NULL;
    }
    return OK;
}

static enum err save(struct web *web, struct editing *editing)
{
    bool is_new = editing->view->is_new;
    enum err err = rate_version_add(web->tx, editing->input.tariff, "json", &editing->id);

    return err == OK ? form_done(web, page_rates_path(web->op->arena, editing->id),
                                 is_new ? "added" : "changed")
                     : err;
}

/* What has to be said first: that the version is another's meanwhile, or covers a later one. */
static enum err check_saving(struct web *web, struct editing *editing, bool is_saving,
                             bool *may_save)
{
    struct editor_view *view = editing->view;
    bool may_cover = true;
    enum err err = rate_cover_check(web, editing->id, editing->input.tariff, &view->cover,
                                    &may_cover);

    if (err == OK && is_saving && !*may_save) {
        view->notice = rate_base_refused(web, &view->newer);
    } else if (err == OK && is_saving && !may_cover) {
        view->notice = rate_cover_refused(web);
    }
    *may_save = *may_save && may_cover;
    return err;
}

static enum err take(struct web *web, bool is_new)
{
    struct editing editing = { .id = 0 };
    struct str does = web_form(web, "do");
    bool is_saving = str_equal(does, STR("save")) || str_equal(does, STR("over"));
    bool may_save = is_new;
    enum err err = begin(web, is_new, &editing);

    if (err == OK && !is_new) {
        err = rate_base_check(web, editing.id, is_saving, &editing.view->newer, &may_save);
    }
    if (err == OK) {
        err = read_posted(web, &editing);
    }
    if (err == OK && editing.input.tariff && !is_new) {
        err = check_saving(web, &editing, is_saving, &may_save);
    }
    if (err == OK && editing.input.tariff && is_saving && may_save) {
        return save(web, &editing);
    }
    if (err == OK && !editing.input.tariff) {
        web->response->status = is_saving ? 422 : 200;
        editing.view->notice = (struct notice_view){
            is_saving ? "Nothing was saved. What is wrong stands beside the fields."
                      : "What is wrong stands beside the fields.", "bad",
        };
    }
    return err == OK ? show(web, &editing) : err;
}

enum err page_rate_edit_post(struct web *web)
{
    return take(web, false);
}

enum err page_rate_new_post(struct web *web)
{
    return take(web, true);
}
