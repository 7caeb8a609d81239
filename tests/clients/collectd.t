#!/usr/bin/perl
# collectd itself, Debian's, sending to a stack by its plugin write_http: values put into its socket
# come out of the query API. The program is unpacked from its package into build/tools, not
# installed: that would set up a service. Skipped where the package is not to be had.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Cwd qw(getcwd);
use File::Path qw(make_path);
use IO::Socket::UNIX;
use Tidemark::Convention;
use Tidemark::Stack;
use Time::HiRes qw(time sleep);

my $TOOLS = "$Tidemark::Stack::ROOT/build/tools/collectd";

# Unpacks collectd and the library that its plugin needs; true when that could be done.
sub unpack_tools {
    return 1 if -e "$TOOLS/done";
    my $here = getcwd;
    make_path("$TOOLS/packages");
    chdir "$TOOLS/packages" or return 0;
    my $is_fetched = system('apt-get download collectd-core libyajl2 >/dev/null 2>&1') == 0;
    chdir $here or die;
    return 0 if !$is_fetched;
    for my $package (glob "$TOOLS/packages/*.deb") {
        return 0 if system('dpkg-deb', '-x', $package, $TOOLS) != 0;
    }
    open my $done, '>', "$TOOLS/done" or return 0;
    return close $done;
}

plan skip_all => 'collectd-core is not to be had from apt here' if !unpack_tools();

my $convention = Tidemark::Convention->start;
$convention->begin('collectd');
my $home = $convention->{stack}{home} . '/collectd';
mkdir $home or die "$home: $!";
my ($plugins) = glob "$TOOLS/usr/lib/collectd";
my ($libraries) = glob "$TOOLS/usr/lib/*-linux-gnu*";
open my $conf, '>', "$home/conf" or die;
print {$conf} <<"CONF";
Hostname "pi"
FQDNLookup false
BaseDir "$home"
PIDFile "$home/pid"
PluginDir "$plugins"
TypesDB "$TOOLS/usr/share/collectd/types.db"
Interval 3600
WriteThreads 1
LoadPlugin logfile
<Plugin logfile>
  File "$home/log"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "$home/socket"
</Plugin>
LoadPlugin write_http
<Plugin write_http>
  <Node "tidemark">
    URL "@{[$convention->{stack}->url('/collectd')]}"
    Format "JSON"
    Header "Authorization: Bearer $convention->{device}"
    StoreRates false
    Notifications true
    LogHttpError true
  </Node>
</Plugin>
CONF
close $conf;

my $pid = fork // die "fork: $!";
if (!$pid) {
    $ENV{LD_LIBRARY_PATH} = $libraries // '';
    exec "$TOOLS/usr/sbin/collectd", '-f', '-C', "$home/conf" or die "collectd: $!";
}

sub log_text { open my $in, '<', "$home/log" or return ''; local $/; return <$in> // '' }

my $socket;
my $deadline = time + 20;
until ($socket = IO::Socket::UNIX->new(Peer => "$home/socket")) {
    die "collectd does not start: " . log_text() if time > $deadline || waitpid($pid, 1) == $pid;
    sleep 0.05;
}

# A command of its plain text protocol; its answer's first line.
sub command {
    my ($line) = @_;
    print {$socket} "$line\n";
    return scalar <$socket>;
}

my $t = $convention->{now} - 300;
my %sent; # identifier => [[values], …]
for my $i (0 .. 9) {
    my @lines = (
        ['disk-sda/disk_octets', 197_141_504 + 1000 * $i, 175_136_768 + 10 * $i],
        ['load/load', 0.5 + $i, 0.25 * $i, 1.125],
        ['cpu-0/cpu-idle', 4711 + $i],
        ['sensors-main/power-roof', 230.5 - $i],
    );
    for my $line (@lines) {
        my ($name, @values) = @$line;
        my $answer = command(sprintf 'PUTVAL "pi/%s" interval=10 %s', $name, join ':', $t + $i, @values);
        like($answer, qr/^0 Success/, "collectd takes $name $i") or diag($answer);
        push @{ $sent{$name} }, [$t + $i, @values];
    }
}
# what was taken waits in a queue that a flush may overtake
my ($wanted, $there) = (0, 0);
$wanted += @$_ - 1 for map { @$_ } values %sent;
for ($deadline = time + 20; $there < $wanted && time < $deadline; sleep 0.05) {
    command('FLUSH plugin=write_http/tidemark') =~ /^0 Done/ or last;
    $there = $convention->{stack}->sql('SELECT count(*) FROM core.sample');
}
is($there, $wanted, "and sends its $wanted values") or diag(log_text());

my $of = sub { my ($name, $at) = @_; return [map { [$_->[0], $_->[$at]] } @{ $sent{$name} }] };
$convention->has('pi', 'disk.disk_octets.read_total', $of->('disk-sda/disk_octets', 1));
$convention->has('pi', 'disk.disk_octets.write_total', $of->('disk-sda/disk_octets', 2));
$convention->has('pi', "load.$_->[1]", $of->('load/load', $_->[0])) for [1, 'shortterm'], [2, 'midterm'], [3, 'longterm'];
$convention->has('pi', 'cpu_total', $of->('cpu-0/cpu-idle', 1));
$convention->has('pi', 'sensors.power', $of->('sensors-main/power-roof', 1));
is_deeply([grep { /^(?:cpu|disk\.disk_octets\.read|sensors)/ } @{ $convention->series('pi') }], [
    'cpu_total{"type_instance": "idle", "plugin_instance": "0"}  counter none',
    'disk.disk_octets.read_total{"plugin_instance": "sda"}  counter none',
    'sensors.power{"type_instance": "roof", "plugin_instance": "main"}  gauge none',
], 'instances are labels, what counts is a counter');
# a threshold on two data sources tells both at once
for my $source (qw(read write)) {
    my $answer = command(qq(PUTNOTIF time=$t.250 severity=warning host=pi plugin=disk plugin_instance=sda type=disk_octets)
        . qq( message="$source is above 1000"));
    like($answer, qr/^0 Success/, "collectd takes the notification of $source") or diag($answer);
}
my $events;
for ($deadline = time + 20; time < $deadline; sleep 0.05) {
    $events = $convention->{stack}->get('/v1/events?device=pi&type=notification', token => $convention->{api})->{json}{items};
    last if @$events == 2;
}
is_deeply([sort map { "$_->{data}{labels}{severity}: $_->{data}{annotations}{summary}" } @$events],
    ['WARNING: read is above 1000', 'WARNING: write is above 1000'], 'and sends both, each an event of its host') or diag(log_text());
unlike(log_text(), qr/HTTP Error|failed|too old/i, 'collectd had nothing to complain of');

close $socket;
kill 'TERM', $pid;
waitpid $pid, 0;
is($? & 127, 0, 'collectd ends as it should');
$convention->all_is_well;
done_testing;
