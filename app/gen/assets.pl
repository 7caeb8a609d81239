#!/usr/bin/env perl
# Compiles static/ into gen/assets.h and gen/assets.c: the address of each file with its
# content's hash in it, so that browsers may keep it for ever, and static/openapi.yaml as
# JSON. Called by the Makefile; nginx takes the hash out again and serves the file.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Basename qw(basename);
use FindBin;
use lib "$FindBin::Bin/lib";
use Gen qw(complain finish read_file write_file c_string options);
use Yaml qw(yaml_to_json);

my ($option, @files) = options('assets.pl --out DIR FILE…', ['out'], @ARGV);
my ($openapi, @rows) = ('{}');
for my $file (sort @files) {
    if (basename($file) eq 'openapi.yaml') {
        $openapi = yaml_to_json($file, read_file($file));
    } elsif (basename($file) =~ /^([a-z0-9_-]+)((?:\.[a-z0-9]+)+)$/) {
        my $hash = substr sha256_hex(read_file($file)), 0, 10;
        push @rows, [basename($file), "/static/$1.$hash$2"];
    } else {
        complain($file, 1, 'a file of static/ is named lower-case.ext');
    }
}
finish();
write_file("$option->{out}/assets.h", header());
write_file("$option->{out}/assets.c", source());

sub header {
    return <<'H';
/* Made by app/gen/assets.pl from static/; edit those files. */
#ifndef TIDEMARK_GEN_ASSETS_H
#define TIDEMARK_GEN_ASSETS_H

#include <stddef.h>

/* The address of a file of static/ by its name ("tidemark.css"), with the hash of its content;
 * NULL for a name that is not there. */
const char *asset_url(const char *name);

/* static/openapi.yaml as JSON. */
extern const char openapi_json[];
extern const size_t openapi_json_len;

#endif
H
}

sub source {
    my @table = map { qq(    { "$_->[0]", "$_->[1]" },) } @rows;
    return join "\n",
        '/* Made by app/gen/assets.pl from static/; edit those files. */',
        '#include "gen/assets.h"', '', '#include <string.h>', '',
        '#pragma GCC diagnostic ignored "-Woverlength-strings"', '',
        'static const struct { const char *name, *url; } assets[] = {', @table, '    { NULL, NULL },', '};', '',
        'const char *asset_url(const char *name)',
        '{',
        '    for (size_t i = 0; assets[i].name; i++)',
        '        if (strcmp(assets[i].name, name) == 0)',
        '            return assets[i].url;',
        '    return NULL;',
        '}', '',
        'const char openapi_json[] =', '    ' . c_string($openapi) . ';',
        'const size_t openapi_json_len = sizeof openapi_json - 1;', '';
}
