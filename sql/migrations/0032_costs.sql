-- Energy as costs need it: which series tell it where, and what they come to in quarter hours,
-- exactly. Which of a device's series counts on a day, and what a place's devices come to together,
-- is worked out by who asks.

-- Series that tell energy or power of the site (NULL: of all sites, and of none), or of the device,
-- ascending by (site, device, role, place): place 1 is the best of a device's role. is_apart: the
-- device had, as it was known at a time, a rate schedule assigned to itself.
CREATE FUNCTION api.energy_meters(of_site text, of_device text, known_at timestamptz)
RETURNS TABLE (series_id int, device text, site text, metric text, kind text, role text, place int,
               zone text, is_apart boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    IF of_device IS NOT NULL
       AND NOT EXISTS (SELECT FROM core.device d WHERE d.tenant_id = owner AND d.key = of_device)
    THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    ELSIF of_site IS NOT NULL
       AND NOT EXISTS (SELECT FROM core.site p WHERE p.tenant_id = owner AND p.key = of_site)
    THEN
        RAISE EXCEPTION 'no site has this key' USING ERRCODE = 'TM404';
    END IF;
    RETURN QUERY
    SELECT s.series_id, d.key, p.key, s.metric, s.kind, s.role, s.place, s.zone,
           EXISTS (SELECT FROM core.rate_assignment a
                   WHERE a.tenant_id = owner AND a.device_id = d.id AND a.known_since <= known_at
                     AND coalesce(a.known_until > known_at, true))
    FROM core.energy_series(owner) s
    JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    WHERE (of_device IS NULL OR d.key = of_device) AND (of_site IS NULL OR p.key = of_site)
    ORDER BY p.key, d.key, s.role, s.place, s.series_id;
END
$$;

-- What each of the tenant's series comes to in quarter hours that begin in [from_time, to_time), in
-- nano-kWh: two arrays, in no order; a quarter hour may be there twice, and then both are to be
-- added. Series without any have no row.
CREATE FUNCTION api.energy_quarters(of_series int[], from_time timestamptz, to_time timestamptz)
RETURNS TABLE (series_id int, quarters timestamptz[], nkwh bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner  CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
BEGIN
    RETURN QUERY
    SELECT q.series_id, array_agg(q.bucket), array_agg(q.nkwh)
    FROM (SELECT e.series_id, e.bucket, e.nkwh
          FROM core.energy_15m e
          WHERE e.tenant_id = owner AND e.series_id = ANY (of_series)
            AND e.bucket >= from_time AND e.bucket < to_time
          UNION ALL
          SELECT s.series_id, p.bucket, p.nkwh
          FROM core.energy_series(owner) s
          CROSS JOIN LATERAL core.energy_parts(owner, s.series_id, s.kind, s.factor * 1e9, closed,
                                               'infinity') p
          WHERE s.series_id = ANY (of_series) AND p.bucket >= from_time AND p.bucket < to_time) q
    GROUP BY q.series_id;
END
$$;

GRANT EXECUTE ON FUNCTION api.energy_meters(text, text, timestamptz),
    api.energy_quarters(int[], timestamptz, timestamptz)
    TO tidemark_web, tidemark_read;
