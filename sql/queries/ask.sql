-- What devices ask beside posting.

-- name: ingest_last_times
-- roles: ingest
-- columns: last_time
-- The newest sample's time of the series of device $1, metric $2 and labels $3, in their order.
SELECT t.last_time
FROM api.ingest_last_times($1::text[], $2::text[], $3::text[]) t
ORDER BY t.ord;
