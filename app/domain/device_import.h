/* A list of devices as CSV, for a preview and for storing it: a header with any of key (needed),
 * name, model, site, timezone and config, then a device a record. An empty cell keeps what is
 * there. A zone makes a site that is not there yet. */
#ifndef TIDEMARK_DOMAIN_DEVICE_IMPORT_H
#define TIDEMARK_DOMAIN_DEVICE_IMPORT_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>

struct db_tx;

#define DEVICE_IMPORT_MAX_ROWS 5000

enum device_column {
    DEVICE_COLUMN_KEY,
    DEVICE_COLUMN_NAME,
    DEVICE_COLUMN_MODEL,
    DEVICE_COLUMN_SITE,
    DEVICE_COLUMN_ZONE,
    DEVICE_COLUMN_CONFIG,
    N_DEVICE_COLUMNS
};

/* What becomes of a row. */
enum device_fate { DEVICE_REFUSED, DEVICE_ADDED, DEVICE_CHANGED, DEVICE_SAME, N_DEVICE_FATES };

struct device_import_row {
    unsigned line;                       /* of the text, where it begins */
    struct str cells[N_DEVICE_COLUMNS];  /* ptr NULL: empty */
    enum device_fate fate;
    const char *problem;                 /* "site: there is no such site", of a refused one */
};

struct device_import {
    struct device_import_row *rows;
    int n;
    int counts[N_DEVICE_FATES];
};

/* Cuts the text into rows; rows that cannot be cut are refused at once. ERR_INVALID, with a
 * sentence, where the whole is no such list: no header, an unknown column, too many rows. */
enum err device_import_read(struct op *op, struct str text, struct device_import *out) MUST_CHECK;

/* Tells each row's fate, and stores the good ones unless it is a trial. `tenant_slug`: for
 * operators; NULL: the transaction's tenant. */
enum err device_import_run(struct db_tx *tx, const char *tenant_slug, bool is_trial,
                           struct device_import *list) MUST_CHECK;

/* The names of the columns, in the enum's order. */
extern const char *const DEVICE_COLUMNS[N_DEVICE_COLUMNS];

#endif
