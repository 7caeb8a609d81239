package Tidemark::Unharmed;

# That bad input did ingest no harm: it is the process it was, holds no more memory than it may at full
# load, and let nobody wait.
#
#   my $unharmed = Tidemark::Unharmed->new($stack);
#   …
#   $unharmed->check;

use strict;
use warnings;
use Test::More;
use Tidemark::Processes;
use Tidemark::Stack;

use constant {
    SLOWEST => 2,      # seconds of an answer
    BOUND_MIB => 128,
};

sub new {
    my ($class, $stack) = @_;
    my ($pid) = Tidemark::Processes::part($stack, 'ingest');
    return bless { stack => $stack, pid => $pid }, $class;
}

sub check {
    my ($self) = @_;
    my @pids = Tidemark::Processes::part($self->{stack}, 'ingest');
    is("@pids", $self->{pid}, 'ingest did not die');
    SKIP: {
        skip 'sanitizers keep what is freed', 1 if $self->{stack}{bin} =~ /asan|tsan/;
        cmp_ok(Tidemark::Processes::mib($pids[0]), '<', BOUND_MIB, 'nor did it grow beyond its bound');
    }
    cmp_ok($self->{stack}{slowest}, '<', SLOWEST, 'and each answer came in time');
    return;
}

1;
