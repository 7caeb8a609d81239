package Tidemark::Browser;

# A person's browser as far as HTTP goes: keeps cookies, fills the login form in. For pages as
# they look there is tests/browser.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

sub new {
    my ($class, $stack) = @_;
    return bless { stack => $stack, cookies => {}, http => HTTP::Tiny->new(timeout => 30, max_redirect => 0) }, $class;
}

sub request {
    my ($self, $method, $path, $form) = @_;
    my $cookies = join '; ', map { "$_=$self->{cookies}{$_}" } sort keys %{ $self->{cookies} };
    my %headers = $cookies ne '' ? (Cookie => $cookies) : ();
    my $url = $self->{stack}->url($path);
    my $answer = $form
        ? $self->{http}->post_form($url, $form, { headers => \%headers })
        : $self->{http}->request($method, $url, { headers => \%headers });
    my $set = $answer->{headers}{'set-cookie'} // [];
    for my $cookie (ref $set ? @$set : $set) {
        my ($name, $value) = $cookie =~ /^([^=]+)=([^;]*)/ or next;
        $cookie =~ /Max-Age=0/i ? delete $self->{cookies}{$name} : ($self->{cookies}{$name} = $value);
    }
    return $answer;
}

sub get { my ($self, $path) = @_; return $self->request('GET', $path) }

# Posts a form with the page's own csrf field.
sub submit {
    my ($self, $page, $action, %fields) = @_;
    my ($csrf) = $page->{content} =~ /name="csrf"\s+value="([^"]*)"/;
    return $self->request('POST', $action, { csrf => $csrf // '', %fields });
}

# Calls the API in the session's name: `body` is sent as JSON, the answer's `json` is decoded.
sub call {
    my ($self, $method, $path, $body) = @_;
    my ($csrf) = $self->get('/account')->{content} =~ /name="csrf"\s+value="([^"]*)"/;
    my %headers = (Cookie => join('; ', map { "$_=$self->{cookies}{$_}" } sort keys %{ $self->{cookies} }),
        'X-CSRF-Token' => $csrf // '', defined $body ? ('Content-Type' => 'application/json') : ());
    my $answer = $self->{http}->request($method, $self->{stack}->url($path), { headers => \%headers,
            defined $body ? (content => JSON::PP->new->utf8->encode($body)) : () });
    $answer->{json} = eval { JSON::PP->new->utf8->decode($answer->{content}) };
    return $answer;
}

# Logs in; returns the answer to the form (303 when it worked).
sub log_in {
    my ($self, $email, $password) = @_;
    return $self->submit($self->get('/login'), '/login', email => $email, password => $password);
}

1;
