#!/usr/bin/perl
# app/gen/queries.pl: what it makes and what it refuses, with the line of the SQL file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Generator qw(generate refuses contents);

my $good = <<'SQL';
-- Devices.

-- name: device_list
-- roles: web read
-- columns: key name
-- Devices of the tenant
-- in order of key.
SELECT d.key, d.name  -- by $9
  FROM api.device AS d /* $8; /* nested */ */
 WHERE ($1::text IS NULL OR d.key > $1) AND d.name <> '; $7 --' AND "a;b" = $q$ ; $6 $q$ AND e'\'; $5' <> ''
 LIMIT $2;

-- ---- writing ----

-- name: sample_copy
-- roles: ingest
-- The fast lane.
COPY core.sample (tenant_id) FROM STDIN (FORMAT binary);
SQL

my $run = generate('queries.pl', { 'd.sql' => $good }, 'd.sql');
is($run->{errors}, '', 'good queries compile');
my ($header, $source) = (contents($run, 'queries.h'), contents($run, 'queries.c'));
like($header, qr{^/\* Devices of the tenant in order of key\. \*/\nextern const struct db_query q_device_list;$}m,
    'the description stands above the declaration');
like($header, qr/^enum \{ DEVICE_LIST_KEY, DEVICE_LIST_NAME \};$/m, 'columns become an enum');
like($source, qr/\.name = "device_list".*?\.roles = "web read".*?\.n_columns = 2.*?\.n_params = 2,/s, 'the row is filled');
like($source, qr/\.name = "sample_copy".*?\.columns = NULL.*?\.n_columns = 0.*?\.n_params = 0,/s, 'a query without columns');
unlike($source, qr/by \$9|nested|writing/, 'comments are not sent');
like($source, qr/'; \$7 --'/, 'strings stay as they are');
like($source, qr/LIMIT \$2",/, 'the semicolon is not sent');
my $again = generate('queries.pl', { 'd.sql' => $good }, 'd.sql');
is(contents($again, 'queries.c'), $source, 'the same input gives the same output');

my @refused = (
    ['no name', "SELECT 1;\n", q{d.sql:1: statement before the first '-- name:' line}],
    ['an empty file', "-- nothing\n", 'd.sql:1: no query in this file'],
    ['a bad name', "-- name: List\n-- roles: web\n-- X.\nSELECT 1;\n", q{d.sql:1: name 'List' is not lower_case_words}],
    ['a long name', '-- name: ' . 'a' x 64 . "\n-- roles: web\n-- X.\nSELECT 1;\n", qr/\Ad\.sql:1: name 'a+' is longer than 63\n\z/],
    ['no roles', "-- name: a\n-- X.\nSELECT 1;\n", q{d.sql:1: query 'a' does not say its roles}],
    ['an unknown role', "-- name: a\n-- roles: web wbe\n-- X.\nSELECT 1;\n", q{d.sql:2: unknown role 'wbe'}],
    ['roles twice', "-- name: a\n-- roles: web\n-- roles: web\n-- X.\nSELECT 1;\n", q{d.sql:3: second 'roles:' line}],
    ['an unknown line', "-- name: a\n-- roles: web\n-- column: x\n-- X.\nSELECT 1;\n", q{d.sql:3: unknown line 'column:'; known are name, roles, columns}],
    ['no description', "-- name: a\n-- roles: web\nSELECT 1;\n", q{d.sql:1: query 'a' is not described by a comment}],
    ['a bad column', "-- name: a\n-- roles: web\n-- columns: X\n-- X.\nSELECT 1;\n", q{d.sql:3: column 'X' is not a lower_case name}],
    ['a column twice', "-- name: a\n-- roles: web\n-- columns: x x\n-- X.\nSELECT 1;\n", qr/\Ad\.sql:3: column 'x' twice\n/],
    ['no statement', "-- name: a\n-- roles: web\n-- X.\n\n", q{d.sql:1: query 'a' has no statement}],
    ['only a semicolon', "-- name: a\n-- roles: web\n-- X.\n;\n", q{d.sql:4: empty statement}],
    ['no semicolon', "-- name: a\n-- roles: web\n-- X.\n\nSELECT 1\n", q{d.sql:5: statement of 'a' is not ended by ';'}],
    ['two statements', "-- name: a\n-- roles: web\n-- X.\nSELECT 1;\nSELECT 2;\n", q{d.sql:5: text after the statement's ';'}],
    ['two statements on a line', "-- name: a\n-- roles: web\n-- X.\nSELECT 1; DROP TABLE x;\n", q{d.sql:4: text after the statement's ';'}],
    ['a parameter left out', "-- name: a\n-- roles: web\n-- X.\nSELECT \$1, \$3;\n", q{d.sql:4: parameter $2 is not used, $3 is}],
    ['too many parameters', "-- name: a\n-- roles: web\n-- X.\nSELECT " . join(',', map { "\$$_" } 1 .. 25) . ";\n", 'd.sql:4: more than 24 parameters'],
    ['an open string', "-- name: a\n-- roles: web\n-- X.\nSELECT\n 'x;\n", q{d.sql:5: ''' opened and never closed}],
    ['an open comment', "-- name: a\n-- roles: web\n-- X.\nSELECT 1 /* /* */;\n", qr{\Ad\.sql:4: '/\*.*' opened and never closed\n\z}s],
    ['an open dollar quote', "-- name: a\n-- roles: web\n-- X.\nSELECT \$a\$ x \$b\$;\n", q{d.sql:4: '$a$' opened and never closed}],
);
for my $case (@refused) {
    my ($name, $sql, $message) = @{$case};
    my $result = generate('queries.pl', { 'd.sql' => $sql }, 'd.sql');
    ok(refuses($result, $message), "refused: $name") or diag($result->{errors});
}

sub query { return "-- name: $_[0]\n-- roles: web\n-- columns: $_[1]\n-- X.\nSELECT 1;\n" }
$run = generate('queries.pl', { 'a.sql' => query('x', 'a'), 'b.sql' => query('x', 'a') }, 'b.sql', 'a.sql');
ok(refuses($run, q{b.sql:1: query 'x' is also at a.sql:1}), 'refused: a name in two files');
$run = generate('queries.pl', { 'a.sql' => query('x', 'y_z') . query('x_y', 'z') }, 'a.sql');
ok(refuses($run, q{a.sql:8: constant X_Y_Z is also of 'x'}), 'refused: two columns that make the same constant');
$run = generate('queries.pl', {});
is($run->{status}, 0, 'no files are no error');
done_testing();
