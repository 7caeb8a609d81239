# What the isolation proof expects of the relations and functions that came with the first
# schema. One such file an area; read by tests/sql/isolation.t.
use strict;
use warnings;

my $readers = 'web read';

my %read = map { ("api.$_" => $readers) } qw(tenant site device series rollup_15m rollup_1h rollup_1d
    rollup_1w rollup_1mo);

# Tables that carry no row-level security, with the reason. Nobody may read them.
my %unprotected = (
    'core.sample' => 'compression, COPY and partitions do not go with row-level security',
    'core.event' => 'the same',
    'core.event_key' => 'the same; identities only',
    'core.partition_anchor' => 'belongs to the installation',
    'core.partitioned' => 'belongs to the installation',
    'ops.migration_history' => 'belongs to the installation',
    'ops.job_run' => 'belongs to the installation',
    'ops.system_metric' => 'belongs to the installation',
);

# Functions: who may execute them, and a call that reaches for bravo's things. `door`: why it
# looks across tenants; such a call is made with alpha's things or none, and must answer for
# those alone.
my %function = (
    # of a tenant
    'api.bucket_starts' => { may => $readers, call => q{'UTC', '1d', now() - interval '3 days', now()} },
    'api.zone_offsets' => { may => "$readers ingest worker", call => q{'UTC', now() - interval '3 days', now()} },
    'api.sample_list' => { may => $readers, call => [
        q{'bravo-meter', NULL, '-infinity', 'infinity', NULL, NULL, NULL},
        q{'alpha-meter', NULL, '-infinity', 'infinity', NULL, NULL, NULL},
        q{NULL, NULL, '-infinity', 'infinity', '-infinity', 0, 1000}] },
    'api.event_list' => { may => $readers, call => [
        q{NULL, 'bravo-meter', '-infinity', 'infinity', NULL, NULL, NULL, NULL},
        q{NULL, NULL, '-infinity', 'infinity', '2000-01-01', '00000000-0000-4000-8000-000000000000', NULL, NULL, NULL, '{}', true},
        q{NULL, NULL, '-infinity', 'infinity', NULL, NULL, NULL, NULL},
        q{'bravo', NULL, '-infinity', 'infinity', NULL, NULL, '{"bravo": 2222220}', 10}] },
    'api.rollup_list' => { may => $readers, call => [
        map {qq{'$_', NULL, NULL, now() - interval '40 days', now(), NULL}} qw(15m 1h 1d 1w 1mo)] },
    'api.energy_list' => { may => $readers, call => [
        (map {qq{'$_', NULL, NULL, NULL, now() - interval '10 days', now(), NULL}} qw(1h 1d)),
        q{'1d', 'UTC', 'bravo-site', NULL, '-infinity', 'infinity', 10}, q{'15m', NULL, NULL, 'bravo-meter', '-infinity', 'infinity', 10}] },
    'api.ingest_devices' => { may => 'ingest', call => [
        q{ARRAY['bravo-meter'], false}, q{ARRAY['alpha-new'], true}] },
    'api.ingest_sites' => { may => 'ingest', call => [
        q{ARRAY['bravo-site'], false}, q{ARRAY['alpha-new'], true}] },
    'api.ingest_place' => { may => 'ingest', call => [q{ARRAY[7700001], ARRAY[7700001]}, q{ARRAY[1], ARRAY[7700001]}] },
    'api.ingest_series' => { may => 'ingest', call => [
        q{ARRAY[7700001], ARRAY['bravo_kwh'], ARRAY['{}'], false},
        q{ARRAY[7700001], ARRAY['stolen_kwh'], ARRAY['{}'], true},
        q{ARRAY[7700001], ARRAY['stolen_kwh'], ARRAY['{}'], true, ARRAY['counter']}] },
    'api.schema_version' => { may => 'web ingest worker operator read', call => q{} },
    'core.tenant' => { may => 'web ingest worker operator read', call => q{} },
    'core.local_start' => { may => $readers, call => q{'day', now(), 'UTC'} },
    # doors
    'api.token_resolve' => { may => 'web ingest', door => 'who a secret belongs to', call => q{'alpha'} },
    'api.token_touch' => { may => 'web ingest', door => 'one process, all tenants', call => q{'{}', '{}'} },
    'api.login_check' => { may => 'web', door => 'before the tenant is known', call => q{'alpha@x.org', '::1'} },
    'api.login_failed' => { may => 'web', door => 'the same', call => q{'nobody@x.org', '::1'} },
    'api.login_passed' => { may => 'web', door => 'the same', call => q{'alpha@x.org', '::1', 1, random()::text::bytea, 1} },
    'api.session_resolve' => { may => 'web', door => 'who a secret belongs to', call => q{'alpha'} },
    'api.session_end' => { may => 'web', door => 'the same', call => q{'none'} },
    'api.session_switch' => { may => 'web', door => 'a person of several tenants', call => q{'alpha', 'bravo'} },
    'api.ingest_samples' => { may => 'ingest', door => 'group commit: a batch of all tenants', call => [
        q{ARRAY[1], ARRAY[7700001], ARRAY[now()], ARRAY[1.0], ARRAY[true]},
        q{ARRAY[2], ARRAY[1], ARRAY[now()], ARRAY[1.0], ARRAY[true]}] },
    'api.ingest_events' => { may => 'ingest', door => 'the same', call => [
        map {qq{ARRAY[$_], ARRAY[0], ARRAY[now()], ARRAY['x'], ARRAY[-1], ARRAY[NULL], ARRAY[gen_random_uuid()::text], ARRAY['{}']}}
            '1], ARRAY[7700001', '2], ARRAY[1'] },
    'api.change_log' => { may => 'ingest', door => 'the same', call => [
        q{ARRAY[1], ARRAY[7700001], ARRAY[now()], ARRAY[now()]}, q{ARRAY[2], ARRAY[1], ARRAY[now()], ARRAY[now()]}] },
    'api.series_last_flush' => { may => 'ingest', door => 'the same', call => [
        q{ARRAY[1], ARRAY[7700001], ARRAY[now()], ARRAY[1.0]}, q{ARRAY[2], ARRAY[1], ARRAY[now()], ARRAY[1.0]}] },
    'api.device_seen_flush' => { may => 'ingest', door => 'the same', call => q{'{}', '{}'} },
    'api.partitions_ensure' => { may => 'ingest worker operator', call => q{now(), now()} },
    # operators run the installation: they see every tenant, by name
    (map { ("ops.$_->[0]" => { may => 'operator', door => 'operators run the installation', call => $_->[1] }) }
        [tenant_add => q{'alpha', 'x', 'UTC', 'USD'}], [tenant_list => undef],
        [tenant_remove => q{'nobody'}], [person_add => q{'new@x.org', 'New', 'hash', ''}],
        [membership_add => q{'new@x.org', 'alpha', 'viewer'}], [person_set_password => q{'nobody@x.org', 'x'}],
        [person_list => q{'alpha'}], [site_put => q{'alpha', 'alpha-site', NULL, NULL}],
        [device_put => q{'alpha', 'alpha-meter', NULL, NULL, 'bravo-site', NULL}],
        [token_add => q{'alpha', 'api', NULL, 'x', random()::text::bytea, 'p', NULL, false}],
        [token_revoke => q{'alpha', '7700001'}], [token_list => q{'alpha'}],
        [tenant_login_bind => q{'nobody', 'alpha'}]),
    # the worker keeps the installation up; none of these answers with a tenant's rows
    (map { ("ops.$_->[0]" => { may => 'worker', door => 'upkeep', call => $_->[1] }) }
        [job_begin => q{'isolation'}], [job_recent => q{}], [job_end => q{0, true, ''}], [partitions_ahead => q{}],
        [series_last_repair => q{}], [session_prune => q{}],
        [residue_erase => q{}], [orphan_check => q{}], [system_metric_add => q{ARRAY['x'], ARRAY[1.0]}]),
    # parts of the above, for the functions' owners alone
    (map { ("core.$_" => { may => '' }) } qw(protect event_walk_all event_walk_typed event_walk_device
        event_climb_all event_climb_typed event_climb_device
        partition_bounds partition_name partition_make
        partitions_drop event_key_slot event_key_claim email_norm login_wait_s series_last_time
        series_check series_guess series_role tenant_by_slug timezone_check timezone_is_place audit_add zone_offset_s
        clock_starts energy_series change_note)),
);

+{ read => \%read, unprotected => \%unprotected, function => \%function };
