#!/usr/bin/perl
# Lists of samples and buckets of days that the database does not have any more: byte for byte what they
# were, in each form, page by page and as a whole, with what was corrected, deleted, erased or came late.
# Whose they are; days that were brought back; files that are damaged or gone; a store that is away. On
# each engine, one of them with its objects in a bucket.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(strftime);
use Test::More;
use Tidemark::Day;
use Tidemark::Minio;
use Tidemark::Psql;
use Tidemark::Stack;
use Time::HiRes qw(sleep time);

my $DAY = 86400;
my $TODAY = Tidemark::Day::today();
my ($stack, $minio, %settings, %token);

sub moment { my ($ago, $second) = @_; return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($TODAY - $ago * $DAY + ($second // 0))) }
sub day { return strftime('%Y-%m-%d', gmtime($TODAY - $_[0] * $DAY)) }
sub as { my ($who, $method, $path, %option) = @_; return $stack->request($method, $path, token => $token{$who}, %option) }

sub archive_run { return $stack->cli('archive', 'run', { env => \%settings }) }

sub await {
    my ($what, $name) = @_;
    my $deadline = time + 60;
    sleep 0.1 while !$what->() && time < $deadline;
    return ok($what->(), $name);
}

# What retention does, until it has dropped the old rows of the table, of the tenant or of all.
sub retain {
    my ($table, $column) = @_;
    my $deadline = time + 60;
    while ($stack->sql("SELECT count(*) FROM $table WHERE tenant_id = (SELECT id FROM core.tenant WHERE slug = 'home') AND $column < now() - interval '30 days'") > 0) {
        die "rows of $table are not dropped\n" if time > $deadline;
        for my $step ($stack->sql("SELECT relation, from_time, to_time, tenant_id FROM ops.retention_plan() WHERE relation = '$table'")) {
            my ($relation, $from, $to, $tenant) = split /\|/, $step;
            $tenant = 'NULL' if !length($tenant // '');
            $stack->sql("SELECT ops.retention_step('$relation', '$from', '$to', $tenant)");
        }
        sleep 0.2;
    }
    return;
}

# All pages of a list in JSON, one text; and how often each source was named.
sub pages {
    my ($path, @values) = @_;
    my ($next, $text, %source) = ('', '');
    @values = 'value' if !@values;
    do {
        my $answer = as('api', 'GET', $path . ($next ? "&cursor=$next" : ''));
        return "$answer->{status} $answer->{content}" if $answer->{status} != 200;
        $source{ $answer->{headers}{'tidemark-source'} // 'none' }++;
        $text .= join '', map { "$_->{time} $_->{metric} " . ($_->{labels}{phase} // '') . " @$_{@values}\n" } @{ $answer->{json}{items} };
        $next = $answer->{json}{next};
    } while ($next);
    return wantarray ? ($text, \%source) : $text;
}

my %asked = (
    'all of it as CSV' => '?format=csv',
    'all of it as NDJSON' => '?format=ndjson',
    'all of it as Parquet' => '?format=parquet',
    'a metric' => '?format=csv&metric=power.w',
    'a part of a day' => '?from=' . moment(40, 3000) . '&to=' . moment(40, 9000),
    'days that are dropped' => '?format=csv&from=' . moment(42) . '&to=' . moment(37),
    'from a dropped day on' => '?limit=1000&from=' . moment(38, 50000),
    'the recent ones' => '?limit=1000&from=' . moment(6),
    'nothing, of a dropped day' => '?from=' . moment(39, 80000) . '&to=' . moment(39, 80001),
);

sub answers {
    my %answer = map { $_ => as('api', 'GET', "/v1/devices/meter%2F1/samples$asked{$_}")->{content} } keys %asked;
    $answer{"pages of $_"} = pages("/v1/devices/meter%2F1/samples?limit=$_") for 7, 97;
    return \%answer;
}

sub same {
    my ($before, $name) = @_;
    my $after = answers();
    ok($after->{$_} eq $before->{$_}, "$name: $_") or diag(substr($before->{$_}, 0, 400), "\n---\n", substr($after->{$_}, 0, 400)) for sort keys %{$before};
    return;
}

sub source_of { my ($path) = @_; return as('api', 'GET', "/v1/devices/meter%2F1/samples$path")->{headers}{'tidemark-source'} }

sub populate {
    $stack->cli('tenant', 'add', $_, '--timezone', 'Europe/Berlin') for qw(home other);
    %token = (admin => $stack->token('home', 'admin'), api => $stack->token('home', 'api'), other => $stack->token('other', 'admin'),
        old => $stack->token('home', 'device', '--backfill'), old_other => $stack->token('other', 'device', '--backfill'));
    is($stack->post('/v1/event', { device => 'meter/1', time => moment(75, 43200), metrics => { power_w => 3 } }, token => $token{old})->{status}, 200, 'a sample of long ago');
    for my $ago (41, 40, 39, 38, 5, 0) {    # nothing happens to the first
        my @events = map { my $at = $_; { device => 'meter/1', time => moment($ago, 600 * $at), metrics => { power_w => $at / 7 + $ago, energy_kwh => 0.1 * $at } } } 0 .. 60;
        push @events, map { { device => 'gone', time => moment($ago, 600 * $_), metrics => { power_w => $_ } } } 0 .. 5;
        is($stack->post('/v1/events/batch', [ grep { $_->{time} lt moment(0, time - $TODAY) } @events ], token => $token{old})->{status}, 200, "samples of $ago days ago");
        my $lines = join "\n", map { my $at = $_; map {"power,device=meter/1,phase=$_ w=" . ($at * 1.3 + $ago) . ' ' . ($TODAY - $ago * $DAY + 900 * $at)} qw(L1 L2) } 0 .. 20;
        is($stack->request('POST', '/write?db=x&precision=s', token => $token{old}, body => $lines)->{status}, 204, '  with labels') if $ago > 0;
    }
    is($stack->post('/v1/events/batch', [ map { { device => 'meter/1', time => moment(40, 600 * $_), metrics => { power_w => -1 } } } 0 .. 9 ], token => $token{old_other})->{status},
        200, "another tenant's device of that name");
    $stack->settle;
    return;
}

# A day of so many samples that no window of the archive's reader has them at once: 300,000 of two
# series, which are not posted but put there. As CSV, and parts of it page by page.
my @DENSE = ('?format=csv', map { '?limit=1000&from=' . moment(40, $_) } 0, 40000, 74999);

sub populate_dense {
    $stack->cli('tenant', 'add', 'dense');
    $token{dense} = $stack->token('dense', 'admin');
    my $device = $stack->token('dense', 'device', '--backfill');
    is($stack->post('/v1/event', { device => 'meter', time => moment(40), metrics => { power_w => 0, current_a => 0 } }, token => $device)->{status}, 200, 'a dense device');
    $stack->sql("INSERT INTO core.sample SELECT s.tenant_id, s.id, timestamptz '@{[moment(40)]}' + i * interval '0.5 s', i / 7.0 + s.id"
            . " FROM core.series s, generate_series(1, 149999) i WHERE s.tenant_id = (SELECT id FROM core.tenant WHERE slug = 'dense')");
    return;
}

sub dense { return map { as('dense', 'GET', "/v1/devices/meter/samples$_")->{content} } @DENSE }

sub check_dense {
    my @before = @_;
    my @after = dense();
    is($before[0] =~ tr/\n//, 300_001, 'many samples of a day');
    ok($after[$_] eq $before[$_], "  are the same: $DENSE[$_]") for 0 .. $#DENSE;
    return;
}

# Corrected, deleted, erased and late after the days were archived, and archived again.
sub change {
    my ($n) = archive_run() =~ /^(\d+) days, /m;
    is($n, $token{dense} ? 8 : 7, 'the old days are archived');
    my $path = '/v1/devices/meter%2F1/samples';
    my $items = [ { time => moment(40, 600), metric => 'power_w', value => 1234.5 }, { time => moment(39, 1200), metric => 'energy_kwh', value => 0 } ];
    is(as('admin', 'PUT', $path, body => { items => $items })->{status}, 200, 'two are corrected');
    is(as('admin', 'DELETE', "$path?metric=power_w&from=" . moment(39, 3000) . '&to=' . moment(38, 6000))->{status}, 200, 'some are deleted');
    is($stack->post('/v1/event', { device => 'meter/1', time => moment(38, 3300), metrics => { power_w => 0.125 } }, token => $token{old})->{status}, 200, 'one is late');
    $stack->settle;
    archive_run();
    return;
}

sub check_dropped {
    my @dense = @_;
    my $before = answers();
    is(source_of('?limit=5'), undef, 'what the database has is not marked');
    my $n = $stack->sql("SELECT count(*) FROM core.sample x JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id"
            . " JOIN core.tenant t ON t.id = d.tenant_id WHERE t.slug = 'home' AND d.key = 'meter/1'");
    cmp_ok($n, '>', 600, 'a number of samples');
    is($before->{'all of it as CSV'} =~ tr/\n// - 1, $n, '  all of which are listed');
    my $days = '20, 365, 1825, 90';
    my $asked = $asked{'all of it as CSV'};
    my $amid = @dense ? ask_amid_drop("/v1/devices/meter/samples$DENSE[0]", 'dense', 'core.sample', $days, 'core.archive_day', 2)
        : ask_amid_drop("/v1/devices/meter%2F1/samples$asked", 'api', 'core.sample', $days, 'core.archive_day', 1);
    is($amid->{status}, 200, '  it is answered');
    ok($amid->{content} eq (@dense ? $dense[0] : $before->{'all of it as CSV'}), '  with all that there was') or diag(length $amid->{content});
    retain('core.sample', 'time');
    same($before, 'dropped');
    is(source_of('?from=' . moment(41) . '&to=' . moment(37)), 'archive', 'the answer says that it is of the archive');
    is(source_of('?limit=5'), 'database+archive', '  or of both');
    is(source_of('?format=csv'), 'database+archive', '  streams too');
    is(source_of('?from=' . moment(6)), undef, '  but not where nothing of it was asked for');
    my ($text, $sources) = pages('/v1/devices/meter%2F1/samples?limit=90');
    ok($sources->{none} && $sources->{'database+archive'}, '  page by page');
    is(as('other', 'GET', '/v1/devices/gone/samples')->{status}, 404, "another tenant has no such device");
    my @other = map { $_->{value} } @{ as('other', 'GET', '/v1/devices/meter%2F1/samples?metric=power_w')->{json}{items} };
    is("@other", join(' ', (-1) x 10), '  and of one of that name its own samples');
    return $before;
}

# Asks while retention drops all old chunks of the table after the reader's transaction saw that they are
# there, and before it read them: it is held where it asks for rows of `hold`. `page`: in which page of a
# stream. `days`: the settings that are made then. Returns the answer.
sub ask_amid_drop {
    my ($path, $token, $table, $days, $hold, $page) = @_;
    my $psql = (sort glob '/usr/lib/postgresql/1[5-8]/bin/psql')[-1];
    my @holder = map { Tidemark::Psql->open([$psql], "$stack->{home}/run", 'tidemark_super') } 1 .. $page;
    my $await = sub {
        my ($n) = @_;
        my $deadline = time + 30;
        while ($stack->sql("SELECT count(*) FROM pg_locks WHERE relation = '$hold'::regclass AND NOT granted") < $n) {
            die "nobody waits for the holder\n" if time > $deadline;
            sleep 0.02;
        }
    };
    my $lock = "LOCK TABLE $hold IN ACCESS EXCLUSIVE MODE";
    $holder[0]->query("BEGIN; $lock");
    pipe my $in, my $out or die $!;
    my $pid = fork // die $!;
    if (!$pid) {
        close $in;
        delete $stack->{http};
        my $answer = as($token, 'GET', $path);
        binmode $out;
        print {$out} "$answer->{status}\n$answer->{content}";
        close $out;
        POSIX::_exit(0);
    }
    close $out;
    $await->(1);
    if ($page > 1) {    # who asks next, before the reader does
        $holder[1]->begin("BEGIN; $lock; SELECT 'held'");
        $await->(2);
        $holder[0]->query('COMMIT');
        $holder[1]->finish;
        $await->(1);
    }
    $holder[-1]->query("SELECT ops.retention_set($days)");
    my $n = $holder[-1]->value("SELECT count(*) FROM (SELECT ops.retention_step(p.relation, p.from_time, p.to_time, p.tenant_id) FROM ops.retention_plan() p WHERE p.relation = '$table' AND p.tenant_id IS NULL) x");
    cmp_ok($n, '>', 0, "chunks of $table are dropped amid page $page");
    $holder[-1]->query('COMMIT');
    binmode $in;
    my ($status, $content) = do { local $/ = undef; split /\n/, <$in>, 2 };
    waitpid $pid, 0;
    return { status => $status, content => $content };
}

# Lists of buckets that begin, and mostly end, before what is archived ends, but for the first.
sub buckets {
    my %answer;
    my $range = '&from=' . moment(74) . '&to=' . moment(35);    # the buckets that the archive has whole
    for my $grain (qw(15m 1h 1d 1w 1mo)) {
        for my $zone ('', 'UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe') {
            my $asked = "bucket=$grain" . ($zone && "&tz=$zone");
            $answer{"$asked of a device"} = as('api', 'GET', "/v1/devices/meter%2F1/samples?$asked&format=ndjson$range")->{content};
            $answer{"$asked across devices"} = as('api', 'GET', "/v1/rollups?$asked&format=csv$range")->{content};
        }
        $answer{"$grain as Parquet"} = as('api', 'GET', "/v1/rollups?bucket=$grain&format=parquet&metric=power_w$range")->{content};
        $answer{"pages of $grain"} = pages("/v1/devices/meter%2F1/samples?bucket=$grain&limit=7$range", qw(count sum min max avg first last));
    }
    $answer{'a part of a day'} = as('api', 'GET', '/v1/devices/meter%2F1/samples?bucket=1h&from=' . moment(39, 7200) . '&to=' . moment(39, 14400))->{content};
    return \%answer;
}

sub check_buckets {
    my $before = buckets();
    my $source = sub { return as('api', 'GET', "/v1/rollups?bucket=$_[0]$_[1]")->{headers}{'tidemark-source'} };
    is($source->('1h', '&to=' . moment(35)), undef, 'buckets that the database has are not marked');
    cmp_ok($before->{'bucket=15m of a device'} =~ tr/\n//, '>', 200, '  of which there are many');
    my $amid = ask_amid_drop('/v1/devices/meter%2F1/samples?bucket=15m&format=ndjson&from=' . moment(74) . '&to=' . moment(35), 'api', 'core.rollup_15m', '20, 9, 9, 90', 'core.device', 1);
    ok($amid->{content} eq $before->{'bucket=15m of a device'}, '  all buckets are in the answer') or diag(substr($amid->{content}, 0, 600));
    retain("core.rollup_$_", 'bucket') for qw(15m 1h);
    $stack->sql("DELETE FROM core.rollup_$_ WHERE bucket < now() - interval '30 days'") for qw(1d 1w 1mo);    # whose partitions are years
    my $after = buckets();
    ok($after->{$_} eq $before->{$_}, "dropped: $_") or diag(substr($before->{$_}, 0, 600), "\n---\n", substr($after->{$_}, 0, 600)) for sort keys %{$before};
    is($source->($_, '&to=' . moment(35)), 'archive', "$_: the answer says that it is of the archive") for qw(1h 1mo);
    is($source->('1d', ''), 'database+archive', '  or of both');
    is($source->('1d', '&from=' . moment(5)), undef, '  or of the database');
    for my $grain (qw(1d 1w 1mo)) {
        my ($first) = map { $_->{time} } @{ as('api', 'GET', "/v1/rollups?bucket=$grain&metric=power_w&tz=Asia/Kathmandu&limit=1")->{json}{items} };
        cmp_ok($first, 'gt', moment(75), "  none of $grain that began before the archive did");
    }
    is(as('other', 'GET', '/v1/rollups?bucket=1d&metric=energy_kwh')->{content}, '{"items":[],"next":null}', '  and of nobody else');
    return;
}

sub check_late {
    my ($before) = @_;
    is($stack->post('/v1/event', { device => 'meter/1', time => moment(40, 600), metrics => { power_w => 77 } }, token => $token{old})->{status}, 200, 'a sample of a dropped day');
    my @first = @{ as('api', 'GET', '/v1/devices/meter%2F1/samples?metric=power_w&limit=3&from=' . moment(40))->{json}{items} };
    is_deeply([map { $_->{value} } @first], [40, 77, 2 / 7 + 40], 'takes the place of the one in the archive');
    archive_run();
    @first = @{ as('api', 'GET', '/v1/devices/meter%2F1/samples?metric=power_w&limit=3&from=' . moment(40))->{json}{items} };
    is_deeply([map { $_->{value} } @first], [40, 77, 2 / 7 + 40], '  when it is archived, too');
    my ($bucket) = @{ as('api', 'GET', '/v1/devices/meter%2F1/samples?bucket=1d&tz=UTC&metric=power_w&limit=1&from=' . moment(40))->{json}{items} };
    is_deeply([@$bucket{qw(time count min)}], [moment(40), 61, 40], '  also in the buckets that it is in');
    $stack->sql("DELETE FROM core.sample WHERE time < now() - interval '30 days'");
    @first = @{ as('api', 'GET', '/v1/devices/meter%2F1/samples?metric=power_w&limit=3&from=' . moment(40))->{json}{items} };
    is_deeply([map { $_->{value} } @first], [40, 77, 2 / 7 + 40], '  and dropped again');
    return;
}

# Deletions of days that the archive alone has, which overlap, the smaller one first and last: what is left is
# what was asked for alone when all was there, before the archiver wrote a tombstone and after.
sub check_deleted {
    my $path = '/v1/devices/meter%2F1/samples';
    my %left = map { $_ => "metric=energy_kwh&$_" } qw(format=csv format=ndjson format=parquet bucket=1h&format=ndjson bucket=15m&tz=Asia/Kathmandu&format=csv);
    for ([39, [3600, 7200], [0, 21600]], [38, [0, 21600], [3600, 7200], [3600, 3601]]) {
        my ($ago, @ranges) = @{$_};
        my $to = '&to=' . moment($ago - 1);
        my $ask = sub { my ($what, $second) = @_; return as('api', 'GET', "$path?$left{$what}&from=" . moment($ago, $second) . $to)->{content} };
        my %before = map { $_ => $ask->($_, 21600) } keys %left;
        is($before{'format=csv'} =~ tr/\n//, 26, 'samples of a day that the archive has, after six hours of it');
        isnt($ask->($_, 0), $before{$_}, "  not all: $_") for sort keys %left;
        is(as('admin', 'DELETE', "$path?metric=energy_kwh&from=" . moment($ago, $_->[0]) . '&to=' . moment($ago, $_->[1]))->{status}, 200, "  deleted: $_->[0] to $_->[1]") for @ranges;
        for my $when ('not in the files yet', 'in the files') {
            ok($ask->($_, 0) eq $before{$_}, "  the others are left, $when: $_") or diag(/parquet/ ? 'others' : substr $ask->($_, 0), 0, 600) for sort keys %left;
            my ($bucket) = @{ as('api', 'GET', "$path?metric=energy_kwh&bucket=1d&tz=UTC&from=" . moment($ago) . $to)->{json}{items} };
            is_deeply([map { sprintf '%.9g', $bucket->{$_} } qw(count min max sum)], [25, 3.6, 6, 120], '  and in the day');
            archive_run();
        }
    }
    return;
}

sub check_erased {
    is(scalar @{ as('api', 'GET', '/v1/devices/gone/samples?to=' . moment(30))->{json}{items} }, 24, 'a device has samples in the archive');
    is(as('admin', 'DELETE', '/v1/devices/gone/samples?from=' . moment(40, 600) . '&to=' . moment(40, 1200))->{status}, 200, 'one is deleted');
    is(as('admin', 'DELETE', '/v1/devices/gone')->{status}, 200, 'it is erased') or diag(as('admin', 'GET', '/v1/devices/gone')->{content});
    my $deadline = time + 20;
    until (as('api', 'GET', '/v1/devices/gone/samples')->{status} == 200) {    # until ingest has heard of it
        die "no new device\n" if time > $deadline;
        $stack->post('/v1/event', { device => 'gone', time => moment(0), metrics => { power_w => 5 } }, token => $token{old});
        sleep 0.2;
    }
    for my $when ('not in the files yet', 'in the files') {
        my @items = @{ as('api', 'GET', '/v1/devices/gone/samples')->{json}{items} };
        is(scalar @items, 1, "a new one of that name has nothing of it: $when");
        archive_run();
    }
    return;
}

sub check_restored {
    my $range = '?format=csv&from=' . moment(39) . '&to=' . moment(38);
    my $before = as('api', 'GET', "/v1/devices/meter%2F1/samples$range")->{content};
    $stack->cli('archive', 'restore', '--tenant', 'home', '--from', day(39), '--to', day(39), { env => \%settings });
    my $answer = as('api', 'GET', "/v1/devices/meter%2F1/samples$range");
    is($answer->{content}, $before, 'a day that was brought back is the same');
    is($answer->{headers}{'tidemark-source'}, undef, '  out of the database');
    return;
}

# What the tenant's own settings hide, which the archive has.
sub check_hidden {
    my $path = '/v1/devices/meter%2F1/samples?to=' . moment(35);
    my $old = as('api', 'GET', "$path&limit=1000")->{content};
    my @hours = map { "/v1/rollups?bucket=$_&to=" . moment(35) } qw(1h 1d);
    my @before = map { as('api', 'GET', $_)->{content} } @hours;
    $stack->sql("UPDATE core.archive_day SET pinned_until = now() WHERE pinned_until IS NOT NULL; UPDATE core.tenant SET raw_days = 20, hourly_days = 20 WHERE slug = 'home'");
    my $answer = as('api', 'GET', $path);
    is_deeply($answer->{json}{items}, [], 'samples that the tenant does not keep so long are not listed');
    is($answer->{headers}{'tidemark-source'}, undef, '  nor looked for in the archive');
    is_deeply(as('api', 'GET', $hours[0])->{json}{items}, [], '  nor are its hours');
    is(as('api', 'GET', $hours[1])->{content}, $before[1], '  but its days are');
    $stack->sql("UPDATE core.archive_day SET pinned_until = now() + interval '30 days' WHERE day = '@{[day(39)]}' AND is_held");
    $answer = as('api', 'GET', "$path&limit=1000");
    cmp_ok(scalar @{ $answer->{json}{items} }, '>', 60, 'but a day that was brought back is');
    is(scalar(grep { $_->{time} lt moment(39) || $_->{time} ge moment(38) } @{ $answer->{json}{items} }), 0, '  alone');
    $stack->sql("UPDATE core.tenant SET raw_days = NULL, hourly_days = NULL WHERE slug = 'home'");
    is(as('api', 'GET', "$path&limit=1000")->{content}, $old, 'who keeps them longer again sees them again');
    is(as('api', 'GET', $hours[0])->{content}, $before[0], '  as hours, too');
    return;
}

sub object { my ($ago, $n) = @_; return $stack->sql("SELECT object FROM core.archive WHERE tenant_id = (SELECT id FROM core.tenant WHERE slug = 'home') AND day = '@{[day($ago)]}' AND n = $n AND kind = 'rows'") }

sub fails {
    my ($status, $word, $name) = @_;
    for my $format (qw(json csv parquet)) {
        my $answer = as('api', 'GET', "/v1/devices/meter%2F1/samples?format=$format&from=" . moment(40));
        is($answer->{status}, $status, "$name: $format") or diag($answer->{content});
        is($answer->{headers}{'content-type'}, 'application/problem+json', '  is a problem');
        like($answer->{json}{detail}, $word, '  that says what it is');
        unlike($answer->{content}, qr/tenant=|PAR1/, '  and nothing of the store');
    }
    is(as('api', 'GET', '/v1/devices/meter%2F1/samples?from=' . moment(6))->{status}, 200, '  and no other day is');
    return;
}

sub check_damage {
    my $root = "$stack->{home}/objects";
    my ($path, $other) = map { "$root/" . object(@$_) } [40, 1], [38, 1];
    my $sound = Tidemark::Stack::slurp($path);
    my $put = sub { open my $out, '>', $path or die "$path: $!"; print {$out} $_[0]; close $out or die $! };
    my $flipped = $sound;
    substr($flipped, $_, 1) ^= "\x10" for 60;
    $put->($flipped);
    fails(500, qr/^The archive alone has @{[day(40)]}, and file 1 of that day is damaged\.$/, 'a byte that was changed');
    $put->(substr $sound, 0, length($sound) - 100);
    fails(500, qr/damaged/, 'a file that was cut');
    $put->(Tidemark::Stack::slurp($other));
    fails(500, qr/damaged/, 'another file in its place');
    unlink $path or die $!;
    fails(500, qr/^The archive alone has @{[day(40)]}, and file 1 of that day is missing\.$/, 'a file that is gone');
    $put->($sound);
    chmod 0644, $path;
    my $number = "UPDATE core.archive SET n = %d WHERE object = '" . object(40, 1) . "'";
    $stack->sql(sprintf $number, 99);
    fails(500, qr/^The archive alone has @{[day(40)]}, and file 1 of that day is missing\.$/, 'a number that nobody knows');
    $stack->sql($number =~ s/%d/1/r =~ s/object = .*/n = 99/r);
    is(as('api', 'GET', '/v1/devices/meter%2F1/samples')->{status}, 200, 'put right, all is well');
    return;
}

sub check_away {
    my $root = "$stack->{home}/objects";
    my ($file) = grep { $_->{day} eq day(40) } @{ as('api', 'GET', '/v1/archives?table=samples')->{json}{items} };
    $minio ? $minio->stop : (rename $root, "$root.away" or die $!);
    fails(503, qr/./, 'a store that is away');
    ok(as('api', 'GET', '/v1/devices/meter%2F1/samples')->{headers}{'retry-after'}, '  may be there again');
    is(as('api', 'GET', "/v1/archives/$file->{id}")->{status}, 503, '  its files are to be fetched later');
    is(as('admin', 'POST', "/v1/archives/$file->{id}/$_")->{status}, 202, "  $_ waits for it") for qw(verify restore);
    await(sub { $stack->sql('SELECT count(*) FROM core.archive_check WHERE n_tried > 0 AND found IS NULL') }, '  the file is not called missing');
    await(sub { $stack->sql('SELECT count(*) FROM core.archive_wish WHERE n_tried > 0 AND problem IS NULL') }, '  nor the day given up');
    $minio ? $minio->run : (rename "$root.away", $root or die $!);
    is(as('api', 'GET', '/v1/devices/meter%2F1/samples')->{status}, 200, 'when it is, all is well');
    $stack->sql('UPDATE core.archive_check SET due_at = now(); UPDATE core.archive_wish SET due_at = now()');
    await(sub { $stack->sql("SELECT found FROM core.archive_check WHERE file_id = $file->{id}") eq 'sound' }, '  the file is sound');
    await(sub { !$stack->sql('SELECT count(*) FROM core.archive_wish') }, '  and the day is brought back');
    return;
}

my @engines = Tidemark::Stack::engines();
for my $engine (@engines) {
    subtest $engine => sub {
        $minio = Tidemark::Minio->on_last($engine, @engines);
        %settings = $minio ? $minio->settings : ();
        $stack = Tidemark::Stack->start(engine => $engine, env => { %settings, ARCHIVE_INTERVAL_HOURS => 24 });
        my $deadline = time + 30;
        sleep 0.1 while !$stack->sql("SELECT count(*) FROM ops.job_run WHERE name = 'archive' AND is_ok") && time < $deadline;
        populate();
        populate_dense() if $engine eq 'postgres';
        change();
        my @dense = $engine eq 'postgres' ? dense() : ();
        my $before = check_dropped(@dense);
        check_dense(@dense) if @dense;
        check_buckets();
        check_late($before);
        check_deleted();
        check_erased();
        check_restored();
        check_hidden();
        check_damage() if !$minio;
        check_away();
        $stack->stop;
    };
}
done_testing;
