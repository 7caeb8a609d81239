#!/usr/bin/env perl
# The pages of access in a real browser: starts a stack, makes two tenants, people, tokens, an
# invitation and a password link, and lets admin_access.js work with the pages. Skips, saying what
# is missing, where there is no chromium, no npm or no way to its registry.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Time::HiRes qw(sleep time);
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
my $password = 'a long enough password';
$stack->cli('tenant', 'add', 'home', '--name', 'Home & <Garden>', '--timezone', 'America/Los_Angeles');
$stack->cli('tenant', 'add', 'second', '--name', 'Second home, whose name is longer than most names are');
$stack->cli('user', 'add', '--tenant', $_->[0], '--email', $_->[1], '--role', $_->[2], '--name', $_->[3], { stdin => "$password\n" })
    for ['home', 'eve@home.example', 'admin', 'Eve'], ['second', 'eve@home.example', 'viewer', ''],
    ['home', 'kay@home.example', 'viewer', ''], ['home', 'a.very.long.address@of-a-domain-that-is-long-as-well.example', 'viewer', ''];
my $token = $stack->token('home', 'admin', '--name', 'CI');
my $device = $stack->token('home', 'device', '--device', 'meter-1', '--name', 'The meter in the cellar behind the door at the left of the stairs');

sub api {
    my ($method, $path, $body) = @_;
    my $answer = $stack->request($method, $path, token => $token, $body ? (body => $body) : ());
    die "$method $path: $answer->{status} $answer->{content}" if $answer->{status} >= 300;
    return $answer->{json};
}

my $revoked = api('POST', '/v1/tokens', { kind => 'api', name => 'Old' })->{id};
api('DELETE', "/v1/tokens/$revoked");
api('PUT', '/v1/plugins/mqtt%2F%3Cb%3Eroof', { kind => 'collector', config => { url => 'mqtt://' . 'a-long-name.' x 10 . 'example', topics => ['a', 'b'] } });
# What is not stored is kept within seconds: an item, one too long for the page, a body.
$stack->post('/v1/events/batch', [{ time => '2001-01-01T00:00:00Z', metrics => { power_w => 1 } }, { metrics => { a => 1 } },
    { device => 'a-device-of-somebody-else-with-a-long-name-' . 'x' x 60, data => { text => 'long ' x 1000 . '<b>' } }], token => $device);
$stack->post('/v1/event', "{\"metrics\":{\"a\xff\":", token => $device, headers => { 'Content-Type' => 'application/json' });
my ($kay) = grep { $_->{email} eq 'kay@home.example' } @{ api('GET', '/v1/users')->{items} };
my ($invite, $reset) = map { $_->{link} =~ s{^http://[^/]+}{}r } api('POST', '/v1/users', { email => 'joe@home.example', role => 'admin' }),
    api('POST', "/v1/users/$kay->{id}/reset");

my $deadline = time + 20;
sleep 0.1 while @{ api('GET', '/v1/rejects')->{items} } < 3 && time < $deadline;

$ENV{NODE_PATH} = "$tools/node_modules";
$ENV{PAGES} = JSON::PP->new->utf8->encode({ url => $stack->url, chromium => $chromium, person => 'eve@home.example',
    password => $password, revoked => $revoked, kay => $kay->{id}, invite => $invite, reset => $reset });
my $status = system $node, "$FindBin::Bin/admin_access.js";
exit($status >> 8 || ($status ? 1 : 0));
