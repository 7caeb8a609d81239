-- What the store loses of the archive beside files of rows, catalogues and manifests, is written anew by the
-- archiver when that was found out.

-- Manifests that were found damaged or missing.
CREATE TABLE core.archive_lost (
    id        bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id int NOT NULL,
    relation  text NOT NULL,
    day       date NOT NULL,
    n         int NOT NULL,
    PRIMARY KEY (tenant_id, relation, day, n)
);
CREATE INDEX archive_lost_id ON core.archive_lost (id);
SELECT core.protect('core.archive_lost', 'tenant_id');

SET LOCAL ROLE tidemark_door;

-- Notes that the manifest beside a file of the transaction's tenant is to be written anew.
CREATE FUNCTION ops.archive_lose(of_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.archive_lost (tenant_id, relation, day, n)
    SELECT a.tenant_id, a.relation, a.day, a.n
    FROM core.archive a WHERE a.tenant_id = core.tenant() AND a.id = of_id
    ON CONFLICT DO NOTHING;
END
$$;

-- The manifest that is to be written anew after that one (0: from the first on); no row: there is none.
CREATE FUNCTION ops.archive_lost_next(after_id bigint)
RETURNS TABLE (id bigint, tenant_id int, slug text, relation text, day text, n int)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT l.id, l.tenant_id, t.slug, l.relation, to_char(l.day, 'YYYY-MM-DD'), l.n
    FROM core.archive_lost l JOIN core.tenant t ON t.id = l.tenant_id
    WHERE l.id > after_id
      AND NOT EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL)
    ORDER BY l.id LIMIT 1;
END
$$;

-- The files of that manifest, of the transaction's tenant, and when they were written. They stay until the
-- transaction ends: what is written beside them is removed with them.
CREATE FUNCTION ops.archive_lost_files(of_id bigint)
RETURNS TABLE (written_at text, kind text, object text, n_rows bigint, n_bytes bigint, sha256 bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', '0', true); -- the store may be far away
    RETURN QUERY
    SELECT to_char(a.archived_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.kind, a.object, a.n_rows,
           a.n_bytes, a.sha256
    FROM core.archive_lost l
    JOIN core.archive a ON a.tenant_id = l.tenant_id AND a.relation = l.relation AND a.day = l.day
                       AND a.n = l.n
    WHERE l.tenant_id = core.tenant() AND l.id = of_id
    ORDER BY a.kind
    FOR KEY SHARE OF a;
END
$$;

-- It was written, or there is nothing that it would tell of.
CREATE FUNCTION ops.archive_lost_done(of_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.archive_lost l WHERE l.tenant_id = core.tenant() AND l.id = of_id;
END
$$;

-- The newest catalogue of a tenant (NULL: of each that has one), of at most so many after that one (NULL:
-- from the first on).
CREATE FUNCTION ops.catalogue_newest(of_tenant text, after_slug text, max_tenants int)
RETURNS TABLE (tenant_id int, slug text, object text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT ON (t.slug) t.id, t.slug, c.object
    FROM core.tenant t JOIN core.archive_catalogue c ON c.tenant_id = t.id
    WHERE (of_tenant IS NULL OR t.slug = of_tenant) AND (after_slug IS NULL OR t.slug > after_slug)
    ORDER BY t.slug, c.object DESC
    LIMIT max_tenants;
END
$$;

-- Notes that a catalogue of the transaction's tenant is not in the store, or not what was written, so that
-- the next run of the archiver writes one. False: it is not known any more.
CREATE FUNCTION ops.catalogue_lose(of_object text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.archive_catalogue c SET digest = NULL
    WHERE c.tenant_id = core.tenant() AND c.object = of_object;
    RETURN FOUND;
END
$$;

-- What the transaction's tenant's catalogue is to be under, and its first line; NULLs where the newest in
-- the store says the same, by the SHA-256 of those of its lines, and is younger than a week, and where
-- somebody archives days of the tenant, who makes it then. What is fetched afterwards may say more: its own
-- digest is noted. Of older ones three stay, those that another took the place of more than a week ago do
-- not, so that there are two of a tenant of which nothing changes.
CREATE OR REPLACE FUNCTION ops.catalogue_make(OUT object text, OUT head text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    max_age CONSTANT interval := '7 days';
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
                     AND n.noted_at < now() - max_age)
           OR (SELECT count(*) FROM core.archive_catalogue n
               WHERE n.tenant_id = home AND n.object > c.object) > 3);
    SELECT t.slug INTO slug FROM core.tenant t WHERE t.id = home;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    digest := (SELECT sha256(string_agg(sha256(convert_to(l.line::text, 'UTF8')), ''::bytea ORDER BY l.ord))
               FROM core.catalogue_lines(home) WITH ORDINALITY AS l (line, ord));
    IF digest = (SELECT CASE WHEN c.noted_at > now() - max_age THEN c.digest END
                 FROM core.archive_catalogue c
                 WHERE c.tenant_id = home ORDER BY c.object DESC LIMIT 1) THEN
        RETURN;
    END IF;
    head := jsonb_build_object('catalogue', jsonb_build_object(
        'format', 2, 'tenant', slug, 'made_at', made))::text;
    object := format('archive/catalogue/tenant=%s/%s-%s.ndjson', slug,
                     to_char(made, 'YYYYMMDD"T"HH24MISS.US"Z"'), replace(gen_random_uuid()::text, '-', ''));
END
$$;

GRANT EXECUTE ON FUNCTION ops.archive_lose(bigint), ops.archive_lost_next(bigint),
    ops.archive_lost_files(bigint), ops.archive_lost_done(bigint),
    ops.catalogue_newest(text, text, int), ops.catalogue_lose(text) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
