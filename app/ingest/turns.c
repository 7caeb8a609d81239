/* A ring of lines, in the order in which their first ticket came; whoever was served goes to its
 * end. All operations but turns_have take constant time for each ticket moved. Called by the
 * queue under its mutex. */
#include "ingest/turns.h"

#define TURN_ROWS 1024 /* one visit takes no further ticket after so many rows */

void turns_init(struct turns *turns)
{
    for (int i = 0; i < TURN_LINES; i++) {
        turns->lines[i].last = &turns->lines[i].first;
    }
}

size_t turn_rows(const struct ingest_ticket *ticket)
{
    return ticket->columns->n_rows + ticket->columns->n_events;
}

void turns_add(struct turns *turns, struct ingest_ticket *ticket)
{
    struct turn_line *line = &turns->lines[turn_line_of(ticket->tenant_id)];

    if (!line->first) {
        line->next = turns->end ? turns->end->next : line;
        if (turns->end) {
            turns->end->next = line;
        }
        turns->end = line;
        turns->n_lines++;
    }
    ticket->next = NULL;
    *line->last = ticket;
    line->last = &ticket->next;
    turns->n++;
    turns->n_rows += turn_rows(ticket);
}

bool turns_have(const struct turns *turns, turn_test may_go, const void *context)
{
    const struct turn_line *line = turns->end;

    for (size_t i = 0; i < turns->n_lines; i++) {
        line = line->next;
        if (may_go(context, line->first)) {
            return true;
        }
    }
    return false;
}

/* A batch that is being formed. */
struct cut {
    struct turns *turns;
    turn_test may_go;
    const void *context;
    size_t max_rows;
    struct ingest_ticket *first, **last;
    size_t rows, bytes;
};

static bool fits(const struct cut *cut, const struct ingest_ticket *ticket)
{
    return !cut->first || (cut->rows + turn_rows(ticket) <= cut->max_rows &&
                           cut->bytes + ticket->bytes <= BATCH_MAX_BYTES);
}

static void move_first(struct cut *cut, struct turn_line *line)
{
    struct ingest_ticket *ticket = line->first;

    line->first = ticket->next;
    if (!line->first) {
        line->last = &line->first;
    }
    ticket->next = NULL;
    *cut->last = ticket;
    cut->last = &ticket->next;
    cut->rows += turn_rows(ticket);
    cut->bytes += ticket->bytes;
    cut->turns->n--;
    cut->turns->n_rows -= turn_rows(ticket);
}

/* One visit: false when the batch has no room for this line's next ticket. */
static bool visit(struct cut *cut, struct turn_line *line)
{
    size_t before = cut->rows;

    while (line->first && cut->may_go(cut->context, line->first) &&
           cut->rows - before < TURN_ROWS) {
        if (!fits(cut, line->first)) {
            return false;
        }
        move_first(cut, line);
    }
    return true;
}

/* The line at turn was served: it leaves the ring, or is its end now. */
static void pass_on(struct turns *turns)
{
    struct turn_line *line = turns->end->next;

    if (line->first) {
        turns->end = line;
        return;
    }
    turns->n_lines--;
    turns->end->next = line->next;
    if (turns->end == line) {
        turns->end = NULL;
    }
}

struct ingest_ticket *turns_cut(struct turns *turns, turn_test may_go, const void *context,
                                size_t max_rows)
{
    struct cut cut = { .turns = turns, .may_go = may_go, .context = context, .max_rows = max_rows };
    size_t idle = 0; /* lines visited in succession that gave nothing */

    cut.last = &cut.first;
    while (turns->end && idle < turns->n_lines) {
        size_t before = cut.rows;
        if (!visit(&cut, turns->end->next)) {
            break;
        }
        idle = cut.rows == before ? idle + 1 : 0;
        pass_on(turns);
    }
    return cut.first;
}
