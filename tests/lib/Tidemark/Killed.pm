package Tidemark::Killed;

# `tidemark archive …` of a Tidemark::Archiver's cluster, killed at a step: where it waits for a table, or
# before or after a statement; where it writes, reads or removes a file of the home's folder; at a request to
# the bucket, by a Tidemark::Gate. Each function is a test that it was killed there.

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
use Tidemark::Archiver qw(archive start_archive slay await_end);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(preload kill_at kill_when kill_at_file kill_at_request kill_restores);

# Compiles a library that is loaded before the others: the words that run a command with it; '' where
# that cannot be.
sub preload {
    my ($cluster, $name, $source) = @_;
    my $path = $cluster->home . "/$name";
    return '' if ($ENV{TIDEMARK_BUILD} // '') =~ /asan|tsan/;    # the sanitizers come first
    open my $out, '>', "$path.c" or die $!;
    print {$out} $source;
    close $out or die $!;
    return '' if system("cc -shared -fPIC -o $path.so $path.c") != 0;
    chmod 0755, "$path.so";
    return "LD_PRELOAD='$path.so'";
}


# ---- at the database ----

# Kills it when it waits for what the blocker holds.
sub kill_waiting {
    my ($cluster, $super, $step, $blocker, @words) = @_;
    my $pid = start_archive($cluster, @words);
    my $waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tidemark $Tidemark::Archiver::part' AND wait_event_type = 'Lock'";
    my $until = time + 20;
    sleep 0.01 while !$super->value($waits) && time < $until;
    ok($super->value($waits), "killed when about to $step");
    kill KILL => $pid;
    $blocker->query('ROLLBACK');
    slay($super, $pid);
    return;
}

# Where it wants to write to a table, or to begin reading it.
sub kill_at {
    my ($cluster, $super, $step, $lock, @words) = @_;
    my $blocker = $cluster->session('tidemark_super', new => 1);
    $blocker->query("BEGIN; LOCK TABLE $lock MODE");
    return kill_waiting($cluster, $super, $step, $blocker, @words);
}

# At a statement, 'BEFORE DELETE ON core.sample', or when it commits a row of one, 'COMMIT OF core.sample': then the
# server goes on with that.
sub kill_when {
    my ($cluster, $super, $step, $when, @words) = @_;
    my ($table) = $when =~ /(\S+)$/;
    my $kind = $when =~ /^COMMIT/ ? "CONSTRAINT TRIGGER stand AFTER INSERT OR UPDATE ON $table INITIALLY DEFERRED FOR EACH ROW" : "TRIGGER stand $when";
    $super->query('CREATE FUNCTION public.stand() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$');
    $super->query("CREATE $kind EXECUTE FUNCTION public.stand()");
    my $blocker = $cluster->session('tidemark_super', new => 1);
    $blocker->query('BEGIN; SELECT pg_advisory_xact_lock(1)');
    kill_waiting($cluster, $super, $step, $blocker, @words);
    $super->query("DROP TRIGGER stand ON $table");
    $super->query('DROP FUNCTION public.stand()');
    return;
}

# ---- at the store ----

# Kills itself when an object like KILL_PUT is about to get its name (with half of its bytes written where
# KILL_HALF), one like KILL_READ to be read, or one like KILL_SWEPT to go.
my $KILLED = <<'C';
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static int is_at(const char *step, const char *path)
{
    const char *wanted = getenv(step);
    return wanted != NULL && fnmatch(wanted, path, 0) == 0;
}
int rename(const char *from, const char *to)
{
    struct stat file;
    if (is_at("KILL_PUT", to)) {
        if (getenv("KILL_HALF") == NULL || (stat(from, &file) == 0 && truncate(from, file.st_size / 2) == 0)) {
            kill(getpid(), SIGKILL);
        }
    }
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (is_at("KILL_READ", path)) {
        kill(getpid(), SIGKILL);
    }
    return openat(AT_FDCWD, path, flags, mode);
}
int unlink(const char *path)
{
    if (is_at("KILL_SWEPT", path)) {
        kill(getpid(), SIGKILL);
    }
    return unlinkat(AT_FDCWD, path, 0);
}
C


# Where a file of the folder is written, read or removed: $where sets KILL_… for such names. False: that cannot
# be tried here.
sub kill_at_file {
    my ($cluster, $super, $step, $where, @words) = @_;
    my $library = preload($cluster, 'killed', $KILLED) or return 0;
    local $Tidemark::Archiver::shim = "$library $where";
    my ($status, $said) = archive($cluster, @words);
    is($status, 137, "killed when $step") or diag($said);
    await_end($super);
    return 1;
}

# At a request to the bucket: $rule is what Tidemark::Gate's stop_at is given.
sub kill_at_request {
    my ($cluster, $super, $gate, $step, $rule, @words) = @_;
    local $Tidemark::Archiver::way = $gate->url;
    $gate->stop_at(@{$rule});
    my $pid = start_archive($cluster, @words);
    ok($gate->has_stopped, "killed when $step");
    slay($super, $pid);
    $gate->let_pass;
    return;
}

# ---- restores ----

# A day that has tombstones, restored by commands that are killed at each of their steps: nothing of it is there, as
# $facts says, until the last of them; then all of it is, though nobody was told so. $table: where its rows are.
sub kill_restores {
    my ($cluster, $super, $table, $facts, @words) = @_;
    my $none = $facts->();
    my $is_none = sub { return is($facts->(), $none, '  nothing of it is there') };
    kill_at($cluster, $super, 'begin a day', 'core.archive_day IN EXCLUSIVE', @words);
    $is_none->();
    for my $step (['store its rows', "BEFORE INSERT ON $table"], ['apply tombstones', "BEFORE DELETE ON $table"], ['store what came later', "AFTER DELETE ON $table"],
        ['note and pin it', 'BEFORE INSERT ON core.archive_day'], ['commit it', 'COMMIT OF core.archive_day']) {
        kill_when($cluster, $super, @{$step}, @words);
        $is_none->() if $step->[0] !~ /commit/;
    }
    isnt($facts->(), $none, '  which it was, and all is there');
    my ($status, $said) = archive($cluster, @words);
    is($status, 0, '  as the next one finds') or diag($said);
    like($said, qr/^there\t/m, '  which restores nothing');
    return;
}

1;
