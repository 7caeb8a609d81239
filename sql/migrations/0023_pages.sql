-- What the lists of the pages read: devices by text, site and state with their headline values,
-- and how many events there were by day and type. Both take the tenant from core.tenant().

-- Devices after the key after_key whose key or name contains `search`, of a site, in a state:
-- NULL: in use; 'live' (heard after live_after), 'late' (after silent_after only), 'silent' (not
-- even that), 'retired'. Each with the value people look at first: power, else energy, else
-- whatever came last.
CREATE FUNCTION api.device_page(search text, of_site text, state text, live_after timestamptz,
                                silent_after timestamptz, after_key text, row_limit int)
RETURNS TABLE (key text, name text, model text, site text, last_seen timestamptz,
               retired_at timestamptz, series_id int, metric text, unit text, kind text,
               role text, last_time timestamptz, last_value float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner   CONSTANT int := core.tenant();
    pattern CONSTANT text := '%' || replace(replace(replace(search, '\', '\\'), '%', '\%'),
                                            '_', '\_') || '%';
BEGIN
    RETURN QUERY
    SELECT d.key, d.name, d.model, d.site, d.last_seen, d.retired_at, h.id, h.metric, h.unit,
           h.kind, h.role, h.time, h.value
    FROM (SELECT d.id, d.key, d.name, d.model, p.key AS site, d.last_seen, d.retired_at
          FROM core.device d
          LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
          WHERE d.tenant_id = owner AND (after_key IS NULL OR d.key > after_key)
            AND (search IS NULL OR d.key ILIKE pattern OR d.name ILIKE pattern)
            AND (of_site IS NULL OR p.key = of_site)
            AND (d.retired_at IS NOT NULL) = (state IS NOT NULL AND state = 'retired')
            AND CASE state
                    WHEN 'live' THEN d.last_seen > live_after
                    WHEN 'late' THEN d.last_seen > silent_after AND d.last_seen <= live_after
                    WHEN 'silent' THEN d.last_seen IS NULL OR d.last_seen <= silent_after
                    ELSE true END
          ORDER BY d.key
          LIMIT row_limit) d
    LEFT JOIN LATERAL (
        SELECT s.id, s.metric, s.unit, s.kind, s.role, l.time, l.value
        FROM core.series s
        JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
        WHERE s.tenant_id = owner AND s.device_id = d.id
        ORDER BY CASE WHEN s.unit IN ('W', 'kW') THEN 0 WHEN s.unit IN ('kWh', 'Wh') THEN 1
                      ELSE 2 END, l.time DESC, s.id
        LIMIT 1) h ON true
    ORDER BY d.key;
END
$$;

-- Events by type in each of the stretches of time that the ascending `starts` part, the last of
-- which ends the last stretch. `stretch` counts from 1.
CREATE FUNCTION api.event_counts(starts timestamptz[])
RETURNS TABLE (stretch int, type text, count bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    since CONSTANT timestamptz := greatest(starts[1], core.visible_from('event'));
BEGIN
    RETURN QUERY
    SELECT width_bucket(e.time, starts), e.type, count(*)
    FROM core.event e
    WHERE e.tenant_id = owner AND e.time >= since AND e.time < starts[cardinality(starts)]
    GROUP BY 1, 2;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.device_page(text, text, text, timestamptz, timestamptz, text, int),
    api.event_counts(timestamptz[]) TO tidemark_web, tidemark_read;
