-- Devices of a tenant and their series, as the query API lists them.

-- name: device_list
-- roles: web read
-- columns: key name model site timezone created_at last_seen retired_at
-- A page of the tenant's devices in the order of their keys, after the key $1; of the site $3,
-- with the text $4 in key, name or model, retired or not as $5 says, where these are given.
SELECT d.key, d.name, d.model, d.site, d.timezone, d.created_at, d.last_seen, d.retired_at
FROM api.device_list($1::text, $2::int4, $3::text, $4::text, $5::bool) d
ORDER BY d.key;

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

-- name: device_series_page
-- roles: web read
-- columns: id metric labels unit kind role created_at last_time last_value
-- A page of a device's series by id, after the id $2.
SELECT s.id, s.metric, s.labels::text AS labels, s.unit, s.kind, s.role, s.created_at,
       s.last_time, s.last_value
FROM api.series s
WHERE s.device_id = $1::int4 AND s.id > $2::int4
ORDER BY s.id
LIMIT $3::int4;

-- name: device_add
-- roles: web
-- columns: id
-- Makes a device of a key, a name, a model, a site's key and a configuration.
SELECT api.device_add($1::text, $2::text, $3::text, $4::text, $5::text) AS id;

-- name: device_change
-- roles: web
-- Changes the device $1: name, model, site ('': none), configuration, whether it is retired; what
-- is NULL stays.
SELECT FROM api.device_change($1::text, $2::text, $3::text, $4::text, $5::text, $6::bool);

-- name: device_config
-- roles: web
-- columns: config
-- A device's configuration as people edit it.
SELECT jsonb_pretty(d.config) AS config
FROM api.device d
WHERE d.key = $1::text;

-- name: config_problem
-- roles: web
-- columns: problem
-- What is wrong with a device's configuration; NULL: nothing.
SELECT api.config_problem($1::text) AS problem;

-- name: device_import
-- roles: web
-- columns: action problem
-- Judges, and unless $7 stores, a list of devices.
SELECT i.action, i.problem
FROM api.device_import($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                       $7::bool) i
ORDER BY i.ord;

-- name: series_change
-- roles: web
-- Corrects unit, kind and role of the series $2 of the device $1; what is NULL stays.
SELECT FROM api.series_change($1::text, $2::int4, $3::text, $4::text, $5::text);

-- name: operator_device_list
-- roles: operator
-- columns: key name model site created_at last_seen retired_at
-- All devices of a tenant, for the command line.
SELECT d.key, d.name, d.model, d.site, d.created_at, d.last_seen, d.retired_at
FROM ops.device_list($1::text) d
ORDER BY d.key;

-- name: operator_device_add
-- roles: operator
-- columns: id
-- Makes a device of the tenant $1.
SELECT ops.device_add($1::text, $2::text, $3::text, $4::text, $5::text) AS id;

-- name: operator_device_import
-- roles: operator
-- columns: action problem
-- The same as device_import, for the tenant $8.
SELECT i.action, i.problem
FROM ops.device_import($8::text, $1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                       $6::text[], $7::bool) i
ORDER BY i.ord;
