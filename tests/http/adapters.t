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
