# What the isolation proof expects of the administration of sites, devices and series.
use strict;
use warnings;

my $parts = { may => '' };

+{
    function => {
        'api.site_add' => { may => 'web', call => [q{'alpha-site', NULL, NULL}, q{'alpha-new', 'x', 'UTC'}] },
        'api.site_change' => { may => 'web', call => [
            q{'bravo-site', 'stolen', 'Asia/Tokyo'}, q{'alpha-site', 'x', 'Asia/Tokyo'}] },
        'api.site_remove' => { may => 'web', call => [q{'bravo-site'}, q{'bravo-empty'}] },
        'api.device_add' => { may => 'web', call => [
            q{'alpha-new', NULL, NULL, 'bravo-site', NULL}, q{'alpha-new', 'x', NULL, 'alpha-site', '{}'}] },
        'api.device_change' => { may => 'web', call => [
            q{'bravo-meter', 'stolen', 'x', NULL, '{}', true},
            q{'alpha-meter', NULL, NULL, 'bravo-site', NULL, false}] },
        'api.device_import' => { may => 'web', call => [
            map {qq{ARRAY['alpha-meter', 'alpha-more'], ARRAY['x', 'x'], ARRAY[NULL, NULL],
                ARRAY['alpha-site', 'bravo-site'], ARRAY[NULL, NULL], ARRAY['{}', NULL], $_}} 'true', 'false'] },
        'api.config_problem' => { may => 'web', call => q{'{"metrics": {"x": 1}}'} },
        'api.series_change' => { may => 'web', call => [
            q{'bravo-meter', 7700001, 'x', 'gauge', 'none'}, q{'alpha-meter', 7700001, 'x', 'gauge', 'none'}] },
        (map { ("ops.$_->[0]" => { may => 'operator', door => 'operators run the installation', call => $_->[1] }) }
            [device_list => q{'alpha'}], [device_add => q{'alpha', 'alpha-by-operator', NULL, NULL, 'bravo-site'}],
            [device_import => q{'alpha', ARRAY['alpha-other'], ARRAY['x'], ARRAY[NULL], ARRAY['bravo-site'],
                ARRAY[NULL], ARRAY['{}'], false}]),
        (map { ("core.$_" => $parts) } qw(row_changes inventory_problem series_problem config_problem
            refuse site_by_key config_apply device_add device_change device_import)),
    },
    fill => sub {
        my ($cluster, $name, $id) = @_;
        $cluster->session('tidemark_web', tenant => $id)
            ->query("SELECT api.site_add('$name-empty', '$name', NULL)");
        return;
    },
};
