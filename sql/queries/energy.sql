-- Energy as the API answers it.

-- name: energy_list
-- roles: web read
-- columns: bucket energy_kwh consumption_kwh generation_kwh grid_import_kwh grid_export_kwh
-- Energy in buckets of the grain $1 by the clock of $2 (NULL: the place's), of the site $3, the device
-- $4 or the tenant, that start in [$5, $6).
SELECT e.bucket, e.energy_kwh::text, e.consumption_kwh::text, e.generation_kwh::text,
       e.grid_import_kwh::text, e.grid_export_kwh::text
FROM api.energy_list($1::text, $2::text, $3::text, $4::text, $5::timestamptz, $6::timestamptz,
                     $7::int4) e;
