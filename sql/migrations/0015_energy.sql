-- Energy, kept: of every series that tells energy or power what it amounts to in each quarter hour
-- (UTC) and each local day of its site, in nano-kWh. Integers, so that sums are exact in any
-- order; billionths, so that a watt read every second is not rounded away. Kept longer than the
-- samples behind them. Also api.energy_list, which reads them.
--
-- A step is two neighbouring readings of a series; it belongs to the time at which it ends. The
-- tables hold the parts of all steps that end before core.rollup_state.closed_until; readers add
-- those that end later, from the samples.

CREATE TABLE core.energy_15m (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    bucket    timestamptz NOT NULL,
    nkwh      bigint NOT NULL,
    PRIMARY KEY (tenant_id, series_id, bucket)
-- engine: bucket_partitioned
CREATE TABLE core.energy_1d (LIKE core.energy_15m INCLUDING ALL
-- engine: bucket_partitioned
SELECT core.partition_by_bucket('core.energy_15m', interval '28 days'),
       core.partition_by_bucket('core.energy_1d', interval '1 year');
GRANT SELECT, INSERT, UPDATE, DELETE ON core.energy_15m, core.energy_1d TO tidemark_door;

-- ---- arithmetic ----

-- Nano-kWh in one of the series' units (for power: in one of it over an hour); NULL: the series
-- tells neither energy nor power.
CREATE FUNCTION core.energy_scale(unit text, kind text, role text) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN role = 'none' THEN NULL
                WHEN kind = 'gauge' THEN CASE unit WHEN 'W' THEN 1e6 WHEN 'kW' THEN 1e9 END
                ELSE CASE unit WHEN 'Wh' THEN 1e6 WHEN 'kWh' THEN 1e9 WHEN 'MWh' THEN 1e12 END
           END::float8
$$;

-- A sum as the tables can hold it: nonsense in a reading must not stop what is kept of others.
-- NULL for NULL, which least and greatest would pass over.
CREATE FUNCTION core.energy_bound(nkwh numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN nkwh IS NOT NULL THEN least(greatest(nkwh, -9e18), 9e18)::bigint END
$$;

-- Nano-kWh of the first `part` seconds of a step from value_0 to value that lasts `width` seconds,
-- rounded: the difference of two is what lies between them, and all of a step's parts together are
-- the rounded step. A counter's rise is spread evenly over the time, a fall is a restart from
-- zero; power follows the trapezoid.
CREATE FUNCTION core.energy_until(kind text, scale float8, value_0 float8, value float8,
                                  width float8, part float8) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT round(least(greatest(scale * CASE kind
        WHEN 'counter' THEN (value - CASE WHEN value >= value_0 THEN value_0 ELSE 0 END)
                            * (part / width)
        ELSE (value_0 + (value - value_0) * part / width / 2) * part / 3600
        END, -9e17), 9e17))::bigint
$$;

-- The longest step: over a longer gap power is not known; a counter that was silent for more than
-- a year begins anew (and one wrong date does not fill centuries).
CREATE FUNCTION core.energy_longest(kind text) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE kind WHEN 'gauge' THEN interval '1 hour' ELSE interval '400 days' END $$;

-- The quarter hour that an instant lies in.
CREATE FUNCTION core.quarter(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00') $$;

-- A series' last reading in [since, before - 1 hour), where there is none in the hour before: apart
-- from whoever asks, whose plan needs not have all old partitions in it.
CREATE FUNCTION core.energy_before(owner int, series int, before timestamptz, since timestamptz)
RETURNS TABLE (at timestamptz, value float8)
LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM core.sample x
                   WHERE x.tenant_id = owner AND x.series_id = series
                     AND x.time < before AND x.time >= before - interval '1 hour') THEN
        RETURN QUERY
        SELECT x.time, x.value FROM core.sample x
        WHERE x.tenant_id = owner AND x.series_id = series
          AND x.time < before - interval '1 hour' AND x.time >= since
        ORDER BY x.time DESC LIMIT 1;
    END IF;
END
$$;

-- What the steps of a series that end in [from_time, to_time) amount to, by quarter hour; the
-- step into from_time's first reading may reach far back. A reading of an interval (delta)
-- belongs whole to its own quarter hour. The step into a counter's first reading is left out where
-- it began earlier than `reach` before from_time. Times are seconds since 1970 in here: a second's
-- fraction is exact to the microsecond until 2255. No settings, so that it becomes part of the
-- caller's plan.
CREATE FUNCTION core.energy_parts(owner int, series int, kind text, scale float8,
                                  from_time timestamptz, to_time timestamptz,
                                  reach interval DEFAULT core.energy_longest('counter'))
RETURNS TABLE (bucket timestamptz, nkwh bigint)
LANGUAGE sql STABLE ROWS 10
AS $$
    SELECT to_timestamp(c.quarter * 900.0::float8),
           core.energy_bound(sum(CASE kind
               WHEN 'delta' THEN round(least(greatest(scale * c.v, -9e17), 9e17))::bigint
               ELSE core.energy_until(kind, scale, c.v0, c.v, c.t - c.t0,
                                      least(c.t, (c.quarter + 1) * 900.0::float8) - c.t0)
                    - core.energy_until(kind, scale, c.v0, c.v, c.t - c.t0,
                                        greatest(c.t0, c.quarter * 900.0::float8) - c.t0) END))
    FROM (SELECT s.*, generate_series(
                     floor(s.t0 / 900)::int,
                     CASE kind WHEN 'delta' THEN floor(s.t / 900)
                               ELSE ceil(s.t / 900) - 1 END::int) AS quarter
          FROM (SELECT r.t, r.v, CASE kind WHEN 'delta' THEN r.t ELSE lag(r.t) OVER w END AS t0,
                       lag(r.v) OVER w AS v0
                FROM ((SELECT date_part('epoch', x.time) AS t, x.value AS v
                       FROM core.sample x
                       WHERE kind <> 'delta' AND x.tenant_id = owner AND x.series_id = series
                         AND x.time < from_time AND x.time >= from_time - interval '1 hour'
                       ORDER BY x.time DESC LIMIT 1)
                      UNION ALL
                      SELECT date_part('epoch', b.at), b.value
                      FROM core.energy_before(owner, series, from_time, from_time - reach) b
                      WHERE kind = 'counter'
                      UNION ALL
                      SELECT date_part('epoch', x.time), x.value
                      FROM core.sample x
                      WHERE x.tenant_id = owner AND x.series_id = series
                        AND x.time >= from_time AND x.time < to_time) r
                WINDOW w AS (ORDER BY r.t)) s
          -- before 1684 two readings may be so near that their seconds are the same
          WHERE (kind = 'delta' OR s.t > s.t0) AND s.t >= date_part('epoch', from_time)
            AND s.t - s.t0 <= date_part('epoch', core.energy_longest(kind))) c
    GROUP BY c.quarter
$$;

-- engine: energy_write

DROP FUNCTION api.energy_list(text, timestamptz, timestamptz),
    core.sample_beside(int, int, timestamptz, boolean);

-- engine: energy_read
