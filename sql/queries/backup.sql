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
