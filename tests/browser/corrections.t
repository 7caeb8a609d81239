#!/usr/bin/env perl
# Correcting and deleting readings, erasing a device, and the archive, in a real browser: starts a stack with a
# device, and lets corrections.js work with the page. Skips, saying what is missing, where there is
# no chromium, no npm or no way to its registry.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
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
$stack->cli('user', 'add', '--tenant', 'home', '--email', 'eve@home.example', '--role', 'admin', { stdin => "a long enough password\n" });
my $token = $stack->token('home', 'device', '--backfill');
my @events = map { { device => 'odd/<b>key</b>', time => "2026-06-01T1$_:00:00Z", metrics => { energy_kwh => $_, power_w => 100 } } } 0 .. 5;
push @events, { device => 'silent', type => 'note', data => { a => 1 } };
my $answer = $stack->post('/v1/events/batch', \@events, token => $token);
die "the readings were not taken: $answer->{status} $answer->{content}" if $answer->{status} != 200;

# a day that the archive has alone, beside what is corrected
$answer = $stack->post('/v1/events/batch', [{ device => 'roof', time => '2026-05-01T12:00:00Z', metrics => { power_w => 1 } }], token => $token);
$stack->archive("day = '2026-05-01'");
$stack->sql("UPDATE core.archive_day SET is_held = false WHERE day = '2026-05-01'");

$ENV{NODE_PATH} = "$tools/node_modules";
$ENV{PAGES} = JSON::PP->new->utf8->encode({
    url => $stack->url, chromium => $chromium, password => 'a long enough password', person => 'eve@home.example',
});
my $status = system $node, "$FindBin::Bin/corrections.js";
exit($status >> 8 || ($status ? 1 : 0));
