-- What the pages show: zones, devices with their headline values, power and energy of a tenant.

-- name: zone_offsets
-- roles: web read ingest worker
-- columns: from_time offset_s
-- The offsets of the zone $1 over [$2, $3), each from its instant on.
SELECT z.from_time, z.offset_s
FROM api.zone_offsets($1::text, $2::timestamptz, $3::timestamptz) z
ORDER BY z.from_time;

-- name: zone_bucket_starts
-- roles: web read
-- columns: start
-- Where the buckets $2 of the zone $1 begin in [$3, $4).
SELECT b.start
FROM api.bucket_starts($1::text, $2::text, $3::timestamptz, $4::timestamptz) b
ORDER BY b.start;

-- name: latest_list
-- roles: web read
-- columns: key name model last_seen metric unit role last_time last_value
-- A page of devices in use after the key $1, each with the value people look at first: power,
-- else energy, else whatever came last.
SELECT d.key, d.name, d.model, d.last_seen, d.metric, d.unit, d.role, d.last_time, d.last_value
FROM api.device_page(NULL, NULL, NULL, NULL, NULL, $1::text, $2::int4) d
ORDER BY d.key;

-- name: latest_count
-- roles: web read
-- columns: all_devices live late
-- Devices in use, those heard after $1, and those heard after $2 only.
SELECT count(*) AS all_devices, count(*) FILTER (WHERE d.last_seen > $1::timestamptz) AS live,
       count(*) FILTER (WHERE d.last_seen > $2::timestamptz AND d.last_seen <= $1) AS late
FROM api.device d
WHERE d.retired_at IS NULL;

-- name: energy_sources
-- roles: web read
-- columns: series_id device role rank zone watts
-- The series that tell energy or power, and what power they told lately; by device and role, and of
-- these the best first: in the function's own order.
SELECT s.series_id, s.device, s.role, s.rank, s.zone, s.watts
FROM api.energy_sources() s;

-- name: closed_stamp
-- roles: web read
-- columns: closed_until stamp
-- Until when quarter hours are closed, and what is the same for as long as what is closed is.
SELECT c.closed_until, c.stamp FROM api.closed_stamp() c;

-- name: energy_closed
-- roles: web read
-- columns: quarter_series quarters quarter_nkwh day_series days day_nkwh
-- What these amount to as far as it is closed: in quarter hours from $1 on, in days from $2 on.
SELECT e.quarter_series, e.quarters, e.quarter_nkwh, e.day_series, e.days, e.day_nkwh
FROM api.energy_closed($1::timestamptz, $2::timestamptz) e;

-- name: energy_open
-- roles: web read
-- columns: open_series open open_nkwh
-- And in the quarter hours since.
SELECT e.open_series, e.open, e.open_nkwh FROM api.energy_open() e;
