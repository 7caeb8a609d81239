-- What is noted of the ledger's days for the archive is a row a statement: rating writes a year of an
-- account at a time, of many accounts one after another. The archiver makes days of it.

CREATE TABLE core.archive_cost_note (
    tenant_id int NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    days      datemultirange NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT core.protect('core.archive_cost_note', 'tenant_id');

SET LOCAL ROLE tidemark_door;

-- Notes days of the ledger that may have been archived. What retention takes is none: those days are in
-- the archive alone from then on.
CREATE OR REPLACE FUNCTION core.archive_note_costs() RETURNS trigger
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
        INSERT INTO core.archive_cost_note (tenant_id, days)
        SELECT owner, range_agg(daterange(d.day, d.day + 1))
        FROM (SELECT DISTINCT w.day FROM written w
              WHERE w.tenant_id = owner AND w.day >= before AND w.day < horizon) d
        HAVING count(*) > 0;
        UPDATE core.archive_day d SET is_held = d.day >= before
        WHERE d.tenant_id = owner AND d.relation = 'costs' AND d.is_held <> (d.day >= before)
          AND d.day IN (SELECT w.day FROM written w WHERE w.tenant_id = owner);
    END LOOP;
    RETURN NULL;
END
$$;

-- Makes days that changed of what is noted of the ledger. Whoever begins to archive one of them
-- afterwards sees what was written; notes of transactions that have not ended stay for the next time.
CREATE FUNCTION core.archive_take_costs() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    WITH taken AS (
        DELETE FROM core.archive_cost_note n RETURNING n.tenant_id, n.days
    )
    INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                     from_time, to_time, is_erasure)
    SELECT DISTINCT t.tenant_id, 'costs', d.day::date, 0, '', '', '{}'::jsonb, d.day, d.day, false
    FROM taken t
    CROSS JOIN LATERAL unnest(t.days) AS r (span)
    CROSS JOIN LATERAL generate_series(lower(r.span)::timestamptz,
                                       upper(r.span)::timestamptz - interval '24 hours',
                                       interval '24 hours') AS d (day);
END
$$;

-- Tenants after that one (NULL: from the first on) with days that were not looked at, or that
-- changed; at most so many.
CREATE OR REPLACE FUNCTION ops.archive_tenants(of_relation text, after_slug text, max_tenants int)
RETURNS TABLE (tenant_id int, slug text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    stop CONSTANT date := core.archive_stop();
BEGIN
    IF of_relation = 'costs' AND after_slug IS NULL THEN
        PERFORM core.archive_take_costs();
    END IF;
    RETURN QUERY
    SELECT t.id, t.slug FROM core.tenant t
    WHERE stop IS NOT NULL AND (after_slug IS NULL OR t.slug > after_slug)
      AND (NOT EXISTS (SELECT FROM core.archive_cursor c
                       WHERE c.tenant_id = t.id AND c.relation = of_relation AND c.until >= stop)
           OR EXISTS (SELECT FROM core.archive_change c
                      WHERE c.tenant_id = t.id AND c.relation = of_relation))
    ORDER BY t.slug LIMIT max_tenants;
END
$$;

SET LOCAL ROLE tidemark_owner;
