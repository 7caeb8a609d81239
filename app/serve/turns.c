/* Seats hold a process's number and since when it is busy. Nothing is locked or handed on, so that
 * a process that is killed takes nothing with it: its seat goes to the next. */
#include "serve/turns.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_SEATS 64
#define LONG_US 40000 /* what takes longer is no page: its process counts no more */

struct turns_seat {
    struct turns *turns;
    _Atomic int32_t pid;      /* 0: free */
    _Atomic int64_t since_us; /* monotonic; 0: idle */
};

struct turns {
    int at_once;
    struct turns_seat seats[MAX_SEATS];
};

struct turns *turns_new(int at_once)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct turns *turns =
        mmap(NULL, sizeof *turns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (turns == MAP_FAILED) {
        return NULL;
    }
    turns->at_once = at_once > 0 ? at_once : processors > 0 ? (int)processors : 1;
    for (int i = 0; i < MAX_SEATS; i++) {
        turns->seats[i].turns = turns;
    }
    return turns;
}

static bool is_free(int32_t pid)
{
    return pid == 0 || (kill(pid, 0) != 0 && errno == ESRCH);
}

struct turns_seat *turns_join(struct turns *turns)
{
    for (int i = 0; i < MAX_SEATS; i++) {
        struct turns_seat *seat = &turns->seats[i];
        int32_t pid = atomic_load(&seat->pid);
        if (is_free(pid) && atomic_compare_exchange_strong(&seat->pid, &pid, getpid())) {
            atomic_store(&seat->since_us, 0);
            return seat;
        }
    }
    return NULL;
}

bool turns_is_mine(const struct turns_seat *seat)
{
    int64_t now_us = clock_monotonic_us();
    int busy = 0;

    if (!seat) {
        return true;
    }
    for (int i = 0; i < MAX_SEATS; i++) {
        const struct turns_seat *other = &seat->turns->seats[i];
        int64_t since_us = atomic_load(&other->since_us);
        if (since_us != 0 && now_us - since_us < LONG_US) {
            busy++;
        }
    }
    return busy < seat->turns->at_once;
}

void turns_begin(struct turns_seat *seat)
{
    if (seat) {
        atomic_store(&seat->since_us, clock_monotonic_us());
    }
}

void turns_end(struct turns_seat *seat)
{
    if (seat) {
        atomic_store(&seat->since_us, 0);
    }
}
