-- Backups of the whole database: what `tidemark backup` and `tidemark restore` ask.

-- name: backup_begin
-- roles: backup
-- columns: snapshot server_major server_version schema_version engine extension installation
-- What is backed up; its snapshot lets pg_dump see the moment of this transaction.
SELECT pg_catalog.pg_export_snapshot() AS snapshot,
       current_setting('server_version_num')::int4 / 10000 AS server_major,
       current_setting('server_version') AS server_version,
       (SELECT max(h.version) FROM ops.migration_history h) AS schema_version,
       (SELECT h.engine FROM ops.migration_history h ORDER BY h.version LIMIT 1) AS engine,
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb') AS extension,
       (SELECT md5(extract(epoch FROM h.applied_at)::text) FROM ops.migration_history h
        ORDER BY h.version LIMIT 1) AS installation;

-- name: backup_installation
-- roles: super
-- columns: installation
-- What tells the database's installation from others, as backup_begin has it: the moment of its first
-- migration, to the microsecond. A restored database keeps it.
SELECT md5(extract(epoch FROM h.applied_at)::text) AS installation
FROM ops.migration_history h ORDER BY h.version LIMIT 1;

-- name: restore_whose
-- roles: super
-- columns: installation
-- The same; NULL in a database that was never migrated.
SELECT CASE WHEN to_regclass('ops.migration_history') IS NOT NULL THEN substring(
           pg_catalog.query_to_xml('SELECT md5(extract(epoch FROM h.applied_at)::text) AS m'
                                   ' FROM ops.migration_history h ORDER BY h.version LIMIT 1',
                                   false, false, '')::text FROM '<m>([0-9a-f]+)</m>') END AS installation;

-- name: backup_settle
-- roles: backup super
-- columns: timezone date interval bytes floats path
-- Lets values be written in one way, whatever the role's own settings are.
SELECT set_config('timezone', 'UTC', true) AS timezone, set_config('datestyle', 'ISO, YMD', true) AS date,
       set_config('intervalstyle', 'postgres', true) AS interval, set_config('bytea_output', 'hex', true) AS bytes,
       set_config('extra_float_digits', '1', true) AS floats, set_config('search_path', 'pg_catalog', true) AS path;

-- name: backup_count
-- roles: backup super
-- columns: relation n checksum
-- Of each table of ours, those of its partitions or chunks with it: its rows, and the sum of their
-- hashes, which is the same in any order; in one statement and so as of one moment. Rows of other
-- types than the common ones (names of relations, say, which are numbers inside) are hashed as text.
-- A record's hash is a sum over its columns, which is hashed again: else values could change places
-- among rows.
SELECT t.relation, substring(x.found FROM '<n>([0-9]+)</n>')::int8 AS n,
       substring(x.found FROM '<checksum>(-?[0-9]+)</checksum>') AS checksum
  FROM (SELECT n.nspname || '.' || c.relname AS relation, n.nspname, c.relname,
               (SELECT bool_and(CASE WHEN y.typcategory = 'A' THEN y.typelem ELSE y.oid END = ANY (
                           '{bool,int2,int4,int8,float8,numeric,text,uuid,bytea,jsonb,date,timestamptz,interval,xid8}'::regtype[]::oid[]))
                  FROM pg_catalog.pg_attribute a
                  JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS is_common
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('core', 'ops') AND c.relkind IN ('r', 'p') AND NOT c.relispartition) t
 CROSS JOIN LATERAL (
        SELECT pg_catalog.query_to_xml(
                   format('SELECT count(*) AS n, coalesce(sum(%s), 0) AS checksum FROM %I.%I whole_row',
                          CASE WHEN t.is_common THEN 'hashint8extended(hash_record_extended(whole_row, 0), 0)'
                               ELSE 'hashtextextended(whole_row::text, 0)' END, t.nspname, t.relname),
                   false, false, '')::text AS found
        OFFSET 0) x
 ORDER BY t.relation COLLATE "C";

-- name: backup_hold
-- roles: backup
-- No chunk is compressed until the session ends.
SELECT ops.columnstore_hold();

-- name: backup_wait
-- roles: backup
-- columns: now
-- Keeps the transaction of backup_begin from counting as forgotten.
SELECT now() AS now;

-- name: restore_target
-- roles: super
-- columns: is_super server_major database collation ctype n_foreign n_own
-- The database that a backup is to take the place of: its other tables, and the tenants and persons
-- of ours, which make it one that is not empty.
SELECT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = session_user) AS is_super,
       current_setting('server_version_num')::int4 / 10000 AS server_major,
       d.datname::text AS database, d.datcollate::text AS collation, d.datctype::text AS ctype,
       (SELECT count(*)
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'm', 'f')
           AND n.nspname NOT IN ('core', 'api', 'ops', 'information_schema')
           AND n.nspname !~ '^(pg|_timescaledb|timescaledb)_'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                              AND e.deptype = 'e')) AS n_foreign,
       (SELECT coalesce(sum(substring(
                   pg_catalog.query_to_xml(format('SELECT count(*) AS n FROM core.%I', t.relname),
                                           false, false, '')::text FROM '<n>([0-9]+)</n>')::int8), 0)::int8
          FROM pg_catalog.pg_class t
         WHERE t.relname IN ('tenant', 'person')
           AND t.relnamespace = to_regnamespace('core') AND t.relkind IN ('r', 'p')) AS n_own
  FROM pg_catalog.pg_database d
 WHERE d.datname = current_database();

-- name: restore_sessions
-- roles: super
-- columns: n names
-- Who else is connected to the database $1.
SELECT count(*) AS n,
       coalesce(string_agg(DISTINCT coalesce(nullif(a.application_name, ''), a.usename::text), ', '), '') AS names
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = $1::text AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid();

-- name: restore_extension
-- roles: super
-- columns: version
-- TimescaleDB's version in this database, NULL without.
SELECT (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb') AS version;

-- name: restore_pre
-- roles: super
-- Readies a database with TimescaleDB for pg_restore.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT public.timescaledb_pre_restore()';
    END IF;
END
$do$;

-- name: restore_trial_target
-- roles: super
-- columns: database server_major is_noted
-- Beside which database a trial takes place, and whether what it came to can be noted there.
SELECT current_database()::text AS database, current_setting('server_version_num')::int4 / 10000 AS server_major,
       to_regprocedure('ops.restore_trial_begin()') IS NOT NULL AS is_noted;

-- name: restore_trial_lock
-- roles: super
-- columns: is_free
-- Whether no other trial is under way whose databases begin with $1. The session keeps it.
SELECT pg_try_advisory_lock(hashtextextended('tidemark.trial.' || $1::text, 0)) AS is_free;

-- name: restore_trial_left
-- roles: super
-- columns: database
-- The databases of trials that were killed: $1 is what their names begin with, $2 their comment.
SELECT d.datname::text AS database
  FROM pg_catalog.pg_database d
 WHERE starts_with(d.datname::text, $1::text) AND substr(d.datname::text, length($1::text) + 1) ~ '^[0-9a-f]{8}$'
   AND shobj_description(d.oid, 'pg_database') = $2::text
 ORDER BY 1;

-- name: restore_trial_room
-- roles: super
-- columns: bytes
-- What a trial takes on the server's disk, about: what the database in use does.
SELECT pg_database_size(current_database()) AS bytes;

-- name: restore_trial_begin
-- roles: super worker
-- columns: id
-- Notes that a trial begins.
SELECT ops.restore_trial_begin() AS id;

-- name: restore_trial_end
-- roles: super worker
-- columns: done
-- Notes what trial $1 came to; $2 NULL: it was told to stop, and was none.
SELECT 1 AS done
  FROM ops.restore_trial_end($1::int8, $2::bool, $3::text, $4::timestamptz, $5::int8, $6::text);

-- name: restore_trial_newest
-- roles: worker
-- columns: started_at is_ok detail
-- The trial that was begun last; no row: there was none.
SELECT t.started_at, t.is_ok, t.detail FROM ops.restore_trial_newest() t;

-- name: restore_trial_last
-- roles: web worker
-- columns: finished_at is_ok seconds good_at good_backup_at
-- The last trial restore of a backup that ended, and the last good one (NULL: none).
SELECT t.finished_at, t.is_ok, t.seconds, t.good_at, t.good_backup_at FROM api.restore_trial_last() t;

-- name: restore_trial_hurry
-- roles: web
-- columns: timeout
-- Has the transaction's statements give up after a second: monitors do not wait long.
SELECT set_config('statement_timeout', '1000', true) AS timeout;

-- name: restore_renumber
-- roles: super
-- Numbers of transactions that the server has not come to are another's: what was committed there is
-- committed here. Those of core.change are put right where they are read.
UPDATE core.archive_change SET xid = pg_current_xact_id()
WHERE xid >= pg_snapshot_xmax(pg_current_snapshot());

-- name: restore_catalogues
-- roles: super
-- The newest catalogue in the store may be of the database that was given up: the next is written.
UPDATE core.archive_catalogue SET digest = NULL;

-- name: restore_given_up
-- roles: super
-- What the store has of the database that was given up is to be looked for, a week from now.
INSERT INTO core.store_given_up DEFAULT VALUES
ON CONFLICT (is_only) DO UPDATE SET until = DEFAULT, look_at = DEFAULT;

-- name: restore_post
-- roles: super
-- Ends what restore_pre began.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT public.timescaledb_post_restore()';
    END IF;
END
$do$;

-- name: restore_analyse
-- roles: super
-- A dump has no statistics.
ANALYZE;

-- name: restore_swap_names
-- roles: super
-- columns: live fresh kept is_forced
-- Hands names to restore_swap, which cannot take parameters: the database in use, the restored one,
-- what the first is to be called, and whether sessions are ended.
SELECT set_config('tidemark.restore_live', $1::text, true) AS live,
       set_config('tidemark.restore_fresh', $2::text, true) AS fresh,
       set_config('tidemark.restore_kept', $3::text, true) AS kept,
       set_config('tidemark.restore_is_forced', $4::bool::text, true) AS is_forced;

-- name: restore_swap
-- roles: super
-- Both databases get their new names, or neither. TimescaleDB's own workers are ended; renaming waits
-- for five seconds until nobody is connected, and nobody can connect meanwhile.
DO $do$
DECLARE
    live text := current_setting('tidemark.restore_live');
    fresh text := current_setting('tidemark.restore_fresh');
BEGIN
    PERFORM pg_terminate_backend(a.pid)
       FROM pg_catalog.pg_stat_activity a
      WHERE a.datname IN (live, fresh) AND a.pid <> pg_backend_pid()
        AND (a.backend_type <> 'client backend' OR current_setting('tidemark.restore_is_forced')::bool);
    EXECUTE format('ALTER DATABASE %I RENAME TO %I', live, current_setting('tidemark.restore_kept'));
    EXECUTE format('ALTER DATABASE %I RENAME TO %I', fresh, live);
END
$do$;

-- name: restore_workers
-- roles: super
-- Lets TimescaleDB's own jobs run in a database that was renamed.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT _timescaledb_functions.start_background_workers()';
    END IF;
END
$do$;
