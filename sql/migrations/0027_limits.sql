-- What a tenant may send: limits that protect its neighbours, and which conventions it accepts, with
-- the names and units that its own configuration gives to what they bring.

-- ---- limits ----

-- NULL: the installation's setting; 0: none.
ALTER TABLE core.tenant
    ADD COLUMN request_rate int CHECK (request_rate BETWEEN 0 AND 1000000),  -- posts a second
    ADD COLUMN token_rate   int CHECK (token_rate BETWEEN 0 AND 1000000),    -- of each token
    ADD COLUMN max_series   int CHECK (max_series BETWEEN 0 AND 100000000),
    ADD COLUMN rows_per_day bigint CHECK (rows_per_day BETWEEN 0 AND 1000000000000),
    -- changes whenever its adapters do; 0: it never had one
    ADD COLUMN adapters_version bigint NOT NULL DEFAULT 0;

-- Rows that a tenant stored on a day of its time zone. Ingest adds to it every few seconds, and
-- knows from it how much of the day's quota is used; the days of the last month are kept.
CREATE TABLE core.ingest_day (
    tenant_id int NOT NULL REFERENCES core.tenant ON DELETE CASCADE,
    day       date NOT NULL,
    n_rows    bigint NOT NULL,
    PRIMARY KEY (tenant_id, day)
) WITH (fillfactor = 50);
SELECT core.protect('core.ingest_day', 'tenant_id');

-- The tenant's own limits, and how much of them it has used.
CREATE VIEW api.limits WITH (security_barrier) AS
SELECT t.request_rate, t.token_rate, t.max_series, t.rows_per_day,
       (SELECT count(*) FROM core.series s WHERE s.tenant_id = t.id) AS series,
       coalesce((SELECT d.n_rows FROM core.ingest_day d
                 WHERE d.tenant_id = t.id AND d.day = (now() AT TIME ZONE t.timezone)::date), 0)
           AS rows_today
FROM core.tenant t;
GRANT SELECT ON api.limits TO tidemark_web;

-- The series of (device, metric, labels as a JSON object; NULL or '': none), in their order (ord
-- counts from 1). Where may_create, unknown ones are made: as long as the tenant has fewer than
-- max_series (NULL or 0: any number). series_id NULL: unknown and not made, or (is_full false) the
-- device is not this tenant's. last_time: the newest sample there is; NULL: none. Unit, kind and
-- role of a new series come from the device's configuration, else from the arrays (NULL, or as long
-- as the others, with '' for none), else from the metric's name.
DROP FUNCTION api.ingest_series(int[], text[], text[], boolean, text[]);
CREATE FUNCTION api.ingest_series(device_ids int[], metrics text[], labels text[],
                                  may_create boolean, kinds text[] DEFAULT NULL,
                                  max_series int DEFAULT NULL, units text[] DEFAULT NULL,
                                  roles text[] DEFAULT NULL)
RETURNS TABLE (ord int, series_id int, last_time timestamptz, is_full boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
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
                                AND md5(s.labels::text) = md5(i.labels::text))) THEN
        -- whoever makes series of this tenant meanwhile would count the same ones
        PERFORM pg_advisory_xact_lock(hashtext('core.series'), owner);
        room := greatest(0, ingest_series.max_series
                            - (SELECT count(*) FROM core.series s WHERE s.tenant_id = owner));
    END IF;
    IF may_create AND room IS DISTINCT FROM 0 THEN
        WITH new AS (
            INSERT INTO core.series (tenant_id, device_id, metric, labels, unit, kind, role)
            SELECT DISTINCT ON (d.id, i.metric, i.labels) owner, d.id, i.metric, i.labels,
                   coalesce(c.own ->> 'unit', nullif(i.unit, ''), g.unit),
                   coalesce(c.own ->> 'kind', nullif(i.kind, ''), g.kind),
                   coalesce(c.own ->> 'role', nullif(i.role, ''), g.role)
            FROM unnest(device_ids, metrics, tagged, units, kinds, roles)
                 AS i (device_id, metric, labels, unit, kind, role)
            JOIN core.device d ON d.tenant_id = owner AND d.id = i.device_id
            CROSS JOIN LATERAL core.series_guess(i.metric) g
            CROSS JOIN LATERAL (SELECT d.config -> 'metrics' -> i.metric AS own) c
            WHERE NOT EXISTS (SELECT FROM core.series s
                              WHERE s.tenant_id = owner AND s.device_id = i.device_id
                                AND s.metric = i.metric
                                AND md5(s.labels::text) = md5(i.labels::text))
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
    LEFT JOIN core.series s
           ON s.tenant_id = owner AND s.device_id = i.device_id AND s.metric = i.metric
          AND md5(s.labels::text) = md5(i.labels::text)
    LEFT JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
    ORDER BY i.ord;
END
$$;
GRANT EXECUTE ON FUNCTION
    api.ingest_series(int[], text[], text[], boolean, text[], int, text[], text[])
    TO tidemark_ingest;

SET LOCAL ROLE tidemark_door;

-- Adds rows to what tenants stored today, each in its own time zone. Answers how much that is now,
-- and when its day ends. Parallel arrays; 0 only asks.
CREATE FUNCTION api.ingest_day_add(tenant_ids int[], n_rows bigint[])
RETURNS TABLE (tenant_id int, rows_today bigint, ends_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH added AS (
        INSERT INTO core.ingest_day AS d (tenant_id, day, n_rows)
        SELECT t.id, (now() AT TIME ZONE t.timezone)::date, sum(u.n_rows)::bigint
        FROM unnest(tenant_ids, ingest_day_add.n_rows) AS u (tenant_id, n_rows)
        JOIN core.tenant t ON t.id = u.tenant_id
        GROUP BY t.id
        ORDER BY t.id
        ON CONFLICT (tenant_id, day) DO UPDATE SET n_rows = d.n_rows + excluded.n_rows
        RETURNING d.tenant_id, d.day, d.n_rows
    ), gone AS (
        DELETE FROM core.ingest_day o USING added a
        WHERE o.tenant_id = a.tenant_id AND o.day < a.day - 31
    )
    SELECT a.tenant_id, a.n_rows, (a.day + 1)::timestamp AT TIME ZONE t.timezone
    FROM added a JOIN core.tenant t ON t.id = a.tenant_id
    ORDER BY a.tenant_id;
END
$$;
GRANT EXECUTE ON FUNCTION api.ingest_day_add(int[], bigint[]) TO tidemark_ingest;

-- As before, with the tenant's limits and the version of its adapters.
DROP FUNCTION api.token_resolve(bytea);
CREATE FUNCTION api.token_resolve(hash bytea)
RETURNS TABLE (token_id bigint, kind text, tenant_id int, tenant_slug text, tenant_name text,
               tenant_timezone text, tenant_currency text, auto_register boolean, device_id int,
               device_key text, is_backfill boolean, raw_days int, expires_at timestamptz,
               request_rate int, token_rate int, max_series int, rows_per_day bigint,
               adapters_version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.id, k.kind, t.id, t.slug, t.name, t.timezone, t.currency, t.auto_register,
           d.id, d.key, k.is_backfill, t.raw_days, shown.until,
           t.request_rate, t.token_rate, t.max_series, t.rows_per_day, t.adapters_version
    FROM core.token k
    CROSS JOIN LATERAL (SELECT CASE WHEN k.hash = token_resolve.hash THEN k.expires_at
                               ELSE least(k.old_until, k.expires_at) END AS until) shown
    JOIN core.tenant t ON t.id = k.tenant_id AND t.status = 'active'
    LEFT JOIN core.device d ON d.tenant_id = k.tenant_id AND d.id = k.device_id
    WHERE (k.hash = token_resolve.hash OR k.old_hash = token_resolve.hash)
      AND k.revoked_at IS NULL
      AND (shown.until IS NULL OR shown.until > now())
      AND d.retired_at IS NULL;
END
$$;
GRANT EXECUTE ON FUNCTION api.token_resolve(bytea) TO tidemark_web, tidemark_ingest;

-- As before, with what of those holds for a replay.
DROP FUNCTION api.reject_claim(int);
CREATE FUNCTION api.reject_claim(row_limit int)
RETURNS TABLE (tenant_id int, id bigint, "time" timestamptz, request_id text, token_id bigint,
               device_id int, device_key text, is_backfill boolean, item int, method text,
               target text, content_type text, text bytea, is_item boolean, auto_register boolean,
               timezone text, raw_days int, max_series int,
               adapters_version bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.tenant_id, r.id FROM core.reject r
        WHERE r.state = 'pending'
          AND (r.claimed_at IS NULL OR r.claimed_at < clock_timestamp() - interval '1 minute')
          AND EXISTS (SELECT FROM core.tenant t WHERE t.id = r.tenant_id AND t.status = 'active')
        ORDER BY r.tried_at, r.id
        LIMIT row_limit
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE core.reject r SET claimed_at = clock_timestamp()
        FROM due WHERE r.tenant_id = due.tenant_id AND r.id = due.id
        RETURNING r.*
    )
    SELECT c.tenant_id, c.id, c.time, c.request_id, c.token_id, c.device_id, d.key, c.is_backfill,
           c.item, c.method, c.target, c.content_type, c.text, c.is_item, t.auto_register,
           t.timezone, t.raw_days, t.max_series, t.adapters_version
    FROM claimed c
    JOIN core.tenant t ON t.id = c.tenant_id
    LEFT JOIN core.device d ON d.tenant_id = c.tenant_id AND d.id = c.device_id
    ORDER BY c.tried_at, c.id;
END
$$;
GRANT EXECUTE ON FUNCTION api.reject_claim(int) TO tidemark_ingest;

-- Every tenant's limits; rows_today of its own day.
CREATE FUNCTION ops.tenant_limits()
RETURNS TABLE (slug text, request_rate int, token_rate int, max_series int, rows_per_day bigint,
               rows_today bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.slug, t.request_rate, t.token_rate, t.max_series, t.rows_per_day,
           coalesce(d.n_rows, 0)
    FROM core.tenant t
    LEFT JOIN core.ingest_day d
           ON d.tenant_id = t.id AND d.day = (now() AT TIME ZONE t.timezone)::date
$$;

-- Sets those limits that `changed` names: a number, 0 for none, null for the installation's.
CREATE FUNCTION ops.tenant_limit(slug text, changed jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(slug);
BEGIN
    UPDATE core.tenant t
    SET request_rate = n.request_rate, token_rate = n.token_rate, max_series = n.max_series,
        rows_per_day = n.rows_per_day
    FROM core.tenant o
    CROSS JOIN LATERAL jsonb_populate_record(o, changed) n
    WHERE t.id = home AND o.id = home;
    PERFORM core.audit_add(home, 'tenant.limit', slug, changed);
END
$$;
GRANT EXECUTE ON FUNCTION ops.tenant_limits(), ops.tenant_limit(text, jsonb) TO tidemark_operator;

-- ---- adapters ----

CREATE FUNCTION core.adapters_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.tenant t SET adapters_version = t.adapters_version + 1
    WHERE t.id = coalesce(NEW.tenant_id, OLD.tenant_id);
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.adapters_changed() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER adapters_changed AFTER INSERT OR UPDATE OR DELETE ON core.plugin
    FOR EACH ROW EXECUTE FUNCTION core.adapters_changed();

-- The tenant's adapters, for ingest; version: what token_resolve says from the next change on.
CREATE FUNCTION api.ingest_adapters()
RETURNS TABLE (version bigint, key text, is_enabled boolean, config text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.adapters_version, p.key, p.is_enabled, p.config::text
    FROM core.tenant t
    LEFT JOIN core.plugin p ON p.tenant_id = t.id AND p.kind = 'adapter'
    WHERE t.id = core.tenant()
    ORDER BY p.key;
END
$$;
GRANT EXECUTE ON FUNCTION api.ingest_adapters() TO tidemark_ingest;
