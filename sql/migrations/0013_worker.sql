-- The worker's tables and functions: which job ran when, the system's own measurements, and
-- upkeep: partitions ahead, last values, old sessions, retention, what erased tenants left, the
-- check for orphans.

-- One row a run of a job; finished_at NULL: running, or killed.
CREATE TABLE ops.job_run (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    is_ok       boolean,
    detail      text NOT NULL DEFAULT ''
);
CREATE INDEX job_run_name ON ops.job_run (name, started_at);

-- What the processes measure of themselves; belongs to the installation, not to a tenant.
CREATE TABLE ops.system_metric (
    name  text NOT NULL,
    time  timestamptz NOT NULL,
    value float8 NOT NULL,
    PRIMARY KEY (name, time)
-- engine: time_partitioned

-- engine: system_metric

-- Opens a run of the job; NULL: somebody else runs it. A run is a lease of ten minutes, which no
-- job comes near: a worker that was killed keeps nobody out for longer. No lock outlives the
-- transaction, so workers may come through a pooler.
CREATE FUNCTION ops.job_begin(job text) RETURNS bigint
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
                 AND r.started_at > clock_timestamp() - lease) THEN
        RETURN NULL;
    END IF;
    UPDATE ops.job_run r
    SET finished_at = clock_timestamp(), is_ok = false, detail = 'never finished'
    WHERE r.name = job AND r.finished_at IS NULL;
    INSERT INTO ops.job_run (name, started_at) VALUES (job, clock_timestamp())
    RETURNING id INTO new_id;
    RETURN new_id;
END
$$;

CREATE FUNCTION ops.job_end(run_id bigint, ok boolean, detail text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE ops.job_run r
    SET finished_at = clock_timestamp(), is_ok = ok, detail = coalesce(job_end.detail, '')
    WHERE r.id = run_id AND r.finished_at IS NULL;
END
$$;

-- Partitions for what may arrive during the next days; how many were missing.
CREATE FUNCTION ops.partitions_ahead() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN api.partitions_ensure(now() - interval '7 days', now() + interval '14 days');
END
$$;

CREATE FUNCTION ops.system_metric_add(names text[], vals float8[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM api.partitions_ensure(now(), now());
    INSERT INTO ops.system_metric (name, time, value)
    SELECT i.name, now(), i.value FROM unnest(names, vals) AS i (name, value)
    ON CONFLICT DO NOTHING;
END
$$;

-- Retention of what needs no rollup first: events after event_days, event identities after seven
-- days, system metrics and job runs after metric_days. Whole partitions only (job runs excepted,
-- a small table). Samples stay: nothing has rolled them up yet. Answers what went.
CREATE FUNCTION ops.retention_run(event_days int, metric_days int) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    today  CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
    oldest CONSTANT text := 'core.event_key_' || core.event_key_slot(today - 8);
    events text[];
    metrics text[];
    has_keys boolean;
    n_runs bigint;
BEGIN
    IF event_days < 1 OR metric_days < 1 THEN
        RAISE EXCEPTION 'retention below one day' USING ERRCODE = '22023';
    END IF;
    events := core.partitions_drop('core.event', now() - make_interval(days => event_days));
    metrics := core.partitions_drop('ops.system_metric',
                                    now() - make_interval(days => metric_days));
    -- Of the ten slots nine are in use (seven whole days, today, tomorrow); the tenth is emptied.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', oldest) INTO has_keys;
    IF has_keys THEN
        BEGIN
            EXECUTE format('TRUNCATE %s', oldest);
        EXCEPTION WHEN lock_not_available THEN
            has_keys := false;
        END;
    END IF;
    DELETE FROM ops.job_run r WHERE r.finished_at < now() - make_interval(days => metric_days);
    GET DIAGNOSTICS n_runs = ROW_COUNT;
    RETURN jsonb_build_object('events', to_jsonb(events), 'system_metrics', to_jsonb(metrics),
                              'event_key_days', has_keys::int, 'job_runs', n_runs);
END
$$;

GRANT EXECUTE ON FUNCTION ops.job_begin(text), ops.job_end(bigint, boolean, text),
    ops.partitions_ahead(), ops.system_metric_add(text[], float8[]), ops.retention_run(int, int)
    TO tidemark_worker;

SET LOCAL ROLE tidemark_door;

-- Removes sessions that ended, and failed logins that no longer count; how many sessions.
CREATE FUNCTION ops.session_prune() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n_sessions bigint;
BEGIN
    DELETE FROM core.login_throttle t WHERE t.last_failed < now() - interval '1 day';
    DELETE FROM core.session s WHERE s.expires_at <= now();
    GET DIAGNOSTICS n_sessions = ROW_COUNT;
    RETURN n_sessions;
END
$$;

-- Brings last values up to the samples, where ingest was killed before it flushed them; how many.
CREATE FUNCTION ops.series_last_repair() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    n_rows bigint;
BEGIN
    INSERT INTO core.series_last AS l (tenant_id, series_id, time, value)
    SELECT s.tenant_id, s.id, x.time, x.value
    FROM core.series s
    LEFT JOIN core.series_last k ON k.tenant_id = s.tenant_id AND k.series_id = s.id
    CROSS JOIN LATERAL (
        SELECT p.time, p.value FROM core.sample p
        WHERE p.tenant_id = s.tenant_id AND p.series_id = s.id
          AND p.time >= coalesce(k.time, '-infinity')
        ORDER BY p.time DESC
        LIMIT 1) x
    WHERE (k.time, k.value) IS DISTINCT FROM (x.time, x.value)
    ORDER BY s.tenant_id, s.id
    ON CONFLICT (tenant_id, series_id) DO UPDATE SET time = excluded.time, value = excluded.value
    WHERE l.time <= excluded.time;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    RETURN n_rows;
END
$$;

-- Erases the rows of tenants that are no more; how many. An ingest process that remembers a token
-- for some seconds may commit samples after their tenant was erased. Steps from tenant to tenant
-- through the keys' indexes; a tenant's number is never given to another.
CREATE FUNCTION ops.residue_erase() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    relation text;
    owner    int;
    n_rows   bigint;
    n_erased bigint := 0;
BEGIN
    FOREACH relation IN ARRAY ARRAY['sample', 'event', 'event_key', 'change', 'series_last'] LOOP
        owner := 0;
        LOOP
            EXECUTE format('SELECT x.tenant_id FROM core.%I x WHERE x.tenant_id > $1'
                           ' ORDER BY x.tenant_id LIMIT 1', relation) INTO owner USING owner;
            EXIT WHEN owner IS NULL;
            CONTINUE WHEN EXISTS (SELECT FROM core.tenant t WHERE t.id = owner);
            EXECUTE format('DELETE FROM core.%I WHERE tenant_id = $1', relation) USING owner;
            GET DIAGNOSTICS n_rows = ROW_COUNT;
            n_erased := n_erased + n_rows;
        END LOOP;
    END LOOP;
    RETURN n_erased;
END
$$;

-- How many (tenant, series) pairs have samples though no such series is the tenant's: must be 0.
-- Steps from pair to pair through the key's index instead of reading the samples.
CREATE FUNCTION ops.orphan_check() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
DECLARE
    n_orphans bigint := 0;
    owner     int := -2147483648;
    series    int := -2147483648;
    next_owner int;
BEGIN
    LOOP
        SELECT x.series_id INTO series FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id > series
        ORDER BY x.series_id LIMIT 1;
        IF NOT FOUND THEN
            SELECT x.tenant_id INTO owner FROM core.sample x
            WHERE x.tenant_id > owner ORDER BY x.tenant_id LIMIT 1;
            EXIT WHEN NOT FOUND;
            series := -2147483648;
            CONTINUE;
        END IF;
        IF NOT EXISTS (SELECT FROM core.series s WHERE s.tenant_id = owner AND s.id = series) THEN
            n_orphans := n_orphans + 1;
        END IF;
    END LOOP;
    RETURN n_orphans;
END
$$;

GRANT EXECUTE ON FUNCTION ops.session_prune(), ops.series_last_repair(), ops.residue_erase(),
    ops.orphan_check() TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;

-- The partitions of now, so that the first event finds them.
SELECT ops.partitions_ahead();
