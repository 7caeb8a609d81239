#!/usr/bin/perl
# What was answered 2xx is there exactly once, and the service works again within ten seconds by
# itself, whatever happens at whatever step of a request: each kind of fault meets requests at each
# named step (Tidemark::Loss::Steps), while senders post in every format. `make soak` does the same
# at random, for longer.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Loss;

# What lasts: longer than the caches of tokens and devices live and than a connection may take to
# be opened (5 s), once; then just long enough to be felt.
my %LASTS = (freeze => [5.5, 0.5], disk => [1.5, 1], wal => [0.5]);

sub strikes {
    my ($loss, $kind) = @_;
    my @sets = (\@Tidemark::Loss::Steps::WRITING, \@Tidemark::Loss::Steps::ANSWERING);
    for my $i ($kind eq 'wal' ? 0 : (0, 1)) {    # the others end all that PostgreSQL does at every step
        my $took = eval { $loss->strike($kind, steps => $sets[$i], seconds => ($LASTS{$kind} || [])->[$i]) };
        my $name = "$kind, with requests at @{$sets[$i]}";
        defined $took ? pass(sprintf '%s: all is well again after %.1f s', $name, $took) : fail("$name: $@");
        return 0 if !defined $took;    # what comes after would say nothing
    }
    return 1;
}

sub check_engine {
    my ($engine) = @_;
    my $loss = Tidemark::Loss->start(engine => $engine, senders => 3, pause => 0.005, seed => 1);
    my @kinds;
    for my $kind (Tidemark::Loss::Faults::kinds()) {
        SKIP: {
            skip 'NO DISK IS FILLED: this user may not mount one', 2 if Tidemark::Loss::Faults::wants_disk($kind) && !$loss->{disk};
            return $loss->abandon if !strikes($loss, $kind);
            push @kinds, $kind if $kind ne 'wal';
        }
    }
    my $met = $loss->{steps}{met};
    my @missed;
    for my $step (@Tidemark::Loss::Steps::WRITING, @Tidemark::Loss::Steps::ANSWERING) {
        push @missed, map {"$_ at $step"} grep { !$met->{$step}{$_} } @kinds;
    }
    is("@missed", '', 'each of ' . @kinds . ' kinds of faults met a request at each step');
    $loss->finish;
    return;
}

Tidemark::Loss::Disk::enter();
for my $engine ('postgres', 'timescaledb') {
    SKIP: {
        skip "no TimescaleDB for the PostgreSQL at hand", 1
            unless grep { $_ eq $engine } Tidemark::Stack::engines();
        subtest "on $engine" => sub { check_engine($engine) };
    }
}
done_testing;
