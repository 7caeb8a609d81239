-- The archive's catalogue: what the files of a tenant's days do not tell (who and what there is, rates,
-- what happened to meters, and which files there are), as an object beside them, so that a database
-- can be made of the store alone. It has no secret: no password, token or key, nor a hash of one.

-- Catalogues that are in the store. Their keys sort by the time that they are of.
CREATE TABLE core.archive_catalogue (
    tenant_id int NOT NULL REFERENCES core.tenant,
    object    text COLLATE "C" NOT NULL,
    digest    bytea,                                -- of what it says; NULL: not known here
    noted_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, object)
);
SELECT core.protect('core.archive_catalogue', 'tenant_id');

-- That the database is being made of the store, or was.
CREATE TABLE core.archive_rebuild (
    is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    begun_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz                            -- NULL: it is not whole yet
);
GRANT SELECT, INSERT, UPDATE ON core.archive_rebuild TO tidemark_door;

-- What is loaded keeps its numbers: those to come go on after them.
GRANT SELECT, UPDATE ON SEQUENCE core.tenant_id_seq, core.site_id_seq, core.device_id_seq,
    core.series_id_seq, core.rate_schedule_id_seq, core.rate_assignment_id_seq,
    core.meter_entry_id_seq, core.archive_id_seq TO tidemark_door;

CREATE TRIGGER archive_note AFTER DELETE ON core.archive_catalogue
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION core.archive_note_garbage();

SET LOCAL ROLE tidemark_door;

-- ---- what it says ----

-- The tables that a catalogue has, in the order in which they can be filled, row by row but for some
-- columns, and what each is sorted by.
CREATE FUNCTION core.catalogue_parts()
RETURNS TABLE (ord int, relation name, left_out text[], sorted_by text)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    VALUES (1, 'site'::name, '{}'::text[], 'id'),
           (2, 'device', '{last_seen}', 'id'),
           (3, 'series', '{}', 'id'),
           (4, 'plugin', '{}', 'key'),
           (5, 'rate_schedule', '{}', 'id'),
           (6, 'rate_version', '{}', 'schedule_id, number'),
           (7, 'rate_price', '{}', 'schedule_id, series, from_time, known_since'),
           (8, 'rate_assignment', '{}', 'id'),
           (9, 'meter_entry', '{}', 'id'),
           (10, 'archive_cursor', '{}', 'relation'),
           (11, 'archive', '{verified_at}', 'id')
$$;

-- What of a name says that a secret is under it; to be looked for without regard to case.
CREATE FUNCTION core.catalogue_secret() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'secret|passw|passphrase|token|credential|authorization|bearer|cookie|psk|pwd'
           '|(api|access|private|auth|shared|account|secret)[_ -]?key'
$$;

-- Names that are one as a whole, or as a word: mqtt_pass, but no bypass.
CREATE FUNCTION core.catalogue_secret_word() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '(?:[[:alnum:]]+[_.-])*(?:pass|auth|pin)'
$$;

-- A text without what may be a secret: what addresses have before their last @, and what stands after a
-- name that says so, as in ?api_key=…, in password='…' and in "Authorization: …" (the rest of the line).
-- What is none may go with it.
CREATE FUNCTION core.catalogue_scrub_text(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name CONSTANT text := format('(?:[[:alnum:]_.-]*(?:%s)[[:alnum:]_.-]*|\m%s)["'']?\s*',
                                 core.catalogue_secret(), core.catalogue_secret_word());
BEGIN
    value := regexp_replace(value, '://[^[:space:]]*@', '://', 'g');
    value := regexp_replace(value, '([?&]' || name || '=)[^&#[:space:]]*', '\1', 'gi');
    value := regexp_replace(value, '((?:^|[^?&[:alnum:]_.-])' || name || '=\s*)("[^"]*"|''[^'']*''|[^[:space:]]+)',
                            '\1', 'gi');
    RETURN regexp_replace(value, '(' || name || ':\s*)[^\n]+', '\1', 'gi');
END
$$;

-- A document without what may be a secret of another service: members whose name says so, and what is
-- one in texts.
CREATE FUNCTION core.catalogue_scrub(value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN
            (SELECT coalesce(jsonb_object_agg(m.key, core.catalogue_scrub(m.value)), '{}')
             FROM jsonb_each(value) m
             WHERE m.key !~* core.catalogue_secret()
               AND m.key !~* ('^' || core.catalogue_secret_word() || '$'))
        WHEN 'array' THEN
            (SELECT coalesce(jsonb_agg(core.catalogue_scrub(i.value) ORDER BY i.ord), '[]')
             FROM jsonb_array_elements(value) WITH ORDINALITY AS i (value, ord))
        WHEN 'string' THEN to_jsonb(core.catalogue_scrub_text(value #>> '{}'))
        ELSE value END;
END
$$;

-- A row as it leaves the database: of a device's configuration its metrics alone, which are whatever they
-- are called.
CREATE FUNCTION core.catalogue_line(relation name, line jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE relation
        WHEN 'plugin' THEN core.catalogue_scrub(line)
        WHEN 'device' THEN line || jsonb_build_object('config', CASE
            WHEN jsonb_typeof(line #> '{config,metrics}') = 'object' THEN jsonb_build_object('metrics',
                (SELECT coalesce(jsonb_object_agg(m.key, core.catalogue_scrub(m.value)), '{}')
                 FROM jsonb_each(line #> '{config,metrics}') m))
            ELSE '{}' END)
        ELSE line END
$$;

-- What there is of a tenant, an object a line: {"site": {…}}. The same as long as that is.
CREATE FUNCTION core.catalogue_lines(home int) RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    part record;
BEGIN
    RETURN QUERY
    SELECT jsonb_build_object('tenant', to_jsonb(t) - 'adapters_version')
    FROM core.tenant t WHERE t.id = home;
    RETURN QUERY
    SELECT jsonb_build_object('member', jsonb_build_object(
               'email', p.email, 'name', p.name, 'role', m.role, 'created_at', m.created_at))
    FROM core.membership m JOIN core.person p ON p.id = m.person_id
    WHERE m.tenant_id = home
    ORDER BY p.email;
    FOR part IN SELECT * FROM core.catalogue_parts() p ORDER BY p.ord LOOP
        RETURN QUERY EXECUTE format(
            'SELECT jsonb_build_object(%1$L, core.catalogue_line(%1$L, l.line))'
            ' FROM (SELECT to_jsonb(x) - $2 - ''tenant_id'' AS line FROM core.%1$I x'
            '       WHERE x.tenant_id = $1 ORDER BY %2$s) l', part.relation, part.sorted_by)
            USING home, part.left_out;
    END LOOP;
END
$$;

-- ---- writing it ----

-- At most so many tenants, after that one (NULL: from the first on); none where nothing is archived.
CREATE FUNCTION ops.catalogue_tenants(after_slug text, max_tenants int)
RETURNS TABLE (tenant_id int, slug text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT t.id, t.slug FROM core.tenant t
    WHERE (SELECT s.is_on FROM core.archive_setting s) AND (after_slug IS NULL OR t.slug > after_slug)
      AND NOT EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL)
    ORDER BY t.slug LIMIT max_tenants;
END
$$;

-- The catalogue of the transaction's tenant as it is to be in the store, its key, which ends with the
-- SHA-256 of its bytes, and the digest of what it says; NULLs where the newest there says the same, and
-- where somebody archives days of the tenant, who makes it then. Of older ones three stay, those that another took the place of more than a week ago do not.
CREATE FUNCTION ops.catalogue_make(OUT object text, OUT document text, OUT digest bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    home CONSTANT int := core.tenant();
    made timestamptz;
    slug text;
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
    document := (SELECT string_agg(l.line::text || E'\n', '' ORDER BY l.ord)
                 FROM core.catalogue_lines(home) WITH ORDINALITY AS l (line, ord));
    digest := sha256(convert_to(document, 'UTF8'));
    IF digest = (SELECT c.digest FROM core.archive_catalogue c
                 WHERE c.tenant_id = home ORDER BY c.object DESC LIMIT 1) THEN
        document := NULL;
        digest := NULL;
        RETURN;
    END IF;
    document := jsonb_build_object('catalogue', jsonb_build_object(
        'format', 1, 'tenant', slug, 'made_at', made))::text || E'\n' || document;
    object := format('archive/catalogue/tenant=%s/%s-%s.ndjson', slug,
                     to_char(made, 'YYYYMMDD"T"HH24MISS.US"Z"'),
                     encode(sha256(convert_to(document, 'UTF8')), 'hex'));
END
$$;

-- Notes a catalogue of the transaction's tenant, which is in the store, read back, when that commits.
CREATE FUNCTION ops.catalogue_note(object text, digest bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', '0', true); -- the store may be far away
    DELETE FROM core.archive_garbage g WHERE g.object = catalogue_note.object;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM core.tenant t WHERE t.id = home FOR KEY SHARE) THEN
        RAISE EXCEPTION 'the catalogue was swept before it was noted' USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive_catalogue (tenant_id, object, digest)
    VALUES (home, catalogue_note.object, catalogue_note.digest);
END
$$;

-- ---- a database made of the store ----

-- Notes, in a transaction of its own, the objects that are about to be written: should they never
-- be noted, they are garbage. Nothing is archived of a database that is not whole yet.
CREATE OR REPLACE FUNCTION ops.archive_intend(objects text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL) THEN
        RAISE EXCEPTION 'the database is being made of the archive: `tidemark restore --from-archive` has not ended'
            USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive_garbage (object) SELECT unnest(objects);
END
$$;

-- Whether such a thing was begun and is not whole. TM409 where it was not, and the database is not
-- empty; else it is begun, unless one only looks.
CREATE FUNCTION ops.rebuild_begin(is_look boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.rebuild', 0));
    IF EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL) THEN
        RETURN true;
    END IF;
    IF EXISTS (SELECT FROM core.tenant) OR EXISTS (SELECT FROM core.person) THEN
        RAISE EXCEPTION 'the database is not empty (% tenants, % persons): what is in the archive goes into a new one, after `tidemark migrate`',
            (SELECT count(*) FROM core.tenant), (SELECT count(*) FROM core.person)
            USING ERRCODE = 'TM409';
    END IF;
    IF NOT is_look THEN
        INSERT INTO core.archive_rebuild (is_only) VALUES (true)
        ON CONFLICT (is_only) DO UPDATE SET begun_at = now(), ended_at = NULL;
    END IF;
    RETURN false;
END
$$;

-- Fails unless a rebuild was begun; nobody else is at it until the transaction ends.
CREATE FUNCTION core.rebuild_hold() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.rebuild', 0));
    IF NOT EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL) THEN
        RAISE EXCEPTION 'no rebuild was begun' USING ERRCODE = 'TM409';
    END IF;
END
$$;

-- The numbers of a table's rows go on after those it has.
CREATE FUNCTION core.rebuild_count_on(relation name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('SELECT setval(''core.%1$I'', greatest(s.last_value,'
                   ' (SELECT max(x.id) FROM core.%2$I x))) FROM core.%1$I s',
                   relation || '_id_seq', relation);
END
$$;

-- Fills a table with rows of a catalogue and what is given for each; columns that these do not have get
-- their defaults.
CREATE FUNCTION core.rebuild_fill(relation name, lines jsonb[], given jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(quote_ident(a.attname), ', ') INTO columns
    FROM pg_attribute a
    WHERE a.attrelid = format('core.%I', relation)::regclass AND a.attnum > 0
      AND NOT a.attisdropped AND (lines[1] || given) ? a.attname;
    IF columns IS NOT NULL THEN
        EXECUTE format('INSERT INTO core.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s'
                       ' FROM unnest($1) AS l (of_catalogue),'
                       ' jsonb_populate_record(NULL::core.%1$I, l.of_catalogue || $2)',
                       relation, columns) USING lines, given;
    END IF;
END
$$;

-- Makes a tenant of its catalogue, with the days of the archive, none of which the database has; the
-- objects are the keys of its catalogues in the store. Its members have a password that fits this hash
-- until they get one. is_new false: it is there already.
CREATE FUNCTION ops.rebuild_tenant(document text, objects text[], password_hash text,
                                   OUT is_new boolean, OUT slug text, OUT n_devices bigint,
                                   OUT n_series bigint, OUT n_days bigint)
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
    home   int;
    part   record;
BEGIN
    PERFORM core.rebuild_hold();
    tenant := (SELECT l.line -> 'tenant' FROM unnest(lines) AS l (line) WHERE l.line ? 'tenant');
    home := tenant ->> 'id';
    slug := tenant ->> 'slug';
    is_new := NOT EXISTS (SELECT FROM core.tenant t WHERE t.slug = slug);
    IF is_new THEN
        PERFORM core.rebuild_fill('tenant', ARRAY[tenant], '{}');
        FOR part IN SELECT * FROM core.catalogue_parts() p ORDER BY p.ord LOOP
            PERFORM core.rebuild_fill(
                part.relation,
                ARRAY(SELECT CASE part.relation
                          WHEN 'archive' THEN l.line -> 'archive' || jsonb_build_object(
                              'verified_at', l.line #> '{archive,archived_at}') -- was read back then
                          ELSE l.line -> part.relation::text END
                      FROM unnest(lines) AS l (line) WHERE l.line ? part.relation::text),
                jsonb_build_object('tenant_id', home));
            IF part.sorted_by = 'id' THEN
                PERFORM core.rebuild_count_on(part.relation);
            END IF;
        END LOOP;
        PERFORM core.rebuild_count_on('tenant');
        INSERT INTO core.archive_day (tenant_id, relation, day, is_held)
        SELECT DISTINCT a.tenant_id, a.relation, a.day, false
        FROM core.archive a WHERE a.tenant_id = home;
        INSERT INTO core.person (email, name, password_hash)
        SELECT l.line #>> '{member,email}', l.line #>> '{member,name}', password_hash
        FROM unnest(lines) AS l (line) WHERE l.line ? 'member'
        ON CONFLICT (email) DO NOTHING;
        INSERT INTO core.membership (tenant_id, person_id, role, created_at)
        SELECT home, p.id, l.line #>> '{member,role}',
               (l.line #>> '{member,created_at}')::timestamptz
        FROM unnest(lines) AS l (line) JOIN core.person p ON p.email = l.line #>> '{member,email}'
        WHERE l.line ? 'member';
        INSERT INTO core.archive_catalogue (tenant_id, object) SELECT home, unnest(objects);
        PERFORM core.audit_add(home, 'tenant.rebuild', slug);
    END IF;
    SELECT count(*) INTO n_devices FROM core.device d WHERE d.tenant_id = home;
    SELECT count(*) INTO n_series FROM core.series s WHERE s.tenant_id = home;
    SELECT count(*) INTO n_days FROM core.archive_day d WHERE d.tenant_id = home;
END
$$;

-- When a catalogue is of, by its key.
CREATE FUNCTION core.catalogue_time(object text) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT to_timestamp(substring(object FROM '/(\d{8}T\d{6}\.\d{6})Z-[^/]*$'),
                        'YYYYMMDD"T"HH24MISS.US')
$$;

-- Notes the files of a manifest that was written after the catalogue of that key, of which its tenant
-- was made: nobody could note them there. Of several of the same number the last one written counts,
-- for its archiver found the earlier ones not to. False: they are older, known, or no manifest at all.
CREATE FUNCTION ops.rebuild_late(manifest text, catalogue text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
    since CONSTANT timestamptz := core.catalogue_time(catalogue);
    said    jsonb;
    home    int;
    of_day  date;
    of_n    int;
    written timestamptz;
BEGIN
    PERFORM core.rebuild_hold();
    BEGIN
        said := manifest::jsonb;
        of_day := said ->> 'day';
        of_n := said ->> 'number';
        written := said ->> 'written_at';
    EXCEPTION WHEN data_exception THEN
        RETURN false;
    END;
    home := (SELECT t.id FROM core.tenant t WHERE t.slug = said ->> 'tenant');
    IF home IS NULL OR written IS NULL OR written <= since
       OR jsonb_typeof(said -> 'files') IS DISTINCT FROM 'array' OR EXISTS (
        SELECT FROM core.archive a
        WHERE a.tenant_id = home AND a.relation = said ->> 'table' AND a.day = of_day
          AND (a.n = of_n AND (a.archived_at <= since OR a.archived_at >= written)
               OR a.object = said #>> '{files,0,object}')) THEN
        RETURN false;
    END IF;
    DELETE FROM core.archive a
    WHERE a.tenant_id = home AND a.relation = said ->> 'table' AND a.day = of_day AND a.n = of_n;
    INSERT INTO core.archive (tenant_id, relation, day, n, kind, object, n_rows, n_bytes, sha256,
                              archived_at, verified_at)
    SELECT home, said ->> 'table', of_day, of_n, f ->> 'kind', f ->> 'object', (f ->> 'rows')::bigint,
           (f ->> 'bytes')::bigint, decode(f ->> 'sha256', 'hex'), written, written
    FROM jsonb_array_elements(said -> 'files') f;
    INSERT INTO core.archive_day (tenant_id, relation, day, is_held)
    VALUES (home, said ->> 'table', of_day, false)
    ON CONFLICT (tenant_id, relation, day) DO NOTHING;
    RETURN true;
END
$$;

-- At most so many days that are still to come back, after that one (NULLs: from the first on).
CREATE FUNCTION ops.rebuild_days(after_slug text, after_relation text, after_day text, max_days int)
RETURNS TABLE (tenant_id int, slug text, relation text, day text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT d.tenant_id, t.slug, d.relation, to_char(d.day, 'YYYY-MM-DD')
    FROM core.archive_day d JOIN core.tenant t ON t.id = d.tenant_id
    WHERE NOT d.is_held
      AND EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL)
      AND (after_slug IS NULL
           OR (t.slug, d.relation, d.day) > (after_slug, after_relation, after_day::date))
    ORDER BY t.slug, d.relation, d.day
    LIMIT max_days;
END
$$;

-- All of the store is there: what is made of it is to be made.
CREATE FUNCTION ops.rebuild_end() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.rebuild_hold();
    PERFORM core.rollup_lock();
    DELETE FROM core.rollup_dirty;
    INSERT INTO core.rollup_dirty (tenant_id, series_id, from_time, to_time)
    SELECT x.tenant_id, x.id, '-infinity', s.closed_until FROM core.series x, core.rollup_state s;
    INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
    SELECT t.id, unnest(core.cost_places(t.id, NULL, NULL)), '-infinity', 'infinity', true
    FROM core.tenant t;
    PERFORM ops.series_last_repair();
    UPDATE core.device d SET last_seen = n.time
    FROM (SELECT s.tenant_id, s.device_id, max(l.time) AS time
          FROM core.series s
          JOIN core.series_last l ON l.tenant_id = s.tenant_id AND l.series_id = s.id
          GROUP BY s.tenant_id, s.device_id) n
    WHERE d.tenant_id = n.tenant_id AND d.id = n.device_id AND d.last_seen IS NULL;
    UPDATE core.archive_rebuild r SET ended_at = now();
END
$$;

GRANT EXECUTE ON FUNCTION ops.catalogue_tenants(text, int), ops.catalogue_make(),
    ops.catalogue_note(text, bytea), ops.rebuild_begin(boolean),
    ops.rebuild_tenant(text, text[], text), ops.rebuild_late(text, text), ops.rebuild_days(text, text, text, int),
    ops.rebuild_end() TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
