#!/usr/bin/env perl
# Adapters: which conventions a tenant accepts, and its own names, units and kinds for what they
# bring; what is turned off is refused in its convention and can be replayed later.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use Tidemark::Browser;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', $_) for qw(acme other);
my ($admin, $device) = map { $stack->token('acme', $_) } qw(admin device);
my $other = $stack->token('other', 'device');
my $now = int time;

sub put { return $stack->request('PUT', "/v1/plugins/$_[0]", token => $admin, body => $_[1]) }
sub write_line { return $stack->post('/write?db=x&precision=s', $_[0], token => $_[1] // $device, headers => { 'Content-Type' => 'text/plain' }) }

# ---- what may be configured ----

my $wrong = put('influxdb', { kind => 'adapter', config => { device => 'meter', metrics => { 'e.kwh' => { kind => 'sum' } }, url => 'x' } });
is $wrong->{status}, 422, 'a configuration is checked';
is_deeply { map { $_->{field} => $_->{detail} } @{ $wrong->{json}{errors} } },
    {
        'config.device' => 'must be a list of names of tags',
        'config.metrics.e.kwh.kind' => 'must be gauge, counter or delta',
        'config.url' => 'is not known; there are device, devices, labels, metrics',
    },
    'field by field';
is put('mqtt', { kind => 'adapter', config => { url => 'mqtt://broker' } })->{status}, 201, 'but for plugins of one\'s own';
$stack->cli('user', 'add', '--tenant', 'acme', '--email', 'a@x.org', '--role', 'admin', { stdin => "correct horse battery\n" });
my $person = Tidemark::Browser->new($stack);
$person->log_in('a@x.org', 'correct horse battery');
my $page = $person->submit($person->get('/admin/plugins'), '/admin/plugins',
    key => 'otlp', kind => 'adapter', is_enabled => 1, config => '{"labels": {"host.name": 3}}');
is $page->{status}, 422, 'on the page too';
like $page->{content}, qr/labels\.host\.name must be a name, or null\./, 'beside the field';

# ---- names ----

is write_line("energy,meter=m1,room=hall kwh=1,rssi=-60 $now")->{status}, 204, 'line protocol as it is';
is put('influxdb', { kind => 'adapter', config => { device => ['meter'], devices => { m9 => 'main' }, labels => { room => 'place' },
    metrics => { kwh => { name => 'import', unit => 'kWh', kind => 'counter', role => 'grid_import' }, rssi => undef } } })->{status}, 201,
    'its adapter';
$device = $stack->token('acme', 'device'); # of whose tenant nothing is remembered yet
is write_line("energy,meter=m1,room=hall kwh=2,rssi=-61 $now")->{status}, 204, 'from then on';
my $seen = $stack->get('/v1/devices/m1', token => $admin);
is $seen->{status}, 200, 'a tag names the device';
is_deeply [map { [@{$_}{qw(metric unit kind role labels)}] } @{ $seen->{json}{series} }],
    [['import', 'kWh', 'counter', 'grid_import', { place => 'hall' }]], 'with the names, unit, kind and role that were given';
is write_line("energy,meter=m9 kwh=5,x=1 $now")->{status}, 204, 'a device by another key';
is_deeply [map { $_->{value} } @{ $stack->get("/v1/devices/main/samples?metric=import&from=" . ($now - 60), token => $admin)->{json}{items} }], [5],
    'is read under it';
is write_line("energy,meter=m1 rssi=-62 $now")->{status}, 204, 'what is dropped whole is no fault';
is write_line("energy,meter=m1 kwh=1 $now", $other)->{status}, 204, 'another tenant';
is $stack->sql(q{SELECT string_agg(s.metric, ',') FROM core.series s JOIN core.tenant t ON t.id = s.tenant_id AND t.slug = 'other'}), 'kwh', 'has its own names';

# ---- who asks how far it came ----

sub post_form {
    my ($path, $fields, $token) = @_;
    my $body = join '&', map { "$_=" . $fields->{$_} =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger } sort keys %{$fields};
    return $stack->post($path, $body, token => $token, headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
}

# IoTaWatt's questions, by the names that it sends.
sub last_of {
    my ($query, $token) = @_;
    my $answer = post_form('/query?db=x', { epoch => 's', q => $query }, $token // $device);
    return $answer->{json}{results}[0]{series} ? $answer->{json}{results}[0]{series}[0]{values}[0][0] : $answer->{json}{results}[0] && 'none';
}
is last_of(q{SELECT LAST("kwh") FROM energy WHERE meter='m1' AND room='hall'}), $now, 'the last of what the adapter renames';
is last_of(q{SELECT LAST("kwh") FROM energy WHERE meter='m9'}), $now, 'of a device by another key';
is last_of(q{SELECT LAST("kwh") FROM energy WHERE meter='m2'}), 'none', 'but not of one that sent nothing';
is last_of(q{SELECT LAST("rssi") FROM energy WHERE meter='m1'}), 'none', 'nor of what is dropped';
is last_of(q{SELECT LAST("kwh") FROM energy WHERE meter='m1'}, $other), $now, 'another tenant has its own names';
my $flux = $stack->post('/api/v2/query?org=o', <<"QUERY", token => $device, headers => { 'Content-Type' => 'application/vnd.flux' });
from(bucket: "b") |> range(start: @{[$now - 600]}, stop: @{[$now + 60]}) |> filter(fn: (r) =>
(r._measurement == "energy" and r.meter == "m9" and r._field == "kwh"))
|> last() |> map(fn: (r) => ({_measurement: r._measurement, _time: (uint(v:r._time)) / uint(v:1000000000)})) |> sort (columns: ["_time"], desc: true)
QUERY
like $flux->{content}, qr/^,_result,0,energy,$now\r$/m, 'and in Flux';

put('emoncms', { kind => 'adapter', config => { devices => { iota => 'house' }, metrics => { main => { name => 'grid_import_kwh', kind => 'counter' } } } });
$device = $stack->token('acme', 'device');
my $home = $stack->token('acme', 'device', '--device', 'house');
is post_form('/input/post', { node => 'iota', time => $now, fulljson => '{"main":5,"w":7}' }, $device)->{status}, 200, 'emoncms with an adapter';
is_deeply $stack->get('/input/get?node=iota', token => $_)->{json}, { map { $_ => { time => $now, value => undef } } qw(main w grid_import_kwh) },
    'its node and inputs by the names that may be sent' for $device, $home;
is_deeply $stack->get('/input/get?node=iota&name=main', token => $device)->{json}, { time => $now, value => undef }, 'or one of them';
is $stack->get('/input/get?node=iota&name=other', token => $device)->{content}, '"Node variable does not exist"', 'not of others';
is post_form('/input/post', { node => 'iota', time => $now, fulljson => '{"w":8}' }, $home)->{content}, '{"success": true}',
    'a bound token may name its device as the adapter does';
is_deeply [map { $_->{value} } @{ $stack->get("/v1/devices/house/samples?metric=w&from=" . ($now - 60), token => $admin)->{json}{items} }], [8], 'whose it is';

# A bound token's readings are its device's, whatever the adapter says of tags.
$home = $stack->token('acme', 'device', '--device', 'cellar');
is write_line("energy,meter=m7 kwh=3 $now", $home)->{status}, 204, 'a bound token with a tag that would name a device';
is_deeply [map { [@{$_}{qw(metric labels)}] } @{ $stack->get('/v1/devices/cellar', token => $admin)->{json}{series} }], [['energy.kwh', { meter => 'm7' }]],
    'which is a label';
is last_of(q{SELECT LAST("kwh") FROM energy WHERE meter='m7'}, $home), $now, 'and is found again';
is $stack->get('/v1/devices/m7', token => $admin)->{status}, 404, 'it has made no other';

# What was stored past the checks is not stored unmapped.
$stack->sql(q{UPDATE core.plugin SET config = '{"device": "meter"}' WHERE key = 'influxdb'});
$device = $stack->token('acme', 'device');
my $unknown = write_line("energy,meter=m8 kwh=3 $now");
is $unknown->{status}, 503, 'settings that are not understood: later';
like $unknown->{content}, qr/^\{"error":"This tenant's settings .*\(influxdb\) are not understood: device must be a list/, 'with what is wrong';
ok $unknown->{headers}{'retry-after'}, 'and when';
is post_form('/query', { q => 'SELECT LAST("kwh") FROM energy' }, $device)->{status}, 503, 'who asks is told the same';

# ---- what is accepted ----

put($_, { kind => 'adapter', is_enabled => JSON::PP::false() }) for qw(influxdb emoncms thingsboard otlp prometheus collectd pvoutput events);
$device = $stack->token('acme', 'device');
my $refused = write_line("energy,meter=m2 kwh=3 $now");
is $refused->{status}, 403, 'a convention is turned off';
like $refused->{content}, qr/^\{"error":"This tenant has turned off what is sent this way \(influxdb\)/, 'and says so in its way';
for my $case (
    ['/api/v2/write?bucket=x', 'm a=1', 'text/plain', 403, qr/"code":"forbidden"/],
    ['/v1/metrics', '{}', 'application/json', 403, qr/turned off/],
    ['/api/v1/write', '', 'application/x-protobuf', 403, qr/turned off/],
    ['/collectd', '[]', 'application/json', 403, qr/turned off/],
    ['/input/post', 'node=m&json={a:1}', 'application/x-www-form-urlencoded', 403, qr/"success": ?false/],
    ["/api/v1/$device/telemetry", '{"a":1}', 'application/json', 403, qr/turned off/],
    ['/v1/event', '{"device":"m","metrics":{"a":1}}', 'application/json', 403, qr/"title":"Not allowed"/],
) {
    my ($path, $body, $type, $status, $words) = @{$case};
    my $answer = $stack->post($path, $body, token => $path =~ /telemetry/ ? undef : $device, headers => { 'Content-Type' => $type });
    is $answer->{status}, $status, "so is $path" =~ s/\Q$device/…/r;
    like $answer->{content}, $words, '  in its shape';
}
is write_line("energy,meter=m1 kwh=2 $now", $other)->{status}, 204, 'another tenant goes on';
my $kept = [];
my $deadline = time + 10;
do { $kept = $stack->get('/v1/rejects?convention=influx1', token => $admin)->{json}{items} } until @{$kept} || time > $deadline || !sleep 0.1;
like $kept->[0]{reason}, qr/turned off/, 'what was refused is kept';
is $stack->request('DELETE', '/v1/plugins/influxdb', token => $admin)->{status}, 204, 'without the adapter';
is write_line("energy,meter=m2 kwh=4 $now", $stack->token('acme', 'device'))->{status}, 204, 'the convention is as it was';
is $stack->post("/v1/rejects/$kept->[0]{id}/replay", '', token => $admin)->{status} < 300, 1, 'and it is replayed';
$deadline = time + 15;
my $state;
do { $state = $stack->sql("SELECT state FROM core.reject WHERE id = $kept->[0]{id}") } until $state eq 'replayed' || time > $deadline || !sleep 0.1;
is $state, 'replayed', 'as it is now';

done_testing;
