#!/usr/bin/perl
# `make soak`: faults at random, at random moments, one after another or two at once, under load in
# every format, on each engine; then what tests/fault/loss.t checks. The seed, which is printed,
# makes the same order of faults again.
#
#   tests/fault/soak.pl [--faults 200] [--seed N] [--engine postgres|timescaledb] [--senders 6]
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Getopt::Long;
use Test::More;
use Time::HiRes qw(sleep time);
use Tidemark::Loss;

use constant {
    FREEZE => 30,       # seconds
    LONGEST_DISK => 25, # PostgreSQL tries to start in vain for most of it
    TWICE => 0.15,      # of all faults two at once
};

# How often each kind comes; what takes long is rare.
my %WEIGHT = (backend => 5, clients => 5, disk => 2, freeze => 1, ingest => 6, both => 4, nginx => 4, postmaster => 5, terminate => 5, wal => 2);

Tidemark::Loss::Disk::enter();    # begins anew
my %option = (faults => 200, seed => int time, senders => 6);
GetOptions(\%option, 'faults=i', 'seed=i', 'engine=s', 'senders=i') or exit 2;

sub random_kind {
    my @kinds = map { ($_) x $WEIGHT{$_} } grep { !Tidemark::Loss::Faults::wants_disk($_) || Tidemark::Loss::Disk::is_there() } Tidemark::Loss::Faults::kinds();
    return $kinds[rand @kinds];
}

# One fault, drawn before anything begins, so that the order depends on the seed alone.
sub draw {
    my ($kind, $pause, $which, $share, $is_twice) = (random_kind(), rand 2, int rand 3, rand, rand() < TWICE);
    my $seconds = $kind eq 'freeze' ? FREEZE : Tidemark::Loss::Faults::wants_disk($kind) ? 1 + $share * $share * LONGEST_DISK : 0;
    my $steps = [\@Tidemark::Loss::Steps::WRITING, \@Tidemark::Loss::Steps::ANSWERING, undef]->[$kind eq 'clients' ? $which % 2 : $which];
    my $other = $is_twice && $kind !~ /^(?:clients|ingest|both)$/ ? 'ingest' : undef;
    my $name = $kind . ($other ? " and $other" : '') . ($seconds ? sprintf(' for %.0f s', $seconds) : '')
        . ($steps ? ", with requests at @$steps" : '');
    return { kind => $kind, name => $name, pause => $pause, how => [steps => $steps, seconds => $seconds, also => $other] };
}

sub strike {
    my ($loss, $n, $fault) = @_;
    sleep $fault->{pause};
    my $took = eval { $loss->strike($fault->{kind}, @{ $fault->{how} }) };
    return defined $took ? pass(sprintf '%d: %s: all is well again after %.1f s', $n, $fault->{name}, $took)
        : fail("$n: $fault->{name}: $@");
}

sub soak {
    my ($engine) = @_;
    srand $option{seed};
    my @faults = map { draw() } 1 .. $option{faults};
    my $loss = Tidemark::Loss->start(engine => $engine, senders => $option{senders}, pause => 0.05, seed => $option{seed});
    for my $n (1 .. @faults) {
        next if strike($loss, $n, $faults[$n - 1]);
        diag grep { !/access\.log|initdb\.log/ } split /^(?=--- )/m, $loss->{stack}->logs;
        last;
    }
    $loss->finish;
    return;
}

$| = 1;
note "seed $option{seed}, $option{faults} faults";
for my $engine ($option{engine} || Tidemark::Stack::engines()) {
    subtest "on $engine" => sub { soak($engine) };
}
done_testing;
