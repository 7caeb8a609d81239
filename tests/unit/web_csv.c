/* CSV as RFC 4180 writes it. */
#include "web/csv.h"

#include "tap.h"

#include <math.h>

static const struct {
    const char *text, *field, *name;
} fields[] = {
    { "plain", "plain", "a plain text stays as it is" },
    { "", "\"\"", "an empty text can be told from no value" },
    { "a,b", "\"a,b\"", "a comma asks for quotes" },
    { "say \"hi\"", "\"say \"\"hi\"\"\"", "quotes are doubled" },
    { "two\nlines", "\"two\nlines\"", "a line feed is kept within quotes" },
    { "two\rlines", "\"two\rlines\"", "so is a carriage return" },
    { " led by a space", "\" led by a space\"", "a space in front is kept within quotes" },
    { "followed ", "\"followed \"", "so is one behind" },
    { "a b", "a b", "one in the middle asks for nothing" },
    { "=1+1", "=1+1", "what a spreadsheet takes for a formula is data like any other" },
    { "z\xc3\xa4hler", "z\xc3\xa4hler", "other letters stay as they are" },
};

static void check(const struct buf *out, const char *expected, const char *name)
{
    is_view(buf_str(out), expected, "%s", name);
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    struct buf out;
    struct csv_writer csv;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        buf_init(&out, arena, 1 << 12);
        csv_writer_init(&csv, &out);
        csv_text(&csv, str_of(fields[i].text));
        check(&out, fields[i].field, fields[i].name);
    }
    buf_init(&out, arena, 1 << 12);
    csv_writer_init(&csv, &out);
    csv_text(&csv, STR("a"));
    csv_null(&csv);
    csv_int(&csv, -5);
    csv_end_record(&csv);
    csv_double(&csv, 0.1);
    csv_double(&csv, NAN);
    csv_double(&csv, 1e21);
    csv_bool(&csv, true);
    csv_end_record(&csv);
    check(&out, "a,,-5\r\n0.1,,1e+21,true\r\n", "fields are parted by commas, records by CRLF");
    arena_free(arena);
    return done_testing();
}
