-- A local day of energy is found among the starts of days, which are worked out once for each span and
-- not for each quarter hour.

SET LOCAL ROLE tidemark_door;

-- The starts of the local days in [since, until), which are starts of days themselves.
CREATE FUNCTION core.local_days(since timestamptz, until timestamptz, tz text)
RETURNS timestamptz[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(s.at ORDER BY s.at)
    FROM (SELECT DISTINCT core.local_start('day', (g.day + interval '12 hours') AT TIME ZONE tz,
                                           tz) AS at
          FROM generate_series(date_trunc('day', since AT TIME ZONE tz) - interval '1 day',
                               until AT TIME ZONE tz, interval '1 day') AS g (day)) s
    WHERE s.at >= since AND s.at < until
$$;

-- As before.
CREATE OR REPLACE FUNCTION core.energy_days(tenant_ids int[], series_ids int[],
                                            from_times timestamptz[], to_times timestamptz[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
SET enable_mergejoin = off
SET enable_hashjoin = off
AS $$
DECLARE
    gone record;
BEGIN
    WITH spans AS MATERIALIZED (
        SELECT d.tenant_id, d.series_id, lower(d.span) AS since, upper(d.span) AS until,
               core.local_days(lower(d.span), upper(d.span), d.zone) AS days
        FROM (SELECT r.tenant_id, r.series_id, r.zone, unnest(range_agg(tstzrange(
                         core.local_start('day', r.from_time, r.zone),
                         core.local_start('day', (date_trunc('day', (r.to_time
                             - interval '1 microsecond') AT TIME ZONE r.zone)
                             + interval '36 hours') AT TIME ZONE r.zone, r.zone)))) AS span
              FROM (SELECT u.*, core.series_zone(u.tenant_id, u.series_id) AS zone
                    FROM unnest(tenant_ids, series_ids, from_times, to_times)
                         AS u (tenant_id, series_id, from_time, to_time)) r
              GROUP BY r.tenant_id, r.series_id, r.zone) d
    ), fresh AS (
        SELECT s.tenant_id, s.series_id, a.bucket, a.nkwh
        FROM spans s CROSS JOIN LATERAL (
            SELECT s.days[width_bucket(e.bucket, s.days)] AS bucket,
                   core.energy_bound(sum(e.nkwh)) AS nkwh
            FROM core.energy_15m e
            WHERE e.tenant_id = s.tenant_id AND e.series_id = s.series_id
              AND e.bucket >= s.since AND e.bucket < s.until
            GROUP BY 1) a
    ), kept AS (
        SELECT s.tenant_id, s.series_id, a.bucket, a.nkwh
        FROM spans s CROSS JOIN LATERAL (
            SELECT e.bucket, e.nkwh FROM core.energy_1d e
            WHERE e.tenant_id = s.tenant_id AND e.series_id = s.series_id
              AND e.bucket >= s.since AND e.bucket < s.until) a
    ), other AS MATERIALIZED (
        SELECT tenant_id, series_id, bucket, f.nkwh
        FROM fresh f FULL JOIN kept k USING (tenant_id, series_id, bucket)
        WHERE f.nkwh IS DISTINCT FROM k.nkwh
    ), written AS (
        INSERT INTO core.energy_1d AS e (tenant_id, series_id, bucket, nkwh)
        SELECT o.tenant_id, o.series_id, o.bucket, o.nkwh
        FROM other o WHERE o.nkwh IS NOT NULL
        ORDER BY o.tenant_id, o.series_id, o.bucket
        ON CONFLICT (tenant_id, series_id, bucket) DO UPDATE SET nkwh = excluded.nkwh
    )
    SELECT array_agg(o.tenant_id) AS tenants, array_agg(o.series_id) AS series,
           array_agg(o.bucket) AS buckets
    INTO gone
    FROM other o WHERE o.nkwh IS NULL;
    PERFORM core.energy_remove('core.energy_1d', gone.tenants, gone.series, gone.buckets);
END
$$;

SET LOCAL ROLE tidemark_owner;
