-- Archived lines of costs have their unit however a charge's price is written.

SET LOCAL ROLE tidemark_door;

-- Opens the cursor archive_costs over the ledger's lines of the transaction's tenant of the days in
-- [start, stop), by day, account and line, with the names of what they cite. time: the day's begin in
-- UTC. Numbers are exact, as texts.
CREATE OR REPLACE FUNCTION core.archive_open_costs(start timestamptz, stop timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    archive_costs CONSTANT refcursor := 'archive_costs';
    sites   int[];
    devices int[];
BEGIN
    -- now: who reads the cursor may not call it
    SELECT array_agg(a.site_id), array_agg(a.device_id) INTO sites, devices
    FROM core.archive_accounts() a;
    OPEN archive_costs NO SCROLL FOR
    WITH charges AS MATERIALIZED (
        SELECT v.schedule_id, v.number AS version, v.currency, s.name, (e.ord - 1)::int AS charge_no,
               e.charge ->> 'name' AS title,
               CASE WHEN e.charge ? 'percent' THEN 'percent'
                    WHEN e.charge ->> 'type' = 'demand' THEN 'kW'
                    WHEN e.charge ->> 'type' IN ('energy', 'export') THEN 'kWh'
                    ELSE e.charge ->> 'per' END AS unit
        FROM core.rate_version v
        JOIN core.rate_schedule s ON s.tenant_id = home AND s.id = v.schedule_id
        CROSS JOIN LATERAL jsonb_array_elements(v.document::jsonb -> 'charges') WITH ORDINALITY
                   AS e (charge, ord)
        WHERE v.tenant_id = home)
    SELECT k.begun AS time, to_char(k.begun, 'YYYY-MM-DD') AS day, p.key AS site, d.key AS device,
           y.zone, y.from_time, y.to_time, g.name AS schedule, x.version, x.charge, g.title,
           nullif(x.season, -1) AS season, x.period, nullif(x.tier, -1) AS tier,
           trim_scale(x.quantity * 1e-9)::text AS quantity, g.unit,
           CASE WHEN x.has_one_rate THEN trim_scale(x.rate * 1e-9)::text END AS rate,
           trim_scale(x.amount)::text AS amount, g.currency, x.at, x.n_days, x.of_days,
           x.n_unpriced, y.is_final
    FROM (SELECT b.begun, a.site_id, a.device_id
          FROM generate_series(start, stop - interval '24 hours', interval '24 hours') b (begun)
          CROSS JOIN unnest(sites, devices) AS a (site_id, device_id)
          ORDER BY 1, 2, 3 OFFSET 0) k
    CROSS JOIN LATERAL (SELECT c.* FROM core.cost_calculation c
                        WHERE c.tenant_id = home AND c.site_id = k.site_id
                          AND c.device_id = k.device_id
                          AND c.day = (k.begun AT TIME ZONE 'UTC')::date
                        ORDER BY c.line OFFSET 0) x
    LEFT JOIN core.cost_day y ON y.tenant_id = home AND y.site_id = x.site_id
                             AND y.device_id = x.device_id AND y.day = x.day
    LEFT JOIN charges g ON g.schedule_id = x.schedule_id AND g.version = x.version
                       AND g.charge_no = x.charge_no
    LEFT JOIN core.site p ON p.tenant_id = home AND p.id = x.site_id
    LEFT JOIN core.device d ON d.tenant_id = home AND d.id = x.device_id
    ORDER BY k.begun, k.site_id, k.device_id, x.line;
END
$$;
