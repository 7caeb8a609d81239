package Tidemark::Stack;

# A whole Tidemark for one test: deploy/run with a home of its own, on a free port,
# stopped and removed at the end. Real PostgreSQL, real nginx, the real binary
# (TIDEMARK_BIN names another build). Requests go over HTTP, facts are checked by psql as the
# cluster's superuser.
#
#   my $stack = Tidemark::Stack->start(demo => 0, engine => 'postgres', env => { … });
#   my $token = $stack->token('acme', 'device');
#   my $answer = $stack->post('/v1/event', { device => 'm1', … }, token => $token);

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp ();
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use IPC::Open3;
use JSON::PP;
use Symbol qw(gensym);
use Tidemark::Scratch;
use Tidemark::Snapshot;
use Time::HiRes qw(time);

our $ROOT = abs_path(dirname(__FILE__) . '/../../..');
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my %running;

sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0)
        or die "no free port: $!";
    return $socket->sockport;
}

# The engines that the PostgreSQL at hand offers: postgres always, timescaledb where its
# library is there.
sub engines {
    my @libraries = glob '/usr/lib/postgresql/1[5-8]/lib/timescaledb.so';
    return ('postgres', @libraries ? 'timescaledb' : ());
}

# Starts a stack and waits until it is ready. Options: demo (0), engine, env (hash), home (kept at
# the end when given, and begun from nothing; else a snapshot's copy), disk (a home on disk, for what
# is measured), port, timeout (90 s), checkout (another copy of this one, with its build/tidemark).
sub start {
    my ($class, %option) = @_;
    my $home = $option{home} || Tidemark::Scratch::folder('test', disk => $option{disk});
    chmod 0755, $home;
    my $self = bless {
        home => $home, keeps_home => !!$option{home}, port => $option{port} || free_port(),
        bin => $option{checkout} ? "$option{checkout}/build/tidemark" : $ENV{TIDEMARK_BIN} || "$ROOT/build/tidemark",
        option => \%option, owner => $$,
    }, $class;
    $self->lay if !$option{home} && !$option{checkout};
    return $self->run;
}

# A home with a migrated cluster, as a first start leaves it.
sub lay {
    my ($self) = @_;
    my $engine = $self->{option}{engine} || 'postgres';
    Tidemark::Snapshot::lay("stack-$engine", $self->{bin}, $self->{home}, sub {
        my ($folder) = @_;
        my $home = Tidemark::Scratch::folder('test', CLEANUP => 1);
        Tidemark::Stack->start(home => $home, engine => $engine)->stop;
        remove_tree(map {"$home/$_"} qw(log run nginx));
        Tidemark::Snapshot::copy($home, $folder);
    });
    chmod 0755, $self->{home};
    return;
}

# Starts deploy/run (again, after stop).
sub run {
    my ($self) = @_;
    my $option = $self->{option};
    pipe my $reader, my $writer or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        delete @ENV{grep { /^(TIDEMARK|DATABASE|DB|S3|MAKE)/ } keys %ENV};
        %ENV = (%ENV, TIDEMARK_HOME => $self->{home}, TIDEMARK_PORT => $self->{port},
            TIDEMARK_DEMO => $option->{demo} || 0, TIDEMARK_ENGINE => $option->{engine} || 'postgres',
            TIDEMARK_CLIENT_RATE => 0, TIDEMARK_BIN => $self->{bin}, %{ $option->{env} || {} });
        open STDOUT, '>&', $writer or die;
        open STDERR, '>&', $writer or die;
        open STDIN, '<', '/dev/null' or die;
        @SIG{qw(INT QUIT TERM)} = ('DEFAULT') x 3;    # ignored in what a script runs in the background
        exec +($option->{checkout} || $ROOT) . '/deploy/run' or die "deploy/run: $!";
    }
    close $writer;
    @$self{qw(pid output said)} = ($pid, $reader, '');
    $running{$pid} = $self;
    $self->await_output(qr/Tidemark is ready at/, $option->{timeout} || 90);
    return $self;
}

# Reads what deploy/run prints until it matches; dies with the logs when it ends or is late.
sub await_output {
    my ($self, $pattern, $timeout) = @_;
    my $deadline = time + $timeout;
    my $select = IO::Select->new($self->{output});
    until ($self->{said} =~ $pattern) {
        my $left = $deadline - time;
        my $chunk;
        my $got = $left > 0 && $select->can_read($left) ? sysread($self->{output}, $chunk, 65536) : undef;
        if (!$got) {
            my $why = defined $got ? 'ended' : 'was not ready in time';
            die "deploy/run $why:\n$self->{said}\n" . $self->logs;
        }
        $self->{said} .= $chunk;
    }
    return $self->{said};
}

# Takes what deploy/run has printed since, without waiting.
sub hear {
    my ($self) = @_;
    my $select = IO::Select->new($self->{output});
    1 while $select->can_read(0) && sysread $self->{output}, $self->{said}, 65536, length $self->{said};
    return $self->{said};
}

sub logs {
    my ($self) = @_;
    my $text = '';
    for my $file (glob "$self->{home}/log/*.log") {
        open my $in, '<', $file or next;
        my @lines = <$in>;
        splice @lines, 0, @lines - 30 if @lines > 30;
        $text .= "--- $file\n" . join('', @lines);
    }
    return $text;
}

# Stops as a person would: SIGTERM, then waits. Returns the exit status.
sub stop {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return;
    delete $running{$pid};
    kill $signal || 'TERM', $pid;
    waitpid $pid, 0;
    my $status = $? >> 8;
    close $self->{output};
    delete $self->{http};
    return $status;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    $self->stop;
    remove_tree($self->{home}) unless $self->{keeps_home};
}

END {
    local $?;
    $_->{owner} == $$ and $_->DESTROY for values %running;
}

sub url { return "http://127.0.0.1:$_[0]{port}" . ($_[1] // '') }

# ---- HTTP ----

sub decode { return $json->decode($_[0]) }

# A request; returns HTTP::Tiny's answer with {json} decoded where the body is JSON. The slowest one's
# seconds are {slowest}. Options:
# token, headers, body (a reference is sent as JSON).
sub request {
    my ($self, $method, $path, %option) = @_;
    my %headers = %{ $option{headers} || {} };
    $headers{Authorization} //= "Bearer $option{token}" if $option{token};
    my $body = $option{body};
    if (ref $body) {
        $body = $json->encode($body);
        $headers{'Content-Type'} //= 'application/json';
    }
    my $http = $self->{http} ||= HTTP::Tiny->new(timeout => 60, max_redirect => 0);
    my $start = time;
    my $answer = $http->request($method, $self->url($path),
        { headers => \%headers, defined $body ? (content => $body) : () });
    my $seconds = time - $start;
    $self->{slowest} = $seconds if $seconds > ($self->{slowest} // 0);
    $answer->{content} //= ''; # as after 204
    my $type = $answer->{headers}{'content-type'} || '';
    $answer->{json} = eval { $json->decode($answer->{content}) } if $type =~ /json/;
    return $answer;
}

sub get { my ($self, $path, %option) = @_; return $self->request('GET', $path, %option) }

sub post {
    my ($self, $path, $body, %option) = @_;
    return $self->request('POST', $path, %option, body => $body);
}

# Sends bytes as they are and returns all that comes back until the answer is whole, the server
# closes, or `timeout` (5 s).
sub raw {
    my ($self, $bytes, $timeout) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}") or die "connect: $!";
    local $SIG{PIPE} = 'IGNORE';
    print {$socket} $bytes;
    $socket->flush;
    my ($answer, $deadline, $select) = ('', time + ($timeout || 5), IO::Select->new($socket));
    while ((my $left = $deadline - time) > 0) {
        $select->can_read($left) or last;
        sysread($socket, my $chunk, 65536) or last;
        $answer .= $chunk;
        my ($head, $body) = split /\r\n\r\n/, $answer, 2;
        last if defined $body && $head =~ /^Content-Length: (\d+)/mi && length $body >= $1;
    }
    return $answer;
}

# Waits until all that is made of what was posted is there: last values, which ingest writes down a
# moment later, and rollups and energy of late readings, which the worker follows.
sub settle {
    my ($self) = @_;
    my $open = q{SELECT (SELECT count(*) FROM core.series s WHERE NOT EXISTS (SELECT FROM core.series_last l WHERE l.series_id = s.id))}
        . ' + (SELECT count(*) FROM core.change) + (SELECT count(*) FROM core.rollup_dirty) + (SELECT count(*) FROM core.rollup_recast)';
    my $deadline = time + 60;
    while ((my $left = $self->sql($open)) > 0) {
        die "$left things are still to be made of the readings after 60 s" if time > $deadline;
        select undef, undef, undef, 0.1;
    }
    return;
}

# ---- the command line and the database ----

# Runs `tidemark ARGS…`; the last argument may be { stdin => …, env => {…} }. Returns (status, out, err).
sub tidemark {
    my ($self, @args) = @_;
    my $option = ref $args[-1] ? pop @args : {};
    my ($in, $out, $err) = map { File::Temp->new } 1 .. 3;
    print {$in} $option->{stdin} // '';
    $in->flush;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        delete @ENV{grep { /^(TIDEMARK|DATABASE|DB|S3)_/ } keys %ENV};
        %ENV = (%ENV, TIDEMARK_HOME => $self->{home}, %{ $option->{env} || {} });
        open STDIN, '<', $in->filename or die;
        open STDOUT, '>', $out->filename or die;
        open STDERR, '>', $err->filename or die;
        exec $self->{bin}, @args or die "$self->{bin}: $!";
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return ($status, map { slurp($_->filename) } $out, $err);
}

sub slurp {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return <$file> // '';
}

# As tidemark, but must succeed; returns standard output without its last newline.
sub cli {
    my ($self, @args) = @_;
    my ($status, $out, $err) = $self->tidemark(@args);
    die "tidemark @{[grep { !ref } @args]}: status $status: $err" if $status;
    chomp $out;
    return $out;
}

# Archives what is due by the command, until the file's row is there.
sub archive {
    my ($self, $rows) = @_;
    my $deadline = time + 30;
    while (!$self->sql("SELECT count(*) FROM core.archive WHERE $rows")) {
        die "nothing was archived within 30 s\n" if time > $deadline;
        $self->cli('archive', 'run');
    }
    return;
}

# A new token of a tenant: token('acme', 'device', '--device', 'm1').
sub token {
    my ($self, $tenant, $kind, @more) = @_;
    return $self->cli('token', 'add', '--tenant', $tenant, '--kind', $kind, @more);
}

# Rows of a query by the superuser, one line a row, columns separated by |.
sub sql {
    my ($self, $query) = @_;
    my $errors = gensym;
    my $psql = (sort glob '/usr/lib/postgresql/1[5-8]/bin/psql')[-1];
    my $pid = open3(my $in, my $out, $errors, $psql, '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1',
        '-h', "$self->{home}/run", '-U', 'tidemark_super', '-d', 'tidemark', '-c', $query);
    close $in;
    my @rows = <$out>;
    my @said = <$errors>;
    waitpid $pid, 0;
    die "psql: @said" if $?;
    chomp @rows;
    return wantarray ? @rows : $rows[0];
}

1;
