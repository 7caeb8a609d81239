-- What operators may do, through `tidemark tenant|user|token` and the operator's pages: make and
-- erase tenants, persons, memberships, tokens, devices. Functions across tenants, so all of them
-- are doors; each that changes something leaves an audit row.

SET LOCAL ROLE tidemark_door;

-- The id of a tenant by its slug; fails where there is none. NULL stays NULL.
CREATE FUNCTION core.tenant_by_slug(slug text) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id int;
BEGIN
    SELECT t.id INTO found_id FROM core.tenant t WHERE t.slug = tenant_by_slug.slug;
    IF NOT FOUND AND slug IS NOT NULL THEN
        RAISE EXCEPTION 'there is no tenant "%"', slug USING ERRCODE = 'TM404';
    END IF;
    RETURN found_id;
END
$$;

CREATE FUNCTION core.timezone_check(timezone text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = timezone) THEN
        RAISE EXCEPTION 'there is no time zone "%"', timezone USING ERRCODE = 'TM422';
    END IF;
    RETURN timezone;
END
$$;

CREATE FUNCTION core.audit_add(tenant_id int, action text, object text, detail jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.audit (tenant_id, actor, action, object, detail)
    VALUES (tenant_id, session_user, action, coalesce(object, ''), detail);
END
$$;

-- ---- tenants ----

CREATE FUNCTION ops.tenant_add(slug text, name text, timezone text, currency text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_id int;
BEGIN
    INSERT INTO core.tenant (slug, name, timezone, currency)
    VALUES (slug, coalesce(nullif(name, ''), slug),
            core.timezone_check(coalesce(timezone, 'UTC')), coalesce(currency, 'USD'))
    RETURNING id INTO new_id;
    PERFORM core.audit_add(new_id, 'tenant.add', slug);
    RETURN new_id;
END
$$;

CREATE FUNCTION ops.tenant_list()
RETURNS TABLE (slug text, name text, timezone text, currency text, status text,
               created_at timestamptz, devices bigint, id int)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.slug, t.name, t.timezone, t.currency, t.status, t.created_at,
           (SELECT count(*) FROM core.device d WHERE d.tenant_id = t.id), t.id
    FROM core.tenant t
    ORDER BY t.slug
$$;

-- Erases all that belongs to the tenant, persons included who belong nowhere else and run
-- nothing. Answers how many rows went, by table, counted anew afterwards: on compressed chunks a
-- DELETE can report what it did not do. What remains of the tenant is one audit row.
CREATE FUNCTION ops.tenant_remove(slug text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    gone   CONSTANT int := core.tenant_by_slug(slug);
    counts jsonb := '{}';
    before bigint;
    after  bigint;
    members bigint[];
    relation text;
BEGIN
    members := ARRAY(SELECT m.person_id FROM core.membership m WHERE m.tenant_id = gone);
    FOREACH relation IN ARRAY ARRAY[
            'sample', 'event', 'event_key', 'change', 'series_last', 'series', 'token', 'device',
            'site', 'plugin', 'membership', 'audit'] LOOP
        EXECUTE format('SELECT count(*) FROM core.%I WHERE tenant_id = $1', relation)
            INTO before USING gone;
        EXECUTE format('DELETE FROM core.%I WHERE tenant_id = $1', relation) USING gone;
        EXECUTE format('SELECT count(*) FROM core.%I WHERE tenant_id = $1', relation)
            INTO after USING gone;
        IF after > 0 THEN
            RAISE EXCEPTION '% rows of core.% could not be erased', after, relation;
        END IF;
        counts := counts || jsonb_build_object(relation, before);
    END LOOP;
    DELETE FROM core.person p
    WHERE p.id = ANY (members) AND p.operator_role = ''
      AND NOT EXISTS (SELECT FROM core.membership m WHERE m.person_id = p.id);
    GET DIAGNOSTICS before = ROW_COUNT;
    counts := counts || jsonb_build_object('person', before);
    DELETE FROM core.tenant t WHERE t.id = gone;
    PERFORM core.audit_add(NULL, 'tenant.remove', slug, counts);
    RETURN counts;
END
$$;

-- ---- persons ----

-- A person by e-mail; one that exists keeps name and password and gains the operator role, where
-- one is given.
CREATE FUNCTION ops.person_add(email text, name text, password_hash text, operator_role text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id bigint;
BEGIN
    INSERT INTO core.person AS p (email, name, password_hash, operator_role)
    VALUES (core.email_norm(person_add.email), coalesce(person_add.name, ''),
            person_add.password_hash, coalesce(person_add.operator_role, ''))
    ON CONFLICT ON CONSTRAINT person_email_key DO UPDATE
    SET operator_role = coalesce(nullif(excluded.operator_role, ''), p.operator_role)
    RETURNING p.id INTO found_id;
    PERFORM core.audit_add(NULL, 'person.add', core.email_norm(person_add.email),
                           jsonb_build_object('operator_role', coalesce(operator_role, '')));
    RETURN found_id;
END
$$;

-- Makes a person a member, or changes the role. false: there is no such person.
CREATE FUNCTION ops.membership_add(email text, tenant_slug text, role text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
BEGIN
    INSERT INTO core.membership (tenant_id, person_id, role)
    SELECT home, p.id, membership_add.role FROM core.person p
    WHERE p.email = core.email_norm(membership_add.email) AND home IS NOT NULL
    ON CONFLICT ON CONSTRAINT membership_pkey DO UPDATE SET role = excluded.role;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM core.audit_add(home, 'membership.add', core.email_norm(email),
                           jsonb_build_object('role', role));
    RETURN true;
END
$$;

-- Sets a password and ends the person's sessions. false: there is no such person.
CREATE FUNCTION ops.person_set_password(email text, password_hash text) RETURNS boolean
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
    PERFORM core.audit_add(NULL, 'person.password', core.email_norm(email));
    RETURN true;
END
$$;

-- Persons of a tenant, or all (NULL); memberships as "slug:role, slug:role".
CREATE FUNCTION ops.person_list(tenant_slug text)
RETURNS TABLE (email text, name text, operator_role text, memberships text,
               created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.email, p.name, p.operator_role,
           coalesce(string_agg(t.slug || ':' || m.role, ', ' ORDER BY t.slug), ''), p.created_at
    FROM core.person p
    LEFT JOIN core.membership m ON m.person_id = p.id
    LEFT JOIN core.tenant t ON t.id = m.tenant_id
    GROUP BY p.id
    HAVING person_list.tenant_slug IS NULL
        OR bool_or(t.id = core.tenant_by_slug(person_list.tenant_slug))
    ORDER BY p.email
$$;

-- ---- sites, devices, tokens ----

-- Makes a site or changes its name and zone; NULLs keep what is there.
CREATE FUNCTION ops.site_put(tenant_slug text, key text, name text, timezone text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
    zone CONSTANT text := CASE WHEN timezone IS NOT NULL THEN core.timezone_check(timezone) END;
    found_id int;
BEGIN
    INSERT INTO core.site AS s (tenant_id, key, name, timezone)
    SELECT t.id, site_put.key, coalesce(site_put.name, site_put.key), coalesce(zone, t.timezone)
    FROM core.tenant t WHERE t.id = home
    ON CONFLICT ON CONSTRAINT site_tenant_id_key_key DO UPDATE
    SET name = coalesce(site_put.name, s.name), timezone = coalesce(zone, s.timezone)
    RETURNING s.id INTO found_id;
    PERFORM core.audit_add(home, 'site.put', key);
    RETURN found_id;
END
$$;

-- Makes a device or changes it; NULLs keep what is there. site_key must exist.
CREATE FUNCTION ops.device_put(tenant_slug text, key text, name text, model text, site_key text,
                               config jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
    place int;
    found_id int;
BEGIN
    SELECT s.id INTO place FROM core.site s WHERE s.tenant_id = home AND s.key = site_key;
    IF NOT FOUND AND site_key IS NOT NULL THEN
        RAISE EXCEPTION 'there is no site "%"', site_key USING ERRCODE = 'TM404';
    END IF;
    INSERT INTO core.device AS d (tenant_id, key, name, model, site_id, config)
    VALUES (home, device_put.key, coalesce(device_put.name, device_put.key),
            coalesce(device_put.model, ''), place, coalesce(device_put.config, '{}'))
    ON CONFLICT ON CONSTRAINT device_tenant_id_key_key DO UPDATE
    SET name = coalesce(device_put.name, d.name), model = coalesce(device_put.model, d.model),
        site_id = coalesce(place, d.site_id), config = coalesce(device_put.config, d.config)
    RETURNING d.id INTO found_id;
    PERFORM core.audit_add(home, 'device.put', key);
    RETURN found_id;
END
$$;

-- Stores a token's hash; device_key NULL: not bound to a device, else the device is made where
-- it is missing. expires_at NULL: never.
CREATE FUNCTION ops.token_add(tenant_slug text, kind text, device_key text, name text, hash bytea,
                              prefix text, expires_at timestamptz, backfill boolean)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
    bound int;
    new_id bigint;
BEGIN
    IF device_key IS NOT NULL THEN
        INSERT INTO core.device (tenant_id, key, name) VALUES (home, device_key, device_key)
        ON CONFLICT ON CONSTRAINT device_tenant_id_key_key DO NOTHING;
        SELECT d.id INTO bound FROM core.device d WHERE d.tenant_id = home AND d.key = device_key;
    END IF;
    INSERT INTO core.token (tenant_id, kind, device_id, name, hash, prefix, expires_at, is_backfill)
    VALUES (home, kind, bound, coalesce(name, ''), hash, prefix, expires_at,
            coalesce(backfill, false))
    RETURNING id INTO new_id;
    PERFORM core.audit_add(home, 'token.add', new_id::text,
                           jsonb_build_object('kind', kind, 'prefix', prefix));
    RETURN new_id;
END
$$;

-- Revokes tokens by id or by their whole prefix, of one tenant or of all (NULL); how many.
CREATE FUNCTION ops.token_revoke(tenant_slug text, id_or_prefix text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
    revoked int := 0;
    token record;
BEGIN
    FOR token IN
        UPDATE core.token k SET revoked_at = now()
        WHERE (home IS NULL OR k.tenant_id = home) AND k.revoked_at IS NULL
          AND (k.id::text = id_or_prefix OR k.prefix = id_or_prefix)
        RETURNING k.tenant_id, k.id
    LOOP
        PERFORM core.audit_add(token.tenant_id, 'token.revoke', token.id::text);
        revoked := revoked + 1;
    END LOOP;
    RETURN revoked;
END
$$;

-- A tenant's tokens, revoked and expired ones too, by id; all tenants' for NULL.
CREATE FUNCTION ops.token_list(tenant_slug text)
RETURNS TABLE (id bigint, kind text, device text, name text, prefix text, created_at timestamptz,
               last_used timestamptz, expires_at timestamptz, revoked_at timestamptz,
               is_backfill boolean, tenant text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
BEGIN
    RETURN QUERY
    SELECT k.id, k.kind, d.key, k.name, k.prefix, k.created_at, k.last_used, k.expires_at,
           k.revoked_at, k.is_backfill, t.slug
    FROM core.token k
    JOIN core.tenant t ON t.id = k.tenant_id
    LEFT JOIN core.device d ON d.tenant_id = k.tenant_id AND d.id = k.device_id
    WHERE home IS NULL OR k.tenant_id = home
    ORDER BY k.id;
END
$$;

-- ---- SQL logins ----

-- Binds a database login (made by an administrator, a member of tidemark_read) to one tenant for
-- good; tenant NULL: unbinds it, and it sees nothing. Never one of our own roles, which serve
-- every tenant.
CREATE FUNCTION ops.tenant_login_bind(login name, tenant_slug text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
BEGIN
    IF login LIKE 'tidemark\_%' OR NOT EXISTS (
            SELECT FROM pg_roles r WHERE r.rolname = login AND NOT r.rolsuper) THEN
        RAISE EXCEPTION '"%" is no login that can be bound', login USING ERRCODE = 'TM422';
    END IF;
    DELETE FROM core.tenant_login l WHERE l.role = login;
    IF home IS NOT NULL THEN
        INSERT INTO core.tenant_login (role, tenant_id) VALUES (login, home);
    END IF;
    PERFORM core.audit_add(home, 'login.bind', login);
END
$$;

GRANT EXECUTE ON FUNCTION
    ops.tenant_add(text, text, text, text), ops.tenant_list(), ops.tenant_remove(text),
    ops.person_add(text, text, text, text), ops.membership_add(text, text, text),
    ops.person_set_password(text, text), ops.person_list(text),
    ops.site_put(text, text, text, text),
    ops.device_put(text, text, text, text, text, jsonb),
    ops.token_add(text, text, text, text, bytea, text, timestamptz, boolean),
    ops.token_revoke(text, text), ops.token_list(text), ops.tenant_login_bind(name, text)
    TO tidemark_operator;

SET LOCAL ROLE tidemark_owner;
