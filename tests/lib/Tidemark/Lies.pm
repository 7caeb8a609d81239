package Tidemark::Lies;

# A store that has less of an object than it was given, or something else, and says that all is well: the folder
# of a Tidemark::Archiver's cluster by a library, its bucket by a Tidemark::Gate. check_lies are tests that what
# it has is noticed before it counts.

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
use Tidemark::Archiver qw(archive archives_well objects retain);
use Tidemark::Killed qw(preload);

our @EXPORT_OK = qw(check_lies check_catalogue_lies);

# Changes each object as it gets its name, where that is like LIE_OF: LIE_HOW is cut or flip.
my $LIAR = <<'C';
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static int change(const char *path)
{
    struct stat file;
    char byte;
    if (stat(path, &file) != 0) {
        return -1;
    }
    if (strcmp(getenv("LIE_HOW"), "cut") == 0) {
        return truncate(path, file.st_size / 2);
    }
    int fd = open(path, O_RDWR), ok = pread(fd, &byte, 1, file.st_size / 2) == 1;
    byte ^= 1;
    ok = pwrite(fd, &byte, 1, file.st_size / 2) == 1 && ok;
    return close(fd) == 0 && ok ? 0 : -1;
}
int rename(const char *from, const char *to)
{
    regex_t like;
    if (regcomp(&like, getenv("LIE_OF"), REG_EXTENDED | REG_NOSUB) != 0) {
        return -1;
    }
    if (regexec(&like, to, 0, NULL, 0) == 0 && change(from) != 0) {
        return -1;
    }
    regfree(&like);
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
C

# What an archiver says while the store lies of objects like that, an extended regular expression; nothing where that
# cannot be tried.
sub run_lied_to {
    my ($cluster, $gate, $like, $how) = @_;
    my @said;
    if ($gate) {
        local $Tidemark::Archiver::way = $gate->url;
        $gate->stop_at('PUT', $like, $how);
        @said = archive($cluster, 'run');
        $gate->let_pass;
        return @said;
    }
    my $library = preload($cluster, 'liar', $LIAR) or return;
    local $Tidemark::Archiver::shim = "$library LIE_OF='$like' LIE_HOW=$how";
    return archive($cluster, 'run');
}

# Nothing was archived of the relation yet, of which these tenants have days that are due: that stays so, whatever the
# store does to files or their manifests.
sub check_lies {
    my ($cluster, $super, $gate, $relation, @tenants) = @_;
    my $noted = 'SELECT ' . join ', ', map {"(SELECT count(*) FROM core.$_ WHERE relation = '$relation')"} qw(archive archive_day archive_cursor);
    my %table = (samples => 'sample', events => 'event', costs => 'cost_calculation');
    for my $case (['file', 'parquet', 'cut', qr/ has \d+ bytes/], ['file', 'parquet', 'flip', qr/checksum differs/], ['manifest', 'json', 'cut', qr/[.]json/], ['manifest', 'json', 'flip', qr/[.]json/]) {
        my ($what, $ending, $how, $why) = @{$case};
      SKIP: {
            my ($status, $said) = run_lied_to($cluster, $gate, "/archive/$relation/.*[.]$ending\$", $how) or skip 'no library comes before the others', 1;
            is($status, 1, "$relation: a store that does this to a $what and says that all is well: $how");
            like($said, qr{^failed\t$_\t$relation\t[-\d]{10} to [-\d]{10}\t[^\n]*$why}m, "  is found out, and said of the days of $_ that wait for it") or diag($said) for @tenants;
            is(scalar(grep {m{^archive/$relation/.*[.]parquet$}} objects($cluster)), @tenants, '    at the first day of each') or diag($said);
            is($super->text($noted), '0 0 0', '  and nothing is noted');
        }
    }
    unlike(retain($cluster), qr/core[.]$table{$relation} dropped/, 'nothing is dropped');
    return;
}

# The tenant's next catalogue is one that the store changes: it does not count, and the one after it does.
sub check_catalogue_lies {
    my ($cluster, $super, $gate, $tenant) = @_;
    my $noted = "SELECT count(*) FROM core.archive_catalogue c JOIN core.tenant t ON t.id = c.tenant_id WHERE t.slug = '$tenant' AND c.digest IS NOT NULL";
    my $is_there = sub { return scalar grep {m{^archive/catalogue/tenant=$tenant/}} objects($cluster) };
    archives_well($cluster, undef, 'what there is, before a store lies of catalogues');
    for my $how (qw(cut flip)) {
        $cluster->session('tidemark_operator')->query("SELECT ops.tenant_patch('$tenant', 'Name $how', NULL, NULL, NULL)");
        my ($before, $n) = ($super->value($noted), $is_there->());
      SKIP: {
            my ($status, $said) = run_lied_to($cluster, $gate, "/archive/catalogue/tenant=$tenant/", $how) or skip 'no library comes before the others', 1;
            is($status, 1, "a store that does this to a catalogue and says that all is well: $how");
            like($said, qr/^failed\t$tenant\tcatalogue\t[^\n]*[.]ndjson/m, '  is found out') or diag($said);
            is($super->value($noted), $before, '  and it is not noted');
        }
        archives_well($cluster, undef, '  then one is written');
        is($super->value($noted) . ' ' . $is_there->(), ($before + 1) . ' ' . ($n + 1), '    and what was changed is gone');
    }
    return;
}

1;
