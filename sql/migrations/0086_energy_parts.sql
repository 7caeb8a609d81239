-- Registers, phases and channels of one meter, each a metric of its own, add up.

-- A metric's name with what says which part of a whole it is replaced by what kind of part that is:
-- a register of tariffs (not of power, which has none), a phase or a channel; in small letters. What
-- is the same for two metrics of a device, kind and role adds up. The name itself where it has no
-- such word. Words are parted by whatever is neither a letter nor a digit.
CREATE FUNCTION core.energy_family(kind text, metric text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN n.name = lower(metric) AND regexp_count(n.name, '(?<![a-z0-9])[0-9]+(?![a-z0-9])') <> 1
        THEN metric
        -- a number alone, of two digits at most, that does not say how long or how many phases
        WHEN regexp_count(n.name, '(?<![a-z0-9])[0-9]+(?![a-z0-9])') = 1
        THEN CASE WHEN n.name ~ c.pattern THEN regexp_replace(n.name, c.pattern, '{channel}')
                  WHEN n.name = lower(metric) THEN metric ELSE n.name END
        ELSE n.name END
    FROM (SELECT regexp_replace(
              regexp_replace(
                  CASE WHEN kind = 'gauge' THEN lower(metric) ELSE regexp_replace(
                      -- registers: 1.8.1 of a meter's own codes, 1.8.0 is their sum
                      regexp_replace(lower(metric),
                          '(?<![a-z0-9])([12])([^a-z0-9])8\2[1-9](?![a-z0-9])', '\1.8.{register}', 'g'),
                      '(?<![a-z0-9])((t|tariff|rate|register|reg)[^a-z0-9]?[0-9]|ht|nt|off[^a-z0-9]?peak'
                          || '|peak|shoulder)(?![a-z0-9])', '{register}', 'g') END,
                  '(?<![a-z0-9])((l|line|leg|ph|phase)[^a-z0-9]?[1-3]|((leg|ph|phase)[^a-z0-9]?)?[abc])'
                      || '(?![a-z0-9])', '{phase}', 'g'),
              '(?<![a-z0-9])(ch|chan|channel|circuit|clamp|ct|em|emeter|input|mppt|outlet|port|pv|socket'
                  || '|string)[^a-z0-9]?[0-9]{1,2}(?![a-z0-9])', '{channel}', 'g') AS name) n
    CROSS JOIN (SELECT '(?<![a-z0-9])[0-9]{1,2}(?![a-z0-9])'
                       || '(?![^a-z0-9](s|sec|min|minutes?|h|hours?|d|days?|phases?)(?![a-z0-9]))' AS pattern) c
$$;

-- The rest of a rank, of a name that may be of a part. The rank itself becomes part of the caller's plan,
-- and costs other names a comparison: a tenant's are worked out for each page.
CREATE FUNCTION core.energy_part_rank(kind text, metric text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    family CONSTANT text := core.energy_family(kind, metric);
BEGIN
    RETURN CASE WHEN family = metric THEN '0' ELSE '1' END || '1'
        || lpad(length(family)::text, 4, '0') || family;
END
$$;

-- Where a series stands among those of its device and role that may tell the same energy: the least
-- in the order of "C" first, and those that are the same add up. Intervals before counters before
-- power; of these names of a whole before its parts; the plain names first, then the shorter ones.
CREATE FUNCTION core.energy_rank(kind text, metric text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE kind WHEN 'delta' THEN '1' WHEN 'counter' THEN '2' ELSE '3' END
        || CASE WHEN metric !~* ('[0-9]|(?<![a-z0-9])(ht|nt|(off)?peak|shoulder|(leg|ph|phase)?[abc])'
                                 || '(?![a-z0-9])')
                THEN '0' || CASE WHEN metric IN ('energy_kwh', 'grid_import_kwh', 'grid_export_kwh',
                                                 'generation_kwh', 'power_w')
                                 THEN '0' ELSE '1' END
                     || lpad(length(metric)::text, 4, '0') || metric
                ELSE core.energy_part_rank(kind, metric) END
$$;

-- Energy and power series of a tenant, of one site or device of it where one is said, with their
-- place in line, which those that add up share.
CREATE OR REPLACE FUNCTION core.energy_series(owner int, only_site int DEFAULT NULL,
                                              only_device int DEFAULT NULL)
RETURNS TABLE (series_id int, device_id int, role text, metric text, kind text, factor float8,
               place int, zone text, device text, site text)
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.device_id, s.role, s.metric, s.kind,
           CASE s.unit WHEN 'Wh' THEN 0.001 WHEN 'MWh' THEN 1000
                       WHEN 'W' THEN 0.001 ELSE 1 END::float8,
           (dense_rank() OVER (
               PARTITION BY s.device_id, s.role COLLATE "C"
               ORDER BY core.energy_rank(s.kind, s.metric) COLLATE "C"))::int,
           coalesce(p.timezone, t.timezone), d.key, p.key
    FROM (SELECT x.id, x.key, x.site_id FROM core.device x
          WHERE x.tenant_id = owner AND only_site IS NULL AND only_device IS NULL
          UNION ALL
          SELECT x.id, x.key, x.site_id FROM core.device x
          WHERE x.tenant_id = owner AND x.site_id = only_site AND coalesce(x.id = only_device, true)
          UNION ALL
          SELECT x.id, x.key, x.site_id FROM core.device x
          WHERE x.tenant_id = owner AND x.id = only_device AND only_site IS NULL) d
    JOIN core.series s ON s.tenant_id = owner AND s.device_id = d.id
    JOIN core.tenant t ON t.id = owner
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    WHERE s.role <> 'none'
      AND s.unit = ANY (CASE s.kind WHEN 'gauge' THEN '{W,kW}'::text[]
                          ELSE '{Wh,kWh,MWh}'::text[] END);
END
$$;

-- The tenant's series that tell energy or power, with the power that they told in the last quarter of
-- an hour, by device, role and rank.
DROP FUNCTION api.energy_sources();
CREATE FUNCTION api.energy_sources()
RETURNS TABLE (series_id int, device text, role text, metric text, rank text, zone text,
               watts float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT s.id, d.key, s.role, s.metric, core.energy_rank(s.kind, s.metric) COLLATE "C",
           coalesce(p.timezone, t.timezone),
           CASE WHEN s.kind = 'gauge' AND d.retired_at IS NULL
                     AND l.time > now() - interval '15 minutes'
                THEN l.value * CASE s.unit WHEN 'kW' THEN 1000 ELSE 1 END END::float8
    FROM core.device d
    JOIN core.series s ON s.tenant_id = owner AND s.device_id = d.id
    JOIN core.tenant t ON t.id = owner
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
    WHERE d.tenant_id = owner AND s.role <> 'none'
      AND s.unit = ANY (CASE s.kind WHEN 'gauge' THEN '{W,kW}'::text[]
                        ELSE '{Wh,kWh,MWh}'::text[] END)
    ORDER BY d.key, s.role COLLATE "C", 5, s.id;
END
$$;
GRANT EXECUTE ON FUNCTION api.energy_sources() TO tidemark_web, tidemark_read;
