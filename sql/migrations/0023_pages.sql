-- What the lists of the pages and of the API read: devices by text, site and state, with or without
-- their headline values, tokens, share links, and how many events there were by day and type. All
-- take the tenant from core.tenant().

-- core.tenant (0001) as it was, but for our processes, which are never bound to a tenant
-- (ops.tenant_login_bind): they are not looked for among the logins that are. Some thirty calls a
-- page; a query in them made them a tenth of it.
SET LOCAL ROLE tidemark_door;
CREATE OR REPLACE FUNCTION core.tenant() RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound   int;
    setting text := current_setting('tidemark.tenant_id', true);
BEGIN
    IF session_user NOT IN ('tidemark_web', 'tidemark_ingest', 'tidemark_worker',
                            'tidemark_operator') THEN
        SELECT l.tenant_id INTO bound FROM core.tenant_login l WHERE l.role = session_user;
        IF FOUND THEN
            RETURN bound;
        END IF;
        IF session_user <> 'tidemark_read'
           AND pg_has_role(session_user, 'tidemark_read', 'MEMBER')
           AND NOT pg_has_role(session_user, 'tidemark_web', 'MEMBER') THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN CASE WHEN setting ~ '^[1-9][0-9]{0,8}$' THEN setting::int END;
END
$$;
SET LOCAL ROLE tidemark_owner;

-- Devices after the key after_key whose key or name contains `search`, of a site, in a state:
-- NULL: in use; 'live' (heard after live_after), 'late' (after silent_after only), 'silent' (not
-- even that), 'retired'. Each with the value people look at first: power, else energy, else
-- whatever came last.
CREATE FUNCTION api.device_page(search text, of_site text, state text, live_after timestamptz,
                                silent_after timestamptz, after_key text, row_limit int)
RETURNS TABLE (key text, name text, model text, site text, last_seen timestamptz,
               retired_at timestamptz, series_id int, metric text, unit text, kind text,
               role text, last_time timestamptz, last_value float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
AS $$
#variable_conflict use_column
DECLARE
    owner   CONSTANT int := core.tenant();
    since   CONSTANT text := coalesce(after_key, '');
    pattern CONSTANT text := '%' || replace(replace(replace(search, '\', '\\'), '%', '\%'),
                                            '_', '\_') || '%';
BEGIN
    RETURN QUERY
    SELECT d.key, d.name, d.model, d.site, d.last_seen, d.retired_at, h.id, h.metric, h.unit,
           h.kind, h.role, h.time, h.value
    FROM (SELECT d.id, d.key, d.name, d.model, p.key AS site, d.last_seen, d.retired_at
          FROM core.device d
          LEFT JOIN core.site p ON p.tenant_id = owner AND p.id = d.site_id
          WHERE d.tenant_id = owner AND d.key > since
            AND (search IS NULL OR d.key ILIKE pattern OR d.name ILIKE pattern)
            AND (of_site IS NULL OR p.key = of_site)
            AND (d.retired_at IS NOT NULL) = (state IS NOT NULL AND state = 'retired')
            AND CASE state
                    WHEN 'live' THEN d.last_seen > live_after
                    WHEN 'late' THEN d.last_seen > silent_after AND d.last_seen <= live_after
                    WHEN 'silent' THEN d.last_seen IS NULL OR d.last_seen <= silent_after
                    ELSE true END
          ORDER BY d.tenant_id, d.key
          LIMIT row_limit) d
    LEFT JOIN LATERAL (
        SELECT s.id, s.metric, s.unit, s.kind, s.role, l.time, l.value
        FROM core.series s
        JOIN core.series_last l ON l.tenant_id = owner AND l.series_id = s.id
        WHERE s.tenant_id = owner AND s.device_id = d.id
        ORDER BY CASE WHEN s.unit IN ('W', 'kW') THEN 0 WHEN s.unit IN ('kWh', 'Wh') THEN 1
                      ELSE 2 END, l.time DESC, s.id
        LIMIT 1) h ON true
    ORDER BY d.key;
END
$$;

-- A page of the tenant's devices in the order of their keys, after a key; of a site, with a text in
-- key, name or model, retired or not, where these are given. (A view's condition would not reach
-- the index together with order and limit; and no estimate of what a filter leaves may make it
-- read and sort all devices.)
CREATE FUNCTION api.device_list(after_key text, row_limit int, of_site text, search text,
                                is_retired boolean)
RETURNS TABLE (key text, name text, model text, site text, timezone text,
               created_at timestamptz, last_seen timestamptz, retired_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    zone  CONSTANT text := (SELECT t.timezone FROM core.tenant t WHERE t.id = owner);
    since CONSTANT text := coalesce(after_key, '');    -- row security lets no COALESCE at an index
BEGIN
    RETURN QUERY
    SELECT d.key, d.name, d.model, s.key, coalesce(s.timezone, zone), d.created_at, d.last_seen,
           d.retired_at
    FROM core.device d
    LEFT JOIN core.site s ON s.tenant_id = owner AND s.id = d.site_id
    WHERE d.tenant_id = owner AND d.key > since
      AND (of_site IS NULL OR s.key = of_site)
      AND (search IS NULL
           OR strpos(lower(concat_ws(E'\n', d.key, d.name, d.model)), lower(search)) > 0)
      AND (is_retired IS NULL OR (d.retired_at IS NOT NULL) = is_retired)
    ORDER BY d.key
    LIMIT row_limit;
END
$$;

-- Tokens of the tenant, newest first, those before an id (NULL: from the newest), with or without
-- those that are revoked or expired; or the one of an id.
CREATE FUNCTION api.token_list(before_id bigint, with_inactive boolean, only_id bigint,
                               row_limit int)
RETURNS SETOF api.token
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
    until CONSTANT bigint := coalesce(before_id, 9223372036854775807);
BEGIN
    RETURN QUERY
    SELECT k.id, k.kind, d.key, k.name, k.prefix, k.is_backfill, k.created_at, k.last_used,
           k.expires_at, k.revoked_at, CASE WHEN k.old_until > now() THEN k.old_until END,
           k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    FROM core.token k
    LEFT JOIN core.device d ON d.tenant_id = owner AND d.id = k.device_id
    -- both in one, for the tenant's index: that of all tenants' ids has other tenants' between
    WHERE k.tenant_id = owner AND (k.tenant_id, k.id) < (owner, until)
      AND (only_id IS NULL OR k.id = only_id)
      AND (with_inactive OR (k.revoked_at IS NULL
                             AND (k.expires_at IS NULL OR k.expires_at > now())))
    ORDER BY k.id DESC
    LIMIT row_limit;
END
$$;

-- The tenant's links after the number before_id, newest first.
CREATE FUNCTION api.share_list(before_id bigint, row_limit int)
RETURNS SETOF api.share
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
    until CONSTANT bigint := coalesce(before_id, 9223372036854775807);
BEGIN
    RETURN QUERY
    SELECT s.id, s.name, d.key, s.created_by, s.created_at, s.expires_at, s.revoked_at, s.last_used
    FROM core.share s
    LEFT JOIN core.device d ON d.tenant_id = owner AND d.id = s.device_id
    WHERE s.tenant_id = owner AND s.id < until
    ORDER BY s.id DESC
    LIMIT row_limit;
END
$$;

-- Events by type in each of the stretches of time that the ascending `starts` part, the last of
-- which ends the last stretch. `stretch` counts from 1.
CREATE FUNCTION api.event_counts(starts timestamptz[])
RETURNS TABLE (stretch int, type text, count bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    owner CONSTANT int := core.tenant();
    since CONSTANT timestamptz := greatest(starts[1], core.visible_from('event'));
BEGIN
    RETURN QUERY
    SELECT width_bucket(e.time, (SELECT starts)), e.type, count(*)
    FROM core.event e
    WHERE e.tenant_id = owner AND e.time >= since AND e.time < starts[cardinality(starts)]
    GROUP BY 1, 2;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.device_page(text, text, text, timestamptz, timestamptz, text, int),
    api.device_list(text, int, text, text, boolean), api.event_counts(timestamptz[])
    TO tidemark_web, tidemark_read;
GRANT EXECUTE ON FUNCTION api.token_list(bigint, boolean, bigint, int),
    api.share_list(bigint, int) TO tidemark_web;
