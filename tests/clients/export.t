#!/usr/bin/perl
# Samples, buckets and events as Parquet files, of any length, through the real nginx: pyarrow and DuckDB
# read in them what NDJSON says, value for value; in bounded memory; one that is cut is no file; names,
# types, limits, and whose they are. What cannot be installed here is skipped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp qw(tempdir);
use HTTP::Tiny;
use JSON::PP;
use List::Util qw(max);
use POSIX ();
use Tidemark::Npm;
use Tidemark::Processes;
use Tidemark::Python;
use Tidemark::Stack;

my $TYPE = 'application/vnd.apache.parquet';
my $ROWS = 600_000;         # of one device, in four series: three row groups
my $MAX_GROWTH_KB = 40_000; # of one process while it sends them: a row group and what packs it, a page
my $DEVICE = "K\x{fc}che 1/2 \"x\"";
my $PATH = '/v1/devices/K%C3%BCche%201%2F2%20%22x%22/samples?';
my @RAW = qw(time device metric value unit site labels);
my @BUCKETS = qw(time device metric count min max avg sum first last unit labels);
my $folder = tempdir(CLEANUP => 1);

my %UNITS = (power_w => "\x{2126} \x{bd}", energy_kwh => 'kWh');
my %reader; # name => command
my ($python, $no_python) = Tidemark::Python::install('py', "$FindBin::Bin/requirements.txt");
$reader{pyarrow} = [$python, "$FindBin::Bin/export.py"] if $python;
my ($tools, $no_tools) = Tidemark::Npm::install('clients', $FindBin::Bin);
$reader{DuckDB} = [Tidemark::Npm::find_command('node'), "$FindBin::Bin/export.js"] if $tools;
local $ENV{NODE_PATH} = "$tools/node_modules" if $tools;
plan skip_all => "pyarrow: $no_python; DuckDB: $no_tools" if !%reader;

sub write_file {
    my ($path, $bytes) = @_;
    open my $out, '>:raw', $path or die "$path: $!";
    print {$out} $bytes;
    close $out or die "$path: $!";
    return;
}

# What a reader says of a file.
sub read_by {
    my ($reader, $name) = @_;
    open my $out, '-|', @{ $reader{$reader} }, "$folder/$name" or die "$reader: $!";
    my $line = <$out> // '';
    close $out or diag("$reader: status $?");
    chomp $line;
    return $line;
}

# ---- what is there ----

sub fill {
    my ($stack) = @_;
    $stack->cli('tenant', 'add', 'lens', '--name', 'Lens');
    $stack->cli('tenant', 'add', 'other');
    my %token = map { $_ => $stack->token('lens', $_, $_ eq 'device' ? '--backfill' : ()) } qw(device api admin);
    $token{other} = $stack->token('other', 'api');
    my @numbers = (0, -0.5, 1e100, -1e100, 1e-300, 1 / 3, 9007199254740992, 1234567.875);
    my @events = map { { device => $DEVICE, time => 1795176000 + $_, metrics =>
        { power_w => $numbers[$_ % @numbers], "\x{3b8}_\x{2103}" => $_ / 8, energy_kwh => 0.25 } } } 0 .. 1999;
    push @events, map { { device => $_ % 3 ? $DEVICE : 'plain', time => 1795176000.000001 + $_ * 7, type => 'note', $_ % 4 ? (seq => $_) : (),
        $_ % 5 ? () : (id => sprintf('00000000-0000-4000-8000-%012d', $_)), $_ % 7 ? (data => { n => $_, text => "\x{20ac} x,\"y\"\n" }) : (),
        $_ % 2 ? (site => 'roof') : () } } 1 .. 900;
    my $answer = $stack->post('/v1/events/batch', \@events, token => $token{device});
    die "cannot fill: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    my $lines = join '', map { "meter,device=big,phase=L$_ volts=230.5,amps=${_}i 1795176000\n" } 1 .. 3;
    $answer = $stack->request('POST', '/api/v2/write?precision=s', token => $token{device}, body => $lines);
    die "cannot fill: $answer->{status} $answer->{content}" if $answer->{status} != 204;
    $answer = $stack->request('PATCH', $PATH =~ s{/samples.*}{}r, token => $token{admin}, body => { site => 'roof' });
    die "no site: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    my ($series) = $stack->sql("SELECT s.id FROM core.series s JOIN core.device d ON d.id = s.device_id WHERE d.key LIKE 'K%' AND s.metric = 'power_w'");
    $answer = $stack->request('PATCH', ($PATH =~ s{samples\?}{series}r) . "/$series", token => $token{admin}, body => { unit => "\x{2126} \x{bd}" });
    die "no unit: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    $stack->sql("INSERT INTO core.sample (tenant_id, series_id, time, value) SELECT s.tenant_id, s.id, t.time, t.value FROM core.series s,"
        . " (VALUES (timestamptz '2026-11-20 11:59:00.5', float8 'NaN'), ('2026-11-20 11:59:01', 'Infinity'), ('2026-11-20 11:59:02', '-Infinity')) t(time, value)"
        . " WHERE s.id = $series");
    my $each = $ROWS / 4;
    $stack->sql("SELECT api.partitions_ensure('2026-11-14', '2026-11-21')");
    $stack->sql('INSERT INTO core.sample (tenant_id, series_id, time, value)'
        . " SELECT s.tenant_id, s.id, timestamptz '2026-11-14' + n * interval '1 second', n * 0.5"
        . ' FROM core.series s JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id'
        . ", generate_series(0, $each - 1) n WHERE d.key = 'big' AND s.labels <> '{\"phase\": \"L3\"}' ON CONFLICT DO NOTHING");
    $stack->sql('ANALYZE core.sample');
    $stack->settle;
    return \%token;
}

# The most memory that an export process has had since the last call, in KiB, resident.
sub peak {
    my ($stack) = @_;
    my $most = 0;
    for my $pid (Tidemark::Processes::part($stack, 'export')) {
        my ($kb) = Tidemark::Stack::slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m;
        $most = max($most, $kb);
        write_file("/proc/$pid/clear_refs", '5');    # starts anew
    }
    return $most;
}

# ---- the same values ----

# A path in both forms, compared by each reader; `more` is what NDJSON leaves out.
sub check_same {
    my ($get, $name, $path, $n, $more) = @_;
    my $lines = $get->("$path&format=ndjson");
    my $file = $get->("$path&format=parquet");
    is("$lines->{status} $file->{status}", '200 200', "$name: both forms") or diag "$lines->{content} $file->{content}";
    write_file("$folder/x.ndjson", $lines->{content});
    write_file("$folder/x.parquet", $file->{content});
    write_file("$folder/x.json", JSON::PP->new->utf8->encode($more));
    like(read_by($_, 'x'), qr/^ok $n\b/, "  the same by $_") for sort keys %reader;
    return $file;
}

sub check_values {
    my ($get) = @_;
    my %of = (device => $DEVICE, site => 'roof', units => \%UNITS, no_unit => '');
    my $file = check_same($get, 'samples', $PATH, 6003, { %of, columns => \@RAW });
    is($file->{headers}{'content-type'}, $TYPE, 'by their type');
    is($file->{headers}{'content-disposition'}, 'attachment; filename="samples-K_che 1/2 _x_.parquet";'
            . " filename*=UTF-8''samples-K%C3%BCche%201%2F2%20%22x%22.parquet", 'and name');
    check_same($get, 'one metric', "${PATH}metric=power_w&to=2026-11-20T12:00:00Z", 3, { %of, columns => \@RAW });
    check_same($get, 'nothing', "${PATH}to=2020-01-01", 0, { %of, columns => \@RAW });
    check_same($get, 'labels', '/v1/devices/big/samples?from=2026-11-20T12:00:00Z', 6,
        { device => 'big', site => undef, units => {}, no_unit => '', columns => \@RAW });
    check_same($get, "buckets of $_", "${PATH}bucket=$_&from=2026-11-20", { '15m' => 9, '1h' => 3, '1d' => 3 }->{$_},
        { %of, no_unit => '', columns => \@BUCKETS }) for qw(15m 1h 1d);
    check_same($get, 'in another zone', "${PATH}bucket=1h&tz=Asia/Kolkata&from=2026-11-20", 6, { %of, no_unit => '', columns => \@BUCKETS });
    $file = check_same($get, 'rollups', '/v1/rollups?bucket=15m&from=2026-11-20', 15, { columns => \@BUCKETS });
    like($file->{headers}{'content-disposition'}, qr/filename="rollups\.parquet"/, 'have a name');
    $file = check_same($get, 'events', '/v1/events?type=note', 900, { columns => [qw(time type device seq id site data)] });
    like($file->{headers}{'content-disposition'}, qr/filename="events\.parquet"/, 'have one, too');
    return;
}

# ---- how it is asked for ----

sub check_asking {
    my ($stack, $get, $token) = @_;
    my $type = sub { my $answer = $get->($PATH, headers => { Accept => $_[0] }); return $answer->{headers}{'content-type'} =~ s/;.*//r };
    is($type->($TYPE), $TYPE, 'asked for by Accept');
    is($type->("$TYPE;q=0.5, text/csv;q=0.4"), $TYPE, '  with the greater weight');
    is($type->('*/*'), 'application/json', '  and not by anything');
    my $page = $get->("${PATH}format=parquet&limit=1000");
    write_file("$folder/x.parquet", $page->{content});
    write_file("$folder/x.ndjson", $get->("${PATH}format=ndjson&limit=1000")->{content});
    write_file("$folder/x.json", JSON::PP->new->utf8->encode({ device => $DEVICE, site => 'roof', units => \%UNITS, no_unit => '', columns => \@RAW }));
    like(read_by($_, 'x'), qr/^ok 1000\b/, "a page is a file ($_)") for sort keys %reader;
    check_same($get, 'the rest', "${PATH}cursor=$page->{headers}{'x-next-cursor'}", 5003,
        { device => $DEVICE, site => 'roof', units => \%UNITS, no_unit => '', columns => \@RAW });
    my $answer = $get->('/v1/devices?format=parquet');
    is($answer->{status}, 406, 'other lists have none');
    is($get->('/v1/devices', headers => { Accept => $TYPE })->{status}, 406, '  by Accept, too');
    $answer = $get->("${PATH}format=xml");
    like("$answer->{status} $answer->{content}", qr/^406 .*json, csv, ndjson or parquet/, 'what there is is said');
    $answer = $get->("${PATH}format=parquet&from=nonsense");
    is("$answer->{status} $answer->{headers}{'content-type'}", '400 application/problem+json', 'what is wrong is a problem');
    ok(!$answer->{headers}{'content-disposition'}, '  and no file');
    is($stack->get("${PATH}format=parquet", token => $token->{other})->{status}, 404, 'another tenant has no such device');
    is(length $stack->get('/v1/events?format=parquet', token => $token->{other})->{content} < 2000, 1, '  nor events');
    is($stack->get("${PATH}format=parquet", token => $token->{device})->{status}, 403, 'a device reads nothing');
    $answer = $stack->request('HEAD', "${PATH}format=parquet", token => $token->{api});
    is("$answer->{status} $answer->{headers}{'content-type'}", "200 $TYPE", 'HEAD has its headers');
    is($answer->{content}, '', '  alone');
    return;
}

# ---- of any length ----

# Streams into the file of that name. Returns the answer.
sub stream {
    my ($stack, $token, $name, $path) = @_;
    open my $out, '>:raw', "$folder/$name" or die "$name: $!";
    my $answer = HTTP::Tiny->new(timeout => 300)->get($stack->url($path), { headers => { Authorization => "Bearer $token->{api}" },
        data_callback => sub { print {$out} $_[0] } });
    close $out or die "$name: $!";
    return $answer;
}

sub check_long {
    my ($stack, $token) = @_;
    my $path = '/v1/devices/big/samples?to=2026-11-20T12:00:00Z&format=';
    stream($stack, $token, 'x.ndjson', "${path}ndjson");
    peak($stack);
    my $before = peak($stack);
    is(stream($stack, $token, 'x.parquet', "${path}parquet")->{status}, 200, 'a file of any length');
    my $peak = peak($stack);
    write_file("$folder/x.json", JSON::PP->new->utf8->encode({ device => 'big', site => undef, units => {}, no_unit => '', columns => \@RAW }));
    like(read_by($_, 'x'), qr/^ok $ROWS( 3)?$/, "has every row, by $_") for sort keys %reader;
    SKIP: {
        skip 'sanitizers keep what is freed', 1 if $stack->{bin} =~ /asan|tsan/;
        cmp_ok($peak - $before, '<', $MAX_GROWTH_KB, 'in bounded memory') or diag "$before KiB before, $peak KiB at most";
    }
    note sprintf 'memory: %d KiB before, %d at most; %d bytes for %d of NDJSON', $before, $peak, -s "$folder/x.parquet", -s "$folder/x.ndjson";
    return;
}

# In the background: takes away what pages are read by, once some pages were read.
sub cut_later {
    my ($stack, $function) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    $stack->sql(<<"SQL");
DO \$\$
DECLARE
    seen   timestamptz[] := '{}';                   -- transactions: of the credentials, and of pages
    latest timestamptz;
BEGIN
    WHILE cardinality(seen) < 30 AND clock_timestamp() < now() + interval '60 s' LOOP
        PERFORM pg_sleep(0.002), pg_stat_clear_snapshot();
        SELECT max(a.xact_start) INTO latest FROM pg_stat_activity a
        WHERE a.application_name = 'tidemark export' AND a.xact_start > now();
        seen := seen || array_remove(ARRAY[CASE WHEN latest <> ALL (seen) THEN latest END], NULL);
    END LOOP;
    REVOKE EXECUTE ON FUNCTION $function FROM tidemark_web;
END
\$\$
SQL
    POSIX::_exit(0);
}

sub check_cut {
    my ($stack, $token) = @_;
    my $function = 'api.sample_list(text, text, timestamptz, timestamptz, timestamptz, int, int)';
    my $cutter = cut_later($stack, $function);
    # HTTP/1.0 has no chunks: a client cannot tell the end from a cut
    my $answer = $stack->raw("GET /v1/devices/big/samples?format=parquet HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer $token->{api}\r\n\r\n", 60);
    waitpid $cutter, 0;
    $stack->sql("GRANT EXECUTE ON FUNCTION $function TO tidemark_web");
    like($stack->logs, qr/an answer was cut short/, 'one that cannot go on is cut');
    write_file("$folder/x.parquet", (split /\r\n\r\n/, $answer, 2)[1] // '');
    like(read_by($_, 'x'), qr/^unreadable/, "  and is no file for $_") for sort keys %reader;
    is($stack->get("${PATH}format=parquet", token => $token->{api})->{status}, 200, 'the process goes on with the next');
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $stack = Tidemark::Stack->start(engine => $engine);
        my $token = fill($stack);
        my $get = sub { my ($path, @more) = @_; return $stack->get($path, token => $token->{api}, @more) };
        subtest values => sub { check_values($get) };
        subtest asking => sub { check_asking($stack, $get, $token) };
        return if $engine ne (Tidemark::Stack::engines())[0];    # one engine shows what memory a stream takes
        subtest long => sub { check_long($stack, $token) };
        subtest cut => sub { check_cut($stack, $token) };
    };
}
done_testing();
