-- ---- energy kept up ----
-- Called by what closes, follows and recasts rollups, under its lock and in its transactions.

GRANT EXECUTE ON FUNCTION core.energy_scale(text, text, text), core.energy_bound(numeric),
    core.energy_until(text, float8, float8, float8, float8, float8), core.energy_longest(text),
    core.quarter(timestamptz),
    core.energy_parts(int, int, text, float8, timestamptz, timestamptz) TO tidemark_door;

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

-- Days of the series anew, from their quarter hours: those that have any in [from, to), and those
-- that had. Parallel arrays; ranges of a series do not overlap.
CREATE FUNCTION core.energy_days(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                 to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
BEGIN
    WITH ranges AS MATERIALIZED (
        SELECT u.*, core.series_zone(u.tenant_id, u.series_id) AS zone
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
    ), days AS (
        SELECT r.tenant_id, r.series_id, r.zone, core.local_start('day', e.bucket, r.zone) AS start
        FROM ranges r
        JOIN core.energy_15m e ON e.tenant_id = r.tenant_id AND e.series_id = r.series_id
                              AND e.bucket >= r.from_time AND e.bucket < r.to_time
        UNION
        SELECT r.tenant_id, r.series_id, r.zone, e.bucket
        FROM ranges r
        JOIN core.energy_1d e ON e.tenant_id = r.tenant_id AND e.series_id = r.series_id
                             AND e.bucket > r.from_time - interval '27 hours'
                             AND e.bucket < r.to_time
    ), sums AS MATERIALIZED (
        SELECT d.tenant_id, d.series_id, d.start,
               (SELECT core.energy_bound(sum(e.nkwh)) FROM core.energy_15m e
                WHERE e.tenant_id = d.tenant_id AND e.series_id = d.series_id
                  AND e.bucket >= d.start AND e.bucket < core.local_start(
                      'day', (date_trunc('day', d.start AT TIME ZONE d.zone)
                              + interval '36 hours') AT TIME ZONE d.zone, d.zone)) AS nkwh
        FROM days d
    ), gone AS (
        DELETE FROM core.energy_1d e USING sums s
        WHERE s.nkwh IS NULL AND e.tenant_id = s.tenant_id AND e.series_id = s.series_id
          AND e.bucket = s.start
    )
    INSERT INTO core.energy_1d AS e (tenant_id, series_id, bucket, nkwh)
    SELECT s.tenant_id, s.series_id, s.start, s.nkwh
    FROM sums s WHERE s.nkwh IS NOT NULL
    ORDER BY s.tenant_id, s.series_id, s.start
    ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    WHERE e.nkwh IS DISTINCT FROM excluded.nkwh;
END
$$;

-- Quarter hours of the series in [from, to), and the days they are in, anew from the samples.
-- What the samples do not tell wholly any more stays as it is; where nothing is, it is made.
-- Parallel arrays; ranges of a series begin and end on quarter hours and do not overlap.
CREATE FUNCTION core.energy_derive(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                   to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
BEGIN
    PERFORM core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',
                                      min(u.from_time) - interval '27 hours', max(u.to_time))
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE EXISTS (SELECT FROM core.sample x
                  WHERE x.tenant_id = u.tenant_id AND x.series_id = u.series_id
                    AND x.time >= u.from_time AND x.time < u.to_time)
    HAVING count(*) > 0;
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
    ), parts AS MATERIALIZED (
        SELECT r.tenant_id, r.series_id, p.bucket, p.nkwh
        FROM ranges r
        CROSS JOIN LATERAL core.energy_parts(r.tenant_id, r.series_id, r.kind, r.scale,
                                             r.from_time, r.stop) p
        WHERE r.scale IS NOT NULL AND p.bucket >= r.from_time AND p.bucket < r.to_time
          AND (p.bucket >= r.floor
               OR NOT EXISTS (SELECT FROM core.energy_15m e
                              WHERE e.tenant_id = r.tenant_id AND e.series_id = r.series_id
                                AND e.bucket = p.bucket)
               OR EXISTS (SELECT FROM core.rollup_reopened o
                          WHERE o.tenant_id = r.tenant_id AND o.series_id = r.series_id
                            AND o.grain = '15m' AND o.bucket = p.bucket))
    ), gone AS (
        DELETE FROM core.energy_15m e USING ranges r
        WHERE e.tenant_id = r.tenant_id AND e.series_id = r.series_id
          AND e.bucket >= greatest(r.from_time, r.floor) AND e.bucket < r.to_time
          AND NOT EXISTS (SELECT FROM parts p
                          WHERE p.tenant_id = e.tenant_id AND p.series_id = e.series_id
                            AND p.bucket = e.bucket)
    )
    INSERT INTO core.energy_15m AS e (tenant_id, series_id, bucket, nkwh)
    SELECT p.tenant_id, p.series_id, p.bucket, p.nkwh
    FROM parts p
    ORDER BY p.tenant_id, p.series_id, p.bucket
    ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    WHERE e.nkwh IS DISTINCT FROM excluded.nkwh;
    PERFORM core.energy_days(tenant_ids, series_ids, from_times, to_times);
END
$$;

-- Adds the steps of all series that end in [from_time, to_time).
CREATE FUNCTION core.energy_add(from_time timestamptz, to_time timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH parts AS MATERIALIZED (
        SELECT s.tenant_id, s.id AS series_id, p.bucket, p.nkwh
        FROM core.series s
        CROSS JOIN LATERAL core.energy_parts(
            s.tenant_id, s.id, s.kind, core.energy_scale(s.unit, s.kind, s.role),
            energy_add.from_time, energy_add.to_time) p
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
    relations CONSTANT regclass[] := '{core.energy_15m,core.energy_1d}';
BEGIN
    PERFORM core.partitions_ensure_of(relations, from_time - interval '27 hours', to_time);
    PERFORM core.energy_add(from_time, to_time);
EXCEPTION WHEN check_violation THEN
    -- No partition: a counter was silent for so long that its rise reaches further back.
    PERFORM core.partitions_ensure_of(
        relations, from_time - core.energy_longest('counter') - interval '27 hours', to_time);
    PERFORM core.energy_add(from_time, to_time);
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
        SELECT u.*, s.kind, s.kind <> 'delta' AS is_stepped
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
BEGIN
    DELETE FROM core.energy_1d e USING unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)
    WHERE e.tenant_id = u.tenant_id AND e.series_id = u.series_id;
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
           array_agg(core.quarter(r.since)) AS froms, array_agg(closed) AS tos
    INTO whole
    FROM (SELECT DISTINCT u.tenant_id, u.series_id, least(
                     (SELECT x.time FROM core.sample x
                      WHERE x.tenant_id = u.tenant_id AND x.series_id = u.series_id
                      ORDER BY x.time LIMIT 1),
                     (SELECT e.bucket FROM core.energy_15m e
                      WHERE e.tenant_id = u.tenant_id AND e.series_id = u.series_id
                      ORDER BY e.bucket LIMIT 1)) AS since
          FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)) r
    WHERE r.since < closed;
    PERFORM core.energy_derive(whole.tenants, whole.series, whole.froms, whole.tos);
END
$$;

SET LOCAL ROLE tidemark_owner;
