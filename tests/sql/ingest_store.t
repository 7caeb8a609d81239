#!/usr/bin/env perl
# Ingest's service against real servers, on each engine: in-process, by the programs of these
# names in tests/unit.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Copy qw(copy);
use Test::More;
use Tidemark::Cluster;

# Runs a program against the cluster's own database, in the name of its user; a copy of it,
# because that user may be unable to walk to the checkout.
sub run_program {
    my ($cluster, $program) = @_;
    my $build = $ENV{TIDEMARK_BUILD} || "$Tidemark::Cluster::ROOT/build";
    my $copy = $cluster->home . "/$program";
    copy("$build/tests/unit/$program", $copy) && chmod 0755, $copy
        or return fail("$program: cannot copy it from $build: $!");
    my $run = $cluster->home . '/run';
    my $password = Tidemark::Cluster::slurp($cluster->home . '/secrets/tidemark_ingest');
    my $output = eval {
        $cluster->run('env', "TIDEMARK_TEST_DATABASE=host=$run user=tidemark_super dbname=tidemark",
            "TIDEMARK_TEST_INGEST_URL=host=$run user=tidemark_ingest dbname=tidemark password=$password",
            $copy);
    };
    my ($said, $has_passed) = defined $output ? ($output, 1) : ($@, 0);
    my ($n_checks) = $said =~ /^1\.\.(\d+)\s*$/m;
    return pass("$program: $n_checks checks") if $has_passed && $n_checks;
    return fail($program) || diag(join '', grep { !/^ok / } $said =~ /^.*\n?/mg);
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    $super->query("SELECT ops.tenant_add('$_', '$_', 'UTC', 'EUR')") for qw(alpha beta);
    run_program($cluster, $_) for qw(ingest_store ingest_load ingest_tokens);
    is $super->value('SELECT ops.orphan_check()'), 0, 'no row is of another tenant than its series';
});

done_testing;
