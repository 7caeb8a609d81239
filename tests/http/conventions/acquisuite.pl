# AcquiSuite and AcquiLite: logs of Modbus devices, packed or not, a gateway's status, and what it
# asks besides, in the form of the socket dumps of Obvius' HTTP upload kit.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Compress::Gzip qw(gzip);
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Test::More;

my $BOUNDARY = 'MIME_BOUNDRY_MIME_BOUNDRY_MIME_BOUNDRY';

sub part { my ($head, $value) = @_; return "--$BOUNDARY\r\nContent-Disposition: form-data; $head\r\n\r\n$value\r\n" }

# [name, value, …] and the log, if any, as the gateway puts them into a form.
sub form {
    my ($fields, $log) = @_;
    my @pairs = @$fields;
    my $body = '';
    while (my ($name, $value) = splice @pairs, 0, 2) { $body .= part(qq{name="$name"}, $value) }
    $body .= part(qq{name="LOGFILE"; filename="/var/log/modbus/mb-001.43C8484F.log.gz"\r\nContent-Type: application/octet-stream;}, $log)
        if defined $log;
    return "$body--$BOUNDARY--\r\n";
}

sub {
    my ($is) = @_;
    my $basic = sub { my ($token) = @_; return 'Basic ' . encode_base64("444D50000879:$token", '') };
    my $send = sub {
        my ($body, $token, $type) = @_;
        return [POST => '/acquisuite', body => $body, headers => { Authorization => $basic->($token // $is->{device}),
            'Content-Type' => $type // "multipart/form-data; boundary=$BOUNDARY" }];
    };
    my $t = $is->{now} - 7200 - $is->{now} % 60;
    my $at = sub { my ($ago) = @_; return strftime("'%Y-%m-%d %H:%M:%S'", gmtime($t - ($ago // 0))) };
    my $log = join '', map { "$_\n" } $at->(900) . ',0,0,0,-0.00,89.29,39.05,49.11,0,0,0,0', $at->(600) . ',0,0,0x02,-0.01,104.24,39.05,49.11,0,0,0,0',
        $at->(300) . ',0,0,0,,87.82,39.05,49.11,0,0,0,0', $at->() . ',139,,,,,,,,,,';
    gzip(\$log, \my $packed) or die 'gzip';
    my @who = (SERIALNUMBER => '444D50000879', PASSWORD => 'password', LOOPNAME => 'GSM/GPRS Test System');
    my @head = (MODE => 'LOGFILEUPLOAD', @who, MODBUSIP => '127.0.0.1', MODBUSPORT => 502, MODBUSDEVICE => 1, MODBUSDEVICENAME => 'MH Two',
        MODBUSDEVICETYPE => 'Obvius, ModHopper, R9120-3', MODBUSDEVICETYPENUMBER => 49, MODBUSDEVICECLASS => 17);
    my $upload = form([@head, MD5CHECKSUM => md5_hex($packed), FILESIZE => length $packed, FILETIME => '2006-01-14 00:39:44'], $packed);

    my $answer = $is->answers('a packed log', $send->($upload), 200, "\nSUCCESS\n");
    like($answer->{headers}{'content-type'}, qr{^text/plain}, 'acquisuite: in plain text');
    $is->has('444D50000879-1', 'point_1', [[$t - 900, 0], [$t - 600, -0.01]], 'an empty cell is no value');
    $is->has('444D50000879-1', 'point_2', [[$t - 900, 89.29], [$t - 600, 104.24], [$t - 300, 87.82]]);
    my $events = $is->{stack}->get('/v1/events?device=444D50000879-1', token => $is->{api})->{json}{items};
    is_deeply([map { $_->{data} } @$events], [{ error => '139' }, { high_alarm => '0x02' }], 'acquisuite: errors and alarms are kept');
    $is->answers('again', $send->($upload), 200, "\nSUCCESS\n");
    $is->answers('an unpacked log, as AcquiLite sends it', $send->(form([@head], $at->(-60) . ',0,0,0,NULL,103193') =~ s/127\.0\.0\.1/x/r), 200, "\nSUCCESS\n");
    $is->has('444D50000879-1', 'point_2', [[$t - 900, 89.29], [$t - 600, 104.24], [$t - 300, 87.82], [$t + 60, 103_193]]);
    my $bound = $is->{stack}->token('acme', 'device', '--device', 'gateway-1');
    $is->answers('a bound token', $send->($upload, $bound), 200, "\nSUCCESS\n");
    is_deeply([grep { /^point_2/ } @{ $is->series('gateway-1') }], ['point_2{"modbus": "1"}  gauge none'], 'acquisuite: has its device\'s, by address');
    $is->answers('a status', $send->(form([SENDDATATRACE => 'YES', MODE => 'STATUS', @who, UPTIME => 271, ACQUISUITEVERSION => 'v01.06.0117b'])),
        200, "\nSUCCESS\n");
    $events = $is->{stack}->get('/v1/events?device=444D50000879&type=status', token => $is->{api})->{json}{items};
    is_deeply([map { $_->{data} } @$events], [{ LOOPNAME => 'GSM/GPRS Test System', UPTIME => '271', ACQUISUITEVERSION => 'v01.06.0117b' }],
        'acquisuite: is an event, without the password');
    $is->answers('what settings there are: none', $send->(form([@who, MODE => 'CONFIGFILEMANIFEST'])), 200, "\nSUCCESS\n");
    $is->answers('a log with a bad line', $send->(form([@head], $at->(-120) . ",0,0,0,7\noops\n")), 406,
        "FAILURE: 1 rejected, the others are stored; the first: a line does not begin with a time\n");
    $is->has('444D50000879-1', 'point_1', [[$t - 900, 0], [$t - 600, -0.01], [$t + 120, 7]], 'the good line is stored');

    my @bad = (MODE => 'LOGFILEUPLOAD', SERIALNUMBER => 'bad', MODBUSDEVICE => 1);
    my $line = sub { $send->(form([@bad], "$_[0]\n")) };
    my $good = $at->() . ',0,0,0,1';
    my $no = sub { qr/^FAILURE: 1 rejected, the others are stored; the first: $_[0]/ };
    $is->refuses(
        ['no token', [POST => '/acquisuite', body => $upload, headers => { 'Content-Type' => "multipart/form-data; boundary=$BOUNDARY" }], 401, qr/^FAILURE: /],
        ['an unknown token', $send->($upload, 'password'), 401, qr/^FAILURE: /],
        ['a token that may only read', $send->($upload, $is->{api}), 403, qr/^FAILURE: /],
        ['no mode', $send->(form([SERIALNUMBER => 'bad'])), 406, "FAILURE: no MODE\n"],
        ['another mode', $send->(form([MODE => 'REBOOT', SERIALNUMBER => 'bad'])), 406, "FAILURE: MODE REBOOT is not known here\n"],
        ['a mode that is not text', $send->(form([MODE => "\xff", SERIALNUMBER => 'bad'])), 406, "FAILURE: no MODE\n"],
        ['settings asked for', $send->(form([MODE => 'CONFIGFILEDOWNLOAD', SERIALNUMBER => 'bad'])), 406, qr/^FAILURE: MODE CONFIGFILEDOWNLOAD/],
        ['no log', $send->(form([@bad])), 406, "FAILURE: no LOGFILE\n"],
        ['another sum', $send->(form([@bad, MD5CHECKSUM => '0' x 32], $good)), 406, "FAILURE: MD5CHECKSUM is not that of LOGFILE\n"],
        ['a sum in words', $send->(form([@bad, MD5CHECKSUM => 'none'], $good)), 406, "FAILURE: MD5CHECKSUM is not that of LOGFILE\n"],
        ['a packed log cut short', $send->(form([@bad], substr $packed, 0, 40)), 406, qr/^FAILURE: /],
        ['a packed log with a bad byte', $send->(form([@bad], substr($packed, 0, 30) . 'xxxx' . substr $packed, 34)), 406, qr/^FAILURE: /],
        ['a form cut short', $send->(substr form([@bad], $good), 0, -20), 406, qr/^FAILURE: The form is cut short/],
        ['no boundary', $send->(form([@bad], $good), undef, 'multipart/form-data'), 406, qr/^FAILURE: The content type names no boundary/],
        ['another boundary', $send->(form([@bad], $good), undef, 'multipart/form-data; boundary=x'), 406, qr/^FAILURE: The form does not begin/],
        ['a boundary of 100 bytes', $send->(form([@bad], $good), undef, 'multipart/form-data; boundary=' . 'x' x 100), 406, qr/^FAILURE: The content type/],
        ['65 parts', $send->(form([map { ("F$_" => 1) } 1 .. 65])), 406, qr/^FAILURE: The form holds more than 64 parts/],
        ['nothing', $send->(''), 406, qr/^FAILURE: The form does not begin/],
        ['JSON', $send->('{"MODE":"STATUS"}', undef, 'application/json'), 406, "FAILURE: no MODE\n"],
        ['no serial number', $send->(form([MODE => 'LOGFILEUPLOAD'], $good)), 406, $no->('no device')],
        ['a status of nobody', $send->(form([MODE => 'STATUS', UPTIME => 1])), 406, $no->('no device')],
        ['a long serial number', $send->(form([MODE => 'LOGFILEUPLOAD', SERIALNUMBER => 'bad' . 'x' x 130], $good)), 406, $no->('device is longer')],
        ['a line of words', $line->('oops'), 406, $no->('a line does not begin with a time')],
        ['a time alone', $line->($at->()), 406, $no->('a line has no values')],
        ['a date alone', $line->('2026-11-20,0,0,0,1'), 406, $no->('a line does not begin with a time')],
        ['the 30th of February', $line->("'2026-02-30 12:00:00',0,0,0,1"), 406, $no->('a line does not begin with a time')],
        ['the manual\'s year', $line->("'2002-01-31 18:30:00',0,0,0,1"), 406, $no->('time is older')],
        ['a time of 2199', $line->("'2199-01-31 18:30:00',0,0,0,1"), 406, $no->('time is more than')],
        ['a word for a value', $line->($at->() . ',0,0,0,many'), 406, $no->('point 1 is not a number')],
        ['infinity', $line->($at->() . ',0,0,0,1,inf'), 406, $no->('point 2 is not a number')],
        ['1e101', $line->($at->() . ',0,0,0,1e101'), 406, $no->('metric ')],
        ['an error that is not text', $line->($at->() . ",\xff,0,0,1"), 406, $no->('error is not text')],
        ['129 points', $line->($at->() . ',0,0,0' . ',1' x 129), 406, $no->('more than 128 points')],
        ['GET', [GET => '/acquisuite', headers => { Authorization => $basic->($is->{device}) }], 405, qr/./],
    );
    return;
};
