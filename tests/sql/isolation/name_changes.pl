# What the isolation proof expects of the changes of names that ingest is told.
use strict;
use warnings;

+{
    function => {
        # bravo's changes have happened before anybody asks
        'api.name_changes' => { may => 'ingest', door => 'one process, all tenants', call => [q{NULL, 10}] },
        (map { ("core.$_" => { may => '' }) } qw(name_changed name_change_prune token_changed token_device_changed token_tenant_changed)),
    },
    fill => sub {
        my ($cluster, $name, $id) = @_;
        $cluster->session('tidemark_super')->query("INSERT INTO core.name_change (tenant_id, is_site, key) VALUES ($id, false, '$name-meter')");
        return;
    },
};
