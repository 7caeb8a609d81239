# The folder of the store away, as when its disk is not mounted: it is not there, or empty. Nothing is put into it or
# taken to be gone, and what was there is there when it is back. Run by uploads.t with its stack and its ways to ask.
use strict;
use warnings;
use Test::More;

my ($t, $stack, $root);

sub job_failures { return $stack->sql("SELECT count(*) FROM ops.job_run WHERE name = 'objects' AND NOT is_ok") }

# Runs all jobs until that of objects has failed, which the stack's own worker may be at.
sub fails_job {
    my ($name) = @_;
    my ($failed, $said) = (job_failures(), '');
    $t->{await}->(sub { (undef, undef, my $err) = $stack->tidemark('worker', '--once'); $said .= $err; return job_failures() > $failed || $said =~ /id=objects / }, $name);
    return $said;
}

sub check {
    my ($how, $file, $trash) = @_;
    my $noted = $stack->sql($trash);
    for my $case (['device', 'PUT', '/v1/uploads/away.bin', body => 'x'], ['api', 'GET', $file]) {
        my $answer = $t->{as}->(@{$case});
        is($answer->{status}, 503, "$how: $case->[1] is to come later");
        ok($answer->{headers}{'retry-after'}, '  which the answer says');
        unlike($answer->{content}, qr/\Q$root\E/, '  and not where it is');
    }
    is($t->{put}->('device', 'parts-away', 'ED', 'Content-Range' => 'bytes 8-9/10')->{status}, 503, '  the last part of a file, too');
    like($t->{put}->('device', 'parts-away', '', 'Content-Range' => 'bytes */10')->{headers}{range}, qr/^bytes=0-[79]$/, '  whose other parts are not lost');
    fails_job('  what is to be removed');
    is($stack->sql($trash), $noted, '  is not taken for removed');
    for my $words (['archive', 'run'], ['backup'], ['check']) {
        my ($status, $out, $err) = $stack->tidemark(@{$words});
        like("$status $out$err", qr/^1 .*\Q$root\E.*mounted/s, "  @{$words} says why it fails");
    }
    is(join(' ', -e $root ? split /\n/, `find '$root' -mindepth 1` : ()), '', '  nothing is made there');
    return;
}

sub {
    ($t) = @_;
    $stack = $t->{stack};
    $root = "$stack->{home}/objects";
    my $sent = $t->{put}->('device', 'stays.bin', 'stays');
    my $gone = $t->{put}->('device', 'goes.bin', 'goes');
    is($t->{put}->('device', 'parts-away', 'begin', 'Content-Range' => 'bytes 0-4/10')->{status}, 202, 'a file in parts');
    is($t->{put}->('device', 'parts-away', 'mid', 'Content-Range' => 'bytes 5-7/10')->{status}, 202, '  of which one is not there yet');
    my ($object) = $stack->sql("SELECT core.upload_key(1, '$gone->{json}{id}')");
    my $trash = "SELECT count(*) FROM core.object_trash WHERE key = '$object'";
    rename $root, "$root.away" or die $!;
    is($t->{as}->('admin', 'DELETE', $gone->{headers}{location})->{status}, 204, 'a file is deleted while the folder is away');
    check('not there', $sent->{headers}{location}, $trash);
    mkdir $root or die $!;
    chown((stat "$root.away")[4, 5], $root) or die $!;
    check('empty', $sent->{headers}{location}, $trash);
    rmdir $root or die $!;
    rename "$root.away", $root or die $!;
    is($t->{as}->('api', 'GET', $sent->{headers}{location})->{content}, 'stays', 'back again, files are there');
    my $last = $t->{put}->('device', 'parts-away', 'ED', 'Content-Range' => 'bytes 8-9/10');
    is($t->{as}->('api', 'GET', $last->{headers}{location})->{content}, 'beginmidED', '  parts are joined');
    $stack->cli('worker', '--once');
    ok(!-e "$root/$object" && !$stack->sql($trash), '  and what was deleted is removed');
    return;
};
