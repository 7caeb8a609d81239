#!/usr/bin/env perl
# `tidemark maintenance`: while the mode is on, devices, programs and people are told to come back,
# operators still get in; `run` does all of upkeep at once and says what it did. On both engines.
use strict;
use warnings;
use Test::More;
use Tidemark::Browser;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

# Asks until the answer has the status, at most as long as a process may remember the mode.
sub within {
    my ($ask, $status) = @_;
    my $deadline = time + 6;
    my $answer = $ask->();
    while ($answer->{status} != $status && time < $deadline) {
        sleep 0.2;
        $answer = $ask->();
    }
    return $answer;
}

sub check_mode {
    my ($stack) = @_;
    my ($device, $api) = ($stack->token('acme', 'device'), $stack->token('acme', 'api'));
    $stack->cli('user', 'add', '--email', 'eve@acme.example', '--tenant', 'acme', '--role', 'admin', { stdin => "correct horse battery\n" });
    $stack->cli('user', 'add', '--email', 'op@acme.example', '--operator', { stdin => "correct horse battery\n" });
    my $person = Tidemark::Browser->new($stack);
    is $person->log_in('eve@acme.example', 'correct horse battery')->{status}, 303, 'a person is logged in';
    my $event = { device => 'm1', metrics => { power_w => 1 } };
    my $post = sub { $stack->post('/v1/event', $event, token => $device) };
    my $list = sub { $stack->get('/v1/devices', token => $api) };
    my $page = sub { $person->get('/') };
    cmp_ok $post->()->{status}, '<', 300, 'devices post';

    my ($status, $out, $err) = $stack->tidemark('maintenance', 'on');
    is "$status $out", '0 ', 'turned on';
    like $err, qr/maintenance mode is on/, 'and said so';
    my $answer = within($post, 503);
    is $answer->{status}, 503, 'a device is told to come back';
    like $answer->{headers}{'retry-after'}, qr/^\d+$/, 'after so many seconds';
    like $answer->{content}, qr/being maintained/, 'with the reason';
    is within($list, 503)->{status}, 503, 'so is a program';
    $answer = within($page, 503);
    is $answer->{status}, 503, 'so is a person';
    like $answer->{content}, qr/being maintained/, 'on a page';
    ok $answer->{headers}{'retry-after'}, 'that says when';
    is $stack->get('/v1/readyz')->{json}{status}, 'maintenance', 'readyz says so';
    is $stack->get('/v1/healthz')->{status}, 200, 'the process is well';
    my $operator = Tidemark::Browser->new($stack);
    is $operator->log_in('op@acme.example', 'correct horse battery')->{status}, 303, 'an operator logs in';
    is $operator->get('/operator')->{status}, 200, 'and gets in';
    ($status, undef, $err) = $stack->tidemark('maintenance', 'on');
    like $err, qr/was on already/, 'turned on twice is on';
    $stack->cli('maintenance', 'off');
    cmp_ok within($post, 202)->{status}, '<', 300, 'turned off, devices post again';
    is within($list, 200)->{status}, 200, 'programs read';
    is within($page, 200)->{status}, 200, 'people see pages';
    is $stack->get('/v1/readyz')->{json}{status}, 'ready', 'readyz too';
    is +($stack->tidemark('maintenance', 'sideways'))[0], 2, 'another word is wrong usage';
    return;
}

sub check_run {
    my ($stack, $engine) = @_;
    $stack->sql("SELECT api.partitions_ensure(now() - interval '130 days', now())");
    $stack->sql("INSERT INTO core.sample SELECT 1, 1, t, 1 FROM generate_series(now() - interval '130 days', now() - interval '1 hour', '1 hour') t");
    $stack->sql("INSERT INTO core.change (tenant_id, series_id, from_time, to_time) SELECT 1, 1, now() - interval '131 days', now()");
    my ($status, $out, $err) = $stack->tidemark('maintenance', 'run');
    is $status, 0, 'all of upkeep' or diag $out, $err;
    is join(' ', $out =~ /^(\w+)\tok\t/gm), 'schedule partitions rollups costs archive columnstore retention aggregates analyse', 'part by part';
    is join(' ', $err =~ /^(\w+) …$/gm), 'schedule partitions rollups costs archive columnstore retention aggregates analyse', 'and tells where it is';
    cmp_ok $stack->sql("SELECT min(bucket) < now() - interval '120 days' FROM core.rollup_1d"), 'eq', 't', 'days were derived';
    is $stack->sql("SELECT min(time) > now() - interval '98 days' FROM core.sample"), 't', 'before old samples went';
    my ($chunks) = $out =~ /^retention\t.*chunks=(\d+)/m;
    cmp_ok $chunks, '>', 3, "$chunks chunks";
    if ($engine eq 'timescaledb') {
        like $out, qr/^columnstore\t.*compressed=[1-9]/m, 'chunks were compressed';
        like $out, qr/^aggregates\t.*refreshed=4/m, "aggregates were refreshed over the owner's connection";
    }
    ($status, $out) = $stack->tidemark('maintenance', 'run');
    is $status, 0, 'again';
    like $out, qr/^retention\t.*chunks=0 rows=0/m, 'with nothing left to drop';
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $stack = Tidemark::Stack->start(engine => $engine);
        $stack->cli('tenant', 'add', 'acme');
        check_mode($stack);
        check_run($stack, $engine);
    };
}

done_testing;
