-- Days are rated again: demand of readings coarser than its window is their average.

SET LOCAL ROLE tidemark_door;

INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', true FROM core.cost_place p;

SET LOCAL ROLE tidemark_owner;
