#!/usr/bin/perl
# app/gen/migrations.pl: engine parts, checksums, and what it refuses.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Generator qw(generate refuses contents);

my %files = (
    'm/0001_first.sql' => "CREATE TABLE a ();\n",
    'm/0002_parts.sql' => "CREATE TABLE b ();\n-- engine: split\nSELECT '\"\\?';\n",
    'e/postgres/split.sql' => "SELECT 'plain';\n",
    'e/timescaledb/split.sql' => "SELECT 'hyper';\n",
    'bootstrap.sql' => "CREATE ROLE x;\n",
);
my @arguments = ('--engine', 'e');

sub run {
    my ($change) = @_;
    my %input = (%files, %{ $change || {} });
    delete $input{$_} for grep { !defined $input{$_} } keys %input;
    return generate('migrations.pl', \%input, @arguments, exists $input{'bootstrap.sql'} ? ('--bootstrap', 'bootstrap.sql') : (),
        grep { m{^m/} } sort keys %input);
}

sub checksums { return contents($_[0], 'migrations.c') =~ /"([0-9a-f]{64})"/g }

my $run = run();
is($run->{errors}, '', 'good migrations compile');
my $source = contents($run, 'migrations.c');
like($source, qr/\{ 1, "first", \{ sql_1, sql_1 \},/, 'without a part both engines share one text');
like($source, qr/\{ 2, "parts", \{ sql_2, sql_2_timescaledb \},/, 'with a part each has its own');
like($source, qr/sql_2\[\] =\n    "CREATE TABLE b \(\);\\n"\n    "SELECT 'plain';\\n"\n    "SELECT '\\"\\\\\?';\\n";/, 'the part stands where its line was');
like($source, qr/SELECT 'hyper'/, 'the other engine has its part');
like($source, qr/db_bootstrap_sql =\n    "CREATE ROLE x;\\n";/, 'the bootstrap is embedded');
like($source, qr/db_migrations_count = 2;/, 'the table says how long it is');
my @sums = checksums($run);
my ($plain, $hyper) = map { "CREATE TABLE b ();\nSELECT '$_';\nSELECT '\"\\?';\n" } qw(plain hyper);
is($sums[1], sha256_hex(join "\0", $files{'m/0002_parts.sql'}, 'postgres', $plain, 'timescaledb', $hyper),
    'the checksum is over the file and what each engine makes of it');
is((checksums(run({ 'e/timescaledb/split.sql' => "SELECT 'hyper' ;\n" })))[0], $sums[0], 'a changed part leaves other checksums');
isnt((checksums(run({ 'e/timescaledb/split.sql' => "SELECT 'hyper' ;\n" })))[1], $sums[1], 'and changes its own');
like(contents(run({ 'bootstrap.sql' => undef }), 'migrations.c'), qr/db_bootstrap_sql =\n    "";/, 'no bootstrap is an empty one');

my @refused = (
    ['a gap', { 'm/0002_parts.sql' => undef, 'm/0003_x.sql' => "-- engine: split\n" }, 'm/0003_x.sql:1: version 0003 where 0002 is next'],
    ['a number twice', { 'm/0002_other.sql' => "SELECT 1;\n" }, 'm/0002_parts.sql:1: version 0002 where 0003 is next'],
    ['a bad name', { 'm/3_x.sql' => "SELECT 1;\n" }, 'm/3_x.sql:1: a migration is named 0001_lower_case.sql'],
    ['a missing part', { 'e/postgres/split.sql' => undef }, q{m/0002_parts.sql:2: engine part 'split' has no e/postgres/split.sql}],
    ['a bad part', { 'm/0003_x.sql' => "-- engine: ../x\n" }, qr/\A(?:m\/0003_x\.sql:1: engine part '\.\.\/x' is not a lower_case name\n){2}\z/],
    ['a part that nothing uses', { 'e/postgres/other.sql' => "SELECT 1;\n" }, 'e/postgres/other.sql:1: no migration has this engine part'],
    ['a psql command', { 'm/0001_first.sql' => "SELECT 1;\n\\i x\n" }, 'm/0001_first.sql:2: a psql command; only SQL is sent'],
    ['a transaction', { 'm/0001_first.sql' => "SELECT 1;\nCOMMIT;\n" }, q{m/0001_first.sql:2: 'COMMIT;': a migration is one transaction already}],
    ['a transaction in a part', { 'e/postgres/split.sql' => "BEGIN ;\n" }, q{e/postgres/split.sql:1: 'BEGIN ;': a migration is one transaction already}],
    ['an empty file', { 'm/0001_first.sql' => '' }, qr{\Am/0001_first\.sql:1: empty\n}],
    ['a last line without end', { 'm/0001_first.sql' => "SELECT 1;\n-- x" }, 'm/0001_first.sql:2: the last line is not ended'],
);
for my $case (@refused) {
    my ($name, $change, $message) = @{$case};
    my $result = run($change);
    ok(refuses($result, $message), "refused: $name") or diag($result->{errors});
}
done_testing();
