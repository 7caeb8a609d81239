-- What would become of samples and events that are not stored: asked by reading alone, so that whoever
-- stores the same meanwhile waits for nobody.

SET LOCAL ROLE tidemark_door;

-- Parallel arrays of samples of the tenant's series; ord counts from 1. 0: the same is there, 1: it would be
-- new, 2: it would replace another value. Each is looked at by itself.
CREATE FUNCTION api.ingest_samples_try(series_ids int[], times timestamptz[], vals float8[])
RETURNS TABLE (ord int, outcome int)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT i.ord::int, CASE WHEN old.value IS NULL THEN 1
                            WHEN old.value = i.value THEN 0 ELSE 2 END
    FROM unnest(series_ids, times, vals) WITH ORDINALITY AS i (series_id, time, value, ord)
    LEFT JOIN LATERAL (
        SELECT x.value FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = i.series_id AND x.time = i.time
        LIMIT 1) old ON true
    ORDER BY i.ord;
END
$$;

-- Parallel arrays of events of the tenant's devices: keys are the events' identities (uuids), data NULL for
-- none. ord counts from 1; is_new false: it would be a duplicate, of one that is there or of one before it.
-- Fails where an event's data could not be stored.
CREATE FUNCTION api.ingest_events_try(device_ids int[], times timestamptz[], keys text[], data text[])
RETURNS TABLE (ord int, is_new boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT i.ord::int,
           row_number() OVER (PARTITION BY i.device_id, i.key ORDER BY i.ord) = 1
           AND NOT EXISTS (SELECT FROM core.event_key k
                           WHERE k.tenant_id = owner AND k.device_id = i.device_id
                             AND k.key = i.key::uuid OFFSET 0)
           AND NOT EXISTS (SELECT FROM core.event e
                           WHERE e.tenant_id = owner AND e.time = i.time AND e.key = i.key::uuid
                             AND e.device_id = i.device_id OFFSET 0)
           AND coalesce(i.data, '{}')::jsonb IS NOT NULL
    FROM unnest(device_ids, times, keys, data) WITH ORDINALITY AS i (device_id, time, key, data, ord)
    ORDER BY i.ord;
END
$$;

GRANT EXECUTE ON FUNCTION api.ingest_samples_try(int[], timestamptz[], float8[]),
    api.ingest_events_try(int[], timestamptz[], text[], text[]) TO tidemark_ingest;
