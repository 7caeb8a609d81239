#!/usr/bin/perl
# Who may come in, over HTTP: tokens and their rotation, members and the last admin, invitations,
# password links and who must not make them, settings, plugins, the audit trail. What a viewer, a
# token of another kind or another tenant must not do.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Tidemark::Browser;
use Tidemark::Stack;

my $PASSWORD = 'a long enough password';
my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', $_, '--name', ucfirst) for qw(home other);
$stack->cli('user', 'add', '--tenant', $_->[0], '--email', $_->[1], '--role', $_->[2], '--name', $_->[3],
    { stdin => "$PASSWORD\n" }) for ['home', 'eve@home.example', 'admin', 'Eve'], ['home', 'kay@home.example', 'viewer', 'Kay'],
    ['other', 'amy@other.example', 'admin', 'Amy'];
my %token = (home => $stack->token('home', 'admin'), other => $stack->token('other', 'admin'));

# An API request as an admin token of `home`, or of another tenant or token; a body is JSON.
sub api {
    my ($method, $path, $body, $who) = @_;
    my $token = $token{ $who // 'home' } // $who;
    return $stack->request($method, $path, token => $token, defined $body ? (body => $body) : ());
}

sub status_of { return api(@_)->{status} }
sub errors_of { my ($answer) = @_; return join ' ', sort map { $_->{field} } @{ $answer->{json}{errors} // [] } }

# What an answer says, without what differs between two asks.
sub comparable {
    my ($answer, @names) = @_;
    my $body = $answer->{content} =~ s/"request_id":"[^"]*"//r;
    $body =~ s/\Q$_\E/NAME/g for @names;
    return "$answer->{status} $body";
}

sub browser {
    my ($email, $password) = @_;
    my $browser = Tidemark::Browser->new($stack);
    $browser->log_in($email, $password // $PASSWORD) if $email;
    return $browser;
}

sub person_id {
    my ($email) = @_;
    my ($found) = grep { $_->{email} eq $email } @{ api('GET', '/v1/users')->{json}{items} };
    return $found->{id};
}

# True when `test` comes true within the seconds.
sub within {
    my ($seconds, $test) = @_;
    my $deadline = time + $seconds;
    while (!$test->()) {
        return 0 if time > $deadline;
        sleep 0.1;
    }
    return 1;
}

sub path_of { return $_[0] =~ s{^http://[^/]+}{}r }

subtest 'tokens' => sub {
    my $made = api('POST', '/v1/tokens', { kind => 'api', name => 'Grafana' });
    is $made->{status}, 201, 'a token is made';
    my ($id, $secret) = @{ $made->{json} }{qw(id token)};
    is $made->{headers}{location}, "/v1/tokens/$id", 'with its address';
    like $secret, qr/^tmk_[\w-]{32}$/, 'and its secret of 192 bits';
    is status_of('GET', '/v1/devices', undef, $secret), 200, 'it reads';
    is status_of('GET', '/v1/tokens', undef, $secret), 403, 'but does not manage';
    my $shown = api('GET', "/v1/tokens/$id");
    ok !exists $shown->{json}{token}, 'the secret is shown once';
    is $stack->sql("SELECT count(*) FROM core.token WHERE encode(hash, 'escape') LIKE 'tmk%'"), 0, 'and stored as a hash';
    is api('PATCH', "/v1/tokens/$id", { name => 'G' })->{json}{name}, 'G', 'it is renamed';
    is errors_of(api('POST', '/v1/tokens', { kind => 'root', expires_at => '2020-01-01', nmae => 'x' })),
        'expires_at kind nmae', 'all that is wrong is told';
    is errors_of(api('POST', '/v1/tokens', { kind => 'device', device => 'nothing' })), 'device', 'an unknown device too';
    is errors_of(api('POST', '/v1/tokens', { kind => 'api', backfill => JSON::PP::true() })), 'backfill', 'a reader sends nothing';
    is comparable(api('GET', "/v1/tokens/$id", undef, 'other'), $id),
        comparable(api('GET', '/v1/tokens/999999', undef, 'other'), 999999), 'another tenant finds as much as nothing';
    for (['PATCH', '', { name => 'x' }], ['DELETE', ''], ['POST', '/rotate']) {
        my ($method, $more, $body) = @{$_};
        is status_of($method, "/v1/tokens/$id$more", $body, 'other'), 404, "nor can it $method$more";
    }
    is status_of('DELETE', "/v1/tokens/$id"), 204, 'it is revoked';
    ok within(5, sub { status_of('GET', '/v1/devices', undef, $secret) == 401 }), 'and stops within 5 s';
    is status_of('PATCH', "/v1/tokens/$id", { name => 'x' }), 409, 'for good';
    is status_of('POST', "/v1/tokens/$id/rotate"), 409, 'also by a new secret';
};

subtest 'rotation and expiry' => sub {
    my $made = api('POST', '/v1/tokens', { kind => 'api', name => 'r' })->{json};
    my $next = api('POST', "/v1/tokens/$made->{id}/rotate", { grace_hours => 2 })->{json};
    isnt $next->{token}, $made->{token}, 'another secret';
    like $next->{old_until}, qr/^20/, 'and how long the old one works';
    is status_of('GET', '/v1/devices', undef, $_), 200, 'both work' for $made->{token}, $next->{token};
    $stack->sql("UPDATE core.token SET old_until = now() + interval '1 second' WHERE id = $made->{id}");
    ok within(8, sub { status_of('GET', '/v1/devices', undef, $made->{token}) == 401 }), 'the old one until its grace ends';
    is status_of('GET', '/v1/devices', undef, $next->{token}), 200, 'the new one on';
    my $last = api('POST', "/v1/tokens/$made->{id}/rotate")->{json};
    ok within(5, sub { status_of('GET', '/v1/devices', undef, $next->{token}) == 401 }), 'without a grace at once';
    is errors_of(api('POST', "/v1/tokens/$made->{id}/rotate", { grace_hours => 25 })), 'grace_hours', 'a day at most';
    my $before = time;
    my $expires = Tidemark::Stack::decode('"' . iso($before + 2) . '"');
    is status_of('PATCH', "/v1/tokens/$made->{id}", { expires_at => $expires }), 200, 'an expiry is set';
    ok within(5.5, sub { status_of('GET', '/v1/devices', undef, $last->{token}) == 401 }), 'it expires';
    # the cache was asked all the time: without its end in it, it would have answered 5 s longer
    my $fresh = api('POST', '/v1/tokens', { kind => 'api', expires_at => iso(time + 1.5) })->{json};
    is status_of('GET', '/v1/devices', undef, $fresh->{token}), 200, 'one that expires soon works';
    ok within(2.5, sub { status_of('GET', '/v1/devices', undef, $fresh->{token}) == 401 }), 'and no longer than that';
};

sub iso {
    my ($time) = @_;
    my @t = gmtime $time;
    return sprintf '%04d-%02d-%02dT%02d:%02d:%06.3fZ', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1], $t[0] + ($time - int $time);
}

subtest 'roles' => sub {
    my $viewer = browser('kay@home.example');
    my $none = Tidemark::Browser->new($stack);
    for my $path (qw(/admin/tokens /admin/users /admin/settings /admin/plugins /admin/audit /v1/tokens /v1/users /v1/invites /v1/plugins
        /v1/audit /v1/tenant)) {
        is $viewer->get($path)->{status}, 403, "a viewer does not come to $path";
        is $none->get($path)->{status}, $path =~ /^.v1/ ? 401 : 303, 'nor does nobody';
    }
    for my $path (qw(/admin/tokens /admin/users /admin/settings /admin/plugins)) {
        my $answer = $viewer->submit($viewer->get('/account'), $path, kind => 'admin', name => 'x', do => 'invite');
        is $answer->{status}, 403, "a viewer does not post to $path";
    }
    is $stack->sql("SELECT count(*) FROM core.token WHERE name = 'x'"), 0, 'and nothing was made';
    my $admin = browser('eve@home.example');
    is $admin->request('POST', '/admin/tokens', { csrf => 'wrong', kind => 'api', name => 'x' })->{status}, 403,
        'a form without its token is refused';
    is $admin->request('POST', '/switch', { tenant => 'other' })->{status}, 403, 'the switch too';
    is $admin->request('POST', '/theme', { theme => 'dark' })->{status}, 403, 'and the theme';
};

subtest 'members and the last admin' => sub {
    my ($eve, $kay) = map { person_id("$_\@home.example") } qw(eve kay);
    is status_of('PATCH', "/v1/users/$eve", { role => 'viewer' }), 409, 'the last admin stays an admin';
    is status_of('DELETE', "/v1/users/$eve"), 409, 'and stays';
    my $page = browser('eve@home.example');
    my $answer = $page->submit($page->get("/admin/users/$eve"), "/admin/users/$eve", do => 'role', role => 'viewer');
    is $answer->{status}, 422, 'on the page too';
    like $answer->{content}, qr/This is the last admin/, 'which says why';
    is api('PATCH', "/v1/users/$kay", { role => 'admin' })->{json}{role}, 'admin', 'with another admin';
    is status_of('PATCH', "/v1/users/$eve", { role => 'viewer' }), 200, 'it may go';
    is status_of('PATCH', "/v1/users/$kay", { role => 'viewer' }), 409, 'but not both';
    is status_of('PATCH', "/v1/users/$eve", { role => 'admin' }), 200, 'back';
    is status_of('PATCH', "/v1/users/$kay", { role => 'viewer' }), 200, 'again';
    is comparable(api('GET', "/v1/users/$kay", undef, 'other'), $kay),
        comparable(api('GET', '/v1/users/999999', undef, 'other'), 999999), 'another tenant finds as much as nobody';
    is status_of($_->[0], "/v1/users/$kay$_->[1]", $_->[2], 'other'), 404, "nor can it $_->[0]$_->[1]"
        for ['PATCH', '', { role => 'admin' }], ['DELETE', ''], ['POST', '/reset'];
};

subtest 'invitations' => sub {
    my $made = api('POST', '/v1/users', { email => ' Bob@New.Example ', role => 'viewer' });
    is $made->{status}, 201, 'an invitation is made';
    is $made->{json}{email}, 'bob@new.example', 'for an e-mail in its form';
    my $path = path_of($made->{json}{link});
    like $path, qr{^/invite/[\w-]{32}$}, 'with a link';
    unlike api('GET', '/v1/invites')->{content}, qr/invite\//, 'that no list shows';
    my $bob = browser();
    my $page = $bob->get($path);
    is $page->{status}, 200, 'the link opens';
    is $page->{headers}{'referrer-policy'}, 'no-referrer', 'and is told to no other site';
    is $page->{headers}{'cache-control'}, 'no-store', 'nor kept';
    is $bob->submit($page, $path, name => 'Bob', password => 'short')->{status}, 422, 'a short password will not do';
    is $bob->submit($page, $path, password => 'a password of mine')->{status}, 422, 'nor no name';
    is $bob->request('POST', $path, { name => 'Bob', password => 'a password of mine' })->{status}, 403, 'nor a form from elsewhere';
    is $bob->submit($page, $path, name => 'Bob', password => 'a password of mine')->{status}, 303, 'a new person joins';
    like $bob->get('/devices')->{content}, qr/Bob/, 'and is logged in';
    is $bob->get('/admin/users')->{status}, 403, 'as a viewer';
    my $again = browser()->get($path);
    is $again->{status}, 404, 'the link works once';
    is comparable($again), comparable(browser()->get('/invite/' . 'x' x 32)), 'and looks like none afterwards';

    my $other = path_of(api('POST', '/v1/users', { email => 'bob@new.example', role => 'admin' }, 'other')->{json}{link});
    my $known = browser();
    $page = $known->get($other);
    is $known->submit($page, $other, password => 'wrong password')->{status}, 422, 'a known person must know the password';
    is $known->submit($page, $other, password => 'a password of mine')->{status}, 303, 'and joins with it';
    like $known->get('/devices')->{content}, qr{<strong>Other</strong>}, 'looking at the new tenant';
    is $known->get('/admin/users')->{status}, 200, 'as an admin there';
    is api('POST', '/v1/users', { email => 'bob@new.example', role => 'viewer' })->{status}, 409, 'a member is not invited';
    is errors_of(api('POST', '/v1/users', { role => 'king' })), 'email role', 'what is wrong is told';
    is api('POST', '/v1/users', { email => $_, role => 'viewer' })->{status}, 422, "'$_' is no e-mail"
        for 'no mail', 'a@b@c.d', '@x.org', 'a@', "a\@x..org", 'a b@x.org';
};

subtest 'accepting while logged in' => sub {
    my $path = path_of(api('POST', '/v1/users', { email => 'amy@other.example', role => 'viewer' })->{json}{link});
    my $kay = browser('kay@home.example');
    my $page = $kay->get($path);
    like $page->{content}, qr/You are logged in as kay/, 'another person is told';
    my $amy = browser('amy@other.example');
    $page = $amy->get($path);
    unlike $page->{content}, qr/type="password"/, 'the invited one needs no password';
    is $amy->submit($page, $path)->{status}, 303, 'and joins';
    like $amy->get('/devices')->{content}, qr{<strong>Home</strong>}, 'looking there';
    my $answer = $amy->submit($amy->get('/devices'), '/switch', tenant => 'other');
    is $answer->{status}, 303, 'back by the switch';
    like $amy->get('/devices')->{content}, qr{<strong>Other</strong>}, 'which turns the session';
    is $amy->submit($amy->get('/devices'), '/switch', tenant => 'nowhere')->{status}, 404, 'to own tenants only';
    is $kay->submit($kay->get('/devices'), '/switch', tenant => 'other')->{status}, 404, 'not to others';
};

subtest 'invitations end' => sub {
    my $first = api('POST', '/v1/users', { email => 'cy@new.example', role => 'viewer' })->{json};
    my $second = api('POST', '/v1/users', { email => 'cy@new.example', role => 'viewer' })->{json};
    is browser()->get(path_of($first->{link}))->{status}, 404, 'a second one takes the place of the first';
    is status_of('DELETE', "/v1/invites/$second->{id}", undef, 'other'), 404, 'another tenant cannot withdraw it';
    is browser()->get(path_of($second->{link}))->{status}, 200, 'it works';
    $stack->sql("UPDATE core.access_link SET expires_at = now() WHERE id = $second->{id}");
    my $browser = browser();
    is $browser->get(path_of($second->{link}))->{status}, 404, 'until it expires';
    is $browser->submit($browser->get('/login'), path_of($second->{link}), name => 'C', password => $PASSWORD)->{status}, 404,
        'also for who had the form open';
    is $stack->sql("SELECT count(*) FROM core.person WHERE email = 'cy\@new.example'"), 0, 'nobody was made';
    my $third = api('POST', '/v1/users', { email => 'cy@new.example', role => 'viewer' })->{json};
    is status_of('DELETE', "/v1/invites/$third->{id}"), 204, 'it is withdrawn';
    is browser()->get(path_of($third->{link}))->{status}, 404, 'and works no more';
};

subtest 'password links' => sub {
    my $kay = person_id('kay@home.example');
    my $session = browser('kay@home.example');
    my $old = path_of(api('POST', "/v1/users/$kay/reset")->{json}{link});
    my $path = path_of(api('POST', "/v1/users/$kay/reset")->{json}{link});
    is browser()->get($old)->{status}, 404, 'a second link takes the place of the first';
    my $browser = browser();
    my $page = $browser->get($path);
    is $page->{headers}{'referrer-policy'}, 'no-referrer', 'it is told to no other site';
    is $browser->submit($page, $path, password => 'kay@home.example')->{status}, 422, 'the e-mail is no password';
    is $browser->submit($page, $path, password => 'quite another one')->{status}, 303, 'a good one is set';
    like $browser->get('/devices')->{content}, qr/Kay/, 'and who set it is in';
    is $session->get('/devices')->{status}, 303, 'older sessions are ended';
    is browser()->get($path)->{status}, 404, 'the link works once';
    is browser()->log_in('kay@home.example', $PASSWORD)->{status}, 401, 'the old password does not';
    is browser()->log_in('kay@home.example', 'quite another one')->{status}, 303, 'the new one does';
};

# An admin who could set the password of somebody who belongs elsewhere would be in there too.
subtest 'no takeover by a password link' => sub {
    my $amy = person_id('amy@other.example');
    is status_of('POST', "/v1/users/$amy/reset"), 403, 'not of a member of another tenant';
    my $page = browser('eve@home.example');
    unlike $page->get("/admin/users/$amy")->{content}, qr/value="reset"/, 'the page offers none';
    $stack->cli('user', 'add', '--tenant', 'home', '--email', 'op@home.example', '--role', 'viewer', { stdin => "$PASSWORD\n" });
    my $op = person_id('op@home.example');
    my $path = path_of(api('POST', "/v1/users/$op/reset")->{json}{link});
    is browser()->get($path)->{status}, 200, 'a link is made while the account is the tenant\'s alone';
    my $spy = browser('op@home.example');
    ok $stack->tidemark('user', 'add', '--email', 'op@home.example', '--operator', { stdin => '' }), 'an operator needs a new password';
    $stack->cli('user', 'add', '--email', 'op@home.example', '--operator', { stdin => "only the operator's\n" });
    is $spy->get('/devices')->{status}, 303, 'whoever was logged in by the old one is out';
    is browser()->log_in('op@home.example', $PASSWORD)->{status}, 401, 'and does not get in by it';
    my $browser = browser();
    is $browser->get($path)->{status}, 404, 'and is dead when its person becomes an operator';
    is $browser->submit($browser->get('/login'), $path, password => 'taken over now')->{status}, 404, 'the form too';
    is browser()->log_in('op@home.example', "only the operator's")->{status}, 303, 'the password is as the operator set it';
    is status_of('POST', "/v1/users/$op/reset"), 403, 'and no further link is made';
};

subtest 'removal' => sub {
    my ($amy, $op, $kay) = map { person_id($_) } 'amy@other.example', 'op@home.example', 'kay@home.example';
    my $session = browser('kay@home.example', 'quite another one');
    is_deeply api('DELETE', "/v1/users/$amy")->{json}, { memberships => 1, persons => 0 }, 'who belongs elsewhere stays a person';
    is_deeply api('DELETE', "/v1/users/$op")->{json}, { memberships => 1, persons => 0 }, 'an operator too';
    is_deeply api('DELETE', "/v1/users/$kay")->{json}, { memberships => 1, persons => 1 }, 'others are erased';
    is $session->get('/devices')->{status}, 303, 'and out';
    my $persons = "SELECT string_agg(email, ' ' ORDER BY email) FROM core.person WHERE email ~ '^(amy|op|kay)'";
    is $stack->sql($persons), 'amy@other.example op@home.example', 'so the persons say';
    my @erase = ('user', 'erase', 'lea@other.example');
    $stack->cli('user', 'add', '--email', $erase[2], '--tenant', 'other', '--role', 'viewer', { stdin => "$PASSWORD\n" });
    my ($status, undef, $said) = $stack->tidemark(@erase, { stdin => "$erase[2]\n" });
    like "$status $said", qr/^1 .*--yes is needed/, 'at the command line, too, but not unasked';
    ($status, undef, $said) = $stack->tidemark(@erase, '--yes');
    like "$status $said", qr/^0 erased .*"person": 1/, 'only where one is sure';
    is $stack->sql("SELECT count(*) FROM core.person WHERE email = '$erase[2]'"), 0, 'then the person is gone';
    is(($stack->tidemark(@erase, '--yes'))[0], 1, 'once');
    my $operator = browser('op@home.example', "only the operator's");
    my $answer = $operator->get('/');
    is "$answer->{status} " . ($answer->{headers}{location} // ''), '303 /operator', 'an operator without a tenant finds the own page';
};

subtest 'settings' => sub {
    my $was = api('GET', '/v1/tenant')->{json};
    is $was->{raw_days}, undef, 'the installation\'s days at first';
    my $new = api('PATCH', '/v1/tenant', { name => 'Haus', timezone => 'Europe/Berlin', currency => 'EUR', raw_days => 30,
        auto_register => JSON::PP::false() })->{json};
    is "@{$new}{qw(name timezone currency raw_days auto_register)}", 'Haus Europe/Berlin EUR 30 0', 'they are changed';
    is api('PATCH', '/v1/tenant', { raw_days => undef })->{json}{name}, 'Haus', 'members that are not named stay';
    is errors_of(api('PATCH', '/v1/tenant', { timezone => 'UTC+3', currency => 'eur', raw_days => 0, event_days => 'x', slug => 'y' })),
        'currency event_days raw_days slug timezone', 'what is wrong is told';
    my $device = $stack->token('home', 'device');
    is $stack->post('/v1/event', { device => 'unknown', metrics => { a => 1 } }, token => $device)->{status}, 422,
        'an unknown device is now refused';
    my $page = browser('eve@home.example');
    my $answer = $page->submit($page->get('/admin/settings'), '/admin/settings', name => 'Home', timezone => 'Mars/Base',
        currency => 'EUR', raw_days => '1.5');
    is $answer->{status}, 422, 'the page refuses';
    like $answer->{content}, qr/There is no time zone of this name.*number of days from 1/s, 'and says what';
    is $page->submit($page->get('/admin/settings'), '/admin/settings', name => 'Home', timezone => 'Asia/Kolkata',
        currency => 'INR', auto_register => 1)->{status}, 303, 'and saves';
    is api('GET', '/v1/tenant')->{json}{timezone}, 'Asia/Kolkata', 'which the API shows';
};

subtest 'plugins' => sub {
    is status_of('PUT', '/v1/plugins/mqtt%2Froof', { kind => 'collector', config => { url => 'mqtt://x' } }), 201, 'one is registered';
    is status_of('PUT', '/v1/plugins/mqtt%2Froof', { kind => 'collector', is_enabled => JSON::PP::false() }), 200, 'and changed';
    is_deeply api('GET', '/v1/plugins/mqtt%2Froof')->{json}{config}, {}, 'PUT says all of it';
    is api('GET', '/v1/plugins/mqtt%2Froof', undef, 'other')->{status}, 404, 'another tenant has none';
    is errors_of(api('PUT', '/v1/plugins/a', { kind => 'x', config => [] })), 'config kind', 'what is wrong is told';
    is scalar @{ api('GET', '/v1/plugins')->{json}{items} }, 1, 'it is listed';
    is status_of('DELETE', '/v1/plugins/mqtt%2Froof'), 204, 'and removed';
    is status_of('DELETE', '/v1/plugins/mqtt%2Froof'), 404, 'once';
};

subtest 'plugins by their pages' => sub {
    my $page = browser('eve@home.example');
    my $list = $page->get('/admin/plugins');
    like $list->{content}, qr/No plugin is registered/, 'there is none';
    for (['a', '[1]', 'must be a JSON object'], ['b', qq({"a": 1,\n"b"}), 'This is no JSON \(line 2\)'], ['..', '{}', 'more than dots'],
        ['c', '{} {}', 'This is no JSON'], ['', '{}', 'This must be filled in']) {
        my $answer = $page->submit($list, '/admin/plugins', key => $_->[0], kind => 'collector', config => $_->[1]);
        is $answer->{status}, 422, "refused: $_->[0] $_->[1]";
        like $answer->{content}, qr/<strong class="error">[^<]*(?:$_->[2])/, 'beside its field';
    }
    my %new = (key => 'mqtt/<b>', kind => 'collector', is_enabled => 1, config => '{"topics":["a"]}');
    is $page->submit($list, '/admin/plugins', %new)->{headers}{location}, '/admin/plugins/mqtt%2F%3Cb%3E?done=added', 'one is registered';
    is $page->submit($list, '/admin/plugins', %new, config => '{}')->{status}, 422, 'once: a form that adds changes no other one';
    like $page->get('/admin/plugins')->{content}, qr{href="/admin/plugins/mqtt%2F%3Cb%3E">mqtt/&lt;b&gt;<}, 'it is listed';
    my $one = $page->get('/admin/plugins/mqtt%2F%3Cb%3E');
    like $one->{content}, qr/"topics": \[\n/, 'its settings are laid out to be read';
    is $page->submit($one, '/admin/plugins/mqtt%2F%3Cb%3E', kind => 'adapter', config => '{"a"}')->{status}, 422, 'what is no JSON is refused';
    is $page->submit($one, '/admin/plugins/mqtt%2F%3Cb%3E', kind => 'adapter', config => '{"a": 1.50}')->{status}, 303, 'what is right is saved';
    my $stored = api('GET', '/v1/plugins/mqtt%2F%3Cb%3E')->{json};
    is "$stored->{kind} $stored->{config}{a} " . ($stored->{is_enabled} ? 'on' : 'off'), 'adapter 1.5 off', 'as the API says';
    is $page->submit($one, '/admin/plugins/mqtt%2F%3Cb%3E/remove')->{headers}{location}, '/admin/plugins?done=removed', 'and removed';
    is $page->submit($one, $_)->{status}, 404, "not there: $_" for '/admin/plugins/mqtt%2F%3Cb%3E', '/admin/plugins/mqtt%2F%3Cb%3E/remove';
};

subtest 'audit' => sub {
    my (@seen, $cursor);
    do {
        my $page = api('GET', '/v1/audit?limit=7' . ($cursor ? "&cursor=$cursor" : ''))->{json};
        push @seen, @{ $page->{items} };
        $cursor = $page->{next};
    } while $cursor;
    is scalar @seen, $stack->sql("SELECT count(*) FROM core.audit WHERE tenant_id = 1"), 'page by page it is all there';
    is join(',', map { $_->{id} } @seen), join(',', sort { $b <=> $a } map { $_->{id} } @seen), 'the newest first';
    my %actions = map { $_->{action} => $_->{actor} } @seen;
    is $actions{'token.add'}, 'tidemark_operator', 'the command line acts as the database\'s role';
    is $actions{'token.rotate'}, 'token 1', 'a token by its number';
    is $actions{'invite.accept'}, 'bob@new.example', 'a person by e-mail';
    is $actions{'tenant.change'}, 'token 1', 'settings are in it';
    my $tokens = api('GET', '/v1/audit?action=token')->{json}{items};
    is scalar(grep { $_->{action} !~ /^token\./ } @{$tokens}), 0, 'an area of actions is chosen';
    is scalar(@{ api('GET', '/v1/audit?actor=eve%40home.example&action=tenant.change')->{json}{items} }), 1, 'or an actor';
    unlike api('GET', '/v1/audit?limit=1000', undef, 'other')->{content}, qr/home|Grafana|eve@/, 'another tenant sees its own only';
};

subtest 'the own account' => sub {
    my ($this, $elsewhere) = map { browser('eve@home.example') } 1 .. 2;
    my $post = sub { return $this->submit($this->get('/account'), '/account', @_) };
    is $post->(do => 'name', name => 'Eva')->{status}, 303, 'a name is saved';
    like $this->get('/account')->{content}, qr/Eva/, 'and shown';
    is $post->(do => 'password', current => 'wrong one', password => 'another password')->{status}, 422, 'the old password is asked for';
    is $post->(do => 'password', current => $PASSWORD, password => 'short')->{status}, 422, 'a short one will not do';
    is $elsewhere->get('/devices')->{status}, 200, 'the other session lives';
    is $post->(do => 'password', current => $PASSWORD, password => 'another password')->{status}, 303, 'it is changed';
    is $elsewhere->get('/devices')->{status}, 303, 'which ends the other session';
    is $this->get('/devices')->{status}, 200, 'not this one';
    $elsewhere = browser('eve@home.example', 'another password');
    is $post->(do => 'sessions')->{status}, 303, 'sessions elsewhere are ended';
    is $elsewhere->get('/devices')->{status}, 303, 'so they are';
    is $post->(do => 'other')->{status}, 422, 'a form that says nothing does nothing';
};

subtest 'themes, and where a login leads' => sub {
    my $browser = browser();
    my $answer = $browser->submit($browser->get('/login'), '/theme', theme => 'dark', next => '/login?next=%2Fdevices');
    is "$answer->{status} $answer->{headers}{location}", '303 /login?next=%2Fdevices', 'a theme before the login';
    like $browser->get('/login')->{content}, qr/<html lang="en" data-theme="dark">/, 'is kept';
    $browser->log_in('amy@other.example', $PASSWORD);
    like $browser->get('/devices')->{content}, qr/data-theme="dark"/, 'and goes on';
    like $browser->get('/nowhere')->{content} . $browser->get('/devices/none')->{content}, qr/data-theme="dark"/, 'on pages of failures too';
    $answer = $browser->submit($browser->get('/devices'), '/theme', theme => 'auto', next => '//evil.example/');
    is $answer->{headers}{location}, '/', 'it leads nowhere else';
    unlike $browser->get('/devices')->{content}, qr/data-theme/, 'auto is none';
    is $browser->submit($browser->get('/devices'), '/theme', theme => 'red')->{status}, 422, 'others are refused';
    for my $next (qw(/logout /switch /theme?x /login)) {
        my $new = browser();
        my $in = $new->submit($new->get('/login'), '/login', email => 'amy@other.example', password => $PASSWORD, next => $next);
        is $in->{headers}{location}, '/', "nobody is sent to $next";
    }
};

subtest 'the command line' => sub {
    for my $email ('a b@x.org', 'x@', 'a@b@c', "n\@x.org\nm") {
        my ($status) = $stack->tidemark('user', 'add', '--tenant', 'home', '--email', $email, '--role', 'viewer', { stdin => "$PASSWORD\n" });
        isnt $status, 0, 'an odd e-mail is refused: ' . $email =~ s/\n/\\n/r;
    }
    is $stack->sql("SELECT count(*) FROM core.person WHERE email ~ '[[:space:]]'"), 0, 'and not stored';
};

my $log = join '', map { Tidemark::Stack::slurp($_) } glob "$stack->{home}/log/*.log";
unlike $log, qr{/(?:invite|reset)/[\w-]{10}}, 'no log keeps a secret of a link';
unlike $log, qr/tmk_[\w-]{20}/, 'nor of a token';

done_testing;
