/* POST /v1/bills/compare: a utility's Green Button file beside what was measured and rated here. */
#include "web/api_costs.h"

#include "base/json.h"
#include "domain/span.h"
#include "web/bill_file_load.h"
#include "web/bill_write.h"
#include "web/cost_input.h"

#define MAX_ITEMS 1000 /* told; the counts are of all */

static void member_kwh(struct json_writer *json, const char *name, struct quantity quantity)
{
    char text[MONEY_TEXT_SIZE];

    json_key(json, name);
    json_raw(json, str_of(quantity_format(quantity, 0, text)));
}

static void member_money(struct json_writer *json, const char *name, struct money amount,
                         int decimals)
{
    char text[MONEY_TEXT_SIZE];

    json_key(json, name);
    json_text(json, money_format(money_round(amount, MONEY_MAX_DECIMALS, ROUND_HALF_AWAY),
                                 decimals, text));
}

static void member_time(struct json_writer *json, const char *name, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    json_key(json, name);
    json_text(json, clock_format(time_us, text));
}

static void write_line(struct json_writer *json, const struct bill_compared *line, int decimals)
{
    static const char *const matches[] = { "same", "differs", "absent", "uneven" };
    const struct bill_reading *reading = line->reading;

    json_open_object(json);
    member_time(json, "time", reading->start_us);
    json_key(json, "seconds");
    json_int(json, reading->duration_s);
    json_key(json, "direction");
    json_text(json, reading->is_export ? "export" : "import");
    json_key(json, "match");
    json_text(json, matches[line->match]);
    member_kwh(json, "file_kwh", (struct quantity){ reading->nkwh });
    if (line->match == BILL_DIFFERS) {
        member_kwh(json, "energy_kwh", line->energy);
    }
    if (reading->has_cost) {
        member_money(json, "file_cost", money_of_nano(reading->cost), decimals);
    }
    if (line->match == BILL_DIFFERS && line->has_cost) {
        member_money(json, "cost", line->cost, decimals);
    }
    json_close_object(json);
}

static void write_items(struct json_writer *json, const struct bill_comparison *comparison,
                        int decimals)
{
    int n = 0;

    json_key(json, "items");
    json_open_array(json);
    for (int i = 0; i < comparison->n && n < MAX_ITEMS; i++) {
        if (comparison->lines[i].match != BILL_SAME) {
            write_line(json, &comparison->lines[i], decimals);
            n++;
        }
    }
    json_close_array(json);
}

static void write_counts(struct json_writer *json, const struct bill_file_loaded *loaded)
{
    static const char *const names[] = { "same", "differing", "absent", "uneven" };

    json_key(json, "intervals");
    json_open_object(json);
    for (int i = BILL_SAME; i <= BILL_UNEVEN; i++) {
        json_key(json, names[i]);
        json_int(json, loaded->comparison.counts[i]);
    }
    json_key(json, "ignored");
    json_int(json, loaded->file.n_ignored);
    json_close_object(json);
}

static void write_totals(struct json_writer *json, const struct bill_file_loaded *loaded)
{
    const struct bill_comparison *comparison = &loaded->comparison;

    json_key(json, "totals");
    json_open_object(json);
    member_kwh(json, "file_import_kwh", comparison->file_import);
    member_kwh(json, "import_kwh", comparison->import);
    member_kwh(json, "file_export_kwh", comparison->file_export);
    member_kwh(json, "export_kwh", comparison->export);
    if (comparison->n_costs > 0) {
        member_money(json, "file_cost", comparison->file_cost, loaded->decimals);
        member_money(json, "cost", comparison->cost, loaded->decimals);
    }
    json_close_object(json);
}

/* The utility's lines, and ours, each as its bill has them. */
static void write_bill_lines(struct json_writer *json, const struct bill_file_loaded *loaded,
                             const struct bill_compared_sum *sum)
{
    bool has_ours = sum->has_total && loaded->currency;

    json_key(json, "file_lines");
    json_open_array(json);
    for (int i = 0; i < sum->summary->n_details; i++) {
        json_open_object(json);
        json_key(json, "name");
        json_text(json, sum->summary->details[i].name);
        member_money(json, "amount", money_of_nano(sum->summary->details[i].amount),
                     loaded->decimals);
        json_close_object(json);
    }
    json_close_array(json);
    json_key(json, "lines");
    json_open_array(json);
    for (int i = 0; has_ours && i < loaded->accounts.n; i++) {
        for (size_t n = 0; n < sum->bills[i].n_lines; n++) {
            const struct bill_line *line = &sum->bills[i].lines[n];
            json_open_object(json);
            json_key(json, "charge");
            json_text(json, line->charge->code);
            json_key(json, "period");
            json_text(json, bill_period_name(&loaded->accounts.items[i], line));
            member_money(json, "amount", line->amount, loaded->decimals);
            json_close_object(json);
        }
    }
    json_close_array(json);
}

static void write_bills(struct web *web, struct json_writer *json,
                        const struct bill_file_loaded *loaded)
{
    json_key(json, "bills");
    json_open_array(json);
    for (int i = 0; i < loaded->comparison.n_sums; i++) {
        const struct bill_compared_sum *sum = &loaded->comparison.sums[i];
        json_open_object(json);
        json_key(json, "from");
        json_text(json, span_day_text(web->op->arena, sum->from_day));
        json_key(json, "to");
        json_text(json, span_day_text(web->op->arena, sum->to_day));
        if (sum->summary->has_energy) {
            member_kwh(json, "file_kwh", (struct quantity){ sum->summary->nkwh });
        }
        member_kwh(json, "energy_kwh", sum->energy);
        if (sum->summary->has_bill) {
            member_money(json, "file_total", money_of_nano(sum->summary->bill), loaded->decimals);
        }
        if (sum->has_total && loaded->currency) {
            member_money(json, "total", sum->total, loaded->decimals);
        }
        write_bill_lines(json, loaded, sum);
        json_close_object(json);
    }
    json_close_array(json);
}

static bool is_xml(struct str type)
{
    return str_equal(type, STR("application/xml")) || str_equal(type, STR("text/xml")) ||
           str_equal(type, STR("application/atom+xml"));
}

enum err api_bills_compare(struct web *web)
{
    struct bill_file_loaded *loaded = arena_alloc(web->op->arena, sizeof *loaded);
    struct cost_query query;
    struct json_writer json;
    struct str text;

    if (!loaded) {
        return fail_memory(web->op);
    }
    if (!is_xml(web->request->content_type)) {
        return fail(web->op, ERR_MEDIA_TYPE, "The body must be application/xml: a Green Button "
                                             "file.");
    }
    enum err err = cost_input_place(web, &query);
    if (err == OK) {
        err = http_read_decoded_body(web->request, web->max_body, &text);
    }
    if (err == OK) {
        err = bill_file_load(web, &query, text, loaded);
    }
    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    write_counts(&json, loaded);
    write_totals(&json, loaded);
    write_bills(web, &json, loaded);
    json_key(&json, "currency");
    json_text(&json, loaded->currency);
    write_items(&json, &loaded->comparison, loaded->decimals);
    json_close_object(&json);
    return OK;
}
