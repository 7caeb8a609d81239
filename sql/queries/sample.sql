-- Samples of a device: as they came, and in buckets.

-- name: sample_list
-- roles: web read
-- columns: time series_id metric labels value
-- Raw samples of a device in [$3, $4) after the position ($5, $6), by time and series.
SELECT s.time, s.series_id, s.metric, s.labels::text AS labels, s.value
FROM api.sample_list($1::text, $2::text, $3::timestamptz, $4::timestamptz,
                     $5::timestamptz, $6::int4, $7::int4) s
ORDER BY s.time, s.series_id;

-- name: sample_list_units
-- roles: web read
-- columns: time series_id metric labels value unit
-- The same with the series' units.
WITH units AS MATERIALIZED (SELECT u.id, u.unit FROM api.series u WHERE u.device = $1)
SELECT s.time, s.series_id, s.metric, s.labels::text AS labels, s.value, u.unit
FROM api.sample_list($1::text, $2::text, $3::timestamptz, $4::timestamptz,
                     $5::timestamptz, $6::int4, $7::int4) s
JOIN units u ON u.id = s.series_id
ORDER BY s.time, s.series_id;

-- name: sample_span
-- roles: web read
-- columns: first_time last_time
-- Where a device's samples (of metric $2, or all) or what is left of them in buckets begin, and
-- the last one known.
SELECT least((SELECT min(f.time)
              FROM api.sample_list($1::text, $2::text, '-infinity', 'infinity', NULL, NULL, 1) f),
             (SELECT min(r.first_time)
              FROM api.rollup_list('15m', $1::text, $2::text, '-infinity', 'infinity', 1) r),
             (SELECT min(r.first_time)
              FROM api.rollup_list('1d', $1::text, $2::text, '-infinity', 'infinity', 1) r))
           AS first_time,
       (SELECT max(s.last_time)
        FROM api.series s
        WHERE s.device = $1 AND ($2 IS NULL OR s.metric = $2)) AS last_time;

-- name: sample_has_labels
-- roles: web read
-- columns: has_labels
-- Whether any series of the device (of metric $2, or all) carries labels.
SELECT EXISTS (SELECT FROM api.series s
               WHERE s.device = $1::text AND ($2::text IS NULL OR s.metric = $2)
                 AND s.labels <> '{}') AS has_labels;

-- name: sample_bucket_list
-- roles: web read
-- columns: time series_id metric labels count min max avg sum first last unit
-- Buckets of kind $1 of a device that start in [$4, $5), by the site's zone, after the
-- position ($6, $7), by time and series.
SELECT r.bucket AS time, r.series_id, r.metric, s.labels::text AS labels,
       r.count::int8 AS count, r.min, r.max, r.sum / r.count AS avg, r.sum, r.first, r.last,
       s.unit
FROM api.rollup_list($1::text, $2::text, $3::text, $4::timestamptz, $5::timestamptz, $8::int4,
                     $6::timestamptz, $7::int4) r
JOIN api.series s ON s.id = r.series_id
ORDER BY r.bucket, r.series_id;

-- name: sample_bucket_list_zoned
-- roles: web read
-- columns: time series_id metric labels count min max avg sum first last unit
-- The same with buckets of the zone $9.
SELECT r.bucket AS time, r.series_id, r.metric, s.labels::text AS labels, r.count, r.min, r.max,
       r.sum / r.count AS avg, r.sum, r.first, r.last, s.unit
FROM api.rollup_list_zoned($1::text, $9::text, $2::text, $3::text, $4::timestamptz,
                           $5::timestamptz, $8::int4, $6::timestamptz, $7::int4) r
JOIN api.series s ON s.id = r.series_id
ORDER BY r.bucket, r.series_id;
