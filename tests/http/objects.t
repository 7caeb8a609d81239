#!/usr/bin/perl
# The object store against a real MinIO: all that every store promises, keys and sizes that boto3 reads
# and writes too, host style and TLS; wrong secrets, buckets and clocks, a store that is down, a line
# that is cut, a disk that is full: a clear failure each, no object by half, nothing left behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(WUNTRACED);
use Test::More;
use Tidemark::Boto3 qw(both_ways);
use Tidemark::Gate;
use Tidemark::Minio;
use Tidemark::Objects;
use Tidemark::Processes;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my ($minio, $why) = Tidemark::Minio->start;
plan skip_all => "no MinIO: $why" if !$minio;
my $unit = ($ENV{TIDEMARK_BUILD} || "$Tidemark::Stack::ROOT/build") . '/tests/unit';
my $home = tempdir('tidemark-objects-XXXXXX', DIR => '/tmp', CLEANUP => 1);
delete @ENV{grep { /^(TIDEMARK|S3)_/ } keys %ENV};

# Runs a program of the unit tests with these settings on top of MinIO's; what it printed.
sub tool {
    my ($settings, $name, @args) = @_;
    my $pid = open my $out, '-|';
    if (!$pid) {
        %ENV = (%ENV, TIDEMARK_HOME => $home, $minio->settings(%$settings));
        open STDERR, '>&', STDOUT or die;
        exec "$unit/$name", @args or die "$unit/$name: $!";
    }
    local $/;
    my $said = <$out> // '';
    close $out;
    return $said;
}
sub await {
    my ($what, $name) = @_;
    my $deadline = time + 30;
    sleep 0.05 while !$what->() && time < $deadline;
    return ok($what->(), $name);
}
sub fault { my ($settings, @args) = @_; return tool($settings, 'objects_fault', @args) }

# ---- all that a store promises ----

for my $case (['by the path', {}], ['by the name', { S3_PATH_STYLE => 0, S3_ENDPOINT => "http://localhost:$minio->{port}" }]) {
    my ($how, $settings) = @$case;
    my $said = tool($settings, 'objects_store');
    my @failed = $said =~ /^(not ok.*)/mg;
    ok(!@failed && $said =~ /^1\.\.\d+$/m, "the bucket $how") or diag $said;
}
my $certs = "$home/certs";
my ($secure, %https);
{
    make_path($certs);
    chmod 0755, $home, $certs;    # others than root are to find the certificate
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=minio -addext subjectAltName=IP:127.0.0.1"
            . " -keyout $certs/private.key -out $certs/public.crt 2>/dev/null") == 0 or die 'openssl';
    ($secure) = Tidemark::Minio->start(certs => $certs);
    %https = (S3_ENDPOINT => $secure->url);
    like(fault({ %https, S3_CA_FILE => "$certs/public.crt" }, 'prepare'), qr/^OK$/m, 'over TLS, by a certificate of its own');
    like(fault({%https}, 'prepare'), qr/^internal .*certificate/m, 'which is not believed without');
}

# ---- what it refuses ----

like(fault({ S3_SECRET_KEY => 'wrong' }, 'put', 'a/b', 10), qr/^internal .*SignatureDoesNotMatch.*S3_SECRET_KEY/, 'a wrong secret');
like(fault({ S3_ACCESS_KEY => 'nobody' }, 'put', 'a/b', 10), qr/^internal .*InvalidAccessKeyId.*S3_ACCESS_KEY/, 'a wrong key');
like(fault({ S3_BUCKET => 'another' }, 'put', 'a/b', 10), qr/^unavailable .*NoSuchBucket.*tidemark migrate/, 'a bucket that is not there');
like(fault({ S3_BUCKET => 'Bad_Bucket' }, 'put', 'a/b', 10), qr/^S3_BUCKET: not the name of a bucket/, 'a name that is none');
like(fault({}, 'get', 'a/b'), qr/^not-found /, 'an object that is not there');
like(fault({ S3_SECRET_KEY => 'wrong' }, 'head', 'a/b'), qr/^internal .*403/, 'HEAD has no words, and a status');
SKIP: {
    open my $source, '>', "$home/skew.c" or die;
    print {$source} <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *out)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, out);
    out->tv_sec -= id == CLOCK_REALTIME ? 3600 : 0;
    return result;
}
C
    close $source;
    system("cc -shared -fPIC -o $home/skew.so $home/skew.c -ldl") == 0 or skip 'no compiler', 1;
    skip 'the sanitizers come first', 1 if $unit =~ /asan|tsan/;
    local $ENV{LD_PRELOAD} = "$home/skew.so";
    like(fault({}, 'put', 'a/b', 10), qr/^internal .*RequestTimeTooSkewed.*clock/, 'a clock that is an hour late');
}

# ---- a line that is cut, a store that is away ----

# A request, taken whole; its first line, which is written down, too.
sub take_request {
    my ($client) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread $client, $head, 65536, length $head or return '';
    }
    my ($rest) = $head =~ /\r\n\r\n(.*)/s;
    my $left = ($head =~ /^Content-Length: *(\d+)/mi ? $1 : 0) - length $rest;
    while ($left > 0) {
        $left -= sysread($client, my $piece, 65536) || return '';
    }
    open my $asked, '>>', "$home/asked" or die;
    my $line = $head =~ s/\r\n.*//sr;
    print {$asked} "$line\n";
    return $line;
}

# How many requests were answered in MinIO's place since this was asked for.
sub asked {
    my $n = -e "$home/asked" ? () = Tidemark::Stack::slurp("$home/asked") =~ /\n/g : 0;
    unlink "$home/asked";
    return $n;
}

# Passes connections on to MinIO; the first `n` of them are cut after `bytes` from either side. Where `bytes` is a
# function, it answers them in MinIO's place: it is given the request's first line, and undef is no answer at all.
sub proxy {
    my ($n, $bytes) = @_;
    my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die;
    my $pid = fork // die;
    return ($listen->sockport, $pid) if $pid;
    while (my $client = $listen->accept) {
        if (ref $bytes && $n-- > 0) {
            my $answer = $bytes->(take_request($client));
            defined $answer ? syswrite $client, "HTTP/1.1 $answer\r\nConnection: close\r\n\r\n" : sysread $client, my $end, 1;
            close $client;
            next;
        }
        my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$minio->{port}") or next;
        my $left = $n-- > 0 ? $bytes : 9e15;
        my $select = IO::Select->new($client, $server);
        RELAY: while (my @ready = $select->can_read(5)) {
            for my $from (@ready) {
                my $got = sysread $from, my $piece, $left < 65536 ? $left : 65536;
                last RELAY if !$got;
                $left -= $got;
                syswrite $_, $piece for $from == $client ? $server : $client;
                last RELAY if $left <= 0;
            }
        }
        close $_ for $client, $server;
    }
    exit;
}
sub through {
    my ($n, $bytes, @args) = @_;
    my ($port, $pid) = proxy($n, $bytes);
    my $said = fault({ S3_ENDPOINT => "http://127.0.0.1:$port" }, @args);
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return $said;
}
# Parts of uploads that were neither finished nor given up, as the server keeps them.
sub parts_left { return scalar(() = `find '$minio->{home}/data/.minio.sys/multipart' -type f 2>/dev/null` =~ /\n/g) }
my $size = 12 << 20;
my $absent = sub {'404 Not Found'};
is(through(1, $absent, 'prepare'), "OK\n", 'a bucket that somebody makes meanwhile is there');
like(through(9, sub { $_[0] =~ /^PUT/ ? '409 Conflict' : '404 Not Found' }, 'prepare'), qr/^(?:not-found|unavailable) .*404/, 'one of others that nobody sees is not');
my ($hash) = fault({}, 'put', 'cut/whole', $size) =~ /^(\w{64}) OK$/ or die;

# What may pass is tried again, five times in all; what may not is not.
asked();
my ($short) = fault({}, 'put', 'again/other', 1000) =~ /^(\w{64}) OK$/;
for my $says ('503 Service Unavailable', '500 Internal Server Error', '429 Too Many Requests') {
    is(through(2, sub {$says}, 'put', 'again/put', 1000), "$short OK\n", "$says twice: it is sent again");
    is(asked(), 2, '  a third time');
}
is(fault({}, 'get', 'again/put'), "$short OK\n", '  and is there');
is(through(2, sub {'503 Service Unavailable'}, 'get', 'again/put'), "$short OK\n", 'and read again');
asked();
like(through(99, sub {'503 Service Unavailable'}, 'put', 'again/never', 1000), qr/^unavailable .*503/, '503 each time: it fails');
is(asked(), 5, '  the fifth time');
like(through(99, sub {'501 Not Implemented'}, 'put', 'again/never', 1000), qr/^internal .*501/, '501 may not pass');
is(asked(), 1, '  and is asked for once');
is(fault({}, 'list', 'again/never'), "0 OK\n", '  nothing is there');

# A store that says that it has what it has not.
my $lies = sub {qq{200 OK\r\nETag: "0"\r\nContent-Length: 0}};
like(through(1, $lies, 'put', 'lies/put', 1000), qr{^unavailable .*lies/put}, 'what is said to be there, and is not: a failure');
fault({}, 'put', 'lies/put', 500);
like(through(1, $lies, 'put', 'lies/put', 1000), qr{^internal .* has 500 bytes of lies/put, not the 1000}, 'and so is half of it');

is(through(1, 3 << 20, 'put', 'cut/put', $size), "$hash OK\n", 'a connection cut while a part is sent: it is sent again');
is(fault({}, 'get', 'cut/put'), "$hash OK\n", 'and the object is whole');
is(through(2, 3 << 20, 'get', 'cut/whole'), "$hash OK\n", 'cut while it is read: reading goes on where it was');
like(through(99, 300_000, 'put', 'cut/never', $size), qr/^unavailable /, 'cut again and again: it fails');
is(fault({}, 'list', 'cut/never'), "0 OK\n", 'and there is no object');
is(parts_left(), 0, 'nor parts of one');
$minio->stop;
like(fault({}, 'put', 'down/put', 10), qr{^unavailable http://127.0.0.1:\d+/tidemark-test/down/put: .*connect}i, 'a store that is down');
$minio->run;
is(fault({}, 'list', 'down/'), "0 OK\n", 'has nothing of it when it is back');
is(fault({}, 'get', 'cut/whole'), "$hash OK\n", 'and all that it had');

# The sockets of MinIO at the other end of a process's connections, as their inodes.
sub at_minio {
    my ($pid) = @_;
    my %owned = map { (readlink // '') =~ /^socket:\[(\d+)/ ? ($1 => 1) : () } glob "/proc/$pid/fd/*";
    my @lines = grep {/:/} split /\n/, Tidemark::Stack::slurp('/proc/net/tcp');
    my @fields = map { [(split)[1, 2, 9]] } @lines;
    my %peer = map { $owned{ $_->[2] } ? ("$_->[1] $_->[0]" => 1) : () } @fields;
    return map { $peer{"$_->[0] $_->[1]"} ? $_->[2] : () } @fields;
}

# Begins a file of that key, and is killed amid it. MinIO may be at a part of it then, which it still keeps: this
# waits until it has done with each connection.
sub leave_parts {
    my ($key) = @_;
    my $before = parts_left();
    my $pid = fork // die;
    if (!$pid) {
        %ENV = (%ENV, TIDEMARK_HOME => $home, $minio->settings);
        exec "$unit/objects_fault", 'put', $key, 8 << 30 or die;
    }
    await(sub { parts_left() > $before }, "$key is begun");
    kill 'STOP', $pid;
    waitpid $pid, WUNTRACED;
    my @sockets;
    await(sub { @sockets = at_minio($pid); return @sockets && !grep { $_ == 0 } @sockets }, '  over connections that MinIO has taken');
    kill 'KILL', $pid;
    waitpid $pid, 0;
    my %of_it = map { ("socket:[$_]" => 1) } @sockets;
    await(sub { !grep { $of_it{ readlink // '' } } glob "/proc/$minio->{pid}/fd/*" }, '  and given up once its sender was killed');
    return;
}

# Who is killed amid a file leaves parts, which nobody but the sweep removes.
leave_parts('upload/killed');
cmp_ok(parts_left(), '>', 0, 'who sends it is killed: what there is of it stays');
is(fault({}, 'sweep'), "OK\n", 'until what was begun is swept');
is(parts_left(), 0, '  of which nothing is left');

# A store that takes what is sent and says nothing is given up after half a minute, in which the rest goes on.
my $silent_since = time;
my $silent_pid = open(my $silent, '-|') // die;
if (!$silent_pid) {
    print through(1, sub {return}, 'put', 'silent/put', 1000), 'after ', int(time - $silent_since), "\n";
    exit;
}

# ---- another program's view ----

both_ways($minio, sub { fault({}, @_) }, 'cut/whole', $hash);

# ---- addresses that may be used by whoever has them, for a while ----

{
    my $presign = sub { my ($address) = fault({}, 'presign', @_) =~ /^(\S+) OK$/; return $address };
    my $fetch = sub { my ($address) = @_; return scalar `curl -s -m 20 -o '$home/fetched' -w '%{http_code}' '$address'` };
    is(fault({}, 'put', $_, 1000), "$short OK\n", "$_ is put") for 'signed/a+b %', 'signed/c';
    is($fetch->($presign->('signed/a+b %', 0)), 200, 'a signed address is fetched without keys');
    is(sha256_hex(Tidemark::Stack::slurp("$home/fetched")), $short, '  as it was put');
    my $address = $presign->('signed/c', 0);
    is($fetch->($address), 200, 'so is another');
    is($fetch->($address =~ s{signed/c}{signed/a%2Bb%20%25}r), 403, '  and not with its signature elsewhere');
    is($fetch->($address =~ s/Expires=60/Expires=600/r), 403, '  nor for longer than was signed');
    is($fetch->($presign->('signed/c', 90)), 403, '  nor after its time');
}

# ---- a disk that is full ----

# Files of at most 2 or 4 MiB, by what the shell counts in: where a write ends as it does on a full disk.
{
    my $disk = "$home/disk";
    my $say = sub { return scalar qx{trap '' XFSZ; ulimit -f 4096; TIDEMARK_HOME='$disk' '$unit/objects_fault' @_ 2>&1} };
    is($say->('prepare'), "OK\n", 'a directory is made');
    like($say->('put', 'full/a', 8 << 20), qr{^unavailable cannot write \Q$disk\E/objects/.put/\w+: File too large}, '  that takes no more');
    is($say->('list', "''"), "0 OK\n", '  has no object');
    is(join(' ', glob "$disk/objects/.put/*"), '', '  nor a part of one');
    like($say->('put', 'full/b', 1 << 20), qr/^\w{64} OK$/, '  and room for what fits');
}

# ---- files of a whole stack ----

my $stack = Tidemark::Stack->start(env => { $minio->settings });
$stack->cli('tenant', 'add', 'home');
my $token = $stack->token('home', 'admin');
my $content = 'frame ' x 1_500_000;
my $sent = $stack->request('PUT', '/v1/uploads/frame.bin', token => $token, body => $content);
is($sent->{status}, 201, 'a file is sent to the bucket');
my $got = $stack->get($sent->{headers}{location}, token => $token);
ok($got->{status} == 200 && $got->{content} eq $content, 'and fetched from there');
$got = $stack->get($sent->{headers}{location}, token => $token, headers => { Range => 'bytes=8999990-' });
is($got->{content}, substr($content, -10), 'a range of it, too');

# A file in parts, of which the bucket has one by half or not at all.
{
    my $bucket = Tidemark::Objects->new($minio);
    my $part = sub { my ($bytes, $range) = @_; return $stack->request('PUT', '/v1/uploads/parts.bin', token => $token, body => $bytes, headers => { 'Content-Range' => "bytes $range/10" }) };
    is($part->('begin', '0-4')->{status}, 202, 'a part is sent to the bucket');
    for my $case (['two bytes of three', 'mi'], ['nothing of it', ''], ['not even that', undef]) {
        my ($how, $left) = @{$case};
        is($part->('mid', '5-7')->{status}, 202, '  and another');
        my ($key) = $stack->sql('SELECT core.upload_part_key(tenant_id, upload_id, id) FROM core.upload_part WHERE first = 5');
        defined $left ? $bucket->spit($key, $left) : $bucket->remove($key);
        my $answer = $part->('ED', '8-9');
        is("$answer->{status} $answer->{headers}{range}", '409 bytes=0-4', "  of which it has $how, is asked for again");
    }
    my $whole = $part->('midED', '5-9');
    is($stack->get($whole->{headers}{location}, token => $token)->{content}, 'beginmidED', '  and the file is joined there');
    is($stack->request('DELETE', $whole->{headers}{location}, token => $token)->{status}, 204, '  and removed');
}

# What comes from a pipe, of a length that nobody knows: memory is that of a part, however much it is.
my $stream_mib = $ENV{OBJECTS_STREAM_MIB} || 256;
my $lines = "yes 'a line that repeats' | head -c ${stream_mib}M";
my ($expected) = `$lines | sha256sum` =~ /^(\w{64})/;
my $said = `$lines | curl -s -m 1800 -T - -H 'Authorization: Bearer $token' '@{[$stack->url('/v1/uploads/stream')]}'`;
my $stream = eval { Tidemark::Stack::decode($said) } // {};
is($stream->{sha256}, $expected, "$stream_mib MiB from a pipe are stored") or diag $said;
is($stream->{size}, $stream_mib << 20, 'all of them');
my ($back) = `curl -s -m 1800 -H 'Authorization: Bearer $token' '@{[$stack->url("/v1/uploads/$stream->{id}")]}' | sha256sum` =~ /^(\w{64})/;
is($back, $expected, 'and fetched again');
my ($upload) = map { $_->{pid} } grep { $_->{command} =~ /^tidemark-upload / } Tidemark::Processes::all($stack);
SKIP: {
    skip 'the sanitizers take memory of their own', 1 if $unit =~ /asan|tsan/;
    my ($peak_kib) = Tidemark::Stack::slurp("/proc/$upload/status") =~ /^VmHWM:\s+(\d+)/m;
    cmp_ok($peak_kib / 1024, '<', 64, 'in less than 64 MiB of memory');
}

# As many at once as one sender may have: each has a part in memory, not its file.
my $each_mib = $ENV{OBJECTS_EACH_MIB} || 64;
system("yes 'another line that repeats' | head -c ${each_mib}M > '$home/each'") == 0 or die;
($expected) = `sha256sum '$home/each'` =~ /^(\w{64})/;
my @senders = map {
    my $pid = open(my $out, '-|') // die;
    exec 'curl', '-s', '-m', 1800, '--limit-rate', '16M', '-H', "Authorization: Bearer $token", '-T', "$home/each", $stack->url("/v1/uploads/at-once-$_") or die if !$pid;
    $out;
} 1 .. 16;
await(sub { $stack->sql('SELECT count(*) FROM core.upload WHERE stored_at IS NULL') == 16 }, '16 files come at once');
my @stored = map { local $/; eval { Tidemark::Stack::decode(readline $_) } // {} } @senders;
is((grep { ($_->{sha256} // '') eq $expected } @stored), 16, "  all of them are stored, $each_mib MiB each");
SKIP: {
    skip 'the sanitizers take memory of their own', 1 if $unit =~ /asan|tsan/;
    my ($peak_kib) = Tidemark::Stack::slurp("/proc/$upload/status") =~ /^VmHWM:\s+(\d+)/m;
    cmp_ok($peak_kib / 1024, '<=', 16 * 12 + 40, '  in 12 MiB each, and 40 for all') and note sprintf '%.0f MiB', $peak_kib / 1024;
}
$stack->request('DELETE', "/v1/uploads/$_->{id}", token => $token) for grep { $_->{id} } @stored;

my $heard = do { local $/; <$silent> };
close $silent;
like($heard, qr/^$short OK\nafter (?:29|3\d|4\d)\n$/, 'a store that says nothing is asked again after half a minute');

# Somebody who goes amid a file.
{
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}") or die;
    print {$socket} "PUT /v1/uploads/gone HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nContent-Length: 99999999\r\n\r\n", 'x' x (12 << 20);
    $socket->flush;
    await(sub { parts_left() > 0 }, 'some parts of a file are there');
    close $socket;
    await(sub { parts_left() == 0 }, 'who sends it goes: none is left');
}
$stack->request('DELETE', "/v1/uploads/$stream->{id}", token => $token);

# In parts, each an object of its own: 11 MiB of which the second one is lost.
{
    my $send = sub {
        my ($from, $to) = @_;
        return $stack->request('PUT', '/v1/uploads/parts.bin', token => $token, body => substr($content . $content, $from, $to - $from),
            headers => { 'Content-Range' => "bytes $from-@{[$to - 1]}/11534336" });
    };
    is($send->(0, 6 << 20)->{headers}{range}, 'bytes=0-6291455', 'the first part of a file, itself in two parts');
    is($send->(8 << 20, 9 << 20)->{status}, 409, '  what leaves a gap is told so');
    is($send->(6 << 20, 8 << 20)->{headers}{range}, 'bytes=0-8388607', '  the second');
    my ($part) = $stack->sql('SELECT core.upload_part_key(tenant_id, upload_id, id) FROM core.upload_part WHERE first > 0');
    my $objects = Tidemark::Objects->new($minio);
    $objects->remove($part);
    my $lost = $send->(8 << 20, 11 << 20);
    is("$lost->{status} $lost->{headers}{range}", '409 bytes=0-6291455', '  which the bucket has lost when the last one comes');
    is($send->(6 << 20, 8 << 20)->{status}, 202, '  it is sent again');
    my $whole = $send->(8 << 20, 11 << 20);
    is($whole->{json}{sha256}, sha256_hex(substr $content . $content, 0, 11 << 20), '  and the file is whole');
    ok($stack->get($whole->{headers}{location}, token => $token)->{content} eq substr($content . $content, 0, 11 << 20), '  as it is fetched');
    $stack->request('DELETE', $whole->{headers}{location}, token => $token);
    await(sub { # the stack's own worker may be at that job
        $stack->tidemark('worker', '--once', { env => { $minio->settings } });
        return join(' ', $objects->list('upload/')) !~ /\Q$whole->{json}{id}\E/;
    }, '  nothing of it is left in the bucket, once it is removed');
}

# What others began: the worker ends what is older than a day, as the bucket says.
{
    leave_parts('upload/young');
    my $young = parts_left();
    leave_parts('upload/old');
    cmp_ok(parts_left(), '>', $young, 'two files are begun and not finished, one of them a year ago');
    my $gate = Tidemark::Gate->new($minio);
    $gate->stop_at('GET', qr{[?].*uploads}, 'age old');
    my (undef, undef, $err) = $stack->tidemark('worker', '--once', { env => { $minio->settings(S3_ENDPOINT => $gate->url) } });
    is(parts_left(), $young, '  which the worker ends, and it alone') or diag $err;
    is(fault({}, 'sweep'), "OK\n", '  the other is swept');
}
$minio->stop;
my $refused = $stack->request('PUT', '/v1/uploads/later.bin', token => $token, body => 'x');
is($refused->{status}, 503, 'without the store files are refused');
unlike($refused->{content}, qr/127\.0\.0\.1|minio/i, 'and the client is not told where it is');
is($stack->get($sent->{headers}{location}, token => $token)->{status}, 503, 'nor fetched');
is($stack->get('/v1/uploads', token => $token)->{status}, 200, 'their list needs no store');
$minio->run;
is($stack->get($sent->{headers}{location}, token => $token)->{status}, 200, 'back again they are there');
is($stack->sql('SELECT count(*) FROM core.upload'), 1, 'and nothing is left of the refused one');

# ---- a start without the store, in which the bucket is not there either ----

$stack->stop;
$secure->stop;
my $env = $stack->{option}{env};
%{$env} = (%{$env}, %https, UPLOAD_QUOTA_MIB => 10, S3_BUCKET => 'another-one', S3_CA_FILE => "$certs/later.crt");
$stack->run;
my $late = sub { return $stack->request('PUT', '/v1/uploads/late.bin', token => $token, body => 'late') };
is($late->()->{status}, 503, 'without the store at the start files are refused');
is($stack->post('/v1/event', { device => 'meter', metrics => { power_w => 1 } }, token => $stack->token('home', 'device'))->{status}, 200, '  and readings are not');
is($stack->request('DELETE', $sent->{headers}{location}, token => $token)->{status}, 204, '  what is deleted is to be removed later');
$secure->run;
is($late->()->{status}, 500, '  nor believed without its certificate');
link "$certs/public.crt", "$certs/later.crt" or die "$certs: $!";
$refused = $late->();
is($refused->{status}, 503, '  with that, which came later, as long as there is no bucket');
like($refused->{json}{detail}, qr/later|again|moment/i, '  to be sent again');

# A bucket that is missing, and of which the database knows objects, is the wrong one.
my $trash = sub { return $stack->sql('SELECT count(*) FROM core.object_trash WHERE is_stored') };
my $is_made = sub { return fault({ map { ($_ => $env->{$_}) } qw(S3_ENDPOINT S3_BUCKET S3_CA_FILE) }, 'list', 'upload/') =~ /OK$/ };
my $waiting = $trash->();
cmp_ok($waiting, '>', 0, '  which holds what is to be removed');
$stack->sql("INSERT INTO core.upload (tenant_id, name, content_type, made_by, is_by_parts, size, made_at)"
        . " SELECT id, 'slow', 'text/plain', 'somebody', true, 9, now() - interval '25 hours' FROM core.tenant");
my ($status, $out, $err) = (0, '', '');
await(sub { # the stack's own worker may be at that job
    ($status, $out, $err) = $stack->tidemark('worker', '--once', { env => $env }) if $err !~ /id=objects /;
    return $err =~ /id=objects /;
}, 'the worker looks for the bucket');
like($err, qr/id=objects .*NoSuchBucket.*S3_BUCKET/, '  which the worker does not make for what was elsewhere') or diag $err;
is($stack->sql("SELECT count(*) FROM core.upload WHERE name = 'slow'"), 0, '  what came no further is given up all the same');
($status, $out, $err) = $stack->tidemark('migrate', { env => $env });
like($err, qr/not to be had now.*NoSuchBucket.*S3_BUCKET/, '  nor does migrate') or diag $err;
($status, $out, $err) = $stack->tidemark('archive', 'list', { env => $env });
is($status, 0, '  nor who lists the archive') or diag $err;
ok(!$is_made->(), '  it is not there');
is($trash->(), $waiting, '  and what is to be removed is not taken for removed');
$stack->sql('DELETE FROM core.upload');
$stack->tidemark('worker', '--once', { env => $env });
ok(!$is_made->(), '  nor where all of it is to be removed');
$stack->sql("DELETE FROM $_") for 'core.object_trash WHERE is_stored', 'core.archive_catalogue', 'core.archive_garbage';
is($late->()->{status}, 503, '  what was refused is begun, no more');
$stack->tidemark('worker', '--once', { env => $env }); # its archiver may have come first, in vain
is($late->()->{status}, 201, '  with nothing stored the worker makes it');

# More than the tenant may have, which is found out amid a file of no length.
my $n_pieces = 12;
my $over = HTTP::Tiny->new->request('PUT', $stack->url('/v1/uploads/over.bin'),
    { headers => { Authorization => "Bearer $token" }, content => sub { $n_pieces-- > 0 ? 'x' x (1 << 20) : undef } });
is($over->{status}, 413, 'more than the tenant may have');
is($stack->request('PUT', '/v1/uploads/over.bin', token => $token, body => 'x' x (11 << 20))->{status}, 413, '  also with its length');
like(fault({ map { ($_ => $env->{$_}) } qw(S3_ENDPOINT S3_BUCKET S3_CA_FILE) }, 'list', 'upload/'), qr/^1 OK$/, '  and nothing of it is in the bucket');
done_testing();
