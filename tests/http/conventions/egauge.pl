# eGauge: a push recorded from a meter (egauge_push.xml, SEAD Systems 2015: seconds and then minutes, as
# differences), its times moved to today, packed as the meter's options say, and what is no push.
use strict;
use warnings;
use Compress::Zlib qw(compress memGzip);
use FindBin;
use MIME::Base64 qw(encode_base64);
use Test::More;

# The recorded push ($shift seconds later), and its registers' samples in hours: [[epoch, value], …] each.
sub recorded {
    my ($shift) = @_;
    open my $file, '<', "$FindBin::Bin/conventions/egauge_push.xml" or die $!;
    my $text = do { local $/; <$file> };
    $text =~ s/time_stamp="(0x\w+)"/sprintf 'time_stamp="0x%x"', $shift + hex $1/ge;
    my (@sum, @samples, $time, $step);
    for (split /\n/, $text) {
        ($time, $step) = (hex $1, $2) if /time_stamp="0x(\w+)" time_delta="(\d+)"/;
        my @cells = m{<c>(-?\d+)</c>}g or next;
        for my $i (0 .. $#cells) {
            $sum[$i] += $cells[$i];
            unshift @{ $samples[$i] }, [$time, $sum[$i] / 3_600_000];
        }
        $time -= $step;
    }
    return ($text, map { [sort { $a->[0] <=> $b->[0] } @$_] } @samples);
}

sub {
    my ($is) = @_;
    my ($key, $now) = @$is{qw(device now)};
    my $bound = $is->{stack}->token('acme', 'device', '--device', 'meter-1');
    my $send = sub {
        my ($body, %other) = @_;
        my $token = exists $other{token} ? $other{token} : $key;
        return [POST => $other{path} // '/egauge', body => $body, headers => { 'Content-Type' => 'text/xml', 'User-Agent' => 'egauge/pusher',
            $token ? (Authorization => 'Basic ' . encode_base64("owner:$token", '')) : (), %{ $other{headers} // {} } }];
    };
    my ($push, $heater, $lamp) = recorded($now - 3600 - hex '55036c9e');

    $is->answers('a recorded push', $send->($push), 200, "69 stored\n");
    $is->has('0x1bcd005e', 'heater', $heater);
    $is->has('0x1bcd005e', 'lamp', $lamp);
    $is->answers('again', $send->($push), 200, "69 stored\n");
    is_deeply($is->series('0x1bcd005e'), ['heater{} kWh gauge none', 'lamp+{} kWh counter none', 'lamp{} kWh gauge none'],
        'egauge: energy, which counts where its name says so');
    $is->answers('gzip', $send->(memGzip($push), token => $bound, headers => { 'Content-Encoding' => 'gzip' }), 200, "69 stored\n");
    $is->has('meter-1', 'heater', $heater, 'a bound token\'s device has it');
    $is->answers('deflate', $send->(compress($push), headers => { 'Content-Encoding' => 'deflate' }), 200, "69 stored\n");
    my $one = sub {
        my ($rows, %other) = @_;
        my %a = (serial => 'bad', time => $now - 60, step => 60, names => '<cname t="P">p</cname>', more => '', %other);
        return qq(<?xml version="1.0"?><group serial="$a{serial}"><data time_stamp="$a{time}" time_delta="$a{step}"$a{more}>$a{names}$rows</data></group>);
    };
    $is->answers('a part of it', $send->($one->('<r><c>3600000</c></r><r><c>x</c></r>', serial => 'eg-part')), 200,
        "1 stored, 1 rejected; the first: a value is not a whole number\n");
    $is->has('eg-part', 'p', [[$now - 60, 1]]);

    my $row = '<r><c>1</c></r>';
    $is->refuses(
        ['no token', $send->($push, token => undef), 401, qr/./],
        ['an unknown token', $send->($push, token => 'tmk_' . 'x' x 32), 401, qr/./],
        ['a token that reads', $send->($push, token => $is->{api}), 403, qr/A token of this kind/],
        ['a method', [GET => '/egauge', token => $key], 405, qr/./],
        ['nothing', $send->(''), 422, qr/no eGauge push/],
        ['words', $send->('hello'), 422, qr/no eGauge push/],
        ['JSON', $send->('{"registers":[],"ranges":[]}'), 422, qr/no eGauge push/],
        ['HTML', $send->('<html><body></body></html>'), 422, qr/no eGauge push/],
        ['cut short', $send->(substr $push, 0, 1000), 400, qr/./],
        ['the last tag missing', $send->($one->($row) =~ s{</group>}{}r), 400, "the document is cut short\n"],
        ['tags that cross', $send->($one->('<r><c>1</r></c>')), 400, "a tag is closed that is not open\n"],
        ['a tag that does not end', $send->('<group serial="bad"'), 400, "this is not XML\n"],
        ['an attribute twice as long as all', $send->('<group serial="' . 'x' x 100_000), 400, "this is not XML\n"],
        ['20 attributes', $send->('<group ' . join(' ', map {"a$_='1'"} 1 .. 20) . '></group>'), 400, "this is not XML\n"],
        ['entities of its own', $send->('<!DOCTYPE group [<!ENTITY a "b">]>' . $one->($row)), 400, "this is not XML\n"],
        ['an entity that is not known', $send->($one->($row, names => '<cname t="P">&lol;</cname>')), 400, "a register's name cannot be read\n"],
        ['a name that is no text', $send->($one->($row, names => "<cname t='P'>\xff</cname>")), 400, "a register's name cannot be read\n"],
        ['a nul in a name', $send->($one->($row, names => '<cname t="P">&#0;</cname>')), 400, "a register's name cannot be read\n"],
        ['no time', $send->($one->($row) =~ s/time_stamp/time/r), 422, qr/no time_stamp/],
        ['a time that is a word', $send->($one->($row, time => 'now')), 422, qr/no time_stamp/],
        ['a time beyond all', $send->($one->($row, time => '0xfffffffff')), 422, qr/no time_stamp/],
        ['a step backwards', $send->($one->($row, step => -60)), 422, qr/time_delta/],
        ['a step of years', $send->($one->($row, step => 4_000_000_000)), 422, qr/time_delta/],
        ['a time of 1970', $send->($one->($row, time => 60)), 422, qr/time is older/],
        ['a time of tomorrow', $send->($one->($row, time => $now + 90_000)), 422, qr/24 hours ahead/],
        ['no serial number', $send->($one->($row, serial => '')), 422, qr/no device/],
        ['a long serial number', $send->($one->($row, serial => 'bad' . 'x' x 130)), 422, qr/device is longer/],
        ['129 registers', $send->($one->($row, names => join '', map {"<cname t='P'>$_</cname>"} 1 .. 129)), 422, qr/more than 128 registers/],
        ['a value too many', $send->($one->('<r><c>1</c><c>2</c></r>')), 422, qr/more values/],
        ['a value too few', $send->($one->('<r></r>')), 422, qr/fewer values/],
        ['a fraction', $send->($one->('<r><c>1.5</c></r>')), 422, qr/not a whole number/],
        ['10,001 rows', $send->($one->($row x 10_001, step => 0)), 413, qr/more than 10000/],
    );
    return;
};
