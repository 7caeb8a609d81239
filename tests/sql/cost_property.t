#!/usr/bin/env perl
# The ledger of costs under random work: readings, late ones, deletions, corrections, schedules changed
# after the fact, assignments and withdrawals, prices, zones, roles, units, entries of meters' timelines,
# devices that move; the worker killed on its way; on TimescaleDB chunks compressed all the time under
# all that. When it has caught up, the ledger is to the last
# digit what comes of rating everything anew, energy what comes of deriving it anew, what a counter is
# known to have counted what its energy comes to, and what the ledger takes for a site's energy what the
# list of energy, which chooses among a device's series in SQL, says.
#
# Each tenant is a history of its own: TIDEMARK_HISTORIES of them an engine (200), drawn by
# TIDEMARK_COST_SEED, TIDEMARK_EDITS edits each.
use strict;
use warnings;
$| = 1;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(encode_json);
use POSIX qw(WNOHANG);
use Test::More;
use Tidemark::Cluster;
use Time::HiRes qw(time sleep);

my $SEED = $ENV{TIDEMARK_COST_SEED} // 20261121;
my $HISTORIES = $ENV{TIDEMARK_HISTORIES} // 200;
my $EDITS = $ENV{TIDEMARK_EDITS} // 2;    # before, and again while the worker is at work
my @ZONES = qw(Europe/Berlin America/Los_Angeles Asia/Kathmandu Australia/Lord_Howe UTC);
my @UNITS = qw(Wh kWh MWh);
my $DAYS = 33;
my $COUNTED = 10;    # of them, that a counter tells: quarter hours are what a history costs
my ($super, $cluster, %log);

sub pick { return $_[int rand @_] }

# ---- tariffs ----

sub day { my @t = gmtime(time + 86400 * $_[0]); return sprintf '%04d-%02d-%02d', $t[5] + 1900, $t[4] + 1, $t[3] }

sub rate { return sprintf '%.4f', 0.05 + rand 0.5 }

# Dates of billing cycles of 4 to 14 days, up to some day.
sub starts {
    my ($at, $until, @starts) = (-$DAYS - int rand 60, 5 - int rand 20);
    for (; $at < $until; $at += 4 + int rand 11) { push @starts, day($at) }
    return \@starts;
}

# A tariff of some of all kinds of charges; from the second version on one that holds on some days alone.
sub document {
    my ($zone, $is_first) = @_;
    my ($energy, %more) = @{ pick(
        [ { type => 'energy', rate => rate() } ],
        [ { type => 'energy', tiers => [ { up_to => 1 + int rand 40, rate => rate() }, { rate => rate() } ], tiers_begin => pick(qw(cycle day)) } ],
        [ { type => 'energy', series => 'spot' }, price_series => [ { name => 'spot', minutes => 60 } ] ],
        [ { type => 'energy', prices => [ { rate => rate() }, { period => 'peak', rate => rate() } ] }, periods => [qw(base peak)],
            windows => [ { period => 'base' }, { period => 'peak', days => ['weekdays'], from => '16:10', to => '20:00' } ] ]) };
    my @others = grep { rand() < 0.4 } { type => 'fixed', name => 'Meter', amount => '9.90', per => 'month' },
        { type => 'fixed', name => 'Grid', amount => '0.11', per => 'day' }, { type => 'export', rate => '0.08' },
        { type => 'demand', rate => '7', window_minutes => 60, pick(0, 1) ? (ratchet => { percent => '80', cycles => pick(1, 2, 3) }) : () },
        { type => 'minimum', amount => '12', per => 'month', on => ['energy'] }, { type => 'tax', name => 'VAT', percent => '19' };
    my ($from, $to) = sort { $a <=> $b } map { -int rand $DAYS } 1, 2;
    my %valid = $is_first || pick(0, 1) ? () : (valid_from => day($from), $from < $to ? (valid_to => day($to)) : ());
    return { name => 'Tariff', timezone => $zone, currency => 'EUR', charges => [ $energy, @others ], %more, billing => { day => pick(1, 1, 15, 31), pick(0, 1) ? (starts => starts()) : () }, %valid };
}

# ---- histories ----

my %zone;       # of a tenant's tariffs
my %counter;    # a tenant's readings [epoch, kWh] of its counter that are not sent yet, and what it counted

# A counter's readings in steps of 10 Wh over some of the days, and the Wh that it counted from the first
# to the last: with hours of silence, restarts from zero, and false readings between two that are true.
sub count {
    my ($now) = @_;
    my $at = $now - 3600 * (24 * $COUNTED + int rand 24 * ($DAYS - $COUNTED));
    my ($until, $truth, $register, $resets, @readings) = ($at + 86400 * $COUNTED - 7200, 0, 500_000 + int rand 1e6, 0);
    while ($at < $until) {
        my $told = int($register / 10) / 100;
        push @readings, [ $at, $told ];
        push @readings, [ $at + 300, pick(0, $told / 3, $told - 0.05) ], [ $at + 600, $told ] if $register > 200_000 && rand() < 0.1;
        if ($register > 100_000 && rand() < 0.03) { $register = 0; $resets++ }
        my $hours = rand() < 0.05 ? 24 + rand 48 : 5 + rand 12;
        my $used = int rand $hours * 400;
        $at += int $hours * 3600;
        ($truth, $register) = ($truth + $used, $register + $used) if $at < $until;
    }
    return { truth => $truth, resets => $resets, readings => \@readings };
}

# Tenants with two sites, a device at a grid in every other one, one that tells its consumption by intervals,
# a counter and its power, one without a site. On TimescaleDB chunks are of three days.
sub populate {
    my $now = int time;
    if ($cluster->engine eq 'timescaledb') {
        $super->query("SELECT public.set_chunk_time_interval('core.$_', interval '3 days')") for qw(energy_15m sample);
    }
    $super->query("UPDATE core.rollup_state SET closed_until = u, closing_until = u FROM date_bin('15 minutes', now() - interval '5 minutes', '2000-01-01 00:00+00') u;"
            . " SELECT setseed(" . ($SEED % 1000 / 1000) . "); SELECT api.partitions_ensure(now() - interval '@{[$DAYS + 1]} days', now())");
    for my $n (1 .. $HISTORIES) {
        $zone{$n} = pick(@ZONES);
        my @places = map { pick(@ZONES) } 1 .. 3;
        $super->query("INSERT INTO core.tenant (slug, name, timezone, currency) VALUES ('h$n', 'h$n', '$places[0]', 'EUR');"
                . " INSERT INTO core.site (tenant_id, key, name, timezone) VALUES ($n, 'a', 'A', '$places[1]'), ($n, 'b', 'B', '$places[2]');"
                . " INSERT INTO core.device (tenant_id, key, name, site_id) SELECT $n, d.key, d.key, (SELECT s.id FROM core.site s WHERE s.tenant_id = $n AND s.key = d.site)"
                . " FROM (VALUES ('grid', 'a'), ('house', 'a'), ('shed', NULL)) d (key, site);"
                . " INSERT INTO core.series (tenant_id, device_id, metric, unit, kind, role) SELECT $n, d.id, s.metric, s.unit, s.kind, s.role FROM core.device d"
                . " JOIN (VALUES " . ($n % 2 ? ($n % 4 == 1 ? "('grid', 'grid_import_kwh', 'kWh', 'delta', 'grid_import')" : "('grid', 'grid_import_t1_kwh', 'kWh', 'delta', 'grid_import'), ('grid', 'grid_import_t2_kwh', 'kWh', 'delta', 'grid_import')") . ", ('grid', 'grid_export_kwh', 'kWh', 'delta', 'grid_export')," : '')
                . " ('house', 'energy_kwh_total', 'kWh', 'counter', 'consumption'), ('house', 'generation_kwh', 'kWh', 'delta', 'generation'),"
                . " ('house', 'house_kwh', '@{[pick(@UNITS)]}', 'delta', 'consumption'), ('house', 'power_kw', 'kW', 'gauge', 'consumption'),"
                . " ('shed', 'energy_kwh', 'kWh', 'delta', 'consumption')) s (device, metric, unit, kind, role) ON s.device = d.key WHERE d.tenant_id = $n");
        $counter{$n} = count($now);
    }
    $super->query("INSERT INTO core.sample SELECT s.tenant_id, s.id, t.at, floor(random() * 4000) / 1000 FROM core.series s,"
            . " LATERAL (SELECT g + interval '1 minute' * floor(random() * 300) AS at FROM generate_series(now() - interval '$DAYS days', now() - interval '6 hours', interval '31 hours') g"
            . " WHERE random() < CASE s.metric WHEN 'house_kwh' THEN 0.3 ELSE 0.9 END) t WHERE s.kind = 'delta' ON CONFLICT DO NOTHING;"
            . " INSERT INTO core.sample SELECT s.tenant_id, s.id, g + m * interval '25 minutes', floor(random() * 3000) / 1000 FROM core.series s,"
            . " generate_series(now() - interval '$DAYS days', now() - interval '1 day', interval '5 days 3 hours') g, generate_series(1, 12) m WHERE s.kind = 'gauge'");
    send_counters(0.95);
    $super->query("DELETE FROM core.change; SELECT core.derived_follow(array_agg(s.tenant_id), array_agg(s.id), array_agg('-infinity'::timestamptz), array_agg(c.closed_until))"
            . " FROM core.series s, core.rollup_state c");
    return;
}

# Runs a statement, again where it was in another's way, as all who write do; its answer.
sub repeat {
    my ($sql) = @_;
    my $answer = $super->run($sql);
    $answer = $super->run($sql) while $answer->{error} =~ /^40/;
    return $answer;
}

# Sends a part of the counters' readings, in disorder, some twice.
sub send_counters {
    my ($part) = @_;
    my @rows;
    for my $n (sort { $a <=> $b } keys %counter) {
        my (@now, @later);
        push @{ rand() < $part ? \@now : \@later }, $_ for @{ $counter{$n}{readings} };
        $counter{$n}{readings} = [ @later, grep { rand() < 0.1 } @now ];
        push @rows, map {"($n, to_timestamp($_->[0]), $_->[1]::float8)"} @now;
    }
    return if !@rows;
    my $answer = repeat("SELECT count(*) FROM (SELECT array_agg(s.tenant_id ORDER BY s.tenant_id, v.at) t, array_agg(s.id ORDER BY s.tenant_id, v.at) i, array_agg(v.at ORDER BY s.tenant_id, v.at) a,"
            . ' array_agg(v.value ORDER BY s.tenant_id, v.at) v, array_agg(true) l FROM (VALUES ' . join(', ', @rows) . ") v (n, at, value)"
            . " JOIN core.series s ON s.tenant_id = v.n AND s.kind = 'counter') p, api.ingest_samples(p.t, p.i, p.a, p.v, p.l)");
    die "$answer->{message}\n" if $answer->{error};
    return;
}

# ---- edits: each an SQL statement of the tenant, or '' ----

sub instant { return "now() - interval '@{[2 + int rand $DAYS * 24 - 48]} hours'" }

my %EDIT = (
    'a late reading' => sub {
        my ($n) = @_;
        return reading($n, "(SELECT s.id FROM core.series s WHERE s.tenant_id = $n AND s.kind = 'delta' ORDER BY random() LIMIT 1)", instant(), int rand 9);
    },
    'readings deleted' => sub {
        my $from = instant();
        return "SELECT api.sample_delete(d.device, d.metric, $from, $from + interval '@{[pick(1, 30, 400)]} hours') FROM (VALUES ('shed', 'energy_kwh'), ('house', 'generation_kwh')) d (device, metric)"
            . " ORDER BY random() LIMIT 1";
    },
    'a reading corrected' => sub {
        my ($n) = @_;
        my $series = "(SELECT s.id FROM core.series s WHERE s.tenant_id = $n AND s.metric = 'energy_kwh')";
        return reading($n, $series, "(SELECT x.time FROM core.sample x WHERE x.tenant_id = $n AND x.series_id = $series AND x.time > @{[instant()]} ORDER BY x.time LIMIT 1)", 5);
    },
    'a schedule' => sub { my ($n) = @_; return "INSERT INTO core.rate_schedule (tenant_id, name) VALUES ($n, 'Tariff'); " . version($n, 1) },
    'a schedule corrected' => sub { my ($n) = @_; return version($n, 0) },
    'an assignment' => sub {
        my ($n) = @_;
        my ($from, $to) = sort { $a <=> $b } map { -int rand $DAYS } 1, 2;
        my $where = pick("NULL, NULL", "'a', NULL", "'b', NULL", "NULL, 'shed'", "NULL, 'house'", "NULL, 'grid'");
        my $days = pick('NULL, NULL', "'@{[day($from)]}', NULL", $from < $to ? "'@{[day($from)]}', '@{[day($to)]}'" : 'NULL, NULL');
        return "SELECT api.rate_assign(s.id, $where, $days) FROM core.rate_schedule s WHERE s.tenant_id = $n ORDER BY random() LIMIT 1";
    },
    'a withdrawal' => sub {
        my ($n) = @_;
        return "SELECT api.rate_unassign(a.schedule_id, a.id) FROM core.rate_assignment a WHERE a.tenant_id = $n AND a.known_until IS NULL ORDER BY random() LIMIT 1";
    },
    'prices' => sub {
        my ($n) = @_;
        return "SELECT api.rate_prices_add(s.id, 'spot', array_agg(g), array_agg(g + interval '1 hour'), array_agg((random() * 5e8)::bigint)) FROM"
            . " (SELECT s.id FROM core.rate_schedule s WHERE s.tenant_id = $n ORDER BY random() LIMIT 1) s,"
            . " generate_series(date_bin('1 day', @{[instant()]}, '2000-01-01 00:00+00'), now(), interval '1 hour') g GROUP BY s.id";
    },
    'a zone' => sub { my ($n) = @_; my $zone = pick(@ZONES); return pick("UPDATE core.site SET timezone = '$zone' WHERE tenant_id = $n AND key = 'a'", "UPDATE core.tenant SET timezone = '$zone' WHERE id = $n") },
    'a role' => sub { my ($n) = @_; return "UPDATE core.series SET role = '@{[pick(qw(consumption sub_meter none grid_import generation))]}' WHERE tenant_id = $n AND metric = '@{[pick(qw(energy_kwh house_kwh power_kw))]}'" },
    'a unit' => sub { my ($n) = @_; return "UPDATE core.series SET unit = '@{[pick(@UNITS)]}' WHERE tenant_id = $n AND metric = '@{[pick(qw(energy_kwh house_kwh))]}'" },
    'an entry' => sub { return entry(@_) },
    'an entry withdrawn' => sub { my ($n) = @_; return "SELECT api.meter_entry_withdraw(d.key, e.id) FROM core.meter_entry e JOIN core.device d ON d.id = e.device_id WHERE e.tenant_id = $n AND e.withdrawn_at IS NULL LIMIT 1" },
    'a move' => sub { my ($n) = @_; return "UPDATE core.device SET site_id = (SELECT s.id FROM core.site s WHERE s.tenant_id = $n AND s.key = '@{[pick(qw(a b c))]}') WHERE tenant_id = $n AND key = '@{[pick(qw(grid shed))]}'" },
);
my @EDITS = sort keys %EDIT;

# An entry of a meter's timeline. Those of counters are made in every fourth tenant alone, where what the
# counter counted is not asked for. Some are refused: readings contradict them.
sub entry {
    my ($n) = @_;
    my ($device, $metric, @kinds) = @{ pick([ 'house', 'house_kwh', qw(gap factor unit) ], [ 'house', 'power_kw', qw(gap factor) ], [ 'shed', 'energy_kwh', qw(gap factor unit) ],
        $n % 4 ? () : ([ 'house', 'energy_kwh_total', qw(swap reset rollover gap factor) ]) x 3) };
    my $kind = pick(@kinds);
    my ($size, $factor, $unit) = ($kind eq 'rollover' ? '1e6' : 'NULL', $kind eq 'factor' ? pick('0.5', '12', '1.000001') : 'NULL', $kind eq 'unit' ? "'@{[pick(@UNITS)]}'" : 'NULL');
    my $at = instant();
    my $until = $kind eq 'swap' || $kind eq 'reset' ? 'NULL' : $kind eq 'gap' ? "$at + interval '@{[1 + int rand 60]} hours'" : pick('NULL', "$at + interval '100 hours'");
    my ($final, $initial) = $kind eq 'swap' ? (pick('NULL', 2500), pick('NULL', '0', '12.5')) : ('NULL', 'NULL');
    return "SELECT api.meter_entry_add('$device', '$metric', NULL, '$kind', $at, $until, $final, $initial, $size, $factor, $unit, '')";
}

# A version of one of the tenant's schedules, the newest for a first one. As api.rate_version_add stores it, which asks for all
# zones there are each time.
sub version {
    my ($n, $is_first) = @_;
    my $document = document($zone{$n}, $is_first);
    my ($from, $to) = map { defined $_ ? "'$_'" : undef } @{$document}{qw(valid_from valid_to)};
    return 'INSERT INTO core.rate_version (tenant_id, schedule_id, number, timezone, currency, from_day, to_day, known_since, made_by, format, document)'
        . " SELECT $n, s.id, 1 + (SELECT count(*) FROM core.rate_version v WHERE v.schedule_id = s.id), '$zone{$n}', 'EUR', "
        . ($from // "'2000-01-01'") . ', ' . ($to // "'infinity'") . ", clock_timestamp(), '', 'json', '" . encode_json($document)
        . "' FROM core.rate_schedule s WHERE s.tenant_id = $n ORDER BY " . ($is_first ? 's.id DESC' : 'random()') . ' LIMIT 1';
}

# A reading in place of what is there, and its note, as ingest stores them.
sub reading {
    my ($n, $series, $at, $value) = @_;
    return "WITH new AS (SELECT $series AS id, $at AS at), changed AS (INSERT INTO core.change (tenant_id, series_id, from_time, to_time)"
        . ' SELECT ' . "$n, id, at, at FROM new WHERE at IS NOT NULL) INSERT INTO core.sample (tenant_id, series_id, time, value) SELECT $n, id, at, $value FROM new WHERE at IS NOT NULL"
        . ' ON CONFLICT (tenant_id, series_id, time) DO UPDATE SET value = excluded.value';
}

sub edit {
    my ($n, @names) = @_;
    $super->query("SET tidemark.tenant_id = '$n'");
    for my $name (@names) {
        push @{ $log{$n} }, $name;
        my $answer = repeat($EDIT{$name}->($n));
        die "$name: $answer->{message}\n" if $answer->{error} && !($name =~ /entry/ && $answer->{error} =~ /^TM4/);
    }
    return;
}

# ---- the worker ----

sub worker {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', $cluster->home . '/worker.log';
        delete @ENV{ grep {/^(TIDEMARK|DATABASE|DB|S3|PG)_?/} keys %ENV };
        $ENV{TIDEMARK_HOME} = $cluster->home;
        chdir '/';
        exec $cluster->command($cluster->home . '/tidemark', 'worker') or die;
    }
    return $pid;
}

# Compresses chunks that are a day old, again and again, until it is killed; notes what came of it.
sub compressor {
    $super->query("UPDATE core.kept SET columnstore_after = interval '1 day' WHERE relation IN ('core.energy_15m'::regclass, 'core.sample'::regclass)");
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    my ($worker, @busy) = ($cluster->session('tidemark_worker', new => 1));
    open my $notes, '>', $cluster->home . '/compressor.log' or die "compressor.log: $!";
    $notes->autoflush(1);
    $worker->query('SET client_min_messages = error');    # small chunks shrink little
    while (1) {
        my ($row) = $worker->query('SELECT chunk, outcome FROM ops.columnstore_next(ARRAY[' . join(', ', map {"'$_'"} @busy) . ']::text[])');
        @busy = !$row ? () : $row->[1] eq 'busy' ? (@busy, $row->[0]) : @busy;
        print {$notes} "$row->[1]\n" if $row;
        sleep 0.2 if !$row;
    }
}

sub kill_soon {
    my ($pid) = @_;
    sleep 0.2 + rand 0.8;
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

# Follows and rates until nothing is left.
sub catch_up {
    my $worker = $cluster->session('tidemark_worker');
    my ($pid, $deadline) = (worker(), time + 300);
    sleep 0.05 while $worker->value('SELECT ops.rollup_is_due() OR ops.cost_is_due()') eq 't' && time < $deadline;
    kill KILL => $pid;
    waitpid $pid, 0;
    my $failed = $super->text("SELECT detail FROM ops.job_run WHERE name = 'costs' AND NOT is_ok AND detail <> 'never finished'");
    is $failed, '', 'every place can be rated' or diag Tidemark::Cluster::slurp($cluster->home . '/worker.log');
    is $super->value('SELECT count(*) FROM core.cost_dirty'), 0, 'and nothing is left to rate';
    return;
}

my @KEPT = (
    [ cost_day => 'tenant_id, site_id, device_id, day, zone, from_time, to_time, currency, import_nkwh, export_nkwh, cost, exported, once, by_period, is_known,'
        . ' is_priced, is_final, is_partly, n_missing, imports, exports, known' ],
    [ cost_device => '*' ], [ cost_calculation => '*' ]);

# Energy derived anew, of tenants with entries of counters among the others: nothing of it changes.
sub compare_energy {
    $super->query('CREATE SCHEMA test; CREATE TABLE test.energy_15m AS SELECT * FROM core.energy_15m e WHERE e.tenant_id % 4 = 0;'
            . ' SELECT core.derived_follow(array_agg(s.tenant_id), array_agg(s.id), array_agg(\'-infinity\'::timestamptz), array_agg(c.closed_until))'
            . ' FROM core.series s, core.rollup_state c WHERE s.tenant_id % 4 = 0');
    my @wrong = $super->query('SELECT tenant_id, series_id, bucket, k.nkwh, e.nkwh FROM test.energy_15m k FULL JOIN (SELECT * FROM core.energy_15m WHERE tenant_id % 4 = 0) e'
            . ' USING (tenant_id, series_id, bucket) WHERE k.nkwh IS DISTINCT FROM e.nkwh ORDER BY 1, 2, 3 LIMIT 6');
    is scalar @wrong, 0, 'energy: kept up and derived anew it is the same'
        or diag join "\n", "seed $SEED", map { "@{$_}[1 .. 4]\nafter: @{[join ', ', @{ $log{$_->[0]} // [] }]}" } map { [ map { $_ // 'none' } @{$_} ] } @wrong;
    cmp_ok $super->value('SELECT count(*) FROM core.meter_entry'), '>', $HISTORIES / 10, 'with entries of meters among it';
    return;
}

# What passes a site's meter in a day is, by the ledger, import less export; by the list of energy what
# the grid's meters say, where there are any (on days between those that they tell of, too), else
# consumption less generation. Of sites whose devices
# are all of one account, with days of their own zone.
sub compare_choice {
    $super->query(<<'SQL');
CREATE TABLE test.listed (tenant_id int, site_id int, day date, nkwh numeric);
DO $$
DECLARE
    place record;
BEGIN
    FOR place IN SELECT s.* FROM core.site s LOOP
        PERFORM set_config('tidemark.tenant_id', place.tenant_id::text, false);
        INSERT INTO test.listed
        SELECT place.tenant_id, place.id, (l.bucket AT TIME ZONE place.timezone)::date,
               1e9 * CASE WHEN l.grid_import_kwh IS NOT NULL OR l.grid_export_kwh IS NOT NULL AND l.consumption_kwh IS NULL
                            OR EXISTS (SELECT FROM core.device d JOIN core.series g ON g.device_id = d.id AND g.role = 'grid_import'
                                       JOIN core.energy_1d e ON e.series_id = g.id AND e.tenant_id = g.tenant_id WHERE d.site_id = place.id
                                       GROUP BY d.id HAVING min(e.bucket) < l.bucket AND max(e.bucket) > l.bucket)
                          THEN coalesce(l.grid_import_kwh, 0) - coalesce(l.grid_export_kwh, 0)
                          WHEN l.grid_export_kwh IS NOT NULL THEN NULL    -- by the quarter hour
                          WHEN l.consumption_kwh IS NOT NULL
                          THEN l.consumption_kwh - coalesce(l.generation_kwh, 0) ELSE 0 END
        FROM api.energy_list('1d', NULL, place.key, NULL, now() - interval '50 days', now(), 100) l;
    END LOOP;
END
$$
SQL
    my $days = "FROM core.cost_day c JOIN core.site s ON s.tenant_id = c.tenant_id AND s.id = c.site_id AND s.timezone = c.zone LEFT JOIN test.listed l ON (l.tenant_id, l.site_id, l.day) = (c.tenant_id, c.site_id, c.day)"
        . ' WHERE c.device_id = 0 AND NOT EXISTS (SELECT FROM core.cost_day o WHERE o.tenant_id = c.tenant_id AND o.site_id = c.site_id AND o.device_id <> 0)';
    my $passed = '(SELECT coalesce(sum(u.i - u.e), 0) FROM unnest(c.imports, c.exports) u (i, e))';
    my @wrong = $super->query("SELECT c.tenant_id, c.site_id, c.day, $passed, l.nkwh $days AND $passed <> coalesce(l.nkwh, 0) AND (l.day IS NULL OR l.nkwh IS NOT NULL) ORDER BY 1, 2, 3 LIMIT 6");
    is scalar @wrong, 0, 'the ledger and the list of energy choose the same series'
        or diag join "\n", "seed $SEED", map { "@{[map { $_ // 'none' } @{$_}]}\nafter: @{[join ', ', @{ $log{$_->[0]} // [] }]}" } @wrong;
    cmp_ok $super->value("SELECT count(*) $days AND l.nkwh <> 0"), '>', $HISTORIES, 'on many days';
    return;
}

# The stamp and the ledger of each tenant.
sub stamps {
    my $ledger = join ' UNION ALL ', map {"SELECT k.tenant_id, k::text AS line FROM core.$_ k"} qw(cost_day cost_device);
    return map { ($_->[0] => [ @{$_}[1, 2] ]) } $super->query("SELECT x.tenant_id, x.n, md5(string_agg(l.line, '|' ORDER BY l.line)) FROM (SELECT tenant_id, sum(n) AS n FROM core.cost_stamp GROUP BY 1) x"
            . " LEFT JOIN ($ledger) l USING (tenant_id) GROUP BY 1, 2");
}

# Whoever kept what the ledger had under a stamp, has what it has while the stamp is the same.
sub compare_stamps {
    my ($before, $after) = @_;
    my @same = grep { $before->{$_} && $before->{$_}[0] eq $after->{$_}[0] } sort keys %{$after};
    my @wrong = grep { ($before->{$_}[1] // '') ne ($after->{$_}[1] // '') } @same;
    is "@wrong", '', 'what the ledger has is the same while its stamp is' or diag "seed $SEED";
    cmp_ok scalar @same, '<', keys %{$after}, 'which changes';
    return;
}

# What differs between the ledger and one that is made from the beginning. That may begin later, where
# the first energy was taken away: what it has not, must be without energy.
sub compare {
    $super->query(join ';', map {"CREATE TABLE test.$_->[0] AS SELECT $_->[1] FROM core.$_->[0]"} @KEPT);
    $super->query('TRUNCATE core.cost_day, core.cost_device, core.cost_calculation, core.cost_place, core.cost_dirty; INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)'
            . " SELECT t.id, unnest(core.cost_places(t.id, NULL, NULL)), '-infinity', 'infinity', true FROM core.tenant t");
    catch_up();
    $super->query('CREATE VIEW test.span AS SELECT tenant_id, site_id, device_id, min(day) AS first FROM core.cost_day GROUP BY 1, 2, 3;'
            . ' CREATE VIEW test.last AS SELECT least((SELECT max(day) FROM core.cost_day), (SELECT max(day) FROM test.cost_day)) - 1 AS day');
    for my $table (@KEPT) {
        my ($name, $columns) = @{$table};
        my @wrong = $super->query("WITH kept AS (SELECT k.* FROM test.$name k LEFT JOIN test.span s USING (tenant_id, site_id, device_id) WHERE k.day < (SELECT day FROM test.last)"
                . " AND (k.day >= s.first OR s.first IS NULL)), anew AS (SELECT $columns FROM core.$name WHERE day < (SELECT day FROM test.last)), other AS ("
                . " (SELECT 'kept' AS what, x.* FROM (SELECT * FROM kept EXCEPT SELECT * FROM anew) x) UNION ALL (SELECT 'anew', x.* FROM (SELECT * FROM anew EXCEPT SELECT * FROM kept) x))"
                . ' SELECT tenant_id, what, left(other::text, 600) FROM other ORDER BY tenant_id, day, what LIMIT 6');
        is scalar @wrong, 0, "$name: kept up and made anew it is the same"
            or diag join "\n", "seed $SEED", map { my ($n, @said) = @{$_}; "@said\nafter: @{[join ', ', @{ $log{$n} // [] }]}" } @wrong;
    }
    is $super->value('SELECT count(*) FROM test.cost_day k LEFT JOIN test.span s USING (tenant_id, site_id, device_id)'
            . ' WHERE k.day < s.first AND (k.import_nkwh <> 0 OR k.export_nkwh <> 0)'), 0, 'days before it have no energy';
    return;
}

# Each counter's energy is what it counted, to what its register shows.
sub compare_counters {
    my %kept = map { ($_->[0] => $_->[1]) } $super->query("SELECT e.tenant_id, sum(e.nkwh) / 1000000 FROM core.energy_15m e JOIN core.series s ON s.id = e.series_id AND s.kind = 'counter'"
            . ' GROUP BY e.tenant_id');
    my @wrong = grep { $_ % 4 && abs(($kept{$_} // 0) - $counter{$_}{truth}) > 10 * (1 + $counter{$_}{resets}) } sort keys %counter;
    is scalar @wrong, 0, 'counters that were reset, silent, repeated and out of order come to what they counted'
        or diag map {"tenant $_: $kept{$_} Wh instead of $counter{$_}{truth}, $counter{$_}{resets} resets\n"} @wrong;
    return;
}

# ---- the test ----

Tidemark::Cluster->each_engine(sub {
    ($cluster) = @_;
    srand $SEED;
    (%log, %zone, %counter) = ();
    diag "TIDEMARK_COST_SEED=$SEED TIDEMARK_HISTORIES=$HISTORIES" if $ENV{TIDEMARK_HISTORIES};
    note "TIDEMARK_COST_SEED=$SEED";
    $super = $cluster->session('tidemark_super');
    populate();
    my $compressor = $cluster->engine eq 'timescaledb' ? compressor() : 0;
    edit($_, 'a schedule', 'an assignment', 'prices', map { pick(@EDITS) } 1 .. $EDITS) for 1 .. $HISTORIES;
    kill_soon(worker());
    catch_up();
    my %stamps = stamps();
    send_counters(0.5);
    my $worker = worker();
    edit($_, map { pick(@EDITS) } 1 .. $EDITS) for 1 .. $HISTORIES;
    kill_soon($worker);
    send_counters(1);
    catch_up();
    if ($compressor) {
        is waitpid($compressor, WNOHANG), 0, 'chunks were compressed all the while';
        kill KILL => $compressor;
        waitpid $compressor, 0;
        my $n = () = Tidemark::Cluster::slurp($cluster->home . '/compressor.log') =~ /^recompressed$/mg;
        cmp_ok $n, '>', 10, "$n times one that had changed";
    }
    cmp_ok $super->value('SELECT count(DISTINCT tenant_id) FROM core.cost_calculation'), '>', $HISTORIES / 4, 'many tenants pay something';
    compare_stamps(\%stamps, { stamps() });
    compare_counters();
    compare_energy();
    compare_choice();
    compare();
    return;
});

done_testing;
