-- Energy of series with entries of a meter's timeline, where it is derived and where it is read.

-- What the steps of a series that end in [from_time, to_time) amount to, by quarter hour, as before;
-- series with entries take a way of their own. Which they are is looked up once a statement.
CREATE OR REPLACE FUNCTION core.energy_parts(owner int, series int, kind text, scale float8,
                                             from_time timestamptz, to_time timestamptz,
                                             reach interval DEFAULT core.energy_longest('counter'))
RETURNS TABLE (bucket timestamptz, nkwh bigint)
LANGUAGE sql STABLE ROWS 10
AS $$
    SELECT to_timestamp(c.quarter * 900.0::float8), core.energy_bound(sum(c.nkwh))
    FROM (SELECT x.quarter, x.nkwh
          FROM (SELECT r.t, r.v, CASE kind WHEN 'delta' THEN r.t ELSE lag(r.t) OVER w END AS t0,
                       lag(r.v) OVER w AS v0
                FROM ((SELECT date_part('epoch', x.time) AS t, x.value AS v
                       FROM core.sample x
                       WHERE kind <> 'delta' AND x.tenant_id = owner AND x.series_id = series
                         AND x.time < from_time AND x.time >= from_time - interval '1 hour'
                       ORDER BY x.time DESC LIMIT 1)
                      UNION ALL
                      SELECT date_part('epoch', b.at), b.value
                      FROM core.energy_before(owner, series, from_time, from_time - reach) b
                      WHERE kind = 'counter'
                      UNION ALL
                      SELECT date_part('epoch', x.time), x.value
                      FROM core.sample x
                      WHERE x.tenant_id = owner AND x.series_id = series
                        AND x.time >= from_time AND x.time < to_time) r
                WINDOW w AS (ORDER BY r.t)) s
          CROSS JOIN LATERAL core.energy_split(kind, scale, s.t0, s.v0, s.t, s.v) x
          -- before 1684 two readings may be so near that their seconds are the same
          WHERE (kind = 'delta' OR s.t > s.t0) AND s.t >= date_part('epoch', from_time)
            AND s.t - s.t0 <= date_part('epoch', core.energy_longest(kind))) c
    WHERE series NOT IN (SELECT m.series_id FROM core.meter_series m)
    GROUP BY c.quarter
    UNION ALL
    SELECT p.bucket, p.nkwh
    FROM core.energy_metered(owner, series, kind, scale, from_time, to_time, reach) p
    WHERE series IN (SELECT m.series_id FROM core.meter_series m)
$$;

-- What the series' steps that end from from_time on amount to, by series and quarter hour: three
-- parallel arrays. The same as core.energy_parts, for all series in one go.
CREATE OR REPLACE FUNCTION core.energy_open(owner int, ids int[], kinds text[], scales float8[],
                                            from_time timestamptz, OUT series_ids int[],
                                            OUT buckets timestamptz[], OUT amounts bigint[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    since CONSTANT float8 := date_part('epoch', from_time);
    noted CONSTANT int[] := ARRAY(SELECT m.series_id FROM core.meter_series m
                                  WHERE m.tenant_id = owner AND m.series_id = ANY (ids));
    told  record;
BEGIN
    told := core.samples_since(owner, ids, from_time - interval '1 hour');
    IF told.series_ids IS NULL AND noted = '{}' THEN
        RETURN;
    END IF;
    WITH reading AS MATERIALIZED (
        SELECT k.id, k.kind, k.scale, date_part('epoch', r.time) AS t, r.value AS v
        FROM unnest(told.series_ids, told.times, told.amounts) AS r (series_id, time, value)
        JOIN unnest(ids, kinds, scales) AS k (id, kind, scale) ON k.id = r.series_id
        WHERE k.id <> ALL (noted)
    ), early AS (
        -- of counters that were silent for an hour
        SELECT f.id, f.kind, f.scale, date_part('epoch', b.at) AS t, b.value AS v
        FROM (SELECT r.id, r.kind, r.scale FROM reading r
              WHERE r.kind = 'counter'
              GROUP BY 1, 2, 3
              HAVING min(r.t) >= since) f
        CROSS JOIN LATERAL core.energy_before(owner, f.id, from_time,
                                              from_time - core.energy_longest('counter')) b
    )
    SELECT array_agg(p.id), array_agg(to_timestamp(p.quarter * 900.0::float8)), array_agg(p.nkwh)
    INTO series_ids, buckets, amounts
    FROM (SELECT s.id, x.quarter, core.energy_bound(sum(x.nkwh)) AS nkwh
          FROM (SELECT r.*, CASE r.kind WHEN 'delta' THEN r.t ELSE lag(r.t) OVER w END AS t0,
                       lag(r.v) OVER w AS v0
                FROM (SELECT * FROM reading UNION ALL SELECT * FROM early) r
                WINDOW w AS (PARTITION BY r.id ORDER BY r.t)) s
          CROSS JOIN LATERAL core.energy_split(s.kind, s.scale, s.t0, s.v0, s.t, s.v) x
          WHERE (s.kind = 'delta' OR s.t > s.t0) AND s.t >= since
            AND s.t - s.t0 <= date_part('epoch', core.energy_longest(s.kind))
          GROUP BY 1, 2
          UNION ALL
          SELECT k.id, date_part('epoch', m.bucket) / 900, m.nkwh
          FROM unnest(ids, kinds, scales) AS k (id, kind, scale)
          CROSS JOIN LATERAL core.energy_metered(owner, k.id, k.kind, k.scale, from_time,
                                                 'infinity', core.energy_longest('counter')) m
          WHERE k.id = ANY (noted)) p;
END
$$;
