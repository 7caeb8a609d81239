#!/usr/bin/perl
# What the house does without: unsafe calls, allocation outside base/, typedefs but of
# function pointers, variadic macros of SQL, and the like. app/base/banned.h makes the calls
# compile errors; this finds them in code that a compiler does not see too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(c_files read_source bare line_of holds);

my @unsafe = qw(strcpy strcat sprintf strtok gets atoi gmtime localtime rand system strncpy);
my @allocation = qw(malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf alloca);

my $banned = read_source('app/base/banned.h');
my %poisoned = map { $_ => 1 } (map { split } $banned =~ /#pragma GCC poison ([^\n]*)/g),
    $banned =~ /\b(\w+)\([^()]*\) __attribute__\(\(deprecated/g;
holds('the compiler refuses each of them', map { "app/base/banned.h: $_ is not refused" }
    grep { !$poisoned{$_} } @unsafe, @allocation);

# Every use of the given words as an identifier: "file:line: word".
sub uses {
    my ($words, @paths) = @_;
    my ($pattern, @found) = join '|', @{$words};
    for my $path (grep { $_ ne 'app/base/banned.h' } @paths) {
        my $code = bare(read_source($path));
        push @found, "$path:" . line_of($code, pos $code) . ": $1" while $code =~ /(?<![\w.])(?<!->)\b($pattern)\s*\(/g;
    }
    return @found;
}

my @app = c_files();
holds('no unsafe call anywhere', uses(\@unsafe, @app, c_files('tests')));
holds('memory is asked of the system in base/ only', uses(\@allocation, grep { !m{^app/base/} } @app));

my @typedefs;
for my $path (@app) {
    my $code = bare(read_source($path));
    while ($code =~ /\btypedef\b([^;]*);/g) {
        my ($what, $line) = ($1, line_of($code, $-[0]));
        push @typedefs, "$path:$line: typedef $what" if $what !~ /\(\s*\*\s*\w+\s*\)\s*\(|\w\s+\*?\s*\w+\s*\(/;
    }
}
holds('types are called struct and enum', @typedefs);
done_testing();
