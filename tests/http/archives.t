#!/usr/bin/perl
# The archive over HTTP, through the real nginx and in a real MinIO: days are archived, listed, fetched,
# verified and brought back by an admin's asking; a viewer asks in vain, another tenant finds nothing. A
# bucket that is not to be had, a file in it that is damaged, gone, or another in its place.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use POSIX qw(strftime);
use Test::More;
use Tidemark::Browser;
use Tidemark::Day;
use Tidemark::Minio;
use Tidemark::Objects;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my ($minio, $why) = Tidemark::Minio->start;
plan skip_all => "no MinIO: $why" if !$minio;
my %settings = $minio->settings;
my $stack = Tidemark::Stack->start(env => { %settings, ARCHIVE_INTERVAL_HOURS => 24 });
$stack->cli('tenant', 'add', $_) for qw(home other);
my %token = (admin => $stack->token('home', 'admin'), api => $stack->token('home', 'api'), device => $stack->token('home', 'device'),
    old => $stack->token('home', 'device', '--backfill'), other => $stack->token('other', 'admin'));

sub as { my ($who, $method, $path, %option) = @_; return $stack->request($method, $path, token => $token{$who}, %option) }

sub await {
    my ($what, $name) = @_;
    my $deadline = time + 30;
    sleep 0.1 while !$what->() && time < $deadline;
    return ok($what->(), $name);
}

await(sub { $stack->sql("SELECT count(*) FROM ops.job_run WHERE name = 'archive' AND is_ok") }, 'the worker has archived what there was');
my $midnight = Tidemark::Day::today();
my @events = map { my $ago = $_; map { { device => 'meter', time => $midnight - $ago * 86400 + 600 * $_, metrics => { power_w => $_ / 8, energy_kwh => $ago } } } 0 .. 99 } 5, 6, 40;
is($stack->post('/v1/events/batch', \@events, token => $token{old})->{status}, 200, 'three days of two metrics');

# ---- archived ----

like($stack->cli('archive', 'run', { env => \%settings }), qr/^3 days, 600 rows/m, 'are archived');
like($stack->cli('archive', 'run', { env => \%settings }), qr/^0 days/m, '  once');
unlike($stack->cli('archive', 'verify', { env => \%settings }), qr/damaged/, '  soundly');
my $list = as('api', 'GET', '/v1/archives?limit=2')->{json};
is(scalar @{ $list->{items} }, 2, 'a page of them');
my @files = (@{ $list->{items} }, @{ as('api', 'GET', "/v1/archives?limit=2&cursor=$list->{next}")->{json}{items} });
is(scalar @files, 3, 'and the rest');
is_deeply([map { $_->{table}, $_->{kind}, $_->{number}, $_->{rows}, $_->{place}, $_->{restore} } $files[0]], ['samples', 'rows', 1, 200, 'database', undef], 'what a file is');
my $file = $files[-1];
is($file->{day}, strftime('%Y-%m-%d', gmtime($midnight - 40 * 86400)), 'the oldest day came first');
sub day { my ($ago) = @_; return strftime('%Y-%m-%d', gmtime($midnight - $ago * 86400)) }
sub days { my ($query) = @_; return join ' ', map { $_->{day} } @{ as('api', 'GET', "/v1/archives?$query")->{json}{items} } }
for my $case (
    ['from=' . day(6), day(5) . ' ' . day(6), 'from a day on'], ['to=' . day(5), day(6) . ' ' . day(40), 'before a day'],
    ['from=' . day(6) . '&to=' . day(5), day(6), 'of one day'], ['from=' . day(6) . '&to=' . day(6), '', 'of no day'],
    ['table=samples&to=' . day(39), day(40), 'of a table'], ['table=none', '', 'of one that there is not'],
) {
    is(join(' ', sort { $b cmp $a } split / /, days($case->[0])), $case->[1], "files $case->[2]");
}
{
    my $first = as('api', 'GET', '/v1/archives?limit=1&from=' . day(6))->{json};
    my $second = as('api', 'GET', '/v1/archives?limit=1&from=' . day(6) . "&cursor=$first->{next}")->{json};
    is(join(' ', sort { $b cmp $a } map { $_->{day} } @{ $first->{items} }, @{ $second->{items} }), day(5) . ' ' . day(6), '  page by page');
    is($second->{next}, undef, '  to their end');
}
is(as('api', 'GET', "/v1/archives?$_->[0]")->{status}, $_->[1], "  not $_->[0]") for ['from=yesterday', 400], ['to=2026-13-01', 400], ['from=2026-01-02&to=2026-01-01', 422];
like(as('api', 'GET', '/v1/archives?format=csv')->{content}, qr/^id,table,day,number,kind,rows,bytes,sha256,/, 'as CSV, too');

my $answer = as('api', 'GET', "/v1/archives/$file->{id}");
is($answer->{status}, 200, 'a file is fetched');
is(sha256_hex($answer->{content}), $file->{sha256}, '  as it was written');
is(length $answer->{content}, $file->{bytes}, '  whole');
like($answer->{content}, qr/^PAR1.*PAR1$/s, '  a Parquet file');
is($answer->{headers}{'content-type'}, 'application/vnd.apache.parquet', '  by its type');
like($answer->{headers}{'content-disposition'}, qr/^attachment; filename="samples-$file->{day}-1\.parquet"/, '  and its name');
is($answer->{headers}{'x-content-type-options'}, 'nosniff', '  never shown');
my $part = as('api', 'GET', "/v1/archives/$file->{id}", headers => { Range => 'bytes=-4' });
is("$part->{status} $part->{content}", '206 PAR1', 'a range of it');
is(as('api', 'GET', "/v1/archives/$file->{id}", headers => { 'If-None-Match' => $answer->{headers}{etag} })->{status}, 304, 'not again where the client has it');

# ---- whose, and who may ----

is_deeply(as('other', 'GET', '/v1/archives')->{json}{items}, [], 'another tenant has none');
for my $case (['GET', ''], ['POST', '/restore'], ['POST', '/verify']) {
    my ($method, $what) = @$case;
    is(as('other', $method, "/v1/archives/$file->{id}$what")->{status}, 404, "  nor $method of one$what");
    is(as('admin', $method, "/v1/archives/$_$what")->{status}, 404, "$method of $_$what: 404") for 0, 999999999, '-1', 'x', '9' x 30;
}
is(as('api', 'POST', "/v1/archives/$file->{id}/restore")->{status}, 403, 'who may only read restores nothing');
is(as('api', 'POST', "/v1/archives/$file->{id}/verify")->{status}, 403, '  nor has it verified');
is(as('device', 'GET', "/v1/archives/$file->{id}")->{status}, 403, 'a device reads nothing');
is($stack->request('GET', "/v1/archives/$file->{id}")->{status}, 401, 'nor does nobody');

# ---- brought back ----

my $count = "SELECT count(*) FROM core.sample WHERE time < now() - interval '39 days'";
sub lose { return $stack->sql("DELETE FROM core.sample WHERE time < now() - interval '39 days'; UPDATE core.archive_day SET is_held = false WHERE day = '$file->{day}'") }
sub now_of { my ($id) = @_; return (grep { $_->{id} == $id } @{ as('api', 'GET', '/v1/archives')->{json}{items} })[0] }
is(as('admin', 'POST', "/v1/archives/$file->{id}/restore")->{status}, 200, 'what the database has needs no restoring');
is($stack->sql("SELECT pinned_until > now() + interval '29 days' FROM core.archive_day WHERE day = '$file->{day}'"), 't', '  and is kept from then on');
lose();
is($stack->sql($count), 0, 'a day is dropped');
is(now_of($file->{id})->{place}, 'archive', '  and the list says so');
$answer = as('admin', 'POST', "/v1/archives/$file->{id}/restore");
is("$answer->{status} $answer->{json}{restore}", '202 waiting', 'an admin wants it back');
await(sub { $stack->sql($count) == 200 }, '  and the worker restores it');
await(sub { now_of($file->{id})->{place} eq 'restored' }, '  which the list says');
is(now_of($file->{id})->{restore}, undef, '  and that nobody waits for it');
is($stack->sql("SELECT count(*) FROM core.audit WHERE action = 'archive.restore'"), 1, '  and the audit log');

# ---- several at once ----

my %person = map { $_ => Tidemark::Browser->new($stack) } qw(admin viewer);
for my $role (sort keys %person) {
    $stack->cli('user', 'add', '--tenant', 'home', '--email', "$role\@home.example", '--role', $role, { stdin => "a good long password\n" });
    is($person{$role}->log_in("$role\@home.example", 'a good long password')->{status}, 303, "$role logs in");
}
sub restore_days { my ($role, %fields) = @_; return $person{$role}->submit($person{$role}->get('/account'), '/archives/restore-days', %fields) }
my ($old, $wishes) = ("time < '@{[day(5)]}Z'", 'SELECT count(*) FROM core.archive_wish');
$stack->sql("UPDATE core.archive_day SET is_held = false, pinned_until = NULL WHERE day < '@{[day(5)]}'; DELETE FROM core.sample WHERE $old");
my $chosen = '/archives?from=' . day(40) . '&to=' . day(5);    # the last of which the database has
like($person{admin}->get($chosen)->{content}, qr{action="/archives/restore-days".*<button type="submit">Restore 2 days</button>}s, 'an admin may have the days that are chosen back');
unlike($person{ $_->[0] }->get($_->[1])->{content}, qr/restore-days/, "  not $_->[2]")
    for ['viewer', $chosen, 'a viewer'], ['admin', '/archives', 'where nothing is chosen'], ['admin', "$chosen&table=costs", 'costs'], ['admin', '/archives?to=' . day(41), 'where there are none'];
$stack->sql("INSERT INTO core.archive_day (tenant_id, relation, day, is_held) SELECT d.tenant_id, d.relation, d.day - n, false FROM core.archive_day d, generate_series(1001, 1399) n WHERE d.day = '@{[day(40)]}'");
like($person{admin}->get('/archives?to=' . day(5))->{content}, qr{^(?!.*restore-days).*401 days are away: choose fewer}s, '  nor more of them than may wait, which is said');
$stack->sql("DELETE FROM core.archive_day WHERE day < '@{[day(1000)]}'");
is(restore_days('viewer', from => day(40))->{status}, 403, '  who asks in vain');
is(restore_days('admin', @{ $_->[0] })->{status}, $_->[1], "  nor does an admin ask $_->[2]")
    for [[], 422, 'for none'], [[from => 'yesterday'], 422, 'for what is no day'], [[from => day(5), to => day(6)], 422, 'for a last day before the first'],
    [[to => day(41)], 404, 'for days that there are not'], [[from => day(40), table => 'costs'], 404, 'for costs'];
$stack->sql("INSERT INTO core.archive_wish (tenant_id, relation, day, due_at) SELECT d.tenant_id, d.relation, d.day + n, 'infinity' FROM core.archive_day d, generate_series(1001, 1399) n WHERE d.day = '@{[day(40)]}'");
is(restore_days('admin', from => day(40), to => day(5))->{status}, 409, '  nor for more than may wait');
is($stack->sql($wishes), 399, '  of which none waits, then');
$stack->sql('DELETE FROM core.archive_wish');
$answer = restore_days('admin', from => day(40), to => day(5), table => '');
is("$answer->{status} $answer->{headers}{location}", "303 $chosen&done=days", 'the button has them brought back');
like($person{admin}->get("$chosen&done=days")->{content}, qr/The days will be brought back/, '  which is said');
await(sub { $stack->sql("SELECT count(*) FROM core.sample WHERE $old") == 400 && $stack->sql($wishes) == 0 }, '  and the worker does that');
unlike($person{admin}->get($chosen)->{content}, qr/restore-days/, '  once');
is($stack->sql("SELECT string_agg(object, ' ' ORDER BY object) FROM core.audit WHERE action = 'archive.restore'"), join(' ', (day(40)) x 2, day(6)), '  as the audit log says');

# ---- verified ----

my $object = $stack->sql("SELECT object FROM core.archive WHERE id = $file->{id}");
my $store = Tidemark::Objects->new($minio);
my $bytes = $store->slurp($object);

# The file's row on a person's page, without what is not shown.
sub row {
    my ($role) = @_;
    my ($row) = grep {m{/v1/archives/$file->{id}"}} $person{$role}->get('/archives')->{content} =~ m{<tr>.*?</tr>}sg;
    return $row =~ s/\s+/ /gr;
}

# Sends the form of the file's button.
sub press { my ($role) = @_; return $person{$role}->submit($person{$role}->get('/account'), '/archives/verify', id => $file->{id}) }

# Has the file verified; the file, once it was.
sub verify {
    my $answer = as('admin', 'POST', "/v1/archives/$file->{id}/verify");
    is("$answer->{status} $answer->{json}{verify}", '202 waiting', 'an admin has the file verified');
    await(sub { now_of($file->{id})->{verify} ne 'waiting' }, '  and the worker reads it');
    return now_of($file->{id});
}

# The days that a page of the archive lists.
sub listed { my ($query) = @_; return join ' ', $person{viewer}->get("/archives?$query")->{content} =~ m{<a href="/v1/archives/\d+">(\d{4}-\d\d-\d\d)<}g }

is(listed('from=' . day(6) . '&to=' . day(6)), day(6), 'the page lists the days that are chosen');
is(listed('to=' . day(6) . '&table=samples'), day(6) . ' ' . day(40), '  up to one, of a table') or diag(listed(''));
is(listed('table=costs'), '', '  none of another');
like($person{viewer}->get('/archives?table=costs&from=2026-01-01')->{content}, qr{There is no such file\..*}s, '  which it says');
like($person{viewer}->get('/archives?from=2026-02-30')->{content}, qr{id="span-error" role="alert">A date is written like}, '  and what a date is');
{
    $stack->cli('user', 'add', '--tenant', 'other', '--email', 'zoe@other.example', '--role', 'viewer', { stdin => "a good long password\n" });
    my $zoe = Tidemark::Browser->new($stack);
    $zoe->log_in('zoe@other.example', 'a good long password');
    my $was = $stack->sql('SELECT is_on FROM core.archive_setting');
    for my $case (['true', 'Nothing is archived yet'], ['false', 'Nothing is archived: the archive of this installation is off']) {
        $stack->sql("UPDATE core.archive_setting SET is_on = $case->[0]");
        like($zoe->get('/archives')->{content}, qr/$case->[1]/, "a tenant without a file: $case->[1]");
    }
    $stack->sql("UPDATE core.archive_setting SET is_on = '$was'");
}

is_deeply([@{ now_of($file->{id}) }{qw(verify checked_at)}], [undef, undef], 'nobody had the file verified');
$stack->sql("UPDATE core.archive SET verified_at = verified_at - interval '1 hour' WHERE id = $file->{id}");
my $found = verify();
is("$found->{verify} $found->{checked_at}", "sound $found->{verified_at}", '  which is sound');
cmp_ok($found->{verified_at}, 'gt', $file->{verified_at}, '  from then on');
substr(my $flipped = $bytes, length($bytes) / 2, 1) ^= "\x10";
$store->spit($object, $flipped);
my $damaged = verify();
is($damaged->{verify}, 'damaged', '  in which a flipped byte is found');
is($damaged->{verified_at}, $found->{verified_at}, '  and which was sound last when it was');
cmp_ok($damaged->{checked_at}, 'gt', $found->{checked_at}, '  and is not since');
my ($stamp) = $damaged->{checked_at} =~ /^(.{19})/;
like(row($_), qr{<span class="state silent">Damaged</span> <time datetime="\Q$stamp\E}, "the page tells $_ and when") for sort keys %person;
like(row('admin'), qr{action="/archives/verify".*<button type="submit">Verify<}, '  with a button for admins');
unlike(row('viewer'), qr{<form|<button}, '  and none for viewers');
is(press('viewer')->{status}, 403, '  who ask in vain');
is(now_of($file->{id})->{verify}, 'damaged', '  in the least');
$store->remove($object);
is(verify()->{verify}, 'missing', '  which is missing');
like(row('viewer'), qr{<span class="state silent">Missing</span>}, '  as the page says');
$store->spit($object, $bytes);
is(press('admin')->{status}, 303, 'the button has it verified');
await(sub { now_of($file->{id})->{verify} eq 'sound' }, '  and it is sound again');
like(row('viewer'), qr{<span class="state live">Sound</span>}, '  as the page says');
$answer = $stack->sql("SELECT string_agg(DISTINCT object || ' ' || (detail ->> 'table'), ','), count(*) FROM core.audit WHERE action = 'archive.verify'");
is($answer, "$file->{day} samples|4", 'the audit log has each asking');
$stack->sql("INSERT INTO core.archive_check (tenant_id, file_id, due_at) SELECT a.tenant_id, a.id + i, 'infinity' FROM core.archive a, generate_series(1001, 1400) i WHERE id = $file->{id}");
$answer = as('admin', 'POST', "/v1/archives/$file->{id}/verify");
is($answer->{status}, 409, 'no more files wait than are allowed');
like($answer->{content}, qr/400 files are waiting/, '  which is said');
$stack->sql("DELETE FROM core.archive_check WHERE due_at = 'infinity'");

# ---- events ----

my @notes = map { { device => 'meter', time => $midnight - 41 * 86400 + $_, type => 'note', data => { n => $_ } } } 1 .. 5;
is($stack->post('/v1/events/batch', \@notes, token => $token{old})->{status}, 200, 'a day of events');
like($stack->cli('archive', 'run', { env => \%settings }), qr/^1 days, 5 rows/m, '  is archived');
my ($events) = @{ as('api', 'GET', '/v1/archives?table=events')->{json}{items} };
is("$events->{table} $events->{kind} $events->{rows} $events->{place}", 'events rows 5 database', '  and listed by its table');
$answer = as('api', 'GET', "/v1/archives/$events->{id}");
is(sha256_hex($answer->{content}), $events->{sha256}, '  and fetched');
like($answer->{headers}{'content-disposition'}, qr/filename="events-$events->{day}-1\.parquet"/, '  by its name');
$stack->sql("DELETE FROM core.event; UPDATE core.archive_day SET is_held = false WHERE relation = 'events'");
is(as('admin', 'POST', "/v1/archives/$events->{id}/restore")->{status}, 202, '  and wanted back');
await(sub { @{ as('api', 'GET', '/v1/events?type=note')->{json}{items} } == 5 }, '  where the API lists it again');

# ---- asked in vain for now ----

my $day = "relation = 'samples' AND day = '$file->{day}'";
my $audited = "SELECT count(*) FROM core.audit WHERE action = 'archive.restore'";
lose();
$stack->sql("INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels, from_time, to_time, is_erasure)"
        . " SELECT tenant_id, relation, day, 0, 'none', 'none', '{}', day, day, false FROM core.archive_day WHERE $day");
$answer = as('admin', 'POST', "/v1/archives/$file->{id}/restore") for 1, 2;
is("$answer->{status} $answer->{json}{restore}", '202 waiting', 'a day that changed waits');
like($answer->{json}{problem}, qr/^Changes of this day/, '  which the list explains');
is($stack->sql($audited), 5, '  and asking again is nothing new');
is($stack->sql('SELECT count(*) FROM ops.archive_wish_next()'), 0, '  nor is it tried');
$stack->sql("INSERT INTO core.archive_wish (tenant_id, relation, day, due_at) SELECT d.tenant_id, d.relation, d.day + n, 'infinity'"
        . " FROM core.archive_day d, generate_series(1001, 1400) n WHERE $day; UPDATE core.archive_wish SET problem = 'none' WHERE $day");
$answer = as('admin', 'POST', "/v1/archives/$file->{id}/restore");
is($answer->{status}, 409, 'no more days wait than are allowed');
like($answer->{content}, qr/400 days are waiting/, '  which is said');
$stack->sql("DELETE FROM core.archive_wish WHERE due_at = 'infinity'; DELETE FROM core.archive_change");
$stack->sql("UPDATE core.archive_wish SET problem = NULL, due_at = now()");
await(sub { $stack->sql($count) == 200 }, 'without those it is restored');
await(sub { !defined now_of($file->{id})->{restore} }, '  and nobody waits');

# ---- a store that fails ----

my ($other) = $stack->sql("SELECT object FROM core.archive WHERE id = $files[0]{id}");
lose();
$stack->sql("UPDATE core.archive SET object = '$other' WHERE id = $file->{id}");
as('admin', 'POST', "/v1/archives/$file->{id}/restore");
await(sub { (now_of($file->{id})->{restore} // '') eq 'failed' }, 'another file in its place is not restored');
my $problem = now_of($file->{id})->{problem};
like($problem, qr/not what was written/, '  and the list says why');
unlike($problem, qr/\Q$other\E|tenant=/, '  and nothing of the store');
is($stack->sql($count), 0, '  in the least');
$stack->sql("UPDATE core.archive SET object = '$object' WHERE id = $file->{id}");
$minio->stop;
$answer = as('api', 'GET', "/v1/archives/$file->{id}");
is($answer->{status}, 503, 'a store that is down: later');
like($answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, '  as the answer says');
unlike($answer->{content}, qr/PAR1|\Q$object\E/, '  that shows nothing of it');
as('admin', 'POST', "/v1/archives/$file->{id}/restore");
$minio->run;
await(sub { $stack->sql($count) == 200 }, 'when it is there again the day is brought back');
done_testing;
