/* Numbers and quantities as text. Called by the models of the pages and by charts. */
#include "view/format.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_SIZE 40

/* A unit that takes over from `least` on (in the family's base unit, rounding seen ahead:
 * 999.5 W is shown as 1.00 kW, not as 1000 W). */
struct step {
    double least;
    struct unit unit;
};
static const struct step power_steps[] = {
    { 999.5e6, { "GW", 1e-9 } }, { 999.5e3, { "MW", 1e-6 } }, { 999.5, { "kW", 1e-3 } },
    { 0, { "W", 1 } },
};
static const struct step energy_steps[] = {
    { 9999.5e3, { "GWh", 1e-6 } }, { 9999.5, { "MWh", 1e-3 } }, { 0.9995, { "kWh", 1 } },
    { 0, { "Wh", 1e3 } },
};
static const struct step byte_steps[] = {
    { 999.5e9, { "TB", 1e-12 } }, { 999.5e6, { "GB", 1e-9 } }, { 999.5e3, { "MB", 1e-6 } },
    { 999.5, { "kB", 1e-3 } }, { 0, { "B", 1 } },
};

static const struct { const char *base; double scale; const struct step *steps; } families[] = {
    { "W", 1, power_steps },
    { "kW", 1e3, power_steps },
    { "kWh", 1, energy_steps },
    { "Wh", 1e-3, energy_steps },
    { "B", 1, byte_steps },
};

struct unit unit_for(const char *base, double magnitude)
{
    if (base == NULL) {
        return (struct unit){ "", 1 };
    }
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (strcmp(base, families[i].base) != 0) {
            continue;
        }
        double scale = families[i].scale, size = fabs(magnitude) * scale;
        if (size == 0) {
            return (struct unit){ base, 1 };
        }
        const struct step *step = families[i].steps;
        while (size < step->least) {
            step++;
        }
        return (struct unit){ step->unit.name, scale * step->unit.factor };
    }
    return (struct unit){ base, 1 };
}

/* Without printf where that gives the same digits for certain: a few decimals of a number that is
 * not large, and lies between two such decimals, not in the middle. False where it might not. */
static bool write_plainly(double size, int decimals, char out[DIGITS_SIZE])
{
    static const double powers[] = { 1, 10, 100, 1000 };
    if (decimals > 3 || size >= 1e8) {
        return false;
    }
    double scaled = size * powers[decimals], below = floor(scaled);
    if (fabs(scaled - below - 0.5) < 1e-3) {
        return false;
    }
    uint64_t digits = (uint64_t)below + (scaled - below > 0.5);
    char text[DIGITS_SIZE];
    size_t len = 0;
    do {
        if (decimals > 0 && len == (size_t)decimals) {
            text[len++] = '.';
        }
        text[len++] = (char)('0' + digits % 10);
        digits /= 10;
    } while (digits > 0 || (decimals > 0 && len < (size_t)decimals + 2));
    for (size_t i = 0; i < len; i++) {
        out[i] = text[len - 1 - i];
    }
    out[len] = '\0';
    return true;
}

const char *format_number(struct arena *arena, double value, int decimals)
{
    if (!isfinite(value)) {
        return FORMAT_NONE;
    }
    /* Beyond this the digits are noise, and would not fit. */
    if (fabs(value) >= 1e15) {
        return arena_printf(arena, "%.3g", value);
    }
    char digits[DIGITS_SIZE];
    if (!write_plainly(fabs(value), decimals, digits)) {
        snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    }
    size_t whole = strcspn(digits, ".");
    char text[96];
    size_t len = 0;
    if (value < 0 && strspn(digits, "0.") < strlen(digits)) {
        memcpy(text, FORMAT_MINUS, sizeof FORMAT_MINUS - 1);
        len = sizeof FORMAT_MINUS - 1;
    }
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            memcpy(text + len, FORMAT_THIN, sizeof FORMAT_THIN - 1);
            len += sizeof FORMAT_THIN - 1;
        }
        text[len++] = digits[i];
    }
    return arena_copy(arena, (struct str){ text, len });
}

int format_decimals(double magnitude)
{
    /* Seen after rounding: 9.996 is 10.0, not 10.00. */
    double size = fabs(magnitude);
    return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

/* A reading in a unit that does not scale: four significant digits, no zeros at the end. */
static const char *plain(struct arena *arena, double value)
{
    double size = fabs(value);
    if (size > 0 && size < 0.005) {
        return arena_printf(arena, "%s%.2g", value < 0 ? FORMAT_MINUS : "", size);
    }
    int decimals = size >= 999.95 ? 0 : size >= 99.995 ? 1 : 2;
    for (; decimals > 0; decimals--) {
        double scale = pow(10, decimals - 1);
        double kept = rint(size * scale * 10) / 10;
        if (fabs(kept - rint(kept)) > 1e-6) {
            break;
        }
    }
    return format_number(arena, value, decimals);
}

struct figure format_figure_beside(struct arena *arena, double value, const char *unit,
                                   double magnitude)
{
    struct unit shown = unit_for(unit, isfinite(magnitude) ? magnitude : 0);
    double scaled = value * shown.factor;
    /* Nobody reads tenths of many watts or watt-hours; below one they are all there is. */
    bool is_small = strcmp(shown.name, "W") == 0 || strcmp(shown.name, "Wh") == 0 ||
                    strcmp(shown.name, "B") == 0;
    bool is_scaled = shown.factor != 1 || strcmp(shown.name, "kWh") == 0;
    const char *number;
    if (is_small && fabs(scaled) > 0 && fabs(scaled) < 0.95) {
        number = plain(arena, scaled);
    } else if (is_small) {
        number = format_number(arena, scaled, fabs(scaled) >= 9.95 || scaled == 0 ? 0 : 1);
    } else if (is_scaled) {
        number = format_number(arena, scaled, scaled == 0 ? 0 : format_decimals(scaled));
    } else {
        number = plain(arena, scaled);
    }
    return (struct figure){ number, isfinite(value) ? shown.name : "" };
}

struct figure format_figure(struct arena *arena, double value, const char *unit)
{
    return format_figure_beside(arena, value, unit, value);
}

const char *format_join(struct arena *arena, struct figure figure)
{
    if (figure.number == NULL || figure.unit[0] == '\0') {
        return figure.number;
    }
    size_t space = sizeof FORMAT_NBSP - 1;
    size_t number = strlen(figure.number), unit = strlen(figure.unit);
    char *text = arena_alloc(arena, number + space + unit + 1);
    if (text != NULL) {
        memcpy(text, figure.number, number);
        memcpy(text + number, FORMAT_NBSP, space);
        memcpy(text + number + space, figure.unit, unit);
    }
    return text;
}

const char *format_quantity(struct arena *arena, double value, const char *unit)
{
    return format_join(arena, format_figure(arena, value, unit));
}

const char *format_share(struct arena *arena, double share)
{
    if (!isfinite(share)) {
        return FORMAT_NONE;
    }
    return arena_printf(arena, "%.0f" FORMAT_NBSP "%%", share * 100);
}
