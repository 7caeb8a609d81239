-- The archiver asks once for many days: which tenants have something due, which days of one come
-- next, and one cursor and one note for all of those.

SET LOCAL ROLE tidemark_door;

DROP FUNCTION ops.archive_plan();
DROP FUNCTION ops.archive_begin(text, text, text[]);
DROP FUNCTION ops.archive_mark(text, text, int, text, text[], text[], bigint[], bigint[], bytea[]);
DROP FUNCTION ops.archive_advance(text, text);
DROP FUNCTION core.archive_has_samples(int, timestamptz, timestamptz);

-- The day before which days are old enough; NULL while nothing is archived.
CREATE FUNCTION core.archive_stop() RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    RETURN (SELECT (now() - make_interval(hours => s.after_hours))::date
            FROM core.archive_setting s WHERE s.is_on);
END
$$;

-- Tenants after that one (NULL: from the first on) with days that were not looked at, or that
-- changed; at most so many.
CREATE FUNCTION ops.archive_tenants(of_relation text, after_slug text, max_tenants int)
RETURNS TABLE (tenant_id int, slug text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    stop CONSTANT date := core.archive_stop();
BEGIN
    RETURN QUERY
    SELECT t.id, t.slug FROM core.tenant t
    WHERE stop IS NOT NULL AND (after_slug IS NULL OR t.slug > after_slug)
      AND (NOT EXISTS (SELECT FROM core.archive_cursor c
                       WHERE c.tenant_id = t.id AND c.relation = of_relation AND c.until >= stop)
           OR EXISTS (SELECT FROM core.archive_change c
                      WHERE c.tenant_id = t.id AND c.relation = of_relation))
    ORDER BY t.slug LIMIT max_tenants;
END
$$;

-- The first day of the transaction's tenant in [from_day, stop) that has a sample; from_day NULL:
-- before all.
CREATE FUNCTION core.archive_first_day(from_day date, stop date) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    at   CONSTANT timestamptz := coalesce(from_day, '0001-01-01');
    till timestamptz := stop;
BEGIN
    IF EXISTS (SELECT FROM core.series s
               CROSS JOIN LATERAL (SELECT FROM core.sample x
                                   WHERE x.tenant_id = home AND x.series_id = s.id
                                     AND x.time >= at AND x.time < at + interval '24 hours'
                                   LIMIT 1) x
               WHERE s.tenant_id = home) THEN
        RETURN from_day;                            -- mostly; and needs no look at the others
    END IF;
    RETURN (SELECT min(x.time)::date
            FROM core.series s
            CROSS JOIN LATERAL (SELECT y.time FROM core.sample y
                                WHERE y.tenant_id = home AND y.series_id = s.id
                                  AND y.time >= at AND y.time < till
                                ORDER BY y.time LIMIT 1) x
            WHERE s.tenant_id = home);
END
$$;

-- The days of the transaction's tenant that come next: a span of at most max_days that were never
-- archived, the oldest first, then one by one those after after_changed (NULL: from the first on)
-- that changed since. No row: that is all, and what was never archived is noted as looked at.
CREATE FUNCTION ops.archive_next(of_relation text, max_days int, after_changed text)
RETURNS TABLE (from_day text, to_day text, is_changed boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    home  CONSTANT int := core.tenant();
    stop  CONSTANT date := core.archive_stop();
    until date := (SELECT c.until FROM core.archive_cursor c
                   WHERE c.tenant_id = home AND c.relation = of_relation);
    at    date := until;
BEGIN
    LOOP
        EXIT WHEN at >= stop OR stop IS NULL;
        at := core.archive_first_day(at, stop);
        EXIT WHEN at IS NULL;
        IF NOT EXISTS (SELECT FROM core.archive_day d
                       WHERE d.tenant_id = home AND d.relation = of_relation AND d.day = at) THEN
            from_day := to_char(at, 'YYYY-MM-DD');
            to_day := to_char(least(at + max_days, stop, (
                SELECT min(d.day) FROM core.archive_day d
                WHERE d.tenant_id = home AND d.relation = of_relation AND d.day > at)) - 1,
                'YYYY-MM-DD');
            is_changed := false;
            RETURN NEXT;
            RETURN;
        END IF;
        at := at + 1;
    END LOOP;
    IF until < stop OR until IS NULL AND stop IS NOT NULL THEN
        INSERT INTO core.archive_cursor AS c (tenant_id, relation, until)
        VALUES (home, of_relation, stop)
        ON CONFLICT ON CONSTRAINT archive_cursor_pkey DO UPDATE SET until = excluded.until
        WHERE c.until < excluded.until;
    END IF;
    SELECT to_char(min(c.day), 'YYYY-MM-DD') INTO from_day FROM core.archive_change c
    WHERE c.tenant_id = home AND c.relation = of_relation
      AND c.day > coalesce(after_changed::date, '-infinity') AND c.day < greatest(until, stop)
      AND (c.day < stop
           OR EXISTS (SELECT FROM core.archive_day d
                      WHERE d.tenant_id = home AND d.relation = of_relation AND d.day = c.day));
    IF from_day IS NOT NULL THEN
        to_day := from_day;
        is_changed := true;
        RETURN NEXT;
    END IF;
END
$$;

-- Begins to archive days of the transaction's tenant, several only where none of them ever was,
-- under the keys of archive_intend: opens the cursor archive_samples over what there is to write
-- (series_id, time, value by day, series and time), all of it the first time, then what changed,
-- which is_changed allows. n: the number of the files to come; NULL: somebody else is at those
-- days, or was. `seen` says which changes are among that. The cursor is read in the time zone of the
-- session: what is in it must not depend on that.
CREATE FUNCTION ops.archive_begin(of_relation text, from_day text, to_day text, is_changed boolean,
                                  objects text[], OUT n int, OUT is_first boolean, OUT seen text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    start CONSTANT timestamptz := from_day::date;
    stop  CONSTANT timestamptz := to_day::date + 1;
    archive_samples CONSTANT refcursor := 'archive_samples';
    n_begun bigint;
BEGIN
    IF EXISTS (SELECT FROM generate_series(start, stop - interval '24 hours', interval '24 hours') d
               WHERE NOT pg_try_advisory_xact_lock(hashtextextended(
                   format('tidemark.archive.%s.%s.%s', home, of_relation,
                          to_char(d, 'YYYY-MM-DD')), 0))) THEN
        RETURN;
    END IF;
    DELETE FROM core.archive_garbage g WHERE g.object = ANY (objects);
    GET DIAGNOSTICS n_begun = ROW_COUNT;
    IF n_begun < cardinality(objects) THEN
        RETURN;                                     -- swept before they were begun
    END IF;
    -- what was read is written to a store that may be far away
    PERFORM set_config('idle_in_transaction_session_timeout', '0', true);
    seen := pg_current_snapshot();
    is_first := NOT EXISTS (SELECT FROM core.archive_day d
                            WHERE d.tenant_id = home AND d.relation = of_relation
                              AND d.day >= from_day::date AND d.day <= to_day::date);
    IF NOT is_first AND (NOT is_changed OR from_day <> to_day) THEN
        RETURN;
    END IF;
    n := 1 + coalesce((SELECT max(a.n) FROM core.archive a
                       WHERE NOT is_first AND a.tenant_id = home AND a.relation = of_relation
                         AND a.day = from_day::date), 0);
    IF is_first THEN
        OPEN archive_samples NO SCROLL FOR
        SELECT k.series_id, x.time, x.value
        FROM (SELECT d.begun, s.id AS series_id
              FROM generate_series(start, stop - interval '24 hours', interval '24 hours') d (begun)
              CROSS JOIN core.series s
              WHERE s.tenant_id = home
              ORDER BY 1, 2 OFFSET 0) k
        CROSS JOIN LATERAL (SELECT y.time, y.value FROM core.sample y
                            WHERE y.tenant_id = home AND y.series_id = k.series_id
                              AND y.time >= k.begun AND y.time < k.begun + interval '24 hours'
                              AND y.time >= start AND y.time < stop
                            ORDER BY y.time OFFSET 0) x
        ORDER BY k.begun, k.series_id;              -- each in the order of time as it is
    ELSE
        OPEN archive_samples NO SCROLL FOR
        SELECT r.series_id, x.time, x.value
        FROM (SELECT c.series AS series_id,
                     unnest(range_agg(tstzrange(c.from_time, c.to_time, '[]'))) AS span
              FROM core.archive_change c
              WHERE c.tenant_id = home AND c.relation = of_relation AND c.day = from_day::date
                AND pg_visible_in_snapshot(c.xid, seen::pg_snapshot) AND NOT c.is_erasure
              GROUP BY c.series) r
        CROSS JOIN LATERAL (SELECT y.time, y.value FROM core.sample y
                            WHERE y.tenant_id = home AND y.series_id = r.series_id
                              AND y.time >= lower(r.span) AND y.time <= upper(r.span)
                              AND y.time >= start AND y.time < stop
                            ORDER BY y.time OFFSET 0) x
        WHERE EXISTS (SELECT FROM core.series s
                      WHERE s.tenant_id = home AND s.id = r.series_id)
        ORDER BY r.series_id, x.time;
    END IF;
END
$$;

-- Notes the files of days in [from_day, to_day], which are in the store and were read back; parallel
-- arrays, empty where there was nothing to write. is_first: they are the first of their days, and
-- all days up to to_day were looked at.
CREATE FUNCTION ops.archive_mark(of_relation text, from_day text, to_day text, is_first boolean,
                                 of_n int, seen text, days text[], kinds text[], objects text[],
                                 rows_of bigint[], bytes_of bigint[], sums bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    home  CONSTANT int := core.tenant();
    epoch CONSTANT bigint := (pg_snapshot_xmax(seen::pg_snapshot)::text::bigint >> 32) << 32;
BEGIN
    PERFORM pg_advisory_xact_lock(core.archive_lock(home));
    -- held, so that who goes by new settings sees the days among those that are archived
    PERFORM FROM core.archive_setting s
    WHERE s.is_on AND to_day::date < (now() - make_interval(hours => s.after_hours))::date
    FOR SHARE;
    IF NOT FOUND AND (from_day <> to_day
                      OR NOT EXISTS (SELECT FROM core.archive_day d
                                     WHERE d.tenant_id = home AND d.relation = of_relation
                                       AND d.day = to_day::date)) THEN
        RAISE EXCEPTION 'the settings changed meanwhile: the day is not due'
            USING ERRCODE = 'TM409';
    END IF;
    IF EXISTS (SELECT FROM core.erased e
               WHERE e.tenant_id = home AND e.kind = 'series'
                 AND NOT pg_visible_in_snapshot((epoch + e.xmin::text::bigint)::text::xid8,
                                                seen::pg_snapshot)) THEN
        RAISE EXCEPTION 'a device was erased meanwhile: the day has to be read again'
            USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive (tenant_id, relation, day, n, kind, object, n_rows, n_bytes, sha256)
    SELECT home, of_relation, u.day::date, of_n, u.kind, u.object, u.n_rows, u.n_bytes, u.sum
    FROM unnest(days, kinds, objects, rows_of, bytes_of, sums)
         AS u (day, kind, object, n_rows, n_bytes, sum);
    INSERT INTO core.archive_day (tenant_id, relation, day, is_held)
    SELECT DISTINCT home, of_relation, u.day::date, true FROM unnest(days) AS u (day)
    ON CONFLICT DO NOTHING;
    DELETE FROM core.archive_change c
    WHERE c.tenant_id = home AND c.relation = of_relation
      AND c.day >= from_day::date AND c.day <= to_day::date
      AND pg_visible_in_snapshot(c.xid, seen::pg_snapshot);
    IF is_first THEN
        INSERT INTO core.archive_cursor AS c (tenant_id, relation, until)
        VALUES (home, of_relation, to_day::date + 1)
        ON CONFLICT ON CONSTRAINT archive_cursor_pkey DO UPDATE SET until = excluded.until
        WHERE c.until < excluded.until;
    END IF;
END
$$;

-- What the files say of series of the transaction's tenant.
CREATE OR REPLACE FUNCTION ops.archive_series(ids int[])
RETURNS TABLE (series_id int, device text, metric text, unit text, site text, labels text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT s.id, d.key, s.metric, s.unit, p.key, s.labels::text
    FROM core.series s
    JOIN core.device d ON d.tenant_id = home AND d.id = s.device_id
    LEFT JOIN core.site p ON p.tenant_id = home AND p.id = d.site_id
    WHERE s.tenant_id = home AND s.id = ANY (ids)
    ORDER BY s.id;
END
$$;

GRANT EXECUTE ON FUNCTION ops.archive_tenants(text, text, int), ops.archive_next(text, int, text),
    ops.archive_begin(text, text, text, boolean, text[]),
    ops.archive_mark(text, text, text, boolean, int, text, text[], text[], text[], bigint[], bigint[],
                     bytea[]) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
