-- Rollups of samples, the same on both engines: quarter hours and hours of UTC; days, weeks and
-- months of the device's site. The tables hold closed buckets; what is open yet is computed from
-- them and from samples when it is read. Closing a quarter hour is one statement for all series;
-- after that exactly the buckets that core.change names are derived again.

-- engine: sample_policy

-- ---- partitions of other widths ----

-- engine: rollup_partitions

-- ---- tables ----

-- A bucket by the instant it begins at. `sum` was added up in the order of time.
CREATE TABLE core.rollup_15m (
    tenant_id  int NOT NULL,
    series_id  int NOT NULL,
    bucket     timestamptz NOT NULL,
    count      bigint NOT NULL,
    sum        float8 NOT NULL,
    min        float8 NOT NULL,
    max        float8 NOT NULL,
    first      float8 NOT NULL,
    first_time timestamptz NOT NULL,
    last       float8 NOT NULL,
    last_time  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, series_id, bucket)
-- engine: bucket_partitioned
CREATE TABLE core.rollup_1h (LIKE core.rollup_15m INCLUDING ALL
-- engine: bucket_partitioned
CREATE TABLE core.rollup_1d (LIKE core.rollup_15m INCLUDING ALL
-- engine: bucket_partitioned
CREATE TABLE core.rollup_1w (LIKE core.rollup_15m INCLUDING ALL
-- engine: bucket_partitioned
CREATE TABLE core.rollup_1mo (LIKE core.rollup_15m INCLUDING ALL
-- engine: bucket_partitioned
SELECT core.partition_by_bucket('core.rollup_15m', interval '28 days'),
       core.partition_by_bucket('core.rollup_1h', interval '28 days'),
       core.partition_by_bucket('core.rollup_1d', interval '1 year'),
       core.partition_by_bucket('core.rollup_1w', interval '1 year'),
       core.partition_by_bucket('core.rollup_1mo', interval '1 year');
GRANT SELECT, INSERT, UPDATE, DELETE ON core.rollup_15m, core.rollup_1h, core.rollup_1d,
    core.rollup_1w, core.rollup_1mo TO tidemark_door;

-- How far quarter hours are closed. Those that begin before closed_until are in the tables. From
-- closing_until on nobody has looked yet: a sample before it has to be noted in core.change by
-- whoever stores it (api.ingest_guard). The two differ while a step is being closed.
CREATE TABLE core.rollup_state (
    is_only       boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    closing_until timestamptz NOT NULL,
    closed_until  timestamptz NOT NULL CHECK (closed_until <= closing_until)
);
GRANT SELECT, UPDATE ON core.rollup_state TO tidemark_door;

-- Who reads core.change, and how far: rows with xid < done_xid were read, and those that the
-- snapshot `seen` shows. What a transaction writes that began before others and ends after them
-- is missed by neither, and nobody waits for it.
CREATE TABLE core.change_reader (
    name     text PRIMARY KEY,
    done_xid xid8 NOT NULL,
    seen     pg_snapshot
);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.change_reader TO tidemark_door;

-- What has to be derived again: quarter hours of a series from from_time, before to_time. Ranges
-- of a series do not touch each other.
CREATE TABLE core.rollup_dirty (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    from_time timestamptz NOT NULL,
    to_time   timestamptz NOT NULL CHECK (to_time > from_time),
    PRIMARY KEY (tenant_id, series_id, from_time)
);
SELECT core.protect('core.rollup_dirty', 'tenant_id');

-- Series whose zone, or whose unit, kind or role, was changed.
CREATE TABLE core.rollup_recast (
    tenant_id  int NOT NULL,
    series_id  int NOT NULL,
    is_rezoned boolean NOT NULL,
    is_reset   boolean NOT NULL,
    PRIMARY KEY (tenant_id, series_id)
);
SELECT core.protect('core.rollup_recast', 'tenant_id');

-- What retention took of a series: samples before raw_from, quarter hours and hours before
-- fine_from, days, weeks and months before day_from. A bucket that begins before the floor of
-- what it derives from is not whole any more: it may be made, but what is there stays.
CREATE TABLE core.series_floor (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    raw_from  timestamptz NOT NULL DEFAULT '-infinity',
    fine_from timestamptz NOT NULL DEFAULT '-infinity',
    day_from  timestamptz NOT NULL DEFAULT '-infinity',
    seam      timestamptz NOT NULL DEFAULT '-infinity', -- before it days of another zone count
    PRIMARY KEY (tenant_id, series_id)
);
SELECT core.protect('core.series_floor', 'tenant_id');

-- Buckets that were made below a floor, of samples that came after it was raised: these are
-- whole, and may be derived again until it is raised the next time.
CREATE TABLE core.rollup_reopened (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    grain     text NOT NULL,
    bucket    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, series_id, grain, bucket)
);
SELECT core.protect('core.rollup_reopened', 'tenant_id');

-- Everything there is has to be derived once.
INSERT INTO core.rollup_state (closing_until, closed_until)
SELECT c.until, c.until
FROM date_bin('15 minutes', now() - interval '5 minutes', timestamptz '2000-01-01 00:00:00+00')
     AS c (until);
INSERT INTO core.change_reader (name, done_xid)
VALUES ('rollup', pg_snapshot_xmin(pg_current_snapshot()));
SET LOCAL ROLE tidemark_door;
INSERT INTO core.rollup_dirty (tenant_id, series_id, from_time, to_time)
SELECT x.tenant_id, x.id, '-infinity', s.closed_until FROM core.series x, core.rollup_state s;
SET LOCAL ROLE tidemark_owner;

-- ---- what builds on rollups ----
-- Called in the transaction that writes them; later migrations replace these.

SET LOCAL ROLE tidemark_door;

-- Every series' quarter hours in [from_time, to_time) were closed.
CREATE FUNCTION core.derived_close(from_time timestamptz, to_time timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN NULL; END $$;

-- The closed quarter hours in [from, to) of the series were derived again. Parallel arrays, a
-- series in one or several places; a range may begin at -infinity.
CREATE FUNCTION core.derived_follow(tenant_ids int[], series_ids int[], from_times timestamptz[],
                                    to_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN NULL; END $$;

-- What following [from_time, to_time) of a series costs beyond the range itself, in samples.
CREATE FUNCTION core.derived_cost(owner int, series int, from_time timestamptz,
                                  to_time timestamptz) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN 0; END $$;

-- The series are in another zone: days are other ones.
CREATE FUNCTION core.derived_rezone(tenant_ids int[], series_ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN NULL; END $$;

-- The series' unit, kind or role is another.
CREATE FUNCTION core.derived_reset(tenant_ids int[], series_ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN NULL; END $$;

-- engine: rollup_derive

-- engine: rollup_close

-- engine: rollup_follow

-- engine: rollup_recast

-- engine: rollup_read

-- engine: tenant_tables

-- engine: rollup_settings
