-- ---- retention ----

DROP FUNCTION ops.retention_run(int, int);

-- The installation's days, as its settings say.
CREATE FUNCTION ops.retention_set(raw int, hourly int, daily int, event int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.retention r SET days = wanted.days
    FROM (VALUES ('raw', raw), ('hourly', hourly), ('daily', daily), ('event', event))
         AS wanted (class, days)
    WHERE r.class = wanted.class AND r.days IS DISTINCT FROM wanted.days;
END
$$;

-- The stored aggregates (none where they are views), and until when they are past keeping:
-- never later than what they count.
CREATE FUNCTION core.aggregate_horizons()
RETURNS TABLE (aggregate regclass, store regclass, horizon timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT a.aggregate, s.store,
           least(core.horizon_last(a.class), core.horizon_last(a.own_class))
    FROM core.aggregate a CROSS JOIN LATERAL core.aggregate_store(a.aggregate) AS s (store)
    WHERE s.store IS NOT NULL;
END
$$;

-- The steps that retention has to take, oldest chunks of a table first: a chunk that is past
-- everybody's horizon (tenant_id NULL: it is dropped), or a tenant's rows in one that is past its
-- own horizon alone (they are deleted; of a compressed chunk whole batches go). Of aggregates,
-- which are hidden by what reads them, whole chunks alone.
CREATE FUNCTION ops.retention_plan()
RETURNS TABLE (relation text, from_time timestamptz, to_time timestamptz, tenant_id int)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    kept record;
    part record;
    past int[];
BEGIN
    FOR kept IN
        SELECT k.*, core.horizon_last(k.class) AS last,
               (SELECT max(h.horizon) FROM core.tenant_horizons(k.class) h) AS first
        FROM core.kept k ORDER BY k.relation::oid
    LOOP
        relation := kept.relation::text;
        FOR part IN SELECT c.* FROM core.chunk_list(kept.relation) c
                    WHERE c.to_time <= greatest(kept.last, kept.first)
        LOOP
            from_time := part.from_time;
            to_time := part.to_time;
            tenant_id := NULL;
            IF to_time <= kept.last THEN
                RETURN NEXT;
            ELSIF kept.has_tenant THEN
                past := ARRAY(SELECT h.tenant_id FROM core.tenant_horizons(kept.class) h
                              WHERE h.horizon >= to_time ORDER BY 1);
                FOR tenant_id IN EXECUTE format(
                    'SELECT p.id FROM unnest($1) AS p (id) WHERE EXISTS'
                    ' (SELECT FROM %s x WHERE x.tenant_id = p.id AND x.%I >= %L AND x.%2$I < %4$L'
                    '  OFFSET 0)', kept.relation, kept.time_column, from_time, to_time)
                    USING past
                LOOP
                    RETURN NEXT;
                END LOOP;
            END IF;
        END LOOP;
    END LOOP;
    tenant_id := NULL;
    FOR relation, from_time, to_time IN
        SELECT h.aggregate::text, c.from_time, c.to_time
        FROM core.aggregate_horizons() h CROSS JOIN LATERAL core.chunk_list(h.store) c
        WHERE c.to_time <= h.horizon ORDER BY h.aggregate::oid, c.from_time
    LOOP
        RETURN NEXT;
    END LOOP;
END
$$;

-- Deletes a tenant's rows in a chunk; how many. Counted, as on compressed chunks a DELETE does
-- not tell, and counted again afterwards: a bitmap scan can leave all of them.
CREATE FUNCTION core.chunk_purge(kept core.kept, owner int, from_time timestamptz,
                                 to_time timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    rows_of CONSTANT text := format('FROM %s x WHERE x.tenant_id = %s AND x.%I >= %L AND x.%3$I < %5$L',
                                    kept.relation, owner, kept.time_column, from_time, to_time);
    before bigint;
    after  bigint;
BEGIN
    -- A source of continuous aggregates is decompressed for it, however large.
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    EXECUTE 'SELECT count(*) ' || rows_of INTO before;
    EXECUTE 'DELETE ' || rows_of;
    EXECUTE 'SELECT count(*) ' || rows_of INTO after;
    IF after > 0 THEN
        RAISE EXCEPTION '% rows of % could not be deleted', after, kept.relation;
    END IF;
    RETURN before;
END
$$;

-- Takes one step of the plan. outcome: 'dropped', 'deleted' (so many rows), 'waiting' (something
-- has yet to be derived from it), 'busy' (in use), 'kept' (nothing of it is past keeping, or it is
-- gone). What derives from the rows learns that they are not whole any more in the same
-- transaction, so that nothing is ever derived again from the rest.
CREATE FUNCTION ops.retention_step(relation text, from_time timestamptz, to_time timestamptz,
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
    IF kept.floor IS NOT NULL
       AND NOT core.floor_raise(kept.floor, to_time, owner, from_time) THEN
        RAISE EXCEPTION 'rows arrive' USING ERRCODE = 'TM409';
    END IF;
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

-- The jobs of the worker, as it says itself: how often each is due.
CREATE TABLE ops.job (
    name    text PRIMARY KEY,
    every_s int NOT NULL CHECK (every_s > 0)
);

CREATE FUNCTION ops.job_schedule_set(names text[], every_s int[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM ops.job j WHERE j.name <> ALL (names);
    INSERT INTO ops.job AS j (name, every_s)
    SELECT n.name, n.every_s FROM unnest(names, every_s) AS n (name, every_s)
    ON CONFLICT ON CONSTRAINT job_pkey DO UPDATE SET every_s = excluded.every_s
    WHERE j.every_s <> excluded.every_s;
END
$$;

-- Which connection a run is of: while it is there, the run may be going on.
ALTER TABLE ops.job_run ADD COLUMN pid int;

-- As before; but what a worker that was killed had begun may begin again as soon as its connection
-- is gone, for somebody waits for rollups. Behind a pooler, which keeps it, ten minutes later.
CREATE OR REPLACE FUNCTION ops.job_begin(job text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lease  CONSTANT interval := interval '10 minutes';
    new_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.job.' || job, 0));
    IF EXISTS (SELECT FROM ops.job_run r
               WHERE r.name = job AND r.finished_at IS NULL
                 AND r.started_at > clock_timestamp() - lease
                 AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = r.pid)) THEN
        RETURN NULL;
    END IF;
    UPDATE ops.job_run r
    SET finished_at = clock_timestamp(), is_ok = false, detail = 'never finished'
    WHERE r.name = job AND r.finished_at IS NULL;
    INSERT INTO ops.job_run (name, started_at, pid)
    VALUES (job, clock_timestamp(), pg_backend_pid())
    RETURNING id INTO new_id;
    RETURN new_id;
END
$$;

-- The rest of retention, what is small or has no chunks: identities of events after seven days,
-- failed runs of jobs after those of system metrics, good ones after a week (after a day, where
-- the job runs more often than every minute). Answers what went.
CREATE FUNCTION ops.retention_tidy() RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    today  CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
    oldest CONSTANT text := 'core.event_key_' || core.event_key_slot(today - 8);
    has_keys boolean;
    n_runs   bigint;
BEGIN
    -- Of the ten slots nine are in use (seven whole days, today, tomorrow); the tenth is emptied.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', oldest) INTO has_keys;
    IF has_keys THEN
        BEGIN
            EXECUTE format('TRUNCATE %s', oldest);
        EXCEPTION WHEN lock_not_available THEN
            has_keys := false;
        END;
    END IF;
    DELETE FROM ops.job_run r
    WHERE r.finished_at < core.horizon_last('metric')
       OR r.is_ok AND r.finished_at < now() - interval '7 days'
       OR r.is_ok AND r.finished_at < now() - interval '1 day'
          AND r.name IN (SELECT j.name FROM ops.job j WHERE j.every_s < 60);
    GET DIAGNOSTICS n_runs = ROW_COUNT;
    RETURN jsonb_build_object('event_key_days', has_keys::int, 'job_runs', n_runs);
END
$$;
