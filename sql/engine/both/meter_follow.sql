-- ---- energy of series with entries, kept up ----

SET LOCAL ROLE tidemark_door;

-- Whether a series has entries in force.
CREATE FUNCTION core.is_metered(owner int, series int) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.meter_entries(owner, series));
END
$$;

-- As before, by the first reading that counts or what is noted of a register.
CREATE OR REPLACE FUNCTION core.energy_floor(owner int, series int, kind text)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    floor CONSTANT timestamptz := (
        SELECT f.raw_from FROM core.series_floor f
        WHERE f.tenant_id = owner AND f.series_id = series AND f.raw_from > '-infinity');
    first timestamptz := floor;
BEGIN
    IF floor IS NULL THEN
        RETURN '-infinity';
    ELSIF core.is_metered(owner, series) THEN
        SELECT p.at INTO first FROM core.meter_first(owner, series, kind, floor, 'infinity') p
        WHERE kind <> 'delta';
    ELSIF kind <> 'delta' THEN
        SELECT x.time INTO first FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= floor
        ORDER BY x.time LIMIT 1;
    END IF;
    RETURN core.quarter(coalesce(first, floor) - interval '1 microsecond')
           + interval '15 minutes';
END
$$;

-- The first quarter hour in which a series has a sample, an entry or kept energy; NULL: it has none.
CREATE OR REPLACE FUNCTION core.energy_head(owner int, series int) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN least(core.quarter((SELECT x.time FROM core.sample x
                               WHERE x.tenant_id = owner AND x.series_id = series
                               ORDER BY x.time LIMIT 1)),
                 core.quarter((SELECT min(n.at) FROM core.meter_noted(owner, series, 'counter') n)),
                 (SELECT e.bucket FROM core.energy_15m e
                  WHERE e.tenant_id = owner AND e.series_id = series
                  ORDER BY e.bucket LIMIT 1));
END
$$;

-- Just after the end of a series' step that leaves a range that ends at `at`; NULL: there is none.
CREATE FUNCTION core.energy_stop(owner int, series int, kind text, at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    IF core.is_metered(owner, series) THEN
        RETURN (SELECT p.at + interval '1 microsecond'
                FROM core.meter_first(owner, series, energy_stop.kind, energy_stop.at,
                                      'infinity') p);
    END IF;
    RETURN (SELECT x.time + interval '1 microsecond' FROM core.sample x
            WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= energy_stop.at
            ORDER BY x.time LIMIT 1);
END
$$;

-- As before, and the step that leaves a range ends where entries say.
CREATE OR REPLACE FUNCTION core.energy_derive(tenant_ids int[], series_ids int[],
                                              from_times timestamptz[], to_times timestamptz[])
RETURNS void
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
       OR core.is_metered(u.tenant_id, u.series_id)
    GROUP BY date_trunc('year', u.from_time);
    WITH ranges AS MATERIALIZED (
        SELECT u.*, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale,
               core.energy_floor(u.tenant_id, u.series_id, s.kind) AS floor,
               least(closed, core.energy_stop(u.tenant_id, u.series_id, s.kind, u.to_time))
                   AS stop
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

-- As before, by the points of series with entries.
CREATE OR REPLACE FUNCTION core.energy_leave(from_time timestamptz, to_time timestamptz,
                                             reach interval) RETURNS void
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
    WHERE s.kind = 'counter' AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
      AND s.id NOT IN (SELECT m.series_id FROM core.meter_series m);
    INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
    SELECT s.tenant_id, s.id, far.at, far.at
    FROM core.series s
    CROSS JOIN LATERAL core.meter_first(s.tenant_id, s.id, s.kind, energy_leave.from_time,
                                        energy_leave.to_time) first
    CROSS JOIN LATERAL core.meter_last(s.tenant_id, s.id, s.kind, energy_leave.from_time,
                                       first.at - core.energy_longest(s.kind)) far
    WHERE s.kind = 'counter' AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
      AND s.id IN (SELECT m.series_id FROM core.meter_series m)
      AND far.at < energy_leave.from_time - reach;
END
$$;

-- As before: a reading, or an entry, touches all that lies between its neighbours.
CREATE OR REPLACE FUNCTION core.derived_follow(tenant_ids int[], series_ids int[],
                                               from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched record;
BEGIN
    WITH ranges AS MATERIALIZED (
        SELECT u.tenant_id, u.series_id, u.to_time, s.kind, s.kind <> 'delta' AS is_stepped,
               core.energy_longest(s.kind) AS longest,
               core.is_metered(u.tenant_id, u.series_id) AS is_metered,
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
            (SELECT x.time FROM core.sample x
             WHERE NOT r.is_metered AND x.tenant_id = r.tenant_id AND x.series_id = r.series_id
               AND x.time < r.from_time AND x.time >= r.from_time - r.longest
             ORDER BY x.time DESC LIMIT 1)
            UNION ALL
            SELECT p.at FROM core.meter_last(r.tenant_id, r.series_id, r.kind, r.from_time,
                                             r.from_time - r.longest) p
            WHERE r.is_metered) before ON r.is_stepped
        LEFT JOIN LATERAL (
            (SELECT x.time FROM core.sample x
             WHERE NOT r.is_metered AND x.tenant_id = r.tenant_id AND x.series_id = r.series_id
               AND x.time >= r.to_time AND x.time < r.to_time + r.longest
             ORDER BY x.time LIMIT 1)
            UNION ALL
            SELECT p.at FROM core.meter_first(r.tenant_id, r.series_id, r.kind, r.to_time,
                                              r.to_time + r.longest) p
            WHERE r.is_metered) after ON r.is_stepped
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

SET LOCAL ROLE tidemark_owner;
