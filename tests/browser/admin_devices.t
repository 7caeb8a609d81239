#!/usr/bin/env perl
# The administration of devices and sites, and the pages of files and of the archive, in a real browser:
# starts a stack, makes a tenant with devices and an empty one, and lets admin_devices.js and files.js
# work with the pages. Skips, saying what is missing, where there is no chromium, no npm or no way to its
# registry.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tidemark::Npm;
use Tidemark::Stack;

sub skip_all {
    print "1..0 # SKIP the pages were not looked at: $_[0]\n";
    exit 0;
}

my $node = Tidemark::Npm::find_command('node', 'nodejs') or skip_all('node is not installed');
my $chromium = Tidemark::Npm::find_browser() or skip_all('chromium is not installed');
my ($tools, $why) = Tidemark::Npm::install('browser', $FindBin::Bin);
skip_all($why) if !$tools;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'home', '--name', 'Home', '--timezone', 'Europe/Berlin');
$stack->cli('tenant', 'add', 'empty', '--name', 'Empty');
for (['eve@home.example', 'home'], ['ann@empty.example', 'empty']) {
    $stack->cli('user', 'add', '--tenant', $_->[1], '--email', $_->[0], '--role', 'admin',
        { stdin => "a long enough password\n" });
}
# More devices than a page holds, a site, and one device with odd characters that sends.
my $list = "key,name,model,site,timezone\n"
    . join('', map { sprintf "meter-%03d,Meter %d,SDM120,barn,Europe/Berlin\n", $_, $_ } 1 .. 60);
$stack->cli('device', 'import', '--tenant', 'home', { stdin => $list });
my $answer = $stack->post('/v1/event', { device => 'odd/<b>key</b>', metrics => { power_w => 12, energy_kwh => 1 } },
    token => $stack->token('home', 'device'));
die "the reading was not taken: $answer->{status} $answer->{content}" if $answer->{status} != 200;

# A rate schedule with two seasons that holds at the site.
my $admin = $stack->token('home', 'admin');
$answer = $stack->post('/v1/rate-schedules', { name => 'Time of use', timezone => 'Europe/Berlin', currency => 'EUR',
    seasons => [ { name => 'summer', title => 'Summer', from => '06-01', to => '10-01' }, { name => 'winter', title => 'Winter', from => '10-01', to => '06-01' } ],
    periods => [ 'off_peak', { name => 'peak', title => 'Peak' } ],
    windows => [ { period => 'off_peak' }, { period => 'peak', days => ['weekdays'], from => '17:30', to => '20:00' } ],
    charges => [ { type => 'energy', prices => [ { rate => '0.30' }, { period => 'peak', rate => '0.45' } ] } ] }, token => $admin);
die "no rate schedule: $answer->{content}" if $answer->{status} != 201;
my $rate = $answer->{json}{id};
$stack->post("/v1/rate-schedules/$rate/assign", { site => 'barn' }, token => $admin);

# A day that the archive alone has, and one that the database has, too.
my $midnight = int(time / 86400) * 86400;
$answer = $stack->post('/v1/events/batch', [ map { { device => 'meter-001', time => $midnight - $_ * 86400 + 60, metrics => { power_w => $_ } } } 6, 9 ],
    token => $stack->token('home', 'device', '--backfill'));
die "the days were not taken: $answer->{status} $answer->{content}" if $answer->{status} != 200;
$stack->settle;
$stack->archive("day < current_date - 8");
$stack->sql("DELETE FROM core.sample WHERE time < now() - interval '8 days'; UPDATE core.archive_day SET is_held = false WHERE day < current_date - 8");
$stack->cli('user', 'add', '--tenant', 'home', '--email', 'vic@home.example', '--role', 'viewer', { stdin => "a long enough password\n" });

$ENV{NODE_PATH} = "$tools/node_modules";
$ENV{PAGES} = JSON::PP->new->utf8->encode({
    url => $stack->url, chromium => $chromium, password => 'a long enough password',
    person => 'eve@home.example', other => 'ann@empty.example', viewer => 'vic@home.example', rate => $rate,
});
my $status = system $node, "$FindBin::Bin/admin_devices.js";
exit($status >> 8 || ($status ? 1 : 0));
