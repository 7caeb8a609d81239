#!/usr/bin/perl
# What costs much before it is known who asks: guessing passwords by crowds, all attempts together,
# and sending utilities' files, by address, are limited before they cost anything. Nothing else is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Test::More;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;

# Sends all requests before it reads an answer; returns the answers' statuses.
sub statuses_at_once {
    my ($n, $request) = @_;
    my @sockets = map {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $stack->{port}) or die "connecting: $!"
    } 1 .. $n;
    print {$_} $request for @sockets;
    return map { (<$_> // '') =~ m{^HTTP/1\.1 (\d+)} ? $1 : 'none' } @sockets;
}

my $form = 'email=a%40x.org&password=guess&csrf=none';
my $login = "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    . "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " . length($form) . "\r\n\r\n$form";

my %seen;
$seen{$_}++ for statuses_at_once(40, $login);
is_deeply([sort keys %seen], [403, 429], 'a crowd of logins: some are looked at, the others wait')
    or diag(explain(\%seen));
cmp_ok($seen{403} // 0, '<=', 26, 'five a second and twenty that may queue');
$seen{page}{$_}++ for statuses_at_once(40, "GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
is_deeply($seen{page}, { 200 => 40 }, 'the page with the form is never held back');

for my $path ('/costs/compare', '/v1/bills/compare') {
    my %sent;
    my $took = time;
    $sent{$_}++ for statuses_at_once(40, "POST $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/xml\r\nContent-Length: 0\r\n\r\n");
    cmp_ok(40 - ($sent{429} // 0), '<=', 22 + 2 * (time - $took), "a crowd of files at $path: two a second and twenty at once") or diag(explain(\%sent));
}

$stack->stop;
done_testing();
