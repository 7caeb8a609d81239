#!/usr/bin/perl
# Parquet files that we write, read by others: pyarrow and DuckDB see every value of files of all types,
# with NULLs, NaN, infinities, extremes, empty and other texts, many pages and several row groups.
# What cannot be installed here is skipped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp qw(tempdir);
use Tidemark::Npm;
use Tidemark::Python;

my $writer = ($ENV{TIDEMARK_BUILD} || "$FindBin::Bin/../../build") . '/tests/unit/parquet_file';
my $folder = tempdir(CLEANUP => 1);
is(system($writer, $folder), 0, 'files of every kind are written');
my @files = glob "$folder/*.parquet";
cmp_ok(scalar @files, '>', 10, 'all of them');

sub read_by {
    my ($reader, @command) = @_;
    open my $out, '-|', @command, $folder, scalar @files or die "$command[0]: $!";
    my @lines = <$out>;
    close $out or diag("@command: status $?");
    is(scalar(grep { /^\d+ ok \d+$/ } @lines), scalar @files, "$reader reads every value of each") or diag(@lines);
}

SKIP: {
    my ($python, $why) = Tidemark::Python::install('py', "$FindBin::Bin/requirements.txt");
    skip "pyarrow: $why", 1 if !$python;
    read_by('pyarrow', $python, "$FindBin::Bin/parquet.py");
}
SKIP: {
    my $node = Tidemark::Npm::find_command('node') or skip 'node is not installed', 1;
    my ($tools, $why) = Tidemark::Npm::install('clients', $FindBin::Bin);
    skip "DuckDB: $why", 1 if !$tools;
    local $ENV{NODE_PATH} = "$tools/node_modules";
    read_by('DuckDB', $node, "$FindBin::Bin/parquet.js");
}
done_testing();
