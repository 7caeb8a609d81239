#!/usr/bin/perl
# Prometheus remote write, 1.0 and 2.0: what a sender is answered, what can be read afterwards, and
# what malformed requests get. A sender retries 429 and 5xx, and drops what any other 4xx answers.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Compress::Zlib qw(memGzip);
use Tidemark::Proto qw(varint uint double bytes snappy);
use Tidemark::Stack;
use Tidemark::Unharmed;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
my $token = $stack->token('acme', 'device');
my $bound = $stack->token('acme', 'device', '--device', 'bound-1');
my $api = $stack->token('acme', 'api');
my $now = int time;
my $unharmed = Tidemark::Unharmed->new($stack);
my $PATH = '/api/v1/write';
my $V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
my %v1 = ('Content-Type' => 'application/x-protobuf', 'Content-Encoding' => 'snappy',
    'X-Prometheus-Remote-Write-Version' => '0.1.0', 'User-Agent' => 'Prometheus/2.42.0');
my %v2 = (%v1, 'Content-Type' => $V2, 'X-Prometheus-Remote-Write-Version' => '2.0.0');

# ---- making requests ----

sub sample { my ($value, $time) = @_; return bytes(2, double(1, $value), uint(2, ($time // $now) * 1000)) }
sub labels { my @pairs = @_; return join '', map { bytes(1, bytes(1, $pairs[2 * $_]), bytes(2, $pairs[2 * $_ + 1])) } 0 .. @pairs / 2 - 1 }

# Version 1: [labels, samples…]
sub write_1 { return join '', map { my ($labels, @samples) = @$_; bytes(1, labels(@$labels), @samples) } @_ }

# Version 2 of the same.
sub write_2 {
    my (%place, @symbols) = ('' => 0);
    push @symbols, '';
    my $place = sub { return $place{ $_[0] } //= push(@symbols, $_[0]) - 1 };
    my @series = map { my ($labels, @rest) = @$_; bytes(5, bytes(1, map { varint($place->($_)) } @$labels), @rest) } @_;
    return join '', (map { bytes(4, $_) } @symbols), @series;
}

sub send_raw {
    my ($body, $headers, $who) = @_;
    return $stack->post($PATH, $body, token => $who // $token, headers => $headers);
}
sub send_1 { my ($body, $who) = @_; return send_raw(snappy($body), \%v1, $who) }
sub send_2 { my ($body, $who) = @_; return send_raw(snappy($body), \%v2, $who) }

# {metric => [value, labels]} of a device since an hour.
sub stored {
    my ($device, $metric) = @_;
    my $answer = $stack->get("/v1/devices/$device/samples?metric=$metric&from=@{[$now - 3600]}&to=@{[$now + 60]}", token => $api);
    return join ' ', map { $_->{value} } sort { $a->{time} cmp $b->{time} } @{ $answer->{json}{items} || [] };
}
sub series {
    my ($device) = @_;
    my $answer = $stack->get("/v1/devices/$device/series", token => $api);
    return { map { $_->{metric} => $_->{labels} } @{ $answer->{json}{items} || [] } };
}

# ---- version 1 ----

my $first = write_1([['__name__', 'power_w', 'device', 'm1', 'job', 'solar'], sample(412.5), sample(400, $now - 15)],
    [['__name__', 'node_load1', 'instance', '10.0.0.5:9100', 'job', 'node'], sample(0.25)]);
my $answer = send_1($first);
is($answer->{status}, 204, 'version 1 is answered 204') or diag $answer->{content};
is($answer->{content} // '', '', 'without a body');
is($answer->{headers}{'x-prometheus-remote-write-samples-written'}, undef, 'nor counts');
is(stored('m1', 'power_w'), '400 412.5', 'what was answered 204 is readable at once');
is(stored('10.0.0.5:9100', 'node_load1'), '0.25', 'a device is its instance where nothing else names it');
is_deeply(series('m1'), { power_w => { job => 'solar' } }, 'the other labels are the series\'');
is(send_1($first)->{status}, 204, 'again is no error');
is(stored('m1', 'power_w'), '400 412.5', 'nor anything more');
is(send_raw(memGzip($first), { %v1, 'Content-Encoding' => 'gzip' })->{status}, 204, 'gzip is taken too');
is(send_raw($first, { 'Content-Type' => 'application/x-protobuf' })->{status}, 204, 'and what is not packed');
is(send_1('')->{status}, 204, 'an empty request is one');

my $stale = varint(2 << 3 | 2) . varint(16) . varint(1 << 3 | 1) . pack('VV', 2, 0x7ff00000) . uint(2, $now * 1000);
is(send_1(write_1([['__name__', 'power_w', 'device', 'm2'], sample(7, $now - 30), $stale]))->{status}, 204, 'a stale marker');
is(stored('m2', 'power_w'), '7', 'is no sample');

my $many = send_1(write_1(map { [['__name__', "metric_$_", 'device', 'many'], map { sample($_, $now - $_) } 1 .. 30] } 1 .. 400));
is($many->{status}, 204, '12,000 samples in a request') or diag $many->{content};
is(stored('many', 'metric_400') =~ tr/ //, 29, 'are all there');

# ---- version 2 ----

my $exemplar = bytes(4, bytes(1, varint(1), varint(2)), double(2, 1), uint(3, $now * 1000));
my $histogram = bytes(3, uint(1, 12), double(3, 18.5), uint(4, 2), uint(15, $now * 1000));
my $second = write_2([['__name__', 'energy_kwh_total', 'host', 'pi', 'phase', 'L1'], sample(1234.5), $exemplar, bytes(5, uint(1, 1))],
    [['__name__', 'latency_seconds', 'host', 'pi'], $histogram], [['__name__', 'gone', 'host', 'pi'], $stale]);
$answer = send_2($second);
is($answer->{status}, 204, 'version 2 is answered 204') or diag $answer->{content};
my @counts = map { "x-prometheus-remote-write-$_-written" } qw(samples histograms exemplars);
is_deeply([@{ $answer->{headers} }{@counts}], [2, 1, 0], 'with what was taken, markers too; no exemplars');
is(stored('pi', 'energy_kwh_total'), '1234.5', 'and it is there');
is_deeply(series('pi'), { energy_kwh_total => { phase => 'L1' }, latency_seconds_count => {}, latency_seconds_sum => {} },
    'of a native histogram count and sum');
is(stored('pi', 'latency_seconds_sum'), '18.5', 'with their values');
is_deeply([@{ send_2($second)->{headers} }{@counts}], [2, 1, 0], 'again counts the same');

my $is_a = sub { return bytes(5, uint(1, $_[0])) }; # io.prometheus.write.v2.Metadata
send_2(write_2([['__name__', 'a_kwh', 'device', 'kinds'], sample(7), $is_a->(1)], [['__name__', 'b_kwh', 'device', 'kinds'], sample(7)],
    [['__name__', 'c_total', 'device', 'kinds'], sample(7), $is_a->(2)], [['__name__', 'd', 'device', 'kinds'], $histogram, $is_a->(3)],
    [['__name__', 'e', 'device', 'kinds'], sample(7), $is_a->(99)]));
is_deeply({ map { $_->{metric} => $_->{kind} } @{ $stack->get('/v1/devices/kinds/series', token => $api)->{json}{items} } },
    { a_kwh => 'counter', b_kwh => 'delta', c_total => 'gauge', d_count => 'counter', d_sum => 'counter', e => 'gauge' },
    'a new series is what its sender says that it is, else what its name does');

my @heat = ('__name__', 'heat', 'device', 'since', 'x', 'watts'); # symbols 1 to 6
my $metadata = bytes(5, uint(1, 1), uint(4, 6));
send_2(write_2([\@heat, sample(100, $now - 900), $metadata, uint(6, ($now - 3600) * 1000)]));
$answer = send_2(write_2([\@heat, sample(150, $now - 300), $metadata, uint(6, ($now - 600) * 1000)])) for 1 .. 2;
is($answer->{headers}{ $counts[0] } . ': ' . stored('since', 'heat'), '1: 100 0 150', 'a counter that was created anew was 0 then');
send_2(write_2([\@heat, bytes(2, double(1, 170), uint(2, ($now - 60) * 1000), uint(3, ($now - 120) * 1000)), $metadata]));
is(stored('since', 'heat'), '100 0 150 0 170', 'also where its sample says so');
is($stack->get('/v1/devices/since/series', token => $api)->{json}{items}[0]{unit}, 'W', 'and has the unit that was told');

# ---- partly good ----

my $partly = write_2([['__name__', 'a', 'device', 'p'], sample(1), sample(9e999), sample(2, $now - 200 * 86400)], [['device', 'p'], sample(3)]);
$answer = send_2($partly);
is($answer->{status}, 400, 'some that are no good: 400, so that nobody sends them again');
like($answer->{content}, qr/\A3 samples were rejected, the others are stored; the first: metric "a" is not a finite number/, 'with the reason');
is_deeply([@{ $answer->{headers} }{@counts}], [1, 0, 0], 'and what was written');
is(stored('p', 'a'), '1', 'which is there');

# ---- bound tokens ----

is(send_1(write_1([['__name__', 'b', 'instance', 'x:1', 'job', 'j'], sample(5)]), $bound)->{status}, 204, 'a bound token');
is(stored('bound-1', 'b'), '5', 'writes its device\'s, whatever the instance');
is_deeply(series('bound-1'), { b => { instance => 'x:1', job => 'j' } }, 'which stays a label');
is(send_1(write_1([['__name__', 'b', 'device', 'bound-1'], sample(5, $now - 5)]), $bound)->{status}, 204, 'it may name its device');
$answer = send_1(write_1([['__name__', 'b', 'device', 'm1'], sample(5)]), $bound);
is($answer->{status}, 400, 'and no other');
like($answer->{content}, qr/the token is for another device/, 'for that reason');

# ---- malformed ----

my $good = write_1([['__name__', 'g', 'device', 'good'], sample(1)]);
my $packed = snappy($good);
my @bad = (
    [400, 'no snappy at all', $good, \%v1],
    [400, 'snappy cut short', substr($packed, 0, -3), \%v1],
    [400, 'bytes after the snappy', $packed . 'x', \%v1],
    [400, 'snappy in frames', "\xff\x06\x00\x00sNaPpY", \%v1],
    [400, 'nothing, and said to be snappy', '', \%v1],
    [413, 'snappy that promises 4 GiB', "\xff\xff\xff\xff\x0f\x00", \%v1],
    [413, 'snappy that promises 11 MiB', varint(11 << 20) . "\0x", \%v1],
    [400, 'zstd that is none', $good, { %v1, 'Content-Encoding' => 'zstd' }],
    [415, 'an unknown encoding', $packed, { %v1, 'Content-Encoding' => 'lz4' }],
    [415, 'two encodings', $packed, { %v1, 'Content-Encoding' => 'snappy, gzip' }],
    [415, 'JSON', '{}', { 'Content-Type' => 'application/json' }],
    [415, 'an unknown message', $packed, { %v1, 'Content-Type' => 'application/x-protobuf;proto=io.prometheus.write.v3.Request' }],
    [415, 'a message without a name', $packed, { %v1, 'Content-Type' => 'application/x-protobuf;proto=' }],
    [400, 'a message cut short', snappy(substr $good, 0, -2), \%v1],
    [400, 'a length beyond the end', snappy("\x0a\xff\x01abc"), \%v1],
    [400, 'a varint without an end', snappy("\x0a" . "\xff" x 12), \%v1],
    [400, 'wire type 7', snappy("\x0f\x00"), \%v1],
    [400, 'field number 0', snappy("\x02\x00"), \%v1],
    [400, 'a group', snappy("\x0b\x0c"), \%v1],
    [400, 'a series that is a number', snappy(uint(1, 5)), \%v1],
    [400, 'a label that is a number', snappy(bytes(1, uint(1, 5))), \%v1],
    [400, 'a sample\'s value that is a varint', snappy(bytes(1, labels('__name__', 'g', 'device', 'bad'), bytes(2, uint(1, 5)))), \%v1],
    [400, 'text', snappy('power_w{device="m1"} 1'), \%v1],
    [400, 'no name', snappy(write_1([['device', 'bad'], sample(1)])), \%v1],
    [400, 'no device', snappy(write_1([['__name__', 'a'], sample(1)])), \%v1],
    [400, 'no labels', snappy(write_1([[], sample(1)])), \%v1],
    [400, 'a name of 129 bytes', snappy(write_1([['__name__', 'n' x 129, 'device', 'bad'], sample(1)])), \%v1],
    [400, 'a device of 129 bytes', snappy(write_1([['__name__', 'a', 'device', 'd' x 129], sample(1)])), \%v1],
    [400, 'labels of 3 KiB', snappy(write_1([['__name__', 'a', 'device', 'bad', 'l', 'x' x 3000], sample(1)])), \%v1],
    [400, '100 labels', snappy(write_1([['__name__', 'a', 'device', 'bad', map { ("l$_", 'x') } 1 .. 100], sample(1)])), \%v1],
    [400, 'a label that is not UTF-8', snappy(write_1([['__name__', 'a', 'device', 'bad', 'l', "\xff\xfe"], sample(1)])), \%v1],
    [400, 'a NUL in a label', snappy(write_1([['__name__', 'a', 'device', 'bad', 'l', "a\0b"], sample(1)])), \%v1],
    [400, 'a device of dots', snappy(write_1([['__name__', 'a', 'device', '..'], sample(1)])), \%v1],
    [400, 'seconds for milliseconds', snappy(write_1([['__name__', 'a', 'device', 'bad'], sample(1, $now / 1000)])), \%v1],
    [400, 'microseconds for milliseconds', snappy(write_1([['__name__', 'a', 'device', 'bad'], sample(1, $now * 1000)])), \%v1],
    [400, 'a symbol that is not there', snappy(bytes(4, '') . bytes(5, bytes(1, varint(1), varint(2)), sample(1))), \%v2],
    [400, 'half a pair of symbols', snappy(bytes(4, '') . bytes(5, bytes(1, varint(0)), sample(1))), \%v2],
    [413, 'more samples than a request may have', snappy(bytes(1, labels('__name__', 'a', 'device', 'bad'), sample(1) x 100_001)), \%v1],
);
for my $case (@bad) {
    my ($status, $name, $body, $headers) = @$case;
    my $got = send_raw($body, $headers);
    my $is_plain = ($got->{headers}{'content-type'} // '') =~ m{^text/plain} && length $got->{content};
    ok($got->{status} == $status && $is_plain && $got->{content} !~ /SELECT|\.c:\d|core\./, "$status: $name")
        or diag "$got->{status} $got->{content}";
}
is($stack->get('/v1/devices/bad', token => $api)->{status}, 404, 'nothing of it was stored');
is(send_1($good)->{status}, 204, 'then a good one is stored');
is(stored('good', 'g'), '1', 'and is there');

$answer = $stack->post($PATH, $packed, headers => \%v1);
is($answer->{status}, 401, 'without a token');
ok($answer->{headers}{'www-authenticate'}, 'with the way to show one');
is(send_raw($packed, \%v1, $api)->{status}, 403, 'a token that may not write');
is($stack->get($PATH, token => $token)->{status}, 405, 'GET is no way to write');
is($stack->post("$PATH?dry_run=1", snappy(write_1([['__name__', 'a', 'device', 'dry'], sample(1)])), token => $token, headers => \%v1)->{status},
    204, 'a dry run is answered likewise');
is($stack->get('/v1/devices/dry', token => $api)->{status}, 404, 'and stores nothing');

$unharmed->check;
$stack->stop;
done_testing();
