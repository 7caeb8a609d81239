-- What ingest asks for is found name by name. Of a tenant that the statistics do not know yet a plan
-- of its own would expect a row or none, for which all ways are as good: to read all that the tenant
-- has for each name, and all last values for each series of these. So the plan is that of any tenant;
-- and LIMIT and OFFSET keep it from making joins of what is looked up.

CREATE OR REPLACE FUNCTION api.ingest_devices(keys text[], may_create boolean)
RETURNS TABLE (ord int, device_id int, site_id int, is_retired boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    IF may_create THEN
        INSERT INTO core.device (tenant_id, key, name)
        SELECT DISTINCT owner, k.key, k.key
        FROM unnest(keys) AS k (key)
        WHERE NOT EXISTS (SELECT FROM core.device d
                          WHERE d.tenant_id = owner AND d.key = k.key OFFSET 0)
        ORDER BY k.key
        ON CONFLICT (tenant_id, key) DO NOTHING;
    END IF;
    RETURN QUERY
    SELECT k.ord::int, d.id, d.site_id, coalesce(d.retired_at <= now(), false)
    FROM unnest(keys) WITH ORDINALITY AS k (key, ord)
    LEFT JOIN LATERAL (SELECT d.id, d.site_id, d.retired_at FROM core.device d
                       WHERE d.tenant_id = owner AND d.key = k.key LIMIT 1) d ON true
    ORDER BY k.ord;
END
$$;

CREATE OR REPLACE FUNCTION api.ingest_series(device_ids int[], metrics text[], labels text[],
                                  may_create boolean, kinds text[] DEFAULT NULL,
                                  max_series int DEFAULT NULL, units text[] DEFAULT NULL,
                                  roles text[] DEFAULT NULL)
RETURNS TABLE (ord int, series_id int, last_time timestamptz, is_full boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner  CONSTANT int := core.tenant();
    tagged CONSTANT jsonb[] := ARRAY(
        SELECT coalesce(nullif(l.label, ''), '{}')::jsonb
        FROM unnest(ingest_series.labels) WITH ORDINALITY AS l (label, ord) ORDER BY l.ord);
    made   int[] := '{}';
    room   bigint; -- NULL: any
BEGIN
    IF may_create AND ingest_series.max_series > 0 AND EXISTS (
            SELECT FROM unnest(device_ids, metrics, tagged) AS i (device_id, metric, labels)
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text) OFFSET 0)) THEN
        -- whoever makes series of this tenant meanwhile would count the same ones
        PERFORM pg_advisory_xact_lock(hashtext('core.series'), owner);
        room := greatest(0, ingest_series.max_series
                            - (SELECT count(*) FROM core.series s WHERE s.tenant_id = owner));
    END IF;
    IF may_create AND room IS DISTINCT FROM 0 THEN
        WITH new AS (
            INSERT INTO core.series (tenant_id, device_id, metric, labels, unit, kind, role)
            SELECT DISTINCT ON (d.id, i.metric, i.labels) owner, d.id, i.metric, i.labels,
                   coalesce(c.own ->> 'unit', nullif(i.unit, ''), g.unit),
                   coalesce(c.own ->> 'kind', nullif(i.kind, ''), g.kind),
                   coalesce(c.own ->> 'role', nullif(i.role, ''), g.role)
            FROM unnest(device_ids, metrics, tagged, units, kinds, roles)
                 AS i (device_id, metric, labels, unit, kind, role)
            CROSS JOIN LATERAL (SELECT d.id, d.config FROM core.device d
                                WHERE d.tenant_id = owner AND d.id = i.device_id LIMIT 1) d
            CROSS JOIN LATERAL core.series_guess(i.metric) g
            CROSS JOIN LATERAL (SELECT d.config -> 'metrics' -> i.metric AS own) c
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text) OFFSET 0)
            ORDER BY d.id, i.metric, i.labels
            LIMIT room
            ON CONFLICT (tenant_id, device_id, metric, md5(labels::text)) DO NOTHING
            RETURNING id)
        SELECT coalesce(array_agg(new.id), '{}') INTO made FROM new;
    END IF;
    RETURN QUERY
    SELECT i.ord::int, s.id,
           CASE WHEN s.id IS NOT NULL AND s.id <> ALL (made)
                THEN core.series_last_time(owner, s.id, l.time) END,
           s.id IS NULL AND EXISTS (SELECT FROM core.device d
                                    WHERE d.tenant_id = owner AND d.id = i.device_id)
    FROM unnest(device_ids, metrics, tagged) WITH ORDINALITY AS i (device_id, metric, labels, ord)
    LEFT JOIN LATERAL (SELECT s.id FROM core.series s
                       WHERE s.tenant_id = owner AND s.device_id = i.device_id
                         AND s.metric = i.metric
                         AND md5(s.labels::text) = md5(i.labels::text) LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT l.time FROM core.series_last l
                       WHERE l.tenant_id = owner AND l.series_id = s.id LIMIT 1) l ON true
    ORDER BY i.ord;
END
$$;
