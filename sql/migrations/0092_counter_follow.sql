-- Energy of counters that fall follows what changes around a fall.

SET LOCAL ROLE tidemark_door;

-- Quarter hours of the series in [from, to), and the days they are in, anew from the samples; those that
-- are not told wholly any more stay. Of a counter that falls what follows the range is looked at, too.
CREATE OR REPLACE FUNCTION core.energy_derive(tenant_ids int[], series_ids int[],
                                              from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
SET enable_mergejoin = off
SET enable_hashjoin = off
AS $$
DECLARE
    closed CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    gone   record;
BEGIN
    SELECT array_agg(u.tenant_id), array_agg(u.series_id),
           array_agg(greatest(u.from_time, core.energy_since())), array_agg(u.to_time)
    INTO tenant_ids, series_ids, from_times, to_times
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE u.to_time > core.energy_since();
    -- by year, as what lies between is not touched
    PERFORM core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',
                                      min(u.from_time) - interval '27 hours', max(u.to_time))
    FROM unnest(tenant_ids, series_ids, from_times, to_times)
         AS u (tenant_id, series_id, from_time, to_time)
    WHERE EXISTS (SELECT FROM core.sample x
                  WHERE x.tenant_id = u.tenant_id AND x.series_id = u.series_id
                    AND x.time >= u.from_time AND x.time < u.to_time)
       OR core.is_metered(u.tenant_id, u.series_id)
    GROUP BY date_trunc('year', u.from_time);
    WITH ranges AS MATERIALIZED (
        SELECT u.*, s.kind, core.energy_scale(s.unit, s.kind, s.role) AS scale,
               core.energy_floor(u.tenant_id, u.series_id, s.kind) AS floor,
               least(closed, core.energy_stop(u.tenant_id, u.series_id, s.kind, u.to_time))
                   AS stop
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
        JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
    ), fresh AS (
        SELECT r.tenant_id, r.series_id, p.bucket, p.nkwh
        FROM ranges r
        CROSS JOIN LATERAL core.energy_parts(r.tenant_id, r.series_id, r.kind, r.scale,
                                             r.from_time, r.stop, known => closed) p
        WHERE r.scale IS NOT NULL AND p.bucket >= r.from_time AND p.bucket < r.to_time
    ), kept AS (
        SELECT r.tenant_id, r.series_id, e.bucket, e.nkwh, e.bucket < r.floor AS is_below
        FROM ranges r
        CROSS JOIN LATERAL (
            SELECT e.bucket, e.nkwh FROM core.energy_15m e
            WHERE e.tenant_id = r.tenant_id AND e.series_id = r.series_id
              AND e.bucket >= r.from_time AND e.bucket < r.to_time) e
    ), other AS MATERIALIZED (
        SELECT tenant_id, series_id, bucket, f.nkwh
        FROM fresh f FULL JOIN kept k USING (tenant_id, series_id, bucket)
        WHERE f.nkwh IS DISTINCT FROM k.nkwh
          AND (NOT coalesce(k.is_below, false)
               OR (f.nkwh IS NOT NULL
                   AND EXISTS (SELECT FROM core.rollup_reopened o
                               WHERE o.tenant_id = k.tenant_id AND o.series_id = k.series_id
                                 AND o.grain = '15m' AND o.bucket = k.bucket)))
    ), written AS (
        INSERT INTO core.energy_15m AS e (tenant_id, series_id, bucket, nkwh)
        SELECT o.tenant_id, o.series_id, o.bucket, o.nkwh
        FROM other o WHERE o.nkwh IS NOT NULL
        ORDER BY o.tenant_id, o.series_id, o.bucket
        ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    )
    SELECT array_agg(o.tenant_id) AS tenants, array_agg(o.series_id) AS series,
           array_agg(o.bucket) AS buckets
    INTO gone
    FROM other o WHERE o.nkwh IS NULL;
    PERFORM core.energy_remove('core.energy_15m', gone.tenants, gone.series, gone.buckets);
    PERFORM core.energy_days(tenant_ids, series_ids, from_times, to_times);
    PERFORM core.cost_touch(tenant_ids, series_ids, from_times, to_times);
END
$$;

-- How far a change in [from_time, to_time) of a counter may reach beyond its neighbours: to `since`
-- and `until`. That is to the third reading after it, for the highest of three is looked at; and to
-- whatever the rule looks at where readings near fall, rise as after a fall, or a register begins.
CREATE FUNCTION core.counter_reach(owner int, series int, from_time timestamptz,
                                   to_time timestamptz, OUT since timestamptz,
                                   OUT until timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    near   CONSTANT int := 66;      -- readings: 60 that are left out, those around them, and the pace
    longest CONSTANT interval := '6 days';
    counts CONSTANT tstzmultirange := core.meter_counts(owner, series);
BEGIN
    IF EXISTS (SELECT
               FROM (SELECT r.value, lag(r.value) OVER (ORDER BY r.time) AS value_0
                     FROM ((SELECT x.time, x.value FROM core.sample x
                            WHERE x.tenant_id = owner AND x.series_id = series
                              AND x.time < counter_reach.from_time
                              AND x.time >= counter_reach.from_time - longest AND x.time <@ counts
                            ORDER BY x.time DESC LIMIT near)
                           UNION ALL
                           (SELECT x.time, x.value FROM core.sample x
                            WHERE x.tenant_id = owner AND x.series_id = series
                              AND x.time >= counter_reach.to_time
                              AND x.time <= counter_reach.to_time + longest AND x.time <@ counts
                            ORDER BY x.time LIMIT near)) r) s
               WHERE s.value < s.value_0 OR s.value_0 < 0.9::float8 * s.value)
       OR EXISTS (SELECT FROM core.meter_noted(owner, series, 'counter') n
                  WHERE n.at >= counter_reach.from_time - longest
                    AND n.at <= counter_reach.to_time + longest) THEN
        since := core.counter_back(owner, series, from_time, 256, '12 days');
        until := core.counter_ahead(owner, series, to_time, 256, '12 days');
    ELSE
        until := core.counter_ahead(owner, series, to_time, 4, '3 days');
    END IF;
END
$$;

-- A reading, or an entry, touches all that lies between its neighbours, and of a counter as far as the
-- rule of falls reaches.
CREATE OR REPLACE FUNCTION core.derived_follow(tenant_ids int[], series_ids int[],
                                               from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched record;
BEGIN
    WITH ranges AS MATERIALIZED (
        SELECT u.tenant_id, u.series_id, u.to_time, s.kind, s.kind <> 'delta' AS is_stepped,
               core.energy_longest(s.kind) AS longest,
               core.is_metered(u.tenant_id, u.series_id) AS is_metered,
               CASE WHEN u.from_time = '-infinity' THEN core.energy_head(u.tenant_id, u.series_id)
                    ELSE u.from_time END AS from_time
        FROM unnest(tenant_ids, series_ids, from_times, to_times)
             AS u (tenant_id, series_id, from_time, to_time)
        JOIN core.series s ON s.tenant_id = u.tenant_id AND s.id = u.series_id
        WHERE core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
    ), spans AS (
        SELECT r.tenant_id, r.series_id, unnest(range_agg(tstzrange(
                   core.quarter(least(coalesce(before.time, r.from_time), falls.since)),
                   coalesce(core.quarter(greatest(after.time, falls.until))
                            + interval '15 minutes', r.to_time)))) AS span
        FROM ranges r
        LEFT JOIN LATERAL (
            (SELECT x.time FROM core.sample x
             WHERE NOT r.is_metered AND x.tenant_id = r.tenant_id AND x.series_id = r.series_id
               AND x.time < r.from_time AND x.time >= r.from_time - r.longest
             ORDER BY x.time DESC LIMIT 1)
            UNION ALL
            SELECT p.at FROM core.meter_last(r.tenant_id, r.series_id, r.kind, r.from_time,
                                             r.from_time - r.longest) p
            WHERE r.is_metered) before ON r.is_stepped
        LEFT JOIN LATERAL (
            (SELECT x.time FROM core.sample x
             WHERE NOT r.is_metered AND x.tenant_id = r.tenant_id AND x.series_id = r.series_id
               AND x.time >= r.to_time AND x.time < r.to_time + r.longest
             ORDER BY x.time LIMIT 1)
            UNION ALL
            SELECT p.at FROM core.meter_first(r.tenant_id, r.series_id, r.kind, r.to_time,
                                              r.to_time + r.longest) p
            WHERE r.is_metered) after ON r.is_stepped
        LEFT JOIN LATERAL core.counter_reach(r.tenant_id, r.series_id, r.from_time, r.to_time)
             AS falls ON r.kind = 'counter'
        WHERE r.from_time < r.to_time
        GROUP BY r.tenant_id, r.series_id
    )
    SELECT array_agg(s.tenant_id) AS tenants, array_agg(s.series_id) AS series,
           array_agg(lower(s.span)) AS froms, array_agg(upper(s.span)) AS tos
    INTO touched
    FROM spans s;
    PERFORM core.energy_derive(touched.tenants, touched.series, touched.froms, touched.tos);
END
$$;

-- What is closed is added; what a fall says of readings reaches some days back.
CREATE OR REPLACE FUNCTION core.derived_close(from_time timestamptz, to_time timestamptz)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reach CONSTANT interval := core.energy_reach();
BEGIN
    PERFORM core.partitions_ensure_of('{core.energy_15m,core.energy_1d}',
                                      from_time - interval '12 days' - interval '27 hours',
                                      to_time);
    PERFORM core.energy_leave(from_time, to_time, reach);
    PERFORM core.energy_add(from_time, to_time, reach);
END
$$;

-- What readings beside a swap or reset of a series say against it: 'field: reason', or NULL. Readings that
-- roll over say nothing, nor does one of the old meter that comes after a swap.
CREATE OR REPLACE FUNCTION core.meter_contradiction(entry core.meter_entry, series int) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT interval := core.energy_longest('counter');
    before  record;
    after   record;
    old     float8;
BEGIN
    IF EXISTS (SELECT FROM core.meter_entries(entry.tenant_id, series) e
               WHERE e.kind = 'rollover' AND e.at <= entry.at AND e.until >= entry.at) THEN
        RETURN NULL;
    END IF;
    SELECT p.* INTO before FROM core.meter_last(entry.tenant_id, series, 'counter', entry.at,
                                                entry.at - longest) p;
    SELECT p.* INTO after FROM core.meter_first(entry.tenant_id, series, 'counter', entry.at,
                                                entry.at + longest) p;
    old := coalesce(entry.final, before.value);
    -- readings in different units are not compared
    RETURN CASE
        WHEN EXISTS (SELECT FROM core.meter_entries(entry.tenant_id, series) e
                     WHERE e.kind = 'unit' AND e.at < after.at AND e.until > before.at
                       AND NOT (e.at <= before.at AND e.until > after.at)) THEN NULL
        WHEN entry.final < before.value THEN format(
            'final: is less than the reading before it, %s',
            core.meter_text(before.value, before.at))
        WHEN entry.initial > after.value
             AND (after.value BETWEEN 0.9 * old AND old / 0.9
                  AND entry.initial NOT BETWEEN 0.9 * old AND old / 0.9) IS NOT TRUE THEN format(
            'initial: is more than the first reading after it, %s',
            core.meter_text(after.value, after.at))
        WHEN entry.kind = 'reset' AND after.value >= before.value THEN format(
            'at: the register did not fall: it was at %s and %s',
            core.meter_text(before.value, before.at), core.meter_text(after.value, after.at)) END;
END
$$;

-- Counters that fell at some time are derived anew around it: a day in which a reading is less than one
-- before it, by its rollup, or that begins lower than the one before ended. Of the last days, which
-- may have no rollup yet, by quarter hours.
INSERT INTO core.rollup_dirty AS q (tenant_id, series_id, from_time, to_time)
SELECT d.tenant_id, d.series_id, core.quarter(lower(d.span)),
       least(core.quarter(upper(d.span)) + interval '15 minutes', s.closed_until)
FROM (SELECT r.tenant_id, r.series_id,
             unnest(range_agg(tstzrange(coalesce(r.time_0, r.first_time), r.last_time, '[]'))) AS span
      FROM (SELECT b.*, lag(b.last) OVER w AS last_0, lag(b.last_time) OVER w AS time_0
            FROM core.series c
            CROSS JOIN LATERAL (
                SELECT 1 AS grain, x.tenant_id, x.series_id, x.first, x.first_time, x.last,
                       x.last_time, x.min, x.max
                FROM core.rollup_1d x
                WHERE x.tenant_id = c.tenant_id AND x.series_id = c.id
                UNION ALL
                SELECT 2, x.tenant_id, x.series_id, x.first, x.first_time, x.last, x.last_time,
                       x.min, x.max
                FROM core.rollup_15m x
                WHERE x.tenant_id = c.tenant_id AND x.series_id = c.id
                  AND x.bucket >= (SELECT t.closed_until - interval '2 days'
                                   FROM core.rollup_state t)) b
            WHERE c.kind = 'counter' AND core.energy_scale(c.unit, c.kind, c.role) IS NOT NULL
            WINDOW w AS (PARTITION BY b.grain, b.tenant_id, b.series_id ORDER BY b.last_time)) r
      WHERE r.min < r.first OR r.max > r.last OR r.first < r.last_0
      GROUP BY r.tenant_id, r.series_id) d
CROSS JOIN core.rollup_state s
WHERE core.quarter(lower(d.span)) < s.closed_until
ON CONFLICT (tenant_id, series_id, from_time)
DO UPDATE SET to_time = greatest(q.to_time, excluded.to_time);

SET LOCAL ROLE tidemark_owner;
