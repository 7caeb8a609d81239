-- Ranks become part of the caller's plan, and names without registers, phases and channels cost a
-- comparison: a tenant's are worked out for each page.

-- The rest of a rank, of a name that may be of a part.
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
CREATE OR REPLACE FUNCTION core.energy_rank(kind text, metric text) RETURNS text
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

GRANT EXECUTE ON FUNCTION core.energy_part_rank(text, text) TO tidemark_door;
