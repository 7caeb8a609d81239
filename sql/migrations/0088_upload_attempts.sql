-- Whoever joins a file's parts writes an object of their own: nothing that is visible is ever written again. An
-- attempt is noted before its first byte is written, as a part of the file that is not there; the one that
-- makes the file visible is named by the file's row, and the objects of the others are removed.

ALTER TABLE core.upload ADD COLUMN joined uuid; -- the attempt whose object has the bytes; NULL: the file's own has

SET LOCAL ROLE tidemark_door;

-- The key of the object with a file's bytes.
CREATE FUNCTION core.upload_object(home int, id uuid, joined uuid) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN joined IS NULL THEN core.upload_key(home, id)
            ELSE core.upload_part_key(home, id, joined) END
$$;

CREATE OR REPLACE FUNCTION core.upload_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.object_trash_add(array_agg(core.upload_object(g.tenant_id, g.id, g.joined)),
                                  array_agg(g.stored_at IS NOT NULL))
    FROM gone g;
    RETURN NULL;
END
$$;

-- The attempt whose object became the file's is forgotten, and its object is not removed.
CREATE OR REPLACE FUNCTION core.upload_part_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.object_trash_add(array_agg(core.upload_part_key(g.tenant_id, g.upload_id, g.id)),
                                  array_agg(g.is_there))
    FROM gone g
    WHERE NOT EXISTS (SELECT FROM core.upload u
                      WHERE u.tenant_id = g.tenant_id AND u.id = g.upload_id AND u.joined = g.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION api.upload_find(of_id uuid)
RETURNS TABLE (key text, name text, content_type text, size bigint, sha256 bytea,
               stored_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT core.upload_object(home, u.id, u.joined), u.name, u.content_type, u.size, u.sha256, u.stored_at
    FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NOT NULL;
END
$$;

-- Of a part, or of an attempt to join them: what made the file visible stays.
CREATE OR REPLACE FUNCTION api.upload_part_abandon(of_id uuid, of_part uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    DELETE FROM core.upload_part p
    WHERE p.tenant_id = home AND p.upload_id = of_id AND p.id = of_part AND NOT p.is_there;
    IF NOT EXISTS (SELECT FROM core.upload_part p
                   WHERE p.tenant_id = home AND p.upload_id = of_id AND p.id = of_part)
       AND NOT EXISTS (SELECT FROM core.upload u
                       WHERE u.tenant_id = home AND u.id = of_id AND u.joined = of_part) THEN
        PERFORM core.object_trash_add(ARRAY[core.upload_part_key(home, of_id, of_part)], ARRAY[false]);
    END IF;
END
$$;

-- ---- how much is there ----

-- How many bytes there are of a file, whole or coming: of the parts that are there.
CREATE FUNCTION core.upload_received(file core.upload) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN file.stored_at IS NOT NULL THEN file.size
       ELSE (SELECT coalesce(sum(p.size), 0)::bigint FROM core.upload_part p
             WHERE p.tenant_id = file.tenant_id AND p.upload_id = file.id AND p.is_there) END
$$;

-- One file, whole (it has a SHA-256 then) or not; no row: none.
CREATE FUNCTION api.upload_progress(of_id uuid)
RETURNS TABLE (id uuid, key text, received bigint, sha256 bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT u.id, core.upload_object(home, u.id, u.joined), core.upload_received(u), u.sha256
    FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id;
END
$$;

CREATE OR REPLACE FUNCTION api.upload_resume(of_name text, length bigint, of_device text, of_event uuid)
RETURNS TABLE (id uuid, key text, received bigint, sha256 bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    device CONSTANT int := (SELECT d.id FROM core.device d
                            WHERE d.tenant_id = home AND d.key = of_device);
BEGIN
    RETURN QUERY
    SELECT u.id, core.upload_object(home, u.id, u.joined), core.upload_received(u), u.sha256
    FROM core.upload u
    WHERE u.tenant_id = home AND u.name = of_name AND u.is_by_parts AND u.size = length
      AND u.made_by = core.actor()
      AND u.device_id IS NOT DISTINCT FROM device AND (device IS NULL) = (of_device IS NULL)
      AND u.event_id IS NOT DISTINCT FROM of_event
    ORDER BY u.made_at DESC
    LIMIT 1;
END
$$;

-- ---- joining ----

-- Of a file that is coming: it stays so until this transaction ends. Its row.
CREATE FUNCTION core.upload_coming(home int, of_id uuid) RETURNS core.upload
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    file core.upload;
BEGIN
    SELECT u.* INTO file FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The file was given up while it came.' USING ERRCODE = 'TM409';
    END IF;
    RETURN file;
END
$$;

-- Of a file that is coming: where the next part must begin. It stays so until this transaction ends.
CREATE OR REPLACE FUNCTION core.upload_part_place(home int, of_id uuid, first bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    received CONSTANT bigint := core.upload_received(core.upload_coming(home, of_id));
BEGIN
    IF received IS DISTINCT FROM first THEN
        RAISE EXCEPTION 'Of the file % bytes are there; go on with those.', received
            USING ERRCODE = 'TM409';
    END IF;
END
$$;

-- Notes an attempt to join the parts of a file that is coming, which must all be there, and where it
-- is to be put.
CREATE FUNCTION api.upload_join_begin(of_id uuid) RETURNS TABLE (id uuid, key text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    file CONSTANT core.upload := core.upload_coming(home, of_id);
BEGIN
    PERFORM core.upload_part_place(home, of_id, file.size);
    RETURN QUERY
    INSERT INTO core.upload_part AS p (tenant_id, upload_id, first, size)
    VALUES (home, of_id, 0, file.size)
    RETURNING p.id, core.upload_part_key(home, of_id, p.id);
END
$$;

DROP FUNCTION api.upload_part_list(uuid);

-- The parts of a file, in order. It must be coming, and is until this transaction ends.
CREATE FUNCTION api.upload_part_list(of_id uuid) RETURNS TABLE (id uuid, key text, size bigint)
LANGUAGE plpgsql SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    PERFORM core.upload_coming(home, of_id);
    RETURN QUERY
    SELECT p.id, core.upload_part_key(home, of_id, p.id), p.size FROM core.upload_part p
    WHERE p.tenant_id = home AND p.upload_id = of_id AND p.is_there
    ORDER BY p.first;
END
$$;

-- Makes a file visible whose parts were joined by an attempt. Fails where it is not coming any more,
-- the attempt was given up, or it goes beyond the quota.
CREATE FUNCTION api.upload_join_finish(of_id uuid, of_join uuid, of_sha256 bytea, quota bigint)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    UPDATE core.upload u SET sha256 = of_sha256, joined = of_join, stored_at = clock_timestamp()
    FROM core.upload_part p
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NULL
      AND p.tenant_id = home AND p.upload_id = of_id AND p.id = of_join
      AND NOT p.is_there AND p.size = u.size;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The file was given up, or removed with its device, while it came.'
            USING ERRCODE = 'TM409';
    END IF;
    PERFORM core.upload_admit(home, 0, quota);
    DELETE FROM core.upload_part p WHERE p.tenant_id = home AND p.upload_id = of_id;
END
$$;

-- A part of a file that is coming was there and is not in the store any more: it and all behind it
-- are to be sent again. How many bytes of the file are there.
CREATE FUNCTION api.upload_part_lost(of_id uuid, of_part uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    file CONSTANT core.upload := core.upload_coming(home, of_id);
BEGIN
    DELETE FROM core.upload_part p
    USING core.upload_part l
    WHERE l.tenant_id = home AND l.upload_id = of_id AND l.id = of_part AND l.is_there
      AND p.tenant_id = home AND p.upload_id = of_id AND p.is_there AND p.first >= l.first;
    RETURN core.upload_received(file);
END
$$;

GRANT EXECUTE ON FUNCTION
    api.upload_progress(uuid),
    api.upload_join_begin(uuid),
    api.upload_join_finish(uuid, uuid, bytea, bigint),
    api.upload_part_list(uuid),
    api.upload_part_lost(uuid, uuid) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
