-- ---- reading: closed buckets from the tables, open ones from what they will be made of ----

-- Since when the tenant of the transaction may see buckets of a grain.
CREATE FUNCTION core.visible_from(grain text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN '-infinity'::timestamptz;
END
$$;
GRANT EXECUTE ON FUNCTION core.visible_from(text) TO tidemark_web, tidemark_read;

-- One view a grain, all of one shape. Of a series: the rows of the table that begin before the
-- bucket that is open (`edge`), and that bucket and those after it, put together from closed days
-- (weeks and months), from closed quarter hours, and from the samples that came since. Conditions
-- on series_id and bucket reach the indexes. The lists ask functions of the same text,
-- core.rollup_slice_*: these keep their plans, and making one costs several times what it takes to
-- run, for each partition has its part in it.
DO $views$
DECLARE
    view record;
    body text;
BEGIN
    FOR view IN
        SELECT l.*,
               CASE WHEN l.unit IS NULL THEN format('date_bin(%L, %%s, %s)', l.width, l.origin)
                    ELSE format('core.local_start(%L, %%s, z.timezone)', l.unit) END AS start,
               l.grain IN ('1w', '1mo') AS has_days
        FROM (VALUES ('15m', '15 minutes', NULL), ('1h', '1 hour', NULL), ('1d', NULL, 'day'),
                     ('1w', NULL, 'week'), ('1mo', NULL, 'month')) AS v (grain, width, unit)
        CROSS JOIN (VALUES ($$timestamptz '2000-01-01 00:00:00+00'$$)) AS o (origin)
        CROSS JOIN LATERAL (SELECT v.*, o.origin) l
    LOOP
        body := format($sql$
            SELECT x.id AS series_id, x.device_id, d.key AS device, x.metric, x.unit, x.kind, x.role,
                   r.bucket, r.count, r.sum, r.min, r.max, r.first, r.first_time, r.last, r.last_time
            FROM %7$s core.series x
            JOIN core.device d ON d.tenant_id = x.tenant_id AND d.id = x.device_id
            JOIN core.tenant t ON t.id = x.tenant_id
            LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id
            CROSS JOIN LATERAL (SELECT coalesce(p.timezone, t.timezone) AS timezone) z
            CROSS JOIN LATERAL (SELECT %2$s AS edge, %3$s AS day_edge) e
            CROSS JOIN LATERAL (
                SELECT r.bucket, r.count, r.sum, r.min, r.max, r.first, r.first_time, r.last,
                       r.last_time
                FROM core.rollup_%1$s r
                WHERE r.tenant_id = x.tenant_id AND r.series_id = x.id AND r.bucket < e.edge
                  AND r.bucket >= %8$s
                UNION ALL
                SELECT o.bucket, sum(o.count)::bigint, sum(o.sum ORDER BY o.first_time),
                       min(o.min), max(o.max), (array_agg(o.first ORDER BY o.first_time))[1],
                       min(o.first_time), (array_agg(o.last ORDER BY o.first_time DESC))[1],
                       max(o.last_time)
                FROM (SELECT %4$s AS bucket, q.*
                      FROM (SELECT date_bin('15 minutes', y.time,
                                            timestamptz '2000-01-01 00:00:00+00') AS at,
                                   1 AS count, y.value AS sum, y.value AS min, y.value AS max,
                                   y.value AS first, y.time AS first_time, y.value AS last,
                                   y.time AS last_time
                            FROM core.sample y
                            WHERE y.tenant_id = x.tenant_id AND y.series_id = x.id
                              AND y.time >= c.closed_until
                            %5$s %6$s) q) o
                %9$s
                GROUP BY o.bucket) r
            WHERE x.tenant_id = %10$s
        $sql$, view.grain, format(view.start, 'c.closed_until'),
            CASE WHEN view.unit IS NULL THEN format(view.start, 'c.closed_until')
                 ELSE $$core.local_start('day', c.closed_until, z.timezone)$$ END,
            format(view.start, 'q.at'),
            CASE WHEN view.grain <> '15m' THEN $$
                            UNION ALL
                            SELECT y.bucket, y.count, y.sum, y.min, y.max, y.first, y.first_time,
                                   y.last, y.last_time
                            FROM core.rollup_15m y
                            WHERE y.tenant_id = x.tenant_id AND y.series_id = x.id
                              AND y.bucket >= e.day_edge AND y.bucket < c.closed_until
                              -- partitions are left out by what is known beforehand
                              AND y.bucket >= c.closed_until - interval '27 hours'$$ END,
            CASE WHEN view.has_days THEN $$
                            UNION ALL
                            SELECT y.bucket, y.count, y.sum, y.min, y.max, y.first, y.first_time,
                                   y.last, y.last_time
                            FROM core.rollup_1d y
                            WHERE y.tenant_id = x.tenant_id AND y.series_id = x.id
                              AND y.bucket >= e.edge AND y.bucket < e.day_edge$$ END,
            '%1$s', '%2$s', '%3$s', '%4$s');
        EXECUTE format('CREATE OR REPLACE VIEW api.rollup_%s WITH (security_barrier) AS ', view.grain)
            || format(body, 'core.rollup_state c CROSS JOIN',
                      format('(SELECT core.visible_from(%L))', view.grain), '',
                      '(SELECT core.tenant())');
        -- Of the series `wanted`, buckets that begin in [since, until) and after the cursor.
        EXECUTE format($sql$
            CREATE FUNCTION core.rollup_slice_%1$s(wanted int[], since timestamptz, until timestamptz,
                after_bucket timestamptz, after_series int, row_limit int)
            RETURNS SETOF api.rollup_%1$s
            LANGUAGE plpgsql STABLE
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            AS $$
            DECLARE
                owner   CONSTANT int := core.tenant();
                closed  CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
                shown   CONSTANT timestamptz := greatest(since, core.visible_from('%1$s'));
                is_open CONSTANT boolean := until > closed - core.grain_longest('%1$s');
            BEGIN
                RETURN QUERY
                SELECT r.* FROM (%2$s) r
                WHERE r.bucket >= since AND r.bucket < until
                  AND (after_bucket IS NULL OR (r.bucket, r.series_id) > (after_bucket, after_series))
                ORDER BY r.bucket, r.series_id
                LIMIT row_limit;
            END
            $$ $sql$, view.grain,
            replace(format(body, '', 'shown AND r.bucket < until', 'WHERE is_open',
                           'owner AND x.id = ANY (wanted)'), 'c.closed_until', 'closed'));
        -- The same without a position, in no order, and no more of a row than is drawn: it is
        -- handed through from one function to the next.
        EXECUTE format($sql$
            CREATE FUNCTION core.rollup_trace_%1$s(wanted int[], since timestamptz, until timestamptz)
            RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8,
                           max float8, first float8, last float8, last_time timestamptz)
            LANGUAGE plpgsql STABLE
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            AS $$
            #variable_conflict use_column
            DECLARE
                owner   CONSTANT int := core.tenant();
                closed  CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
                shown   CONSTANT timestamptz := greatest(since, core.visible_from('%1$s'));
                is_open CONSTANT boolean := until > closed - core.grain_longest('%1$s');
            BEGIN
                RETURN QUERY
                SELECT r.series_id, r.bucket, r.count, r.sum, r.min, r.max, r.first, r.last,
                       r.last_time
                FROM (%2$s) r
                WHERE r.bucket >= since AND r.bucket < until;
            END
            $$ $sql$, view.grain,
            replace(format(body, '', 'shown AND r.bucket < until', 'WHERE is_open',
                           'owner AND x.id = ANY (wanted)'), 'c.closed_until', 'closed'));
    END LOOP;
END
$views$;

-- The buckets of a grain ('15m', '1h', '1d', '1w', '1mo') that begin in [from_time, to_time), of
-- one device, metric or site or all (NULL), ascending by (bucket, series_id), after the cursor
-- (after_bucket, after_series) where one is given; row_limit NULL: all of them. Works through the
-- range in slices, from each slice's first bucket on, so that it reads little more than it
-- returns.
DROP FUNCTION api.rollup_list(text, text, text, timestamptz, timestamptz, int, timestamptz, int);
CREATE FUNCTION api.rollup_list(grain text, of_device text, of_metric text, from_time timestamptz,
                                to_time timestamptz, row_limit int,
                                after_bucket timestamptz DEFAULT NULL,
                                after_series int DEFAULT NULL, of_site text DEFAULT NULL)
RETURNS TABLE (series_id int, device_id int, device text, metric text, unit text, kind text,
               role text, bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, first_time timestamptz, last float8, last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- the longest that such a bucket lasts
    longest CONSTANT interval := core.grain_longest(grain);
    wanted  CONSTANT int[] := core.series_wanted(of_device, of_metric, of_site);
    remaining int := row_limit;
    start   timestamptz := greatest(from_time, after_bucket);
    stop    timestamptz;
    n_rows  int;
BEGIN
    WHILE wanted <> '{}' AND (remaining > 0 OR row_limit IS NULL) AND start < to_time LOOP
        stop := to_time;
        IF row_limit IS NOT NULL THEN
            start := core.rollup_next(grain, wanted, start, to_time);
            EXIT WHEN start IS NULL;
            -- enough buckets for what is wanted yet, were all series there
            stop := least(to_time, start + longest
                                   * (1 + ceil(remaining::float8 / cardinality(wanted))));
        END IF;
        RETURN QUERY EXECUTE format('SELECT * FROM core.rollup_slice_%s($1, $2, $3, $4, $5, $6)',
                                    grain)
            USING wanted, start, stop, after_bucket, after_series, remaining;
        GET DIAGNOSTICS n_rows = ROW_COUNT;
        remaining := remaining - n_rows;
        start := stop;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION api.rollup_list(text, text, text, timestamptz, timestamptz, int,
                                          timestamptz, int, text)
    TO tidemark_web, tidemark_read;

-- The buckets of a grain of some of the tenant's series that begin in [from_time, to_time), in no
-- order: what the pages draw.
CREATE FUNCTION api.rollup_trace(grain text, series_ids int[], from_time timestamptz,
                                 to_time timestamptz)
RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, last float8, last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF grain = '15m' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_15m(series_ids, from_time, to_time);
    ELSIF grain = '1h' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1h(series_ids, from_time, to_time);
    ELSIF grain = '1d' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1d(series_ids, from_time, to_time);
    ELSIF grain = '1w' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1w(series_ids, from_time, to_time);
    ELSIF grain = '1mo' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1mo(series_ids, from_time, to_time);
    ELSE
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
END
$$;
GRANT EXECUTE ON FUNCTION api.rollup_trace(text, int[], timestamptz, timestamptz)
    TO tidemark_web, tidemark_read;

-- The longest that a bucket of the grain lasts.
CREATE FUNCTION core.grain_longest(grain text) RETURNS interval
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT interval := CASE grain
        WHEN '15m' THEN interval '15 minutes' WHEN '1h' THEN interval '1 hour'
        WHEN '1d' THEN interval '27 hours' WHEN '1w' THEN interval '7 days 3 hours'
        WHEN '1mo' THEN interval '31 days 3 hours' END;
BEGIN
    IF longest IS NULL THEN
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
    RETURN longest;
END
$$;

-- The tenant's series of a device, metric and site, or all (NULL).
CREATE FUNCTION core.series_wanted(of_device text, of_metric text, of_site text) RETURNS int[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN ARRAY(
        SELECT s.id FROM core.device d
        JOIN core.series s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
        LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id
        WHERE d.tenant_id = owner AND (of_device IS NULL OR d.key = of_device)
          AND (of_metric IS NULL OR s.metric = of_metric)
          AND (of_site IS NULL OR p.key = of_site)
        ORDER BY s.id);
END
$$;

-- Not before here begins the first bucket of the series at or after from_time; NULL: there is
-- none before to_time.
CREATE FUNCTION core.rollup_next(grain text, wanted int[], from_time timestamptz,
                                 to_time timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner   CONSTANT int := core.tenant();
    longest CONSTANT interval := core.grain_longest(grain);
    closed  CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    head    timestamptz;         -- of the closed ones
    open    timestamptz;         -- of those that are open
BEGIN
    EXECUTE format('SELECT min(x.bucket) FROM unnest($1) AS w (id)'
                   ' CROSS JOIN LATERAL (SELECT r.bucket FROM core.rollup_%s r'
                   ' WHERE r.tenant_id = $2 AND r.series_id = w.id AND r.bucket >= $3'
                   ' AND r.bucket < $4 ORDER BY r.bucket LIMIT 1) x', grain)
        INTO head USING wanted, owner, from_time, to_time;
    IF from_time < closed THEN
        open := greatest(from_time, closed - longest);
    ELSE
        SELECT greatest(from_time, min(x.time) - longest) INTO open
        FROM unnest(wanted) AS w (id)
        CROSS JOIN LATERAL (SELECT p.time FROM core.sample p
                            WHERE p.tenant_id = owner AND p.series_id = w.id
                              AND p.time >= from_time
                            ORDER BY p.time LIMIT 1) x
        HAVING min(x.time) IS NOT NULL;
    END IF;
    RETURN CASE WHEN least(head, open) < to_time THEN least(head, open) END;
END
$$;

-- The same buckets as api.rollup_list in another zone than the site's: quarter hours put together
-- where the zone's edges lie on quarter hours, as all do that are in use, samples elsewhere.
CREATE FUNCTION api.rollup_list_zoned(grain text, tz text, of_device text, of_metric text,
                                      from_time timestamptz, to_time timestamptz, row_limit int,
                                      after_bucket timestamptz DEFAULT NULL,
                                      after_series int DEFAULT NULL, of_site text DEFAULT NULL)
RETURNS TABLE (series_id int, metric text, bucket timestamptz, count bigint, sum float8,
               min float8, max float8, first float8, first_time timestamptz, last float8,
               last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    longest CONSTANT interval := core.grain_longest(grain);
    wanted  CONSTANT int[] := core.series_wanted(of_device, of_metric, of_site);
    remaining int := row_limit;
    start   timestamptz := greatest(from_time, after_bucket);
    stop    timestamptz;
    starts  timestamptz[];       -- of the slice's buckets, and the end of the last
    n_rows  int;
BEGIN
    WHILE wanted <> '{}' AND (remaining > 0 OR row_limit IS NULL) AND start < to_time LOOP
        stop := core.rollup_next('15m', wanted, start, to_time + longest);
        EXIT WHEN stop IS NULL;
        start := greatest(start, stop - longest);
        EXIT WHEN start >= to_time;
        stop := least(to_time, start + longest * (2 + ceil(coalesce(remaining, 2000)::float8
                                                           / cardinality(wanted))));
        starts := ARRAY(SELECT b.start FROM api.bucket_starts(tz, grain, start, stop + longest) b
                        ORDER BY b.start);
        starts := starts[:(SELECT count(*) FROM unnest(starts) s WHERE s < stop) + 1];
        RETURN QUERY
        SELECT p.series_id, p.metric, starts[p.slot], sum(p.count)::bigint,
               sum(p.sum ORDER BY p.first_time), min(p.min), max(p.max),
               (array_agg(p.first ORDER BY p.first_time))[1], min(p.first_time),
               (array_agg(p.last ORDER BY p.first_time DESC))[1], max(p.last_time)
        FROM (SELECT q.*, width_bucket(q.at, starts) AS slot
              FROM core.rollup_pieces(wanted, starts) q) p
        WHERE p.slot BETWEEN 1 AND cardinality(starts) - 1
          AND (after_bucket IS NULL OR (starts[p.slot], p.series_id) > (after_bucket, after_series))
        GROUP BY p.series_id, p.metric, p.slot
        ORDER BY p.slot, p.series_id
        LIMIT remaining;
        GET DIAGNOSTICS n_rows = ROW_COUNT;
        remaining := remaining - n_rows;
        start := stop;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION api.rollup_list_zoned(text, text, text, text, timestamptz, timestamptz,
                                                int, timestamptz, int, text)
    TO tidemark_web, tidemark_read;

-- What the series have between the first and the last of the instants: quarter hours where all of
-- them lie on quarter hours, else samples.
CREATE FUNCTION core.rollup_pieces(wanted int[], edges timestamptz[])
RETURNS TABLE (series_id int, metric text, at timestamptz, count bigint, sum float8, min float8,
               max float8, first float8, first_time timestamptz, last float8,
               last_time timestamptz)
LANGUAGE plpgsql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    since CONSTANT timestamptz := edges[1];
    until CONSTANT timestamptz := edges[cardinality(edges)];
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(edges) AS e (at)
                   WHERE e.at <> date_bin('15 minutes', e.at, '2000-01-01 00:00:00+00')) THEN
        RETURN QUERY
        SELECT r.series_id, r.metric, r.bucket, r.count, r.sum, r.min, r.max, r.first,
               r.first_time, r.last, r.last_time
        FROM api.rollup_15m r
        WHERE r.series_id = ANY (wanted) AND r.bucket >= since AND r.bucket < until;
    ELSE
        RETURN QUERY
        SELECT x.id, x.metric, s.time, 1::bigint, s.value, s.value, s.value, s.value, s.time,
               s.value, s.time
        FROM core.series x
        JOIN core.sample s ON s.tenant_id = owner AND s.series_id = x.id
        WHERE x.tenant_id = owner AND x.id = ANY (wanted) AND s.time >= since AND s.time < until;
    END IF;
END
$$;
