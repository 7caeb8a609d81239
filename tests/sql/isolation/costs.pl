# What the isolation proof expects of what costs are worked out from, and of their ledger.
use strict;
use warnings;

my $days = q{'2000-01-01', '2100-01-01'};
my @accounts = (q{'bravo-site', NULL}, q{NULL, 'bravo-meter'}, q{'bravo-site', 'bravo-meter'}, 'NULL, NULL');

# One day of a place, written as the worker does.
sub day_of {
    my ($place, $name, $value) = @_;
    return "$place, '2020-01-01', '2020-01-02', '$name', 'EUR', ARRAY[18262], ARRAY[timestamptz '2020-01-01'], ARRAY[timestamptz '2020-01-02'],"
        . " ARRAY['$value'], ARRAY['$value'], ARRAY['$value'], ARRAY['0'], ARRAY['0'], ARRAY['[]'], ARRAY[1], ARRAY[0], ARRAY[1],"
        . " ARRAY[$value]::bigint[], ARRAY[$value]::bigint[], '\\x02'";
}

sub line_of {
    my ($place, $name, $value) = @_;
    return "$place, '2020-01-01', '2020-01-02', ARRAY[18262], ARRAY[$value, 1, 0, -1, -1, -1, 1, 0, 0, 0, 0], ARRAY['$name'], ARRAY[''],"
        . " ARRAY[$value]::bigint[], ARRAY[$value]::bigint[], ARRAY['$value'], ARRAY[timestamptz 'epoch']";
}

sub devices_of {
    my ($place, $name, $value) = @_;
    return "$place, '2020-01-01', '2020-01-02', ARRAY[18262], ARRAY[true], ARRAY[1], ARRAY['$name-meter'], ARRAY[1], ARRAY['$value'], ARRAY['$value']";
}

my %function = (
    'api.energy_meters' => { may => 'web read worker', call => [ 'NULL, NULL, now()', q{'bravo-site', NULL, now()}, q{NULL, 'bravo-meter', now()} ] },
    'api.energy_devices' => { may => 'web read', call => '1000' },
    'api.energy_quarters' => { may => 'web read worker',
        call => q{ARRAY(SELECT generate_series(1, 1000)), now() - interval '2 days', now()} },
    'api.rate_prices_over' => { may => 'web read worker', call => q{7700001, 'spot', '-infinity', 'infinity', 'infinity', 10} },
    'api.cost_places' => { may => 'web read', call => [ map {"$_, '-infinity', 'infinity'"} q{'bravo-site'}, 'NULL' ] },
    'api.cost_devices' => { may => 'web read', call => [ map {"$_, 'alpha', $days"} @accounts ] },
    'api.cost_days' => { may => 'web read worker', call => [ map {"$_, $days, '2000-01-01'"} @accounts ] },
    'api.cost_lines' => { may => 'web read', call => [ map {"$_, $days"} @accounts ] },
    'ops.cost_take' => { may => 'worker', door => 'the worker rates every tenant\'s places, one after another, and then binds itself' },
    'ops.job_join' => { may => 'worker', call => q{'isolation'} },
    'ops.cost_is_due' => { may => 'worker', door => 'the same; tells no more than that there is one' },
    'ops.cost_prune' => { may => 'worker', door => 'forgets every tenant\'s old days; tells how many' },
    'ops.cost_is_rezoned' => { may => 'worker', call => [ map {"$_, 'UTC', '-infinity'"} @accounts ] },
    'ops.cost_leave' => { may => 'worker', call => q{'bravo-site', '-infinity', 'infinity', '-infinity', 'infinity'} },
    'ops.cost_store_days' => { may => 'worker', call => [ map { day_of($_, 'alpha', 1) } @accounts ] },
    'ops.cost_store_lines' => { may => 'worker', call => [ map { line_of($_, 'alpha', 1) } @accounts ] },
    'ops.cost_store_devices' => { may => 'worker', call => [ map { devices_of($_, 'alpha', 1) } @accounts ] },
    'ops.cost_finish' => { may => 'worker', call => [ map {"$_, ARRAY['bravo-meter'], now(), now(), now(), now()"} q{'bravo-site'}, 'NULL' ] },
    (map { ("core.$_" => { may => '' }) } qw(cost_touch cost_note cost_places cost_day_time cost_note_schedule cost_rates_trigger
        cost_prices_trigger cost_place_trigger cost_stamp_trigger cost_step cost_account cost_erase cost_hold cost_lock cost_device_cut cost_head rollup_await)),
);

+{
    function => \%function,
    fill => sub {
        my ($cluster, $name, $id, $value) = @_;
        my $worker = $cluster->session('tidemark_worker', tenant => $id);
        $worker->query('SELECT ops.cost_store_days(' . day_of("'$name-site', NULL", $name, $value) . '),'
                . ' ops.cost_store_lines(' . line_of("'$name-site', NULL", $name, $value)
                . "), ops.cost_store_devices(" . devices_of("'$name-site', NULL", $name, $value) . "),"
                . " ops.cost_leave('$name-site', '2020-01-01', '2020-01-02', '2020-01-01', '2020-01-02'),"
                . " ops.cost_finish('$name-site', ARRAY[''], '2020-01-01', '2020-01-02', '2020-01-02', '2020-01-03')");
        return;
    },
};
