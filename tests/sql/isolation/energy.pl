# What the isolation proof expects of kept energy.
use strict;
use warnings;

my %unprotected = (
    'core.energy_15m' => 'compression and partitions do not go with row-level security',
    'core.energy_1d' => 'the same',
);

my %function = (
    'api.energy_sources' => { may => 'web read', call => q{} },
    'api.energy_closed' => { may => 'web read', call => [q{now() - interval '1 day', now() - interval '40 days'}] },
    'api.energy_days' => { may => 'web read', call => q{ARRAY[1, 2, 3, 4], '-infinity', 'infinity'} },
    'api.energy_lives' => { may => 'web read worker', call => q{ARRAY[1, 2, 3, 4]} },
    'api.energy_open' => { may => 'web read', call => q{} },
    'core.derived_cost' => { may => '' },
    # parts of these and of what closes and follows rollups
    (map { ("core.$_" => { may => '' }) } qw(energy_scale energy_family energy_rank energy_part_rank energy_has_gaps cost_silence energy_bound energy_until energy_longest
        quarter counter_is_odd counter_fastest counter_pace counter_left_out counter_late counter_rises counter_before counter_back
        counter_ahead counter_reach energy_parts energy_open energy_edges energy_slots energy_next energy_used series_zone energy_floor
        energy_days local_days energy_derive energy_split samples_since rollup_open_15m rollup_open_1h event_newest_all event_newest_device energy_quarters_since energy_head energy_remove energy_add energy_since energy_reach energy_leave)),
);

# Both tenants have rows here: what fills the rollups fills these too.
+{ unprotected => \%unprotected, function => \%function };
