-- Who withdraws assignments of devices holds first the schedule, then the devices in the order of
-- their numbers, then the assignments: erasing a device holds it before its assignments go, so that
-- neither waits for the other.

SET LOCAL ROLE tidemark_owner;

-- Keeps the devices of a schedule's assignments in force (of one; NULL: of all) from being moved or
-- erased until the transaction ends; who is at one is waited for. The schedule is held already, so
-- that no assignment is added.
CREATE FUNCTION core.rate_devices_hold(home int, of_schedule int, of_assignment int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM core.device d
    WHERE d.tenant_id = home
      AND d.id = ANY (ARRAY(SELECT a.device_id FROM core.rate_assignment a
                            WHERE a.tenant_id = home AND a.schedule_id = of_schedule
                              AND a.known_until IS NULL AND a.device_id IS NOT NULL
                              AND (of_assignment IS NULL OR a.id = of_assignment)))
    ORDER BY d.id
    FOR SHARE;
END
$$;

CREATE OR REPLACE FUNCTION api.rate_remove(of_schedule int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was  CONSTANT core.rate_schedule := core.rate_lock(home, of_schedule);
BEGIN
    PERFORM core.rate_devices_hold(home, was.id, NULL);
    UPDATE core.rate_schedule s SET removed_at = clock_timestamp()
    WHERE s.tenant_id = home AND s.id = was.id;
    UPDATE core.rate_assignment a SET known_until = clock_timestamp()
    WHERE a.tenant_id = home AND a.schedule_id = was.id AND a.known_until IS NULL;
    PERFORM core.audit_add(home, 'rate.remove', was.id::text,
                           jsonb_build_object('name', was.name));
END
$$;

CREATE OR REPLACE FUNCTION api.rate_unassign(of_schedule int, of_assignment int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home CONSTANT int := core.tenant();
    was  CONSTANT core.rate_schedule := core.rate_lock(home, of_schedule);
    held core.rate_assignment;
BEGIN
    PERFORM core.rate_devices_hold(home, was.id, of_assignment);
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
