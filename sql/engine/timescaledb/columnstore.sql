-- Chunks that are compressed, and the rows beside their columnstore.

-- Whether a compressed chunk has rows that came, or were changed, since.
CREATE FUNCTION core.chunk_has_rows(chunk regclass) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer boolean := pg_relation_size(chunk) > 0;
BEGIN
    IF answer THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s)', chunk) INTO answer;
    END IF;
    RETURN answer;
END
$$;

CREATE OR REPLACE FUNCTION core.chunk_list(relation regclass)
RETURNS TABLE (chunk regclass, from_time timestamptz, to_time timestamptz,
               is_compressed boolean, is_partial boolean)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.oid::regclass, _timescaledb_functions.to_timestamp(s.range_start),
           _timescaledb_functions.to_timestamp(s.range_end),
           c.compressed_chunk_id IS NOT NULL,
           CASE WHEN c.status & 10 <> 0 THEN core.chunk_has_rows(t.oid) ELSE false END
    FROM _timescaledb_catalog.hypertable h
    JOIN pg_namespace hn ON hn.nspname = h.schema_name
    JOIN pg_class r ON r.relnamespace = hn.oid AND r.relname = h.table_name
    JOIN _timescaledb_catalog.chunk c ON c.hypertable_id = h.id
    JOIN _timescaledb_catalog.chunk_constraint k ON k.chunk_id = c.id
    JOIN _timescaledb_catalog.dimension_slice s ON s.id = k.dimension_slice_id
    JOIN pg_namespace n ON n.nspname = c.schema_name
    JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
    WHERE r.oid = relation
    ORDER BY s.range_start
$$;

-- Whether a compressed chunk with anything in it has plans that read its columnstore alone.
CREATE FUNCTION core.chunk_is_closed(chunk regclass) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer boolean := EXISTS (
        SELECT FROM _timescaledb_catalog.chunk c
        JOIN pg_namespace n ON n.nspname = c.schema_name
        JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
        WHERE t.oid = chunk AND c.compressed_chunk_id IS NOT NULL AND c.status & 8 = 0);
BEGIN
    IF answer THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', chunk) INTO answer;
    END IF;
    RETURN answer;
END
$$;

-- Has all plans read the rows beside a chunk's columnstore, too, whether there are any or not. The
-- engine's plans leave them out where there are none, and a snapshot taken after the plan sees rows
-- that moved there meanwhile, one taken long before it those that were there: either would miss them
-- (its issues 10487 and 6842). Storing what is there already changes nothing but that, while nobody
-- else writes.
CREATE FUNCTION core.chunk_open(relation regclass, chunk regclass, time_column name,
                                from_time timestamptz, to_time timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', chunk);
    EXECUTE format('INSERT INTO %1$s SELECT x.* FROM %1$s x'
                   ' WHERE x.%2$I >= $1 AND x.%2$I < $2 LIMIT 1 ON CONFLICT DO NOTHING',
                   relation, time_column) USING from_time, to_time;
END
$$;

-- Moves one chunk that is due into the columnstore, or the rows beside it; new ones first, oldest
-- first. No row: nothing is due. outcome: 'compressed', 'recompressed', 'opened' (plans read what is
-- beside it), or 'busy' where the chunk is in use: the caller names it in `skip` from then on. (The
-- engine's own policies take several chunks in a transaction, and their jobs fail on some builds.)
CREATE OR REPLACE FUNCTION ops.columnstore_next(skip text[])
RETURNS TABLE (chunk text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    part record;
BEGIN
    SELECT c.*, k.relation, k.time_column INTO part
    FROM core.kept k
    CROSS JOIN LATERAL core.chunk_list(k.relation) c
    WHERE c.to_time < now() - k.columnstore_after AND (NOT c.is_compressed OR c.is_partial)
      AND c.chunk::text <> ALL (skip)
    ORDER BY c.is_compressed, c.to_time, k.relation::oid
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT c.*, k.relation, k.time_column INTO part
        FROM core.kept k
        CROSS JOIN LATERAL core.chunk_list(k.relation) c
        WHERE c.to_time < now() - k.columnstore_after AND c.chunk::text <> ALL (skip)
          AND core.chunk_is_closed(c.chunk)
        LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    chunk := part.chunk::text;
    outcome := CASE WHEN NOT part.is_compressed THEN 'compressed'
                    WHEN part.is_partial THEN 'recompressed' ELSE 'opened' END;
    BEGIN
        IF outcome <> 'opened' THEN
            PERFORM public.compress_chunk(part.chunk, if_not_compressed => true);
        END IF;
        PERFORM core.chunk_open(part.relation, part.chunk, part.time_column, part.from_time,
                                part.to_time);
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR duplicate_object OR object_in_use
              OR serialization_failure THEN    -- written to, or compressed by another
        outcome := 'busy';
    END;
    RETURN NEXT;
END
$$;
