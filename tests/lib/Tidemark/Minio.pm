package Tidemark::Minio;

# A MinIO of a test's own on a free port of 127.0.0.1: MINIO_BIN, `minio`, or one that is built once
# by Go into build/tools. Ended and removed with the object.
#
#   my ($minio, $why) = Tidemark::Minio->start;
#   local %ENV = (%ENV, $minio->settings);
#   my $minio = Tidemark::Minio->on_last($engine, Tidemark::Stack->engines);

use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use Test::More ();
use Tidemark::GoTool;
use Tidemark::Npm;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

# RELEASE.2025-09-07T16-13-09Z
my $VERSION = 'v0.0.0-20250907161309-07c3a429bfed';

sub program {
    my $given = $ENV{MINIO_BIN} || Tidemark::Npm::find_command('minio');
    return $given if $given;
    return Tidemark::GoTool::install('minio', 'github.com/minio/minio', $VERSION);
}

# Returns (the server, undef), or (undef, why not). Options: certs (a folder, for https).
sub start {
    my ($class, %option) = @_;
    my ($program, $why) = program();
    return (undef, $why) if !$program;
    my $home = tempdir('tidemark-minio-XXXXXX', DIR => '/tmp');
    my $self = bless { home => $home, program => $program, port => Tidemark::Stack::free_port(), owner => $$, %option }, $class;
    $self->run;
    return $self;
}

# For tests that keep objects in a bucket on the last of their engines and in a folder on the others: a server,
# which is a test that passes, or on the last engine without MinIO one that is skipped; undef for a folder.
sub on_last {
    my ($class, $engine, @engines) = @_;
    return if $engine ne $engines[-1];
    my ($minio, $why) = $class->start;
  SKIP: {
        Test::More::skip("no MinIO, objects are in a folder: $why", 1) if !$minio;
        Test::More::pass('objects are in a bucket');
    }
    return $minio;
}

sub run {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{home}/log" or die;
        open STDERR, '>&', STDOUT or die;
        @ENV{qw(MINIO_ROOT_USER MINIO_ROOT_PASSWORD MINIO_DOMAIN HOME)} = ('tidemark', 'tidemark-secret', 'localhost', $self->{home});
        exec $self->{program}, 'server', '--quiet', '--address', "127.0.0.1:$self->{port}", '--console-address',
            '127.0.0.1:' . Tidemark::Stack::free_port(), $self->{certs} ? ('--certs-dir', $self->{certs}) : (), "$self->{home}/data"
            or die "$self->{program}: $!";
    }
    $self->{pid} = $pid;
    my $deadline = time + 60;
    until (system("curl -ksf -m 2 -o /dev/null '@{[$self->url]}/minio/health/live'") == 0) {
        die "MinIO was not ready in time:\n" . Tidemark::Stack::slurp("$self->{home}/log") if time > $deadline;
        sleep 0.05;
    }
    return;
}

sub url { my ($self) = @_; return ($self->{certs} ? 'https' : 'http') . "://127.0.0.1:$self->{port}" }

# The settings of a Tidemark that keeps its objects here.
sub settings {
    my ($self, %more) = @_;
    return (S3_ENDPOINT => $self->url, S3_BUCKET => 'tidemark-test', S3_ACCESS_KEY => 'tidemark', S3_SECRET_KEY => 'tidemark-secret', %more);
}

# Ends it at once, as a machine that is lost; run starts it again.
sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    $self->stop;
    remove_tree($self->{home});
    return;
}

1;
