package Tidemark::Bench;

# The measurements of `make bench`. Each returns rows {name, value, unit, spread} for the table:
# medians of the asked number of runs, taken alternately with what they are compared to.

use strict;
use warnings;
use JSON::PP;
use Time::HiRes qw(time);
use Tidemark::Browser;
use Tidemark::Processes;
use Tidemark::Stack;

my $TENANT = 'bench';

sub new {
    my ($class, %option) = @_;
    my $self = bless { %option }, $class;
    my $start = time;
    $self->{stack} = Tidemark::Stack->start(engine => $option{engine}, demo => 1, timeout => 120);
    $self->{first_start} = time - $start;
    $self->{stack}->cli('tenant', 'add', $TENANT);
    $self->{token} = $self->{stack}->token($TENANT, 'device');
    $self->{tools} = "$Tidemark::Stack::ROOT/build/tests/bench";
    return $self;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

sub row {
    my ($name, $unit, $format, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    return { name => $name, unit => $unit, value => sprintf($format, median(@values)),
        spread => @values > 1 ? sprintf("$format … $format", @sorted[0, -1]) : '' };
}

# Runs the load generator; dies when a request failed.
sub load {
    my ($self, @options) = @_;
    my @command = ("$self->{tools}/load", '--port', $self->{stack}{port}, '--seconds', $self->{seconds}, @options);
    open my $out, '-|', @command or die "@command: $!";
    my $answer = decode_json(join '', <$out>);
    close $out;
    die "$answer->{errors} failed requests, status $answer->{bad_status}: @options\n" if $answer->{errors};
    return $answer;
}

# Load with readings as devices send them: of now, of devices that no other run has used.
sub load_events {
    my ($self, @options) = @_;
    return $self->load('--token', $self->{token}, '--label', 'run-' . ++$self->{n_loads},
        '--base-ms', sprintf('%.0f', (time - 60) * 1000), @options);
}

# ---- processes ----

# Pids of `tidemark serve` with its children and of `tidemark worker`.
sub our_pids {
    my ($self) = @_;
    return map { Tidemark::Processes::part($self->{stack}, $_) } 'serve', 'worker';
}

# CPU seconds that the processes have used.
sub cpu_seconds {
    my $ticks = 0;
    for my $pid (@_) {
        my $stat = Tidemark::Stack::slurp("/proc/$pid/stat") =~ s/.*\) //sr;
        $ticks += $_ for (split ' ', $stat)[11, 12];
    }
    return $ticks / 100;
}

# ---- figures ----

sub start_to_first_2xx {
    my ($self) = @_;
    my @seconds;
    for (1 .. $self->{runs}) {
        $self->{stack}->stop;
        my $start = time;
        $self->{stack}->run;
        push @seconds, time - $start;
    }
    return (row('first start, cluster made and demo seeded', 's', '%.2f', $self->{first_start}),
        row('start to first 2xx, data there', 's', '%.2f', @seconds));
}

sub memory_idle {
    my ($self) = @_;
    my $kib = 0;
    for my $pid ($self->our_pids) {
        $kib += $1 if Tidemark::Stack::slurp("/proc/$pid/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
    }
    return row('PSS of all processes, idle', 'MiB', '%.1f', $kib / 1024);
}

# A browser's cookies after logging in as the first demo person.
sub session_cookie {
    my ($self) = @_;
    my ($email, $password) = $self->{stack}->cli('seed', '--print-logins') =~ /(\S+@\S+)\s+(\S+)/;
    my $browser = Tidemark::Browser->new($self->{stack});
    my $answer = $browser->log_in($email, $password);
    die "login failed: $answer->{status}\n" if $answer->{status} != 303;
    return join '; ', map { "$_=$browser->{cookies}{$_}" } sort keys %{ $browser->{cookies} };
}

sub overview {
    my ($self) = @_;
    my $cookie = $self->session_cookie;
    my (@p50, @p99);
    for (1 .. $self->{runs}) {
        my $answer = $self->load('--get', '--path', '/', '--cookie', $cookie, '--connections', 4);
        push @p50, $answer->{p50_ms};
        push @p99, $answer->{p99_ms};
    }
    return (row('overview p50, 4 clients', 'ms', '%.1f', @p50), row('overview p99, 4 clients', 'ms', '%.1f', @p99));
}

# Adds the echo handler to the running nginx.
sub start_echo {
    my ($self) = @_;
    my $home = $self->{stack}{home};
    my $socket = "$home/run/echo.sock";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        umask 0;
        exec "$self->{tools}/echo", $socket or die "echo: $!";
    }
    $self->{echo} = $pid;
    my $conf = "$home/nginx/nginx.conf";
    my $text = Tidemark::Stack::slurp($conf);
    my ($upstream) = $text =~ /(upstream ingest \{.*?\n    \})/s;
    (my $echo = $upstream) =~ s/upstream ingest/upstream echo/;
    $echo =~ s/unix:[^;]+/unix:$socket/;
    $text =~ s/\Q$upstream\E/$upstream\n    $echo/;
    $text =~ s{(        location / \{)}{        location = /bench/echo {\n            fastcgi_pass echo;\n            fastcgi_keep_conn on;\n            include fastcgi.conf;\n        }\n$1};
    open my $out, '>', $conf or die "$conf: $!";
    print {$out} $text;
    close $out;
    kill 'HUP', Tidemark::Stack::slurp("$home/run/nginx.pid") =~ s/\s//gr;
    my $deadline = time + 10;
    until ($self->{stack}->post('/bench/echo', '{}')->{status} == 200) {
        die "the echo handler does not answer\n" if time > $deadline;
    }
    return;
}

sub echo_run {
    my ($self) = @_;
    return $self->load_events('--path', '/bench/echo', '--connections', 64);
}

sub single_events {
    my ($self) = @_;
    $self->start_echo;
    my (@single, @echo, @p99, @ratio);
    for (1 .. $self->{runs}) {
        my $floor = $self->echo_run;
        my $answer = $self->load_events('--path', '/v1/event', '--connections', 64);
        push @echo, $floor->{rps};
        push @single, $answer->{rps};
        push @p99, $answer->{p99_ms};
        push @ratio, $answer->{rps} / $floor->{rps};
    }
    return (row('single durable events, 64 connections', 'events/s', '%.0f', @single),
        row('  their p99', 'ms', '%.1f', @p99),
        row('  echo behind the same nginx', 'requests/s', '%.0f', @echo),
        row('  events / echo', 'ratio', '%.2f', @ratio));
}

# Rows per second of binary COPY into core.sample, by psql from a file made beforehand.
sub copy_rows {
    my ($self, $rows) = @_;
    my $stack = $self->{stack};
    my $tenant = 2_000_000_000 + ++$self->{n_loads};
    $stack->sql('DROP TABLE IF EXISTS bench_rows');
    $stack->sql("CREATE UNLOGGED TABLE bench_rows AS SELECT $tenant AS tenant_id, 1 + i / 1000 AS series_id,"
        . " now() + i % 1000 * interval '1 ms' AS time, i::float8 AS value"
        . " FROM generate_series(0, $rows - 1) i");
    my $file = "$stack->{home}/run/bench.copy";
    $stack->sql("COPY bench_rows TO '$file' (FORMAT binary)");
    my $begin = time;
    $stack->sql("COPY core.sample (tenant_id, series_id, time, value) FROM '$file' (FORMAT binary)");
    my $seconds = time - $begin;
    unlink $file;
    return $rows / $seconds;
}

sub batch_rows {
    my ($self) = @_;
    my (@rate, @copy, @ratio, @cpu);
    my @processes = Tidemark::Processes::part($self->{stack}, 'serve');
    for (1 .. $self->{runs}) {
        my $copy = $self->copy_rows(1_000_000);
        my $before = cpu_seconds(@processes);
        my $answer = $self->load_events('--path', '/v1/events/batch', '--events', 1000, '--metrics', 5,
            '--connections', 8);
        push @cpu, (cpu_seconds(@processes) - $before) / $answer->{rows} * 1e6;
        push @rate, $answer->{rows_per_s};
        push @copy, $copy;
        push @ratio, $answer->{rows_per_s} / $copy;
    }
    return (row('batch ingest, 1,000 events of 5 metrics', 'rows/s', '%.0f', @rate),
        row('  CPU of our processes', 'µs/row', '%.2f', @cpu),
        row('  raw binary COPY, same table, one connection', 'rows/s', '%.0f', @copy),
        row('  batch / COPY', 'ratio', '%.2f', @ratio));
}

sub DESTROY {
    my ($self) = @_;
    return unless $self->{echo};
    local $?;
    kill 'KILL', $self->{echo};    # it has nothing to lose, and waits for its stop alone
    waitpid $self->{echo}, 0;
}

1;
