-- ---- what belongs to a tenant ----

-- The tables of core that hold rows of tenants, in an order in which they can be emptied: those
-- that refer to others first. Without those whose foreign key says what becomes of them when the
-- tenant goes. `only_loose`: those that refer to nothing, so that rows may come after their tenant went.
CREATE FUNCTION core.tenant_tables(only_loose boolean DEFAULT false) RETURNS SETOF regclass
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE refers AS (
        SELECT DISTINCT k.conrelid AS child, k.confrelid AS parent
        FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
    ), held AS (
        SELECT c.oid
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition AND NOT a.attisdropped
          AND NOT EXISTS (SELECT FROM pg_constraint k
                          WHERE k.conrelid = c.oid AND k.confrelid = 'core.tenant'::regclass
                            AND k.confdeltype IN ('c', 'n'))
    ), depths AS (
        SELECT h.oid, 0 AS depth FROM held h
        UNION ALL
        SELECT r.child, d.depth + 1 FROM depths d JOIN refers r ON r.parent = d.oid
    )
    SELECT h.oid::regclass
    FROM held h JOIN depths d USING (oid)
    WHERE NOT only_loose OR NOT EXISTS (SELECT FROM refers r WHERE r.child = h.oid)
    GROUP BY h.oid
    ORDER BY max(d.depth) DESC, h.oid::regclass::text;
END
$$;
GRANT EXECUTE ON FUNCTION core.tenant_tables(boolean) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

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

CREATE OR REPLACE FUNCTION ops.residue_erase() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    relation regclass;
    owner    int;
    n_rows   bigint;
    n_erased bigint := 0;
BEGIN
    FOR relation IN SELECT core.tenant_tables(true) LOOP
        owner := 0;
        LOOP
            EXECUTE format('SELECT x.tenant_id FROM %s x WHERE x.tenant_id > $1'
                           ' ORDER BY x.tenant_id LIMIT 1', relation) INTO owner USING owner;
            EXIT WHEN owner IS NULL;
            CONTINUE WHEN EXISTS (SELECT FROM core.tenant t WHERE t.id = owner);
            EXECUTE format('DELETE FROM %s WHERE tenant_id = $1', relation) USING owner;
            GET DIAGNOSTICS n_rows = ROW_COUNT;
            n_erased := n_erased + n_rows;
        END LOOP;
    END LOOP;
    RETURN n_erased;
END
$$;

SET LOCAL ROLE tidemark_owner;
