-- What the worker's jobs run.

-- name: job_begin
-- roles: worker
-- columns: id
-- Records the start of the job $1; NULL when another worker is running it.
SELECT ops.job_begin($1::text) AS id;

-- name: job_join
-- roles: worker
-- columns: id
-- Records the start of the job $1, which other workers may be running.
SELECT ops.job_join($1::text) AS id;

-- name: job_recent
-- roles: worker
-- columns: name ago_s
-- How long ago jobs began that went well: of each the last.
SELECT r.name, r.ago_s FROM ops.job_recent() r;

-- name: job_end
-- roles: worker
-- Records how the run $1 ended.
SELECT ops.job_end($1::int8, $2::bool, $3::text);

-- name: job_past
-- roles: worker
-- columns: good_at n_failed failed_at
-- When the last run of the job $1 began that went well and did something, how many failed since, and when
-- the last of these ended; NULLs: none is remembered.
SELECT p.good_at, p.n_failed, p.failed_at FROM ops.job_past($1::text) p;

-- name: job_partitions_ahead
-- roles: worker
-- columns: made
-- Makes the partitions of the coming days; how many were missing.
SELECT ops.partitions_ahead() AS made;

-- name: job_series_last_repair
-- roles: worker
-- columns: repaired
-- Brings series_last up to the samples; how many series were behind.
SELECT ops.series_last_repair() AS repaired;

-- name: job_session_prune
-- roles: worker
-- columns: removed
-- Removes sessions that ended; how many.
SELECT ops.session_prune() AS removed;

-- name: job_reject_prune
-- roles: worker
-- columns: rejects hours
-- Removes old rejections and old accounts of hours; how many.
SELECT p.rejects, p.hours FROM ops.reject_prune() p;

-- name: job_residue_erase
-- roles: worker
-- columns: erased
-- Erases rows that were committed after their tenant was erased; how many.
SELECT ops.residue_erase() AS erased;

-- name: job_orphan_check
-- roles: worker
-- columns: orphans
-- Counts series that have samples under a tenant that is not theirs.
SELECT ops.orphan_check() AS orphans;

-- name: job_system_metric_add
-- roles: worker
-- Records measurements of the installation under their names, now.
SELECT ops.system_metric_add($1::text[], $2::float8[]);

-- name: job_database_stats
-- roles: worker
-- columns: size_bytes connections rows_written commits samples events
-- The database's size, connections, and counters since its statistics began.
SELECT pg_database_size(current_database()) AS size_bytes, d.numbackends AS connections,
       d.tup_inserted AS rows_written, d.xact_commit AS commits, r.samples, r.events
FROM pg_stat_database d, ops.rows_stored() r
WHERE d.datname = current_database();

-- name: job_rollups_due
-- roles: worker
-- columns: is_due
-- Whether quarter hours are to be closed, or changes to be followed.
SELECT ops.rollup_is_due() AS is_due;

-- name: job_rollups_begin
-- roles: worker
-- columns: closing_until
-- Begins to close quarter hours; until when.
SELECT ops.rollup_close_begin() AS closing_until;

-- name: job_rollups_finish
-- roles: worker
-- columns: rows_written
-- Derives what is being closed; how many rows of rollups.
SELECT ops.rollup_close_finish() AS rows_written;

-- name: job_rollups_follow
-- roles: worker
-- columns: changes rows_written is_done
-- Derives again what changed, at most about $1 quarter hours: changes read, rows written, and
-- whether nothing is left.
SELECT f.changes, f.rows_written, f.is_done
FROM ops.rollup_follow($1::int4) f;
