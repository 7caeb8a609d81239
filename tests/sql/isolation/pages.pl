# What the isolation proof expects of what the lists of the pages read.
use strict;
use warnings;

+{
    function => {
        'api.device_page' => { may => 'web read', call => [
            q{NULL, NULL, NULL, now(), now(), NULL, 1000}, q{'bravo', NULL, NULL, now(), now(), NULL, 1000},
            q{NULL, 'bravo-site', NULL, now(), now(), NULL, 1000},
            q{NULL, NULL, 'retired', now(), now(), NULL, 1000}] },
        'api.event_counts' => { may => 'web read', call => [
            q{ARRAY[now() - interval '90 days', now() + interval '1 day']}, q{ARRAY['-infinity', 'infinity']::timestamptz[]}] },
    },
};
