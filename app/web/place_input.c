/* Reads places and makes their form. Called by the pages of energy, costs and bills. */
#include "web/place_input.h"

#include "domain/cost_list.h"
#include "domain/cost_meter.h"
#include "domain/site.h"
#include "domain/zone.h"
#include "web/cost_input.h"

#define BACK_DAYS 800
#define AHEAD_DAYS 40
#define SITES_SHOWN 200   /* to choose from */
#define DEVICES_SHOWN 200 /* suggested */

/* Completes a place whose query is there. */
static enum err complete(struct web *web, int64_t from_day, struct place *out)
{
    struct arena *arena = web->op->arena;
    enum err err = cost_zone(web->tx, &out->query, &out->zone_name);

    if (err != OK) {
        return err;
    }
    int64_t from_us = out->query.now_us - BACK_DAYS * US_PER_DAY;
    int64_t first_us = (from_day - AHEAD_DAYS) * US_PER_DAY;
    out->site = out->query.site.ptr ? arena_copy(arena, out->query.site) : NULL;
    out->device = out->query.device.ptr ? arena_copy(arena, out->query.device) : NULL;
    return zone_load(web->tx, out->zone_name, first_us < from_us ? first_us : from_us,
                     out->query.now_us + AHEAD_DAYS * US_PER_DAY, &out->zone);
}

enum err place_read(struct web *web, int64_t from_day, struct place *out)
{
    *out = (struct place){ .site = NULL };
    enum err err = cost_input_place(web, &out->query);
    return err == OK ? complete(web, from_day, out) : err;
}

enum err place_read_of(struct web *web, struct str site, struct str device, struct place *out)
{
    *out = (struct place){ .query = { .site = site,
                                      .device = device,
                                      .as_of_us = COST_LATEST,
                                      .now_us = clock_now_us() } };
    return complete(web, COST_LAST_DAY, out);
}

static enum err add_sites(struct web *web, struct place_view *out)
{
    struct site_list sites;
    enum err err = site_list(web->tx, (struct str){ NULL, 0 }, SITES_SHOWN, &sites);

    if (err != OK) {
        return err;
    }
    struct choice_view *choices = arena_array(web->op->arena, (size_t)sites.n + 1, sizeof *choices);
    if (!choices) {
        return fail_memory(web->op);
    }
    choices[0] = (struct choice_view){ "", "All sites" };
    for (int i = 0; i < sites.n; i++) {
        const struct site *site = &sites.items[i];
        choices[i + 1] =
            (struct choice_view){ site->key,
                                  site->name && site->name[0] != '\0' ? site->name : site->key };
    }
    out->sites = choices;
    out->n_sites = sites.n > 0 ? sites.n + 1 : 0;
    return OK;
}

/* Those that tell energy. */
static enum err add_devices(struct web *web, struct place_view *out)
{
    struct cost_meter_devices devices;
    enum err err = cost_meter_devices_load(web->tx, DEVICES_SHOWN, &devices);

    if (err != OK) {
        return err;
    }
    struct choice_view *choices =
        arena_array(web->op->arena, (size_t)devices.n + 1, sizeof *choices);
    if (!choices) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < devices.n; i++) {
        choices[i] = (struct choice_view){ devices.items[i].device, devices.items[i].site };
    }
    out->devices = choices;
    out->n_devices = devices.n;
    return OK;
}

enum err place_form(struct web *web, const struct place *place, const char *action,
                    struct place_view *out)
{
    *out = (struct place_view){
        .action = action,
        .site = place->site ? place->site : "",
        .device = place->device ? place->device : "",
    };
    enum err err = add_sites(web, out);
    return err == OK ? add_devices(web, out) : err;
}

const char *place_words(struct arena *arena, const struct place *place)
{
    if (place->device) {
        return arena_printf(arena, "Device %s, %s", place->device, place->zone_name);
    }
    return place->site ? arena_printf(arena, "Site %s, %s", place->site, place->zone_name)
                       : arena_printf(arena, "All sites, %s", place->zone_name);
}
