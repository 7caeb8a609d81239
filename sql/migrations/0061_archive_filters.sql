-- The list of the archive's files by table and days.

SET LOCAL ROLE tidemark_door;

DROP FUNCTION api.archive_list(bigint, bigint, int);

-- Files of the transaction's tenant, the latest first: at most so many before that id (0: from the
-- latest on), of a table, of days from one on and before another (NULL: any), or the file of_id alone
-- (0: any). place: where the day is, 'database', 'restored' (and
-- kept there, for somebody asked for it) or 'archive' alone; wish: 'waiting' or 'failed' where the
-- day is wanted back; problem: why it failed, or what it waits for.
CREATE FUNCTION api.archive_list(of_id bigint, before_id bigint, of_table text, from_day date, to_day date,
                                 max_files int)
RETURNS TABLE (id bigint, relation text, day text, n int, kind text, object text, n_rows bigint,
               n_bytes bigint, sha256 text, archived_at timestamptz, verified_at timestamptz,
               place text, wish text, problem text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT a.id, a.relation, to_char(a.day, 'YYYY-MM-DD'), a.n, a.kind, a.object, a.n_rows,
           a.n_bytes, encode(a.sha256, 'hex'), a.archived_at, a.verified_at,
           CASE WHEN NOT d.is_held THEN 'archive'
                WHEN d.pinned_until > now() THEN 'restored' ELSE 'database' END,
           CASE WHEN w.problem IS NOT NULL THEN 'failed' WHEN w.day IS NOT NULL THEN 'waiting' END,
           CASE WHEN w.problem IS NOT NULL THEN w.problem
                WHEN w.day IS NOT NULL AND core.archive_is_changed(home, a.relation, a.day)
                THEN 'Changes of this day are archived before it is brought back.' END
    FROM core.archive a
    JOIN core.archive_day d
      ON d.tenant_id = home AND d.relation = a.relation AND d.day = a.day
    LEFT JOIN core.archive_wish w
      ON w.tenant_id = home AND w.relation = a.relation AND w.day = a.day
    WHERE a.tenant_id = home AND (of_id = 0 OR a.id = of_id)
      AND (before_id = 0 OR a.id < before_id) AND (of_table IS NULL OR a.relation = of_table)
      AND (from_day IS NULL OR a.day >= from_day) AND (to_day IS NULL OR a.day < to_day)
    ORDER BY a.id DESC
    LIMIT max_files;
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_list(bigint, bigint, text, date, date, int) TO tidemark_web;
