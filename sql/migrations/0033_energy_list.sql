-- Energy as it is asked for: of a tenant, a site or a device, in local buckets of any zone, page by
-- page, exact. Takes the place of the list by device and role.

DROP FUNCTION api.energy_list(text, timestamptz, timestamptz),
    core.energy_buckets(int, text, timestamptz, text, timestamptz, timestamptz, timestamptz,
                        boolean, int[]),
    core.energy_slots(int, int[], int[], int[], int[], int[], int[], timestamptz[], bigint[],
                      timestamptz[], timestamptz[], timestamptz[], timestamptz[]);

-- Nano-kWh of series by role between one edge and the next (slot 1, 2, …); slots without data have
-- no row. `daily`: read from the local days of their site, which must lie whole between edges; the
-- other series from quarter hours. On each day of its site the series of a seat (a device's role)
-- that have data and are of the best place count, and no others; `contested`: seats that have
-- several. `open_*` is what core.energy_open told. Nothing here needs an order; but the planner
-- cannot know how long arrays are, and left alone it sorts, or goes through all series for every
-- row. `(SELECT edges)`: an array of plpgsql's would be unpacked anew for each row.
CREATE FUNCTION core.energy_slots(owner int, ids int[], seats int[], places int[], zones text[],
                                  roles text[], daily int[], contested int[], open_ids int[],
                                  open_buckets timestamptz[], open_amounts bigint[],
                                  edges timestamptz[])
RETURNS TABLE (slot int, role text, nkwh numeric)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
SET enable_mergejoin = off
SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    since CONSTANT timestamptz := edges[1];
    until CONSTANT timestamptz := edges[cardinality(edges)];
    fine  CONSTANT int[] := ARRAY(SELECT i.id FROM unnest(ids) AS i (id) WHERE i.id <> ALL (daily));
    -- a day that touches the span may begin so much before it
    first_day CONSTANT timestamptz := since - interval '27 hours';
    rivals CONSTANT int[] := ARRAY(
        SELECT s.id FROM unnest(ids, seats) AS s (id, seat) WHERE s.seat = ANY (contested));
BEGIN
    RETURN QUERY
    WITH series AS MATERIALIZED (
        SELECT s.*, s.series_id = ANY (rivals) AS has_rivals
        FROM unnest(ids, seats, places, zones, roles) AS s (series_id, seat, place, zone, role)
    ), open AS MATERIALIZED (
        SELECT o.* FROM unnest(open_ids, open_buckets, open_amounts) AS o (series_id, bucket, nkwh)
        WHERE o.bucket >= first_day AND o.bucket < until
    ), best AS MATERIALIZED (
        SELECT s.seat, (p.bucket AT TIME ZONE s.zone)::date AS day, min(s.place) AS place
        FROM (SELECT e.series_id, e.bucket FROM core.energy_1d e
              WHERE e.tenant_id = owner AND e.series_id = ANY (rivals)
                AND e.bucket >= first_day AND e.bucket < until
              UNION ALL
              SELECT o.series_id, o.bucket FROM open o) p
        JOIN series s USING (series_id)
        WHERE s.has_rivals
        GROUP BY 1, 2
    ), told AS (
        SELECT e.series_id, e.bucket, e.nkwh FROM core.energy_1d e
        WHERE e.tenant_id = owner AND e.series_id = ANY (daily)
          AND e.bucket >= since AND e.bucket < until
        UNION ALL
        SELECT e.series_id, e.bucket, e.nkwh FROM core.energy_15m e
        WHERE e.tenant_id = owner AND e.series_id = ANY (fine)
          AND e.bucket >= since AND e.bucket < until
        UNION ALL
        SELECT o.series_id, o.bucket, o.nkwh FROM open o WHERE o.bucket >= since
    )
    SELECT width_bucket(t.bucket, (SELECT edges)), s.role, sum(t.nkwh)
    FROM told t
    JOIN series s USING (series_id)
    LEFT JOIN best b ON s.has_rivals AND b.seat = s.seat
                    AND b.day = (t.bucket AT TIME ZONE s.zone)::date
    WHERE b.place IS NULL OR s.place <= b.place
    GROUP BY 1, 2;
END
$$;

-- The first time from from_time on at which one of the series has energy; NULL: none.
CREATE FUNCTION core.energy_next(owner int, ids int[], open_buckets timestamptz[],
                                 from_time timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT least(
        (SELECT min(f.bucket)
         FROM unnest(ids) AS i (id)
         CROSS JOIN LATERAL (SELECT e.bucket FROM core.energy_15m e
                             WHERE e.tenant_id = owner AND e.series_id = i.id
                               AND e.bucket >= from_time
                             ORDER BY e.bucket LIMIT 1) f),
        (SELECT min(f.bucket)
         FROM unnest(ids) AS i (id)
         CROSS JOIN LATERAL (SELECT e.bucket FROM core.energy_1d e
                             WHERE e.tenant_id = owner AND e.series_id = i.id
                               AND e.bucket >= from_time
                             ORDER BY e.bucket LIMIT 1) f),
        (SELECT min(o.bucket) FROM unnest(open_buckets) AS o (bucket)
         WHERE o.bucket >= from_time))
$$;

-- What of a place's energy by role was used, in kWh: by the grid's meter where there is one (its
-- import - export + generation, at least 0: devices are then parts of it), else what devices
-- consumed. The same as flow.h says for pages.
CREATE FUNCTION core.energy_used(consumption numeric, generation numeric, grid_import numeric,
                                 grid_export numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN grid_import IS NULL THEN consumption
           ELSE greatest(0, grid_import - coalesce(grid_export, 0) + coalesce(generation, 0)) END
$$;

-- Energy of the tenant, of a site, or of a device, in buckets ('15m', '1h', '1d', '1w', '1mo') that
-- start in [from_time, to_time), ascending, at most row_limit (NULL: all); buckets without data have
-- no row. The clock is tz's, else the device's site's, else the site's, else the tenant's. kWh,
-- exact; NULL: nothing of that role is known. A sub-meter is not added to others, but is what its
-- own device consumed.
CREATE FUNCTION api.energy_list(grain text, tz text, of_site text, of_device text,
                                from_time timestamptz, to_time timestamptz, row_limit int)
RETURNS TABLE (bucket timestamptz, energy_kwh numeric, consumption_kwh numeric,
               generation_kwh numeric, grid_import_kwh numeric, grid_export_kwh numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner   CONSTANT int := core.tenant();
    closed  CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    longest CONSTANT interval := core.grain_longest(grain);
    n_page  CONSTANT int := least(coalesce(row_limit, 1000), 1000) + 1;
    clock   text;
    next    timestamptz;
    series  record;
    open    record;
    edges   timestamptz[];
    at      timestamptz := from_time;
    until   timestamptz;
    n_left  int := row_limit;
    n_rows  int;
BEGIN
    SELECT coalesce(tz, (SELECT s.timezone FROM core.site s
                         WHERE s.tenant_id = owner AND s.key = of_site),
                    (SELECT s.timezone FROM core.device d
                     JOIN core.site s ON s.tenant_id = owner AND s.id = d.site_id
                     WHERE d.tenant_id = owner AND d.key = of_device AND of_site IS NULL),
                    t.timezone)
    INTO clock FROM core.tenant t WHERE t.id = owner;
    SELECT array_agg(s.series_id) AS ids, array_agg(s.kind) AS kinds,
           array_agg(s.factor * 1e9) AS scales, array_agg(s.seat) AS seats,
           array_agg(s.place) AS places, array_agg(s.zone) AS zones,
           array_agg(CASE WHEN s.role = 'sub_meter' AND of_device IS NOT NULL THEN 'consumption'
                     ELSE s.role END) AS roles,
           coalesce(array_agg(s.series_id) FILTER (WHERE grain NOT IN ('15m', '1h')
                                                     AND s.zone = clock), '{}') AS daily,
           coalesce(array_agg(DISTINCT s.seat) FILTER (WHERE s.place > 1), '{}') AS contested
    INTO series
    FROM (SELECT s.*, dense_rank() OVER (ORDER BY s.device_id, s.role)::int AS seat
          FROM core.energy_series(owner) s) s
    JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    WHERE (of_device IS NULL OR d.key = of_device) AND (of_site IS NULL OR p.key = of_site);
    IF series.ids IS NULL OR clock IS NULL THEN
        PERFORM core.local_start('day', now(), clock);    -- a zone that there is not is told anyway
        RETURN;
    END IF;
    open := core.energy_open(owner, series.ids, series.kinds, series.scales, closed);
    n_rows := CASE WHEN at > '-infinity' THEN 1 ELSE 0 END;
    LOOP
        IF n_rows = 0 THEN
            -- nothing here: on to where there is something; its bucket may have begun before
            next := core.energy_next(owner, series.ids, open.buckets, at);
            EXIT WHEN next IS NULL;
            at := greatest(at, next - longest);
        END IF;
        EXIT WHEN at >= to_time;
        until := least(to_time, at + n_page * longest);
        edges := core.energy_edges(clock, grain, at, until);
        n_rows := 0;
        IF edges <> '{}' THEN
            RETURN QUERY
            SELECT edges[k.slot],
                   trim_scale(core.energy_used(k.consumption, k.generation, k.import, k.export)),
                   trim_scale(k.consumption), trim_scale(k.generation), trim_scale(k.import),
                   trim_scale(k.export)
            FROM (SELECT x.slot,
                         sum(x.nkwh) FILTER (WHERE x.role = 'consumption') * 0.000000001 AS consumption,
                         sum(x.nkwh) FILTER (WHERE x.role = 'generation') * 0.000000001 AS generation,
                         sum(x.nkwh) FILTER (WHERE x.role = 'grid_import') * 0.000000001 AS import,
                         sum(x.nkwh) FILTER (WHERE x.role = 'grid_export') * 0.000000001 AS export
                  FROM core.energy_slots(owner, series.ids, series.seats, series.places,
                                         series.zones, series.roles, series.daily,
                                         series.contested, open.series_ids, open.buckets,
                                         open.amounts, edges) x
                  WHERE x.role IN ('consumption', 'generation', 'grid_import', 'grid_export')
                  GROUP BY x.slot) k
            ORDER BY k.slot
            LIMIT n_left;
            GET DIAGNOSTICS n_rows = ROW_COUNT;
            n_left := n_left - n_rows;
            until := greatest(until, edges[cardinality(edges)]);
        END IF;
        EXIT WHEN n_left <= 0;
        at := until;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.energy_list(text, text, text, text, timestamptz, timestamptz, int)
    TO tidemark_web, tidemark_read;
