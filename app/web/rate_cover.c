/* Says what a new version of a rate schedule would cover, see the header. */
#include "web/rate_cover.h"

#include "domain/rate_holds.h"

/* "Version 2 (from 2026-01-01)", of several joined. */
static const char *names_of(struct arena *arena, const struct rate_version_list *list)
{
    const char *text = list->n == 1 ? "Version" : "Versions";

    for (int i = 0; text && i < list->n; i++) {
        const char *between = i == 0 ? " " : i + 1 < list->n ? ", " : " and ";
        text = arena_printf(arena, "%s%s%d (from %s)", text, between, (int)list->items[i].number,
                            list->items[i].from_day);
    }
    return text;
}

enum err rate_cover_check(struct web *web, int32_t id, const struct tariff *tariff,
                          struct rate_cover *out, bool *may_save)
{
    struct arena *arena = web->op->arena;
    struct rate_version_list versions, covered = { .n = 0 };
    enum err err = rate_version_list(web->tx, id, &versions);

    *out = (struct rate_cover){ .is_ticked = str_equal(web_form(web, "cover"), STR("yes")) };
    if (err == OK) {
        err = rate_holds_over(web->op, &versions, tariff, &covered);
    }
    if (err == OK && covered.n > 0) {
        out->text = arena_printf(arena, "%s would hold on no day any more: on all of %s days this "
                                 "one, which begins earlier, would be the newest.",
                                 names_of(arena, &covered), covered.n == 1 ? "its" : "their");
        err = out->text ? OK : fail_memory(web->op);
    }
    *may_save = !out->text || out->is_ticked;
    return err;
}

struct notice_view rate_cover_refused(struct web *web)
{
    web->response->status = 422;
    return (struct notice_view){ "Nothing was saved: this version would cover a later one. Give it "
                                 "the day on which it ends, or say below that this is meant.",
                                 "bad" };
}
