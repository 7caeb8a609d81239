-- What ingest remembers of devices and sites it may remember for long: it is told which of them
-- changed, instead of asking for each again every few seconds.

-- A device or site that was retired, moved, renamed or erased, by the key that it had. Kept for a
-- day; of a tenant that goes nothing is kept, for its tokens go too.
CREATE TABLE core.name_change (
    tenant_id int NOT NULL REFERENCES core.tenant ON DELETE CASCADE,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    is_site   boolean NOT NULL,
    key       text NOT NULL,
    noted_at  timestamptz NOT NULL DEFAULT now(),
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX name_change_xid ON core.name_change (xid);
SELECT core.protect('core.name_change', 'tenant_id');

CREATE FUNCTION core.name_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.name_change (tenant_id, is_site, key)
    VALUES (OLD.tenant_id, TG_ARGV[0]::boolean, OLD.key);
    RETURN NULL;
END
$$;

-- Not of what is written all the time: last_seen.
CREATE TRIGGER changed AFTER UPDATE OF key, site_id, retired_at ON core.device
    FOR EACH ROW WHEN ((OLD.key, OLD.site_id, OLD.retired_at)
                       IS DISTINCT FROM (NEW.key, NEW.site_id, NEW.retired_at))
    EXECUTE FUNCTION core.name_changed('false');
CREATE TRIGGER gone AFTER DELETE ON core.device
    FOR EACH ROW EXECUTE FUNCTION core.name_changed('false');
CREATE TRIGGER changed AFTER UPDATE OF key ON core.site
    FOR EACH ROW WHEN (OLD.key <> NEW.key) EXECUTE FUNCTION core.name_changed('true');
CREATE TRIGGER gone AFTER DELETE ON core.site
    FOR EACH ROW EXECUTE FUNCTION core.name_changed('true');

SET LOCAL ROLE tidemark_door;

-- The changes by transactions that had not ended when `since` was told, at most row_limit of them,
-- and what to ask with next time; one row without a key where there are none. Whoever asks again
-- with it misses nothing, however late a transaction commits, and is told some twice. since NULL:
-- from now on.
CREATE FUNCTION api.name_changes(since bigint, row_limit int)
RETURNS TABLE (tenant_id int, is_site boolean, key text, next bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.tenant_id, c.is_site, c.key,
           pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    FROM (SELECT) AS one
    LEFT JOIN core.name_change c ON c.xid >= since::text::xid8
    LIMIT row_limit;
END
$$;
GRANT EXECUTE ON FUNCTION api.name_changes(bigint, int) TO tidemark_ingest;

CREATE FUNCTION core.name_change_prune() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM core.name_change c WHERE c.noted_at < now() - interval '1 day';
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
GRANT EXECUTE ON FUNCTION core.name_change_prune() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

-- The rest of retention, what is small or has no chunks: identities of events after seven days,
-- failed runs of jobs after those of system metrics, good ones after a week (after a day, where
-- the job runs more often than every minute), changes of names after a day. Answers what went.
CREATE OR REPLACE FUNCTION ops.retention_tidy() RETURNS jsonb
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
    RETURN jsonb_build_object('event_key_days', has_keys::int, 'job_runs', n_runs,
                              'name_changes', core.name_change_prune());
END
$$;
