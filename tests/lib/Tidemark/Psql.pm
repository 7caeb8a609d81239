package Tidemark::Psql;

# One database session through a psql that stays open: statement in, rows or error out. Made by
# Tidemark::Cluster.

use strict;
use warnings;
use Carp qw(croak);
use IPC::Open2;

my $END = '-- end of answer --';

# `command` starts psql (a list); the session is the role's in the database "tidemark".
sub open {
    my ($class, $command, $host, $role, $password) = @_;
    local $ENV{PGPASSWORD} = $password;
    local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
    my ($out, $in);
    my $pid = open2($out, $in, 'sh', '-c', 'cd / && exec "$@" 2>&1', 'psql', @{$command},
        '-qAtX', '-F', "\x1f", '-P', 'null=<null>', '-v', 'VERBOSITY=verbose',
        '-v', 'SHOW_CONTEXT=never', '-h', $host, '-U', $role, '-d', 'tidemark');
    return bless { pid => $pid, out => $out, in => $in, role => $role }, $class;
}

# Sets what the session says its tenant is; undef: nothing.
sub bind {
    my ($self, $tenant) = @_;
    my $quoted = defined $tenant ? $tenant =~ s/'/''/gr : '';
    $self->query("SELECT set_config('tidemark.tenant_id', '$quoted', false)");
    return $self;
}

# Starts statements (the last ends without a semicolon); what comes of them is finish's.
sub begin {
    my ($self, $sql) = @_;
    # after COPY's data psql takes an empty statement for more of it
    my $stop = $sql =~ /^\\\.\n\z/m ? '' : "\n;\n";
    print { $self->{in} } "$sql$stop\\echo $END\n";
    $self->{in}->flush;
    return;
}

# Waits for what was begun. Returns { rows => [[…]], error => SQLSTATE or '', message => text }; NULL
# comes as undef.
sub finish {
    my ($self) = @_;
    my (@rows, $error, $message);
    while (defined(my $line = readline $self->{out})) {
        chomp $line;
        return { rows => \@rows, error => $error // '', message => $message // '' } if $line eq $END;
        if ($line =~ /^(?:ERROR|FATAL):\s+(\w{5}): (.*)/) {
            ($error, $message) = ($1, $2) if !defined $error;
        } elsif (!defined $error) {
            push @rows, [ map { $_ eq '<null>' ? undef : $_ } split /\x1f/, $line, -1 ];
        }
    }
    croak "$self->{role}: the session ended: " . ($message // (@rows ? $rows[-1][0] : ''));
}

# Runs statements: begins and finishes them.
sub run {
    my ($self, $sql) = @_;
    $self->begin($sql);
    return $self->finish;
}

# The rows of statements that must not fail.
sub query {
    my ($self, $sql) = @_;
    my $answer = $self->run($sql);
    croak "$self->{role}: $answer->{message}\n$sql" if $answer->{error};
    return @{ $answer->{rows} };
}

# The first column of the first row.
sub value {
    my ($self, $sql) = @_;
    my ($row) = $self->query($sql);
    return $row ? $row->[0] : undef;
}

# All rows in one string: fields joined by spaces, rows by semicolons; NULL is "-".
sub text {
    my ($self, $sql) = @_;
    return join '; ', map { join ' ', map { $_ // '-' } @{$_} } $self->query($sql);
}

# The SQLSTATE that statements fail with, or ''.
sub error {
    my ($self, $sql) = @_;
    return $self->run($sql)->{error};
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!);
    close $self->{in};
    close $self->{out};
    waitpid $self->{pid}, 0;
    return;
}

1;
