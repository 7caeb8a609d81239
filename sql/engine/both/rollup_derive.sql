-- ---- deriving: buckets from what they are made of ----

-- All that derives waits here for its turn: one at a time, till the end of the transaction.
CREATE FUNCTION core.rollup_lock() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.rollup', 0));
END
$$;

-- The quarter hours of a series' samples in [from_time, to_time), values added up in the order of
-- time. Has no settings of its own, so that it becomes a part of the statement that calls it.
CREATE FUNCTION core.sample_quarters(owner int, series int, from_time timestamptz,
                                     to_time timestamptz)
RETURNS TABLE (bucket timestamptz, count bigint, sum float8, min float8, max float8,
               first float8, first_time timestamptz, last float8, last_time timestamptz)
LANGUAGE sql STABLE ROWS 4
AS $$
    SELECT o.bucket, count(*), sum(o.value), min(o.value), max(o.value),
           (array_agg(o.value))[1], min(o.time), (array_agg(o.value))[count(*)], max(o.time)
    FROM (SELECT date_bin('15 minutes', x.time, timestamptz '2000-01-01 00:00:00+00') AS bucket,
                 x.time, x.value
          FROM core.sample x
          WHERE x.tenant_id = owner AND x.series_id = series
            AND x.time >= from_time AND x.time < to_time
          ORDER BY 1, x.time) o
    GROUP BY o.bucket
$$;

-- The text of the statement that derives the buckets of a grain; see core.rollup_derive. Its
-- parameters: tenants, series, from, to, closed_until. It reads each range of what it derives from
-- and each range of what is there in one go; the two meet in a FULL JOIN, which no estimate turns
-- into a loop in a loop.
CREATE FUNCTION core.rollup_statement(grain text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $text$
DECLARE
    unit   CONSTANT text := CASE grain WHEN '1d' THEN 'day' WHEN '1w' THEN 'week'
                                       WHEN '1mo' THEN 'month' END;
    source CONSTANT text := CASE WHEN grain IN ('1w', '1mo') THEN '1d' ELSE '15m' END;
    floor  CONSTANT text := CASE WHEN grain = '15m' THEN 'raw_from'
                                 WHEN grain IN ('1h', '1d') THEN 'fine_from'
                                 ELSE 'day_from' END;
    -- before it a zone that is no more has counted
    since  CONSTANT text := CASE grain WHEN '1d' THEN 'greatest(s.since, s.seam)'
                                       ELSE 's.since' END;
    -- the bucket that an instant lies in
    bucket CONSTANT text := CASE
        WHEN unit IS NULL THEN $$date_bin('1 hour', %s, timestamptz '2000-01-01 00:00:00+00')$$
        ELSE format('core.local_start(%L, %%s, s.tz)', unit) END;
    -- [since, until) of a series: whole buckets, closed ones
    spans  CONSTANT text := CASE
        WHEN grain = '15m' THEN $$
        SELECT s.tenant_id, s.series_id, NULL AS tz, s.from_time AS since, s.to_time AS until
        FROM unnest($1, $2, $3, $4) AS s (tenant_id, series_id, from_time, to_time)$$
        WHEN grain = '1h' THEN format($$
        SELECT s.tenant_id, s.series_id, NULL AS tz, %s AS since,
               least(%s + interval '1 hour', %s) AS until
        FROM unnest($1, $2, $3, $4) AS s (tenant_id, series_id, from_time, to_time)$$,
            format(bucket, 's.from_time'),
            format(bucket, $$(s.to_time - interval '1 microsecond')$$), format(bucket, '$5'))
        ELSE format($$
        SELECT s.tenant_id, s.series_id, s.tz, core.local_start(%1$L, s.from_time, s.tz) AS since,
               least(core.local_start(%1$L, $5, s.tz), core.local_start(%1$L, (
                   date_trunc(%1$L, (s.to_time - interval '1 microsecond') AT TIME ZONE s.tz)
                   + interval '1 %1$s 12 hours') AT TIME ZONE s.tz, s.tz)) AS until
        FROM (SELECT u.*, coalesce(p.timezone, t.timezone) AS tz
              FROM unnest($1, $2, $3, $4) AS u (tenant_id, series_id, from_time, to_time)
              JOIN core.series x ON x.tenant_id = u.tenant_id AND x.id = u.series_id
              JOIN core.device d ON d.tenant_id = x.tenant_id AND d.id = x.device_id
              JOIN core.tenant t ON t.id = x.tenant_id
              LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id) s$$,
            unit) END;
    fresh  CONSTANT text := CASE
        WHEN grain = '15m' THEN 'core.sample_quarters(s.tenant_id, s.series_id, s.since, s.until)'
        ELSE format($$(
            SELECT o.slot AS bucket, sum(o.count)::bigint AS count, sum(o.sum) AS sum,
                   min(o.min) AS min, max(o.max) AS max, (array_agg(o.first))[1] AS first,
                   min(o.first_time) AS first_time, (array_agg(o.last))[count(*)] AS last,
                   max(o.last_time) AS last_time
            FROM (SELECT %s AS slot, r.*
                  FROM core.rollup_%s r
                  WHERE r.tenant_id = s.tenant_id AND r.series_id = s.series_id
                    AND r.bucket >= %s AND r.bucket < s.until
                  ORDER BY r.bucket) o
            GROUP BY o.slot)$$, format(bucket, 'r.bucket'), source, since) END;
    -- rows of a zone that is no more are not looked at
    kept   CONSTANT text := CASE WHEN unit IS NULL THEN ''
                                 ELSE format('AND r.bucket = ' || bucket, 'r.bucket') END;
BEGIN
    RETURN format($$
        WITH spans AS MATERIALIZED (
            SELECT s.tenant_id, s.series_id, s.tz, lower(s.span) AS since, upper(s.span) AS until,
                   coalesce(f.%2$s, '-infinity') AS floor, coalesce(f.seam, '-infinity') AS seam
            FROM (SELECT s.tenant_id, s.series_id, s.tz,
                         unnest(range_agg(tstzrange(s.since, s.until))) AS span
                  FROM (%3$s) s
                  WHERE s.since < s.until AND s.until <= $5
                  GROUP BY s.tenant_id, s.series_id, s.tz) s
            LEFT JOIN core.series_floor f
                ON f.tenant_id = s.tenant_id AND f.series_id = s.series_id
        ), fresh AS MATERIALIZED (
            SELECT s.tenant_id, s.series_id, s.floor, a.* FROM spans s CROSS JOIN LATERAL %4$s a
        ), kept AS MATERIALIZED (
            SELECT a.*, a.bucket < s.floor AND NOT EXISTS (
                       SELECT FROM core.rollup_reopened o
                       WHERE o.tenant_id = s.tenant_id AND o.series_id = s.series_id
                         AND o.grain = %1$L AND o.bucket = a.bucket) AS is_sealed
            FROM spans s CROSS JOIN LATERAL (
                SELECT r.* FROM core.rollup_%1$s r
                WHERE r.tenant_id = s.tenant_id AND r.series_id = s.series_id
                  AND r.bucket >= s.since AND r.bucket < s.until %5$s) a
        ), other AS MATERIALIZED (
            SELECT tenant_id, series_id, bucket, f.count, f.sum, f.min, f.max, f.first,
                   f.first_time, f.last, f.last_time, f.count IS NULL AS is_empty,
                   k.count IS NULL AND bucket < f.floor AS is_reopened
            FROM fresh f FULL JOIN kept k USING (tenant_id, series_id, bucket)
            WHERE k.is_sealed IS NOT TRUE
              AND (k.count, k.sum, k.min, k.max, k.first, k.first_time, k.last, k.last_time)
                  IS DISTINCT FROM (f.count, f.sum, f.min, f.max, f.first, f.first_time,
                                    f.last, f.last_time)
        ), written AS (
            INSERT INTO core.rollup_%1$s AS t (tenant_id, series_id, bucket, count, sum, min, max,
                                            first, first_time, last, last_time)
            SELECT o.tenant_id, o.series_id, o.bucket, o.count, o.sum, o.min, o.max, o.first,
                   o.first_time, o.last, o.last_time
            FROM other o WHERE NOT o.is_empty
            ORDER BY o.tenant_id, o.series_id, o.bucket
            ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE
            SET count = excluded.count, sum = excluded.sum, min = excluded.min,
                max = excluded.max, first = excluded.first, first_time = excluded.first_time,
                last = excluded.last, last_time = excluded.last_time
        ), reopened AS (
            INSERT INTO core.rollup_reopened (tenant_id, series_id, grain, bucket)
            SELECT o.tenant_id, o.series_id, %1$L, o.bucket FROM other o WHERE o.is_reopened
            ON CONFLICT DO NOTHING
        )
        SELECT count(*) FILTER (WHERE NOT o.is_empty),
               array_agg(o.tenant_id) FILTER (WHERE o.is_empty),
               array_agg(o.series_id) FILTER (WHERE o.is_empty),
               array_agg(o.bucket) FILTER (WHERE o.is_empty)
        FROM other o
        $$, grain, floor, spans, fresh, kept);
END
$text$;

-- Brings the closed buckets of a grain that overlap the ranges [from, to) of the series up to
-- what they are made of: quarter hours from samples, hours and days from quarter hours, weeks and
-- months from days. Writes what differs only, removes what became empty; how many rows. Ranges
-- are whole quarter hours; those of a series do not overlap.
CREATE FUNCTION core.rollup_derive(grain text, closed_until timestamptz, tenant_ids int[],
                                   series_ids int[], from_times timestamptz[],
                                   to_times timestamptz[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    relation CONSTANT regclass := 'core.rollup_' || grain;
    n_rows  bigint;
    tenants int[];
    series  int[];
    buckets timestamptz[];
    gone    record;
BEGIN
    BEGIN
        EXECUTE core.rollup_statement(grain) INTO n_rows, tenants, series, buckets
            USING tenant_ids, series_ids, from_times, to_times, closed_until;
    EXCEPTION WHEN check_violation THEN
        -- a partition is missing; a bucket begins up to a month before its range
        PERFORM core.partitions_ensure_of(ARRAY[relation], min(s.from_time) - interval '32 days',
                                          max(s.to_time))
        FROM unnest(from_times, to_times) AS s (from_time, to_time)
        GROUP BY date_trunc('year', s.from_time);
        EXECUTE core.rollup_statement(grain) INTO n_rows, tenants, series, buckets
            USING tenant_ids, series_ids, from_times, to_times, closed_until;
    END;
    -- one series at a time, by constants: in compressed chunks a join would unpack all
    FOR gone IN
        SELECT u.tenant_id, u.series_id, array_agg(u.bucket) AS buckets,
               min(u.bucket) AS first, max(u.bucket) AS last
        FROM unnest(tenants, series, buckets) AS u (tenant_id, series_id, bucket)
        GROUP BY 1, 2
    LOOP
        EXECUTE format('DELETE FROM %s r WHERE r.tenant_id = $1 AND r.series_id = $2'
                       ' AND r.bucket = ANY ($3) AND r.bucket >= $4 AND r.bucket <= $5', relation)
            USING gone.tenant_id, gone.series_id, gone.buckets, gone.first, gone.last;
        n_rows := n_rows + cardinality(gone.buckets);
    END LOOP;
    RETURN n_rows;
END
$$;
