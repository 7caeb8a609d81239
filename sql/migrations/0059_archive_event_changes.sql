-- Events in the archive: what of them changes behind its back, retention, which waits for them as it
-- does for samples, and bringing them back.

GRANT UPDATE ON core.event TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- What the archive calls a table; NULL: it has none of it.
CREATE FUNCTION core.archive_name(stored text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE stored WHEN 'core.sample' THEN 'samples' WHEN 'core.event' THEN 'events' END
$$;

-- ---- what changes behind the archive's back ----

DROP FUNCTION core.archive_horizon(int);

-- Changes before this are noted; NULL: none. Days are that are old enough to be archived (an hour
-- more than that, for the archiver sees what is committed when it begins: whoever was at it then
-- began before), and those that are archived, whatever the settings have become since.
CREATE FUNCTION core.archive_horizon(owner int, of_relation text) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    RETURN greatest(
        (SELECT now() - make_interval(hours => s.after_hours) + interval '1 hour'
         FROM core.archive_setting s WHERE s.is_on),
        (SELECT c.until FROM core.archive_cursor c
         WHERE c.tenant_id = owner AND c.relation = of_relation),
        (SELECT max(d.day) + 1 FROM core.archive_day d
         WHERE d.tenant_id = owner AND d.relation = of_relation));
END
$$;

-- Notes changes of samples of days that may have been archived. Changes that only have something
-- derived anew are none.
CREATE OR REPLACE FUNCTION core.archive_note_change() RETURNS trigger
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
        horizon := core.archive_horizon(owner, 'samples');
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

-- Notes events of days that may have been archived, of those items of the arrays: their devices and
-- times. What is noted of events has the device's number for a series', and no metric.
-- archive_configure waits for who read the settings here.
CREATE FUNCTION core.archive_note_events(tenant_ids int[], device_ids int[], times timestamptz[],
                                         items int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    LOCK TABLE core.change IN ROW EXCLUSIVE MODE;
    INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                     from_time, to_time, is_erasure)
    SELECT e.tenant_id, 'events', e.time::date, e.device_id, v.key, '', '{}', min(e.time),
           max(e.time), false
    FROM unnest(tenant_ids, device_ids, times) WITH ORDINALITY
         AS e (tenant_id, device_id, time, ord)
    JOIN (SELECT t.id, core.archive_horizon(t.id, 'events') AS horizon
          FROM (SELECT DISTINCT unnest(tenant_ids)) AS t (id) OFFSET 0) h ON h.id = e.tenant_id
    JOIN core.device v ON v.tenant_id = e.tenant_id AND v.id = e.device_id
    WHERE e.ord = ANY (items) AND e.time < h.horizon
    GROUP BY e.tenant_id, e.time::date, e.device_id, v.key;
END
$$;

-- Stores events that no kept day has seen. Parallel arrays: site 0, seq -1, id and data NULL for
-- none; keys are the events' identities (uuids). ord counts from 1; is_new false: a duplicate.
CREATE OR REPLACE FUNCTION api.ingest_events(tenant_ids int[], device_ids int[], site_ids int[],
                                             times timestamptz[], types text[], seqs bigint[],
                                             ids text[], keys text[], data text[])
RETURNS TABLE (ord int, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    fresh int[];
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT * FROM unnest(tenant_ids, device_ids)
                            AS u (tenant_id, device_id)) p
               WHERE NOT EXISTS (SELECT FROM core.device d WHERE d.tenant_id = p.tenant_id
                                 AND d.id = p.device_id OFFSET 0)) THEN
        RAISE EXCEPTION 'a device is not of its tenant' USING ERRCODE = '23503';
    END IF;
    fresh := ARRAY(SELECT core.event_key_claim(now(), tenant_ids, device_ids, keys::uuid[]));
    -- A key outlives its days in core.event itself: there the same event is no news either.
    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT i.* FROM unnest(tenant_ids, device_ids, site_ids, times, types, seqs, ids, keys,
                               ingest_events.data) WITH ORDINALITY
             AS i (tenant_id, device_id, site_id, time, type, seq, id, key, data, ord)
    ), stored AS (
        INSERT INTO core.event AS e (tenant_id, time, key, device_id, site_id, type, seq, id, data)
        SELECT i.tenant_id, i.time, i.key::uuid, i.device_id, nullif(i.site_id, 0), i.type,
               nullif(i.seq, -1), i.id::uuid, coalesce(i.data, '{}')::jsonb
        FROM input i WHERE i.ord = ANY (fresh) ORDER BY i.tenant_id, i.time, i.key
        ON CONFLICT (tenant_id, time, key, device_id) DO NOTHING
        RETURNING e.tenant_id, e.time, e.key, e.device_id
    )
    SELECT i.ord::int, s.key IS NOT NULL
    FROM input i
    LEFT JOIN stored s ON s.tenant_id = i.tenant_id AND s.time = i.time AND s.key = i.key::uuid
                      AND s.device_id = i.device_id AND i.ord = ANY (fresh)
    ORDER BY i.ord;
    -- No day that is not over is archived, nor will be before this is committed.
    IF cardinality(fresh) > 0
       AND EXISTS (SELECT FROM unnest(times) AS t (time)
                   WHERE t.time < date_trunc('day', now(), 'UTC')) THEN
        PERFORM core.archive_note_events(tenant_ids, device_ids, times, fresh);
    END IF;
END
$$;

-- Events of a device that is erased are erased from the archive, too.
CREATE FUNCTION core.archive_note_device() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(core.archive_lock(OLD.tenant_id));
    INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                     from_time, to_time, is_erasure)
    SELECT OLD.tenant_id, d.relation, d.day, OLD.id, OLD.key, '', '{}',
           d.day, d.day + interval '1 day' - interval '1 microsecond', true
    FROM core.archive_day d
    WHERE d.tenant_id = OLD.tenant_id AND d.relation = 'events';
    RETURN OLD;
END
$$;
GRANT EXECUTE ON FUNCTION core.archive_note_device() TO tidemark_owner;

-- ---- retention ----

-- Whether retention may take a chunk, of one tenant or of all: none of its days is pinned and, where
-- there is an archive, each is there with all that changed.
CREATE OR REPLACE FUNCTION core.archive_allows(of_relation text, from_time timestamptz,
                                               to_time timestamptz, owner int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    held CONSTANT text := core.archive_name(of_relation);
    stop CONSTANT date := (to_time - interval '1 microsecond')::date;
BEGIN
    IF held IS NULL THEN
        RETURN true;
    END IF;
    IF core.archive_is_pinned(held, from_time::date, stop, owner) THEN
        RETURN false;
    END IF;
    RETURN NOT (SELECT s.is_on FROM core.archive_setting s) OR NOT EXISTS (
        SELECT FROM core.tenant t
        LEFT JOIN core.archive_cursor c ON c.tenant_id = t.id AND c.relation = held
        WHERE (owner IS NULL OR t.id = owner)
          AND (coalesce(c.until, '-infinity') <= stop
               OR EXISTS (SELECT FROM core.archive_change x
                          WHERE x.tenant_id = t.id AND x.relation = held
                            AND x.day >= from_time::date AND x.day <= stop)));
END
$$;

-- Notes that the database has the days of a chunk no longer. Whoever restores one of them has its
-- row locked: this waits for that, and fails when it is pinned then.
CREATE OR REPLACE FUNCTION core.archive_let_go(of_relation text, from_time timestamptz,
                                               to_time timestamptz, owner int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    held CONSTANT text := core.archive_name(of_relation);
    stop CONSTANT date := (to_time - interval '1 microsecond')::date;
BEGIN
    UPDATE core.archive_day d SET is_held = false, pinned_until = NULL
    WHERE d.relation = held AND (owner IS NULL OR d.tenant_id = owner)
      AND d.day >= from_time::date AND d.day <= stop
      AND coalesce(d.pinned_until, '-infinity') <= clock_timestamp();
    IF core.archive_is_pinned(held, from_time::date, stop, owner) THEN
        RAISE EXCEPTION 'a day was restored meanwhile' USING ERRCODE = 'TM409';
    END IF;
END
$$;

-- ---- restoring ----

-- Makes the devices and sites of the transaction's tenant that are missing.
CREATE FUNCTION core.archive_restore_places(devices text[], sites text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    INSERT INTO core.site (tenant_id, key, name, timezone)
    SELECT DISTINCT home, u.site, u.site, t.timezone
    FROM unnest(sites) AS u (site) JOIN core.tenant t ON t.id = home
    WHERE u.site IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO core.device (tenant_id, key, name, site_id)
    SELECT DISTINCT ON (u.device) home, u.device, u.device, p.id
    FROM unnest(devices, sites) AS u (device, site)
    LEFT JOIN core.site p ON p.tenant_id = home AND p.key = u.site
    ON CONFLICT DO NOTHING;
END
$$;

-- The transaction's tenant's series of these names, in their order; what is missing is made, with
-- its device and site.
CREATE OR REPLACE FUNCTION ops.archive_restore_series(devices text[], metrics text[], units text[],
                                                      sites text[], labels text[])
RETURNS SETOF int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    PERFORM core.archive_restore_places(devices, sites);
    INSERT INTO core.series (tenant_id, device_id, metric, labels, unit, kind, role)
    SELECT DISTINCT ON (d.id, u.metric, u.labels) home, d.id, u.metric, u.labels::jsonb, u.unit,
           g.kind, g.role
    FROM unnest(devices, metrics, units, archive_restore_series.labels)
         AS u (device, metric, unit, labels)
    JOIN core.device d ON d.tenant_id = home AND d.key = u.device
    CROSS JOIN LATERAL core.series_guess(u.metric) g
    ON CONFLICT DO NOTHING;
    RETURN QUERY
    SELECT s.id
    FROM unnest(devices, metrics, archive_restore_series.labels) WITH ORDINALITY
         AS u (device, metric, labels, ord)
    JOIN core.device d ON d.tenant_id = home AND d.key = u.device
    JOIN core.series s ON s.tenant_id = home AND s.device_id = d.id AND s.metric = u.metric
     AND md5(s.labels::text) = md5(u.labels::jsonb::text)
    ORDER BY u.ord;
END
$$;

-- Stores events of a day that is being restored; a later file's replace an earlier one's. Devices and
-- sites that are missing are made. Parallel arrays: seqs, ids and sites with NULLs.
CREATE FUNCTION ops.archive_restore_events(of_day text, times timestamptz[], types text[],
                                           devices text[], seqs text[], ids text[], sites text[],
                                           data text[], keys text[], arrivals timestamptz[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    IF EXISTS (SELECT FROM unnest(times) t (time)
               WHERE t.time < of_day::date OR t.time >= of_day::date + 1) THEN
        RAISE EXCEPTION 'an event is not of the day' USING ERRCODE = '22023';
    END IF;
    PERFORM core.archive_restore_places(devices, sites);
    INSERT INTO core.event AS e (tenant_id, time, key, device_id, site_id, type, seq, id, data,
                                 arrived)
    SELECT home, u.time, u.key::uuid, d.id, p.id, u.type, u.seq::bigint, u.id::uuid, u.data::jsonb,
           u.arrived
    FROM unnest(times, types, devices, seqs, ids, sites, archive_restore_events.data, keys, arrivals)
         AS u (time, type, device, seq, id, site, data, key, arrived)
    JOIN core.device d ON d.tenant_id = home AND d.key = u.device
    LEFT JOIN core.site p ON p.tenant_id = home AND p.key = u.site
    ON CONFLICT (tenant_id, time, key, device_id)
    DO UPDATE SET site_id = excluded.site_id, type = excluded.type, seq = excluded.seq,
                  id = excluded.id, data = excluded.data, arrived = excluded.arrived
    WHERE (e.site_id, e.type, e.seq, e.id, e.data, e.arrived)
          IS DISTINCT FROM (excluded.site_id, excluded.type, excluded.seq, excluded.id,
                            excluded.data, excluded.arrived);
END
$$;

-- Removes events that tombstones of a day that is being restored void.
CREATE FUNCTION ops.archive_restore_void_events(of_day text, devices text[],
                                                from_times timestamptz[],
                                                to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
    void record;
BEGIN
    FOR void IN
        SELECT d.id, greatest(u.from_time, of_day::date) AS from_time,
               least(u.to_time, of_day::date + interval '1 day' - interval '1 microsecond') AS to_time
        FROM unnest(devices, from_times, to_times) AS u (device, from_time, to_time)
        JOIN core.device d ON d.tenant_id = home AND d.key = u.device
    LOOP
        DELETE FROM core.event e
        WHERE e.tenant_id = home AND e.device_id = void.id AND e.time >= void.from_time
          AND e.time <= void.to_time;
    END LOOP;
END
$$;

-- How many rows of a table the transaction's tenant has of a day.
CREATE FUNCTION core.archive_count(of_relation text, of_day date) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    IF of_relation = 'events' THEN
        RETURN (SELECT count(*) FROM core.event e
                WHERE e.tenant_id = home AND e.time >= of_day AND e.time < of_day + 1);
    END IF;
    RETURN (SELECT count(*) FROM core.series s
            CROSS JOIN LATERAL (SELECT FROM core.sample x
                                WHERE x.tenant_id = home AND x.series_id = s.id
                                  AND x.time >= of_day AND x.time < of_day + 1
                                OFFSET 0) x
            WHERE s.tenant_id = home);
END
$$;

-- Notes that the database has the day again; how many rows. Retention leaves it for so long. Fails
-- where something of the day changed meanwhile: what was restored may have taken its place.
CREATE OR REPLACE FUNCTION ops.archive_restore_end(of_relation text, of_day text, pin_days int)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    IF EXISTS (SELECT FROM core.archive_change c
               WHERE c.tenant_id = home AND c.relation = of_relation
                 AND c.day = of_day::date) THEN
        RAISE EXCEPTION 'the day changed while it was restored: archive that, and try again'
            USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive_day AS d (tenant_id, relation, day, is_held, pinned_until)
    VALUES (home, of_relation, of_day::date, true, now() + make_interval(days => pin_days))
    ON CONFLICT (tenant_id, relation, day)
    DO UPDATE SET is_held = true, pinned_until = excluded.pinned_until;
    RETURN core.archive_count(of_relation, of_day::date);
END
$$;

GRANT EXECUTE ON FUNCTION
    ops.archive_restore_events(text, timestamptz[], text[], text[], text[], text[], text[], text[],
                               text[], timestamptz[]),
    ops.archive_restore_void_events(text, text[], timestamptz[], timestamptz[]) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER archive_note BEFORE DELETE ON core.device
    FOR EACH ROW EXECUTE FUNCTION core.archive_note_device();
