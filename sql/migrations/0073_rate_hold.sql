-- Whoever wants to change a rate schedule as he read it holds it, reads it again and then writes.

SET LOCAL ROLE tidemark_owner;

-- Keeps everybody else from changing a schedule of the tenant until the transaction ends: what is read
-- of it from here on is what holds when it is written.
CREATE FUNCTION api.rate_hold(of_schedule int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM core.rate_lock(core.tenant(), of_schedule);
END
$$;
GRANT EXECUTE ON FUNCTION api.rate_hold(int) TO tidemark_web;
