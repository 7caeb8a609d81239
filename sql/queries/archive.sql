-- What the archiver asks, and who reads the archive.

-- name: archive_configure
-- roles: worker
-- Says whether there is an archive, and the age in hours of a day's end at which it is archived.
SELECT ops.archive_configure($1::bool, $2::int4);

-- name: archive_tenants
-- roles: worker
-- columns: tenant_id slug
-- At most $3 tenants after $2 (NULL: from the first on) of whose table $1 something may be due.
SELECT t.tenant_id, t.slug FROM ops.archive_tenants($1::text, $2::text, $3::int4) t;

-- name: archive_next
-- roles: worker
-- columns: from_day to_day is_changed
-- The days of the table $1 that come next, $2 at most, or one that changed, after $3; none: that is
-- all.
SELECT n.from_day, n.to_day, n.is_changed FROM ops.archive_next($1::text, $2::int4, $3::text) n;

-- name: archive_intend
-- roles: worker
-- Notes objects that are about to be written.
SELECT ops.archive_intend($1::text[]);

-- name: archive_begin
-- roles: worker
-- columns: n is_first seen begun_at
-- Begins to archive the days $2 to $3 of the table $1, which may have been archived before where $4,
-- as these objects: opens the table's cursor; n NULL: somebody is at them, or was.
SELECT b.n, b.is_first, b.seen, b.begun_at
FROM ops.archive_begin($1::text, $2::text, $3::text, $4::boolean, $5::text[]) b;

-- name: archive_fetch_samples
-- roles: worker
-- columns: series_id time value
-- The next samples of the days that archive_begin began.
FETCH FORWARD 20000 FROM archive_samples;

-- name: archive_fetch_events
-- roles: worker
-- columns: time type device seq id site data key arrived
-- The next events of those days.
SELECT e.time, e.type, e.device, e.seq, e.id, e.site, e.data, e.key, e.arrived
FROM ops.archive_fetch_events() e;

-- name: archive_fetch_costs
-- roles: worker
-- columns: time day site device zone from_time to_time schedule version charge title season period tier quantity unit rate amount currency at n_days of_days n_unpriced is_final
-- The next lines of the ledger of those days.
FETCH FORWARD 5000 FROM archive_costs;

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
-- Notes the files of the days $2 to $3 of the table $1 under the number $5; whether they are the
-- first of theirs.
SELECT ops.archive_mark($1::text, $2::text, $3::text, $4::bool, $5::int4, $6::text, $7::text[],
                        $8::text[], $9::text[], $10::int8[], $11::int8[], $12::bytea[]);

-- name: archive_garbage_list
-- roles: worker
-- columns: object
-- Objects that are to be removed from the store.
SELECT g AS object FROM ops.archive_garbage_list() g;

-- name: archive_garbage_done
-- roles: worker
-- They were.
SELECT ops.archive_garbage_done($1::text[]);

-- name: store_given_up
-- roles: worker
-- columns: until
-- What the store has from before this and no row speaks of is of a database that was given up; NULL: nothing
-- is to be looked for.
SELECT ops.store_given_up() AS until;

-- name: store_given_up_done
-- roles: worker
-- It was looked for, before the moment $1; whether something is left.
SELECT ops.store_given_up_done($1::timestamptz, $2::bool);

-- name: store_take_back
-- roles: worker
-- columns: is_taken
-- Has the objects $1 removed that no row speaks of: of a day of the tenant $2 (NULL: of none), table $3, day $4
-- and number $5, unless that number is free.
SELECT ops.store_take_back($1::text[], $2::text, $3::text, $4::text, $5::int4) AS is_taken;

-- name: archive_list
-- roles: worker
-- columns: tenant_id slug id relation day n kind object n_rows n_bytes sha256 is_held is_pinned
-- At most $9 files of the archive of the tenant $1 (NULL: all), from the day $2 to $3 (NULL: all),
-- after the file of tenant $4 (NULL: from the first on), table $5, day $6, number $7 and kind $8.
SELECT l.tenant_id, l.slug, l.id, l.relation, l.day, l.n, l.kind, l.object, l.n_rows, l.n_bytes,
       l.sha256, l.is_held, l.is_pinned
FROM ops.archive_list($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::int4,
                      $8::text, $9::int4) l;

-- name: archive_verify_next
-- roles: worker
-- columns: tenant_id slug id relation day n kind object n_rows n_bytes sha256
-- The file that is due to be verified.
SELECT v.tenant_id, v.slug, v.id, v.relation, v.day, v.n, v.kind, v.object, v.n_rows, v.n_bytes,
       v.sha256
FROM ops.archive_verify_next() v;

-- name: archive_verify_done
-- roles: worker
-- What was found in the file $1: 'sound', 'damaged', 'missing', or 'failed'.
SELECT ops.archive_verify_done($1::int8, $2::text);

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

-- name: archive_restore_lost
-- roles: worker
-- Notes the files of the number $3, written at $4, of the day $2 of the table $1: kinds, keys, rows, bytes
-- and checksums.
SELECT ops.archive_restore_lost($1::text, $2::text, $3::int4, $4::timestamptz, $5::text[], $6::text[],
                                $7::int8[], $8::int8[], $9::bytea[]);

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

-- name: archive_restore_events
-- roles: worker
-- Stores events of the day $1: times, types, devices, seqs, ids, sites, data, keys, arrivals.
SELECT ops.archive_restore_events($1::text, $2::timestamptz[], $3::text[], $4::text[], $5::text[],
                                  $6::text[], $7::text[], $8::text[], $9::text[],
                                  $10::timestamptz[]);

-- name: archive_restore_void_events
-- roles: worker
-- Removes events that tombstones of the day $1 void: devices, and from when to when.
SELECT ops.archive_restore_void_events($1::text, $2::text[], $3::timestamptz[],
                                       $4::timestamptz[]);

-- name: archive_restore_end
-- roles: worker
-- columns: rows
-- Notes that the database has the day $2 of the table $1 again, pinned for $3 days; its rows.
SELECT ops.archive_restore_end($1::text, $2::text, $3::int4) AS rows;

-- name: archived_list
-- roles: web
-- columns: id relation day n kind object n_rows n_bytes sha256 archived_at verified_at place wish problem verify checked_at
-- The file $1 (0: any), at most $6 before the file $2 (0: from the latest on), of the table $3 and the
-- days from $4 to before $5 (NULL: any).
SELECT a.id, a.relation, a.day, a.n, a.kind, a.object, a.n_rows, a.n_bytes, a.sha256, a.archived_at,
       a.verified_at, a.place, a.wish, a.problem, a.verify, a.checked_at
FROM api.archive_list($1::int8, $2::int8, $3::text, $4::text::date, $5::text::date, $6::int4) a
ORDER BY a.id DESC;

-- name: archived_total
-- roles: web
-- columns: n_days n_files n_bytes
-- What there is of the tenant.
SELECT t.n_days, t.n_files, t.n_bytes FROM api.archive_total() t;

-- name: archived_is_on
-- roles: web
-- columns: is_on
-- Whether the installation archives what gets old.
SELECT api.archive_is_on() AS is_on;

-- name: archived_restore
-- roles: web
-- columns: state
-- Wants the day of the file $1 back.
SELECT api.archive_restore($1::int8) AS state;

-- name: archived_away
-- roles: web
-- columns: n_days n_parts
-- How many days of the table $1, from $2 to before $3 (NULL: any), the archive alone has and nobody wants back
-- yet, and of how many tables in all.
SELECT a.n_days, a.n_parts FROM api.archive_away($1::text, $2::text::date, $3::text::date) a;

-- name: archived_restore_days
-- roles: web
-- Wants those back.
SELECT api.archive_restore_days($1::text, $2::text::date, $3::text::date);

-- name: archived_verify
-- roles: web
-- Wants the file $1 verified.
SELECT api.archive_verify($1::int8);

-- name: archive_wish_next
-- roles: worker
-- columns: tenant_id slug relation day
-- The day that is due to be restored.
SELECT w.tenant_id, w.slug, w.relation, w.day FROM ops.archive_wish_next() w;

-- name: archive_wish_done
-- roles: worker
-- It was, or why it was not, and whether it is not tried again.
SELECT ops.archive_wish_done($1::text, $2::text, $3::text, $4::boolean);

-- name: reach_until
-- roles: web
-- columns: until shown_from
-- The end of the last day of the tenant's samples that the archive alone has; from when on it sees them.
SELECT u.until, u.shown_from FROM api.archive_until('samples') u;

-- name: reach_files
-- roles: web
-- columns: tenant day start n kind object n_rows n_bytes
-- The files of days of [$1, $2) that the archive alone has, or with $4 of all that it has, of $3 days
-- at most, in the order in which they apply.
SELECT a.tenant, a.day, a.start, a.n, a.kind, a.object, a.n_rows, a.n_bytes
FROM api.archive_files('samples', $1::timestamptz, $2::timestamptz, $3::int4, $4::bool) a;

-- name: reach_erased
-- roles: web
-- columns: day device metric labels from_time to_time
-- What of series was erased or deleted since the files of the days $1 to $2 were written.
SELECT e.day, e.device, e.metric, e.labels, e.from_time, e.to_time
FROM api.archive_erased('samples', $1::text, $2::text) e;

-- name: reach_series
-- roles: web
-- columns: series_id device metric labels unit timezone
-- The series of the device $1, metric $2 and site $3, or all.
SELECT s.id AS series_id, s.device, s.metric, s.labels::text AS labels, s.unit,
       s.timezone
FROM api.series s
WHERE ($1::text IS NULL OR s.device = $1) AND ($2::text IS NULL OR s.metric = $2)
  AND ($3::text IS NULL OR s.device_id IN (SELECT d.id FROM api.device d WHERE d.site = $3))
ORDER BY s.id;

-- name: reach_dropped
-- roles: web
-- columns: is_dropped
-- Whether chunks of samples ($1), or of their buckets, were dropped since the transaction's moment.
SELECT api.has_dropped($1::bool) AS is_dropped;

-- name: reach_kept
-- roles: web
-- columns: kept_from whole_until first_from shown_from
-- Since when the database has all buckets $1, of any zone where $2; up to when the archive is whole, and
-- its first day; from when on the tenant sees them.
SELECT k.kept_from, k.whole_until, k.first_from, k.shown_from FROM api.archive_buckets($1::text, $2::bool) k;

-- name: archive_lose
-- roles: worker
-- Notes that the manifest beside the file $1 is to be written anew.
SELECT ops.archive_lose($1::int8);

-- name: archive_lost_next
-- roles: worker
-- columns: id tenant_id slug relation day n
-- The manifest that is to be written anew after $1 (0: from the first on).
SELECT l.id, l.tenant_id, l.slug, l.relation, l.day, l.n FROM ops.archive_lost_next($1::int8) l;

-- name: archive_lost_files
-- roles: worker
-- columns: written_at kind object n_rows n_bytes sha256
-- The files of that manifest, which stay until the transaction ends.
SELECT f.written_at, f.kind, f.object, f.n_rows, f.n_bytes, f.sha256
FROM ops.archive_lost_files($1::int8) f;

-- name: archive_lost_done
-- roles: worker
-- It was written.
SELECT ops.archive_lost_done($1::int8);

-- name: catalogue_newest
-- roles: worker
-- columns: tenant_id slug object
-- The newest catalogue of the tenant $1 (NULL: of each), of at most $3 tenants after $2 (NULL: from the
-- first on).
SELECT c.tenant_id, c.slug, c.object
FROM ops.catalogue_newest($1::text, $2::text, $3::int4) c;

-- name: catalogue_lose
-- roles: worker
-- columns: is_known
-- Notes that the catalogue $1 is not in the store, or not what was written.
SELECT ops.catalogue_lose($1::text) AS is_known;
