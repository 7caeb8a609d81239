-- What the pages show: zones, devices with their headline values, power and energy of a tenant.

-- name: zone_offsets
-- roles: web read ingest
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

-- name: overview_power
-- roles: web read
-- columns: device role watts
-- Power of every device that told it lately.
SELECT p.device, p.role, p.watts
FROM api.power_now() p;

-- name: energy_told
-- roles: web read
-- columns: device role place zone quarters quarter_nkwh days day_nkwh open open_nkwh
-- What each series amounts to: in quarter hours from $1 on, in days from $2 on, and since closed.
SELECT e.device, e.role, e.place, e.zone, e.quarters, e.quarter_nkwh, e.days, e.day_nkwh,
       e.open, e.open_nkwh
FROM api.energy_told($1::timestamptz, $2::timestamptz) e;
