package Tidemark::Loss::Steps;

# Requests that are held at a named step on their way into the database, all at once, so that a
# fault meets each of them there. Nothing of it is in the product: what holds them are locks of the
# test's own sessions, a standby server that PostgreSQL waits for and that does not exist, and
# SIGSTOP. `@WRITING` and `@ANSWERING` are two sets that can be held together:
#
#   body     half of the body was sent
#   devices  parsed; its device is being registered: another transaction registers the same key
#   late     in the late lane, rows sent: another transaction inserted the same sample
#   chunk    likewise, of ten days ago: its chunk is locked; it is put off and tried again, over and over
#   insert   batch begun, rows sent: likewise
#   events   rows are in, events are not: core.event_key is locked
#   queue    waiting for a writer: the two above have them both
#
#   answer   committed and answered, but nginx stands still
#   commit   committed and on disk, but PostgreSQL does not say so: it waits for a standby

use strict;
use warnings;
use IO::Select;
use Time::HiRes qw(sleep time);
use Tidemark::Loss::Client;
use Tidemark::Loss::Formats;
use Tidemark::Processes;
use Tidemark::Psql;

our @WRITING = qw(body devices late chunk insert events queue);
our @ANSWERING = qw(answer commit);

use constant { PATIENCE => 10, NEWEST => 1000 };

# tokens and now: of Tidemark::Loss::Formats.
sub new {
    my ($class, $stack, $tokens, $now) = @_;
    return bless { stack => $stack, tokens => $tokens, now => $now, streams => {}, turn => 0, number => NEWEST, probes => [], met => {} }, $class;
}

# All streams that were used, with the numbers acknowledged and sent: { stream, acked => {n}, sent => {n} }.
sub streams { return values %{ $_[0]{streams} } }

sub session {
    my ($self) = @_;
    my $psql = (sort glob '/usr/lib/postgresql/1[5-8]/bin/psql')[-1];
    return Tidemark::Psql->open([$psql], "$self->{stack}{home}/run", 'tidemark_super', '');
}

# ---- probes ----

# The next format for a step, each in its turn; thingsboard's token knows but one device.
sub next_format {
    my ($self, $step) = @_;
    my @formats = grep {
        $_ ne 'thingsboard' && ($step ne 'events' || Tidemark::Loss::Formats::has_events($_))
            && ($step =~ /^(?:body|events|queue)$/ || Tidemark::Loss::Formats::has_samples($_))
            && ($step !~ /^(?:insert|answer|commit)$/ || Tidemark::Loss::Formats::is_of_now($_))    # the fast lane waits for nothing old
            && ($step ne 'body' || $_ !~ /^(?:emoncms_post|pvoutput_status|pvoutput_output)$/)    # they have none
    } Tidemark::Loss::Formats::names();
    return $formats[$self->{turn}++ % @formats];
}

sub entry {
    my ($self, $format, $who) = @_;
    return $self->{streams}{"$format $who"} ||= { stream => Tidemark::Loss::Formats::stream($format, $who, $self->{tokens}, $self->{now}),
        format => $format, acked => {}, sent => {} };
}

# Sends a number of a stream until it is acknowledged. Dies after PATIENCE, or the time `deadline`.
sub deliver {
    my ($self, $entry, $n, $deadline) = @_;
    $deadline ||= time + PATIENCE;
    my $last = 'nothing was tried';
    $entry->{sent}{$n} = 1;
    while (time < $deadline) {
        my $socket = Tidemark::Loss::Client::connect_to($self->{stack}{port});
        if ($socket) {
            Tidemark::Loss::Client::send_all($socket, join '', Tidemark::Loss::Client::bytes_of(Tidemark::Loss::Formats::request($entry->{stream}, $n)));
            my ($status, $text) = Tidemark::Loss::Client::read_answer($socket, $deadline - time);
            die "$entry->{format}: refused by $status $text\n" if $status =~ $Tidemark::Loss::Client::WRONG;
            return $entry->{acked}{$n} = 1 if $status =~ /^2/;
            $last = $status || 'no answer';
        }
        sleep 0.05;
    }
    die "$entry->{format}: not acknowledged in time ($last)\n";
}

# A request on its way: sent (by half, if `is_half`), its answer not read.
sub post {
    my ($self, $step, $entry, $n, $is_half) = @_;
    my ($head, $body) = Tidemark::Loss::Client::bytes_of(Tidemark::Loss::Formats::request($entry->{stream}, $n));
    my $half = $is_half ? int length($body) / 2 : length $body;
    my $socket = Tidemark::Loss::Client::connect_to($self->{stack}{port}) or die "connect: $!";
    Tidemark::Loss::Client::send_all($socket, $head . substr $body, 0, $half);
    $entry->{sent}{$n} = 1;
    push @{ $self->{probes} }, { step => $step, entry => $entry, n => $n, socket => $socket, rest => substr $body, $half };
    return;
}

# A number of a device that is known, later than all before or, for the late lane, earlier.
sub next_number {
    my ($self, $entry, $is_late) = @_;
    $self->deliver($entry, NEWEST + 2) if !%{ $entry->{sent} };
    $self->{number}++;
    return $is_late ? 2 * NEWEST - $self->{number} : $self->{number} + 2;
}

# ---- what holds them ----

sub await {
    my ($self, $what, $query) = @_;
    my $deadline = time + PATIENCE;
    until ($self->{control}->value($query)) {
        die "$what: not within " . PATIENCE . " s\n" if time > $deadline;
        sleep 0.01;
    }
    return;
}

# A session with an open transaction that did `sql`.
sub holder {
    my ($self, $step, $sql) = @_;
    my $holder = $self->{holders}{$step} = $self->session;
    $holder->query("BEGIN;\n$sql");
    $self->{pids}{$step} = $holder->value('SELECT pg_backend_pid()');
    return;
}

sub await_held {
    my ($self, $step) = @_;
    return $self->await("$step is held", "SELECT max(pid) FROM pg_stat_activity WHERE usename = 'tidemark_ingest'"
        . " AND pg_blocking_pids(pid) \@> ARRAY[$self->{pids}{$step}]");
}

sub sample_sql {
    my ($entry, $n) = @_;
    my $stream = $entry->{stream};
    return 'INSERT INTO core.sample (tenant_id, series_id, time, value)'
        . " SELECT r.tenant_id, r.id, timestamptz 'epoch' + @{[Tidemark::Loss::Formats::time_us($stream, $n)]} * interval '1 microsecond', -1"
        . ' FROM core.series r JOIN core.device d ON d.tenant_id = r.tenant_id AND d.id = r.device_id'
        . " WHERE d.key = '$stream->{device}' AND r.metric = '$stream->{metric}'";
}

# A sample that another transaction has inserted already; late ones are older than their series.
sub hold_sample {
    my ($self, $step, $is_late) = @_;
    my $entry = $self->entry($self->next_format($step), $step);
    my $n = $self->next_number($entry, $is_late);
    $self->holder($step, sample_sql($entry, $n));
    $self->post($step, $entry, $n);
    return $self->await_held($step);
}

# The first sample of a device, in a chunk that lets nobody in.
sub hold_chunk {
    my ($self) = @_;
    my $old = sub { my ($who) = @_; return $self->{streams}{"ndjson $who"} ||= { format => 'ndjson', acked => {}, sent => {},
            stream => Tidemark::Loss::Formats::stream('ndjson', $who, $self->{tokens}, $self->{now} - 10 * 86400) } };
    my $first = $old->('chunk');
    $self->deliver($first, NEWEST) if !%{ $first->{sent} };
    my $chunk = $self->{control}->value('SELECT min(s.tableoid)::regclass FROM core.sample s JOIN core.series r ON r.tenant_id = s.tenant_id AND r.id = s.series_id'
        . " JOIN core.device d ON d.tenant_id = r.tenant_id AND d.id = r.device_id WHERE d.key = '$first->{stream}{device}'");
    $self->holder('chunk', "LOCK TABLE $chunk IN EXCLUSIVE MODE");
    $self->post('chunk', $old->('chunk' . ++$self->{number}), NEWEST);
    return $self->await_held('chunk');
}

sub hold_devices {
    my ($self) = @_;
    my $entry = $self->entry($self->next_format('devices'), 'new' . ++$self->{number});
    $self->holder('devices', "INSERT INTO core.device (tenant_id, key, name) SELECT id, '$entry->{stream}{device}', '' FROM core.tenant WHERE slug = 'fault'");
    $self->post('devices', $entry, NEWEST);
    return $self->await_held('devices');
}

sub hold_events {
    my ($self) = @_;
    my $entry = $self->entry($self->next_format('events'), 'events');
    my $n = $self->next_number($entry);
    $self->holder('events', 'LOCK TABLE core.event_key IN SHARE ROW EXCLUSIVE MODE');
    $self->post('events', $entry, $n);
    return $self->await_held('events');
}

# Waits for no standby, or for one that does not exist.
sub wait_for_standby {
    my ($self, $is_waiting) = @_;
    $self->{control}->query('ALTER SYSTEM ' . ($is_waiting ? q(SET synchronous_standby_names = 'nobody') : 'RESET synchronous_standby_names'));
    $self->{control}->query('SELECT pg_reload_conf()');
    return;
}

sub signal_nginx { my ($self, $signal) = @_; return kill $signal, Tidemark::Processes::part($self->{stack}, 'nginx') }

# ---- the two sets ----

sub hold_writing {
    my ($self) = @_;
    $self->post('body', $self->entry($self->next_format('body'), 'body'), ++$self->{number}, 1);
    my $entry = $self->entry($self->next_format('queue'), 'queue');
    my $n = $self->next_number($entry);
    $self->hold_devices;
    $self->hold_sample('late', 1);
    $self->hold_chunk;
    $self->hold_sample('insert');
    $self->hold_events;
    $self->post('queue', $entry, $n);
    return sleep 0.05;
}

# The backend that a step's holder blocks.
sub blocked_backend { my ($self, $step) = @_; return $self->{control}->value("SELECT pid FROM pg_stat_activity WHERE pg_blocking_pids(pid) \@> ARRAY[$self->{pids}{$step}] LIMIT 1") }

# Lets a step's holder go, and waits until what it held is committed but for the standby. What reads
# the setting last is no session: when it is late, the commit slips by and this dies.
sub hold_commit {
    my ($self, $step, $writer) = @_;
    $self->wait_for_standby(1);
    sleep 0.05;    # until all know
    delete $self->{holders}{$step};
    return $self->await("the commit of $step waits", "SELECT count(*) FROM pg_stat_activity WHERE pid = $writer AND wait_event = 'SyncRep'");
}

sub hold_answering {
    my ($self) = @_;
    my %writer;
    for my $step (qw(commit answer)) {
        $self->hold_sample($step);
        $writer{$step} = $self->blocked_backend($step);
    }
    my ($answer) = grep { $_->{step} eq 'answer' } reverse @{ $self->{probes} };
    $self->hold_commit('answer', $writer{answer});
    $self->signal_nginx('STOP');
    $self->wait_for_standby(0);
    $self->await('the answer is due', sample_sql($answer->{entry}, $answer->{n}) =~ s/^INSERT.*?SELECT.*?FROM/SELECT count(*) FROM core.sample s JOIN/r
            =~ s/ JOIN core.device/ ON r.id = s.series_id AND s.value = $answer->{n} JOIN core.device/r);
    $self->hold_commit('commit', $writer{commit});
    $self->{control}->query('ALTER SYSTEM RESET synchronous_standby_names');    # holds when read again
    return;
}

# Holds a set: \@WRITING or \@ANSWERING. The database may still be dying of the fault before, or not be back
# yet, and on a busy machine a request may slip by: then once more, from where nothing waits for a standby.
sub hold {
    my ($self, $steps) = @_;
    my $until = time + PATIENCE;
    for (my $attempt = 1; ; $attempt++) {
        return if eval {
            @{$self}{qw(control holders pids)} = ($self->session, {}, {});
            $self->wait_for_standby(0) if $attempt > 1;
            $steps == \@WRITING ? $self->hold_writing : $self->hold_answering;
            1;
        };
        my $why = $@;
        $self->release;
        die $why if $attempt >= 3 && time > $until;
        sleep 1;
    }
    return;
}

# The backends that are held, if any.
sub held_backends {
    my ($self) = @_;
    my $pids = join ',', 0, values %{ $self->{pids} };
    return map { $_->[0] } $self->{control}->query("SELECT pid FROM pg_stat_activity WHERE usename = 'tidemark_ingest'"
        . " AND (pg_blocking_pids(pid) && ARRAY[$pids] OR wait_event = 'SyncRep')");
}

# The clients of all that is held go away, some in the middle of an answer.
sub leave {
    my ($self) = @_;
    for my $probe (@{ $self->{probes} }) {
        if ($probe->{step} eq 'answer') {
            $self->signal_nginx('CONT');
            IO::Select->new($probe->{socket})->can_read(PATIENCE) and sysread $probe->{socket}, my $some, 5;
        }
        close delete $probe->{socket};
    }
    return;
}

# Lets go. The database may have died meanwhile, and may come back with settings as they were.
sub release {
    my ($self) = @_;
    $self->signal_nginx('CONT');
    kill 'HUP', Tidemark::Processes::part($self->{stack}, 'postmaster');
    delete @{$self}{qw(holders control)};
    return;
}

# Reads the answers after a kind of fault, then sends again what was not acknowledged: all must be by `deadline`.
sub settle {
    my ($self, $kind, $deadline) = @_;
    for my $probe (@{ $self->{probes} }) {
        my ($entry, $n, $socket) = @{$probe}{qw(entry n socket)};
        my ($status, $text) = (0, '');
        if ($socket && Tidemark::Loss::Client::send_all($socket, $probe->{rest})) {
            ($status, $text) = Tidemark::Loss::Client::read_answer($socket, $deadline - time);
        }
        die "$probe->{step}, $entry->{format}: refused by $status $text\n" if $status =~ $Tidemark::Loss::Client::WRONG;
        $self->{met}{$probe->{step}}{$kind}++;
        $entry->{acked}{$n} = 1 if $status =~ /^2/;
    }
    $self->deliver($_->{entry}, $_->{n}, $deadline) for grep { !$_->{entry}{acked}{ $_->{n} } } @{ $self->{probes} };
    $self->{probes} = [];
    return;
}

1;
