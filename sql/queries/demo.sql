-- What makes the demo's tenants: `tidemark seed`. Their samples and events go in through the
-- statements of ingest.

-- name: demo_tenant_find
-- roles: operator
-- columns: id
-- The tenant of a slug.
SELECT t.id FROM ops.tenant_list() t WHERE t.slug = $1::text;

-- name: demo_tenant_add
-- roles: operator
-- columns: id
-- Makes a tenant: slug, name, zone, currency.
SELECT ops.tenant_add($1::text, $2::text, $3::text, $4::text) AS id;

-- name: demo_site_put
-- roles: operator
-- columns: id
-- The site $2 of the tenant $1, made in the tenant's zone; a NULL keeps its name.
SELECT ops.site_put($1::text, $2::text, $3::text, NULL) AS id;

-- name: demo_device_put
-- roles: operator
-- columns: id
-- The device $2 of the tenant $1; NULLs keep its name, model, site and configuration.
SELECT ops.device_put($1::text, $2::text, $3::text, $4::text, $5::text, $6::text::jsonb) AS id;

-- name: demo_person_is_known
-- roles: operator
-- columns: is_known
-- Whether somebody has this e-mail.
SELECT EXISTS (SELECT FROM ops.person_list(NULL) p WHERE p.email = $1::text) AS is_known;

-- name: demo_person_add
-- roles: operator
-- Makes a person: e-mail, name, password's hash, operator role.
SELECT ops.person_add($1::text, $2::text, $3::text, $4::text);

-- name: demo_membership_add
-- roles: operator
-- Makes the person of an e-mail a member of a tenant in a role.
SELECT ops.membership_add($1::text, $2::text, $3::text);

-- name: demo_token_revoke
-- roles: operator
-- Revokes what an earlier run that was killed left: the tenant's tokens of a name.
SELECT ops.token_revoke($1::text, k.id::text)
FROM ops.token_list($1) k
WHERE k.name = $2::text AND k.revoked_at IS NULL;

-- name: demo_token_add
-- roles: operator
-- Stores a device token: tenant, device, name, hash, prefix.
SELECT ops.token_add($1::text, 'device', $2::text, $3::text, $4::bytea, $5::text, NULL, false);
