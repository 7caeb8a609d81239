#!/usr/bin/perl
# `make bench`: one throw-away stack, each figure the median of several runs, one table on
# standard output and the same as JSON in build/bench/. Compare the ratios, which were taken in
# one run on one machine, not the figures of different days.
#
#   tests/bench/run.pl [--engine postgres|timescaledb] [--runs 5] [--seconds 4] [--only NAME]
#       [--small] [--statements]    # of the pages, the archive and files: less data; what the statements cost
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Getopt::Long;
use JSON::PP;
use POSIX qw(strftime);
use Tidemark::Stack;
use Tidemark::Bench;
use Tidemark::BenchArchive;
use Tidemark::BenchCosts;
use Tidemark::BenchIngest;
use Tidemark::BenchObjects;
use Tidemark::BenchOthers;
use Tidemark::BenchPages;
use Tidemark::BenchStore;

my %option = (engine => 'postgres', runs => 5, seconds => 4);
GetOptions(\%option, 'engine=s', 'runs=i', 'seconds=f', 'only=s', 'small', 'statements') or exit 2;
my $bench;
my @figures = (
    [start => \&Tidemark::Bench::start_to_first_2xx],
    [memory => \&Tidemark::Bench::memory_idle],
    [overview => \&Tidemark::Bench::overview],
    [single => \&Tidemark::BenchIngest::single_events],
    [offered => \&Tidemark::BenchIngest::offered],
    [batch => \&Tidemark::BenchIngest::batches],
    [fleet => \&Tidemark::BenchIngest::fleet],
    [others => \&Tidemark::BenchOthers::others],
    [known => \&Tidemark::BenchIngest::known],
    [compression => \&Tidemark::BenchStore::compression],
    [archive => \&Tidemark::BenchArchive::archive],
    [pages => sub { Tidemark::BenchPages::pages(\%option) }],    # these have stacks of their own
    [costs => sub { Tidemark::BenchCosts::costs(\%option) }],
    [objects => sub { Tidemark::BenchObjects::objects(\%option) }],
);
my @rows;
for my $figure (@figures) {
    my ($name, $measure) = @$figure;
    next if $option{only} && $option{only} ne $name;
    my $is_apart = $name =~ /^(?:pages|costs|objects)$/;
    undef $bench if $is_apart;
    $bench ||= Tidemark::Bench->new(%option) if !$is_apart;
    push @rows, $measure->($bench);
}
printf "\n%-46s %14s  %-10s %s\n", 'figure', 'median', 'unit', 'spread';
printf "%-46s %14s  %-10s %s\n", @$_{qw(name value unit spread)} for @rows;
make_path("$Tidemark::Stack::ROOT/build/bench");
my $file = "$Tidemark::Stack::ROOT/build/bench/" . strftime('%Y%m%dT%H%M%S', gmtime) . "-$option{engine}.json";
open my $out, '>', $file or die "$file: $!";
print {$out} JSON::PP->new->canonical->pretty->encode({ %option, figures => \@rows });
print "\nwritten to $file\n";
