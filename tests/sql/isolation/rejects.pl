# What the isolation proof expects of what ingest rejected, its replays, and the hourly accounts.
use strict;
use warnings;

my $batch = 'group commit: a batch of all tenants';
my $all = q{'-infinity', 'infinity', NULL, NULL, NULL};
my $stolen = sub {
    my ($owner) = @_;
    return qq{ARRAY[$owner], ARRAY[now()], ARRAY['r'], ARRAY[0::bigint], ARRAY[7700001], ARRAY[4], ARRAY['x'], ARRAY['event'],}
        . q{ ARRAY[0], ARRAY['x'], ARRAY['x'], ARRAY['POST'], ARRAY['/'], ARRAY[''], ARRAY['x'::bytea], ARRAY[1]};
};

my %function = (
    # of a tenant; ids from 7700001 on are bravo's
    'api.reject_list' => { may => 'web', call => [
        qq{NULL, NULL, $all, NULL, 8192, NULL}, qq{7700001, NULL, $all, NULL, 8192, 10},
        q{NULL, 9000000, '-infinity', 'infinity', 'bravo-meter', 'bravo', 'event', 'kept', 8192, 1000}] },
    'api.reject_replay' => { may => 'web', call => [qq{NULL, $all}, qq{7700001, $all},
        q{NULL, '-infinity', 'infinity', 'bravo-meter', 'bravo', 'event'}] },
    'api.reject_delete' => { may => 'web', call => [qq{NULL, $all, 'replayed'}, qq{7700001, $all, NULL},
        q{NULL, '-infinity', 'infinity', 'bravo-meter', 'bravo', 'event', NULL}] },
    # doors
    'api.ingest_write_begin' => { may => 'ingest', call => q{gen_random_uuid()::text, 1} },
    'api.ingest_hours_add' => { may => 'ingest', door => $batch, call => [
        q{'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'},
        q{ARRAY[1], ARRAY[now()], ARRAY[1], ARRAY[1], ARRAY[0], ARRAY[0], ARRAY[0], ARRAY[0], ARRAY[0], ARRAY[0]}] },
    'api.reject_add' => { may => 'ingest', door => $batch, call => [$stolen->(1), $stolen->(0)] },
    'api.reject_claim' => { may => 'ingest', door => 'replays of all tenants', call => q{0} },
    'api.reject_settle' => { may => 'ingest', door => 'the same', call => [
        q{'{}', '{}', '{}', '{}', '{}'}, q{ARRAY[1], ARRAY[7700001::bigint], ARRAY['rejected'], ARRAY['x'], ARRAY['stolen']}] },
    'ops.reject_prune' => { may => 'worker', door => 'upkeep', call => q{} },
    # parts of the above
    (map { ("core.$_" => { may => '' }) } qw(reject_pick reject_count reject_of_devices)),
);

# A rejected item of each tenant, and its account.
my $fill = sub {
    my ($cluster, $name, $tenant_id, $value) = @_;
    my $ingest = $cluster->session('tidemark_ingest');
    $ingest->query("SELECT api.reject_add(ARRAY[$tenant_id], ARRAY[now()], ARRAY['$name'], ARRAY[1::bigint], ARRAY[0],"
            . " ARRAY[6], ARRAY['$name-meter'], ARRAY['event'], ARRAY[0], ARRAY['$name'], ARRAY['$name'], ARRAY['POST'],"
            . " ARRAY['/v1/event'], ARRAY['$name'], ARRAY['$name'::bytea], ARRAY[5])");
    $ingest->query("SELECT api.ingest_hours_add(ARRAY[$tenant_id], ARRAY[now()], ARRAY[$value], ARRAY[$value], ARRAY[0],"
            . ' ARRAY[0], ARRAY[0], ARRAY[0], ARRAY[0], ARRAY[0])');
    return;
};

+{
    read => { 'api.ingest_hour' => 'web read' },
    unprotected => { 'ops.ingest_writer' => 'belongs to the installation' },
    function => \%function,
    fill => $fill,
};
