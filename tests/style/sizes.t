#!/usr/bin/perl
# Limits of size: what is longer has become two things.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(files c_files read_source functions holds);

use constant { FILE_LINES => 500, HEADER_LINES => 160, FUNCTION_LINES => 60, PARAMETERS => 6, COLUMNS => 100,
    TEST_COLUMNS => 120 };    # rows of tables hold whole requests

my (@long_files, @long_functions, @many_parameters, @wide);
for my $path (files(qr/(?:\.(?:[ch]|pl|pm|t|sql|html|css|js|sh)|Makefile)$/)) {
    my $lines = () = read_source($path) =~ /\n/g;
    my $limit = $path =~ m{^app/.*\.h$} ? HEADER_LINES : FILE_LINES;
    next if $path =~ /\.css$/;    # one design system, one sheet
    push @long_files, "$path: $lines lines, $limit may be" if $lines > $limit;
}
for my $path (c_files(qw(app tests))) {
    my $text = read_source($path);
    for my $function (functions($text)) {
        my ($name, $line) = @{$function}{qw(name line)};
        push @long_functions, "$path:$line: $name has $function->{lines} lines" if $function->{lines} > FUNCTION_LINES;
        push @many_parameters, "$path:$line: $name has $function->{parameters} parameters"
            if $function->{parameters} > PARAMETERS;
    }
    my ($number, $columns) = (0, $path =~ m{^tests/} ? TEST_COLUMNS : COLUMNS);
    for (split /\n/, $text) {
        $number++;
        push @wide, "$path:$number: " . length() . ' columns' if length() > $columns;
    }
}
holds('files are at most ' . FILE_LINES . ' lines, headers ' . HEADER_LINES, @long_files);
holds('functions are at most ' . FUNCTION_LINES . ' lines', @long_functions);
holds('functions take at most ' . PARAMETERS . ' parameters', @many_parameters);
holds('C is at most ' . COLUMNS . ' columns wide, in tests ' . TEST_COLUMNS, @wide);
done_testing();
