-- Rollups, computed from samples for now; tables will stand behind the same names later. Quarter
-- hours and hours are UTC; days, weeks and months are those of the device's site.

-- One view a bucket, all of one shape. Conditions on series_id reach the index of the samples;
-- one on bucket cannot: for ranges use api.rollup_list.
DO $views$
DECLARE
    view record;
BEGIN
    FOR view IN
        SELECT *
        FROM (VALUES
            ('15m', $$date_bin('15 minutes', x.time, timestamptz '2000-01-01 00:00:00+00')$$),
            ('1h',  $$date_bin('1 hour', x.time, timestamptz '2000-01-01 00:00:00+00')$$),
            ('1d',  $$core.local_start('day', x.time, z.timezone)$$),
            ('1w',  $$core.local_start('week', x.time, z.timezone)$$),
            ('1mo', $$core.local_start('month', x.time, z.timezone)$$)
        ) AS list (grain, bucket)
    LOOP
        EXECUTE format($sql$
            CREATE VIEW api.rollup_%1$s WITH (security_barrier) AS
            SELECT a.series_id, s.device_id, s.device, s.metric, s.unit, s.kind, s.role, a.bucket,
                   a.count, a.sum, a.min, a.max, a.first[2] AS first, a.first_time,
                   a.last[2] AS last, a.last_time
            FROM (SELECT x.series_id, %2$s AS bucket,
                         count(*) AS count, sum(x.value) AS sum, min(x.value) AS min,
                         max(x.value) AS max, min(x.time) AS first_time, max(x.time) AS last_time,
                         -- the value of the least (time, value) is the first one
                         min(ARRAY[date_part('epoch', x.time), x.value]) AS first,
                         max(ARRAY[date_part('epoch', x.time), x.value]) AS last
                  FROM core.sample x JOIN api.series z ON z.id = x.series_id
                  WHERE x.tenant_id = (SELECT core.tenant())
                  GROUP BY x.series_id, 2) a
            JOIN api.series s ON s.id = a.series_id
        $sql$, view.grain, view.bucket);
        EXECUTE format('GRANT SELECT ON api.rollup_%s TO tidemark_web, tidemark_read', view.grain);
    END LOOP;
END
$views$;

-- The same rows for a range: buckets ('15m', '1h', '1d', '1w', '1mo') that start in
-- [from_time, to_time), of one device or metric or all (NULL), ascending by (bucket, series_id),
-- after the cursor (after_bucket, after_series) where one is given; row_limit NULL: all of them.
-- Works through the range in slices, from each slice's first sample on, so that it reads little
-- more than it returns.
CREATE FUNCTION api.rollup_list(grain text, of_device text, of_metric text, from_time timestamptz,
                                to_time timestamptz, row_limit int,
                                after_bucket timestamptz DEFAULT NULL,
                                after_series int DEFAULT NULL)
RETURNS TABLE (series_id int, device_id int, device text, metric text, unit text, kind text,
               role text, bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, first_time timestamptz, last float8, last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner   CONSTANT int := core.tenant();
    origin  CONSTANT timestamptz := '2000-01-01 00:00:00+00';
    -- the longest that such a bucket lasts
    longest CONSTANT interval := CASE grain
        WHEN '15m' THEN interval '15 minutes' WHEN '1h' THEN interval '1 hour'
        WHEN '1d' THEN interval '26 hours' WHEN '1w' THEN interval '7 days 2 hours'
        WHEN '1mo' THEN interval '31 days 2 hours' END;
    wanted  CONSTANT int[] := ARRAY(
        SELECT s.id FROM core.device d
        JOIN core.series s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
        WHERE d.tenant_id = owner AND (of_device IS NULL OR d.key = of_device)
          AND (of_metric IS NULL OR s.metric = of_metric));
    remaining int := row_limit;
    start   timestamptz := greatest(from_time, after_bucket);
    head    timestamptz;
    stop    timestamptz;
    n_rows  int;
BEGIN
    IF longest IS NULL THEN
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
    WHILE (remaining > 0 OR row_limit IS NULL) AND start < to_time LOOP
        SELECT min(x.time) INTO head
        FROM unnest(wanted) AS w (id)
        CROSS JOIN LATERAL (SELECT p.time FROM core.sample p
                            WHERE p.tenant_id = owner AND p.series_id = w.id
                              AND p.time >= start AND p.time < to_time + longest
                            ORDER BY p.time LIMIT 1) x;
        EXIT WHEN head IS NULL;
        -- enough buckets for what is wanted yet, were all series there; to_time for "all"
        stop := least(to_time, greatest(start, head - longest)
                      + longest * (1 + ceil(remaining::float8 / cardinality(wanted))));
        RETURN QUERY
        SELECT a.series_id, s.device_id, s.device, s.metric, s.unit, s.kind, s.role, a.bucket,
               a.count, a.sum, a.min, a.max, a.first[2], a.first_time, a.last[2], a.last_time
        FROM (SELECT x.series_id,
                     CASE grain
                         WHEN '15m' THEN date_bin('15 minutes', x.time, origin)
                         WHEN '1h' THEN date_bin('1 hour', x.time, origin)
                         WHEN '1d' THEN core.local_start('day', x.time, z.timezone)
                         WHEN '1w' THEN core.local_start('week', x.time, z.timezone)
                         ELSE core.local_start('month', x.time, z.timezone) END AS bucket,
                     count(*) AS count, sum(x.value) AS sum, min(x.value) AS min,
                     max(x.value) AS max, min(x.time) AS first_time, max(x.time) AS last_time,
                     min(ARRAY[date_part('epoch', x.time), x.value]) AS first,
                     max(ARRAY[date_part('epoch', x.time), x.value]) AS last
              FROM core.sample x JOIN api.series z ON z.id = x.series_id
              WHERE x.tenant_id = owner AND x.series_id = ANY (wanted)
                AND x.time >= greatest(start, head) AND x.time < stop + longest
              GROUP BY x.series_id, 2) a
        JOIN api.series s ON s.id = a.series_id
        WHERE a.bucket >= start AND a.bucket < stop
          AND (after_bucket IS NULL OR (a.bucket, a.series_id) > (after_bucket, after_series))
        ORDER BY a.bucket, a.series_id
        LIMIT remaining;
        GET DIAGNOSTICS n_rows = ROW_COUNT;
        remaining := remaining - n_rows;
        start := stop;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION api.rollup_list(text, text, text, timestamptz, timestamptz, int,
                                   timestamptz, int)
    TO tidemark_web, tidemark_read;
