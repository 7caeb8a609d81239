# What the isolation proof expects of the keys that are kept of tokens.
use strict;
use warnings;

+{
    function => {
        # ids from 7700001 on are bravo's
        'api.token_key_set' => { may => 'web', call => q{7700001, decode(repeat('22', 16), 'hex')} },
        'api.token_keys' => { may => 'ingest', door => 'a token is named before its tenant is known',
            call => [q{0}, q{(SELECT 1)}] },
        'ops.token_key_set' => { may => 'operator', door => 'operators run the installation',
            call => q{1, decode(repeat('11', 16), 'hex')} },
        (map { ("core.$_" => { may => '' }) } qw(token_key_check token_key_forget)),
    },
};
