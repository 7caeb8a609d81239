-- Local time: where a zone's days, weeks, months and hours begin. No data of anybody's. Days are
-- 23 to 25 hours long, begin where the zone's calendar says, and weeks begin on Monday.

-- The instant at which the local day, week or month (`unit`) of an instant began. A midnight that
-- the clock skips is the instant of the skip; of one that occurs twice the first counts (asking
-- for a second before midnight finds it: PostgreSQL takes the later of two readings).
CREATE FUNCTION core.local_start(unit text, at timestamptz, tz text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT least(date_trunc(unit, at AT TIME ZONE tz) AT TIME ZONE tz,
                 (date_trunc(unit, at AT TIME ZONE tz) - interval '1 second') AT TIME ZONE tz
                     + interval '1 second')
$$;

-- The zone's offset from UTC at an instant, in seconds.
CREATE FUNCTION core.zone_offset_s(at timestamptz, tz text) RETURNS int
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT date_part('epoch', (at AT TIME ZONE tz) - (at AT TIME ZONE 'UTC'))::int $$;

-- The zone's offsets in [since, until): one row at `since`, one at each change. Found by looking
-- at every day and halving those in which the offset changes.
CREATE FUNCTION api.zone_offsets(tz text, since timestamptz, until timestamptz)
RETURNS TABLE (from_time timestamptz, offset_s int)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    low  timestamptz;
    high timestamptz := since;
    mid  timestamptz;
    edge timestamptz;
BEGIN
    IF until - since > interval '100 years' THEN
        RAISE EXCEPTION 'more than 100 years' USING ERRCODE = '22023';
    END IF;
    from_time := since;
    offset_s := core.zone_offset_s(since, tz);
    RETURN NEXT;
    WHILE high < until LOOP
        low := high;
        edge := least(low + interval '24 hours', until);
        high := edge;
        CONTINUE WHEN core.zone_offset_s(edge, tz) = offset_s;
        WHILE high - low > interval '1 second' LOOP
            mid := date_trunc('second', low + (high - low) / 2);
            EXIT WHEN mid <= low;
            IF core.zone_offset_s(mid, tz) = offset_s THEN low := mid; ELSE high := mid; END IF;
        END LOOP;
        high := date_trunc('second', high);
        from_time := high;
        offset_s := core.zone_offset_s(high, tz);
        IF high < until THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- Starts of local quarter hours ('15m') and hours ('1h') in [since, until): where the local clock
-- shows :00 (:15, …), and where it jumps: an hour that occurs twice is two buckets, and half an
-- hour that is repeated (Lord Howe) is one of its own.
CREATE FUNCTION core.clock_starts(tz text, width interval, since timestamptz, until timestamptz)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH spans AS (
        SELECT o.from_time, o.offset_s, o.from_time > since AS is_jump,
               lead(o.from_time, 1, until) OVER (ORDER BY o.from_time) AS stop
        FROM api.zone_offsets(tz, since, until) o
    ), aligned AS (
        SELECT s.*, width + date_bin(width, s.from_time - interval '1 microsecond',
                                     timestamptz '2000-01-01 00:00:00+00'
                                     - make_interval(secs => s.offset_s)) AS first
        FROM spans s
    )
    SELECT g FROM aligned a CROSS JOIN LATERAL generate_series(a.first, a.stop, width) g
    WHERE g < a.stop
    UNION
    SELECT a.from_time FROM aligned a WHERE a.is_jump
    ORDER BY 1;
END
$$;

-- Starts of the local buckets ('15m', '1h', '1d', '1w', '1mo') in [since, until), ascending.
CREATE FUNCTION api.bucket_starts(tz text, grain text, since timestamptz, until timestamptz)
RETURNS TABLE (start timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unit text := CASE grain WHEN '1d' THEN 'day' WHEN '1w' THEN 'week' WHEN '1mo' THEN 'month' END;
BEGIN
    IF grain IN ('15m', '1h') THEN
        RETURN QUERY SELECT core.clock_starts(
            tz, CASE grain WHEN '15m' THEN interval '15 minutes' ELSE interval '1 hour' END,
            since, until);
    ELSIF unit IS NOT NULL THEN
        RETURN QUERY
        SELECT DISTINCT s.start
        FROM generate_series(date_trunc(unit, since AT TIME ZONE tz) + interval '12 hours',
                             until AT TIME ZONE tz + interval '36 hours',
                             ('1 ' || unit)::interval) AS g (noon)
        CROSS JOIN LATERAL core.local_start(unit, g.noon AT TIME ZONE tz, tz) AS s (start)
        WHERE s.start >= since AND s.start < until
        ORDER BY s.start;
    ELSE
        RAISE EXCEPTION 'there is no bucket "%"', grain USING ERRCODE = '22023';
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION core.local_start(text, timestamptz, text),
    api.zone_offsets(text, timestamptz, timestamptz),
    api.bucket_starts(text, text, timestamptz, timestamptz) TO tidemark_web, tidemark_read;
