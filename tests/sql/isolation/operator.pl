# What the isolation proof expects of operators' changes to tenants and of shared pages.
use strict;
use warnings;

+{
    read => { 'api.share' => 'web' },
    function => {
        'ops.tenant_patch' => { may => 'operator', door => 'operators run the installation',
            call => q{'alpha', NULL, NULL, NULL, NULL} },
        'api.share_add' => { may => 'web', call => [
            q{'x', NULL, random()::text::bytea, 7}, q{'x', 'bravo-meter', random()::text::bytea, 7}] },
        'api.share_revoke' => { may => 'web', call => q{7700001} },
        'api.share_resolve' => { may => 'web', door => 'who a secret belongs to', call => q{'alpha'} },
    },
    fill => sub {
        my ($cluster, $name, $id) = @_;
        $cluster->session('tidemark_web', tenant => $id)
            ->query("SELECT api.share_add('$name', '$name-meter', '$name', 30)");
        return;
    },
};
