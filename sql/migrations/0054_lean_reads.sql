-- What every page asks for, with less work for the same answers.

-- ---- sessions ----

-- The person of a session, with the tenant chosen and, where there is a choice, all of
-- them as [[slug, name, role], …] in the order of joining. Where the transaction may write, it is
-- noted once a minute that the session is in use.
SET LOCAL ROLE tidemark_door;
CREATE OR REPLACE FUNCTION api.session_resolve(hash bytea)
RETURNS TABLE (person_id bigint, email text, name text, operator_role text, tenant_id int,
               tenant_slug text, tenant_name text, tenant_timezone text, tenant_currency text,
               role text, homes text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    own    record;
    chosen record;
BEGIN
    SELECT s.tenant_id, s.last_seen, p.id, p.email, p.name, p.operator_role INTO own
    FROM core.session s
    JOIN core.person p ON p.id = s.person_id
    WHERE s.hash = session_resolve.hash AND s.expires_at > now();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF own.last_seen < now() - interval '1 minute'
       AND current_setting('transaction_read_only') = 'off' THEN
        UPDATE core.session s
        SET last_seen = now(),
            expires_at = least(now() + make_interval(days => s.idle_days),
                               s.created_at + interval '30 days')
        WHERE s.hash = session_resolve.hash AND s.expires_at > now();
    END IF;
    SELECT t.id, t.slug, t.name, t.timezone, t.currency, m.role, count(*) OVER () AS n INTO chosen
    FROM core.membership m
    JOIN core.tenant t ON t.id = m.tenant_id AND t.status = 'active'
    WHERE m.person_id = own.id
    ORDER BY t.id IS DISTINCT FROM own.tenant_id, m.created_at, t.id
    LIMIT 1;
    person_id := own.id;
    email := own.email;
    name := own.name;
    operator_role := own.operator_role;
    tenant_id := chosen.id;
    tenant_slug := chosen.slug;
    tenant_name := chosen.name;
    tenant_timezone := chosen.timezone;
    tenant_currency := chosen.currency;
    role := coalesce(chosen.role, '');
    IF chosen.n > 1 THEN
        SELECT jsonb_agg(jsonb_build_array(t.slug, t.name, m.role) ORDER BY m.created_at, t.id)
        INTO homes
        FROM core.membership m
        JOIN core.tenant t ON t.id = m.tenant_id AND t.status = 'active'
        WHERE m.person_id = own.id;
    END IF;
    RETURN NEXT;
END
$$;
SET LOCAL ROLE tidemark_owner;

-- ---- what is closed ----

-- Until when quarter hours are closed, and what stays the same for as long as all that is closed of
-- the tenant does, and what it may see of it, but for a quarter hour at most: what retention hides or
-- drops may be seen until then. No two tenants, databases and starts of the server have the same.
CREATE OR REPLACE FUNCTION api.closed_stamp(OUT closed_until timestamptz, OUT stamp text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    SELECT c.closed_until,
           concat_ws(' ', t.id, coalesce(s.xid::text, '-'), coalesce(t.hourly_days, 0),
                     coalesce(t.daily_days, 0),
                     date_part('epoch', c.closed_until), floor(date_part('epoch', now()) / 900),
                     (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()),
                     date_part('epoch', pg_postmaster_start_time()))
    INTO closed_until, stamp
    FROM core.tenant t
    CROSS JOIN core.rollup_state c
    LEFT JOIN core.rollup_stamp s ON s.tenant_id = owner
    WHERE t.id = owner;
END
$$;

-- ---- events ----

-- The newest events, first of all those of the last four weeks: where these are enough, the
-- partitions and chunks before are not opened.
DO $functions$
DECLARE
    kind record;
BEGIN
    FOR kind IN
        SELECT * FROM (VALUES ('all', ''), ('device', 'AND e.device_id = only_device'))
                      AS k (name, condition)
    LOOP
        EXECUTE format($sql$
            CREATE OR REPLACE FUNCTION core.event_newest_%1$s(owner int, only_device int,
                start timestamptz, stop timestamptz, row_limit int)
            RETURNS TABLE ("time" timestamptz, type text, device text, seq bigint, id uuid,
                           site text, data jsonb, key uuid)
            LANGUAGE plpgsql STABLE ROWS 100
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            SET enable_seqscan = off
            AS $$
            #variable_conflict use_column
            DECLARE
                since  timestamptz := greatest(start, least(stop, now()) - interval '28 days');
                before timestamptz := stop;
                n_rows int;
            BEGIN
                LOOP
                    RETURN QUERY
                    SELECT e.time, e.type, d.key, e.seq, e.id, s.key, e.data, e.key
                    FROM (SELECT e.*
                          FROM core.event e
                          WHERE e.tenant_id = owner AND e.time >= since AND e.time < before %2$s
                          ORDER BY e.time DESC, e.key DESC
                          LIMIT row_limit) e
                    JOIN core.device d ON d.tenant_id = owner AND d.id = e.device_id
                    LEFT JOIN core.site s ON s.tenant_id = owner AND s.id = e.site_id
                    ORDER BY e.time DESC, e.key DESC;
                    GET DIAGNOSTICS n_rows = ROW_COUNT;
                    row_limit := row_limit - n_rows;
                    EXIT WHEN row_limit <= 0 OR since <= start;
                    before := since;
                    since := start;
                END LOOP;
            END
            $$ $sql$, kind.name, kind.condition);
    END LOOP;
END
$functions$;
-- ---- energy ----

-- The tenant's series that tell energy or power, with the power that they told in the last quarter of
-- an hour, by device and role, and of these what is best first. Series of one kind and metric are as
-- good as each other.
DROP FUNCTION api.energy_sources();
CREATE FUNCTION api.energy_sources()
RETURNS TABLE (series_id int, device text, role text, kind text, metric text, zone text,
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
    SELECT s.id, d.key, s.role, s.kind, s.metric, coalesce(p.timezone, t.timezone),
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
    -- as core.energy_series ranks them
    ORDER BY d.key, s.role COLLATE "C",
             CASE s.kind WHEN 'delta' THEN 1 WHEN 'counter' THEN 2 ELSE 3 END,
             s.metric NOT IN ('energy_kwh', 'grid_import_kwh', 'grid_export_kwh',
                              'generation_kwh', 'power_w'),
             length(s.metric), s.metric, s.id;
END
$$;
GRANT EXECUTE ON FUNCTION api.energy_sources() TO tidemark_web, tidemark_read;

-- ---- jobs ----

-- Of the jobs whose last run went well, how long ago that began. A worker that was started again
-- need not repeat it.
CREATE FUNCTION ops.job_recent() RETURNS TABLE (name text, ago_s float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT l.name, date_part('epoch', clock_timestamp() - l.started_at)
    FROM (SELECT DISTINCT ON (r.name) r.name, r.started_at, r.is_ok
          FROM ops.job_run r
          WHERE r.started_at > clock_timestamp() - interval '1 day'
          ORDER BY r.name, r.started_at DESC) l
    WHERE l.is_ok;
END
$$;
GRANT EXECUTE ON FUNCTION ops.job_recent() TO tidemark_worker;
