-- Continuous aggregates of what is written in order. What is not materialised yet is computed
-- when it is read; nothing newer than end_offset is, so that a row of the future hides no others.

CREATE MATERIALIZED VIEW core.event_count_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false,
      timescaledb.create_group_indexes = false) AS
SELECT e.tenant_id, e.device_id, e.type, public.time_bucket('1 hour', e.time) AS bucket,
       count(*) AS count
FROM core.event e
GROUP BY 1, 2, 3, 4
WITH NO DATA;
CREATE INDEX ON core.event_count_1h (tenant_id, bucket);

CREATE MATERIALIZED VIEW core.event_count_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = false,
      timescaledb.create_group_indexes = false) AS
SELECT h.tenant_id, h.device_id, h.type, public.time_bucket('1 day', h.bucket) AS bucket,
       sum(h.count)::bigint AS count
FROM core.event_count_1h h
GROUP BY 1, 2, 3, 4
WITH NO DATA;
CREATE INDEX ON core.event_count_1d (tenant_id, bucket);

CREATE MATERIALIZED VIEW ops.system_metric_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false,
      timescaledb.create_group_indexes = false) AS
SELECT m.name, public.time_bucket('1 hour', m.time) AS bucket, count(*) AS count,
       avg(m.value) AS avg, min(m.value) AS min, max(m.value) AS max,
       public.last(m.value, m.time) AS last
FROM ops.system_metric m
GROUP BY 1, 2
WITH NO DATA;
CREATE INDEX ON ops.system_metric_1h (name, bucket);

CREATE MATERIALIZED VIEW ops.system_metric_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = false,
      timescaledb.create_group_indexes = false) AS
SELECT m.name, public.time_bucket('1 day', m.time) AS bucket, count(*) AS count,
       avg(m.value) AS avg, min(m.value) AS min, max(m.value) AS max,
       public.last(m.value, m.time) AS last
FROM ops.system_metric m
GROUP BY 1, 2
WITH NO DATA;
CREATE INDEX ON ops.system_metric_1d (name, bucket);

-- The hypertable behind a continuous aggregate.
CREATE FUNCTION core.aggregate_store(aggregate regclass) RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%I.%I', a.materialization_hypertable_schema,
                  a.materialization_hypertable_name)::regclass
    FROM timescaledb_information.continuous_aggregates a
    WHERE format('%I.%I', a.view_schema, a.view_name)::regclass = aggregate
$$;

-- The aggregates with the range that a refresh may look at: not below what is kept of their
-- source whoever's it is (a refresh of what was dropped would empty them), not the bucket that
-- is open. Both are whole buckets.
CREATE FUNCTION ops.aggregate_list()
RETURNS TABLE (aggregate text, from_time timestamptz, to_time timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT a.aggregate::text, date_bin(a.width, core.horizon_last(a.class) + a.width, o.origin),
           date_bin(a.width, now() - a.width, o.origin)
    FROM core.aggregate a, (SELECT timestamptz '2000-01-01 00:00:00+00' AS origin) o
    ORDER BY a.width, a.aggregate::text
$$;

-- Gives the engine's own refresh jobs the ranges that retention leaves them; how many changed.
-- They work where background jobs do; the worker and `tidemark maintenance run` refresh as well.
CREATE FUNCTION ops.aggregate_policies() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part    record;
    changed int := 0;
BEGIN
    FOR part IN
        SELECT a.aggregate, a.width,
               make_interval(days => floor(extract(epoch FROM now() - core.horizon_last(a.class))
                                           / 86400)::int) - a.width AS start,
               (SELECT (j.config->>'start_offset')::interval FROM timescaledb_information.jobs j
                WHERE j.proc_name = 'policy_refresh_continuous_aggregate'
                  AND format('%I.%I', j.hypertable_schema, j.hypertable_name)::regclass
                      IN (a.aggregate, core.aggregate_store(a.aggregate))) AS found
        FROM core.aggregate a
    LOOP
        CONTINUE WHEN part.found = greatest(part.start, 3 * part.width);
        PERFORM public.remove_continuous_aggregate_policy(part.aggregate, if_exists => true);
        PERFORM public.add_continuous_aggregate_policy(
            part.aggregate, start_offset => greatest(part.start, 3 * part.width),
            end_offset => part.width, schedule_interval => part.width / 2);
        changed := changed + 1;
    END LOOP;
    RETURN changed;
END
$$;

-- Brings an aggregate up to date in the range. Commits on its way: for the owner's connection, not
-- in a transaction. The name is spelled out by ops.aggregate_list.
CREATE PROCEDURE ops.aggregate_refresh(aggregate text, from_time timestamptz, to_time timestamptz)
LANGUAGE plpgsql
AS $$
BEGIN
    CALL public.refresh_continuous_aggregate(aggregate::regclass, from_time, to_time);
END
$$;
