-- What costs are worked out from: series that tell energy, their quarter hours, prices by time.

-- name: cost_meters
-- roles: web read worker
-- columns: series_id device site metric kind role place zone is_apart
-- Series of the site $1 or the device $2 (both NULL: all), with whether, as known at $3, the device
-- has a rate schedule of its own.
SELECT m.series_id, m.device, m.site, m.metric, m.kind, m.role, m.place, m.zone, m.is_apart
FROM api.energy_meters($1::text, $2::text, $3::timestamptz) m;

-- name: cost_meter_devices
-- roles: web read
-- columns: device site
-- The first $1 devices that tell energy, by site and key.
SELECT d.device, d.site
FROM api.energy_devices($1::int4) d;

-- name: cost_quarters
-- roles: web read worker
-- columns: series_id quarters nkwh
-- What the series $1 come to in the quarter hours that begin in [$2, $3).
SELECT q.series_id, q.quarters, q.nkwh
FROM api.energy_quarters($1::int4[], $2::timestamptz, $3::timestamptz) q;

-- name: cost_lives
-- roles: web read worker
-- columns: series_id first_at last_at
-- Starts of the first and last closed quarter hour that each of the series $1 told anything of.
SELECT l.series_id, l.first_at, l.last_at
FROM api.energy_lives($1::int4[]) l;

-- name: cost_told
-- roles: web read
-- columns: number days
-- Starts of closed local days that begin in [$2, $3) and of which each of the series $1 told anything; its
-- number in that list.
SELECT d.number, d.days
FROM api.energy_days($1::int4[], $2::timestamptz, $3::timestamptz) d;

-- name: cost_prices
-- roles: web read worker
-- columns: from_time to_time nano_rate
-- Prices of the series $2 of the schedule $1 that hold in [$3, $4), as known at $5; $6 at most.
SELECT p.from_time, p.to_time, p.nano_rate
FROM api.rate_prices_over($1::int4, $2::text, $3::timestamptz, $4::timestamptz, $5::timestamptz,
                          $6::int4) p
ORDER BY p.from_time;
