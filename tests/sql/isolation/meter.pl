# What the isolation proof expects of meters' timelines; ids from 7700001 on are bravo's.
use strict;
use warnings;

my $gap = q{'gap', now() - interval '2 days', now() - interval '1 day', NULL, NULL, NULL, NULL, NULL};

my %function = (
    'api.meter_entry_problems' => { may => 'web', call => ["'bravo-meter', NULL, NULL, $gap", "'alpha-meter', 'bravo_kwh', NULL, $gap"] },
    'api.meter_entry_add' => { may => 'web', call => ["'bravo-meter', NULL, NULL, $gap, 'alpha'", "'alpha-meter', 'bravo_kwh', NULL, $gap, 'alpha'"] },
    'api.meter_entry_withdraw' => { may => 'web', call => [q{'bravo-meter', 7700001}, q{'alpha-meter', 7700001}] },
    # parts of these and of what derives energy
    (map { ("core.$_" => { may => '' }) } qw(meter_maker_forget meter_entries meter_holds meter_counts meter_noted meter_last meter_first
        meter_points meter_points_before energy_metered energy_stop is_metered meter_series_of meter_since meter_choose meter_rival meter_text meter_contradiction meter_highest
        meter_problems meter_hold meter_follow meter_draft meter_told_as)),
);

+{
    read => { 'api.meter_entry' => 'web read' },
    function => \%function,
    fill => sub {
        my ($cluster, $name, $id, $value) = @_;
        my $web = $cluster->session('tidemark_web', tenant => $id);
        $web->query("SELECT api.meter_entry_add('$name-meter', '${name}_kwh_total', NULL, 'swap', now() - interval '1 hour', NULL, $value + 2, 1, NULL, NULL, NULL,"
                . " '$name'), api.meter_entry_add('$name-meter', NULL, NULL, 'factor', now() - interval '3 hours', NULL, NULL, NULL, NULL, 1.5, NULL, '$name')");
        return;
    },
};
