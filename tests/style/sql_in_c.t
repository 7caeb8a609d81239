#!/usr/bin/perl
# SQL lives in sql/, not in C strings. Transaction control is the database layer's own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(c_files read_source strings holds);

my $statement = qr{
    \b(?:SELECT\s|INSERT\s+INTO\b|UPDATE\s+[\w.]+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\s*\(|TRUNCATE\s
    |CREATE\s+(?:OR\s|TABLE|ROLE|SCHEMA|EXTENSION|INDEX|VIEW|FUNCTION|DATABASE|POLICY)|ALTER\s+\w+\s|DROP\s+\w+\s
    |GRANT\s+\w+\s|REVOKE\s+\w+\s|COPY\s+[\w.]+\s*[(F]|VACUUM\b|ANALYZE\s|EXPLAIN\s|LISTEN\s|NOTIFY\s|CALL\s+\w+\()
    | ^\s*(?:select\s.+\sfrom\s|insert\s+into\s|delete\s+from\s|update\s+[\w.]+\s+set\s)
    | \bORDER\s+BY\s | \bWHERE\s+\w | \bon\s+conflict\b
}x;
my $control = qr{^\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET\s+(?:LOCAL\s|SESSION\s|ROLE\s)|RESET\s|DISCARD\s)\b?}x;

my @found;
for my $path (c_files()) {
    my $is_db = $path =~ m{^app/db/};
    for my $string (strings(read_source($path))) {
        my ($line, $text) = @{$string};
        push @found, "$path:$line: SQL in C: \"$text\"" if $text =~ $statement || (!$is_db && $text =~ $control);
    }
}
holds('no SQL in C strings', @found);
done_testing();
