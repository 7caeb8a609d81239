/* The rows of the settings' table: what config.c fills and config_print prints. For those
 * two alone; others read struct config. */
#ifndef TIDEMARK_BASE_CONFIG_TABLE_H
#define TIDEMARK_BASE_CONFIG_TABLE_H

#include "base/config.h"

#include <stdint.h>

enum setting_type {
    SETTING_TEXT,
    SETTING_PATH,         /* made absolute */
    SETTING_DATABASE_URL, /* postgresql://… or libpq's pairs; holds a password */
    SETTING_HTTP_URL,     /* http:// or https:// */
    SETTING_HTTP_URLS,    /* url or name=url, comma separated */
    SETTING_INT,
    SETTING_BOOL,   /* 0 or 1 */
    SETTING_LEVEL,  /* debug, info, warn, error */
    SETTING_FORMAT, /* logfmt, json */
    SETTING_TOOL    /* read by make run and the like, allowed here and not kept */
};

struct setting {
    const char *name;
    enum setting_type type;
    int min, max;         /* of SETTING_INT */
    bool is_secret;       /* never logged */
    size_t offset;        /* of its field in struct config; none for SETTING_TOOL */
    const char *fallback; /* the default, as it would be written; NULL: unset */
    const char *unit;     /* for people; may be NULL */
    const char *help;
};

extern const struct setting settings[];
extern const int n_settings;

/* True when NAME_FILE may give the setting. */
bool setting_has_file(const struct setting *setting);

#endif
