#!/usr/bin/env perl
# Kept energy: quarter hours and local days of three kinds of series, while quarter hours close,
# readings come late, are corrected and deleted, against answers worked out by hand and against a
# recount in Perl from the readings alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max min);
use POSIX qw(floor);
use Test::More;
use Tidemark::Cluster;
use Tidemark::Readings qw(epoch instant series store erase stand_at close_until follow shown kept made_anew);

my @ZONES = ('America/Los_Angeles', 'Asia/Kolkata', 'Australia/Lord_Howe');

# ---- by hand ----

# What the series tells in quarter hours, as costs read it: each with its kWh.
sub quarters {
    my ($web, $from, $to, @series) = @_;
    my $ids = join ', ', map { $_->{id} } @series;
    return $web->text("SELECT to_char(u.at AT TIME ZONE 'UTC', 'HH24:MI'), trim_scale(u.nkwh / 1e9)"
        . " FROM api.energy_quarters(ARRAY[$ids], '2024-05-01 $from+00', '2024-05-01 $to+00') q,"
        . ' unnest(q.quarters, q.nkwh) AS u (at, nkwh) ORDER BY q.series_id, u.at');
}

sub check_counter {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'counter', 'UTC', 'meter_kwh_total', 'counter');
    my $t = epoch('2024-05-01');
    my $hours = sub { return shown($web, 'counter', '1h', '2024-05-01', '2024-05-02', 'HH24') };
    stand_at($cluster, '2024-05-01 00:00+00');
    store($cluster, $meter, $t + 1800 => 100, $t + 5400 => 102, $t + 9000 => 104);
    is $hours->(), '00 1; 01 2; 02 1', 'open: a counter\'s rise is spread over the time between';
    close_until($cluster, '2024-05-01 01:30+00');
    is $hours->(), '00 1; 01 2; 02 1', 'the step that ends where closing stands is still open';
    close_until($cluster, '2024-05-01 01:45+00');
    is $hours->(), '00 1; 01 2; 02 1', 'closed and open together';
    my $super = $cluster->session('tidemark_super');
    is $super->text("SELECT count(*), sum(nkwh) FROM core.energy_15m WHERE series_id = $meter->{id}"), '4 2000000000',
        'the table holds the first step, in four quarter hours';
    is quarters($web, '00:00', '12:00', $meter), join('; ', map {"$_ 0.5"} qw(00:30 00:45 01:00 01:15 01:30 01:45 02:00 02:15)),
        'costs read those of the table and those of the step that is open';
    is quarters($web, '00:45', '01:15', $meter), '00:45 0.5; 01:00 0.5', 'what is closed alone';
    is quarters($web, '01:30', '01:45', $meter), '01:30 0.5', 'what is open alone';
    is quarters($web, '02:30', '12:00', $meter), '', 'and nothing where there is nothing';
    close_until($cluster, '2024-05-01 12:00+00');
    is $hours->(), '00 1; 01 2; 02 1', 'all closed';
    is shown($web, 'counter', '15m', '2024-05-01 01:00', '2024-05-01 02:00', 'MI'), '00 0.5; 15 0.5; 30 0.5; 45 0.5',
        'quarter hours';
    store($cluster, $meter, $t + 3600 => 102);
    follow($cluster);
    is $hours->(), '00 2; 01 1; 02 1', 'a reading between two others parts their step';
    store($cluster, $meter, $t + 3600 => 101.5);
    follow($cluster);
    is $hours->(), '00 1.5; 01 1.5; 02 1', 'a correction moves it';
    erase($cluster, $meter, $t + 3600, $t + 3600);
    follow($cluster);
    is $hours->(), '00 1; 01 2; 02 1', 'a deletion puts it back';
    store($cluster, $meter, $t + 12600 => 3, $t + 27000 => 11);
    is $hours->(), '00 1; 01 2; 02 1', 'what comes late is not there until it is followed';
    follow($cluster);
    is $hours->(), '00 1; 01 2; 02 2.5; 03 2.5; 04 2; 05 2; 06 2; 07 1', 'a fall that is not taken back is a restart from zero; an outage is spread';
    is shown($web, 'counter', '1d', '2024-05-01', '2024-05-02', 'DD'), '01 15', 'the day is their sum';
    erase($cluster, $meter, $t, $t + 86400);
    follow($cluster);
    is $hours->(), '', 'nothing is left of what was deleted';
    is $super->text("SELECT count(*) FROM core.energy_15m WHERE series_id = $meter->{id}"), '0', 'in the table neither';
    is $super->text("SELECT count(*) FROM core.energy_1d WHERE series_id = $meter->{id}"), '0', 'nor in that of days';
    return;
}

sub check_gauge {
    my ($cluster, $web) = @_;
    my $power = series($cluster, 'gauge', 'UTC', 'power_w', 'gauge');
    my $t = epoch('2024-05-02');
    my $hours = sub { return shown($web, 'gauge', '1h', '2024-05-02', '2024-05-03', 'HH24') };
    stand_at($cluster, '2024-05-02 00:00+00');
    store($cluster, $power, $t + 1800 => 1000, $t + 5400 => 2000, $t + 9000 => 0, $t + 12601 => 500, $t + 14401 => 500);
    my $expected = '00 0.625; 01 1.625; 02 0.25; 03 0.249861111; 04 0.000138889';
    is $hours->(), $expected, 'the trapezoid, cut at the hours; nothing over a gap of more than an hour';
    for my $until ('02:15', '03:00', '20:00') {
        close_until($cluster, "2024-05-02 $until+00");
        is $hours->(), $expected, "the same when closed until $until";
    }
    store($cluster, $power, $t + 10800 => 1000);
    follow($cluster);
    is $hours->(), '00 0.625; 01 1.625; 02 0.5; 03 0.625069444; 04 0.000138889',
        'a late reading bridges the gap: 0.25 kWh before it, 0.375208 kWh after it';
    my $second = series($cluster, 'second', 'UTC', 'power_w', 'gauge');
    store($cluster, $second, map { ($t + $_ => 1) } 0 .. 900);
    follow($cluster);
    is shown($web, 'second', '15m', '2024-05-02', '2024-05-03', 'HH24:MI'), '00:00 0.0002502',
        'a watt told every second for a quarter hour is not rounded away (277.8 nano-kWh a second, kept as 278)';
    return;
}

sub check_delta {
    my ($cluster, $web) = @_;
    my $plug = series($cluster, 'delta', 'America/Los_Angeles', 'energy_kwh', 'delta');
    my $t = epoch('2024-11-03 07:00');    # midnight of a day of 25 hours
    stand_at($cluster, '2024-11-03 07:00+00');
    store($cluster, $plug, map { ($t + 3600 * $_ => 1) } 0 .. 25);
    for my $until ('2024-11-03 20:00', '2024-11-10 00:00') {
        close_until($cluster, "$until+00");
        is shown($web, 'delta', '1d', '2024-11-03 07:00', '2024-11-06'), '03 07:00 25; 04 08:00 1',
            "a day of 25 hours (closed until $until)";
    }
    is shown($web, 'delta', '1w', '2024-10-28 07:00', '2024-11-06'), '28 07:00 25; 04 08:00 1', 'weeks begin on Monday';
    is shown($web, 'delta', '1mo', '2024-11-01', '2024-12-01', 'MM-DD'), '11-01 26', 'a month';
    $cluster->session('tidemark_super')->query("UPDATE core.site SET timezone = 'Asia/Kolkata' WHERE key = 'America/Los_Angeles'");
    follow($cluster);
    is shown($web, 'delta', '1d', '2024-11-01', '2024-11-06'), '02 18:30 12; 03 18:30 14', 'another zone, other days';
    is shown($web, 'delta', '1h', '2024-11-03 18:00', '2024-11-03 20:00'), '03 18:30 1; 03 19:30 1', 'and other hours';
    $cluster->session('tidemark_super')->query("UPDATE core.site SET timezone = 'America/Los_Angeles' WHERE key = 'America/Los_Angeles'");
    follow($cluster);
    is shown($web, 'delta', '1d', '2024-11-01', '2024-11-06'), '03 07:00 25; 04 08:00 1', 'and back';
    $cluster->session('tidemark_super')->query("UPDATE core.series SET unit = 'Wh' WHERE id = $plug->{id}");
    follow($cluster);
    is shown($web, 'delta', '1d', '2024-11-01', '2024-11-06'), '03 07:00 0.025; 04 08:00 0.001', 'another unit, other amounts';
    $cluster->session('tidemark_super')->query("UPDATE core.series SET role = 'none' WHERE id = $plug->{id}");
    follow($cluster);
    is shown($web, 'delta', '1d', '2024-11-01', '2024-11-06'), '', 'what is no energy is not listed';
    $cluster->session('tidemark_super')->query("UPDATE core.series SET role = 'consumption', kind = 'counter', unit = 'kWh' WHERE id = $plug->{id}");
    follow($cluster);
    is shown($web, 'delta', '1d', '2024-11-01', '2024-11-06'), '03 07:00 0', 'as a counter it never rose, and ends where the next day begins';
    return;
}

# Retention takes samples, not energy.
sub check_floor {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'floor', 'UTC', 'meter_kwh_total', 'counter');
    my $t = epoch('2024-05-01');
    stand_at($cluster, '2024-05-05 00:00+00');
    store($cluster, $meter, map { ($t + 7200 * $_ => $_) } 0 .. 36);
    follow($cluster);
    my $days = sub { return shown($web, 'floor', '1d', '2024-05-01', '2024-05-06', 'DD') };
    is $days->(), '01 12; 02 12; 03 12', 'a kWh every two hours';
    my $super = $cluster->session('tidemark_super');
    is $super->value("SELECT core.floor_raise('raw', '2024-05-02 01:00+00', 1)"), 't', 'the floor is raised';
    $super->query("DELETE FROM core.sample WHERE series_id = $meter->{id} AND time < '2024-05-02 01:00+00'");
    is $days->(), '01 12; 02 12; 03 12', 'what retention took is still counted';
    store($cluster, $meter, $t + 86400 + 9000 => 14);
    follow($cluster);
    is shown($web, 'floor', '1h', '2024-05-02', '2024-05-02 05:00', 'HH24'), '00 0.5; 01 0.5; 02 1; 03 0; 04 0.5',
        'a late reading changes what the samples still tell';
    is $days->(), '01 12; 02 12; 03 12', 'and nothing before';
    $super->query("UPDATE core.series SET unit = 'MWh' WHERE id = $meter->{id}");
    follow($cluster);
    is shown($web, 'floor', '1d', '2024-05-01', '2024-05-02', 'DD'), '01 12', 'neither does another unit';
    return;
}

# The best source of a device counts on each day it has data, and no other.
sub check_sources {
    my ($cluster, $web) = @_;
    my $power = series($cluster, 'sources', 'UTC', 'power_w', 'gauge');
    my $plug = series($cluster, 'sources', 'UTC', 'energy_kwh', 'delta');
    my $t = epoch('2024-05-01');
    stand_at($cluster, '2024-05-03 12:00+00');
    store($cluster, $power, map { ($t + 86400 * $_ => 1000, $t + 86400 * $_ + 3600 => 1000) } 0 .. 4);
    store($cluster, $plug, map { ($t + 86400 * $_ + 7200 => 7) } 1, 4);
    follow($cluster);
    is shown($web, 'sources', '1d', '2024-05-01', '2024-05-08', 'DD'), '01 1; 02 7; 03 1; 04 1; 05 7',
        'days with intervals, closed and open; power speaks for the others';
    is shown($web, 'sources', '1h', '2024-05-01', '2024-05-03', 'DD HH24'), '01 00 1; 02 02 7', 'hours say the same';
    my $hours = join ',', (250_000_000) x 8;    # of two days: 1 kW for an hour each
    is $web->text(<<'SQL'),
WITH told AS MATERIALIZED (SELECT * FROM api.energy_closed('2024-05-02 00:00+00', '2024-05-02 00:00+00'), api.energy_open())
SELECT s.device, s.role, s.metric, s.zone, q.at[1], q.nkwh, to_char(d.at[1], 'DD HH24'), d.nkwh, to_char(o.at[1], 'DD HH24'), o.nkwh
FROM api.energy_sources() s CROSS JOIN told t
CROSS JOIN LATERAL (SELECT array_agg(x.at ORDER BY x.at) AS at, array_agg(x.nkwh ORDER BY x.at) AS nkwh
                    FROM unnest(t.quarter_series, t.quarters, t.quarter_nkwh) AS x (id, at, nkwh) WHERE x.id = s.series_id) q
CROSS JOIN LATERAL (SELECT array_agg(x.at ORDER BY x.at) AS at, array_agg(x.nkwh ORDER BY x.at) AS nkwh
                    FROM unnest(t.day_series, t.days, t.day_nkwh) AS x (id, at, nkwh) WHERE x.id = s.series_id) d
CROSS JOIN LATERAL (SELECT array_agg(x.at ORDER BY x.at) AS at, array_agg(x.nkwh ORDER BY x.at) AS nkwh
                    FROM unnest(t.open_series, t.open, t.open_nkwh) AS x (id, at, nkwh) WHERE x.id = s.series_id) o
WHERE s.device = 'sources'
SQL
        'sources consumption energy_kwh UTC 2024-05-02 02:00:00+00 {7000000000} 02 00 {7000000000} 05 02 {7000000000}; '
        . 'sources consumption power_w UTC 2024-05-02 00:00:00+00 ' . "{$hours} 02 00 {1000000000,1000000000} 04 00 {$hours}",
        'what the overview adds up: each source by itself';
    my $super = $cluster->session('tidemark_super');
    series($cluster, 'sources', 'UTC', "grid_import_${_}kwh_total", 'counter') for 't2_', '', 't1_', 'l3_', 'l1_', 'l2_';
    $super->query("SELECT set_config('tidemark.tenant_id', (SELECT tenant_id::text FROM core.device WHERE key = 'sources'), false)");
    my $order = 'SELECT string_agg(format($$%s %s %s$$, x.device, x.role, x.metric), $$, $$ ORDER BY x.n) FROM';
    is $super->text("$order (SELECT s.*, row_number() OVER () AS n FROM api.energy_sources() s) x"),
        $super->text("$order (SELECT e.*, row_number() OVER (ORDER BY e.device, e.role COLLATE \"C\", e.place, e.series_id) AS n"
            . ' FROM core.energy_series(core.tenant()) e) x'), 'in the order in which bills rank them';
    is $super->text("SELECT e.metric, e.place FROM core.energy_series(core.tenant()) e WHERE e.device = 'sources' AND e.role = 'grid_import' ORDER BY 2, 1"),
        'grid_import_kwh_total 1; ' . join('; ', map { "grid_import_l${_}_kwh_total 2" } 1 .. 3) . '; grid_import_t1_kwh_total 3; grid_import_t2_kwh_total 3',
        'the whole, then its phases together, then its registers together';
    $super->query("SELECT set_config('tidemark.tenant_id', '', false)");
    return;
}

# What adds up: the metrics behind a name have it in common. Those of `=` are alone.
my @FAMILIES = (
    [ counter => 'grid_import_{register}_kwh_total' => qw(grid_import_t1_kwh_total grid_import_tariff_3_kwh_total grid_import_HT_kwh_total grid_import_nt_kwh_total) ],
    [ counter => 'grid_import_{phase}_kwh_total' => qw(grid_import_l1_kwh_total grid_import_phase_c_kwh_total grid_import_a_kwh_total) ],
    [ delta => 'grid_import_{register}_kwh' => qw(grid_import_peak_kwh grid_import_offpeak_kwh grid_import_off_peak_kwh grid_import_rate1_kwh) ],
    [ counter => '1.8.{register}_kwh' => qw(1.8.1_kwh 1.8.2_kwh) ],
    [ gauge => '{phase}_power_w' => qw(l1_power_w l3_power_w c_power_w) ],
    [ gauge => 'grid.{phase}.w' => qw(grid.phase_a.w grid.phase-b.w grid.leg2.w) ],
    [ gauge => '{channel}_w' => qw(ch1_w ch_2_w channel12_w pv1_w) ],
    [ gauge => 'power_{channel}_w' => qw(power_1_w power_12_w) ],
    [ gauge => '=' => qw(kitchen_w bedroom_w power_w power2_w power_peak_w t1_w power_avg_15_min_w meter_4711_w) ],
    [ counter => '=' => qw(grid_import_kwh_total 1.8.0_kwh 2.8.0_kwh import_t10_kwh_total heat_pump_kwh_total last_1_3_kwh_total) ],
    [ delta => '=' => qw(Solar_kwh energy_kwh day_kwh night_kwh ac_kwh) ],
);

sub check_families {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    for my $case (@FAMILIES) {
        my ($kind, $name, @metrics) = @$case;
        is $super->text("SELECT core.energy_family('$kind', m.name) FROM unnest('{" . join(',', @metrics) . "}'::text[]) WITH ORDINALITY AS m (name, n) ORDER BY m.n"),
            join('; ', map { $name eq '=' ? $_ : $name } @metrics), "$kind: " . ($name eq '=' ? 'each is one by itself' : "parts of $name");
    }
    return;
}

# ---- counters that fall ----

# [what, readings by the minute of the day, grain, energy]
my @FALLS = (
    [ 'a gateway that starts tells 0 for a register of 48000: left out, the half hour around it is even',
        { 0 => 48_000, 15 => 48_000.25, 30 => 0, 45 => 48_000.75, 60 => 48_001 }, '15m', '00:00 0.25; 00:15 0.25; 00:30 0.25; 00:45 0.25' ],
    [ 'a reading a little lower is 0, and the way back is not counted', { 0 => 1000, 15 => 1000.5, 30 => 1000.4, 45 => 1000.9, 60 => 1001.5 }, '15m', '00:00 0.5; 00:15 0; 00:30 0.4; 00:45 0.6' ],
    [ 'so are two, up and down', { 0 => 1000, 15 => 999.9, 30 => 999.95, 45 => 1000.25 }, '15m', '00:00 0; 00:15 0; 00:30 0.25' ],
    [ 'two gateways, of which one is behind', { map { ($_ * 5 => 1000 + $_ / 8 - ($_ % 2 ? 0.25 : 0)) } 0 .. 12 }, '1h', '00 1.5' ],
    [ 'a register that was set back by a twentieth goes on after three readings',
        { 0 => 1000, 15 => 950, 30 => 951, 45 => 952, 60 => 953, 75 => 954 }, '15m', '00:00 0; 00:15 0; 00:30 0; 00:45 1; 01:00 1' ],
    [ 'a restart: 0.25 since the last reading of before, and on', { 0 => 1000, 15 => 1000.5, 30 => 0.25, 45 => 0.75, 60 => 1.25 }, '15m', '00:00 0.5; 00:15 0.25; 00:30 0.5; 00:45 0.5' ],
    [ 'a gateway that counts from zero until it knows better: 2 kWh in an hour around it',
        { 0 => 1000, 15 => 1000.5, 30 => 0.1, 45 => 0.6, 60 => 1.1, 75 => 1002.5 }, '15m', '00:00 0.5; 00:15 0.5; 00:30 0.5; 00:45 0.5; 01:00 0.5' ],
    [ 'false readings between true ones, again and again', { map { ($_ * 15 => $_ % 2 ? 0 : 48_000 + $_ / 4) } 0 .. 8 }, '1h', '00 1; 01 1' ],
    [ 'a restart cannot have risen to 5000 in a quarter of an hour: that tells nothing',
        { 0 => 48_000, 15 => 48_000.25, 30 => 5000, 45 => 5000.25 }, '15m', '00:00 0.25; 00:15 0; 00:30 0.25' ],
    [ 'a daily register, and silence from after midnight until it is higher than the day before: with 2.2 kW',
        { 0 => 19.75, 15 => 20, 30 => 0.25, 45 => 0.5, 600 => 21 }, '1d', '01 21.25' ],
    [ 'a daily register that is read at noon and at midnight', { 0 => 0, 720 => 12, 1440 => 24, 2160 => 12, 2880 => 24, 3600 => 12 }, '1d', '01 24; 02 24; 03 12' ],
    [ 'a charger\'s register of a session: 37 kWh in a quarter of an hour are none too many where 13 follow',
        { 0 => 20, 15 => 20, 30 => 0, 45 => 37, 60 => 50 }, '1h', '00 50' ],
    [ 'sixty false readings', { 0 => 1000, (map { ($_ => 0) } 1 .. 60), 61 => 1001 }, '1h', '00 0.983606557; 01 0.016393443' ],
    [ 'a register that is read once a day', { 0 => 8000, 1440 => 8024, 2880 => 0, 4320 => 8072 }, '1d', '01 24; 02 24; 03 24' ],
    [ 'nothing is negative', { 0 => 5, 15 => -3, 30 => -4, 45 => -2, 60 => 0.5 }, '1h', '00 4.5' ],
);

# As they come; in another order, after all was closed; and made from scratch.
sub check_falls {
    my ($cluster, $web) = @_;
    my $t = epoch('2024-05-01');
    my @case = map { { what => $FALLS[$_][0], readings => $FALLS[$_][1], grain => $FALLS[$_][2], expected => $FALLS[$_][3],
            series => series($cluster, "fall $_", 'UTC', 'meter_kwh_total', 'counter') } } 0 .. $#FALLS;
    my $look = sub {
        my ($case) = @_;
        return shown($web, $case->{series}{device}, $case->{grain}, '2024-05-01', '2024-05-05', { '15m' => 'HH24:MI', '1h' => 'HH24', '1d' => 'DD' }->{ $case->{grain} });
    };
    stand_at($cluster, '2024-05-01 00:00+00');
    for my $minutes ((map { 15 * $_ } 1 .. 6), 600, 1440, 2880, 5000) {
        for my $case (@case) {
            my @due = grep { $_ < $minutes && !$case->{done}{$_}++ } sort { $a <=> $b } keys %{ $case->{readings} };
            store($cluster, $case->{series}, map { ($t + 60 * $_ => $case->{readings}{$_}) } @due) if @due;
            $case->{open} //= $look->($case) if keys %{ $case->{done} } == keys %{ $case->{readings} };
        }
        close_until($cluster, instant($t + 60 * $minutes - 60 * ($minutes % 15)));
    }
    $_->{closed} = $look->($_) for @case;
    my $ids = join ',', map { $_->{series}{id} } @case;
    my $before = kept($cluster, $ids);
    is made_anew($cluster, $ids), $before, 'what was closed as it came is the same from scratch, to the last digit';
    for my $case (@case) {
        erase($cluster, $case->{series}, $t, $t + 5 * 86400);
        follow($cluster);
        for my $minute (sort { $a * 7 % 11 <=> $b * 7 % 11 || $a <=> $b } keys %{ $case->{readings} }) {
            store($cluster, $case->{series}, $t + 60 * $minute => $case->{readings}{$minute});
            follow($cluster) if keys %{ $case->{readings} } < 20;
        }
        follow($cluster);
        is join(' | ', $case->{open}, $case->{closed}, $look->($case)), join(' | ', ($case->{expected}) x 3), $case->{what};
    }
    is kept($cluster, $ids), $before, 'and readings that come one by one in disorder make the same';
    my $newest = series($cluster, 'newest', 'UTC', 'meter_kwh_total', 'counter');
    stand_at($cluster, '2024-05-01 00:00+00');
    store($cluster, $newest, $t => 48_000, $t + 900 => 48_000.25, $t + 1800 => 0);
    my $hours = sub { return shown($web, 'newest', '1h', '2024-05-01', '2024-05-02', 'HH24') };
    is $hours->(), '00 0.25', 'a fall that is the newest reading adds nothing';
    close_until($cluster, '2024-05-01 00:45+00');
    is $hours->(), '00 0.25', 'closed, too';
    store($cluster, $newest, $t + 2700 => 48_000.75);
    is $hours->(), '00 0.75', 'and with the next reading it is right, part of it closed';
    close_until($cluster, '2024-05-01 01:00+00');
    is $hours->(), '00 0.75', 'and all';
    erase($cluster, $newest, $t + 1800, $t + 1800);
    follow($cluster);
    is $hours->(), '00 0.75', 'it makes no difference whether the false one is there';
    return;
}

# ---- at random, against a recount ----

# A counter's steps, from its readings alone: [from, to, kWh], by the rule of docs/energy.md.
sub rises {
    my ($at) = @_;
    my @t = sort { $a <=> $b } keys %{$at};
    my @v = @{$at}{@t};
    my $pace = sub {
        my ($i, $j) = @_;
        return 0 if !defined $i || !defined $j || $i < 0 || $j > $#t || $j <= $i || $t[$j] - $t[$i] > 3 * 86400;
        return 10 * ($v[$j] - $v[$i]) / ($t[$j] - $t[$i]);
    };
    my $climbs = sub { my ($rise, $seconds, @paces) = @_; return $rise <= $seconds * max(25 / 3600, @paces) };
    my %false;
    for my $i (grep { $v[ $_ + 1 ] < 0.9 * $v[$_] } 0 .. $#t - 1) {
        my ($back) = grep { $v[$_] >= 0.9 * $v[$i] } $i + 2 .. $#t;
        next if !defined $back || $back - $i > 61 || $t[$back] - $t[$i] > 3 * 86400 || $v[ $back - 1 ] >= 0.9 * $v[$back];
        my ($near) = grep { $v[$_] >= 0.9 * $v[$i] && $v[$_] <= $v[$i] } reverse max($i - 3, 0) .. $i - 1;
        next if $climbs->($v[$back] - $v[ $back - 1 ], $t[$back] - $t[ $back - 1 ],
            $pace->($near // $i - 1, $i), $pace->($i + 1, $back - 1), $pace->($back, $back + 1));
        @false{ $i + 1 .. $back - 1 } = (1) x 1e3;
    }
    my @true = grep { !$false{$_} } 0 .. $#t;
    my (@same, @rises);    # of the readings before those that a fall by a tenth or a restart does not part
    for my $n (1 .. $#true) {
        my ($last, $i) = @true[ $n - 1, $n ];
        unshift @same, $last;
        my ($rise, $goes_on) = (0, $v[$i] >= 0.9 * $v[$last]);
        my @high = grep { $t[$i] - $t[$_] <= 3 * 86400 || $_ == $last } grep {defined} @same[ 0 .. 2 ];
        if ($goes_on) {
            $rise = max(0, $v[$i] - max(@v[@high]));
        } elsif ($climbs->($v[$i], $t[$i] - $t[$last], $pace->($same[1], $last), $pace->($i, $true[ $n + 1 ]))) {
            $rise = $v[$i];
        }
        push @rises, [ @t[ $last, $i ], $rise ];
        @same = () if !$goes_on;
    }
    return @rises;
}

# kWh by quarter hour, from the readings alone.
sub recount {
    my ($series) = @_;
    my %quarter;
    my ($kind, $at, $t0) = @{$series}{qw(kind at)};
    for my $rise ($kind eq 'counter' ? rises($at) : ()) {
        my ($before, $t, $kwh) = @{$rise};
        for (my $q = 900 * floor($before / 900); $q < $t; $q += 900) {
            $quarter{$q} += $kwh * (min($q + 900, $t) - max($q, $before)) / ($t - $before);
        }
    }
    return \%quarter if $kind eq 'counter';
    for my $t (sort { $a <=> $b } keys %{$at}) {
        my $before = $t0;
        $t0 = $t;
        if ($kind eq 'delta') {
            $quarter{ 900 * floor($t / 900) } += $at->{$t};
            next;
        }
        next if !defined $before || $t - $before > 3600;
        my ($v0, $v, $width) = ($at->{$before}, $at->{$t}, $t - $before);
        for (my $q = 900 * floor($before / 900); $q < $t; $q += 900) {
            my ($from, $to) = (max($q, $before) - $before, min($q + 900, $t) - $before);
            my $power = $v0 + ($v - $v0) * ($from + $to) / 2 / $width;
            $quarter{$q} += $power * ($to - $from) / 3600 * $series->{factor};
        }
    }
    return \%quarter;
}

# What is wrong with the answers for a series, or ''.
sub difference {
    my ($web, $series, $grain) = @_;
    my @starts = map { $_->[0] } $web->query("SELECT date_part('epoch', start)::int8 FROM api.bucket_starts('$series->{zone}', '$grain', '2024-10-30', '2024-11-09')");
    my $quarters = recount($series);
    my (%expected, %got);
    for my $q (keys %{$quarters}) {
        my ($start) = grep { $_ <= $q } reverse @starts;
        $expected{$start} += $quarters->{$q};
    }
    $got{ $_->[0] } = $_->[1] for $web->query("SELECT date_part('epoch', bucket)::int8, energy_kwh"
            . " FROM api.energy_list('$grain', NULL, NULL, '$series->{device}', '2024-10-30', '2024-11-08', NULL)");
    my @wrong = grep { !defined $got{$_} || !defined $expected{$_} || abs($got{$_} - $expected{$_}) > 1e-6 }
        keys %{ { %got, %expected } };
    return join ', ', map { instant($_) . ': ' . ($got{$_} // 'none') . ' not ' . ($expected{$_} // 'none') } sort @wrong;
}

# What a register tells after so many seconds: 2 kW, a reset every other day; one in six readings is false.
sub falsely {
    my ($seconds) = @_;
    my $true = ($seconds < 86400 ? 40_000 : 0) + int($seconds % (2 * 86400) / 225) / 8;
    return rand() < 5 / 6 ? $true : (0, 0.5, $true / 2, $true - 0.125, $true * 1.0625)[ rand 5 ];
}

sub check_random {
    my ($cluster, $web) = @_;
    my $seed = $ENV{TIDEMARK_SEED} // int rand 1e6;
    srand $seed;
    my ($first, $span) = (epoch('2024-11-02'), 4 * 86400);
    my @series = map { series($cluster, "random $_->[1]", @{$_}) } [ $ZONES[0], 'energy_kwh', 'delta' ],
        [ $ZONES[1], 'meter_kwh_total', 'counter' ], [ $ZONES[2], 'power_w', 'gauge' ], [ $ZONES[0], 'load_kw', 'gauge' ],
        [ $ZONES[1], 'grid_import_kwh_total', 'counter' ];
    stand_at($cluster, '2024-11-02 00:00+00');
    my ($closed, @wrong) = $first;
    for my $round (1 .. 12) {
        for my $series (@series) {
            my $chance = rand;
            my $from = $first + 60 * int rand $span / 60;
            my @known = sort { $a <=> $b } keys %{ $series->{at} };
            if ($chance < 0.2 && @known) {
                my $at = $known[ rand @known ];
                erase($cluster, $series, $at, $at + (rand() < 0.5 ? 0 : 7200));
            } else {
                my %new = map { ($from + 60 * int rand 240 => int(rand 4000) / 8) } 1 .. 1 + rand 12;
                @new{ map { $known[ rand @known ] } 1 .. 3 } = (1.5, 2.25, 0) if $chance < 0.4 && @known;
                %new = map { ($_ => falsely($_ - $first)) } keys %new if $series == $series[-1];
                store($cluster, $series, %new);
            }
        }
        $closed += 900 * int rand 50;
        close_until($cluster, instant($closed)) if $round % 2;
        follow($cluster);
        for my $series (@series) {
            for my $grain (qw(15m 1h 1d)) {
                my $difference = difference($web, $series, $grain);
                push @wrong, "round $round, $series->{kind} $grain: $difference" if $difference;
            }
        }
        last if @wrong;
    }
    is join("\n", @wrong), '', "twelve rounds at random (TIDEMARK_SEED=$seed) equal a recount";
    my $ids = join ',', map { $_->{id} } @series;
    my $before = kept($cluster, $ids);
    is made_anew($cluster, $ids), $before, 'made from scratch the tables are the same to the last digit';
    return;
}

# What is noted of a meter holds, open and closed (meter.t has the rest).
sub check_noted {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'noted', 'UTC', 'meter_kwh_total', 'counter');
    my $t = epoch('2024-05-01');
    stand_at($cluster, '2024-05-01 00:00+00');
    store($cluster, $meter, $t => 98, $t + 3600 => 3);
    $web->query("SELECT api.meter_entry_add('noted', NULL, NULL, 'rollover', '2024-04-01', NULL, NULL, NULL, 100, NULL, NULL, '')");
    my $hours = sub { return shown($web, 'noted', '1h', '2024-05-01', '2024-05-02', 'HH24') };
    is $hours->(), '00 5', 'a register of two digits goes on after 99';
    close_until($cluster, '2024-05-02 00:00+00');
    is $hours->(), '00 5', 'closed, too';
    store($cluster, $meter, $t + 1800 => 99);
    follow($cluster);
    is shown($web, 'noted', '15m', '2024-05-01', '2024-05-02', 'MI'), '00 0.5; 15 0.5; 30 2; 45 2', 'and where a late reading comes between';
    return;
}

# Readings of meters that come once a month: each touches thousands of quarter hours.
sub check_sparse {
    my ($cluster, $web) = @_;
    my $t = epoch('2024-03-01');
    stand_at($cluster, '2024-05-01 00:00+00');
    for my $n (1 .. 6) {
        my $meter = series($cluster, "sparse $n", 'UTC', 'meter_kwh_total', 'counter');
        store($cluster, $meter, $t => 10, $t + 30 * 86400 => 730);
    }
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('beta', '', 'UTC', 'EUR'), ops.device_put('beta', 'late', 'late', '', NULL, NULL)");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 2);
    my $late = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY(SELECT device_id FROM api.ingest_devices('{late}', false)), '{power_w}', ARRAY['{}'], true)");
    $ingest->query("SELECT count(*) FROM api.ingest_samples('{2}', '{$late}', '{2024-04-01 12:05+00}', '{7}', '{t}')");
    my $step = 'SELECT ranges, is_done FROM ops.rollup_follow(1500)';
    is $cluster->session('tidemark_worker')->text($step), '4 f',
        'a step takes as many readings as their time allows: 2880 quarter hours are worth 720 samples';
    is $cluster->session('tidemark_super')->value("SELECT count(*) FROM core.rollup_1h WHERE series_id = $late"), 1,
        'another tenant\'s late reading is in the first step';
    follow($cluster);
    is $web->text("SELECT round(sum(e.energy_kwh), 6)::float8, count(*) FROM api.device d"
            . " CROSS JOIN LATERAL api.energy_list('1d', NULL, NULL, d.key, '2024-03-01', '2024-05-01', NULL) e WHERE d.key LIKE 'sparse%'"),
        '4320 180', 'and the next ones the rest';
    my $ancient = series($cluster, 'ancient', 'UTC', 'meter_kwh_total', 'counter');
    $cluster->session('tidemark_ingest')->query("SELECT api.partitions_ensure('0100-01-01', '0100-01-01');"
            . " SELECT count(*) FROM api.ingest_samples('{1,1}', '{$ancient->{id},$ancient->{id}}',"
            . " '{0100-01-01 00:05:00.000001+00,0100-01-01 00:05:00.000002+00}', '{1,2}', '{f,f}')");
    follow($cluster);
    is $cluster->session('tidemark_super')->value('SELECT count(*) FROM core.rollup_dirty'), 0,
        'two readings of which seconds of 64 bits cannot tell which came first stop nobody';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR')");
    my $web = $cluster->session('tidemark_web', tenant => 1);
    $_->($cluster, $web) for \&check_families, \&check_sources, \&check_counter, \&check_gauge, \&check_delta, \&check_floor,
        \&check_noted, \&check_falls, \&check_sparse, \&check_random;
});

done_testing;
