-- What makes the demo's tenants beside the statements for accounts: `tidemark seed`. Their
-- samples and events go in through those of ingest.

-- name: demo_tenant_find
-- roles: operator
-- columns: id
-- The tenant of a slug.
SELECT t.id FROM ops.tenant_list() t WHERE t.slug = $1::text;

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

-- name: demo_token_revoke
-- roles: operator
-- Revokes what an earlier run that was killed left: the tenant's tokens of a name.
SELECT ops.token_revoke($1::text, k.id::text)
FROM ops.token_list($1) k
WHERE k.name = $2::text AND k.revoked_at IS NULL;

-- name: demo_series
-- roles: ingest
-- columns: series_id last_time
-- The series of (device, metric, labels) in their order, registered where they are new, with the
-- newest sample's time; NULL: none yet.
SELECT s.series_id, s.last_time
FROM api.ingest_series($1::int4[], $2::text[], $3::text[], true) s
ORDER BY s.ord;
