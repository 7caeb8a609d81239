package Tidemark::BenchIngest;

# How fast readings are taken: one by one and in batches, new ones, late ones and duplicates, each
# beside what PostgreSQL does with the same rows when they are given to it by hand; how late answers
# are at a given rate, with pages asked for meanwhile; what ingest's memory comes to. Functions of a
# Tidemark::Bench; see there.

use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(time);
use Tidemark::Bench;
use Tidemark::Processes;
use Tidemark::Stack;

my $METRICS = 3;
my $SENDERS = 2;
my $COPY_ROWS = 500_000;    # of each connection

sub row { return Tidemark::Bench::row(@_) }

# ---- one by one ----

sub single_events {
    my ($bench) = @_;
    $bench->start_echo;
    my (@single, @echo, @threads, @p99, @ratio, @by_threads);
    for (1 .. $bench->{runs}) {
        my $floor = $bench->load_events('--path', '/bench/echo', '--metrics', $METRICS, '--connections', 64);
        my $answer = $bench->load_events('--path', '/v1/event', '--metrics', $METRICS, '--connections', 64);
        my $libfcgi = $bench->load_events('--path', '/bench/echo-threads', '--metrics', $METRICS, '--connections', 64);
        push @echo, $floor->{rps};
        push @threads, $libfcgi->{rps};
        push @by_threads, $answer->{rps} / $libfcgi->{rps};
        push @single, $answer->{rps};
        push @p99, $answer->{p99_ms};
        push @ratio, $answer->{rps} / $floor->{rps};
    }
    return (row('single durable events of 3 metrics, 64 connections', 'events/s', '%.0f', @single),
        row('  their p99', 'ms', '%.1f', @p99),
        row('  echo behind the same nginx', 'requests/s', '%.0f', @echo),
        row('  events / echo', 'ratio', '%.2f', @ratio),
        row('  echo by libfcgi, a thread for each connection', 'requests/s', '%.0f', @threads),
        row('  events / echo by libfcgi', 'ratio', '%.2f', @by_threads));
}

# At 5,000 events a second, of devices that are known, and, by one reader, five pages.
sub offered {
    my ($bench) = @_;
    my $cookie = $bench->session_cookie;
    my @events = ('--path', '/v1/event', '--metrics', $METRICS, '--connections', 64, '--label', 'offered');
    my (@p99, @page);
    $bench->load_events(@events);
    for (1 .. $bench->{runs}) {
        my $reader = $bench->begin_load('--get', '--path', '/', '--cookie', $cookie, '--connections', 1, '--rate', 5);
        my $answer = $bench->load_events(@events, '--base-ms', now_ms(), '--rate', 5000);
        push @p99, $answer->{p99_ms};
        push @page, $bench->end_load($reader)->{p99_ms};
    }
    return (row('at 5,000 single events/s: p99 of the durable answer', 'ms', '%.1f', @p99),
        row('  p99 of the overview meanwhile', 'ms', '%.1f', @page));
}

# Of 100,000 devices in turn, as many as will go, what each message costs whom, and what stops it:
# 20,000 a second would be each device every five seconds.
sub fleet {
    my ($bench) = @_;
    my $devices = 100_000;
    my (@rate, @p99, %cpu);
    register($bench, 'fleet', $devices);
    for (1 .. $bench->{runs}) {
        my %before = map { $_ => $bench->cpu_of($_) } qw(nginx ingest postgres);
        my ($busy, $all) = machine();
        my $answer = $bench->load_events('--path', '/v1/event', '--metrics', $METRICS, '--connections', 256,
            '--devices', $devices, '--label', 'fleet', '--base-ms', now_ms());
        my ($busy_after, $all_after) = machine();
        push @rate, $answer->{rps};
        push @p99, $answer->{p99_ms};
        push @{ $cpu{$_} }, 1e6 * ($bench->cpu_of($_) - $before{$_}) / $answer->{requests} for keys %before;
        push @{ $cpu{machine} }, 100 * ($busy_after - $busy) / ($all_after - $all);
    }
    return (row('fleet: messages of 100,000 devices in turn, 256 connections', 'messages/s', '%.0f', @rate),
        row('  by the 20,000 wanted', 'ratio', '%.2f', map { $_ / 20_000 } @rate),
        row('  their p99', 'ms', '%.1f', @p99),
        (map { row("  CPU of $_", 'µs each', '%.0f', @{ $cpu{$_} }) } qw(nginx ingest postgres)),
        row('  processors busy, with the load generator', '%', '%.0f', @{ $cpu{machine} }),
        stopped_by(\@rate, \%cpu));
}

# A part that is one thread is stopped by its own processor, all together by there being no more of
# them; else what they wait for, the disk at each commit.
sub stopped_by {
    my ($rate, $cpu) = @_;
    my %cores = map { my $part = $_; ($part => [map { $rate->[$_] * $cpu->{$part}[$_] / 1e4 } 0 .. $#$rate]) } qw(nginx ingest postgres);
    my ($most) = sort { Tidemark::Bench::median(@{ $cores{$b} }) <=> Tidemark::Bench::median(@{ $cores{$a} }) } keys %cores;
    my $what = Tidemark::Bench::median(@{ $cores{nginx} }) > 90 ? 'nginx, which is one thread'
        : Tidemark::Bench::median(@{ $cpu->{machine} }) > 90 ? "the processors, most by $most"
        : "commits' waits for the disk";
    return row("  stopped by $what; $most takes", '% of one', '%.0f', @{ $cores{$most} });
}

# Ticks of the processors: busy, and all.
sub machine {
    my ($user, $nice, $system, $idle, $wait, @other) = (split ' ', Tidemark::Stack::slurp('/proc/stat') =~ /^cpu +([^\n]*)/ ? $1 : '')[0 .. 7];
    my $busy = $user + $nice + $system;
    $busy += $_ for @other;
    return ($busy, $busy + $idle + $wait);
}

sub now_ms { return sprintf '%.0f', time * 1000 }

# Makes devices PREFIX-000000, … of the metrics of the load generator known; devices a second.
sub register {
    my ($bench, $prefix, $devices) = @_;
    my $metrics = join ',', map {qq("m${_}_w":$_)} 0 .. $METRICS - 1;
    my $begin = time;
    for (my $first = 0; $first < $devices; $first += 1000) {
        my @events = map { sprintf '{"device":"%s-%06d","metrics":{%s}}', $prefix, $_, $metrics } $first .. $first + 999;
        my $answer = $bench->{stack}->post('/v1/events/batch', '[' . join(',', @events) . ']', token => $bench->{token});
        die "$prefix: $answer->{status}\n" if $answer->{status} != 200;
    }
    return $devices / (time - $begin);
}

# Likewise, each series with labels of 300 bytes.
sub register_labelled {
    my ($bench, $prefix, $devices) = @_;
    my $tags = join ',', map { sprintf 'label%d=%s', $_, 'x' x 38 } 1 .. 6;    # 6 * (6 + 38 + 6) as JSON
    my $fields = join ',', map {"m${_}_w=$_"} 0 .. $METRICS - 1;
    my $begin = time;
    for (my $first = 0; $first < $devices; $first += 1000) {
        my $lines = join "\n", map { sprintf 'reading,device=%s-%06d,%s %s', $prefix, $_, $tags, $fields } $first .. $first + 999;
        my $answer = $bench->{stack}->post('/write?db=bench', $lines, token => $bench->{token});
        die "$prefix: $answer->{status}\n" if $answer->{status} !~ /^2/;
    }
    return $devices / (time - $begin);
}

# ---- batches ----

# Runs the script by so many psql at once; seconds.
sub by_hand {
    my ($stack, @scripts) = @_;
    my $begin = time;
    my @pids = map { my $script = $_; my $pid = fork // die "fork: $!"; if (!$pid) { $stack->sql($script); POSIX::_exit(0) } $pid } @scripts;
    for my $pid (@pids) {
        waitpid $pid, 0;
        die "by hand: a connection failed\n" if $?;
    }
    return time - $begin;
}

# Rows of one tenant for each connection: bench_rows1, …
sub make_rows {
    my ($bench) = @_;
    my @tenants = map { 2_000_000_000 + ++$bench->{n_loads} } 1 .. $SENDERS;
    for my $i (0 .. $#tenants) {
        $bench->{stack}->sql("DROP TABLE IF EXISTS bench_rows$i; CREATE UNLOGGED TABLE bench_rows$i AS SELECT $tenants[$i] AS tenant_id,"
            . " 1 + i / 1000 AS series_id, now() + i % 1000 * interval '1 ms' AS time, i::float8 AS value FROM generate_series(0, $COPY_ROWS - 1) i");
    }
    return;
}

# Rows per second of binary COPY into core.sample on two connections, from files made beforehand.
sub copy_rows {
    my ($bench) = @_;
    my $stack = $bench->{stack};
    make_rows($bench);
    my @files = map {"$stack->{home}/run/bench$_.copy"} 0 .. $SENDERS - 1;
    $stack->sql("COPY bench_rows$_ TO '$files[$_]' (FORMAT binary)") for 0 .. $#files;
    my $seconds = by_hand($stack, map {"COPY core.sample (tenant_id, series_id, time, value) FROM '$_' (FORMAT binary)"} @files);
    unlink @files;
    return $SENDERS * $COPY_ROWS / $seconds;
}

# The same rows once more, all duplicates, or so much earlier, all new but late: sorted arrays of as many
# rows as a batch has, by INSERT … SELECT FROM unnest … ON CONFLICT DO NOTHING, each in a transaction.
sub conflict_rows {
    my ($bench, $earlier) = @_;
    my $size = 1000 * $METRICS;
    my $seconds = by_hand($bench->{stack}, map { <<"SQL" } 0 .. $SENDERS - 1);
DO \$\$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT array_agg(r.tenant_id) AS tenants, array_agg(r.series_id) AS series,
                       array_agg(r.time - interval '$earlier') AS times,
                       array_agg(r.value) AS values
                FROM (SELECT b.*, (row_number() OVER () - 1) / $size AS n FROM bench_rows$_ b) r GROUP BY r.n LOOP
        INSERT INTO core.sample (tenant_id, series_id, time, value)
        SELECT * FROM unnest(part.tenants, part.series, part.times, part.values) AS x (t, s, at, v) ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING;
        COMMIT;
    END LOOP;
END
\$\$
SQL
    return $SENDERS * $COPY_ROWS / $seconds;
}

# Rows a second of batches, and our CPU for them by PostgreSQL's.
sub batch {
    my ($bench, @options) = @_;
    my %before = map { $_ => $bench->cpu_of(@{ parts($_) }) } qw(ours postgres);
    my $answer = $bench->load_events('--metrics', $METRICS, '--connections', $SENDERS, @options);
    my %cpu = map { $_ => $bench->cpu_of(@{ parts($_) }) - $before{$_} } qw(ours postgres);
    return ($answer->{rows_per_s}, 1e6 * $cpu{ours} / $answer->{rows}, $cpu{ours} / $cpu{postgres});
}

sub parts { return $_[0] eq 'ours' ? ['nginx', 'ingest'] : ['postgres'] }

sub batches {
    my ($bench) = @_;
    my (@copy, @conflict, @late, %rate, %cpu, %by, %ratio);
    my @json = ('--path', '/v1/events/batch', '--events', 1000);
    my @lines = ('--path', '/write?db=bench&precision=ms', '--lines', '--events', 10_000);
    for (1 .. $bench->{runs}) {
        my $copy = copy_rows($bench);
        my $conflict = conflict_rows($bench, '0 seconds');
        my $late = conflict_rows($bench, '2 hours');
        push @copy, $copy;
        push @conflict, $conflict;
        push @late, $late;
        $bench->load_events('--metrics', $METRICS, '--connections', $SENDERS, @json, '--label', "late-$_", '--seconds', 0.5);
        my @earlier = ('--label', "late-$_", '--base-ms', now_ms() - 7_200_000);
        for my $way ([json => $copy, @json], [lines => $copy, @lines], [again => $conflict, @json, '--same'], [late => $late, @json, @earlier]) {
            my ($name, $floor, @options) = @$way;
            my ($rate, $cpu, $by) = batch($bench, @options);
            push @{ $rate{$name} }, $rate;
            push @{ $cpu{$name} }, $cpu;
            push @{ $by{$name} }, $by;
            push @{ $ratio{$name} }, $rate / $floor;
        }
    }
    my @faster = map { $rate{lines}[$_] / $rate{json}[$_] } 0 .. $#{ $rate{json} };
    return (row('raw binary COPY, same table, two connections', 'rows/s', '%.0f', @copy),
        row('batches: 1,000 events of 3 metrics, two senders', 'rows/s', '%.0f', @{ $rate{json} }),
        row('  batches / COPY (0.6 at least)', 'ratio', '%.2f', @{ $ratio{json} }),
        row('  CPU of nginx and ingest', 'µs/row', '%.2f', @{ $cpu{json} }),
        row('  by that of PostgreSQL (0.4 at most)', 'ratio', '%.2f', @{ $by{json} }),
        row('line protocol: 10,000 lines of 3 fields', 'rows/s', '%.0f', @{ $rate{lines} }),
        row('  lines / JSON (1 at least)', 'ratio', '%.2f', @faster),
        row('  CPU of nginx and ingest', 'µs/row', '%.2f', @{ $cpu{lines} }),
        row('duplicates by hand: unnest … ON CONFLICT, two connections', 'rows/s', '%.0f', @conflict),
        row('batches of duplicates', 'rows/s', '%.0f', @{ $rate{again} }),
        row('  batches / by hand (0.7 at least)', 'ratio', '%.2f', @{ $ratio{again} }),
        row('new rows of two hours ago by hand, likewise', 'rows/s', '%.0f', @late),
        row('batches of such, all late', 'rows/s', '%.0f', @{ $rate{late} }),
        row('  batches / by hand (0.7 at least)', 'ratio', '%.2f', @{ $ratio{late} }));
}

# ---- memory ----

# Ingest's memory when it has seen 100,000 devices of three metrics with long labels, all of them
# within the time that its caches keep them.
sub known {
    my ($bench) = @_;
    my $rate = register_labelled($bench, 'known', 100_000);
    $bench->load_events('--path', '/v1/events/batch', '--events', 1000, '--metrics', $METRICS, '--connections', 8);
    my ($pid) = Tidemark::Processes::part($bench->{stack}, 'ingest');
    my ($kib) = Tidemark::Stack::slurp("/proc/$pid/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
    return (row('ingest with 300,000 series of 100,000 devices, labels of 300 bytes (128 at most)', 'MiB', '%.1f', $kib / 1024),
        row('  new devices of 3 series', 'devices/s', '%.0f', $rate));
}

1;
