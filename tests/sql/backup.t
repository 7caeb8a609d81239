#!/usr/bin/env perl
# Backups of the whole database on real servers: what is in one, and where; pg_dump or the command
# killed on the way, a store that is full; flipped, missing and pruned ones.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json encode_json);
use Test::More;
use Tidemark::Cluster;
use Tidemark::Scratch qw(slurp_whole spit);
use Tidemark::Minio;
use Time::HiRes qw(sleep time);

my $NAME = qr/\d{8}T\d{6}Z-[0-9a-f]{8}/;

# All files below a folder, by their paths in it.
sub files {
    my ($folder) = @_;
    return sort map { s{^\Q$folder\E/}{}r } split /\n/, `find $folder -type f`;
}

sub await {
    my ($what) = @_;
    my $until = time + 30;
    while (time < $until) {
        return 1 if $what->();
        sleep 0.02;
    }
    return 0;
}

# A tenant with ten days of readings.
sub populate {
    my ($cluster) = @_;
    my $id = $cluster->session('tidemark_operator')->value("SELECT ops.tenant_add('alpha', 'alpha', 'Europe/Berlin', 'EUR')");
    my $ingest = $cluster->session('tidemark_ingest')->bind($id);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '11 days', now())");
    my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['meter'], true)");
    my $series = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['energy_kwh'], ARRAY['{}'], true)");
    $ingest->query("SELECT api.ingest_samples(array_agg($id), array_agg($series), array_agg(t ORDER BY t), array_agg(0.25::float8), array_agg(true))"
            . " FROM generate_series(now() - interval '10 days', now(), '10 minutes') t");
    $cluster->roll_up;
    return;
}

# ---- making ----

sub check_made {
    my ($cluster, $super) = @_;
    my $objects = $cluster->home . '/objects';
    my ($status, $said) = $cluster->tidemark('backup', 'list');
    is("$status $said", '0 ', 'no backup is listed where there is none');
    ($status, $said) = $cluster->tidemark('backup');
    is($status, 0, 'a backup into the object store') or diag($said);
    my ($name) = $said =~ /^($NAME)\t/m;
    is(join(' ', grep {m{^backup/}} files($objects)), "backup/$name.dump backup/$name.json", '  is a dump and its manifest');
    is(join(' ', map { sprintf '%o', (stat "$objects/backup/$name.$_")[2] & 0777 } qw(dump json)), '600 600', '  for its owner alone');
    my $dump = slurp_whole("$objects/backup/$name.dump");
    my $manifest = decode_json(slurp_whole("$objects/backup/$name.json"));
    is(substr($dump, 0, 5), 'PGDMP', "  in pg_dump's custom format");
    is($manifest->{sha256}, sha256_hex($dump), '  with its checksum');
    is($manifest->{bytes}, length $dump, '  and its length');
    is($manifest->{rows}{'core.sample'}, $super->value('SELECT count(*) FROM core.sample'), '  and the rows of samples');
    is($manifest->{rows}{'core.tenant'}, 1, '  and of tenants, which row-level security hides from others');
    is($manifest->{checksums}{'core.tenant'}, $super->value('SELECT sum(hashint8extended(hash_record_extended(t, 0), 0)) FROM core.tenant t'), '  and a checksum of them');
    is_deeply([sort keys %{ $manifest->{checksums} }], [sort keys %{ $manifest->{rows} }], '  of each table');
    is($manifest->{schema}, $super->value('SELECT max(version) FROM ops.migration_history'), '  and the newest migration');
    is($manifest->{engine}, $cluster->engine, '  and the engine');
    is($manifest->{timescaledb}, $super->value("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"), "  and TimescaleDB's version");
    is($manifest->{postgresql}, $super->value('SHOW server_version'), "  and PostgreSQL's");
    my $contents = $cluster->run("$cluster->{programs}/pg_restore", '--list', "$objects/backup/$name.dump");
    like($contents, qr/TABLE DATA core tenant /, '  pg_restore knows what is in it');
    ($status, $said) = $cluster->tidemark('backup', 'list');
    like($said, qr/^$name\t\S+Z\t$manifest->{bytes} bytes\tschema $manifest->{schema}\t@{[$cluster->engine]}\t/m, '  and it is listed');
    ($status, $said) = $cluster->tidemark('backup', 'verify', 'latest');
    like($said, qr/^sound\t$name\t/m, '  and found sound');
    return;
}

# Of the same rows, in whatever order they lie; of two whose values are exchanged; of a table that holds
# names of relations, which are other numbers in each database.
sub check_checksums {
    my ($cluster, $super) = @_;
    my $sums = sub {
        my ($status, $said) = $cluster->tidemark('backup', '--to', $cluster->home . '/sums', '--make');
        my ($name) = $said =~ /^($NAME)\t/m or die $said;
        return decode_json(slurp_whole($cluster->home . "/sums/$name.json"))->{checksums};
    };
    my $before = $sums->();
    my $turned = "CREATE TEMP TABLE all_rows AS SELECT * FROM core.sample; DELETE FROM core.sample;"
        . ' INSERT INTO core.sample SELECT * FROM all_rows ORDER BY time DESC; DROP TABLE all_rows';
    $super->query($turned);
    my $after = $sums->();
    is($after->{'core.sample'}, $before->{'core.sample'}, 'rows that lie in another order have the same checksum');
    my ($first, $last) = map { "(SELECT $_(time) FROM core.sample)" } qw(min max);
    my $set = sub { $super->query("UPDATE core.sample SET value = CASE time WHEN $first THEN $_[0] ELSE $_[1] END WHERE time IN ($first, $last)") };
    $set->(1, 2);
    my $one = $sums->()->{'core.sample'};
    isnt($one, $before->{'core.sample'}, '  with other values another');
    $set->(2, 1);
    isnt($sums->()->{'core.sample'}, $one, '  with two exchanged, too');
    is($after->{'core.kept'}, $super->value("SET timezone = 'UTC'; SELECT sum(hashtextextended(k::text, 0)) FROM core.kept k"), 'names of relations are hashed as names');
    return;
}

# ---- what goes wrong ----

# Starts a backup into a folder, which comes as far as pg_dump, and stops there: (its pid, pg_dump's,
# what it waits for).
sub start_held {
    my ($cluster, $super, $folder) = @_;
    my $blocker = $cluster->session('tidemark_super', new => 1);
    $blocker->query('BEGIN; LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE');
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        delete @ENV{ grep {/^(TIDEMARK|DATABASE|DB|S3|PG)_?/} keys %ENV };
        $ENV{TIDEMARK_HOME} = $cluster->home;
        chdir '/';
        open STDOUT, '>', $cluster->home . '/said' or die;
        open STDERR, '>&', \*STDOUT or die;
        exec $cluster->command($cluster->home . '/tidemark', 'backup', '--to', $folder, '--make') or die "exec: $!";
    }
    my $waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'";
    ok(await(sub { $super->value($waits) }), '  pg_dump is at work') or diag(slurp_whole($cluster->home . '/said'));
    my ($child) = split ' ', slurp_whole("/proc/$pid/task/$pid/children");
    return ($pid, $child, $blocker);
}

sub check_killed {
    my ($cluster, $super) = @_;
    my $folder = $cluster->home . '/killed';
    $super->query('CREATE TABLE public.held (id int)');
    my ($pid, $child, $blocker) = start_held($cluster, $super, $folder);
    kill KILL => $child;
    waitpid $pid, 0;
    is($? >> 8, 1, 'a backup whose pg_dump is killed fails');
    like(slurp_whole($cluster->home . '/said'), qr/pg_dump was ended by signal 9/, '  and says so');
    is(join(' ', files($folder)), '', '  nothing is left of it');
    $blocker->query('ROLLBACK');

    ($pid, $child, $blocker) = start_held($cluster, $super, $folder);
    kill KILL => $pid;
    waitpid $pid, 0;
    $blocker->query('ROLLBACK');
    ok(await(sub { !kill 0 => $child }), 'when the command itself is killed, pg_dump ends');
    is(join(' ', grep { !m{^\.put/} } files($folder)), '', '  and nothing is seen of a backup');
    my ($status, $said) = $cluster->tidemark('backup', 'list', '--from', $folder);
    is("$status $said", '0 ', '  nor listed');
    $super->query('DROP TABLE public.held');

    my $home = $cluster->home;
    my $cut = $cluster->run('sh', '-c', "trap '' XFSZ; ulimit -f 64; TIDEMARK_HOME='$home' '$home/tidemark' backup --to '$home/full' --make 2>&1; true");
    like($cut, qr/cannot write .*File too large/, 'a file that cannot grow is told of');
    is(join(' ', files("$home/full")), '', '  and leaves nothing');
    rename "$home/secrets/tidemark_backup", "$home/secrets/moved" or die $!;
    ($status, $said) = $cluster->tidemark('backup');
    rename "$home/secrets/moved", "$home/secrets/tidemark_backup" or die $!;
    like($said, qr/no password for tidemark_backup .*tidemark migrate/, 'without a password it says what to run');
    is($status, 1, '  and fails');
    return;
}

# ---- pruning, damage ----

# Gives the folder's one backup to other times, too.
sub multiply {
    my ($cluster, $folder, $name, @times) = @_;
    for my $time (@times) {
        $cluster->run('cp', "$folder/$name.$_", "$folder/$time-0123abcd.$_") for qw(dump json);
    }
    return;
}

# Backups of another installation lie in the same folder: they are neither removed nor counted; those of
# manifests that do not say whose they are count as one's own.
sub check_shared {
    my ($cluster, $folder, $name) = @_;
    my $place = $cluster->home . '/shared';
    my $manifest = decode_json(slurp_whole("$folder/$name.json"));
    like($manifest->{installation}, qr/^[0-9a-f]{32}$/, 'a manifest says whose it is');
    $cluster->run('mkdir', $place);
    for my $at (1 .. 9) {
        my $copy = "2026020${at}T000000Z-0123abcd";
        my %changed = %{$manifest};
        $changed{installation} = 'f' x 32 if $at <= 3;
        delete $changed{installation} if $at == 4;
        $cluster->run('cp', "$folder/$name.dump", "$place/$copy.dump");
        spit("$place/$copy.json", encode_json(\%changed));
    }
    my $damaged = '20260101T000000Z-0123abcd';
    spit("$place/$damaged.json", '{');
    my ($status, $said) = $cluster->tidemark('backup', '--to', $place, '--keep', 5);
    is($status, 0, 'a backup into a folder with those of another installation') or diag($said);
    my @left = map { /^2026020(\d)/ ? $1 : () } grep {/json$/} files($place);
    is("@left", '1 2 3 6 7 8 9', '  leaves the others, and five of its own');
    ok(-e "$place/$damaged.json", '  and what is damaged');
    ($status, $said) = $cluster->tidemark('backup', 'list', '--from', $place);
    is(scalar(() = $said =~ /\tinstallation ffffffff$/mg), 3, '  the list says whose each is');
    return;
}

sub check_pruned {
    my ($cluster) = @_;
    my $folder = $cluster->home . '/kept';
    my ($status, $said) = $cluster->tidemark('backup', '--to', "$folder/");
    like("$status $said", qr/^1 .*\Q$folder\E is not there.*--make/s, 'a folder that is not there may be that of a disk that is not mounted');
    ok(!-e $folder, '  and is not made');
    mkdir $folder or die $!;
    chmod 0777, $folder or die $!;
    ($status, $said) = $cluster->tidemark('backup', '--to', "$folder/");
    is("$status @{[files($folder)]}", '1 ', '  an empty one is where it would be mounted');
    rmdir $folder or die $!;
    ($status, $said) = $cluster->tidemark('backup', 'list', '--from', $folder);
    like("$status $said", qr/^1 .*\Q$folder\E is not there/s, '  of which nobody knows whether backups are in it');
    ($status, $said) = $cluster->tidemark('backup', '--to', "$folder/", '--make');
    my ($first) = $said =~ /^($NAME)\t/m;
    is(join(' ', files($folder)), "$first.dump $first.json", 'a backup into a folder that is to be made') or diag($said);
    multiply($cluster, $folder, $first, map {"2026010${_}T000000Z"} 1 .. 6);
    $cluster->run('cp', "$folder/$first.dump", "$folder/20251231T000000Z-0123abcd.dump");
    $cluster->run('touch', '-d', '2 days ago', "$folder/20251231T000000Z-0123abcd.dump");
    $cluster->run('cp', "$folder/$first.dump", "$folder/20260901T000000Z-0123abcd.dump");
    spit("$folder/notes.json", 'a file of somebody else');
    ($status, $said) = $cluster->tidemark('backup', '--to', $folder);
    is($status, 0, 'the eighth') or diag($said);
    my @files = files($folder);
    is(scalar(grep {/^$NAME\.json$/} @files), 7, '  leaves seven');
    is(join(' ', grep {/^20260101/} @files), '', '  without the oldest');
    is(join(' ', grep {/^2025/} @files), '', '  a dump without a manifest goes after a day');
    is(join(' ', grep {/^202609/} @files), '20260901T000000Z-0123abcd.dump', '  and not before');
    ok(-e "$folder/notes.json", "  other files of the folder stay");
    ($status, $said) = $cluster->tidemark('backup', 'list', '--from', $folder);
    is(scalar(() = $said =~ /^$NAME\t/mg), 7, '  and seven are listed');
    check_shared($cluster, $folder, $first);
    return ($folder, $first);
}

sub check_damaged {
    my ($cluster, $folder, $name) = @_;
    my $path = "$folder/$name.dump";
    my $bytes = slurp_whole($path);
    my $flipped = $bytes;
    substr($flipped, length($flipped) / 2, 1) ^= "\x01";
    spit($path, $flipped);
    my ($status, $said) = $cluster->tidemark('backup', 'verify', '--from', $folder);
    is($status, 1, 'a flipped byte is found');
    like($said, qr/^damaged\t$name\t.*checksum/m, '  and named') or diag($said);
    is(scalar(() = $said =~ /^sound\t/mg), 6, '  the others are sound');
    spit($path, substr $bytes, 0, 1000);
    ($status, $said) = $cluster->tidemark('backup', 'verify', $name, '--from', $folder);
    like($said, qr/^damaged\t$name\t.*1000 bytes/m, 'one that was cut is found');
    unlink $path or die $!;
    ($status, $said) = $cluster->tidemark('backup', 'verify', $name, '--from', $folder);
    like($said, qr/^damaged\t$name\t.*gone/m, 'one that is gone, too');
    spit($path, $bytes);
    my $manifest = slurp_whole("$folder/$name.json");
    spit("$folder/$name.json", substr $manifest, 0, 200);
    ($status, $said) = $cluster->tidemark('backup', 'verify', $name, '--from', $folder);
    like($said, qr/^damaged\t$name\t.*manifest/m, 'and a manifest that was cut');
    spit("$folder/$name.json", $manifest);
    ($status, $said) = $cluster->tidemark('backup', 'verify', '--from', $folder);
    is($status, 0, 'nothing where all is well') or diag($said);
    ($status, $said) = $cluster->tidemark('backup', 'verify', '../../etc/passwd', '--from', $folder);
    like($said, qr/no backup's name/, 'a name is no path');
    return;
}

# ---- in a bucket ----

sub check_bucket {
    my ($cluster) = @_;
  SKIP: {
        my ($minio, $why) = Tidemark::Minio->start;
        skip "no MinIO: $why", 5 if !$minio;
        my %settings = $minio->settings;
        my $run = sub {
            my ($more, @words) = @_;
            my %all = (%settings, %{$more});
            return $cluster->run('sh', '-c', '"$@" 2>&1; true', 'sh', 'env', (map {"$_=$all{$_}"} sort keys %all), $cluster->home . '/tidemark', @words);
        };
        $run->({}, 'migrate');
        my $said = $run->({}, 'backup');
        my ($name) = $said =~ /^($NAME)\t/m;
        ok($name, 'a backup into a bucket') or diag($said);
        like($run->({}, 'backup', 'list'), qr/\A$name\t[^\n]*\n\z/, '  is the one that is listed');
        like($run->({}, 'backup', 'verify'), qr/^sound\t$name\t/m, '  and sound');
        like($run->({}, 'restore', 'latest', '--trial'), qr/^\d+ tables have the backup's \d+ rows and checksums$/m, '  and can be restored');
        like($run->({ S3_SECRET_KEY => 'wrong' }, 'backup'), qr/\Atidemark: .*SignatureDoesNotMatch/, '  and none is made with a wrong key');
    }
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    populate($cluster);
    check_made($cluster, $super);
    check_checksums($cluster, $super);
    check_killed($cluster, $super);
    check_damaged($cluster, check_pruned($cluster));
    check_bucket($cluster);
});
done_testing;
