#!/usr/bin/env perl
# Rollups against a recount of the samples in plain SQL: closed, followed, rewritten no more than
# needed; whatever comes between the two steps of closing; other zones, retention, restores. Values
# are dyadic, so that sums are exact.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

my %WIDTH = ('15m' => '15 minutes', '1h' => '1 hour');
my %UNIT = ('1d' => 'day', '1w' => 'week', '1mo' => 'month');
my $ROW = 'tenant_id, series_id, bucket, count, sum, min, max, first, first_time, last, last_time';

# Recounts the samples by quarter hours, which every day, week and month consists of.
sub recount {
    my ($super) = @_;
    $super->query("DROP TABLE IF EXISTS pg_temp.quarter; CREATE TEMP TABLE quarter AS SELECT tenant_id, series_id,"
            . " date_bin('15 minutes', time, '2000-01-01+00') AS bucket, count(*) AS count, sum(value) AS sum, min(value) AS min, max(value) AS max,"
            . ' (array_agg(value ORDER BY time))[1] AS first, min(time) AS first_time, (array_agg(value ORDER BY time DESC))[1] AS last, max(time) AS last_time'
            . ' FROM core.sample GROUP BY 1, 2, 3; ANALYZE quarter');
    return;
}

# Rows of the table that the recount does not have, or the other way round; '' when they agree. Of the
# recount only buckets that are over when closed_until is reached count.
sub difference {
    my ($super, $grain, $zone) = @_;
    my $bucket = $WIDTH{$grain} ? "date_bin('$WIDTH{$grain}', q.bucket, '2000-01-01+00')" : "date_trunc('$UNIT{$grain}', q.bucket, '$zone')";
    my $over = $WIDTH{$grain} ? "x.bucket + interval '$WIDTH{$grain}' <= c.closed_until"
        : "x.bucket < date_trunc('$UNIT{$grain}', c.closed_until, '$zone')";
    my $coarse = $grain eq '15m' ? 'SELECT * FROM quarter'
        : "SELECT tenant_id, series_id, $bucket AS bucket, sum(count)::bigint AS count, sum(sum) AS sum, min(min) AS min, max(max) AS max,"
        . ' (array_agg(first ORDER BY bucket))[1] AS first, min(first_time) AS first_time, (array_agg(last ORDER BY bucket DESC))[1] AS last, max(last_time) AS last_time'
        . ' FROM quarter q GROUP BY 1, 2, 3';
    return $super->text("SELECT k, 'should be', r FROM (SELECT $ROW FROM core.rollup_$grain) k"
            . " FULL JOIN (SELECT x.* FROM ($coarse) x, core.rollup_state c WHERE $over) r USING (tenant_id, series_id, bucket) WHERE k IS DISTINCT FROM r LIMIT 5");
}

sub is_right {
    my ($super, $name, %option) = @_;
    recount($super);
    my @wrong = grep { $_->[1] ne '' }
        map { [ $_, difference($super, $_, $option{zone} // 'Europe/Berlin') ] } qw(15m 1h 1d 1w 1mo);
    return is join("\n", map {"$_->[0]: $_->[1]"} @wrong), '', $name;
}

# Whether the table of a grain differs from a recount.
sub is_behind {
    my ($super, $grain) = @_;
    recount($super);
    return difference($super, $grain, 'UTC') ne '';
}

# What a worker does with changes; rows written.
sub follow {
    my ($worker, $limit) = @_;
    my $rows = 0;
    while (1) {
        my ($step) = $worker->query('SELECT rows_written, is_done FROM ops.rollup_follow(' . ($limit // 20000) . ')');
        $rows += $step->[0];
        return $rows if $step->[1] eq 't';
    }
}

# Stores samples as the late lane does: [series, time expression, value]…
sub store {
    my ($ingest, $logged, @rows) = @_;
    return $ingest->text('SELECT outcome FROM api.ingest_samples(' . join(', ',
        'ARRAY[' . join(',', ('1') x @rows) . ']', 'ARRAY[' . join(',', map { $_->[0] } @rows) . ']',
        'ARRAY[' . join(',', map {"$_->[1]"} @rows) . ']::timestamptz[]', 'ARRAY[' . join(',', map { $_->[2] } @rows) . ']::float8[]',
        'ARRAY[' . join(',', ($logged) x @rows) . ']::boolean[]') . ') ORDER BY ord');
}

sub state { return $_[0]->value('SELECT closed_until FROM core.rollup_state') }

sub set_state {
    my ($super, $closed, $closing) = @_;
    $super->query("UPDATE core.rollup_state SET closed_until = '$closed', closing_until = '" . ($closing // $closed) . "'");
    return;
}

# Tenant alpha in Berlin with device m and series 1 to 4; 70 days of samples, one to three a quarter hour
# or none, some hours without.
sub populate {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'Europe/Berlin', 'EUR'), ops.device_put('alpha', 'm', 'm', '', NULL, NULL)");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['m'], false)");
    $ingest->query("SELECT api.ingest_series(array_fill($device, ARRAY[4]), ARRAY['a_kwh', 'b_w', 'c_w', 'd_w'], array_fill(''::text, ARRAY[4]), true)");
    $ingest->query("SELECT api.partitions_ensure(now() - interval '75 days', now())");
    $super->query("INSERT INTO core.sample SELECT 1, g, t, (extract(epoch FROM t)::bigint / 420 * 7919 % 1000) / 8.0"
            . " FROM generate_series(1, 3) g, generate_series(date_bin('15 minutes', now(), '2000-01-01') - interval '70 days', now() - interval '1 minute',"
            . " interval '7 minutes' * g) t"
            . ' WHERE extract(hour FROM t) <> 3 + g');
    return ($super, $ingest);
}

# Time has passed by: five weeks are closed step by step, from samples alone; what was before has
# changed.
sub check_closing {
    my ($cluster, $super) = @_;
    set_state($super, $super->value("SELECT date_bin('15 minutes', now(), '2000-01-01') - interval '35 days'"));
    $super->query('DELETE FROM core.rollup_dirty; DELETE FROM core.change;'
            . " INSERT INTO core.change (tenant_id, series_id, from_time, to_time) SELECT 1, g, '-infinity', now() - interval '35 days' FROM generate_series(1, 3) g");
    my $worker = $cluster->session('tidemark_worker');
    my $before = state($super);
    my $begun = $worker->value('SELECT ops.rollup_close_begin()');
    is $super->value("SELECT timestamptz '$begun' - '$before'"), '06:00:00', 'no more than six hours are closed at once';
    is $worker->value('SELECT ops.rollup_close_begin()'), $begun, 'nor another begun before they are';
    is state($super), $before, 'they are not closed yet';
    cmp_ok $worker->value('SELECT ops.rollup_close_finish()'), '>', 0, 'then they are';
    is state($super), $begun, 'until then';
    is $worker->value('SELECT ops.rollup_close_finish()'), 0, 'once';
    follow($worker);
    is_right($super, 'what is closed agrees');
    cmp_ok $cluster->roll_up, '>', 1000, 'the rest follows';
    is $super->value("SELECT now() - closed_until BETWEEN interval '5 minutes' AND interval '20 minutes 5 seconds' FROM core.rollup_state"),
        't', 'until the quarter hour that ended five minutes ago';
    is_right($super, 'all five tables agree with a recount');
    is $super->value('SELECT count(*) FROM core.rollup_1mo'), 3 * $super->value("SELECT count(DISTINCT date_trunc('month', time, 'Europe/Berlin')) - 1 FROM core.sample"),
        'months that are over, and no other';
    is $cluster->roll_up, 0, 'a second worker finds nothing';
    return;
}

# What pages read apart, closed and not, is together what the API lists, and each bucket once.
sub check_parts {
    my ($super, $ingest) = @_;
    my $closed = state($super);
    store($ingest, 'true', map { [ 1, "'$closed'::timestamptz + interval '$_ minutes'", $_ ] } 1, 16, 31);
    $super->query('SET tidemark.tenant_id = 1');
    for my $grain (qw(15m 1h)) {
        my $part = "('$grain', '{1,2,3,4}', '$closed'::timestamptz - interval '30 hours', '$closed'::timestamptz + interval '2 hours')";
        my $columns = 'series_id, bucket, count, sum, min, max, first, last, last_time';
        my $listed = $super->text("SELECT $columns FROM api.rollup_list('$grain', NULL, NULL, '$closed'::timestamptz - interval '30 hours',"
                . " '$closed'::timestamptz + interval '2 hours', NULL) ORDER BY series_id, bucket");
        is $super->text("SELECT $columns FROM (SELECT * FROM api.rollup_closed$part UNION ALL SELECT * FROM api.rollup_open$part) r ORDER BY series_id, bucket"),
            $listed, "$grain: closed buckets and open ones are all there are";
        cmp_ok $super->value("SELECT count(*) FROM api.rollup_open$part"), '>=', $grain eq '15m' ? 3 : 1, 'some of them open';
    }
    return;
}

# What readers keep is right for as long as the stamp is the same.
sub check_stamp {
    my ($cluster, $ingest) = @_;
    my $worker = $cluster->session('tidemark_worker');
    my $super = $cluster->session('tidemark_super');
    $super->query("INSERT INTO core.tenant (slug, name, timezone, currency) VALUES ('stamp', 'Stamp', 'UTC', 'EUR') ON CONFLICT DO NOTHING");
    my $other = $super->value("SELECT id FROM core.tenant WHERE slug = 'stamp'");
    my $stamp = sub {    # without the quarter hour that it is, which may end here
        $super->query("SET tidemark.tenant_id = $_[0]");
        my @part = split / /, $super->value('SELECT stamp FROM api.closed_stamp()'), -1;
        splice @part, -3, 1;
        return join ' ', @part;
    };
    my ($before, $others) = ($stamp->(1), $stamp->($other));
    isnt $before, $others, 'each tenant has a stamp of its own';
    is $stamp->(1), $before, 'which stays as it is';
    store($ingest, 'false', [ 1, "now() - interval '10 days'", 5 ]);
    is $stamp->(1), $before, 'also while a change of closed time waits';
    follow($worker);
    my $late = $stamp->(1);
    isnt $late, $before, 'derived again it has another one';
    is $stamp->($other), $others, 'and nobody else';
    store($ingest, 'true', [ 1, "now() - interval '10 days'", 6 ], [ 1, "now() - interval '9 days'", 6 ]);
    follow($worker, 1);
    isnt $stamp->(1), $late, 'derived in steps: with each of them';
    follow($worker);
    my $zoned = $stamp->(1);
    $super->query("UPDATE core.tenant SET timezone = 'Asia/Tokyo' WHERE id = 1");
    follow($worker);
    isnt $stamp->(1), $zoned, 'as after a change of the zone';
    $super->query("UPDATE core.tenant SET timezone = 'Europe/Berlin' WHERE id = 1");
    follow($worker);
    my $kept = $stamp->(1);
    $super->query('UPDATE core.tenant SET hourly_days = 400 WHERE id = 1');
    isnt $stamp->(1), $kept, 'or of what it may see';
    $super->query('UPDATE core.tenant SET hourly_days = NULL WHERE id = 1');
    is $stamp->(1), $kept, 'which is as it was when that is';
    return;
}

# Late samples, corrections, erased ones.
sub check_following {
    my ($cluster, $super, $ingest) = @_;
    my $worker = $cluster->session('tidemark_worker');
    my $day = "date_trunc('month', now(), 'Europe/Berlin') - interval '20 days'";
    is store($ingest, 'false', [ 1, "$day + interval '10 hours 1 second'", 1024 ]), '1', 'a late sample';
    is follow($worker), 5, 'rewrites a row of each table';
    is_right($super, 'and all agree');
    is store($ingest, 'false', [ 1, "$day + interval '10 hours 1 second'", 2048 ]), '2', 'corrected';
    is follow($worker), 5, 'the same rows again';
    is_right($super, 'and all agree');
    is store($ingest, 'true', [ 1, "$day + interval '10 hours 1 second'", 2048 ]), '0', 'sent once more';
    is follow($worker), 0, 'nothing';
    store($ingest, 'true', [ 4, "$day + interval '1 hour'", 3 ]);
    follow($worker);
    $super->query("DELETE FROM core.sample WHERE series_id = 4; INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (1, 4, '-infinity', now())");
    is follow($worker), 5, 'a sample that was erased takes its rows along';
    is $super->value('SELECT count(*) FROM core.rollup_15m WHERE series_id = 4'), 0, 'no row is left of it';
    is_right($super, 'and all agree');
    $super->query("DELETE FROM core.sample WHERE series_id = 2 AND time >= $day AND time < $day + interval '3 days';"
            . " INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (1, 2, $day, $day + interval '3 days'), (1, 2, $day - interval '1 day', $day)");
    follow($worker, 10);
    is_right($super, 'days that were erased, in steps of ten quarter hours');
    $super->query("UPDATE core.sample SET value = value + 0.5 WHERE series_id <= 2; INSERT INTO core.change (tenant_id, series_id, from_time, to_time)"
            . " SELECT 1, g, '-infinity', 'infinity' FROM generate_series(1, 2) g");
    ok is_behind($super, '1h'), 'changes not followed show in the recount';
    follow($worker, 3000);
    is_right($super, 'everything changed, in steps');
    is $super->value('SELECT count(*) FROM core.change') + $super->value('SELECT count(*) FROM core.rollup_dirty'), 0, 'and is forgotten';
    return;
}

# Who writes samples holds closing back, and whatever comes between its steps is noted.
sub check_guard {
    my ($cluster, $super, $ingest) = @_;
    my $worker = $cluster->session('tidemark_worker');
    my $now = state($super);
    my $from = $super->value("SELECT timestamptz '$now' - interval '1 hour'");
    my $before = sub { $super->query("DELETE FROM core.rollup_$_ WHERE last_time >= '$from'") for qw(15m 1h 1d 1w 1mo); set_state($super, $from) };
    my $writer = $cluster->session('tidemark_ingest', new => 1, tenant => 1);

    $before->();
    $writer->query('BEGIN');
    is $writer->value('SELECT api.ingest_guard()'), $from, 'a writer asks how far is closed';
    $writer->query("INSERT INTO core.sample (tenant_id, series_id, time, value) VALUES (1, 4, timestamptz '$from' + interval '1 minute', 4)");
    is $worker->value('SELECT ops.rollup_close_begin()'), $from, 'while it writes nothing is closed';
    is $worker->value('SELECT ops.rollup_close_finish()'), 0, 'nor later';
    $writer->query('COMMIT');
    is $worker->value('SELECT ops.rollup_close_begin()'), $now, 'then it is';
    $worker->query('SELECT ops.rollup_close_finish()');
    follow($worker);
    is_right($super, 'with what was written');

    $before->();
    is $worker->value('SELECT ops.rollup_close_begin()'), $now, 'closing begins';
    is $ingest->value('SELECT api.ingest_guard()'), $now, 'who writes now is told';
    $writer->query('BEGIN');
    store($writer, 'false', [ 4, "timestamptz '$from' + interval '2 minutes'", 8 ]);
    is $worker->value('SELECT ops.rollup_close_finish()') > 0, 1, 'it ends beside him';
    ok !is_behind($super, '15m'), 'without his sample';
    $writer->query('COMMIT');
    ok is_behind($super, '15m'), 'which is missing';
    follow($worker);
    is_right($super, 'until it is followed');

    # a step of following that happens between the two steps of closing
    $before->();
    $worker->query('SELECT ops.rollup_close_begin()');
    store($ingest, 'false', [ 4, "timestamptz '$from' + interval '3 minutes'", 16 ], [ 4, "timestamptz '$now' + interval '1 second'", 16 ]);
    follow($worker);
    $worker->query('SELECT ops.rollup_close_finish()');
    is_right($super, 'what is followed while it is being closed');
    return;
}

# Two workers at once, and one that is killed.
sub check_workers {
    my ($cluster, $super, $ingest) = @_;
    my ($one, $two) = map { $cluster->session('tidemark_worker', new => 1) } 1 .. 2;
    my $day = "date_trunc('month', now(), 'Europe/Berlin') - interval '18 days'";
    store($ingest, 'true', [ 1, "$day + interval '1 second'", 32 ]);
    $one->query('BEGIN');
    is $one->value('SELECT rows_written FROM ops.rollup_follow(1000)'), 5, 'one worker follows';
    $two->query("SET lock_timeout = '200ms'");
    is $two->error('SELECT ops.rollup_follow(1000)'), '55P03', 'another waits for it';
    is $two->error('SELECT ops.rollup_close_finish()'), '55P03', 'and does not close either';
    undef $one;    # killed: its transaction never was
    $two->query('RESET lock_timeout');
    is follow($two), 5, 'what a killed one did is done again';
    is_right($super, 'and all agree');
    return;
}

# What is on its way for minutes (a chunk is compressed, a tenant erased) keeps nobody waiting.
sub check_long_transactions {
    my ($cluster, $super, $ingest) = @_;
    my $worker = $cluster->session('tidemark_worker');
    my $slow = $cluster->session('tidemark_ingest', tenant => 1, new => 1);
    my $day = "date_trunc('month', now(), 'Europe/Berlin') - interval '16 days'";
    $slow->query('BEGIN');
    store($slow, 'true', [ 2, "$day + interval '1 second'", 16 ]);
    store($ingest, 'true', [ 1, "$day + interval '1 second'", 48 ]);
    is follow($worker), 5, 'a late sample does not wait for a transaction that began before it';
    is follow($worker), 0, 'and is followed once';
    $slow->query('COMMIT');
    is follow($worker), 5, 'whose own is followed after it';
    is follow($worker), 0, 'once too';
    is_right($super, 'and all agree');
    return;
}

# Days are the site's: in another zone they are other ones.
sub check_zones {
    my ($cluster, $super) = @_;
    my ($operator, $worker) = map { $cluster->session("tidemark_$_") } qw(operator worker);
    $operator->query("SELECT ops.site_put('alpha', 'far', 'Far', 'Asia/Kathmandu'), ops.device_put('alpha', 'm', NULL, NULL, 'far', NULL)");
    is $super->value('SELECT count(*) FROM core.rollup_recast WHERE is_rezoned'), 4, 'a device moved to a site: its series are queued';
    follow($worker);
    is_right($super, 'days, weeks and months are those of Kathmandu', zone => 'Asia/Kathmandu');
    $operator->query("SELECT ops.site_put('alpha', 'far', NULL, 'America/St_Johns')");
    follow($worker);
    is_right($super, 'the site is in Newfoundland now', zone => 'America/St_Johns');
    $operator->query("SELECT ops.site_put('alpha', 'far', 'Farther', NULL)");
    is $super->value('SELECT count(*) FROM core.rollup_recast'), 0, 'another name changes nothing';
    $super->query("UPDATE core.series SET kind = 'delta' WHERE id = 2");
    is $super->text('SELECT series_id, is_rezoned, is_reset FROM core.rollup_recast'), '2 f t', 'another kind is queued as such';
    $super->query("UPDATE core.device SET site_id = NULL");
    follow($worker);
    $super->query("UPDATE core.tenant SET timezone = 'Asia/Kolkata'");
    follow($worker);
    is_right($super, 'without a site the tenant\'s zone counts', zone => 'Asia/Kolkata');
    $super->query("UPDATE core.tenant SET timezone = 'Europe/Berlin'");
    follow($worker);
    is_right($super, 'and back');
    return;
}

# What retention took stays as it was made.
sub check_floors {
    my ($cluster, $super, $ingest) = @_;
    my $worker = $cluster->session('tidemark_worker');
    my $edge = $super->value("SELECT date_trunc('day', now(), 'Europe/Berlin') - interval '30 days'");
    my $sums = sub { return join ' | ', map { $super->text("SELECT count(*), sum(sum), sum(count) FROM core.rollup_$_ WHERE bucket < timestamptz '$edge' - interval '31 days'") } qw(15m 1h 1d 1w 1mo) };
    store($ingest, 'true', [ 1, "timestamptz '$edge' - interval '40 days'", 1 ]);
    is $super->value("SET ROLE tidemark_owner; SELECT core.floor_raise('raw', '$edge')"), 't', 'before something is dropped';
    $super->query('RESET ROLE');
    my $before = $sums->();
    $super->query("INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (1, 1, timestamptz '$edge' - interval '50 days', '$edge')");
    follow($worker);
    is $sums->(), $before, 'changes are followed';
    $super->query("DELETE FROM core.sample WHERE time < '$edge'");
    $super->query("INSERT INTO core.change (tenant_id, series_id, from_time, to_time) SELECT 1, g, '-infinity', now() FROM generate_series(1, 3) g");
    follow($worker);
    is $sums->(), $before, 'samples that retention took stay in the rollups';
    store($ingest, 'true', [ 1, "timestamptz '$edge' - interval '40 days' + interval '1 second'", 512 ]);
    follow($worker);
    is $sums->(), $before, 'one that comes later than that does not put itself in their place';
    my $old = "timestamptz '$edge' - interval '200 days'";
    $ingest->query("SELECT api.partitions_ensure($old, $old)");
    store($ingest, 'true', [ 1, "$old + interval '1 second'", 2 ]);
    is follow($worker), 5, 'where there was nothing it makes rows';
    store($ingest, 'true', [ 1, "$old + interval '2 seconds'", 4 ]);
    follow($worker);
    is $super->text("SELECT count, sum FROM core.rollup_15m WHERE series_id = 1 AND bucket = date_bin('15 minutes', $old, '2000-01-01+00')"), '2 6',
        'which take in what comes after it';
    is $super->value("SELECT core.floor_raise('fine', timestamptz '$edge' - interval '10 days') AND core.floor_raise('raw', '$edge')"), 't', 'quarter hours go too';
    $super->query("DELETE FROM core.rollup_$_ WHERE bucket < timestamptz '$edge' - interval '10 days'") for qw(15m 1h);
    my $days = $super->text('SELECT sum(count), sum(sum) FROM core.rollup_1d');
    $super->query("UPDATE core.tenant SET timezone = 'America/Los_Angeles'");
    follow($worker);
    is $super->text('SELECT sum(count), sum(sum) FROM core.rollup_1d WHERE bucket < (SELECT max(bucket) FROM core.rollup_1d)') ne '', 1, 'another zone';
    my ($was, $is) = map { (split ' ', $_)[0] } $days, $super->text('SELECT sum(count), sum(sum) FROM core.rollup_1d');
    my $open = "SELECT coalesce(sum(count), 0) FROM core.rollup_15m WHERE bucket >= date_trunc('day', (SELECT closed_until FROM core.rollup_state), '%s')";
    is $is + $super->value(sprintf $open, 'America/Los_Angeles'), $was + $super->value(sprintf $open, 'Europe/Berlin'),
        'loses and doubles no sample where the days of the old one end';
    return;
}

# The log of a cluster that was restored elsewhere, where transactions have other numbers.
sub check_restore {
    my ($cluster, $super, $ingest) = @_;
    my $worker = $cluster->session('tidemark_worker');
    $super->query("UPDATE core.change_reader SET done_xid = '4000000000000'");
    store($ingest, 'true', [ 2, "now() - interval '3 days'", 64 ]);
    $super->query("UPDATE core.change SET xid = '3999999999999'");
    cmp_ok follow($worker), '>=', 2, 'changes are followed after a restore';
    cmp_ok $super->value('SELECT done_xid FROM core.change_reader WHERE name = \'rollup\''), '<', 4e12, 'and counted anew';
    $super->query("UPDATE core.change_reader SET seen = '4000000000000:4000000000000:' WHERE name = 'rollup'");
    store($ingest, 'true', [ 2, "now() - interval '3 days' + interval '1 hour'", 32 ]);
    cmp_ok follow($worker), '>=', 2, 'so are those whose numbers were seen in the cluster before';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my ($super, $ingest) = populate($cluster);
    check_closing($cluster, $super);
    if ($cluster->{wanted} eq 'timescaledb') {
        $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.sample', older_than => now() - interval '20 days') c");
        # what follows below reaches buckets that are compressed
        for my $grain (qw(15m 1h 1d 1w 1mo)) {
            $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.rollup_$grain') c");
            is $super->value("SELECT count(*) FILTER (WHERE NOT is_compressed) FROM ops.chunk_list('core.rollup_$grain')"), 0, "rollup_$grain is compressed";
        }
    }
    check_following($cluster, $super, $ingest);
    check_parts($super, $ingest);
    check_stamp($cluster, $ingest);
    check_guard($cluster, $super, $ingest);
    check_workers($cluster, $super, $ingest);
    check_long_transactions($cluster, $super, $ingest);
    check_zones($cluster, $super);
    check_floors($cluster, $super, $ingest);
    check_restore($cluster, $super, $ingest);
});

done_testing;
