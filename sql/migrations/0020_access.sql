-- Access as a tenant's admins manage it: tokens that are rotated, members, invitations and
-- password links. What belongs to one tenant runs as the owner,
-- whom row-level security holds to that tenant; persons belong to several, so theirs are doors.

-- A rotated token's former secret, which works until old_until.
ALTER TABLE core.token ADD COLUMN old_hash bytea UNIQUE, ADD COLUMN old_until timestamptz;

-- Links that carry a one-time secret: to become a member, or to set a password anew.
CREATE TABLE core.access_link (
    tenant_id  int NOT NULL REFERENCES core.tenant ON DELETE CASCADE,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    kind       text NOT NULL CHECK (kind IN ('invite', 'reset')),
    hash       bytea NOT NULL UNIQUE,               -- of the secret
    email      text NOT NULL,                       -- whom it is for
    person_id  bigint REFERENCES core.person ON DELETE CASCADE,  -- a reset's
    role       text CHECK (role IN ('viewer', 'admin')),         -- an invitation's
    made_by    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((kind = 'invite') = (role IS NOT NULL) AND (kind = 'reset') = (person_id IS NOT NULL))
);
CREATE INDEX access_link_person ON core.access_link (person_id);
SELECT core.protect('core.access_link', 'tenant_id');

SET LOCAL ROLE tidemark_door;

-- Who acts: the person or token that the request's transaction names, else the database's role.
CREATE FUNCTION core.actor() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(nullif(current_setting('tidemark.actor', true), ''), session_user) $$;

CREATE OR REPLACE FUNCTION core.audit_add(tenant_id int, action text, object text,
                                          detail jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.audit (tenant_id, actor, action, object, detail)
    VALUES (tenant_id, core.actor(), action, coalesce(object, ''), detail);
END
$$;

-- Whether a text can be an e-mail address (HTML's rule, as browsers check it).
CREATE FUNCTION core.email_is_good(email text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT length(btrim(email)) <= 254 AND split_part(btrim(email), '@', 1) ~ '^.{1,64}$'
       AND btrim(email) ~ ('^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9-]{0,61}'
                           '[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$')
$$;

-- An e-mail as it is stored; fails for what cannot be one.
CREATE FUNCTION core.email_check(email text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT core.email_is_good(email) THEN
        RAISE EXCEPTION '"%" is no e-mail address', left(email, 100) USING ERRCODE = 'TM422';
    END IF;
    RETURN core.email_norm(email);
END
$$;

GRANT EXECUTE ON FUNCTION core.actor(), core.audit_add(int, text, text, jsonb),
    core.timezone_check(text), core.email_check(text), core.email_norm(text) TO tidemark_owner;

CREATE OR REPLACE FUNCTION ops.person_add(email text, name text, password_hash text,
                                          operator_role text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id bigint;
BEGIN
    INSERT INTO core.person AS p (email, name, password_hash, operator_role)
    VALUES (core.email_check(person_add.email), coalesce(person_add.name, ''),
            person_add.password_hash, coalesce(person_add.operator_role, ''))
    ON CONFLICT ON CONSTRAINT person_email_key DO UPDATE
    SET operator_role = coalesce(nullif(excluded.operator_role, ''), p.operator_role)
    RETURNING p.id INTO found_id;
    PERFORM core.audit_add(NULL, 'person.add', core.email_norm(person_add.email),
                           jsonb_build_object('operator_role', coalesce(operator_role, '')));
    RETURN found_id;
END
$$;

-- As before; links by which an admin let the person set a password end too.
CREATE OR REPLACE FUNCTION ops.person_set_password(email text, password_hash text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id bigint;
BEGIN
    UPDATE core.person p SET password_hash = person_set_password.password_hash
    WHERE p.email = core.email_norm(person_set_password.email)
    RETURNING p.id INTO found_id;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM core.session s WHERE s.person_id = found_id;
    DELETE FROM core.access_link l WHERE l.kind = 'reset' AND l.person_id = found_id;
    PERFORM core.audit_add(NULL, 'person.password', core.email_norm(email));
    RETURN true;
END
$$;

-- ---- who comes in ----

-- As before, and by the former secret of a rotated token for its grace; with the time at which
-- what was shown ends to work, so that no cache outlives it.
DROP FUNCTION api.token_resolve(bytea);
CREATE FUNCTION api.token_resolve(hash bytea)
RETURNS TABLE (token_id bigint, kind text, tenant_id int, tenant_slug text, tenant_name text,
               tenant_timezone text, tenant_currency text, auto_register boolean, device_id int,
               device_key text, is_backfill boolean, raw_days int, expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.id, k.kind, t.id, t.slug, t.name, t.timezone, t.currency, t.auto_register,
           d.id, d.key, k.is_backfill, t.raw_days, shown.until
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

-- As before, with all places where the person may look: [[slug, name, role], …] in the order of
-- joining; NULL where there is no choice.
DROP FUNCTION api.session_resolve(bytea);
CREATE FUNCTION api.session_resolve(hash bytea)
RETURNS TABLE (person_id bigint, email text, name text, operator_role text, tenant_id int,
               tenant_slug text, tenant_name text, tenant_timezone text, tenant_currency text,
               role text, homes text)
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
    WITH home AS (
        SELECT t.id, t.slug, t.name, t.timezone, t.currency, m.role, m.created_at AS since,
               t.id IS NOT DISTINCT FROM s.tenant_id AS is_chosen
        FROM core.session s
        JOIN core.membership m ON m.person_id = s.person_id
        JOIN core.tenant t ON t.id = m.tenant_id AND t.status = 'active'
        WHERE s.hash = session_resolve.hash AND s.expires_at > now())
    SELECT p.id, p.email, p.name, p.operator_role, h.id, h.slug, h.name, h.timezone, h.currency,
           coalesce(h.role, ''),
           (SELECT jsonb_agg(jsonb_build_array(a.slug, a.name, a.role) ORDER BY a.since, a.id)::text
            FROM home a HAVING count(*) > 1)
    FROM core.session s
    JOIN core.person p ON p.id = s.person_id
    LEFT JOIN LATERAL (SELECT * FROM home ORDER BY NOT is_chosen, since, id LIMIT 1) h ON true
    WHERE s.hash = session_resolve.hash AND s.expires_at > now();
END
$$;
DROP FUNCTION api.session_memberships(bytea);

GRANT EXECUTE ON FUNCTION api.token_resolve(bytea) TO tidemark_web, tidemark_ingest;
GRANT EXECUTE ON FUNCTION api.session_resolve(bytea) TO tidemark_web;

-- ---- members ----

-- The tenant's members by id, or one of them; last_seen: when the person looked at this tenant.
CREATE FUNCTION api.member_list(only_id bigint, after_id bigint, row_limit int)
RETURNS TABLE (id bigint, email text, name text, role text, joined_at timestamptz,
               last_seen timestamptz, is_last_admin boolean, may_reset boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT p.id, p.email, p.name, m.role, m.created_at,
           (SELECT max(s.last_seen) FROM core.session s
            WHERE s.person_id = p.id AND s.tenant_id = home),
           m.role = 'admin' AND NOT core.has_other_admin(home, p.id),
           core.account_is_own(home, p.id)
    FROM core.membership m
    JOIN core.person p ON p.id = m.person_id
    WHERE m.tenant_id = home AND (only_id IS NULL OR p.id = only_id)
      AND (after_id IS NULL OR p.id > after_id)
    ORDER BY p.id
    LIMIT row_limit;
END
$$;

-- The e-mail and role of a member, whose tenant is locked against other changes of its members.
CREATE FUNCTION core.member_lock(home int, member_id bigint, OUT email text, OUT role text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM core.tenant t WHERE t.id = home FOR NO KEY UPDATE;
    SELECT p.email, m.role INTO email, role
    FROM core.membership m JOIN core.person p ON p.id = m.person_id
    WHERE m.tenant_id = home AND m.person_id = member_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such member.' USING ERRCODE = 'TM404';
    END IF;
END
$$;

CREATE FUNCTION core.has_other_admin(home int, member_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.membership m
                   WHERE m.tenant_id = home AND m.role = 'admin' AND m.person_id <> member_id);
END
$$;

-- Fails where nobody but this admin could manage the tenant any more.
CREATE FUNCTION core.admin_check(home int, admin_id bigint, role text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF role = 'admin' AND NOT core.has_other_admin(home, admin_id) THEN
        RAISE EXCEPTION 'This is the last admin. Make somebody else an admin first.'
            USING ERRCODE = 'TM409';
    END IF;
END
$$;

CREATE FUNCTION api.member_change(member_id bigint, new_role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was record := core.member_lock(home, member_id);
BEGIN
    IF was.role = new_role THEN
        RETURN;
    END IF;
    PERFORM core.admin_check(home, member_id, was.role);
    UPDATE core.membership m SET role = new_role
    WHERE m.tenant_id = home AND m.person_id = member_id;
    PERFORM core.audit_add(home, 'membership.change', was.email,
                           jsonb_build_object('role', jsonb_build_array(was.role, new_role)));
END
$$;

-- Ends a membership. A person who then belongs nowhere and runs nothing is erased: true.
CREATE FUNCTION api.member_remove(member_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was record := core.member_lock(home, member_id);
    is_erased boolean;
BEGIN
    PERFORM core.admin_check(home, member_id, was.role);
    DELETE FROM core.membership m WHERE m.tenant_id = home AND m.person_id = member_id;
    DELETE FROM core.access_link l WHERE l.tenant_id = home AND l.person_id = member_id;
    UPDATE core.session s SET tenant_id = NULL
    WHERE s.person_id = member_id AND s.tenant_id = home;
    DELETE FROM core.person p
    WHERE p.id = member_id AND p.operator_role = ''
      AND NOT EXISTS (SELECT FROM core.membership m WHERE m.person_id = member_id);
    is_erased := FOUND;
    PERFORM core.audit_add(home, 'membership.remove', was.email,
                           jsonb_build_object('is_erased', is_erased));
    RETURN is_erased;
END
$$;

-- ---- links ----

-- What stands against inviting an e-mail: it is none, or a member's.
CREATE FUNCTION api.invite_check(email text, OUT is_email boolean, OUT is_member boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    is_email := core.email_is_good(email);
    is_member := EXISTS (
        SELECT FROM core.membership m JOIN core.person p ON p.id = m.person_id
        WHERE m.tenant_id = core.tenant() AND p.email = core.email_norm(invite_check.email));
END
$$;

-- Makes an invitation for `days` days, in place of earlier ones of the e-mail.
CREATE FUNCTION api.invite_add(email text, new_role text, secret_hash bytea, days int)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    wanted CONSTANT text := core.email_check(email);
    new_id bigint;
BEGIN
    IF (SELECT c.is_member FROM api.invite_check(wanted) c) THEN
        RAISE EXCEPTION '% is a member already.', wanted USING ERRCODE = 'TM409';
    END IF;
    DELETE FROM core.access_link l
    WHERE l.tenant_id = home
      AND (l.kind = 'invite' AND l.email = wanted OR l.expires_at < now() - interval '30 days');
    INSERT INTO core.access_link (tenant_id, kind, hash, email, role, made_by, expires_at)
    VALUES (home, 'invite', secret_hash, wanted, new_role, core.actor(),
            now() + make_interval(days => days))
    RETURNING id INTO new_id;
    PERFORM core.audit_add(home, 'invite.add', wanted, jsonb_build_object('role', new_role));
    RETURN new_id;
END
$$;

-- The invitation of a secret. No row: unknown, used, withdrawn, expired, or of a suspended tenant.
CREATE FUNCTION api.invite_resolve(secret_hash bytea)
RETURNS TABLE (tenant_slug text, tenant_name text, email text, role text, made_by text,
               expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.slug, t.name, l.email, l.role, l.made_by, l.expires_at
    FROM core.access_link l JOIN core.tenant t ON t.id = l.tenant_id AND t.status = 'active'
    WHERE l.hash = secret_hash AND l.kind = 'invite' AND l.used_at IS NULL
      AND l.expires_at > now();
END
$$;

-- Uses an invitation up: for the person of its e-mail, who proved to be that (known_id), or for
-- a new one of this name and password. A member's role stays. Answers the person's id.
CREATE FUNCTION api.invite_accept(secret_hash bytea, known_id bigint, name text,
                                  password_hash text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    link core.access_link;
    member_id bigint := known_id;
BEGIN
    UPDATE core.access_link l SET used_at = now()
    FROM core.tenant t
    WHERE l.hash = secret_hash AND l.kind = 'invite' AND l.used_at IS NULL
      AND l.expires_at > now() AND t.id = l.tenant_id AND t.status = 'active'
    RETURNING l.* INTO link;
    IF NOT FOUND OR known_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM core.person p WHERE p.id = known_id AND p.email = link.email) THEN
        RAISE EXCEPTION 'This invitation is used, withdrawn or expired.' USING ERRCODE = 'TM404';
    END IF;
    IF known_id IS NULL THEN
        INSERT INTO core.person (email, name, password_hash)
        VALUES (link.email, coalesce(invite_accept.name, ''), invite_accept.password_hash)
        RETURNING id INTO member_id;
    END IF;
    INSERT INTO core.membership (tenant_id, person_id, role)
    VALUES (link.tenant_id, member_id, link.role)
    ON CONFLICT ON CONSTRAINT membership_pkey DO NOTHING;
    PERFORM set_config('tidemark.actor', link.email, true);
    PERFORM core.audit_add(link.tenant_id, 'invite.accept', link.email,
                           jsonb_build_object('role', link.role));
    RETURN member_id;
END
$$;

-- True where a member's account is this tenant's alone: nobody else's, and no operator's. Only
-- then may its admins give the account a new password; else they would take it over.
CREATE FUNCTION core.account_is_own(home int, member_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.person p WHERE p.id = member_id AND p.operator_role = '')
       AND (SELECT array_agg(m.tenant_id) FROM core.membership m
            WHERE m.person_id = member_id) = ARRAY[home];
END
$$;

-- Makes a link, valid for a day, by which a member sets a new password; in place of earlier ones.
CREATE FUNCTION api.reset_add(member_id bigint, secret_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was record := core.member_lock(home, member_id);
BEGIN
    IF NOT core.account_is_own(home, member_id) THEN
        RAISE EXCEPTION 'This account is not yours alone: it belongs to other tenants too, or to'
            ' an operator. Only an operator may reset its password.' USING ERRCODE = 'TM403';
    END IF;
    DELETE FROM core.access_link l WHERE l.kind = 'reset' AND l.person_id = member_id;
    INSERT INTO core.access_link (tenant_id, kind, hash, email, person_id, made_by, expires_at)
    VALUES (home, 'reset', secret_hash, was.email, member_id, core.actor(), now() + interval '1 day');
    PERFORM core.audit_add(home, 'membership.reset_link', was.email);
END
$$;

-- Whose password a secret may set, as things are now.
CREATE FUNCTION api.reset_resolve(secret_hash bytea)
RETURNS TABLE (person_id bigint, email text, tenant_name text, expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT l.person_id, l.email, t.name, l.expires_at
    FROM core.access_link l JOIN core.tenant t ON t.id = l.tenant_id AND t.status = 'active'
    WHERE l.hash = secret_hash AND l.kind = 'reset' AND l.used_at IS NULL
      AND l.expires_at > now() AND core.account_is_own(l.tenant_id, l.person_id);
END
$$;

-- Sets the password and ends all of the person's sessions; uses the link up.
CREATE FUNCTION api.reset_use(secret_hash bytea, password_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    link core.access_link;
BEGIN
    UPDATE core.access_link l SET used_at = now()
    FROM core.tenant t
    WHERE l.hash = secret_hash AND l.kind = 'reset' AND l.used_at IS NULL
      AND l.expires_at > now() AND t.id = l.tenant_id AND t.status = 'active'
      AND core.account_is_own(l.tenant_id, l.person_id)
    RETURNING l.* INTO link;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This link is used or expired.' USING ERRCODE = 'TM404';
    END IF;
    UPDATE core.person p SET password_hash = reset_use.password_hash WHERE p.id = link.person_id;
    DELETE FROM core.session s WHERE s.person_id = link.person_id;
    PERFORM set_config('tidemark.actor', link.email, true);
    PERFORM core.audit_add(link.tenant_id, 'membership.password', link.email);
END
$$;

GRANT EXECUTE ON FUNCTION
    api.member_list(bigint, bigint, int), api.member_change(bigint, text),
    api.member_remove(bigint), api.invite_add(text, text, bytea, int), api.invite_resolve(bytea),
    api.invite_accept(bytea, bigint, text, text), api.reset_add(bigint, bytea),
    api.reset_resolve(bytea), api.reset_use(bytea, text), api.invite_check(text)
    TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
