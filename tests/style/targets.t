#!/usr/bin/perl
# Every target that `make help` lists can be expanded: what runs rarely is not found broken when it is needed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(read_source);

my @targets = read_source('Makefile') =~ /^([a-z-]+):[^#\n]*## /mg;
ok(@targets > 10, scalar(@targets) . ' targets');
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};    # of the make that runs this
for my $target (@targets) {
    my $said = qx(cd "$FindBin::Bin/../.." && make --dry-run --no-print-directory $target 2>&1 >/dev/null);
    is($?, 0, $target) or diag($said);
}
done_testing();
