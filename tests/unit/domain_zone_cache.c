/* domain/zone_cache: what is put is found for spans inside of it and for no other zone, bucket or
 * span; nothing too large is kept, and the oldest goes first. */
#include "domain/zone_cache.h"

#include "tap.h"

#include <stdio.h>

static struct op op;

static void put(const char *zone, const char *bucket, int64_t from_us, int n)
{
    static struct zone_offset items[1000];
    struct zone_span span = { zone, bucket, from_us, from_us + n };
    for (int i = 0; i < n; i++) {
        items[i] = (struct zone_offset){ from_us + i, i };
    }
    zone_cache_put(&span, &(struct zone_known){ items, n });
}

/* How many items are known of that span, -1: it is not. */
static int get(const char *zone, const char *bucket, int64_t from_us, int64_t to_us)
{
    struct zone_span span = { zone, bucket, from_us, to_us };
    struct zone_known known = { 0 };
    return zone_cache_get(&op, &span, &known) ? known.n : -1;
}

int main(void)
{
    op.arena = arena_new(1 << 20);
    is_int(get("Europe/Berlin", "", 100, 101), -1, "nothing is known at first");
    put("Europe/Berlin", "", 100, 10);
    put("Europe/Berlin", "1d", 100, 20);
    is_int(get("Europe/Berlin", "", 100, 110), 10, "all of what was put");
    is_int(get("Europe/Berlin", "", 103, 105), 10, "a span inside of it");
    is_int(get("Europe/Berlin", "1d", 100, 120), 20, "a bucket's starts are others");
    is_int(get("Europe/Berlin", "1h", 100, 110), -1, "another bucket is not known");
    is_int(get("Europe/Paris", "", 100, 110), -1, "nor another zone");
    is_int(get("Europe/Berlin", "", 99, 105), -1, "nor what begins earlier");
    is_int(get("Europe/Berlin", "", 105, 111), -1, "nor what ends later");
    put("Europe/Berlin", "", 90, 30);
    is_int(get("Europe/Berlin", "", 90, 120), 30, "a longer span takes a shorter one's place");
    put("Europe/Paris", "15m", 0, 1000);
    is_int(get("Europe/Paris", "15m", 0, 1000), -1, "what is too large is not kept");
    for (int i = 0; i < 64; i++) {
        char zone[20];
        snprintf(zone, sizeof zone, "Etc/Test%d", i);
        put(zone, "", 0, 5);
    }
    is_int(get("Europe/Berlin", "", 90, 120), -1, "sixty-four later ones displace it");
    is_int(get("Etc/Test63", "", 0, 5), 5, "and are known themselves");
    arena_free(op.arena);
    return done_testing();
}
