-- What the conventions of other systems' senders need: a device asks how far its readings have
-- come, so that it goes on from there.

-- The device's metrics that have a reading, each with the time of its newest; no values, since who
-- may post may not read. Of series that differ in their labels the newest counts.
CREATE FUNCTION api.ingest_latest(device_key text)
RETURNS TABLE (metric text, last_time timestamptz)
LANGUAGE plpgsql SECURITY DEFINER STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT n.metric, max(n.newest)
    FROM (SELECT s.metric, core.series_last_time(owner, s.id, l.time) AS newest
          FROM core.device d
          JOIN core.series s ON s.tenant_id = owner AND s.device_id = d.id
          LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
          WHERE d.tenant_id = owner AND d.key = device_key
          ORDER BY s.id
          LIMIT 1000) n
    WHERE n.newest IS NOT NULL
    GROUP BY n.metric
    ORDER BY n.metric;
END
$$;

-- Of conventions whose times are local.
GRANT EXECUTE ON FUNCTION api.zone_offsets(text, timestamptz, timestamptz),
    api.ingest_latest(text) TO tidemark_ingest;
