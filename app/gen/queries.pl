#!/usr/bin/env perl
# Compiles sql/queries/*.sql into gen/queries.h and gen/queries.c: a `struct db_query`
# and an enum of result columns for each named statement. Called by the Makefile.
# Checks the form; that each statement fits the schema is a test's business.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Gen qw(complain finish read_file write_file c_string options);
use Sql qw(tokens strip_comments);

use constant MAX_PARAMS => 24;      # DB_MAX_PARAMS of db/db.h
use constant MAX_NAME => 63;        # PostgreSQL's limit for a statement's name

my %is_role = map { $_ => 1 } qw(super owner web ingest worker operator read backup);

my ($option, @files) = options('queries.pl --out DIR FILE.sql…', ['out'], @ARGV);
my (@queries, %named_at, %enum_at);
push @queries, parse_file($_) for sort @files;
check_names($_) for @queries;
finish();
write_file("$option->{out}/queries.h", header(@queries));
write_file("$option->{out}/queries.c", source(@queries));

# Cuts a file at its `-- name:` lines; what stands before the first is free comment.
sub parse_file {
    my ($file) = @_;
    my @lines = split /\n/, read_file($file), -1;
    my (@found, $query);
    for my $i (0 .. $#lines) {
        if ($lines[$i] =~ /^--\s*name:\s*(.*?)\s*$/) {
            $query = { name => $1, file => $file, line => $i + 1, lines => [] };
            push @found, $query;
        } elsif ($query) {
            push @{ $query->{lines} }, $lines[$i];
        } elsif ($lines[$i] =~ /\S/ && $lines[$i] !~ /^--/) {
            complain($file, $i + 1, "statement before the first '-- name:' line");
            return;
        }
    }
    complain($file, 1, 'no query in this file') if !@found;
    parse_query($_) for @found;
    return @found;
}

# Reads the comment lines under the name, then the statement.
sub parse_query {
    my ($query) = @_;
    my ($file, $line) = @{$query}{qw(file line)};
    my @lines = @{ $query->{lines} };
    my @about;
    while (@lines && $lines[0] =~ /^--\s?(.*?)\s*$/) {
        my $text = $1;
        shift @lines;
        $line++;
        if ($text =~ /^(roles|columns):\s*(.*)$/) {
            complain($file, $line, "second '$1:' line") if $query->{$1};
            $query->{$1} = [split ' ', $2];
            $query->{"$1_line"} = $line;
        } elsif ($text =~ /^([a-z]\w*):/) {
            complain($file, $line, "unknown line '$1:'; known are name, roles, columns");
        } elsif ($text ne '') {
            push @about, $text;
        }
    }
    $query->{about} = \@about;
    $query->{columns} ||= [];
    check_head($query);
    parse_statement($query, join("\n", @lines), $line + 1);
    return;
}

sub check_head {
    my ($query) = @_;
    my ($file, $line, $name) = @{$query}{qw(file line name)};
    complain($file, $line, "name '$name' is not lower_case_words")
        if $name !~ /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
    complain($file, $line, "name '$name' is longer than " . MAX_NAME) if length $name > MAX_NAME;
    complain($file, $line, "query '$name' does not say its roles") if !@{ $query->{roles} || [] };
    complain($file, $line, "query '$name' is not described by a comment") if !@{ $query->{about} };
    for my $role (@{ $query->{roles} || [] }) {
        complain($file, $query->{roles_line}, "unknown role '$role'") if !$is_role{$role};
    }
    my %seen;
    for my $column (@{ $query->{columns} }) {
        complain($file, $query->{columns_line}, "column '$column' is not a lower_case name")
            if $column !~ /^[a-z][a-z0-9_]*$/;
        complain($file, $query->{columns_line}, "column '$column' twice") if $seen{$column}++;
    }
    return;
}

# Exactly one statement, ended by a semicolon; parameters numbered without a gap.
sub parse_statement {
    my ($query, $sql, $line) = @_;
    my ($file, $end, %used) = ($query->{file}, 0);
    $line += length(($sql =~ /^(\s*)/)[0] =~ s/[^\n]//gr);
    $sql =~ s/^\s+//;
    for my $token (tokens($sql, $line)) {
        my ($kind, $text, $at) = @{$token};
        return complain($file, $at, "'$text' opened and never closed") if $kind eq 'broken';
        next if $kind eq 'comment' || $text !~ /\S/;
        return complain($file, $at, "text after the statement's ';'") if $end;
        next if $kind ne 'code';
        return complain($file, $at, 'empty statement') if $sql =~ /^;/;
        $used{$1} ||= $at if $text =~ /^\$(\d+)$/;
        if ($text =~ /;(\s*\S)?/) {
            return complain($file, $at, "text after the statement's ';'") if defined $1;
            $end = $at;
        }
    }
    return complain($file, $query->{line}, "query '$query->{name}' has no statement") if $sql !~ /\S/;
    return complain($file, $line, "statement of '$query->{name}' is not ended by ';'") if !$end;
    my ($highest) = sort { $b <=> $a } keys %used;
    $query->{n_params} = $highest || 0;
    for my $n (1 .. $query->{n_params}) {
        complain($file, $line, "parameter \$$n is not used, \$$highest is") if !$used{$n};
    }
    complain($file, $line, 'more than ' . MAX_PARAMS . ' parameters') if $query->{n_params} > MAX_PARAMS;
    $query->{sql} = strip_comments($sql) =~ s/\s*;\s*\z//r;
    return;
}

# Names are unique over all files, and so are the enum constants made from them.
sub check_names {
    my ($query) = @_;
    my ($file, $line, $name) = @{$query}{qw(file line name)};
    my $first = $named_at{$name};
    return complain($file, $line, "query '$name' is also at $first") if $first;
    $named_at{$name} = "$file:$line";
    for my $column (@{ $query->{columns} }) {
        my $constant = uc "${name}_$column";
        complain($file, $query->{columns_line}, "constant $constant is also of '$enum_at{$constant}'")
            if $enum_at{$constant};
        $enum_at{$constant} = $name;
    }
    return;
}

sub header {
    my @out = (
        "/* Made by app/gen/queries.pl from sql/queries/; edit those files. */",
        "#ifndef TIDEMARK_GEN_QUERIES_H", "#define TIDEMARK_GEN_QUERIES_H", "",
        '#include "db/db.h"', "", "#include <stddef.h>", "",
        "/* All queries, for the test that prepares each. */",
        "extern const struct db_query *const db_queries[];",
        "extern const size_t db_queries_count;",
    );
    for my $query (@_) {
        my ($name, @columns) = ($query->{name}, @{ $query->{columns} });
        my $about = join ' ', @{ $query->{about} };
        $about =~ s{\*/}{* /}g;
        push @out, "", "/* $about */", "extern const struct db_query q_$name;";
        push @out, 'enum { ' . join(', ', map { uc "${name}_$_" } @columns) . ' };' if @columns;
    }
    return join "\n", @out, "", "#endif", "";
}

sub source {
    my @out = (
        "/* Made by app/gen/queries.pl from sql/queries/; edit those files. */",
        '#include "gen/queries.h"', "",
        '#pragma GCC diagnostic ignored "-Woverlength-strings"',
    );
    for my $query (@_) {
        my ($name, @columns) = ($query->{name}, @{ $query->{columns} });
        push @out, "";
        push @out, "static const char *const columns_$name\[] = { "
            . join(', ', map { qq{"$_"} } @columns) . ' };' if @columns;
        push @out, "const struct db_query q_$name = {",
            "    .name = \"$name\",",
            "    .sql =",
            "        " . c_string($query->{sql}, ' ' x 8) . ",",
            '    .roles = "' . join(' ', @{ $query->{roles} }) . '",',
            '    .columns = ' . (@columns ? "columns_$name" : 'NULL') . ',',
            '    .n_columns = ' . scalar(@columns) . ',',
            "    .n_params = $query->{n_params},",
            "};";
    }
    push @out, "", "const struct db_query *const db_queries[] = {",
        (map { "    &q_$_->{name}," } @_), "    NULL,", "};",
        'const size_t db_queries_count = ' . scalar(@_) . ';', "";
    return join "\n", @out;
}
