-- The archive answers for buckets, too, that the database does not have: since when it has them.

SET LOCAL ROLE tidemark_door;

-- Since when the transaction's tenant has all buckets of a grain, of any zone where is_zoned: those
-- before that are past keeping, or were dropped, or may have been made of late samples alone; and up
-- to when all days are in the archive, NULL where none is.
CREATE FUNCTION api.archive_buckets(grain text, is_zoned boolean, OUT kept_from timestamptz,
                                    OUT whole_until timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home    CONSTANT int := core.tenant();
    is_fine CONSTANT boolean := is_zoned OR grain IN ('15m', '1h');
BEGIN
    SELECT c.until INTO whole_until FROM core.archive_cursor c
    WHERE c.tenant_id = home AND c.relation = 'samples'
      AND EXISTS (SELECT FROM core.archive_day d
                  WHERE d.tenant_id = home AND d.relation = 'samples');
    IF whole_until IS NOT NULL THEN
        SELECT greatest(now() - make_interval(days => coalesce(
                            CASE WHEN is_fine THEN t.hourly_days ELSE t.daily_days END, r.days)),
                        (SELECT max(CASE WHEN is_fine THEN f.fine_from ELSE f.day_from END)
                         FROM core.series_floor f WHERE f.tenant_id = home))
        INTO kept_from
        FROM core.tenant t
        JOIN core.retention r ON r.class = CASE WHEN is_fine THEN 'hourly' ELSE 'daily' END
        WHERE t.id = home;
    END IF;
END
$$;
GRANT EXECUTE ON FUNCTION api.archive_buckets(text, boolean) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
