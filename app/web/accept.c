/* Chooses the form of an answer (RFC 9110, 12.5.1). Called by list.c and by handlers that have
 * CSV besides their JSON. */
#include "web/accept.h"

#include "parquet/parquet.h"

#define N_FORMS 4 /* Parquet is the last */

static const struct {
    const char *name;       /* of ?format= */
    const char *range;      /* in Accept */
    const char *group;      /* the wildcard that covers it */
    const char *media_type; /* as answered */
} FORMS[N_FORMS] = {
    [ANSWER_JSON] = { "json", "application/json", "application/*", "application/json" },
    [ANSWER_CSV] = { "csv", "text/csv", "text/*", "text/csv; charset=utf-8; header=present" },
    [ANSWER_NDJSON] = { "ndjson", "application/x-ndjson", "application/*", "application/x-ndjson" },
    [ANSWER_PARQUET] = { "parquet", PARQUET_MEDIA_TYPE, "application/*", PARQUET_MEDIA_TYPE },
};

/* How a range of Accept covers a form: the closest one's weight counts. */
enum closeness { NOT_COVERED, BY_ANYTHING, BY_GROUP, BY_NAME };

struct wish {
    enum closeness closeness;
    int weight; /* 0 to 1000 */
};

const char *accept_media_type(enum answer_form form)
{
    return FORMS[form].media_type;
}

/* The weight 0 to 1000 that one range of an Accept header carries (RFC 9110, 12.4.2). */
static int read_weight(struct str parameters)
{
    while (parameters.ptr != NULL) {
        struct str parameter = str_trim(str_cut(&parameters, ';'));
        if (parameter.len < 3 || (parameter.ptr[0] | 0x20) != 'q' || parameter.ptr[1] != '=') {
            continue;
        }
        int weight = (parameter.ptr[2] - '0') * 1000;
        int digit = 100;
        for (size_t i = 4; i < parameter.len && digit > 0; i++, digit /= 10) {
            weight += (parameter.ptr[i] - '0') * digit;
        }
        return weight < 0 ? 0 : weight > 1000 ? 1000 : weight;
    }
    return 1000;
}

static enum closeness closeness_of(struct str range, int form)
{
    if (str_equal_nocase(range, str_of(FORMS[form].range))) {
        return BY_NAME;
    }
    if (str_equal_nocase(range, str_of(FORMS[form].group))) {
        return BY_GROUP;
    }
    return str_equal(range, STR("*/*")) ? BY_ANYTHING : NOT_COVERED;
}

static struct wish find_wish(struct str accept, int form)
{
    struct wish wish = { NOT_COVERED, 0 };

    while (accept.ptr != NULL) {
        struct str range = str_cut(&accept, ',');
        enum closeness closeness = closeness_of(str_trim(str_cut(&range, ';')), form);
        if (closeness > wish.closeness) {
            wish = (struct wish){ closeness, read_weight(range) };
        }
    }
    return wish;
}

static enum err choose_by_name(struct web *web, struct str format, int n_forms,
                               enum answer_form *out)
{
    for (int i = 0; i < n_forms; i++) {
        if (str_equal(format, str_of(FORMS[i].name))) {
            *out = (enum answer_form)i;
            return OK;
        }
    }
    return fail(web->op, ERR_NOT_ACCEPTABLE, "format: must be json, csv%s",
                n_forms == N_FORMS ? ", ndjson or parquet" : " or ndjson");
}

/* One of the first `n_forms` of the table. */
static enum err choose(struct web *web, int n_forms, enum answer_form *out)
{
    struct str format = web_query_text(web, "format");
    struct str accept = http_header(web->request, "Accept");
    struct wish best = { NOT_COVERED, 0 };

    *out = ANSWER_JSON;
    if (format.ptr != NULL) {
        return choose_by_name(web, format, n_forms, out);
    }
    if (!http_add_header(web->response, "Vary", "Accept")) {
        return fail(web->op, ERR_INTERNAL, "no room for the header Vary");
    }
    if (str_trim(accept).len == 0) {
        return OK;
    }
    for (int i = 0; i < n_forms; i++) {
        struct wish wish = find_wish(accept, i);
        if (wish.weight > best.weight ||
            (wish.weight > 0 && wish.weight == best.weight && wish.closeness == BY_NAME &&
             best.closeness < BY_NAME)) {
            best = wish;
            *out = (enum answer_form)i;
        }
    }
    if (best.weight == 0) {
        return fail(web->op, ERR_NOT_ACCEPTABLE,
                    "Accept: this address answers application/json, text/csv%s",
                    n_forms == N_FORMS ? ", application/x-ndjson and " PARQUET_MEDIA_TYPE
                                       : " and application/x-ndjson");
    }
    return OK;
}

enum err accept_form(struct web *web, enum answer_form *out)
{
    return choose(web, ANSWER_PARQUET, out);
}

enum err accept_form_or_parquet(struct web *web, enum answer_form *out)
{
    return choose(web, N_FORMS, out);
}
