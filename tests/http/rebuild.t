#!/usr/bin/perl
# A database that is lost, with its passwords, and made of the archive alone: what the API answers over
# the archived days is what it answered. Rebuilds that are killed, catalogues that are damaged or of a
# newer format, a day that is missing; what would change archived days waits; no secret is in the store;
# archiving goes on; dashboards show what they did. The store is a folder on one engine, a bucket of a real MinIO on the other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use File::Path qw(remove_tree);
use JSON::PP ();
use List::Util qw(sum0);
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Test::More;
use Tidemark::Browser;
use Tidemark::Day;
use Tidemark::Minio;
use Tidemark::Objects;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $TODAY = Tidemark::Day::today();
my $PASSWORD = 'correct horse battery';
my $KEY = 'a-provider-key-nobody-may-see';
my ($stack, $objects, %settings, %token, %id);

sub ago { return $TODAY - $_[0] * 86400 }
sub iso { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }

sub as { my ($who, $method, $path, %option) = @_; return $stack->request($method, $path, token => $token{$who}, %option) }

sub made {
    my ($who, $path, $body, $status) = @_;
    my $answer = as($who, 'POST', $path, body => $body);
    die "$path: $answer->{status} $answer->{content}" if $answer->{status} != ($status // 201);
    return $answer->{json};
}

sub await {
    my ($what, $name) = @_;
    my $deadline = time + 60;
    sleep 0.1 while !$what->() && time < $deadline;
    return ok($what->(), $name);
}

# What it says, but for costs, which are written anew whenever they are worked out.
sub archive_now {
    my ($status, undef, $said) = $stack->tidemark('archive', 'run', { env => \%settings });
    die $said if $status;
    my @rows = $said =~ /^\w+\t(?:samples|events)\t\S+\t(\d+) rows/mg;
    return sprintf '%d days, %d rows', scalar @rows, sum0(@rows);
}

# Until all is made of what there is.
sub quiet {
    $stack->settle;
    await(sub { !$stack->sql('SELECT count(*) FROM core.cost_dirty') }, 'costs are worked out');
    return;
}

# ---- what there is ----

sub populate {
    $stack->cli('tenant', 'add', 'home', '--name', 'Haus Öl', '--timezone', 'Europe/Berlin', '--currency', 'EUR');
    $stack->cli('tenant', 'add', 'other', '--timezone', 'America/Los_Angeles');
    $stack->cli('user', 'add', '--email', 'eve@home.example', '--name', 'Eve', '--tenant', 'home', '--role', 'admin', { stdin => "$PASSWORD\n" });
    $stack->cli('user', 'add', '--email', 'bob@home.example', '--tenant', 'home', '--role', 'viewer', { stdin => "$PASSWORD 2\n" });
    $stack->cli('user', 'add', '--email', 'eve@home.example', '--tenant', 'other', '--role', 'viewer');
    tokens();
    made('admin', '/v1/sites', { key => 'house', name => 'Das Haus', timezone => 'Europe/Berlin' });
    made('admin', '/v1/sites', { key => 'mill', name => 'Mill', timezone => 'Asia/Kolkata' });
    my @events;
    for my $i (0 .. 9 * 96 - 1) {
        my $time = ago(14) + 900 * $i;
        push @events, { device => 'meter', site => 'house', time => $time, metrics => { grid_import_kwh => 0.25 * ($i % 8), grid_export_kwh => 0.125 * ($i % 3), voltage_v => 230 + $i / 7 } },
            { device => 'roof/1', site => 'house', time => $time, metrics => { generation_kwh_total => ($i < 300 ? 1000 : -37.5) + 0.125 * $i } };
        push @events, { device => 'lone', time => $time + 7, labels => { phase => 'L"1"' }, metrics => { power_w => 100 + $i / 8 } },
            { device => 'loom', site => 'mill', time => $time, metrics => { energy_kwh => 0.5 } } if $i % 2;
    }
    push @events, map { { device => "loom", site => "mill", time => ago(9) + 3600 * $_, type => $_ % 3 ? "alarm" : "note", data => { n => $_, text => "Übel \"$_\"", real => $_ / 7 } } } 0 .. 30;
    push @events, { device => 'gone', site => 'house', time => ago(10) + 5, metrics => { energy_kwh => 3 } };
    while (my @some = splice @events, 0, 900) {
        my $answer = as('old', 'POST', '/v1/events/batch', body => \@some);
        die $answer->{content} if $answer->{status} != 200;
    }
    as('other', 'POST', '/v1/events/batch', body => [ map { { device => 'meter', time => ago(9) + 600 * $_, metrics => { temperature_c => 20.5 + $_ % 5 } } } 0 .. 99 ])->{status} == 200 or die;
    tariffs();
    made('admin', '/v1/devices/roof%2F1/meter-entries', { kind => 'swap', at => iso(ago(14) + 900 * 300), final => 1037.5, initial => 0, note => 'a new one' });
    made('admin', '/v1/devices/loom/meter-entries', { kind => 'factor', at => iso(ago(8)), factor => 1.5, note => 'transformers' });
    as('admin', 'PUT', '/v1/plugins/lorawan', body => { kind => 'collector', config => { url => "mqtt://user:$KEY\@broker.example:1883/x", mqttPass => $KEY, headers => [ { name => 'Cookie', value => $KEY } ] } })->{status} == 201 or die;
    as('admin', 'PUT', '/v1/plugins/influxdb', body => { kind => 'adapter', config => { device => ['meter'], metrics => { rssi => undef, t => 'mapped_temperature_c' } } })->{status} == 201 or die;
    as('admin', 'PATCH', '/v1/tenant', body => { raw_days => 400 })->{status} == 200 or die;
    quiet();
    return;
}

sub tokens {
    %token = (admin => $stack->token('home', 'admin'), old => $stack->token('home', 'device', '--backfill'), other => $stack->token('other', 'device', '--backfill'),
        reader => $stack->token('other', 'api'));
    return;
}

# By time of use at one site, by a series of prices at the other; a later version, and one device alone.
sub tariffs {
    my %common = (timezone => 'Europe/Berlin', currency => 'EUR');
    my $tou = { %common, name => 'Zwei Zeiten', periods => [qw(night day)], windows => [ { period => 'night' }, { period => 'day', from => '06:00', to => '22:00' } ],
        charges => [ { type => 'energy', prices => [ { rate => '0.21' }, { period => 'day', rate => '0.3337' } ] }, { type => 'export', rate => '0.08' },
            { type => 'fixed', amount => '0.41', per => 'day' }, { type => 'tax', name => 'VAT', percent => '19' } ] };
    $id{tou} = made('admin', '/v1/rate-schedules', $tou)->{id};
    made('admin', "/v1/rate-schedules/$id{tou}/assign", { site => 'house' });
    $tou->{valid_from} = substr iso(ago(9)), 0, 10;
    $tou->{charges}[2]{amount} = '0.55';
    my $answer = as('admin', 'PUT', "/v1/rate-schedules/$id{tou}", body => $tou);
    die $answer->{content} if $answer->{status} !~ /^20/;
    $id{spot} = made('admin', '/v1/rate-schedules', { name => 'Spot', timezone => 'Asia/Kolkata', currency => 'EUR', price_series => [ { name => 'spot', minutes => 60 } ], charges => [ { type => 'energy', series => 'spot' } ] })->{id};
    made('admin', "/v1/rate-schedules/$id{spot}/assign", { site => 'mill' });
    $stack->sql("INSERT INTO core.rate_price (tenant_id, schedule_id, series, from_time, to_time, nano_rate, known_since)"
            . " SELECT tenant_id, id, 'spot', t, t + interval '1 hour', 100000000 + extract(hour FROM t)::int * 1000003, now() FROM core.rate_schedule,"
            . " generate_series(to_timestamp(@{[ago(15)]}), to_timestamp(@{[ago(4)]}), '1 hour') t WHERE id = $id{spot}");
    return;
}

# What comes after the first archiving: numbers 2 with tombstones, and a device that is erased.
sub change {
    as('old', 'POST', '/v1/events/batch', body => [ { device => 'meter', time => ago(12) + 100, metrics => { grid_import_kwh => 8 } } ])->{status} == 200 or die;
    as('admin', 'PUT', '/v1/devices/meter/samples', body => [ { time => ago(11) + 900, metric => 'voltage_v', value => 1.1 } ])->{status} == 200 or die;
    as('admin', 'DELETE', "/v1/devices/lone/samples?metric=power_w&from=@{[ago(10)]}&to=@{[ago(10) + 7200]}")->{status} == 200 or die;
    as('admin', 'DELETE', '/v1/devices/gone')->{status} =~ /^20/ or die;
    quiet();
    like(archive_now(), qr/^11 days/m, 'changes are archived');
    return;
}

# ---- what the API says of it ----

# When it was asked, and what came today.
my %VOLATILE = map { ($_ => 1) } qw(last_seen as_of rows_today);

sub strip {
    my ($value) = @_;
    return [ map { strip($_) } @{$value} ] if ref $value eq 'ARRAY';
    return $value if ref $value ne 'HASH';
    return { map { $VOLATILE{$_} ? () : ($_ => strip($value->{$_})) } keys %{$value} };
}

# Each answer over all archived days, by its address: texts as they are.
sub answers {
    my ($from, $to) = map { substr iso(ago($_)), 0, 10 } 14, 5;
    my $span = "from=$from&to=$to";
    my @paths = ('/v1/sites', '/v1/devices?limit=100', '/v1/rate-schedules', map { "/v1/rate-schedules/$_" } @id{qw(tou spot)});
    push @paths, "/v1/rate-schedules/$id{spot}/prices?$span&limit=1000", '/v1/tenant', "/v1/rate-schedules/applied?site=house&$span";
    for my $device (qw(meter roof%2F1 lone loom)) {
        push @paths, "/v1/devices/$device", "/v1/devices/$device/series", "/v1/devices/$device/meter-entries", "/v1/devices/$device/samples?$span&format=csv";
        push @paths, map { ("/v1/rollups?device=$device&bucket=$_&$span&format=csv") } qw(15m 1h 1d 1w 1mo);
        push @paths, "/v1/energy?device=$device&bucket=1d&$span";
    }
    push @paths, map { my $site = $_; ("/v1/bills?site=$site&$span", "/v1/energy?site=$site&bucket=1h&$span&format=csv", map { "/v1/costs?site=$site&bucket=$_&$span&format=csv" } qw(15m 1h 1d)) } qw(house mill);
    push @paths, map {"/v1/events?$_&$span&format=csv"} qw(device=loom type=alarm);
    my @others = ('/v1/devices/meter', "/v1/devices/meter/samples?$span&format=csv", map {"/v1/rollups?device=meter&bucket=$_&$span&format=csv"} qw(15m 1h 1d));
    my %answer;
    for my $asked ((map { [ admin => $_ ] } @paths), map { [ reader => $_ ] } @others) {
        my $answer = as($asked->[0], 'GET', $asked->[1]);
        $answer{"@{$asked}"} = [ $answer->{status}, $answer->{json} ? strip($answer->{json}) : $answer->{content} ];
    }
    my @days = $stack->sql('SELECT min(day), max(day) FROM core.archive WHERE relation <> \'costs\'');
    is("@days", join('|', map { substr iso(ago($_)), 0, 10 } 14, 6), 'these are all archived days');
    return \%answer;
}

# The dashboards of a member over all archived days, by their addresses: bytes as they are, but for what names the
# moment (when, and whether lately, a device was heard of) or the login.
sub pages {
    my ($password) = @_;
    my $browser = Tidemark::Browser->new($stack);
    $browser->log_in('eve@home.example', $password);
    $browser->submit($browser->get('/account'), '/switch', tenant => 'home');
    my $span = join '&', map { my ($name, $days) = @{$_}; "$name=" . substr iso(ago($days)), 0, 10 } [ from => 14 ], [ to => 5 ];
    my %page;
    for my $path ('/', (map {"/energy?site=$_&$span"} qw(house mill)), (map {"/devices/$_?$span"} qw(meter roof%2F1)), "/costs?site=house&$span", "/events?$span") {
        my $answer = $browser->get($path);
        $page{$path} = $answer->{content} =~ s/name="csrf" value="[^"]*"//gr =~ s{<time [^>]*>[^<]*</time>}{}gr =~ s/\b(?:live|silent)\b//gir;
        is($answer->{status}, 200, "page $path");
    }
    return \%page;
}

sub compare_pages {
    my ($before, $after) = @_;
    for my $path (sort keys %{$before}) {
        cmp_ok(length $before->{$path}, '>', 5000, "$path is a page with something on it");
        ok($before->{$path} eq $after->{$path}, '  and the same after the rebuild') or diag(differences($before->{$path}, $after->{$path}));
    }
    return;
}

sub differences {
    my @lines = map { [ split /\n/ ] } @_;
    return join "\n", map { my $at = $_; map { $_->[$at] // '' } @lines } grep { ($lines[0][$_] // '') ne ($lines[1][$_] // '') } 0 .. $#{ $lines[0] };
}

sub lists { return join "\n", map { s/\t[^\t]*\t(\d+)$/\t$1/r } split /\n/, $stack->cli('archive', 'list') }

# ---- no secret leaves the database ----

sub check_secrets {
    my @secrets = ($KEY, $PASSWORD, values %token, map { my $raw = pack 'H*', $_; ($_, $raw, encode_base64($raw, '')) }
            $stack->sql("SELECT encode(hash, 'hex') FROM core.token UNION SELECT encode(cipher_key, 'hex') FROM core.token WHERE cipher_key IS NOT NULL"));
    push @secrets, $stack->sql('SELECT password_hash FROM core.person');
    my %found;
    my $n = 0;
    for my $key ($objects->list('')) {
        my $bytes = $objects->slurp($key);
        $n++;
        $found{$_}++ for grep { index($bytes, $_) >= 0 } @secrets, 'broker.example', 'eve@home.example', 'mapped_temperature_c';
    }
    cmp_ok(scalar @secrets, '>', 15, "no secret of these is in one of $n objects");
    is(join(' ', sort keys %found), 'eve@home.example mapped_temperature_c', '  but who there is, and what adapters map');
    return;
}

# ---- the disaster ----

# Everything but the store goes.
sub lose {
    $stack->stop;
    remove_tree("$stack->{home}/pgdata", "$stack->{home}/secrets");
    $stack->run;
    is($stack->sql('SELECT count(*) FROM core.tenant'), 0, 'a new database has nothing');
    return;
}

sub rebuild { my ($status, undef, $said) = $stack->tidemark('restore', '--from-archive', @_, { env => \%settings }); return ($status, $said) }

sub catalogues { my ($tenant) = @_; my @keys = grep {/\.ndjson$/} $objects->list("archive/catalogue/tenant=$tenant/"); return @keys }

sub refused {
    my ($pattern, $name) = @_;
    my ($status, $said) = rebuild();
    is($status, 1, $name);
    like($said, $pattern, '  and says why');
    is($stack->sql('SELECT count(*) FROM core.tenant'), 0, '  and nothing is written');
    return;
}

sub check_refusals {
    my ($newest) = reverse catalogues('home');
    my $bytes = $objects->slurp($newest);
    $objects->spit($newest, $bytes =~ s/"Das Haus"/"Das Maus"/r);
    refused(qr/damaged\tarchive\/catalogue\/tenant=home\/\S+\t.*SHA-256/, 'a catalogue that was changed is refused');
    $objects->spit($newest, $bytes);
    my $newer = $bytes =~ s/"format": 2,/"format": 3,/r;
    my $key = 'archive/catalogue/tenant=home/20990101T000000.000000Z-' . sha256_hex($newer) . '.ndjson';
    $objects->spit($key, $newer);
    refused(qr/of format 3, this tidemark knows 2/, 'one of a newer format, too');
    $objects->remove($key);
    return;
}

# Kills a rebuild when it has said so many lines.
sub kill_after {
    my ($n) = @_;
    my $pid = open my $out, '-|';
    if (!$pid) {
        delete @ENV{ grep {/^(DATABASE|DB|S3)_/} keys %ENV };
        %ENV = (%ENV, %settings, TIDEMARK_HOME => $stack->{home});
        open STDERR, '>&', \*STDOUT or die;
        exec $stack->{bin}, 'restore', '--from-archive' or die;
    }
    my @said;
    while (@said < $n) { push @said, scalar(<$out>) // last }
    sleep rand 0.02;
    kill KILL => $pid;
    close $out;
    return ok(@said == $n, "a rebuild is killed after it said $n lines");
}

# What would change archived days while a rebuild is under way, with the day that it has not brought back:
# that day, one that is there again, and one from before the first.
sub check_waiting {
    my ($missing) = @_;
    tokens();
    my $late = sub { my ($time) = @_; return as('old', 'POST', '/v1/events/batch', body => [ { device => 'meter', time => $time, metrics => { grid_import_kwh => 4096 } } ]) };
    my %time = ('the missing day' => "${missing}T11:03:20Z", 'a day that is there' => iso(ago(9) + 200), 'an earlier day' => iso(ago(30)));
    for my $day (sort keys %time) {
        my $answer = $late->($time{$day});
        is("$answer->{status} $answer->{json}{type}", '503 https://tidemark.dev/problems/unavailable', "while a rebuild is under way a late sample of $day waits");
        like($answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, '  and is to be sent again');
    }
    my %change = ('a correction' => [ 'PUT', '/v1/devices/meter/samples', body => [ { time => ago(9) + 900, metric => 'voltage_v', value => 4096 } ] ],
        'a deletion' => [ 'DELETE', "/v1/devices/lone/samples?metric=power_w&from=@{[ago(9)]}&to=@{[ago(9) + 7200]}" ], 'erasing' => [ 'DELETE', '/v1/devices/lone' ]);
    for my $what (sort keys %change) {
        my $answer = as('admin', @{ $change{$what} });
        is($answer->{status}, 503, "  so does $what") or diag($answer->{content});
    }
    is($stack->sql('SELECT count(*) FROM core.sample WHERE value = 4096'), 0, '  and nothing of it is there');
    is(as('other', 'POST', '/v1/event', body => { device => 'today', time => iso(time), metrics => { temperature_c => 21 } })->{status}, 200, '  but what is of today is taken');
    return;
}

sub check_rebuild {
    kill_after($_) for 1, 2, 3, 5, 4;
    my ($object) = $stack->sql("SELECT object FROM core.archive a JOIN core.archive_day d USING (tenant_id, relation, day) WHERE NOT is_held AND relation = 'samples' AND kind = 'rows' AND n = 1 ORDER BY day DESC LIMIT 1");
    my $bytes = $objects->slurp($object);
    $objects->remove($object);
    my ($status, $said) = rebuild();
    is($status, 1, 'a day whose file is missing');
    like($said, qr/^damaged\t\w+ samples [-\d]+\t.*\Q$object\E/m, '  is named, with the file');
    like($said, qr/^going on with what was begun$/m, '  by a rebuild that goes on');
    is($stack->sql('SELECT count(*) FROM core.archive_rebuild WHERE ended_at IS NULL'), 1, '  and has not ended');
    check_waiting($object =~ /day=([-\d]+)/);
    $objects->spit($object, $bytes);
    ($status, $said) = rebuild();
    is($status, 0, 'with the file it ends') or diag($said);
    is(scalar(() = $said =~ /^day\t/mg), 1, '  and brings back that day alone');
    ($status, $said) = rebuild();
    is($status, 1, 'a database that is not empty is refused');
    like($said, qr/not empty \(2 tenants, 2 persons\)/, '  and it says so');
    return;
}

sub compare {
    my ($before, $after) = @_;
    my @other = grep { !is_same($before->{$_}, $after->{$_}) } sort keys %{$before};
    is(scalar(grep { $before->{$_}[0] != 200 } keys %{$before}), 0, "all @{[scalar keys %{$before}]} answers are good")
        or diag(join "\n", map {"$_ $before->{$_}[0]"} grep { $before->{$_}[0] != 200 } sort keys %{$before});
    my @lists = grep {/csv$/} keys %{$before};
    my @short = grep { ($before->{$_}[1] =~ tr/\n//) < (/bucket=1mo/ ? 1 : /bucket=1w/ ? 2 : 3) } @lists;    # nine days have one Monday, or two
    is("@short", '', "  and none of @{[scalar @lists]} lists is empty");
    is("@other", '', 'and after the rebuild the same');
    for (@other) { is_deeply($after->{$_}, $before->{$_}, $_) }
    return;
}

sub is_same { my ($left, $right) = map { JSON::PP->new->canonical->encode($_) } @_; return $left eq $right }

sub check_members {
    my ($is_old) = @_;
    is(join(' ', $stack->sql('SELECT p.email, p.name, t.slug, m.role FROM core.membership m JOIN core.person p ON p.id = m.person_id JOIN core.tenant t ON t.id = m.tenant_id ORDER BY 1, 3')),
        'bob@home.example||home|viewer eve@home.example|Eve|home|admin eve@home.example|Eve|other|viewer', 'members are members');
    my @hashes = $stack->sql('SELECT password_hash FROM core.person');
    is(scalar(grep { /^\$argon2id\$/ && !$is_old->{$_} } @hashes), 2, '  without their passwords');
    $stack->cli('user', 'passwd', '--email', 'eve@home.example', { stdin => "another horse battery\n" });
    is_deeply([ $stack->sql('SELECT key, config FROM core.plugin ORDER BY key') ], [ 'influxdb|{"device": ["meter"], "metrics": {"t": "mapped_temperature_c", "rssi": null}}', 'lorawan|{}' ],
        'adapters are there with their mappings, other plugins without their settings');
    return;
}

sub check_going_on {
    my ($list) = @_;
    is(lists(), $list, 'the archive is what it was');
    like($list, qr/^home\tcosts\t/m, '  with costs');
    unlike($stack->cli('archive', 'list'), qr/archive alone/, '  and the database has each day');
    unlike($stack->cli('archive', 'verify', { env => \%settings }), qr/damaged/, '  and sound');
    like(archive_now(), qr/^0 days, 0 rows/m, 'nothing is archived twice');
    as('old', 'POST', '/v1/events/batch', body => [ { device => 'meter', time => ago(7) + 50, metrics => { grid_import_kwh => 8 } } ])->{status} == 200 or die;
    quiet();
    like(archive_now(), qr/^1 days, 1 rows/m, 'and what comes is archived');
    my $n = catalogues('home');
    cmp_ok($n, '<=', 6, 'few catalogues are kept');
    $stack->cli('tenant', 'remove', 'other', '--yes');
    archive_now() for 1, 2;
    is(scalar(catalogues('other')), 0, 'of a tenant that is gone none');
    return;
}

my @engines = Tidemark::Stack->engines;
for my $engine (@engines) {
    subtest $engine => sub {
        my $minio = Tidemark::Minio->on_last($engine, @engines);
        %settings = $minio ? $minio->settings : ();
        $stack = Tidemark::Stack->start(engine => $engine, env => { %settings, ARCHIVE_INTERVAL_HOURS => 24 });
        $objects = Tidemark::Objects->new($minio // "$stack->{home}/objects");
        await(sub { $stack->sql("SELECT count(*) FROM ops.job_run WHERE name = 'archive' AND is_ok") }, 'the worker has archived what there was');
        populate();
        like(archive_now(), qr/^12 days/m, 'days are archived');
        change();
        my ($before, $list) = (answers(), lists());
        my $shown = pages($PASSWORD);
        my %is_old = map { ($_ => 1) } $stack->sql('SELECT password_hash FROM core.person');
        check_secrets();
        lose();
        check_refusals();
        check_rebuild();
        tokens();
        quiet();
        compare($before, answers());
        check_members(\%is_old);
        compare_pages($shown, pages('another horse battery'));
        check_going_on($list);
        $stack->stop;
    };
}
done_testing;
