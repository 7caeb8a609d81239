-- ---- lists of devices ----

-- Judges rows of a list of devices, and stores the good ones unless it is a trial; NULLs leave
-- what is there, or are what device_add says. A zone makes a site that is not there yet. ord
-- counts from 1; action: add, change, same, or refuse with the problem; of rows of one key the
-- first counts.
CREATE FUNCTION core.device_import(home int, keys text[], names text[], models text[],
                                   sites text[], zones text[], configs text[], is_trial boolean)
RETURNS TABLE (ord int, action text, problem text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    known_zones CONSTANT text[] := CASE WHEN array_to_string(zones, '') <> '' THEN
        ARRAY(SELECT z.name FROM pg_timezone_names z
              WHERE z.name = ANY (zones) AND core.timezone_is_place(z.name)) ELSE '{}' END;
    row record;
    totals jsonb := '{}';
BEGIN
    FOR row IN
        WITH input AS (
            SELECT i.* FROM unnest(keys, names, models, sites, zones, configs) WITH ORDINALITY
                 AS i (key, name, model, site, zone, config, ord)
        ), told AS (
            SELECT i.*, s.id AS site_id, s.timezone AS site_zone,
                   first_value(i.ord) OVER (PARTITION BY i.key ORDER BY i.ord) AS first_ord,
                   first_value(i.zone) OVER (PARTITION BY i.site ORDER BY i.zone IS NULL, i.ord)
                       AS first_zone
            FROM input i
            LEFT JOIN core.site s ON s.tenant_id = home AND s.key = i.site
        )
        SELECT t.*, d.id AS device_id,
               coalesce(t.name, d.name) IS NOT DISTINCT FROM d.name
                   AND coalesce(t.model, d.model) IS NOT DISTINCT FROM d.model
                   AND (t.site IS NULL OR t.site_id = d.site_id) AS is_alike,
               d.config AS device_config,
               CASE WHEN t.key IS NULL THEN 'key: is missing'
                    WHEN t.first_ord < t.ord THEN 'key: is in this list already'
                    ELSE coalesce(
                        core.inventory_problem(t.key, coalesce(t.name, t.key), t.model),
                        core.config_problem(t.config),
                        CASE WHEN t.zone IS NOT NULL AND t.site IS NULL THEN
                                 'timezone: belongs to a site, and the row names none'
                             WHEN t.zone IS NOT NULL AND t.zone <> ALL (known_zones) THEN
                                 'timezone: there is no such time zone'
                             WHEN t.zone <> t.site_zone THEN
                                 format('timezone: the site is in %s', t.site_zone)
                             WHEN t.site_id IS NULL AND t.zone <> t.first_zone THEN
                                 format('timezone: another row puts the site into %s', t.first_zone)
                             WHEN t.site IS NOT NULL AND t.site_id IS NULL
                                  AND coalesce(t.first_zone <> ALL (known_zones), true) THEN
                                 'site: there is no such site'
                             WHEN t.site_id IS NULL AND octet_length(t.site) > 128 THEN
                                 'site: must be of at most 128 bytes' END)
               END AS problem
        FROM told t
        LEFT JOIN core.device d ON d.tenant_id = home AND d.key = t.key
        ORDER BY t.ord
    LOOP
        ord := row.ord;
        problem := row.problem;
        action := CASE WHEN row.problem IS NOT NULL THEN 'refuse'
                       WHEN row.device_id IS NULL THEN 'add' ELSE 'change' END;
        IF action = 'change' AND row.is_alike
           AND coalesce(row.config::jsonb, row.device_config) = row.device_config THEN
            action := 'same';
        END IF;
        IF NOT is_trial AND action IN ('add', 'change') THEN
            INSERT INTO core.site (tenant_id, key, name, timezone)
            SELECT home, row.site, row.site, row.first_zone WHERE row.site IS NOT NULL
            ON CONFLICT ON CONSTRAINT site_tenant_id_key_key DO NOTHING;
            IF action = 'add' THEN
                PERFORM core.device_add(home, row.key, row.name, row.model, row.site, row.config);
            ELSE
                PERFORM core.device_change(home, row.key, row.name, row.model, row.site,
                                           row.config, NULL);
            END IF;
        END IF;
        totals := jsonb_set(totals, ARRAY[action],
                            to_jsonb(coalesce((totals ->> action)::int, 0) + 1));
        RETURN NEXT;
    END LOOP;
    IF NOT is_trial THEN
        PERFORM core.audit_add(home, 'device.import', '', totals);
    END IF;
END
$$;
