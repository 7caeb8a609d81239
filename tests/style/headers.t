#!/usr/bin/perl
# Headers: guarded by their path, complete in themselves, included first by their own .c file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Source qw(c_files read_source bare holds);

my (@guards, @order);
my @headers = grep { /\.h$/ } c_files();
for my $path (@headers) {
    my $guard = uc 'TIDEMARK_' . ($path =~ s{^app/}{}r =~ s{\W}{_}gr);
    my $code = bare(read_source($path), 1);
    push @guards, "$path: is not guarded by $guard"
        if $code !~ /\A\s*#ifndef \Q$guard\E\n#define \Q$guard\E\n.*^#endif\s*\z/ms;
}
holds('every header is guarded by its path', @guards);

for my $path (grep { /\.c$/ } c_files()) {
    my ($own) = $path =~ m{^app/(\w+/\w+)\.c$} or next;
    next if !-f "app/$own.h";
    my ($first) = bare(read_source($path), 1) =~ /^\s*#\s*include\s+["<]([^">]+)/m;
    push @order, "$path: includes $first before $own.h" if ($first || '') ne "$own.h";
}
holds('a file includes its own header first', @order);

my $build = 'build';
if (!-f "$build/gen/version.h") {
    ok(1, 'headers compile alone # skip nothing is built yet');
} else {
    my @flags = qw(-std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Werror -Wno-unused-function);
    my @packages = split ' ', qx{pkg-config --cflags libpq libcurl libsodium};
    # those that a file of their own includes first were compiled alone when that was built
    my @alone = grep { $_ ne 'app/base/banned.h' && !-f s/h$/c/r } @headers;
    my @base = grep { m{^app/base/} } @alone;
    my @other = grep { !m{^app/base/} } @alone;
    my $output = '';
    for my $set ([['-DTIDEMARK_BASE'], @base], [[], @other]) {
        my ($define, @set) = @{$set};
        open my $gcc, '-|', 'gcc ' . join(' ', @flags, @{$define}, @packages, "-Iapp -I$build", '-include app/base/banned.h',
            '-fsyntax-only -x c', @set) . ' 2>&1' or die $!;
        local $/ = undef;
        $output .= <$gcc> // '';
        close $gcc;
    }
    is($output, '', 'every header compiles alone');
}
done_testing();
