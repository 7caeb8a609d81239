#!/usr/bin/env perl
# `tidemark import`: what it makes of files, what it says of them, and that it can be run again.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use Tidemark::Cluster;

# The cluster's copy: its user may be unable to walk to the checkout.
sub program { return $_[0]->home . '/tidemark' }

# Runs the import of a text; returns exit status, counts, and what was complained of.
sub import_text {
    my ($cluster, $text, @options) = @_;
    my $path = $cluster->home . '/file';
    open my $file, '>:encoding(UTF-8)', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    chmod 0644, $path;
    return import_file($cluster, $path, @options);
}

sub import_file {
    my ($cluster, $path, @options) = @_;
    my $command = join ' ', map {"'$_'"} program($cluster), 'import', '--tenant', 'alpha', @options;
    my $said = $cluster->run('sh', '-c', "$command <$path; echo exit \$?");
    my ($status) = $said =~ /^exit (\d+)$/m;
    my ($json) = $said =~ /^(\{.*\})$/m;
    return { status => $status, said => $said, counts => $json ? decode_json($json) : {} };
}

sub counts_are {
    my ($result, $expected, $name) = @_;
    my %got = map { $_ => $result->{counts}{$_} } keys %{$expected};
    return is_deeply(\%got, $expected, $name) || diag($result->{said});
}

# "device metric time value", a line a sample.
sub samples {
    my ($super, $device) = @_;
    return join '; ', map { join ' ', @{$_} } $super->query(<<"SQL");
SELECT s.metric, to_char(x.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'), x.value
FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id
WHERE d.key = '$device' ORDER BY 1, 2
SQL
}

sub check_csv {
    my ($cluster, $super) = @_;
    my $result = import_text($cluster, <<'CSV', '--format', 'csv');
device,time,metric,value
m1,2019-05-01T00:00:00Z,energy_kwh,1.5
m1,2019-05-01T00:15:00Z,energy_kwh,+2
"m,""2""",1556668800,voltage_v,229.9
CSV
    counts_are($result, { accepted => 3, duplicates => 0, updated => 0, rejected => 0 }, 'long CSV');
    is $result->{status}, 0, 'exits 0';
    is samples($super, 'm1'), 'energy_kwh 2019-05-01T00:00:00 1.5; energy_kwh 2019-05-01T00:15:00 2',
        'is stored as it says';
    is samples($super, 'm,"2"'), 'voltage_v 2019-05-01T00:00:00 229.9', 'with quoted names';

    my $wide = "\x{feff}date,pressure,wind,weather\r\n2010/01/01 00:00,1013.5,2,\"a\nb\"\r\n2010-01-01T01:00,,3,\r\n";
    $result = import_text($cluster, $wide, '--format', 'csv', '--device', 'sea', '--timezone', 'America/Los_Angeles');
    counts_are($result, { accepted => 2, rejected => 0 }, 'wide CSV');
    is samples($super, 'sea'),
        'pressure 2010-01-01T08:00:00 1013.5; wind 2010-01-01T08:00:00 2; wind 2010-01-01T09:00:00 3',
        'in local time, without its empty cells';
    is $super->value("SELECT count(*) FROM core.event WHERE data = '{\"weather\": \"a\\nb\"}'"), 1,
        'with its text as data';
    $result = import_text($cluster, $wide, '--format', 'csv', '--device', 'sea', '--timezone', 'America/Los_Angeles');
    counts_are($result, { accepted => 0, duplicates => 2 }, 'again: duplicates');
    return;
}

sub check_bad_lines {
    my ($cluster, $super) = @_;
    my $result = import_text($cluster, <<'CSV', '--format', 'csv');
device,time,metric,value
b,2019-05-01T00:00:00Z,a,1

b,yesterday,a,1
b,2019-05-01T00:01:00Z,a,one
b,2019-05-01T00:02:00Z,a
b,2019-05-01T00:03:00Z,a,"1"x
,2019-05-01T00:04:00Z,a,1
b,2019-05-01T00:05:00Z,a,2
CSV
    counts_are($result, { accepted => 2, rejected => 5 }, 'bad records are rejected, good ones kept');
    is $result->{status}, 1, 'and the command fails';
    like $result->{said}, qr/^\Q$_\E/m, "it says: $_" for 'line 4: "yesterday" is not a time',
        'line 5: the value of "a" is not a number', 'line 6: 3 cells where the header has 4 columns',
        'line 7: a quote stands where none may', 'line 8: no device';
    $result = import_text($cluster, "device,value\nx,1\n", '--format', 'csv');
    like $result->{said}, qr/no column for the time/, 'a header without a time is refused';
    is $result->{status}, 1, 'and fails';
    $result = import_text($cluster, join("\n", '{"metrics":{}}', 'x', ('{"device":"n"}') x 30), '--format', 'ndjson');
    is scalar(() = $result->{said} =~ /^line \d+: /mg), 20, 'the first 20 are shown';
    counts_are($result, { accepted => 0, rejected => 32 }, 'all are counted');
    $result = import_text($cluster, '', '--format', 'ndjson');
    counts_are($result, { accepted => 0, rejected => 0 }, 'an empty file is none');
    is $result->{status}, 0, 'and no failure';
    $result = import_text($cluster, "time,a\n1556668800,1\n1556668800,\"unclosed\n1556668801,2\n",
        '--format', 'csv', '--device', 'q');
    counts_are($result, { accepted => 2, rejected => 1 }, 'a quote that is not closed loses its line only');
    return;
}

sub check_ndjson {
    my ($cluster, $super) = @_;
    my $result = import_text($cluster, <<'LINES', '--format', 'ndjson', '--device', 'nd');
{"time":"1999-12-31T23:59:59Z","metrics":{"a":1}}
{"device":"other","time":"1999-12-31T23:59:59Z","type":"boot","data":{"ö":1}}
LINES
    counts_are($result, { accepted => 2 }, 'NDJSON');
    is samples($super, 'nd'), 'a 1999-12-31T23:59:59 1', 'with a device for those that name none';
    is $super->value(q{SELECT count(*) FROM core.event WHERE type = 'boot' AND data = '{"\u00f6": 1}'}), 1, 'events too';
    return;
}

sub check_large {
    my ($cluster, $super) = @_;
    my $lines = 100_000;
    my $path = $cluster->home . '/large';
    open my $file, '>', $path or die "$path: $!";
    print {$file} "time,device,a,b,c\n";
    printf {$file} "%d,large-%d,%d,%.2f,%d\n", 1_500_000_000 + int($_ / 10), $_ % 10, $_, $_ / 7, -$_ for 0 .. $lines - 1;
    close $file or die "$path: $!";
    chmod 0644, $path;
    my $result = import_file($cluster, $path, '--format', 'csv');
    counts_are($result, { accepted => $lines, rejected => 0, bytes => -s $path }, 'a file of many chunks');
    note sprintf '%.0f samples/s', 3 * $lines / ($result->{counts}{seconds} || 1);
    is $super->value("SELECT count(*) FROM core.sample x JOIN core.series s ON s.id = x.series_id"
            . " JOIN core.device d ON d.id = s.device_id WHERE d.key LIKE 'large-%'"), 3 * $lines, 'every cell is stored';
    $result = import_file($cluster, $path, '--format', 'csv');
    counts_are($result, { accepted => 0, duplicates => $lines }, 'and again: all duplicates');
    return;
}

sub check_usage {
    my ($cluster) = @_;
    my @wrong = ([], ['--format', 'xml'], ['--format', 'csv', '--frob'], ['--format', 'csv', 'a', 'b']);
    is import_text($cluster, '', @{$_})->{status}, 2, "wrong usage: @{$_}" for @wrong;
    my $said = $cluster->run('sh', '-c', "@{[program($cluster)]} import --tenant nobody --format csv </dev/null; echo exit \$?");
    like $said, qr/there is no tenant nobody\nexit 1$/, 'an unknown tenant fails';
    $said = $cluster->run('sh', '-c', "@{[program($cluster)]} import --tenant alpha --format csv /nowhere; echo exit \$?");
    like $said, qr{/nowhere: .*\nexit 1$}, 'so does an unknown file';
    like $cluster->run(program($cluster), 'import', '--help'), qr/--time-column/, '--help explains';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    $super->query("SELECT ops.tenant_add('alpha', 'Alpha', 'UTC', 'EUR')");
    check_csv($cluster, $super);
    check_bad_lines($cluster, $super);
    check_ndjson($cluster, $super);
    check_large($cluster, $super);
    check_usage($cluster);
    is $super->value('SELECT ops.orphan_check()'), 0, 'no row is of another tenant than its series';
});

done_testing;
