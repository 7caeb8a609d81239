package Tidemark::Flood;

# Clients that send one request of any bytes again and again, for loads that tests/bench/load does not know.
#
#   my @flood = Tidemark::Flood::begin($stack, clients => 4, seconds => 2, request => $bytes, rate => 15);
#   my $status = Tidemark::Flood::result(@flood);    # {200 => 12, 503 => 3}; 0: closed without an answer

use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw(sleep time);

# The bytes of a POST.
sub request {
    my ($path, $body, %header) = @_;
    return join "\r\n", "POST $path HTTP/1.1", 'Host: localhost', 'Content-Length: ' . length $body, (map { "$_: $header{$_}" } sort keys %header), '',
        $body;
}

# The status of the answer and whether the connection goes on.
sub answer {
    my ($socket) = @_;
    local $/ = "\r\n";
    my $head = '';
    while (defined(my $line = <$socket>)) {
        $head .= $line;
        last if $line eq "\r\n";
    }
    my ($status) = $head =~ m{^HTTP/1\.1 (\d+)} or return 0;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    read $socket, my $body, $length if $length;
    return ($status, (defined $length || $status == 204) && $head !~ /^Connection: close/mi);
}

# A client: at most `rate` requests a second (0: each follows the answer before).
sub run {
    my ($stack, %option) = @_;
    my ($begin, $n, $socket, %status) = (time, 0);
    while (time < $begin + $option{seconds}) {
        my $early = $option{rate} ? $begin + $n / $option{rate} - time : 0;
        sleep $early if $early > 0;
        $socket ||= IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $stack->{port}) or die "connect: $!";
        print {$socket} $option{request};
        $socket->flush;
        my ($answered, $goes_on) = answer($socket);
        $status{$answered}++;
        undef $socket if !$goes_on;
        $n++;
    }
    return \%status;
}

sub begin {
    my ($stack, %option) = @_;
    return map {
        my $pid = open(my $out, '-|') // die "fork: $!";
        if (!$pid) {
            local $SIG{PIPE} = 'IGNORE';
            syswrite STDOUT, encode_json(run($stack, %option));
            require POSIX;
            POSIX::_exit(0);
        }
        $out;
    } 1 .. $option{clients};
}

sub result {
    my %sum;
    for my $out (@_) {
        my $status = decode_json(join '', <$out>);
        close $out;
        $sum{$_} += $status->{$_} for keys %$status;
    }
    return \%sum;
}

1;
