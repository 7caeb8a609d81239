#!/usr/bin/perl
# The query API through the real nginx: devices, samples raw and in local buckets, events;
# pages by cursor, JSON and CSV, bad parameters by name, another tenant's device like none.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use Tidemark::Browser;
use Tidemark::Stack;

# The times below are fixed ones: kept however long ago they are. There is no archive, which would have
# what retention takes (archive_reads.t).
my %KEEP = (ARCHIVE_INTERVAL_HOURS => 0, map { ("RETENTION_${_}_DAYS" => 36500) } qw(RAW HOURLY DAILY EVENT));

# Items of all pages of a list, with their number; the limit cuts them small.
sub all_pages {
    my ($get, $path) = @_;
    my (@items, $cursor);
    for (my $pages = 1; $pages <= 200; $pages++) {
        my $answer = $get->($path . (defined $cursor ? "&cursor=$cursor" : ''));
        return ([], "status $answer->{status}") if $answer->{status} != 200;
        push @items, @{ $answer->{json}{items} };
        $cursor = $answer->{json}{next};
        return (\@items, $pages) if !defined $cursor;
    }
    return (\@items, 'no end');
}

# Asks until the answer is as wanted: last values are noted a little after their samples.
sub await {
    my ($ask, $is_wanted) = @_;
    my $deadline = time + 10;
    while (1) {
        my $answer = $ask->();
        return $answer if $is_wanted->($answer) || time > $deadline;
        select undef, undef, undef, 0.05;
    }
}

# Names of an item as they stand in the answer, in order.
sub names_in_order { return join ',', $_[0] =~ /"(\w+)":/g }

sub csv_lines { return split /\r\n/, $_[0]{content} }

# A reading every quarter hour over both changes of clocks of Los Angeles in 2026, and what
# a few tests look at in detail.
sub fill {
    my ($stack) = @_;
    $stack->cli('tenant', 'add', 'lens', '--name', 'Lens', '--timezone', 'America/Los_Angeles');
    $stack->cli('tenant', 'add', 'mills', '--timezone', 'Asia/Kolkata');
    my $token = $stack->token('lens', 'device', '--backfill');
    # weeks of their own, in whatever year this runs: what is old already would be kept by year
    $stack->sql($stack->{option}{engine} eq 'timescaledb'
        ? "SELECT core.chunk_make('core.sample', w, w + interval '7 days') FROM generate_series(timestamptz '2026-01-05', '2026-06-22', '7 days') w"
        : "UPDATE core.partition_anchor SET time = least(time, '2025-12-29 00:00+00')");
    my @events;
    my $local = q{SELECT extract(epoch FROM ('%d-%d-%d'::timestamp + interval '%d days') AT TIME ZONE 'America/Los_Angeles')::bigint};
    for my $day ([2026, 3, 7, 3], [2026, 10, 31, 3]) {
        my $start = $stack->sql(sprintf $local, @$day[0 .. 2], 0);
        my $end = $stack->sql(sprintf $local, @$day);
        for (my $time = $start; $time < $end; $time += 900) {
            push @events, { device => 'meter-1', time => $time, metrics => { energy_kwh => 0.25 } };
        }
    }
    push @events, map { +{ device => "other-$_", time => 1795176000 + $_, metrics => { power_w => 10 + $_, voltage_v => 230.1 } } } 1 .. 5;
    push @events, { device => "z\x{e4}hler/1", time => '2026-11-20T12:00:00.250Z', metrics => { power_w => 0.1, is_on => JSON::PP::true } };
    push @events, map { +{ device => 'meter-1', time => 1795000000 + 60 * int($_ / 3), seq => $_, type => $_ % 2 ? 'alarm' : 'note',
        data => { n => $_, text => "a, \"b\"\n$_", deep => { level => $_ % 3 } } } } 1 .. 25;
    my $answer = $stack->post('/v1/events/batch', \@events, token => $token);
    die "cannot fill: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    my $mills = $stack->token('mills', 'device', '--backfill');
    $stack->request(POST => '/v1/sites', token => $stack->token('mills', 'admin'), body => { key => 'lhi', timezone => 'Australia/Lord_Howe' });
    $answer = $stack->post('/v1/events/batch', [
        (map { +{ device => 'loom', time => 1795176000 + 1800 * $_, metrics => { power_w => $_ } } } 0 .. 5),
        (map { +{ device => 'buoy', site => 'lhi', time => "2026-0$_-10T10:10:00Z", metrics => { power_w => $_ } } } 1, 7),
    ], token => $mills);
    die "cannot fill: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    local @ENV{ keys %KEEP } = values %KEEP;
    $stack->cli('worker', '--once'); # late samples reach the closed buckets
    return;
}

sub check_devices {
    my ($get) = @_;
    my $list = await(sub { $get->('/v1/devices') }, sub { !grep { !defined $_->{last_seen} } @{ $_[0]{json}{items} } });
    is($list->{status}, 200, 'devices are listed');
    is_deeply([map { $_->{key} } @{ $list->{json}{items} }],
        [sort qw(meter-1 other-1 other-2 other-3 other-4 other-5), "z\x{e4}hler/1"], 'all of the tenant, by key');
    is($list->{json}{next}, undef, 'one page is all');
    is($list->{json}{items}[0]{timezone}, 'America/Los_Angeles', 'without a site the zone is the tenant\'s');
    like($list->{json}{items}[0]{created_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'times are RFC 3339 in UTC');
    my ($items, $pages) = all_pages($get, '/v1/devices?limit=3');
    is($pages, 3, 'seven devices are three pages of three');
    is_deeply($items, $list->{json}{items}, 'and together the same list');
    my @csv = csv_lines($get->('/v1/devices?format=csv&limit=2'));
    is($csv[0], 'key,name,model,site,timezone,created_at,last_seen,retired_at', 'CSV has the same names');
    is($csv[0], names_in_order($list->{content} =~ /(\{"key".*?\})/), 'in the same order');
    is(scalar @csv, 3, 'and a line an item');

    my $one = await(sub { $get->('/v1/devices/z%C3%A4hler%2F1') }, sub { $_[0]{json}{last_seen} && defined $_[0]{json}{series}[0]{last_value} });
    is($one->{json}{key}, "z\x{e4}hler/1", 'a key is percent-decoded once');
    is_deeply([map { [@$_{qw(metric unit kind role last_value)}] } @{ $one->{json}{series} }],
        [['is_on', '', 'gauge', 'none', 1], ['power_w', 'W', 'gauge', 'consumption', 0.1]],
        'a device shows its series with their last values') or diag $one->{content};
    is($one->{json}{series}[0]{last_time}, '2026-11-20T12:00:00.250Z', 'and times');
    return;
}

sub check_raw {
    my ($get) = @_;
    my $answer = $get->('/v1/devices/other-1/samples');
    is($answer->{content}, '{"items":[' . join(',', map { qq({"time":"2026-11-20T12:00:01Z","metric":$_}) }
        '"power_w","value":11', '"voltage_v","value":230.1') . '],"next":null}',
        'raw samples are time, metric and value, numbers as they were sent');
    is($get->('/v1/devices/other-1/samples?metric=power_w&format=csv')->{content},
        "time,metric,value\r\n2026-11-20T12:00:01Z,power_w,11\r\n", 'and the same in CSV');
    my $csv = $get->('/v1/devices/other-1/samples?limit=1', headers => { Accept => 'text/csv' });
    like($csv->{headers}{'content-type'}, qr{^text/csv}, 'Accept asks for CSV as well');
    ok($csv->{headers}{'x-next-cursor'}, 'whose cursor is a header');
    my $second = $get->("/v1/devices/other-1/samples?limit=1&cursor=$csv->{headers}{'x-next-cursor'}");
    is($second->{json}{items}[0]{metric}, 'voltage_v', 'that goes on within one time');
    my $range = '/v1/devices/meter-1/samples?metric=energy_kwh&from=2026-03-08T00:00:00Z';
    my $edge = $get->("$range&to=2026-03-08T00:30:00Z");
    is_deeply([map { $_->{time} } @{ $edge->{json}{items} }], ['2026-03-08T00:00:00Z', '2026-03-08T00:15:00Z'],
        'from is inclusive, to exclusive');
    is_deeply($get->('/v1/devices/meter-1/samples?metric=energy_kwh&from=1772928000&to=2026-03-07T16:30:00-08:00')->{json},
        $edge->{json}, 'times may be epochs and have offsets');
    is_deeply($get->("$range&to=2026-03-08T06:00:00+05:30")->{json}, $edge->{json}, 'a plus may come as it is');
    my ($items, $pages) = all_pages($get, '/v1/devices/meter-1/samples?metric=energy_kwh&limit=100');
    is(scalar @$items, 576, 'pages miss nothing');
    my %seen = map { $_->{time} => 1 } @$items;
    is(scalar keys %seen, 576, 'and repeat nothing');
    return;
}

# The native format has no labels; other formats' series do.
sub check_labels {
    my ($stack, $get) = @_;
    $stack->sql(q{UPDATE core.series SET labels = '{"phase": "a"}' WHERE metric = 'voltage_v'});
    my $answer = $get->('/v1/devices/other-5/samples');
    is_deeply($answer->{json}{items}[1]{labels}, { phase => 'a' }, 'labels are shown where there are any');
    ok(!exists $answer->{json}{items}[0]{labels}, 'and only there');
    is($get->('/v1/devices/other-5/samples?format=csv')->{content}, "time,metric,value,labels\r\n"
        . "2026-11-20T12:00:05Z,power_w,15,\r\n2026-11-20T12:00:05Z,voltage_v,230.1,\"{\"\"phase\"\": \"\"a\"\"}\"\r\n",
        'in CSV they are a column then');
    is($get->('/v1/devices/other-5/samples?bucket=1h')->{json}{items}[1]{labels}{phase}, 'a', 'buckets have them, too');
    return;
}

sub check_buckets {
    my ($get) = @_;
    my $samples = '/v1/devices/meter-1/samples?metric=energy_kwh';
    my $days = $get->("$samples&bucket=1d");
    is_deeply([map { [@$_{qw(time count sum)}] } @{ $days->{json}{items} }], [
        ['2026-03-07T08:00:00Z', 96, 24], ['2026-03-08T08:00:00Z', 92, 23], ['2026-03-09T07:00:00Z', 96, 24],
        ['2026-10-31T07:00:00Z', 96, 24], ['2026-11-01T07:00:00Z', 100, 25], ['2026-11-02T08:00:00Z', 96, 24],
    ], 'days are the site\'s: 23 hours in March, 25 in November') or diag $days->{content};
    is(names_in_order($days->{content} =~ /(\{"time".*?\})/), 'time,metric,count,min,max,avg,sum,first,last', 'buckets have their names');
    is_deeply($get->("$samples&bucket=1d&tz=America/Los_Angeles")->{json}, $days->{json}, 'the zone may be named');
    is_deeply([map { $_->{time} } @{ $get->("$samples&bucket=1d&tz=UTC&from=2026-11-01&to=2026-11-03")->{json}{items} }],
        ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'], 'and another one');
    my $hours = $get->("$samples&bucket=1h&from=2026-11-01T08:00:00Z&to=2026-11-01T11:00:00Z");
    is_deeply([map { [@$_{qw(time count)}] } @{ $hours->{json}{items} }],
        [['2026-11-01T08:00:00Z', 4], ['2026-11-01T09:00:00Z', 4], ['2026-11-01T10:00:00Z', 4]],
        'the hour that occurs twice is two buckets');
    is_deeply([map { $_->{time} } @{ $get->("$samples&bucket=1w")->{json}{items} }],
        ['2026-03-02T08:00:00Z', '2026-03-09T07:00:00Z', '2026-10-26T07:00:00Z', '2026-11-02T08:00:00Z'], 'weeks start on Monday');
    is_deeply([map { [@$_{qw(time sum)}] } @{ $get->("$samples&bucket=1mo")->{json}{items} }],
        [['2026-03-01T08:00:00Z', 71], ['2026-10-01T07:00:00Z', 24], ['2026-11-01T07:00:00Z', 49]], 'months are calendar months');
    my ($items, $pages) = all_pages($get, "$samples&bucket=1h&limit=50");
    is(scalar @$items, 144, 'pages of buckets miss nothing');
    my ($zoned) = all_pages($get, "$samples&bucket=1h&limit=50&tz=America/Los_Angeles");
    is_deeply($zoned, $items, 'nor in a named zone');
    my @csv = csv_lines($get->("$samples&bucket=1mo&format=csv"));
    is($csv[1], '2026-03-01T08:00:00Z,energy_kwh,284,0.25,0.25,0.25,71,0.25,0.25', 'CSV of buckets');
    return;
}

sub check_half_hour_zone {
    my ($get) = @_;
    is_deeply([map { [@$_{qw(time count)}] } @{ $get->('/v1/devices/loom/samples?bucket=1h')->{json}{items} }],
        [['2026-11-20T11:30:00Z', 1], ['2026-11-20T12:30:00Z', 2], ['2026-11-20T13:30:00Z', 2], ['2026-11-20T14:30:00Z', 1]],
        'hours of Kolkata begin at half past');
    for my $path ('/v1/devices/buoy/samples?bucket=1h', '/v1/rollups?bucket=1h&device=buoy') {
        is_deeply([map { $_->{time} } @{ $get->($path)->{json}{items} }],
            ['2026-01-10T10:00:00Z', '2026-07-10T09:30:00Z'], "those of Lord Howe do in winter, whatever the season is now ($path)");
    }
    return;
}

# Retention takes the samples from before July. What came of that time meanwhile and is in no bucket
# yet is put there first; whoever names no range gets all buckets.
sub check_retention {
    my ($stack, $get, $get_mills) = @_;
    my $april = 1775001600; # 2026-04-01, 00:00 UTC
    my $answer = $stack->post('/v1/events/batch',
        [map { +{ device => 'attic', time => $april + 900 * $_, metrics => { energy_kwh => 0.25 } } } 0 .. 95],
        token => $stack->token('lens', 'device', '--backfill'));
    is($answer->{json}{accepted}, 96, 'readings of a day that is past keeping come in');
    local @ENV{ keys %KEEP } = values %KEEP;
    local $ENV{RETENTION_RAW_DAYS} = int((time - 1782864000) / 86400); # since 2026-07-01
    $stack->cli('worker', '--once');
    my ($raw) = all_pages($get, '/v1/devices/meter-1/samples?metric=energy_kwh&limit=100');
    is(scalar @$raw, 292, 'the samples of March are gone');
    is(scalar @{ $get->('/v1/devices/attic/samples')->{json}{items} }, 0, 'those of April, too');
    for my $case (['15m', 96, 0.25], ['1h', 24, 1], ['1d', 2, undef], ['1w', 1, 24], ['1mo', 2, undef]) {
        my ($bucket, $n, $each) = @$case;
        my ($items) = all_pages($get, "/v1/devices/attic/samples?bucket=$bucket&limit=1000");
        is(scalar @$items, $n, "$bucket: $n buckets of them");
        is(scalar(grep { $_->{sum} != $each } @$items), 0, 'each whole') if defined $each;
        my $sum = 0;
        $sum += $_->{sum} for @$items;
        is($sum, 24, 'nothing is lost of them');
    }
    check_buckets($get);
    check_half_hour_zone($get_mills);
    return;
}

sub check_events {
    my ($get) = @_;
    my $all = $get->('/v1/events');
    is(scalar @{ $all->{json}{items} }, 25, 'events are listed, readings are not');
    my @times = map { $_->{time} } @{ $all->{json}{items} };
    is_deeply(\@times, [reverse sort @times], 'newest first');
    is(names_in_order($all->{content} =~ /(\{"time".*?"data")/ ? "$1:" : ''), 'time,type,device,seq,id,site,data', 'with their names');
    my ($items, $pages) = all_pages($get, '/v1/events?limit=4');
    is_deeply($items, $all->{json}{items}, 'pages are the same list, three events at a time included');
    is(scalar @{ $get->('/v1/events?type=alarm')->{json}{items} }, 13, 'a type filters');
    is(scalar @{ $get->('/v1/events?device=other-1')->{json}{items} }, 0, 'so does a device');
    is(scalar @{ $get->('/v1/events?device=nobody')->{json}{items} }, 0, 'one that is not there has none');
    is_deeply([map { $_->{seq} } @{ $get->('/v1/events?data=%7B%22n%22%3A7%7D')->{json}{items} }], [7], 'and so do data');
    is(scalar @{ $get->('/v1/events?type=note&data=%7B%22deep%22%3A%7B%22level%22%3A0%7D%7D')->{json}{items} }, 4, 'deep ones, together with others');
    is(scalar @{ $get->('/v1/events?from=1795000060&to=1795000120')->{json}{items} }, 3, 'and a range');
    is_deeply($get->('/v1/events?data=%7B%22n%22%3A7%7D')->{json}{items}[0]{data}, { n => 7, text => "a, \"b\"\n7", deep => { level => 1 } },
        'data come back whole');
    like($get->('/v1/events?format=csv&data=%7B%22n%22%3A7%7D')->{content},
        qr/^time,type,device,seq,id,site,data\r\n2026-\S+Z,alarm,meter-1,7,,,"\{""n"": 7,.*\}"\r\n\z/s, 'CSV quotes them');
    return;
}

sub check_refusals {
    my ($get) = @_;
    my $cursor = $get->('/v1/devices?limit=1')->{json}{next};
    is($get->("/v1/devices/meter-1/samples?bucket=1d&tz=$_")->{status}, 200, "$_ is a zone")
        for 'Etc/GMT%2B8', 'EST5EDT', 'Asia/Kathmandu', 'America/Port-au-Prince', 'Etc/GMT-14';
    for my $case (
        ['/v1/devices?limit=x', 400, 'limit'], ['/v1/devices?limit=0', 422, 'limit'], ['/v1/devices?limit=1001', 422, 'limit'],
        ['/v1/devices?limit=99999999999999999999', 400, 'limit'],
        ['/v1/devices?cursor=abc', 400, 'cursor'], ["/v1/events?cursor=$cursor", 400, 'cursor'],
        ["/v1/devices/meter-1/samples?cursor=$cursor", 400, 'cursor'],
        ['/v1/devices?format=xml', 406, 'format'],
        ['/v1/events?from=yesterday', 400, 'from'], ['/v1/events?to=2026-02-30', 400, 'to'],
        ['/v1/events?from=2026-02-02&to=2026-02-01', 422, 'to'],
        ['/v1/events?data=%5B1%5D', 400, 'data'], ['/v1/events?data=%7B', 400, 'data'], ['/v1/events?data=%7B%7D+x', 400, 'data'],
        ['/v1/devices/meter-1/samples?bucket=2h', 422, 'bucket'],
        ['/v1/devices/meter-1/samples?bucket=1d&tz=Mars/Olympus', 422, 'tz'],
        ["/v1/devices/meter-1/samples?tz=%27%3B", 422, 'tz'],
        (map { ["/v1/devices/meter-1/samples?bucket=1d&tz=$_", 422, 'tz'] } 'UTC%2B3', 'GMT%2B3', 'Europe/Berlin2', 'UTC0',
            'posixrules', 'localtime', 'Factory', 'posix/Europe/Berlin', 'right/UTC'),
    ) {
        my ($path, $status, $parameter) = @$case;
        my $answer = $get->($path);
        is($answer->{status}, $status, "$path is refused");
        like($answer->{json}{detail} // '', qr/^\Q$parameter\E: /, 'and the parameter is named');
        is($answer->{headers}{'content-type'}, 'application/problem+json', 'by a problem document');
    }
    return;
}

# Everything of an answer but its request id and its path.
sub comparable {
    my ($answer, $key) = @_;
    my %headers = %{ $answer->{headers} };
    delete @headers{qw(date x-request-id)};
    return [$answer->{status}, \%headers, $answer->{content} =~ s/"request_id":"[^"]*"//r =~ s/\Q$key\E/KEY/gr];
}

sub check_access {
    my ($stack, $get, $get_mills) = @_;
    for my $path (map { ("/v1/devices/$_", "/v1/devices/$_/samples", "/v1/devices/$_/samples?bucket=1d&tz=UTC") } 'KEY') {
        my ($theirs, $none) = map { my $p = $path =~ s/KEY/$_/r; comparable($get_mills->($p), $_) } qw(meter-1 meter-9);
        is_deeply($theirs, $none, "$path: another tenant's device answers as none");
        is($none->[0], 404, 'with 404');
    }
    is_deeply([map { $_->{key} } @{ $get_mills->('/v1/devices')->{json}{items} }], ['buoy', 'loom'], 'a tenant lists its own');
    is(scalar @{ $get_mills->('/v1/events')->{json}{items} }, 0, 'and its own events');
    for my $path ('/v1/devices', '/v1/devices/meter-1', '/v1/devices/meter-1/samples', '/v1/events') {
        my $without = $stack->get($path);
        is($without->{status}, 401, "$path wants credentials");
        ok($without->{headers}{'www-authenticate'}, 'and says how');
        is($stack->get($path, token => $stack->token('lens', 'device'))->{status}, 403, 'a device token is of the wrong kind');
        is($stack->get($path, token => $stack->token('lens', 'admin'))->{status}, 200, 'an admin token is not');
        is($stack->request('PROPFIND', $path, token => 'x')->{status}, 405, 'another method is refused');
    }
    $stack->cli('user', 'add', '--tenant', 'lens', '--email', 'v@example.org', '--role', 'viewer', { stdin => "a long password\n" });
    my $browser = Tidemark::Browser->new($stack);
    $browser->log_in('v@example.org', 'a long password');
    is($browser->get('/v1/devices')->{status}, 200, 'a viewer\'s session reads, too');
    return;
}

sub check_description {
    my ($stack) = @_;
    my $answer = $stack->get('/v1/openapi.json');
    is($answer->{status}, 200, 'the description needs no credentials');
    is($answer->{json}{openapi}, '3.1.0', 'and is OpenAPI');
    ok($answer->{json}{paths}{'/v1/devices/{key}/samples'}{get}, 'of this API');
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $stack = Tidemark::Stack->start(engine => $engine, env => \%KEEP);
        fill($stack);
        my ($api, $mills) = map { $stack->token($_, 'api') } qw(lens mills);
        my $get = sub { my ($path, @more) = @_; return $stack->get($path, token => $api, @more) };
        my $get_mills = sub { return $stack->get($_[0], token => $mills) };
        subtest devices => sub { check_devices($get) };
        subtest raw => sub { check_raw($get) };
        subtest labels => sub { check_labels($stack, $get) };
        subtest buckets => sub { check_buckets($get) };
        subtest 'half-hour zone' => sub { check_half_hour_zone($get_mills) };
        subtest events => sub { check_events($get) };
        subtest refusals => sub { check_refusals($get) };
        subtest access => sub { check_access($stack, $get, $get_mills) };
        subtest description => sub { check_description($stack) };
        subtest retention => sub { check_retention($stack, $get, $get_mills) };
    };
}
done_testing();
