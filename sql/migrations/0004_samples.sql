-- Samples: a series' value at a time. By far the largest table. It carries no row-level security
-- (compression and COPY do not go with it), so nobody may read it: `api` reaches it for one
-- tenant at a time. Ingest may insert and nothing else.

CREATE TABLE core.sample (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    time      timestamptz NOT NULL,
    value     float8 NOT NULL,
    PRIMARY KEY (tenant_id, series_id, time)
-- engine: time_partitioned

-- Where partitions begin: weeks from this instant on, calendar years before it, so that twenty
-- years of backfill are not a thousand partitions. Fixed when the schema is made: bounds that
-- moved would overlap.
CREATE TABLE core.partition_anchor (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    time    timestamptz NOT NULL
);
INSERT INTO core.partition_anchor (time)
VALUES (date_trunc('week', now() - interval '1 year', 'UTC'));

-- The bounds of the partition that holds `time`. Deterministic and without overlap: seven days
-- from the anchor on; before it the calendar year (UTC), the last one cut at the anchor; all
-- before 1900 together.
CREATE FUNCTION core.partition_bounds("time" timestamptz,
                                      OUT from_time timestamptz, OUT to_time timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    anchor timestamptz := (SELECT a.time FROM core.partition_anchor a);
    eldest timestamptz := '1900-01-01 00:00:00+00';
BEGIN
    IF "time" >= anchor THEN
        from_time := date_bin('7 days', "time", anchor);
        to_time := from_time + interval '7 days';
    ELSIF "time" < eldest THEN
        from_time := '-infinity';
        to_time := eldest;
    ELSE
        from_time := date_trunc('year', "time", 'UTC');
        to_time := least(from_time + interval '1 year', anchor);
    END IF;
END
$$;

-- engine: partitions

-- By column: chunks, compressed ones too, inherit a table's grants but not its columns', and an
-- INSERT into a compressed chunk past TimescaleDB would corrupt it. (Before compression is
-- enabled: TimescaleDB would repeat it on the compressed table, which has no such columns.)
GRANT INSERT (tenant_id, series_id, time, value) ON core.sample TO tidemark_ingest;

-- engine: sample

GRANT SELECT, INSERT, UPDATE, DELETE ON core.sample TO tidemark_door;
GRANT EXECUTE ON FUNCTION api.partitions_ensure(timestamptz, timestamptz) TO tidemark_ingest,
    tidemark_worker, tidemark_operator;
