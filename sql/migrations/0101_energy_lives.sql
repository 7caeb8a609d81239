-- Since and until when series tell something is known by quarter hours, which are the same by every
-- clock: days are made anew some time after a zone was changed.

-- The first and last closed quarter hours that each of the series told anything of. Those that told
-- nothing have no row.
DROP FUNCTION api.energy_lives(int[]);
CREATE FUNCTION api.energy_lives(of_series int[])
RETURNS TABLE (series_id int, first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT s.id, f.bucket, l.bucket
    FROM unnest(of_series) AS s (id)
    CROSS JOIN LATERAL (SELECT e.bucket FROM core.energy_15m e
                        WHERE e.tenant_id = owner AND e.series_id = s.id
                        ORDER BY e.bucket LIMIT 1) f
    CROSS JOIN LATERAL (SELECT e.bucket FROM core.energy_15m e
                        WHERE e.tenant_id = owner AND e.series_id = s.id
                        ORDER BY e.bucket DESC LIMIT 1) l;
END
$$;
REVOKE ALL ON FUNCTION api.energy_lives(int[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.energy_lives(int[]) TO tidemark_web, tidemark_read, tidemark_worker;

SET LOCAL ROLE tidemark_door;

-- The time around [from_time, to_time) in which the series tells nothing, where a day may lie in it:
-- from the last quarter hour before it to the first from its end on; with all of its metric or, at
-- the grid, of its device's role. The same where there is none.
CREATE OR REPLACE FUNCTION core.cost_silence(owner int, series int, INOUT from_time timestamptz,
                                             INOUT to_time timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    own    CONSTANT core.series := (SELECT s FROM core.series s
                                    WHERE s.tenant_id = owner AND s.id = series);
    beside record;
    seat   int[];
BEGIN
    seat := ARRAY(SELECT s.id FROM core.series s
                  WHERE s.tenant_id = owner AND s.device_id = own.device_id AND s.role = own.role);
    SELECT min(b.last_at) AS last_at, max(b.next_at) AS next_at INTO beside
    FROM (SELECT max(n.last_at) AS last_at, min(n.next_at) AS next_at
          FROM (SELECT x.id, s.metric,
                       (SELECT e.bucket FROM core.energy_15m e
                        WHERE e.tenant_id = owner AND e.series_id = x.id AND e.bucket < from_time
                        ORDER BY e.bucket DESC LIMIT 1) AS last_at,
                       (SELECT e.bucket FROM core.energy_15m e
                        WHERE e.tenant_id = owner AND e.series_id = x.id AND e.bucket >= to_time
                        ORDER BY e.bucket LIMIT 1) AS next_at
                FROM unnest(seat) AS x (id)
                JOIN core.series s ON s.tenant_id = owner AND s.id = x.id) n
          GROUP BY GROUPING SETS ((n.metric), ())
          HAVING GROUPING(n.metric) = 1 OR n.metric = own.metric) b;
    from_time := CASE WHEN beside.last_at < from_time - interval '20 hours'
                      THEN beside.last_at ELSE from_time END;
    to_time := CASE WHEN beside.next_at > to_time + interval '20 hours'
                    THEN beside.next_at ELSE to_time END;
END
$$;

INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', true FROM core.cost_place p;

SET LOCAL ROLE tidemark_owner;
