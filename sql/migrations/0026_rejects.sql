-- What ingest did not take, and accounts of what became of all that was received. Rejected items
-- are kept with their reason for seven days, 10,000 and 16 MiB a tenant, to be looked at and
-- replayed. Ingest writes both every few seconds: what it had not written when it was killed is
-- missing here, and nowhere else.

CREATE TABLE core.reject (
    tenant_id    int NOT NULL,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    time         timestamptz NOT NULL,              -- of its arrival
    request_id   text NOT NULL,
    token_id     bigint NOT NULL,                   -- that it came with
    device_id    int,                               -- that the token is for
    is_backfill  boolean NOT NULL,                  -- the token may send any age
    device       text,                              -- that was named
    convention   text NOT NULL,
    item         int,                               -- its index; NULL: the body as a whole
    field        text,
    reason       text NOT NULL,
    -- the request that is made again when it is replayed
    method       text NOT NULL,
    target       text NOT NULL,                     -- without credentials
    content_type text NOT NULL,
    text         bytea NOT NULL,                    -- the item or the body; without tokens
    is_item      boolean NOT NULL,                  -- it is the item alone
    is_whole     boolean NOT NULL,                  -- nothing of it was cut off
    size         int NOT NULL,                      -- bytes it had
    state        text NOT NULL DEFAULT 'kept' CHECK (state IN ('kept', 'pending', 'replayed')),
    outcome      text CHECK (outcome IN ('accepted', 'duplicate', 'updated', 'rejected')),
    attempts     int NOT NULL DEFAULT 0,            -- replays that were refused again
    tried_at     timestamptz,                       -- the last one
    claimed_at   timestamptz,                       -- by an ingest process, for a minute
    bytes        int NOT NULL GENERATED ALWAYS AS
                 (octet_length(text) + octet_length(target) + octet_length(reason)) STORED,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX reject_time ON core.reject (time);
CREATE INDEX reject_pending ON core.reject (tried_at, id) WHERE state = 'pending';
SELECT core.protect('core.reject', 'tenant_id');

-- How much of it a tenant has.
CREATE TABLE core.reject_total (
    tenant_id int PRIMARY KEY,
    n_rows    bigint NOT NULL,
    n_bytes   bigint NOT NULL
);
SELECT core.protect('core.reject_total', 'tenant_id');

-- Items by tenant and hour of their answer: received = accepted + duplicates + updated + rejected.
-- A body that could not be read counts as one. What was answered "later" (429, 503) was not
-- received.
CREATE TABLE core.ingest_hour (
    tenant_id  int NOT NULL,
    hour       timestamptz NOT NULL,
    received   bigint NOT NULL,
    accepted   bigint NOT NULL,
    duplicates bigint NOT NULL,
    updated    bigint NOT NULL,
    rejected   bigint NOT NULL,
    replayed   bigint NOT NULL,                     -- of those received
    dropped    bigint NOT NULL,                     -- of those rejected: not kept, being too many
    refused    bigint NOT NULL,                     -- requests answered "later"
    PRIMARY KEY (tenant_id, hour)
);
CREATE INDEX ingest_hour_hour ON core.ingest_hour (hour);
SELECT core.protect('core.ingest_hour', 'tenant_id');

-- The last write of each ingest process, so that one whose commit was not heard of is not made
-- twice.
CREATE TABLE ops.ingest_writer (
    id      uuid PRIMARY KEY,
    number  bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, DELETE ON ops.ingest_writer TO tidemark_door;

-- ---- what an admin sees and does; as the owner, whom row-level security holds to the tenant ----

CREATE VIEW api.ingest_hour WITH (security_barrier) AS
SELECT h.hour, h.received, h.accepted, h.duplicates, h.updated, h.rejected, h.replayed, h.dropped,
       h.refused
FROM core.ingest_hour h;
GRANT SELECT ON api.ingest_hour TO tidemark_web, tidemark_read;

-- The tenant's rejected items that fit the filters (NULL: any), the newest first. The state 'open'
-- is all but replayed.
CREATE FUNCTION core.reject_pick(only_id bigint, before_id bigint, from_time timestamptz,
                                 to_time timestamptz, of_device text, of_reason text,
                                 of_convention text, of_state text, row_limit int)
RETURNS SETOF core.reject
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    home CONSTANT int := core.tenant();
BEGIN
    RETURN QUERY
    SELECT * FROM core.reject r
    WHERE r.tenant_id = home
      AND (only_id IS NULL OR r.id = only_id)
      AND (before_id IS NULL OR r.id < before_id)
      AND r.time >= greatest(from_time, now() - interval '7 days') AND r.time < to_time
      AND (of_device IS NULL OR r.device = of_device)
      AND (of_reason IS NULL OR strpos(lower(r.reason), lower(of_reason)) > 0)
      AND (of_convention IS NULL OR r.convention = of_convention)
      AND (of_state IS NULL OR r.state = of_state OR (of_state = 'open' AND r.state <> 'replayed'))
    ORDER BY r.id DESC
    LIMIT row_limit;
END
$$;

-- The same as it is shown, with at most `excerpt` bytes of each text.
CREATE FUNCTION api.reject_list(only_id bigint, before_id bigint, from_time timestamptz,
                                to_time timestamptz, of_device text, of_reason text,
                                of_convention text, of_state text, excerpt int, row_limit int)
RETURNS TABLE (id bigint, "time" timestamptz, request_id text, token_id bigint, device text,
               convention text, item int, field text, reason text, state text, outcome text,
               attempts int, tried_at timestamptz, method text, target text, content_type text,
               text bytea, size int, is_item boolean, is_whole boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT r.id, r.time, r.request_id, r.token_id, r.device, r.convention, r.item, r.field,
           r.reason, r.state, r.outcome, r.attempts, r.tried_at, r.method, r.target,
           r.content_type, substring(r.text FOR excerpt), r.size, r.is_item, r.is_whole
    FROM core.reject_pick(only_id, before_id, from_time, to_time, of_device, of_reason,
                          of_convention, of_state, row_limit) r
    ORDER BY r.id DESC;
END
$$;

-- Marks what fits the filters and was kept whole for being replayed; how many. Of one alone it
-- fails where that cannot be.
CREATE FUNCTION api.reject_replay(only_id bigint, from_time timestamptz, to_time timestamptz,
                                  of_device text, of_reason text, of_convention text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    one    core.reject;
    n_rows bigint;
BEGIN
    IF only_id IS NOT NULL THEN
        SELECT * INTO one FROM core.reject r WHERE r.tenant_id = home AND r.id = only_id FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no such rejected item' USING ERRCODE = 'TM404';
        ELSIF NOT one.is_whole THEN
            RAISE EXCEPTION 'only a part of it was kept: it cannot be replayed'
                USING ERRCODE = 'TM409';
        ELSIF one.state = 'replayed' THEN
            RAISE EXCEPTION 'it was replayed already' USING ERRCODE = 'TM409';
        END IF;
    END IF;
    WITH picked AS MATERIALIZED (
        SELECT r.id FROM core.reject r
        WHERE r.tenant_id = home AND r.state = 'kept' AND r.is_whole
          AND r.id IN (SELECT p.id FROM core.reject_pick(only_id, NULL, from_time, to_time,
                           of_device, of_reason, of_convention, 'kept', NULL) p)
        ORDER BY r.id FOR UPDATE
    )
    UPDATE core.reject r
    SET state = 'pending', claimed_at = NULL, tried_at = clock_timestamp()
    FROM picked p WHERE r.tenant_id = home AND r.id = p.id;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    IF n_rows > 0 THEN
        PERFORM core.audit_add(home, 'reject.replay', coalesce(only_id::text, ''),
            jsonb_strip_nulls(jsonb_build_object('items', n_rows, 'device', of_device,
                'reason', of_reason, 'convention', of_convention)));
    END IF;
    RETURN n_rows;
END
$$;

-- Removes what fits the filters; how many.
CREATE FUNCTION api.reject_delete(only_id bigint, from_time timestamptz, to_time timestamptz,
                                  of_device text, of_reason text, of_convention text,
                                  of_state text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    n_rows bigint;
BEGIN
    WITH picked AS MATERIALIZED (
        SELECT r.id FROM core.reject r
        WHERE r.tenant_id = home
          AND r.id IN (SELECT p.id FROM core.reject_pick(only_id, NULL, from_time, to_time,
                           of_device, of_reason, of_convention, of_state, NULL) p)
        ORDER BY r.id FOR UPDATE
    )
    DELETE FROM core.reject r USING picked p WHERE r.tenant_id = home AND r.id = p.id;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    IF n_rows = 0 AND only_id IS NOT NULL THEN
        RAISE EXCEPTION 'there is no such rejected item' USING ERRCODE = 'TM404';
    END IF;
    IF n_rows > 0 THEN
        PERFORM core.audit_add(home, 'reject.delete', coalesce(only_id::text, ''),
            jsonb_strip_nulls(jsonb_build_object('items', n_rows, 'device', of_device,
                'reason', of_reason, 'convention', of_convention)));
    END IF;
    RETURN n_rows;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.reject_list(bigint, bigint, timestamptz, timestamptz, text, text, text, text, int, int),
    api.reject_replay(bigint, timestamptz, timestamptz, text, text, text),
    api.reject_delete(bigint, timestamptz, timestamptz, text, text, text, text) TO tidemark_web;

-- ---- what ingest writes ----

-- Begins the write of this number of an ingest process; false: it is made already.
CREATE FUNCTION api.ingest_write_begin(writer text, write_number bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO ops.ingest_writer AS w (id, number) VALUES (writer::uuid, write_number)
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, seen_at = now()
    WHERE w.number < excluded.number;
    RETURN FOUND;
END
$$;
GRANT EXECUTE ON FUNCTION api.ingest_write_begin(text, bigint) TO tidemark_ingest;

SET LOCAL ROLE tidemark_door;

-- Adds to the accounts of tenants' hours. Parallel arrays.
CREATE FUNCTION api.ingest_hours_add(tenant_ids int[], hours timestamptz[], received bigint[],
                                     accepted bigint[], duplicates bigint[], updated bigint[],
                                     rejected bigint[], replayed bigint[], dropped bigint[],
                                     refused bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO core.ingest_hour AS h
    SELECT u.*
    FROM unnest(tenant_ids, hours, ingest_hours_add.received, ingest_hours_add.accepted,
                ingest_hours_add.duplicates, ingest_hours_add.updated, ingest_hours_add.rejected,
                ingest_hours_add.replayed, ingest_hours_add.dropped, ingest_hours_add.refused)
         AS u (tenant_id, hour, received, accepted, duplicates, updated, rejected, replayed,
               dropped, refused)
    WHERE EXISTS (SELECT FROM core.tenant t WHERE t.id = u.tenant_id)
    ORDER BY u.tenant_id, u.hour
    ON CONFLICT (tenant_id, hour) DO UPDATE SET
        received = h.received + excluded.received, accepted = h.accepted + excluded.accepted,
        duplicates = h.duplicates + excluded.duplicates, updated = h.updated + excluded.updated,
        rejected = h.rejected + excluded.rejected, replayed = h.replayed + excluded.replayed,
        dropped = h.dropped + excluded.dropped, refused = h.refused + excluded.refused;
END
$$;

-- Keeps rejected items, and of each tenant no more than there may be: the oldest go, some at a
-- time. Parallel arrays; device_id 0, device and field NULL, item -1 for none. flags: 1 the token
-- may send any age, 2 the text is the item alone, 4 the text is whole.
CREATE FUNCTION api.reject_add(tenant_ids int[], times timestamptz[], request_ids text[],
                               token_ids bigint[], device_ids int[], flags int[], devices text[],
                               conventions text[], items int[], fields text[], reasons text[],
                               methods text[], targets text[], content_types text[],
                               texts bytea[], sizes int[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    max_rows  CONSTANT bigint := 10000;
    max_bytes CONSTANT bigint := 16777216;
    over      int;
BEGIN
    INSERT INTO core.reject (tenant_id, time, request_id, token_id, device_id, is_backfill, device,
        convention, item, field, reason, method, target, content_type, text, is_item, is_whole,
        size)
    SELECT u.tenant_id, u.time, u.request_id, u.token_id,
           (SELECT d.id FROM core.device d WHERE d.tenant_id = u.tenant_id AND d.id = u.device_id),
           u.flag & 1 <> 0, u.device, u.convention, nullif(u.item, -1), u.field, u.reason,
           u.method, u.target, u.content_type, u.text, u.flag & 2 <> 0, u.flag & 4 <> 0, u.size
    FROM unnest(tenant_ids, times, request_ids, token_ids, device_ids, flags, devices, conventions,
                items, fields, reasons, methods, targets, content_types, texts, sizes)
         WITH ORDINALITY
         AS u (tenant_id, time, request_id, token_id, device_id, flag, device, convention, item,
               field, reason, method, target, content_type, text, size, ord)
    WHERE EXISTS (SELECT FROM core.tenant t WHERE t.id = u.tenant_id)
    ORDER BY u.tenant_id, u.ord;
    FOR over IN
        SELECT t.tenant_id FROM core.reject_total t
        WHERE t.tenant_id = ANY (tenant_ids) AND (t.n_rows > max_rows OR t.n_bytes > max_bytes)
        ORDER BY t.tenant_id
    LOOP
        -- nobody is waited for: who holds one of them is about to remove or replay it
        DELETE FROM core.reject r
        WHERE r.tenant_id = over AND r.id IN (
            SELECT x.id FROM core.reject x
            WHERE x.tenant_id = over AND x.id <= (
                SELECT max(s.id)
                FROM (SELECT y.id, row_number() OVER w AS n, sum(y.bytes) OVER w AS b
                      FROM core.reject y WHERE y.tenant_id = over
                      WINDOW w AS (ORDER BY y.id DESC)) s
                WHERE s.n > max_rows * 9 / 10 OR s.b > max_bytes * 9 / 10)
            FOR UPDATE SKIP LOCKED);
    END LOOP;
END
$$;

-- ---- replaying ----

-- Takes rejected items that are to be replayed, those that were asked for first; nobody else gets
-- them for a minute. With what their sender's token was, and what their tenant is now.
CREATE FUNCTION api.reject_claim(row_limit int)
RETURNS TABLE (tenant_id int, id bigint, "time" timestamptz, request_id text, token_id bigint,
               device_id int, device_key text, is_backfill boolean, item int, method text,
               target text, content_type text, text bytea, is_item boolean, auto_register boolean,
               timezone text, raw_days int)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.tenant_id, r.id FROM core.reject r
        WHERE r.state = 'pending'
          AND (r.claimed_at IS NULL OR r.claimed_at < clock_timestamp() - interval '1 minute')
          AND EXISTS (SELECT FROM core.tenant t WHERE t.id = r.tenant_id AND t.status = 'active')
        ORDER BY r.tried_at, r.id
        LIMIT row_limit
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE core.reject r SET claimed_at = clock_timestamp()
        FROM due WHERE r.tenant_id = due.tenant_id AND r.id = due.id
        RETURNING r.*
    )
    SELECT c.tenant_id, c.id, c.time, c.request_id, c.token_id, c.device_id, d.key, c.is_backfill,
           c.item, c.method, c.target, c.content_type, c.text, c.is_item, t.auto_register,
           t.timezone, t.raw_days
    FROM claimed c
    JOIN core.tenant t ON t.id = c.tenant_id
    LEFT JOIN core.device d ON d.tenant_id = c.tenant_id AND d.id = c.device_id
    ORDER BY c.tried_at, c.id;
END
$$;

-- Says what became of them: 'accepted', 'duplicate', 'updated': they are stored; 'rejected': not,
-- for the reason given (NULL: what was in them is kept anew); 'later': they are tried again.
CREATE FUNCTION api.reject_settle(tenant_ids int[], ids bigint[], outcomes text[], fields text[],
                                  reasons text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.reject r
    SET state = CASE WHEN u.outcome = 'later' THEN 'pending'
                     WHEN u.reason IS NOT NULL THEN 'kept' ELSE 'replayed' END,
        outcome = CASE WHEN u.outcome <> 'later' AND u.reason IS NULL THEN u.outcome END,
        field = CASE WHEN u.reason IS NULL THEN r.field ELSE u.field END,
        reason = coalesce(u.reason, r.reason),
        attempts = r.attempts + (u.reason IS NOT NULL)::int,
        tried_at = clock_timestamp(), claimed_at = NULL
    FROM unnest(tenant_ids, ids, outcomes, fields, reasons)
         AS u (tenant_id, id, outcome, field, reason)
    WHERE r.tenant_id = u.tenant_id AND r.id = u.id AND r.state = 'pending';
END
$$;

GRANT EXECUTE ON FUNCTION
    api.ingest_hours_add(int[], timestamptz[], bigint[], bigint[], bigint[], bigint[], bigint[],
                         bigint[], bigint[], bigint[]),
    api.reject_add(int[], timestamptz[], text[], bigint[], int[], int[], text[], text[], int[],
                   text[], text[], text[], text[], text[], bytea[], int[]),
    api.reject_claim(int), api.reject_settle(int[], bigint[], text[], text[], text[])
    TO tidemark_ingest;

-- ---- upkeep ----

CREATE FUNCTION core.reject_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO core.reject_total AS t (tenant_id, n_rows, n_bytes)
        SELECT c.tenant_id, count(*), sum(c.bytes) FROM changed c
        GROUP BY c.tenant_id ORDER BY c.tenant_id
        ON CONFLICT (tenant_id) DO UPDATE
        SET n_rows = t.n_rows + excluded.n_rows, n_bytes = t.n_bytes + excluded.n_bytes;
    ELSE
        UPDATE core.reject_total t
        SET n_rows = t.n_rows - g.n_rows, n_bytes = t.n_bytes - g.n_bytes
        FROM (SELECT c.tenant_id, count(*) AS n_rows, sum(c.bytes) AS n_bytes
              FROM changed c GROUP BY c.tenant_id) g
        WHERE t.tenant_id = g.tenant_id;
    END IF;
    RETURN NULL;
END
$$;

-- What a device that is erased had sent in vain goes with it.
CREATE FUNCTION core.reject_of_devices() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.reject r USING gone g WHERE r.tenant_id = g.tenant_id AND r.device = g.key;
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.reject_count(), core.reject_of_devices() TO tidemark_owner;

-- Removes rejected items after seven days and accounts after 90; how many.
CREATE FUNCTION ops.reject_prune() RETURNS TABLE (rejects bigint, hours bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.reject r WHERE r.time < now() - interval '7 days';
    GET DIAGNOSTICS rejects = ROW_COUNT;
    DELETE FROM core.ingest_hour h WHERE h.hour < now() - interval '90 days';
    GET DIAGNOSTICS hours = ROW_COUNT;
    DELETE FROM ops.ingest_writer w WHERE w.seen_at < now() - interval '1 day';
    RETURN NEXT;
END
$$;
GRANT EXECUTE ON FUNCTION ops.reject_prune() TO tidemark_worker;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER counted_in AFTER INSERT ON core.reject
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.reject_count();
CREATE TRIGGER counted_out AFTER DELETE ON core.reject
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.reject_count();
CREATE TRIGGER rejects_too AFTER DELETE ON core.device
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION core.reject_of_devices();
