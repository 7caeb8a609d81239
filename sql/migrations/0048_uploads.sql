-- Files that people and devices send. The bytes are objects of the store (app/objects), under keys
-- made here; a row says whose they are. A row without `stored_at` is of a file that is still coming,
-- and nobody sees it. Files that come in parts leave an object each until they are joined.

CREATE TABLE core.upload (
    tenant_id    int NOT NULL REFERENCES core.tenant,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    name         text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 255),
    content_type text NOT NULL CHECK (octet_length(content_type) BETWEEN 1 AND 127),
    device_id    int,
    event_id     uuid,                              -- as its sender named it; it may come later
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_by_parts  boolean NOT NULL,
    size         bigint CHECK (size >= 0),          -- of a file that is coming: where it was said
    sha256       bytea CHECK (octet_length(sha256) = 32),
    stored_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES core.device,
    CHECK (stored_at IS NULL OR (size IS NOT NULL AND sha256 IS NOT NULL))
);
CREATE INDEX upload_stored ON core.upload (tenant_id, stored_at, id) INCLUDE (size);
CREATE INDEX upload_device ON core.upload (tenant_id, device_id) WHERE device_id IS NOT NULL;
CREATE INDEX upload_coming ON core.upload (made_at) WHERE stored_at IS NULL;
CREATE INDEX upload_parts ON core.upload (tenant_id, name) WHERE is_by_parts;
SELECT core.protect('core.upload', 'tenant_id');

-- How many bytes the tenant's files have, those that are coming included as far as they are known.
-- Kept by core.upload's triggers.
CREATE TABLE core.upload_use (
    tenant_id int PRIMARY KEY REFERENCES core.tenant ON DELETE CASCADE,
    bytes     numeric NOT NULL
);
SELECT core.protect('core.upload_use', 'tenant_id');

-- Attempts to send a part, each with an object of its own, noted before its first byte is written.
CREATE TABLE core.upload_part (
    tenant_id int NOT NULL REFERENCES core.tenant,
    upload_id uuid NOT NULL,
    id        uuid NOT NULL DEFAULT gen_random_uuid(),
    first     bigint NOT NULL CHECK (first >= 0),   -- its first byte's place in the file
    size      bigint NOT NULL CHECK (size > 0),
    is_there  boolean NOT NULL DEFAULT false,       -- all of it
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, upload_id, id),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES core.upload ON DELETE CASCADE
);
CREATE UNIQUE INDEX upload_part_there ON core.upload_part (tenant_id, upload_id, first)
    INCLUDE (size) WHERE is_there;
SELECT core.protect('core.upload_part', 'tenant_id');

-- Objects that no row speaks of any more; the worker removes them from the store.
CREATE TABLE core.object_trash (
    key text PRIMARY KEY,
    at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT core.protect('core.object_trash', NULL);

SET LOCAL ROLE tidemark_door;

CREATE FUNCTION core.upload_key(home int, id uuid) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'upload/' || home || '/' || left(id::text, 2) || '/' || id $$;

CREATE FUNCTION core.upload_part_key(home int, id uuid, part uuid) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT core.upload_key(home, id) || '.' || part $$;

-- However rows go (by their tenant's admin, with their device, with their tenant): their objects
-- follow.
CREATE FUNCTION core.upload_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.object_trash (key)
    SELECT core.upload_key(g.tenant_id, g.id) FROM gone g
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE FUNCTION core.upload_part_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.object_trash (key)
    SELECT core.upload_part_key(g.tenant_id, g.upload_id, g.id) FROM gone g
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- What a statement changed of the files is changed of their tenants' totals.
CREATE FUNCTION core.upload_use_add() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.upload_use AS u (tenant_id, bytes)
    SELECT c.tenant_id, sum(c.size) FROM come c WHERE c.size > 0
    GROUP BY c.tenant_id ORDER BY c.tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET bytes = u.bytes + excluded.bytes;
    RETURN NULL;
END
$$;

CREATE FUNCTION core.upload_use_take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.upload_use u SET bytes = u.bytes - o.bytes
    FROM (SELECT g.tenant_id, sum(g.size) AS bytes FROM gone g WHERE g.size > 0
          GROUP BY g.tenant_id ORDER BY g.tenant_id) o
    WHERE u.tenant_id = o.tenant_id;
    RETURN NULL;
END
$$;

-- The name of a person who is erased is not kept here either.
CREATE FUNCTION core.upload_maker_forget() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.upload u SET made_by = 'erased person ' || OLD.id WHERE u.made_by = OLD.email;
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.upload_trash(), core.upload_part_trash(), core.upload_maker_forget(),
    core.upload_use_add(), core.upload_use_take() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER trash AFTER DELETE ON core.upload
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION core.upload_trash();
CREATE TRIGGER trash AFTER DELETE ON core.upload_part
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION core.upload_part_trash();
CREATE TRIGGER use_add AFTER INSERT ON core.upload
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION core.upload_use_add();
CREATE TRIGGER use_take AFTER DELETE ON core.upload
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION core.upload_use_take();
CREATE TRIGGER use_taken AFTER UPDATE ON core.upload
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION core.upload_use_take();
CREATE TRIGGER use_added AFTER UPDATE ON core.upload
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION core.upload_use_add();
CREATE TRIGGER upload_maker_forgotten AFTER DELETE ON core.person
    FOR EACH ROW EXECUTE FUNCTION core.upload_maker_forget();

SET LOCAL ROLE tidemark_door;

-- ---- sending ----

-- How many bytes the tenant's files have, those that are coming included as far as they are known;
-- others who ask wait until this transaction ends. Fails where `more` go beyond the quota (0: none).
CREATE FUNCTION core.upload_admit(home int, more bigint, quota bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    used bigint;
BEGIN
    INSERT INTO core.upload_use (tenant_id, bytes) VALUES (home, 0) ON CONFLICT DO NOTHING;
    SELECT u.bytes INTO used FROM core.upload_use u WHERE u.tenant_id = home FOR NO KEY UPDATE;
    IF quota > 0 AND used + more > quota THEN
        RAISE EXCEPTION 'The tenant has % bytes of files and may have %.', used, quota
            USING ERRCODE = 'TM413';
    END IF;
    RETURN used;
END
$$;

-- Notes a file that is coming. `length` NULL: not known. `room`: how many bytes the quota leaves.
CREATE FUNCTION api.upload_begin(of_name text, of_type text, length bigint, of_device text,
                                 of_event uuid, by_parts boolean, quota bigint)
RETURNS TABLE (id uuid, key text, room bigint)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    used   bigint;
    device int;
BEGIN
    IF of_device IS NOT NULL THEN
        device := (SELECT d.id FROM core.device d WHERE d.tenant_id = home AND d.key = of_device);
        IF device IS NULL THEN
            RAISE EXCEPTION 'device: the tenant has none of this key' USING ERRCODE = 'TM422';
        END IF;
    END IF;
    used := core.upload_admit(home, coalesce(length, 0), quota);
    RETURN QUERY
    INSERT INTO core.upload AS u (tenant_id, name, content_type, device_id, event_id, made_by,
                                  is_by_parts, size)
    VALUES (home, of_name, of_type, device, of_event, core.actor(), by_parts, length)
    RETURNING u.id, core.upload_key(home, u.id),
              CASE WHEN quota > 0 THEN quota - used ELSE 9223372036854775807 END;
END
$$;

-- Makes a file visible. Fails where it is not coming any more, or goes beyond the quota.
CREATE FUNCTION api.upload_finish(of_id uuid, of_size bigint, of_sha256 bytea, quota bigint)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    UPDATE core.upload u SET size = of_size, sha256 = of_sha256, stored_at = clock_timestamp()
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The file was given up, or removed with its device, while it came.'
            USING ERRCODE = 'TM409';
    END IF;
    PERFORM core.upload_admit(home, 0, quota);
    DELETE FROM core.upload_part p WHERE p.tenant_id = home AND p.upload_id = of_id;
END
$$;

-- Forgets a file that is coming. Of one that was forgotten meanwhile the bytes may have been stored
-- after that: they go, too.
CREATE FUNCTION api.upload_abandon(of_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    DELETE FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NULL;
    INSERT INTO core.object_trash (key)
    SELECT core.upload_key(home, of_id)
    WHERE NOT EXISTS (SELECT FROM core.upload u WHERE u.tenant_id = home AND u.id = of_id)
    ON CONFLICT DO NOTHING;
END
$$;

-- ---- in parts ----

-- The newest file of this name and length, device and event (NULL: of none) that the same sender has
-- sent in parts, whole or not, and how many bytes of it are there; no row: none.
CREATE FUNCTION api.upload_resume(of_name text, length bigint, of_device text, of_event uuid)
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
    SELECT u.id, core.upload_key(home, u.id),
           CASE WHEN u.stored_at IS NOT NULL THEN u.size
           ELSE (SELECT coalesce(sum(p.size), 0)::bigint FROM core.upload_part p
                 WHERE p.tenant_id = home AND p.upload_id = u.id AND p.is_there) END,
           u.sha256
    FROM core.upload u
    WHERE u.tenant_id = home AND u.name = of_name AND u.is_by_parts AND u.size = length
      AND u.made_by = core.actor()
      AND u.device_id IS NOT DISTINCT FROM device AND (device IS NULL) = (of_device IS NULL)
      AND u.event_id IS NOT DISTINCT FROM of_event
    ORDER BY u.made_at DESC
    LIMIT 1;
END
$$;

-- Of a file that is coming: where the next part must begin. It stays so until this transaction ends.
CREATE FUNCTION core.upload_part_place(home int, of_id uuid, first bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    received bigint;
BEGIN
    PERFORM FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The file was given up while it came.' USING ERRCODE = 'TM409';
    END IF;
    received := (SELECT coalesce(sum(p.size), 0) FROM core.upload_part p
                 WHERE p.tenant_id = home AND p.upload_id = of_id AND p.is_there);
    IF received IS DISTINCT FROM first THEN
        RAISE EXCEPTION 'Of the file % bytes are there; go on with those.', received
            USING ERRCODE = 'TM409';
    END IF;
END
$$;

-- Notes that somebody sends a part of a file, which must begin where those before it end, and where
-- it is to be put.
CREATE FUNCTION api.upload_part_begin(of_id uuid, of_first bigint, of_size bigint)
RETURNS TABLE (id uuid, key text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    PERFORM core.upload_part_place(home, of_id, of_first);
    RETURN QUERY
    INSERT INTO core.upload_part AS p (tenant_id, upload_id, first, size)
    VALUES (home, of_id, of_first, of_size)
    RETURNING p.id, core.upload_part_key(home, of_id, p.id);
END
$$;

-- A part that was begun is there; how many bytes of the file are.
CREATE FUNCTION api.upload_part_finish(of_id uuid, of_part uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    part CONSTANT core.upload_part := (SELECT p FROM core.upload_part p
                                       WHERE p.tenant_id = home AND p.upload_id = of_id
                                         AND p.id = of_part);
BEGIN
    PERFORM core.upload_part_place(home, of_id, part.first);
    UPDATE core.upload_part p SET is_there = true
    WHERE p.tenant_id = home AND p.upload_id = of_id AND p.id = of_part;
    RETURN part.first + part.size;
END
$$;

-- Forgets a part that was begun and is not there, and what was stored of it, even after its file was
-- forgotten.
CREATE FUNCTION api.upload_part_abandon(of_id uuid, of_part uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    DELETE FROM core.upload_part p
    WHERE p.tenant_id = home AND p.upload_id = of_id AND p.id = of_part AND NOT p.is_there;
    INSERT INTO core.object_trash (key)
    SELECT core.upload_part_key(home, of_id, of_part)
    WHERE NOT EXISTS (SELECT FROM core.upload_part p
                      WHERE p.tenant_id = home AND p.upload_id = of_id AND p.id = of_part)
    ON CONFLICT DO NOTHING;
END
$$;

-- The parts of a file that is coming, in order.
CREATE FUNCTION api.upload_part_list(of_id uuid) RETURNS TABLE (key text, size bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT core.upload_part_key(home, of_id, p.id), p.size FROM core.upload_part p
    WHERE p.tenant_id = home AND p.upload_id = of_id AND p.is_there
    ORDER BY p.first;
END
$$;

-- ---- reading and removing ----

-- Files that are whole, the latest first, from before (before_at, before_id) on; filters may be NULL.
CREATE FUNCTION api.upload_list(before_at timestamptz, before_id uuid, of_device text,
                                of_event uuid, most int)
RETURNS TABLE (id uuid, name text, content_type text, device text, event uuid, size bigint,
               sha256 bytea, made_by text, stored_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    device CONSTANT int := (SELECT d.id FROM core.device d
                            WHERE d.tenant_id = home AND d.key = of_device);
BEGIN
    RETURN QUERY
    SELECT u.id, u.name, u.content_type, d.key, u.event_id, u.size, u.sha256, u.made_by, u.stored_at
    FROM core.upload u
    LEFT JOIN core.device d ON d.tenant_id = u.tenant_id AND d.id = u.device_id
    WHERE u.tenant_id = home AND (u.stored_at, u.id) < (before_at, before_id)
      AND (of_device IS NULL OR u.device_id = device)
      AND (of_event IS NULL OR u.event_id = of_event)
    ORDER BY u.stored_at DESC, u.id DESC
    LIMIT most;
END
$$;

-- One file that is whole, with the key of its object; no row: none.
CREATE FUNCTION api.upload_find(of_id uuid)
RETURNS TABLE (key text, name text, content_type text, size bigint, sha256 bytea,
               stored_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT core.upload_key(home, u.id), u.name, u.content_type, u.size, u.sha256, u.stored_at
    FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NOT NULL;
END
$$;

-- How many files the tenant has, and how many bytes.
CREATE FUNCTION api.upload_total() RETURNS TABLE (files bigint, bytes bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT count(*), coalesce(sum(u.size), 0)::bigint FROM core.upload u
    WHERE u.tenant_id = core.tenant() AND u.stored_at IS NOT NULL;
END
$$;

CREATE FUNCTION api.upload_remove(of_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    gone core.upload;
BEGIN
    DELETE FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NOT NULL
    RETURNING u.* INTO gone;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such file.' USING ERRCODE = 'TM404';
    END IF;
    PERFORM core.audit_add(home, 'upload.remove', gone.name,
                           jsonb_build_object('id', gone.id, 'bytes', gone.size));
END
$$;

GRANT EXECUTE ON FUNCTION
    api.upload_begin(text, text, bigint, text, uuid, boolean, bigint),
    api.upload_finish(uuid, bigint, bytea, bigint),
    api.upload_abandon(uuid),
    api.upload_resume(text, bigint, text, uuid),
    api.upload_part_begin(uuid, bigint, bigint),
    api.upload_part_finish(uuid, uuid),
    api.upload_part_abandon(uuid, uuid),
    api.upload_part_list(uuid),
    api.upload_list(timestamptz, uuid, text, uuid, int),
    api.upload_find(uuid),
    api.upload_total(),
    api.upload_remove(uuid) TO tidemark_web;

-- ---- upkeep ----

-- Gives up files that have been coming for longer than a day without a part; how many.
CREATE FUNCTION ops.upload_prune() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM core.upload u
    WHERE u.stored_at IS NULL AND u.made_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM core.upload_part p
                      WHERE p.tenant_id = u.tenant_id AND p.upload_id = u.id
                        AND p.made_at > now() - interval '1 day');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;

-- At most `most` keys of objects to be removed, the oldest first.
CREATE FUNCTION ops.object_trash_list(most int) RETURNS TABLE (key text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT t.key FROM core.object_trash t ORDER BY t.at, t.key LIMIT most;
END
$$;

-- These objects were removed.
CREATE FUNCTION ops.object_trash_done(keys text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.object_trash t WHERE t.key = ANY (keys);
END
$$;

GRANT EXECUTE ON FUNCTION ops.upload_prune(), ops.object_trash_list(int),
    ops.object_trash_done(text[]) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
