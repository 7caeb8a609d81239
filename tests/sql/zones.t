#!/usr/bin/env perl
# Every time zone that the server knows, over ten years: local days, weeks and months begin one
# after the other without a gap, every quarter hour belongs to exactly one of each, and days begin
# where the system's own zone files say.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(mktime strftime tzset);
use Test::More;
use Tidemark::Cluster;
use Time::Local qw(timegm);

my ($FROM, $TO) = ('2016-01-01 00:00+00', '2026-01-01 00:00+00');
my @SYSTEM_ZONES = qw(UTC America/Los_Angeles America/St_Johns America/Sao_Paulo America/Havana America/Asuncion Europe/Berlin
    Europe/Dublin Africa/Casablanca Asia/Beirut Asia/Gaza Asia/Kathmandu Asia/Tehran Asia/Pyongyang Australia/Lord_Howe
    Pacific/Chatham Pacific/Apia Pacific/Kiritimati Antarctica/Troll);

# Zones that show the same times through the ten years are one kind; the first by name stands for
# them.
sub kinds {
    my ($super) = @_;
    $super->query(<<"SQL");
SET jit = off;
CREATE TEMP TABLE kind AS
SELECT min(z.name) AS tz, count(*) AS zones, z.offsets
FROM (SELECT n.name, (SELECT array_agg(ROW(o.from_time, o.offset_s)::text ORDER BY o.from_time)
                      FROM api.zone_offsets(n.name, '$FROM', '$TO') o) AS offsets
      FROM pg_timezone_names n WHERE n.name NOT LIKE 'posix%') z
GROUP BY z.offsets;
CREATE TEMP TABLE edge AS
SELECT k.tz, b.start AS at FROM kind k
CROSS JOIN LATERAL (SELECT min(o.from_time) FROM api.zone_offsets(k.tz, '$FROM', '$TO') o) x
CROSS JOIN LATERAL api.zone_offsets(k.tz, '$FROM', '$TO') WITH ORDINALITY AS b (start, offset_s, ord)
WHERE b.ord > 1;
CREATE TEMP TABLE bucket AS
SELECT k.tz, g.grain, b.start, lead(b.start) OVER (PARTITION BY k.tz, g.grain ORDER BY b.start) AS stop
FROM kind k CROSS JOIN unnest('{1d,1w,1mo}'::text[]) AS g (grain)
CROSS JOIN LATERAL api.bucket_starts(k.tz, g.grain, '$FROM', '$TO') b;
CREATE INDEX ON bucket (grain, tz, start);
ANALYZE bucket;
-- a zone's days lie beside each other in the index
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SQL
    return;
}

sub check_buckets {
    my ($super) = @_;
    my ($kinds, $zones) = @{ ($super->query('SELECT count(*), sum(zones) FROM kind'))[0] };
    cmp_ok $zones, '>', 500, "$zones zones, of $kinds kinds";
    my $none = sub { my ($name, $sql) = @_; is $super->text("$sql LIMIT 3"), '', $name; return };
    $none->('all edges lie on quarter hours', "SELECT tz, grain, start FROM bucket WHERE date_part('epoch', start)::bigint % 900 <> 0");
    # Antarctica/Casey moved its clock by three hours
    $none->('days are of 21 to 27 hours', "SELECT tz, start, stop FROM bucket WHERE grain = '1d' AND stop - start NOT BETWEEN '21:00' AND '27:00'");
    $none->('no bucket is longer than readers think', 'SELECT tz, grain, start, stop FROM bucket WHERE stop - start > core.grain_longest(grain)');
    $none->('of every local date there is one day', "SELECT tz, grain, d, count(*) FROM (SELECT tz, grain, (start AT TIME ZONE tz)::date AS d FROM bucket) x"
            . ' GROUP BY 1, 2, 3 HAVING count(*) > 1');
    $none->('and none is missing', "SELECT x.tz, x.d FROM (SELECT tz, (start AT TIME ZONE tz)::date AS d, lag((start AT TIME ZONE tz)::date) OVER w AS before"
            . " FROM bucket WHERE grain = '1d' WINDOW w AS (PARTITION BY tz ORDER BY start)) x WHERE d - before <> 1");
    $none->('weeks and months begin with a day', "SELECT b.tz, b.grain, b.start FROM bucket b WHERE b.grain <> '1d'"
            . " AND NOT EXISTS (SELECT FROM bucket d WHERE d.grain = '1d' AND d.tz = b.tz AND d.start = b.start)");
    $none->('weeks on Mondays, months on a first', "SELECT tz, grain, start FROM bucket WHERE grain = '1w' AND date_part('isodow', start AT TIME ZONE tz) <> 1"
            . " OR grain = '1mo' AND date_part('day', start AT TIME ZONE tz) <> 1");
    $none->('whole weeks and months are their days together', "SELECT b.tz, b.grain, b.start, count(*), sum(d.stop - d.start) FROM bucket b"
            . " JOIN bucket d ON d.grain = '1d' AND d.tz = b.tz AND d.start >= b.start AND d.start < b.stop WHERE b.grain <> '1d'"
            . " GROUP BY b.tz, b.grain, b.start, b.stop HAVING sum(d.stop - d.start) <> b.stop - b.start"
            . " OR count(*) <> CASE b.grain WHEN '1w' THEN 7 ELSE ((b.start AT TIME ZONE b.tz + interval '1 month')::date - (b.start AT TIME ZONE b.tz)::date) END");
    $none->('the whole time is the days together', "SELECT tz FROM bucket WHERE grain = '1d' GROUP BY tz HAVING sum(stop - start) <> max(start) - min(start)");
    # where rollups are derived, a quarter hour finds its bucket by core.local_start
    $none->('the first and the last quarter hour of each are in it', "SELECT b.tz, b.grain, b.start FROM bucket b"
            . " CROSS JOIN LATERAL (SELECT CASE b.grain WHEN '1d' THEN 'day' WHEN '1w' THEN 'week' ELSE 'month' END AS unit) u"
            . " WHERE b.stop IS NOT NULL AND (core.local_start(u.unit, b.start, b.tz) <> b.start"
            . " OR core.local_start(u.unit, b.stop - interval '15 minutes', b.tz) <> b.start)");
    $none->('and so are those around each change of the clock', "SELECT e.tz, q.at, b.start FROM edge e"
            . " CROSS JOIN LATERAL generate_series(e.at - interval '3 hours', e.at + interval '3 hours', interval '15 minutes') AS q (at)"
            . " JOIN bucket b ON b.grain = '1d' AND b.tz = e.tz AND b.start BETWEEN q.at - interval '27 hours' AND q.at AND b.stop > q.at WHERE core.local_start('day', q.at, e.tz) <> b.start");
    # Antarctica/Casey moved at a minute past midnight: there a quarter hour is cut
    $none->('quarter hours begin within their days', "SELECT b.tz, b.start FROM bucket b JOIN edge e ON e.tz = b.tz AND e.at >= b.start AND e.at < b.stop AND date_part('epoch', e.at)::bigint % 900 = 0"
            . " CROSS JOIN LATERAL (SELECT count(*) AS n, min(s.start) AS first FROM api.bucket_starts(b.tz, '15m', b.start, b.stop) s) q"
            . " WHERE b.grain = '1d' AND (q.first <> b.start OR q.n <> date_part('epoch', b.stop - b.start) / 900)");
    return;
}

# Days' starts by the C library: the first quarter hour that shows the date.
sub system_days {
    my ($zone) = @_;
    local $ENV{TZ} = $zone;
    tzset();
    my ($at, $before, @starts) = (timegm(0, 0, 0, 1, 0, 2016), '');
    my $date = sub { my @clock = localtime $_[0]; return sprintf '%04d-%02d-%02d', $clock[5] + 1900, $clock[4] + 1, $clock[3] };
    my $end = timegm(0, 0, 0, 1, 0, 2026);
    $before = $date->($at - 900);
    while ($at < $end) {
        my $today = $date->($at);
        if ($today gt $before) {
            push @starts, $at;
            $before = $today;
            $at += 22 * 3600;
        } else {
            $at += 900;
        }
    }
    return join ' ', @starts;
}

sub check_system {
    my ($super) = @_;
    plan skip_all => 'the system has no zone files' if !-e '/usr/share/zoneinfo/Australia/Lord_Howe';
    for my $zone (@SYSTEM_ZONES) {
        my $starts = $super->value("SELECT string_agg(date_part('epoch', b.start)::bigint::text, ' ' ORDER BY b.start) FROM api.bucket_starts('$zone', '1d', '$FROM', '$TO') b");
        ok $starts eq system_days($zone), "$zone: days begin where the system says";
    }
    return;
}

# The functions are the same bytes on each engine: one is asked for every zone, the others for the
# days, weeks and months of the zones below.
my $checked;
sub fingerprint {
    my ($super) = @_;
    my $zones = join ',', @SYSTEM_ZONES;
    return $super->text("SELECT count(*), md5(string_agg(z.tz || g.grain || date_part('epoch', b.start), ' ' ORDER BY z.tz, g.grain, b.start))"
            . " FROM unnest('{$zones}'::text[]) AS z (tz) CROSS JOIN unnest('{1d,1w,1mo}'::text[]) AS g (grain)"
            . " CROSS JOIN LATERAL api.bucket_starts(z.tz, g.grain, '$FROM', '$TO') b");
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    my $buckets = fingerprint($super);
    if (defined $checked) {
        is $buckets, $checked, 'the same buckets';
        return;
    }
    $checked = $buckets;
    kinds($super);
    check_buckets($super);
    subtest 'the system\'s zone files' => sub { check_system($super) };
});

done_testing;
