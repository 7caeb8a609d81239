# What the isolation proof expects of what costs are worked out from.
use strict;
use warnings;

my %function = (
    'api.energy_meters' => { may => 'web read', call => [ 'NULL, NULL, now()', q{'bravo-site', NULL, now()}, q{NULL, 'bravo-meter', now()} ] },
    'api.energy_quarters' => { may => 'web read',
        call => q{ARRAY(SELECT generate_series(1, 1000)), now() - interval '2 days', now()} },
);

+{ function => \%function };
