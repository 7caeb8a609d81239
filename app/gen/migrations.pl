#!/usr/bin/env perl
# Compiles sql/migrations/NNNN_name.sql into gen/migrations.h and gen/migrations.c, the
# table that db/migrate runs: for each engine the text with its `-- engine: part` lines
# replaced by sql/engine/<engine>/part.sql (or sql/engine/both/part.sql, a chapter of a long
# migration), and a checksum over all of it. Also embeds sql/bootstrap.sql. Called by the
# Makefile.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Basename qw(basename);
use FindBin;
use lib "$FindBin::Bin/lib";
use Gen qw(complain finish read_file write_file c_string options);

my @engines = qw(postgres timescaledb);    # in the order of enum db_engine

my ($option, @files) = options('migrations.pl --out DIR --engine DIR [--bootstrap FILE] FILE.sql…',
    [qw(out engine bootstrap)], @ARGV);
my %part_used;
my @migrations = map { migration($_) } sort { basename($a) cmp basename($b) } @files;
check_versions(@migrations);
check_parts();
my $bootstrap = defined $option->{bootstrap} ? checked($option->{bootstrap}) : '';
finish();
write_file("$option->{out}/migrations.h", header());
write_file("$option->{out}/migrations.c", source(@migrations));

# One row of the table.
sub migration {
    my ($file) = @_;
    if (basename($file) !~ /^(\d{4})_([a-z0-9_]+)\.sql$/) {
        complain($file, 1, 'a migration is named 0001_lower_case.sql');
        return;
    }
    my ($version, $name) = ($1 + 0, $2);
    my $text = checked($file);
    my @sql = map { expand($file, $text, $_) } @engines;
    # the parts are named in the hash, so that text cannot move between them unnoticed
    my $all = join "\0", $text, map { $engines[$_], $sql[$_] } 0 .. $#engines;
    return { version => $version, name => $name, file => $file, sql => \@sql, sha256 => sha256_hex($all) };
}

# A file's text; refuses what cannot work inside the one transaction of a migration.
sub checked {
    my ($file) = @_;
    my $text = read_file($file);
    my $line = 0;
    for (split /\n/, $text) {
        $line++;
        complain($file, $line, 'a psql command; only SQL is sent') if /^\\/;
        complain($file, $line, "'$1': a migration is one transaction already")
            if /^((?:BEGIN|COMMIT|ROLLBACK|START\s+TRANSACTION)\b\s*;)/i;
        complain($file, $line, 'a NUL byte') if /\0/;
    }
    complain($file, 1, 'empty') if $text !~ /\S/;
    complain($file, $line, 'the last line is not ended') if $text !~ /\n\z/;
    return $text;
}

# The text for one engine.
sub expand {
    my ($file, $text, $engine) = @_;
    my ($line, @out) = (0);
    for (split /^/, $text) {
        $line++;
        if (!/^\s*--\s*engine:\s*(.*?)\s*$/) {
            push @out, $_;
            next;
        }
        my $part = $1;
        my $path = "$option->{engine}/$engine/$part.sql";
        my $shared = "$option->{engine}/both/$part.sql";
        $path = $shared if !-f $path && -f $shared;
        if ($part !~ /^[a-z0-9_]+$/) {
            complain($file, $line, "engine part '$part' is not a lower_case name");
        } elsif (!-f $path) {
            complain($file, $line, "engine part '$part' has no $path");
        } else {
            $part_used{$path} = 1;
            push @out, checked($path);
        }
    }
    return join '', @out;
}

# 1, 2, 3 … without a gap: two branches that both add the next one collide here, not in a database.
sub check_versions {
    my $expected = 1;
    for my $migration (@_) {
        my ($version, $file) = @{$migration}{qw(version file)};
        if ($version != $expected) {
            complain($file, 1, sprintf 'version %04d where %04d is next', $version, $expected);
            return;
        }
        $expected++;
    }
    return;
}

# No dead SQL beside the migrations.
sub check_parts {
    for my $engine (@engines, 'both') {
        for my $path (sort glob "$option->{engine}/$engine/*.sql") {
            complain($path, 1, 'no migration has this engine part') if !$part_used{$path};
        }
    }
    return;
}

sub header {
    return <<'H';
/* Made by app/gen/migrations.pl from sql/migrations/ and sql/engine/; edit those files. */
#ifndef TIDEMARK_GEN_MIGRATIONS_H
#define TIDEMARK_GEN_MIGRATIONS_H

#include "db/migrate.h"

#include <stddef.h>

/* In order of version, from 1 without a gap. */
extern const struct db_migration db_migrations[];
extern const size_t db_migrations_count;

/* What a superuser runs before them: roles, schemas, the extension. */
extern const char *const db_bootstrap_sql;

#endif
H
}

sub source {
    my @out = (
        "/* Made by app/gen/migrations.pl from sql/migrations/ and sql/engine/; edit those files. */",
        '#include "gen/migrations.h"', "",
        '#pragma GCC diagnostic ignored "-Woverlength-strings"', "",
    );
    my @rows;
    for my $migration (@_) {
        my ($version, $name, $sql) = @{$migration}{qw(version name sql)};
        my @texts = ("sql_${version}");
        push @out, "static const char sql_${version}[] =\n    " . c_string($sql->[0]) . ";\n";
        if ($sql->[1] eq $sql->[0]) {
            push @texts, $texts[0];
        } else {
            push @texts, "sql_${version}_$engines[1]";
            push @out, "static const char $texts[1]\[] =\n    " . c_string($sql->[1]) . ";\n";
        }
        push @rows, "    { $version, \"$name\", { $texts[0], $texts[1] },\n      \"$migration->{sha256}\" },";
    }
    push @out, "const struct db_migration db_migrations[] = {", @rows,
        "    { 0, NULL, { NULL, NULL }, NULL },", "};",
        'const size_t db_migrations_count = ' . scalar(@_) . ';', "",
        "const char *const db_bootstrap_sql =\n    " . c_string($bootstrap) . ";", "";
    return join "\n", @out;
}
