-- The ledger of costs at work: what readers see of it, and how the worker takes places and writes
-- what they come to.

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

-- ---- rating ----

GRANT EXECUTE ON FUNCTION core.cost_account(int, text, text) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- Takes the next place behind a tenant's place, in the order of their numbers, that nobody else is
-- at and that is to be rated again, with its notes: from when, since when its quarter hours are
-- others (infinity: nowhere), until when. No row: there is none. Notes of what is not in the ledger
-- yet are done with. The place is held until the transaction ends; whoever dies there leaves the
-- notes.
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
    item   record;
    place  core.cost_place;
    notes  record;
    head   timestamptz;
BEGIN
    FOR item IN
        SELECT w.tenant_id, w.site_id
        FROM (SELECT d.tenant_id, d.site_id FROM core.cost_dirty d
              UNION
              SELECT p.tenant_id, p.site_id FROM core.cost_place p WHERE p.due_at <= closed) w
        WHERE (w.tenant_id, w.site_id) > (after_tenant, after_site)
        ORDER BY w.tenant_id, w.site_id
    LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(
            hashtextextended(format('tidemark.cost.%s.%s', item.tenant_id, item.site_id), 0));
        WITH gone AS (
            DELETE FROM core.cost_dirty d
            WHERE d.tenant_id = item.tenant_id AND d.site_id = item.site_id
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
        IF head IS NULL THEN
            PERFORM core.cost_erase(item.tenant_id, item.site_id);
            CONTINUE;
        END IF;
        tenant_id := item.tenant_id;
        site_id := item.site_id;
        site := (SELECT s.key FROM core.site s
                 WHERE s.tenant_id = item.tenant_id AND s.id = item.site_id);
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
END
$$;

-- Whether the ledger has days of the account that are another zone's.
CREATE FUNCTION ops.cost_is_rezoned(of_site text, of_device text, of_zone text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home    CONSTANT int := core.tenant();
    account CONSTANT record := core.cost_account(home, of_site, of_device);
BEGIN
    RETURN EXISTS (SELECT FROM core.cost_day c
                   WHERE c.tenant_id = home AND c.site_id = account.site_id
                     AND c.device_id = account.device_id AND c.zone <> of_zone);
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

-- Writes what an account's days [first_day, end_day) are in place of what is there; what is the
-- same stays. Parallel arrays, days counted from 1970; flags: 1 known, 2 priced, 4
-- final, 8 partly; sums are in nano-kWh and 1e-18 of the currency's unit; `imports`,
-- `exports` and `known` have the quarter hours of all days one after the other, `quarters` how many
-- each has. How many rows were written or removed.
CREATE FUNCTION ops.cost_store_days(of_site text, of_device text, first_day date, end_day date,
                                    of_zone text, of_currency text, days int[],
                                    from_times timestamptz[], to_times timestamptz[],
                                    import_sums text[], export_sums text[], costs text[],
                                    exporteds text[], onces text[], periods text[],
                                    flags int[], missing int[], quarters int[],
                                    all_imports bigint[], all_exports bigint[], all_known bytea)
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
    new     core.cost_day[];
    removed bigint;
    added   bigint;
BEGIN
    SELECT array_agg(row(home, account.site_id, account.device_id, date '1970-01-01' + u.day,
                         of_zone, u.from_time, u.to_time,
                         CASE WHEN u.flags & 2 > 0 THEN of_currency END,
                         u.import::numeric, u.export::numeric,
                         u.cost::numeric * 1e-18, u.exported::numeric * 1e-18,
                         u.once::numeric * 1e-18, u.by_period::jsonb, u.flags & 1 > 0,
                         u.flags & 2 > 0, u.flags & 4 > 0, u.flags & 8 > 0, u.missing,
                         all_imports[u.stop - u.quarters + 1 : u.stop],
                         all_exports[u.stop - u.quarters + 1 : u.stop],
                         substr(all_known, (u.stop - u.quarters + 1)::int, u.quarters),
                         now())::core.cost_day)
    INTO new
    FROM (SELECT i.*, sum(i.quarters) OVER (ORDER BY i.day) AS stop
          FROM unnest(days, from_times, to_times, import_sums, export_sums, costs, exporteds, onces,
                      periods, flags, missing, quarters)
               AS i (day, from_time, to_time, import, export, cost, exported, once, by_period,
                     flags, missing, quarters)) u;
    DELETE FROM core.cost_day c
    WHERE c.tenant_id = home AND c.site_id = account.site_id
      AND c.device_id = account.device_id AND c.day >= first_day AND c.day < end_day
      AND NOT EXISTS (
          SELECT FROM unnest(new) n
          WHERE n.day = c.day
            AND (n.zone, n.from_time, n.to_time, n.currency, n.import_nkwh, n.export_nkwh, n.cost,
                 n.exported, n.once, n.by_period, n.is_known, n.is_priced, n.is_final, n.is_partly,
                 n.n_missing, n.imports,
                 n.exports, n.known)
                IS NOT DISTINCT FROM
                (c.zone, c.from_time, c.to_time, c.currency, c.import_nkwh, c.export_nkwh, c.cost,
                 c.exported, c.once, c.by_period, c.is_known, c.is_priced, c.is_final, c.is_partly,
                 c.n_missing, c.imports,
                 c.exports, c.known));
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO core.cost_day
    SELECT n.* FROM unnest(new) n
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN removed + added;
END
$$;

-- The same of its lines. `cites` has eleven numbers for each line: schedule, version, charge,
-- season, period, tier, whether it has one rate, n_days, of_days, n_unpriced, and its number in the
-- day.
CREATE FUNCTION ops.cost_store_lines(of_site text, of_device text, first_day date, end_day date,
                                     days int[], cites int[], charges text[], periods text[],
                                     quantities bigint[], rates bigint[], amounts text[],
                                     times timestamptz[])
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
    width   CONSTANT int := 11;
    new     core.cost_calculation[];
    removed bigint;
    added   bigint;
BEGIN
    SELECT array_agg(row(home, account.site_id, account.device_id, date '1970-01-01' + u.day,
                         cites[u.at + 11], cites[u.at + 1], cites[u.at + 2], cites[u.at + 3],
                         u.charge, cites[u.at + 4], cites[u.at + 5], nullif(u.period, ''),
                         cites[u.at + 6], u.quantity, u.rate, cites[u.at + 7] > 0,
                         cites[u.at + 8], cites[u.at + 9], u.amount::numeric * 1e-18,
                         nullif(u.time, timestamptz 'epoch'),
                         cites[u.at + 10])::core.cost_calculation)
    INTO new
    FROM (SELECT i.*, ((i.ord - 1) * width)::int AS at
          FROM unnest(days, charges, periods, quantities, rates, amounts, times) WITH ORDINALITY
               AS i (day, charge, period, quantity, rate, amount, time, ord)) u;
    DELETE FROM core.cost_calculation c
    WHERE c.tenant_id = home AND c.site_id = account.site_id
      AND c.device_id = account.device_id AND c.day >= first_day AND c.day < end_day
      AND NOT EXISTS (SELECT FROM unnest(new) n
                      WHERE n.day = c.day AND n.line = c.line AND n IS NOT DISTINCT FROM c);
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO core.cost_calculation
    SELECT n.* FROM unnest(new) n
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN removed + added;
END
$$;

-- Ends what was taken: the accounts that a place has (NULL: itself), and as far as their days are
-- rated. What is there of others goes; how many rows.
CREATE FUNCTION ops.cost_finish(of_site text, devices text[], head timestamptz,
                                from_time timestamptz, until_time timestamptz, due timestamptz)
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
    ops.cost_is_rezoned(text, text, text),
    ops.cost_leave(text, timestamptz, timestamptz, timestamptz, timestamptz),
    ops.cost_store_days(text, text, date, date, text, text, int[], timestamptz[], timestamptz[],
                        text[], text[], text[], text[], text[], text[], int[], int[], int[],
                        bigint[], bigint[], bytea),
    ops.cost_store_lines(text, text, date, date, int[], int[], text[], text[], bigint[], bigint[],
                         text[], timestamptz[]),
    ops.cost_finish(text, text[], timestamptz, timestamptz, timestamptz, timestamptz)
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
    api.rate_prices(int, text, timestamptz, timestamptz, timestamptz, int),
    api.zone_offsets(text, timestamptz, timestamptz),
    api.cost_days(text, text, date, date, date) TO tidemark_worker;
GRANT EXECUTE ON FUNCTION api.cost_places(timestamptz, timestamptz),
    api.cost_days(text, text, date, date, date), api.cost_lines(text, text, date, date)
    TO tidemark_web, tidemark_read;
