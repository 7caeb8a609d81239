package Tidemark::BenchCosts;

# Costs over a year of energy: a tenant with 100 sites of 10 series, of which one has all of the year
# in quarter hours, and a site of 200 devices that tell every hour. How fast the worker rates,
# beside COPY of the ledger's rows alone; how long a schedule's correction takes to be in the ledger;
# and how fast the API and pages answer, asked the same again and again and asked something else each
# time. --small is a month of it, and most of its spans have no whole month.

use strict;
use warnings;
use JSON::PP;
use POSIX qw(strftime);
use Time::HiRes qw(time sleep);
use Tidemark::Bench;
use Tidemark::Stack;

my $TARIFF = { name => 'Bench', timezone => 'Europe/Berlin', currency => 'EUR', periods => [qw(base peak)],
    windows => [ { period => 'base' }, { period => 'peak', days => ['weekdays'], from => '17:00', to => '21:00' } ],
    charges => [ { type => 'energy', prices => [ { rate => '0.30' }, { period => 'peak', rate => '0.42' } ] },
        { type => 'fixed', amount => '9.90', per => 'month' }, { type => 'tax', name => 'VAT', percent => '19' } ] };

# A device of each of the two sites that have a year of energy tells a little more
# for a quarter hour of a day that is rated.
my $MORE_ENERGY = <<'SQL';
WITH last AS (SELECT s.id, d.site_id, (SELECT max(e.bucket) FROM core.energy_15m e WHERE e.series_id = s.id AND e.bucket < now() - interval '2 days') AS bucket
              FROM core.series s JOIN core.device d ON d.id = s.device_id WHERE d.key IN ('s0-1', 's1-1')),
more AS (UPDATE core.energy_15m e SET nkwh = e.nkwh + 1 FROM last l WHERE e.series_id = l.id AND e.bucket = l.bucket)
INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT 1, l.site_id, l.bucket, l.bucket + interval '15 minutes', true FROM last l;
SQL

sub costs {
    my ($option) = @_;
    my $days = $option->{small} ? 31 : 365;
    my $stack = Tidemark::Stack->start(engine => $option->{engine}, timeout => 120, disk => 1);
    $stack->cli('tenant', 'add', 'bench', '--timezone', 'Europe/Berlin', '--currency', 'EUR');
    my $admin = $stack->token('bench', 'admin');
    fill($stack, $days);
    my $made = $stack->post('/v1/rate-schedules', $TARIFF, token => $admin);
    $stack->post("/v1/rate-schedules/$made->{json}{id}/assign", {}, token => $admin);
    settle($stack);
    my @rows = rating($stack);
    push @rows, correction($stack, $admin);
    my $person = person($stack);
    for my $bucket (qw(1mo 1d 1h)) {
        my ($same, @others) = map { "$_&limit=1000&bucket=$bucket" } spans($bucket eq '1mo' && $days > 100 ? 62 : 2, $days);
        push @rows, asking($stack, "/v1/costs of 200 devices by $bucket, the same", $option->{seconds}, [$same], '--token', $admin),
            asking($stack, "/v1/costs by $bucket, each another", $option->{seconds}, \@others, '--token', $admin);
    }
    for my $view (qw(day month year)) {
        my @pages = map { my $site = $_; map { "/costs?site=$site&view=$view&at=" . day_before($_) } 0 .. $days - 2 } qw(s0 s1);
        push @rows, asking($stack, "/costs of 200 devices, its $view, the same", $option->{seconds}, [$pages[0]], '--cookie', $person),
            asking($stack, "/costs, a $view, each another", $option->{seconds}, [mixed(@pages)], '--cookie', $person);
    }
    return @rows;
}

# The cookie of somebody who may see the pages.
sub person {
    my ($stack) = @_;
    $stack->sql(<<'SQL');
INSERT INTO core.person (email, name, password_hash) VALUES ('bench@example.org', 'Person', '-');
INSERT INTO core.membership (tenant_id, person_id, role) SELECT 1, id, 'admin' FROM core.person;
INSERT INTO core.session (hash, person_id, tenant_id, idle_days, expires_at)
SELECT sha256(convert_to('bench', 'UTF8')), id, 1, 7, now() + interval '1 day' FROM core.person;
SQL
    return 'tidemark_session=bench';
}

# Energy as the worker keeps it, without the readings behind it.
sub fill {
    my ($stack, $days) = @_;
    $stack->sql(<<"SQL");
INSERT INTO core.site (tenant_id, key, name, timezone) SELECT 1, 's' || n, 's' || n, 'Europe/Berlin' FROM generate_series(0, 100) n;
INSERT INTO core.device (tenant_id, key, name, site_id)
SELECT 1, s.key || '-' || n, 'd', s.id FROM core.site s, generate_series(1, 200) n WHERE n <= 10 OR s.key = 's0';
INSERT INTO core.series (tenant_id, device_id, metric, unit, kind, role)
SELECT 1, d.id, 'energy_kwh', 'kWh', 'delta', 'consumption' FROM core.device d;
SELECT core.partitions_ensure_of('{core.energy_15m,core.energy_1d}', now() - interval '@{[$days + 2]} days', now());
SET synchronous_commit = off;
INSERT INTO core.energy_15m (tenant_id, series_id, bucket, nkwh)
SELECT 1, s.id, g, 100000000 + 1000 * s.id FROM core.series s JOIN core.device d ON d.id = s.device_id,
LATERAL generate_series(date_trunc('hour', now()) - CASE WHEN d.key ~ '^s[01]-' THEN interval '$days days' ELSE interval '1 day' END,
                        date_trunc('hour', now()) - interval '2 hours', CASE WHEN d.key LIKE 's1-%' THEN interval '15 minutes' ELSE interval '1 hour' END) g;
INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy) SELECT 1, s.id, '-infinity', 'infinity', true FROM core.site s;
SQL
    $stack->sql('VACUUM ANALYZE');
    return;
}

# Waits until nothing is to be rated; since when.
sub settle {
    my ($stack) = @_;
    my $begin = time;
    while ($stack->sql('SELECT count(*) FROM core.cost_dirty') > 0) {
        die "costs are not rated\n" if time - $begin > 300;
        sleep 0.02;
    }
    return time - $begin;
}

# What the last passes of the job did.
sub passes {
    my ($stack, $since) = @_;
    my %sum = (days => 0, rows => 0, seconds => 0);
    for my $line ($stack->sql("SELECT detail, extract(epoch FROM finished_at - started_at) FROM ops.job_run WHERE name = 'costs' AND started_at >= '$since' AND finished_at IS NOT NULL")) {
        my ($detail, $seconds) = split /\|/, $line;
        $sum{$1} += $2 while $detail =~ /(days|rows)=(\d+)/g;
        $sum{seconds} += $seconds;
    }
    return \%sum;
}

sub rating {
    my ($stack) = @_;
    my $since = $stack->sql('SELECT clock_timestamp()');
    $stack->sql("INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy) SELECT 1, s.id, '-infinity', 'infinity', false FROM core.site s WHERE s.key IN ('s0', 's1')");
    settle($stack);
    sleep 1.5;
    my $sum = passes($stack, $since);
    my $begin = time;
    $stack->sql('CREATE TABLE public.copied (LIKE core.cost_calculation INCLUDING ALL); INSERT INTO public.copied SELECT * FROM core.cost_calculation');
    my $copied = $stack->sql('SELECT count(*) FROM public.copied') / (time - $begin);
    $stack->sql('DROP TABLE public.copied');
    # each device's quarter hours are rated alone, and those of its account together
    my $of_devices = $stack->sql("SELECT count(*) FROM core.energy_15m e JOIN core.series s ON s.id = e.series_id JOIN core.device d ON d.id = s.device_id WHERE d.key ~ '^s[01]-'");
    my %rated = ('of accounts' => $sum->{days} * 96, 'of accounts and devices' => $sum->{days} * 96 + $of_devices);
    return ((map { { name => "rating, intervals $_", unit => '1/s', value => sprintf('%.0f', $rated{$_} / ($sum->{seconds} || 1)), spread => /device/ ? Tidemark::Bench::aim($rated{$_} >= 60000 * ($sum->{seconds} || 1), 'at least 60000') : '' } } sort keys %rated),
        { name => 'the ledger\'s rows alone, copied', unit => 'rows/s', value => sprintf('%.0f', $copied), spread => '' });
}

sub correction {
    my ($stack, $admin) = @_;
    my $made = $stack->post('/v1/rate-schedules', $TARIFF, token => $admin);
    $stack->post("/v1/rate-schedules/$made->{json}{id}/assign", { site => 's1' }, token => $admin);
    settle($stack);
    sleep 1.5;
    my $since = $stack->sql('SELECT clock_timestamp()');
    my %dearer = (%$TARIFF, charges => [ { type => 'energy', rate => '0.33' }, @{ $TARIFF->{charges} }[1, 2] ]);
    my $begin = time;
    my $put = $stack->request('PUT', "/v1/rate-schedules/$made->{json}{id}", token => $admin, body => \%dearer);
    die "correction: $put->{content}\n" if $put->{status} != 200;
    settle($stack);
    my $seconds = time - $begin;
    sleep 1.5;
    return { name => 'a correction over the year is in the ledger', unit => 's', value => sprintf('%.2f', $seconds),
        spread => Tidemark::Bench::aim($seconds < 2, 'below 2') . ', ' . passes($stack, $since)->{rows} . ' rows' };
}

sub day_before { return strftime('%Y-%m-%d', gmtime(time - 86400 * $_[0])) }

# In an order without a pattern, the same each time.
sub mixed { return @_[sort { ($a * 7919) % 10007 <=> ($b * 7919) % 10007 } 0 .. $#_] }

# What is asked of the API: all that the big site has, and then spans that are all different and begin at
# least so many days ago, of both sites that have so much, up to today and up to an earlier day.
sub spans {
    my ($least, $days) = @_;
    my $ask = sub { my ($site, $from, $to) = @_; return "/v1/costs?site=$site&from=" . day_before($from) . ($to ? '&to=' . day_before($to) : '') };
    my @others = map { my $from = $_; map { my $site = $_; map { $ask->($site, $from, $_) } grep { $_ < $from } 0, 7 } qw(s0 s1) } $least .. $days - 2;
    return ($ask->('s0', $days - 1), mixed(@others));
}

# How long a client waits for an answer; of one path it is what processes keep that answers, of many
# there is nothing kept for most. What has been rated changes twice a second meanwhile.
sub asking {
    my ($stack, $name, $seconds, $paths, @credential) = @_;
    my ($end, $stamp) = (time + $seconds, $stack->sql('SELECT sum(n) FROM core.cost_stamp'));
    open my $out, '-|', "$Tidemark::Stack::ROOT/build/tests/bench/load", '--get', '--port', $stack->{port}, @credential, (map { ('--path', $_) } @$paths),
        '--connections', 1, '--seconds', $seconds or die "load: $!";
    while (@$paths > 1 && time < $end - 0.5) {
        sleep 0.5;
        $stack->sql($MORE_ENERGY);
    }
    my $answer = decode_json(join '', <$out>);
    close $out;
    die "$name: $answer->{errors} failed requests, status $answer->{bad_status}\n" if $answer->{errors};
    settle($stack);
    die "$name: nothing was rated meanwhile\n" if @$paths > 1 && $seconds > 1 && $stamp eq $stack->sql('SELECT sum(n) FROM core.cost_stamp');
    return ({ name => "$name, p50", unit => 'ms', value => sprintf('%.1f', $answer->{p50_ms}), spread => "$answer->{requests} requests" },
        { name => "$name, p99", unit => 'ms', value => sprintf('%.1f', $answer->{p99_ms}), spread => Tidemark::Bench::aim($answer->{p99_ms} < 25, 'below 25') });
}

1;
