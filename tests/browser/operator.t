#!/usr/bin/env perl
# The installation's pages, shared links and problem pages in a real browser: starts a stack with
# tenants and operators and lets operator.js work with them. Skips, saying what is missing, where
# there is no chromium, no npm or no way to its registry.
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
my $password = 'a long enough password';
my $long = 'A tenant <b>whose</b> name ' . 'is-longer-than-most-names-' x 3;
$stack->cli('tenant', 'add', 'home', '--name', 'Home & <Garden>', '--timezone', 'America/Los_Angeles');
$stack->cli('tenant', 'add', 'a-slug-as-long-as-a-slug-can-be-' . 'x' x 31, '--name', $long);
$stack->cli('user', 'add', '--email', @$_, { stdin => "$password\n" })
    for ['oda@run.example', '--operator-admin'], ['oli@run.example', '--operator'],
    ['vic@home.example', '--tenant', 'home', '--role', 'viewer'],
    ['ada@home.example', '--operator'], ['ada@home.example', '--tenant', 'home', '--role', 'admin'];

my $now = time;
my @events = map { { device => 'meter', time => $now - 300 * $_, metrics => { power_w => 400 + $_, energy_kwh => 0.03 } } } 1 .. 200;
push @events, { device => 'attic', metrics => { power_w => 7 } };
my $answer = $stack->post('/v1/events/batch', \@events, token => $stack->token('home', 'device', '--backfill'));
die "the readings were not taken: $answer->{status} $answer->{content}" if $answer->{status} != 200;

my $admin = $stack->token('home', 'admin');
my ($overview, $device, $ended) = map {
    my $made = $stack->post('/v1/shares', $_, token => $admin);
    die "no link: $made->{status} $made->{content}" if $made->{status} != 201;
    $made->{json};
} { name => 'Landlord' }, { name => 'Installer', device => 'meter' }, { name => 'Neighbour ' . 'with a long name ' x 5 };
$stack->request('DELETE', "/v1/shares/$ended->{id}", token => $admin);

$ENV{NODE_PATH} = "$tools/node_modules";
$ENV{PAGES} = JSON::PP->new->utf8->encode({
    url => $stack->url, chromium => $chromium, password => $password, operator => 'oda@run.example',
    onlooker => 'oli@run.example', admin => 'ada@home.example', viewer => 'vic@home.example',
    overview => $overview->{path}, device => $device->{path}, ended => $ended->{path},
    long => 'a-slug-as-long-as-a-slug-can-be-' . 'x' x 31,
});
my $status = system $node, "$FindBin::Bin/operator.js";
exit($status >> 8 || ($status ? 1 : 0));
