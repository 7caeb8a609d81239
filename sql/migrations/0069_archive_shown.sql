-- What a tenant's own settings hide is not answered out of the archive, what was restored is shown; what
-- the archive alone has cannot be deleted; changed events are found by device and time.

GRANT EXECUTE ON FUNCTION core.visible_from(text) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- The first day of the transaction's tenant in [from_time, to_time) that the archive alone has; NULL:
-- there is none.
CREATE FUNCTION core.archive_away(of_relation text, from_time timestamptz, to_time timestamptz)
RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    RETURN (SELECT min(d.day) FROM core.archive_day d
            WHERE d.tenant_id = core.tenant() AND d.relation = of_relation AND NOT d.is_held
              AND d.day >= from_time::date
              AND d.day <= (to_time - interval '1 microsecond')::date);
END
$$;

-- Opens the cursor archive_events over the events of the transaction's tenant in [start, stop), whole
-- days, by day, time and key. is_first: all of them; else those of one day that changed, as `seen` has
-- it. Those of devices that are gone are left out.
CREATE OR REPLACE FUNCTION core.archive_open_events(start timestamptz, stop timestamptz, is_first boolean,
                                         seen pg_snapshot) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    archive_events CONSTANT refcursor := 'archive_events';
BEGIN
    IF is_first THEN
        OPEN archive_events NO SCROLL FOR
        SELECT x.*
        FROM (SELECT d.begun
              FROM generate_series(start, stop - interval '24 hours', interval '24 hours') d (begun)
              ORDER BY 1 OFFSET 0) k
        CROSS JOIN LATERAL (
            SELECT e.time, e.type, v.key AS device, e.seq, e.id, p.key AS site, e.data, e.key,
                   e.arrived
            FROM core.event e
            JOIN core.device v ON v.tenant_id = home AND v.id = e.device_id
            LEFT JOIN core.site p ON p.tenant_id = home AND p.id = e.site_id
            WHERE e.tenant_id = home AND e.time >= k.begun AND e.time < k.begun + interval '24 hours'
              AND e.time >= start AND e.time < stop
            ORDER BY e.time, e.key, e.device_id OFFSET 0) x
        ORDER BY k.begun;                           -- each in the order of time as it is
    ELSE
        OPEN archive_events NO SCROLL FOR
        SELECT e.time, e.type, v.key AS device, e.seq, e.id, p.key AS site, e.data, e.key, e.arrived
        FROM (SELECT c.series AS device_id,
                     unnest(range_agg(tstzrange(c.from_time, c.to_time, '[]'))) AS span
              FROM core.archive_change c
              WHERE c.tenant_id = home AND c.relation = 'events' AND c.day = start::date
                AND pg_visible_in_snapshot(c.xid, seen) AND NOT c.is_erasure
              GROUP BY c.series) r
        JOIN core.device v ON v.tenant_id = home AND v.id = r.device_id
        CROSS JOIN LATERAL (SELECT y.* FROM core.event y
                            WHERE y.tenant_id = home AND y.device_id = r.device_id
                              AND y.time >= lower(r.span) AND y.time <= upper(r.span)
                              AND y.time >= start AND y.time < stop
                            OFFSET 0) e
        LEFT JOIN core.site p ON p.tenant_id = home AND p.id = e.site_id
        ORDER BY e.time, e.key, e.device_id;
    END IF;
END
$$;

-- The end of the last day of the transaction's tenant that the archive alone has, NULL: none; and from
-- when on the tenant sees such days.
DROP FUNCTION api.archive_until(text);
CREATE FUNCTION api.archive_until(of_relation text, OUT until timestamptz, OUT shown_from timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    SELECT max(d.day) + 1 INTO until FROM core.archive_day d
    WHERE d.tenant_id = core.tenant() AND d.relation = of_relation AND NOT d.is_held;
    shown_from := core.visible_from(CASE of_relation WHEN 'samples' THEN 'raw' ELSE 'event' END);
END
$$;

-- Since when the transaction's tenant has all buckets of a grain, of any zone where is_zoned: those
-- before that are past keeping, or were dropped, or may have been made of late samples alone; up to
-- when all days are in the archive, NULL where none is; its first day; and from when on the tenant sees
-- such buckets.
DROP FUNCTION api.archive_buckets(text, boolean);
CREATE FUNCTION api.archive_buckets(grain text, is_zoned boolean, OUT kept_from timestamptz,
                                    OUT whole_until timestamptz, OUT first_from timestamptz,
                                    OUT shown_from timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home    CONSTANT int := core.tenant();
    is_fine CONSTANT boolean := is_zoned OR grain IN ('15m', '1h');
BEGIN
    SELECT c.until, (SELECT min(d.day) FROM core.archive_day d
                     WHERE d.tenant_id = home AND d.relation = 'samples')
    INTO whole_until, first_from
    FROM core.archive_cursor c
    WHERE c.tenant_id = home AND c.relation = 'samples';
    IF first_from IS NULL THEN
        whole_until := NULL;
    END IF;
    shown_from := core.visible_from(CASE WHEN is_fine THEN '1h' ELSE '1d' END);
    IF whole_until IS NOT NULL THEN
        SELECT greatest(now() - make_interval(days => coalesce(
                            CASE WHEN is_fine THEN t.hourly_days ELSE t.daily_days END, r.days)),
                        (SELECT max(CASE WHEN is_fine THEN f.fine_from ELSE f.day_from END)
                         FROM core.series_floor f WHERE f.tenant_id = home))
        INTO kept_from
        FROM core.tenant t
        JOIN core.retention r ON r.class = CASE WHEN is_fine THEN 'hourly' ELSE 'daily' END
        WHERE t.id = home;
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_until(text), api.archive_buckets(text, boolean) TO tidemark_web;

-- How many samples of a device, of a metric or all (NULL), lie in [from_time, to_time), and what
-- speaks against deleting them; NULL: nothing. More than `most` are not counted.
CREATE OR REPLACE FUNCTION api.sample_delete_check(of_device text, of_metric text, from_time timestamptz,
                                        to_time timestamptz, OUT n_samples bigint,
                                        OUT problem text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    most CONSTANT bigint := 5000000;
    home CONSTANT int := core.tenant();
    of_id CONSTANT int := core.device_hold(home, of_device);
    since timestamptz := '-infinity';
    is_known boolean := of_metric IS NULL;
    away CONSTANT date := core.archive_away('samples', from_time, to_time);
    series record;
BEGIN
    n_samples := 0;
    FOR series IN SELECT s.id, core.correctable_from(home, s.id) AS since FROM core.series s
                  WHERE s.tenant_id = home AND s.device_id = of_id
                    AND (of_metric IS NULL OR s.metric = of_metric)
    LOOP
        is_known := true;
        since := greatest(since, series.since);
        n_samples := n_samples + (
            SELECT count(*) FROM (SELECT FROM core.sample x
                                  WHERE x.tenant_id = home AND x.series_id = series.id
                                    AND x.time >= from_time AND x.time < to_time
                                  LIMIT most + 1 - n_samples) x);
    END LOOP;
    problem := CASE
        WHEN NOT is_known THEN 'metric: the device has no such metric'
        WHEN from_time < since THEN format(
            'from: readings before %s are kept no longer, and what was made of them stays; '
            'delete from there on', core.instant_text(since))
        WHEN away IS NOT NULL THEN format(
            'from: the archive alone has readings of %s; bring it back first', away)
        WHEN n_samples > most THEN
            format('these are more than %s readings; delete a shorter time', most) END;
END
$$;

SET LOCAL ROLE tidemark_owner;

-- From when on the transaction's tenant sees rows of a grain ('raw', 'event'): as long as it keeps
-- them, and from the first day on that was restored.
CREATE FUNCTION core.shown_from(grain text) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    shown CONSTANT timestamptz := core.visible_from(grain);
BEGIN
    RETURN CASE WHEN shown = '-infinity' THEN shown
                ELSE least(shown, (SELECT min(d.day) FROM core.archive_day d
                                   WHERE d.tenant_id = core.tenant()
                                     AND d.relation = CASE grain WHEN 'raw' THEN 'samples'
                                                                 ELSE 'events' END
                                     AND d.is_held AND d.pinned_until > now())) END;
END
$$;

CREATE OR REPLACE FUNCTION core.raw_shown_from() RETURNS timestamptz
LANGUAGE sql STABLE
AS $$ SELECT core.shown_from('raw') $$;

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
    start CONSTANT timestamptz := greatest(from_time, core.shown_from('event'),
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
