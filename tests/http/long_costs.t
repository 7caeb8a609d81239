#!/usr/bin/perl
# What energy cost over years, by hour, day and month, of a device: every hour as worked out here, the
# same whether streamed, asked for page by page or year by year, the same as the ledger's days, in
# memory that does not grow with the span, on both engines; of many billed by themselves, unrated, too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use List::Util qw(max sum);
use POSIX qw(strftime);
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);
use Tidemark::Browser;
use Tidemark::Processes;
use Tidemark::Stack;

my $FROM = timegm(0, 0, 0, 1, 0, 2023);
my $RAISED = timegm(0, 0, 0, 1, 6, 2024);    # then prices rise
my $TO = timegm(0, 0, 0, 1, 0, 2025);
my $HOURS = ($TO - $FROM) / 3600;
my $MAX_GROWTH_KB = 8_000;                   # of a process, from two months to two years of hours

sub stamp { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }

# Thousandths of a kWh in an hour.
sub wh { return 100 + ($_[0] / 3600 * 37) % 900 }

# Billionths of a euro: 0.20 a kWh, 0.35 from 17 to 20 h on weekdays; 0.25 and 0.40 later.
sub cost {
    my ($at) = @_;
    my (undef, undef, $hour, undef, undef, undef, $weekday) = gmtime $at;
    my $is_peak = $weekday >= 1 && $weekday <= 5 && $hour >= 17 && $hour < 20;
    return wh($at) * (($is_peak ? 35 : 20) + ($at >= $RAISED ? 5 : 0)) * 10_000;
}

# A decimal text in billionths.
sub nano {
    my ($sign, $whole, $part) = ($_[0] // '') =~ /^(-?)(\d+)(?:\.(\d{1,9}))?$/ or return 'no amount';
    return "${sign}1" * ($whole * 1_000_000_000 + substr(($part // '') . '0' x 9, 0, 9));
}

# [time, kWh, cost, currency] of each item of an answer: of so many that JSON::PP would be what is waited for.
sub items {
    my ($text) = @_;
    my @items;
    push @items, [ $1, $2, $3, $4 ] while $text =~ /\{"time":"([^"]+)","energy_kwh":([^,]+),.*?"cost":(?|"([^"]+)"|(null)),"currency":(?|"([^"]+)"|(null))/g;
    return \@items;
}

sub fill {
    my ($stack) = @_;
    $stack->cli('tenant', 'add', 'home', '--timezone', 'UTC', '--currency', 'EUR');
    my $admin = $stack->token('home', 'admin');
    my $device = $stack->token('home', 'device', '--backfill');
    my $answer = $stack->post('/v1/sites', { key => 'hall', timezone => 'UTC' }, token => $admin);
    die "site: $answer->{content}" if $answer->{status} != 201;
    # a zone of UTC's hours by another name: what the ledger has of its days is not of them
    $answer = $stack->post('/v1/sites', { key => 'works', timezone => 'Africa/Abidjan' }, token => $admin);
    die "site: $answer->{content}" if $answer->{status} != 201;
    my $prices = sub {
        return { name => 'Hours', timezone => 'UTC', currency => 'EUR', periods => [qw(low high)], windows => [ { period => 'low' }, { period => 'high', days => ['weekdays'], from => '17:00', to => '20:00' } ],
            charges => [ { type => 'energy', prices => [ { rate => $_[0] }, { period => 'high', rate => $_[1] } ] }, { type => 'fixed', amount => '0.50', per => 'day' } ], @_[2 .. $#_] };
    };
    my $schedule = $stack->post('/v1/rate-schedules', $prices->('0.20', '0.35'), token => $admin)->{json}{id};
    $answer = $stack->request('PUT', "/v1/rate-schedules/$schedule", token => $admin, body => $prices->('0.25', '0.40', valid_from => '2024-07-01'));
    die "schedule: $answer->{content}" if $answer->{status} != 200;
    # the pump stands behind the hall's meter, the mill is billed alone, the old one told one hour a month
    my @events = map { my $n = $_; map { { device => $_, site => 'hall', time => $FROM + 3600 * $n, metrics => { ($_ eq 'mill' ? 'grid_import_kwh' : 'energy_kwh') => wh($FROM + 3600 * $n) / 1000 } } } qw(pump mill) } 0 .. $HOURS - 1;
    push @events, map { { device => 'old', site => 'hall', time => timegm(0, 0, 12, 15, $_ % 12, 2020 + int($_ / 12)), metrics => { energy_kwh => 1 } } } 0 .. 80;
    # machines that are billed each by itself, a kWh in a quarter hour of the 15th of a month and nothing in the next
    push @events, map { my $n = $_; map { my $device = $_; map { { device => $device, site => 'works', time => timegm(0, $_, 12, 15, $n % 12, 2020 + int($n / 12)), metrics => { energy_kwh => $_ ? 0 : 1 } } } 0, 15 } qw(saw lathe press) } 0 .. 59;
    push @events, { device => 'main', site => 'hall', time => $FROM, metrics => { grid_import_kwh => 1 } };
    while (my @part = splice @events, 0, 10_000) {
        $answer = $stack->post('/v1/events/batch', \@part, token => $device);
        die "readings: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    }
    my $demand = $stack->post('/v1/rate-schedules', { name => 'Demand', timezone => 'UTC', currency => 'EUR',
        charges => [ { type => 'energy', rate => '0.20' }, { type => 'demand', rate => '3', window_minutes => 15, ratchet => { percent => '100', cycles => 11 } } ] }, token => $admin)->{json}{id};
    for my $machine (qw(saw lathe press)) {
        $answer = $stack->post("/v1/rate-schedules/$demand/assign", { device => $machine, from => '2000-01-01' }, token => $admin);
        die "assign: $answer->{content}" if $answer->{status} != 201;
    }
    for my $place ({ site => 'hall' }, { device => 'mill' }) {
        $answer = $stack->post("/v1/rate-schedules/$schedule/assign", $place, token => $admin);
        die "assign: $answer->{content}" if $answer->{status} != 201;
    }
    $stack->settle;
    my $until = time + 120;
    sleep 0.1 while $stack->sql('SELECT count(*) FROM core.cost_dirty') > 0 && time < $until;
    return $admin;
}

sub check {
    my ($stack) = @_;
    my $token = fill($stack);
    my $streamed = sub { return items($stack->get("/v1/energy?format=ndjson&$_[0]", token => $token)->{content}) };
    my $paged = sub {
        my (@items, @sizes, $cursor);
        do {
            my $page = $stack->get("/v1/energy?limit=1000&$_[0]" . ($cursor ? "&cursor=$cursor" : ''), token => $token)->{content};
            my $items = items($page);
            push @items, @{$items};
            push @sizes, scalar @{$items};
            ($cursor) = $page =~ /"next":"([^"]+)"/;
        } while ($cursor && @sizes < 100);
        return (\@items, \@sizes);
    };
    my $most = sub {
        return max(map { my ($kb) = Tidemark::Stack::slurp("/proc/$_/status") =~ /^VmHWM:\s+(\d+)/m; $kb } Tidemark::Processes::part($stack, 'export'));
    };

    # ---- by hour ----

    $streamed->('device=pump&bucket=1h&from=2023-01-01T00:00:00Z&to=2023-03-01T00:00:00Z') for 1 .. 8;
    my $before = $most->();
    my $span = 'from=2023-01-01T00:00:00Z&to=2025-01-01T00:00:00Z';
    my $hours = $streamed->("device=pump&bucket=1h&$span");
    is scalar @{$hours}, $HOURS, 'two years of hours';
    my @wrong = grep { my ($time, $kwh, $cost, $currency) = @{ $hours->[$_] // [] }; my $at = $FROM + 3600 * $_;
        ($time // '') ne stamp($at) || nano($kwh) ne wh($at) * 1_000_000 || nano($cost) ne cost($at) || $currency ne 'EUR' } 0 .. $HOURS - 1;
    is scalar @wrong, 0, 'each costs what its period costs' or diag explain [ map { [ stamp($FROM + 3600 * $_), cost($FROM + 3600 * $_), $hours->[$_] ] } @wrong[0 .. ($#wrong > 2 ? 2 : $#wrong)] ];
    cmp_ok($most->() - $before, '<=', $MAX_GROWTH_KB, 'in memory that does not grow with the span') if $stack->{bin} !~ /asan|tsan/; # sanitizers keep what is freed
    my ($pages, $sizes) = $paged->("device=pump&bucket=1h&$span");
    is_deeply $pages, $hours, 'page by page the same';
    is_deeply [ map { @{ $streamed->("device=pump&bucket=1h&from=$_-01-01T00:00:00Z&to=@{[$_ + 1]}-01-01T00:00:00Z") } } 2023, 2024 ], $hours, 'year by year, too';

    # ---- by day ----

    my ($days) = $paged->("device=pump&bucket=1d&$span");
    is scalar @{$days}, 731, 'two years of days';
    is_deeply $streamed->("device=pump&bucket=1d&$span"), $days, 'streamed the same';
    my @sums = map { my $day = $_; sum(map { cost($FROM + 86400 * $day + 3600 * $_) } 0 .. 23) } 0 .. 730;
    is_deeply [ map { nano($_->[2]) } @{$days} ], \@sums, 'each costs what its hours cost';
    is_deeply [ map { nano($_) } $stack->sql("SELECT round(u.atto * 1e-18, 9)::text FROM core.cost_device c CROSS JOIN LATERAL unnest(c.devices, c.atto) u (id, atto) JOIN core.device d ON d.id = u.id"
                . " WHERE d.key = 'pump' AND c.day >= '2023-01-01' AND c.day < '2025-01-01' ORDER BY c.day") ], \@sums, 'and what the ledger has of the day';
    my ($billed) = $paged->("device=mill&bucket=1d&$span");
    is_deeply [ map { nano($_->[2]) } @{$billed} ], [ map { $_ + 500_000_000 } @sums ], 'of a device that is billed alone with its fixed charge';
    is_deeply [ map { nano($_) } $stack->sql("SELECT round(c.cost, 9)::text FROM core.cost_day c JOIN core.device d ON d.id = c.device_id WHERE d.key = 'mill' AND c.day >= '2023-01-01' AND c.day < '2025-01-01' ORDER BY c.day") ],
        [ map { nano($_->[2]) } @{$billed} ], 'as the ledger has it';

    # ---- by month ----

    my ($months) = $paged->("device=pump&bucket=1mo&$span");
    is sum(map { nano($_->[2]) } @{$months}), sum(@sums), 'months come to the same';
    my ($few, $parts) = $paged->('device=old&bucket=1d&from=2019-12-01T00:00:00Z&to=2026-11-01T00:00:00Z');
    is scalar @{$few}, 81, 'one hour of each month, of seven years';
    is join(' ', map { nano($_->[2]) } @{$few}), join(' ', map { $_ < 54 ? 200_000_000 : 250_000_000 } 0 .. 80), 'costs its price';
    cmp_ok scalar @{$parts}, '>', 1, 'a page has no more than is rated at once';

    # ---- the page ----

    $stack->cli('user', 'add', '--tenant', 'home', '--email', 'eve@home.example', '--role', 'viewer', { stdin => "a long enough password\n" });
    my $eve = Tidemark::Browser->new($stack);
    $eve->log_in('eve@home.example', 'a long enough password');
    my $page = $eve->get('/energy?device=pump&from=2023-01-01&to=2024-12-31&bucket=1mo');
    my ($shown) = $page->{content} =~ s/<[^>]+>/\n/gr =~ /Costs\s+€([^\n]+)/;
    is(($shown // '') =~ s/[^\d.]//gr, sprintf('%.2f', sum(@sums) / 1e9), 'the page shows the same sum');

    # hours of a month that is over are what the ledger has, whatever else the page is about
    my $hall = sub { return $eve->get('/costs?site=hall&view=day&at=2023-06-05')->{content} =~ s/<[^>]+>//gr };
    my $meters = sub { $stack->sql("SET session_replication_role = replica; UPDATE core.energy_15m SET nkwh = nkwh $_[0] WHERE bucket >= '2023-06-01' AND bucket < '2023-07-01'") };
    my $rated = $hall->();
    my $of_day = sprintf '%.2f', (sum(map { cost(timegm(0, 0, $_, 5, 5, 2023)) } 0 .. 23) * 2 + 1_000_000_000) / 1e9; # and the mill's, with a fixed charge each
    like $rated, qr/\Q$of_day\E/, 'a day of years ago';
    $meters->('* 2');
    is_deeply [ $hall->() =~ /€[\d.,]+/g ], [ $rated =~ /€[\d.,]+/g ], 'costs what the ledger says, without a look at meters';
    $meters->('/ 2');

    # ---- more than is worked out at once: demand of ten years, each of which takes the year behind it ----

    $page = $eve->get('/energy?site=works&from=2017-01-01&to=2026-10-31&bucket=1mo');
    is $page->{status}, 200, 'ten years under a schedule with a ratchet';
    my ($until) = $page->{content} =~ /they are those until before (\d{4}-\d\d)-01\./;
    ok $until && $until gt '2020-01' && $until le '2025-01', 'cost what the first of them cost, which is said' or diag $until;
    my ($year, $month) = split /-/, $until // '2017-01';
    my $n = ($year - 2020) * 12 + $month - 1;
    # a month: 3 kWh at 0.20 and 12 kW at 3.00
    ($shown) = $page->{content} =~ s/<[^>]+>/\n/gr =~ /Costs\s+€([^\n]+)/;
    is(($shown // '') =~ s/[^\d.]//gr, sprintf('%.2f', $n * 36.6), 'that is what it shows');
    like $page->{content}, qr{<strong>180\.0&nbsp;<span class="unit">kWh}, 'and all of the energy';
    $page = $eve->get('/energy?site=works&from=2020-01-01&to=2021-12-31&bucket=1mo');
    unlike $page->{content}, qr/until before/, 'two years are not too many';
    return $token;
}

# ---- many that are billed each by itself, over a year that the ledger cannot serve ----

my $BILLED = 24; # which would take more memory at once than a request has

# Thousandths of a euro, and what an amount is in them.
sub milli { return $_[0] =~ /^(\d+)\.(\d\d)(\d?)\d*$/ ? 1000 * $1 + 10 * $2 + ($3 || 0) : 'no amount' }

# What device n costs in so many days: n / 10 kWh four times a day at 0.20, and 0.50 a day.
sub billed_cost { my ($days) = @_; return $days * sum(map { 4 * $_ * 20 + 500 } 1 .. $BILLED) }

sub check_many {
    my ($stack, $token) = @_;
    my $start = timegm(0, 0, 0, 1, 11, 2022);
    my $device = $stack->token('home', 'device', '--backfill');
    my $answer = $stack->post('/v1/sites', { key => 'yard', timezone => 'UTC' }, token => $token);
    die "site: $answer->{content}" if $answer->{status} != 201;
    my @events = map { my $n = $_; map { { device => "m$n", site => 'yard', time => $start + 21_600 * $_, metrics => { grid_import_kwh => $n / 10 } } } 0 .. 4 * 400 - 1 } 1 .. $BILLED;
    while (my @part = splice @events, 0, 10_000) {
        $answer = $stack->post('/v1/events/batch', \@part, token => $device);
        die "readings: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    }
    $stack->settle;
    my @workers = Tidemark::Processes::part($stack, 'worker');
    kill 'STOP', @workers; # nothing of it is rated
    my @made = map { $stack->post('/v1/rate-schedules', { name => "Flat $_", timezone => 'UTC', currency => 'EUR',
                charges => [ { type => 'energy', rate => $_ }, { type => 'fixed', amount => '0.50', per => 'day' } ] }, token => $token)->{json}{id} } '0.20', '0.40';
    for my $n (1 .. $BILLED) {
        $answer = $stack->post("/v1/rate-schedules/$made[0]/assign", { device => "m$n" }, token => $token);
        die "assign: $answer->{content}" if $answer->{status} != 201;
    }
    my @starts = map { timegm(0, 0, 0, 1, $_ % 12, 2023 + int($_ / 12)) } 0 .. 12;
    my @of_months = map { billed_cost(($starts[ $_ + 1 ] - $starts[$_]) / 86_400) } 0 .. 11;
    my @spans = map { 'from=' . substr(stamp($starts[$_]), 0, 10) . '&to=' . substr(stamp($starts[ $_ + 1 ]), 0, 10) } 0 .. 11;
    my $year = 'from=2023-01-01&to=2024-01-01';

    my (@pages, $cursor);
    do {
        $answer = $stack->get("/v1/costs?site=yard&bucket=1mo&$year" . ($cursor ? "&cursor=$cursor" : ''), token => $token);
        push @pages, $answer->{json}{items} // [];
        $cursor = $answer->{json}{next};
    } while ($answer->{status} == 200 && $cursor && @pages < 20);
    is $answer->{status}, 200, 'a year of months is answered';
    cmp_ok scalar @pages, '>', 1, 'on several pages';
    is_deeply [ map { milli($_->{cost}) } map { @{$_} } @pages ], \@of_months, 'with what the months cost';
    is_deeply [ map { milli($stack->get("/v1/costs?site=yard&bucket=1mo&$_", token => $token)->{json}{items}[0]{cost}) } @spans ], \@of_months, 'as each does by itself';
    my @lines = split /\n/, $stack->get("/v1/costs?site=yard&bucket=1d&$year&format=ndjson", token => $token)->{content};
    is scalar @lines, 365, 'days are streamed to the end';
    is sum(map { /"cost":"([^"]+)"/ ? milli($1) : 0 } @lines), sum(@of_months), 'and come to the same';
    my @energy = map { /"cost":"([^"]+)"/ ? milli($1) : 0 } split /\n/, $stack->get('/v1/energy?site=yard&bucket=1d&from=2023-01-01T00:00:00Z&to=2024-01-01T00:00:00Z&format=ndjson', token => $token)->{content};
    is sum(@energy), sum(@of_months), 'so do those of energy';
    $answer = $stack->get("/v1/bills?site=yard&$year", token => $token);
    is $answer->{status} . ' ' . milli($answer->{json}{total} // ''), '200 ' . sum(@of_months), 'so does the bill of the year';
    is_deeply [ map { milli($stack->get("/v1/bills?site=yard&$_", token => $token)->{json}{total}) } @spans ], \@of_months, 'and those of the months';
    $answer = $stack->post('/v1/rate-schedules/compare', { schedules => [ @made, $made[0] ], site => 'yard', from => '2023-01-01', to => '2024-01-01' }, token => $token);
    is_deeply [ map { milli($_->{total}) } @{ $answer->{json}{items} // [] } ], [ map { sum(@of_months) + $_ } 0, 365 * 4 * 20 * sum(1 .. $BILLED), 0 ], 'a comparison over it, too' or diag $answer->{content};

    my $eve = Tidemark::Browser->new($stack);
    $eve->log_in('eve@home.example', 'a long enough password');
    my $sum = sprintf('%.2f', sum(@of_months) / 1000) =~ s/(?=\d{3}\.)/[^\\d.]{1,6}/r; # thousands stand apart
    for my $path ('/costs?site=yard&view=year&at=2023-06-01', '/energy?site=yard&from=2023-01-01&to=2023-12-31&bucket=1mo', '/costs/bill?site=yard&from=2023-01-01&to=2023-12-31') {
        my $page = $eve->get($path);
        is $page->{status}, 200, "$path is there";
        like $page->{content} =~ s/<[^>]+>//gr, qr/$sum/, 'with the sum';
    }
    is $eve->get('/costs?site=yard&view=day&at=2023-06-05')->{status}, 200, 'so is the page of a day';
    kill 'CONT', @workers;
    return;
}

# ---- a currency that follows another at a new year ----

sub check_currencies {
    my ($stack, $token) = @_;
    my $device = $stack->token('home', 'device', '--backfill');
    $stack->post('/v1/sites', { key => 'coast', timezone => 'UTC' }, token => $token);
    my @events = map { { device => 'coast-meter', site => 'coast', time => timegm(0, 0, 12, 1, 8, 2022) + 86_400 * $_, metrics => { energy_kwh => 1 } } } 0 .. 241;
    my $answer = $stack->post('/v1/events/batch', \@events, token => $device);
    die "readings: $answer->{content}" if $answer->{status} != 200;
    my $made = sub { return { name => 'Coast', timezone => 'UTC', currency => $_[0], charges => [ { type => 'energy', rate => $_[1] } ], @_[2 .. $#_] } };
    my $schedule = $stack->post('/v1/rate-schedules', $made->('CHF', '1.00', valid_from => '2022-01-01'), token => $token)->{json}{id};
    $answer = $stack->request('PUT', "/v1/rate-schedules/$schedule", token => $token, body => $made->('EUR', '0.20', valid_from => '2023-01-01'));
    die "version: $answer->{content}" if $answer->{status} != 200;
    $stack->post("/v1/rate-schedules/$schedule/assign", { site => 'coast' }, token => $token);
    $stack->settle;
    my $paged = sub {
        my ($path, @items, $cursor) = @_;
        do {
            $answer = $stack->get($path . ($cursor ? "&cursor=$cursor" : ''), token => $token);
            push @items, @{ $answer->{json}{items} // [] };
            $cursor = $answer->{json}{next};
        } while ($answer->{status} == 200 && $cursor && @items < 1000);
        return $answer->{status} == 200 ? @items : die "$path: $answer->{content}";
    };
    my @days = ((map { '1.00 CHF' } 0 .. 121), (map { '0.20 EUR' } 0 .. 119));
    for my $list (qw(costs energy)) {
        is_deeply [ map { ($_->{cost} // 'none') . ' ' . ($_->{currency} // 'none') } $paged->("/v1/$list?site=coast&bucket=1d&from=2022-09-01T00:00:00Z&to=2023-05-01T00:00:00Z") ], \@days, "each day of $list has its own currency";
    }
    is_deeply [ map { "$_->{cost} $_->{currency}" } $paged->('/v1/costs?site=coast&bucket=1mo&from=2022-11-01&to=2023-03-01') ], [ '30.00 CHF', '31.00 CHF', '6.20 EUR', '5.60 EUR' ], 'so has each month';
    my ($before, $both, $after) = $paged->('/v1/energy?site=coast&bucket=1w&from=2022-12-19T00:00:00Z&to=2023-01-09T00:00:00Z');
    is_deeply [ map { $_->{currency} // 'none' } $before, $both, $after ], [ 'CHF', 'none', 'EUR' ], 'a week of both has no cost';
    $answer = $stack->get('/v1/costs?site=coast&bucket=1w&from=2022-12-26&to=2023-01-02', token => $token);
    like $answer->{status} . ' ' . ($answer->{json}{detail} // ''), qr/^422 .*different currencies, CHF and from 2023-01-01 on EUR/, 'which costs refuse in a sentence';

    my $eve = Tidemark::Browser->new($stack);
    $eve->log_in('eve@home.example', 'a long enough password');
    my $page = $eve->get('/energy?site=coast&from=2022-11-01&to=2023-02-28&bucket=1d');
    like $page->{content}, qr/Energy without its costs\. These days are billed in different currencies, CHF and EUR: choose days of one of them\./, 'the page of energy says why it has no costs';
    like $eve->get('/energy?site=coast&from=2023-01-01&to=2023-02-28&bucket=1d')->{content}, qr/Costs.*€11\.80/s, 'and has those of one currency';
    like $eve->get('/costs?site=coast&view=month&at=2023-01-10')->{content}, qr/€6\.20/, 'so has the page of costs of its month';
    return;
}

# Schedules that follow each other within a billing cycle, the second with a ratchet: it looks back to the change. 1 kWh in
# a quarter hour a day and nothing in the next, which is 4 kW; 5 kWh once before, 2.5 kWh once behind it; 10 a kW.
sub check_change {
    my ($stack, $token) = @_;
    my $device = $stack->token('home', 'device', '--backfill');
    $stack->post('/v1/sites', { key => 'harbour', timezone => 'UTC' }, token => $token);
    my %high = ('2022-12-20' => 5, '2023-02-20' => 2.5);
    my @events = map { my $at = timegm(0, 0, 12, 15, 10, 2022) + 86_400 * $_; my %of = (device => 'crane', site => 'harbour'); ({ %of, time => $at, metrics => { energy_kwh => $high{ strftime('%Y-%m-%d', gmtime $at) } // 1 } }, { %of, time => $at + 900, metrics => { energy_kwh => 0 } }) } 0 .. 150;
    my $answer = $stack->post('/v1/events/batch', \@events, token => $device);
    die "readings: $answer->{content}" if $answer->{status} != 200;
    for (['CHF', undef, '2023-01-01'], ['EUR', '2023-01-01', undef, ratchet => { percent => '80', cycles => 24 }]) {
        my ($currency, $from, $to, @ratchet) = @$_;
        my $made = $stack->post('/v1/rate-schedules', { name => "Harbour $currency", timezone => 'UTC', currency => $currency, billing => { day => 15 }, charges => [ { type => 'demand', rate => '10', @ratchet } ] }, token => $token);
        $answer = $stack->post("/v1/rate-schedules/$made->{json}{id}/assign", { site => 'harbour', $from ? (from => $from) : (), $to ? (to => $to) : () }, token => $token);
        die "assign: $answer->{content}" if $answer->{status} != 201;
    }
    $stack->settle;
    my $days = "SELECT count(*) || ' ' || count(DISTINCT c.zone) FROM core.cost_day c JOIN core.site s ON s.id = c.site_id WHERE s.key = 'harbour' AND c.day BETWEEN '2022-11-15' AND '2023-04-14'";
    my $deadline = time + 60;
    sleep 0.1 while $stack->sql($days) ne '151 1' && time < $deadline;
    is $stack->sql($days), '151 1', 'the ledger has all days of both';
    for (['2022-11-15', '2022-12-15', '40.00 CHF', '4 kW'], ['2022-12-15', '2023-01-01', '109.68 CHF', '17 / 31 of 20 kW are 109.677'], ['2023-01-01', '2023-01-15', '18.06 EUR', '14 / 31 of 4 kW are 18.065'],
        ['2023-01-15', '2023-02-15', '40.00 EUR', '4 kW, for it does not look back to 20 kW in francs'], ['2023-02-15', '2023-03-15', '100.00 EUR', '10 kW'], ['2023-03-15', '2023-04-15', '80.00 EUR', '80 % of 10 kW'], ['2023-01-15', '2023-04-15', '220.00 EUR', 'all three'],
        ['2025-02-15', '2025-03-15', '80.00 EUR', '24 cycles on it is 10 kW still'], ['2025-03-15', '2025-04-15', '32.00 EUR', 'then 80 % of 4 kW']) {
        my ($from, $to, $total, $why) = @$_;
        for my $as_of ('', '&as_of=2100-01-01T00:00:00Z') {
            $answer = $stack->get("/v1/bills?site=harbour&from=$from&to=$to$as_of", token => $token);
            is(($answer->{json}{total} // $answer->{content}) . ' ' . ($answer->{json}{currency} // ''), $total, "$why, " . ($as_of ? 'worked out anew' : 'kept'));
        }
    }
    $answer = $stack->get('/v1/bills?site=harbour&from=2022-12-15&to=2023-01-15', token => $token);
    like $answer->{status} . ' ' . ($answer->{json}{detail} // ''), qr/^422 .*different currencies, CHF and from 2023-01-01 on EUR/, 'the cycle of both has no bill';
    # without a first day it is of the currency of the last
    for (['2023-01-15', '2023-01-01', '18.06 EUR'], ['2023-01-01', '2022-12-15', '109.68 CHF'], ['2023-02-15', '2023-01-15', '40.00 EUR']) {
        my ($to, $from, $total) = @$_;
        my $bill = $stack->get("/v1/bills?site=harbour&to=$to", token => $token);
        is(($bill->{json}{from} // $bill->{content}) . ' ' . ($bill->{json}{total} // '') . ' ' . ($bill->{json}{currency} // ''), "${from}T00:00:00Z $total", "the cycle's bill to $to");
    }
    my $eve = Tidemark::Browser->new($stack);
    $eve->log_in('eve@home.example', 'a long enough password');
    for (['to=2023-01-14', '2022-12-15..2022-12-31', '2023-01-15..2023-02-14'], ['to=2022-12-31', '2022-11-15..2022-12-14', '2023-01-01..2023-01-14'],
        ['from=2023-01-15&to=2023-02-14', '2023-01-01..2023-01-14', '2023-02-15..2023-03-14'], ['from=2022-11-15&to=2022-12-14', '2022-10-15..2022-11-14', '2022-12-15..2022-12-31']) {
        my ($days, @beside) = @$_;
        my @links = $eve->get("/costs/bill?site=harbour&$days")->{content} =~ m{<a [^>]*href="/costs/bill\?site=harbour&amp;from=([\d-]+)&amp;to=([\d-]+)"}g;
        is "@links", join(' ', map { split /\.\./ } @beside), "the page of $days leads to the bills beside it";
    }
    return;
}

# A currency that changes today: 1 franc a day, 2 euros from today on.
sub check_today {
    my ($stack, $token) = @_;
    my $start = int(time / 86_400) * 86_400;
    my $today = substr stamp($start), 0, 10;
    $stack->post('/v1/sites', { key => 'kiosk', timezone => 'UTC' }, token => $token);
    my $answer = $stack->post('/v1/events/batch', [ { device => 'kiosk-meter', site => 'kiosk', time => int(time) - 1, metrics => { energy_kwh => 1 } } ], token => $stack->token('home', 'device'));
    die "reading: $answer->{content}" if $answer->{status} != 200;
    for (['CHF', '1.00', to => $today], ['EUR', '2.00', from => $today]) {
        my ($currency, $amount, @when) = @$_;
        my $made = $stack->post('/v1/rate-schedules', { name => "Kiosk $currency", timezone => 'UTC', currency => $currency, charges => [ { type => 'fixed', amount => $amount, per => 'day' } ] }, token => $token);
        $answer = $stack->post("/v1/rate-schedules/$made->{json}{id}/assign", { site => 'kiosk', @when }, token => $token);
        die "assign: $answer->{content}" if $answer->{status} != 201;
    }
    $stack->settle;
    my $bill = $stack->get('/v1/bills?site=kiosk', token => $token)->{json};
    my $days = grep { stamp($start + 86_400 * $_) lt ($bill->{to} // '') } 0 .. 2;
    is_deeply [ @$bill{qw(from total currency)} ], [ "${today}T00:00:00Z", $days * 2 . '.00', 'EUR' ], 'a bill without days is of the currency of today';
    return;
}

# Schedules of which the second counts days by the clock of another zone, to the east or the west of the first. A kWh an
# hour, at 1 a kWh, 2 from 0 to 6 h of the schedule's clock, and 100 a day; ten times that from the 15th on. Hours cost
# 100 / 24 = 4.166666667 and 1000 / 24 = 41.666666667 besides.
sub check_zones {
    my ($stack, $token) = @_;
    my $device = $stack->token('home', 'device', '--backfill');
    my %zone = (pier => 'Asia/Kolkata', wharf => 'America/New_York');
    for my $site (sort keys %zone) {
        $stack->post('/v1/sites', { key => $site, timezone => 'Europe/Berlin' }, token => $token);
        my @events = map { { device => "$site-meter", site => $site, time => timegm(0, 15, 0, 11, 2, 2023) + 3600 * $_, metrics => { energy_kwh => 1 } } } 0 .. 24 * 8 - 1;
        my $answer = $stack->post('/v1/events/batch', \@events, token => $device);
        die "readings: $answer->{content}" if $answer->{status} != 200;
        for (['Europe/Berlin', 1, to => '2023-03-15'], [$zone{$site}, 10, from => '2023-03-15']) {
            my ($zone, $rate, @when) = @$_;
            my $made = $stack->post('/v1/rate-schedules', { name => "$site, $zone", timezone => $zone, currency => 'EUR', periods => [qw(day night)], windows => [ { period => 'day' }, { period => 'night', from => '00:00', to => '06:00' } ],
                charges => [ { type => 'energy', prices => [ { rate => $rate }, { period => 'night', rate => 2 * $rate } ] }, { type => 'fixed', amount => 100 * $rate, per => 'day' } ] }, token => $token);
            $answer = $stack->post("/v1/rate-schedules/$made->{json}{id}/assign", { site => $site, @when }, token => $token);
            die "assign: $answer->{content}" if $answer->{status} != 201;
        }
    }
    my $rated = "SELECT string_agg(t, ', ' ORDER BY t) FROM (SELECT s.key || ' ' || c.zone || ' ' || min(c.day) AS t FROM core.cost_day c JOIN core.site s ON s.id = c.site_id WHERE s.key IN ('pier', 'wharf') GROUP BY s.key, c.zone) x";
    my $kept = 'pier Asia/Kolkata 2023-03-15, wharf America/New_York 2023-03-15';
    my $await = sub {
        $stack->settle;
        my $deadline = time + 60;
        sleep 0.1 while time < $deadline && ($stack->sql('SELECT count(*) FROM core.cost_dirty') > 0 || ($stack->sql($rated) // '') ne $kept);
        return is $stack->sql($rated), $kept, 'the ledger has the days of the zone that is in force';
    };
    my @starts = map { sprintf '2023-03-%s:00Z', $_ } '12T23:00', '14T18:30', '15T04:00';
    my $bills = sub {
        for (['pier', 'from=2023-03-13&to=2023-03-15', "$starts[0] 260.00"], ['pier', 'from=2023-03-15&to=2023-03-17', "$starts[1] 2600.00"], ['pier', 'to=2023-03-17', "$starts[1] 2600.00"],
            ['wharf', 'from=2023-03-13&to=2023-03-15', "$starts[0] 260.00"], ['wharf', 'from=2023-03-15&to=2023-03-17', "$starts[2] 2600.00"], ['wharf', 'to=2023-03-17', "$starts[2] 2600.00"]) {
            my ($site, $days, $bill) = @$_;
            for my $as_of ('', '&as_of=2100-01-01T00:00:00Z') {
                my $answer = $stack->get("/v1/bills?site=$site&$days$as_of", token => $token);
                is(($answer->{json}{from} // $answer->{content}) . ' ' . ($answer->{json}{total} // ''), $bill, "$site $days by its own clock, " . ($as_of ? 'worked out anew' : 'kept'));
            }
            my $answer = $stack->get("/v1/bills?site=$site&from=2023-03-13&to=2023-03-17", token => $token);
            like $answer->{status} . ' ' . ($answer->{json}{detail} // ''), qr/^422 .*different time zones, Europe\/Berlin and from 2023-03-15 on \Q$zone{$site}\E:/, 'days of both have no bill';
        }
    };
    my $costs = sub {
        my ($query, @items, $cursor, $answer) = @_;
        do {
            $answer = $stack->get("/v1/costs?$query" . ($cursor ? "&cursor=$cursor" : ''), token => $token);
            push @items, map { $_->{cost} } @{ $answer->{json}{items} // [] };
            $cursor = $answer->{json}{next};
        } while ($cursor && @items < 100);
        return join ' ', @items, $answer->{status} == 200 ? () : $answer->{status};
    };
    $await->();
    $bills->();
    is $costs->('site=pier&bucket=1d&from=2023-03-13&to=2023-03-17'), '130.00 130.00 1300.00 1300.00', 'days to the east of the change each cost what their schedule says';
    # Berlin's 15th begins at 23:00, which is 4:30 in Kolkata, where the night ends at 0:30
    is $costs->('site=pier&bucket=1h&from=2023-03-14T04:00:00Z&to=2023-03-15T02:00:00Z'), join(' ', '6.166666667', ('5.166666667') x 18, ('61.666666667') x 2, '51.666666667'), 'hours, too: the former schedule holds to the end of its last day';
    is $costs->('site=wharf&bucket=1d&from=2023-03-13&to=2023-03-17'), '130.00 130.00 422', 'the day to the west that is of neither alone has no cost';
    is $costs->('site=wharf&bucket=1d&from=2023-03-16&to=2023-03-17'), '1300.00', 'the one behind it has';
    # New York's 15th begins at 4:00
    is $costs->('site=wharf&bucket=1h&from=2023-03-14T04:00:00Z&to=2023-03-15T06:00:00Z'), join(' ', '6.166666667', ('5.166666667') x 23, ('61.666666667') x 2), 'of its hours the former schedule has those until the latter begins';
    my $energy = $stack->get('/v1/energy?site=wharf&bucket=1d&from=2023-03-13T23:00:00Z&to=2023-03-16T23:00:00Z', token => $token);
    is_deeply [ map { $_->{cost} } @{ $energy->{json}{items} // [] } ], [ '130.00', undef, '1300.00' ], 'energy is told of all its days';

    # a site's own zone says when its days begin, not what the schedule's days cost
    for my $site (sort keys %zone) {
        my $answer = $stack->request('PATCH', "/v1/sites/$site", token => $token, body => { timezone => 'Asia/Tokyo' });
        is $answer->{status}, 200, "$site has another zone";
    }
    $bills->();
    $await->();
    $bills->();
    # Tokyo's days begin at 15:00, six hours before Berlin's: 5 hours of the day and then 6 of the night cost the same
    is $costs->('site=pier&bucket=1d&from=2023-03-13&to=2023-03-15'), '130.00 130.00', 'days of its new zone';
    return;
}

# A change of energy long ago, of which the ledger does not know yet, at a place of so many readings that they have no room in
# a request: 200 meters of 0.01 kWh a quarter hour, on the days of 396 that are looked at.
sub check_pending {
    my ($stack, $token) = @_;
    my $device = $stack->token('home', 'device', '--backfill');
    $stack->post('/v1/sites', { key => 'plant', timezone => 'UTC' }, token => $token);
    for my $day (66, 198, 330) {
        my @events = map { my $n = $_; map { { device => "p$n", site => 'plant', time => timegm(0, 0, 0, 1, 0, 2022) + 86_400 * $day + 900 * $_, metrics => { energy_kwh => 0.01 } } } 0 .. 95 } 1 .. 200;
        while (my @part = splice @events, 0, 10_000) {
            my $answer = $stack->post('/v1/events/batch', \@part, token => $device);
            die "readings: $answer->{status} $answer->{content}" if $answer->{status} != 200;
        }
    }
    my $made = $stack->post('/v1/rate-schedules', { name => 'Plant', timezone => 'UTC', currency => 'EUR', charges => [ { type => 'energy', rate => '0.20' } ] }, token => $token);
    my $answer = $stack->post("/v1/rate-schedules/$made->{json}{id}/assign", { site => 'plant' }, token => $token);
    die "assign: $answer->{content}" if $answer->{status} != 201;
    my $bill = sub { my $bill = $stack->get("/v1/bills?site=plant&$_[0]", token => $token); return $bill->{status} . ' ' . ($bill->{json}{total} // $bill->{json}{detail} // '') };
    my $all = 'from=2022-01-01&to=2023-02-01';
    my $await = sub {
        $stack->settle;
        my $deadline = time + 60;
        sleep 0.1 while $stack->sql('SELECT count(*) FROM core.cost_dirty') > 0 && time < $deadline;
        return is $bill->($all), '200 115.20', 'the ledger has all of it: 3 * 96 * 200 * 0.01 * 0.20';
    };
    $await->();
    my @workers = Tidemark::Processes::part($stack, 'worker');
    kill 'STOP', @workers;
    $stack->sql("INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy) SELECT tenant_id, id, '2022-01-01', '2022-01-02', true FROM core.site WHERE key = 'plant'");
    like $bill->($all), qr/^503 .*being worked out anew.*ask again in a minute, or for fewer days/, 'what waits for the ledger and is too much is asked for again';
    like $bill->("$all&as_of=2100-01-01T00:00:00Z"), qr/^422 .*too many readings.*fewer days/, 'what it never has in parts';
    is $bill->('from=2022-03-01&to=2022-04-01'), '200 38.40', 'a month is worked out meanwhile';
    my $eve = Tidemark::Browser->new($stack);
    $eve->log_in('eve@home.example', 'a long enough password');
    my $page = $eve->get('/costs/bill?site=plant&from=2022-01-01&to=2023-01-31');
    is $page->{status}, 200, 'the page is there';
    ok $page->{content} =~ /The costs of these days are being worked out anew/, 'and says so';
    is $eve->get($_)->{status}, 200, "$_ is there" for '/', '/costs', '/costs?site=plant';
    kill 'CONT', @workers;
    $await->();
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $stack = Tidemark::Stack->start(engine => $engine, env => { map { ("RETENTION_${_}_DAYS" => 36500) } qw(RAW HOURLY DAILY EVENT) });
        $stack->sql("UPDATE core.retention SET days = 36500 WHERE class = 'energy'");    # else readings of 2020 go in 2027
        my $token = check($stack);
        return if $engine ne (Tidemark::Stack::engines())[0];    # what follows is worked out of what both answer alike
        check_many($stack, $token);
        check_currencies($stack, $token);
        check_change($stack, $token);
        check_today($stack, $token);
        check_zones($stack, $token);
        check_pending($stack, $token);
    };
}
done_testing();
