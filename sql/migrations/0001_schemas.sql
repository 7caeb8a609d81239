-- Schemas and the rule by which a statement belongs to a tenant. Every later migration builds on
-- three facts made here: nobody may execute a function unless told so, application roles see
-- only `api` (and the operator and worker `ops`), and core.tenant() says whose rows are visible.

CREATE SCHEMA core;                  -- tables; granted to no application role
CREATE SCHEMA api;                   -- what application roles may use
CREATE SCHEMA IF NOT EXISTS ops;     -- migrations, jobs, operators (the migration runner made it)

ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE tidemark_door REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT USAGE ON SCHEMA api TO tidemark_web, tidemark_ingest, tidemark_worker, tidemark_operator,
    tidemark_read;
GRANT USAGE ON SCHEMA ops TO tidemark_worker, tidemark_operator;
-- To name core.sample in its INSERT; there is nothing else in `core` for it.
GRANT USAGE ON SCHEMA core TO tidemark_ingest;

-- The door role owns the functions that must look across tenants (DESIGN: "doors"). It cannot
-- log in; the owner is a member, to create its functions, without inheriting its policies.
GRANT USAGE, CREATE ON SCHEMA core, api, ops TO tidemark_door;

-- SQL logins (Grafana and the like) that belong to one tenant for good.
CREATE TABLE core.tenant_login (
    role      name PRIMARY KEY,
    tenant_id int NOT NULL
);
ALTER TABLE core.tenant_login ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY door ON core.tenant_login TO tidemark_door USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.tenant_login TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- The tenant whose rows the running statement may touch; NULL: none. A tenant bound to the login
-- wins: such a login cannot choose another by a setting. A login that may only read and is bound
-- to none gets none, for it could choose any. Everybody else is one of our processes, which binds
-- each transaction by the setting; nonsense in it is no tenant. In a policy or view call it as
-- (SELECT core.tenant()): once a statement instead of once a row.
CREATE FUNCTION core.tenant() RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound   int;
    setting text := current_setting('tidemark.tenant_id', true);
BEGIN
    SELECT l.tenant_id INTO bound FROM core.tenant_login l WHERE l.role = session_user;
    IF FOUND THEN
        RETURN bound;
    END IF;
    IF session_user <> 'tidemark_read'
       AND pg_has_role(session_user, 'tidemark_read', 'MEMBER')
       AND NOT pg_has_role(session_user, 'tidemark_web', 'MEMBER') THEN
        RETURN NULL;
    END IF;
    RETURN CASE WHEN setting ~ '^[1-9][0-9]{0,8}$' THEN setting::int END;
END
$$;
-- Views and policies call it in the name of whoever asks.
GRANT EXECUTE ON FUNCTION core.tenant() TO tidemark_owner, tidemark_web, tidemark_ingest,
    tidemark_worker, tidemark_operator, tidemark_read, tidemark_backup;

SET LOCAL ROLE tidemark_owner;

-- Gives a new relational table its row-level security: a tenant's rows for its tenant, all of
-- them for the doors. `key` is the column that holds the tenant; NULL: only the doors see any.
CREATE FUNCTION core.protect(relation regclass, key name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', relation);
    IF key IS NOT NULL THEN
        EXECUTE format('CREATE POLICY tenant ON %s USING (%I = (SELECT core.tenant()))'
                       ' WITH CHECK (%I = (SELECT core.tenant()))', relation, key, key);
    END IF;
    EXECUTE format('CREATE POLICY door ON %s TO tidemark_door USING (true) WITH CHECK (true)',
                   relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO tidemark_door', relation);
END
$$;

-- The schema's version as the binary compares it with its own; 0 before the first migration.
CREATE FUNCTION api.schema_version() RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT coalesce(max(h.version), 0) FROM ops.migration_history h);
END
$$;
GRANT EXECUTE ON FUNCTION api.schema_version() TO tidemark_web, tidemark_ingest, tidemark_worker,
    tidemark_operator, tidemark_read;
