#!/usr/bin/env perl
# What is kept how long: chunks that are past everybody's horizon are dropped, a tenant's rows in
# one that is past its own alone are deleted; what was made of them stays as it is, what a tenant
# does not keep is hidden at once, and nobody waits for a chunk that is in use.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;
use Time::HiRes qw(time);

my @ROLLUPS = map {"core.$_"} qw(rollup_15m rollup_1h rollup_1d rollup_1w rollup_1mo energy_15m energy_1d);

# One fingerprint of all that is made of samples.
sub fingerprint {
    my ($super) = @_;
    return join ' ', map { $super->text("SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text)) FROM $_ r") } @ROLLUPS;
}

# A pass of the worker: every step of the plan; how many of each outcome, as text.
sub retain {
    my ($worker) = @_;
    my (%n, %left);
    for my $step ($worker->query('SELECT * FROM ops.retention_plan()')) {
        my ($relation, $from, $to, $tenant) = @{$step};
        next if $left{$relation};
        my ($answer) = $worker->query("SELECT * FROM ops.retention_step('$relation', '$from', '$to', "
                . ($tenant // 'NULL') . ')');
        $n{"$relation $answer->[0]"} += $answer->[1] // 1;
        $left{$relation} = 1 if $answer->[0] =~ /waiting|busy/;
    }
    return join ', ', map {"$_ $n{$_}"} sort keys %n;
}

sub samples {
    my ($super, $tenant) = @_;
    return $super->text("SELECT count(*), floor(extract(epoch FROM now() - min(time)) / 86400) FROM core.sample"
            . " WHERE tenant_id = $tenant");
}

# Two tenants with a meter each, one sample every six hours of the last 130 days, two events a day.
sub populate {
    my ($cluster) = @_;
    my $operator = $cluster->session('tidemark_operator');
    my $ingest = $cluster->session('tidemark_ingest', new => 1);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '140 days', now())");
    for my $name (qw(alpha bravo)) {
        my $id = $operator->value("SELECT ops.tenant_add('$name', '$name', 'Europe/Berlin', 'EUR')");
        $ingest->bind($id);
        my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['meter'], true)");
        my $series = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['energy_kwh'], ARRAY['{}'], true)");
        $ingest->query("SELECT api.ingest_samples(array_agg($id), array_agg($series), array_agg(t ORDER BY t),"
                . " array_agg(extract(hour FROM t)::float8), array_agg(true))"
                . " FROM generate_series(now() - interval '130 days', now(), '6 hours') t");
        $cluster->session('tidemark_super')->query("INSERT INTO core.event (tenant_id, time, key, device_id, type, data)"
                . " SELECT $id, t, gen_random_uuid(), $device, 'alarm', '{}' FROM generate_series(now() - interval '130 days', now(), '12 hours') t");
    }
    $cluster->roll_up;
    return;
}

# Drops what everybody's horizon has passed, and nothing that is made of it.
sub check_drop {
    my ($cluster, $super, $worker) = @_;
    my $before = fingerprint($super);
    my $said = retain($worker);
    like $said, qr/core\.event dropped \d+, core\.sample dropped \d+/, "old chunks go: $said";
    unlike $said, qr/rollup|energy|deleted|waiting|busy/, 'and nothing else';
    my ($n, $days) = split / /, samples($super, 1);
    cmp_ok $days, '>=', 90, 'none too early';
    cmp_ok $days, '<', 98, 'none too late';
    is fingerprint($super), $before, 'no rollup has changed';
    is retain($worker), '', 'once';
    is $super->value('SELECT count(*) FROM core.series_floor WHERE raw_from > now() - interval \'97 days\''), 2,
        'what derives knows from when on samples are whole';
    # readings of a time that was dropped come again: what is there stays
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind(1);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '120 days', now());"
            . " SELECT api.ingest_samples(ARRAY[1], ARRAY[1], ARRAY[now() - interval '120 days'], ARRAY[1e6], ARRAY[true])");
    like retain($worker), qr/core\.sample dropped \d/, 'they go again';
    is $super->value('SELECT count(*) FROM core.rollup_dirty'), 0, 'once what is made of them is';
    is fingerprint($super), $before, 'and change no rollup that lost its samples';
    return;
}

# Who sends old readings faster than they are followed does not keep what others sent from going.
sub check_flood {
    my ($cluster, $super, $worker) = @_;
    $worker->query('SELECT ops.retention_set(80, 365, 1825, 90)');
    my $floor = $super->value('SELECT min(raw_from) FROM core.series_floor');
    my $flood = sub {
        my ($from) = @_;
        $super->query("INSERT INTO core.change (tenant_id, series_id, from_time, to_time) SELECT 1, 100 + s, t, t"
                . " FROM generate_series(1, 6) s, generate_series(timestamptz '$from', timestamptz '$from' + interval '6 days', '45 minutes') t");
    };
    $super->query("INSERT INTO core.series_floor (tenant_id, series_id, raw_from) SELECT 1, 100 + s, '$floor' FROM generate_series(1, 6) s");
    $flood->($super->value("SELECT timestamptz '$floor' - interval '100 days'"));
    my $before = fingerprint($super);
    like retain($worker), qr/core\.sample dropped \d/, 'chunks go beside a thousand changes of older times';
    $worker->query('SELECT ops.retention_set(73, 365, 1825, 90)');
    $flood->($super->value('SELECT min(raw_from) FROM core.series_floor'));
    like retain($worker), qr/core\.sample waiting \d/, 'one with more of its own than a step derives stays';
    $cluster->roll_up;
    like retain($worker), qr/core\.sample dropped \d/, 'until it is derived';
    is fingerprint($super), $before, 'and no rollup has changed';
    $super->query('DELETE FROM core.series_floor WHERE series_id > 100');
    $worker->query('SELECT ops.retention_set(90, 365, 1825, 90)');
    return;
}

# Whoever is storing readings of a time that is about to be dropped, or has stored them while a
# longer transaction holds the log back: the chunk stays until they are in the rollups.
sub check_writer {
    my ($cluster, $super, $worker) = @_;
    my ($writer, $long) = map { $cluster->session('tidemark_ingest', new => 1)->bind($_) } 1, 2;
    my $store = "SELECT outcome FROM api.ingest_samples(ARRAY[%1\$d], ARRAY[%1\$d], ARRAY[now() - interval '%2\$d days'], ARRAY[7e6], ARRAY[true])";
    my $count = sub { $super->value("SELECT count(*) FROM core.$_[0] WHERE max = 7e6") };
    $writer->query("SELECT api.partitions_ensure(now() - interval '200 days', now() - interval '200 days')");
    $long->query('BEGIN');
    $long->query(sprintf $store, 2, 1);    # has a number, and keeps it
    $writer->query('BEGIN');
    $writer->query(sprintf $store, 1, 200);
    unlike retain($worker), qr/core\.sample dropped/, 'a chunk that is being written to stays';
    $writer->query('COMMIT');
    if ($cluster->{wanted} eq 'postgres') {
        like retain($worker), qr/core\.sample busy 1/, 'and while somebody writes to another one: dropping locks the whole table';
        $long->query('ROLLBACK');
    }
    like retain($worker), qr/core\.sample dropped 1/, 'then it goes';
    is $super->value('SELECT count(*) FROM core.sample WHERE value = 7e6'), 0, 'the reading too';
    is $count->("rollup_$_"), 1, "once it was put into rollup_$_" for qw(15m 1h 1d 1w 1mo);
    my $before = fingerprint($super);
    $long->query('ROLLBACK');
    $cluster->roll_up;
    is fingerprint($super), $before, 'which stay as they are';
    return;
}

# A tenant with less than others: hidden at once, deleted when the chunk is past it.
sub check_less {
    my ($cluster, $super, $worker) = @_;
    my $web = $cluster->session('tidemark_web', new => 1);
    my $seen = sub {
        my ($tenant) = @_;
        $web->bind($tenant);
        return join ' ', map { $web->value("SELECT floor(extract(epoch FROM now() - min(x.time)) / 86400) FROM $_ x") }
            "api.sample_list('meter', NULL, '-infinity', 'infinity', NULL, NULL, NULL)",
            "api.event_list(NULL, NULL, '-infinity', 'infinity', NULL, NULL, NULL, NULL)",
            '(SELECT bucket AS time FROM api.event_count_1d)', '(SELECT bucket AS time FROM api.rollup_1h)',
            '(SELECT bucket AS time FROM api.rollup_1d)';
    };
    my $bravo = $seen->(2);
    my ($before, $bravo_rows) = (fingerprint($super), samples($super, 2));
    $super->query("UPDATE core.tenant SET raw_days = 30, event_days = 20, hourly_days = 40, daily_days = 50 WHERE id = 1");
    is $seen->(1), '29 19 19 39 49', 'hidden at once: samples, events, counts, hours, days';
    is $seen->(2), $bravo, "not the other tenant's";
    is fingerprint($super), $before, 'nothing is deleted by that';
    $super->query('UPDATE core.tenant SET hourly_days = NULL, daily_days = NULL WHERE id = 1');
    my $said = retain($worker);
    like $said, qr/core\.event deleted \d+, core\.sample deleted \d+/, "its rows go: $said";
    unlike $said, qr/dropped|waiting|busy/, 'and no chunk';
    my ($n, $days) = split / /, samples($super, 1);
    cmp_ok $days, '>=', 29, 'none too early';
    cmp_ok $days, '<', 38, 'none too late';
    is samples($super, 2), $bravo_rows, 'the other tenant keeps its own';
    is $seen->(2), $bravo, 'and sees it';
    is fingerprint($super), $before, 'no rollup has changed';
    is retain($worker), '', 'once';
    return;
}

# A tenant with more than others keeps its rows, everybody else's go.
sub check_more {
    my ($cluster, $super, $worker) = @_;
    $super->query('UPDATE core.tenant SET raw_days = 1000 WHERE id = 2');
    $super->query("UPDATE core.retention SET days = 50 WHERE class = 'raw'");
    $super->query('UPDATE core.tenant SET raw_days = NULL WHERE id = 1');
    my ($before, $bravo) = (fingerprint($super), samples($super, 2));
    is retain($worker), '', 'nothing is past keeping';
    $worker->query('SELECT ops.retention_set(14, 365, 1825, 90)');
    my $said = retain($worker);
    like $said, qr/^core\.sample deleted \d+\z/, "the installation's days are the others': $said";
    is samples($super, 2), $bravo, 'a tenant with more of them keeps its own';
    is fingerprint($super), $before, 'no rollup has changed';
    $worker->query('SELECT ops.retention_set(90, 365, 1825, 90)');
    $super->query('UPDATE core.tenant SET raw_days = NULL');
    return;
}

# Rollups go by their own days: days stay as they are when their quarter hours went.
sub check_rollups {
    my ($cluster, $super, $worker) = @_;
    my $print = sub { $super->text("SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text)) FROM core.rollup_$_[0] r") };
    my @before = map { $print->($_) } qw(1d 1w 1mo);
    $super->query('UPDATE core.tenant SET hourly_days = 20 WHERE id = 1');
    my $said = retain($worker);
    like $said, qr/^core\.rollup_15m deleted \d+, core\.rollup_1h deleted \d+\z/, $said;
    is join(' ', map { $print->($_) } qw(1d 1w 1mo)), "@before", 'days, weeks and months stay as they are';
    is $super->value('SELECT count(*) FROM core.series_floor WHERE tenant_id = 1 AND fine_from > \'-infinity\''), 1, 'and frozen';
    is $super->value('SELECT count(*) FROM core.series_floor WHERE tenant_id = 2 AND fine_from > \'-infinity\''), 0,
        "the other tenant's are not";
    return;
}

# What is in use is left, without waiting.
sub check_lock {
    my ($cluster, $super, $worker) = @_;
    $worker->query('SELECT ops.retention_set(7, 365, 1825, 7)');
    my $reader = $cluster->session('tidemark_super', new => 1);
    $reader->query('BEGIN; SELECT count(*) FROM core.event');
    my $before = $super->value('SELECT count(*) FROM core.event');
    my $start = time;
    like retain($worker), qr/core\.event busy 1/, 'a chunk in use is left, and what is newer';
    cmp_ok time - $start, '<', 10, 'nobody waits for it';
    is $super->value('SELECT count(*) FROM core.event'), $before, 'with all rows';
    $reader->query('COMMIT');
    like retain($worker), qr/core\.event dropped/, 'and dropped the next time';
    return;
}

# Nobody can have more taken than is past keeping.
sub check_guard {
    my ($super, $worker) = @_;
    my $before = $super->value('SELECT count(*) FROM core.sample');
    my @chunks = $worker->query("SELECT from_time, to_time FROM ops.chunk_list('core.sample')");
    my %outcomes;
    for my $chunk (@chunks) {
        $outcomes{ $worker->value("SELECT outcome FROM ops.retention_step('core.sample', '$chunk->[0]', '$chunk->[1]', $_)") }++
            for 'NULL', 1, 77;
    }
    is join(' ', keys %outcomes), 'kept', 'a step that is not due does nothing';
    is $super->value('SELECT count(*) FROM core.sample'), $before, 'not a row';
    is $worker->error('SELECT ops.retention_set(0, 1, 1, 1)'), '23514', 'less than a day is refused';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my ($super, $worker) = map { $cluster->session("tidemark_$_") } qw(super worker);
    populate($cluster);
    if ($cluster->{wanted} eq 'timescaledb') {
        my $n = 0;
        $n++ while $worker->query("SELECT * FROM ops.columnstore_next('{}')");
        cmp_ok $n, '>', 20, "$n chunks are in the columnstore";
    }
    check_drop($cluster, $super, $worker);
    check_writer($cluster, $super, $worker);
    check_flood($cluster, $super, $worker);
    check_less($cluster, $super, $worker);
    check_more($cluster, $super, $worker);
    check_rollups($cluster, $super, $worker);
    check_lock($cluster, $super, $worker);
    check_guard($super, $worker);
});

done_testing;
