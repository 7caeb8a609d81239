#!/usr/bin/perl
# Each fuzz target over its seeds and then, for about a second, over what it makes of them; `make fuzz` runs
# them for longer. Skipped where clang is not installed: `make test` has built none then.
use strict;
use warnings;
use FindBin;
use Test::More;
use File::Temp qw(tempdir);

my $ROOT = "$FindBin::Bin/../..";
my ($SECONDS, $RUNS) = (1, 4_000); # whichever comes first
my @targets = map { m{([^/]+)\.c$} } sort glob "$FindBin::Bin/*.c";

# The target's status and what it said.
sub run {
    my ($target, $home) = @_;
    my $seeds = "$FindBin::Bin/corpus/$target";
    mkdir "$home/$target" or die "$home: $!";
    my $said = qx('$ROOT/build/fuzz/tests/fuzz/$target' -max_total_time=$SECONDS -runs=$RUNS -timeout=5 -rss_limit_mb=1024 -artifact_prefix='$home/' '$home/$target' '$seeds' 2>&1);
    return ($?, $said);
}

plan skip_all => 'clang is not installed' if system('command -v clang >/dev/null') != 0;
my @missing = grep { !-x "$ROOT/build/fuzz/tests/fuzz/$_" } @targets;
plan skip_all => "clang cannot build them here: @missing" if @missing;
my $home = tempdir(CLEANUP => 1);
for my $target (@targets) {
    ok(-d "$FindBin::Bin/corpus/$target", "$target has seeds");
    my ($status, $said) = run($target, $home);
    is($status, 0, '  and is clean') or diag $said;
}
done_testing();
