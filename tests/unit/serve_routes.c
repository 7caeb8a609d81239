/* The list of URLs against what else has to know of each: whoever adds a convention is told here what
 * is still missing. */
#include "domain/mapping.h"
#include "ingest/adapters.h"
#include "serve/metrics.h"
#include "serve/route.h"

#include "tap.h"

static void test_adapters(void)
{
    bool is_used[64] = { false };
    int n = 0;

    for (int i = 0; i < N_ROUTES; i++) {
        if (!ROUTES[i].format || ROUTES[i].handler) {
            continue;
        }
        const char *key = ingest_adapter_key(ROUTES[i].format);
        ok(key && mapping_is_adapter(str_of(key)), "what comes to %s has an adapter", ROUTES[i].path);
        for (int k = 0; key && ADAPTER_KEYS[k]; k++) {
            is_used[k] = is_used[k] || strcmp(ADAPTER_KEYS[k], key) == 0;
        }
        n++;
    }
    ok(n >= 17, "%d addresses take readings", n);
    for (int k = 0; ADAPTER_KEYS[k]; k++) {
        ok(is_used[k], "the adapter %s has an address", ADAPTER_KEYS[k]);
    }
}

int main(void)
{
    test_adapters();
    ok(N_ROUTES <= METRICS_MAX_ROUTES, "each address can be counted");
    return done_testing();
}
