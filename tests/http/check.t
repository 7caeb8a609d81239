#!/usr/bin/perl
# `tidemark check` finds a running stack by its home alone, says of each part whether it is well,
# and tells monitors by its exit status.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Processes;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
my ($status, $out) = $stack->tidemark('check');
is($status, 0, 'all parts of a running stack are well');
is(() = $out =~ /^ok /mg, 9, 'and each is named') or diag $out;

rename "$stack->{home}/objects", "$stack->{home}/elsewhere" or die;
($status, $out) = $stack->tidemark('check');
is($status, 1, 'a store that is not there is noticed');
like($out, qr{^FAILED +object store: .*\Q$stack->{home}\E/objects}m, '  with its place') or diag $out;
is(() = $out =~ /^ok /mg, 8, '  and the rest is well');
rename "$stack->{home}/elsewhere", "$stack->{home}/objects" or die;

kill 'STOP', Tidemark::Processes::part($stack, 'web');
($status, $out) = $stack->tidemark('check');
kill 'CONT', Tidemark::Processes::part($stack, 'web');
is($status, 1, 'web processes that hang are noticed');
like($out, qr/^FAILED +nginx.*does not answer/m, '  as what a browser sees') or diag $out;

$stack->stop;
($status, $out) = $stack->tidemark('check');
is($status, 1, 'nothing is well after the stop');
is(() = $out =~ /^FAILED /mg, 8, 'and each is named') or diag $out;
like($out, qr/^ok +object store$/m, '  but a folder, which nobody has to serve');
done_testing;
