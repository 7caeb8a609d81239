/* Calls on their way between the loop's thread and the others: the urgent ones first, each kind in
 * the order they came. */
#ifndef TIDEMARK_HTTP_CALL_LIST_H
#define TIDEMARK_HTTP_CALL_LIST_H

#include <pthread.h>
#include <stdbool.h>

struct fcgi_call; /* linked by `next` */

struct call_list {
    pthread_mutex_t lock;
    pthread_cond_t more, more_urgent;
    struct fcgi_call *first, **last;
    struct fcgi_call **urgent; /* where the next urgent one goes */
    bool is_closed;
};

/* An empty list; and the end of one that nobody waits in. */
void call_list_init(struct call_list *list);
void call_list_free(struct call_list *list);

/* True when it was empty. */
bool call_list_add(struct call_list *list, struct fcgi_call *call);

/* Likewise, before all that are not urgent. */
bool call_list_add_urgent(struct call_list *list, struct fcgi_call *call);

/* All of it, linked by `next`; NULL: nothing. */
struct fcgi_call *call_list_take(struct call_list *list);

/* Waits for one. NULL when the list is closed and empty. */
struct fcgi_call *call_list_wait(struct call_list *list);

/* Waits for an urgent one, and leaves the others alone. NULL when the list is closed and has
 * none. */
struct fcgi_call *call_list_wait_urgent(struct call_list *list);

/* Lets go of those who wait, once the list is empty. */
void call_list_close(struct call_list *list);

#endif
