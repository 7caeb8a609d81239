-- Corrections and erasure by a tenant's admins.

-- name: correction_problems
-- roles: web
-- columns: ord problem
-- What is wrong with corrections of the device $1, by their place in the list from 1.
SELECT p.ord, p.problem
FROM api.sample_put_problems($1::text, $2::text[], $3::text[], $4::timestamptz[], $5::float8[]) p
ORDER BY p.ord;

-- name: correction_put
-- roles: web
-- columns: updated inserted unchanged
-- Sets values of the device $1: metrics, labels (NULL: the only series), times, values.
SELECT p.updated, p.inserted, p.unchanged
FROM api.sample_put($1::text, $2::text[], $3::text[], $4::timestamptz[], $5::float8[]) p;

-- name: correction_delete_check
-- roles: web
-- columns: n_samples n_days problem
-- How many samples of the device $1 and metric $2 (NULL: all) are in [$3, $4), on how many days of
-- that the archive alone has the tenant's, and what speaks against deleting them.
SELECT c.n_samples, c.n_days, c.problem
FROM api.sample_delete_check($1::text, $2::text, $3::timestamptz, $4::timestamptz) c;

-- name: correction_delete
-- roles: web
-- columns: deleted
-- Deletes them.
SELECT api.sample_delete($1::text, $2::text, $3::timestamptz, $4::timestamptz) AS deleted;

-- name: device_erase
-- roles: web
-- columns: counts
-- Erases the device $1 with all its data; how many rows of what went.
SELECT api.device_erase($1::text)::text AS counts;
