-- Chunks as upkeep sees them, and their columnstore.

-- The table's chunks, oldest first; is_partial: rows came after it was compressed.
CREATE FUNCTION core.chunk_list(relation regclass)
RETURNS TABLE (chunk regclass, from_time timestamptz, to_time timestamptz,
               is_compressed boolean, is_partial boolean)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.oid::regclass, _timescaledb_functions.to_timestamp(s.range_start),
           _timescaledb_functions.to_timestamp(s.range_end),
           c.compressed_chunk_id IS NOT NULL, c.status & 10 <> 0
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

-- Keeps everybody else out of a chunk until the transaction ends.
CREATE FUNCTION core.chunk_lock(relation regclass, chunk regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', chunk);
END
$$;

CREATE FUNCTION core.chunk_drop(relation regclass, chunk regclass, from_time timestamptz,
                                to_time timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.drop_chunks(relation, older_than => to_time, newer_than => from_time);
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = chunk) THEN
        RAISE EXCEPTION 'chunk % could not be dropped', chunk;
    END IF;
END
$$;

-- Bytes on disk, in the columnstore too.
CREATE FUNCTION core.chunk_size(relation regclass, chunk regclass) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_total_relation_size(chunk)
           + CASE WHEN z.id IS NULL THEN 0
                  ELSE pg_total_relation_size(format('%I.%I', z.schema_name, z.table_name)) END
    FROM pg_class t
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN _timescaledb_catalog.chunk c ON c.schema_name = n.nspname AND c.table_name = t.relname
    LEFT JOIN _timescaledb_catalog.chunk z ON z.id = c.compressed_chunk_id
    WHERE t.oid = chunk
$$;

-- What a table takes: bytes on disk, and of its compressed chunks what they took before.
CREATE FUNCTION core.relation_size(relation regclass, OUT form text, OUT total_bytes bigint,
    OUT compressed_bytes bigint, OUT uncompressed_bytes bigint, OUT chunks bigint,
    OUT compressed_chunks bigint, OUT row_estimate bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'hypertable', public.hypertable_size(relation), sum(z.after)::bigint,
           sum(z.before)::bigint, count(*), count(z.after),
           sum(coalesce(z.n_rows, greatest(t.reltuples, 0)::bigint))::bigint
    FROM core.chunk_list(relation) l
    JOIN pg_class t ON t.oid = l.chunk
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN _timescaledb_catalog.chunk c ON c.schema_name = n.nspname AND c.table_name = t.relname
    LEFT JOIN LATERAL (
        SELECT s.uncompressed_heap_size + s.uncompressed_toast_size + s.uncompressed_index_size
                   AS before,
               s.compressed_heap_size + s.compressed_toast_size + s.compressed_index_size AS after,
               s.numrows_pre_compression AS n_rows
        FROM _timescaledb_catalog.compression_chunk_size s WHERE s.chunk_id = c.id) z ON true
$$;

-- Moves one chunk that is due into the columnstore, or back there whole where rows came later;
-- new ones first, oldest first. No row: nothing is due. outcome: 'compressed', 'recompressed', or
-- 'busy' where the chunk is in use: the caller names it in `skip` from then on. (The engine's own
-- policies take several chunks in a transaction, and their jobs fail on some builds.)
CREATE FUNCTION ops.columnstore_next(skip text[]) RETURNS TABLE (chunk text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    part record;
BEGIN
    SELECT c.* INTO part
    FROM core.kept k
    CROSS JOIN LATERAL core.chunk_list(k.relation) c
    WHERE c.to_time < now() - k.columnstore_after AND (NOT c.is_compressed OR c.is_partial)
      AND c.chunk::text <> ALL (skip)
    ORDER BY c.is_compressed, c.to_time, k.relation::oid
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    chunk := part.chunk::text;
    outcome := CASE WHEN part.is_compressed THEN 'recompressed' ELSE 'compressed' END;
    BEGIN
        PERFORM public.compress_chunk(part.chunk, if_not_compressed => true);
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR duplicate_object OR object_in_use
              OR serialization_failure THEN    -- written to, or compressed by another
        outcome := 'busy';
    END;
    RETURN NEXT;
END
$$;

-- How wide the next chunks of samples are: a week, or a day where more than 200 series report, for
-- which a day fills the columns well enough and a chunk stays small. Answers the width in days.
CREATE FUNCTION ops.chunk_width_adjust() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    width interval := CASE WHEN core.series_reporting() > 200 THEN interval '1 day'
                           ELSE interval '7 days' END;
BEGIN
    IF width <> (SELECT d.time_interval FROM timescaledb_information.dimensions d
                 WHERE d.hypertable_schema = 'core' AND d.hypertable_name = 'sample') THEN
        PERFORM public.set_chunk_time_interval('core.sample', width);
    END IF;
    RETURN extract(day FROM width);
END
$$;

-- One hand compresses: the worker's.
DO $columnstore$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT k.*, d.hypertable_schema, d.hypertable_name, d.compression_enabled
                FROM core.kept k
                JOIN timescaledb_information.hypertables d
                  ON format('%I.%I', d.hypertable_schema, d.hypertable_name)::regclass = k.relation
    LOOP
        IF NOT part.compression_enabled THEN
            EXECUTE format('ALTER TABLE %s SET (timescaledb.enable_columnstore,'
                           ' timescaledb.segmentby = %L, timescaledb.orderby = %L)',
                           part.relation, part.segment_by, part.time_column);
        END IF;
    END LOOP;
END
$columnstore$;
