/* Parsing of command lines. Called by the subcommands (serve/cmd_*). */
#include "serve/options.h"

#include "serve/commands.h"

#include <stdarg.h>

static void print_help(const struct options_help *help, const struct option_row *rows)
{
    printf("usage: %s\n\n%s\n", help->usage, help->about);
    if (rows && rows->name) {
        printf("\n");
    }
    for (; rows && rows->name; rows++) {
        char left[40];
        (void)snprintf(left, sizeof left, "%s%s%s", rows->name, rows->value ? " " : "",
                       rows->value ? rows->value : "");
        printf("  %-24s %s\n", left, rows->help);
    }
}

int options_misused(const struct options_help *help, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("tidemark: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: %s\n", help->usage);
    return EXIT_USAGE;
}

void options_complain(const struct op *op)
{
    fprintf(stderr, "tidemark: %s\n", op->fault.detail);
}

static const struct option_row *find_row(const struct option_row *rows, struct str name)
{
    for (; rows && rows->name; rows++) {
        if (str_equal(str_of(rows->name), name)) {
            return rows;
        }
    }
    return NULL;
}

/* Handles the option at argv[*at]; moves *at over its value. Returns -1 to go on. */
static int take_option(int argc, char **argv, int *at, const struct options_help *help,
                       const struct option_row *rows)
{
    struct str value = str_of(argv[*at]);
    struct str name = str_cut(&value, '=');
    const struct option_row *row = find_row(rows, name);

    if (str_equal(name, STR("--help")) || str_equal(name, STR("-h"))) {
        print_help(help, rows);
        return EXIT_OK;
    }
    if (!row) {
        return options_misused(help, "unknown option %s", argv[*at]);
    }
    if (!row->value) {
        *row->flag = true;
        return value.ptr ? options_misused(help, "%s takes no value", row->name) : -1;
    }
    if (!value.ptr) {
        if (*at + 1 >= argc) {
            return options_misused(help, "%s needs %s", row->name, row->value);
        }
        value = str_of(argv[++*at]);
    }
    *row->text = value.ptr; /* the end of an argument: NUL-terminated */
    return -1;
}

int options_parse(int argc, char **argv, const struct options_help *help,
                  const struct option_row *rows, struct option_words *words)
{
    bool is_over = false; /* after "--" */

    for (int i = 1; i < argc; i++) {
        if (!is_over && strcmp(argv[i], "--") == 0) {
            is_over = true;
            continue;
        }
        if (!is_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            int status = take_option(argc, argv, &i, help, rows);
            if (status >= 0) {
                return status;
            }
            continue;
        }
        if (!words || words->n == words->max) {
            return options_misused(help, "unexpected argument %s", argv[i]);
        }
        words->list[words->n++] = argv[i];
    }
    return -1;
}

int options_none(int argc, char **argv, const struct options_help *help)
{
    return options_parse(argc, argv, help, NULL, NULL);
}
