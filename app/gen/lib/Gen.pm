# What the generators of app/gen share: errors that name file and line, reading,
# writing, and C string literals. Knows nothing of the languages they compile.
package Gen;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(complain error_count finish read_file write_file c_string c_name options);

my @errors;

# Records one error; the generator goes on so that one run shows all of them.
sub complain {
    my ($file, $line, $message) = @_;
    push @errors, "$file:$line: $message";
    return;
}

sub error_count { return scalar @errors }

# Ends the run with status 1 when anything was complained about.
sub finish {
    return if !@errors;
    print STDERR "$_\n" for @errors;
    exit 1;
}

# The bytes of a file; a file that cannot be read ends the run.
sub read_file {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path:1: cannot read: $!\n";
    local $/ = undef;
    my $bytes = <$in>;
    close $in or die "$path:1: cannot read: $!\n";
    return defined $bytes ? $bytes : '';
}

# Writes a file by rename, so that a broken run never leaves half of one.
sub write_file {
    my ($path, $content) = @_;
    my $partial = "$path.$$";
    open my $out, '>:raw', $partial or die "$partial: cannot write: $!\n";
    print {$out} $content or die "$partial: cannot write: $!\n";
    close $out or die "$partial: cannot write: $!\n";
    rename $partial, $path or die "$path: cannot rename: $!\n";
    return;
}

# A C string literal of the bytes, one line of source for each line of text.
# Octal escapes always have three digits, so that a following digit is not eaten.
sub c_string {
    my ($bytes, $indent) = @_;
    $indent = '    ' if !defined $indent;
    return '""' if $bytes eq '';
    my @lines = $bytes =~ /[^\n]*\n|[^\n]+/g;
    for my $line (@lines) {
        $line =~ s/([\\"])/\\$1/g;
        $line =~ s/\n/\\n/g;
        $line =~ s/\t/\\t/g;
        $line =~ s/\?(?=\?)/?""/g;    # no trigraphs
        $line =~ s/([^\x20-\x7e])/sprintf '\\%03o', ord $1/ge;
        $line = qq{"$line"};
    }
    return join "\n$indent", @lines;
}

# A file or thing's name as part of a C identifier.
sub c_name {
    my ($text) = @_;
    $text =~ s/[^A-Za-z0-9]+/_/g;
    return $text;
}

# Splits a command line of `--name value` pairs and files; wrong usage ends with status 2.
sub options {
    my ($usage, $known, @arguments) = @_;
    my (%option, @files);
    while (@arguments) {
        my $argument = shift @arguments;
        if ($argument =~ /^--(\w+)$/) {
            if (!grep({ $_ eq $1 } @{$known}) || !@arguments) {
                print STDERR "usage: $usage\n";
                exit 2;
            }
            $option{$1} = shift @arguments;
        } else {
            push @files, $argument;
        }
    }
    if (!defined $option{out}) {
        print STDERR "usage: $usage\n";
        exit 2;
    }
    return (\%option, @files);
}

1;
