-- What the database layer itself says to the server: transactions, the schema's version,
-- and the steps of the migration runner. Every other statement lives with its subject.

-- name: tx_begin_read
-- roles: owner web ingest worker operator read backup
-- Opens a transaction that cannot write, and sees one moment in all its statements.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: tx_begin_write
-- roles: owner web ingest worker operator read
-- Opens a transaction that can write.
BEGIN READ WRITE;

-- name: tx_commit
-- roles: owner web ingest worker operator read
-- Commits; the server answers ROLLBACK where a statement had failed.
COMMIT;

-- name: tx_rollback
-- roles: owner web ingest worker operator read
-- Gives the transaction up.
ROLLBACK;

-- name: tx_bind
-- roles: owner web ingest worker operator read backup
-- columns: tenant_id statement_timeout idle_timeout
-- Binds the open transaction, and nothing beyond it, to a tenant ('' to none) and to its
-- timeouts. Settings local to a transaction are the only ones a pooler cannot mix up.
SELECT set_config('tidemark.tenant_id', $1::text, true) AS tenant_id,
       set_config('statement_timeout', $2::text, true) AS statement_timeout,
       set_config('idle_in_transaction_session_timeout', $3::text, true) AS idle_timeout;

-- name: tx_settle
-- roles: web ingest
-- columns: is_ours statement_timeout idle_timeout
-- Gives the session its timeouts, where it is ours alone: transactions bound to no tenant need no
-- binding then. Behind a pooler, where the process is another than $3, which we were told when we
-- connected, it gives nothing.
SELECT own.is_ours,
       set_config('statement_timeout', $1::text, NOT own.is_ours) AS statement_timeout,
       set_config('idle_in_transaction_session_timeout', $2::text, NOT own.is_ours) AS idle_timeout
FROM (SELECT pg_backend_pid() = $3::int4 AS is_ours) own;

-- name: db_home
-- roles: web ingest worker operator
-- columns: home
-- Names the database, unlike any other of this or another cluster, whatever it is called.
SELECT c.system_identifier || '/' || d.oid AS home
FROM pg_control_system() c, pg_database d WHERE d.datname = current_database();

-- name: tx_bind_tenant
-- roles: owner web ingest worker operator read
-- columns: tenant_id
-- Binds the open transaction to a tenant found inside it.
SELECT set_config('tidemark.tenant_id', $1::text, true) AS tenant_id;

-- name: tx_bind_actor
-- roles: web operator
-- columns: actor
-- Says who acts in the open transaction, for the audit trail.
SELECT set_config('tidemark.actor', $1::text, true) AS actor;

-- name: schema_version
-- roles: web ingest worker operator read
-- columns: version
-- The newest migration applied.
SELECT api.schema_version()::int AS version;

-- name: migrate_server
-- roles: owner
-- columns: is_super is_owner has_owner has_history is_timescaledb database
-- Who we are on this server, and what it offers. TimescaleDB counts only in its full edition:
-- the Apache build lacks compression and retention, and is treated as plain PostgreSQL.
SELECT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = session_user) AS is_super,
       session_user = 'tidemark_owner' AS is_owner,
       EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'tidemark_owner') AS has_owner,
       EXISTS (SELECT FROM pg_catalog.pg_tables t
                WHERE t.schemaname = 'ops' AND t.tablename = 'migration_history') AS has_history,
       EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb')
           AND coalesce(current_setting('timescaledb.license', true) = 'timescale', false) AS is_timescaledb,
       current_database()::text AS database;

-- name: migrate_try_lock
-- roles: owner
-- columns: is_locked
-- Takes the one lock of the migration runner for this session, when it is free.
SELECT pg_catalog.pg_try_advisory_lock($1::int8) AS is_locked;

-- name: migrate_lock
-- roles: owner
-- columns: locked
-- Waits for the one lock of the migration runner and takes it for this session.
SELECT pg_catalog.pg_advisory_lock($1::int8)::text AS locked;

-- name: migrate_lock_roles
-- roles: super
-- Roles belong to the whole server, and the migration lock to one database: this one keeps two
-- databases' migrations from creating or altering the same roles at once.
LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE;

-- name: migrate_become_owner
-- roles: super
-- From here on a superuser's migration runs with the owner's rights and nobody else's.
SET SESSION AUTHORIZATION tidemark_owner;

-- name: migrate_reset_role
-- roles: owner
-- A migration may have taken another role on; its entry in the history is the owner's.
RESET ROLE;

-- name: migrate_schema_make
-- roles: owner
-- The schema of the history, before the first migration.
CREATE SCHEMA IF NOT EXISTS ops;

-- name: migrate_history_make
-- roles: owner
-- What was applied, from which content, and for which engine.
CREATE TABLE IF NOT EXISTS ops.migration_history (
    version int PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    engine text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    duration_ms int NOT NULL
);

-- name: migrate_history
-- roles: owner
-- columns: version name sha256 engine applied_at
-- All that was applied, in order.
SELECT h.version, h.name, h.sha256, h.engine, h.applied_at
  FROM ops.migration_history h
 ORDER BY h.version;

-- name: migrate_history_add
-- roles: owner
-- Records a migration in its own transaction.
INSERT INTO ops.migration_history (version, name, sha256, engine, duration_ms)
VALUES ($1::int, $2::text, $3::text, $4::text, $5::int);

-- name: migrate_password_set
-- roles: owner
-- columns: role verifier
-- Hands a role's name and SCRAM verifier to migrate_password_apply, which cannot take parameters.
SELECT set_config('tidemark.role_name', $1::text, true) AS role,
       set_config('tidemark.role_verifier', $2::text, true) AS verifier;

-- name: migrate_password_apply
-- roles: owner
-- Gives the role the verifier; the password itself never reaches the server.
DO $do$
BEGIN
    EXECUTE format('ALTER ROLE %I PASSWORD %L',
                   current_setting('tidemark.role_name'), current_setting('tidemark.role_verifier'));
END
$do$;
