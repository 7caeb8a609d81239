#!/usr/bin/env perl
# What ingest calls: registering devices, sites and series, the two lanes for samples with their
# change log, events and their identities around midnight, last values. On TimescaleDB the same
# again on compressed chunks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

sub check_registering {
    my ($ingest) = @_;
    is $ingest->text("SELECT * FROM api.ingest_devices(ARRAY['m1', 'm2', 'm1'], false)"),
        '1 - - f; 2 - - f; 3 - - f',
        'unknown devices';
    is $ingest->text("SELECT * FROM api.ingest_devices(ARRAY['m2', 'm1', 'm2'], true)"),
        '1 2 - f; 2 1 - f; 3 2 - f',
        'are made once each, answers in the order of the question';
    is $ingest->text("SELECT * FROM api.ingest_sites(ARRAY['roof', 'hall'], true)"), '1 2; 2 1', 'so are sites';
    is $ingest->text("SELECT * FROM api.ingest_sites(ARRAY['cellar', 'hall'], false)"), '1 -; 2 1', 'or not';
    $ingest->query('SELECT api.ingest_place(ARRAY[2, 2], ARRAY[1, 2])');
    $ingest->query('SELECT api.ingest_place(ARRAY[2, 99], ARRAY[2, 2])');
    is $ingest->text("SELECT site_id FROM api.ingest_devices(ARRAY['m2', 'm1'], false)"), '1; -',
        'a device is put where it is first said to be';
    my $series = q{SELECT ord, series_id, last_time FROM api.ingest_series(ARRAY[1, 1, 1, 2, 99],
        ARRAY['energy_kwh', 'energy_kwh', 'energy_kwh', 'power_w', 'power_w'],
        ARRAY[NULL, '{"phase": "a", "n": 1}', '{"n":1,"phase":"a"}', '', '{}'], %s)};
    is $ingest->text(sprintf $series, 'false'), '1 - -; 2 - -; 3 - -; 4 - -; 5 - -', 'unknown series';
    is $ingest->text(sprintf $series, 'true'), '1 1 -; 2 2 -; 3 2 -; 4 3 -; 5 - -',
        'are made, the same labels in another order are the same series, another\'s device gets none';
    is $ingest->text("SELECT ord, series_id, last_time FROM api.ingest_series(ARRAY[1], ARRAY['long'], ARRAY['{\"x\": \"' || repeat('y', 9000) || '\"}'], true)"),
        '1 4 -', 'labels longer than an index entry';
    return;
}

# Unit, kind and role as API.md and the names of the field say.
sub check_guessing {
    my ($cluster) = @_;
    my %expected = (
        grid_import_kwh => 'kWh delta grid_import', grid_export_kwh => 'kWh delta grid_export',
        generation_kwh => 'kWh delta generation', energy_kwh => 'kWh delta consumption',
        heat_pump_kwh => 'kWh delta consumption', meter_kwh_total => 'kWh counter consumption',
        grid_import_kwh_total => 'kWh counter grid_import', power_w => 'W gauge consumption',
        solar_w => 'W gauge generation', pv_power_w => 'W gauge generation', battery_w => 'W gauge storage',
        voltage_v => 'V gauge none', current_a => 'A gauge none', temp_c => '°C gauge none',
        humidity_pct => '% gauge none', frequency_hz => 'Hz gauge none', boiler_kw => 'kW gauge consumption',
        'meter.energy_kwh' => 'kWh delta consumption', 'solar.power_w' => 'W gauge generation',
        requests_total => ' counter none', state => ' gauge none', w => 'W gauge consumption',
        narrow => ' gauge none', Energy_kWh => 'kWh delta consumption',
    );
    my $super = $cluster->session('tidemark_super');
    my @wrong = map { my $is = $super->text("SELECT unit, kind, role FROM core.series_guess('$_')");
        $is eq $expected{$_} ? () : "$_: $is" } sort keys %expected;
    is "@wrong", '', 'unit, kind and role are read from ' . keys(%expected) . ' names';
    $cluster->session('tidemark_operator')->query("SELECT ops.device_put('alpha', 'm2', NULL, NULL, NULL,"
            . q{'{"metrics": {"odd": {"unit": "kWh", "kind": "counter", "role": "grid_import"}, "x_w": {"role": "sub_meter"}}}')});
    $cluster->session('tidemark_ingest', tenant => 1)
        ->query("SELECT * FROM api.ingest_series(ARRAY[2, 2, 2], ARRAY['odd', 'told_kwh', 'x_w'],"
            . " array_fill(NULL::text, ARRAY[3]), true, ARRAY['delta', 'counter', ''])");
    is $super->text("SELECT unit, kind, role FROM core.series WHERE device_id = 2 ORDER BY metric"),
        'kWh counter grid_import; W gauge consumption; kWh counter consumption; W gauge sub_meter',
            'what a sender tells of the kind overrules them, the device\'s configuration both';
    return;
}

# A batch as api.ingest_samples takes it: rows of [series, minutes from the base, value, logged].
sub batch {
    my ($base, @rows) = @_;
    my $list = sub { my ($type, $n, $form) = @_; return 'ARRAY[' . join(',', map { $form =~ s/%s/$_->[$n]/r } @rows) . "]::${type}[]" };
    return 'SELECT ord, outcome FROM api.ingest_samples(' . join(', ', $list->('int', 4, '1'),
        $list->('int', 0, '%s'),
        $list->('timestamptz', 1, "timestamptz '$base' + interval '%s minutes'"), $list->('float8', 2, '%s'),
        $list->('bool', 3, '%s')) . ')';
}

sub changes {
    my ($super, $base) = @_;
    my $text = $super->text("SELECT series_id, date_part('epoch', from_time - '$base') / 60,"
            . " date_part('epoch', to_time - '$base') / 60 FROM core.change ORDER BY series_id, from_time");
    $super->query('DELETE FROM core.change');
    return $text;
}

sub check_careful_lane {
    my ($ingest, $super, $base, $compress) = @_;
    $ingest->query("SELECT api.partitions_ensure('$base', '$base')");
    my $close = "UPDATE core.rollup_state SET closed_until = '%s', closing_until = '%1\$s'";
    $super->query(sprintf $close, '-infinity');
    is $ingest->text(batch($base, [1, 0, 1, 'false'], [1, 1, 2, 'false'], [2, 0, 3, 'false'])),
        '1 1; 2 1; 3 1', 'new samples';
    is changes($super, $base), '', 'in time: nothing is noted';
    $super->query(sprintf $close, $super->value("SELECT timestamptz '$base' + interval '15 minutes'"));
    $ingest->query(batch($base, [2, 14, 7, 'false'], [2, 15, 8, 'false']));
    is changes($super, $base), '2 14 14', 'what is of a closed quarter hour is noted, though nobody calls it late';
    $super->query("DELETE FROM core.sample WHERE series_id = 2 AND value > 3");
    $compress->();
    is $ingest->text(batch($base, [1, 0, 1, 'true'], [1, 1, 20, 'false'], [1, 2, 5, 'true'], [2, 0, 3, 'true'])),
        '1 0; 2 2; 3 1; 4 0', 'the same, another value, a late one, the same';
    is changes($super, $base), '1 1 2',
        'what replaced and what came late is noted, as one range, what is the same is not';
    is $super->text("SELECT series_id, value FROM core.sample WHERE time >= '$base' AND time < timestamptz '$base' + interval '1 day'"
            . ' ORDER BY series_id, time'), '1 1; 1 20; 1 5; 2 3', 'and stored';
    $compress->();
    is $ingest->text(batch($base, map { [ 1, $_, $_, 'true' ] } 10, 60, 120, 181, 600)),
        '1 1; 2 1; 3 1; 4 1; 5 1', 'late ones';
    is changes($super, $base), '1 10 120; 1 181 181; 1 600 600', 'a gap of more than an hour divides the ranges';
    is $ingest->error(batch($base, [99, 0, 1, 'false'])), '23503', 'a series of nobody is refused';
    return;
}

# The fast lane: plain inserts and COPY with the columns named; nothing may be read back.
sub check_fast_lane {
    my ($ingest, $super) = @_;
    my $insert = 'INSERT INTO core.sample (tenant_id, series_id, time, value)';
    my $now = $super->value("SELECT now() - interval '2 minutes'");
    is $ingest->error("$insert SELECT * FROM unnest(ARRAY[1, 1], ARRAY[3, 3], ARRAY[now(), now() - interval '1 minute'], ARRAY[1.5, 2.5])"),
        '', 'INSERT';
    is $ingest->error("COPY core.sample (tenant_id, series_id, time, value) FROM STDIN;\n1\t3\t"
            . "$now\t3.5\n\\.\n"), '', 'COPY';
    is $ingest->error("$insert VALUES (1, 3, now(), 2) ON CONFLICT DO NOTHING"), '',
        'DO NOTHING needs no right to read';
    is $ingest->error("$insert VALUES (1, 3, now(), 2) RETURNING value"), '42501', 'RETURNING does';
    is $ingest->error("$insert SELECT 1, 3, now() - interval '1 minute', 1 FROM core.sample"), '42501',
        'so does reading';
    is $ingest->error("BEGIN; $insert VALUES (1, 3, '2026-02-02', 2); $insert VALUES (1, 3, '2026-02-02', 2); COMMIT") =~ /^23/ ? 'refused' : '', 'refused',
        'a repeat is refused';
    $ingest->run('ROLLBACK');
    is $super->text("SELECT count(*) FROM core.sample WHERE series_id = 3 AND time > now() - interval '1 hour'"), 4, 'four are there';
    return;
}

sub check_last_values {
    my ($ingest, $super) = @_;
    my $flush = sub { $ingest->query("SELECT api.series_last_flush(ARRAY[1], ARRAY[3], ARRAY['$_[0]'::timestamptz], ARRAY[$_[1]])") };
    my $last = sub { return $super->text('SELECT time, value FROM core.series_last WHERE series_id = 3') };
    my $seen = sub { return $ingest->value("SELECT last_time FROM api.ingest_series(ARRAY[2], ARRAY['power_w'], ARRAY[NULL], false)") };
    my $newest = $super->value('SELECT max(time) FROM core.sample WHERE series_id = 3');
    is $seen->(), $newest, 'the newest sample is found without a last value';
    $flush->('2026-01-02', 5);
    is $last->(), '2026-01-02 00:00:00+00 5', 'a last value';
    is $seen->(), $newest, 'may lag';
    $flush->('2026-01-01', 4);
    is $last->(), '2026-01-02 00:00:00+00 5', 'never goes back';
    $flush->('2026-01-02', 6);
    is $last->(), '2026-01-02 00:00:00+00 6', 'but is corrected';
    $flush->('2031-01-01', 7);
    is $seen->(), '2031-01-01 00:00:00+00', 'the greater of both counts';
    $ingest->query("SELECT api.device_seen_flush(ARRAY[1, 1], ARRAY['2026-01-02', '2026-01-01']::timestamptz[])");
    $ingest->query("SELECT api.device_seen_flush(ARRAY[1], ARRAY['2025-01-01']::timestamptz[])");
    is $super->value('SELECT last_seen FROM core.device WHERE id = 1'), '2026-01-02 00:00:00+00',
        'a device is seen forward only';
    is $ingest->error("SELECT api.change_log(ARRAY[1], ARRAY[3], ARRAY['2026-01-01'::timestamptz], ARRAY['2026-01-02'::timestamptz])"),
        '', 'the fast lane notes its late ranges';
    is changes($super, '2026-01-01 00:00+00'), '3 0 1440', 'as they are';
    return;
}

sub uuid { return sprintf '00000000-0000-4000-8000-%012d', $_[0] }

sub check_events {
    my ($ingest, $super) = @_;
    my $events = sub {
        my @rows = @_;
        my $list = sub { my ($type, $n) = @_; return 'ARRAY[' . join(',', map {"$_->[$n]"} @rows)
            . "]::${type}[]" };
        return $ingest->text('SELECT * FROM api.ingest_events(' . join(', ', $list->('int', 0), $list->('int', 1),
            $list->('int', 2), $list->('timestamptz', 3), $list->('text', 4), $list->('bigint', 5),
            $list->('text', 6), $list->('text', 7), $list->('text', 8)) . ')');
    };
    my ($k1, $k2, $k3) = map { "'" . uuid($_) . "'" } 1 .. 3;
    is $events->([1, 1, 0, 'now()', "'alarm'", -1, 'NULL', $k1, 'NULL'], [1, 1, 1, 'now()', "'door'", 17, $k2, $k2, q{'{"a": 1}'}],
        [1, 1, 0, 'now()', "'alarm'", -1, 'NULL', $k1, 'NULL']), '1 t; 2 t; 3 f', 'events, one twice in a batch';
    is $events->([1, 1, 1, 'now()', "'door'", 17, $k2, $k2, q{'{"a": 1}'}], [1, 2, 0, 'now()', "'door'", 0, 'NULL', $k2, 'NULL']),
        '1 f; 2 t', 'a repeat; another device\'s is another event';
    is $super->text('SELECT device_id, site_id, type, seq, id, data FROM core.event ORDER BY device_id, type'),
        '1 - alarm - - {}; 1 1 door 17 ' . uuid(2) . ' {"a": 1}; 2 - door 0 - {}', 'as they were sent';
    is $ingest->error("SELECT * FROM api.ingest_events(ARRAY[2], ARRAY[1], ARRAY[0], ARRAY[now()], ARRAY['x'], ARRAY[-1],"
            . " ARRAY[NULL], ARRAY[$k3], ARRAY[NULL])"), '23503', 'a device of another tenant is refused';
    return;
}

# Identities by the moment of arrival; the clock is an argument of the inner function.
sub check_event_keys {
    my ($cluster, $super) = @_;
    my $n = 100;
    my $claim = sub {
        my ($session, $at, @keys) = @_;
        return join ',', map { $_->[0] } $session->query("SELECT core.event_key_claim('$at+00', "
                . join(', ', map { 'ARRAY[' . join(',', ($_) x @keys) . ']' } 1, 7)
                . ', ARRAY[' . join(',', map { "'" . uuid($_) . "'::uuid" } @keys) . ']) ORDER BY 1');
    };
    $super->query('TRUNCATE core.event_key');
    is $claim->($super, '2026-03-01 12:00', 1, 2), '1,2', 'new on the first day';
    is $claim->($super, '2026-03-01 13:00', 1, 3), '2', 'not again';
    is $claim->($super, '2026-03-08 12:00', 1), '', 'nor seven days later';
    is $claim->($super, '2026-03-01 23:49', 10) . $claim->($super, '2026-03-01 23:51', 10), '1', 'before midnight';
    is $claim->($super, '2026-03-01 23:59', 11) . $claim->($super, '2026-03-02 00:01', 11), '1', 'across it';
    is $claim->($super, '2026-03-02 00:09', 12) . $claim->($super, '2026-03-02 00:11', 12), '1', 'after it';
    is $super->text("SELECT tableoid::regclass, slot FROM core.event_key WHERE key = '" . uuid(11)
        . "' ORDER BY 2")
        =~ tr/;//, 1, 'around midnight a key is in two days';

    # two transactions on either side of midnight, neither sees the other's rows
    my ($one, $two) = map { $cluster->session('tidemark_super', new => 1) } 1 .. 2;
    $one->query('BEGIN');
    is $claim->($one, '2026-03-02 23:59:59', 20), '1', 'one transaction claims before midnight';
    $two->query("SET lock_timeout = '200ms'");
    is $two->error("SELECT core.event_key_claim('2026-03-03 00:00:01+00', ARRAY[1], ARRAY[7], ARRAY['"
        . uuid(20) . "'::uuid])"),
        '55P03', 'another, after it, waits for the first';
    $one->query('COMMIT');
    is $claim->($two, '2026-03-03 00:00:02', 20), '', 'and then finds a duplicate';
    is $super->text("SELECT count(DISTINCT core.event_key_slot(date '2026-01-01' + n)) FROM generate_series(1, 10) n"), 10,
        'ten days have ten slots';
    return;
}

# What ingest is told of devices and sites that changed, each time with what was told to ask with.
sub check_name_changes {
    my ($cluster) = @_;
    my ($ingest, $super) = ($cluster->session('tidemark_ingest'), $cluster->session('tidemark_super'));
    my $next = $ingest->value('SELECT next FROM api.name_changes(NULL, 9)');
    my $told = sub {
        my @rows = $ingest->query("SELECT coalesce(tenant_id || ':' || CASE kind WHEN 'site' THEN 'site ' ELSE '' END || key, ''), next"
                . " FROM api.name_changes('$next', 9)");
        $next = $rows[0][1];
        return join ' ', sort grep { $_ ne '' } map { $_->[0] } @rows;
    };
    $ingest->query("SELECT api.device_seen_flush(ARRAY[1, 2], array_fill(now() + interval '1 hour', ARRAY[2]))");
    $super->query("UPDATE core.device SET name = 'other' WHERE id = 1; UPDATE core.site SET name = 'other' WHERE id = 1");
    is $told->(), '', 'what ingest does not remember is no change';
    my $late = $cluster->session('tidemark_operator');
    $late->query("BEGIN; SELECT ops.device_put('alpha', 'm1', NULL, NULL, 'hall', NULL)");
    $super->query("UPDATE core.device SET retired_at = now() WHERE id = 2");
    is $told->(), '1:m2', 'a device that is retired is told';
    is $told->(), '', 'once, while another transaction goes on';
    $late->query('COMMIT');
    is $told->(), '1:m1', 'one that was moved by a transaction that ended late, too';
    is $told->(), '', 'and then no more';
    $super->query("UPDATE core.device SET key = 'm3', retired_at = NULL WHERE id = 2; INSERT INTO core.site (tenant_id, key, name, timezone) VALUES (1, 'shed', 'shed', 'UTC');"
            . " DELETE FROM core.site WHERE key = 'shed'; UPDATE core.device SET key = 'm2' WHERE id = 2");
    is $told->(), '1:m2 1:m3 1:site shed', 'names that were given up, sites that are gone';
    $super->query("UPDATE core.name_change SET noted_at = now() - interval '25 hours' WHERE key = 'm2'");
    like $cluster->session('tidemark_worker')->value('SELECT ops.retention_tidy()'), qr/"name_changes": 3\b/, 'after a day they are forgotten';
    return;
}

# What is rejected: at most so much of a tenant, and for so long; accounts that add up.
sub check_rejects {
    my ($cluster, $ingest, $super) = @_;
    my $add = sub {
        my ($tenant, $n, $bytes, $at) = @_;
        my $same = sub { "array_agg($_[0] ORDER BY n)" };
        return $ingest->query('SELECT api.reject_add(' . join(', ', map { $same->($_) } $tenant, $at, q{'r'::text}, '1::bigint', 0, 4, 'NULL::text', q{'event'::text}, 'n',
            'NULL::text', q{'no'::text}, q{'POST'::text}, q{'/v1/event'::text}, q{''::text}, "decode(repeat('61', $bytes), 'hex')", $bytes) . ") FROM generate_series(1, $n) n");
    };
    my $held = sub { $super->text("SELECT count(*), coalesce(sum(bytes), 0), max(item) FROM core.reject WHERE tenant_id = $_[0]") };
    my $total = sub { $super->text('SELECT tenant_id, n_rows, n_bytes FROM core.reject_total ORDER BY 1') };
    my $counted = q{SELECT tenant_id, count(*), sum(bytes) FROM core.reject GROUP BY 1 ORDER BY 1};
    $add->(2, 10, 1, 'now()');
    $add->(1, 4_000, 1, 'now()') for 1 .. 3;
    is $held->(1), '9000 108000 4000', 'of 12,000 rejections of a tenant the newest 9,000 stay';
    is $held->(2), '10 120 10', 'and all of its neighbour';
    is $total->(), $super->text($counted), 'both are counted';
    $add->(1, 3_000, 8192, 'now()');
    my ($rows, $bytes) = split ' ', $held->(1);
    ok $bytes <= 16 << 20 && $rows > 1_800, "long ones within 16 MiB ($rows)";
    $add->(2, 5, 1, q{now() - interval '8 days'});
    my $web = $cluster->session('tidemark_web', tenant => 2);
    is $web->value(q{SELECT count(*) FROM api.reject_list(NULL, NULL, '-infinity', 'infinity', NULL, NULL, NULL, NULL, 1, NULL)}), 10,
        'after seven days they are not seen';
    $ingest->query(q{SELECT api.ingest_hours_add(ARRAY[2, 2], ARRAY[date_trunc('hour', now()) - interval '91 days', date_trunc('hour', now())], ARRAY[5, 5], ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 1],
        ARRAY[1, 1], ARRAY[0, 0], ARRAY[0, 0], ARRAY[0, 0])}) for 1 .. 2;
    is $super->text('SELECT received, accepted, duplicates, updated, rejected FROM core.ingest_hour WHERE hour < now() ORDER BY hour'),
        '10 2 4 2 2; 10 4 2 2 2', 'what is added to an hour is added';
    is $cluster->session('tidemark_worker')->text('SELECT * FROM ops.reject_prune()'), '5 1', 'and in the end removed, as accounts are after 90 days';
    is $total->(), $super->text($counted), 'and uncounted';
    my $writer = q{SELECT api.ingest_write_begin('00000000-0000-4000-8000-000000000007', %d)};
    is join(' ', map { $ingest->value(sprintf $writer, $_) } 1, 2, 2, 1, 3), 't t f f t', 'a write is made once';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR'), ops.tenant_add('beta', '', 'UTC', 'EUR')");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    check_registering($ingest);
    check_guessing($cluster);
    $ingest->bind(1);
    check_careful_lane($ingest, $super, '2026-01-05 00:00+00', sub { });
    if ($cluster->{wanted} eq 'timescaledb') {
        note 'the same on compressed chunks';
        check_careful_lane($ingest, $super, '2025-10-06 00:00+00', sub {
            $super->query("SELECT public.compress_chunk(c, true) FROM public.show_chunks('core.sample', older_than => timestamptz '2026-01-01') c");
            is $super->value("SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed") > 0 ? 1 : 0, 1, 'compressed';
        });
    }
    check_fast_lane($ingest, $super);
    check_last_values($ingest, $super);
    check_events($ingest, $super);
    check_event_keys($cluster, $super);
    check_name_changes($cluster);
    check_rejects($cluster, $ingest, $super);
});

done_testing;
