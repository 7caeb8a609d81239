# What the isolation proof expects of the rollups, and rows of both tenants in their queues.
use strict;
use warnings;

my %unprotected = (
    (map { ("core.rollup_$_" => 'compression does not go with row-level security') } qw(15m 1h 1d 1w 1mo)),
    'core.rollup_state' => 'belongs to the installation',
    'core.change_reader' => 'belongs to the installation',
);

my %function = (
    'api.rollup_list' => { may => 'web read', call => [
        (map {qq{'$_', NULL, NULL, now() - interval '40 days', now(), NULL}} qw(15m 1h 1d 1w 1mo)),
        (map {qq{'1d', $_, '-infinity', 'infinity', 1000}} q{'bravo-meter', NULL}, q{NULL, 'bravo_kwh'}),
        q{'1h', NULL, NULL, '-infinity', 'infinity', 1000, NULL, NULL, 'bravo-site'},
        q{'1h', NULL, NULL, '-infinity', 'infinity', 1000, '-infinity', 0}] },
    'api.rollup_list_zoned' => { may => 'web read', call => [
        (map {qq{'$_', 'Asia/Tokyo', NULL, NULL, now() - interval '40 days', now(), NULL}} qw(15m 1h 1d 1w 1mo)),
        q{'1d', 'Africa/Monrovia', 'bravo-meter', NULL, '1971-12-01', '1972-02-01', 10}] },
    'api.rollup_trace' => { may => 'web read', call => [
        map {qq{'$_', ARRAY(SELECT generate_series(1, 1000)), '-infinity', 'infinity'}} qw(1d 1w 1mo)] },
    (map { my $part = $_; ("api.rollup_$part" => { may => 'web read', call => [
        map {qq{'$_', ARRAY(SELECT generate_series(1, 1000)), '-infinity', 'infinity'}} qw(15m 1h)] }) } qw(closed open)),
    'api.sample_trace' => { may => 'web read', call => [map {qq{$_, '-infinity', 'infinity', 100}} 1 .. 20] },
    'api.closed_stamp' => { may => 'web read', call => q{} },
    'core.visible_from' => { may => 'web read', call => q{'1d'} },
    'api.ingest_guard' => { may => 'ingest', call => q{} },
    'api.ingest_open' => { may => 'ingest', call => q{'infinity', ARRAY[1], ARRAY[1]} },
    'api.ingest_begin' => { may => 'ingest', call => q{ARRAY[1], ARRAY[1]} },
    # all tenants' rollups, by counts
    (map { ("ops.$_->[0]" => { may => 'worker', door => 'one worker, all tenants', call => $_->[1] }) }
        [rollup_close_begin => q{}], [rollup_close_finish => q{}], [rollup_follow => q{0}],
        [rollup_is_due => q{}]),
    (map { ("core.$_" => { may => '' }) } qw(partition_by_bucket chunk_make partitions_ensure_of derived_close
        derived_follow derived_rezone derived_reset rollup_lock sample_quarters rollup_statement
        rollup_derive rollup_ended change_renumber change_prune rollup_gather rollup_work_off
        rollup_head rollup_reach rollup_closed_15m rollup_closed_1h rollup_stamp_trigger recast_queue recast_trigger place_zone rollup_recast_some floor_raise floor_waits
        snapshot_until grain_longest series_wanted rollup_next rollup_pieces tenant_tables),
        (map {"rollup_slice_$_"} qw(15m 1h 1d 1w 1mo)), map {"rollup_trace_$_"} qw(1d 1w 1mo)),
);

# Rollups of a tenant's samples, then something in each queue. Nothing closes while the proof goes
# on, and the log is kept for a reader that never reads.
my $fill = sub {
    my ($cluster, $name, $id) = @_;
    my $super = $cluster->session('tidemark_super');
    $super->query("INSERT INTO core.change_reader VALUES ('isolation', '0') ON CONFLICT DO NOTHING");
    $cluster->roll_up;
    my $series = $super->value("SELECT min(id) FROM core.series WHERE tenant_id = $id");
    $super->query("UPDATE core.rollup_state SET closing_until = now() + interval '1 hour', closed_until = now() + interval '1 hour';"
            . " INSERT INTO core.rollup_dirty VALUES ($id, $series, '1990-01-01', '1990-01-02');"
            . " INSERT INTO core.rollup_recast VALUES ($id, $series, true, false);"
            . " INSERT INTO core.rollup_stamp VALUES ($id, '2222220') ON CONFLICT DO NOTHING;"
            . " INSERT INTO core.series_floor VALUES ($id, $series) ON CONFLICT DO NOTHING;"
            . " INSERT INTO core.rollup_reopened VALUES ($id, $series, '15m', '1990-01-01')");
    return;
};

+{ unprotected => \%unprotected, function => \%function, fill => $fill };
