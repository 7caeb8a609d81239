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
    $self->{stack} = Tidemark::Stack->start(engine => $option{engine}, demo => 1, timeout => 120, disk => 1);
    $self->{first_start} = time - $start;
    $self->{stack}->cli('tenant', 'add', $TENANT);
    $self->{token} = $self->{stack}->token($TENANT, 'device');
    # what autovacuum would begin with after the demo's weeks were stored, amid the first figure
    $self->{stack}->sql($_) for 'VACUUM (ANALYZE)', 'CHECKPOINT';
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

# Said of a figure that has an aim; a row that misses it is marked.
sub aim {
    my ($is_met, $text) = @_;
    return $is_met ? $text : "MISSED: $text";
}

# Starts the load generator.
sub begin_load {
    my ($self, @options) = @_;
    my @command = ("$self->{tools}/load", '--port', $self->{stack}{port}, '--seconds', $self->{seconds}, @options);
    open my $out, '-|', @command or die "@command: $!";
    return { out => $out, command => "@command" };
}

# Waits for it; dies when a request failed.
sub end_load {
    my ($self, $load) = @_;
    my $out = $load->{out};
    my $answer = decode_json(join '', <$out>);
    close $out;
    die "$answer->{errors} failed requests, status $answer->{bad_status}: $load->{command}\n" if $answer->{errors};
    return $answer;
}

sub load {
    my ($self, @options) = @_;
    return $self->end_load($self->begin_load(@options));
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

# CPU seconds that the processes have used, with their children that have ended.
sub cpu_seconds {
    my $ticks = 0;
    for my $pid (@_) {
        my $stat = eval { Tidemark::Stack::slurp("/proc/$pid/stat") } // next;
        $ticks += $_ for (split ' ', $stat =~ s/.*\) //sr)[11 .. 14];
    }
    return $ticks / 100;
}

# Of parts of the stack (Tidemark::Processes), as they are now.
sub cpu_of {
    my ($self, @parts) = @_;
    return cpu_seconds(map { Tidemark::Processes::part($self->{stack}, $_) } @parts);
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

# Adds the echo handlers to the running nginx: /bench/echo, the loop that ingest has, and
# /bench/echo-threads, libfcgi with a thread for each of 64 connections.
sub start_echo {
    my ($self) = @_;
    my $home = $self->{stack}{home};
    my $conf = "$home/nginx/nginx.conf";
    my $text = Tidemark::Stack::slurp($conf);
    my ($upstream) = $text =~ /(upstream ingest \{.*?\n    \})/s;
    my %kept = ('echo' => 384, 'echo-threads' => 64);    # connections; one more than threads would wait
    for my $name (sort keys %kept) {
        my $socket = "$home/run/$name.sock";
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            umask 0;
            exec "$self->{tools}/echo", $socket, $name =~ /(threads)/ or die "echo: $!";
        }
        push @{ $self->{echoes} }, $pid;
        (my $echo = $upstream) =~ s/upstream ingest/upstream $name/;
        $echo =~ s/unix:[^;]+/unix:$socket/;
        $echo =~ s/keepalive \d+/keepalive $kept{$name}/;
        $text =~ s/\Q$upstream\E/$upstream\n    $echo/;
        $text =~ s{(        location / \{)}{        location = /bench/$name {\n            fastcgi_pass $name;\n            fastcgi_keep_conn on;\n            include fastcgi.conf;\n        }\n$1};
    }
    open my $out, '>', $conf or die "$conf: $!";
    print {$out} $text;
    close $out;
    kill 'HUP', Tidemark::Stack::slurp("$home/run/nginx.pid") =~ s/\s//gr;
    my $deadline = time + 10;
    for my $name (sort keys %kept) {
        until ($self->{stack}->post("/bench/$name", '{}')->{status} == 200) {
            die "the echo handler does not answer\n" if time > $deadline;
        }
    }
    return;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    for my $echo (@{ $self->{echoes} || [] }) {
        kill 'KILL', $echo;    # it has nothing to lose, and waits for its stop alone
        waitpid $echo, 0;
    }
}

1;
