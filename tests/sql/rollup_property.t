#!/usr/bin/env perl
# Rollups and energy under random work: writes by both lanes of ingest in transactions that stay
# open while quarter hours are closed, late ones, corrections, deletions, entries of meters' timelines,
# zones that change, retention, compression, workers killed. Each time the worker has caught up, every
# bucket equals a recount from the samples that were ever stored; energy under entries in force, which
# readings alone do not tell, and of counters, whose falls energy.t recounts, equals what comes of deriving
# all of it anew.
#
# TIDEMARK_PROPERTY_SEED chooses another run, TIDEMARK_PROPERTY_SECONDS a longer one (of an engine).
use strict;
use warnings;
$| = 1;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;
use Time::HiRes qw(time sleep);

my $SEED = $ENV{TIDEMARK_PROPERTY_SEED} // 20261121;
my $SECONDS = $ENV{TIDEMARK_PROPERTY_SECONDS} // 12;
my @GRAINS = qw(15m 1h 1d 1w 1mo);
my @ZONES = qw(America/Los_Angeles Australia/Lord_Howe Asia/Kathmandu UTC Europe/Berlin America/St_Johns);
my @METRICS = qw(power_w energy_kwh meter_kwh_total temp_c);
my $DAYS = 60;    # of samples
my $WRITERS = 3;  # each has a tenant of its own, so that none waits for another's rows
my $METERED = $WRITERS;    # the tenant whose meters' timelines have entries
my ($super, $cluster, %series, @log);
my ($n_swaps, $n_entered);    # swaps with both readings that were taken; rows of energy under entries that were derived anew

sub pick { return $_[int rand @_] }

sub note_step { push @log, join ' ', @_; return }

# ---- what ought to be there ----

sub make_recount {
    $super->query(<<'SQL');
SET jit = off;
CREATE SCHEMA test;
-- samples that retention took
CREATE TABLE test.dropped (tenant_id int, series_id int, time timestamptz, value float8,
                           PRIMARY KEY (tenant_id, series_id, time));
CREATE VIEW test.sample AS
SELECT tenant_id, series_id, time, value FROM core.sample UNION ALL SELECT * FROM test.dropped;
CREATE VIEW test.series AS
SELECT x.tenant_id, x.id AS series_id, x.kind, x.unit, coalesce(p.timezone, t.timezone) AS tz
FROM core.series x
JOIN core.device d ON d.tenant_id = x.tenant_id AND d.id = x.device_id
JOIN core.tenant t ON t.id = x.tenant_id
LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id;
-- those whose energy is told by readings alone: no entry of a meter's timeline is in force
CREATE VIEW test.plain AS
SELECT x.* FROM test.series x
WHERE x.kind <> 'counter' AND NOT EXISTS (SELECT FROM core.meter_entry e
                  WHERE e.tenant_id = x.tenant_id AND e.only_series = x.series_id AND e.withdrawn_at IS NULL);
-- which bucket an instant is in, as the clock on the wall tells
CREATE FUNCTION test.label(grain text, at timestamptz, tz text) RETURNS timestamp LANGUAGE sql STABLE AS $$
    SELECT CASE grain WHEN '15m' THEN date_bin('15 minutes', at AT TIME ZONE 'UTC', timestamp '2000-01-01')
                      WHEN '1h' THEN date_trunc('hour', at AT TIME ZONE 'UTC')
                      WHEN '1d' THEN date_trunc('day', at AT TIME ZONE tz)
                      WHEN '1w' THEN date_trunc('week', at AT TIME ZONE tz)
                      ELSE date_trunc('month', at AT TIME ZONE tz) END $$;
CREATE FUNCTION test.label_end(grain text, label timestamp, tz text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE grain WHEN '15m' THEN (label + interval '15 minutes') AT TIME ZONE 'UTC'
                      WHEN '1h' THEN (label + interval '1 hour') AT TIME ZONE 'UTC'
                      WHEN '1d' THEN (label + interval '1 day') AT TIME ZONE tz
                      WHEN '1w' THEN (label + interval '7 days') AT TIME ZONE tz
                      ELSE (label + interval '1 month') AT TIME ZONE tz END $$;
CREATE FUNCTION test.recount(grain text)
RETURNS TABLE (tenant_id int, series_id int, label timestamp, facts text, stop timestamptz) LANGUAGE sql STABLE AS $$
    SELECT s.tenant_id, s.series_id, l.label,
           row(count(*), sum(s.value), min(s.value), max(s.value), (array_agg(s.value ORDER BY s.time))[1], min(s.time),
               (array_agg(s.value ORDER BY s.time DESC))[1], max(s.time))::text,
           test.label_end(grain, l.label, x.tz)
    FROM test.sample s
    JOIN test.series x USING (tenant_id, series_id)
    CROSS JOIN LATERAL (SELECT test.label(grain, s.time, x.tz) AS label) l
    GROUP BY 1, 2, 3, x.tz $$;
-- what differs: from the table as far as buckets are closed, from the tenant's view everywhere
CREATE FUNCTION test.differs(grain text, from_table boolean, OUT n bigint, OUT first text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('WITH kept AS MATERIALIZED (SELECT * FROM %3$s), found AS MATERIALIZED (
            SELECT x.tenant_id, x.series_id, test.label(%1$L, r.bucket, x.tz) AS label,
                   row(r.count, r.sum, r.min, r.max, r.first, r.first_time, r.last, r.last_time)::text AS facts
            FROM kept r JOIN test.series x ON x.series_id = r.series_id)
        SELECT count(*), min(d.text) FROM (
        SELECT concat_ws(E'' \n    '', series_id, label, ''is '' || r.facts, ''should be '' || e.facts) AS text
        FROM (SELECT * FROM expected WHERE %2$s) e
        FULL JOIN found r USING (tenant_id, series_id, label)
        WHERE e.facts IS DISTINCT FROM r.facts) d', grain,
        CASE WHEN from_table THEN 'stop <= (SELECT closed_until FROM core.rollup_state)'
             ELSE 'tenant_id = core.tenant()' END,
        CASE WHEN from_table THEN 'core' ELSE 'api' END || '.rollup_' || grain) INTO n, first;
END $$;
-- nano-kWh by quarter hour, of steps that end before the quarter hours are closed until
CREATE FUNCTION test.energy() RETURNS TABLE (tenant_id int, series_id int, bucket timestamptz, nkwh float8)
LANGUAGE sql STABLE AS $$
    WITH steps AS (
        SELECT x.*, s.time AS t1, s.value AS v1, lag(s.time) OVER w AS t0, lag(s.value) OVER w AS v0,
               CASE x.unit WHEN 'W' THEN 1e6 ELSE 1e9 END AS scale
        FROM test.sample s JOIN test.plain x USING (tenant_id, series_id)
        WHERE x.unit IN ('W', 'kWh') AND s.time < (SELECT closed_until FROM core.rollup_state)
        WINDOW w AS (PARTITION BY s.tenant_id, s.series_id ORDER BY s.time)
    ), parts AS (
        SELECT s.tenant_id, s.series_id, s.t1 AS at, s.v1 * s.scale AS nkwh FROM steps s WHERE s.kind = 'delta'
        UNION ALL
        SELECT s.tenant_id, s.series_id, q.at,
               (h.v0 + h.v1) / 2 * h.width / 3600 * s.scale
        FROM steps s
        CROSS JOIN LATERAL (SELECT extract(epoch FROM s.t1 - s.t0)::float8 AS width) w
        CROSS JOIN LATERAL generate_series(date_bin('15 minutes', s.t0, '2000-01-01 00:00+00'), s.t1, '15 minutes') AS q (at)
        CROSS JOIN LATERAL (SELECT greatest(s.t0, q.at) AS a, least(s.t1, q.at + interval '15 minutes') AS b) c
        CROSS JOIN LATERAL (SELECT extract(epoch FROM c.b - c.a)::float8 AS width,
            s.v0 + (s.v1 - s.v0) * extract(epoch FROM c.a - s.t0)::float8 / w.width AS v0,
            s.v0 + (s.v1 - s.v0) * extract(epoch FROM c.b - s.t0)::float8 / w.width AS v1) h
        WHERE s.kind = 'gauge' AND c.b > c.a AND s.t1 - s.t0 <= interval '1 hour')
    SELECT p.tenant_id, p.series_id, date_bin('15 minutes', p.at, '2000-01-01 00:00+00'), sum(p.nkwh)
    FROM parts p GROUP BY 1, 2, 3 $$;
-- A step's parts are cut at times of seconds since 1970, good to 0.2 microseconds: of a counter's
-- rise within half a second that is a part in a million. Its total is whole all the same.
CREATE FUNCTION test.energy_differs(OUT n bigint, OUT first text) LANGUAGE sql AS $$
    WITH expected AS MATERIALIZED (SELECT * FROM test.energy()), both_told AS MATERIALIZED (
        SELECT tenant_id, series_id, bucket, e.nkwh AS should, k.nkwh AS is, x.unit
        FROM expected e FULL JOIN core.energy_15m k USING (tenant_id, series_id, bucket)
        JOIN test.plain x USING (tenant_id, series_id)
    ), wrong AS (
        SELECT concat_ws(' ', b.series_id, b.bucket, 'is', b.is, 'should be', b.should) AS text
        FROM both_told b
        WHERE abs(coalesce(b.should, 0) - coalesce(b.is, 0))
              > CASE b.unit WHEN 'W' THEN 100 ELSE 1e6 END + 1e-8 * abs(coalesce(b.should, 0))
           OR (b.should IS NULL) <> (b.is IS NULL)
        UNION ALL
        SELECT concat_ws(' ', b.series_id, 'is', sum(b.is), 'in all, should be', sum(b.should))
        FROM both_told b GROUP BY b.series_id, b.unit
        HAVING abs(sum(b.should) - sum(b.is)) > 10000 + 1e-11 * sum(abs(b.should)))
    SELECT count(*), min(w.text) FROM wrong w $$;
-- derives all energy under entries anew, and says what that changes; to be rolled back
CREATE FUNCTION test.energy_anew_differs(OUT n bigint, OUT first text, OUT n_compared bigint) LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE had ON COMMIT DROP AS
    SELECT * FROM core.energy_15m q
    WHERE NOT EXISTS (SELECT FROM test.plain x WHERE x.series_id = q.series_id);
    PERFORM core.derived_follow(array_agg(x.tenant_id), array_agg(x.series_id),
                                array_agg(timestamptz '-infinity'), array_agg(c.closed_until))
    FROM test.series x, core.rollup_state c
    WHERE x.series_id NOT IN (SELECT p.series_id FROM test.plain p) HAVING count(*) > 0;
    SELECT count(*) FILTER (WHERE h.nkwh IS DISTINCT FROM q.nkwh), count(*) FILTER (WHERE h.nkwh = q.nkwh),
           min(concat_ws(' ', series_id, bucket, 'is', h.nkwh, 'derived anew', q.nkwh)) FILTER (WHERE h.nkwh IS DISTINCT FROM q.nkwh)
    INTO n, n_compared, first
    FROM had h
    FULL JOIN (SELECT * FROM core.energy_15m q
               WHERE NOT EXISTS (SELECT FROM test.plain x WHERE x.series_id = q.series_id)) q
        USING (tenant_id, series_id, bucket);
END $$;
CREATE FUNCTION test.energy_days_differ(OUT n bigint, OUT first text) LANGUAGE sql AS $$
    SELECT count(*), min(concat_ws(' ', series_id, label, 'is', k.nkwh, 'should be', e.nkwh))
    FROM (SELECT tenant_id, series_id, test.label('1d', q.bucket, x.tz) AS label, sum(q.nkwh) AS nkwh
          FROM core.energy_15m q JOIN test.series x USING (tenant_id, series_id) GROUP BY 1, 2, 3) e
    FULL JOIN (SELECT tenant_id, series_id, test.label('1d', d.bucket, x.tz) AS label, d.nkwh
               FROM core.energy_1d d JOIN test.series x USING (tenant_id, series_id)) k
        USING (tenant_id, series_id, label)
    WHERE e.nkwh IS DISTINCT FROM k.nkwh $$;
SQL
    return;
}

sub verify {
    my ($what) = @_;
    my @wrong;
    for my $grain (@GRAINS) {
        $super->query("DROP TABLE IF EXISTS expected; CREATE TEMP TABLE expected AS SELECT * FROM test.recount('$grain'); ANALYZE expected");
        my ($table) = $super->query("SELECT * FROM test.differs('$grain', true)");
        push @wrong, "$grain: $table->[0] rows of the table differ, as\n    $table->[1]" if $table->[0];
        for my $tenant (1 .. $WRITERS) {
            my ($view) = $super->query("SET tidemark.tenant_id = '$tenant'; SELECT * FROM test.differs('$grain', false)");
            push @wrong, "$grain: $view->[0] rows of tenant $tenant\'s view differ, as\n    $view->[1]" if $view->[0];
        }
    }
    for my $check (qw(energy_differs energy_days_differ energy_anew_differs)) {
        my ($energy) = $super->query("BEGIN; SELECT * FROM test.$check(); ROLLBACK");
        push @wrong, "$check: $energy->[0], as\n    $energy->[1]" if $energy->[0];
        $n_entered += $energy->[2] // 0;
    }
    ok !@wrong, $what or diag join "\n", @wrong, "seed $SEED, after:", @log > 60 ? @log[-60 .. -1] : @log;
    return !@wrong;
}

# ---- writing ----

# A time that nothing else was stored at, mostly young; never near what retention took.
sub instant {
    my ($floor_s, $now_s) = @_;
    my $age = pick(900, 7200, 86400, 86400, 4 * 86400, 4 * 86400, 12 * 86400, $now_s - $floor_s - 3 * 86400);
    return sprintf '%.6f', $now_s - 1 - rand($age > $now_s - $floor_s - 3 * 86400 ? $now_s - $floor_s - 3 * 86400 : $age);
}

sub values_of { return join ',', map {"($_->[0], to_timestamp($_->[1]), $_->[2]::float8)"} @_ }

# Rows of a writer's series: [series, epoch, value], in the order of the key.
sub rows {
    my ($tenant, $n) = @_;
    my ($floor_s, $now_s) = @{ ($super->query("SELECT extract(epoch FROM greatest(max(raw_from), now() - interval '$DAYS days')),"
            . ' extract(epoch FROM now()) FROM core.series_floor'))[0] };
    my $id = pick(@{ $series{$tenant}{ids} });
    my $at = instant($floor_s, $now_s);
    return map { [ $id, sprintf('%.6f', $at + $_ * pick(0.5, 60, 400)), int(rand 4000) / 4 ] }
        grep { $at + $_ * 400 < $now_s } 0 .. $n - 1;
}

# Plain inserts with the guard, as the fast lane stores rows: those before what is being closed
# are noted in the same transaction.
sub write_fast {
    my ($session, $tenant) = @_;
    my @rows = rows($tenant, pick(1, 3, 20)) or return;
    my $first = pick(0, 1);
    my $closing = $first ? $session->value('SELECT api.ingest_guard()') : undef;
    if (pick(0, 1)) {
        $session->query('COPY core.sample FROM STDIN' . ";\n" . join('', map {"$tenant\t$_->[0]\t"
            . $super->value("SELECT to_timestamp($_->[1])") . "\t$_->[2]\n"} @rows) . "\\.\n");
    } else {
        $session->query('INSERT INTO core.sample SELECT ' . "$tenant, v.* FROM (VALUES " . values_of(@rows) . ') v ON CONFLICT DO NOTHING');
    }
    $closing //= $session->value('SELECT api.ingest_guard()');
    $session->query("SELECT api.change_log(array_agg($tenant), array_agg(v.id), array_agg(v.at), array_agg(v.at))"
            . ' FROM (VALUES ' . values_of(@rows) . ") v (id, at, value) WHERE v.at < '$closing' HAVING count(*) > 0");
    note_step("tenant $tenant stores " . @rows . " by the fast lane from $rows[0][1] of $rows[0][0]");
    return;
}

sub write_late {
    my ($session, $tenant) = @_;
    my @rows = rows($tenant, pick(1, 5, 50)) or return;
    my $again = pick(0, 1) ? "UNION SELECT x.series_id, x.time, x.value + " . pick(0, 0.25) . " FROM (SELECT * FROM core.sample"
        . " WHERE tenant_id = $tenant AND series_id = $rows[0][0] AND time > to_timestamp($rows[0][1]) ORDER BY time LIMIT 5) x" : '';
    my $logged = pick('true', 'false');
    $session->query("SELECT count(*) FROM (SELECT array_agg($tenant) t, array_agg(id ORDER BY id, at) i, array_agg(at ORDER BY id, at) a,"
            . " array_agg(value ORDER BY id, at) v, array_agg($logged) l FROM (SELECT DISTINCT ON (id, at) * FROM (SELECT * FROM (VALUES " . values_of(@rows)
            . ") w (id, at, value) $again) u ORDER BY id, at, value) r) p, api.ingest_samples(p.t, p.i, p.a, p.v, p.l)");
    note_step("tenant $tenant stores " . @rows . " by the late lane from $rows[0][1] of $rows[0][0]" . ($again && ', some again'));
    return;
}

sub correct {
    my ($session, $tenant) = @_;
    my ($row) = rows($tenant, 1) or return;
    my $answer = $session->text("SELECT p.* FROM (SELECT array_agg(s.metric) m, array_agg(NULL::text) l, array_agg(x.time) t, array_agg(x.value + 1) v"
            . " FROM (SELECT * FROM core.sample WHERE tenant_id = $tenant AND series_id = $row->[0] AND time >= to_timestamp($row->[1])"
            . " ORDER BY time LIMIT 3) x JOIN core.series s ON s.id = x.series_id HAVING count(*) > 0) c, api.sample_put('meter', c.m, c.l, c.t, c.v) p");
    note_step("tenant $tenant corrects three of $row->[0] from $row->[1]: $answer");
    return;
}

sub remove {
    my ($session, $tenant) = @_;
    my ($row) = rows($tenant, 1) or return;
    my $width = pick('1 minute', '2 hours', '1 day');
    my $metric = $series{$tenant}{metric}{ $row->[0] };
    my $n = $session->value("SELECT api.sample_delete('meter', '$metric', to_timestamp($row->[1]), to_timestamp($row->[1]) + interval '$width')");
    note_step("tenant $tenant deletes $n of $row->[0] in $width from $row->[1]");
    return;
}

# An entry of a meter's timeline, or an end to one; swaps with both readings until one was taken. Some
# are refused, as readings contradict them.
sub enter {
    my ($session, $tenant) = @_;
    my ($row) = rows($tenant, 1) or return;
    my $is_first = !$n_swaps;
    my ($metric, @kinds) = $is_first ? qw(meter_kwh_total swap) : @{ pick([ 'power_w', qw(gap factor) ], [ 'energy_kwh', qw(gap factor unit) ],
        ([ 'meter_kwh_total', qw(swap swap reset rollover gap factor unit) ]) x 3) };
    my $kind = pick(@kinds);
    my $at = "to_timestamp($row->[1])";
    my $until = $kind =~ /swap|reset/ ? 'NULL' : $kind eq 'gap' ? "$at + interval '@{[1 + int rand 60]} hours'" : pick('NULL', "$at + interval '100 hours'");
    my ($final, $initial) = $is_first ? (1000, pick('0', '12.5')) : $kind eq 'swap' ? (pick('NULL', 1000), pick('NULL', '0', '12.5')) : ('NULL', 'NULL');
    my ($size, $factor, $unit) = ($kind eq 'rollover' ? pick('1000', '1e6') : 'NULL', $kind eq 'factor' ? pick('0.5', '12', '1.000001') : 'NULL', $kind eq 'unit' ? pick("'Wh'", "'MWh'") : 'NULL');
    my $sql = !$is_first && rand() < 0.3
        ? "SELECT api.meter_entry_withdraw('meter', e.id) FROM core.meter_entry e WHERE e.tenant_id = $tenant AND e.withdrawn_at IS NULL ORDER BY random() LIMIT 1"
        : "SELECT api.meter_entry_add('meter', '$metric', NULL, '$kind', $at, $until, $final, $initial, $size, $factor, $unit, '')";
    $session->query('SAVEPOINT entry');
    my $answer = $session->run($sql);
    die "$answer->{message}\n" if $answer->{error} && $answer->{error} !~ /^TM4/;
    $session->query('ROLLBACK TO entry') if $answer->{error};
    $n_swaps++ if !$answer->{error} && $sql =~ /_add/ && $final ne 'NULL' && $initial ne 'NULL';
    note_step("tenant $tenant: $sql" . ($answer->{error} ? ", refused: $answer->{message}" : ''));
    return;
}

# ---- upkeep ----

sub move_place {
    my $tenant = 1 + int rand $WRITERS;
    my $zone = pick(@ZONES);
    # a writer's open transaction may hold the device
    my $answer = $super->run("BEGIN; SET LOCAL lock_timeout = '500ms'; UPDATE core." . pick("site SET timezone = '$zone' WHERE tenant_id = $tenant",
        "tenant SET timezone = '$zone' WHERE id = $tenant",
        "device SET site_id = (SELECT id FROM core.site WHERE tenant_id = $tenant ORDER BY random() LIMIT 1) WHERE tenant_id = $tenant") . '; COMMIT');
    $super->query('ROLLBACK') if $answer->{error};
    note_step("tenant $tenant moves, $zone" . ($answer->{error} ? ", refused: $answer->{message}" : ''));
    return;
}

# Takes the oldest chunk of samples that is past keeping, as retention does.
sub drop {
    my $worker = $cluster->session('tidemark_worker');
    my $days = $super->value('SELECT days FROM core.retention WHERE class = \'raw\'') - 4;
    return if $days < 20;
    $worker->query("SELECT ops.retention_set($days, 3000, 4000, 3000)");
    for my $step ($worker->query("SELECT from_time, to_time FROM ops.retention_plan() WHERE relation = 'core.sample'")) {
        my ($from, $to) = @{$step};
        $super->query("CREATE TEMP TABLE taken AS SELECT tenant_id, series_id, time, value FROM core.sample WHERE time >= '$from' AND time < '$to'");
        my $outcome = $worker->value("SELECT outcome FROM ops.retention_step('core.sample', '$from', '$to', NULL)");
        $super->query('INSERT INTO test.dropped SELECT * FROM taken') if $outcome eq 'dropped';
        $super->query('DROP TABLE taken');
        note_step("retention: samples from $from to $to are $outcome");
    }
    return;
}

sub compress {
    my $table = pick('core.sample', 'core.sample', map {"core.rollup_$_"} @GRAINS);
    $super->query("SELECT public.compress_chunk(c, true) FROM public.show_chunks('$table', older_than => now() - interval '1 day') c ORDER BY random() LIMIT 2");
    note_step("$table: two chunks compressed");
    return;
}

# ---- the worker ----

my @STEPS = ('SELECT ops.rollup_close_begin()', 'SELECT ops.rollup_close_finish()', 'SELECT ops.rollup_follow(%d)');

sub work {
    my $step = pick(@STEPS) =~ s{%d}{pick(3, 40, 400)}er;
    $cluster->session('tidemark_worker')->query($step);
    note_step($step);
    return;
}

# Ends the worker's session in the midst of a step.
sub work_and_die {
    my $step = pick(@STEPS[1, 2]) =~ s{%d}{4000}r;
    my $session = $cluster->session('tidemark_worker', new => 1);
    my $pid = $session->value('SELECT pg_backend_pid()');
    print { $session->{in} } "$step;\n";
    $session->{in}->flush;
    sleep rand 0.05;
    $super->query("SELECT pg_terminate_backend($pid)");
    note_step("$step, killed");
    return;
}

# The real worker, killed.
sub run_and_kill {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        delete @ENV{ grep {/^(TIDEMARK|DATABASE|DB|S3|PG)_?/} keys %ENV };
        $ENV{TIDEMARK_HOME} = $cluster->home;
        chdir '/';
        exec $cluster->command($cluster->home . '/tidemark', 'worker') or die;
    }
    sleep 0.1 + rand 1;
    kill KILL => $pid;
    waitpid $pid, 0;
    note_step('a worker, killed');
    return;
}

sub catch_up {
    my $worker = $cluster->session('tidemark_worker');
    $worker->query('SELECT ops.rollup_close_finish()');
    my $steps = 0;
    while ($worker->value('SELECT is_done FROM ops.rollup_follow(' . pick(50, 20000) . ')') ne 't') {
        return fail('the worker comes to an end') if ++$steps > 2000;
    }
    return;
}

# ---- rounds ----

sub populate {
    $super->query("UPDATE core.rollup_state SET closed_until = u, closing_until = u FROM date_bin('15 minutes', now() - interval '4 days', '2000-01-01 00:00+00') u");
    my $operator = $cluster->session('tidemark_operator');
    for my $tenant (1 .. $WRITERS) {
        $operator->query("SELECT ops.tenant_add('t$tenant', '', '$ZONES[$tenant]', 'EUR'), ops.site_put('t$tenant', 'a', 'A', '$ZONES[-$tenant]'),"
                . " ops.site_put('t$tenant', 'b', 'B', '$ZONES[0]'), ops.device_put('t$tenant', 'meter', '', '', 'a', NULL)");
        my $ingest = $cluster->session('tidemark_ingest', tenant => $tenant);
        my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['meter'], false)");
        my $metrics = join ',', map {"'$_'"} @METRICS;
        my @ids = map { $_->[0] } $ingest->query('SELECT series_id FROM api.ingest_series(array_fill(' . "$device, ARRAY[4]), ARRAY[$metrics], ARRAY['','','',''], true) ORDER BY ord");
        $series{$tenant} = { ids => \@ids, metric => { map { $ids[$_] => $METRICS[$_] } 0 .. $#ids } };
        $ingest->query("SELECT api.partitions_ensure(now() - interval '$DAYS days', now())");
        for my $id (@ids) {
            $ingest->query("SELECT count(*) FROM (SELECT array_agg($tenant) t, array_agg($id) i, array_agg(g ORDER BY g) a, array_agg(v ORDER BY g) v, array_agg(true) l"
                    . " FROM (SELECT g, (date_part('epoch', g)::bigint / 977 % 400)::float8 / 4 AS v"
                    . " FROM generate_series(now() - interval '$DAYS days', now() - interval '9 days', interval '7 hours') g"
                    . " UNION SELECT g, (date_part('epoch', g)::bigint / 977 % 400)::float8 / 4"
                    . " FROM generate_series(now() - interval '8 days', now() - interval '1 hour', interval '53 minutes') g) s) p, api.ingest_samples(p.t, p.i, p.a, p.v, p.l)");
        }
    }
    return;
}

# What a writer does in one transaction. It gives up rather than wait for long.
sub begin {
    my ($session, $tenant) = @_;
    $session->query("BEGIN; SET LOCAL lock_timeout = '3s'");
    for (1 .. pick(1, 1, 3)) {
        my $what = pick(\&write_fast, \&write_fast, \&write_late, \&write_late, \&correct, \&remove, $tenant == $METERED ? \&enter : ());
        if (!eval { $what->($session, $tenant); 1 }) {
            die $@ if $@ !~ /lock timeout|duplicate key|readings arrive/;
            return;
        }
    }
    return;
}

sub round {
    my ($number) = @_;
    my %session = map { $_ => $cluster->session('tidemark_super', tenant => $_, new => 1) } 1 .. $WRITERS;
    my %open;
    $session{$METERED}->query('BEGIN');
    enter($session{$METERED}, $METERED);
    $session{$METERED}->query('COMMIT');
    for (1 .. 12) {
        my $tenant = 1 + int rand $WRITERS;
        if ($open{$tenant}) {
            my $end = pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK');
            $session{$tenant}->run($end);
            note_step("tenant $tenant: $end");
            delete $open{$tenant};
        } else {
            begin($session{$tenant}, $tenant);
            $open{$tenant} = 1;
        }
        work() if rand() < 0.5;
        work_and_die() if rand() < 0.1;
    }
    move_place() if rand() < 0.3;
    $session{$_}->run('COMMIT') for keys %open;
    run_and_kill() if $number > 6 && rand() < 0.3;
    compress() if $cluster->engine eq 'timescaledb' && rand() < 0.4;
    catch_up();
    verify("round $number") or return 0;
    if (rand() < 0.25) {
        drop();
        catch_up();
        verify("round $number, after retention") or return 0;
    }
    return 1;
}

Tidemark::Cluster->each_engine(sub {
    ($cluster) = @_;
    srand $SEED;
    @log = ();
    ($n_swaps, $n_entered) = (0, 0);
    note "TIDEMARK_PROPERTY_SEED=$SEED";
    $super = $cluster->session('tidemark_super');
    make_recount();
    populate();
    catch_up();
    verify('in the beginning') or return;
    my ($until, $number) = (time + $SECONDS, 0);
    while (time < $until || $number < 5) {
        round(++$number) or last;
    }
    cmp_ok $number, '>=', 5, "$number rounds";
    cmp_ok $super->value('SELECT count(*) FROM core.rollup_15m'), '>', 500, 'there was something to roll up';
    cmp_ok $n_swaps, '>=', 1, 'meters were swapped with their final and initial readings';
    cmp_ok $n_entered, '>=', 1000, "$n_entered rows of energy under entries and of counters were compared";
    return;
});

done_testing;
