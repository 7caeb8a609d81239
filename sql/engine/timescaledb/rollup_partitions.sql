-- Chunks are made by the insert that needs them, but for old times: a chunk for each week of the
-- last centuries would be more than a transaction can lock.

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

-- Makes one chunk; false: it is there, or this version of the extension has another way, and its
-- inserts make chunks as narrow as ever.
CREATE FUNCTION core.chunk_make(relation regclass, from_time timestamptz, to_time timestamptz)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_made boolean;
BEGIN
    SELECT c.created INTO is_made
    FROM (SELECT h.hypertable_schema, h.hypertable_name, h.primary_dimension
          FROM timescaledb_information.hypertables h
          WHERE format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass = relation) d
    CROSS JOIN LATERAL _timescaledb_functions.create_chunk(
        relation, jsonb_build_object(d.primary_dimension, jsonb_build_array(
            _timescaledb_functions.to_unix_microseconds(from_time),
            _timescaledb_functions.to_unix_microseconds(to_time)))) c;
    RETURN coalesce(is_made, false);
EXCEPTION WHEN undefined_function THEN
    RETURN false;
END
$$;

-- Makes the chunks of the relations that hold what of [from_time, to_time] is old; returns how many
-- were missing: one a calendar year (UTC) that ended more than a year ago, one for all before 1900,
-- as far as no others are there. Callers may be concurrent: they queue only where something is
-- missing. Times must be finite.
CREATE FUNCTION core.partitions_ensure_of(relations regclass[], from_time timestamptz,
                                          to_time timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    eldest CONSTANT tstzrange := '[0001-01-01,1900-01-01)';
    stop   CONSTANT timestamptz := least(to_time, date_trunc('year', now() - interval '1 year')
                                                  - interval '1 microsecond');
    made int := 0;
    part regclass;
    year tstzrange;
    gap  tstzrange;
BEGIN
    IF from_time > stop THEN
        RETURN 0;
    END IF;
    FOR part, year IN
        SELECT r.relation, y.year
        FROM unnest(relations) AS r (relation)
        CROSS JOIN (SELECT eldest AS year WHERE from_time < upper(eldest)
                    UNION ALL
                    SELECT tstzrange(t, t + interval '1 year')
                    FROM generate_series(greatest(date_trunc('year', from_time), upper(eldest)), stop,
                                         interval '1 year') t) y
        ORDER BY r.relation::oid, y.year
    LOOP
        CONTINUE WHEN (SELECT range_agg(tstzrange(c.from_time, c.to_time)) @> year
                       FROM core.chunk_list(part) c);
        PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.partitions', 0));
        FOR gap IN
            SELECT unnest(tstzmultirange(year) - coalesce(range_agg(tstzrange(
                              c.from_time, c.to_time)), '{}'::tstzmultirange))
            FROM core.chunk_list(part) c
        LOOP
            made := made + core.chunk_make(part, lower(gap), upper(gap))::int;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;
GRANT EXECUTE ON FUNCTION core.partitions_ensure_of(regclass[], timestamptz, timestamptz)
    TO tidemark_door;

-- Makes the chunks that old times arriving in [from_time, to_time] need; returns how many were
-- missing. Refuses times more than a year ahead, as on the other engine.
CREATE OR REPLACE FUNCTION api.partitions_ensure(from_time timestamptz, to_time timestamptz)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF from_time IS NULL OR to_time IS NULL OR to_time > now() + interval '1 year' THEN
        RAISE EXCEPTION 'partitions up to % are not made', to_time USING ERRCODE = '22023';
    END IF;
    RETURN core.partitions_ensure_of('{core.sample,core.event}', from_time, to_time);
END
$$;
