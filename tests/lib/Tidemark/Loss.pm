package Tidemark::Loss;

# A stack whose senders post numbered readings in every format while faults happen, and the account
# at the end: what was acknowledged is there once, what is there was sent, and it is what was sent.
#
#   my $loss = Tidemark::Loss->start(engine => 'postgres', senders => 4, pause => 0.02, seed => 1);
#   $loss->strike('ingest', steps => \@Tidemark::Loss::Steps::WRITING);
#   $loss->finish;

use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);
use Tidemark::Loss::Client;
use Tidemark::Loss::Disk;
use Tidemark::Loss::Faults;
use Tidemark::Loss::Formats;
use Tidemark::Loss::Steps;
use Tidemark::Stack;

use constant RECOVERY => 10;    # seconds after a fault until everything works again, by itself

sub start {
    my ($class, %of) = @_;
    my $n_senders = delete $of{senders};
    my $self = bless { %of, senders => {}, disk => undef, wal => undef, owner => $$, now => time, worst => 0, probed => 0,
        notes => tempdir(CLEANUP => 1), home => tempdir('tidemark-test-XXXXXX', DIR => '/tmp', CLEANUP => 1) }, $class;
    $self->{disk} = Tidemark::Loss::Disk->make($self->{home}) if Tidemark::Loss::Disk::is_there();
    my $stack = $self->{stack} = Tidemark::Stack->start(engine => $of{engine}, home => $self->{home});
    $self->{wal} = $self->move_wal if $self->{disk};
    $stack->cli('tenant', 'add', 'fault');
    $self->{api} = $stack->token('fault', 'api');
    $self->{admin} = $stack->token('fault', 'admin');
    my %any = (any => $stack->token('fault', 'device', '--backfill'));
    $self->{steps} = Tidemark::Loss::Steps->new($stack, \%any, $self->{now});
    $self->{prober} = $self->{steps}->entry('ndjson', 'prober');
    for my $n (1 .. $n_senders) {
        my $tokens = { %any, bound => $stack->token('fault', 'device', '--device', "thingsboard-c$n") };
        $self->{senders}{"c$n"} = { tokens => $tokens, pid => Tidemark::Loss::Client->start(who => "c$n", tokens => $tokens,
                port => $stack->{port}, now => $self->{now}, file => "$self->{notes}/c$n", pause => $of{pause}, seed => $of{seed} * 100 + $n) };
    }
    return $self;
}

# Gives the write-ahead log a disk of its own, which may be full while others have room: what runs
# finds itself there after a fall.
sub move_wal {
    my ($self) = @_;
    my ($stack, $wal) = ($self->{stack}, "$self->{home}/pgdata/pg_wal");
    kill 'STOP', $stack->{pid};    # or it would be started amid that
    my @pids = Tidemark::Processes::part($stack, 'postgres');
    kill 'KILL', @pids;
    sleep 0.01 while grep { eval { Tidemark::Stack::slurp("/proc/$_/cmdline") } } @pids;    # a dead one has none
    rename $wal, "$wal.was" and mkdir $wal or die "$wal: $!";
    my $disk = Tidemark::Loss::Disk->make($wal);
    system('cp', '-a', "$wal.was/.", $wal) and die "copying $wal failed";
    remove_tree("$wal.was");
    kill 'CONT', $stack->{pid};
    Tidemark::Loss::Faults::ask($self, 'SELECT 1');
    return $disk;
}

# Lets one fault happen, with requests held at `steps` (a set of Tidemark::Loss::Steps) if that is
# given; what lasts shall last `seconds`, and another kind, `also`, comes just before. Afterwards everything is accepted again within RECOVERY
# seconds. Returns how long that took; dies with the reason when it did not.
sub strike {
    my ($self, $kind, %of) = @_;
    my $steps = $self->{steps};
    local $SIG{PIPE} = 'IGNORE';    # sessions with a database that dies
    $self->{stack}->hear;
    $steps->hold($of{steps}) if $of{steps};
    Tidemark::Loss::Faults::strike($self, $_, $of{seconds}) for grep { $_ } $of{also}, $kind;
    my $since = time;
    $steps->release if $of{steps};
    $steps->deliver($self->{prober}, ++$self->{probed}, $since + RECOVERY);
    $steps->settle($kind, $since + RECOVERY);
    my $took = time - $since;
    $self->{worst} = $took if $took > $self->{worst};
    return $took;
}

# ---- the account ----

# Every stream: { stream, acked, sent }; a sender's from its notes.
sub account {
    my ($self) = @_;
    my (@entries, @refused, %answers);
    for my $who (sort keys %{ $self->{senders} }) {
        my %entry = map { $_ => { stream => Tidemark::Loss::Formats::stream($_, $who, {}, $self->{now}), acked => {}, sent => {} } } Tidemark::Loss::Formats::names();
        for my $line (split /\n/, Tidemark::Stack::slurp("$self->{notes}/$who")) {
            my ($format, $first, $last, $status, $why) = split / /, $line, 5;
            $answers{$status}++;
            push @refused, "$who: $line" if $status =~ $Tidemark::Loss::Client::WRONG;
            my $of = $entry{$format};
            @{ $of->{sent} }{ $first .. $last } = ();
            @{ $of->{acked} }{ $first .. $last } = () if $status =~ /^2/;
        }
        push @entries, values %entry;
    }
    return ([@entries, $self->{steps}->streams], \@refused, \%answers);
}

# What the database holds: device => number => [times it is there, wrong times].
sub stored_samples {
    my ($self) = @_;
    my %of;
    for my $row ($self->{stack}->sql('SELECT d.key, s.value, (extract(epoch FROM s.time) * 1000000)::int8 FROM core.sample s'
        . ' JOIN core.series r ON r.tenant_id = s.tenant_id AND r.id = s.series_id JOIN core.device d ON d.tenant_id = r.tenant_id AND d.id = r.device_id')) {
        my ($key, $value, $time) = split /\|/, $row;
        push @{ $of{$key}{$value} }, $time;
    }
    return \%of;
}

sub stored_events {
    my ($self) = @_;
    my %of;
    for my $row ($self->{stack}->sql(q(SELECT d.key, coalesce(e.data->>'n', e.data->>'body', e.data->>'generation_wh') FROM core.event e)
        . ' JOIN core.device d ON d.tenant_id = e.tenant_id AND d.id = e.device_id')) {
        my ($key, $text) = split /\|/, $row;
        push @{ $of{$key}{ Tidemark::Loss::Formats::number_of($text) } }, 1;
    }
    return \%of;
}

# What is wrong with what is stored of a stream: texts.
sub differences {
    my ($entry, $stored, $kind) = @_;
    my $stream = $entry->{stream};
    my @lost = grep { !$stored->{$_} } keys %{ $entry->{acked} };
    my @doubled = grep { @{ $stored->{$_} } > 1 } keys %$stored;
    my @strange = grep { !exists $entry->{sent}{$_} } keys %$stored;
    my @moved = $kind eq 'samples' ? grep { $stored->{$_}[0] != Tidemark::Loss::Formats::time_us($stream, $_) } keys %$stored : ();
    return map { my ($what, $of) = @$_; @$of ? "$stream->{device}, $kind: $what: " . join(' ', (sort { $a <=> $b } @$of)[0 .. ($#$of < 9 ? $#$of : 9)]) : () }
        ['acknowledged and not there', \@lost], ['there twice', \@doubled], ['never sent', \@strange], ['at another time', \@moved];
}

# The numbers that the query API shows, as one text.
sub shown {
    my ($self, $stream, $kind) = @_;
    my $path = $kind eq 'samples' ? "/v1/devices/$stream->{device}/samples?metric=$stream->{metric}&" : "/v1/events?device=$stream->{device}&";
    my $answer = $self->{stack}->get("${path}from=2020-01-01&format=ndjson", token => $self->{api});
    return "status $answer->{status}" if $answer->{status} !~ /^(?:200|404)$/;
    my @numbers = $answer->{status} == 404 ? () : map { my $of = decode_json($_);
        $kind eq 'samples' ? $of->{value} : Tidemark::Loss::Formats::number_of($of->{data}{ $stream->{text} }) } split /\n/, $answer->{content};
    return join ' ', sort { $a <=> $b } @numbers;
}

sub check_kind {
    my ($self, $kind, $entries, $stored) = @_;
    my (@wrong, @unlike);
    my ($n_acked, $n_stored) = (0, 0);
    for my $entry (@$entries) {
        my $of = $stored->{ $entry->{stream}{device} } || {};
        push @wrong, differences($entry, $of, $kind);
        push @unlike, $entry->{stream}{device} if $self->shown($entry->{stream}, $kind) ne join ' ', sort { $a <=> $b } map { ($_) x @{ $of->{$_} } } keys %$of;
        $n_acked += keys %{ $entry->{acked} };
        $n_stored += keys %$of;
    }
    is(join("\n", @wrong), '', "$n_acked $kind were acknowledged, $n_stored are there: all of the former, each once, nothing that was not sent");
    is("@unlike", '', "and the query API shows those $kind");
    return;
}

sub check_ledger {
    my ($self) = @_;
    sleep 2.5;    # it is written every two seconds
    my %sum;
    for my $hour (@{ $self->{stack}->get('/v1/ingest/hours', token => $self->{admin})->{json}{items} || [] }) {
        $sum{$_} += $hour->{$_} for grep { ($hour->{$_} // '') =~ /^\d+$/ } keys %$hour;
    }
    cmp_ok($sum{received} // 0, '>', 0, "the ledger: $sum{received} received") or return;
    is($sum{received}, $sum{accepted} + $sum{duplicates} + $sum{updated} + $sum{rejected}, 'are accepted, duplicates, updated or rejected');
    is($sum{rejected}, 0, 'none was rejected');
    return;
}

sub stop_senders {
    my ($self) = @_;
    my @pids = grep { $_ } map { delete $_->{pid} } values %{ $self->{senders} };
    kill 'TERM', @pids;
    waitpid $_, 0 for @pids;
    return;
}

# Stops the senders and checks everything.
# After a failure: requests may be held still, and what holds them would keep the stack from stopping.
sub abandon {
    my ($self) = @_;
    $self->stop_senders;
    $self->tell_faults;
    kill KILL => $self->{stack}{pid}, map { $_->{pid} } Tidemark::Processes::all($self->{stack});
    return;
}

# What the processes say of their own faults.
sub tell_faults {
    my ($self) = @_;
    my @lines = map { split /\n/, Tidemark::Stack::slurp($_) } glob "$self->{stack}{home}/log/*.log";
    diag $_ for grep {/error=internal/} @lines;
    return;
}

sub finish {
    my ($self) = @_;
    $self->stop_senders;
    my ($entries, $refused, $answers) = $self->account;
    is(join("\n", @$refused[0 .. ($#$refused < 4 ? $#$refused : 4)]), '', 'no sender was refused: what passes by itself is never a 4xx, and no fault of ours');
    $self->tell_faults if @$refused;
    $self->check_kind('samples', [grep { $_->{stream}{metric} } @$entries], $self->stored_samples);
    $self->check_kind('events', [grep { $_->{stream}{text} } @$entries], $self->stored_events);
    $self->check_ledger;
    my $said = $self->{steps}{said};
    note 'answers to senders: ' . join ', ', map { ($_ || 'none') . " $answers->{$_}" } sort keys %$answers;
    note "held at $_: " . join ', ', do { my $of = $said->{$_}; map { ($_ || 'none') . " $of->{$_}" } sort keys %$of } for sort keys %$said;
    note sprintf 'the longest until everything worked again: %.1f s', $self->{worst};
    is($self->{stack}->stop, 0, 'and the stack stops in order');
    delete @$self{qw(wal disk)};
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    $self->stop_senders if $self->{owner} == $$;
    return;
}

1;
