/* Charts made on the server: SVG that scripts need not touch. Across, positions are percent of
 * the plot's width, so that bars stretch with the page while text keeps its size from phone to
 * desktop; down, they are pixels. Colours are classes of the stylesheet. Each chart is an image
 * with a name and a description, and its numbers stand in a table beside it. */
#ifndef TIDEMARK_VIEW_CHART_H
#define TIDEMARK_VIEW_CHART_H

#include "base/buf.h"
#include "view/format.h"
#include "view/ticks.h"

#define CHART_MAX_BANDS 6
#define CHART_MARK 1000   /* between two lines of an axis whose labels come with the chart */

/* What one colour stands for. */
struct chart_band {
    const char *name;   /* "Used" */
    const char *tone;   /* class: "used", "made", "grid", "plain", "peak", "night" */
};

/* A label below the plot. */
struct chart_tick {
    double at;          /* percent of the width */
    const char *label;
    bool is_minor;      /* left out on phones */
    bool is_day;        /* a day begins: drawn as a line */
};

/* A span of time with a value of each band. */
struct chart_slot {
    double from, to;                 /* percent of the width */
    const char *name;                /* "Fri 20 Nov, 14:00–15:00" */
    double values[CHART_MAX_BANDS];  /* in the chart's base unit; NaN: not known, a gap */
    const char *const *texts;        /* the values as they are written; NULL: from the values */
    bool is_open;                    /* not over yet: its values will grow */
};

struct bar_chart {
    const char *id;                  /* unique on the page; a-z and - */
    const char *title, *summary;     /* what it is; what it shows, in a sentence */
    const char *unit;                /* base unit of the values: "kWh" */
    const char *slot_heading;        /* of the table's first column: "Hour" */
    struct chart_band bands[CHART_MAX_BANDS];
    int n_bands;
    const struct chart_slot *slots;
    int n_slots;
    const struct chart_tick *ticks;
    int n_ticks;
    const char *const *marks;        /* of the value axis, which then has a line at each multiple */
    int first_mark, n_marks;         /* of CHART_MARK from first_mark on; NULL: from the values */
    bool is_stacked;                 /* bands on top of each other, those below zero downwards */
};

/* A value at a time; a NaN parts the line. */
struct chart_point {
    double at;                       /* percent of the width */
    double value;
};

/* What lies around a point: drawn as a band behind the line. */
struct chart_range {
    double least, most;
};

struct line_chart {
    const char *id, *title, *summary, *unit, *tone;
    const struct chart_point *points;
    int n_points;
    const struct chart_range *ranges;   /* one of each point, or NULL: no band */
    const struct chart_tick *ticks;
    int n_ticks;
    const struct chart_slot *slots;  /* what a pointer reads: the value, then least and most */
    int n_slots;
    bool is_from_zero;               /* zero is on the axis, the area below the line is filled */
    bool is_smooth;                  /* rounded between the points, never beyond them */
    bool is_tall;                    /* the one chart of its page: 280 px */
};

/* Values by day (across) and hour of the local clock (down). */
struct heat_day {
    const char *name;                /* "Fri 20 Nov" */
    const char *label;               /* below the column; NULL for most */
    double hours[24];                /* NaN: nothing known */
};

struct heat_chart {
    const char *id, *title, *summary, *unit;
    const struct heat_day *days;
    int n_days;
};

/* A table of numbers beside a drawing. */
#define CHART_MAX_COLUMNS 8

struct chart_row {
    const char *name;
    const char *cells[CHART_MAX_COLUMNS];
};

struct number_table {
    const char *id, *caption, *heading;   /* heading: of the first column */
    const char *columns[CHART_MAX_COLUMNS];
    int n_columns;
    const struct chart_row *rows;
    int n_rows;
};

/* Places a slot of [from_us, to_us) on a chart of [start_us, end_us). */
void chart_slot_place(struct chart_slot *slot, int64_t from_us, int64_t to_us, int64_t start_us,
                      int64_t end_us);
/* A band's value in billionths of the chart's unit, such as those of a kWh. */
void chart_slot_set(struct chart_slot *slot, int band, int64_t nano);
/* Nothing is known of a band. */
void chart_slot_miss(struct chart_slot *slot, int band);

/* The drawing: one <svg>, 224 px high and as wide as its place. */
void svg_bars(struct buf *out, const struct bar_chart *chart);
/* The same of a line, 196 px high or 280. */
void svg_line(struct buf *out, const struct line_chart *chart);
/* A line without axes, 28 px high, that repeats what is written beside it: hidden from readers. */
void svg_spark(struct buf *out, const struct line_chart *chart);
/* The same, 96 px high, as the ground of a card. */
void svg_tide(struct buf *out, const struct line_chart *chart);
/* Hours as cells that are the darker the greater, with the scale below. */
void svg_heat(struct buf *out, const struct heat_chart *chart);
/* True when not one value of the chart is known. */
bool chart_is_blank(const struct bar_chart *chart);
/* The numbers of a bar chart as a table, newest first. */
void chart_table(struct buf *out, const struct bar_chart *chart);
/* Any table of numbers, in the order of its rows. */
void chart_numbers(struct buf *out, const struct number_table *table);

#endif
