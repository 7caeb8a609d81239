-- Days of the archive are brought back several at once.

SET LOCAL ROLE tidemark_door;

-- What of the transaction's tenant's days the archive alone has and nobody wants back yet, of a table, from a
-- day on and before another (NULL: any): how many days, and of how many tables in all (a day of two is two).
CREATE FUNCTION api.archive_away(of_table text, from_day date, to_day date, OUT n_days bigint,
                                 OUT n_parts bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    SELECT count(DISTINCT d.day), count(*) INTO n_days, n_parts
    FROM core.archive_day d
    WHERE d.tenant_id = home AND NOT d.is_held AND NOT core.archive_is_derived(d.relation)
      AND (of_table IS NULL OR d.relation = of_table)
      AND (from_day IS NULL OR d.day >= from_day) AND (to_day IS NULL OR d.day < to_day)
      AND NOT EXISTS (SELECT FROM core.archive_wish w
                      WHERE w.tenant_id = home AND w.relation = d.relation AND w.day = d.day
                        AND w.problem IS NULL);
END
$$;

-- Wants all these back. TM404 where there is none, TM409 where too many are waiting then.
CREATE FUNCTION api.archive_restore_days(of_table text, from_day date, to_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    file record;
    is_any boolean := false;
BEGIN
    FOR file IN
        SELECT min(a.id) AS id
        FROM core.archive_day d
        JOIN core.archive a ON a.tenant_id = home AND a.relation = d.relation AND a.day = d.day
        WHERE d.tenant_id = home AND NOT d.is_held AND NOT core.archive_is_derived(d.relation)
          AND (of_table IS NULL OR d.relation = of_table)
          AND (from_day IS NULL OR d.day >= from_day) AND (to_day IS NULL OR d.day < to_day)
        GROUP BY d.relation, d.day
        ORDER BY d.day, d.relation
    LOOP
        is_any := true;
        PERFORM api.archive_restore(file.id);
    END LOOP;
    IF NOT is_any THEN
        RAISE EXCEPTION 'There is no such day to bring back.' USING ERRCODE = 'TM404';
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_away(text, date, date),
    api.archive_restore_days(text, date, date) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
