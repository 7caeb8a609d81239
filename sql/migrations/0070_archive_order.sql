-- Who archives a tenant's days, who makes its catalogue, and who makes a database of them do not miss what
-- the others do.

SET LOCAL ROLE tidemark_door;

-- What archivers of a tenant's days take (shared), and who makes its catalogue, so that each file is in
-- the catalogue or younger than it.
CREATE FUNCTION core.archiving_lock(owner int) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtextextended('tidemark.archiving.' || owner, 0) $$;

-- Nothing is compressed from the next statement on till the end of the transaction: for who reads to
-- keep what comes of it.
CREATE FUNCTION core.columnstore_read() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('tidemark.columnstore', 0));
END
$$;

DROP FUNCTION ops.archive_begin(text, text, text, boolean, text[]);
-- Begins to archive days of the transaction's tenant, several only where none of them ever was,
-- under the keys of archive_intend: opens the table's cursor over what there is to write, all of it
-- the first time, then what changed, which is_changed allows. n: the number of the files to come;
-- NULL: somebody else is at those days, or was. `seen` says which changes are among that,
-- begun_at when that was, which is told in the manifest. The cursor
-- is read in the time zone of the session: what is in it must not depend on that.
CREATE FUNCTION ops.archive_begin(of_relation text, from_day text, to_day text,
                                  is_changed boolean, objects text[], OUT n int,
                                  OUT is_first boolean, OUT seen text, OUT begun_at text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    start CONSTANT timestamptz := from_day::date;
    stop  CONSTANT timestamptz := to_day::date + 1;
    n_begun bigint;
BEGIN
    IF EXISTS (SELECT FROM generate_series(start, stop - interval '24 hours', interval '24 hours') d
               WHERE NOT pg_try_advisory_xact_lock(hashtextextended(
                   format('tidemark.archive.%s.%s.%s', home, of_relation,
                          to_char(d, 'YYYY-MM-DD')), 0))) THEN
        RETURN;
    END IF;
    PERFORM core.columnstore_read();
    -- no catalogue is made until the transaction ends, and none that was has a time after begun_at
    PERFORM pg_advisory_xact_lock_shared(core.archiving_lock(home));
    begun_at := to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    DELETE FROM core.archive_garbage g WHERE g.object = ANY (objects);
    GET DIAGNOSTICS n_begun = ROW_COUNT;
    IF n_begun < cardinality(objects) THEN
        RETURN;                                     -- swept before they were begun
    END IF;
    -- what was read is written to a store that may be far away
    PERFORM set_config('idle_in_transaction_session_timeout', '0', true);
    seen := pg_current_snapshot();
    is_first := NOT EXISTS (SELECT FROM core.archive_day d
                            WHERE d.tenant_id = home AND d.relation = of_relation
                              AND d.day >= from_day::date AND d.day <= to_day::date);
    IF NOT is_first AND (NOT is_changed OR from_day <> to_day) THEN
        RETURN;
    END IF;
    n := 1 + coalesce((SELECT max(a.n) FROM core.archive a
                       WHERE NOT is_first AND a.tenant_id = home AND a.relation = of_relation
                         AND a.day = from_day::date), 0);
    PERFORM core.archive_open(of_relation, start, stop, is_first, seen::pg_snapshot);
END
$$;
GRANT EXECUTE ON FUNCTION ops.archive_begin(text, text, text, boolean, text[]) TO tidemark_worker;

-- What would change archived days has to wait until the rebuild has ended: else it could not bring them
-- back. Costs are worked out anew by then.
CREATE FUNCTION core.rebuild_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.relation <> 'costs' AND EXISTS (SELECT FROM core.archive_rebuild r WHERE r.ended_at IS NULL) THEN
        RAISE EXCEPTION 'the database is being made of the archive: what changes archived days has to wait'
            USING ERRCODE = 'TM503';
    END IF;
    RETURN NEW;
END
$$;
GRANT EXECUTE ON FUNCTION core.rebuild_guard() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER rebuild_guard BEFORE INSERT ON core.archive_change
    FOR EACH ROW EXECUTE FUNCTION core.rebuild_guard();
