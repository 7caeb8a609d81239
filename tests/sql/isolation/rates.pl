# What the isolation proof expects of rate schedules; ids from 7700001 on are bravo's.
use strict;
use warnings;

my $readers = 'web read';

my %function = (
    'api.rate_applied' => { may => "$readers worker", call => [
        q{'bravo-site', NULL, '2020-01-01', '2030-01-01', 'infinity'},
        q{NULL, 'bravo-meter', '2020-01-01', '2030-01-01', 'infinity'},
        q{NULL, NULL, '2020-01-01', '2030-01-01', 'infinity'}] },
    'api.rate_prices' => { may => $readers, call => q{7700001, 'spot', '-infinity', 'infinity', 'infinity', 10} },
    'api.rate_version_add' => { may => 'web', call => [
        q{7700001, 'stolen', 'UTC', 'EUR', '2020-01-01', NULL, 'json', '{}'},
        q{0, 'alpha', 'UTC', 'EUR', '2020-01-01', NULL, 'json', '{}'}] },
    'api.rate_hold' => { may => 'web', call => q{7700001} },
    'api.rate_remove' => { may => 'web', call => q{7700001} },
    'api.rate_assign' => { may => 'web', call => [
        q{7700001, NULL, NULL, NULL, NULL}, q{1, 'bravo-site', NULL, NULL, NULL}, q{1, NULL, 'bravo-meter', NULL, NULL}] },
    'api.rate_unassign' => { may => 'web', call => [q{7700001, 7700001}, q{1, 7700001}] },
    'api.rate_prices_add' => { may => 'web', call => [
        q{7700001, 'spot', ARRAY[now()], ARRAY[now() + interval '1 hour'], ARRAY[1::bigint]}] },
    (map { ("core.$_" => { may => '' }) } qw(rate_applied rate_prices rate_lock rate_devices_hold rate_maker_forget)),
);

+{
    read => { (map { ("api.$_" => $readers) } qw(rate_schedule rate_assignment)), 'api.rate_version' => "$readers worker" },
    function => \%function,
    fill => sub {
        my ($cluster, $name, $id, $value) = @_;
        my $web = $cluster->session('tidemark_web', tenant => $id);
        my $made = $web->value("SELECT api.rate_version_add(0, '$name', 'UTC', 'EUR', '2020-01-01', NULL, 'json', '{\"$name\": 1}')");
        $web->query("SELECT api.rate_assign($made, '$name-site', NULL, NULL, NULL), api.rate_assign($made, NULL, '$name-meter', NULL, NULL),"
                . " api.rate_assign($made, NULL, NULL, NULL, NULL),"
                . " api.rate_prices_add($made, 'spot', ARRAY[now()], ARRAY[now() + interval '1 hour'], ARRAY[$value])");
        return;
    },
};
