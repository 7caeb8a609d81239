package Tidemark::Loss::Client;

# One sender: a process that posts numbered readings in every format, one request at a time, as
# devices do whose network is bad. It goes away in the middle of bodies and of answers, sends again
# what was not acknowledged (but not all of it), sends some of what was, and some out of order. What
# became of every request is a line of a file: format, first and last number, status (0: nobody
# answered, or not whole).

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use Tidemark::Loss::Formats;

use constant {
    PATIENCE => 12,       # seconds for an answer
    IN_BODY => 0.02,      # goes away with half the body sent
    BEFORE_ANSWER => 0.02, # with all of it sent
    IN_ANSWER => 0.02,    # with some bytes of the answer read
    AGAIN => 0.05,        # sends once more what was acknowledged
    SWAP => 0.15,         # sends the next ones first
    GIVE_UP => 0.2,       # does not send again what was not
};

# An answer that nobody earned: what was sent is right, and faults are 503 ("come again").
our $WRONG = qr/^(?:4|5(?!03))/;

# ---- one exchange ----

sub bytes_of {
    my ($request) = @_;
    my %headers = (Host => 'x', %{ $request->{headers} });
    $headers{'Content-Length'} = length $request->{body} if $request->{method} eq 'POST';
    return join('', "$request->{method} $request->{path} HTTP/1.1\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers), "\r\n"),
        $request->{body};
}

sub connect_to {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 2);
}

# Sends all of it; false when the connection broke.
sub send_all {
    my ($socket, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $bytes) {
        my $n = syswrite $socket, $bytes or return 0;
        substr $bytes, 0, $n, '';
    }
    return 1;
}

# The answer's status and body, (0, …) without a whole one within `seconds`.
sub read_answer {
    my ($socket, $seconds) = @_;
    my ($text, $deadline, $select) = ('', time + $seconds, IO::Select->new($socket));
    while ((my $left = $deadline - time) > 0) {
        next if !$select->can_read($left);
        sysread($socket, $text, 65_536, length $text) or last;
        my ($head, $body) = split /\r\n\r\n/, $text, 2;
        next if !defined $body;
        my ($status) = $head =~ m{^HTTP/1\.1 (\d+)} or last;
        my ($length) = $head =~ /^Content-Length: *(\d+)/mi;
        my $is_whole = $status == 204 || (defined $length ? length $body >= $length : $body =~ /(?:^|\r\n)0\r\n\r\n\z/);
        return ($status, $body) if $is_whole;
    }
    return (0, $text);
}

# ---- the sender ----

sub chance { return rand() < $_[0] }

# One request, perhaps cut short. Returns (status, body).
sub exchange {
    my ($self, $request) = @_;
    my ($head, $body) = bytes_of($request);
    my $socket = $self->{socket} ||= connect_to($self->{port}) or return (0, 'no connection');
    my $is_cut = chance(IN_BODY);
    my $is_sent = send_all($socket, $head . ($is_cut ? substr $body, 0, length($body) / 2 : $body));
    my ($status, $text) = (0, '');
    if ($is_sent && !$is_cut && !chance(BEFORE_ANSWER)) {
        if (chance(IN_ANSWER)) {
            IO::Select->new($socket)->can_read(PATIENCE) and sysread $socket, $text, 1 + int rand 40;
        } else {
            ($status, $text) = read_answer($socket, PATIENCE);
        }
    }
    delete($self->{socket})->close if !$status;
    return ($status, $text);
}

sub note {
    my ($self, $format, $first, $last, $status, $text) = @_;
    my $why = $status =~ $WRONG ? substr($text, 0, 200) =~ s/\s+/ /gr : '';
    return syswrite $self->{notes}, "$format $first $last $status $why\n";
}

# Posts the numbers until they are acknowledged or given up.
sub deliver {
    my ($self, $format, $first, $last) = @_;
    my $request = Tidemark::Loss::Formats::request($self->{streams}{$format}, $first .. $last);
    until ($self->is_over) {
        my ($status, $text) = $self->exchange($request);
        $self->note($format, $first, $last, $status, $text);
        return if ($status =~ /^[24]/ && !chance(AGAIN)) || ($status !~ /^2/ && chance(GIVE_UP));
        sleep 0.02;
    }
    return;
}

# Told to stop, or the test has died.
sub is_over { my ($self) = @_; return $self->{is_stopped} || getppid() != $self->{parent} }

# Posts until SIGTERM.
sub work {
    my ($self) = @_;
    local $SIG{TERM} = sub { $self->{is_stopped} = 1 };
    my %next;
    until ($self->is_over) {
        for my $format (Tidemark::Loss::Formats::names()) {
            my @ranges = map {
                my $first = $next{$format} // 1;
                $next{$format} = $first + 1 + int rand $self->{streams}{$format}{most};
                [$first, $next{$format} - 1];
            } 1 .. 2;
            $self->deliver($format, @$_) for chance(SWAP) ? reverse @ranges : @ranges;
            sleep $self->{pause};
        }
    }
    return;
}

# Starts a sender `who` in a process of its own and returns its pid. `pause` are the seconds between
# two formats; `seed` makes its choices the same ones.
sub start {
    my ($class, %of) = @_;
    my $parent = $$;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    srand $of{seed};
    my $self = bless { %of, parent => $parent }, $class;
    open $self->{notes}, '>', $of{file} or POSIX::_exit(1);
    $self->{streams} = { map { $_ => Tidemark::Loss::Formats::stream($_, $of{who}, $of{tokens}, $of{now}) } Tidemark::Loss::Formats::names() };
    eval { $self->work; 1 } or print STDERR "# sender $of{who}: $@";
    POSIX::_exit(0);
}

1;
