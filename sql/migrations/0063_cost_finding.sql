-- Where the ledger has a device is found without reading the tenant's whole ledger: its own accounts
-- by partial indexes, which places' accounts are not in, and the days of other accounts by one of the
-- numbers in their lists. Whoever erases a device holds up all that is derived meanwhile.

CREATE INDEX cost_day_own ON core.cost_day (tenant_id, device_id) WHERE device_id <> 0;
CREATE INDEX cost_calculation_own ON core.cost_calculation (tenant_id, device_id)
    WHERE device_id <> 0;
CREATE INDEX cost_device_own ON core.cost_device (tenant_id, device_id) WHERE device_id <> 0;
CREATE INDEX cost_device_among ON core.cost_device USING gin (devices);

SET LOCAL ROLE tidemark_door;

-- Waits for who rates a place whose ledger has the device, and keeps others from it until the
-- transaction ends. Raters only try the lock, and hold it before all rows that they write.
CREATE OR REPLACE FUNCTION core.cost_hold(home int, gone int) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    site int;
BEGIN
    FOR site IN
        SELECT coalesce(d.site_id, 0) FROM core.device d WHERE d.tenant_id = home AND d.id = gone
        UNION
        SELECT c.site_id FROM core.cost_day c
        WHERE c.tenant_id = home AND c.device_id = gone AND c.device_id <> 0
        UNION
        SELECT c.site_id FROM core.cost_device c
        WHERE c.tenant_id = home AND c.devices @> ARRAY[gone]
        ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(
            hashtextextended(format('tidemark.cost.%s.%s', home, site), 0));   -- ops.cost_take's
    END LOOP;
END
$$;

SET LOCAL ROLE tidemark_owner;
