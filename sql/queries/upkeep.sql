-- What the worker's upkeep runs step by step: retention, the columnstore, aggregates, statistics.
-- Bounds of chunks pass through as text, because they may be infinite.

-- name: job_retention_set
-- roles: worker
-- The installation's days of samples, of hourly and daily rollups, of events.
SELECT ops.retention_set($1::int4, $2::int4, $3::int4, $4::int4);

-- name: job_retention_plan
-- roles: worker
-- columns: relation from_time to_time tenant_id
-- The steps that retention has to take.
SELECT p.relation, p.from_time::text, p.to_time::text, p.tenant_id FROM ops.retention_plan() p;

-- name: job_retention_step
-- roles: worker
-- columns: outcome rows
-- Takes one of them.
SELECT s.outcome, s.n_rows AS rows
FROM ops.retention_step($1::text, $2::text::timestamptz, $3::text::timestamptz, $4::int4) s;

-- name: job_retention_tidy
-- roles: worker
-- columns: removed
-- Removes what is kept in no chunks; counts by what it was.
SELECT ops.retention_tidy()::text AS removed;

-- name: job_chunk_width_adjust
-- roles: worker
-- columns: days
-- Lets the next chunks of samples be as wide as the number of series asks for.
SELECT ops.chunk_width_adjust() AS days;

-- name: job_columnstore_next
-- roles: worker
-- columns: chunk outcome
-- Compresses one chunk but those named; no row: none is due, or somebody reads to keep what comes of it.
SELECT c.chunk, c.outcome FROM ops.columnstore_move($1::text[]) c;

-- name: job_aggregate_list
-- roles: worker
-- columns: aggregate from_time to_time
-- The continuous aggregates, and the range that a refresh may look at.
SELECT a.aggregate, a.from_time::text, a.to_time::text FROM ops.aggregate_list() a;

-- name: job_aggregate_policies
-- roles: worker
-- columns: changed
-- Gives the engine's own refreshes the ranges that retention leaves them.
SELECT ops.aggregate_policies() AS changed;

-- name: job_aggregate_refresh
-- roles: owner
-- Refreshes the continuous aggregate $1 from $2 to $3; not in a transaction.
CALL ops.aggregate_refresh($1::text, $2::text::timestamptz, $3::text::timestamptz);

-- name: job_analyse_next
-- roles: worker
-- columns: relation outcome
-- Analyses the table that changed most but those named; NULL: none changed much.
SELECT a.relation, a.outcome FROM ops.analyse_next($1::text[]) a;

-- name: job_schedule_set
-- roles: worker
-- The jobs there are, and after how many seconds each is due again.
SELECT ops.job_schedule_set($1::text[], $2::int4[]);

-- name: maintenance_since
-- roles: web ingest worker operator
-- columns: since
-- Since when maintenance mode is on; NULL: it is off.
SELECT api.maintenance() AS since;

-- name: maintenance_set
-- roles: operator
-- columns: has_changed
-- Turns maintenance mode on or off.
SELECT ops.maintenance_set($1::bool) AS has_changed;
