#!/usr/bin/perl
# Every file begins by saying what it answers for; every public function is explained.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(files c_files read_source bare holds);

my @silent;
for my $path (files(qr/\.(?:[ch]|pl|pm|t|sql|sh|css|js|html)$/), grep { -f } glob 'deploy/* tests/run tests/lint .ci/*') {
    next if $path =~ m{^deploy/.*\.(?!sh)\w+$};
    next if $path =~ m{^sql/engine/} && -s $path < 200;    # a piece of a statement that its migration explains
    my $text = read_source($path) =~ s/\A#![^\n]*\n//r;
    my %opening = (
        c => qr{\A/\*}, h => qr{\A/\*}, css => qr{\A/\*}, js => qr{\A(?:'use strict';\s*)?/[/*]}, sql => qr{\A--},
        html => qr/\A\{#|\A\{%\s*template/, pm => qr/\A(?:#|package [\w:]+;\n+#)/,
    );
    my ($kind) = $path =~ /\.(\w+)$/;
    my $opening = $opening{ $kind || '' } || qr/\A#/;
    push @silent, "$path: the first thing is no comment" if $text !~ $opening;
}
holds('every file begins with a comment', @silent);

# A declaration's paragraph (lines up to the next empty one) has a comment, or follows one
# that has nothing else, or stands in a section with a heading (/* ---- … ---- */).
my @unexplained;
for my $path (grep { /\.h$/ } c_files()) {
    my ($line, $before, $is_section) = (1, '', 0);
    for my $paragraph (split /(\n(?:[ \t]*\n)+)/, read_source($path)) {
        my ($code, $begin) = (bare($paragraph), $line);
        $line += ($paragraph =~ tr/\n//);
        next if $paragraph !~ /\S/;
        my $is_remark = $code !~ /\S/;
        $is_section = 1 if $is_remark && $paragraph =~ m{/\* ----};
        if ($code !~ /^\s*#/ && $code =~ /^[A-Za-z_][^;{}()=]*\b(\w+)\([^;{}]*\)[^;{}]*[;{]/m) {
            my $is_explained = $is_section || $before || $paragraph =~ m{/\*};
            push @unexplained, "$path:$begin: $1 is not explained" if !$is_explained;
        }
        $before = $is_remark && $begin > 1;
    }
}
holds('every public function is explained', @unexplained);
done_testing();
