# What the isolation proof expects of last times, which devices may ask for.
use strict;
use warnings;

+{
    function => {
        'api.ingest_last_times' => { may => 'ingest', call => [
            q{ARRAY['bravo-meter', 'alpha-meter'], ARRAY['energy_kwh', 'energy_kwh'], ARRAY['{}', '{}']}] },
    },
};
