#!/usr/bin/env perl
# The columnstore: chunks that are due are compressed one at a time, late rows get into compressed
# chunks, which are then compressed again, whoever reads meanwhile sees all of one moment, chunks in use
# are left without waiting, and chunks of samples are as wide as the number of series asks for. Continuous aggregates: what they say is
# what a count says, before and after they are refreshed, and retention empties none.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;
use Time::HiRes qw(time);

# A tenant with `n` series of ten minutes over the last 40 days, and an event every two hours.
sub populate {
    my ($cluster, $n) = @_;
    my $super = $cluster->session('tidemark_super');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR')");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['meter'], true)");
    $ingest->query("SELECT api.ingest_series(array_agg($device), array_agg('m' || g), array_agg('{}'::text), true) FROM generate_series(1, $n) g");
    $ingest->query("SELECT api.partitions_ensure(now() - interval '41 days', now())");
    $super->query("INSERT INTO core.sample SELECT 1, g, t, round((100 + 50 * sin(extract(epoch FROM t) / 9000 + g) + random())::numeric, 1)"
            . " FROM generate_series(1, $n) g, generate_series(now() - interval '40 days', now(), '10 minutes') t");
    $super->query("INSERT INTO core.event (tenant_id, time, key, device_id, type, data)"
            . " SELECT 1, t, gen_random_uuid(), $device, CASE WHEN extract(hour FROM t)::int % 4 = 0 THEN 'alarm' ELSE 'job' END, '{}'"
            . " FROM generate_series(now() - interval '40 days', now(), '2 hours') t");
    $super->query("INSERT INTO ops.system_metric SELECT 'load', t, extract(minute FROM t) FROM generate_series(now() - interval '6 days', now(), '10 minutes') t");
    return;
}

# Compresses until nothing is due; how many of each outcome.
sub compress {
    my ($worker) = @_;
    my (@busy, %n);
    while (my ($row) = $worker->query('SELECT * FROM ops.columnstore_move(ARRAY[' . join(',', map {"'$_'"} @busy) . ']::text[])')) {
        $n{ $row->[1] }++;
        push @busy, $row->[0] if $row->[1] eq 'busy';
        die "over and over\n" if $n{all}++ > 500;
    }
    delete $n{all};
    return join ' ', map {"$_ $n{$_}"} sort keys %n;
}

# Nothing is compressed under those who keep what they read: who rates or archives.
sub check_turns {
    my ($cluster, $super, $worker) = @_;
    my $reader = $cluster->session('tidemark_super');
    my %lock = ('rates' => 'SELECT * FROM ops.cost_take(0, 0)', 'archives' => q{SELECT ops.archive_begin('samples', '2020-01-01', '2020-01-01', true, '{}')});
    for my $who (sort keys %lock) {
        $reader->query("SET tidemark.tenant_id = '1'; BEGIN");
        $reader->query($lock{$who});
        is scalar(() = $worker->query("SELECT * FROM ops.columnstore_move('{}')")), 0, "while somebody $who no chunk is compressed";
        $reader->query('ROLLBACK');
    }
    return;
}

sub check_compress {
    my ($cluster, $super, $worker) = @_;
    is $super->value("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_compression%'"), 0,
        'the engine itself compresses nothing';
    my $before = $super->text('SELECT count(*), sum(value::numeric) FROM core.sample');
    my ($first) = $worker->query("SELECT * FROM ops.columnstore_move('{}')");
    is $first->[1], 'compressed', 'a chunk at a time';
    is $super->value("SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed"), 1, 'one, and no more';
    check_turns($cluster, $super, $worker);
    like compress($worker), qr/^compressed \d+$/, 'then the others';
    is compress($worker), '', 'once';
    is $super->value("SELECT count(*) FROM ops.chunk_list(NULL) WHERE NOT is_compressed AND relation = 'core.sample' AND to_time < now() - interval '7 days'"),
        0, 'samples after seven days';
    is $super->value("SELECT count(*) FROM ops.chunk_list('core.sample') WHERE is_compressed AND to_time > now() - interval '7 days'"), 0, 'none too early';
    is $super->value("SELECT count(*) FROM ops.chunk_list('core.event') WHERE NOT is_compressed AND to_time < now() - interval '3 days'"), 0, 'events after three';
    is $super->text('SELECT count(*), sum(value::numeric) FROM core.sample'), $before, 'nothing is lost';
    my ($ratio) = split / /, $cluster->session('tidemark_operator')->text("SELECT ratio FROM ops.storage() WHERE relation = 'core.sample'");
    cmp_ok $ratio, '>=', 4, sprintf 'what is mostly noise shrinks too, %.1f : 1', $ratio;    # real readings: make bench
    return;
}

# Late rows, corrections and repetitions reach compressed chunks, and those are compressed again.
sub check_late {
    my ($cluster, $super, $worker) = @_;
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    my $at = $super->value("SELECT min(time) + interval '3 days' FROM core.sample");
    my $n = $super->value('SELECT count(*) FROM core.sample');
    is join(' ', map { $_->[1] // $_->[0] } $ingest->query("SELECT * FROM api.ingest_samples(ARRAY[1, 1, 1], ARRAY[1, 1, 2],"
            . " ARRAY['$at', timestamptz '$at' + interval '1 minute', timestamptz '$at' + interval '1 minute'], ARRAY[-1.0, -2, -3], ARRAY[true, true, true])")) ne '',
        1, 'late rows are taken';
    is $super->value('SELECT count(*) FROM core.sample'), $n + 2, 'two are new';
    is $super->text("SELECT value FROM core.sample WHERE tenant_id = 1 AND value < 0 ORDER BY 1"), '-3; -2; -1', 'one a correction';
    is $super->value("SELECT count(*) FROM ops.chunk_list('core.sample') WHERE is_partial"), 1, 'their chunk is compressed in part';
    is compress($worker), 'recompressed 1', 'and again whole';
    is $super->value("SELECT count(*) FROM ops.chunk_list('core.sample') WHERE is_partial"), 0, 'with all rows';
    is $super->text("SELECT value FROM core.sample WHERE tenant_id = 1 AND value < 0 ORDER BY 1"), '-3; -2; -1', 'the late ones too';
    is $super->value('SELECT count(*) FROM core.sample'), $n + 2, 'and no other';
    return;
}

# Whose snapshot is older than what compressing moves, sees what there was, to the last reading; chunks
# that the engine compressed by itself are opened, once.
sub check_snapshots {
    my ($cluster, $super, $worker) = @_;
    my $old = $cluster->session('tidemark_super', new => 1);
    my $sum = 'SELECT count(*), sum(value::numeric) FROM core.sample';
    my $correct = "UPDATE core.sample SET value = value + 1000 WHERE tenant_id = 1 AND series_id = 5 AND time < now() - interval '20 days'";
    $super->query($correct);
    my @chunks = map { $_->[0] } $super->query("SELECT chunk FROM ops.chunk_list('core.sample') WHERE is_partial");
    $super->query("SELECT public.compress_chunk('$_')") for @chunks;
    $old->query("BEGIN; DELETE FROM core.sample WHERE tenant_id = 1 AND series_id = 6 AND time < now() - interval '20 days'");
    my $left = $old->text($sum);
    is compress($worker), 'busy ' . @chunks, 'while somebody deletes, nothing is stored again';
    $old->query('COMMIT');
    is $super->text($sum), $left, 'and what was deleted is gone';
    like compress($worker), qr/^(?:opened \d+)? ?(?:recompressed \d+)?$/, 'then what the engine compressed is opened';
    is compress($worker), '', 'once';
    $super->query($correct);
    my $now = $super->text($sum);
    $old->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM core.tenant');
    is compress($worker), 'recompressed ' . @chunks, 'a corrected series is compressed';
    is $old->text($sum), $now, 'under an older snapshot, that sees all of it';
    $old->query('COMMIT');
    is $super->text($sum), $now, 'as all others do';
    return;
}

# A chunk in use is left; the others are compressed.
sub check_lock {
    my ($cluster, $super, $worker) = @_;
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    for my $days (20, 35) {
        $ingest->query("SELECT api.ingest_samples(ARRAY[1], ARRAY[3], ARRAY[now() - interval '$days days'], ARRAY[7.0], ARRAY[true])");
    }
    my $writer = $cluster->session('tidemark_ingest', new => 1, tenant => 1);
    $writer->query("BEGIN; SELECT api.ingest_samples(ARRAY[1], ARRAY[4], ARRAY[now() - interval '35 days'], ARRAY[7.0], ARRAY[true])");
    my $start = time;
    is compress($worker), 'busy 1 recompressed 1', 'a chunk in use is left, another is not';
    cmp_ok time - $start, '<', 8, 'without waiting longer than the limit';
    $writer->query('COMMIT');
    is compress($worker), 'recompressed 1', 'and compressed the next time';
    return;
}

sub check_width {
    my ($cluster, $super, $worker) = @_;
    is $worker->value('SELECT ops.chunk_width_adjust()'), 7, 'few series: a week';
    $super->query('INSERT INTO core.series_last SELECT 1, g, now(), 1 FROM generate_series(100, 300) g');
    is $worker->value('SELECT ops.chunk_width_adjust()'), 1, 'many: a day';
    is $super->value("SELECT time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'sample'"), '1 day', 'for the next chunks';
    $super->query('DELETE FROM core.series_last WHERE series_id >= 100');
    is $worker->value('SELECT ops.chunk_width_adjust()'), 7, 'and back';
    return;
}

# What the aggregates say, and what a count of the events says.
sub check_aggregates {
    my ($cluster, $super, $worker) = @_;
    my $is_same = sub {
        my ($what) = @_;
        is $super->value("SELECT count(*) FROM (SELECT tenant_id, device_id, type, bucket, count FROM core.event_count_1d EXCEPT ALL"
                . " SELECT tenant_id, device_id, type, date_bin('1 day', time, '2000-01-01 00:00+00'), count(*) FROM core.event GROUP BY 1, 2, 3, 4) x"), 0, "$what: days";
        is $super->value("SELECT count(*) FROM (SELECT tenant_id, device_id, type, date_bin('1 hour', time, '2000-01-01 00:00+00'), count(*)"
                . " FROM core.event GROUP BY 1, 2, 3, 4 EXCEPT ALL SELECT tenant_id, device_id, type, bucket, count FROM core.event_count_1h) x"), 0, "$what: hours";
        is $super->text("SELECT sum(count), round(sum(avg * count)) FROM ops.system_metric_1h"), $super->text('SELECT count(*), round(sum(value)) FROM ops.system_metric'),
            "$what: measurements";
        return;
    };
    $is_same->('before any refresh');
    my $refresh = sub {
        my $owner = $cluster->session('tidemark_owner', new => 1);
        $owner->query("CALL ops.aggregate_refresh('$_->[0]', '$_->[1]', '$_->[2]')") for $worker->query('SELECT * FROM ops.aggregate_list()');
    };
    $refresh->();
    $is_same->('refreshed');
    if ($cluster->{wanted} eq 'timescaledb') {
        my $store = $super->value("SELECT core.aggregate_store('core.event_count_1h')");
        cmp_ok $super->value("SELECT count(*) FROM $store"), '>', 400, 'and kept';
        is $worker->value('SELECT ops.aggregate_policies()'), 0, 'policies are as retention leaves them';
        is $super->value("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_refresh%' AND config @> '{\"buckets_per_batch\": 0}'"),
            4, 'and show nobody half of what they refresh';
        $worker->query('SELECT ops.retention_set(90, 365, 1825, 60)');
        is $worker->value('SELECT ops.aggregate_policies()'), 2, 'and follow it';
        is $super->value("SELECT (config->>'start_offset')::interval = interval '60 days' - interval '1 hour' FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_refresh%'"
                . " AND hypertable_name IN ('event_count_1h', '@{[$store =~ s/.*\.//r]}')"), 't', 'a refresh looks at nothing that is not kept';
        $worker->query('SELECT ops.retention_set(90, 365, 1825, 90)');
    }
    $super->query("INSERT INTO core.event (tenant_id, time, key, device_id, type, data) SELECT 1, now() - d * interval '1 day', gen_random_uuid(), 1, 'late', '{}' FROM generate_series(1, 20) d");
    $refresh->();
    $is_same->('late events');
    check_stores($cluster, $super, $worker) if $cluster->{wanted} eq 'timescaledb';
    return;
}

# What aggregates keep goes too: hours as hours do and days as days, nothing before what they count.
sub check_stores {
    my ($cluster, $super, $worker) = @_;
    my $old = "now() - interval '400 days'";
    $super->query("INSERT INTO core.event (tenant_id, time, key, device_id, type, data) VALUES (1, $old, gen_random_uuid(), 1, 'old', '{}')");
    my $owner = $cluster->session('tidemark_owner', new => 1);
    $owner->query("CALL ops.aggregate_refresh('core.event_count_$_', now() - interval '900 days', now() - interval '390 days')") for qw(1h 1d);
    my ($hours, $days) = map { $super->value("SELECT core.aggregate_store('core.event_count_$_')") } qw(1h 1d);
    my $found = sub { join ' ', map { $super->value("SELECT count(*) FROM $_ WHERE type = 'old'") } $hours, $days, 'core.event' };
    my $retain = sub {
        my %n;
        for my $step ($worker->query('SELECT relation, from_time, to_time, coalesce(tenant_id::text, \'NULL\') FROM ops.retention_plan()')) {
            my ($relation, $from, $to, $tenant) = @{$step};
            $n{"$relation " . $worker->value("SELECT outcome FROM ops.retention_step('$relation', '$from', '$to', $tenant)")}++;
        }
        return join ', ', map {"$_ $n{$_}"} sort keys %n;
    };
    is $found->(), '1 1 1', 'an event of long ago is counted';
    $worker->query('SELECT ops.retention_set(90, 200, 1825, 900)');
    is $retain->(), '', 'counts stay as long as events';
    my ($from, $to) = @{ ($super->query("SELECT from_time, to_time FROM core.chunk_list('$hours') ORDER BY 1"))[0] };
    is $worker->value("SELECT outcome FROM ops.retention_step('core.event_count_1h', '$from', '$to', NULL)"), 'kept', 'whoever asks';
    $worker->query('SELECT ops.retention_set(90, 200, 1825, 90)');
    is $retain->(), 'core.event dropped 1, core.event_count_1h dropped 1', 'hours go when hours do';
    is $found->(), '0 1 0', 'days stay';
    $worker->query('SELECT ops.retention_set(90, 200, 300, 90)');
    is $retain->(), 'core.event_count_1d dropped 1', 'until they go as days do';
    is $retain->(), '', 'once';
    $worker->query('SELECT ops.retention_set(90, 365, 1825, 90)');
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my ($super, $worker) = map { $cluster->session("tidemark_$_") } qw(super worker);
    populate($cluster, 12);
    if ($cluster->{wanted} eq 'timescaledb') {
        check_compress($cluster, $super, $worker);
        check_late($cluster, $super, $worker);
        check_snapshots($cluster, $super, $worker);
        check_lock($cluster, $super, $worker);
        check_width($cluster, $super, $worker);
    } else {
        is compress($worker), '', 'PostgreSQL alone has no columnstore: nothing is ever due';
        is $worker->value('SELECT ops.chunk_width_adjust()'), 7, 'partitions are weeks';
    }
    check_aggregates($cluster, $super, $worker);
});

done_testing;
