#!/usr/bin/perl
# Money never passes through binary fractions: what computes with prices, energy and amounts has no
# variable of such a type, calls no function of math.h, and reads no number through one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(c_files read_source bare line_of holds);

my $of_money = qr{^app/domain/(?:money|currency|tariff|rating|bill|cost|price|urdb|document)};
my $fraction = qr{\b(?:double|float|_Float\w+|__float128|float8|json_double|json_read_number|db_double|strtod|atof)\b
    | \b(?:llround|lround|round|floor|ceil|rint|trunc|pow|fabs|fmod)\s*\( | \#\s*include\s*<(?:math|float|complex|tgmath)\.h>
    | (?<![\w.])(?:\d+\.\d*|\.\d+|\d+[eE][-+]?\d+)\b}x;

my @files = grep { /$of_money/ } c_files();
cmp_ok(scalar @files, '>', 10, 'there are files of money');
my @found;
for my $path (@files) {
    my $code = bare(read_source($path));
    while ($code =~ /($fraction)/g) {
        push @found, "$path:" . line_of($code, $-[0]) . ": $1";
    }
}
holds('money is never a binary fraction', @found);
done_testing();
