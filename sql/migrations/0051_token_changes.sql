-- What ingest remembers of tokens and their tenants it may remember for long, too: it is told which
-- of them changed, so that a device with a token of its own is not looked up with each post.

-- A token that was changed, revoked or erased, by the hash that it had, or all tokens of a tenant.
-- Kept for a day, also of a tenant that went: `owner` is its number and refers to nothing.
CREATE TABLE core.token_change (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner    int NOT NULL,
    hash     bytea,                                 -- NULL: of all tokens of the tenant
    noted_at timestamptz NOT NULL DEFAULT now(),
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX token_change_xid ON core.token_change (xid);
SELECT core.protect('core.token_change', NULL);

SET LOCAL ROLE tidemark_door;

CREATE FUNCTION core.token_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.token_change (owner, hash)
    SELECT OLD.tenant_id, h.hash FROM unnest(ARRAY[OLD.hash, OLD.old_hash]) AS h (hash)
    WHERE h.hash IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION core.token_device_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.token_change (owner, hash)
    SELECT OLD.tenant_id, h.hash
    FROM core.token k CROSS JOIN LATERAL unnest(ARRAY[k.hash, k.old_hash]) AS h (hash)
    WHERE k.tenant_id = OLD.tenant_id AND k.device_id = OLD.id AND h.hash IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION core.token_tenant_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.token_change (owner) VALUES (OLD.id);
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.token_changed(), core.token_device_changed(),
    core.token_tenant_changed() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

-- Not of what is written all the time: last_used. A tenant's own row changes seldom.
CREATE TRIGGER changed AFTER UPDATE ON core.token
    FOR EACH ROW WHEN ((OLD.kind, OLD.device_id, OLD.hash, OLD.old_hash, OLD.old_until,
                        OLD.is_backfill, OLD.expires_at, OLD.revoked_at)
                       IS DISTINCT FROM
                       (NEW.kind, NEW.device_id, NEW.hash, NEW.old_hash, NEW.old_until,
                        NEW.is_backfill, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION core.token_changed();
CREATE TRIGGER gone AFTER DELETE ON core.token
    FOR EACH ROW EXECUTE FUNCTION core.token_changed();
CREATE TRIGGER token_changed AFTER UPDATE OF key, retired_at ON core.device
    FOR EACH ROW WHEN ((OLD.key, OLD.retired_at) IS DISTINCT FROM (NEW.key, NEW.retired_at))
    EXECUTE FUNCTION core.token_device_changed();
CREATE TRIGGER token_changed AFTER UPDATE ON core.tenant
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)
    EXECUTE FUNCTION core.token_tenant_changed();
CREATE TRIGGER token_gone AFTER DELETE ON core.tenant
    FOR EACH ROW EXECUTE FUNCTION core.token_tenant_changed();

DROP FUNCTION api.name_changes(text, int);

SET LOCAL ROLE tidemark_door;

-- As before, with tokens and tenants. kind: device or site, by its key; token, by its hash in
-- hexadecimal; tenant, which stands for all of its tokens. One row without a kind where nothing
-- changed.
CREATE FUNCTION api.name_changes(since text, row_limit int)
RETURNS TABLE (kind text, tenant_id int, key text, next text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seen   CONSTANT pg_snapshot := since::pg_snapshot;
    oldest CONSTANT xid8 := pg_snapshot_xmin(seen);
    -- rows of another cluster, restored into this one, may be of numbers that are not given out yet
    newest CONSTANT xid8 := pg_snapshot_xmax(pg_current_snapshot());
BEGIN
    RETURN QUERY
    SELECT c.kind, c.owner, c.key, pg_current_snapshot()::text
    FROM (SELECT) AS one
    LEFT JOIN (
        SELECT CASE WHEN n.is_site THEN 'site' ELSE 'device' END, n.tenant_id, n.key
        FROM core.name_change n
        WHERE n.xid >= oldest AND n.xid < newest AND NOT pg_visible_in_snapshot(n.xid, seen)
        UNION ALL
        SELECT CASE WHEN t.hash IS NULL THEN 'tenant' ELSE 'token' END, t.owner,
               encode(t.hash, 'hex')
        FROM core.token_change t
        WHERE t.xid >= oldest AND t.xid < newest AND NOT pg_visible_in_snapshot(t.xid, seen)
    ) AS c (kind, owner, key) ON true
    LIMIT row_limit;
END
$$;
GRANT EXECUTE ON FUNCTION api.name_changes(text, int) TO tidemark_ingest;

-- As before, without waiting for whoever changes or erases a token just now.
CREATE OR REPLACE FUNCTION api.token_touch(ids bigint[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH used AS MATERIALIZED (
        SELECT k.tenant_id, k.id, n.time
        FROM (SELECT u.id, max(u.time) AS time
              FROM unnest(ids, times) AS u (id, time) GROUP BY u.id) n
        JOIN core.token k ON k.id = n.id
        WHERE k.last_used IS NULL OR k.last_used < n.time
        FOR NO KEY UPDATE OF k SKIP LOCKED
    )
    UPDATE core.token k SET last_used = used.time
    FROM used WHERE k.tenant_id = used.tenant_id AND k.id = used.id;
END
$$;

-- As before, with those of tokens.
CREATE OR REPLACE FUNCTION core.name_change_prune() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n_names  bigint;
    n_tokens bigint;
BEGIN
    DELETE FROM core.name_change c WHERE c.noted_at < now() - interval '1 day';
    GET DIAGNOSTICS n_names = ROW_COUNT;
    DELETE FROM core.token_change c WHERE c.noted_at < now() - interval '1 day';
    GET DIAGNOSTICS n_tokens = ROW_COUNT;
    RETURN n_names + n_tokens;
END
$$;

SET LOCAL ROLE tidemark_owner;
