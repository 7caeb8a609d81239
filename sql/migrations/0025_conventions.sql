-- What the conventions of other systems' senders need: a device asks how far its readings have
-- come, so that it goes on from there; some say what a series is.

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

-- ---- kinds ----
-- OpenTelemetry knows a sum since the start from one since the last report; a name like energy_kwh
-- does not tell them apart.

DROP FUNCTION api.ingest_series(int[], text[], text[], boolean);

-- The series of (device, metric, labels as a JSON object; NULL or '': none), in their order (ord
-- counts from 1). series_id NULL: unknown and may_create is false, or the device is not this
-- tenant's. last_time: the newest sample there is; NULL: none. Unit, kind and role of a new
-- series come from the device's configuration, else its kind from what the sender told (kinds, '':
-- nothing), else from the metric's name.
CREATE FUNCTION api.ingest_series(device_ids int[], metrics text[], labels text[],
                                  may_create boolean, kinds text[] DEFAULT NULL)
RETURNS TABLE (ord int, series_id int, last_time timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner  CONSTANT int := core.tenant();
    tagged CONSTANT jsonb[] := ARRAY(
        SELECT coalesce(nullif(l.label, ''), '{}')::jsonb
        FROM unnest(ingest_series.labels) WITH ORDINALITY AS l (label, ord) ORDER BY l.ord);
    made   int[] := '{}';
BEGIN
    IF may_create THEN
        WITH new AS (
            INSERT INTO core.series (tenant_id, device_id, metric, labels, unit, kind, role)
            SELECT DISTINCT owner, d.id, i.metric, i.labels, coalesce(c.own ->> 'unit', g.unit),
                   coalesce(c.own ->> 'kind', nullif(i.told, ''), g.kind),
                   coalesce(c.own ->> 'role', g.role)
            FROM unnest(device_ids, metrics, tagged, kinds) AS i (device_id, metric, labels, told)
            JOIN core.device d ON d.tenant_id = owner AND d.id = i.device_id
            CROSS JOIN LATERAL core.series_guess(i.metric) g
            CROSS JOIN LATERAL (SELECT d.config -> 'metrics' -> i.metric AS own) c
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text))
            ORDER BY d.id, i.metric, i.labels
            ON CONFLICT (tenant_id, device_id, metric, md5(labels::text)) DO NOTHING
            RETURNING id)
        SELECT coalesce(array_agg(new.id), '{}') INTO made FROM new;
    END IF;
    RETURN QUERY
    SELECT i.ord::int, s.id,
           CASE WHEN s.id IS NOT NULL AND s.id <> ALL (made)
                THEN core.series_last_time(owner, s.id, l.time) END
    FROM unnest(device_ids, metrics, tagged) WITH ORDINALITY AS i (device_id, metric, labels, ord)
    LEFT JOIN core.series s
           ON s.tenant_id = owner AND s.device_id = i.device_id AND s.metric = i.metric
          AND md5(s.labels::text) = md5(i.labels::text)
    LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
    ORDER BY i.ord;
END
$$;

GRANT EXECUTE ON FUNCTION api.ingest_series(int[], text[], text[], boolean, text[])
    TO tidemark_ingest;
