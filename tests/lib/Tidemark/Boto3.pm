package Tidemark::Boto3;

# boto3 beside Tidemark on one S3 server, a Tidemark::Minio or ::Swift: each reads what the other wrote.

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use Test::More;
use Tidemark::Python;
use Tidemark::Stack;

our @EXPORT_OK = qw(both_ways);

# Each size of a part and beside it, and each key that addresses have to escape.
my @SIZES = (0, 1, (5 << 20) - 1, 5 << 20, (5 << 20) + 1, 10 << 20, (11 << 20) + 1);
my @KEYS = ('with space', 'two  spaces', 'a+b', 'a%b', 'a%2Bb', 'a%252Bb', 'a&b', 'a=b', 'a#b', 'a?b', 'a/b=c/d', '+%&=#?', "it's", 'a"b', '(a)*!~,;:@$',
    'ü', 'e' . "\xcc\x81", '日本', '🌊', 'ends with space ');

# Runs tests/clients/objects_boto3.py at the server; the lines that it prints.
sub boto {
    my ($python, $server, $in, @args) = @_;
    local %ENV = (%ENV, $server->settings);
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open my $file, '+>', undef or die "a file without a name: $!";
        syswrite $file, $in;
        sysseek $file, 0, 0;
        open STDIN, '<&', $file or die $!;
        exec $python, "$Tidemark::Stack::ROOT/tests/clients/objects_boto3.py", @args or die "$python: $!";
    }
    chomp(my @lines = <$out>);
    close $out;
    return @lines;
}

# $fault->(@args) is what tests/unit/objects_fault says there. $whole, $hash: an object that is there.
sub both_ways {
    my ($server, $fault, $whole, $hash) = @_;
    my ($python, $no) = Tidemark::Python::install('boto3', "$Tidemark::Stack::ROOT/tests/clients/objects.txt");
  SKIP: {
        skip "no boto3: $no", 3 + 2 * @SIZES + 2 * @KEYS if !$python;
        my $boto = sub { return boto($python, $server, @_) };
        is(join(' ', $boto->('', 'hash', $whole)), $hash, 'boto3 reads what was sent in parts');
        my @sent = map { $fault->('put', "size/$_", $_) =~ /^(\w{64}) OK$/ } @SIZES;
        my @read = $boto->('', 'hash', map {"size/$_"} @SIZES);
        is($read[$_], $sent[$_], "boto3 reads $SIZES[$_] bytes") for 0 .. $#SIZES;
        @sent = $boto->('', 'send', map {"boto3/$_=$_"} @SIZES);
        is($fault->('get', "boto3/$SIZES[$_]"), "$sent[$_] OK\n", "$SIZES[$_] bytes of boto3 are read") for 0 .. $#SIZES;
        my @ours = map {"ours/$_"} @KEYS;
        @sent = map { $fault->('put', $_, 1000 + length) =~ /^(\w{64}) OK$/ } @ours;
        @read = $boto->('', 'hash', @ours);
        is($read[$_], $sent[$_], "boto3 reads $ours[$_]") for 0 .. $#KEYS;
        is(join("\n", $boto->('', 'keys', 'ours/')), join("\n", sort @ours), 'and lists them all');
        $boto->('from boto3', 'put', map {"theirs/$_"} @KEYS);
        is($fault->('get', "theirs/$_"), sha256_hex('from boto3') . " OK\n", "of boto3 $_ is read") for @KEYS;
        is($fault->('list', 'theirs/'), @KEYS . " OK\n", 'and all are listed');
    }
    return;
}

1;
