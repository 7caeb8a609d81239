#!/usr/bin/perl
# Each fuzz target over its seeds and then, for FUZZ_SECONDS (10), over what it makes of them, two at a
# time and with less of the processor than tests that run beside it; `make fuzz` runs them for longer.
# Skipped where clang is not installed: `make test` has built none then.
use strict;
use warnings;
use FindBin;
use Test::More;
use File::Temp qw(tempdir);

my $ROOT = "$FindBin::Bin/../..";
my $SECONDS = $ENV{FUZZ_SECONDS} || 10;
my @targets = map { m{([^/]+)\.c$} } sort glob "$FindBin::Bin/*.c";
my $home;

# Starts a target; what it says goes to a file.
sub start {
    my ($target) = @_;
    mkdir "$home/$target" or die "$home: $!";
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', "$home/$target.log" or die "$home: $!";
    open STDERR, '>&', \*STDOUT or die "$home: $!";
    exec qw(nice -n 5), "$ROOT/build/fuzz/tests/fuzz/$target", "-max_total_time=$SECONDS", '-timeout=5', '-rss_limit_mb=1024',
        "-artifact_prefix=$home/", "$home/$target", "$FindBin::Bin/corpus/$target";
    die "$target: $!";
}

sub said { my ($target) = @_; open my $in, '<', "$home/$target.log" or die $!; local $/; return scalar <$in> }

plan skip_all => 'clang is not installed' if system('command -v clang >/dev/null') != 0;
my @missing = grep { !-x "$ROOT/build/fuzz/tests/fuzz/$_" } @targets;
plan skip_all => "clang cannot build them here: @missing" if @missing;
$home = tempdir(CLEANUP => 1);
ok(-d "$FindBin::Bin/corpus/$_", "$_ has seeds") for @targets;
my (%running, @waiting);
@waiting = @targets;
while (@waiting || %running) {
    while (@waiting && keys %running < 2) {
        my $target = shift @waiting;
        $running{ start($target) } = $target;
    }
    my $pid = wait;
    my $target = delete $running{$pid} // die 'nobody to wait for';
    is($?, 0, "$target is clean") or diag said($target);
}
done_testing();
