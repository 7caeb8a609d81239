/* The room of requests that are read: promised by what is known of a body's length, and weighed by
 * the memory that they take. */
#ifndef TIDEMARK_INGEST_ROOM_H
#define TIDEMARK_INGEST_ROOM_H

#include "base/op.h"
#include "ingest/queue.h"

/* Room in the queue for a request of the tenant (0: not known yet) whose body will have so many
 * bytes, but no more than `most_bytes`, until the op's arena is reset. ERR_UNAVAILABLE when there
 * is none. */
enum err room_reserve(struct ingest_queue *queue, struct op *op, int32_t tenant_id,
                      size_t body_bytes, size_t most_bytes, struct queue_room **out) MUST_CHECK;

/* From now on the op's arena hands out what the room allows (`*room` NULL: UNWEIGHED_BYTES, and
 * a room is made); beyond that the room grows, and is then of the tenant that `*tenant_id` says at
 * that time. What finds no place fails, and op_settle says so. */
enum err room_weigh(struct ingest_queue *queue, struct op *op, const int32_t *tenant_id,
                    struct queue_room **room) MUST_CHECK;

/* Lets the op's arena be as it was: who is weighed by another from now on, or not at all. */
void room_unweigh(struct op *op);

#endif
