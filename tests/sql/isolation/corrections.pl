# What the isolation proof expects of corrections and erasure.
use strict;
use warnings;

my %function = (
    'api.sample_put_problems' => { may => 'web', call => [
        q{'bravo-meter', ARRAY['bravo_kwh'], ARRAY[NULL], ARRAY[now()], ARRAY[1.0]},
        q{'alpha-meter', ARRAY['bravo_kwh'], ARRAY[NULL], ARRAY[now()], ARRAY[1.0]}] },
    'api.sample_put' => { may => 'web', call => [
        q{'bravo-meter', ARRAY['bravo_kwh'], ARRAY[NULL], ARRAY[now()], ARRAY[1.0]},
        q{'alpha-meter', ARRAY['bravo_kwh'], ARRAY[NULL], ARRAY[now()], ARRAY[1.0]}] },
    'api.sample_delete_check' => { may => 'web', call => [
        q{'bravo-meter', NULL, '-infinity', 'infinity'}, q{'alpha-meter', 'bravo_kwh', '-infinity', 'infinity'}] },
    'api.sample_delete' => { may => 'web', call => [
        q{'bravo-meter', NULL, '-infinity', 'infinity'}, q{'alpha-meter', 'bravo_kwh', '-infinity', 'infinity'}] },
    'api.device_erase' => { may => 'web', call => q{'bravo-meter'} },
    'ops.person_erase' => { may => 'operator', door => 'operators run the installation', call => q{'nobody@x.org'} },
    # parts of these, for the functions' owners alone
    (map { ("core.$_" => { may => '' }) } qw(correctable_from next_start instant_text device_hold floor_hold
        correction_judge series_last_set device_tables rows_erase device_erase residue_of_erased erased_check writers_hold person_erase)),
);

# Rows of its own in core.erased.
sub fill {
    my ($cluster, $name, $tenant_id, $value) = @_;
    $cluster->session('tidemark_super')
        ->query("INSERT INTO core.erased (tenant_id, kind, id) VALUES ($tenant_id, 'series', $value)");
    return;
}

+{ function => \%function, fill => \&fill };
