-- ---- following: what was changed after it was closed ----

-- After a restore into another cluster its transactions are numbered anew: what the log says of
-- them means nothing then, and is said again. Does nothing otherwise.
CREATE FUNCTION core.change_renumber() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next CONSTANT xid8 := pg_snapshot_xmax(pg_current_snapshot());
BEGIN
    IF EXISTS (SELECT FROM core.change_reader r
               WHERE r.done_xid > next OR pg_snapshot_xmax(r.seen) > next)
       OR EXISTS (SELECT FROM core.change c WHERE c.xid > next) THEN
        UPDATE core.change SET xid = pg_current_xact_id();
        -- whoever is writing now has an older number than this transaction
        UPDATE core.change_reader
        SET done_xid = pg_snapshot_xmin(pg_current_snapshot()), seen = NULL;
    END IF;
END
$$;

-- The snapshot that shows no transaction after `last` (NULL: the snapshot itself).
CREATE FUNCTION core.snapshot_until(shown pg_snapshot, last xid8) RETURNS pg_snapshot
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s:%s:%s', least(pg_snapshot_xmin(shown), x.stop), x.stop,
                  (SELECT string_agg(p::text, ',' ORDER BY p) FROM pg_snapshot_xip(shown) p
                   WHERE p < x.stop))::pg_snapshot
    FROM (SELECT least(pg_snapshot_xmax(shown),
                       (last::text::numeric + 1)::text::xid8) AS stop) x
$$;

-- Moves what is new in core.change, as far as it is of closed quarter hours, to the queue, where
-- ranges that meet become one; how many changes. Bounded: the next call goes on. Waits for no
-- transaction that is on its way, however long it lasts (a chunk is compressed, a tenant erased):
-- what it writes is read when it has ended.
CREATE FUNCTION core.rollup_gather() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most   CONSTANT int := 50000;
    origin CONSTANT timestamptz := '2000-01-01 00:00:00+00';
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    done   xid8;
    known  pg_snapshot;
    shown  pg_snapshot;
    until  xid8 := pg_snapshot_xmin(pg_current_snapshot());
    beyond xid8;
    n_rows bigint;
BEGIN
    PERFORM core.change_renumber();
    SELECT r.done_xid, r.seen INTO done, known FROM core.change_reader r WHERE r.name = 'rollup';
    SELECT c.xid INTO beyond FROM core.change c
    WHERE c.xid >= done AND pg_visible_in_snapshot(c.xid, known) IS NOT TRUE
    ORDER BY c.xid OFFSET most LIMIT 1;
    IF beyond IS NOT NULL THEN
        -- of that transaction all
        until := least(until, (beyond::text::numeric + 1)::text::xid8);
    END IF;
    WITH new AS MATERIALIZED (
        SELECT c.tenant_id, c.series_id, r.from_time, r.to_time
        FROM core.change c
        CROSS JOIN LATERAL (
            SELECT date_bin('15 minutes', c.from_time, origin) AS from_time,
                   least(closed, date_bin('15 minutes', c.to_time, origin)
                                 + interval '15 minutes') AS to_time) r
        WHERE c.xid >= done AND (beyond IS NULL OR c.xid <= beyond)
          AND pg_visible_in_snapshot(c.xid, known) IS NOT TRUE AND r.from_time < closed
    ), queued AS (
        DELETE FROM core.rollup_dirty d
        USING (SELECT DISTINCT n.tenant_id, n.series_id FROM new n) n
        WHERE d.tenant_id = n.tenant_id AND d.series_id = n.series_id
        RETURNING d.tenant_id, d.series_id, d.from_time, d.to_time
    ), merged AS (
        SELECT a.tenant_id, a.series_id, unnest(range_agg(tstzrange(a.from_time, a.to_time))) AS span
        FROM (SELECT * FROM new UNION ALL SELECT * FROM queued) a
        GROUP BY a.tenant_id, a.series_id
    ), written AS (
        INSERT INTO core.rollup_dirty (tenant_id, series_id, from_time, to_time)
        SELECT m.tenant_id, m.series_id, lower(m.span), upper(m.span) FROM merged m
    )
    SELECT pg_current_snapshot() INTO shown;
    SELECT count(*) INTO n_rows FROM core.change c WHERE c.xid >= done AND c.xid < until;
    UPDATE core.change_reader r
    SET done_xid = greatest(r.done_xid, until),
        seen = core.snapshot_until(shown, beyond)
    WHERE r.name = 'rollup';
    RETURN n_rows;
END
$$;

-- Forgets the changes that every reader has read, some at a time.
CREATE FUNCTION core.change_prune() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.change c
    WHERE c.id IN (SELECT p.id FROM core.change p
                   WHERE p.xid < (SELECT min(r.done_xid) FROM core.change_reader r)
                   ORDER BY p.xid LIMIT 50000);
END
$$;

-- Derives what is queued: of each tenant one range after the other, so that nobody waits for what
-- others send late, and short ranges first, so that a late sample does not wait for a year of
-- backfill; about row_limit samples, the rest of a longer range stays queued. Those alone that begin
-- before a time, where one is given. How many rows were written or removed, and how many ranges
-- were taken.
CREATE FUNCTION core.rollup_work_off(row_limit int, before timestamptz DEFAULT 'infinity',
                                     OUT n_ranges bigint, OUT n_rows bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_bitmapscan = off
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    room   int := row_limit;
    item   record;
    reach  record;
    tenants int[] := '{}';
    series int[] := '{}';
    froms  timestamptz[] := '{}';
    heads  timestamptz[] := '{}';
    stops  timestamptz[] := '{}';
    grain  text;
    has    boolean[] := '{}';
BEGIN
    n_ranges := 0;
    n_rows := 0;
    FOR item IN
        SELECT d.tenant_id, d.series_id, d.from_time, d.to_time
        FROM (SELECT l.*, row_number() OVER (PARTITION BY l.tenant_id
                                             ORDER BY l.seconds, l.series_id, l.from_time) AS turn
              FROM (SELECT q.*, date_part('epoch', q.to_time)
                                - date_part('epoch', q.from_time) AS seconds
                    FROM core.rollup_dirty q WHERE q.from_time < before) l) d
        WHERE d.turn <= 1000
        ORDER BY d.turn, d.seconds, d.tenant_id
        LIMIT 1000
    LOOP
        EXIT WHEN room <= 0;
        reach := core.rollup_reach(item.tenant_id, item.series_id, item.from_time, item.to_time,
                                   room);
        room := room - reach.cost
                - core.derived_cost(item.tenant_id, item.series_id,
                                    coalesce(reach.head, item.from_time), reach.stop);
        tenants := tenants || item.tenant_id;
        series := series || item.series_id;
        froms := froms || item.from_time;
        stops := stops || reach.stop;
        has := has || (reach.head IS NOT NULL);
        heads := heads || coalesce(reach.head, item.from_time);
        IF reach.stop < item.to_time THEN
            UPDATE core.rollup_dirty d SET from_time = reach.stop
            WHERE d.tenant_id = item.tenant_id AND d.series_id = item.series_id
              AND d.from_time = item.from_time;
        ELSE
            DELETE FROM core.rollup_dirty d
            WHERE d.tenant_id = item.tenant_id AND d.series_id = item.series_id
              AND d.from_time = item.from_time;
        END IF;
        n_ranges := n_ranges + 1;
    END LOOP;
    IF n_ranges = 0 THEN
        RETURN;
    END IF;
    IF true = ANY (has) THEN
        -- old times may have none yet; a bucket begins up to a month before its range
        PERFORM core.partitions_ensure_of(
            '{core.rollup_15m,core.rollup_1h,core.rollup_1d,core.rollup_1w,core.rollup_1mo}',
            min(u.head) - interval '32 days', max(u.stop))
        FROM unnest(heads, stops, has) AS u (head, stop, has)
        WHERE u.has AND u.head < closed - interval '1 year'
        GROUP BY date_trunc('year', u.head);
        FOREACH grain IN ARRAY ARRAY['15m', '1h', '1d', '1w', '1mo'] LOOP
            n_rows := n_rows + core.rollup_derive(
                grain, closed,
                ARRAY(SELECT u.x FROM unnest(tenants, has) AS u (x, has) WHERE u.has),
                ARRAY(SELECT u.x FROM unnest(series, has) AS u (x, has) WHERE u.has),
                ARRAY(SELECT u.x FROM unnest(heads, has) AS u (x, has) WHERE u.has),
                ARRAY(SELECT u.x FROM unnest(stops, has) AS u (x, has) WHERE u.has));
        END LOOP;
    END IF;
    PERFORM core.derived_follow(tenants, series, froms, stops);
END
$$;

-- The first quarter hour of a series in [from_time, to_time) that has a sample or a row; NULL:
-- there is none.
CREATE FUNCTION core.rollup_head(owner int, series int, from_time timestamptz,
                                 to_time timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN least(
        date_bin('15 minutes', (SELECT x.time FROM core.sample x
                                WHERE x.tenant_id = owner AND x.series_id = series
                                  AND x.time >= rollup_head.from_time
                                  AND x.time < rollup_head.to_time
                                ORDER BY x.time LIMIT 1), timestamptz '2000-01-01 00:00:00+00'),
        (SELECT r.bucket FROM core.rollup_15m r
         WHERE r.tenant_id = owner AND r.series_id = series
           AND r.bucket >= rollup_head.from_time AND r.bucket < rollup_head.to_time
         ORDER BY r.bucket LIMIT 1));
END
$$;

-- What to derive of [from_time, to_time) of a series in one call: from head (NULL: there is nothing)
-- to stop, which most samples bound, or their like in quarter hours that have none.
CREATE FUNCTION core.rollup_reach(owner int, series int, from_time timestamptz,
                                  to_time timestamptz, most int, OUT head timestamptz,
                                  OUT stop timestamptz, OUT cost int)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    empty_quarters CONSTANT int := 20;   -- cost as much as a sample
    quarter        CONSTANT interval := interval '15 minutes';
    last           timestamptz;
BEGIN
    head := core.rollup_head(owner, series, from_time, to_time);
    stop := to_time;
    cost := 1;
    IF head IS NULL THEN
        RETURN;
    END IF;
    stop := least(stop, head + quarter * most::float8 * empty_quarters::float8);
    SELECT count(*), max(x.time) INTO cost, last
    FROM (SELECT x.time FROM core.sample x
          WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= head AND x.time < stop
          ORDER BY x.time LIMIT most) x;
    IF cost = most THEN
        stop := least(stop, date_bin(quarter, last, timestamptz '2000-01-01 00:00:00+00') + quarter);
    END IF;
    cost := 1 + greatest(cost, extract(epoch FROM stop - head) / 900 / empty_quarters);
END
$$;

-- One step of following the log of changes, in a transaction of its own: how many changes it
-- read, ranges it derived and rows it wrote; is_done: nothing is left. Whoever runs it repeats
-- it until then.
CREATE FUNCTION ops.rollup_follow(row_limit int, OUT changes bigint, OUT ranges bigint,
                                  OUT rows_written bigint, OUT is_done boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    recast bigint;
BEGIN
    PERFORM core.rollup_lock();
    changes := core.rollup_gather();
    recast := core.rollup_recast_some(row_limit);
    SELECT w.n_ranges, w.n_rows + recast INTO ranges, rows_written
    FROM core.rollup_work_off(row_limit) w;
    PERFORM core.change_prune();
    is_done := NOT EXISTS (SELECT FROM core.rollup_dirty)
           AND NOT EXISTS (SELECT FROM core.rollup_recast)
           AND NOT EXISTS (SELECT FROM core.change c, core.change_reader r
                           WHERE r.name = 'rollup' AND c.xid >= r.done_xid
                             AND (c.xid < pg_snapshot_xmin(pg_current_snapshot())
                                  -- renumbered just now
                                  OR c.xid = pg_current_xact_id()));
END
$$;

-- Whether there is something to close or to follow.
CREATE FUNCTION ops.rollup_is_due() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.rollup_state s
                   WHERE s.closed_until < s.closing_until
                      OR s.closing_until + interval '20 minutes' <= clock_timestamp())
        OR EXISTS (SELECT FROM core.rollup_dirty)
        OR EXISTS (SELECT FROM core.rollup_recast)
        OR EXISTS (SELECT FROM core.change c
                   WHERE c.xid >= (SELECT r.done_xid FROM core.change_reader r
                                   WHERE r.name = 'rollup'));
END
$$;
GRANT EXECUTE ON FUNCTION ops.rollup_follow(int), ops.rollup_is_due() TO tidemark_worker;
