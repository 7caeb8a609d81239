-- ---- energy read ----

-- What the series' steps that end from from_time on amount to, by series and quarter hour: three
-- parallel arrays. The plan is kept: made anew it would cost more than it takes to run.
CREATE FUNCTION core.energy_open(owner int, ids int[], kinds text[], scales float8[],
                                 from_time timestamptz, OUT series_ids int[],
                                 OUT buckets timestamptz[], OUT amounts bigint[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    SELECT array_agg(s.id), array_agg(p.bucket), array_agg(p.nkwh)
    INTO series_ids, buckets, amounts
    FROM unnest(ids, kinds, scales) AS s (id, kind, scale)
    CROSS JOIN LATERAL core.energy_parts(owner, s.id, s.kind, s.scale, from_time, 'infinity') p;
END
$$;

-- The series that can count on the days, of parallel arrays: where a series of a seat's first
-- place has data on each of them, the seat's others cannot.
CREATE FUNCTION core.energy_chosen(owner int, ids int[], seats int[], places int[],
                                   days timestamptz[], until timestamptz) RETURNS int[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    since CONSTANT timestamptz := days[1];
    first CONSTANT int[] := ARRAY(SELECT s.id FROM unnest(ids, places) AS s (id, place)
                                  WHERE s.place = 1);
    full_ids CONSTANT int[] := ARRAY(
        SELECT e.series_id FROM core.energy_1d e
        WHERE e.tenant_id = owner AND e.series_id = ANY (first)
          AND e.bucket >= since AND e.bucket < until
        GROUP BY e.series_id
        HAVING count(*) >= cardinality(days));
    full_seats CONSTANT int[] := ARRAY(SELECT s.seat FROM unnest(ids, seats) AS s (id, seat)
                                       WHERE s.id = ANY (full_ids));
BEGIN
    RETURN ARRAY(SELECT s.id FROM unnest(ids, seats, places) AS s (id, seat, place)
                 WHERE s.place = 1 OR s.seat <> ALL (full_seats));
END
$$;

-- Nano-kWh between one edge and the next (slot 1, 2, …), by team of series. `days`: the local
-- days over the same time, from the one that edges[1] lies in on. On each day the series of a
-- seat (a device's role) that have data and are of the best place count, and no others. `open` is
-- what core.energy_open told. Nothing here needs an order; but the planner cannot know how long
-- arrays are, and left alone it sorts, or goes through all series for every row.
CREATE FUNCTION core.energy_slots(owner int, ids int[], seats int[], places int[], teams int[],
                                  open_ids int[], open_buckets timestamptz[],
                                  open_amounts bigint[], is_fine boolean, edges timestamptz[],
                                  days timestamptz[])
RETURNS TABLE (slot int, team int, nkwh numeric)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
SET enable_mergejoin = off
SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    day    CONSTANT timestamptz := days[1];
    since  CONSTANT timestamptz := edges[1];
    until  CONSTANT timestamptz := edges[cardinality(edges)];
    chosen CONSTANT int[] := core.energy_chosen(owner, ids, seats, places, days, until);
    -- one place a seat: nothing to choose between
    is_sole CONSTANT boolean := NOT EXISTS (
        SELECT FROM unnest(ids, places) AS s (id, place)
        WHERE s.place > 1 AND s.id = ANY (chosen));
BEGIN
    RETURN QUERY
    WITH series AS MATERIALIZED (
        SELECT * FROM unnest(ids, seats, places, teams) AS s (series_id, seat, place, team)
    ), open AS MATERIALIZED (
        SELECT o.* FROM unnest(open_ids, open_buckets, open_amounts) AS o (series_id, bucket, nkwh)
        WHERE o.bucket >= day AND o.bucket < until AND o.series_id = ANY (chosen)
    ), claims AS MATERIALIZED (
        SELECT s.seat, d.day, min(s.place) AS place
        FROM (SELECT e.series_id, width_bucket(e.bucket, days) AS day
              FROM core.energy_1d e
              WHERE e.tenant_id = owner AND e.series_id = ANY (chosen)
                AND e.bucket >= day AND e.bucket < until
              UNION ALL
              SELECT o.series_id, width_bucket(o.bucket, days) FROM open o) d
        JOIN series s USING (series_id)
        GROUP BY s.seat, d.day
    ), amounts AS (
        SELECT e.series_id, e.bucket, e.nkwh
        FROM core.energy_1d e
        WHERE NOT is_fine AND e.tenant_id = owner AND e.series_id = ANY (chosen)
          AND e.bucket >= since AND e.bucket < until
        UNION ALL
        SELECT e.series_id, e.bucket, e.nkwh
        FROM core.energy_15m e
        WHERE is_fine AND e.tenant_id = owner AND e.series_id = ANY (chosen)
          AND e.bucket >= since AND e.bucket < until
        UNION ALL
        SELECT o.series_id, o.bucket, o.nkwh FROM open o WHERE o.bucket >= since
    )
    SELECT width_bucket(a.bucket, edges), s.team, sum(a.nkwh)
    FROM amounts a JOIN series s USING (series_id)
    WHERE is_sole OR (s.seat, width_bucket(a.bucket, days), s.place)
                     IN (SELECT c.seat, c.day, c.place FROM claims c)
    GROUP BY 1, 2;
END
$$;

-- Energy of a tenant in the sites' local buckets: one part for each grain ('15m', '1h', '1d',
-- '1w', '1mo'), of buckets that start in [from_times, to_time). Devices in `apart` (NULL: all)
-- have rows of their own in the parts for which is_apart says so; what is left is added up by
-- role, with device_id NULL. Buckets without data have no row.
CREATE FUNCTION core.energy_buckets(owner int, grains text[], from_times timestamptz[],
                                    to_time timestamptz, is_apart boolean[], apart int[])
RETURNS TABLE (part int, bucket timestamptz, device_id int, role text, nkwh numeric)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    zone    record;
    open    record;
    longest interval;           -- that such a bucket lasts
    edges   timestamptz[];
    days    timestamptz[];
BEGIN
    FOR zone IN
        SELECT s.zone AS name, array_agg(s.series_id) AS ids, array_agg(s.kind) AS kinds,
               array_agg(s.factor * 1e9) AS scales, array_agg(s.seat) AS seats,
               array_agg(s.place) AS places, array_agg(s.device_id) AS devices,
               array_agg(s.role) AS roles, array_agg(s.role_team) AS role_teams,
               array_agg(CASE WHEN s.is_apart THEN s.seat ELSE s.role_team END) AS teams
        FROM (SELECT s.*, apart IS NULL OR s.device_id = ANY (apart) AS is_apart,
                     -dense_rank() OVER (ORDER BY s.role)::int AS role_team,
                     dense_rank() OVER (ORDER BY s.device_id, s.role)::int AS seat
              FROM core.energy_series(owner) s) s
        GROUP BY s.zone
    LOOP
        open := core.energy_open(owner, zone.ids, zone.kinds, zone.scales, closed);
        FOR part IN 1 .. cardinality(grains) LOOP
            longest := CASE grains[part]
                WHEN '15m' THEN interval '15 minutes' WHEN '1h' THEN interval '1 hour'
                WHEN '1d' THEN interval '27 hours' WHEN '1w' THEN interval '7 days 3 hours'
                WHEN '1mo' THEN interval '31 days 3 hours' END;
            -- all that start in the range, and the next one for an end
            edges := ARRAY(
                SELECT e.start
                FROM (SELECT b.start, lag(b.start) OVER (ORDER BY b.start) AS previous
                      FROM api.bucket_starts(zone.name, grains[part], from_times[part],
                                             to_time + longest + interval '1 hour') b) e
                WHERE e.start < to_time OR e.previous < to_time
                ORDER BY e.start);
            CONTINUE WHEN cardinality(edges) < 2;
            days := CASE WHEN grains[part] = '1d' THEN edges[:cardinality(edges) - 1] ELSE ARRAY(
                SELECT b.start
                FROM api.bucket_starts(zone.name, '1d',
                                       core.local_start('day', edges[1], zone.name),
                                       edges[cardinality(edges)]) b
                ORDER BY b.start) END;
            RETURN QUERY
            SELECT part, edges[x.slot], t.device_id, t.role, x.nkwh
            FROM core.energy_slots(
                     owner, zone.ids, zone.seats, zone.places,
                     CASE WHEN is_apart[part] THEN zone.teams ELSE zone.role_teams END,
                     open.series_ids, open.buckets, open.amounts, grains[part] IN ('15m', '1h'),
                     edges, days) x
            JOIN (SELECT u.team, CASE WHEN u.team > 0 THEN min(u.device_id) END AS device_id,
                         min(u.role) AS role
                  FROM unnest(zone.devices, zone.roles,
                              CASE WHEN is_apart[part] THEN zone.teams ELSE zone.role_teams END)
                       AS u (device_id, role, team)
                  GROUP BY u.team) t USING (team);
        END LOOP;
    END LOOP;
END
$$;

-- kWh of every device and role in the site's local buckets ('15m', '1h', '1d', '1w', '1mo') that
-- start in [from_time, to_time), ascending by (bucket, device, role); buckets without data have
-- no row. A device may tell the same energy in several ways: on each local day the best source of
-- a device and role that has data counts and no other.
CREATE FUNCTION api.energy_list(grain text, from_time timestamptz, to_time timestamptz)
RETURNS TABLE (bucket timestamptz, device text, role text, kwh float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    IF grain NOT IN ('15m', '1h', '1d', '1w', '1mo') THEN
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    SELECT e.bucket, d.key, e.role, e.nkwh::float8 / 1e9
    FROM core.energy_buckets(owner, ARRAY[grain], ARRAY[from_time], to_time, '{true}', NULL) e
    JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id
    ORDER BY e.bucket, d.key, e.role;
END
$$;

-- The same for a tenant's overview, up to to_time in one go: 'hours' from hours_from on and
-- 'today' from today_from on for each of the devices (keys) and, device NULL, all others
-- together; 'days' from days_from on for all devices together.
CREATE FUNCTION api.energy_overview(devices text[], hours_from timestamptz,
                                    days_from timestamptz, today_from timestamptz,
                                    to_time timestamptz)
RETURNS TABLE (part text, bucket timestamptz, device text, role text, kwh float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT ('{hours,days,today}'::text[])[e.part], e.bucket, d.key, e.role,
           e.nkwh::float8 / 1e9
    FROM core.energy_buckets(
             owner, '{1h,1d,1d}', ARRAY[hours_from, days_from, today_from], to_time,
             '{true,false,true}',
             ARRAY(SELECT d.id FROM core.device d
                   WHERE d.tenant_id = owner AND d.key = ANY (devices))) e
    LEFT JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id;
END
$$;

GRANT EXECUTE ON FUNCTION api.energy_list(text, timestamptz, timestamptz),
    api.energy_overview(text[], timestamptz, timestamptz, timestamptz, timestamptz)
    TO tidemark_web, tidemark_read;
