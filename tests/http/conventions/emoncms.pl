# emoncms: posting, bulk, encrypted bodies, IoTaWatt's question, keys.
use strict;
use warnings;
use Compress::Zlib qw(compress memGzip);
use JSON::PP ();
use Digest::SHA qw(sha256_base64);
use Test::More;

# What the sender of a text waits for.
sub receipt { my ($text) = @_; return sha256_base64($text) =~ tr{+/}{-_}r . '=' }

sub {
    my ($is) = @_;
    my ($key, $bound, $now) = @$is{qw(device bound now)};
    my $t = $now - 600;
    my %form = (headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });

    # ---- input/post ----
    $is->answers('a reading', [GET => "/input/post?node=emontx&json={power1:100,power2:200}&time=$t&apikey=$key"], 200, 'ok');
    $is->has('emontx', 'power2', [[$t, 200]]);
    $is->answers('again', [GET => "/input/post?node=emontx&json={power1:100,power2:200}&time=$t&apikey=$key"], 200, 'ok');
    $is->answers('with .json', [GET => "/input/post.json?node=emontx&csv=1,2&time=$t&apikey=$key"], 200, 'ok');
    $is->answers('in its usual folder', [POST => '/emoncms/input/post/emontx', %form,
        body => "fulljson=%7B%22power1%22%3A101%7D&time=@{[$t + 10]}&apikey=$key"], 200, '{"success": true}');
    $is->has('emontx', 'power1', [[$t, 100], [$t + 10, 101]]);
    $is->answers('Bearer', [GET => "/input/post?node=emontx&csv=5&time=@{[$t + 20]}", token => $key], 200, 'ok');
    $is->has('emontx', '1', [[$t, 1], [$t + 20, 5]], 'CSV items are named by their places');
    $is->answers('a devicekey', [GET => "/input/post?csv=7&time=$t&devicekey=$bound"], 200, 'ok');
    $is->has('bound-1', '1', [[$t, 7]], 'a bound token need not name its node');
    my $bare = $key =~ s/^tmk_//r;
    is(length $bare, 32, 'emoncms: a token without its prefix has the 32 characters of a key');
    $is->answers('which is taken', [GET => "/input/post?node=short&csv=1&time=$t&apikey=$bare"], 200, 'ok');
    $is->answers('as Bearer too', [GET => "/input/post?node=short&csv=2&time=@{[$t + 1]}", token => $bare], 200, 'ok');
    my $answer = $is->answers('answers are plain text', [GET => "/input/post?node=short&csv=2&time=@{[$t + 1]}", token => $bare], 200, 'ok');
    like($answer->{headers}{'content-type'}, qr{^text/plain}, 'emoncms: by their type');
    $is->answers('HEAD stores too and says nothing', [HEAD => "/input/post?node=head&csv=1&time=$t&apikey=$key"], 200, '');

    # ---- input/bulk ----
    my $rows = qq([[@{[$t + 30]},10,150,250],[@{[$t + 40]},"emonpi",{"power1":100,"rssi":-67}]]);
    my %hub = (headers => { Authorization => "Bearer $bare" });
    $is->answers('emonHub', [POST => '/input/bulk.json?sentat=' . time, headers => { %{ $hub{headers} }, %{ $form{headers} } },
        body => 'data=' . $rows =~ s/([^\w])/sprintf '%%%02X', ord $1/ger], 200, 'ok');
    $is->has('emonpi', 'rssi', [[$t + 40, -67]]);
    $is->answers('emonHub, compressed', [POST => '/input/bulk.json?sentat=' . (time - 1) . '&cb=1', %hub,
        body => compress(qq([[@{[$t + 50]},10,151,251]]))], 200, 'ok');
    $is->has('10', '2', [[$t + 30, 250], [$t + 50, 251]]);
    $is->answers('hexadecimal', [POST => "/input/bulk?c=1&apikey=$key", %form,
        body => "time=$t&data=" . unpack 'H*', compress('[[70,10,152]]')], 200, 'ok');
    $is->has('10', '1', [[$t + 30, 150], [$t + 50, 151], [$t + 70, 152]]);
    $is->answers('gzip around it', [POST => "/input/bulk?apikey=$key", headers => { %{ $form{headers} }, 'Content-Encoding' => 'gzip' },
        body => memGzip("time=$t&data=[[80,10,153]]")], 200, 'ok');

    # ---- larger than what is read at once, with the key in the form ----
    my $many = '[' . join(',', map { "[$_,\"large\",$_]" } 1 .. 5000) . ']';
    cmp_ok(length $many, '>', 65_536, 'emoncms: a bulk of over 64 KiB');
    $is->answers('is taken by its apikey', [POST => '/input/bulk', %form, body => "apikey=$key&time=@{[$t - 9000]}&data=$many"], 200, 'ok');
    $is->answers('wherever that stands', [POST => '/input/bulk', %form, body => "time=@{[$t - 16_000]}&data=$many&apikey=$bare"], 200, 'ok');
    $is->answers('or by its devicekey', [POST => '/input/post', %form, body => "csv=8&time=@{[$t - 10]}&pad=" . 'x' x 70_000 . "&devicekey=$bound"], 200, 'ok');
    $is->has('bound-1', '1', [[$t - 10, 8], [$t, 7]]);
    is($is->{stack}->sql("SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id JOIN core.device d ON d.id = r.device_id"
        . " WHERE d.key = 'large'"), 10_000, 'emoncms: all of it is stored');
    $is->answers('a large one without a key is refused', [POST => '/input/bulk', %form, body => "time=$t&data=$many"], 401, 'Invalid API key');
    $is->answers('or with a wrong one', [POST => '/input/bulk', %form, body => "apikey=${\ ('x' x 32)}&data=$many"], 401, 'Invalid API key');

    # ---- IoTaWatt ----
    my $hex = $is->{stack}->token('acme', 'device', '--hex');
    like($hex, qr/^tmk_[0-9a-f]{32}$/, 'emoncms: a token of hexadecimal digits');
    my %iota = (headers => { Authorization => 'Bearer ' . substr $hex, 4 }); # it sends no other
    $answer = $is->answers('IoTaWatt asks', [GET => '/input/get?node=IotaWatt', %iota], 200, '"Node does not exist"');
    like($answer->{headers}{'content-type'}, qr{^application/json}, 'emoncms: in JSON');
    my $last = $t - $t % 5;
    $is->answers('it posts', [POST => '/input/bulk', headers => { %{ $iota{headers} }, %{ $form{headers} } },
        body => "time=$last&data=[[5,\"IotaWatt\",229.9,null,1350.0],[10,\"IotaWatt\",230.1,null,-0.4]]"], 200, qr/^ok/);
    $is->answers('it asks again', [GET => '/input/get?node=IotaWatt', %iota], 200,
        sprintf '{"1":{"time":%d,"value":null},"3":{"time":%1$d,"value":null}}', $last + 10);
    $is->answers('for one', [GET => '/input/get/IotaWatt/3', %iota], 200, sprintf '{"time":%d,"value":null}', $last + 10);
    $is->answers('for none', [GET => '/emoncms/input/get?node=IotaWatt&name=2', %iota], 200, '"Node variable does not exist"');
    $is->answers('its own of a bound token', [GET => "/input/get?apikey=$bound"], 200, "{\"1\":{\"time\":$t,\"value\":null}}");
    $is->answers('no other', [GET => "/input/get?node=emontx&apikey=$bound"], 200, '"Node does not exist"');

    # ---- encrypted, by openssl ----
    my $admin = $is->{stack}->token('acme', 'admin');
    my $api = sub { my ($method, $path, $body) = @_; return $is->{stack}->request($method, $path, token => $admin, $body ? (body => $body) : ()) };
    my $made = $api->(POST => '/v1/tokens', { kind => 'device', name => 'iota', encrypted => \1 })->{json};
    like($made->{token}, qr/^tmk_[0-9a-f]{32}$/, 'emoncms: a token that encrypts is of hexadecimal digits');
    my %sealer = (id => $made->{id}, key => substr $made->{token}, 4);
    $is->answers('encrypted', $is->seal(\%sealer, '/input/post', "node=sealed&time=$t&data=100,200,300"), 200,
        receipt("node=sealed&time=$t&data=100,200,300"));
    $is->has('sealed', '3', [[$t, 300]]);
    $is->answers('again', $is->seal(\%sealer, '/input/post', "node=sealed&time=$t&data=100,200,300"), 200,
        receipt("node=sealed&time=$t&data=100,200,300"));
    my $bulk_text = "time=$t&data=[[5,\"sealed\",229.9,null,1350.0],[10,\"sealed\",230.1,null,-0.4]]";
    $is->answers('as IoTaWatt does it', $is->seal(\%sealer, '/input/bulk', $bulk_text), 200, receipt($bulk_text));
    $is->has('sealed', '3', [[$t, 300], [$t + 5, 1350], [$t + 10, -0.4]]);
    $is->answers('and asks', [GET => '/input/get/sealed/3', token => $sealer{key}], 200, sprintf '{"time":%d,"value":null}', $t + 10);
    my $packed = compress("node=sealed&time=@{[$t + 15]}&fulljson={\"3\":7}");
    $is->answers('packed', $is->seal(\%sealer, '/emoncms/input/post', $packed, type => 'aes128cbcgz'), 200, receipt($packed));
    $is->answers('of a whole number of blocks', $is->seal(\%sealer, '/input/post', "node=sealed&time=@{[$t + 20]}&csv=1,2,3" . ' ' x 7), 200, qr/^[\w-]{43}=$/);
    $is->has('sealed', '3', [[$t, 300], [$t + 5, 1350], [$t + 10, -0.4], [$t + 15, 7], [$t + 20, 3]]);
    my $long = "node=sealed&time=@{[$t + 40]}&json={long:1}&pad=" . 'x' x 70_000;
    $is->answers('over 64 KiB', $is->seal(\%sealer, '/input/post', $long), 200, receipt($long));
    $is->has('sealed', 'long', [[$t + 40, 1]]);
    $is->answers('without escapes', $is->seal(\%sealer, '/input/post', "node=sealed&time=$t&json={a%41:1}"), 200, qr/^[\w-]{43}=$/);
    $is->has('sealed', 'a41', [[$t, 1]]);
    $is->answers('with what stands around it left aside', $is->seal(\%sealer, "/input/post/bad?time=@{[$t + 25]}&csv=9&apikey=$key",
        "node=sealed&time=@{[$t + 30]}&json={b:2}"), 200, qr/^[\w-]{43}=$/);
    $is->has('sealed', 'b', [[$t + 30, 2]]);
    my $next = $api->(POST => "/v1/tokens/$made->{id}/rotate", { grace_hours => 1 })->{json};
    is($next->{encrypted}, JSON::PP::true(), 'emoncms: a new secret is of the same kind');
    $is->answers('with the new secret', $is->seal({ %sealer, key => substr $next->{token}, 4 }, '/input/post', "node=sealed&time=$t&json={c:1}"), 200, qr/=$/);
    $is->answers('and with the former one', $is->seal(\%sealer, '/input/post', "node=sealed&time=@{[$t + 1]}&json={c:2}"), 200, qr/=$/);
    $is->has('sealed', 'c', [[$t, 1], [$t + 1, 2]]);
    is($is->{stack}->sql("SELECT count(*) FROM core.token WHERE cipher_key IS NOT NULL"), 1, 'emoncms: of no other token a key is kept');
    my $ended = $api->(POST => '/v1/tokens', { kind => 'device', encrypted => \1 })->{json};
    $api->(DELETE => "/v1/tokens/$ended->{id}");
    is($is->{stack}->sql("SELECT count(cipher_key) FROM core.token WHERE id = $ended->{id}"), 0, 'emoncms: nor of one that is revoked');
    is($api->(POST => '/v1/tokens', { kind => 'api', encrypted => \1 })->{status}, 422, 'emoncms: only devices encrypt');
    my $by_cli = $is->{stack}->token('acme', 'device', '--encrypted', '--device', 'bound-2');
    my $cli_id = $is->{stack}->sql('SELECT max(id) FROM core.token');
    $is->answers('a token of the command line', $is->seal({ id => $cli_id, key => substr $by_cli, 4 }, '/input/post', "time=$t&csv=5"), 200, receipt("time=$t&csv=5"));
    $is->has('bound-2', '1', [[$t, 5]]);

    # ---- what is rejected ----
    my $sealed = sub { my ($text, %other) = @_; return $is->seal({ %sealer, %other }, '/input/post', $text, %other) };
    my $no = sub { qr/^\{"success": false, "message": "$_[0]/ };
    $is->answers('what is rejected in part says so', [POST => "/input/bulk?apikey=$key", %form,
        body => "time=$t&data=[[-90000000,\"part\",1],[90,\"part\",2]]"], 200,
        '{"success": false, "message": "1 rejected, 1 stored; row 0: time is older than raw samples are kept"}');
    $is->has('part', '1', [[$t + 90, 2]], 'the rest is stored');

    my $q = "apikey=$key&node=bad";
    my $post = sub { [GET => "/input/post?$q&$_[0]"] };
    my $bulk = sub { [POST => "/input/bulk?apikey=$key", %form, body => $_[0]] };
    $is->refuses(
        ['no key', [GET => '/input/post?node=bad&csv=1'], 401, 'Invalid API key'],
        ['an unknown key', [GET => '/input/post?node=bad&csv=1&apikey=' . 'x' x 32], 401, 'Invalid API key'],
        ['an empty key', [GET => '/input/post?node=bad&csv=1&apikey='], 401, 'Invalid API key'],
        ['a key of another kind', [GET => "/input/post?node=bad&csv=1&apikey=$is->{api}"], 403, $no->('A token of this kind')],
        ['a session', [GET => '/input/post?node=bad&csv=1', headers => { Cookie => 'tidemark_session=x' }], 401, 'Invalid API key'],
        ['encrypted for a token without a key', [POST => '/input/post', headers => { 'Content-Type' => 'aes128cbc', Authorization => '1:' . '0' x 64 },
            body => 'A' x 64], 401, 'Invalid API key'],
        ['encrypted without saying whose it is', [POST => '/input/post', headers => { 'Content-Type' => 'aes128cbc' }, body => 'A' x 64], 401, 'Invalid API key'],
        ['encrypted, with a Bearer', [POST => '/input/post', headers => { 'Content-Type' => 'aes128cbc', Authorization => "Bearer $key" },
            body => 'A' x 64], 401, 'Invalid API key'],
        ['encrypted with another key', $sealed->('node=bad&csv=1', key => '0' x 32), 401, 'Invalid API key'],
        ['encrypted for a revoked token', $sealed->('node=bad&csv=1', id => $ended->{id}, key => substr $ended->{token}, 4), 401, 'Invalid API key'],
        ['encrypted with another HMAC', $sealed->('node=bad&csv=1', mac => '0' x 64), 401, 'Invalid API key'],
        ['encrypted with half an HMAC', $sealed->('node=bad&csv=1', mac => '0' x 32), 401, 'Invalid API key'],
        ['encrypted, and a bit turned', $sealed->('node=bad&csv=1', turn => 3), 401, 'Invalid API key'],
        ['encrypted, the last block cut off', $sealed->('node=bad&csv=1,2,3,4,5,6', cut => 16), 401, 'Invalid API key'],
        ['encrypted, cut within a block', $sealed->('node=bad&csv=1', cut => 5), 401, 'Invalid API key'],
        ['encrypted, in no base64', [POST => '/input/post', headers => { 'Content-Type' => 'aes128cbc', Authorization => "$sealer{id}:" . '0' x 64 },
            body => '!' x 64], 401, 'Invalid API key'],
        ['encrypted by the form alone', $sealed->('node=bad&csv=1', type => 'application/x-www-form-urlencoded'), 401, 'Invalid API key'],
        ['a word, encrypted', $sealed->('node=bad&csv=on'), 200, $no->('Format error: csv value is not numeric')],
        ['encrypted and not packed', $sealed->('node=bad&csv=1', type => 'aes128cbcgz'), 200, $no->('The compressed body is damaged')],
        ['nothing', $post->(''), 200, $no->('Request contains no data')],
        ['an empty value', $post->('csv='), 200, $no->('Request contains no data')],
        ['a word', $post->('csv=on'), 200, $no->('Format error: csv value is not numeric')],
        ['a word by name', $post->('json={a:on}'), 200, $no->('Format error, json value is not numeric')],
        ['no name', $post->('json={:1}'), 200, $no->('Format error, json key missing')],
        ['two colons', $post->('json={a:1:2}'), 200, $no->('Format error')],
        ['infinity', $post->('csv=inf'), 200, $no->('Format error')],
        ['a number beyond all', $post->('csv=1e999'), 200, $no->('Format error')],
        ['a number of 1e101', $post->('csv=1e101'), 200, $no->('metric .1. is not a finite number')],
        ['fulljson that is none', $post->('fulljson={a:1}'), 200, $no->('Input in not a valid JSON object')],
        ['fulljson cut short', $post->('fulljson={%22a%22:1'), 200, $no->('Input in not a valid JSON object')],
        ['fulljson with a nul', $post->('fulljson={%22a%5Cu0000%22:1}'), 200, $no->('Input in not a valid JSON object')],
        ['fulljson nested', $post->('fulljson={%22a%22:[1]}'), 200, $no->('Input in not a valid JSON object')],
        ['fulljson with huge data', [POST => "/input/post?$q", %form, body => 'fulljson={"a":"' . 'x' x 66_000 . '"}'], 200, $no->('data is over')],
        ['a long name', $post->('json={' . 'a' x 129 . ':1}'), 200, $no->('metric is longer')],
        ['a long node', [GET => "/input/post?csv=1&apikey=$key&node=bad" . 'x' x 130], 200, $no->('device is longer')],
        ['only dots for a node', [GET => "/input/post?csv=1&apikey=$key&node=.."], 200, $no->('device is only dots')],
        ['129 values', $post->('csv=' . join(',', 1 .. 129)), 200, $no->('more than 128 metrics')],
        ['a time that is a word', $post->('csv=1&time=soon'), 200, $no->('time is neither')],
        ['a time of 1970', $post->('csv=1&time=60'), 200, $no->('time is older')],
        ['a time tomorrow', $post->('csv=1&time=' . ($now + 90_000)), 200, $no->('time is more than 24 hours ahead')],
        ['a bad escape', $post->('csv=%zz'), 400, qr/bad escape/],
        ['33 parameters', [GET => '/input/post?' . join '&', map {"a$_=1"} 1 .. 33], 400, qr/more than 32/],
        ['another device of a bound token', [GET => "/input/post?node=bad&csv=1&apikey=$bound"], 200, $no->('the token is for another device')],
        ['a method', [PUT => "/input/post?$q", body => 'csv=1'], 405, qr/./],
        ['bulk without data', $bulk->('x=1'), 200, $no->('Format error, json string supplied is not valid')],
        ['bulk of words', $bulk->('data=hello'), 200, $no->('Format error, json string supplied is not valid')],
        ['bulk of an object', $bulk->('data={"bad":1}'), 200, $no->('Format error, json string supplied is not valid')],
        ['bulk cut short', $bulk->('data=[[0,"bad",1],[2,"bad"'), 200, $no->('Format error, json string supplied is not valid')],
        ['an empty bulk', $bulk->('data=[]'), 200, $no->('Format error, json string supplied is not valid')],
        ['an empty last row', $bulk->('data=[[0,"bad",1],[]]'), 200, $no->('Format error, last item')],
        ['sentat that is a word', $bulk->('sentat=now&data=[[0,"bad",1]]'), 200, $no->('sentat is not a number')],
        ['a node that is an object', $bulk->('data=[[0,{"bad":1},1]]'), 200, $no->('Format error, node must not')],
        ['values that are lists', $bulk->('data=[[0,"bad",[1]]]'), 200, $no->('Format error, a value is a list')],
        ['times beyond all', $bulk->('time=0&data=[[1e300,"bad",1],[0,"bad",1]]'), 200, $no->('2 rejected, 0 stored')],
        ['hexadecimal that is none', $bulk->('c=1&data=xyz'), 200, $no->('Format error, compressed hex not valid')],
        ['hexadecimal of nothing', $bulk->('c=1&data='), 200, $no->('Format error, compressed hex not valid')],
        ['zlib that is none', [POST => "/input/bulk?cb=1&apikey=$key", body => '[[0,"bad",1]]'], 200, $no->('The compressed body is damaged')],
        ['zlib cut short', [POST => "/input/bulk?cb=1&apikey=$key", body => substr compress('[[0,"bad",1]]'), 0, -3], 200, $no->('The compressed body is damaged')],
        ['a bomb of zlib', [POST => "/input/bulk?cb=1&apikey=$key", body => compress(' ' x (64 << 20))], 413, $no->('The')],
        ['10,001 rows', $bulk->('time=0&data=[' . join(',', ('[0,"bad",1]') x 10_001) . ']'), 413, $no->('more than 10000')],
        ['a very deep list', $bulk->('data=' . '[' x 5000), 200, $no->('Format error, json string supplied is not valid')],
    );
    return;
};
