#!/usr/bin/env perl
# The timeline of a meter: what swaps, resets, rollovers, gaps, factors and units of readings do to
# energy, by hand; what may be entered; and simulated counters whose truth is known.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(shuffle);
use Test::More;
use Tidemark::Cluster;
use Tidemark::Readings qw(epoch instant series store erase stand_at close_until follow shown kept made_anew);

my $DAY = '2024-05-01';
my $T = epoch($DAY);

sub at { return defined $_[0] ? "'$_[0]'" : 'NULL' }

# The arguments of the functions of entries; `at` and `until` are the hour of the day, or instants.
sub arguments {
    my ($device, $kind, %entry) = @_;
    $entry{$_} = "$DAY $entry{$_}+00" for grep { defined $entry{$_} && $entry{$_} =~ /^\d\d:\d\d$/ } qw(at until);
    return join ', ', at($device), at($entry{metric}), 'NULL', at($kind), map { at($entry{$_}) } qw(at until final initial size factor unit);
}

# Makes an entry; its number.
sub enter { my ($web, @entry) = @_; return $web->value('SELECT api.meter_entry_add(' . arguments(@entry) . ", '')") }

# What is wrong with one.
sub refusal { my ($web, @entry) = @_; return $web->text('SELECT * FROM api.meter_entry_problems(' . arguments(@entry) . ')') }

sub withdraw { my ($web, $device, $entry) = @_; return $web->query("SELECT api.meter_entry_withdraw('$device', $entry)") }

sub hours { my ($web, $device) = @_; return shown($web, $device, '1h', $DAY, '2024-05-03', 'HH24') }

# ---- by hand ----

# [what, metric, readings by the minute of the day, entries, energy by hour]
my @KNOWN = (
    [ 'a swap: 2 kWh up to the old one\'s last reading, 1 more until it ends, 3 of the new one until it is read',
        'meter_kwh_total', { 30 => 100, 90 => 102, 150 => 4 }, [ [ swap => at => '02:00', final => 103, initial => 1 ] ],
        '00 1; 01 2; 02 3' ],
    [ 'without the final reading nothing is known between the old one\'s last and the swap',
        'meter_kwh_total', { 30 => 100, 90 => 102, 150 => 4 }, [ [ swap => at => '02:00', initial => 1 ] ], '00 1; 01 1; 02 3' ],
    [ 'without either only what each meter was read',
        'meter_kwh_total', { 30 => 100, 90 => 102, 150 => 4, 180 => 9 }, [ [ swap => at => '02:00' ] ], '00 1; 01 1; 02 5' ],
    [ 'a meter that ends for good counts up to its final reading',
        'meter_kwh_total', { 30 => 100, 60 => 101 }, [ [ swap => at => '02:00', final => 103 ] ], '00 1; 01 2' ],
    [ 'two swaps without a reading between: the meter between them counts by its own two',
        'meter_kwh_total', { 0 => 10, 180 => 6 },
        [ [ swap => at => '01:00', final => 11, initial => 500 ], [ swap => at => '02:00', final => 502, initial => 5 ] ], '00 1; 01 2; 02 1' ],
    [ 'a reset: the fall is at its time, not spread since the last reading',
        'meter_kwh_total', { 0 => 50, 60 => 52, 180 => 3 }, [ [ reset => at => '02:00' ] ], '00 2; 02 3' ],
    [ 'a reset to a reading of its own',
        'meter_kwh_total', { 0 => 50, 60 => 52, 180 => 3 }, [ [ reset => at => '02:00', initial => 2.5 ] ], '00 2; 02 0.5' ],
    [ 'a rollover: 99998 and then 3 of a register of five digits is 5',
        'meter_kwh_total', { 0 => 99_996, 60 => 99_998, 120 => 3, 180 => 1 }, [ [ rollover => at => '01:30', until => '03:00', size => 100_000 ] ],
        '00 2; 01 5; 02 1' ],
    [ 'a gap: readings in it do not count, and of the 4 kWh between its neighbours its half has none',
        'meter_kwh_total', { 0 => 10, 60 => 7000, 85 => -3, 120 => 14, 180 => 15 }, [ [ gap => at => '00:30', until => '01:30' ] ], '00 1; 01 1; 02 1' ],
    [ 'a factor from the midst of a step on: 1 kWh as read, 1 kWh at 1.5',
        'meter_kwh_total', { 0 => 0, 120 => 2, 180 => 3 }, [ [ factor => at => '01:00', until => '02:30', factor => '1.5' ] ], '00 1; 01 1.5; 02 1.25' ],
    [ 'two factors meet within a step, and a gap covers part of one',
        'meter_kwh_total', { 0 => 0, 120 => 4 },
        [ [ factor => at => '00:30', until => '01:00', factor => '2' ], [ factor => at => '01:00', factor => '0.1' ], [ gap => at => '01:45', until => '02:00' ] ],
        '00 3; 01 0.15' ],
    [ 'a meter that tells Wh for a while: 2 kWh, 1 across the change, 0.5, 1.5 across the change back',
        'meter_kwh_total', { 0 => 10, 60 => 12, 120 => 13_000, 150 => 13_500, 180 => 15 },
        [ [ unit => at => '01:30', until => '02:45', unit => 'Wh' ] ], '00 2; 01 1; 02 2' ],
    [ 'a little less in the other unit is no restart from zero',
        'meter_kwh_total', { 0 => 10, 60 => 12.35, 120 => 12_347, 180 => 12_847 }, [ [ unit => at => '01:30', unit => 'Wh' ] ], '00 2.35; 01 0; 02 0.5' ],
    [ 'a swap to a meter that tells Wh: each reading in the unit of its time',
        'meter_kwh_total', { 0 => 10, 120 => 2500 },
        [ [ unit => at => '01:00', unit => 'Wh' ], [ swap => at => '01:00', final => 11, initial => 500 ] ], '00 1; 01 2' ],
    [ 'a late reading of the old meter after a swap tells nothing: the new one stands higher',
        'meter_kwh_total', { 0 => 1050, 60 => 1051, 125 => 1052.3, 180 => 5001 }, [ [ swap => at => '02:00', final => 1052, initial => 5000 ] ],
        '00 1; 01 1; 02 1' ],
    [ 'nor do two where it begins at 0, one of them between readings of its own',
        'meter_kwh_total', { 0 => 48_210, 60 => 48_211, 125 => 48_212.1, 150 => 0.5, 155 => 48_212.1, 180 => 1 },
        [ [ swap => at => '02:00', final => 48_212, initial => 0 ] ], '00 1; 01 1; 02 1' ],
    [ 'nor where the new meter\'s beginning is not known: it counts from its own first reading',
        'meter_kwh_total', { 0 => 1050, 60 => 1051, 125 => 1052.3, 150 => 5000, 180 => 5001 }, [ [ swap => at => '02:00', final => 1052 ] ],
        '00 1; 01 1; 02 1' ],
    [ 'a little less is no rollover', 'meter_kwh_total', { 0 => 1000, 60 => 1001, 120 => 1000.9, 180 => 1002 },
        [ [ rollover => at => '00:00', size => 100_000 ] ], '00 1; 01 0; 02 1' ],
    [ 'nor is a false reading', 'meter_kwh_total', { 0 => 48_000, 60 => 48_001, 120 => 0, 180 => 48_003 },
        [ [ rollover => at => '00:00', size => 100_000 ] ], '00 1; 01 1; 02 1' ],
    [ 'and one of before it that comes after it takes nothing away', 'meter_kwh_total',
        { 0 => 99_997, 60 => 99_998, 90 => 3, 120 => 99_999, 180 => 5 }, [ [ rollover => at => '00:00', size => 100_000 ] ], '00 1; 01 1; 02 6' ],
    [ 'a false reading beside a change of units', 'meter_kwh_total', { 0 => 48, 60 => 49, 70 => 0, 80 => 49_500, 120 => 50_000 },
        [ [ unit => at => '01:15', unit => 'Wh' ] ], '00 1; 01 1' ],
    [ 'power: a gap cuts the trapezoid, a factor scales it, and kW are read where W were',
        'power_w', { 0 => 1000, 60 => 1000, 90 => 2, 120 => 2 },
        [ [ gap => at => '00:15', until => '00:30' ], [ factor => at => '01:30', factor => '0.5' ], [ unit => at => '01:15', unit => 'kW' ] ],
        '00 0.75; 01 1.25' ],
    [ 'intervals: a factor, a unit and a gap by the time of each',
        'energy_kwh', { 10 => 1, 70 => 2, 130 => 3000, 190 => 9 },
        [ [ factor => at => '01:00', until => '02:00', factor => '1.1' ], [ unit => at => '02:00', until => '03:00', unit => 'Wh' ],
            [ gap => at => '03:00', until => '04:00' ] ], '00 1; 01 2.2; 02 3' ],
);

# Each way to the same answer: entered before the readings, while they are open, after they were
# closed; and withdrawn again.
sub check_known {
    my ($cluster, $web) = @_;
    my @case = map { my ($what, $metric, $readings, $entries, $expected) = @{ $KNOWN[$_] };
        { what => $what, device => "known $_", entries => $entries, expected => $expected, meter => series($cluster, "known $_", 'UTC', $metric, ''),
            readings => { map { ($T + 60 * $_ => $readings->{$_}) } keys %{$readings} } } } 0 .. $#KNOWN;
    my $enter = sub { for my $case (@case) { $case->{made} = [ map { $_->[0] } enter_all($web, $case->{device}, [ @{ $case->{entries} } ]) ] } };
    my $look = sub { my ($when) = @_; $_->{$when}{ hours($web, $_->{device}) } = 1 for @case };
    for my $way (qw(first open closed)) {
        stand_at($cluster, "$DAY 00:00+00");
        $enter->() if $way eq 'first';
        store($cluster, $_->{meter}, %{ $_->{readings} }) for @case;
        $look->('plain') if $way eq 'open';
        $enter->() if $way eq 'open';
        $look->('open') if $way ne 'closed';
        close_until($cluster, "$DAY 01:30+00");
        $look->('between') if $way ne 'closed';
        close_until($cluster, '2024-05-02 00:00+00');
        $enter->() if $way eq 'closed';
        follow($cluster);
        $look->('closed');
        for my $case (@case) { withdraw($web, $case->{device}, $_) for shuffle @{ $case->{made} } }
        follow($cluster);
        $look->('plain');
        erase($cluster, $_->{meter}, $T, $T + 86400) for @case;
        follow($cluster);
    }
    for my $case (@case) {
        is join(' | ', map { keys %{ $case->{$_} } } qw(open between closed)), join(' | ', ($case->{expected}) x 3), $case->{what};
        is keys %{ $case->{plain} }, 1, '  and withdrawn it is as if it had never been';
    }
    return;
}

# Readings that come, change and go beside entries, after all was closed.
sub check_late {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'late', 'UTC', 'meter_kwh_total', 'counter');
    stand_at($cluster, '2024-05-02 00:00+00');
    store($cluster, $meter, $T => 100, $T + 7200 => 102, $T + 10800 => 9);
    enter($web, 'late', 'swap', at => '02:30', final => 103, initial => 8);
    enter($web, 'late', 'gap', at => '01:00', until => '01:30');
    follow($cluster);
    is hours($web, 'late'), '00 1; 01 0.5; 02 2', 'a swap and a gap';
    store($cluster, $meter, $T + 8400 => 102.5);
    follow($cluster);
    is hours($web, 'late'), '00 1; 01 0.5; 02 2', 'a late reading before the swap only moves what it ended with';
    is shown($web, 'late', '15m', "$DAY 02:00", "$DAY 03:00", 'MI'), '00 0.375; 15 0.625; 30 0.5; 45 0.5', 'within the half hour';
    store($cluster, $meter, $T + 4500 => 7);
    follow($cluster);
    is hours($web, 'late'), '00 1; 01 0.5; 02 2', 'one in the gap changes nothing';
    store($cluster, $meter, $T + 3540 => 101.475);
    follow($cluster);
    is hours($web, 'late'), '00 1.483607; 01 0.258197; 02 2' =~ s/\.483607/.483606557/r =~ s/\.258197/.258196721/r,
        'one before it parts the step that crosses it: 1.475 kWh in 59 minutes, 0.525 in 61 of which 31 count';
    erase($cluster, $meter, $T, $T + 7200);
    follow($cluster);
    is hours($web, 'late'), '02 1.5', 'and what is deleted takes its step along';
    is $cluster->session('tidemark_super')->text("SELECT action, detail->>'kind' FROM core.audit WHERE action LIKE 'meter.%' AND object = 'late' ORDER BY id"),
        'meter.add swap; meter.add gap', 'what was entered is in the audit trail';
    $web->query("SELECT api.device_erase('late')");
    is $cluster->session('tidemark_super')->value("SELECT count(*) FROM core.meter_entry e WHERE NOT EXISTS"
            . " (SELECT FROM core.device d WHERE d.id = e.device_id)"), 0, 'erased with its device';
    return;
}

# Entries of a whole device are of series that come later, too.
sub check_device {
    my ($cluster, $web) = @_;
    my $plug = series($cluster, 'whole', 'UTC', 'energy_kwh', 'delta');
    stand_at($cluster, "$DAY 00:00+00");
    enter($web, 'whole', 'factor', at => '01:00', factor => 2);
    my $export = series($cluster, 'whole', 'UTC', 'grid_export_kwh', 'delta');
    store($cluster, $plug, $T + 60 => 1, $T + 7200 => 1);
    store($cluster, $export, $T + 60 => 3, $T + 7200 => 3);
    my $roles = sub { return $web->text('SELECT consumption_kwh::float8, grid_export_kwh::float8'
                . " FROM api.energy_list('1d', NULL, NULL, 'whole', '$DAY', '2024-05-02', NULL)") };
    is $roles->(), '3 9', 'open';
    close_until($cluster, '2024-05-02 00:00+00');
    is $roles->(), '3 9', 'and closed';
    return;
}

# A step that reaches far back is not closed with the others, but followed.
sub check_reach {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'reach', 'UTC', 'meter_kwh_total', 'counter');
    stand_at($cluster, '2024-04-30 00:00+00');
    enter($web, 'reach', 'rollover', at => '2024-04-01 00:00+00', size => 1000);
    store($cluster, $meter, $T - 3 * 86400 => 976, $T => 48);
    close_until($cluster, "$DAY 00:15+00");
    is $cluster->session('tidemark_super')->value("SELECT count(*) FROM core.energy_15m WHERE series_id = $meter->{id}"), 0, 'not yet there';
    follow($cluster);
    is shown($web, 'reach', '1d', '2024-04-27', '2024-05-03', 'DD'), '28 24; 29 24; 30 24', 'a kWh an hour over three silent days';
    return;
}

# ---- what may be entered ----

sub check_refusals {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'strict', 'UTC', 'meter_kwh_total', 'counter');
    my $power = series($cluster, 'strict', 'UTC', 'power_w', 'gauge');
    my $volts = series($cluster, 'strict', 'UTC', 'voltage_v', 'gauge');
    my $double = series($cluster, 'double', 'UTC', $_, 'counter') for qw(grid_import_kwh_total grid_export_kwh_total);
    stand_at($cluster, '2024-05-02 00:00+00');
    store($cluster, $meter, $T => 100, $T + 3600 => 110, $T + 7200 => 120);
    follow($cluster);
    enter($web, 'strict', 'gap', at => '06:00', until => '07:00');
    my $swap = enter($web, 'strict', 'swap', at => '05:00');
    for my $case (
        [ 'final is less than the reading before it, 110 at 2024-05-01T01:00:00Z', swap => at => '01:30', final => 109 ],
        [ 'initial is more than the first reading after it, 120 at 2024-05-01T02:00:00Z', swap => at => '01:30', initial => 121 ],
        [ 'at the register did not fall: it was at 110 at 2024-05-01T01:00:00Z and 120 at 2024-05-01T02:00:00Z', reset => at => '01:30' ],
        [ "at entry $swap is of this very time", reset => at => '05:00' ],
        [ 'at the time overlaps with that of entry ' . ($swap - 1), gap => at => '06:59', until => '08:00' ],
        [ 'at the time overlaps with that of entry ' . ($swap - 1), gap => at => '06:59', until => '08:00', metric => 'power_w' ],
        [ '', gap => at => '07:00', until => '08:00' ],
        [ 'size is less than a reading of that time, 120', rollover => at => '01:00', size => 119 ],
        [ '', rollover => at => '01:00', until => '01:30', size => 119 ],
        [ 'at lies ahead', swap => at => '2999-01-01' ],
        [ 'metric the device has no such series', gap => at => '01:00', until => '02:00', metric => 'nothing' ],
        [ 'metric tells neither energy nor power', gap => at => '01:00', until => '02:00', metric => 'voltage_v' ],
        [ 'metric is no counter of energy; only those are swapped, reset or roll over', swap => at => '01:00', metric => 'power_w' ],
        [ 'metric the device has several; say which one', unit => at => '01:00', unit => 'Wh' ],
        [ 'unit is the series\' own', unit => at => '01:00', unit => 'kWh', metric => 'meter_kwh_total' ],
        [ 'unit must be Wh, kWh or MWh', unit => at => '01:00', unit => 'W', metric => 'meter_kwh_total' ],
        [ 'unit must be W or kW', unit => at => '01:00', unit => 'kWh', metric => 'power_w' ],
    ) {
        my ($problem, @entry) = @{$case};
        is refusal($web, 'strict', @entry), $problem, $problem || "$entry[0] is taken";
        next if $problem eq '';
        my $reason = $problem =~ s/^\w+ //r;
        ok !eval { enter($web, 'strict', @entry); 1 } && index($@, $reason) >= 0, '  and not made';
    }
    is refusal($web, 'double', swap => at => '01:00', final => 5), 'metric the device has several; say which one', 'whose reading is it?';
    is refusal($web, 'double', swap => at => '01:00'), '', 'a swap without figures is of all counters';
    is refusal($web, 'strict', swap => at => '04:00', final => 121), '', 'of the only counter figures need no name';
    withdraw($web, 'strict', $swap);
    is refusal($web, 'strict', reset => at => '05:00'), '', 'what is withdrawn is in nobody\'s way';
    is $web->text('SELECT kind, withdrawn_at IS NOT NULL FROM api.meter_entry WHERE device = \'strict\' ORDER BY id'), 'gap f; swap t',
        'but it is kept, and nothing refused was made';
    ok !eval { withdraw($web, 'double', $swap); 1 }, 'an entry of another device cannot be withdrawn';
    return;
}

# Retention takes samples: what was made of them stays, whatever is entered.
sub check_floor {
    my ($cluster, $web) = @_;
    my $meter = series($cluster, 'floor', 'UTC', 'meter_kwh_total', 'counter');
    stand_at($cluster, '2024-05-05 00:00+00');
    store($cluster, $meter, map { ($T + 7200 * $_ => $_) } 0 .. 36);
    my $old = enter($web, 'floor', 'factor', at => '02:00', until => '06:00', factor => 3);
    follow($cluster);
    my $days = sub { return shown($web, 'floor', '1d', '2024-05-01', '2024-05-06', 'DD') };
    is $days->(), '01 16; 02 12; 03 12', 'a kWh every two hours, twice three times';
    my $super = $cluster->session('tidemark_super');
    $super->query("SELECT core.floor_raise('raw', '2024-05-02 01:00+00', 1); DELETE FROM core.sample WHERE series_id = $meter->{id} AND time < '2024-05-02 01:00+00'");
    my $gone = 'readings before 2024-05-02T01:00:00Z are kept no longer, and what was made of them stays';
    is refusal($web, 'floor', swap => at => '04:00'), "at $gone", 'an instant of that time is refused';
    is refusal($web, 'floor', gap => at => '04:00', until => '05:00'), "until $gone", 'and a span';
    ok !eval { withdraw($web, 'floor', $old); 1 }, 'what has done its work cannot be withdrawn';
    enter($web, 'floor', 'factor', at => '12:00', factor => 2);
    follow($cluster);
    is $days->(), '01 16; 02 23; 03 24', 'a span that reaches beyond holds from where readings still tell: 1 and 11 times 2';
    return;
}

# ---- simulated counters with known truth ----

# A counter over two days, minute by minute: what it told and when ([time, value], kWh, some of it
# false: nonsense in a gap, zeros, a little less than before, the old meter's reading after a swap), what was noted of it, and what was used: kWh up to times at which it is known.
# Registers count whole watt-hours, so that what they tell is exact.
sub simulate {
    my ($start, $has_size) = @_;
    my ($register, $used, $size) = ($has_size ? 92_000 + int rand 7000 : 1000 + int rand 50_000, 0, 100_000);
    my ($factor, $unit, $outage, $until, $kind, %readings, @entries, @known) = (1, 1, 0, 0, '');
    push @entries, [ rollover => at => instant($start), size => $size / 1000 ] if $has_size;
    my $read = sub {
        my ($t) = @_;
        $readings{$t} = $register / 1000 * $unit;
        push @known, [ $t, $used / 1000 ];
    };
    my %event;
    $event{ 240 * $_ + 60 + int rand 30 } = (qw(swap swap_unread swap_unseen reset gap factor unit outage lower false))[ rand 10 ] for 0 .. 11;
    for my $minute (0 .. 2880) {
        my $t = $start + 60 * $minute;
        my ($is_near) = grep { $event{$_} && $event{$_} =~ /swap_|reset|gap|lower|false/ } $minute - 1 .. $minute + 2;
        if ($minute == $until && $kind) {
            $entries[-1] = [ @{ $entries[-1] }, until => instant($t) ];
            $read->($t) if $kind ne 'unit';
            ($factor, $unit, $kind) = (1, 1, '');
        }
        if (my $event = $event{$minute}) {
            if ($event =~ /swap|reset/) {
                my $new = $event eq 'reset' ? 0 : 1000 * int rand 50;
                push @entries, $event eq 'reset' ? [ reset => at => instant($t) ] : [ swap => at => instant($t),
                    ($event eq 'swap_unread' ? () : (final => $register / 1000 * $unit)),
                    ($event eq 'swap_unseen' ? () : (initial => $new / 1000 * $unit)) ];
                push @known, [ $t, $used / 1000 ];
                my $old = $register;
                $register = $new;
                # what the old meter told comes a little late
                $readings{ $t + 180 } = $old / 1000 * $unit if $event eq 'swap' && $old - $new > 10_000;
            } elsif ($event =~ /lower|false/) {
                $readings{$t} = ($event eq 'lower' ? $register - 20 : 0) / 1000 * $unit if $register > 5000;
            } elsif ($event eq 'outage') {
                $outage = $minute + 30 + int rand 120;
            } else {
                ($until, $kind) = ($minute + 30 + int rand 90, $event);
                $read->($t) if $event eq 'factor';
                $factor = (0.5, 1.5, 2, 3)[ rand 4 ] if $event eq 'factor';
                $unit = 1000 if $event eq 'unit';
                push @entries, [ $event => at => instant($t), ($event eq 'factor' ? (factor => $factor) : $event eq 'unit' ? (unit => 'Wh') : ()) ];
            }
        }
        if ($kind eq 'gap') {
            $readings{$t} = int rand 2e6 if rand() < 0.2;
            next;
        }
        $read->($t) if $is_near && !$event{$minute} || $minute % 2880 == 0 || $minute > $outage && rand() < 0.15;
        my $more = $is_near || ($event{ $minute + 1 } // '') =~ /_|reset|gap|lower|false/ ? 0 : 6 * int rand 6;
        $used += $more;
        $register = ($register + $more / $factor);
        $register -= $size if $has_size && $register >= $size;
    }
    return { readings => \%readings, entries => \@entries, known => \@known };
}

# kWh used up to a time, evenly between what is known.
sub used {
    my ($known, $t) = @_;
    my ($before) = grep { $_->[0] <= $t } reverse @{$known};
    my ($after) = grep { $_->[0] > $t } @{$known};
    return ($before // $known->[0])->[1] if !$before || !$after;
    return $before->[1] + ($after->[1] - $before->[1]) * ($t - $before->[0]) / ($after->[0] - $before->[0]);
}

sub untrue {
    my ($web, $device, $start, $known) = @_;
    my %told = map { @{$_} } $web->query("SELECT date_part('epoch', bucket)::int8, energy_kwh FROM api.energy_list('15m', NULL, NULL, '$device',"
            . " to_timestamp($start), to_timestamp($start + 172800), NULL)");
    my ($sum, @wrong) = (0);
    for my $quarter (0 .. 191) {
        my $t = $start + 900 * $quarter;
        $sum += $told{$t} // 0;
        my $truth = used($known, $t + 900);
        push @wrong, instant($t) . ": $sum is not $truth" if abs($sum - $truth) > 1e-5;
    }
    return @wrong ? "$wrong[0] and " . $#wrong . ' more' : '';
}

# Enters what it can of entries, in random order: what contradicts readings that another one explains
# has to wait for that one. Those made, with their numbers; those left stay in the list.
sub enter_all {
    my ($web, $device, $entries) = @_;
    my ($n, @made) = -1;
    while (@made > $n) {
        $n = @made;
        my @left;
        for my $entry (shuffle @{$entries}) {
            if (refusal($web, $device, @{$entry}) eq '') {
                push @made, [ enter($web, $device, @{$entry}), $entry ];
            } else {
                push @left, $entry;
            }
        }
        @{$entries} = @left;
    }
    return @made;
}

sub check_truth {
    my ($cluster, $web) = @_;
    my $seed = $ENV{TIDEMARK_SEED} // int rand 1e6;
    srand $seed;
    my $start = epoch('2024-06-01');
    stand_at($cluster, '2024-06-01 00:00+00');
    my $closed = $start;
    my @meters = map { { device => "true $_", %{ simulate($start, $_ % 2) },
            series => series($cluster, "true $_", 'Asia/Kolkata', 'meter_kwh_total', 'counter'), made => [] } } 1 .. 4;
    for my $meter (@meters) {
        $meter->{waiting} = [ shuffle keys %{ $meter->{readings} } ];
        $meter->{unmade} = [ shuffle @{ $meter->{entries} } ];
    }
    for my $round (1 .. 6) {
        for my $meter (@meters) {
            my @times = splice @{ $meter->{waiting} }, 0, $round == 6 ? 1e6 : 10 + int rand @{ $meter->{waiting} };
            push @times, grep { rand() < 0.05 } keys %{ $meter->{readings} };    # come again
            my %now = map { ($_ => $meter->{readings}{$_}) } @times;
            store($cluster, $meter->{series}, %now) if %now;
            my @some = splice @{ $meter->{unmade} }, 0, rand 5;
            push @{ $meter->{made} }, enter_all($web, $meter->{device}, \@some);
            push @{ $meter->{unmade} }, @some;
            if (@{ $meter->{made} } && rand() < 0.6) {
                my ($gone) = splice @{ $meter->{made} }, rand @{ $meter->{made} }, 1;
                withdraw($web, $meter->{device}, $gone->[0]);
                push @{ $meter->{unmade} }, $gone->[1];
            }
        }
        $closed += 900 * int rand 40;
        close_until($cluster, instant($closed)) if $round % 3;
        follow($cluster) if $round % 2;
    }
    push @{ $_->{made} }, enter_all($web, $_->{device}, $_->{unmade}) for @meters;
    is join(', ', map { map { "@{$_}" } @{ $_->{unmade} } } @meters), '', "all is entered (TIDEMARK_SEED=$seed)";
    follow($cluster);
    is join("\n", grep {$_} map { untrue($web, $_->{device}, $start, $_->{known}) } @meters), '',
        'what was used, partly open';
    close_until($cluster, '2024-06-04 00:00+00');
    follow($cluster);
    is join("\n", grep {$_} map { untrue($web, $_->{device}, $start, $_->{known}) } @meters), '', 'and all closed';
    my $ids = join ',', map { $_->{series}{id} } @meters;
    my $before = kept($cluster, $ids);
    is made_anew($cluster, $ids), $before, 'made from scratch it is the same to the last digit';
    for my $meter (@meters) {
        my @gone = splice @{ $meter->{made} }, 0, @{ $meter->{made} } / 2;
        withdraw($web, $meter->{device}, $_->[0]) for shuffle @gone;
    }
    follow($cluster);
    $before = kept($cluster, $ids);
    is made_anew($cluster, $ids), $before, 'also with half of the entries withdrawn';
    for my $meter (@meters) {
        withdraw($web, $meter->{device}, $_->[0]) for shuffle @{ $meter->{made} };
    }
    follow($cluster);
    $before = kept($cluster, $ids);
    is made_anew($cluster, $ids), $before, 'and with all, when the series is one like others again';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR')");
    my $web = $cluster->session('tidemark_web', tenant => 1);
    $_->($cluster, $web) for \&check_known, \&check_late, \&check_device, \&check_reach, \&check_refusals, \&check_floor, \&check_truth;
});

done_testing;
