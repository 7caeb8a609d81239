-- Who compresses a chunk, and who reads to keep what comes of it (core.columnstore_read), take turns:
-- while a chunk changes its form, what a snapshot sees of it is the engine's word alone, and what was
-- rated, archived or backed up of less would stay. Not who derives: whoever erases waits for them, and
-- would wait for the compressing of a large chunk.

GRANT EXECUTE ON FUNCTION ops.columnstore_next(text[]) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- Nothing is compressed until the session ends: for a backup, whose snapshot comes after it.
CREATE FUNCTION ops.columnstore_hold() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_lock_shared(hashtextextended('tidemark.columnstore', 0));
END
$$;
GRANT EXECUTE ON FUNCTION ops.columnstore_hold() TO tidemark_backup;

-- As ops.columnstore_next, while nobody rates, archives or backs up. No row, too, where
-- somebody does all the time: it is tried again the next time.
CREATE FUNCTION ops.columnstore_move(skip text[]) RETURNS TABLE (chunk text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
BEGIN
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.columnstore', 0));
    EXCEPTION WHEN lock_not_available THEN
        RETURN;
    END;
    RETURN QUERY SELECT n.chunk, n.outcome FROM ops.columnstore_next(skip) n;
END
$$;
GRANT EXECUTE ON FUNCTION ops.columnstore_move(text[]) TO tidemark_worker;

-- Takes the next place behind a tenant's place, in the order of their numbers, that nobody else is
-- at and that is to be rated again, with its notes: from when, since when its quarter hours are
-- others (infinity: nowhere), until when. No row: there is none. Notes of what is not in the ledger
-- yet are done with; after many a place of which there were none but such, it is answered without
-- times, for the next call to begin behind it. The place is held until the transaction ends; whoever
-- dies there leaves the notes. A device that moved may have been derived by somebody who saw it where
-- it was: whoever may have is waited for, before anything is held.
CREATE OR REPLACE FUNCTION ops.cost_take(after_tenant int, after_site int)
RETURNS TABLE (tenant_id int, site_id int, site text, from_time timestamptz, to_time timestamptz,
               energy_from timestamptz, energy_to timestamptz, first_time timestamptz,
               settled_until timestamptz, kept_from timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- power is known up to an hour before the first reading that is not closed
    closed CONSTANT timestamptz := (SELECT s.closed_until - interval '1 hour'
                                    FROM core.rollup_state s);
    since  CONSTANT timestamptz := core.energy_since();
    most   CONSTANT int := 500;             -- places that are held at once
    moves  CONSTANT bigint[] := ARRAY(SELECT d.id FROM core.cost_dirty d WHERE d.is_move);
    n      int := 0;
    item   record;
    place  core.cost_place;
    notes  record;
    head   timestamptz;
BEGIN
    IF moves <> '{}' THEN
        PERFORM core.rollup_await();
    END IF;
    PERFORM core.columnstore_read();
    FOR item IN
        SELECT w.tenant_id, w.site_id
        FROM ((SELECT DISTINCT d.tenant_id, d.site_id FROM core.cost_dirty d
               WHERE (d.tenant_id, d.site_id) > (after_tenant, after_site)
               ORDER BY d.tenant_id, d.site_id LIMIT most)
              UNION
              (SELECT p.tenant_id, p.site_id FROM core.cost_place p
               WHERE (p.tenant_id, p.site_id) > (after_tenant, after_site)
                 AND p.due_at <= closed
               ORDER BY p.tenant_id, p.site_id LIMIT most)) w
        ORDER BY w.tenant_id, w.site_id LIMIT most
    LOOP
        n := n + 1;
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(
            hashtextextended(format('tidemark.cost.%s.%s', item.tenant_id, item.site_id), 0));
        WITH gone AS (
            DELETE FROM core.cost_dirty d
            WHERE d.tenant_id = item.tenant_id AND d.site_id = item.site_id
              AND (NOT d.is_move OR d.id = ANY (moves))
            RETURNING d.from_time, d.to_time, d.is_energy
        )
        SELECT min(g.from_time) AS since, max(g.to_time) AS until,
               coalesce(min(g.from_time) FILTER (WHERE g.is_energy), 'infinity') AS energy_since,
               coalesce(max(g.to_time) FILTER (WHERE g.is_energy), '-infinity') AS energy_until
        INTO notes FROM gone g;
        SELECT * INTO place FROM core.cost_place p
        WHERE p.tenant_id = item.tenant_id AND p.site_id = item.site_id;
        IF place.due_at <= closed THEN
            -- the last cycle goes on
            notes.since := least(notes.since, place.rated_from - interval '1 microsecond');
            notes.until := 'infinity';
        END IF;
        CONTINUE WHEN notes.since IS NULL OR notes.since >= place.rated_until;
        head := CASE WHEN place.first_time <= notes.since THEN place.first_time
                     ELSE core.cost_head(item.tenant_id, item.site_id) END;
        site := (SELECT s.key FROM core.site s
                 WHERE s.tenant_id = item.tenant_id AND s.id = item.site_id);
        IF head IS NULL OR (item.site_id <> 0 AND site IS NULL) THEN
            PERFORM core.cost_erase(item.tenant_id, item.site_id);
            CONTINUE;
        END IF;
        tenant_id := item.tenant_id;
        site_id := item.site_id;
        first_time := least(head, place.first_time);
        from_time := CASE WHEN head < place.first_time THEN head
                          ELSE greatest(notes.since, first_time) END;
        to_time := notes.until;
        energy_from := notes.energy_since;
        energy_to := notes.energy_until;
        settled_until := closed;
        kept_from := since;
        RETURN NEXT;
        RETURN;
    END LOOP;
    IF n = most THEN
        tenant_id := item.tenant_id;
        site_id := item.site_id;
        RETURN NEXT;
    END IF;
END
$$;
