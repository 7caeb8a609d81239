package Tidemark::GoTool;

# Test tools built from Go modules of a pinned version into build/tools/go, once.

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Fcntl qw(:flock);
use File::Path qw(make_path);
use Tidemark::Npm;
use Tidemark::Stack;

my $MAX_SECONDS = 300; # of a build; a machine that needs longer goes without

# Returns (the program, undef), or (undef, why not). Options: tags (of the build).
sub install {
    my ($name, $package, $version, %option) = @_;
    my $tools = "$Tidemark::Stack::ROOT/build/tools/go";
    my $program = "$tools/$name-$version" . ($option{tags} ? '-' . substr(md5_hex($option{tags}), 0, 8) : '');
    make_path($tools);
    open my $lock, '>', "$tools/lock" or die "$tools/lock: $!"; # another test may be at it
    flock $lock, LOCK_EX;
    return $program if -x $program;
    my $go = Tidemark::Npm::find_command('go') or return (undef, 'go is not installed');
    my $log = "$tools/$name.log";
    local $ENV{GOBIN} = $tools;
    local $ENV{GOFLAGS} = '-buildvcs=false';
    my $tags = $option{tags} ? "-tags '$option{tags}'" : '';
    my $status = system "cd / && timeout $MAX_SECONDS '$go' install $tags '$package\@$version' >'$log' 2>&1";
    return (undef, "$package $version could not be built, see $log") if $status;
    rename "$tools/$name", $program or die "$program: $!";
    return $program;
}

1;
