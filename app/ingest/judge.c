/* The verdicts by SQLSTATE, as one table, and the bisection. Called by the writers. */
#include "ingest/judge.h"

/* The longest matching prefix decides. */
static const struct {
    const char *prefix;
    enum write_verdict verdict;
} verdicts[] = {
    { "08", WRITE_RETRY },        /* connection */
    { "25006", WRITE_RETRY },     /* read only: a failover is under way */
    { "40", WRITE_RETRY },        /* deadlock, serialization */
    { "53", WRITE_RETRY },        /* disk, memory or connections used up */
    { "55P03", WRITE_RETRY },     /* lock timeout: a chunk is being compressed */
    { "57", WRITE_RETRY },        /* shutting down, starting up, statement timeout */
    { "58", WRITE_RETRY },        /* input and output */
    { "23505", WRITE_LATE },
    { "23514", WRITE_PARTITION },
    { "42", WRITE_REFUSED },      /* no such function or no right to it: another schema */
    { "3", WRITE_REFUSED },       /* no such database or schema */
};

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum write_verdict judge_write(enum err err, const char *sqlstate)
{
    if (err == OK) {
        return WRITE_DONE;
    }
    if (!sqlstate[0]) {
        return err == ERR_UNAVAILABLE ? WRITE_RETRY : WRITE_POISONED;
    }
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (has_prefix(sqlstate, verdicts[i].prefix)) {
            return verdicts[i].verdict;
        }
    }
    return WRITE_POISONED;
}

struct judge_failure judge_request(const char *sqlstate)
{
    if (has_prefix(sqlstate, "22")) {
        return (struct judge_failure){ ERR_INVALID, "the database cannot hold a value of it" };
    }
    if (has_prefix(sqlstate, "23503")) {
        return (struct judge_failure){ ERR_CHANGING, "a device was removed at this moment" };
    }
    if (has_prefix(sqlstate, "TM503")) { /* a function of ours says so of this one alone */
        return (struct judge_failure){ ERR_UNAVAILABLE, "the database cannot take this one now" };
    }
    return (struct judge_failure){ ERR_INTERNAL, "the request could not be written" };
}

/* Cuts the list in two; returns the last ticket of the first half. */
static struct ingest_ticket *middle_of(struct ingest_ticket *tickets)
{
    struct ingest_ticket *slow = tickets;

    for (struct ingest_ticket *fast = tickets->next; fast && fast->next; fast = fast->next->next) {
        slow = slow->next;
    }
    return slow;
}

void judge_bisect(const struct judge_bisect *bisect, struct ingest_ticket *tickets)
{
    if (bisect->attempt(bisect->context, tickets) != WRITE_POISONED) {
        return;
    }
    if (!tickets->next) {
        bisect->give_up(bisect->context, tickets);
        return;
    }
    struct ingest_ticket *middle = middle_of(tickets);
    struct ingest_ticket *second = middle->next;
    middle->next = NULL;
    judge_bisect(bisect, tickets);
    judge_bisect(bisect, second);
    middle->next = second;
}
