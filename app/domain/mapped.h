/* What a mapping makes of the names of a reading: for what is stored (ingest/mapping), and for
 * those who ask how far it has come (web/compat_emoncms, web/influx_names). */
#ifndef TIDEMARK_DOMAIN_MAPPED_H
#define TIDEMARK_DOMAIN_MAPPED_H

#include "base/op.h"
#include "domain/mapping.h"

struct db_tx;

/* A reading as its convention names it. */
struct mapped_reading {
    struct str device;      /* ptr NULL: it names none */
    struct str measurement; /* of line protocol; ptr NULL: there is none */
    struct str bound;       /* the device of a token that is bound to it; ptr NULL: of another */
    const struct str_pair *tags;
    int n_tags;
};

struct mapped_device {
    struct str device; /* its key here; ptr NULL: nothing names one */
    struct str tag;    /* that names it, and is no label any more; ptr NULL: none */
    struct str former; /* what named it by the convention: the label "device"; ptr NULL: nothing */
    bool is_bare;      /* the measurement names it: of the metric "measurement.x" "x" is left */
};

/* Names the device by the first source that is there, and by the list of devices. A source or a
 * new key that would name another device than the token is bound to is passed over. */
struct mapped_device mapped_device(const struct mapping *mapping,
                                   const struct mapped_reading *reading);

/* The metric's name behind "measurement."; itself where it does not begin so. */
struct str mapped_bare(struct str metric, struct str measurement);

/* The label's name here; ptr NULL: it is dropped. */
struct str mapped_label(const struct mapping *mapping, struct str name);

/* What is said of the metric; NULL: nothing. */
const struct mapping_metric *mapped_metric(const struct mapping *mapping, struct str name);

/* The mapping of the adapter `key` from its configuration as it is stored, in the op's arena. It
 * was checked then; ERR_CHANGING, with what is wrong, for what is not understood all the same: to
 * do without would put readings where they do not belong. */
enum err mapped_read(struct op *op, const char *key, const char *config,
                     const struct mapping **out) MUST_CHECK;

/* The same of the transaction's tenant; NULL where it has none. Runs as the role ingest. */
enum err mapped_load(struct db_tx *tx, const char *key, const struct mapping **out) MUST_CHECK;

#endif
