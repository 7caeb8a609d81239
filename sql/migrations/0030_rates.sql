-- Rate schedules: what energy costs a tenant. A schedule has versions, each a whole document that
-- holds on certain days; none is ever changed. Assignments say where a schedule holds. Of all it is
-- kept since when it was known, and until when, so that a past bill can be shown as it was known
-- then. Days are local ones by the schedule's own time zone; a span is [from, to).
--
-- On a day, a place's schedule is that of its device, else of its site, else of the tenant, of
-- several the one assigned last; and of its versions that hold that day the newest.

CREATE TABLE core.rate_schedule (
    tenant_id  int NOT NULL REFERENCES core.tenant,
    id         int GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL,                       -- as in the newest version
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,                         -- kept for what was known before
    PRIMARY KEY (tenant_id, id)
);
SELECT core.protect('core.rate_schedule', 'tenant_id');

CREATE TABLE core.rate_version (
    tenant_id   int NOT NULL REFERENCES core.tenant,
    schedule_id int NOT NULL,
    number      int NOT NULL CHECK (number > 0),    -- 1, 2, …
    timezone    text NOT NULL,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    from_day    date NOT NULL,
    to_day      date NOT NULL,                      -- infinity: open
    known_since timestamptz NOT NULL,               -- ascending by number
    made_by     text NOT NULL,
    format      text NOT NULL CHECK (octet_length(format) BETWEEN 1 AND 32), -- it came in
    document    text NOT NULL,                      -- JSON as the validator wrote it
    PRIMARY KEY (tenant_id, schedule_id, number),
    FOREIGN KEY (tenant_id, schedule_id) REFERENCES core.rate_schedule,
    CHECK (from_day < to_day)
);
SELECT core.protect('core.rate_version', 'tenant_id');

-- Of a device, of a site, or (neither) of all of the tenant.
CREATE TABLE core.rate_assignment (
    tenant_id   int NOT NULL REFERENCES core.tenant,
    id          int GENERATED ALWAYS AS IDENTITY,
    schedule_id int NOT NULL,
    site_id     int,
    device_id   int,
    from_day    date NOT NULL,                      -- -infinity: always
    to_day      date NOT NULL,                      -- infinity: open
    known_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    known_until timestamptz,                        -- when it was withdrawn
    made_by     text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, schedule_id) REFERENCES core.rate_schedule,
    FOREIGN KEY (tenant_id, site_id) REFERENCES core.site ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, device_id) REFERENCES core.device ON DELETE CASCADE,
    CHECK (site_id IS NULL OR device_id IS NULL),
    CHECK (from_day < to_day)
);
CREATE INDEX rate_assignment_schedule ON core.rate_assignment (tenant_id, schedule_id);
CREATE INDEX rate_assignment_site ON core.rate_assignment (tenant_id, site_id)
    WHERE site_id IS NOT NULL;
CREATE INDEX rate_assignment_device ON core.rate_assignment (tenant_id, device_id)
    WHERE device_id IS NOT NULL;
SELECT core.protect('core.rate_assignment', 'tenant_id');

-- Prices by time, of the series that a schedule's document names. Of one time that which was known
-- last holds; rows are added and never changed.
CREATE TABLE core.rate_price (
    tenant_id   int NOT NULL REFERENCES core.tenant,
    schedule_id int NOT NULL,
    series      text NOT NULL CHECK (octet_length(series) BETWEEN 1 AND 80),
    from_time   timestamptz NOT NULL,
    known_since timestamptz NOT NULL,
    to_time     timestamptz NOT NULL,
    nano_rate   bigint NOT NULL,                    -- billionths of the currency's unit per kWh
    PRIMARY KEY (tenant_id, schedule_id, series, from_time, known_since),
    FOREIGN KEY (tenant_id, schedule_id) REFERENCES core.rate_schedule,
    CHECK (from_time < to_time)
);
SELECT core.protect('core.rate_price', 'tenant_id');

SET LOCAL ROLE tidemark_door;

-- The name of a person who is erased is not kept here either.
CREATE FUNCTION core.rate_maker_forget() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.rate_version v SET made_by = 'erased person ' || OLD.id
    WHERE v.made_by = OLD.email;
    UPDATE core.rate_assignment a SET made_by = 'erased person ' || OLD.id
    WHERE a.made_by = OLD.email;
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.rate_maker_forget() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER rate_maker_forgotten AFTER DELETE ON core.person
    FOR EACH ROW EXECUTE FUNCTION core.rate_maker_forget();

-- ---- reading ----

CREATE VIEW api.rate_version WITH (security_barrier) AS
SELECT v.schedule_id, v.number, v.timezone, v.currency, v.from_day, v.to_day, v.known_since,
       v.made_by, v.format, v.document
FROM core.rate_version v;

-- Those not removed, with what their newest version says.
CREATE VIEW api.rate_schedule WITH (security_barrier) AS
SELECT s.id, s.name, s.created_at, v.number AS versions, v.timezone, v.currency, v.from_day,
       v.to_day, v.known_since,
       (SELECT count(*) FROM core.rate_assignment a
        WHERE a.tenant_id = s.tenant_id AND a.schedule_id = s.id AND a.known_until IS NULL)
           AS assignments
FROM core.rate_schedule s
CROSS JOIN LATERAL (SELECT * FROM core.rate_version n
                    WHERE n.tenant_id = s.tenant_id AND n.schedule_id = s.id
                    ORDER BY n.number DESC LIMIT 1) v
WHERE s.removed_at IS NULL;

-- Withdrawn ones too.
CREATE VIEW api.rate_assignment WITH (security_barrier) AS
SELECT a.id, a.schedule_id, p.key AS site, d.key AS device, a.from_day, a.to_day, a.known_since,
       a.known_until, a.made_by
FROM core.rate_assignment a
LEFT JOIN core.site p ON p.tenant_id = a.tenant_id AND p.id = a.site_id
LEFT JOIN core.device d ON d.tenant_id = a.tenant_id AND d.id = a.device_id;

GRANT SELECT ON api.rate_schedule, api.rate_version, api.rate_assignment
    TO tidemark_web, tidemark_read;

-- Which version holds at a place on the days [from_day, to_day), as it was known at a time: spans
-- ascending and apart, days without any left out. of_device NULL: of the site's own; of_site NULL
-- too: of the tenant's.
CREATE FUNCTION core.rate_applied(home int, of_site int, of_device int, first_day date,
                                  end_day date, known_at timestamptz)
RETURNS TABLE (from_day date, to_day date, schedule_id int, version int, assignment_id int)
LANGUAGE plpgsql STABLE ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH candidates AS MATERIALIZED (
        SELECT a.id, a.schedule_id, v.number, greatest(a.from_day, v.from_day, first_day) AS since,
               least(a.to_day, v.to_day, end_day) AS until,
               CASE WHEN a.device_id IS NOT NULL THEN 1 WHEN a.site_id IS NOT NULL THEN 2
                    ELSE 3 END AS distance
        FROM core.rate_assignment a
        JOIN core.rate_version v ON v.tenant_id = home AND v.schedule_id = a.schedule_id
        WHERE a.tenant_id = home
          AND (a.device_id = of_device OR a.device_id IS NULL
               AND (a.site_id = of_site OR a.site_id IS NULL))
          AND a.known_since <= known_at AND coalesce(a.known_until > known_at, true)
          AND v.known_since <= known_at
          AND greatest(a.from_day, v.from_day, first_day) < least(a.to_day, v.to_day, end_day)
    ), edges AS (
        SELECT e.day, lead(e.day) OVER (ORDER BY e.day) AS next
        FROM (SELECT c.since FROM candidates c UNION SELECT c.until FROM candidates c) AS e (day)
    ), chosen AS (
        SELECT DISTINCT ON (e.day) e.day, e.next, c.schedule_id, c.number, c.id
        FROM edges e JOIN candidates c ON c.since <= e.day AND c.until > e.day
        ORDER BY e.day, c.distance, c.id DESC, c.number DESC
    ), runs AS (
        SELECT c.*, sum(CASE WHEN c.is_same THEN 0 ELSE 1 END) OVER (ORDER BY c.day) AS run
        FROM (SELECT c.*, coalesce((lag(c.next) OVER w, lag(c.id) OVER w, lag(c.number) OVER w)
                                   = (c.day, c.id, c.number), false) AS is_same
              FROM chosen c WINDOW w AS (ORDER BY c.day)) c
    )
    SELECT min(r.day), max(r.next), min(r.schedule_id), min(r.number), min(r.id)
    FROM runs r GROUP BY r.run
    ORDER BY 1;
END
$$;

-- The same of the tenant's place by its key; of a device that of its site is asked where it has
-- none of its own.
CREATE FUNCTION api.rate_applied(of_site text, of_device text, first_day date, end_day date,
                                 known_at timestamptz)
RETURNS TABLE (from_day date, to_day date, schedule_id int, name text, version int,
               assignment_id int)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    home  CONSTANT int := core.tenant();
    place record;
BEGIN
    SELECT d.id AS device_id, d.site_id INTO place
    FROM core.device d WHERE d.tenant_id = home AND d.key = of_device;
    IF NOT FOUND AND of_device IS NOT NULL THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    IF of_device IS NULL AND of_site IS NOT NULL THEN
        SELECT NULL::int AS device_id, s.id AS site_id INTO place
        FROM core.site s WHERE s.tenant_id = home AND s.key = of_site;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no site has this key' USING ERRCODE = 'TM404';
        END IF;
    END IF;
    RETURN QUERY
    SELECT a.from_day, a.to_day, a.schedule_id, s.name, a.version, a.assignment_id
    FROM core.rate_applied(home, place.site_id, place.device_id, first_day, end_day, known_at) a
    JOIN core.rate_schedule s ON s.tenant_id = home AND s.id = a.schedule_id
    ORDER BY a.from_day;
END
$$;

-- The prices of a schedule's series that begin in [from_time, to_time), ascending, as they were
-- known at a time.
CREATE FUNCTION core.rate_prices(home int, of_schedule int, of_series text, first_time timestamptz,
                                 end_time timestamptz, known_at timestamptz)
RETURNS TABLE (from_time timestamptz, to_time timestamptz, nano_rate bigint,
               known_since timestamptz)
LANGUAGE sql STABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT ON (p.from_time) p.from_time, p.to_time, p.nano_rate, p.known_since
    FROM core.rate_price p
    WHERE p.tenant_id = home AND p.schedule_id = of_schedule AND p.series = of_series
      AND p.from_time >= first_time AND p.from_time < end_time AND p.known_since <= known_at
    ORDER BY p.from_time, p.known_since DESC
$$;

-- The same of the tenant's schedule, as many as row_limit.
CREATE FUNCTION api.rate_prices(of_schedule int, of_series text, first_time timestamptz,
                                end_time timestamptz, known_at timestamptz, row_limit int)
RETURNS TABLE (from_time timestamptz, to_time timestamptz, nano_rate bigint,
               known_since timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM core.rate_prices(core.tenant(), of_schedule, of_series, first_time, end_time,
                                   known_at)
    LIMIT row_limit;
END
$$;

-- ---- changing ----

-- A schedule of the tenant that is not removed, held against others who would change it.
CREATE FUNCTION core.rate_lock(home int, of_schedule int) RETURNS core.rate_schedule
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held core.rate_schedule;
BEGIN
    SELECT * INTO held FROM core.rate_schedule s
    WHERE s.tenant_id = home AND s.id = of_schedule AND s.removed_at IS NULL
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no rate schedule has this number' USING ERRCODE = 'TM404';
    END IF;
    RETURN held;
END
$$;

-- Adds a version to a schedule (0: to a new one) and answers the schedule's id. The document must
-- have been validated; valid_to NULL: open.
CREATE FUNCTION api.rate_version_add(of_schedule int, new_name text, timezone text, currency text,
                                     valid_from date, valid_to date, format text, document text)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    target int := of_schedule;
    last   core.rate_version;
BEGIN
    PERFORM core.timezone_check(timezone);
    IF of_schedule = 0 THEN
        INSERT INTO core.rate_schedule (tenant_id, name) VALUES (home, new_name)
        RETURNING id INTO target;
    ELSE
        target := (core.rate_lock(home, of_schedule)).id;
        UPDATE core.rate_schedule s SET name = new_name
        WHERE s.tenant_id = home AND s.id = target AND s.name <> new_name;
        SELECT * INTO last FROM core.rate_version v
        WHERE v.tenant_id = home AND v.schedule_id = target
        ORDER BY v.number DESC LIMIT 1;
    END IF;
    INSERT INTO core.rate_version (tenant_id, schedule_id, number, timezone, currency, from_day,
                                   to_day, known_since, made_by, format, document)
    VALUES (home, target, coalesce(last.number, 0) + 1, timezone, currency, valid_from,
            coalesce(valid_to, 'infinity'),
            greatest(clock_timestamp(), last.known_since + interval '1 microsecond'),
            core.actor(), format, document);
    PERFORM core.audit_add(
        home, CASE WHEN of_schedule = 0 THEN 'rate.add' ELSE 'rate.version' END, target::text,
        jsonb_build_object('name', new_name, 'version', coalesce(last.number, 0) + 1,
                           'format', format, 'valid_from', valid_from, 'valid_to', valid_to));
    RETURN target;
END
$$;

-- Takes a schedule and its assignments away. What was known before stays.
CREATE FUNCTION api.rate_remove(of_schedule int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was  CONSTANT core.rate_schedule := core.rate_lock(home, of_schedule);
BEGIN
    UPDATE core.rate_schedule s SET removed_at = clock_timestamp()
    WHERE s.tenant_id = home AND s.id = was.id;
    UPDATE core.rate_assignment a SET known_until = clock_timestamp()
    WHERE a.tenant_id = home AND a.schedule_id = was.id AND a.known_until IS NULL;
    PERFORM core.audit_add(home, 'rate.remove', was.id::text,
                           jsonb_build_object('name', was.name));
END
$$;

-- Lets a schedule hold at a site, a device or (both NULL) all of the tenant on the days [first_day,
-- end_day), NULL: without that bound. Answers the assignment's id.
CREATE FUNCTION api.rate_assign(of_schedule int, of_site text, of_device text, first_day date,
                                end_day date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    was    CONSTANT core.rate_schedule := core.rate_lock(home, of_schedule);
    device int;
    made   int;
BEGIN
    SELECT d.id INTO device FROM core.device d WHERE d.tenant_id = home AND d.key = of_device;
    IF NOT FOUND AND of_device IS NOT NULL THEN
        RAISE EXCEPTION 'device: there is no device "%"', of_device USING ERRCODE = 'TM422';
    END IF;
    INSERT INTO core.rate_assignment (tenant_id, schedule_id, site_id, device_id, from_day, to_day,
                                      made_by)
    VALUES (home, was.id, core.site_by_key(home, of_site), device,
            coalesce(first_day, '-infinity'), coalesce(end_day, 'infinity'), core.actor())
    RETURNING id INTO made;
    PERFORM core.audit_add(home, 'rate.assign', was.id::text, jsonb_strip_nulls(
        jsonb_build_object('name', was.name, 'assignment', made, 'site', of_site,
                           'device', of_device, 'from', first_day, 'to', end_day)));
    RETURN made;
END
$$;

-- Withdraws an assignment; one that is withdrawn stays so.
CREATE FUNCTION api.rate_unassign(of_schedule int, of_assignment int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was  CONSTANT core.rate_schedule := core.rate_lock(home, of_schedule);
    held core.rate_assignment;
BEGIN
    SELECT * INTO held FROM core.rate_assignment a
    WHERE a.tenant_id = home AND a.id = of_assignment AND a.schedule_id = was.id
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the rate schedule has no such assignment' USING ERRCODE = 'TM404';
    END IF;
    IF held.known_until IS NULL THEN
        UPDATE core.rate_assignment a SET known_until = clock_timestamp()
        WHERE a.tenant_id = home AND a.id = held.id;
        PERFORM core.audit_add(home, 'rate.unassign', was.id::text,
                               jsonb_build_object('name', was.name, 'assignment', held.id));
    END IF;
END
$$;

-- Adds prices of a series (parallel arrays, times apart); those that are known already are passed
-- over. Answers how many were added.
CREATE FUNCTION api.rate_prices_add(of_schedule int, of_series text, from_times timestamptz[],
                                    to_times timestamptz[], nano_rates bigint[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    was   CONSTANT core.rate_schedule := core.rate_lock(home, of_schedule);
    added int;
BEGIN
    INSERT INTO core.rate_price (tenant_id, schedule_id, series, from_time, to_time, nano_rate,
                                 known_since)
    SELECT home, was.id, of_series, n.from_time, n.to_time, n.nano_rate,
           greatest(now(), k.known_since + interval '1 microsecond')
    FROM unnest(from_times, to_times, nano_rates) AS n (from_time, to_time, nano_rate)
    LEFT JOIN LATERAL (SELECT p.* FROM core.rate_price p
                       WHERE p.tenant_id = home AND p.schedule_id = was.id
                         AND p.series = of_series AND p.from_time = n.from_time
                       ORDER BY p.known_since DESC LIMIT 1) k ON true
    WHERE (k.to_time, k.nano_rate) IS DISTINCT FROM (n.to_time, n.nano_rate);
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added > 0 THEN
        PERFORM core.audit_add(home, 'rate.prices', was.id::text, jsonb_build_object(
            'name', was.name, 'series', of_series, 'added', added));
    END IF;
    RETURN added;
END
$$;

GRANT EXECUTE ON FUNCTION
    api.rate_applied(text, text, date, date, timestamptz),
    api.rate_prices(int, text, timestamptz, timestamptz, timestamptz, int)
    TO tidemark_web, tidemark_read;
GRANT EXECUTE ON FUNCTION
    api.rate_version_add(int, text, text, text, date, date, text, text), api.rate_remove(int),
    api.rate_assign(int, text, text, date, date), api.rate_unassign(int, int),
    api.rate_prices_add(int, text, timestamptz[], timestamptz[], bigint[])
    TO tidemark_web;
