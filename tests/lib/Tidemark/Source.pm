package Tidemark::Source;

# The project's own source as the style tests look at it: lists of files, C without its
# comments, C's functions and string literals.

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Find qw(find);

our @EXPORT_OK = qw(root files c_files read_source bare functions strings line_of holds);

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');
chdir $ROOT or die "$ROOT: $!";

sub root { return $ROOT }

# The paths below the given folders (default: all) whose name matches, sorted. What is built,
# kept data, corpora and pictures are no source.
sub files {
    my ($pattern, @folders) = @_;
    my @found;
    find({ no_chdir => 1, wanted => sub {
        $File::Find::prune = 1 if m{(?:^|/)(?:\.git|build|var|corpus|node_modules)$};
        push @found, $File::Find::name =~ s{^\./}{}r if -f && $_ =~ $pattern && !/\.(?:ico|png|woff2|gz|bin)$/;
    } }, grep { -e } @folders ? @folders : '.');
    return sort @found;
}

sub c_files { return files(qr/\.[ch]$/, @_ ? @_ : 'app') }

sub read_source {
    my ($path) = @_;
    open my $in, '<:encoding(UTF-8)', $path or die "$path: $!";
    local $/ = undef;
    return scalar <$in>;
}

# C with comments blanked (and, unless $keeps_strings, what stands between quotes), so that
# lines and columns stay.
sub bare {
    my ($text, $keeps_strings) = @_;
    my $blank = sub { $_[0] =~ s/[^\n]/ /gr };
    $text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')}{
        defined $1 ? $blank->($1) : $keeps_strings ? $2 : substr($2, 0, 1) . $blank->(substr $2, 1, -1) . substr($2, -1)
    }gse;
    return $text;
}

sub line_of {
    my ($text, $position) = @_;
    return 1 + (substr($text, 0, $position) =~ tr/\n//);
}

# The functions defined in C: { name, line, lines (of the body), parameters }.
sub functions {
    my ($text) = @_;
    my $code = bare($text) =~ s/^[ \t]*#(?:[^\n\\]|\\.|\\\n)*/ $& =~ s{[^\n]}{ }gr /gmer;
    my (@found, @open);
    my ($depth, $start) = (0, 0);
    while ($code =~ /([{};])/g) {
        my ($mark, $at) = ($1, pos($code) - 1);
        if ($mark eq '{') {
            if (!$depth) {
                my $head = substr $code, $start, $at - $start;
                if ($head !~ /=\s*$/ && $head =~ /(\w+)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*$/s) {
                    my ($name, $parameters) = ($1, $2);
                    my $flat = $parameters =~ s/\([^()]*\)//gr;
                    push @open, { name => $name, line => line_of($code, $at), at => $at,
                        parameters => $flat =~ /^\s*(?:void)?\s*$/ ? 0 : 1 + ($flat =~ tr/,//) };
                } else {
                    push @open, undef;
                }
            }
            $depth++;
        } elsif ($mark eq '}') {
            $depth--;
            if ($depth <= 0 && @open) {
                my $function = pop @open;
                if ($function) {
                    $function->{lines} = line_of($code, $at) - $function->{line} - 1;
                    push @found, $function;
                }
                $start = pos $code;
                $depth = 0;
            }
        } elsif (!$depth) {
            $start = pos $code;
        }
    }
    return @found;
}

# The string literals of C, neighbours joined: [line, text].
sub strings {
    my ($text) = @_;
    my $code = bare($text, 1) =~ s/'(?:[^'\\\n]|\\.)+'/ ' ' x length $& /ger;
    my @found;
    while ($code =~ /("(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)/g) {
        my ($literal, $line) = ($1, line_of($code, pos($code) - length $1));
        push @found, [$line, join '', $literal =~ /"((?:[^"\\\n]|\\.)*)"/g];
    }
    return @found;
}

# One check of a whole set: passes when no violation was found, else shows them.
sub holds {
    my ($name, @violations) = @_;
    my $passed = Test::More::ok(!@violations, $name);
    Test::More::diag($_) for @violations;
    return $passed;
}

1;
