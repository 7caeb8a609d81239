#!/usr/bin/perl
# InfluxDB's clients over HTTP: what versions 1, 2 and 3 answer to the byte, where tokens may stand,
# what is asked before writing, and what malformed requests get. Telegraf drops a batch at any 4xx of
# version 1, so what passes by itself must never be one.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Compress::Zlib qw(memGzip);
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Tidemark::Stack;
use Tidemark::Unharmed;
use Time::HiRes qw(sleep time);

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
$stack->cli('tenant', 'add', 'bravo');
my $token = $stack->token('acme', 'device');
my $bound = $stack->token('acme', 'device', '--device', 'iota');
my $api = $stack->token('acme', 'api');
my $other = $stack->token('bravo', 'device');
my $now = int time;
my $good = 0;
my %path = (1 => '/write?db=x', 2 => '/api/v2/write?org=o&bucket=b', 3 => '/api/v3/write_lp?db=x');
my %form = ('Content-Type' => 'application/x-www-form-urlencoded');

# ---- reading back ----

sub samples {
    my ($device, $metric) = @_;
    my $answer = $stack->get("/v1/devices/$device/samples?metric=$metric&from=@{[$now - 9000]}&to=@{[$now + 60]}", token => $api);
    return @{ $answer->{json}{items} || [] };
}

sub shape_is {
    my ($answer, $version, $status, $message, $name) = @_;
    my $text = $version == 2 ? $answer->{json}{message} : $answer->{json}{error};
    my @wrong;
    push @wrong, "status $answer->{status}, not $status" if $answer->{status} != $status;
    push @wrong, 'no JSON' if !$answer->{json};
    push @wrong, 'says ' . ($text // 'nothing') if ($text // '') !~ $message;
    push @wrong, 'no code' if $version == 2 && !$answer->{json}{code};
    push @wrong, 'no X-InfluxDB-Error' if $version == 1 && !$answer->{headers}{'x-influxdb-error'};
    push @wrong, 'it shows internals' if $answer->{content} =~ /libpq|\.c:\d|core\.\w+/;
    return ok(!@wrong, "version $version, $status: $name") || diag join('; ', @wrong) . "\n$answer->{content}";
}

# The service goes on after whatever came before.
sub is_good_line_stored {
    my ($name) = @_;
    $good++;
    my $answer = $stack->post('/write?precision=s', "good,device=good counted=${good}i " . ($now - 5000 + $good), token => $token);
    return ok($answer->{status} == 204 && ($answer->{content} // '') eq '', "  then a good line is stored ($name)")
        || diag "$answer->{status} $answer->{content}";
}

# ---- success, types, precisions ----

sub check_success {
    for my $version (1, 2, 3) {
        my $line = "power,device=v$version,phase=L1 watts=412.5,count=3i,limit=18446744073709551615u,on=t,state=\"on\" $now";
        my $path = "$path{$version}&precision=" . ($version == 3 ? 'second' : 's');
        for my $headers ({}, { 'Content-Encoding' => 'gzip' }) {
            my $body = %$headers ? memGzip("$line\r\n# comment\r\n") : "$line\n";
            my $answer = $stack->post($path, $body, token => $token, headers => $headers);
            is("$answer->{status} " . ($answer->{content} // ''), '204 ', "version $version: 204 and nothing else");
        }
        is(join(' ', map { $_->{value} } map { samples("v$version", "power.$_") } qw(watts count limit on)),
            '412.5 3 1.84467440737096e+19 1', '  and each type is there once');
        my $events = $stack->get("/v1/events?device=v$version", token => $api)->{json}{items};
        is_deeply([map { $_->{data} } @$events],
            [{ measurement => 'power', labels => { phase => 'L1' }, state => 'on' }], '  the string in an event');
    }
    my $series = $stack->get('/v1/devices/v1/series', token => $api)->{json}{items};
    is_deeply($series->[0]{labels}, { phase => 'L1' }, 'other tags are labels');
    return;
}

sub check_precisions {
    my %unit = (h => 1 / 3600, m => 1 / 60, s => 1, ms => 1e3, u => 1e6, n => 1e9, '' => 1e9, us => 1e6, ns => 1e9,
        second => 1, millisecond => 1e3, microsecond => 1e6, nanosecond => 1e9);
    my $hour = $now - $now % 3600;
    my $n = 0;
    for my $case ([1, qw(h m s ms u n), ''], [2, qw(s ms us ns), ''], [3, qw(second millisecond microsecond nanosecond)]) {
        my ($version, @names) = @$case;
        for my $name (@names) {
            my $stamp = sprintf '%.0f', $hour * $unit{$name};
            $n++;
            my $answer = $stack->post("$path{$version}&precision=$name", "p$n v=1 $stamp", token => $token);
            my ($sample) = samples("p$n", 'v');
            my $time = $sample && $stack->sql("SELECT extract(epoch FROM '$sample->{time}'::timestamptz)::int8");
            is($time, $hour, "version $version, precision '$name'") or diag "$answer->{status} $answer->{content}";
        }
    }
    for my $stamp ($hour, $hour * 1000, $hour * 1_000_000, "${hour}000000000") {
        $n++;
        $stack->post($path{3}, "p$n v=1 $stamp", token => $token);
        is(scalar(samples("p$n", 'v')), 1, "version 3 tells $stamp by its size");
    }
    $stack->post('/write', "nowhere v=1", token => $token);
    my ($sample) = samples('nowhere', 'v');
    cmp_ok(abs($stack->sql("SELECT extract(epoch FROM now() - '$sample->{time}'::timestamptz)")), '<', 60, 'no timestamp is now');
    return;
}

# ---- credentials ----

sub check_credentials {
    my $basic = 'Basic ' . encode_base64("me:$token", '');
    my %places = (
        'Basic' => [1, '', { Authorization => $basic }], 'Token user:token' => [1, '', { Authorization => "Token me:$token" }],
        'Bearer' => [1, '', { Authorization => "Bearer $token" }], 'u and p' => [1, "&u=me&p=$token", {}],
        'headers u and p' => [1, '', { u => 'me', p => $token }], 'X-API-Key' => [1, '', { 'X-API-Key' => $token }],
        '2: Token' => [2, '', { Authorization => "Token $token" }], '2: Bearer' => [2, '', { Authorization => "Bearer $token" }],
        '2: 88 characters, as IoTaWatt wants them' => [2, '', { Authorization => sprintf 'Token %051d:%s', 0, $token }],
        '3: Bearer' => [3, '', { Authorization => "Bearer $token" }], '3: Token' => [3, '', { Authorization => "Token $token" }],
    );
    for my $name (sort keys %places) {
        my ($version, $query, $headers) = @{ $places{$name} };
        is($stack->post($path{$version} . $query, '', headers => $headers)->{status}, 204, "credentials: $name");
    }
    for my $case (['none', {}, 401], ['an unknown one', { Authorization => 'Token tmk_' . 'x' x 32 }, 401],
        ['a word', { Authorization => 'Token hello' }, 401], ['one that reads', { Authorization => "Token $api" }, 403]) {
        my ($name, $headers, $status) = @$case;
        for my $version (1, 2, 3) {
            my $answer = $stack->post($path{$version}, 'm a=1', headers => $headers);
            shape_is($answer, $version, $status, qr/\w/, "credentials: $name");
            ok($answer->{headers}{'www-authenticate'}, '  and is told how') if $status == 401;
        }
    }
    is($stack->post("$path{2}&p=$token", 'm a=1')->{status}, 401, 'version 2 has no parameter for it');
    unlike(Tidemark::Stack::slurp("$stack->{home}/log/access.log"), qr/$token/, 'no log holds the token');
    return;
}

# A token that is bound to a device.
sub check_bound {
    my $post = sub { return $stack->post("$path{$_[0]}&precision=" . ($_[0] == 3 ? 'second' : 's'), $_[1], token => $bound) };
    is($post->(1, "Main,host=esp watts=1 $now\nMain,device=iota watts=2 " . ($now - 1))->{status}, 204, 'a bound token needs to name no device');
    is(join(' ', map { $_->{value} } samples('iota', 'Main.watts')), '2 1', '  and a host is a label');
    shape_is($post->($_, "Main,device=other watts=3 $now"), $_, 403, $_ == 3 ? qr/partial write/ : qr/another device/,
        'it may name no other') for 1, 2, 3;
    shape_is($post->(1, "Main,device=other watts=3 $now\nMain watts=4 " . ($now - 1)), 1, 400, qr/partial write: .* dropped=1/, 'nor among its own');
    is(scalar(samples('other', 'Main.watts')), 0, '  of which nothing is stored');
    return;
}

# ---- partial writes ----

sub check_partial {
    my $body = sub { join "\n", "part,device=part$_[0] a=1 $now", 'oops', "part,device=part$_[0] b=2 $now", 'x y', "part,device=part$_[0] c=3 1" };
    my $answer = $stack->post("$path{1}&precision=s", $body->(1), token => $token);
    shape_is($answer, 1, 400, qr/^partial write: unable to parse 'oops': missing fields dropped=3$/, 'some lines are no good');
    is($answer->{headers}{'x-influxdb-error'}, $answer->{json}{error}, '  in the header too');
    shape_is($stack->post("$path{2}&precision=s", $body->(2), token => $token), 2, 422,
        qr/^partial write: unable to parse 'oops': missing fields dropped=3$/, 'some lines are no good');
    $answer = $stack->post("$path{3}&precision=second", $body->(3), token => $token);
    shape_is($answer, 3, 400, qr/^partial write of line protocol occurred$/, 'some lines are no good');
    is_deeply($answer->{json}{data}, [
        { original_line => 'oops', line_number => 2, error_message => 'missing fields' },
        { original_line => 'x y', line_number => 4, error_message => 'missing field value' },
        { original_line => "part,device=part3 c=3 1", line_number => 5, error_message => 'time is older than raw samples are kept' },
    ], '  each with its line');
    is(join(' ', map { $_->{value} } map { samples("part$_", 'part.a'), samples("part$_", 'part.b') } 1 .. 3), '1 2 1 2 1 2',
        'the good ones are stored');
    $answer = $stack->post("$path{3}&precision=second&accept_partial=false", $body->(4), token => $token);
    shape_is($answer, 3, 400, qr/^parsing failed for write_lp endpoint$/, 'all or nothing');
    is($answer->{json}{data}{original_line}, 'oops', '  with the first');
    is(scalar(samples('part4', 'part.a')), 0, '  of which nothing is stored');
    return;
}

# A line that is refused only when its device is looked for takes the others along, too.
sub check_whole {
    my $admin = $stack->token('bravo', 'admin');
    my $tables = "SELECT (SELECT count(*) FROM core.device d JOIN core.tenant t ON t.id = d.tenant_id AND t.slug = 'bravo'), "
        . "(SELECT count(*) FROM core.series s JOIN core.tenant t ON t.id = s.tenant_id AND t.slug = 'bravo')";
    is($stack->post("$path{3}&precision=second", "known v=1 $now", token => $other)->{status}, 204, 'a device is known');
    my $before = $stack->sql($tables);
    $stack->request('PATCH', '/v1/tenant', token => $admin, body => { auto_register => JSON::PP::false });
    my $strict = $stack->token('bravo', 'device');    # a token's settings are remembered for some seconds
    my $lines = "known v=2 @{[$now - 1]}\nunknown v=3 @{[$now - 1]}\nknown w=4 @{[$now - 1]}";
    for my $query ('&accept_partial=false&dry_run=1', '&accept_partial=false') {
        my $answer = $stack->post("$path{3}&precision=second$query", $lines, token => $strict);
        shape_is($answer, 3, 400, qr/^parsing failed for write_lp endpoint$/, "an unknown device among others ($query)");
        is_deeply($answer->{json}{data}, { original_line => "unknown v=3 @{[$now - 1]}", line_number => 2,
            error_message => 'device "unknown" is not registered' }, '  is what is told');
    }
    my $read = sub { return map { $_->{value} } @{ $stack->get("/v1/devices/known/samples?from=@{[$now - 60]}", token => $admin)->{json}{items} } };
    is(join(' ', $read->()), '1', '  and nothing is stored');
    is($stack->sql($tables), $before, '  nor registered');
    my $kept = [];
    my $deadline = time + 20;
    sleep 0.05 while @{ $kept = $stack->get('/v1/rejects', token => $admin)->{json}{items} } < 3 && time < $deadline;
    is_deeply([sort map { "$_->{index} $_->{text}" } @{$kept}], [map { "$_ " . (split /\n/, $lines)[$_] } 0 .. 2], '  each line is kept');
    is(scalar(grep { $_->{reason} =~ /another item of the request/ } @{$kept}), 2, '  with its reason');
    is($stack->post("$path{3}&precision=second", $lines, token => $strict)->{status}, 400, 'with partial writes');
    is(join(' ', sort { $a <=> $b } $read->()), '1 2 4', '  the others are stored');
    $stack->request('PATCH', '/v1/tenant', token => $admin, body => { auto_register => JSON::PP::true });
    return;
}

# ---- malformed requests ----

my $long = 'x' x 129;
my @malformed = (
    ['a word', 'cpu', qr/missing fields/], ['tags alone', 'cpu,host=a', qr/missing fields/], ['no measurement', ',host=a v=1', qr/missing measurement/],
    ['a tag without a name', 'cpu,=a v=1', qr/missing tag key/], ['an empty tag', 'cpu,host= v=1', qr/missing tag value/],
    ['a tag without a value', 'cpu,host v=1', qr/missing tag value/], ['two signs in a tag', 'cpu,a=b=c v=1', qr/invalid tag format/],
    ['a tag twice', 'cpu,a=1,a=2 v=1', qr/duplicate tags/], ['a comma before the fields', 'cpu,a=1, v=1', qr/missing tag key/],
    ['a field without a value', 'cpu v=', qr/missing field value/], ['a field without a name', 'cpu =1', qr/missing field key/],
    ['a field that is a name', 'cpu v', qr/missing field value/], ['a comma at the end', 'cpu v=1,', qr/missing field key/],
    ['two commas', 'cpu v=1,,w=2', qr/missing field key/], ['a word for a value', 'cpu v=one', qr/invalid boolean/],
    ['NaN', 'cpu v=NaN', qr/invalid boolean/], ['Infinity', 'cpu v=-Inf', qr/invalid number/], ['hexadecimal', 'cpu v=0x1F', qr/invalid field format/],
    ['two points', 'cpu v=1.2.3', qr/invalid field format/], ['a sign alone', 'cpu v=-', qr/invalid number/], ['an empty exponent', 'cpu v=1e', qr/invalid number/],
    ['a broken integer', 'cpu v=1.5i', qr/invalid number/], ['an integer over 64 bits', 'cpu v=9223372036854775808i', qr/invalid number/],
    ['a negative unsigned', 'cpu v=-1u', qr/invalid number/], ['1e999', 'cpu v=1e999', qr/finite number/], ['1.1e100', 'cpu v=1.1e100', qr/finite number/],
    ['an open quote', 'cpu v="x', qr/unbalanced quotes/], ['more after a string', 'cpu v="x"y', qr/invalid field format/],
    ['a nul in a string', "cpu v=\"a\0b\"", qr/NUL/], ['a nul in a tag', "cpu,a=b\0c v=1", qr/not UTF-8/], ['single quotes', "cpu v='x'", qr/invalid boolean/],
    ['a word for a time', 'cpu v=1 now', qr/bad timestamp/], ['RFC 3339', 'cpu v=1 2026-11-20T12:00:00Z', qr/bad timestamp/],
    ['a fraction of a time', 'cpu v=1 1.5', qr/bad timestamp/], ['a time over 64 bits', 'cpu v=1 92233720368547758080', qr/bad timestamp/],
    ['two times', 'cpu v=1 1 2', qr/bad timestamp/], ['a time of 1970', 'cpu v=1 1', qr/older than/], ['a time in the far future', 'cpu v=1 9223372036854775807', qr/ahead/],
    ['bytes that are not UTF-8', "cpu,a=\xff v=1", qr/not UTF-8/], ['a measurement of 129 bytes', "$long v=1", qr/longer than 128/],
    ['a field of 129 bytes', "cpu $long=1", qr/longer than 128/], ['129 fields', 'cpu ' . join(',', map { "f$_=1" } 1 .. 129), qr/too many fields/],
    ['65 tags', 'cpu,' . join(',', map { "t$_=1" } 1 .. 65) . ' v=1', qr/too many tags/], ['labels over 2 KiB', 'cpu,a=' . 'x' x 2048 . ' v=1', qr/labels are longer/],
    ['a string over 64 KiB', 'cpu v="' . 'x' x 65536 . '"', qr/over 65536/], ['JSON', '{"device":"d","metrics":{"a":1}}', qr/missing fields/],
    ['a form', 'device=d&value=1', qr/missing fields/], ['XML', '<a b="c">1</a>', qr/invalid field format/], ['a device of dots', 'cpu,device=.. v=1', qr/only dots/],
);

sub check_malformed {
    for my $case (@malformed) {
        my ($name, $line, $message) = @$case;
        my $version = 1 + $good % 3;
        my $answer = $stack->post($path{$version} . '&precision=' . ($version == 3 ? 'nanosecond' : 'ns'), $line, token => $token);
        my $status = $version == 2 && $answer->{json}{code} ne 'invalid' ? 422 : 400;
        if ($version == 3) {
            shape_is($answer, 3, 400, qr/partial write/, $name);
            like($answer->{json}{data}[0]{error_message}, $message, '  and why');
        } else {
            shape_is($answer, $version, $status, $message, $name);
        }
        is_good_line_stored($name);
    }
    for my $version (1, 2, 3) {
        shape_is($stack->post("$path{$version}&precision=d", 'm a=1', token => $token), $version, 400, qr/invalid precision "d"/, 'a precision of days');
        my %gzip = ('Content-Encoding' => 'gzip');
        for my $case ([400, 'gzip that is none', 'm a=1'], [400, 'gzip cut short', substr memGzip('m a=1'), 0, -6],
            [413, 'a gzip bomb', memGzip(' ' x (11 << 20))]) {
            shape_is($stack->post($path{$version}, $case->[2], token => $token, headers => \%gzip), $version, $case->[0], qr/\w/, $case->[1]);
        }
        shape_is($stack->post($path{$version}, 'm a=1', token => $token, headers => { 'Content-Encoding' => 'x' }), $version, 415, qr/\w/, 'an unknown encoding');
        shape_is($stack->post($path{$version}, "m a=1\n" x 100_001, token => $token), $version, 413, qr/100000/, '100,001 lines');
        shape_is($stack->post($path{$version}, join('', map {"m$_,host=h$_ v=1,w=2,x=3\n"} 1 .. 100_000), token => $token), $version, 413, qr/\w/, '300,000 series at once, more than there ever is room for');
        shape_is($stack->post($path{$version}, '#' x ((10 << 20) + 1), token => $token), $version, 413, qr/\w/, 'a body over 10 MiB');
        is($stack->get($path{$version}, token => $token)->{status}, 405, "version $version: GET is not how to write");
        is_good_line_stored("version $version");
    }
    is($stack->sql("SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id WHERE r.metric = 'counted'"), $good,
        "all $good good lines are stored");
    is($stack->sql("SELECT count(*) FROM core.device WHERE key IN ('cpu', '$long', 'd')"), 0, 'and none of the others left a device');
    return;
}

# ---- what is asked beside writing ----

sub ask { my ($q, %option) = @_; return $stack->post('/query', $q, token => $token, headers => {%form}, %option) }

sub check_helpers {
    for my $method ('GET', 'HEAD') {
        my $answer = $stack->request($method, '/ping');
        is("$answer->{status} " . ($answer->{content} // ''), '204 ', "$method /ping");
        like($answer->{headers}{'x-influxdb-version'}, qr/^\d+\.\d+\.\d+$/, '  says a version');
    }
    ok($stack->get('/ping?verbose=true')->{json}{version}, 'in the body where it is asked for');
    is($stack->get('/health')->{json}{status}, 'pass', 'GET /health passes');
    is_deeply($stack->get('/query?q=SHOW+DATABASES', token => $token)->{json},
        { results => [{ statement_id => 0, series => [{ name => 'databases', columns => ['name'], values => [['acme']] }] }] }, 'SHOW DATABASES');
    is_deeply(ask('q=CREATE+DATABASE+%22tele%3Bgraf%22')->{json}, { results => [{ statement_id => 0 }] }, 'CREATE DATABASE');
    is_deeply([map { !!$_->{error} } @{ ask('q=create database "a"; DROP DATABASE a; SELECT mean("v") FROM m; SHOW MEASUREMENTS;')->{json}{results} }],
        ['', 1, 1, 1], 'several statements: what is not done is said to be an error');
    shape_is(ask($_), 1, 400, qr/missing required parameter "q"/, "a question without a question ('$_')") for '', 'q=', 'q=%20';
    is(ask('q=x', token => undef)->{status}, 401, 'nobody is answered without a token');
    is(ask('q=x', token => $api)->{status}, 403, 'nor one that only reads');
    return;
}

sub last_of {
    my ($who, $field, $measurement, $where, $epoch) = @_;
    my $answer = ask("db=d&" . ($epoch // 'epoch=s') . "&q= SELECT LAST(\"$field\") FROM $measurement $where", token => $who);
    return $answer->{status} if $answer->{status} != 200;
    my $series = $answer->{json}{results}[0]{series} or return 'none';
    return "$series->[0]{name} $series->[0]{values}[0][0]" . ($series->[0]{values}[0][1] // '');
}

# IoTaWatt asks so, word for word, and goes on after the newest time.
sub check_last {
    my $late = $now - 100;
    $stack->post('/write?precision=s', "Main,device=i1,site=a value=1 $late\nMain,device=i1,site=b value=2 " . ($late + 60) . "\nSolar value=3 $late\n", token => $token);
    is(last_of($token, 'value', 'Main', " WHERE device='i1' AND site='a'"), "Main $late", 'SELECT LAST: the newest time, and no value');
    is(last_of($token, 'value', 'Main', " WHERE device='i1'"), 'Main ' . ($late + 60), '  of several series that fit the newest');
    is(last_of($token, 'value', 'Solar', ''), "Solar $late", '  by the measurement alone');
    is(last_of($token, 'value', 'Solar', '', ''), 'Solar ' . $stack->sql("SELECT to_char(to_timestamp($late) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"),
        '  as text where no unit is asked for');
    is(last_of($token, 'value', 'Solar', '', 'epoch=ms'), "Solar ${late}000", '  or in the unit');
    is(last_of($token, $_->[0], $_->[1], $_->[2]), 'none', "nothing of $_->[3]") for ['value', 'Main', " WHERE device='i2'", 'another device'],
        ['volts', 'Main', " WHERE device='i1'", 'another field'], ['value', 'Main', " WHERE device='i1' AND site='c'", 'another tag'];
    is(last_of($bound, 'value', 'Main', " WHERE device='i1'"), 'none', 'a bound token is told nothing of another device');
    is(last_of($bound, 'watts', 'Main', ''), "Main $now", '  but of its own');
    is(last_of($other, 'value', 'Solar', ''), 'none', 'another tenant nothing at all');
    is(last_of($token, 'value', 'Main', " WHERE time > now()"), 'none', 'another condition is not understood');
    return;
}

sub flux {
    my ($who, $from, @outputs) = @_;
    my $filter = join ' or', map { "\n    (r._measurement == \"$_->[0]\"$_->[1] and r._field == \"value\")" } @outputs;
    return $stack->post('/api/v2/query?orgID=0123456789abcdef', "from(bucket: \"b\")\n  |> range(start: $from, stop: $now)\n  |> filter(fn: (r) =>$filter)"
        . "\n  |> last()\n  |> map(fn: (r) => ({_measurement: r._measurement, _time: (uint(v:r._time)) / uint(v:1000000000)}))\n"
        . "  |> sort (columns: [\"_time\"], desc: true)\n", headers => { 'Content-Type' => 'application/vnd.flux', Authorization => "Token $who" });
}

sub check_flux {
    my $late = $now - 100;
    my @outputs = (['Solar', ''], ['Main', ' and r.device == "i1"'], ['Nothing', '']);
    my $answer = flux($token, $now - 3600, @outputs);
    is("$answer->{status} $answer->{content}", "200 ,result,table,_measurement,_time\r\n,_result,0,Main," . ($late + 60) . "\r\n,_result,0,Solar,$late\r\n\r\n",
        'Flux: the newest first, in the shape that IoTaWatt reads');
    is(flux($token, $now - 10, @outputs)->{content}, "\r\n", '  nothing in a range that begins later');
    is(flux($_, 0, ['Main', ' and r.device == "i1"'])->{content}, "\r\n", '  nothing of what is not its own') for $bound, $other;
    is(flux($api, 0, @outputs)->{status}, 403, '  nothing to one that only reads');
    $answer = $stack->post('/api/v2/query', { query => 'buckets()', type => 'flux' }, token => $token);
    like("$answer->{status} $answer->{content}", qr/^200 error,reference\r\n/, 'another question is an error as Flux has it');
    shape_is($stack->post('/api/v2/query', '{"type":', token => $token, headers => { 'Content-Type' => 'application/json' }), 2, 400, qr/query/, 'half a question');
    return;
}

# ESPHome's component influxdb: credentials as headers, its statement by GET, and a line for each state,
# without a time, as its source writes them (influxdb_writer.cpp).
sub check_esphome {
    my %its = ('Content-Type' => 'text/plain', u => 'esphome', p => $token, 'User-Agent' => 'ESPHome InfluxDB Bot');
    my $answer = $stack->get('/query?q=CREATE+DATABASE+home', headers => \%its);
    is($answer->{status}, 200, 'ESPHome: its statement');
    for my $line ('kitchen_temperature,node=kitchen value=21.500000', 'kitchen_door,node=kitchen value=t', 'kitchen_mode,node=kitchen value="eco, \"night\""') {
        is($stack->post('/write?db=home', $line, headers => \%its)->{status}, 204, "  $line");
    }
    is(join(' ', map { $_->{value} } map { samples($_, 'value') } qw(kitchen_temperature kitchen_door)), '21.5 1', '  numbers and states are there');
    is_deeply($stack->get('/v1/events?device=kitchen_mode', token => $api)->{json}{items}[0]{data},
        { labels => { node => 'kitchen' }, value => 'eco, "night"' }, '  texts too');
    return;
}

# ---- overload ----

# The mode that answers as an overload does, without having to make one.
sub check_unavailable {
    $stack->cli('maintenance', 'on');
    for my $version (1, 2, 3) {
        my $deadline = time + 6;
        my $answer = $stack->post($path{$version}, 'm a=1', token => $token);
        while ($answer->{status} != 503 && time < $deadline) {
            sleep 0.2;
            $answer = $stack->post($path{$version}, 'm a=1', token => $token);
        }
        shape_is($answer, $version, 503, qr/\w/, 'not now');
        like($answer->{headers}{'retry-after'}, qr/^\d+$/, '  but later');
    }
    return;
}

check_success();
check_esphome();
check_precisions();
check_credentials();
check_bound();
check_partial();
check_whole();
my $unharmed = Tidemark::Unharmed->new($stack);
check_malformed();
$unharmed->check;
check_helpers();
check_last();
check_flux();
check_unavailable();
done_testing();
