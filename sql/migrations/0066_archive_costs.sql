-- The ledger of costs in the archive. Its rows are made of others', so none are brought back, and nobody
-- waits for them; of a day that is written anew a further file has all of it.

SET LOCAL ROLE tidemark_door;

-- Whether a table is made of others: a file has its day whole, and none is restored.
CREATE FUNCTION core.archive_is_derived(of_relation text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT of_relation = 'costs'
$$;

-- ---- what changes behind the archive's back ----

-- Notes days of the ledger that may have been archived. What retention takes is none: those days are in
-- the archive alone from then on. What is noted of the ledger has no series and no times.
CREATE FUNCTION core.archive_note_costs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    before CONSTANT date := core.horizon_last('energy')::date - 1; -- as ops.cost_prune has it
    owner   int;
    horizon timestamptz;
BEGIN
    IF NOT EXISTS (SELECT FROM written) THEN
        RETURN NULL;
    END IF;
    LOCK TABLE core.change IN ROW EXCLUSIVE MODE;   -- archive_configure waits for it
    FOR owner IN SELECT DISTINCT w.tenant_id FROM written w LOOP
        horizon := core.archive_horizon(owner, 'costs');
        CONTINUE WHEN horizon IS NULL;              -- nothing is archived, nor will be
        INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                         from_time, to_time, is_erasure)
        SELECT owner, 'costs', d.day, 0, '', '', '{}', d.day, d.day, false
        FROM (SELECT DISTINCT w.day FROM written w
              WHERE w.tenant_id = owner AND w.day >= before AND w.day < horizon) d
        WHERE NOT EXISTS (SELECT FROM core.archive_change c
                          WHERE c.tenant_id = owner AND c.relation = 'costs' AND c.day = d.day
                            AND c.xid = pg_current_xact_id());
        UPDATE core.archive_day d SET is_held = d.day >= before
        WHERE d.tenant_id = owner AND d.relation = 'costs' AND d.is_held <> (d.day >= before)
          AND d.day IN (SELECT w.day FROM written w WHERE w.tenant_id = owner);
    END LOOP;
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.archive_note_costs() TO tidemark_owner;

-- ---- archiving ----

-- The accounts of the transaction's tenant that the ledger has, from one to the next.
CREATE FUNCTION core.archive_accounts() RETURNS TABLE (site_id int, device_id int)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    WITH RECURSIVE a AS (
        (SELECT c.site_id, c.device_id FROM core.cost_calculation c
         WHERE c.tenant_id = home ORDER BY c.site_id, c.device_id LIMIT 1)
        UNION ALL
        SELECT n.site_id, n.device_id
        FROM a CROSS JOIN LATERAL (
            SELECT c.site_id, c.device_id FROM core.cost_calculation c
            WHERE c.tenant_id = home AND (c.site_id, c.device_id) > (a.site_id, a.device_id)
            ORDER BY c.site_id, c.device_id LIMIT 1) n)
    SELECT a.site_id, a.device_id FROM a;
END
$$;

-- The first day of the transaction's tenant in [from_day, stop) that the ledger has; from_day NULL:
-- before all.
CREATE FUNCTION core.archive_first_costs(from_day date, stop date) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN (SELECT min(x.day) FROM core.archive_accounts() a
            CROSS JOIN LATERAL (
                SELECT c.day FROM core.cost_calculation c
                WHERE c.tenant_id = home AND c.site_id = a.site_id AND c.device_id = a.device_id
                  AND c.day >= coalesce(from_day, '-infinity') AND c.day < stop
                ORDER BY c.day LIMIT 1) x);
END
$$;

CREATE OR REPLACE FUNCTION core.archive_first_day(of_relation text, from_day date, stop date)
RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE of_relation WHEN 'samples' THEN core.archive_first_samples(from_day, stop)
                            WHEN 'events' THEN core.archive_first_events(from_day, stop)
                            WHEN 'costs' THEN core.archive_first_costs(from_day, stop) END;
END
$$;

-- Opens the cursor archive_costs over the ledger's lines of the transaction's tenant of the days in
-- [start, stop), by day, account and line, with the names of what they cite. time: the day's begin in
-- UTC. Numbers are exact, as texts.
CREATE FUNCTION core.archive_open_costs(start timestamptz, stop timestamptz) RETURNS void
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
                    WHEN NOT e.charge ? 'prices' THEN e.charge ->> 'per'
                    WHEN e.charge ->> 'type' = 'demand' THEN 'kW' ELSE 'kWh' END AS unit
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

-- Opens the cursor of a table.
CREATE OR REPLACE FUNCTION core.archive_open(of_relation text, start timestamptz, stop timestamptz,
                                             is_first boolean, seen pg_snapshot) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE of_relation
    WHEN 'samples' THEN PERFORM core.archive_open_samples(start, stop, is_first, seen);
    WHEN 'events' THEN PERFORM core.archive_open_events(start, stop, is_first, seen);
    WHEN 'costs' THEN PERFORM core.archive_open_costs(start, stop);
    END CASE;
END
$$;

-- ---- restoring ----

-- Wants the day of a file of the transaction's tenant back; 'there': the database has it, and
-- retention leaves it for 30 days from now on. TM409 where too many days are waiting, and
-- of what is derived.
CREATE OR REPLACE FUNCTION api.archive_restore(of_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home        CONSTANT int := core.tenant();
    max_waiting CONSTANT int := 400;
    file        record;
BEGIN
    SELECT a.relation, a.day INTO file
    FROM core.archive a WHERE a.tenant_id = home AND a.id = of_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such file in the archive.' USING ERRCODE = 'TM404';
    END IF;
    IF core.archive_is_derived(file.relation) THEN
        RAISE EXCEPTION 'What is worked out from other data is not brought back.'
            USING ERRCODE = 'TM409';
    END IF;
    UPDATE core.archive_day d
    SET pinned_until = greatest(d.pinned_until, now() + interval '30 days')
    WHERE d.tenant_id = home AND d.relation = file.relation AND d.day = file.day AND d.is_held;
    IF FOUND THEN                                   -- also after retention that was at it
        RETURN 'there';
    END IF;
    IF (SELECT count(*) FROM core.archive_wish w
        WHERE w.tenant_id = home AND w.problem IS NULL
          AND (w.relation, w.day) <> (file.relation, file.day)) >= max_waiting THEN
        RAISE EXCEPTION '% days are waiting to be brought back. Ask for more when some of them are there.',
            max_waiting USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive_wish AS w (tenant_id, relation, day)
    VALUES (home, file.relation, file.day)
    ON CONFLICT (tenant_id, relation, day)
    DO UPDATE SET asked_at = now(), due_at = now(), n_tried = 0, problem = NULL
    WHERE w.problem IS NOT NULL;
    IF FOUND THEN                                   -- it was not waiting already
        PERFORM core.audit_add(home, 'archive.restore', to_char(file.day, 'YYYY-MM-DD'),
                               jsonb_build_object('table', file.relation));
    END IF;
    RETURN 'waiting';
END
$$;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER archive_note AFTER INSERT ON core.cost_calculation
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.archive_note_costs();
CREATE TRIGGER archive_note_gone AFTER DELETE ON core.cost_calculation
    REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION core.archive_note_costs();
