#!/usr/bin/env perl
# The pages in a real browser: starts a stack, makes two tenants and a day of readings, and lets
# pages.js look at them. Installs playwright-core and axe-core once, into build/tools; skips,
# saying what is missing, where there is no chromium, no npm or no way to its registry.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tidemark::Npm;
use Tidemark::Stack;

my $root = $Tidemark::Stack::ROOT;

sub skip_all {
    print "1..0 # SKIP the pages were not looked at: $_[0]\n";
    exit 0;
}

# Readings every five minutes of the last 26 hours, with an hour missing, and of yesterday noon.
sub events {
    my ($now) = @_;
    my $last = $now - $now % 300;
    my @events;
    for my $i (0 .. 26 * 12) {
        my $time = $last - 300 * $i;
        next if $i >= 60 && $i < 84;
        push @events, { device => 'meter-1', time => $time,
            metrics => { power_w => 400 + $i % 7, energy_kwh => 0.03 + ($i % 7) / 1000 } };
        push @events, { device => 'roof', time => $time,
            metrics => { generation_w => 150 + $i % 5, generation_kwh => 0.0125, temperature_c => 21.5 } };
    }
    push @events, { device => 'odd/<b>key</b>', time => $now - 3 * 86400,
        metrics => { level => 7 }, type => 'telemetry' };
    push @events, { device => 'roof', time => $now - 600, type => 'alarm', data => { note => 'too <b>hot</b>' } };
    return \@events;
}

my $node = Tidemark::Npm::find_command('node', 'nodejs') or skip_all('node is not installed');
my $chromium = Tidemark::Npm::find_browser() or skip_all('chromium is not installed');
my ($tools, $why) = Tidemark::Npm::install('browser', $FindBin::Bin);
skip_all($why) if !$tools;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'home', '--name', 'Home & <Garden>', '--timezone', 'America/Los_Angeles');
$stack->cli('tenant', 'add', 'other', '--name', 'Other', '--timezone', 'Asia/Kolkata');
my $device_token = $stack->token('home', 'device', '--backfill');
my $answer = $stack->post('/v1/events/batch', events(int time), token => $device_token);
die "the readings were not taken: $answer->{status} " . substr($answer->{content}, 0, 500) if $answer->{status} != 200;
my $admin = $stack->token('home', 'admin');
my $rate = $stack->post('/v1/rate-schedules', { name => 'Evenings', timezone => 'America/Los_Angeles', currency => 'USD',
    periods => [ 'off_peak', { name => 'peak', title => 'Peak' } ], windows => [ { period => 'off_peak' }, { period => 'peak', from => '16:00', to => '21:00' } ],
    charges => [ { type => 'energy', prices => [ { rate => '0.30' }, { period => 'peak', rate => '0.55' } ] }, { type => 'export', rate => '0.08' },
        { type => 'fixed', amount => '0.40', per => 'day' }, { type => 'tax', name => 'City', percent => '7.5' } ] }, token => $admin);
$answer = $stack->post("/v1/rate-schedules/$rate->{json}{id}/assign", {}, token => $admin);
die "the schedule was not assigned: $answer->{status} $answer->{content}" if $answer->{status} != 201;
for my $person (['eve@home.example', 'home'], ['kay@other.example', 'other']) {
    $stack->cli('user', 'add', '--tenant', $person->[1], '--email', $person->[0], '--role', 'viewer',
        { stdin => "a long enough password\n" });
}
$stack->settle;

$ENV{NODE_PATH} = "$tools/node_modules";
$ENV{PAGES} = JSON::PP->new->utf8->encode({
    url => $stack->url, chromium => $chromium, password => 'a long enough password',
    person => 'eve@home.example', other => 'kay@other.example', zone => 'America/Los_Angeles',
    token => $stack->token('home', 'api'), device_token => $device_token,
});
my $status = system $node, "$FindBin::Bin/pages.js";
exit($status >> 8 || ($status ? 1 : 0));
