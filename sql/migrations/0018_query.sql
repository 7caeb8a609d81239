-- Lists as the query API asks for them: of any length in pages, each of which reads about as much
-- as it returns, however many series a device has and however long its history is.

-- A device's samples with from_time <= time < to_time, ascending by (time, series_id), after the
-- cursor (after_time, after_series) where one is given; row_limit NULL: all of them. Works through
-- the range in slices: each series is looked ahead of as far as its share of the page, and up to
-- where the densest one comes everything is listed; the shares double from slice to slice, so that
-- sparse series cost few of them.
CREATE OR REPLACE FUNCTION api.sample_list(of_device text, of_metric text, from_time timestamptz,
                                to_time timestamptz, after_time timestamptz, after_series int,
                                row_limit int)
RETURNS TABLE ("time" timestamptz, series_id int, metric text, labels jsonb, value float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    owner   CONSTANT int := core.tenant();
    wanted  CONSTANT int[] := core.series_wanted(of_device, of_metric, NULL);
    remaining int := row_limit;
    share   int := 1 + row_limit / greatest(cardinality(wanted), 1);
    start   timestamptz := greatest(from_time, after_time, core.visible_from('raw'));
    stop    timestamptz;
    n_rows  int;
BEGIN
    WHILE cardinality(wanted) > 0 AND start < to_time AND (remaining > 0 OR row_limit IS NULL) LOOP
        stop := to_time;
        IF cardinality(wanted) > 1 AND row_limit IS NOT NULL THEN
            SELECT min(x.time) + interval '1 microsecond' INTO stop
            FROM unnest(wanted) AS w (id)
            CROSS JOIN LATERAL (SELECT p.time
                                FROM core.sample p
                                WHERE p.tenant_id = owner AND p.series_id = w.id
                                  AND p.time >= start AND p.time < sample_list.to_time
                                ORDER BY p.time
                                OFFSET share - 1 LIMIT 1) x;
            stop := coalesce(stop, to_time);
        END IF;
        RETURN QUERY
        SELECT x.time, s.id, s.metric, s.labels, x.value
        FROM core.series s
        CROSS JOIN LATERAL (
            SELECT p.time, p.value
            FROM core.sample p
            WHERE p.tenant_id = owner AND p.series_id = s.id
              AND p.time >= start AND p.time < stop
              AND (after_time IS NULL OR p.time > after_time OR s.id > after_series)
            ORDER BY p.time
            LIMIT remaining) x
        WHERE s.tenant_id = owner AND s.id = ANY (wanted)
        ORDER BY x.time, s.id
        LIMIT remaining;
        GET DIAGNOSTICS n_rows = ROW_COUNT;
        remaining := remaining - n_rows;
        share := least(share::bigint * 2, 1000000);
        start := stop;
    END LOOP;
END
$$;

-- Events with from_time <= time < to_time, newest first by (time, key), before the position where
-- one is given; or, with is_after, the next ones after it, oldest first. Of a type, device and site
-- or all (NULL). The event's data contains data_filter, and each of data_also. Walks down (or
-- climbs) an index of the device, of the type, or of the tenant: one statement for each, whose plan
-- is kept (made anew it would cost ten times what it takes to run).
-- A site or data that are rare are walked to, through the tenant's events of the range: that
-- reads as much as there is, and the role's statement timeout bounds it. (The index of all
-- tenants' data would read theirs.)
DROP FUNCTION api.event_list(text, text, timestamptz, timestamptz, timestamptz, uuid, jsonb, int);
DO $functions$
DECLARE
    kind record;
BEGIN
    FOR kind IN
        SELECT * FROM (VALUES
            ('all', 'of_type IS NULL'),
            ('typed', 'e.type = of_type'),
            ('device', 'e.device_id = only_device AND (of_type IS NULL OR e.type = of_type)'))
            AS k (name, condition),
            (VALUES ('walk', '<', 'DESC'), ('climb', '>', 'ASC')) AS w (verb, beyond, way)
    LOOP
        EXECUTE format($sql$
            CREATE FUNCTION core.event_%1$s_%2$s(of_type text, only_device int, only_site int,
                start timestamptz, stop timestamptz, edge_time timestamptz, edge_key uuid,
                data_filter jsonb, data_also jsonb[], row_limit int)
            RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id uuid,
                           site text, data jsonb, key uuid)
            LANGUAGE plpgsql STABLE ROWS 100
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            SET enable_seqscan = off
            AS $$
            #variable_conflict use_column
            DECLARE
                owner CONSTANT int := core.tenant();
            BEGIN
                RETURN QUERY
                SELECT e.time, e.type, d.key, e.seq, e.id, s.key, e.data, e.key
                FROM (SELECT e.*
                      FROM core.event e
                      WHERE e.tenant_id = owner AND e.time >= start AND e.time < stop AND %3$s
                        AND (only_site IS NULL OR e.site_id = only_site)
                        AND (edge_time IS NULL OR (e.time, e.key) %4$s (edge_time, edge_key))
                        AND (data_filter IS NULL OR e.data @> data_filter)
                        AND e.data @> ALL (data_also)
                      ORDER BY e.time %5$s, e.key %5$s
                      LIMIT row_limit) e
                JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id
                LEFT JOIN core.site s ON s.tenant_id = owner AND s.id = e.site_id
                ORDER BY e.time %5$s, e.key %5$s;
            END
            $$ $sql$, kind.verb, kind.name, kind.condition, kind.beyond, kind.way);
    END LOOP;
END
$functions$;

CREATE FUNCTION api.event_list(of_type text, of_device text, from_time timestamptz,
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
    only_device CONSTANT int := (SELECT d.id FROM core.device d
                                 WHERE d.tenant_id = owner AND d.key = of_device);
    only_site CONSTANT int := (SELECT s.id FROM core.site s
                               WHERE s.tenant_id = owner AND s.key = of_site);
BEGIN
    IF (of_device IS NOT NULL AND only_device IS NULL)
        OR (of_site IS NOT NULL AND only_site IS NULL) THEN
        RETURN;
    END IF;
    IF is_after AND only_device IS NOT NULL THEN
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
GRANT EXECUTE ON FUNCTION api.event_list(text, text, timestamptz, timestamptz, timestamptz, uuid,
                                         jsonb, int, text, jsonb[], boolean)
    TO tidemark_web, tidemark_read;
