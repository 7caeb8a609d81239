#!/usr/bin/perl
# Prometheus itself, as an agent that scrapes a page of known values and writes them here: each value
# is read back, what is refused because it comes too fast is sent again, and a target that goes away
# leaves no NaN.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw(sleep time);
use Tidemark::Npm;
use Tidemark::Stack;

my $prometheus = Tidemark::Npm::find_command('prometheus') or plan skip_all => 'prometheus is not installed';
my $PAGE = <<'TEXT';
# TYPE power_w gauge
power_w{phase="L1"} 412.5
power_w{phase="L2"} -87
power_w{phase="L3"} NaN
# TYPE energy_kwh_total counter
energy_kwh_total 1234.5678
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.5"} 3
latency_seconds_bucket{le="+Inf"} 4
latency_seconds_sum 1.75
latency_seconds_count 4
TEXT

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
$stack->cli('tenant', 'set', 'acme', '--token-rate', 1); # three requests a scrape are more
my $token = $stack->token('acme', 'device');
my $api = $stack->token('acme', 'api');
my $home = tempdir(CLEANUP => 1);
my %started;
END { local $?; kill 'TERM', $_ for values %started; waitpid $_, 0 for values %started }

# A page at /metrics until the end.
sub serve_page {
    my $listen = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!";
    my $pid = fork // die "fork: $!";
    return ($listen->sockport, $pid) if $pid;
    while (my $client = $listen->accept) {
        while (my $line = <$client>) { last if $line eq "\r\n" }
        print {$client} "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: "
            . length($PAGE) . "\r\n\r\n$PAGE";
        close $client;
    }
    exit 0;
}

my $own_port = Tidemark::Stack::free_port();

sub start_prometheus {
    my ($port) = @_;
    open my $config, '>', "$home/prometheus.yml" or die $!;
    print {$config} <<"YAML";
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: meter
    static_configs: [{targets: ['127.0.0.1:$port']}]
remote_write:
  - url: @{[$stack->url('/api/v1/write')]}
    authorization: {credentials: $token}
    queue_config: {batch_send_deadline: 200ms, max_samples_per_send: 4}
YAML
    close $config or die $!;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', "$home/log" or die;
    open STDERR, '>&', \*STDOUT or die;
    exec $prometheus, '--enable-feature=agent', "--config.file=$home/prometheus.yml", "--storage.agent.path=$home/data",
        "--web.listen-address=127.0.0.1:$own_port" or die "exec: $!";
}

my ($port, $page) = serve_page();
$started{page} = $page;
$started{prometheus} = start_prometheus($port);
my $device = "127.0.0.1:$port";

sub get { my ($what) = @_; return $stack->get("/v1/devices/$device/$what", token => $api)->{json}{items} || [] }
sub samples { my ($metric) = @_; return @{ get("samples?metric=$metric&limit=1000&from=" . int(time - 600)) } }

# The values of a metric, each once.
sub values_of { my %seen = map { $_->{value} => 1 } samples(@_); return join ' ', sort { $a <=> $b } keys %seen }

sub within {
    my ($seconds, $test) = @_;
    my $deadline = time + $seconds;
    sleep 0.1 until $test->() || time > $deadline;
    return $test->();
}

# What Prometheus says of samples that it has sent: samples_retried_total, samples_failed_total.
sub told {
    my ($what) = @_;
    my $page = HTTP::Tiny->new->get("http://127.0.0.1:$own_port/metrics")->{content};
    return $page =~ /^prometheus_remote_storage_\Q$what\E\{.*\} (\S+)/m ? $1 : undef;
}

ok(within(30, sub { (told('samples_retried_total') // 0) > 0 }), 'what comes too fast is sent again') or diag Tidemark::Stack::slurp("$home/log");
$stack->cli('tenant', 'set', 'acme', '--token-rate', 'default');
ok(within(30, sub { samples('up') >= 3 }), 'Prometheus writes what it scrapes') or diag Tidemark::Stack::slurp("$home/log");
my %expected = (power_w => '-87 412.5', energy_kwh_total => '1234.5678', latency_seconds_bucket => '3 4', latency_seconds_sum => '1.75',
    latency_seconds_count => '4', up => '1');
is(values_of($_), $expected{$_}, "$_ is what the page says") for sort keys %expected;
my $encoder = JSON::PP->new->canonical;
is_deeply([sort map { $encoder->encode($_->{labels}) } grep { $_->{metric} =~ /^(power|latency_seconds_b)/ } @{ get('series') }],
    ['{"job":"meter","le":"+Inf"}', '{"job":"meter","le":"0.5"}', '{"job":"meter","phase":"L1"}', '{"job":"meter","phase":"L2"}'],
    'its labels are the series\', the instance is the device; NaN is no series');

kill 'TERM', $page;
waitpid delete $started{page}, 0;
ok(within(15, sub { values_of('up') eq '0 1' }), 'a target that is gone is down');
is(values_of('power_w'), $expected{power_w}, 'and its stale markers are no samples');
is(told('samples_failed_total'), 0, 'nothing that was sent is lost');
unlike(Tidemark::Stack::slurp("$home/log"), qr/non-recoverable|level=error.*(?:remote|write)/i, 'Prometheus has nothing to complain of')
    or diag Tidemark::Stack::slurp("$home/log");

kill 'TERM', $started{prometheus};
waitpid delete $started{prometheus}, 0;
$stack->stop;
done_testing();
