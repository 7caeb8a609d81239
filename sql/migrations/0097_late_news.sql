-- The careful lane finds out at once that a batch holds nothing but news, as one does that a device sends
-- after hours without a line: then it compares no rows.

SET LOCAL ROLE tidemark_door;

-- Notes in core.change that samples changed, of ranges that are given by series and time, neighbours within
-- an hour as one.
CREATE FUNCTION core.change_note(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                 to_times timestamptz[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH gaps AS (
        SELECT c.*, c.from_time - lag(c.to_time) OVER w > interval '1 hour' AS is_apart
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS c (tenant_id, series_id, from_time, to_time)
        WINDOW w AS (PARTITION BY c.tenant_id, c.series_id ORDER BY c.from_time)
    ), islands AS (
        SELECT g.*, count(*) FILTER (WHERE g.is_apart)
                        OVER (PARTITION BY g.tenant_id, g.series_id ORDER BY g.from_time) AS island
        FROM gaps g
    )
    INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
    SELECT i.tenant_id, i.series_id, min(i.from_time), max(i.to_time)
    FROM islands i
    GROUP BY i.tenant_id, i.series_id, i.island
$$;

-- Stores samples that may be there already. The arrays are parallel, sorted by (tenant, series,
-- time) and without repeats; ord counts from 1; outcome 0: the same value was there, 1: inserted,
-- 2: another value was there and is replaced. What replaced a value or is `logged` (late), or is of
-- a quarter hour that is closed, is noted in core.change, neighbours within an hour as one range.
-- Samples of one minute are looked up together. Those that are the same never reach the
-- INSERT: on compressed chunks it would unpack them.
CREATE OR REPLACE FUNCTION api.ingest_samples(tenant_ids int[], series_ids int[],
                                              times timestamptz[], vals float8[],
                                              logged boolean[])
RETURNS TABLE (ord int, outcome int)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
SET enable_nestloop = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    closing CONSTANT timestamptz := api.ingest_guard();
    spans record;
    changed record;
    is_news boolean;
    outcomes int[];
BEGIN
    PERFORM core.series_check(tenant_ids, series_ids);
    SELECT array_agg(s.tenant_id) AS tenants, array_agg(s.series_id) AS series,
           array_agg(s.from_time) AS from_times, array_agg(s.to_time) AS to_times
    INTO spans
    FROM (SELECT g.tenant_id, g.series_id, min(g.time) AS from_time, max(g.time) AS to_time
          FROM unnest(tenant_ids, series_ids, times) AS g (tenant_id, series_id, time)
          GROUP BY g.tenant_id, g.series_id, date_bin('1 minute', g.time, timestamptz 'epoch')) s;
    is_news := true = ALL (logged) AND NOT EXISTS (
        SELECT FROM unnest(spans.tenants, spans.series, spans.from_times, spans.to_times)
                    AS s (tenant_id, series_id, from_time, to_time)
        CROSS JOIN LATERAL (
            SELECT FROM core.sample y
            WHERE y.tenant_id = s.tenant_id AND y.series_id = s.series_id
              AND y.time BETWEEN s.from_time AND s.to_time
            LIMIT 1) x);
    IF is_news THEN
        INSERT INTO core.sample AS s (tenant_id, series_id, time, value)
        SELECT * FROM unnest(tenant_ids, series_ids, times, vals)
        ON CONFLICT (tenant_id, series_id, time) DO UPDATE SET value = excluded.value
        WHERE s.value IS DISTINCT FROM excluded.value;
        PERFORM core.change_note(spans.tenants, spans.series, spans.from_times, spans.to_times);
        RETURN QUERY SELECT o.ord, 1 FROM generate_series(1, cardinality(tenant_ids)) AS o (ord);
        RETURN;
    END IF;
    SELECT array_agg(CASE WHEN o.value IS NULL THEN 1 WHEN o.value = g.value THEN 0 ELSE 2 END
                     ORDER BY g.ord)
    INTO outcomes
    FROM unnest(tenant_ids, series_ids, times, vals) WITH ORDINALITY
         AS g (tenant_id, series_id, time, value, ord)
    LEFT JOIN (
        SELECT x.*
        FROM unnest(spans.tenants, spans.series, spans.from_times, spans.to_times)
             AS s (tenant_id, series_id, from_time, to_time)
        CROSS JOIN LATERAL (
            SELECT y.tenant_id, y.series_id, y.time, y.value FROM core.sample y
            WHERE y.tenant_id = s.tenant_id AND y.series_id = s.series_id
              AND y.time BETWEEN s.from_time AND s.to_time
            OFFSET 0) x) o
         ON o.tenant_id = g.tenant_id AND o.series_id = g.series_id AND o.time = g.time;
    IF outcomes && ARRAY[1, 2] THEN
        WITH judged AS MATERIALIZED (
            SELECT i.*
            FROM unnest(tenant_ids, series_ids, times, vals, logged, outcomes) WITH ORDINALITY
                 AS i (tenant_id, series_id, time, value, is_logged, outcome, ord)
            WHERE i.outcome <> 0
        ), written AS (
            INSERT INTO core.sample AS s (tenant_id, series_id, time, value)
            SELECT j.tenant_id, j.series_id, j.time, j.value
            FROM judged j ORDER BY j.ord
            ON CONFLICT (tenant_id, series_id, time) DO UPDATE SET value = excluded.value
            WHERE s.value IS DISTINCT FROM excluded.value
        )
        SELECT array_agg(j.tenant_id) AS tenants, array_agg(j.series_id) AS series,
               array_agg(j.time) AS times
        INTO changed
        FROM judged j WHERE j.outcome = 2 OR j.is_logged OR j.time < closing;
        PERFORM core.change_note(changed.tenants, changed.series, changed.times, changed.times);
    END IF;
    RETURN QUERY SELECT o.ord::int, o.outcome
                 FROM unnest(outcomes) WITH ORDINALITY AS o (outcome, ord);
END
$$;
