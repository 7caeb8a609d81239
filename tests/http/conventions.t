#!/usr/bin/perl
# What devices and their gateways already speak: each convention's own requests, answers to the
# byte, what becomes of them in the query API, and what it says to bad input. One stack for all;
# tests/http/conventions/*.pl has one convention each.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Convention;

my $convention = Tidemark::Convention->start;
for my $file (sort glob "$FindBin::Bin/conventions/*.pl") {
    my $test = do $file or die "$file: " . ($@ || $!);
    my ($name) = $file =~ m{([^/]+)\.pl$};
    $convention->begin($name);
    $test->($convention);
    $convention->end;
}
$convention->all_is_well;
done_testing;
