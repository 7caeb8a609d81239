-- What pages of costs read: less of it, with plans that are kept; and a stamp by which readers know that
-- the ledger is as they read it before.

-- ---- energy ----

-- As before, with the device's and the site's key.
DROP FUNCTION core.energy_series(int, int, int);
CREATE FUNCTION core.energy_series(owner int, only_site int DEFAULT NULL, only_device int DEFAULT NULL)
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
               ORDER BY CASE s.kind WHEN 'delta' THEN 1 WHEN 'counter' THEN 2 ELSE 3 END,
                        s.metric NOT IN ('energy_kwh', 'grid_import_kwh', 'grid_export_kwh',
                                         'generation_kwh', 'power_w'),
                        length(s.metric), s.metric))::int,
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

-- As before.
CREATE OR REPLACE FUNCTION api.energy_meters(of_site text, of_device text, known_at timestamptz)
RETURNS TABLE (series_id int, device text, site text, metric text, kind text, role text, place int,
               zone text, is_apart boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner       CONSTANT int := core.tenant();
    only_site   CONSTANT int := (SELECT p.id FROM core.site p
                                 WHERE p.tenant_id = owner AND p.key = of_site);
    only_device CONSTANT int := (SELECT d.id FROM core.device d
                                 WHERE d.tenant_id = owner AND d.key = of_device);
    apart       CONSTANT int[] := ARRAY(
        SELECT DISTINCT a.device_id FROM core.rate_assignment a
        WHERE a.tenant_id = owner AND a.device_id IS NOT NULL AND a.known_since <= known_at
          AND coalesce(a.known_until > known_at, true));
BEGIN
    IF of_device IS NOT NULL AND only_device IS NULL THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    ELSIF of_site IS NOT NULL AND only_site IS NULL THEN
        RAISE EXCEPTION 'no site has this key' USING ERRCODE = 'TM404';
    END IF;
    RETURN QUERY
    SELECT s.series_id, s.device, s.site, s.metric, s.kind, s.role, s.place, s.zone,
           s.device_id = ANY (apart)
    FROM core.energy_series(owner, only_site, only_device) s
    ORDER BY s.site, s.device, s.role, s.place, s.series_id;
END
$$;

-- As before; sites behind those that are shown are not looked at.
CREATE OR REPLACE FUNCTION api.energy_devices(row_limit int) RETURNS TABLE (device text, site text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    n     int := 0;
    more  int;
    place record;
BEGIN
    FOR place IN
        (SELECT p.id, p.key FROM core.site p WHERE p.tenant_id = owner ORDER BY p.key)
        UNION ALL SELECT NULL, NULL
    LOOP
        EXIT WHEN n >= row_limit;
        RETURN QUERY
        SELECT k.key, place.key
        FROM (SELECT d.id, d.key FROM core.device d
              WHERE d.tenant_id = owner AND d.site_id IS NOT DISTINCT FROM place.id
              ORDER BY d.key OFFSET 0) k
        WHERE EXISTS (SELECT FROM core.series s
                      WHERE s.tenant_id = owner AND s.device_id = k.id
                        AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL)
        LIMIT row_limit - n;
        GET DIAGNOSTICS more = ROW_COUNT;
        n := n + more;
    END LOOP;
END
$$;

-- ---- the ledger's stamp ----

-- How often what the ledger has of a tenant was written: the sum of n over the tenant's rows. Who writes
-- adds a row, into which it gathers the rows that it sees and nobody else is at, so few are there; it
-- never waits, as it passes over what another holds, and no row's key is another's.
--
-- Readers compare the sum. With a transaction come, or not, both the rows that it took away and the one
-- that has them; those that it took were visible before it ended, so whoever sees it sees what they stood
-- for. The sum that a snapshot shows is hence that of what was added by the transactions it sees: at
-- least one each. Of two snapshots one sees all transactions that the other sees, so that the sums are the
-- same only where they see the same, in whichever order transactions began and ended.
CREATE TABLE core.cost_stamp (
    tenant_id int NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    n         bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT core.protect('core.cost_stamp', 'tenant_id');

SET LOCAL ROLE tidemark_door;
CREATE FUNCTION core.cost_stamp_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner int;
BEGIN
    FOR owner IN SELECT DISTINCT w.tenant_id FROM written w LOOP
        WITH gathered AS (
            DELETE FROM core.cost_stamp s
            WHERE s.tenant_id = owner
              AND s.id = ANY (ARRAY(SELECT x.id FROM core.cost_stamp x WHERE x.tenant_id = owner
                                    FOR UPDATE SKIP LOCKED))
            RETURNING s.n
        )
        INSERT INTO core.cost_stamp (tenant_id, n)
        SELECT owner, 1 + coalesce(sum(g.n), 0) FROM gathered g;
    END LOOP;
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.cost_stamp_trigger() TO tidemark_owner;
SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER stamp_insert AFTER INSERT ON core.cost_day REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_stamp_trigger();
CREATE TRIGGER stamp_update AFTER UPDATE ON core.cost_day REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_stamp_trigger();
CREATE TRIGGER stamp_delete AFTER DELETE ON core.cost_day REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_stamp_trigger();
CREATE TRIGGER stamp_insert AFTER INSERT ON core.cost_device REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_stamp_trigger();
CREATE TRIGGER stamp_update AFTER UPDATE ON core.cost_device REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_stamp_trigger();
CREATE TRIGGER stamp_delete AFTER DELETE ON core.cost_device REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_stamp_trigger();

-- As before, with what is the same for as long as the ledger is: no two tenants, databases and starts
-- of the server have the same.
DROP FUNCTION api.cost_places(text, timestamptz, timestamptz);
CREATE FUNCTION api.cost_places(of_site text, from_time timestamptz, to_time timestamptz)
RETURNS TABLE (site text, first_time timestamptz, dirty_from timestamptz, energy_from timestamptz,
              stamp text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    home   CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    only_site CONSTANT int := (SELECT s.id FROM core.site s
                               WHERE s.tenant_id = home AND s.key = of_site);
    counters CONSTANT int[] := ARRAY(
        SELECT c.id FROM core.series c
        JOIN core.device v ON v.tenant_id = home AND v.id = c.device_id
        WHERE c.tenant_id = home AND c.kind = 'counter' AND c.role <> 'none'
          AND (only_site IS NULL OR v.site_id = only_site));
    stamped CONSTANT text := (
        SELECT format('%s %s %s %s', home,
                      (SELECT sum(x.n) FROM core.cost_stamp x WHERE x.tenant_id = home), b.oid,
                      date_part('epoch', pg_postmaster_start_time()))
        FROM pg_database b WHERE b.datname = current_database());
    silent int[];
BEGIN
    IF counters <> '{}' THEN
        silent := ARRAY(SELECT x.series_id FROM core.sample x
                        WHERE x.tenant_id = home AND x.series_id = ANY (counters)
                          AND x.time >= closed - interval '1 hour'
                        GROUP BY x.series_id
                        HAVING min(x.time) >= closed)
            || ARRAY(SELECT m.series_id FROM core.meter_series m
                     WHERE m.tenant_id = home AND m.series_id = ANY (counters));
    END IF;
    RETURN QUERY
    SELECT s.key, p.first_time, least(p.rated_until, d.noted, o.began),
           least(closed - interval '1 hour', d.told, o.began), stamped
    FROM core.cost_place p
    LEFT JOIN core.site s ON s.tenant_id = home AND s.id = p.site_id
    LEFT JOIN (
        SELECT x.site_id, min(greatest(x.from_time, from_time)) AS noted,
               min(greatest(x.from_time, from_time)) FILTER (WHERE x.is_energy) AS told
        FROM core.cost_dirty x
        WHERE x.tenant_id = home AND (only_site IS NULL OR x.site_id = only_site)
          AND x.from_time < to_time AND x.to_time > from_time
        GROUP BY x.site_id) d ON d.site_id = p.site_id
    LEFT JOIN (
        SELECT coalesce(v.site_id, 0) AS site_id, min(core.cost_step(home, c.id, closed)) AS began
        FROM core.series c
        JOIN core.device v ON v.tenant_id = home AND v.id = c.device_id
        WHERE c.tenant_id = home AND c.id = ANY (silent)
        GROUP BY 1) o ON o.site_id = p.site_id
    WHERE p.tenant_id = home AND (s.id IS NOT NULL OR p.site_id = 0)
      AND (only_site IS NULL OR p.site_id = only_site);
END
$$;

GRANT EXECUTE ON FUNCTION api.cost_places(text, timestamptz, timestamptz)
    TO tidemark_web, tidemark_read;

-- ---- erasure beside rating ----

SET LOCAL ROLE tidemark_door;

-- Waits for who rates a place whose ledger has the device, and keeps others from it until the
-- transaction ends. Raters only try the lock, and hold it before all rows that they write.
CREATE FUNCTION core.cost_hold(home int, gone int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    site int;
BEGIN
    FOR site IN
        SELECT coalesce(d.site_id, 0) FROM core.device d WHERE d.tenant_id = home AND d.id = gone
        UNION
        SELECT c.site_id FROM core.cost_day c WHERE c.tenant_id = home AND c.device_id = gone
        UNION
        SELECT c.site_id FROM core.cost_device c
        WHERE c.tenant_id = home AND c.devices @> ARRAY[gone]
        ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(
            hashtextextended(format('tidemark.cost.%s.%s', home, site), 0));   -- ops.cost_take's
    END LOOP;
END
$$;

-- As before; who rates is waited for before the first row goes.
CREATE OR REPLACE FUNCTION core.device_erase(home int, of_key text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone   int;
    series int[];
    part   record;
    counts jsonb := '{}';
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.rollup_lock();      -- nothing is derived of it meanwhile
    SELECT d.id INTO gone FROM core.device d WHERE d.tenant_id = home AND d.key = of_key
    FOR UPDATE;                      -- and no series is made
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    PERFORM core.cost_hold(home, gone);
    series := ARRAY(SELECT s.id FROM core.series s
                    WHERE s.tenant_id = home AND s.device_id = gone ORDER BY s.id);
    INSERT INTO core.erased (tenant_id, kind, id)
    SELECT home, 'series', s.id FROM unnest(series) AS s (id)
    UNION ALL SELECT home, 'device', gone;
    FOR part IN SELECT t.* FROM core.device_tables() t LOOP
        counts := counts || jsonb_build_object(
            (SELECT c.relname FROM pg_class c WHERE c.oid = part.relation),
            core.rows_erase(part.relation, home, part.key,
                            CASE part.key WHEN 'series_id' THEN series ELSE ARRAY[gone] END));
    END LOOP;
    counts := counts || jsonb_build_object(
        'cost_device', (counts ->> 'cost_device')::bigint + core.cost_device_cut(home, gone));
    DELETE FROM core.device d WHERE d.tenant_id = home AND d.id = gone;
    PERFORM core.audit_add(home, 'device.erase', of_key, counts);
    RETURN counts;
END
$$;
