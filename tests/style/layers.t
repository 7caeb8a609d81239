#!/usr/bin/perl
# app/LAYERS is the law of who includes whom, and each library is seen by one layer only.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(c_files read_source bare line_of holds);

# What is generated belongs to the layer that declares its types.
my %generated = (queries => 'db', migrations => 'db', templates => 'view', assets => 'view', version => 'base');

# Only these layers see these libraries.
my %library = (
    'libpq-fe.h' => 'db', 'fcgiapp.h' => 'http', 'fcgi_stdio.h' => '', 'curl/curl.h' => 'outbound',
    'sodium.h' => 'base', 'zlib.h' => 'http ingest', 'jansson.h' => '',
);

my (%may, @wrong, $line);
for (split /\n/, read_source('app/LAYERS')) {
    $line++;
    next if /^#/ || !/\S/;
    my ($layer, $below) = /^(\w+):\s*(.*?)\s*$/ or push(@wrong, "app/LAYERS:$line: not 'layer: layers'"), next;
    push @wrong, "app/LAYERS:$line: $layer twice" if $may{$layer};
    for (split ' ', $below) {
        push @wrong, "app/LAYERS:$line: $_ is not above $layer" if !$may{$_};
    }
    $may{$layer} = { map { $_ => 1 } $layer, split ' ', $below };
}
holds('the layers are in order', @wrong);

holds('every folder of app/ is a layer', map { "$_ is not in app/LAYERS" }
    grep { -d "app/$_" && !$may{$_} && $_ ne 'gen' } map { s{^app/}{}r } glob 'app/*');

my (@forbidden, @missing, @strange);
for my $path (c_files()) {
    my ($layer) = $path eq 'app/main.c' ? 'main' : $path =~ m{^app/(\w+)/};
    my $code = bare(read_source($path), 1);
    while ($code =~ /^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm) {
        my ($kind, $name, $at) = ($1, $2, "$path:" . line_of($code, pos $code));
        if ($kind eq '<') {
            my $seen_by = $library{$name};
            push @forbidden, "$at: $name is only for " . ($seen_by || 'nobody')
                if defined $seen_by && !grep { $_ eq $layer } split ' ', $seen_by;
        } elsif ($name =~ m{^gen/(\w+)\.h$}) {
            my $owner = $generated{$1} || '';
            push @forbidden, "$at: $layer may not include gen/$1.h ($owner)" if !$may{$layer}{$owner};
        } elsif ($name =~ m{^(\w+)/\w+\.h$}) {
            push @forbidden, "$at: $layer may not include $1" if !$may{$layer}{$1};
            push @missing, "$at: there is no app/$name" if !-f "app/$name";
        } else {
            push @strange, "$at: \"$name\" is not \"layer/file.h\"";
        }
    }
}
holds('no file includes a layer that it may not', @forbidden);
holds('every included header exists', @missing);
holds('headers are included by layer and name', @strange);
done_testing();
