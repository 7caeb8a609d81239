# collectd's write_http; the program itself is in tests/clients/collectd.t.
use strict;
use warnings;
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Test::More;

sub {
    my ($is) = @_;
    my $t = $is->{now} - 800;
    my $list = sub {
        my ($host, $more) = @_;
        return qq({"values":[1,2],"dstypes":["derive","gauge"],"dsnames":["rx","tx"],"time":$t.250,"interval":10.000,)
            . qq("host":"$host","plugin":"interface","plugin_instance":"eth0","type":"if_octets","type_instance":"") . ($more // '') . '}';
    };
    my $post = sub { [POST => '/collectd', token => $is->{device}, headers => { 'Content-Type' => 'application/json' }, body => $_[0]] };

    $is->answers('value lists', $post->('[' . $list->('web-1') . ',' . $list->('web-2') . ']'), 200, '');
    $is->has('web-2', 'interface.if_octets.rx_total', [[$t + 0.25, 1]]);
    $is->answers('again, as User and Password', [POST => '/collectd', body => '[' . $list->('web-1') . ']',
        headers => { 'Content-Type' => 'application/json', Authorization => 'Basic ' . encode_base64("collectd:$is->{device}", '') }], 200, '');
    $is->has('web-1', 'interface.if_octets.tx', [[$t + 0.25, 2]]);
    my $began = strftime('%Y-%m-%dT%H:%M:%S.123456789Z', gmtime $t);
    my $alarm = sub {
        my ($source) = @_;
        return qq({"labels":{"alertname":"collectd_interface_if_octets","instance":"web-1","interface":"eth0","severity":"WARNING",)
            . qq("service":"collectd"},"annotations":{"summary":"$source is above"},"startsAt":"$began"});
    };
    $is->answers('notifications of one moment', $post->('[' . $alarm->('rx') . ',' . $alarm->('tx') . ']'), 200, '');
    $is->answers('one of them again', $post->('[' . $alarm->('tx') . ']'), 200, '');
    my $events = $is->{stack}->get('/v1/events?device=web-1&type=notification', token => $is->{api});
    is_deeply([sort map { $_->{data}{annotations}{summary} } @{ $events->{json}{items} }], ['rx is above', 'tx is above'],
        'collectd: each of them is an event, once');
    $is->answers('good ones among bad ones are kept', $post->('[7,' . $list->('web-3') . ']'), 422, qr/1 of the value lists were rejected/);
    $is->has('web-3', 'interface.if_octets.tx', [[$t + 0.25, 2]]);

    my $problem = sub { qr/"detail":"[^"]*$_[0]/ };
    my $one = sub { $post->("[$_[0]]") };
    my $bad = $list->('bad');
    my $with = sub { my ($from, $to) = @_; my $text = $bad; $text =~ s/\Q$from\E/$to/ or die $from; return $one->($text) };
    $is->refuses(
        ['no token', [POST => '/collectd', body => "[$bad]"], 401, $problem->('needs credentials')],
        ['an unknown token', [POST => '/collectd', token => 'tmk_' . 'x' x 32, body => "[$bad]"], 401, $problem->('unknown')],
        ['a token that may only read', [POST => '/collectd', token => $is->{api}, body => "[$bad]"], 403, $problem->('')],
        ['another host of a bound token', [POST => '/collectd', token => $is->{bound}, body => "[$bad]"], 422, $problem->('the token is for another device')],
        ['GET', [GET => '/collectd', token => $is->{device}], 405, $problem->('')],
        ['an empty body', $post->(''), 400, $problem->('not JSON')],
        ['PUTVAL lines', $post->('PUTVAL bad/load/load interval=10 N:1'), 400, $problem->('not JSON')],
        ['cut short', $post->('[' . substr $bad, 0, -9), 400, $problem->('not JSON')],
        ['a list without an end', $post->("[$bad,"), 400, $problem->('not JSON')],
        ['more behind it', $post->("[$bad]]"), 400, $problem->('not JSON')],
        ['NaN', $with->('[1,2]', '[NaN,2]'), 400, $problem->('not JSON')],
        ['a nul', $with->('eth0', 'eth\\u0000'), 400, $problem->('not JSON')],
        ['bytes that are not UTF-8', $with->('eth0', "\xff"), 400, $problem->('not JSON')],
        ['a very deep list', $post->('[' x 5000), 400, $problem->('not JSON')],
        ['a text', $post->('"bad"'), 422, $problem->('a value list is an object')],
        ['numbers', $post->('[1,2]'), 422, $problem->('a value list is an object')],
        ['an empty object', $post->('{}'), 422, $problem->('host is missing')],
        ['an empty host', $with->('"bad"', '""'), 422, $problem->('host is missing')],
        ['no plugin', $with->('"interface"', '""'), 422, $problem->('plugin is missing')],
        ['no type', $with->('"if_octets"', '""'), 422, $problem->('type is missing')],
        ['a plugin that is a number', $with->('"interface"', '7'), 422, $problem->('are texts')],
        ['a host that is a list', $with->('"bad"', '["bad"]'), 422, $problem->('are texts')],
        ['more values than names', $with->('[1,2]', '[1,2,3]'), 422, $problem->('differ in number')],
        ['fewer types', $with->('["derive","gauge"]', '["derive"]'), 422, $problem->('differ in number')],
        ['names that are no list', $with->('["rx","tx"]', '"rx"'), 422, $problem->('are lists')],
        ['values that are no list', $with->('[1,2]', '1'), 422, $problem->('values is not a list')],
        ['a value that is a text', $with->('[1,2]', '["1",2]'), 422, $problem->('a value is neither')],
        ['a value of 1e101', $with->('[1,2]', '[1e101,2]'), 422, qr/is not a finite number/],
        ['129 values', $with->('[1,2]', '[' . join(',', 1 .. 129) . ']'), 422, $problem->('more values than')],
        ['a time that is a word', $with->("$t.250", '"now"'), 422, $problem->('time is not a number')],
        ['a time of 1970', $with->("$t.250", '60'), 422, $problem->('time is older')],
        ['a time tomorrow', $with->("$t.250", $is->{now} + 90_000), 422, $problem->('time is more than')],
        ['a time beyond all', $with->("$t.250", '1e30'), 422, $problem->('time is no epoch')],
        ['a name too long', $with->('"rx"', '"' . 'x' x 129 . '"'), 422, $problem->('metric is longer')],
        ['an instance too long', $with->('eth0', 'x' x 3000), 422, $problem->('labels are longer')],
        ['a notification of nobody', $one->('{"labels":{"x":"bad"}}'), 422, $problem->('host or time')],
        ['a notification at no time', $one->('{"labels":{"host":"bad"},"startsAt":"now"}'), 422, $problem->('host or time')],
        ['10,001 lists', $post->('[' . join(',', ('{}') x 10_001) . ']'), 413, $problem->('more than 10000')],
    );
    return;
};
