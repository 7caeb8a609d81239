# Just enough of PostgreSQL's lexical rules to tell code from strings and comments.
# Used by the generators and by tests; does not parse statements.
package Sql;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(tokens strip_comments);

# Splits SQL into tokens [kind, text, line]; kind is code, string, name, comment or
# broken (something opened and never closed). Lines count from $line.
sub tokens {
    my ($sql, $line) = @_;
    my @tokens;
    my $add = sub {
        my ($kind, $text) = @_;
        push @tokens, [$kind, $text, $line];
        $line += ($text =~ tr/\n//);
    };
    pos($sql) = 0;
    while (pos($sql) < length $sql) {
        if ($sql =~ /\G(--[^\n]*)/gc) { $add->('comment', $1) }
        elsif ($sql =~ m{\G/\*}gc) {
            my ($text, $depth) = ('/*', 1);
            while ($depth && $sql =~ m{\G(.*?(\*/|/\*))}gcs) {
                $text .= $1;
                $depth += $2 eq '/*' ? 1 : -1;
            }
            $add->($depth ? 'broken' : 'comment', $text);
            last if $depth;
        }
        elsif ($sql =~ /\G([eE]'(?:[^'\\]|\\.|'')*')/gcs) { $add->('string', $1) }
        elsif ($sql =~ /\G('(?:[^']|'')*')/gc)            { $add->('string', $1) }
        elsif ($sql =~ /\G("(?:[^"]|"")*")/gc)            { $add->('name',   $1) }
        elsif ($sql =~ /\G(\$(?:[A-Za-z_]\w*)?\$)/gc) {
            my $tag = $1;
            if ($sql =~ /\G(.*?\Q$tag\E)/gcs) { $add->('string', $tag . $1) }
            else { $add->('broken', $tag); last }
        }
        elsif ($sql =~ /\G(['"])/gc) { $add->('broken', $1); last }
        elsif ($sql =~ m{\G((?:[A-Za-z_][\w\$]*|\$\d+|[^-/'"\$\w]+|\d+|[-/\$]))}gc) { $add->('code', $1) }
        else { $sql =~ /\G(.)/gcs; $add->('code', $1) }
    }
    return @tokens;
}

# The same SQL without comments; blank lines that they leave go too (but not those of a
# string that spans lines).
sub strip_comments {
    my ($sql) = @_;
    my @tokens = tokens($sql, 1);
    my $bare = join '', map { $_->[0] eq 'comment' ? ' ' : $_->[1] } @tokens;
    return $bare if grep { $_->[0] eq 'string' && $_->[1] =~ /\n/ } @tokens;
    return join "\n", grep { /\S/ } map { s/\s+$//r } split /\n/, $bare;
}

1;
