/* Calls on their way between the loop's thread and the others: the urgent ones first, in turn of
 * those who share the threads, so that who sends much waits behind himself alone; the others in the
 * order they came. */
#ifndef TIDEMARK_HTTP_CALL_LIST_H
#define TIDEMARK_HTTP_CALL_LIST_H

#include <pthread.h>
#include <stdbool.h>

struct fcgi_call; /* linked by `next` */

/* A power of two. Sharers whose numbers differ by a multiple of it share a line. */
#define CALL_LINES 256

struct call_line {
    struct fcgi_call *first, **last;
    struct call_line *next; /* in the ring of those where somebody waits */
};

struct call_list {
    pthread_mutex_t lock;
    pthread_cond_t more, more_urgent;
    struct fcgi_call *first, **last; /* those that are not urgent */
    struct call_line *end;           /* of the ring: its next is at turn; NULL: none is urgent */
    struct call_line lines[CALL_LINES];
    bool is_closed;
};

/* An empty list; and the end of one that nobody waits in. */
void call_list_init(struct call_list *list);
void call_list_free(struct call_list *list);

/* True when none waited that is not urgent. */
bool call_list_add(struct call_list *list, struct fcgi_call *call);

/* Puts it before all that are not urgent, in the line of its `sharer`. */
void call_list_add_urgent(struct call_list *list, struct fcgi_call *call);

/* All that are not urgent, linked by `next`; NULL: nothing. */
struct fcgi_call *call_list_take(struct call_list *list);

/* Waits for one. NULL when the list is closed and empty. */
struct fcgi_call *call_list_wait(struct call_list *list);

/* Waits for an urgent one, and leaves the others alone. NULL when the list is closed and has
 * none. */
struct fcgi_call *call_list_wait_urgent(struct call_list *list);

/* Lets go of those who wait, once the list is empty. */
void call_list_close(struct call_list *list);

#endif
