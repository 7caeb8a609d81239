-- The careful lane reads what is there by ranges of a series, not by each sample: a batch that
-- repeats what is stored, which most late ones do, costs half.

SET LOCAL ROLE tidemark_door;

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
    outcomes int[];
BEGIN
    PERFORM core.series_check(tenant_ids, series_ids);
    WITH given AS MATERIALIZED (
        SELECT i.*
        FROM unnest(tenant_ids, series_ids, times, vals) WITH ORDINALITY
             AS i (tenant_id, series_id, time, value, ord)
    ), spans AS MATERIALIZED (
        SELECT g.tenant_id, g.series_id, min(g.time) AS from_time, max(g.time) AS to_time
        FROM given g
        GROUP BY g.tenant_id, g.series_id, date_bin('1 minute', g.time, timestamptz 'epoch')
    ), old AS (
        SELECT x.*
        FROM spans s
        CROSS JOIN LATERAL (
            SELECT y.tenant_id, y.series_id, y.time, y.value FROM core.sample y
            WHERE y.tenant_id = s.tenant_id AND y.series_id = s.series_id
              AND y.time BETWEEN s.from_time AND s.to_time
            OFFSET 0) x
    )
    SELECT array_agg(CASE WHEN o.value IS NULL THEN 1 WHEN o.value = g.value THEN 0 ELSE 2 END
                     ORDER BY g.ord)
    INTO outcomes
    FROM given g
    LEFT JOIN old o ON o.tenant_id = g.tenant_id AND o.series_id = g.series_id AND o.time = g.time;
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
        ), dirty AS (
            SELECT j.tenant_id, j.series_id, j.time,
                   j.time - lag(j.time) OVER w > interval '1 hour' AS is_apart
            FROM judged j
            WHERE j.outcome = 2 OR j.is_logged OR j.time < closing
            WINDOW w AS (PARTITION BY j.tenant_id, j.series_id ORDER BY j.time)
        ), islands AS (
            SELECT d.*, count(*) FILTER (WHERE d.is_apart)
                            OVER (PARTITION BY d.tenant_id, d.series_id ORDER BY d.time) AS island
            FROM dirty d
        )
        INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
        SELECT n.tenant_id, n.series_id, min(n.time), max(n.time)
        FROM islands n
        GROUP BY n.tenant_id, n.series_id, n.island;
    END IF;
    RETURN QUERY SELECT o.ord::int, o.outcome
                 FROM unnest(outcomes) WITH ORDINALITY AS o (outcome, ord);
END
$$;
