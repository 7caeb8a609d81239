-- Sites, devices and series as a tenant's admins manage them, by the API and the pages, and
-- operators at the command line. The core functions take the tenant as `home` and touch nothing
-- else; the api functions give them the transaction's tenant, the ops functions the slug's.

SET LOCAL ROLE tidemark_door;

-- Whether a name of the zone database is one that places have: not a copy, which some machines
-- have and others have not, nor what one machine makes of them.
CREATE FUNCTION core.timezone_is_place(timezone text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT timezone !~ '^(posix|right)/|^(posixrules|localtime|Factory)$'
$$;

CREATE OR REPLACE FUNCTION core.timezone_check(timezone text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names z
                   WHERE z.name = timezone AND core.timezone_is_place(z.name)) THEN
        RAISE EXCEPTION 'there is no time zone "%"', timezone USING ERRCODE = 'TM422';
    END IF;
    RETURN timezone;
END
$$;

GRANT EXECUTE ON FUNCTION core.timezone_is_place(text) TO tidemark_owner;
GRANT EXECUTE ON FUNCTION core.audit_add(int, text, text, jsonb), core.timezone_check(text)
    TO tidemark_owner;
SET LOCAL ROLE tidemark_owner;

-- How many devices are at a site comes with it.
CREATE OR REPLACE VIEW api.site WITH (security_barrier) AS
SELECT s.id, s.key, s.name, s.timezone, s.created_at,
       (SELECT count(*) FROM core.device d
        WHERE d.tenant_id = s.tenant_id AND d.site_id = s.id) AS devices
FROM core.site s;

-- What changed between two rows, for the audit trail: {"name": ["before", "after"]}.
CREATE FUNCTION core.row_changes(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(a.key, jsonb_build_array(before -> a.key, a.value)), '{}')
    FROM jsonb_each(after) a WHERE a.value IS DISTINCT FROM before -> a.key
$$;

-- What is wrong with a key, a name or a model; NULL: nothing.
CREATE FUNCTION core.inventory_problem(key text, name text, model text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN octet_length(key) NOT BETWEEN 1 AND 128 THEN 'key: must be of 1 to 128 bytes'
        WHEN key ~ '[[:cntrl:]]' THEN 'key: must not hold control characters'
        -- no address can hold them: clients take them for steps between folders
        WHEN key IN ('.', '..') THEN 'key: must not be only dots'
        WHEN octet_length(name) NOT BETWEEN 1 AND 200 THEN 'name: must be of 1 to 200 bytes'
        WHEN octet_length(model) > 200 THEN 'model: must be of at most 200 bytes'
    END
$$;

-- What is wrong with a series' unit, kind and role; NULL: nothing.
CREATE FUNCTION core.series_problem(unit text, kind text, role text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN octet_length(unit) > 32 THEN 'unit: must be of at most 32 bytes'
        WHEN kind NOT IN ('gauge', 'counter', 'delta') THEN
            'kind: must be one of gauge, counter, delta'
        WHEN role NOT IN ('grid_import', 'grid_export', 'generation', 'consumption', 'storage',
                          'sub_meter', 'none') THEN
            'role: must be one of grid_import, grid_export, generation, consumption, storage, '
            'sub_meter, none'
    END
$$;

-- What is wrong with a device's configuration; NULL: nothing. Ingest makes series from it, so
-- what no series could be must not get in.
CREATE FUNCTION core.config_problem(config text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
    metric record;
    problem text;
BEGIN
    IF octet_length(config) > 65536 THEN
        RETURN 'config: must be of at most 65536 bytes';
    END IF;
    BEGIN
        document := config::jsonb;
    EXCEPTION WHEN data_exception OR statement_too_complex THEN
        RETURN 'config: is not JSON';
    END;
    IF jsonb_typeof(document) <> 'object' THEN
        RETURN 'config: must be a JSON object';
    ELSIF jsonb_typeof(document -> 'metrics') <> 'object' THEN
        RETURN 'config: metrics must be an object';
    END IF;
    FOR metric IN SELECT m.key, m.value FROM jsonb_each(document -> 'metrics') m LOOP
        IF jsonb_typeof(metric.value) <> 'object' THEN
            RETURN format('config: metrics.%s must be an object', left(metric.key, 100));
        END IF;
        problem := CASE
            WHEN EXISTS (SELECT FROM jsonb_each(metric.value) v
                         WHERE v.key IN ('unit', 'kind', 'role')
                           AND jsonb_typeof(v.value) <> 'string') THEN
                'unit, kind and role must be texts'
            ELSE core.series_problem(metric.value ->> 'unit', metric.value ->> 'kind',
                                     metric.value ->> 'role') END;
        IF problem IS NOT NULL THEN
            RETURN format('config: metrics.%s: %s', left(metric.key, 100), problem);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- Fails with what is wrong, if anything is.
CREATE FUNCTION core.refuse(problem text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = 'TM422';
    END IF;
END
$$;

-- ---- sites ----

-- The id of a site by its key; fails where there is none. NULL and '' are no site.
CREATE FUNCTION core.site_by_key(home int, of_key text) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id int;
BEGIN
    SELECT s.id INTO found_id FROM core.site s WHERE s.tenant_id = home AND s.key = of_key;
    IF NOT FOUND AND of_key <> '' THEN
        RAISE EXCEPTION 'site: there is no site "%"', of_key USING ERRCODE = 'TM422';
    END IF;
    RETURN found_id;
END
$$;

-- Makes a site. Name NULL: the key; zone NULL: the tenant's.
CREATE FUNCTION api.site_add(new_key text, new_name text, new_timezone text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    new_id int;
BEGIN
    PERFORM core.refuse(core.inventory_problem(new_key, coalesce(new_name, new_key), NULL));
    IF new_timezone IS NOT NULL THEN
        PERFORM core.timezone_check(new_timezone);
    END IF;
    INSERT INTO core.site (tenant_id, key, name, timezone)
    SELECT t.id, new_key, coalesce(new_name, new_key), coalesce(new_timezone, t.timezone)
    FROM core.tenant t WHERE t.id = home
    ON CONFLICT ON CONSTRAINT site_tenant_id_key_key DO NOTHING
    RETURNING id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'a site with this key exists' USING ERRCODE = 'TM409';
    END IF;
    PERFORM core.audit_add(home, 'site.add', new_key, (
        SELECT jsonb_build_object('name', s.name, 'timezone', s.timezone)
        FROM core.site s WHERE s.tenant_id = home AND s.id = new_id));
    RETURN new_id;
END
$$;

-- Changes a site; NULLs keep what is there.
CREATE FUNCTION api.site_change(of_key text, new_name text, new_timezone text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was core.site;
    now_is core.site;
BEGIN
    PERFORM core.refuse(core.inventory_problem(NULL, new_name, NULL));
    SELECT * INTO was FROM core.site s WHERE s.tenant_id = home AND s.key = of_key
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no site has this key' USING ERRCODE = 'TM404';
    END IF;
    IF new_timezone <> was.timezone THEN
        PERFORM core.timezone_check(new_timezone);
    END IF;
    IF (coalesce(new_name, was.name), coalesce(new_timezone, was.timezone))
       = (was.name, was.timezone) THEN
        RETURN;
    END IF;
    UPDATE core.site s
    SET name = coalesce(new_name, s.name), timezone = coalesce(new_timezone, s.timezone)
    WHERE s.tenant_id = home AND s.id = was.id
    RETURNING * INTO now_is;
    PERFORM core.audit_add(home, 'site.change', of_key,
                           core.row_changes(to_jsonb(was), to_jsonb(now_is)));
END
$$;

-- Removes a site where no device is. Events that named it keep their time and device.
CREATE FUNCTION api.site_remove(of_key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was core.site;
    n bigint;
BEGIN
    SELECT * INTO was FROM core.site s WHERE s.tenant_id = home AND s.key = of_key FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no site has this key' USING ERRCODE = 'TM404';
    END IF;
    SELECT count(*) INTO n FROM core.device d WHERE d.tenant_id = home AND d.site_id = was.id;
    IF n > 0 THEN
        RAISE EXCEPTION 'the site still has % device(s); move them first', n
            USING ERRCODE = 'TM409';
    END IF;
    DELETE FROM core.site s WHERE s.tenant_id = home AND s.id = was.id;
    PERFORM core.audit_add(home, 'site.remove', of_key,
                           jsonb_build_object('name', was.name, 'timezone', was.timezone));
END
$$;

-- ---- devices ----

-- Lets a device's series follow its configuration where that changed; a metric that it no
-- longer names is what its name tells.
CREATE FUNCTION core.config_apply(home int, of_device int, before jsonb, after jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF before -> 'metrics' IS NOT DISTINCT FROM after -> 'metrics' THEN
        RETURN;
    END IF;
    UPDATE core.series s
    SET unit = w.unit, kind = w.kind, role = w.role
    FROM (SELECT x.id, coalesce(c.own ->> 'unit', g.unit) AS unit,
                 coalesce(c.own ->> 'kind', g.kind) AS kind,
                 coalesce(c.own ->> 'role', g.role) AS role
          FROM core.series x
          CROSS JOIN LATERAL core.series_guess(x.metric) g
          CROSS JOIN LATERAL (SELECT after -> 'metrics' -> x.metric AS own) c
          WHERE x.tenant_id = home AND x.device_id = of_device
            AND before -> 'metrics' -> x.metric IS DISTINCT FROM c.own) w
    WHERE s.tenant_id = home AND s.id = w.id
      AND (s.unit, s.kind, s.role) <> (w.unit, w.kind, w.role);
END
$$;

-- Makes a device; NULLs are the key for a name, no model, no site, no configuration.
CREATE FUNCTION core.device_add(home int, new_key text, new_name text, new_model text,
                                site_key text, new_config text) RETURNS int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_id int;
BEGIN
    PERFORM core.refuse(coalesce(
        core.inventory_problem(new_key, coalesce(new_name, new_key), new_model),
        core.config_problem(new_config)));
    INSERT INTO core.device (tenant_id, key, name, model, site_id, config)
    VALUES (home, new_key, coalesce(new_name, new_key), coalesce(new_model, ''),
            core.site_by_key(home, site_key), coalesce(new_config, '{}')::jsonb)
    ON CONFLICT ON CONSTRAINT device_tenant_id_key_key DO NOTHING
    RETURNING id INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'a device with this key exists' USING ERRCODE = 'TM409';
    END IF;
    PERFORM core.audit_add(home, 'device.add', new_key, jsonb_strip_nulls(jsonb_build_object(
        'name', new_name, 'model', new_model, 'site', site_key)));
    RETURN new_id;
END
$$;

-- Changes a device; NULLs keep what is there, site '' is none. A retired device stays as it is,
-- with all its data, and ingest refuses it.
CREATE FUNCTION core.device_change(home int, of_key text, new_name text, new_model text,
                                   site_key text, new_config text, retire boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place CONSTANT int := core.site_by_key(home, site_key);
    was core.device;
    now_is core.device;
BEGIN
    PERFORM core.refuse(coalesce(core.inventory_problem(NULL, new_name, new_model),
                                 core.config_problem(new_config)));
    SELECT * INTO was FROM core.device d WHERE d.tenant_id = home AND d.key = of_key
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    now_is := was;
    now_is.name := coalesce(new_name, was.name);
    now_is.model := coalesce(new_model, was.model);
    now_is.site_id := CASE WHEN site_key IS NULL THEN was.site_id ELSE place END;
    now_is.config := coalesce(new_config::jsonb, was.config);
    now_is.retired_at := CASE WHEN retire THEN coalesce(was.retired_at, now())
                              WHEN retire IS NULL THEN was.retired_at END;
    IF now_is IS NOT DISTINCT FROM was THEN
        RETURN;
    END IF;
    UPDATE core.device d
    SET name = now_is.name, model = now_is.model, site_id = now_is.site_id,
        config = now_is.config, retired_at = now_is.retired_at
    WHERE d.tenant_id = home AND d.id = was.id;
    PERFORM core.config_apply(home, was.id, was.config, now_is.config);
    PERFORM core.audit_add(home, 'device.change', of_key,
                           core.row_changes(to_jsonb(was), to_jsonb(now_is)));
END
$$;

-- engine: device_import

CREATE FUNCTION api.device_add(new_key text, new_name text, new_model text, site_key text,
                               new_config text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.device_add(core.tenant(), new_key, new_name, new_model, site_key, new_config);
END
$$;

CREATE FUNCTION api.device_change(of_key text, new_name text, new_model text, site_key text,
                                  new_config text, retire boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.device_change(core.tenant(), of_key, new_name, new_model, site_key, new_config,
                               retire);
END
$$;

CREATE FUNCTION api.device_import(keys text[], names text[], models text[], sites text[],
                                  zones text[], configs text[], is_trial boolean)
RETURNS TABLE (ord int, action text, problem text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM core.device_import(core.tenant(), keys, names, models, sites, zones,
                                                  configs, is_trial);
END
$$;

-- What is wrong with a device's configuration, for a form to say beside its field; NULL: nothing.
CREATE FUNCTION api.config_problem(config text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.config_problem(config);
END
$$;

-- ---- series ----

-- Corrects what a series is; NULLs keep what is there. The correction goes into the device's
-- configuration as well, so that series of this metric that come later are the same.
CREATE FUNCTION api.series_change(of_device text, of_series int, new_unit text, new_kind text,
                                  new_role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was core.series;
    now_is core.series;
BEGIN
    PERFORM core.refuse(core.series_problem(new_unit, new_kind, new_role));
    PERFORM FROM core.device d WHERE d.tenant_id = home AND d.key = of_device FOR NO KEY UPDATE;
    SELECT s.* INTO was FROM core.series s
    JOIN core.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id
    WHERE s.tenant_id = home AND s.id = of_series AND d.key = of_device;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the device has no such series' USING ERRCODE = 'TM404';
    END IF;
    now_is := was;
    now_is.unit := coalesce(new_unit, was.unit);
    now_is.kind := coalesce(new_kind, was.kind);
    now_is.role := coalesce(new_role, was.role);
    IF now_is = was THEN
        RETURN;
    END IF;
    UPDATE core.series s SET unit = now_is.unit, kind = now_is.kind, role = now_is.role
    WHERE s.tenant_id = home AND s.id = was.id;
    UPDATE core.device d
    SET config = jsonb_set(jsonb_set(d.config, '{metrics}', coalesce(d.config -> 'metrics', '{}')),
                           ARRAY['metrics', was.metric],
                           coalesce(d.config -> 'metrics' -> was.metric, '{}')
                               || jsonb_build_object('unit', now_is.unit, 'kind', now_is.kind,
                                                     'role', now_is.role))
    WHERE d.tenant_id = home AND d.id = was.device_id;
    PERFORM core.audit_add(home, 'series.change', of_device,
                           jsonb_build_object('metric', was.metric, 'series', was.id)
                               || core.row_changes(to_jsonb(was), to_jsonb(now_is)));
END
$$;

GRANT EXECUTE ON FUNCTION
    api.site_add(text, text, text), api.site_change(text, text, text), api.site_remove(text),
    api.device_add(text, text, text, text, text),
    api.device_change(text, text, text, text, text, boolean),
    api.device_import(text[], text[], text[], text[], text[], text[], boolean),
    api.config_problem(text), api.series_change(text, int, text, text, text) TO tidemark_web;

-- ---- operators ----

GRANT EXECUTE ON FUNCTION core.row_changes(jsonb, jsonb),
    core.inventory_problem(text, text, text), core.series_problem(text, text, text),
    core.config_problem(text), core.refuse(text), core.site_by_key(int, text),
    core.config_apply(int, int, jsonb, jsonb),
    core.device_add(int, text, text, text, text, text),
    core.device_change(int, text, text, text, text, text, boolean),
    core.device_import(int, text[], text[], text[], text[], text[], text[], boolean),
    core.series_guess(text) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- A tenant's devices, by key.
CREATE FUNCTION ops.device_list(tenant_slug text)
RETURNS TABLE (key text, name text, model text, site text, created_at timestamptz,
               last_seen timestamptz, retired_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant_by_slug(tenant_slug);
BEGIN
    RETURN QUERY
    SELECT d.key, d.name, d.model, s.key, d.created_at, d.last_seen, d.retired_at
    FROM core.device d
    LEFT JOIN core.site s ON s.tenant_id = d.tenant_id AND s.id = d.site_id
    WHERE d.tenant_id = home
    ORDER BY d.key;
END
$$;

CREATE FUNCTION ops.device_add(tenant_slug text, new_key text, new_name text, new_model text,
                               site_key text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.device_add(core.tenant_by_slug(tenant_slug), new_key, new_name, new_model, site_key,
                           NULL);
END
$$;

CREATE FUNCTION ops.device_import(tenant_slug text, keys text[], names text[], models text[],
                                  sites text[], zones text[], configs text[], is_trial boolean)
RETURNS TABLE (ord int, action text, problem text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM core.device_import(core.tenant_by_slug(tenant_slug), keys, names,
                                                  models, sites, zones, configs, is_trial);
END
$$;

GRANT EXECUTE ON FUNCTION ops.device_list(text), ops.device_add(text, text, text, text, text),
    ops.device_import(text, text[], text[], text[], text[], text[], text[], boolean)
    TO tidemark_operator;

SET LOCAL ROLE tidemark_owner;
