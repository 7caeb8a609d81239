#!/usr/bin/env perl
# Compiles templates/*.html into gen/templates.h and gen/templates.c: one C function a
# template, each value escaped for the place where it stands (lib/Html.pm follows the
# markup). What cannot be shown to be safe is an error at the template's own line, and
# #line makes the C compiler's errors appear there too. Called by the Makefile.
#
#   {% template name(struct t *v) %}   first; the file is name.html
#   {{ expression }}                   a value, escaped
#   {% if e %} {% elif e %} {% else %} {% end %}
#   {% for item in array : count %} … {% end %}   item points to the element
#   {% include name(v->part) %}        another template
#   {% call function(v->part) %}       a component in C: void function(struct buf *, …)
#   {# comment #}
use strict;
use warnings;
use File::Basename qw(basename);
use FindBin;
use lib "$FindBin::Bin/lib";
use Gen qw(complain error_count finish read_file write_file c_string options);
use Html;

my ($option, @files);
my @headers;
{
    my @arguments;
    while (@ARGV) {    # --include may be given several times
        my $argument = shift @ARGV;
        if ($argument eq '--include' && @ARGV) { push @headers, shift @ARGV }
        else { push @arguments, $argument }
    }
    ($option, @files) = options('templates.pl --out DIR [--static DIR] [--include HEADER]… FILE.html…',
        [qw(out static)], @arguments);
}

my (%template, @order);
for my $file (sort @files) {
    my $template = parse_file($file) or next;
    $template{ $template->{name} } = $template;
}
compile($template{$_}) for sort keys %template;
check_balance();
finish();
write_file("$option->{out}/templates.h", header());
write_file("$option->{out}/templates.c", source());

# ---- reading ----

# Splits a file into tokens { kind, text, line }: literal, output or tag.
sub lex {
    my ($file) = @_;
    my ($source, $line, @tokens) = (read_file($file), 1);
    my $add = sub {
        my ($kind, $text) = @_;
        if ($kind eq 'literal' && @tokens && $tokens[-1]{kind} eq 'literal') { $tokens[-1]{text} .= $text }
        else { push @tokens, { kind => $kind, text => $text, line => $line } }
    };
    pos($source) = 0;
    while (pos($source) < length $source) {
        my $from = pos $source;
        # a line with nothing but a tag or a comment leaves no line behind
        my $alone = $source =~ /\G(?<![^\n])[ \t]*(?=\{[%#](?:(?![%#]\}).)*[%#]\}[ \t]*\n)/gcs;
        if ($source =~ /\G\{#(.*?)#\}/gcs) { }
        elsif ($source =~ /\G\{%((?:[^%"']|%(?!\})|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')*)%\}/gc) {
            $add->('tag', $1);
        }
        elsif ($source =~ /\G\{\{((?:[^}"'\n]|\}(?!\})|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')*)\}\}/gc) {
            $add->('output', $1);
        }
        elsif ($source =~ /\G(\{[{%#])/gc) {
            complain($file, $line, "'$1' is not closed");
            return;
        }
        else { $source =~ /\G(\{?[^{\n]*\n?)/gc; $add->('literal', $1) }
        $source =~ /\G[ \t]*\n/gc if $alone;
        $line += (substr($source, $from, pos($source) - $from) =~ tr/\n//);
    }
    return \@tokens;
}

# The template of a file: { name, file, line, parameters, tokens }.
sub parse_file {
    my ($file) = @_;
    my $tokens = lex($file) or return;
    shift @{$tokens} while @{$tokens} && $tokens->[0]{kind} eq 'literal' && $tokens->[0]{text} !~ /\S/;
    my $first = shift @{$tokens};
    if (!$first || $first->{kind} ne 'tag' || $first->{text} !~ /^\s*template\s+([a-z][a-z0-9_]*)\s*\((.*)\)\s*$/s) {
        complain($file, $first ? $first->{line} : 1, 'the first thing is not {% template name(…) %}');
        return;
    }
    my ($name, $parameters) = ($1, $2);
    complain($file, $first->{line}, "template '$name' in a file of another name")
        if basename($file) ne "$name.html";
    my @parameters = map { parameter($file, $first->{line}, $_) } split /\s*,\s*/, $parameters;
    return { name => $name, file => $file, line => $first->{line}, parameters => \@parameters,
        tokens => $tokens };
}

# `struct t *v` becomes [`const struct t *v`, `v`]: a template changes nothing.
sub parameter {
    my ($file, $line, $text) = @_;
    $text =~ s/^\s+|\s+$//g;
    if ($text !~ /^(?:const\s+)?\w[\w\s]*?[\s*]+(\w+)$/) {
        complain($file, $line, "'$text' is not a parameter");
        return;
    }
    my $name = $1;
    $text = "const $text" if $text =~ /\*/ && $text !~ /^const\b/;
    return [$text, $name];
}

# ---- compiling ----

# Fills in the template's code and effect, those of what it includes first.
sub compile {
    my ($template) = @_;
    return if $template->{is_done};
    if ($template->{is_open}) {
        complain($template->{file}, $template->{line}, "template '$template->{name}' includes itself");
        return;
    }
    $template->{is_open} = 1;
    my $state = {
        template => $template, file => $template->{file}, html => Html->new,
        code => [], blocks => [], n_loops => 0, indent => 1,
    };
    for my $token (@{ $template->{tokens} }) {
        $state->{line} = $token->{line};
        $state->{html}{line} = $token->{line};
        if (!eval { compile_token($state, $token); 1 }) {
            my $line = $token->{kind} eq 'literal' ? $state->{html}{line} : $token->{line};
            complain($state->{file}, $line, $@ =~ s/\n\z//r);
            last;    # what follows is judged from a wrong place
        }
        $state->{is_whole} = $token == $template->{tokens}[-1];
    }
    check_end($state) if $state->{is_whole} || !@{ $template->{tokens} };
    push @order, $template;
    $template->{code} = $state->{code};
    ($template->{closes}, $template->{opens}) = $state->{html}->effect;
    $template->{is_done} = 1;
    return;
}

sub compile_token {
    my ($state, $token) = @_;
    my ($kind, $text) = @{$token}{qw(kind text)};
    if ($kind eq 'literal') {
        $state->{html}->literal($text);
        my $c = c_string($text, ' ' x (4 * $state->{indent} + 4));
        emit($state, "buf_add(out, $c, " . length($text) . ');');
    } elsif ($kind eq 'output') {
        my $c = expression($text);
        emit_at($state, 'html_' . $state->{html}->output . "(out, $c);");
    } else {
        my ($word, $rest) = $text =~ /^\s*(\w*)\s*(.*?)\s*$/s;
        my %compiler = (if => \&compile_if, elif => \&compile_elif, else => \&compile_else,
            for => \&compile_for, end => \&compile_end, include => \&compile_include, call => \&compile_call);
        my $compiler = $compiler{$word} or die "unknown tag '{% $word'\n";
        $compiler->($state, $rest);
    }
    return;
}

sub check_end {
    my ($state) = @_;
    my ($html, $file) = @{$state}{qw(html file)};
    my $block = $state->{blocks}[-1];
    return complain($file, $block->{line}, "this {% $block->{word} %} is not ended") if $block;
    complain($file, $state->{line} || 1, 'the template ends in ' . $html->place) if !$html->is_text;
    return;
}

# A template that no other includes is a page: its elements must be in balance. Those
# named layout_ may be called for their halves from C.
sub check_balance {
    return if error_count();
    for my $template (@order) {
        next if $template->{is_included} || $template->{name} =~ /^layout_/;
        my ($file, $line) = @{$template}{qw(file line)};
        complain($file, $line, "</$_> closes what this page did not open") for @{ $template->{closes} };
        complain($file, $line, "<$_> is not closed in this page") for @{ $template->{opens} };
    }
    return;
}

sub emit {
    my ($state, @lines) = @_;
    push @{ $state->{code} }, map { ('    ' x $state->{indent}) . $_ } @lines;
    return;
}

# The same, with the template's line for the compiler's messages.
sub emit_at {
    my ($state, @lines) = @_;
    push @{ $state->{code} }, qq{#line $state->{line} "$state->{file}"};
    return emit($state, @lines);
}

# A C expression: nothing that ends a statement, begins a block or hides the rest of a line.
sub expression {
    my ($text) = @_;
    $text =~ s/^\s+|\s+$//g;
    my $bare = $text =~ s/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/0/gr;
    die "empty expression\n" if $text eq '';
    die "'$1' in an expression\n" if $bare =~ m{([;{}"'\\#\n]|//|/\*|\+\+|--|(?<![=!<>])=(?!=))};
    my $depth = 0;
    for ($bare =~ /[()\[\]]/g) {
        $depth += /[(\[]/ ? 1 : -1;
        die "unbalanced brackets in an expression\n" if $depth < 0;
    }
    die "unbalanced brackets in an expression\n" if $depth;
    while ($text =~ /\basset_url\(\s*"([^"]*)"\s*\)/g) {
        die "no file '$1' in static/\n" if defined $option->{static} && !-f "$option->{static}/$1";
    }
    return $text;
}

sub open_block {
    my ($state, $word) = @_;
    $state->{html}->settle;
    push @{ $state->{blocks} }, { word => $word, line => $state->{line}, start => $state->{html}->fork, ends => [] };
    return;
}

sub compile_if {
    my ($state, $rest) = @_;
    my $condition = expression($rest);
    open_block($state, 'if');
    emit_at($state, "if ($condition) {");
    $state->{indent}++;
    return;
}

# Ends one branch and goes back to where the block began.
sub next_branch {
    my ($state, $word) = @_;
    my $block = $state->{blocks}[-1];
    die "{% $word %} without {% if %}\n" if !$block || $block->{word} ne 'if';
    die "{% $word %} after {% else %}\n" if $block->{has_else};
    $state->{html}->settle;
    push @{ $block->{ends} }, $state->{html};
    $state->{html} = $block->{start}->fork;
    $state->{html}{line} = $state->{line};
    $state->{indent}--;
    return $block;
}

sub compile_elif {
    my ($state, $rest) = @_;
    my $condition = expression($rest);
    next_branch($state, 'elif');
    emit_at($state, "} else if ($condition) {");
    $state->{indent}++;
    return;
}

sub compile_else {
    my ($state, $rest) = @_;
    die "text after {% else\n" if $rest ne '';
    next_branch($state, 'else')->{has_else} = 1;
    emit($state, '} else {');
    $state->{indent}++;
    return;
}

sub compile_end {
    my ($state, $rest) = @_;
    die "text after {% end\n" if $rest ne '';
    my $block = pop @{ $state->{blocks} } or die "{% end %} without a block\n";
    my $html = $state->{html};
    $html->settle;
    if ($block->{word} eq 'for') { $html->check_loop($block->{start}) }
    else {
        push @{ $block->{ends} }, $block->{start} if !$block->{has_else};
        $html->join_branch($_) for @{ $block->{ends} };
    }
    $state->{indent}--;
    emit($state, '}');
    return;
}

sub compile_for {
    my ($state, $rest) = @_;
    $rest =~ /^([a-z]\w*)\s+in\s+(.+?)\s+:\s+(.+)$/s or die "not {% for item in array : count %}\n";
    my ($item, $array, $count) = ($1, expression($2), expression($3));
    open_block($state, 'for');
    my $i = 'i_' . ++$state->{n_loops};
    emit_at($state, "for (int64_t $i = 0; $i < (int64_t)($count); $i++) {");
    $state->{indent}++;
    emit_at($state, "const __typeof__(*($array)) *$item = &($array)[$i]; (void)$item;");
    return;
}

# The arguments of `name(a, b)`, each a C expression; [name, ", a, b"].
sub invocation {
    my ($state, $rest, $word) = @_;
    die "{% $word %} inside " . $state->{html}->place . "; it writes elements\n" if !$state->{html}->is_text;
    $rest =~ /^([a-z]\w*)\s*\((.*)\)$/s or die "not {% $word name(…) %}\n";
    my ($name, $arguments) = ($1, $2);
    return ($name, $arguments =~ /\S/ ? ', ' . expression($arguments) : '');
}

sub compile_include {
    my ($state, $rest) = @_;
    my ($name, $arguments) = invocation($state, $rest, 'include');
    my $included = $template{$name} or die "no template '$name'\n";
    compile($included);
    $included->{is_included} = 1;
    $state->{html}->apply($included->{closes} || [], $included->{opens} || []);
    emit_at($state, "tpl_$name(out$arguments);");
    return;
}

sub compile_call {
    my ($state, $rest) = @_;
    my ($name, $arguments) = invocation($state, $rest, 'call');
    emit_at($state, "$name(out$arguments);");
    return;
}

# ---- writing ----

sub prototype_of {
    my ($template) = @_;
    return "void tpl_$template->{name}(" . join(', ', 'struct buf *out', map { $_->[0] } @{ $template->{parameters} }) . ')';
}

sub header {
    return join "\n",
        '/* Made by app/gen/templates.pl from templates/; edit those files. */',
        '#ifndef TIDEMARK_GEN_TEMPLATES_H', '#define TIDEMARK_GEN_TEMPLATES_H', '',
        '#include "base/buf.h"', (map { qq{#include "$_"} } grep { m{/models\.h$} } @headers), '',
        (map { prototype_of($template{$_}) . ';' } sort keys %template), '',
        '#endif', '';
}

sub source {
    my @out = (
        '/* Made by app/gen/templates.pl from templates/; edit those files. */',
        '#include "gen/templates.h"', '', '#include "gen/assets.h"',
        (map { qq{#include "$_"} } sort @headers), '',
        '#pragma GCC diagnostic ignored "-Woverlength-strings"',
    );
    for my $template (map { $template{$_} } sort keys %template) {
        push @out, '', qq{#line $template->{line} "$template->{file}"}, prototype_of($template), '{',
            (map { "    (void)$_;" } 'out', map { $_->[1] } @{ $template->{parameters} }),
            @{ $template->{code} }, '}';
    }
    return join "\n", @out, '';
}
