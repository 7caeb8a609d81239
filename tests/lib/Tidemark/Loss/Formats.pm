package Tidemark::Loss::Formats;

# Numbered readings in every convention that devices may post in. A stream is one sender's readings
# in one format: number n is the value n at the stream's time of n, so that whatever is stored says
# by itself what it is. Where a format can say text too, the number comes a second time as an event.
#
#   my $stream = Tidemark::Loss::Formats::stream('influx_2', 'c1', $tokens, time);
#   my $request = Tidemark::Loss::Formats::request($stream, 17, 18, 19);    # { method, path, headers, body }

use strict;
use warnings;
use Compress::Zlib qw(memGzip);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Tidemark::Proto qw(uint fixed64 double bytes snappy);

use constant {
    SECOND => 1_000_000,
    LONGEST => 60_000,    # numbers of a stream; of minutes they are 42 days
    PVOUTPUT => '/service/r2',
};

my $json = JSON::PP->new->utf8->canonical;

# step: microseconds between two numbers; most: readings in a request; metric: what the readings are
# called, where there are samples; text: the member of an event's data that holds the number.
my %FORMAT = (
    event           => { step => 1000, most => 1, metric => 'reading', text => 'n', build => \&event },
    batch           => { step => 1000, most => 20, metric => 'reading', text => 'n', build => \&batch },
    ndjson          => { step => 1000, most => 20, metric => 'reading', text => 'n', build => \&ndjson },
    influx_1        => { step => 1000, most => 20, metric => 'reading', text => 'n', build => \&influx_1 },
    influx_2        => { step => 1000, most => 20, metric => 'reading', text => 'n', build => \&influx_2 },
    influx_3        => { step => 1000, most => 20, metric => 'reading', text => 'n', build => \&influx_3 },
    emoncms_post    => { step => SECOND, most => 1, metric => 'reading', build => \&emoncms_post },
    emoncms_bulk    => { step => SECOND, most => 20, metric => 'reading', build => \&emoncms_bulk },
    thingsboard     => { step => 1000, most => 20, metric => 'reading', text => 'n', build => \&thingsboard },
    prometheus_1    => { step => 1000, most => 20, metric => 'reading', build => \&prometheus_1 },
    prometheus_2    => { step => 1000, most => 20, metric => 'reading', build => \&prometheus_2 },
    otlp_json       => { step => 1000, most => 20, metric => 'reading', build => \&otlp_json },
    otlp_protobuf   => { step => 1000, most => 20, metric => 'reading', build => \&otlp_protobuf },
    otlp_logs       => { step => 1000, most => 20, text => 'body', build => \&otlp_logs },
    pvoutput_status => { step => 60 * SECOND, most => 1, metric => 'generation_w', build => \&pvoutput_status },
    pvoutput_batch  => { step => 60 * SECOND, most => 5, metric => 'generation_w', build => \&pvoutput_batch },
    pvoutput_output => { step => 60 * SECOND, most => 1, text => 'generation_wh', build => \&pvoutput_output },
    acquisuite      => { step => SECOND, most => 20, metric => 'point_1', build => \&acquisuite },
    egauge          => { step => SECOND, most => 20, metric => 'reading', build => \&egauge },
    collectd        => { step => 1000, most => 20, metric => 'reading', build => \&collectd },
);

sub names { return sort keys %FORMAT }
sub has_samples { return defined $FORMAT{ $_[0] }{metric} }
sub is_of_now { return $FORMAT{ $_[0] }{step} <= SECOND }    # its numbers are hours old at most
sub has_events { return defined $FORMAT{ $_[0] }{text} }

# A stream of `format` for the sender `who`, with numbers whose times end at `now`. tokens: { any => …, bound => … }; the latter's device is
# "thingsboard-WHO", for that convention has no other name for it.
sub stream {
    my ($format, $who, $tokens, $now) = @_;
    my $of = $FORMAT{$format} or die "no format $format";
    my $sender = "$format-$who";
    my $base = int($now / 60) * 60 - LONGEST * $of->{step} / SECOND;
    return { %$of, format => $format, sender => $sender, tokens => $tokens, base_us => $base * SECOND,
        device => $format eq 'acquisuite' ? "$sender-1" : $sender };
}

sub time_us { my ($stream, $n) = @_; return $stream->{base_us} + $n * $stream->{step} }

# The request that brings the numbers.
sub request {
    my ($stream, @numbers) = @_;
    my $request = $stream->{build}->($stream, @numbers);
    $request->{body} //= '';
    utf8::encode($request->{body}) if utf8::is_utf8($request->{body});
    return $request;
}

# ---- parts ----

sub bearer { return (Authorization => "Bearer $_[0]{tokens}{any}") }
sub ms { return sprintf '%d', time_us(@_) / 1000 }
sub seconds { return sprintf '%d', time_us(@_) / SECOND }
sub number_of { my ($text) = @_; return $text =~ /(\d+)\z/ ? $1 : undef }

sub posted {
    my ($stream, $path, $type, $body, %headers) = @_;
    return { method => 'POST', path => $path, body => $body,
        headers => { ($type ? ('Content-Type' => $type) : ()), (%headers ? %headers : bearer($stream)) } };
}

# ---- our own ----

sub own {
    my ($stream, $n) = @_;
    my $id = sprintf '00000000-%04x-4000-8000-%012x', unpack('%16C*', $stream->{sender}), $n;
    return { device => $stream->{device}, time => 0 + ms($stream, $n), type => 'probe', id => $id,
        metrics => { reading => $n }, data => { n => $n } };
}

sub event { my ($stream, $n) = @_; return posted($stream, '/v1/event', 'application/json', $json->encode(own($stream, $n))) }

sub batch {
    my ($stream, @numbers) = @_;
    return posted($stream, '/v1/events/batch', 'application/json', $json->encode([map { own($stream, $_) } @numbers]));
}

sub ndjson {
    my ($stream, @numbers) = @_;
    return posted($stream, '/v1/events/batch', 'application/x-ndjson', join '', map { $json->encode(own($stream, $_)) . "\n" } @numbers);
}

# ---- InfluxDB ----

sub lines {
    my ($stream, @numbers) = @_;
    return join '', map { qq($stream->{device} reading=$_,n="n$_" ) . ms($stream, $_) . "\n" } @numbers;
}

sub influx_1 {
    my ($stream, @numbers) = @_;
    return posted($stream, '/write?db=x&precision=ms', '', lines($stream, @numbers),
        Authorization => 'Basic ' . encode_base64("any:$stream->{tokens}{any}", ''));
}

sub influx_2 {
    my ($stream, @numbers) = @_;
    return posted($stream, '/api/v2/write?org=o&bucket=b&precision=ms', 'text/plain', memGzip(lines($stream, @numbers)),
        Authorization => "Token $stream->{tokens}{any}", 'Content-Encoding' => 'gzip');
}

sub influx_3 {
    my ($stream, @numbers) = @_;
    return posted($stream, '/api/v3/write_lp?db=x&precision=millisecond', 'text/plain', lines($stream, @numbers));
}

# ---- emoncms, ThingsBoard ----

sub emoncms_post {
    my ($stream, $n) = @_;
    my $at = seconds($stream, $n);
    return { method => 'GET', headers => {},
        path => "/input/post?node=$stream->{device}&json={reading:$n}&time=$at&apikey=$stream->{tokens}{any}" };
}

sub emoncms_bulk {
    my ($stream, @numbers) = @_;
    my $first = seconds($stream, $numbers[0]);
    my $rows = join ',', map { sprintf '[%d,"%s",{"reading":%d}]', seconds($stream, $_) - $first, $stream->{device}, $_ } @numbers;
    return posted($stream, "/input/bulk?apikey=$stream->{tokens}{any}", 'application/x-www-form-urlencoded',
        "time=$first&data=[$rows]", Accept => '*/*');
}

sub thingsboard {
    my ($stream, @numbers) = @_;
    return posted($stream, "/api/v1/$stream->{tokens}{bound}/telemetry", 'application/json',
        $json->encode([map { { ts => 0 + ms($stream, $_), values => { reading => $_, n => "n$_" } } } @numbers]), Accept => '*/*');
}

# ---- Prometheus, OpenTelemetry ----

my %REMOTE_WRITE = ('Content-Encoding' => 'snappy');

sub samples_1 { my ($stream, @numbers) = @_; return join '', map { bytes(2, double(1, $_), uint(2, ms($stream, $_))) } @numbers }

sub prometheus_1 {
    my ($stream, @numbers) = @_;
    my $labels = join '', map { bytes(1, bytes(1, $_->[0]), bytes(2, $_->[1])) } ['__name__', 'reading'], ['device', $stream->{device}];
    return posted($stream, '/api/v1/write', 'application/x-protobuf', snappy(bytes(1, $labels, samples_1($stream, @numbers))),
        bearer($stream), %REMOTE_WRITE, 'X-Prometheus-Remote-Write-Version' => '0.1.0');
}

sub prometheus_2 {
    my ($stream, @numbers) = @_;
    my $symbols = join '', map { bytes(4, $_) } '', '__name__', 'reading', 'device', $stream->{device};
    my $series = bytes(5, bytes(1, pack 'C*', 1 .. 4), samples_1($stream, @numbers));
    return posted($stream, '/api/v1/write', 'application/x-protobuf;proto=io.prometheus.write.v2.Request', snappy($symbols . $series),
        bearer($stream), %REMOTE_WRITE, 'X-Prometheus-Remote-Write-Version' => '2.0.0');
}

sub resource { my ($stream) = @_; return { attributes => [{ key => 'device', value => { stringValue => $stream->{device} } }] } }
sub nanoseconds { return time_us(@_) . '000' }

sub otlp_json {
    my ($stream, @numbers) = @_;
    my @points = map { { timeUnixNano => nanoseconds($stream, $_), asDouble => $_ } } @numbers;
    return posted($stream, '/v1/metrics', 'application/json', $json->encode({ resourceMetrics => [{ resource => resource($stream),
        scopeMetrics => [{ metrics => [{ name => 'reading', gauge => { dataPoints => \@points } }] }] }] }));
}

# A counter that has counted since before the first number.
sub otlp_protobuf {
    my ($stream, @numbers) = @_;
    my $start = nanoseconds($stream, -1000);
    my @points = map { bytes(1, fixed64(2, $start), fixed64(3, nanoseconds($stream, $_)), double(4, $_)) } @numbers;
    my $resource = bytes(1, bytes(1, bytes(1, 'device'), bytes(2, bytes(1, $stream->{device}))));
    return posted($stream, '/v1/metrics', 'application/x-protobuf',
        bytes(1, $resource, bytes(2, bytes(2, bytes(1, 'reading'), bytes(7, @points, uint(2, 2), uint(3, 1))))));
}

sub otlp_logs {
    my ($stream, @numbers) = @_;
    my @records = map { { timeUnixNano => nanoseconds($stream, $_), severityText => 'INFO', body => { stringValue => "n$_" } } } @numbers;
    return posted($stream, '/v1/logs', 'application/json', $json->encode({ resourceLogs => [{ resource => resource($stream),
        scopeLogs => [{ logRecords => \@records }] }] }));
}

# ---- PVOutput, AcquiSuite, eGauge, collectd ----

sub pvoutput_head { my ($stream) = @_; return ('X-Pvoutput-Apikey' => $stream->{tokens}{any}, 'X-Pvoutput-SystemId' => $stream->{device}) }

sub pvoutput_status {
    my ($stream, $n) = @_;
    my $at = strftime('d=%Y%m%d&t=%H:%M', gmtime seconds($stream, $n));
    return { method => 'GET', path => PVOUTPUT . "/addstatus.jsp?$at&v2=$n", headers => { pvoutput_head($stream) } };
}

sub pvoutput_batch {
    my ($stream, @numbers) = @_;
    my $rows = join ';', map { strftime('%Y%m%d,%H:%M', gmtime seconds($stream, $_)) . ",-1,$_" } @numbers;
    return posted($stream, PVOUTPUT . '/addbatchstatus.jsp', 'application/x-www-form-urlencoded', "data=$rows", pvoutput_head($stream));
}

sub pvoutput_output {
    my ($stream, $n) = @_;
    my $day = strftime('%Y%m%d', gmtime seconds($stream, $n));
    return { method => 'GET', path => PVOUTPUT . "/addoutput.jsp?data=$day,$n", headers => { pvoutput_head($stream) } };
}

sub acquisuite {
    my ($stream, @numbers) = @_;
    my $log = join '', map { strftime("'%Y-%m-%d %H:%M:%S'", gmtime seconds($stream, $_)) . ",0,0,0,$_\n" } @numbers;
    my $part = sub { my ($head, $value) = @_; return "--B\r\nContent-Disposition: form-data; $head\r\n\r\n$value\r\n" };
    my $body = join '', $part->('name="MODE"', 'LOGFILEUPLOAD'), $part->('name="SERIALNUMBER"', $stream->{sender}),
        $part->('name="MODBUSDEVICE"', 1),
        $part->(qq{name="LOGFILE"; filename="/var/log/modbus/mb-001.log.gz"\r\nContent-Type: application/octet-stream;}, memGzip($log));
    return posted($stream, '/acquisuite', 'multipart/form-data; boundary=B', "$body--B--\r\n",
        Authorization => 'Basic ' . encode_base64("$stream->{sender}:$stream->{tokens}{any}", ''));
}

# A register of watt-seconds, which are stored as kWh.
sub egauge {
    my ($stream, @numbers) = @_;
    my $data = join '', map { sprintf '<data columns="1" time_stamp="0x%x" time_delta="1"><cname t="P">reading</cname><r><c>%d</c></r></data>',
        seconds($stream, $_), $_ * 3_600_000 } @numbers;
    return posted($stream, '/egauge', 'text/xml', qq{<?xml version="1.0" encoding="UTF-8" ?>\n<group serial="$stream->{device}">$data</group>},
        Authorization => 'Basic ' . encode_base64("owner:$stream->{tokens}{any}", ''));
}

sub collectd {
    my ($stream, @numbers) = @_;
    my @lists = map { sprintf '{"values":[%d],"dstypes":["gauge"],"dsnames":["value"],"time":%.3f,"interval":10.000,"host":"%s",'
        . '"plugin":"reading","plugin_instance":"","type":"reading","type_instance":""}', $_, time_us($stream, $_) / SECOND, $stream->{device} } @numbers;
    return posted($stream, '/collectd', 'application/json', '[' . join(',', @lists) . ']');
}

1;
