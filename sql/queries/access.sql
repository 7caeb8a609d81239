-- What a tenant's admins manage: tokens, members, invitations, settings, plugins, the audit trail.

-- name: tokens_list
-- roles: web
-- columns: id kind device name prefix is_backfill created_at last_used expires_at revoked_at old_until is_active is_encrypted
-- Tokens of the tenant, newest first, those before an id (NULL: from the newest), with ($2) or
-- without those that are revoked or expired; or the one of an id ($3).
SELECT t.id, t.kind, t.device, t.name, t.prefix, t.is_backfill, t.created_at, t.last_used,
       t.expires_at, t.revoked_at, t.old_until, t.is_active, t.is_encrypted
FROM api.token_list($1::int8, $2::bool, $3::int8, $4::int4) t
ORDER BY t.id DESC;

-- name: tokens_add
-- roles: web
-- columns: id
-- Stores the hash of a new token.
SELECT api.token_add($1::text, $2::text, $3::text, $4::bytea, $5::text, $6::timestamptz,
                     $7::bool) AS id;

-- name: tokens_change
-- roles: web
-- Sets a token's name, expiry and whether it may send any age.
SELECT FROM api.token_change($1::int8, $2::text, $3::timestamptz, $4::bool);

-- name: tokens_rotate
-- roles: web
-- Gives a token a new secret; the old one works for some hours more.
SELECT FROM api.token_rotate($1::int8, $2::bytea, $3::text, $4::int4);

-- name: tokens_key_set
-- roles: web
-- Keeps the key of a token's new secret.
SELECT FROM api.token_key_set($1::int8, $2::bytea);

-- name: tokens_revoke
-- roles: web
-- Ends a token.
SELECT FROM api.token_revoke($1::int8);

-- name: member_list
-- roles: web
-- columns: id email name role joined_at last_seen is_last_admin may_reset
-- Members of the tenant by id, those after one (NULL: from the first); or the one of an id ($1).
SELECT m.id, m.email, m.name, m.role, m.joined_at, m.last_seen, m.is_last_admin, m.may_reset
FROM api.member_list($1::int8, $2::int8, $3::int4) m;

-- name: member_change
-- roles: web
-- Gives a member another role.
SELECT FROM api.member_change($1::int8, $2::text);

-- name: member_remove
-- roles: web
-- columns: is_erased
-- Ends a membership; says whether the person was erased with it.
SELECT api.member_remove($1::int8) AS is_erased;

-- name: invite_list
-- roles: web
-- columns: id email role made_by created_at expires_at
-- Invitations that nobody has used, by id, those after one (NULL: from the first); or one ($1).
SELECT i.id, i.email, i.role, i.made_by, i.created_at, i.expires_at
FROM api.invite i
WHERE ($1::int8 IS NULL OR i.id = $1) AND ($2::int8 IS NULL OR i.id > $2)
ORDER BY i.id
LIMIT $3::int4;

-- name: invite_check
-- roles: web
-- columns: is_email is_member
-- What stands against inviting an e-mail.
SELECT c.is_email, c.is_member FROM api.invite_check($1::text) c;

-- name: invite_add
-- roles: web
-- columns: id
-- Makes an invitation.
SELECT api.invite_add($1::text, $2::text, $3::bytea, $4::int4) AS id;

-- name: invite_withdraw
-- roles: web
-- Takes an invitation back.
SELECT FROM api.invite_withdraw($1::int8);

-- name: invite_resolve
-- roles: web
-- columns: tenant_slug tenant_name email role made_by expires_at
-- The invitation of a secret's hash. No row: it cannot be used.
SELECT i.tenant_slug, i.tenant_name, i.email, i.role, i.made_by, i.expires_at
FROM api.invite_resolve($1::bytea) i;

-- name: invite_accept
-- roles: web
-- columns: person_id
-- Makes the person of an invitation a member: one that is known, or a new one.
SELECT api.invite_accept($1::bytea, $2::int8, $3::text, $4::text) AS person_id;

-- name: reset_add
-- roles: web
-- Makes a link by which a member sets a new password.
SELECT FROM api.reset_add($1::int8, $2::bytea);

-- name: reset_resolve
-- roles: web
-- columns: person_id email tenant_name expires_at
-- Whose password the link of a hash may set. No row: nobody's.
SELECT r.person_id, r.email, r.tenant_name, r.expires_at FROM api.reset_resolve($1::bytea) r;

-- name: reset_use
-- roles: web
-- Sets the password by a link.
SELECT FROM api.reset_use($1::bytea, $2::text);

-- name: settings_load
-- roles: web
-- columns: slug name timezone currency auto_register raw_days hourly_days daily_days event_days created_at
-- The tenant's own settings; days NULL: the installation's.
SELECT s.slug, s.name, s.timezone, s.currency, s.auto_register, s.raw_days, s.hourly_days,
       s.daily_days, s.event_days, s.created_at
FROM api.settings s;

-- name: settings_change
-- roles: web
-- Sets them.
SELECT FROM api.settings_change($1::text, $2::text, $3::text, $4::bool, $5::int4, $6::int4,
                                $7::int4, $8::int4);

-- name: limits_load
-- roles: web
-- columns: request_rate token_rate max_series rows_per_day series rows_today
-- The tenant's own limits (NULL: the installation's; 0: none), and what it has used of them.
SELECT l.request_rate, l.token_rate, l.max_series, l.rows_per_day, l.series, l.rows_today
FROM api.limits l;

-- name: plugin_list
-- roles: web
-- columns: key kind is_enabled config created_at config_lines
-- Plugins by key, those after one (NULL: from the first); or the one of a key ($1).
SELECT p.key, p.kind, p.is_enabled, p.config::text, p.created_at,
       jsonb_pretty(p.config) AS config_lines
FROM api.plugin p
WHERE ($1::text IS NULL OR p.key = $1) AND ($2::text IS NULL OR p.key > $2)
ORDER BY p.key
LIMIT $3::int4;

-- name: plugin_put
-- roles: web
-- columns: is_new
-- Registers a plugin, or changes it.
SELECT api.plugin_put($1::text, $2::text, $3::bool, $4::text::jsonb) AS is_new;

-- name: plugin_remove
-- roles: web
-- Removes a plugin.
SELECT FROM api.plugin_remove($1::text);

-- name: audit_list
-- roles: web
-- columns: id time actor action object detail
-- What was done, newest first.
SELECT a.id, a.time, a.actor, a.action, a.object, a.detail::text AS detail
FROM api.audit_list($1::text, $2::text, $3::timestamptz, $4::timestamptz, $5::timestamptz,
                    $6::int8, $7::int4) a;
