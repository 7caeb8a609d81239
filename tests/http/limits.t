#!/usr/bin/env perl
# Limits of tenants and tokens: who goes beyond one is told so as its convention has it and may come
# again, what it may not store is kept, and its neighbours do not notice it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use HTTP::Tiny;
use JSON::PP ();
use Test::More;
use Tidemark::Browser;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $stack = Tidemark::Stack->start(env => { INGEST_MAX_SERIES => 500 });
$stack->cli('tenant', 'add', $_) for qw(calm flood fast day few);

# Asks until the answer has the status, at most as long as a limit takes to hold.
sub within {
    my ($ask, $status, $seconds) = @_;
    my $deadline = time + ($seconds || 15);
    my $answer = $ask->();
    while ($answer->{status} != $status && time < $deadline) {
        sleep 0.1;
        $answer = $ask->();
    }
    return $answer;
}

sub event { my (%metrics) = @_; return { device => 'm', metrics => \%metrics } }

# ---- setting them ----

is $stack->cli('tenant', 'set', 'day', '--rows-per-day', '3', '--timezone', 'Etc/GMT+12'), '', 'a limit is set';
like join(' ', ($stack->tidemark('tenant', 'set', 'day', '--max-series', 'many'))[0, 2]), qr/^2 .*a number/s, 'it is a number';
is +($stack->tidemark('tenant', 'set', 'nobody', '--max-series', '1'))[0], 1, 'of a tenant that there is';
$stack->cli('user', 'add', '--email', 'op@x.org', '--operator-admin', { stdin => "correct horse battery\n" });
my $operator = Tidemark::Browser->new($stack);
$operator->log_in('op@x.org', 'correct horse battery');
my %own = (request_rate => 2, token_rate => undef, max_series => 0, rows_per_day => undef);
my $set = $operator->call('PATCH', '/v1/tenants/fast', \%own);
is_deeply { map { $_ => $set->{json}{$_} } keys %own }, \%own, 'operators set them too';
my $wrong = $operator->call('PATCH', '/v1/tenants/fast', { token_rate => -1, max_series => 'x', rows_per_day => 1.5 });
is $wrong->{status}, 422, 'to what makes sense';
is_deeply [sort map { $_->{field} } @{ $wrong->{json}{errors} }], [qw(max_series rows_per_day token_rate)], 'and hear what does not';
my $form = $operator->get('/operator/tenants/few');
like $form->{content}, qr/Empty means 500, the default/, 'the page says what the installation has';
is $operator->submit($form, '/operator/tenants/few/limits', request_rate => '', token_rate => '', max_series => '2', rows_per_day => '0')->{status},
    303, 'and sets them';
is $operator->submit($form, '/operator/tenants/few/limits', max_series => 'two')->{status}, 422, 'or says what is wrong';
my $few = $operator->call('GET', '/v1/tenants/few')->{json};
is_deeply [@{$few}{qw(request_rate max_series rows_per_day)}], [undef, 2, 0], 'an empty one is the default';

# ---- a rate ----

my $fast = $stack->token('fast', 'device');
my %seen;
my $began = time;
for my $i (1 .. 50) {
    my $answer = $stack->post('/v1/event', event(a => $i), token => $fast);
    $seen{ $answer->{status} }++;
    $seen{wait} ||= $answer->{headers}{'retry-after'};
}
my $flowed = 20 + 2 * (time - $began);
ok $seen{200} >= 20 && $seen{200} <= $flowed + 1, "ten seconds' worth at once, then the rate ($seen{200} of $flowed)";
is $seen{429}, 50 - $seen{200}, 'the others are refused';
is $seen{wait}, 1, 'for a second';
my @dry = map { $stack->post('/v1/event?dry_run=1', event(a => 1), token => $fast)->{status} } 1 .. 10;
ok +(grep { $_ == 429 } @dry), 'dry runs are refused too, of which the account has nothing';
is within(sub { my $answer = $stack->post('/v1/event', event(b => 1), token => $fast); $seen{ $answer->{status} }++; $answer }, 200)->{status},
    200, 'then they are welcome';

# ---- rows a day, in everybody's convention ----

my $day = $stack->token('day', 'device');
my $hex = $stack->token('day', 'device', '--device', 'pv');
is $stack->post('/v1/event', event(a => 1, b => 2), token => $day)->{status}, 200, 'two rows of three';
is $stack->post('/v1/event', event(a => 3, b => 4), token => $day)->{status}, 200, 'two more: the last request is not torn apart';
my ($rows, $deadline) = (0, time + 15);
do { $rows = $stack->sql(q{SELECT n_rows FROM core.ingest_day d JOIN core.tenant t ON t.id = tenant_id AND t.slug = 'day'}) // 0 }
    until $rows == 4 || time > $deadline || !sleep 0.1;
is $rows, 4, 'the database knows what was stored';
my $over = within(sub { $stack->post('/v1/event', event(a => 5), token => $day) }, 429);
is $over->{status}, 429, 'that was the quota';
is $over->{headers}{'content-type'}, 'application/problem+json', 'as a problem';
like $over->{json}{detail}, qr/3 rows that it may store a day. Its next day begins in \d+ minutes/, 'that says until when';
for my $case (
    ['InfluxDB 1', 503, '/write?db=x', 'm a=1', 'text/plain', qr/^\{"error":"This tenant has stored/],
    ['InfluxDB 2', 429, '/api/v2/write?bucket=x', 'm a=1', 'text/plain', qr/"code":"too many requests"/],
    ['InfluxDB 3', 429, '/api/v3/write_lp?db=x', 'm a=1', 'text/plain', qr/"error":/],
    ['OTLP', 429, '/v1/metrics', '{}', 'application/json', qr/"message":"This tenant/],
    ['Prometheus', 503, '/api/v1/write', '', 'application/x-protobuf', qr/This tenant/],
    ['collectd', 429, '/collectd', '[]', 'application/json', qr/This tenant/],
    ['emoncms', 503, '/input/post', 'node=m&json={a:1}', 'application/x-www-form-urlencoded', qr/"success": ?false/],
    ['ThingsBoard', 429, "/api/v1/$day/telemetry", '{"a":1}', 'application/json', qr/This tenant/],
    ['AcquiSuite', 429, '/acquisuite', 'MODE=STATUS', 'application/x-www-form-urlencoded', qr/^FAILURE: This tenant/],
    ['eGauge', 429, '/egauge', '<group/>', 'text/xml', qr/^This tenant/],
    ['PVOutput', 403, '/service/r2/addstatus.jsp', 'd=20261120&t=12:00&v1=1', 'application/x-www-form-urlencoded', qr/^Forbidden 403: This tenant/],
) {
    my ($who, $status, $path, $body, $type, $words) = @{$case};
    my $answer = $stack->post($path, $body, token => $who eq 'ThingsBoard' ? undef : $day,
        headers => { 'Content-Type' => $type, $who eq 'PVOutput' ? ('X-Pvoutput-Apikey' => $hex, 'X-Pvoutput-SystemId' => '1') : () });
    is $answer->{status}, $status, "$who is told in its convention";
    like $answer->{content}, $words, '  in its shape';
    ok $answer->{headers}{'retry-after'} > 1, '  and when to come again';
}
is $operator->call('GET', '/v1/tenants/day')->{json}{rows_today}, 4, 'and says it to operators';
my $mine = $stack->get('/v1/tenant', token => $stack->token('day', 'admin'))->{json};
is_deeply [@{$mine}{qw(rows_per_day rows_today max_series series request_rate)}], [3, 4, 500, 2, undef], 'and to the tenant, with what else holds';

# Where it is always another day than in the zone it had.
$stack->cli('tenant', 'set', 'day', '--timezone', 'Pacific/Kiritimati');
is within(sub { $stack->post('/v1/event', event(a => 6), token => $day) }, 200)->{status}, 200, 'the tenant\'s next day begins with a new quota';
is $stack->sql(q{SELECT count(*) FROM core.ingest_day d JOIN core.tenant t ON t.id = tenant_id AND t.slug = 'day'}) >= 1, 1, 'days are apart';
$stack->cli('tenant', 'set', 'day', '--rows-per-day', 'default');

# ---- series ----

my $token = $stack->token('few', 'device');
is $stack->post('/v1/event', event(a => 1, b => 1), token => $token)->{status}, 200, 'as many series as it may have';
my $third = $stack->post('/v1/events/batch', [event(a => 2), event(a => 3, c => 1), event(b => 2)], token => $token);
is $third->{status}, 207, 'of what would begin a third';
is_deeply [@{ $third->{json} }{qw(accepted rejected)}], [2, 1], 'nothing is stored, and the rest is';
is $third->{json}{errors}[0]{detail}, '"c" would be a new series, and the tenant has the 2 that it may have', 'it is said why';
is $stack->post('/v1/event', event(a => 4), token => $token)->{status}, 200, 'its own series go on';
is $stack->post('/v1/event', event(d => 4), token => $token)->{status}, 422, 'a new one does not begin';
my $admin = $stack->token('few', 'admin');
my $kept;
$deadline = time + 10;
do { $kept = $stack->get('/v1/rejects', token => $admin)->{json}{items} } until @{$kept} >= 2 || time > $deadline || !sleep 0.1;
is scalar @{$kept}, 2, 'what was rejected is kept';
$stack->cli('tenant', 'set', 'few', '--max-series', '4');
$token = $stack->token('few', 'device');
is within(sub { $stack->post('/v1/event', event(d => 5), token => $token) }, 200)->{status}, 200, 'until it may have more';
is $stack->post("/v1/rejects/$_->{id}/replay", '', token => $admin)->{status} < 300, 1, 'it is replayed then' for @{$kept};
$deadline = time + 15;
my $n;
do { $n = $stack->sql(q{SELECT count(*) FROM core.reject WHERE state = 'replayed'}) } until $n == 2 || time > $deadline || !sleep 0.1;
is $n, 2, 'and stored';

my $metrics = $stack->get('/metrics')->{content};
for my $limit (qw(request_rate rows_per_day max_series)) {
    like $metrics, qr/^tidemark_ingest_limited_total\{limit="$limit"\} [1-9]/m, "refusals for $limit are counted";
}

# ---- neighbours ----

# Posts batches as fast as they are answered until it is told to stop; says what it heard.
sub flood {
    my ($number, $token) = @_;
    pipe my $reader, my $writer or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        close $writer;
        return { pid => $pid, out => $reader };
    }
    my ($is_over, %heard) = (0);
    local $SIG{TERM} = sub { $is_over = 1 };
    my $http = HTTP::Tiny->new(keep_alive => 1, timeout => 30);
    for (my $round = 0; !$is_over; $round++) {
        my $time = 1.7e9 + $number * 1e7 + $round * 2000;
        my $body = join ',', map { sprintf '{"device":"f%d","time":%d,"metrics":{"a":%d,"b":1,"c":2}}', $number, $time + $_, $_ } 1 .. 1000;
        my $answer = $http->post($stack->url('/v1/events/batch'), { content => "[$body]",
            headers => { 'Content-Type' => 'application/json', Authorization => "Bearer $token" } });
        $heard{ $answer->{status} }++;
    }
    syswrite $writer, JSON::PP::encode_json(\%heard);
    require POSIX;
    POSIX::_exit(0);
}

my $loud = $stack->token('flood', 'device', '--backfill');
my $calm = $stack->token('calm', 'device');
my @floods = map { flood($_, $loud) } 1 .. 4;
is within(sub { $stack->post('/v1/event', event(a => 0), token => $calm) }, 200)->{status}, 200, 'a neighbour begins';
my (@took, %heard);
for my $i (1 .. 40) {
    my $at = time;
    $heard{ $stack->post('/v1/event', { device => 'm', time => 1.75e9 + $i, metrics => { x => $i } }, token => $stack->{calm} ||= $stack->token('calm', 'device', '--backfill'))->{status} }++;
    push @took, time - $at;
}
kill 'TERM', map { $_->{pid} } @floods;
my %flood;
for my $flood (@floods) {
    my $said = do { local $/; readline $flood->{out} };
    waitpid $flood->{pid}, 0;
    my $heard = JSON::PP::decode_json($said);
    $flood{$_} += $heard->{$_} for keys %{$heard};
}
@took = sort { $a <=> $b } @took;
diag sprintf 'flood: %s; neighbour: median %.1f ms, p99 %.1f ms, max %.1f ms', JSON::PP->new->canonical->encode(\%flood),
    1000 * $took[20], 1000 * $took[38], 1000 * $took[39];
is_deeply \%heard, { 200 => 40 }, 'while one tenant floods, all posts of another are stored';
cmp_ok $took[39], '<', 5, 'within seconds each, however busy the machine';
ok +(grep { $_ == 200 || $_ == 503 } keys %flood) == keys %flood, 'the flood is stored, or told to come again';
is $stack->sql(q{SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id JOIN core.tenant t ON t.id = r.tenant_id
    WHERE t.slug = 'calm' AND r.metric = 'x'}), 40, 'and nothing is lost';

my $account = $stack->sql(q{SELECT sum(received) || ' ' || sum(refused) FROM core.ingest_hour h JOIN core.tenant t ON t.id = h.tenant_id WHERE t.slug = 'fast'});
is $account, "$seen{200} $seen{429}", 'who was told to come again has it in the account';

# ---- nginx's own limits, each in its convention's shape ----

my $LARGE = 'The body is larger than this address accepts.';
my $MANY = 'This client sends more requests than it may; try again a little later.';
my $AWAY = 'The service cannot take this now; send it again a little later.';
sub status_of { my ($code, $text) = @_; return pack('C4', 8, $code, 0x12, length $text) . $text } # google.rpc.Status
my @own = ( # path, types of body and answer; status and body of each of the three
    ['Prometheus', '/api/v1/write', 'application/x-protobuf', 'text/plain', [413, "$LARGE\n"], [503, "$MANY\n"], [503, "$AWAY\n"]],
    ['OTLP', '/v1/metrics', ('application/x-protobuf') x 2, [413, status_of(8, $LARGE)], [429, status_of(8, $MANY)], [503, status_of(14, $AWAY)]],
    ['OTLP in JSON', '/v1/logs', ('application/json') x 2, map { [$_->[0], qq({"code":$_->[1],"message":"$_->[2]"})] }
        [413, 8, $LARGE], [429, 8, $MANY], [503, 14, $AWAY]],
    ['emoncms', '/input/post?node=1', 'application/x-www-form-urlencoded', 'text/plain',
        map { [$_->[0], qq({"success": false, "message": "$_->[1]"})] } [413, $LARGE], [503, $MANY], [503, $AWAY]],
    ['ThingsBoard', "/api/v1/$token/telemetry", ('application/json') x 2, map { [$_->[0], qq({"status":$_->[0],"message":"$_->[1]"})] }
        [413, $LARGE], [429, $MANY], [503, $AWAY]],
    ['PVOutput', '/service/r2/addstatus.jsp', 'application/x-www-form-urlencoded', 'text/plain',
        [400, "Bad request 400: $LARGE"], [403, "Forbidden 403: $MANY"], [503, "Service Unavailable 503: $AWAY"]],
    ['AcquiSuite', '/acquisuite', 'multipart/form-data', 'text/plain', [413, "FAILURE: $LARGE\n"], [429, "FAILURE: $MANY\n"], [503, "FAILURE: $AWAY\n"]],
    ['eGauge', '/egauge', 'text/xml', 'text/plain', [413, "$LARGE\n"], [429, "$MANY\n"], [503, "$AWAY\n"]],
    ['InfluxDB 1', '/write?db=x', 'text/plain', 'application/json', [413, qq({"error":"Request Entity Too Large"}\n)],
        [503, qq({"error":"too many requests"}\n)], [503, qq({"error":"$AWAY"}\n)]],
);

# The answer to a request without a body, or one that is said to be too long; the first ones may still be let in.
sub own_is {
    my ($case, $which) = @_;
    my ($who, $path, $type, $answered, @answers) = @$case;
    my $length = $which == 0 ? 11 << 20 : 0;
    my $request = "POST $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: $type\r\nContent-Length: $length\r\n\r\n";
    my ($head, $body, $tries) = ('', '', 0);
    ($head, $body) = split /\r\n\r\n/, $stack->raw($request), 2 until $body eq $answers[$which][1] || ++$tries > 100;
    my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
    my ($kind) = $head =~ /^Content-Type: ([^;\r]+)/mi;
    my $is_timed = $head =~ /^Retry-After: 1\r?$/mi ? 1 : 0;
    is_deeply [$status, $kind, $body, $is_timed], [$answers[$which][0], $answered, $answers[$which][1], $which ? 1 : 0],
        "$who is told by nginx, too, what is " . ('too large', 'too fast', 'not to be had')[$which];
    return;
}
own_is($_, 0) for @own;
$stack->stop;
$stack->{option}{env}{TIDEMARK_CLIENT_RATE} = 1 + @own; # as many at once
$stack->run;
my $socket = "$stack->{home}/run/ingest.sock";
rename $socket, "$socket.away" or die "$socket: $!";
is($stack->post('/v1/events/batch', ' ' x (3 << 20), token => $token)->{status}, 503, 'what is not too large is not to be had, either');
own_is($_, 2) for @own;
rename "$socket.away", $socket or die "$socket: $!";
own_is($_, 1) for @own;

done_testing;
