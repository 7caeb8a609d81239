-- Catalogues in the store, and a database that is made of them.

-- name: catalogue_tenants
-- roles: worker
-- columns: tenant_id slug
-- At most $2 tenants after $1 (NULL: from the first on) whose catalogues belong into the store.
SELECT t.tenant_id, t.slug FROM ops.catalogue_tenants($1::text, $2::int4) t;

-- name: catalogue_make
-- roles: worker
-- columns: object head
-- The key of the tenant's catalogue and its first line; NULLs where the store has it.
SELECT c.object, c.head FROM ops.catalogue_make() c;

-- name: catalogue_fetch
-- roles: worker
-- columns: lines
-- The next lines of the tenant's catalogue, the first ones where $1; NULL after the last.
SELECT ops.catalogue_fetch($1::boolean) AS lines;

-- name: catalogue_note
-- roles: worker
-- Notes that the catalogue $1, of the digest $2 of its lines, is in the store.
SELECT ops.catalogue_note($1::text, $2::bytea);

-- name: rebuild_begin
-- roles: worker
-- columns: is_begun
-- Begins to make the database of the store, or only looks whether that may be, where $1.
SELECT ops.rebuild_begin($1::boolean) AS is_begun;

-- name: rebuild_tenant
-- roles: worker
-- columns: home is_new
-- Makes a tenant of the next lines $1 of its catalogue; $2 is its members' hash, $3 its number, NULL at first.
SELECT r.home, r.is_new FROM ops.rebuild_tenant($1::text, $2::text, $3::int4) r;

-- name: rebuild_tenant_end
-- roles: worker
-- columns: slug n_devices n_series n_days
-- Those were all lines of the tenant $1, which is new where $2; $3 are the keys of its catalogues.
SELECT r.slug, r.n_devices, r.n_series, r.n_days
FROM ops.rebuild_tenant_end($1::int4, $2::boolean, $3::text[]) r;

-- name: rebuild_late
-- roles: worker
-- columns: is_taken
-- Notes the files of a manifest of the tenant $1, table $2, day $3 and number $4, written at $5: kinds,
-- keys, rows, bytes and checksums; where it is younger than the catalogue of the key $11.
SELECT ops.rebuild_late($1::text, $2::text, $3::text, $4::int4, $5::timestamptz, $6::text[], $7::text[],
                        $8::int8[], $9::int8[], $10::bytea[], $11::text) AS is_taken;

-- name: rebuild_knows
-- roles: worker
-- columns: is_known
-- That the files of the manifest of the key $1 are known.
SELECT ops.rebuild_knows($1::text) AS is_known;

-- name: rebuild_days
-- roles: worker
-- columns: tenant_id slug relation day
-- At most $4 days that are in the store alone, after the day $3 of the table $2 of the tenant $1.
SELECT d.tenant_id, d.slug, d.relation, d.day
FROM ops.rebuild_days($1::text, $2::text, $3::text, $4::int4) d;

-- name: rebuild_end
-- roles: worker
-- Notes what is to be made of what came back.
SELECT ops.rebuild_end();
