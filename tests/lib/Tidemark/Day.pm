package Tidemark::Day;

# The day that a test counts its days back from.

use strict;
use warnings;

use constant { DAY => 86_400, NEEDED => 180 };    # seconds

# The midnight (UTC) that today began with, in seconds since 1970. Shortly before the next one, that one
# is awaited: no day shall end, and be due, amid a test.
sub today {
    my $left = DAY - time % DAY;
    sleep $left + 1 if $left < NEEDED;
    return int(time / DAY) * DAY;
}

1;
