-- Rate schedules of a tenant: versions, where they hold, and prices by time.

-- name: rate_list
-- roles: web read
-- columns: id name created_at versions timezone currency from_day to_day known_since assignments
-- A page of the tenant's schedules in the order of their numbers, after the number $1.
SELECT s.id, s.name, s.created_at, s.versions, s.timezone, s.currency, s.from_day::text,
       CASE WHEN s.to_day < 'infinity' THEN s.to_day::text END AS to_day, s.known_since,
       s.assignments
FROM api.rate_schedule s
WHERE s.id > $1::int4
ORDER BY s.id
LIMIT $2::int4;

-- name: rate_versions
-- roles: web read
-- columns: number timezone currency from_day to_day known_since made_by format
-- A schedule's newest versions, as many as $2, the newest first.
SELECT v.number, v.timezone, v.currency, v.from_day::text,
       CASE WHEN v.to_day < 'infinity' THEN v.to_day::text END AS to_day, v.known_since,
       v.made_by, v.format
FROM api.rate_version v
WHERE v.schedule_id = $1::int4
ORDER BY v.number DESC
LIMIT $2::int4;

-- name: rate_document
-- roles: web read worker
-- columns: document
-- The document of a schedule's version.
SELECT v.document
FROM api.rate_version v
WHERE v.schedule_id = $1::int4 AND v.number = $2::int4;

-- name: rate_assignments
-- roles: web read
-- columns: id schedule_id schedule site device from_day to_day known_since known_until made_by
-- Where schedules hold: of one ($1) or (0) of all there are, without those withdrawn unless $2; the
-- $3 last made, the last first.
SELECT a.id, a.schedule_id, s.name AS schedule, a.site, a.device,
       CASE WHEN a.from_day > '-infinity' THEN a.from_day::text END AS from_day,
       CASE WHEN a.to_day < 'infinity' THEN a.to_day::text END AS to_day,
       a.known_since, a.known_until, a.made_by
FROM api.rate_assignment a
JOIN api.rate_schedule s ON s.id = a.schedule_id
WHERE ($1::int4 = 0 OR a.schedule_id = $1) AND ($2::boolean OR a.known_until IS NULL)
ORDER BY a.id DESC
LIMIT $3::int4;

-- name: rate_applied
-- roles: web read worker
-- columns: from_day to_day schedule_id name version assignment_id
-- Which version holds at a site, a device or (both NULL) for the tenant on the days [$3, $4), as it
-- was known at $5.
SELECT a.from_day::text, a.to_day::text, a.schedule_id, a.name, a.version, a.assignment_id
FROM api.rate_applied($1::text, $2::text, $3::text::date, $4::text::date, $5::timestamptz) a;

-- name: rate_version_add
-- roles: web
-- columns: id
-- Adds a version to the schedule $1, or (0) makes one.
SELECT api.rate_version_add($1::int4, $2::text, $3::text, $4::text, $5::text::date,
                            $6::text::date, $7::text, $8::text) AS id;

-- name: rate_hold
-- roles: web
-- Keeps others from changing a schedule until the transaction ends.
SELECT FROM api.rate_hold($1::int4);

-- name: rate_remove
-- roles: web
-- Takes a schedule away with its assignments.
SELECT FROM api.rate_remove($1::int4);

-- name: rate_assign
-- roles: web
-- columns: id
-- Lets a schedule hold at a site, a device or (both NULL) the tenant, from one day to another.
SELECT api.rate_assign($1::int4, $2::text, $3::text, $4::text::date, $5::text::date) AS id;

-- name: rate_unassign
-- roles: web
-- Withdraws an assignment.
SELECT FROM api.rate_unassign($1::int4, $2::int4);

-- name: rate_prices
-- roles: web read
-- columns: from_time to_time nano_rate known_since
-- Prices of a schedule's series that begin in [$3, $4), as known at $5.
SELECT p.from_time, p.to_time, p.nano_rate, p.known_since
FROM api.rate_prices($1::int4, $2::text, $3::timestamptz, $4::timestamptz, $5::timestamptz,
                     $6::int4) p;

-- name: rate_prices_add
-- roles: web
-- columns: added
-- Adds prices of a schedule's series: parallel arrays of spans and billionths.
SELECT api.rate_prices_add($1::int4, $2::text, $3::timestamptz[], $4::timestamptz[],
                           $5::int8[]) AS added;
