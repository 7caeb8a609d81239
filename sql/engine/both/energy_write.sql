-- ---- energy kept up ----
-- Called by what closes, follows and recasts rollups, under its lock and in its transactions.

GRANT EXECUTE ON FUNCTION core.energy_scale(text, text, text), core.energy_bound(numeric),
    core.energy_until(text, float8, float8, float8, float8, float8), core.energy_longest(text),
    core.quarter(timestamptz), core.energy_before(int, int, timestamptz, timestamptz),
    core.energy_parts(int, int, text, float8, timestamptz, timestamptz, interval)
    TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- The zone whose days are a series' own.
CREATE FUNCTION core.series_zone(owner int, series int) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(p.timezone, t.timezone)
    FROM core.series s
    JOIN core.tenant t ON t.id = s.tenant_id
    JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id
    LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id
    WHERE s.tenant_id = owner AND s.id = series
$$;

-- The first quarter hour of a series that its samples still tell wholly; before it, retention took
-- samples, and with them the beginning of the step into the first one that is left.
CREATE FUNCTION core.energy_floor(owner int, series int, kind text) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    floor CONSTANT timestamptz := (
        SELECT f.raw_from FROM core.series_floor f
        WHERE f.tenant_id = owner AND f.series_id = series AND f.raw_from > '-infinity');
BEGIN
    RETURN CASE WHEN floor IS NULL THEN '-infinity' ELSE
        core.quarter(CASE WHEN kind = 'delta' THEN floor ELSE coalesce(
            (SELECT x.time FROM core.sample x
             WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= floor
             ORDER BY x.time LIMIT 1), floor) END - interval '1 microsecond')
        + interval '15 minutes' END;
END
$$;

-- The first quarter hour in which a series has a sample or kept energy; NULL: it has none.
CREATE FUNCTION core.energy_head(owner int, series int) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN least(core.quarter((SELECT x.time FROM core.sample x
                               WHERE x.tenant_id = owner AND x.series_id = series
                               ORDER BY x.time LIMIT 1)),
                 (SELECT e.bucket FROM core.energy_15m e
                  WHERE e.tenant_id = owner AND e.series_id = series
                  ORDER BY e.bucket LIMIT 1));
END
$$;

-- Removes rows of kept energy: a series at a time and by constants, for in compressed chunks a join
-- would unpack all.
CREATE FUNCTION core.energy_remove(relation regclass, tenant_ids int[], series_ids int[],
                                   buckets timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone record;
BEGIN
    FOR gone IN
        SELECT u.tenant_id, u.series_id, array_agg(u.bucket) AS buckets,
               min(u.bucket) AS first, max(u.bucket) AS last
        FROM unnest(tenant_ids, series_ids, buckets) AS u (tenant_id, series_id, bucket)
        GROUP BY 1, 2
    LOOP
        EXECUTE format('DELETE FROM %s e WHERE e.tenant_id = $1 AND e.series_id = $2'
                       ' AND e.bucket = ANY ($3) AND e.bucket >= $4 AND e.bucket <= $5', relation)
            USING gone.tenant_id, gone.series_id, gone.buckets, gone.first, gone.last;
    END LOOP;
END
$$;

-- Days of the series anew, from their quarter hours: those that have any in [from, to), and those
-- that had. Parallel arrays; ranges of a series do not overlap.
CREATE FUNCTION core.energy_days(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                 to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    gone record;
BEGIN
    WITH spans AS MATERIALIZED (
        SELECT d.tenant_id, d.series_id, d.zone, lower(d.span) AS since, upper(d.span) AS until
        FROM (SELECT r.tenant_id, r.series_id, r.zone, unnest(range_agg(tstzrange(
                         core.local_start('day', r.from_time, r.zone),
                         core.local_start('day', (date_trunc('day', (r.to_time
                             - interval '1 microsecond') AT TIME ZONE r.zone)
                             + interval '36 hours') AT TIME ZONE r.zone, r.zone)))) AS span
              FROM (SELECT u.*, core.series_zone(u.tenant_id, u.series_id) AS zone
                    FROM unnest(tenant_ids, series_ids, from_times, to_times)
                         AS u (tenant_id, series_id, from_time, to_time)) r
              GROUP BY r.tenant_id, r.series_id, r.zone) d
    ), fresh AS (
        SELECT s.tenant_id, s.series_id, a.bucket, a.nkwh
        FROM spans s CROSS JOIN LATERAL (
            SELECT core.local_start('day', e.bucket, s.zone) AS bucket,
                   core.energy_bound(sum(e.nkwh)) AS nkwh
            FROM core.energy_15m e
            WHERE e.tenant_id = s.tenant_id AND e.series_id = s.series_id
              AND e.bucket >= s.since AND e.bucket < s.until
            GROUP BY 1) a
    ), kept AS (
        SELECT s.tenant_id, s.series_id, a.bucket, a.nkwh
        FROM spans s CROSS JOIN LATERAL (
            SELECT e.bucket, e.nkwh FROM core.energy_1d e
            WHERE e.tenant_id = s.tenant_id AND e.series_id = s.series_id
              AND e.bucket >= s.since AND e.bucket < s.until) a
    ), other AS MATERIALIZED (
        SELECT tenant_id, series_id, bucket, f.nkwh
        FROM fresh f FULL JOIN kept k USING (tenant_id, series_id, bucket)
        WHERE f.nkwh IS DISTINCT FROM k.nkwh
    ), written AS (
        INSERT INTO core.energy_1d AS e (tenant_id, series_id, bucket, nkwh)
        SELECT o.tenant_id, o.series_id, o.bucket, o.nkwh
        FROM other o WHERE o.nkwh IS NOT NULL
        ORDER BY o.tenant_id, o.series_id, o.bucket
        ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    )
    SELECT array_agg(o.tenant_id) AS tenants, array_agg(o.series_id) AS series,
           array_agg(o.bucket) AS buckets
    INTO gone
    FROM other o WHERE o.nkwh IS NULL;
    PERFORM core.energy_remove('core.energy_1d', gone.tenants, gone.series, gone.buckets);
END
$$;

-- From when on energy is derived: what is older is past keeping, and its days are not whole.
CREATE FUNCTION core.energy_since() RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.quarter(core.horizon_last('energy') + interval '27 hours');
END
$$;

-- Quarter hours of the series in [from, to), and the days they are in, anew from the samples.
-- What the samples do not tell wholly any more stays as it is; where nothing is, it is made.
-- What is past keeping is not looked at. Parallel arrays; ranges of a series begin and end on
-- quarter hours and do not overlap.
CREATE FUNCTION core.energy_derive(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                   to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    gone   record;
BEGIN
    SELECT array_agg(u.tenant_id), array_agg(u.series_id),
           array_agg(greatest(u.from_time, core.energy_since())), array_agg(u.to_time)
    INTO tenant_ids, series_ids, from_times, to_times
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE u.to_time > core.energy_since();
    -- by year, as what lies between is not touched
    PERFORM core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',
                                      min(u.from_time) - interval '27 hours', max(u.to_time))
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE EXISTS (SELECT FROM core.sample x
                  WHERE x.tenant_id = u.tenant_id AND x.series_id = u.series_id
                    AND x.time >= u.from_time AND x.time < u.to_time)
    GROUP BY date_trunc('year', u.from_time);
    WITH ranges AS MATERIALIZED (
        SELECT u.*, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale,
               core.energy_floor(u.tenant_id, u.series_id, s.kind) AS floor,
               -- after the end of the step that leaves the range
               least(closed, (SELECT x.time + interval '1 microsecond' FROM core.sample x
                              WHERE x.tenant_id = u.tenant_id AND x.series_id = u.series_id
                                AND x.time >= u.to_time
                              ORDER BY x.time LIMIT 1)) AS stop
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
        JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
    ), fresh AS (
        SELECT r.tenant_id, r.series_id, p.bucket, p.nkwh
        FROM ranges r
        CROSS JOIN LATERAL core.energy_parts(r.tenant_id, r.series_id, r.kind, r.scale,
                                             r.from_time, r.stop) p
        WHERE r.scale IS NOT NULL AND p.bucket >= r.from_time AND p.bucket < r.to_time
    ), kept AS (
        SELECT r.tenant_id, r.series_id, e.bucket, e.nkwh, e.bucket < r.floor AS is_below
        FROM ranges r
        CROSS JOIN LATERAL (
            SELECT e.bucket, e.nkwh FROM core.energy_15m e
            WHERE e.tenant_id = r.tenant_id AND e.series_id = r.series_id
              AND e.bucket >= r.from_time AND e.bucket < r.to_time) e
    ), other AS MATERIALIZED (
        SELECT tenant_id, series_id, bucket, f.nkwh
        FROM fresh f FULL JOIN kept k USING (tenant_id, series_id, bucket)
        WHERE f.nkwh IS DISTINCT FROM k.nkwh
          AND (NOT coalesce(k.is_below, false)
               OR (f.nkwh IS NOT NULL
                   AND EXISTS (SELECT FROM core.rollup_reopened o
                               WHERE o.tenant_id = k.tenant_id AND o.series_id = k.series_id
                                 AND o.grain = '15m' AND o.bucket = k.bucket)))
    ), written AS (
        INSERT INTO core.energy_15m AS e (tenant_id, series_id, bucket, nkwh)
        SELECT o.tenant_id, o.series_id, o.bucket, o.nkwh
        FROM other o WHERE o.nkwh IS NOT NULL
        ORDER BY o.tenant_id, o.series_id, o.bucket
        ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    )
    SELECT array_agg(o.tenant_id) AS tenants, array_agg(o.series_id) AS series,
           array_agg(o.bucket) AS buckets
    INTO gone
    FROM other o WHERE o.nkwh IS NULL;
    PERFORM core.energy_remove('core.energy_15m', gone.tenants, gone.series, gone.buckets);
    PERFORM core.energy_days(tenant_ids, series_ids, from_times, to_times);
END
$$;

-- How far before what is closed a step may begin for closing to add it: a day or so, or less where
-- many counters may have been silent together. A step that began earlier is followed, as if its
-- first reading had changed: in turns of a limited size, while closing goes on for everybody.
CREATE FUNCTION core.energy_reach() RETURNS interval
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most_quarters CONSTANT int := 100000;    -- that is some seconds
BEGIN
    RETURN least(interval '26 hours', greatest(interval '1 hour', (
        SELECT interval '15 minutes' * (most_quarters / greatest(count(*), 1))
        FROM core.series s
        WHERE s.kind = 'counter' AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL)));
END
$$;

-- Notes as changed the reading at which each step begins that closing [from_time, to_time) leaves
-- out. The reading, not the end of the step: retention must not take it before it was followed.
CREATE FUNCTION core.energy_leave(from_time timestamptz, to_time timestamptz, reach interval)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
    SELECT s.tenant_id, s.id, far.time, far.time
    FROM core.series s
    CROSS JOIN LATERAL (
        SELECT x.time FROM core.sample x
        WHERE x.tenant_id = s.tenant_id AND x.series_id = s.id
          AND x.time >= energy_leave.from_time AND x.time < energy_leave.to_time
        ORDER BY x.time LIMIT 1) first
    LEFT JOIN LATERAL (
        SELECT x.time FROM core.sample x
        WHERE x.tenant_id = s.tenant_id AND x.series_id = s.id
          AND x.time >= energy_leave.from_time - reach AND x.time < energy_leave.from_time
        ORDER BY x.time DESC LIMIT 1) near ON true
    CROSS JOIN LATERAL (
        SELECT x.time FROM core.sample x
        WHERE near.time IS NULL AND x.tenant_id = s.tenant_id AND x.series_id = s.id
          AND x.time < energy_leave.from_time - reach
          AND x.time >= first.time - core.energy_longest(s.kind)
        ORDER BY x.time DESC LIMIT 1) far
    WHERE s.kind = 'counter' AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL;
END
$$;

-- Adds the steps of all series that end in [from_time, to_time), but for those that began earlier
-- than `reach` before.
CREATE FUNCTION core.energy_add(from_time timestamptz, to_time timestamptz, reach interval)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH parts AS MATERIALIZED (
        SELECT s.tenant_id, s.id AS series_id, p.bucket, p.nkwh
        FROM core.series s
        CROSS JOIN LATERAL core.energy_parts(
            s.tenant_id, s.id, s.kind, core.energy_scale(s.unit, s.kind, s.role),
            energy_add.from_time, energy_add.to_time, energy_add.reach) p
        WHERE core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
    ), quarters AS (
        INSERT INTO core.energy_15m AS e (tenant_id, series_id, bucket, nkwh)
        SELECT p.tenant_id, p.series_id, p.bucket, p.nkwh
        FROM parts p
        ORDER BY p.tenant_id, p.series_id, p.bucket
        ON CONFLICT (tenant_id, series_id, bucket)
        DO UPDATE SET nkwh = core.energy_bound(e.nkwh::numeric + excluded.nkwh)
    )
    INSERT INTO core.energy_1d AS e (tenant_id, series_id, bucket, nkwh)
    SELECT p.tenant_id, p.series_id, core.local_start('day', p.bucket, z.zone),
           core.energy_bound(sum(p.nkwh))
    FROM parts p
    JOIN (SELECT s.tenant_id, s.series_id, core.series_zone(s.tenant_id, s.series_id) AS zone
          FROM (SELECT DISTINCT p.tenant_id, p.series_id FROM parts p) s) z
         USING (tenant_id, series_id)
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (tenant_id, series_id, bucket)
    DO UPDATE SET nkwh = core.energy_bound(e.nkwh::numeric + excluded.nkwh);
END
$$;

CREATE OR REPLACE FUNCTION core.derived_close(from_time timestamptz, to_time timestamptz)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reach CONSTANT interval := core.energy_reach();
BEGIN
    PERFORM core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',
                                      from_time - reach - interval '27 hours', to_time);
    PERFORM core.energy_leave(from_time, to_time, reach);
    PERFORM core.energy_add(from_time, to_time, reach);
END
$$;

-- A reading of a meter touches as much time as its neighbours are away. Power reaches an hour at
-- most, an interval nowhere.
CREATE OR REPLACE FUNCTION core.derived_cost(owner int, series int, from_time timestamptz,
                                             to_time timestamptz) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    quarters_a_sample CONSTANT int := 4;     -- each is written
    longest CONSTANT interval := core.energy_longest('counter');
    since   CONSTANT timestamptz := core.energy_since();
    before  timestamptz;
    after   timestamptz;
BEGIN
    IF NOT EXISTS (SELECT FROM core.series s
                   WHERE s.tenant_id = owner AND s.id = series AND s.kind = 'counter'
                     AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL) THEN
        RETURN 0;
    END IF;
    SELECT x.time INTO before FROM core.sample x
    WHERE x.tenant_id = owner AND x.series_id = series
      AND x.time < derived_cost.from_time AND x.time >= derived_cost.from_time - longest
    ORDER BY x.time DESC LIMIT 1;
    SELECT x.time INTO after FROM core.sample x
    WHERE x.tenant_id = owner AND x.series_id = series
      AND x.time >= derived_cost.to_time AND x.time < derived_cost.to_time + longest
    ORDER BY x.time LIMIT 1;
    -- what is past keeping is not derived
    before := greatest(coalesce(before, from_time), since);
    after := greatest(coalesce(after, to_time), since);
    RETURN extract(epoch FROM greatest(from_time, since) - before
                              + (after - greatest(to_time, since))) / 900 / quarters_a_sample;
END
$$;

-- A reading touches all that lies between its neighbours.
CREATE OR REPLACE FUNCTION core.derived_follow(tenant_ids int[], series_ids int[],
                                               from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched record;
BEGIN
    WITH ranges AS (
        SELECT u.tenant_id, u.series_id, u.to_time, s.kind, s.kind <> 'delta' AS is_stepped,
               CASE WHEN u.from_time = '-infinity' THEN core.energy_head(u.tenant_id, u.series_id)
                    ELSE u.from_time END AS from_time
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
        JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
        WHERE core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
    ), spans AS (
        SELECT r.tenant_id, r.series_id, unnest(range_agg(tstzrange(
                   core.quarter(coalesce(before.time, r.from_time)),
                   coalesce(core.quarter(after.time) + interval '15 minutes', r.to_time)))) AS span
        FROM ranges r
        LEFT JOIN LATERAL (
            SELECT x.time FROM core.sample x
            WHERE x.tenant_id = r.tenant_id AND x.series_id = r.series_id
              AND x.time < r.from_time AND x.time >= r.from_time - core.energy_longest(r.kind)
            ORDER BY x.time DESC LIMIT 1) before ON r.is_stepped
        LEFT JOIN LATERAL (
            SELECT x.time FROM core.sample x
            WHERE x.tenant_id = r.tenant_id AND x.series_id = r.series_id
              AND x.time >= r.to_time AND x.time < r.to_time + core.energy_longest(r.kind)
            ORDER BY x.time LIMIT 1) after ON r.is_stepped
        WHERE r.from_time < r.to_time
        GROUP BY r.tenant_id, r.series_id
    )
    SELECT array_agg(s.tenant_id) AS tenants, array_agg(s.series_id) AS series,
           array_agg(lower(s.span)) AS froms, array_agg(upper(s.span)) AS tos
    INTO touched
    FROM spans s;
    PERFORM core.energy_derive(touched.tenants, touched.series, touched.froms, touched.tos);
END
$$;

CREATE OR REPLACE FUNCTION core.derived_rezone(tenant_ids int[], series_ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    gone record;
BEGIN
    -- a series at a time and by constants: a join would unpack every tenant's compressed days
    FOR gone IN SELECT DISTINCT u.tenant_id, u.series_id
                FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)
    LOOP
        EXECUTE 'DELETE FROM core.energy_1d e WHERE e.tenant_id = $1 AND e.series_id = $2'
            USING gone.tenant_id, gone.series_id;
    END LOOP;
    INSERT INTO core.energy_1d (tenant_id, series_id, bucket, nkwh)
    SELECT e.tenant_id, e.series_id, core.local_start('day', e.bucket, u.zone),
           core.energy_bound(sum(e.nkwh))
    FROM (SELECT DISTINCT u.tenant_id, u.series_id,
                 core.series_zone(u.tenant_id, u.series_id) AS zone
          FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)) u
    JOIN core.energy_15m e ON e.tenant_id = u.tenant_id AND e.series_id = u.series_id
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3;
END
$$;

CREATE OR REPLACE FUNCTION core.derived_reset(tenant_ids int[], series_ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    whole  record;
BEGIN
    SELECT array_agg(r.tenant_id) AS tenants, array_agg(r.series_id) AS series,
           array_agg(r.since) AS froms, array_agg(closed) AS tos
    INTO whole
    FROM (SELECT DISTINCT u.tenant_id, u.series_id,
                          core.energy_head(u.tenant_id, u.series_id) AS since
          FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)) r
    WHERE r.since < closed;
    PERFORM core.energy_derive(whole.tenants, whole.series, whole.froms, whole.tos);
END
$$;

SET LOCAL ROLE tidemark_owner;
