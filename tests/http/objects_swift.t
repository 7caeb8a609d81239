#!/usr/bin/perl
# The object store against another S3 server than MinIO: OpenStack Swift, which verifies signatures by code
# of its own. All that every store promises; what it refuses; files of a whole stack.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use Test::More;
use Tidemark::Stack;
use Tidemark::Swift;

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

my $stack = Tidemark::Stack->start(env => { $swift->settings });
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
done_testing;
