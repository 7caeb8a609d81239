#!/usr/bin/perl
# Sites, devices and series as a tenant's admins manage them: by the API, by the pages without
# scripts, and by the command line. What is refused says why, and changes nothing.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use Tidemark::Browser;
use Tidemark::Stack;

my $PASSWORD = 'a long enough password';
my ($true, $false, $null) = (JSON::PP::true, JSON::PP::false, undef);

# The errors of a problem as "field: detail; …".
sub errors { return join '; ', map {"$_->{field}: $_->{detail}"} @{ $_[0]{json}{errors} || [] } }

sub check_sites {
    my ($stack, $admin) = @_;
    my $call = sub { my ($method, $path, $body) = @_; $stack->request($method, $path, token => $admin, body => $body) };
    my $made = $call->('POST', '/v1/sites', { key => 'roof/1', name => 'Roof', timezone => 'Asia/Kolkata' });
    is("$made->{status} $made->{headers}{location}", '201 /v1/sites/roof%2F1', 'a site is made, at an address');
    is_deeply([@{ $made->{json} }{qw(key name timezone devices)}], ['roof/1', 'Roof', 'Asia/Kolkata', 0], 'and told');
    is_deeply($call->('GET', '/v1/sites/roof%2F1')->{json}, $made->{json}, 'it is there');
    is($call->('POST', '/v1/sites', { key => 'roof/1' })->{status}, 409, 'a key is taken once');
    for my $dots ('.', '..') {
        is($call->('POST', "/v1/$_", { key => $dots })->{json}{detail}, 'key: must not be only dots', "$dots has no address: $_") for qw(sites devices);
    }
    is($call->('POST', '/v1/sites', { key => 'plain' })->{json}{timezone}, 'Europe/Berlin', 'the zone is the tenant\'s where none is given');
    my $bad = $call->('POST', '/v1/sites', { name => 5, timezone => 'Mars/Olympus', colour => 'red' });
    is("$bad->{status} " . errors($bad), '422 key: must be given; name: must be a text; timezone: is no time zone of the tz database;'
            . ' colour: is not known here', 'all that is wrong is told at once, by field');
    for my $zone ('UTC+3', 'PST', 'europe/berlin') {
        is($call->('POST', '/v1/sites', { key => "z-$zone", timezone => $zone })->{status}, 422, "$zone is no zone's name");
    }
    my $changed = $call->('PATCH', '/v1/sites/roof%2F1', { timezone => 'Europe/London' });
    is_deeply([$changed->{status}, @{ $changed->{json} }{qw(name timezone)}], [200, 'Roof', 'Europe/London'], 'only what is given changes');
    is($call->('PATCH', '/v1/sites/none', { name => 'x' })->{status}, 404, 'a site that is not there is not changed');
    is_deeply([map { $_->{key} } @{ $call->('GET', '/v1/sites')->{json}{items} }], ['plain', 'roof/1'], 'sites are listed by key');
    my $page = $call->('GET', '/v1/sites?limit=1');
    is($call->('GET', "/v1/sites?limit=1&cursor=$page->{json}{next}")->{json}{items}[0]{key}, 'roof/1', 'a page at a time');
    like($call->('GET', '/v1/sites?format=csv')->{content}, qr/^key,name,timezone,devices,created_at\r\nplain,plain,/, 'or as CSV');
    my $zones = $stack->sql("SELECT detail -> 'timezone' FROM core.audit WHERE action = 'site.change'");
    is($zones, '["Asia/Kolkata", "Europe/London"]', 'the audit trail has what it was and what it is');
    return;
}

sub check_bodies {
    my ($stack, $admin) = @_;
    my $post = sub {
        my ($body, $type) = @_;
        return $stack->request('POST', '/v1/devices', token => $admin, body => $body, headers => { 'Content-Type' => $type // 'application/json' });
    };
    is($post->('{"key":"x"}', 'text/plain')->{status}, 415, 'a body of another type is refused');
    is($post->($_)->{status}, 400, "malformed: $_") for '', '{', '[]', '"key"', '{"key":"x"} 1', "{\"key\":\"\xff\"}", '{"key":"\u0000"}';
    is(errors($post->('{"key":"x","key":"y"}')), 'key: is there twice', 'a member that is there twice is wrong');
    is(errors($post->('{"key":null}')), 'key: must be a text, not null', 'null is no text');
    is(errors($post->('{"key":""}')), 'key: must be of 1 to 128 bytes', 'nor is nothing a key');
    is($post->('{"key":"' . 'x' x 300_000 . '"}')->{status}, 413, 'a body has an end');
    is($stack->sql("SELECT count(*) FROM core.device"), 0, 'and nothing of it was made');
    return;
}

sub check_devices {
    my ($stack, $admin, $device) = @_;
    my $call = sub { my ($method, $path, $body) = @_; $stack->request($method, $path, token => $admin, body => $body) };
    my $made = $call->('POST', '/v1/devices', { key => 'meter', name => 'Zähler', model => 'SDM120', site => 'roof/1',
            config => { metrics => { total => { unit => 'kWh', kind => 'counter', role => 'grid_import' } }, ratio => 0.1 } });
    is("$made->{status} $made->{headers}{location}", '201 /v1/devices/meter', 'a device is made, at an address');
    is_deeply([@{ $made->{json} }{qw(name model site timezone retired_at)}], ['Zähler', 'SDM120', 'roof/1', 'Europe/London', undef], 'and told');
    like($made->{content}, qr/"ratio": ?0\.1[,}]/, 'numbers of its configuration are as they were written');
    is($call->('POST', '/v1/devices', { key => 'meter' })->{status}, 409, 'a key is taken once');
    is(errors($call->('POST', '/v1/devices', { key => 'x', site => 'nowhere' })), 'site: is no site of this tenant', 'a site must be there');
    my $bad = $call->('POST', '/v1/devices', { key => 'x', config => { metrics => { a => { kind => 'speed' } } } });
    is("$bad->{status} $bad->{json}{detail}", '422 config: metrics.a: kind: must be one of gauge, counter, delta', 'a configuration that no series could follow is refused');

    is($stack->post('/v1/event', { device => 'meter', metrics => { total => 5, power_w => 3 } }, token => $device)->{status}, 200, 'it sends');
    my %series = map { $_->{metric} => $_ } @{ $call->('GET', '/v1/devices/meter/series')->{json}{items} };
    is_deeply([@{ $series{total} }{qw(unit kind role)}], [qw(kWh counter grid_import)], 'its series are what the configuration says');
    is_deeply([@{ $series{power_w} }{qw(unit kind role)}], [qw(W gauge consumption)], 'or what their names say');

    my $changed = $call->('PATCH', '/v1/devices/meter', { name => 'Main', site => $null, config => { metrics => { power_w => { role => 'generation' } } } });
    is_deeply([$changed->{status}, @{ $changed->{json} }{qw(name model site)}], [200, 'Main', 'SDM120', undef], 'only what is given changes; null takes it from its site');
    %series = map { $_->{metric} => $_ } @{ $changed->{json}{series} };
    is_deeply([@{ $series{power_w} }{qw(unit role)}, @{ $series{total} }{qw(kind role)}], [qw(W generation counter none)], 'series follow a changed configuration');
    is($call->('PATCH', '/v1/devices/none', { name => 'x' })->{status}, 404, 'a device that is not there is not changed');

    is($call->('PATCH', '/v1/devices/meter', { retired => $true })->{status}, 200, 'a device is retired');
    my $refused;
    for (1 .. 50) {    # ingest is told within five seconds
        $refused = $stack->post('/v1/event', { device => 'meter', metrics => { power_w => 4 } }, token => $device);
        last if $refused->{status} != 200;
        select undef, undef, undef, 0.1;
    }
    is($refused->{status}, 422, 'what a retired device sends is refused');
    like($refused->{content}, qr/retired/, 'and why');
    is(scalar @{ $call->('GET', '/v1/devices/meter/samples?metric=total')->{json}{items} }, 1, 'its readings stay');
    is($call->('PATCH', '/v1/devices/meter', { retired => $false })->{json}{retired_at}, undef, 'and it can be taken into use again');
    return;
}

sub check_filters {
    my ($stack, $admin) = @_;
    my $call = sub { my ($method, $path, $body) = @_; $stack->request($method, $path, token => $admin, body => $body) };
    $call->('POST', '/v1/devices', { key => "pump-$_", name => "Pump $_", model => $_ % 2 ? 'Odd Maker' : '', site => 'plain' }) for 1 .. 4;
    $call->('PATCH', '/v1/devices/pump-4', { retired => $true });
    my $keys = sub { join ' ', map { $_->{key} } @{ $call->('GET', "/v1/devices?$_[0]")->{json}{items} || [] } };
    is($keys->('site=plain'), 'pump-1 pump-2 pump-3 pump-4', 'devices of a site');
    is($keys->('site=nowhere'), '', 'none of a site that is not there');
    is($keys->('q=PUMP%202'), 'pump-2', 'by name, in any case');
    is($keys->('q=odd'), 'pump-1 pump-3', 'by model');
    is($keys->('q=%25'), '', 'a percent sign is one');
    is($keys->('site=plain&retired=true'), 'pump-4', 'retired ones');
    is($keys->('site=plain&retired=false&q=pump'), 'pump-1 pump-2 pump-3', 'those in use, filters together');
    is($call->('GET', '/v1/devices?retired=maybe')->{status}, 400, 'retired is true or false');
    is($call->('DELETE', '/v1/sites/plain')->{status}, 409, 'a site with devices is not removed');
    $call->('PATCH', "/v1/devices/pump-$_", { site => $null }) for 1 .. 4;
    is($call->('DELETE', '/v1/sites/plain')->{status}, 204, 'one without is');
    is($call->('GET', '/v1/sites/plain')->{status}, 404, 'and is gone');
    return;
}

sub check_series {
    my ($stack, $admin, $device) = @_;
    my $call = sub { my ($method, $path, $body) = @_; $stack->request($method, $path, token => $admin, body => $body) };
    my ($first) = grep { $_->{metric} eq 'power_w' } @{ $call->('GET', '/v1/devices/meter/series')->{json}{items} };
    my $path = "/v1/devices/meter/series/$first->{id}";
    my $changed = $call->('PATCH', $path, { unit => 'kW', kind => 'gauge', role => 'storage' });
    is_deeply([$changed->{status}, @{ $changed->{json} }{qw(id unit kind role)}], [200, $first->{id}, qw(kW gauge storage)], 'a series is corrected');
    is_deeply($call->('GET', '/v1/devices/meter')->{json}{config}{metrics}{power_w}, { unit => 'kW', kind => 'gauge', role => 'storage' },
        'and the device\'s configuration says so for those to come');
    my $bad = $call->('PATCH', $path, { kind => 'speed', role => 7, unit => 'x' x 33 });
    is($bad->{status} . ' ' . join(' ', map { $_->{field} } @{ $bad->{json}{errors} }), '422 unit kind role', 'what no series can be is refused');
    my ($other) = @{ $stack->get('/v1/devices/pump-1/series', token => $admin)->{json}{items} };
    is($other, undef, 'a device that sent nothing has none');
    for my $wrong ("/v1/devices/pump-1/series/$first->{id}", '/v1/devices/meter/series/999999', '/v1/devices/meter/series/x', '/v1/devices/none/series/1') {
        is($call->('PATCH', $wrong, { unit => 'W' })->{status}, 404, "no such series: $wrong");
    }
    my $page = $call->('GET', '/v1/devices/meter/series?limit=1');
    is(scalar @{ $call->('GET', "/v1/devices/meter/series?limit=1&cursor=$page->{json}{next}")->{json}{items} }, 1, 'series come a page at a time');
    is($stack->sql("SELECT actor ~ '^token [0-9]+\$' FROM core.audit WHERE action = 'series.change'"), 't', 'the audit trail says who it was');
    return;
}

# Who may not, and what another tenant is told: the same bytes as of what is not there.
sub check_doors {
    my ($stack) = @_;
    my %token = map { $_ => $stack->token('home', $_) } qw(api device);
    my $foreign = $stack->token('other', 'admin');
    my @changes = (['POST', '/v1/sites'], ['PATCH', '/v1/sites/roof%2F1'], ['DELETE', '/v1/sites/roof%2F1'], ['GET', '/v1/sites'],
        ['POST', '/v1/devices'], ['PATCH', '/v1/devices/meter'], ['PATCH', '/v1/devices/meter/series/1']);
    for (@changes) {
        my ($method, $path) = @$_;
        is($stack->request($method, $path, token => $token{$_}, body => { name => 'x' })->{status}, 403, "$method $path is not for $_ tokens") for sort keys %token;
    }
    for (['GET', '/v1/sites/%s'], ['PATCH', '/v1/sites/%s'], ['DELETE', '/v1/sites/%s'], ['PATCH', '/v1/devices/%s'], ['GET', '/v1/devices/%s/series'], ['PATCH', '/v1/devices/%s/series/1']) {
        my ($method, $form) = @$_;
        my @told = map {
            my $answer = $stack->request($method, sprintf($form, $_->[1]), token => $foreign, $method eq 'PATCH' ? (body => {}) : ());
            my $text = "$answer->{status} $answer->{content}";
            $text =~ s/"(?:instance|request_id)":"[^"]*"//gr;
        } ['theirs', $form =~ /sites/ ? 'roof%2F1' : 'meter'], ['nothing', 'nothing'];
        like($told[0], qr/^404 /, "$method $form: another tenant's is not there");
        is($told[0], $told[1], 'in the same bytes');
    }
    is($stack->request('PATCH', '/v1/devices/meter', token => $foreign, body => { site => 'roof/1' })->{status}, 422, 'nor can another tenant name its site');
    return;
}

# ---- pages ----

sub unescape { my ($text) = @_; $text =~ s/&quot;/"/g; $text =~ s/&#39;/'/g; $text =~ s/&lt;/</g; $text =~ s/&gt;/>/g; $text =~ s/&amp;/&/g; return $text }

sub page_errors { return join ' ', $_[0]{content} =~ /class="error">([^<]*)</g }

sub check_pages {
    my ($stack, $eve) = @_;
    my $list = $eve->get('/admin/devices');
    is($list->{status}, 200, 'admins have a page of devices');
    like($list->{content}, qr{href="/admin/devices/meter"}, 'with their devices');
    unlike($list->{content}, qr{/admin/devices/pump-4"}, 'but for the retired');
    like($eve->get('/admin/devices?state=retired')->{content}, qr{/admin/devices/pump-4"}, 'which can be asked for');
    like($eve->get('/admin/devices?q=nothing-like-it')->{content}, qr/No device matches/, 'a search may find none');

    my $again = $eve->submit($list, '/admin/devices', key => 'meter', name => 'Twice');
    is("$again->{status} " . page_errors($again), '422 There is a device with this key already.', 'a key that is taken is told beside its field');
    like($again->{content}, qr/value="Twice"/, 'and what was typed stays');
    my $added = $eve->submit($list, '/admin/devices', key => ' heat/1 ', name => '', model => 'WP', site => 'roof/1');
    is("$added->{status} $added->{headers}{location}", '303 /admin/devices/heat%2F1?done=added', 'a device is added, white space around its key aside');
    my $page = $eve->get($added->{headers}{location});
    like($page->{content}, qr/class="notice good" role="status">The device is added/, 'and told so');
    like($eve->get('/admin/devices/heat%2F1')->{content}, qr{A device takes its past along: [^<]* make a new device}, 'beside the site stands what a move means');
    unlike($eve->get('/admin/devices/heat%2F1?done=<b>x')->{content}, qr/class="notice|<b>x/, 'a notice is one of ours');

    my $wrong = $eve->submit($page, '/admin/devices/heat%2F1', name => '', model => 'WP 2', site => 'roof/1', config => '{"metrics": 5}');
    is("$wrong->{status} " . page_errors($wrong), '422 This must be filled in. The configuration metrics must be an object.', 'what is wrong stands beside its field');
    $wrong = $eve->submit($page, '/admin/devices/heat%2F1', name => 'x', site => 'nowhere', config => 'not JSON');
    is("$wrong->{status} " . page_errors($wrong), '422 Choose one of the options. The configuration is not JSON.', 'a choice that there is not, too');
    is($stack->sql("SELECT name || model FROM core.device WHERE key = 'heat/1'"), 'heat/1WP', 'and nothing of it is saved');
    my $saved = $eve->submit($page, '/admin/devices/heat%2F1', name => 'Heat pump', model => '', site => '', config => '');
    is($saved->{headers}{location}, '/admin/devices/heat%2F1?done=saved', 'a change is saved');
    is($stack->sql("SELECT name || model || coalesce(site_id::text, '-') || config FROM core.device WHERE key = 'heat/1'"), 'Heat pump-{}', 'what is shown empty is stored empty');
    is($eve->submit($page, '/admin/devices/heat%2F1/retire', retired => 1)->{headers}{location}, '/admin/devices/heat%2F1?done=retired', 'it is retired');
    like($eve->get('/admin/devices/heat%2F1')->{content}, qr/Put back into use/, 'and its page offers the way back');

    my ($id) = $eve->get('/admin/devices/meter')->{content} =~ /\?series=(\d+)#/;
    my $form = $eve->get("/admin/devices/meter?series=$id");
    like($form->{content}, qr/name="series" value="$id"/, 'a series has a form');
    $wrong = $eve->submit($form, '/admin/devices/meter/series', series => $id, unit => 'W', kind => 'speed', role => 'none');
    is("$wrong->{status} " . page_errors($wrong), '422 Choose one of the options.', 'that refuses what is none');
    is($eve->submit($form, '/admin/devices/meter/series', series => $id, unit => 'W', kind => 'gauge', role => 'sub_meter')->{headers}{location},
        '/admin/devices/meter?done=series', 'and corrects');
    is($stack->sql("SELECT role FROM core.series WHERE id = $id"), 'sub_meter', 'the series');
    is($stack->sql("SELECT actor FROM core.audit WHERE action = 'series.change' ORDER BY id DESC LIMIT 1"), 'eve@home.example', 'in the person\'s name');
    return;
}

sub check_site_pages {
    my ($stack, $eve) = @_;
    my $list = $eve->get('/admin/sites');
    like($list->{content}, qr{href="/admin/sites/roof%2F1">Roof<}, 'sites have a page');
    my $wrong = $eve->submit($list, '/admin/sites', key => 'roof/1', timezone => 'Mars/Olympus');
    is("$wrong->{status} " . page_errors($wrong), '422 There is a site with this key already. There is no time zone of this name.', 'whose form tells what is wrong');
    is($eve->submit($list, '/admin/sites', key => 'shed', name => 'Shed', timezone => 'Europe/Berlin')->{headers}{location}, '/admin/sites/shed?done=added', 'a site is added');
    my $page = $eve->get('/admin/sites/shed');
    is($eve->submit($page, '/admin/sites/shed', name => 'The shed', timezone => 'Asia/Tokyo')->{headers}{location}, '/admin/sites/shed?done=saved', 'changed');
    is($stack->sql("SELECT name || timezone FROM core.site WHERE key = 'shed'"), 'The shedAsia/Tokyo', 'as it was said');
    is($eve->submit($page, '/admin/sites/shed/remove')->{headers}{location}, '/admin/sites?done=removed', 'and removed');
    is($eve->get('/admin/sites/shed')->{status}, 404, 'for good');
    return;
}

# Each page and form: viewers get 403, another tenant the page of what is not there, a form
# without our token nothing.
sub check_page_doors {
    my ($stack, $eve, $vic, $kay) = @_;
    my $before = $stack->sql('SELECT count(*), max(id) FROM core.audit');
    my @pages = qw(/admin/devices /admin/devices/import /admin/devices/meter /admin/sites /admin/sites/roof%2F1);
    my @forms = (@pages, qw(/admin/devices/meter/retire /admin/devices/meter/series /admin/sites/roof%2F1/remove));
    is($vic->get($_)->{status}, 403, "$_ is not a viewer's") for @pages;
    unlike($vic->get('/devices')->{content}, qr{/admin/}, 'nor in a viewer\'s menu');
    my $own = $vic->get('/devices');
    is($vic->submit($own, $_, name => 'x')->{status}, 403, "a viewer's form to $_ is refused") for @forms;
    is($eve->request('POST', $_, { name => 'x', key => 'x', retired => 1 })->{status}, 403, "a form to $_ without our token is refused") for @forms;
    for (['/admin/devices/meter', '/admin/devices/nothing'], ['/admin/sites/roof%2F1', '/admin/sites/nothing']) {
        my @told = map { my $answer = $kay->get($_); "$answer->{status} $answer->{content}" =~ s/[0-9a-f]{32}|\Q$_\E//gr } @$_;
        like($told[0], qr/^404/, "$_->[0]: another tenant's is not there");
        is($told[0], $told[1], 'in the same bytes');
    }
    is($stack->sql('SELECT count(*), max(id) FROM core.audit'), $before, 'and nothing has changed');
    return;
}

my $LIST = <<'CSV';
key,name,model,site,timezone,config
meter,Main meter,,roof/1,,
new-1,"One, two",SDM630,garden,Europe/Berlin,
new-2,,,nowhere,,
,No key,,,,
new-1,Again,,,,
new-3,,,roof/1,Asia/Tokyo,
new-4,,,moon,Mars/Sea,
new-5,,,,,"{""metrics"": 5}"
new-6,,,garden,,"{""note"": ""a, b""}"
pump-1,,,,,
new-7,a,b,c,d,e,f
CSV

my @WRONG = (
    [4, 'site: there is no such site'], [5, 'key: is missing'], [6, 'key: is in this list already'],
    [7, 'timezone: the site is in Europe/London'], [8, 'timezone: there is no such time zone'],
    [9, 'config: metrics must be an object'], [12, 'has more cells than there are columns'],
);

sub check_import {
    my ($stack, $eve) = @_;
    my $state = 'SELECT (SELECT count(*) FROM core.device), (SELECT count(*) FROM core.site), (SELECT count(*) FROM core.audit)';
    my $before = $stack->sql($state);
    my $form = $eve->get('/admin/devices/import');
    my $preview = $eve->submit($form, '/admin/devices/import', step => 'preview', text => $LIST);
    is($preview->{status}, 200, 'a list has a preview');
    my @rows = map { [/data-label="Line">(\d+)<.*?class="state (\w*)">([^<]+)<.*?(?:problem-text">([^<]*)<|<\/td>)/s] } $preview->{content} =~ m{<tr( class="wrong">.*?|>.*?data-label="Line".*?)</tr>}gs;
    is_deeply([map { [$_->[0], unescape($_->[3] // '')] } grep { $_->[2] eq 'Wrong' } @rows], \@WRONG, 'that says by line what is wrong');
    is_deeply([map {"$_->[0] $_->[2]"} grep { $_->[2] ne 'Wrong' } @rows], ['2 Changes', '3 New', '10 New', '11 As it is'], 'and what becomes of the others');
    is($stack->sql($state), $before, 'nothing is stored by it');
    like($preview->{content}, qr/Import 3 devices/, 'the good rows can be imported');

    my ($seen) = $preview->{content} =~ /name="seen" value="([^"]+)"/;
    my $other = $eve->submit($preview, '/admin/devices/import', step => 'import', seen => $seen, text => "$LIST\nnew-8,,,,,\n");
    is($other->{status}, 200, 'a list that was changed after its preview is not stored');
    like($other->{content}, qr/was changed after the preview/, 'but shown again');
    is($stack->sql($state), $before, 'nothing of it is');
    my $done = $eve->submit($preview, '/admin/devices/import', step => 'import', seen => $seen, text => $LIST =~ s/\n/\r\n/gr);
    is($done->{status}, 200, 'even other ends of lines are another text') if $done->{status} == 200;
    $done = $eve->submit($preview, '/admin/devices/import', step => 'import', seen => $seen, text => $LIST);
    is("$done->{status} $done->{headers}{location}", '303 /admin/devices?done=imported', 'the second step imports');
    is($stack->sql("SELECT string_agg(d.key || '|' || d.name || '|' || d.model || '|' || coalesce(s.key, '') || '|' || d.config, ';' ORDER BY d.key)"
                . " FROM core.device d LEFT JOIN core.site s ON s.tenant_id = d.tenant_id AND s.id = d.site_id WHERE d.key ~ '^(new|meter)'"),
        'meter|Main meter|SDM120|roof/1|{"metrics": {"power_w": {"kind": "gauge", "role": "sub_meter", "unit": "W"}}};'
            . 'new-1|One, two|SDM630|garden|{};new-6|new-6||garden|{"note": "a, b"}', 'the good rows, empty cells keeping what was there');
    is($stack->sql("SELECT timezone FROM core.site WHERE key = 'garden'"), 'Europe/Berlin', 'with the site that a zone made');
    is($stack->sql("SELECT detail FROM core.audit WHERE action = 'device.import'"), '{"add": 2, "same": 1, "change": 1, "refuse": 6}', 'and the audit trail says how many')
        or diag $stack->sql("SELECT * FROM core.audit WHERE action = 'device.import'");
    like($eve->submit($form, '/admin/devices/import', step => 'preview', text => "key\nsolo\npump-1\n")->{content},
        qr/>1 new, 1 as they are</, 'a list may have no column but the key');
    for (['', 'This must be filled in.'], ["name\nx\n", 'The first line names no column “key”.'], ["key,color\nx,y\n", 'is no column'],
        ["key,key\nx,y\n", 'is there twice'], ["key\n", 'but no device'], ["key,name\n\"open,x\n", undef]) {
        my ($text, $error) = @$_;
        my $answer = $eve->submit($form, '/admin/devices/import', step => 'preview', text => $text);
        utf8::decode($answer->{content});
        if (defined $error) { is($answer->{status}, 422, "refused: $error"); like(page_errors($answer), qr/\Q$error/, 'with a word') }
        else { like($answer->{content}, qr/quote is out of place/, 'a quote that is not closed is told in its line') }
    }
    return;
}

sub check_command {
    my ($stack) = @_;
    $stack->cli('device', 'add', 'by-hand', '--tenant', 'other', '--name', 'By hand', '--model', 'M');
    my ($status, undef, $err) = $stack->tidemark('device', 'add', 'by-hand', '--tenant', 'other');
    is($status, 1, 'the command line makes a device once');
    like($err, qr/exists/, 'and says so');
    is(($stack->tidemark('device', 'add', 'x', '--tenant', 'nobody'))[0], 1, 'not for a tenant that there is not');
    is(($stack->tidemark('device', 'add', '--tenant', 'other'))[0], 2, 'nor without a key');
    like($stack->cli('device', 'list', '--tenant', 'other'), qr/^by-hand\tBy hand\tM\t-\t\d{4}-[^\t]+\t-\t-$/, 'it lists them');
    my $list = "key,site,timezone\nc1,shop,Asia/Kolkata\nc2,nowhere,\n";
    my ($trial, undef, $told) = $stack->tidemark('device', 'import', '--tenant', 'other', '--dry-run', { stdin => $list });
    is($trial, 1, 'a list with something wrong fails');
    like($told, qr/^line 3: site: there is no such site\nnothing is stored; would be: 1 added, 0 changed, 0 as they were, 1 refused$/m, 'and says what');
    is($stack->sql("SELECT count(*) FROM core.device WHERE key = 'c1'"), 0, 'a dry run stores nothing');
    is(($stack->tidemark('device', 'import', '--tenant', 'other', { stdin => $list }))[0], 1, 'without it');
    is($stack->sql("SELECT s.timezone FROM core.device d JOIN core.site s ON s.tenant_id = d.tenant_id AND s.id = d.site_id WHERE d.key = 'c1'"), 'Asia/Kolkata', 'the good rows are stored');
    return;
}

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output);
my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'home', '--timezone', 'Europe/Berlin');
$stack->cli('tenant', 'add', 'other');
for (['eve@home.example', 'home', 'admin'], ['vic@home.example', 'home', 'viewer'], ['kay@other.example', 'other', 'admin']) {
    my ($email, $tenant, $role) = @$_;
    $stack->cli('user', 'add', '--tenant', $tenant, '--email', $email, '--role', $role, { stdin => "$PASSWORD\n" });
}
my ($admin, $device) = ($stack->token('home', 'admin'), $stack->token('home', 'device'));
check_sites($stack, $admin);
check_bodies($stack, $admin);
check_devices($stack, $admin, $device);
check_filters($stack, $admin);
check_series($stack, $admin, $device);
check_doors($stack);
my ($eve, $vic, $kay) = map { my $browser = Tidemark::Browser->new($stack); $browser->log_in($_, $PASSWORD); $browser }
    'eve@home.example', 'vic@home.example', 'kay@other.example';
check_pages($stack, $eve);
check_site_pages($stack, $eve);
check_page_doors($stack, $eve, $vic, $kay);
check_import($stack, $eve);
check_command($stack);
done_testing;
