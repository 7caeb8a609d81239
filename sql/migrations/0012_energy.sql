-- Energy and power of devices from whatever they send. A device may tell the same energy several
-- ways (an interval's kWh, a meter's counter, watts): per role the best of them counts and the
-- others do not, so that no device counts twice.

-- Energy and power series of a tenant, with their place in line: intervals before counters before
-- power; the plain names first. Series of one metric that differ in labels count together.
CREATE FUNCTION core.energy_series(owner int)
RETURNS TABLE (series_id int, device_id int, role text, metric text, kind text, factor float8,
               place int, zone text)
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.device_id, s.role, s.metric, s.kind,
           CASE s.unit WHEN 'Wh' THEN 0.001 WHEN 'MWh' THEN 1000
                       WHEN 'W' THEN 0.001 ELSE 1 END::float8,
           (dense_rank() OVER (
               PARTITION BY s.device_id, s.role
               ORDER BY CASE s.kind WHEN 'delta' THEN 1 WHEN 'counter' THEN 2 ELSE 3 END,
                        s.metric NOT IN ('energy_kwh', 'grid_import_kwh', 'grid_export_kwh',
                                         'generation_kwh', 'power_w'),
                        length(s.metric), s.metric))::int,
           s.timezone
    FROM api.series s
    WHERE s.role <> 'none'
      AND s.unit = ANY (CASE s.kind WHEN 'gauge' THEN '{W,kW}' ELSE '{Wh,kWh,MWh}' END::text[]);
END
$$;

-- The reading next to an instant: the last before it, or the first at or after it. Times are
-- seconds since 1970 in here: a second's fraction is exact to the microsecond until 2255, and
-- arithmetic on float8 costs a tenth of that on intervals.
CREATE FUNCTION core.sample_beside(owner int, series int, at timestamptz, is_before boolean,
                                   OUT t float8, OUT v float8)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    IF is_before THEN
        SELECT date_part('epoch', x.time), x.value INTO t, v
        FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series AND x.time < at
        ORDER BY x.time DESC LIMIT 1;
    ELSE
        SELECT date_part('epoch', x.time), x.value INTO t, v
        FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= at
        ORDER BY x.time LIMIT 1;
    END IF;
END
$$;

-- kWh of every device and role in the site's local hours ('1h') or days ('1d') that start in
-- [from_time, to_time), ascending by (bucket, device, role); buckets without data have no row.
-- Intervals are summed; a counter's rise is spread evenly over the time between two readings, a
-- fall is a restart from zero; power is integrated by the trapezoid over gaps of at most an hour.
-- A source counts on the local days from its first to its last reading in the range, unless a
-- better one of the same device and role has that day too.
CREATE FUNCTION api.energy_list(grain text, from_time timestamptz, to_time timestamptz)
RETURNS TABLE (bucket timestamptz, device text, role text, kwh float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    -- the last bucket that starts before to_time ends at most a long day later
    reach CONSTANT timestamptz := to_time + CASE grain WHEN '1d' THEN interval '26 hours'
                                                       ELSE interval '1 hour' END;
BEGIN
    IF grain NOT IN ('1h', '1d') THEN
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH series AS MATERIALIZED (
        SELECT * FROM core.energy_series(owner)
    ), zones AS MATERIALIZED (
        -- the buckets' edges in seconds: all starts, and the end of the last
        SELECT z.zone, min(b.start) AS since, max(b.start) AS until,
               array_agg(date_part('epoch', b.start) ORDER BY b.start) AS edges,
               count(*)::int - 1 AS n_slots
        FROM (SELECT DISTINCT s.zone FROM series s) z
        CROSS JOIN LATERAL (
            SELECT b.start, lag(b.start) OVER (ORDER BY b.start) AS previous
            FROM api.bucket_starts(z.zone, grain, from_time, reach + interval '1 hour') b) b
        WHERE b.start < to_time OR b.previous < to_time
        GROUP BY z.zone
    ), spans AS MATERIALIZED (
        -- of each series: its first and last reading in the range, and those around it
        SELECT s.*, z.since, z.until, z.edges, z.n_slots, head.t AS head_t, head.v AS head_v,
               tail.t AS tail_t, tail.v AS tail_v,
               CASE WHEN s.kind = 'counter' AND head.t IS NOT NULL THEN z.since
                    ELSE first.time END AS first_time,
               CASE WHEN s.kind = 'counter' AND tail.t IS NOT NULL THEN z.until
                    ELSE last.time END AS last_time
        FROM series s
        JOIN zones z ON z.zone = s.zone AND z.n_slots > 0
        CROSS JOIN LATERAL core.sample_beside(owner, s.series_id, z.since, true) AS head
        CROSS JOIN LATERAL core.sample_beside(owner, s.series_id, z.until, false) AS tail
        LEFT JOIN LATERAL (SELECT p.time FROM core.sample p
                           WHERE p.tenant_id = owner AND p.series_id = s.series_id
                             AND p.time >= from_time AND p.time < reach
                             AND p.time >= z.since AND p.time < z.until
                           ORDER BY p.time LIMIT 1) first ON true
        LEFT JOIN LATERAL (SELECT p.time FROM core.sample p
                           WHERE p.tenant_id = owner AND p.series_id = s.series_id
                             AND p.time >= from_time AND p.time < reach
                             AND p.time >= z.since AND p.time < z.until
                           ORDER BY p.time DESC LIMIT 1) last ON true
    ), claims AS MATERIALIZED (
        -- which metric speaks for a device and role in a slot
        SELECT DISTINCT ON (s.device_id, s.role, b.slot) s.device_id, s.role, b.slot, s.metric,
               b.start
        FROM (SELECT s.device_id, s.role, s.metric, s.place, s.zone, s.edges, s.n_slots,
                     (min(s.first_time) AT TIME ZONE s.zone)::date AS since,
                     (max(s.last_time) AT TIME ZONE s.zone)::date AS until
              FROM spans s GROUP BY 1, 2, 3, 4, 5, 6, 7) s
        CROSS JOIN LATERAL (
            SELECT slot, to_timestamp(s.edges[slot]) AS start
            FROM generate_series(1, s.n_slots) AS slot) b
        WHERE (b.start AT TIME ZONE s.zone)::date BETWEEN s.since AND s.until
        ORDER BY s.device_id, s.role, b.slot, s.place
    ), used AS MATERIALIZED (
        SELECT s.* FROM spans s
        WHERE (s.device_id, s.role, s.metric)
              IN (SELECT c.device_id, c.role, c.metric FROM claims c)
    ), parts AS (
        SELECT u.device_id, u.role, u.metric, x.slot, u.factor * x.amount AS kwh
        FROM used u
        CROSS JOIN LATERAL (
            SELECT width_bucket(date_part('epoch', p.time), u.edges) AS slot, sum(p.value) AS amount
            FROM core.sample p
            WHERE p.tenant_id = owner AND p.series_id = u.series_id
              AND p.time >= from_time AND p.time < reach
              AND p.time >= u.since AND p.time < u.until
            GROUP BY 1) x
        WHERE u.kind = 'delta'
        UNION ALL
        SELECT u.device_id, u.role, u.metric, x.slot, u.factor * x.amount
        FROM used u
        CROSS JOIN LATERAL (
            SELECT b.slot, sum(CASE u.kind
                WHEN 'counter' THEN CASE WHEN s.v >= s.v0 THEN s.v - s.v0 ELSE s.v END
                                    * (b.t2 - b.t1) / (s.t - s.t0)
                -- the power at the middle of the part, in watt hours
                ELSE (s.v0 + (s.v - s.v0) * ((b.t1 + b.t2) / 2 - s.t0) / (s.t - s.t0))
                     * (b.t2 - b.t1) / 3600 END) AS amount
            FROM (SELECT w.*, greatest(1, width_bucket(w.t0, u.edges)) AS slot_0,
                         least(u.n_slots, width_bucket(w.t, u.edges)) AS slot
                  FROM (SELECT r.t, r.v, lag(r.t) OVER (ORDER BY r.t) AS t0,
                               lag(r.v) OVER (ORDER BY r.t) AS v0
                        FROM (SELECT date_part('epoch', p.time) AS t, p.value AS v
                              FROM core.sample p
                              WHERE p.tenant_id = owner AND p.series_id = u.series_id
                                AND p.time >= from_time AND p.time < reach
                                AND p.time >= u.since AND p.time < u.until
                              UNION ALL
                              SELECT u.head_t, u.head_v WHERE u.head_t IS NOT NULL
                              UNION ALL
                              SELECT u.tail_t, u.tail_v WHERE u.tail_t IS NOT NULL) r) w
                  WHERE w.t0 IS NOT NULL AND (u.kind = 'counter' OR w.t - w.t0 <= 3600)) s
            CROSS JOIN LATERAL (
                SELECT s.slot, s.t0 AS t1, s.t AS t2
                WHERE s.slot_0 = s.slot AND s.t0 >= u.edges[1] AND s.t <= u.edges[u.n_slots + 1]
                UNION ALL
                -- a step across edges, the outer ones too: cut there
                SELECT g, greatest(s.t0, u.edges[g]), least(s.t, u.edges[g + 1])
                FROM generate_series(s.slot_0, s.slot) g
                WHERE s.slot_0 < s.slot OR s.t0 < u.edges[1] OR s.t > u.edges[u.n_slots + 1]) b
            GROUP BY b.slot) x
        WHERE u.kind <> 'delta'
    )
    SELECT c.start, d.key, c.role, sum(p.kwh)
    FROM claims c
    JOIN parts p USING (device_id, role, metric, slot)
    JOIN core.device d ON d.tenant_id = owner AND d.id = c.device_id
    GROUP BY c.start, d.key, c.role
    ORDER BY c.start, d.key, c.role;
END
$$;

-- Power now, in watts: of every device and role the best metric whose last sample is younger than
-- 15 minutes.
CREATE FUNCTION api.power_now()
RETURNS TABLE (device text, name text, role text, watts float8, "time" timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT d.key, d.name, n.role, n.watts, n.time
    FROM (SELECT DISTINCT ON (s.device_id, s.role) s.device_id, s.role,
                 sum(l.value * s.factor * 1000) AS watts, max(l.time) AS time
          FROM core.energy_series(owner) s
          JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.series_id
          WHERE s.kind = 'gauge' AND l.time > now() - interval '15 minutes'
          GROUP BY s.device_id, s.role, s.metric, s.place
          ORDER BY s.device_id, s.role, s.place) n
    JOIN core.device d ON d.tenant_id = owner AND d.id = n.device_id
    WHERE d.retired_at IS NULL
    ORDER BY d.key, n.role;
END
$$;

GRANT EXECUTE ON FUNCTION api.energy_list(text, timestamptz, timestamptz), api.power_now()
    TO tidemark_web, tidemark_read;
