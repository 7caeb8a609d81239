-- Nothing is committed for a series or a device after its erasure: whoever stores samples or events looks
-- for erasures behind the lock that he holds until he commits, and an erasure ends when those who looked
-- before are done.

SET LOCAL ROLE tidemark_door;

-- Fails with SQLSTATE 23503 where one of the series was erased within the last day. Quick where none was;
-- the caller has asked for that.
CREATE FUNCTION core.erased_check(tenant_ids int[], series_ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off      -- by the key, however few there are: there is a row for each series of a batch
SET enable_bitmapscan = off
AS $$
DECLARE
    gone record;
BEGIN
    SELECT u.* INTO gone
    FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)
    WHERE EXISTS (SELECT FROM core.erased e
                  WHERE e.tenant_id = u.tenant_id AND e.kind = 'series' AND e.id = u.series_id OFFSET 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'series % of tenant % was erased', gone.series_id, gone.tenant_id
            USING ERRCODE = '23503';
    END IF;
END
$$;

-- For a transaction that stores samples of these series and notes none of them in core.change, as
-- api.ingest_begin() is for others: until it ends no quarter hour is closed and none of the series is
-- erased. True when no sample is older than what is closed; else it fails with SQLSTATE TM001, and with
-- 23503 where one of the series was erased, so that what it stands beside cannot be stored.
CREATE FUNCTION api.ingest_open(oldest timestamptz, tenant_ids int[], series_ids int[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_closed  boolean;
    has_erased boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('tidemark.ingest', 0));
    SELECT s.closing_until > oldest, EXISTS (SELECT FROM core.erased) INTO is_closed, has_erased
    FROM core.rollup_state s;
    IF has_erased THEN
        PERFORM core.erased_check(tenant_ids, series_ids);
    END IF;
    IF is_closed THEN
        RAISE EXCEPTION 'older than what is closed' USING ERRCODE = 'TM001';
    END IF;
    RETURN true;
END
$$;

-- As api.ingest_guard(), for a transaction that stores samples of these series: fails with SQLSTATE 23503
-- where one of them was erased; until the transaction ends none is.
CREATE FUNCTION api.ingest_begin(tenant_ids int[], series_ids int[]) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    closing CONSTANT timestamptz := api.ingest_guard();
BEGIN
    IF EXISTS (SELECT FROM core.erased) THEN
        PERFORM core.erased_check(tenant_ids, series_ids);
    END IF;
    RETURN closing;
END
$$;
GRANT EXECUTE ON FUNCTION api.ingest_open(timestamptz, int[], int[]), api.ingest_begin(int[], int[])
    TO tidemark_ingest;

-- Stores events that no kept day has seen, unless their device was erased: until the transaction ends none
-- is. Parallel arrays: site 0, seq -1, id and data NULL for none; keys are the events' identities (uuids).
-- ord counts from 1; is_new false: a duplicate.
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
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('tidemark.ingest', 0));
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

-- Waits for all who store samples or events, and keeps others from it until the transaction ends, which is
-- to be at once. They wait behind it: half a second at a time.
CREATE FUNCTION core.writers_hold() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
BEGIN
    FOR attempt IN 1 .. 20 LOOP
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.ingest', 0));
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
    RAISE EXCEPTION 'readings are being written all the time; try again' USING ERRCODE = 'TM409';
END
$$;

-- Erases a device with all that is its own: samples, rollups, energy, events, tokens, links. Who rates is
-- waited for before the first row goes, and who writes before it ends. Answers how many rows went, by
-- table. Its key may come again, as another device.
CREATE OR REPLACE FUNCTION core.device_erase(home int, of_key text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone   int;
    series int[];
    part   record;
    counts jsonb := '{}';
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.rollup_lock();      -- nothing is derived of it meanwhile
    SELECT d.id INTO gone FROM core.device d WHERE d.tenant_id = home AND d.key = of_key
    FOR UPDATE;                      -- and no series is made
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    PERFORM core.cost_hold(home, gone);
    series := ARRAY(SELECT s.id FROM core.series s
                    WHERE s.tenant_id = home AND s.device_id = gone ORDER BY s.id);
    INSERT INTO core.erased (tenant_id, kind, id)
    SELECT home, 'series', s.id FROM unnest(series) AS s (id)
    UNION ALL SELECT home, 'device', gone;
    FOR part IN SELECT t.* FROM core.device_tables() t LOOP
        counts := counts || jsonb_build_object(
            (SELECT c.relname FROM pg_class c WHERE c.oid = part.relation),
            core.rows_erase(part.relation, home, part.key,
                            CASE part.key WHEN 'series_id' THEN series ELSE ARRAY[gone] END));
    END LOOP;
    counts := counts || jsonb_build_object(
        'cost_device', (counts ->> 'cost_device')::bigint + core.cost_device_cut(home, gone));
    DELETE FROM core.device d WHERE d.tenant_id = home AND d.id = gone;
    PERFORM core.audit_add(home, 'device.erase', of_key, counts);
    PERFORM core.writers_hold();
    RETURN counts;
END
$$;

SET LOCAL ROLE tidemark_owner;

DROP FUNCTION api.ingest_open(timestamptz);
