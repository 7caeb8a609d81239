-- Archiving of events: what of it depends on the table is in functions of that table's own.

SET LOCAL ROLE tidemark_door;

ALTER FUNCTION core.archive_first_day(date, date) RENAME TO archive_first_samples;

-- The first day of the transaction's tenant in [from_day, stop) that has an event; from_day NULL:
-- before all.
CREATE FUNCTION core.archive_first_events(from_day date, stop date) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    at   CONSTANT timestamptz := coalesce(from_day, '0001-01-01');
    till CONSTANT timestamptz := stop;
BEGIN
    RETURN (SELECT e.time::date FROM core.event e
            WHERE e.tenant_id = home AND e.time >= at AND e.time < till
              AND EXISTS (SELECT FROM core.device d
                          WHERE d.tenant_id = home AND d.id = e.device_id OFFSET 0)
            ORDER BY e.time LIMIT 1);
END
$$;

-- The first day of the transaction's tenant in [from_day, stop) that has rows; from_day NULL: before
-- all.
CREATE FUNCTION core.archive_first_day(of_relation text, from_day date, stop date) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE of_relation WHEN 'samples' THEN core.archive_first_samples(from_day, stop)
                            WHEN 'events' THEN core.archive_first_events(from_day, stop) END;
END
$$;

-- The days of the transaction's tenant that come next: a span of at most max_days that were never
-- archived, the oldest first, then one by one those after after_changed (NULL: from the first on)
-- that changed since. No row: that is all, and what was never archived is noted as looked at.
CREATE OR REPLACE FUNCTION ops.archive_next(of_relation text, max_days int, after_changed text)
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
        at := core.archive_first_day(of_relation, at, stop);
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

-- Opens the cursor archive_samples over the samples of the transaction's tenant in [start, stop),
-- whole days: series_id, time, value by day, series and time. is_first: all of them; else those of one
-- day that changed, as `seen` has it.
CREATE FUNCTION core.archive_open_samples(start timestamptz, stop timestamptz, is_first boolean,
                                          seen pg_snapshot) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    archive_samples CONSTANT refcursor := 'archive_samples';
BEGIN
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
              WHERE c.tenant_id = home AND c.relation = 'samples' AND c.day = start::date
                AND pg_visible_in_snapshot(c.xid, seen) AND NOT c.is_erasure
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

-- The same of events: the cursor archive_events, by day, time and key. Those of devices that are gone
-- are left out.
CREATE FUNCTION core.archive_open_events(start timestamptz, stop timestamptz, is_first boolean,
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
        FROM core.event e
        JOIN core.device v ON v.tenant_id = home AND v.id = e.device_id
        LEFT JOIN core.site p ON p.tenant_id = home AND p.id = e.site_id
        WHERE e.tenant_id = home AND e.time >= start AND e.time < stop
          AND EXISTS (SELECT FROM core.archive_change c
                      WHERE c.tenant_id = home AND c.relation = 'events' AND c.day = start::date
                        AND c.series = e.device_id AND e.time >= c.from_time
                        AND e.time <= c.to_time
                        AND pg_visible_in_snapshot(c.xid, seen) AND NOT c.is_erasure)
        ORDER BY e.time, e.key, e.device_id;
    END IF;
END
$$;

-- Opens the cursor of a table.
CREATE FUNCTION core.archive_open(of_relation text, start timestamptz, stop timestamptz,
                                  is_first boolean, seen pg_snapshot) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE of_relation
    WHEN 'samples' THEN PERFORM core.archive_open_samples(start, stop, is_first, seen);
    WHEN 'events' THEN PERFORM core.archive_open_events(start, stop, is_first, seen);
    END CASE;
END
$$;

-- The next events of the cursor: so many that their data is bounded, however long each is.
CREATE FUNCTION ops.archive_fetch_events()
RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id text, site text,
               data text, key text, arrived timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    max_rows  CONSTANT int := 10000;
    max_bytes CONSTANT int := 4 << 20;              -- but for the last one
    archive_events refcursor := 'archive_events';
    event     record;
    n_rows    int := 0;
    n_bytes   int := 0;
BEGIN
    WHILE n_rows < max_rows AND n_bytes < max_bytes LOOP
        FETCH archive_events INTO event;
        EXIT WHEN NOT FOUND;
        "time" := event.time;
        type := event.type;
        device := event.device;
        seq := event.seq;
        id := event.id::text;
        site := event.site;
        data := event.data::text;
        key := event.key::text;
        arrived := event.arrived;
        RETURN NEXT;
        n_rows := n_rows + 1;
        n_bytes := n_bytes + octet_length(data);
    END LOOP;
END
$$;

-- Begins to archive days of the transaction's tenant, several only where none of them ever was,
-- under the keys of archive_intend: opens the table's cursor over what there is to write, all of it
-- the first time, then what changed, which is_changed allows. n: the number of the files to come;
-- NULL: somebody else is at those days, or was. `seen` says which changes are among that. The cursor
-- is read in the time zone of the session: what is in it must not depend on that.
CREATE OR REPLACE FUNCTION ops.archive_begin(of_relation text, from_day text, to_day text,
                                             is_changed boolean, objects text[], OUT n int,
                                             OUT is_first boolean, OUT seen text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    start CONSTANT timestamptz := from_day::date;
    stop  CONSTANT timestamptz := to_day::date + 1;
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
    PERFORM core.archive_open(of_relation, start, stop, is_first, seen::pg_snapshot);
END
$$;

-- Notes the files of days in [from_day, to_day], which are in the store and were read back; parallel
-- arrays, empty where there was nothing to write. is_first: they are the first of their days, and
-- all days up to to_day were looked at.
CREATE OR REPLACE FUNCTION ops.archive_mark(of_relation text, from_day text, to_day text,
                                            is_first boolean, of_n int, seen text, days text[],
                                            kinds text[], objects text[], rows_of bigint[],
                                            bytes_of bigint[], sums bytea[]) RETURNS void
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
               WHERE e.tenant_id = home
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

GRANT EXECUTE ON FUNCTION ops.archive_fetch_events() TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
