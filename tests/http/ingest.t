#!/usr/bin/perl
# Ingest as devices see it: the shapes of bodies, counts, duplicates and corrections, partial
# rejections, bound and backfill tokens, the dry run, and what is readable right after 2xx.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Compress::Zlib qw(memGzip);
use Time::HiRes qw(time);
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
my $token = $stack->token('acme', 'device');
my $bound = $stack->token('acme', 'device', '--device', 'bound-1');
my $api = $stack->token('acme', 'api');
my $now = int time;

sub send_is {
    my ($name, $path, $body, $expected, %option) = @_;
    my $answer = $stack->post($path, $body, token => $token, %option);
    my %got = map { $_ => $answer->{json}{$_} } grep { $_ ne 'status' } keys %{$expected};
    is_deeply({ status => $answer->{status}, %got }, $expected, $name) or diag($answer->{content});
    return $answer;
}

my %new = (status => 200, accepted => 1, duplicates => 0, updated => 0, rejected => 0);
my %json = ('Content-Type' => 'application/json');

# ---- one event ----

my $event = { device => 'meter-0042', time => $now, seq => 17, site => 'roof', data => { firmware => '2.1' },
    metrics => { energy_kwh => 1.234, voltage_v => 229.9 } };
send_is('an event', '/v1/event', $event, { %new });
send_is('again', '/v1/event', $event, { status => 200, accepted => 0, duplicates => 1, updated => 0 });
$event->{metrics}{voltage_v} = 230.1;
send_is('corrected', '/v1/event', $event, { status => 200, accepted => 0, duplicates => 0, updated => 1 });
my $samples = $stack->get("/v1/devices/meter-0042/samples?metric=voltage_v&from=" . ($now - 60), token => $api);
is_deeply([map { $_->{value} } @{ $samples->{json}{items} }], [230.1], 'what was answered 200 is readable at once');
my $events = $stack->get('/v1/events?device=meter-0042', token => $api);
is_deeply([map { [@{$_}{qw(type seq site data)}] } @{ $events->{json}{items} }],
    [['telemetry', 17, 'roof', { firmware => '2.1' }]], 'and so is the event');
is($stack->get('/v1/devices/meter-0042', token => $api)->{json}{site}, 'roof', 'a new device is at the site it names');
send_is('from another site', '/v1/event', { device => 'meter-0042', time => $now + 1, site => 'cellar', type => 'moved' }, { %new });
is($stack->get('/v1/devices/meter-0042', token => $api)->{json}{site}, 'roof', 'and stays there');
send_is('from a client that does not say what it sends', '/v1/event', qq({"device":"plain","time":$now,"metrics":{"a":1}}),
    { %new }, headers => { 'Content-Type' => 'application/octet-stream' });
send_is('or says what curl says', '/v1/event', qq({"device":"plain","time":$now,"metrics":{"c":1}}), { %new },
    headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
send_is('with a charset', '/v1/event', qq({"device":"plain","time":$now,"metrics":{"b":1}}), { %new },
    headers => { 'Content-Type' => 'application/json; charset=utf-8' });

# ---- events that name neither id nor seq ----

my $content = sub { return qq({"device":"c","type":"cycle","time":$now,$_[0]}) };
send_is('an event that is its content', '/v1/event', $content->('"data":{"a":1,"b":{"x":[1,2],"y":"z"}},"metrics":{"m":1,"n":2}'), { %new });
for my $case (
    [1, 'itself again', '"data":{"a":1,"b":{"x":[1,2],"y":"z"}},"metrics":{"m":1,"n":2}'],
    [1, 'with other white space', '"data": {"a": 1, "b": {"x": [1, 2],  "y" : "z" } }, "metrics": {"m": 1, "n": 2}'],
    [1, 'with its members in another order', '"metrics":{"n":2,"m":1},"data":{"b":{"y":"z","x":[1,2]},"a":1}'],
    [0, 'with a list in another order', '"data":{"a":1,"b":{"x":[2,1],"y":"z"}},"metrics":{"m":1,"n":2}'],
    [0, 'with two values exchanged', '"data":{"a":1,"b":{"x":"z","y":[1,2]}},"metrics":{"m":1,"n":2}'],
    [0, 'with a member at another depth', '"data":{"a":1,"x":[1,2],"b":{"y":"z"}},"metrics":{"m":1,"n":2}'],
    [0, 'with a string for a number', '"data":{"a":"1","b":{"x":[1,2],"y":"z"}},"metrics":{"m":1,"n":2}'],
    [0, 'with a list in a list', '"data":{"a":1,"b":{"x":[[1],2],"y":"z"}},"metrics":{"m":1,"n":2}'],
    [0, 'without data', '"metrics":{"m":1,"n":2}'],
) {
    my ($is_same, $name, $fields) = @$case;
    send_is($name, '/v1/event', $content->($fields), { %new, accepted => 1 - $is_same, duplicates => $is_same });
}

# ---- batches ----

my $lines = join "\n", map { qq({"device":"m$_","time":$now,"metrics":{"a":$_}}) } 1 .. 3;
my %three = (%new, accepted => 3);
send_is('a list', '/v1/events/batch', '[' . $lines =~ s/\n/,/gr . ']', { %three }, headers => \%json);
send_is('an object around it', '/v1/events/batch', '{"events":[' . $lines =~ s/\n/,/gr . ']}',
    { %three, accepted => 0, duplicates => 3 }, headers => \%json);
send_is('NDJSON', '/v1/events/batch', $lines =~ s/"a"/"b"/gr, { %three },
    headers => { 'Content-Type' => 'application/x-ndjson' });
my $csv = join "\n", 'time,device,metric,value', map { "@{[$now - $_]},csv,a,$_" } 1 .. 3;
send_is('CSV', '/v1/events/batch', $csv, { %three }, headers => { 'Content-Type' => 'text/csv; charset=utf-8' });
my $wide = send_is('CSV, a metric a column', '/v1/events/batch', "date,device,b,c\n@{[$now - 9]},csv,1,2\nnever,csv,1,2\n@{[$now - 8]},csv,,3\n",
    { status => 207, accepted => 2, duplicates => 0, updated => 0, rejected => 1 }, headers => { 'Content-Type' => 'text/csv' });
is_deeply($wide->{json}{errors}, [{ index => 1, field => 'time', detail => '"never" is not a time' }], '  each record has its place');
send_is('CSV is no single event', '/v1/event', $csv, { status => 415 }, headers => { 'Content-Type' => 'text/csv' });
send_is('gzip', '/v1/events/batch', memGzip('[' . $lines =~ s/"a"/"c"/gr =~ s/\n/,/gr . ']'), { %three },
    headers => { %json, 'Content-Encoding' => 'gzip' });
my $many = '[' . join(',', map { qq({"device":"many","time":@{[($now - 9000) * 1000 + $_]},"metrics":{"a":$_}}) } 1 .. 10_000) . ']';
send_is('10,000 events', '/v1/events/batch', $many, { %new, accepted => 10_000 }, headers => \%json);
send_is('and again', '/v1/events/batch', $many, { %new, accepted => 0, duplicates => 10_000 }, headers => \%json);

for my $dots ('.', '..') {
    send_is("a device $dots has no address", '/v1/event', { device => $dots, time => $now, metrics => { a => 1 } }, { status => 422 });
    send_is("nor a site $dots", '/v1/event', { device => 'd', site => $dots, time => $now, metrics => { a => 1 } }, { status => 422 });
}

my $partial = send_is('good ones among bad ones are kept', '/v1/events/batch',
    [{ device => 'p', time => $now, metrics => { a => 1 } }, { metrics => { a => 1 } }, { device => 'p', metrics => { a => undef } }],
    { status => 207, accepted => 1, duplicates => 0, updated => 0, rejected => 2 });
is_deeply($partial->{json}{errors},
    [{ index => 1, field => 'device', detail => 'no device: neither the event names one nor does the token' },
     { index => 2, field => 'metrics', detail => 'metric "a" is null, not a number' }], 'each bad one is named with its reason');
my $none = send_is('none good', '/v1/events/batch', [{}, 7], { status => 422 });
is($none->{headers}{'content-type'}, 'application/problem+json', 'is a problem');
is_deeply([map { $_->{index} } @{ $none->{json}{errors} }], [0, 1], 'with the list of errors');

# ---- tokens ----

send_is('a bound token needs no device', '/v1/event', { time => $now, metrics => { a => 1 } }, { %new }, token => $bound);
send_is('may name its own', '/v1/event', { device => 'bound-1', time => $now, metrics => { b => 1 } }, { %new }, token => $bound);
send_is('but no other', '/v1/event', { device => 'm1', metrics => { a => 1 } }, { status => 403 }, token => $bound);
my $mixed = send_is('an item of a batch neither', '/v1/events/batch', [{ device => 'm1', metrics => { a => 1 } }],
    { status => 422 }, token => $bound);
is($mixed->{json}{errors}[0]{detail}, 'the token is for another device', 'for that reason');
send_is('an api token may not ingest', '/v1/event', $event, { status => 403 }, token => $api);
my $old = { device => 'old', time => '2001-02-03T04:05:06Z', metrics => { a => 1 } };
send_is('old samples are rejected', '/v1/event', $old, { status => 422 });
send_is('but from a backfill token', '/v1/event', $old, { %new },
    token => $stack->token('acme', 'device', '--backfill'));
send_is('nothing is older than 1600', '/v1/event', { %$old, time => $_ }, { status => 422 },
    token => $stack->token('acme', 'device', '--backfill')) for '1599-12-31T23:59:59Z', '0001-01-01T00:00:00Z', -99999999999;
send_is('which is not refused', '/v1/event', { %$old, time => '1600-01-01T00:00:00Z' }, { %new },
    token => $stack->token('acme', 'device', '--backfill'));

# ---- dry run ----

my $dry = { device => 'dry', type => 'boot', time => $now, metrics => { a => 1 } };
send_is('a dry run says what would be', '/v1/event?dry_run=1', $dry, { %new, dry_run => JSON::PP::true });
is($stack->get('/v1/devices/dry', token => $api)->{status}, 404, 'and stores nothing');
send_is('so for real it is still new', '/v1/event', $dry, { %new });
send_is('then a dry run sees a duplicate', '/v1/event?dry_run=1', $dry, { status => 200, accepted => 0, duplicates => 1 });

for my $value ('2', 'yes', 'True', '') {
    send_is("dry_run='$value' is refused and not taken for a no", "/v1/event?dry_run=$value",
        { device => 'dry2', metrics => { a => 1 } }, { status => 422 });
}
is($stack->get('/v1/devices/dry2', token => $api)->{status}, 404, 'nothing of it was stored');
send_is('dry_run=0 stores', '/v1/event?dry_run=0', { device => 'dry2', metrics => { a => 1 } }, { %new });

# ---- registration ----

$stack->sql(q{UPDATE core.tenant SET auto_register = false WHERE slug = 'acme'});
my $strict = $stack->token('acme', 'device'); # not in the cache of tokens yet
my $unknown = send_is('without registration an unknown device is rejected', '/v1/event',
    { device => 'stranger', metrics => { a => 1 } }, { status => 422 }, token => $strict);
like($unknown->{json}{detail}, qr/"stranger" is not registered/, 'by name');
send_is('a known one is not', '/v1/event', { device => 'm1', time => $now, metrics => { new => 1 } }, { %new }, token => $strict);

# ---- counted ----

my $metrics = $stack->get('/metrics')->{content};
my ($accepted) = $metrics =~ /^tidemark_ingest_events_total\{.*accepted.*\} (\d+)/m;
cmp_ok($accepted, '>=', 10_000, 'events are counted at /metrics');

$stack->stop;
done_testing;
