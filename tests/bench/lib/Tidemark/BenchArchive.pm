package Tidemark::BenchArchive;

# How fast a week of samples is archived, verified and restored, and how small it becomes: 1,000 series of
# voltages, powers, energies and temperatures, a reading a minute (--small: 100 series), ten million rows
# beside their primary key.

use strict;
use warnings;
use Time::HiRes qw(time);
use Tidemark::Bench;

my $TENANT = 'archive';
my $DAYS = 7;
my @METRICS = qw(voltage_v power_w energy_kwh temperature_c);

# The week that ended at least four days ago, so that it is finished.
my $END = "date_trunc('week', now() - interval '4 days', 'UTC')";
my $START = "($END - interval '$DAYS days')";

sub fill {
    my ($stack, $n_series) = @_;
    $stack->cli('tenant', 'add', $TENANT);
    my $id = $stack->sql("SELECT id FROM core.tenant WHERE slug = '$TENANT'");
    my $names = join ', ', map {"'$_'"} @METRICS;
    $stack->sql(<<"SQL");
INSERT INTO core.device (tenant_id, key, name) SELECT $id, 'meter-' || g, 'meter' FROM generate_series(1, $n_series / 4) g;
INSERT INTO core.series (tenant_id, device_id, metric, unit, kind, role)
SELECT $id, d.id, m.name, split_part(m.name, '_', 2), 'gauge', 'none'
FROM core.device d CROSS JOIN unnest(ARRAY[$names]) WITH ORDINALITY AS m (name, ord) WHERE d.tenant_id = $id ORDER BY d.id, m.ord;
SELECT api.partitions_ensure($START, $END);
SQL
    $stack->sql(<<"SQL");
INSERT INTO core.sample
SELECT $id, s.id, t, CASE s.metric
    WHEN 'voltage_v' THEN round((230 + 3 * sin(s.id + n / 300.0) + random())::numeric, 1)
    WHEN 'power_w' THEN round((500 + 400 * sin(s.id + n / 230.0) + 40 * random())::numeric)
    WHEN 'energy_kwh' THEN round((0.012 + 0.004 * random())::numeric, 4)
    ELSE round((20 + 5 * sin(s.id + n / 460.0) + 0.1 * random())::numeric, 2) END::float8
FROM core.series s CROSS JOIN generate_series(0, $DAYS * 1440 - 1) n
CROSS JOIN LATERAL (SELECT $START + n * interval '1 minute') AS x (t)
WHERE s.tenant_id = $id
ORDER BY s.id, t
SQL
    $stack->sql('ANALYZE core.sample');
    return $id;
}

# Its seconds, and its processor's.
sub timed {
    my ($stack, @command) = @_;
    my ($start, @before) = (time, times);
    $stack->cli('archive', @command);
    my @after = times;
    return (time - $start, $after[2] + $after[3] - $before[2] - $before[3]);
}

# What the week's partition takes with its index, or each of its chunks.
sub table_bytes {
    my ($stack) = @_;
    return $stack->sql("SELECT sum(core.chunk_size('core.sample', c.chunk)) FROM core.chunk_list('core.sample') c"
            . " WHERE c.from_time < $END AND c.to_time > $START");
}

sub archive {
    my ($bench) = @_;
    my $stack = $bench->{stack};
    my $id = fill($stack, $bench->{small} ? 100 : 1000);
    timed($stack, 'list');    # nothing of it is due; the program is warm
    my $table = table_bytes($stack);
    my $server = -$bench->cpu_of('postgres');
    my ($write_s, $write_cpu) = timed($stack, 'run');
    $server += $bench->cpu_of('postgres');
    my ($rows, $bytes) = split /\|/, $stack->sql("SELECT sum(n_rows), sum(n_bytes) FROM core.archive WHERE tenant_id = $id");
    my ($verify_s) = timed($stack, 'verify', '--tenant', $TENANT);
    $stack->sql("UPDATE core.archive_day SET is_held = false WHERE tenant_id = $id AND day = ($START)::date; DELETE FROM core.sample WHERE tenant_id = $id AND time < $START + interval '1 day'");
    my ($day) = $stack->sql("SELECT to_char($START AT TIME ZONE 'UTC', 'YYYY-MM-DD')");
    my ($restore_s) = timed($stack, 'restore', '--tenant', $TENANT, '--from', $day, '--to', $day);
    return (
        { name => 'archive, rows written and read back', unit => '1/s', value => sprintf('%.0f', $rows / $write_s), spread => "$rows rows, " . Tidemark::Bench::aim($rows >= 500_000 * $write_s, 'at least 500000') },
        { name => 'archive, our CPU a million rows', unit => 's', value => sprintf('%.2f', $write_cpu / $rows * 1e6), spread => 'written and read back' },
        { name => "archive, PostgreSQL's CPU a million rows", unit => 's', value => sprintf('%.2f', $server / $rows * 1e6), spread => '' },
        { name => 'archive, table and index : files', unit => 'to 1', value => sprintf('%.1f', $table / $bytes), spread => Tidemark::Bench::aim($table >= 10 * $bytes, 'at least 10') },
        { name => 'archive, bytes a row', unit => 'bytes', value => sprintf('%.2f', $bytes / $rows), spread => '' },
        { name => 'archive, rows verified', unit => '1/s', value => sprintf('%.0f', $rows / $verify_s), spread => '' },
        { name => 'archive, rows restored', unit => '1/s', value => sprintf('%.0f', $rows / $DAYS / $restore_s), spread => '' },
    );
}

1;
