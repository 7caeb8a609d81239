#!/usr/bin/env perl
# Lists out of the archive against the database's own samples of the same days, which are still there:
# corrected, deleted, late and erased ones among them. The comparisons are in tests/unit/archive_reach.c. When
# the archiver is due, in tests/unit/work_archive_due.c. DuckDB finds the same by the query that docs/archive.md has.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Copy qw(copy);
use JSON::PP qw(decode_json);
use Test::More;
use Tidemark::Archiver qw(day archives_well);
use Tidemark::Cluster;
use Tidemark::Npm;
use Tidemark::Scratch qw(slurp_whole);

sub run_program {
    my ($cluster, $program) = @_;
    my $build = $ENV{TIDEMARK_BUILD} || "$Tidemark::Cluster::ROOT/build";
    my $copy = $cluster->home . "/$program";
    copy("$build/tests/unit/$program", $copy) && chmod 0755, $copy
        or return fail("$program: cannot copy it from $build: $!");
    my $output = eval {
        $cluster->run('env', "TIDEMARK_TEST_DATABASE=host=@{[$cluster->home]}/run user=tidemark_super dbname=tidemark",
            "TIDEMARK_TEST_STORE=@{[$cluster->home]}/objects", $copy);
    };
    my ($said, $has_passed) = defined $output ? ($output, 1) : ($@, 0);
    my ($n_checks) = $said =~ /^1\.\.(\d+)\s*$/m;
    return pass("$program: $n_checks checks") if $has_passed && $n_checks;
    return fail($program) || diag(join '', grep { !/^ok / } $said =~ /^.*\n?/mg);
}

# Samples of a series each so many minutes, of days that were `from` to `to` days ago, plus more.
sub put {
    my ($ingest, $series, $from, $to, $step, $more) = @_;
    $ingest->query("SELECT api.ingest_samples(array_agg(1), array_agg($series), array_agg(t ORDER BY t),"
            . " array_agg(extract(epoch FROM t)::float8 / 7 + $series + $more ORDER BY t), array_agg(true))"
            . " FROM generate_series(timestamptz '@{[day($from)]}Z', timestamptz '@{[day($to)]}Z' - interval '1 s', '$step minutes') t");
    return;
}

# A day that retention dropped: its samples go from the archive, and what was made of them stays.
sub deletes_dropped {
    my ($cluster, $web, $series) = @_;
    my $super = $cluster->session('tidemark_super');
    $super->query("INSERT INTO core.series_floor AS f (tenant_id, series_id, raw_from) VALUES (1, $series, '@{[day(20)]}Z') ON CONFLICT (tenant_id, series_id) DO UPDATE SET raw_from = excluded.raw_from");
    $cluster->roll_up;
    my $sums = "SELECT string_agg(concat(r.bucket, r.count, r.sum, r.last), ',' ORDER BY r.bucket) FROM core.rollup_15m r WHERE r.series_id = $series";
    my $before = $super->value($sums);
    my $asked = $web->text("SELECT n_samples > 0, n_days, problem IS NULL FROM api.sample_delete_check('meter', 'power_w', '@{[day(49)]}Z', '@{[day(48)]}Z')");
    is $asked, 't 1 t', 'of a day that retention dropped one is told that the archive has it';
    is $web->error("SELECT api.sample_delete('meter', 'power_w', '@{[day(49)]}Z', '@{[day(48)]}Z')"), '', '  it is deleted';
    is $super->value("SELECT count(*) FROM core.sample WHERE series_id = $series AND time >= '@{[day(49)]}Z' AND time < '@{[day(48)]}Z'"), 0, '  with what came late';
    $cluster->roll_up;
    is $super->value($sums), $before, '  and what was made of it stays';
    is $super->value("SELECT detail ->> 'archived_days' FROM core.audit WHERE action = 'sample.delete' ORDER BY id DESC LIMIT 1"), 1, '  the audit trail tells of the archive';
    is $web->error("SELECT api.sample_delete('meter', 'power_w', '@{[day(58)]}Z', '@{[day(52)]}Z')"), 'TM409', 'what nobody has is not deleted';
    is $web->value("SELECT count(*) FROM api.archive_erased('samples', '@{[day(49)]}', '@{[day(49)]}') e WHERE e.device = 'meter' AND e.from_time = '@{[day(49)]}Z' AND e.to_time = timestamptz '@{[day(48)]}Z' - interval '1 microsecond'"), 1,
        'readers know what no tombstone says yet';
    return;
}

# What the documented query reads of the files is what the database has.
sub duckdb_finds {
    my ($cluster) = @_;
    my $root = $Tidemark::Cluster::ROOT;
    my ($tools, $why) = Tidemark::Npm::install('clients', "$root/tests/clients");
  SKIP: {
        skip "DuckDB: $why", 3 if !$tools;
        my ($sql) = slurp_whole("$root/docs/archive.md") =~ /^```sql\n(-- DuckDB: a tenant's samples, as what changed later left them\n.*?)^```/ms
            or return fail('docs/archive.md has a query of samples that changed later');
        my $store = $cluster->home . '/objects';
        is($sql =~ s{'archive/(samples[^/]*)/tenant=acme/}{'$store/archive/$1/tenant=alpha/}g, 3, 'a query of all files');
        my $super = $cluster->session('tidemark_super');
        is($super->text(q{SELECT min(n), max(n), count(*) > 10 FROM core.archive a WHERE tenant_id = 1 AND relation = 'samples'}), '1 3 t', '  which have several numbers');
        open my $out, '-|', 'env', "NODE_PATH=$tools/node_modules", Tidemark::Npm::find_command('node'), "$root/tests/clients/query.js", $sql or die "node: $!";
        my @found = map { /^\[/ ? decode_json($_) : $_ } <$out>;
        close $out or diag("DuckDB: status $? @found[0 .. 0]");
        my @wanted = $super->query(<<'SQL');
SELECT (extract(epoch FROM x.time) * 1000000)::bigint, d.key, s.metric, x.value
FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id
WHERE x.tenant_id = 1 AND x.time < (SELECT until FROM core.archive_cursor WHERE tenant_id = 1 AND relation = 'samples')
ORDER BY x.time, d.key COLLATE "C", s.metric COLLATE "C"
SQL
        is_deeply([map { join ' ', @{$_}[0 .. 2], sprintf '%.17g', $_->[3] } grep { ref } @found], [map { join ' ', @{$_}[0 .. 2], sprintf '%.17g', $_->[3] } @wanted],
            "  @{[scalar @wanted]} samples as the database has them");
    }
    return;
}

sub brings_nothing_back {
    my ($cluster, $series) = @_;
    my ($status, $said) = $cluster->tidemark('archive', 'restore', '--tenant', 'alpha', '--from', day(49), '--to', day(49));
    is($status, 0, 'a day is brought back') or diag($said);
    my $count = "SELECT count(*) FROM core.sample WHERE time >= '@{[day(49)]}Z' AND time < '@{[day(48)]}Z' AND series_id";
    my $super = $cluster->session('tidemark_super');
    is($super->value("$count = $series"), 0, '  without what was deleted of it');
    cmp_ok($super->value("$count = $series + 1"), '>', 40, '  and with the rest');
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    is($cluster->session('tidemark_operator')->value("SELECT ops.tenant_add('alpha', 'alpha', 'Europe/Berlin', 'EUR')"), 1, 'a tenant');
    my $ingest = $cluster->session('tidemark_ingest', new => 1)->bind(1);
    $ingest->query("SELECT api.partitions_ensure(now() - interval '60 days', now())");
    my @series;
    for my $key (qw(meter gone)) {
        my $device = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['$key'], true)");
        push @series, map { $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$device], ARRAY['$_'], ARRAY['{}'], true)") } qw(power_w current_a);
    }
    for my $series (@series) { put($ingest, $series, @$_) for [50, 47, 30, 0], [12, 5, 30, 0] }
    $cluster->roll_up;
    $cluster->session('tidemark_worker')->query('SELECT ops.archive_configure(true, 72)');
    archives_well($cluster, qr/^10 days, 1920 rows/m, 'days');
    my $web = $cluster->session('tidemark_web', new => 1)->bind(1);
    $web->query("SELECT api.sample_put('meter', ARRAY['power_w'], ARRAY['{}'], ARRAY[timestamptz '@{[day(10)]} 10:00Z'], ARRAY[7.25])");
    $web->query("SELECT api.sample_delete('meter', 'current_a', '@{[day(11)]} 20:00Z', '@{[day(9)]} 03:00Z')");
    put($ingest, $series[0], 9, 8, 7, 0.5);
    archives_well($cluster, qr/^3 days, /m, 'changes');
    $super->query('UPDATE core.archive_day SET is_held = false');
    put($ingest, $series[1], 49, 48, 11, 0.25);
    archives_well($cluster, qr/^1 days, /m, 'late ones of a day that is away');
    is $web->value("SELECT api.sample_delete('meter', 'power_w', '@{[day(10)]} 09:00Z', '@{[day(10)]} 11:00Z')"), 4,
        'what the archive alone has is deleted';
    deletes_dropped($cluster, $web, $series[0]);
    $web->query("SELECT api.device_erase('gone')");
    run_program($cluster, 'archive_reach');
    archives_well($cluster, qr/^\d+ days, /m, 'what was erased');
    is($super->value('SELECT count(*) FROM core.archive_change'), 0, '  and deleted, wholly');
    run_program($cluster, 'archive_reach');
    duckdb_finds($cluster) if $cluster->engine eq 'postgres';
    brings_nothing_back($cluster, $series[0]);
    run_program($cluster, 'work_archive_due');
});

done_testing;
