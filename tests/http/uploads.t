#!/usr/bin/perl
# Files over HTTP, through the real nginx: sent alone, chunked, by a form and in parts; fetched whole
# and in ranges; who may, whose they are, and what is left of those that did not come to an end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Tidemark::Browser;
use Tidemark::Objects;
use Tidemark::Psql;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $PASSWORD = 'a long enough password';
my $stack = Tidemark::Stack->start(env => { UPLOAD_MAX_MIB => 32, UPLOAD_QUOTA_MIB => 64, UPLOAD_THREADS => 4 });
$stack->cli('tenant', 'add', $_, '--name', ucfirst) for qw(home other);
$stack->cli('user', 'add', '--tenant', 'home', '--email', $_->[0], '--role', $_->[1], { stdin => "$PASSWORD\n" })
    for ['eve@home.example', 'admin'], ['kay@home.example', 'viewer'];
$stack->cli('device', 'add', '--tenant', 'home', $_) for qw(camera meter);
my %token = (
    admin => $stack->token('home', 'admin'), api => $stack->token('home', 'api'), device => $stack->token('home', 'device'),
    camera => $stack->token('home', 'device', '--device', 'camera'), other => $stack->token('other', 'admin'),
);

sub as { my ($who, $method, $path, %option) = @_; return $stack->request($method, $path, token => $token{$who}, %option) }
sub put { my ($who, $name, $bytes, %headers) = @_; return as($who, 'PUT', "/v1/uploads/$name", body => $bytes, headers => \%headers) }

sub objects {
    return sort grep { -f } split /\n/, `find $stack->{home}/objects -type f`;
}

sub await {
    my ($what, $name) = @_;
    my $deadline = time + 20;
    sleep 0.1 while !$what->() && time < $deadline;
    return ok($what->(), $name);
}

# A session of the superuser's own; how many others wait for a lock with what they run.
sub session { return Tidemark::Psql->open([(sort glob '/usr/lib/postgresql/1[5-8]/bin/psql')[-1]], "$stack->{home}/run", 'tidemark_super') }
sub waiting { return $stack->sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ '$_[0]'") }

# ---- alone ----

my $bytes = join '', map { chr } 0 .. 255;
my $answer = put('device', 'some%20file.bin', $bytes, 'Content-Type' => 'image/png');
is($answer->{status}, 201, 'a device sends a file');
is_deeply([sort keys %{ $answer->{json} }], [qw(id name sha256 size)], 'the answer says what it is');
is($answer->{json}{name}, 'some file.bin', 'its name');
is($answer->{json}{size}, 256, 'its size');
is($answer->{json}{sha256}, sha256_hex($bytes), 'its SHA-256');
my $id = $answer->{json}{id};
is($answer->{headers}{location}, "/v1/uploads/$id", 'and where it is');

for my $size (0, 1, 65535, 65536, 5 << 20) {
    my $content = substr('0123456789abcdef' x (($size >> 4) + 1), 0, $size);
    my $sent = put('device', "size-$size", $content);
    is($sent->{status}, 201, "$size bytes are sent");
    my $got = as('api', 'GET', $sent->{headers}{location});
    ok($got->{status} == 200 && $got->{content} eq $content, "$size bytes come back");
}

{
    my @chunks = ('first,', 'x' x 100_000, ',last');
    my $content = join '', @chunks;
    my $http = HTTP::Tiny->new;
    my $sent = $http->request('PUT', $stack->url('/v1/uploads/chunked'),
        { headers => { Authorization => "Bearer $token{device}" }, content => sub { shift @chunks } });
    is($sent->{status}, 201, 'a chunked body needs no length');
    my $made = Tidemark::Stack::decode($sent->{content});
    is($made->{sha256}, sha256_hex($content), 'and is whole');
}

{
    my $head = "PUT /v1/uploads/expect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token{device}\r\n"
        . "Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}") or die;
    print {$socket} $head;
    $socket->flush;
    sysread $socket, my $first, 1000;
    like($first, qr{^HTTP/1.1 100 }, 'who expects 100-continue is told to go on');
    print {$socket} 'hello';
    $socket->flush;
    local $/;
    like(<$socket>, qr{ 201 Created.*"size":5}s, 'and then that it is stored');
}

# ---- fetched ----

sub fetch { my (%headers) = @_; return as('api', 'GET', "/v1/uploads/$id", headers => \%headers) }

my $whole = fetch();
my %header = %{ $whole->{headers} };
ok($whole->{status} == 200 && $whole->{content} eq $bytes, 'a file is fetched');
is($header{'content-type'}, 'image/png', 'its type');
is($header{'content-length'}, 256, 'its length');
is($header{etag}, '"' . sha256_hex($bytes) . '"', 'its tag');
is($header{'accept-ranges'}, 'bytes', 'ranges are taken');
is($header{'x-content-type-options'}, 'nosniff', 'no sniffing');
is($header{'content-disposition'}, q{attachment; filename="some file.bin"; filename*=UTF-8''some%20file.bin}, 'as an attachment');
my $policy = $header{'content-security-policy'};
ok((grep {/^sandbox/} ref $policy ? @$policy : $policy), 'in a sandbox');

for my $case (
    ['bytes=0-9', 206, 0, 10], ['bytes=250-', 206, 250, 6], ['bytes=-6', 206, 250, 6], ['bytes=100-999', 206, 100, 156],
    ['bytes=255-255', 206, 255, 1], ['bytes=-999', 206, 0, 256], ['bytes=0-1,4-5', 200, 0, 256], ['lines=0-1', 200, 0, 256],
    ['bytes=9-1', 200, 0, 256], ['bytes=x-y', 200, 0, 256],
) {
    my ($range, $status, $from, $length) = @$case;
    my $got = fetch(Range => $range);
    is($got->{status}, $status, "$range: $status");
    ok($got->{content} eq substr($bytes, $from, $length), "$range: $length bytes from $from on");
    is($got->{headers}{'content-range'}, "bytes $from-" . ($from + $length - 1) . '/256', "$range: says which") if $status == 206;
}
for my $range ('bytes=256-', 'bytes=300-400', 'bytes=-0') {
    my $got = fetch(Range => $range);
    is($got->{status}, 416, "$range: 416");
    is($got->{headers}{'content-range'}, 'bytes */256', "$range: says how long it is");
}
is(fetch('If-None-Match' => $header{etag})->{status}, 304, 'what the client has is not sent again');
is(fetch('If-None-Match' => qq{"x", W/$header{etag}})->{status}, 304, 'among others, and weakly');
is(fetch('If-None-Match' => '"x"')->{status}, 200, 'another is');
is(fetch('If-Match' => '"x"')->{status}, 412, 'nor is what the client does not mean');
is(fetch('If-Range' => $header{etag}, Range => 'bytes=0-0')->{status}, 206, 'a range of the same file');
is(fetch('If-Range' => '"x"', Range => 'bytes=0-0')->{status}, 200, 'of another all of it');
my $head = as('api', 'HEAD', "/v1/uploads/$id");
ok($head->{status} == 200 && $head->{headers}{'content-length'} == 256 && $head->{content} eq '', 'HEAD tells all but the bytes');
for my $range ('bytes=0-9', 'bytes=300-400') {
    $head = as('api', 'HEAD', "/v1/uploads/$id", headers => { Range => $range });
    is(join(' ', $head->{status}, $head->{headers}{'content-length'}, $head->{headers}{'content-range'} // '-'), '200 256 -', "  and of the whole file where $range is asked for");
}

# A byte that the disk has otherwise than it was stored: near the end of one that goes out in many pieces, and
# of one that goes out in one.
sub object_of { my ($of) = @_; return (grep {/\Q$of\E/} objects())[0] }
sub flip { my ($path, $at) = @_; my $was = Tidemark::Stack::slurp($path); substr($was, $at, 1) ^= "\x10"; open my $out, '+<:raw', $path or die "$path: $!"; print {$out} $was; close $out or die $!; return }
for my $size (5 << 20, 200_000, 100) {
    my $sent = put('device', 'to-be-damaged.bin', 'tide' x ($size / 4));
    my $object = object_of($sent->{json}{id});
    my ($key) = $object =~ m{objects/(.*)};
    flip($object, $size - 50);
    my $got = `curl -s -m 20 -o /dev/null -w '%{http_code} %{size_download} %{exitcode}' -H 'Authorization: Bearer $token{api}' '@{[$stack->url($sent->{headers}{location})]}'`;
    my ($status, $n, $exit) = split / /, $got;
    $size > 1000 ? ok($status == 200 && $exit != 0 && $n < $size, "of $size bytes with one flipped not all are sent") || diag($got)
        : is($status, 500, 'of a few with one flipped none');
    like($stack->logs, qr/\Q$key\E is damaged: its SHA-256 is \w{64}, not $sent->{json}{sha256}/, '  and the log names it');
    is(as('api', 'GET', $sent->{headers}{location}, headers => { Range => 'bytes=0-9' })->{content}, 'tidetideti', '  a range of it is as it is');
    flip($object, $size - 50);
    is(as('api', 'GET', $sent->{headers}{location})->{status}, 200, '  put right it is sent');
}
$stack->sql(q{DELETE FROM core.upload WHERE name = 'to-be-damaged.bin'});

for my $name (
    ["\xc3\x9cbung \xf0\x9f\x8c\x8a.txt", '_bung _.txt', '%C3%9Cbung%20%F0%9F%8C%8A.txt'],
    ['a"b\\c;d.txt', 'a_b_c;d.txt', 'a%22b%5Cc%3Bd.txt'], ['etc/passwd', 'etc/passwd', 'etc%2Fpasswd'],
    ['100%+&=#?', '100_+&=#?', '100%25+&%3D#%3F'],
) {
    my ($raw, $plain, $encoded) = @$name;
    my $sent = put('device', join('', map { sprintf '%%%02X', ord } split //, $raw), 'x');
    my $got = as('api', 'GET', $sent->{headers}{location});
    is($got->{headers}{'content-disposition'}, qq{attachment; filename="$plain"; filename*=UTF-8''$encoded}, "the name $encoded");
}
ok(put('device', '%2E%2E%2F%2E%2E%2Fetc', 'x')->{status} =~ /^40[045]$/, 'nothing climbs out of its folder');
is(put('device', 'a%00b', 'x')->{status}, 400, 'a name with NUL is none');
is(put('device', 'a%0Ab', 'x')->{status}, 422, 'nor one with a line end');
is(put('device', 'x' x 256, 'x')->{status}, 422, 'nor one of 256 bytes');
ok(!(grep { !m{/objects/upload/\d+/[0-9a-f]{2}/[0-9a-f-]{36}$} } objects()), 'names are nowhere in the store');

# ---- by a form ----

sub form {
    my ($who, $path, @parts) = @_;
    my $body = join '', map { "--b0undary\r\nContent-Disposition: form-data; $_->[0]\r\n"
            . ($_->[2] ? "Content-Type: $_->[2]\r\n" : '') . "\r\n$_->[1]\r\n" } @parts;
    return as($who, 'POST', $path, body => "$body--b0undary--\r\n", headers => { 'Content-Type' => 'multipart/form-data; boundary=b0undary' });
}
my $tricky = "--b0undar\r\n--b0undarx\r\n\r\n--b0un" . ("\r\n--b0undar" x 20_000);
my $posted = form('admin', '/v1/uploads', ['name="file"; filename="C:\\\\photos\\\\one.jpg"', "one\r\n", 'image/jpeg'],
    ['name="file"; filename="two"', $tricky], ['name="note"', 'no file'], ['name="file"; filename=""', ''], ['name="file"; filename="empty"', '']);
is($posted->{status}, 201, 'a form with three files');
is_deeply([map { [@$_{qw(name size sha256)}] } @{ $posted->{json}{items} }],
    [['one.jpg', 5, sha256_hex("one\r\n")], ['two', length $tricky, sha256_hex($tricky)], ['empty', 0, sha256_hex('')]], 'all of them are there');
my $single = form('admin', '/v1/uploads?device=meter', ['name="device"', 'camera'], ['name="file"; filename="frame"', 'pixels']);
is($single->{json}{sha256}, sha256_hex('pixels'), 'a form with one file answers that');
is(form('admin', '/v1/uploads', ['name="note"', 'x'])->{status}, 422, 'a form without a file');
is(as('admin', 'POST', '/v1/uploads', body => 'x', headers => { 'Content-Type' => 'text/plain' })->{status}, 415, 'no form');
is(as('admin', 'POST', '/v1/uploads', body => '--b', headers => { 'Content-Type' => 'multipart/form-data' })->{status}, 400, 'no boundary');
my @before = objects();
is(as('admin', 'POST', '/v1/uploads', body => "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nabc",
    headers => { 'Content-Type' => 'multipart/form-data; boundary=b' })->{status}, 400, 'a form that does not end');
is_deeply([objects()], \@before, 'leaves no object');

# ---- who may ----

is(put('api', 'x', 'x')->{status}, 403, 'an api token does not send');
is($stack->request('PUT', '/v1/uploads/x', body => 'x')->{status}, 401, 'nor does nobody');
is(as($_, 'GET', '/v1/uploads')->{status}, 403, "$_: a device's token does not read") for qw(device camera);
is(as('api', 'DELETE', "/v1/uploads/$id")->{status}, 403, 'an api token does not remove');
is(put('camera', 'frame.jpg?device=camera', 'x')->{status}, 201, 'a bound token sends for its device');
is(put('camera', 'frame.jpg?device=meter', 'x')->{status}, 403, 'and for no other');
is(form('camera', '/v1/uploads', ['name="device"', 'meter'], ['name="file"; filename="f"', 'x'])->{status}, 403, 'nor by a form');
is(put('device', 'frame.jpg?device=nobody', 'x')->{status}, 422, 'a device that the tenant has not');
my $event = '11111111-2222-4333-8444-555555555555';
is(put('device', "frame.jpg?device=meter&event=$event", 'xyz')->{status}, 201, 'of a device and an event');
is(put('device', 'frame.jpg?event=7', 'xyz')->{status}, 422, 'an event is a UUID');
my $of_form = form('device', '/v1/uploads', ['name="event"', " \U$event "], ['name="file"; filename="still"', 'four']);
is($of_form->{status}, 201, 'a form may name the event') or diag $of_form->{content};
is(form('device', '/v1/uploads', ['name="event"', '7'], ['name="file"; filename="still"', 'x'])->{status}, 422, '  which is a UUID');
is(form('device', '/v1/uploads', ['name="event"', ''], ['name="file"; filename="none"', 'x'])->{status}, 201, '  or none');

my $list = as('api', 'GET', '/v1/uploads?limit=1000')->{json};
is(scalar(grep { $_->{name} eq 'frame.jpg' } @{ $list->{items} }), 2, 'all are listed');
is_deeply([map { $_->{device} } @{ as('api', 'GET', '/v1/uploads?device=camera')->{json}{items} }], ['camera', 'camera'], 'by device');
is_deeply([sort map { $_->{size} } @{ as('api', 'GET', "/v1/uploads?event=$event")->{json}{items} }], [3, 4], 'by event');
{
    my ($cursor, @ids) = ('');
    do {
        my $page = as('api', 'GET', "/v1/uploads?limit=4$cursor")->{json};
        push @ids, map { $_->{id} } @{ $page->{items} };
        $cursor = $page->{next} ? "&cursor=$page->{next}" : '';
    } while $cursor && @ids < 100;
    is_deeply(\@ids, [map { $_->{id} } @{ $list->{items} }], 'page by page');
}

# ---- another tenant ----

my $unknown = '00000000-0000-4000-8000-000000000000';
for my $method (qw(GET HEAD DELETE)) {
    my ($theirs, $none) = map { as('other', $method, "/v1/uploads/$_") } $id, $unknown;
    is($theirs->{status}, 404, "$method: another tenant's file is not there");
    s/"request_id":"[^"]*"|\Q$id\E|\Q$unknown\E//g for $theirs->{content}, $none->{content};
    is($theirs->{content}, $none->{content}, "$method: like one that there is not");
}
is_deeply(as('other', 'GET', '/v1/uploads')->{json}{items}, [], 'nor is it listed');
is(as('other', 'GET', '/v1/uploads/' . join '%2F', 'upload', 1, substr($id, 0, 2), $id)->{status}, 404, 'nor is its key an address');

# ---- in parts ----

my $long = join '', map { pack 'N', $_ * 2_654_435_761 % 4_294_967_296 } 1 .. 50_000;
my $total = length $long;
sub part {
    my ($from, $to, $who) = @_;
    return put($who // 'device', 'in-parts.bin', substr($long, $from, $to - $from), 'Content-Range' => "bytes $from-" . ($to - 1) . "/$total");
}
sub ask { return put('device', 'in-parts.bin', '', 'Content-Range' => "bytes */$total") }
$answer = ask();
is($answer->{status}, 202, 'nothing is there yet');
ok(!exists $answer->{headers}{range}, 'which is told by no range');
$answer = part(0, 70_000);
is("$answer->{status} $answer->{headers}{range} $answer->{json}{received}", '202 bytes=0-69999 70000', 'the first part');
$answer = part(0, 70_000);
is("$answer->{status} $answer->{headers}{range}", '202 bytes=0-69999', 'sent again it begins anew');
$answer = part(100_000, 150_000);
is("$answer->{status} $answer->{headers}{range}", '409 bytes=0-69999', 'what leaves a gap is told where to go on');
is(part(10_000, 70_000)->{status}, 202, 'what is there already may be sent again');
is(part(70_000, 100_000, 'admin')->{status}, 409, 'another sender has begun nothing');
$answer = part(70_000, 150_000);
is("$answer->{status} $answer->{headers}{range}", '202 bytes=0-149999', 'the second part');
is(ask()->{headers}{range}, 'bytes=0-149999', 'who forgot where he was asks');
is((grep { $_->{name} eq 'in-parts.bin' } @{ as('api', 'GET', '/v1/uploads?limit=1000')->{json}{items} }), 0, 'nobody sees it yet');
$answer = part(150_000, $total);
is($answer->{status}, 201, 'the last part');
is($answer->{json}{sha256}, sha256_hex($long), 'makes the file whole');
is(part(150_000, $total)->{json}{id}, $answer->{json}{id}, 'sent again it is the same file');
ok(as('api', 'GET', $answer->{headers}{location})->{content} eq $long, 'which is fetched as any');
{
    my @sent = map { put('device', 'frame.raw', $_, 'Content-Range' => 'bytes 0-4/5') } qw(first other);
    is_deeply([map { $_->{json}{sha256} } @sent], [map { sha256_hex($_) } qw(first other)], 'one of the same name and length in one part');
    isnt($sent[0]{json}{id}, $sent[1]{json}{id}, 'is another file');
    put('device', 'again.raw', 'old', 'Content-Range' => 'bytes 0-2/5');
    put('device', 'again.raw', 'new', 'Content-Range' => 'bytes 0-2/5');
    $answer = put('device', 'again.raw', '..', 'Content-Range' => 'bytes 3-4/5');
    is($answer->{json}{sha256}, sha256_hex('new..'), 'what begins anew keeps nothing of what was before');
    my @of = map { "shared.raw?device=$_" } qw(camera meter);
    put('device', $of[$_], (qw(aa bb))[$_], 'Content-Range' => 'bytes 0-1/4') for 0, 1;
    @sent = map { put('device', $of[$_], (qw(AA BB))[$_], 'Content-Range' => 'bytes 2-3/4') } 0, 1;
    is_deeply([map { $_->{json}{sha256} } @sent], [map { sha256_hex($_) } qw(aaAA bbBB)], 'devices that share a token have files of their own');
}
is(put('device', 'x', 'abc', 'Content-Range' => 'bytes 0-9/100')->{status}, 400, 'a body shorter than it says');
is(put('device', 'x', 'abc', 'Content-Range' => $_)->{status}, 400, "no range: $_") for 'bytes 0-2/*', 'bytes 5-2/9', 'x 0-2/3', 'bytes 0-3/3', 'bytes 0-0/0';
$answer = put('device', 'nothing', '', 'Content-Range' => 'bytes */0');
is("$answer->{status} $answer->{json}{detail}", '400 Content-Range: must be as in bytes 0-499/1234, the length known; an empty file is sent without', 'nor has an empty file parts');

is($stack->sql('SELECT count(*) FROM core.upload_part WHERE NOT is_there'), 0, 'parts that did not come are forgotten');

my @joined = (do "$FindBin::Bin/uploads/at_once.pl" or die $@ || $!)->({ stack => $stack, token => $token{device}, as => \&as, put => \&put,
    await => \&await, session => \&session, waiting => \&waiting });

# ---- how many at a time ----

sub send_slowly {
    my ($who, $name) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}") or die;
    print {$socket} "PUT /v1/uploads/$name HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token{$who}\r\nContent-Length: 9\r\n\r\nslow";
    $socket->flush;
    await(sub { $stack->sql("SELECT count(*) FROM core.upload WHERE name = '$name'") == 1 }, "$name comes");
    return $socket;
}
{
    my @slow = (send_slowly('device', 'slow-1'), send_slowly('device', 'slow-2'));
    $answer = put('device', 'slow-3', 'x');
    is("$answer->{status} $answer->{headers}{'retry-after'}", '429 5', 'one sender holds half of the threads and no more');
    push @slow, send_slowly('admin', 'slow-4');
    is(put('camera', 'slow-5', 'x')->{status}, 429, 'one tenant three quarters');
    is(put('other', 'theirs', 'x')->{status}, 201, 'and another has one');
    is(as('api', 'GET', '/v1/uploads')->{status}, 200, 'who reads is not counted');
    close $_ for @slow;
    await(sub { $stack->sql(q{SELECT count(*) FROM core.upload WHERE stored_at IS NULL AND name LIKE 'slow-_'}) == 0 }, 'they end');
    await(sub { put('device', 'slow-3', 'x')->{status} == 201 }, 'and leave their places');
}

# ---- what does not come to its end ----

{
    my $count = $stack->sql('SELECT count(*) FROM core.upload');
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}") or die;
    print {$socket} "PUT /v1/uploads/cut HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token{device}\r\nTransfer-Encoding: chunked\r\n\r\n"
        . "10000\r\n" . ('x' x 65536) . "\r\n";
    $socket->flush;
    await(sub { $stack->sql('SELECT count(*) FROM core.upload') > $count }, 'a file is coming');
    is((grep { $_->{name} eq 'cut' } @{ as('api', 'GET', '/v1/uploads?limit=1000')->{json}{items} }), 0, 'and nobody sees it');
    close $socket;
    await(sub { $stack->sql('SELECT count(*) FROM core.upload') == $count }, 'cut short it is forgotten');
    await(sub { !glob "$stack->{home}/objects/.put/*" }, 'and leaves nothing in the store');
}
{
    my $large = 'x' x (33 << 20);
    is(put('device', 'large', $large)->{status}, 413, 'larger than files may be');
    my @pieces = map { substr $large, $_ << 20, 1 << 20 } 0 .. 32;
    my $sent = HTTP::Tiny->new->request('PUT', $stack->url('/v1/uploads/large'),
        { headers => { Authorization => "Bearer $token{device}" }, content => sub { shift @pieces } });
    is($sent->{status}, 413, 'without a length it is found on the way');
    is(put('device', 'large', substr $large, 0, 32 << 20)->{status}, 201, 'as large as they may be');
    my $over = put('device', 'large', substr $large, 0, 28 << 20);
    is($over->{status}, 413, 'more than the tenant may have');
    like($over->{json}{detail}, qr/^The tenant has \d+ bytes of files and may have 67108864\.$/, 'says so');
    await(sub { !glob "$stack->{home}/objects/.put/*" }, 'and nothing is left of it');
}

# ---- the page ----

my $eve = Tidemark::Browser->new($stack);
$eve->log_in('eve@home.example', $PASSWORD);
my $page = $eve->get('/uploads');
is($page->{status}, 200, 'the page of files');
like($page->{content}, qr{<bdi>etc/passwd</bdi>}, 'lists them by name');
like($page->{content}, qr{<img class="upload-preview" src="/v1/uploads/\Q$id\E"}, 'with previews of images');
like($page->{content}, qr{class="hint">\d+ files, [\d.]+\D+MB of 67\.1\D+MB}, 'and says how much of the quota is used');
for my $id ($event, $unknown) {
    my $made = $stack->post('/v1/event', { device => 'meter', type => 'frame', id => $id, time => int time, data => { width => 1 } }, token => $token{device});
    is($made->{status}, 200, 'an event') or diag $made->{content};
}
for my $path ('/events', '/devices/meter') {
    is_deeply([$eve->get($path)->{content} =~ m{href="/uploads\?event=([^"]+)"}g], [$event], "$path leads to the files of the event that has some");
}
like($eve->get('/devices/meter')->{content}, qr{href="/uploads\?device=meter"}, '  and to those of the device');
my $of_event = $eve->get("/uploads?event=$event")->{content};
is_deeply([$of_event =~ m{<a href="/v1/uploads/[^"]+"><bdi>([^<]+)}g], ['still', 'frame.jpg'], 'they are listed');
like($of_event, qr{name="event" type="text" value="$event"}, '  and more may be sent');
like($eve->get("/uploads?event=$unknown")->{content}, qr{There is no file of this event\.}, 'or none');
is($eve->get('/uploads?event=7')->{status}, 422, 'what is no id is said to be none');
my ($csrf) = $page->{content} =~ /name="csrf" value="([^"]+)"/;
sub send_form {
    my ($body) = @_;
    my $cookies = join '; ', map {"$_=$eve->{cookies}{$_}"} keys %{ $eve->{cookies} };
    return $stack->post('/uploads', $body, headers => { Cookie => $cookies, 'Content-Type' => 'multipart/form-data; boundary=q' });
}
my $sent = send_form("--q\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n$csrf\r\n--q\r\nContent-Disposition: form-data; name=\"device\"\r\n\r\n\r\n"
        . "--q\r\nContent-Disposition: form-data; name=\"file\"; filename=\"from the page.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--q--\r\n");
is("$sent->{status} $sent->{headers}{location}", '303 /uploads?done=sent', 'its form sends files');
$sent = send_form("--q\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nhello\r\n--q--\r\n");
is($sent->{status}, 403, 'but not without its token');
like($eve->get('/uploads?done=sent')->{content}, qr{The files are stored\..*<bdi>from the page\.txt</bdi>}s, 'and they are listed');
my $kay = Tidemark::Browser->new($stack);
$kay->log_in('kay@home.example', $PASSWORD);
$page = $kay->get('/uploads');
ok($page->{status} == 200 && $page->{content} !~ /Send files|>Delete</, 'a viewer sees them and changes nothing');
is($kay->get("/v1/uploads/$id")->{status}, 200, 'and fetches them');

# ---- removed ----

is(as('admin', 'DELETE', "/v1/uploads/$id")->{status}, 204, 'an admin removes a file');
is(as('api', 'GET', "/v1/uploads/$id")->{status}, 404, 'it is gone');
is(as('admin', 'DELETE', "/v1/uploads/$id")->{status}, 404, 'and cannot be removed again');
is($stack->sql(q{SELECT object FROM core.audit WHERE action = 'upload.remove'}), 'some file.bin', 'the audit trail knows');
my %begun = map { ("$stack->{home}/objects/.put/$_" => /^old/ ? 1 : 0) } 'old' . 'a' x 32, 'young' . 'b' x 32;
for my $path (keys %begun) {
    open my $out, '>', $path or die "$path: $!";
    close $out;
    utime time, time - ($begun{$path} ? 25 : 23) * 3600, $path or die "$path: $!";
}
$stack->cli('worker', '--once');
ok(!(grep {/\Q$id\E/} objects()), 'the worker removes its bytes');
is_deeply([grep { -e } sort keys %begun], [grep { !$begun{$_} } keys %begun], '  and what somebody began a day ago and never finished, nothing younger');
unlink keys %begun;
{
    my $holder = session();
    my $key = $stack->sql("SELECT core.upload_key(1, '$unknown')");
    $holder->query("INSERT INTO core.object_trash (key) VALUES ('$key'); BEGIN; SELECT FROM core.object_trash WHERE key = '$key' FOR UPDATE");
    my $pid = fork // die;
    if (!$pid) {
        delete $stack->{http};
        POSIX::_exit(($stack->tidemark('worker', '--once'))[0]);
    }
    await(sub { waiting('object_trash_done') > 0 }, 'the worker has removed what was not there yet');
    my $object = "$stack->{home}/objects/$key";
    make_path(dirname($object));
    open my $late, '>', $object or die "$object: $!";
    close $late;
    $holder->query("SELECT set_config('tidemark.tenant_id', '1', false); SELECT api.upload_abandon('$unknown'); COMMIT");
    waitpid $pid, 0;
    is($?, 0, '  and goes on');
    is($stack->sql("SELECT count(*) FROM core.object_trash WHERE key = '$key'"), 1, 'what is given up meanwhile is not forgotten');
    $stack->cli('worker', '--once');
    ok(!-e $object, '  and is removed by the next');
}
my $stored = $stack->sql('SELECT count(*) FROM core.upload WHERE stored_at IS NOT NULL');
is(scalar(grep { !m{/archive/} } objects()), $stored, 'and there are as many objects as files');
is(as('api', 'GET', "/v1/uploads/$_")->{content}, 'begin..end', 'a file that two joined at once is still whole') for @joined;
is($stack->sql('SELECT count(*) FROM core.object_trash'), 0, 'nothing is left to be removed');
$stack->sql("INSERT INTO core.object_trash (key) SELECT concat_ws('/', 'upload', repeat('a', 190), repeat('b', 190), repeat('c', 190), repeat('d', 190), i)"
        . ' FROM generate_series(1, 40000) i');
$stack->cli('worker', '--once');
is($stack->sql('SELECT count(*) FROM core.object_trash'), 0, '  nor where that is very much');
is($stack->sql('SELECT count(*) FROM core.upload_use u WHERE u.bytes <>'
        . ' (SELECT coalesce(sum(f.size), 0) FROM core.upload f WHERE f.tenant_id = u.tenant_id)'), 0, 'tenants\' totals are those of their files');

# ---- the folder away ----

(do "$FindBin::Bin/uploads/away.pl" or die $@ || $!)->({ stack => $stack, as => \&as, put => \&put, await => \&await });

# ---- a tenant that is removed: all that the store has of it, as after a restore not all of that is known ----

sub there { return grep { !/[.]ndjson$/ } objects() } # but for catalogues, which the worker writes

{
    $stack->cli('tenant', 'add', 'brief');
    my $brief = $stack->sql("SELECT id FROM core.tenant WHERE slug = 'brief'");
    is($stack->request('PUT', '/v1/uploads/known.bin', token => $stack->token('brief', 'admin'), body => 'known')->{status}, 201, 'a tenant has a file');
    my @others = there();
    my @strangers = ("upload/$brief/12/12345678-1234-4234-8234-123456789abc", map { ("archive/$_/day=2026-01-01/1.parquet", "archive/$_/day=2026-01-01/1.json") }
            'samples/tenant=brief', 'samples.tombstones/tenant=brief', 'events/tenant=brief', 'costs/tenant=brief', 'catalogue/tenant=brief');
    my @kept = ('archive/samples/tenant=briefly/day=2026-01-01/1.parquet', "upload/${brief}0/12/12345678-1234-4234-8234-123456789abc");
    my $store = Tidemark::Objects->new("$stack->{home}/objects");
    $store->spit($_, 'of a database that was given up') for @strangers, @kept;
    my @known = grep { m{/upload/$brief/} && !/12345678/ } @others;
    is(scalar @known, 1, '  which the store holds');
    $stack->cli('worker', '--once');
    is_deeply([there()], [sort @others, map {"$stack->{home}/objects/$_"} @strangers, @kept], '  what nobody knows of stays while the tenant is there');
    $stack->cli('tenant', 'remove', 'brief', '--yes');
    $stack->cli('worker', '--once');
    my %gone = map { $_ => 1 } @known;
    is_deeply([there()], [sort { $a cmp $b } (grep { !$gone{$_} } @others), map {"$stack->{home}/objects/$_"} @kept], '  and goes with it, known or not, and nothing else');
    is(scalar(grep { m{/tenant=brief/} } objects()), 0, '  catalogues, too');
    is($stack->sql('SELECT count(*) FROM core.store_gone'), 0, '  nothing is left to be looked for');
    # a tenant of that name that comes before the worker: what it has is its own
    $stack->cli('tenant', 'add', 'brief');
    $stack->cli('tenant', 'remove', 'brief', '--yes');
    $stack->cli('tenant', 'add', 'brief');
    $store->spit($strangers[1], 'nobody\'s');
    $store->spit('archive/samples/tenant=brief/day=2026-01-02/2.parquet', 'known');
    $stack->sql("INSERT INTO core.archive_garbage (object) VALUES ('archive/samples/tenant=brief/day=2026-01-02/2.parquet')");
    is($stack->sql('SELECT count(*) FROM ops.object_unknown(ARRAY[' . join(', ', map {"'$_'"} $strangers[1], 'archive/samples/tenant=brief/day=2026-01-02/2.parquet') . '])'), 1, '  what is being written is known');
    $stack->cli('worker', '--once');
    ok(!-e "$stack->{home}/objects/$strangers[1]", '  of one that has its name only what nobody knows of is removed');
}

done_testing();
