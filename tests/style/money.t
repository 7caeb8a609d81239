#!/usr/bin/perl
# Money never passes through binary fractions: what computes with prices, energy and amounts, or
# shows them, has no variable of such a type, calls no function of math.h, and reads no number
# through one. That is every file that names an amount or whose name says that it is of money.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(files c_files read_source bare line_of holds);

my $subject = qr{(?:^|[/_])(?:money|currency|tariff|rating|rates?|bills?|costs?|prices?|urdb|document|what_if)(?=[_./])};
my $amount = qr{\bstruct\s+(?:money|quantity)\b|\bmoney_\w+\s*\(|"domain/money\.h"};
my $fraction = qr{\b(?:double|float|_Float\w+|__float128|float8|json_double|json_read_number|db_double|strtod|atof|NAN|INFINITY)\b
    | \b(?:llround|lround|round|floor|ceil|rint|trunc|pow|fabs|fmod|fmax|fmin)\s*\( | \#\s*include\s*<(?:math|float|complex|tgmath)\.h>
    | (?<![\w.])(?:\d+\.\d*|\.\d+|\d+[eE][-+]?\d+)\b}x;

# Whether a file of C is of money, and where it has fractions: "line: word".
sub of_money { my ($path, $code) = @_; return $path =~ $subject || $code =~ $amount }

sub fractions {
    my ($code) = @_;
    my @found;
    push @found, line_of($code, $-[0]) . ": $1" while $code =~ /($fraction)/g;
    return @found;
}

my %code = map { $_ => bare(read_source($_)) } c_files();
my @files = grep { of_money($_, $code{$_}) } sort keys %code;
my %is_file = map { $_ => 1 } @files;
ok($is_file{$_}, "$_ is of money") for qw(app/domain/money.c app/domain/demo_rates.c app/view/model_bands.c app/view/models_bill.h
    app/view/model_energy.c app/view/money_scale.c app/web/page_what_if.c app/web/overview_costs.c app/archive/table_costs.c);
holds('money is never a binary fraction', map { my $path = $_; map { "$path:$_" } fractions($code{$path}) } @files);

# An amount's digits are known to few: what else computes with them does so by money.h.
holds('an amount is not taken apart', grep { !m{^app/domain/(?:money|rating_charges)\.c$|^app/domain/money\.h$} && $code{$_} =~ /(?:\.|->)\s*atto\b/ } sort keys %code);

# Each file would be found with a fraction in it.
my @blind = grep { !fractions("$code{$_}\nstatic double planted;\n") } @files;
is("@blind", '', 'a fraction planted in any of them is found');
ok(of_money('app/view/other.c', "static void draw(struct money cost);\n"), 'so is a file of another name that has an amount');
for my $planted ('double most = 0;', '(float)x', 'money / 1e18', '0.5 * rate', '#include <math.h>', 'fmax(a, b)', 'slot->values[b] = NAN;') {
    is(scalar(fractions("int x;\n$planted\n")) > 0, 1, "'$planted' is found");
}
is(join(',', fractions("int64_t a = 1000000000; x.y = 0x1e3; v2.n = INT64_C(5);")), '', 'integers are none');

# SQL and scripts carry amounts as numeric, integers and text.
my @sql = grep { m{/(?:cost|cost_ledger|rate|bill|price)\.sql$} } files(qr/\.sql$/, 'sql/queries');
cmp_ok(scalar @sql, '>', 2, 'there are queries of money');
holds('queries of money have no binary fraction', grep { read_source($_) =~ /\b(?:float[48]?|double\s+precision|real)\b/i } @sql);
my @scripts = grep { $_ =~ $subject } files(qr/\.js$/, 'static');
ok(scalar @scripts, 'there are scripts of money');
holds('scripts of money do not compute with amounts', grep { read_source($_) =~ /parseFloat|toFixed|\bMath\.(?!floor|min|max)/ } @scripts);
done_testing();
