#!/usr/bin/perl
# The worker: every job runs when it starts and leaves its record, mends what it is there to
# mend, calls out what must never be, and stops at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes ();
use Tidemark::Processes;
use Tidemark::Stack;

my @JOBS = qw(aggregates analyse archive columnstore cost_prune costs drill metrics objects orphans partitions rejects restores retention rollups schedule series_last sessions verifies);

sub await {
    my ($is_true, $seconds, @of) = @_;
    my $deadline = time + $seconds;
    until ($is_true->(@of)) {
        return 0 if time > $deadline;
        select undef, undef, undef, 0.1;
    }
    return 1;
}

sub check_first_passes {
    my ($stack) = @_;
    my $done = 'SELECT name FROM ops.job_run WHERE is_ok AND finished_at IS NOT NULL GROUP BY 1 ORDER BY 1';
    ok(await(sub { my @names = $stack->sql($done); return "@names" eq "@JOBS" }, 10), 'every job runs at the start')
        or diag join "\n", $stack->sql('SELECT * FROM ops.job_run'), $stack->logs;
    my %value = map { split /\|/ } $stack->sql('SELECT name, max(value) FROM ops.system_metric GROUP BY 1');
    cmp_ok($value{database_bytes} // 0, '>', 5e6, 'the database is measured');
    cmp_ok($value{database_connections} // 0, '>=', 1, 'its connections');
    cmp_ok($value{processes} // 0, '>=', 3, 'our processes');
    cmp_ok($value{process_pss_bytes} // 0, '>', 1e6, 'and their memory');
    return;
}

# All but the check of everything, which is not made anew with each start.
sub check_restart {
    my ($stack) = @_;
    my $runs = sub { $stack->sql("SELECT count(*) FROM ops.job_run WHERE name = '$_[0]' AND is_ok") };
    my %before = map { ($_ => $runs->($_)) } qw(analyse orphans schedule);
    my ($pid) = Tidemark::Processes::part($stack, 'worker');
    kill 'TERM', $pid;
    ok(await(sub { $runs->($_[0]) > $before{$_[0]} }, 20, $_), "a worker that is started again runs its jobs: $_") for qw(analyse schedule);
    is($runs->('orphans'), $before{orphans}, 'the check of everything is still good');
    return;
}

sub check_repairs {
    my ($stack) = @_;
    $stack->cli('tenant', 'add', 'acme');
    my $token = $stack->token('acme', 'device');
    my $answer = $stack->post('/v1/event', { device => 'm1', metrics => { power_w => 5 } }, token => $token);
    is($answer->{status}, 200, 'a device posts');
    ok(await(sub { $stack->sql('SELECT count(*) FROM core.series_last') }, 10), 'its last value is noted');
    $stack->sql("DELETE FROM core.series_last; INSERT INTO core.person (email, password_hash) VALUES ('a\@b.example', 'x');"
        . " INSERT INTO core.session (hash, person_id, idle_days, expires_at) SELECT 'old', id, 7, now() - interval '1 hour' FROM core.person");
    my ($status) = $stack->tidemark('worker', '--once');
    is($status, 0, 'all jobs can be run once');
    is($stack->sql('SELECT value FROM core.series_last'), 5, 'a last value that was lost is found again');
    is($stack->sql('SELECT count(*) FROM core.session'), 0, 'a session that ended is gone');
    return;
}

# Late readings of many devices, one batch after the other: what they change is derived again with pauses
# that leave the database to those who store, and is complete soon after.
sub check_backfill {
    my ($stack) = @_;
    my $token = $stack->token('acme', 'device');
    my $post = sub {
        my ($time) = @_;
        my @events = map { { device => "b$_", time => $time, metrics => { power_w => $time % 1000 } } } 1 .. 900;
        return $stack->post('/v1/events/batch', \@events, token => $token)->{status};
    };
    my $spent = sub { $stack->sql(q{SELECT coalesce(sum(total_exec_time), 0) / 1000 FROM pg_stat_statements WHERE query LIKE '%ops.rollup_follow(%'}) };
    my $now = int time;
    is($post->($now), 200, 'nine hundred devices post');
    my ($begin, $before, $n) = (Time::HiRes::time(), $spent->(), 0);
    while (Time::HiRes::time() < $begin + 12) {
        $post->($now - 10_000 + 2 * $n++) == 200 or last;
    }
    my $share = ($spent->() - $before) / (Time::HiRes::time() - $begin);
    cmp_ok($share, '>', 0, "$n batches of late readings are followed meanwhile");
    cmp_ok($share, '<', 0.4, 'which takes only part of the time');
    ok(await(sub { $stack->sql('SELECT ops.rollup_is_due()') eq 'f' }, 30), 'soon after nothing is left to follow');
    is($stack->sql('SELECT sum(r.count) FROM core.rollup_15m r JOIN core.series s ON s.tenant_id = r.tenant_id AND s.id = r.series_id JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id'
            . q{ WHERE d.key LIKE 'b%'}), 900 * $n, 'and the rollups have every one');
    return;
}

sub check_orphans {
    my ($stack) = @_;
    $stack->cli('tenant', 'add', 'stranger');
    $stack->sql("INSERT INTO core.sample (tenant_id, series_id, time, value) SELECT id, 1, now(), 1 FROM core.tenant WHERE slug = 'stranger'");
    my ($status, undef, $said) = $stack->tidemark('worker', '--once');
    is($status, 1, 'a sample of a stranger fails the check');
    like($said, qr/level=error.*1 series have samples under a tenant/, 'and is called out in the log');
    like($stack->sql("SELECT is_ok, detail FROM ops.job_run WHERE name = 'orphans' ORDER BY id DESC LIMIT 1"), qr/^f\|1 series/, 'and in the record');
    is($stack->sql("SELECT count(*) FROM ops.job_run WHERE name = 'metrics' AND NOT is_ok"), 0, 'no other job fails with it');
    return;
}

sub check_stop {
    my ($stack) = @_;
    my ($pid) = Tidemark::Processes::part($stack, 'worker');
    ok($pid, 'the worker runs');
    my $asked = time;
    kill 'TERM', $pid;
    ok(await(sub { !kill 0, $pid or Tidemark::Stack::slurp("/proc/$pid/stat") =~ /\) Z/ }, 5), 'it stops when told to');
    cmp_ok(time - $asked, '<=', 2, 'at once');
    return;
}

for my $engine (Tidemark::Stack::engines()) {
    subtest $engine => sub {
        my $stack = Tidemark::Stack->start(engine => $engine);
        subtest 'first passes' => sub { check_first_passes($stack) };
        subtest 'another start' => sub { check_restart($stack) };
        subtest repairs => sub { check_repairs($stack) };
        subtest 'a backfill' => sub { check_backfill($stack) } if $engine eq 'postgres';    # alike on both
        subtest orphans => sub { check_orphans($stack) };
        subtest stop => sub { check_stop($stack) };
    };
}
done_testing();
