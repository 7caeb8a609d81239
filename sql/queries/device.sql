-- Devices of a tenant and their series, as the query API lists them.

-- name: device_list
-- roles: web read
-- columns: key name model site timezone created_at last_seen retired_at
-- A page of the tenant's devices in the order of their keys, after the key $1.
SELECT d.key, d.name, d.model, d.site, d.timezone, d.created_at, d.last_seen, d.retired_at
FROM api.device d
WHERE ($1::text IS NULL OR d.key > $1)
ORDER BY d.key
LIMIT $2::int4;

-- name: device_find
-- roles: web read
-- columns: id key name model site timezone created_at last_seen retired_at config
-- The device of a key.
SELECT d.id, d.key, d.name, d.model, d.site, d.timezone, d.created_at, d.last_seen, d.retired_at,
       d.config::text AS config
FROM api.device d
WHERE d.key = $1::text;

-- name: device_series
-- roles: web read
-- columns: id metric labels unit kind role created_at last_time last_value
-- The series of a device with their last values, by metric.
SELECT s.id, s.metric, s.labels::text AS labels, s.unit, s.kind, s.role, s.created_at,
       s.last_time, s.last_value
FROM api.series s
WHERE s.device_id = $1::int4
ORDER BY s.metric, s.id;
