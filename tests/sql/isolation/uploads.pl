# What the isolation proof expects of files, and of objects that nothing speaks of any more. A file
# of each tenant is whole, another is coming in parts; bravo's are known by their ids.
use strict;
use warnings;

my %whole = (alpha => '11111111-0000-4000-8000-000000000001', bravo => '22222222-0000-4000-8000-000000000001');
my %coming = (alpha => '11111111-0000-4000-8000-000000000002', bravo => '22222222-0000-4000-8000-000000000002');
my ($theirs, $begun) = ("'$whole{bravo}'", "'$coming{bravo}'");
my $last = q{'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'};
my $hash = q{sha256('stolen')};

my %function = (
    'api.upload_begin' => { may => 'web', call => [q{'alpha', 'a/b', 1, NULL, NULL, false, 0}, q{'alpha', 'a/b', 1, 'bravo-meter', NULL, false, 0}] },
    'api.upload_finish' => { may => 'web', call => ["$begun, 1, $hash, 0", "$theirs, 1, $hash, 0"] },
    'api.upload_abandon' => { may => 'web', call => [$begun, $theirs] },
    'api.upload_resume' => { may => 'web', call => [q{'bravo-parts', 2222222, NULL, NULL}, q{'alpha-parts', 2222222, 'bravo-meter', NULL}] },
    'api.upload_part_begin' => { may => 'web', call => ["$begun, 0, 1", "$begun, 1, 1"] },
    'api.upload_part_finish' => { may => 'web', call => ["$begun, $begun"] },
    'api.upload_part_abandon' => { may => 'web', call => ["$begun, $begun"] },
    'api.upload_progress' => { may => 'web', call => [$theirs, $begun] },
    'api.upload_join_begin' => { may => 'web', call => [$begun, $theirs] },
    'api.upload_join_beat' => { may => 'web', call => ["$begun, $begun"] },
    'api.upload_join_finish' => { may => 'web', call => ["$begun, $begun, $hash, 0"] },
    'api.upload_part_lost' => { may => 'web', call => ["$begun, $begun"] },
    'api.upload_part_list' => { may => 'web', call => [$begun] },
    'api.upload_list' => { may => 'web', call => ["$last, NULL, NULL, 100", "$last, 'bravo-meter', NULL, 100"] },
    'api.upload_find' => { may => 'web', call => [$theirs, $begun] },
    'api.upload_events' => { may => 'web', call => ["ARRAY[$theirs]::uuid[]"] },
    'api.upload_total' => { may => 'web', call => q{} },
    'api.upload_remove' => { may => 'web', call => [$theirs, $begun] },
    # doors
    'ops.upload_prune' => { may => 'worker', door => 'upkeep', call => q{} },
    'ops.object_trash_list' => { may => 'worker', door => 'keys of the installation\'s store', call => q{100} },
    'ops.object_trash_done' => { may => 'worker', door => 'the same', call => q{'{}', '{}'} },
    'ops.object_any' => { may => 'worker', door => 'whether the store is to hold anything', call => q{} },
    'ops.store_gone_next' => { may => 'worker', door => 'names of tenants that were removed', call => q{''} },
    'ops.store_gone_done' => { may => 'worker', door => 'the same', call => q{'archive/samples/tenant=nobody/', now()} },
    'ops.store_given_up' => { may => 'worker', door => 'when a backup was restored', call => q{} },
    'ops.store_given_up_done' => { may => 'worker', door => 'the same', call => q{'2000-01-01', true} },
    'ops.store_take_back' => { may => 'worker', door => 'keys that no row speaks of', call => q{'{}', 'alpha', 'samples', '2020-01-01', 1} },
    'ops.object_unknown' => { may => 'worker', door => 'which of the keys it gives', call => q{'{}'} },
    # parts of the above
    (map { ("core.$_" => { may => '' }) } qw(upload_key upload_part_key upload_trash upload_part_trash upload_maker_forget upload_admit
        upload_use_add upload_use_take upload_part_place upload_object upload_received upload_joining upload_coming object_trash_add store_note_gone)),
);

+{
    function => \%function,
    fill => sub {
        my ($cluster, $name, $id, $value) = @_;
        my $super = $cluster->session('tidemark_super');
        $super->query("INSERT INTO core.upload (tenant_id, id, name, content_type, device_id, event_id, made_by, is_by_parts, size, sha256, stored_at)"
                . " SELECT $id, '$whole{$name}', '$name', '$name/x', d.id, '$whole{$name}', '$name', false, $value, sha256('$name'), now() FROM core.device d WHERE d.key = '$name-meter'");
        $super->query("INSERT INTO core.upload (tenant_id, id, name, content_type, made_by, is_by_parts, size)"
                . " VALUES ($id, '$coming{$name}', '$name-parts', '$name/x', '$name', true, $value)");
        $super->query("INSERT INTO core.upload_part (tenant_id, upload_id, id, first, size, is_there) VALUES ($id, '$coming{$name}', '$coming{$name}', 0, $value, true)");
        return;
    },
};
