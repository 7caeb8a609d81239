#!/usr/bin/env perl
# The archive of samples: what is written, verified and restored; late data, corrections, deletions and
# erasures of archived days; retention, which drops nothing that is not archived; archivers that are
# killed at each of their steps and at random; a store that loses or changes what it was given, and one
# that says it has all of what it cut. The store is a bucket on the last engine, a folder on the other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;
use Tidemark::Archiver qw(day archive archives_well keep_in store objects object retain);
use Tidemark::Cluster;
use Tidemark::Gate;
use Tidemark::Killed qw(kill_at kill_at_random kill_at_step kill_archivers kill_restores);
use Tidemark::Lies qw(check_lies);
use Tidemark::Minio;
use Tidemark::Stack;

# Each sample of a tenant, by name, of days in [from, to] (days ago); one text.
sub samples {
    my ($super, $tenant, $from, $to) = @_;
    return $super->text(<<"SQL");
SELECT count(*), md5(string_agg(concat_ws(' ', d.key, s.metric, s.labels, s.unit, extract(epoch FROM x.time), x.value), ','
       ORDER BY d.key, s.metric, s.labels::text, x.time))
FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id
WHERE x.tenant_id = $tenant AND x.time >= '@{[day($from)]}Z' AND x.time < timestamptz '@{[day($to)]}Z' + interval '1 day'
SQL
}

# Two tenants with meters of two metrics each, a sample every ten minutes, from 130 days ago on for
# three days, and the same from ten days ago on.
sub populate {
    my ($cluster) = @_;
    my $operator = $cluster->session('tidemark_operator');
    my $ingest = $cluster->session('tidemark_ingest', new => 1);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '140 days', now())");
    for my $name (qw(alpha bravo)) {
        my $id = $operator->value("SELECT ops.tenant_add('$name', '$name', 'Europe/Berlin', 'EUR')");
        $ingest->bind($id);
        my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['meter é'], true)");
        for my $metric (qw(energy_kwh voltage_v)) {
            my $series = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['$metric'], ARRAY['{\"phase\": \"L1\"}'], true)");
            for my $ago (130, 10) {
                $ingest->query("SELECT api.ingest_samples(array_agg($id), array_agg($series), array_agg(t ORDER BY t),"
                        . " array_agg(extract(epoch FROM t)::float8 / 7 ORDER BY t), array_agg(true))"
                        . " FROM generate_series(timestamptz '@{[day($ago)]}Z', timestamptz '@{[day($ago - 3)]}Z' - interval '1 s', '10 minutes') t");
            }
        }
    }
    $cluster->roll_up;
    return;
}

sub check_first {
    my ($cluster, $super, $gate) = @_;
    $cluster->session('tidemark_worker')->query('SELECT ops.archive_configure(true, 72)');
    like(retain($cluster), qr/core\.sample waiting/, 'what is not archived waits for that');
    unlike(retain($cluster), qr/core\.sample dropped/, '  and is not dropped');
    my $place = $cluster->home . '/objects';
    $cluster->run('rm', '-rf', $place);    # the worker has not come to make it
    check_lies($cluster, $super, $gate, 'samples', qw(alpha bravo));
    archives_well($cluster, qr/^12 days, 3456 rows/m, 'first days');
    if (!$gate) {
        $cluster->run('mv', $place, "$place.away");
        my ($status, $said) = archive($cluster, 'run');
        like("$status $said", qr{^1 .*\Q$place\E}s, 'a place that is not there any more is said');
        ok(!-e $place, '  and not made anew');
        $cluster->run('mv', "$place.away", $place);
    }
    is(scalar(grep {/\.parquet$/} objects($cluster)), 12, '  a file a day and tenant, and none of attempts that failed');
    my $object = object($super, 1, 130, 1, 'rows');
    like($object, qr{^archive/samples/tenant=alpha/day=@{[day(130)]}/[0-9a-f]{32}\.parquet$}, '  under the name of both');
    ok((grep { $_ eq $object } objects($cluster)), '  is there');
    my $manifest = decode_json(store($cluster)->slurp($object =~ s/parquet$/json/r));
    is($manifest->{files}[0]{object}, $object, '  with a manifest that names it');
    is($manifest->{files}[0]{rows}, 288, '  and its rows');
    archives_well($cluster, qr/^0 days, 0 rows/m, 'nothing new');
    $super->query('DELETE FROM core.archive_cursor');
    archives_well($cluster, qr/^0 days, 0 rows/m, 'nothing twice');
    my ($status, $said) = archive($cluster, 'list', '--tenant', 'bravo');
    is(scalar(() = $said =~ /^bravo\tsamples\t\S+\t1\trows\t288\t\d+\tin the database/mg), 6, 'they are listed');
    ($status, $said) = archive($cluster, 'verify');
    is($status, 0, 'and verified') or diag($said);
    return;
}

# Old days go, and come back as they were.
sub check_retention {
    my ($cluster, $super) = @_;
    my %before = map { $_ => samples($super, $_, 130, 128) } 1, 2;
    like(retain($cluster), qr/core\.sample dropped/, 'what is archived is dropped');
    like(samples($super, 1, 130, 128), qr/^0 /, '  all of it');
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha', '--from', day(130), '--to', day(128));
    is($status, 0, 'restored') or diag($said);
    is(samples($super, 1, 130, 128), $before{1}, '  as it was');
    like(samples($super, 2, 130, 128), qr/^0 /, '  and of nobody else');
    retain($cluster);    # an empty partition beside it may go
    is(samples($super, 1, 130, 128), $before{1}, '  and stays for a while');
    my $worker = $cluster->session('tidemark_worker');
    $worker->query('SELECT ops.archive_configure(false, 72)');
    retain($cluster);
    is(samples($super, 1, 130, 128), $before{1}, '  even without an archive');
    $worker->query('SELECT ops.archive_configure(true, 72)');
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha', '--from', day(130));
    like($said, qr/^there\talpha\tsamples\t@{[day(130)]}/m, '  once');
    $super->query('UPDATE core.archive_day SET pinned_until = now() WHERE pinned_until IS NOT NULL');
    like(retain($cluster), qr/core\.sample dropped/, 'then it goes again');
    return \%before;
}

sub late {
    my ($cluster, $tenant, $ago, $hour, $value) = @_;
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind($tenant);
    my $series = 1 + 2 * ($tenant - 1);
    $ingest->query("SELECT api.partitions_ensure(timestamptz '@{[day($ago)]}Z', now());"
            . " SELECT api.ingest_samples(ARRAY[$tenant], ARRAY[$series], ARRAY[timestamptz '@{[day($ago)]} $hour:03:00Z'], ARRAY[$value], ARRAY[true])");
    return;
}

# What is late, corrected, deleted while the database has the day, and the archive is off; then the day
# goes and comes back, but not while it changes.
sub check_changes {
    my ($cluster, $super) = @_;
    my $worker = $cluster->session('tidemark_worker', new => 1);
    $worker->query('SELECT ops.archive_configure(false, 200000)');
    my $web = $cluster->session('tidemark_web', new => 1)->bind(2);
    late($cluster, 2, 9, 11, 42.5);
    $web->query("SELECT api.sample_put('meter é', ARRAY['energy_kwh'], ARRAY['{\"phase\": \"L1\"}'], ARRAY[timestamptz '@{[day(9)]} 10:00Z'], ARRAY[7.25])");
    $web->query("SELECT api.sample_delete('meter é', 'voltage_v', '@{[day(9)]} 20:00Z', '@{[day(8)]} 03:00Z')");
    my $truth = samples($super, 2, 10, 8);
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo', '--from', day(9));
    like($said, qr/wait to be archived/, 'a day that changed is not restored before that is archived');
    archives_well($cluster, qr/^2 days, 2 rows/m, 'changes');
    my $voids = object($super, 2, 9, 2, 'tombstones');
    like($voids, qr{^archive/samples\.tombstones/tenant=bravo/day=@{[day(9)]}/}, '  with tombstones');
    ok((grep { $_ eq $voids } objects($cluster)), '  in the store');
    $super->query("DELETE FROM core.sample WHERE tenant_id = 2 AND time < '@{[day(7)]}Z'");
    $super->query('UPDATE core.archive_day SET is_held = false WHERE tenant_id = 2');
    $worker->bind(2)->query("BEGIN; SELECT ops.archive_restore_begin('samples', '@{[day(4)]}')");
    late($cluster, 2, 4, 11, 42.5);
    is($worker->run("SELECT ops.archive_restore_end('samples', '@{[day(4)]}', 30)")->{error}, 'TM409', '  not restored over what came meanwhile');
    $worker->query('ROLLBACK');
    archives_well($cluster, qr/^1 days, 1 rows/m, 'that, too');
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo', '--from', day(10));
    is(samples($super, 2, 10, 8), $truth, '  and restored as changed') or diag($said);
    return;
}

# Late data of a day that is no longer in the database is added to it, and voids nothing.
sub check_late_to_dropped {
    my ($cluster, $super, $before) = @_;
    late($cluster, 1, 129, 11, 1e6);
    archives_well($cluster, qr/^1 days, 1 rows/m, 'late data of a dropped day');
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha', '--from', day(130), '--to', day(128));
    my ($n) = split / /, samples($super, 1, 130, 128);
    is($n, 865, '  and restored with it') or diag($said);
    return;
}

sub check_erasure {
    my ($cluster, $super) = @_;
    my $archiver = $cluster->session('tidemark_worker', new => 1)->bind(1);
    my $seen = $archiver->value("BEGIN; SELECT seen FROM ops.archive_begin('samples', '@{[day(7)]}', '@{[day(7)]}', true, '{}')");
    $cluster->session('tidemark_web', new => 1)->bind(1)->query("SELECT api.device_erase('meter é')");
    is($archiver->run("SELECT ops.archive_mark('samples', '@{[day(7)]}', '@{[day(7)]}', false, 9, '$seen', '{}', '{}', '{}', '{}', '{}', '{}')")->{error}, 'TM409',
        'a day that was read before a device was erased is not archived like that');
    $archiver->query('ROLLBACK');
    $cluster->session('tidemark_worker')->query('SELECT ops.residue_erase()');
    archives_well($cluster, undef, 'an erased device');
    my ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha');
    $super->query("UPDATE core.archive_day SET is_held = false WHERE tenant_id = 1");
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'alpha');
    is($status, 0, '  its days are restored') or diag($said);
    is($super->value('SELECT count(*) FROM core.sample WHERE tenant_id = 1'), 0, '  without it');
    is($super->value('SELECT count(*) FROM core.device WHERE tenant_id = 1'), 0, '  nor is the device made again');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_remove('alpha')");
    archives_well($cluster, undef, 'a tenant that is gone');
    is(scalar(grep {m{tenant=alpha}} objects($cluster)), 0, '  leaves no object');
    return;
}

# Samples of the files, of which one is damaged.
sub check_sample {
    my ($cluster, $super) = @_;
    my $n_files = $super->value('SELECT count(*) FROM core.archive');
    my %read;
    for (1 .. 3) {
        $super->query("UPDATE core.archive SET verified_at = '-infinity'; TRUNCATE core.archive_check");
        my ($status, $said) = archive($cluster, 'verify', '--sample', 4);
        like($said, qr/^4 of $n_files files read, [01] damaged/m, 'a sample is of that many files');
        my @read = map { $_->[0] } $super->query("SELECT id FROM core.archive WHERE verified_at > '-infinity' UNION SELECT file_id FROM core.archive_check");
        is(scalar @read, 4, '  which were read');
        $read{$_} = 1 for @read;
    }
    cmp_ok(scalar keys %read, '>', 4, '  and not always the same');
    my ($status, $said) = archive($cluster, 'verify', '--sample', $n_files + 1);
    is($status, 1, 'a sample of more than there are');
    like($said, qr/^$n_files of $n_files files read, 1 damaged/m, '  is of all, and finds what is damaged');
    is((archive($cluster, 'verify', '--sample', $_))[0], 2, "no sample of $_") for 0, -1, 'x', '';
    is((archive($cluster, 'list', '--sample', 1))[0], 2, 'nor does the list take one');
    return;
}

# A flipped byte, and a file that is gone.
sub check_damage {
    my ($cluster, $super) = @_;
    my $store = store($cluster);
    my $object = object($super, 2, 9, 1, 'rows');
    my $bytes = $store->slurp($object);
    my $flipped = $bytes;
    substr($flipped, 300, 1) ^= "\x01";
    $store->spit($object, $flipped);
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 1, 'a flipped byte is found');
    like($said, qr/^damaged\t\Q$object\E\t.*checksum/m, '  and named') or diag($said);
    my $found = "SELECT c.found FROM core.archive_check c JOIN core.archive a ON a.id = c.file_id WHERE a.object = '$object'";
    is($super->value($found), 'damaged', '  and noted for its members');
    check_sample($cluster, $super);
    my $day = "tenant_id = 2 AND day = '@{[day(9)]}'";
    my $before = samples($super, 2, 10, 8);
    $super->query("UPDATE core.archive_day SET is_held = false WHERE $day");
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo', '--from', day(9), '--to', day(9));
    like($said, qr/^failed\tbravo\tsamples\t\S+\t.*checksum/m, '  and not restored') or diag($said);
    is(samples($super, 2, 10, 8), $before, '  in the least');
    $super->query("UPDATE core.archive_day SET is_held = true WHERE $day");
    $store->spit($object, substr $bytes, 0, 1000);
    ($status, $said) = archive($cluster, 'verify', '--tenant', 'bravo');
    like($said, qr/^damaged\t\Q$object\E/m, 'a file that was cut is found');
    $store->remove($object);
    ($status, $said) = archive($cluster, 'verify', '--tenant', 'bravo');
    like($said, qr/^missing\t\Q$object\E/m, 'one that is gone, too');
    is($super->value($found), 'missing', '  which is noted');
    $store->spit($object, $bytes);
    $super->query("UPDATE core.archive SET n = 7 WHERE object = '$object'");
    ($status, $said) = archive($cluster, 'verify', '--tenant', 'bravo');
    like($said, qr/^damaged\t\Q$object\E\t.*notes/m, 'one in the place of another');
    is(join(' ', $said =~ m{^missing\tarchive/samples/tenant=bravo/day=@{[day(9)]}/\tfile (\d) of this day$}mg), '1 3 4 5 6', '  and the numbers that are not there, of which it has the second');
    $super->query("UPDATE core.archive SET n = 1 WHERE object = '$object'");
    ($status, $said) = archive($cluster, 'verify');
    is($status, 0, 'and nothing where all is well') or diag($said);
    is($super->text("SELECT count(*), ($found) FROM core.archive_check"), '1 sound', '  which is noted of the one that was not');
    my $stranger = 'archive/events/tenant=bravo/day=2020-01-01/1.parquet';
    $store->spit($stranger, 'of a database that was given up');
    ($status, $said) = archive($cluster, 'verify');
    is($status, 0, 'what nobody knows of is no failure') or diag($said);
    is_deeply([$said =~ /^unknown\t(.*)$/mg], [$stranger], '  and is named, alone');
    $store->remove($stranger);
    return;
}

# Files that there are none of, days that are none, and a store that says nothing.
sub check_choice {
    my ($cluster, $super) = @_;
    for my $words (['verify', '--tenant', 'nobody'], ['restore', '--tenant', 'nobody'], ['verify', '--from', day(9), '--to', day(9), '--table', 'events'], ['restore', '--all', '--from', '2001-01-01', '--to', '2001-01-02']) {
        my ($status, $said) = archive($cluster, @{$words});
        is($status, 1, "@{$words}: fails");
        like($said, qr/the archive has none of these days/, '  and says why');
    }
    for my $words (['--from', 'yesterday'], ['--to', '2026-13-45'], ['--from', '2026-11-20T00:00:00Z'], ['--from', day(3), '--to', day(4)]) {
        my ($status, $said) = archive($cluster, 'verify', @{$words});
        is($status, 2, "verify @{$words}: is refused");
        like($said, qr/--(?:from|to): a day/, '  by name');
    }
    my $tidemark = $cluster->home . "/tidemark";
    my $away = sub { return $cluster->run('sh', '-c', "TIDEMARK_HOME='@{[$cluster->home]}' S3_ENDPOINT=http://127.0.0.1:9 S3_BUCKET=away S3_ACCESS_KEY=k S3_SECRET_KEY=s '$tidemark' archive $_[0] 2>&1; echo exit \$?") };
    my $said = $away->('verify');
    like($said, qr/^exit 1$/m, 'a store that is away: verify fails');
    unlike($said, qr/^(?:damaged|missing|failed)\t/m, '  and calls nothing damaged');
    like($said, qr/^0 of 1 files read, 0 damaged or missing$/m, '  at the first') or diag($said);
    my @held = map { $_->[0] } $super->query("SELECT day FROM core.archive_day WHERE tenant_id = 2 AND relation = 'samples' AND is_held");
    cmp_ok(scalar @held, '>', 1, 'days that could be brought back');
    my $hold = sub { return $super->query("UPDATE core.archive_day SET is_held = $_[0] WHERE tenant_id = 2 AND relation = 'samples' AND day IN (" . join(', ', map {"'$_'"} @held) . ')') };
    $hold->('false');
    $said = $away->('restore --all');
    like($said, qr/^exit 1$/m, '  out of a store that is away are not');
    unlike($said, qr/^failed\t/m, '  which is not tried for each of them') or diag($said);
    like($said, qr/127[.]0[.]0[.]1/, '  but said') or diag($said);
    $hold->('true');
    my $folder = $cluster->home . '/objects';
    if (store($cluster)->{folder}) {
        $cluster->run('mv', $folder, "$folder.away");
        for my $how ('a folder that is away', 'one where a disk is to be mounted') {
            for my $what ('verify', 'restore') {
                (my $status, $said) = archive($cluster, $what, $what eq 'restore' ? '--all' : ());
                is($status, 1, "$how: $what fails");
                unlike($said, qr/^(?:damaged|missing)\t/m, '  and calls nothing damaged') or diag($said);
            }
            like((archive($cluster, 'verify'))[1], qr/\Q$folder\E.*mounted/, '  it says where');
            $cluster->run('mkdir', $folder) if $how =~ /away/;
        }
        $cluster->run('rmdir', $folder);
        $cluster->run('mv', "$folder.away", $folder);
    }
    return;
}

# ---- killed ----

my $FORGET = 'TRUNCATE core.archive, core.archive_day, core.archive_cursor, core.archive_change;';

# Changes of an archived day, late samples and deleted ones, come through archivers that are killed at each
# step: they get the day's second number once, and nothing is left of what was begun.
sub check_killed_changes {
    my ($cluster, $super, $gate) = @_;
    late($cluster, 2, 9, 12, 77.5);
    $cluster->session('tidemark_web', new => 1)->bind(2)->query("SELECT api.sample_delete('meter é', 'voltage_v', '@{[day(9)]} 05:00Z', '@{[day(9)]} 06:00Z')");
    my $truth = samples($super, 2, 10, 8);
    my @new = kill_archivers($cluster, $super, $gate, 'samples');
    my $of_day = "tenant_id = 2 AND day = '@{[day(9)]}'";
    is($super->text("SELECT string_agg(n || ' ' || kind || ' ' || n_rows, ', ' ORDER BY n, kind DESC) FROM core.archive WHERE $of_day"),
        '1 rows 265, 2 tombstones 2, 2 rows 1', '  has a second number, once');    # 2 x 144 + 1 late - 24 deleted; a tombstone a change
    check_killed_catalogue($cluster, $super, $gate, grep {/parquet$/} @new);
    $super->query("DELETE FROM core.sample WHERE tenant_id = 2 AND time < '@{[day(3)]}Z'; UPDATE core.archive_day SET is_held = false, pinned_until = NULL WHERE tenant_id = 2");
    check_killed_restores($cluster, $super, $gate);
    archive($cluster, 'restore', '--tenant', 'bravo');
    is(samples($super, 2, 10, 8), $truth, '  and comes back as changed');
    return;
}

# A catalogue that was half written is no catalogue, and the next archiver writes one that has these files.
sub check_killed_catalogue {
    my ($cluster, $super, $gate, @files) = @_;
    my $count = sub { return scalar grep {m{^archive/catalogue/tenant=bravo/}} objects($cluster) };
    my $n = $count->();
    $cluster->session('tidemark_operator')->query(q{SELECT ops.tenant_patch('bravo', 'Bravo', NULL, NULL, NULL)});
    kill_at_step($cluster, $super, $gate, ['a catalogue is written', "KILL_HALF=1 KILL_PUT='*/catalogue/*'", ['PUT', qr{/catalogue/}, 'half']], 'run');
    is($count->(), $n, '  there is no more of them');
    archives_well($cluster, undef, 'a catalogue, after that');
    my ($catalogue) = $super->query('SELECT object FROM core.archive_catalogue WHERE tenant_id = 2 AND digest IS NOT NULL ORDER BY object DESC LIMIT 1');
    like(store($cluster)->slurp($catalogue->[0]), qr/\Q$_\E/, '  has what was archived') for @files;
    return;
}

# The day of two numbers is restored by commands that are killed at each step, at the store and in the database.
sub check_killed_restores {
    my ($cluster, $super, $gate) = @_;
    my @restore = ('restore', '--tenant', 'bravo', '--from', day(9), '--to', day(9));
    my $facts = sub { return samples($super, 2, 9, 9) . $super->text("SELECT is_held, coalesce(pinned_until > now(), false) FROM core.archive_day WHERE tenant_id = 2 AND day = '@{[day(9)]}'") };
    like($facts->(), qr/^0 -f f$/, 'a day is not there');
    kill_restores($cluster, $super, $gate, 'samples', $facts, @restore);
    like($facts->(), qr/^260 \w+t t$/, '  and it is pinned');
    return;
}

# Whatever moment an archiver is killed at, the next one has it all, once.
sub check_kills {
    my ($cluster, $super, $rounds) = @_;
    my $truth = samples($super, 2, 10, 4);
    $super->query($FORGET);
    kill_at($cluster, $super, 'begin a day', 'core.sample IN ACCESS EXCLUSIVE', 'run');
    kill_at($cluster, $super, 'mark a day', 'core.archive IN SHARE', 'run');
    is($super->value('SELECT count(*) FROM core.archive'), 0, '  nothing is noted');
    kill_at_random($cluster, $super, $rounds, sub { $super->query($FORGET) }, 'run');
    archives_well($cluster, undef, "after $rounds more that were killed");
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 0, '  all is sound') or diag($said);
    is($super->text('SELECT count(*), count(DISTINCT (tenant_id, day)), sum(n_rows) FROM core.archive WHERE tenant_id = 2'),
        $super->text("SELECT count(DISTINCT time::date), count(DISTINCT time::date), count(*) FROM core.sample WHERE tenant_id = 2 AND time < '@{[day(3)]}Z'"), '  and once');
    my $lose = "DELETE FROM core.sample WHERE tenant_id = 2 AND time < '@{[day(3)]}Z'; UPDATE core.archive_day SET is_held = false WHERE tenant_id = 2";
    my @restore = ('restore', '--tenant', 'bravo');
    $super->query($lose);
    kill_at($cluster, $super, 'restore rows', 'core.sample IN SHARE', @restore);
    kill_at($cluster, $super, 'note that a day is restored', 'core.archive_day IN SHARE', @restore);
    kill_at_random($cluster, $super, $rounds, sub { $super->query($lose) }, @restore);
    ($status, $said) = archive($cluster, @restore);
    is($status, 0, 'a restore after all those') or diag($said);
    is(samples($super, 2, 10, 4), $truth, '  brings back what there was');
    return;
}

# Days on which the clocks of the worker's time zone are changed are days of UTC like any other.
sub check_switches {
    my ($cluster, $super) = @_;
    my $id = $cluster->session('tidemark_operator')->value("SELECT ops.tenant_add('charlie', 'charlie', 'Europe/Berlin', 'EUR')");
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind($id);
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['clock'], true)");
    my @series = map { $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['$_'], ARRAY['{}'], true)") } qw(voltage_v current_a);
    my @spans = (['2025-03-29', '2025-03-30', '2025-03-31'], ['2025-10-25', '2025-10-26', '2025-10-27']);
    for my $span (@spans) {
        $ingest->query("SELECT api.partitions_ensure(timestamptz '$span->[0]Z', timestamptz '$span->[2]Z')");
        $ingest->query("SELECT api.ingest_samples(array_agg($id), array_agg($_), array_agg(t ORDER BY t), array_agg(1.5 ORDER BY t), array_agg(true))"
                . " FROM generate_series(timestamptz '$span->[0] 00:00Z', timestamptz '$span->[2] 23:50Z', '10 minutes') t") for @series;
    }
    $super->query("ALTER ROLE tidemark_worker SET timezone = 'Europe/Berlin'");
    my $worker = $cluster->session('tidemark_worker', new => 1)->bind($id);
    for my $span (@spans) {
        for my $days ([@{$span}[0, 2], 864], map { [$_, $_, 288] } @{$span}) {
            my ($from, $to, $n) = @{$days};
            $worker->query("BEGIN; SELECT is_first FROM ops.archive_begin('samples', '$from', '$to', false, '{}')");
            my @rows = $worker->query('FETCH ALL FROM archive_samples');
            $worker->query('ROLLBACK');
            is(scalar @rows, $n, "$from to $to where the clocks are changed: each sample is read once");
        }
    }
    archives_well($cluster, qr/^6 days, 1728 rows/m, 'all of them');
    is($super->text("SELECT count(*), min(n_rows), max(n_rows) FROM core.archive WHERE tenant_id = $id"), '6 288 288', '  each with all of its own');
    is($worker->value("BEGIN; SELECT n FROM ops.archive_begin('samples', '2025-03-30', '2025-03-30', false, '{}')"), undef, '  and none is begun as a first one again');
    $worker->query('ROLLBACK');
    $super->query('ALTER ROLE tidemark_worker RESET timezone');
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    my $minio = Tidemark::Minio->on_last($cluster->engine, Tidemark::Stack->engines);
    my $gate = $minio && Tidemark::Gate->new($minio);
    keep_in($cluster, $minio) if $minio;
    populate($cluster);
    check_first($cluster, $super, $gate);
    my $before = check_retention($cluster, $super);
    check_changes($cluster, $super);
    check_late_to_dropped($cluster, $super, $before);
    check_damage($cluster, $super);
    check_choice($cluster, $super);
    check_erasure($cluster, $super);
    check_kills($cluster, $super, $ENV{KILLED_ARCHIVERS} || 20);
    check_killed_changes($cluster, $super, $gate);
    check_switches($cluster, $super);
});
done_testing;
