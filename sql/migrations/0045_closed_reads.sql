-- What is closed changes only where it is derived again: whoever read it once may keep it for as long
-- as a stamp is the same. Here are the stamp, and the reads of pages apart for what is closed and what
-- is not. And what else pages read, with as few chunks as it takes.

-- ---- the stamp ----

-- Which transaction derived closed buckets of a tenant again last. Whatever leaves the queues of what
-- has to be derived is derived in the same transaction, and those exclude each other by
-- core.rollup_lock(). Whoever empties the tables of a tenant comes to the queues first.
CREATE TABLE core.rollup_stamp (
    tenant_id int NOT NULL PRIMARY KEY,
    xid       xid8 NOT NULL
);
SELECT core.protect('core.rollup_stamp', 'tenant_id');

SET LOCAL ROLE tidemark_door;
CREATE FUNCTION core.rollup_stamp_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.rollup_stamp AS s (tenant_id, xid)
    SELECT DISTINCT t.tenant_id, pg_current_xact_id() FROM taken t ORDER BY t.tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET xid = excluded.xid WHERE s.xid <> excluded.xid;
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.rollup_stamp_trigger() TO tidemark_owner;
SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER derived AFTER DELETE ON core.rollup_dirty REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION core.rollup_stamp_trigger();
CREATE TRIGGER derived_in_part AFTER UPDATE ON core.rollup_dirty REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION core.rollup_stamp_trigger();
CREATE TRIGGER derived AFTER DELETE ON core.rollup_recast REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION core.rollup_stamp_trigger();

-- Until when quarter hours are closed, and what stays the same for as long as all that is closed of
-- the tenant does, and what it may see of it, but for a quarter hour at most: what retention hides or
-- drops may be seen until then. No two tenants, databases and starts of the server have the same.
CREATE FUNCTION api.closed_stamp(OUT closed_until timestamptz, OUT stamp text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    SELECT s.closed_until INTO closed_until FROM core.rollup_state s;
    SELECT format('%s %s %s %s %s %s %s %s', t.id, s.xid, t.hourly_days, t.daily_days,
                  date_part('epoch', closed_until), floor(date_part('epoch', now()) / 900),
                  b.oid, date_part('epoch', pg_postmaster_start_time()))
    INTO stamp
    FROM core.tenant t
    LEFT JOIN core.rollup_stamp s ON s.tenant_id = t.id
    CROSS JOIN pg_database b
    WHERE t.id = owner AND b.datname = current_database();
END
$$;

-- ---- energy ----

-- What the tenant's series amount to in nano-kWh, as far as it is closed: in quarter hours (UTC) from
-- quarters_from on and in the local days of their sites from days_from on. Three parallel arrays each,
-- in no order, NULL where there is nothing.
CREATE FUNCTION api.energy_closed(quarters_from timestamptz, days_from timestamptz,
                                  OUT quarter_series bigint[], OUT quarters timestamptz[],
                                  OUT quarter_nkwh bigint[], OUT day_series bigint[],
                                  OUT days timestamptz[], OUT day_nkwh bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
    told  record;
    ids   int[];
BEGIN
    SELECT array_agg(s.id) INTO ids
    FROM core.series s
    WHERE s.tenant_id = owner AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL;
    told := core.energy_quarters_since(owner, ids, quarters_from);
    quarter_series := told.series_ids;
    quarters := told.buckets;
    quarter_nkwh := told.amounts;
    SELECT array_agg(e.series_id::bigint), array_agg(e.bucket), array_agg(e.nkwh)
    INTO day_series, days, day_nkwh
    FROM core.energy_1d e
    WHERE e.tenant_id = owner AND e.series_id = ANY (ids) AND e.bucket >= days_from;
END
$$;

-- The same of the quarter hours since: to be added to both.
CREATE FUNCTION api.energy_open(OUT open_series bigint[], OUT open timestamptz[],
                                OUT open_nkwh bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    owner  CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    series record;
    told   record;
BEGIN
    SELECT array_agg(s.id) AS ids, array_agg(s.kind) AS kinds, array_agg(s.scale) AS scales
    INTO series
    FROM (SELECT s.id, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale
          FROM core.series s WHERE s.tenant_id = owner) s
    WHERE s.scale IS NOT NULL;
    told := core.energy_open(owner, series.ids, series.kinds, series.scales, closed);
    open_series := told.series_ids;
    open := told.buckets;
    open_nkwh := told.amounts;
END
$$;
DROP FUNCTION api.energy_told(timestamptz, timestamptz);

-- ---- traces ----

-- Quarter hours or hours ('15m', '1h') of the tenant's series that start in [from_time, to_time), in
-- no order: those that are closed, and those that are not.
DO $functions$
DECLARE
    grain record;
BEGIN
    FOR grain IN SELECT * FROM (VALUES ('15m', '15 minutes'), ('1h', '1 hour')) AS g (name, width)
    LOOP
        EXECUTE format($sql$
            CREATE FUNCTION core.rollup_closed_%1$s(wanted int[], since timestamptz,
                                                    until timestamptz)
            RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8,
                           max float8, first float8, last float8, last_time timestamptz)
            LANGUAGE plpgsql STABLE
            SET search_path = pg_catalog, pg_temp
            SET plan_cache_mode = force_generic_plan
            SET enable_bitmapscan = off
            AS $$
            #variable_conflict use_column
            DECLARE
                owner CONSTANT int := core.tenant();
                edge  CONSTANT timestamptz := (SELECT date_bin('%2$s', s.closed_until,
                                                               timestamptz '2000-01-01 00:00:00+00')
                                               FROM core.rollup_state s);
                stop  CONSTANT timestamptz := least(until, edge);
                shown CONSTANT timestamptz := greatest(since, core.visible_from('%1$s'));
            BEGIN
                RETURN QUERY
                SELECT r.series_id, r.bucket, r.count, r.sum, r.min, r.max, r.first, r.last,
                       r.last_time
                FROM core.rollup_%1$s r
                WHERE r.tenant_id = owner AND r.series_id = ANY (wanted)
                  AND r.bucket >= shown AND r.bucket < stop;
            END
            $$ $sql$, grain.name, grain.width);
    END LOOP;
END
$functions$;

CREATE FUNCTION api.rollup_closed(grain text, series_ids int[], from_time timestamptz,
                                  to_time timestamptz)
RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, last float8, last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF grain = '15m' THEN
        RETURN QUERY SELECT * FROM core.rollup_closed_15m(series_ids, from_time, to_time);
    ELSIF grain = '1h' THEN
        RETURN QUERY SELECT * FROM core.rollup_closed_1h(series_ids, from_time, to_time);
    ELSE
        RAISE EXCEPTION 'of "%" what is closed is not kept apart', grain USING ERRCODE = '22023';
    END IF;
END
$$;

CREATE FUNCTION api.rollup_open(grain text, series_ids int[], from_time timestamptz,
                                to_time timestamptz)
RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, last float8, last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner  CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    hour   CONSTANT timestamptz := date_bin('1 hour', closed,
                                            timestamptz '2000-01-01 00:00:00+00');
    shown  CONSTANT timestamptz := greatest(from_time, core.visible_from(grain));
BEGIN
    IF grain = '15m' THEN
        RETURN QUERY SELECT * FROM core.rollup_open_15m(owner, series_ids, closed, closed, shown,
                                                        to_time);
    ELSIF grain = '1h' THEN
        RETURN QUERY SELECT * FROM core.rollup_open_1h(owner, series_ids, hour, closed, shown,
                                                       to_time);
    ELSE
        RAISE EXCEPTION 'of "%" what is open is not kept apart', grain USING ERRCODE = '22023';
    END IF;
END
$$;

-- Longer buckets are asked for as before, closed or not.
CREATE OR REPLACE FUNCTION api.rollup_trace(grain text, series_ids int[], from_time timestamptz,
                                            to_time timestamptz)
RETURNS TABLE (series_id int, bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, last float8, last_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF grain = '1d' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1d(series_ids, from_time, to_time);
    ELSIF grain = '1w' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1w(series_ids, from_time, to_time);
    ELSIF grain = '1mo' THEN
        RETURN QUERY SELECT * FROM core.rollup_trace_1mo(series_ids, from_time, to_time);
    ELSE
        RAISE EXCEPTION 'there is no bucket "%" here', grain USING ERRCODE = '22023';
    END IF;
END
$$;
DROP FUNCTION core.rollup_trace_15m(int[], timestamptz, timestamptz),
    core.rollup_trace_1h(int[], timestamptz, timestamptz);

-- The samples of one of the tenant's series in [from_time, to_time), ascending, row_limit at most.
CREATE FUNCTION api.sample_trace(series_id int, from_time timestamptz, to_time timestamptz,
                                 row_limit int)
RETURNS TABLE ("time" timestamptz, value float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    shown CONSTANT timestamptz := greatest(from_time, core.visible_from('raw'));
BEGIN
    RETURN QUERY
    SELECT x.time, x.value
    FROM core.sample x
    WHERE x.tenant_id = owner AND x.series_id = sample_trace.series_id
      AND x.time >= shown AND x.time < to_time
    ORDER BY x.time
    LIMIT row_limit;
END
$$;

-- ---- events ----

-- The newest events, as before, first of all those of the last days: where these are enough, the
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
                since  timestamptz := greatest(start, least(stop, now()) - interval '7 days');
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

GRANT EXECUTE ON FUNCTION api.sample_trace(int, timestamptz, timestamptz, int), api.closed_stamp(), api.energy_closed(timestamptz, timestamptz),
    api.energy_open(), api.rollup_closed(text, int[], timestamptz, timestamptz),
    api.rollup_open(text, int[], timestamptz, timestamptz) TO tidemark_web, tidemark_read;
