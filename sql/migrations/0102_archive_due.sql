-- When a job of an interval of its own is due: passes that found nothing to do are written down, too, as
-- good ones without a word, and are no runs of it.

DROP FUNCTION ops.job_last_good(text);

-- When the last run of a job began that went well and did something, how many failed since, and when the
-- last of these ended; NULLs where none is remembered.
CREATE FUNCTION ops.job_past(job text, OUT good_at timestamptz, OUT n_failed bigint,
                             OUT failed_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    good_at := (SELECT r.started_at FROM ops.job_run r
                WHERE r.name = job AND r.is_ok AND r.detail <> ''
                ORDER BY r.started_at DESC LIMIT 1);
    SELECT count(*), max(r.finished_at) INTO n_failed, failed_at
    FROM ops.job_run r
    WHERE r.name = job AND NOT r.is_ok AND r.started_at > coalesce(good_at, '-infinity');
END
$$;
GRANT EXECUTE ON FUNCTION ops.job_past(text) TO tidemark_worker;
