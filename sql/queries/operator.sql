-- Tenants as operators manage them through the API and on their pages.

-- name: tenant_page
-- roles: operator
-- columns: slug name timezone currency status created_at devices
-- Tenants after the slug $1, and only the one of slug $3 where it is given.
SELECT t.slug, t.name, t.timezone, t.currency, t.status, t.created_at, t.devices
FROM ops.tenant_list() t
WHERE ($1::text IS NULL OR t.slug > $1) AND ($3::text IS NULL OR t.slug = $3)
ORDER BY t.slug
LIMIT $2::int4;

-- name: tenant_patch
-- roles: operator
-- Changes name, zone, currency, status of a tenant; NULL leaves as it is.
SELECT FROM ops.tenant_patch($1::text, $2::text, $3::text, $4::text, $5::text);
