package Tidemark::BenchObjects;

# Files through nginx and the upload process into MinIO and back, beside curl that sends the same to MinIO
# itself, in turns; and the memory of sixteen uploads at once. Processors' time is of the upload process
# alone: nginx's, MinIO's and curl's are their own.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use JSON::PP qw(decode_json);
use POSIX qw(strftime);
use Tidemark::Bench;
use Tidemark::Minio;
use Tidemark::Processes;
use Tidemark::Scratch;
use Tidemark::Stack;
use Time::HiRes qw(time);

my $AT_ONCE = 16; # what one sender may have of the default UPLOAD_THREADS

# A presigned address of an object, by the example of the Amazon S3 API Reference.
sub presigned {
    my ($minio, $method, $key) = @_;
    my %settings = $minio->settings;
    my ($host) = $settings{S3_ENDPOINT} =~ m{//(.*)};
    my @now = gmtime;
    my ($day, $at) = (strftime('%Y%m%d', @now), strftime('%Y%m%dT%H%M%SZ', @now));
    my $scope = "$day/us-east-1/s3/aws4_request";
    my $path = "/$settings{S3_BUCKET}/$key";
    my $query = join '&', 'X-Amz-Algorithm=AWS4-HMAC-SHA256', 'X-Amz-Credential=' . "$settings{S3_ACCESS_KEY}/$scope" =~ s{/}{%2F}gr,
        "X-Amz-Date=$at", 'X-Amz-Expires=3600', 'X-Amz-SignedHeaders=host';
    my $request = join "\n", $method, $path, $query, "host:$host", '', 'host', 'UNSIGNED-PAYLOAD';
    my $signing = "AWS4$settings{S3_SECRET_KEY}";
    $signing = hmac_sha256($_, $signing) for $day, 'us-east-1', 's3', 'aws4_request';
    my $signature = hmac_sha256_hex(join("\n", 'AWS4-HMAC-SHA256', $at, $scope, sha256_hex($request)), $signing);
    return "$settings{S3_ENDPOINT}$path?$query&X-Amz-Signature=$signature";
}

sub upload_pids {
    my ($stack) = @_;
    return map { $_->{pid} } grep { $_->{command} =~ /^tidemark-upload / } Tidemark::Processes::all($stack);
}

# Runs curl; its seconds, the upload process's CPU seconds meanwhile, and what came back.
sub curl {
    my ($stack, @args) = @_;
    my @pids = upload_pids($stack);
    my $cpu = Tidemark::Bench::cpu_seconds(@pids);
    my $start = time;
    open my $out, '-|', 'curl', '-sf', '-m', 600, @args or die "curl: $!";
    my $said = do { local $/ = undef; <$out> } // '';
    close $out or die "curl @args failed\n";
    return (time - $start, Tidemark::Bench::cpu_seconds(@pids) - $cpu, $said);
}

sub make_file {
    my ($path, $mib) = @_;
    system("head -c ${mib}M /dev/urandom >'$path'") == 0 or die "$path: no room for $mib MiB\n";
    return $path;
}

# The most that a process has held since it was asked for last, in MiB.
sub peak_mib {
    my ($pid) = @_;
    my ($kib) = Tidemark::Stack::slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m;
    return $kib / 1024;
}

sub memory_at_once {
    my ($stack, $token, $file) = @_;
    my @pids = map {
        my $n = $_;
        my $pid = fork // die "fork: $!";
        exec 'curl', '-sf', '-m', 600, '-o', '/dev/null', '-H', "Authorization: Bearer $token", '-T', $file, $stack->url("/v1/uploads/at-once-$n") if !$pid;
        $pid;
    } 1 .. $AT_ONCE;
    for my $pid (@pids) {
        waitpid $pid, 0;
        die "one of $AT_ONCE uploads failed\n" if $?;
    }
    my ($upload) = upload_pids($stack);
    return peak_mib($upload);
}

sub objects {
    my ($option) = @_;
    my ($minio, $why) = Tidemark::Minio->start;
    if (!$minio) {
        print STDERR "objects: no MinIO: $why\n";
        return;
    }
    my $stack = Tidemark::Stack->start(engine => $option->{engine}, env => { $minio->settings }, disk => 1);
    $stack->cli('tenant', 'add', 'files');
    my $token = $stack->token('files', 'admin');
    my $mib = $option->{small} ? 64 : 512;
    my $folder = Tidemark::Scratch::folder('bench', CLEANUP => 1);
    my $file = make_file("$folder/file", $mib);
    my $head = "Authorization: Bearer $token";
    my (%rate, %cpu);
    for my $n (1 .. $option->{runs}) {
        my ($s, $cpu, $said) = curl($stack, '-H', $head, '-T', $file, $stack->url("/v1/uploads/run-$n"));
        my $id = decode_json($said)->{id};
        push @{ $rate{up} }, $mib / $s;
        push @{ $cpu{up} }, $cpu * 1024 / $mib;
        ($s) = curl($stack, '-T', $file, presigned($minio, 'PUT', "bench/run-$n"));
        push @{ $rate{'up alone'} }, $mib / $s;
        ($s, $cpu) = curl($stack, '-H', $head, '-o', "$folder/back", $stack->url("/v1/uploads/$id"));
        push @{ $rate{down} }, $mib / $s;
        push @{ $cpu{down} }, $cpu * 1024 / $mib;
        system('cmp', '-s', $file, "$folder/back") == 0 or die "what came back is not what was sent\n";
        ($s) = curl($stack, '-o', "$folder/back", presigned($minio, 'GET', "bench/run-$n"));
        push @{ $rate{'down alone'} }, $mib / $s;
        unlink "$folder/back";
        $stack->request('DELETE', "/v1/uploads/$id", token => $token);
    }
    my $small = make_file("$folder/small", $option->{small} ? 16 : 64);
    my $peak = memory_at_once($stack, $token, $small);
    my $ratio = sub { my ($way) = @_; return map { $rate{$way}[$_] / $rate{"$way alone"}[$_] } 0 .. $#{ $rate{$way} } };
    my $cost = sub {
        my ($name, $way) = @_;
        my $row = Tidemark::Bench::row($name, 's/GiB', '%.2f', @{ $cpu{$way} });
        my $aim = Tidemark::Bench::aim(Tidemark::Bench::median(@{ $cpu{$way} }) <= 2, 'at most 2');
        return { %{$row}, spread => join ', ', grep { length } $row->{spread}, $aim };
    };
    return (
        $cost->('files sent, our CPU', 'up'),
        $cost->('files fetched, our CPU', 'down'),
        Tidemark::Bench::row('files sent', 'MiB/s', '%.0f', @{ $rate{up} }),
        Tidemark::Bench::row('files sent : curl to MinIO', '', '%.2f', $ratio->('up')),
        Tidemark::Bench::row('files fetched', 'MiB/s', '%.0f', @{ $rate{down} }),
        Tidemark::Bench::row('files fetched : curl from MinIO', '', '%.2f', $ratio->('down')),
        Tidemark::Bench::row("memory with $AT_ONCE uploads at once", 'MiB', '%.0f', $peak),
    );
}

1;
