#!/usr/bin/env perl
# The database layer (app/db) against real servers: directly and through PgBouncer in
# transaction mode; its migration runner on each engine. The checks are in tests/unit/db_*.c.
use strict;
use warnings;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use Tidemark::Cluster;
use Tidemark::Unit qw(run_unit);

my $pgbouncer;    # its pid while it runs

# PgBouncer between the programs and the cluster, pooling transactions: two server connections for
# everybody, so that different clients share them; or sessions. Returns the folder of its socket.
sub start_pgbouncer {
    my ($cluster, $mode, $connections) = @_;
    my $folder = $cluster->home . "/pgbouncer-$mode";
    $cluster->run('mkdir', $folder);
    write_file("$folder/users", qq("tidemark_super" ""\n));
    write_file("$folder/pgbouncer.ini", <<"INI");
[databases]
* = host=${\ $cluster->home}/run
[pgbouncer]
listen_addr =
unix_socket_dir = $folder
listen_port = 5432
auth_type = trust
auth_file = $folder/users
pool_mode = $mode
default_pool_size = $connections
max_client_conn = 50
logfile = $folder/log
INI
    $pgbouncer = fork // die "fork: $!";
    if (!$pgbouncer) {
        chdir '/';
        open STDERR, '>', '/dev/null' or die;
        exec $cluster->command('pgbouncer', '-q', "$folder/pgbouncer.ini") or die "pgbouncer: $!";
    }
    await_socket("$folder/.s.PGSQL.5432");
    return $folder;
}

# Waits until somebody answers at the socket.
sub await_socket {
    my ($path) = @_;
    my $deadline = time + 20;
    until (IO::Socket::UNIX->new(Peer => $path)) {
        die "nobody answers at $path" if time > $deadline || waitpid($pgbouncer, 1) > 0;
        select undef, undef, undef, 0.02;
    }
    return;
}

sub stop_pgbouncer {
    my $pid = $pgbouncer or return;
    undef $pgbouncer;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    return;
}

END {
    local $?;
    stop_pgbouncer();
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}

sub has_program {
    my ($name) = @_;
    return grep { -x "$_/$name" } split(/:/, $ENV{PATH} || ''), '/usr/sbin';
}

# What the server's log holds after statements of migrations were logged.
sub check_log {
    my ($cluster) = @_;
    my $log = Tidemark::Cluster::slurp($cluster->home . '/log/postgres.log');
    ok $log =~ /SCRAM-SHA-256\$/, 'passwords are set by SCRAM verifiers';
    ok $log !~ /given at/, 'the server never sees the password itself';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    $super->query("ALTER SYSTEM SET log_statement = 'all'");
    $super->query('SELECT pg_reload_conf()');
    run_unit($cluster, 'db_migrate');
    check_log($cluster);
    return if $cluster->engine ne 'postgres';    # the rest does not depend on the engine
    run_unit($cluster, $_) for qw(db_types db_tx db_ask db_copy db_pool);
    SKIP: {
        skip 'PgBouncer is not installed', 6 if !has_program('pgbouncer');
        my $folder = start_pgbouncer($cluster, 'transaction', 2);
        for my $program (qw(db_types db_tx db_ask db_copy db_pool)) {
            run_unit($cluster, $program, name => "$program through PgBouncer", host => $folder,
                env => ['TIDEMARK_TEST_POOLER=1']);
        }
        stop_pgbouncer();
        # as a newer one that pools transactions does, it keeps names, and its sessions are not ours
        run_unit($cluster, 'db_tx', name => 'db_tx through PgBouncer, statements named', env => ['TIDEMARK_TEST_POOLER=names'],
            host => start_pgbouncer($cluster, 'session', 20));
        stop_pgbouncer();
    }
});

done_testing;
