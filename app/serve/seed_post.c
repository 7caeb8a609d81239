/* Posts the demo's live readings. Called by cmd_seed.c. Readings come from domain/demo,
 * requests go out by outbound/http_client. */
#include "serve/seed_post.h"

#include "auth/token.h"
#include "base/json.h"
#include "base/limits.h"
#include "domain/demo_seed.h"
#include "outbound/http_client.h"
#include "serve/seed_conns.h"
#include "serve/stop_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_TENANTS 4
#define MAX_DEVICES (MAX_TENANTS * DEMO_MAX_DEVICES)
#define TOKEN_NAME "demo poster"
#define STATE_ARENA_BYTES (16u << 20)  /* zones, and a gap's samples while it is filled */
#define POST_ARENA_BYTES (1u << 20)    /* one request */
#define POST_TIMEOUT_MS 10000
#define MAX_EVENT_BYTES 4096
#define MAX_WAIT_S 300                 /* between attempts while nobody answers */
#define GAP_US (2 * DEMO_STEP_US)      /* more than this is filled as history */
#define SET_UP_EVERY_US US_PER_MINUTE  /* at most, whatever goes wrong */

/* A device that posts. */
struct post_device {
    const struct demo_store *store;
    int index;                  /* in the store's tenant */
    char token[TOKEN_SIZE];
    int64_t last_us;            /* last reading that was taken, or is in the database */
    int64_t next_try_us;
    int n_failures;             /* in a row */
};

struct poster {
    const struct config *config;
    const char *url;            /* of POST /v1/event */
    int every_s;
    int stop_fd;
    struct http_client client;
    struct arena *state_arena;  /* what the stores point to */
    struct arena *post_arena;
    struct demo_store stores[MAX_TENANTS];
    int n_stores;
    struct post_device devices[MAX_DEVICES];
    int n_devices;
    bool is_set_up;             /* stores and devices are good */
    int64_t set_up_us;          /* not to be set up again before */
};

/* ---- setting up ---- */

static enum err make_token(struct op *op, const struct demo_conns *conns,
                           struct post_device *device)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    char prefix[TOKEN_SHOWN_BYTES + 1];
    const struct demo_tenant *tenant = device->store->tenant;
    token_make(device->token);
    token_hash(str_of(device->token), hash);
    snprintf(prefix, sizeof prefix, "%s", device->token);
    struct new_token token = { .tenant_slug = tenant->slug, .kind = "device",
                               .device_key = tenant->devices[device->index].key,
                               .name = TOKEN_NAME, .hash = hash, .prefix = prefix,
                               .expires_us = ACCOUNT_NEVER };
    return demo_token_put(op, conns, &token);
}

static enum err open_tenant(struct op *op, const struct demo_conns *conns, struct poster *poster,
                            const struct demo_tenant *tenant)
{
    struct demo_store *store = &poster->stores[poster->n_stores++];
    int64_t samples = 0;
    enum err err = demo_store_open(op, conns, tenant, store);
    if (err == OK) {
        err = demo_store_fill(op, conns, store, clock_now_us(), &samples);
    }
    if (err == OK) {
        err = demo_tokens_revoke(op, conns, tenant->slug, TOKEN_NAME);
    }
    for (int i = 0; err == OK && i < tenant->n_devices; i++) {
        struct post_device *device = &poster->devices[poster->n_devices++];
        *device = (struct post_device){ .store = store, .index = i, .last_us = store->last_us[i] };
        err = make_token(op, conns, device);
    }
    return err;
}

/* (Re)reads all from the database: fills what is missing up to now and makes new tokens. */
static bool set_up(struct poster *poster)
{
    struct op op;
    struct demo_conns conns;
    arena_reset(poster->state_arena);
    op_init(&op, poster->state_arena, "seed");
    poster->n_stores = poster->n_devices = 0;
    enum err err = seed_conns_open(&op, poster->config, &conns);
    for (int i = 0; err == OK && i < demo_tenants_count && i < MAX_TENANTS; i++) {
        err = open_tenant(&op, &conns, poster, &demo_tenants[i]);
    }
    seed_conns_close(&conns);
    if (err != OK) {
        op_log_fault(&op);
    }
    return err == OK;
}

static void revoke_tokens(struct poster *poster)
{
    struct op op;
    struct demo_conns conns;
    arena_reset(poster->post_arena);
    op_init(&op, poster->post_arena, "seed");
    enum err err = seed_conns_open(&op, poster->config, &conns);
    for (int i = 0; err == OK && i < demo_tenants_count; i++) {
        err = demo_tokens_revoke(&op, &conns, demo_tenants[i].slug, TOKEN_NAME);
    }
    seed_conns_close(&conns);
    if (err != OK) {
        op_log_fault(&op);
    }
}

/* ---- posting ---- */

static void write_event(struct buf *out, const struct post_device *device, int64_t time_us)
{
    const struct demo_device *demo = &device->store->tenant->devices[device->index];
    struct demo_moment moment = demo_moment_at(demo, &device->store->zone, device->last_us,
                                               time_us);
    char time[CLOCK_TEXT_SIZE];
    struct json_writer json;
    json_writer_init(&json, out);
    json_open_object(&json);
    json_key(&json, "device");
    json_text(&json, demo->key);
    json_key(&json, "time");
    json_text(&json, clock_format(time_us, time));
    json_key(&json, "metrics");
    json_open_object(&json);
    for (int i = 0; i < demo->n_metrics; i++) {
        json_key(&json, demo->metrics[i].name);
        json_double(&json, demo_value(demo, &demo->metrics[i], &moment));
    }
    json_close_object(&json);
    json_close_object(&json);
}

/* Notes a failure and when to try again; says so once, not at every attempt. */
static void put_off(struct poster *poster, struct post_device *device, int64_t now_us,
                    int retry_after_s, const char *why)
{
    const struct demo_device *demo = &device->store->tenant->devices[device->index];
    int wait_s = poster->every_s << (device->n_failures < 5 ? device->n_failures : 5);
    wait_s = wait_s > MAX_WAIT_S ? MAX_WAIT_S : wait_s;
    wait_s = retry_after_s > wait_s ? retry_after_s : wait_s;
    if (device->n_failures++ == 0) {
        log_warn("posting a demo reading", LOG_TEXT("device", demo->key), LOG_TEXT("error", why));
    }
    device->next_try_us = now_us + wait_s * US_PER_SECOND;
}

static void note_taken(struct post_device *device, int64_t time_us)
{
    const struct demo_device *demo = &device->store->tenant->devices[device->index];
    if (device->n_failures > 0) {
        log_info("demo readings are taken again", LOG_TEXT("device", demo->key));
    }
    device->n_failures = 0;
    device->last_us = time_us;
}

/* Posts one reading. False when the credentials no longer hold. */
static bool post_reading(struct poster *poster, struct post_device *device, int64_t time_us)
{
    struct op op;
    struct buf body;
    struct http_client_answer answer;
    arena_reset(poster->post_arena);
    op_init(&op, poster->post_arena, "seed");
    buf_init(&body, op.arena, MAX_EVENT_BYTES);
    write_event(&body, device, time_us);
    struct http_client_request request = { .url = poster->url, .bearer = device->token,
                                           .content_type = "application/json",
                                           .body = buf_str(&body), .timeout_ms = POST_TIMEOUT_MS };
    if (http_client_post(&poster->client, &op, &request, &answer) != OK) {
        put_off(poster, device, time_us, 0, op.fault.detail);
        return true;
    }
    if (answer.status / 100 == 2) {
        note_taken(device, time_us);
        return true;
    }
    char *why = arena_printf(op.arena, "status %d: %.*s", answer.status, (int)answer.body.len,
                             answer.body.len ? answer.body.ptr : "");
    put_off(poster, device, time_us, answer.retry_after_s, why);
    return answer.status != 401 && answer.status != 403;
}

/* True when a device that is due has been silent for so long that its next reading alone
 * would not tell what was in between. */
static bool has_gap(const struct poster *poster, int64_t time_us)
{
    for (int i = 0; i < poster->n_devices; i++) {
        const struct post_device *device = &poster->devices[i];
        if (device->next_try_us <= time_us && time_us - device->last_us > GAP_US) {
            return true;
        }
    }
    return false;
}

/* One round. After a long pause the past is filled as the past; after a revoked token or a
 * removed tenant all is made again. */
static void post_all(struct poster *poster, int64_t time_us)
{
    if (poster->set_up_us <= time_us && (!poster->is_set_up || has_gap(poster, time_us))) {
        poster->is_set_up = set_up(poster);
        poster->set_up_us = time_us + SET_UP_EVERY_US;
    }
    for (int i = 0; poster->is_set_up && i < poster->n_devices; i++) {
        struct post_device *device = &poster->devices[i];
        if (device->next_try_us <= time_us && device->last_us < time_us) {
            poster->is_set_up = post_reading(poster, device, time_us);
        }
    }
}

/* Waits until `time_us`. False when it is time to stop. */
static bool wait_until(const struct poster *poster, int64_t time_us)
{
    struct pollfd stop = { .fd = poster->stop_fd, .events = POLLIN };
    int64_t wait_us = time_us - clock_now_us();
    int ready = poll(&stop, 1, wait_us > 0 ? (int)((wait_us + 999) / 1000) : 0);
    return ready == 0 || (ready < 0 && errno == EINTR);
}

static void run(struct poster *poster)
{
    int64_t every_us = poster->every_s * US_PER_SECOND;
    log_info("demo devices post", LOG_TEXT("url", poster->url),
             LOG_INT("every_s", poster->every_s));
    for (;;) {
        int64_t next_us = (clock_now_us() / every_us + 1) * every_us;
        if (!wait_until(poster, next_us)) {
            break;
        }
        post_all(poster, next_us);
    }
    log_info("demo devices stop");
}

bool seed_post(const struct config *config, const char *url, int every_s)
{
    struct poster poster = { .config = config, .url = url, .every_s = every_s,
                             .stop_fd = stop_fd_open(),
                             .state_arena = arena_new(STATE_ARENA_BYTES),
                             .post_arena = arena_new(POST_ARENA_BYTES) };
    bool is_ready = poster.stop_fd >= 0 && poster.state_arena != NULL &&
                    poster.post_arena != NULL && http_client_open(&poster.client);
    if (is_ready) {
        run(&poster);
        revoke_tokens(&poster);
        http_client_close(&poster.client);
    }
    arena_free(poster.state_arena);
    arena_free(poster.post_arena);
    if (poster.stop_fd >= 0) {
        close(poster.stop_fd);
    }
    return is_ready;
}
