#!/usr/bin/perl
# app/gen/assets.pl: hashed addresses, and the API description from YAML to JSON. The YAML
# cases are of the YAML 1.2 specification's own rules; the JSON was written by hand.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Test::More;
use Tidemark::Generator qw(generate refuses contents);

my $css = "body { color: black }\n";
my $run = generate('assets.pl', { 'static/tidemark.css' => $css, 'static/favicon.ico' => 'x' },
    'static/tidemark.css', 'static/favicon.ico');
is($run->{errors}, '', 'assets compile');
my $hash = substr sha256_hex($css), 0, 10;
like(contents($run, 'assets.c'), qr/"tidemark\.css", "\/static\/tidemark\.$hash\.css"/, 'an address has ten digits of the hash');
like(contents($run, 'assets.c'), qr/openapi_json\[\] =\n    "\{\}";/, 'without a description it is an empty object');
ok(refuses(generate('assets.pl', { 'static/A b.css' => '' }, 'static/A b.css'),
    'static/A b.css:1: a file of static/ is named lower-case.ext'), 'refused: an odd name');

# The JSON text that is embedded for a YAML document.
sub json_of {
    my ($yaml) = @_;
    my $made = generate('assets.pl', { 'openapi.yaml' => $yaml }, 'openapi.yaml');
    return $made->{errors} if $made->{status};
    my ($c) = contents($made, 'assets.c') =~ /openapi_json\[\] =\n(.*?);\nconst size_t/s;
    my $text = join '', map { s/\\([0-7]{3})/chr oct $1/ger =~ s/\\(["\\])/$1/gr =~ s/\?""/?/gr } $c =~ /"((?:[^"\\]|\\.|(?<=\?)"")*)"/g;
    return $text;
}

my @cases = (
    ['a map', "a: 1\nb: two\n", '{"a":1,"b":"two"}'],
    ['order is kept', "z: 1\na: 2\n", '{"z":1,"a":2}'],
    ['types of plain scalars', "[1, -1.5, 1e3, true, false, null, ~, 'true', \"1\", 1.2.3, 01, yes, 0x1]\n",
        '[1,-1.5,1e3,true,false,null,null,"true","1","1.2.3","01","yes","0x1"]'],
    ['nested maps', "a:\n  b:\n    c: 1\n  d: 2\n", '{"a":{"b":{"c":1},"d":2}}'],
    ['a list under its key', "a:\n  - 1\n  - b: 2\n    c: 3\n", '{"a":[1,{"b":2,"c":3}]}'],
    ['a list at the indentation of its key', "a:\n- 1\n- 2\nb: 3\n", '{"a":[1,2],"b":3}'],
    ['a list of lists', "- - 1\n  - 2\n- - 3\n", '[[1,2],[3]]'],
    ['a map on the line after a dash', "-\n  a: 1\n- b\n", '[{"a":1},"b"]'],
    ['nothing is null', "a:\nb: 1\n", '{"a":null,"b":1}'],
    ['flow collections', "a: {b: [1, {c: d}], e: {}}\nf: []\n", '{"a":{"b":[1,{"c":"d"}],"e":{}},"f":[]}'],
    ['flow over lines, with comments', "a: [1, # one\n  2,\n  3]\nb: {c: 1,\n  d: 2 }\n", '{"a":[1,2,3],"b":{"c":1,"d":2}}'],
    ['a comma at the end of flow', "a: [1, 2,]\n", '{"a":[1,2]}'],
    ['quoted keys', "'200': a\n\"/x\": b\n'it''s': c\n", '{"200":"a","/x":"b","it\'s":"c"}'],
    ['paths as keys', "/v1/devices/{key}: 1\n", '{"/v1/devices/{key}":1}'],
    ['quotes', "a: 'it''s # no comment'\nb: \"q\\\" \\\\ \\n \\u00b5\" # comment\n",
        '{"a":"it\'s # no comment","b":"q\" \\\\ \n ' . "\xc2\xb5" . '"}'],
    ['a colon or a hash within a word', "a: http://x/y#z\nb: 12:30\n", '{"a":"http://x/y#z","b":"12:30"}'],
    ['a reference', "\$ref: '#/components/x'\n", '{"$ref":"#/components/x"}'],
    ['a literal block', "a: |\n  one\n    two\n\n  three\nb: 1\n", '{"a":"one\n  two\n\nthree\n","b":1}'],
    ['a literal block without its last line end', "a: |-\n  one\n  two\n", '{"a":"one\ntwo"}'],
    ['a folded block', "a: >\n  one\n  two\n\n  three\n    wide\n  four\n", '{"a":"one two\nthree\n  wide\nfour\n"}'],
    ['a folded block in a list', "- >-\n  one\n  two\n- x\n", '["one two","x"]'],
    ['a block with colons and dashes', "a: |\n  - x: y\n  # kept\nb: 1\n", '{"a":"- x: y\n# kept\n","b":1}'],
    ['a plain value over lines', "a: one\n  two\n  three\nb: 1\n", '{"a":"one two three","b":1}'],
    ['comments and a document mark', "---\n# c\na: 1 # d\n\n  # e\nb: x#y\n", '{"a":1,"b":"x#y"}'],
    ['UTF-8', "a: \xe2\x82\xac\n", "{\"a\":\"\xe2\x82\xac\"}"],
    ['trigraphs', "a: what??!\n", '{"a":"what??!"}'],
);
for my $case (@cases) {
    my ($name, $yaml, $json) = @{$case};
    # within '…' above \n stands for JSON's own escape
    is(json_of($yaml), $json, $name);
}

my @refused = (
    ['a tab', "a:\n\tb: 1\n", 2, 'a tab in the indentation'],
    ['a key twice', "a: 1\nb: 2\na: 3\n", 3, q{key 'a' twice}],
    ['a key twice in flow', "a: {b: 1, b: 2}\n", 1, q{key 'b' twice}],
    ['an anchor', "a: &x 1\n", 1, q{'&' begins no value}],
    ['an alias', "a: *x\n", 1, q{'*' begins no value}],
    ['a tag', "a: !x 1\n", 1, q{'!' begins no value}],
    ['a merge', "a:\n  <<: 1\n", 2, q{merge key '<<'}],
    ['wrong indentation', "a: 1\n  b: 2\n", 2, q{': ' in a plain value}],
    ['more indentation in a map', "a:\n  b:\n    c: 1\n   d: 1\n", 4, 'indentation that fits nothing above'],
    ['text after the document', "- 1\na: 2\n", 2, 'text after the document'],
    ['a colon in plain text', "a: b: c\n", 1, q{': ' in a plain value}],
    ['an open quote', "a: \"b\n", 1, 'a quote is not closed on its line'],
    ['an open list', "a: [1, 2\nb: 1\n", 2, 'a flow collection is not closed'],
    ['text after flow', "a: [1] x\n", 1, 'after a flow collection'],
    ['a list item in a map', "a: 1\n- b\n", 2, 'text after the document'],
    ['an escape that JSON lacks', "a: \"\\q\"\n", 1, 'unknown escape \\q'],
    ['a second document', "a: 1\n---\nb: 1\n", 2, q{not 'key: value'}],
);
for my $case (@refused) {
    my ($name, $yaml, $line, $message) = @{$case};
    my $made = generate('assets.pl', { 'openapi.yaml' => $yaml }, 'openapi.yaml');
    ok(refuses($made, qr/\Aopenapi\.yaml:$line: .*\Q$message\E.*\n\z/), "refused: $name") or diag($made->{errors});
}

is_deeply(decode_json(json_of(<<'YAML')), {
openapi: 3.1.0
info: {title: Tidemark, version: "1"}
paths:
  /v1/devices/{key}:
    get:
      summary: One device
      parameters:
        - $ref: '#/components/parameters/key'
        - name: limit
          in: query
          schema: {type: [integer, "null"], minimum: 1}
      responses:
        '200':
          description: >-
            The device,
            with its settings.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Device'}
        default: {$ref: '#/components/responses/Problem'}
YAML
    openapi => '3.1.0', info => { title => 'Tidemark', version => '1' },
    paths => { '/v1/devices/{key}' => { get => {
        summary => 'One device',
        parameters => [{ '$ref' => '#/components/parameters/key' },
            { name => 'limit', in => 'query', schema => { type => ['integer', 'null'], minimum => 1 } }],
        responses => {
            200 => { description => 'The device, with its settings.',
                content => { 'application/json' => { schema => { '$ref' => '#/components/schemas/Device' } } } },
            default => { '$ref' => '#/components/responses/Problem' },
        },
    } } },
}, 'an API description');
done_testing();
