#!/usr/bin/env perl
# The proof that tenants cannot see or touch each other, generated from the catalog: every
# relation (tables, views, partitions, chunks and what TimescaleDB keeps internally) and every
# function of every schema, as every role that can log in, with the tenant alpha, none, and
# nonsense set. Nothing of the tenant bravo may come back, and nothing of bravo may change.
# What is not named in the tables below fails: whoever adds a relation or a function says here
# who may use it, and why it may cross tenants where it does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;
use Tidemark::TwoTenants qw(areas two_tenants count_from);

my @APPLICATIONS = map {"tidemark_$_"} qw(web ingest worker operator read);
my @LOGINS = (@APPLICATIONS, 'grafana_alpha', 'sql_unbound');

# ---- who may do what; a relation not named in isolation/*.pl belongs to nobody ----

# Each area's expectations, one hash a file:
#   read        => { 'api.view' => 'web read' }            views, and the roles that may read them
#   unprotected => { 'core.table' => 'why' }               tables without row-level security
#   function    => { 'api.f' => { may => 'web read',       who may execute it ('': nobody)
#                                 call => [q{…}, …],       calls that reach for bravo's things
#                                 door => 'why' } }        why it looks across tenants, if so;
#                    a door is called with alpha's things or none and must answer for those alone
#   fill        => sub { my ($cluster, $name, $tenant_id, $value) = @_ }
#                  gives a tenant rows in the area's tables that show whose they are ($BRAVO)
my (%READ, %UNPROTECTED, %FUNCTION, @FILL);
for my $area (areas()) {
    for my $part ([ \%READ, $area->{read} ], [ \%UNPROTECTED, $area->{unprotected} ], [ \%FUNCTION, $area->{function} ]) {
        my ($all, $more) = @{$part};
        @{$all}{ keys %{ $more // {} } } = values %{ $more // {} };
    }
    push @FILL, $area->{fill} if $area->{fill};
}

# TimescaleDB's own, readable by everybody: names and sizes of tables and chunks, jobs.
my $EXTENSION = qr/^(?:_timescaledb_(?:catalog|cache|config|debug|internal)|timescaledb_(?:information|experimental))\./;

# ---- two tenants with everything ----

# All that is bravo's shows it: names say bravo, numbers are 222222x, ids begin at 7700001.
my $BRAVO = qr{bravo|(?<![\d.])222222\d(?!\d)|\b77000\d\d\b}i;

# Every relation of every schema but PostgreSQL's own: name => { kind, is_extension, parent }.
sub relations {
    my ($cluster) = @_;
    my %relation;
    for ($cluster->session('tidemark_super')->query(<<'SQL')) {
        SELECT c.oid::regclass, n.nspname || '.' || c.relname, c.relkind,
               EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'),
               coalesce((SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = c.oid), ''),
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT LIKE 'pg\_%'
          AND n.nspname <> 'information_schema'
        ORDER BY 2
SQL
        my ($quoted, $name, $kind, $is_extension, $parent, $has_tenant) = @{$_};
        $relation{$name} = { sql => $quoted, kind => $kind, is_extension => $is_extension eq 't',
            parent => $parent, has_tenant => $has_tenant eq 't' };
    }
    return \%relation;
}

# A fingerprint of all of bravo's rows, by table.
sub fingerprint {
    my ($cluster, $relations) = @_;
    my $super = $cluster->session('tidemark_super');
    my %print;
    for my $name (grep {/^core\./} sort keys %{$relations}) {
        my $relation = $relations->{$name};
        next if $relation->{parent};
        my $where = $name eq 'core.tenant' ? 'r.id = 2' : $relation->{has_tenant} ? 'r.tenant_id = 2'
            : $name eq 'core.person' ? "r.email LIKE 'bravo%'" : next;
        $print{$name} = $super->text("SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text))"
                . " FROM $relation->{sql} r WHERE $where");
    }
    return \%print;
}

sub session {
    my ($cluster, $role, $tenant) = @_;
    my $is_own = $role !~ /^tidemark_/;
    return $cluster->session($role, tenant => $tenant, $is_own ? (password => 'test') : ());
}

sub short { return $_[0] =~ s/^tidemark_//r }
sub may { my ($list, $role) = @_; return scalar grep { $_ eq short($role) } split ' ', $list // '' }

# What a row of an answer gives away of bravo, or ''.
sub leak {
    my ($answer) = @_;
    for my $row (@{ $answer->{rows} }, [ $answer->{message} ]) {
        my $text = join '|', map { $_ // '' } @{$row};
        return $text if $text =~ $BRAVO;
    }
    return '';
}

# ---- the proof ----

my @TENANTS = (1, undef, 'abc', '-1', '2 ', '02', '1 OR true', '99999999999');

# Every relation, read by every login with every tenant but bravo.
sub check_reading {
    my ($cluster, $relations) = @_;
    my (@leaks, @surprises, $n);
    my %seen;
    for my $role (@LOGINS) {
        my $as = $role =~ /^tidemark/ ? $role : 'tidemark_read';
        my %is_refused;
        for my $tenant (@TENANTS, $role eq 'grafana_alpha' ? 2 : ()) {
            my $psql = session($cluster, $role, $tenant);
            for my $name (sort keys %{$relations}) {
                next if ($is_refused{$name} // 0) > 1;    # a right does not depend on the tenant
                my $answer = $psql->run("SELECT * FROM $relations->{$name}{sql}");
                my $who = "$role (tenant " . ($tenant // 'none') . ") reading $name";
                $n++;
                my $is_foreign = $name =~ $EXTENSION && $answer->{error} eq '';
                if (my $leak = leak($answer)) {
                    push @leaks, "$who: $leak" unless $is_foreign && $leak !~ /bravo|(?<![\d.])222222\d(?!\d)/i;
                }
                next if $is_foreign;
                # TimescaleDB refuses its empty parents of compressed chunks in its own way
                my $has_refused = $answer->{error} eq '42501'
                    || $answer->{error} eq 'XX000' && $name =~ /^_timescaledb_internal\._compressed_hypertable_/;
                $is_refused{$name}++ if $has_refused;
                my $is_allowed = may($READ{$name}, $as);
                push @surprises, "$who: " . ($answer->{error} || 'allowed')
                    if $is_allowed ? $answer->{error} : !$has_refused;
                my $is_bound = $role eq 'grafana_alpha' || ($tenant // '') eq '1' && $role ne 'sql_unbound';
                push @surprises, "$who: rows without a tenant" if !$is_bound && @{ $answer->{rows} };
                $seen{$name}++ if @{ $answer->{rows} };
            }
        }
    }
    is "@leaks", '', "$n reads give away nothing of bravo";
    is join("\n", @surprises), '', 'and each is allowed or refused as the table says';
    is join(' ', grep { !$seen{$_} } sort keys %READ), '', 'and alpha sees its own in each view';
    is join(' ', grep { !session($cluster, 'tidemark_web',
        2)->query("SELECT 1 FROM $_ LIMIT 1") } sort keys %READ),
        '', 'and so does bravo';
    return;
}

# Every privilege on every relation, of every application role and of PUBLIC.
sub check_privileges {
    my ($cluster, $relations) = @_;
    my $super = $cluster->session('tidemark_super');
    my @wrong;
    for ($super->query(<<'SQL')) {
        SELECT n.nspname || '.' || c.relname, role, priv
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
             unnest(ARRAY['tidemark_web', 'tidemark_ingest', 'tidemark_worker', 'tidemark_operator', 'tidemark_read', 'public']) role,
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) priv
        WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT LIKE 'pg\_%'
          AND n.nspname <> 'information_schema'
          AND (has_table_privilege(role, c.oid, priv) OR priv IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
               AND has_any_column_privilege(role, c.oid, priv))
SQL
        my ($name, $role, $privilege) = @{$_};
        next if $privilege eq 'SELECT' && ($relations->{$name}{is_extension} && $name =~ $EXTENSION || may($READ{$name}, $role));
        next if $privilege eq 'INSERT' && $role eq 'tidemark_ingest' && $name eq 'core.sample';
        push @wrong, "$role: $privilege on $name";
    }
    is join("\n", @wrong), '', 'nobody may do more than read the views and, ingest, insert samples';
    my @open = grep {
        /^(?:core|ops)\./ && !$relations->{$_}{parent} && $relations->{$_}{kind} ne 'v' && !$UNPROTECTED{$_}
            && $super->value("SELECT NOT relrowsecurity OR NOT relforcerowsecurity FROM pg_class WHERE oid = '$_'::regclass") eq 't'
    } sort keys %{$relations};
    is "@open", '', 'every table but the listed ones forces row-level security';
    is join(' ', grep { !$READ{$_} && !$relations->{$_}{parent} } grep {/^api\./} sort keys %{$relations}), '',
        'every view of api is in the table';
    return;
}

# Every function of ours: who may execute it, and what it gives away when asked for bravo's.
sub check_functions {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    my %there = map { ($_->[0] => $_->[1]) } $super->query(<<'SQL');
        SELECT n.nspname || '.' || p.proname, string_agg(p.oid::text, ',')
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        GROUP BY 1
SQL
    is join(' ', grep { !$FUNCTION{$_} } sort keys %there), '', 'every function is in the table';
    is join(' ', grep { !$there{$_} && $_ !~ /(?:partition_name|partition_make|chunk_make|chunk_has_rows|chunk_is_closed|chunk_open)$/ } sort keys %FUNCTION), '',
        'and the table has no others';
    my (@wrong, @leaks, $n);
    for my $name (sort keys %there) {
        my $known = $FUNCTION{$name} or next;
        push @wrong, "$name: overloaded" if $there{$name} =~ /,/;
        for my $role (@APPLICATIONS, 'public') {
            my $is_allowed = $super->value("SELECT has_function_privilege('$role', $there{$name}, 'EXECUTE')") eq 't';
            push @wrong, "$role: EXECUTE on $name is " . ($is_allowed ? 'granted' : 'missing')
                if $is_allowed != !!may($known->{may}, $role);
        }
        my $calls = ref $known->{call} ? $known->{call} : defined $known->{call} ? [ $known->{call} ] : [];
        push @wrong, "$name: no call" if $known->{may} && !@{$calls} && !$known->{door};
        for my $role (grep { may($known->{may}, $_) } @APPLICATIONS) {
            for my $call (@{$calls}) {
                for my $tenant (@TENANTS) {
                    my $answer = session($cluster, $role, $tenant)->run("SELECT * FROM $name($call)");
                    # messages may repeat what the caller asked for
                    my $leak = leak({ rows => $answer->{rows}, message => '' });
                    push @leaks, "$role (tenant " . ($tenant // 'none') . "): $name($call): $leak" if $leak;
                    $n++;
                }
            }
        }
    }
    is join("\n", @wrong), '', 'and executed by those alone whom it names';
    is join("\n", @leaks), '', "$n calls give away nothing of bravo";
    return;
}

# Every kind of write to every relation, by every login.
sub check_writing {
    my ($cluster, $relations) = @_;
    my @allowed;
    for my $role (@LOGINS) {
        my $psql = session($cluster, $role, 1);
        for my $name (sort keys %{$relations}) {
            my $sql = $relations->{$name}{sql};
            my $set = column($cluster, $sql);
            for my $statement ("DELETE FROM $sql", "TRUNCATE $sql", $set ? "UPDATE $sql SET $set" : (),
                "INSERT INTO $sql DEFAULT VALUES", "COPY $sql TO STDOUT", "LOCK TABLE $sql") {
                my $answer = $psql->run($statement);
                push @allowed, "$role: $statement: " . ($answer->{error} || 'done')
                    if $answer->{error} !~ /^(?:42501|42809|428C9|55000|25P01|0A000)$/
                    && !($statement =~ /^(?:INSERT|COPY|LOCK)/ && writable($role, $name, $relations->{$name}, $answer));
            }
        }
    }
    is join("\n", @allowed), '', 'no login can change any relation by hand';
    return;
}

sub column {
    my ($cluster, $sql) = @_;
    my $column = $cluster->session('tidemark_super')->value("SELECT quote_ident(attname) FROM pg_attribute"
            . " WHERE attrelid = '$sql'::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum LIMIT 1");
    return defined $column ? "$column = $column" : undef;
}

# What is refused for another reason than a missing right: ingest's insert of an empty sample
# (not null), COPY from a view, and locking or copying what may be read anyway.
sub writable {
    my ($role, $name, $relation, $answer) = @_;
    return 1 if $answer->{error} =~ /^235/ && $role eq 'tidemark_ingest' && $name eq 'core.sample';
    return $relation->{is_extension} && $name =~ $EXTENSION;
}

# Ways around: other roles, settings, leaking conditions, own objects.
sub check_tricks {
    my ($cluster) = @_;
    for my $role (@LOGINS) {
        my $psql = session($cluster, $role, 1);
        my @done = grep { $psql->error($_) eq '' } 'SET ROLE tidemark_owner', 'SET ROLE tidemark_door',
            'SET SESSION AUTHORIZATION tidemark_super', 'CREATE TABLE public.x (a int)',
            'CREATE TABLE api.x (a int)', 'CREATE TEMP TABLE x (a int)', 'CREATE SCHEMA x',
            'CREATE FUNCTION api.x() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', 'CREATE ROLE x',
            "INSERT INTO core.tenant_login VALUES ('$role', 2)", 'CREATE EXTENSION dblink';
        is "@done", '', "$role can neither become another nor make anything";
    }
    my $grafana = session($cluster, 'grafana_alpha', 2);
    is $grafana->text("WITH s AS MATERIALIZED (SELECT set_config('tidemark.tenant_id', '2', false))"
            . ' SELECT slug FROM s, api.tenant'), 'alpha', 'a bound login stays with its tenant';
    my $web = session($cluster, 'tidemark_web', 1);
    my @leaky;
    for my $sql ("SELECT * FROM api.device WHERE name::int = 0", "SELECT * FROM api.series WHERE device::int = 0",
        "SELECT 1 / (last_value - 2222220)::int FROM api.series", "SELECT 1 / (2222220 - sum)::int FROM api.rollup_1h",
        "SELECT * FROM api.rollup_1d WHERE cast(device || sum AS int) = 0",
        "SELECT * FROM pg_stats WHERE schemaname <> 'pg_catalog'", 'SELECT * FROM pg_stats_ext',
        "SET row_security = off; SELECT * FROM api.device; RESET row_security") {
        my $answer = $web->run($sql);
        push @leaky, "$sql: " . leak($answer) if leak($answer) || $answer->{error} eq '22012';
        $web->run('RESET row_security');
    }
    is "@leaky", '', 'conditions that fail or leak see nothing of bravo';
    return;
}

# The owner is bound by row-level security too; the backup sees everything, or it were none.
sub check_maintenance {
    my ($cluster, $relations) = @_;
    my @tables = grep { $relations->{$_}{kind} eq 'r' && /^core\./ && !$relations->{$_}{parent} && !$UNPROTECTED{$_} }
        sort keys %{$relations};
    my $owner = $cluster->session('tidemark_owner', tenant => 1);
    my @leaks = map { leak($owner->run("SELECT * FROM $_")) } @tables;
    is join('', @leaks), '', 'the owner sees nothing of bravo in ' . @tables . ' tables';
    $owner->bind(undef);
    is join(' ', grep { $owner->value("SELECT count(*) FROM $_") } @tables), '',
        'and nothing at all without a tenant';
    my $super = $cluster->session('tidemark_super');
    my $backup = session($cluster, 'tidemark_backup', undef);
    is join(' ', grep { $backup->value("SELECT count(*) FROM $_") != $super->value("SELECT count(*) FROM $_") }
            (grep {/^(?:core|ops)\./} sort keys %{$relations})), '', 'the backup misses no row';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    two_tenants($cluster, @FILL);
    my $relations = relations($cluster);
    my $before = fingerprint($cluster, $relations);
    is join(' ', grep { $before->{$_} =~ /^0 / } sort keys %{$before}), '', 'bravo has rows in every table';
    check_reading($cluster, $relations);
    check_privileges($cluster, $relations);
    check_functions($cluster);
    check_writing($cluster, $relations);
    check_tricks($cluster);
    check_maintenance($cluster, $relations);
    is_deeply fingerprint($cluster, $relations), $before, 'nothing of bravo was changed';
});

done_testing;
