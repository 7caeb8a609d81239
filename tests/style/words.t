#!/usr/bin/perl
# Small things: trailing blanks, tabs, line ends, encoding, and work put off without a reason.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(files holds);

my (@blanks, @tabs, @ends, @encoding, @put_off);
my $marks = join '|', map { uc } qw(fixme xxx hack);    # written so that this file has none
my $later = uc 'todo';
for my $path (files(qr/./)) {
    open my $in, '<:raw', $path or die "$path: $!";
    my $bytes = do { local $/ = undef; <$in> };
    next if !defined $bytes || $bytes eq '' || $bytes =~ /\0/;
    my $text = $bytes;
    push @encoding, "$path: not UTF-8" if !utf8::decode($text);
    push @ends, "$path: carriage returns" if $text =~ /\r\n/;
    push @ends, "$path: the last line is not ended" if $text !~ /\n\z/;
    push @ends, "$path: empty lines at the end" if $text =~ /\n\n\z/;
    my $number = 0;
    for (split /\n/, $text) {
        $number++;
        push @blanks, "$path:$number" if /[ \t]+$/ && $path !~ /\.md$/;
        push @tabs, "$path:$number" if /\t/ && $path =~ /\.(?:[ch]|sql|pl|pm|t|html|css|js)$/;
        push @put_off, "$path:$number: $1" if /\b($marks)\b/;
        push @put_off, "$path:$number: put off without a reason" if /\b$later\b(?!:? (?:\S+ ){3})/;
    }
}
holds('no blanks at the end of a line', @blanks);
holds('no tabs in source', @tabs);
holds('lines end with a line feed, the last one too', @ends);
holds('text is UTF-8', @encoding);
holds('nothing is put off without a reason', @put_off);
done_testing();
