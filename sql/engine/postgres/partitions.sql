-- Declarative range partitions, made ahead by the worker and, if it is dead, by ingest.

-- Tables partitioned by core.partition_bounds, to which later migrations add theirs. Those that
-- are not backfilled get no partitions of the past.
CREATE TABLE core.partitioned (
    relation      regclass PRIMARY KEY,
    is_backfilled boolean NOT NULL
);

-- The qualified name of the partition that begins at from_time.
CREATE FUNCTION core.partition_name(relation regclass, from_time timestamptz, to_time timestamptz)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT format('%I.%I', n.nspname, c.relname || '_' || CASE
        WHEN from_time = '-infinity' THEN 'eldest'
        WHEN to_time - from_time > interval '7 days' THEN 'y' || to_char(from_time, 'YYYY')
        ELSE to_char(from_time, 'YYYYMMDD') END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = relation
$$;

-- Makes one partition; the caller holds the advisory lock and knows that it is missing. The new
-- table is attached rather than made as a partition, so that inserts into the parent go on; its
-- check makes attaching instant.
CREATE FUNCTION core.partition_make(relation regclass, from_time timestamptz, to_time timestamptz)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    child text := core.partition_name(relation, from_time, to_time);
BEGIN
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL, CONSTRAINT bound'
                   ' CHECK ("time" >= %L AND "time" < %L))', child, relation, from_time, to_time);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                   relation, child, from_time, to_time);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT bound', child);
END
$$;

-- Makes the partitions that hold [from_time, to_time] of the partitioned tables; returns
-- how many were missing. Callers may be concurrent: they queue only where something is missing.
-- Refuses times more than a year ahead: a wrong clock shall not fill the catalog.
CREATE FUNCTION api.partitions_ensure(from_time timestamptz, to_time timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made int := 0;
    slot record;
    part record;
    name text;
BEGIN
    IF from_time IS NULL OR to_time IS NULL OR to_time > now() + interval '1 year' THEN
        RAISE EXCEPTION 'partitions up to % are not made', to_time USING ERRCODE = '22023';
    END IF;
    SELECT * INTO slot FROM core.partition_bounds(from_time);
    WHILE slot.from_time <= to_time LOOP
        FOR part IN SELECT p.relation FROM core.partitioned p
                    WHERE p.is_backfilled OR slot.to_time > now() - interval '7 days'
                    ORDER BY p.relation::oid LOOP
            name := core.partition_name(part.relation, slot.from_time, slot.to_time);
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.partitions', 0));
            -- Another caller may have made it while this one waited. Asked of the catalog itself:
            -- to_regclass would repeat from its cache that there is none.
            CONTINUE WHEN EXISTS (
                SELECT FROM pg_inherits i
                JOIN pg_class c ON c.oid = i.inhrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE i.inhparent = part.relation
                  AND format('%I.%I', n.nspname, c.relname) = name);
            PERFORM core.partition_make(part.relation, slot.from_time, slot.to_time);
            made := made + 1;
        END LOOP;
        SELECT * INTO slot FROM core.partition_bounds(slot.to_time);
    END LOOP;
    RETURN made;
END
$$;

-- Drops the partitions that end at or before `before`, oldest first; returns their names. Ends at
-- one that is in use, for the next run to go on: nobody waits longer than lock_timeout.
CREATE FUNCTION core.partitions_drop(relation regclass, before timestamptz) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '2s'
AS $$
DECLARE
    part    record;
    dropped text[] := '{}';
BEGIN
    FOR part IN
        SELECT p.name
        FROM (SELECT c.oid::regclass::text AS name,
                     substring(pg_get_expr(c.relpartbound, c.oid)
                               from 'TO \(''([^'']+)''\)')::timestamptz AS to_time
              FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
              WHERE i.inhparent = relation) p
        WHERE p.to_time <= before
        ORDER BY p.to_time
    LOOP
        BEGIN
            EXECUTE format('DROP TABLE %s', part.name);
            dropped := dropped || part.name;
        EXCEPTION WHEN lock_not_available THEN
            -- Whoever uses this one may well use the others: waiting for each would add up.
            RAISE WARNING 'partition % is in use, dropped next time', part.name;
            EXIT;
        END;
    END LOOP;
    RETURN dropped;
END
$$;
