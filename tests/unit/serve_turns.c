/* serve/turns: as many answer at once as may, those that take long or were killed hold nobody up. */
#include "serve/turns.h"

#include "base/clock.h"
#include "tap.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_turns(void)
{
    struct turns *turns = turns_new(2);
    struct turns_seat *seats[3];

    for (int i = 0; i < 3; i++) {
        seats[i] = turns_join(turns);
        ok(seats[i] != NULL && turns_is_mine(seats[i]), "process %d may take a request", i);
    }
    turns_begin(seats[0]);
    ok(turns_is_mine(seats[2]), "beside one a second");
    turns_begin(seats[1]);
    ok(!turns_is_mine(seats[2]), "beside two no third");
    turns_end(seats[0]);
    ok(turns_is_mine(seats[2]), "after one of them is done");
    ok(turns_is_mine(seats[0]), "or itself again");
}

static void test_slow(void)
{
    struct turns *turns = turns_new(1);
    struct turns_seat *slow = turns_join(turns), *other = turns_join(turns);
    int64_t began_us = clock_monotonic_us();

    turns_begin(slow);
    ok(!turns_is_mine(other), "one at a time");
    while (!turns_is_mine(other) && clock_monotonic_us() - began_us < 10 * US_PER_SECOND) {
    }
    int64_t waited_us = clock_monotonic_us() - began_us;
    ok(waited_us >= 40000 && waited_us < 10 * US_PER_SECOND, "but for one that takes long");
    turns_begin(other);
    ok(!turns_is_mine(slow), "and beside that again one");
}

static void test_killed(void)
{
    struct turns *turns = turns_new(1);
    struct turns_seat *first = turns_join(turns);
    pid_t pid = fork();

    if (pid == 0) {
        turns_begin(turns_join(turns));
        _exit(0);
    }
    is_int(waitpid(pid, NULL, 0), pid, "a process ends amid a request");
    ok(!turns_is_mine(first), "as if it went on");
    struct turns_seat *next = turns_join(turns);
    ok(next != NULL && turns_is_mine(first), "until another one has its seat");
    int seats = 2;
    while (turns_join(turns)) {
        seats++;
    }
    is_int(seats, 64, "there are as many seats as processes at most");
    ok(turns_is_mine(NULL), "without a seat every turn is one's own");
}

int main(void)
{
    test_turns();
    test_slow();
    test_killed();
    return done_testing();
}
