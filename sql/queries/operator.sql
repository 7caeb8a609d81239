-- Tenants as operators manage them through the API and on their pages.

-- name: tenant_page
-- roles: operator
-- columns: slug name timezone currency status created_at devices request_rate token_rate max_series rows_per_day rows_today
-- Tenants after the slug $1, and only the one of slug $3 where it is given.
SELECT t.slug, t.name, t.timezone, t.currency, t.status, t.created_at, t.devices,
       l.request_rate, l.token_rate, l.max_series, l.rows_per_day, l.rows_today
FROM ops.tenant_list() t
JOIN ops.tenant_limits() l ON l.slug = t.slug
WHERE ($1::text IS NULL OR t.slug > $1) AND ($3::text IS NULL OR t.slug = $3)
ORDER BY t.slug
LIMIT $2::int4;

-- name: tenant_patch
-- roles: operator
-- Changes name, zone, currency, status of a tenant; NULL leaves as it is.
SELECT FROM ops.tenant_patch($1::text, $2::text, $3::text, $4::text, $5::text);

-- name: tenant_limit
-- roles: operator
-- Sets the limits of a tenant that the object names; null: as the installation's settings say.
SELECT FROM ops.tenant_limit($1::text, $2::text::jsonb);

-- name: usage_list
-- roles: operator
-- columns: slug name status devices series samples_24h samples events_24h events bytes last_ingest
-- What tenants after the slug $1 have and send.
SELECT u.slug, u.name, u.status, u.devices, u.series, u.samples_24h, u.samples, u.events_24h,
       u.events, u.bytes, u.last_ingest
FROM ops.tenant_usage() u
WHERE $1::text IS NULL OR u.slug > $1
ORDER BY u.slug
LIMIT $2::int4;

-- name: storage_list
-- roles: operator
-- columns: relation total_bytes ratio chunks compressed_chunks row_estimate
-- Tables that are kept in pieces by time, the largest first.
SELECT s.relation, s.total_bytes, s.ratio, s.chunks, s.compressed_chunks, s.row_estimate
FROM ops.storage() s
WHERE s.form <> 'table'
ORDER BY s.total_bytes DESC NULLS LAST, s.relation;

-- name: job_health_list
-- roles: operator
-- columns: name last_started last_is_ok last_seconds last_detail failures_24h is_running is_overdue
-- The worker's jobs and their last runs.
SELECT j.name, j.last_started, j.last_is_ok, j.last_seconds, j.last_detail, j.failures_24h,
       j.is_running, j.is_overdue
FROM ops.job_health() j
ORDER BY j.name;

-- name: slow_query_list
-- roles: operator
-- columns: query calls mean_ms total_ms source
-- The $1 statements that cost most time.
SELECT q.query, q.calls, q.mean_ms, q.total_ms, q.source
FROM ops.slow_queries($1::int4) q
ORDER BY q.total_ms DESC, q.query;

-- name: ingest_rate_list
-- roles: operator
-- columns: time samples_per_s
-- Samples stored a second since $1, hour by hour.
SELECT r."time", r.samples_per_s
FROM ops.ingest_rate($1::timestamptz, interval '1 hour') r
ORDER BY r."time";

-- name: database_size
-- roles: operator
-- columns: bytes engine
-- The whole database on disk, and what keeps it.
SELECT pg_database_size(current_database()) AS bytes,
       coalesce((SELECT 'TimescaleDB ' || e.extversion || ' on ' FROM pg_extension e
                 WHERE e.extname = 'timescaledb'), '')
       || 'PostgreSQL ' || current_setting('server_version') AS engine;
