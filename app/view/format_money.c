/* Money and exact quantities as text. Called by the models of the pages of costs. */
#include "view/format_money.h"

#include "view/format.h"

#include <string.h>

static const struct { const char *code, *sign; } signs[] = {
    { "USD", "$" }, { "EUR", "€" },  { "GBP", "£" },   { "JPY", "¥" },   { "INR", "₹" },
    { "KRW", "₩" }, { "ILS", "₪" },  { "NGN", "₦" },   { "UAH", "₴" },   { "VND", "₫" },
    { "AUD", "A$" }, { "CAD", "CA$" }, { "NZD", "NZ$" }, { "BRL", "R$" },  { "MXN", "MX$" },
};

static const char *sign_of(const char *currency)
{
    for (size_t i = 0; currency && i < sizeof signs / sizeof *signs; i++) {
        if (strcmp(currency, signs[i].code) == 0) {
            return signs[i].sign;
        }
    }
    return NULL;
}

const char *format_currency(struct arena *arena, const char *currency)
{
    const char *sign = sign_of(currency);

    return sign ? sign : arena_copy(arena, str_of(currency));
}

/* Digits with thin spaces between thousands; `text` without its minus. */
static const char *grouped(struct arena *arena, const char *text)
{
    size_t whole = strcspn(text, ".");
    char out[2 * MONEY_TEXT_SIZE];
    size_t len = 0;

    for (size_t i = 0; text[i] != '\0' && len + 5 < sizeof out; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            memcpy(out + len, FORMAT_THIN, sizeof FORMAT_THIN - 1);
            len += sizeof FORMAT_THIN - 1;
        }
        out[len++] = text[i];
    }
    return arena_copy(arena, (struct str){ out, len });
}

/* `prefix` stands between the minus and the digits. */
static const char *with_sign(struct arena *arena, const char *text, const char *prefix)
{
    bool is_negative = text[0] == '-';
    const char *digits = grouped(arena, text + is_negative);

    return digits ? arena_printf(arena, "%s%s%s", is_negative ? FORMAT_MINUS : "", prefix, digits)
                  : NULL;
}

const char *format_money(struct arena *arena, struct money amount, int decimals,
                         const char *currency)
{
    char text[MONEY_TEXT_SIZE];
    const char *sign = sign_of(currency);
    struct money shown = money_round(amount, decimals, ROUND_HALF_AWAY);

    if (!sign) {
        sign = currency ? arena_printf(arena, "%s" FORMAT_NBSP, currency) : "";
    }
    return sign ? with_sign(arena, money_format(shown, decimals, text), sign) : NULL;
}

const char *format_decimal(struct arena *arena, int64_t value, int scale, int decimals)
{
    char text[MONEY_TEXT_SIZE];

    return with_sign(arena, decimal_format(value, scale, decimals, text), "");
}

const char *format_rate(struct arena *arena, int64_t rate_nano, int decimals)
{
    return format_decimal(arena, rate_nano, MONEY_MAX_DECIMALS, decimals);
}

const char *format_nano(struct arena *arena, struct quantity quantity, int decimals)
{
    char text[MONEY_TEXT_SIZE];
    struct money amount = { quantity.nano * NANO }; /* the same digits, so that they are rounded */
    struct money shown = money_round(amount, decimals, ROUND_HALF_AWAY);

    return with_sign(arena, money_format(shown, decimals, text), "");
}

const char *format_change(struct arena *arena, struct money now, struct money before)
{
    if (money_sign(before) <= 0) {
        return NULL;
    }
    int percent = money_ratio(money_subtract(now, before), before, 100);
    if (percent == 0) {
        return "as much";
    }
    return arena_printf(arena, "%s%d" FORMAT_NBSP "%%", percent < 0 ? FORMAT_MINUS : "+",
                        percent < 0 ? -percent : percent);
}

const char *format_part(struct arena *arena, struct money amount, struct money whole)
{
    char text[MONEY_TEXT_SIZE];
    int thousandths = money_sign(amount) > 0 ? money_ratio(amount, whole, 1000) : 0;

    return arena_copy(arena, str_of(decimal_format(thousandths, 1, 1, text)));
}
