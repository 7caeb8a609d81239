/* Versions that forms of rate schedules are opened from, see the header. */
#include "web/rate_base.h"

#include "domain/rate_schedule.h"
#include "view/format.h"
#include "web/page.h"
#include "web/page_rates.h"

/* The number of a field; 0 where there is none. */
static int64_t posted_number(const struct web *web, const char *name)
{
    long long number = 0;

    return str_to_int64(web_form(web, name), &number) && number > 0 ? number : 0;
}

static enum err tell(struct web *web, int32_t id, const struct rate_version *newest,
                     struct rate_newer *out)
{
    struct arena *arena = web->op->arena;
    struct zone zone;
    enum err err = page_zone(web, clock_now_us(), &zone);

    if (err == OK) {
        out->number = newest->number;
        out->next = newest->number + 1;
        out->made_by = page_rates_maker(newest->made_by);
        out->when = format_moment(arena, &zone, newest->known_us);
        out->path = arena_printf(arena, "/admin/rates/%d?version=%d", (int)id,
                                 (int)newest->number);
        err = out->path && out->when ? OK : fail_memory(web->op);
    }
    return err;
}

enum err rate_base_check(struct web *web, int32_t id, bool is_saving, struct rate_newer *out,
                         bool *may_save)
{
    bool is_over = str_equal(web_form(web, "do"), STR("over"));
    struct rate_version_list versions;
    enum err err = is_saving ? rate_schedule_hold(web->tx, id) : OK;

    if (err == OK) {
        err = rate_version_list(web->tx, id, &versions);
    }
    if (err == OK && versions.n == 0) {
        err = fail(web->op, ERR_INTERNAL, "rate schedule %d has no version", (int)id);
    }
    if (err != OK) {
        return err;
    }
    const struct rate_version *newest = &versions.items[0];
    *out = (struct rate_newer){ .base = posted_number(web, "base") };
    *may_save = out->base == newest->number ||
                (is_over && posted_number(web, "seen") == newest->number);
    return out->base == newest->number ? OK : tell(web, id, newest, out);
}

struct notice_view rate_base_refused(struct web *web, const struct rate_newer *newer)
{
    const char *text = arena_printf(web->op->arena,
                                    "Nothing was saved: version %lld was made after this form was "
                                    "opened. What you entered is still here.",
                                    (long long)newer->number);

    web->response->status = 409;
    return (struct notice_view){ text ? text : "Nothing was saved.", "bad" };
}
