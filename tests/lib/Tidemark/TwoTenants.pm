package Tidemark::TwoTenants;

# Two tenants, alpha and bravo, with rows in every table: what tests/sql/isolation.t looks for leaks in,
# and what other tests want whole.

use strict;
use warnings;
use Exporter qw(import);
use Tidemark::Cluster;

our @EXPORT_OK = qw(areas two_tenants count_from);

# The hashes of tests/sql/isolation/*.pl.
sub areas {
    return map { do $_ or die "$_: " . ($@ || $!) } sort glob "$Tidemark::Cluster::ROOT/tests/sql/isolation/*.pl";
}

# Makes alpha and bravo, both with rows in every table: the base's here, each area's by its own `fill`.
sub two_tenants {
    my ($cluster, @fill) = @_;
    my $super = $cluster->session('tidemark_super');
    my $operator = $cluster->session('tidemark_operator');
    for my $name (qw(alpha bravo)) {
        my $value = $name eq 'alpha' ? 1 : 2_222_220;
        my $uuid = $name eq 'alpha' ? '00000000-0000-4000-8000-000000000001' : '22222222-2222-4222-8222-222222222222';
        my $id = $operator->value("SELECT ops.tenant_add('$name', '$name', 'UTC', 'EUR')");
        if ($name eq 'bravo') {
            count_from($cluster, 7_700_000);
        }
        $operator->query("SELECT ops.site_put('$name', '$name-site', '$name', 'UTC'),"
                . " ops.device_put('$name', '$name-meter', '$name', '$name', '$name-site', '{\"$name\": 1}'),"
                . " ops.person_add('$name\@x.org', '$name', '$name', ''),"
                . " ops.membership_add('$name\@x.org', '$name', 'admin'),"
                . " ops.token_add('$name', 'device', '$name-meter', '$name', '$name', '$name', NULL, false)");
        $cluster->session('tidemark_web')->query("SELECT api.login_passed('$name\@x.org', '::1',"
                . " (SELECT person_id FROM api.login_check('$name\@x.org', '::1')), '$name', 7)");
        my $ingest = $cluster->session('tidemark_ingest', tenant => $id);
        my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['$name-meter'], false)");
        my $n = 0;
        for my $series (map { $_->[0] } $ingest->query("SELECT series_id FROM api.ingest_series("
                    . "ARRAY[$device, $device, $device], ARRAY['${name}_kwh', '${name}_w', '${name}_kwh_total'],"
                    . " ARRAY['{}', '{\"$name\": \"$name\"}', '{}'], true)")) {
            $ingest->query("SELECT api.partitions_ensure(now() - interval '40 days', now())");
            my ($now, $reading) = ($ingest->value('SELECT now()'), $value + $n++);
            $ingest->query("SELECT api.ingest_samples(array_agg($id), array_agg($series), array_agg(t ORDER BY t),"
                    . " array_agg(${reading}::float8), array_agg(true))"
                    . " FROM generate_series('$now'::timestamptz - interval '40 days', '$now', '6 hours') t");
            $ingest->query("SELECT api.series_last_flush(ARRAY[$id], ARRAY[$series], ARRAY['$now'::timestamptz], ARRAY[$reading])");
        }
        $ingest->query("SELECT api.ingest_events(ARRAY[$id], ARRAY[$device], ARRAY[0], ARRAY[now() - interval '9 days'],"
                . " ARRAY['$name'], ARRAY[$value], ARRAY[NULL], ARRAY['$uuid'],"
                . " ARRAY['{\"$name\": $value}'])");
        $super->query("INSERT INTO core.plugin (tenant_id, key, kind) VALUES ($id, '$name', 'adapter');"
                . " CREATE ROLE grafana_$name LOGIN PASSWORD 'test' IN ROLE tidemark_read");
        $operator->query("SELECT ops.tenant_login_bind('grafana_$name', '$name')");
        $_->($cluster, $name, $id, $value) for @fill;
    }
    $super->query("CREATE ROLE sql_unbound LOGIN PASSWORD 'test' IN ROLE tidemark_read;"
            . " GRANT CONNECT ON DATABASE tidemark TO tidemark_read, grafana_alpha, sql_unbound");
    count_from($cluster, 100);
    if ($cluster->{wanted} eq 'timescaledb') {
        $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.sample') c LIMIT 3");
        $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.event') c");
    }
    $super->query('ANALYZE');
    return;
}

# Lets the next ids be larger than this.
sub count_from {
    my ($cluster, $number) = @_;
    $cluster->session('tidemark_super')->query("SELECT setval(c.oid::regclass, $number)"
            . " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            . " WHERE relkind = 'S' AND nspname = 'core' AND relname <> 'tenant_id_seq'");
    return;
}

1;
