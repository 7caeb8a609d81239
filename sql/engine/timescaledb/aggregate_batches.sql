-- Gives the engine's own refresh jobs the ranges that retention leaves them, each to be refreshed as
-- one; how many changed. They work where background jobs do; the worker and `tidemark maintenance run`
-- refresh as well. Before 2.19 the engine knows no batches.
CREATE OR REPLACE FUNCTION ops.aggregate_policies() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    has_batches CONSTANT boolean := EXISTS (
        SELECT FROM pg_proc p
        WHERE p.oid = 'public.add_continuous_aggregate_policy'::regproc
          AND 'buckets_per_batch' = ANY (p.proargnames));
    part    record;
    changed int := 0;
BEGIN
    FOR part IN
        SELECT a.aggregate, a.width, w.start,
               (SELECT (j.config->>'start_offset')::interval FROM timescaledb_information.jobs j
                WHERE j.proc_name = 'policy_refresh_continuous_aggregate'
                  AND (NOT has_batches OR j.config @> '{"buckets_per_batch": 0}')
                  AND format('%I.%I', j.hypertable_schema, j.hypertable_name)::regclass
                      IN (a.aggregate, core.aggregate_store(a.aggregate))) AS found
        FROM core.aggregate a
        CROSS JOIN LATERAL (
            SELECT greatest(make_interval(days => floor(extract(epoch FROM now()
                                                                - core.horizon_last(a.class))
                                                        / 86400)::int) - a.width,
                            3 * a.width) AS start) w
    LOOP
        CONTINUE WHEN part.found = part.start;
        PERFORM public.remove_continuous_aggregate_policy(part.aggregate, if_exists => true);
        EXECUTE format('SELECT public.add_continuous_aggregate_policy($1, start_offset => $2,'
                       ' end_offset => $3, schedule_interval => $3 / 2 %s)',
                       CASE WHEN has_batches THEN ', buckets_per_batch => 0' ELSE '' END)
        USING part.aggregate, part.start, part.width;
        changed := changed + 1;
    END LOOP;
    RETURN changed;
END
$$;
