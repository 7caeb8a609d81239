package Tidemark::Gate;

# A way to a Tidemark::Minio that stops who goes it at a request, so that it can be killed there, or that
# makes the server lie of an object.
#
#   my $gate = Tidemark::Gate->new($minio);                     # at $gate->url, until the object goes
#   $gate->stop_at('PUT', qr{/catalogue/}, 'half');  …  ok $gate->has_stopped;  $gate->let_pass;
#
# What becomes of the first request of that method whose path and query match: 'before', none of it is passed
# on; 'half', half of its body is; 'after', all of it is, and its answer is not. With 'cut' and 'flip' the
# object is changed when the server has taken it, each time, and the answer says that all is well; with
# 'age NAME' an upload whose key ends so was begun a year earlier, each time they are listed.

use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Tidemark::Objects;
use Tidemark::Scratch qw(slurp_whole spit);
use Time::HiRes qw(sleep time);

sub new {
    my ($class, $minio) = @_;
    my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die "listen: $!";
    my $self = bless { minio => $minio, folder => tempdir('tidemark-gate-XXXXXX', DIR => '/tmp'), port => $listen->sockport, owner => $$ }, $class;
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};
    local $SIG{CHLD} = 'IGNORE';
    while (my $client = $listen->accept) {
        next if fork;
        local $SIG{CHLD} = 'DEFAULT';    # it waits for programs of its own
        $self->relay($client);
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}

sub url { my ($self) = @_; return "http://127.0.0.1:$self->{port}" }

sub stop_at {
    my ($self, $method, $pattern, $how) = @_;
    spit("$self->{folder}/new", "$how\n$method\n$pattern");
    rename "$self->{folder}/new", "$self->{folder}/rule" or die "rename: $!";
    return;
}

# Waits for somebody who stands here.
sub has_stopped {
    my ($self) = @_;
    my $until = time + 20;
    sleep 0.01 while !-e "$self->{folder}/stopped" && time < $until;
    return -e "$self->{folder}/stopped";
}

sub let_pass { my ($self) = @_; unlink map {"$self->{folder}/$_"} qw(rule stopped); return }

# ---- in a process of its own, one a connection ----

# How this request is to be treated; '': as any.
sub treatment {
    my ($self, $method, $path) = @_;
    my ($how, $of, $pattern) = split /\n/, eval { slurp_whole("$self->{folder}/rule") } // '', 3;
    return $how && $method eq $of && $path =~ /$pattern/ && !-e "$self->{folder}/stopped" ? $how : '';
}

# Whoever sent it is left waiting, until it is gone.
sub stand {
    my ($self, $client) = @_;
    spit("$self->{folder}/stopped", '');
    1 while sysread $client, my $piece, 65536;
    return;
}

# The server has less of the object than it was given, or something else.
sub change {
    my ($self, $path, $how) = @_;
    my $objects = Tidemark::Objects->new($self->{minio});
    my $key = $path =~ s{^/[^/]+/}{}r;
    my $bytes = $objects->slurp($key);
    $how eq 'cut' ? substr($bytes, length($bytes) / 2) = '' : (substr($bytes, length($bytes) / 2, 1) ^= "\x01");
    return $objects->spit($key, $bytes);
}

sub relay {
    my ($self, $client) = @_;
    my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{minio}{port}") or return;
    my $select = IO::Select->new($client, $server);
    my ($how, $path) = ('', '');
    while (my @ready = $select->can_read) {
        for my $from (@ready) {
            sysread $from, my $piece, 65536 or return;
            if ($from == $server && $how =~ /^age (.*)/) {
                $piece =~ s{(<Key>[^<]*\Q$1\E</Key>.*?<Initiated>)(\d{4})}{$1 . ($2 - 1)}es;
            } elsif ($from == $server && $how) {
                return $self->stand($client) if $how eq 'after';
                $self->change($path, $how);
                $how = '';
            }
            if ($from == $client && $piece =~ m{^([A-Z]+) (\S+) HTTP/1\.1\r\n}) {
                (my $method, $path) = ($1, $2);
                $path =~ s/%([0-9A-F]{2})/chr hex $1/ge;
                $how = $self->treatment($method, $path);
                return $self->stand($client) if $how eq 'before';
                if ($how eq 'half') {
                    $piece = half($client, $piece);
                    syswrite $server, $piece;
                    return $self->stand($client);
                }
            }
            syswrite $from == $client ? $server : $client, $piece;
        }
    }
    return;
}

# A request's head and half of its body.
sub half {
    my ($client, $piece) = @_;
    while ($piece !~ /\r\n\r\n/) { sysread $client, $piece, 65536, length $piece or return $piece }
    my ($length) = $piece =~ /^Content-Length: *(\d+)/mi;
    my $end = index($piece, "\r\n\r\n") + 4 + int($length / 2);
    while (length $piece < $end) { sysread $client, $piece, 65536, length $piece or return $piece }
    return substr $piece, 0, $end;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    remove_tree($self->{folder});
    return;
}

1;
