#!/usr/bin/perl
# Clients of InfluxDB as they are: the Python ones of versions 1 and 2, the one for JavaScript, Debian's
# `influx -import`, Telegraf with its outputs for InfluxDB and for whoever speaks HTTP, and tsbs with data
# of its own. Each sends known points to one stack, and every value is looked for through the query API.
# What cannot be installed here is skipped.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Cwd qw(getcwd);
use File::Path qw(make_path);
use JSON::PP qw(decode_json);
use POSIX qw(strftime);
use Tidemark::Encoders;
use Tidemark::GoTool;
use Tidemark::Npm;
use Tidemark::Python;
use Tidemark::Stack;

my $TELEGRAF = 'v1.37.2';
my $TELEGRAF_PARTS = 'custom,inputs.file,outputs.influxdb,outputs.influxdb_v2,outputs.http,parsers.influx,'
    . 'serializers.influx,serializers.prometheusremotewrite';
my $TSBS = 'v0.0.0-20230921131859-37fced794d56';
my $TOOLS = "$Tidemark::Stack::ROOT/build/tools";

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'acme');
my $token = $stack->token('acme', 'device');
my $api = $stack->token('acme', 'api');
my $now = int time;

# "value@seconds ago, …" of a metric, by time.
sub samples {
    my ($device, $metric) = @_;
    $metric =~ s/ /%20/g;
    my $answer = $stack->get("/v1/devices/$device/samples?metric=$metric&from=@{[$now - 900]}&to=@{[$now + 60]}&limit=1000", token => $api);
    my @items = @{ ($answer->{json} || {})->{items} || [] };
    my ($ends) = $stack->sql("SELECT to_char(to_timestamp($now) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
    return join ', ', map { $_->{value} . ($_->{time} eq $ends ? '' : ' earlier') } @items;
}

sub labels {
    my ($device) = @_;
    my $items = $stack->get("/v1/devices/$device/series", token => $api)->{json}{items};
    return $items && @$items ? $items->[0]{labels} : undef;
}

sub data { return $stack->get("/v1/events?device=$_[0]", token => $api)->{json}{items}[0]{data} }

# Runs a command; its output as JSON.
sub output_of {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!";
    my $text = do { local $/ = undef; <$out> };
    close $out or return diag("@command: status $?\n$text");
    return decode_json($text);
}

sub check_python {
    my ($python, $why) = Tidemark::Python::install('py', "$FindBin::Bin/requirements.txt");
    skip $why, 1 if !$python;
    my $said = output_of($python, "$FindBin::Bin/influx.py", $stack->url, $token, $now);
    like(delete $said->{ping}, qr/^1\./, 'influxdb: ping says a version');
    is_deeply($said, {
        databases => [{ name => 'acme' }], written => JSON::PP::true, empty => JSON::PP::true,
        refused => [400, "unable to parse 'bad': missing fields"], health => 'pass', pong => JSON::PP::true,
        partial => [422, 'unprocessable entity'],
    }, 'and both clients understand the answers');
    is(samples('py1', "room climate.$_->[0]"), $_->[1], "influxdb: $_->[0]") for ['temperature', '21.5'], ['open', '1'], ['count', '7'];
    is_deeply(labels('py1'), { wall => 'north, upper' }, '  its tag');
    is_deeply(data('py1'), { measurement => 'room climate', labels => { wall => 'north, upper' }, note => 'a "b" \\ c' }, '  its text');
    is(samples('py2', "room climate.$_->[0]"), $_->[1], "influxdb-client: $_->[0]") for ['temperature', '19.25'], ['big', 9007199254740991], ['open', '0'];
    is_deeply(labels('py2'), { wall => 'söuth=side' }, '  its tag');
    is(samples('py3', 'level'), '1e-07', '  a small number');
    Tidemark::Encoders::check($stack, $token, $python, 'influx');
    return;
}

sub check_javascript {
    my ($folder, $why) = Tidemark::Npm::install('clients', $FindBin::Bin);
    skip $why, 1 if !$folder;
    my $said = output_of('node', "$FindBin::Bin/influx.js", $folder, $stack->url, $token, $now);
    is_deeply($said, { written => JSON::PP::true, refused => [400, 'invalid'] }, 'influxdb-client for JavaScript understands the answers');
    is(samples('js', 'load.n'), join(', ', (map { "$_ earlier" } reverse 1 .. 249), 0), '  250 points in three batches');
    is((split /, /, samples('js', 'load.value'))[0], 249 / 8 . ' earlier', '  with their values');
    is_deeply(labels('js'), { core => '0,1 =' }, '  their tag');
    return;
}

# Debian's, from its package where it is not installed; not installed here, since nothing else needs it.
sub influx {
    my $installed = Tidemark::Npm::find_command('influx');
    return $installed if $installed;
    my ($program, $here) = ("$TOOLS/influx/usr/bin/influx", getcwd);
    return $program if -x $program;
    make_path("$TOOLS/influx");
    chdir "$TOOLS/influx" or return;
    system 'apt-get download influxdb-client >/dev/null 2>&1 && dpkg-deb -x influxdb-client_*.deb . && rm influxdb-client_*.deb';
    chdir $here or die "$here: $!";
    return -x $program ? $program : undef;
}

sub check_import {
    my $influx = influx() or skip 'influxdb-client is not to be had from apt here', 1;
    my $file = "$stack->{home}/import.lp";
    open my $out, '>:encoding(UTF-8)', $file or die "$file: $!";
    print {$out} "# DDL\nCREATE DATABASE metrics WITH NAME autogen\n# DML\n# CONTEXT-DATABASE: metrics\n# CONTEXT-RETENTION-POLICY: autogen\n",
        map { "meter,device=imported,rack=a\\ b energy=$_.5,state=\"run\" " . ($now - 100 + $_) . "\n" } 1 .. 100;
    close $out or die "$file: $!";
    my $said = qx('$influx' -host 127.0.0.1 -port $stack->{port} -username any -password '$token' -import -path '$file' -precision s 2>&1);
    like($said, qr/Processed 1 commands/, 'influx -import: its statement is taken');
    like($said, qr/Processed 100 inserts/, '  its lines too');
    like($said, qr/Failed 0 inserts/, '  all of them');
    is(samples('imported', 'meter.energy'), join(', ', (map { "$_.5 earlier" } 1 .. 99), '100.5'), '  and they are there');
    is_deeply(labels('imported'), { rack => 'a b' }, '  with their tag');
    $said = qx('$influx' -host 127.0.0.1 -port $stack->{port} -username any -password '$token' -execute 'SHOW DATABASES' -format csv 2>&1);
    is($said, "name,name\ndatabases,acme\n", '  and it is shown a database');
    return;
}

sub check_telegraf {
    my ($telegraf, $why) = Tidemark::GoTool::install('telegraf', 'github.com/influxdata/telegraf/cmd/telegraf', $TELEGRAF, tags => $TELEGRAF_PARTS);
    skip $why, 1 if !$telegraf;
    my $home = "$stack->{home}/telegraf";
    mkdir $home or die "$home: $!";
    open my $in, '>', "$home/metrics" or die "$home/metrics: $!";
    print {$in} map { my $v = $_; map { "v$v,host=tele$v,cpu=cpu$_ idle=$_.25,n=${_}i,max=18446744073709551615u,on=true,state=\"S\" ${now}000000000\n" } 0 .. 3 } 1 .. 4;
    close $in or die;
    open my $conf, '>', "$home/conf" or die "$home/conf: $!";
    print {$conf} <<"CONF";
[agent]
  omit_hostname = true
[[inputs.file]]
  files = ["$home/metrics"]
  data_format = "influx"
[[outputs.influxdb]]
  urls = ["@{[$stack->url]}"]
  username = "any"
  password = "$token"
  namepass = ["v1"]
  influx_uint_support = true
[[outputs.influxdb_v2]]
  urls = ["@{[$stack->url]}"]
  token = "$token"
  organization = "any"
  bucket = "any"
  namepass = ["v2"]
  influx_uint_support = true
[[outputs.http]]
  url = "@{[$stack->url]}/api/v3/write_lp?db=any"
  data_format = "influx"
  influx_uint_support = true
  namepass = ["v3"]
  content_encoding = "gzip"
  [outputs.http.headers]
    Authorization = "Bearer $token"
[[outputs.http]]
  url = "@{[$stack->url]}/api/v1/write"
  data_format = "prometheusremotewrite"
  namepass = ["v4"]
  [outputs.http.headers]
    Authorization = "Bearer $token"
    Content-Type = "application/x-protobuf"
    Content-Encoding = "snappy"
    X-Prometheus-Remote-Write-Version = "0.1.0"
CONF
    close $conf or die;
    my $said = qx('$telegraf' --once --config '$home/conf' 2>&1);
    is($?, 0, 'telegraf runs') or diag $said;
    unlike($said, qr/ E! | W! \[outputs/, '  and has nothing to complain about') or diag $said;
    for my $version (1 .. 3) {
        my $of = sub { join ' ', sort split /, /, samples("tele$version", "v$version.$_[0]") };
        is($of->('idle'), '0.25 1.25 2.25 3.25', "telegraf, version $version: numbers of four series");
        is($of->('n'), '0 1 2 3', '  integers');
        is($of->('max'), join(' ', ('1.84467440737096e+19') x 4), '  unsigned ones');
        is($of->('on'), '1 1 1 1', '  booleans');
        is(data("tele$version")->{state}, 'S', '  texts');
    }
    is(join(' ', sort split /, /, samples('tele4', 'v4_idle')), '0.25 1.25 2.25 3.25', 'telegraf, as Prometheus writes: numbers of four series');
    is((split /, /, samples('tele4', 'v4_max'))[0], '1.84467440737096e+19', '  unsigned ones');
    return;
}

# It sends what its generator makes, two minutes of two machines; a field's values by time.
sub check_tsbs {
    my ($load, $generate) = map {
        my ($program, $why) = Tidemark::GoTool::install($_, "github.com/timescale/tsbs/cmd/$_", $TSBS);
        skip $why, 1 if !$program;
        $program;
    } 'tsbs_load_influx', 'tsbs_generate_data';
    my ($from, $to) = map { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($now - $_)) } 300, 180;
    my $file = "$stack->{home}/tsbs.lp";
    system "'$generate' --use-case=cpu-only --seed=1 --scale=2 --timestamp-start=$from --timestamp-end=$to --log-interval=10s --format=influx >'$file' 2>/dev/null";
    my $said = qx('$load' --urls='http://any:$token\@127.0.0.1:$stack->{port}' --workers=2 --batch-size=5 --file='$file' 2>&1);
    like($said, qr/loaded 240 metrics in .* with 2 workers/, 'tsbs_load_influx loads what its generator made') or return;
    open my $in, '<', $file or die "$file: $!";
    my %sent;
    while (my $line = <$in>) {
        my ($tags, $fields, $time) = $line =~ /^cpu,(\S+) (\S+) (\d+)\d{9}$/ or die "tsbs: $line";
        my ($host) = $tags =~ /hostname=(\w+)/;
        $sent{$1}{"$time $host"} = 0 + $2 while $fields =~ /(\w+)=(\d+)i/g;
    }
    my %stored;
    for my $row ($stack->sql("SELECT r.metric || ' ' || extract(epoch FROM s.time)::bigint || ' ' || (r.labels ->> 'hostname') || ' ' || s.value"
        . " FROM core.sample s JOIN core.series r ON r.id = s.series_id JOIN core.device d ON d.id = r.device_id WHERE d.key = 'cpu'")) {
        my ($metric, $time, $host, $value) = split / /, $row;
        $stored{$metric}{"$time $host"} = 0 + $value;
    }
    is_deeply(\%stored, \%sent, '  each value of it is there, and nothing else');
    my %first = map { my ($t) = /^(\d+) host_0$/ ? $1 : (); $t ? ($t => $sent{usage_user}{$_}) : () } keys %{ $sent{usage_user} };
    my $answer = $stack->get("/v1/devices/cpu/samples?metric=usage_user&from=@{[$now - 400]}&to=$now&limit=1000", token => $api);
    is_deeply([sort { $a <=> $b } grep { defined } map { ($_->{labels} // {})->{hostname} eq 'host_0' ? $_->{value} : undef } @{ $answer->{json}{items} }],
        [sort { $a <=> $b } values %first], '  as the query API tells');
    return;
}

SKIP: { check_python() }
SKIP: { check_javascript() }
SKIP: { check_import() }
SKIP: { check_telegraf() }
SKIP: { check_tsbs() }
done_testing();
