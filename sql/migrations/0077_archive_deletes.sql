-- Deleting samples reaches what the archive alone has: what is deleted of days that are archived is void
-- there, at once for who reads, and by a tombstone once the archiver has written it.

SET LOCAL ROLE tidemark_door;

-- What is void of the files of days, and no tombstone says yet: series that were erased, whole, and what
-- was deleted of others; both ends included.
DROP FUNCTION api.archive_erased(text, text, text);
CREATE FUNCTION api.archive_erased(of_relation text, from_day text, to_day text)
RETURNS TABLE (day text, device text, metric text, labels text, from_time timestamptz,
               to_time timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT to_char(c.day, 'YYYY-MM-DD'), c.device, c.metric, c.labels::text, c.from_time, c.to_time
    FROM core.archive_change c
    WHERE c.tenant_id = core.tenant() AND c.relation = of_relation
      AND c.day >= from_day::date AND c.day <= to_day::date AND c.is_erasure;
END
$$;

-- How many samples of a device, of a metric or all (NULL), lie in [from_time, to_time), on how many days
-- of that the archive alone has the tenant's samples, and what speaks against deleting them; NULL:
-- nothing. More than `most` are not counted.
DROP FUNCTION api.sample_delete_check(text, text, timestamptz, timestamptz);
CREATE FUNCTION api.sample_delete_check(of_device text, of_metric text, from_time timestamptz,
                                        to_time timestamptz, OUT n_samples bigint,
                                        OUT n_days bigint, OUT problem text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET enable_bitmapscan = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    most CONSTANT bigint := 5000000;
    most_notes CONSTANT bigint := 100000;
    home CONSTANT int := core.tenant();
    of_id CONSTANT int := core.device_hold(home, of_device);
    since timestamptz := '-infinity';
    is_known boolean := of_metric IS NULL;
    n_series bigint := 0;
    n_archived bigint;
    first_archived date;
    series record;
BEGIN
    n_samples := 0;
    FOR series IN SELECT s.id, core.correctable_from(home, s.id) AS since FROM core.series s
                  WHERE s.tenant_id = home AND s.device_id = of_id
                    AND (of_metric IS NULL OR s.metric = of_metric)
    LOOP
        is_known := true;
        n_series := n_series + 1;
        since := greatest(since, series.since);
        n_samples := n_samples + (
            SELECT count(*) FROM (SELECT FROM core.sample x
                                  WHERE x.tenant_id = home AND x.series_id = series.id
                                    AND x.time >= from_time AND x.time < to_time
                                  LIMIT most + 1 - n_samples) x);
    END LOOP;
    SELECT count(*), count(*) FILTER (WHERE NOT d.is_held), min(d.day)
    INTO n_archived, n_days, first_archived
    FROM core.archive_day d
    WHERE d.tenant_id = home AND d.relation = 'samples' AND d.day >= from_time::date
      AND d.day <= (to_time - interval '1 microsecond')::date;
    problem := CASE
        WHEN NOT is_known THEN 'metric: the device has no such metric'
        WHEN from_time < since AND coalesce(first_archived >= since, true) THEN format(
            'from: readings before %s are kept no longer, and what was made of them stays; '
            'delete from there on', core.instant_text(since))
        WHEN n_archived * n_series > most_notes THEN
            'these are more days of the archive than are deleted at once; delete a shorter time'
        WHEN n_samples > most THEN
            format('these are more than %s readings; delete a shorter time', most) END;
END
$$;

-- Notes that samples of the series in [from_time, to_time) are deleted from the days that the archive
-- has; how many days these are.
CREATE FUNCTION core.archive_note_deletion(home int, ids int[], from_time timestamptz,
                                           to_time timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    stop CONSTANT timestamptz := to_time - interval '1 microsecond';
    days CONSTANT date[] := ARRAY(
        SELECT d.day FROM core.archive_day d
        WHERE d.tenant_id = home AND d.relation = 'samples' AND d.day >= from_time::date
          AND d.day <= stop::date);
BEGIN
    INSERT INTO core.archive_change (tenant_id, relation, day, series, device, metric, labels,
                                     from_time, to_time, is_erasure)
    SELECT home, 'samples', d.day, s.id, v.key, s.metric, s.labels, greatest(d.day, from_time),
           least(d.day + interval '1 day' - interval '1 microsecond', stop), true
    FROM unnest(days) AS d (day)
    CROSS JOIN core.series s
    JOIN core.device v ON v.tenant_id = s.tenant_id AND v.id = s.device_id
    WHERE s.tenant_id = home AND s.id = ANY (ids);
    RETURN cardinality(days);
END
$$;

-- Deletes samples of a device, of a metric or all (NULL), in [from_time, to_time), from the archive, too;
-- how many of the database's. What retention had made of those that it dropped since stays.
CREATE OR REPLACE FUNCTION api.sample_delete(of_device text, of_metric text, from_time timestamptz,
                                             to_time timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    of_id CONSTANT int := core.device_hold(home, of_device);
    ids  CONSTANT int[] := ARRAY(SELECT s.id FROM core.series s
                                 WHERE s.tenant_id = home AND s.device_id = of_id
                                   AND (of_metric IS NULL OR s.metric = of_metric)
                                 ORDER BY s.id);
    asked record;
    had   record;
    since timestamptz;
    id    int;
    n_deleted bigint := 0;
    n_archived bigint;
    n_rows bigint;
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.floor_hold(home, ids);
    PERFORM pg_advisory_xact_lock_shared(core.archive_lock(home));
    SELECT * INTO asked FROM api.sample_delete_check(of_device, of_metric, from_time, to_time);
    IF asked.problem IS NOT NULL THEN
        RAISE EXCEPTION '%', asked.problem USING ERRCODE = 'TM409';
    END IF;
    FOREACH id IN ARRAY ids LOOP
        SELECT count(*) AS n, min(x.time) AS first, max(x.time) AS last INTO had
        FROM core.sample x
        WHERE x.tenant_id = home AND x.series_id = id AND x.time >= from_time AND x.time < to_time;
        CONTINUE WHEN had.n = 0;
        DELETE FROM core.sample x
        WHERE x.tenant_id = home AND x.series_id = id AND x.time >= had.first
          AND x.time <= had.last;
        GET DIAGNOSTICS n_rows = ROW_COUNT;
        IF EXISTS (SELECT FROM core.sample x
                   WHERE x.tenant_id = home AND x.series_id = id AND x.time >= had.first
                     AND x.time <= had.last) THEN
            RAISE EXCEPTION 'readings arrive in that time; try again' USING ERRCODE = 'TM409';
        END IF;
        n_deleted := n_deleted + greatest(had.n, n_rows);
        -- before that nothing is derived anew: the samples that it was made of are not there
        since := greatest(had.first, core.correctable_from(home, id));
        INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
        SELECT home, id, since, had.last WHERE since <= had.last;
    END LOOP;
    n_archived := core.archive_note_deletion(home, ids, from_time, to_time);
    IF n_deleted > 0 THEN
        PERFORM core.series_last_set(home, ids);
    END IF;
    IF n_deleted > 0 OR n_archived > 0 THEN
        PERFORM core.audit_add(home, 'sample.delete', of_device, jsonb_strip_nulls(
            jsonb_build_object('deleted', n_deleted, 'archived_days', nullif(n_archived, 0),
                               'metric', of_metric, 'from', core.instant_text(from_time),
                               'to', core.instant_text(to_time))));
    END IF;
    RETURN n_deleted;
END
$$;

DROP FUNCTION core.archive_away(text, timestamptz, timestamptz);

GRANT EXECUTE ON FUNCTION api.archive_erased(text, text, text),
    api.sample_delete_check(text, text, timestamptz, timestamptz) TO tidemark_web;
