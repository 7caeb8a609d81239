-- Operators' changes to tenants, and read-only links of a dashboard that a tenant's admins give
-- away: whoever has the link sees that one page and nothing else, until it expires or is revoked.

-- ---- operators ----

SET LOCAL ROLE tidemark_door;

-- Changes what is not NULL: name, zone, currency, status ('active', 'suspended': its devices and
-- people are shut out within seconds, its data stays).
CREATE FUNCTION ops.tenant_patch(slug text, name text, timezone text, currency text, status text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed CONSTANT int := core.tenant_by_slug(slug);
BEGIN
    UPDATE core.tenant t
    SET name = coalesce(nullif(btrim(tenant_patch.name), ''), t.name),
        timezone = CASE WHEN tenant_patch.timezone IS NULL THEN t.timezone
                        ELSE core.timezone_check(tenant_patch.timezone) END,
        currency = coalesce(tenant_patch.currency, t.currency),
        status = coalesce(tenant_patch.status, t.status)
    WHERE t.id = changed;
    PERFORM core.audit_add(changed, 'tenant.patch', slug, jsonb_strip_nulls(jsonb_build_object(
        'name', name, 'timezone', timezone, 'currency', currency, 'status', status)));
END
$$;

GRANT EXECUTE ON FUNCTION ops.tenant_patch(text, text, text, text, text) TO tidemark_operator;
GRANT EXECUTE ON FUNCTION core.audit_add(int, text, text, jsonb) TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

-- ---- shared pages ----

CREATE TABLE core.share (
    tenant_id  int NOT NULL REFERENCES core.tenant,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    hash       bytea NOT NULL UNIQUE,               -- of the link's secret
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    device_id  int,                                 -- that device's page; NULL: the overview
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES core.device ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX share_device ON core.share (tenant_id, device_id);
SELECT core.protect('core.share', 'tenant_id');

CREATE VIEW api.share WITH (security_barrier) AS
SELECT s.id, s.name, d.key AS device, s.created_by, s.created_at, s.expires_at, s.revoked_at,
       s.last_used
FROM core.share s
LEFT JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id;

GRANT SELECT ON api.share TO tidemark_web;

-- Makes a link of the tenant's overview, or of the page of the device `device_key`, that works for
-- `days` days (at most 366). Answers its number.
CREATE FUNCTION api.share_add(name text, device_key text, hash bytea, days int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner  CONSTANT int := core.tenant();
    shared CONSTANT int := (SELECT d.id FROM core.device d
                            WHERE d.tenant_id = owner AND d.key = device_key);
    actor  CONSTANT text := coalesce(nullif(current_setting('tidemark.actor', true), ''),
                                     session_user);
    new_id bigint;
BEGIN
    IF owner IS NULL THEN
        RAISE EXCEPTION 'there is no tenant to share from' USING ERRCODE = 'TM403';
    END IF;
    IF device_key IS NOT NULL AND shared IS NULL THEN
        RAISE EXCEPTION 'there is no device "%"', device_key USING ERRCODE = 'TM422';
    END IF;
    IF days NOT BETWEEN 1 AND 366 THEN
        RAISE EXCEPTION 'a link works for 1 to 366 days' USING ERRCODE = 'TM422';
    END IF;
    INSERT INTO core.share (tenant_id, hash, name, device_id, created_by, expires_at)
    VALUES (owner, share_add.hash, share_add.name, shared, actor,
            now() + make_interval(days => days))
    RETURNING id INTO new_id;
    PERFORM core.audit_add(owner, 'share.add', new_id::text,
                           jsonb_build_object('name', name, 'device', device_key, 'days', days));
    RETURN new_id;
END
$$;

-- Ends a link of the tenant; false: it has none of this number that still works.
CREATE FUNCTION api.share_revoke(share_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
BEGIN
    UPDATE core.share s SET revoked_at = now()
    WHERE s.tenant_id = owner AND s.id = share_id AND s.revoked_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM core.audit_add(owner, 'share.revoke', share_id::text);
    RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION api.share_add(text, text, bytea, int), api.share_revoke(bigint)
    TO tidemark_web;

SET LOCAL ROLE tidemark_door;

-- What the link of a hash opens. No row: unknown, expired, revoked, or its tenant is suspended.
-- Notes that it was used, at most once a minute and not in a read-only transaction.
CREATE FUNCTION api.share_resolve(hash bytea)
RETURNS TABLE (share_id bigint, tenant_id int, tenant_slug text, tenant_name text,
               tenant_timezone text, tenant_currency text, device_key text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF current_setting('transaction_read_only') = 'off' THEN
        UPDATE core.share s SET last_used = now()
        WHERE s.hash = share_resolve.hash AND s.revoked_at IS NULL AND s.expires_at > now()
          AND (s.last_used IS NULL OR s.last_used < now() - interval '1 minute');
    END IF;
    RETURN QUERY
    SELECT s.id, t.id, t.slug, t.name, t.timezone, t.currency, d.key
    FROM core.share s
    JOIN core.tenant t ON t.id = s.tenant_id AND t.status = 'active'
    LEFT JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id
    WHERE s.hash = share_resolve.hash AND s.revoked_at IS NULL AND s.expires_at > now();
END
$$;

GRANT EXECUTE ON FUNCTION api.share_resolve(bytea) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
