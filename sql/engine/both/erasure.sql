-- ---- erasure of devices and persons ----

-- Where rows of a series or a device are, and by which column; not core.device itself. Found in
-- the catalog, so that no later table is forgotten.
CREATE FUNCTION core.device_tables() RETURNS TABLE (relation regclass, key name)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.relation, k.key
    FROM (SELECT c.oid::regclass AS relation
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
          WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p')
            AND NOT c.relispartition AND NOT a.attisdropped) t
    CROSS JOIN LATERAL (
        SELECT a.attname AS key FROM pg_attribute a
        WHERE a.attrelid = t.relation AND a.attname IN ('series_id', 'device_id')
          AND NOT a.attisdropped
        ORDER BY a.attname DESC LIMIT 1) k
    -- what others refer to goes last
    ORDER BY EXISTS (SELECT FROM pg_constraint r
                     WHERE r.contype = 'f' AND r.confrelid = t.relation),
             t.relation::text;
END
$$;
GRANT EXECUTE ON FUNCTION core.device_tables() TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- Deletes the rows of a table whose key is one of the numbers; how many, counted anew.
CREATE FUNCTION core.rows_erase(relation regclass, home int, key name, ids int[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    id     int;
    n_rows bigint;
    n_left bigint;
    total  bigint := 0;
BEGIN
    -- one at a time, by constants: in compressed chunks a join would unpack all
    FOREACH id IN ARRAY ids LOOP
        EXECUTE format('SELECT count(*) FROM %s x WHERE x.tenant_id = %s AND x.%I = %s',
                       relation, home, key, id) INTO n_rows;
        CONTINUE WHEN n_rows = 0;
        EXECUTE format('DELETE FROM %s x WHERE x.tenant_id = %s AND x.%I = %s',
                       relation, home, key, id);
        EXECUTE format('SELECT count(*) FROM %s x WHERE x.tenant_id = %s AND x.%I = %s',
                       relation, home, key, id) INTO n_left;
        IF n_left > 0 THEN
            RAISE EXCEPTION '% rows of % could not be erased; try again', n_left, relation
                USING ERRCODE = 'TM409';
        END IF;
        total := total + n_rows;
    END LOOP;
    RETURN total;
END
$$;

-- Erases a device with all that is its own: samples, rollups, energy, events, tokens, links.
-- Answers how many rows went, by table. Its key may come again, as another device.
CREATE FUNCTION core.device_erase(home int, of_key text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone   int;
    series int[];
    part   record;
    counts jsonb := '{}';
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.rollup_lock();      -- nothing is derived of it meanwhile
    SELECT d.id INTO gone FROM core.device d WHERE d.tenant_id = home AND d.key = of_key
    FOR UPDATE;                      -- and no series is made
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    series := ARRAY(SELECT s.id FROM core.series s
                    WHERE s.tenant_id = home AND s.device_id = gone ORDER BY s.id);
    INSERT INTO core.erased (tenant_id, kind, id)
    SELECT home, 'series', s.id FROM unnest(series) AS s (id)
    UNION ALL SELECT home, 'device', gone;
    FOR part IN SELECT t.* FROM core.device_tables() t LOOP
        counts := counts || jsonb_build_object(
            (SELECT c.relname FROM pg_class c WHERE c.oid = part.relation),
            core.rows_erase(part.relation, home, part.key,
                            CASE part.key WHEN 'series_id' THEN series ELSE ARRAY[gone] END));
    END LOOP;
    DELETE FROM core.device d WHERE d.tenant_id = home AND d.id = gone;
    PERFORM core.audit_add(home, 'device.erase', of_key, counts);
    RETURN counts;
END
$$;

CREATE FUNCTION api.device_erase(of_key text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.device_erase(core.tenant(), of_key);
END
$$;

-- Erases what came for devices and series after they were erased; how many rows. There is hardly
-- ever anything: it looks for all of a tenant at once, as nothing is derived meanwhile.
CREATE FUNCTION core.residue_of_erased() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    part   record;
    gone   record;
    found  int[];
    n_rows bigint := 0;
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    PERFORM core.rollup_lock();
    FOR gone IN
        SELECT e.tenant_id, e.kind || '_id' AS key, array_agg(e.id ORDER BY e.id) AS ids
        FROM core.erased e GROUP BY e.tenant_id, e.kind
    LOOP
        FOR part IN SELECT t.relation FROM core.device_tables() t WHERE t.key = gone.key LOOP
            EXECUTE format('SELECT array_agg(DISTINCT x.%I) FROM %s x'
                           ' WHERE x.tenant_id = $1 AND x.%1$I = ANY ($2)', gone.key, part.relation)
                INTO found USING gone.tenant_id, gone.ids;
            CONTINUE WHEN found IS NULL;
            n_rows := n_rows + core.rows_erase(part.relation, gone.tenant_id, gone.key, found);
        END LOOP;
    END LOOP;
    DELETE FROM core.erased e WHERE e.erased_at < now() - interval '1 day';
    RETURN n_rows;
END
$$;

-- Erases the rows of tenants, devices and series that are no more; how many. An ingest process
-- remembers them for some seconds and may commit after they were erased. Steps from tenant to
-- tenant through the keys' indexes; numbers are never given again.
CREATE OR REPLACE FUNCTION ops.residue_erase() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off
AS $$
DECLARE
    relation regclass;
    owner    int;
    n_rows   bigint;
    n_erased bigint := core.residue_of_erased();
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

-- Erases a person: memberships, sessions and links with it; in the audit trail its e-mail gives
-- way to a number. Answers how many rows of what. Whoever alone may change the installation
-- stays.
CREATE FUNCTION core.person_erase(gone bigint) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who    core.person;
    alias  CONSTANT text := format('erased person %s', gone);
    counts jsonb;
BEGIN
    -- of two at a time each sees what the other leaves
    PERFORM FROM core.person p WHERE p.operator_role = 'operator_admin' ORDER BY p.id FOR UPDATE;
    SELECT p.* INTO who FROM core.person p WHERE p.id = gone FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such person' USING ERRCODE = 'TM404';
    ELSIF who.operator_role = 'operator_admin' AND NOT EXISTS (
            SELECT FROM core.person p WHERE p.operator_role = 'operator_admin' AND p.id <> gone) THEN
        RAISE EXCEPTION 'nobody else may change the installation' USING ERRCODE = 'TM409';
    END IF;
    counts := jsonb_build_object(
        'membership', (SELECT count(*) FROM core.membership m WHERE m.person_id = gone),
        'session', (SELECT count(*) FROM core.session s WHERE s.person_id = gone),
        'person', 1);
    DELETE FROM core.access_link l WHERE l.person_id = gone OR l.email = who.email;
    UPDATE core.access_link l SET made_by = alias WHERE l.made_by = who.email;
    UPDATE core.share s SET created_by = alias WHERE s.created_by = who.email;
    UPDATE core.audit a
    SET actor = CASE a.actor WHEN who.email THEN alias ELSE a.actor END,
        object = CASE a.object WHEN who.email THEN alias ELSE a.object END
    WHERE who.email IN (a.actor, a.object);
    DELETE FROM core.login_throttle t WHERE t.kind = 'email' AND t.subject = who.email;
    DELETE FROM core.person p WHERE p.id = gone;
    PERFORM core.audit_add(NULL, 'person.erase', alias, counts);
    RETURN counts;
END
$$;

-- The same by e-mail, for operators.
CREATE FUNCTION ops.person_erase(email text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN core.person_erase((SELECT p.id FROM core.person p
                              WHERE p.email = core.email_norm(person_erase.email)));
END
$$;

GRANT EXECUTE ON FUNCTION api.device_erase(text) TO tidemark_web;
GRANT EXECUTE ON FUNCTION ops.person_erase(text) TO tidemark_operator;

SET LOCAL ROLE tidemark_owner;
