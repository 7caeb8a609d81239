-- What a counter's falls say. A register only rises; where a reading is less than the one before, it
-- began anew, or one of the two is wrong. The rule looks at neighbours alone, so that what is derived
-- of a part is what would be derived of all:
--   * a fall of less than a tenth is no restart: nothing is counted up to the highest of the three
--     readings before;
--   * up to 60 readings more than a tenth lower than the one before them, between two readings at
--     most three days apart of which the second is back at the first one's level (more than a tenth
--     above the last low one), are contradictions and left out, unless the register may have climbed
--     back: with 25 kW, or ten times as fast as it rose beside;
--   * any other fall is a restart from zero, or, where it could not have risen so far since, tells
--     nothing;
--   * up to six hours after a swap or reset readings at the old register's level that the new one
--     cannot have are left out.
-- So what a step amounts to depends on readings at most 256 and 12 days away; where neighbours do not
-- fall (core.counter_is_odd), on the three before it alone. Times are seconds since 1970 in here.

-- Whether a step from one reading of a counter to the next is none of a register that only rises: a
-- fall, or a rise by more than a tenth with more than 25 kW, which may end one.
CREATE FUNCTION core.counter_is_odd(scale float8, t0 float8, v0 float8, t float8, v float8)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT v < v0 OR (v0 < 0.9::float8 * v
                      AND (v - v0) * scale > 25e9::float8 / 3600 * (t - t0))
$$;

-- The fastest climb that a restart explains, in units a second: 25 kW, or ten times the fastest of
-- the paces given (NULL: not known).
CREATE FUNCTION core.counter_fastest(scale float8, VARIADIC paces float8[] DEFAULT '{}') RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT greatest(25e9::float8 / 3600 / scale, 10 * max(p.pace)) FROM unnest(paces) AS p (pace)
$$;

-- The pace from one point to another, where both are of one register and within three days; NULL:
-- not known.
CREATE FUNCTION core.counter_pace(ts float8[], sides int[], amounts float8[], i int, j int)
RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN i >= 1 AND j <= cardinality(ts) AND i < j AND sides[i] <> 0 AND sides[j] <> 1
                     AND ts[j] > ts[i] AND ts[j] - ts[i] <= 259200
                THEN (amounts[j] - amounts[i]) / (ts[j] - ts[i]) END
$$;

-- Whether each point of a counter is left out as a contradiction. Parallel arrays as those of
-- core.meter_points; amounts in nano-kWh.
CREATE FUNCTION core.counter_left_out(ts float8[], sides int[], amounts float8[]) RETURNS boolean[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT float8 := 3 * 86400;   -- from the reading before to the one that is back
    most    CONSTANT int := 60;             -- readings between
    n       CONSTANT int := coalesce(cardinality(ts), 0);
    gone    boolean[] := array_fill(false, ARRAY[n]);
    back    int;
    near    int;
BEGIN
    FOR i IN 1 .. n - 1 LOOP
        CONTINUE WHEN amounts[i + 1] >= amounts[i];
        CONTINUE WHEN amounts[i + 1] >= 0.9 * amounts[i] OR amounts[i] IS NULL
                   OR amounts[i + 1] IS NULL OR sides[i] = 0 OR sides[i + 1] <> 2;
        back := i + 2;
        WHILE back <= n AND back - i <= most + 1 AND ts[back] - ts[i] <= longest
              AND sides[back] <> 1 AND sides[back - 1] = 2 AND amounts[back] < 0.9 * amounts[i] LOOP
            back := back + 1;
        END LOOP;
        CONTINUE WHEN back > n OR back - i > most + 1 OR ts[back] - ts[i] > longest
                   OR sides[back] = 1 OR sides[back - 1] <> 2 OR amounts[back] IS NULL
                   OR amounts[back - 1] >= 0.9 * amounts[back];
        -- a reading at the same level says more of the pace than one between two falls
        near := i - 1;
        FOR k IN REVERSE i - 1 .. greatest(i - 3, 1) LOOP
            EXIT WHEN sides[k + 1] <> 2;
            IF amounts[k] BETWEEN 0.9 * amounts[i] AND amounts[i] THEN
                near := k;
                EXIT;
            END IF;
        END LOOP;
        IF amounts[back] - amounts[back - 1] > (ts[back] - ts[back - 1]) * core.counter_fastest(
               1, core.counter_pace(ts, sides, amounts, near, i),
               core.counter_pace(ts, sides, amounts, i + 1, back - 1),
               core.counter_pace(ts, sides, amounts, back, back + 1)) THEN
            FOR k IN i + 1 .. back - 1 LOOP
                gone[k] := true;
            END LOOP;
        END IF;
    END LOOP;
    RETURN gone;
END
$$;

-- Marks the readings of a register that ended at point i - 1 among those of the next one, which begins
-- at point i with a value that is known.
CREATE FUNCTION core.counter_late(ts float8[], sides int[], amounts float8[], i int, old float8,
                                  gone boolean[]) RETURNS boolean[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    late CONSTANT float8 := 6 * 3600;
    last int := i;
    next int := i + 1;
BEGIN
    IF amounts[i] BETWEEN 0.9 * old AND old / 0.9 THEN
        RETURN gone;
    END IF;
    WHILE next <= cardinality(ts) AND sides[next] = 2 AND ts[next] - ts[i] <= late LOOP
        IF NOT gone[next] THEN
            IF amounts[next] BETWEEN 0.9 * old AND old / 0.9
               AND (amounts[next] < amounts[last]
                    OR amounts[next] - amounts[last]
                       > (ts[next] - ts[last]) * core.counter_fastest(1)) THEN
                gone[next] := true;
            ELSE
                last := next;
            END IF;
        END IF;
        next := next + 1;
    END LOOP;
    RETURN gone;
END
$$;

-- The steps of a counter between the points that count, each from (t0, v0) to (t, v), v0 so that it
-- amounts to v - v0, at least 0. Parallel arrays: those of core.meter_points.
CREATE FUNCTION core.counter_rises(ts float8[], sides int[], amounts float8[], scales float8[],
                                   sizes float8[])
RETURNS TABLE (t0 float8, v0 float8, t float8, v float8, scale float8)
LANGUAGE plpgsql IMMUTABLE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT float8 := date_part('epoch', core.energy_longest('counter'));
    near    CONSTANT float8 := 3 * 86400;   -- what of the readings before is still looked at
    late    CONSTANT float8 := 6 * 3600;    -- how long readings of an old register may come
    n       CONSTANT int := coalesce(cardinality(ts), 0);
    nkwh    CONSTANT float8[] := ARRAY(SELECT p.amount * p.scale
                                       FROM unnest(amounts, scales) AS p (amount, scale));
    gone    boolean[] := core.counter_left_out(ts, sides, nkwh);
    last    int;        -- point
    second  int;        -- the one before it, of the same register and unit; NULL: there is none
    third   int;        -- and before that
    next    int;
    high    float8;
    old     float8;     -- where the register ended before the one whose beginning is not known
    old_t   float8;     -- until when readings of it may come
    n_calm  int := 0;   -- points up to the last one that only rose
    is_known boolean;   -- both ends of the step
    is_same boolean;    -- register and unit
BEGIN
    FOR i IN 1 .. n LOOP
        CONTINUE WHEN gone[i];
        t := ts[i];
        v := amounts[i];
        scale := scales[i];
        IF n_calm > 2 AND v >= amounts[last] AND sides[i] = 2 AND scale = scales[last]
           AND t - ts[last] <= longest AND t > ts[last] THEN
            t0 := ts[last];
            v0 := amounts[last];
            RETURN NEXT;
            third := second;
            second := last;
            last := i;
            CONTINUE;
        END IF;
        is_same := false;
        IF sides[i] = 1 THEN
            old := coalesce(nkwh[i - 1], CASE WHEN sides[second] = 2 THEN nkwh[second] END);
            old_t := t + late;
            IF v IS NOT NULL AND old IS NOT NULL THEN
                gone := core.counter_late(ts, sides, nkwh, i, old, gone);
                old := NULL;
            END IF;
        ELSIF last IS NOT NULL THEN
            t0 := ts[last];
            v0 := amounts[last] * (scales[last] / scale);
            is_known := v IS NOT NULL AND v0 IS NOT NULL;
            is_same := is_known AND scales[last] = scale;
            high := greatest(v0, CASE WHEN is_same AND t - ts[second] <= near THEN amounts[second] END,
                             CASE WHEN is_same AND t - ts[third] <= near THEN amounts[third] END);
            IF v >= least(v0, 0.9 * v0) THEN
                IF t <= old_t AND v - v0 > (t - t0) * core.counter_fastest(scale)
                   AND (nkwh[last] BETWEEN 0.9 * old AND old / 0.9)
                       <> (nkwh[i] BETWEEN 0.9 * old AND old / 0.9) THEN
                    v0 := v;    -- from one register to the other
                    is_same := false;
                ELSE
                    v0 := least(v, high);
                END IF;
            ELSIF v + sizes[i] >= v0 THEN
                v0 := CASE WHEN v + sizes[i] >= high THEN high ELSE v0 END - sizes[i];
                is_same := false;
            ELSIF is_same AND sides[i] = 2 AND sides[last] = 2 THEN
                next := i + 1;
                WHILE gone[next] LOOP
                    next := next + 1;
                END LOOP;
                v0 := CASE WHEN nkwh[i] > (t - t0) * core.counter_fastest(
                                    1, core.counter_pace(ts, sides, nkwh, second, last),
                                    core.counter_pace(ts, sides, nkwh, i, next))
                           THEN v ELSE least(v, 0) END;
                is_same := false;
            ELSE
                v0 := v;
                is_same := false;
            END IF;
            IF is_known AND t > t0 AND t - t0 <= longest THEN
                RETURN NEXT;
            END IF;
        END IF;
        IF t > old_t THEN
            old := NULL;
        END IF;
        n_calm := CASE WHEN is_same AND old IS NULL AND v >= amounts[last] THEN n_calm + 1 ELSE 0 END;
        third := CASE WHEN is_same THEN second END;
        second := CASE WHEN is_same OR sides[i] = 0 THEN last END;
        last := i;
    END LOOP;
END
$$;
