package Tidemark::Npm;

# Test tools from npm, pinned by a package-lock.json that is committed: installed once into
# build/tools/NAME by `npm ci`, without running any package's scripts.

use strict;
use warnings;
use Fcntl qw(:flock);
use File::Copy qw(copy);
use File::Path qw(make_path);
use Tidemark::Stack;

# The first of the commands that is on the PATH; nothing when none is.
sub find_command {
    for my $name (@_) {
        for my $folder (split /:/, $ENV{PATH}) {
            return "$folder/$name" if -x "$folder/$name";
        }
    }
    return;
}

# The browser that looks at pages, the lightest that there is; nothing when there is none.
sub find_browser { return find_command(qw(chromium-headless-shell chromium chromium-browser google-chrome)) }

# Installs what `folder`/package-lock.json names. Returns (the directory that holds node_modules,
# undef), or (undef, why not): no npm, or no way to its registry.
sub install {
    my ($name, $folder) = @_;
    my $tools = "$Tidemark::Stack::ROOT/build/tools/$name";
    my $lock = "$folder/package-lock.json";
    make_path($tools);
    open my $alone, '>', "$tools.lock" or die "$tools.lock: $!";    # another test may be at it
    flock $alone, LOCK_EX;
    return $tools
        if -e "$tools/installed" && Tidemark::Stack::slurp("$tools/installed") eq Tidemark::Stack::slurp($lock);
    my $npm = find_command('npm') or return (undef, 'npm is not installed');
    copy("$folder/$_", "$tools/$_") or die "$tools/$_: $!" for qw(package.json package-lock.json);
    my $log = "$tools/npm.log";
    my $status = system "cd '$tools' && '$npm' ci --no-audit --no-fund --ignore-scripts >'$log' 2>&1";
    return (undef, "npm could not install the packages of $lock, see $log") if $status;
    copy($lock, "$tools/installed") or die "$tools/installed: $!";
    return $tools;
}

1;
