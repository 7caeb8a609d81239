# What the isolation proof expects of what devices ask beside posting.
use strict;
use warnings;

+{
    function => {
        'api.ingest_latest' => { may => 'ingest', call => [q{'bravo-meter'}, q{'alpha-meter'}] },
    },
};
