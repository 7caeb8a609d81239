# What the isolation proof expects of the archive: the worker is at one tenant's day at a time, and
# what it calls there is bound to that tenant.
use strict;
use warnings;

my $day = q{'samples', '2026-11-20'};
my $seen = q{pg_current_snapshot()::text};
my $none = q{'{}', '{}', '{}', '{}', '{}', '{}'};

my %unprotected = (
    'core.archive_setting' => 'belongs to the installation',
    'core.archive_garbage' => 'keys of objects whose tenant is gone, or that were begun',
);

my %function = (
    # of a tenant; ids from 7700001 on are bravo's
    'ops.archive_next' => { may => 'worker', call => [q{'samples', 31, NULL}] },
    'ops.archive_begin' => { may => 'worker', call => [qq{$day, '2026-11-20', true, '{}'}] },
    'ops.archive_series' => { may => 'worker', call => [q{ARRAY[7700001]}, q{ARRAY(SELECT generate_series(1, 1000))}] },
    'ops.archive_tombstones' => { may => 'worker', call => [qq{$day, $seen}] },
    'ops.archive_mark' => { may => 'worker', call => [qq{'samples', '2020-01-01', '2020-01-01', false, 2, $seen, $none}] },
    'ops.archive_verify_done' => { may => 'worker', call => [q{7700001, 'sound'}, q{7700001, 'damaged'}, q{(SELECT max(id) FROM core.archive), 'missing'}] },
    'ops.archive_restore_begin' => { may => 'worker', call => [$day] },
    'ops.archive_restore_files' => { may => 'worker', call => [q{'samples', '2020-01-01'}] },
    'ops.archive_restore_lost' => { may => 'worker', call => [q{'samples', '2020-01-01', 1, now(), '{}', '{}', '{}', '{}', '{}'}] },
    'ops.archive_restore_series' => { may => 'worker', call => [
        q{ARRAY['alpha-meter'], ARRAY['alpha_kwh'], ARRAY['kWh'], ARRAY[NULL], ARRAY['{}']}] },
    'ops.archive_restore_samples' => { may => 'worker', call => [
        q{current_date::text, ARRAY[7700001], ARRAY[now()], ARRAY[1.0]}] },
    'ops.archive_restore_void' => { may => 'worker', call => [
        q{current_date::text, ARRAY['bravo-meter'], ARRAY['bravo_kwh'], ARRAY['{}'], ARRAY[timestamptz '-infinity'], ARRAY[timestamptz 'infinity']}] },
    'ops.archive_fetch_events' => { may => 'worker', call => q{} },
    'ops.archive_restore_events' => { may => 'worker', call => [
        q{current_date::text, ARRAY[now()], ARRAY['alpha'], ARRAY['alpha-meter'], ARRAY[NULL], ARRAY[NULL], ARRAY['alpha-site'], ARRAY['{}'],}
            . q{ ARRAY['22222222-2222-4222-8222-222222222222'], ARRAY[now()]}] },
    'ops.archive_restore_void_events' => { may => 'worker', call => [
        q{current_date::text, ARRAY['bravo-meter'], ARRAY[timestamptz '-infinity'], ARRAY[timestamptz 'infinity']}] },
    'ops.archive_restore_end' => { may => 'worker', call => [qq{$day, 1}] },
    'ops.archive_lose' => { may => 'worker', call => [q{(SELECT max(id) FROM core.archive)}, q{1}, q{2}] },
    'ops.archive_lost_files' => { may => 'worker', call => [q{1}, q{2}, q{3}, q{4}] },
    'ops.archive_lost_done' => { may => 'worker', call => [q{1}, q{2}, q{3}, q{4}] },
    'api.archive_list' => { may => 'web', call => [q{0, 0, NULL, NULL, NULL, 100},
        q{0, 0, 'samples', '2020-01-01', '2020-01-02', 100}, q{(SELECT count(*) FROM generate_series(1, 2)), 0, NULL, NULL, NULL, 100}] },
    'api.archive_total' => { may => 'web', call => q{} },
    'api.archive_is_on' => { may => 'web', door => 'whether the installation archives', call => q{} },
    'api.has_dropped' => { may => 'web', call => [q{true}, q{false}] },
    'api.archive_until' => { may => 'web', call => q{'samples'} },
    'api.archive_files' => { may => 'web', call => [q{'samples', '-infinity', 'infinity', 100, false}, q{'samples', '2020-01-01', '2020-01-02', 1, true}] },
    'api.archive_buckets' => { may => 'web', call => [q{'1h', false}, q{'1mo', true}] },
    'api.archive_erased' => { may => 'web', call => [q{'samples', '2000-01-01', '2030-01-01'}] },
    'api.archive_restore' => { may => 'web', call => [q{1}, q{2}] },
    'api.archive_away' => { may => 'web', call => [q{NULL, NULL, NULL}, q{'samples', '2020-01-01', '2020-01-02'}] },
    'api.archive_restore_days' => { may => 'web', call => [q{NULL, NULL, NULL}, q{'samples', '2020-01-01', '2020-01-02'}] },
    'api.archive_verify' => { may => 'web', call => [q{1}, q{2}, q{7700001}] },
    'ops.archive_wish_done' => { may => 'worker', call => [q{'samples', '2020-01-01', NULL, true}, q{'samples', '2020-01-01', 'stolen', true}] },
    # upkeep: none answers with a tenant's rows
    (map { ("ops.$_->[0]" => { may => 'worker', door => 'upkeep', call => $_->[1] }) }
        [archive_configure => q{false, 72}], [archive_tenants => q{'samples', NULL, 10}], [archive_garbage_list => q{}],
        [archive_garbage_done => q{'{}'}], [archive_list => q{'alpha', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 10}], [archive_intend => q{'{}'}], [archive_wish_next => q{}], [archive_verify_next => q{}], [archive_lost_next => q{9999999}], [job_past => q{'x'}]),
    # parts of the above
    (map { ("core.$_" => { may => '' }) } qw(archive_note_change archive_note_erasure archive_note_garbage archive_lock
        archive_allows archive_let_go archive_is_pinned archive_horizon archive_stop archive_first_day archive_is_changed
        archive_name archive_note_events archive_note_device archive_first_samples archive_first_events archive_open archive_open_samples
        archive_open_events archive_restore_places archive_count raw_shown_from shown_from archive_note_deletion
        archive_is_derived archive_waits archive_note_costs archive_accounts archive_first_costs archive_open_costs
        archive_take_costs)),
);

# A file of each tenant, and what is noted beside it.
my $fill = sub {
    my ($cluster, $name, $tenant_id, $value) = @_;
    $cluster->session('tidemark_super')->query(<<"SQL");
INSERT INTO core.archive_cursor VALUES ($tenant_id, 'samples', '2020-01-02');
INSERT INTO core.archive_cost_note (tenant_id, days) VALUES ($tenant_id, '{[2020-01-01,2020-01-02)}');
INSERT INTO core.archive_day VALUES ($tenant_id, 'samples', '2020-01-01', false, NULL);
INSERT INTO core.archive_wish (tenant_id, relation, day, problem) VALUES ($tenant_id, 'samples', '2020-01-01', '$name');
INSERT INTO core.archive (tenant_id, relation, day, n, kind, object, n_rows, n_bytes, sha256)
VALUES ($tenant_id, 'samples', '2020-01-01', 1, 'rows', '$name', $value, $value, '$name');
INSERT INTO core.archive_check (tenant_id, file_id, found, found_at)
SELECT $tenant_id, a.id, 'damaged', now() FROM core.archive a WHERE a.tenant_id = $tenant_id;
INSERT INTO core.archive_lost (tenant_id, relation, day, n) VALUES ($tenant_id, 'samples', '2020-01-01', 1);
INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels, from_time, to_time, is_erasure)
VALUES ($tenant_id, 'samples', '2020-01-01', 1, '$name', '$name', '{}', '2020-01-01', '2020-01-01', false);
SQL
    return;
};

+{ unprotected => \%unprotected, function => \%function, fill => $fill };
