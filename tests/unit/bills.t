#!/usr/bin/perl
# The known bills of tests/bills, which domain_bills compares with ours, worked out again by other code
# in another language. Skipped where there is no Python with a zone database.
use strict;
use warnings;
use FindBin;
use Test::More;

my $script = "$FindBin::Bin/../bills/check.py";
plan skip_all => 'no python3 with zoneinfo and a zone database'
    if system(q{python3 -c 'from zoneinfo import ZoneInfo; ZoneInfo("Australia/Lord_Howe")' 2>/dev/null}) != 0;
exec 'python3', $script or die "$script: $!";
