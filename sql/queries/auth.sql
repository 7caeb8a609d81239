-- The doors through which a request comes in before its tenant is known.

-- name: token_resolve
-- roles: web ingest
-- columns: token_id kind tenant_id tenant_slug tenant_name tenant_timezone tenant_currency auto_register device_id device_key is_backfill raw_days expires_at request_rate token_rate max_series rows_per_day adapters_version
-- Whose token this is, by its hash. No row: unknown, revoked, expired, or of a suspended tenant.
SELECT t.token_id, t.kind, t.tenant_id, t.tenant_slug, t.tenant_name, t.tenant_timezone,
       t.tenant_currency, t.auto_register, t.device_id, t.device_key, t.is_backfill,
       t.raw_days, t.expires_at, t.request_rate, t.token_rate, t.max_series, t.rows_per_day,
       t.adapters_version
FROM api.token_resolve($1::bytea) t;

-- name: token_keys
-- roles: ingest
-- columns: key
-- The keys that may have encrypted what comes in the name of a token.
SELECT k.key FROM api.token_keys($1::int8) AS k (key);

-- name: token_touch
-- roles: web ingest
-- Notes when tokens were last used.
SELECT FROM api.token_touch($1::int8[], $2::timestamptz[]);

-- name: session_resolve
-- roles: web
-- columns: person_id email name operator_role tenant_id tenant_slug tenant_name tenant_timezone tenant_currency role homes
-- Who carries the session of a hash, and the tenant it looks at. No row: unknown or expired.
SELECT s.person_id, s.email, s.name, s.operator_role, s.tenant_id, s.tenant_slug, s.tenant_name,
       s.tenant_timezone, s.tenant_currency, s.role, s.homes
FROM api.session_resolve($1::bytea) s;

-- name: session_end
-- roles: web
-- Logs a session out.
SELECT FROM api.session_end($1::bytea);

-- name: login_check
-- roles: web
-- columns: person_id password_hash wait_s
-- The password hash of an e-mail (NULL: unknown), and the seconds it or the address must wait.
SELECT l.person_id, l.password_hash, l.wait_s FROM api.login_check($1::text, $2::text) l;

-- name: login_failed
-- roles: web
-- Counts a failed login of an e-mail and a client address.
SELECT FROM api.login_failed($1::text, $2::text);

-- name: login_passed
-- roles: web
-- Forgets the failures and starts the session of a hash.
SELECT FROM api.login_passed($1::text, $2::text, $3::int8, $4::bytea, $5::int4);

-- name: session_switch
-- roles: web
-- columns: is_switched
-- Turns a session to another tenant of its person.
SELECT api.session_switch($1::bytea, $2::text) AS is_switched;

-- name: own_sessions
-- roles: web
-- columns: created_at last_seen expires_at tenant_name is_this
-- The sessions of the person behind one, that one first.
SELECT s.created_at, s.last_seen, s.expires_at, s.tenant_name, s.is_this
FROM api.own_sessions($1::bytea) s;

-- name: own_sessions_end
-- roles: web
-- columns: ended
-- Ends the person's other sessions; answers how many.
SELECT api.own_sessions_end($1::bytea) AS ended;

-- name: own_name_set
-- roles: web
-- Renames the person behind a session.
SELECT FROM api.own_name_set($1::bytea, $2::text);

-- name: own_password_set
-- roles: web
-- Sets the password of the person behind a session, and ends the other sessions.
SELECT FROM api.own_password_set($1::bytea, $2::text);
