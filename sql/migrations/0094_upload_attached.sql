-- Which events have files, so that lists of events lead to them; and what the tenant's quota counts.

CREATE INDEX upload_event ON core.upload (tenant_id, event_id) WHERE event_id IS NOT NULL;

SET LOCAL ROLE tidemark_door;

-- Those of the events that a file which is whole belongs to.
CREATE FUNCTION api.upload_events(of_events uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT DISTINCT u.event_id FROM core.upload u
    WHERE u.tenant_id = home AND u.event_id = ANY (of_events) AND u.stored_at IS NOT NULL;
END
$$;

DROP FUNCTION api.upload_total();

-- How many files the tenant has, how many bytes, and how many the quota counts: those of files that
-- are coming, too, as far as they are known.
CREATE FUNCTION api.upload_total() RETURNS TABLE (files bigint, bytes bigint, held bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT count(*), coalesce(sum(u.size), 0)::bigint,
           coalesce((SELECT s.bytes FROM core.upload_use s WHERE s.tenant_id = home), 0)::bigint
    FROM core.upload u
    WHERE u.tenant_id = home AND u.stored_at IS NOT NULL;
END
$$;

GRANT EXECUTE ON FUNCTION api.upload_events(uuid[]), api.upload_total() TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
