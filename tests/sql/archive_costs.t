#!/usr/bin/env perl
# The archive of costs: lines of the ledger with their names and exact numbers, as others read them; days
# that are written anew have a further file with all of them; what retention and erasures take; nothing
# is brought back; a store that lies is found out; archivers are killed at each of their steps. The store is a bucket on the last engine, a
# folder on the other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Test::More;
use Tidemark::Archiver qw(day archive archives_well keep_in objects object others_read);
use Tidemark::Cluster;
use Tidemark::Gate;
use Tidemark::Killed qw(kill_at kill_archivers);
use Tidemark::Lies qw(check_lies);
use Tidemark::Minio;
use Tidemark::Stack;

my @COLUMNS = qw(day site device zone from to schedule version charge title season period tier quantity unit rate amount
    currency at days of_days unpriced final);
my @TEXTS = qw(day site device zone schedule charge title period quantity unit rate amount currency);
my $SEED = $ENV{ARCHIVE_SEED} || time;
srand $SEED;
note "ARCHIVE_SEED=$SEED";

# The charges of the schedule: what its document says, and the unit of their quantities.
my @CHARGES = (
    { unit => 'kWh', document => { type => 'energy', prices => [{ rate => '0.3' }] } },
    { unit => 'kW', document => { type => 'demand', name => "Spitze \x{20ac}", prices => [{ rate => '9' }], ratchet => { percent => '80' } } },
    { unit => 'month', document => { type => 'fixed', amount => '5', per => 'month' } },
    { unit => 'kWh', document => { type => 'export', rate => '0.08' } },
    { unit => 'kW', document => { type => 'demand', rate => '7' } },
    { unit => 'kWh', document => { type => 'energy', series => 'spot' } },
    { unit => 'percent', document => { type => 'tax', name => 'City', percent => '7.5' } },
);

# ---- the ledger ----

sub pick { return $_[rand @_] }
sub quoted { my ($text) = @_; return defined $text ? "'" . $text =~ s/'/''/gr . "'" : 'NULL' }

# A number in billionths and as the decimal that it is.
sub billionths {
    my $whole = pick(0, 7, int rand 1e6, 9_223_372_035);
    my $rest = pick('000000000', '000000001', '999999999', '500000000', sprintf '%09d', rand 1e9);
    my $sign = "$whole$rest" =~ /[1-9]/ ? pick('', '-') : '';
    return ($sign . ("$whole$rest" =~ s/^0+(?=\d)//r), $sign . ("$whole.$rest" =~ s/\.?0+$//r));
}

my $n_lines = 0;

# Writes a line; what a reader is to find of it.
sub add_line {
    my ($super, $tenant, $account, $ago, $is_rated) = @_;
    my ($site, $device) = @{$account};
    my $at = int rand @CHARGES;
    my ($nano, $quantity) = billionths();
    my ($nano_rate, $rate) = billionths();
    my $amount = pick('0', '-0.000000000000000001', '123456789012345678.123456789012345678', int(rand 1e6) / 8);
    my ($season, $period, $tier, $has_rate, $is_moment) = (pick(-1, 0, 3), pick(undef, 'peak', "H\x{f6}chst"), pick(-1, 0, 2), pick(0, 1), pick(0, 1));
    my $moment = day($ago) . ' 12:34:56.789012';
    my ($days, $of_days, $unpriced) = map { int rand 31 } 1 .. 3;
    utf8::encode(my $bytes = $period // '');
    my $line = $n_lines++;
    my $id = sub { my ($table, $key) = @_; return defined $key ? "(SELECT id FROM core.$table WHERE tenant_id = $tenant AND key = '$key')" : 0 };
    $super->query("INSERT INTO core.cost_calculation VALUES ($tenant, @{[$id->('site', $site)]}, @{[$id->('device', $device)]}, '@{[day($ago)]}',"
            . " $line, (SELECT id FROM core.rate_schedule WHERE tenant_id = $tenant), 2, $at, 'charge-$at', $season, 0,"
            . " @{[defined $period ? quoted($bytes) : 'NULL']}, $tier, $nano, $nano_rate, @{[$has_rate ? 'true' : 'false']}, $days, $of_days, $amount,"
            . " @{[$is_moment ? quoted(\"${moment}Z\") : 'NULL']}, $unpriced)");
    my $time = sub { my ($text) = @_; return $text =~ s/ /T/r . 'Z' };
    return { line => $line, day => day($ago), site => $site, device => $device, version => 2, schedule => 'Strom', charge => "charge-$at",
        title => $CHARGES[$at]{document}{name}, season => $season < 0 ? undef : $season, period => $period, tier => $tier < 0 ? undef : $tier,
        quantity => $quantity, unit => $CHARGES[$at]{unit}, rate => $has_rate ? $rate : undef, amount => "$amount", currency => 'EUR',
        at => $is_moment ? $time->($moment) : undef, days => $days, of_days => $of_days, unpriced => $unpriced,
        zone => $is_rated ? 'Europe/Berlin' : undef, final => $is_rated ? JSON::PP::true : undef,
        from => $is_rated ? $time->(day($ago + 1) . ' 23:00:00') : undef, to => $is_rated ? $time->(day($ago) . ' 23:00:00') : undef };
}

# Says of an account's day what it is as a whole.
sub add_day {
    my ($super, $tenant, $account, $ago) = @_;
    $super->query("INSERT INTO core.cost_day SELECT $tenant, coalesce((SELECT id FROM core.site WHERE tenant_id = $tenant AND key = @{[quoted($account->[0])]}), 0),"
            . " coalesce((SELECT id FROM core.device WHERE tenant_id = $tenant AND key = @{[quoted($account->[1])]}), 0), '@{[day($ago)]}', 'Europe/Berlin',"
            . " '@{[day($ago + 1)]} 23:00Z', '@{[day($ago)]} 23:00Z', 'EUR', 1, 0, 1, 0, 0, '[]', true, true, true, false, 0, '{}', '{}', ''");
    return;
}

# In the order of a file: by account as it was made, and line.
my @ACCOUNTS = ([undef, undef], ['roof', undef], ['roof', 'meter']);

sub fill_day {
    my ($super, $tenant, $ago, $n) = @_;
    my @lines;
    for my $account (@ACCOUNTS) {
        my $is_rated = rand() < 0.7;
        add_day($super, $tenant, $account, $ago) if $is_rated;
        push @lines, map { add_line($super, $tenant, $account, $ago, $is_rated) } 1 .. $n;
    }
    return @lines;
}

sub populate {
    my ($cluster, $super) = @_;
    my $operator = $cluster->session('tidemark_operator');
    my $document = JSON::PP->new->canonical->utf8->encode({ name => 'Strom', charges => [map { $_->{document} } @CHARGES] });
    for my $name (qw(alpha bravo)) {
        my $id = $operator->value("SELECT ops.tenant_add('$name', '$name', 'Europe/Berlin', 'EUR')");
        $operator->query("SELECT ops.site_put('$name', 'roof', 'roof', 'UTC'); SELECT ops.device_put('$name', 'meter', NULL, NULL, NULL, NULL)");
        $super->query("INSERT INTO core.rate_schedule (tenant_id, name) VALUES ($id, 'Strom')");
        $super->query("INSERT INTO core.rate_version SELECT s.tenant_id, s.id, n, 'Europe/Berlin', CASE n WHEN 2 THEN 'EUR' ELSE 'USD' END, '2000-01-01', 'infinity',"
                . " now(), 'x', 'tidemark', @{[quoted($document)]} FROM core.rate_schedule s, generate_series(1, 2) n WHERE s.tenant_id = $id");
    }
    return;
}

# ---- what is checked ----

sub changes { return $_[0]->value("SELECT count(*) FROM core.archive_cost_note") }

# What of a day is in its file: all of these lines.
sub reads {
    my ($cluster, $super, $ago, $n, @lines) = @_;
    my $json = JSON::PP->new->utf8;
    my @rows = map { my %row = %{$_}; delete $row{line}; $json->encode(\%row) } @lines;
    return others_read($cluster, object($super, 1, $ago, $n, 'rows'), \@COLUMNS, @rows);
}

sub check_first {
    my ($cluster, $super, $gate, $lines) = @_;
    is(changes($super), 0, 'without an archive nothing is noted');
    $cluster->session('tidemark_worker')->query('SELECT ops.archive_configure(true, 72)');
    check_lies($cluster, $super, $gate, 'costs', qw(alpha bravo));
    archives_well($cluster, qr/^4 days, 60 rows/m, 'first days');
    is(scalar(grep {m{^archive/costs/tenant=\w+/day=[-\d]+/[0-9a-f]{32}\.parquet$}} objects($cluster)), 4, '  a file a day and tenant');
    archives_well($cluster, qr/^0 days, 0 rows/m, 'nothing new');
    reads($cluster, $super, $_, 1, @{ $lines->{$_} }) for 10, 9;
    my ($status, $said) = archive($cluster, 'verify');
    is($status, 0, 'all is sound') or diag($said);
    return;
}

# As if a week had gone by since all that is archived was.
sub pass_week { return $_[0]->query("UPDATE core.archive SET archived_at = archived_at - interval '7 days 1 minute'") }

# Lines that are written anew make a file with all of the day.
sub check_anew {
    my ($cluster, $super, $lines) = @_;
    fill_day($super, 1, 1, 2);
    is(changes($super), 0, 'a day that is not archived is nothing to note');
    my $gone = splice @{ $lines->{9} }, 2, 1;
    $super->query("BEGIN; DELETE FROM core.cost_calculation WHERE tenant_id = 1 AND line = $gone->{line};"
            . " DELETE FROM core.cost_calculation WHERE tenant_id = 1 AND line = -1");
    push @{ $lines->{9} }, add_line($super, 1, $ACCOUNTS[2], 9, $lines->{9}[-1]{final});
    $super->query('COMMIT');
    is(changes($super), 2, 'one that is written anew is noted, once a statement that writes');
    archives_well($cluster, qr/^0 days, 0 rows/m, '  where it got a file less than a week ago it waits:');
    pass_week($super);
    archives_well($cluster, qr/^1 days, 15 rows/m, '  it');
    reads($cluster, $super, 9, 2, @{ $lines->{9} });
    $super->query("DELETE FROM core.cost_calculation WHERE tenant_id = 1 AND day = '@{[day(10)]}'");
    archives_well($cluster, qr/^1 days, 0 rows/m, 'a day that has none any more');
    reads($cluster, $super, 10, 2);
    is($super->value("SELECT count(*) FROM core.archive WHERE kind <> 'rows'"), 0, 'there are no tombstones');
    return;
}

# An erased device has no account of its own in what is written anew, which does not wait.
sub check_erasure {
    my ($cluster, $super, $lines) = @_;
    $cluster->session('tidemark_web', new => 1)->bind(1)->query("SELECT api.device_erase('meter')");
    archives_well($cluster, qr/^1 days, 9 rows/m, 'an erased device');
    reads($cluster, $super, 9, 3, grep { !defined $_->{device} } @{ $lines->{9} });
    return;
}

# What retention takes is in the archive alone; nothing is brought back.
sub check_retention {
    my ($cluster, $super) = @_;
    fill_day($super, 2, 2600, 1);
    $super->query("DELETE FROM core.archive_cursor WHERE tenant_id = 2");
    archives_well($cluster, qr/^1 days, 3 rows/m, 'a day of long ago');
    $cluster->session('tidemark_worker')->query('SELECT ops.cost_prune()');
    is($super->value("SELECT count(*) FROM core.cost_calculation WHERE tenant_id = 2 AND day < '@{[day(100)]}'"), 0, '  is dropped');
    is(changes($super), 0, '  which changes nothing of it in the archive');
    my ($status, $said) = archive($cluster, 'list', '--tenant', 'bravo', '--to', day(100));
    like($said, qr/^bravo\tcosts\t@{[day(2600)]}\t1\trows\t3\t\d+\tarchive alone/m, '  where alone it is');
    ($status, $said) = archive($cluster, 'restore', '--tenant', 'bravo');
    is("$status $said", "0 exit 0\n", '  and stays');
    my $id = $super->value("SELECT id FROM core.archive WHERE day = '@{[day(2600)]}'");
    is($cluster->session('tidemark_web', new => 1)->bind(2)->run("SELECT api.archive_restore($id)")->{error}, 'TM409', '  whoever asks');
    return;
}

sub check_kills {
    my ($cluster, $super, $gate) = @_;
    $super->query('TRUNCATE core.archive, core.archive_day, core.archive_cursor, core.archive_change, core.archive_cost_note');
    kill_at($cluster, $super, 'begin a day', 'core.cost_calculation IN ACCESS EXCLUSIVE', 'run');
    kill_at($cluster, $super, 'mark a day', 'core.archive IN SHARE', 'run');
    is($super->value('SELECT count(*) FROM core.archive'), 0, '  nothing is noted');
    kill_archivers($cluster, $super, $gate, 'costs');
    is($super->text("SELECT count(*), count(DISTINCT (tenant_id, day)), sum(n_rows) FROM core.archive"), '3 3 39', '  each day once, with all of its lines');
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my $super = $cluster->session('tidemark_super');
    my $minio = Tidemark::Minio->on_last($cluster->engine, Tidemark::Stack->engines);
    my $gate = $minio && Tidemark::Gate->new($minio);
    keep_in($cluster, $minio) if $minio;
    populate($cluster, $super);
    my %lines = map { $_ => [fill_day($super, 1, $_, 5)] } 10, 9;
    fill_day($super, 2, $_, 5) for 10, 9;
    check_first($cluster, $super, $gate, \%lines);
    check_anew($cluster, $super, \%lines);
    check_erasure($cluster, $super, \%lines);
    check_retention($cluster, $super);
    check_kills($cluster, $super, $gate);
});
done_testing;
