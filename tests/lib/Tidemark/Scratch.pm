package Tidemark::Scratch;

# Where tests put the homes of what they start. A home is 1,600 files, which are made and removed for
# every one: in memory that takes a tenth of the processor's time, and nothing waits for a disk.

use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);

our @EXPORT_OK = qw(slurp_whole spit);

use constant { MEMORY => '/dev/shm', DISK => '/tmp', NEEDED_MIB => 3072 };

# A test that is told to end, or that nobody listens to any more, does so in order: what it started
# ends, and its folders go. What it forked just ends.
my $test = $$;
for my $name (qw(HUP INT PIPE TERM)) {
    $SIG{$name} = sub {
        exit 1 if $$ == $test;
        $SIG{$name} = 'DEFAULT';
        kill $name, $$;
    };
}

# A new folder `tidemark-NAME-…` in memory where there is room, else on disk; the path is short enough
# for sockets, and any user can walk to it. Options: disk (what is measured, or has to outlast a
# failure of the machine, belongs there), and tempdir's.
sub folder {
    my ($name, %option) = @_;
    my $parent = !delete $option{disk} && is_roomy() ? MEMORY : DISK;
    return tempdir("tidemark-$name-XXXXXX", DIR => $parent, %option);
}

# That memory's file system is one, runs programs, and has room for homes of several tests.
sub is_roomy {
    my ($mount) = grep { (split ' ')[1] eq MEMORY } lines('/proc/mounts');
    my (undef, undef, $type, $flags) = split ' ', $mount // '';
    return 0 if ($type // '') ne 'tmpfs' || $flags =~ /\b(?:noexec|ro)\b/ || !-w MEMORY;
    my ($free_mib) = qx(df --block-size=1M --output=avail @{[MEMORY]}) =~ /(\d+)\s*\z/;
    my ($available_kib) = join('', lines('/proc/meminfo')) =~ /^MemAvailable:\s+(\d+)/m;
    return $free_mib >= NEEDED_MIB && $available_kib / 1024 >= NEEDED_MIB;
}

sub lines {
    my ($path) = @_;
    open my $in, '<', $path or return;
    return <$in>;
}

# A file's bytes, and a file of these.
sub slurp_whole {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!";
    local $/ = undef;
    return <$in>;
}

sub spit {
    my ($path, $bytes) = @_;
    open my $out, '>:raw', $path or die "$path: $!";
    print {$out} $bytes;
    close $out or die "$path: $!";
    return;
}

1;
