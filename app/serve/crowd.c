/* A list of the transfers that go on, no longer than there are threads: it is read through. Called
 * by own.c. */
#include "serve/crowd.h"

#include <pthread.h>

struct crowd_place {
    bool is_taken;
    int32_t tenant_id;
    int64_t token_id, person_id; /* one of them is 0 */
};

struct crowd {
    pthread_mutex_t lock; /* of all below */
    int n;                /* places */
    int most_of_sender, most_of_tenant;
    struct crowd_place places[];
};

static int at_least_one(int n)
{
    return n > 0 ? n : 1;
}

struct crowd *crowd_new(struct arena *arena, int threads)
{
    struct crowd *crowd =
        arena_alloc(arena, sizeof *crowd + (size_t)threads * sizeof crowd->places[0]);

    if (!crowd) {
        return NULL;
    }
    memset(crowd, 0, sizeof *crowd + (size_t)threads * sizeof crowd->places[0]);
    pthread_mutex_init(&crowd->lock, NULL);
    crowd->n = threads;
    crowd->most_of_sender = at_least_one(threads / 2);
    crowd->most_of_tenant = at_least_one(threads * 3 / 4);
    return crowd;
}

/* A free place, where the limits leave one to such a transfer; else NULL. */
static struct crowd_place *find_place(struct crowd *crowd, const struct crowd_place *like)
{
    struct crowd_place *free_place = NULL;
    int of_tenant = 0, of_sender = 0;

    for (int i = 0; i < crowd->n; i++) {
        struct crowd_place *place = &crowd->places[i];
        if (!place->is_taken) {
            free_place = place;
        } else if (place->tenant_id == like->tenant_id) {
            of_tenant++;
            of_sender += place->token_id == like->token_id && place->person_id == like->person_id;
        }
    }
    return of_tenant < crowd->most_of_tenant && of_sender < crowd->most_of_sender ? free_place
                                                                                  : NULL;
}

enum err crowd_enter(struct crowd *crowd, struct op *op, const struct identity *who,
                     struct crowd_place **out)
{
    const struct crowd_place place = { true, who->tenant_id, who->token_id, who->person_id };

    pthread_mutex_lock(&crowd->lock);
    *out = find_place(crowd, &place);
    if (*out) {
        **out = place;
    }
    pthread_mutex_unlock(&crowd->lock);
    return *out ? OK
                : fail(op, ERR_RATE_LIMITED,
                       "Too many files are being sent by this sender or its tenant; send this one "
                       "again in %d seconds.",
                       CROWD_RETRY_S);
}

void crowd_leave(struct crowd *crowd, struct crowd_place *place)
{
    if (place) {
        pthread_mutex_lock(&crowd->lock);
        place->is_taken = false;
        pthread_mutex_unlock(&crowd->lock);
    }
}
