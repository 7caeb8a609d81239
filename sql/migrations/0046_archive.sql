-- The archive: finished days of tenants as files in the object store. This remembers which days
-- are there, what changed of them since, and keeps retention from dropping what is not.

-- Whether there is an archive, as the worker's settings say; without, retention asks nobody.
CREATE TABLE core.archive_setting (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    is_on       boolean NOT NULL,
    after_hours int NOT NULL CHECK (after_hours > 0) -- age of a day's end at which it is archived
);
INSERT INTO core.archive_setting (is_on, after_hours) VALUES (false, 72);
GRANT SELECT, UPDATE ON core.archive_setting TO tidemark_door;

-- All days before `until` were looked at, and archived where there was something.
CREATE TABLE core.archive_cursor (
    tenant_id int NOT NULL,
    relation  text NOT NULL,
    until     date NOT NULL,
    PRIMARY KEY (tenant_id, relation)
);
SELECT core.protect('core.archive_cursor', 'tenant_id');

-- Archived days (of UTC). is_held: the database has the day's rows itself, all of them; else what
-- it has of the day came later.
CREATE TABLE core.archive_day (
    tenant_id    int NOT NULL,
    relation     text NOT NULL,
    day          date NOT NULL,
    is_held      boolean NOT NULL,
    pinned_until timestamptz,                       -- restored: retention leaves it until then
    PRIMARY KEY (tenant_id, relation, day)
);
SELECT core.protect('core.archive_day', 'tenant_id');

-- The files of a day, in the order in which they apply: first the tombstones of a number, which
-- void rows of lower numbers, then its rows, which replace earlier ones of the same identity.
CREATE TABLE core.archive (
    tenant_id   int NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    relation    text NOT NULL,
    day         date NOT NULL,
    n           int NOT NULL CHECK (n > 0),
    kind        text NOT NULL CHECK (kind IN ('rows', 'tombstones')),
    object      text NOT NULL,                      -- its key in the object store
    n_rows      bigint NOT NULL,
    n_bytes     bigint NOT NULL,
    sha256      bytea NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    verified_at timestamptz NOT NULL DEFAULT now(), -- read back whole, and found as it was written
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, relation, day, n, kind)
);
CREATE INDEX archive_id ON core.archive (id);
SELECT core.protect('core.archive', 'tenant_id');

-- What changed of days that may have been archived, both ends inclusive, each row within one day.
-- Written in the transaction that changes the samples; by name, as the series may be erased. Its
-- number is not in a `series_id`: what is noted of a series outlives it, and erasing it, which
-- looks for columns of that name, has to leave it.
CREATE TABLE core.archive_change (
    tenant_id  int NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    relation   text NOT NULL,
    day        date NOT NULL,
    series     int NOT NULL,
    device     text NOT NULL,
    metric     text NOT NULL,
    labels     jsonb NOT NULL,
    from_time  timestamptz NOT NULL,
    to_time    timestamptz NOT NULL,
    is_erasure boolean NOT NULL,                    -- the series is gone, wherever its rows were
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX archive_change_day ON core.archive_change (tenant_id, relation, day);
SELECT core.protect('core.archive_change', 'tenant_id');

-- Objects that the worker removes: whose tenant is gone, and that were begun and never noted. Who
-- is about to write one puts its key here first; the transaction that notes it takes it out at its
-- beginning, so that the key is locked while that goes on, and here again when it fails.
CREATE TABLE core.archive_garbage (
    object text PRIMARY KEY
);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.archive_garbage TO tidemark_door;

-- When the last run of a job began that went well; NULL: none is remembered.
CREATE FUNCTION ops.job_last_good(job text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT max(r.started_at) FROM ops.job_run r WHERE r.name = job AND r.is_ok);
END
$$;
GRANT EXECUTE ON FUNCTION ops.job_last_good(text) TO tidemark_worker;

SET LOCAL ROLE tidemark_door;

-- ---- what changes behind the archive's back ----

-- Changes before this are noted; NULL: none. Days are that are old enough to be archived (an hour
-- more than that, for the archiver sees what is committed when it begins: whoever was at it then
-- began before), and those that are archived, whatever the settings have become since.
CREATE FUNCTION core.archive_horizon(owner int) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    RETURN greatest(
        (SELECT now() - make_interval(hours => s.after_hours) + interval '1 hour'
         FROM core.archive_setting s WHERE s.is_on),
        (SELECT c.until FROM core.archive_cursor c
         WHERE c.tenant_id = owner AND c.relation = 'samples'),
        (SELECT max(d.day) + 1 FROM core.archive_day d
         WHERE d.tenant_id = owner AND d.relation = 'samples'));
END
$$;

-- Notes changes of days that may have been archived. Changes that only have something derived anew
-- are none.
CREATE FUNCTION core.archive_note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    owner   int;
    first   timestamptz;
    horizon timestamptz;
    stack   text;
BEGIN
    FOR owner, first IN SELECT n.tenant_id, min(n.from_time) FROM noted n GROUP BY n.tenant_id LOOP
        horizon := core.archive_horizon(owner);
        CONTINUE WHEN horizon IS NULL OR first >= horizon;
        GET DIAGNOSTICS stack = PG_CONTEXT;
        EXIT WHEN stack ~ 'core\.(energy_leave|meter_follow)\(';
        INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                         from_time, to_time, is_erasure)
        SELECT n.tenant_id, 'samples', d.start::date, n.series_id, v.key, s.metric, s.labels,
               greatest(n.from_time, d.start),
               least(n.to_time, d.start + interval '1 day' - interval '1 microsecond'), false
        FROM noted n
        JOIN core.series s ON s.tenant_id = n.tenant_id AND s.id = n.series_id
        JOIN core.device v ON v.tenant_id = s.tenant_id AND v.id = s.device_id
        CROSS JOIN LATERAL generate_series(date_trunc('day', n.from_time),
                                           least(n.to_time, horizon), interval '1 day') AS d (start)
        WHERE n.tenant_id = owner AND n.from_time < horizon;
    END LOOP;
    RETURN NULL;
END
$$;

-- What erasing (shared) and noting an archived day take, so that one sees the other.
CREATE FUNCTION core.archive_lock(owner int) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtextextended('tidemark.archive.' || owner, 0) $$;

-- A series that is erased is erased from the archive, too.
CREATE FUNCTION core.archive_note_erasure() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(core.archive_lock(OLD.tenant_id));
    INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                     from_time, to_time, is_erasure)
    SELECT OLD.tenant_id, d.relation, d.day, OLD.id, v.key, OLD.metric, OLD.labels,
           d.day, d.day + interval '1 day' - interval '1 microsecond', true
    FROM core.archive_day d
    JOIN core.device v ON v.tenant_id = OLD.tenant_id AND v.id = OLD.device_id
    WHERE d.tenant_id = OLD.tenant_id AND d.relation = 'samples';
    RETURN OLD;
END
$$;

-- The files of a tenant that is removed are removed.
CREATE FUNCTION core.archive_note_garbage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.archive_garbage (object)
    SELECT g.object FROM gone g
    UNION SELECT regexp_replace(replace(g.object, '.tombstones/', '/'), '\.parquet$', '.json')
    FROM gone g
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION core.archive_note_change(), core.archive_note_erasure(),
    core.archive_note_garbage() TO tidemark_owner;

-- ---- archiving ----

-- What the worker's settings say. Where they changed, it waits for those who went by the old ones:
-- what they change is committed, or noted, before a day is archived by the new ones.
CREATE FUNCTION ops.archive_configure(is_on boolean, after_hours int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
BEGIN
    IF EXISTS (SELECT FROM core.archive_setting s
               WHERE (s.is_on, s.after_hours)
                     IS DISTINCT FROM (archive_configure.is_on, archive_configure.after_hours)) THEN
        LOCK TABLE core.change IN SHARE ROW EXCLUSIVE MODE;
        UPDATE core.archive_setting s
        SET is_on = archive_configure.is_on, after_hours = archive_configure.after_hours;
    END IF;
END
$$;

-- Whether any series of the tenant has a sample in [from_time, to_time).
CREATE FUNCTION core.archive_has_samples(owner int, from_time timestamptz, to_time timestamptz)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM core.series s
        CROSS JOIN LATERAL (
            SELECT FROM core.sample x
            WHERE x.tenant_id = owner AND x.series_id = s.id
              AND x.time >= from_time AND x.time < to_time
            LIMIT 1) x
        WHERE s.tenant_id = owner);
END
$$;

-- The days that are to be archived, of each tenant the oldest first; and after its days one with
-- is_end: the day before which all is archived when those before it are.
CREATE FUNCTION ops.archive_plan()
RETURNS TABLE (tenant_id int, slug text, relation text, day text, is_end boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    stop   date;
    start  date;
    at     date;
    tenant record;
BEGIN
    SELECT (now() - make_interval(hours => s.after_hours))::date INTO stop
    FROM core.archive_setting s WHERE s.is_on;
    IF stop IS NULL THEN
        RETURN;
    END IF;
    relation := 'samples';
    FOR tenant IN SELECT t.id, t.slug, c.until FROM core.tenant t
                  LEFT JOIN core.archive_cursor c ON c.tenant_id = t.id AND c.relation = 'samples'
                  ORDER BY t.slug
    LOOP
        tenant_id := tenant.id;
        slug := tenant.slug;
        is_end := false;
        start := coalesce(tenant.until, (
            SELECT min(x.time)::date FROM core.series s
            CROSS JOIN LATERAL (SELECT x.time FROM core.sample x
                                WHERE x.tenant_id = s.tenant_id AND x.series_id = s.id
                                ORDER BY x.time LIMIT 1) x
            WHERE s.tenant_id = tenant.id), stop);
        FOR at IN SELECT DISTINCT c.day FROM core.archive_change c
                  WHERE c.tenant_id = tenant.id AND c.relation = relation
                    AND c.day < start
                    AND (c.day < stop
                         OR EXISTS (SELECT FROM core.archive_day d
                                    WHERE d.tenant_id = tenant.id AND d.relation = relation
                                      AND d.day = c.day))
                  ORDER BY 1
        LOOP
            day := to_char(at, 'YYYY-MM-DD');
            RETURN NEXT;
        END LOOP;
        at := start;
        WHILE at < stop LOOP
            IF core.archive_has_samples(tenant.id, at, at + 1) THEN
                day := to_char(at, 'YYYY-MM-DD');
                RETURN NEXT;
            END IF;
            at := at + 1;
        END LOOP;
        is_end := true;
        day := to_char(stop, 'YYYY-MM-DD');
        RETURN NEXT;
    END LOOP;
END
$$;

-- Notes, in a transaction of its own, the objects that are about to be written: should they never
-- be noted, they are garbage.
CREATE FUNCTION ops.archive_intend(objects text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.archive_garbage (object) SELECT unnest(objects);
END
$$;

-- Begins to archive a day of the transaction's tenant, under the keys of archive_intend: opens the cursor archive_samples over what
-- there is to write (series_id, time, value by series and time), all of it the first time, then
-- what changed. n: the number of the files to come; NULL: somebody else is at that day. `seen`
-- says which changes are among that.
CREATE FUNCTION ops.archive_begin(of_relation text, of_day text, objects text[], OUT n int,
                                  OUT is_first boolean, OUT seen text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    start CONSTANT timestamptz := of_day::date;
    stop  CONSTANT timestamptz := of_day::date + 1;
    archive_samples CONSTANT refcursor := 'archive_samples';
    n_begun bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(
               format('tidemark.archive.%s.%s.%s', home, of_relation, of_day), 0)) THEN
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
                              AND d.day = of_day::date);
    n := 1 + coalesce((SELECT max(a.n) FROM core.archive a
                       WHERE a.tenant_id = home AND a.relation = of_relation
                         AND a.day = of_day::date), 0);
    IF is_first THEN
        OPEN archive_samples NO SCROLL FOR
        SELECT s.id AS series_id, x.time, x.value
        FROM core.series s
        CROSS JOIN LATERAL (SELECT y.time, y.value FROM core.sample y
                            WHERE y.tenant_id = home AND y.series_id = s.id
                              AND y.time >= start AND y.time < stop
                            ORDER BY y.time OFFSET 0) x
        WHERE s.tenant_id = home
        ORDER BY s.id;                              -- each in the order of time as it is
    ELSE
        OPEN archive_samples NO SCROLL FOR
        SELECT r.series_id, x.time, x.value
        FROM (SELECT c.series AS series_id,
                     unnest(range_agg(tstzrange(c.from_time, c.to_time, '[]'))) AS span
              FROM core.archive_change c
              WHERE c.tenant_id = home AND c.relation = of_relation AND c.day = of_day::date
                AND pg_visible_in_snapshot(c.xid, seen::pg_snapshot) AND NOT c.is_erasure
              GROUP BY c.series) r
        CROSS JOIN LATERAL (SELECT y.time, y.value FROM core.sample y
                            WHERE y.tenant_id = home AND y.series_id = r.series_id
                              AND y.time >= lower(r.span) AND y.time <= upper(r.span)
                            ORDER BY y.time OFFSET 0) x
        WHERE EXISTS (SELECT FROM core.series s
                      WHERE s.tenant_id = home AND s.id = r.series_id)
        ORDER BY r.series_id, x.time;
    END IF;
END
$$;

-- What the files say of series of the transaction's tenant.
CREATE FUNCTION ops.archive_series(ids int[])
RETURNS TABLE (series_id int, device text, metric text, unit text, site text, labels text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, d.key, s.metric, s.unit, p.key, s.labels::text
    FROM core.series s
    JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id
    LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id
    WHERE s.tenant_id = core.tenant() AND s.id = ANY (ids)
    ORDER BY s.id;
END
$$;

-- What of earlier files of the day is void: ranges of series that changed while the database had
-- the day, and series that were erased.
CREATE FUNCTION ops.archive_tombstones(of_relation text, of_day text, seen text)
RETURNS TABLE (device text, metric text, labels text, from_time timestamptz, to_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.device, r.metric, r.labels::text, lower(r.span), upper(r.span)
    FROM (SELECT c.device, c.metric, c.labels,
                 unnest(range_agg(tstzrange(c.from_time, c.to_time, '[]'))) AS span
          FROM core.archive_change c
          JOIN core.archive_day d USING (tenant_id, relation, day)
          WHERE c.tenant_id = core.tenant() AND c.relation = of_relation AND c.day = of_day::date
            AND pg_visible_in_snapshot(c.xid, archive_tombstones.seen::pg_snapshot)
            AND (d.is_held OR c.is_erasure)
          GROUP BY c.device, c.metric, c.labels) r
    ORDER BY 1, 2, 3, 4;
END
$$;

-- Notes the files of a day, which are in the store and were read back; parallel arrays, empty
-- where there was nothing to write.
CREATE FUNCTION ops.archive_mark(of_relation text, of_day text, of_n int, seen text, kinds text[],
                                 objects text[], rows_of bigint[], bytes_of bigint[],
                                 sums bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    epoch CONSTANT bigint := (pg_snapshot_xmax(seen::pg_snapshot)::text::bigint >> 32) << 32;
BEGIN
    PERFORM pg_advisory_xact_lock(core.archive_lock(home));
    -- held, so that who goes by new settings sees the day among those that are archived
    PERFORM FROM core.archive_setting s
    WHERE s.is_on AND of_day::date < (now() - make_interval(hours => s.after_hours))::date
    FOR SHARE;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM core.archive_day d
                                 WHERE d.tenant_id = home AND d.relation = of_relation
                                   AND d.day = of_day::date) THEN
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
    SELECT home, of_relation, of_day::date, of_n, u.*
    FROM unnest(kinds, objects, rows_of, bytes_of, sums) u;
    INSERT INTO core.archive_day (tenant_id, relation, day, is_held)
    VALUES (home, of_relation, of_day::date, true)
    ON CONFLICT DO NOTHING;
    DELETE FROM core.archive_change c
    WHERE c.tenant_id = home AND c.relation = of_relation AND c.day = of_day::date
      AND pg_visible_in_snapshot(c.xid, seen::pg_snapshot);
END
$$;

-- Notes that all days of the transaction's tenant before this one are archived.
CREATE FUNCTION ops.archive_advance(of_relation text, of_day text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.archive_cursor AS c (tenant_id, relation, until)
    VALUES (core.tenant(), of_relation, of_day::date)
    ON CONFLICT (tenant_id, relation) DO UPDATE SET until = excluded.until
    WHERE c.until < excluded.until;
END
$$;

GRANT EXECUTE ON FUNCTION ops.archive_configure(boolean, int), ops.archive_plan(),
    ops.archive_intend(text[]), ops.archive_begin(text, text, text[]),
    ops.archive_series(int[]), ops.archive_tombstones(text, text, text),
    ops.archive_mark(text, text, int, text, text[], text[], bigint[], bigint[], bytea[]),
    ops.archive_advance(text, text) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER archive_note AFTER INSERT ON core.change
    REFERENCING NEW TABLE AS noted
    FOR EACH STATEMENT EXECUTE FUNCTION core.archive_note_change();
CREATE TRIGGER archive_note BEFORE DELETE ON core.series
    FOR EACH ROW EXECUTE FUNCTION core.archive_note_erasure();
CREATE TRIGGER archive_note AFTER DELETE ON core.archive
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION core.archive_note_garbage();
