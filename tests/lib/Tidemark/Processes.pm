package Tidemark::Processes;

# The processes of one stack: found by their parents, never by name alone, so that nothing
# else on the machine is ever meant.

use strict;
use warnings;
use Tidemark::Stack;

# All descendants of the stack's deploy/run: hashes {pid, parent, command}; the
# command begins with the process's own name.
sub all {
    my ($stack) = @_;
    my %process;
    for my $directory (glob '/proc/[0-9]*') {
        my ($pid) = $directory =~ /(\d+)/;
        my $stat = eval { Tidemark::Stack::slurp("$directory/stat") } // next;
        my $command = eval { Tidemark::Stack::slurp("$directory/cmdline") } // next;
        my ($parent) = $stat =~ /.*\) \S (\d+)/s or next;
        my $name = (eval { Tidemark::Stack::slurp("$directory/comm") } // '') =~ s/\n//r;
        $process{$pid} = { pid => $pid, parent => $parent, command => "$name " . $command =~ tr/\0/ /r };
    }
    my $is_ours = sub {
        my $pid = shift;
        $pid = $process{$pid} && $process{$pid}{parent} while $pid && $pid != $stack->{pid};
        return $pid;
    };
    return grep { $_->{pid} != $stack->{pid} && $is_ours->($_->{pid}) } values %process;
}

# The pids of a part: 'postgres' (server and backends), 'postmaster' (the server alone), 'ingest', 'web', 'export', 'upload', 'serve' (supervisor and
# its children), 'worker', 'nginx'.
sub part {
    my ($stack, $part) = @_;
    my %pattern = (postgres => qr{^postgres }, postmaster => qr{^postgres \S*/postgres -D }, ingest => qr{^tidemark-ingest }, web => qr{^tidemark-web }, export => qr{^tidemark-export }, upload => qr{^tidemark-upload },
        serve => qr{^tidemark\S* \S*tidemark serve}, worker => qr{^tidemark \S*tidemark worker}, nginx => qr{^nginx });
    my $wanted = $pattern{$part} or die "no part $part";
    return map { $_->{pid} } grep { $_->{command} =~ $wanted } all($stack);
}

# What memory a process holds, its part of what it shares included.
sub mib {
    my ($pid) = @_;
    my ($kib) = Tidemark::Stack::slurp("/proc/$pid/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
    return $kib / 1024;
}

# kill -9 of every process of the parts, at once. Dies when a part has none.
sub kill_hard {
    my ($stack, @parts) = @_;
    my @pids = map {
        my ($part, @found) = ($_);
        # one that died just now is started again soon
        for (my $until = time + 5; !(@found = part($stack, $part)); select undef, undef, undef, 0.05) {
            die "no process of $part\n" if time > $until;
        }
        @found;
    } @parts;
    return kill 'KILL', @pids;
}

1;
