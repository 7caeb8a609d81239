-- A database that is made of the archive has the archived days of what is derived, too: they do not come
-- back, the worker makes them.

SET LOCAL ROLE tidemark_door;

-- All of the store is there: what is made of it is to be made.
CREATE OR REPLACE FUNCTION ops.rebuild_end() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.rebuild_hold();
    PERFORM core.rollup_lock();
    DELETE FROM core.rollup_dirty;
    INSERT INTO core.rollup_dirty (tenant_id, series_id, from_time, to_time)
    SELECT x.tenant_id, x.id, '-infinity', s.closed_until FROM core.series x, core.rollup_state s;
    INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
    SELECT t.id, unnest(core.cost_places(t.id, NULL, NULL)), '-infinity', 'infinity', true
    FROM core.tenant t;
    PERFORM ops.series_last_repair();
    UPDATE core.device d SET last_seen = n.time
    FROM (SELECT s.tenant_id, s.device_id, max(l.time) AS time
          FROM core.series s
          JOIN core.series_last l ON l.tenant_id = s.tenant_id AND l.series_id = s.id
          GROUP BY s.tenant_id, s.device_id) n
    WHERE d.tenant_id = n.tenant_id AND d.id = n.device_id AND d.last_seen IS NULL;
    -- what the worker makes counts as there
    UPDATE core.archive_day d SET is_held = true
    WHERE NOT d.is_held AND core.archive_is_derived(d.relation);
    UPDATE core.archive_rebuild r SET ended_at = now();
END
$$;

SET LOCAL ROLE tidemark_owner;
