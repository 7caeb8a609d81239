package Tidemark::Convention;

# A stack with a tenant and tokens for tests of ingest conventions: requests as their clients send
# them, answers to the byte, values read back through the query API, bad input.
#
#   $convention->answers('a reading', [GET => "/input/post?csv=1&apikey=$token"], 200, 'ok');
#   $convention->has('0', '1', [[$time, 1]]);
#   $convention->refuses(['no token', [GET => '/input/post?csv=1'], 401, qr/API key/], …);

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use File::Temp;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Tidemark::Stack;
use Tidemark::Unharmed;

# The tenant "acme" in Berlin; tokens: device, bound (to "bound-1"), api, backfill.
sub start {
    my ($class) = @_;
    my $stack = Tidemark::Stack->start;
    $stack->cli('tenant', 'add', 'acme', '--timezone', 'Europe/Berlin');
    my $self = bless { stack => $stack, good => 0, now => int time, name => '' }, $class;
    $self->{device} = $stack->token('acme', 'device');
    $self->{bound} = $stack->token('acme', 'device', '--device', 'bound-1');
    $self->{api} = $stack->token('acme', 'api');
    $self->{backfill} = $stack->token('acme', 'device', '--backfill');
    $self->{unharmed} = Tidemark::Unharmed->new($stack);
    return $self;
}

sub begin { my ($self, $name) = @_; @$self{qw(name refused)} = ($name, 0); return }

sub end {
    my ($self) = @_;
    cmp_ok($self->{refused}, '>=', 25, "$self->{name}: $self->{refused} malformed requests") if $self->{refused};
    return;
}

# Sends [METHOD => path, option => value, …] (options of Tidemark::Stack::request).
sub ask {
    my ($self, $request) = @_;
    my ($method, $path, @option) = @$request;
    return $self->{stack}->request($method, $path, @option);
}

# The answer's status, and its body to the byte or by a pattern.
sub answers {
    my ($self, $name, $request, $status, $body) = @_;
    my $answer = $self->ask($request);
    my $got = $answer->{content} // ''; # HEAD has none
    my $fits = ref $body ? $got =~ $body : $got eq $body;
    ok($answer->{status} == $status && $fits, "$self->{name}: $name")
        or diag("$answer->{status} $got");
    return $answer;
}

# A request encrypted as docs/input_encrypted.md of emoncms says, by openssl: { id, key } of a token, path,
# form; type, mac, turn (a bit) and cut (bytes) for what is no good.
sub seal {
    my (undef, $who, $path, $text, %other) = @_;
    my $file = File::Temp->new;
    binmode $file;
    print {$file} $text;
    close $file or die $!;
    my $iv = unpack 'H*', pack 'N4', map { int rand 2**32 } 1 .. 4;
    my $bytes = pack('H*', $iv) . qx(openssl enc -aes-128-cbc -K $who->{key} -iv $iv -in $file);
    substr($bytes, 20, 1) ^= chr 1 << $other{turn} if $other{turn};
    $bytes = substr $bytes, 0, -$other{cut} if $other{cut};
    my $mac = $other{mac} // hmac_sha256_hex($text, pack 'H*', $who->{key});
    return [POST => $path, headers => { 'Content-Type' => $other{type} // 'aes128cbc', Authorization => "$who->{id}:$mac" },
        body => encode_base64($bytes, '') =~ tr{+/}{-_}r =~ s/=+$//r];
}

# The samples of a device's metric are exactly these, [epoch, value] in order of time.
sub has {
    my ($self, $device, $metric, $expected, $name) = @_;
    my $path = sprintf '/v1/devices/%s/samples?metric=%s&from=2001-01-01&limit=1000',
        map { my $text = $_; utf8::encode($text) if utf8::is_utf8($text); $text =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger } $device, $metric;
    my $answer = $self->{stack}->get($path, token => $self->{api});
    my @got = map { [epoch($_->{time}), $_->{value}] } @{ ($answer->{json} || {})->{items} || [] };
    is_deeply(\@got, $expected, "$self->{name}: " . ($name // "$device $metric")) or diag($answer->{content});
    return;
}

# The series of a device as "metric{labels} unit kind role", sorted.
sub series {
    my ($self, $device) = @_;
    return [$self->{stack}->sql(
        "SELECT s.metric || s.labels::text || ' ' || s.unit || ' ' || s.kind || ' ' || s.role FROM core.series s"
        . " JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id WHERE d.key = '$device' ORDER BY 1")];
}

sub epoch {
    my ($text) = @_;
    my ($y, $m, $d, $h, $min, $s, $fraction) = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?Z$/
        or return $text;
    require Time::Local;
    return Time::Local::timegm($s, $min, $h, $d, $m - 1, $y) + ($fraction // 0);
}

# Bad input, [name, request, status, body's pattern]: each is answered so, shows nothing of the
# inside, and a good event after it is stored.
sub refuses {
    my ($self, @cases) = @_;
    for my $case (@cases) {
        my ($name, $request, $status, $body) = @$case;
        my $answer = $self->answers("refused: $name", $request, $status, $body);
        unlike($answer->{content} // '', qr/SELECT|libpq|\.c:\d|core\.\w+/, '  shows nothing of the inside');
        ok($answer->{headers}{'x-request-id'}, '  has a request id') if $status < 500;
        $self->{refused}++;
        $self->{good}++;
        my $good = $self->{stack}->post('/v1/event',
            { device => 'good', time => $self->{now} - 80_000 + $self->{good}, metrics => { counted => 1 } },
            token => $self->{device});
        is($good->{status}, 200, '  and a good event after it is stored');
    }
    return;
}

# Nothing of what was refused is there (its devices begin with "bad"), all good events are, and ingest
# is well.
sub all_is_well {
    my ($self) = @_;
    is($self->{stack}->sql("SELECT count(*) FROM core.device WHERE key LIKE 'bad%'"), 0,
        'no malformed request left a device behind');
    is($self->{stack}->sql('SELECT count(*) FROM core.sample s JOIN core.series r ON r.id = s.series_id'
        . " WHERE r.metric = 'counted'"), $self->{good}, "all $self->{good} good events are stored");
    $self->{unharmed}->check;
    return;
}

1;
