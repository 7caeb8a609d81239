-- Manifests are read and judged before they come here: of each its parts.

SET LOCAL ROLE tidemark_door;

DROP FUNCTION ops.rebuild_late(text, text);

-- Notes the files of a manifest (parallel arrays) that was written after the catalogue of that key, of
-- which its tenant was made: nobody could note them there. Of several of the same number the last one
-- written counts, for its archiver found the earlier ones not to. False: they are older, or known.
CREATE FUNCTION ops.rebuild_late(of_tenant text, of_relation text, of_day text, of_n int,
                                 written timestamptz, kinds text[], objects text[], rows_of bigint[],
                                 bytes_of bigint[], sums bytea[], catalogue text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
    since CONSTANT timestamptz := core.catalogue_time(catalogue);
    home  int;
BEGIN
    PERFORM core.rebuild_hold();
    home := (SELECT t.id FROM core.tenant t WHERE t.slug = of_tenant);
    IF home IS NULL OR written <= since OR EXISTS (
        SELECT FROM core.archive a
        WHERE a.tenant_id = home AND a.relation = of_relation AND a.day = of_day::date
          AND (a.n = of_n AND (a.archived_at <= since OR a.archived_at >= written)
               OR a.object = ANY (objects))) THEN
        RETURN false;
    END IF;
    DELETE FROM core.archive a
    WHERE a.tenant_id = home AND a.relation = of_relation AND a.day = of_day::date AND a.n = of_n;
    INSERT INTO core.archive (tenant_id, relation, day, n, kind, object, n_rows, n_bytes, sha256,
                              archived_at, verified_at)
    SELECT home, of_relation, of_day::date, of_n, u.kind, u.object, u.n_rows, u.n_bytes, u.sum,
           written, written
    FROM unnest(kinds, objects, rows_of, bytes_of, sums) AS u (kind, object, n_rows, n_bytes, sum);
    INSERT INTO core.archive_day (tenant_id, relation, day, is_held)
    VALUES (home, of_relation, of_day::date, false)
    ON CONFLICT (tenant_id, relation, day) DO NOTHING;
    RETURN true;
END
$$;
GRANT EXECUTE ON FUNCTION ops.rebuild_late(text, text, text, int, timestamptz, text[], text[], bigint[],
                                           bigint[], bytea[], text) TO tidemark_worker;

-- That the files of the manifest of that key are known, so that nobody needs it; tombstones are in a folder
-- of their own.
CREATE FUNCTION ops.rebuild_knows(manifest text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rows CONSTANT text := regexp_replace(manifest, '\.json$', '.parquet');
BEGIN
    PERFORM core.rebuild_hold();
    RETURN EXISTS (SELECT FROM core.archive a
                   WHERE a.object IN (rows, regexp_replace(rows, '^archive/[^/]+', '\&.tombstones')));
END
$$;
GRANT EXECUTE ON FUNCTION ops.rebuild_knows(text) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
