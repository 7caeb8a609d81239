package Tidemark::Python;

# Test tools from PyPI, pinned by a requirements.txt that is committed: installed once into a virtual
# environment of their own, build/tools/NAME.

use strict;
use warnings;
use Fcntl qw(:flock);
use File::Path qw(make_path remove_tree);
use Tidemark::Npm;
use Tidemark::Stack;

# Installs what the file names. Returns (its python, undef), or (undef, why not): no python, no venv,
# or no way to the registry.
sub install {
    my ($name, $requirements) = @_;
    my $tools = "$Tidemark::Stack::ROOT/build/tools/$name";
    my $wanted = Tidemark::Stack::slurp($requirements);
    make_path("$Tidemark::Stack::ROOT/build/tools");
    open my $lock, '>', "$tools.lock" or die "$tools.lock: $!";    # another test may be at it
    flock $lock, LOCK_EX;
    return "$tools/bin/python" if -e "$tools/installed" && Tidemark::Stack::slurp("$tools/installed") eq $wanted;
    my $python = Tidemark::Npm::find_command('python3') or return (undef, 'python3 is not installed');
    remove_tree($tools);
    my $log = "$tools.log";
    system("'$python' -m venv '$tools' >'$log' 2>&1") and return (undef, "python3 makes no virtual environment, see $log");
    system("'$tools/bin/pip' install --disable-pip-version-check -q -r '$requirements' >'$log' 2>&1")
        and return (undef, "pip could not install $requirements, see $log");
    open my $out, '>', "$tools/installed" or die "$tools/installed: $!";
    print {$out} $wanted;
    close $out or die "$tools/installed: $!";
    return "$tools/bin/python";
}

1;
