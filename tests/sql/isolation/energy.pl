# What the isolation proof expects of kept energy.
use strict;
use warnings;

my %unprotected = (
    'core.energy_15m' => 'compression and partitions do not go with row-level security',
    'core.energy_1d' => 'the same',
);

my %function = (
    'api.energy_overview' => { may => 'web read', call => [
        q{ARRAY['bravo-meter'], now() - interval '1 day', now() - interval '40 days', now() - interval '1 day', now()},
        q{NULL, now() - interval '1 day', now() - interval '40 days', now() - interval '1 day', now()}] },
    # parts of these and of what closes and follows rollups
    (map { ("core.$_" => { may => '' }) } qw(energy_scale energy_bound energy_until energy_longest
        quarter energy_parts energy_open energy_chosen energy_slots energy_buckets series_zone energy_floor
        energy_days energy_derive energy_add)),
);

# Rows of its own: alpha's and bravo's tell them apart by their amount.
sub fill {
    my ($cluster, $name, $tenant_id, $value) = @_;
    my $super = $cluster->session('tidemark_super');
    $super->query("SELECT core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',"
            . " now() - interval '3 days', now())");
    $super->query("INSERT INTO core.energy_$_ SELECT $tenant_id, s.id, date_trunc('day', now()) - interval '1 day',"
            . " $value * 1000000000::bigint FROM core.series s WHERE s.tenant_id = $tenant_id AND s.kind = 'delta'"
            . ' ON CONFLICT DO NOTHING') for qw(15m 1d);
    return;
}

+{ unprotected => \%unprotected, function => \%function, fill => \&fill };
