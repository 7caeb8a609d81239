/* Writes costs as decimals, digit by digit. Called by the handlers of energy and costs. */
#include "web/cost_write.h"

#define COST_DECIMALS 9 /* what is spread over a day may have more */
#define MAX_PERIODS_BYTES (64u << 10)

void cost_write_amount(struct list_writer *list, const struct cost_bucket *bucket, int decimals)
{
    struct money cost = money_round(bucket->cost, COST_DECIMALS, ROUND_HALF_AWAY);
    char text[MONEY_TEXT_SIZE];

    list_text(list, bucket->is_priced ? money_format(cost, decimals, text) : NULL);
}

void cost_write_periods(struct list_writer *list, const struct cost_bucket *bucket, int decimals)
{
    char text[MONEY_TEXT_SIZE];
    struct json_writer json;
    struct buf out;

    buf_init(&out, list->web->op->arena, MAX_PERIODS_BYTES);
    json_writer_init(&json, &out);
    json_open_object(&json);
    for (int i = 0; i < bucket->n_periods; i++) {
        const struct cost_period *period = &bucket->periods[i];
        json_key(&json, period->name);
        json_open_object(&json);
        json_key(&json, "energy_kwh");
        json_raw(&json, str_of(quantity_format(period->import, 0, text)));
        json_key(&json, "cost");
        json_text(&json, money_format(period->cost, decimals, text));
        json_close_object(&json);
    }
    json_close_object(&json);
    list_json(list, arena_copy(list->web->op->arena, buf_str(&out)));
}
