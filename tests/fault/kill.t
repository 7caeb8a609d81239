#!/usr/bin/perl
# What was answered 2xx is there exactly once after kill -9 of ingest, of PostgreSQL, and of
# both, under load. Clients do what devices do: they send a batch until it is acknowledged.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp qw(tempdir);
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes qw(sleep time);
use Tidemark::Stack;
use Tidemark::Processes;

use constant { CLIENTS => 4, EVENTS => 20, PATIENCE => 60 };

my $notes = tempdir(CLEANUP => 1);

# One client: batches of distinct readings and job events, each sent until acknowledged; the
# number of every acknowledged batch is noted. Ends at SIGTERM.
sub client {
    my ($stack, $token, $name, $start_ms) = @_;
    my $stop = 0;
    local $SIG{TERM} = sub { $stop = 1 };
    open my $note, '>', "$notes/$name" or die "$notes/$name: $!";
    $note->autoflush(1);
    my $http = HTTP::Tiny->new(timeout => 10);
    for (my $batch = 0; !$stop; $batch++) {
        my $body = encode_json([map { {
            device => $name, time => $start_ms + $batch * EVENTS + $_, type => 'probe',
            id => sprintf('00000000-0000-4000-8000-%04x%08x', ord($name) * 16 + substr($name, -1), $batch * EVENTS + $_),
            metrics => { reading => $batch * EVENTS + $_ }, data => { batch => $batch },
        } } 0 .. EVENTS - 1]);
        until ($stop) {
            my $answer = $http->post($stack->url('/v1/events/batch'), { content => $body,
                headers => { Authorization => "Bearer $token", 'Content-Type' => 'application/json' } });
            if ($answer->{status} == 200) {
                print {$note} "$batch\n";
                last;
            }
            die "refused: $answer->{status} $answer->{content}" if $answer->{status} =~ /^4/;
            sleep 0.05;    # the device's own pause before it tries again
        }
    }
    return;
}

sub acknowledged {
    my $n = 0;
    for my $file (glob "$notes/*") {
        my @lines = split /\n/, Tidemark::Stack::slurp($file);
        $n += @lines;
    }
    return $n;
}

# Waits until the clients have at least `more` further batches acknowledged.
sub await_progress {
    my ($more, $what) = @_;
    my ($goal, $deadline) = (acknowledged() + $more, time + PATIENCE);
    while (acknowledged() < $goal) {
        return fail("$what: no progress within " . PATIENCE . ' s') if time > $deadline;
        sleep 0.02;
    }
    return pass($what);
}

sub check_engine {
    my ($engine) = @_;
    my $stack = Tidemark::Stack->start(engine => $engine);
    $stack->cli('tenant', 'add', 'fault');
    my $token = $stack->token('fault', 'device');
    my $start_ms = int(time * 1000) - 3_600_000;
    my @names = map { "client-$_" } 1 .. CLIENTS;
    my @clients = map {
        my $name = $_;
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            eval { client($stack, $token, $name, $start_ms); 1 } or print STDERR "# $name: $@";
            require POSIX;
            POSIX::_exit(0);
        }
        $pid;
    } @names;

    await_progress(20, 'batches are acknowledged');
    for my $round (1 .. 2) {
        Tidemark::Processes::kill_hard($stack, 'ingest');
        await_progress(20, "kill -9 of ingest ($round): it goes on");
        Tidemark::Processes::kill_hard($stack, 'postgres');
        await_progress(20, "kill -9 of PostgreSQL ($round): it goes on");
        Tidemark::Processes::kill_hard($stack, 'ingest', 'postgres');
        await_progress(20, "kill -9 of both at once ($round): it goes on");
    }
    kill 'TERM', @clients;
    waitpid $_, 0 for @clients;

    for my $name (@names) {
        my @batches = split /\n/, Tidemark::Stack::slurp("$notes/$name");
        my $sent = @batches * EVENTS;
        my $known = "WHERE d.key = '$name'";
        my ($samples) = $stack->sql('SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id'
            . " JOIN core.device d ON d.id = r.device_id $known AND s.value < $sent"
            . " AND s.time = to_timestamp(($start_ms + s.value) / 1000.0)");
        is($samples, $sent, "$name: each of $sent acknowledged readings is there with its value, once");
        my ($events) = $stack->sql('SELECT count(*) FROM core.event e JOIN core.device d ON d.id = e.device_id'
            . " $known AND (e.data->>'batch')::int < " . scalar @batches);
        is($events, $sent, "$name: each acknowledged event is there");
        my ($doubled) = $stack->sql('SELECT count(*) FROM (SELECT e.id FROM core.event e JOIN core.device d'
            . " ON d.id = e.device_id $known GROUP BY e.id HAVING count(*) > 1) twice");
        is($doubled, 0, "$name: none is there twice");
    }
    is($stack->stop, 0, 'and the stack stops in order');
    unlink glob "$notes/*";
    return;
}

for my $engine ('postgres', 'timescaledb') {
    SKIP: {
        skip "no TimescaleDB for the PostgreSQL at hand", 1
            unless grep { $_ eq $engine } Tidemark::Stack::engines();
        subtest "on $engine" => sub { check_engine($engine) };
    }
}
done_testing;
