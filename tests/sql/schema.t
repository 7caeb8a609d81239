#!/usr/bin/env perl
# Facts that every relation, function and role of the schema must obey, read from the catalog.
# Who may see what is isolation.t's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

# Functions of ours, without an extension's.
my $OURS = <<'SQL';
    SELECT p.*, n.nspname || '.' || p.proname AS name, pg_get_userbyid(p.proowner) AS owner
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('core', 'api', 'ops')
SQL

sub check_functions {
    my ($super) = @_;
    is $super->text("SELECT name FROM ($OURS) f WHERE prosecdef"
            . " AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)"), '',
        'every SECURITY DEFINER function pins its search_path';
    # a procedure that commits on its way cannot; the owner alone calls it
    is $super->text("SELECT name FROM ($OURS) f WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')"
            . " AND name <> 'ops.aggregate_refresh' AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)"), '',
        'and so does every function in PL/pgSQL';
    is $super->text("SELECT name FROM ($OURS) f WHERE proacl IS NULL OR EXISTS"
            . " (SELECT FROM aclexplode(proacl) a WHERE a.grantee = 0)"), '',
        'nobody may execute a function for being PUBLIC';
    is $super->text("SELECT DISTINCT owner FROM ($OURS) f ORDER BY 1"), 'tidemark_door; tidemark_owner',
        'functions belong to the owner or to the doors';
    is $super->text("SELECT name FROM ($OURS) f WHERE pronamespace = 'api'::regnamespace AND NOT prosecdef"), '',
        'every function of api runs with its owner\'s rights: its caller has none';
    is $super->text("SELECT name FROM ($OURS) f, unnest(proargnames) a WHERE pronamespace = 'api'::regnamespace"
            . " AND owner = 'tidemark_owner' AND a ~ '^tenant_ids?\$'"), '',
        'outside the doors no function takes a tenant for an argument';
    return;
}

sub check_relations {
    my ($super) = @_;
    is $super->text("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n"
            . " ON n.oid = relnamespace WHERE nspname IN ('core', 'api', 'ops')"), 'tidemark_owner',
        'every relation is the owner\'s';
    is $super->text("SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'api'::regnamespace AND relkind = 'v'"
            . " AND NOT coalesce('security_barrier=true' = ANY (reloptions), false)"), '',
        'every view of api is a barrier';
    is $super->text("SELECT DISTINCT policyname, roles::text, cmd, qual, with_check FROM pg_policies"
            . " WHERE policyname NOT IN ('door') AND NOT (tablename = 'tenant' AND policyname = 'tenant')"),
        'tenant {public} ALL (tenant_id = ( SELECT core.tenant() AS tenant)) (tenant_id = ( SELECT core.tenant() AS tenant))',
        'the policy of tenants is the same everywhere, its function called once a statement';
    is $super->text("SELECT qual, with_check FROM pg_policies WHERE tablename = 'tenant' AND policyname = 'tenant'"),
        '(id = ( SELECT core.tenant() AS tenant)) (id = ( SELECT core.tenant() AS tenant))',
        'a tenant sees its own row of the tenants';
    is $super->text("SELECT DISTINCT policyname, roles::text, cmd, qual, with_check FROM pg_policies WHERE policyname = 'door'"),
        'door {tidemark_door} ALL true true', 'all rows are for the doors alone';
    is $super->text(<<'SQL'), '', 'tenant_id leads every key of a table that has one';
        SELECT i.indexrelid::regclass
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'core'::regnamespace AND (i.indisprimary OR i.indisunique)
          AND c.relname NOT LIKE 'event\_key\_%' AND i.indkey[0] <> a.attnum
          AND i.indexrelid::regclass::text NOT IN (
              'core.token_hash_key', 'core.token_old_hash_key', 'core.share_hash_key',
              'core.access_link_hash_key',   -- a secret is looked up before its tenant is known
              'core.session_pkey', 'core.tenant_login_pkey',  -- the same
              'core.audit_pkey', 'core.change_pkey')  -- logs, read in their order
SQL
    return;
}

sub check_roles {
    my ($super) = @_;
    is $super->text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tidemark\\_%' AND rolname <> 'tidemark_super'"
            . " AND NOT coalesce('jit=off' = ANY (rolconfig), false)"), '', 'no role of ours compiles plans';
    is $super->text("SELECT rolname, rolsuper, rolcanlogin, rolbypassrls, rolinherit, rolcreaterole FROM pg_roles"
            . " WHERE rolname LIKE 'tidemark\\_%' AND rolname <> 'tidemark_super' ORDER BY 1"), join('; ',
        'tidemark_backup f t t t f', 'tidemark_door f f f t f', 'tidemark_ingest f t f t f',
        'tidemark_operator f t f t f', 'tidemark_owner f t f f t', 'tidemark_read f t f t f',
        'tidemark_web f t f t f', 'tidemark_worker f t f t f'), 'attributes of the roles';
    is $super->text("SELECT m.roleid::regrole, m.member::regrole FROM pg_auth_members m WHERE member::regrole::text"
            . " LIKE 'tidemark%' ORDER BY 1"), 'pg_read_all_stats tidemark_door; pg_read_all_data tidemark_backup; tidemark_door tidemark_owner',
        'who is a member of what';
    is $super->text("SELECT nspname, r FROM pg_namespace, unnest(ARRAY['tidemark_web', 'tidemark_ingest',"
            . " 'tidemark_worker', 'tidemark_operator', 'tidemark_read', 'public']) r"
            . " WHERE has_schema_privilege(r, oid, 'CREATE')"), '', 'no application may make anything in a schema';
    is $super->text("SELECT r, nspname FROM pg_namespace, unnest(ARRAY['tidemark_web', 'tidemark_ingest',"
            . " 'tidemark_worker', 'tidemark_operator', 'tidemark_read']) r WHERE nspname IN ('core', 'ops')"
            . " AND has_schema_privilege(r, oid, 'USAGE') ORDER BY 1"),
        'tidemark_ingest core; tidemark_operator ops; tidemark_worker ops', 'who may name core and ops';
    is $super->value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'tidemark'"),
        'tidemark_owner',
        'the database is the owner\'s';
    is $super->text("SELECT DISTINCT r FROM pg_proc p, unnest(ARRAY['tidemark_web', 'tidemark_ingest', 'tidemark_worker',"
            . " 'tidemark_operator', 'tidemark_read']) r WHERE p.proname LIKE '%advisory%' AND has_function_privilege(r, p.oid, 'EXECUTE')"), '',
        'no application can hold a lock that ingest or the worker waits for';
    return;
}

sub check_reader {
    my ($read) = @_;
    is $read->error($_), '42501', "whoever may only read stores nothing: $_"
        for "SELECT lo_from_bytea(0, 'x')", 'SELECT lo_create(0)', 'CREATE TEMP TABLE t (x int)';
    return;
}

# Running the bootstrap again, as an upgrade does, changes nothing and fails nowhere.
sub check_bootstrap {
    my ($super) = @_;
    my $text = Tidemark::Cluster::slurp("$Tidemark::Cluster::ROOT/sql/bootstrap.sql");
    my $roles = "SELECT md5(string_agg(r::text, ',' ORDER BY r::text)) FROM pg_roles r";
    my $before = $super->value($roles);
    $super->query($text);
    is $super->value($roles), $before, 'the bootstrap may run again';
    return;
}

sub check_engine {
    my ($cluster, $super) = @_;
    if ($cluster->{wanted} eq 'postgres') {
        is $super->value("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"), 0, 'no extension';
        return;
    }
    my @kept = map { "core.$_ tenant_id,series_id bucket" } qw(energy_15m energy_1d rollup_15m rollup_1d rollup_1h rollup_1mo rollup_1w);
    is $super->text("SELECT hypertable_schema || '.' || hypertable_name FROM timescaledb_information.hypertables"
            . " WHERE NOT compression_enabled AND hypertable_schema IN ('core', 'ops')"), '', 'every hypertable has a columnstore';
    is $super->text("SELECT d.hypertable_name, d.time_interval FROM timescaledb_information.dimensions d"
            . " WHERE d.hypertable_schema IN ('core', 'ops') ORDER BY 1"), join('; ',
        'energy_15m 28 days', 'energy_1d 360 days', 'event 7 days', 'rollup_15m 28 days', 'rollup_1d 360 days', 'rollup_1h 28 days',
        'rollup_1mo 360 days', 'rollup_1w 360 days', 'sample 7 days', 'system_metric 7 days'), 'how wide their chunks are';
    is $super->text("SELECT hypertable_name FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"), '',
        'the worker compresses, nobody else';
    is $super->text("SELECT hypertable, segmentby, orderby FROM timescaledb_information.hypertable_columnstore_settings"
            . ' WHERE segmentby IS NOT NULL ORDER BY hypertable::text'), join('; ', sort @kept,
        'core.event tenant_id "time",key', 'core.sample tenant_id,series_id "time"', 'ops.system_metric name "time"'), 'and how';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    check_functions($super);
    check_relations($super);
    check_roles($super);
    check_reader($cluster->session('tidemark_read'));
    check_bootstrap($super);
    check_engine($cluster, $super);
});

done_testing;
