-- The quarter hours that costs are worked out from are read series by series: without a table of groups
-- that each of them is looked up in, which is a third of the work.

-- As before.
CREATE OR REPLACE FUNCTION api.energy_quarters(of_series int[], from_time timestamptz,
                                               to_time timestamptz)
RETURNS TABLE (series_id int, quarters timestamptz[], nkwh bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner  CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    series record;
    open   record;
BEGIN
    SELECT array_agg(s.id) AS ids, array_agg(s.kind) AS kinds, array_agg(s.scale) AS scales
    INTO series
    FROM (SELECT s.id, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale
          FROM core.series s WHERE s.tenant_id = owner AND s.id = ANY (of_series)) s
    WHERE s.scale IS NOT NULL;
    open := core.energy_open(owner, series.ids, series.kinds, series.scales, closed);
    RETURN QUERY
    SELECT s.id, c.quarters || o.quarters, c.nkwh || o.nkwh
    FROM unnest(of_series) AS s (id)
    CROSS JOIN LATERAL (
        SELECT array_agg(e.bucket) AS quarters, array_agg(e.nkwh) AS nkwh
        FROM core.energy_15m e
        WHERE e.tenant_id = owner AND e.series_id = s.id
          AND e.bucket >= from_time AND e.bucket < to_time) c
    LEFT JOIN (
        SELECT u.series_id, array_agg(u.bucket) AS quarters, array_agg(u.nkwh) AS nkwh
        FROM unnest(open.series_ids, open.buckets, open.amounts) AS u (series_id, bucket, nkwh)
        WHERE u.bucket >= from_time AND u.bucket < to_time
        GROUP BY u.series_id) o ON o.series_id = s.id
    WHERE c.quarters IS NOT NULL OR o.quarters IS NOT NULL;
END
$$;
