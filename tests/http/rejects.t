#!/usr/bin/perl
# Receipts and what was not stored: every answer has its number; what was rejected is kept with its
# reason and without credentials, can be listed, replayed and removed by its tenant alone; and for
# every hour received = accepted + duplicates + updated + rejected, after a killed process too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use HTTP::Tiny;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Time::HiRes qw(sleep time);
use Tidemark::Browser;
use Tidemark::Processes;
use Tidemark::Proto qw(uint double bytes snappy);
use Tidemark::Convention;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', $_) for qw(home mills);
$stack->cli('user', 'add', '--tenant', 'home', '--email', "$_->[0]\@home.example", '--role', $_->[1], { stdin => "a long enough password\n" })
    for ['ada', 'admin'], ['vic', 'viewer'];
my $token = $stack->token('home', 'device');
my $hex = $stack->token('home', 'device', '--hex');
my $board = $stack->token('home', 'device', '--device', 'via-board');
my $bound = $stack->token('home', 'device', '--device', 'bound-1');
my ($admin, $reader, $other) = ($stack->token('home', 'admin'), $stack->token('home', 'api'), $stack->token('mills', 'admin'));
my $now = int time;
my @FIGURES = qw(received accepted duplicates updated rejected replayed dropped refused);

# Waits until the condition holds; what it answered last.
sub await {
    my ($is_true) = @_;
    my $deadline = time + 20;
    while (1) {
        my $answer = $is_true->();
        return $answer if $answer || time > $deadline;
        sleep 0.05;
    }
}

# The tenant's accounts of all hours together.
sub accounts {
    my %sum = map { $_ => 0 } @FIGURES;
    for my $hour (@{ $stack->get('/v1/ingest/hours', token => $admin)->{json}{items} }) {
        $sum{$_} += $hour->{$_} for @FIGURES;
    }
    return \%sum;
}

sub holds { my ($sum) = @_; return $sum->{received} == $sum->{accepted} + $sum->{duplicates} + $sum->{updated} + $sum->{rejected} }

# Waits for as many as were received by now, and compares all figures.
sub accounts_are {
    my ($expected, $name) = @_;
    my %all = ((map { $_ => 0 } @FIGURES), %$expected);
    await(sub { accounts()->{received} >= $all{received} });
    is_deeply(accounts(), \%all, $name);
    return;
}

sub rejects { my ($query) = @_; return $stack->get('/v1/rejects' . ($query // ''), token => $admin)->{json}{items} }
sub await_rejects { my ($n, $query) = @_; await(sub { @{ rejects($query) } >= $n }); return rejects($query) }
sub reject { my ($id) = @_; return $stack->get("/v1/rejects/$id", token => $admin)->{json} }

# Waits until a replay has come to an end.
sub await_replayed { my ($id) = @_; await(sub { reject($id)->{state} ne 'pending' }); return reject($id) }

# ---- every answer has its number ----

my @ASKED = (
    ['POST', '/v1/event', '{}', $token], ['POST', '/v1/event', '{}', undef], ['POST', '/v1/event', '{}', $reader],
    ['POST', '/v1/events/batch', '[', $token], ['GET', '/v1/event', undef, $token], ['PUT', '/v1/nowhere', 'x', undef],
    ['POST', '/v1/event', 'x' x (10 * 1024 * 1024 + 1), $token], ['TRACE', '/v1/event', undef, undef], ['GET', '/v1/event/%zz', undef, undef],
    (map { ['POST', $_, 'nonsense', $_[0]] } '/write', '/api/v2/write', '/input/post', '/input/bulk', '/api/v1/x/telemetry',
        '/api/v1/write', '/v1/metrics', '/v1/logs', '/collectd', '/acquisuite', '/egauge', '/service/r2/addstatus.jsp'),
);
my @unnumbered = grep { ($_->{headers}{'x-request-id'} // '') !~ /^[0-9a-f]{32}$/ }
    map { $stack->request($_->[0], $_->[1], defined $_->[2] ? (body => $_->[2]) : (), $_->[3] ? (token => $_->[3]) : ()) } @ASKED;
is_deeply([map { "$_->{status} $_->{url}" } @unnumbered], [], 'every answer of ingest has its number, nginx\'s own too');
like($stack->raw("GET / HTTP/9.9\r\n\r\n"), qr/^X-Request-Id: [0-9a-f]{32}\r$/m, 'also that to something else than HTTP');

# Two of them were bodies that could not be stored: '{}' and '['.
accounts_are({ received => 2, rejected => 2 }, 'what came without a token of ours is nobody\'s, what nginx refused too');
$stack->request('DELETE', '/v1/rejects', token => $admin);
is_deeply(rejects(), [], 'all can be removed');

# ---- a mixed load ----

my %json = ('Content-Type' => 'application/json');
my $good = { device => 'meter', time => $now, metrics => { power_w => 1 } };
my @answers;
push @answers, $stack->post('/v1/event', $good, token => $token);
push @answers, $stack->post('/v1/event', $good, token => $token);
push @answers, $stack->post('/v1/event', { %$good, metrics => { power_w => 2 } }, token => $token);
push @answers, $stack->post('/v1/events/batch', [map { { device => 'meter', time => $now - $_, metrics => { a => $_ } } } 1 .. 20], token => $token);
push @answers, my $mixed = $stack->post('/v1/events/batch', [
    { device => 'meter', time => $now, metrics => { b => 1 } }, 17, { device => 'meter', time => $now + 90_000, metrics => { c => 1 } },
    { device => 'meter', metrics => { d => 'a string', e => undef } }], token => $token);
push @answers, my $cut = $stack->post('/v1/event', '{"device":"meter","metrics":{"a":1}', token => $token, headers => \%json);
push @answers, my $type = $stack->post('/v1/event', '<a/>', token => $token, headers => { 'Content-Type' => 'text/xml' });
push @answers, $stack->post('/v1/events/batch', my $noise = '[' . join(',', map { sprintf '{"device":"%s"}', join '', map { sprintf '%08x', rand 2**32 } 1 .. 20 } 1 .. 10_001) . ']', token => $token, headers => \%json);
push @answers, my $stranger = $stack->post('/v1/event', { device => 'stranger', metrics => { a => 1 } }, token => $bound);
push @answers, $stack->post('/v1/event?dry_run=1', { device => 'meter', metrics => {} }, token => $token);
push @answers, my $lines = $stack->post('/v1/events/batch', qq({"device":"meter","metrics":{"f":1},"time":$now}\nnot "$token" JSON\n), token => $token,
    headers => { 'Content-Type' => 'application/x-ndjson' });
is_deeply([map { $_->{status} } @answers], [200, 200, 200, 200, 207, 400, 415, 413, 403, 422, 207], 'a mixed load is answered');
my %sum = (received => 35, accepted => 1 + 20 + 1 + 1, duplicates => 1, updated => 1, rejected => 2 + 3 + 1 + 1 + 1 + 1 + 1, replayed => 0);
accounts_are(\%sum, 'every item is accounted for, and a dry run is none');

my %metric = map { /^tidemark_ingest_(\w+?)_total(?:\{\w+="(\w+)"\})? (\d+)/ ? ($1 . ($2 ? "_$2" : '') => $3) : () }
    split /\n/, $stack->get('/metrics')->{content};
is($metric{received}, $metric{events_accepted} + $metric{events_duplicate} + $metric{events_updated} + $metric{events_rejected},
    'the metrics add up too');
is_deeply([@metric{qw(received events_rejected rejects_kept rejects_dropped)}], [$sum{received}, $sum{rejected}, $sum{rejected}, 0], 'to the same');

# ---- what is kept ----

my $list = await_rejects(8);
is(scalar @$list, 8, 'each rejection of them is kept') or diag(explain($list));
my @by_request = grep { $_->{request_id} eq $mixed->{headers}{'x-request-id'} } @$list;
is_deeply([map { $_->{index} } reverse @by_request], [1, 2, 3], 'items have their place in their request');
is($by_request[2]{text}, '17', 'their own text');
is($by_request[2]{reason}, 'an event is an object', 'and their reason');
is($by_request[1]{device}, 'meter', 'and their device');
is_deeply(decode_json($by_request[1]{text}), { device => 'meter', time => $now + 90_000, metrics => { c => 1 } }, 'all of it');
my ($body) = grep { $_->{request_id} eq $cut->{headers}{'x-request-id'} } @$list;
is_deeply([@{$body}{qw(index text size method target content_type)}],
    [undef, '{"device":"meter","metrics":{"a":1}', 35, 'POST', '/v1/event', 'application/json'], 'a body that was cut is kept as it came');
like($body->{reason}, qr/^the body is not JSON/, 'with the reason that was answered');
my ($huge) = grep { $_->{reason} =~ /more than 10000/ } @$list;
is_deeply([$huge->{replayable}, $huge->{size}], [JSON::PP::false, length $noise], 'of a very long one the beginning');
is(length reject($huge->{id})->{text}, 8192, '8 KiB');
my ($secret) = grep { $_->{request_id} eq $lines->{headers}{'x-request-id'} } @$list;
like($secret->{text}, qr/^not "tmk_x+" JSON$/, 'a token in it is crossed out');
is($stack->sql("SELECT count(*) FROM core.reject WHERE strpos(encode(text, 'escape') || target, '$token') > 0"), 0, 'and nowhere to be found');
my ($theirs) = grep { $_->{request_id} eq $stranger->{headers}{'x-request-id'} } @$list;
is($theirs->{reason}, 'the token is for another device', 'a bound token\'s too');

is_deeply([map { $_->{id} } @{ rejects('?reason=24+HOURS') }], [$by_request[1]{id}], 'by a part of the reason');
is_deeply([map { $_->{id} } @{ rejects('?device=stranger') }], [$theirs->{id}], 'by device');
is_deeply([map { $_->{id} } @{ rejects('?convention=event&reason=not+JSON') }], [$body->{id}], 'by convention');
is_deeply(rejects('?state=replayed'), [], 'by state');
is_deeply(rejects('?to=' . ($now - 60)), [], 'by time');
is($stack->get('/v1/rejects?state=lost', token => $admin)->{status}, 422, 'there are no other states');
my $first = $stack->get('/v1/rejects?limit=3', token => $admin)->{json};
my $rest = $stack->get("/v1/rejects?limit=100&cursor=$first->{next}", token => $admin)->{json};
is_deeply([map { $_->{id} } @{ $first->{items} }, @{ $rest->{items} }], [map { $_->{id} } @$list], 'page by page');
like($stack->get('/v1/rejects?format=csv', token => $admin)->{content}, qr/^id,time,request_id,token,device,convention,index,field,reason,/, 'as CSV');

# ---- whose they are ----

is($stack->get($_, token => $reader)->{status}, 403, "$_ is for admins") for '/v1/rejects', "/v1/rejects/$body->{id}", '/v1/ingest/hours';
is_deeply([map { $_->{json}{items} } map { $stack->get($_, token => $other) } '/v1/rejects', '/v1/ingest/hours'], [[], []], 'another tenant has none');
for my $case (['GET', ''], ['POST', '/replay'], ['DELETE', '']) {
    is($stack->request($case->[0], "/v1/rejects/$body->{id}$case->[1]", token => $other)->{status}, 404, "$case->[0] of another tenant's");
}
is($stack->post('/v1/rejects/replay', undef, token => $other)->{json}{pending}, 0, 'nor do they all reach it');

# ---- replays ----

is($stack->request('PATCH', '/v1/tenant', token => $admin, body => { auto_register => JSON::PP::false })->{status}, 200, 'unknown devices are refused now');
$token = $stack->token('home', 'device');    # a token's settings are remembered for some seconds
my $refused = $stack->post('/v1/events/batch', [map { { device => "new-$_", metrics => { a => $_ } } } 1 .. 3], token => $token);
is($refused->{status}, 422, 'they are');
$sum{$_} += 3 for qw(received rejected);

# A body of five hundred items is kept once for all of them, and whole.
my $bulk = join '', map { my $i = $_;
    bytes(1, bytes(1, bytes(1, '__name__'), bytes(2, 'v')), bytes(1, bytes(1, 'device'), bytes(2, 'bulky')), bytes(1, bytes(1, 'n'), bytes(2, $i)),
        map { bytes(2, double(1, $_), uint(2, ($now - 10 * $i - $_) * 1000)) } 1 .. 10) } 1 .. 50;
cmp_ok(length $bulk, '>', 8192, 'a long body');
is($stack->post('/api/v1/write', snappy($bulk), token => $token, headers => { 'Content-Type' => 'application/x-protobuf', 'Content-Encoding' => 'snappy' })->{status},
    400, 'of a device that is not known');
my ($bulky) = @{ await_rejects(1, '?device=bulky') };
is_deeply([@{$bulky}{qw(index size replayable)}], [undef, length $bulk, JSON::PP::true], 'is kept as a whole');
is($bulky->{reason}, 'device "bulky" is not registered (and 499 more of its items)', 'with how many it stands for');

# A longer one is kept packed, and is as good.
my $long = join '', map { my $i = $_;
    bytes(1, bytes(1, bytes(1, '__name__'), bytes(2, 'v')), bytes(1, bytes(1, 'device'), bytes(2, 'packed')), bytes(1, bytes(1, 'n'), bytes(2, $i . 'x' x 1900)),
        bytes(2, double(1, $i), uint(2, $now * 1000))) } 1 .. 350;
cmp_ok(length $long, '>', 512 * 1024, 'a very long body');
is($stack->post('/api/v1/write', snappy($long), token => $token, headers => { 'Content-Type' => 'application/x-protobuf', 'Content-Encoding' => 'snappy' })->{status},
    400, 'of a device that is not known');
my ($packed) = @{ await_rejects(1, '?device=packed') };
is_deeply([@{$packed}{qw(index size replayable text)}], [undef, length $long, JSON::PP::true, undef], 'is kept as a whole');
my $frame = reject($packed->{id})->{base64url};
ok($frame =~ /^KLUv_/ && length $frame < 50_000, 'packed');    # the four bytes that begin a frame of zstd

# A record of CSV is kept with its header.
my $late = $stack->post('/v1/events/batch', qq(time,device,note,x\n$now,meter,fine,41\n$now,"late comer","a ""b"", c",42\n), token => $token,
    headers => { 'Content-Type' => 'text/csv' });
is_deeply([$late->{status}, $late->{json}{errors}], [207, [{ index => 1, field => 'device', detail => 'device "late comer" is not registered' }]],
    'a record of CSV is refused');
my ($comer) = @{ await_rejects(1, '?reason=late+comer') };
is($comer->{text}, qq(time,device,note,x\n$now,"late comer","a ""b"", c",42), 'and kept so that it can stand by itself');
for my $case (['bulky', $bulky], ['packed', $packed], ['late comer', $comer]) {
    is($stack->post('/v1/devices', { key => $case->[0] }, token => $admin)->{status}, 201, "$case->[0] is registered");
    $stack->post("/v1/rejects/$case->[1]{id}/replay", undef, token => $admin);
    is_deeply([@{ await_replayed($case->[1]{id}) }{qw(state outcome)}], ['replayed', 'accepted'], '  and what it sent replayed');
}
is($stack->sql(q{SELECT string_agg(DISTINCT n::text, ' ') FROM (SELECT count(*) AS n FROM core.sample x JOIN core.series s ON s.id = x.series_id
    JOIN core.device d ON d.id = s.device_id AND d.key = 'bulky' GROUP BY s.id) c HAVING count(*) = 50}), '10', 'all of it is there');
is($stack->sql(q{SELECT count(*), sum(value) FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id AND d.key = 'packed'}),
    '350|' . 350 * 351 / 2, 'of the packed one, too');
is_deeply([map { $_->{value} } @{ $stack->get("/v1/devices/late%20comer/samples?metric=x&from=@{[$now - 60]}", token => $reader)->{json}{items} }], [42], 'the record, too');
$sum{received} += 852 + 851; $sum{rejected} += 851; $sum{accepted} += 1 + 851; $sum{replayed} += 851;

# Every convention has a device that is not known: [what, device, method, address, headers, body].
my $key = $hex =~ s/^tmk_//r;    # as emoncms has them
my @berlin = do { local $ENV{TZ} = 'UTC'; POSIX::tzset(); (strftime('%Y%m%d', gmtime $now - 600), strftime('%H:%M', gmtime $now - 600)) };
my %form = ('Content-Type' => 'application/x-www-form-urlencoded');
my $sealer = $stack->token('home', 'device', '--encrypted');
my $sealed = Tidemark::Convention->seal({ id => $stack->sql('SELECT max(id) FROM core.token'), key => substr $sealer, 4 },
    '/input/post', "node=via-sealed&json={v:7}&time=@{[$now - 5]}");
my %otlp = (resource => { attributes => [{ key => 'device', value => { stringValue => 'via-otlp' } }] });
my @SENT = (
    ['line protocol', 'via-influx', POST => "/write?db=x&precision=s&u=x&p=$token", {}, "m,device=via-influx v=7 @{[$now - 5]}\nm,device=meter v=7 @{[$now - 5]}\n"],
    ['line protocol 2', 'via-influx-2', POST => '/api/v2/write?org=o&bucket=b', { Authorization => "Token $token" }, 'm,device=via-influx-2 v=7'],
    ['emoncms', 'via-emoncms', GET => "/input/post?node=via-emoncms&json={v:7}&apikey=$key", {}, undef],
    ['an emoncms form', 'via-form', POST => '/input/post', \%form, "apikey=$key&node=via-form&fulljson=%7B%22v%22%3A7%7D"],
    ['emoncms bulk', 'via-bulk', POST => "/input/bulk?devicekey=$key", \%form, 'time=' . ($now - 9) . '&data=[[0,"meter",5],[1,"via-bulk",{"v":7}]]'],
    ['PVOutput', '4711', GET => "/service/r2/addstatus.jsp?d=$berlin[0]&t=$berlin[1]&v7=7", { 'X-Pvoutput-Apikey' => $token, 'X-Pvoutput-SystemId' => '4711' }, undef],
    ['a PVOutput form', '4712', POST => '/service/r2/addbatchstatus.jsp', \%form, "key=$token&sid=4712&data=$berlin[0],$berlin[1],-1,7"],
    ['collectd', 'via-collectd', POST => '/collectd', { %json, Authorization => "Bearer $token" }, '[{"values":[7],"dstypes":["gauge"],"dsnames":["value"],'
        . qq("time":$now,"interval":10,"host":"via-collectd","plugin":"load","plugin_instance":"","type":"load","type_instance":""}])],
    ['AcquiSuite', 'via-gate-1', POST => '/acquisuite', { 'Content-Type' => 'multipart/form-data; boundary=b', Authorization => 'Basic ' . encode_base64("x:$token", '') },
        join('', map { "--b\r\nContent-Disposition: form-data; name=\"$_->[0]\"\r\n\r\n$_->[1]\r\n" } [MODE => 'LOGFILEUPLOAD'], [SERIALNUMBER => 'via-gate'],
            [PASSWORD => $token], [MODBUSDEVICE => 1], [LOGFILE => strftime(q('%Y-%m-%d %H:%M:%S',0,0,0,7), gmtime $now - 60)]) . "--b--\r\n"],
    ['eGauge', 'via-egauge', POST => '/egauge', { 'Content-Type' => 'text/xml', Authorization => 'Basic ' . encode_base64("x:$token", '') },
        qq(<group serial="via-egauge"><data time_stamp="@{[$now - 5]}" time_delta="1"><cname>v</cname><r><c>7</c></r></data></group>)],
    ['encrypted emoncms', 'via-sealed', POST => '/input/post', @{$sealed}[3, 5]],
    ['OTLP', 'via-otlp', POST => '/v1/metrics', { %json, Authorization => "Bearer $token" }, encode_json({ resourceMetrics => [{ %otlp,
        scopeMetrics => [{ metrics => [{ name => 'v', gauge => { dataPoints => [{ timeUnixNano => $now . '0' x 9, asDouble => 7 }] } }] }] }] })],
    ['remote write', 'via-prometheus', POST => '/api/v1/write', { 'Content-Type' => 'application/x-protobuf', 'Content-Encoding' => 'snappy', Authorization => "Bearer $token" },
        snappy(bytes(1, bytes(1, bytes(1, '__name__'), bytes(2, 'v')), bytes(1, bytes(1, 'device'), bytes(2, 'via-prometheus')), bytes(2, double(1, 7), uint(2, $now * 1000))))],
);
push @SENT, ['ThingsBoard', 'via-board', POST => "/api/v1/$board/telemetry", \%json, '[{"ts":' . ($now - 100 * 86_400) . '000,"values":{"v":7}}]'];    # too old
my %receipt;
for my $sent (@SENT) {
    my ($what, $device, $method, $path, $headers, $content) = @$sent;
    my $answer = $stack->request($method, $path, headers => $headers, defined $content ? (body => $content) : ());
    ok($answer->{status} >= 200 && $answer->{status} < 500 && $answer->{status} != 401, "$what is understood") or diag(explain($answer));
    $receipt{$device} = $answer->{headers}{'x-request-id'};
}
$sum{received} += 16; $sum{rejected} += 14; $sum{accepted} += 2;
my @new = reverse @{ await_rejects(3, '?reason=new-') };
my %via;
await(sub { %via = map { $_->{device} => $_ } grep { $receipt{ $_->{device} // '' } } @{ rejects('?limit=1000') }; keys %via == keys %receipt });
is_deeply({ map { $_ => $via{$_}{request_id} } keys %receipt }, \%receipt, 'what each convention sent in vain is kept, by its receipt');
is_deeply([map { $_->{device} } grep { !$_->{replayable} } values %via], [], 'and whole');
is($stack->sql("SELECT string_agg(device, ' ') FROM core.reject WHERE strpos(concat_ws(' ', encode(text, 'escape'), target, content_type, reason), '$key') > 0"
    . " OR strpos(concat_ws(' ', encode(text, 'escape'), target), '@{[substr $token, 4]}') > 0"), '', 'without its credentials, whatever place they were in');
is_deeply([map { $_->{reason} } @new], [map { qq(device "new-$_" is not registered) } 1 .. 3], 'and kept');
is($stack->post("/v1/rejects/$new[0]{id}/replay", undef, token => $admin)->{status}, 202, 'a replay is taken on');
my $again = await_replayed($new[0]{id});
is_deeply([@{$again}{qw(state attempts reason outcome)}], ['kept', 1, 'device "new-1" is not registered', undef], 'and refused again');
$sum{$_}++ for qw(received rejected replayed);
is($stack->request('PATCH', '/v1/tenant', token => $admin, body => { auto_register => JSON::PP::true })->{status}, 200, 'the cause is mended');
is($stack->post("/v1/rejects/$new[0]{id}/replay", undef, token => $admin)->{json}{pending}, 1, 'it is marked again');
is_deeply([@{ await_replayed($new[0]{id}) }{qw(state outcome)}], ['replayed', 'accepted'], 'and stored');
my $sample = $stack->get('/v1/devices/new-1/samples', token => $reader)->{json}{items}[0];
is($sample->{value}, 1, 'its value is there');
is(substr($sample->{time}, 0, 19), substr($new[0]{time}, 0, 19), 'at the time of its arrival');
is($stack->post("/v1/rejects/$new[0]{id}/replay", undef, token => $admin)->{status}, 409, 'once is enough');
is($stack->post("/v1/rejects/$huge->{id}/replay", undef, token => $admin)->{status}, 409, 'what was cut cannot be');
$sum{$_}++ for qw(received accepted replayed);

# All conventions are read again as they came.
$stack->request('PATCH', '/v1/tenant', token => $admin, body => { raw_days => 200 });
is($stack->post('/v1/rejects/replay?reason=via', undef, token => $admin)->{json}{pending}, 11, 'those of a kind are marked');
is($stack->post("/v1/rejects/$via{$_}{id}/replay", undef, token => $admin)->{json}{pending}, 1, "and $_") for '4711', '4712', 'via-board';
is(join(' ', map { await_replayed($via{$_}{id})->{outcome} // "$_: not" } sort keys %receipt), join(' ', ('accepted') x 14), 'every convention is replayed');
for my $sent (@SENT) {
    my ($what, $device) = @$sent;
    my @values = map { $_->{value} } @{ $stack->get("/v1/devices/$device/samples?from=@{[$now - 200 * 86_400]}", token => $reader)->{json}{items} };
    is_deeply(\@values, [7], "$what: its value is there, once");
}
$sum{$_} += 14 for qw(received accepted replayed);

# The ingest process is killed with replays before it: the next one goes on.
accounts_are(\%sum, 'replays are accounted for');
my ($pid) = Tidemark::Processes::part($stack, 'ingest');
kill 'STOP', $pid;
is($stack->post('/v1/rejects/replay?reason=NEW-', undef, token => $admin)->{json}{pending}, 2, 'all that match are marked');
is($stack->sql("SELECT count(*) FROM core.reject WHERE state = 'pending'"), 2, 'and wait');
kill 'KILL', $pid;
is_deeply([map { await_replayed($new[$_]{id})->{outcome} } 1, 2], ['accepted', 'accepted'], 'a process that is killed leaves them to the next');
$sum{$_} += 2 for qw(received accepted replayed);

# The body as a whole: its good items are stored, the others kept singly.
my $patch = '{"events":[{"device":"meter","time":' . ($now - 500) . ',"metrics":{"z":1}},{"device":"meter"}]}';
$stack->sql("UPDATE core.reject SET text = '$patch', size = length('$patch'), target = '/v1/events/batch' WHERE id = $body->{id}");
$stack->post("/v1/rejects/$body->{id}/replay", undef, token => $admin);
is_deeply([@{ await_replayed($body->{id}) }{qw(state outcome)}], ['replayed', 'accepted'], 'of a body that can be read now what is good is stored');
is_deeply([map { [@{$_}{qw(index text request_id)}] } @{ await_rejects(1, '?reason=neither+metrics') }],
    [[1, '{"device":"meter"}', $body->{request_id}]], 'and what is not is kept singly');
$sum{received} += 2; $sum{replayed} += 2; $sum{accepted}++; $sum{rejected}++;
accounts_are(\%sum, 'and accounted for, with all that was counted before the process was killed');
ok(holds(accounts()), 'received = accepted + duplicates + updated + rejected');

# ---- the page ----

my ($ada, $vic) = map { my $b = Tidemark::Browser->new($stack); $b->log_in("$_\@home.example", 'a long enough password'); $b } qw(ada vic);
is($vic->get('/admin/rejects')->{status}, 403, 'the page is for admins');
my $page = $ada->get('/admin/rejects');
is($page->{status}, 200, 'who see it');
like($page->{content}, qr/the token is for another device/, 'with the reasons');
like($page->{content}, qr/not (?:"|&quot;|&#34;)tmk_x+(?:"|&quot;|&#34;) JSON/, 'and what was sent, as text');
unlike($page->{content}, qr/new-1/, 'but not what is replayed');
like($ada->get('/admin/rejects?state=replayed')->{content}, qr/new-1/, 'unless it is asked for');
my $received = $sum{received} =~ s/(\d)(\d{3})$/$1\\D+$2/r;    # with what stands between thousands
like($page->{content}, qr{<tfoot>.*>$received<.*>$sum{accepted}<.*>1<.*>1<.*>$sum{rejected}<}s, 'and the day\'s accounts');
is($ada->request('POST', '/admin/rejects', { do => 'replay', id => $theirs->{id} })->{status}, 403, 'a form that is not ours does nothing');
my $done = $ada->submit($page, '/admin/rejects', do => 'replay', id => $theirs->{id});
is($done->{headers}{location}, '/admin/rejects?done=replayed', 'a replay by its button');
is_deeply([@{ await_replayed($theirs->{id}) }{qw(state reason)}], ['kept', 'the token is for another device'], 'has its sender\'s rights and no more');
$done = $ada->submit($page, '/admin/rejects', do => 'remove', id => $theirs->{id});
is($done->{headers}{location}, '/admin/rejects?done=removed', 'it is removed');
is($stack->get("/v1/rejects/$theirs->{id}", token => $admin)->{status}, 404, 'and gone');
is($stack->request('DELETE', "/v1/rejects/$theirs->{id}", token => $admin)->{status}, 404, 'once');
$ada->submit($page, '/admin/rejects', do => 'remove', state => '', reason => '', device => '', convention => '');
like($ada->get('/admin/rejects')->{content}, qr/what was received is stored/, 'with all removed the page says so');
is(scalar(grep { $_->{action} =~ /^reject\./ } @{ $stack->get('/v1/audit?action=reject', token => $admin)->{json}{items} }), 15, 'all of this is in the audit trail');

# ---- clients at once ----

# Each with good items, the same again, corrections and bad ones: the accounts are the sum of what
# they were answered.
$sum{$_}++ for qw(received rejected replayed);    # by the page's button
my $before_crowd = $sum{received};
$token = $stack->token('home', 'device');
{
    my @pipes = map {
        my $client = $_;
        my $pid = open(my $from, '-|') // die "fork: $!";
        if (!$pid) {
            my %told = map { $_ => 0 } qw(accepted duplicates updated rejected);
            for my $i (1 .. 40) {
                my $answer = $stack->post('/v1/events/batch', [
                    { device => "crowd-$client", time => $now - $i, metrics => { a => $i } },               # new
                    { device => "crowd-$client", time => $now - int($i / 2), metrics => { a => int $i / 2 } },  # seen
                    { device => 'crowd', time => $now - $i % 5, metrics => { a => $client } },              # of all of them
                    { device => "crowd-$client", metrics => { a => undef } }, $i], token => $token);        # bad
                $told{$_} += $answer->{json}{$_} for keys %told;
                next if $i % 8;
                $answer = $stack->post('/v1/event', '{"cut', token => $token, headers => \%json);
                $told{rejected}++ if $answer->{status} == 400;
            }
            print encode_json(\%told);
            close STDOUT;
            POSIX::_exit(0);
        }
        $from;
    } 1 .. 4;
    for my $from (@pipes) {
        my $told = decode_json(do { local $/; <$from> });
        close $from;
        for (keys %$told) { $sum{$_} += $told->{$_}; $sum{received} += $told->{$_} }
    }
}
is($sum{received} - $before_crowd, 4 * (40 * 5 + 5), 'clients at once are answered for each of their items');
accounts_are(\%sum, 'and accounted for');
done_testing();
