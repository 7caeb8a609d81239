# Files in parts of which two things are done at once: the same part is sent twice, the file is joined or given up
# while it is joined, the store has lost a part. What waits for what is arranged by locks in the database. Run by uploads.t with
# its stack, its ways to ask and the token of who sends; it returns the ids of two files that must stay as they are.
use strict;
use warnings;
use IO::Socket::INET;
use Test::More;
use Tidemark::Stack;

my ($t, $stack);

# Sends the request whole and returns at once; the code that comes back waits for the answer's status and JSON.
sub put_later {
    my ($name, $bytes, $range) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}") or die;
    print {$socket} "PUT /v1/uploads/$name HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $t->{token}\r\nConnection: close\r\n"
        . "Content-Length: @{[length $bytes]}\r\nContent-Range: bytes $range\r\n\r\n$bytes";
    $socket->flush;
    return sub {
        my ($head, $body) = split /\r\n\r\n/, do { local $/; <$socket> }, 2;
        return (split(/ /, $head))[1], Tidemark::Stack::decode($body), $head;
    };
}

# What the last part is answered, sent again while the file is being joined for another.
sub put_until {
    my ($name, $bytes, $range) = @_;
    my ($status, $file) = (503);
    $t->{await}->(sub { ($status, $file) = put_later($name, $bytes, $range)->(); return $status != 503 }, "  $name, sent until it is joined");
    return [$status, $file];
}

# The last part is sent while another that has come is joined.
sub is_busy {
    my ($name, $how) = @_;
    my ($status, $problem, $head) = put_later($name, '..end', '5-9/10')->();
    is("$status $problem->{detail}", '503 The parts of this file are being joined; ask again a little later.', $how);
    like($head, qr/^Retry-After: [1-9]\d*\r$/m, '  says when');
    return;
}
sub begin_parts { my ($name) = @_; is($t->{put}->('device', $name, 'begin', 'Content-Range' => 'bytes 0-4/10')->{status}, 202, "$name: the first part"); return }

sub {
    ($t) = @_;
    $stack = $t->{stack};
    my ($twice, @joined) = ($t->{session}->());
    my $session = $t->{session}->()->bind(1);
    {
        # of a sender who is looked up now, and not when devices are locked
        local $t->{token} = $stack->token('home', 'device');
        is((put_later('twice', 'begin', '0-4/10')->())[0], 202, 'twice: the first part');
        $twice->query('BEGIN; SELECT FROM core.upload_use WHERE tenant_id = 1 FOR UPDATE');
        my $first = put_later('twice', '..end', '5-9/10');
        $t->{await}->(sub { $t->{waiting}->('upload_(join_)?finish') == 1 }, 'who sent the last part is about to make the file visible');
        my $devices = $t->{session}->();
        $devices->query('BEGIN; LOCK TABLE core.device IN ACCESS EXCLUSIVE MODE');
        my $again = put_later('twice', '..end', '5-9/10');
        $t->{await}->(sub { $t->{waiting}->('upload_resume') == 1 }, '  and whoever sends it again sees all parts there and no file yet');
        $twice->query('COMMIT');
        my ($status, $file) = $first->();
        is($status, 201, 'the first is told that the file is there');
        $devices->query('COMMIT');
        is_deeply([($again->())[0, 1]], [201, $file], '  and so is the other');
        is($t->{as}->('api', 'GET', "/v1/uploads/$file->{id}")->{content}, 'begin..end', '  and it is whole');
        push @joined, $file->{id};
    }
    {
        begin_parts('both');
        $twice->query('BEGIN; LOCK TABLE core.upload IN SHARE MODE');
        my $later = put_later('both', '..end', '5-9/10');
        $t->{await}->(sub { $t->{waiting}->('upload_(join_)?finish') == 1 }, 'one has joined all parts');
        is_busy('both', 'while it is at it another');
        is_busy('both', '  and a third');
        is($t->{put}->('device', 'both', '', 'Content-Range' => 'bytes */10')->{json}{received}, 10, '  who asks is told that all is there');
        is($stack->sql('SELECT count(*) FROM core.upload_part WHERE NOT is_there'), 1, '  of none of which anything is left');
        is($session->value('SELECT t.held - u.bytes FROM api.upload_total() t, core.upload_use u WHERE u.tenant_id = 1'), 10, '  what it writes counts for the quota');
        $twice->query('COMMIT');
        my ($status, $file) = $later->();
        is($status, 201, '  it makes the file visible');
        is_deeply(put_until('both', '..end', '5-9/10'), [201, $file], '  of which the others are told');
        push @joined, $file->{id};
    }
    {
        begin_parts('ended');
        $twice->query('BEGIN; LOCK TABLE core.upload IN SHARE MODE');
        my $first = put_later('ended', '..end', '5-9/10');
        $t->{await}->(sub { $t->{waiting}->('upload_(join_)?finish') == 1 }, 'one has joined all parts');
        my ($row) = $session->query('SELECT upload_id, id FROM core.upload_part WHERE joins_at IS NOT NULL');
        my ($id, $former) = @{$row};
        my $silent = sub { return "UPDATE core.upload_part SET joins_at = now() - interval '$_[0] seconds' WHERE id = '$_[1]'" };
        $session->query($silent->(115, $former));
        is_busy('ended', 'where it has said nothing for less than two minutes, another');
        $session->query("SELECT api.upload_join_beat('$id', '$former')");
        is($session->value("SELECT joins_at > now() - interval '1 minute' FROM core.upload_part WHERE id = '$former'"), 't', '  it says that it is at work');
        $session->query($silent->(125, $former));
        my $second = put_later('ended', '..end', '5-9/10');
        $t->{await}->(sub { $t->{waiting}->('upload_(join_)?finish') == 2 }, '  of one that says nothing any more another takes the place');
        is($session->run("SELECT api.upload_join_beat('$id', '$former')")->{error}, 'TM409', '  so that it ends, should it be at work yet');
        is($session->value('SELECT count(*) FROM core.upload_part WHERE NOT is_there'), 1, '  and is forgotten');
        is($session->value("SELECT count(*) FROM core.object_trash WHERE key = core.upload_part_key(1, '$id', '$former')"), 1, '  but for its object, which is to be removed');
        $twice->query('COMMIT');
        my ($status, $file) = $second->();
        is($status, 201, '  the other makes the file visible');
        like(join(' ', $first->()), qr/^(?:201|503) /, '  the first is told that, or to ask again');
        is_deeply(put_until('ended', '..end', '5-9/10'), [201, $file], '  and then that');
        is($t->{as}->('api', 'GET', "/v1/uploads/$id")->{content}, 'begin..end', '  and it is whole');
        push @joined, $id;
    }
    {
        begin_parts('given-up');
        my $id = $stack->sql(q{SELECT id FROM core.upload WHERE name = 'given-up'});
        $twice->query('BEGIN; LOCK TABLE core.upload IN SHARE MODE');
        my $last = put_later('given-up', '..end', '5-9/10');
        $t->{await}->(sub { $t->{waiting}->('upload_(join_)?finish') == 1 }, 'a file is about to be visible');
        $twice->query("SELECT set_config('tidemark.tenant_id', '1', false); SELECT api.upload_abandon('$id'); COMMIT");
        my ($status, $problem) = $last->();
        is("$status $problem->{detail}", '409 The file was given up, or removed with its device, while it came.', '  and was given up');
    }
    {
        begin_parts('middle');
        my $rival = put_later('middle', 'once', '5-8/10');
        is(($rival->())[0], 202, 'a part in the middle');
        $twice->query(q{BEGIN; SELECT FROM core.upload WHERE name = 'middle' FOR UPDATE});
        my @sent = map { put_later('middle', 'X', '9-9/10') } 1, 2;
        $t->{await}->(sub { $t->{waiting}->('upload_part_begin') == 2 }, 'two send the same part at once');
        $twice->query('COMMIT');
        my @answers = map { [$_->()] } @sent;
        my ($made) = grep { $_->[0] == 201 } @answers;
        is(scalar(grep { $_->[0] != 201 && $_->[0] != 503 } @answers), 0, '  and one makes the file');
        is_deeply(put_until('middle', 'X', '9-9/10'), [@{$made}[0, 1]], '  of which the other is told');
        is($t->{as}->('api', 'GET', "/v1/uploads/$made->[1]{id}")->{content}, 'beginonceX', '  and which is whole');
    }
    {
        begin_parts('lost');
        is($t->{put}->('device', 'lost', 'mid', 'Content-Range' => 'bytes 5-7/10')->{status}, 202, 'another part');
        my ($part) = $stack->sql(q{SELECT core.upload_part_key(p.tenant_id, p.upload_id, p.id) FROM core.upload_part p}
                . q{ JOIN core.upload u ON u.id = p.upload_id WHERE u.name = 'lost' AND p.first = 5});
        unlink "$stack->{home}/objects/$part" or die "$part: $!";
        my $answer = $t->{put}->('device', 'lost', 'ED', 'Content-Range' => 'bytes 8-9/10');
        is("$answer->{status} $answer->{headers}{range} $answer->{json}{detail}", '409 bytes=0-4 Of the file 5 bytes are there; go on with those.',
            'a part that the store has lost is to be sent again');
        is($t->{put}->('device', 'lost', 'MID', 'Content-Range' => 'bytes 5-7/10')->{status}, 202, '  and is taken');
        $answer = $t->{put}->('device', 'lost', 'ED', 'Content-Range' => 'bytes 8-9/10');
        is($t->{as}->('api', 'GET', $answer->{headers}{location})->{content}, 'beginMIDED', '  and the file is whole');
        like($stack->logs, qr/has lost a part of a file.*\Q$part\E/, '  and the log has said so');
    }
    for my $bytes ('mi', '') {
        begin_parts('by-half');
        is($t->{put}->('device', 'by-half', 'mid', 'Content-Range' => 'bytes 5-7/10')->{status}, 202, 'a part');
        my ($part) = $stack->sql(q{SELECT core.upload_part_key(p.tenant_id, p.upload_id, p.id) FROM core.upload_part p}
                . q{ JOIN core.upload u ON u.id = p.upload_id WHERE u.name = 'by-half' AND p.first = 5});
        truncate "$stack->{home}/objects/$part", length $bytes or die "$part: $!";
        my $answer = $t->{put}->('device', 'by-half', 'ED', 'Content-Range' => 'bytes 8-9/10');
        is("$answer->{status} $answer->{headers}{range} $answer->{json}{detail}", '409 bytes=0-4 Of the file 5 bytes are there; go on with those.',
            "  of which the store has @{[length $bytes]} bytes is to be sent again");
        is($t->{put}->('device', 'by-half', 'MIDED', 'Content-Range' => 'bytes 5-9/10')->{status}, 201, '  and then the file is there');
        like($stack->logs, qr/has a part of a file by half.*\Q$part\E/, '  and the log has said so');
    }
    is($stack->sql('SELECT count(*) FROM core.upload_part'), 0, 'no attempt is left');
    is($stack->sql('SELECT count(unknown) FROM core.upload u LEFT JOIN LATERAL'
            . ' ops.object_unknown(ARRAY[core.upload_object(u.tenant_id, u.id, u.joined)]) unknown ON true WHERE u.joined IS NOT NULL HAVING count(*) > 4'), 0,
        'objects that were joined are known as their files\'');
    return @joined;
};
