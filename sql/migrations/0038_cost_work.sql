-- The ledger of costs at work: what readers see of it, and how the worker takes places.

-- ---- reading ----

-- Since when the tenant's places, by the key of their site (NULL: that of devices at none), are not
-- as the ledger has them in [from_time, to_time): `dirty_from`; and not as its quarter hours are:
-- `energy_from`. Neither is what is not closed, nor where a counter's step that is not closed
-- reaches. Before first_time the place has no energy where neither says otherwise.
CREATE FUNCTION api.cost_places(from_time timestamptz, to_time timestamptz)
RETURNS TABLE (site text, first_time timestamptz, dirty_from timestamptz, energy_from timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    home   CONSTANT int := core.tenant();
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
BEGIN
    RETURN QUERY
    SELECT s.key, p.first_time, least(p.rated_until, d.noted, o.began),
           least(closed - interval '1 hour', d.told, o.began)
    FROM core.cost_place p
    LEFT JOIN core.site s ON s.tenant_id = p.tenant_id AND s.id = p.site_id
    LEFT JOIN LATERAL (
        SELECT min(greatest(x.from_time, from_time)) AS noted,
               min(greatest(x.from_time, from_time)) FILTER (WHERE x.is_energy) AS told
        FROM core.cost_dirty x
        WHERE x.tenant_id = p.tenant_id AND x.site_id = p.site_id
          AND x.from_time < to_time AND x.to_time > from_time) d ON true
    LEFT JOIN LATERAL (
        SELECT min(b.time) AS began
        FROM core.device v
        JOIN core.series c ON c.tenant_id = v.tenant_id AND c.device_id = v.id
        CROSS JOIN LATERAL core.cost_step(p.tenant_id, c.id, closed) AS b (time)
        WHERE v.tenant_id = p.tenant_id AND coalesce(v.site_id, 0) = p.site_id
          AND c.kind = 'counter' AND c.role <> 'none') o ON true
    WHERE p.tenant_id = home AND (s.id IS NOT NULL OR p.site_id = 0);
END
$$;

-- Where the counter's step begins that ends from `closed` on; NULL: there is none.
CREATE FUNCTION core.cost_step(owner int, series int, closed timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    since CONSTANT timestamptz := closed - core.energy_longest('counter');
BEGIN
    IF core.is_metered(owner, series) THEN
        RETURN (SELECT l.at FROM core.meter_last(owner, series, 'counter', closed, since) l
                WHERE EXISTS (SELECT FROM core.meter_first(owner, series, 'counter', closed,
                                                           'infinity')));
    ELSIF EXISTS (SELECT FROM core.sample x
                  WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= closed) THEN
        RETURN (SELECT x.time FROM core.sample x
                WHERE x.tenant_id = owner AND x.series_id = series AND x.time < closed
                  AND x.time >= since
                ORDER BY x.time DESC LIMIT 1);
    END IF;
    RETURN NULL;
END
$$;

-- An account of the tenant: the place of a site (NULL: of devices at none), or a device there.
CREATE FUNCTION core.cost_account(home int, of_site text, of_device text, OUT site_id int,
                                  OUT device_id int)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    site_id := CASE WHEN of_site IS NULL THEN 0 ELSE (
        SELECT s.id FROM core.site s WHERE s.tenant_id = home AND s.key = of_site) END;
    device_id := CASE WHEN of_device IS NULL THEN 0 ELSE (
        SELECT d.id FROM core.device d WHERE d.tenant_id = home AND d.key = of_device) END;
END
$$;

-- An account's rated days in [first_day, end_day), ascending; quarter hours of those from
-- quarters_day on.
CREATE FUNCTION api.cost_days(of_site text, of_device text, first_day date, end_day date,
                              quarters_day date)
RETURNS TABLE (day date, zone text, from_time timestamptz, to_time timestamptz, currency text,
               import_nkwh numeric, export_nkwh numeric, cost numeric, exported numeric,
               once numeric, by_period jsonb, is_known boolean, is_priced boolean,
               is_final boolean, is_partly boolean, n_missing int,
               imports bigint[], exports bigint[], known bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    home    CONSTANT int := core.tenant();
    account CONSTANT record := core.cost_account(home, of_site, of_device);
BEGIN
    RETURN QUERY
    SELECT c.day, c.zone, c.from_time, c.to_time, c.currency, c.import_nkwh, c.export_nkwh,
           c.cost, c.exported, c.once, c.by_period, c.is_known, c.is_priced, c.is_final,
           c.is_partly, c.n_missing,
           CASE WHEN c.day >= quarters_day THEN c.imports END,
           CASE WHEN c.day >= quarters_day THEN c.exports END,
           CASE WHEN c.day >= quarters_day THEN c.known END
    FROM core.cost_day c
    WHERE c.tenant_id = home AND c.site_id = account.site_id
      AND c.device_id = account.device_id AND c.day >= first_day AND c.day < end_day
    ORDER BY c.day;
END
$$;

-- An account's lines of [first_day, end_day), in their order.
CREATE FUNCTION api.cost_lines(of_site text, of_device text, first_day date, end_day date)
RETURNS SETOF core.cost_calculation
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    home    CONSTANT int := core.tenant();
    account CONSTANT record := core.cost_account(home, of_site, of_device);
BEGIN
    RETURN QUERY
    SELECT c.* FROM core.cost_calculation c
    WHERE c.tenant_id = home AND c.site_id = account.site_id
      AND c.device_id = account.device_id AND c.day >= first_day AND c.day < end_day
    ORDER BY c.day, c.line;
END
$$;

-- The prices of the tenant's schedule's series that hold in [from_time, to_time), ascending, as
-- they were known at a time: those that begin in it, and the last before. As many as row_limit.
CREATE FUNCTION api.rate_prices_over(of_schedule int, of_series text, first_time timestamptz,
                                     end_time timestamptz, known_at timestamptz, row_limit int)
RETURNS TABLE (from_time timestamptz, to_time timestamptz, nano_rate bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    head CONSTANT timestamptz := (
        SELECT p.from_time FROM core.rate_price p
        WHERE p.tenant_id = home AND p.schedule_id = of_schedule AND p.series = of_series
          AND p.from_time < first_time AND p.known_since <= known_at
        ORDER BY p.from_time DESC LIMIT 1);
BEGIN
    RETURN QUERY
    SELECT p.from_time, p.to_time, p.nano_rate
    FROM core.rate_prices(home, of_schedule, of_series, coalesce(head, first_time), end_time,
                          known_at) p
    LIMIT row_limit;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.rate_prices_over(int, text, timestamptz, timestamptz, timestamptz, int)
    TO tidemark_web, tidemark_read, tidemark_worker;

-- ---- rating ----

GRANT EXECUTE ON FUNCTION core.cost_account(int, text, text) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- Waits for what is being derived; what begins later does so after this.
CREATE FUNCTION core.rollup_await() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    turn CONSTANT bigint := hashtextextended('tidemark.rollup', 0);   -- core.rollup_lock's
BEGIN
    PERFORM pg_advisory_lock(turn);
    PERFORM pg_advisory_unlock(turn);
END
$$;

-- Takes the next place behind a tenant's place, in the order of their numbers, that nobody else is
-- at and that is to be rated again, with its notes: from when, since when its quarter hours are
-- others (infinity: nowhere), until when. No row: there is none. Notes of what is not in the ledger
-- yet are done with; after many a place of which there were none but such, it is answered without
-- times, for the next call to begin behind it. The place is held until the transaction ends; whoever
-- dies there leaves the notes. A device that moved may have been derived by somebody who saw it where
-- it was: whoever may have is waited for, before anything is held.
CREATE FUNCTION ops.cost_take(after_tenant int, after_site int)
RETURNS TABLE (tenant_id int, site_id int, site text, from_time timestamptz, to_time timestamptz,
               energy_from timestamptz, energy_to timestamptz, first_time timestamptz,
               settled_until timestamptz, kept_from timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- power is known up to an hour before the first reading that is not closed
    closed CONSTANT timestamptz := (SELECT s.closed_until - interval '1 hour'
                                    FROM core.rollup_state s);
    since  CONSTANT timestamptz := core.energy_since();
    most   CONSTANT int := 500;             -- places that are held at once
    moves  CONSTANT bigint[] := ARRAY(SELECT d.id FROM core.cost_dirty d WHERE d.is_move);
    n      int := 0;
    item   record;
    place  core.cost_place;
    notes  record;
    head   timestamptz;
BEGIN
    IF moves <> '{}' THEN
        PERFORM core.rollup_await();
    END IF;
    FOR item IN
        SELECT w.tenant_id, w.site_id
        FROM ((SELECT DISTINCT d.tenant_id, d.site_id FROM core.cost_dirty d
               WHERE (d.tenant_id, d.site_id) > (after_tenant, after_site)
               ORDER BY d.tenant_id, d.site_id LIMIT most)
              UNION
              (SELECT p.tenant_id, p.site_id FROM core.cost_place p
               WHERE (p.tenant_id, p.site_id) > (after_tenant, after_site)
                 AND p.due_at <= closed
               ORDER BY p.tenant_id, p.site_id LIMIT most)) w
        ORDER BY w.tenant_id, w.site_id LIMIT most
    LOOP
        n := n + 1;
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(
            hashtextextended(format('tidemark.cost.%s.%s', item.tenant_id, item.site_id), 0));
        WITH gone AS (
            DELETE FROM core.cost_dirty d
            WHERE d.tenant_id = item.tenant_id AND d.site_id = item.site_id
              AND (NOT d.is_move OR d.id = ANY (moves))
            RETURNING d.from_time, d.to_time, d.is_energy
        )
        SELECT min(g.from_time) AS since, max(g.to_time) AS until,
               coalesce(min(g.from_time) FILTER (WHERE g.is_energy), 'infinity') AS energy_since,
               coalesce(max(g.to_time) FILTER (WHERE g.is_energy), '-infinity') AS energy_until
        INTO notes FROM gone g;
        SELECT * INTO place FROM core.cost_place p
        WHERE p.tenant_id = item.tenant_id AND p.site_id = item.site_id;
        IF place.due_at <= closed THEN
            -- the last cycle goes on
            notes.since := least(notes.since, place.rated_from - interval '1 microsecond');
            notes.until := 'infinity';
        END IF;
        CONTINUE WHEN notes.since IS NULL OR notes.since >= place.rated_until;
        head := CASE WHEN place.first_time <= notes.since THEN place.first_time
                     ELSE core.cost_head(item.tenant_id, item.site_id) END;
        site := (SELECT s.key FROM core.site s
                 WHERE s.tenant_id = item.tenant_id AND s.id = item.site_id);
        IF head IS NULL OR (item.site_id <> 0 AND site IS NULL) THEN
            PERFORM core.cost_erase(item.tenant_id, item.site_id);
            CONTINUE;
        END IF;
        tenant_id := item.tenant_id;
        site_id := item.site_id;
        first_time := least(head, place.first_time);
        from_time := CASE WHEN head < place.first_time THEN head
                          ELSE greatest(notes.since, first_time) END;
        to_time := notes.until;
        energy_from := notes.energy_since;
        energy_to := notes.energy_until;
        settled_until := closed;
        kept_from := since;
        RETURN NEXT;
        RETURN;
    END LOOP;
    IF n = most THEN
        tenant_id := item.tenant_id;
        site_id := item.site_id;
        RETURN NEXT;
    END IF;
END
$$;

-- Whether the ledger has days of the account, from a day on, that are another zone's.
CREATE FUNCTION ops.cost_is_rezoned(of_site text, of_device text, of_zone text, first_day date)
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home    CONSTANT int := core.tenant();
    account CONSTANT record := core.cost_account(home, of_site, of_device);
BEGIN
    RETURN EXISTS (SELECT FROM core.cost_day c
                   WHERE c.tenant_id = home AND c.site_id = account.site_id
                     AND c.device_id = account.device_id AND c.day >= first_day
                     AND c.zone <> of_zone);
END
$$;

-- When a place's energy begins; NULL: it has none.
CREATE FUNCTION core.cost_head(home int, of_site int) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT min(h.bucket)
            FROM core.device d
            JOIN core.series s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
            CROSS JOIN LATERAL (SELECT e.bucket FROM core.energy_15m e
                                WHERE e.tenant_id = s.tenant_id AND e.series_id = s.id
                                ORDER BY e.bucket LIMIT 1) h
            WHERE d.tenant_id = home AND coalesce(d.site_id, 0) = of_site
              AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL);
END
$$;

-- The rest of what was taken, for the next turn.
CREATE FUNCTION ops.cost_leave(of_site text, from_time timestamptz, to_time timestamptz,
                               energy_from timestamptz, energy_to timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    site CONSTANT int := (core.cost_account(home, of_site, NULL)).site_id;
BEGIN
    PERFORM core.cost_note(home, ARRAY[site], cost_leave.from_time, cost_leave.to_time, false);
    PERFORM core.cost_note(home, ARRAY[site],
                           greatest(cost_leave.energy_from, cost_leave.from_time),
                           cost_leave.energy_to, true);
END
$$;

-- Whether some place is to be rated again.
CREATE FUNCTION ops.cost_is_due() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.cost_dirty)
        OR EXISTS (SELECT FROM core.cost_place p, core.rollup_state s
                   WHERE p.due_at <= s.closed_until - interval '1 hour');
END
$$;

-- Forgets days that are past keeping, some at a time; how many rows.
CREATE FUNCTION ops.cost_prune() RETURNS bigint
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
    DELETE FROM core.cost_day c
    WHERE c.ctid = ANY (ARRAY(SELECT p.ctid FROM core.cost_day p WHERE p.day < before LIMIT 10000));
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN removed + n;
END
$$;

GRANT EXECUTE ON FUNCTION ops.cost_take(int, int), ops.cost_is_due(), ops.cost_prune(),
    ops.cost_is_rezoned(text, text, text, date),
    ops.cost_leave(text, timestamptz, timestamptz, timestamptz, timestamptz)
    TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;

-- Opens a run of a job that several workers may run at once, each at something else. Runs whose
-- connection is gone are ended.
CREATE FUNCTION ops.job_join(job text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_id bigint;
BEGIN
    UPDATE ops.job_run r
    SET finished_at = clock_timestamp(), is_ok = false, detail = 'never finished'
    WHERE r.name = job AND r.finished_at IS NULL
      AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = r.pid);
    INSERT INTO ops.job_run (name, started_at, pid)
    VALUES (job, clock_timestamp(), pg_backend_pid())
    RETURNING id INTO new_id;
    RETURN new_id;
END
$$;

GRANT EXECUTE ON FUNCTION ops.job_join(text) TO tidemark_worker;

-- The worker rates as the tenant that the place is of.
GRANT SELECT ON api.rate_version TO tidemark_worker;
GRANT EXECUTE ON FUNCTION api.energy_meters(text, text, timestamptz),
    api.energy_quarters(int[], timestamptz, timestamptz),
    api.rate_applied(text, text, date, date, timestamptz),
    api.zone_offsets(text, timestamptz, timestamptz),
    api.cost_days(text, text, date, date, date) TO tidemark_worker;
GRANT EXECUTE ON FUNCTION api.cost_places(timestamptz, timestamptz),
    api.cost_days(text, text, date, date, date), api.cost_lines(text, text, date, date)
    TO tidemark_web, tidemark_read;
