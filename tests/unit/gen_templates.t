#!/usr/bin/perl
# app/gen/templates.pl: what it refuses, each with the line of the template.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Generator qw(generate refuses contents);

my $head = "{% template t(struct v *v) %}\n";

# A template with the given body; its first line is line 2 of t.html.
sub compile { return generate('templates.pl', { 't.html' => $head . $_[0] }, 't.html') }

sub refused {
    my ($name, $body, $line, $message) = @_;
    my $run = compile($body);
    my $pattern = ref $message ? $message : qr/\Q$message\E/;
    ok(refuses($run, qr/\At\.html:$line: .*$pattern.*\n\z/), "refused: $name")
        or diag("status $run->{status}: $run->{errors}");
}

sub allowed {
    my ($name, $body, @code) = @_;
    my $run = compile($body);
    is($run->{errors}, '', "allowed: $name") or return;
    my $code = contents($run, 'templates.c');
    for my $expected (@code) {
        ok(index($code, $expected) >= 0, "  makes $expected") or diag($code);
    }
}

# ---- output by context ----
allowed('text', '<p>{{ v->a }}</p>', 'html_text(out, v->a);');
allowed('text of a title', '<title>{{ v->a }}</title>', 'html_text(out, v->a);');
allowed('text of a textarea', '<textarea>{{ v->a }}</textarea>', 'html_text(out, v->a);');
allowed('a quoted attribute', '<p class="{{ v->a }}">x</p>', 'html_attr(out, v->a);');
allowed('an attribute in single quotes', q{<p title='{{ v->a }}'>x</p>}, 'html_attr(out, v->a);');
allowed('the whole of an address', '<a href="{{ v->a }}">x</a>', 'html_url(out, v->a);');
allowed('an address after space', '<a href=" {{ v->a }}">x</a>', 'html_url(out, v->a);');
allowed('a part of an address', '<a href="/d/{{ v->a }}?x={{ v->b }}">x</a>', 'html_url_part(out, v->a);',
    'html_url_part(out, v->b);');
allowed('an address continued', '<a href="{{ v->a }}?x={{ v->b }}">x</a>', 'html_url(out, v->a);',
    'html_url_part(out, v->b);');
allowed('an address in every attribute that takes one', join('', map { qq{<p $_="{{ v->a }}">x</p>} }
        qw(href SRC action formaction poster cite background xlink:href manifest longdesc)),
    'html_url(out, v->a);');
allowed('a word that could become a scheme', '<a href="java{{ v->a }}">x</a>', 'html_url_part(out, v->a);');
allowed('a JSON island', '<script type="application/json">{"a": {{ v->a }}}</script>', 'html_json(out, v->a);');
allowed('a JSON island with strings', '<script type="application/ld+json">["\"x" , {{ v->a }}]</script>',
    'html_json(out, v->a);');
allowed('drawings', '<svg><path d="{{ v->a }}"/><title>{{ v->b }}</title></svg>', 'html_attr(out, v->a);');
allowed('an apostrophe and quotes in text', q{<p>it's "so" {{ v->a }}</p>}, 'html_text(out, v->a);');
allowed('a data- attribute', '<p data-href="{{ v->a }}">x</p>', 'html_attr(out, v->a);');

refused('an unquoted attribute value', "<p>\n<a title={{ v->a }}>x</a></p>", 3, 'output as an unquoted attribute value');
refused('an unquoted literal value', '<a title=x>x</a>', 2, q{unquoted value of attribute 'title'});
refused('an event handler', "\n\n<p onclick=\"x()\">x</p>", 4, q{attribute 'onclick'});
refused('an event handler in capitals', '<p OnLoad="{{ v->a }}">x</p>', 2, q{attribute 'onload'});
refused('a style attribute', '<p style="color: red">x</p>', 2, q{attribute 'style'});
refused('output in a style attribute', '<p style="{{ v->a }}">x</p>', 2, q{attribute 'style'});
refused('output in a script', "<script>\n{{ v->a }}</script>", 3, 'output in <script>');
refused('output in a module', '<script type="module">{{ v->a }}</script>', 2, 'output in <script>');
refused('an inline script', '<script>x()</script>', 2, 'inline <script>');
refused('output in a style element', '<style>{{ v->a }}</style>', 2, 'output in <style>');
refused('an inline style element', '<style>p { }</style>', 2, 'inline <style>');
refused('a style element in a drawing', '<svg><style>{{ v->a }}</style></svg>', 2, 'output in <style>');
refused('output inside a tag', '<p {{ v->a }}>x</p>', 2, 'output inside a tag');
refused('output in a tag name', '<h{{ v->a }}>x</h1>', 2, 'output inside a tag');
refused('output as a tag name', '<{{ v->a }}>x', 2, q{'<' begins no tag});
refused('output in an attribute name', '<p data-{{ v->a }}="x">x</p>', 2, 'output inside a tag');
refused('output right after a value', '<p class="a"{{ v->a }}>x</p>', 2, 'output inside a tag');
refused('output in an end tag', '<p>x</{{ v->a }}>', 2, q{'<' begins no tag});
refused('output in a comment', '<!-- {{ v->a }} -->', 2, 'output in a comment');
refused('output in srcset', '<img srcset="{{ v->a }}">', 2, q{output in 'srcset'});
refused('srcdoc', '<p srcdoc="x">x</p>', 2, q{attribute 'srcdoc'});
refused('a frame', '<iframe src="/x"></iframe>', 2, 'element <iframe>');
refused('an object', '<object data="{{ v->a }}"></object>', 2, 'element <object>');
refused('a base', '<base href="/">', 2, 'element <base>');
refused('output in a refresh', '<meta http-equiv="refresh" content="0;url={{ v->a }}">', 2, 'output in the content');
refused('output in a refresh said later', '<meta content="{{ v->a }}" http-equiv="refresh">', 2, 'output in the content');
refused('output in an animation', '<svg><a><set attributeName="href" to="{{ v->a }}"/></a></svg>', 2, 'output in an attribute of <set>');
refused('the type of a script by output', '<script type="{{ v->a }}"></script>', 2, 'output in the type');
refused('a scheme that runs', '<a href="javascript:x()">x</a>', 2, q{scheme 'javascript'});
refused('a scheme that runs, in capitals and space', '<a href=" JavaScript:x()">x</a>', 2, q{scheme 'JavaScript'});
refused('a data address', '<img src="data:text/html,x">', 2, q{scheme 'data'});
refused('a scheme in two pieces', '<a href="java{# x #}script:x()">x</a>', 2, q{scheme 'javascript'});
refused('a scheme after output', '<a href="{{ v->a }}:x">x</a>', 2, q{':' after output});
refused('a scheme after output and a word', '<a href="{{ v->a }}script:x">x</a>', 2, q{':' after output});
refused('an address of another host without scheme', '<a href="//x">x</a>', 2, 'an address may not begin');
refused('output in a JSON string', '<script type="application/json">"{{ v->a }}"</script>', 2, 'output inside a JSON string');
refused('markup in JSON', '<script type="application/json">"<!--"</script>', 2, q{'<' in JSON});

# ---- markup ----
allowed('void elements', '<p><br><img src="/x"><input></p>');
allowed('a doctype', '<!DOCTYPE html><p>x</p>');
allowed('a bare attribute', '<p hidden>x</p>');
refused('an element left open', "<main>\n<p>x</p>\n", 1, '<main> is not closed in this page');
refused('an end tag too much', '<p>x</p></main>', 1, '</main> closes what this page did not open');
refused('end tags crossed', "<p><b>\n</p></b>", 3, '</p> where <b> is open');
refused('a tag left open', "<p>x</p>\n<p class=\"a\"\n", 2, 'the template ends in a tag');
refused('a quote left open', "<p class=\"a>x</p>\n", 2, q{'<' in an attribute value});
refused('a comment left open', '<!-- x', 2, 'the template ends in a comment');
refused('a stray <', '<p>1 < 2</p>', 2, q{'<' begins no tag});
refused('CDATA', '<![CDATA[ x ]]>', 2, q{'<' begins no tag});
refused('no space between attributes', '<p class="a"id="b">x</p>', 2, 'a space is missing');
refused('an attribute twice', '<p id="a" ID="b">x</p>', 2, q{attribute 'id' twice});
refused('a self-closed element', '<div/>', 2, '<div/> does not close');
refused('a tag in a title', '<title><b>x</b></title>', 2, q{'<' in <title>});

# ---- blocks ----
allowed('if, elif, else', '{% if v->a %}<p>a</p>{% elif v->b > 2 %}<p>b</p>{% else %}c{% end %}',
    'if (v->a) {', '} else if (v->b > 2) {', '} else {');
allowed('an attribute by condition', '<p class="a"{% if v->a %} hidden{% end %}>x</p>');
allowed('an attribute by condition, space before', '<p {% if v->a %}hidden{% end %}>x</p>');
allowed('a class by condition', '<p class="a{% if v->a %} b {{ v->b }}{% end %}">x</p>', 'html_attr(out, v->b);');
allowed('a start tag in both branches', '{% if v->a %}<p class="a">{% else %}<p>{% end %}x</p>');
allowed('addresses by condition', '<a href="{% if v->a %}/x{% else %}/y{% end %}{{ v->b }}">x</a>', 'html_url_part(out, v->b);');
allowed('a loop', '<ul>{% for d in v->list : v->n %}<li>{{ d->x }}</li>{% end %}</ul>',
    'const __typeof__(*(v->list)) *d = &(v->list)[i_1];', 'html_text(out, d->x);');
allowed('a loop in an attribute', '<p class="a{% for d in v->list : v->n %} {{ d->x }}{% end %}">x</p>');
allowed('braces in strings of C', '<p>{{ f("}}", \'}\', "\"%}") }}</p>', 'html_text(out, f("}}", \'}\', "\"%}"));');
allowed('a comment', '<p>a{# {{ v->a }} {% if %} #}b</p>', '"<p>ab</p>"');

refused('a block not ended', "x\n{% if v->a %}\nx", 3, 'this {% if %} is not ended');
refused('a loop not ended', "{% for d in v->l : v->n %}\n{% if d->x %}{% end %}", 2, 'this {% for %} is not ended');
refused('an end too much', 'x{% end %}', 2, '{% end %} without a block');
refused('else without if', '{% else %}', 2, '{% else %} without {% if %}');
refused('else in a loop', '{% for d in v->l : v->n %}{% else %}{% end %}', 2, '{% else %} without {% if %}');
refused('elif after else', "{% if v->a %}\n{% else %}\n{% elif v->b %}{% end %}", 4, '{% elif %} after {% else %}');
refused('an unknown tag', "\n{% raw v->a %}", 3, q(unknown tag '{% raw'));
refused('a block in a comment', '<!-- {% if v->a %}x{% end %} -->', 2, 'a block in a comment');
refused('branches that leave different elements open', "{% if v->a %}\n<p>{% else %}<div>{% end %}", 3, 'the branches of this block leave different elements open');
refused('an element opened by condition', '{% if v->a %}<p>{% end %}x</p>', 2, 'the branches of this block leave different');
refused('an element closed by condition', '<p>{% if v->a %}</p>{% end %}', 2, 'the branches of this block leave different');
refused('a quote opened by condition', '<p {% if v->a %}class="{% end %}x">x</p>', 2, 'the branches of this block end in different places');
refused('a tag begun by condition', '{% if v->a %}<p {% end %}>x</p>', 2, 'the branches of this block end in different places');
refused('different attributes by condition', '<p {% if v->a %}href="{% else %}title="{% end %}{{ v->b }}">x</p>', 2, 'the branches of this block end in different places');
refused('different quotes by condition', q(<p {% if v->a %}title="{% else %}title='{% end %}">x</p>), 2, 'the branches of this block end in different places');
refused('output where an address may have begun', '<a href="{% if v->a %}/x{% end %}{{ v->b }}">x</a>', 2, 'output in an address after branches');
refused('output after branches of a scheme', '<a href="{% if v->a %}x{% else %}/y/{% end %}{{ v->b }}">x</a>', 2, 'output in an address after branches');
refused('a type by condition', '<script {% if v->a %}type="application/json"{% end %}>{{ v->b }}</script>', 2, 'a block in a <script> tag');
refused('a tag name continued in a branch', '<h{% if v->a %}1{% end %}>x</h1>', 2, 'a space is missing');
refused('an attribute without space in a branch', '<p class="a"{% if v->a %}id="b"{% end %}>x</p>', 2, 'a space is missing');
refused('a loop that opens elements', '{% for d in v->l : v->n %}<p>{% end %}', 2, 'the body of this loop does not end as it began');
refused('a loop that begins an address', '<a href="{% for d in v->l : v->n %}{{ d->x }}{% end %}">x</a>', 2, 'the body of this loop does not end as it began');
refused('a loop that is no loop', '{% for d of v->l %}{% end %}', 2, 'not {% for');

# ---- expressions ----
refused('nothing to write', '{{ }}', 2, 'empty expression');
refused('a statement', '{{ v->a); x( }}', 2, q{';' in an expression});
refused('a comment of C', '{{ v->a // x }}', 2, q{'//' in an expression});
refused('an assignment', '{% if v->a = 1 %}x{% end %}', 2, q{'=' in an expression});
refused('an increment', '{{ v->a++ }}', 2, q{'++' in an expression});
refused('brackets out of balance', '{{ v->a) + f( }}', 2, 'unbalanced brackets');
refused('a value that is not closed', "\n<p>{{ v->a </p>\n", 3, q('{{' is not closed));
refused('a tag that is not closed', "\n\n{% if v->a", 4, q('{%' is not closed));
refused('a comment that is not closed', 'x{# y', 2, q('{#' is not closed));

# ---- templates ----
my %site = (
    'layout_head.html' => "{% template layout_head(struct page *p) %}\n<html><body>\n",
    'layout_foot.html' => "{% template layout_foot() %}\n</body></html>\n",
);
my $page = "{% template page(struct v *v) %}\n{% include layout_head(&v->page) %}\n<p>x</p>\n{% include layout_foot() %}\n";
my $run = generate('templates.pl', { %site, 'page.html' => $page }, sort keys %site, 'page.html');
is($run->{errors}, '', 'a page between two halves of a layout');
like(contents($run, 'templates.c'), qr/tpl_layout_head\(out, &v->page\);/, 'an include is a call');
like(contents($run, 'templates.h'), qr/^void tpl_page\(struct buf \*out, const struct v \*v\);$/m, 'a template has a prototype');

$run = generate('templates.pl', { %site, 'page.html' => $page =~ s/.*layout_foot.*\n//r }, sort keys %site, 'page.html');
like($run->{errors}, qr/^page\.html:1: <html> is not closed in this page$/m, 'a page without the foot is refused');
$run = generate('templates.pl', { %site, 'page.html' => $page =~ s{<p>}{<div>}r }, sort keys %site, 'page.html');
ok(refuses($run, 'page.html:3: </p> where <div> is open'), 'a broken page in a layout is refused');
$run = generate('templates.pl', { 'page.html' => $page }, 'page.html');
ok(refuses($run, q{page.html:2: no template 'layout_head'}), 'an include of nothing is refused');
$run = generate('templates.pl', { 'a.html' => "{% template a() %}\n{% include b() %}\n",
    'b.html' => "{% template b() %}\n{% include a() %}\n" }, 'a.html', 'b.html');
like($run->{errors}, qr/^a\.html:1: template 'a' includes itself$/m, 'a circle of includes is refused');
refused('an include in an attribute', '<p class="{% include t(v) %}">x</p>', 2, '{% include %} inside an attribute value');
refused('a call in a tag', '<p {% call f() %}>x</p>', 2, '{% call %} inside a tag');
refused('a call in a title', '<title>{% call f() %}</title>', 2, '{% call %} inside text of an element');
allowed('a component', '<p>{% call svg_chart(v->c, 3) %}{% call mark() %}</p>', 'svg_chart(out, v->c, 3);', 'mark(out);');

ok(refuses(generate('templates.pl', { 'x.html' => "<p>x</p>\n" }, 'x.html'),
    'x.html:1: the first thing is not {% template name(…) %}'), 'a file without a template is refused');
ok(refuses(generate('templates.pl', { 'x.html' => "\n{% template y() %}\n" }, 'x.html'),
    q{x.html:2: template 'y' in a file of another name}), 'a template in a file of another name is refused');
ok(refuses(generate('templates.pl', { 'x.html' => "{% template x(struct) %}\n" }, 'x.html'),
    q{x.html:1: 'struct' is not a parameter}), 'a parameter without a name is refused');
ok(refuses(generate('templates.pl', { 'static/a.css' => '', 'x.html' => qq({% template x() %}\n<link href="{{ asset_url("b.css") }}">\n) },
    '--static', 'static', 'x.html'), q{x.html:2: no file 'b.css' in static/}), 'an asset that is not there is refused');
is(generate('templates.pl', {})->{status}, 0, 'no templates are no error');
is(generate('templates.pl', {}, '--nonsense', 'x')->{status}, 2, 'an unknown option is wrong usage');

done_testing();
