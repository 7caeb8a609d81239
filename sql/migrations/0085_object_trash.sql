-- An object that is noted to be removed while the worker removes what was there before it is removed once more: a
-- note made again is newer, and only notes as they were when the worker read them are forgotten.

SET LOCAL ROLE tidemark_door;

-- Notes objects to be removed, and whether each was whole in the store (else it may be there or not).
CREATE FUNCTION core.object_trash_add(keys text[], are_stored boolean[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.object_trash AS t (key, is_stored)
    SELECT k.key, k.is_stored FROM unnest(keys, are_stored) AS k (key, is_stored) ORDER BY k.key
    ON CONFLICT (key) DO UPDATE
        SET at = greatest(clock_timestamp(), t.at + interval '1 microsecond'),
            is_stored = t.is_stored OR excluded.is_stored;
END
$$;

CREATE OR REPLACE FUNCTION core.upload_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.object_trash_add(array_agg(core.upload_key(g.tenant_id, g.id)),
                                  array_agg(g.stored_at IS NOT NULL))
    FROM gone g;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION core.upload_part_trash() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.object_trash_add(array_agg(core.upload_part_key(g.tenant_id, g.upload_id, g.id)),
                                  array_agg(g.is_there))
    FROM gone g;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION api.upload_abandon(of_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    DELETE FROM core.upload u
    WHERE u.tenant_id = home AND u.id = of_id AND u.stored_at IS NULL;
    IF NOT EXISTS (SELECT FROM core.upload u WHERE u.tenant_id = home AND u.id = of_id) THEN
        PERFORM core.object_trash_add(ARRAY[core.upload_key(home, of_id)], ARRAY[false]);
    END IF;
END
$$;

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
                   WHERE p.tenant_id = home AND p.upload_id = of_id AND p.id = of_part) THEN
        PERFORM core.object_trash_add(ARRAY[core.upload_part_key(home, of_id, of_part)], ARRAY[false]);
    END IF;
END
$$;

DROP FUNCTION ops.object_trash_list(int);
DROP FUNCTION ops.object_trash_done(text[]);

-- At most `most` keys of objects to be removed, the oldest notes first, with the times of these.
CREATE FUNCTION ops.object_trash_list(most int) RETURNS TABLE (key text, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT t.key, t.at FROM core.object_trash t ORDER BY t.at, t.key LIMIT most;
END
$$;

-- These objects were removed; those that were noted again since the times given are kept noted.
CREATE FUNCTION ops.object_trash_done(keys text[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.object_trash t
    USING unnest(keys, times) AS d (key, at)
    WHERE t.key = d.key AND t.at = d.at;
END
$$;

GRANT EXECUTE ON FUNCTION ops.object_trash_list(int), ops.object_trash_done(text[], timestamptz[])
    TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
