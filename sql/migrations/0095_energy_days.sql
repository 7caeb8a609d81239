-- A bill says which series it is made of: on which days each told something.

-- The closed local days that begin in [from_time, to_time) and that each of the series told anything of,
-- as starts; `number` is the series' place in the list. Those that told nothing have no row.
CREATE FUNCTION api.energy_days(of_series int[], from_time timestamptz, to_time timestamptz)
RETURNS TABLE (number int, days timestamptz[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT s.number::int, d.days
    FROM unnest(of_series) WITH ORDINALITY AS s (id, number)
    CROSS JOIN LATERAL (
        SELECT array_agg(e.bucket) AS days
        FROM core.energy_1d e
        WHERE e.tenant_id = owner AND e.series_id = s.id
          AND e.bucket >= from_time AND e.bucket < to_time) d
    WHERE d.days IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION api.energy_days(int[], timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.energy_days(int[], timestamptz, timestamptz) TO tidemark_web, tidemark_read;
