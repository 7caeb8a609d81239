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

# What operating.md lists: `name` in the first cells of the table under a heading.
sub listed {
    my ($heading) = @_;
    my ($section) = read_source('docs/operating.md') =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
    return map { /`([^`]+)`/g } $section =~ /^\| (`[^|]*) \|/mg;
}

my @jobs = read_source('app/work/jobs.c') =~ /^    \{ "(\w+)",/mg;
is(join(' ', sort { $a cmp $b } listed("The worker's jobs")), join(' ', sort @jobs), 'docs/operating.md has each job of the worker');

my @commands = read_source('app/main.c') =~ /^    \{ "(\w+)", cmd_/mg;
my %known = map { $_ => 1 } listed('On one machine');
is(join(' ', grep { !$known{$_} } @commands), '', 'and each command');

my $routes = read_source('app/serve/routes.c');
my @pages = grep { m{^/} && !m{^/admin/\w+/\{|^/operator/tenants/\{} } $routes =~ /^    (?:ADMIN_)?PAGE\((?:HTTP_GET, )?"([^"]+)"/mg;
is(join(' ', sort { $a cmp $b } listed('The pages')), join(' ', sort @pages), 'and each page');

my %served = map { $_ => 1 } $routes =~ /^\s+[A-Z_]+\((?:HTTP_\w+(?: \| HTTP_\w+)*, )?"([^"]+)"/mg;
my %described = map { $_ => 1 } read_source('static/openapi.yaml') =~ m{^  (/[^:\s]*):\s*$}mg;
my @missing = grep { m{^/(?:v1/|metrics|api/)} && !$described{$_} } sort keys %served;
is("@missing", '', 'static/openapi.yaml describes each route of the API and of what devices speak');
my @idle = grep { !$served{$_} && index($routes, qq(folder "$_")) < 0 } sort keys %described;
is("@idle", '', 'and no other');

done_testing;
