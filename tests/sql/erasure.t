#!/usr/bin/env perl
# What is erased is gone, compressed or not, and stays gone: a device with all that is derived of
# it, samples that ingest commits after its end, persons and their names in the audit trail.
# Corrections of what retention has touched are refused with the time from which they are possible.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

my ($cluster, $super, $ingest, $web, $device, @ids);

sub feed {
    my ($key, @metrics) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.device_put('alpha', '$key', '', '', 'attic', NULL)");
    $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['$key'], false)");
    @ids = map { $_->[0] } $ingest->query("SELECT series_id FROM api.ingest_series(array_fill($device, ARRAY[" . @metrics . "]),"
            . ' ARRAY[' . join(',', map {"'$_'"} @metrics) . '], array_fill(\'\'::text, ARRAY[' . @metrics . ']), true) ORDER BY ord');
    $ingest->query("SELECT api.partitions_ensure(now() - interval '40 days', now())");
    $ingest->query("SELECT api.ingest_samples(array_agg(1), array_agg($_), array_agg(g ORDER BY g), array_agg(1.5::float8), array_agg(true))"
            . " FROM generate_series(now() - interval '40 days', now() - interval '1 hour', '1 hour') g") for @ids;
    return;
}

# Rows that belong to the series, by table, where there are any.
sub rest_of {
    my (@series) = @_;
    my $list = join ',', @series;
    return join ' ', grep { $super->value("SELECT EXISTS (SELECT FROM $_ WHERE series_id IN ($list))") eq 't' }
        map { $_->[0] } $super->query("SELECT relation FROM core.device_tables() WHERE key = 'series_id'");
}

sub check_device {
    feed('stays', 'energy_kwh');
    my @kept = @ids;
    feed('goes', 'energy_kwh', 'power_w');
    $ingest->query("SELECT api.ingest_events(ARRAY[1], ARRAY[$device], ARRAY[0], ARRAY[now()], ARRAY['note'], ARRAY[-1], ARRAY[NULL],"
            . " ARRAY['00000000-0000-4000-8000-000000000001'], ARRAY['{}'])");
    $cluster->session('tidemark_operator')->query("SELECT ops.token_add('alpha', 'device', 'goes', '', 'hash', 'tmk', NULL, false)");
    $cluster->roll_up;
    if ($cluster->engine eq 'timescaledb') {
        $super->query("SELECT public.compress_chunk(c, true) FROM public.show_chunks('$_', older_than => now() - interval '2 days') c")
            for map {"core.$_"} qw(sample rollup_15m rollup_1h event);
    }
    my $stays = sub { return join '|', map { $super->text("SELECT count(*), sum(count), max(last_time) FROM core.rollup_$_ WHERE series_id = $kept[0]") } qw(15m 1h 1d 1w 1mo) };
    my $before = $stays->();
    my ($samples, $quarters) = map { $super->value("SELECT count(*) FROM core.$_ WHERE series_id IN ($ids[0], $ids[1])") } qw(sample rollup_15m);
    my ($place, $stayed) = map { $super->value($_) } 'SELECT site_id FROM core.device WHERE id = ' . $device, "SELECT id FROM core.device WHERE key = 'stays'";
    $super->query("INSERT INTO core.cost_device VALUES (1, $place, 0, '2020-01-01', true, ARRAY[$device, $stayed], '{1, 2}', '{3, 4}'),"
            . " (1, $place, 0, '2020-01-02', true, ARRAY[$stayed], '{5}', '{6}'), (1, $place, $device, '2020-01-01', true, ARRAY[$device], '{1}', '{3}')");
    my $counts = $web->value("SELECT api.device_erase('goes')");
    my %said = $counts =~ /"(\w+)": (\d+)/g;
    is $said{sample}, $samples, 'all samples are told';
    is $said{rollup_15m}, $quarters, 'and quarter hours';
    is join(' ', @said{qw(series event token)}), '2 1 1', 'and series, events, tokens';
    is $said{cost_device}, 2, 'and what it came to';
    is $super->text('SELECT device_id, day, devices, nkwh, atto FROM core.cost_device ORDER BY day'),
        $super->text("SELECT 0, d::date, ARRAY[$stayed], ARRAY[n], ARRAY[a] FROM (VALUES ('2020-01-01', 2, 4), ('2020-01-02', 5, 6)) v (d, n, a)"),
        '  of which the others keep theirs';
    my $store = "SELECT ops.cost_store_devices('attic', NULL, '2020-01-01', '2020-01-02', ARRAY[18262], ARRAY[true], ARRAY[2], ARRAY['%s', 'stays'],"
        . " ARRAY[1, 2], ARRAY['1', '2'], ARRAY['3', '4'])";
    my $costs = $cluster->session('tidemark_worker', tenant => 1);
    is $costs->error(sprintf $store, 'goes'), '40001', 'nor is it written by who still thinks of it';
    is rest_of(@ids), '', 'nothing is left';
    is $stays->(), $before, 'another device is as it was';
    is $web->error("SELECT api.device_erase('goes')"), 'TM404', 'twice is once too many';
    # an ingest process that still remembers the series
    $super->query("INSERT INTO core.sample SELECT 1, $ids[0], now() - g * interval '1 day', 7 FROM generate_series(0, 10) g;"
            . " INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (1, $ids[0], now() - interval '10 days', now())");
    $cluster->roll_up;
    cmp_ok $cluster->session('tidemark_worker')->value('SELECT ops.residue_erase()'), '>=', 11, 'what came afterwards is found';
    is rest_of(@ids), '', 'and erased';
    is $cluster->session('tidemark_worker')->value('SELECT ops.orphan_check()'), 0, 'nothing is an orphan';
    my $former = $device;
    feed('goes', 'energy_kwh');
    isnt $device, $former, 'the key comes again as another device';
    $cluster->session('tidemark_worker')->query('SELECT ops.residue_erase()');
    is $super->value("SELECT count(*) FROM core.sample WHERE series_id = $ids[0]"), 960, 'which keeps its samples';
    return;
}

# Awaits that another session waits for a lock with a statement like this.
sub await_lock {
    my ($like) = @_;
    my $until = time + 20;
    my $waiting = sub { $super->value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%$like%' AND pid <> pg_backend_pid()") };
    select undef, undef, undef, 0.02 while time < $until && $waiting->() == 0;
    return;
}

# Raters of a tenant do not wait for each other, and whoever reads the ledger's stamp sees a commit of
# either, whichever began first. A device is erased when who rates its place is done: both come to an end.
sub check_rating {
    feed('rated', 'energy_kwh');
    my $place = $super->value("SELECT site_id FROM core.device WHERE id = $device");
    my @rater = map { $cluster->session('tidemark_super', tenant => 1, new => 1) } 0, 1;
    my $store = sub { my ($from, $to, @worth) = @_; my $days = "'2021-01-$from'::date, '2021-01-$to'::date";
        return "SELECT ops.cost_store_devices('attic', NULL, $days, ARRAY[18627 + $from], ARRAY[true], ARRAY[1], ARRAY['rated'], ARRAY[1], ARRAY['$worth[0]'], ARRAY['1'])" };
    my $stamp = sub { return $super->value('SELECT sum(n) FROM core.cost_stamp WHERE tenant_id = 1') // 0 };
    my @stamps = $stamp->();
    $_->query("SET lock_timeout = '5s'; BEGIN") for @rater;
    $rater[0]->query($store->('01', '02', 1));
    is $rater[1]->error($store->('02', '03', 1)), '', 'two rate at once';
    for (reverse @rater) { $_->query('COMMIT'); push @stamps, $stamp->() }
    ok $stamps[0] < $stamps[1] && $stamps[1] < $stamps[2], 'the stamp tells of both' or diag "@stamps";
    cmp_ok $super->value('SELECT count(*) FROM core.cost_stamp WHERE tenant_id = 1'), '<=', 2, 'in few rows';
    # as the worker does: the place, a day that is new, and then one that erasure wants as well
    $rater[0]->query("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('tidemark.cost.1.$place', 0))");
    $rater[0]->query($store->('03', '04', 1));
    $web->begin("SELECT api.device_erase('rated')");
    await_lock('device_erase(');
    is $rater[0]->error($store->('01', '02', 2)), '', 'who rates goes on beside erasure';
    $rater[0]->query('COMMIT');
    my $erased = $web->finish;
    is $erased->{error}, '', 'which follows' or diag $erased->{message};
    is $super->value("SELECT count(*) FROM core.cost_device WHERE devices @> ARRAY[$device]"), 0, 'and leaves nothing';
    return;
}

# A batch that was begun before the erasure's end is waited for; one that is begun later, by a process
# that still thinks of the device, is refused, whichever way it is written.
sub check_writers {
    feed('written', 'energy_kwh');
    my ($old, $id) = ($device, $ids[0]);
    my $writer = $cluster->session('tidemark_ingest', new => 1);
    my $insert = "INSERT INTO core.sample (tenant_id, series_id, time, value) SELECT * FROM unnest(ARRAY[1], ARRAY[$id],"
        . " ARRAY[now()], ARRAY[2.5::float8]) WHERE (SELECT api.ingest_open(now(), ARRAY[1], ARRAY[$id]))";
    my $event = "SELECT is_new FROM api.ingest_events(ARRAY[1], ARRAY[$old], ARRAY[0], ARRAY[now()], ARRAY['note'], ARRAY[-1], ARRAY[NULL],"
        . " ARRAY[gen_random_uuid()::text], ARRAY['{}'])";
    for my $way (['samples' => $insert], ['samples by COPY' => "SELECT api.ingest_begin(ARRAY[1], ARRAY[$id])"], ['events' => $event]) {
        my ($name, $sql) = @$way;
        $writer->query("BEGIN; $sql");
        $web->begin("BEGIN; SELECT api.device_erase('written')");
        await_lock('device_erase(');
        is $super->value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%device_erase(%' AND wait_event = 'advisory'"), 1,
            "an erasure waits for who writes $name";
        $writer->query('COMMIT');
        is $web->finish->{error}, '', '  and follows';
        $web->query($way->[0] eq 'events' ? 'COMMIT' : 'ROLLBACK');
    }
    is $writer->error($insert), '23503', 'afterwards no sample is stored';
    is $writer->error("SELECT api.ingest_begin(ARRAY[1, 1], ARRAY[$id - 1, $id])"), '23503', 'nor by COPY';
    is $writer->error("SELECT api.ingest_samples(ARRAY[1], ARRAY[$id], ARRAY[now()], ARRAY[1.5::float8], ARRAY[true])"), '23503', 'nor late';
    is $writer->error($event), '23503', 'nor an event';
    feed('written', 'energy_kwh');
    is $writer->error("SELECT api.ingest_open('infinity', ARRAY[1], ARRAY[$ids[0]]), api.ingest_begin(ARRAY[1], ARRAY[$ids[0]])"), '',
        'of the device that comes again they are';
    return;
}

# A schedule is removed, or its assignment withdrawn, while the device that it is assigned to is being
# erased: the eraser has the device when the other begins, and wants the assignment afterwards.
sub check_rates {
    my ($rater, $admin) = map { $cluster->session("tidemark_$_", tenant => 1, new => 1) } qw(super web);
    for my $way (qw(rate_remove rate_unassign)) {
        feed('billed', 'energy_kwh');
        my $place = $super->value("SELECT site_id FROM core.device WHERE id = $device");
        my $rate = $admin->value("SELECT api.rate_version_add(0, 'Flat', 'UTC', 'EUR', '2020-01-01', NULL, 'json', '{}')");
        my $assigned = $admin->value("SELECT api.rate_assign($rate, NULL, 'billed', NULL, NULL)");
        $rater->query("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('tidemark.cost.1.$place', 0))");
        $web->begin("SELECT api.device_erase('billed')");
        await_lock('device_erase(');
        $admin->begin($way eq 'rate_remove' ? "SELECT api.rate_remove($rate)" : "SELECT api.rate_unassign($rate, $assigned)");
        await_lock("$way(");
        $rater->query('COMMIT');
        my ($erased, $changed) = map { $_->finish } $web, $admin;
        is $erased->{error}, '', "a device is erased beside $way" or diag $erased->{message};
        is $changed->{error}, $way eq 'rate_remove' ? '' : 'TM404', $way eq 'rate_remove' ? '  which follows' : '  which finds it gone' or diag $changed->{message};
        is $super->text("SELECT (SELECT count(*) FROM core.rate_assignment WHERE schedule_id = $rate), (SELECT removed_at IS NOT NULL FROM core.rate_schedule WHERE id = $rate)"),
            $way eq 'rate_remove' ? '0 t' : '0 f', '  and each has done what it was to do';
    }
    return;
}

sub check_floors {
    feed('old', 'level');
    $cluster->roll_up;
    my $floor = $super->value("SELECT date_bin('7 days', now() - interval '20 days', '2000-01-01 00:00+00')");
    is $cluster->session('tidemark_super')->value("SELECT core.floor_raise('raw', '$floor', 1)"), 't', 'retention took samples';
    my $put = sub { return $web->run("SELECT updated, inserted FROM api.sample_put('old', ARRAY['level'], ARRAY[NULL], ARRAY['$_[0]'::timestamptz], ARRAY[9])") };
    my $early = $put->($super->value("SELECT '$floor'::timestamptz - interval '1 minute'"));
    is $early->{error}, 'TM422', 'before its floor nothing is put right';
    like $early->{message}, qr/kept no longer/, 'and why is said';
    is $put->($floor)->{rows}[0][1], 1, 'from it on it is';
    is $web->error("SELECT api.sample_delete('old', 'level', '$floor'::timestamptz - interval '1 minute', now())"), 'TM409', 'nor deleted';
    cmp_ok $web->value("SELECT api.sample_delete('old', 'level', '$floor', now())"), '>', 300, 'but from there on';
    is $web->value("SELECT count(*) FROM api.series WHERE device = 'old' AND last_time < '$floor'"), 1, 'the last value is the newest that is left';
    # a day whose quarter hours went keeps what it was, all of it
    $cluster->roll_up;
    my $fine = $super->value("SELECT '$floor'::timestamptz + interval '5 days 6 hours'");
    $super->value("SELECT core.floor_raise('fine', '$fine', 1)");
    my $next = $super->value("SELECT core.local_start('day', '$fine'::timestamptz + interval '1 day', 'America/Los_Angeles')");
    is $put->($super->value("SELECT '$next'::timestamptz - interval '1 minute'"))->{error}, 'TM422', 'nor is a day changed that has lost its quarter hours';
    is $put->($next)->{error}, '', 'the next is';
    return;
}

sub check_person {
    my $operator = $cluster->session('tidemark_operator');
    $operator->query("SELECT ops.person_add('eve\@x.org', 'Eve', 'h', 'operator_admin'), ops.person_add('kay\@x.org', 'Kay', 'h', 'operator_admin'),"
            . " ops.membership_add('kay\@x.org', 'alpha', 'admin')");
    $cluster->session('tidemark_web')->query("SELECT api.login_passed('kay\@x.org', '::1',"
            . " (SELECT person_id FROM api.login_check('kay\@x.org', '::1')), 'cookie', 7)");
    $super->query("SET tidemark.actor = 'kay\@x.org'; SELECT core.audit_add(1, 'something', 'x', '{}'); RESET tidemark.actor");
    is $operator->value("SELECT ops.person_erase('Kay\@x.org ')"), '{"person": 1, "session": 1, "membership": 1}', 'a person is erased';
    is $super->value("SELECT count(*) FROM core.person WHERE email LIKE 'kay%'"), 0, 'gone';
    is $super->value("SELECT count(*) FROM core.audit WHERE actor || object LIKE '%kay\@x.org%'"), 0, 'from the audit trail too';
    is $super->value("SELECT count(*) FROM core.audit WHERE action = 'something' AND actor LIKE 'erased person %'"), 1, 'whose lines stay';
    is $operator->error("SELECT ops.person_erase('kay\@x.org')"), 'TM404', 'once';
    is $operator->error("SELECT ops.person_erase('eve\@x.org')"), 'TM409', 'the last who may change the installation stays';
    return;
}

# What runs beside a rater who holds a place and has written some of its ledger waits for him, and he
# gets all that he wants. Of a site, and of a tenant.
sub check_removal {
    my $operator = $cluster->session('tidemark_operator', new => 1);
    my $rater = $cluster->session('tidemark_super', tenant => 1, new => 1);
    feed('kept', 'energy_kwh');
    $operator->query("SELECT ops.site_put('alpha', 'cellar', 'Cellar', 'America/Los_Angeles')");
    my %ways = (cellar => [$web->bind(1), "SELECT api.site_remove('cellar')"], attic => [$operator, "SELECT ops.tenant_remove('alpha')"]);
    for my $site (qw(cellar attic)) {
        my ($who, $remove) = @{ $ways{$site} };
        my $place = $super->value("SELECT id FROM core.site WHERE key = '$site'");
        my $store = sub { return "SELECT ops.cost_store_devices('$site', NULL, '2021-01-01'::date, '2021-01-02'::date, ARRAY[18628], ARRAY[true], ARRAY[1], ARRAY['kept'], ARRAY[1], ARRAY['$_[0]'], ARRAY['1'])" };
        $rater->query($store->(1));
        $super->query("INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy, is_move) VALUES (1, $place, '2021-01-01', '2021-01-02', true, false)");
        $rater->query("SET lock_timeout = '5s'; BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('tidemark.cost.1.$place', 0))");
        $who->begin($remove);
        await_lock('_remove(');
        is $rater->error("DELETE FROM core.cost_dirty WHERE site_id = $place"), '', "who rates goes on beside $remove";
        is $rater->error($store->(2)), '', '  with all that he wants';
        $rater->query('COMMIT');
        my $removed = $who->finish;
        is $removed->{error}, '', '  which follows' or diag $removed->{message};
        is $super->value("SELECT count(*) FROM core.cost_device WHERE site_id = $place"), 0, '  and leaves nothing';
    }
    return;
}

Tidemark::Cluster->each_engine(sub {
    ($cluster) = @_;
    $super = $cluster->session('tidemark_super');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR'), ops.site_put('alpha', 'attic', 'Attic', 'America/Los_Angeles')");
    $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    $web = $cluster->session('tidemark_web', tenant => 1);
    check_device();
    check_rating();
    check_writers();
    check_rates();
    check_floors();
    check_person();
    check_removal();
});

done_testing;
