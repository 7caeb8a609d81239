# Follows HTML source piece by piece and knows at each point which context a value would
# stand in. Stricter than a browser: what it is not sure of is an error (die with a
# message). Used by templates.pl; knows nothing of the template language.
#
# The state of a tracker:
#   at     text | rcdata | raw | json | comment | tag | gap | name | equals | value
#          tag: just after <name; gap: between attributes; name: in an attribute's name;
#          equals: after it; value: between its quotes; ended: directly after a value or
#          a block, where only space or the tag's end may follow
#   stack  the open elements; below: those closed here that the source did not open
#   tag, attributes, attribute, quote: of the tag being read
#   url    how far an address is: start (empty), word (a literal that could still become a
#          scheme), inside (settled), after output (a value that begins it; a colon could
#          make it a scheme), unclear (branches differ); undef in other attributes
package Html;

use strict;
use warnings;

my %is_void = map { $_ => 1 } qw(area base br col hr img input link meta source track wbr);
my %is_refused = map { $_ => 1 }
    qw(plaintext xmp listing noembed noframes iframe frame frameset object embed applet base template);
my %is_animation = map { $_ => 1 } qw(animate animatemotion animatetransform set);
my %is_url = map { $_ => 1 }
    qw(href src action formaction poster cite background xlink:href manifest longdesc usemap ping data);
my %is_listed_url = map { $_ => 1 } qw(srcset imagesrcset);
my %is_scheme = map { $_ => 1 } qw(http https mailto);

sub new {
    my ($class) = @_;
    return bless { at => 'text', stack => [], below => [], line => 1 }, $class;
}

# A copy, to try branches from the same point.
sub fork {
    my ($self) = @_;
    my %copy = %{$self};
    $copy{$_} = [@{ $self->{$_} }] for qw(stack below);
    $copy{attributes} = { %{ $self->{attributes} } } if $self->{attributes};
    return bless \%copy, ref $self;
}

# Where the tracker is, for messages.
sub place {
    my ($self) = @_;
    my %name = (text => 'text', rcdata => 'text of an element', raw => "<" . ($self->{tag} || '') . ">",
        json => 'JSON', comment => 'a comment', value => 'an attribute value');
    my $place = $name{ $self->{at} } || 'a tag';
    return $place;
}

# Called where a block begins or ends: a name cannot go on behind it.
sub settle {
    my ($self) = @_;
    die "a block in a <script> tag; its type must be plain to see\n"
        if ($self->{tag} || '') eq 'script' && $self->{at} !~ /^(?:text|json|raw)$/;
    if ($self->{at} eq 'name') { $self->end_of_name; $self->{at} = 'ended' }
    elsif ($self->{at} eq 'tag') { $self->{at} = 'ended' }
    elsif ($self->{at} eq 'equals') { die "a block between an attribute's name and its value\n" }
    elsif ($self->{at} eq 'comment') { die "a block in a comment\n" }
    return;
}

# Makes this the state after either of two branches; dies where they disagree.
sub join_branch {
    my ($self, $other) = @_;
    my ($mine, $theirs) = map { $_->shape } $self, $other;
    die "the branches of this block leave different elements open ($mine->[1] and $theirs->[1])\n"
        if $mine->[1] ne $theirs->[1];
    my %at = ($self->{at} => 1, $other->{at} => 1);
    if ($at{gap} && $at{ended}) {
        $self->{at} = $other->{at} = 'ended';
        ($mine, $theirs) = map { $_->shape } $self, $other;
    }
    die "the branches of this block end in different places (" . $self->place . " and " . $other->place . ")\n"
        if $mine->[0] ne $theirs->[0];
    if (defined $self->{url}) {
        my $is_same = $self->{url} eq $other->{url} && $self->{address} eq $other->{address};
        $self->{url} = 'unclear' if !$is_same && ($self->{url} ne 'inside' || $other->{url} ne 'inside');
    }
    if ($self->{attributes}) { %{ $self->{attributes} } = (%{ $other->{attributes} || {} }, %{ $self->{attributes} }) }
    return;
}

# What must be equal where branches meet: [place, open elements].
sub shape {
    my ($self) = @_;
    my @what = $self->{at} eq 'text' ? () : $self->{at} eq 'value' ? qw(tag attribute quote) : qw(tag json_string);
    my @place = ($self->{at}, map { defined $self->{$_} ? $self->{$_} : '' } @what);
    my $open = join ' ', (map { "</$_>" } @{ $self->{below} }), map { "<$_>" } @{ $self->{stack} };
    return [join("\0", @place), $open eq '' ? 'none' : $open];
}

# A loop's body must end as it began, so that it can follow itself.
sub check_loop {
    my ($self, $start) = @_;
    my ($mine, $theirs) = map { $_->shape } $self, $start;
    die "the body of this loop does not end as it began: open elements $theirs->[1], then $mine->[1]\n"
        if $mine->[1] ne $theirs->[1];
    die "the body of this loop does not end as it began: in " . $start->place . ", then in " . $self->place . "\n"
        if $mine->[0] ne $theirs->[0] || ($self->{url} || '') ne ($start->{url} || '');
    return;
}

# The context of a value here: text, attr, url, url_part or json. Dies where none may stand.
sub output {
    my ($self) = @_;
    my $at = $self->{at};
    return 'text' if $at eq 'text' || $at eq 'rcdata';
    return $self->output_in_value if $at eq 'value';
    if ($at eq 'json') {
        die "output inside a JSON string; it brings its own quotes\n" if $self->{json_string};
        return 'json';
    }
    die "output in <$self->{tag}>\n" if $at eq 'raw';
    die "output in a comment\n" if $at eq 'comment';
    die "output as an unquoted attribute value\n" if $at eq 'equals';
    die "output inside a tag, outside a quoted attribute value\n";
}

sub output_in_value {
    my ($self) = @_;
    my ($tag, $name) = @{$self}{qw(tag attribute)};
    die "output in an attribute of <$tag>\n" if $is_animation{$tag};
    die "output in '$name'; write one address in src\n" if $is_listed_url{$name};
    die "output in the type of a script\n" if $tag eq 'script' && $name eq 'type';
    if ($tag eq 'meta' && ($name eq 'content' || $name eq 'http-equiv')) {
        $self->{attributes}{' output in content'} = 1;
        $self->check_meta;
    }
    return 'attr' if !$is_url{$name};
    die "output in an address after branches with and without a beginning\n" if $self->{url} eq 'unclear';
    my $context = $self->{url} eq 'start' ? 'url' : 'url_part';
    $self->{url} = 'after output' if $self->{url} eq 'start';
    return $context;
}

# <meta http-equiv="refresh"> takes an address in a way of its own.
sub check_meta {
    my ($self) = @_;
    my $seen = $self->{attributes};
    die "output in the content of <meta http-equiv>\n" if $seen->{' output in content'} && exists $seen->{'http-equiv'};
    return;
}

# True where markup may come from elsewhere (an included template, a component).
sub is_text { return $_[0]{at} eq 'text' }

# The elements that the source closes without having opened and those it leaves open.
sub effect {
    my ($self) = @_;
    return ($self->{below}, $self->{stack});
}

# Applies another source's effect, as if its text stood here.
sub apply {
    my ($self, $closes, $opens) = @_;
    $self->close_element($_) for @{$closes};
    push @{ $self->{stack} }, @{$opens};
    return;
}

# Reads literal source; $self->{line} follows, so that a death can be placed.
sub literal {
    my ($self, $text) = @_;
    pos($text) = 0;
    while (pos($text) < length $text) {
        my $from = pos $text;
        my $method = "read_$self->{at}";
        $self->$method(\$text);
        my $eaten = substr $text, $from, pos($text) - $from;
        die "stuck in " . $self->place . "\n" if $eaten eq '';
        $self->{line} += ($eaten =~ tr/\n//);
    }
    return;
}

sub read_text {
    my ($self, $text) = @_;
    return if ${$text} =~ /\G[^<]+/gc;
    if    (${$text} =~ /\G<!--/gc)           { $self->{at} = 'comment' }
    elsif (${$text} =~ /\G<!doctype html>/gci) { }
    elsif (${$text} =~ m{\G<([A-Za-z][A-Za-z0-9-]*)(?=[\s/>]|\z)}gc) { $self->open_tag(lc $1) }
    elsif (${$text} =~ m{\G</([A-Za-z][A-Za-z0-9-]*)\s*>}gc) { $self->close_element(lc $1) }
    else { die "'<' begins no tag; write &lt;\n" }
    return;
}

# Text of <title> and <textarea>, where only its own end tag counts.
sub read_rcdata {
    my ($self, $text) = @_;
    return if ${$text} =~ /\G[^<]+/gc;
    if (${$text} =~ m{\G</\Q$self->{tag}\E\s*>}gci) {
        pop @{ $self->{stack} };
        $self->{at} = 'text';
    } else {
        die "'<' in <$self->{tag}>; write &lt;\n";
    }
    return;
}

# The content policy lets no inline script or style run, so a literal one is a mistake too.
sub read_raw {
    my ($self, $text) = @_;
    return if ${$text} =~ /\G\s+/gc;
    if (${$text} =~ m{\G</\Q$self->{tag}\E\s*>}gci) {
        pop @{ $self->{stack} };
        $self->{at} = 'text';
    } else {
        die "inline <$self->{tag}>; the content security policy forbids it\n";
    }
    return;
}

sub read_json {
    my ($self, $text) = @_;
    if (${$text} =~ m{\G</script\s*>}gci) {
        die "a JSON string is not closed\n" if $self->{json_string};
        pop @{ $self->{stack} };
        $self->{at} = 'text';
    }
    elsif (${$text} =~ /\G</gc) { die "'<' in JSON; write \\u003c\n" }
    elsif (${$text} =~ /\G"/gc) { $self->{json_string} = !$self->{json_string} }
    elsif (${$text} =~ /\G\\./gcs) { die "'\\' outside a JSON string\n" if !$self->{json_string} }
    else { ${$text} =~ /\G[^<"\\]+|\G\\/gc }
    return;
}

sub read_comment {
    my ($self, $text) = @_;
    if (${$text} =~ /\G.*?-->/gcs) { $self->{at} = 'text' }
    else { ${$text} =~ /\G.+/gcs }
    return;
}

sub read_tag { return $_[0]->read_ended($_[1]) }

sub read_ended {
    my ($self, $text) = @_;
    if (${$text} =~ m{\G(?=/?>)}gc) { $self->{at} = 'gap'; $self->read_gap($text) }
    elsif (${$text} =~ /\G\s+/gc) { $self->{at} = 'gap' }
    else { die "a space is missing in <$self->{tag}>\n" }
    return;
}

sub read_gap {
    my ($self, $text) = @_;
    return if ${$text} =~ /\G\s+/gc;
    if (${$text} =~ m{\G(/?)>}gc) { $self->end_tag($1) }
    elsif (${$text} =~ /\G([A-Za-z_:])/gc) {
        $self->{attribute} = lc $1;
        $self->{at} = 'name';
    }
    else { ${$text} =~ /\G(.)/gcs; die "'$1' in <$self->{tag}> begins no attribute\n" }
    return;
}

sub read_name {
    my ($self, $text) = @_;
    if (${$text} =~ /\G([-A-Za-z0-9_:.]+)/gc) { $self->{attribute} .= lc $1; return }
    if (${$text} =~ /\G\s*=\s*/gc) {
        $self->end_of_name;
        $self->{at} = 'equals';
        return;
    }
    if (${$text} =~ m{\G(?=[\s/>])}gc) {
        $self->end_of_name;
        $self->{at} = 'gap';
        return $self->read_gap($text);
    }
    ${$text} =~ /\G(.)/gcs;
    die "'$1' in the name of an attribute\n";
}

# An attribute's name is complete: is it one that may be?
sub end_of_name {
    my ($self) = @_;
    my ($tag, $name) = @{$self}{qw(tag attribute)};
    die "attribute '$name'; the content security policy forbids scripts in attributes\n" if $name =~ /^on/;
    die "attribute 'style'; the content security policy forbids it, use a class\n" if $name eq 'style';
    die "attribute 'srcdoc'\n" if $name eq 'srcdoc';
    die "attribute '$name' twice in <$tag>\n" if exists $self->{attributes}{$name};
    $self->{attributes}{$name} = '';
    $self->check_meta if $name eq 'http-equiv';
    return;
}

sub read_equals {
    my ($self, $text) = @_;
    if (${$text} !~ /\G(["'])/gc) { die "unquoted value of attribute '$self->{attribute}'\n" }
    @{$self}{qw(at quote)} = ('value', $1);
    $self->{url} = $is_url{ $self->{attribute} } ? 'start' : undef;
    $self->{address} = '';
    return;
}

sub read_value {
    my ($self, $text) = @_;
    my $quote = $self->{quote};
    if (${$text} =~ /\G([^$quote]+)/gc) {
        my $value = $1;
        die "'<' in an attribute value; is the quote closed? Write &lt;\n" if $value =~ /</;
        $self->{attributes}{ $self->{attribute} } .= $value;
        $self->address($value) if defined $self->{url};
        return;
    }
    pos(${$text}) = pos(${$text}) + 1;
    @{$self}{qw(at url)} = ('ended', undef);
    return;
}

# A literal part of an address.
sub address {
    my ($self, $value) = @_;
    die "a line end in an address\n" if $value =~ /[\r\n\t]/;
    if ($self->{url} eq 'start' || $self->{url} eq 'word') {
        $self->{address} .= $value;
        return if $self->{address} !~ /\S/;
        $self->{url} = 'word';
        die "an address may not begin with // or \\\n" if $self->{address} =~ m{^\s*(?:/[/\\]|\\)};
        if ($self->{address} =~ m{^\s*([^/?#:]*):}) {
            die "address with the scheme '$1'; http, https and mailto may be\n" if !$is_scheme{ lc $1 };
        }
        $self->{url} = 'inside' if $self->{address} =~ m{[/?#:]};
    } elsif ($self->{url} eq 'after output') {
        $value =~ m{^([^/?#:]*)([/?#:])} or return;
        die "':' after output that begins an address\n" if $2 eq ':';
        $self->{url} = 'inside';
    }
    return;
}

sub open_tag {
    my ($self, $tag) = @_;
    die "element <$tag> is not used here\n" if $is_refused{$tag};
    @{$self}{qw(at tag attributes)} = ('tag', $tag, {});
    return;
}

# The > of a start tag: what comes next depends on the element.
sub end_tag {
    my ($self, $slash) = @_;
    my $tag = $self->{tag};
    my $type = lc($self->{attributes}{type} || '');
    my $is_drawing = grep { $_ eq 'svg' || $_ eq 'math' } @{ $self->{stack} };
    $self->{at} = 'text';
    if ($slash) {
        return if $is_void{$tag} || $is_drawing;
        die "<$tag/> does not close <$tag>\n";
    }
    return if $is_void{$tag};
    push @{ $self->{stack} }, $tag;
    return if $is_drawing && $tag ne 'script' && $tag ne 'style';
    if ($tag eq 'script' && $type =~ m{^application/(?:[a-z]+\+)?json$}) {
        @{$self}{qw(at json_string)} = ('json', 0);
    }
    elsif ($tag eq 'script' || $tag eq 'style')   { $self->{at} = 'raw' }
    elsif ($tag eq 'title' || $tag eq 'textarea') { $self->{at} = 'rcdata' }
    return;
}

sub close_element {
    my ($self, $tag) = @_;
    die "</$tag>: that element has no content\n" if $is_void{$tag};
    my $open = pop @{ $self->{stack} };
    if (!defined $open) {
        push @{ $self->{below} }, $tag;
    } elsif ($open ne $tag) {
        die "</$tag> where <$open> is open\n";
    }
    return;
}

1;
