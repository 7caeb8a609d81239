package Tidemark::Proto;

# Bytes of Protocol Buffers and of snappy's block format for requests, written by their
# descriptions (protobuf.dev/programming-guides/encoding, google/snappy format_description.txt).

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(varint uint fixed64 double bytes snappy);

sub varint {
    my ($value) = @_;
    my $out = '';
    while ($value > 0x7f) {
        $out .= chr(0x80 | ($value & 0x7f));
        $value >>= 7;
    }
    return $out . chr $value;
}

# Fields: (number, value).
sub uint { return varint($_[0] << 3) . varint($_[1]) }
sub fixed64 { return varint($_[0] << 3 | 1) . pack 'Q<', $_[1] }
sub double { return varint($_[0] << 3 | 1) . pack 'd<', $_[1] }

# A string, or a message of the fields that are given.
sub bytes {
    my ($number, @parts) = @_;
    my $all = join '', @parts;
    utf8::encode($all) if utf8::is_utf8($all);
    return varint($number << 3 | 2) . varint(length $all) . $all;
}

# Literals alone: legal, and nothing shorter.
sub snappy {
    my ($text) = @_;
    my $out = varint(length $text);
    while (length $text) {
        my $part = substr $text, 0, 65536, '';
        $out .= chr(61 << 2) . pack('v', length($part) - 1) . $part;
    }
    return $out;
}

1;
