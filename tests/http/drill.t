#!/usr/bin/perl
# Trial restores by the worker, on each engine: without a backup, of a good one, of a damaged one, of
# rows that are not what the manifest says; what /metrics tells of them. A worker that is stopped or
# killed amid one, another trial at the same time, and a worker that may not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use Tidemark::Processes;
use Tidemark::Psql;
use Tidemark::Scratch qw(slurp_whole spit);
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->canonical;

sub await {
    my ($what, $name) = @_;
    my $deadline = time + 60;
    sleep 0.02 while !$what->() && time < $deadline;
    return ok($what->(), $name);
}

# What a query says (the first column), by a session that stays: for what is asked again and again.
sub ask {
    my ($stack, $query) = @_;
    my ($psql) = psql($stack, 'tidemark');
    $stack->{asker} ||= Tidemark::Psql->open([$psql], "$stack->{home}/run", 'tidemark_super', '');
    my @values = map { $_->[0] } $stack->{asker}->query($query);
    return wantarray ? @values : $values[0];
}

# tidemark_restore_drill_* as /metrics has them, by the rest of their names.
sub metrics {
    my ($stack) = @_;
    my $answer = $stack->get('/metrics');
    is($answer->{status}, 200, '/metrics answers') if $answer->{status} != 200;
    return { $answer->{content} =~ /^tidemark_restore_drill_(\w+) (\S+)$/mg };
}

my $OWN = 'tidemark_trial_20261122';    # an operator's own database

sub scratch { my ($stack) = @_; return join ' ', ask($stack, "SELECT datname FROM pg_database WHERE datname LIKE 'tidemark\\_%' AND datname <> '$OWN' ORDER BY 1") }

sub n_trials { my ($stack) = @_; return ask($stack, 'SELECT count(*) FROM ops.restore_trial WHERE finished_at IS NOT NULL') }

# The newest that was begun, and the newest that ended.
sub newest { my ($stack) = @_; return ask($stack, 'SELECT coalesce(max(id), 0) FROM ops.restore_trial') }
sub ended { my ($stack) = @_; return ask($stack, 'SELECT coalesce(max(id), 0) FROM ops.restore_trial WHERE finished_at IS NOT NULL') }

# The records of the job since, as SQL's FROM and WHERE.
sub runs_since {
    my ($stack) = @_;
    return "FROM ops.job_run WHERE name = 'drill' AND finished_at IS NOT NULL AND id > " . $stack->sql('SELECT max(id) FROM ops.job_run');
}

# Ends the worker, which is started again.
sub end_worker {
    my ($stack, $signal) = @_;
    my $worker;
    my $deadline = time + 30;
    sleep 0.05 until (($worker) = Tidemark::Processes::part($stack, 'worker')) || time > $deadline;
    return kill $signal, $worker;
}

sub age {
    my ($stack) = @_;
    return $stack->sql("UPDATE ops.restore_trial SET started_at = started_at - interval '1 day', finished_at = finished_at - interval '1 day'");
}

# Lets the next trial be due, and a worker look for it. Returns the newest before it.
sub start_again {
    my ($stack) = @_;
    my $n = newest($stack);
    age($stack);
    end_worker($stack, 'TERM');
    return $n;
}

sub hold {
    my ($stack, $name) = @_;
    my $n = start_again($stack);
    await(sub { ended($stack) > $n }, "$name: a trial") or diag $stack->logs;
    return metrics($stack);
}

sub folder { my ($stack) = @_; return "$stack->{home}/objects/backup" }

sub back_up {
    my ($stack) = @_;
    my ($name) = $stack->cli('backup') =~ /^(\S+)\t/ or die;
    return ($name, JSON::PP->new->decode(slurp_whole(folder($stack) . "/$name.json")));
}

sub check_missing {
    my ($stack) = @_;
    await(sub { n_trials($stack) > 0 }, 'where there is no backup: a trial');
    my $told = metrics($stack);
    is($told->{success}, '0.000', '  that failed');
    is($told->{last_success_timestamp_seconds}, '0.000', '  as all did');
    is($told->{backup_timestamp_seconds}, '0.000', '  and nothing can be had back');
    like($stack->sql('SELECT detail FROM ops.restore_trial'), qr/^there is no backup in /, '  because there is none');
    await(sub { $stack->logs =~ /level=error.*restoring a backup on trial failed: there is no backup in / }, '  which the log tells');
    my $n = n_trials($stack);
    my $runs = runs_since($stack);
    end_worker($stack, 'TERM');
    await(sub { ask($stack, "SELECT count(*) $runs") > 0 }, '  a worker that starts within the hour');
    is($stack->sql("SELECT DISTINCT is_ok || ' ' || (detail ~ '^the last trial restore failed: there is no backup in ') $runs"), 'false true', '  says what is wrong');
    is(n_trials($stack), $n, '  does not try again');
    return;
}

sub check_good {
    my ($stack) = @_;
    my ($name, $manifest) = back_up($stack);
    my $before = time;
    my $told = hold($stack, 'a good backup');
    is($told->{success}, '1.000', '  that went well');
    cmp_ok($told->{last_success_timestamp_seconds}, '>', $before - 1, '  just now');
    cmp_ok($told->{last_success_timestamp_seconds}, '<', time + 1, '  and no later');
    is($told->{last_run_timestamp_seconds}, $told->{last_success_timestamp_seconds}, '  as the last one');
    cmp_ok($told->{duration_seconds}, '>', 0, '  in some time');
    cmp_ok($told->{duration_seconds}, '<', time - $before + 1, '  and not more');
    is($told->{backup_timestamp_seconds}, sprintf('%.3f', $stack->sql("SELECT extract(epoch FROM timestamptz '$manifest->{made_at}')")), '  the moment of the backup');
    my ($rows) = $stack->sql("SELECT n_rows FROM ops.restore_trial WHERE backup = '$name' AND is_ok");
    my $expected = 0;
    $expected += $_ for values %{ $manifest->{rows} };
    is($rows, $expected, '  as many rows as the manifest tells');
    is(scratch($stack), '', '  and no database is left');
    like($stack->logs, qr/level=info.*the backup could be restored.*backup=$name/, '  the log names it');
    return ($name, $told);
}

sub check_damaged {
    my ($stack, $name, $good) = @_;
    my $path = folder($stack) . "/$name.dump";
    my $bytes = slurp_whole($path);
    my $flipped = $bytes;
    substr($flipped, length($flipped) / 2, 1) ^= "\x01";
    spit($path, $flipped);
    my $told = hold($stack, 'a flipped byte');
    is($told->{success}, '0.000', '  is found');
    like($stack->sql('SELECT detail FROM ops.restore_trial ORDER BY id DESC LIMIT 1'), qr/checksum differs/, '  by its checksum');
    cmp_ok($told->{last_run_timestamp_seconds}, '>', $good->{last_run_timestamp_seconds}, '  now');
    cmp_ok(abs($told->{last_success_timestamp_seconds} + 86400 - $good->{last_success_timestamp_seconds}), '<', 0.01, '  the last good one is what it was');
    is($told->{backup_timestamp_seconds}, $good->{backup_timestamp_seconds}, '  and so is its moment');
    spit($path, $bytes);

    my $manifest = folder($stack) . "/$name.json";
    my $text = slurp_whole($manifest);
    my $changed = $json->decode($text);
    $changed->{checksums}{'core.tenant'} = '1';
    spit($manifest, $json->encode($changed));
    $told = hold($stack, 'other rows than were dumped');
    is($told->{success}, '0.000', '  are found');
    like($stack->sql('SELECT detail FROM ops.restore_trial ORDER BY id DESC LIMIT 1'), qr/the rows of core\.tenant are others after the restore/, '  by theirs');
    is(scratch($stack), '', '  and no database is left');
    spit($manifest, $text);
    return;
}

sub check_killed {
    my ($stack) = @_;
    $stack->sql("CREATE DATABASE $OWN");
    my $n = start_again($stack);
    await(sub { scratch($stack) =~ /^tidemark_trial_[0-9a-f]{8}$/ }, 'amid a trial');
    my $runs = runs_since($stack);
    end_worker($stack, 'KILL');
    my $left = scratch($stack);
    like($left, qr/^tidemark_trial_[0-9a-f]{8}$/, '  a worker is killed: a database is left');
    await(sub { ask($stack, "SELECT count(*) $runs AND NOT is_ok AND detail ~ 'it is under way, or was killed'") > 0 }, '  the next one says so');
    is(newest($stack) . ' ' . scratch($stack), ($n + 1) . " $left", '  and begins none at once');
    is(metrics($stack)->{success}, '0.000', '  as the last that ended failed');
    age($stack);
    is(metrics($stack)->{last_run_timestamp_seconds}, '0.000', '  a day later it counts as one that failed');
    $n = start_again($stack);
    await(sub { ended($stack) > $n }, '  the next one that is due is held');
    is(metrics($stack)->{success}, '1.000', '  successfully');
    is($stack->sql("SELECT is_ok || detail FROM ops.restore_trial WHERE id = $n"), 'falseit was killed', '  the killed one is noted as such');
    is(scratch($stack), '', "  and no database is left, nor is $left");
    is($stack->sql("SELECT count(*) FROM pg_database WHERE datname = '$OWN'"), 1, "  but somebody's own of such a name");
    $stack->sql("DROP DATABASE $OWN");
    return;
}

sub psql {
    my ($stack, $database, @options) = @_;
    my $psql = (sort glob '/usr/lib/postgresql/1[5-8]/bin/psql')[-1];
    return ($psql, '-qAtX', '-h', "$stack->{home}/run", '-U', 'tidemark_super', '-d', $database, @options);
}

# A session that runs the statements and stays.
sub stay {
    my ($stack, $database, $statements) = @_;
    open my $in, '|-', psql($stack, $database, '-o', '/dev/null') or die $!;
    print {$in} $statements;
    $in->flush;
    return $in;
}

# Whether the restored table has its row. A transaction of its own: no lock stays that pg_restore waits for.
sub is_filled {
    my ($stack, $database) = @_;
    my ($psql, @options) = psql($stack, $database, '-c', 'SELECT count(*) FROM core.held');
    my $n = qx{$psql @options[0 .. $#options - 1] '$options[-1]' 2>/dev/null};
    return $n eq "1\n";
}

# Told to stop amid a trial that is as far as `amid` says: it ends in time, is no trial, and the next
# worker begins anew; `release` lets that one do so.
sub check_stopped {
    my ($stack, $what, $amid, $release) = @_;
    my $runs = runs_since($stack);
    my $failed = $stack->sql('SELECT count(*) FROM ops.restore_trial WHERE NOT is_ok');
    my $n = start_again($stack);
    $amid->();
    end_worker($stack, 'TERM');
    my $told = "$runs AND is_ok AND detail = 'told to stop: the next worker begins anew'";
    await(sub { ask($stack, "SELECT count(*) $told") == 1 }, "$what: a worker is told to stop, and says so");
    is($stack->sql("SELECT count(*) FROM ops.restore_trial WHERE id > $n AND started_at < (SELECT finished_at $told)"), 0, '  nothing is noted of that trial');
    $release->();
    await(sub { ended($stack) > $n }, '  the next worker begins anew') or diag $stack->logs;
    is(metrics($stack)->{success}, '1.000', '  successfully');
    is($stack->sql('SELECT count(*) FROM ops.restore_trial WHERE NOT is_ok'), $failed, '  it was none that failed');
    is(scratch($stack), '', '  and no database is left');
    return;
}

sub check_interrupted {
    my ($stack) = @_;
    check_stopped($stack, 'while it fills a database', sub { await(sub { scratch($stack) =~ /^tidemark_trial_/ }, 'amid a trial') }, sub { });

    # a table that pg_restore has done with as soon as it has its row; comparing it waits for the lock
    $stack->sql('CREATE TABLE core.held (id int); INSERT INTO core.held VALUES (1)');
    back_up($stack);
    my $in;
    my $compares = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'tidemark\\_trial\\_%' AND query ~ 'query_to_xml' AND wait_event_type = 'Lock'";
    check_stopped($stack, 'while it compares', sub {
        await(sub { scratch($stack) =~ /^tidemark_trial_/ }, 'amid another');
        my $database = scratch($stack);
        await(sub { is_filled($stack, $database) }, '  a table is filled');
        $in = stay($stack, $database, "BEGIN; LOCK TABLE core.held IN ACCESS EXCLUSIVE MODE;\n");
        await(sub { ask($stack, $compares) == 1 }, '  comparing waits for it');
    }, sub { close $in });
    $stack->sql('DROP TABLE core.held');
    return;
}

sub check_alone {
    my ($stack) = @_;
    my $in = stay($stack, 'postgres', "SELECT pg_advisory_lock(hashtextextended('tidemark.trial.tidemark_trial_', 0));\n");
    await(sub { ask($stack, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = 'postgres')") == 1 }, 'while another trial is under way');
    my $n = n_trials($stack);
    my ($status, undef, $said) = $stack->tidemark('restore', 'latest', '--trial');
    is($status, 1, '  none begins');
    like($said, qr/another trial is under way/, '  and it says so');
    is(n_trials($stack), $n, '  which is no trial that failed');
    close $in;
    ($status, undef, $said) = $stack->tidemark('restore', 'latest', '--trial');
    is("$status @{[n_trials($stack)]}", '0 ' . ($n + 1), 'a trial by hand is noted, too') or diag $said;
    return;
}

# A file of 8 TiB that takes no room makes the database as large.
sub check_room {
    my ($stack) = @_;
    my $path = "$stack->{home}/pgdata/" . $stack->sql("SELECT 'base/' || oid FROM pg_database WHERE datname = 'tidemark'") . '/4000000000';
    system('truncate', '-s', '8T', $path) == 0 or die;
    system('chown', "--reference=$stack->{home}/pgdata/PG_VERSION", $path) == 0 or die;
    my ($status, undef, $said) = $stack->tidemark('restore', 'latest', '--trial');
    unlink $path or die;
    like($said, qr/a trial takes the room of the database, 879\d{10} bytes, and \S+ has \d+/, 'a disk without room for the database again');
    unlike($said, qr/making the database/, '  is found before one is made');
    is($stack->sql('SELECT is_ok FROM ops.restore_trial ORDER BY id DESC LIMIT 1') . " $status", 'f 1', '  and noted');
    return;
}

# A database that does not answer: the table that /metrics asks for is locked.
sub check_slow {
    my ($stack) = @_;
    my $in = stay($stack, 'tidemark', "BEGIN; LOCK TABLE ops.restore_trial IN ACCESS EXCLUSIVE MODE;\n");
    await(sub { ask($stack, "SELECT count(*) FROM pg_locks WHERE relation = 'ops.restore_trial'::regclass AND mode = 'AccessExclusiveLock' AND granted") == 1 }, 'while the database is slow');
    my $before = time;
    my $answer = $stack->get('/metrics');
    cmp_ok(time - $before, '<', 5, '  /metrics answers before a monitor gives up');
    like($answer->{content}, qr/^tidemark_build_info/m, '  with what needs none');
    unlike($answer->{content}, qr/^tidemark_restore_drill/m, '  and no more');
    close $in;
    return;
}

sub check_folder {
    my ($stack) = @_;
    my $folder = "$stack->{home}/elsewhere";
    my %env = (env => { BACKUP_FOLDER => $folder });
    my $name = $stack->cli('backup', '--make', \%env) =~ s/\t.*//sr;
    ok(-e "$folder/$name.dump", 'BACKUP_FOLDER is where a backup goes');
    like($stack->cli('backup', 'list', \%env), qr/^$name\t/, '  is listed from');
    my ($status, undef, $said) = $stack->tidemark('restore', $name, '--trial', \%env);
    is($status, 0, '  and restored from') or diag $said;
    return;
}

sub check_refused {
    my ($stack) = @_;
    my $n = n_trials($stack);
    my ($once) = $stack->tidemark('worker', '--once', { env => { RESTORE_DRILL_INTERVAL_HOURS => 24 } });
    is("$once @{[n_trials($stack)]}", "0 $n", 'a worker that runs each job once holds none that is not due');
    age($stack);
    my ($password) = slurp_whole("$stack->{home}/secrets/tidemark_worker") =~ /(\S+)/;
    my %env = (env => { RESTORE_DRILL_INTERVAL_HOURS => 1,
        DATABASE_WORKER_URL => "host=$stack->{home}/run dbname=tidemark user=tidemark_worker password=$password" });
    my ($status, undef, $said) = $stack->tidemark('worker', '--once', \%env);
    like($said, qr/level=error.*RESTORE_DRILL_INTERVAL_HOURS wants a superuser's DATABASE_URL/, 'a worker without a superuser\'s login says so');
    is("$status @{[n_trials($stack)]}", "1 $n", '  and restores nothing');
    $env{env}{DATABASE_URL} = "host=$stack->{home}/run dbname=postgres user=tidemark_super";
    $stack->tidemark('worker', '--once', \%env);
    is(n_trials($stack), $n + 1, 'one that restores beside another database notes it where it looks');
    $stack->sql('DELETE FROM ops.restore_trial');
    is(metrics($stack)->{success}, '0.000', 'where trials are asked for and there was none, none went well');
    return;
}

# Posts until it is stored: processes that are started anew answer 503 meanwhile.
sub store {
    my ($stack, $token, $device, $value) = @_;
    my $answer;
    await(sub { $answer = $stack->post('/v1/event', { device => $device, metrics => { power_w => $value } }, token => $token); $answer->{status} == 200 }, "  $device is stored")
        or diag "$answer->{status} $answer->{content}", $stack->logs;
    return;
}

# Sends a file until it is stored.
sub send_file {
    my ($stack, $token, $name) = @_;
    my $is_stored = 0;
    await(sub { $is_stored ||= $stack->request('PUT', "/v1/uploads/$name", body => $name, token => $token)->{status} == 201 }, "  $name is stored")
        or diag $stack->logs;
    return;
}

sub serving { my ($stack) = @_; return map { my $part = $_; map {"$part $_"} sort { $a <=> $b } Tidemark::Processes::part($stack, $part) } qw(ingest upload worker) }

# A backup takes the place of the database while everything runs: the numbers of what came after it, which
# processes know, are given to others there.
sub check_swapped {
    my ($stack) = @_;
    my $token = $stack->token('acme', 'device');
    store($stack, $token, 'early', 1);
    my ($name) = back_up($stack);
    store($stack, $token, 'later', 2);
    send_file($stack, $token, 'one.txt');
    my %was = map { $_ => 1 } serving($stack);
    is(join(' ', sort { $a cmp $b } keys %{ { map { s/ .*//r => 1 } keys %was } }), 'ingest upload worker', '  by these');
    my $number = $stack->sql("SELECT max(id) FROM core.series");
    my ($status, undef, $said) = $stack->tidemark('restore', $name, '--force');
    is($status, 0, 'a backup takes the place of the database in use') or diag $said;
    store($stack, $token, 'newer', 3);
    is($stack->sql("SELECT s.id FROM core.series s JOIN core.device d ON d.id = s.device_id WHERE d.key = 'newer'"), $number, '  a number is another device\'s there');
    store($stack, $token, $_->[0], $_->[1]) for ['later', 4], ['early', 5];
    is(join(' ', $stack->sql("SELECT d.key || '=' || string_agg(DISTINCT x.value::text, '+') FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id GROUP BY d.key ORDER BY d.key")),
        'early=1+5 later=4 newer=3', '  each reading is stored with its own device');
    send_file($stack, $token, 'two.txt');
    is(join(' ', $stack->sql('SELECT name FROM core.upload')), 'two.txt', '  and a file with its own list');
    await(sub { !grep { $was{$_} } serving($stack) }, '  no process goes on with the numbers of the old one') or diag join ' ', serving($stack);
    like($stack->logs, qr/another database is in the place of ours/, '  and the log says so');
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $off = Tidemark::Stack->start(engine => $engine);
        await(sub { ask($off, "SELECT count(*) FROM ops.job_run WHERE name = 'drill' AND is_ok AND started_at > '@{[scalar gmtime $^T]}Z'") }, 'without the setting the job does nothing');
        is_deeply(metrics($off), {}, '  and /metrics tells of no trial');
        is(n_trials($off), 0, '  for there was none');
        $off->stop;
        my $stack = Tidemark::Stack->start(engine => $engine, env => { RESTORE_DRILL_INTERVAL_HOURS => 24 });
        $stack->cli('tenant', 'add', 'acme');
        check_missing($stack);
        check_damaged($stack, check_good($stack));
        check_killed($stack);
        check_interrupted($stack);
        check_alone($stack);
        check_room($stack);
        check_slow($stack);
        check_folder($stack);
        check_refused($stack);
        check_swapped($stack);
        Tidemark::Processes::kill_hard($stack, 'postmaster');
        like($stack->get('/metrics')->{content}, qr/^tidemark_build_info/m, 'while the database is away the rest of /metrics is there');
    };
}
done_testing;
