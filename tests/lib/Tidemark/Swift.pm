package Tidemark::Swift;

# OpenStack Swift with its S3 API in one process, on a free port of 127.0.0.1: another S3 server than
# MinIO, of Debian's python3-swift where that is installed. Ended and removed with the object.
#
#   my ($swift, $why) = Tidemark::Swift->start;    # dies where it is installed and does not start

use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $PYTHON = '/usr/bin/python3'; # the distribution's, whose the package is

# Returns (the server, undef), or (undef, why not) where it is not installed.
sub start {
    my ($class) = @_;
    return (undef, 'python3-swift is not installed') if system("$PYTHON -c 'from importlib.util import find_spec; exit(not find_spec(\"swift\"))' 2>/dev/null") != 0;
    my $home = tempdir('tidemark-swift-XXXXXX', DIR => '/tmp');
    my $self = bless { home => $home, port => Tidemark::Stack::free_port(), owner => $$ }, $class;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$home/log" or die;
        open STDERR, '>&', STDOUT or die;
        exec $PYTHON, "$Tidemark::Stack::ROOT/tests/clients/swift_server.py", "$home/data", $self->{port} or die "$PYTHON: $!";
    }
    $self->{pid} = $pid;
    my $deadline = time + 60;
    until (IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}")) {
        die "Swift does not start:\n" . Tidemark::Stack::slurp("$home/log") if time > $deadline || waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.1;
    }
    return $self;
}

# The settings of a Tidemark that keeps its objects here.
sub settings {
    my ($self, %more) = @_;
    return (S3_ENDPOINT => "http://127.0.0.1:$self->{port}", S3_BUCKET => 'tidemark-test', S3_ACCESS_KEY => 'tidemark:tidemark',
        S3_SECRET_KEY => 'tidemark-secret', %more);
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    if ($self->{pid}) {
        kill 'KILL', $self->{pid};
        waitpid $self->{pid}, 0;
    }
    remove_tree($self->{home});
    return;
}

1;
