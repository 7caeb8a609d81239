-- Sites of a tenant, as its admins manage them.

-- name: site_list
-- roles: web read
-- columns: key name timezone created_at devices
-- A page of the tenant's sites in the order of their keys, after the key $1.
SELECT s.key, s.name, s.timezone, s.created_at, s.devices
FROM api.site s
WHERE $1::text IS NULL OR s.key > $1
ORDER BY s.key
LIMIT $2::int4;

-- name: site_find
-- roles: web read
-- columns: key name timezone created_at devices
-- The site of a key.
SELECT s.key, s.name, s.timezone, s.created_at, s.devices
FROM api.site s
WHERE s.key = $1::text;

-- name: site_add
-- roles: web
-- columns: id
-- Makes a site of a key, a name and a time zone.
SELECT api.site_add($1::text, $2::text, $3::text) AS id;

-- name: site_change
-- roles: web
-- Changes name and time zone of the site $1; what is NULL stays.
SELECT FROM api.site_change($1::text, $2::text, $3::text);

-- name: site_remove
-- roles: web
-- Removes a site where no device is.
SELECT FROM api.site_remove($1::text);

-- name: zone_list
-- roles: web
-- columns: name
-- The time zones that people choose from: areas and places, and UTC.
SELECT z.name
FROM pg_catalog.pg_timezone_names z
WHERE z.name = 'UTC'
   OR z.name ~ '^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/'
ORDER BY z.name;

-- name: zone_exists
-- roles: web operator
-- columns: is_there
-- Whether a time zone has this name.
SELECT EXISTS (SELECT FROM pg_catalog.pg_timezone_names z WHERE z.name = $1::text) AS is_there;
