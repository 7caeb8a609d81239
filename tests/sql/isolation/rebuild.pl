# What the isolation proof expects of catalogues, and of a database that is made of them.
use strict;
use warnings;

my %unprotected = ('core.archive_rebuild' => 'belongs to the installation');

my %function = (
    'ops.catalogue_make' => { may => 'worker', call => q{} },
    'ops.catalogue_fetch' => { may => 'worker', call => q{true} },
    'ops.catalogue_note' => { may => 'worker', call => [q{'archive/catalogue/tenant=bravo/x.ndjson', ''}] },
    'ops.catalogue_lose' => { may => 'worker', call => [q{'alpha'}, q{'bravo'}] },
    # of an installation that has nothing yet
    (map { ("ops.$_->[0]" => { may => 'worker', door => 'upkeep', call => $_->[1] }) }
        [catalogue_tenants => q{NULL, 10}], [catalogue_newest => q{'alpha', NULL, 10}], [rebuild_begin => q{true}], [rebuild_tenant => q{'{}', 'x', NULL}], [rebuild_tenant_end => q{1, false, '{}'}],
        [rebuild_late => q{'bravo', 'samples', '2026-01-01', 1, now(), '{}', '{}', '{}', '{}', '{}', 'x'}], [rebuild_knows => q{'x'}], [rebuild_days => q{NULL, NULL, NULL, 10}], [rebuild_end => q{}]),
    # parts of the above
    (map { ("core.$_" => { may => '' }) } qw(catalogue_parts catalogue_time catalogue_texts catalogue_metrics
        catalogue_mapping catalogue_line catalogue_lines archiving_lock columnstore_read rebuild_hold rebuild_guard rebuild_fill rebuild_count_on)),
);

my $fill = sub {
    my ($cluster, $name, $tenant_id) = @_;
    $cluster->session('tidemark_super')->query("INSERT INTO core.archive_catalogue (tenant_id, object) VALUES ($tenant_id, '$name')");
    return;
};

+{ unprotected => \%unprotected, function => \%function, fill => $fill };
