-- The ledger of costs: how the worker writes what a place comes to.

SET LOCAL ROLE tidemark_door;

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

GRANT EXECUTE ON FUNCTION
    ops.cost_store_days(text, text, date, date, text, text, int[], timestamptz[], timestamptz[],
                        text[], text[], text[], text[], text[], text[], int[], int[], int[],
                        bigint[], bigint[], bytea),
    ops.cost_store_lines(text, text, date, date, int[], int[], text[], text[], bigint[], bigint[],
                         text[], timestamptz[]),
    ops.cost_finish(text, text[], timestamptz, timestamptz, timestamptz, timestamptz)
    TO tidemark_worker;
