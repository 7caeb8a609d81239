-- The names of TimescaleDB's continuous aggregates as ordinary views: computed when they are read.

CREATE VIEW core.event_count_1h AS
SELECT e.tenant_id, e.device_id, e.type,
       date_bin('1 hour', e.time, timestamptz '2000-01-01 00:00:00+00') AS bucket,
       count(*) AS count
FROM core.event e
GROUP BY 1, 2, 3, 4;

CREATE VIEW core.event_count_1d AS
SELECT e.tenant_id, e.device_id, e.type,
       date_bin('1 day', e.time, timestamptz '2000-01-01 00:00:00+00') AS bucket,
       count(*) AS count
FROM core.event e
GROUP BY 1, 2, 3, 4;

CREATE VIEW ops.system_metric_1h AS
SELECT m.name, date_bin('1 hour', m.time, timestamptz '2000-01-01 00:00:00+00') AS bucket,
       count(*) AS count, avg(m.value) AS avg, min(m.value) AS min, max(m.value) AS max,
       (array_agg(m.value ORDER BY m.time DESC))[1] AS last
FROM ops.system_metric m
GROUP BY 1, 2;

CREATE VIEW ops.system_metric_1d AS
SELECT m.name, date_bin('1 day', m.time, timestamptz '2000-01-01 00:00:00+00') AS bucket,
       count(*) AS count, avg(m.value) AS avg, min(m.value) AS min, max(m.value) AS max,
       (array_agg(m.value ORDER BY m.time DESC))[1] AS last
FROM ops.system_metric m
GROUP BY 1, 2;

CREATE FUNCTION core.aggregate_store(aggregate regclass) RETURNS regclass
LANGUAGE sql IMMUTABLE
AS 'SELECT NULL::regclass';

-- Nothing to refresh, no policies.
CREATE FUNCTION ops.aggregate_list()
RETURNS TABLE (aggregate text, from_time timestamptz, to_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN; END $$;

CREATE FUNCTION ops.aggregate_policies() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN 0; END $$;

CREATE PROCEDURE ops.aggregate_refresh(aggregate text, from_time timestamptz, to_time timestamptz)
LANGUAGE plpgsql
AS $$ BEGIN NULL; END $$;
