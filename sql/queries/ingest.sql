-- What ingest runs: registering what a request names, and writing whole batches.

-- name: ingest_devices
-- roles: ingest
-- columns: device_id site_id is_retired
-- The devices of the keys $1 in their order, registered where $2 says so; NULL: unknown.
SELECT d.device_id, d.site_id, d.is_retired
FROM api.ingest_devices($1::text[], $2::boolean) d
ORDER BY d.ord;

-- name: ingest_sites
-- roles: ingest
-- columns: site_id
-- The sites of the keys $1 in their order, registered where $2 says so; NULL: unknown.
SELECT s.site_id
FROM api.ingest_sites($1::text[], $2::boolean) s
ORDER BY s.ord;

-- name: ingest_place
-- roles: ingest
-- Puts the devices $1 that are nowhere yet to the sites $2 that their events name.
SELECT api.ingest_place($1::int4[], $2::int4[]);

-- name: ingest_series
-- roles: ingest
-- columns: series_id last_time is_full
-- The series of (device, metric, labels) in their order, registered where $4 says so and the tenant
-- has fewer than $6 (0: any number), with the newest sample's time; NULL: none yet. Of new ones $5
-- are the kinds that senders told, $7 units, $8 roles; '': none.
SELECT s.series_id, s.last_time, s.is_full
FROM api.ingest_series($1::int4[], $2::text[], $3::text[], $4::boolean, $5::text[], $6::int4,
                       $7::text[], $8::text[]) s
ORDER BY s.ord;

-- name: ingest_name_changes
-- roles: ingest
-- columns: kind tenant_id key next
-- Devices and sites by their keys, tokens by their hashes in hexadecimal, and tenants that changed
-- since $1 (NULL: from now on), $2 at most, and what to ask with next time; without a kind where
-- there are none.
SELECT c.kind, c.tenant_id, c.key, c.next FROM api.name_changes($1::text, $2::int4) c;

-- name: ingest_day_add
-- roles: ingest
-- columns: tenant_id rows_today ends_at
-- Adds rows to what tenants stored today; what that makes, and when their day ends.
SELECT d.tenant_id, d.rows_today, d.ends_at FROM api.ingest_day_add($1::int4[], $2::int8[]) d;

-- name: ingest_adapters
-- roles: ingest
-- columns: version key is_enabled config
-- The tenant's configuration of formats; at least one row, key NULL where there is none.
SELECT a.version, a.key, a.is_enabled, a.config FROM api.ingest_adapters() a;

-- name: ingest_latest
-- roles: ingest
-- columns: metric last_time
-- The metrics of the device $1 that have a reading, and when the newest one was.
SELECT l.metric, l.last_time FROM api.ingest_latest($1::text) l;

-- name: ingest_insert
-- roles: ingest
-- The fast lane for small batches of now: samples that are newer than anything of their series, the
-- oldest of $5. Fails with TM001 where rollups have closed that time, with 23503 where a series was erased.
INSERT INTO core.sample (tenant_id, series_id, time, value)
SELECT * FROM unnest($1::int4[], $2::int4[], $3::timestamptz[], $4::float8[])
WHERE (SELECT api.ingest_open($5::timestamptz, $1, $2));

-- name: ingest_insert_old
-- roles: ingest
-- Likewise of any time. Those older than $5, or of a time that rollups have closed, are noted as changed, by day.
WITH stored AS (
    INSERT INTO core.sample (tenant_id, series_id, time, value)
    SELECT * FROM unnest($1::int4[], $2::int4[], $3::timestamptz[], $4::float8[])
), guard AS MATERIALIZED (
    SELECT greatest(api.ingest_begin($1, $2), $5::timestamptz) AS open_from
), old AS (
    SELECT o.tenant_id, o.series_id, min(o.time) AS from_time, max(o.time) AS to_time
    FROM unnest($1::int4[], $2::int4[], $3::timestamptz[]) AS o (tenant_id, series_id, time)
    WHERE o.time < (SELECT g.open_from FROM guard g)
    GROUP BY o.tenant_id, o.series_id, date_bin('1 day', o.time, timestamptz 'epoch')
)
SELECT api.change_log(array_agg(c.tenant_id), array_agg(c.series_id), array_agg(c.from_time),
                      array_agg(c.to_time))
FROM old c
HAVING count(*) > 0;

-- name: ingest_begin
-- roles: ingest
-- columns: closing_until
-- Samples older than this have to be noted as changed; no more is closed before the transaction
-- ends, nor is one of the series erased. Fails with 23503 where one was.
SELECT api.ingest_begin($1::int4[], $2::int4[]) AS closing_until;

-- name: ingest_patience
-- roles: ingest
-- columns: lock_timeout
-- Locks are waited for so many milliseconds in this transaction.
SELECT set_config('lock_timeout', $1::text, true) AS lock_timeout;

-- name: ingest_copy
-- roles: ingest
-- The fast lane for large batches.
COPY core.sample (tenant_id, series_id, time, value) FROM STDIN (FORMAT binary);

-- name: ingest_samples
-- roles: ingest
-- columns: outcome
-- The late lane: samples that may be there already. 0: the same is there, 1: new, 2: replaced.
-- All that it stores is noted as changed.
SELECT s.outcome
FROM api.ingest_samples($1::int4[], $2::int4[], $3::timestamptz[], $4::float8[],
                        array_fill(true, ARRAY[coalesce(cardinality($1), 0)])) s
ORDER BY s.ord;

-- name: ingest_samples_try
-- roles: ingest
-- columns: outcome
-- What ingest_samples would answer of samples of the tenant, each by itself; nothing is stored.
SELECT s.outcome
FROM api.ingest_samples_try($1::int4[], $2::timestamptz[], $3::float8[]) s
ORDER BY s.ord;

-- name: ingest_events_try
-- roles: ingest
-- columns: is_new
-- What ingest_events would answer of events of the tenant; nothing is stored.
SELECT e.is_new
FROM api.ingest_events_try($1::int4[], $2::timestamptz[], $3::text[], $4::text[]) e
ORDER BY e.ord;

-- name: ingest_events
-- roles: ingest
-- columns: is_new
-- Events that no kept day has seen are stored; site 0, seq -1, NULL id and data stand for none.
SELECT e.is_new
FROM api.ingest_events($1::int4[], $2::int4[], $3::int4[], $4::timestamptz[], $5::text[],
                       $6::int8[], $7::text[], $8::text[], $9::text[]) e
ORDER BY e.ord;

-- name: ingest_change_log
-- roles: ingest
-- Notes that samples of the series changed between the times, both inclusive.
SELECT api.change_log($1::int4[], $2::int4[], $3::timestamptz[], $4::timestamptz[]);

-- name: ingest_partitions_ensure
-- roles: ingest
-- columns: made
-- Makes the partitions of the samples and events between the times; how many were missing.
SELECT api.partitions_ensure($1::timestamptz, $2::timestamptz) AS made;

-- name: ingest_series_last
-- roles: ingest
-- The newest sample of each series.
SELECT api.series_last_flush($1::int4[], $2::int4[], $3::timestamptz[], $4::float8[]);

-- name: ingest_device_seen
-- roles: ingest
-- When each device was last heard of.
SELECT api.device_seen_flush($1::int4[], $2::timestamptz[]);

-- name: ingest_write_begin
-- roles: ingest
-- columns: is_new
-- Whether the write $2 of the ledger of the process $1 is still to be made.
SELECT api.ingest_write_begin($1::text, $2::int8) AS is_new;

-- name: ingest_hours_add
-- roles: ingest
-- Adds to tenants' hours: received, accepted, duplicates, updated, rejected, replayed, dropped,
-- refused.
SELECT api.ingest_hours_add($1::int4[], $2::timestamptz[], $3::int8[], $4::int8[], $5::int8[],
                            $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[]);

-- name: ingest_reject_add
-- roles: ingest
-- Keeps what was rejected.
SELECT api.reject_add($1::int4[], $2::timestamptz[], $3::text[], $4::int8[], $5::int4[], $6::int4[],
                      $7::text[], $8::text[], $9::int4[], $10::text[], $11::text[], $12::text[],
                      $13::text[], $14::text[], $15::bytea[], $16::int4[]);

-- name: ingest_reject_claim
-- roles: ingest
-- columns: tenant_id id time request_id token_id device_id device_key is_backfill item method target content_type text is_item auto_register timezone raw_days max_series adapters_version
-- Takes at most $1 rejections that are to be replayed.
SELECT c.tenant_id, c.id, c.time, c.request_id, c.token_id, c.device_id, c.device_key,
       c.is_backfill, c.item, c.method, c.target, c.content_type, c.text, c.is_item,
       c.auto_register, c.timezone, c.raw_days, c.max_series, c.adapters_version
FROM api.reject_claim($1::int4) c;

-- name: ingest_reject_settle
-- roles: ingest
-- Says what became of them.
SELECT api.reject_settle($1::int4[], $2::int8[], $3::text[], $4::text[], $5::text[]);

-- name: ingest_tenant
-- roles: operator
-- columns: id status
-- The tenant of a slug, for `tidemark import`.
SELECT t.id, t.status FROM ops.tenant_list() t WHERE t.slug = $1::text;
