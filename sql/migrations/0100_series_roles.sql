-- What a series of a unit is for, by its metric's name: also where the unit is its sender's word and
-- not the name's, so that energy that is called "energy" and told in kWh counts as energy.

CREATE FUNCTION core.series_role(metric text, unit text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN coalesce(unit, '') NOT IN ('kWh', 'Wh', 'MWh', 'kW', 'W') THEN 'none'
        WHEN metric ~* '(^|\.)(grid_)?import' THEN 'grid_import'
        WHEN metric ~* '(^|\.)(grid_)?export' THEN 'grid_export'
        WHEN metric ~* '(^|\.)(generat|solar|pv|production|inverter|wind)' THEN 'generation'
        WHEN metric ~* '(^|\.)(battery|storage)' THEN 'storage'
        ELSE 'consumption'
    END
$$;

CREATE OR REPLACE FUNCTION core.series_guess(metric text, OUT unit text, OUT kind text, OUT role text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field text := lower(substring(metric from '[^.]*$'));
    known record;
BEGIN
    SELECT u.unit, u.kind INTO known
    FROM (VALUES
        ('kwh_total', 'kWh', 'counter'), ('wh_total', 'Wh', 'counter'), ('total', '', 'counter'),
        ('kwh', 'kWh', 'delta'), ('wh', 'Wh', 'delta'), ('kw', 'kW', 'gauge'), ('w', 'W', 'gauge'),
        ('watts', 'W', 'gauge'), ('va', 'VA', 'gauge'), ('var', 'var', 'gauge'),
        ('v', 'V', 'gauge'), ('mv', 'mV', 'gauge'), ('a', 'A', 'gauge'), ('ma', 'mA', 'gauge'),
        ('hz', 'Hz', 'gauge'), ('c', '°C', 'gauge'), ('celsius', '°C', 'gauge'),
        ('f', '°F', 'gauge'), ('pct', '%', 'gauge'), ('percent', '%', 'gauge'),
        ('lux', 'lx', 'gauge'), ('pa', 'Pa', 'gauge'), ('hpa', 'hPa', 'gauge'),
        ('ppm', 'ppm', 'gauge'), ('db', 'dB', 'gauge'), ('dbm', 'dBm', 'gauge'),
        ('ms', 'ms', 'gauge'), ('s', 's', 'gauge'), ('bytes', 'B', 'gauge'),
        ('m3', 'm³', 'gauge'), ('mm', 'mm', 'gauge'), ('mps', 'm/s', 'gauge')
    ) AS u (suffix, unit, kind)
    WHERE right(field, length(u.suffix) + 1) = '_' || u.suffix OR field = u.suffix
    ORDER BY length(u.suffix) DESC
    LIMIT 1;
    unit := coalesce(known.unit, '');
    kind := coalesce(known.kind, 'gauge');
    role := core.series_role(metric, unit);
END
$$;

CREATE OR REPLACE FUNCTION api.ingest_series(device_ids int[], metrics text[], labels text[],
                                  may_create boolean, kinds text[] DEFAULT NULL,
                                  max_series int DEFAULT NULL, units text[] DEFAULT NULL,
                                  roles text[] DEFAULT NULL)
RETURNS TABLE (ord int, series_id int, last_time timestamptz, is_full boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner  CONSTANT int := core.tenant();
    tagged CONSTANT jsonb[] := ARRAY(
        SELECT coalesce(nullif(l.label, ''), '{}')::jsonb
        FROM unnest(ingest_series.labels) WITH ORDINALITY AS l (label, ord) ORDER BY l.ord);
    made   int[] := '{}';
    room   bigint; -- NULL: any
BEGIN
    IF may_create AND ingest_series.max_series > 0 AND EXISTS (
            SELECT FROM unnest(device_ids, metrics, tagged) AS i (device_id, metric, labels)
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text) OFFSET 0)) THEN
        -- whoever makes series of this tenant meanwhile would count the same ones
        PERFORM pg_advisory_xact_lock(hashtext('core.series'), owner);
        room := greatest(0, ingest_series.max_series
                            - (SELECT count(*) FROM core.series s WHERE s.tenant_id = owner));
    END IF;
    IF may_create AND room IS DISTINCT FROM 0 THEN
        WITH new AS (
            INSERT INTO core.series (tenant_id, device_id, metric, labels, unit, kind, role)
            SELECT DISTINCT ON (d.id, i.metric, i.labels) owner, d.id, i.metric, i.labels,
                   u.unit, coalesce(c.own ->> 'kind', nullif(i.kind, ''), g.kind),
                   coalesce(c.own ->> 'role', nullif(i.role, ''), core.series_role(i.metric, u.unit))
            FROM unnest(device_ids, metrics, tagged, units, kinds, roles)
                 AS i (device_id, metric, labels, unit, kind, role)
            CROSS JOIN LATERAL (SELECT d.id, d.config FROM core.device d
                                WHERE d.tenant_id = owner AND d.id = i.device_id LIMIT 1) d
            CROSS JOIN LATERAL core.series_guess(i.metric) g
            CROSS JOIN LATERAL (SELECT d.config -> 'metrics' -> i.metric AS own) c
            CROSS JOIN LATERAL (SELECT coalesce(c.own ->> 'unit', nullif(i.unit, ''), g.unit) AS unit) u
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text) OFFSET 0)
            ORDER BY d.id, i.metric, i.labels
            LIMIT room
            ON CONFLICT (tenant_id, device_id, metric, md5(labels::text)) DO NOTHING
            RETURNING id)
        SELECT coalesce(array_agg(new.id), '{}') INTO made FROM new;
    END IF;
    RETURN QUERY
    SELECT i.ord::int, s.id,
           CASE WHEN s.id IS NOT NULL AND s.id <> ALL (made)
                THEN core.series_last_time(owner, s.id, l.time) END,
           s.id IS NULL AND EXISTS (SELECT FROM core.device d
                                    WHERE d.tenant_id = owner AND d.id = i.device_id)
    FROM unnest(device_ids, metrics, tagged) WITH ORDINALITY AS i (device_id, metric, labels, ord)
    LEFT JOIN LATERAL (SELECT s.id FROM core.series s
                       WHERE s.tenant_id = owner AND s.device_id = i.device_id
                         AND s.metric = i.metric
                         AND md5(s.labels::text) = md5(i.labels::text) LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT l.time FROM core.series_last l
                       WHERE l.tenant_id = owner AND l.series_id = s.id LIMIT 1) l ON true
    ORDER BY i.ord;
END
$$;

GRANT EXECUTE ON FUNCTION core.series_role(text, text) TO tidemark_door;
