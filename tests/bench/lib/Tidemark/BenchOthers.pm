package Tidemark::BenchOthers;

# The same bodies of line protocol to other databases of time series, one after the other on this
# machine: how many times their rows per second are ours. They acknowledge what is in memory or in
# their log; nginx, tokens, tenants and duplicates' answers are ours alone. Debian's packages, where
# they are installed.

use strict;
use warnings;
use File::Temp qw(tempdir);
use HTTP::Tiny;
use POSIX ();
use Time::HiRes qw(sleep time);
use Tidemark::Bench;
use Tidemark::Stack;

my @BODY = ('--path', '/write?db=bench&precision=ms', '--lines', '--events', 10_000, '--metrics', 3, '--connections', 2);

sub find {
    my ($command) = @_;
    return (grep {-x} map {"$_/$command"} split /:/, $ENV{PATH})[0];
}

# Starts a server; waits until its address answers 2xx.
sub start {
    my ($ready, $log, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', $log or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        exec @command or POSIX::_exit(1);
    }
    my $deadline = time + 30;
    until (HTTP::Tiny->new(timeout => 2)->get($ready)->{success}) {
        die "$command[0] does not answer; see $log\n" if time > $deadline || waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.1;
    }
    return $pid;
}

sub stop { my ($pid) = @_; kill 'TERM', $pid; waitpid $pid, 0; return }

sub start_influxdb {
    my ($command, $directory, $port) = @_;
    my $rpc = Tidemark::Stack::free_port();
    open my $out, '>', "$directory/influxdb.conf" or die "$directory: $!";
    print {$out} <<"CONF";
reporting-disabled = true
bind-address = "127.0.0.1:$rpc"
[meta]
  dir = "$directory/meta"
[data]
  dir = "$directory/data"
  wal-dir = "$directory/wal"
  max-series-per-database = 0
[http]
  bind-address = "127.0.0.1:$port"
  log-enabled = false
  max-body-size = 0
CONF
    close $out;
    my $pid = start("http://127.0.0.1:$port/ping", "$directory/log", $command, '-config', "$directory/influxdb.conf");
    my $made = HTTP::Tiny->new->post_form("http://127.0.0.1:$port/query", { q => 'CREATE DATABASE bench' });
    die "influxd: $made->{status}\n" if !$made->{success};
    return $pid;
}

sub start_victoria {
    my ($command, $directory, $port) = @_;
    return start("http://127.0.0.1:$port/health", "$directory/log", $command, "-storageDataPath=$directory/data", "-httpListenAddr=127.0.0.1:$port");
}

sub others {
    my ($bench) = @_;
    my @rows;
    for my $other (['InfluxDB', 'influxd', \&start_influxdb], ['VictoriaMetrics', 'victoria-metrics', \&start_victoria]) {
        my ($name, $command, $start) = @$other;
        my $path = find($command);
        if (!$path) {
            push @rows, { name => "$name, the same lines", value => '-', unit => '', spread => "skipped: no $command here" };
            next;
        }
        my $directory = tempdir("tidemark-bench-XXXXXX", DIR => '/tmp', CLEANUP => 1);
        my $port = Tidemark::Stack::free_port();
        my $pid = $start->($path, $directory, $port);
        my (@theirs, @ratio);
        eval {
            for (1 .. $bench->{runs}) {
                my $theirs = $bench->load_events(@BODY, '--port', $port)->{rows_per_s};
                push @theirs, $theirs;
                push @ratio, $bench->load_events(@BODY)->{rows_per_s} / $theirs;
            }
        };
        my $error = $@;
        stop($pid);
        die $error if $error;
        push @rows, Tidemark::Bench::row("$name, the same lines", 'rows/s', '%.0f', @theirs),
            Tidemark::Bench::row("  ours / $name", 'ratio', '%.2f', @ratio);
    }
    return @rows;
}

1;
