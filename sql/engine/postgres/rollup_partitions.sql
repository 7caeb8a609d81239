-- Partitions of other widths than seven days, over another column than `time`.

-- is_derived: made by what derives the rows (core.partitions_ensure_of), not by what arrives.
ALTER TABLE core.partitioned
    ADD COLUMN width interval NOT NULL DEFAULT '7 days',
    ADD COLUMN is_derived boolean NOT NULL DEFAULT false;

-- Takes the table, made with PARTITION BY RANGE (bucket), among those whose partitions are made.
CREATE FUNCTION core.partition_by_bucket(relation regclass, width interval) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.partitioned VALUES (relation, true, width, true);
END
$$;

-- The bounds of the partition that holds `time`. Deterministic and without overlap: `width` from
-- the anchor on; before it the calendar year (UTC), the last one cut at the anchor; all before
-- 1900 together. With a width of a year or more the calendar year throughout.
DROP FUNCTION core.partition_bounds(timestamptz);
CREATE FUNCTION core.partition_bounds("time" timestamptz, width interval DEFAULT '7 days',
                                      OUT from_time timestamptz, OUT to_time timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    anchor timestamptz := CASE WHEN width < interval '1 year'
                               THEN (SELECT a.time FROM core.partition_anchor a)
                               ELSE 'infinity' END;
    eldest timestamptz := '1900-01-01 00:00:00+00';
BEGIN
    IF "time" >= anchor THEN
        from_time := date_bin(width, "time", anchor);
        to_time := from_time + width;
    ELSIF "time" < eldest THEN
        from_time := '-infinity';
        to_time := eldest;
    ELSE
        from_time := date_trunc('year', "time", 'UTC');
        to_time := least(from_time + interval '1 year', anchor);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION core.partition_name(relation regclass, from_time timestamptz,
                                               to_time timestamptz)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT format('%I.%I', n.nspname, c.relname || '_' || CASE
        WHEN from_time = '-infinity' THEN 'eldest'
        -- a year, or what the anchor left of it
        WHEN to_time - from_time > interval '7 days' AND from_time = date_trunc('year', from_time)
            THEN 'y' || to_char(from_time, 'YYYY')
        ELSE to_char(from_time, 'YYYYMMDD') END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = relation
$$;

CREATE OR REPLACE FUNCTION core.partition_make(relation regclass, from_time timestamptz,
                                               to_time timestamptz)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    child text := core.partition_name(relation, from_time, to_time);
    key   name;
BEGIN
    SELECT a.attname INTO key
    FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = relation;
    EXECUTE format('CREATE TABLE %1$s (LIKE %2$s INCLUDING ALL, CONSTRAINT bound'
                   ' CHECK (%3$I >= %4$L AND %3$I < %5$L))', child, relation, key, from_time, to_time);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                   relation, child, from_time, to_time);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT bound', child);
END
$$;

-- Makes the partitions of the relations that hold [from_time, to_time]; returns how many were
-- missing. Callers may be concurrent: they queue only where something is missing. Times must be
-- finite.
CREATE FUNCTION core.partitions_ensure_of(relations regclass[], from_time timestamptz,
                                          to_time timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made int := 0;
    part record;
    slot record;
    name text;
BEGIN
    FOR part IN SELECT p.* FROM core.partitioned p WHERE p.relation = ANY (relations)
                ORDER BY p.relation::oid LOOP
        SELECT * INTO slot FROM core.partition_bounds(from_time, part.width);
        WHILE slot.from_time <= to_time LOOP
            name := core.partition_name(part.relation, slot.from_time, slot.to_time);
            IF to_regclass(name) IS NULL
               AND (part.is_backfilled OR slot.to_time > now() - interval '7 days') THEN
                PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.partitions', 0));
                -- Another caller may have made it while this one waited. Asked of the catalog
                -- itself: to_regclass would repeat from its cache that there is none.
                IF NOT EXISTS (
                    SELECT FROM pg_inherits i
                    JOIN pg_class c ON c.oid = i.inhrelid
                    JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE i.inhparent = part.relation
                      AND format('%I.%I', n.nspname, c.relname) = name) THEN
                    PERFORM core.partition_make(part.relation, slot.from_time, slot.to_time);
                    made := made + 1;
                END IF;
            END IF;
            SELECT * INTO slot FROM core.partition_bounds(slot.to_time, part.width);
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;
GRANT EXECUTE ON FUNCTION core.partitions_ensure_of(regclass[], timestamptz, timestamptz)
    TO tidemark_door;

-- Makes the partitions that what arrives in [from_time, to_time] needs; returns how many were
-- missing. Refuses times more than a year ahead: a wrong clock shall not fill the catalog.
CREATE OR REPLACE FUNCTION api.partitions_ensure(from_time timestamptz, to_time timestamptz)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF from_time IS NULL OR to_time IS NULL OR to_time > now() + interval '1 year' THEN
        RAISE EXCEPTION 'partitions up to % are not made', to_time USING ERRCODE = '22023';
    END IF;
    RETURN core.partitions_ensure_of(
        ARRAY(SELECT p.relation FROM core.partitioned p WHERE NOT p.is_derived),
        from_time, to_time);
END
$$;

-- Partitions for what may arrive during the next days, and for what is derived of it.
CREATE OR REPLACE FUNCTION ops.partitions_ahead() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.partitions_ensure_of(ARRAY(SELECT p.relation FROM core.partitioned p),
                                     now() - interval '7 days', now() + interval '14 days');
END
$$;
