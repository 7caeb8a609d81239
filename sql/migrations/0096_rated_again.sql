-- Days are rated again: prices by time count in tiers, registers and phases add up, demand and minimums are of
-- all versions of a schedule within a billing cycle, demand of coarse readings is their average, of a silent
-- meter something is missing, and where only what is fed in is measured at the grid, the rest was drawn.

SET LOCAL ROLE tidemark_door;

INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', true FROM core.cost_place p;

SET LOCAL ROLE tidemark_owner;
