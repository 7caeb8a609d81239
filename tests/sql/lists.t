#!/usr/bin/env perl
# Lists of samples and events: order, cursors, filters, and that they read little more than they
# return, however much there is. On TimescaleDB most chunks are compressed meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

my $FROM = '2026-01-01';
my $TO = '2026-04-01';

# Two devices of three series with a sample every five minutes over 90 days (155,520), 30,000
# events of three types.
sub populate {
    my ($cluster, $super) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR'), ops.site_put('alpha', 'roof', NULL, NULL)");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    $ingest->query("SELECT api.ingest_devices(ARRAY['m1', 'm2'], true);"
            . " SELECT api.ingest_series(ARRAY[1, 1, 1, 2, 2, 2], ARRAY['a', 'b', 'c', 'a', 'b', 'c'], array_fill(NULL::text, ARRAY[6]), true);"
            . " SELECT api.partitions_ensure('$FROM', '$TO')");
    $ingest->query("INSERT INTO core.sample (tenant_id, series_id, time, value)"
            . " SELECT 1, s, t, date_part('epoch', t - '$FROM') / 300 FROM generate_series(1, 6) s,"
            . " generate_series('$FROM'::timestamptz, '$TO'::timestamptz - interval '1 second', '5 minutes') t");
    $super->query("INSERT INTO core.event (tenant_id, time, key, device_id, site_id, type, seq, data)"
            . " SELECT 1, '$FROM'::timestamptz + n * interval '4 minutes', ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,"
            . " 1 + n % 2, nullif(n % 3, 2), (ARRAY['alarm', 'door', 'job'])[1 + n % 3], n, jsonb_build_object('n', n, 'odd', n % 2)"
            . " FROM generate_series(0, 29999) n");
    $super->query("UPDATE core.event SET site_id = 1 WHERE site_id = 0");
    if ($cluster->{wanted} eq 'timescaledb') {
        $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.$_', older_than => timestamptz '2026-03-15') c") for qw(sample event);
    }
    $super->query('VACUUM ANALYZE');
    return;
}

# How many rows of time-series tables a statement fetches, run in the name of its function's
# owner; compressed rows count once a batch.
sub fetched {
    my ($super, $sql) = @_;
    my $count = "SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_all_tables"
        . " WHERE relname ~ '^(_hyper|compress_hyper|sample|event)'";
    my @rows = $super->query("SELECT set_config('tidemark.tenant_id', '1', false); BEGIN; $count; $sql; $count; COMMIT");
    return $rows[-1][0] - $rows[1][0];
}

sub check_samples {
    my ($web) = @_;
    my $list = 'SELECT time, series_id, metric, labels, value FROM api.sample_list';
    is $web->text("$list('m1', NULL, '$FROM', '$TO', NULL, NULL, 4)"),
        '2026-01-01 00:00:00+00 1 a {} 0; 2026-01-01 00:00:00+00 2 b {} 0; 2026-01-01 00:00:00+00 3 c {} 0; 2026-01-01 00:05:00+00 1 a {} 1',
        'samples by time and series';
    is $web->text("$list('m1', NULL, '$FROM', '$TO', '2026-01-01 00:00', 2, 2)"),
        '2026-01-01 00:00:00+00 3 c {} 0; 2026-01-01 00:05:00+00 1 a {} 1', 'after a cursor';
    is $web->text("$list('m1', 'b', '2026-02-01', '2026-02-01 00:05', NULL, NULL, 9)"),
        '2026-02-01 00:00:00+00 2 b {} 8928', 'one metric; to is exclusive';
    is $web->text("$list('m9', NULL, '$FROM', '$TO', NULL, NULL, 9)"), '', 'an unknown device has none';
    is $web->value("SELECT count(*) FROM api.sample_list('m2', NULL, '2026-02-01', '2026-02-02', NULL, NULL, NULL)"), 864, 'NULL means all';
    my (@seen, $after);
    while (my @rows = $web->query("SELECT time, series_id FROM api.sample_list('m1', NULL, '2026-03-14', '2026-03-16', "
                . ($after ? "'$after->[0]', $after->[1]" : 'NULL, NULL') . ', 500)')) {
        push @seen, map {"@{$_}"} @rows;
        $after = $rows[-1];
    }
    is scalar @seen, 3 * 2 * 288, 'pages hold everything';
    is_deeply \@seen, [ sort @seen ], 'in order, nothing twice';
    return;
}

sub check_events {
    my ($web) = @_;
    my $list = 'SELECT seq, type, device, site FROM api.event_list';
    is $web->text("$list(NULL, NULL, '$FROM', '$TO', NULL, NULL, NULL, 3)"),
        '29999 job m2 -; 29998 door m1 roof; 29997 alarm m2 roof', 'newest first';
    my $far = q{SELECT count(*), min(x.seq), bool_and(x.seq = 29999 - %d * (x.n - 1)) FROM (SELECT e.seq, row_number() OVER () AS n}
        . qq{ FROM api.event_list(NULL, %s, '-infinity', '$TO', NULL, NULL, NULL, %d) e) x};
    is $web->text(sprintf $far, 1, 'NULL', 15000), '15000 15000 t', 'so are those of six weeks, of which four are read first';
    is $web->text(sprintf $far, 2, "'m2'", 8000), '8000 14001 t', '  of a device, too';
    is $web->text("$list('alarm', NULL, '$FROM', '$TO', NULL, NULL, NULL, 2)"),
        '29997 alarm m2 roof; 29994 alarm m1 roof', 'of a type';
    is $web->text("$list('alarm', 'm1', '$FROM', '2026-02-01', NULL, NULL, NULL, 2)"),
        '11154 alarm m1 roof; 11148 alarm m1 roof', 'and a device, before a time';
    is $web->text("$list(NULL, NULL, '$FROM', '$TO', NULL, NULL, '{\"n\": 4711}', 2)"), '4711 door m2 roof',
        'by content';
    is $web->text("$list(NULL, 'm9', '$FROM', '$TO', NULL, NULL, NULL, 2)"), '', 'an unknown device has none';
    is $web->text("SELECT time, type, device, seq, id, site, data, key FROM api.event_list(NULL, NULL, '$FROM', '$FROM'::timestamptz + interval '1 second', NULL, NULL, NULL, 2)"),
        '2026-01-01 00:00:00+00 alarm m1 0 - roof {"n": 0, "odd": 0} 00000000-0000-4000-8000-000000000000',
            'all of it';
    my ($n, $before, @down) = (0);
    while (my @rows = $web->query("SELECT time, key FROM api.event_list(NULL, 'm2', '2026-03-01', '$TO', "
                . ($before ? "'$before->[0]', '$before->[1]'" : 'NULL, NULL') . ', NULL, 700)')) {
        $n += @rows;
        $before = $rows[-1];
        push @down, map { $_->[1] } @rows;
    }
    is $n, (30000 - 59 * 360) / 2, 'pages hold everything';
    my ($after, @up) = ($before);
    while (my @rows = $web->query("SELECT time, key FROM api.event_list(NULL, 'm2', '2026-03-01', '$TO', '$after->[0]', '$after->[1]', NULL, 700, NULL, '{}', true)")) {
        $after = $rows[-1];
        push @up, map { $_->[1] } @rows;
    }
    is "@up", join(' ', (reverse @down)[1 .. $#down]), 'upwards too, in the order turned round';
    return;
}

sub check_effort {
    my ($super) = @_;
    my $range = "'$FROM', '$TO'";
    my @cases = (
        [ 400, "SELECT * FROM api.sample_list('m1', NULL, $range, NULL, NULL, 100)", 'samples from the start' ],
        [ 400, "SELECT * FROM api.sample_list('m1', NULL, $range, '2026-03-30', 2, 100)",
            'samples after a cursor' ],
        [ 300, "SELECT * FROM api.event_list(NULL, NULL, $range, NULL, NULL, NULL, 100)", 'events' ],
        [ 300, "SELECT * FROM api.event_list('door', NULL, $range, NULL, NULL, NULL, 100)", 'events of a type' ],
        [ 300, "SELECT * FROM api.event_list(NULL, 'm2', $range, NULL, NULL, NULL, 100)", 'events of a device' ],
        [ 1800, "SELECT * FROM api.rollup_list('1h', NULL, NULL, '2026-03-20', '$TO', 48)", 'hours' ],
        [ 20000, "SELECT * FROM api.rollup_list('1d', 'm1', 'a', $range, 10)", 'days of a metric' ],
    );
    for my $case (@cases) {
        my ($most, $sql, $name) = @{$case};
        my $n = fetched($super, "SELECT count(*) FROM ($sql) x");
        cmp_ok $n, '<=', $most, "$name: $n of 185,520 rows read";
    }
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    populate($cluster, $super);
    my $web = $cluster->session('tidemark_web', tenant => 1);
    check_samples($web);
    check_events($web);
    check_effort($super);
});

done_testing;
