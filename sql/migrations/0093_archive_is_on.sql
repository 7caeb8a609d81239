-- The page of the archive says where there is none.

SET LOCAL ROLE tidemark_door;

-- Whether the installation archives what gets old.
CREATE FUNCTION api.archive_is_on() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.archive_setting s WHERE s.is_on);
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_is_on() TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
