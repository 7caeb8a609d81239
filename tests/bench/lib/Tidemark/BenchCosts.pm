package Tidemark::BenchCosts;

# Costs over a year of energy: a tenant with 100 sites of 10 series, of which one has all of the year
# in quarter hours, and a site of 200 devices that tell every hour. How fast the worker rates,
# beside COPY of the ledger's rows alone; how long a schedule's correction takes to be in the ledger;
# and how fast the API answers. --small is a month of it.

use strict;
use warnings;
use JSON::PP;
use Time::HiRes qw(time sleep);
use Tidemark::Bench;
use Tidemark::Stack;

my $TARIFF = { name => 'Bench', timezone => 'Europe/Berlin', currency => 'EUR', periods => [qw(base peak)],
    windows => [ { period => 'base' }, { period => 'peak', days => ['weekdays'], from => '17:00', to => '21:00' } ],
    charges => [ { type => 'energy', prices => [ { rate => '0.30' }, { period => 'peak', rate => '0.42' } ] },
        { type => 'fixed', amount => '9.90', per => 'month' }, { type => 'tax', name => 'VAT', percent => '19' } ] };

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
    my $path = '/v1/costs?site=s0&limit=1000&from=' . (int(time) - 86400 * ($days - 1));
    push @rows, asking($stack, "$path&bucket=$_", "/v1/costs of 200 devices by $_", $option->{seconds}, '--token', $admin) for '1mo', '1d';
    my $person = person($stack);
    push @rows, asking($stack, "/costs?site=s0&view=$_", "/costs of 200 devices, its $_", $option->{seconds}, '--cookie', $person) for qw(day month year);
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
    return ((map { { name => "rating, intervals $_", unit => '1/s', value => sprintf('%.0f', $rated{$_} / ($sum->{seconds} || 1)), spread => /device/ ? 'at least 60000' : '' } } sort keys %rated),
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
        spread => passes($stack, $since)->{rows} . ' rows; below 2' };
}

# How long a client waits for an answer.
sub asking {
    my ($stack, $path, $name, $seconds, @credential) = @_;
    open my $out, '-|', "$Tidemark::Stack::ROOT/build/tests/bench/load", '--get', '--port', $stack->{port}, '--path', $path, @credential,
        '--connections', 1, '--seconds', $seconds or die "load: $!";
    my $answer = decode_json(join '', <$out>);
    close $out;
    die "$path: $answer->{errors} failed requests, status $answer->{bad_status}\n" if $answer->{errors};
    return map { { name => "$name, $_->[0]", unit => 'ms', value => sprintf('%.1f', $_->[1]), spread => $_->[2] } }
        [p50 => $answer->{p50_ms}, ''], [p99 => $answer->{p99_ms}, 'aim 25'];
}

1;
