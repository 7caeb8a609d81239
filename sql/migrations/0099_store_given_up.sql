-- After a backup was restored, the store has what came later of the archive: it is taken back a week after
-- that, when whoever wants the database that was given up back will have said so.

-- What no row speaks of and is older than `until` is of a database that was given up.
CREATE TABLE core.store_given_up (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    until   timestamptz NOT NULL DEFAULT clock_timestamp(),
    look_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '7 days' -- the store is looked through then
);
SELECT core.protect('core.store_given_up', NULL);

SET LOCAL ROLE tidemark_door;

-- When the database was given up of which something may be in the store, if that is to be looked for; else NULL. A
-- database that was made of the archive since knows all of it, or will.
CREATE FUNCTION ops.store_given_up() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT g.until FROM core.store_given_up g
            WHERE g.look_at <= clock_timestamp()
              AND NOT EXISTS (SELECT FROM core.archive_rebuild r
                              WHERE r.ended_at IS NULL OR r.ended_at > g.until));
END
$$;

-- The store was looked through: nothing is left of it, or something is, for which it is done again in a week.
CREATE FUNCTION ops.store_given_up_done(of_until timestamptz, is_left boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF is_left THEN
        UPDATE core.store_given_up g SET look_at = clock_timestamp() + interval '7 days' WHERE g.until = of_until;
    ELSE
        DELETE FROM core.store_given_up g WHERE g.until = of_until;
    END IF;
END
$$;

-- Has the objects removed that no row speaks of, which a manifest says are a day's files of that number, while
-- the database does not need them: it has others of that number, or no such tenant, and of what is derived it has
-- all. of_tenant NULL: they are no whole files of a day. Whether they go.
CREATE FUNCTION ops.store_take_back(objects text[], of_tenant text, of_relation text, of_day text, of_n int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := (SELECT t.id FROM core.tenant t WHERE t.slug = of_tenant);
BEGIN
    IF home IS NOT NULL AND of_relation <> 'costs'
       AND NOT EXISTS (SELECT FROM core.archive a
                       WHERE a.tenant_id = home AND a.relation = of_relation AND a.day = of_day::date AND a.n = of_n) THEN
        RETURN false;
    END IF;
    INSERT INTO core.archive_garbage (object, is_stored)
    SELECT u.key, true FROM ops.object_unknown(objects) u (key)
    ON CONFLICT DO NOTHING;
    RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION ops.store_given_up(), ops.store_given_up_done(timestamptz, boolean),
    ops.store_take_back(text[], text, text, text, int) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
