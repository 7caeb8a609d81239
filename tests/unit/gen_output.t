#!/usr/bin/perl
# A template compiled by app/gen/templates.pl and the C compiler, run with hostile values:
# the page says what it should, and the compiler's errors name the template's own line.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Generator qw(generate contents root);

my $root = root();
my $library = ($ENV{TIDEMARK_BUILD} || 'build') . '/libtidemark.a';
$library = "$root/$library" if $library !~ m{^/};
plan skip_all => "$library is not built" if !-f $library;

my @compiler = ('gcc', qw(-std=gnu17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wundef -Wvla -Werror -I.), "-I$root/app");
# a library built with a sanitizer or counters needs the same runtime
my ($build_flags) = do { open my $in, '<', $library =~ s/libtidemark\.a$/flags/r or die $!; <$in> };
push @compiler, $build_flags =~ /(-fsanitize=\S+|--coverage)/g;

my $models = <<'H';
#ifndef MODELS_H
#define MODELS_H
#include "base/buf.h"
#include <stdbool.h>
struct item { const char *key; double value; bool is_new; };
struct v { const char *title; struct str url; const struct item *items; int n_items; int64_t total; };
void chart(struct buf *out, const struct item *items, int n);
#endif
H
my $main = <<'C';
#include "gen/templates.h"
#include "view/html.h"
#include <stdio.h>
void chart(struct buf *out, const struct item *items, int n)
{
    buf_add_text(out, "<svg>");
    for (int i = 0; i < n; i++)
        html_text(out, items[i].value);
    buf_add_text(out, "</svg>");
}
int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    struct buf out;
    buf_init(&out, arena, 1 << 16);
    const struct item items[] = { { "a/b\"><script>x()</script>", 1.5, true }, { "c", 2, false } };
    const struct v v = { "</title><script>alert('1')</script>", STR("javascript:alert(1)"), items, 2, -7 };
    tpl_page(&out, &v);
    fwrite(out.data, 1, out.len, stdout);
    arena_free(arena);
    return 0;
}
C
my $page = <<'T';
{% template page(struct v *v) %}
<title>{{ v->title }}</title>
<a href="{{ v->url }}" title='{{ v->title }}'>{{ v->total }}</a>
<ul>
  {% for item in v->items : v->n_items %}
  <li{% if item->is_new %} class="new"{% end %}><a href="/devices/{{ item->key }}">{{ item->key }}</a></li>
  {% end %}
</ul>
{# never shown #}
{% if v->n_items > 5 %}<p>many</p>{% elif v->n_items == 2 %}<p>two</p>{% else %}<p>few</p>{% end %}
{% call chart(v->items, v->n_items) %}
<script type="application/json">{"title": {{ v->title }}, "n": {{ v->n_items }}}</script>
T

# Compiles the template; returns (directory, compiler's output, status).
sub build {
    my ($text) = @_;
    my $run = generate('templates.pl', { 'page.html' => $text, 'view/models.h' => $models, 'main.c' => $main },
        '--include', 'view/html.h', '--include', 'view/models.h', 'page.html');
    die $run->{errors} if $run->{status};
    my $dir = $run->{dir};
    mkdir "$dir/gen";
    rename "$dir/out/templates.h", "$dir/gen/templates.h" or die $!;
    open my $assets, '>', "$dir/gen/assets.h" or die $!;
    close $assets or die $!;
    open my $gcc, '-|', "cd $dir && @compiler -o page out/templates.c main.c $library -lm -pthread 2>&1" or die $!;
    my $output = do { local $/ = undef; <$gcc> };
    close $gcc;
    return ($dir, defined $output ? $output : '', $?);
}

my ($dir, $output, $status) = build($page);
is($output, '', 'compiles without a warning');
is(scalar qx{$dir/page}, <<'HTML', 'every value is escaped for its place');
<title>&lt;/title&gt;&lt;script&gt;alert('1')&lt;/script&gt;</title>
<a href="#" title='&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;'>-7</a>
<ul>
  <li class="new"><a href="/devices/a%2Fb%22%3E%3Cscript%3Ex%28%29%3C%2Fscript%3E">a/b"&gt;&lt;script&gt;x()&lt;/script&gt;</a></li>
  <li><a href="/devices/c">c</a></li>
</ul>
<p>two</p>
<svg>1.52</svg><script type="application/json">{"title": "\u003c/title\u003e\u003cscript\u003ealert('1')\u003c/script\u003e", "n": 2}</script>
HTML

my @mistakes = (
    ['a misspelt field', 's/v->total/v->totl/', 3],
    ['a misspelt field of an element', 's/item->is_new/item->new/', 6],
    ['a misspelt array', 's/in v->items/in v->itms/', 5],
    ['a bool as a value', 's/\{\{ item->key \}\}/{{ item->is_new }}/', 6],
    ['a struct as a value', 's/\{\{ v->total \}\}/{{ *v }}/', 3],
    ['a missing component', 's/call chart/call chrt/', 11],
    ['a wrong argument', 's/call chart\(v->items/call chart(v->title/', 11],
);
for my $mistake (@mistakes) {
    my ($name, $edit, $line) = @{$mistake};
    my $broken = $page;
    eval "\$broken =~ $edit; 1" or die $@;
    (undef, $output, $status) = build($broken);
    isnt($status, 0, "$name does not compile");
    like($output, qr/^page\.html:$line:\d+: (?:error|note: in expansion of macro)/m, "  and the error is at line $line of the template");
}
done_testing();
