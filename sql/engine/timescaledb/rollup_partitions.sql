-- Makes the table a hypertable over its column `bucket`.
CREATE FUNCTION core.partition_by_bucket(relation regclass, width interval) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.create_hypertable(relation, public.by_range('bucket', width),
                                     create_default_indexes => false);
END
$$;

-- Chunks are made by the insert that needs them.
CREATE FUNCTION core.partitions_ensure_of(relations regclass[], from_time timestamptz,
                                          to_time timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'SELECT 0';
GRANT EXECUTE ON FUNCTION core.partitions_ensure_of(regclass[], timestamptz, timestamptz)
    TO tidemark_door;
