-- What the pages draw of series: samples, buckets, the last hours of many.

-- name: trace_samples
-- roles: web read
-- columns: time value
-- The samples of the device $1's metric $2 that are of the series $3, in [$4, $5).
SELECT s.time, s.value
FROM api.sample_list($1::text, $2::text, $4::timestamptz, $5::timestamptz, NULL, NULL, $6::int4) s
WHERE s.series_id = $3::int4
ORDER BY s.time;

-- name: trace_buckets
-- roles: web read
-- columns: series_id bucket count sum least most first last last_time
-- The buckets of kind $1 of the series $2 that start in [$3, $4).
SELECT r.series_id, r.bucket, r.count, r.sum, r.min AS least, r.max AS most, r.first, r.last,
       r.last_time
FROM api.rollup_trace($1::text, $2::int4[], $3::timestamptz, $4::timestamptz) r
ORDER BY r.series_id, r.bucket;

-- name: trace_closed
-- roles: web read
-- columns: series_id bucket count sum least most first last last_time
-- Closed buckets of kind $1 ('15m', '1h') of the series $2 that start in [$3, $4).
SELECT r.series_id, r.bucket, r.count, r.sum, r.min AS least, r.max AS most, r.first, r.last,
       r.last_time
FROM api.rollup_closed($1::text, $2::int4[], $3::timestamptz, $4::timestamptz) r
ORDER BY r.series_id, r.bucket;

-- name: trace_open
-- roles: web read
-- columns: series_id bucket count sum least most first last last_time
-- Such buckets that are not closed.
SELECT r.series_id, r.bucket, r.count, r.sum, r.min AS least, r.max AS most, r.first, r.last,
       r.last_time
FROM api.rollup_open($1::text, $2::int4[], $3::timestamptz, $4::timestamptz) r
ORDER BY r.series_id, r.bucket;
