package Tidemark::Objects;

# What is in an object store, past Tidemark: the folder of a home, or the bucket of a Tidemark::Minio, by
# curl and its Signature V4.
#
#   my $objects = Tidemark::Objects->new("$home/objects");    # or ->new($minio)
#   spit($key, $bytes) for $objects->list('archive/');

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find ();
use File::Path qw(make_path);
use File::Temp ();
use Tidemark::Scratch ();

sub new {
    my ($class, $place) = @_;
    return bless ref $place ? { minio => $place, settings => { $place->settings } } : { folder => $place }, $class;
}

# Keys that begin so, sorted.
sub list {
    my ($self, $prefix) = @_;
    my @keys;
    if ($self->{minio}) {
        while (1) {
            my $after = @keys ? '&start-after=' . escape($keys[-1]) : '';
            my $page = $self->curl('?list-type=2&prefix=' . escape($prefix) . $after);
            push @keys, $page =~ m{<Key>([^<]*)</Key>}g;
            return @keys if $page !~ m{<IsTruncated>true<};
        }
    }
    File::Find::find({ no_chdir => 1, wanted => sub { push @keys, substr $_, 1 + length $self->{folder} if -f } }, $self->{folder});
    return sort grep { index($_, $prefix) == 0 } @keys;
}

sub slurp {
    my ($self, $key) = @_;
    return $self->{minio} ? $self->curl(path($key)) : Tidemark::Scratch::slurp_whole("$self->{folder}/$key");
}

# Tidemark can read an object in the folder, and remove it: folders belong to whom that one does.
sub spit {
    my ($self, $key, $bytes) = @_;
    my $file = $self->{minio} ? File::Temp->new->filename : "$self->{folder}/$key";
    make_path(dirname($file), $self->{minio} || !-d $self->{folder} ? () : { owner => (stat $self->{folder})[4] });
    Tidemark::Scratch::spit($file, $bytes);
    $self->curl(path($key), '--upload-file', $file) if $self->{minio};
    $self->{minio} ? unlink $file : chmod 0644, $file;
    return;
}

sub remove {
    my ($self, $key) = @_;
    return $self->curl(path($key), '--request', 'DELETE') if $self->{minio};
    return unlink("$self->{folder}/$key") || die "$key: $!";
}

sub escape { my ($text) = @_; return $text =~ s/([^\w.~-])/sprintf '%%%02X', ord $1/ger }
sub path { my ($key) = @_; return '/' . join '/', map { escape($_) } split m{/}, $key }

# What the bucket answers; dies of a failure.
sub curl {
    my ($self, $where, @more) = @_;
    my %setting = %{ $self->{settings} };
    open my $out, '-|', 'curl', '-sS', '--fail', '--aws-sigv4', 'aws:amz:us-east-1:s3', '--user',
        "$setting{S3_ACCESS_KEY}:$setting{S3_SECRET_KEY}", @more, "$setting{S3_ENDPOINT}/$setting{S3_BUCKET}$where"
        or die "curl: $!";
    binmode $out;
    local $/ = undef;
    my $bytes = <$out>;
    close $out or die "curl failed at $where";
    return $bytes;
}

1;
