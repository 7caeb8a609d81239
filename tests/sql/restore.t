#!/usr/bin/env perl
# Restoring backups on real servers: everything of two tenants, on the server that made the backup and
# on another one; what is refused, and that whatever goes wrong leaves the database as it was; what
# becomes of the objects that came after the backup.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Test::More;
use Tidemark::Archiver qw(day archive archives_well objects store);
use Tidemark::Cluster;
use Tidemark::Scratch qw(slurp_whole spit);
use Tidemark::TwoTenants qw(areas two_tenants count_from);

my @FILL = map { $_->{fill} || () } areas();

# All rows of all tables of ours, and what else a database is made of, each by its checksum.
sub fingerprint {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super', new => 1);
    my @tables = map { $_->[0] } $super->query("SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            . " WHERE n.nspname IN ('core', 'ops') AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            . " AND c.relname <> 'store_given_up' ORDER BY 1");    # which says when it was restored
    my %print = map { $_ => $super->text("SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text COLLATE \"C\")) FROM $_ r") } @tables, 'core.event_count_1d';
    my $ours = "n.nspname IN ('core', 'api', 'ops')";
    my %shape = (
        functions => "SELECT pg_get_functiondef(p.oid) || (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(p.proacl) a) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE $ours AND p.prokind IN ('f', 'p')",
        policies => 'SELECT p::text FROM pg_policies p',
        secured => "SELECT concat(c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE $ours AND c.relname !~ '_hyper_'",
        rights => "SELECT concat(c.relname, a) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(c.relacl) a WHERE $ours",
        sequences => "SELECT concat(schemaname, sequencename, last_value) FROM pg_sequences WHERE schemaname IN ('core', 'ops')",
        indexes => "SELECT i.indexdef FROM pg_indexes i WHERE i.schemaname IN ('core', 'ops')",
        constraints => "SELECT concat(conrelid::regclass, conname, pg_get_constraintdef(c.oid)) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE $ours",
        triggers => "SELECT translate(pg_get_triggerdef(t.oid), '()', '') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE $ours AND NOT t.tgisinternal",
        database => "SELECT concat(pg_get_userbyid(datdba), a) FROM pg_database, unnest(datacl) a WHERE datname = current_database() AND a::text !~ '^(grafana|sql)_'",
    );
    if ($cluster->{wanted} eq 'timescaledb') {
        $shape{chunks} = "SELECT concat(chunk_name, is_compressed, range_start) FROM timescaledb_information.chunks WHERE hypertable_schema IN ('core', 'ops')";
        $shape{policies_of_timescaledb} = 'SELECT concat(job_id, proc_name, schedule_interval, config, hypertable_name) FROM timescaledb_information.jobs WHERE job_id >= 1000';
    }
    $print{$_} = $super->text("SELECT count(*), md5(string_agg(x, ',' ORDER BY x COLLATE \"C\")) FROM ($shape{$_}) s(x)") for keys %shape;
    return \%print;
}

sub databases {
    my ($cluster) = @_;
    return join ' ', sort split /\n/, $cluster->run("$cluster->{programs}/psql", '-AtX', '-h', $cluster->home . '/run', '-U',
        'tidemark_super', '-d', 'postgres', '-c', "SELECT datname FROM pg_database WHERE datname LIKE 'tidemark%'");
}

# A session that ends takes its time; a restore minds it.
sub leave {
    my ($cluster) = @_;
    delete $cluster->{sessions};
    my $one = $cluster->session('tidemark_super', new => 1);
    my $n = 1;
    for (1 .. 500) {
        $n = $one->value("SELECT count(*) FROM pg_stat_activity WHERE datname = 'tidemark' AND backend_type = 'client backend' AND pid <> pg_backend_pid()");
        last if !$n;
        select undef, undef, undef, 0.02;
    }
    return $n;
}

# ---- what is refused ----

# Runs with the manifest changed by `edit`, then puts it back.
sub with_manifest {
    my ($path, $edit, $run) = @_;
    my $text = slurp_whole($path);
    my $manifest = JSON::PP->new->decode($text);
    $edit->($manifest);
    spit($path, JSON::PP->new->canonical->encode($manifest));
    $run->();
    spit($path, $text);
    return;
}

sub check_refused {
    my ($cluster, $folder, $name) = @_;
    my $before = fingerprint($cluster);
    my $refused = sub {
        my ($expected, $what, @options) = @_;
        my ($status, $said) = $cluster->tidemark('restore', $name, '--from', $folder, @options);
        like($said, $expected, $what);
        is("$status @{[databases($cluster)]}", '1 tidemark', '  and no database is left or renamed');
    };
    $refused->(qr/not empty \(\d+ tenants and persons, 0 tables of others\): --force/, 'a database that is not empty');
    with_manifest("$folder/$name.json", sub { $_[0]{schema} += 1 },
        sub { $refused->(qr/schema is at version \d+, this tidemark knows \d+/, 'a newer schema', '--force') });
    with_manifest("$folder/$name.json", sub { $_[0]{timescaledb} = '1.0.0' },
        sub { $refused->(qr/TimescaleDB 1\.0\.0, and this server makes/, 'another TimescaleDB', '--force') });
    with_manifest("$folder/$name.json", sub { $_[0]{rows}{'core.device'}++ },
        sub { $refused->(qr/core\.device has \d+ rows after the restore, not \d+/, 'other rows than were counted', '--force') });
    with_manifest("$folder/$name.json", sub { $_[0]{checksums}{'core.sample'} .= '1' },
        sub { $refused->(qr/the rows of core\.sample are others after the restore/, 'another checksum of the rows', '--force') });
    with_manifest("$folder/$name.json", sub { delete $_[0]{checksums}{'core.sample'} },
        sub { $refused->(qr/the manifest of the backup is damaged/, 'checksums of all tables but one', '--force') });
    my $dump = slurp_whole("$folder/$name.dump");
    my $flipped = $dump;
    substr($flipped, length($flipped) / 2, 1) ^= "\x01";
    spit("$folder/$name.dump", $flipped);
    $refused->(qr/checksum differs/, 'a flipped byte', '--force');
    my $cut = substr $dump, 0, length($dump) * 0.7;
    spit("$folder/$name.dump", $cut);
    with_manifest("$folder/$name.json", sub { @{ $_[0] }{qw(bytes sha256)} = (length $cut, sha256_hex($cut)) },
        sub { $refused->(qr/pg_restore failed: pg_restore: error: /, 'a dump that pg_restore cannot read', '--force') });
    spit("$folder/$name.dump", $dump);
    my $said = $cluster->run('sh', '-c', '"$@" 2>&1; true', 'sh', 'env', "DATABASE_URL=host=@{[$cluster->home]}/run user=tidemark_owner dbname=tidemark",
        $cluster->home . '/tidemark', 'restore', $name, '--from', $folder, '--force');
    like($said, qr/must log in as a superuser/, 'a login that is no superuser');
    (my $status, $said) = $cluster->tidemark('restore', $name);
    like($said, qr/there is no backup $name in /, 'a backup that is not there');
    is_deeply(fingerprint($cluster), $before, 'nothing was changed by any of them');
    return;
}

# ---- what is restored ----

sub check_trial {
    my ($cluster, $folder, $name) = @_;
    my ($status, $said) = $cluster->tidemark('restore', 'latest', '--from', $folder, '--trial');
    is($status, 0, 'a trial, beside a database in use') or diag($said);
    like($said, qr/^\d+ tables have the backup's \d+ rows and checksums$/m, '  compares');
    is(databases($cluster), 'tidemark', '  and leaves nothing');
    my $compared = sub {
        ($status, $said) = $cluster->tidemark('restore', $name, '--from', $folder, '--trial');
        my ($what) = $said =~ /^\d+ tables have the backup's \d+ (.*)$/m;
        is("$status @{[$what // $said]}", '0 rows', $_[0]);
    };
    with_manifest("$folder/$name.json", sub { delete $_[0]{checksums} }, sub { $compared->('a backup without checksums of tables is compared by its rows') });
    with_manifest("$folder/$name.json", sub { $_[0]{postgresql_major}--; $_[0]{checksums}{'core.sample'} = '1' },
        sub { $compared->("  as one of another version's server, whose hash functions may be others") });
    return;
}

# What tenants see through the application's role.
sub check_tenants {
    my ($cluster, $what) = @_;
    my $web = $cluster->session('tidemark_web', new => 1);
    is(join('; ', map { $web->bind($_)->text('SELECT key FROM api.device ORDER BY 1') } 1, 2), 'alpha-meter; bravo-meter', "$what: each tenant sees its own");
    is($web->bind(undef)->value('SELECT count(*) FROM api.device'), 0, '  without one nothing is seen');
    is($web->error('SELECT * FROM core.device'), '42501', '  nor past the views');
    is($cluster->session('tidemark_owner', new => 1)->value('SELECT count(*) FROM core.device'), 0, '  and the owner is bound, too');
    return;
}

# What is written after a restore.
sub check_alive {
    my ($cluster) = @_;
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind(1);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '1 day', now())");
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['new-meter'], true)");
    my $series = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['power_w'], ARRAY['{}'], true)");
    $ingest->query("SELECT api.ingest_samples(ARRAY[1], ARRAY[$series], ARRAY[now() - interval '3 hours'], ARRAY[7.5], ARRAY[true])");
    $cluster->roll_up;
    my $super = $cluster->session('tidemark_super');
    is($super->value("SELECT sum(r.sum) FROM core.rollup_1h r WHERE r.series_id = $series"), 7.5, '  what comes later is stored and rolled up');
    return;
}

# Puts a newer backup of another installation beside one; its name.
sub put_foreign {
    my ($cluster, $folder, $name) = @_;
    my $foreign = '20990101T000000Z-0123abcd';
    my $manifest = JSON::PP->new->decode(slurp_whole("$folder/$name.json"));
    $manifest->{installation} = 'f' x 32;
    spit("$folder/$foreign.json", JSON::PP->new->canonical->encode($manifest));
    $cluster->run('cp', "$folder/$name.dump", "$folder/$foreign.dump");
    return $foreign;
}

sub check_in_place {
    my ($cluster, $folder, $name, $before) = @_;
    put_foreign($cluster, $folder, $name);
    my $late = $cluster->session('tidemark_operator', new => 1)->value("SELECT ops.tenant_add('late', 'late', 'UTC', 'EUR')");
    my $held = $cluster->session('tidemark_web', new => 1)->bind(1);
    my ($status, $said) = $cluster->tidemark('restore', 'latest', '--from', $folder, '--force');
    is($status, 0, 'restored in place of a database in use') or diag($said);
    like($said, qr/^reading $name whole /m, '  the newest of its own installation, not of another in the same folder');
    my ($kept) = $said =~ /^tidemark is the backup now; what was there is called (tidemark_before_\w+)$/m;
    like($said, qr/^start the application and the worker anew/m, '  whoever runs on is to be started anew');
    is(databases($cluster), 'tidemark ' . ($kept // 'none'), '  the old one stays under the name that is told');
    ok(!eval { $held->value('SELECT 1'); 1 }, '  whoever was connected is not any more');
    delete $cluster->{sessions};
    is_deeply(fingerprint($cluster), $before, '  each table, right and rule is as it was');
    is($cluster->run("$cluster->{programs}/psql", '-AtX', '-h', $cluster->home . '/run', '-U', 'tidemark_super', '-d', $kept // 'none',
            '-c', "SELECT slug FROM core.tenant WHERE id = $late"), "late\n", '  the old one has what came later');
    check_tenants($cluster, 'after it');
    check_alive($cluster);
    return;
}

sub check_elsewhere {
    my ($engine, $folder, $name, $before) = @_;
    my $other = Tidemark::Cluster->start($engine);
    is($other->session('tidemark_super')->value('SELECT count(*) FROM core.tenant'), 0, 'another server, with an empty database');
    $other->session('tidemark_super')->query("UPDATE ops.migration_history SET applied_at = applied_at + interval '1 s' WHERE version = 1"); # both are copies of one
    my $held = $other->session('tidemark_web', new => 1);
    my ($status, $said) = $other->tidemark('restore', 'latest', '--from', $folder);
    like($said, qr/in use by .*psql: stop the application and the worker/, '  is not restored to while it is in use');
    undef $held;
    leave($other);
    my $foreign = put_foreign($other, $folder, $name);
    my $own = substr JSON::PP->new->decode(slurp_whole("$folder/$name.json"))->{installation}, 0, 8;
    ($status, $said) = $other->tidemark('restore', 'latest', '--from', $folder);
    like($said, qr/backups of several installations: say which by its name.*\Q$name (installation $own), $foreign (installation ffffffff)\E$/m,
        "  the latest is nobody's where several installations have some");
    is("$status @{[databases($other)]}", '1 tidemark', '    and nothing is restored');
    $other->run('rm', map {"$folder/$foreign.$_"} qw(dump json));
    ($status, $said) = $other->tidemark('restore', 'latest', '--from', $folder);
    is($status, 0, '  and then it is') or diag($said);
    is_deeply(fingerprint($other), $before, '  the same as on the server it came from');
    check_tenants($other, 'there');
    check_alive($other);
    # a change that was noted on a server that had come to another transaction
    my $note = q{core.archive_change c WHERE c.device = 'far'};
    $other->session('tidemark_super')->query("INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels, from_time, to_time, is_erasure, xid)"
            . " VALUES (1, 'samples', '2020-01-01', 1, 'far', 'x', '{}', '2020-01-01', '2020-01-01', false, '99999999999')");
    $other->session('tidemark_super')->query("INSERT INTO core.archive_catalogue (tenant_id, object, digest) VALUES (1, 'archive/catalogue/tenant=a/x.ndjson', 'x')");
    ($status, $said) = $other->tidemark('backup', '--to', "$folder.other", '--make');
    ($status, $said) = $other->tidemark('restore', 'latest', '--from', "$folder.other", '--force');
    is($status, 0, 'what was noted of the archive elsewhere') or diag($said);
    delete $other->{sessions};
    is($other->session('tidemark_super')->value("SELECT c.xid < pg_snapshot_xmax(pg_current_snapshot()) FROM $note"), 't', '  is seen');
    is($other->session('tidemark_super')->value(q{SELECT digest IS NULL FROM core.archive_catalogue WHERE object ~ '/x.ndjson'}), 't', '  and the next catalogue is written, whatever the newest says');
    $other->stop;
    return;
}

# ---- what came to the store after the backup ----

# A reading that comes late to a day.
sub late {
    my ($cluster, $ago, $value) = @_;
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind(1);
    my $series = $cluster->session('tidemark_super')->value("SELECT min(id) FROM core.series WHERE tenant_id = 1 AND metric = 'alpha_w'");
    $ingest->query("SELECT api.partitions_ensure(timestamptz '@{[day($ago)]}Z', now());"
            . " SELECT api.ingest_samples(ARRAY[1], ARRAY[$series], ARRAY[timestamptz '@{[day($ago)]} 11:03:00Z'], ARRAY[$value], ARRAY[true])");
    return;
}

# The archive's keys that the database speaks of, sorted.
sub known {
    my ($cluster) = @_;
    my @files = map { $_->[0] } $cluster->session('tidemark_super')->query('SELECT object FROM core.archive UNION SELECT object FROM core.archive_catalogue');
    my %known = map { ($_ => 1, m{[.]parquet$} ? (s/[.]tombstones//r =~ s/parquet$/json/r => 1) : ()) } @files;
    return sort keys %known;
}

sub unknown {
    my ($cluster) = @_;
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 0, '  what is known is sound') or diag($said);
    return [sort $said =~ /^unknown\t(.*)$/mg];
}

# What a database wrote in the store between its backup and its end: a further number of a day and the first one of
# another, catalogues, a tenant, a file that was begun, and an upload; those keys of them that are of the other day.
sub go_on {
    my ($cluster) = @_;
    my %there = map { $_ => 1 } objects($cluster);
    late($cluster, 9, 1);
    late($cluster, 60, 2);
    my $id = $cluster->session('tidemark_operator', new => 1)->value("SELECT ops.tenant_add('newer', 'newer', 'UTC', 'EUR')");
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind($id);
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['x'], true)");
    my $series = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['power_w'], ARRAY['{}'], true)");
    $ingest->query("SELECT api.ingest_samples(ARRAY[$id], ARRAY[$series], ARRAY[timestamptz '@{[day(9)]} 11:03:00Z'], ARRAY[3], ARRAY[true])");
    archives_well($cluster, qr/^3 days, /m, 'what came after the backup');
    store($cluster)->spit("archive/samples/tenant=alpha/day=@{[day(8)]}/" . 'ab' x 16 . '.parquet', 'begun');
    store($cluster)->spit('upload/1/ab/abababab-0000-4000-8000-000000000001', 'nobody knows');
    my @new = grep { !$there{$_} } objects($cluster);
    is(scalar(grep {/tenant=newer/} @new) . ' ' . scalar(grep {m{catalogue/tenant=alpha}} @new), '4 1', '  is in the store');
    return grep {m{tenant=alpha/day=@{[day(60)]}}} @new;
}

# Nobody else's objects go: those of a number that is free stay, and what came after the restore.
sub check_store {
    my ($cluster, $folder) = @_;
    my $super = $cluster->session('tidemark_super', new => 1);
    $super->query('TRUNCATE core.archive, core.archive_day, core.archive_cursor, core.archive_change, core.archive_wish, core.archive_check,'
            . ' core.archive_cost_note, core.archive_catalogue, core.store_given_up');    # what two_tenants said of no files
    my $own = $super->value('SELECT core.upload_key(tenant_id, id) FROM core.upload WHERE tenant_id = 1 AND stored_at IS NOT NULL');
    store($cluster)->spit($own, 'known');
    archives_well($cluster, undef, 'days before a backup');
    is_deeply([objects($cluster)], [known($cluster)], '  are known, and nothing else is there');
    my ($status, $said) = $cluster->tidemark('backup', '--to', $folder, '--make');
    is($status, 0, 'a backup') or diag($said);
    my @free = go_on($cluster);
    ($status, $said) = $cluster->tidemark('restore', 'latest', '--from', $folder, '--force');
    is($status, 0, 'the backup is restored') or diag($said);
    delete $cluster->{sessions};
    $super = $cluster->session('tidemark_super', new => 1);
    my $upload = 'upload/1/ab/abababab-0000-4000-8000-000000000001';
    late($cluster, 9, 4);
    archives_well($cluster, qr/^1 days, /m, 'a day gets the number that it has in the store');
    my %known = map { $_ => 1 } known($cluster);
    my @given_up = grep { !$known{$_} } objects($cluster);
    # rows and tombstones with their manifest; a catalogue; a tenant's file, manifest and two catalogues; a file that was begun; rows and their manifest
    is(scalar @given_up, 3 + 1 + 4 + 1 + 2, '  where those of the other database are') or diag("@given_up");
    is_deeply(unknown($cluster), [sort @given_up, $upload], '  each is named');
    archives_well($cluster, undef, 'within a week');
    is_deeply([grep { !$known{$_} } objects($cluster)], \@given_up, '  they stay');
    my $stranger = "archive/samples/tenant=alpha/day=@{[day(8)]}/" . 'cd' x 16 . '.parquet';
    store($cluster)->spit($stranger, 'of another database, in use');
    my $look = "UPDATE core.store_given_up SET look_at = now()";
    $super->query($look);
    archives_well($cluster, undef, 'a week later');
    is_deeply([objects($cluster)], [sort(known($cluster), @free, $stranger)], '  they are gone, but for those of a number that is free');
    late($cluster, 60, 5);
    archives_well($cluster, qr/^1 days, /m, 'when that number was given to others');
    is(scalar(grep { $_ eq $free[0] } objects($cluster)), 1, '  it is not looked at once more');
    $super->query($look);
    archives_well($cluster, undef, 'but in another week');
    archives_well($cluster, undef, '  where catalogues of our own were too many, those are gone');
    is_deeply([objects($cluster)], [sort(known($cluster), $stranger)], '  then these are gone, too');
    is($super->value('SELECT count(*) FROM core.store_given_up'), 0, '  and nothing more is looked for');
    check_remove_unknown($cluster, $own, $upload, $stranger);
    return;
}

# By hand all goes that nobody knows of.
sub check_remove_unknown {
    my ($cluster, $own, @unknown) = @_;
    is_deeply(unknown($cluster), [sort @unknown], 'an upload that came after the backup is named');
    is((archive($cluster, 'remove-unknown', @{$_}))[0], 2, "remove-unknown @{$_}: is refused") for [], ['--before', 'tomorrow'], ['--before', ''];
    my ($status, $said) = archive($cluster, 'remove-unknown', '--before', day(0));
    like("$status $said", qr/^0 0 objects removed$/m, 'nothing is removed that came on that day');
    my $before = [grep { my $key = $_; !grep { $_ eq $key } @unknown } store($cluster)->list('')];
    ($status, $said) = archive($cluster, 'remove-unknown', '--before', day(-1));
    is("$status " . join(' ', sort $said =~ /^removed\t(.*)$/mg), join(' ', 0, sort @unknown), 'what came before it is, and named');
    is_deeply([store($cluster)->list('')], $before, '  and nothing else');
    ok((grep { $_ eq $own } @{$before}), '  not the upload that is known');
    my $super = $cluster->session('tidemark_super');
    $super->query('INSERT INTO core.archive_rebuild (is_only) VALUES (true)');
    ($status, $said) = archive($cluster, 'remove-unknown', '--before', day(-1));
    like("$status $said", qr/^1 .*the database is being made of the archive/s, '  nor anything while a database is made of the archive');
    $super->query('DELETE FROM core.archive_rebuild');
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    two_tenants($cluster, @FILL);
    count_from($cluster, 8_000_000);
    my $folder = $cluster->home . '/backups';
    my $before = fingerprint($cluster);
    my ($status, $said) = $cluster->tidemark('backup', '--to', $folder, '--make');
    my ($name) = $said =~ /^(\S+)\t/m;
    is($status, 0, 'a backup') or diag($said);
    isnt($before->{$_} =~ s/ .*//r, 0, "$_ has rows") for qw(core.sample core.rollup_1d core.energy_15m core.session core.cost_calculation core.event core.event_count_1d);
    check_refused($cluster, $folder, $name);
    check_trial($cluster, $folder, $name);
    check_in_place($cluster, $folder, $name, $before);
    check_elsewhere($cluster->engine, $folder, $name, $before);
    check_store($cluster, "$folder.store");
});
done_testing;
