# What the isolation proof expects of limits and of the configuration of formats.
use strict;
use warnings;

+{
    read => { 'api.limits' => 'web' },
    function => {
        'api.ingest_adapters' => { may => 'ingest', call => q{} },
        'api.ingest_day_add' => { may => 'ingest', door => 'one process, all tenants', call => q{'{}', '{}'} },
        'ops.tenant_limits' => { may => 'operator', door => 'operators run the installation', call => undef },
        'ops.tenant_limit' => { may => 'operator', door => 'operators run the installation',
            call => q{'alpha', '{"max_series": 100}'} },
        'core.adapters_changed' => { may => '' },
    },
    fill => sub {
        my ($cluster, $name, $id, $value) = @_;
        $cluster->session('tidemark_ingest')->query("SELECT api.ingest_day_add(ARRAY[$id], ARRAY[$value])");
        $cluster->session('tidemark_operator')->query("SELECT ops.tenant_limit('$name', '{\"rows_per_day\": $value}')");
        return;
    },
};
