-- Rollups across devices.

-- name: rollup_zone
-- roles: web read
-- columns: timezone
-- The zone of the device $1, else of the site $2, else of the tenant.
SELECT coalesce((SELECT d.timezone FROM api.device d WHERE d.key = $1::text),
                (SELECT s.timezone FROM api.site s WHERE s.key = $2::text), t.timezone) AS timezone
FROM api.tenant t;

-- name: rollup_list
-- roles: web read
-- columns: time series_id device metric unit labels count min max avg sum first last
-- Buckets of kind $1 of the device $2, metric $3 and site $4, or all, that start in [$5, $6), by the
-- sites' zones, after the position ($7, $8), by time and series.
SELECT r.bucket AS time, r.series_id, r.device, r.metric, r.unit, s.labels::text AS labels,
       r.count, r.min, r.max, r.sum / r.count AS avg, r.sum, r.first, r.last
FROM api.rollup_list($1::text, $2::text, $3::text, $5::timestamptz, $6::timestamptz, $9::int4,
                     $7::timestamptz, $8::int4, $4::text) r
JOIN api.series s ON s.id = r.series_id
ORDER BY r.bucket, r.series_id;

-- name: rollup_list_zoned
-- roles: web read
-- columns: time series_id device metric unit labels count min max avg sum first last
-- The same with buckets of the zone $10.
SELECT r.bucket AS time, r.series_id, s.device, s.metric, s.unit, s.labels::text AS labels,
       r.count, r.min, r.max, r.sum / r.count AS avg, r.sum, r.first, r.last
FROM api.rollup_list_zoned($1::text, $10::text, $2::text, $3::text, $5::timestamptz,
                           $6::timestamptz, $9::int4, $7::timestamptz, $8::int4, $4::text) r
JOIN api.series s ON s.id = r.series_id
ORDER BY r.bucket, r.series_id;
