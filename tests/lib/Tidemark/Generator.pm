package Tidemark::Generator;

# Runs a generator of app/gen on files written for one test case.

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);

our @EXPORT_OK = qw(generate refuses contents root);

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');

sub root { return $ROOT }

# generate('templates.pl', { 'x.html' => $text }, @arguments): the files are written below a
# new directory, which is the current one; the generator writes to out/. Arguments come after
# --out. Returns { status, errors, dir }.
sub generate {
    my ($script, $files, @arguments) = @_;
    my $dir = tempdir(CLEANUP => 1);
    make_path("$dir/out");
    for my $path (sort keys %{$files}) {
        make_path(dirname("$dir/$path"));
        open my $file, '>:raw', "$dir/$path" or die "$dir/$path: $!";
        print {$file} $files->{$path};
        close $file or die "$dir/$path: $!";
    }
    my $pid = open my $output, '-|';
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die $!;
        chdir $dir or die $!;
        exec $^X, "$ROOT/app/gen/$script", '--out', 'out', @arguments or die $!;
    }
    my $errors = do { local $/ = undef; <$output> };
    close $output;
    return { status => $? >> 8, errors => defined $errors ? $errors : '', dir => $dir };
}

# True when the run failed with exactly this one message (a string, or a pattern for it).
sub refuses {
    my ($run, $message) = @_;
    return 0 if $run->{status} != 1;
    return ref $message ? $run->{errors} =~ $message : $run->{errors} eq "$message\n";
}

# A file that the run wrote.
sub contents {
    my ($run, $name) = @_;
    open my $file, '<:raw', "$run->{dir}/out/$name" or return;
    local $/ = undef;
    return scalar <$file>;
}

1;
