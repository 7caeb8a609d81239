-- What the pages draw of series: samples, buckets, the last hours of many.

-- name: trace_samples
-- roles: web read
-- columns: time value
-- The first $4 samples of the series $1 in [$2, $3).
SELECT s.time, s.value
FROM api.sample_trace($1::int4, $2::timestamptz, $3::timestamptz, $4::int4) s
ORDER BY s.time;

-- name: trace_buckets
-- roles: web read
-- columns: series_id bucket count sum least most first last last_time
-- The buckets of kind $1 ('1d', '1w', '1mo') of the series $2 that start in [$3, $4).
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
