/* The log's lines, read back through a pipe in place of standard error. */
#include "base/log.h"
#include "base/op.h"

#include "tap.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

static int pipe_ends[2];
static char text[65536];

/* What was logged since the last call. */
static const char *logged(void)
{
    ssize_t length = read(pipe_ends[0], text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* The part of a line after the fields that differ from run to run. */
static const char *after_pid(const char *line)
{
    const char *pid = strstr(line, "pid=");
    const char *space = pid ? strchr(pid, ' ') : NULL;
    return space ? space + 1 : line;
}

static void test_logfmt(void)
{
    log_open(LOG_INFO, LOG_LOGFMT, "web");
    log_debug("not seen");
    is_str(logged(), "", "a record below the level is not written");
    ok(!log_is_enabled(LOG_DEBUG) && log_is_enabled(LOG_INFO), "and can be known beforehand");

    log_info("started", LOG_INT("port", 8080), LOG_TEXT("bind", "127.0.0.1"));
    const char *line = logged();
    ok(strncmp(line, "ts=2", 4) == 0 && strstr(line, "Z level=info process=web pid="),
       "a line begins with time, level, process and pid");
    is_str(after_pid(line), "msg=started port=8080 bind=127.0.0.1\n", "then message and fields");

    log_warn("two words", LOG_TEXT("empty", ""), LOG_TEXT("none", NULL), LOG_REAL("s", 0.25));
    is_str(after_pid(logged()), "msg=\"two words\" empty=\"\" s=0.25\n",
           "blanks and empty texts are quoted, a missing one is left out");
    log_error("x", LOG_TEXT("v", "a=\"b\"\n\\ \x01 caf\xc3\xa9 \xff"));
    is_str(after_pid(logged()), "msg=x v=\"a=\\\"b\\\"\\n\\\\ \\u0001 caf\xc3\xa9 \\ufffd\"\n",
           "quotes, controls and bytes that are not UTF-8 are escaped");
    log_info("x", LOG_TEXT("v", "one\nts=2026 level=error msg=forged"));
    is_str(strchr(logged(), '\n'), "\n", "a line cannot be forged from within a value");
}

static void test_json(void)
{
    log_open(LOG_DEBUG, LOG_JSON, "ingest");
    log_debug("a \"quoted\" message", LOG_INT("n", -5), LOG_REAL("nan", 0.0 / 0.0 * 0),
              LOG_TEXT("t", "tab\tcaf\xc3\xa9\x7f\xc0"));
    json_t *object = json_loads(logged(), 0, NULL);
    ok(object != NULL, "a line is JSON to another parser");
    is_str(json_string_value(json_object_get(object, "msg")), "a \"quoted\" message",
           "the message reads back");
    is_str(json_string_value(json_object_get(object, "level")), "debug", "so does the level");
    is_str(json_string_value(json_object_get(object, "process")), "ingest", "the process");
    is_int(json_integer_value(json_object_get(object, "pid")), getpid(), "the pid");
    is_int(json_integer_value(json_object_get(object, "n")), -5, "an integer");
    ok(json_is_null(json_object_get(object, "nan")), "a number that is none is null");
    is_str(json_string_value(json_object_get(object, "t")), "tab\tcaf\xc3\xa9\x7f\xef\xbf\xbd",
           "and a text, as far as it is UTF-8");
    json_decref(object);
}

/* Values of every length around the line's end, in both formats. */
static void test_long_lines(void)
{
    static char value[6000];
    int n_wrong = 0;
    int n_cut = 0;

    for (size_t length = 3800; length < 4200; length++) {
        memset(value, length % 2 ? 'x' : '"', length);
        value[length] = '\0';
        log_open(LOG_INFO, LOG_JSON, "web");
        log_info("long", LOG_TEXT("v", value + length / 4), LOG_TEXT("w", value), LOG_INT("n", 1));
        const char *line = logged();
        json_t *object = json_loads(line, 0, NULL);
        n_wrong += !object || strlen(line) > 4096;
        n_cut += json_is_true(json_object_get(object, "is_cut"));
        json_decref(object);
        log_open(LOG_INFO, LOG_LOGFMT, "web");
        log_info("long", LOG_TEXT("w", value + 1), LOG_INT("number", 1));
        line = logged();
        n_wrong += strlen(line) > 4096 || strchr(line, '\n') != line + strlen(line) - 1;
    }
    is_int(n_wrong, 0, "a line that is too long stays one valid line of at most 4096 bytes");
    is_int(n_cut, 400, "and says that it was cut");
}

static void test_fault(void)
{
    struct op op;

    log_open(LOG_INFO, LOG_LOGFMT, "web");
    op_init(&op, NULL, "req-7");
    op_log_fault(&op);
    is_str(logged(), "", "no failure, no line");
    op_fail(&op, ERR_UNAVAILABLE, "db/conn.c", 12, "no connection to %s", "db");
    op_log_fault(&op);
    const char *line = logged();
    ok(strstr(line, "level=error"), "a failure is logged at its code's level");
    is_str(after_pid(line),
           "msg=\"operation failed\" id=req-7 error=unavailable "
           "detail=\"no connection to db\" file=db/conn.c line=12\n",
           "with id, detail and place");
}

int main(void)
{
    int saved = dup(STDERR_FILENO);
    if (pipe(pipe_ends) != 0 || fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK) != 0) {
        return 2;
    }
    /* Remarks of failed checks would go into the pipe: they are in the TAP line's name. */
    dup2(pipe_ends[1], STDERR_FILENO);
    test_logfmt();
    test_json();
    test_long_lines();
    test_fault();
    dup2(saved, STDERR_FILENO);
    return done_testing();
}
