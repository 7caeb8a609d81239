#!/usr/bin/perl
# OTLP/HTTP metrics and logs, protobuf and JSON: what an exporter is answered, what can be read
# afterwards, and what malformed requests get. An exporter sends again after 429, 502, 503 and 504.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Compress::Zlib qw(memGzip);
use JSON::PP;
use Tidemark::Proto qw(uint fixed64 double bytes);
use Tidemark::Stack;
use Tidemark::Unharmed;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
my $token = $stack->token('acme', 'device');
my $bound = $stack->token('acme', 'device', '--device', 'bound-1');
my $api = $stack->token('acme', 'api');
my $now = int time;
my $unharmed = Tidemark::Unharmed->new($stack);
my %json = ('Content-Type' => 'application/json');
my %proto = ('Content-Type' => 'application/x-protobuf');
my $encoder = JSON::PP->new->utf8->canonical;

# ---- making requests ----

sub attributes { my ($of) = @_; return [map { { key => $_, value => { stringValue => $of->{$_} } } } sort keys %$of] }
sub point { my ($value, %more) = @_; return { timeUnixNano => "${now}000000000", startTimeUnixNano => ($now - 60) . '0' x 9, asDouble => $value, %more } }
sub gauge { my ($name, @points) = @_; return { name => $name, unit => '1', gauge => { dataPoints => \@points } } }
sub metrics {
    my ($resource, @metrics) = @_;
    return { resourceMetrics => [{ resource => { attributes => attributes($resource) },
        scopeMetrics => [{ scope => { name => 'meter' }, metrics => \@metrics }] }] };
}
sub logs {
    my ($resource, @records) = @_;
    return { resourceLogs => [{ resource => { attributes => attributes($resource) }, scopeLogs => [{ logRecords => \@records }] }] };
}
sub post_json { my ($path, $of, $who) = @_; return $stack->post($path, $encoder->encode($of), token => $who // $token, headers => \%json) }

# Likewise in protobuf: attributes, and a gauge of points [value, seconds].
sub pairs { my ($number, %of) = @_; return join '', map { bytes($number, bytes(1, $_), bytes(2, bytes(1, $of{$_}))) } sort keys %of }
sub proto_point { my ($value, $attributes) = @_; return bytes(1, fixed64(3, $now * 1_000_000_000), double(4, $value), pairs(7, %{ $attributes // {} })) }
sub proto_metrics {
    my ($resource, $name, @points) = @_;
    return bytes(1, bytes(1, pairs(1, %$resource)), bytes(2, bytes(2, bytes(1, $name), bytes(5, @points))));
}
sub post_proto { my ($path, $body, $who) = @_; return $stack->post($path, $body, token => $who // $token, headers => \%proto) }

sub stored {
    my ($device, $metric) = @_;
    my $answer = $stack->get("/v1/devices/$device/samples?metric=$metric&from=@{[$now - 3600]}&to=@{[$now + 60]}", token => $api);
    return join ' ', sort map { $_->{value} } @{ $answer->{json}{items} || [] };
}
sub series {
    my ($device) = @_;
    my $answer = $stack->get("/v1/devices/$device/series", token => $api);
    return [sort map { $_->{metric} . (%{ $_->{labels} } ? $encoder->encode($_->{labels}) : '') } @{ $answer->{json}{items} || [] }];
}

# ---- metrics ----

my $first = metrics({ 'host.name' => 'pi', 'service.name' => 'meter', 'telemetry.sdk.version' => '1.2' },
    gauge('power_w', point(412.5, attributes => attributes({ phase => 'L1' })), point(200, attributes => attributes({ phase => 'L2' }))));
my $answer = post_json('/v1/metrics', $first);
is("$answer->{status} $answer->{headers}{'content-type'} $answer->{content}", '200 application/json {}', 'JSON is answered so');
is(stored('pi', 'power_w'), '200 412.5', 'what was answered 200 is readable at once');
is_deeply(series('pi'), ['power_w{"phase":"L1","service.name":"meter"}', 'power_w{"phase":"L2","service.name":"meter"}'],
    'with its attributes as labels');
is(post_json('/v1/metrics', $first)->{content}, '{}', 'again is no error');
is(stored('pi', 'power_w'), '200 412.5', 'nor anything more');

$answer = post_proto('/v1/metrics', proto_metrics({ 'service.name' => 'boiler' }, 'temperature_c', proto_point(61.5)));
is("$answer->{status} $answer->{headers}{'content-type'}", '200 application/x-protobuf', 'protobuf is answered in protobuf');
is($answer->{content} // '', '', 'which says nothing');
is(stored('boiler', 'temperature_c'), '61.5', 'and it is there');
is($stack->post('/v1/metrics', memGzip($encoder->encode(metrics({ device => 'zipped' }, gauge('a', point(1))))), token => $token,
    headers => { %json, 'Content-Encoding' => 'gzip' })->{status}, 200, 'gzip');
is(stored('zipped', 'a'), '1', 'is taken');

my %time = (timeUnixNano => "${now}000000000");
post_json('/v1/metrics', metrics({ device => 'kinds' },
    { name => 'requests_total', sum => { aggregationTemporality => 2, isMonotonic => JSON::PP::true, dataPoints => [{ %time, asInt => '17' }] } },
    { name => 'requests', sum => { aggregationTemporality => 1, isMonotonic => JSON::PP::true, dataPoints => [{ %time, asInt => 4 }] } },
    { name => 'lat', histogram => { aggregationTemporality => 2, dataPoints => [{ %time, count => '3', sum => 4.5,
        bucketCounts => ['1', '2', '0'], explicitBounds => [1, 2.5] }] } },
    { name => 'exp', exponentialHistogram => { aggregationTemporality => 2, dataPoints => [{ %time, count => '2', sum => 9, scale => 1,
        positive => { offset => 0, bucketCounts => ['2'] } }] } },
    { name => 'sum', summary => { dataPoints => [{ %time, count => '2', sum => 8, quantileValues => [{ quantile => 0.5, value => 4 }] }] } }));
is_deeply(series('kinds'), [sort 'requests_total', 'requests{"temporality":"delta"}', 'lat_count', 'lat_sum', 'lat_bucket{"le":"1"}',
    'lat_bucket{"le":"2.5"}', 'lat_bucket{"le":"+Inf"}', 'exp_count', 'exp_sum', 'sum_count', 'sum_sum', 'sum{"quantile":"0.5"}'],
    'sums, histograms and summaries');
post_json('/v1/metrics', metrics({ device => 'kinds' }, gauge('a_kwh', point(1)), map { my ($name, $temporality, $only_rises) = @$_;
    { name => $name, sum => { aggregationTemporality => $temporality, isMonotonic => $only_rises, dataPoints => [{ %time, asInt => 4 }] } } }
    ['b_kwh', 2, JSON::PP::true], ['c_kwh', 1, JSON::PP::true], ['d', 1, JSON::PP::true], ['e', 2, JSON::PP::false], ['f', 2, JSON::PP::true]));
my %kind = map { $_->{metric} => $_->{kind} } @{ $stack->get('/v1/devices/kinds/series', token => $api)->{json}{items} };
is_deeply({ map { $_ => $kind{$_} } 'a_kwh', 'b_kwh', 'c_kwh', 'd' .. 'f' },
    { a_kwh => 'delta', b_kwh => 'counter', c_kwh => 'delta', d => 'delta', e => 'gauge', f => 'counter' },
    'a series is what its metric is, not what its name seems');
is_deeply([@kind{qw(lat_count lat_sum lat_bucket exp_sum sum_count sum)}], [('counter') x 5, 'gauge'], 'and so are the parts of a histogram');
is(stored('kinds', 'lat_bucket'), '1 3 3', 'buckets count what is at most their bound');
is(stored('kinds', 'requests_total') . ' ' . stored('kinds', 'requests'), '17 4', 'sums are what they were');

my $partly = metrics({ device => 'p' }, gauge('a', point(1), point('NaN', timeUnixNano => ($now - 1) . '0' x 9), { %time }));
$answer = post_json('/v1/metrics', $partly);
is($answer->{status}, 200, 'some that are no good: 200');
is_deeply($answer->{json}, { partialSuccess => { rejectedDataPoints => '2', errorMessage => 'metric "a" is not a finite number of at most 1e100' } },
    'and how many, as a string, and why');
is(stored('p', 'a'), '1', 'the good one is there');
$answer = post_proto('/v1/metrics', proto_metrics({ device => 'p' }, 'b', proto_point(2), bytes(1)));
like($answer->{content}, qr/\A\x0a.{5}\x08\x01\x12.a point has no value\z/s, 'likewise in protobuf');
my $many = post_json('/v1/metrics', metrics({ device => 'many' }, gauge('a', map { point($_, timeUnixNano => ($now - $_) . '0' x 9) } 1 .. 12_000)));
is("$many->{status} $many->{content}", '200 {}', '12,000 points in a request');

# ---- what counts since a start ----

sub at { my ($ago) = @_; return ($now - $ago) . '0' x 9 }
sub count { my ($value, $ago, $start, %more) = @_; return { timeUnixNano => at($ago), startTimeUnixNano => at($start), asDouble => $value, %more } }
sub counted {
    my ($device, $unit, $temporality, @points) = @_;
    return post_json('/v1/metrics', metrics({ device => $device }, { name => 'energy', unit => $unit, sum => {
        aggregationTemporality => $temporality, isMonotonic => JSON::PP::true, dataPoints => \@points } }))->{content};
}
sub readings {
    my ($device) = @_;
    my $items = $stack->get("/v1/devices/$device/samples?metric=energy&from=@{[$now - 7200]}&to=@{[$now + 60]}", token => $api)->{json}{items};
    return join ' ', map { $_->{value} } sort { $a->{time} cmp $b->{time} } @{ $items || [] };
}
sub kwh {
    my ($device) = @_;
    my $items = $stack->get("/v1/energy?bucket=15m&device=$device&from=@{[$now - 7200]}&to=@{[$now + 900]}", token => $api)->{json}{items};
    my $sum = 0;
    $sum += $_->{energy_kwh} for @{ $items || [] };
    return sprintf '%.6f', $sum;
}

counted('meter', 'Wh', 2, count(100, 1800, 3600));
is(readings('meter'), '100', 'what a counter told before anybody asked is not known to be its own');
is(counted('meter', 'Wh', 2, count(150, 900, 1500)), '{}', 'one that began anew and does not fall');
is(readings('meter'), '100 0 150', 'was 0 then');
counted('meter', 'Wh', 2, count(150, 900, 1500)) for 1 .. 2;
is(readings('meter'), '100 0 150', 'the same again changes nothing');
counted('meter', 'Wh', 2, count(180, 600, 1500), count(175, 660, 1500));
counted('meter', 'Wh', 2, count(120, 1200, 1500));
counted('meter', 'Wh', 2, count(100, 1800, 3600));
is(readings('meter'), '100 0 120 150 175 180', 'nor do later ones of that start, late ones, and ones from before it');
counted('meter', 'Wh', 2, count(200, 300, 300));
counted('meter', 'Wh', 2, count(210, 240, 300));
is(readings('meter'), '100 0 120 150 175 180 200 210', 'a point of no duration: its start is not known');
my $anew = metrics({ device => 'meter' }, { name => 'energy', unit => 'Wh', sum => { aggregationTemporality => 2, isMonotonic => JSON::PP::true,
    dataPoints => [count(230, 60, 200)] } });
is(post_json('/v1/metrics?dry_run=1', $anew)->{status} . readings('meter'), '200100 0 120 150 175 180 200 210', 'a dry run leaves nothing');
my $counter_body = bytes(1, bytes(1, pairs(1, device => 'meter')), bytes(2, bytes(2, bytes(1, 'energy'), bytes(3, 'Wh'),
    bytes(7, bytes(1, fixed64(2, at(200)), fixed64(3, at(60)), double(4, 230)), uint(2, 2), uint(3, 1)))));
is(post_proto('/v1/metrics', $counter_body)->{status}, 200, 'and in protobuf');
is(readings('meter'), '100 0 120 150 175 180 200 210 0 230', 'a second restart');
counted('restarted', 'Wh', 2, count(100, 1800, 3600));
counted('restarted', 'Wh', 2, count(150, 900, 1500));
counted('register', 'kWh', 2, count(48_000, 1800, 3600));
counted('register', 'kWh', 2, count(48_001, 900, 1000));
is(readings('register'), '48000 0 48001', 'a gateway that began anew, and not its meter');
counted('told', 'Wh', 1, count(100, 1800, 1900));
counted('told', 'Wh', 1, count(150, 900, 1000));
is(readings('told'), '100 150', 'what counts since the last report begins anew each time');
$stack->cli('worker', '--once'); # late readings reach what is closed
is(kwh('restarted'), '0.150000', 'all that a counter told since it began anew is energy');
is(kwh('meter'), '0.440000', 'of each of its starts');
is(kwh('register'), '1.000000', 'of a register nothing counts twice');
is(kwh('told'), '0.250000', 'of reports each');
is_deeply([map { "$_->{metric} $_->{unit} $_->{kind} $_->{role}" } @{ $stack->get('/v1/devices/meter/series', token => $api)->{json}{items} }],
    ['energy Wh counter consumption'], 'a series has the unit of its metric');

# ---- logs ----

my $record = { timeUnixNano => "${now}123000000", severityNumber => 17, severityText => 'Error', body => { stringValue => 'pump stalled' },
    attributes => [{ key => 'code', value => { intValue => '7' } }], traceId => '5b8efff798038103d269b633813fc60c', spanId => 'eee19b7ec3c1b174' };
$answer = post_json('/v1/logs', logs({ 'host.name' => 'pump' }, $record, { %$record, eventName => 'stall', severityText => '' }));
is("$answer->{status} $answer->{content}", '200 {}', 'logs');
my $events = $stack->get('/v1/events?device=pump', token => $api)->{json}{items};
is_deeply([sort map { $_->{type} } @$events], ['log', 'stall'], 'are events, of their name or "log"');
my ($log) = grep { $_->{type} eq 'log' } @$events;
is_deeply($log->{data}, { severity => 'Error', severity_number => 17, body => 'pump stalled', attributes => { code => 7 },
    resource => { 'host.name' => 'pump' }, trace_id => '5b8efff798038103d269b633813fc60c', span_id => 'eee19b7ec3c1b174' }, 'with all they said');
is((grep { $_->{type} eq 'stall' } @$events)[0]{data}{severity}, 'ERROR', 'severity by its number where it has no name');
my $proto_log = bytes(1, bytes(1, pairs(1, 'host.name' => 'pump')), bytes(2, bytes(2, fixed64(11, $now * 1_000_000_000), bytes(5, bytes(1, 'seen')))));
is(post_proto('/v1/logs', $proto_log)->{status}, 200, 'in protobuf too');
is(scalar(grep { ($_->{data}{body} // '') eq 'seen' } @{ $stack->get('/v1/events?device=pump', token => $api)->{json}{items} }), 1, 'once');
is(post_proto('/v1/logs', $proto_log)->{status}, 200, 'again');
is(scalar(@{ $stack->get('/v1/events?device=pump', token => $api)->{json}{items} }), 3, 'is a duplicate');
$answer = post_json('/v1/logs', logs({ device => 'pump' }, { %time, body => { stringValue => 'ok' } }, { %time, body => { stringValue => 'x' x 70_000 } }));
is_deeply($answer->{json}, { partialSuccess => { rejectedLogRecords => '1', errorMessage => 'data is over 65536 bytes' } }, 'records have their own word');

# ---- bound tokens ----

is(post_json('/v1/metrics', metrics({ 'host.name' => 'laptop' }, gauge('b', point(5))), $bound)->{status}, 200, 'a bound token');
is(stored('bound-1', 'b'), '5', 'writes its device\'s, whatever the host');
$answer = post_json('/v1/metrics', metrics({ device => 'pi' }, gauge('b', point(5))), $bound);
is("$answer->{status} $answer->{json}{message}", '400 none of the 1 items was accepted; the first: the token is for another device', 'and no other\'s');

# ---- malformed ----

my $good = proto_metrics({ device => 'bad' }, 'a', proto_point(1));
my %gzip = (%json, 'Content-Encoding' => 'gzip');
my @bad = (
    [400, 'an empty body', '', \%json],
    [400, 'no JSON', 'power_w 1', \%json],
    [400, 'a cut object', '{"resourceMetrics":[', \%json],
    [400, 'two objects', '{}{}', \%json],
    [400, 'a list', '[]', \%json],
    [400, 'a number for a list', '{"resourceMetrics":7}', \%json],
    [400, 'an object for a list', '{"resourceMetrics":{}}', \%json],
    [400, 'a NUL in a string', '{"resourceMetrics":[{"resource":{"attributes":[{"key":"a\u0000"}]}}]}', \%json],
    [400, 'half a surrogate pair', '{"resourceMetrics":[{"resource":{"attributes":[{"key":"\ud800"}]}}]}', \%json],
    [400, 'bytes that are no text', "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"\xff\"}]}}]}", \%json],
    [400, 'nested too deeply', '{"x":' . '[' x 100 . ']' x 100 . '}', \%json],
    [400, 'a time that is a date', $encoder->encode(metrics({ device => 'bad' }, gauge('a', point(1, timeUnixNano => '2026-11-20')))), \%json],
    [400, 'no device', $encoder->encode(metrics({}, gauge('a', point(1)))), \%json],
    [400, 'no name', $encoder->encode(metrics({ device => 'bad' }, gauge('', point(1)))), \%json],
    [400, 'a name of 129 bytes', $encoder->encode(metrics({ device => 'bad' }, gauge('n' x 129, point(1)))), \%json],
    [400, 'no value', $encoder->encode(metrics({ device => 'bad' }, gauge('a', { %time }))), \%json],
    [400, '65 attributes', $encoder->encode(metrics({ device => 'bad' }, gauge('a', point(1, attributes => attributes({ map { ("k$_" => 'x') } 1 .. 65 }))))), \%json],
    [400, 'attributes of 3 KiB', $encoder->encode(metrics({ device => 'bad' }, gauge('a', point(1, attributes => attributes({ k => 'x' x 3000 }))))), \%json],
    [400, 'a time of long ago', $encoder->encode(metrics({ device => 'bad' }, gauge('a', point(1, timeUnixNano => '1')))), \%json],
    [400, 'a time of next week', $encoder->encode(metrics({ device => 'bad' }, gauge('a', point(1, timeUnixNano => ($now + 604800) . '0' x 9)))), \%json],
    [400, 'buckets that do not fit', $encoder->encode(metrics({ device => 'bad' }, { name => 'h', histogram => { dataPoints => [{ %time, count => 1,
        bucketCounts => [1], explicitBounds => [1, 2] }] } })), \%json],
    [400, 'gzip that is none', '{}', \%gzip],
    [413, 'a bomb', memGzip(' ' x (64 << 20)), \%gzip],
    [415, 'an unknown encoding', '{}', { %json, 'Content-Encoding' => 'br' }],
    [415, 'text', '{}', { 'Content-Type' => 'text/plain' }],
    [400, 'protobuf cut short', substr($good, 0, -2), \%proto],
    [400, 'a wire type that is none', "\x0f\x00", \%proto],
    [400, 'a group', "\x0b\x0c", \%proto],
    [400, 'a length beyond the end', "\x0a\xff\xff\xff\xff\x07", \%proto],
    [400, 'a resource that is a number', bytes(1, uint(1, 7)), \%proto],
    [400, 'a point that is a number', bytes(1, bytes(2, bytes(2, bytes(1, 'a'), bytes(5, uint(1, 7))))), \%proto],
    [400, 'JSON that says it is protobuf', '{"resourceMetrics":[]}', \%proto],
    [400, 'a name that is no text', proto_metrics({ device => 'bad' }, "\xff\xfe", proto_point(1)), \%proto],
    [400, 'an attribute that is no text', proto_metrics({ device => "\xff" }, 'a', proto_point(1)), \%proto],
);
for my $case (@bad) {
    my ($status, $name, $body, $headers) = @$case;
    my $got = $stack->post('/v1/metrics', $body, token => $token, headers => $headers);
    my $is_status = $headers->{'Content-Type'} eq 'application/x-protobuf'
        ? $got->{headers}{'content-type'} eq 'application/x-protobuf' && $got->{content} =~ /\A\x08\x03\x12/
        : $got->{json} && $got->{json}{code} && length $got->{json}{message};
    ok($got->{status} == $status && $is_status && $got->{content} !~ /SELECT|\.c:\d|core\./, "$status: $name")
        or diag "$got->{status} $got->{content}";
}
is($stack->get('/v1/devices/bad', token => $api)->{status}, 404, 'nothing of it was stored');
is(post_proto('/v1/metrics', $good)->{status}, 200, 'then a good one is stored');
is(stored('bad', 'a'), '1', 'and is there');

$answer = $stack->post('/v1/metrics', '{}', headers => \%json);
is("$answer->{status} $answer->{json}{code}", '401 16', 'without a token');
$answer = post_json('/v1/logs', {}, $api);
is("$answer->{status} $answer->{json}{code}", '403 7', 'a token that may not write');
is($stack->get('/v1/metrics', token => $token)->{status}, 405, 'GET is no way to write');
is(post_proto('/v1/metrics', '')->{status}, 200, 'an empty request in protobuf is one');

$unharmed->check;
$stack->stop;
done_testing();
