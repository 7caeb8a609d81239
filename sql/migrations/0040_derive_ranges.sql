-- What derives reads what is there range by range. Where it derives many ranges at once, as when an
-- hour ends for all series, the planner would rather read all history once and join: a table of hours
-- from its first row to its last. Whatever these functions join is a list of theirs with rows found by
-- a key, or two lists (in full, which has no other way and takes one in spite of this).
SET LOCAL ROLE tidemark_door;
DO $settings$
DECLARE
    derives regprocedure;
BEGIN
    FOREACH derives IN ARRAY ARRAY[
        'core.rollup_derive(text, timestamptz, int[], int[], timestamptz[], timestamptz[])',
        'core.energy_derive(int[], int[], timestamptz[], timestamptz[])',
        'core.energy_days(int[], int[], timestamptz[], timestamptz[])']::regprocedure[]
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_mergejoin = off', derives);
        EXECUTE format('ALTER FUNCTION %s SET enable_hashjoin = off', derives);
    END LOOP;
END
$settings$;
SET LOCAL ROLE tidemark_owner;
