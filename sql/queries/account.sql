-- Tenants, persons and tokens as operators manage them at the command line.

-- name: tenant_add
-- roles: operator
-- columns: id
-- Makes a tenant of a slug, a name, a time zone and a currency.
SELECT ops.tenant_add($1::text, $2::text, $3::text, $4::text) AS id;

-- name: tenant_list
-- roles: operator
-- columns: slug name timezone currency status created_at devices
-- All tenants, by slug.
SELECT t.slug, t.name, t.timezone, t.currency, t.status, t.created_at, t.devices
FROM ops.tenant_list() t;

-- name: tenant_remove
-- roles: operator
-- columns: counts
-- Erases all of a tenant; answers how many rows of which table went.
SELECT ops.tenant_remove($1::text)::text AS counts;

-- name: person_add
-- roles: operator
-- columns: id
-- Makes a person, or finds the one of that e-mail.
SELECT ops.person_add($1::text, $2::text, $3::text, $4::text) AS id;

-- name: membership_add
-- roles: operator
-- Makes a person a member of a tenant.
SELECT FROM ops.membership_add($1::text, $2::text, $3::text);

-- name: person_set_password
-- roles: operator
-- columns: is_set
-- Replaces a person's password hash and ends the person's sessions.
SELECT ops.person_set_password($1::text, $2::text) AS is_set;

-- name: person_erase
-- roles: operator
-- columns: counts
-- Erases a person; answers how many rows of what went.
SELECT ops.person_erase($1::text)::text AS counts;

-- name: person_list
-- roles: operator
-- columns: email name operator_role memberships created_at
-- Persons, of one tenant or (NULL) all.
SELECT p.email, p.name, p.operator_role, p.memberships, p.created_at
FROM ops.person_list($1::text) p;

-- name: person_exists
-- roles: operator
-- columns: is_there
-- Whether somebody has an e-mail.
SELECT EXISTS (SELECT FROM ops.person_list(NULL) p WHERE p.email = lower(btrim($1::text))) AS is_there;

-- name: token_add
-- roles: operator
-- columns: id
-- Stores a token's hash, and makes its device where it is missing.
SELECT ops.token_add($1::text, $2::text, $3::text, $4::text, $5::bytea, $6::text,
                     $7::timestamptz, $8::bool) AS id;

-- name: token_key_set
-- roles: operator
-- Keeps the key of a token that was just made.
SELECT FROM ops.token_key_set($1::int8, $2::bytea);

-- name: token_revoke
-- roles: operator
-- columns: revoked
-- Revokes tokens by id or prefix, of one tenant or (NULL) any; answers how many.
SELECT ops.token_revoke($1::text, $2::text) AS revoked;

-- name: token_list
-- roles: operator
-- columns: id tenant kind device name prefix created_at last_used expires_at revoked_at is_backfill
-- Tokens of one tenant, or (NULL) of all.
SELECT t.id, t.tenant, t.kind, t.device, t.name, t.prefix, t.created_at, t.last_used,
       t.expires_at, t.revoked_at, t.is_backfill
FROM ops.token_list($1::text) t;
