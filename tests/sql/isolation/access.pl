# What the isolation proof expects of access: tokens, members, invitations, links, settings,
# plugins, the audit trail, and a person's own account.
use strict;
use warnings;

my %read = map { ("api.$_" => 'web') } qw(token invite plugin settings);

my %function = (
    # of a tenant; ids from 7700001 on are bravo's
    'api.token_add' => { may => 'web', call => [
        q{'device', 'bravo-meter', 'x', random()::text::bytea, 'p', NULL, false},
        q{'api', NULL, 'x', random()::text::bytea, 'p', NULL, false}] },
    'api.token_change' => { may => 'web', call => q{7700001, 'stolen', NULL, true} },
    'api.token_rotate' => { may => 'web', call => q{7700001, random()::text::bytea, 'p', 1} },
    'api.token_revoke' => { may => 'web', call => q{7700001} },
    'api.invite_withdraw' => { may => 'web', call => q{7700001} },
    'api.settings_change' => { may => 'web', call => q{'alpha', 'UTC', 'EUR', true, NULL, NULL, NULL, NULL} },
    'api.plugin_put' => { may => 'web', call => q{'alpha-new', 'adapter', true, '{}'} },
    'api.plugin_remove' => { may => 'web', call => q{'bravo'} },
    'api.audit_list' => { may => 'web', call => [
        q{NULL, NULL, '-infinity', 'infinity', NULL, NULL, NULL},
        q{'site.put', 'tidemark_operator', '-infinity', 'infinity', 'infinity', 9000000, 10}] },
    # doors: persons belong to several tenants; each looks from the transaction's tenant, or from
    # the secret of a session or link
    (map { ("api.$_->[0]" => { may => 'web', door => 'persons belong to several tenants', call => $_->[1] }) }
        [member_list => [q{NULL, NULL, NULL}, q{7700001, NULL, NULL}]],
        [member_change => q{7700001, 'viewer'}], [member_remove => q{7700001}],
        [invite_check => q{'bravo@x.org'}], [invite_add => q{'alpha-other@x.org', 'viewer', random()::text::bytea, 7}],
        [invite_resolve => q{'alpha-invite'}],
        [invite_accept => [q{'alpha-invite', 7700001, '', ''}, q{'none', NULL, 'x', 'x'}]],
        [reset_add => q{7700001, random()::text::bytea}], [reset_resolve => q{'alpha-reset'}],
        [reset_use => q{'none', 'x'}], [own_sessions => q{'alpha'}], [own_name_set => q{'none', 'x'}],
        [own_sessions_end => q{'none'}], [own_password_set => q{'none', 'x'}]),
    # parts of the above
    (map { ("core.$_" => { may => '' }) } qw(actor email_is_good email_check member_lock has_other_admin admin_check account_is_own
        session_person token_lock)),
);

# An invitation and a link of the tenant's own person.
my $fill = sub {
    my ($cluster, $name, $tenant_id) = @_;
    my $web = $cluster->session('tidemark_web', tenant => $tenant_id);
    $web->query("SELECT api.invite_add('$name-new\@x.org', 'viewer', '$name-invite', 7),"
            . " api.reset_add((SELECT id FROM api.member_list(NULL, NULL, NULL)), '$name-reset')");
    return;
};

+{ read => \%read, function => \%function, fill => $fill };
