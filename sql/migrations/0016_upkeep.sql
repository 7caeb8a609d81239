-- Upkeep: what is kept how long, for whom; the columnstore; statistics of the planner;
-- aggregates of what belongs to the installation or is counted; maintenance mode. Each step is
-- one chunk (partition) in a transaction of its own, and waits for nobody longer than two
-- seconds: whoever calls goes on from step to step.

-- engine: event_policy

-- ---- what is kept how long ----

ALTER TABLE core.tenant
    ADD COLUMN hourly_days int CHECK (hourly_days > 0),
    ADD COLUMN daily_days int CHECK (daily_days > 0),
    ADD COLUMN event_days int CHECK (event_days > 0);

-- Days that the installation keeps things; a tenant may have its own but for the last two. The
-- worker writes here what its settings say.
CREATE TABLE core.retention (
    class text PRIMARY KEY
        CHECK (class IN ('raw', 'hourly', 'daily', 'event', 'energy', 'metric')),
    days  int NOT NULL CHECK (days > 0)
);
INSERT INTO core.retention VALUES ('raw', 90), ('hourly', 365), ('daily', 1825), ('event', 90),
    ('energy', 2557), ('metric', 30);
GRANT SELECT ON core.retention TO tidemark_door;

-- The tables that are partitioned by time. columnstore_after: age of a chunk's end at which it is
-- compressed, by segment_by and in the order of time, where the engine can. floor: what
-- core.floor_raise calls the table where others are derived from it.
CREATE TABLE core.kept (
    relation          regclass PRIMARY KEY,
    class             text NOT NULL REFERENCES core.retention,
    time_column       name NOT NULL,
    has_tenant        boolean NOT NULL,
    columnstore_after interval NOT NULL,
    segment_by        text NOT NULL,
    floor             text
);
INSERT INTO core.kept VALUES
    ('core.sample', 'raw', 'time', true, '7 days', 'tenant_id, series_id', 'raw'),
    ('core.rollup_15m', 'hourly', 'bucket', true, '14 days', 'tenant_id, series_id', 'fine'),
    ('core.rollup_1h', 'hourly', 'bucket', true, '14 days', 'tenant_id, series_id', NULL),
    ('core.rollup_1d', 'daily', 'bucket', true, '30 days', 'tenant_id, series_id', 'day'),
    ('core.rollup_1w', 'daily', 'bucket', true, '30 days', 'tenant_id, series_id', NULL),
    ('core.rollup_1mo', 'daily', 'bucket', true, '30 days', 'tenant_id, series_id', NULL),
    ('core.energy_15m', 'energy', 'bucket', true, '30 days', 'tenant_id, series_id', NULL),
    ('core.energy_1d', 'energy', 'bucket', true, '30 days', 'tenant_id, series_id', NULL),
    ('core.event', 'event', 'time', true, '3 days', 'tenant_id', NULL),
    ('ops.system_metric', 'metric', 'time', false, '7 days', 'name', NULL);

SET LOCAL ROLE tidemark_door;

-- Until when each tenant's things of a class are past keeping.
CREATE FUNCTION core.tenant_horizons(class text)
RETURNS TABLE (tenant_id int, horizon timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.id, now() - make_interval(days => coalesce(
               CASE r.class WHEN 'raw' THEN t.raw_days WHEN 'hourly' THEN t.hourly_days
                            WHEN 'daily' THEN t.daily_days WHEN 'event' THEN t.event_days END,
               r.days))
    FROM core.tenant t, core.retention r
    WHERE r.class = tenant_horizons.class;
END
$$;

-- Until when everybody's things of a class are past keeping.
CREATE FUNCTION core.horizon_last(class text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT min(h.horizon) FROM core.tenant_horizons(horizon_last.class) h),
                    (SELECT now() - make_interval(days => r.days) FROM core.retention r
                     WHERE r.class = horizon_last.class));
END
$$;

-- How many series had a sample during the last week.
CREATE FUNCTION core.series_reporting() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT count(*) FROM core.series_last l WHERE l.time > now() - interval '7 days');
END
$$;

GRANT EXECUTE ON FUNCTION core.tenant_horizons(text), core.horizon_last(text),
    core.series_reporting() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

-- engine: upkeep

-- engine: retention

-- ---- aggregates ----
-- Of what is written in order and counted, or belongs to the installation: events by type and
-- system metrics, in hours and days of UTC. Rollups of samples are tables of our own (0014). Job
-- statistics are ordinary views on both engines: job runs are a small table that rows are updated
-- and deleted in, no hypertable.

-- Those that a refresh has to look after: what their source is kept by, and what they are kept by
-- themselves, where the engine stores them, for not less long.
CREATE TABLE core.aggregate (
    aggregate regclass PRIMARY KEY,
    class     text NOT NULL REFERENCES core.retention,
    own_class text NOT NULL REFERENCES core.retention,
    width     interval NOT NULL
);

-- engine: aggregates

INSERT INTO core.aggregate VALUES
    ('core.event_count_1h', 'event', 'hourly', '1 hour'),
    ('core.event_count_1d', 'event', 'daily', '1 day'),
    ('ops.system_metric_1h', 'metric', 'hourly', '1 hour'),
    ('ops.system_metric_1d', 'metric', 'daily', '1 day');
SELECT ops.aggregate_policies();

-- Runs of each job by hour and day of UTC: how many, how many failed, how long they took.
CREATE VIEW ops.job_stat_1h AS
SELECT r.name, date_trunc('hour', r.started_at, 'UTC') AS bucket, count(*) AS runs,
       count(*) FILTER (WHERE NOT r.is_ok) AS failures,
       avg(extract(epoch FROM r.finished_at - r.started_at))::float8 AS avg_s,
       max(extract(epoch FROM r.finished_at - r.started_at))::float8 AS max_s
FROM ops.job_run r
GROUP BY 1, 2;
CREATE VIEW ops.job_stat_1d AS
SELECT r.name, date_trunc('day', r.started_at, 'UTC') AS bucket, count(*) AS runs,
       count(*) FILTER (WHERE NOT r.is_ok) AS failures,
       avg(extract(epoch FROM r.finished_at - r.started_at))::float8 AS avg_s,
       max(extract(epoch FROM r.finished_at - r.started_at))::float8 AS max_s
FROM ops.job_run r
GROUP BY 1, 2;

GRANT EXECUTE ON FUNCTION ops.retention_set(int, int, int, int), ops.retention_plan(),
    ops.retention_step(text, timestamptz, timestamptz, int), ops.retention_tidy(),
    ops.job_schedule_set(text[], int[]), ops.columnstore_next(text[]), ops.chunk_width_adjust(),
    ops.aggregate_list(), ops.aggregate_policies() TO tidemark_worker;

-- ---- what readers see ----

-- From when on the transaction's tenant sees its samples ('raw'), events ('event') or buckets of a
-- grain: where it has retention of its own, what is past that is hidden at once, and deleted when
-- its chunk's time has come.
CREATE OR REPLACE FUNCTION core.visible_from(grain text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(
        (SELECT now() - make_interval(days => CASE
                    WHEN grain = 'raw' THEN t.raw_days
                    WHEN grain = 'event' THEN t.event_days
                    WHEN grain IN ('15m', '1h') THEN t.hourly_days
                    WHEN grain IN ('1d', '1w', '1mo') THEN t.daily_days END)
         FROM core.tenant t WHERE t.id = core.tenant()), '-infinity');
END
$$;

-- The lists of 0009, as far as the tenant keeps what they list.

-- A device's samples with from_time <= time < to_time, ascending by (time, series_id), after the
-- cursor (after_time, after_series) where one is given. Each series is read in index order and
-- no further than row_limit.
CREATE OR REPLACE FUNCTION api.sample_list(of_device text, of_metric text, from_time timestamptz,
                                to_time timestamptz, after_time timestamptz, after_series int,
                                row_limit int)
RETURNS TABLE ("time" timestamptz, series_id int, metric text, labels jsonb, value float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    start CONSTANT timestamptz := greatest(from_time, after_time, core.visible_from('raw'));
BEGIN
    RETURN QUERY
    SELECT x.time, s.id, s.metric, s.labels, x.value
    FROM core.device d
    JOIN core.series s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
    CROSS JOIN LATERAL (
        SELECT p.time, p.value
        FROM core.sample p
        WHERE p.tenant_id = owner AND p.series_id = s.id
          AND p.time >= start AND p.time < sample_list.to_time
          AND (after_time IS NULL OR p.time > after_time OR s.id > after_series)
        ORDER BY p.time
        LIMIT row_limit) x
    WHERE d.tenant_id = owner AND d.key = of_device
      AND (of_metric IS NULL OR s.metric = of_metric)
    ORDER BY x.time, s.id
    LIMIT row_limit;
END
$$;

-- Events with from_time <= time < to_time, newest first by (time, key), before the cursor where
-- one is given. data_filter: the event's data contains it.
CREATE OR REPLACE FUNCTION api.event_list(of_type text, of_device text, from_time timestamptz,
                               to_time timestamptz, before_time timestamptz, before_key uuid,
                               data_filter jsonb, row_limit int)
RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id uuid, site text,
               data jsonb, key uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    start CONSTANT timestamptz := greatest(from_time, core.visible_from('event'));
    stop  CONSTANT timestamptz := least(to_time, before_time + interval '1 microsecond');
    only_device CONSTANT int := (SELECT d.id FROM core.device d
                                 WHERE d.tenant_id = owner AND d.key = of_device);
BEGIN
    IF of_device IS NOT NULL AND only_device IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT e.time, e.type, d.key, e.seq, e.id, s.key, e.data, e.key
    FROM (SELECT e.*
          FROM core.event e
          WHERE e.tenant_id = owner AND e.time >= start AND e.time < stop
            AND (of_type IS NULL OR e.type = of_type)
            AND (only_device IS NULL OR e.device_id = only_device)
            AND (before_time IS NULL OR (e.time, e.key) < (before_time, before_key))
            AND (data_filter IS NULL OR e.data @> data_filter)
          ORDER BY e.time DESC, e.key DESC
          LIMIT row_limit) e
    JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id
    LEFT JOIN core.site s ON s.tenant_id = owner AND s.id = e.site_id
    ORDER BY e.time DESC, e.key DESC;
END
$$;

-- Events of the tenant by device, type and hour or day of UTC.
CREATE VIEW api.event_count_1h WITH (security_barrier) AS
SELECT d.key AS device, c.device_id, c.type, c.bucket, c.count
FROM core.event_count_1h c
JOIN core.device d ON d.tenant_id = c.tenant_id AND d.id = c.device_id
WHERE c.tenant_id = (SELECT core.tenant()) AND c.bucket >= (SELECT core.visible_from('event'));
CREATE VIEW api.event_count_1d WITH (security_barrier) AS
SELECT d.key AS device, c.device_id, c.type, c.bucket, c.count
FROM core.event_count_1d c
JOIN core.device d ON d.tenant_id = c.tenant_id AND d.id = c.device_id
WHERE c.tenant_id = (SELECT core.tenant()) AND c.bucket >= (SELECT core.visible_from('event'));
GRANT SELECT ON api.event_count_1h, api.event_count_1d TO tidemark_web, tidemark_read;

-- ---- statistics of the planner ----

-- How many rows a table with children had when it was last analysed: nobody counts for them.
CREATE TABLE ops.analysed (
    relation regclass PRIMARY KEY,
    n_rows   bigint NOT NULL,
    at       timestamptz NOT NULL
);

-- Analyses the table that changed most since it was analysed, where that is much: autovacuum may
-- be late or off, and never looks at a table with partitions. NULL: none. `skip`: tables that were
-- in use. Compressed chunks keep the statistics that they had.
CREATE FUNCTION ops.analyse_next(skip text[], OUT relation text, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    chosen record;
BEGIN
    WITH chunks AS MATERIALIZED (
        SELECT k.relation, l.chunk, l.is_compressed
        FROM core.kept k CROSS JOIN LATERAL core.chunk_list(k.relation) l
    ), leaves AS (
        SELECT s.relid::regclass AS relation, s.n_mod_since_analyze AS n_changed, s.n_live_tup
        FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid
        WHERE c.relkind = 'r' AND c.relowner = current_user::regrole
          AND s.n_mod_since_analyze > CASE
                  WHEN s.last_analyze IS NULL AND s.last_autoanalyze IS NULL THEN 100
                  ELSE 1000 + s.n_live_tup / 10 END
          AND s.relid NOT IN (SELECT l.chunk FROM chunks l WHERE l.is_compressed)
          AND s.relid NOT IN (SELECT k.relation FROM core.kept k)
    ), parents AS (
        SELECT k.relation, abs(sum(greatest(c.reltuples, 0)) - coalesce(min(a.n_rows), 0)) AS n_changed,
               sum(greatest(c.reltuples, 0))::bigint AS n_rows
        FROM chunks k JOIN pg_class c ON c.oid = k.chunk
        LEFT JOIN ops.analysed a ON a.relation = k.relation
        GROUP BY k.relation
        HAVING count(*) <= 200    -- its chunks are read along with it
           AND coalesce(min(a.at), '-infinity') < now() - interval '6 hours'
           AND abs(sum(greatest(c.reltuples, 0)) - coalesce(min(a.n_rows), 0))
               > 100 + coalesce(min(a.n_rows), 0) / 5
    )
    SELECT x.* INTO chosen
    FROM (SELECT l.relation, l.n_changed, NULL::bigint AS n_rows FROM leaves l
          UNION ALL
          SELECT p.relation, p.n_changed, p.n_rows FROM parents p) x
    WHERE x.relation::text <> ALL (skip)
    ORDER BY x.n_rows IS NOT NULL, x.n_changed DESC
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    relation := chosen.relation::text;
    outcome := 'analysed';
    BEGIN
        EXECUTE format('ANALYZE %s', chosen.relation);
        IF chosen.n_rows IS NOT NULL THEN
            INSERT INTO ops.analysed VALUES (chosen.relation, chosen.n_rows, now())
            ON CONFLICT ON CONSTRAINT analysed_pkey
            DO UPDATE SET n_rows = excluded.n_rows, at = excluded.at;
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        outcome := 'busy';
    END;
END
$$;

GRANT EXECUTE ON FUNCTION ops.analyse_next(text[]) TO tidemark_worker;

-- ---- maintenance mode ----

-- While it is on, ingest, the API and pages answer 503; operators still get in.
CREATE TABLE ops.maintenance (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    since   timestamptz
);
INSERT INTO ops.maintenance VALUES (true, NULL);
GRANT SELECT, UPDATE ON ops.maintenance TO tidemark_door;

-- Since when maintenance mode is on; NULL: it is off.
CREATE FUNCTION api.maintenance() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT m.since FROM ops.maintenance m);
END
$$;
GRANT EXECUTE ON FUNCTION api.maintenance() TO tidemark_web, tidemark_ingest, tidemark_worker,
    tidemark_operator;

SET LOCAL ROLE tidemark_door;

-- Turns it on or off; false: it was so already.
CREATE FUNCTION ops.maintenance_set(is_on boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE ops.maintenance m SET since = CASE WHEN is_on THEN now() END
    WHERE (m.since IS NOT NULL) <> is_on;
    IF FOUND THEN
        PERFORM core.audit_add(NULL, 'maintenance.' || CASE WHEN is_on THEN 'on' ELSE 'off' END, '');
    END IF;
    RETURN FOUND;
END
$$;
GRANT EXECUTE ON FUNCTION ops.maintenance_set(boolean) TO tidemark_operator;

SET LOCAL ROLE tidemark_owner;

-- engine: watch
