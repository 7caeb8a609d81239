-- What a device may ask of single series: how far their readings have come, so that it goes on from
-- there after a pause.

-- The newest sample's time of the series of (device key, metric) that have these labels, a JSON
-- object, among theirs; in the order of the arrays (ord counts from 1). NULL: there is none. No
-- values, since who may post may not read. Two senders may share a device and a metric and differ
-- in a label: neither must skip what only the other has sent.
CREATE FUNCTION api.ingest_last_times(device_keys text[], metrics text[], labels text[])
RETURNS TABLE (ord int, last_time timestamptz)
LANGUAGE plpgsql SECURITY DEFINER STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT i.ord::int, newest.time
    FROM unnest(device_keys, metrics, ingest_last_times.labels) WITH ORDINALITY
         AS i (device_key, metric, label, ord)
    CROSS JOIN LATERAL (
        SELECT max(core.series_last_time(owner, s.id, l.time)) AS time
        FROM core.device d
        JOIN core.series s ON s.tenant_id = owner AND s.device_id = d.id AND s.metric = i.metric
        LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
        WHERE d.tenant_id = owner AND d.key = i.device_key AND s.labels @> i.label::jsonb) newest
    ORDER BY i.ord;
END
$$;

GRANT EXECUTE ON FUNCTION api.ingest_last_times(text[], text[], text[]) TO tidemark_ingest;
