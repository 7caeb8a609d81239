-- The days of an open billing cycle are rated anew whenever something comes, and none is final before the
-- cycle is over: a day of costs gets a further file once a week at most, but at once where something of the
-- tenant was erased since its last one.

SET LOCAL ROLE tidemark_door;

-- Whether a day of the transaction's tenant has to wait until it gets a further file.
CREATE FUNCTION core.archive_waits(of_relation text, of_day date) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT of_relation = 'costs' AND EXISTS (
        SELECT FROM core.archive a
        WHERE a.tenant_id = core.tenant() AND a.relation = of_relation AND a.day = of_day
          AND a.archived_at > now() - interval '7 days'
          AND NOT EXISTS (SELECT FROM core.erased e
                          WHERE e.tenant_id = core.tenant()
                            AND e.erased_at > a.archived_at - interval '1 hour')) -- it may have begun earlier
$$;

-- The days of the transaction's tenant that come next: a span of at most max_days that were never
-- archived, the oldest first, then one by one those after after_changed (NULL: from the first on)
-- that changed since. No row: that is all, and what was never archived is noted as looked at.
CREATE OR REPLACE FUNCTION ops.archive_next(of_relation text, max_days int, after_changed text)
RETURNS TABLE (from_day text, to_day text, is_changed boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    home  CONSTANT int := core.tenant();
    stop  CONSTANT date := core.archive_stop();
    until date := (SELECT c.until FROM core.archive_cursor c
                   WHERE c.tenant_id = home AND c.relation = of_relation);
    at    date := until;
BEGIN
    LOOP
        EXIT WHEN at >= stop OR stop IS NULL;
        at := core.archive_first_day(of_relation, at, stop);
        EXIT WHEN at IS NULL;
        IF NOT EXISTS (SELECT FROM core.archive_day d
                       WHERE d.tenant_id = home AND d.relation = of_relation AND d.day = at) THEN
            from_day := to_char(at, 'YYYY-MM-DD');
            to_day := to_char(least(at + max_days, stop, (
                SELECT min(d.day) FROM core.archive_day d
                WHERE d.tenant_id = home AND d.relation = of_relation AND d.day > at)) - 1,
                'YYYY-MM-DD');
            is_changed := false;
            RETURN NEXT;
            RETURN;
        END IF;
        at := at + 1;
    END LOOP;
    IF until < stop OR until IS NULL AND stop IS NOT NULL THEN
        INSERT INTO core.archive_cursor AS c (tenant_id, relation, until)
        VALUES (home, of_relation, stop)
        ON CONFLICT ON CONSTRAINT archive_cursor_pkey DO UPDATE SET until = excluded.until
        WHERE c.until < excluded.until;
    END IF;
    SELECT to_char(min(c.day), 'YYYY-MM-DD') INTO from_day FROM core.archive_change c
    WHERE c.tenant_id = home AND c.relation = of_relation
      AND c.day > coalesce(after_changed::date, '-infinity') AND c.day < greatest(until, stop)
      AND NOT core.archive_waits(of_relation, c.day)
      AND (c.day < stop
           OR EXISTS (SELECT FROM core.archive_day d
                      WHERE d.tenant_id = home AND d.relation = of_relation AND d.day = c.day));
    IF from_day IS NOT NULL THEN
        to_day := from_day;
        is_changed := true;
        RETURN NEXT;
    END IF;
END
$$;

SET LOCAL ROLE tidemark_owner;
