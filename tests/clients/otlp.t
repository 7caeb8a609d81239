#!/usr/bin/perl
# OpenTelemetry's own exporters, for JavaScript (JSON and protobuf, chunked) and Python (protobuf,
# gzip): what they send is read back, each value. And random readings by protobuf's own encoder.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use Tidemark::Encoders;
use Tidemark::Npm;
use Tidemark::Python;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
my $token = $stack->token('acme', 'device');
my $api = $stack->token('acme', 'api');
my $encoder = JSON::PP->new->canonical;

# {metric and labels => value}
sub stored {
    my ($device) = @_;
    my %stored;
    for my $series (@{ $stack->get("/v1/devices/$device/series", token => $api)->{json}{items} || [] }) {
        my $samples = $stack->get("/v1/devices/$device/samples?metric=$series->{metric}&from=" . (time - 600), token => $api)->{json}{items};
        my @same = grep { !$_->{labels} || $encoder->encode($_->{labels}) eq $encoder->encode($series->{labels}) } @$samples;
        $stored{ $series->{metric} . (%{ $series->{labels} } ? $encoder->encode($series->{labels}) : '') } =
            join ' ', map { $_->{value} } @same;
    }
    return \%stored;
}

sub logs {
    my ($device) = @_;
    return $stack->get("/v1/events?device=$device", token => $api)->{json}{items};
}

sub succeeds {
    my ($name, @command) = @_;
    my $output = qx(@{[join ' ', map { "'$_'" } @command]} 2>&1);
    is($? >> 8, 0, "$name sends") or diag $output;
    is($output, '', 'without a complaint');
    return;
}

SKIP: {
    my $node = Tidemark::Npm::find_command('node') or skip 'node is not installed', 1;
    my ($tools, $why) = Tidemark::Npm::install('clients', $FindBin::Bin);
    skip $why, 1 if !$tools;
    my $s = '"service.name":"heating"';
    my %expected = (
        http => { "power_w{\"phase\":\"L1\",$s}" => '412.5', "power_w{\"phase\":\"L2\",$s}" => '-87', "pulses{$s}" => '17',
            (map { my ($n, $v) = @$_; ("latency_$n\{\"route\":\"/\",$s}" => $v) } ['count', 4], ['sum', 45.5], ['min', 0.5], ['max', 40]),
            (map { my ($le, $v) = @$_; ("latency_bucket{\"le\":\"$le\",\"route\":\"/\",$s}" => $v) } [1, 1], [10, 3], ['+Inf', 4]) });
    $expected{proto} = { map { (/^power/ ? $_ : s/\}$/,"temporality":"delta"}/r) => $expected{http}{$_} } keys %{ $expected{http} } };
    for my $encoding (qw(http proto)) {
        succeeds("JavaScript's exporter, $encoding,", $node, "$FindBin::Bin/otel.js", $stack->url, $token, $encoding, $tools);
        is_deeply(stored("js-$encoding"), $expected{$encoding}, 'and each value is there');
        my ($log) = @{ logs("js-$encoding") };
        is_deeply([@$log{qw(type)}, @{ $log->{data} }{qw(severity severity_number body attributes scope)}],
            ['log', 'WARN', 13, 'pressure is low', { bar => 0.75, code => 7, tags => ['a', 'b'] }, 'pump'], 'and the log');
    }
}

SKIP: {
    my ($python, $why) = Tidemark::Python::install('py', "$FindBin::Bin/requirements.txt");
    skip $why, 1 if !$python;
    succeeds("Python's exporter", $python, '-W', 'ignore', "$FindBin::Bin/otel.py", $stack->url, $token);
    my $s = '"service.name":"boiler"';
    my $stored = stored('cellar-1');
    my %buckets = map { $_ => delete $stored->{$_} } grep { /bucket/ } keys %$stored;
    is_deeply($stored, { "temperature_c{\"pipe\":\"flow\",$s}" => '61.5', "temperature_c{\"pipe\":\"return\",$s}" => '48',
        "starts_total{$s}" => '3', "queue{$s}" => '-2',
        map { my ($n, $v) = @$_; ("burn_s_$n\{$s}" => $v) } ['count', 1], ['sum', 12.25], ['min', 12.25], ['max', 12.25] }, 'and each value is there');
    is_deeply([@buckets{ map { "burn_s_bucket{\"le\":\"$_\",$s}" } 10, 25, '+Inf' }], [0, 1, 1], 'buckets too');
    my ($log) = @{ logs('cellar-1') };
    is_deeply([@{ $log->{data} }{qw(severity severity_number body)}, $log->{data}{attributes}{tries}], ['ERROR', 17, 'no flame', 3], 'and the log');
    Tidemark::Encoders::check($stack, $token, $python, $_) for qw(otlp prometheus);
}

SKIP: {
    skip 'Telegraf\'s outputs.opentelemetry (1.37.2, the newest) speaks OTLP over gRPC alone; influx.t has its other outputs', 1;
}

$stack->stop;
done_testing();
