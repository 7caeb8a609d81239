#!/usr/bin/env perl
# Every statement of sql/queries/ is prepared and planned against the migrated schema of each
# engine, as each of its roles; the work is done by tests/unit/db_queries.c.
use strict;
use warnings;
use Test::More;
use Tidemark::Cluster;
use Tidemark::Unit qw(run_unit);

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    run_unit($cluster, 'db_queries');
});

done_testing;
