#!/usr/bin/env perl
# Partitions and what the worker calls: bounds that never overlap, partitions made ahead and by
# concurrent callers, retention, last values repaired, orphans found, jobs' locks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

sub check_bounds {
    my ($super) = @_;
    my $anchor = $super->value('SELECT time FROM core.partition_anchor');
    is $super->value("SELECT extract(isodow FROM '$anchor'::timestamptz) = 1 AND date_trunc('day', '$anchor'::timestamptz) = '$anchor'"), 't',
        "weeks begin on Monday, $anchor";
    is $super->value("SELECT count(*) FROM generate_series(timestamptz '1890-01-01', now() + interval '1 year', '37 hours 11 minutes') t,"
            . ' core.partition_bounds(t) b WHERE t < b.from_time OR t >= b.to_time'), 0,
                'every time is inside its bounds';
    is $super->value("WITH b AS (SELECT DISTINCT b.* FROM generate_series(timestamptz '1890-01-01', now() + interval '1 year', '37 hours') t,"
            . ' core.partition_bounds(t) b) SELECT count(*) FROM (SELECT from_time, lag(to_time) OVER (ORDER BY from_time) AS previous FROM b) x'
            . ' WHERE previous <> from_time'), 0, 'bounds follow on each other without gap or overlap';
    is $super->text("SELECT to_time - from_time, to_char(from_time, 'MM-DD') FROM core.partition_bounds('$anchor')"),
        '7 days ' . $super->value("SELECT to_char('$anchor'::timestamptz, 'MM-DD')"), 'weeks from the anchor on';
    is $super->text("SELECT from_time, to_time FROM core.partition_bounds('2011-06-05')"),
        '2011-01-01 00:00:00+00 2012-01-01 00:00:00+00', 'years before';
    is $super->value("SELECT to_time FROM core.partition_bounds(timestamptz '$anchor' - interval '1 microsecond')"), $anchor, 'the last one cut';
    is $super->text("SELECT * FROM core.partition_bounds('1776-07-04')"),
        '-infinity 1900-01-01 00:00:00+00', 'one for all before 1900';
    return;
}

sub check_partitions {
    my ($cluster, $super, $ingest) = @_;
    my $count = sub { return $super->value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'core.$_[0]'::regclass") };
    is $ingest->value("SELECT api.partitions_ensure(now(), now() + interval '7 days')"), 0,
        'those of the next days are there already';
    my $before = $count->('sample');
    my $made = $ingest->value("SELECT api.partitions_ensure('2001-05-05', '2021-05-05')");
    is $made, 42, 'twenty years of backfill are 21 partitions of samples and of events';
    is $ingest->value("SELECT api.partitions_ensure('2001-05-05', '2021-05-05')"), 0, 'once';
    is $count->('sample') - $before, 21, 'samples';
    is $super->value("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'ops.system_metric'::regclass"
            . " AND relname ~ '_y2'"), 0, 'nobody backfills system metrics';
    is $super->text("SELECT indexdef ~ 'PRIMARY KEY|UNIQUE' FROM pg_indexes WHERE tablename = 'sample_y2010'"), 't', 'with the key';
    is $ingest->error("SELECT api.partitions_ensure(now(), now() + interval '2 years')"), '22023',
        'not for the far future';
    is $ingest->error('SELECT api.partitions_ensure(NULL, now())'), '22023', 'nor for no time';

    # two callers at once: one makes it, the other waits, finds it and makes the rest
    my ($one, $two) = map { $cluster->session('tidemark_ingest', new => 1) } 1 .. 2;
    $one->query('BEGIN');
    is $one->value("SELECT api.partitions_ensure('1999-05-05', '1999-05-05')"), 2, 'one caller';
    $two->query("SET lock_timeout = '200ms'");
    is $two->error("SELECT api.partitions_ensure('1998-05-05', '1999-05-05')"), '55P03', 'another waits';
    is $two->value('SELECT api.partitions_ensure(now(), now())'), 0, 'not where nothing is missing';
    $one->query('COMMIT');
    is $two->value("SELECT api.partitions_ensure('1998-05-05', '1999-05-05')"), 2, 'and makes what is missing yet';

    # inserts go on while partitions are made
    $one->query("BEGIN; INSERT INTO core.sample (tenant_id, series_id, time, value) VALUES (1, 1, now(), 1)");
    is $two->value("SELECT api.partitions_ensure('1997-05-05', '1997-05-05')"), 2, 'beside an open insert';
    $one->query('ROLLBACK');
    return;
}

sub check_retention {
    my ($cluster, $super, $worker) = @_;
    my $is_plain = $cluster->{wanted} eq 'postgres';
    $cluster->session('tidemark_ingest')->query("SELECT api.partitions_ensure(now() - interval '120 days', now())");
    $super->query("DELETE FROM core.event; INSERT INTO core.event (tenant_id, time, key, device_id, type, data)"
            . " SELECT 1, t, gen_random_uuid(), 1, 'x', '{}' FROM generate_series(now() - interval '119 days', now(), '1 day') t");
    $super->query("INSERT INTO core.event_key (tenant_id, device_id, key, slot)"
            . " SELECT 1, 1, gen_random_uuid(), core.event_key_slot((now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(0, 8) n");
    $super->query("INSERT INTO ops.job_run (name, started_at, finished_at) VALUES ('old', now() - interval '40 days', now() - interval '40 days'),"
            . " ('new', now(), now())");
    my $said = $worker->value('SELECT ops.retention_run(90, 30)');
    like $said, qr/"job_runs": 1\b/, 'old job runs go';
    like $said, qr/"event_key_days": 1\b/, 'the day of identities beyond the seventh';
    is $super->value('SELECT count(*) FROM core.event_key'), 8, 'and no other';
    like $said, $is_plain ? qr/"events": \["core\.event_y1997"/ : qr/"events": \["_timescaledb_internal\./, 'partitions of old events, oldest first';
    is $super->value("SELECT min(time) < now() - interval '89 days' AND min(time) > now() - interval '98 days' FROM core.event"), 't',
        'whole ones only, none too early';
    unlike $worker->value('SELECT ops.retention_run(90, 30)'), qr/event_\d|_hyper/, 'once';
    is $worker->error('SELECT ops.retention_run(0, 30)'), '22023', 'not everything';
    return;
}

# A partition in use is left for the next run; nobody waits for it longer than the lock_timeout.
sub check_lock {
    my ($cluster, $super, $worker) = @_;
    my $reader = $cluster->session('tidemark_super', new => 1);
    $reader->query('BEGIN; SELECT count(*) FROM core.event');
    my $before = $super->value('SELECT count(*) FROM core.event');
    $worker->query("SELECT ops.retention_run(1, 30)");
    is $super->value('SELECT count(*) FROM core.event'), $before, 'partitions in use are left';
    $reader->query('COMMIT');
    $worker->query("SELECT ops.retention_run(1, 30)");
    cmp_ok $super->value('SELECT count(*) FROM core.event'), '<', $before, 'and dropped the next time';
    return;
}

sub check_repair {
    my ($super, $ingest, $worker) = @_;
    $ingest->query("SELECT api.ingest_devices(ARRAY['m1'], true); SELECT api.ingest_series(ARRAY[1, 1, 1], ARRAY['a', 'b', 'c'], ARRAY['', '', ''], true)");
    $ingest->query("INSERT INTO core.sample (tenant_id, series_id, time, value) VALUES (1, 1, date_trunc('day', now()), 1),"
            . " (1, 1, date_trunc('day', now()) - interval '1 hour', 0), (1, 2, date_trunc('day', now()), 2)");
    $ingest->query("SELECT api.series_last_flush(ARRAY[1], ARRAY[2], ARRAY[date_trunc('day', now())], ARRAY[2.0])");
    is $worker->value('SELECT ops.series_last_repair()'), 1, 'one last value was behind';
    is $super->text("SELECT series_id, time = date_trunc('day', now()), value FROM core.series_last ORDER BY 1"), '1 t 1; 2 t 2', 'and is right';
    is $worker->value('SELECT ops.series_last_repair()'), 0, 'once';
    is $worker->value('SELECT ops.orphan_check()'), 0, 'no orphans';
    $super->query("INSERT INTO core.sample VALUES (1, 3, now(), 0), (2, 1, now(), 0), (7, 1, now(), 0), (7, 1, now() - interval '1 hour', 0)");
    is $worker->value('SELECT ops.orphan_check()'), 2, 'two series of tenants whose they are not';
    $super->query("INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (7, 1, now(), now());"
            . " INSERT INTO core.series_last VALUES (7, 1, now(), 0);"
            . " INSERT INTO core.event (tenant_id, time, key, device_id, type, data) VALUES (7, now(), gen_random_uuid(), 1, 'x', '{}')");
    is $worker->value('SELECT ops.residue_erase()'), 5, 'what a tenant that is no more left behind is erased';
    is $worker->value('SELECT ops.residue_erase()'), 0, 'once';
    is $worker->value('SELECT ops.orphan_check()'), 1, 'of tenants that are there nothing is';
    $super->query('DELETE FROM core.sample WHERE tenant_id > 1');
    return;
}

sub check_jobs {
    my ($cluster, $super, $worker) = @_;
    my $other = $cluster->session('tidemark_worker', new => 1);
    my $run = $worker->value("SELECT ops.job_begin('x')");
    ok $run, 'a job begins';
    is $other->value("SELECT ops.job_begin('x')"), undef, 'not twice at once';
    ok $other->value("SELECT ops.job_begin('y')"), 'another does';
    $worker->query("SELECT ops.job_end($run, true, 'fine')");
    is $super->text("SELECT is_ok, detail, finished_at >= started_at FROM ops.job_run WHERE id = $run"),
        't fine t', 'how it ended';
    ok my $second = $other->value("SELECT ops.job_begin('x')"), 'then it may begin again';
    undef $other;    # the session ends: killed
    is $worker->value("SELECT ops.job_begin('x')"), undef, 'a killed worker keeps its lease';
    $super->query("UPDATE ops.job_run SET started_at = now() - interval '11 minutes' WHERE id = $second");
    my $third = $worker->value("SELECT ops.job_begin('x')");
    ok $third, 'for ten minutes';
    is $super->text("SELECT is_ok, detail FROM ops.job_run WHERE id = $second"), 'f never finished',
        'and its run is closed';
    $worker->query("SELECT ops.system_metric_add(ARRAY['a', 'b'], ARRAY[1.5, 2])");
    is $super->text('SELECT name, value FROM ops.system_metric ORDER BY 1'), 'a 1.5; b 2', 'system metrics';
    $worker->query('SELECT ops.partitions_ahead()');
    if ($cluster->{wanted} eq 'postgres') {
        my $last = $super->value("SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'core.sample'::regclass"
                . " AND inhrelid::regclass::text !~ '_y'");
        $super->query("DROP TABLE $last");
        is $worker->value('SELECT ops.partitions_ahead()'), 1, 'partitions are made ahead';
    }
    $cluster->session('tidemark_web')->query("SELECT api.login_failed('a\@x.org', '::1')");
    $super->query("UPDATE core.login_throttle SET last_failed = now() - interval '25 hours' WHERE kind = 'email';"
            . " INSERT INTO core.person (email, password_hash) VALUES ('p\@x.org', '');"
            . " INSERT INTO core.session (hash, person_id, idle_days, expires_at) VALUES ('1', 1, 1, now()), ('2', 1, 1, now() + interval '1 day')");
    is $worker->value('SELECT ops.session_prune()'), 1, 'sessions that ended go';
    is $super->text('SELECT kind FROM core.login_throttle'), 'address', 'and failures older than a day';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my ($super, $worker) = map { $cluster->session("tidemark_$_") } qw(super worker);
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR'), ops.tenant_add('beta', '', 'UTC', 'EUR')");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    check_bounds($super);
    if ($cluster->{wanted} eq 'postgres') {
        check_partitions($cluster, $super, $ingest);
    } else {
        is $ingest->value("SELECT api.partitions_ensure('2001-05-05', '2021-05-05')"), 0,
            'chunks are TimescaleDB\'s to make';
    }
    check_repair($super, $ingest, $worker);
    check_retention($cluster, $super, $worker);
    check_lock($cluster, $super, $worker);
    check_jobs($cluster, $super, $worker);
});

done_testing;
