-- What admins change after the fact: values of samples put right, samples deleted, devices and
-- persons erased. One function each, which counts anew what it did: on compressed chunks a
-- statement can report what it did not do. What is derived follows by core.change.

-- Devices and series that were erased: an ingest process that remembers them for some seconds may
-- commit rows after them. ops.residue_erase looks for those for a day; numbers are never reused.
CREATE TABLE core.erased (
    tenant_id int NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('device', 'series')),
    id        int NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, id)
);
SELECT core.protect('core.erased', 'tenant_id');
GRANT EXECUTE ON FUNCTION api.partitions_ensure(timestamptz, timestamptz) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- ---- what may be corrected ----

-- From here on all that is derived from a series' samples follows them. Before it retention took
-- samples, or quarter hours of a day, or days of a week or month: what was made of them stays.
CREATE FUNCTION core.correctable_from(owner int, series int) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone CONSTANT text := core.series_zone(owner, series);
    held core.series_floor;
BEGIN
    SELECT f.* INTO held FROM core.series_floor f
    WHERE f.tenant_id = owner AND f.series_id = series;
    RETURN greatest(
        '-infinity',
        CASE WHEN held.raw_from > '-infinity' THEN
            core.quarter(held.raw_from - interval '1 microsecond') + interval '15 minutes' END,
        CASE WHEN held.fine_from > '-infinity' THEN
            core.next_start('day', held.fine_from - interval '1 microsecond', zone) END,
        CASE WHEN held.day_from > '-infinity' THEN
            core.next_start('week', held.day_from - interval '1 microsecond', zone) END,
        CASE WHEN held.day_from > '-infinity' THEN
            core.next_start('month', held.day_from - interval '1 microsecond', zone) END);
END
$$;

-- Where the local day, week or month (`unit`) after that of an instant begins.
CREATE FUNCTION core.next_start(unit text, at timestamptz, tz text) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
    SELECT core.local_start(unit, (date_trunc(unit, at AT TIME ZONE tz) + ('1 ' || unit)::interval
                                   + interval '12 hours') AT TIME ZONE tz, tz)
$$;

-- An instant as clients read it.
CREATE FUNCTION core.instant_text(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

-- A device by its key; it is there until the transaction ends.
CREATE FUNCTION core.device_hold(home int, of_key text) RETURNS int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id int;
BEGIN
    SELECT d.id INTO found_id FROM core.device d WHERE d.tenant_id = home AND d.key = of_key
    FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    RETURN found_id;
END
$$;

-- Keeps retention away from the series until the transaction ends: it raises floors first.
CREATE FUNCTION core.floor_hold(home int, ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.series_floor (tenant_id, series_id)
    SELECT DISTINCT home, i.id FROM unnest(ids) AS i (id) ORDER BY 2
    ON CONFLICT DO NOTHING;
    PERFORM FROM core.series_floor f
    WHERE f.tenant_id = home AND f.series_id = ANY (ids)
    ORDER BY f.series_id FOR SHARE;
END
$$;

-- The series that corrections mean (labels NULL: the only one of its metric), or what is wrong with
-- them. Parallel arrays; ord counts from 1.
CREATE FUNCTION core.correction_judge(home int, of_device int, metrics text[], labels text[],
                                      times timestamptz[], vals float8[])
RETURNS TABLE (ord int, series_id int, problem text)
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH input AS (
        SELECT i.ord, i.metric, i.labels::jsonb AS labels, i.time, i.value
        FROM unnest(metrics, correction_judge.labels, times, vals) WITH ORDINALITY
             AS i (metric, labels, time, value, ord)
    ), named AS MATERIALIZED (
        SELECT i.*, n.n, CASE WHEN n.n = 1 THEN n.id END AS id
        FROM input i
        CROSS JOIN LATERAL (
            SELECT count(*) AS n, min(s.id) AS id
            FROM core.series s
            WHERE s.tenant_id = home AND s.device_id = of_device AND s.metric = i.metric
              AND (i.labels IS NULL OR md5(s.labels::text) = md5(i.labels::text))) n
    ), floors AS MATERIALIZED (
        SELECT d.id, core.correctable_from(home, d.id) AS since
        FROM (SELECT DISTINCT n.id FROM named n WHERE n.id IS NOT NULL) d
    )
    SELECT n.ord::int, n.id, CASE
        WHEN n.n = 0 THEN 'metric: the device has no such series'
        WHEN n.n > 1 THEN 'labels: the metric has several series; say which one'
        WHEN n.time > now() + interval '24 hours' THEN 'time: is more than 24 hours ahead'
        WHEN n.time < f.since THEN format(
            'time: readings before %s are kept no longer, and what was made of them stays',
            core.instant_text(f.since))
        WHEN abs(n.value) > 1e100 THEN 'value: must be a finite number of at most 1e100 in size'
        WHEN row_number() OVER (PARTITION BY n.id, n.time ORDER BY n.ord) > 1 THEN
            'time: this series and time is in the list already' END
    FROM named n LEFT JOIN floors f ON f.id = n.id
    ORDER BY n.ord;
END
$$;

-- What is wrong with corrections, by their place in the list (from 1); no row: nothing.
CREATE FUNCTION api.sample_put_problems(of_device text, metrics text[], labels text[],
                                        times timestamptz[], vals float8[])
RETURNS TABLE (ord int, problem text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT j.ord, j.problem
    FROM core.correction_judge(home, core.device_hold(home, of_device), metrics, labels, times,
                               vals) j
    WHERE j.problem IS NOT NULL
    ORDER BY j.ord;
END
$$;

-- ---- last values ----

-- Sets the last values of series to their newest samples.
CREATE FUNCTION core.series_last_set(home int, ids int[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    -- whoever flushes a newer one waits, and then moves on from here
    PERFORM FROM core.series_last l
    WHERE l.tenant_id = home AND l.series_id = ANY (ids)
    ORDER BY l.series_id FOR UPDATE;
    WITH newest AS MATERIALIZED (
        SELECT i.id, x.time, x.value
        FROM (SELECT DISTINCT u.id FROM unnest(ids) AS u (id)) i
        LEFT JOIN LATERAL (
            SELECT p.time, p.value FROM core.sample p
            WHERE p.tenant_id = home AND p.series_id = i.id
            ORDER BY p.time DESC LIMIT 1) x ON true
    ), gone AS (
        DELETE FROM core.series_last l USING newest n
        WHERE n.time IS NULL AND l.tenant_id = home AND l.series_id = n.id
    )
    INSERT INTO core.series_last AS l (tenant_id, series_id, time, value)
    SELECT home, n.id, n.time, n.value FROM newest n WHERE n.time IS NOT NULL ORDER BY n.id
    ON CONFLICT (tenant_id, series_id) DO UPDATE SET time = excluded.time, value = excluded.value
    WHERE (l.time, l.value) IS DISTINCT FROM (excluded.time, excluded.value);
END
$$;

-- Brings last values up to the samples, where ingest was killed before it flushed them, and back
-- where it flushed one that was deleted meanwhile; how many.
CREATE OR REPLACE FUNCTION ops.series_last_repair() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    n_rows bigint;
    n_gone bigint;
BEGIN
    INSERT INTO core.series_last AS l (tenant_id, series_id, time, value)
    SELECT s.tenant_id, s.id, x.time, x.value
    FROM core.series s
    LEFT JOIN core.series_last k ON k.tenant_id = s.tenant_id AND k.series_id = s.id
    CROSS JOIN LATERAL (
        SELECT p.time, p.value FROM core.sample p
        WHERE p.tenant_id = s.tenant_id AND p.series_id = s.id
          AND p.time >= coalesce(k.time, '-infinity')
        ORDER BY p.time DESC
        LIMIT 1) x
    WHERE (k.time, k.value) IS DISTINCT FROM (x.time, x.value)
    ORDER BY s.tenant_id, s.id
    ON CONFLICT (tenant_id, series_id) DO UPDATE SET time = excluded.time, value = excluded.value
    WHERE l.time <= excluded.time;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    WITH stale AS MATERIALIZED (
        SELECT k.tenant_id, k.series_id FROM core.series_last k
        WHERE NOT EXISTS (SELECT FROM core.sample p
                          WHERE p.tenant_id = k.tenant_id AND p.series_id = k.series_id
                            AND p.time >= k.time OFFSET 0)
          -- what retention took is the last value still
          AND k.time >= core.correctable_from(k.tenant_id, k.series_id)
    ), each_tenant AS (
        SELECT s.tenant_id, array_agg(s.series_id) AS ids FROM stale s GROUP BY s.tenant_id
    )
    SELECT count(*) INTO n_gone
    FROM (SELECT core.series_last_set(e.tenant_id, e.ids), unnest(e.ids) FROM each_tenant e) x;
    RETURN n_rows + n_gone;
END
$$;

-- ---- putting right ----

-- Sets the values of series of a device at times: replaces what is there, inserts where nothing
-- is. Fails, with the first problem, unless all of them are in order (api.sample_put_problems).
CREATE FUNCTION api.sample_put(of_device text, metrics text[], labels text[], times timestamptz[],
                               vals float8[], OUT updated bigint, OUT inserted bigint,
                               OUT unchanged bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    of_id CONSTANT int := core.device_hold(home, of_device);
    n    CONSTANT int := cardinality(times);
    ids  int[];
    problem text;
    done bigint;
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.floor_hold(home, ARRAY(SELECT s.id FROM core.series s
                                        WHERE s.tenant_id = home AND s.device_id = of_id));
    SELECT array_agg(j.series_id ORDER BY j.ord),
           (array_agg(format('item %s: %s', j.ord - 1, j.problem) ORDER BY j.ord)
            FILTER (WHERE j.problem IS NOT NULL))[1]
    INTO ids, problem
    FROM core.correction_judge(home, of_id, metrics, labels, times, vals) j;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = 'TM422';
    END IF;
    PERFORM api.partitions_ensure(min(t.time), max(t.time))
    FROM unnest(times) AS t (time) GROUP BY date_trunc('week', t.time, 'UTC');
    SELECT count(*) FILTER (WHERE o.outcome = 2), count(*) FILTER (WHERE o.outcome = 1),
           count(*) FILTER (WHERE o.outcome = 0)
    INTO updated, inserted, unchanged
    FROM (SELECT array_agg(u.id ORDER BY u.id, u.time) AS ids,
                 array_agg(u.time ORDER BY u.id, u.time) AS times,
                 array_agg(u.value ORDER BY u.id, u.time) AS vals
          FROM unnest(ids, sample_put.times, sample_put.vals) AS u (id, time, value)) a
    CROSS JOIN LATERAL api.ingest_samples(array_fill(home, ARRAY[n]), a.ids, a.times, a.vals,
                                          array_fill(true, ARRAY[n])) o;
    SELECT count(*) INTO done
    FROM unnest(ids, sample_put.times, sample_put.vals) AS u (id, time, value)
    WHERE (SELECT x.value = u.value FROM core.sample x
           WHERE x.tenant_id = home AND x.series_id = u.id AND x.time = u.time OFFSET 0);
    IF done <> n THEN
        RAISE EXCEPTION '% of % values could not be set; try again', n - done, n
            USING ERRCODE = 'TM409';
    END IF;
    PERFORM core.series_last_set(home, ids);
    IF updated + inserted > 0 THEN
        PERFORM core.audit_add(home, 'sample.put', of_device, jsonb_build_object(
            'updated', updated, 'inserted', inserted,
            'metrics', (SELECT to_jsonb(array_agg(DISTINCT m.name)) FROM unnest(metrics) m (name)),
            'from', (SELECT core.instant_text(min(t.time)) FROM unnest(times) t (time)),
            'to', (SELECT core.instant_text(max(t.time)) FROM unnest(times) t (time))));
    END IF;
END
$$;

-- ---- deleting ----

-- How many samples of a device, of a metric or all (NULL), lie in [from_time, to_time), and what
-- speaks against deleting them; NULL: nothing. More than `most` are not counted.
CREATE FUNCTION api.sample_delete_check(of_device text, of_metric text, from_time timestamptz,
                                        to_time timestamptz, OUT n_samples bigint,
                                        OUT problem text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    most CONSTANT bigint := 5000000;
    home CONSTANT int := core.tenant();
    of_id CONSTANT int := core.device_hold(home, of_device);
    since timestamptz := '-infinity';
    is_known boolean := of_metric IS NULL;
    series record;
BEGIN
    n_samples := 0;
    FOR series IN SELECT s.id, core.correctable_from(home, s.id) AS since FROM core.series s
                  WHERE s.tenant_id = home AND s.device_id = of_id
                    AND (of_metric IS NULL OR s.metric = of_metric)
    LOOP
        is_known := true;
        since := greatest(since, series.since);
        n_samples := n_samples + (
            SELECT count(*) FROM (SELECT FROM core.sample x
                                  WHERE x.tenant_id = home AND x.series_id = series.id
                                    AND x.time >= from_time AND x.time < to_time
                                  LIMIT most + 1 - n_samples) x);
    END LOOP;
    problem := CASE
        WHEN NOT is_known THEN 'metric: the device has no such metric'
        WHEN from_time < since THEN format(
            'from: readings before %s are kept no longer, and what was made of them stays; '
            'delete from there on', core.instant_text(since))
        WHEN n_samples > most THEN
            format('these are more than %s readings; delete a shorter time', most) END;
END
$$;

-- Deletes samples of a device, of a metric or all (NULL), in [from_time, to_time); how many.
CREATE FUNCTION api.sample_delete(of_device text, of_metric text, from_time timestamptz,
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
    id    int;
    n_deleted bigint := 0;
    n_rows bigint;
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.floor_hold(home, ids);
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
        INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
        VALUES (home, id, had.first, had.last);
    END LOOP;
    IF n_deleted > 0 THEN
        PERFORM core.series_last_set(home, ids);
        PERFORM core.audit_add(home, 'sample.delete', of_device, jsonb_strip_nulls(
            jsonb_build_object('deleted', n_deleted, 'metric', of_metric,
                               'from', core.instant_text(from_time),
                               'to', core.instant_text(to_time))));
    END IF;
    RETURN n_deleted;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.sample_put_problems(text, text[], text[], timestamptz[], float8[]),
    api.sample_put(text, text[], text[], timestamptz[], float8[]),
    api.sample_delete_check(text, text, timestamptz, timestamptz),
    api.sample_delete(text, text, timestamptz, timestamptz) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;

-- engine: erasure
