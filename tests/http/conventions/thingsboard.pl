# ThingsBoard: telemetry and attributes with the token in the path.
use strict;
use warnings;
use Compress::Zlib qw(memGzip);
use Test::More;

sub {
    my ($is) = @_;
    my $t = $is->{now} - 700;
    my $ms = $t * 1000 + 512;
    my $own = $is->{stack}->token('acme', 'device', '--device', 'board-1');
    my %json = (headers => { 'Content-Type' => 'application/json' });
    my $post = sub { [POST => "/api/v1/$own/telemetry", %json, body => $_[0]] };

    my $answer = $is->answers('telemetry with a time', $post->(qq({"ts":$ms,"values":{"temperature":42,"humidity":"73.5","on":true}})), 200, '');
    is($answer->{headers}{'content-length'}, 0, 'thingsboard: 200 and not a byte');
    $is->has('board-1', 'temperature', [[$t + 0.512, 42]]);
    $is->has('board-1', 'humidity', [[$t + 0.512, 73.5]], 'a number in quotes is one');
    $is->has('board-1', 'on', [[$t + 0.512, 1]]);
    $is->answers('again', $post->(qq({"ts":$ms,"values":{"temperature":42}})), 200, '');
    $is->answers('an array, packed', [POST => "/api/v1/$own/telemetry", headers => { 'Content-Encoding' => 'gzip' },
        body => memGzip(sprintf '[{"ts":%d,"values":{"temperature":43}},{"ts":%d,"values":{"temperature":44,"mode":"eco"}}]', $ms + 1000, $ms + 2000)], 200, '');
    $is->has('board-1', 'temperature', [[$t + 0.512, 42], [$t + 1.512, 43], [$t + 2.512, 44]]);
    $is->answers('without a time', $post->('{"now_w":5}'), 200, '');
    is($is->{stack}->sql("SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id"
        . " WHERE r.metric = 'now_w' AND s.time > now() - interval '1 minute'"), 1, 'thingsboard: it is now');
    for my $state ('1.0', '1.1', '1.0') {
        $is->answers("attributes $state", [POST => "/api/v1/$own/attributes", %json, body => qq({"firmware":"$state","cells":{"n":4}})], 200, '');
    }
    my $events = $is->{stack}->get('/v1/events?device=board-1&type=attributes', token => $is->{api});
    is_deeply([map { $_->{data} } @{ $events->{json}{items} }], [map { { firmware => $_, cells => { n => 4 } } } '1.0', '1.1', '1.0'],
        'thingsboard: each state of the attributes is an event, one that comes back too');
    $events = $is->{stack}->get('/v1/events?device=board-1&type=telemetry', token => $is->{api});
    is_deeply([map { $_->{data} } @{ $events->{json}{items} }], [{ mode => 'eco' }], 'thingsboard: texts of telemetry are data');
    my $log = do { local $/; open my $in, '<', "$is->{stack}{home}/log/access.log" or die; <$in> };
    unlike($log, qr/\Q$own\E/, 'thingsboard: the log of requests holds no token');

    my $no = sub { qr/^\{"status":400,"message":"$_[0]/ };
    my $attributes = sub { [POST => "/api/v1/$own/attributes", %json, body => $_[0]] };
    $is->refuses(
        ['an unknown token', [POST => '/api/v1/tmk_' . 'x' x 32 . '/telemetry', %json, body => '{"a":1}'], 401, ''],
        ['no token of ours', [POST => '/api/v1/hello/telemetry', %json, body => '{"a":1}'], 401, ''],
        ['a token elsewhere', [POST => '/api/v1/x/telemetry', headers => { Authorization => "Bearer $own" }, body => '{"a":1}'], 401, ''],
        ['a very long token', [POST => '/api/v1/' . 'x' x 4000 . '/telemetry', %json, body => '{"a":1}'], 401, ''],
        ['a token that may only read', [POST => "/api/v1/$is->{api}/telemetry", %json, body => '{"a":1}'], 403, qr/"status":403/],
        ['a token that names no device', [POST => "/api/v1/$is->{device}/telemetry", %json, body => '{"a":1}'], 400, $no->('no device')],
        ['an empty token', [POST => '/api/v1//telemetry', %json, body => '{"a":1}'], 404, qr/./],
        ['GET', [GET => "/api/v1/$own/telemetry"], 405, qr/./],
        ['GET of attributes', [GET => "/api/v1/$own/attributes?clientKeys=a"], 405, qr/./],
        ['something else', [POST => "/api/v1/$own/rpc", %json, body => '{}'], 404, qr/./],
        ['an empty body', $post->(''), 400, $no->('the body is not JSON')],
        ['words', $post->('temperature=42'), 400, $no->('the body is not JSON')],
        ['XML', $post->('<a/>'), 400, $no->('the body is not JSON')],
        ['a cut object', $post->('{"a":1'), 400, $no->('the body is not JSON')],
        ['a cut array', $post->('[{"a":1},'), 400, $no->('the body is not JSON')],
        ['more behind it', $post->('{"bad":1}x'), 400, $no->('the body is not JSON')],
        ['NaN', $post->('{"a":NaN}'), 400, $no->('the body is not JSON')],
        ['a trailing comma', $post->('{"a":1,}'), 400, $no->('the body is not JSON')],
        ['a leading zero', $post->('{"a":01}'), 400, $no->('the body is not JSON')],
        ['a nul', $post->('{"a":"\\u0000"}'), 400, $no->('the body is not JSON')],
        ['half a surrogate pair', $post->('{"a":"\\ud800"}'), 400, $no->('the body is not JSON')],
        ['bytes that are not UTF-8', $post->("{\"a\":\"\xff\"}"), 400, $no->('the body is not JSON')],
        ['a very deep list', $post->('{"a":' . '[' x 5000), 400, $no->('the body is not JSON')],
        ['a text', $post->('"a"'), 400, $no->('telemetry is an object')],
        ['a list of numbers', $post->('[1,2]'), 400, $no->('2 rejected, 0 stored; item 0: telemetry is an object')],
        ['a time that is a word', $post->('{"ts":"soon","values":{"a":1}}'), 400, $no->('ts is no epoch')],
        ['a time that is a list', $post->('{"ts":[1],"values":{"a":1}}'), 400, $no->('ts is no epoch')],
        ['a time of 1970', $post->('{"ts":60000,"values":{"a":1}}'), 400, $no->('time is older')],
        ['a time tomorrow', $post->(sprintf '{"ts":%d,"values":{"a":1}}', ($is->{now} + 90_000) * 1000), 400, $no->('time is more than')],
        ['an empty key', $post->('{"":1}'), 400, $no->('metric is empty')],
        ['a long key', $post->('{"' . 'a' x 129 . '":1}'), 400, $no->('metric is longer')],
        ['a number of 1e101', $post->('{"a":1e101}'), 400, $no->('metric ')],
        ['a number beyond all', $post->('{"a":1e999}'), 400, $no->('metric ')],
        ['129 values', $post->('{' . join(',', map {"\"a$_\":1"} 1 .. 129) . '}'), 400, $no->('more than 128 metrics')],
        ['a text of 66 kB', $post->('{"a":"' . 'x' x 66_000 . '"}'), 400, $no->('data is over')],
        ['10,001 items', $post->('[' . join(',', ('{"a":1}') x 10_001) . ']'), 413, qr/^\{"status":413,"message":"more than 10000/],
        ['gzip that is none', [POST => "/api/v1/$own/telemetry", headers => { 'Content-Encoding' => 'gzip' }, body => '{"a":1}'], 400, $no->('The ')],
        ['an unknown encoding', [POST => "/api/v1/$own/telemetry", headers => { 'Content-Encoding' => 'br2' }, body => '{"a":1}'], 415, qr/"status":415/],
        ['attributes that are a list', $attributes->('[{"a":1}]'), 400, $no->('attributes are an object')],
        ['attributes cut short', $attributes->('{"a":1'), 400, $no->('the body is not JSON')],
        ['attributes with a huge number', $attributes->('{"a":1e9999}'), 400, $no->('data holds a number')],
        ['attributes of 66 kB', $attributes->('{"a":"' . 'x' x 66_000 . '"}'), 400, $no->('data is over')],
    );
    return;
};
