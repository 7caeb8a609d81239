-- ---- other zones, other units; what retention takes ----

-- Queues series: their site's, tenant's or own zone is another, or their unit, kind or role.
CREATE FUNCTION core.recast_queue(tenant_ids int[], series_ids int[], is_reset boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.rollup_recast AS q (tenant_id, series_id, is_rezoned, is_reset)
    SELECT u.tenant_id, u.series_id, NOT recast_queue.is_reset, recast_queue.is_reset
    FROM unnest(tenant_ids, series_ids) AS u (tenant_id, series_id)
    ORDER BY 1, 2
    ON CONFLICT ON CONSTRAINT rollup_recast_pkey DO UPDATE
    SET is_rezoned = q.is_rezoned OR excluded.is_rezoned,
        is_reset = q.is_reset OR excluded.is_reset;
END
$$;

CREATE FUNCTION core.recast_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenants int[];
    series  int[];
BEGIN
    IF TG_TABLE_NAME = 'series' THEN
        PERFORM core.recast_queue(ARRAY[NEW.tenant_id], ARRAY[NEW.id], true);
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'device' THEN
        IF core.place_zone(NEW.tenant_id, OLD.site_id) = core.place_zone(NEW.tenant_id, NEW.site_id)
        THEN
            RETURN NULL;
        END IF;
        SELECT array_agg(x.tenant_id), array_agg(x.id) INTO tenants, series
        FROM core.series x WHERE x.tenant_id = NEW.tenant_id AND x.device_id = NEW.id;
    ELSIF TG_TABLE_NAME = 'site' THEN
        SELECT array_agg(x.tenant_id), array_agg(x.id) INTO tenants, series
        FROM core.device d
        JOIN core.series x ON x.tenant_id = d.tenant_id AND x.device_id = d.id
        WHERE d.tenant_id = NEW.tenant_id AND d.site_id = NEW.id;
    ELSE
        SELECT array_agg(x.tenant_id), array_agg(x.id) INTO tenants, series
        FROM core.device d
        JOIN core.series x ON x.tenant_id = d.tenant_id AND x.device_id = d.id
        WHERE d.tenant_id = NEW.id AND d.site_id IS NULL;
    END IF;
    PERFORM core.recast_queue(tenants, series, false);
    RETURN NULL;
END
$$;

-- The zone of a place: the site's, or the tenant's where there is no site.
CREATE FUNCTION core.place_zone(tenant_id int, site_id int) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT s.timezone FROM core.site s
                     WHERE s.tenant_id = place_zone.tenant_id AND s.id = place_zone.site_id),
                    (SELECT t.timezone FROM core.tenant t WHERE t.id = place_zone.tenant_id));
END
$$;

-- Derives the days, weeks and months of some of the queued series again, one for each thousand of
-- row_limit; how many rows. A series whose energy is to be another one goes alone, for that is made
-- of all its samples. Days whose quarter hours retention took keep the zone they were made in, and
-- the first one after them begins where they end.
CREATE FUNCTION core.rollup_recast_some(row_limit int) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    item   record;
    held   core.series_floor;
    head   timestamptz;
    grain  text;
    n_rows bigint := 0;
    n      bigint;
BEGIN
    FOR item IN
        DELETE FROM core.rollup_recast q
        USING (SELECT p.tenant_id, p.series_id FROM core.rollup_recast p
               ORDER BY NOT p.is_reset, 1, 2
               LIMIT CASE WHEN EXISTS (SELECT FROM core.rollup_recast r WHERE r.is_reset) THEN 1
                          ELSE ceil(row_limit / 1000.0) END) p
        WHERE q.tenant_id = p.tenant_id AND q.series_id = p.series_id
        RETURNING q.*
    LOOP
        IF item.is_reset THEN
            PERFORM core.derived_reset(ARRAY[item.tenant_id], ARRAY[item.series_id]);
        END IF;
        CONTINUE WHEN NOT item.is_rezoned;
        SELECT f.* INTO held FROM core.series_floor f
        WHERE f.tenant_id = item.tenant_id AND f.series_id = item.series_id;
        UPDATE core.series_floor f
        SET seam = greatest(f.seam, (
            SELECT date_bin('15 minutes', r.last_time, timestamptz '2000-01-01 00:00:00+00')
                   + interval '15 minutes'
            FROM core.rollup_1d r
            WHERE r.tenant_id = f.tenant_id AND r.series_id = f.series_id
              AND r.bucket < f.fine_from
            ORDER BY r.bucket DESC LIMIT 1))
        WHERE f.tenant_id = item.tenant_id AND f.series_id = item.series_id;
        head := core.rollup_head(item.tenant_id, item.series_id, '-infinity', closed);
        FOREACH grain IN ARRAY ARRAY['1d', '1w', '1mo'] LOOP
            EXECUTE format('DELETE FROM core.rollup_%s r WHERE r.tenant_id = $1'
                           ' AND r.series_id = $2 AND r.bucket >= $3', grain)
                USING item.tenant_id, item.series_id,
                      coalesce(CASE grain WHEN '1d' THEN held.fine_from ELSE held.day_from END,
                               '-infinity');
            GET DIAGNOSTICS n = ROW_COUNT;
            n_rows := n_rows + n;
            IF grain <> '1d' THEN
                SELECT r.bucket INTO head FROM core.rollup_1d r
                WHERE r.tenant_id = item.tenant_id AND r.series_id = item.series_id
                ORDER BY r.bucket LIMIT 1;
            END IF;
            CONTINUE WHEN head IS NULL;
            n_rows := n_rows + core.rollup_derive(grain, closed, ARRAY[item.tenant_id],
                                                  ARRAY[item.series_id], ARRAY[head],
                                                  ARRAY[closed]);
        END LOOP;
        PERFORM core.derived_rezone(ARRAY[item.tenant_id], ARRAY[item.series_id]);
    END LOOP;
    RETURN n_rows;
END
$$;

-- Whether changes of [since, before) are not derived yet, or earlier ones that a series' floor does
-- not cover; of one tenant, or of all (NULL).
CREATE FUNCTION core.floor_waits(floor text, since timestamptz, before timestamptz, of_tenant int)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.rollup_recast q
                   WHERE of_tenant IS NULL OR q.tenant_id = of_tenant)
        OR EXISTS (SELECT
                   FROM (SELECT d.tenant_id, d.series_id, d.from_time, d.to_time
                         FROM core.rollup_dirty d
                         UNION ALL
                         SELECT c.tenant_id, c.series_id, c.from_time, c.to_time
                         FROM core.change c, core.change_reader r
                         WHERE r.name = 'rollup' AND c.xid >= r.done_xid
                           AND pg_visible_in_snapshot(c.xid, r.seen) IS NOT TRUE) p
                   LEFT JOIN core.series_floor f
                       ON f.tenant_id = p.tenant_id AND f.series_id = p.series_id
                   WHERE p.from_time < before AND (of_tenant IS NULL OR p.tenant_id = of_tenant)
                     AND p.to_time >= least(since, coalesce(
                             CASE floor WHEN 'raw_from' THEN f.raw_from
                                        WHEN 'fine_from' THEN f.fine_from
                                        ELSE f.day_from END, '-infinity')));
END
$$;

-- Called before samples ('raw'), quarter hours and hours ('fine') or days, weeks and months ('day')
-- of [since, before) are dropped, in the same transaction; of one tenant, or of all (NULL). From
-- then on what was made of them stays as it is. What is not derived yet of that time is, as far as
-- one step goes: whoever sends old readings all the time shall not keep it from being dropped.
-- False: some is left, and nothing may be dropped. What came since below the floor is whole, and
-- neither waited for nor sealed.
CREATE FUNCTION core.floor_raise(source text, before timestamptz, of_tenant int DEFAULT NULL,
                                 since timestamptz DEFAULT '-infinity')
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    raised CONSTANT text := CASE source WHEN 'raw' THEN 'raw_from' WHEN 'fine' THEN 'fine_from'
                                        WHEN 'day' THEN 'day_from' END;
    -- buckets that are made of it
    grains CONSTANT text[] := CASE source WHEN 'raw' THEN '{15m}' WHEN 'fine' THEN '{1h,1d}'
                                          ELSE '{1w,1mo}' END;
    row_limit CONSTANT int := 20000;
    -- the first bucket that is made of it may begin so much earlier
    head CONSTANT timestamptz := since - CASE source WHEN 'raw' THEN interval '0'
                                                     WHEN 'fine' THEN interval '27 hours'
                                                     ELSE interval '32 days' END;
BEGIN
    IF raised IS NULL THEN
        RAISE EXCEPTION 'there is no floor "%"', source USING ERRCODE = '22023';
    END IF;
    PERFORM core.rollup_lock();
    IF before > (SELECT s.closed_until FROM core.rollup_state s) THEN
        RETURN false;
    END IF;
    IF core.floor_waits(raised, head, before, of_tenant) THEN
        PERFORM core.rollup_gather(), core.rollup_recast_some(row_limit),
                core.rollup_work_off(row_limit, before);
        IF core.floor_waits(raised, head, before, of_tenant) THEN
            RETURN false;
        END IF;
    END IF;
    EXECUTE format('INSERT INTO core.series_floor AS f (tenant_id, series_id, %1$I)'
                   ' SELECT x.tenant_id, x.id, $1 FROM core.series x'
                   ' WHERE $2 IS NULL OR x.tenant_id = $2 ORDER BY 1, 2'
                   ' ON CONFLICT (tenant_id, series_id) DO UPDATE SET %1$I = excluded.%1$I'
                   ' WHERE f.%1$I < excluded.%1$I', raised) USING before, of_tenant;
    DELETE FROM core.rollup_reopened o
    WHERE o.grain = ANY (grains) AND o.bucket >= head AND o.bucket < before
      AND (of_tenant IS NULL OR o.tenant_id = of_tenant);
    RETURN true;
END
$$;
GRANT EXECUTE ON FUNCTION core.floor_raise(text, timestamptz, int, timestamptz), core.recast_trigger()
    TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER recast AFTER UPDATE OF timezone ON core.tenant FOR EACH ROW
    WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION core.recast_trigger();
CREATE TRIGGER recast AFTER UPDATE OF timezone ON core.site FOR EACH ROW
    WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION core.recast_trigger();
CREATE TRIGGER recast AFTER UPDATE OF site_id ON core.device FOR EACH ROW
    WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id) EXECUTE FUNCTION core.recast_trigger();
CREATE TRIGGER recast AFTER UPDATE OF unit, kind, role ON core.series FOR EACH ROW
    WHEN ((OLD.unit, OLD.kind, OLD.role) IS DISTINCT FROM (NEW.unit, NEW.kind, NEW.role))
    EXECUTE FUNCTION core.recast_trigger();
