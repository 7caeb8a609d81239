# What the isolation proof expects of what the lists of the pages read.
use strict;
use warnings;

+{
    function => {
        'api.device_list' => { may => 'web read', call => [
            q{NULL, 1000, NULL, NULL, NULL}, q{'a', 1000, 'bravo-site', 'bravo', false}] },
        'api.token_list' => { may => 'web', call => [q{NULL, true, NULL, 1000}, q{9000000, false, 1, 1000}] },
        'api.share_list' => { may => 'web', call => q{NULL, 1000} },
        'api.device_page' => { may => 'web read', call => [
            q{NULL, NULL, NULL, now(), now(), NULL, 1000}, q{'bravo', NULL, NULL, now(), now(), NULL, 1000},
            q{NULL, 'bravo-site', NULL, now(), now(), NULL, 1000},
            q{NULL, NULL, 'retired', now(), now(), NULL, 1000}] },
        'api.event_counts' => { may => 'web read', call => [
            q{ARRAY[now() - interval '90 days', now() + interval '1 day']}, q{ARRAY['-infinity', 'infinity']::timestamptz[]}] },
    },
};
