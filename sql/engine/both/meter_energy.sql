-- ---- energy of series with entries ----
-- Its steps lie between points: readings that count, and what entries say of a register at an
-- instant: side 0, where the one before ends; side 1, where the next begins; a reading is side 2 and
-- comes after both. A value that is not known is NULL, and a step from or to it tells no energy.
-- No settings where a function is to become part of the caller's plan.

-- Series with entries in force; read with the rights of who asks.
CREATE VIEW core.meter_series WITH (security_invoker, security_barrier) AS
SELECT s.tenant_id, s.id AS series_id
FROM core.meter_entry e
JOIN core.series s ON s.tenant_id = e.tenant_id AND s.device_id = e.device_id
                  AND s.id = coalesce(e.only_series, s.id)
WHERE e.withdrawn_at IS NULL;
GRANT SELECT ON core.meter_series TO tidemark_door;

-- The entries in force of a series.
CREATE FUNCTION core.meter_entries(owner int, series int) RETURNS SETOF core.meter_entry
LANGUAGE sql STABLE ROWS 5
AS $$
    SELECT e.*
    FROM core.series s
    JOIN core.meter_entry e ON e.tenant_id = s.tenant_id AND e.device_id = s.device_id
    WHERE s.tenant_id = owner AND s.id = series AND e.withdrawn_at IS NULL
      AND coalesce(e.only_series = s.id, true)
$$;

-- Whether what is said of [since, until) holds at a point; where a register ends, that is just
-- before.
CREATE FUNCTION core.meter_holds(since timestamptz, until timestamptz, at timestamptz, side int)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE side WHEN 0 THEN since < at AND until >= at ELSE since <= at AND until > at END
$$;

-- The times whose readings count.
CREATE FUNCTION core.meter_counts(owner int, series int) RETURNS tstzmultirange
LANGUAGE sql STABLE
AS $$
    SELECT tstzmultirange(tstzrange(NULL, NULL))
           - coalesce(range_agg(tstzrange(e.at, e.until)), '{}'::tstzmultirange)
    FROM core.meter_entries(owner, series) e
    WHERE e.kind = 'gap'
$$;

-- The points of a series that are no readings.
CREATE FUNCTION core.meter_noted(owner int, series int, kind text)
RETURNS TABLE (at timestamptz, side int, value float8)
LANGUAGE sql STABLE ROWS 2
AS $$
    SELECT e.at, s.side, CASE s.side WHEN 0 THEN e.final ELSE e.initial END
    FROM core.meter_entries(owner, series) e
    CROSS JOIN (VALUES (0), (1)) AS s (side)
    WHERE meter_noted.kind = 'counter' AND e.kind IN ('swap', 'reset')
$$;

-- The last point of a series in [since, before). It is mostly near, and then old partitions are not
-- asked for it.
CREATE FUNCTION core.meter_last(owner int, series int, kind text, before timestamptz,
                                since timestamptz)
RETURNS TABLE (at timestamptz, side int, value float8)
LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    counts CONSTANT tstzmultirange := core.meter_counts(owner, series);
    bound  timestamptz;
BEGIN
    FOREACH bound IN ARRAY ARRAY[greatest(since, before - interval '1 hour'), since] LOOP
        RETURN QUERY
        SELECT p.at, p.side, p.value
        FROM ((SELECT x.time AS at, 2 AS side, x.value
               FROM unnest(counts * tstzmultirange(tstzrange(bound, before))) AS r (span)
               CROSS JOIN LATERAL (
                   SELECT y.time, y.value FROM core.sample y
                   WHERE y.tenant_id = owner AND y.series_id = series
                     AND y.time >= lower(r.span) AND y.time < upper(r.span)
                     AND y.time >= bound AND y.time < before
                   ORDER BY y.time DESC LIMIT 1) x)
              UNION ALL
              SELECT n.at, n.side, n.value FROM core.meter_noted(owner, series, kind) n
              WHERE n.at >= bound AND n.at < before) p
        ORDER BY p.at DESC, p.side DESC LIMIT 1;
        EXIT WHEN FOUND;
    END LOOP;
END
$$;

-- The first point of a series in [since, before).
CREATE FUNCTION core.meter_first(owner int, series int, kind text, since timestamptz,
                                 before timestamptz)
RETURNS TABLE (at timestamptz, side int, value float8)
LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    counts CONSTANT tstzmultirange := core.meter_counts(owner, series);
    bound  timestamptz;
BEGIN
    FOREACH bound IN ARRAY ARRAY[least(before, since + interval '1 hour'), before] LOOP
        RETURN QUERY
        SELECT p.at, p.side, p.value
        FROM ((SELECT x.time AS at, 2 AS side, x.value
               FROM unnest(counts * tstzmultirange(tstzrange(since, bound))) AS r (span)
               CROSS JOIN LATERAL (
                   SELECT y.time, y.value FROM core.sample y
                   WHERE y.tenant_id = owner AND y.series_id = series
                     AND y.time >= lower(r.span) AND y.time < upper(r.span)
                     AND y.time >= since AND y.time < bound
                   ORDER BY y.time LIMIT 1) x)
              UNION ALL
              SELECT n.at, n.side, n.value FROM core.meter_noted(owner, series, kind) n
              WHERE n.at >= since AND n.at < bound) p
        ORDER BY p.at, p.side LIMIT 1;
        EXIT WHEN FOUND;
    END LOOP;
END
$$;

-- The same as core.energy_parts for a series with entries. Only what lies beside an entry differs: a
-- step's parts are the same integers wherever nothing is said of it. `scale`: of the series' own
-- unit. A fall in one unit and between readings is a restart from zero; beside what an entry says,
-- or from one unit to another, it contradicts, and tells nothing.
CREATE FUNCTION core.energy_metered(owner int, series int, kind text, scale float8,
                                    from_time timestamptz, to_time timestamptz, reach interval)
RETURNS TABLE (bucket timestamptz, nkwh bigint)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    longest CONSTANT interval := core.energy_longest(kind);
    counts  CONSTANT tstzmultirange := core.meter_counts(owner, series);
BEGIN
    RETURN QUERY
    WITH entries AS MATERIALIZED (
        SELECT e.* FROM core.meter_entries(owner, series) e
    ), points AS (
        SELECT p.* FROM core.meter_last(owner, series, kind, from_time,
                                        from_time - least(reach, longest)) p
        WHERE kind <> 'delta'
        UNION ALL
        SELECT x.time, 2, x.value FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series
          AND x.time >= from_time AND x.time < to_time AND x.time <@ counts
        UNION ALL
        SELECT n.* FROM core.meter_noted(owner, series, kind) n
        WHERE n.at >= from_time AND n.at < to_time
    ), comparable AS (
        SELECT p.side, date_part('epoch', p.at) AS t, p.value AS v,
               coalesce(core.energy_scale(u.unit, kind, ''), scale) AS scale,
               r.size * (scale / coalesce(core.energy_scale(u.unit, kind, ''), scale)) AS size
        FROM points p
        LEFT JOIN entries u ON u.kind = 'unit' AND core.meter_holds(u.at, u.until, p.at, p.side)
        LEFT JOIN entries r ON r.kind = 'rollover'
                           AND core.meter_holds(r.at, r.until, p.at, p.side)
    ), steps AS (
        SELECT c.t, c.v, c.scale, c.size,
               CASE kind WHEN 'delta' THEN c.t ELSE lag(c.t) OVER w END AS t0,
               lag(c.v) OVER w * (lag(c.scale) OVER w / c.scale) AS v0,
               c.side = 2 AND lag(c.side) OVER w = 2 AND lag(c.scale) OVER w = c.scale
                   AS may_restart
        FROM comparable c
        WINDOW w AS (ORDER BY c.t, c.side)
    ), rises AS (
        SELECT s.t, s.v, s.scale, s.t0,
               CASE WHEN kind <> 'counter' OR s.v >= s.v0 THEN s.v0
                    WHEN s.v + s.size >= s.v0 THEN s.v0 - s.size
                    WHEN s.may_restart THEN 0
                    ELSE s.v END AS v0
        FROM steps s
        WHERE kind = 'delta'
           OR (s.t > s.t0 AND s.v IS NOT NULL AND s.v0 IS NOT NULL
               AND s.t >= date_part('epoch', from_time)
               AND s.t - s.t0 <= date_part('epoch', longest))
    ), edges AS (
        SELECT '-infinity'::timestamptz AS at UNION SELECT 'infinity'
        UNION SELECT e.at FROM entries e WHERE e.kind IN ('factor', 'gap')
        UNION SELECT e.until FROM entries e WHERE e.kind IN ('factor', 'gap')
    ), zones AS MATERIALIZED (
        SELECT date_part('epoch', z.at) AS since, date_part('epoch', z.next) AS until,
               coalesce(f.factor, 1) AS factor
        FROM (SELECT d.at, lead(d.at) OVER (ORDER BY d.at) AS next FROM edges d) z
        LEFT JOIN entries f ON f.kind = 'factor' AND f.at <= z.at AND f.until >= z.next
        WHERE z.next IS NOT NULL
          AND NOT EXISTS (SELECT FROM entries g
                          WHERE g.kind = 'gap' AND g.at <= z.at AND g.until >= z.next)
    )
    SELECT to_timestamp(c.quarter * 900.0::float8),
           core.energy_bound(sum(CASE kind
               WHEN 'delta' THEN
                   round(c.factor * round(least(greatest(c.scale * c.v, -9e17), 9e17))::bigint)
               ELSE round(c.factor * core.energy_until(
                              kind, c.scale, c.v0, c.v, c.t - c.t0,
                              least(c.t, c.until, (c.quarter + 1) * 900.0::float8) - c.t0))
                    - round(c.factor * core.energy_until(
                              kind, c.scale, c.v0, c.v, c.t - c.t0,
                              greatest(c.t0, c.since, c.quarter * 900.0::float8) - c.t0)) END))
    FROM (SELECT r.*, z.factor, z.since, z.until, generate_series(
                     floor(greatest(r.t0, z.since) / 900)::int,
                     CASE kind WHEN 'delta' THEN floor(r.t / 900)
                               ELSE ceil(least(r.t, z.until) / 900) - 1 END::int) AS quarter
          FROM rises r
          JOIN zones z ON CASE kind WHEN 'delta' THEN z.since <= r.t AND z.until > r.t
                                    ELSE z.since < r.t AND z.until > r.t0 END) c
    GROUP BY c.quarter;
END
$$;

GRANT EXECUTE ON FUNCTION core.meter_entries(int, int), core.meter_counts(int, int),
    core.meter_holds(timestamptz, timestamptz, timestamptz, int),
    core.meter_noted(int, int, text),
    core.meter_last(int, int, text, timestamptz, timestamptz),
    core.meter_first(int, int, text, timestamptz, timestamptz),
    core.energy_metered(int, int, text, float8, timestamptz, timestamptz, interval)
    TO tidemark_door;
