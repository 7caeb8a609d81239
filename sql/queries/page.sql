-- What the lists of the pages show.

-- name: device_page
-- roles: web read
-- columns: key name model site last_seen retired_at series_id metric unit kind role last_time last_value
-- At most $7 devices that match $1 (text), of the site $2, in the state $3 by the instants $4 and
-- $5, after the key $6.
SELECT d.key, d.name, d.model, d.site, d.last_seen, d.retired_at, d.series_id, d.metric, d.unit,
       d.kind, d.role, d.last_time, d.last_value
FROM api.device_page($1::text, $2::text, $3::text, $4::timestamptz, $5::timestamptz, $6::text,
                     $7::int4) d
ORDER BY d.key;

-- name: event_counts
-- roles: web read
-- columns: stretch type count
-- Events by type in each of the stretches between the instants $1.
SELECT c.stretch, c.type, c.count
FROM api.event_counts($1::timestamptz[]) c
ORDER BY c.stretch, c.type;
