-- Chunks of a hypertable are made by the insert that needs them; only dropping is ours.

CREATE FUNCTION api.partitions_ensure(from_time timestamptz, to_time timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'SELECT 0';

-- Drops the chunks that end at or before `before`; returns their names. Gives up, for the next
-- run to try again, where one is in use for longer than lock_timeout.
CREATE FUNCTION core.partitions_drop(relation regclass, before timestamptz) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
BEGIN
    RETURN coalesce((SELECT array_agg(c) FROM public.drop_chunks(relation, older_than => before) c),
                    '{}');
EXCEPTION WHEN lock_not_available THEN
    RAISE WARNING 'chunks of % are in use, dropped next time', relation;
    RETURN '{}';
END
$$;
