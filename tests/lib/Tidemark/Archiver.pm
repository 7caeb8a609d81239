package Tidemark::Archiver;

# What the tests of the archive share: `tidemark archive …` on a Tidemark::Cluster, days that were so many
# days ago, what is in the store and what others read there, retention, and archivers that are started to be
# killed (Tidemark::Killed). The store is the home's folder, or the bucket of keep_in.

use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX qw(strftime);
use Scalar::Util qw(weaken);
use Test::More;
use Tidemark::Cluster;
use Tidemark::Day;
use Tidemark::Npm;
use Tidemark::Objects;
use Tidemark::Python;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(day archive archives_well keep_in store objects object retain write_file others_read start_archive slay await_end);

my $DAY = 86400;
my $TODAY = Tidemark::Day::today();
our $part = 'archive';    # the word after `tidemark`
our $shim = '';           # before the command
our $way;                 # where a bucket is reached, if not at its server
my %minio;                # by the home of the cluster that keeps objects there

# A day that was so many days ago.
sub day { return strftime('%Y-%m-%d', gmtime($TODAY - $_[0] * $DAY)) }

# Lets a cluster keep its objects in a bucket, which is made.
sub keep_in {
    my ($cluster, $minio) = @_;
    weaken($minio{ $cluster->home } = $minio);
    my %settings = settings($cluster);
    $cluster->run('env', (map {"$_=$settings{$_}"} sort keys %settings), $cluster->home . '/tidemark', 'migrate');
    return;
}

sub settings {
    my ($cluster) = @_;
    my $minio = $minio{ $cluster->home } or return;
    return $minio->settings($way ? (S3_ENDPOINT => $way) : ());
}

# The objects of a cluster, past Tidemark.
sub store { my ($cluster) = @_; return Tidemark::Objects->new($minio{ $cluster->home } // $cluster->home . '/objects') }

# Runs `tidemark archive …`, or another part of it; (exit status, what it said).
sub archive {
    my ($cluster, @words) = @_;
    my $command = join ' ', map {"'$_'"} $cluster->home . '/tidemark', $part, @words;
    my %settings = (TIDEMARK_HOME => $cluster->home, settings($cluster));
    my $said = $cluster->run('sh', '-c', join(' ', (map {"$_='$settings{$_}'"} sort keys %settings), $shim, $command) . ' 2>&1; echo exit $?');
    my ($status) = $said =~ /^exit (\d+)$/m;
    return ($status, $said);
}

# Archives what is due; two tests.
sub archives_well {
    my ($cluster, $expected, $name) = @_;
    my ($status, $said) = archive($cluster, 'run');
    is($status, 0, "$name: archived") or diag($said);
    like($said, $expected, '  what it says') if $expected;
    return;
}

# The keys of the archive's objects in the store.
sub objects { my ($cluster) = @_; return store($cluster)->list('archive/') }

# The key of a day's file.
sub object {
    my ($super, $tenant, $ago, $n, $kind) = @_;
    return $super->value("SELECT object FROM core.archive WHERE tenant_id = $tenant AND day = '@{[day($ago)]}'"
            . " AND n = $n AND kind = '$kind'");
}

sub write_file {
    my ($path, $bytes) = @_;
    open my $out, '>:raw', $path or die "$path: $!";
    print {$out} $bytes;
    close $out or die "$path: $!";
    return;
}

my (%reader, %why_not);    # name => command; name => why there is none

sub find_readers {
    my $clients = "$Tidemark::Cluster::ROOT/tests/clients";
    (my $python, $why_not{pyarrow}) = Tidemark::Python::install('py', "$clients/requirements.txt");
    $reader{pyarrow} = [$python, "$clients/export.py"] if $python;
    (my $tools, $why_not{DuckDB}) = Tidemark::Npm::install('clients', $clients);
    $reader{DuckDB} = ['env', "NODE_PATH=$tools/node_modules", Tidemark::Npm::find_command('node'), "$clients/export.js"] if $tools;
    return;
}

# pyarrow and DuckDB read in an object just these rows (JSON objects, as texts), with these columns; two
# tests, which are skipped where one of them is not to be had.
sub others_read {
    my ($cluster, $object, $columns, @rows) = @_;
    find_readers() if !%why_not;
    my $folder = tempdir(CLEANUP => 1);
    write_file("$folder/x.ndjson", join '', map {"$_\n"} @rows);
    write_file("$folder/x.json", JSON::PP->new->utf8->encode({ columns => $columns }));
    write_file("$folder/x.parquet", store($cluster)->slurp($object));
    for my $name (sort keys %why_not) {
      SKIP: {
            skip "$name: $why_not{$name}", 1 if !$reader{$name};
            open my $out, '-|', @{ $reader{$name} }, "$folder/x" or die "$name: $!";
            like(scalar(<$out>), qr/^ok @{[scalar @rows]}\b/, "$name reads every value of a file");
            close $out or diag("$name: status $?");
        }
    }
    return;
}

# Takes retention's steps; "core.sample dropped 3, core.event waiting 1".
sub retain {
    my ($cluster) = @_;
    my $worker = $cluster->session('tidemark_worker');
    my %n;
    for my $step ($worker->query('SELECT * FROM ops.retention_plan()')) {
        my ($relation, $from, $to, $tenant) = @{$step};
        my ($answer) = $worker->query("SELECT * FROM ops.retention_step('$relation', '$from', '$to', " . ($tenant // 'NULL') . ')');
        $n{"$relation $answer->[0]"}++;
    }
    return join ', ', map {"$_ $n{$_}"} sort keys %n;
}

# Starts `tidemark archive …` and returns its pid.
sub start_archive {
    my ($cluster, @words) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    delete @ENV{ grep {/^(TIDEMARK|DATABASE|DB|S3|PG)_?/} keys %ENV };
    %ENV = (%ENV, TIDEMARK_HOME => $cluster->home, settings($cluster));
    chdir '/';
    open STDOUT, '>', '/dev/null' or die;
    open STDERR, '>', '/dev/null' or die;
    exec $cluster->command($cluster->home . '/tidemark', $part, @words) or die "exec: $!";
}

# Kills an archiver and waits until its session has ended too.
sub slay {
    my ($super, $pid) = @_;
    kill KILL => $pid;
    waitpid $pid, 0;
    return await_end($super);
}

# Waits until the session of an archiver that was killed has ended, which may hold locks that the test wants.
sub await_end {
    my ($super) = @_;
    my $until = time + 20;
    sleep 0.01 while $super->value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tidemark $part'") && time < $until;
    return;
}

1;
