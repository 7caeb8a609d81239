-- Backups of the whole database: what `tidemark backup` and `tidemark restore` ask.

-- name: backup_begin
-- roles: backup
-- columns: snapshot server_major server_version schema_version engine extension
-- What is backed up; its snapshot lets pg_dump see the moment of this transaction.
SELECT pg_catalog.pg_export_snapshot() AS snapshot,
       current_setting('server_version_num')::int4 / 10000 AS server_major,
       current_setting('server_version') AS server_version,
       (SELECT max(h.version) FROM ops.migration_history h) AS schema_version,
       (SELECT h.engine FROM ops.migration_history h ORDER BY h.version LIMIT 1) AS engine,
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb') AS extension;

-- name: backup_count
-- roles: backup super
-- columns: relation n
-- The rows of each table of ours, those of its partitions or chunks with it, in one statement and so
-- as of one moment.
SELECT n.nspname || '.' || c.relname AS relation,
       substring(pg_catalog.query_to_xml(format('SELECT count(*) AS n FROM %I.%I', n.nspname, c.relname),
                                         false, false, '')::text FROM '<n>([0-9]+)</n>')::int8 AS n
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('core', 'ops') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY (n.nspname || '.' || c.relname) COLLATE "C";

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

-- name: restore_renumber
-- roles: super
-- Numbers of transactions that the server has not come to are another's: what was committed there is
-- committed here. Those of core.change are put right where they are read.
UPDATE core.archive_change SET xid = pg_current_xact_id()
WHERE xid >= pg_snapshot_xmax(pg_current_snapshot());

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
