package Tidemark::BenchStore;

# How well the columnstore compresses: the demo's readings as the stack stored them, and 600 series
# of them (thirty copies, a reading every minute). Chunks are compressed by the worker's own
# function; sizes are the server's, with indexes, before and after. Only TimescaleDB has one.

use strict;
use warnings;
use Tidemark::Stack;

# Compresses whatever is due in the stack's database; how many chunks.
sub compress_due {
    my ($stack) = @_;
    my $n = 0;
    $n++ while $stack->sql("SELECT * FROM ops.columnstore_next('{}')");
    return $n;
}

# Uncompressed : compressed of the chunks of samples that lie in a time range.
sub ratio {
    my ($stack, $from, $to) = @_;
    return $stack->sql("SELECT round(sum(s.before_compression_total_bytes) / sum(s.after_compression_total_bytes), 2)"
            . " FROM public.chunk_compression_stats('core.sample') s JOIN ops.chunk_list('core.sample') c"
            . " ON c.chunk = format('%I.%I', s.chunk_schema, s.chunk_name) WHERE c.is_compressed AND c.from_time >= '$from' AND c.to_time <= '$to'");
}

sub compression {
    my ($bench) = @_;
    my $stack = $bench->{stack};
    return if $bench->{engine} ne 'timescaledb';
    compress_due($stack);
    my $demo = ratio($stack, '-infinity', 'infinity');

    # beside the demo's chunks: two days of the year 2001, by the minute, of tenants that are none
    $stack->sql("SELECT public.set_chunk_time_interval('core.sample', interval '1 day')");
    $stack->sql("INSERT INTO core.sample SELECT 1000000 + g, x.series_id + 1000 * g,"
            . " timestamptz '2001-01-01 00:00+00' + (x.time - d.start) / 5, x.value"
            . " FROM (SELECT min(time) AS start FROM core.sample) d, generate_series(1, 30) g,"
            . " (SELECT * FROM core.sample WHERE tenant_id < 1000000) x"
            . " WHERE x.time >= d.start AND x.time < d.start + interval '10 days'"
            . " ORDER BY 3, 1, 2");
    $stack->sql("SELECT ops.chunk_width_adjust()");
    compress_due($stack);
    my $many = ratio($stack, '2001-01-01', '2001-01-04');
    $stack->sql('DELETE FROM core.sample WHERE tenant_id > 1000000');
    return ({ name => 'columnstore, demo (20 series, 5 min)', unit => 'to 1', value => $demo, spread => '8 at least' },
        { name => 'columnstore, 600 series (1 min)', unit => 'to 1', value => $many, spread => '10 at least' });
}

1;
