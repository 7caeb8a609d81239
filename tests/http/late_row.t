#!/usr/bin/perl
# One late reading among 192,000 rows of quarter hours is seen in every bucket within 30 seconds,
# and rewrites no more rows than it has to; and a tenant that is erased takes nothing of another's
# rollups along. With the stack's own worker.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Stack;
use Time::HiRes qw(time sleep);

my $SERIES = 20;
my $DAYS = 100;
my @TABLES = qw(rollup_15m rollup_1h rollup_1d rollup_1w rollup_1mo energy_15m energy_1d);

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', $_, '--timezone', 'Europe/Berlin') for qw(home mills);
my $token = $stack->token('home', 'device', '--backfill');
my $reader = $stack->token('home', 'api');
my $day = int(time / 86400 - 1) * 86400 - $DAYS * 86400;    # until the day before yesterday: what is over is closed at any hour

# Waits until a query's only value is what it should be; false after `seconds`.
sub await {
    my ($wanted, $seconds, $query) = @_;
    my $until = time + $seconds;
    my $value;
    while (time < $until) {
        return 1 if ($value = $query->()) eq $wanted;
        sleep 0.2;
    }
    diag "still $value instead of $wanted";
    return 0;
}

sub is_at_rest {
    return $stack->sql('SELECT (SELECT count(*) FROM core.rollup_dirty) + (SELECT count(*) FROM core.rollup_recast)'
            . " + (SELECT count(*) FROM core.change c, core.change_reader r WHERE r.name = 'rollup' AND c.xid >= r.done_xid)");
}

# A hundred days of readings, one every quarter hour, of twenty series.
for my $at (0, 1) {
    my $answer = $stack->post('/v1/events/batch', [ map { { device => sprintf('meter-%02d', $_), time => $day + $at * 900, metrics => { energy_kwh => 1 } } }
        1 .. $SERIES ], token => $token);
    is $answer->{status}, 200, 'each series has a reading';
}
$stack->sql("SELECT api.partitions_ensure(to_timestamp($day), now())");
$stack->sql("INSERT INTO core.sample SELECT s.tenant_id, s.id, g, 1 FROM core.series s, generate_series(to_timestamp($day),"
        . " to_timestamp($day) + interval '$DAYS days' - interval '15 minutes', interval '15 minutes') g ON CONFLICT DO NOTHING;"
        . " INSERT INTO core.change (tenant_id, series_id, from_time, to_time) SELECT s.tenant_id, s.id, to_timestamp($day),"
        . " to_timestamp($day) + interval '$DAYS days' FROM core.series s");
ok await(0, 240, \&is_at_rest), 'the worker rolls them up';
my $rows = $stack->sql('SELECT count(*) FROM core.rollup_15m');
is $rows, $SERIES * $DAYS * 96, '192,000 rows of quarter hours';

# ---- the late reading ----

my $before = $stack->sql('SELECT pg_current_xact_id()');
my $at = $day + 50 * 86400 + 12 * 3600 + 60;
my ($from, $to) = ($at - 40 * 86400, $at + 86400);

sub read_day {
    my $answer = $stack->get("/v1/devices/meter-07/samples?metric=energy_kwh&bucket=1d&from=$from&to=$to&limit=1000", token => $reader);
    my ($found) = grep { $_->{max} > 100 } @{ $answer->{json}{items} };
    return $found ? $found->{sum} : 0;
}

is read_day(), 0, 'before it';
is $stack->post('/v1/event', { device => 'meter-07', time => $at, metrics => { energy_kwh => 1000 } }, token => $token)->{status}, 200, 'a reading of fifty days ago';
my $posted = time;
ok await(1096, 30, \&read_day), 'is in its day within 30 seconds';
diag sprintf '%.1f s', time - $posted;
for my $bucket (qw(15m 1h 1w 1mo)) {
    my $answer = $stack->get("/v1/devices/meter-07/samples?metric=energy_kwh&bucket=$bucket&from=$from&to=$to&limit=1000&cursor=", token => $reader);
    my $table = $stack->sql("SELECT max(max) FROM core.rollup_$bucket");
    is $table, 1000, "and in its $bucket";
}
ok await(0, 30, \&is_at_rest), 'the worker is done';
my $changed = 0;
for my $table (@TABLES) {
    $changed += $stack->sql("SELECT count(*) FROM core.$table r WHERE r.xmin::text::bigint > ${before}::bigint % 4294967296");
}
cmp_ok $changed, '>=', 5, 'the five buckets were written';
cmp_ok $changed, '<=', 200, "and $changed rows in all";

# ---- another tenant's end ----

my $other = $stack->token('mills', 'device', '--backfill');
is $stack->post('/v1/events/batch', [ map { { device => 'meter-07', time => $day + $_ * 900, metrics => { energy_kwh => 2 } } } 1 .. 500 ],
    token => $other)->{status}, 200, 'another tenant has a device of the same key';
ok await(0, 60, \&is_at_rest), 'it is rolled up';
my $print = sub {
    return join ' ', map { scalar $stack->sql("SELECT count(*) || ' ' || md5(string_agg(r::text, ',' ORDER BY r::text)) FROM core.$_ r WHERE tenant_id = 1") } @TABLES;
};
my $was = $print->();
my $doomed = $stack->sql("SELECT count(*) FROM core.rollup_15m WHERE tenant_id = 2");
cmp_ok $doomed, '>', 400, 'it has rollups';
$stack->cli('tenant', 'remove', 'mills', '--yes');
ok await(0, 30, \&is_at_rest), 'it is erased';
is $stack->sql('SELECT count(*) FROM core.rollup_15m WHERE tenant_id = 2'), 0, 'with its rollups';
is $print->(), $was, 'and not a row of the other tenant\'s is another';

done_testing;
