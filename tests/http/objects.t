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
use Test::More;
use Tidemark::Minio;
use Tidemark::Python;
use Tidemark::Stack;

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
sub fault { my ($settings, @args) = @_; return tool($settings, 'objects_fault', @args) }

# ---- all that a store promises ----

for my $case (['by the path', {}], ['by the name', { S3_PATH_STYLE => 0, S3_ENDPOINT => "http://localhost:$minio->{port}" }]) {
    my ($how, $settings) = @$case;
    my $said = tool($settings, 'objects_store');
    my @failed = $said =~ /^(not ok.*)/mg;
    ok(!@failed && $said =~ /^1\.\.\d+$/m, "the bucket $how") or diag $said;
}
{
    my $certs = "$home/certs";
    make_path($certs);
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=minio -addext subjectAltName=IP:127.0.0.1"
            . " -keyout $certs/private.key -out $certs/public.crt 2>/dev/null") == 0 or die 'openssl';
    my ($secure) = Tidemark::Minio->start(certs => $certs);
    my %https = (S3_ENDPOINT => $secure->url);
    like(fault({ %https, S3_CA_FILE => "$certs/public.crt" }, 'prepare'), qr/^OK$/m, 'over TLS, by a certificate of its own');
    like(fault({%https}, 'prepare'), qr/^internal .*certificate/m, 'which is not believed without');
}

# ---- what it refuses ----

like(fault({ S3_SECRET_KEY => 'wrong' }, 'put', 'a/b', 10), qr/^internal .*SignatureDoesNotMatch.*S3_SECRET_KEY/, 'a wrong secret');
like(fault({ S3_ACCESS_KEY => 'nobody' }, 'put', 'a/b', 10), qr/^internal .*InvalidAccessKeyId.*S3_ACCESS_KEY/, 'a wrong key');
like(fault({ S3_BUCKET => 'another' }, 'put', 'a/b', 10), qr/^internal .*NoSuchBucket.*tidemark migrate/, 'a bucket that is not there');
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

# Passes connections on to MinIO; the first `n` of them are cut after `bytes` from either side.
sub proxy {
    my ($n, $bytes) = @_;
    my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die;
    my $pid = fork // die;
    return ($listen->sockport, $pid) if $pid;
    while (my $client = $listen->accept) {
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
my $size = 12 << 20;
my ($hash) = fault({}, 'put', 'cut/whole', $size) =~ /^(\w{64}) OK$/ or die;
is(through(1, 3 << 20, 'put', 'cut/put', $size), "$hash OK\n", 'a connection cut while a part is sent: it is sent again');
is(fault({}, 'get', 'cut/put'), "$hash OK\n", 'and the object is whole');
is(through(2, 3 << 20, 'get', 'cut/whole'), "$hash OK\n", 'cut while it is read: reading goes on where it was');
like(through(99, 300_000, 'put', 'cut/never', $size), qr/^unavailable /, 'cut again and again: it fails');
is(fault({}, 'list', 'cut/never'), "0 OK\n", 'and there is no object');
$minio->stop;
like(fault({}, 'put', 'down/put', 10), qr{^unavailable http://127.0.0.1:\d+/tidemark-test/down/put: .*connect}i, 'a store that is down');
$minio->run;
is(fault({}, 'list', 'down/'), "0 OK\n", 'has nothing of it when it is back');
is(fault({}, 'get', 'cut/whole'), "$hash OK\n", 'and all that it had');
is(fault({}, 'sweep'), "OK\n", 'what was begun is swept');

# ---- another program's view ----

SKIP: {
    my ($python, $no) = Tidemark::Python::install('boto3', "$Tidemark::Stack::ROOT/tests/clients/objects.txt");
    skip "no boto3: $no", 6 if !$python;
    my $boto = sub {
        my ($in, @args) = @_;
        local %ENV = (%ENV, $minio->settings);
        open my $file, '>', "$home/in" or die;
        print {$file} $in;
        close $file;
        my $quoted = join ' ', map {"'$_'"} @args;
        chomp(my $out = `'$python' '$Tidemark::Stack::ROOT/tests/clients/objects_boto3.py' $quoted <'$home/in'`);
        return $out;
    };
    is($boto->('', 'multiparts'), 0, 'no upload is left unfinished');
    is($boto->('', 'hash', 'cut/whole'), $hash, 'boto3 reads what was sent in parts');
    my $odd = 'odd/a b+c%2B&=#?ü🌊';
    my ($odd_hash) = fault({}, 'put', $odd, 1000) =~ /^(\w{64})/;
    is($boto->('', 'hash', $odd), $odd_hash, 'by an odd key, too');
    is($boto->('', 'keys', 'odd/'), $odd, 'which it lists');
    $boto->('from boto3', 'put', "$odd 2");
    is(fault({}, 'get', "$odd 2"), sha256_hex('from boto3') . " OK\n", 'and what it writes is read');
    is(fault({}, 'list', 'odd/'), "2 OK\n", 'and listed');
}

# ---- a disk that is full ----

SKIP: {
    skip 'mounting a small disk wants root', 3 if $> != 0;
    my $disk = "$home/disk";
    make_path($disk);
    skip 'no tmpfs may be mounted here', 3 if system("mount -t tmpfs -o size=2m tmpfs $disk 2>/dev/null") != 0;
    my $say = sub { local $ENV{TIDEMARK_HOME} = $disk; return qx{'$unit/objects_fault' @_ 2>&1} };
    like($say->('put', 'full/a', 4 << 20), qr/^unavailable cannot write .*No space left/, 'a directory on a full disk');
    is($say->('list', "''"), "0 OK\n", 'has no object');
    like($say->('put', 'full/b', 1 << 20), qr/^\w{64} OK$/, 'and room again for what fits');
    system "umount $disk";
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
$minio->stop;
my $refused = $stack->request('PUT', '/v1/uploads/later.bin', token => $token, body => 'x');
is($refused->{status}, 503, 'without the store files are refused');
unlike($refused->{content}, qr/127\.0\.0\.1|minio/i, 'and the client is not told where it is');
is($stack->get($sent->{headers}{location}, token => $token)->{status}, 503, 'nor fetched');
is($stack->get('/v1/uploads', token => $token)->{status}, 200, 'their list needs no store');
$minio->run;
is($stack->get($sent->{headers}{location}, token => $token)->{status}, 200, 'back again they are there');
is($stack->sql('SELECT count(*) FROM core.upload'), 1, 'and nothing is left of the refused one');
done_testing();
