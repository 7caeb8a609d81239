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
-- columns: bucket count sum least most first last last_time
-- The buckets of kind $1 of the series $2 that start in [$3, $4).
SELECT r.bucket, r.count, r.sum, r.min AS least, r.max AS most, r.first, r.last, r.last_time
FROM api.rollup_trace($1::text, ARRAY[$2::int4], $3::timestamptz, $4::timestamptz) r
ORDER BY r.bucket;

-- name: trace_sparks
-- roles: web read
-- columns: series_id bucket sum mean last
-- Hours of the series $1 that start in [$2, $3).
SELECT r.series_id, r.bucket, r.sum, r.sum / r.count AS mean, r.last
FROM api.rollup_trace('1h', $1::int4[], $2::timestamptz, $3::timestamptz) r
ORDER BY r.series_id, r.bucket;
