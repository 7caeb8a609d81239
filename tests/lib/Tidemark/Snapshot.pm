package Tidemark::Snapshot;

# Homes as they are after a first start: made once a build, engine and day, copied for each test that
# wants a fresh one. To make a cluster and migrate it takes ten times as long as to copy it.

use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA;
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);

our $ROOT = abs_path(dirname(__FILE__) . '/../../..');

# Fills the folder `home` with a copy of what `make` made in the folder that it was given. `name` says
# what for, `program` is the binary that made it: another one's is another. A day old is too old, for
# partitions are made some days ahead.
sub lay {
    my ($name, $program, $home, $make) = @_;
    my $folder = ($ENV{TIDEMARK_BUILD} || "$ROOT/build") . '/homes';
    my ($day, $month, $year) = (gmtime)[3 .. 5];
    my $kept = sprintf '%s/%s-%s-%d%02d%02d', $folder, $name,
        substr(Digest::SHA->new(256)->addfile($program, 'b')->hexdigest, 0, 16), 1900 + $year, 1 + $month, $day;
    make_path($folder);
    open my $lock, '>', "$folder/lock" or die "$folder/lock: $!";
    # what is there is copied by many at once; between two locks another may have made it
    while (1) {
        flock $lock, LOCK_SH or die "$folder/lock: $!";
        last if -d $kept;
        flock $lock, LOCK_EX or die "$folder/lock: $!";
        next if -d $kept;
        remove_tree("$kept.new", glob "$folder/$name-*");
        make_path("$kept.new");
        $make->("$kept.new");
        rename "$kept.new", $kept or die "$kept: $!";
    }
    copy($kept, $home);
    return;
}

# What lies in one folder into another, with owners and times.
sub copy {
    my ($from, $to) = @_;
    system('cp', '-a', '--reflink=auto', "$from/.", $to) == 0 or die "cannot copy $from";
    return;
}

1;
