package Tidemark::Loss::Disk;

# A small disk of a test's own: a tmpfs in a mount namespace that only the test and what it starts
# can see, and that is gone with them. Full is made by giving it just the size that is in use.

use strict;
use warnings;
use Tidemark::Stack;

use constant { SIZE => '4g', MARK => 'TEST_HAS_MOUNTS' };

my $is_there = delete $ENV{+MARK};

# Runs the program anew in a namespace of its own where that is allowed (root, not in a container
# without the right). Comes back in any case; then `is_there` says.
sub enter {
    return if $is_there || $>;
    return if system('unshare --mount --propagation private sh -c "mount -t tmpfs none /mnt" 2>/dev/null');
    local $ENV{+MARK} = 1;
    exec 'unshare', '--mount', '--propagation', 'private', $^X, (map {"-I$_"} @INC), $0, @ARGV;
    die "unshare: $!";
}

sub is_there { return !!$is_there }

# An empty one at the path, an empty folder.
sub make {
    my ($class, $path) = @_;
    system('mount', '-t', 'tmpfs', '-o', 'mode=0755,size=' . SIZE, 'tmpfs', $path) and die "mounting $path failed";
    return bless { path => $path, owner => $$ }, $class;
}

# Not a block is left.
sub fill {
    my ($self) = @_;
    for (1 .. 100) {
        my ($used) = qx(df --block-size=4096 --output=used '$self->{path}') =~ /(\d+)\s*\z/;
        return if !system("mount -o remount,size=@{[$used * 4096]} '$self->{path}' 2>/dev/null");
    }
    die "filling $self->{path} failed";
}

sub free {
    my ($self) = @_;
    system('mount', '-o', 'remount,size=' . SIZE, $self->{path}) and die "remounting $self->{path} failed";
    return;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    system('umount', '--lazy', $self->{path}) if $self->{owner} == $$;
    return;
}

1;
