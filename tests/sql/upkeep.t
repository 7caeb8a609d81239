#!/usr/bin/env perl
# Partitions and what the worker calls: bounds that never overlap, partitions made ahead and by
# concurrent callers, what goes that is kept in no chunks, statistics, what operators look at,
# maintenance mode, last values repaired, orphans found, jobs' locks.
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

# TimescaleDB makes its chunks, but for old times.
sub check_old_chunks {
    my ($super, $ingest) = @_;
    is $ingest->value("SELECT api.partitions_ensure(now() - interval '300 days', now())"), 0, 'chunks are TimescaleDB\'s to make';
    $super->query("INSERT INTO core.sample (tenant_id, series_id, time, value) VALUES (1, 1, '2010-06-05', 1)");
    my $make = "SELECT api.partitions_ensure('2001-05-05', '2021-05-05')";
    is $ingest->value($make), 43, 'years ago one a year; two around what is there';
    is $ingest->value($make), 0, 'once';
    $super->query("INSERT INTO core.sample (tenant_id, series_id, time, value)"
            . " SELECT 1, 1, t, 1 FROM generate_series(timestamptz '2001-01-01', '2021-12-31', '6 days') t");
    is $super->text("SELECT count(*), max(to_time - from_time) FROM core.chunk_list('core.sample') WHERE to_time <= '2022-01-01'"),
        '23 366 days', 'all there is between is in those';
    is $ingest->text("SELECT api.partitions_ensure('1600-01-01', '1650-01-01'), api.partitions_ensure('1701-01-01', '1899-12-31')"),
        '2 0', 'all before 1900 is in one';
    $super->query("SELECT public.drop_chunks('core.sample', older_than => timestamptz '2023-01-01'),"
            . " public.drop_chunks('core.event', older_than => timestamptz '2023-01-01')");
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

# What is kept in no chunks: identities of events, records of jobs.
sub check_tidy {
    my ($super, $worker) = @_;
    $super->query("INSERT INTO core.event_key (tenant_id, device_id, key, slot)"
            . " SELECT 1, 1, gen_random_uuid(), core.event_key_slot((now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(0, 8) n");
    $worker->query("SELECT ops.job_schedule_set(ARRAY['often', 'seldom'], ARRAY[5, 600])");
    $super->query("INSERT INTO ops.job_run (name, started_at, finished_at, is_ok)"
            . " SELECT name, now() - age, now() - age, ok FROM unnest(ARRAY['often', 'seldom']) name,"
            . " unnest(ARRAY[interval '2 hours', '2 days', '8 days', '40 days']) age, unnest(ARRAY[true, false]) ok");
    my $said = $worker->value('SELECT ops.retention_tidy()');
    like $said, qr/"event_key_days": 1\b/, 'the day of identities beyond the seventh goes';
    is $super->value('SELECT count(*) FROM core.event_key'), 8, 'and no other';
    like $said, qr/"job_runs": 7\b/, 'and old records of jobs';
    is $super->text("SELECT name, is_ok, count(*) FROM ops.job_run GROUP BY 1, 2 ORDER BY 1, 2 DESC"),
        'often t 1; often f 3; seldom t 2; seldom f 3', 'good ones a week or a day, failures a month';
    $super->query('DELETE FROM ops.job_run');
    $worker->query("SELECT ops.job_schedule_set(ARRAY['x'], ARRAY[60])");
    is $super->text('SELECT * FROM ops.job'), 'x 60', 'the schedule says what there is';
    return;
}

# Tables that changed much are analysed, once; one in use is left.
sub check_analyse {
    my ($cluster, $super, $ingest, $worker) = @_;
    my $analyse = sub {
        my (@busy) = @_;
        my %n;
        while (my ($row) = $worker->query('SELECT * FROM ops.analyse_next(ARRAY[' . join(',', map {"'$_'"} @busy) . ']::text[])')) {
            last if !defined $row->[0];
            $n{ $row->[0] } = $row->[1];
            push @busy, $row->[0] if $row->[1] eq 'busy';
            die "over and over: @{[%n]}\n" if $n{all}++ > 300;
        }
        return \%n;
    };
    $analyse->();
    $ingest->query("SELECT api.ingest_samples(array_agg(1), array_agg(1), array_agg(t ORDER BY t), array_agg(1.0), array_agg(true))"
            . " FROM generate_series(now() - interval '50 hours', now(), '20 seconds') t");
    # counters reach the server's statistics when the session that counted is idle or gone
    $cluster->session('tidemark_ingest', new => 1)->query('SELECT 1');
    $ingest->query('SELECT pg_stat_force_next_flush()') if $super->value("SELECT to_regproc('pg_stat_force_next_flush') IS NOT NULL") eq 't';
    $super->query('SELECT pg_stat_clear_snapshot()');
    my $locker = $cluster->session('tidemark_super', new => 1);
    $locker->query('BEGIN; LOCK TABLE ONLY core.sample IN SHARE UPDATE EXCLUSIVE MODE');
    my $n = $analyse->();
    cmp_ok scalar(grep {/sample_|_hyper_/} keys %{$n}), '>=', 1, 'chunks that grew are analysed';
    is $n->{'core.sample'}, 'busy', 'a table in use is left';
    $locker->query('COMMIT');
    is $analyse->()->{'core.sample'}, 'analysed', 'the next time the table of them all is, whose chunks nobody counts together';
    is_deeply $analyse->(), {}, 'then there is nothing to do';
    cmp_ok $super->value("SELECT count(*) FROM pg_stats WHERE schemaname = 'core' AND tablename = 'sample' AND attname = 'series_id'"), '>=', 1,
        'the planner knows of it';
    return;
}

# What operators look at says what there is.
sub check_watch {
    my ($cluster, $super, $worker) = @_;
    my $operator = $cluster->session('tidemark_operator');
    my $run = $worker->value("SELECT ops.job_begin('x')");
    is $operator->text("SELECT name, is_running, is_overdue FROM ops.job_health()"), 'x t t', 'a job that runs for the first time';
    $worker->query("SELECT ops.job_end($run, true, 'fine')");
    is $operator->text("SELECT last_is_ok, last_detail, runs_24h, failures_24h, is_running, is_overdue FROM ops.job_health()"),
        't fine 1 0 f f', 'one that ran well';
    $worker->query("SELECT ops.job_end(ops.job_begin('x'), false, 'broken')");
    is $operator->text("SELECT last_is_ok, last_detail, runs_24h, failures_24h, is_overdue FROM ops.job_health()"),
        'f broken 2 1 f', 'one that failed';
    $super->query("UPDATE ops.job_run SET started_at = started_at - interval '6 minutes', finished_at = finished_at - interval '6 minutes'");
    is $operator->value('SELECT is_overdue FROM ops.job_health()'), 't', 'one that is late';
    is $operator->text("SELECT runs, failures FROM ops.job_stat_list('1d', '-infinity') WHERE name = 'x' ORDER BY bucket DESC LIMIT 1"), '2 1',
        'runs are counted by day';
    my ($form, $chunks) = split / /, $operator->text("SELECT form, chunks FROM ops.storage() WHERE relation = 'core.sample'");
    is $form, $cluster->{wanted} eq 'postgres' ? 'partitions' : 'hypertable', 'storage says what form a table has';
    is $operator->value("SELECT count(*) FROM ops.chunk_list('core.sample')"), $chunks, "and of how many chunks, $chunks";
    is $operator->value('SELECT count(*) FROM ops.storage() WHERE total_bytes IS NULL'), 0, 'and how large each is';
    $cluster->roll_up;
    my $usage = $operator->text('SELECT slug, devices, series, samples > 0, bytes > 0 FROM ops.tenant_usage()');
    is $usage, 'alpha 1 3 t t; beta 0 0 f f', 'what each tenant has';
    $super->query("INSERT INTO ops.system_metric VALUES ('samples_per_s', date_trunc('hour', now()) - interval '50 minutes', 10),"
            . " ('samples_per_s', date_trunc('hour', now()) - interval '40 minutes', 20), ('events_per_s', date_trunc('hour', now()) - interval '40 minutes', 3)");
    is $operator->text("SELECT samples_per_s, events_per_s FROM ops.ingest_rate(now() - interval '1 day', '1 hour')"), '15 3', 'how much comes in';
    is $operator->text("SELECT avg, min, max, last, count FROM ops.system_metric_list('1h', 'samples_per_s', now() - interval '1 day')"),
        '15 10 20 20 2', 'measurements by the hour';
    is $operator->value("SELECT count(*) FROM ops.system_metric_list('raw', 'samples_per_s', now() - interval '1 day')"), 2, 'and as taken';
    $super->query('DELETE FROM ops.system_metric');
    is $super->value(q{SELECT core.statement_shape($q$SELECT 'it''s' , $1, 12.5 FROM a1 -- secret
        WHERE b = $x$ y $x$ AND c IN (1, 2)$q$)}), 'SELECT ?, $1, ? FROM a1 WHERE b = ? AND c IN (?, ?)' =~ s/\?, \$1/? , \$1/r, 'statements lose their values';
    my $sleeper = $cluster->session('tidemark_web', new => 1);
    print { $sleeper->{in} } "SELECT 'secret', pg_sleep(20);\n";
    $sleeper->{in}->flush;
    my $deadline = time + 15;
    my $slow = '';
    while ($slow !~ /pg_sleep/ && time < $deadline) {
        $slow = $operator->text('SELECT query, calls FROM ops.slow_queries(10)');
    }
    like $slow, qr/^SELECT \?, pg_sleep\(\?\);? 1/, 'a statement that takes long is shown without its values';
    $super->query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND usename = 'tidemark_web'");
    return;
}

sub check_maintenance {
    my ($cluster) = @_;
    my ($web, $operator) = map { $cluster->session("tidemark_$_") } qw(web operator);
    is $web->value('SELECT api.maintenance()'), undef, 'maintenance mode is off';
    is $operator->value('SELECT ops.maintenance_set(true)'), 't', 'turned on';
    is $operator->value('SELECT ops.maintenance_set(true)'), 'f', 'once';
    is $web->value("SELECT api.maintenance() > now() - interval '1 minute'"), 't', 'and says since when';
    is $operator->value('SELECT ops.maintenance_set(false)'), 't', 'turned off';
    is $web->value('SELECT api.maintenance()'), undef, 'again';
    is $cluster->session('tidemark_super')->text("SELECT action FROM core.audit WHERE action LIKE 'maintenance.%' ORDER BY id"),
        'maintenance.on; maintenance.off', 'who did it is written down';
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
    $super->query("UPDATE ops.job_run SET started_at = now() - interval '11 minutes' WHERE id = $second");
    my $third = $worker->value("SELECT ops.job_begin('x')");
    ok $third, 'or where a run has lasted for more than ten minutes';
    is $super->text("SELECT is_ok, detail FROM ops.job_run WHERE id = $second"), 'f never finished',
        'which is then closed';
    $worker->query("SELECT ops.job_end($third, true, '')");
    ok $other->value("SELECT ops.job_begin('x')"), 'another worker begins it';
    is $worker->value("SELECT ops.job_begin('x')"), undef, 'and has it';
    my $pid = $other->value('SELECT pg_backend_pid()');
    undef $other;    # its connection ends: killed
    $super->value("SELECT pg_sleep(0.1) FROM pg_stat_activity WHERE pid = $pid") for 1 .. 100;
    ok $worker->value("SELECT ops.job_begin('x')"), 'until it is killed';
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
        check_old_chunks($super, $ingest);
    }
    check_repair($super, $ingest, $worker);
    check_tidy($super, $worker);
    check_analyse($cluster, $super, $ingest, $worker);
    check_watch($cluster, $super, $worker);
    check_maintenance($cluster);
    check_jobs($cluster, $super, $worker);
});

done_testing;
