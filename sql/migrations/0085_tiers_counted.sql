-- Days are rated again: what a period takes at prices by time counts in tiers, too.
INSERT INTO core.cost_dirty (tenant_id, site_id, from_time, to_time, is_energy)
SELECT p.tenant_id, p.site_id, '-infinity', 'infinity', false FROM core.cost_place p;
