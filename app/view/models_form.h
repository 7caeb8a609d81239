/* What forms and lists of the administration show: fields with what is wrong beside them,
 * notices, the way to the next page of a list. Filled by web/form_input and page_*.c. */
#ifndef TIDEMARK_VIEW_MODELS_FORM_H
#define TIDEMARK_VIEW_MODELS_FORM_H

#include <stdbool.h>
#include <stddef.h>

struct choice_view {
    const char *value, *label;
};

/* One field of a form. A handler lists what it is, then form_input or the handler gives it a
 * value, and form_input what is wrong with it. */
struct field_view {
    const char *name;            /* in the form */
    const char *id;              /* of the control, once in a page; NULL: the name */
    const char *label;
    const char *type;            /* of the input, or "select", "textarea", "checkbox", "hidden" */
    const char *value;           /* "" or NULL: empty; a checkbox's: "1" for on */
    const char *hint;            /* or NULL */
    const char *error;           /* or NULL */
    const struct choice_view *choices;   /* a select's; suggestions for a text */
    int n_choices;
    bool is_required, is_fixed;  /* fixed: shown, not to be changed */
    bool is_label_unseen;        /* the table's head says it */
    bool is_code;                /* in the type of code */
    size_t max_bytes;            /* 0: 200 */
    int rows;                    /* of a textarea */
    const char *autocomplete;    /* NULL: off */
};

/* A sentence above the page's content. */
struct notice_view {
    const char *text;            /* NULL: none */
    const char *tone;            /* "good", "warn", "bad" */
};

/* Below a list: addresses, NULL for none. */
struct pager_view {
    const char *first, *next;
};

/* Something that is shown once: a token, or the address of a link. */
struct secret_view {
    const char *heading, *text; /* text NULL: nothing */
    const char *about;          /* what to do with it */
};

/* A limit that operators set. */
struct limit_view {
    const char *label;
    const char *used, *limit; /* NULL: a rate; there is none */
};

/* A parameter of the address that a form keeps. */
struct kept_view {
    const char *name, *value;            /* value NULL: left out */
};

/* The form that chooses whose energy is shown. */
struct place_view {
    const char *action;
    struct kept_view kept[6];
    int n_kept;
    const struct choice_view *sites;     /* the first is all of them */
    int n_sites;                         /* 0: there is no site to choose */
    const char *site, *device;           /* keys; "" for all */
    const struct choice_view *devices;   /* suggestions */
    int n_devices;
};

#endif
