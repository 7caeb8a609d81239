/* Who is asking: the outcome of resolving a token or a session. Names the tenant that
 * the transaction will be bound to. */
#ifndef TIDEMARK_AUTH_IDENTITY_H
#define TIDEMARK_AUTH_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

enum identity_kind {
    IDENTITY_NONE,
    IDENTITY_DEVICE, /* a device token: may only ingest */
    IDENTITY_API,    /* an api token: reads its tenant */
    IDENTITY_ADMIN,  /* an admin token */
    IDENTITY_PERSON, /* a browser session */
    IDENTITY_SHARE   /* a read-only link */
};

enum identity_role { ROLE_NONE, ROLE_VIEWER, ROLE_ADMIN };
enum operator_role { OPERATOR_NONE, OPERATOR_VIEW, OPERATOR_ADMIN };

/* A tenant that a person may look at. */
struct identity_home {
    const char *slug, *name;
};

#define IDENTITY_NO_LIMIT_OF_ITS_OWN (-1)

/* What a tenant may send (ingest/quota.h); 0: any number, IDENTITY_NO_LIMIT_OF_ITS_OWN: as the
 * installation's settings say. */
struct identity_limits {
    int request_rate, token_rate; /* posts a second, of the tenant and of each of its tokens */
    int max_series;
    int64_t rows_per_day;
};

struct identity {
    enum identity_kind kind;
    int32_t tenant_id; /* 0: none chosen (an operator without a membership) */
    const char *tenant_slug, *tenant_name;
    const char *tenant_timezone, *tenant_currency;
    bool may_register;       /* the tenant's auto_register */
    enum identity_role role; /* in that tenant */
    enum operator_role operator_role;
    const struct identity_home *homes; /* where a person has the choice; n_homes is 0 where not */
    int n_homes;
    int64_t token_id;  /* tokens */
    int64_t expires_us; /* when the token shown stops to work; 0: never */
    int32_t device_id; /* a token bound to one device; 0: not bound */
    const char *device_key; /* of it; of a link: whose page it shows, NULL: the overview */
    bool is_backfill;  /* may send any age */
    int raw_days;      /* the tenant's own retention of samples; 0: the installation's */
    struct identity_limits limits; /* the tenant's own, of tokens */
    int64_t adapters_version; /* of the tenant's configuration of formats; 0: it has none */
    int64_t person_id; /* persons */
    const char *person_email, *person_name;
    const char *csrf; /* the form token of the session or of the login form; NULL for tokens */
};

#endif
