-- What else a tenant's admins manage: its tokens, settings and plugins, and the audit trail they
-- read. All of it runs as the owner, whom row-level security holds to the transaction's tenant.
-- And each person's own account, by doors, for a person belongs to several tenants.

CREATE VIEW api.token WITH (security_barrier) AS
SELECT k.id, k.kind, d.key AS device, k.name, k.prefix, k.is_backfill, k.created_at, k.last_used,
       k.expires_at, k.revoked_at, CASE WHEN k.old_until > now() THEN k.old_until END AS old_until,
       k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AS is_active
FROM core.token k
LEFT JOIN core.device d ON d.tenant_id = k.tenant_id AND d.id = k.device_id;

-- Invitations that nobody has used yet, expired ones too.
CREATE VIEW api.invite WITH (security_barrier) AS
SELECT l.id, l.email, l.role, l.made_by, l.created_at, l.expires_at
FROM core.access_link l
WHERE l.kind = 'invite' AND l.used_at IS NULL;

CREATE VIEW api.plugin WITH (security_barrier) AS
SELECT p.key, p.kind, p.is_enabled, p.config, p.created_at
FROM core.plugin p;

CREATE VIEW api.settings WITH (security_barrier) AS
SELECT t.slug, t.name, t.timezone, t.currency, t.auto_register, t.raw_days, t.hourly_days,
       t.daily_days, t.event_days, t.created_at
FROM core.tenant t;

GRANT SELECT ON api.token, api.invite, api.plugin, api.settings TO tidemark_web;

-- ---- tokens ----

-- Stores a token's hash. device_key NULL: not bound to a device. until NULL: never expires.
CREATE FUNCTION api.token_add(kind text, device_key text, name text, hash bytea, prefix text,
                              until timestamptz, backfill boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    bound int;
    new_id bigint;
BEGIN
    IF device_key IS NOT NULL THEN
        SELECT d.id INTO bound FROM core.device d WHERE d.tenant_id = home AND d.key = device_key;
        IF NOT FOUND OR kind <> 'device' THEN
            RAISE EXCEPTION 'There is no device "%" to bind the token to.', device_key
                USING ERRCODE = 'TM422';
        END IF;
    END IF;
    INSERT INTO core.token (tenant_id, kind, device_id, name, hash, prefix, expires_at, is_backfill)
    VALUES (home, kind, bound, coalesce(name, ''), hash, prefix, until, backfill)
    RETURNING id INTO new_id;
    PERFORM core.audit_add(home, 'token.add', new_id::text, jsonb_strip_nulls(jsonb_build_object(
        'kind', kind, 'name', name, 'prefix', prefix, 'device', device_key, 'expires_at', until)));
    RETURN new_id;
END
$$;

-- A token of the tenant, locked. Fails where there is none, or it is revoked.
CREATE FUNCTION core.token_lock(home int, token_id bigint) RETURNS core.token
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held core.token;
BEGIN
    SELECT * INTO held FROM core.token k
    WHERE k.tenant_id = home AND k.id = token_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such token.' USING ERRCODE = 'TM404';
    END IF;
    IF held.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'This token is revoked.' USING ERRCODE = 'TM409';
    END IF;
    RETURN held;
END
$$;

-- Sets name, expiry (NULL: never) and whether it may send any age.
CREATE FUNCTION api.token_change(token_id bigint, new_name text, until timestamptz,
                                 backfill boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was  CONSTANT core.token := core.token_lock(home, token_id);
BEGIN
    UPDATE core.token k SET name = new_name, expires_at = until, is_backfill = backfill
    WHERE k.tenant_id = home AND k.id = token_id;
    PERFORM core.audit_add(home, 'token.change', token_id::text, jsonb_strip_nulls(
        jsonb_build_object(
            'name', CASE WHEN was.name <> new_name THEN jsonb_build_array(was.name, new_name) END,
            'expires_at', CASE WHEN was.expires_at IS DISTINCT FROM until
                          THEN jsonb_build_array(was.expires_at, until) END,
            'backfill', CASE WHEN was.is_backfill <> backfill
                        THEN jsonb_build_array(was.is_backfill, backfill) END)));
END
$$;

-- A new secret in the place of the old one, which works for `grace_hours` more. One from an
-- earlier rotation stops at once.
CREATE FUNCTION api.token_rotate(token_id bigint, new_hash bytea, new_prefix text,
                                 grace_hours int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was  CONSTANT core.token := core.token_lock(home, token_id);
BEGIN
    IF was.expires_at <= now() THEN
        RAISE EXCEPTION 'This token has expired. Give it a later expiry first.'
            USING ERRCODE = 'TM409';
    END IF;
    IF grace_hours NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'The old secret can go on working for 0 to 24 hours.'
            USING ERRCODE = 'TM422';
    END IF;
    UPDATE core.token k
    SET hash = new_hash, prefix = new_prefix,
        old_hash = CASE WHEN grace_hours > 0 THEN was.hash END,
        old_until = CASE WHEN grace_hours > 0 THEN now() + make_interval(hours => grace_hours) END
    WHERE k.tenant_id = home AND k.id = token_id;
    PERFORM core.audit_add(home, 'token.rotate', token_id::text, jsonb_build_object(
        'prefix', jsonb_build_array(was.prefix, new_prefix), 'grace_hours', grace_hours));
END
$$;

-- Ends a token, with its former secret; one that is revoked stays so.
CREATE FUNCTION api.token_revoke(token_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was core.token;
BEGIN
    SELECT * INTO was FROM core.token k WHERE k.tenant_id = home AND k.id = token_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such token.' USING ERRCODE = 'TM404';
    END IF;
    IF was.revoked_at IS NULL THEN
        UPDATE core.token k SET revoked_at = now(), old_hash = NULL, old_until = NULL
        WHERE k.tenant_id = home AND k.id = token_id;
        PERFORM core.audit_add(home, 'token.revoke', token_id::text,
                               jsonb_build_object('name', was.name, 'prefix', was.prefix));
    END IF;
END
$$;

-- ---- invitations ----

CREATE FUNCTION api.invite_withdraw(link_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    whose text;
BEGIN
    DELETE FROM core.access_link l
    WHERE l.tenant_id = home AND l.id = link_id AND l.kind = 'invite' AND l.used_at IS NULL
    RETURNING l.email INTO whose;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such invitation.' USING ERRCODE = 'TM404';
    END IF;
    PERFORM core.audit_add(home, 'invite.withdraw', whose);
END
$$;

-- ---- settings ----

-- Sets the tenant's own settings; days NULL: the installation's.
CREATE FUNCTION api.settings_change(new_name text, new_timezone text, new_currency text,
                                    may_register boolean, raw int, hourly int, daily int,
                                    event int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    before jsonb;
    after  jsonb;
BEGIN
    SELECT to_jsonb(t) INTO before FROM core.tenant t WHERE t.id = home FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such tenant.' USING ERRCODE = 'TM404';
    END IF;
    IF new_timezone IS DISTINCT FROM before ->> 'timezone' THEN
        PERFORM core.timezone_check(new_timezone);
    END IF;
    UPDATE core.tenant t
    SET name = new_name, timezone = new_timezone, currency = new_currency,
        auto_register = may_register, raw_days = raw, hourly_days = hourly, daily_days = daily,
        event_days = event
    WHERE t.id = home
    RETURNING to_jsonb(t) INTO after;
    IF before <> after THEN
        PERFORM core.audit_add(home, 'tenant.change', after ->> 'slug', (
            SELECT jsonb_object_agg(a.key, jsonb_build_array(before -> a.key, a.value))
            FROM jsonb_each(after) a WHERE a.value <> before -> a.key));
    END IF;
END
$$;

-- ---- plugins ----

-- Registers a plugin or changes it; true: it is new.
CREATE FUNCTION api.plugin_put(of_key text, new_kind text, enabled boolean, new_config jsonb)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    is_new boolean;
BEGIN
    INSERT INTO core.plugin AS p (tenant_id, key, kind, is_enabled, config)
    VALUES (home, of_key, new_kind, enabled, new_config)
    ON CONFLICT ON CONSTRAINT plugin_pkey DO UPDATE
    SET kind = excluded.kind, is_enabled = excluded.is_enabled, config = excluded.config
    RETURNING xmax = 0 INTO is_new;
    -- not the configuration: it may hold secrets of other services
    PERFORM core.audit_add(home, 'plugin.put', of_key,
                           jsonb_build_object('kind', new_kind, 'is_enabled', enabled));
    RETURN is_new;
END
$$;

CREATE FUNCTION api.plugin_remove(of_key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    DELETE FROM core.plugin p WHERE p.tenant_id = home AND p.key = of_key;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such plugin.' USING ERRCODE = 'TM404';
    END IF;
    PERFORM core.audit_add(home, 'plugin.remove', of_key);
END
$$;

-- ---- the audit trail ----

CREATE INDEX audit_list ON core.audit (tenant_id, time DESC, id DESC);
DROP INDEX core.audit_tenant;

-- What was done in the tenant, newest first by (time, id), before the cursor where one is given.
-- of_action: one action ("token.add") or a whole area of them ("token").
CREATE FUNCTION api.audit_list(of_action text, of_actor text, from_time timestamptz,
                               to_time timestamptz, before_time timestamptz, before_id bigint,
                               row_limit int)
RETURNS TABLE (id bigint, "time" timestamptz, actor text, action text, object text, detail jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT a.id, a.time, a.actor, a.action, a.object, a.detail
    FROM core.audit a
    WHERE a.tenant_id = home AND a.time >= from_time AND a.time < to_time
      AND (before_time IS NULL OR (a.time, a.id) < (before_time, before_id))
      AND (of_action IS NULL OR a.action = of_action OR starts_with(a.action, of_action || '.'))
      AND (of_actor IS NULL OR a.actor = of_actor)
    ORDER BY a.time DESC, a.id DESC
    LIMIT row_limit;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.token_add(text, text, text, bytea, text, timestamptz, boolean),
    api.token_change(bigint, text, timestamptz, boolean),
    api.token_rotate(bigint, bytea, text, int), api.token_revoke(bigint),
    api.invite_withdraw(bigint),
    api.settings_change(text, text, text, boolean, int, int, int, int),
    api.plugin_put(text, text, boolean, jsonb), api.plugin_remove(text),
    api.audit_list(text, text, timestamptz, timestamptz, timestamptz, bigint, int)
    TO tidemark_web;

SET LOCAL ROLE tidemark_door;

-- ---- one's own account, by the session's secret ----

-- The person of a living session.
CREATE FUNCTION core.session_person(hash bytea) RETURNS core.person
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who core.person;
BEGIN
    SELECT p.* INTO who FROM core.session s JOIN core.person p ON p.id = s.person_id
    WHERE s.hash = session_person.hash AND s.expires_at > now();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This session has ended.' USING ERRCODE = 'TM401';
    END IF;
    RETURN who;
END
$$;

-- The person's sessions, the newest first, this one marked.
CREATE FUNCTION api.own_sessions(hash bytea)
RETURNS TABLE (created_at timestamptz, last_seen timestamptz, expires_at timestamptz,
               tenant_name text, is_this boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who CONSTANT core.person := core.session_person(hash);
BEGIN
    RETURN QUERY
    SELECT s.created_at, s.last_seen, s.expires_at, t.name, s.hash = own_sessions.hash
    FROM core.session s LEFT JOIN core.tenant t ON t.id = s.tenant_id
    WHERE s.person_id = who.id AND s.expires_at > now()
    ORDER BY s.hash = own_sessions.hash DESC, s.last_seen DESC
    LIMIT 100;
END
$$;

CREATE FUNCTION api.own_name_set(hash bytea, name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who CONSTANT core.person := core.session_person(hash);
BEGIN
    UPDATE core.person p SET name = own_name_set.name WHERE p.id = who.id;
    PERFORM core.audit_add(NULL, 'person.name', who.email);
END
$$;

-- Ends the person's other sessions; answers how many.
CREATE FUNCTION api.own_sessions_end(hash bytea) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who CONSTANT core.person := core.session_person(hash);
    n int;
BEGIN
    DELETE FROM core.session s WHERE s.person_id = who.id AND s.hash <> own_sessions_end.hash;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM core.audit_add(NULL, 'person.sessions_end', who.email, jsonb_build_object('ended', n));
    RETURN n;
END
$$;

-- Sets the password, which ends the other sessions and password links.
CREATE FUNCTION api.own_password_set(hash bytea, password_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who CONSTANT core.person := core.session_person(hash);
BEGIN
    UPDATE core.person p SET password_hash = own_password_set.password_hash WHERE p.id = who.id;
    DELETE FROM core.session s WHERE s.person_id = who.id AND s.hash <> own_password_set.hash;
    DELETE FROM core.access_link l WHERE l.kind = 'reset' AND l.person_id = who.id;
    PERFORM core.audit_add(NULL, 'person.password', who.email);
END
$$;

GRANT EXECUTE ON FUNCTION api.own_sessions(bytea), api.own_name_set(bytea, text),
    api.own_sessions_end(bytea), api.own_password_set(bytea, text) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
