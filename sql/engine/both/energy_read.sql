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

-- Nano-kWh between one edge and the next (slot 1, 2, …), by team of series, in up to three parts
-- read in one go: 1, quarter hours between the edges `fine`, by team; 2, days between the edges
-- `coarse`, by coarse_team; 3, days between the edges `late`, by team. An array of edges that is
-- empty has no part. `days`: the local days over all of that time. On each day the series of a
-- seat (a device's role) that have data and are of the best place count, and no others. `open_*` is
-- what core.energy_open told. Nothing here needs an order; but the planner cannot know how long
-- arrays are, and left alone it sorts, or goes through all series for every row. `(SELECT days)`: an
-- array of plpgsql's would be unpacked anew for each row, which takes ten times what the rest does.
CREATE FUNCTION core.energy_slots(owner int, ids int[], seats int[], places int[], teams int[],
                                  coarse_teams int[], open_ids int[], open_buckets timestamptz[],
                                  open_amounts bigint[], days timestamptz[], fine timestamptz[],
                                  coarse timestamptz[], late timestamptz[])
RETURNS TABLE (part int, slot int, team int, nkwh numeric)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
SET enable_mergejoin = off
SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    since        CONSTANT timestamptz := days[1];
    until        CONSTANT timestamptz := days[cardinality(days)];
    fine_from    CONSTANT timestamptz := fine[1];
    fine_until   CONSTANT timestamptz := fine[cardinality(fine)];
    coarse_from  CONSTANT timestamptz := coarse[1];
    coarse_until CONSTANT timestamptz := coarse[cardinality(coarse)];
    late_from    CONSTANT timestamptz := late[1];
    late_until   CONSTANT timestamptz := late[cardinality(late)];
BEGIN
    RETURN QUERY
    WITH series AS MATERIALIZED (
        SELECT * FROM unnest(ids, seats, places, teams, coarse_teams)
                      AS s (series_id, seat, place, team, coarse_team)
    ), open AS MATERIALIZED (
        SELECT s.*, o.bucket, o.nkwh
        FROM unnest(open_ids, open_buckets, open_amounts) AS o (series_id, bucket, nkwh)
        JOIN series s USING (series_id)
        WHERE o.bucket >= since AND o.bucket < until
    ), daily AS MATERIALIZED (
        SELECT s.seat, s.place, s.team, s.coarse_team, width_bucket(e.bucket, (SELECT days)) AS day,
               e.bucket, e.nkwh
        FROM core.energy_1d e JOIN series s USING (series_id)
        WHERE e.tenant_id = owner AND e.series_id = ANY (ids)
          AND e.bucket >= since AND e.bucket < until
        UNION ALL
        SELECT o.seat, o.place, o.team, o.coarse_team, width_bucket(o.bucket, (SELECT days)),
               o.bucket, o.nkwh
        FROM open o
    ), outdone AS MATERIALIZED (
        SELECT d.seat, d.day, d.place FROM daily d
        WHERE d.place > 1
          AND EXISTS (SELECT FROM daily better
                      WHERE better.seat = d.seat AND better.day = d.day
                        AND better.place < d.place)
    )
    SELECT 1, width_bucket(q.bucket, (SELECT fine)), q.team, sum(q.nkwh)
    FROM (SELECT s.seat, s.place, s.team, e.bucket, e.nkwh
          FROM core.energy_15m e JOIN series s USING (series_id)
          WHERE e.tenant_id = owner AND e.series_id = ANY (ids)
            AND e.bucket >= fine_from AND e.bucket < fine_until
          UNION ALL
          SELECT o.seat, o.place, o.team, o.bucket, o.nkwh FROM open o
          WHERE o.bucket >= fine_from AND o.bucket < fine_until) q
    WHERE q.place = 1 OR (q.seat, width_bucket(q.bucket, (SELECT days)), q.place)
                         NOT IN (SELECT o.seat, o.day, o.place FROM outdone o)
    GROUP BY 2, 3
    UNION ALL
    SELECT 2, width_bucket(d.bucket, (SELECT coarse)), d.coarse_team, sum(d.nkwh)
    FROM daily d
    WHERE d.bucket >= coarse_from AND d.bucket < coarse_until
      AND (d.place = 1 OR (d.seat, d.day, d.place)
                          NOT IN (SELECT o.seat, o.day, o.place FROM outdone o))
    GROUP BY 2, 3
    UNION ALL
    SELECT 3, width_bucket(d.bucket, (SELECT late)), d.team, sum(d.nkwh)
    FROM daily d
    WHERE d.bucket >= late_from AND d.bucket < late_until
      AND (d.place = 1 OR (d.seat, d.day, d.place)
                          NOT IN (SELECT o.seat, o.day, o.place FROM outdone o))
    GROUP BY 2, 3;
END
$$;

-- The edges of a grain's buckets that start in [from_time, to_time) by a zone's clock: all starts,
-- and the end of the last. Empty where there is none, or no grain.
CREATE FUNCTION core.energy_edges(tz text, grain text, from_time timestamptz, to_time timestamptz)
RETURNS timestamptz[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    edges timestamptz[];
    n     int;
BEGIN
    IF grain IS NULL THEN
        RETURN '{}';
    END IF;
    edges := ARRAY(
        SELECT b.start
        FROM api.bucket_starts(tz, grain, from_time,
                               to_time + core.grain_longest(grain) + interval '1 hour') b
        ORDER BY b.start);
    n := width_bucket(to_time - interval '1 microsecond', edges);
    RETURN CASE WHEN n = 0 THEN '{}' ELSE edges[:n + 1] END;
END
$$;

-- Energy of a tenant in the sites' local buckets, in up to three parts: 1, buckets of fine_grain
-- ('15m', '1h') that start in [fine_from, to_time); 2, of coarse_grain ('1d', '1w', '1mo') from
-- coarse_from on; 3, of these those from late_from on. NULL: no such part; a fine one begins no
-- earlier than the coarse one. Devices in `apart` (NULL: all) have rows of their own in parts 1 and
-- 3, and in 2 where is_coarse_apart; what is left is added up by role, with device_id NULL.
-- Buckets without data have no row.
CREATE FUNCTION core.energy_buckets(owner int, fine_grain text, fine_from timestamptz,
                                    coarse_grain text, coarse_from timestamptz,
                                    late_from timestamptz, to_time timestamptz,
                                    is_coarse_apart boolean, apart int[])
RETURNS TABLE (part int, bucket timestamptz, device_id int, role text, nkwh numeric)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    zone   record;
    open   record;
    fine   timestamptz[];
    coarse timestamptz[];
    late   timestamptz[];
    days   timestamptz[];
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
        fine := core.energy_edges(zone.name, fine_grain, fine_from, to_time);
        coarse := core.energy_edges(zone.name, coarse_grain, coarse_from, to_time);
        CONTINUE WHEN fine = '{}' AND coarse = '{}';
        late := coarse[width_bucket(late_from - interval '1 microsecond', coarse) + 1:];
        days := CASE WHEN coarse_grain = '1d' AND coarse <> '{}' THEN coarse
                     ELSE core.energy_edges(
                         zone.name, '1d',
                         core.local_start('day', least(fine[1], coarse[1]), zone.name),
                         greatest(fine[cardinality(fine)], coarse[cardinality(coarse)])) END;
        open := core.energy_open(owner, zone.ids, zone.kinds, zone.scales, closed);
        RETURN QUERY
        SELECT x.part, CASE x.part WHEN 1 THEN fine[x.slot] WHEN 2 THEN coarse[x.slot]
                                   ELSE late[x.slot] END, t.device_id, t.role, x.nkwh
        FROM core.energy_slots(
                 owner, zone.ids, zone.seats, zone.places, zone.teams,
                 CASE WHEN is_coarse_apart THEN zone.teams ELSE zone.role_teams END,
                 open.series_ids, open.buckets, open.amounts, days, fine, coarse, late) x
        JOIN (SELECT u.team, CASE WHEN u.team > 0 THEN min(u.device_id) END AS device_id,
                     min(u.role) AS role
              FROM unnest(zone.devices || zone.devices, zone.roles || zone.roles,
                          zone.teams || zone.role_teams) AS u (device_id, role, team)
              GROUP BY u.team) t USING (team);
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
    owner   CONSTANT int := core.tenant();
    is_fine CONSTANT boolean := grain IN ('15m', '1h');
BEGIN
    IF grain NOT IN ('15m', '1h', '1d', '1w', '1mo') THEN
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    SELECT e.bucket, d.key, e.role, e.nkwh::float8 / 1e9
    FROM core.energy_buckets(
             owner, CASE WHEN is_fine THEN grain END, from_time,
             CASE WHEN NOT is_fine THEN grain END, from_time, NULL, to_time, true, NULL) e
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
             owner, '1h', hours_from, '1d', days_from, today_from, to_time, false,
             ARRAY(SELECT d.id FROM core.device d
                   WHERE d.tenant_id = owner AND d.key = ANY (devices))) e
    LEFT JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id;
END
$$;

GRANT EXECUTE ON FUNCTION api.energy_list(text, timestamptz, timestamptz),
    api.energy_overview(text[], timestamptz, timestamptz, timestamptz, timestamptz)
    TO tidemark_web, tidemark_read;
