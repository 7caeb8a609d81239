#!/usr/bin/perl
# A heat map's rows are as high as what draws it and the style sheet, each for itself, say.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(read_source);

my ($drawn) = read_source('app/view/svg_heat.c') =~ /^#define CELL_PX (\d+)\b/m;
my ($styled) = read_source('static/tidemark.css') =~ /^\.heat \.hit \{[^}]*?\bheight: (\d+)px;/m;
ok defined $drawn, 'svg_heat.c has the height of a row';
is $styled, $drawn, 'cells of the style sheet have it too';
done_testing();
