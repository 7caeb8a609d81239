#!/usr/bin/perl
# The demo: two tenants with ninety days that are believable and the same on every run; a
# second run fills what is missing and nothing else; the devices post through the real ingest.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(time);
use Tidemark::Browser;
use Tidemark::Stack;

my $OF = q{core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id};

sub await {
    my ($is_true, $seconds) = @_;
    my $deadline = time + $seconds;
    until ($is_true->()) {
        return 0 if time > $deadline;
        select undef, undef, undef, 0.1;
    }
    return 1;
}

sub stored { return $_[0]->sql('SELECT count(*) FROM core.sample') }

# All samples up to a time as one text, so that two states can be compared.
sub fingerprint {
    my ($stack, $until) = @_;
    return $stack->sql("SELECT md5(string_agg(x::text, ';' ORDER BY tenant_id, series_id, time)) FROM core.sample x WHERE time <= '$until'");
}

sub check_past {
    my ($stack) = @_;
    my $started = time;
    my ($status, $out, $said) = $stack->tidemark('seed');
    my $seconds = time - $started;
    is($status, 0, 'seeding works');
    is($out, '', 'and prints no data');
    is(join('', sort split /^/, $said) =~ s/in [\d.]+ s/in N s/gr =~ s/: \d{6} /: 6 digits /gr,
        "seeded aetherlens: 6 digits samples in N s\nseeded monsoon-mills: 6 digits samples in N s\n", 'but what it did');
    # alone it takes some 10 seconds, most of them for rollups; here other tests run beside it
    cmp_ok($seconds, '<', 60, 'in seconds') if $stack->{bin} !~ /asan|tsan|cov/;
    is_deeply([$stack->sql("SELECT d.key, count(DISTINCT s.id), min(c.n) >= 25919, max(c.n) <= 25921 FROM core.device d"
        . " JOIN core.series s ON s.device_id = d.id JOIN (SELECT series_id, count(*) AS n FROM core.sample GROUP BY 1) c ON c.series_id = s.id GROUP BY 1 ORDER BY 1")],
        ['loom-hall-01|4|t|t', 'rooftop-solar-01|3|t|t', 'shelly-office-01|5|t|t', 'solar-inverter-01|4|t|t', 'tp-link-living-room|4|t|t'],
        'each device has its metrics, ninety days of five minutes');
    is($stack->sql("SELECT count(*) FROM core.series_last l JOIN core.series s ON s.id = l.series_id"
        . " WHERE l.time > now() - interval '6 minutes' AND l.time <= now()"), 20, 'up to now, and noted as the last');
    is($stack->sql("SELECT string_agg(DISTINCT d.key, ',' ORDER BY d.key) FROM core.series s JOIN core.device d ON d.id = s.device_id WHERE s.role = 'generation'"),
        'rooftop-solar-01,solar-inverter-01', 'the panels generate');
    is_deeply([$stack->sql('SELECT s.name, p.key FROM core.rate_schedule s LEFT JOIN core.rate_assignment a ON a.schedule_id = s.id'
        . ' LEFT JOIN core.site p ON p.id = a.site_id WHERE p.key IS NOT NULL ORDER BY 1')],
        ['Half-Hourly Dynamic|mumbai-mill', 'PG&E Time-of-Use Summer 2024|home'], 'energy has its price at each site');
    is($stack->sql('SELECT count(*), min(nano_rate) < 0 FROM core.rate_price'), 48 * 93 . '|t', 'one by the half hour, also below nothing');
    is($stack->sql('SELECT count(*) FROM core.series s LEFT JOIN (SELECT series_id, sum(count) AS n FROM core.rollup_15m GROUP BY 1) r ON r.series_id = s.id'
        . ' LEFT JOIN (SELECT x.series_id, count(*) AS n FROM core.sample x, core.rollup_state c WHERE x.time < c.closed_until GROUP BY 1) k ON k.series_id = s.id'
        . ' WHERE r.n IS DISTINCT FROM coalesce(k.n, 0)'),
        0, 'every sample of a quarter hour that is closed is rolled up');
    return;
}

sub check_sense {
    my ($stack) = @_;
    is_deeply([$stack->sql("SELECT d.key FROM $OF GROUP BY 1 HAVING abs(sum(x.value) FILTER (WHERE s.metric = 'energy_kwh')"
        . " / (sum(x.value) FILTER (WHERE s.metric = 'power_w') / 12000) - 1) > 0.001")], [], 'energy is power times time, for each device');
    is($stack->sql("SELECT count(*) FROM $OF WHERE d.key LIKE '%solar%' AND s.metric = 'power_w' AND x.value > 0 AND"
        . " extract(hour FROM x.time AT TIME ZONE CASE d.key WHEN 'solar-inverter-01' THEN 'America/Los_Angeles' ELSE 'Asia/Kolkata' END) NOT BETWEEN 5 AND 20"),
        0, 'no sun at night, wherever that is');
    my ($week, $weekend) = split /\|/, $stack->sql("SELECT avg(x.value) FILTER (WHERE dow < 6), avg(x.value) FILTER (WHERE dow > 5) FROM $OF,"
        . " extract(isodow FROM x.time AT TIME ZONE 'America/Los_Angeles') dow WHERE d.key = 'shelly-office-01' AND s.metric = 'power_w'");
    cmp_ok($week, '>', 4 * $weekend, 'the office works on weekdays');
    cmp_ok($stack->sql('SELECT count(*) FROM core.event e JOIN core.tenant t ON t.id = e.tenant_id WHERE t.slug = \'aetherlens\' AND site_id IS NOT NULL'),
        '>', 100, 'there are events, at their site');
    return;
}

sub check_people {
    my ($stack) = @_;
    my @logins = split /\n/, $stack->cli('seed', '--print-logins');
    is(scalar @logins, 5, 'five logins are printed');
    for my $login (@logins) {
        my ($email, $password) = split / /, $login;
        my $browser = Tidemark::Browser->new($stack);
        is($browser->log_in($email, $password)->{status}, 303, "$email logs in");
        my $answer = $browser->get('/v1/devices');
        next if $email =~ /^operator/;
        check_maker($stack, $browser) if $email =~ /^admin\@aetherlens/;
        my ($own, $other) = $email =~ /aetherlens/ ? ('shelly-office-01', 'loom') : ('loom-hall-01', 'shelly');
        like($answer->{content}, qr/"$own"/, 'and sees the tenant\'s devices');
        unlike($answer->{content} . $browser->get('/')->{content}, qr/$other/, 'and none of the other\'s');
    }
    return;
}

sub check_maker {
    my ($stack, $browser) = @_;
    my $page = '/admin/rates/' . $stack->sql("SELECT min(s.id) FROM core.rate_schedule s JOIN core.tenant t ON t.id = s.tenant_id WHERE t.slug = 'aetherlens'");
    like($browser->get($page)->{content}, qr/"Made by">the demo</, 'who made a rate schedule\'s version');
    $stack->sql('UPDATE core.rate_version SET made_by = \'tidemark_web\'');
    like($browser->get($page)->{content}, qr/"Made by">Tidemark</, 'where nobody was named no role\'s name is shown');
    return;
}

sub check_again {
    my ($stack) = @_;
    my $before = stored($stack);
    my ($status, undef, $said) = $stack->tidemark('seed');
    my ($first) = $said =~ /aetherlens: (\d+) samples/;
    my ($second) = $said =~ /monsoon-mills: (\d+) samples/;
    is($status, 0, 'seeding again works');
    is(stored($stack), $before + $first + $second, 'and says what it added');
    ok($first <= 13 && $second <= 7, 'which is one round at most');
    my $until = $stack->sql('SELECT max(time) FROM core.sample');
    my $kept = fingerprint($stack, $until);
    my $events = $stack->sql("SELECT count(*) FROM core.event WHERE time <= '$until'");
    $stack->sql("UPDATE core.membership SET role = 'admin' WHERE role = 'viewer'");
    for my $table (qw(sample event)) {
        $stack->sql("DELETE FROM core.$table WHERE time > now() - interval '3 days'");
    }
    $stack->sql('DELETE FROM core.series_last; DELETE FROM core.event_key');
    ($status) = $stack->tidemark('seed');
    is($status, 0, 'after three days of standing still, too');
    is(fingerprint($stack, $until), $kept, 'and what is filled is what would have been there');
    is($stack->sql("SELECT count(*) FROM core.event WHERE time <= '$until'"), $events, 'events included');
    is($stack->sql("SELECT count(*) FROM core.membership WHERE role = 'viewer'"), 0, 'who was given another role keeps it');
    return;
}

sub check_posting {
    my ($stack) = @_;
    my $last = $stack->sql('SELECT max(time) FROM core.sample');
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$stack->{home}/log/post.log" or die;
        $ENV{TIDEMARK_HOME} = $stack->{home};
        exec $stack->{bin}, 'seed', '--post', $stack->url, '--every', 1 or die;
    }
    ok(await(sub { $stack->sql("SELECT count(*) FROM core.sample WHERE time > '$last' AND extract(second FROM time)::int % 10 <> 0") >= 40 }, 30),
        'the devices post every second when told to') or diag Tidemark::Stack::slurp("$stack->{home}/log/post.log");
    is($stack->sql("SELECT count(DISTINCT series_id) FROM core.sample WHERE time > '$last'"), 20, 'every metric of every device');
    my $started = time;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    is($?, 0, 'and stop when told to');
    cmp_ok(time - $started, '<=', 2, 'at once');
    is($stack->sql("SELECT count(*) FROM core.token WHERE name = 'demo poster' AND revoked_at IS NULL"), 0, 'leaving no token behind');
    is(Tidemark::Stack::slurp("$stack->{home}/log/post.log") =~ /level=(?:warn|error)/ ? 'said something' : 'quiet', 'quiet', 'without a complaint');
    is_deeply([$stack->sql("SELECT d.key FROM $OF WHERE x.time > now() - interval '20 minutes' AND s.metric IN ('energy_kwh', 'power_w') GROUP BY 1"
        . " HAVING sum(x.value) FILTER (WHERE s.metric = 'energy_kwh') > 0.5 * max(x.value) FILTER (WHERE s.metric = 'power_w') / 1000")],
        [], 'no energy is posted twice');
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $stack = Tidemark::Stack->start(engine => $engine);
        subtest past => sub { check_past($stack) };
        subtest sense => sub { check_sense($stack) };
        subtest people => sub { check_people($stack) };
        subtest again => sub { check_again($stack) };
        subtest posting => sub { check_posting($stack) };
    };
}
done_testing();
