#!/usr/bin/perl
# Over HTTP a tenant never meets another's anything: every route of the API's description and
# every page is asked with the other tenant's identifiers, as every kind of caller. Nothing of
# the other tenant may come back, and its things must look exactly like things that do not exist.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP;
use Tidemark::Browser;
use Tidemark::Stack;

# what the other tenant's rows say, and nobody else's
my $CANARY = 'canary';
my $THEIRS = "$CANARY-meter";
my $NOBODYS = 'nobody-meter';    # as long as the other, so that answers can be compared

sub fill {
    my ($stack, $tenant, $device) = @_;
    $stack->cli('tenant', 'add', $tenant);
    my $token = $stack->token($tenant, 'device');
    my $answer = $stack->post('/v1/events/batch', [
        { device => $device, metrics => { "${device}_w" => 4711, energy_kwh => 47.11 }, site => "$device-site" },
        { device => $device, type => "$device-alarm", data => { note => "$device-note" } },
    ], token => $token);
    die "cannot fill $tenant: $answer->{content}" if $answer->{status} != 200;
    return $token;
}

# Everything of a request's answer that may differ between two asks: taken out. InfluxDB's answers
# say the line again, in a header too.
sub comparable {
    my ($answer, $name) = @_;
    my $id = $answer->{headers}{'x-request-id'} // '';
    my %headers = %{ $answer->{headers} };
    delete @headers{qw(x-request-id date set-cookie)};
    my $all = join "\n", $answer->{status}, (map { "$_: " . (ref $headers{$_} ? "@{ $headers{$_} }" : $headers{$_}) } sort keys %headers), $answer->{content};
    $all =~ s/\Q$id\E/ID/g if $id;
    $all =~ s/"last_used":"[^"]*"/"last_used":""/g;    # these requests' own token
    return $all =~ s/\Q$name\E/NAME/gr;
}

# All [method, path] of the description, with every {part} replaced by `name`.
sub routes {
    my ($description, $name) = @_;
    my @routes;
    for my $path (sort keys %{ $description->{paths} }) {
        for my $method (grep { /^(get|post|put|patch|delete)$/ } sort keys %{ $description->{paths}{$path} }) {
            push @routes, [uc $method, $path =~ s/\{[^}]+\}/$name/gr];
        }
    }
    return @routes;
}

# Filters that name a thing, for routes that take them.
sub filters { return map { "?device=$_&metric=${_}_w&site=$_-site&type=$_-alarm&limit=7&dry_run=1" } @_ }

sub check_routes {
    my ($stack, $who, $ask, $description) = @_;
    my @theirs = routes($description, $THEIRS);
    my @nobodys = routes($description, $NOBODYS);
    for my $i (0 .. $#theirs) {
        my ($method, $path) = @{ $theirs[$i] };
        my ($filter_theirs, $filter_nobodys) = filters($THEIRS, $NOBODYS);
        my $body = $method =~ /POST|PUT|PATCH/ ? '{"device":"%s","metrics":{"a":1}}' : undef;
        my $answer = $ask->($method, $path . $filter_theirs, $body && sprintf $body, $THEIRS);
        my $other = $ask->($method, $nobodys[$i][1] . $filter_nobodys, $body && sprintf $body, $NOBODYS);
        next if $path =~ m{^/(metrics|v1/(healthz|readyz|version|openapi\.json))};    # of the installation
        my $own = comparable($answer, $THEIRS);
        unlike($own, qr/$CANARY|4711|47\.11/, "$who: $method $path shows nothing of the other tenant");
        is($own, comparable($other, $NOBODYS), "$who: $method $path answers as for a thing that does not exist");
    }
    return;
}

sub check_engine {
    my ($engine) = @_;
    my $stack = Tidemark::Stack->start(engine => $engine);
    fill($stack, 'mine', 'own-meter');
    my $before = fill($stack, 'theirs', $THEIRS) && $stack->sql('SELECT count(*) FROM core.sample');
    my $description = $stack->get('/v1/openapi.json')->{json};
    ok(keys %{ $description->{paths} } > 8, 'the description lists the routes');

    for my $kind ('api', 'admin', 'device') {
        my $token = $stack->token('mine', $kind);
        check_routes($stack, "$kind token", sub {
            my ($method, $path, $body) = @_;
            return $stack->request($method, $path, token => $token, defined $body ? (body => $body,
                headers => { 'Content-Type' => 'application/json' }) : ());
        }, $description);
    }

    $stack->cli('user', 'add', '--tenant', 'mine', '--email', 'me@mine.example', '--role', 'admin',
        { stdin => "a-long-password\n" });
    my $browser = Tidemark::Browser->new($stack);
    is($browser->log_in('me@mine.example', 'a-long-password')->{status}, 303, 'a person logs in');
    for my $path ('/', '/devices', "/devices/$THEIRS", '/v1/devices', "/v1/devices/$THEIRS", '/v1/events',
        "/v1/devices/$THEIRS/samples") {
        my $answer = $browser->get($path);
        unlike(comparable($answer, $THEIRS), qr/$CANARY|4711/, "person: $path shows nothing of the other tenant");
        next if $path !~ /$THEIRS/;
        my $other = $browser->get($path =~ s/$THEIRS/$NOBODYS/r);
        is($answer->{status}, 404, "person: $path is not found");
        is(comparable($answer, $THEIRS), comparable($other, $NOBODYS), '  just like a thing that does not exist');
    }
    is($stack->sql("SELECT count(*) FROM core.sample s JOIN core.tenant t ON t.id = s.tenant_id"
        . " WHERE t.slug = 'theirs'"), 2, 'and nothing was written into the other tenant');
    return;
}

for my $engine ('postgres', 'timescaledb') {
    SKIP: {
        skip 'no TimescaleDB for the PostgreSQL at hand', 1
            unless grep { $_ eq $engine } Tidemark::Stack::engines();
        subtest "on $engine" => sub { check_engine($engine) };
    }
}
done_testing;
