package Tidemark::Readings;

# Series of the tenant 1 ("alpha") whose readings a test stores, corrects and deletes, while quarter
# hours close and are followed as the worker does; what is stored of a series is kept in it.

use strict;
use warnings;
use Exporter qw(import);
use POSIX qw(strftime);
use Time::Local qw(timegm);

our @EXPORT_OK = qw(epoch instant series store erase stand_at close_until follow shown kept made_anew);

sub epoch { my ($y, $m, $d, $h, $min) = $_[0] =~ /\d+/g; return timegm(0, $min // 0, $h // 0, $d, $m - 1, $y) }
sub instant { return strftime('%Y-%m-%d %H:%M:%S+00', gmtime $_[0]) }

# A series of a device in the zone; with all that is stored of it (at: time => value).
sub series {
    my ($cluster, $device, $zone, $metric, $kind) = @_;
    $cluster->session('tidemark_operator')->query("SELECT ops.site_put('alpha', '$zone', '$zone', '$zone'),"
            . " ops.device_put('alpha', '$device', '$device', '', '$zone', NULL)");
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    my $owner = $ingest->value("SELECT device_id FROM api.ingest_devices(ARRAY['$device'], false)");
    my $id = $ingest->value("SELECT series_id FROM api.ingest_series(ARRAY[$owner], ARRAY['$metric'], ARRAY['{}'], true)");
    return { id => $id, device => $device, zone => $zone, kind => $kind, at => {},
        factor => $metric =~ /_kw$/ ? 1 : 0.001 };
}

sub store {
    my ($cluster, $series, %samples) = @_;
    my @times = sort { $a <=> $b } keys %samples;
    my $ingest = $cluster->session('tidemark_ingest');
    $ingest->query("SELECT api.partitions_ensure('@{[ instant($times[0]) ]}', '@{[ instant($times[-1]) ]}')");
    $ingest->query("SELECT count(*) FROM api.ingest_samples(array_fill(1, ARRAY[$#times + 1]), array_fill($series->{id}, ARRAY[$#times + 1]),"
            . ' ARRAY[' . join(',', map { "'" . instant($_) . "'::timestamptz" } @times) . '],'
            . ' ARRAY[' . join(',', map { "$samples{$_}\::float8" } @times) . "], array_fill(false, ARRAY[$#times + 1]))");
    $series->{at}{$_} = $samples{$_} for @times;
    return;
}

sub erase {
    my ($cluster, $series, $from, $to) = @_;
    $cluster->session('tidemark_super')->query("BEGIN; DELETE FROM core.sample WHERE tenant_id = 1 AND series_id = $series->{id}"
            . " AND time BETWEEN '@{[ instant($from) ]}' AND '@{[ instant($to) ]}';"
            . " INSERT INTO core.change (tenant_id, series_id, from_time, to_time) VALUES (1, $series->{id}, '@{[ instant($from) ]}', '@{[ instant($to) ]}'); COMMIT");
    delete @{ $series->{at} }{ grep { $_ >= $from && $_ <= $to } keys %{ $series->{at} } };
    return;
}

# Says until when quarter hours are closed, without closing any.
sub stand_at {
    my ($cluster, $time) = @_;
    $cluster->session('tidemark_super')->query("UPDATE core.rollup_state SET closing_until = '$time', closed_until = '$time'");
    return;
}

# Closes up to a time as the worker does.
sub close_until {
    my ($cluster, $time) = @_;
    $cluster->session('tidemark_super')->query("UPDATE core.rollup_state SET closing_until = '$time' WHERE closing_until < '$time'");
    $cluster->session('tidemark_worker')->query('SELECT ops.rollup_close_finish()');
    return;
}

sub follow {
    my ($cluster) = @_;
    my $worker = $cluster->session('tidemark_worker');
    while ($worker->value('SELECT is_done FROM ops.rollup_follow(20000)') ne 't') { }
    return;
}

sub shown {
    my ($web, $device, $grain, $from, $to, $format) = @_;
    return $web->text("SELECT to_char(bucket, '" . ($format // 'DD HH24:MI') . "'), round(energy_kwh, 9)::float8"
            . " FROM api.energy_list('$grain', NULL, NULL, '$device', '$from', '$to', NULL)");
}

# What the tables of energy hold of series (numbers and commas).
sub kept {
    my ($cluster, $ids) = @_;
    return $cluster->session('tidemark_super')->text("SELECT 'q', series_id, bucket, nkwh FROM core.energy_15m WHERE series_id IN ($ids) UNION ALL"
            . " SELECT 'd', series_id, bucket, nkwh FROM core.energy_1d WHERE series_id IN ($ids) ORDER BY 1, 2, 3");
}

# The same when it was made from scratch.
sub made_anew {
    my ($cluster, $ids) = @_;
    $cluster->session('tidemark_super')->query("DELETE FROM core.energy_15m WHERE series_id IN ($ids); DELETE FROM core.energy_1d WHERE series_id IN ($ids);"
            . " SELECT core.derived_reset(array_agg(1), array_agg(id)) FROM core.series WHERE id IN ($ids)");
    return kept($cluster, $ids);
}

1;
