-- Read-only links of a dashboard.

-- name: share_list
-- roles: web
-- columns: id name device created_by created_at expires_at revoked_at last_used
-- The tenant's links after the number $1, newest first.
SELECT s.id, s.name, s.device, s.created_by, s.created_at, s.expires_at, s.revoked_at, s.last_used
FROM api.share_list($1::int8, $2::int4) s
ORDER BY s.id DESC;

-- name: share_add
-- roles: web
-- columns: id
-- Makes a link of a name, of a device or (NULL) the overview, of a hash, for some days.
SELECT api.share_add($1::text, $2::text, $3::bytea, $4::int4) AS id;

-- name: share_revoke
-- roles: web
-- columns: is_revoked
-- Ends a link.
SELECT api.share_revoke($1::int8) AS is_revoked;

-- name: share_resolve
-- roles: web
-- columns: share_id tenant_id tenant_slug tenant_name tenant_timezone tenant_currency device_key
-- What the link of a hash opens.
SELECT s.share_id, s.tenant_id, s.tenant_slug, s.tenant_name, s.tenant_timezone,
       s.tenant_currency, s.device_key
FROM api.share_resolve($1::bytea) s;
