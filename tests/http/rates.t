#!/usr/bin/env perl
# Rate schedules through the API: documents are kept as they are or refused with all that is wrong,
# versions are added and never changed, assignments say what holds where and are remembered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use POSIX ();
use Time::HiRes ();
use Time::Local ();
use Tidemark::Browser;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
my (%token, $answer);
for my $tenant (qw(home other)) {
    $stack->cli('tenant', 'add', $tenant, '--timezone', 'America/Los_Angeles', '--currency', 'USD');
    $token{$tenant} = $stack->token($tenant, 'admin');
}
$token{api} = $stack->token('home', 'api');
$token{device} = $stack->token('home', 'device');
$stack->post('/v1/event', { device => 'meter', site => 'roof', metrics => { energy_kwh => 1 } }, token => $token{device});
$stack->post('/v1/event', { device => 'lone', metrics => { energy_kwh => 1 } }, token => $token{device});

# Energy of three days ago, by hours: a meter, the grid's meter and a roof at the house.
my $day = int(time / 86400) * 86400 - 3 * 86400;
sub at { return $day + 3600 * $_[0] }
$answer = $stack->post('/v1/events/batch', [
    (map { { device => 'meter', time => at($_->[0]), metrics => { energy_kwh => $_->[1] } } } [ 1, 0.1 ], [ 1.25, 0.2 ], [ 25, 0.3 ]),
    { device => 'grid', site => 'house', time => at(2), metrics => { grid_import_kwh => 5, grid_export_kwh => 2 } },
    { device => 'solar', site => 'house', time => at(2), metrics => { generation_kwh => 4.000000001 } } ], token => $token{device});
die "no energy: $answer->{content}" if $answer->{status} != 200;

my $PATH = '/v1/rate-schedules';
sub ask { my ($method, $path, $body, $who) = @_; return $stack->request($method, "$PATH$path", token => $token{ $who // 'home' }, defined $body ? (body => $body) : ()) }

sub flat {
    my ($name, $rate, %more) = @_;
    return { name => $name, timezone => 'America/Los_Angeles', currency => 'USD', charges => [ { type => 'energy', rate => $rate } ], %more };
}

# The errors of an answer, "field detail" each.
sub errors { return join "\n", map { "$_->{field} $_->{detail}" } @{ $_[0]{json}{errors} // [] } }

# ---- documents ----

$answer = ask('POST', '', flat('Flat', '0.30', valid_from => '2024-01-01'));
is $answer->{status}, 201, 'a schedule is made';
my $flat = $answer->{json}{id};
is $answer->{headers}{location}, "$PATH/$flat", 'and its address told';
is $answer->{json}{document}{charges}[0]{rate} // $answer->{json}{document}{charges}[0]{prices}[0]{rate}, '0.3', 'its price is a decimal text';
is_deeply [ map { $_->{version} } @{ $answer->{json}{versions} } ], [1], 'it has a version';
like $answer->{json}{versions}[0]{made_by}, qr/^token \d+$/, 'of a maker';

my $wrong = flat('Wrong', 'much', timezone => 'Mars/Olympus', windows => [ { period => 'peak', from => '25:00', to => '21:00' } ], colour => 1);
$answer = ask('POST', '', $wrong);
is $answer->{status}, 422, 'a wrong document is refused';
is $answer->{headers}{'content-type'}, 'application/problem+json', 'with a problem';
my $told = errors($answer);
like $told, qr{^\Q$_\E }m, "telling $_" for '/charges/0/rate', '/windows/0/from', '/colour';
is errors(ask('POST', '', flat('Wrong', 1, timezone => 'Mars/Olympus'))), '/timezone is no time zone of the tz database', 'a zone is the database\'s to know';
is ask('POST', '', '{"name":')->{status}, 415, 'a body without a type is refused';
is $stack->request('POST', $PATH, token => $token{home}, headers => { 'Content-Type' => 'application/json' }, body => '{"name":')->{status}, 422, 'what is no JSON too';
is ask('POST', '', flat('Flat', 1), 'api')->{status}, 403, 'api tokens only read';
is join(' ', map { $_->{name} } @{ ask('GET', '', undef, 'api')->{json}{items} }), 'Flat', 'nothing of what was refused is kept';

# ---- versions ----

$answer = ask('PUT', "/$flat", flat('Flat and dearer', '0.35', valid_from => '2025-01-01'));
is $answer->{status}, 200, 'a second version is added';
is_deeply [ map { "$_->{version} $_->{valid_from}" } @{ $answer->{json}{versions} } ], [ '2 2025-01-01', '1 2024-01-01' ], 'beside the first';
is ask('GET', "/$flat?version=1")->{json}{document}{name}, 'Flat', 'which is as it was';
is ask('GET', "/$flat")->{json}{document}{name}, 'Flat and dearer', 'the newest is shown else';
is ask('GET', "/$flat?version=3")->{status}, 404, 'a third there is not';
sub holds { return join '; ', map { my $v = $_; "$v->{version}: " . join(', ', map { "$_->{from} to " . ($_->{to} // 'open') } @{ $v->{holds} }) . (@{ $v->{covers} } ? " covers @{ $v->{covers} }" : '') } @{ $_[0]{json}{versions} } }
is holds($answer), '2: 2025-01-01 to open; 1: 2024-01-01 to 2025-01-01', 'each tells the days on which it holds';
is ask('PUT', "/$flat", $wrong)->{status}, 422, 'nor is a wrong one added';
my ($item) = @{ ask('GET', '')->{json}{items} };
is "$item->{name} $item->{versions} $item->{valid_from} " . ($item->{valid_to} // 'open'), 'Flat and dearer 2 2025-01-01 open', 'the list tells the newest';
# Last year's prices entered later: with a last day beside this year's, without it instead of them; a year within leaves both sides.
my $year = ask('POST', '', flat('Year', '0.40', valid_from => '2026-01-01'))->{json}{id};
is holds(ask('PUT', "/$year", flat('Year', '0.20', valid_from => '2025-01-01', valid_to => '2026-01-01'))), '2: 2025-01-01 to 2026-01-01; 1: 2026-01-01 to open', 'a version that ends before another covers nothing';
is holds(ask('PUT', "/$year", flat('Year', '0.21', valid_from => '2025-01-01'))), '3: 2025-01-01 to open covers 1 2; 2: ; 1: ', 'without its end it covers what is later';
is holds(ask('PUT', "/$year", flat('Year', '0.22', valid_from => '2025-05-01', valid_to => '2025-07-01'))),
    '4: 2025-05-01 to 2025-07-01; 3: 2025-01-01 to 2025-05-01, 2025-07-01 to open covers 1 2; 2: ; 1: ', 'one within another leaves both of its sides';
is holds(ask('GET', "/$year?version=1")), holds(ask('GET', "/$year")), 'and it is told whichever is shown';
is $stack->request('GET', "$PATH?format=csv", token => $token{api})->{content} =~ /^$flat,Flat and dearer,/m, 1, 'as CSV too';

# ---- where it holds ----

my $tou = ask('POST', '', flat('Second', '0.20'))->{json}{id};
sub assign { my ($id, $body) = @_; return ask('POST', "/$id/assign", $body) }

# What holds, "from to name version" each.
sub applied {
    my ($query) = @_;
    my $answer = ask('GET', "/applied?from=2024-06-01&to=2026-01-01&$query", undef, 'api');
    return $answer->{status} if $answer->{status} != 200;
    return join '; ', map { "$_->{from} $_->{to} $_->{name} $_->{version}" } @{ $answer->{json}{items} };
}

is applied('site=roof'), '', 'nothing holds at first';
$answer = assign($flat, { from => '2024-07-01' });
is $answer->{status}, 201, 'a schedule is assigned to the tenant';
is_deeply [ @{ $answer->{json} }{qw(site device from to known_until)} ], [ undef, undef, '2024-07-01', undef, undef ], 'from a day on';
my $name = 'Flat and dearer';
is applied('site=roof'), "2024-07-01 2025-01-01 $name 1; 2025-01-01 2026-01-01 $name 2", 'each version holds on its days';
my $before = $stack->sql('SELECT clock_timestamp() AT TIME ZONE \'UTC\'') =~ s/ /T/r . 'Z';
my $at_site = assign($tou, { site => 'roof', from => '2025-03-10T06:00:00Z', to => '2025-09-01' })->{json};
is $at_site->{from}, '2025-03-09', 'a time means its day by the schedule\'s clock';
is applied('site=roof'), "2024-07-01 2025-01-01 $name 1; 2025-01-01 2025-03-09 $name 2; 2025-03-09 2025-09-01 Second 1; 2025-09-01 2026-01-01 $name 2",
    'a site\'s goes before the tenant\'s';
is applied('device=meter'), applied('site=roof'), 'a device has its site\'s';
is applied('device=lone'), "2024-07-01 2025-01-01 $name 1; 2025-01-01 2026-01-01 $name 2", 'without a site the tenant\'s';
is assign($flat, { device => 'meter', from => '2025-01-01', to => '2026-01-01' })->{status}, 201, 'a device has its own';
is applied('device=meter'), "2024-07-01 2025-01-01 $name 1; 2025-01-01 2026-01-01 $name 2", 'which goes before its site\'s';
is applied("site=roof&as_of=$before"), "2024-07-01 2025-01-01 $name 1; 2025-01-01 2026-01-01 $name 2", 'what was known before is remembered';
is ask('DELETE', "/$tou/assignments/$at_site->{id}")->{status}, 204, 'an assignment is withdrawn';
is applied('site=roof'), "2024-07-01 2025-01-01 $name 1; 2025-01-01 2026-01-01 $name 2", 'and what was under it holds again';
my ($withdrawn) = @{ ask('GET', "/$tou")->{json}{assignments} };
ok $withdrawn->{known_until} gt $withdrawn->{known_since}, 'it is kept with the time until which it was known';
is ask('DELETE', "/$tou/assignments/$at_site->{id}")->{status}, 204, 'twice does no harm';
is ask('DELETE', "/$flat/assignments/$at_site->{id}")->{status}, 404, 'another schedule has it not';

my @refused = (
    [ { site => 'nowhere' }, qr/nowhere/ ], [ { device => 'nobody' }, qr/nobody/ ], [ { from => 'tomorrow' }, qr/^from/ ],
    [ { from => '2025-02-01', to => '2025-02-01' }, qr/^to: must be after/ ], [ { site => 'roof', device => 'meter' }, qr/^device/ ],
    [ { sites => 'roof' }, qr/^sites/ ],
);
for (@refused) {
    my ($body, $why) = @{$_};
    my $refusal = assign($flat, $body);
    is $refusal->{status}, 422, encode_json($body) . ' is refused';
    like $refusal->{json}{detail}, $why, '  with the reason';
}
is applied('site=nowhere'), 404, 'of a site that there is not nothing is told';

# ---- URDB ----

my @hours = ([ (0) x 16, (1) x 5, (0) x 3 ]) x 12;
my $urdb = { name => 'E-TOU', utility => 'PG&E', energyratestructure => [ [ { rate => 0.53605, unit => 'kWh' } ], [ { rate => 0.61949, unit => 'kWh' } ] ],
    energyweekdayschedule => \@hours, energyweekendschedule => \@hours, startdate => 1704067200 };
sub urdb { my ($method, $path, $rate) = @_; return $stack->request($method, "$PATH$path", token => $token{home}, body => encode_json($rate),
        headers => { 'Content-Type' => 'application/vnd.openei.urdb+json' }) }

$answer = urdb('POST', '?timezone=Europe/Berlin&currency=EUR', $urdb);
is $answer->{status}, 201, 'a rate of URDB is taken';
is "@{ $answer->{json}{document} }{qw(name timezone currency)}", 'E-TOU Europe/Berlin EUR', 'in the zone and currency given';
is $answer->{json}{versions}[0]{format}, 'urdb', 'and told so';
my $imported = $answer->{json}{id};
is urdb('POST', '', { %{$urdb}, energyweekdayschedule => [] })->{json}{errors}[0]{field}, '/energyweekdayschedule', 'one that is wrong is told by its own field';
$answer = urdb('PUT', "/$imported", { %{$urdb}, name => 'E-TOU 2' });
is "@{ $answer->{json}{document} }{qw(name timezone currency)} $answer->{json}{version}", 'E-TOU 2 America/Los_Angeles USD 2', 'a second version, of the tenant\'s zone and currency';
$answer = urdb('PUT', "/$imported", { items => [ { %{$urdb}, name => 'E-TOU 2', uri => 'https://x.test/r', supercedes => '539f', label => '53a0', dgrules => 'Net Metering', fixedattrs => [], demandunits => 'kVA' } ] });
is_deeply [ $answer->{json}{document}{source}, map { $_->{field} } @{ $answer->{json}{left_out} } ], [ 'https://x.test/r (supercedes 539f)', '/items/0/dgrules' ], 'what is not taken over is told, what it supercedes stands in the source';
my $exported = ask('GET', "/$imported?as=urdb");
is_deeply $exported->{json}{energyweekdayschedule}, \@hours, 'it is exported again';
is "@{ $exported->{json} }{qw(uri supercedes)} $exported->{json}{energyratestructure}[1][0]{rate}", 'https://x.test/r 539f 0.61949', 'with its prices';

# ---- prices by time ----

my $dynamic = ask('POST', '', { name => 'Agile', timezone => 'Europe/London', currency => 'GBP',
    price_series => [ { name => 'spot', minutes => 30 } ], charges => [ { type => 'energy', series => 'spot' } ] })->{json}{id};
is ask('GET', "/$dynamic?as=urdb")->{status}, 422, 'prices by time are nothing that URDB knows';
my $rates = { results => [
    { value_exc_vat => -2, value_inc_vat => -2.1, valid_from => '2024-07-01T00:30:00Z', valid_to => '2024-07-01T01:00:00Z' },
    { value_exc_vat => 20, value_inc_vat => 21, valid_from => '2024-07-01T00:00:00Z', valid_to => '2024-07-01T00:30:00Z' } ] };
is_deeply ask('POST', "/$dynamic/prices", $rates)->{json}, { series => 'spot', added => 2, unchanged => 0 }, 'unit rates are taken, in pence';
sub prices { my ($query) = @_; return join ' ', map { "$_->{from} $_->{rate}" } @{ ask('GET', "/$dynamic/prices$query", undef, 'api')->{json}{items} } }
is prices(''), '2024-07-01T00:00:00Z 0.21 2024-07-01T00:30:00Z -0.021', 'and are there, with tax';
$before = $stack->sql('SELECT clock_timestamp() AT TIME ZONE \'UTC\'') =~ s/ /T/r . 'Z';
my $csv = $stack->request('POST', "$PATH/$dynamic/prices?series=spot", token => $token{home}, headers => { 'Content-Type' => 'text/csv' },
    body => "time,price\n2024-07-01 01:00,0.22\n2024-07-01T00:30:00Z,-0.021\n");
is_deeply $csv->{json}, { series => 'spot', added => 1, unchanged => 1 }, 'CSV too, by the schedule\'s clock; what is known is not added again';
is prices('?to=2024-07-01T00:30:00Z'), '2024-07-01T00:00:00Z 0.22', 'the price known last holds';
is prices("?to=2024-07-01T00:30:00Z&as_of=$before"), '2024-07-01T00:00:00Z 0.21', 'the former one is remembered';
like ask('POST', "/$dynamic/prices?$_->[0]", { results => [ map { { %$_, payment_method => 'DIRECT_DEBIT' } } @{ $rates->{results} } ] })->{json}{detail}, $_->[1], "no prices with $_->[0]" for ['series=none', qr/is none of/], ['payment_method=NON_DIRECT_DEBIT', qr/has no prices for payment_method NON_DIRECT_DEBIT/];
is ask('POST', "/$flat/prices", $rates)->{status}, 422, 'nor any in a schedule without';
is ask('POST', "/$dynamic/prices", { results => [ { value_inc_vat => 1, valid_from => 'noon' } ] })->{status}, 422, 'what is wrong is refused';
is ask('POST', "/$dynamic/prices", $rates, 'other')->{status}, 404, 'and another tenant has none of it';
ask('DELETE', "/$_") for $dynamic, $imported;

# ---- others ----

for my $path ("/$flat", "/$flat/assign", "/$flat/assignments/1") {
    my $method = $path =~ /assign$/ ? 'POST' : $path =~ /assignments/ ? 'DELETE' : 'GET';
    my @answers = map { ask($method, $_, $method eq 'POST' ? {} : undef, 'other') } $path, $path =~ s/\d+/99999/r;
    is $answers[0]{status}, 404, "another tenant has no $path";
    is_deeply [ map { my %problem = %{ $_->{json} }; delete @problem{qw(request_id instance)}; \%problem } @answers ]->[0],
        do { my %problem = %{ $answers[1]{json} }; delete @problem{qw(request_id instance)}; \%problem }, '  and cannot tell that there is one';
}
is ask('PUT', "/$flat", flat('Stolen', 1), 'other')->{status}, 404, 'nor change it';
is ask('DELETE', "/$flat", undef, 'other')->{status}, 404, 'nor remove it';

# ---- energy ----

$stack->settle;
sub energy { my ($query, $who) = @_; return $stack->get("/v1/energy?$query", token => $token{ $who // 'api' }) }

# "hours after the first midnight: kWh" of each bucket.
sub shown {
    my ($query, $name) = @_;
    return join ' ', map { hours($_->{time}) . ':' . ($_->{ $name // 'energy_kwh' } // 'none') } @{ energy($query)->{json}{items} };
}
sub hours { my ($y, $m, $d, $h, $min) = $_[0] =~ /\d+/g; return (Time::Local::timegm(0, $min, $h, $d, $m - 1, $y) - $day) / 3600 }

my $days = 'bucket=1d&tz=UTC&to=' . at(48);
is shown("$days&device=meter"), '0:0.3 24:0.3', 'what a device used is added up exactly';
is shown('bucket=15m&device=meter&to=' . at(48)), '1:0.1 1.25:0.2 25:0.3', 'in quarter hours';
is shown('bucket=1h&device=meter&to=' . at(48)), '1:0.3 25:0.3', 'in hours';
is shown('bucket=1h&device=meter&from=' . at(2) . '&to=' . at(48)), '25:0.3', 'from a time on';
is shown("$days&site=house"), '0:7.000000001', 'a place with a meter at the grid used import, less export, and what it generated';
is shown("$days&site=house", 'generation_kwh'), '0:4.000000001', 'which are told apart';
is shown($days), '0:7.000000001 24:0.3', 'of a tenant devices are parts of that; without the grid they are all';
is shown($days, 'consumption_kwh'), '0:0.3 24:0.3', 'and told beside it';
like shown('bucket=1d&device=meter&to=' . at(48)), qr/^-1[67]:0\.3 [78]:0\.3$/, 'days are those of the site\'s clock';
is shown('bucket=1d&tz=Asia/Kolkata&device=meter&to=' . at(48)), '-5.5:0.3 18.5:0.3', 'or of the one asked for';
$answer = energy('bucket=15m&device=meter&limit=2&to=' . at(48));
is scalar @{ $answer->{json}{items} }, 2, 'a page of them';
is energy("bucket=15m&device=meter&cursor=$answer->{json}{next}&to=" . at(48))->{json}{items}[0]{energy_kwh}, 0.3, 'and the next';
like energy("$days&device=meter&format=csv")->{content}, qr/^time,energy_kwh,consumption_kwh,[^\n]*,cost,currency,by_period\r\n[^,]+,0\.3,0\.3,,,,/, 'as CSV';
is energy($_)->{status}, 422, "$_ is refused" for 'bucket=2d', 'tz=Mars/Olympus', 'tz=Europe/Atlantis&device=none';
is_deeply energy($days, 'other')->{json}{items}, [], 'another tenant sees none of it';

# ---- pages ----

$stack->cli('user', 'add', '--tenant', 'home', '--email', 'eve@home.example', '--role', 'admin', { stdin => "a-long-password\n" });
my $eve = Tidemark::Browser->new($stack);
$eve->log_in('eve@home.example', 'a-long-password');
my $list = $eve->get('/admin/rates');
like $list->{content}, qr{href="/admin/rates/$flat">Flat and dearer<}, 'the page lists the schedules';
my $page = $eve->submit($list, '/admin/rates', form => 'json', document => '{"name": "<Bad>", "colour": 1}');
is $page->{status}, 422, 'a wrong document is refused';
like $page->{content}, qr{<code>/timezone</code>.*<code>/colour</code>}s, 'with all that is wrong';
like $page->{content}, qr{&lt;Bad&gt;}, 'and what was typed';
$page = $eve->submit($list, '/admin/rates', form => 'urdb', timezone => 'America/Los_Angeles', document => encode_json($urdb));
like $page->{headers}{location}, qr{^/admin/rates/(\d+)\?done=added$}, 'a rate of URDB is taken';
my ($own) = $page->{headers}{location} =~ m{/(\d+)};
$page = $eve->get("/admin/rates/$own");
is scalar(() = $page->{content} =~ m{<td class="tint-1"}g), 5 * 7, 'five hours a day are in the second period';
like $page->{content}, qr{0\.61949 a kWh}, 'with its price';
is $eve->submit($page, "/admin/rates/$own/assign", site => 'roof', device => 'meter')->{status}, 422, 'not to a site and a device';
like $eve->submit($page, "/admin/rates/$own/assign", device => 'nobody')->{content}, qr/There is no device with this key/, 'nor to one that there is not';
is $eve->submit($page, "/admin/rates/$own/assign", site => 'roof', from => '2026-01-01')->{status}, 303, 'it is assigned';
$page = $eve->get("/admin/rates/$own");
like $page->{content}, qr{Site roof.*from 2026-01-01}s, 'which is told';
my ($assignment) = $page->{content} =~ /name="assignment" value="(\d+)"/;
is $eve->submit($page, "/admin/rates/$own/withdraw", assignment => $assignment)->{status}, 303, 'and withdrawn';
is $eve->submit($page, "/admin/rates/$own", base => 1, cover => 'yes', document => encode_json(flat('Flat at last', '0.1')))->{headers}{location}, "/admin/rates/$own?done=changed", 'a version is added';
like $eve->get("/admin/rates/$own?version=1")->{content}, qr{0\.61949 a kWh}, 'the first is still there to see';
# The form holds all of a document, so that saving it as it is changes nothing.
sub fields_of {
    my ($html) = @_;
    my %field = $html =~ /<input\b(?=[^>]*\bname="(?!csrf)([^"]+)")[^>]*\bvalue="([^"]*)"/g;
    $field{$1} = $2 while $html =~ m{<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>}gs;
    while ($html =~ m{<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>}gs) { my ($name, $body) = ($1, $2); $field{$name} = $body =~ /value="([^"]*)" selected/ ? $1 : '' }
    s/&#34;|&quot;/"/g, s/&#39;/'/g, s/&lt;/</g, s/&gt;/>/g, s/&amp;/&/g for values %field;
    return \%field;
}
my $rich = { name => 'Rich', timezone => 'Europe/Berlin', currency => 'EUR', valid_from => '2026-01-01',
    seasons => [ { name => 'summer', from => '04-01', to => '10-01' }, { name => 'winter', title => 'Winter', from => '10-01', to => '04-01' } ],
    holidays => [ { name => 'May Day', on => '05-01' }, { date => '2026-12-24', offset => 1, observed => 'next_weekday' }, { name => 'Good Friday', easter => -2 },
        { month => 11, weekday => 'thu', nth => 4, offset => 1 }, { month => 5, weekday => 'mon', nth => -1 } ], baseline => [ { season => 'summer', kwh_per_day => '7.5' }, { season => 'winter', kwh_per_day => '9' } ],
    periods => [ 'low', { name => 'high', title => 'High' } ],
    windows => [ { period => 'low' }, { period => 'high', seasons => ['winter'], days => [qw(mon tue weekends)], from => '06:30', to => '22:00' } ],
    price_series => [ { name => 'spot', minutes => 30 }, { name => 'a to b', minutes => 15, prices => [ { from => '2026-01-01T00:00:00Z', rate => '0.12' }, { from => '2026-01-01T00:15:00Z', rate => '-0.02' } ] } ],
    demand_windows => [ { period => 'high' } ], export_windows => [ { period => 'low' }, { period => 'high', seasons => ['summer'], days => ['holidays'], from => '12:00', to => '13:15' } ], billing => { day => 15, starts => [ '2026-01-14', '2026-02-12' ] }, rounding => { mode => 'half_even', decimals => 3 },
    charges => [ { type => 'energy', tiers_begin => 'day', prices => [ { tiers => [ { up_to => '10', rate => '0.2' }, { rate => '0.3' } ] },
                { period => 'high', series => 'spot', factor => '1.1', add => '-0.02' } ] },
        { type => 'rider', name => 'Odd', series => 'a to b', factor => '2' },
        { type => 'demand', rate => '4', window_minutes => 30, ratchet => { percent => '80', cycles => 11 } }, { type => 'fixed', amount => '60', per => 'year' },
        { type => 'fixed', name => 'Chimney', amount => '9', per => 'date', dates => [ '04-01', '10-01' ] },
        { type => 'rider', name => 'Steps', tier_unit => 'baseline_percent', tiers_count => 'period', prices => [ { season => 'summer', tiers => [ { up_to => '100', rate => '0.01' }, { rate => '0.02' } ] }, { season => 'winter', rate => '0' } ] },
        { type => 'tax', name => 'VAT', percent => '19' }, { type => 'rider', name => 'Fund', percent => '2', on => ['energy'] },
        { type => 'minimum', amount => '5', per => 'month', on => [ 'energy', 'fixed' ] } ] };
$answer = ask('POST', '', $rich);
is $answer->{status}, 201, 'a schedule with some of everything' or diag $answer->{content};
my $full = $answer->{json}{id};
my $stored = ask('GET', "/$full")->{json};
$page = $eve->get("/admin/rates/$full/edit");
is $page->{status}, 200, 'the editor';
my $fields = fields_of($page->{content});
is_deeply [@$fields{qw(name s1_title p1_title w1_seasons w1_from c0_price c1_price c2_price c5_price c8_price c8_of c9_of c10_per)}],
    ['Rich', 'Winter', 'High', 'winter', '06:30', '0.2 to 10, 0.3', 'spot * 1.1 - 0.02', '"a to b" * 2', '9', '19 %', '', 'energy', 'month'], 'its rows';
is_deeply [@$fields{qw(d0_period d0_seasons e1_period e1_seasons e1_days e1_from e1_to c0_tiers_begin c1_tiers_begin c3_window c3_ratchet c3_cycles c5_per c5_dates c6_tiers_of c6_tiers_count)}],
    ['high', '', 'high', 'summer', 'holidays', '12:00', '13:15', 'day', '', '30', '80', '11', 'date', '04-01, 10-01', 'baseline_percent', 'period'], 'demand, what is fed in and what charges have more';
is_deeply [@$fields{qw(h0_day h0_name h1_day h1_later h1_observed h2_day h3_day h4_day b0_season b0_kwh x0_name x0_minutes x1_prices billing_day billing_starts rounding_mode rounding_decimals)}],
    ['05-01', 'May Day', '2026-12-24', '1', 'next_weekday', 'easter -2', '4th thu of nov', 'last mon of may', 'summer', '7.5', 'spot', '30',
        "2026-01-01T00:00:00Z 0.12\n2026-01-01T00:15:00Z -0.02", '15', '2026-01-14, 2026-02-12', 'half_even', '3'], 'holidays, baseline, prices by time and billing too';
unlike $page->{content}, qr{<(?:textarea|input)[^>]*>?\s*\{&quot;|name="other"}, 'and nothing stands as JSON';
is $eve->submit($page, "/admin/rates/$full/edit", %$fields, do => 'save')->{headers}{location}, "/admin/rates/$full?done=changed", 'saved as it is';
my $again = ask('GET', "/$full")->{json};
is_deeply $again->{document}, $stored->{document}, 'it is the same document';
my $tried = $eve->submit($page, "/admin/rates/$full/edit", %$fields, w1_period => 'peak', w1_to => '25:00', currency => 'QQQ', do => 'save');
is $tried->{status}, 422, 'what is wrong is refused';
like $tried->{content}, qr{id="w1-error">[^<]*"peak" is no period of it[^<]*<}, 'beside its row';
like $tried->{content}, qr{id="currency-about"><strong class="error">This must be a currency}, 'and its field';
$tried = $eve->submit($page, "/admin/rates/$full/edit", %$fields, h0_day => 'some day', h2_later => '1', h3_day => '5th Mon of feb', h5_day => '13-45', b0_season => 'monsoon', x0_minutes => '', x1_prices => 'soon 1',
    billing_day => '40', billing_starts => "2026-01-14\n2026-01-13", rounding_decimals => 'two', c1_price => 'spot * much', do => 'save');
is $tried->{status}, 422, 'so is what is wrong with its terms';
like $tried->{content}, qr{id="$_->[0]">(?:<strong class="error">)?[^<]*$_->[1]}, "beside $_->[0]"
    for [ 'h0-error', 'day must be such as 12-25' ], [ 'h2-error', 'must be part of easter' ], [ 'h5-error', 'on must be a day of the year' ], [ 'b0-error', 'season' ], [ 'x1-error', 'from' ], [ 'billing_day-about', 'This must be' ],
    [ 'billing_starts-about', 'after the one before it' ], [ 'rounding_decimals-about', 'This must be' ], [ 'c1-error', 'factor' ];
$tried = $eve->submit($page, "/admin/rates/$full/edit", %$fields, d0_period => 'peak', d1_period => 'low', d1_days => 'sometimes', e1_to => '25:00', c1_tiers_begin => 'cycle', c3_window => '20', c4_cycles => '40', c5_dates => '10-01, 04-01', c6_tiers_of => 'apples', do => 'save');
is $tried->{status}, 422, 'and with other hours and what charges have more';
like $tried->{content}, qr{id="$_->[0]">[^<]*$_->[1]}, "beside $_->[0]"
    for [ 'd0-error', '"peak" is no period' ], [ 'd1-error', 'days must be mon to sun' ], [ 'e1-error', 'to must be a time' ], [ 'c1-more-error', 'Tiers begin anew must be as a row of the same charge' ], [ 'c3-more-error', 'Demand over minutes must be 15, 30 or 60' ],
    [ 'c4-more-error', 'At least percent is not known' ], [ 'c5-more-error', 'On dates must be after' ], [ 'c6-more-error', 'Tiers in must be' ];
like $tried->{content}, qr{name="c4_cycles" value="40"}, 'what was typed stands there still';
unlike $tried->{content}, qr{id="h3-error">[^<]}, 'and not beside what is right';
$tried = $eve->submit($page, "/admin/rates/$full/edit", %$fields, currency => '', c2_price => '0,30', do => 'save');
is $tried->{status}, 422, 'so is what is left out';
like $tried->{content}, qr{id="currency-about"><strong class="error">This must be filled in\.</strong>}, 'said once beside its field';
like $tried->{content}, qr{id="c2-error">[^<]*decimals have a point}, 'and beside a price with a comma what that means';
$tried = $eve->submit($page, "/admin/rates/$full/edit", %$fields, s0_to => '09-01', do => 'save');
like $tried->{content}, qr{id="s-error">These leave days open: 09-01 to 09-30}, 'beside a table what is wrong with all of it';
unlike $tried->{content}, qr{<li class="error">}, 'and nothing apart from it';
is scalar @{ $eve->call('GET', "/v1/rate-schedules/$full")->{json}{versions} // [] }, scalar @{ $again->{versions} // [] }, 'and nothing is kept';
# Names that are more than a word.
my $named = ask('POST', '', { %$rich, name => 'Named', description => "Two\nlines", periods => [ 'low', 'high, and "dry"' ], windows => [ { period => 'low' }, { period => 'high, and "dry"', seasons => [ 'a, b' ], days => ['sun'] } ],
    seasons => [ { name => 'a, b', from => '04-01', to => '10-01' }, { name => '"c"', from => '10-01', to => '04-01' } ], holidays => [], baseline => [], demand_windows => [], export_windows => [ { period => 'low', seasons => [ 'a, b', '"c"' ] } ],
    price_series => [ { name => '5 % "of" a, b', minutes => 15 } ], charges => [ { type => 'energy', name => 'a, b', prices => [ { rate => '1' }, { season => 'a, b', series => '5 % "of" a, b', factor => '2', add => '0.5' } ] }, { type => 'fixed', amount => '1', per => 'day' }, { type => 'tax', percent => '5', on => ['energy:a, b'] } ] })->{json}{id};
$stored = ask('GET', "/$named")->{json}{document};
$page = $eve->get("/admin/rates/$named/edit");
$fields = fields_of($page->{content});
is_deeply [@$fields{qw(description w1_seasons c1_price c3_of)}], [ "Two\nlines", '"a, b"', '"5 % ""of"" a, b" * 2 + 0.5', '"energy:a, b"' ], 'names that are more than a word stand in quotation marks';
is $eve->submit($page, "/admin/rates/$named/edit", %$fields, description => "Two\r\nlines", do => 'save')->{status}, 303, 'are taken again';
is_deeply ask('GET', "/$named")->{json}{document}, $stored, 'and are the same';
# What a type of charge does not have is refused where it is filled in, and nothing that was typed is left out.
my $filled = { name => 'Filled', timezone => 'America/Los_Angeles', currency => 'USD', p0_name => 'low', p1_name => 'high', w0_period => 'low', s0_name => 'summer', s0_from => '04-01', s0_to => '10-01', s1_name => 'winter', s1_from => '10-01', s1_to => '04-01',
    x0_name => 'spot', x0_minutes => '15', c0_type => 'energy', c0_price => '0.5', c1_type => 'fixed', c1_price => '12', c1_per => 'month', c2_type => 'tax', c2_price => '5 %', c3_type => 'rider', c3_name => 'Green', c3_price => '"spot" * 2 + 0.1' };
sub typed { my (%more) = @_; return $eve->submit($page, '/admin/rates/new', %$filled, %more, do => 'save') }
for ([ 'c1', 'season is not known', c1_season => 'winter' ], [ 'c1', 'period is not known', c1_period => 'high' ], [ 'c1', 'amount', c1_price => '12 %' ],
    [ 'c2', 'season is not known', c2_season => 'winter' ], [ 'c2', 'period is not known', c2_period => 'high' ], [ 'c2', 'per is not known', c2_per => 'day' ], [ 'c2', 'percent must be', c2_price => '2 % + 0.01' ], [ 'c2', 'percent must be', c2_price => '2 % 3 %' ],
    [ 'c0', 'per is not known', c0_per => 'month' ], [ 'c0', 'on is not known', c0_of => 'fixed' ], [ 'c4', 'per is not known', c4_type => 'demand', c4_price => '3', c4_per => 'day' ], [ 'c4', 'per is not known', c4_type => 'export', c4_price => '0.1', c4_per => 'day' ],
    [ 'c3', 'series is no price series', c3_price => '"spot" 1.1' ], [ 'c3', 'series is no price series', c3_price => '"spot" foo * 2' ], [ 'c3', 'series is no price series', c3_price => '"spot"1.1 + 2' ], [ 'c3', 'rate', c3_price => '0.1 foo' ]) {
    my ($row, $what, %more) = @$_;
    $tried = typed(%more);
    is $tried->{status}, 422, join(' ', %more) . ' is refused';
    like $tried->{content}, qr{id="$row-error">[^<]*\b$what}, 'beside its row';
}
# So is what its fields do not take.
my $lines = join "\r\n", ('12345678901234567890') x 95;
for ([ 'billing_starts', 4000, '2026-01-14 ' x 400 ], [ 'description', 2000, 'a' x 2001 ], [ 'source', 2000, $lines . 'a' x 7 ]) {
    my ($name, $most, $value) = @$_;
    $tried = typed($name => $value);
    is $tried->{status}, 422, "a $name that is too long is not saved";
    like $tried->{content}, qr{id="$name-about"><strong class="error">This is longer than $most bytes}, 'which stands beside it';
}
unlike $eve->get('/admin/rates')->{content}, qr/Filled/, 'none of them is there';
$tried = $eve->submit($page, '/admin/rates/new', %$filled, description => "$lines\r\n" . 'a' x 5, source => "$lines\r\n", do => 'preview');
unlike $tried->{content}, qr{is longer than}, 'a line that ends is one byte';
$tried = typed(description => "$lines\r\n" . 'a' x 5, billing_starts => "2026-01-14\r\n2026-02-12");
is $tried->{status}, 303, 'what is right is saved';
my ($filled_id) = $tried->{headers}{location} =~ m{/(\d+)};
my $is = ask('GET', "/$filled_id")->{json}{document};
is_deeply [ $is->{description}, $is->{billing}{starts}, @{ $is->{charges}[3] }{qw(series factor add)} ], [ ($lines =~ s/\r//gr) . "\naaaaa", [ '2026-01-14', '2026-02-12' ], 'spot', '2', '0.1' ], 'as it was typed';
is ask('DELETE', "/$filled_id")->{status}, 204, 'and goes';
# A head that a browser would send back changed.
for ([ 'CR LF in the description', description => "Two\r\nlines" ], [ 'a blank behind the source', source => 'A book ' ], [ 'two lines in the name', name => "Na\nmed" ], [ 'a blank before the name', name => ' Named' ]) {
    my ($what, %more) = @$_;
    is ask('PUT', "/$named", { %$stored, %more })->{status}, 200, $what;
    $fields = fields_of($eve->get("/admin/rates/$named/edit")->{content});
    is_deeply [ sort grep { !/^(?:csrf|next|base)$/ } keys %$fields ], ['document'], 'shows its document';
}
# More than the form can hold.
my %many = (%$stored, windows => [ { period => 'low' }, map { { period => 'low', days => ['sun'], from => sprintf('%02d:%02d', int($_ / 4), 15 * ($_ % 4)) } } 1 .. 48 ]);
is ask('PUT', "/$named", \%many)->{status}, 200, 'a schedule of 49 rules';
$page = $eve->get("/admin/rates/$named/edit");
is $page->{status}, 200, 'has an editor';
$fields = fields_of($page->{content});
is_deeply [ sort grep { !/^(?:csrf|next|base)$/ } keys %$fields ], ['document'], 'that shows its document';
is $eve->submit($page, "/admin/rates/$named", %$fields)->{headers}{location}, "/admin/rates/$named?done=changed", 'which is saved';
is scalar @{ ask('GET', "/$named")->{json}{document}{windows} }, 49, 'whole';

# Two people open the same schedule: whoever saves later is told, keeps what was typed, and may go on.
my $shared = ask('POST', '', flat('Shared', '0.30'))->{json}{id};
$stack->cli('user', 'add', '--tenant', 'home', '--email', 'ann@home.example', '--role', 'admin', { stdin => "a-long-password\n" });
my $ann = Tidemark::Browser->new($stack);
$ann->log_in('ann@home.example', 'a-long-password');
my $edit = "/admin/rates/$shared/edit";
my ($hers, $his) = map { $_->get($edit) } $ann, $eve;
my %late = (%{ fields_of($his->{content}) }, c0_price => '0.29');
is $late{base}, 1, 'the form says which version it was opened from';
sub shared { return join ' ', map { "$_->{version}:$_->{made_by}" } @{ ask('GET', "/$shared")->{json}{versions} } }
is $ann->submit($hers, $edit, %{ fields_of($hers->{content}) }, c0_price => '0.31', do => 'save')->{status}, 303, 'the first of two saves';
my $versions = shared();
like $versions, qr/^2:ann\@home\.example 1:token \d+$/, 'which is a version';
$tried = $eve->submit($his, $edit, %late, do => 'preview');
is $tried->{status}, 200, 'the other sees a preview';
like $tried->{content}, qr{Version 2 was made by ann\@home\.example at [^<]*, after this form was opened from version 1}, 'and that there is a newer version';
for my $do (qw(save over)) {
    $tried = $eve->submit($his, $edit, %late, do => $do);
    is $tried->{status}, 409, "$do is refused";
    like $tried->{content}, qr{role="alert">Nothing was saved: version 2 was made after.*<a href="#newer">Version 2, and how to go on.*id="newer"}s, 'and says so, and leads there';
    like $tried->{content}, qr{name="c0_price"[^>]*value="0\.29"}, 'with what was typed';
    like $tried->{content}, qr{Version 2 was made by ann\@home\.example .*href="/admin/rates/$shared\?version=2".*name="seen" value="2".*value="over">Save this as version 3}s, 'who made it, and how to go on';
    unlike $tried->{content}, qr{value="save"}, 'and not how not to';
}
is shared(), $versions, 'nothing is kept';
is $eve->submit($his, $edit, %late, base => '', do => 'save')->{status}, 409, 'nor of a form that says nothing';
is ask('PUT', "/$shared", flat('Shared', '0.32'))->{status}, 200, 'a third version';
$tried = $eve->submit($his, $edit, %late, seen => 2, do => 'over');
is $tried->{status}, 409, 'going on over the second is refused, too';
like $tried->{content}, qr{name="seen" value="3"}, 'telling the third';
$tried = $eve->submit($his, $edit, %late, seen => 3, currency => '', do => 'over');
is $tried->{status}, 422, 'what is wrong goes first';
like $tried->{content}, qr{name="seen" value="3"}, 'beside the newer version';
is $eve->submit($his, $edit, %late, seen => 3, do => 'over')->{headers}{location}, "/admin/rates/$shared?done=changed", 'going on over the third is saved';
like shared(), qr/^4:eve\@home\.example 3:token \d+ \Q$versions\E$/, 'as the fourth';
is ask('GET', "/$shared")->{json}{document}{charges}[0]{rate}, '0.29', 'as it was typed';
# A version that would cover a later one is saved only with a tick.
my $past = ask('POST', '', flat('Past', '0.40', valid_from => '2026-01-01'))->{json}{id};
my $warning = qr{Version 1 \(from 2026-01-01\) would hold on no day any more.*name="cover" value="yes"}s;
my $form = $eve->get("/admin/rates/$past/edit");
my %earlier = (%{ fields_of($form->{content}) }, valid_from => '2025-01-01', c0_price => '0.20');
unlike $form->{content}, qr{name="cover"}, 'the form of the newest version covers nothing';
like $eve->submit($form, "/admin/rates/$past/edit", %earlier, do => 'preview')->{content}, $warning, 'a preview says what an earlier one would cover';
$tried = $eve->submit($form, "/admin/rates/$past/edit", %earlier, do => 'save');
is $tried->{status}, 422, 'and it is not saved';
like $tried->{content}, qr{role="alert">Nothing was saved: this version would cover a later one.*$warning}s, 'which the form says';
is $eve->submit($form, "/admin/rates/$past/edit", %earlier, valid_to => '2026-01-01', do => 'save')->{status}, 303, 'one with an end is';
is $eve->submit($form, "/admin/rates/$past/edit", %earlier, base => 2, cover => 'yes', do => 'save')->{status}, 303, 'and so is one with a tick';
is holds(ask('GET', "/$past")), '3: 2025-01-01 to open covers 1 2; 2: ; 1: ', 'which covers both';
$form = $eve->get("/admin/rates/$past");
like $form->{content} =~ s/<[^>]*>/ /gr =~ s/\s+/ /gr, qr{ 3 from 2025-01-01 from 2025-01-01 .* 1 from 2026-01-01 on no day: newer ones cover it }, 'as the page says';
is ask('PUT', "/$past", flat('Past', '0.40', valid_from => '2026-01-01'))->{status}, 200, "this year's again";
my %document = (base => 4, document => JSON::PP->new->encode(flat('Past', '0.20', valid_from => '2025-01-01')));
$tried = $eve->submit($form, "/admin/rates/$past", %document);
is $tried->{status}, 422, 'a document is asked about, too';
like $tried->{content}, qr{Version 4 \(from 2026-01-01\) would hold on no day any more}, 'by the version';
is $eve->submit($form, "/admin/rates/$past", %document, cover => 'yes')->{status}, 303, 'and saved with the tick';
# So of a document.
$page = $eve->get("/admin/rates/$shared?version=1");
like $page->{content}, qr{name="base" value="4"}, 'the form of a document is opened from the newest version, whichever is shown';
my %text = (base => 3, document => encode_json(flat('Shared', '0.28')));
$tried = $eve->submit($page, "/admin/rates/$shared", %text);
is $tried->{status}, 409, 'a document is refused likewise';
like $tried->{content}, qr{"0\.28".*Version 4 was made by eve\@home\.example.*name="seen" value="4"}s, 'and kept, with who was first';
is $eve->submit($page, "/admin/rates/$shared", %text, seen => 4, do => 'over')->{status}, 303, 'and saved deliberately';
# Two that save in the same moment: the second waits, and finds the version of the first.
my $pid = fork // die "fork: $!";
if (!$pid) {
    $stack->sql("DO \$\$ BEGIN
        PERFORM core.rate_lock((SELECT id FROM core.tenant WHERE slug = 'home'), $shared), pg_advisory_xact_lock(4711);
        FOR i IN 1 .. 2000 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); PERFORM pg_sleep(0.01); END LOOP;
        INSERT INTO core.rate_version SELECT v.tenant_id, v.schedule_id, 6, v.timezone, v.currency, v.from_day, v.to_day, clock_timestamp(), 'bob', v.format, v.document
        FROM core.rate_version v WHERE v.schedule_id = $shared AND v.number = 5 AND EXISTS (SELECT FROM pg_locks WHERE NOT granted); END \$\$");
    POSIX::_exit(0);
}
Time::HiRes::sleep(0.01) while !$stack->sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711") && kill 0, $pid;
$tried = $eve->submit($his, $edit, %late, base => 5, do => 'save');
waitpid $pid, 0;
is $tried->{status}, 409, 'one who saves while another does waits, and is refused';
like $tried->{content}, qr{Version 6 was made by bob at}, 'with the version of the other';
# By the API on condition.
my $tag = ask('GET', "/$shared")->{headers}{etag};
like $tag, qr/^"[0-9a-f]{64}"$/, 'a schedule has a tag';
is ask('GET', "/$shared")->{headers}{etag}, $tag, 'the same while nobody changes it';
isnt ask('GET', "/$shared?version=1")->{headers}{etag}, $tag, 'another of another version';
sub put_if { my ($match, $rate) = @_; return $stack->request('PUT', "$PATH/$shared", token => $token{home}, headers => { 'If-Match' => $match }, body => flat('Shared', $rate)) }
is put_if('"' . '0' x 64 . '"', '0.27')->{status}, 412, 'a version on condition of another tag is refused';
is put_if($tag, 'much')->{status}, 422, 'what is wrong goes first';
is put_if(qq{"other", W/$tag}, '0.27')->{json}{version}, 7, 'on condition of its own it is added, where nginx compressed the answer, too';
$tried = put_if($tag, '0.26');
is $tried->{status}, 412, 'but once';
like $tried->{json}{detail}, qr/newest version is 7, by token \d+/, 'telling who was first';
$tag = ask('GET', "/$shared")->{headers}{etag};
is assign($shared, { site => 'roof' })->{status}, 201, 'where it holds';
is put_if($tag, '0.26')->{status}, 412, 'is of it';
is put_if('*', '0.26')->{json}{version}, 8, 'any will do for a star';
is ask('DELETE', "/$shared")->{status}, 204, 'it goes';
is put_if('*', '0.25')->{status}, 404, 'and then none does';

my $plain = { name => 'Plain', timezone => 'America/Los_Angeles', currency => 'USD', c0_type => 'energy', c0_price => '0.5', c1_type => 'fixed', c1_price => '1', c1_per => 'day' };
$tried = $eve->submit($page, '/admin/rates/new', %$plain, do => 'preview');
like $tried->{content}, qr{Yesterday under this schedule}, 'a preview of a new one';
like $tried->{content}, qr{Fixed charge<.*?\$1\.00}s, 'with what yesterday would have cost';
unlike $eve->get('/admin/rates')->{content}, qr/Plain/, 'keeps nothing';
like $eve->submit($page, '/admin/rates/new', %$plain, do => 'save')->{headers}{location}, qr{^/admin/rates/\d+\?done=added$}, 'saving does';
like $eve->get('/admin/rates')->{content}, qr/>Plain</, 'and it is listed';

is $eve->submit($page, "/admin/rates/$own/remove")->{headers}{location}, '/admin/rates?done=removed', 'it is removed';
is $eve->get("/admin/rates/$own")->{status}, 404, 'for good';

# ---- the end ----

is ask('DELETE', "/$flat")->{status}, 204, 'a schedule is removed';
is ask('GET', "/$flat")->{status}, 404, 'and gone';
is applied('site=roof'), '', 'nothing holds any more';
is $stack->sql("SELECT count(*) FROM core.rate_version WHERE schedule_id = $flat"), 2, 'what a bill was made of is kept';
my @audit = map { $_->{action} } reverse @{ $stack->get('/v1/audit?action=rate', token => $token{home})->{json}{items} };
is "@audit", 'rate.add rate.version rate.add rate.version rate.version rate.version rate.add rate.assign rate.assign rate.assign rate.unassign'
    . ' rate.add rate.version rate.version rate.add rate.prices rate.prices rate.remove rate.remove'
    . ' rate.add rate.assign rate.unassign rate.version rate.add rate.version rate.add rate.version rate.add rate.remove' . ' rate.version' x 6 . ' rate.add' . ' rate.version' x 3 . ' rate.add' . ' rate.version' x 4 . ' rate.version rate.version rate.assign rate.version rate.remove rate.add rate.remove rate.remove', 'all of it is in the audit trail';
$stack->cli('tenant', 'remove', 'home', '--yes');
is $stack->sql('SELECT count(*) FROM core.rate_schedule'), 0, 'a tenant goes with all of it';
done_testing;
