-- The archive relied on: retention drops nothing that is not there; what there is of it, that it is
-- sound, and days brought back; what is to leave it.

SET LOCAL ROLE tidemark_door;

-- ---- retention ----

-- Whether a day of [from_day, to_day] was restored and is kept: of one tenant or of any.
CREATE FUNCTION core.archive_is_pinned(of_relation text, from_day date, to_day date, owner int)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.archive_day d
                   WHERE (owner IS NULL OR d.tenant_id = owner) AND d.relation = of_relation
                     AND d.day >= from_day AND d.day <= to_day
                     AND d.pinned_until > clock_timestamp());
END
$$;

-- Whether retention may take a chunk, of one tenant or of all: none of its days is pinned and, where
-- there is an archive, each is there with all that changed.
CREATE FUNCTION core.archive_allows(of_relation text, from_time timestamptz, to_time timestamptz,
                                    owner int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    held CONSTANT text := CASE of_relation WHEN 'core.sample' THEN 'samples' END;
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
CREATE FUNCTION core.archive_let_go(of_relation text, from_time timestamptz, to_time timestamptz,
                                    owner int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    held CONSTANT text := CASE of_relation WHEN 'core.sample' THEN 'samples' END;
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

GRANT EXECUTE ON FUNCTION core.archive_allows(text, timestamptz, timestamptz, int),
    core.archive_let_go(text, timestamptz, timestamptz, int) TO tidemark_owner;

-- ---- what the store is to be rid of ----

-- Objects that are to be removed from the store, and that they were. Those that somebody is about to
-- note are locked, and left; no other gets their keys.
CREATE FUNCTION ops.archive_garbage_list() RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT g.object FROM core.archive_garbage g ORDER BY g.object LIMIT 1000
                 FOR UPDATE SKIP LOCKED;
END
$$;

CREATE FUNCTION ops.archive_garbage_done(objects text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.archive_garbage g WHERE g.object = ANY (objects);
END
$$;

-- ---- looking, verifying ----

-- Files of the archive: of a tenant (NULL: all), of days in [from_day, to_day], NULL: from the
-- first, to the last. At most max_files of those after the file that is so called; after_slug NULL:
-- from the first on.
CREATE FUNCTION ops.archive_list(of_tenant text, from_day text, to_day text, after_slug text,
                                 after_relation text, after_day text, after_n int,
                                 after_kind text, max_files int)
RETURNS TABLE (tenant_id int, slug text, id bigint, relation text, day text, n int, kind text,
               object text, n_rows bigint, n_bytes bigint, sha256 bytea, is_held boolean,
               is_pinned boolean, verified_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.tenant_id, t.slug, a.id, a.relation, to_char(a.day, 'YYYY-MM-DD'), a.n, a.kind, a.object,
           a.n_rows, a.n_bytes, a.sha256, d.is_held, coalesce(d.pinned_until > now(), false),
           a.verified_at
    FROM core.archive a
    JOIN core.tenant t ON t.id = a.tenant_id
    JOIN core.archive_day d
      ON d.tenant_id = a.tenant_id AND d.relation = a.relation AND d.day = a.day
    WHERE (of_tenant IS NULL OR t.slug = of_tenant)
      AND (from_day IS NULL OR a.day >= from_day::date) AND (to_day IS NULL OR a.day <= to_day::date)
      AND (after_slug IS NULL
           OR (t.slug, a.relation, a.day, a.n, a.kind = 'rows')
              > (after_slug, after_relation, after_day::date, after_n, after_kind = 'rows'))
    ORDER BY t.slug, a.relation, a.day, a.n, a.kind = 'rows'
    LIMIT max_files;
END
$$;

-- Notes that a file was read whole and found as it was written.
CREATE FUNCTION ops.archive_verified(of_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.archive a SET verified_at = now()
    WHERE a.tenant_id = core.tenant() AND a.id = of_id;
END
$$;

-- ---- restoring ----

-- Begins to restore a day of the transaction's tenant; what speaks against it, NULL: nothing.
CREATE FUNCTION ops.archive_restore_begin(of_relation text, of_day text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    held boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(
        format('tidemark.archive.%s.%s.%s', home, of_relation, of_day), 0));
    PERFORM set_config('idle_in_transaction_session_timeout', '0', true);
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    SELECT d.is_held INTO held FROM core.archive_day d
    WHERE d.tenant_id = home AND d.relation = of_relation AND d.day = of_day::date
    FOR UPDATE;
    IF EXISTS (SELECT FROM core.archive_change c
               WHERE c.tenant_id = home AND c.relation = of_relation
                 AND c.day = of_day::date) THEN
        RETURN 'changes';
    END IF;
    IF held THEN
        RETURN 'held';
    END IF;
    PERFORM api.partitions_ensure(of_day::date, of_day::date + interval '1 day');
    RETURN CASE WHEN held IS NULL THEN 'unknown' END;
END
$$;

-- The files of a day of the transaction's tenant, in the order in which they apply; asked for after
-- archive_restore_begin, nobody adds one.
CREATE FUNCTION ops.archive_restore_files(of_relation text, of_day text)
RETURNS TABLE (n int, kind text, object text, n_rows bigint, n_bytes bigint, sha256 bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.n, a.kind, a.object, a.n_rows, a.n_bytes, a.sha256
    FROM core.archive a
    WHERE a.tenant_id = core.tenant() AND a.relation = of_relation AND a.day = of_day::date
    ORDER BY a.n, a.kind = 'rows';
END
$$;

-- The transaction's tenant's series of these names, in their order; what is missing is made, with
-- its device and site.
CREATE FUNCTION ops.archive_restore_series(devices text[], metrics text[], units text[],
                                           sites text[], labels text[]) RETURNS SETOF int
LANGUAGE plpgsql SECURITY DEFINER
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

-- Stores samples of a day that is being restored; a later file's replace an earlier one's.
CREATE FUNCTION ops.archive_restore_samples(of_day text, series_ids int[], times timestamptz[],
                                            vals float8[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    IF EXISTS (SELECT FROM unnest(times) t (time)
               WHERE t.time < of_day::date OR t.time >= of_day::date + 1)
       OR EXISTS (SELECT FROM (SELECT DISTINCT u.id FROM unnest(series_ids) u (id)) i
                  WHERE NOT EXISTS (SELECT FROM core.series s
                                    WHERE s.tenant_id = home AND s.id = i.id OFFSET 0)) THEN
        RAISE EXCEPTION 'a sample is not of the day, or of no series' USING ERRCODE = '22023';
    END IF;
    INSERT INTO core.sample AS x (tenant_id, series_id, time, value)
    SELECT home, u.* FROM unnest(series_ids, times, vals) AS u (series_id, time, value)
    ON CONFLICT (tenant_id, series_id, time) DO UPDATE SET value = excluded.value
    WHERE x.value IS DISTINCT FROM excluded.value;
END
$$;

-- Removes what tombstones of a day that is being restored void.
CREATE FUNCTION ops.archive_restore_void(of_day text, devices text[], metrics text[],
                                         labels text[], from_times timestamptz[],
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
        SELECT s.id, greatest(u.from_time, of_day::date) AS from_time,
               least(u.to_time, of_day::date + interval '1 day' - interval '1 microsecond') AS to_time
        FROM unnest(devices, metrics, archive_restore_void.labels, from_times, to_times)
             AS u (device, metric, labels, from_time, to_time)
        JOIN core.device d ON d.tenant_id = home AND d.key = u.device
        JOIN core.series s ON s.tenant_id = home AND s.device_id = d.id AND s.metric = u.metric
         AND md5(s.labels::text) = md5(u.labels::jsonb::text)
    LOOP
        DELETE FROM core.sample x
        WHERE x.tenant_id = home AND x.series_id = void.id AND x.time >= void.from_time
          AND x.time <= void.to_time;
    END LOOP;
END
$$;

-- Notes that the database has the day again; how many samples. Retention leaves it for so long. Fails
-- where something of the day changed meanwhile: what was restored may have taken its place.
CREATE FUNCTION ops.archive_restore_end(of_relation text, of_day text, pin_days int) RETURNS bigint
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
    RETURN (SELECT count(*) FROM core.series s
            CROSS JOIN LATERAL (SELECT FROM core.sample x
                                WHERE x.tenant_id = home AND x.series_id = s.id
                                  AND x.time >= of_day::date AND x.time < of_day::date + 1
                                OFFSET 0) x
            WHERE s.tenant_id = home);
END
$$;

GRANT EXECUTE ON FUNCTION ops.archive_garbage_list(), ops.archive_garbage_done(text[]),
    ops.archive_list(text, text, text, text, text, text, int, text, int),
    ops.archive_verified(bigint), ops.archive_restore_files(text, text),
    ops.archive_restore_begin(text, text),
    ops.archive_restore_series(text[], text[], text[], text[], text[]),
    ops.archive_restore_samples(text, int[], timestamptz[], float8[]),
    ops.archive_restore_void(text, text[], text[], text[], timestamptz[], timestamptz[]),
    ops.archive_restore_end(text, text, int) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;

-- As before, but what is to be archived first, or is pinned, waits, too.
-- Takes one step of the plan. outcome: 'dropped', 'deleted' (so many rows), 'waiting' (something
-- has yet to be derived from it, or to be archived), 'busy' (in use), 'kept' (nothing of it is past
-- keeping, or it is gone). What derives from the rows learns that they are not whole any more in the same
-- transaction, so that nothing is ever derived again from the rest.
CREATE OR REPLACE FUNCTION ops.retention_step(relation text, from_time timestamptz, to_time timestamptz,
                                   tenant_id int, OUT outcome text, OUT n_rows bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
#variable_conflict use_variable
DECLARE
    kept    core.kept;
    store   regclass;
    horizon timestamptz;
    part    regclass;
    owner CONSTANT int := tenant_id;
BEGIN
    SELECT * INTO kept FROM core.kept k WHERE k.relation::text = relation;
    IF FOUND THEN
        store := kept.relation;
        SELECT CASE WHEN owner IS NULL THEN core.horizon_last(kept.class)
                    ELSE min(h.horizon) FILTER (WHERE h.tenant_id = owner) END INTO horizon
        FROM core.tenant_horizons(kept.class) h;
    ELSE
        SELECT h.aggregate, h.store, h.horizon INTO kept.relation, store, horizon
        FROM core.aggregate_horizons() h WHERE h.aggregate::text = relation AND owner IS NULL;
    END IF;
    SELECT c.chunk INTO part FROM core.chunk_list(store) c
    WHERE c.from_time = from_time AND c.to_time = to_time;
    outcome := 'kept';
    IF part IS NULL OR horizon IS NULL OR to_time > horizon THEN
        RETURN;
    END IF;
    outcome := 'waiting';
    IF NOT core.archive_allows(relation, from_time, to_time, owner) THEN
        RETURN;
    END IF;
    IF kept.floor IS NOT NULL
       AND NOT core.floor_raise(kept.floor, to_time, owner, from_time) THEN
        RETURN;
    END IF;
    IF owner IS NULL THEN
        PERFORM core.chunk_lock(kept.relation, part);
    ELSE
        n_rows := core.chunk_purge(kept, owner, from_time, to_time);
    END IF;
    -- What came in since the first look is seen by now.
    IF NOT core.archive_allows(relation, from_time, to_time, owner)
       OR kept.floor IS NOT NULL
       AND NOT core.floor_raise(kept.floor, to_time, owner, from_time) THEN
        RAISE EXCEPTION 'rows arrive' USING ERRCODE = 'TM409';
    END IF;
    PERFORM core.archive_let_go(relation, from_time, to_time, owner);
    outcome := 'deleted';
    IF owner IS NULL THEN
        PERFORM core.chunk_drop(kept.relation, part, from_time, to_time);
        outcome := 'dropped';
    END IF;
EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
        outcome := 'busy';
    WHEN SQLSTATE 'TM409' THEN
        outcome := 'waiting';
        n_rows := NULL;
END
$$;
