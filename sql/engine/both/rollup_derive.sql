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
-- parameters: tenants, series, from, to, closed_until.
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
    seam   CONSTANT text := CASE grain WHEN '1d' THEN 'greatest(s.bucket, s.seam)'
                                       ELSE 's.bucket' END;
    -- where buckets may be: [bucket, until) of a series
    slots  text := format($$
        SELECT DISTINCT s.tenant_id, s.series_id, b.bucket, b.until,
               coalesce(f.%1$s, '-infinity') AS floor, coalesce(f.seam, '-infinity') AS seam
        FROM unnest($1, $2, $3, $4) AS s (tenant_id, series_id, from_time, to_time)
        LEFT JOIN core.series_floor f ON f.tenant_id = s.tenant_id AND f.series_id = s.series_id
        $$, floor);
    fresh  text;
    kept   text;
BEGIN
    slots := slots || CASE
        WHEN grain = '15m' THEN $$
        CROSS JOIN LATERAL (SELECT s.from_time AS bucket, s.to_time AS until) b
        WHERE b.until <= $5$$
        WHEN grain = '1h' THEN $$
        CROSS JOIN LATERAL (
            SELECT g AS bucket, g + interval '1 hour' AS until
            FROM generate_series(
                date_bin('1 hour', s.from_time, timestamptz '2000-01-01 00:00:00+00'),
                s.to_time - interval '1 microsecond', interval '1 hour') g) b
        WHERE b.until <= $5$$
        ELSE format($$
        JOIN core.series x ON x.tenant_id = s.tenant_id AND x.id = s.series_id
        JOIN core.device d ON d.tenant_id = x.tenant_id AND d.id = x.device_id
        JOIN core.tenant t ON t.id = x.tenant_id
        LEFT JOIN core.site p ON p.tenant_id = d.tenant_id AND p.id = d.site_id
        CROSS JOIN LATERAL (SELECT coalesce(p.timezone, t.timezone) AS tz) z
        CROSS JOIN LATERAL generate_series(
            date_trunc(%1$L, s.from_time AT TIME ZONE z.tz) + interval '12 hours',
            date_trunc(%1$L, s.to_time AT TIME ZONE z.tz) + interval '12 hours',
            interval '1 %1$s') AS g (noon)
        CROSS JOIN LATERAL (
            SELECT core.local_start(%1$L, g.noon AT TIME ZONE z.tz, z.tz) AS bucket,
                   core.local_start(%1$L, (g.noon + interval '1 %1$s') AT TIME ZONE z.tz, z.tz)
                       AS until) b
        WHERE b.bucket < s.to_time AND b.until > s.from_time AND b.until > b.bucket
          AND b.until <= $5$$, unit) END;
    IF grain = '15m' THEN
        fresh := 'SELECT a.* FROM core.sample_quarters(s.tenant_id, s.series_id, s.bucket, s.until) a';
        kept := 'r.bucket >= s.bucket AND r.bucket < s.until';
    ELSE
        fresh := format($$
            SELECT s.bucket, sum(o.count)::bigint AS count, sum(o.sum) AS sum, min(o.min) AS min,
                   max(o.max) AS max, (array_agg(o.first))[1] AS first,
                   min(o.first_time) AS first_time, (array_agg(o.last))[count(*)] AS last,
                   max(o.last_time) AS last_time
            FROM (SELECT r.* FROM core.rollup_%s r
                  WHERE r.tenant_id = s.tenant_id AND r.series_id = s.series_id
                    AND r.bucket >= %s AND r.bucket < s.until
                  ORDER BY r.bucket) o
            HAVING count(*) > 0$$, source, seam);
        kept := 'r.bucket = s.bucket';
    END IF;
    RETURN format($$
        WITH slots AS MATERIALIZED (%2$s),
        fresh AS MATERIALIZED (
            SELECT s.tenant_id, s.series_id, a.bucket, a.count, a.sum, a.min, a.max, a.first,
                   a.first_time, a.last, a.last_time, s.floor
            FROM slots s CROSS JOIN LATERAL (%3$s) a
        ), kept AS MATERIALIZED (
            SELECT a.*, a.bucket < s.floor AND NOT EXISTS (
                       SELECT FROM core.rollup_reopened o
                       WHERE o.tenant_id = s.tenant_id AND o.series_id = s.series_id
                         AND o.grain = %1$L AND o.bucket = a.bucket) AS is_sealed
            FROM slots s CROSS JOIN LATERAL (
                SELECT r.* FROM core.rollup_%1$s r
                WHERE r.tenant_id = s.tenant_id AND r.series_id = s.series_id AND %4$s) a
        ), other AS MATERIALIZED (
            SELECT f.*, k.bucket IS NULL AND f.bucket < f.floor AS is_reopened
            FROM fresh f LEFT JOIN kept k USING (tenant_id, series_id, bucket)
            WHERE k.bucket IS NULL
               OR (NOT k.is_sealed
                   AND (k.count, k.sum, k.min, k.max, k.first, k.first_time, k.last, k.last_time)
                       IS DISTINCT FROM (f.count, f.sum, f.min, f.max, f.first, f.first_time,
                                         f.last, f.last_time))
        ), written AS (
            INSERT INTO core.rollup_%1$s AS t (tenant_id, series_id, bucket, count, sum, min, max,
                                            first, first_time, last, last_time)
            SELECT o.tenant_id, o.series_id, o.bucket, o.count, o.sum, o.min, o.max, o.first,
                   o.first_time, o.last, o.last_time
            FROM other o ORDER BY o.tenant_id, o.series_id, o.bucket
            ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE
            SET count = excluded.count, sum = excluded.sum, min = excluded.min,
                max = excluded.max, first = excluded.first, first_time = excluded.first_time,
                last = excluded.last, last_time = excluded.last_time
        ), reopened AS (
            INSERT INTO core.rollup_reopened (tenant_id, series_id, grain, bucket)
            SELECT o.tenant_id, o.series_id, %1$L, o.bucket FROM other o WHERE o.is_reopened
            ON CONFLICT DO NOTHING
        ), emptied AS (
            SELECT k.tenant_id, k.series_id, k.bucket
            FROM kept k LEFT JOIN fresh f USING (tenant_id, series_id, bucket)
            WHERE f.bucket IS NULL AND NOT k.is_sealed
        )
        SELECT (SELECT count(*) FROM other), e.tenants, e.series, e.buckets
        FROM (SELECT array_agg(e.tenant_id) AS tenants, array_agg(e.series_id) AS series,
                     array_agg(e.bucket) AS buckets FROM emptied e) e
        $$, grain, slots, fresh, kept);
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
