/* Joining: one attempt at a time reads the parts of a file one after another into an object of its
 * own, which becomes the file's. It notes every some seconds that it is at work: others wait
 * meanwhile, and one whose process has ended is in nobody's way for long. Called by parts.c. */
#include "transfer/join.h"

#include "base/clock.h"

#include <inttypes.h>

#define BEAT_US (10 * US_PER_SECOND) /* far below the two minutes of upload_join_begin */
#define BUSY_RETRY_S "10"

/* An attempt. */
struct joiner {
    struct web *web;
    struct receiving *file;
    struct upload_part_begun begun;
    int64_t next_beat_us; /* monotonic */
};

enum err join_busy(struct web *web)
{
    op_clear_fault(web->op);
    (void)http_add_header(web->response, "Retry-After", BUSY_RETRY_S);
    return fail(web->op, ERR_CHANGING,
                "The parts of this file are being joined; ask again a little later.");
}

void join_abandon(struct web *web, const char *file_id, const struct upload_part_begun *begun)
{
    struct fault why = web->op->fault;

    op_clear_fault(web->op);
    enum err err = web->own->begin(web, true);
    if (err == OK) {
        err = web->own->end(web, upload_part_abandon(web->tx, file_id, begun->id));
    }
    if (err != OK) {
        op_log_fault(web->op);
    }
    web->op->fault = why;
}

/* ---- the parts ---- */

/* Says that the attempt is at work. A database that is away for a moment does not end it. */
static enum err beat(struct joiner *joiner)
{
    struct web *web = joiner->web;
    enum err err = web->own->begin(web, true);

    joiner->next_beat_us = clock_monotonic_us() + BEAT_US;
    if (err == OK) {
        err = web->own->end(web, upload_join_beat(web->tx, joiner->file->begun.id,
                                                  joiner->begun.id));
    }
    if (err != ERR_CONFLICT && err_may_pass(err)) {
        op_log_fault(web->op);
        op_clear_fault(web->op);
        err = OK;
    }
    return err;
}

static enum err pass_on(void *context, struct op *op, struct str bytes)
{
    struct joiner *joiner = context;
    enum err err = store_put_write(joiner->file->put, op, bytes);

    return err == OK && clock_monotonic_us() >= joiner->next_beat_us ? beat(joiner) : err;
}

/* What was there is not any more: ERR_CONFLICT, as whoever sends is to go on from before it. */
static enum err lose_part(struct joiner *joiner, const struct upload_part *part, int64_t *received)
{
    struct web *web = joiner->web;

    op_clear_fault(web->op);
    enum err err = web->own->begin(web, true);
    if (err == OK) {
        err = web->own->end(web, upload_part_lost(web->tx, joiner->file->begun.id, part->id,
                                                  received));
    }
    if (err != OK) {
        return err;
    }
    log_error("the object store has lost a part of a file", LOG_TEXT("key", part->key));
    return fail(web->op, ERR_CONFLICT, "A part that was there is lost.");
}

/* Whether the store has less of a part than was sent, or none, which is why it was not read. */
static bool is_lost(struct web *web, const struct upload_part *part)
{
    struct fault why = web->op->fault;
    struct store_object object = { .size = part->size };

    op_clear_fault(web->op);
    enum err err = store_head(web->own->copy_store, web->op, part->key, &object);
    web->op->fault = why;
    if (err == OK && object.size != part->size) {
        log_error("the object store has a part of a file by half", LOG_TEXT("key", part->key),
                  LOG_INT("bytes", object.size), LOG_INT("sent", part->size));
    }
    return err == ERR_NOT_FOUND || (err == OK && object.size != part->size);
}

static enum err copy_parts(struct joiner *joiner, const struct upload_part_list *parts,
                           int64_t *received)
{
    struct web *web = joiner->web;
    enum err err = OK;

    for (int i = 0; i < parts->n && err == OK; i++) {
        const struct store_range all = { 0, parts->items[i].size };
        err = store_get(web->own->copy_store, web->op, parts->items[i].key, all, pass_on, joiner);
        if (err != OK && err != ERR_UNAVAILABLE && is_lost(web, &parts->items[i])) {
            return lose_part(joiner, &parts->items[i], received);
        }
    }
    return err;
}

/* The parts must be the whole file before the object that has them is kept. */
static enum err check_sum(const struct joiner *joiner, const struct upload_part_list *parts,
                          int64_t total)
{
    int64_t sum = 0;

    for (int i = 0; i < parts->n; i++) {
        sum += parts->items[i].size;
    }
    return sum == total
               ? OK
               : fail(joiner->web->op, ERR_INTERNAL,
                      "the parts of %s have %" PRId64 " bytes, not %" PRId64,
                      joiner->file->begun.id, sum, total);
}

/* ---- the file ---- */

/* The object of the attempt. */
static enum err make_object(struct joiner *joiner, const struct upload_part_list *parts,
                            int64_t *received)
{
    struct web *web = joiner->web;
    struct receiving *file = joiner->file;
    enum err err = store_put_begin(web->own->store, web->op, joiner->begun.key, &file->put);

    if (err != OK) {
        return err;
    }
    err = copy_parts(joiner, parts, received);
    if (err == OK) {
        return receive_end(web, file);
    }
    store_put_abort(file->put);
    file->put = NULL;
    return err;
}

/* Makes the file visible as it was joined. */
static enum err show(const struct joiner *joiner)
{
    struct web *web = joiner->web;
    const struct receiving *file = joiner->file;
    enum err err = web->own->begin(web, true);

    return err == OK ? web->own->end(web, upload_join_finish(web->tx, file->begun.id,
                                                             joiner->begun.id, file->written.sha256,
                                                             file->draft.quota))
                     : err;
}

static enum err begin_join(struct joiner *joiner, struct upload_part_list *parts)
{
    struct web *web = joiner->web;
    const char *id = joiner->file->begun.id;
    enum err err = web->own->begin(web, true);

    if (err != OK) {
        return err;
    }
    err = upload_join_begin(web->tx, id, &joiner->begun);
    if (err == OK) {
        err = upload_parts(web->tx, id, parts);
    }
    return web->own->end(web, err);
}

enum err join_parts(struct web *web, struct receiving *file, int64_t total, int64_t *received)
{
    struct joiner joiner = { .web = web, .file = file,
                             .next_beat_us = clock_monotonic_us() + BEAT_US };
    struct upload_part_list parts = { .n = 0 };
    enum err err = begin_join(&joiner, &parts);

    if (err != OK) {
        return err == ERR_CHANGING ? join_busy(web) : err;
    }
    err = check_sum(&joiner, &parts, total);
    if (err == OK) {
        err = make_object(&joiner, &parts, received);
    }
    if (err == OK) {
        err = show(&joiner);
    }
    if (err != OK) {
        join_abandon(web, file->begun.id, &joiner.begun);
    }
    return err;
}
