/* In which order threads are given the calls that wait for one. */
#include "tap.h"

#include "http/fcgi_call.h"

#define N_CALLS 8

/* The calls by number, as a thread of any kind gets them: "0 1 2". */
static const char *order_of(struct call_list *list, const struct fcgi_call *calls,
                            struct fcgi_call *take(struct call_list *list))
{
    static char text[64];
    size_t len = 0;
    const struct fcgi_call *call;

    text[0] = '\0';
    while ((call = take(list)) != NULL) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%d", len ? " " : "",
                                (int)(call - calls));
    }
    return text;
}

int main(void)
{
    static struct fcgi_call calls[N_CALLS];
    static struct call_list list;

    call_list_init(&list);
    ok(call_list_add(&list, &calls[0]), "the first that waits is told to be the first");
    ok(!call_list_add(&list, &calls[1]), "  the next one is not");
    for (int i = 2; i < N_CALLS; i++) {
        calls[i].sharer = i < 6 ? 9 : (uint32_t)i; /* 2 to 5 are one sender's */
        call_list_add_urgent(&list, &calls[i]);
    }
    is_int(call_list_wait(&list) - calls, 2, "an urgent call is before the others");
    call_list_close(&list);
    is_str(order_of(&list, calls, call_list_wait_urgent), "6 7 3 4 5",
           "of urgent ones each sender has its turn, and who has many waits behind himself");
    is_str(order_of(&list, calls, call_list_wait), "0 1", "the others follow as they came");
    call_list_add_urgent(&list, &calls[6]);
    call_list_add_urgent(&list, &calls[2]);
    call_list_add_urgent(&list, &calls[3]);
    call_list_add(&list, &calls[0]);
    is_str(order_of(&list, calls, call_list_wait), "6 2 3 0", "a line that was empty begins anew");
    call_list_free(&list);
    return done_testing();
}
