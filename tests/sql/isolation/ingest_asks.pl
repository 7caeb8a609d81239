# What the isolation proof expects of what devices ask beside posting.
use strict;
use warnings;

+{
    function => {
        'api.ingest_samples_try' => { may => 'ingest', call => [map { "ARRAY[$_], ARRAY[now()], ARRAY[1.0]" } 1, 7700001] },
        'api.ingest_events_try' => { may => 'ingest', call => [
            map { "ARRAY[$_], ARRAY[now()], ARRAY['00000000-0000-0000-0000-000000000001'], ARRAY['{}']" } 1, 7700001] },
        'api.ingest_latest' => { may => 'ingest', call => [q{'bravo-meter'}, q{'alpha-meter'}] },
    },
};
