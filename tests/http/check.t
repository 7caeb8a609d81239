#!/usr/bin/perl
# `tidemark check` finds a running stack by its home alone, says of each part whether it is well,
# and tells monitors by its exit status.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Test::More;
use Tidemark::Processes;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

# Asks all of them at once; { path => [status, seconds, content] }.
sub ask_all {
    my ($stack, $token, @paths) = @_;
    delete $stack->{http};
    my @asked = map {
        my $path = $_;
        pipe my $in, my $out or die $!;
        my $pid = fork // die $!;
        if (!$pid) {
            my $began = time;
            my $answer = $stack->request('GET', $path, token => $path =~ /^\/v1\/dev/ ? $token : undef);
            print {$out} "$answer->{status} " . (time - $began) . "\n$answer->{content}";
            close $out;
            POSIX::_exit(0);
        }
        close $out;
        [$path, $in, $pid];
    } @paths;
    my %said;
    for my $asked (@asked) {
        my ($path, $in, $pid) = @{$asked};
        my ($head, $content) = do { local $/ = undef; split /\n/, <$in>, 2 };
        waitpid $pid, 0;
        $said{$path} = [split(/ /, $head), $content];
    }
    return \%said;
}

# Processes of the database that are stopped answer nothing and close nothing. `which` lists them.
sub check_frozen {
    my ($stack, $token, $name, $which) = @_;
    my @monitors = qw(/metrics /health /v1/readyz);
    ask_all($stack, $token, (@monitors, '/v1/devices') x 3);    # so that all have connections
    my @frozen = $which->();
    kill 'STOP', @frozen;
    my $said = eval { ask_all($stack, $token, @monitors, '/v1/devices') };
    my $why = $@;
    my $later = eval { ask_all($stack, $token, @monitors, '/v1/devices') };
    kill 'CONT', @frozen;
    return fail("$name: $why$@") if !$said || !$later;
    for my $answers ($said, $later) {
        cmp_ok($answers->{$_}[1], '<', $_ eq '/v1/devices' ? 30 : 12, "$name: $_ is answered in time") for sort keys %{$answers};
    }
    return ($said, $later);
}

my $stack = Tidemark::Stack->start;
my ($status, $out) = $stack->tidemark('check');
is($status, 0, 'all parts of a running stack are well');
is(() = $out =~ /^ok /mg, 9, 'and each is named') or diag $out;

rename "$stack->{home}/objects", "$stack->{home}/elsewhere" or die;
($status, $out) = $stack->tidemark('check');
is($status, 1, 'a store that is not there is noticed');
like($out, qr{^FAILED +object store: .*\Q$stack->{home}\E/objects}m, '  with its place') or diag $out;
is(() = $out =~ /^ok /mg, 8, '  and the rest is well');
mkdir "$stack->{home}/objects" or die;
($status, $out) = $stack->tidemark('check');
is($status, 1, 'so is one whose disk is not mounted');
like($out, qr{^FAILED +object store: .*\Q$stack->{home}\E/objects.*mounted}m, '  which it says') or diag $out;
rmdir "$stack->{home}/objects" or die;
rename "$stack->{home}/elsewhere", "$stack->{home}/objects" or die;

kill 'STOP', Tidemark::Processes::part($stack, 'web');
($status, $out) = $stack->tidemark('check');
kill 'CONT', Tidemark::Processes::part($stack, 'web');
is($status, 1, 'web processes that hang are noticed');
like($out, qr/^FAILED +nginx.*does not answer/m, '  as what a browser sees') or diag $out;

$stack->cli('tenant', 'add', 'home');
my $token = $stack->token('home', 'api');
my @answers = check_frozen($stack, $token, 'a database that stands still', sub { return Tidemark::Processes::part($stack, 'postgres') });
for my $said (@answers) {
    is($said->{'/metrics'}[0], 200, '  /metrics says what it can');
    like($said->{'/metrics'}[2], qr/^tidemark_database_up 0\.000$/m, '  and that the database does not answer');
    like($said->{'/metrics'}[2], qr/^tidemark_http_requests_total\{/m, '  beside what the processes know') or diag $said->{'/metrics'}[2];
    is($said->{$_}[0], 503, "  $_ says that it is not ready") for qw(/health /v1/readyz /v1/devices);
}
my $deadline = time + 30;
sleep 0.1 while $stack->get('/metrics')->{content} !~ /^tidemark_database_up 1\.000$/m && time < $deadline;
is_deeply([map { $stack->request('GET', $_, token => $token)->{status} } qw(/metrics /health /v1/readyz /v1/devices)], [(200) x 4], 'when it goes on, all do');
@answers = check_frozen($stack, $token, 'sessions that stand still',
    sub { return $stack->sql(q{SELECT pid FROM pg_stat_activity WHERE application_name ~ 'tidemark (web|ingest)' AND backend_type = 'client backend'}) });
is($answers[1]{$_}[0], 200, "  $_ has another one then") for qw(/metrics /health /v1/readyz);

$stack->stop;
($status, $out) = $stack->tidemark('check');
is($status, 1, 'nothing is well after the stop');
is(() = $out =~ /^FAILED /mg, 8, 'and each is named') or diag $out;
like($out, qr/^ok +object store$/m, '  but a folder, which nobody has to serve');
done_testing;
