-- Catalogues of any size: they are written and loaded some lines at a time. Nobody knows the SHA-256 of one
-- before its last line is made, so that the last line tells it, of all before (format 2).

SET LOCAL ROLE tidemark_door;

DROP FUNCTION ops.catalogue_make();

-- What the transaction's tenant's catalogue is to be under, and its first line; NULLs where the newest in
-- the store says the same, by the SHA-256 of those of its lines, and where somebody archives days of the
-- tenant, who makes it then. What is fetched afterwards may say more: its own digest is noted. Of older ones three stay, those that another took the place of more than a week ago do not.
CREATE FUNCTION ops.catalogue_make(OUT object text, OUT head text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    home CONSTANT int := core.tenant();
    made timestamptz;
    slug text;
    digest bytea;
BEGIN
    IF NOT pg_try_advisory_xact_lock(core.archiving_lock(home)) THEN
        RETURN;
    END IF;
    made := clock_timestamp();
    DELETE FROM core.archive_catalogue c
    WHERE c.tenant_id = home
      AND (EXISTS (SELECT FROM core.archive_catalogue n
                   WHERE n.tenant_id = home AND n.object > c.object
                     AND n.noted_at < now() - interval '7 days')
           OR (SELECT count(*) FROM core.archive_catalogue n
               WHERE n.tenant_id = home AND n.object > c.object) > 3);
    SELECT t.slug INTO slug FROM core.tenant t WHERE t.id = home;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    digest := (SELECT sha256(string_agg(sha256(convert_to(l.line::text, 'UTF8')), ''::bytea ORDER BY l.ord))
               FROM core.catalogue_lines(home) WITH ORDINALITY AS l (line, ord));
    IF digest = (SELECT c.digest FROM core.archive_catalogue c
                 WHERE c.tenant_id = home ORDER BY c.object DESC LIMIT 1) THEN
        RETURN;
    END IF;
    head := jsonb_build_object('catalogue', jsonb_build_object(
        'format', 2, 'tenant', slug, 'made_at', made))::text;
    object := format('archive/catalogue/tenant=%s/%s-%s.ndjson', slug,
                     to_char(made, 'YYYYMMDD"T"HH24MISS.US"Z"'), replace(gen_random_uuid()::text, '-', ''));
END
$$;

-- The next lines of the transaction's tenant's catalogue, each with its newline, some 4 MiB of them; NULL:
-- those were all. The first call opens the cursor.
CREATE FUNCTION ops.catalogue_fetch(is_first boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    max_bytes CONSTANT int := 4 << 20;              -- but for the last line
    home      CONSTANT int := core.tenant();
    catalogue refcursor := 'catalogue';
    line      text;
    lines     text[] := '{}';
    n_bytes   int := 0;
BEGIN
    IF is_first THEN
        PERFORM set_config('idle_in_transaction_session_timeout', '0', true); -- the store may be far away
        OPEN catalogue FOR SELECT l::text || E'\n' FROM core.catalogue_lines(home) l;
    END IF;
    WHILE n_bytes < max_bytes LOOP
        FETCH catalogue INTO line;
        EXIT WHEN NOT FOUND;
        lines := lines || line;
        n_bytes := n_bytes + octet_length(line);
    END LOOP;
    RETURN nullif(array_to_string(lines, ''), '');
END
$$;

DROP FUNCTION ops.rebuild_tenant(text, text[], text);

-- Takes the next lines of a catalogue, of which those come in the order in which they can be stored: of the
-- tenant `home`, NULL with the first ones, which make it. Its members have a password that fits this hash
-- until they get one. is_new false: the tenant is there already, and nothing is taken.
CREATE FUNCTION ops.rebuild_tenant(document text, password_hash text, INOUT home int, OUT is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    lines CONSTANT jsonb[] := ARRAY(
        SELECT l.line::jsonb FROM string_to_table(document, E'\n') WITH ORDINALITY AS l (line, ord)
        WHERE l.line <> '' ORDER BY l.ord);
    tenant jsonb;
    part   record;
BEGIN
    PERFORM core.rebuild_hold();
    PERFORM set_config('idle_in_transaction_session_timeout', '0', true); -- the store may be far away
    is_new := true;
    IF home IS NULL THEN
        tenant := (SELECT l.line -> 'tenant' FROM unnest(lines) AS l (line) WHERE l.line ? 'tenant');
        home := (SELECT t.id FROM core.tenant t WHERE t.slug = tenant ->> 'slug');
        is_new := home IS NULL;
        IF NOT is_new THEN
            RETURN;
        END IF;
        home := tenant ->> 'id';
        PERFORM core.rebuild_fill('tenant', ARRAY[tenant], '{}');
    END IF;
    FOR part IN SELECT * FROM core.catalogue_parts() p ORDER BY p.ord LOOP
        PERFORM core.rebuild_fill(
            part.relation,
            ARRAY(SELECT CASE part.relation
                      WHEN 'archive' THEN l.line -> 'archive' || jsonb_build_object(
                          'verified_at', l.line #> '{archive,archived_at}') -- was read back then
                      ELSE l.line -> part.relation::text END
                  FROM unnest(lines) AS l (line) WHERE l.line ? part.relation::text),
            jsonb_build_object('tenant_id', home));
    END LOOP;
    INSERT INTO core.person (email, name, password_hash)
    SELECT l.line #>> '{member,email}', l.line #>> '{member,name}', password_hash
    FROM unnest(lines) AS l (line) WHERE l.line ? 'member'
    ON CONFLICT (email) DO NOTHING;
    INSERT INTO core.membership (tenant_id, person_id, role, created_at)
    SELECT home, p.id, l.line #>> '{member,role}',
           (l.line #>> '{member,created_at}')::timestamptz
    FROM unnest(lines) AS l (line) JOIN core.person p ON p.email = l.line #>> '{member,email}'
    WHERE l.line ? 'member';
END
$$;

-- Ends what rebuild_tenant did: the days of the archive are known, none of which the database has; the
-- objects are the keys of the tenant's catalogues in the store.
CREATE FUNCTION ops.rebuild_tenant_end(home int, is_new boolean, objects text[], OUT slug text,
                                       OUT n_devices bigint, OUT n_series bigint, OUT n_days bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    part record;
BEGIN
    PERFORM core.rebuild_hold();
    SELECT t.slug INTO slug FROM core.tenant t WHERE t.id = home;
    IF is_new THEN
        FOR part IN SELECT * FROM core.catalogue_parts() p WHERE p.sorted_by = 'id' LOOP
            PERFORM core.rebuild_count_on(part.relation);
        END LOOP;
        PERFORM core.rebuild_count_on('tenant');
        INSERT INTO core.archive_day (tenant_id, relation, day, is_held)
        SELECT DISTINCT a.tenant_id, a.relation, a.day, false
        FROM core.archive a WHERE a.tenant_id = home;
        INSERT INTO core.archive_catalogue (tenant_id, object) SELECT home, unnest(objects);
        PERFORM core.audit_add(home, 'tenant.rebuild', slug);
    END IF;
    SELECT count(*) INTO n_devices FROM core.device d WHERE d.tenant_id = home;
    SELECT count(*) INTO n_series FROM core.series s WHERE s.tenant_id = home;
    SELECT count(*) INTO n_days FROM core.archive_day d WHERE d.tenant_id = home;
END
$$;

GRANT EXECUTE ON FUNCTION ops.catalogue_make(), ops.catalogue_fetch(boolean),
    ops.rebuild_tenant(text, text, int), ops.rebuild_tenant_end(int, boolean, text[]) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
