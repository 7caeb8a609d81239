-- Days are rated again: demand and minimums are of all versions of a schedule within a billing cycle.
INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', false FROM core.cost_place p;
