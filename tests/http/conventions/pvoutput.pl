# PVOutput: statuses, batches and outputs in the tenant's local time (Europe/Berlin).
use strict;
use warnings;
use POSIX qw(strftime tzset);
use Test::More;

# Date, time and instant of `ago` seconds ago, in Berlin, to the minute; by the system's own zones.
sub local_at {
    my ($now, $ago) = @_;
    my $t = $now - $ago - ($now - $ago) % 60;
    local $ENV{TZ} = 'Europe/Berlin';
    tzset();
    my @at = (strftime('%Y%m%d', localtime $t), strftime('%H:%M', localtime $t), $t);
    delete $ENV{TZ};
    tzset();
    return @at;
}

sub {
    my ($is) = @_;
    my %key = (headers => { 'X-Pvoutput-Apikey' => $is->{device}, 'X-Pvoutput-SystemId' => '24501' });
    my $key = "key=$is->{device}&sid=24501";
    my ($date, $time, $t) = local_at($is->{now}, 7200);
    my $base = '/service/r2';

    my $answer = $is->answers('a status', [GET => "$base/addstatus.jsp?d=$date&t=$time&v1=1000&v2=150&v5=23.4", %key], 200, 'OK 200: Added Status');
    like($answer->{headers}{'content-type'}, qr{^text/plain}, 'pvoutput: in plain text');
    $is->has('24501', 'generation_w', [[$t, 150]]);
    $is->has('24501', 'generation_today_wh_total', [[$t, 1000]]);
    $is->answers('again, as a form with key and sid', [POST => "$base/addstatus.jsp", headers => { 'Content-Type' => 'application/x-www-form-urlencoded' },
        body => "$key&d=$date&t=" . $time =~ s/:/%3A/r . '&v2=150'], 200, 'OK 200: Added Status');
    $is->answers('a form of over 64 KiB', [POST => "$base/addstatus.jsp", headers => { 'Content-Type' => 'application/x-www-form-urlencoded' },
        body => "d=$date&t=$time&v2=150&pad=" . 'x' x 70_000 . "&$key"], 200, 'OK 200: Added Status');
    my ($d1, $t1, $s1) = local_at($is->{now}, 6900);
    my ($d2, $t2, $s2) = local_at($is->{now}, 6600);
    $is->answers('a batch', [POST => "$base/addbatchstatus.jsp?c1=1", headers => { %{ $key{headers} }, 'Content-Type' => 'application/x-www-form-urlencoded' },
        body => "data=$d1,$t1,500000,160,-1,-1;$d2,$t2,x;$d2,$t2,500010,170"], 200, "$d1,$t1,1;$d2,$t2,0;$d2,$t2,1");
    $is->has('24501', 'generation_wh_total', [[$s1, 500_000], [$s2, 500_010]]);
    $is->has('24501', 'generation_w', [[$t, 150], [$s1, 160], [$s2, 170]]);
    is_deeply([sort grep { /generation/ } @{ $is->series('24501') }], [
        'generation_today_wh_total{} Wh counter generation',
        'generation_wh_total{} Wh counter generation', 'generation_w{} W gauge generation'], 'pvoutput: energies are counters of generation');
    $is->answers('an output', [GET => "$base/addoutput.jsp?data=$date,15000,,3200,12:40,Fine", %key], 200, 'OK 200: Added Output');
    my $events = $is->{stack}->get('/v1/events?device=24501&type=output', token => $is->{api});
    is_deeply($events->{json}{items}[0]{data}, { date => $date, generation_wh => 15000, peak_power_w => 3200, peak_time => '12:40', condition => 'Fine' },
        'pvoutput: is an event');
    $is->answers('a bound token', [GET => "$base/addstatus.jsp?key=$is->{bound}&sid=24501&d=$date&t=$time&v4=210"], 200, 'OK 200: Added Status');
    $is->has('bound-1', 'consumption_w', [[$t, 210]], 'its device, whatever the system');

    my %bad = (headers => { 'X-Pvoutput-Apikey' => $is->{device}, 'X-Pvoutput-SystemId' => 'bad' });
    my $add = sub { [GET => "$base/addstatus.jsp?$_[0]", %bad] };
    my $batch = sub { [POST => "$base/addbatchstatus.jsp", headers => { %{ $bad{headers} }, 'Content-Type' => 'application/x-www-form-urlencoded' }, body => "data=$_[0]"] };
    my $at = "d=$date&t=$time";
    my $no = sub { qr/^Bad request 400: $_[0]/ };
    $is->refuses(
        ['no key', [GET => "$base/addstatus.jsp?$at&v1=1"], 401, 'Unauthorized 401: Invalid API Key'],
        ['an unknown key', [GET => "$base/addstatus.jsp?$at&v1=1&key=" . 'x' x 40], 401, 'Unauthorized 401: Invalid API Key'],
        ['a key where others have theirs', [GET => "$base/addstatus.jsp?$at&v1=1", token => $is->{device}], 401, 'Unauthorized 401: Invalid API Key'],
        ['a key that may only read', [GET => "$base/addstatus.jsp?$at&v1=1&key=$is->{api}"], 403, qr/^Forbidden 403: /],
        ['no system', [GET => "$base/addstatus.jsp?$at&v1=1&key=$is->{device}"], 400, $no->('no device')],
        ['only dots for a system', [GET => "$base/addstatus.jsp?$at&v1=1&key=$is->{device}&sid=.."], 400, $no->('device is only dots')],
        ['a long system', [GET => "$base/addstatus.jsp?$at&v1=1&key=$is->{device}&sid=bad" . 'x' x 130], 400, $no->('device is longer')],
        ['no date', $add->("t=$time&v1=1"), 400, 'Bad request 400: Missing required data'],
        ['no time', $add->("d=$date&v1=1"), 400, 'Bad request 400: Missing required data'],
        ['no value', $add->($at), 400, 'Bad request 400: Missing required data'],
        ['empty values', $add->("$at&v1=&v2="), 400, 'Bad request 400: Missing required data'],
        ['a word for a value', $add->("$at&v1=many"), 400, 'Bad request 400: Could not read v1'],
        ['a word for a voltage', $add->("$at&v1=1&v6=230V"), 400, 'Bad request 400: Could not read v6'],
        ['infinity', $add->("$at&v2=inf"), 400, 'Bad request 400: Could not read v2'],
        ['1e101', $add->("$at&v2=1e101"), 400, $no->('metric ')],
        ['the 30th of February', $add->("d=20260230&t=$time&v1=1"), 400, $no->('Could not read date')],
        ['a date in words', $add->("d=today&t=$time&v1=1"), 400, $no->('Could not read date')],
        ['a date of 7 digits', $add->("d=2026112&t=$time&v1=1"), 400, $no->('Could not read date')],
        ['a time in words', $add->("d=$date&t=noon&v1=1"), 400, $no->('Could not read date')],
        ['24:00', $add->("d=$date&t=24:00&v1=1"), 400, $no->('Could not read date')],
        ['12:60', $add->("d=$date&t=12:60&v1=1"), 400, $no->('Could not read date')],
        ['a time of 1999', $add->('d=19991231&t=12:00&v1=1'), 400, $no->('time is older')],
        ['a time of 2199', $add->('d=21991231&t=12:00&v1=1'), 400, $no->('time is more than')],
        ['a message of 66 kB', [POST => "$base/addstatus.jsp?$at&v1=1", headers => { %{ $bad{headers} }, 'Content-Type' => 'application/x-www-form-urlencoded' },
            body => 'm1=' . 'x' x 66_000], 400, $no->('data is over')],
        ['a bad escape', $add->("$at&v1=%zz"), 400, qr/./],
        ['a form with a bad escape', [POST => "$base/addstatus.jsp", headers => { %{ $bad{headers} }, 'Content-Type' => 'application/x-www-form-urlencoded' }, body => 'v1=%zz'], 400, $no->('The form holds')],
        ['a batch without data', $batch->(''), 400, 'Bad request 400: Missing required data'],
        ['a batch of words', $batch->('oops'), 400, 'Bad request 400: Missing required data'],
        ['a batch of bad ones', $batch->("$date,$time,x;$date,$time,y"), 400, 'Bad request 400: Could not read v1'],
        ['101 statuses', $batch->(join ';', ("$date,$time,1") x 101), 400, $no->('more than 100')],
        ['an output without a date', [GET => "$base/addoutput.jsp?g=5", %bad], 400, $no->('Could not read date')],
        ['an output with a word', [GET => "$base/addoutput.jsp?data=$date,many", %bad], 400, $no->('Could not read g')],
        ['a service that is none', [GET => "$base/getstatus.jsp", %bad], 404, qr/./],
        ['PUT', [PUT => "$base/addstatus.jsp?$at&v1=1", %bad, body => ''], 405, qr/./],
    );
    return;
};
