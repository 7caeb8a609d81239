-- Costs are asked for without reading what is not asked for, and what each device's energy is worth
-- is kept with the ledger.

-- ---- energy ----

-- Energy and power series of a tenant, of one site or device of it where one is said, with their
-- place in line: intervals before counters before power; the plain names first. Series of one metric
-- that differ in labels count together.
DROP FUNCTION core.energy_series(int);
CREATE FUNCTION core.energy_series(owner int, only_site int DEFAULT NULL, only_device int DEFAULT NULL)
RETURNS TABLE (series_id int, device_id int, role text, metric text, kind text, factor float8,
               place int, zone text)
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.device_id, s.role, s.metric, s.kind,
           CASE s.unit WHEN 'Wh' THEN 0.001 WHEN 'MWh' THEN 1000
                       WHEN 'W' THEN 0.001 ELSE 1 END::float8,
           (dense_rank() OVER (
               PARTITION BY s.device_id, s.role
               ORDER BY CASE s.kind WHEN 'delta' THEN 1 WHEN 'counter' THEN 2 ELSE 3 END,
                        s.metric NOT IN ('energy_kwh', 'grid_import_kwh', 'grid_export_kwh',
                                         'generation_kwh', 'power_w'),
                        length(s.metric), s.metric))::int,
           coalesce(p.timezone, t.timezone)
    FROM core.series s
    JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    JOIN core.tenant t ON t.id = owner
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    WHERE s.tenant_id = owner AND s.role <> 'none'
      AND s.unit = ANY (CASE s.kind WHEN 'gauge' THEN '{W,kW}' ELSE '{Wh,kWh,MWh}' END::text[])
      AND (only_site IS NULL OR d.site_id = only_site)
      AND (only_device IS NULL OR d.id = only_device);
END
$$;

-- As before, and of a site or a device no others are looked at.
CREATE OR REPLACE FUNCTION api.energy_meters(of_site text, of_device text, known_at timestamptz)
RETURNS TABLE (series_id int, device text, site text, metric text, kind text, role text, place int,
               zone text, is_apart boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
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
    SELECT s.series_id, d.key, p.key, s.metric, s.kind, s.role, s.place, s.zone,
           s.device_id = ANY (apart)
    FROM core.energy_series(owner, only_site, only_device) s
    JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
    ORDER BY p.key, d.key, s.role, s.place, s.series_id;
END
$$;

-- The first devices that tell energy, by site (those at none last) and key.
CREATE FUNCTION api.energy_devices(row_limit int) RETURNS TABLE (device text, site text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
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
    SELECT k.device, k.site
    FROM (SELECT d.id, d.key AS device, p.key AS site
          FROM core.device d
          LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
          WHERE d.tenant_id = owner
          ORDER BY p.key, d.key
          OFFSET 0) k
    WHERE EXISTS (SELECT FROM core.series s
                  WHERE s.tenant_id = owner AND s.device_id = k.id
                    AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL)
    LIMIT row_limit;
END
$$;

GRANT EXECUTE ON FUNCTION api.energy_devices(int) TO tidemark_web, tidemark_read;

-- As before; what is not closed is worked out for all series in one go.
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
    SELECT q.series_id, array_agg(q.bucket), array_agg(q.nkwh)
    FROM (SELECT e.series_id, e.bucket, e.nkwh
          FROM core.energy_15m e
          WHERE e.tenant_id = owner AND e.series_id = ANY (of_series)
            AND e.bucket >= from_time AND e.bucket < to_time
          UNION ALL
          SELECT o.series_id, o.bucket, o.nkwh
          FROM unnest(open.series_ids, open.buckets, open.amounts) AS o (series_id, bucket, nkwh)
          WHERE o.bucket >= from_time AND o.bucket < to_time) q
    GROUP BY q.series_id;
END
$$;

-- ---- since when the ledger holds ----

-- As before, of one site or (NULL) of all places. A counter that told something in the hour before
-- `closed` begins no step earlier than that, so that others alone are looked for further back.
DROP FUNCTION api.cost_places(timestamptz, timestamptz);
CREATE FUNCTION api.cost_places(of_site text, from_time timestamptz, to_time timestamptz)
RETURNS TABLE (site text, first_time timestamptz, dirty_from timestamptz, energy_from timestamptz)
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
           least(closed - interval '1 hour', d.told, o.began)
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

-- ---- what devices' energy is worth ----

-- What each device of an account comes to on a rated day, valued alone: parallel arrays of those that
-- told something. Written and removed together with core.cost_day.
CREATE TABLE core.cost_device (
    tenant_id int NOT NULL,
    site_id   int NOT NULL,
    device_id int NOT NULL,                         -- the account's
    day       date NOT NULL,                        -- as in core.cost_day
    is_priced boolean NOT NULL,                     -- a schedule is in force
    devices   int[] NOT NULL,
    nkwh      numeric[] NOT NULL,                   -- what each took
    atto      numeric[] NOT NULL,                   -- and what that is worth: 1e-18 of the unit
    PRIMARY KEY (tenant_id, site_id, device_id, day)
);
SELECT core.protect('core.cost_device', 'tenant_id');

-- What each device of an account comes to over its rated days in [first_day, end_day), those of the
-- zone; and how many days these are (a row without a device: none told anything).
CREATE FUNCTION api.cost_devices(of_site text, of_device text, of_zone text, first_day date,
                                 end_day date)
RETURNS TABLE (n_days int, device text, nkwh numeric, atto numeric, is_priced boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    home    CONSTANT int := core.tenant();
    account CONSTANT record := core.cost_account(home, of_site, of_device);
BEGIN
    RETURN QUERY
    WITH kept AS MATERIALIZED (
        SELECT v.is_priced, v.devices, v.nkwh, v.atto
        FROM core.cost_device v
        JOIN core.cost_day c ON c.tenant_id = v.tenant_id AND c.site_id = v.site_id
             AND c.device_id = v.device_id AND c.day = v.day
        WHERE v.tenant_id = home AND v.site_id = account.site_id
          AND v.device_id = account.device_id AND v.day >= first_day AND v.day < end_day
          AND c.zone = of_zone
    )
    SELECT n.n_days, d.key, s.nkwh, s.atto, s.is_priced
    FROM (SELECT count(*)::int AS n_days FROM kept) n
    LEFT JOIN (SELECT u.id, sum(u.nkwh) AS nkwh, sum(u.atto) AS atto,
                      bool_or(k.is_priced) AS is_priced
               FROM kept k
               CROSS JOIN LATERAL unnest(k.devices, k.nkwh, k.atto) AS u (id, nkwh, atto)
               GROUP BY u.id) s ON true
    LEFT JOIN core.device d ON d.tenant_id = home AND d.id = s.id;
END
$$;

GRANT EXECUTE ON FUNCTION api.cost_devices(text, text, text, date, date)
    TO tidemark_web, tidemark_read;

SET LOCAL ROLE tidemark_door;

-- Writes what the devices of an account come to on the days [first_day, end_day) in place of what is
-- there; what is the same stays. `days` counts from 1970, `priced` and `counts` (of devices) are
-- of each; the others have the devices of all days one after the other: number in `keys` from 1 on,
-- nano-kWh, 1e-18 of the currency's unit. How many rows were written or removed; 40001 when one of
-- the devices is no more: they are to be asked for anew.
CREATE FUNCTION ops.cost_store_devices(of_site text, of_device text, first_day date, end_day date,
                                       days int[], priced boolean[], counts int[], keys text[],
                                       all_numbers int[], all_nkwh text[], all_atto text[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    home    CONSTANT int := core.tenant();
    account CONSTANT record := core.cost_account(home, of_site, of_device);
    ids     CONSTANT int[] := ARRAY(
        SELECT d.id FROM unnest(keys) WITH ORDINALITY AS k (key, ord)
        LEFT JOIN core.device d ON d.tenant_id = home AND d.key = k.key
        ORDER BY k.ord);
    told    CONSTANT int[] := ARRAY(
        SELECT ids[n.number] FROM unnest(all_numbers) WITH ORDINALITY AS n (number, ord)
        ORDER BY n.ord);
    new     core.cost_device[];
    removed bigint;
    added   bigint;
BEGIN
    IF array_position(ids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a device was erased meanwhile' USING ERRCODE = '40001';
    END IF;
    SELECT array_agg(row(home, account.site_id, account.device_id, date '1970-01-01' + u.day,
                         u.priced, told[u.stop - u.n + 1 : u.stop],
                         all_nkwh[u.stop - u.n + 1 : u.stop]::numeric[],
                         all_atto[u.stop - u.n + 1 : u.stop]::numeric[])::core.cost_device)
    INTO new
    FROM (SELECT i.*, sum(i.n) OVER (ORDER BY i.day) AS stop
          FROM unnest(days, priced, counts) AS i (day, priced, n)) u;
    DELETE FROM core.cost_device c
    WHERE c.tenant_id = home AND c.site_id = account.site_id
      AND c.device_id = account.device_id AND c.day >= first_day AND c.day < end_day
      AND NOT EXISTS (SELECT FROM unnest(new) n
                      WHERE n.day = c.day AND n IS NOT DISTINCT FROM c);
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO core.cost_device
    SELECT n.* FROM unnest(new) n
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN removed + added;
END
$$;

GRANT EXECUTE ON FUNCTION
    ops.cost_store_devices(text, text, date, date, int[], boolean[], int[], text[], int[], text[],
                           text[])
    TO tidemark_worker;

-- Takes a device out of the days of all accounts of the tenant; of how many.
CREATE FUNCTION core.cost_device_cut(home int, gone int) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
BEGIN
    UPDATE core.cost_device c
    SET devices = c.devices[: w.place - 1] || c.devices[w.place + 1 :],
        nkwh = c.nkwh[: w.place - 1] || c.nkwh[w.place + 1 :],
        atto = c.atto[: w.place - 1] || c.atto[w.place + 1 :]
    FROM (SELECT d.site_id, d.device_id, d.day, array_position(d.devices, gone) AS place
          FROM core.cost_device d
          WHERE d.tenant_id = home AND d.devices @> ARRAY[gone]) w
    WHERE c.tenant_id = home AND c.site_id = w.site_id AND c.device_id = w.device_id
      AND c.day = w.day;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;

-- As before, with what it came to among the devices of its accounts.
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

-- As before, with what devices come to.
CREATE OR REPLACE FUNCTION core.cost_erase(home int, of_site int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.cost_place x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_day x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_device x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_calculation x WHERE x.tenant_id = home AND x.site_id = of_site;
END
$$;

CREATE OR REPLACE FUNCTION ops.cost_finish(of_site text, devices text[], head timestamptz,
                                           from_time timestamptz, until_time timestamptz,
                                           due timestamptz)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    home    CONSTANT int := core.tenant();
    site    CONSTANT int := (core.cost_account(home, of_site, NULL)).site_id;
    kept    CONSTANT int[] := ARRAY(
        SELECT CASE WHEN k.key = '' THEN 0 ELSE (core.cost_account(home, NULL, k.key)).device_id END
        FROM unnest(devices) AS k (key));
    removed bigint;
    n       bigint;
BEGIN
    DELETE FROM core.cost_day c
    WHERE c.tenant_id = home AND c.site_id = site AND c.device_id <> ALL (kept);
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM core.cost_device c
    WHERE c.tenant_id = home AND c.site_id = site AND c.device_id <> ALL (kept);
    GET DIAGNOSTICS n = ROW_COUNT;
    removed := removed + n;
    DELETE FROM core.cost_calculation c
    WHERE c.tenant_id = home AND c.site_id = site AND c.device_id <> ALL (kept);
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO core.cost_place AS p (tenant_id, site_id, first_time, rated_from, rated_until,
                                      due_at)
    VALUES (home, site, head, from_time, until_time, due)
    ON CONFLICT ON CONSTRAINT cost_place_pkey DO UPDATE
    SET first_time = excluded.first_time, rated_from = excluded.rated_from,
        rated_until = excluded.rated_until, due_at = excluded.due_at;
    RETURN removed + n;
END
$$;

CREATE OR REPLACE FUNCTION ops.cost_prune() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before CONSTANT date := (core.horizon_last('energy') AT TIME ZONE 'UTC')::date - 1;
    removed bigint;
    n       bigint;
BEGIN
    DELETE FROM core.cost_calculation c
    WHERE c.ctid = ANY (ARRAY(SELECT p.ctid FROM core.cost_calculation p
                              WHERE p.day < before LIMIT 50000));
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM core.cost_device c
    WHERE c.ctid = ANY (ARRAY(SELECT p.ctid FROM core.cost_device p
                              WHERE p.day < before LIMIT 10000));
    GET DIAGNOSTICS n = ROW_COUNT;
    removed := removed + n;
    DELETE FROM core.cost_day c
    WHERE c.ctid = ANY (ARRAY(SELECT p.ctid FROM core.cost_day p WHERE p.day < before LIMIT 10000));
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN removed + n;
END
$$;

-- Days that are rated without it are rated again.
INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', false FROM core.cost_place p;
