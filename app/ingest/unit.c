/* One table of what units are called elsewhere. Sources: ucum.org, of which OpenTelemetry takes its
 * units; prometheus.io/docs/practices/naming for base units in words. */
#include "ingest/unit.h"

#include "base/limits.h"

static const struct {
    struct str told, unit;
} names[] = {
    { STR_INIT("1"), STR_INIT("") },           { STR_INIT("W.h"), STR_INIT("Wh") },
    { STR_INIT("kW.h"), STR_INIT("kWh") },     { STR_INIT("MW.h"), STR_INIT("MWh") },
    { STR_INIT("wh"), STR_INIT("Wh") },        { STR_INIT("kwh"), STR_INIT("kWh") },
    { STR_INIT("V.A"), STR_INIT("VA") },       { STR_INIT("Cel"), STR_INIT("°C") },
    { STR_INIT("[degF]"), STR_INIT("°F") },    { STR_INIT("By"), STR_INIT("B") },
    { STR_INIT("m3"), STR_INIT("m³") },        { STR_INIT("watts"), STR_INIT("W") },
    { STR_INIT("volts"), STR_INIT("V") },      { STR_INIT("amperes"), STR_INIT("A") },
    { STR_INIT("joules"), STR_INIT("J") },     { STR_INIT("celsius"), STR_INIT("°C") },
    { STR_INIT("hertz"), STR_INIT("Hz") },     { STR_INIT("seconds"), STR_INIT("s") },
    { STR_INIT("bytes"), STR_INIT("B") },      { STR_INIT("percent"), STR_INIT("%") },
    { STR_INIT("ratio"), STR_INIT("") },
};

struct str unit_read(struct str told)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_equal(told, names[i].told)) {
            return names[i].unit;
        }
    }
    bool is_text = told.len > 0 && told.len <= MAX_UNIT_BYTES && told.ptr[0] != '{' &&
                   str_is_utf8(told) && !memchr(told.ptr, '\0', told.len);
    return is_text ? told : (struct str){ "", 0 };
}
