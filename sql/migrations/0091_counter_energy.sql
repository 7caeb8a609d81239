-- What counters that fall amount to, where it is derived and where it is read.

-- The last four readings of a counter before a time, of those from `since` on; mostly they are near,
-- and then old partitions are not asked for them. Older ones than three days tell no more than the
-- last one does.
CREATE FUNCTION core.counter_before(owner int, series int, before timestamptz, since timestamptz)
RETURNS TABLE (at timestamptz, value float8)
LANGUAGE plpgsql STABLE ROWS 4
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    most   CONSTANT int := 4;
    n_rows int;
BEGIN
    RETURN QUERY
    SELECT x.time, x.value FROM core.sample x
    WHERE x.tenant_id = owner AND x.series_id = series AND x.time < before
      AND x.time >= greatest(since, before - interval '1 hour')
    ORDER BY x.time DESC LIMIT most;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    IF n_rows < most THEN
        RETURN QUERY
        SELECT x.time, x.value FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series
          AND x.time < before - interval '1 hour'
          AND x.time >= CASE WHEN n_rows = 0 THEN since
                             ELSE greatest(since, before - interval '73 hours') END
        ORDER BY x.time DESC LIMIT most - n_rows;
    END IF;
END
$$;

-- The time of the reading that counts and is as many before, but not more than `reach`; NULL: there
-- is none.
CREATE FUNCTION core.counter_back(owner int, series int, before timestamptz, most int,
                                  reach interval) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    counts CONSTANT tstzmultirange := core.meter_counts(owner, series);
BEGIN
    RETURN (SELECT min(r.time)
            FROM (SELECT x.time FROM core.sample x
                  WHERE x.tenant_id = owner AND x.series_id = series AND x.time < before
                    AND x.time >= before - reach AND x.time <@ counts
                  ORDER BY x.time DESC LIMIT most) r);
END
$$;

-- The same after it, the reading at the time itself counted.
CREATE FUNCTION core.counter_ahead(owner int, series int, after timestamptz, most int,
                                   reach interval) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    counts CONSTANT tstzmultirange := core.meter_counts(owner, series);
BEGIN
    RETURN (SELECT max(r.time)
            FROM (SELECT x.time FROM core.sample x
                  WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= after
                    AND x.time <= after + reach AND x.time <@ counts
                  ORDER BY x.time LIMIT most) r);
END
$$;

-- The points of a series in [since, until): readings that count, and what entries say of a register at
-- an instant, in the order of time and side. Parallel arrays: seconds, sides, values in the unit of
-- their time, nano-kWh in one of it, and the register's size where it rolls over. is_odd: neighbours
-- fall, or a register began anew.
CREATE FUNCTION core.meter_points(owner int, series int, kind text, scale float8, since timestamptz,
                                  until timestamptz, OUT ts float8[], OUT sides int[],
                                  OUT amounts float8[], OUT scales float8[], OUT sizes float8[],
                                  OUT is_odd boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    counts CONSTANT tstzmultirange := core.meter_counts(owner, series);
BEGIN
    WITH entries AS MATERIALIZED (
        SELECT e.* FROM core.meter_entries(owner, series) e
    ), points AS (
        SELECT x.time AS at, 2 AS side, x.value FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series
          AND x.time >= since AND x.time < until AND x.time <@ counts
        UNION ALL
        SELECT n.* FROM core.meter_noted(owner, series, kind) n
        WHERE n.at >= since AND n.at < until
    ), comparable AS (
        SELECT p.side, date_part('epoch', p.at) AS t, p.value AS v, u.scale,
               r.size * (scale / u.scale) AS size
        FROM (SELECT p.*, coalesce(core.energy_scale(u.unit, kind, ''), scale) AS unit_scale
              FROM points p
              LEFT JOIN entries u ON u.kind = 'unit'
                                 AND core.meter_holds(u.at, u.until, p.at, p.side)) p
        CROSS JOIN LATERAL (SELECT p.unit_scale AS scale) u
        LEFT JOIN entries r ON r.kind = 'rollover'
                           AND core.meter_holds(r.at, r.until, p.at, p.side)
    )
    SELECT array_agg(c.t), array_agg(c.side), array_agg(c.v), array_agg(c.scale),
           array_agg(c.size),
           coalesce(bool_or(c.side <> 2
                            OR core.counter_is_odd(c.scale, c.t0, c.v0, c.t, c.v)), false)
    INTO ts, sides, amounts, scales, sizes, is_odd
    FROM (SELECT c.*, lag(c.t) OVER w AS t0,
                 lag(c.v) OVER w * (lag(c.scale) OVER w / c.scale) AS v0
          FROM comparable c WINDOW w AS (ORDER BY c.t, c.side)) c;
END
$$;

-- How many of the points of core.meter_points lie before a time: those are its first.
CREATE FUNCTION core.meter_points_before(ts float8[], before float8) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT width_bucket(before - 0.0000005::float8, ts) $$;

-- As core.energy_parts, for a series with entries or a counter that falls. Only what lies beside an
-- entry or a fall differs: a step's parts are the same integers wherever nothing is said of it.
-- `scale`: of the series' own unit.
DROP FUNCTION core.energy_metered(int, int, text, float8, timestamptz, timestamptz, interval);
CREATE FUNCTION core.energy_metered(owner int, series int, kind text, scale float8,
                                    from_time timestamptz, to_time timestamptz, reach interval,
                                    known timestamptz)
RETURNS TABLE (bucket timestamptz, nkwh bigint)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    longest CONSTANT interval := core.energy_longest(kind);
    since   timestamptz := from_time;
    until   timestamptz := to_time;
    far     timestamptz;
    told    record;
    is_odd  boolean := true;
    n_early int := 0;       -- points before from_time, where what they told is taken off
BEGIN
    IF kind <> 'delta' THEN
        SELECT p.at INTO far
        FROM core.meter_last(owner, series, kind, from_time, from_time - least(reach, longest)) p;
        since := coalesce(far, since);
    END IF;
    IF kind = 'counter' AND far IS NOT NULL THEN
        since := least(since, core.counter_back(owner, series, from_time, 4, interval '3 days'),
                       (SELECT min(n.at) FROM core.meter_noted(owner, series, kind) n
                        WHERE n.at >= from_time - interval '6 hours' AND n.at < from_time));
    END IF;
    -- without entries it is here because it falls
    IF EXISTS (SELECT FROM core.meter_entries(owner, series)) THEN
        told := core.meter_points(owner, series, kind, scale, since, until);
        is_odd := kind = 'counter' AND told.is_odd;
    END IF;
    IF is_odd THEN
        IF far IS NOT NULL THEN
            since := least(since, core.counter_back(owner, series, since, 256, interval '12 days'),
                           (SELECT p.at FROM core.meter_last(owner, series, kind, since,
                                                             since - longest) p));
        END IF;
        IF known IS NOT NULL THEN
            until := least(known, core.counter_ahead(owner, series, to_time, 256,
                                                     interval '12 days')
                                  + interval '1 microsecond');
            until := greatest(until, to_time);
        END IF;
        told := core.meter_points(owner, series, kind, scale, since, until);
    END IF;
    IF kind = 'counter' AND known IS NULL AND told.ts IS NOT NULL THEN
        n_early := core.meter_points_before(told.ts, date_part('epoch', from_time));
    END IF;
    RETURN QUERY
    WITH entries AS MATERIALIZED (
        SELECT e.* FROM core.meter_entries(owner, series) e
    ), rises AS (
        SELECT a.*, 1 AS sign
        FROM ((SELECT r.t0, r.v0, r.t, r.v, r.scale
               FROM core.counter_rises(told.ts, told.sides, told.amounts, told.scales,
                                       told.sizes) r
               WHERE n_early > 1)
              EXCEPT ALL
              (SELECT r.t0, r.v0, r.t, r.v, r.scale
               FROM core.counter_rises(told.ts[:n_early], told.sides[:n_early],
                                       told.amounts[:n_early], told.scales[:n_early],
                                       told.sizes[:n_early]) r
               WHERE n_early > 1)) a
        UNION ALL
        SELECT r.*, 1
        FROM core.counter_rises(told.ts, told.sides, told.amounts, told.scales, told.sizes) r
        WHERE kind = 'counter' AND n_early <= 1 AND r.t >= date_part('epoch', from_time)
        UNION ALL
        -- what the readings before told otherwise
        SELECT a.*, -1
        FROM ((SELECT r.t0, r.v0, r.t, r.v, r.scale
               FROM core.counter_rises(told.ts[:n_early], told.sides[:n_early],
                                       told.amounts[:n_early], told.scales[:n_early],
                                       told.sizes[:n_early]) r
               WHERE n_early > 1 AND is_odd)
              EXCEPT ALL
              (SELECT r.t0, r.v0, r.t, r.v, r.scale
               FROM core.counter_rises(told.ts, told.sides, told.amounts, told.scales,
                                       told.sizes) r
               WHERE n_early > 1 AND is_odd)) a
        UNION ALL
        SELECT s.t0, s.v0, s.t, s.v, s.scale, 1
        FROM (SELECT p.t, p.v, p.scale, CASE kind WHEN 'delta' THEN p.t ELSE lag(p.t) OVER w END AS t0,
                     lag(p.v) OVER w * (lag(p.scale) OVER w / p.scale) AS v0
              FROM unnest(told.ts, told.amounts, told.scales) AS p (t, v, scale)
              WHERE kind <> 'counter'
              WINDOW w AS (ORDER BY p.t)) s
        WHERE kind = 'delta'
           OR (s.t > s.t0 AND s.t >= date_part('epoch', from_time)
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
           core.energy_bound(sum(c.sign * CASE kind
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

-- What the readings of a series in [from_time, to_time) add to what those before it tell, by quarter
-- hour: its steps that end there, and where a counter falls what they say of those before. With
-- `known`: the steps that end there, as the readings before `known` tell them, and of a counter that
-- falls those after, too. The step into a counter's first reading is left out where it began earlier
-- than `reach` before from_time. No settings, so that it becomes part of the caller's plan. Series
-- with entries and counters that fall take a way of their own; which have entries is looked up once a
-- statement.
DROP FUNCTION core.energy_parts(int, int, text, float8, timestamptz, timestamptz, interval);
CREATE FUNCTION core.energy_parts(owner int, series int, kind text, scale float8,
                                  from_time timestamptz, to_time timestamptz,
                                  reach interval DEFAULT core.energy_longest('counter'),
                                  known timestamptz DEFAULT NULL)
RETURNS TABLE (bucket timestamptz, nkwh bigint)
LANGUAGE sql STABLE ROWS 10
AS $$
    WITH steps AS MATERIALIZED (
        SELECT r.t, r.v, CASE kind WHEN 'delta' THEN r.t ELSE lag(r.t) OVER w END AS t0,
               lag(r.v) OVER w AS v0
        FROM ((SELECT date_part('epoch', x.time) AS t, x.value AS v
               FROM core.sample x
               WHERE kind = 'gauge' AND x.tenant_id = owner AND x.series_id = series
                 AND x.time < from_time AND x.time >= from_time - interval '1 hour'
               ORDER BY x.time DESC LIMIT 1)
              UNION ALL
              SELECT date_part('epoch', b.at), b.value
              FROM core.counter_before(owner, series, from_time, from_time - reach) b
              WHERE kind = 'counter'
              UNION ALL
              SELECT date_part('epoch', x.time), x.value
              FROM core.sample x
              WHERE x.tenant_id = owner AND x.series_id = series
                AND x.time >= from_time AND x.time < to_time) r
        WHERE series NOT IN (SELECT m.series_id FROM core.meter_series m)
        WINDOW w AS (ORDER BY r.t)
    ), odd AS MATERIALIZED (
        SELECT series IN (SELECT m.series_id FROM core.meter_series m)
               OR (kind = 'counter'
                   AND EXISTS (SELECT FROM steps s
                               WHERE core.counter_is_odd(scale, s.t0, s.v0, s.t, s.v))) AS is_odd
    )
    SELECT to_timestamp(c.quarter * 900.0::float8), core.energy_bound(sum(c.nkwh))
    FROM (SELECT x.quarter, x.nkwh
          FROM steps s
          CROSS JOIN LATERAL core.energy_split(kind, scale, s.t0, s.v0, s.t, s.v) x
          -- before 1684 two readings may be so near that their seconds are the same
          WHERE (kind = 'delta' OR s.t > s.t0) AND s.t >= date_part('epoch', from_time)
            AND s.t - s.t0 <= date_part('epoch', core.energy_longest(kind))) c
    WHERE NOT (SELECT o.is_odd FROM odd o)
    GROUP BY c.quarter
    UNION ALL
    SELECT p.bucket, p.nkwh
    FROM odd o
    CROSS JOIN LATERAL core.energy_metered(owner, series, kind, scale, from_time, to_time, reach,
                                           known) p
    WHERE o.is_odd
$$;

-- What the series' readings from from_time on add to what those before tell, by series and quarter
-- hour: three parallel arrays. The same as core.energy_parts, for all series in one go.
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
        -- of counters that told little in the hour before
        SELECT f.id, f.kind, f.scale, date_part('epoch', b.at) AS t, b.value AS v
        FROM (SELECT r.id, r.kind, r.scale FROM reading r
              WHERE r.kind = 'counter'
              GROUP BY 1, 2, 3
              HAVING count(*) FILTER (WHERE r.t < since) < 4 AND max(r.t) >= since) f
        CROSS JOIN LATERAL core.counter_before(owner, f.id, from_time,
                                               from_time - core.energy_longest('counter')) b
        WHERE b.at < from_time - interval '1 hour'
    ), steps AS MATERIALIZED (
        SELECT r.*, CASE r.kind WHEN 'delta' THEN r.t ELSE lag(r.t) OVER w END AS t0,
               lag(r.v) OVER w AS v0
        FROM (SELECT * FROM reading UNION ALL SELECT * FROM early) r
        WINDOW w AS (PARTITION BY r.id ORDER BY r.t)
    ), odd AS MATERIALIZED (
        SELECT DISTINCT s.id FROM steps s
        WHERE s.kind = 'counter' AND core.counter_is_odd(s.scale, s.t0, s.v0, s.t, s.v)
    )
    SELECT array_agg(p.id), array_agg(to_timestamp(p.quarter * 900.0::float8)), array_agg(p.nkwh)
    INTO series_ids, buckets, amounts
    FROM (SELECT s.id, x.quarter, core.energy_bound(sum(x.nkwh)) AS nkwh
          FROM steps s
          CROSS JOIN LATERAL core.energy_split(s.kind, s.scale, s.t0, s.v0, s.t, s.v) x
          WHERE (s.kind = 'delta' OR s.t > s.t0) AND s.t >= since
            AND s.t - s.t0 <= date_part('epoch', core.energy_longest(s.kind))
            AND s.id NOT IN (SELECT o.id FROM odd o)
          GROUP BY 1, 2
          UNION ALL
          SELECT k.id, date_part('epoch', m.bucket) / 900, m.nkwh
          FROM unnest(ids, kinds, scales) AS k (id, kind, scale)
          CROSS JOIN LATERAL core.energy_metered(owner, k.id, k.kind, k.scale, from_time,
                                                 'infinity', core.energy_longest('counter'),
                                                 NULL) m
          WHERE k.id = ANY (noted) OR k.id IN (SELECT o.id FROM odd o)) p;
END
$$;

DROP FUNCTION core.energy_before(int, int, timestamptz, timestamptz);

GRANT EXECUTE ON FUNCTION
    core.counter_is_odd(float8, float8, float8, float8, float8),
    core.counter_fastest(float8, float8[]),
    core.counter_pace(float8[], int[], float8[], int, int),
    core.counter_left_out(float8[], int[], float8[]),
    core.counter_late(float8[], int[], float8[], int, float8, boolean[]),
    core.counter_rises(float8[], int[], float8[], float8[], float8[]),
    core.counter_before(int, int, timestamptz, timestamptz),
    core.counter_back(int, int, timestamptz, int, interval),
    core.counter_ahead(int, int, timestamptz, int, interval),
    core.meter_points(int, int, text, float8, timestamptz, timestamptz),
    core.meter_points_before(float8[], float8),
    core.energy_metered(int, int, text, float8, timestamptz, timestamptz, interval, timestamptz),
    core.energy_parts(int, int, text, float8, timestamptz, timestamptz, interval, timestamptz)
    TO tidemark_door;
