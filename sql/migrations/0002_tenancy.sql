-- Tenants, their sites, and who may come in: persons, memberships, sessions, tokens. Also what
-- hangs on them alone: login throttling, registered plugins, the audit trail.

CREATE TABLE core.tenant (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug          text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    timezone      text NOT NULL DEFAULT 'UTC',      -- IANA name; the default of its sites
    currency      text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    auto_register boolean NOT NULL DEFAULT true,    -- ingest creates unknown devices
    raw_days      int CHECK (raw_days > 0),         -- own raw retention; NULL: the installation's
    created_at    timestamptz NOT NULL DEFAULT now()
);
SELECT core.protect('core.tenant', 'id');
ALTER TABLE core.tenant_login ADD FOREIGN KEY (tenant_id) REFERENCES core.tenant ON DELETE CASCADE;

-- A place with a time zone of its own: local days, weeks and months are the site's.
CREATE TABLE core.site (
    tenant_id  int NOT NULL REFERENCES core.tenant,
    id         int GENERATED ALWAYS AS IDENTITY,
    key        text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
    name       text NOT NULL,
    timezone   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key)
);
SELECT core.protect('core.site', 'tenant_id');

-- A human who logs in; belongs to tenants through memberships, so only the doors see the table.
CREATE TABLE core.person (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(btrim(email)) AND email LIKE '_%@_%'),
    name          text NOT NULL DEFAULT '',
    password_hash text NOT NULL,                    -- argon2id, encoded
    operator_role text NOT NULL DEFAULT ''
        CHECK (operator_role IN ('', 'operator', 'operator_admin')),
    created_at    timestamptz NOT NULL DEFAULT now()
);
SELECT core.protect('core.person', NULL);

CREATE TABLE core.membership (
    tenant_id  int NOT NULL REFERENCES core.tenant,
    person_id  bigint NOT NULL REFERENCES core.person ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('viewer', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id)
);
CREATE INDEX membership_person ON core.membership (person_id);
SELECT core.protect('core.membership', 'tenant_id');

-- A browser's login. It ends `idle_days` after it was last seen.
CREATE TABLE core.session (
    hash       bytea PRIMARY KEY,                   -- of the cookie's secret
    person_id  bigint NOT NULL REFERENCES core.person ON DELETE CASCADE,
    tenant_id  int REFERENCES core.tenant ON DELETE SET NULL,  -- the one it looks at
    idle_days  int NOT NULL CHECK (idle_days > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_person ON core.session (person_id);
CREATE INDEX session_tenant ON core.session (tenant_id);
CREATE INDEX session_expires ON core.session (expires_at);
SELECT core.protect('core.session', NULL);

-- Failed logins, by e-mail (known or not: they must not differ) and by client address.
CREATE TABLE core.login_throttle (
    kind        text NOT NULL CHECK (kind IN ('email', 'address')),
    subject     text NOT NULL,
    failures    int NOT NULL,
    last_failed timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX login_throttle_last ON core.login_throttle (last_failed);
SELECT core.protect('core.login_throttle', NULL);

-- Ingest adapters and collectors, configured per tenant.
CREATE TABLE core.plugin (
    tenant_id  int NOT NULL REFERENCES core.tenant,
    key        text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
    kind       text NOT NULL CHECK (kind IN ('adapter', 'collector')),
    is_enabled boolean NOT NULL DEFAULT true,
    config     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
SELECT core.protect('core.plugin', 'tenant_id');

-- Who changed what. Rows of the installation itself have no tenant.
CREATE TABLE core.audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int,
    time      timestamptz NOT NULL DEFAULT now(),
    actor     text NOT NULL,                        -- e-mail, "token 17" or a database role
    action    text NOT NULL,                        -- "token.revoke"
    object    text NOT NULL,                        -- what it was done to
    detail    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_tenant ON core.audit (tenant_id, time);
SELECT core.protect('core.audit', 'tenant_id');
