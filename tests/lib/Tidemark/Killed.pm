package Tidemark::Killed;

# `tidemark archive …` of a Tidemark::Archiver's cluster, killed at a step: where it waits for a table, or
# before or after a statement; where it writes, reads or removes a file of the home's folder; at a request to
# the bucket, by a Tidemark::Gate. Each function is a test that it was killed there.

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
use Tidemark::Archiver qw(archive archives_well objects start_archive slay await_end);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(preload kill_at kill_when kill_at_random kill_at_step kill_archivers kill_restores);

# Compiles a library that is loaded before the others: the words that run a command with it; '' where
# that cannot be.
sub preload {
    my ($cluster, $name, $source) = @_;
    my $path = $cluster->home . "/$name";
    return '' if ($ENV{TIDEMARK_BUILD} // '') =~ /asan|tsan/;    # the sanitizers come first
    return "LD_PRELOAD='$path.so'" if -e "$path.so";
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

# ---- at random ----

# Kills so many commands, each at any moment of the time that a whole one takes. $anew gives them all to do again,
# which every other one has, and the one after it what is left.
sub kill_at_random {
    my ($cluster, $super, $rounds, $anew, @words) = @_;
    $anew->();
    my $began = time;
    waitpid start_archive($cluster, @words), 0;
    my $whole = time - $began;
    is($?, 0, sprintf "$rounds are killed within the %.2f s of a whole one", $whole);
    for (1 .. $rounds) {
        $anew->() if $_ % 2;
        my $pid = start_archive($cluster, @words);
        sleep rand $whole;
        slay($super, $pid);
    }
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

# At a step that the store sees: its name, what KILL_… is in a folder (undef: not to be had there), and the rule of
# a bucket's gate. False: that cannot be tried here.
sub kill_at_step {
    my ($cluster, $super, $gate, $step, @words) = @_;
    my ($name, $file, $request) = @{$step};
    return kill_at_request($cluster, $super, $gate, $name, $request, @words) || 1 if $gate;
    return !$file || kill_at_file($cluster, $super, $name, $file, @words);
}

# ---- archivers ----

# Steps of an archiver at the store, for days of a relation ('samples'). There is something to sweep of what those
# before began. What is derived ('costs') has no tombstones.
sub steps {
    my ($relation) = @_;
    my $put = sub { my ($what, $how) = @_; return ['PUT', qr{/archive/$relation$what$}, $how] };
    my $file = '/.*[.]parquet';
    return (
        ['a file of rows is half written', "KILL_HALF=1 KILL_PUT='*/archive/$relation/*.parquet'", $put->($file, 'half')],
        ['a file is written, and it does not know', undef, $put->($file, 'after')],
        ['a file is verified', "KILL_READ='*/archive/$relation/*.parquet'", ['GET', qr{/archive/$relation$file$}, 'before']],
        $relation eq 'costs' ? () : ['rows are there and tombstones are not', "KILL_PUT='*/archive/$relation.tombstones/*'", $put->("[.]tombstones$file", 'before')],
        ['what those before began is swept', "KILL_SWEPT='*/archive/*.parquet'", ['POST', qr{[?]delete}, 'before']],
        ['that is swept, and it does not know', undef, ['POST', qr{[?]delete}, 'after']],
        ['files are verified and have no manifest', "KILL_PUT='*/archive/$relation/*.json'", $put->('/.*[.]json', 'before')],
        ['their manifest is read back', "KILL_READ='*/archive/$relation/*.json'", ['GET', qr{/archive/$relation/.*[.]json$}, 'before']],
        ['they have one, and it does not know', undef, $put->('/.*[.]json', 'after')],
    );
}

# A day of the relation that is due, archived by commands that are killed at each step at the store: nothing is
# noted. The next one has it all, and the store nothing else.
sub kill_archivers {
    my ($cluster, $super, $gate, $relation) = @_;
    my $noted = 'SELECT count(*), max(n), max(id) FROM core.archive';
    my ($before, $last, %there) = ($super->text($noted), $super->value('SELECT coalesce(max(id), 0) FROM core.archive'), map { $_ => 1 } objects($cluster));
  SKIP: {
        for my $step (steps($relation)) {
            kill_at_step($cluster, $super, $gate, $step, 'run') or skip 'no library comes before the others', 1;
        }
    }
    is($super->text($noted), $before, '  and nothing is noted');
    archives_well($cluster, undef, "$relation that are due, after those");
    my @new = map { ($_, m{^archive/$relation/} ? s/parquet$/json/r : ()) } map { $_->[0] } $super->query("SELECT object FROM core.archive WHERE id > $last");
    is_deeply([grep { !m{^archive/catalogue/} && !$there{$_} } objects($cluster)], [sort @new], '  and the store has its files and their manifest, and nothing else');
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 0, '  all is sound') or diag($said);
    return @new;
}

# ---- restores ----

# A day that has tombstones, restored by commands that are killed at each of their steps: nothing of it is there, as
# $facts says, until the last of them; then all of it is, though nobody was told so.
sub kill_restores {
    my ($cluster, $super, $gate, $relation, $facts, @words) = @_;
    my $table = $relation eq 'samples' ? 'core.sample' : 'core.event';
    my $none = $facts->();
    my $is_none = sub { return is($facts->(), $none, '  nothing of it is there') };
    for my $of ([rows => $relation], [tombstones => "$relation.tombstones"]) {
        kill_at_step($cluster, $super, $gate,
            ["its $of->[0] are verified", "KILL_READ='*/archive/$of->[1]/*.parquet'", ['GET', qr{/archive/\Q$of->[1]\E/.*[.]parquet$}, 'before']], @words);
    }
    $is_none->();
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
