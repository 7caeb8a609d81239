#!/usr/bin/env perl
# The archive's catalogue: what is in it and what never is, when one is written, which are kept; one that is lost
# is found out, as are manifests, and written anew; a database
# made of a store with damage in it, where that is to be skipped, and by rebuilds that are killed at each step;
# manifests that are not what their names say, and numbers that are missing, are named.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use POSIX qw(strftime);
use Test::More;
use Tidemark::Archiver qw(start_archive slay);
use Tidemark::Cluster;
use Tidemark::Day;
use Tidemark::Killed qw(kill_when);
use Tidemark::Scratch qw(slurp_whole spit);
use Time::HiRes qw(sleep);

my $TODAY = Tidemark::Day::today();
my $DAYS = 6;    # from ten days ago on

sub day { return strftime('%Y-%m-%d', gmtime($TODAY - $_[0] * 86400)) }

sub populate {
    my ($cluster) = @_;
    my $operator = $cluster->session('tidemark_operator');
    my $ingest = $cluster->session('tidemark_ingest', new => 1);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '20 days', now())");
    for my $name (qw(alpha alpha-2)) {
        my $id = $operator->value("SELECT ops.tenant_add('$name', '$name', 'Europe/Berlin', 'EUR')");
        $ingest->bind($id);
        my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['meter'], true)");
        for my $metric (qw(energy_kwh voltage_v)) {
            my $series = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['$metric'], ARRAY['{\"phase\": \"L1\"}'], true)");
            $ingest->query("SELECT api.ingest_samples(array_agg($id), array_agg($series), array_agg(t ORDER BY t), array_agg(extract(epoch FROM t)::float8 / 7 ORDER BY t), array_agg(true))"
                    . " FROM generate_series(timestamptz '@{[day(10)]}Z', timestamptz '@{[day(10 - $DAYS)]}Z' - interval '1 s', '20 minutes') t");
        }
    }
    my $super = $cluster->session('tidemark_super');
    $super->query(q{UPDATE core.device SET config = '{"gateway": {"password": "hidden"}}'});
    # a catalogue of 15 MB, which is made and loaded in several parts
    $super->query(q{INSERT INTO core.site (tenant_id, key, name, timezone) SELECT 2, 'site ' || n, repeat(E'\u00dcber "' || n || E'"\n', 250000), 'Europe/Berlin' FROM generate_series(1, 5) n});
    $cluster->roll_up;
    return;
}

# Each sample and what is made of it, by name, but for one day.
sub facts {
    my ($cluster, $without) = @_;
    my $super = $cluster->session('tidemark_super');
    my $names = 'JOIN core.series s ON s.id = x.series_id AND s.tenant_id = x.tenant_id JOIN core.device d ON d.id = s.device_id JOIN core.tenant t ON t.id = x.tenant_id';
    my $where = $without ? "WHERE x.%s < '$without' OR x.%s >= date '$without' + 1" : '';
    return join "\n", map {
        my ($table, $time, $value) = @{$_};
        my $only = $where =~ s/%s/$time/gr;
        $super->text("SELECT '$table', count(*), md5(string_agg(concat_ws(' ', t.slug, d.key, s.metric, s.labels, x.$time, $value), ',' ORDER BY t.slug, d.key, s.metric, x.$time)) FROM core.$table x $names $only");
    } ['sample', 'time', 'x.value'], $without ? () : (map { ["rollup_$_", 'bucket', 'x.count, x.sum, x.min, x.max, x.first, x.last'] } qw(15m 1h 1d 1w 1mo)), $without ? () : (map { ["energy_$_", 'bucket', 'x.nkwh'] } qw(15m 1d));
}

# What there is in the store of a tenant's catalogues, by path, the newest last.
sub catalogues { my ($cluster, $tenant) = @_; my @paths = sort glob $cluster->home . "/objects/archive/catalogue/tenant=$tenant/*"; return @paths }

# What a catalogue says, without the time of its first line and the checksum of its last one.
sub said {
    my $text = slurp_whole($_[0]);
    my $from = index $text, "\n";
    return substr $text, $from, rindex($text, '{"end"') - $from;
}

sub lines { return map { decode_json($_) } split /\n/, slurp_whole($_[0]) }

# ---- what is in it ----

# A column that is added to one of these tables is carried, unless it is left out: whoever adds it says here
# that it may leave the database.
my %COLUMNS = (
    tenant => 'auto_register created_at currency daily_days event_days hourly_days id max_series name raw_days request_rate rows_per_day slug status timezone token_rate',
    site => 'created_at id key name timezone',
    device => 'config created_at id key model name retired_at site_id',
    series => 'created_at device_id id kind labels metric role unit',
    plugin => 'config created_at is_enabled key kind',
    rate_schedule => 'created_at id name removed_at',
    rate_version => 'currency document format from_day known_since made_by number schedule_id timezone to_day',
    rate_price => 'from_time known_since nano_rate schedule_id series to_time',
    rate_assignment => 'device_id from_day id known_since known_until made_by schedule_id site_id to_day',
    meter_entry => 'at device_id factor final id initial kind made_at made_by note only_series size unit until withdrawn_at withdrawn_by',
    archive_cursor => 'relation until',
    archive => 'archived_at day id kind n n_bytes n_rows object relation sha256',
);

sub check_columns {
    my ($super) = @_;
    my %carried = map { @{$_} } $super->query(<<'SQL');
SELECT p.relation, string_agg(a.attname, ' ' ORDER BY a.attname COLLATE "C")
FROM (SELECT * FROM core.catalogue_parts() UNION ALL VALUES (0, 'tenant'::name, '{adapters_version}'::text[], '')) p
JOIN pg_attribute a ON a.attrelid = ('core.' || p.relation)::regclass AND a.attnum > 0 AND NOT a.attisdropped
WHERE a.attname <> 'tenant_id' AND a.attname <> ALL (p.left_out) GROUP BY 1
SQL
    is_deeply(\%carried, \%COLUMNS, 'what leaves the database is what may');
    return;
}

# Of each configuration only what Tidemark reads, whatever the rest is called: XX stands where a secret is.
sub check_shapes {
    my ($super) = @_;
    my $line = sub {
        my ($relation, $row) = @_;
        return decode_json($super->value("SELECT core.catalogue_line('$relation', '$row')"))->{config};
    };
    my %foreign = (
        'camelCase' => '{"mqttPass": "XX", "apiKey": "XX", "authToken": "XX", "wifiPSK": "XX", "user": "XX"}',
        'names beside values' => '{"settings": [{"name": "password", "value": "XX"}], "name": "apiKey", "value": "XX"}',
        'headers' => '{"headers": [["Authorization", "Bearer XX"], "X-Auth: XX", {"key": "Cookie", "value": "XX"}]}',
        'addresses and numbers' => '{"url": "mqtt://u:XX@host", "dsn": "host=h;Pwd=XX", "pin": 1234, "XX": true}',
        'no object' => '["XX"]',
        'what looks like a mapping' => '{"metrics": {"XX": "XX"}, "labels": {"XX": "XX"}, "device": ["XX"]}',
    );
    for my $name (sort keys %foreign) {
        for my $plugin ('"key": "lorawan", "kind": "collector"', '"key": "lorawan", "kind": "adapter"', '"key": "influxdb", "kind": "collector"') {
            is_deeply($line->('plugin', qq({$plugin, "config": $foreign{$name}})), {}, "of {$plugin} no configuration: $name");
        }
        next if $name =~ /mapping/;
        is_deeply($line->('plugin', qq({"key": "influxdb", "kind": "adapter", "config": $foreign{$name}})), {}, "  nor of an adapter what is no mapping: $name");
        is_deeply($line->('device', qq({"key": "x", "config": $foreign{$name}})), {}, "  nor of a device what are no metrics: $name");
    }
    my $mapping = '{"device": ["meter", "{measurement}"], "devices": {"energy": "house"}, "labels": {"room": "place", "fw": null},'
        . ' "metrics": {"house.kwh": {"name": "import_kwh", "unit": "kWh", "kind": "delta", "role": "grid_import"}, "rssi": null, "t": "temperature_c"}}';
    is_deeply($line->('plugin', qq({"key": "$_", "kind": "adapter", "config": $mapping})), decode_json($mapping), "the mapping of $_ is carried whole")
        for qw(acquisuite collectd egauge emoncms events influxdb otlp prometheus pvoutput thingsboard);
    is_deeply($line->('plugin', '{"key": "otlp", "kind": "adapter", "config": {"device": ["a", {"mqttPass": "XX"}, ["XX"]], "devices": {"a": "b", "c": ["XX"]}, "labels": "XX",'
                . ' "metrics": {"pin": {"unit": "W", "apiKey": "XX", "name": {"value": "XX"}}, "x": ["XX"], "y": 12}}}'),
        { device => ['a'], devices => { a => 'b' }, labels => {}, metrics => { pin => { unit => 'W' } } }, '  without anything of another shape');
    is_deeply($line->('device', '{"key": "x", "config": {"gateway": {"password": "XX"}, "metrics": {"pin": {"unit": "W", "mqttPass": "XX", "headers": [{"name": "x", "value": "XX"}]}}}}'),
        { metrics => { pin => { unit => 'W' } } }, 'of the configuration of a device only metrics');
    return;
}

sub check_text {
    my ($cluster) = @_;
    my ($first, $path, @more) = catalogues($cluster, 'alpha');
    is(scalar(grep { $_->{archive} } lines($first)), 0, 'there is a catalogue before anything is archived');
    is(scalar @more, 0, '  and one after it');
    my ($head, @lines) = lines($path);
    is_deeply([ @{ $head->{catalogue} }{qw(format tenant)} ], [ 2, 'alpha' ], '  of format 2');
    is((pop @lines)->{end}{sha256}, sha256_hex(slurp_whole($path) =~ s/[^\n]*\n\z//r), '  that ends with the SHA-256 of what is before');
    my %n;
    $n{$_}++ for map { keys %{$_} } @lines;
    is_deeply((map { $_->{device}{config} } grep { $_->{device} } @lines)[0], {}, '  without what is in the configuration of a device but metrics');
    is_deeply(\%n, { tenant => 1, device => 1, series => 2, archive_cursor => 3, archive => $DAYS }, '  with what there is');
    return;
}

# ---- when, and how many ----

sub archives {
    my ($cluster, $name) = @_;
    my ($status, $said) = $cluster->tidemark('archive', 'run');
    is($status, 0, $name) or diag($said);
    return $said;
}

sub check_keeping {
    my ($cluster, $super) = @_;
    for my $name ('a catalogue that was not written', 'where nothing changed') {
        archives($cluster, $name);
        is(scalar(catalogues($cluster, 'alpha')), 3, '  there are three');
    }
    for my $name (1 .. 6) {
        $cluster->session('tidemark_operator')->query("SELECT ops.tenant_patch('alpha', 'Alpha $name', NULL, NULL, NULL)");
        archives($cluster, "change $name");
    }
    archives($cluster, 'again') for 1, 2;
    my @kept = map { (lines($_))[1]{tenant}{name} } catalogues($cluster, 'alpha');
    is("@kept", 'Alpha 3 Alpha 4 Alpha 5 Alpha 6', 'each change makes one, and the newest four stay');
    check_meanwhile($cluster, $super);
    check_long($cluster, $super) if $cluster->engine eq 'postgres';
    $super->query("UPDATE core.archive_catalogue SET noted_at = now() - interval '8 days'");
    my @newest = map { (catalogues($cluster, $_))[-1] } qw(alpha alpha-2);
    for my $week ('a week later', 'another week later') {
        archives($cluster, $week) for 1, 2;
        my @there = map { [catalogues($cluster, $_)] } qw(alpha alpha-2);
        is_deeply([map { [scalar @{$_}, $_->[0]] } @there], [map { [2, $_] } @newest], '  of each tenant the newest stays, and it is written anew');
        ok(said($_->[0]) eq said($_->[1]), '  as it was') for @there;
        @newest = map { $_->[1] } @there;
        $super->query("UPDATE core.archive_catalogue SET noted_at = now() - interval '8 days'");
    }
    return;
}

# Catalogues and manifests that are gone, or not what was written, are named; the next run writes them anew, and
# a database can be made of the store again.
sub check_found_lost {
    my ($cluster, $engine, $super) = @_;
    archives($cluster, 'before anything is lost');
    my $root = $cluster->home . '/objects';
    my @newest = map { (catalogues($cluster, $_))[-1] } qw(alpha alpha-2);
    my @manifests = map { my ($tenant, $ago) = @{$_}; (glob "$root/archive/samples/tenant=$tenant/day=@{[day($ago)]}/*.json")[0] } ['alpha', 8], ['alpha-2', 8], ['alpha-2', 7];
    my @were = map { decode_json(slurp_whole($_)) } @manifests;
    my $flip = sub {
        my ($path, $from, $to) = @_;
        my $text = slurp_whole($path);
        $text =~ s/$from/$to/ or die "nothing to change in $path";
        spit($path, $text);
    };
    unlink $newest[0], $manifests[0];
    $flip->($newest[1], 'Europe/Berlin', 'Europe/Merlin');
    $flip->($manifests[1], '"rows":\d', '"rows":9');
    $flip->($manifests[2], '\{', '[');
    my %said = map { s{^\Q$root/\E}{}r => 1 } @newest, @manifests;
    my ($status, $text) = $cluster->tidemark('archive', 'verify', '--from', day(8), '--to', day(8));
    is($status, 1, 'verifying a day whose manifests are lost fails');
    is(join(' ', sort $text =~ /^(?:missing|damaged)\t(\S+)\t/mg), join(' ', sort map { s{^\Q$root/\E}{}r } @manifests[0, 1]), '  and names them alone');
    ($status, $text) = $cluster->tidemark('archive', 'verify', '--sample', 1);
    is(scalar(() = $text =~ m{^(?:missing|damaged)\tarchive/catalogue/}mg), 2, 'of a sample of files catalogues are read, too');
    ($status, $text) = $cluster->tidemark('archive', 'verify');
    is($status, 1, 'verifying all of it fails') or diag($text);
    is_deeply([sort $text =~ /^(?:missing|damaged)\t(\S+)\t/mg], [sort keys %said], '  and names each that is lost, once') or diag($text);
    like($text, qr{^missing\t\Q$_\E\t}m, '  gone') for map { s{^\Q$root/\E}{}r } $newest[0], $manifests[0];
    like($text, qr{^\d+ of \d+ files read, 5 damaged or missing$}m, '  so many');
    archives($cluster, 'the next run');
    is_deeply([map { my $is = decode_json(slurp_whole($_)); [@{$is}{qw(table tenant day number files)}] } @manifests], [map { [@{$_}{qw(table tenant day number files)}] } @were], '  writes manifests as they were');
    cmp_ok((catalogues($cluster, 'alpha'))[-1], 'gt', $newest[0], '  and a catalogue');
    cmp_ok((catalogues($cluster, 'alpha-2'))[-1], 'gt', $newest[1], '  of each');
    is($super->value('SELECT count(*) FROM core.archive_lost'), 0, '  and that is done with');
    ($status, $text) = $cluster->tidemark('archive', 'verify');
    is($status, 0, '  all is sound') or diag($text);
    return if $engine ne 'postgres';
    my $fresh = Tidemark::Cluster->start($engine);
    take_store($cluster, $fresh);
    ($status, $text) = $fresh->tidemark('restore', '--from-archive');
    is($status, 0, '  and a database is made of it') or diag($text);
    $fresh->roll_up;
    is(facts($fresh), facts($cluster), '  with all there was');
    $fresh->stop;
    return;
}

# A row that could not be read back is not written, and the catalogue before stays the newest.
sub check_long {
    my ($cluster, $super) = @_;
    my $newest = (catalogues($cluster, 'alpha'))[-1];
    $super->query(q{INSERT INTO core.site (tenant_id, key, name, timezone) SELECT id, 'long', repeat('x', 34000000), 'UTC' FROM core.tenant WHERE slug = 'alpha'});
    my ($status, $said) = $cluster->tidemark('archive', 'run');
    is($status, 1, 'a row of 34 MB: a failure');
    like($said, qr/^failed\talpha\tcatalogue\t\t.*would have a line longer than 32 MiB/m, '  that names whose, and why');
    is((catalogues($cluster, 'alpha'))[-1], $newest, '  and nothing is written');
    $super->query(q{DELETE FROM core.site WHERE key = 'long'});
    archives($cluster, 'without it');
    return;
}

# What changes after it was looked whether there is something new, and before that is written, is there and
# back again: the next run knows that the newest catalogue says otherwise.
sub check_meanwhile {
    my ($cluster, $super) = @_;
    my $operator = $cluster->session('tidemark_operator');
    my $said = sub { return (lines((catalogues($cluster, 'alpha'))[-1]))[1]{tenant}{name} };
    $super->query(q{CREATE FUNCTION public.rename() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN UPDATE core.tenant SET name = 'Between' WHERE slug = 'alpha'; RETURN NEW; END $$});
    $super->query(q{CREATE TRIGGER rename BEFORE INSERT ON core.archive_garbage FOR EACH ROW WHEN (NEW.object ~ 'tenant=alpha/') EXECUTE FUNCTION public.rename()});
    $operator->query(q{SELECT ops.tenant_patch('alpha', 'Alpha 7', NULL, NULL, NULL)});
    archives($cluster, 'while something changes');
    is($said->(), 'Between', '  what is there when it is written is written');
    $super->query('DROP TRIGGER rename ON core.archive_garbage');
    $super->query('DROP FUNCTION public.rename()');
    $operator->query(q{SELECT ops.tenant_patch('alpha', 'Alpha 7', NULL, NULL, NULL)});
    archives($cluster, 'when it has changed back');
    is($said->(), 'Alpha 7', '  that is written, too');
    my $newest = (catalogues($cluster, 'alpha'))[-1];
    archives($cluster, 'where nothing changed then');
    is((catalogues($cluster, 'alpha'))[-1], $newest, '  nothing is written');
    return;
}

# As if another archiver swept the key as soon as it is noted as garbage: nothing of it is left behind.
sub check_swept_early {
    my ($cluster, $super) = @_;
    my $n = catalogues($cluster, 'alpha');
    $super->query('CREATE FUNCTION public.sweep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$');
    $super->query("CREATE TRIGGER sweep BEFORE INSERT ON core.archive_garbage FOR EACH ROW WHEN (NEW.object ~ 'catalogue') EXECUTE FUNCTION public.sweep()");
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_patch('alpha', 'Swept', NULL, NULL, NULL)");
    my ($status) = $cluster->tidemark('archive', 'run');
    is($status, 1, 'a catalogue whose key was swept fails');
    is(scalar(catalogues($cluster, 'alpha')), $n, '  and is not in the store');
    $super->query('DROP TRIGGER sweep ON core.archive_garbage');
    $super->query('DROP FUNCTION public.sweep()');
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_patch('alpha', 'alpha', NULL, NULL, NULL)");
    return;
}

sub check_swept {
    my ($cluster) = @_;
    my $worker = $cluster->session('tidemark_worker', new => 1)->bind(1);
    is($worker->error("SELECT ops.catalogue_note('archive/catalogue/tenant=alpha/none.ndjson', '')"), 'TM409', 'what was swept is not noted');
    is($worker->error("SELECT * FROM ops.rebuild_tenant('{}', 'x', NULL)"), 'TM409', 'no tenant is loaded into a database in use');
    is($worker->error('SELECT ops.rebuild_begin(false)'), 'TM409', '  nor is that begun');
    is($worker->error('SELECT ops.rebuild_end()'), 'TM409', '  nor ended');
    return;
}

# ---- a database of the store ----

sub take_store {
    my ($from, $to) = @_;
    system('rm', '-rf', $to->home . '/objects') == 0 && system('cp', '-a', $from->home . '/objects', $to->home . '/objects') == 0 or die 'cp failed';
    return;
}

# A late reading is archived while somebody else is at a day of the tenant: then no catalogue says so.
sub leave_late {
    my ($cluster, $super) = @_;
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind(1);
    my $late = "SELECT api.ingest_samples(ARRAY[1], ARRAY[1], ARRAY[timestamptz '@{[day(9)]} 11:03:00Z'], ARRAY[4096], ARRAY[true])";
    $super->query('INSERT INTO core.archive_rebuild (is_only) VALUES (true)');
    is($ingest->error($late), 'TM503', 'a late reading has to wait while a database is made of the archive');
    $super->query('DELETE FROM core.archive_rebuild');
    $ingest->query($late);
    $cluster->roll_up;
    my $other = $cluster->session('tidemark_worker', new => 1)->bind(1);
    $other->query("BEGIN; SELECT n FROM ops.archive_begin('samples', '@{[day(3)]}', '@{[day(3)]}', false, '{}')");
    my $n = catalogues($cluster, 'alpha');
    archives($cluster, 'beside another archiver');
    is($super->value('SELECT count(*) FROM core.archive WHERE n = 2'), 2, 'a late reading is archived while another archiver is at it');
    is(scalar(catalogues($cluster, 'alpha')), $n, '  without a catalogue, in which what the other writes would be missing');
    is(scalar(grep { $_->{archive} } lines((catalogues($cluster, 'alpha'))[-1])), $DAYS, '  so that none says it');
    $other->query('ROLLBACK');
    return;
}

# The steps of a rebuild, in their order.
my @STEPS = (
    ['note that it is begun', 'COMMIT OF core.archive_rebuild'], ['make a tenant', 'BEFORE INSERT ON core.tenant'],
    ['take the next part of a catalogue', 'AFTER INSERT ON core.site'], ['commit a tenant', 'COMMIT OF core.tenant'],
    ['store rows of a day', 'BEFORE INSERT ON core.sample'], ['commit a day', 'COMMIT OF core.archive_day'],
);
my @END = (['note that it has ended', 'BEFORE UPDATE ON core.archive_rebuild'], ['commit that', 'COMMIT OF core.archive_rebuild']);

# Rebuilds of one database are killed at each step, and at random before the last.
sub check_kills {
    my ($cluster, $engine) = @_;
    my $fresh = Tidemark::Cluster->start($engine);
    take_store($cluster, $fresh);
    my $super = $fresh->session('tidemark_super');
    local $Tidemark::Archiver::part = 'restore';
    kill_when($fresh, $super, @{$_}, '--from-archive') for @STEPS;
    my $blocker = $fresh->session('tidemark_super', new => 1);
    $blocker->query('BEGIN; LOCK TABLE core.archive_rebuild IN SHARE MODE');
    for (1 .. 10) {
        my $pid = start_archive($fresh, '--from-archive');
        sleep rand 0.12;
        slay($super, $pid);
    }
    $blocker->query('ROLLBACK');
    kill_when($fresh, $super, @{$_}, '--from-archive') for @END;
    is($super->value('SELECT count(*) FROM core.archive_rebuild WHERE ended_at IS NULL'), 0, 'a rebuild that was killed at each step and at random has ended');
    $fresh->roll_up;
    is(facts($fresh), facts($cluster), '  with all there was, and all that is made of it');
    my $sites = 'SELECT count(*), sum(length(name)), md5(string_agg(concat_ws(chr(10), id, key, name), chr(10) ORDER BY id)) FROM core.site';
    is($fresh->session('tidemark_super')->text($sites), $cluster->session('tidemark_super')->text($sites), '  from a catalogue of several parts, too');
    is($fresh->session('tidemark_super')->value('SELECT count(*) FROM core.archive WHERE verified_at > archived_at'), 0, '  no file counts as verified later than it was');
    is($fresh->session('tidemark_super')->text('SELECT count(*), count(*) FILTER (WHERE is_held) FROM core.archive_day'), $DAYS * 2 . ' ' . $DAYS * 2, '  and each day');
    $fresh->stop;
    return;
}

# The first number's file and manifest of a folder again, as those of number n, younger than any catalogue.
sub copy_number {
    my ($folder, $from, $to, $n) = @_;
    my $bytes = slurp_whole("$folder/$from.parquet") =~ s/(tidemark\.number..)1/$1$n/sr;
    my $sum = sha256_hex($bytes);
    spit("$folder/$to.parquet", $bytes);
    spit("$folder/$to.json", slurp_whole("$folder/$from.json") =~ s/$from/$to/gr =~ s/"number":1\b/"number":$n/r
            =~ s/("written_at":")\d+/${1}2098/r =~ s/("sha256":")[0-9a-f]{64}/$1$sum/r);
    return;
}

# Manifests that are younger than any catalogue, beside sound ones; how each is refused, by its key.
sub spoil_manifests {
    my ($root) = @_;
    my $folder = sub { return "archive/samples/tenant=$_[0]/day=" . day($_[1]) };
    my ($sound) = map { substr $_, 1 + length $root } glob "$root/@{[$folder->('alpha-2', 6)]}/*.json";
    my $text = slurp_whole("$root/$sound");
    my %bad = map { ($folder->(@{ $_->[0] }) . "/$_->[1].json" => [ $_->[2], $_->[3] ]) } [ [ 'alpha', 6 ], 'other', $text, qr/it is of alpha-2 samples @{[day(6)]}$/m ],
        [ [ 'alpha-2', 5 ], 'other', $text, qr/it is of alpha-2 samples @{[day(6)]}$/m ], [ [ 'alpha', 5 ], 'cut', substr($text, 0, length($text) / 2), qr/./ ],
        [ [ 'alpha', 5 ], 'empty', '', qr/it is empty$/m ], [ [ 'alpha', 5 ], 'shape', '[{"table": "samples"}]', qr/./ ], [ [ 'alpha', 5 ], 'long', ' ' x 70_000, qr/too large/ ],
        [ [ 'alpha', 5 ], 'kind', $text =~ s/"files":.*/"files":[{"kind":"rows"}]}/r =~ s/alpha-2/alpha/r =~ s/@{[day(6)]}/@{[day(5)]}/r, qr/a part of it is missing$/m ];
    spit("$root/$_", $bad{$_}[0]) for sort keys %bad;
    my ($known) = glob "$root/@{[$folder->('alpha', 7)]}/*.json";    # of a file that the catalogue has: nobody needs it
    spit($known, 'damaged');
    my ($first) = glob "$root/@{[$folder->('alpha-2', 8)]}/*.json";
    my ($id) = $first =~ m{([^/]+)\.json$};
    copy_number($first =~ s/[^\/]+$//r, $id, 'third', 3);
    return map { ($_ => $bad{$_}[1]) } keys %bad;
}

# A number of a day whose manifest was lost when the database was made of the store, and is there again.
sub check_lost {
    my ($fresh) = @_;
    my @restore = ('archive', 'restore', '--tenant', 'alpha-2', '--from', day(8), '--to', day(8));
    my ($status, $said) = $fresh->tidemark(@restore);
    is($status, 1, 'a day that lacks a number does not come back');
    my $folder = $fresh->home . "/objects/archive/samples/tenant=alpha-2/day=@{[day(8)]}";
    my ($id) = map {m{([^/]+)\.json$}} grep { !/third/ } glob "$folder/*.json";
    copy_number($folder, $id, 'second', 2);
    ($status, $said) = $fresh->tidemark(@restore);
    is($status, 0, '  with the manifest it does') or diag($said);
    my $super = $fresh->session('tidemark_super');
    is($super->value("SELECT count(*) FROM core.sample WHERE tenant_id = 2 AND time::date = '@{[day(8)]}'"), 144, '  whole');
    is($super->text("SELECT n, split_part(object, '/', 5) FROM core.archive WHERE tenant_id = 2 AND day = '@{[day(8)]}' ORDER BY n"), "1 $id.parquet; 2 second.parquet; 3 third.parquet", '  and each number is known');
    return;
}

sub check_damage {
    my ($cluster, $engine, $super) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.tenant_patch('alpha', 'Newer', NULL, NULL, NULL)");
    archives($cluster, 'a newer catalogue');
    my $fresh = Tidemark::Cluster->start($engine);
    take_store($cluster, $fresh);
    my $newest = (catalogues($fresh, 'alpha'))[-1];
    my $bytes = slurp_whole($newest);
    my ($name) = $newest =~ m{([^/]+)$};
    my %misnamed = map { ("archive/catalogue/tenant=$_/20990101T000000.000000Z-x.ndjson" => $_ eq 'alpha' ? qr/made at 20/ : qr/the catalogue of alpha$/m) } qw(alpha alpha-2);
    spit($fresh->home . "/objects/$_", $bytes) for sort keys %misnamed;
    spit($newest, substr $bytes, 0, length($bytes) - 10);
    my $object = $super->value("SELECT object FROM core.archive WHERE tenant_id = 2 AND day = '@{[day(7)]}'");
    unlink $fresh->home . "/objects/$object" or die $!;
    my $strange = $fresh->home . '/objects/archive/samples/tenant=alpha-3';
    system('cp', '-a', $fresh->home . '/objects/archive/samples/tenant=alpha-2', $strange) == 0 or die 'cp failed';
    my %bad = spoil_manifests($fresh->home . '/objects');
    my ($status, $said) = $fresh->tidemark('restore', '--from-archive');
    is($status, 1, 'sound catalogues with the name of another tenant or time are refused');
    is($fresh->session('tidemark_super')->value('SELECT count(*) FROM core.tenant'), 0, '  and nothing is written');
    ($status, $said) = $fresh->tidemark('restore', '--from-archive', '--skip-damaged');
    is($status, 0, '  and may be skipped') or diag($said);
    like($said, qr/^damaged\t\Q$_\E\t\Q$_\E is damaged: .*$misnamed{$_}/m, '  by name') for sort keys %misnamed;
    like($said, qr/^damaged\t\S*\Q$name\E\t.*last line/m, '  as may a catalogue that was cut');
    is(scalar(() = $said =~ m{^damaged\tarchive/catalogue/tenant=alpha-3\t}mg), 1, '  as may a tenant with days but without a catalogue, which is named once');
    like($said, qr/^damaged\talpha-2 samples @{[day(7)]}\t.*\Q$object\E/m, '  as may a day, which is named');
    like($said, qr{^damaged\t\Q$_\E\t\Q$_\E is .*$bad{$_}}m, "  as may the manifest $_") for sort keys %bad;
    is(scalar(() = $said =~ m{^damaged\t\S+\.json\t}mg), scalar(keys %bad), '  and no other manifest, though one of a known file is damaged');
    like($said, qr{^damaged\talpha-2 samples @{[day(8)]}\tfile 2 of archive/samples/tenant=alpha-2/day=@{[day(8)]}/ is missing}m, '  as may a day that lacks a number, which is named');
    ($status, my $verified) = $fresh->tidemark('archive', 'verify');
    is($status, 1, '  of which verifying says so, too');
    like($verified, qr{^missing\tarchive/samples/tenant=alpha-2/day=@{[day(8)]}/\tfile 2 of this day$}m, '  and which number');
    is(scalar(() = $verified =~ /^missing\t.*\tfile \d+ of this day$/mg), 1, '  of that day alone');
    $fresh->roll_up;
    my $fresh_super = $fresh->session('tidemark_super');
    is($fresh_super->value("SELECT name FROM core.tenant WHERE slug = 'alpha'"), 'Alpha 7', 'the catalogue before counts');
    is($fresh_super->text("SELECT count(*) FROM core.sample x WHERE x.tenant_id = 2 AND x.time::date IN ('@{[day(8)]}', '@{[day(7)]}')"), '0', 'the days are missing');
    $super->query("DELETE FROM core.sample WHERE tenant_id = 2 AND time >= '@{[day(8)]}' AND time < '@{[day(6)]}'");
    is(facts($fresh, '2000-01-01'), facts($cluster, '2000-01-01'), '  and nothing else');
    ($status, $said) = $fresh->tidemark('archive', 'list', '--tenant', 'alpha-2');
    like($said, qr/^alpha-2\tsamples\t@{[day(7)]}\t.*\tarchive alone\t/m, '  and the archive knows that');
    check_lost($fresh);
    $fresh->stop;
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    check_columns($super);
    check_shapes($super);
    populate($cluster);
    $cluster->session('tidemark_worker')->query('SELECT ops.archive_configure(true, 72)');
    archives($cluster, 'first days');
    check_text($cluster);
    check_swept($cluster);
    check_swept_early($cluster, $super);
    leave_late($cluster, $super);
    check_kills($cluster, $cluster->engine);
    check_keeping($cluster, $super);
    check_found_lost($cluster, $cluster->engine, $super);
    check_damage($cluster, $cluster->engine, $super);
});
done_testing;
