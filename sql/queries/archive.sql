-- What the archiver asks, and who reads the archive.

-- name: archive_configure
-- roles: worker
-- Says whether there is an archive, and the age in hours of a day's end at which it is archived.
SELECT ops.archive_configure($1::bool, $2::int4);

-- name: archive_plan
-- roles: worker
-- columns: tenant_id slug relation day is_end
-- The days that are to be archived, and what is reached when a tenant's are.
SELECT p.tenant_id, p.slug, p.relation, p.day, p.is_end FROM ops.archive_plan() p;

-- name: archive_intend
-- roles: worker
-- Notes objects that are about to be written.
SELECT ops.archive_intend($1::text[]);

-- name: archive_begin
-- roles: worker
-- columns: n is_first seen
-- Begins to archive the day $2 of the table $1 as these objects: opens the cursor; n NULL: somebody
-- is at it.
SELECT b.n, b.is_first, b.seen FROM ops.archive_begin($1::text, $2::text, $3::text[]) b;

-- name: archive_fetch
-- roles: worker
-- columns: series_id time value
-- The next samples of the day.
FETCH FORWARD 20000 FROM archive_samples;

-- name: archive_series
-- roles: worker
-- columns: series_id device metric unit site labels
-- The names of series.
SELECT s.series_id, s.device, s.metric, s.unit, s.site, s.labels
FROM ops.archive_series($1::int4[]) s;

-- name: archive_tombstones
-- roles: worker
-- columns: device metric labels from_time to_time
-- What of the earlier files of the day $2 of the table $1 is void.
SELECT t.device, t.metric, t.labels, t.from_time, t.to_time
FROM ops.archive_tombstones($1::text, $2::text, $3::text) t;

-- name: archive_mark
-- roles: worker
-- Notes the files of the day $2 of the table $1 under the number $3.
SELECT ops.archive_mark($1::text, $2::text, $3::int4, $4::text, $5::text[], $6::text[],
                        $7::int8[], $8::int8[], $9::bytea[]);

-- name: archive_advance
-- roles: worker
-- Notes that all days before $2 of the table $1 are archived.
SELECT ops.archive_advance($1::text, $2::text);

-- name: archive_garbage_list
-- roles: worker
-- columns: object
-- Objects that are to be removed from the store.
SELECT g AS object FROM ops.archive_garbage_list() g;

-- name: archive_garbage_done
-- roles: worker
-- They were.
SELECT ops.archive_garbage_done($1::text[]);

-- name: archive_list
-- roles: worker
-- columns: tenant_id slug id relation day n kind object n_rows n_bytes sha256 is_held is_pinned
-- At most $9 files of the archive of the tenant $1 (NULL: all), from the day $2 to $3 (NULL: all),
-- after the file of tenant $4 (NULL: from the first on), table $5, day $6, number $7 and kind $8.
SELECT l.tenant_id, l.slug, l.id, l.relation, l.day, l.n, l.kind, l.object, l.n_rows, l.n_bytes,
       l.sha256, l.is_held, l.is_pinned
FROM ops.archive_list($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::int4,
                      $8::text, $9::int4) l;

-- name: archive_verified
-- roles: worker
-- Notes that the file $1 was found as it was written.
SELECT ops.archive_verified($1::int8);

-- name: archive_restore_begin
-- roles: worker
-- columns: problem
-- Begins to restore the day $2 of the table $1.
SELECT ops.archive_restore_begin($1::text, $2::text) AS problem;

-- name: archive_restore_files
-- roles: worker
-- columns: n kind object n_rows n_bytes sha256
-- The files of the day $2 of the table $1, in the order in which they apply.
SELECT f.n, f.kind, f.object, f.n_rows, f.n_bytes, f.sha256
FROM ops.archive_restore_files($1::text, $2::text) f;

-- name: archive_restore_series
-- roles: worker
-- columns: series_id
-- The series of these devices, metrics, units, sites and labels, in their order.
SELECT s AS series_id
FROM ops.archive_restore_series($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) s;

-- name: archive_restore_samples
-- roles: worker
-- Stores samples of the day $1.
SELECT ops.archive_restore_samples($1::text, $2::int4[], $3::timestamptz[], $4::float8[]);

-- name: archive_restore_void
-- roles: worker
-- Removes what tombstones of the day $1 void.
SELECT ops.archive_restore_void($1::text, $2::text[], $3::text[], $4::text[], $5::timestamptz[],
                                $6::timestamptz[]);

-- name: archive_restore_end
-- roles: worker
-- columns: samples
-- Notes that the database has the day $2 of the table $1 again, pinned for $3 days; its samples.
SELECT ops.archive_restore_end($1::text, $2::text, $3::int4) AS samples;
