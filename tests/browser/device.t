#!/usr/bin/env perl
# The page of a device, the list of devices and the events in a real browser: starts a stack with
# ordinary and with hostile devices and lets device.js look at them. Skips, saying
# what is missing, where there is no chromium, no npm or no way to its registry.
use strict;
use warnings;
use utf8;
use Encode qw(decode_utf8 encode_utf8);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Tidemark::Npm;
use Tidemark::Stack;

my $HOUR = 3600;

sub skip_all {
    print "1..0 # SKIP the pages were not looked at: $_[0]\n";
    exit 0;
}

# Whole characters of at most 128 bytes.
sub cut_name {
    my ($text) = @_;
    $text = substr $text, 0, length($text) - 1 while length encode_utf8($text) > 128;
    return $text;
}

my $odd = cut_name('مقياس <b>الطاقة</b> 🔌 ' . '長' x 40);

# An ordinary meter with an hour missing and one high reading; a device of 100 metrics; one of
# long names; one of one reading, long ago.
sub readings {
    my ($now) = @_;
    my $last = $now - $now % 300;
    my @events;
    for my $i (0 .. 30 * 12) {
        my $time = $last - 300 * $i;
        next if $i >= 60 && $i < 84;
        push @events, { device => 'meter', time => $time, metrics => {
            power_w => $i == 30 ? 5432 : 400 + $i % 7, energy_kwh => 0.03, reading_m3 => 500 - $i / 100,
            battery_w => $i % 24 < 12 ? -200 : 150 } };
    }
    push @events, { device => 'hundred', time => $last - 900 * $_,
        metrics => { map { (sprintf('metric_%03d_w', $_) => 10 * $_) } 1 .. 100 } } for 0 .. 20;
    push @events, { device => $odd, time => $last - 60 * $_, metrics => { 'x' x 128 => 5e8 + $_ * 1e7, 'נייד <i>' => -1e-7 * $_ } }
        for 1 .. 60;
    push @events, { device => 'once', time => $now - 40 * 24 * $HOUR, metrics => { power_w => 42 } };
    return \@events;
}

sub happenings {
    my ($now) = @_;
    my @types = ('door.opened', 'boot', 'alarm <script>', 'state', 'valve', 'motion', cut_name('é' x 70));
    return [ map { {
        device => $_ % 3 ? 'meter' : $odd, time => $now - 3000 * $_, type => $types[$_ % @types],
        data => { door => $_ % 2 ? 'open' : 'shut', level => $_, nested => { a => [1, { b => '</pre>' }] },
            text => 'lorem ipsum ' x 20, on => JSON::PP::true, none => undef, i => 'مرحبا', more => 1.5 },
    } } 1 .. 120 ];
}

my $node = Tidemark::Npm::find_command('node', 'nodejs') or skip_all('node is not installed');
my $chromium = Tidemark::Npm::find_browser() or skip_all('chromium is not installed');
my ($tools, $why) = Tidemark::Npm::install('browser', $FindBin::Bin);
skip_all($why) if !$tools;

my $stack = Tidemark::Stack->start;
my @tenants = (['home', 'America/Los_Angeles', 'eve@home.example'], ['other', 'Asia/Kolkata', 'kay@other.example']);
$stack->cli('tenant', 'add', $_->[0], '--name', ucfirst $_->[0], '--timezone', $_->[1]) for @tenants;
my $token = $stack->token('home', 'device', '--backfill');
for my $batch (readings(int time), happenings(int time)) {
    my $answer = $stack->post('/v1/events/batch', $batch, token => $token);
    die "not taken: $answer->{status} " . substr($answer->{content}, 0, 500) if $answer->{status} != 200;
}
$stack->cli('user', 'add', '--tenant', $_->[0], '--email', $_->[2], '--role', 'viewer', { stdin => "a long enough password\n" }) for @tenants;
$stack->sql(q{INSERT INTO core.device (tenant_id, key, name) SELECT id, 'empty', 'Sent nothing yet' FROM core.tenant WHERE slug = 'home'});
$stack->settle;

$ENV{NODE_PATH} = "$tools/node_modules";
$ENV{PAGES} = JSON::PP->new->utf8->encode({
    url => $stack->url, chromium => $chromium, password => 'a long enough password',
    person => 'eve@home.example', other => 'kay@other.example', odd => $odd,
    token => $stack->token('home', 'api'), device_token => $token,
});
my $status = system $node, "$FindBin::Bin/device.js";
exit($status >> 8 || ($status ? 1 : 0));
