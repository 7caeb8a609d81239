-- What a tenant may read, by name: views over the relational tables, and functions for lists of
-- samples and events. A condition does not enter a barrier view together with ORDER BY … LIMIT,
-- so lists are functions with filter, order and limit inside. All of them take the tenant from
-- core.tenant(); without one they are empty.

CREATE VIEW api.tenant WITH (security_barrier) AS
SELECT t.slug, t.name, t.timezone, t.currency, t.auto_register, t.raw_days, t.created_at
FROM core.tenant t;

CREATE VIEW api.site WITH (security_barrier) AS
SELECT s.id, s.key, s.name, s.timezone, s.created_at
FROM core.site s;

CREATE VIEW api.device WITH (security_barrier) AS
SELECT d.id, d.key, d.name, d.model, s.key AS site, d.site_id,
       coalesce(s.timezone, t.timezone) AS timezone, d.config, d.created_at, d.last_seen,
       d.retired_at
FROM core.device d
JOIN core.tenant t ON t.id = d.tenant_id
LEFT JOIN core.site s ON s.tenant_id = d.tenant_id AND s.id = d.site_id;

CREATE VIEW api.series WITH (security_barrier) AS
SELECT x.id, x.device_id, d.key AS device, x.metric, x.labels, x.unit, x.kind, x.role,
       x.created_at, l.time AS last_time, l.value AS last_value,
       coalesce(s.timezone, t.timezone) AS timezone
FROM core.series x
JOIN core.device d ON d.tenant_id = x.tenant_id AND d.id = x.device_id
JOIN core.tenant t ON t.id = x.tenant_id
LEFT JOIN core.site s ON s.tenant_id = d.tenant_id AND s.id = d.site_id
LEFT JOIN core.series_last l ON l.tenant_id = x.tenant_id AND l.series_id = x.id;

GRANT SELECT ON api.tenant, api.site, api.device, api.series TO tidemark_web, tidemark_read;

-- A device's samples with from_time <= time < to_time, ascending by (time, series_id), after the
-- cursor (after_time, after_series) where one is given. Each series is read in index order and
-- no further than row_limit.
CREATE FUNCTION api.sample_list(of_device text, of_metric text, from_time timestamptz,
                                to_time timestamptz, after_time timestamptz, after_series int,
                                row_limit int)
RETURNS TABLE ("time" timestamptz, series_id int, metric text, labels jsonb, value float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    start CONSTANT timestamptz := greatest(from_time, after_time);
BEGIN
    RETURN QUERY
    SELECT x.time, s.id, s.metric, s.labels, x.value
    FROM core.device d
    JOIN core.series s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
    CROSS JOIN LATERAL (
        SELECT p.time, p.value
        FROM core.sample p
        WHERE p.tenant_id = owner AND p.series_id = s.id
          AND p.time >= start AND p.time < sample_list.to_time
          AND (after_time IS NULL OR p.time > after_time OR s.id > after_series)
        ORDER BY p.time
        LIMIT row_limit) x
    WHERE d.tenant_id = owner AND d.key = of_device
      AND (of_metric IS NULL OR s.metric = of_metric)
    ORDER BY x.time, s.id
    LIMIT row_limit;
END
$$;

-- Events with from_time <= time < to_time, newest first by (time, key), before the cursor where
-- one is given. data_filter: the event's data contains it.
CREATE FUNCTION api.event_list(of_type text, of_device text, from_time timestamptz,
                               to_time timestamptz, before_time timestamptz, before_key uuid,
                               data_filter jsonb, row_limit int)
RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id uuid, site text,
               data jsonb, key uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    stop  CONSTANT timestamptz := least(to_time, before_time + interval '1 microsecond');
    only_device CONSTANT int := (SELECT d.id FROM core.device d
                                 WHERE d.tenant_id = owner AND d.key = of_device);
BEGIN
    IF of_device IS NOT NULL AND only_device IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT e.time, e.type, d.key, e.seq, e.id, s.key, e.data, e.key
    FROM (SELECT e.*
          FROM core.event e
          WHERE e.tenant_id = owner AND e.time >= event_list.from_time AND e.time < stop
            AND (of_type IS NULL OR e.type = of_type)
            AND (only_device IS NULL OR e.device_id = only_device)
            AND (before_time IS NULL OR (e.time, e.key) < (before_time, before_key))
            AND (data_filter IS NULL OR e.data @> data_filter)
          ORDER BY e.time DESC, e.key DESC
          LIMIT row_limit) e
    JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id
    LEFT JOIN core.site s ON s.tenant_id = owner AND s.id = e.site_id
    ORDER BY e.time DESC, e.key DESC;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.sample_list(text, text, timestamptz, timestamptz, timestamptz, int, int),
    api.event_list(text, text, timestamptz, timestamptz, timestamptz, uuid, jsonb, int)
    TO tidemark_web, tidemark_read;
