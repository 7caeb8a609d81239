-- The ledger of costs: what each billing account pays, by local day, charge, period, tier and
-- version of its schedule, exactly; made by the worker, read by whoever asks for days or bills.
--
-- A place is a site with all its devices, or the tenant's devices that are at none (site_id 0).
-- Its accounts are the place itself (device_id 0) and the devices that get a bill of their own.
-- Whatever changes energy, schedules, assignments, prices or places says so in core.cost_dirty in
-- its own transaction; the worker takes these notes away in the one in which it rates again. So a
-- day that is in the ledger and under no note is what working it out anew would come to.
--
-- Plain tables: an account has five lines a day or so, 13,000 in seven years, which are rewritten
-- whenever a cycle is rated again, and rows of tables without a time dimension can be kept apart
-- by row-level security, which hypertables with a columnstore cannot.

CREATE TABLE core.cost_dirty (
    tenant_id int NOT NULL,
    site_id   int NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    from_time timestamptz NOT NULL,                 -- local days that lie in it or touch it
    to_time   timestamptz NOT NULL,
    is_energy boolean NOT NULL,                     -- false: quarter hours are what they were
    is_move   boolean NOT NULL DEFAULT false,       -- a device came or went
    PRIMARY KEY (tenant_id, site_id, id),
    CHECK (from_time < to_time)
);
CREATE INDEX cost_dirty_moves ON core.cost_dirty (id) WHERE is_move;
SELECT core.protect('core.cost_dirty', 'tenant_id');

-- Places that were rated.
CREATE TABLE core.cost_place (
    tenant_id   int NOT NULL,
    site_id     int NOT NULL,
    first_time  timestamptz NOT NULL,               -- its energy begins
    rated_from  timestamptz NOT NULL,               -- the last day's end, of accounts the earliest
    rated_until timestamptz NOT NULL,               -- the latest
    due_at      timestamptz NOT NULL,               -- the next day of some account ends
    PRIMARY KEY (tenant_id, site_id)
);
CREATE INDEX cost_place_due ON core.cost_place (due_at);
SELECT core.protect('core.cost_place', 'tenant_id');

-- Which days are rated, and what an account's energy is on them.
CREATE TABLE core.cost_day (
    tenant_id   int NOT NULL,
    site_id     int NOT NULL,
    device_id   int NOT NULL,
    day         date NOT NULL,                      -- of the zone
    zone        text NOT NULL,                      -- the schedule's, else the site's
    from_time   timestamptz NOT NULL,
    to_time     timestamptz NOT NULL,
    currency    text,                               -- NULL: no schedule was in force
    import_nkwh numeric NOT NULL,
    export_nkwh numeric NOT NULL,
    cost        numeric NOT NULL,
    exported    numeric NOT NULL,                   -- of it, what is paid for what is fed in
    once        numeric NOT NULL,                   -- of it, demand, minimums, charges on a date
    by_period   jsonb NOT NULL,                     -- [{period, title, nkwh, atto}], as texts
    is_known    boolean NOT NULL,                   -- something is known of it, or costs something
    is_priced   boolean NOT NULL,                   -- a schedule is in force
    is_final    boolean NOT NULL,                   -- nothing of it is missing or without a price
    is_partly   boolean NOT NULL,                   -- one of several meters is silent
    n_missing   int NOT NULL,                       -- quarter hours
    imports     bigint[] NOT NULL,                  -- nano-kWh of each quarter hour
    exports     bigint[] NOT NULL,
    known       bytea NOT NULL,                     -- a byte each: 0 missing, 1 partly, 2 whole
    rated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, site_id, device_id, day)
);
SELECT core.protect('core.cost_day', 'tenant_id');

-- The lines: what of a day costs how much, and by which version's which charge.
CREATE TABLE core.cost_calculation (
    tenant_id   int NOT NULL,
    site_id     int NOT NULL,
    device_id   int NOT NULL,
    day         date NOT NULL,
    line        int NOT NULL,                       -- 0, 1, … in the order of the bill
    schedule_id int NOT NULL,
    version     int NOT NULL,
    charge_no   int NOT NULL,                       -- from 0, in the version's document
    charge      text NOT NULL,                      -- its code
    season      int NOT NULL,                       -- number in the document; -1: none
    period_no   int NOT NULL,
    period      text,                               -- NULL: none
    tier        int NOT NULL,                       -- from 0; -1: there is one price
    quantity    bigint NOT NULL,                    -- nano-kWh, nano-kW or billionths of one
    rate        bigint NOT NULL,                    -- billionths
    has_one_rate boolean NOT NULL,
    n_days      int NOT NULL,
    of_days     int NOT NULL,
    amount      numeric NOT NULL,
    at          timestamptz,                        -- demand: when
    n_unpriced  int NOT NULL,
    PRIMARY KEY (tenant_id, site_id, device_id, day, line)
);
SELECT core.protect('core.cost_calculation', 'tenant_id');

-- ---- notes ----

SET LOCAL ROLE tidemark_door;

-- The series' energy is another in [from, to) of each. Parallel arrays. Whatever writes
-- core.energy_15m calls it in the same transaction, afterwards.
CREATE FUNCTION core.cost_touch(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
    SELECT m.tenant_id, m.site_id, lower(m.span), upper(m.span), true
    FROM (SELECT u.tenant_id, coalesce(d.site_id, 0) AS site_id,
                 unnest(range_agg(tstzrange(u.from_time, u.to_time))) AS span
          FROM unnest(tenant_ids, series_ids, from_times, to_times)
               AS u (tenant_id, series_id, from_time, to_time)
          JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
          JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id
          WHERE u.from_time < u.to_time
          GROUP BY 1, 2) m
    WHERE NOT isempty(m.span);
END
$$;

-- A tenant's place is to be rated again.
CREATE FUNCTION core.cost_note(home int, sites int[], from_time timestamptz, to_time timestamptz,
                               is_energy boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
    SELECT home, p.id, cost_note.from_time, cost_note.to_time, cost_note.is_energy
    FROM unnest(sites) AS p (id)
    WHERE cost_note.from_time < cost_note.to_time;
END
$$;

-- A place has no energy any more.
CREATE FUNCTION core.cost_erase(home int, of_site int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.cost_place x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_day x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_calculation x WHERE x.tenant_id = home AND x.site_id = of_site;
END
$$;

-- The places where an assignment to a site, a device or (both NULL) the tenant holds. A device does
-- not move until the transaction ends, so that its note is there where it moves to.
CREATE FUNCTION core.cost_places(home int, of_site int, of_device int) RETURNS int[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN of_site IS NOT NULL THEN ARRAY[of_site]
        WHEN of_device IS NOT NULL THEN ARRAY(
            SELECT coalesce(d.site_id, 0) FROM core.device d
            WHERE d.tenant_id = home AND d.id = of_device
            FOR SHARE)
        ELSE ARRAY(SELECT s.id FROM core.site s WHERE s.tenant_id = home) || 0 END;
END
$$;

-- A local day of any zone begins within fourteen hours of UTC's.
CREATE FUNCTION core.cost_day_time(day date, is_end boolean) RETURNS timestamptz
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN day = 'infinity' THEN 'infinity' WHEN day = '-infinity' THEN '-infinity'
           ELSE (day + CASE WHEN is_end THEN interval '1 day' ELSE interval '-1 day' END)
                AT TIME ZONE 'UTC' END::timestamptz
$$;

-- What a schedule says of these days is another, wherever it holds.
CREATE FUNCTION core.cost_note_schedule(home int, of_schedule int, from_time timestamptz,
                                        to_time timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.cost_note(home, core.cost_places(home, a.site_id, a.device_id),
                           greatest(cost_note_schedule.from_time,
                                    core.cost_day_time(a.from_day, false)),
                           least(cost_note_schedule.to_time, core.cost_day_time(a.to_day, true)),
                           false)
    FROM core.rate_assignment a
    WHERE a.tenant_id = home AND a.schedule_id = of_schedule AND a.known_until IS NULL;
END
$$;

CREATE FUNCTION core.cost_rates_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'rate_version' THEN
        PERFORM core.cost_note_schedule(NEW.tenant_id, NEW.schedule_id,
                                        core.cost_day_time(NEW.from_day, false),
                                        core.cost_day_time(NEW.to_day, true));
    ELSIF NEW.device_id IS NOT NULL THEN
        -- the device becomes an account of its own, or is none any more
        PERFORM core.cost_note(NEW.tenant_id,
                               core.cost_places(NEW.tenant_id, NEW.site_id, NEW.device_id),
                               '-infinity', 'infinity', true);
    ELSE
        PERFORM core.cost_note(NEW.tenant_id,
                               core.cost_places(NEW.tenant_id, NEW.site_id, NEW.device_id),
                               core.cost_day_time(NEW.from_day, false),
                               core.cost_day_time(NEW.to_day, true), false);
    END IF;
    RETURN NULL;
END
$$;

-- Prices are others as far as they go, and as those went that they replace or cut short.
CREATE FUNCTION core.cost_prices_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.cost_note_schedule(
        a.tenant_id, a.schedule_id, a.first_time,
        (SELECT max(p.to_time) FROM core.rate_price p
         WHERE p.tenant_id = a.tenant_id AND p.schedule_id = a.schedule_id AND p.series = a.series
           AND p.from_time <= a.last_time
           AND p.from_time >= coalesce(
               (SELECT max(b.from_time) FROM core.rate_price b
                WHERE b.tenant_id = a.tenant_id AND b.schedule_id = a.schedule_id
                  AND b.series = a.series AND b.from_time < a.first_time), a.first_time)))
    FROM (SELECT n.tenant_id, n.schedule_id, n.series, min(n.from_time) AS first_time,
                 max(n.from_time) AS last_time
          FROM added n
          GROUP BY n.tenant_id, n.schedule_id, n.series) a;
    RETURN NULL;
END
$$;

-- Where days begin is another, or which devices and series are where, or what they are.
CREATE FUNCTION core.cost_place_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'tenant' THEN
        PERFORM core.cost_note(NEW.id, '{0}', '-infinity', 'infinity', true);
    ELSIF TG_TABLE_NAME = 'site' AND TG_OP = 'DELETE' THEN
        DELETE FROM core.cost_dirty x WHERE x.tenant_id = OLD.tenant_id AND x.site_id = OLD.id;
        PERFORM core.cost_erase(OLD.tenant_id, OLD.id);
    ELSIF TG_TABLE_NAME = 'site' THEN
        PERFORM core.cost_note(NEW.tenant_id, ARRAY[NEW.id], '-infinity', 'infinity', true);
    ELSIF TG_TABLE_NAME = 'series' THEN
        PERFORM core.cost_note(NEW.tenant_id,
                               core.cost_places(NEW.tenant_id, NULL, NEW.device_id),
                               '-infinity', 'infinity', true);
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM core.cost_note(OLD.tenant_id, ARRAY[coalesce(OLD.site_id, 0)],
                               '-infinity', 'infinity', true);
    ELSE
        -- what is derived meanwhile notes the former place alone: ops.cost_take waits for it, as
        -- ingest, which places devices too, must not
        INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy, is_move)
        SELECT NEW.tenant_id, coalesce(p.id, 0), '-infinity', 'infinity', true, true
        FROM unnest(ARRAY[OLD.site_id, NEW.site_id]) AS p (id);
    END IF;
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION core.is_metered(int, int), core.cost_rates_trigger(), core.cost_prices_trigger(),
    core.cost_place_trigger() TO tidemark_owner;

-- As before, and it notes what it touched.
CREATE OR REPLACE FUNCTION core.energy_derive(tenant_ids int[], series_ids int[],
                                              from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    gone   record;
BEGIN
    SELECT array_agg(u.tenant_id), array_agg(u.series_id),
           array_agg(greatest(u.from_time, core.energy_since())), array_agg(u.to_time)
    INTO tenant_ids, series_ids, from_times, to_times
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE u.to_time > core.energy_since();
    -- by year, as what lies between is not touched
    PERFORM core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',
                                      min(u.from_time) - interval '27 hours', max(u.to_time))
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE EXISTS (SELECT FROM core.sample x
                  WHERE x.tenant_id = u.tenant_id AND x.series_id = u.series_id
                    AND x.time >= u.from_time AND x.time < u.to_time)
       OR core.is_metered(u.tenant_id, u.series_id)
    GROUP BY date_trunc('year', u.from_time);
    WITH ranges AS MATERIALIZED (
        SELECT u.*, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale,
               core.energy_floor(u.tenant_id, u.series_id, s.kind) AS floor,
               least(closed, core.energy_stop(u.tenant_id, u.series_id, s.kind, u.to_time))
                   AS stop
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
        JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
    ), fresh AS (
        SELECT r.tenant_id, r.series_id, p.bucket, p.nkwh
        FROM ranges r
        CROSS JOIN LATERAL core.energy_parts(r.tenant_id, r.series_id, r.kind, r.scale,
                                             r.from_time, r.stop) p
        WHERE r.scale IS NOT NULL AND p.bucket >= r.from_time AND p.bucket < r.to_time
    ), kept AS (
        SELECT r.tenant_id, r.series_id, e.bucket, e.nkwh, e.bucket < r.floor AS is_below
        FROM ranges r
        CROSS JOIN LATERAL (
            SELECT e.bucket, e.nkwh FROM core.energy_15m e
            WHERE e.tenant_id = r.tenant_id AND e.series_id = r.series_id
              AND e.bucket >= r.from_time AND e.bucket < r.to_time) e
    ), other AS MATERIALIZED (
        SELECT tenant_id, series_id, bucket, f.nkwh
        FROM fresh f FULL JOIN kept k USING (tenant_id, series_id, bucket)
        WHERE f.nkwh IS DISTINCT FROM k.nkwh
          AND (NOT coalesce(k.is_below, false)
               OR (f.nkwh IS NOT NULL
                   AND EXISTS (SELECT FROM core.rollup_reopened o
                               WHERE o.tenant_id = k.tenant_id AND o.series_id = k.series_id
                                 AND o.grain = '15m' AND o.bucket = k.bucket)))
    ), written AS (
        INSERT INTO core.energy_15m AS e (tenant_id, series_id, bucket, nkwh)
        SELECT o.tenant_id, o.series_id, o.bucket, o.nkwh
        FROM other o WHERE o.nkwh IS NOT NULL
        ORDER BY o.tenant_id, o.series_id, o.bucket
        ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    )
    SELECT array_agg(o.tenant_id) AS tenants, array_agg(o.series_id) AS series,
           array_agg(o.bucket) AS buckets
    INTO gone
    FROM other o WHERE o.nkwh IS NULL;
    PERFORM core.energy_remove('core.energy_15m', gone.tenants, gone.series, gone.buckets);
    PERFORM core.energy_days(tenant_ids, series_ids, from_times, to_times);
    PERFORM core.cost_touch(tenant_ids, series_ids, from_times, to_times);
END
$$;

-- As before, and it notes what it touched.
CREATE OR REPLACE FUNCTION core.energy_add(from_time timestamptz, to_time timestamptz,
                                           reach interval) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched record;
BEGIN
    WITH parts AS MATERIALIZED (
        SELECT s.tenant_id, s.id AS series_id, p.bucket, p.nkwh
        FROM core.series s
        CROSS JOIN LATERAL core.energy_parts(
            s.tenant_id, s.id, s.kind, core.energy_scale(s.unit, s.kind, s.role),
            energy_add.from_time, energy_add.to_time, energy_add.reach) p
        WHERE core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
    ), quarters AS (
        INSERT INTO core.energy_15m AS e (tenant_id, series_id, bucket, nkwh)
        SELECT p.tenant_id, p.series_id, p.bucket, p.nkwh
        FROM parts p
        ORDER BY p.tenant_id, p.series_id, p.bucket
        ON CONFLICT (tenant_id, series_id, bucket)
        DO UPDATE SET nkwh = core.energy_bound(e.nkwh::numeric + excluded.nkwh)
    ), days AS (
        INSERT INTO core.energy_1d AS e (tenant_id, series_id, bucket, nkwh)
        SELECT p.tenant_id, p.series_id, core.local_start('day', p.bucket, z.zone),
               core.energy_bound(sum(p.nkwh))
        FROM parts p
        JOIN (SELECT s.tenant_id, s.series_id, core.series_zone(s.tenant_id, s.series_id) AS zone
              FROM (SELECT DISTINCT p.tenant_id, p.series_id FROM parts p) s) z
             USING (tenant_id, series_id)
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        ON CONFLICT (tenant_id, series_id, bucket)
        DO UPDATE SET nkwh = core.energy_bound(e.nkwh::numeric + excluded.nkwh)
    )
    SELECT array_agg(t.tenant_id) AS tenants, array_agg(t.series_id) AS series,
           array_agg(t.since) AS froms, array_agg(t.until) AS tos
    INTO touched
    FROM (SELECT p.tenant_id, p.series_id, min(p.bucket) AS since,
                 max(p.bucket) + interval '15 minutes' AS until
          FROM parts p GROUP BY 1, 2) t;
    PERFORM core.cost_touch(touched.tenants, touched.series, touched.froms, touched.tos);
END
$$;

-- Everything there is has to be rated once.
INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT t.id, unnest(core.cost_places(t.id, NULL, NULL)), '-infinity', 'infinity', true
FROM core.tenant t;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER cost AFTER INSERT ON core.rate_version FOR EACH ROW
    EXECUTE FUNCTION core.cost_rates_trigger();
CREATE TRIGGER cost AFTER INSERT OR UPDATE OF known_until ON core.rate_assignment FOR EACH ROW
    EXECUTE FUNCTION core.cost_rates_trigger();
CREATE TRIGGER cost AFTER INSERT ON core.rate_price REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION core.cost_prices_trigger();
CREATE TRIGGER cost AFTER UPDATE OF timezone ON core.tenant FOR EACH ROW
    WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION core.cost_place_trigger();
CREATE TRIGGER cost AFTER UPDATE OF timezone ON core.site FOR EACH ROW
    WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION core.cost_place_trigger();
CREATE TRIGGER cost_gone AFTER DELETE ON core.site FOR EACH ROW
    EXECUTE FUNCTION core.cost_place_trigger();
CREATE TRIGGER cost AFTER UPDATE OF site_id ON core.device FOR EACH ROW
    WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id) EXECUTE FUNCTION core.cost_place_trigger();
CREATE TRIGGER cost_gone AFTER DELETE ON core.device FOR EACH ROW
    EXECUTE FUNCTION core.cost_place_trigger();
CREATE TRIGGER cost AFTER UPDATE OF unit, kind, role ON core.series FOR EACH ROW
    WHEN ((OLD.unit, OLD.kind, OLD.role) IS DISTINCT FROM (NEW.unit, NEW.kind, NEW.role))
    EXECUTE FUNCTION core.cost_place_trigger();
