-- Partitions as upkeep sees them. PostgreSQL alone has no columnstore: nothing is ever due.

CREATE FUNCTION core.chunk_list(relation regclass)
RETURNS TABLE (chunk regclass, from_time timestamptz, to_time timestamptz,
               is_compressed boolean, is_partial boolean)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT p.chunk, p.bounds[1]::timestamptz, p.bounds[2]::timestamptz, false, false
    FROM (SELECT c.oid::regclass AS chunk,
                 regexp_match(pg_get_expr(c.relpartbound, c.oid),
                              'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS bounds
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = relation) p
    ORDER BY 2
$$;

-- Keeps everybody else out of a partition until the transaction ends. The whole table first, as
-- everybody comes that way: dropping a partition needs it anyway.
CREATE FUNCTION core.chunk_lock(relation regclass, chunk regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('LOCK TABLE ONLY %s, %s IN ACCESS EXCLUSIVE MODE', relation, chunk);
END
$$;

CREATE FUNCTION core.chunk_drop(relation regclass, chunk regclass, from_time timestamptz,
                                to_time timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DROP TABLE %s', chunk);
END
$$;

CREATE FUNCTION core.chunk_size(relation regclass, chunk regclass) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS 'SELECT pg_total_relation_size(chunk)';

CREATE FUNCTION core.relation_size(relation regclass, OUT form text, OUT total_bytes bigint,
    OUT compressed_bytes bigint, OUT uncompressed_bytes bigint, OUT chunks bigint,
    OUT compressed_chunks bigint, OUT row_estimate bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'partitions', sum(pg_total_relation_size(c.oid))::bigint, NULL::bigint, NULL::bigint,
           count(*), 0::bigint, sum(greatest(c.reltuples, 0))::bigint
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = relation
$$;

CREATE FUNCTION ops.columnstore_next(skip text[]) RETURNS TABLE (chunk text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN; END $$;

CREATE FUNCTION ops.chunk_width_adjust() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN 7; END $$;
