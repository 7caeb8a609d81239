-- Events of a tenant, as the query API lists them.

-- name: event_list
-- roles: web read
-- columns: time type device seq id site data key
-- Events of a type ($1), device ($2) and site ($9) in [$3, $4) whose data contain $7 and all of
-- $10, newest first, after the position ($5, $6).
SELECT e.time, e.type, e.device, e.seq, e.id::text AS id, e.site, e.data::text AS data,
       e.key::text AS key
FROM api.event_list($1::text, $2::text, $3::timestamptz, $4::timestamptz,
                    $5::timestamptz, $6::text::uuid, $7::text::jsonb, $8::int4,
                    $9::text, $10::text[]::jsonb[]) e
ORDER BY e.time DESC, e.key DESC;

-- name: event_list_after
-- roles: web
-- columns: time type device seq id site data key
-- The same, but those just after the position, newest first too.
SELECT e.time, e.type, e.device, e.seq, e.id::text AS id, e.site, e.data::text AS data,
       e.key::text AS key
FROM api.event_list($1::text, $2::text, $3::timestamptz, $4::timestamptz,
                    $5::timestamptz, $6::text::uuid, $7::text::jsonb, $8::int4,
                    $9::text, $10::text[]::jsonb[], true) e
ORDER BY e.time DESC, e.key DESC;
