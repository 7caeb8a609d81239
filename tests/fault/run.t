#!/usr/bin/perl
# What deploy/run promises to whoever starts it: it works where its user cannot walk to and in
# a home with a long path, one run a home, data stays, what dies is started again, and however it
# ends, nothing of it is left.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Cwd qw(getcwd);
use Fcntl qw(O_NONBLOCK O_WRONLY);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Time::HiRes qw(sleep time);
use Tidemark::Processes;
use Tidemark::Stack;

use constant PATIENCE => 20;

sub await {
    my ($condition, $what) = @_;
    my $deadline = time + PATIENCE;
    while (!$condition->()) {
        return fail("$what, within " . PATIENCE . ' s') if time > $deadline;
        sleep 0.05;
    }
    return pass($what);
}

sub is_listening {
    my ($stack) = @_;
    return !!IO::Socket::INET->new(PeerAddr => "127.0.0.1:$stack->{port}");
}

sub is_ready { return $_[0]->get('/v1/readyz')->{status} == 200 }

# Not a byte more goes into the pipe that a stack's deploy/run prints to.
sub fill_output {
    my ($stack) = @_;
    sysopen my $out, "/proc/$stack->{pid}/fd/1", O_WRONLY | O_NONBLOCK or die "output: $!";
    for my $size (4096, 1) {
        1 while syswrite $out, 'x' x $size;
    }
    return;
}

# The processes of a stack, which are to be gone later.
sub pids_of {
    my ($stack) = @_;
    return ($stack->{pid}, map { $_->{pid} } Tidemark::Processes::all($stack));
}

sub await_end {
    my ($stack, $what, @pids) = @_;
    await(sub { !grep { -e "/proc/$_" } @pids }, "$what: none of its " . @pids . ' processes is left');
    ok(!is_listening($stack), "$what: and nobody listens on its port");
    return;
}

# A copy of what runs, in a directory that only its owner can enter.
sub private_checkout {
    my ($folder) = @_;
    make_path("$folder/build");
    system('cp', '-R', (map { "$Tidemark::Stack::ROOT/$_" } qw(deploy nginx static)), $folder) and die 'cp failed';
    system('cp', $ENV{TIDEMARK_BIN} || "$Tidemark::Stack::ROOT/build/tidemark", "$folder/build/tidemark")
        and die 'cp failed';
    return $folder;
}

my $private = tempdir('tidemark-run-XXXXXX', DIR => '/tmp', CLEANUP => 1);    # mode 0700
my $parent = "$private/" . 'long-' x 30 . 'path';
my $home = "$parent/home";
make_path("$home/objects");    # kept from elsewhere; nothing else is there yet
my $mode = (stat $private)[2];
my $stack = Tidemark::Stack->start(home => $home, checkout => private_checkout("$private/checkout"));

# ---- where it runs ----

is($stack->get('/login')->{status}, 200, 'it runs in a home with ' . length($home) . ' bytes of path');
is((stat $private)[2], $mode, "and a parent that others cannot enter stays so");
my ($style) = $stack->get('/login')->{content} =~ /href="([^"]+\.css)"/;
is($stack->get($style)->{status}, 200, 'a static file is served from the checkout');
is((grep { (stat "/proc/$_")[4] == 0 } pids_of($stack)), 0, 'no process of it is root');
$stack->cli('tenant', 'add', 'kept');
my $folder = getcwd();
chdir $parent or die "$parent: $!";
like(do { local $stack->{home} = 'home'; $stack->cli('tenant', 'list') }, qr/^kept\b/m,
    'the command line finds it by a relative TIDEMARK_HOME');
chdir $folder or die "$folder: $!";

# ---- one run a home ----

my $second = eval { Tidemark::Stack->start(home => $home) };
is($second, undef, 'a second run with the same home does not start');
like($@, qr/^deploy\/run ended:\n\S*tidemark: another run is using \Q$home\E$/m, 'and says why, with the real path');
ok(is_ready($stack), 'the first is not disturbed');
my $third = eval { Tidemark::Stack->start(port => $stack->{port}) };
is($third, undef, 'nor does one whose port another has, though that answers there');
like($@, qr/tidemark: port $stack->{port} of 127\.0\.0\.1 is in use/, 'and says so');

# ---- what dies is started again ----

for my $part ('nginx', 'serve', 'worker', 'postgres') {
    fill_output($stack) if $part eq 'worker';    # from here on until it ends nobody reads what it says
    my %old = map { $_->{pid} => 1 } grep { $_->{parent} == $stack->{pid} } Tidemark::Processes::all($stack);
    my ($main) = grep { $old{$_} } Tidemark::Processes::part($stack, $part);
    kill 'KILL', $main or die "$part: $!";
    await(sub {
        my ($new) = grep { !$old{$_} } map { $_->{pid} } grep { $_->{parent} == $stack->{pid} }
            Tidemark::Processes::all($stack);
        return $new && Tidemark::Processes::part($stack, $part) && is_ready($stack);
    }, "$part is started again");
}

# ---- the end ----

my @pids = pids_of($stack);
is($stack->stop, 0, 'SIGTERM: exit status 0');
await_end($stack, 'SIGTERM', @pids);
$stack->run;
like($stack->cli('tenant', 'list'), qr/^kept\b/m, 'the data is there on the next run');

@pids = pids_of($stack);
is($stack->stop('INT'), 0, 'SIGINT: exit status 0');
await_end($stack, 'SIGINT', @pids);

# a commit that never ends: PostgreSQL waits for a standby that is gone
$stack->run;
symlink $home, "$private/home" or die "symlink: $!";    # psql takes no long path
my $sql = sub { local $stack->{home} = "$private/home"; return $stack->sql($_[0]) };
$sql->(q(ALTER SYSTEM SET synchronous_standby_names = 'gone'));
$sql->('SELECT pg_reload_conf()');
# a quarter hour that changed is work for the worker
$sql->(q(SET synchronous_commit = local; INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (1, 1, '2026-01-01', '2026-01-01')));
await(sub { $sql->(q(SELECT count(*) FROM pg_stat_activity WHERE usename = 'tidemark_worker' AND wait_event = 'SyncRep')) >= 1 },
    'a commit of the worker is held');
@pids = pids_of($stack);
my $begin = time;
is($stack->stop, 0, 'SIGTERM amid a commit that is held: exit status 0');
cmp_ok(time - $begin, '<', PATIENCE, 'soon');
like(Tidemark::Stack::slurp("$home/log/worker.log"), qr/cancelling what does not end.*\n(?:.*\n)*.*worker stopped/,
    'the worker has the server cancel it, and ends by itself');
await_end($stack, 'SIGTERM amid a commit that is held', @pids);
truncate "$home/pgdata/postgresql.auto.conf", 0 or die "postgresql.auto.conf: $!";

$stack->run;
@pids = pids_of($stack);
$stack->stop('KILL');
$stack->run;    # at once, while the old one's children may still be ending
like($stack->cli('tenant', 'list'), qr/^kept\b/m, 'a run right after kill -9 works and has the data');
my @new = pids_of($stack);
await(sub { !grep { -e "/proc/$_" } @pids }, 'and nothing of the killed one is left');
$stack->stop('KILL');
await_end($stack, 'kill -9', @new);

# make's child sees to it that it does not outlive make
pipe my $reader, my $writer or die "pipe: $!";
my $maker = fork // die "fork: $!";
if (!$maker) {
    my $made = Tidemark::Stack->start(home => $home, port => $stack->{port}, env => { MAKELEVEL => 1 });
    syswrite $writer, join(' ', pids_of($made)) . "\n";
    kill 'KILL', $$;
}
close $writer;
@pids = split ' ', <$reader> // '';
waitpid $maker, 0;
cmp_ok(scalar @pids, '>', 5, 'under make it runs');
await_end($stack, 'make killed with -9', @pids);
done_testing;
