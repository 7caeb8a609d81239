-- A database that was made of the store while a manifest was lost takes it when it is there again.

SET LOCAL ROLE tidemark_door;

-- Notes the files of a manifest (parallel arrays) of the transaction's tenant, after archive_restore_begin
-- of its day: of a number that the day lacks between others. TM409: it lacks no such number.
CREATE FUNCTION ops.archive_restore_lost(of_relation text, of_day text, of_n int, written timestamptz,
                                         kinds text[], objects text[], rows_of bigint[],
                                         bytes_of bigint[], sums bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    IF NOT EXISTS (SELECT FROM core.archive a WHERE a.tenant_id = home AND a.relation = of_relation
                     AND a.day = of_day::date AND a.n > of_n)
       OR EXISTS (SELECT FROM core.archive a WHERE a.tenant_id = home AND a.relation = of_relation
                    AND a.day = of_day::date AND a.n = of_n) THEN
        RAISE EXCEPTION 'the day % of % lacks no file %', of_day, of_relation, of_n USING ERRCODE = 'TM409';
    END IF;
    DELETE FROM core.archive_garbage g WHERE g.object = ANY (objects);
    INSERT INTO core.archive (tenant_id, relation, day, n, kind, object, n_rows, n_bytes, sha256,
                              archived_at, verified_at)
    SELECT home, of_relation, of_day::date, of_n, u.kind, u.object, u.n_rows, u.n_bytes, u.sum,
           written, written
    FROM unnest(kinds, objects, rows_of, bytes_of, sums) AS u (kind, object, n_rows, n_bytes, sum);
END
$$;
GRANT EXECUTE ON FUNCTION ops.archive_restore_lost(text, text, int, timestamptz, text[], text[], bigint[],
                                                   bigint[], bytea[]) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
