-- ---- closing: what time has passed by ----
-- In two transactions. The first raises closing_until while nobody is writing samples, so that
-- whoever writes afterwards knows; the second derives what was written before.

SET LOCAL ROLE tidemark_owner;

-- For every transaction that stores samples without noting them all in core.change: until it
-- ends no quarter hour is closed. Samples older than the time returned have to be noted in the
-- same transaction. May be called before or after they are stored.
CREATE FUNCTION api.ingest_guard() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('tidemark.ingest', 0));
    RETURN (SELECT s.closing_until FROM core.rollup_state s);
END
$$;
GRANT EXECUTE ON FUNCTION api.ingest_guard() TO tidemark_ingest, tidemark_door;
GRANT EXECUTE ON FUNCTION core.local_start(text, timestamptz, text) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- The careful lane: stores samples that may be there already. The arrays are parallel, sorted by
-- (tenant, series, time) and without repeats; ord counts from 1; outcome 0: the same value was
-- there, 1: inserted, 2: another value was there and is replaced. What replaced a value or is
-- `logged` (late), or is of a quarter hour that is closed, is noted in core.change, neighbours
-- within an hour as one range.
-- Samples that are the same never reach the INSERT: on compressed chunks it would unpack them.
CREATE OR REPLACE FUNCTION api.ingest_samples(tenant_ids int[], series_ids int[], times timestamptz[],
                                   vals float8[], logged boolean[])
RETURNS TABLE (ord int, outcome int)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    closing CONSTANT timestamptz := api.ingest_guard();
BEGIN
    PERFORM core.series_check(tenant_ids, series_ids);
    RETURN QUERY
    WITH judged AS MATERIALIZED (
        SELECT i.*, CASE WHEN old.value IS NULL THEN 1
                         WHEN old.value = i.value THEN 0 ELSE 2 END AS outcome
        FROM unnest(tenant_ids, series_ids, times, vals, logged) WITH ORDINALITY
             AS i (tenant_id, series_id, time, value, is_logged, ord)
        LEFT JOIN LATERAL (
            SELECT x.value FROM core.sample x
            WHERE x.tenant_id = i.tenant_id AND x.series_id = i.series_id AND x.time = i.time
            LIMIT 1) old ON true
    ), written AS (
        INSERT INTO core.sample AS s (tenant_id, series_id, time, value)
        SELECT j.tenant_id, j.series_id, j.time, j.value
        FROM judged j WHERE j.outcome <> 0 ORDER BY j.ord
        ON CONFLICT (tenant_id, series_id, time) DO UPDATE SET value = excluded.value
        WHERE s.value IS DISTINCT FROM excluded.value
    ), dirty AS (
        SELECT j.tenant_id, j.series_id, j.time,
               j.time - lag(j.time) OVER w > interval '1 hour' AS is_apart
        FROM judged j
        WHERE j.outcome = 2 OR (j.outcome = 1 AND (j.is_logged OR j.time < closing))
        WINDOW w AS (PARTITION BY j.tenant_id, j.series_id ORDER BY j.time)
    ), islands AS (
        SELECT d.*, count(*) FILTER (WHERE d.is_apart)
                        OVER (PARTITION BY d.tenant_id, d.series_id ORDER BY d.time) AS island
        FROM dirty d
    ), noted AS (
        INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
        SELECT n.tenant_id, n.series_id, min(n.time), max(n.time)
        FROM islands n
        GROUP BY n.tenant_id, n.series_id, n.island
    )
    SELECT j.ord::int, j.outcome FROM judged j ORDER BY j.ord;
END
$$;

-- Begins to close the quarter hours that ended five minutes ago, six hours of them at most;
-- returns until when it is to be closed. Waits half a second for who writes samples, for they
-- wait behind it; after that the next pass tries.
CREATE FUNCTION ops.rollup_close_begin() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
    state core.rollup_state;
    until timestamptz;
BEGIN
    SELECT s.* INTO state FROM core.rollup_state s;
    until := least(date_bin('15 minutes', clock_timestamp() - interval '5 minutes',
                            timestamptz '2000-01-01 00:00:00+00'),
                   state.closing_until + interval '6 hours');
    IF state.closed_until < state.closing_until OR until <= state.closing_until THEN
        RETURN state.closing_until;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.ingest', 0));
    UPDATE core.rollup_state s SET closing_until = until WHERE s.closing_until < until;
    RETURN until;
EXCEPTION WHEN lock_not_available THEN
    RETURN state.closing_until;
END
$$;

-- Derives what is being closed, of all series, and the hours, days, weeks and months that ended
-- with it; how many rows.
CREATE FUNCTION ops.rollup_close_finish() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    state   core.rollup_state;
    n_rows  bigint;
    tenants int[];
    series  int[];
    grain   text;
BEGIN
    PERFORM core.rollup_lock();
    SELECT s.* INTO state FROM core.rollup_state s;
    IF state.closed_until = state.closing_until THEN
        RETURN 0;
    END IF;
    PERFORM core.partitions_ensure_of(
        ARRAY['core.rollup_15m', 'core.rollup_1h', 'core.rollup_1d', 'core.rollup_1w',
              'core.rollup_1mo']::regclass[],
        state.closed_until - interval '32 days', state.closing_until);
    INSERT INTO core.rollup_15m AS t (tenant_id, series_id, bucket, count, sum, min, max, first,
                                      first_time, last, last_time)
    SELECT s.tenant_id, s.id, a.*
    FROM core.series s
    CROSS JOIN LATERAL core.sample_quarters(s.tenant_id, s.id, state.closed_until,
                                            state.closing_until) a
    ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE
    SET count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max,
        first = excluded.first, first_time = excluded.first_time, last = excluded.last,
        last_time = excluded.last_time;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    FOREACH grain IN ARRAY ARRAY['1h', '1d', '1w', '1mo'] LOOP
        SELECT array_agg(e.tenant_id), array_agg(e.series_id) INTO tenants, series
        FROM core.rollup_ended(grain, state.closed_until, state.closing_until) e;
        CONTINUE WHEN tenants IS NULL;
        n_rows := n_rows + core.rollup_derive(
            grain, state.closing_until, tenants, series,
            array_fill(state.closed_until, ARRAY[cardinality(tenants)]),
            array_fill(state.closing_until, ARRAY[cardinality(tenants)]));
    END LOOP;
    PERFORM core.derived_close(state.closed_until, state.closing_until);
    UPDATE core.rollup_state s SET closed_until = state.closing_until;
    RETURN n_rows;
END
$$;

-- The series with a bucket of the grain that ends in (from_time, to_time].
CREATE FUNCTION core.rollup_ended(grain text, from_time timestamptz, to_time timestamptz)
RETURNS TABLE (tenant_id int, series_id int)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unit CONSTANT text := CASE grain WHEN '1d' THEN 'day' WHEN '1w' THEN 'week'
                                     WHEN '1mo' THEN 'month' END;
    zones text[];
BEGIN
    IF grain = '1h' THEN
        zones := CASE WHEN date_trunc('hour', from_time, 'UTC') < date_trunc('hour', to_time, 'UTC')
                      THEN NULL ELSE '{}' END;
    ELSE
        zones := ARRAY(
            SELECT z.tz
            FROM (SELECT t.timezone AS tz FROM core.tenant t
                  UNION SELECT s.timezone FROM core.site s) z
            WHERE core.local_start(unit, from_time, z.tz) < core.local_start(unit, to_time, z.tz));
    END IF;
    IF zones = '{}' THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT x.tenant_id, x.id
    FROM core.series x
    JOIN core.device d ON d.tenant_id = x.tenant_id AND d.id = x.device_id
    JOIN core.tenant t ON t.id = x.tenant_id
    LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id
    WHERE zones IS NULL OR coalesce(p.timezone, t.timezone) = ANY (zones);
END
$$;

GRANT EXECUTE ON FUNCTION ops.rollup_close_begin(), ops.rollup_close_finish() TO tidemark_worker;
