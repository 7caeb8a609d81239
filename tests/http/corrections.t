#!/usr/bin/perl
# Corrections, deletion of samples and erasure of devices through the real nginx: what they answer,
# that what is derived follows, that nobody but admins may, and that nothing of an erased device
# survives, ingest's memory of it included.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Stack;
use Time::HiRes qw(time sleep);

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', $_) for qw(home mills);
my $device = $stack->token('home', 'device', '--backfill');
my $admin = $stack->token('home', 'admin');
my $start = int(time / 86400) * 86400 - 3 * 86400;

sub at { return $start + $_[0] * 3600 }

sub batch { return $stack->post('/v1/events/batch', [@_], token => $device) }

sub put {
    my ($key, $body, %option) = @_;
    return $stack->request('PUT', "/v1/devices/$key/samples", token => $admin, body => $body, %option);
}

sub remove { return $stack->request('DELETE', $_[0], token => $_[1] // $admin) }

# The values of the device, as "hour=value".
sub values_of {
    my ($key, $metric) = @_;
    my $answer = $stack->get("/v1/devices/$key/samples?metric=$metric&limit=1000", token => $admin);
    return join ' ', map { $_->{value} } @{ $answer->{json}{items} };
}

# Waits until the day's sum is what it should be; returns it.
sub day_sum {
    my ($key, $metric, $wanted) = @_;
    my ($until, $sum) = (time + 30);
    do {
        my $answer = $stack->get("/v1/devices/$key/samples?metric=$metric&bucket=1d&tz=UTC", token => $admin);
        $sum = join ' ', map { $_->{sum} } @{ $answer->{json}{items} };
        return $sum if $sum eq $wanted;
        sleep 0.25;
    } while (time < $until);
    return $sum;
}

is batch(map { { device => 'meter', time => at($_), metrics => { energy_kwh => $_, power_w => 100 } } } 1 .. 5)->{status}, 200, 'five hours of readings';
is day_sum('meter', 'energy_kwh', '15'), '15', 'are rolled up';

# What a person sees of these days on the device's page and the overview, on all of 12 loads: no
# process shows what it kept from before a correction.
$stack->sql(<<'SQL');
INSERT INTO core.person (email, name, password_hash) VALUES ('eve@home.example', 'Eve', '-');
INSERT INTO core.membership (tenant_id, person_id, role) SELECT t.id, p.id, 'admin' FROM core.tenant t, core.person p WHERE t.slug = 'home';
INSERT INTO core.session (hash, person_id, tenant_id, idle_days, expires_at)
SELECT sha256('eve'), m.person_id, m.tenant_id, 7, now() + interval '1 day' FROM core.membership m;
SQL

sub shown {
    my @cookie = (headers => { Cookie => 'tidemark_session=eve' });
    my %seen;
    for (1 .. 12) {
        my ($sum) = $stack->get('/devices/meter?metric=energy_kwh&range=7d', @cookie)->{content} =~ m{<dt>Sum</dt><dd><strong>([\d.]+)};
        my ($used) = $stack->get('/', @cookie)->{content} =~ m{id="days-d">([\d.]+)};
        $seen{ join ' ', map { $_ // '-' } $sum, $used } = 1;
    }
    return join ', ', sort keys %seen;
}

is shown(), '15.0 15.0', 'pages show them';

# ---- putting right ----

my $answer = put('meter', { items => [ { time => at(1), metric => 'energy_kwh', value => 10 }, { time => at(2), metric => 'energy_kwh', value => 2 },
    { time => at(6), metric => 'energy_kwh', value => 6 } ] });
is $answer->{status}, 200, 'three values are set';
is_deeply $answer->{json}, { updated => 1, inserted => 1, unchanged => 1 }, 'and told what each came to';
is values_of('meter', 'energy_kwh'), '10 2 3 4 5 6', 'they are there';
is day_sum('meter', 'energy_kwh', '30'), '30', 'the day follows within 30 seconds';
is shown(), '30.0 30.0', 'and every page';
is_deeply put('meter', "time,metric,value\n" . at(3) . ",energy_kwh,3.5\n", headers => { 'Content-Type' => 'text/csv' })->{json},
    { updated => 1, inserted => 0, unchanged => 0 }, 'as CSV too';
is_deeply put('meter', [ { time => at(3), metric => 'energy_kwh', value => 3 } ])->{json}, { updated => 1, inserted => 0, unchanged => 0 }, 'as a plain list too';
my ($last) = grep { $_->{metric} eq 'energy_kwh' } @{ $stack->get('/v1/devices/meter', token => $admin)->{json}{series} };
is $last->{last_value}, 6, 'a newer one is the last value';

$answer = put('meter', [ { time => at(1), metric => 'energy_kwh', value => 99 }, { time => at(1), metric => 'unheard', value => 1 },
    { time => 'soon', metric => 'energy_kwh', value => 1 }, { time => at(1), metric => 'energy_kwh' }, { time => at(900), metric => 'energy_kwh', value => 1 },
    { time => at(1), metric => 'energy_kwh', value => 98 }, 7, { time => at(1), metric => 'energy_kwh', value => 1, unit => 'kWh' } ]);
is $answer->{status}, 422, 'a list with faults';
is_deeply [ map { $_->{index} } sort { $a->{index} <=> $b->{index} } @{ $answer->{json}{errors} } ], [ 1 .. 7 ], 'says which items are wrong';
is values_of('meter', 'energy_kwh'), '10 2 3 4 5 6', 'and changes nothing';
is put('nowhere', [ { time => at(1), metric => 'x', value => 1 } ])->{status}, 404, 'an unknown device';
is put('meter', [])->{status}, 422, 'an empty list';
is put('meter', '[{"time":')->{status}, 415, 'a body that does not say what it is';
is put('meter', '[{"time":', headers => { 'Content-Type' => 'application/json' })->{status}, 400, 'half a body';
is put('meter', [ map { { time => at(1) + $_, metric => 'energy_kwh', value => 1 } } 0 .. 10_000 ])->{status}, 413, 'more than ten thousand';
is_deeply put('meter', [ map { { time => at(-24) + $_, metric => 'power_w', value => 1 } } 1 .. 10_000 ])->{json}, { updated => 0, inserted => 10_000, unchanged => 0 },
    'ten thousand';

# ---- deleting ----

my ($from, $to) = map { at($_) } 2, 4;
is remove('/v1/devices/meter/samples?metric=energy_kwh')->{status}, 422, 'from and to have to be said';
is_deeply remove("/v1/devices/meter/samples?metric=energy_kwh&from=$from&to=$to")->{json}, { deleted => 2 }, 'two of them are deleted';
is values_of('meter', 'energy_kwh'), '10 4 5 6', 'from is inclusive, to is not';
is day_sum('meter', 'energy_kwh', '25'), '25', 'the day follows';
is remove("/v1/devices/meter/samples?metric=energy_kwh&from=$from&to=$to")->{json}{deleted}, 0, 'nothing is left of them';
is remove("/v1/devices/meter/samples?metric=none&from=$from&to=$to")->{status}, 409, 'an unknown metric';
my $late = at(6);
is remove("/v1/devices/meter/samples?metric=energy_kwh&from=$late&to=" . at(7))->{json}{deleted}, 1, 'the newest is deleted';
($last) = grep { $_->{metric} eq 'energy_kwh' } @{ $stack->get('/v1/devices/meter', token => $admin)->{json}{series} };
is $last->{last_value}, 5, 'the one before is the last value';

# ---- who may ----

for my $kind (qw(api device)) {
    my $token = $stack->token('home', $kind);
    is put('meter', [], token => $token)->{status}, 403, "a token of kind $kind corrects nothing";
    is remove('/v1/devices/meter', $token)->{status}, 403, 'and erases nothing';
}
my $other = $stack->token('mills', 'admin');
is put('meter', [ { time => at(1), metric => 'energy_kwh', value => 0 } ], token => $other)->{status}, 404, 'another tenant\'s admin finds no such device';
is remove("/v1/devices/meter/samples?from=$from&to=$to", $other)->{status}, 404, 'to delete from';
is remove('/v1/devices/meter', $other)->{status}, 404, 'to erase';

# ---- what retention took ----

$stack->sql("UPDATE core.series_floor SET raw_from = to_timestamp(" . at(4) . ') WHERE series_id IN (SELECT id FROM core.series WHERE metric = \'power_w\')');
is put('meter', [ { time => at(3), metric => 'power_w', value => 0 } ])->{status}, 422, 'nothing is put right before what is kept';
$answer = remove("/v1/devices/meter/samples?metric=power_w&from=$from&to=" . at(9));
is $answer->{status}, 409, 'nor deleted';
like $answer->{json}{detail}, qr/kept no longer/, 'and why is said';
is remove("/v1/devices/meter/samples?metric=power_w&from=" . at(4) . '&to=' . at(9))->{json}{deleted}, 2, 'what is kept can be';

# ---- what happened to a meter ----

my $ENTRIES = '/v1/devices/shed%2Fmeter/meter-entries';

sub enter { return $stack->post($ENTRIES, $_[0], token => $_[1] // $admin) }

# What is wrong, by field.
sub wrong { my ($answer) = @_; return join '; ', map { "$_->{field} $_->{detail}" } @{ $answer->{json}{errors} // [] } }

# Waits until the day's energy is what it should be; returns it.
sub day_energy {
    my ($wanted) = @_;
    my ($until, $kwh) = (time + 30);
    do {
        $kwh = join ' ', map { $_->{consumption_kwh} } @{ $stack->get('/v1/energy?bucket=1d&tz=UTC&device=shed%2Fmeter', token => $admin)->{json}{items} };
        return $kwh if $kwh eq $wanted;
        sleep 0.25;
    } while (time < $until);
    return $kwh;
}

batch(map { { device => 'shed/meter', time => at($_->[0]), metrics => { meter_kwh_total => $_->[1] } } } [ 1, 99_990 ], [ 2, 99_998 ], [ 3, 3 ], [ 5, 13 ]);
is day_energy('21'), '21', 'a fall is a restart from zero';
$answer = enter({ kind => 'rollover', at => at(0), size => 100_000, note => 'five digits' });
is $answer->{status}, 201, 'that the register rolls over is entered';
my $rollover = $answer->{json}{id};
is join(' ', map { $_ // '-' } @{ $answer->{json} }{qw(kind metric until final size factor note withdrawn_at)}), 'rollover meter_kwh_total - - 100000 - five digits -',
    'for the only counter there is';
is day_energy('23'), '23', 'and energy follows within 30 seconds';
like enter({ kind => 'factor', at => at(3), until => at(4), factor => '1.0500000000000000000000001' })->{content}, qr/"factor":1\.0500000000000000000000001,/, 'a factor, as a text digit by digit';
is day_energy('23.25'), '23.25', 'of the time it is said of';
is wrong(enter($_->[0])), $_->[1], $_->[1] for
    [ {}, 'kind must be given; at must be given' ], [ { kind => 'theft', at => 1 }, 'kind must be one of swap, reset, rollover, gap, factor, unit' ],
    [ { kind => 'gap', at => at(1) }, 'until must be given' ], [ { kind => 'gap', at => at(1), until => at(1) }, 'until must be after at' ],
    [ { kind => 'factor', at => at(1), factor => undef }, 'factor must be given' ],
    [ { kind => 'factor', at => at(6), factor => 0 }, 'factor must be more than 0, and written in at most 40 digits' ],
    (map { [ { kind => 'factor', at => at(6), factor => $_ }, 'factor must be a finite number, or a text of one' ] } '1,5', '', ' 2', '2x', '1e999'),
    [ { kind => 'factor', at => at(6), factor => [2] }, 'factor must be a finite number' ], [ { kind => 'factor', at => at(6), factor => '-2' }, 'factor must be more than 0, and written in at most 40 digits' ],
    [ { kind => 'swap', at => at(4), until => at(5) }, 'until does not go with this kind of entry' ],
    [ { kind => 'gap', at => at(1), until => at(2), who => 'me' }, 'who is not known here' ],
    [ { kind => 'unit', at => at(1), unit => 'l' }, 'unit must be Wh, kWh or MWh' ],
    [ { kind => 'rollover', at => at(1), size => 10 }, "at the time overlaps with that of entry $rollover; size is less than a reading of that time, 99998" ],
    [ { kind => 'gap', at => at(1), until => at(2), metric => 'nothing' }, 'metric the device has no such series' ];
is enter({ kind => 'gap', at => at(1), until => at(2) }, $stack->token('home', 'api'))->{status}, 403, 'api tokens enter nothing';
is enter({ kind => 'gap', at => at(1), until => at(2) }, $other)->{status}, 404, 'nor do others\' admins';
$answer = $stack->get("$ENTRIES?limit=1", token => $stack->token('home', 'api'));
is join(' ', map { $_->{kind} } @{ $answer->{json}{items} }), 'factor', 'but api tokens see them, the latest first';
is join(' ', map { $_->{kind} } @{ $stack->get("$ENTRIES?cursor=$answer->{json}{next}", token => $admin)->{json}{items} }), 'rollover', 'page by page';
is $stack->get($ENTRIES, token => $other)->{status}, 404, 'others\' do not';
is remove("$ENTRIES/$rollover", $other)->{status}, 404, 'nor withdraw them';
is remove("$ENTRIES/$rollover")->{status}, 204, 'one is withdrawn' for 1, 2;
is remove("$ENTRIES/$_")->{status}, 404, "there is no entry $_" for 0, 99_999_999_999, 'x';
is day_energy('21.25'), '21.25', 'as if it had not been';
my ($withdrawn) = grep { $_->{id} == $rollover } @{ $stack->get($ENTRIES, token => $admin)->{json}{items} };
like "$withdrawn->{made_by}, $withdrawn->{withdrawn_by}", qr/^token \d+, token \d+$/, 'but it is kept, with who did what';

# ---- erasure ----

is batch({ device => 'other', time => at(1), metrics => { energy_kwh => 7 } })->{status}, 200, 'another device';
is day_sum('other', 'energy_kwh', '7'), '7', 'is rolled up';
my ($id) = $stack->sql("SELECT id FROM core.device WHERE key = 'meter'");
my @series = $stack->sql("SELECT id FROM core.series WHERE device_id = $id");
$answer = remove('/v1/devices/meter');
is $answer->{status}, 200, 'a device is erased';
is $answer->{json}{erased}{series}, 2, 'with its series';
cmp_ok $answer->{json}{erased}{sample}, '>=', 10_000, 'and samples';
cmp_ok $answer->{json}{erased}{rollup_15m}, '>', 0, 'and rollups';
is $stack->get('/v1/devices/meter', token => $admin)->{status}, 404, 'it is gone';
is batch({ device => 'meter', time => at(1), metrics => { energy_kwh => 1 } })->{status} =~ /^(?:200|503)$/, 1, 'what it sends meanwhile is answered';
my $until = time + 20;
sleep 0.25 while time < $until && batch({ device => 'meter', time => at(2), metrics => { energy_kwh => 1 } })->{status} != 200
    || time < $until && !$stack->sql("SELECT count(*) FROM core.device WHERE key = 'meter'");
my ($again) = $stack->sql("SELECT id FROM core.device WHERE key = 'meter'");
ok defined $again && $again != $id, 'the key comes again as another device, within seconds';

# Who goes on sending, and knows of nothing: what is acknowledged after the erasure is there.
for my $round (1 .. 3) {
    my $now = int(time) - 100;
    my $send = sub { my ($n) = @_; return batch({ device => 'sender', time => $now + $n, metrics => { level => $n } })->{status} };
    $until = time + 20;
    sleep 0.05 while time < $until && $send->(0) != 200;
    is remove('/v1/devices/sender')->{status}, 200, 'a device that sends is erased';
    my %answers;
    push @{ $answers{ $send->($_) } }, $_ for 1 .. 40;
    ok !(grep { $_ ne '200' && $_ ne '503' } keys %answers) && @{ $answers{200} // [] } > 30, '  and its readings are taken, or are to be sent again'
        or diag join ', ', map { "$_: @{$answers{$_}}" } sort keys %answers;
    is join(' ', $stack->sql("SELECT x.value FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id"
        . " WHERE d.key = 'sender' ORDER BY x.time")), join(' ', @{ $answers{200} // [] }), '  each that was taken is there';
}

$stack->cli('worker', '--once');
my $ids = join ',', @series;
is $stack->sql("SELECT count(*) FROM core.$_ WHERE series_id IN ($ids)"), 0, "nothing is left of it in $_"
    for qw(sample series_last change rollup_15m rollup_1h rollup_1d rollup_1w rollup_1mo energy_15m energy_1d series_floor);
is $stack->sql('SELECT ops.orphan_check()'), 0, 'no sample is an orphan';
is day_sum('other', 'energy_kwh', '7'), '7', 'the other device is as it was';
is join(' ', $stack->sql("SELECT DISTINCT action FROM core.audit WHERE action LIKE 'sample.%' OR action = 'device.erase' ORDER BY 1")),
    'device.erase sample.delete sample.put', 'all of it is in the audit trail';
like $stack->sql("SELECT string_agg(DISTINCT actor, ' ') FROM core.audit WHERE action = 'device.erase'"), qr/^token \d+$/, 'with who did it';

done_testing;
