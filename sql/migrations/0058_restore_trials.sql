-- Trial restores of backups: what they came to, for monitors and for the worker's job.

-- One row a trial, from its start.
CREATE TABLE ops.restore_trial (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,                        -- NULL: it is under way, or was killed
    is_ok       boolean NOT NULL DEFAULT false,
    backup      text,                               -- its name; NULL: none was found
    backup_at   timestamptz,                        -- the moment that it shows
    n_rows      bigint,
    detail      text NOT NULL DEFAULT ''            -- why it failed
);

-- Writes down that a trial begins. One that was killed ends here: only one is held at a time. The
-- oldest go after two years, but for the last good one.
CREATE FUNCTION ops.restore_trial_begin() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun bigint;
BEGIN
    DELETE FROM ops.restore_trial t
    WHERE t.started_at < now() - interval '2 years'
      AND EXISTS (SELECT FROM ops.restore_trial l WHERE l.is_ok AND l.id > t.id);
    UPDATE ops.restore_trial t SET finished_at = clock_timestamp(), detail = 'it was killed'
    WHERE t.finished_at IS NULL;
    INSERT INTO ops.restore_trial DEFAULT VALUES RETURNING id INTO begun;
    RETURN begun;
END
$$;

-- What it came to; p_is_ok NULL: it was told to stop, and was none.
CREATE FUNCTION ops.restore_trial_end(p_id bigint, p_is_ok boolean, p_backup text, p_backup_at timestamptz,
                                      p_n_rows bigint, p_detail text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM ops.restore_trial t WHERE t.id = p_id AND p_is_ok IS NULL;
    UPDATE ops.restore_trial t
    SET finished_at = clock_timestamp(), is_ok = p_is_ok, backup = p_backup, backup_at = p_backup_at,
        n_rows = p_n_rows, detail = p_detail
    WHERE t.id = p_id AND p_is_ok IS NOT NULL;
END
$$;
GRANT EXECUTE ON FUNCTION ops.restore_trial_begin(),
    ops.restore_trial_end(bigint, boolean, text, timestamptz, bigint, text) TO tidemark_worker;

-- When the newest one began, and whether it ended well, with why not; no row where there was none.
CREATE FUNCTION ops.restore_trial_newest()
RETURNS TABLE (started_at timestamptz, is_ok boolean, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.started_at, t.is_ok,
           CASE WHEN t.finished_at IS NULL THEN 'it is under way, or was killed' ELSE t.detail END
    FROM ops.restore_trial t ORDER BY t.id DESC LIMIT 1;
END
$$;
GRANT EXECUTE ON FUNCTION ops.restore_trial_newest() TO tidemark_worker;

-- The last one that ended, or did not in a day, and the last good one: NULL and false where there is
-- none.
CREATE FUNCTION api.restore_trial_last()
RETURNS TABLE (finished_at timestamptz, is_ok boolean, seconds float8, good_at timestamptz,
               good_backup_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT l.finished_at, coalesce(l.is_ok, false),
           coalesce(extract(epoch FROM l.finished_at - l.started_at), 0)::float8, g.finished_at, g.backup_at
    FROM (VALUES (1)) one
    LEFT JOIN (SELECT t.* FROM ops.restore_trial t
               WHERE t.finished_at IS NOT NULL OR t.started_at < now() - interval '1 day'
               ORDER BY t.id DESC LIMIT 1) l ON true
    LEFT JOIN (SELECT t.* FROM ops.restore_trial t WHERE t.is_ok ORDER BY t.id DESC LIMIT 1) g ON true;
END
$$;
GRANT EXECUTE ON FUNCTION api.restore_trial_last() TO tidemark_web, tidemark_worker;
