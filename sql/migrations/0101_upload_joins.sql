-- Of a file's parts one attempt at a time is at joining them: it says every some seconds that it is at work, and
-- one that has said nothing for two minutes has ended with its process. What attempts write counts for the quota
-- of what is begun meanwhile; the file itself was admitted with its first part.

ALTER TABLE core.upload_part ADD COLUMN joins_at timestamptz; -- of an attempt to join: when it was at work last
CREATE INDEX upload_joins ON core.upload_part (tenant_id) INCLUDE (size) WHERE joins_at IS NOT NULL;

SET LOCAL ROLE tidemark_door;

-- Notes an attempt to join the parts of a file that is coming, which must all be there, and where it
-- is to be put. No row: another attempt is at it. What is left of those that have ended is removed.
CREATE OR REPLACE FUNCTION api.upload_join_begin(of_id uuid) RETURNS TABLE (id uuid, key text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    file CONSTANT core.upload := core.upload_coming(home, of_id);
BEGIN
    PERFORM core.upload_part_place(home, of_id, file.size);
    IF EXISTS (SELECT FROM core.upload_part p
               WHERE p.tenant_id = home AND p.upload_id = of_id
                 AND p.joins_at > clock_timestamp() - interval '2 minutes') THEN
        RETURN;
    END IF;
    DELETE FROM core.upload_part p
    WHERE p.tenant_id = home AND p.upload_id = of_id AND p.joins_at IS NOT NULL;
    RETURN QUERY
    INSERT INTO core.upload_part AS p (tenant_id, upload_id, first, size, joins_at)
    VALUES (home, of_id, 0, file.size, clock_timestamp())
    RETURNING p.id, core.upload_part_key(home, of_id, p.id);
END
$$;

-- The attempt is at work. Fails where it was given up, or taken for one that has ended.
CREATE FUNCTION api.upload_join_beat(of_id uuid, of_join uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.upload_part p SET joins_at = clock_timestamp()
    WHERE p.tenant_id = core.tenant() AND p.upload_id = of_id AND p.id = of_join
      AND p.joins_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The file was given up while it came.' USING ERRCODE = 'TM409';
    END IF;
END
$$;

-- How many bytes attempts to join files are writing beside their parts.
CREATE FUNCTION core.upload_joining(home int) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(sum(p.size), 0)::bigint FROM core.upload_part p
WHERE p.tenant_id = home AND p.joins_at IS NOT NULL
$$;

-- Notes a file that is coming. `length` NULL: not known. `room`: how many bytes the quota leaves.
CREATE OR REPLACE FUNCTION api.upload_begin(of_name text, of_type text, length bigint, of_device text,
                                            of_event uuid, by_parts boolean, quota bigint)
RETURNS TABLE (id uuid, key text, room bigint)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home    CONSTANT int := core.tenant();
    joining CONSTANT bigint := core.upload_joining(home);
    used    bigint;
    device  int;
BEGIN
    IF of_device IS NOT NULL THEN
        device := (SELECT d.id FROM core.device d WHERE d.tenant_id = home AND d.key = of_device);
        IF device IS NULL THEN
            RAISE EXCEPTION 'device: the tenant has none of this key' USING ERRCODE = 'TM422';
        END IF;
    END IF;
    used := core.upload_admit(home, joining + coalesce(length, 0), quota);
    RETURN QUERY
    INSERT INTO core.upload AS u (tenant_id, name, content_type, device_id, event_id, made_by,
                                  is_by_parts, size)
    VALUES (home, of_name, of_type, device, of_event, core.actor(), by_parts, length)
    RETURNING u.id, core.upload_key(home, u.id),
              CASE WHEN quota > 0 THEN quota - used - joining ELSE 9223372036854775807 END;
END
$$;

-- How many files the tenant has, how many bytes, and how many the quota counts: those of files that
-- are coming, too, as far as they are known, and what attempts to join some are writing.
CREATE OR REPLACE FUNCTION api.upload_total() RETURNS TABLE (files bigint, bytes bigint, held bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT count(*), coalesce(sum(u.size), 0)::bigint,
           coalesce((SELECT s.bytes FROM core.upload_use s WHERE s.tenant_id = home), 0)::bigint
           + core.upload_joining(home)
    FROM core.upload u
    WHERE u.tenant_id = home AND u.stored_at IS NOT NULL;
END
$$;

GRANT EXECUTE ON FUNCTION api.upload_join_beat(uuid, uuid) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
