package Tidemark::Encoders;

# What encoders that are not ours write of random readings (tests/clients/encoders.py), sent and then looked
# for: each value has to be there as it was given, and nothing else. ENCODERS_SEED repeats a run.

use strict;
use warnings;
use JSON::PP qw(decode_json);
use MIME::Base64 qw(decode_base64);
use Test::More;
use Tidemark::Stack;

my $SCRIPT = "$Tidemark::Stack::ROOT/tests/clients/encoders.py";

# Every sample and text of the devices whose keys begin so, as the script says what it expects.
sub stored {
    my ($stack, $prefix) = @_;
    my $hex = sub { "encode(convert_to($_[0], 'UTF8'), 'hex')" };
    my $us = '(extract(epoch FROM %s) * 1000000)::bigint';
    return sort $stack->sql(sprintf(
        "SELECT concat_ws('|', %s, %s, md5(coalesce((SELECT string_agg(l.key || chr(1) || l.value, chr(2) ORDER BY l.key COLLATE \"C\")"
        . " FROM jsonb_each_text(r.labels) l), '')), $us, encode(float8send(s.value), 'hex'))"
        . ' FROM core.device d JOIN core.series r ON r.tenant_id = d.tenant_id AND r.device_id = d.id'
        . " JOIN core.sample s ON s.tenant_id = d.tenant_id AND s.series_id = r.id WHERE d.key LIKE '$prefix%%'"
        . " UNION ALL SELECT concat_ws('|', %s, 'text', md5(e.data ->> 'text'), $us)"
        . ' FROM core.device d JOIN core.event e ON e.tenant_id = d.tenant_id AND e.device_id = d.id'
        . " WHERE d.key LIKE '$prefix%%' AND e.data ? 'text'",
        $hex->('d.key'), $hex->('r.metric'), 's.time', $hex->('d.key'), 'e.time'));
}

sub check {
    my ($stack, $token, $python, $mode) = @_;
    my $seed = $ENV{ENCODERS_SEED} // int rand 2**31;
    my $output = qx('$python' -W ignore '$SCRIPT' $mode $seed @{[time]});
    ok($? == 0, "$mode: encoders write random readings, seed $seed") or return;
    my $made = decode_json($output);
    for my $request (@{ $made->{requests} }) {
        my $answer = $stack->request(POST => $request->{path}, token => $token, headers => $request->{headers}, body => decode_base64($request->{body}));
        like($answer->{status}, qr/^20[04]$/, "  $request->{path} takes them") or diag substr $answer->{content} // '', 0, 500;
    }
    my @stored = stored($stack, "enc-$mode");
    my %count;
    $count{$_}++ for @stored;
    $count{$_}-- for @{ $made->{expected} };
    my @other = grep { $count{$_} } sort keys %count;
    is(scalar @other, 0, sprintf '  and each of %d values is there, nothing else', scalar @{ $made->{expected} })
        or diag map { ($count{$_} > 0 ? 'stored ' : 'missing ') . s/([0-9a-f]{2,})(?=\|)/length $1 == 32 ? $1 : pack 'H*', $1/ger . "\n" } @other[0 .. ($#other < 9 ? $#other : 9)];
    return;
}

1;
