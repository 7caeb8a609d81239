-- The doors of the web and ingest processes: what must be asked before the tenant is known.
-- Resolve a token, check a login, resolve a session, list a person's memberships. Each sees
-- across tenants by design, takes a secret's hash or an e-mail, and answers for that one alone.

SET LOCAL ROLE tidemark_door;

-- The token of a hash and the tenant it opens. No row: unknown, revoked, expired, or its tenant
-- is suspended or its device retired.
CREATE FUNCTION api.token_resolve(hash bytea)
RETURNS TABLE (token_id bigint, kind text, tenant_id int, tenant_slug text, tenant_name text,
               tenant_timezone text, tenant_currency text, auto_register boolean, device_id int,
               device_key text, is_backfill boolean, raw_days int)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.id, k.kind, t.id, t.slug, t.name, t.timezone, t.currency, t.auto_register,
           d.id, d.key, k.is_backfill, t.raw_days
    FROM core.token k
    JOIN core.tenant t ON t.id = k.tenant_id AND t.status = 'active'
    LEFT JOIN core.device d ON d.tenant_id = k.tenant_id AND d.id = k.device_id
    WHERE k.hash = token_resolve.hash
      AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > now())
      AND d.retired_at IS NULL;
END
$$;

-- When tokens were last used; only forward.
CREATE FUNCTION api.token_touch(ids bigint[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.token k
    SET last_used = used.time
    FROM (SELECT u.id, max(u.time) AS time
          FROM unnest(ids, times) AS u (id, time) GROUP BY u.id) used
    WHERE k.id = used.id AND (k.last_used IS NULL OR k.last_used < used.time);
END
$$;

-- The form in which e-mails are stored and compared; bounded, for anybody may send one.
CREATE FUNCTION core.email_norm(email text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT left(lower(btrim(email)), 320) $$;

-- Seconds until a further attempt is looked at: none for four failures of an e-mail and nineteen
-- of an address (a household or an office has one together: who forgot a password must not lock
-- out the others), then doubling from one second to at most 900. Forgotten a day after the last.
CREATE FUNCTION core.login_wait_s(kind text, subject text) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    failed core.login_throttle;
    first int := CASE kind WHEN 'address' THEN 20 ELSE 5 END;
BEGIN
    SELECT * INTO failed FROM core.login_throttle t
    WHERE t.kind = login_wait_s.kind AND t.subject = login_wait_s.subject
      AND t.last_failed > clock_timestamp() - interval '1 day';
    IF NOT FOUND OR failed.failures < first THEN
        RETURN 0;
    END IF;
    RETURN greatest(0, ceil(least(900, 2 ^ least(failed.failures - first, 10))
        - date_part('epoch', clock_timestamp() - failed.last_failed)));
END
$$;

-- What a login has to be checked against: always one row. person_id NULL: no such person.
-- wait_s > 0: refuse without checking, in the same words for known and unknown e-mails.
CREATE FUNCTION api.login_check(email text, address text)
RETURNS TABLE (person_id bigint, password_hash text, wait_s int)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text := core.email_norm(email);
BEGIN
    RETURN QUERY
    SELECT p.id, p.password_hash,
           greatest(core.login_wait_s('email', wanted),
                    core.login_wait_s('address', left(address, 64)))
    FROM (SELECT) always
    LEFT JOIN core.person p ON p.email = wanted;
END
$$;

-- Counts a failure against the e-mail and the address.
CREATE FUNCTION api.login_failed(email text, address text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.login_throttle AS t (kind, subject, failures, last_failed)
    VALUES ('address', left(address, 64), 1, clock_timestamp()),
           ('email', core.email_norm(email), 1, clock_timestamp())
    ON CONFLICT (kind, subject) DO UPDATE
    SET failures = CASE WHEN t.last_failed > excluded.last_failed - interval '1 day'
                        THEN least(t.failures + 1, 1000) ELSE 1 END,
        last_failed = excluded.last_failed;
END
$$;

-- Ends the throttling of the e-mail and opens a session, at the person's first membership, that
-- lives `days` days unused. The address is forgiven this e-mail's failures alone: an attacker
-- must not wash it clean by logging in to an account of his own.
CREATE FUNCTION api.login_passed(email text, address text, person_id bigint, session_hash bytea,
                                 days int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    forgiven int;
BEGIN
    DELETE FROM core.login_throttle t
    WHERE t.kind = 'email' AND t.subject = core.email_norm(login_passed.email)
    RETURNING t.failures INTO forgiven;
    UPDATE core.login_throttle t
    SET failures = greatest(0, t.failures - forgiven)
    WHERE forgiven > 0 AND t.kind = 'address' AND t.subject = left(login_passed.address, 64);

    INSERT INTO core.session (hash, person_id, tenant_id, idle_days, expires_at)
    VALUES (session_hash, login_passed.person_id,
            (SELECT m.tenant_id FROM core.membership m JOIN core.tenant t ON t.id = m.tenant_id
             WHERE m.person_id = login_passed.person_id AND t.status = 'active'
             ORDER BY m.created_at, m.tenant_id LIMIT 1),
            days, now() + make_interval(days => days));
END
$$;

-- The person behind a session and the tenant it looks at: the one it switched to while that
-- membership lasts, else the first there is, else none (NULLs and role ''). No row: unknown or
-- expired. Notes that the session lives, at most once a minute and not in a read-only
-- transaction; use prolongs it, but to thirty days at most.
CREATE FUNCTION api.session_resolve(hash bytea)
RETURNS TABLE (person_id bigint, email text, name text, operator_role text, tenant_id int,
               tenant_slug text, tenant_name text, tenant_timezone text, tenant_currency text,
               role text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF current_setting('transaction_read_only') = 'off' THEN
        UPDATE core.session s
        SET last_seen = now(),
            expires_at = least(now() + make_interval(days => s.idle_days),
                               s.created_at + interval '30 days')
        WHERE s.hash = session_resolve.hash AND s.expires_at > now()
          AND s.last_seen < now() - interval '1 minute';
    END IF;
    RETURN QUERY
    SELECT p.id, p.email, p.name, p.operator_role, home.id, home.slug, home.name, home.timezone,
           home.currency, coalesce(home.role, '')
    FROM core.session s
    JOIN core.person p ON p.id = s.person_id
    LEFT JOIN LATERAL (
        SELECT t.id, t.slug, t.name, t.timezone, t.currency, m.role
        FROM core.membership m
        JOIN core.tenant t ON t.id = m.tenant_id AND t.status = 'active'
        WHERE m.person_id = s.person_id
        ORDER BY m.tenant_id IS DISTINCT FROM s.tenant_id, m.created_at, m.tenant_id
        LIMIT 1) home ON true
    WHERE s.hash = session_resolve.hash AND s.expires_at > now();
END
$$;

CREATE FUNCTION api.session_end(hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.session s WHERE s.hash = session_end.hash;
END
$$;

-- Turns the session to another tenant of its person; false: not a member, or no such session.
CREATE FUNCTION api.session_switch(hash bytea, tenant_slug text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.session s
    SET tenant_id = t.id
    FROM core.membership m JOIN core.tenant t ON t.id = m.tenant_id AND t.status = 'active'
    WHERE s.hash = session_switch.hash AND s.expires_at > now()
      AND m.person_id = s.person_id AND t.slug = session_switch.tenant_slug;
    RETURN FOUND;
END
$$;

-- Where the session's person may switch to, in the order of joining.
CREATE FUNCTION api.session_memberships(hash bytea)
RETURNS TABLE (slug text, name text, role text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.slug, t.name, m.role
    FROM core.session s
    JOIN core.membership m ON m.person_id = s.person_id
    JOIN core.tenant t ON t.id = m.tenant_id AND t.status = 'active'
    WHERE s.hash = session_memberships.hash AND s.expires_at > now()
    ORDER BY m.created_at, t.id;
END
$$;

GRANT EXECUTE ON FUNCTION api.token_resolve(bytea), api.token_touch(bigint[], timestamptz[])
    TO tidemark_web, tidemark_ingest;
GRANT EXECUTE ON FUNCTION api.login_check(text, text), api.login_failed(text, text),
    api.login_passed(text, text, bigint, bytea, int), api.session_resolve(bytea),
    api.session_end(bytea), api.session_switch(bytea, text), api.session_memberships(bytea)
    TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
