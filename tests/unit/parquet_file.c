/* Parquet files: what the writer writes the reader reads, of every type, with NULLs, extremes, many
 * pages and row groups, dictionaries that fill up; and nothing of a file that was changed is read
 * as if it were whole. (That others read the files is tests/clients/parquet.t's.) */
#include "parquet/reader.h"
#include "parquet/writer.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>

enum { FLAG, SMALL, BIG, REAL, TEXT, TIME, N_COLUMNS };

static const struct parquet_column required[] = {
    { "flag", PARQUET_BOOLEAN, false }, { "small", PARQUET_INT32, false },
    { "big", PARQUET_INT64, false },    { "real", PARQUET_DOUBLE, false },
    { "text", PARQUET_STRING, false },  { "time", PARQUET_TIME, false },
};
static const struct parquet_column nullable[] = {
    { "flag", PARQUET_BOOLEAN, true }, { "small", PARQUET_INT32, true },
    { "big", PARQUET_INT64, true },    { "real", PARQUET_DOUBLE, true },
    { "text", PARQUET_STRING, true },  { "time", PARQUET_TIME, true },
};

/* Rows are found by their text. */
static const struct parquet_column named[] = {
    { "flag", PARQUET_BOOLEAN, true }, { "small", PARQUET_INT32, false },
    { "big", PARQUET_INT64, true },    { "real", PARQUET_DOUBLE, true },
    { "text", PARQUET_STRING, false }, { "time", PARQUET_TIME, false },
};

/* The file in memory, as sink and as source. */
struct memory {
    char *bytes;
    size_t len, size;
    size_t fails_at; /* the sink fails when it would hold more; 0: never */
    struct op *op;
};

static enum err take(void *context, const void *bytes, size_t len)
{
    struct memory *memory = context;

    if (memory->fails_at > 0 && memory->len + len > memory->fails_at) {
        return fail(memory->op, ERR_UNAVAILABLE, "the disk is full");
    }
    if (memory->len + len > memory->size) {
        memory->size = (memory->len + len) * 2;
        memory->bytes = realloc(memory->bytes, memory->size);
    }
    memcpy(memory->bytes + memory->len, bytes, len);
    memory->len += len;
    return OK;
}

static enum err give(void *context, int64_t offset, size_t len, char *out)
{
    struct memory *memory = context;

    if (offset < 0 || (size_t)offset > memory->len || len > memory->len - (size_t)offset) {
        return fail(memory->op, ERR_INTERNAL, "read beyond the file");
    }
    memcpy(out, memory->bytes + offset, len);
    return OK;
}

/* ---- rows that can be made again ---- */

struct row {
    bool is_null[N_COLUMNS];
    int64_t flag, small, big, time;
    double real;
    char text[400];
    size_t text_len;
};

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 31) * UINT64_C(0x7fb5d329728ea185);
    value = (value ^ value >> 27) * UINT64_C(0x81dadef4bc2dd44d);
    return value ^ value >> 33;
}

/* How the values of a file come. */
struct kind {
    const char *says;
    const struct parquet_column *columns;
    int n_rows;
    int null_in;    /* one in so many is NULL; 0: none, 1: all */
    int n_distinct; /* texts and doubles; 0: no two are alike */
    size_t text_bytes;
    bool is_extreme;
    int group_rows; /* a row group is ended after so many; 0: when it is full */
};

static const double extremes[] = { 0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, 1.7976931348623157e308,
                                   -1.7976931348623157e308, 0.1 };
static const int64_t extreme_numbers[] = { 0, INT64_MAX, INT64_MIN, -1, 1, INT64_MIN + 1, INT64_MAX - 1 };
static const char *const extreme_texts[] = { "", "\xc3\xa9", "\xf0\x9f\x94\x8b", "a,\"b\"\n", " " };

static void make_row(const struct kind *kind, int at, struct row *row)
{
    uint64_t random = mix((uint64_t)at + 1);
    uint64_t word = kind->n_distinct > 0 ? random % (uint64_t)kind->n_distinct : (uint64_t)at;

    *row = (struct row){ .flag = random >> 9 & 1, .small = (int32_t)(random >> 3), .big = (int64_t)mix(random),
                         .time = 1700000000000000 + at * INT64_C(1000000), .real = (double)word / 8 };
    row->text_len = (size_t)snprintf(row->text, sizeof row->text, "%0*llu", (int)kind->text_bytes,
                                     (unsigned long long)word);
    if (kind->is_extreme) {
        row->real = extremes[random % 9];
        row->big = extreme_numbers[random % 7];
        row->time = extreme_numbers[(random >> 8) % 7];
        row->small = random & 64 ? INT32_MAX : INT32_MIN;
        row->text_len = (size_t)snprintf(row->text, sizeof row->text, "%s", extreme_texts[random % 5]);
    }
    for (int i = 0; i < N_COLUMNS; i++) {
        row->is_null[i] = kind->null_in > 0 && kind->columns[i].is_nullable &&
                          mix(random + (uint64_t)i) % (uint64_t)kind->null_in == 0;
    }
}

static void put_row(struct parquet_writer *writer, const struct row *row)
{
    if (!row->is_null[FLAG]) {
        parquet_put_bool(writer, FLAG, row->flag);
    }
    if (!row->is_null[SMALL]) {
        parquet_put_int(writer, SMALL, row->small);
    }
    if (!row->is_null[BIG]) {
        parquet_put_int(writer, BIG, row->big);
    }
    if (!row->is_null[REAL]) {
        parquet_put_double(writer, REAL, row->real);
    }
    parquet_put_str(writer, TEXT, (struct str){ row->is_null[TEXT] ? NULL : row->text, row->text_len });
    if (!row->is_null[TIME]) {
        parquet_put_time(writer, TIME, row->time);
    }
}

static enum err write_file(struct op *op, const struct kind *kind, struct memory *memory)
{
    struct parquet_schema schema = { kind->columns, N_COLUMNS };
    struct parquet_note notes[] = { { "table", "samples" }, { "day", "2026-11-20" } };
    struct parquet_writer *writer;
    enum err err = parquet_begin(op, &schema, take, memory, &writer);
    struct row row;

    for (int i = 0; i < kind->n_rows && err == OK; i++) {
        make_row(kind, i, &row);
        put_row(writer, &row);
        err = parquet_end_row(writer);
        for (int n = 0; n < 2 && err == OK && kind->group_rows > 0 && (i + 1) % kind->group_rows == 0; n++) {
            err = parquet_end_group(writer); /* once more there is none */
        }
    }
    return err != OK ? err : parquet_end(writer, notes, 2);
}

static bool is_same_row(const struct row *row, const struct parquet_value *got)
{
    const int64_t numbers[] = { [FLAG] = row->flag, [SMALL] = row->small, [BIG] = row->big, [TIME] = row->time };
    bool is_same = true;

    for (int i = 0; i < N_COLUMNS; i++) {
        is_same = is_same && got[i].is_null == row->is_null[i];
        if (row->is_null[i]) {
            continue;
        }
        is_same = is_same && (i == REAL   ? memcmp(&got[i].real, &row->real, sizeof row->real) == 0
                              : i == TEXT ? str_equal(got[i].text, (struct str){ row->text, row->text_len })
                                          : got[i].number == numbers[i]);
    }
    return is_same;
}

/* How many rows were read as they were written, until one was not. */
static int read_file(struct op *op, const struct kind *kind, struct memory *memory, enum err *err)
{
    struct parquet_source source = { memory, (int64_t)memory->len, give };
    struct parquet_value got[PARQUET_MAX_COLUMNS];
    struct parquet_reader *reader;
    struct row row;
    bool is_end = false;
    int n = 0;

    *err = parquet_open(op, &source, &reader);
    if (*err != OK || parquet_schema(reader)->n_columns != N_COLUMNS) {
        return -1;
    }
    while ((*err = parquet_next(reader, got, &is_end)) == OK && !is_end) {
        make_row(kind, n, &row);
        if (!is_same_row(&row, got)) {
            return -1;
        }
        n++;
    }
    return n;
}

static const struct kind kinds[] = {
    { "no row at all", required, 0, 0, 3, 1, false, 0 },
    { "one row", required, 1, 0, 3, 1, false, 0 },
    { "one row of NULLs", nullable, 1, 1, 3, 1, false, 0 },
    { "some NULLs, few distinct values", nullable, 1000, 3, 5, 1, false, 0 },
    { "nothing but NULLs over several pages", nullable, 45000, 1, 1, 1, false, 0 },
    { "no NULL where some may be", nullable, 3000, 0, 7, 20, false, 0 },
    { "extremes", nullable, 5000, 4, 1, 1, true, 0 },
    { "extremes where there is no NULL", required, 5000, 0, 1, 1, true, 0 },
    { "one value alone", required, 50000, 0, 1, 10, false, 0 },
    { "more distinct values than a dictionary takes", required, 60000, 0, 0, 12, false, 0 },
    { "texts that fill the dictionary's bytes and pages", nullable, 9000, 9, 0, 300, false, 0 },
    { "several row groups", nullable, 300000, 7, 100, 4, false, 0 },
    { "row groups that are ended early", nullable, 5000, 5, 9, 4, false, 700 },
};

static void test_kinds(struct arena *arena, const struct kind *kind)
{
    struct memory memory = { .bytes = NULL };
    struct op op;
    enum err err;

    op_init(&op, arena, "test");
    memory.op = &op;
    err = write_file(&op, kind, &memory);
    is_int(err, OK, "%s: written", kind->says);
    arena_reset(arena);
    is_int(read_file(&op, kind, &memory, &err), kind->n_rows, "  and read as written");
    if (!is_int(err, OK, "  to the end")) {
        diag("%s", op.fault.detail);
    }
    free(memory.bytes);
    arena_reset(arena);
}

/* How many rows of the text were found as they were written, until one was not; -1: others. */
static int find_rows(struct op *op, const struct kind *kind, struct memory *memory, struct str text, enum err *err)
{
    struct parquet_source source = { memory, (int64_t)memory->len, give };
    struct parquet_value got[PARQUET_MAX_COLUMNS];
    struct parquet_reader *reader;
    struct row row;
    bool is_end = false;
    int at = 0, n = 0;

    *err = parquet_open(op, &source, &reader);
    while (*err == OK && (*err = parquet_find(reader, TEXT, text, got, &is_end)) == OK && !is_end) {
        do {
            make_row(kind, at++, &row);
        } while (at < kind->n_rows && !str_equal(text, (struct str){ row.text, row.text_len }));
        if (!is_same_row(&row, got)) {
            return -1;
        }
        n++;
    }
    return n;
}

static void test_find(struct arena *arena)
{
    static const struct {
        const char *says;
        struct kind kind;
        const char *text;
        int n; /* counted by who wrote the rows; -1: here */
    } cases[] = {
        { "one in the middle of a long file", { "", named, 300000, 7, 0, 6, false, 0 }, "280001", 1 },
        { "the first", { "", named, 300000, 7, 0, 6, false, 0 }, "000000", 1 },
        { "the last", { "", named, 300000, 0, 0, 6, false, 0 }, "299999", 1 },
        { "none", { "", named, 300000, 7, 0, 6, false, 0 }, "300000", 0 },
        { "every one", { "", named, 50000, 3, 1, 1, false, 0 }, "0", 50000 },
        { "some of each row group", { "", named, 5000, 5, 9, 4, false, 700 }, "0003", -1 },
        { "none of any", { "", named, 5000, 5, 9, 4, false, 700 }, "0009", 0 },
        { "of no row at all", { "", named, 0, 0, 9, 4, false, 0 }, "0003", 0 },
    };
    struct op op;
    struct row row;
    enum err err;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct kind *kind = &cases[i].kind;
        struct memory memory = { .bytes = NULL };
        int n = cases[i].n < 0 ? 0 : cases[i].n;
        for (int at = 0; cases[i].n < 0 && at < kind->n_rows; at++) {
            make_row(kind, at, &row);
            n += str_equal(str_of(cases[i].text), (struct str){ row.text, row.text_len });
        }
        op_init(&op, arena, "test");
        memory.op = &op;
        is_int(write_file(&op, kind, &memory), OK, "rows of a text, %s", cases[i].says);
        arena_reset(arena);
        is_int(find_rows(&op, kind, &memory, str_of(cases[i].text), &err), n, "  are found");
        is_int(err, OK, "  to the end");
        free(memory.bytes);
        arena_reset(arena);
    }
}

static void test_footer(struct arena *arena)
{
    struct memory memory = { .bytes = NULL };
    struct parquet_source source = { &memory, 0, give };
    struct parquet_reader *reader;
    struct op op;

    op_init(&op, arena, "test");
    memory.op = &op;
    is_int(write_file(&op, &kinds[3], &memory), OK, "a file with notes");
    source.bytes = (int64_t)memory.len;
    is_int(parquet_open(&op, &source, &reader), OK, "its footer is read");
    is_str(parquet_note(reader, "day"), "2026-11-20", "  a note");
    is_str(parquet_note(reader, "night"), NULL, "  one that is not there");
    is_int(parquet_total(reader), 1000, "  the number of rows");
    is_str(parquet_schema(reader)->columns[TIME].name, "time", "  a column's name");
    is_int(parquet_schema(reader)->columns[TIME].type, PARQUET_TIME, "  and type");
    free(memory.bytes);
    arena_reset(arena);
}

/* Every byte changed, one after another, in a small file; and every length it can be cut to: rows
 * may come out, but never an end as if all were well with the same rows changed to fewer or more. */
static void test_damage(struct arena *arena)
{
    static const struct kind kind = { "", nullable, 200, 5, 9, 3, false, 0 };
    static const struct kind sought = { "", named, 200, 5, 9, 3, false, 60 };
    struct memory whole = { .bytes = NULL }, cut;
    struct op op;
    enum err err;
    int n_short = 0, n_cut = 0, n_wrong_end = 0;

    op_init(&op, arena, "test");
    whole.op = &op;
    is_int(write_file(&op, &kind, &whole), OK, "a small file");
    for (size_t i = 0; i < whole.len; i++) {
        whole.bytes[i] = (char)(whole.bytes[i] ^ 0x15);
        arena_reset(arena);
        op_init(&op, arena, "test");
        int n = read_file(&op, &kind, &whole, &err);
        n_wrong_end += err == OK && n >= 0 && n != kind.n_rows;
        whole.bytes[i] = (char)(whole.bytes[i] ^ 0x15);
        arena_reset(arena);
        op_init(&op, arena, "test");
        cut = whole;
        cut.len = i;
        n_short += read_file(&op, &kind, &cut, &err) == -1 && err == ERR_INVALID;
        n_cut++;
    }
    is_int(n_wrong_end, 0, "a changed byte never makes a file of fewer or more rows");
    is_int(n_short, n_cut, "a file cut anywhere is refused");
    free(whole.bytes);
    arena_reset(arena);
    whole = (struct memory){ .op = &op };
    op_init(&op, arena, "test");
    is_int(write_file(&op, &sought, &whole), OK, "a small file to be searched");
    int n_sought = find_rows(&op, &sought, &whole, STR("004"), &err);
    ok(err == OK && n_sought > 10, "%d rows of a text", n_sought);
    for (size_t i = 0; i < whole.len; i++) {
        whole.bytes[i] = (char)(whole.bytes[i] ^ 0x15);
        arena_reset(arena);
        op_init(&op, arena, "test");
        int n = find_rows(&op, &sought, &whole, STR("004"), &err);
        n_wrong_end += err == OK && n >= 0 && n != n_sought;
        whole.bytes[i] = (char)(whole.bytes[i] ^ 0x15);
    }
    is_int(n_wrong_end, 0, "a changed byte never hides one of them");
    free(whole.bytes);
    arena_reset(arena);
}

static void test_failures(struct arena *arena)
{
    struct memory memory = { .fails_at = 100 };
    struct parquet_schema schema = { required, N_COLUMNS };
    struct parquet_writer *writer;
    struct op op;

    op_init(&op, arena, "test");
    memory.op = &op;
    is_int(write_file(&op, &kinds[9], &memory), ERR_UNAVAILABLE, "a sink that fails ends the writing");
    free(memory.bytes);
    memory = (struct memory){ .op = &op };
    op_init(&op, arena, "test");
    is_int(parquet_begin(&op, &schema, take, &memory, &writer), OK, "a file");
    char *text = calloc(1, PARQUET_MAX_STRING_BYTES + 1);
    parquet_put_str(writer, TEXT, (struct str){ text, PARQUET_MAX_STRING_BYTES });
    is_int(parquet_end_row(writer), OK, "  the longest text");
    parquet_put_str(writer, TEXT, (struct str){ text, PARQUET_MAX_STRING_BYTES + 1 });
    is_int(parquet_end_row(writer), ERR_TOO_LARGE, "  a longer one is refused");
    is_int(parquet_rows(writer), 1, "  is no row");
    is_int(parquet_end(writer, NULL, 0), ERR_TOO_LARGE, "  and the file with it");
    free(text);
    free(memory.bytes);
    arena_reset(arena);
}

/* ---- for other readers ---- */

static void print_row(FILE *out, const struct row *row)
{
    const int64_t numbers[] = { [FLAG] = row->flag, [SMALL] = row->small, [BIG] = row->big, [TIME] = row->time };

    for (int i = 0; i < N_COLUMNS; i++) {
        if (row->is_null[i]) {
            fputs("-", out);
        } else if (i == REAL) {
            uint64_t bits;
            memcpy(&bits, &row->real, sizeof bits);
            fprintf(out, "%016llx", (unsigned long long)bits);
        } else if (i == TEXT) {
            fputs("x", out);
            for (size_t k = 0; k < row->text_len; k++) {
                fprintf(out, "%02x", (unsigned char)row->text[k]);
            }
        } else {
            fprintf(out, "%lld", (long long)numbers[i]);
        }
        fputc(i + 1 < N_COLUMNS ? ' ' : '\n', out);
    }
}

/* Writes each kind's file into the folder as N.parquet, and beside it N.txt with its values: numbers
 * in decimal, doubles as their bits, texts in hexadecimal, "-" for NULL. */
static int write_files(struct arena *arena, const char *folder)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct memory memory = { .bytes = NULL };
        struct op op;
        struct row row;
        char path[4096];

        op_init(&op, arena, "test");
        memory.op = &op;
        snprintf(path, sizeof path, "%s/%zu.txt", folder, i);
        FILE *text = fopen(path, "w");
        snprintf(path, sizeof path, "%s/%zu.parquet", folder, i);
        FILE *file = fopen(path, "w");
        if (!text || !file || write_file(&op, &kinds[i], &memory) != OK) {
            return 1;
        }
        for (int k = 0; k < kinds[i].n_rows; k++) {
            make_row(&kinds[i], k, &row);
            print_row(text, &row);
        }
        bool is_good = fwrite(memory.bytes, 1, memory.len, file) == memory.len;
        is_good = fclose(file) == 0 && fclose(text) == 0 && is_good;
        free(memory.bytes);
        arena_reset(arena);
        if (!is_good) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_new(160u << 20);

    if (argc > 1) {
        int status = write_files(arena, argv[1]);
        arena_free(arena);
        return status;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        test_kinds(arena, &kinds[i]);
    }
    test_find(arena);
    test_footer(arena);
    test_damage(arena);
    test_failures(arena);
    arena_free(arena);
    return done_testing();
}
