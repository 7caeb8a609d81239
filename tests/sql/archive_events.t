#!/usr/bin/env perl
# The archive of events: random ones of every kind are read by others as they were, verified, and restored
# row for row; what comes late to a day makes a further file; erased devices do not come back; retention
# drops only what is archived; a store that lies is found out; archivers and restores are killed at each of their steps and at random. The store
# is a bucket on the last engine, a folder on the other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Archiver qw(day archive archives_well keep_in store objects object retain others_read);
use Tidemark::Cluster;
use Tidemark::Gate;
use Tidemark::Killed qw(kill_at kill_at_random kill_archivers kill_restores);
use Tidemark::Lies qw(check_lies check_catalogue_lies);
use Tidemark::Minio;
use Tidemark::Stack;

my @COLUMNS = qw(time type device seq id site data key arrived);
my $SEED = $ENV{ARCHIVE_SEED} || time;
srand $SEED;
note "ARCHIVE_SEED=$SEED";

# ---- events ----

sub pick { return $_[rand @_] }
sub quoted { my ($text) = @_; return defined $text ? "'" . $text =~ s/'/''/gr . "'" : 'NULL' }
sub uuid { return join '-', map { sprintf '%0*x', $_, rand 16**$_ } 8, 4, 4, 4, 12 }

# Texts that a careless writer breaks, as JSON strings.
my @STRINGS = ('""', '" "', '"null"', '"K\u00fcche \u20ac \ud83d\udd0b"', '"\u0001\u001f\u007f"', '"a\"b\\\\c\n\t"', "\"it's \$1 {x}\"", '"' . 'x' x 300 . '"');
my @NUMBERS = ('0', '-0', '1.10', '-1.5e-7', '9007199254740993', '-9223372036854775809', '1e100', '0.1000000000000000055511151231257827');

# A random JSON value.
sub payload {
    my ($depth) = @_;
    my $kind = int rand($depth > 0 ? 6 : 4);
    return pick(@STRINGS) if $kind == 0;
    return pick(@NUMBERS) if $kind == 1;
    return pick(qw(true false null)) if $kind == 2;
    return pick(qw({} [])) if $kind == 3;
    return '[' . join(',', map { payload($depth - 1) } 1 .. rand 4) . ']' if $kind == 4;
    return '{' . join(',', map { pick(@STRINGS) . ':' . payload($depth - 1) } 1 .. rand 4) . '}';
}

# A random event of a day, as a row of core.event.
sub event {
    my ($tenant, $ago) = @_;
    my $time = sprintf '%s %02d:%02d:%02d.%06dZ', day($ago), rand 24, rand 60, rand 60, rand 1e6;
    return [$tenant, quoted($time) . '::timestamptz', quoted(uuid()), pick('meter é', 'K"ü, /x', 'plain'), pick('roof', 'Süd', undef),
        quoted(pick('telemetry', 'note', 'Störung/ü', '', 'x' x 128)), quoted(pick(undef, 0, 17, -1, '9223372036854775807', '-9223372036854775808')),
        rand() < 0.5 ? 'NULL' : quoted(uuid()), quoted(rand() < 0.3 ? '{}' : payload(4))];
}

# Stores rows of core.event as they are.
sub put {
    my ($super, @events) = @_;
    while (my @some = splice @events, 0, 100) {
        my $rows = join ', ', map { my ($tenant, $time, $key, $device, $site, @rest) = @{$_};
            "($tenant, $time, ${key}::uuid, (SELECT id FROM core.device WHERE tenant_id = $tenant AND key = @{[quoted($device)]}),"
                . " (SELECT id FROM core.site WHERE tenant_id = $tenant AND key = @{[quoted($site)]}), $rest[0], $rest[1]::bigint,"
                . " $rest[2]::uuid, $rest[3]::jsonb, now() - random() * interval '9 days')" } @some;
        $super->query("INSERT INTO core.event (tenant_id, time, key, device_id, site_id, type, seq, id, data, arrived) VALUES $rows");
    }
    return;
}

# Every event of a tenant of days in [from, to] (days ago), in one text.
sub events {
    my ($super, $tenant, $from, $to) = @_;
    return $super->text(<<"SQL");
SELECT count(*), md5(string_agg(row(e.time, e.key, d.key, s.key, e.type, e.seq, e.id, e.data, e.arrived)::text, ',' ORDER BY e.time, e.key, d.key))
FROM core.event e JOIN core.device d ON d.id = e.device_id LEFT JOIN core.site s ON s.id = e.site_id
WHERE e.tenant_id = $tenant AND e.time >= '@{[day($from)]}Z' AND e.time < timestamptz '@{[day($to)]}Z' + interval '1 day'
SQL
}

# Has all chunks compressed, where the engine can.
sub compress {
    my ($cluster, $super) = @_;
    $super->query("SELECT public.compress_chunk(c, if_not_compressed => true) FROM public.show_chunks('core.event') c") if $cluster->engine eq 'timescaledb';
    return;
}

# Two tenants with three devices, events of three days from 130 days ago on, and from ten days ago on.
sub populate {
    my ($cluster, $super) = @_;
    my $operator = $cluster->session('tidemark_operator');
    $cluster->session('tidemark_ingest', new => 1)->query("SELECT api.partitions_ensure(now() - interval '140 days', now())");
    for my $name (qw(alpha bravo)) {
        my $id = $operator->value("SELECT ops.tenant_add('$name', '$name', 'Europe/Berlin', 'EUR')");
        $operator->query("SELECT ops.site_put('$name', '$_', '$_', 'UTC')") for 'roof', 'Süd';
        $operator->query("SELECT ops.device_put('$name', '$_', NULL, NULL, NULL, NULL)") for 'meter é', 'K"ü, /x', 'plain';
        put($super, map { my $ago = $_; map { event($id, $ago) } 1 .. 120 } 130, 129, 128, 10, 9, 8);
        # at both ends of a day, of one moment and identity, and as long as one can be
        my ($first, $last, $key) = (quoted(day(9) . 'Z') . '::timestamptz', quoted(day(9) . ' 23:59:59.999999Z') . '::timestamptz', quoted(uuid()));
        my @whose = (['plain', 'roof'], ['meter é', undef]);
        put($super, (map { [$id, $first, $key, @{$_}, "'edge'", 'NULL', 'NULL', "'{}'"] } @whose),
            (map { [$id, $last, quoted(uuid()), @{$_}, "'edge'", 'NULL', 'NULL', "'[]'"] } @whose),
            [$id, $first, quoted(uuid()), 'plain', undef, "'long'", 1, 'NULL', quoted('{"n":[' . join(',', ('1e1000') x 9000) . ']}')]);
    }
    compress($cluster, $super);
    return;
}

# ---- archived and read ----

# Others read in a day's file what the database has.
sub check_read {
    my ($cluster, $super, $ago) = @_;
    my $moment = sub { "to_char($_[0] AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')" };
    my @lines = $super->query(<<"SQL");
SELECT json_build_object('time', @{[$moment->('e.time')]}, 'type', e.type, 'device', d.key, 'seq', e.seq, 'id', e.id, 'site', s.key,
                         'data', e.data, 'key', e.key, 'arrived', @{[$moment->('e.arrived')]})
FROM core.event e JOIN core.device d ON d.id = e.device_id LEFT JOIN core.site s ON s.id = e.site_id
WHERE e.tenant_id = 1 AND e.time >= '@{[day($ago)]}Z' AND e.time < timestamptz '@{[day($ago)]}Z' + interval '1 day' ORDER BY e.time, e.key, e.device_id
SQL
    others_read($cluster, object($super, 1, $ago, 1, 'rows'), \@COLUMNS, map { $_->[0] } @lines);
    return;
}

# However long events are, so many are read at a time that memory is bounded.
sub check_bound {
    my ($cluster, $super) = @_;
    my $data = quoted('{"x": "' . 'y' x 60_000 . '"}');
    put($super, map { my $event = event(2, 7); $event->[-1] = $data; $event } 1 .. 150);
    my $worker = $cluster->session('tidemark_worker', new => 1)->bind(2);
    $worker->query("BEGIN; SELECT n FROM ops.archive_begin('events', '@{[day(7)]}', '@{[day(7)]}', false, '{}')");
    my @n = map { $worker->value('SELECT count(*) FROM ops.archive_fetch_events()') } 1 .. 4;
    $worker->query('ROLLBACK');
    is("@n", '70 70 10 0', 'events are read in batches of some MiB');
    $super->query("DELETE FROM core.event WHERE tenant_id = 2 AND time >= '@{[day(7)]}Z'");
    return;
}

sub check_first {
    my ($cluster, $super, $gate) = @_;
    $cluster->session('tidemark_worker')->query('SELECT ops.archive_configure(true, 72)');
    my $said = retain($cluster);
    like($said, qr/core\.event waiting/, 'what is not archived waits for that');
    unlike($said, qr/core\.event dropped/, '  and is not dropped');
    check_lies($cluster, $super, $gate, 'events', qw(alpha bravo));
    archives_well($cluster, qr/^12 days, 1450 rows/m, 'first days');
    is(scalar(grep {m{^archive/events/tenant=\w+/day=[-\d]+/[0-9a-f]{32}\.parquet$}} objects($cluster)), 12, '  a file a day and tenant');
    archives_well($cluster, qr/^0 days, 0 rows/m, 'nothing new');
    my $status;
    ($status, $said) = archive($cluster, 'list', '--tenant', 'bravo');
    is(scalar(() = $said =~ /^bravo\tevents\t\S+\t1\trows\t12[05]\t\d+\tin the database/mg), 6, 'they are listed');
    ($status, $said) = archive($cluster, 'verify');
    is($status, 0, 'and verified') or diag($said);
    check_read($cluster, $super, $_) for 10, 9;
    return;
}

# Old days go, and come back row for row.
sub check_retention {
    my ($cluster, $super) = @_;
    my $before = events($super, 1, 130, 128);
    like($before, qr/^360 /, 'days that are past keeping');
    like(retain($cluster), qr/core\.event dropped/, '  are dropped when they are archived');
    like(events($super, 1, 130, 128), qr/^0 /, '  whole');
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha', '--from', day(130), '--to', day(128));
    is($status, 0, 'restored') or diag($said);
    like($said, qr/^restored\talpha\tevents\t@{[day(130)]}\t120$/m, '  which is said');
    is(events($super, 1, 130, 128), $before, '  row for row');
    like(events($super, 2, 130, 128), qr/^0 /, '  and of nobody else');
    retain($cluster);    # an empty partition beside it may go
    is(events($super, 1, 130, 128), $before, '  and stays for a while');
    my $listed = "SELECT count(*) FROM api.event_list(NULL, NULL, '@{[day(131)]}', '@{[day(127)]}', NULL, NULL, NULL, 1000)";
    my $web = $cluster->session('tidemark_web', new => 1)->bind(1);
    $super->query('UPDATE core.tenant SET event_days = 100 WHERE id = 1');
    is($web->value($listed), 360, '  listed though the tenant keeps events for fewer days');
    $super->query('UPDATE core.archive_day SET pinned_until = now() WHERE day < ' . "'@{[day(128)]}'" . ' AND tenant_id = 1 AND pinned_until IS NOT NULL');
    is($web->value($listed), 120, '  from the first day on that retention leaves');
    $super->query('UPDATE core.tenant SET event_days = NULL WHERE id = 1');
    $super->query('UPDATE core.archive_day SET pinned_until = now() WHERE pinned_until IS NOT NULL');
    like(retain($cluster), qr/core\.event dropped/, 'then it goes again');
    return;
}

# ---- what comes late ----

# An event through ingest; its session, where the transaction is open yet.
sub late {
    my ($cluster, $tenant, $ago, $is_open) = @_;
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind($tenant);
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['plain'], false)");
    $ingest->query("SELECT api.partitions_ensure(timestamptz '@{[day($ago)]}Z', now())");
    $ingest->query('BEGIN') if $is_open;
    $ingest->query("SELECT api.ingest_events(ARRAY[$tenant], ARRAY[$device], ARRAY[0], ARRAY[timestamptz '@{[day($ago)]} 00:00:30Z'],"
            . " ARRAY['late'], ARRAY[7], ARRAY[NULL], ARRAY['@{[uuid()]}'], ARRAY['{\"late\": true}'])");
    return $is_open ? $ingest : undef;
}

sub changes { return $_[0]->value("SELECT count(*) FROM core.archive_change WHERE relation = 'events'") }

# Loses a tenant's events of days that are archived.
sub lose {
    my ($super, $tenant) = @_;
    return $super->query("DELETE FROM core.event WHERE tenant_id = $tenant AND time < '@{[day(3)]}Z';"
            . " UPDATE core.archive_day SET is_held = false WHERE tenant_id = $tenant");
}

sub check_late {
    my ($cluster, $super) = @_;
    my $worker = $cluster->session('tidemark_worker', new => 1);
    late($cluster, 2, $_) for 0, 1;
    is(changes($super), 0, 'events of days that are not archived are nothing to note');
    $worker->query('SELECT ops.archive_configure(false, 200000)');
    late($cluster, 2, 9);
    is(changes($super), 1, 'one of an archived day is, even while the archive is off');
    late($cluster, 2, 50);
    is(changes($super), 2, '  and one before, where there was nothing');
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo', '--from', day(9));
    like($said, qr/^failed\tbravo\tevents\t@{[day(9)]}\t.*wait to be archived/m, 'such a day is not restored before that is archived');
    $worker->query('SELECT ops.archive_configure(true, 72)');
    my $open = late($cluster, 2, 8, 1);
    is($worker->run('SELECT ops.archive_configure(true, 48)')->{error}, '55P03', 'who comes late is waited for where the settings change');
    $open->query('COMMIT');
    my $truth = events($super, 2, 60, 8);
    archives_well($cluster, qr/^3 days, 3 rows/m, 'what came late');
    like(object($super, 2, 9, 2, 'tombstones'), qr{^archive/events\.tombstones/tenant=bravo/day=@{[day(9)]}/}, '  with tombstones');
    is($super->value("SELECT n_rows FROM core.archive WHERE object = '@{[object($super, 2, 50, 1, 'rows')]}'"), 1, '  and a first file where there was none');
    lose($super, 2);
    compress($cluster, $super);
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo', '--from', day(60), '--to', day(8));
    is(events($super, 2, 60, 8), $truth, '  is restored with the rest, row for row') or diag($said);
    late($cluster, 1, 129);
    archives_well($cluster, qr/^1 days, 1 rows/m, 'late to a day that was dropped');
    is(object($super, 1, 129, 2, 'tombstones'), undef, '  voids nothing');
    archive($cluster, 'restore', '--tenant', 'alpha', '--from', day(129), '--to', day(129));
    like(events($super, 1, 129, 129), qr/^121 /, '  and is restored with it');
    return;
}

# ---- erased, damaged ----

sub check_erasure {
    my ($cluster, $super) = @_;
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha');
    is($status, 0, 'all that there is') or diag($said);
    my $archiver = $cluster->session('tidemark_worker', new => 1)->bind(1);
    my $day = "'events', '@{[day(9)]}', '@{[day(9)]}'";
    my $seen = $archiver->value("BEGIN; SELECT seen FROM ops.archive_begin($day, true, '{}')");
    my $others = "SELECT count(*) FROM core.event e JOIN core.device d ON d.id = e.device_id WHERE e.tenant_id = 1 AND d.key <> 'plain' AND e.time < '@{[day(7)]}Z'";
    my $left = $super->value($others);
    $cluster->session('tidemark_web', new => 1)->bind(1)->query("SELECT api.device_erase('plain')");
    is($archiver->run("SELECT ops.archive_mark($day, false, 9, '$seen', '{}', '{}', '{}', '{}', '{}', '{}')")->{error}, 'TM409',
        'a day that was read before a device was erased is not archived like that');
    $archiver->query('ROLLBACK');
    archives_well($cluster, qr/^6 days, 0 rows/m, 'an erased device');
    lose($super, 1);
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha');
    is($status, 0, '  its days are restored') or diag($said);
    is($super->value($others), $left, '  with all of the others');
    is($super->value("SELECT count(*) FROM core.device WHERE tenant_id = 1 AND key = 'plain'"), 0, '  and without it, nor is the device made again');
    is($super->value("SELECT count(*) FROM core.event WHERE tenant_id = 1 AND time < '@{[day(7)]}Z'"), $left, '  nor any of its events');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_remove('alpha')");
    archives_well($cluster, undef, 'a tenant that is gone');
    is(scalar(grep {m{tenant=alpha}} objects($cluster)), 0, '  leaves no object');
    return;
}

# A database that lost devices and sites gets those of the events back.
sub check_made_again {
    my ($cluster, $super) = @_;
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo');
    is($status, 0, 'all of another tenant') or diag($said);
    my $truth = events($super, 2, 130, 8);
    like($truth, qr/^728 /, '  is there');
    lose($super, 2);
    $super->query('BEGIN; ALTER TABLE core.device DISABLE TRIGGER archive_note; DELETE FROM core.event WHERE tenant_id = 2;'
            . ' DELETE FROM core.device WHERE tenant_id = 2; DELETE FROM core.site WHERE tenant_id = 2;'
            . ' ALTER TABLE core.device ENABLE TRIGGER archive_note; COMMIT');
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo');
    is($status, 0, 'devices that are missing') or diag($said);
    is(events($super, 2, 130, 8), $truth, '  are made again, and their sites');
    return;
}

sub check_damage {
    my ($cluster, $super) = @_;
    my $object = object($super, 2, 9, 1, 'rows');
    my $bytes = store($cluster)->slurp($object);
    my $flipped = $bytes;
    substr($flipped, int rand length $bytes, 1) ^= "\x01";
    store($cluster)->spit($object, $flipped);
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 1, 'a flipped byte is found');
    like($said, qr/^damaged\t\Q$object\E\t/m, '  and its file named') or diag($said);
    my $before = events($super, 2, 10, 8);
    $super->query("UPDATE core.archive_day SET is_held = false WHERE tenant_id = 2 AND day = '@{[day(9)]}'");
    my @day = ('--tenant', 'bravo', '--from', day(9), '--to', day(9));
    ($status, $said) = archive($cluster, 'restore', @day, '--table', 'samples');
    is("$status " . scalar(() = $said =~ /\tevents\t/g), '1 0', '  nor asked for where only samples are, of which there are none');
    is((archive($cluster, 'restore', @day, '--table', $_))[0], 2, "  and --table $_ is refused") for qw(costs none);
    my ($all, $none) = map { (archive($cluster, 'list', @day, '--table', $_))[1] } qw(events samples);
    like($all, qr/\A(?:bravo\tevents\t[^\n]*\n)+exit 0\n\z/, '  a list can be of it, too');
    is($none, "exit 0\n", '  or of another');
    ($status, $said) = archive($cluster, 'restore', @day, '--table', 'events');
    like($said, qr/^failed\tbravo\tevents\t@{[day(9)]}\t/m, '  and not restored');
    is(events($super, 2, 10, 8), $before, '  in the least');
    $super->query("UPDATE core.archive_day SET is_held = true WHERE tenant_id = 2 AND day = '@{[day(9)]}'");
    store($cluster)->spit($object, $bytes);
    ($status, $said) = archive($cluster, 'verify');
    is($status, 0, 'and nothing where all is well') or diag($said);
    return;
}

# ---- killed ----

# Whatever moment an archiver is killed at, the next one has it all, once.
sub check_kills {
    my ($cluster, $super, $rounds) = @_;
    my $forget = 'TRUNCATE core.archive, core.archive_day, core.archive_cursor, core.archive_change';
    my $truth = events($super, 2, 130, 8);
    $super->query($forget);
    kill_at($cluster, $super, 'begin a day', 'core.event IN ACCESS EXCLUSIVE', 'run');
    kill_at($cluster, $super, 'mark a day', 'core.archive IN SHARE', 'run');
    is($super->value('SELECT count(*) FROM core.archive'), 0, '  nothing is noted');
    kill_at_random($cluster, $super, $rounds, sub { $super->query($forget) }, 'run');
    archives_well($cluster, undef, "after $rounds more that were killed");
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 0, '  all is sound') or diag($said);
    is($super->text("SELECT count(*), count(DISTINCT day), sum(n_rows) FROM core.archive WHERE tenant_id = 2 AND relation = 'events'"),
        $super->text("SELECT count(DISTINCT time::date), count(DISTINCT time::date), count(*) FROM core.event WHERE tenant_id = 2 AND time < '@{[day(3)]}Z'"), '  and once');
    lose($super, 2);
    my @restore = ('restore', '--tenant', 'bravo');
    kill_at($cluster, $super, 'restore rows', 'core.event IN SHARE', @restore);
    kill_at($cluster, $super, 'note that a day is restored', 'core.archive_day IN SHARE', @restore);
    kill_at_random($cluster, $super, $rounds, sub { lose($super, 2) }, @restore);
    ($status, $said) = archive($cluster, @restore);
    is($status, 0, 'a restore after all those') or diag($said);
    is(events($super, 2, 130, 8), $truth, '  brings back what there was');
    return;
}

# A late event of an archived day comes through archivers that are killed at each step, and the day that has it
# back through such restores.
sub check_killed_changes {
    my ($cluster, $super, $gate) = @_;
    late($cluster, 2, 9);
    my $truth = events($super, 2, 130, 8);
    kill_archivers($cluster, $super, $gate, 'events');
    is($super->text("SELECT string_agg(n || ' ' || kind || ' ' || n_rows, ', ' ORDER BY n, kind DESC) FROM core.archive WHERE tenant_id = 2 AND day = '@{[day(9)]}'"),
        '1 rows 126, 2 tombstones 1, 2 rows 2', '  has a second number, once, with the event that came late earlier, of the same moment');
    lose($super, 2);
    my @restore = ('restore', '--tenant', 'bravo', '--from', day(9), '--to', day(9));
    my $facts = sub { return events($super, 2, 9, 9) . $super->text("SELECT is_held, pinned_until > now() FROM core.archive_day WHERE tenant_id = 2 AND day = '@{[day(9)]}'") };
    like($facts->(), qr/^0 -f/, 'a day is not there');
    kill_restores($cluster, $super, $gate, 'events', $facts, @restore);
    like($facts->(), qr/^127 \w+t t$/, '  and it is pinned');
    archive($cluster, 'restore', '--tenant', 'bravo');
    is(events($super, 2, 130, 8), $truth, '  as it was, row for row');
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    my $minio = Tidemark::Minio->on_last($cluster->engine, Tidemark::Stack->engines);
    my $gate = $minio && Tidemark::Gate->new($minio);
    keep_in($cluster, $minio) if $minio;
    populate($cluster, $super);
    check_bound($cluster, $super);
    check_first($cluster, $super, $gate);
    check_catalogue_lies($cluster, $super, $gate, 'bravo');
    check_retention($cluster, $super);
    check_late($cluster, $super);
    check_damage($cluster, $super);
    check_erasure($cluster, $super);
    check_made_again($cluster, $super);
    check_kills($cluster, $super, $ENV{KILLED_ARCHIVERS} || 20);
    check_killed_changes($cluster, $super, $gate);
});
done_testing;
