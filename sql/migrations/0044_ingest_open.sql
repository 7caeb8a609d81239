-- What ingest asks most often, asked with less: whether a batch is all of open time, which is most
-- of them, and which names changed, each told once.

-- For a transaction that stores samples and notes none of them in core.change, as api.ingest_guard()
-- is for others: until it ends no quarter hour is closed. True when none of them is older than what
-- is closed; else it fails with SQLSTATE TM001, so that what it stands beside cannot be stored.
CREATE FUNCTION api.ingest_open(oldest timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('tidemark.ingest', 0));
    IF EXISTS (SELECT FROM core.rollup_state s WHERE s.closing_until > oldest) THEN
        RAISE EXCEPTION 'older than what is closed' USING ERRCODE = 'TM001';
    END IF;
    RETURN true;
END
$$;
GRANT EXECUTE ON FUNCTION api.ingest_open(timestamptz) TO tidemark_ingest;

DROP FUNCTION api.name_changes(bigint, int);

SET LOCAL ROLE tidemark_door;

-- The changes by transactions that had not ended when `since` was told, at most row_limit of them,
-- and what to ask with next time, a snapshot; one row without a key where there are none. Whoever
-- asks again with it is told of each once, however late its transaction commits and however long
-- others go on. since NULL: from now on.
CREATE FUNCTION api.name_changes(since text, row_limit int)
RETURNS TABLE (tenant_id int, is_site boolean, key text, next text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.tenant_id, c.is_site, c.key, pg_current_snapshot()::text
    FROM (SELECT) AS one
    LEFT JOIN core.name_change c
           ON c.xid >= pg_snapshot_xmin(since::pg_snapshot)
          AND NOT pg_visible_in_snapshot(c.xid, since::pg_snapshot)
    LIMIT row_limit;
END
$$;
GRANT EXECUTE ON FUNCTION api.name_changes(text, int) TO tidemark_ingest;
