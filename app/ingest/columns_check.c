/* The rules that all formats share: who may be named, what age is allowed, how long a name is.
 * Called for each item when it ends. */
#include "ingest/columns_check.h"

#include "base/clock.h"

static bool check_name(struct ingest_columns *columns, const char *field, struct str name)
{
    if (name.len == 0) {
        columns_reject(columns, ERR_INVALID, field, "%s is empty", field);
        return false;
    }
    if (name.len > MAX_NAME_BYTES) {
        columns_reject(columns, ERR_INVALID, field, "%s is longer than %d bytes", field,
                       MAX_NAME_BYTES);
        return false;
    }
    return true;
}

/* A key is part of addresses, in which a dot or two are steps between folders. */
static bool check_key(struct ingest_columns *columns, const char *field, struct str key)
{
    if (str_equal(key, STR(".")) || str_equal(key, STR(".."))) {
        columns_reject(columns, ERR_INVALID, field, "%s is only dots", field);
        return false;
    }
    return check_name(columns, field, key);
}

static bool check_device(struct ingest_columns *columns)
{
    struct ingest_draft *draft = &columns->draft;
    const struct ingest_rules *rules = &columns->rules;

    if (!draft->device.ptr) {
        draft->device = rules->device;
    }
    if (!draft->device.ptr) {
        columns_reject(columns, ERR_INVALID, "device",
                       "no device: neither the event names one nor does the token");
        return false;
    }
    if (rules->is_device_bound && !str_equal(rules->device, draft->device)) {
        columns_reject(columns, ERR_FORBIDDEN, "device", "the token is for another device");
        return false;
    }
    return check_key(columns, "device", draft->device);
}

static bool check_time(struct ingest_columns *columns)
{
    struct ingest_draft *draft = &columns->draft;

    if (!draft->has_time) {
        draft->time_us = columns->rules.now_us;
    }
    if (draft->time_us > columns->rules.newest_us) {
        columns_reject(columns, ERR_INVALID, "time", "time is more than %d hours ahead",
                       MAX_FUTURE_HOURS);
        return false;
    }
    if (draft->time_us < columns->rules.oldest_us) {
        columns_reject(columns, ERR_INVALID, "time",
                       "time is older than raw samples are kept");
        return false;
    }
    if (draft->time_us < MIN_SAMPLE_TIME_US) {
        columns_reject(columns, ERR_INVALID, "time", "time is before the year 1600");
        return false;
    }
    return true;
}

static bool check_metrics(struct ingest_columns *columns)
{
    const struct ingest_draft *draft = &columns->draft;

    for (int i = 0; i < draft->n_metrics; i++) {
        const struct ingest_metric *metric = &draft->metrics[i];
        bool is_known = metric->known && *metric->known; /* and was checked then */
        if (!is_known && !check_name(columns, "metric", metric->name)) {
            return false;
        }
        if (!is_known && metric->labels.len > MAX_LABELS_BYTES) {
            columns_reject(columns, ERR_INVALID, "metrics", "labels are longer than %d bytes",
                           MAX_LABELS_BYTES);
            return false;
        }
        /* the negation refuses what is not a number too */
        if (!(metric->value >= -MAX_METRIC_MAGNITUDE && metric->value <= MAX_METRIC_MAGNITUDE)) {
            columns_reject(columns, ERR_INVALID, "metrics",
                           "metric \"%.*s\" is not a finite number of at most 1e100",
                           columns_shown(metric->name), metric->name.ptr);
            return false;
        }
    }
    return true;
}

static bool check_content(struct ingest_columns *columns)
{
    struct ingest_draft *draft = &columns->draft;

    if (!draft->type.ptr) {
        draft->type = STR("telemetry");
    }
    if (draft->data.len > MAX_EVENT_DATA_BYTES) {
        columns_reject(columns, ERR_INVALID, "data", "data is over %u bytes",
                       MAX_EVENT_DATA_BYTES);
        return false;
    }
    if (draft->n_metrics == 0 && !draft->data.ptr && str_equal(draft->type, STR("telemetry"))) {
        columns_reject(columns, ERR_INVALID, "metrics",
                       "telemetry with neither metrics nor data");
        return false;
    }
    return check_name(columns, "type", draft->type) &&
           (!draft->site.ptr || check_key(columns, "site", draft->site));
}

bool columns_check(struct ingest_columns *columns)
{
    return check_device(columns) && check_time(columns) && check_metrics(columns) &&
           check_content(columns);
}
