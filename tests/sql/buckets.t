#!/usr/bin/env perl
# Local time, rollups and energy, against answers worked out by hand from the zones' rules:
# America/Los_Angeles (one hour), Australia/Lord_Howe (half an hour), Asia/Kathmandu and
# Asia/Kolkata (quarters and halves, no change), zones whose clock jumps at midnight.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

# Instants in UTC without what all have in common.
sub instants {
    my ($session, $sql) = @_;
    return join ', ', map { $_->[0] =~ s/:00\+00$//r } $session->query($sql);
}

sub check_offsets {
    my ($web) = @_;
    my $offsets = sub { return $web->text("SELECT to_char(from_time, 'MM-DD HH24:MI'), offset_s FROM api.zone_offsets('$_[0]', '$_[1]', '$_[2]')") };
    is $offsets->('America/Los_Angeles', '2024-01-01', '2025-01-01'),
        '01-01 00:00 -28800; 03-10 10:00 -25200; 11-03 09:00 -28800', 'Los Angeles, 2024';
    is $offsets->('Australia/Lord_Howe', '2024-01-01', '2025-01-01'),
        '01-01 00:00 39600; 04-06 15:00 37800; 10-05 15:30 39600', 'Lord Howe, 2024';
    is $offsets->('Asia/Kathmandu', '2024-01-01', '2025-01-01'), '01-01 00:00 20700', 'Kathmandu never changes';
    is $offsets->('America/Los_Angeles', '2024-11-03 08:59:30', '2024-11-03 09:00:30'),
        '11-03 08:59 -25200; 11-03 09:00 -28800', 'a change within a minute';
    is $offsets->('America/Los_Angeles', '2024-11-03 09:00', '2024-11-03 09:00'), '11-03 09:00 -28800',
        'an empty range';
    is $web->error("SELECT * FROM api.zone_offsets('Mars/Olympus', now(), now())"), '22023', 'an unknown zone';
    return;
}

sub check_starts {
    my ($web) = @_;
    my $starts = sub { return instants($web,
        "SELECT start FROM api.bucket_starts('$_[0]', '$_[1]', '$_[2]', '$_[3]')") };
    my @cases = (
        [ 'a day of 23 hours', 'America/Los_Angeles', '1d', '2024-03-09 08:00', '2024-03-12 00:00',
            '2024-03-09 08:00, 2024-03-10 08:00, 2024-03-11 07:00' ],
        [ 'a day of 25 hours', 'America/Los_Angeles', '1d', '2024-11-02 07:00', '2024-11-05 08:00',
            '2024-11-02 07:00, 2024-11-03 07:00, 2024-11-04 08:00' ],
        [ 'weeks begin on Monday', 'America/Los_Angeles', '1w', '2024-10-21', '2024-11-12',
            '2024-10-21 07:00, 2024-10-28 07:00, 2024-11-04 08:00, 2024-11-11 08:00' ],
        [ 'months', 'America/Los_Angeles', '1mo', '2024-10-01', '2025-01-02',
            '2024-10-01 07:00, 2024-11-01 07:00, 2024-12-01 08:00, 2025-01-01 08:00' ],
        [ 'an hour that occurs twice is two', 'America/Los_Angeles', '1h', '2024-11-03 07:00', '2024-11-03 11:00',
            '2024-11-03 07:00, 2024-11-03 08:00, 2024-11-03 09:00, 2024-11-03 10:00' ],
        [ 'an hour that is skipped is none', 'America/Los_Angeles', '1h', '2024-03-10 09:00', '2024-03-10 11:30',
            '2024-03-10 09:00, 2024-03-10 10:00, 2024-03-10 11:00' ],
        [ 'a day of 24 hours and a half', 'Australia/Lord_Howe', '1d', '2024-04-06', '2024-04-08',
            '2024-04-06 13:00, 2024-04-07 13:30' ],
        [ 'a day of 23 hours and a half', 'Australia/Lord_Howe', '1d', '2024-10-05', '2024-10-07',
            '2024-10-05 13:30, 2024-10-06 13:00' ],
        [ 'half an hour that occurs twice is one of its own', 'Australia/Lord_Howe', '1h',
            '2024-04-06 13:30', '2024-04-06 17:00',
            '2024-04-06 14:00, 2024-04-06 15:00, 2024-04-06 15:30, 2024-04-06 16:30' ],
        [ 'an hour cut in half', 'Australia/Lord_Howe', '1h', '2024-10-05 14:30', '2024-10-05 17:00',
            '2024-10-05 14:30, 2024-10-05 15:30, 2024-10-05 16:00' ],
        [ 'hours of a zone at :45', 'Asia/Kathmandu', '1h', '2024-05-01 00:00', '2024-05-01 02:00',
            '2024-05-01 00:15, 2024-05-01 01:15' ],
        [ 'days of a zone at :45', 'Asia/Kathmandu', '1d', '2024-05-01 00:00', '2024-05-03 00:00',
            '2024-05-01 18:15, 2024-05-02 18:15' ],
        [ 'quarters', 'Asia/Kathmandu', '15m', '2024-05-01 00:00', '2024-05-01 00:45',
            '2024-05-01 00:00, 2024-05-01 00:15, 2024-05-01 00:30' ],
        [ 'a midnight that is skipped', 'America/Sao_Paulo', '1d', '2018-11-03', '2018-11-06',
            '2018-11-03 03:00, 2018-11-04 03:00, 2018-11-05 02:00' ],
        [ 'a clock put back at midnight', 'America/Sao_Paulo', '1d', '2018-02-17', '2018-02-20',
            '2018-02-17 02:00, 2018-02-18 03:00, 2018-02-19 03:00' ],
        [ 'a midnight that occurs twice', 'America/Havana', '1d', '2024-11-02', '2024-11-06',
            '2024-11-02 04:00, 2024-11-03 04:00, 2024-11-04 05:00, 2024-11-05 05:00' ],
        [ 'a day that never was', 'Pacific/Apia', '1d', '2011-12-29', '2012-01-01',
            '2011-12-29 10:00, 2011-12-30 10:00, 2011-12-31 10:00' ],
    );
    is $starts->(@{$_}[1 .. 4]), $_->[5], "$_->[1]: $_->[0]" for @cases;
    is $starts->('UTC', '1d', '2024-01-01', '2024-01-01'), '', 'an empty range';
    is $web->error("SELECT * FROM api.bucket_starts('UTC', '2d', now(), now())"), '22023', 'an unknown bucket';
    return;
}

# One device a zone, with the metrics asked for; samples as [metric, labels, [time, value]…].
sub feed {
    my ($cluster, $device, $zone, @series) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.site_put('alpha', '$zone', '$zone', '$zone'),"
            . " ops.device_put('alpha', '$device', '$device', '', '$zone', NULL)");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    my $id = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['$device'], false)");
    for my $series (@series) {
        my ($metric, $labels, @samples) = @{$series};
        my $n = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$id], ARRAY['$metric'], ARRAY['$labels'], true)");
        my $times = join ',', map {"'$_->[0]+00'"} @samples;
        $ingest->query("SELECT api.partitions_ensure(min(t), max(t)) FROM unnest(ARRAY[$times]::timestamptz[]) t");
        $ingest->query("SELECT api.ingest_samples(array_agg(1), array_agg($n), array_agg(t), array_agg(v), array_agg(false))"
                . " FROM (SELECT t, v FROM unnest(ARRAY[$times]::timestamptz[], ARRAY["
                . join(',', map { $_->[1] } @samples) . ']::float8[]) s (t, v) ORDER BY t) s');
    }
    return;
}

# [time, value] every hour from `first` on.
sub hourly {
    my ($first, @values) = @_;
    my ($day, $hour) = $first =~ /^(.*-)(\d+ \d+)/;
    my ($date, $h) = split / /, $hour;
    return map { my $at = $h + $_; [ sprintf('%s%02d %02d:00', $day, $date + int($at / 24), $at % 24),
        $values[$_] ] } 0 .. $#values;
}

sub check_rollups {
    my ($cluster, $web) = @_;
    feed($cluster, 'west', 'America/Los_Angeles',
        [ 'temp_c', '{}', [ '2024-11-03 06:59', 9 ], hourly('2024-11-03 07:00', 1 .. 25),
            [ '2024-11-04 08:00', 7 ] ]);
    feed($cluster, 'isle', 'Australia/Lord_Howe', [ 'temp_c', '{}', [ '2024-10-05 13:29', 1 ],
        [ '2024-10-05 13:30', 2 ],
        [ '2024-10-06 12:59', 4 ], [ '2024-10-06 13:00', 8 ] ]);
    feed($cluster, 'peak', 'Asia/Kathmandu', [ 'temp_c', '{}', [ '2024-05-01 18:14', 1 ],
        [ '2024-05-01 18:15', 2 ] ]);
    ok $cluster->roll_up, 'what was fed is rolled up';
    my $fields = "to_char(bucket, 'MM-DD HH24:MI'), count, sum, min, max, first, last";
    my $list = sub { return $web->text("SELECT $fields FROM api.rollup_list('$_[0]', '$_[1]', NULL, '$_[2]', '$_[3]', " . ($_[4] // 'NULL') . ')') };
    is $list->('1d', 'west', '2024-11-01', '2024-11-10'),
        '11-02 07:00 1 9 9 9 9 9; 11-03 07:00 25 325 1 25 1 25; 11-04 08:00 1 7 7 7 7 7',
            'a day of 25 hours has 25 samples';
    is $list->('1d', 'west', '2024-11-03 07:00', '2024-11-04 08:00'), '11-03 07:00 25 325 1 25 1 25',
        'from is inclusive, to exclusive';
    is $list->('1d', 'west', '2024-11-03 07:00:01', '2024-11-04 08:00'), '', 'and both mean the bucket\'s start';
    is $list->('1w', 'west', '2024-10-01', '2024-12-01'),
        '10-28 07:00 26 334 1 25 9 25; 11-04 08:00 1 7 7 7 7 7', 'weeks';
    is $list->('1mo', 'west', '2024-10-01', '2024-12-01'), '11-01 07:00 27 341 1 25 9 7', 'months';
    is $list->('1d', 'isle', '2024-10-01', '2024-11-01'),
        '10-04 13:30 1 1 1 1 1 1; 10-05 13:30 2 6 2 4 2 4; 10-06 13:00 1 8 8 8 8 8', 'Lord Howe';
    is $list->('1d', 'peak', '2024-04-01', '2024-06-01'),
        '04-30 18:15 1 1 1 1 1 1; 05-01 18:15 1 2 2 2 2 2', 'Kathmandu';
    is $list->('1h', 'peak', '2024-04-01', '2024-06-01'), '05-01 18:00 2 3 1 2 1 2', 'hours are of UTC';
    is $list->('15m', 'peak', '2024-04-01', '2024-06-01'),
        '05-01 18:00 1 1 1 1 1 1; 05-01 18:15 1 2 2 2 2 2', 'quarters too';
    is $list->('1d', 'west', '2024-11-01', '2024-11-10', 2),
        '11-02 07:00 1 9 9 9 9 9; 11-03 07:00 25 325 1 25 1 25', 'no more than asked for';
    is $web->text("SELECT to_char(bucket, 'MM-DD HH24:MI'), device FROM api.rollup_list('1mo', NULL, 'temp_c', '2024-01-01', '2025-01-01', 3)"),
        '04-30 18:15 peak; 09-30 13:30 isle; 11-01 07:00 west', 'across devices, by their sites\' zones';
    my $page = "SELECT bucket, series_id FROM api.rollup_list('1h', NULL, NULL, '2024-01-01', '2025-01-01', %s)";
    my @all = map {"@{$_}"} $web->query(sprintf $page, 'NULL');
    my (@paged, $after);
    while (my @rows = $web->query(sprintf $page, '4' . ($after ? ", '$after->[0]', $after->[1]" : ''))) {
        push @paged, map {"@{$_}"} @rows;
        $after = $rows[-1];
    }
    is_deeply \@paged, \@all, 'in pages of four the same ' . @all . ' buckets';
    my $id = $web->value("SELECT id FROM api.series WHERE device = 'west' AND metric = 'temp_c'");
    check_reading($cluster, $web, $list);
    for my $bucket (qw(15m 1h 1d 1w 1mo)) {
        is $web->text("SELECT * FROM api.rollup_$bucket WHERE series_id = $id ORDER BY bucket"),
            $web->text("SELECT * FROM api.rollup_list('$bucket', 'west', NULL, '2000-01-01', '2030-01-01', NULL)"), "the view of $bucket says the same";
    }
    return;
}

# The same answers while nothing is closed, and while the clock stands within a day.
sub check_reading {
    my ($cluster, $web, $list) = @_;
    my $super = $cluster->session('tidemark_super');
    my @questions = map { my $grain = $_; map { [ $grain, $_, '2024-01-01', '2024-12-31' ] } qw(west isle peak) } qw(15m 1h 1d 1w 1mo);
    my @closed = map { $list->(@{$_}) } @questions;
    my ($state) = $super->query('SELECT closed_until, closing_until FROM core.rollup_state');
    $super->query("CREATE TEMP TABLE kept_$_ AS SELECT * FROM core.rollup_$_") for qw(15m 1h 1d 1w 1mo);
    for my $until ('2024-11-04 07:15', '2024-11-03 10:45', '2024-10-05 13:30', '2024-01-01') {
        $super->query("UPDATE core.rollup_state SET closed_until = '$until', closing_until = '$until'");
        $super->query("DELETE FROM core.rollup_15m WHERE bucket >= '$until'; DELETE FROM core.rollup_1h WHERE bucket + interval '1 hour' > '$until'");
        $super->query("DELETE FROM core.rollup_$_->[0] r USING core.series s, core.device d, core.site p WHERE s.id = r.series_id AND d.id = s.device_id"
                . " AND p.id = d.site_id AND r.bucket >= core.local_start('$_->[1]', '$until', p.timezone)")
            for [ '1d', 'day' ], [ '1w', 'week' ], [ '1mo', 'month' ];
        is_deeply [ map { $list->(@{$_}) } @questions ], \@closed, "closed until $until: the same buckets";
    }
    is $super->value('SELECT count(*) FROM core.rollup_15m'), 0, 'in the end from samples alone';
    $super->query("INSERT INTO core.rollup_$_ SELECT * FROM kept_$_ ON CONFLICT DO NOTHING; DROP TABLE kept_$_") for qw(15m 1h 1d 1w 1mo);
    $super->query("UPDATE core.rollup_state SET closed_until = '$state->[0]', closing_until = '$state->[1]'");
    return;
}

sub energy {
    my ($web, $device, $grain, $from, $to) = @_;
    return $web->text("SELECT to_char(e.bucket, 'MM-DD HH24:MI'), r.role, round(r.kwh, 6)::float8"
            . " FROM api.energy_list('$grain', NULL, NULL, '$device', '$from', '$to', NULL) e CROSS JOIN LATERAL (VALUES"
            . " ('consumption', consumption_kwh), ('generation', generation_kwh), ('grid_export', grid_export_kwh), ('grid_import', grid_import_kwh)) r (role, kwh)"
            . ' WHERE r.kwh IS NOT NULL ORDER BY 1, 2');
}

# Feeds a device, and has it rolled up.
sub measure {
    my ($cluster, @what) = @_;
    feed($cluster, @what);
    $cluster->roll_up;
    return;
}

sub check_energy {
    my ($cluster, $web) = @_;
    my $west = 'America/Los_Angeles';
    measure($cluster, 'delta', $west, [ 'energy_kwh', '{}', hourly('2024-11-03 07:00', (1) x 25),
        [ '2024-11-04 08:00', 5 ] ]);
    is energy($web, 'delta', '1d', '2024-11-03 07:00', '2024-11-05 08:00'),
        '11-03 07:00 consumption 25; 11-04 08:00 consumption 5',
        'intervals are summed, 25 of them on a day of 25 hours';
    measure($cluster, 'counter', $west, [ 'grid_import_kwh_total', '{}', [ '2024-11-05 06:30', 100 ],
        [ '2024-11-05 07:30', 102 ],
        [ '2024-11-05 08:30', 104 ], [ '2024-11-05 09:30', 3 ], [ '2024-11-05 12:30', 9 ] ]);
    is energy($web, 'counter', '1h', '2024-11-05 06:00', '2024-11-05 13:00'), join('; ', map {"11-05 $_"}
        '06:00 grid_import 1', '07:00 grid_import 2', '08:00 grid_import 2.5', '09:00 grid_import 2.5',
        '10:00 grid_import 2', '11:00 grid_import 2', '12:00 grid_import 1'),
            'a counter\'s rise is spread over the time between, a fall begins at zero';
    is energy($web, 'counter', '1h', '2024-11-05 10:00', '2024-11-05 12:00'),
        '11-05 10:00 grid_import 2; 11-05 11:00 grid_import 2',
        'across the range\'s edges too, even without a reading inside';
    measure($cluster, 'gauge', $west, [ 'solar_w', '{}', [ '2024-11-05 06:30', 1000 ], [ '2024-11-05 07:30', 2000 ],
        [ '2024-11-05 08:30', 0 ], [ '2024-11-05 10:00', 4000 ], [ '2024-11-05 10:30', 4000 ] ]);
    is energy($web, 'gauge', '1h', '2024-11-05 06:00', '2024-11-05 12:00'), join('; ', map {"11-05 $_"}
        '06:00 generation 0.625', '07:00 generation 1.625', '08:00 generation 0.25', '10:00 generation 2'),
        'power is integrated by the trapezoid, cut at the hours, not over gaps longer than an hour';
    is energy($web, 'gauge', '1h', '2024-11-05 07:00', '2024-11-05 08:00'), '11-05 07:00 generation 1.625',
        'readings around the range count';

    measure($cluster, 'twice', $west, [ 'energy_kwh', '{}', [ '2024-11-06 10:00', 2 ] ], [ 'power_w', '{}',
        [ '2024-11-06 10:00', 9000 ],
        [ '2024-11-06 11:00', 9000 ] ], [ 'meter_kwh_total', '{}', [ '2024-11-06 10:00', 1 ],
            [ '2024-11-06 11:00', 100 ] ]);
    is energy($web, 'twice', '1d', '2024-11-06 08:00', '2024-11-07 08:00'), '11-06 08:00 consumption 2',
        'no device counts twice: the intervals count';
    measure($cluster, 'changed', $west, [ 'power_w', '{}', map { [ "2024-11-0$_->[0] $_->[1]",
        1000 ] } map { my $d = $_; map { [ $d, $_ ] } '18:00', '19:00' } 6 .. 8 ],
        [ 'energy_kwh', '{}', [ '2024-11-08 10:00', 7 ] ]);
    is energy($web, 'changed', '1d', '2024-11-06 08:00', '2024-11-09 08:00'),
        '11-06 08:00 consumption 1; 11-07 08:00 consumption 1; 11-08 08:00 consumption 7',
            'a better source counts from its first day on';
    measure($cluster, 'phases', $west, map { [ 'energy_kwh', "{\"phase\": \"$_\"}", [ '2024-11-06 10:00',
        $_ ] ] } 1 .. 3);
    is energy($web, 'phases', '1d', '2024-11-06 08:00', '2024-11-07 08:00'), '11-06 08:00 consumption 6',
        'one metric with several labels adds up';
    measure($cluster, 'roles', $west, [ 'grid_import_kwh', '{}', [ '2024-11-06 10:00', 3 ] ],
        [ 'grid_export_kwh', '{}', [ '2024-11-06 10:00', 4 ] ]);
    is energy($web, 'roles', '1d', '2024-11-06 08:00', '2024-11-07 08:00'),
        '11-06 08:00 grid_export 4; 11-06 08:00 grid_import 3', 'roles are apart';
    measure($cluster, 'india', 'Asia/Kolkata', [ 'energy_kwh', '{}', [ '2024-11-06 10:29', 1 ],
        [ '2024-11-06 10:30', 2 ] ]);
    is energy($web, 'india', '1h', '2024-11-06 09:30', '2024-11-06 11:30'),
        '11-06 09:30 consumption 1; 11-06 10:30 consumption 2', 'hours are local ones';
    is energy($web, 'india', '1d', '2024-11-05 18:30', '2024-11-06 18:30'), '11-05 18:30 consumption 3',
        'and so are days';
    is $web->error("SELECT * FROM api.energy_list('2d', NULL, NULL, NULL, now(), now(), NULL)"), '22023', 'an unknown bucket';
    return;
}

sub check_power {
    my ($cluster, $web) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.device_put('alpha', 'now', 'Now', '', NULL, NULL)");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    my $id = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['now'], false)");
    my @series = map { $_->[0] } $ingest->query("SELECT series_id FROM api.ingest_series(array_fill($id, ARRAY[6]), ARRAY['power_w', 'power_w',"
            . " 'other_w', 'solar_kw', 'battery_w', 'voltage_v'], ARRAY['{\"l\": 1}', '{\"l\": 2}', '', '', '', ''], true) ORDER BY ord");
    my @last = ([ 100, 0 ], [ 50, 14 ], [ 9999, 0 ], [ 2.5, 1 ], [ 800, 16 ], [ 230, 0 ]);
    $ingest->query("SELECT api.series_last_flush(ARRAY[1], ARRAY[$series[$_]], ARRAY[now() - interval '$last[$_][1] minutes'], ARRAY[$last[$_][0]::float8])")
        for 0 .. 5;
    is $web->text("SELECT role, coalesce(watts::text, 'silent') FROM api.energy_sources() WHERE device = 'now'"),
        'consumption 100; consumption 50; consumption 9999; generation 2500; storage silent',
            'power now: of each series, by role and the best metric first, kW as W, nothing older than 15 minutes';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR')");
    my $web = $cluster->session('tidemark_web', tenant => 1);
    check_offsets($web);
    check_starts($web);
    check_rollups($cluster, $web);
    check_energy($cluster, $web);
    check_power($cluster, $web);
});

done_testing;
