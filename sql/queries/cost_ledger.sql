-- The ledger of costs, as readers see it and as the worker writes it.

-- name: cost_places
-- roles: web read
-- columns: site first_time dirty_from energy_from stamp
-- Since when the site $1, or (NULL) each of the tenant's places, is not as the ledger has it in
-- [$2, $3), and the ledger's stamp.
SELECT p.site, p.first_time, p.dirty_from, p.energy_from, p.stamp
FROM api.cost_places($1::text, $2::timestamptz, $3::timestamptz) p;

-- name: cost_days
-- roles: web read worker
-- columns: day zone from_time to_time import_nkwh export_nkwh cost exported once by_period is_known is_priced is_final is_partly n_missing imports exports known
-- Rated days [$3, $4) of the place $1 or its device $2, with quarter hours from day $5 on.
SELECT c.day - date '1970-01-01' AS day, c.zone, c.from_time, c.to_time, c.import_nkwh::text,
       c.export_nkwh::text, trim_scale(c.cost * 1e18)::text AS cost,
       trim_scale(c.exported * 1e18)::text AS exported, trim_scale(c.once * 1e18)::text AS once,
       c.by_period::text, c.is_known, c.is_priced, c.is_final, c.is_partly, c.n_missing, c.imports, c.exports, c.known
FROM api.cost_days($1::text, $2::text, date '1970-01-01' + $3::int4, date '1970-01-01' + $4::int4,
                   date '1970-01-01' + $5::int4) c;

-- name: cost_lines
-- roles: web read
-- columns: day schedule_id version charge_no season period_no tier quantity rate has_one_rate n_days of_days amount at n_unpriced
-- The lines of the days [$3, $4) of the place $1 or its device $2.
SELECT c.day - date '1970-01-01' AS day, c.schedule_id, c.version, c.charge_no, c.season,
       c.period_no, c.tier, c.quantity, c.rate, c.has_one_rate, c.n_days, c.of_days,
       trim_scale(c.amount * 1e18)::text AS amount, c.at, c.n_unpriced
FROM api.cost_lines($1::text, $2::text, date '1970-01-01' + $3::int4,
                    date '1970-01-01' + $4::int4) c;

-- name: cost_devices
-- roles: web read
-- columns: n_days device nkwh atto is_priced
-- What each device of the place $1 or its device $2 comes to over the rated days [$4, $5) of the
-- zone $3.
SELECT c.n_days, c.device, c.nkwh::text, c.atto::text, c.is_priced
FROM api.cost_devices($1::text, $2::text, $3::text, date '1970-01-01' + $4::int4,
                      date '1970-01-01' + $5::int4) c;

-- name: job_cost_due
-- roles: worker
-- columns: is_due
-- Whether some place is to be rated again.
SELECT ops.cost_is_due() AS is_due;

-- name: job_cost_take
-- roles: worker
-- columns: tenant_id site_id site from_time to_time energy_from energy_to first_time settled_until kept_from
-- Takes the next place behind $1 and $2 that is to be rated again.
SELECT t.tenant_id, t.site_id, t.site, t.from_time, t.to_time, t.energy_from, t.energy_to, t.first_time,
       t.settled_until, t.kept_from
FROM ops.cost_take($1::int4, $2::int4) t;

-- name: job_cost_is_rezoned
-- roles: worker
-- columns: is_rezoned
-- Whether the ledger has days of the place $1 or its device $2, from day $4 on, that are not of the
-- zone $3.
SELECT ops.cost_is_rezoned($1::text, $2::text, $3::text, date '1970-01-01' + $4::int4) AS is_rezoned;

-- name: job_cost_leave
-- roles: worker
-- Leaves the rest of a place that was taken: [$2, $3), its energy in [$4, $5).
SELECT FROM ops.cost_leave($1::text, $2::timestamptz, $3::timestamptz, $4::timestamptz,
                           $5::timestamptz);

-- name: job_cost_store_days
-- roles: worker
-- columns: rows_written
-- Writes the days [$3, $4) of the place $1 or its device $2.
SELECT ops.cost_store_days($1::text, $2::text, date '1970-01-01' + $3::int4,
                           date '1970-01-01' + $4::int4, $5::text, $6::text, $7::int4[],
                           $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[],
                           $12::text[], $13::text[], $14::text[], $15::text[], $16::int4[],
                           $17::int4[], $18::int4[], $19::int8[], $20::int8[],
                           $21::bytea) AS rows_written;

-- name: job_cost_store_lines
-- roles: worker
-- columns: rows_written
-- Writes the lines of the days [$3, $4) of the place $1 or its device $2.
SELECT ops.cost_store_lines($1::text, $2::text, date '1970-01-01' + $3::int4,
                            date '1970-01-01' + $4::int4, $5::int4[], $6::int4[], $7::text[],
                            $8::text[], $9::int8[], $10::int8[], $11::text[],
                            $12::timestamptz[]) AS rows_written;

-- name: job_cost_store_devices
-- roles: worker
-- columns: rows_written
-- Writes what devices come to on the days [$3, $4) of the place $1 or its device $2.
SELECT ops.cost_store_devices($1::text, $2::text, date '1970-01-01' + $3::int4,
                              date '1970-01-01' + $4::int4, $5::int4[], $6::int4[]::boolean[],
                              $7::int4[], $8::text[], $9::int4[], $10::text[],
                              $11::text[]) AS rows_written;

-- name: job_cost_finish
-- roles: worker
-- columns: rows_removed
-- Ends what was taken: the place $1 has the accounts $2, rated from $3 to $4 or $5, and is due at $6.
SELECT ops.cost_finish($1::text, $2::text[], $3::timestamptz, $4::timestamptz, $5::timestamptz,
                       $6::timestamptz) AS rows_removed;

-- name: job_cost_prune
-- roles: worker
-- columns: rows_removed
-- Forgets days that are past keeping.
SELECT ops.cost_prune() AS rows_removed;
