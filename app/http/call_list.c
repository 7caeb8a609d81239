/* A list under a mutex, held for pointer work only. Called by http/fcgi_loop and its threads. */
#include "http/call_list.h"

#include "http/fcgi_call.h"

void call_list_init(struct call_list *list)
{
    (void)pthread_mutex_init(&list->lock, NULL);
    (void)pthread_cond_init(&list->more, NULL);
    (void)pthread_cond_init(&list->more_urgent, NULL);
    list->last = &list->first;
    list->urgent = &list->first;
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

bool call_list_add_urgent(struct call_list *list, struct fcgi_call *call)
{
    (void)pthread_mutex_lock(&list->lock);
    bool was_empty = list->first == NULL;
    call->next = *list->urgent;
    *list->urgent = call;
    list->urgent = &call->next;
    if (!call->next) {
        list->last = &call->next;
    }
    (void)pthread_cond_signal(&list->more);
    (void)pthread_cond_signal(&list->more_urgent);
    (void)pthread_mutex_unlock(&list->lock);
    return was_empty;
}

struct fcgi_call *call_list_take(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    struct fcgi_call *all = list->first;
    list->first = NULL;
    list->last = &list->first;
    list->urgent = &list->first;
    (void)pthread_mutex_unlock(&list->lock);
    return all;
}

static struct fcgi_call *take_first(struct call_list *list)
{
    struct fcgi_call *call = list->first;

    if (call) {
        list->first = call->next;
        if (list->last == &call->next) {
            list->last = &list->first;
        }
        if (list->urgent == &call->next) {
            list->urgent = &list->first;
        }
    }
    return call;
}

struct fcgi_call *call_list_wait(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    while (!list->first && !list->is_closed) {
        (void)pthread_cond_wait(&list->more, &list->lock);
    }
    struct fcgi_call *call = take_first(list);
    (void)pthread_mutex_unlock(&list->lock);
    return call;
}

struct fcgi_call *call_list_wait_urgent(struct call_list *list)
{
    (void)pthread_mutex_lock(&list->lock);
    while (list->urgent == &list->first && !list->is_closed) {
        (void)pthread_cond_wait(&list->more_urgent, &list->lock);
    }
    struct fcgi_call *call = list->urgent == &list->first ? NULL : take_first(list);
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
