-- What the ingest process calls. Registering devices, sites and series works inside one tenant;
-- writing works on whole batches of all tenants at once (group commit), so those functions are
-- doors: they take each row's tenant as an argument and check that the series is that tenant's.

-- The keys' devices, in their order (ord counts from 1). device_id NULL: unknown, and may_create
-- is false. A new device takes its key for a name.
CREATE FUNCTION api.ingest_devices(keys text[], may_create boolean)
RETURNS TABLE (ord int, device_id int, site_id int, is_retired boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    IF may_create THEN
        INSERT INTO core.device (tenant_id, key, name)
        SELECT DISTINCT owner, k.key, k.key
        FROM unnest(keys) AS k (key)
        WHERE NOT EXISTS (SELECT FROM core.device d WHERE d.tenant_id = owner AND d.key = k.key)
        ORDER BY k.key
        ON CONFLICT (tenant_id, key) DO NOTHING;
    END IF;
    RETURN QUERY
    SELECT k.ord::int, d.id, d.site_id, coalesce(d.retired_at <= now(), false)
    FROM unnest(keys) WITH ORDINALITY AS k (key, ord)
    LEFT JOIN core.device d ON d.tenant_id = owner AND d.key = k.key
    ORDER BY k.ord;
END
$$;

-- The same for sites; a new one is in the tenant's time zone.
CREATE FUNCTION api.ingest_sites(keys text[], may_create boolean)
RETURNS TABLE (ord int, site_id int)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    IF may_create THEN
        INSERT INTO core.site (tenant_id, key, name, timezone)
        SELECT DISTINCT owner, k.key, k.key, t.timezone
        FROM unnest(keys) AS k (key) JOIN core.tenant t ON t.id = owner
        WHERE NOT EXISTS (SELECT FROM core.site s WHERE s.tenant_id = owner AND s.key = k.key)
        ORDER BY k.key
        ON CONFLICT (tenant_id, key) DO NOTHING;
    END IF;
    RETURN QUERY
    SELECT k.ord::int, s.id
    FROM unnest(keys) WITH ORDINALITY AS k (key, ord)
    LEFT JOIN core.site s ON s.tenant_id = owner AND s.key = k.key
    ORDER BY k.ord;
END
$$;

-- Puts devices that are nowhere yet to the sites their events name; of two for one device the
-- first. Where an admin put a device it stays.
CREATE FUNCTION api.ingest_place(device_ids int[], site_ids int[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    UPDATE core.device d
    SET site_id = named.site_id
    FROM (SELECT DISTINCT ON (u.device_id) u.device_id, s.id AS site_id
          FROM unnest(device_ids, site_ids) WITH ORDINALITY AS u (device_id, site_id, ord)
          JOIN core.site s ON s.tenant_id = owner AND s.id = u.site_id
          ORDER BY u.device_id, u.ord) named
    WHERE d.tenant_id = owner AND d.id = named.device_id AND d.site_id IS NULL;
END
$$;

-- The newest sample's time of a series: what was flushed, or what came after it.
CREATE FUNCTION core.series_last_time(tenant_id int, series_id int, known timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN coalesce(
        (SELECT x.time FROM core.sample x
         WHERE x.tenant_id = series_last_time.tenant_id
           AND x.series_id = series_last_time.series_id
           AND x.time > coalesce(known, '-infinity')
         ORDER BY x.time DESC
         LIMIT 1), known);
END
$$;

-- The series of (device, metric, labels as a JSON object; NULL or '': none), in their order (ord
-- counts from 1). series_id NULL: unknown and may_create is false, or the device is not this
-- tenant's. last_time: the newest sample there is; NULL: none. Unit, kind and role of a new
-- series come from the device's configuration, else from the metric's name.
CREATE FUNCTION api.ingest_series(device_ids int[], metrics text[], labels text[],
                                  may_create boolean)
RETURNS TABLE (ord int, series_id int, last_time timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner  CONSTANT int := core.tenant();
    tagged CONSTANT jsonb[] := ARRAY(
        SELECT coalesce(nullif(l.label, ''), '{}')::jsonb
        FROM unnest(ingest_series.labels) WITH ORDINALITY AS l (label, ord) ORDER BY l.ord);
    made   int[] := '{}';
BEGIN
    IF may_create THEN
        WITH new AS (
            INSERT INTO core.series (tenant_id, device_id, metric, labels, unit, kind, role)
            SELECT DISTINCT owner, d.id, i.metric, i.labels, coalesce(c.own ->> 'unit', g.unit),
                   coalesce(c.own ->> 'kind', g.kind), coalesce(c.own ->> 'role', g.role)
            FROM unnest(device_ids, metrics, tagged) AS i (device_id, metric, labels)
            JOIN core.device d ON d.tenant_id = owner AND d.id = i.device_id
            CROSS JOIN LATERAL core.series_guess(i.metric) g
            CROSS JOIN LATERAL (SELECT d.config -> 'metrics' -> i.metric AS own) c
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text))
            ORDER BY d.id, i.metric, i.labels
            ON CONFLICT (tenant_id, device_id, metric, md5(labels::text)) DO NOTHING
            RETURNING id)
        SELECT coalesce(array_agg(new.id), '{}') INTO made FROM new;
    END IF;
    RETURN QUERY
    SELECT i.ord::int, s.id,
           CASE WHEN s.id IS NOT NULL AND s.id <> ALL (made)
                THEN core.series_last_time(owner, s.id, l.time) END
    FROM unnest(device_ids, metrics, tagged) WITH ORDINALITY AS i (device_id, metric, labels, ord)
    LEFT JOIN core.series s
           ON s.tenant_id = owner AND s.device_id = i.device_id AND s.metric = i.metric
          AND md5(s.labels::text) = md5(i.labels::text)
    LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
    ORDER BY i.ord;
END
$$;

GRANT EXECUTE ON FUNCTION api.ingest_devices(text[], boolean), api.ingest_sites(text[], boolean),
    api.ingest_place(int[], int[]),
    api.ingest_series(int[], text[], text[], boolean) TO tidemark_ingest;

SET LOCAL ROLE tidemark_door;

-- Fails unless every pair is a series and its tenant: a batch that mixes tenants up must not be
-- stored, whatever the caller's cache believes.
CREATE FUNCTION core.series_check(tenant_ids int[], series_ids int[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    wrong record;
BEGIN
    SELECT p.* INTO wrong
    FROM (SELECT DISTINCT * FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)) p
    WHERE NOT EXISTS (SELECT FROM core.series s
                      WHERE s.tenant_id = p.tenant_id AND s.id = p.series_id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'series % is not of tenant %', wrong.series_id, wrong.tenant_id
            USING ERRCODE = '23503';
    END IF;
END
$$;

-- Notes that samples of the series between the times (both inclusive) changed.
CREATE FUNCTION api.change_log(tenant_ids int[], series_ids int[], from_times timestamptz[],
                               to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.series_check(tenant_ids, series_ids);
    INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
    SELECT * FROM unnest(tenant_ids, series_ids, from_times, to_times);
END
$$;

-- The careful lane: stores samples that may be there already. The arrays are parallel, sorted by
-- (tenant, series, time) and without repeats; ord counts from 1; outcome 0: the same value was
-- there, 1: inserted, 2: another value was there and is replaced. What replaced a value or is
-- `logged` (late) is noted in core.change, neighbours within an hour as one range.
-- Samples that are the same never reach the INSERT: on compressed chunks it would unpack them.
CREATE FUNCTION api.ingest_samples(tenant_ids int[], series_ids int[], times timestamptz[],
                                   vals float8[], logged boolean[])
RETURNS TABLE (ord int, outcome int)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
BEGIN
    PERFORM core.series_check(tenant_ids, series_ids);
    RETURN QUERY
    WITH judged AS MATERIALIZED (
        SELECT i.*, CASE WHEN old.value IS NULL THEN 1
                         WHEN old.value = i.value THEN 0 ELSE 2 END AS outcome
        FROM unnest(tenant_ids, series_ids, times, vals, logged) WITH ORDINALITY
             AS i (tenant_id, series_id, time, value, is_logged, ord)
        LEFT JOIN LATERAL (
            SELECT x.value FROM core.sample x
            WHERE x.tenant_id = i.tenant_id AND x.series_id = i.series_id AND x.time = i.time
            LIMIT 1) old ON true
    ), written AS (
        INSERT INTO core.sample AS s (tenant_id, series_id, time, value)
        SELECT j.tenant_id, j.series_id, j.time, j.value
        FROM judged j WHERE j.outcome <> 0 ORDER BY j.ord
        ON CONFLICT (tenant_id, series_id, time) DO UPDATE SET value = excluded.value
        WHERE s.value IS DISTINCT FROM excluded.value
    ), dirty AS (
        SELECT j.tenant_id, j.series_id, j.time,
               j.time - lag(j.time) OVER w > interval '1 hour' AS is_apart
        FROM judged j
        WHERE j.outcome = 2 OR (j.outcome = 1 AND j.is_logged)
        WINDOW w AS (PARTITION BY j.tenant_id, j.series_id ORDER BY j.time)
    ), islands AS (
        SELECT d.*, count(*) FILTER (WHERE d.is_apart)
                        OVER (PARTITION BY d.tenant_id, d.series_id ORDER BY d.time) AS island
        FROM dirty d
    ), noted AS (
        INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
        SELECT n.tenant_id, n.series_id, min(n.time), max(n.time)
        FROM islands n
        GROUP BY n.tenant_id, n.series_id, n.island
    )
    SELECT j.ord::int, j.outcome FROM judged j ORDER BY j.ord;
END
$$;

-- Stores events that no kept day has seen. Parallel arrays: site 0, seq -1, id and data NULL for
-- none; keys are the events' identities (uuids). ord counts from 1; is_new false: a duplicate.
CREATE FUNCTION api.ingest_events(tenant_ids int[], device_ids int[], site_ids int[],
                                  times timestamptz[], types text[], seqs bigint[], ids text[],
                                  keys text[], data text[])
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
END
$$;

-- Newest samples of series; only forward, so that late processes do no harm.
CREATE FUNCTION api.series_last_flush(tenant_ids int[], series_ids int[], times timestamptz[],
                                      vals float8[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.series_check(tenant_ids, series_ids);
    INSERT INTO core.series_last AS l (tenant_id, series_id, time, value)
    SELECT DISTINCT ON (i.tenant_id, i.series_id) i.*
    FROM unnest(tenant_ids, series_ids, times, vals) AS i (tenant_id, series_id, time, value)
    ORDER BY i.tenant_id, i.series_id, i.time DESC
    ON CONFLICT (tenant_id, series_id) DO UPDATE SET time = excluded.time, value = excluded.value
    WHERE l.time <= excluded.time
      AND (l.time, l.value) IS DISTINCT FROM (excluded.time, excluded.value);
END
$$;

-- When devices were last heard of; only forward.
CREATE FUNCTION api.device_seen_flush(device_ids int[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.device d
    SET last_seen = seen.time
    FROM (SELECT u.id, max(u.time) AS time
          FROM unnest(device_ids, times) AS u (id, time) GROUP BY u.id) seen
    WHERE d.id = seen.id AND (d.last_seen IS NULL OR d.last_seen < seen.time);
END
$$;

GRANT EXECUTE ON FUNCTION
    api.change_log(int[], int[], timestamptz[], timestamptz[]),
    api.ingest_samples(int[], int[], timestamptz[], float8[], boolean[]),
    api.ingest_events(int[], int[], int[], timestamptz[], text[], bigint[], text[], text[], text[]),
    api.series_last_flush(int[], int[], timestamptz[], float8[]),
    api.device_seen_flush(int[], timestamptz[]) TO tidemark_ingest;

SET LOCAL ROLE tidemark_owner;
