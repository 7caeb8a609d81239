-- The archive for its tenants: which files there are, where one is, and days that an admin wants
-- back, which the worker restores.

-- Days that are wanted back, and when they are to be tried next. `problem`: they could not be
-- restored, and are not tried again before somebody asks again.
CREATE TABLE core.archive_wish (
    tenant_id int NOT NULL,
    relation  text NOT NULL,
    day       date NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    due_at    timestamptz NOT NULL DEFAULT now(),
    n_tried   int NOT NULL DEFAULT 0,               -- in vain
    problem   text,
    PRIMARY KEY (tenant_id, relation, day)
);
SELECT core.protect('core.archive_wish', 'tenant_id');

SET LOCAL ROLE tidemark_door;

-- Whether changes of a day wait to be archived; it is not restored before they are.
CREATE FUNCTION core.archive_is_changed(owner int, of_relation text, of_day date) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.archive_change c
                   WHERE c.tenant_id = owner AND c.relation = of_relation AND c.day = of_day);
END
$$;

-- Files of the transaction's tenant, the latest first: at most so many before that id (0: from the
-- latest on), or the file of_id alone (0: any). place: where the day is, 'database', 'restored' (and
-- kept there, for somebody asked for it) or 'archive' alone; wish: 'waiting' or 'failed' where the
-- day is wanted back; problem: why it failed, or what it waits for.
CREATE FUNCTION api.archive_list(of_id bigint, before_id bigint, max_files int)
RETURNS TABLE (id bigint, relation text, day text, n int, kind text, object text, n_rows bigint,
               n_bytes bigint, sha256 text, archived_at timestamptz, verified_at timestamptz,
               place text, wish text, problem text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT a.id, a.relation, to_char(a.day, 'YYYY-MM-DD'), a.n, a.kind, a.object, a.n_rows,
           a.n_bytes, encode(a.sha256, 'hex'), a.archived_at, a.verified_at,
           CASE WHEN NOT d.is_held THEN 'archive'
                WHEN d.pinned_until > now() THEN 'restored' ELSE 'database' END,
           CASE WHEN w.problem IS NOT NULL THEN 'failed' WHEN w.day IS NOT NULL THEN 'waiting' END,
           CASE WHEN w.problem IS NOT NULL THEN w.problem
                WHEN w.day IS NOT NULL AND core.archive_is_changed(home, a.relation, a.day)
                THEN 'Changes of this day are archived before it is brought back.' END
    FROM core.archive a
    JOIN core.archive_day d
      ON d.tenant_id = home AND d.relation = a.relation AND d.day = a.day
    LEFT JOIN core.archive_wish w
      ON w.tenant_id = home AND w.relation = a.relation AND w.day = a.day
    WHERE a.tenant_id = home AND (of_id = 0 OR a.id = of_id)
      AND (before_id = 0 OR a.id < before_id)
    ORDER BY a.id DESC
    LIMIT max_files;
END
$$;

-- What the transaction's tenant has in the archive.
CREATE FUNCTION api.archive_total(OUT n_days bigint, OUT n_files bigint, OUT n_bytes bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    SELECT count(DISTINCT (a.relation, a.day)), count(*), coalesce(sum(a.n_bytes), 0)
    INTO n_days, n_files, n_bytes
    FROM core.archive a WHERE a.tenant_id = home;
END
$$;

-- Wants the day of a file of the transaction's tenant back; 'there': the database has it, and
-- retention leaves it for 30 days from now on. TM409 where too many days are waiting.
CREATE FUNCTION api.archive_restore(of_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home        CONSTANT int := core.tenant();
    max_waiting CONSTANT int := 400;
    file        record;
BEGIN
    SELECT a.relation, a.day INTO file
    FROM core.archive a WHERE a.tenant_id = home AND a.id = of_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such file in the archive.' USING ERRCODE = 'TM404';
    END IF;
    UPDATE core.archive_day d
    SET pinned_until = greatest(d.pinned_until, now() + interval '30 days')
    WHERE d.tenant_id = home AND d.relation = file.relation AND d.day = file.day AND d.is_held;
    IF FOUND THEN                                   -- also after retention that was at it
        RETURN 'there';
    END IF;
    IF (SELECT count(*) FROM core.archive_wish w
        WHERE w.tenant_id = home AND w.problem IS NULL
          AND (w.relation, w.day) <> (file.relation, file.day)) >= max_waiting THEN
        RAISE EXCEPTION '% days are waiting to be brought back. Ask for more when some of them are there.',
            max_waiting USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive_wish AS w (tenant_id, relation, day)
    VALUES (home, file.relation, file.day)
    ON CONFLICT (tenant_id, relation, day)
    DO UPDATE SET asked_at = now(), due_at = now(), n_tried = 0, problem = NULL
    WHERE w.problem IS NOT NULL;
    IF FOUND THEN                                   -- it was not waiting already
        PERFORM core.audit_add(home, 'archive.restore', to_char(file.day, 'YYYY-MM-DD'),
                               jsonb_build_object('table', file.relation));
    END IF;
    RETURN 'waiting';
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_list(bigint, bigint, int), api.archive_total(),
    api.archive_restore(bigint) TO tidemark_web;

-- The day that is due to be restored first; no row: none. Those of which changes wait to be archived
-- wait for that.
CREATE FUNCTION ops.archive_wish_next()
RETURNS TABLE (tenant_id int, slug text, relation text, day text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT w.tenant_id, t.slug, w.relation, to_char(w.day, 'YYYY-MM-DD')
    FROM core.archive_wish w JOIN core.tenant t ON t.id = w.tenant_id
    WHERE w.problem IS NULL AND w.due_at <= now()
      AND NOT core.archive_is_changed(w.tenant_id, w.relation, w.day)
    ORDER BY w.due_at LIMIT 1;
END
$$;

-- It is there, or could not be restored, and why. Unless that is final it is tried again, after
-- those that are due, ever later, and at most twelve times within some hours.
CREATE FUNCTION ops.archive_wish_done(of_relation text, of_day text, of_problem text,
                                      is_final boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF of_problem IS NULL THEN
        DELETE FROM core.archive_wish w
        WHERE w.tenant_id = core.tenant() AND w.relation = of_relation AND w.day = of_day::date;
    ELSE
        UPDATE core.archive_wish w
        SET n_tried = w.n_tried + 1,
            due_at = clock_timestamp() + least(interval '5 s' * 2 ^ w.n_tried, interval '1 hour'),
            problem = CASE WHEN is_final OR w.n_tried >= 11 THEN of_problem END
        WHERE w.tenant_id = core.tenant() AND w.relation = of_relation AND w.day = of_day::date;
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ops.archive_wish_next(),
    ops.archive_wish_done(text, text, text, boolean) TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
