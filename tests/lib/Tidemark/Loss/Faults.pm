package Tidemark::Loss::Faults;

# The kinds of faults, each done to a running stack and over when its function returns: what was
# killed is not started again here (that is deploy/run's part), what was stopped goes on, what was
# filled has room.

use strict;
use warnings;
use Time::HiRes qw(sleep time);
use Tidemark::Processes;
use Tidemark::Stack;

use constant PATIENCE => 10;

# Each takes ($loss, $seconds): how long what lasts shall last.
my %DO = (
    ingest => sub { return Tidemark::Processes::kill_hard($_[0]{stack}, 'ingest') },
    backend => sub { return kill 'KILL', backend($_[0]) },
    terminate => sub { return ask($_[0], "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'tidemark_ingest'") },
    postmaster => sub { return Tidemark::Processes::kill_hard($_[0]{stack}, 'postmaster') },
    both => sub { return Tidemark::Processes::kill_hard($_[0]{stack}, 'ingest', 'postgres') },
    nginx => sub { return Tidemark::Processes::kill_hard($_[0]{stack}, 'nginx') },
    freeze => \&freeze,
    disk => \&fill_disk,
    wal => \&fill_wal,
    clients => sub { return $_[0]{steps}->leave },
);

sub kinds { return sort keys %DO }

# True for a kind that takes a disk of the test's own.
sub wants_disk { return $_[0] =~ /^(?:disk|wal)$/ }

sub strike {
    my ($loss, $kind, $seconds) = @_;
    return $DO{$kind}->($loss, $seconds);
}

# A query's value, once it is one; the database may still be dying of the fault before.
sub ask {
    my ($loss, $query) = @_;
    my ($value, $deadline) = (undef, time + PATIENCE);
    until ($value = eval { $loss->{stack}->sql($query) }) {
        die "nothing there: $query\n$@" . $loss->{stack}->logs if time > $deadline;
        sleep 0.05;
    }
    return $value;
}

# One of ingest's: one that holds a request, if any.
sub backend {
    my ($loss) = @_;
    my ($held) = $loss->{steps}{control} ? $loss->{steps}->held_backends : ();
    return $held || ask($loss, "SELECT max(pid) FROM pg_stat_activity WHERE usename = 'tidemark_ingest'");
}

sub freeze {
    my ($loss, $seconds) = @_;
    my @pids = Tidemark::Processes::part($loss->{stack}, 'postgres');
    kill 'STOP', @pids;
    sleep $seconds;
    kill 'CONT', @pids;
    return;
}

# No room for a while, and then no room for the next file of the write-ahead log, at which PostgreSQL
# stops; it cannot start either while that lasts.
sub fill_disk {
    my ($loss, $seconds) = @_;
    $loss->{disk}->fill;
    $loss->{steps}{holders} = {};    # what was held goes on, without room
    sleep $seconds / 2;
    eval { $loss->{stack}->sql("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)), pg_switch_wal() FROM generate_series(1, 40)") };
    sleep $seconds / 2;
    $loss->{disk}->free;
    return;
}

# All has room but the next file of the write-ahead log, while senders post: PostgreSQL panics, tries
# to recover, and ends; it is started in vain until there is room.
sub fill_wal {
    my ($loss, $seconds) = @_;
    my $log = "$loss->{stack}{home}/log/postgres.log";
    my $before = -s $log;
    $loss->{wal}->fill;
    $loss->{steps}{holders} = {};    # what was held goes on, while it can
    eval { $loss->{stack}->sql("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)), pg_switch_wal() FROM generate_series(1, 80)") };
    sleep $seconds;
    $loss->{wal}->free;
    substr(Tidemark::Stack::slurp($log), $before) =~ /PANIC: +could not write to file "pg_wal/ or die "PostgreSQL did not panic\n";
    return;
}

1;
