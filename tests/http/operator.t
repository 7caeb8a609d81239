#!/usr/bin/perl
# Operators through the real nginx: tenants made, changed, suspended and erased by API and on pages;
# use and the state of the installation; those who may only look, and those who may not even that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Test::More;
use Tidemark::Browser;
use Tidemark::Stack;

my $stack = Tidemark::Stack->start;
$stack->cli('tenant', 'add', 'home', '--name', 'Home');
my %person = (
    'ada@home.example' => ['--tenant', 'home', '--role', 'admin'],
    'oli@run.example' => ['--operator'],
    'oda@run.example' => ['--operator-admin'],
);
$stack->cli('user', 'add', '--email', $_, @{ $person{$_} }, { stdin => "a long enough password\n" }) for sort keys %person;

sub browser {
    my ($email) = @_;
    my $browser = Tidemark::Browser->new($stack);
    is $browser->log_in($email, 'a long enough password')->{status}, 303, "$email logs in";
    return $browser;
}

# Asks until the answer has this status: tokens are remembered for up to five seconds.
sub await_status {
    my ($ask, $status) = @_;
    my $deadline = time + 10;
    while (1) {
        my $is = $ask->()->{status};
        return $is if $is == $status || time > $deadline;
        select undef, undef, undef, 0.1;
    }
}

my ($ada, $oli, $oda) = map { browser($_) } 'ada@home.example', 'oli@run.example', 'oda@run.example';

# ---- the API ----

is $oli->call('GET', '/v1/tenants')->{json}{items}[0]{slug}, 'home', 'an operator lists tenants';
is $oli->call('POST', '/v1/tenants', { slug => 'mine' })->{status}, 403, 'who may only look makes none';
is $ada->call('GET', '/v1/tenants')->{status}, 403, 'nor does a tenant\'s admin see them';
is $stack->get('/v1/tenants', token => $stack->token('home', 'admin'))->{status}, 403, 'nor an admin token';
is $stack->get('/v1/tenants')->{status}, 401, 'nor nobody';

my $made = $oda->call('POST', '/v1/tenants', { slug => 'mills', name => 'Mills', timezone => 'Asia/Kolkata', currency => 'INR' });
is $made->{status}, 201, 'who may change the installation makes a tenant';
is $made->{headers}{location}, '/v1/tenants/mills', 'and is told where it is';
is_deeply [@{ $made->{json} }{qw(slug name timezone currency status devices)}], ['mills', 'Mills', 'Asia/Kolkata', 'INR', 'active', 0], 'whole';
is $oda->call('POST', '/v1/tenants', { slug => 'mills' })->{status}, 409, 'a slug is given once';
is $oda->call('POST', '/v1/tenants', { slug => 'Mills!' })->{status}, 422, 'and has a form';
is $oda->call('POST', '/v1/tenants', { slug => 'x', timezone => 'Europe/Atlantis' })->{status}, 422, 'a zone has to exist';
is $oda->call('POST', '/v1/tenants', { slug => 'x', currency => 'euro' })->{status}, 422, 'so does a currency';
is $oda->call('POST', '/v1/tenants', {})->{status}, 422, 'a tenant has a slug';
my $page = $oda->call('GET', '/v1/tenants?limit=1')->{json};
is $oda->call('GET', "/v1/tenants?limit=1&cursor=$page->{next}")->{json}{items}[0]{slug}, 'mills', 'page by page';
is $oda->call('GET', '/v1/tenants/nobody')->{status}, 404, 'there is no other';
is $oda->call('PATCH', '/v1/tenants/mills', { name => 'Monsoon Mills' })->{json}{name}, 'Monsoon Mills', 'a name changes';
is $oda->call('PATCH', '/v1/tenants/mills', { slug => 'other' })->{status}, 422, 'a slug does not';
is $oda->call('PATCH', '/v1/tenants/nobody', { name => 'x' })->{status}, 404, 'nor a tenant that is none';

# ---- suspended ----

my $token = $stack->token('mills', 'device');
my $post = sub { return $stack->post('/v1/event', { device => 'loom', metrics => { power_w => 1 } }, token => $token) };
is $post->()->{status}, 200, 'its device posts';
$stack->cli('user', 'add', '--email', 'mia@mills.example', '--tenant', 'mills', '--role', 'viewer', { stdin => "a long enough password\n" });
my $mia = browser('mia@mills.example');
like $mia->get('/')->{content}, qr/loom/, 'its people see it';
is $oda->call('PATCH', '/v1/tenants/mills', { status => 'suspended' })->{json}{status}, 'suspended', 'it is suspended';
is await_status($post, 401), 401, 'its device is shut out';
my $shown = $mia->get('/');
is $shown->{status}, 403, 'its people see nothing of it';
like $shown->{content}, qr/You are a member of no tenant, or yours is suspended\./, 'and are told why';
unlike $shown->{content}, qr/loom/, 'its device is not named';
is $oda->call('PATCH', '/v1/tenants/mills', { status => 'active' })->{json}{status}, 'active', 'it is let in again';
is await_status($post, 200), 200, 'and its device posts';
is $mia->get('/')->{status}, 200, 'its people are where they were';

# ---- pages ----

my $front = $oli->get('/operator');
is $front->{status}, 200, 'the page of the installation';
like $front->{content}, qr/Monsoon Mills/, 'lists the tenants';
like $front->{content}, qr/core\.sample/, 'the tables';
like $front->{content}, qr/partitions/, 'and the worker\'s jobs';
unlike $front->{content}, qr{href="/operator/tenants"}, 'who may only look is offered no new tenant';
is $ada->get('/operator')->{status}, 403, 'it is not for a tenant\'s admin';
my $usage = $oli->call('GET', '/v1/usage')->{json}{items};
is_deeply [map { "$_->{slug} $_->{devices}" } @{$usage}], ['home 0', 'mills 1'], 'use, for programs';

my $form = $oda->get('/operator/tenants');
my $new = $oda->submit($form, '/operator/tenants', slug => 'farm', name => 'Farm <1>', timezone => 'UTC', currency => 'EUR');
is $new->{status}, 303, 'a tenant is made on the page';
like $new->{headers}{location}, qr{^/operator/tenants/farm\?done=made$}, 'and shown';
my $wrong = $oda->submit($form, '/operator/tenants', slug => 'farm', name => '', timezone => 'Mars', currency => 'eu');
is $wrong->{status}, 422, 'what is wrong';
like $wrong->{content}, qr/$_/, "is told: $_" for 'already', 'must be filled in', 'time zone is not known', 'Three capital letters, like EUR';
my $farm = $oda->get('/operator/tenants/farm');
like $farm->{content}, qr/Farm &lt;1&gt;/, 'names are text';
is $oda->submit($farm, '/operator/tenants/farm', name => 'Farm', timezone => 'Europe/Berlin', currency => 'EUR')->{status}, 303, 'it is changed';
is $oda->call('GET', '/v1/tenants/farm')->{json}{timezone}, 'Europe/Berlin', 'in the database';
is $oda->submit($farm, '/operator/tenants/farm/status', status => 'suspended')->{status}, 303, 'suspended';
is $oda->submit($farm, '/operator/tenants/farm/status', status => 'odd')->{status}, 422, 'but to nothing odd';
is $oda->submit($farm, '/operator/tenants/farm/erase', confirm => 'form')->{status}, 422, 'erased only with its slug';
is $oda->call('GET', '/v1/tenants/farm')->{status}, 200, 'it is there still';
is $oda->submit($farm, '/operator/tenants/farm/erase', confirm => 'farm')->{status}, 303, 'typed right, it is erased';
is $oda->call('GET', '/v1/tenants/farm')->{status}, 404, 'and gone';
is $oli->submit($oli->get('/operator'), '/operator/tenants/mills/erase', confirm => 'mills')->{status}, 403, 'who may only look erases none';

# ---- erased through the API ----

# Processes that post until they are told to stop: readings come all the while.
sub start_posting {
    my ($ask) = @_;
    my @pids;
    for (1 .. 3) {
        defined(my $pid = fork) or die "fork: $!";
        push @pids, $pid;
        next if $pid;
        local $SIG{TERM} = sub { POSIX::_exit(0) };
        delete $stack->{http};    # a connection of its own
        $ask->() while 1;
    }
    return @pids;
}

my @posting = start_posting($post);
my $erased = $oda->call('DELETE', '/v1/tenants/mills');
kill TERM => @posting;
waitpid $_, 0 for @posting;
is $erased->{status}, 200, 'a tenant is erased while it posts' or diag $erased->{content};
is $erased->{json}{erased}{device}, 1, 'its device is counted';
cmp_ok $erased->{json}{erased}{sample}, '>=', 2, 'so are its readings';
is $oda->call('DELETE', '/v1/tenants/mills')->{status}, 404, 'once';
my ($n_posts, %answers) = (0);
my $post_new = sub {
    my $device = 'new-' . $n_posts++;
    my $answer = $stack->post('/v1/event', { device => $device, metrics => { power_w => 1 } }, token => $token);
    $answers{ $answer->{status} }++;
    return $answer;
};
is await_status($post_new, 401), 401, 'its token opens nothing any more';
delete @answers{ 401, 503 };
is join(' ', %answers), '', 'until then a new device is told to come again, and nothing else';
like $stack->sql("SELECT string_agg(DISTINCT actor, ' ' ORDER BY actor) FROM core.audit WHERE action IN ('tenant.patch', 'tenant.remove')"),
    qr/^oda\@run\.example$/, 'the audit trail says who';

$stack->stop;
done_testing;
