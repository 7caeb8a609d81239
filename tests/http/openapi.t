#!/usr/bin/perl
# The description of the API agrees with what a running server says: every GET address answers, its
# fields are those described, with their types, none missing and none more; errors too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use Time::HiRes qw(sleep);
use Tidemark::Browser;
use Tidemark::Stack;

my $document; # /v1/openapi.json

sub resolve {
    my ($node) = @_;
    while (ref $node eq 'HASH' && defined $node->{'$ref'}) {
        my $at = $document;
        $at = $at->{$_} for grep { $_ ne '#' } split m{/}, $node->{'$ref'};
        $node = $at // die "nothing at the reference";
    }
    return $node;
}

sub type_of {
    my ($value) = @_;
    return 'null' if !defined $value;
    return 'boolean' if JSON::PP::is_bool($value);
    return 'object' if ref $value eq 'HASH';
    return 'array' if ref $value eq 'ARRAY';
    # what the decoder made of a number is one for the encoder, too
    my $text = JSON::PP->new->allow_nonref->encode($value);
    return $text =~ /^"/ ? 'string' : $text =~ /^-?\d+$/ ? 'integer' : 'number';
}

sub is_of_type {
    my ($value, $types) = @_;
    my $type = type_of($value);
    return grep { $_ eq $type || ($_ eq 'number' && $type eq 'integer') } ref $types ? @$types : $types;
}

# What of the value contradicts the schema: sentences with the path.
sub contradictions {
    my ($value, $schema, $path) = @_;
    $schema = resolve($schema);
    if (my $all = $schema->{allOf}) {
        my %merged = (type => 'object', properties => {}, required => []);
        for my $part (map { resolve($_) } @$all) {
            %{ $merged{properties} } = (%{ $merged{properties} }, %{ $part->{properties} || {} });
            push @{ $merged{required} }, @{ $part->{required} || [] };
        }
        $schema = \%merged;
    }
    if (my $choices = $schema->{oneOf} || $schema->{anyOf}) {
        my @best;
        for my $choice (@$choices) {
            my @found = contradictions($value, $choice, $path);
            return () if !@found;
            @best = @found if !@best || @found < @best;
        }
        return @best;
    }
    if (defined $schema->{type} && !is_of_type($value, $schema->{type})) {
        my $wanted = ref $schema->{type} ? join('|', @{ $schema->{type} }) : $schema->{type};
        return "$path: is of type " . type_of($value) . ", described as $wanted";
    }
    if ($schema->{enum} && defined $value && !grep { defined && $_ eq $value } @{ $schema->{enum} }) {
        return "$path: '$value' is not in the enumeration";
    }
    if (($schema->{format} || '') eq 'date-time' && defined $value && $value !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/) {
        return "$path: '$value' is not a time";
    }
    return map { contradictions($value->[$_], $schema->{items} || {}, "$path\[$_]") } 0 .. $#$value if ref $value eq 'ARRAY';
    return () if ref $value ne 'HASH' || (!$schema->{properties} && !$schema->{additionalProperties});
    my $properties = $schema->{properties} || {};
    my @found = map { "$path.$_: is required and missing" } grep { !exists $value->{$_} } @{ $schema->{required} || [] };
    for my $name (sort keys %$value) {
        my $of = $properties->{$name} // $schema->{additionalProperties};
        push @found, ref $of ? contradictions($value->{$name}, $of, "$path.$name") : $of ? () : "$path.$name: is not described";
    }
    return @found;
}

# The checks above find what they are there for.
sub check_validator {
    my $schema = { type => 'object', required => ['a'], properties => { a => { type => 'integer' }, b => { type => ['string', 'null'] } } };
    my $of = sub { return scalar contradictions(JSON::PP::decode_json($_[0]), $schema, '') };
    is($of->('{"a":1,"b":null}'), 0, 'what agrees');
    is($of->('{"b":"x"}'), 1, 'a missing field is found');
    is($of->('{"a":1,"c":2}'), 1, 'one that is not described');
    is($of->('{"a":"1"}'), 1, 'and one of another type');
    return;
}

my %VALUE = (slug => 'lens');

# A path whose {names} are filled; undef where there is nothing to fill them with.
sub fill_path {
    my ($path, $values) = @_;
    my $is_whole = 1;
    $path =~ s/\{(\w+)\}/$values->{$1} || do { $is_whole = 0; '' }/ge;
    return $is_whole ? $path : undef;
}

sub check_answer {
    my ($operation, $path, $answer) = @_;
    my $described = resolve($operation->{responses}{ $answer->{status} });
    if (!$described) {
        fail("GET $path: status $answer->{status} is described");
        return diag $answer->{content};
    }
    my ($type) = ($answer->{headers}{'content-type'} || '') =~ /^([^;\s]*)/;
    return is($answer->{content}, '', "GET $path: $answer->{status} has no content, as described") if !$described->{content};
    my $content = $described->{content}{$type} or return fail("GET $path: $type of $answer->{status} is described");
    my @found = $answer->{json} ? contradictions($answer->{json}, $content->{schema}, '') : ();
    is(join("\n", @found), '', "GET $path: $answer->{status} agrees with its description");
    return;
}

# The status of the plain answer: 200 or, without a body, 204 where that is what a service answers.
sub success_of {
    my ($operation, @parameter) = @_;
    return $operation->{responses}{204} && !@parameter ? 204 : 200;
}

# "?name=value" of a parameter's example.
sub example_query {
    return join '', map { "?$_->{name}=" . ($_->{example} =~ s/([^\w.~-])/sprintf '%%%02X', ord $1/ger) } @_;
}

# What there is to see: a device with samples, events, a rejected one, a site, a token, a link.
sub fill {
    my ($stack) = @_;
    $stack->cli('tenant', 'add', 'lens', '--name', 'Lens', '--timezone', 'America/Los_Angeles');
    my $token = $stack->token('lens', 'device');
    my $now = time;
    my $answer = $stack->post('/v1/events/batch', [
        (map { { device => 'meter-1', site => 'roof', time => $now - 60 * $_, metrics => { energy_kwh => 0.25, power_w => 3 } } } 1 .. 40),
        { device => 'meter-1', time => $now, seq => 5, type => 'alarm', data => { code => 'x' } },
        { device => 'meter-2', time => $now, type => 'note', id => '00000000-0000-4000-8000-000000000001', data => { code => 'y' } },
    ], token => $token);
    die "cannot fill: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    $stack->post('/v1/event', { device => 'meter-1', metrics => {} }, token => $token);    # rejected: kept within seconds
    my $admin = $stack->token('lens', 'admin', '--name', 'for the test');
    $stack->post('/v1/sites', { key => 'shed', timezone => 'Asia/Kolkata' }, token => $admin);
    my $rates = $stack->post('/v1/rate-schedules', { name => 'Flat', timezone => 'America/Los_Angeles', currency => 'USD',
        price_series => [ { name => 'spot', minutes => 30 } ], charges => [ { type => 'energy', series => 'spot' } ] }, token => $admin);
    die "cannot make rates: $rates->{status} $rates->{content}" if $rates->{status} != 201;
    $stack->post("/v1/rate-schedules/$rates->{json}{id}/prices", { results => [ { value_inc_vat => 20, valid_from => '2026-01-01T00:00:00Z' } ] }, token => $admin);
    $stack->post("/v1/rate-schedules/$rates->{json}{id}/assign", { site => 'roof' }, token => $admin);
    $stack->post('/v1/devices/meter-1/meter-entries', { kind => 'factor', at => $now, factor => 1.5 }, token => $admin);
    my $invited = $stack->post('/v1/users', { email => 'new@example.org', role => 'viewer' }, token => $admin);
    die "cannot invite: $invited->{status} $invited->{content}" if $invited->{status} != 201;
    $stack->cli('user', 'add', '--tenant', 'lens', '--email', 'eve@example.org', '--role', 'viewer', { stdin => "correct horse battery\n" });
    $stack->request('PUT', '/v1/plugins/mqtt', token => $admin, body => { kind => 'collector', config => {} });
    $stack->post('/v1/shares', { page => 'overview', days => 3 }, token => $admin);
    $stack->request('PUT', '/v1/uploads/notes.txt', token => $admin, body => 'x');
    my $deadline = time + 20;
    $stack->post('/v1/event', { device => 'meter-1', time => $now - 5 * 86400, metrics => { energy_kwh => 1 } }, token => $token);
    $stack->archive('true');
    sleep 0.1 while !@{ $stack->get('/v1/rejects', token => $admin)->{json}{items} } && time < $deadline;
    return $admin;
}

check_validator();
my $stack = Tidemark::Stack->start;
my $admin = fill($stack);
my $password = 'correct horse battery';
$stack->cli('user', 'add', '--email', 'op@example.org', '--operator-admin', { stdin => "$password\n" });
my $operator = Tidemark::Browser->new($stack);
$operator->log_in('op@example.org', $password);
$document = $stack->get('/v1/openapi.json')->{json};

for my $path (sort keys %{ $document->{paths} }) {
    my $operation = $document->{paths}{$path}{get} or next;
    my $at = fill_path($path, { %VALUE, $path =~ m{^/v1/devices/} ? (key => 'meter-1') : () });
    if (!defined $at) {
        my ($list, $part) = $path =~ m{^(.*)/\{\w+\}(/\w+)?$};
        my $first = $list ? $stack->get($list, token => $admin) : undef;
        my $item = $first && $first->{json} && $first->{json}{items} && $first->{json}{items}[0];
        my $name = $item && ($path =~ /\{key\}/ ? $item->{key} // $item->{name} : $item->{id});
        $at = "$list/$name" . ($part // '') if defined $name;
    }
    if (!defined $at) {
        fail("GET $path: nothing to ask for");
        next;
    }
    my @parameters = grep { $_->{in} eq 'query' } map { resolve($_) } @{ $operation->{parameters} || [] };
    $at .= example_query(grep { $_->{required} } @parameters);
    my $is_operators = grep { /operation/ } @{ $operation->{tags} };
    my $ask = sub {
        my ($more, @option) = @_;
        return $is_operators ? $operator->call('GET', $at . $more) : $stack->get($at . $more, @option);
    };
    my $answer = $ask->('', token => $admin);
    is($answer->{status}, success_of($operation), "GET $at is answered");
    check_answer($operation, $at, $answer);
    for my $parameter (grep { defined $_->{example} && !$_->{required} } @parameters) {
        my $query = example_query($parameter);
        my $filtered = $ask->($query, token => $admin);
        is($filtered->{status}, success_of($operation, $parameter), "GET $at$query: the example is accepted");
        check_answer($operation, "$at$query", $filtered);
    }
    next if !$operation->{responses}{401};
    my $refused = $stack->get($at);
    is($refused->{status}, 401, "GET $at wants credentials");
    check_answer($operation, $at, $refused);
    if (grep { (resolve($_)->{name} || '') eq 'limit' } @{ $operation->{parameters} || [] }) {
        my $malformed = $ask->('?limit=x', token => $admin);
        is($malformed->{status}, 400, "GET $at?limit=x is refused");
        check_answer($operation, "$at?limit=x", $malformed);
    }
}
done_testing();
