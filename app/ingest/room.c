/* Promises and weights of requests under way. A body says how long it is, not what it becomes, when
 * it is unpacked say: so the arena of the request asks for what it hands out, a step at a time, and
 * whatever a format makes of its body is weighed while it does. Called by the service. */
#include "ingest/room.h"

#include "base/limits.h"

enum err room_reserve(struct ingest_queue *queue, struct op *op, int32_t tenant_id,
                      size_t body_bytes, size_t most_bytes, struct queue_room **out)
{
    struct queue_room *room = arena_alloc(op->arena, sizeof *room);
    size_t bytes = body_bytes * REQUEST_BYTES_PER_BODY_BYTE;

    *out = NULL;
    if (!room) {
        return fail_memory(op);
    }
    bytes = bytes < most_bytes ? bytes : most_bytes;
    enum err err = ingest_queue_reserve(queue, op, tenant_id, bytes, room);
    if (err) {
        return err;
    }
    *out = room;
    return arena_on_reset(op->arena, ingest_queue_leave, room) ? OK : fail_memory(op);
}

struct weight {
    struct queue_room *room;
    const int32_t *tenant_id;
};

static size_t grant(void *context, size_t wanted)
{
    const struct weight *weight = context;
    size_t bytes = (wanted + WEIGHED_STEP_BYTES - 1) / WEIGHED_STEP_BYTES * WEIGHED_STEP_BYTES;

    if (bytes > ingest_queue_most(weight->room->queue)) {
        return ARENA_NEVER;
    }
    return ingest_queue_grow(weight->room, *weight->tenant_id, bytes) ? weight->room->bytes : 0;
}

/* A room of nothing yet. */
static struct queue_room *room_new(struct ingest_queue *queue, struct op *op)
{
    struct queue_room *room = arena_alloc(op->arena, sizeof *room);

    if (!room) {
        return NULL;
    }
    *room = (struct queue_room){ .queue = queue };
    return arena_on_reset(op->arena, ingest_queue_leave, room) ? room : NULL;
}

enum err room_weigh(struct ingest_queue *queue, struct op *op, const int32_t *tenant_id,
                    struct queue_room **room)
{
    struct weight *weight = arena_alloc(op->arena, sizeof *weight);
    size_t granted = *room ? (*room)->bytes : arena_used(op->arena) + UNWEIGHED_BYTES;

    *room = *room ? *room : room_new(queue, op);
    if (!weight || !*room) {
        return fail_memory(op);
    }
    *weight = (struct weight){ *room, tenant_id };
    arena_meter(op->arena, granted, grant, weight);
    return OK;
}

void room_unweigh(struct op *op)
{
    arena_meter(op->arena, 0, NULL, NULL);
}
