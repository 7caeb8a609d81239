-- What only an administrator of the server can do, once per database: the roles, the owner of
-- the database and, where the server has all of it, TimescaleDB. Answers for nothing inside the
-- schemas: those are sql/migrations/, run as tidemark_owner. Run by `tidemark migrate` when it is
-- connected as a superuser; running it again changes nothing.

DO $roles$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES
            -- The owner must be able to log in: TimescaleDB's background policies insist on it.
            -- NOINHERIT keeps the doors' row-security policies from applying to the owner.
            ('tidemark_owner',    'LOGIN CREATEROLE NOINHERIT'),
            ('tidemark_door',     'NOLOGIN'),
            ('tidemark_web',      'LOGIN'),
            ('tidemark_ingest',   'LOGIN'),
            ('tidemark_worker',   'LOGIN'),
            ('tidemark_operator', 'LOGIN'),
            ('tidemark_read',     'LOGIN'),
            ('tidemark_backup',   'LOGIN')
        ) AS list (name, attributes)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
        END IF;
        -- Compiling plans costs more than it saves on every query of ours.
        EXECUTE format('ALTER ROLE %I SET jit = off', wanted.name);
    END LOOP;
    IF NOT pg_has_role('tidemark_owner', 'tidemark_door', 'MEMBER') THEN
        GRANT tidemark_door TO tidemark_owner;
    END IF;
    -- pg_dump fails under forced row security; only a superuser may hand out the way around it.
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        ALTER ROLE tidemark_backup BYPASSRLS;
        IF NOT pg_has_role('tidemark_backup', 'pg_read_all_data', 'MEMBER') THEN
            GRANT pg_read_all_data TO tidemark_backup;
        END IF;
        -- ops.slow_queries shows operators the shapes of every role's statements.
        IF NOT pg_has_role('tidemark_door', 'pg_read_all_stats', 'MEMBER') THEN
            GRANT pg_read_all_stats TO tidemark_door;
        END IF;
    END IF;
END
$roles$;

DO $database$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO tidemark_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tidemark_web, tidemark_ingest, tidemark_worker,'
                   ' tidemark_operator, tidemark_read, tidemark_backup', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$database$;

-- TimescaleDB only where it is installed, preloaded and the full edition: the Apache build has no
-- compression and counts as plain PostgreSQL. The edition can be asked only once the extension is
-- there, so it is made and, where it turns out the lesser one, unmade.
DO $engine$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
       OR NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
       OR current_setting('shared_preload_libraries') NOT LIKE '%timescaledb%' THEN
        RETURN;
    END IF;
    CREATE EXTENSION timescaledb SCHEMA public;
    IF current_setting('timescaledb.license', true) IS DISTINCT FROM 'timescale' THEN
        RAISE EXCEPTION 'not the full edition' USING ERRCODE = 'feature_not_supported';
    END IF;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'TimescaleDB is %: using plain PostgreSQL', SQLERRM;
END
$engine$;

-- What statements cost, where the server counts it; their shapes are shown to operators alone.
DO $statements$
BEGIN
    IF current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'
       AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public;
        REVOKE ALL ON public.pg_stat_statements, public.pg_stat_statements_info FROM PUBLIC;
        GRANT SELECT ON public.pg_stat_statements TO tidemark_door;
    END IF;
END
$statements$;

-- Ingest, rollups and jobs wait for each other by advisory locks, which PostgreSQL lets anybody
-- take: a login that a tenant was given for SQL could stop everybody's ingest with one of them.
-- Large objects are anybody's to make too, and fill the disk.
DO $locks$
DECLARE
    func regprocedure;
BEGIN
    FOR func IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND p.proname ~ '^(pg_(try_)?advisory_|lo_(creat|create|from_bytea)$)'
          AND has_function_privilege('public', p.oid, 'EXECUTE')
          AND (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', func);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tidemark_owner, tidemark_door', func);
    END LOOP;
END
$locks$;
