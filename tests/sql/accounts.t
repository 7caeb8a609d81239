#!/usr/bin/env perl
# The doors and the operators' functions: tokens, logins and their throttling, sessions, making
# and erasing tenants. What they must not show is isolation.t's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Tidemark::Cluster;

sub check_tenants {
    my ($operator) = @_;
    is $operator->value("SELECT ops.tenant_add('alpha', 'Alpha', 'Europe/Berlin', 'EUR')"), 1, 'a tenant is made';
    is $operator->value("SELECT ops.tenant_add('beta', NULL, NULL, NULL)"), 2, 'and one with defaults';
    is $operator->text("SELECT slug, name, timezone, currency, status, devices, id FROM ops.tenant_list()"),
        'alpha Alpha Europe/Berlin EUR active 0 1; beta beta UTC USD active 0 2', 'both are listed';
    is $operator->error("SELECT ops.tenant_add('alpha', '', 'UTC', 'EUR')"), '23505', 'a slug is taken once';
    is $operator->error("SELECT ops.tenant_add('c', '', 'Mars/Olympus', 'EUR')"), 'TM422', 'a zone must exist';
    is $operator->error("SELECT ops.tenant_add('c', '', 'PST', 'EUR')"), 'TM422', 'an abbreviation is no zone';
    is $operator->error("SELECT ops.tenant_add('c', '', '$_', 'EUR')"), 'TM422', "$_ is no place" for qw(posixrules localtime Factory posix/Europe/Berlin right/UTC);
    is $operator->error("SELECT ops.tenant_add('C d', '', 'UTC', 'EUR')"), '23514', 'a slug is plain';
    is $operator->error("SELECT ops.tenant_add('c', '', 'UTC', 'euro')"), '23514', 'a currency has three letters';
    return;
}

sub check_persons {
    my ($operator) = @_;
    is $operator->value("SELECT ops.person_add(' Ann\@X.org ', 'Ann', 'hash-1', '')"), 1, 'a person is made';
    is $operator->value("SELECT ops.person_add('ann\@x.org', 'Other', 'hash-2', '')"), 1,
        'once an e-mail, whatever its case';
    $operator->query("SELECT ops.person_add('op\@x.org', 'Op', 'hash', 'operator')");
    is $operator->value("SELECT ops.membership_add('ann\@x.org', 'alpha', 'viewer')"), 't', 'and a member';
    is $operator->value("SELECT ops.membership_add('ann\@x.org', 'alpha', 'admin')"), 't', 'with another role';
    is $operator->value("SELECT ops.membership_add('nobody\@x.org', 'alpha', 'admin')"), 'f',
        'an unknown person is not';
    is $operator->error("SELECT ops.membership_add('ann\@x.org', 'gamma', 'admin')"), 'TM404',
        'of an unknown tenant neither';
    is $operator->error("SELECT ops.membership_add('ann\@x.org', 'alpha', 'king')"), '23514',
        'roles are viewer and admin';
    is $operator->text("SELECT email, name, operator_role, memberships FROM ops.person_list(NULL)"),
        'ann@x.org Ann  alpha:admin; op@x.org Op operator ', 'all persons';
    is $operator->text("SELECT email FROM ops.person_list('alpha')"), 'ann@x.org', 'those of a tenant';
    is $operator->text("SELECT email FROM ops.person_list('beta')"), '', 'another has none';
    return;
}

sub check_tokens {
    my ($operator, $web, $ingest) = @_;
    my $fields = 'kind, tenant_id, tenant_slug, tenant_name, tenant_timezone, tenant_currency, auto_register,'
        . ' device_id, device_key, is_backfill, raw_days';
    is $operator->value("SELECT ops.token_add('alpha', 'device', 'm1', 'Meter', 'h1', 'tmk_h1', NULL, false)"), 1, 'a token';
    is $operator->value("SELECT devices FROM ops.tenant_list() WHERE slug = 'alpha'"), 1, 'makes its device';
    $operator->query("SELECT ops.token_add('alpha', 'api', NULL, '', 'h2', 'tmk_h2', now() + interval '1 hour', true),"
            . " ops.token_add('alpha', 'admin', NULL, '', 'h3', 'tmk_h3', now() - interval '1 second', false),"
            . " ops.token_add('beta', 'admin', NULL, '', 'h4', 'tmk_h4', NULL, false)");
    is $ingest->text("SELECT $fields FROM api.token_resolve('h1')"),
        'device 1 alpha Alpha Europe/Berlin EUR t 1 m1 f -', 'it resolves, for ingest';
    is $web->text("SELECT $fields FROM api.token_resolve('h2')"),
        'api 1 alpha Alpha Europe/Berlin EUR t - - t -', 'and web';
    is $web->text("SELECT kind FROM api.token_resolve('h3')"), '', 'an expired one does not';
    is $web->text("SELECT kind FROM api.token_resolve('none')"), '', 'nor does an unknown one';
    is $operator->error("SELECT ops.token_add('alpha', 'device', NULL, '', 'h1', 'x', NULL, false)"),
        '23505', 'a hash is taken once';
    $ingest->query("SELECT api.token_touch(ARRAY[1, 2, 1], ARRAY['2026-01-02', '2026-01-01', '2026-01-01']::timestamptz[])");
    $ingest->query("SELECT api.token_touch(ARRAY[1], ARRAY['2025-01-01']::timestamptz[])");
    is $operator->text("SELECT id, kind, device, name, prefix, last_used, is_backfill FROM ops.token_list('alpha')"),
        '1 device m1 Meter tmk_h1 2026-01-02 00:00:00+00 f; 2 api -  tmk_h2 2026-01-01 00:00:00+00 t; 3 admin -  tmk_h3 - f',
        'their last use moves forward only';
    is $operator->value("SELECT ops.token_revoke('beta', '1')"), 0, 'another tenant\'s is not revoked';
    is $operator->value("SELECT ops.token_revoke('alpha', 'tmk_h1')"), 1, 'by prefix';
    is $operator->value("SELECT ops.token_revoke(NULL, '2')"), 1, 'by id, of any tenant';
    is $operator->value("SELECT ops.token_revoke(NULL, '2')"), 0, 'once';
    is $web->text("SELECT kind FROM api.token_resolve('h1') UNION ALL SELECT kind FROM api.token_resolve('h2')"), '',
        'a revoked one resolves no more';
    return;
}

sub check_suspension {
    my ($super, $web) = @_;
    is $web->value("SELECT tenant_slug FROM api.token_resolve('h4')"), 'beta', 'beta is open';
    $super->query("UPDATE core.tenant SET status = 'suspended' WHERE slug = 'beta'");
    is $web->text("SELECT kind FROM api.token_resolve('h4')"), '', 'a suspended tenant\'s tokens do not resolve';
    $super->query("UPDATE core.tenant SET status = 'active' WHERE slug = 'beta'");
    return;
}

# After 5 failures of an e-mail the wait is 1 s, then it doubles, up to 900 s; an address has 20.
sub check_throttling {
    my ($super, $web) = @_;
    my $wait = sub { return $web->value("SELECT wait_s FROM api.login_check('$_[0]', '$_[1]')") };
    is $web->text("SELECT * FROM api.login_check('ANN\@x.org', '::1')"), '1 hash-1 0', 'a login to check';
    is $web->text("SELECT * FROM api.login_check('nobody\@x.org', '::1')"), '- - 0', 'an unknown e-mail';
    for my $email ('ann@x.org', 'nobody@x.org') {
        my $address = "10.0.0.$email";
        my @waits;
        my @others;
        for my $n (1 .. 30) {
            $web->query("SELECT api.login_failed('$email', '$address')");
            push @waits, $wait->($email, '::1');
            push @others, $wait->('other@x.org', $address);
        }
        is "@waits[0 .. 16]", '0 0 0 0 1 2 4 8 16 32 64 128 256 512 900 900 900', "$email waits";
        is "@others[4, 18 .. 29]", '0 0 1 2 4 8 16 32 64 128 256 512 900',
            'others of the address wait only when many have failed';
        is $wait->('other@x.org', '::1'), 0, 'another e-mail from elsewhere does not';
    }
    $super->query("UPDATE core.login_throttle SET last_failed = last_failed - interval '890 seconds'");
    is $wait->('ann@x.org', '::1'), 10, 'waiting helps';
    $super->query("UPDATE core.login_throttle SET last_failed = last_failed - interval '1 day'");
    is $wait->('ann@x.org', '::1'), 0, 'a day forgives';
    $web->query("SELECT api.login_failed('ann\@x.org', '::2')");
    is $super->value("SELECT failures FROM core.login_throttle WHERE subject = 'ann\@x.org'"), 1,
        'and counts anew';
    return;
}

# A success ends the e-mail's throttling; the address is forgiven this e-mail's failures alone.
sub check_forgiving {
    my ($super, $web) = @_;
    $web->query("SELECT api.login_failed('ann\@x.org', '::3')") for 1 .. 3;
    $web->query("SELECT api.login_failed('victim\@x.org', '::3')") for 1 .. 4;
    $super->query("DELETE FROM core.login_throttle WHERE subject = '::2'");
    $web->query("SELECT api.login_passed('ann\@x.org', '::3', 1, 's0', 7)");
    is $super->text("SELECT kind, subject, failures FROM core.login_throttle WHERE subject IN"
            . " ('ann\@x.org', 'victim\@x.org', '::3') ORDER BY 1, 2"), 'address ::3 3; email victim@x.org 4',
        'success forgives the own e-mail only (4 of 7: one failure was from elsewhere)';
    return;
}

sub check_sessions {
    my ($super, $operator, $web) = @_;
    my $who = 'person_id, email, name, operator_role, tenant_id, tenant_slug, tenant_name, tenant_timezone,'
        . ' tenant_currency, role';
    $operator->query("SELECT ops.membership_add('ann\@x.org', 'beta', 'viewer')");
    $web->query("SELECT api.login_passed('ann\@x.org', '::1', 1, 's1', 7),"
            . " api.login_passed('op\@x.org', '::1', (SELECT person_id FROM api.login_check('op\@x.org', '')), 's2', 7)");
    is $web->text("SELECT $who FROM api.session_resolve('s1')"),
        '1 ann@x.org Ann  1 alpha Alpha Europe/Berlin EUR admin',
        'a session begins at the first membership';
    is $web->text("SELECT tenant_slug, role, operator_role FROM api.session_resolve('s2')"), '-  operator',
        'an operator has none';
    is $web->value("SELECT homes FROM api.session_resolve('s1')"),
        '[["alpha", "Alpha", "admin"], ["beta", "beta", "viewer"]]', 'where the person may look';
    is $web->value("SELECT homes IS NULL FROM api.session_resolve('s2')"), 't', 'no choice, no list';
    is $web->value("SELECT api.session_switch('s1', 'beta')"), 't', 'it switches';
    is $web->text("SELECT tenant_slug, role FROM api.session_resolve('s1')"), 'beta viewer', 'and stays there';
    is $web->value("SELECT api.session_switch('s2', 'beta')"), 'f', 'not for others';
    $super->query("DELETE FROM core.membership WHERE tenant_id = 2");
    is $web->text("SELECT tenant_slug, role FROM api.session_resolve('s1')"), 'alpha admin',
        'a lost membership falls back';
    $super->query("UPDATE core.session SET last_seen = now() - interval '61 seconds', expires_at = now() + interval '1 hour'");
    is $web->text("BEGIN READ ONLY; SELECT email FROM api.session_resolve('s1'); COMMIT"), 'ann@x.org',
        'a read-only transaction will do';
    is $super->value("SELECT last_seen < now() - interval '1 minute' FROM core.session WHERE hash = 's1'"),
        't', 'and notes nothing';
    $web->query("SELECT api.session_resolve('s1')");
    is $super->value("SELECT expires_at > now() + interval '6 days' FROM core.session WHERE hash = 's1'"),
        't', 'use prolongs it';
    $super->query("UPDATE core.session SET created_at = now() - interval '29 days', last_seen = now() - interval '61 seconds'");
    $web->query("SELECT api.session_resolve('s1')");
    is $super->value("SELECT expires_at = created_at + interval '30 days' FROM core.session WHERE hash = 's1'"),
        't', 'but not beyond thirty days';
    $super->query("UPDATE core.session SET expires_at = now()");
    is $web->text("SELECT email FROM api.session_resolve('s1')"), '', 'an expired one is none';
    is $web->value("SELECT api.session_switch('s1', 'alpha')"), 'f', 'and cannot switch';
    $web->query("SELECT api.login_passed('ann\@x.org', '::1', 1, 's5', 7), api.session_end('s5')");
    is $web->text("SELECT email FROM api.session_resolve('s5')"), '', 'nor is an ended one';
    $web->query("SELECT api.login_passed('ann\@x.org', '::1', 1, 's6', 7)");
    $super->query("INSERT INTO core.access_link (tenant_id, kind, hash, email, person_id, made_by, expires_at)"
            . " VALUES (1, 'reset', 'r6', 'ann\@x.org', 1, 'bob\@x.org', now() + interval '1 day')");
    is $operator->value("SELECT ops.person_set_password('ann\@x.org', 'hash-3')"), 't', 'a new password';
    is $web->text("SELECT email FROM api.session_resolve('s6')"), '', 'ends the sessions';
    is $super->value("SELECT count(*) FROM core.access_link WHERE hash = 'r6'"), 0, 'and links by which it could be changed';
    is $web->value("SELECT password_hash FROM api.login_check('ann\@x.org', '')"), 'hash-3', 'and counts';
    is $operator->value("SELECT ops.person_set_password('nobody\@x.org', 'x')"), 'f', 'of nobody';
    return;
}

sub check_removal {
    my ($cluster, $super, $operator) = @_;
    my $ingest = $cluster->session('tidemark_ingest', tenant => 1);
    $ingest->query("SELECT * FROM api.ingest_series(ARRAY[1], ARRAY['power_w'], ARRAY[NULL], true)");
    $ingest->query("SELECT api.partitions_ensure(now() - interval '20 days', now())");
    $ingest->query("INSERT INTO core.sample (tenant_id, series_id, time, value)"
            . " SELECT 1, 1, now() - n * interval '1 minute', n FROM generate_series(0, 19999) n");
    $super->query("SELECT public.compress_chunk(c) FROM public.show_chunks('core.sample', older_than => interval '3 days') c")
        if $cluster->{wanted} eq 'timescaledb';
    my $counts = $operator->value("SELECT ops.tenant_remove('alpha')");
    like $counts, qr/"sample": 20000\b/, 'erasing a tenant counts its samples, compressed ones too';
    like $counts, qr/"person": 1\b/, 'its persons without another home';
    is $super->value("SELECT count(*) FROM core.sample WHERE tenant_id = 1"), 0, 'no sample is left';
    is $operator->text("SELECT slug FROM ops.tenant_list()"), 'beta', 'nor the tenant';
    is $operator->text("SELECT email FROM ops.person_list(NULL)"), 'op@x.org', 'operators stay';
    is $operator->error("SELECT ops.tenant_remove('alpha')"), 'TM404', 'once';
    is $super->text("SELECT actor, action, object FROM core.audit WHERE tenant_id IS NULL ORDER BY id DESC LIMIT 1"),
        'tidemark_operator tenant.remove alpha', 'an audit row remains';
    return;
}

Tidemark::Cluster->each_engine(sub {
    my ($cluster) = @_;
    my ($super, $operator, $web, $ingest) = map { $cluster->session("tidemark_$_") } qw(super operator web ingest);
    check_tenants($operator);
    check_persons($operator);
    check_tokens($operator, $web, $ingest);
    check_suspension($super, $web);
    check_throttling($super, $web);
    check_forgiving($super, $web);
    check_sessions($super, $operator, $web);
    check_removal($cluster, $super, $operator);
});

done_testing;
