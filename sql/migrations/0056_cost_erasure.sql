-- What removes a place's ledger waits for who rates the place, before the first row goes: each of
-- them writes to the ledger's tables in an order of his own. Raters only try the lock, and hold it
-- before all rows that they write, so that nobody waits for somebody who waits.

SET LOCAL ROLE tidemark_door;

-- Waits for who rates the place, and keeps others from it until the transaction ends. One of which
-- nothing is rated or to be rated takes no lock: a tenant may have thousands.
CREATE FUNCTION core.cost_lock(home int, of_site int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM core.cost_place p WHERE p.tenant_id = home AND p.site_id = of_site)
       OR EXISTS (SELECT FROM core.cost_dirty d WHERE d.tenant_id = home AND d.site_id = of_site)
    THEN
        PERFORM pg_advisory_xact_lock(
            hashtextextended(format('tidemark.cost.%s.%s', home, of_site), 0));   -- ops.cost_take's
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION core.cost_erase(home int, of_site int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.cost_lock(home, of_site);
    DELETE FROM core.cost_place x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_day x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_device x WHERE x.tenant_id = home AND x.site_id = of_site;
    DELETE FROM core.cost_calculation x WHERE x.tenant_id = home AND x.site_id = of_site;
END
$$;

CREATE OR REPLACE FUNCTION core.cost_place_trigger() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'tenant' THEN
        PERFORM core.cost_note(NEW.id, '{0}', '-infinity', 'infinity', true);
    ELSIF TG_TABLE_NAME = 'site' AND TG_OP = 'DELETE' THEN
        PERFORM core.cost_lock(OLD.tenant_id, OLD.id);
        DELETE FROM core.cost_dirty x WHERE x.tenant_id = OLD.tenant_id AND x.site_id = OLD.id;
        PERFORM core.cost_erase(OLD.tenant_id, OLD.id);
    ELSIF TG_TABLE_NAME = 'site' THEN
        PERFORM core.cost_note(NEW.tenant_id, ARRAY[NEW.id], '-infinity', 'infinity', true);
    ELSIF TG_TABLE_NAME = 'series' THEN
        PERFORM core.cost_note(NEW.tenant_id,
                               core.cost_places(NEW.tenant_id, NULL, NEW.device_id),
                               '-infinity', 'infinity', true);
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM core.cost_note(OLD.tenant_id, ARRAY[coalesce(OLD.site_id, 0)],
                               '-infinity', 'infinity', true);
    ELSE
        -- what is derived meanwhile notes the former place alone: ops.cost_take waits for it, as
        -- ingest, which places devices too, must not
        INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy, is_move)
        SELECT NEW.tenant_id, coalesce(p.id, 0), '-infinity', 'infinity', true, true
        FROM unnest(ARRAY[OLD.site_id, NEW.site_id]) AS p (id);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ops.tenant_remove(slug text) RETURNS jsonb
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
    relation regclass;
    loose CONSTANT regclass[] := ARRAY(SELECT core.tenant_tables(true));
BEGIN
    -- no device, series or token is made meanwhile; what is posted by those there are may be
    PERFORM FROM core.tenant t WHERE t.id = gone FOR UPDATE;
    PERFORM FROM core.device d WHERE d.tenant_id = gone ORDER BY d.id FOR UPDATE;
    -- nor is anything rated: who does so writes to the ledger's tables in an order of his own
    PERFORM core.cost_lock(gone, p.site_id) FROM (
        SELECT p.site_id FROM core.cost_place p WHERE p.tenant_id = gone
        UNION SELECT d.site_id FROM core.cost_dirty d WHERE d.tenant_id = gone
        ORDER BY 1) p;
    members := ARRAY(SELECT m.person_id FROM core.membership m WHERE m.tenant_id = gone);
    FOR relation IN SELECT core.tenant_tables() LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE tenant_id = $1', relation)
            INTO before USING gone;
        EXECUTE format('DELETE FROM %s WHERE tenant_id = $1', relation) USING gone;
        EXECUTE format('SELECT count(*) FROM %s WHERE tenant_id = $1', relation)
            INTO after USING gone;
        -- rows that came since refer to nothing: ops.residue_erase takes them
        IF after > 0 AND relation <> ALL (loose) THEN
            RAISE EXCEPTION 'the tenant is being changed; try again' USING ERRCODE = 'TM409';
        END IF;
        counts := counts || jsonb_build_object(
            (SELECT c.relname FROM pg_class c WHERE c.oid = relation), before);
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

SET LOCAL ROLE tidemark_owner;
