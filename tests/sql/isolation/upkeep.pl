# What the isolation proof expects of upkeep: retention, columnstore, aggregates, what operators
# look at, maintenance mode.
use strict;
use warnings;

my %read = map { ("api.event_count_$_" => 'web read') } qw(1h 1d);

my %unprotected = (
    (map { ($_ => 'belongs to the installation') } qw(core.retention core.kept core.aggregate ops.job ops.analysed
        ops.maintenance ops.restore_trial)),
);

my $chunk = q{now() - interval '7 days', now()};
my %function = (
    'api.maintenance' => { may => 'web ingest worker operator', call => q{} },
    'ops.maintenance_set' => { may => 'operator', door => 'of the installation', call => q{false} },
    'api.restore_trial_last' => { may => 'web worker', door => 'of the installation', call => q{} },
    # the worker's steps: none answers with a tenant's rows
    (map { ("ops.$_->[0]" => { may => 'worker', door => 'upkeep', call => $_->[1] }) }
        [retention_set => q{9000, 9000, 9000, 9000}], [retention_plan => q{}],
        [retention_step => qq{'core.sample', $chunk, 2}], [retention_tidy => q{}],
        [job_schedule_set => q{ARRAY['x'], ARRAY[60]}], [columnstore_next => q{'{}'}], [columnstore_move => q{'{}'}], [chunk_width_adjust => q{}],
        [aggregate_list => q{}], [aggregate_policies => q{}], [analyse_next => q{'{}'}], [rows_stored => q{}],
        [restore_trial_begin => q{}], [restore_trial_newest => q{}],
        [restore_trial_end => q{0, false, NULL, NULL, 0, ''}]),
    'ops.columnstore_hold' => { may => '' },    # the backup's
    # operators count what tenants have, by name
    (map { ("ops.$_->[0]" => { may => 'operator worker', door => 'operators run the installation', call => $_->[1] }) }
        [storage => q{}], [chunk_list => q{NULL}], [job_health => q{}], [job_stat_list => q{'1d', '-infinity'}],
        [slow_queries => q{10}], [system_metric_list => q{'1h', NULL, '-infinity'}],
        [ingest_rate => q{'-infinity', '1 hour'}], [tenant_usage => undef]),
    # parts of the above
    (map { ("core.$_" => { may => '' }) } qw(tenant_horizons horizon_last series_reporting chunk_list chunk_has_rows chunk_is_closed chunk_open chunk_lock
        chunk_drop chunk_size chunk_purge relation_size aggregate_store aggregate_horizons statement_shape bytes_a_row)),
    'ops.aggregate_refresh' => { may => '' },
);

+{ read => \%read, unprotected => \%unprotected, function => \%function };
