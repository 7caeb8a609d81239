-- Files of the archive that an admin wants to have verified, which the worker reads; and what came of that.

-- Files that were asked for, or found damaged. found: NULL while it waits, and due_at is then when it is
-- read next; else 'sound', 'damaged' (it is not what was written), 'missing', or 'failed' (it could not be
-- read for hours), and when.
CREATE TABLE core.archive_check (
    tenant_id int NOT NULL,
    file_id   bigint NOT NULL,
    due_at    timestamptz NOT NULL DEFAULT now(),
    n_tried   int NOT NULL DEFAULT 0,               -- in vain
    found     text CHECK (found IN ('sound', 'damaged', 'missing', 'failed')),
    found_at  timestamptz,
    PRIMARY KEY (tenant_id, file_id),
    CHECK ((found IS NULL) = (found_at IS NULL))
);
CREATE INDEX archive_check_due ON core.archive_check (due_at) WHERE found IS NULL;
SELECT core.protect('core.archive_check', 'tenant_id');

SET LOCAL ROLE tidemark_door;

DROP FUNCTION api.archive_list(bigint, bigint, text, date, date, int);

-- Files of the transaction's tenant, the latest first: at most so many before that id (0: from the
-- latest on), of a table, of days from one on and before another (NULL: any), or the file of_id alone
-- (0: any). place: where the day is, 'database', 'restored' (and
-- kept there, for somebody asked for it) or 'archive' alone; wish: 'waiting' or 'failed' where the
-- day is wanted back; problem: why it failed, or what it waits for; verify: 'waiting' where somebody wants
-- it verified, else what was found at checked_at.
CREATE FUNCTION api.archive_list(of_id bigint, before_id bigint, of_table text, from_day date, to_day date,
                                 max_files int)
RETURNS TABLE (id bigint, relation text, day text, n int, kind text, object text, n_rows bigint,
               n_bytes bigint, sha256 text, archived_at timestamptz, verified_at timestamptz,
               place text, wish text, problem text, verify text, checked_at timestamptz)
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
                THEN 'Changes of this day are archived before it is brought back.' END,
           CASE WHEN c.file_id IS NOT NULL THEN coalesce(c.found, 'waiting') END, c.found_at
    FROM core.archive a
    JOIN core.archive_day d
      ON d.tenant_id = home AND d.relation = a.relation AND d.day = a.day
    LEFT JOIN core.archive_wish w
      ON w.tenant_id = home AND w.relation = a.relation AND w.day = a.day
    LEFT JOIN core.archive_check c ON c.tenant_id = home AND c.file_id = a.id
    WHERE a.tenant_id = home AND (of_id = 0 OR a.id = of_id)
      AND (before_id = 0 OR a.id < before_id) AND (of_table IS NULL OR a.relation = of_table)
      AND (from_day IS NULL OR a.day >= from_day) AND (to_day IS NULL OR a.day < to_day)
    ORDER BY a.id DESC
    LIMIT max_files;
END
$$;

-- Wants a file of the transaction's tenant verified. TM409 where too many are waiting.
CREATE FUNCTION api.archive_verify(of_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home        CONSTANT int := core.tenant();
    max_waiting CONSTANT int := 400;
    file        record;
BEGIN
    SELECT a.relation, a.day, a.n, a.kind INTO file
    FROM core.archive a WHERE a.tenant_id = home AND a.id = of_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such file in the archive.' USING ERRCODE = 'TM404';
    END IF;
    IF (SELECT count(*) FROM core.archive_check c
        WHERE c.tenant_id = home AND c.found IS NULL AND c.file_id <> of_id) >= max_waiting THEN
        RAISE EXCEPTION '% files are waiting to be verified. Ask for more when some of them are.',
            max_waiting USING ERRCODE = 'TM409';
    END IF;
    INSERT INTO core.archive_check AS c (tenant_id, file_id)
    VALUES (home, of_id)
    ON CONFLICT (tenant_id, file_id)
    DO UPDATE SET due_at = now(), n_tried = 0, found = NULL, found_at = NULL
    WHERE c.found IS NOT NULL;
    IF FOUND THEN                                   -- it was not waiting already
        PERFORM core.audit_add(home, 'archive.verify', to_char(file.day, 'YYYY-MM-DD'),
                               jsonb_build_object('table', file.relation, 'number', file.n,
                                                  'kind', file.kind));
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION api.archive_list(bigint, bigint, text, date, date, int),
    api.archive_verify(bigint) TO tidemark_web;

-- The file that is due to be verified first; no row: none.
CREATE FUNCTION ops.archive_verify_next()
RETURNS TABLE (tenant_id int, slug text, id bigint, relation text, day text, n int, kind text,
               object text, n_rows bigint, n_bytes bigint, sha256 bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.tenant_id, t.slug, a.id, a.relation, to_char(a.day, 'YYYY-MM-DD'), a.n, a.kind, a.object,
           a.n_rows, a.n_bytes, a.sha256
    FROM core.archive_check c
    JOIN core.archive a ON a.tenant_id = c.tenant_id AND a.id = c.file_id
    JOIN core.tenant t ON t.id = a.tenant_id
    WHERE c.found IS NULL AND c.due_at <= now()
    ORDER BY c.due_at LIMIT 1;
END
$$;

DROP FUNCTION ops.archive_verified(bigint);
-- Notes what was found in a file of the transaction's tenant, whether somebody asked or not. 'failed' says
-- that it could not be read: it is tried again, after those that are due, ever later, and at most twelve
-- times within some hours.
CREATE FUNCTION ops.archive_verify_done(of_id bigint, what text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    IF what = 'sound' THEN
        UPDATE core.archive a SET verified_at = now() WHERE a.tenant_id = home AND a.id = of_id;
    END IF;
    UPDATE core.archive_check c
    SET n_tried = c.n_tried + 1,
        due_at = clock_timestamp() + least(interval '5 s' * 2 ^ c.n_tried, interval '1 hour'),
        found = CASE WHEN what <> 'failed' OR c.n_tried >= 11 THEN what END,
        found_at = CASE WHEN what <> 'failed' OR c.n_tried >= 11 THEN now() END
    WHERE c.tenant_id = home AND c.file_id = of_id;
    IF NOT FOUND AND what IN ('damaged', 'missing') THEN
        INSERT INTO core.archive_check (tenant_id, file_id, found, found_at)
        SELECT home, a.id, what, now() FROM core.archive a
        WHERE a.tenant_id = home AND a.id = of_id
        ON CONFLICT (tenant_id, file_id) DO UPDATE SET found = what, found_at = now();
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ops.archive_verify_next(), ops.archive_verify_done(bigint, text)
    TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;
