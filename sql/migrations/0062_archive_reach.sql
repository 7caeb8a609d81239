-- The archive answers for days that the database does not have: which those are, and their files, as
-- the tenant's readers ask.

CREATE INDEX archive_day_away ON core.archive_day (tenant_id, relation, day) WHERE NOT is_held;

SET LOCAL ROLE tidemark_door;

-- The end of the last day of the transaction's tenant that the archive alone has; NULL: none.
CREATE FUNCTION api.archive_until(of_relation text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    RETURN (SELECT max(d.day) + 1 FROM core.archive_day d
            WHERE d.tenant_id = core.tenant() AND d.relation = of_relation AND NOT d.is_held);
END
$$;

-- Files of days in [from_time, to_time) that the archive alone has, or of all days that it has, at most
-- so many days, in the order in which they apply. What else the database has of a day that is the
-- archive's alone came later.
CREATE FUNCTION api.archive_files(of_relation text, from_time timestamptz, to_time timestamptz,
                                  max_days int, has_all boolean)
RETURNS TABLE (tenant text, day text, start timestamptz, n int, kind text, object text,
               n_rows bigint, n_bytes bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
    since CONSTANT date := from_time::date;
    stop  CONSTANT date := (to_time - interval '1 microsecond')::date;
BEGIN
    RETURN QUERY
    SELECT t.slug, to_char(a.day, 'YYYY-MM-DD'), a.day::timestamptz, a.n, a.kind, a.object,
           a.n_rows, a.n_bytes
    FROM (SELECT d.day FROM core.archive_day d
          WHERE d.tenant_id = home AND d.relation = of_relation
            AND (has_all OR NOT d.is_held) AND d.day >= since AND d.day <= stop
          ORDER BY d.day LIMIT max_days) d
    JOIN core.archive a
      ON a.tenant_id = home AND a.relation = of_relation AND a.day = d.day
    JOIN core.tenant t ON t.id = home
    ORDER BY a.day, a.n, a.kind = 'rows';
END
$$;

-- Series that were erased since the files of days in [from_day, to_day] were written.
CREATE FUNCTION api.archive_erased(of_relation text, from_day text, to_day text)
RETURNS TABLE (day text, device text, metric text, labels text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT to_char(c.day, 'YYYY-MM-DD'), c.device, c.metric, c.labels::text
    FROM core.archive_change c
    WHERE c.tenant_id = core.tenant() AND c.relation = of_relation
      AND c.day >= from_day::date AND c.day <= to_day::date AND c.is_erasure;
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_until(text),
    api.archive_files(text, timestamptz, timestamptz, int, boolean),
    api.archive_erased(text, text, text) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;

-- From when on the transaction's tenant sees its samples: as long as it keeps them, and whatever the
-- database has from the first day of its archive on.
CREATE FUNCTION core.raw_shown_from() RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    shown CONSTANT timestamptz := core.visible_from('raw');
BEGIN
    RETURN CASE WHEN shown = '-infinity' THEN shown
                ELSE least(shown, (SELECT min(d.day) FROM core.archive_day d
                                   WHERE d.tenant_id = core.tenant()
                                     AND d.relation = 'samples')) END;
END
$$;

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
    start   timestamptz := greatest(from_time, after_time, core.raw_shown_from());
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
