#!/usr/bin/perl
# Read-only links through the real nginx: whoever has one sees one page and nothing else, until it
# is withdrawn, has expired, or its tenant is suspended; its secret is in no log and no list.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use HTTP::Tiny;
use JSON::PP;
use Tidemark::Browser;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', $_, '--name', ucfirst $_) for qw(home mills);
for my $person (['ada@home.example', 'home', 'admin'], ['vic@home.example', 'home', 'viewer'], ['mia@mills.example', 'mills', 'admin']) {
    $stack->cli('user', 'add', '--tenant', $person->[1], '--email', $person->[0], '--role', $person->[2],
        { stdin => "a long enough password\n" });
}
my $device_token = $stack->token('home', 'device');
for my $key (qw(meter-1 attic)) {
    my $answer = $stack->post('/v1/event', { device => $key, metrics => { power_w => 42 } }, token => $device_token);
    is $answer->{status}, 200, "$key posts";
}
my $admin = $stack->token('home', 'admin');
my $other = $stack->token('mills', 'admin');

sub share { return $stack->post('/v1/shares', $_[0], token => $_[1] // $admin) }

# As somebody without any cookie or token.
sub visit { return HTTP::Tiny->new(timeout => 30, max_redirect => 0)->get($stack->url($_[0])) }

# ---- making them ----

my $overview = share({ name => 'Landlord' });
is $overview->{status}, 201, 'an admin makes a link';
like $overview->{json}{path}, qr{^/share/[\w-]{43}$}, 'with 256 random bits';
is $overview->{json}{url}, $stack->url($overview->{json}{path}), 'told whole';
my $one = share({ name => 'Installer', device => 'attic', days => 1 });
is $one->{status}, 201, 'and one of a device';
is share({ name => 'x', device => 'nowhere' })->{status}, 422, 'not of a device that is not there';
is share({ name => 'x', days => 400 })->{status}, 422, 'nor for longer than a year';
is share({ name => 'x', day => 4 })->{status}, 422, 'a misspelt member is told';
is share({ days => 4 })->{status}, 422, 'so is a missing name';
is share({ name => 'x' }, $stack->token('home', 'api'))->{status}, 403, 'a reading token makes none';

# ---- what they open ----

my $page = visit($overview->{json}{path});
is $page->{status}, 200, 'whoever has the link sees the overview';
like $page->{content}, qr/Home/, 'of that tenant';
like $page->{content}, qr/read-only/, 'and is told that it is read-only';
unlike $page->{content}, qr{href="/(?!static|favicon)}, 'nothing leads elsewhere';
unlike $page->{content}, qr/<form/, 'nothing can be changed';
is $page->{headers}{'referrer-policy'}, 'no-referrer', 'the address goes to no third party';
$page = visit($one->{json}{path});
is $page->{status}, 200, 'a device\'s link';
like $page->{content}, qr/attic/, 'shows the device';
unlike $page->{content}, qr/meter-1/, 'and no other';
unlike $page->{content}, qr{href="/(?!static|favicon|\Q@{[substr $one->{json}{path}, 1]}\E\?)}, 'and leads to its own spans of time alone';
is visit('/devices')->{status}, 303, 'the rest asks for a login';
my ($secret) = $overview->{json}{path} =~ /([\w-]{43})$/;
is $stack->get('/v1/devices', token => $secret)->{status}, 401, 'the secret is no token';
is visit("$overview->{json}{path}x")->{status}, 404, 'another secret opens nothing';
is visit('/share/short')->{status}, 404, 'nor does a short one';

# ---- listing and withdrawing ----

my $list = $stack->get('/v1/shares', token => $admin)->{json}{items};
is_deeply [map { $_->{name} } @{$list}], ['Installer', 'Landlord'], 'the newest comes first';
ok $list->[1]{last_used}, 'its use was noted';
unlike $stack->get('/v1/shares', token => $admin)->{content}, qr/\Q$secret\E/, 'its secret is kept nowhere';
is_deeply $stack->get('/v1/shares', token => $other)->{json}{items}, [], 'another tenant has none of them';
my $first = $stack->get('/v1/shares?limit=1', token => $admin)->{json};
my $rest = $stack->get("/v1/shares?limit=1&cursor=$first->{next}", token => $admin)->{json};
is_deeply [$rest->{items}[0]{name}, $rest->{next}], ['Landlord', undef], 'page by page';
my $id = $overview->{json}{id};
my $foreign = $stack->request('DELETE', "/v1/shares/$id", token => $other);
my $none = $stack->request('DELETE', '/v1/shares/999999', token => $other);
is $foreign->{status}, 404, 'another tenant cannot withdraw it';
is $foreign->{json}{detail}, $none->{json}{detail}, 'nor tell that it exists';
is visit($overview->{json}{path})->{status}, 200, 'it works still';
is $stack->request('DELETE', "/v1/shares/$id", token => $admin)->{status}, 204, 'its own tenant withdraws it';
is visit($overview->{json}{path})->{status}, 404, 'it works no more';
is $stack->request('DELETE', "/v1/shares/$id", token => $admin)->{status}, 404, 'once is enough';

$stack->sql("UPDATE core.tenant SET status = 'suspended' WHERE slug = 'home'");
is visit($one->{json}{path})->{status}, 404, 'a suspended tenant shows nothing';
$stack->sql("UPDATE core.tenant SET status = 'active' WHERE slug = 'home'");
is visit($one->{json}{path})->{status}, 200, 'until it is let in again';
$stack->sql("UPDATE core.share SET expires_at = now() - interval '1 second' WHERE name = 'Installer'");
is visit($one->{json}{path})->{status}, 404, 'an expired link shows nothing';

# ---- on the page ----

my $ada = Tidemark::Browser->new($stack);
is $ada->log_in('ada@home.example', 'a long enough password')->{status}, 303, 'an admin logs in';
my $form = $ada->get('/admin/shares');
like $form->{content}, qr/Landlord.*Withdrawn/s, 'the page lists them';
my $made = $ada->submit($form, '/admin/shares', name => 'Neighbour <b>', device => '', days => '7');
is $made->{status}, 200, 'makes one';
my ($path) = $made->{content} =~ m{(/share/[\w-]{43})};
is visit($path // '/nothing')->{status}, 200, 'that works';
unlike $ada->get('/admin/shares')->{content}, qr{/share/[\w-]{43}}, 'and is shown once';
my $wrong = $ada->submit($form, '/admin/shares', name => 'x', device => 'nowhere', days => '7');
is $wrong->{status}, 422, 'an unknown device';
like $wrong->{content}, qr/no device with this key/, 'is told beside its field';
my ($newest) = $ada->get('/admin/shares')->{content} =~ /name="id" value="(\d+)"/;
is $ada->submit($form, '/admin/shares/revoke', id => $newest)->{status}, 303, 'withdraws one';
is visit($path)->{status}, 404, 'at once';
is $ada->submit({ content => '' }, '/admin/shares/revoke', id => $newest)->{status}, 403, 'not without the form';
my $vic = Tidemark::Browser->new($stack);
$vic->log_in('vic@home.example', 'a long enough password');
is $vic->get('/admin/shares')->{status}, 403, 'a viewer manages none';
my $audit = $stack->sql("SELECT string_agg(action || ' by ' || actor, ', ' ORDER BY id) FROM core.audit WHERE action LIKE 'share.%'");
like $audit, qr/^share\.add by token \d+, share\.add by token \d+, share\.revoke by token \d+, share\.add by ada\@home\.example, share\.revoke by ada\@home\.example$/,
    'the audit trail says who';

$stack->stop;
my $logs = $stack->logs;
unlike $logs, qr/\Q$secret\E/, 'no log holds a secret';
done_testing;
