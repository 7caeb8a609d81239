/* Opens and closes the connections of seeding. Called by cmd_seed.c and seed_post.c. */
#include "serve/seed_conns.h"

#include "db/conn.h"
#include "db/url.h"

static enum err open_role(struct op *op, const struct config *config, enum db_role role,
                          struct db_conn **out)
{
    const char *url;
    enum err err = db_role_url(op, config, role, &url);
    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark seed",
                                  .is_prepared = config->db_prepare };
    *out = db_conn_new(&options);
    return *out ? OK : fail_memory(op);
}

enum err seed_conns_open(struct op *op, const struct config *config, struct demo_conns *out)
{
    *out = (struct demo_conns){ .web_conn = NULL };
    enum err err = open_role(op, config, DB_ROLE_OPERATOR, &out->operator_conn);
    if (err == OK) {
        err = open_role(op, config, DB_ROLE_INGEST, &out->ingest_conn);
    }
    if (err == OK) {
        err = open_role(op, config, DB_ROLE_WEB, &out->web_conn);
    }
    return err;
}

void seed_conns_close(struct demo_conns *conns)
{
    db_conn_close(conns->operator_conn);
    db_conn_close(conns->ingest_conn);
    db_conn_close(conns->web_conn);
}
