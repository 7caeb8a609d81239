-- What a meter does not tell between days that it does is missing: since and until when series tell
-- something is asked for, and where that changes, the days between are rated again.

-- The first and last closed quarter hours that each of the series told anything of. Those that told
-- nothing have no row.
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

-- Whether a day on which the series tells nothing, between others on which it does, is a gap.
CREATE FUNCTION core.energy_has_gaps(role text, kind text, metric text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT role = 'grid_import' OR substr(core.energy_rank(kind, metric), 2, 1) = '1' $$;

GRANT EXECUTE ON FUNCTION core.energy_family(text, text), core.energy_part_rank(text, text),
    core.energy_rank(text, text), core.energy_has_gaps(text, text, text) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- The time around [from_time, to_time) in which the series tells nothing, where a day may lie in it:
-- from the last quarter hour before it to the first from its end on; with all of its metric or, at
-- the grid, of its device's role. The same where there is none.
CREATE FUNCTION core.cost_silence(owner int, series int, INOUT from_time timestamptz,
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

-- The series' energy is another in [from, to) of each. Parallel arrays. Whatever writes
-- core.energy_15m calls it in the same transaction, afterwards.
CREATE OR REPLACE FUNCTION core.cost_touch(tenant_ids int[], series_ids int[],
                                           from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
    WITH touched AS MATERIALIZED (
        SELECT u.*, coalesce(d.site_id, 0) AS site_id,
               core.energy_has_gaps(s.role, s.kind, s.metric) AS has_gaps
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
        JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
        JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id
        WHERE u.from_time < u.to_time
    )
    SELECT m.tenant_id, m.site_id, lower(m.span), upper(m.span), true
    FROM (SELECT w.tenant_id, w.site_id, unnest(range_agg(tstzrange(w.from_time, w.to_time))) AS span
          FROM (SELECT t.tenant_id, t.site_id, t.from_time, t.to_time FROM touched t
                WHERE NOT t.has_gaps
                UNION ALL
                SELECT t.tenant_id, t.site_id, x.from_time, x.to_time FROM touched t
                CROSS JOIN LATERAL core.cost_silence(t.tenant_id, t.series_id, t.from_time,
                                                     t.to_time) x
                WHERE t.has_gaps) w
          GROUP BY 1, 2) m
    WHERE NOT isempty(m.span);
END
$$;

SET LOCAL ROLE tidemark_owner;
