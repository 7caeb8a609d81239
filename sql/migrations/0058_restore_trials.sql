-- Trial restores of backups: what they came to, for monitors and for the worker's job.

-- One row a trial that ended.
CREATE TABLE ops.restore_trial (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    is_ok       boolean NOT NULL,
    backup      text,                               -- its name; NULL: none was found
    backup_at   timestamptz,                        -- the moment that it shows
    n_rows      bigint,
    detail      text NOT NULL                       -- why it failed
);

-- The last one, and the last good one; no row where there was none.
CREATE FUNCTION api.restore_trial_last()
RETURNS TABLE (finished_at timestamptz, is_ok boolean, seconds float8, good_at timestamptz,
               good_backup_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT l.finished_at, l.is_ok, extract(epoch FROM l.finished_at - l.started_at)::float8,
           g.finished_at, g.backup_at
    FROM (SELECT t.* FROM ops.restore_trial t ORDER BY t.id DESC LIMIT 1) l
    LEFT JOIN (SELECT t.* FROM ops.restore_trial t WHERE t.is_ok ORDER BY t.id DESC LIMIT 1) g ON true;
END
$$;
GRANT EXECUTE ON FUNCTION api.restore_trial_last() TO tidemark_web, tidemark_worker;
