-- What pages read, cheaper. Plans are kept, but to begin one costs for each partition and chunk of each
-- table in it, whether or not it is read: so none has a table in it twice, what may not be needed is
-- a statement of its own, and what was asked for again and again is asked for once.

-- Since when the tenant of the transaction may see a kind of rows; '-infinity': all there are.
CREATE OR REPLACE FUNCTION core.visible_from(grain text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN coalesce(
        (SELECT now() - make_interval(days => CASE
                    WHEN grain = 'raw' THEN t.raw_days
                    WHEN grain = 'event' THEN t.event_days
                    WHEN grain IN ('15m', '1h') THEN t.hourly_days
                    WHEN grain IN ('1d', '1w', '1mo') THEN t.daily_days END)
         FROM core.tenant t WHERE t.id = owner), '-infinity');
END
$$;

-- ---- energy ----

-- What a step of readings from (t0, v0) to (t, v) amounts to, by quarter hour. A reading of an
-- interval (delta) belongs whole to its own, t0 is t then. Seconds since 1970; quarters since then.
CREATE FUNCTION core.energy_split(kind text, scale float8, t0 float8, v0 float8, t float8, v float8)
RETURNS TABLE (quarter int, nkwh bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
AS $$
    SELECT q.quarter,
           CASE kind WHEN 'delta' THEN round(least(greatest(scale * v, -9e17), 9e17))::bigint
           ELSE core.energy_until(kind, scale, v0, v, t - t0,
                                  least(t, (q.quarter + 1) * 900.0::float8) - t0)
                - core.energy_until(kind, scale, v0, v, t - t0,
                                    greatest(t0, q.quarter * 900.0::float8) - t0) END
    FROM (SELECT generate_series(floor(t0 / 900)::int,
                                 CASE kind WHEN 'delta' THEN floor(t / 900)
                                           ELSE ceil(t / 900) - 1 END::int) AS quarter) q
$$;

GRANT EXECUTE ON FUNCTION core.energy_split(text, float8, float8, float8, float8, float8)
    TO tidemark_door;

-- What the steps of a series that end in [from_time, to_time) amount to, by quarter hour; the
-- step into from_time's first reading may reach far back. The step into a counter's first reading
-- is left out where it began earlier than `reach` before from_time. Times are seconds since 1970 in
-- here: a second's fraction is exact to the microsecond until 2255. No settings, so that it becomes
-- part of the caller's plan.
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
    GROUP BY c.quarter
$$;

-- Readings of the series from from_time on: three parallel arrays, NULL where there are none.
CREATE FUNCTION core.samples_since(owner int, ids int[], from_time timestamptz,
                                   OUT series_ids int[], OUT times timestamptz[],
                                   OUT amounts float8[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    SELECT array_agg(x.series_id), array_agg(x.time), array_agg(x.value)
    INTO series_ids, times, amounts
    FROM core.sample x
    WHERE x.tenant_id = owner AND x.series_id = ANY (ids) AND x.time >= from_time;
END
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
    told  record;
BEGIN
    told := core.samples_since(owner, ids, from_time - interval '1 hour');
    IF told.series_ids IS NULL THEN
        RETURN;
    END IF;
    WITH reading AS MATERIALIZED (
        SELECT k.id, k.kind, k.scale, date_part('epoch', r.time) AS t, r.value AS v
        FROM unnest(told.series_ids, told.times, told.amounts) AS r (series_id, time, value)
        JOIN unnest(ids, kinds, scales) AS k (id, kind, scale) ON k.id = r.series_id
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
          GROUP BY 1, 2) p;
END
$$;

-- Energy and power series of a tenant, with their place in line: intervals before counters before
-- power; the plain names first. Series of one metric that differ in labels count together.
CREATE OR REPLACE FUNCTION core.energy_series(owner int)
RETURNS TABLE (series_id int, device_id int, role text, metric text, kind text, factor float8,
               place int, zone text)
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
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
           coalesce(p.timezone, t.timezone)
    FROM core.series s
    JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    JOIN core.tenant t ON t.id = owner
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    WHERE s.tenant_id = owner AND s.role <> 'none'
      AND s.unit = ANY (CASE s.kind WHEN 'gauge' THEN '{W,kW}' ELSE '{Wh,kWh,MWh}' END::text[]);
END
$$;

-- The tenant's series that tell energy or power, ascending by (device, role, place); on a day of its
-- site's zone only the series of a device and role that have data and are of the lowest place count.
-- watts: what power it told in the last 15 minutes; NULL: none, or its device is retired.
CREATE FUNCTION api.energy_sources()
RETURNS TABLE (series_id int, device text, role text, place int, zone text, watts float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT s.series_id, d.key, s.role, s.place, s.zone,
           CASE WHEN s.kind = 'gauge' AND d.retired_at IS NULL
                     AND l.time > now() - interval '15 minutes'
                THEN l.value * s.factor * 1000 END
    FROM core.energy_series(owner) s
    JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.series_id
    ORDER BY d.key, s.role, s.place;
END
$$;

-- Quarter hours of the series from from_time on: three parallel arrays.
CREATE FUNCTION core.energy_quarters_since(owner int, ids int[], from_time timestamptz,
                                           OUT series_ids bigint[], OUT buckets timestamptz[],
                                           OUT amounts bigint[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    SELECT array_agg(e.series_id::bigint), array_agg(e.bucket), array_agg(e.nkwh)
    INTO series_ids, buckets, amounts
    FROM core.energy_15m e
    WHERE e.tenant_id = owner AND e.series_id = ANY (ids) AND e.bucket >= from_time;
END
$$;

-- What these series amount to in nano-kWh: in quarter hours (UTC) from quarters_from on and in the
-- local days of their sites from days_from on, as far as these are closed; and in the quarter hours
-- of `open`, which is to be added to both. Three parallel arrays each, in no order, NULL where there
-- is nothing.
DROP FUNCTION api.energy_told(timestamptz, timestamptz);
CREATE FUNCTION api.energy_told(quarters_from timestamptz, days_from timestamptz,
                                OUT quarter_series bigint[], OUT quarters timestamptz[],
                                OUT quarter_nkwh bigint[],
                                OUT day_series bigint[], OUT days timestamptz[],
                                OUT day_nkwh bigint[],
                                OUT open_series bigint[], OUT open timestamptz[],
                                OUT open_nkwh bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner  CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    series record;
    told   record;
BEGIN
    SELECT array_agg(s.id) AS ids, array_agg(s.kind) AS kinds, array_agg(s.scale) AS scales
    INTO series
    FROM (SELECT s.id, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale
          FROM core.series s WHERE s.tenant_id = owner) s
    WHERE s.scale IS NOT NULL;
    told := core.energy_quarters_since(owner, series.ids, quarters_from);
    quarter_series := told.series_ids;
    quarters := told.buckets;
    quarter_nkwh := told.amounts;
    SELECT array_agg(e.series_id::bigint), array_agg(e.bucket), array_agg(e.nkwh)
    INTO day_series, days, day_nkwh
    FROM core.energy_1d e
    WHERE e.tenant_id = owner AND e.series_id = ANY (series.ids) AND e.bucket >= days_from;
    told := core.energy_open(owner, series.ids, series.kinds, series.scales, closed);
    open_series := told.series_ids;
    open := told.buckets;
    open_nkwh := told.amounts;
END
$$;

GRANT EXECUTE ON FUNCTION api.energy_sources(), api.energy_told(timestamptz, timestamptz)
    TO tidemark_web, tidemark_read;

-- ---- traces ----

-- Quarter hours and hours as pages draw them: closed ones from their table, and the open one and
-- those after it put together from quarter hours and samples, like in api.rollup_15m and _1h.
DO $functions$
DECLARE
    grain record;
BEGIN
    FOR grain IN SELECT * FROM (VALUES ('15m', '15 minutes'), ('1h', '1 hour')) AS g (name, width)
    LOOP
        EXECUTE format($sql$
            CREATE FUNCTION core.rollup_open_%1$s(owner int, wanted int[], edge timestamptz,
                closed timestamptz, since timestamptz, until timestamptz)
            RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8,
                           max float8, first float8, last float8, last_time timestamptz)
            LANGUAGE plpgsql STABLE
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
                SELECT o.series_id, o.bucket, sum(o.count)::bigint, sum(o.sum ORDER BY o.first_time),
                       min(o.min), max(o.max), (array_agg(o.first ORDER BY o.first_time))[1],
                       (array_agg(o.last ORDER BY o.first_time DESC))[1], max(o.last_time)
                FROM (SELECT q.*, date_bin('%2$s', q.at, timestamptz '2000-01-01 00:00:00+00')
                             AS bucket
                      FROM (SELECT y.series_id, y.time AS at, 1 AS count, y.value AS sum,
                                   y.value AS min, y.value AS max, y.value AS first,
                                   y.time AS first_time, y.value AS last, y.time AS last_time
                            FROM core.sample y
                            WHERE y.tenant_id = owner AND y.series_id = ANY (wanted)
                              AND y.time >= closed
                            UNION ALL
                            SELECT y.series_id, y.bucket, y.count, y.sum, y.min, y.max, y.first,
                                   y.first_time, y.last, y.last_time
                            FROM core.rollup_15m y
                            WHERE y.tenant_id = owner AND y.series_id = ANY (wanted)
                              AND y.bucket >= edge AND y.bucket < closed) q) o
                WHERE o.bucket >= since AND o.bucket < until
                GROUP BY o.series_id, o.bucket;
            END
            $$ $sql$, grain.name, grain.width);
        EXECUTE format($sql$
            CREATE OR REPLACE FUNCTION core.rollup_trace_%1$s(wanted int[], since timestamptz,
                                                              until timestamptz)
            RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8,
                           max float8, first float8, last float8, last_time timestamptz)
            LANGUAGE plpgsql STABLE
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            AS $$
            #variable_conflict use_column
            DECLARE
                owner  CONSTANT int := core.tenant();
                closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
                edge   CONSTANT timestamptz := date_bin('%2$s', closed,
                                                        timestamptz '2000-01-01 00:00:00+00');
                stop   CONSTANT timestamptz := least(until, edge);
                shown  CONSTANT timestamptz := greatest(since, core.visible_from('%1$s'));
            BEGIN
                RETURN QUERY
                SELECT r.series_id, r.bucket, r.count, r.sum, r.min, r.max, r.first, r.last,
                       r.last_time
                FROM core.rollup_%1$s r
                WHERE r.tenant_id = owner AND r.series_id = ANY (wanted)
                  AND r.bucket >= shown AND r.bucket < stop;
                IF until > edge THEN
                    RETURN QUERY
                    SELECT * FROM core.rollup_open_%1$s(owner, wanted, edge, closed, shown, until);
                END IF;
            END
            $$ $sql$, grain.name, grain.width);
    END LOOP;
END
$functions$;

-- ---- events ----

-- The newest events, without any filter: of a device or of the tenant. The same as core.event_walk_*
-- for what pages ask most; on an engine of many chunks each condition costs for each of them.
DO $functions$
DECLARE
    kind record;
BEGIN
    FOR kind IN
        SELECT * FROM (VALUES ('all', ''), ('device', 'AND e.device_id = only_device'))
                      AS k (name, condition)
    LOOP
        EXECUTE format($sql$
            CREATE FUNCTION core.event_newest_%1$s(owner int, only_device int, start timestamptz,
                                                   stop timestamptz, row_limit int)
            RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id uuid,
                           site text, data jsonb, key uuid)
            LANGUAGE plpgsql STABLE ROWS 100
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            SET enable_seqscan = off
            AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
                SELECT e.time, e.type, d.key, e.seq, e.id, s.key, e.data, e.key
                FROM (SELECT e.*
                      FROM core.event e
                      WHERE e.tenant_id = owner AND e.time >= start AND e.time < stop %2$s
                      ORDER BY e.time DESC, e.key DESC
                      LIMIT row_limit) e
                JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id
                LEFT JOIN core.site s ON s.tenant_id = owner AND s.id = e.site_id
                ORDER BY e.time DESC, e.key DESC;
            END
            $$ $sql$, kind.name, kind.condition);
    END LOOP;
END
$functions$;

CREATE OR REPLACE FUNCTION api.event_list(of_type text, of_device text, from_time timestamptz,
                               to_time timestamptz, before_time timestamptz, before_key uuid,
                               data_filter jsonb, row_limit int, of_site text DEFAULT NULL,
                               data_also jsonb[] DEFAULT '{}', is_after boolean DEFAULT false)
RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id uuid, site text,
               data jsonb, key uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    start CONSTANT timestamptz := greatest(from_time, core.visible_from('event'),
                                           CASE WHEN is_after THEN before_time END);
    stop  CONSTANT timestamptz := least(to_time, CASE WHEN NOT is_after
                                                      THEN before_time + interval '1 microsecond' END);
    only_device int;
    only_site   int;
BEGIN
    IF of_device IS NOT NULL THEN
        only_device := (SELECT d.id FROM core.device d
                        WHERE d.tenant_id = owner AND d.key = of_device);
    END IF;
    IF of_site IS NOT NULL THEN
        only_site := (SELECT s.id FROM core.site s WHERE s.tenant_id = owner AND s.key = of_site);
    END IF;
    IF (of_device IS NOT NULL AND only_device IS NULL)
        OR (of_site IS NOT NULL AND only_site IS NULL) THEN
        RETURN;
    END IF;
    IF NOT is_after AND before_time IS NULL AND of_type IS NULL AND only_site IS NULL
       AND data_filter IS NULL AND data_also = '{}' THEN
        IF only_device IS NULL THEN
            RETURN QUERY SELECT * FROM core.event_newest_all(owner, NULL, start, stop, row_limit);
        ELSE
            RETURN QUERY SELECT * FROM core.event_newest_device(owner, only_device, start, stop,
                                                                row_limit);
        END IF;
    ELSIF is_after AND only_device IS NOT NULL THEN
        RETURN QUERY SELECT * FROM core.event_climb_device(of_type, only_device, only_site, start,
            stop, before_time, before_key, data_filter, data_also, row_limit);
    ELSIF is_after AND of_type IS NOT NULL THEN
        RETURN QUERY SELECT * FROM core.event_climb_typed(of_type, only_device, only_site, start,
            stop, before_time, before_key, data_filter, data_also, row_limit);
    ELSIF is_after THEN
        RETURN QUERY SELECT * FROM core.event_climb_all(of_type, only_device, only_site, start,
            stop, before_time, before_key, data_filter, data_also, row_limit);
    ELSIF only_device IS NOT NULL THEN
        RETURN QUERY SELECT * FROM core.event_walk_device(of_type, only_device, only_site, start,
            stop, before_time, before_key, data_filter, data_also, row_limit);
    ELSIF of_type IS NOT NULL THEN
        RETURN QUERY SELECT * FROM core.event_walk_typed(of_type, only_device, only_site, start,
            stop, before_time, before_key, data_filter, data_also, row_limit);
    ELSE
        RETURN QUERY SELECT * FROM core.event_walk_all(of_type, only_device, only_site, start,
            stop, before_time, before_key, data_filter, data_also, row_limit);
    END IF;
END
$$;
