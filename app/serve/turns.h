/* Whose turn it is to take the next request, among processes that listen to one socket. As many as
 * there are processors answer at once, and the next request goes to who is done first: answered in
 * the order in which they came, requests wait for those before them, where they would otherwise
 * take each other's processor time and all be as late as the last. One that takes long counts no
 * more, so that slow requests hold nobody up while there are processes left. Called by
 * web_process. */
#ifndef TIDEMARK_SERVE_TURNS_H
#define TIDEMARK_SERVE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

struct turns;
struct turns_seat; /* a process's own */

/* Of the processes that are forked later, in memory they share; `at_once`: how many requests are
 * answered at once, 0: as many as there are processors. NULL when memory is not to be had. */
struct turns *turns_new(int at_once);

/* A seat for this process, one of a process that has ended where no other is free. NULL without
 * one: every turn is its own then. */
struct turns_seat *turns_join(struct turns *turns);

/* Whether the process may take a request now. `seat` may be NULL, here and below. */
bool turns_is_mine(const struct turns_seat *seat);

/* A request was taken; it is answered. */
void turns_begin(struct turns_seat *seat);
void turns_end(struct turns_seat *seat);

#endif
