#!/usr/bin/perl
# The documents say what the code does: README's table of settings is the binary's own, every
# file that README and docs name is there, and the API's description has every route and no other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(read_source);
use Tidemark::Stack;

chdir $Tidemark::Stack::ROOT or die;
my $readme = read_source('README.md');

my $bin = $ENV{TIDEMARK_BIN} || 'build/tidemark';
open my $help, '-|:encoding(UTF-8)', $bin, 'help', '--markdown' or die "$bin: $!";
my $printed = join '', <$help>;
my ($table) = $readme =~ /<!-- settings: [^\n]*\n(.*?)<!-- end of settings -->/s;
is($table, $printed, 'README has the settings that `tidemark help --markdown` prints');

for my $document ('README.md', glob 'docs/*.md') {
    my $text = read_source($document);
    my @named = grep { !/[*]/ } $text =~ m{`((?:app|sql|templates|static|nginx|deploy|tests|docs)/[\w./-]+)`}g;
    my @missing = grep { !-e } @named;
    is("@missing", '', "$document names only files that exist");
}

my $routes = read_source('app/serve/routes.c');
my %served = map { $_ => 1 } $routes =~ /^\s+[A-Z_]+\((?:HTTP_\w+(?: \| HTTP_\w+)*, )?"([^"]+)"/mg;
my %described = map { $_ => 1 } read_source('static/openapi.yaml') =~ m{^  (/[^:\s]*):\s*$}mg;
my @missing = grep { m{^/(?:v1/|metrics|api/)} && !$described{$_} } sort keys %served;
is("@missing", '', 'static/openapi.yaml describes each route of the API and of what devices speak');
my @idle = grep { !$served{$_} } sort keys %described;
is("@idle", '', 'and no other');

done_testing;
