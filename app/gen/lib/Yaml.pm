# Reads the part of YAML 1.2 that API descriptions are written in, and writes it as JSON
# in the same order: block maps and lists, plain, quoted and block scalars, flow lists and
# maps. Refuses anchors, aliases, tags, several documents, double keys, tabs: what it
# accepts means the same to every other parser.
package Yaml;

use strict;
use warnings;
use Exporter 'import';
use Gen qw(complain);

our @EXPORT_OK = qw(yaml_to_json);

# The document as one line of JSON; complains at file:line and returns '{}' otherwise.
sub yaml_to_json {
    my ($file, $source) = @_;
    my $number = 0;
    my @lines = map { { number => ++$number, text => $_ } } split /\r?\n/, $source;
    my $self = bless { lines => \@lines, at => 0 }, __PACKAGE__;
    my $value = eval {
        $self->{at}++ if $self->skip_blank && $self->line->{text} =~ /^---\s*$/;
        my $read = $self->skip_blank ? $self->block($self->indent) : undef;
        $self->refuse('text after the document') if $self->skip_blank;
        $read;
    };
    if ($@) {
        chomp(my $message = $@);
        my $line = $self->line || $lines[-1] || { number => 1 };
        complain($file, $self->{failed} || $line->{number}, $message);
        return '{}';
    }
    return json($value);
}

sub line { return $_[0]{lines}[ $_[0]{at} ] }

sub refuse {
    my ($self, $message) = @_;
    $self->{failed} = $self->line ? $self->line->{number} : $self->{lines}[-1]{number};
    die "$message\n";
}

# Goes to the next line with content; false at the end.
sub skip_blank {
    my ($self) = @_;
    while (my $line = $self->line) {
        $self->refuse('a tab in the indentation') if $line->{text} =~ /^ *\t/;
        return 1 if $line->{text} =~ /^ *[^ #]/;
        $self->{at}++;
    }
    return 0;
}

sub indent {
    my ($self) = @_;
    return $self->line->{text} =~ /^( *)/ ? length $1 : 0;
}

# The block collection whose lines stand at $indent.
sub block {
    my ($self, $indent) = @_;
    my $text = substr $self->line->{text}, $indent;
    return $self->list($indent) if $text =~ /^-(?: |$)/;
    return $self->map_at($indent) if $text =~ /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{}#&*!|>%@`,][^#]*?)\s*:(?: |$)/;
    return $self->flow_or_scalar($indent, $text);
}

sub list {
    my ($self, $indent) = @_;
    my @items;
    while ($self->skip_blank && $self->indent == $indent && $self->line->{text} =~ /^ *-( +|$)(.*)$/) {
        my ($gap, $rest) = ($1, $2);
        if ($rest =~ /^(?:#.*)?$/) {
            $self->{at}++;
            push @items, $self->nested($indent, 0);
        } elsif ($rest =~ /^[|>]/) {
            push @items, $self->block_scalar($indent, $rest);
        } else {
            # `- key: value`: the rest of the line is the first line of a block further right
            my $inner = $indent + 1 + length $gap;
            $self->line->{text} = (' ' x $inner) . $rest;
            push @items, $self->block($inner);
        }
    }
    $self->check_next($indent);
    return ['list', @items];
}

sub map_at {
    my ($self, $indent) = @_;
    my (@pairs, %seen);
    while ($self->skip_blank && $self->indent == $indent) {
        my $text = substr $self->line->{text}, $indent;
        last if $text =~ /^-(?: |$)/;
        $text =~ /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{}#&*!|>%@`,].*?)\s*:(?: +(.*))?$/
            or $self->refuse("not 'key: value'");
        my ($key, $rest) = ($self->key($1), defined $2 ? $2 : '');
        $self->refuse("key '$key' twice") if $seen{$key}++;
        push @pairs, [$key, $self->value($indent, $rest)];
    }
    $self->check_next($indent);
    return ['map', @pairs];
}

sub key {
    my ($self, $text) = @_;
    $self->refuse("merge key '<<'") if $text eq '<<';
    return $text =~ /^["']/ ? $self->quoted($text) : $text;
}

# After a collection at $indent only something further left may follow.
sub check_next {
    my ($self, $indent) = @_;
    $self->refuse('indentation that fits nothing above') if $self->skip_blank && $self->indent > $indent;
    return;
}

# What follows `key:` on its line and below.
sub value {
    my ($self, $indent, $rest) = @_;
    if ($rest =~ /^(?:#.*)?$/) {
        $self->{at}++;
        return $self->nested($indent, 1);
    }
    return $self->block_scalar($indent, $rest) if $rest =~ /^[|>]/;
    return $self->flow_or_scalar($indent, $rest);
}

# The collection under a key or a dash; null where there is none. A list may stand at the
# same indentation as its key.
sub nested {
    my ($self, $indent, $is_key) = @_;
    return ['null'] if !$self->skip_blank;
    my $inner = $self->indent;
    return $self->block($inner) if $inner > $indent;
    return $self->list($inner) if $is_key && $inner == $indent && $self->line->{text} =~ /^ *-(?: |$)/;
    return ['null'];
}

# | and >, with - or nothing for the last line end.
sub block_scalar {
    my ($self, $indent, $head) = @_;
    $head =~ /^([|>])(-?)\s*(?:#.*)?$/ or $self->refuse("'$head' is no block scalar of this subset");
    my ($style, $chomp) = ($1, $2);
    my (@lines, $inner);
    $self->{at}++;
    while (my $line = $self->line) {
        my $text = $line->{text};
        if ($text =~ /^ *$/) { push @lines, ''; $self->{at}++; next }
        my $depth = $text =~ /^( *)/ ? length $1 : 0;
        $inner = $depth if !defined $inner && $depth > $indent;
        last if !defined $inner || $depth < $inner;
        push @lines, substr $text, $inner;
        $self->{at}++;
    }
    pop @lines while @lines && $lines[-1] eq '';
    my $text = $style eq '|' ? join("\n", @lines) : folded(@lines);
    return ['string', $text . ($chomp || $text eq '' ? '' : "\n")];
}

# Line ends become spaces, blank lines line ends; lines further right stay as they are.
sub folded {
    my ($text, $was_wide) = ('', 1);
    for my $line (@_) {
        my $is_wide = $line =~ /^ / || $line eq '';
        my $joint = $text eq '' || $text =~ /\n\z/ ? '' : $is_wide || $was_wide ? "\n" : ' ';
        $text .= $line eq '' ? "\n" : $joint . $line;
        $was_wide = $is_wide;
    }
    return $text;
}

# A scalar or flow collection that begins on this line; flow and plain ones may go on below.
sub flow_or_scalar {
    my ($self, $indent, $text) = @_;
    $self->refuse("'" . substr($text, 0, 1) . "' begins no value of this subset") if $text =~ /^[&*!%@`]/;
    return $self->flow_block($indent, $text) if $text =~ /^[\[{]/;
    if ($text =~ /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?:#.*)?$/) {
        my $value = ['string', $self->quoted($1)];
        $self->{at}++;
        return $value;
    }
    $self->refuse('a quote is not closed on its line') if $text =~ /^["']/;
    return $self->plain($indent, $text);
}

# A flow collection with its lines joined. Its further lines stand right of its key, but
# for the closing bracket.
sub flow_block {
    my ($self, $indent, $text) = @_;
    my $source = without_comment($text);
    until (is_balanced($source)) {
        $self->{at}++;
        my $is_end = !$self->line || ($self->line->{text} =~ /^ *[^\s\]}]/ && $self->indent <= $indent);
        $self->refuse('a flow collection is not closed') if $is_end;
        $source .= ' ' . without_comment($self->line->{text} =~ s/^\s+//r);
    }
    my $value = $self->flow(\$source);
    $self->refuse("'$source' after a flow collection") if $source =~ /\S/;
    $self->{at}++;
    return $value;
}

# A line without its comment; # begins one at the start and after a space, outside quotes.
sub without_comment {
    my ($text) = @_;
    $text =~ /^((?:[^"'#]|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?<=\S)#)*)(.?)/;
    return $2 eq '#' ? $1 : $text;
}

# A plain scalar, which may go on in the lines below that stand further right.
sub plain {
    my ($self, $indent, $text) = @_;
    my @parts = ($text =~ s/\s+#.*//r);
    my $is_commented = $parts[0] ne $text;
    $self->refuse("': ' in a plain value; quote it") if $parts[0] =~ /:(?: |$)/;
    $self->{at}++;
    while (!$is_commented && $self->line && $self->line->{text} =~ /^( *)(\S.*)$/ && length $1 > $indent) {
        my $more = $2;
        $self->refuse("': ' in a plain value; quote it") if $more =~ /:(?: |$)/;
        $self->refuse("'$more' in the middle of a plain value") if $more =~ /^#|\s#/;
        push @parts, $more;
        $self->{at}++;
    }
    return typed(join ' ', map { s/\s+$//r } @parts);
}

# YAML 1.2's core types; numbers only in JSON's own form, so that they can be copied.
sub typed {
    my ($text) = @_;
    return ['null'] if $text =~ /^(?:~|null|)$/;
    return ['word', $text] if $text =~ /^(?:true|false)$/;
    return ['word', $text] if $text =~ /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
    return ['string', $text];
}

sub quoted {
    my ($self, $text) = @_;
    return $text =~ s/^'|'$//gr =~ s/''/'/gr if $text =~ /^'/;
    my %escape = (n => "\n", t => "\t", r => "\r", '"' => '"', '\\' => '\\', '/' => '/', ' ' => ' ', 0 => "\0");
    $text =~ s/^"|"$//g;
    $text =~ s{\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))}{
        my ($code, $letter) = (defined $1 ? $1 : $2, $3);
        if (defined $code) { my $c = chr hex $code; utf8::encode($c); $c }
        else { exists $escape{$letter} ? $escape{$letter} : $self->refuse("unknown escape \\$letter") }
    }gse;
    return $text;
}

sub is_balanced {
    my $bare = $_[0] =~ s/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'//gr;
    my $open = ($bare =~ tr/[{//) - ($bare =~ tr/]}//);
    return $open <= 0;
}

# Reads one flow value off the front of the text.
sub flow {
    my ($self, $text) = @_;
    if (${$text} =~ s/^\s*\[\s*//) {
        my @items;
        until (${$text} =~ s/^\s*\]//) {
            push @items, $self->flow($text);
            ${$text} =~ s/^\s*,\s*// or ${$text} =~ /^\s*\]/ or $self->refuse('a flow list is not closed');
        }
        return ['list', @items];
    }
    if (${$text} =~ s/^\s*\{\s*//) {
        my (@pairs, %seen);
        until (${$text} =~ s/^\s*\}//) {
            ${$text} =~ s/^\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{},:#&*!|>%@`][^\[\]{},:]*?)\s*:(?=[\s"'\[{])\s*//
                or $self->refuse("not 'key: value' in a flow map");
            my $key = $self->key($1);
            $self->refuse("key '$key' twice") if $seen{$key}++;
            push @pairs, [$key, $self->flow($text)];
            ${$text} =~ s/^\s*,\s*// or ${$text} =~ /^\s*\}/ or $self->refuse('a flow map is not closed');
        }
        return ['map', @pairs];
    }
    return ['string', $self->quoted($1)] if ${$text} =~ s/^\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')//;
    ${$text} =~ s/^\s*([^\s"'\[\]{},#&*!|>%@`](?:[^\[\]{},:#]|:(?!\s)|(?<!\s)#)*)// or $self->refuse('not a flow value');
    return typed($1 =~ s/\s+$//r);
}

sub json {
    my ($value) = @_;
    return 'null' if !$value;
    my ($kind, @rest) = @{$value};
    return 'null' if $kind eq 'null';
    return $rest[0] if $kind eq 'word';
    return json_string($rest[0]) if $kind eq 'string';
    return '[' . join(',', map { json($_) } @rest) . ']' if $kind eq 'list';
    return '{' . join(',', map { json_string($_->[0]) . ':' . json($_->[1]) } @rest) . '}';
}

sub json_string {
    my ($text) = @_;
    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/\n/\\n/g;
    $text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
    return qq{"$text"};
}

1;
