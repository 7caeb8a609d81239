-- What ingest did not take, and the accounts of what became of all that it received.

-- name: reject_list
-- roles: web
-- columns: id time request_id token_id device convention item field reason state outcome attempts tried_at method target content_type text size is_item is_whole
-- Rejected items, the newest first: one, or those after a number that fit the filters.
SELECT r.id, r.time, r.request_id, r.token_id, r.device, r.convention, r.item, r.field, r.reason,
       r.state, r.outcome, r.attempts, r.tried_at, r.method, r.target, r.content_type, r.text,
       r.size, r.is_item, r.is_whole
FROM api.reject_list($1::int8, $2::int8, $3::timestamptz, $4::timestamptz, $5::text, $6::text,
                     $7::text, $8::text, $9::int4, $10::int4) r
ORDER BY r.id DESC;

-- name: reject_replay
-- roles: web
-- columns: pending
-- Marks what fits the filters for being replayed.
SELECT api.reject_replay($1::int8, $2::timestamptz, $3::timestamptz, $4::text, $5::text,
                         $6::text) AS pending;

-- name: reject_delete
-- roles: web
-- columns: deleted
-- Removes what fits the filters.
SELECT api.reject_delete($1::int8, $2::timestamptz, $3::timestamptz, $4::text, $5::text, $6::text,
                         $7::text) AS deleted;

-- name: ingest_hours_list
-- roles: web
-- columns: hour received accepted duplicates updated rejected replayed dropped refused
-- The hours of a time in which anything came, the newest first.
SELECT h.hour, h.received, h.accepted, h.duplicates, h.updated, h.rejected, h.replayed, h.dropped,
       h.refused
FROM api.ingest_hour h
WHERE h.hour >= $1::timestamptz AND h.hour < $2::timestamptz
ORDER BY h.hour DESC
LIMIT $3::int4;
