#!/usr/bin/env perl
# Sites, devices and series in the database: what admins' and operators' functions refuse, what
# series follow, and lists of devices, also long ones.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(time);
use Tidemark::Cluster;

# A device with three series: by configuration, by name, and one metric twice with labels.
sub populate {
    my ($cluster, $web) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'Europe/Berlin', 'EUR')");
    $web->query("SELECT api.site_add('roof', NULL, NULL), api.device_add('m', NULL, NULL, 'roof',"
            . " '{\"metrics\": {\"x\": {\"unit\": \"kWh\", \"kind\": \"counter\", \"role\": \"grid_import\"}}}')");
    $cluster->session('tidemark_ingest', tenant => 1)->query("SELECT api.ingest_series(array_fill(d.device_id, ARRAY[4]),"
            . " ARRAY['x', 'power_w', 'flow_w', 'flow_w'], ARRAY['{}', '{}', '{\"way\": \"in\"}', '{\"way\": \"out\"}'], true)"
            . " FROM api.ingest_devices(ARRAY['m'], false) d");
    return;
}

my $SERIES = q{SELECT string_agg(concat_ws(' ', metric, labels ->> 'way', unit, kind, role), '; ' ORDER BY id) FROM api.series};

sub check_sites {
    my ($web) = @_;
    is $web->text("SELECT key, name, timezone, devices FROM api.site"), 'roof roof Europe/Berlin 1', 'a site is the tenant\'s zone\'s, with its devices';
    is $web->error("SELECT api.site_add('roof', 'x', 'UTC')"), 'TM409', 'a key is taken once';
    is $web->error("SELECT api.site_add('x', 'x', 'UTC+3')"), 'TM422', 'a POSIX rule is no zone';
    is $web->error("SELECT api.site_add('', 'x', 'UTC')"), 'TM422', 'a key is something';
    is $web->error("SELECT api.site_add(E'a\\nb', 'x', 'UTC')"), 'TM422', 'on one line';
    is $web->error("SELECT api.site_change('none', 'x', NULL)"), 'TM404', 'what is not there is not changed';
    is $web->error("SELECT api.site_remove('roof')"), 'TM409', 'a site with devices stays';
    return;
}

sub check_series {
    my ($web, $super) = @_;
    my $flow = 'flow_w in W gauge consumption; flow_w out W gauge consumption';
    is $web->value($SERIES), "$flow; power_w W gauge consumption; x kWh counter grid_import", 'series are what configuration or name say';
    my $out = $web->value("SELECT id FROM api.series WHERE labels ->> 'way' = 'out'");
    $web->query("SELECT api.series_change('m', $out, NULL, NULL, 'grid_export')");
    is $web->value($SERIES), 'flow_w in W gauge consumption; flow_w out W gauge grid_export; power_w W gauge consumption; x kWh counter grid_import',
        'a correction is of one series, whatever others of the metric are';
    is $web->value("SELECT config -> 'metrics' -> 'flow_w' ->> 'role' FROM api.device"), 'grid_export', 'those to come are alike';
    my $audited = $super->value('SELECT count(*) FROM core.audit');
    $web->query("SELECT api.series_change('m', $out, 'W', NULL, NULL), api.device_change('m', 'm', '', 'roof', NULL, false)");
    is $super->value('SELECT count(*) FROM core.audit'), $audited, 'no change leaves no trace';
    $web->query("SELECT api.device_change('m', NULL, NULL, NULL, '{\"metrics\": {\"power_w\": {\"role\": \"generation\"}}}', NULL)");
    is $web->value($SERIES), "$flow; power_w W gauge generation; x  gauge none", 'series follow the configuration, and their names where it is silent';
    is $web->error("SELECT api.series_change('m', $out, 'W', 'speed', NULL)"), 'TM422', 'a kind must be one';
    is $web->error("SELECT api.series_change('m', 0, 'W', NULL, NULL)"), 'TM404', 'a series must be there';
    return;
}

sub check_configs {
    my ($web) = @_;
    my %problem = (
        '{}' => undef, '{"metrics": {}}' => undef, '{"metrics": {"a": {"unit": "W", "other": 1}}, "b": [1]}' => undef,
        '[]' => 'must be a JSON object', '{' => 'is not JSON', '{"a": "\u0000"}' => 'is not JSON', '[' x 60_000 => 'is not JSON',
        '{"metrics": 1}' => 'metrics must be an object', '{"metrics": {"a": 1}}' => 'metrics.a must be an object',
        '{"metrics": {"a": {"unit": 1}}}' => 'metrics.a: unit, kind and role must be texts',
        '{"metrics": {"a": {"role": "king"}}}' => 'metrics.a: role: must be one of',
        '{"a": "' . 'x' x 66_000 . '"}' => 'must be of at most 65536 bytes',
    );
    for my $config (sort keys %problem) {
        my $told = $web->value("SELECT coalesce(api.config_problem('$config'), 'none')");
        my $wanted = defined $problem{$config} ? "config: $problem{$config}" : 'none';
        is substr($told, 0, length $wanted), $wanted, substr($config, 0, 60) . (defined $problem{$config} ? ' cannot be' : ' can be');
    }
    is $web->error("SELECT api.device_add('x', NULL, NULL, NULL, '{\"metrics\": {\"a\": {\"kind\": \"x\"}}}')"), 'TM422', 'and none such is stored';
    return;
}

# Five thousand devices: judged and stored in seconds, the same list again is no change.
sub check_long_list {
    my ($web, $super) = @_;
    my $import = sub {
        return $web->text("SELECT i.action, count(*) FROM (SELECT array_agg('k' || n ORDER BY n) AS keys, array_agg('Name ' || n ORDER BY n) AS names,"
                . " array_fill(NULL::text, ARRAY[5000]) AS none, array_agg('s' || n % 3 ORDER BY n) AS sites,"
                . " array_agg(CASE WHEN n < 4 THEN 'Asia/Tokyo' END ORDER BY n) AS zones FROM generate_series(1, 5000) n) l,"
                . " api.device_import(l.keys, l.names, l.none, l.sites, l.zones, l.none, $_[0]) i GROUP BY 1");
    };
    is $import->('true'), 'add 5000', 'a long list is judged';
    is $web->value("SELECT count(*) FROM api.device WHERE key ~ '^k'"), 0, 'a trial stores nothing';
    my $began = time;
    is $import->('false'), 'add 5000', 'it is stored';
    my $took = time - $began;
    cmp_ok $took, '<', 20, sprintf 'in %.1f s', $took;
    is $web->text("SELECT key, timezone, devices FROM api.site WHERE key ~ '^s' ORDER BY key"), 's0 Asia/Tokyo 1666; s1 Asia/Tokyo 1667; s2 Asia/Tokyo 1667', 'with the sites that zones made';
    is $import->('false'), 'same 5000', 'the same again is no change';
    return;
}

sub check_operators {
    my ($operator) = @_;
    is $operator->value("SELECT count(*) FROM ops.device_list('alpha')"), 5001, 'operators list a tenant\'s devices';
    is $operator->error("SELECT ops.device_list('nobody')"), 'TM404', 'of one that is there';
    is $operator->error("SELECT ops.device_add('alpha', 'k1', NULL, NULL, NULL)"), 'TM409', 'and make each once';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    $cluster->session('tidemark_operator');
    my $web = $cluster->session('tidemark_web', tenant => 1);
    populate($cluster, $web);
    check_sites($web);
    check_series($web, $super);
    check_configs($web);
    check_long_list($web, $super);
    check_operators($cluster->session('tidemark_operator'));
});

done_testing;
