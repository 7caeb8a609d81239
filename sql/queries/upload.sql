-- Files that people and devices send.

-- name: upload_begin
-- roles: web
-- columns: id key room
-- Notes a file that is coming: name $1, type $2, bytes $3 where they are known, of the device $4 and
-- the event $5 where given; $6: in parts; $7: the tenant's quota, 0: none.
SELECT b.id, b.key, b.room
FROM api.upload_begin($1::text, $2::text, $3::int8, $4::text, $5::text::uuid, $6::bool, $7::int8) b;

-- name: upload_finish
-- roles: web
-- Makes the file $1 of $2 bytes and the SHA-256 $3 visible.
SELECT FROM api.upload_finish($1::text::uuid, $2::int8, $3::bytea, $4::int8);

-- name: upload_abandon
-- roles: web
-- Forgets a file that is coming.
SELECT FROM api.upload_abandon($1::text::uuid);

-- name: upload_resume
-- roles: web
-- columns: id key received sha256
-- The sender's newest file in parts of the name $1 and $2 bytes, of the device $3 and the event $4
-- where they are given and of none where not.
SELECT r.id, r.key, r.received, r.sha256
FROM api.upload_resume($1::text, $2::int8, $3::text, $4::text::uuid) r;

-- name: upload_part_begin
-- roles: web
-- columns: id key
-- Notes that a part of the file $1 comes, which begins at $2 and has $3 bytes, and where it is put.
SELECT b.id, b.key FROM api.upload_part_begin($1::text::uuid, $2::int8, $3::int8) b;

-- name: upload_part_finish
-- roles: web
-- columns: received
-- Notes that the part $2 of the file $1 is there.
SELECT api.upload_part_finish($1::text::uuid, $2::text::uuid) AS received;

-- name: upload_part_abandon
-- roles: web
-- Forgets the part $2 of the file $1, which is not there.
SELECT FROM api.upload_part_abandon($1::text::uuid, $2::text::uuid);

-- name: upload_progress
-- roles: web
-- columns: id key received sha256
-- How much of the file $1 is there; it has a SHA-256 once it is whole.
SELECT p.id, p.key, p.received, p.sha256 FROM api.upload_progress($1::text::uuid) p;

-- name: upload_join_begin
-- roles: web
-- columns: id key
-- Notes that the parts of the file $1 are joined, and where that is put; no row: another attempt is at it.
SELECT b.id, b.key FROM api.upload_join_begin($1::text::uuid) b;

-- name: upload_join_beat
-- roles: web
-- Says that the attempt $2 to join the file $1 is at work.
SELECT FROM api.upload_join_beat($1::text::uuid, $2::text::uuid);

-- name: upload_part_list
-- roles: web
-- columns: id key size
-- The parts of a file that is coming, in order.
SELECT p.id, p.key, p.size FROM api.upload_part_list($1::text::uuid) p;

-- name: upload_join_finish
-- roles: web
-- Makes the file $1 visible as the attempt $2 joined it, of the SHA-256 $3; $4: the tenant's quota.
SELECT FROM api.upload_join_finish($1::text::uuid, $2::text::uuid, $3::bytea, $4::int8);

-- name: upload_part_lost
-- roles: web
-- columns: received
-- The store has no part $2 of the file $1 any more; how many bytes are there before it.
SELECT api.upload_part_lost($1::text::uuid, $2::text::uuid) AS received;

-- name: upload_list
-- roles: web
-- columns: id name content_type device event size sha256 made_by stored_at
-- Files, the latest first, from before the time and number ($1, $2) on, of the device $3 and the
-- event $4 where they are given.
SELECT u.id, u.name, u.content_type, u.device, u.event, u.size, u.sha256, u.made_by, u.stored_at
FROM api.upload_list($1::timestamptz, $2::text::uuid, $3::text, $4::text::uuid, $5::int4) u
ORDER BY u.stored_at DESC, u.id DESC;

-- name: upload_find
-- roles: web
-- columns: key name content_type size sha256 stored_at
-- One file.
SELECT u.key, u.name, u.content_type, u.size, u.sha256, u.stored_at
FROM api.upload_find($1::text::uuid) u;

-- name: upload_total
-- roles: web
-- columns: files bytes held
-- How many files the tenant has, how many bytes, and how many the quota counts.
SELECT t.files, t.bytes, t.held FROM api.upload_total() t;

-- name: upload_events
-- roles: web
-- columns: event
-- Those of the events $1 that have files.
SELECT e.event FROM api.upload_events($1::text[]::uuid[]) e (event);

-- name: upload_remove
-- roles: web
-- Removes a file.
SELECT FROM api.upload_remove($1::text::uuid);

-- name: job_upload_prune
-- roles: worker
-- columns: removed
-- Gives up files that came no further.
SELECT ops.upload_prune() AS removed;

-- name: job_object_trash_list
-- roles: worker
-- columns: key at
-- Objects to be removed from the store, $1 at most, and when each was noted.
SELECT t.key, t.at FROM ops.object_trash_list($1::int4) t;

-- name: job_object_trash_done
-- roles: worker
-- The objects $1, noted at the times $2, were removed.
SELECT FROM ops.object_trash_done($1::text[], $2::timestamptz[]);

-- name: job_store_gone_next
-- roles: worker
-- columns: prefix noted_at
-- The next beginning of keys after $1 below which all is to be removed that the database does not know of.
SELECT g.prefix, g.noted_at FROM ops.store_gone_next($1::text) g;

-- name: job_store_gone_done
-- roles: worker
-- All below $1, noted at $2, was removed.
SELECT FROM ops.store_gone_done($1::text, $2::timestamptz);

-- name: object_unknown
-- roles: worker
-- columns: key
-- Which of the keys $1 the database does not know of.
SELECT u.key FROM ops.object_unknown($1::text[]) u (key);

-- name: object_any
-- roles: worker
-- columns: is_any
-- Whether the store holds an object that the database knows of, be it one to be removed.
SELECT ops.object_any() AS is_any;
