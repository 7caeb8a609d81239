-- A place of objects that is not there is made while nothing was ever kept in it, and is the wrong place after
-- that. What waits to be removed was kept, but for what was only begun.

ALTER TABLE core.object_trash ADD COLUMN is_stored boolean NOT NULL DEFAULT true; -- false: it may be, or not
ALTER TABLE core.object_trash ALTER COLUMN is_stored SET DEFAULT false;
ALTER TABLE core.archive_garbage ADD COLUMN is_stored boolean NOT NULL DEFAULT true;
ALTER TABLE core.archive_garbage ALTER COLUMN is_stored SET DEFAULT false;

SET LOCAL ROLE tidemark_door;

CREATE OR REPLACE FUNCTION core.upload_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.object_trash (key, is_stored)
    SELECT core.upload_key(g.tenant_id, g.id), g.stored_at IS NOT NULL FROM gone g
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION core.upload_part_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.object_trash (key, is_stored)
    SELECT core.upload_part_key(g.tenant_id, g.upload_id, g.id), g.is_there FROM gone g
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- The files of a tenant that is removed are removed.
CREATE OR REPLACE FUNCTION core.archive_note_garbage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.archive_garbage (object, is_stored)
    SELECT g.object, true FROM gone g
    UNION SELECT regexp_replace(replace(g.object, '.tombstones/', '/'), '\.parquet$', '.json'), true
    FROM gone g
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- Whether the store holds anything: files, the archive, or what is to be removed.
CREATE FUNCTION ops.object_any() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.upload u WHERE u.stored_at IS NOT NULL)
        OR EXISTS (SELECT FROM core.upload_part p WHERE p.is_there)
        OR EXISTS (SELECT FROM core.archive)
        OR EXISTS (SELECT FROM core.archive_catalogue)
        OR EXISTS (SELECT FROM core.object_trash t WHERE t.is_stored)
        OR EXISTS (SELECT FROM core.archive_garbage g WHERE g.is_stored);
END
$$;

GRANT EXECUTE ON FUNCTION ops.object_any() TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
