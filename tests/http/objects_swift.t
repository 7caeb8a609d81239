#!/usr/bin/perl
# The object store against another S3 server than MinIO: OpenStack Swift, which verifies signatures by code
# of its own. All that every store promises, and a line that is cut; what it refuses; boto3 beside it; files and
# the archive of a whole stack.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Tidemark::Boto3 qw(both_ways);
use Tidemark::Day;
use Tidemark::Stack;
use Tidemark::Swift;
use Time::HiRes qw(sleep time);

my ($swift, $why) = Tidemark::Swift->start;
plan skip_all => "no Swift: $why" if !$swift;
my $unit = ($ENV{TIDEMARK_BUILD} || "$Tidemark::Stack::ROOT/build") . '/tests/unit';
my $home = tempdir('tidemark-objects-XXXXXX', DIR => '/tmp', CLEANUP => 1);
delete @ENV{grep { /^(TIDEMARK|S3)_/ } keys %ENV};

sub tool {
    my ($settings, $name, @args) = @_;
    local %ENV = (%ENV, TIDEMARK_HOME => $home, $swift->settings(%$settings));
    open my $out, '-|', "$unit/$name", @args or die "$unit/$name: $!";
    local $/;
    my $said = <$out> // '';
    close $out;
    return $said;
}

my $said = tool({}, 'objects_store');
my @failed = $said =~ /^(not ok.*)/mg;
ok(!@failed && $said =~ /^1\.\.\d+$/m, 'all that a store promises') or diag $said;
like(tool({ S3_SECRET_KEY => 'wrong' }, 'objects_fault', 'put', 'a/b', 10), qr/^internal .*SignatureDoesNotMatch.*S3_SECRET_KEY/, 'a wrong secret');
like(tool({ S3_BUCKET => 'another' }, 'objects_fault', 'put', 'a/b', 10), qr/^unavailable .*NoSuchBucket.*tidemark migrate/, 'a bucket that is not there');
like(tool({}, 'objects_fault', 'get', 'a/b'), qr/^not-found /, 'an object that is not there');

# ---- a line that is cut ----

# Runs it over a way whose first `n` connections end after so many bytes.
sub through {
    my ($n, $bytes, @args) = @_;
    my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die;
    my $pid = fork // die;
    if (!$pid) {
        while (my $client = $listen->accept) {
            my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$swift->{port}") or next;
            my $left = $n-- > 0 ? $bytes : 9e15;
            my $select = IO::Select->new($client, $server);
            while ($left > 0 && (my @ready = $select->can_read(5))) {
                sysread($ready[0], my $piece, $left < 65536 ? $left : 65536) or last;
                $left -= length $piece;
                syswrite $ready[0] == $client ? $server : $client, $piece;
            }
            close $_ for $client, $server;
        }
        POSIX::_exit(0);
    }
    my $said = tool({ S3_ENDPOINT => 'http://127.0.0.1:' . $listen->sockport }, 'objects_fault', @args);
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return $said;
}

my $size = 12 << 20;
my ($hash) = tool({}, 'objects_fault', 'put', 'cut/whole', $size) =~ /^(\w{64}) OK$/ or die;
is(through(1, 3 << 20, 'put', 'cut/put', $size), "$hash OK\n", 'a connection cut while a part is sent: it is sent again');
is(tool({}, 'objects_fault', 'get', 'cut/put'), "$hash OK\n", 'and the object is whole');
is(through(2, 3 << 20, 'get', 'cut/whole'), "$hash OK\n", 'cut while it is read: reading goes on where it was');
like(through(99, 300_000, 'put', 'cut/never', $size), qr/^unavailable /, 'cut again and again: it fails');
is(tool({}, 'objects_fault', 'list', 'cut/never'), "0 OK\n", 'and there is no object');

both_ways($swift, sub { tool({}, 'objects_fault', @_) }, 'cut/whole', $hash);

# ---- files ----

my $stack = Tidemark::Stack->start(env => { $swift->settings, ARCHIVE_INTERVAL_HOURS => 24 });
$stack->cli('tenant', 'add', 'home');
my $token = $stack->token('home', 'admin');
my $content = 'frame ' x 2_000_000;
my $sent = $stack->request('PUT', '/v1/uploads/frame.bin', token => $token, body => $content);
is($sent->{status}, 201, 'a file is sent to the bucket in parts');
is($sent->{json}{sha256}, sha256_hex($content), 'whole');
my $got = $stack->get($sent->{headers}{location}, token => $token);
ok($got->{status} == 200 && $got->{content} eq $content, 'and fetched from there');
$got = $stack->get($sent->{headers}{location}, token => $token, headers => { Range => 'bytes=11999990-' });
is($got->{content}, substr($content, -10), 'a range of it, too');
is($stack->request('DELETE', $sent->{headers}{location}, token => $token)->{status}, 204, 'it is removed');

# ---- the archive ----

my $deadline = time + 60;
my $is_looked = sub { $stack->sql("SELECT count(*) FROM ops.job_run WHERE name = 'archive' AND is_ok") };
sleep 0.1 while !$is_looked->() && time < $deadline;    # the worker has nothing more to do in it
my $old = $stack->token('home', 'device', '--backfill');
my @events = map { { device => 'meter', time => Tidemark::Day::today() - 10 * 86400 + 600 * $_, metrics => { voltage_v => 230 + $_ / 7 } } } 0 .. 287;
is($stack->request('POST', '/v1/events/batch', token => $old, body => \@events)->{status}, 200, 'readings of two days of long ago');
my %env = (env => { $swift->settings });
my ($status, $out, $err) = $stack->tidemark('archive', 'run', \%env);
is($status, 0, '  are archived') or diag $err;
like($out, qr/^2 days, 288 rows/m, '  all of them');
($status, $out, $err) = $stack->tidemark('archive', 'verify', \%env);
is($status, 0, '  and verified') or diag "$out$err";
like($err, qr/^2 of 2 files read, 0 damaged or missing$/m, '  each file');
my $count = sub { return tool({}, 'objects_fault', 'list', $_[0]) };
is($count->('archive/samples/tenant=home/'), "4 OK\n", '  which are in the bucket with their manifests');
$stack->cli('tenant', 'remove', 'home', '--yes');
($status, $out, $err) = $stack->tidemark('worker', '--once', \%env);
is($status, 0, 'the worker') or diag $err;
is($count->('archive/samples/tenant=home/') . $count->('archive/catalogue/'), "0 OK\n0 OK\n", '  removes what a tenant had that is gone');
done_testing;
