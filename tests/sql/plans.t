#!/usr/bin/env perl
# Lists read about as much as they return, however much a tenant has and however many others there
# are: the named queries as the pages and the API send them, first pages, later ones and filters,
# over tables that hold hundreds of times a page. Counted are the rows that scans fetch, by the
# server's own counters; on TimescaleDB most chunks are compressed, and a batch counts as one row.
# What a plan may not do at all: read a table of the tenant's whole, or sort it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

my $LIMIT = 100;
my $FROM = '2026-01-01';
my $TO = '2026-04-01';

# ---- two tenants with the same ----

sub populate {
    my ($cluster, $super) = @_;
    $super->query("SELECT ops.tenant_add(n, '', 'Europe/Berlin', 'EUR'), ops.site_put(n, 'roof', NULL, NULL) FROM unnest(ARRAY['alpha', 'bravo']) n;"
            . ' INSERT INTO core.device (tenant_id, key, name, site_id) SELECT s.tenant_id, format(\'d%s\', lpad(n::text, 4, \'0\')), \'Device\', s.id FROM core.site s, generate_series(1, 3000) n ORDER BY 1, n;'
            . " INSERT INTO core.series (tenant_id, device_id, metric, unit, kind, role) SELECT d.tenant_id, d.id, m, 'kW', 'gauge', 'none'"
            . " FROM core.device d, unnest(ARRAY['a_kw', 'b_kw']) m WHERE d.key <= 'd0020' ORDER BY 1, 2, 3");
    # TimescaleDB makes chunks by itself; asked for, those of a past year would be one
    $super->query("SELECT api.partitions_ensure('$FROM', '$TO'), core.partitions_ensure_of(ARRAY['core.rollup_15m', 'core.rollup_1h',"
            . " 'core.rollup_1d', 'core.rollup_1w', 'core.rollup_1mo']::regclass[], '2024-12-01', '$TO')") if $cluster->{wanted} eq 'postgres';
    # a sample every six hours, and a row of every grain as if there were more
    $super->query("INSERT INTO core.sample SELECT s.tenant_id, s.id, t, 1 FROM generate_series('$FROM'::timestamptz, '$TO'::timestamptz - interval '1 second', '6 hours') t, core.series s ORDER BY t");
    my @grains = (['15m', '2 hours', $FROM], ['1h', '6 hours', $FROM], ['1d', '1 day', '2025-01-01'], ['1w', '7 days', '2025-01-01'], ['1mo', '1 month', '2025-01-01']);
    for my $grain (@grains) {
        my ($name, $step, $start) = @{$grain};
        $super->query("INSERT INTO core.rollup_$name SELECT s.tenant_id, s.id, t AT TIME ZONE 'Europe/Berlin', 1, 1, 1, 1, 1, t AT TIME ZONE 'Europe/Berlin', 1, t AT TIME ZONE 'Europe/Berlin'"
                . " FROM generate_series('$start'::timestamp, '$TO'::timestamp - interval '1 second', '$step') t, core.series s ORDER BY 3");
    }
    $super->query("INSERT INTO core.event (tenant_id, time, key, device_id, site_id, type, data)"
            . " SELECT s.tenant_id, '$FROM'::timestamptz + n * interval '6 minutes', gen_random_uuid(), d.low + n % 20, s.id, (ARRAY['alarm', 'door'])[1 + n % 2], jsonb_build_object('n', n % 10)"
            . ' FROM generate_series(0, 19999) n, core.site s, LATERAL (SELECT min(d.id) AS low FROM core.device d WHERE d.tenant_id = s.tenant_id) d ORDER BY 2');
    $super->query("INSERT INTO core.audit (tenant_id, time, actor, action, object) SELECT t, '$FROM'::timestamptz + n * interval '1 minute', 'a\@b', 'token.add', n::text FROM generate_series(1, 10000) n, generate_series(1, 2) t;"
            . " INSERT INTO core.token (tenant_id, kind, hash, prefix) SELECT t, 'api', sha256(format('%s.%s', t, n)::bytea), 'x' FROM generate_series(1, 5000) n, generate_series(1, 2) t;"
            . " INSERT INTO core.share (tenant_id, hash, name, created_by, expires_at) SELECT t, sha256(format('%s.%s', t, n)::bytea), 'x', 'x', '2030-01-01' FROM generate_series(1, 5000) n, generate_series(1, 2) t");
    if ($cluster->{wanted} eq 'timescaledb') {
        $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.$_', older_than => timestamptz '2026-03-15') c") for qw(sample event rollup_15m rollup_1h);
    }
    $super->query('VACUUM ANALYZE');
    return;
}

# ---- asking as the application does ----

# The text of a named query with its parameters filled in.
sub named {
    my ($name, @values) = @_;
    for my $file (glob "$Tidemark::Cluster::ROOT/sql/queries/*.sql") {
        my ($sql) = Tidemark::Cluster::slurp($file) =~ /^-- name: \Q$name\E\n(?:--[^\n]*\n)*(.*?);(?:\n|\z)/ms or next;
        $sql =~ s/\$(\d+)/defined $values[$1 - 1] ? "'$values[$1 - 1]'" : 'NULL'/ge;
        return $sql;
    }
    die "there is no query $name\n";
}

# How many rows a statement fetches of all that holds a tenant's data, and how many it returns.
sub fetched {
    my ($super, $sql, $tenant) = @_;
    $tenant //= 1;
    my $count = 'SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_all_tables'
        . " WHERE schemaname IN ('core', '_timescaledb_internal')";
    my @rows = $super->query("SELECT set_config('tidemark.tenant_id', '$tenant', false); BEGIN; $count; SELECT count(*) FROM ($sql) x; $count; COMMIT");
    return ($rows[-1][0] - $rows[1][0], $rows[2][0]);
}

sub check {
    my ($super, $most, $sql, $name, $expected) = @_;
    my ($n, $returned) = fetched($super, $sql);
    is $returned, $expected // $LIMIT, "$name: a page";
    cmp_ok $n, '<=', $most, "$name: at most $most rows are read ($n)";
    return;
}

# ---- what is listed ----

sub check_series {
    my ($super) = @_;
    my @range = ($FROM, $TO);
    check($super, 1500, named('sample_list', 'd0001', undef, @range, undef, undef, $LIMIT), 'samples');
    check($super, 1500, named('sample_list', 'd0001', undef, @range, '2026-02-10', 1, $LIMIT), 'samples after a cursor');
    check($super, 1500, named('sample_bucket_list', $_, 'd0001', undef, @range, '2026-02-10', 1, 20), "$_ of a device after a cursor", 20)
        for qw(15m 1h 1d);
    my ($one) = map { $_->[0] } $super->query('SELECT min(id) FROM core.series WHERE tenant_id = 1');
    check($super, 250, named('trace_closed', '1h', "{$one}", '2026-02-01', '2026-02-26'), 'hours that a page draws');
    check($super, 500, named('trace_buckets', '1d', "{$one}", '2025-11-18', '2026-02-26'), 'and days');
    # across devices each of forty series is looked at, for where its first bucket is
    check($super, 2000, named('rollup_list', $_, undef, undef, undef, @range, undef, undef, $LIMIT), "$_ across devices") for qw(15m 1h 1d);
    check($super, 2000, named('rollup_list', $_, undef, 'a_kw', 'roof', '2025-01-01', $TO, '2025-06-01', 1, $LIMIT), "$_ of a metric and site, after a cursor")
        for qw(1d 1w 1mo);
    return;
}

sub check_events {
    my ($super) = @_;
    my @page = ($FROM, $TO, undef, undef);
    my @last = (undef, undef, $FROM, $TO, '2026-02-01', '00000000-0000-4000-8000-000000000000');
    check($super, 1200, named('event_list', undef, undef, @page, undef, $LIMIT, undef, '{}'), 'events');
    check($super, 1200, named('event_list', @last, undef, $LIMIT, undef, '{}'), 'events before a cursor');
    check($super, 1200, named('event_list_after', @last, undef, $LIMIT, undef, '{}'), 'events after a cursor');
    check($super, 1400, named('event_list_after', 'door', @last[1 .. 5], undef, $LIMIT, undef, '{}'), 'events of a type after a cursor');
    check($super, 2400, named('event_list_after', undef, 'd0007', @last[2 .. 5], undef, $LIMIT, undef, '{}'), 'events of a device after a cursor');
    check($super, 1400, named('event_list', 'door', undef, @page, undef, $LIMIT, undef, '{}'), 'events of a type');
    check($super, 2400, named('event_list', undef, 'd0007', @page, undef, $LIMIT, undef, '{}'), 'events of a device');
    check($super, 2400, named('event_list', undef, undef, @page, '{"n": 7}', $LIMIT, undef, '{}'), 'events by their data, one in ten');
    check($super, 1200, named('event_list', undef, undef, @page, undef, $LIMIT, 'roof', '{}'), 'events of a site');
    return;
}

sub check_administration {
    my ($super) = @_;
    check($super, 800, named('device_list', undef, $LIMIT, undef, undef, undef), 'devices');
    check($super, 800, named('device_list', 'd2000', $LIMIT, undef, undef, undef), 'devices after a key');
    check($super, 800, named('device_page', undef, undef, undef, undef, undef, 'd2000', $LIMIT), 'devices of the page');
    check($super, 800, named('audit_list', undef, undef, '-infinity', 'infinity', undef, undef, $LIMIT), 'audit');
    check($super, 800, named('audit_list', 'token', undef, '-infinity', 'infinity', '2026-01-03', 7, $LIMIT), 'audit of an area, before a cursor');
    check($super, 800, named('tokens_list', undef, 'true', undef, $LIMIT), 'tokens');
    check($super, 800, named('tokens_list', 2000, 'false', undef, $LIMIT), 'tokens before one');
    check($super, 800, named('share_list', undef, $LIMIT), 'share links');
    return;
}

# Deriving an hour of all series reads that hour, and not all that came before it: at most a chunk
# that is as small as here.
sub check_deriving {
    my ($cluster, $super) = @_;
    check($super, $cluster->{wanted} eq 'postgres' ? 1000 : 7000, <<"SQL", 'an hour of all series', 1);
SELECT core.rollup_derive('1h', '$TO', array_agg(s.tenant_id), array_agg(s.id),
                          array_agg(timestamptz '2026-03-24 23:00+00'), array_agg(timestamptz '2026-03-25 00:00+00'))
FROM core.series s
SQL
    return;
}

# What ingest looks up of a tenant that has come since the tables were analysed.
sub check_ingest {
    my ($super) = @_;
    $super->query("SELECT ops.tenant_add('coyote', '', 'UTC', 'EUR');"
            . " INSERT INTO core.device (tenant_id, key, name) SELECT 3, 'c' || n, '' FROM generate_series(1, 400) n;"
            . " INSERT INTO core.series (tenant_id, device_id, metric, unit, kind, role) SELECT 3, d.id, m, 'kW', 'gauge', 'none' FROM core.device d, unnest(ARRAY['a_kw', 'b_kw']) m WHERE d.tenant_id = 3;"
            . " INSERT INTO core.series_last (tenant_id, series_id, time, value) SELECT 3, s.id, '$FROM', 1 FROM core.series s WHERE s.tenant_id = 3");
    my ($device) = map { $_->[0] } $super->query('SELECT max(id) FROM core.device WHERE tenant_id = 3');
    $super->query("INSERT INTO core.sample SELECT 3, s.id, timestamptz '$TO' - interval '1 hour', 1 FROM core.series s WHERE s.device_id = $device");
    my %asks = (
        'a device, and one that is new' => [2, "SELECT * FROM api.ingest_devices(ARRAY['c7', 'new'], true)"],
        'series, and one that is new' => [3, "SELECT * FROM api.ingest_series(ARRAY[$device, $device, $device], ARRAY['a_kw', 'b_kw', 'c_kw'], ARRAY['', '', ''], true)"],
    );
    for my $name (sort keys %asks) {
        my ($n, $returned) = fetched($super, $asks{$name}[1], 3);
        is $returned, $asks{$name}[0], "$name: found";
        cmp_ok $n, '<=', 60, "$name: by few rows ($n)";
    }
    return;
}

# Erasing a device finds it in the ledger, and reads no days of others.
sub check_erasure {
    my ($super) = @_;
    my ($gone) = map { $_->[0] } $super->query("SELECT id FROM core.device WHERE tenant_id = 1 AND key = 'd0500'");
    my $days = "(SELECT s.id AS site, v.id AS device, date '2015-01-01' + n AS day, n FROM core.site s, generate_series(1, 4000) n, (VALUES (0), ($gone + 1)) v (id) WHERE s.tenant_id = 1"
        . " UNION ALL SELECT s.id, $gone, date '2015-01-01' + n, n FROM core.site s, generate_series(1, 5) n WHERE s.tenant_id = 1) d";
    $super->query("INSERT INTO core.cost_day SELECT 1, d.site, d.device, d.day, 'UTC', now(), now(), NULL, 0, 0, 0, 0, 0, '[]', true, true, true, false, 0, '{}', '{}', '' FROM $days;"
            . " INSERT INTO core.cost_device SELECT 1, d.site, d.device, d.day, true, ARRAY[$gone + 1, CASE WHEN d.n <= 5 THEN $gone ELSE $gone + 2 END], '{1,1}', '{1,1}' FROM $days");
    $super->query('VACUUM ANALYZE core.cost_day; VACUUM ANALYZE core.cost_device');
    my ($n) = fetched($super, "SELECT core.device_erase(1, 'd0500')");
    cmp_ok $n, '<=', 300, "a device is erased by few rows ($n)";
    is $super->text("SELECT count(*) FROM core.cost_day WHERE device_id = $gone; SELECT count(*) FROM core.cost_device WHERE device_id = $gone OR devices @> ARRAY[$gone];"
            . ' SELECT count(*) FROM core.cost_device WHERE cardinality(devices) = 1'), '0; 0; 10', 'and gone from the ledger';
    return;
}

# Events of a day that changed are each read once, however often the day changed.
sub check_changed_events {
    my ($super) = @_;
    my ($low) = map { $_->[0] } $super->query('SELECT min(id) FROM core.device WHERE tenant_id = 1');
    $super->query("INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels, is_erasure, from_time, to_time)"
            . " SELECT 1, 'events', '2026-02-10', $low + n % 2, 'x', '', '{}', false, '2026-02-10Z'::timestamptz + n * interval '1 minute', '2026-02-10Z'::timestamptz + (n + 5) * interval '1 minute' FROM generate_series(0, 1399) n");
    $super->query('VACUUM ANALYZE core.archive_change');
    my $count = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_all_tables WHERE schemaname = 'core' AND relname LIKE 'archive_change%'";
    my @rows = $super->query("SELECT set_config('tidemark.tenant_id', '1', false); BEGIN; $count;"
            . " SELECT core.archive_open_events('2026-02-10Z', '2026-02-11Z', false, pg_current_snapshot()); FETCH ALL FROM archive_events; CLOSE archive_events; $count; COMMIT");
    my $n = $rows[-1][0] - $rows[1][0];
    is scalar @rows - 4, 24, 'the changed events of a day are found';    # 12 a day of each of the two
    cmp_ok $n, '<=', 1500, "  when each change was read once ($n)";
    $super->query("DELETE FROM core.archive_change WHERE relation = 'events'");
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    populate($cluster, $super);
    my ($n) = fetched($super, 'SELECT d.name FROM core.device d WHERE d.tenant_id = 1 ORDER BY d.name LIMIT 1');
    cmp_ok $n, '>=', 3000, 'the counters tell of a list that is sorted whole, however little it returns';
    ($n) = fetched($super, "SELECT s.time FROM core.sample s WHERE s.tenant_id = 1 ORDER BY s.value LIMIT 1");
    cmp_ok $n, '>=', $cluster->{wanted} eq 'postgres' ? 14_000 : 1500, 'of partitions and chunks, too';
    check_series($super);
    check_events($super);
    check_administration($super);
    check_deriving($cluster, $super);
    check_ingest($super);
    check_erasure($super);
    check_changed_events($super);
});

done_testing;
