#!/usr/bin/perl
# Real input: public data sets that a package ships (npm's vega-datasets) are imported from their
# files as they are, and every value is read back through the API. What is expected comes from
# the files.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Npm;
use Tidemark::Stack;

my ($tools, $why) = Tidemark::Npm::install('datasets', "$FindBin::Bin/datasets");
plan skip_all => "no public data set: $why" if !$tools;
my $data = "$tools/node_modules/vega-datasets/data";

# Rows of a simple CSV file (these have no quotes) as hashes.
sub rows_of {
    my ($header, @lines) = split /\r?\n/, $_[0];
    my @names = split /,/, $header;
    return map { my %row; @row{@names} = split /,/, $_, -1; \%row } @lines;
}

# All samples of a device as "time metric" => value, page by page.
sub read_back {
    my ($stack, $token, $device, $range) = @_;
    my (%value, $cursor, $pages);
    do {
        my $answer = $stack->get("/v1/devices/$device/samples?$range&limit=1000" . ($cursor ? "&cursor=$cursor" : ''),
            token => $token);
        die "$answer->{status} $answer->{content}" if $answer->{status} != 200;
        for my $item (@{ $answer->{json}{items} }) {
            my $name = "$item->{time} $item->{metric}";
            die "$name twice" if exists $value{$name};
            $value{$name} = $item->{value};
        }
        $cursor = $answer->{json}{next};
    } while ($cursor && ++$pages < 1000);
    return \%value;
}

# Zones that PostgreSQL would take for POSIX rules, with the sign the other way round.
sub check_zones {
    my ($stack) = @_;
    for my $zone ('UTC+3', 'Europe/Berlin2', 'Nowhere') {
        my ($status, undef, $error) = $stack->tidemark('import', '--tenant', 'science', '--format', 'csv', '--device', 'z',
            '--timezone', $zone, { stdin => "time,v\n2026-11-20 12:00:00,1\n" });
        is($status, 1, "$zone is no zone");
        like($error, qr/there is no time zone "\Q$zone\E"/, 'which is said');
    }
    return;
}

# Imports a file; returns the counts that are printed.
sub import_file {
    my ($stack, $file, @options) = @_;
    my $counts = Tidemark::Stack::decode($stack->cli('import', '--tenant', 'science', '--format', 'csv', @options, $file));
    delete @$counts{qw(seconds bytes)};
    return $counts;
}

sub check_weather {
    my ($stack, $token) = @_;
    my $file = "$data/seattle-weather-hourly-normals.csv";
    # normals are in standard time all year: eight hours behind UTC, whose zone is named Etc/GMT+8
    my @options = ('--device', 'seattle', '--timezone', 'Etc/GMT+8');
    my @rows = rows_of(Tidemark::Stack::slurp($file));
    my %expected;
    for my $row (@rows) {
        my ($year, $month, $day, $hour) = $row->{date} =~ /^(\d+)-(\d+)-(\d+)T(\d+):00:00$/ or die $row->{date};
        require Time::Local;
        my $time = Time::Local::timegm(0, 0, $hour, $day, $month - 1, $year) + 8 * 3600;
        my @utc = gmtime $time;
        my $text = sprintf '%04d-%02d-%02dT%02d:00:00Z', $utc[5] + 1900, $utc[4] + 1, @utc[3, 2];
        $expected{"$text $_"} = $row->{$_} + 0 for qw(pressure temperature wind);
    }
    cmp_ok(scalar @rows, '>', 8000, 'a year of hourly weather in Seattle (' . @rows . ' rows)');
    is_deeply(import_file($stack, $file, @options),
        { accepted => scalar @rows, duplicates => 0, updated => 0, rejected => 0 }, 'each row is accepted');
    is_deeply(read_back($stack, $token, 'seattle', 'from=2009-12-01T00:00:00Z&to=2011-02-01T00:00:00Z'), \%expected,
        'each of its values is read back at its time');
    is_deeply(import_file($stack, $file, @options),
        { accepted => 0, duplicates => scalar @rows, updated => 0, rejected => 0 }, 'imported again it is all known');
    return;
}

sub check_electricity {
    my ($stack, $token) = @_;
    my $file = "$data/iowa-electricity.csv";
    my @rows = rows_of(Tidemark::Stack::slurp($file));
    is_deeply(import_file($stack, $file, '--time-column', 'year', '--device-column', 'source'),
        { accepted => scalar @rows, duplicates => 0, updated => 0, rejected => 0 },
        "Iowa's electricity by source: each of " . @rows . ' rows is accepted');
    for my $source ('Fossil Fuels', 'Nuclear Energy', 'Renewables') {
        my %expected = map { ("$_->{year}T00:00:00Z net_generation" => $_->{net_generation} + 0) }
            grep { $_->{source} eq $source } @rows;
        is_deeply(read_back($stack, $token, $source =~ s/ /%20/r, 'from=2000-01-01T00:00:00Z'), \%expected,
            "  $source: each year is read back");
    }
    return;
}

for my $engine ('postgres', 'timescaledb') {
    SKIP: {
        skip 'no TimescaleDB for the PostgreSQL at hand', 1
            unless grep { $_ eq $engine } Tidemark::Stack::engines();
        subtest "on $engine" => sub {
            my $stack = Tidemark::Stack->start(engine => $engine);
            $stack->cli('tenant', 'add', 'science', '--timezone', 'America/Los_Angeles');
            my $token = $stack->token('science', 'api');
            check_zones($stack);
            check_weather($stack, $token);
            check_electricity($stack, $token);
        };
    }
}
done_testing;
