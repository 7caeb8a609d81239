package Tidemark::BenchPages;

# How fast pages are over a filled installation: 100 tenants of 10 devices of 10 metrics, 1,000
# samples a series over 90 days (a device in ten tells every five minutes, the others every half
# day) and 500 events a tenant. Samples go in by SQL and are derived by the worker's own function.
# Once the worker has come to rest, four clients, persons of different tenants, ask for one page after
# another: warm, and each tenant's first page after PostgreSQL was started again. Each figure that has a limit says whether
# it holds; the CPU time of a page says how much of a latency is the neighbours' on a machine that is
# busy otherwise. --small is a hundredth of it.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes qw(time);
use Tidemark::Bench;
use Tidemark::Processes;
use Tidemark::Stack;

my @PAGES = ('/', '/devices', '/events', map {"/devices/d3?range=$_"} qw(24h 7d 30d));
my $DAYS = 90;
my %METRIC = (energy_kwh => '0.02', power_w => '240 + 200 * sin(n / 40.0)', generation_kwh => '0.03',
    generation_w => 'greatest(0, 3000 * sin(n / 46.0))', voltage_v => '230 + sin(n)', current_a => '2 + sin(n)',
    temperature_c => '20 + 5 * sin(n / 46.0)', humidity_pct => '50 + sin(n / 7.0)', frequency_hz => '50 + sin(n) / 20',
    battery_pct => '50 + 40 * sin(n / 60.0)');

sub pages {
    my ($option) = @_;
    my $tenants = $option->{small} ? 8 : 100;
    my $per_series = $option->{small} ? 125 : 1000;
    my $stack = Tidemark::Stack->start(engine => $option->{engine}, timeout => 120, disk => 1);
    my $filled = fill($stack, $tenants, $per_series);
    my $derived = derive($stack);
    tidy($stack, $option->{engine});
    my @rows = ({ name => 'rollups and energy of ' . $stack->sql('SELECT count(*) FROM core.sample') . ' samples', unit => 'samples/s',
            value => sprintf('%.0f', $filled / $derived), spread => sprintf('%.0f s', $derived) });
    push @rows, closing($stack);
    settle($stack);
    my %warm = map { ($_ => load($stack, $_, $tenants, $option->{seconds})) } @PAGES;
    my %cold = cold($stack, $tenants);
    push @rows, page_rows($stack, $_, $warm{$_}, $cold{$_}) for @PAGES;
    print STDERR statements($stack) if $option->{statements};
    return @rows;
}

# The figures of a page.
sub page_rows {
    my ($stack, $page, $answer, $cold_ms) = @_;
    my $kb = wire_bytes($stack, $page) / 1000;
    return map { { name => "$page $_->[0]", unit => $_->[1], value => sprintf('%.1f', $_->[2]), spread => $_->[3] } }
        ['p50 warm, 4 clients', 'ms', $answer->{p50_ms}, 'aim 10'],
        ['p99 warm', 'ms', $answer->{p99_ms}, judged($answer->{p99_ms}, 25)],
        ['p99 cold', 'ms', $cold_ms, judged($cold_ms, 100)],
        ['over the wire', 'KB', $kb, judged($kb, 50)],
        ['CPU of the web processes', 'ms/page', $answer->{web_cpu_ms}, ''],
        ['CPU of PostgreSQL', 'ms/page', $answer->{postgres_cpu_ms}, sprintf('load average %.1f', $answer->{load_average})];
}

sub judged { return "at most $_[1]: " . ($_[0] <= $_[1] ? 'holds' : 'MISSED') }

# Of the last minute; two cores are busy at 2.
sub load_average { return (split ' ', Tidemark::Stack::slurp('/proc/loadavg'))[0] }

# ---- filling ----

# Tenants with a person and a session each ("bench-N" is the secret), sites, devices, series.
sub fill_inventory {
    my ($stack, $tenants) = @_;
    my @metrics = sort keys %METRIC;
    my $names = join ', ', map {"'$_'"} @metrics;
    $stack->sql(<<"SQL");
SELECT ops.tenant_add('bench' || t, 'Bench ' || t, 'Europe/Berlin', 'EUR'), ops.site_put('bench' || t, 'roof', NULL, NULL)
FROM generate_series(1, $tenants) t;
INSERT INTO core.device (tenant_id, key, name, site_id, last_seen)
SELECT s.tenant_id, 'd' || d, 'Device ' || d, s.id, now() FROM core.site s, generate_series(1, 10) d ORDER BY 1, 2;
INSERT INTO core.series (tenant_id, device_id, metric, unit, kind, role)
SELECT d.tenant_id, d.id, m, g.unit, g.kind, g.role
FROM core.device d, unnest(ARRAY[$names]) m, core.series_guess(m) g ORDER BY 1, 2, 3;
INSERT INTO core.person (email, name, password_hash)
SELECT 'bench' || t.id || '\@example.org', 'Person', '-' FROM core.tenant t;
INSERT INTO core.membership (tenant_id, person_id, role)
SELECT t.id, p.id, 'admin' FROM core.tenant t JOIN core.person p ON p.email = 'bench' || t.id || '\@example.org';
INSERT INTO core.session (hash, person_id, tenant_id, idle_days, expires_at)
SELECT sha256(convert_to('bench-' || m.tenant_id, 'UTF8')), m.person_id, m.tenant_id, 7, now() + interval '1 day' FROM core.membership m;
SQL
    return;
}

# Samples and events; returns how many samples. `n` counts those of a series.
sub fill {
    my ($stack, $tenants, $per_series) = @_;
    fill_inventory($stack, $tenants);
    my $many = int($per_series * 8.64);          # of the device that tells often
    my $few = int(($per_series * 10 - $many) / 9);
    my $value = join ' ', map {"WHEN '$_' THEN $METRIC{$_}"} sort keys %METRIC;
    $stack->sql("SELECT api.partitions_ensure(now() - interval '$DAYS days', now())");
    # with the time first, so that a partition after the other is filled
    $stack->sql(<<"SQL");
SET synchronous_commit = off;
INSERT INTO core.sample (tenant_id, series_id, time, value)
SELECT s.tenant_id, s.id, x.time, CASE s.metric $value END
FROM (SELECT date_trunc('minute', now()) - n * interval '5 minutes' AS time, n, true AS is_often FROM generate_series(1, $many) n
      UNION ALL SELECT date_trunc('minute', now()) - n * (interval '$DAYS days' / $few), n, false FROM generate_series(1, $few) n
      ORDER BY 1) x
JOIN core.device d ON (d.key = 'd3') = x.is_often
JOIN core.series s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
SQL
    $stack->sql(<<"SQL");
INSERT INTO core.series_last (tenant_id, series_id, time, value)
SELECT s.tenant_id, s.id, l.time, l.value FROM core.series s,
LATERAL (SELECT p.time, p.value FROM core.sample p WHERE p.tenant_id = s.tenant_id AND p.series_id = s.id ORDER BY p.time DESC LIMIT 1) l
ON CONFLICT DO NOTHING;
INSERT INTO core.event (tenant_id, time, key, device_id, site_id, type, seq, data)
SELECT d.tenant_id, now() - n * interval '4 hours', gen_random_uuid(), d.id, d.site_id,
       (ARRAY['alarm', 'door', 'job', 'state'])[1 + n % 4], n, jsonb_build_object('n', n, 'text', 'state ' || n % 7)
FROM generate_series(1, 500) n JOIN core.device d ON d.key = 'd' || 1 + n % 10;
INSERT INTO core.rollup_dirty (tenant_id, series_id, from_time, to_time)
SELECT s.tenant_id, s.id, '-infinity', c.closed_until FROM core.series s, core.rollup_state c ON CONFLICT DO NOTHING;
SQL
    return $stack->sql('SELECT count(*) FROM core.sample');
}

# Derives what is queued, beside the worker, which does the same; seconds. In steps larger than the
# worker's, for each is a session of its own, which makes its plans first.
sub derive {
    my ($stack) = @_;
    my $begin = time;
    my $is_done = 'f';
    $is_done = $stack->sql('SELECT is_done FROM ops.rollup_follow(200000)') until $is_done eq 't';
    return time - $begin;
}

sub tidy {
    my ($stack, $engine) = @_;
    if ($engine eq 'timescaledb') {
        1 while $stack->sql("SELECT * FROM ops.columnstore_next('{}')");
    }
    $stack->sql('VACUUM ANALYZE');
    $stack->cli('archive', 'run');    # at once: the worker rests between
    $stack->sql('CHECKPOINT');
    return;
}

# Waits until the worker has done what there is to do at its start and of so much that is new.
sub settle {
    my ($stack) = @_;
    my $since = time;
    my $until = $since + 600;
    my $quiet = 0;
    $stack->sql('DELETE FROM ops.job_run');    # all is due at the start
    $stack->stop;
    $stack->run;
    while ($quiet < 10) {
        die "the worker has not come to rest\n" if time > $until;
        my $busy = $stack->sql(<<"SQL");
SELECT count(*) FROM ops.job j
WHERE NOT EXISTS (SELECT FROM ops.job_run r WHERE r.name = j.name AND r.is_ok AND r.started_at > to_timestamp($since))
   OR EXISTS (SELECT FROM ops.job_run r WHERE r.name = j.name AND r.finished_at IS NULL)
SQL
        $quiet = $busy ? 0 : $quiet + 1;
        select undef, undef, undef, 0.3;    # between two looks
    }
    return;
}

# A quarter hour of all series is closed, with which no hour ends, and one with which one does: every
# series has told a value since.
sub closing {
    my ($stack) = @_;
    my %until = ('a quarter hour' => "- interval '15 minutes'", 'the last quarter of an hour' => '');
    my @rows;
    for my $name (sort keys %until) {
        my @seconds;
        for my $run (1 .. 3) {
            my $begin = time;
            $stack->sql(<<"SQL");
BEGIN;
SELECT core.rollup_lock();
UPDATE core.rollup_state s SET closing_until = x.until, closed_until = x.until - interval '15 minutes'
FROM (SELECT date_trunc('hour', closed_until, 'UTC') $until{$name} AS until FROM core.rollup_state) x;
SELECT ops.rollup_close_finish();
ROLLBACK;
SQL
            push @seconds, time - $begin;
        }
        push @rows, { name => "closing $name of all series", unit => 's', value => sprintf('%.2f', (sort { $a <=> $b } @seconds)[1]),
            spread => 'below 1' };
    }
    return @rows;
}

# ---- asking ----

sub cookie { return "tidemark_session=bench-$_[0]" }

# The tenants that the clients are persons of.
sub chosen {
    my ($tenants) = @_;
    return map { 1 + int($_ * $tenants / 4) } 0 .. 3;
}

# Asks for a page for so long: what the load generator says, and the CPU that a page took.
sub load {
    my ($stack, $page, $tenants, $seconds) = @_;
    my @command = ("$Tidemark::Stack::ROOT/build/tests/bench/load", '--get', '--gzip', '--port', $stack->{port}, '--path', $page,
        '--connections', 4, map { ('--cookie', cookie($_)) } chosen($tenants));
    my %cpu = (web_cpu_ms => [Tidemark::Processes::part($stack, 'web')],
        postgres_cpu_ms => [Tidemark::Processes::part($stack, 'postgres')]);
    my $answer;
    for my $length (1, $seconds) {               # the first warms up
        my %before = map { ($_ => Tidemark::Bench::cpu_seconds(@{ $cpu{$_} })) } keys %cpu;
        open my $out, '-|', @command, '--seconds', $length or die "@command: $!";
        $answer = decode_json(join '', <$out>);
        close $out;
        die "$page: $answer->{errors} failed requests, status $answer->{bad_status}\n" if $answer->{errors};
        $answer->{$_} = 1000 * (Tidemark::Bench::cpu_seconds(@{ $cpu{$_} }) - $before{$_}) / $answer->{requests} for keys %cpu;
    }
    $answer->{load_average} = load_average();
    return $answer;
}

sub wire_bytes {
    my ($stack, $page) = @_;
    my $answer = HTTP::Tiny->new->get($stack->url($page), { headers => { Cookie => cookie(1), 'Accept-Encoding' => 'gzip' } });
    die "$page: $answer->{status}\n" if $answer->{status} != 200;
    return length $answer->{content};
}

# Of every page the slowest but one in a hundred, of one tenant each after a restart of PostgreSQL.
sub cold {
    my ($stack, $tenants) = @_;
    my %slow;
    for my $page (@PAGES) {
        $stack->stop;
        $stack->run;
        my $http = HTTP::Tiny->new;
        my @ms;
        for my $tenant (1 .. $tenants) {
            my $begin = time;
            my $answer = $http->get($stack->url($page), { headers => { Cookie => cookie($tenant), 'Accept-Encoding' => 'gzip' } });
            die "$page: $answer->{status}\n" if $answer->{status} != 200;
            push @ms, (time - $begin) * 1000;
        }
        @ms = sort { $a <=> $b } @ms;
        $slow{$page} = $ms[ int($#ms * 0.99) ];
    }
    return %slow;
}

# What took longest in the database, for --statements.
sub statements {
    my ($stack) = @_;
    return join "\n", '', $stack->sql(<<'SQL'), '';
SELECT format('%8s calls %9s ms  %s', calls, round(mean_exec_time::numeric, 2), left(regexp_replace(query, '\s+', ' ', 'g'), 140))
FROM public.pg_stat_statements WHERE calls > 20 ORDER BY mean_exec_time * calls DESC LIMIT 40
SQL
}

1;
