#!/usr/bin/perl
# Nothing lies about unused: queries, templates, static files, public functions.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(files c_files read_source bare functions holds);

my %code = map { $_ => bare(read_source($_)) } c_files();
my %word;    # the files that have it
for my $path (keys %code) {
    my %seen = map { $_ => 1 } $code{$path} =~ /\b([A-Za-z_]\w*)\b/g;
    push @{ $word{$_} }, $path for keys %seen;
}

my @queries;
for my $path (files(qr/\.sql$/, 'sql/queries')) {
    push @queries, map { [$path, $_] } read_source($path) =~ /^--\s*name:\s*(\w+)/mg;
}
holds('every query is run somewhere', map { "$_->[0]: $_->[1]" } grep { !$word{"q_$_->[1]"} } @queries);

my $templates = join "\n", map { read_source($_) } files(qr/\.html$/, 'templates');
my @unused = grep { !$word{"tpl_$_"} && $templates !~ /\{%\s*include\s+$_\b/ } $templates =~ /\{%\s*template\s+(\w+)/g;
holds('every template is shown or included', @unused);

my $sources = join "\n", $templates, map { read_source($_) } files(qr/\.(?:[ch]|css|conf|in|webmanifest)$/, qw(app static nginx));
holds('every static file is referred to', grep { index($sources, $_) < 0 && $_ ne 'openapi.yaml' }
    map { s{^static/}{}r } files(qr/./, 'static'));

# Public functions that nobody calls but their own file: they should be static, or go.
my (%declared, @lonely);
for my $path (grep { /\.h$/ && $_ ne 'app/base/banned.h' } keys %code) {
    my $text = $code{$path} =~ s/^[ \t]*#(?:[^\n\\]|\\.|\\\n)*//gmr =~ s/\{[^{}]*\}//gr =~ s/\{[^{}]*\}//gr;
    while ($text =~ /^(?!typedef|static)[A-Za-z_][\w \t*]*?\b(\w+)\(/gm) { $declared{$1} = $path }
}
my $callers = join "\n", $templates, map { bare(read_source($_)) } c_files('tests');
my %called;
$called{$_}++ for $callers =~ /\b([A-Za-z_]\w*)\b/g;
for my $name (sort keys %declared) {
    next if $called{$name};
    my $header = $declared{$name};
    my $is_used = grep { $_ ne $header && $code{$_} !~ /^[A-Za-z_][\w \t*]*?\b$name\([^;{}]*\)\s*\{/m } @{ $word{$name} };
    # macros of the header itself call it, or make its name by ##
    my $is_macro = $code{$header} =~ /##|^[ \t]*#define(?:[^\n\\]|\\.|\\\n)*\b$name\b/m;
    push @lonely, "$header: $name" if !$is_used && !$is_macro;
}
holds('every public function has a caller outside its file, or a test', @lonely);
done_testing();
