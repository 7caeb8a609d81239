#!/usr/bin/perl
# Bad input: each malformed request gets its status and a problem document, stores nothing, and
# the good event after it is stored.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Compress::Zlib qw(memGzip);
use JSON::PP;
use Tidemark::Stack;
use Tidemark::Unharmed;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
my $token = $stack->token('acme', 'device');
my $bound = $stack->token('acme', 'device', '--device', 'bound-1');
my $api = $stack->token('acme', 'api');
my $good = 0;
my $unharmed = Tidemark::Unharmed->new($stack);

# ---- the checks after every request ----

sub is_problem {
    my ($answer, $status, $name) = @_;
    my $problem = $answer->{json} || {};
    my @wrong;
    push @wrong, "status $answer->{status}, not $status" if $answer->{status} != $status;
    push @wrong, "type " . ($answer->{headers}{'content-type'} // 'none')
        if ($answer->{headers}{'content-type'} // '') !~ m{^application/problem\+json};
    push @wrong, "no $_" for grep { !defined $problem->{$_} } qw(type title status detail instance request_id);
    push @wrong, 'its status differs' if ($problem->{status} // 0) != $status;
    push @wrong, 'its request_id is not the header\'s'
        if ($problem->{request_id} // '') ne ($answer->{headers}{'x-request-id'} // '-');
    push @wrong, 'it shows internals' if $answer->{content} =~ /SELECT|libpq|\.c:\d|core\.\w+/;
    ok(!@wrong, "$status: $name") or diag("$_\n$answer->{content}") for @wrong ? join('; ', @wrong) : '';
    return;
}

sub is_good_event_stored {
    my ($name) = @_;
    $good++;
    my $answer = $stack->post('/v1/event', { device => 'good', metrics => { counted => $good } }, token => $token);
    my $is_stored = $answer->{status} == 200 && $answer->{json}{accepted} == 1;
    ok($is_stored, "  then a good event is stored ($name)") or diag("$answer->{status} $answer->{content}");
    return;
}

sub post_is {
    my ($status, $name, $path, $body, %option) = @_;
    utf8::encode($body) if utf8::is_utf8($body);
    my $answer = $stack->post($path, $body, token => $token, headers => { 'Content-Type' => 'application/json' },
        %option);
    is_problem($answer, $status, $name);
    return is_good_event_stored($name);
}

# ---- bodies of a single event ----

my $one = sub { qq({"device":"bad","metrics":{"a":$_[0]}}) };
my @events = (
    [400, 'an empty body', ''],
    [400, 'white space only', " \n\t "],
    [400, 'a cut object', '{"device":"bad","metrics":{"a":1'],
    [400, 'a cut string', '{"device":"ba'],
    [400, 'a cut escape', '{"device":"ba\\'],
    [400, 'a cut unicode escape', '{"device":"ba\\u12'],
    [400, 'a cut literal', '{"device":"bad","metrics":{"a":tru'],
    [400, 'not JSON at all', 'device=bad&value=1'],
    [400, 'XML', '<event/>'],
    [400, 'NaN', $one->('NaN')],
    [400, 'Infinity', $one->('Infinity')],
    [400, '-Infinity', $one->('-Infinity')],
    [400, 'a leading zero', $one->('01')],
    [400, 'a leading plus', $one->('+1')],
    [400, 'a bare point', $one->('.5')],
    [400, 'a trailing point', $one->('5.')],
    [400, 'an empty exponent', $one->('1e')],
    [400, 'hexadecimal', $one->('0x10')],
    [400, 'single quotes', "{'device':'bad'}"],
    [400, 'a trailing comma', '{"device":"bad","metrics":{"a":1,}}'],
    [400, 'a missing colon', '{"device" "bad"}'],
    [400, 'an unquoted name', '{device:"bad"}'],
    [400, 'a comment', '{"device":"bad"/* why */}'],
    [400, 'more after the value', $one->(1) . ' {}'],
    [400, 'a raw nul byte in a string', qq({"device":"b\0d","metrics":{"a":1}})],
    [400, 'a raw newline in a string', qq({"device":"b\nd","metrics":{"a":1}})],
    [400, 'a byte that is not UTF-8', qq({"device":"b\xffd","metrics":{"a":1}})],
    [400, 'a cut UTF-8 sequence', qq({"device":"b\xc3","metrics":{"a":1}})],
    [400, 'an overlong UTF-8 form', qq({"device":"b\xc0\xafd","metrics":{"a":1}})],
    [400, 'a UTF-8 surrogate', qq({"device":"b\xed\xa0\x80d","metrics":{"a":1}})],
    [400, 'an unknown escape', '{"device":"b\\xd","metrics":{"a":1}}'],
    [400, '100,000 open brackets', '[' x 100_000],
    [400, 'nesting of 200', '{"device":"bad","data":' . '{"a":' x 200 . '1' . '}' x 200 . '}'],
    [422, 'the number 1e999', $one->('1e999')],
    [422, 'a number over 1e100', $one->('1.1e100')],
    [422, 'a number under -1e100', $one->('-2e100')],
    [422, 'null for a metric', $one->('null')],
    [422, 'a list for a metric', $one->('[1]')],
    [422, 'an object for a metric', $one->('{"b":1}')],
    [422, 'an escaped nul', '{"device":"b\\u0000d","metrics":{"a":1}}'],
    [422, 'a lone high surrogate', '{"device":"b\\ud800d","metrics":{"a":1}}'],
    [422, 'a lone low surrogate', '{"device":"b\\udc00d","metrics":{"a":1}}'],
    [422, 'no device', '{"metrics":{"a":1}}'],
    [422, 'an empty device', '{"device":"","metrics":{"a":1}}'],
    [422, 'a device that is a number', '{"device":7,"metrics":{"a":1}}'],
    [422, 'a device name of 129 bytes', '{"device":"' . 'd' x 129 . '","metrics":{"a":1}}'],
    [422, 'a metric name of 129 bytes', '{"device":"bad","metrics":{"' . 'm' x 129 . '":1}}'],
    [422, '129 metrics', '{"device":"bad","metrics":{' . join(',', map { qq("m$_":1) } 1 .. 129) . '}}'],
    [422, 'metrics that are a list', '{"device":"bad","metrics":[1,2]}'],
    [422, 'data that is a list', '{"device":"bad","type":"x","data":[1]}'],
    [422, 'data over 64 KiB', '{"device":"bad","type":"x","data":{"a":"' . 'x' x 66_000 . '"}}'],
    [422, 'a time that is a word', '{"device":"bad","time":"yesterday","metrics":{"a":1}}'],
    [422, 'a time without a zone', '{"device":"bad","time":"2026-11-20T12:00:00","metrics":{"a":1}}'],
    [422, 'the 30th of February', '{"device":"bad","time":"2026-02-30T12:00:00Z","metrics":{"a":1}}'],
    [422, 'a time 25 hours ahead', sprintf('{"device":"bad","time":%d,"metrics":{"a":1}}', time + 25 * 3600)],
    [422, 'a time of 1970', '{"device":"bad","time":1,"metrics":{"a":1}}'],
    [422, 'a fractional epoch', '{"device":"bad","time":1.5e9,"metrics":{"a":1}}'],
    [422, 'a seq that is no integer', '{"device":"bad","seq":1.5,"metrics":{"a":1}}'],
    [422, 'a seq over 64 bits', '{"device":"bad","seq":9223372036854775808,"metrics":{"a":1}}'],
    [422, 'an id that is no UUID', '{"device":"bad","type":"x","id":"17","data":{}}'],
    [422, 'a list where one event is expected', '[{"device":"bad","metrics":{"a":1}}]'],
    [422, 'a string where an event is expected', '"bad"'],
    [422, 'a number where an event is expected', '17'],
);
post_is($_->[0], $_->[1], '/v1/event', $_->[2]) for @events;

# ---- bodies of a batch ----

my @batches = (
    [400, 'a cut array', '[{"device":"bad","metrics":{"a":1}}'],
    [400, 'an array without commas', '[{"device":"bad"} {"device":"bad"}]'],
    [422, 'an object without events', '{"readings":[]}'],
    [422, 'events that are no list', '{"events":{"device":"bad"}}'],
    [422, 'only rejected events', '[{"metrics":{"a":1}},{"device":"bad","metrics":{"a":null}}]'],
    [413, '10,001 events', '[' . join(',', ('{"device":"bad","metrics":{"a":1}}') x 10_001) . ']'],
);
post_is($_->[0], "batch: $_->[1]", '/v1/events/batch', $_->[2]) for @batches;

# ---- types, encodings, sizes ----

my $fine = '{"device":"bad","metrics":{"a":1}}';
my %json = ('Content-Type' => 'application/json');
post_is(415, 'an image', '/v1/event', $fine, headers => { 'Content-Type' => 'image/png' });
post_is(415, 'NDJSON for a single event', '/v1/event', $fine, headers => { 'Content-Type' => 'application/x-ndjson' });
post_is(415, 'an unknown encoding', '/v1/event', $fine, headers => { %json, 'Content-Encoding' => 'br2' });
my %gzip = (%json, 'Content-Encoding' => 'gzip');
post_is(400, 'gzip that is none', '/v1/event', $fine, headers => \%gzip);
post_is(400, 'gzip cut short', '/v1/event', substr(memGzip($fine), 0, -6), headers => \%gzip);
post_is(400, 'gzip with a wrong checksum', '/v1/event', memGzip($fine) =~ s/.{8}\z/00000000/sr, headers => \%gzip);
post_is(400, 'bytes after the gzip', '/v1/event', memGzip($fine) . 'tail', headers => \%gzip);
post_is(413, 'a gzip bomb (64 MiB of spaces)', '/v1/event', memGzip(' ' x (64 << 20)), headers => \%gzip);
post_is(413, 'a gzip bomb in a batch', '/v1/events/batch', memGzip('[' . ' ' x (11 << 20)), headers => \%gzip);
post_is(413, 'a body over 10 MiB', '/v1/events/batch', ' ' x ((10 << 20) + 1));

# ---- credentials, methods, paths ----

for my $case (
    [401, 'no token', undef], [401, 'an unknown token', 'Bearer tmk_' . 'x' x 32], [401, 'an empty token', 'Bearer '],
    [401, 'a token that is none', 'Bearer hello'], [401, 'an unknown scheme', 'Digest abc'],
    [401, 'Basic that is not base64', 'Basic ???'], [403, 'a token that may only read', "Bearer $api"],
) {
    my ($status, $name, $header) = @$case;
    my $answer = $stack->post('/v1/event', $fine, headers => { %json, $header ? (Authorization => $header) : () });
    is_problem($answer, $status, $name);
    ok($answer->{headers}{'www-authenticate'}, '  and is told how to authenticate') if $status == 401;
    is_good_event_stored($name);
}
post_is(403, 'a bound token naming another device', '/v1/event', $fine, token => $bound);
for my $method ('GET', 'PUT', 'DELETE', 'PATCH', 'BREW') {
    my $answer = $stack->request($method, '/v1/event', token => $token, body => $fine);
    is_problem($answer, 405, "$method of /v1/event");
    like($answer->{headers}{allow} // '', qr/POST/, '  and is told what is allowed');
    is_good_event_stored($method);
}
for my $case (['TRACE', '/v1/event', 'POST'], ['TRACE', '/v1/devices?limit=1', 'GET, HEAD, POST'],
    ['PUT', '/favicon.svg', 'GET, HEAD']) {
    my ($method, $path, $allowed) = @$case;
    my $answer = $stack->request($method, $path);
    is_problem($answer, 405, "$method of $path, which nginx refuses");
    is($answer->{headers}{allow}, $allowed, '  and is told what is allowed');
}
# nginx says what the application says of its own routes
{
    open my $rows, '<', "$FindBin::Bin/../../app/serve/routes.c" or die $!;
    my %path = map { s/\{\w+\}/1/gr => 1 } join('', <$rows>)
        =~ m{^    (?:API|PAGE|FORM|ADMIN_PAGE|ADMIN_FORM|CHANGE|CHANGE_MANY|OPERATE)\([^"]*"(/[^"]*)",}gm;
    my (%says, %wrong);
    for my $path (sort keys %path) {
        my ($nginx, $ours) = map { $stack->request($_, $path, token => $token)->{headers}{allow} // 'nothing' } 'TRACE', 'BREW';
        $says{$ours}++;
        $wrong{$path} = "$nginx, not $ours" if $nginx ne $ours;
    }
    cmp_ok(scalar(keys %says), '>=', 6, 'routes allow this and that');
    is(join('; ', map {"$_: $wrong{$_}"} sort keys %wrong), '', 'nginx names the methods that the application does');
}
post_is(404, 'an unknown path', '/v1/evnt', $fine);
post_is(400, 'a bad escape in the path', '/v1/devices/%zz', $fine);
post_is(400, 'a nul in the path', '/v1/devices/%00', $fine);

# ---- lies about length, by hand ----

sub raw_is {
    my ($status, $name, $bytes) = @_;
    my $text = $stack->raw($bytes, 3);
    my ($got) = $text =~ m{^HTTP/1\.[01] (\d+)};
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    $body = $1 if defined $body && $body =~ /(\{.*\})/s;
    my $headers = { map { lc($_->[0]) => $_->[1] } map { [/^([^:]+): (.*)$/] } grep { /: / } split /\r\n/, $head // '' };
    is_problem({ status => $got // 0, content => $body // '', headers => $headers,
        json => eval { decode_json($body) } || {} }, $status, $name) if $status;
    is($text, '', "closed without an answer: $name") if !$status;
    return is_good_event_stored($name);
}
my $start = "POST /v1/event HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nContent-Type: application/json\r\n";
raw_is(400, 'a negative Content-Length', "${start}Content-Length: -5\r\n\r\n$fine");
raw_is(400, 'a Content-Length that is a word', "${start}Content-Length: many\r\n\r\n$fine");
raw_is(400, 'two Content-Lengths', "${start}Content-Length: 5\r\nContent-Length: 6\r\n\r\n$fine");
raw_is(413, 'a Content-Length of a terabyte', "${start}Content-Length: 1099511627776\r\n\r\n$fine");
raw_is(400, 'a Content-Length too short', "${start}Content-Length: 10\r\nConnection: close\r\n\r\n$fine");
raw_is(400, 'a chunk size that is none', "${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n$fine\r\n0\r\n\r\n");
raw_is(501, 'an unknown transfer encoding', "${start}Transfer-Encoding: rot13\r\n\r\n$fine");
raw_is(400, 'no method', "/v1/event\r\n\r\n");
raw_is(400, 'a header without an end', "POST /v1/event HTTP/1.1\r\nHost\0: x\r\n\r\n");
raw_is(400, 'a header of 40 KiB', "${start}X-Long: " . 'x' x 40_000 . "\r\n\r\n");
raw_is(414, 'an address of 40 KiB', 'GET /' . 'x' x 40_000 . " HTTP/1.1\r\nHost: x\r\n\r\n");
# the client goes away in the middle: nobody is there to be answered, and nothing may be stored
for my $cut (
    ['a Content-Length longer than the body', "${start}Content-Length: 500\r\n\r\n$fine"],
    ['a chunked body cut short', "${start}Transfer-Encoding: chunked\r\n\r\n" . sprintf("%x\r\n%s", 500, $fine)],
) {
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}") or die "connect: $!";
    print {$socket} $cut->[1];
    close $socket;
    is_good_event_stored($cut->[0]);
}

is($stack->sql("SELECT count(*) FROM core.device WHERE key LIKE 'bad%' OR key LIKE 'b%d'"), 0,
    'no malformed request left a device behind');
is($stack->sql('SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id'
    . " WHERE r.metric = 'counted'"), $good, "and all $good good events are stored");
$unharmed->check;
done_testing;
