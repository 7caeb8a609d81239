-- The timeline of a meter: what happened to it that its readings do not tell, as dated entries of
-- its device. Energy follows them; the readings, and what is rolled up of them, stay as they are.
-- An entry is never changed or deleted: withdrawing it is its reverse.
--
-- swap and reset are instants: the register before ends there (at `final`, where that is known), and
-- another begins (at `initial`, where that is known); between the two there is no energy. The others
-- are spans [at, until): on a fall a `rollover` register went on past its `size`; in a `gap` readings
-- do not count, and no energy is told; energy is multiplied by a `factor`; readings are in a `unit`.
-- Where several meet, all of them hold: readings in a gap are left out first, then units make them
-- comparable, then swaps, resets and rollovers say what a step amounts to, and factors and gaps what
-- of it counts. Of one kind there is one at a time.

CREATE TABLE core.meter_entry (
    tenant_id    int NOT NULL REFERENCES core.tenant,
    id           int GENERATED ALWAYS AS IDENTITY,
    device_id    int NOT NULL,
    only_series  int,                               -- NULL: all of the device's that tell energy
    kind         text NOT NULL
        CHECK (kind IN ('swap', 'reset', 'rollover', 'gap', 'factor', 'unit')),
    at           timestamptz NOT NULL,
    until        timestamptz CHECK (until > at),    -- infinity: open
    final        float8,                            -- in the readings' unit before `at`
    initial      float8,                            -- in their unit from `at` on
    size         float8 CHECK (size > 0),           -- in the series' own unit
    factor       numeric CHECK (factor > 0),
    unit         text,
    note         text NOT NULL,
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    withdrawn_by text,
    withdrawn_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES core.device,
    FOREIGN KEY (tenant_id, only_series) REFERENCES core.series,
    CHECK ((kind IN ('swap', 'reset')) = (until IS NULL)),
    CHECK ((kind = 'rollover') = (size IS NOT NULL)),
    CHECK ((kind = 'factor') = (factor IS NOT NULL)),
    CHECK ((kind = 'unit') = (unit IS NOT NULL AND only_series IS NOT NULL))
);
CREATE INDEX meter_entry_device ON core.meter_entry (tenant_id, device_id, at);
CREATE INDEX meter_entry_series ON core.meter_entry (tenant_id, only_series)
    WHERE only_series IS NOT NULL;
SELECT core.protect('core.meter_entry', 'tenant_id');

SET LOCAL ROLE tidemark_door;

-- The name of a person who is erased is not kept here either.
CREATE FUNCTION core.meter_maker_forget() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE core.meter_entry e
    SET made_by = CASE e.made_by WHEN OLD.email THEN 'erased person ' || OLD.id ELSE e.made_by END,
        withdrawn_by = CASE e.withdrawn_by WHEN OLD.email THEN 'erased person ' || OLD.id
                       ELSE e.withdrawn_by END
    WHERE OLD.email IN (e.made_by, e.withdrawn_by);
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION core.meter_maker_forget() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER meter_maker_forgotten AFTER DELETE ON core.person
    FOR EACH ROW EXECUTE FUNCTION core.meter_maker_forget();

-- Withdrawn ones too.
CREATE VIEW api.meter_entry WITH (security_barrier) AS
SELECT e.id, d.key AS device, s.metric, s.labels, e.kind, e.at, e.until, e.final, e.initial, e.size,
       e.factor, e.unit, e.note, e.made_by, e.made_at, e.withdrawn_by, e.withdrawn_at
FROM core.meter_entry e
JOIN core.device d ON d.tenant_id = e.tenant_id AND d.id = e.device_id
LEFT JOIN core.series s ON s.tenant_id = e.tenant_id AND s.id = e.only_series;
GRANT SELECT ON api.meter_entry TO tidemark_web, tidemark_read;

-- engine: meter_energy

-- engine: meter_follow

SET LOCAL ROLE tidemark_door;

-- ---- what may be entered ----

-- The series that an entry is about.
CREATE FUNCTION core.meter_series_of(entry core.meter_entry)
RETURNS TABLE (id int, metric text, kind text, unit text, scale float8)
LANGUAGE sql STABLE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, s.metric, s.kind, s.unit, core.energy_scale(s.unit, s.kind, s.role)
    FROM core.series s
    WHERE s.tenant_id = entry.tenant_id AND s.device_id = entry.device_id
      AND (entry.only_series IS NULL OR s.id = entry.only_series)
      AND (s.kind = 'counter' OR entry.kind NOT IN ('swap', 'reset', 'rollover'))
      AND core.energy_scale(s.unit, s.kind, s.role) IS NOT NULL
    ORDER BY s.id
$$;

-- From when on what is derived of an entry's series follows the samples.
CREATE FUNCTION core.meter_since(entry core.meter_entry) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(core.correctable_from(entry.tenant_id, s.id)) FROM core.meter_series_of(entry) s
$$;

-- Which series an entry means by metric and labels (both NULL: all, or the only one it can be about
-- where it has figures of a register or a unit), or what is wrong with them.
CREATE FUNCTION core.meter_choose(entry core.meter_entry, of_metric text, of_labels jsonb,
                                  OUT chosen int, OUT problem text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_single CONSTANT boolean := entry.kind IN ('rollover', 'unit') OR entry.final IS NOT NULL
                                  OR coalesce(entry.initial, 0) <> 0
                                  OR entry.kind = 'swap' AND entry.initial IS NOT NULL;
    n bigint;
BEGIN
    IF of_metric IS NULL AND of_labels IS NULL THEN
        SELECT count(*), min(s.id) INTO n, chosen FROM core.meter_series_of(entry) s;
        problem := CASE
            WHEN n = 0 AND entry.kind IN ('swap', 'reset', 'rollover') THEN
                'metric: the device has no counter of energy'
            WHEN n = 0 THEN 'metric: the device tells neither energy nor power'
            WHEN n > 1 AND is_single THEN 'metric: the device has several; say which one' END;
        chosen := CASE WHEN is_single AND n = 1 THEN chosen END;
        RETURN;
    END IF;
    SELECT count(*), min(s.id) INTO n, chosen FROM core.series s
    WHERE s.tenant_id = entry.tenant_id AND s.device_id = entry.device_id AND s.metric = of_metric
      AND (of_labels IS NULL OR md5(s.labels::text) = md5(of_labels::text));
    entry.only_series := chosen;
    problem := CASE
        WHEN of_metric IS NULL THEN 'metric: must be given beside labels'
        WHEN n = 0 THEN 'metric: the device has no such series'
        WHEN n > 1 THEN 'labels: the metric has several series; say which one'
        WHEN EXISTS (SELECT FROM core.meter_series_of(entry)) THEN NULL
        WHEN entry.kind IN ('swap', 'reset', 'rollover') THEN
            'metric: is no counter of energy; only those are swapped, reset or roll over'
        ELSE 'metric: tells neither energy nor power' END;
END
$$;

-- Another entry in force that leaves an entry no room.
CREATE FUNCTION core.meter_rival(entry core.meter_entry) RETURNS core.meter_entry
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e FROM core.meter_entry e
    WHERE e.tenant_id = entry.tenant_id AND e.device_id = entry.device_id
      AND e.withdrawn_at IS NULL
      AND coalesce(e.only_series = entry.only_series, true)
      AND CASE WHEN entry.until IS NULL THEN e.until IS NULL AND e.at = entry.at
               ELSE e.kind = entry.kind AND e.at < entry.until AND e.until > entry.at END
    ORDER BY e.at LIMIT 1
$$;

-- A reading and its time, as people read them.
CREATE FUNCTION core.meter_text(value float8, at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('%s at %s', value, core.instant_text(at)) $$;

-- What readings beside a swap or reset of a series say against it: 'field: reason', or NULL. Readings
-- that roll over say nothing.
CREATE FUNCTION core.meter_contradiction(entry core.meter_entry, series int) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT interval := core.energy_longest('counter');
    before  record;
    after   record;
BEGIN
    IF EXISTS (SELECT FROM core.meter_entries(entry.tenant_id, series) e
               WHERE e.kind = 'rollover' AND e.at <= entry.at AND e.until >= entry.at) THEN
        RETURN NULL;
    END IF;
    SELECT p.* INTO before FROM core.meter_last(entry.tenant_id, series, 'counter', entry.at,
                                                entry.at - longest) p;
    SELECT p.* INTO after FROM core.meter_first(entry.tenant_id, series, 'counter', entry.at,
                                                entry.at + longest) p;
    -- readings in different units are not compared
    RETURN CASE
        WHEN EXISTS (SELECT FROM core.meter_entries(entry.tenant_id, series) e
                     WHERE e.kind = 'unit' AND e.at < after.at AND e.until > before.at
                       AND NOT (e.at <= before.at AND e.until > after.at)) THEN NULL
        WHEN entry.final < before.value THEN format(
            'final: is less than the reading before it, %s',
            core.meter_text(before.value, before.at))
        WHEN entry.initial > after.value THEN format(
            'initial: is more than the first reading after it, %s',
            core.meter_text(after.value, after.at))
        WHEN entry.kind = 'reset' AND after.value >= before.value THEN format(
            'at: the register did not fall: it was at %s and %s',
            core.meter_text(before.value, before.at), core.meter_text(after.value, after.at)) END;
END
$$;

-- The largest reading of a series in [since, before): of closed quarter hours by their rollups.
CREATE FUNCTION core.meter_highest(owner int, series int, since timestamptz, before timestamptz)
RETURNS float8
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    quarter CONSTANT interval := interval '15 minutes';
    closed  CONSTANT timestamptz := (SELECT s.closed_until FROM core.rollup_state s);
    head    CONSTANT timestamptz := least(before, closed,
                core.quarter(since - interval '1 microsecond') + quarter);
    tail    CONSTANT timestamptz := greatest(head, core.quarter(least(before, closed)));
BEGIN
    RETURN greatest(
        (SELECT max(x.value) FROM core.sample x
         WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= since
           AND x.time < head),
        (SELECT max(r.max) FROM core.rollup_15m r
         WHERE r.tenant_id = owner AND r.series_id = series AND r.bucket >= head
           AND r.bucket < tail),
        (SELECT max(x.value) FROM core.sample x
         WHERE x.tenant_id = owner AND x.series_id = series AND x.time >= greatest(since, tail)
           AND x.time < before));
END
$$;

-- What is wrong with an entry whose series is chosen, as 'field: reason'; no row: nothing.
CREATE FUNCTION core.meter_problems(entry core.meter_entry) RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most   CONSTANT int := 1000;     -- in force, of a device
    since  CONSTANT timestamptz := core.meter_since(entry);
    rival  CONSTANT core.meter_entry := core.meter_rival(entry);
    series record;
    high   float8;
BEGIN
    IF rival.id IS NOT NULL THEN
        RETURN NEXT format(CASE WHEN entry.until IS NULL THEN 'at: entry %s is of this very time'
                           ELSE 'at: the time overlaps with that of entry %s' END, rival.id);
    END IF;
    IF entry.until IS NULL AND entry.at > now() THEN
        RETURN NEXT 'at: lies ahead';
    ELSIF coalesce(entry.until, entry.at) < since THEN
        RETURN NEXT format('%s: readings before %s are kept no longer, and what was made of them'
                           ' stays', CASE WHEN entry.until IS NULL THEN 'at' ELSE 'until' END,
                           core.instant_text(since));
    END IF;
    IF most <= (SELECT count(*) FROM core.meter_entry e
                WHERE e.tenant_id = entry.tenant_id AND e.device_id = entry.device_id
                  AND e.withdrawn_at IS NULL) THEN
        RETURN NEXT format('kind: the device has %s entries in force, and may have no more', most);
    END IF;
    FOR series IN SELECT s.* FROM core.meter_series_of(entry) s LOOP
        IF entry.kind = 'rollover' THEN
            -- readings in a unit of their own are not compared
            SELECT max(core.meter_highest(entry.tenant_id, series.id, lower(r.span), upper(r.span)))
            INTO high
            FROM (SELECT unnest(tstzmultirange(tstzrange(entry.at, entry.until))
                                * core.meter_counts(entry.tenant_id, series.id)
                                - coalesce(range_agg(tstzrange(e.at, e.until)),
                                           '{}'::tstzmultirange)) AS span
                  FROM core.meter_entries(entry.tenant_id, series.id) e
                  WHERE e.kind = 'unit') r;
            IF high > entry.size THEN
                RETURN NEXT format('size: is less than a reading of that time, %s', high);
            END IF;
        ELSIF entry.kind IN ('swap', 'reset') AND rival.id IS NULL THEN
            RETURN QUERY SELECT c FROM core.meter_contradiction(entry, series.id) c
                         WHERE c IS NOT NULL;
        ELSIF entry.kind = 'unit' AND entry.unit = series.unit THEN
            RETURN NEXT 'unit: is the series'' own';
        ELSIF entry.kind = 'unit' AND core.energy_scale(entry.unit, series.kind, '') IS NULL THEN
            RETURN NEXT CASE series.kind WHEN 'gauge' THEN 'unit: must be W or kW'
                                         ELSE 'unit: must be Wh, kWh or MWh' END;
        END IF;
    END LOOP;
END
$$;

-- ---- entering and withdrawing ----

-- The device of a key, held against others who enter or withdraw something.
CREATE FUNCTION core.meter_hold(home int, of_key text) RETURNS int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held int;
BEGIN
    SELECT d.id INTO held FROM core.device d WHERE d.tenant_id = home AND d.key = of_key
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no device has this key' USING ERRCODE = 'TM404';
    END IF;
    PERFORM core.floor_hold(home, ARRAY(SELECT s.id FROM core.series s
                                        WHERE s.tenant_id = home AND s.device_id = held));
    RETURN held;
END
$$;

-- Lets what is derived of an entry's series follow it.
CREATE FUNCTION core.meter_follow(entry core.meter_entry) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.change (tenant_id, series_id, from_time, to_time)
    SELECT entry.tenant_id, c.id, greatest(entry.at, c.head, c.since), coalesce(entry.until, entry.at)
    FROM (SELECT s.id, core.energy_head(entry.tenant_id, s.id) AS head,
                 core.correctable_from(entry.tenant_id, s.id) AS since
          FROM core.meter_series_of(entry) s) c
    WHERE greatest(entry.at, c.head, c.since) <= coalesce(entry.until, entry.at)
      AND c.head IS NOT NULL;
END
$$;

-- An entry as it would be made, with its problems ('field: reason').
CREATE FUNCTION core.meter_draft(draft core.meter_entry, of_metric text, of_labels text,
                                 OUT entry core.meter_entry, OUT problems text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text;
BEGIN
    entry := draft;
    IF entry.kind = 'reset' THEN
        entry.initial := coalesce(entry.initial, 0);
    ELSIF entry.kind <> 'swap' THEN
        entry.until := coalesce(entry.until, 'infinity');
    END IF;
    SELECT c.chosen, c.problem INTO entry.only_series, problem
    FROM core.meter_choose(entry, of_metric, of_labels::jsonb) c;
    problems := CASE WHEN problem IS NOT NULL THEN ARRAY[problem]
                ELSE ARRAY(SELECT core.meter_problems(entry)) END;
END
$$;

-- What is wrong with an entry of a device; no row: nothing. metric NULL: all series, or the one
-- that it can be about; labels NULL: the only series of its metric. until NULL: open. What is known
-- of one kind of entry alone is NULL of others; that is for the caller to see to.
CREATE FUNCTION api.meter_entry_problems(of_device text, of_metric text, of_labels text, kind text,
                                         at timestamptz, until timestamptz, final float8,
                                         initial float8, size float8, factor numeric, unit text)
RETURNS TABLE (field text, problem text)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    draft core.meter_entry;
BEGIN
    draft.tenant_id := home;
    draft.device_id := core.meter_hold(home, of_device);
    SELECT kind, at, until, final, initial, size, factor, unit
    INTO draft.kind, draft.at, draft.until, draft.final, draft.initial, draft.size, draft.factor,
         draft.unit;
    RETURN QUERY
    SELECT split_part(p.text, ': ', 1), substr(p.text, strpos(p.text, ': ') + 2)
    FROM unnest((core.meter_draft(draft, of_metric, of_labels)).problems) AS p (text);
END
$$;

-- Makes the entry and answers its number. Fails, with the first problem, where there is one.
CREATE FUNCTION api.meter_entry_add(of_device text, of_metric text, of_labels text, kind text,
                                    at timestamptz, until timestamptz, final float8,
                                    initial float8, size float8, factor numeric, unit text,
                                    note text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    draft  core.meter_entry;
    judged record;
    made   int;
BEGIN
    draft.tenant_id := home;
    draft.device_id := core.meter_hold(home, of_device);
    SELECT kind, at, until, final, initial, size, factor, unit
    INTO draft.kind, draft.at, draft.until, draft.final, draft.initial, draft.size, draft.factor,
         draft.unit;
    SELECT d.* INTO judged FROM core.meter_draft(draft, of_metric, of_labels) d;
    IF cardinality(judged.problems) > 0 THEN
        RAISE EXCEPTION '%', judged.problems[1] USING ERRCODE = 'TM422';
    END IF;
    draft := judged.entry;
    INSERT INTO core.meter_entry (tenant_id, device_id, only_series, kind, at, until, final, initial,
                                  size, factor, unit, note, made_by)
    VALUES (home, draft.device_id, draft.only_series, draft.kind, draft.at, draft.until,
            draft.final, draft.initial, draft.size, draft.factor, draft.unit, coalesce(note, ''),
            core.actor())
    RETURNING id INTO made;
    PERFORM core.meter_follow(draft);
    PERFORM core.audit_add(home, 'meter.add', of_device, core.meter_told_as(draft)
                           || jsonb_build_object('entry', made));
    RETURN made;
END
$$;

-- What the audit trail says of an entry.
CREATE FUNCTION core.meter_told_as(entry core.meter_entry) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'kind', entry.kind, 'at', core.instant_text(entry.at),
        'until', CASE WHEN entry.until < 'infinity' THEN core.instant_text(entry.until) END,
        'metric', (SELECT s.metric FROM core.series s
                   WHERE s.tenant_id = entry.tenant_id AND s.id = entry.only_series),
        'final', entry.final, 'initial', entry.initial, 'size', entry.size,
        'factor', entry.factor, 'unit', entry.unit));
END
$$;

-- Withdraws an entry; one that is withdrawn stays so.
CREATE FUNCTION api.meter_entry_withdraw(of_device text, of_entry int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home   CONSTANT int := core.tenant();
    device CONSTANT int := core.meter_hold(home, of_device);
    held   core.meter_entry;
BEGIN
    SELECT e.* INTO held FROM core.meter_entry e
    WHERE e.tenant_id = home AND e.device_id = device AND e.id = of_entry;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the device has no such entry' USING ERRCODE = 'TM404';
    ELSIF held.withdrawn_at IS NOT NULL THEN
        RETURN;
    ELSIF coalesce(held.until, held.at) < core.meter_since(held) THEN
        RAISE EXCEPTION 'readings of that time are kept no longer, and what was made of them stays'
            USING ERRCODE = 'TM409';
    END IF;
    UPDATE core.meter_entry e SET withdrawn_at = clock_timestamp(), withdrawn_by = core.actor()
    WHERE e.tenant_id = home AND e.id = held.id;
    PERFORM core.meter_follow(held);
    PERFORM core.audit_add(home, 'meter.withdraw', of_device, core.meter_told_as(held)
                           || jsonb_build_object('entry', held.id));
END
$$;

GRANT EXECUTE ON FUNCTION
    api.meter_entry_problems(text, text, text, text, timestamptz, timestamptz, float8, float8,
                             float8, numeric, text),
    api.meter_entry_add(text, text, text, text, timestamptz, timestamptz, float8, float8, float8,
                        numeric, text, text),
    api.meter_entry_withdraw(text, int) TO tidemark_web;

SET LOCAL ROLE tidemark_owner;
