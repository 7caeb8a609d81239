#!/usr/bin/perl
# Bills and costs through the real nginx, against answers worked out by hand (the arithmetic stands
# beside them): flat, time of use, tiers, demand, export, tax, minimum; a day of 23 hours; what a
# correction and a later version change, and what was known before; other tenants see nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use POSIX qw(strftime);
use Time::Local qw(timegm);
use Tidemark::Browser;
use Tidemark::Stack;

# The times below are fixed ones: kept however long ago they are.
my $stack = Tidemark::Stack->start(env => { map { ("RETENTION_${_}_DAYS" => 36500) } qw(RAW HOURLY DAILY EVENT) });
$stack->cli('tenant', 'add', 'home', '--timezone', 'Europe/Berlin', '--currency', 'EUR');
$stack->cli('tenant', 'add', 'mills', '--timezone', 'Europe/Berlin');
my $device = $stack->token('home', 'device', '--backfill');
my $admin = $stack->token('home', 'admin');
my $stranger = $stack->token('mills', 'admin');
my %ZONE = (berlin => 'Europe/Berlin', la => 'America/Los_Angeles');

sub epoch { my ($y, $m, $d, $h, $min) = $_[0] =~ /\d+/g; return timegm(0, $min // 0, $h // 0, $d, $m - 1, $y) }

sub get { return $stack->get($_[0], token => $admin) }

sub bill { my $answer = get("/v1/bills?$_[0]"); return $answer->{json} // {} }

# "charge period tier quantity rate amount" of each line.
sub lines_of {
    return join '; ', map { join ' ', map { $_ // '-' } @$_{qw(charge period tier quantity rate amount)} } @{ $_[0]{lines} };
}

# A site with a schedule of these members and readings [time, metric, value].
sub site {
    my ($key, $zone, $members, @readings) = @_;
    my $made = $stack->post('/v1/sites', { key => $key, timezone => $ZONE{$zone} }, token => $admin);
    die "site: $made->{content}" if $made->{status} != 201;
    my $schedule = schedule($key, $zone, %$members);
    my $assigned = $stack->post("/v1/rate-schedules/$schedule/assign", { site => $key }, token => $admin);
    die "assign: $assigned->{content}" if $assigned->{status} != 201;
    return ($schedule, map { { device => "meter-$key", site => $key, time => $_->[0], metrics => { $_->[1] => $_->[2] } } } @readings);
}

sub document {
    my ($name, $zone, %members) = @_;
    return { name => $name, timezone => $ZONE{$zone}, currency => $zone eq 'la' ? 'USD' : 'EUR', %members };
}

sub schedule {
    my $answer = $stack->post('/v1/rate-schedules', document(@_), token => $admin);
    die "schedule: $answer->{content}" if $answer->{status} != 201;
    return $answer->{json}{id};
}

# A reading every so many seconds.
sub every {
    my ($step, $from, $to, $metric, $value) = @_;
    return map { [epoch($from) + $step * $_, $metric, $value] } 0 .. (epoch($to) - epoch($from)) / $step - 1;
}

my (%id, @events);
sub add { my ($key, @more) = @_; my ($schedule, @readings) = site($key, @more); $id{$key} = $schedule; push @events, @readings }

# Sunday 29 March 2026 in Berlin has 23 hours: from 23:00 to 22:00 UTC.
add('flat', 'berlin', { charges => [ { type => 'energy', rate => '0.30' }, { type => 'fixed', amount => '0.50', per => 'day' },
    { type => 'tax', name => 'VAT', percent => '19' } ] }, every(900, '2026-03-28 23', '2026-03-29 22', 'grid_import_kwh', 0.25));
# Wednesday 3 July 2024 in Los Angeles, 07:00 to 07:00 UTC, 1 kWh an hour, read hourly.
add('tou', 'la', { periods => [qw(off_peak peak)], windows => [ { period => 'off_peak' }, { period => 'peak', days => ['weekdays'], from => '17:00', to => '20:00' } ],
    charges => [ { type => 'energy', prices => [ { rate => '0.45377' }, { period => 'peak', rate => '0.58873' } ] } ] },
    every(3600, '2024-07-03 07', '2024-07-04 07', 'grid_import_kwh', 1));
add('tiers', 'berlin', { charges => [ { type => 'energy', tiers => [ { up_to => '20', rate => '0.20' }, { rate => '0.30' } ] } ] },
    every(86400, '2026-02-02 12', '2026-02-05 12', 'grid_import_kwh', 10));
add('demand', 'berlin', { charges => [ { type => 'energy', rate => '0.10' }, { type => 'demand', rate => '10', window_minutes => 15 },
    { type => 'export', rate => '0.08' }, { type => 'minimum', amount => '100', per => 'month', on => [ 'energy', 'demand' ] } ] },
    every(900, '2026-01-31 23', '2026-02-01 23', 'grid_import_kwh', 0.5), [epoch('2026-02-01 10'), 'grid_import_kwh', 2],
    map { [epoch("2026-02-01 $_"), 'grid_export_kwh', 2.5] } 12, 13);
# No meter at the grid: 2 kWh are used and 0.5 made in one quarter hour, 1 and 3 in the next.
add('solar', 'berlin', { charges => [ { type => 'energy', rate => '0.40' }, { type => 'export', rate => '0.10' } ] },
    (map { [epoch('2026-02-01 11:' . $_->[0]), 'energy_kwh', $_->[1]], [epoch('2026-02-01 11:' . $_->[0]), 'generation_kwh', $_->[2]] } ['00', 2, 0.5], ['15', 1, 3]));
# One price since January: 0.4 kWh * 0.50.
add('spot', 'berlin', { price_series => [ { name => 'spot', minutes => 60 } ], charges => [ { type => 'energy', series => 'spot' } ] },
    [epoch('2026-03-10 11'), 'grid_import_kwh', 0.4]);
$stack->sql("INSERT INTO core.rate_price (tenant_id, schedule_id, series, from_time, to_time, nano_rate, known_since)"
    . " SELECT tenant_id, id, 'spot', '2026-01-01', '2026-07-01', 500000000, now() FROM core.rate_schedule WHERE id = $id{spot}");
# 2 February, a register of each tariff and, elsewhere, each phase: a line of theirs adds up.
my @day_long = ('2026-02-01 23', '2026-02-02 23:15');
sub rising { my ($metric, $step) = @_; my $n = 0; return map { [$_->[0], $metric, 1000 + $step * $n++] } every(900, @day_long, $metric, 0) }
add('registers', 'berlin', { charges => [ { type => 'energy', rate => '0.30' } ] }, rising('grid_import_t1_kwh_total', 0.125), rising('grid_import_t2_kwh_total', 0.25));
add('phases', 'berlin', { charges => [ { type => 'energy', rate => '0.30' } ] }, map { every(900, @day_long, "grid_import_l${_}_w", 1000 * $_) } 1 .. 3);
# The meter tells nothing on the 3rd, a plug behind it does; two registers, of which one tells nothing on the 3rd.
add('silent', 'berlin', { charges => [ { type => 'energy', rate => '0.30' } ] }, every(3600, '2026-01-31 23', '2026-02-04 23', 'energy_kwh', 0.04),
    map { every(3600, @$_, 'grid_import_kwh', 1) } ['2026-02-01 23', '2026-02-02 23'], ['2026-02-03 23', '2026-02-04 23']);
add('half', 'berlin', { charges => [ { type => 'energy', rate => '0.30' } ] }, every(3600, '2026-02-01 23', '2026-02-04 23', 'grid_import_ht_kwh', 1),
    map { every(3600, @$_, 'grid_import_nt_kwh', 0.5) } ['2026-02-01 23', '2026-02-02 23'], ['2026-02-03 23', '2026-02-04 23']);
# Consumption 1 kWh an hour, from 12 to 16 o'clock 2 kWh made and 1.5 fed in: 1 - 2 + 1.5 = 0.5 kWh are drawn then.
add('feeder', 'berlin', { charges => [ { type => 'energy', rate => '0.30' }, { type => 'export', rate => '0.08' } ] }, every(3600, '2026-02-01 23', '2026-02-02 23', 'energy_kwh', 1),
    every(3600, '2026-02-02 11', '2026-02-02 15', 'generation_kwh', 2), every(3600, '2026-02-02 11', '2026-02-02 15', 'grid_export_kwh', 1.5));
# 1 kW read every hour, half past the hour, and once a day at 12: 1, 1 and 24 kWh.
my %coarse = (hourly => [3600, 1, '2026-02-01 23', '2026-02-03 23'], late => [3600, 1, '2026-02-01 23:30', '2026-02-03 23:30'], noon => [86400, 24, '2026-02-02 11', '2026-02-04 11']);
for my $key (sort keys %coarse) {
    my ($step, $kwh, $from, $to) = @{ $coarse{$key} };
    add($key, 'berlin', { charges => [ { type => 'demand', rate => '10', window_minutes => $key eq 'late' ? 30 : 15 } ] }, every($step, $from, $to, 'grid_import_kwh', $kwh));
}
# Behind the meter one that is off, and says so.
push @events, { device => 'lamp', site => 'flat', time => epoch('2026-03-29 10'), metrics => { energy_kwh => 0 } };
my $sent = $stack->post('/v1/events/batch', \@events, token => $device);
is $sent->{status}, 200, 'readings are stored' or diag $sent->{content};
$stack->settle;

# ---- bills ----

my $flat = bill('site=flat&from=2026-03-29&to=2026-03-30');
# 92 quarter hours of 0.25 kWh are 23 kWh; 23 * 0.30 = 6.90; 19 % of 6.90 + 0.50 = 7.40 is 1.406
is lines_of($flat), 'energy all - 23 0.3 6.90; fixed - - 1 0.5 0.50; tax:VAT - - 7.40 19 1.41', 'a day of 23 hours: energy, a fixed charge, tax';
is_deeply [@$flat{qw(total currency status missing timezone from to site)}],
    ['8.81', 'EUR', 'final', 0, 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 'flat'], 'its total is 8.81, and final';
is_deeply [@{ bill('site=flat&from=2026-03-28T23:00:00Z&to=2026-03-29T22:00:00Z') }{qw(total from to)}], [@$flat{qw(total from to)}], 'the same by instants';

# 17, 18, 19 h: 3 * 0.58873 = 1.76619; 21 * 0.45377 = 9.52917
my $tou = bill('site=tou&from=2024-07-03&to=2024-07-04');
is lines_of($tou), 'energy off_peak - 21 0.45377 9.53; energy peak - 3 0.58873 1.77', 'time of use';
is_deeply [@$tou{qw(total currency status)}], ['11.30', 'USD', 'final'], 'hourly readings are whole';

# 30 kWh: 20 * 0.20, 10 * 0.30
is lines_of(bill('site=tiers&from=2026-02-01&to=2026-03-01')), 'energy all 1 20 0.2 4.00; energy all 2 10 0.3 3.00', 'tiers';
is lines_of(bill('site=tiers&from=2026-02-04&to=2026-02-05')), 'energy all 2 10 0.3 3.00', 'the third day is all of the second tier';

# 95 * 0.5 + 2 = 49.5 kWh * 0.10 = 4.95; 2 kWh in a quarter hour are 8 kW; 5 kWh * -0.08; 100 - 84.95
my $demand = bill('site=demand&from=2026-02-01&to=2026-03-01');
is lines_of($demand), 'energy all - 49.5 0.1 4.95; demand - - 8 10 80.00; export all - 5 0.08 -0.40; minimum - - 1 100 15.05', 'demand, export, minimum';
is_deeply [@$demand{qw(total status missing)}], ['99.60', 'provisional', 27 * 96], 'of a month that is not whole';
is $demand->{lines}[1]{at}, '2026-02-01T10:00:00Z', 'says when demand was highest';

# 2 - 0.5 = 1.5 kWh are drawn, 3 - 1 = 2 kWh fed in
is lines_of(bill('site=solar&from=2026-02-01&to=2026-02-02')), 'energy all - 1.5 0.4 0.60; export all - 2 0.1 -0.20', 'without a meter: consumption less generation, by the quarter hour';

# 96 * (0.125 + 0.25) = 36 kWh * 0.30; 24 h * (1 + 2 + 3) kW = 144 kWh * 0.30
for (['registers', 36, '10.80'], ['phases', 144, '43.20']) {
    my ($of, $kwh, $cost) = @$_;
    my $sum = bill("site=$of&from=2026-02-02&to=2026-02-03");
    is_deeply [lines_of($sum), $sum->{status}], ["energy all - $kwh 0.3 $cost", 'final'], "$of of one meter add up";
    is_deeply [map { [@$_{qw(grid_import_kwh cost)}] } @{ get("/v1/energy?site=$of&bucket=1d&from=2026-02-01T23:00:00Z&to=2026-02-02T23:00:00Z")->{json}{items} }],
        [[$kwh, $cost]], 'in energy, too';
}

# 20 * 1 + 4 * 0.5 = 22 kWh * 0.30; 4 * 1.5 = 6 kWh * -0.08
my $feeder = bill('site=feeder&from=2026-02-02&to=2026-02-03');
is_deeply [lines_of($feeder), $feeder->{status}], ['energy all - 22 0.3 6.60; export all - 6 0.08 -0.48', 'final'], 'with an export meter alone the rest of what was used was drawn';
is_deeply [map { $_->{counted_days} } @{ $feeder->{sources} }], [1, 1, 1], 'all count';

# what counted: the meter on two of the days, the plug on one before there was one
is_deeply [map { join ' ', @$_{qw(device metric role days counted_days)} } @{ bill('site=silent&from=2026-02-01&to=2026-02-05')->{sources} }],
    ['meter-silent energy_kwh consumption 4 1', 'meter-silent grid_import_kwh grid_import 2 2'], 'a bill says which series counted, and on how many days';

# 1 kW * 10, whatever the window
is lines_of(bill("site=$_&from=2026-02-02&to=2026-02-04")), 'demand - - 1 10 10.00', "demand of readings coarser than its window: $_" for sort keys %coarse;

# 24 * 0.04 = 0.96 kWh * 0.30 = 0.288 until there is a meter; then 24 kWh * 0.30, and with both registers (24 + 12) * 0.30
for (['silent', 1, '0.29', 'final', 0], ['silent', 2, '7.20', 'final', 0], ['silent', 3, '0.00', 'provisional', 96], ['silent', 4, '7.20', 'final', 0],
    ['half', 2, '10.80', 'final', 0], ['half', 3, '7.20', 'provisional', 0], ['half', 4, '10.80', 'final', 0]) {
    my ($of, $date, @said) = @$_;
    is_deeply [@{ bill("site=$of&from=2026-02-0$date&to=2026-02-0" . ($date + 1)) }{qw(total status missing)}], \@said, "$of on the $date: $said[0], $said[1]";
}

is bill("site=spot&from=$_&to=2026-03-11")->{total}, '0.20', "a price that holds long, in a bill from $_" for '2026-03-10', '2025-12-30';

is get('/v1/bills?from=2026-02-01&to=2026-03-01')->{status}, 422, 'a bill of sites in different currencies is refused';
is bill('from=2026-04-01&to=2026-04-02')->{total} // '', '', 'even where nothing was read';

# ---- costs ----

sub costs { my $answer = get("/v1/costs?$_[0]"); diag $answer->{content} if $answer->{status} != 200; return $answer->{json}{items} // [] }
my @hours = @{ costs('site=tou&bucket=1h&from=2024-07-03&to=2024-07-04') };
is_deeply [scalar @hours, @{ $hours[17] }{qw(time energy_kwh cost currency status)}],
    [24, '2024-07-04T00:00:00Z', 1, '0.58873', 'USD', 'final'], 'an hour of peak';
is_deeply $hours[17]{by_period}, { peak => { energy_kwh => 1, cost => '0.58873' } }, 'by period';
my ($day) = @{ costs('site=tou&bucket=1d&from=2024-07-03&to=2024-07-04') };
is_deeply $day, { time => '2024-07-03T07:00:00Z', energy_kwh => 24, export_kwh => 0, cost => '11.29536', currency => 'USD', status => 'final',
    by_period => { off_peak => { energy_kwh => 21, cost => '9.52917' }, peak => { energy_kwh => 3, cost => '1.76619' } } }, 'the day';
# 6.90 + 0.50 + 1.406, exactly
my ($spring) = @{ costs('site=flat&bucket=1d&from=2026-03-29&to=2026-03-30') };
is $spring->{cost}, '8.806', 'a day costs all that is on its bill, not rounded';
my ($sum, $n) = (0, 0);
for my $quarter (@{ costs('site=flat&bucket=15m&from=2026-03-29&to=2026-03-30&limit=1000') }) { $sum += $quarter->{cost} =~ s/\D//gr =~ s/^0+(?=\d)//r * 10**(18 - length($quarter->{cost} =~ s/.*\.//r)); $n++ }
is_deeply [$n, sprintf '%.6f', $sum / 1e18], [92, '8.806000'], 'as its 92 quarter hours do';
is_deeply [map { $_->{energy_kwh} } @{ costs('site=tiers&bucket=1mo&from=2026-02-01&to=2026-03-01') }], [30], 'a month';
is_deeply [map { $_->{time} } @{ costs('site=tiers&bucket=1w&from=2026-02-02&to=2026-02-09&tz=Asia/Kolkata') }], ['2026-02-01T18:30:00Z'], 'a week of another zone';
my $page = get('/v1/costs?site=tiers&bucket=1d&from=2026-02-01&to=2026-02-06&limit=3')->{json};
my $next = get("/v1/costs?site=tiers&bucket=1d&from=2026-02-01&to=2026-02-06&limit=3&cursor=$page->{next}")->{json};
is_deeply [map { $_->{energy_kwh} } @{ $page->{items} }, @{ $next->{items} }], [10, 10, 10], 'pages go on';
is_deeply [(split /\r\n/, get('/v1/costs?site=tou&bucket=1d&from=2024-07-03&to=2024-07-04&format=csv')->{content})[0]],
    ['time,energy_kwh,export_kwh,cost,currency,status,by_period'], 'as CSV';
like get('/v1/bills?site=tou&from=2024-07-03&to=2024-07-04&format=csv')->{content}, qr/^charge,period,tier,.*\r\nenergy,off_peak,,21,kWh,0\.45377,9\.53,/, 'a bill as CSV';
my ($valued) = @{ costs('device=meter-flat&bucket=1d&from=2026-03-29&to=2026-03-30') };
is $valued->{cost}, '6.90', 'a device is valued by its energy alone';

# ---- energy and what it costs ----

# Wednesday's 24 kWh: 21 * 0.45377 and 3 * 0.58873.
sub energy { return get("/v1/energy?$_[0]")->{json}{items} // [] }
my %wednesday = (cost => '11.29536', currency => 'USD',
    by_period => { off_peak => { energy_kwh => 21, cost => '9.52917' }, peak => { energy_kwh => 3, cost => '1.76619' } });
my $of_wednesday = 'from=2024-07-03T07:00:00Z&to=2024-07-04T07:00:00Z';
($day) = @{ energy("site=tou&bucket=1d&$of_wednesday") };
is_deeply { map { $_ => $day->{$_} } qw(time energy_kwh cost currency by_period) },
    { time => '2024-07-03T07:00:00Z', energy_kwh => 24, %wednesday }, 'a bucket of energy says what it costs, by period';
my $in_hours = energy("site=tou&bucket=1h&$of_wednesday");
is_deeply [scalar @$in_hours, @{ $in_hours->[17] }{qw(time cost by_period)}],
    [24, '2024-07-04T00:00:00Z', '0.58873', { peak => { energy_kwh => 1, cost => '0.58873' } }], 'hour by hour';
is_deeply [map { $_->{cost} } @{ energy('device=meter-tou&bucket=1mo&tz=America/Los_Angeles&from=2024-07-01T07:00:00Z&to=2024-08-01T07:00:00Z') }],
    ['11.29536'], 'and by the month, of a device';
($day) = @{ energy("site=tou&bucket=1d&$of_wednesday&as_of=2020-01-01T00:00:00Z") };
is_deeply [@{$day}{qw(energy_kwh cost currency by_period)}], [24, undef, undef, {}], 'where no schedule was known there is energy without a cost';
like get("/v1/energy?site=tou&bucket=1d&$of_wednesday&format=csv")->{content},
    qr/,cost,currency,by_period\r\n.*,11\.29536,USD,"\{""off_peak"":\{""energy_kwh"":21,""cost"":""9\.52917""\},""peak""/, 'as CSV';
is get('/v1/energy?as_of=yesterday')->{status}, 400, 'as_of must be a time';

# The same dates are the same days of energy, rollups, samples and costs: 1 kWh an hour, three local days long.
my %DATES = ('Europe/Berlin' => '2026-02-01T23:00:00Z', 'America/Los_Angeles' => '2026-02-02T08:00:00Z', 'Asia/Kathmandu' => '2026-02-01T18:15:00Z');
for my $zone (sort keys %DATES) {
    my $key = lc($zone =~ s/.*\///r);
    $stack->post('/v1/sites', { key => $key, timezone => $zone }, token => $admin);
    my $start = epoch($DATES{$zone});
    $stack->post('/v1/events/batch', [ map { { device => "meter-$key", site => $key, time => $start - 86400 + 900 * $_, metrics => { grid_import_kwh => 0.25 } } } 0 .. 4 * 96 - 1 ], token => $device);
}
$stack->settle;
for my $zone (sort keys %DATES) {
    my $key = lc($zone =~ s/.*\///r);
    my $dates = 'bucket=1d&from=2026-02-02&to=2026-02-04';
    my @days = map { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(epoch($DATES{$zone}) + $_ * 86400)) } 0, 1;
    my %items = map { $_->[0] => get($_->[1])->{json}{items} } ['costs', "/v1/costs?site=$key&$dates"], ['energy', "/v1/energy?site=$key&$dates"],
        ['energy in the zone that is asked for', "/v1/energy?tz=$zone&device=meter-$key&$dates"], ['rollups', "/v1/rollups?site=$key&$dates"], ['samples', "/v1/devices/meter-$key/samples?$dates"];
    is_deeply [map { $_->{time} } @{ $items{$_} }], \@days, "$_ of two dates are its two days: $zone" for sort keys %items;
    is_deeply [map { $_->{energy_kwh} } map { @{ $items{$_} } } 'costs', 'energy'], [24, 24, 24, 24], "with the same energy: $zone";
    is_deeply [map { $_->{time} } @{ get("/v1/energy?site=$key&bucket=1d&from=$days[0]&to=$days[1]")->{json}{items} }], [$days[0]], "and instants are instants: $zone";
}
is get('/v1/energy?tz=Europe/Nowhere&from=2026-02-02')->{status}, 422, 'dates of a zone that there is not';

# ---- why ----

my $why = get('/v1/costs/explain?site=tou&day=2024-07-03')->{json}{items}[0];
is_deeply [map { join ' ', @$_{qw(charge period quantity rate amount schedule version)} } @{ $why->{lines} }],
    ["energy off_peak 21 0.45377 9.52917 $id{tou} 1", "energy peak 3 0.58873 1.76619 $id{tou} 1"], 'each line cites period, rate and version';
is_deeply [scalar @{ $why->{quarters} }, @{ $why->{quarters}[68] }{qw(time energy_kwh known period cost)}], [96, '2024-07-04T00:00:00Z', 1, 'whole', 'peak', '0.58873'], 'its quarter hours';
is_deeply [map { @$_{qw(device metric role energy_kwh quarters counted)} } @{ $why->{sources} }],
    ['meter-tou', 'grid_import_kwh', 'grid_import', 24, 24, JSON::PP::true], 'and what told them';

# 2 kWh in the quarter hour from 10 UTC; 19 % of 6.90 + 0.50; the minimum stands on the last day: 49.5 * 0.10 + 8 * 10 were reached
sub origins { return join '; ', map { my $l = $_; "$l->{charge} " . join ' ', map { $_ // '-' } @$l{qw(at window_minutes base amount)} } @{ get("/v1/costs/explain?$_[0]")->{json}{items}[0]{lines} } }
is origins('site=demand&day=2026-02-01') =~ s/.*(demand .*?);.*/$1/sr, 'demand 2026-02-01T10:00:00Z 15 - 80.00', 'demand says its window';
is origins('site=demand&day=2026-02-28'), 'minimum - - 84.95 15.05', 'a minimum what was reached';
is origins('site=flat&day=2026-03-29'), 'energy - - - 6.90; fixed - - - 0.50; tax:VAT - - 7.40 1.406', 'a percentage what it is of';

# ---- what if ----

my $cheap = schedule('cheap', 'berlin', charges => [ { type => 'energy', rate => '0.20' } ], valid_from => '2026-06-01');
my $versus = $stack->post('/v1/rate-schedules/compare', { schedules => [ $id{flat}, $cheap, $id{tou} ], site => 'flat', from => '2026-03-29', to => '2026-03-30' }, token => $admin);
is $versus->{status}, 200, 'schedules are compared' or diag $versus->{content};
# 23 * 0.20
is_deeply [map { [@$_{qw(schedule total cheapest currency)}] } @{ $versus->{json}{items} }[0, 1]],
    [[$id{flat}, '8.81', JSON::PP::false, 'EUR'], [$cheap, '4.60', JSON::PP::true, 'EUR']], 'the cheapest is marked, even where it was not valid yet';
is_deeply [@{ $versus->{json}{items}[2] }{qw(cheapest currency)}], [JSON::PP::true, 'USD'], 'in its currency';
# 49.5 * 0.10 + 8 * 10 = 84.95, of 100: what holds from some day on is taken for all of the cycle
my %HALF = (charges => [ { type => 'energy', rate => '0.10' }, { type => 'demand', rate => '10' }, { type => 'minimum', amount => '100', per => 'month' } ]);
my @halves = (schedule('always', 'berlin', %HALF), schedule('from the 15th', 'berlin', %HALF, valid_from => '2026-02-15'));
$versus = $stack->post('/v1/rate-schedules/compare', { schedules => \@halves, site => 'demand', from => '2026-02-01', to => '2026-03-01' }, token => $admin);
is_deeply [map { $_->{total} } @{ $versus->{json}{items} }], ['100.00', '100.00'], 'a schedule with a first day costs what it would without';
is $stack->post('/v1/rate-schedules/compare', { schedules => $_->[0] }, token => $_->[2] // $admin)->{status}, $_->[1], "comparing $_->[3] is refused"
    for [[], 422, undef, 'nothing'], ['x', 422, undef, 'a text'], [[0], 422, undef, 'number 0'], [[99999], 404, undef, 'an unknown one'], [[$cheap], 404, $stranger, "another tenant's"];

# Prices of the first 12 hours of 23 alone, and none: 44 of 92 quarter hours lack one, and all of them.
my @unpriced = map { schedule($_->[0], 'berlin', price_series => [ { name => 'spot', minutes => 60, prices => $_->[1] } ], charges => [ { type => 'energy', series => 'spot' } ]) }
    ['half priced', [ map { { from => "2026-03-${_}:00:00Z", rate => '0.01' } } '28T23', map { sprintf '29T%02d', $_ } 0 .. 10 ]], ['unpriced', []];
$versus = $stack->post('/v1/rate-schedules/compare', { schedules => [ $id{flat}, @unpriced, $cheap ], site => 'flat', from => '2026-03-29', to => '2026-03-30' }, token => $admin);
# 12 hours * 1 kWh * 0.01
is_deeply [map { [@$_{qw(total cheapest lacks)}] } @{ $versus->{json}{items} }],
    [['8.81', JSON::PP::false, undef], ['0.12', JSON::PP::false, 'no prices for 44 intervals'], ['0.00', JSON::PP::false, 'no prices for 92 intervals'], ['4.60', JSON::PP::true, undef]],
    'what has no prices is never the cheapest' or diag $versus->{content};
# 12 kWh at 0.01, 11 without a price
my $half = $versus->{json}{items}[1];
is_deeply [@$half{qw(unpriced status missing)}, map { @$_{qw(quantity rate amount unpriced)} } @{ $half->{lines} }], [44, 'provisional', 0, '23', '0.01', '0.12', 44],
    'a bill counts the intervals without a price, and its average is of the others';
# A schedule of another zone has other hours: of its 29 March, from 7 to 7 UTC, 15 are known here.
my $westerly = $stack->post('/v1/rate-schedules', { %{ document('westerly', 'la', charges => [ { type => 'energy', rate => '0.01' } ]) }, currency => 'EUR' }, token => $admin)->{json}{id};
$versus = $stack->post('/v1/rate-schedules/compare', { schedules => [ $cheap, $westerly ], site => 'flat', from => '2026-03-29', to => '2026-03-30' }, token => $admin);
is_deeply [map { [@$_{qw(total cheapest lacks)}] } @{ $versus->{json}{items} }],
    [['4.60', JSON::PP::true, undef], ['0.15', JSON::PP::false, "8.000\x{a0}kWh less than others in its days"]], 'nor what has less energy' or diag $versus->{content};

# ---- pages ----

for my $person (['vic@home.example', 'home', 'viewer'], ['mo@mills.example', 'mills', 'viewer']) {
    $stack->cli('user', 'add', '--tenant', $person->[1], '--email', $person->[0], '--role', $person->[2], { stdin => "a long enough password\n" });
}
my ($vic, $mo) = map { my $b = Tidemark::Browser->new($stack); $b->log_in($_, 'a long enough password'); $b } 'vic@home.example', 'mo@mills.example';

# The words of a page that a viewer sees, in one line; what stands in attributes is gone.
sub words {
    my $answer = $vic->get($_[0]);
    is $answer->{status}, 200, "a page: $_[0]" or diag $answer->{content};
    my $text = $answer->{content} =~ s/<(?:svg|head)\b.*?<\/(?:svg|head)>//gsr =~ s/<[^>]*>/ /gr =~ s/\xc2\xa0|\xe2\x80\xaf|&nbsp;/ /gr;
    return $text =~ s/\s+/ /gr;
}

for (['2026-02-01&to=2026-02-04', 'meter-silent energy_kwh (on 1 of 4 days), meter-silent grid_import_kwh.'],
    ['2026-02-02&to=2026-02-02', 'meter-silent grid_import_kwh. Not counted: meter-silent energy_kwh.'], ['2026-02-03&to=2026-02-03', 'nothing. Not counted: meter-silent energy_kwh.']) {
    like words("/costs/bill?site=silent&from=$_->[0]"), qr/ Counted: \Q$_->[1]\E /, "the printed bill, too: $_->[1]";
}

# 6.90 + 0.50 + 1.406 = 8.806; the hour from 12 has 1 kWh * 0.30 = 0.30 and of the rest (1.906) 1/23
my $page_of = words('/costs?site=flat&view=day&at=2026-03-29');
like $page_of, qr/Sunday 29 March 23\.0 kWh €8\.81 Final/, 'the page of a day of 23 hours: its energy and cost';
like $page_of, qr/All hours €6\.90 Fixed charges and taxes €1\.91/, 'stacked by period, and the rest';
like $page_of, qr/Sun 29 Mar, 12:00–13:00 1\.00 €0\.300 €0\.083 €0\.383.* 01:00–03:00 \(UTC\+1\) 1\.00/, 'its hours';
like $page_of, qr/energy All hours – 23\.0000 kWh 0\.30 €6\.900000 flat, version 1 fixed – – 1\.0000 times 0\.50 €0\.500000 flat, version 1 tax:VAT – – – 19\.00 % €1\.406000 flat, version 1/,
    'why: each charge with its period, tier, rate and version';
like $page_of, qr/meter-flat grid_import_kwh from the grid 23\.000 kWh 92 yes/, 'and the readings that were counted';
like $page_of, qr/lamp 0\.00 kWh €0\.00/, 'a device that took nothing is worth nothing, and is there';
my $solar = words('/costs?site=solar&view=month&at=2026-02-14');
like $solar, qr/February 2026 1\.5 kWh €0\.40 Provisional/, 'a month with what is fed in: 0.60 - 0.20';
like $solar, qr/All hours €0\.60 Fed in −€0\.20/, 'which is stacked downwards';
like words('/costs?site=tou&view=year&at=2024-07-03'), qr/2024 24\.0 kWh \$11\.30.*Off_?peak.*\$9\.53.*Peak \$1\.77/i, 'a year';
like words('/costs'), qr/billed in different currencies, .*ask for each site/, 'sites in different currencies are not added up';
like words('/energy?site=tou&from=2024-07-03&to=2024-07-03&bucket=1h'),
    qr/Used 24\.0 kWh From the grid 24\.0 kWh Costs \$11\.30.*Wed 3 Jul, 17:00–18:00 1\.00 1\.00 \$0\.59/, 'energy with its cost, hour by hour';
my $long = words('/energy?site=tou&from=2022-01-01&to=2024-12-31&bucket=1mo');
like $long, qr/Used 24\.0 kWh From the grid 24\.0 kWh Costs \$11\.30/, 'of years, too: what the ledger has of them';
like $long, qr/Jul(?:y)? 2024 24\.00 24\.00 \$11\.30/, 'month by month';
my $sheet = words('/costs/bill?site=flat&from=2026-03-29&to=2026-03-29');
like $sheet, qr/29 Mar 2026 €8\.81 Final .*Site flat flat, version 1 .*Energy 23\.000 kWh 0\.30 €6\.90 Fixed charge 1\.00 day 0\.50 €0\.50 Tax: VAT of €7\.40 19\.00 % €1\.41 Total €8\.81/, 'a bill to be printed, line by line';
like words('/costs/bill?site=demand&from=2026-02-01&to=2026-02-28'),
    qr/€99\.60 Provisional .*Energy 49\.500 kWh 0\.10 €4\.95 Demand highest on 1 Feb 2026, 11:00 8\.00 kW 10\.00 €80\.00 Fed in 5\.000 kWh 0\.08 −€0\.40 Minimum the rest of it: €84\.95 was reached – 100\.00 €15\.05 Total €99\.60 2592 quarter hours of it were not measured/,
    'demand, export and minimum, and what is missing';
like words('/costs/bill?site=flat&from=2026-03-29&to=2026-03-29&as_of=2020-01-01'), qr/No rate schedule was in force .*as known on 2 Jan 2020, 00:00, energy as known now/, 'as it was known on a day';
is $vic->get('/costs/bill?site=flat&from=tomorrow')->{status}, 422, 'a bill wants dates';
# 23 * 0.30 = 6.90, + 0.50, + 19 % of 7.40; tiers: 20 * 0.20 + 3 * 0.30
like words("/costs/what-if?site=flat&from=2026-03-29&to=2026-03-29&schedule=$id{flat}&schedule=$id{tiers}"),
    qr/flat in force €8\.81 \+€3\.91 \(\+80 %\) tiers €4\.90 Cheapest/, 'two schedules side by side, the cheapest marked';
like words("/costs/what-if?site=flat&from=2026-03-29&to=2026-03-29&schedule=$id{flat}&schedule=$unpriced[1]"),
    qr/flat in force €8\.81 Cheapest unpriced no prices for 92 intervals €0\.00 Incomplete/, 'what has no prices is not compared';
# ---- a utility's file ----

# Two hours of Wednesday evening as the utility tells them, the second with 0.9 kWh for 0.53; one that was never measured.
my $feed = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content><ReadingType xmlns="http://naesb.org/espi"><currency>840</currency><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType></content></entry>'
    . '<entry><content><IntervalBlock xmlns="http://naesb.org/espi">' . join('', map { "<IntervalReading><cost>$_->[2]</cost><timePeriod><duration>3600</duration><start>$_->[0]</start></timePeriod><value>$_->[1]</value></IntervalReading>" }
        [epoch('2024-07-04 00'), 1000, 58873], [epoch('2024-07-04 01'), 900, 53000], [epoch('2024-07-05 01'), 800, 40000]) . '</IntervalBlock></content></entry>'
    . '<entry><content><UsageSummary xmlns="http://naesb.org/espi"><billingPeriod><duration>86400</duration><start>' . epoch('2024-07-03 07') . '</start></billingPeriod><billLastPeriod>1131000</billLastPeriod>'
    . '<overallConsumptionLastPeriod><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom><value>24000</value></overallConsumptionLastPeriod><costAdditionalDetailLastPeriod><amount>953000</amount><note>Off peak &amp; base</note><itemKind>3</itemKind></costAdditionalDetailLastPeriod>'
    . '<costAdditionalDetailLastPeriod><amount>178000</amount><itemKind>5</itemKind></costAdditionalDetailLastPeriod></UsageSummary></content></entry></feed>';
sub compared { return $stack->request('POST', "/v1/bills/compare?$_[0]", token => $_[2] // $admin, body => $_[1], headers => { 'Content-Type' => $_[3] // 'application/xml' }) }
my $beside = compared('site=tou', $feed);
is $beside->{status}, 200, "a utility's file is compared" or diag $beside->{content};
is_deeply $beside->{json}{intervals}, { same => 1, differing => 1, absent => 1, uneven => 0, ignored => 0 }, 'one hour is the same, one differs, one was not measured';
# 1 + 1 against 1 + 0.9; 2 * 0.58873 against 0.58873 + 0.53
is_deeply $beside->{json}{totals}, { file_import_kwh => 1.9, import_kwh => 2, file_export_kwh => 0, export_kwh => 0, file_cost => '1.11873', cost => '1.17746' }, 'their totals';
is_deeply $beside->{json}{bills}, [ { from => '2024-07-03', to => '2024-07-04', file_kwh => 24, energy_kwh => 24, file_total => '11.31', total => '11.30',
    file_lines => [ { name => 'Off peak & base', amount => '9.53' }, { name => 'Tax', amount => '1.78' } ],
    lines => [ { charge => 'energy', period => 'off_peak', amount => '9.53' }, { charge => 'energy', period => 'peak', amount => '1.77' } ] } ], 'its bill of the day beside ours, with the lines of both';
is_deeply $beside->{json}{items}[0], { time => '2024-07-04T01:00:00Z', seconds => 3600, direction => 'import', match => 'differs', file_kwh => 0.9, energy_kwh => 1, file_cost => '0.53', cost => '0.58873' }, 'line by line';
is $beside->{json}{items}[1]{match}, 'absent', 'and what was not measured';
is compared(@{$_}[0 .. 3])->{status}, $_->[4], $_->[5] for ['site=tou', '<feed/>', undef, undef, 422, 'an empty feed is refused'], ['site=tou', 'no', undef, undef, 422, 'no XML, too'],
    ['site=flat', $feed, undef, undef, 422, 'and a file in another currency'], ['site=tou', $feed, undef, 'text/csv', 415, 'another type'],
    ['site=tou', $feed, $stranger, undef, 404, "another tenant's site"], ['site=tou', $feed, $device, undef, 403, 'a device'];
my $upload = $vic->get('/costs/compare');
my ($csrf) = $upload->{content} =~ /name="csrf" value="([^"]*)"/;
sub sent {
    my ($with, $text, $site) = @_;
    my $body = join '', map { "--cut\r\nContent-Disposition: form-data; name=\"$_->[0]\"$_->[2]\r\n\r\n$_->[1]\r\n" } ['csrf', $with, ''], $site || ['site', 'tou', ''], ['file', $text, '; filename="usage.xml"'];
    return $vic->{http}->request('POST', $stack->url('/costs/compare'), { content => "$body--cut--\r\n",
        headers => { 'Content-Type' => 'multipart/form-data; boundary=cut', Cookie => join('; ', map { "$_=$vic->{cookies}{$_}" } keys %{ $vic->{cookies} }) } });
}
my $told = sent($csrf, $feed);
is $told->{status}, 200, 'the same by a form' or diag $told->{content};
like $told->{content}, qr{1 of 3 intervals are the same, 1 differ, 1 were not measured here.*Wed 3 Jul, 18:00–19:00}s, 'says which hour differs, by the place\'s clock';
like $told->{content}, qr{Bill of 3 Jul 2024.*\$11\.31.*\$11\.30.*−\$0\.01}s, 'and by how much the bill does';
like $told->{content}, qr{Bill of 3 Jul 2024, line by line.*Off peak &amp; base.*\$9\.53.*Energy, .*\$9\.53.*Tax.*\$1\.78.*Energy, .*\$1\.77}s, 'its lines beside ours';
is sent($csrf, 'no')->{status}, 422, 'what is no file is refused';
is sent('x', $feed)->{status}, 403, 'and a form without its token';
is sent($csrf, $feed, ['site', $_->[0], '; filename="tou"'])->{status}, 400, "$_->[1] in another field, as if it were a file" for ["to\xffu", 'what is no text'], ["tou\0", 'NUL'];

is $vic->get("/$_?site=none")->{status}, 404, "/$_ of no site" for qw(costs energy costs/bill costs/what-if);
is $mo->get("/$_?site=flat")->{status}, 404, "nor of another tenant's" for qw(costs energy costs/bill costs/what-if);

# ---- what changes them ----

my $corrected = $stack->request('PUT', '/v1/devices/meter-tou/samples', token => $admin,
    body => { items => [ { time => '2024-07-04T01:00:00Z', metric => 'grid_import_kwh', value => 11 } ] });
is $corrected->{status}, 200, 'a reading of 18 h is corrected from 1 to 11';
$stack->settle;
# 13 * 0.58873 = 7.65349
is bill('site=tou&from=2024-07-03&to=2024-07-04')->{total}, '17.18', 'the bill follows: 9.53 + 7.65';
my $before = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 1));
select undef, undef, undef, 0.1 while time < epoch_of($before);
my $put = $stack->request('PUT', "/v1/rate-schedules/$id{tiers}", token => $admin,
    body => document('tiers', 'berlin', charges => [ { type => 'energy', rate => '0.25' } ]));
is $put->{status}, 200, 'a schedule is corrected' or diag $put->{content};
is bill('site=tiers&from=2026-02-01&to=2026-03-01')->{total}, '7.50', 'the bill follows: 30 * 0.25';
my $former = bill("site=tiers&from=2026-02-01&to=2026-03-01&as_of=$before");
is_deeply [$former->{total}, map { $_->{version} } @{ $former->{lines} }], ['7.00', 1, 1], 'as of before it is the former one';
is bill('site=tiers&from=2026-02-01&to=2026-03-01&as_of=2020-01-01')->{total}, '0.00', 'as of long before nothing was known';
$put = $stack->request('PUT', "/v1/rate-schedules/$id{demand}", token => $admin,
    body => document('demand', 'berlin', valid_from => '2026-02-15', charges => [ { type => 'energy', rate => '0.11' }, { type => 'demand', rate => '12', window_minutes => 15 },
        { type => 'minimum', amount => '128', per => 'month', on => [ 'energy', 'demand' ] } ]));
is $put->{status}, 200, 'another has other prices from the middle of a cycle on' or diag $put->{content};
# 8 kW of the first half are the month's: 8 * 10 * 14 / 28 and 8 * 12 * 14 / 28; 100 * 14 / 28 + 128 * 14 / 28 - 4.95 - 40 - 48
is lines_of(bill('site=demand&from=2026-02-01&to=2026-03-01')),
    'energy all - 49.5 0.1 4.95; demand - - 8 10 40.00; export all - 5 0.08 -0.40; demand - - 8 12 48.00; minimum - - 1 128 21.05',
    'demand and minimum are of the cycle, the prices of their days';
# 4.95 + 40 - 0.40 and 48 + 21.05 are the 113.60 of the month
my @parts = map { bill("site=demand&$_") } 'from=2026-02-01&to=2026-02-15', 'from=2026-02-15&to=2026-03-01';
is join(' | ', map { lines_of($_) } @parts), 'energy all - 49.5 0.1 4.95; demand - - 8 10 40.00; export all - 5 0.08 -0.40 | demand - - 8 12 48.00; minimum - - 1 128 21.05',
    'each part of a cycle has what is on its days';
is_deeply [map { $_->{total} } @parts, bill('site=demand&from=2026-02-01&to=2026-03-01')], ['44.55', '69.05', '113.60'], 'they add up';
is_deeply [@{ $parts[1]{lines}[1] }{qw(base from to)}], ['92.95', '2026-02-01', '2026-03-01'], 'a minimum says of which days it is, and what they came to: 4.95 + 40 + 48';
is_deeply [grep { $_ != 0 } map { $_->{cost} } @{ costs('site=demand&bucket=1d&from=2026-02-15&to=2026-03-01') }], ['48.00', '21.05'], 'and as costs by day have it';
like words('/costs/bill?site=demand&from=2026-02-15&to=2026-02-28'), qr/Part of what is billed for [^:]*28 Feb 2026: demand is on the day of the highest, and a minimum on the last day/, 'the page says that it is a part';
unlike words('/costs/bill?site=demand&from=2026-02-01&to=2026-02-28'), qr/Part of what is billed/, 'the whole is none';

# ---- the ledger ----

# What is asked for as of a later time is worked out anew; all else comes from the ledger, as soon as
# the worker has rated it.
my $deadline = time + 60;
select undef, undef, undef, 0.1 while $stack->sql('SELECT count(*) FROM core.cost_dirty') > 0 && time < $deadline;
is $stack->sql('SELECT count(*) FROM core.cost_dirty'), 0, 'the worker rates all that changed';
cmp_ok $stack->sql('SELECT count(*) FROM core.cost_calculation'), '>', 30, 'and keeps the lines';
for my $query ((map { ("bills?site=$_->[0]&$_->[1]", "costs?bucket=1d&site=$_->[0]&$_->[1]", "costs?bucket=1mo&site=$_->[0]&$_->[1]", "costs?bucket=15m&site=$_->[0]&$_->[1]") }
    ['flat', 'from=2026-03-28&to=2026-04-03'], ['tou', 'from=2024-06-30&to=2024-07-05'], ['tiers', 'from=2026-01-15&to=2026-04-01'],
    ['demand', 'from=2026-01-31&to=2026-02-02'], ['demand', 'from=2026-02-01&to=2026-03-01'], ['demand', 'from=2026-02-15&to=2026-03-01'], ['solar', 'from=2026-01-01&to=2026-06-30']),
    'costs?bucket=1w&site=tiers&tz=Asia/Kolkata&from=2026-02-01&to=2026-03-01', 'energy?bucket=1d&site=tiers&from=1769900400', 'costs?bucket=1d&site=flat') {
    my ($kept, $anew) = map { get("/v1/$query$_")->{content} } '', '&as_of=2100-01-01T00:00:00Z';
    $anew =~ s/"as_of":"[^"]*"/"as_of":null/;
    is $kept =~ s/"as_of":"[^"]*"/"as_of":null/r, $anew, "kept or worked out anew the same: $query";
}
is $stack->sql("SELECT string_agg(c.charge || ' ' || coalesce(c.period, '-') || ' ' || c.quantity || ' ' || trim_scale(c.amount), '; ' ORDER BY c.day, c.line)"
        . " FROM core.cost_calculation c JOIN core.site s ON s.id = c.site_id WHERE s.key = 'tou' AND c.day = '2024-07-03'"),
    'energy off_peak 21000000000 9.52917; energy peak 13000000000 7.65349', 'what a day costs stands in the ledger, exactly';
my $is_kept = $stack->sql("SELECT min(rated_at) FROM core.cost_day");
$stack->sql("UPDATE core.cost_day SET cost = cost + 1000");
is costs('site=tou&bucket=1d&from=2024-07-03&to=2024-07-04')->[0]{cost}, '1017.18266', 'a clean day is not worked out again';
$stack->sql("UPDATE core.site SET timezone = timezone WHERE key = 'tou'; INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy) SELECT tenant_id, id, '-infinity', 'infinity', true FROM core.site");
is costs('site=tou&bucket=1d&from=2024-07-03&to=2024-07-04')->[0]{cost}, '17.18266', 'one that was touched is' or diag $stack->logs;

# What a statement notes and locks, without its being done.
sub tried { return $stack->sql("BEGIN; $_[0]; SELECT 'says ' || ($_[1])::text; ROLLBACK") =~ s/.*says (.*?)(?:\n.*|$)/$1/sr }
is tried("INSERT INTO core.rate_price SELECT tenant_id, schedule_id, series, '2026-02-01', now(), '2026-02-01 01:00', 1 FROM core.rate_price",
        "SELECT max(d.to_time) = '2026-07-01' FROM core.cost_dirty d WHERE d.from_time = '2026-02-01'"),
    'true', 'a price within a longer one notes all that it cuts off';
is tried("UPDATE core.device SET site_id = NULL WHERE key = 'meter-flat'",
        "SELECT count(DISTINCT d.site_id) || ' ' || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) FROM core.cost_dirty d WHERE d.is_move"),
    '2 0', 'a device that moves notes both places, and waits for nobody that derives';

# Its days, of more than two years, are rated a year at a time.
$stack->sql("UPDATE core.cost_day SET zone = 'Asia/Tokyo' WHERE site_id = (SELECT id FROM core.site WHERE key = 'tou'); INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)"
    . " SELECT tenant_id, id, '2026-01-01', '2026-01-02', false FROM core.site WHERE key = 'tou'");
$deadline = time + 60;
select undef, undef, undef, 0.1 while $stack->sql('SELECT count(*) FROM core.cost_dirty') > 0 && time < $deadline;
is $stack->sql("SELECT count(*) FILTER (WHERE c.zone <> 'America/Los_Angeles') || ' ' || count(*) FILTER (WHERE c.cost = 17.18266) || ' ' || (max(c.day) - min(c.day) + 1 = count(*))"
        . " || ' ' || (SELECT count(*) FROM core.cost_dirty) FROM core.cost_day c JOIN core.site s ON s.id = c.site_id WHERE s.key = 'tou'"),
    '0 1 true 0', 'a long history of another zone is rated again, to its end';

# ---- who sees what ----

is $stack->get('/v1/bills?site=flat', token => $stranger)->{status}, 404, 'another tenant has no such site';
is $stack->get('/v1/costs?device=meter-flat', token => $stranger)->{status}, 404, 'and no such device';
is_deeply $stack->get('/v1/costs?from=2026-03-01&to=2026-04-01', token => $stranger)->{json}{items}, [], 'its own costs are none';
is $stack->get('/v1/bills?site=flat', token => $device)->{status}, 403, 'a device may not read bills';
for my $wrong (['from=x', 400], ['to=2999-12-31', 400], ['from=2026-02-01&to=2026-01-01', 422], ['from=1990-01-01&to=2020-01-01', 422], ['site=none', 404], ['as_of=x', 400]) {
    is get("/v1/bills?$wrong->[0]")->{status}, $wrong->[1], "$wrong->[0] is refused";
}
done_testing();

sub epoch_of { my ($y, $m, $d, $h, $min, $s) = $_[0] =~ /\d+/g; return timegm($s, $min, $h, $d, $m - 1, $y) }
