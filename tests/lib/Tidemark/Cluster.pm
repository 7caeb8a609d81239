package Tidemark::Cluster;

# A throw-away PostgreSQL cluster with Tidemark's schema, for tests of the database alone (whole
# stacks are Tidemark::Stack's). Listens on a socket of its own only, belongs to an unprivileged
# user when the test runs as root, is migrated by the real `tidemark migrate` (TIDEMARK_BIN names
# another build), and is gone at the end.
#
#   Tidemark::Cluster->each_engine(sub {
#       my ($cluster) = @_;                           # runs as a subtest, once an engine
#       my $web = $cluster->session('tidemark_web', tenant => 1);
#       is $web->value('SELECT count(*) FROM api.device'), 0;
#   });

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(remove_tree);
use Test::More;
use Tidemark::Psql;
use Tidemark::Scratch;
use Tidemark::Snapshot;

our $ROOT = abs_path(dirname(__FILE__) . '/../../..');
my %running;

# The folder of the newest PostgreSQL from 15 to 18, with or without a library of TimescaleDB.
sub programs {
    my ($with_timescaledb) = @_;
    for my $version (reverse 15 .. 18) {
        my $folder = "/usr/lib/postgresql/$version";
        next if !-x "$folder/bin/initdb" || ($with_timescaledb && !-e "$folder/lib/timescaledb.so");
        return "$folder/bin";
    }
    return;
}

# Runs the test once an engine, each a subtest with a fresh cluster; an engine that is not to be
# had is skipped with the reason.
sub each_engine {
    my ($class, $test) = @_;
    for my $engine (qw(postgres timescaledb)) {
        subtest $engine => sub {
            plan skip_all => 'PostgreSQL 15 to 18 is not installed' if !programs();
            plan skip_all => 'TimescaleDB is not installed'
                if $engine eq 'timescaledb' && !programs(1);
            my $cluster = $class->start($engine);
            plan skip_all => 'TimescaleDB is not the full edition'
                if $cluster->engine ne $engine;
            $test->($cluster);
        };
    }
    return;
}

# A running, migrated cluster.
sub start {
    my ($class, $engine) = @_;
    my $self = $class->home_for($engine);
    my $program = $ENV{TIDEMARK_BIN} || "$ROOT/build/tidemark";
    Tidemark::Snapshot::lay("cluster-$engine", $program, $self->{home}, sub {
        my ($folder) = @_;
        my $first = $class->home_for($engine);
        $first->create($program);
        $first->halt('fast');
        Tidemark::Snapshot::copy($first->{home}, $folder);
    });
    $self->launch;
    return $self;
}

# Where a cluster is to be.
sub home_for {
    my ($class, $engine) = @_;
    my $home = Tidemark::Scratch::folder('sql');
    my $self = bless {
        home => $home, wanted => $engine, owner => $$, user => $> ? undef : 'nobody',
        programs => programs($engine eq 'timescaledb'),
    }, $class;
    $running{$home} = $self;
    return $self;
}

sub create {
    my ($self, $program) = @_;
    my $home = $self->{home};
    chown((getpwnam $self->{user})[2, 3], $home) if $self->{user};
    chmod 0755, $home;
    $self->run('mkdir', "$home/run", "$home/log");
    $self->run("$self->{programs}/initdb", '--no-sync', '-D', "$home/pgdata", '-U', 'tidemark_super',
        '--auth=peer', '--encoding=UTF8', '--locale=C.UTF-8');
    $self->launch;
    $self->run("$self->{programs}/psql", '-qX', '-h', "$home/run", '-U', 'tidemark_super', '-d', 'postgres',
        '-c', 'CREATE DATABASE tidemark');
    # a copy: the user may be unable to walk to the checkout
    copy($program, "$home/tidemark") && chmod 0755, "$home/tidemark" or die "$program: $!";
    $self->run("$home/tidemark", 'migrate');
    return;
}

# Starts PostgreSQL, with this home's paths in its configuration.
sub launch {
    my ($self) = @_;
    $self->configure;
    $self->run("$self->{programs}/pg_ctl", '-D', "$self->{home}/pgdata", '-l', "$self->{home}/log/postgres.log",
        '-w', '-s', 'start');
    return;
}

# Nobody is trusted: the user of the cluster may be the superuser and the owner, roles of ours
# need their passwords.
sub configure {
    my ($self) = @_;
    my $user = $self->{user} || getpwuid $>;
    my $preload = $self->{wanted} eq 'timescaledb' ? 'timescaledb' : '';
    $self->write('pg_hba.conf', "local all tidemark_super,tidemark_owner peer map=tidemark\n"
            . "local all all scram-sha-256\n", '>');
    $self->write('pg_ident.conf', "tidemark $user tidemark_super\ntidemark $user tidemark_owner\n", '>');
    $self->write('postgresql.conf', <<"CONF", '>');
listen_addresses = ''
unix_socket_directories = '$self->{home}/run'
shared_preload_libraries = '$preload'
timezone = 'UTC'
lc_messages = 'C'
fsync = off
synchronous_commit = off
jit = off
max_connections = 40
max_worker_processes = 8
CONF
    $self->write('postgresql.conf', "timescaledb.telemetry_level = off\n", '>>') if $preload;
    return;
}

sub write {
    my ($self, $name, $text, $mode) = @_;
    open my $file, $mode, "$self->{home}/pgdata/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
    return;
}

# The command in the name of the cluster's user.
sub command {
    my ($self, @command) = @_;
    return @command if !$self->{user};
    return ('setpriv', "--reuid=$self->{user}", '--regid=' . (getpwnam $self->{user})[3],
        '--clear-groups', @command);
}

# Runs a command, returns what it prints; dies with it when it fails.
sub run {
    my ($self, @command) = @_;
    my $pid = open my $output, '-|';
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        delete @ENV{ grep {/^(TIDEMARK|DATABASE|DB|S3|PG)_?/} keys %ENV };
        $ENV{TIDEMARK_HOME} = $self->{home};
        chdir '/';
        open STDIN, '<', '/dev/null' or die;
        open STDERR, '>&', \*STDOUT or die;
        exec $self->command(@command) or die "$command[0]: $!";
    }
    my $said = do { local $/ = undef; <$output> };
    close $output;
    die "@command failed:\n$said" if $?;
    return $said;
}

# Runs `tidemark …` with the cluster's home: (its exit status, what it said).
sub tidemark {
    my ($self, @words) = @_;
    my $said = $self->run('sh', '-c', '"$@" 2>&1; echo exit $?', 'sh', "$self->{home}/tidemark", @words);
    my $status = $said =~ s/^exit (\d+)\n\z//m ? $1 : -1;
    return ($status, $said);
}

# ---- asking it ----

sub home { return $_[0]{home} }

# 'postgres' or 'timescaledb', as the migrations found it.
sub engine {
    my ($self) = @_;
    return $self->session('tidemark_super')
        ->value('SELECT DISTINCT engine FROM ops.migration_history');
}

# A connection of a role; kept and shared unless `new` is true. Options: tenant (what
# tidemark.tenant_id says, any text; undef: nothing), password (for roles that the test made).
sub session {
    my ($self, $role, %option) = @_;
    my $psql = $option{new} ? undef : $self->{sessions}{$role};
    if (!$psql) {
        my $file = "$self->{home}/secrets/$role";
        my $password = $option{password} // (-e $file ? slurp($file) : '');
        $psql = Tidemark::Psql->open([$self->command("$self->{programs}/psql")], "$self->{home}/run", $role, $password);
        $self->{sessions}{$role} = $psql if !$option{new};
    }
    $psql->bind($option{tenant});
    return $psql;
}

# Lets the worker's functions close what is over and follow what changed, until nothing is left;
# returns how many rows of rollups that wrote.
sub roll_up {
    my ($self) = @_;
    my $worker = $self->session('tidemark_worker');
    my ($until, $rows) = ('', 0);
    while ((my $next = $worker->value('SELECT ops.rollup_close_begin()')) ne $until) {
        $rows += $worker->value('SELECT ops.rollup_close_finish()');
        $until = $next;
    }
    while (1) {
        my ($step) = $worker->query('SELECT rows_written, is_done FROM ops.rollup_follow(20000)');
        $rows += $step->[0];
        return $rows if $step->[1] eq 't';
    }
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/ = undef;
    return <$file> =~ s/\s+\z//r;
}

# ---- the end ----

sub stop {
    my ($self) = @_;
    delete $running{ $self->{home} } or return;
    delete $self->{sessions};
    eval { $self->halt('immediate') };
    remove_tree($self->{home});
    return;
}

sub halt {
    my ($self, $mode) = @_;
    $self->run("$self->{programs}/pg_ctl", '-D', "$self->{home}/pgdata", '-m', $mode, '-s', '-w', 'stop');
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@, $!);
    $self->stop;
    return;
}

END {
    local $?;
    $_->DESTROY for values %running;
}

1;
