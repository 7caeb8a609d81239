/* view/html: what each context's escaper writes. Payloads after the OWASP Cross Site
 * Scripting Prevention and XSS Filter Evasion cheat sheets; encodings by hand. */
#include "view/html.h"

#include "tap.h"

#include <math.h>

typedef void (*writer)(struct buf *out, struct str text);

struct escape_case {
    const char *name;
    writer write;
    struct str text;
    const char *expected;
};

#define CASE(name, write, text, expected) { name, write, { (text), sizeof(text) - 1 }, expected }
#define TEXT(name, text, expected) CASE("text: " name, html_text_str, text, expected)
#define ATTR(name, text, expected) CASE("attribute: " name, html_attr_str, text, expected)
#define URL(name, text, expected) CASE("address: " name, html_url_str, text, expected)
#define PART(name, text, expected) CASE("part of an address: " name, html_url_part_str, text, expected)
#define JSON(name, text, expected) CASE("JSON: " name, html_json_str, text, expected)

static const struct escape_case cases[] = {
    TEXT("nothing", "", ""),
    TEXT("plain text stays", "Meter 42, Zürich €5", "Meter 42, Zürich €5"),
    TEXT("a script is text", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    TEXT("an entity is text", "&lt;", "&amp;lt;"),
    TEXT("quotes may stand", "it's \"so\"", "it's \"so\""),
    TEXT("the end of a title", "</title><img src=x onerror=x()>",
         "&lt;/title&gt;&lt;img src=x onerror=x()&gt;"),
    TEXT("NUL is replaced", "a\0<b", "a\xef\xbf\xbd&lt;b"),
    TEXT("a lone UTF-8 head does not eat the <", "\xc3<b>", "\xef\xbf\xbd&lt;b&gt;"),
    TEXT("an overlong < is replaced", "\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"),
    TEXT("an overlong slash of three bytes is replaced", "\xe0\x80\xaf",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
    TEXT("a surrogate is replaced", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
    TEXT("beyond Unicode is replaced", "\xf4\x90\x80\x80",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
    TEXT("a cut sequence at the end is replaced", "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"),
    TEXT("four bytes stay", "\xf0\x9f\x94\x8c", "\xf0\x9f\x94\x8c"),

    ATTR("a quote cannot end it", "\" onmouseover=\"x()", "&#34; onmouseover=&#34;x()"),
    ATTR("an apostrophe cannot end it", "' onfocus='x()", "&#39; onfocus=&#39;x()"),
    ATTR("markup", "\"><script>", "&#34;&gt;&lt;script&gt;"),
    ATTR("an entity", "&quot;", "&amp;quot;"),

    URL("a path", "/devices/a?b=c&d=e#f", "/devices/a?b=c&amp;d=e#f"),
    URL("a relative path", "devices/a:b", "devices/a:b"),
    URL("a query", "?cursor=x", "?cursor=x"),
    URL("a fragment", "#main", "#main"),
    URL("https", "https://example.org/?a=\"", "https://example.org/?a=&#34;"),
    URL("http in capitals", "HTTP://example.org", "HTTP://example.org"),
    URL("mail", "mailto:a@example.org", "mailto:a@example.org"),
    URL("a script", "javascript:alert(1)", "#"),
    URL("a script in mixed case", "JaVaScRiPt:alert(1)", "#"),
    URL("a script behind a space", " javascript:alert(1)", "#"),
    URL("a script behind a control character", "\x01javascript:alert(1)", "#"),
    URL("a script with a tab inside", "java\tscript:alert(1)", "#"),
    URL("a script with a line end inside", "java\nscript:alert(1)", "#"),
    URL("a script with a NUL inside", "java\0script:alert(1)", "#"),
    URL("a script by entity is a path", "javascript&#58;alert(1)", "javascript&amp;#58;alert(1)"),
    URL("vbscript", "vbscript:msgbox(1)", "#"),
    URL("data", "data:text/html,<script>alert(1)</script>", "#"),
    URL("a file", "file:///etc/passwd", "#"),
    URL("no scheme before the colon", ":alert(1)", "#"),
    URL("another host without scheme", "//evil.example", "#"),
    URL("another host by backslashes", "\\\\evil.example", "#"),
    URL("another host by slash and backslash", "/\\evil.example", "#"),
    URL("a scheme that only begins like ours", "httpx://a", "#"),
    URL("bytes that are not UTF-8", "/a\xff", "#"),
    URL("nothing", "", ""),

    PART("unreserved characters stay", "AZaz09-._~", "AZaz09-._~"),
    PART("all others are encoded", "a/b c?d=e&f#g+h%", "a%2Fb%20c%3Fd%3De%26f%23g%2Bh%25"),
    PART("a quote", "\"'<>", "%22%27%3C%3E"),
    PART("a scheme", "javascript:x", "javascript%3Ax"),
    PART("UTF-8", "ü", "%C3%BC"),

    JSON("nothing", "", "\"\""),
    JSON("quotes and backslashes", "a\"b\\c", "\"a\\\"b\\\\c\""),
    JSON("the end of the element", "</script><!--", "\"\\u003c/script\\u003e\\u003c!--\""),
    JSON("an entity", "&", "\"\\u0026\""),
    JSON("control characters", "\n\r\t\x01\x1f", "\"\\n\\r\\t\\u0001\\u001f\""),
    JSON("line separators of JavaScript", "a\xe2\x80\xa8z\xe2\x80\xa9", "\"a\\u2028z\\u2029\""),
    JSON("their neighbours stay", "\xe2\x80\xa7\xe2\x80\xaa", "\"\xe2\x80\xa7\xe2\x80\xaa\""),
    JSON("a bad byte", "a\xff", "\"a\xef\xbf\xbd\""),
};

static struct str written;

#define WRITES(call, expected, name)                                                          \
    do {                                                                                      \
        buf_clear(&out);                                                                      \
        call;                                                                                 \
        written = buf_str(&out);                                                              \
        if (!ok(str_equal(written, STR(expected)), "%s", (name)))                             \
            diag("got %.*s", (int)written.len, written.ptr);                                  \
    } while (0)

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    struct buf out;
    buf_init(&out, arena, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct escape_case *c = &cases[i];
        buf_clear(&out);
        c->write(&out, c->text);
        written = buf_str(&out);
        if (!ok(str_equal(written, str_of(c->expected)), "%s", c->name))
            diag("got %.*s", (int)written.len, written.ptr);
    }
    const char *none = NULL;
    char array[] = "a<b";
    WRITES(html_text(&out, none), "", "a missing text writes nothing");
    WRITES(html_json(&out, none), "null", "a missing text is null in JSON");
    WRITES(html_text(&out, array), "a&lt;b", "an array of char is a text");
    WRITES(html_text(&out, 3), "3", "an int");
    WRITES(html_attr(&out, INT64_MIN), "-9223372036854775808", "the least integer");
    WRITES(html_text(&out, SIZE_MAX), "18446744073709551615", "the greatest size");
    WRITES(html_attr(&out, 0.1), "0.1", "a double, shortest form");
    WRITES(html_text(&out, NAN), "", "a double that is no number writes nothing");
    WRITES(html_json(&out, INFINITY), "null", "and is null in JSON");
    WRITES(html_url(&out, str_of("/a")), "/a", "an address");
    WRITES(html_url_part(&out, "a b"), "a%20b", "a part of an address");
    arena_free(arena);
    return done_testing();
}
