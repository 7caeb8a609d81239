-- Events: what happened, with a type and a payload. Their identity lives apart, because a unique
-- index on a time-partitioned table must include the time, and only for as long as clients
-- repeat themselves.

CREATE TABLE core.event (
    tenant_id int NOT NULL,
    time      timestamptz NOT NULL,
    key       uuid NOT NULL,                        -- identity: of id, of seq and time, or a hash
    device_id int NOT NULL,
    site_id   int,
    type      text NOT NULL,
    seq       bigint,
    id        uuid,                                 -- the client's own
    data      jsonb NOT NULL,
    arrived   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, time, key, device_id)
-- engine: time_partitioned

CREATE INDEX event_device ON core.event (tenant_id, device_id, time, key);
CREATE INDEX event_type ON core.event (tenant_id, type, time, key);
CREATE INDEX event_data ON core.event USING gin (data jsonb_path_ops);

-- engine: event

GRANT SELECT, INSERT, DELETE ON core.event TO tidemark_door;

-- Which events arrived during the last days. Partitioned by arrival day as a ring: the slot of a
-- day is its number modulo 10, so that no partition has ever to be made, and forgetting a day is
-- emptying its slot. Kept: seven whole days, today and (around midnight) tomorrow; one slot is
-- spare. A worker that sleeps for weeks only makes keys live longer.
CREATE TABLE core.event_key (
    tenant_id int NOT NULL,
    device_id int NOT NULL,
    key       uuid NOT NULL,
    slot      smallint NOT NULL,
    PRIMARY KEY (tenant_id, device_id, key, slot)
) PARTITION BY LIST (slot);

DO $ring$
BEGIN
    FOR slot IN 0..9 LOOP
        EXECUTE format('CREATE TABLE core.event_key_%s PARTITION OF core.event_key'
                       ' FOR VALUES IN (%s)', slot, slot);
    END LOOP;
END
$ring$;
GRANT SELECT, INSERT, DELETE ON core.event_key TO tidemark_door;

CREATE FUNCTION core.event_key_slot(day date) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ((day - date '2000-01-01') % 10)::smallint $$;
GRANT EXECUTE ON FUNCTION core.event_key_slot(date) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- Claims identities that arrive at `at` (now(), but for tests): returns the ordinals of those
-- that no kept day has seen. Two transactions that see different days still meet: within ten
-- minutes of midnight a key is claimed for both days, and no transaction of ours lasts longer.
-- The arrays are parallel; a key repeated within the call is new at its first place only.
CREATE FUNCTION core.event_key_claim(at timestamptz, tenant_ids int[], device_ids int[],
                                     keys uuid[]) RETURNS SETOF int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    margin  CONSTANT interval := interval '10 minutes';
    day     date := (at AT TIME ZONE 'UTC')::date;
    before  date := ((at - margin) AT TIME ZONE 'UTC')::date;
    after   date := ((at + margin) AT TIME ZONE 'UTC')::date;
    other   smallint := core.event_key_slot(CASE WHEN before < day THEN before ELSE after END);
    today   smallint := core.event_key_slot(day);
BEGIN
    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT DISTINCT ON (i.tenant_id, i.device_id, i.key) i.*
        FROM unnest(tenant_ids, device_ids, keys) WITH ORDINALITY
             AS i (tenant_id, device_id, key, ord)
        ORDER BY i.tenant_id, i.device_id, i.key, i.ord
    ), unseen AS MATERIALIZED (
        SELECT i.* FROM input i
        WHERE NOT EXISTS (
            SELECT FROM core.event_key k
            WHERE k.tenant_id = i.tenant_id AND k.device_id = i.device_id AND k.key = i.key
            OFFSET 0)
    ), claimed AS (
        INSERT INTO core.event_key AS k (slot, tenant_id, device_id, key)
        SELECT s.slot, u.tenant_id, u.device_id, u.key
        FROM unseen u CROSS JOIN (SELECT today AS slot UNION SELECT other) s
        ORDER BY u.tenant_id, u.device_id, u.key, s.slot
        ON CONFLICT DO NOTHING
        RETURNING k.tenant_id, k.device_id, k.key
    )
    -- New only where every slot took it: a concurrent claim may have won one of the two.
    SELECT u.ord::int
    FROM unseen u JOIN claimed c USING (tenant_id, device_id, key)
    GROUP BY u.ord
    HAVING count(*) = CASE WHEN today = other THEN 1 ELSE 2 END;
END
$$;

SET LOCAL ROLE tidemark_owner;
