/* Holidays' days and prices of series as texts. Called by the form of rate schedules. */
#include "web/rate_form_day.h"

#include "web/rate_form_json.h"

#include <ctype.h>
#include <string.h>

static const char *const NTHS[] = { "last", "1st", "2nd", "3rd", "4th", "5th" };
static const char *const WEEKDAYS[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static const char *const MONTHS[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                      "jul", "aug", "sep", "oct", "nov", "dec" };
#define N_NTHS 6
#define N_WEEKDAYS 7
#define N_MONTHS 12

/* ---- days ---- */

static int word_in(struct str word, const char *const *words, int n)
{
    for (int i = 0; i < n; i++) {
        if (str_equal_nocase(word, str_of(words[i]))) {
            return i;
        }
    }
    return -1;
}

static int number_of(const char *text)
{
    long long number;

    return text && str_to_int64(str_of(text), &number) && number >= -100 && number <= 100
               ? (int)number
               : 0;
}

static const char *nth_text(struct arena *arena, const struct holiday_day *day)
{
    int nth = number_of(day->nth), month = number_of(day->month);
    int weekday = word_in(str_of(day->weekday), WEEKDAYS, N_WEEKDAYS);

    if (nth < -1 || nth == 0 || nth >= N_NTHS || month < 1 || month > N_MONTHS || weekday < 0) {
        return "";
    }
    return arena_printf(arena, "%s %s of %s", NTHS[nth < 0 ? 0 : nth], WEEKDAYS[weekday],
                        MONTHS[month - 1]);
}

const char *holiday_day_text(struct arena *arena, const struct holiday_day *day)
{
    if (day->date || day->on) {
        return day->date ? day->date : day->on;
    }
    if (day->easter) {
        int offset = number_of(day->easter);
        return offset == 0 ? "easter" : arena_printf(arena, "easter %+d", offset);
    }
    return day->weekday ? nth_text(arena, day) : "";
}

static struct str next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    return str_cut(rest, ' ');
}

/* "-2", "+ 39" */
static bool read_offset(struct str text, long long *out)
{
    bool is_less = text.len > 0 && text.ptr[0] == '-';
    bool has_sign = is_less || (text.len > 0 && text.ptr[0] == '+');
    struct str digits =
        str_trim((struct str){ text.ptr + (has_sign ? 1 : 0), text.len - (has_sign ? 1 : 0) });

    *out = 0;
    if (text.len == 0) {
        return true;
    }
    bool is_number = digits.len > 0 && isdigit((unsigned char)digits.ptr[0]) &&
                     str_to_int64(digits, out);
    *out = is_less ? -*out : *out;
    return is_number;
}

static bool write_nth(struct json_writer *json, struct str text)
{
    struct str nth = next_word(&text), day = next_word(&text), of = next_word(&text);
    int n = word_in(nth, NTHS, N_NTHS), weekday = word_in(day, WEEKDAYS, N_WEEKDAYS);
    int month = word_in(str_trim(text), MONTHS, N_MONTHS);

    if (n < 0 || weekday < 0 || month < 0 || !str_equal_nocase(of, STR("of"))) {
        return false;
    }
    json_key(json, "month");
    json_int(json, month + 1);
    json_key(json, "weekday");
    json_text(json, WEEKDAYS[weekday]);
    json_key(json, "nth");
    json_int(json, n == 0 ? -1 : n);
    return true;
}

bool holiday_day_write(struct json_writer *json, struct str text)
{
    const struct str easter = STR("easter");
    long long offset;

    if (text.len >= easter.len &&
        str_equal_nocase((struct str){ text.ptr, easter.len }, easter)) {
        struct str rest = { text.ptr + easter.len, text.len - easter.len };
        if (!read_offset(str_trim(rest), &offset)) {
            return false;
        }
        json_key(json, "easter");
        json_int(json, offset);
        return true;
    }
    if (text.len > 0 && isdigit((unsigned char)text.ptr[0]) && memchr(text.ptr, '-', text.len)) {
        bool is_of_year = memchr(text.ptr, '-', text.len) == text.ptr + 2;
        json_key(json, is_of_year ? "on" : "date");
        json_string(json, text);
        return true;
    }
    return write_nth(json, text);
}

/* ---- prices ---- */

/* Cuts the text at the first of the marks, which stand between blanks; which one it was, or -1. */
static int cut_at(struct str *text, const char *const *marks, int n, struct str *rest)
{
    for (size_t at = 0; at < text->len; at++) {
        for (int i = 0; i < n; i++) {
            struct str mark = str_of(marks[i]);
            struct str here = { text->ptr + at, text->len - at };
            if (str_starts_with(here, mark)) {
                *rest = str_trim((struct str){ here.ptr + mark.len, here.len - mark.len });
                *text = str_trim((struct str){ text->ptr, at });
                return i;
            }
        }
    }
    return -1;
}

bool series_price_read(struct arena *arena, struct str text, struct series_price *out)
{
    static const char *const times[] = { " * ", " \xc3\x97 " };
    static const char *const plus[] = { " + ", " - " };
    struct str name, rest = text;
    bool is_quoted = form_unquote(arena, &rest, &name);

    *out = (struct series_price){ .series = is_quoted ? rest : text };
    if (!is_quoted && (text.len == 0 || !isalpha((unsigned char)text.ptr[0]))) {
        return false;
    }
    bool has_factor = cut_at(&out->series, times, 2, &out->factor) >= 0;
    int sign = cut_at(has_factor ? &out->factor : &out->series, plus, 2, &out->add);
    out->is_less = sign == 1;
    if (is_quoted) {
        const char *end = out->series.ptr + out->series.len;
        out->series = str_trim(out->series).len == 0
                          ? name
                          : (struct str){ text.ptr, (size_t)(end - text.ptr) };
    }
    return true;
}

static bool is_text(struct str a, const char *b)
{
    return str_equal(a, b ? str_of(b) : STR(""));
}

/* Whether the text is taken for a price by time, and for this one. */
static bool is_read_as(struct arena *arena, const char *text, const char *series,
                       const char *factor, const char *amount)
{
    struct series_price back;

    return !strpbrk(text, ",%\"") && !strstr(text, " to ") &&
           series_price_read(arena, str_of(text), &back) && is_text(back.series, series) &&
           is_text(back.factor, factor) && is_text(back.add, amount);
}

const char *series_price_text(struct arena *arena, const char *series, const char *factor,
                              const char *add)
{
    bool is_less = add && add[0] == '-';
    const char *amount = is_less ? add + 1 : add;
    const char *terms = arena_printf(arena, "%s%s%s%s", factor ? " * " : "", factor ? factor : "",
                                     is_less ? " - " : add ? " + " : "", amount ? amount : "");
    const char *text = terms ? arena_printf(arena, "%s%s", series, terms) : NULL;

    if (!text || is_read_as(arena, text, series, factor, amount)) {
        return text;
    }
    const char *quoted = form_quote(arena, str_of(series));
    return quoted ? arena_printf(arena, "%s%s", quoted, terms) : NULL;
}
