/* Lists under a mutex, held for pointer work only. Called by http/fcgi_loop and its threads. */
#include "http/call_list.h"

#include "http/fcgi_call.h"

void call_list_init(struct call_list *list)
{
    (void)pthread_mutex_init(&list->lock, NULL);
    (void)pthread_cond_init(&list->more, NULL);
    (void)pthread_cond_init(&list->more_urgent, NULL);
    list->last = &list->first;
}

void call_list_free(struct call_list *list)
{
    (void)pthread_cond_destroy(&list->more);
    (void)pthread_cond_destroy(&list->more_urgent);
    (void)pthread_mutex_destroy(&list->lock);
}

bool call_list_add(struct call_list *list, struct fcgi_call *call)
{
    call->next = NULL;
    (void)pthread_mutex_lock(&list->lock);
    bool was_empty = list->first == NULL;
    *list->last = call;
    list->last = &call->next;
    (void)pthread_cond_signal(&list->more);
    (void)pthread_mutex_unlock(&list->lock);
    return was_empty;
}

void call_list_add_urgent(struct call_list *list, struct fcgi_call *call)
{
    struct call_line *line = &list->lines[call->sharer & (CALL_LINES - 1)];

    call->next = NULL;
    (void)pthread_mutex_lock(&list->lock);
    if (!line->first) {
        line->last = &line->first;
        line->next = list->end ? list->end->next : line;
        if (list->end) {
            list->end->next = line;
        }
        list->end = line;
    }
    *line->last = call;
    line->last = &call->next;
    (void)pthread_cond_signal(&list->more);
    (void)pthread_cond_signal(&list->more_urgent);
    (void)pthread_mutex_unlock(&list->lock);
}

struct fcgi_call *call_list_take(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    struct fcgi_call *all = list->first;
    list->first = NULL;
    list->last = &list->first;
    (void)pthread_mutex_unlock(&list->lock);
    return all;
}

/* The first of the line at turn, which is the ring's end then, or leaves it. */
static struct fcgi_call *take_urgent(struct call_list *list)
{
    struct call_line *line = list->end ? list->end->next : NULL;

    if (!line) {
        return NULL;
    }
    struct fcgi_call *call = line->first;
    line->first = call->next;
    if (line->first) {
        list->end = line;
    } else if (list->end == line) {
        list->end = NULL;
    } else {
        list->end->next = line->next;
    }
    return call;
}

static struct fcgi_call *take_first(struct call_list *list)
{
    struct fcgi_call *call = take_urgent(list);

    if (call || !list->first) {
        return call;
    }
    call = list->first;
    list->first = call->next;
    if (!list->first) {
        list->last = &list->first;
    }
    return call;
}

struct fcgi_call *call_list_wait(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    while (!list->first && !list->end && !list->is_closed) {
        (void)pthread_cond_wait(&list->more, &list->lock);
    }
    struct fcgi_call *call = take_first(list);
    (void)pthread_mutex_unlock(&list->lock);
    return call;
}

struct fcgi_call *call_list_wait_urgent(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    while (!list->end && !list->is_closed) {
        (void)pthread_cond_wait(&list->more_urgent, &list->lock);
    }
    struct fcgi_call *call = take_urgent(list);
    (void)pthread_mutex_unlock(&list->lock);
    return call;
}

void call_list_close(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    list->is_closed = true;
    (void)pthread_cond_broadcast(&list->more);
    (void)pthread_cond_broadcast(&list->more_urgent);
    (void)pthread_mutex_unlock(&list->lock);
}
