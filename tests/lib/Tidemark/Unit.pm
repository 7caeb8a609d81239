package Tidemark::Unit;

# Runs a C test program that needs a database (tests/unit/db_*.c) against a throw-away cluster,
# in a new database of its own, and reports all its checks as one.

use strict;
use warnings;
use Exporter 'import';
use File::Copy qw(copy);
use Test::More;
use Tidemark::Cluster;

our @EXPORT_OK = qw(run_unit);

my $n_databases = 0;

# run_unit($cluster, 'db_tx', host => …, env => [ 'NAME=value' ]): the program is copied beside
# the cluster, because the cluster's user may be unable to walk to the checkout.
sub run_unit {
    my ($cluster, $program, %option) = @_;
    my $build = $ENV{TIDEMARK_BUILD} || "$Tidemark::Cluster::ROOT/build";
    my $copy = $cluster->home . "/$program";
    copy("$build/tests/unit/$program", $copy) && chmod 0755, $copy
        or return fail("$program: cannot copy it from $build: $!");
    my $database = 'unit_' . ++$n_databases;
    $cluster->session('tidemark_super')->query("CREATE DATABASE $database");
    my $host = $option{host} || $cluster->home . '/run';
    my $url = "host=$host user=tidemark_super dbname=$database";
    my $output = eval {
        $cluster->run('env', "TIDEMARK_TEST_DATABASE=$url", @{ $option{env} || [] }, $copy);
    };
    my ($said, $has_passed) = defined $output ? ($output, 1) : ($@, 0);
    my ($n_checks) = $said =~ /^1\.\.(\d+)\s*$/m;
    my $name = $option{name} || $program;
    return pass("$name: $n_checks checks") if $has_passed && $n_checks;
    return fail($name) || diag(join '', grep { !/^ok / } $said =~ /^.*\n?/mg);
}

1;
