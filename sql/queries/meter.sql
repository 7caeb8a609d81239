-- The timeline of a device's meter: entries that energy follows.

-- name: meter_entries
-- roles: web read
-- columns: id metric labels kind at until final initial size factor unit note made_by made_at withdrawn_by withdrawn_at
-- A page of the device's entries, the latest first, withdrawn ones too, from before the time and
-- number ($2, $3) on; or ($4, not 0) one alone.
SELECT e.id, e.metric, e.labels::text, e.kind, e.at, e.until, e.final, e.initial, e.size,
       trim_scale(e.factor)::text AS factor, e.unit, e.note, e.made_by, e.made_at, e.withdrawn_by,
       e.withdrawn_at
FROM api.meter_entry e
WHERE e.device = $1::text AND (e.at, e.id) < ($2::timestamptz, $3::int4)
  AND ($4::int4 = 0 OR e.id = $4)
ORDER BY e.at DESC, e.id DESC
LIMIT $5::int4;

-- name: meter_problems
-- roles: web
-- columns: field problem
-- What is wrong with an entry of the device $1 about the series $2 and $3.
SELECT p.field, p.problem
FROM api.meter_entry_problems($1::text, $2::text, $3::text, $4::text, $5::timestamptz,
                              $6::timestamptz, $7::float8, $8::float8, $9::float8,
                              $10::text::numeric, $11::text) p;

-- name: meter_add
-- roles: web
-- columns: id
-- Makes the entry.
SELECT api.meter_entry_add($1::text, $2::text, $3::text, $4::text, $5::timestamptz,
                           $6::timestamptz, $7::float8, $8::float8, $9::float8,
                           $10::text::numeric, $11::text, $12::text) AS id;

-- name: meter_withdraw
-- roles: web
-- Withdraws the entry $2 of the device $1.
SELECT FROM api.meter_entry_withdraw($1::text, $2::int4);
