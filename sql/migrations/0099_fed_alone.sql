-- Days are rated again: where only what is fed in is measured at the grid, the rest was drawn.

SET LOCAL ROLE tidemark_door;

INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', true FROM core.cost_place p;

SET LOCAL ROLE tidemark_owner;
