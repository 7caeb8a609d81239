-- Tokens whose key the server can read. emoncms's senders without TLS encrypt what they post with
-- their key, so opening that takes the key itself, where of other tokens a hash is enough. It is
-- there only where an admin asked for it, can be read by ingest alone, one token at a time, and is
-- erased when the token is revoked.

ALTER TABLE core.token
    ADD COLUMN cipher_key     bytea CHECK (octet_length(cipher_key) = 16),     -- of the secret
    ADD COLUMN old_cipher_key bytea CHECK (octet_length(old_cipher_key) = 16), -- of the former one
    ADD CHECK (kind = 'device' OR cipher_key IS NULL);

CREATE FUNCTION core.token_key_forget() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.cipher_key := NULL;
    NEW.old_cipher_key := NULL;
    RETURN NEW;
END
$$;
GRANT EXECUTE ON FUNCTION core.token_key_forget() TO tidemark_door;

CREATE TRIGGER key_forgotten BEFORE UPDATE ON core.token
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL AND NEW.cipher_key IS NOT NULL)
    EXECUTE FUNCTION core.token_key_forget();

-- Fails where the key is not that of the token's secret.
CREATE FUNCTION core.token_key_check(token core.token, key bytea) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF token.kind <> 'device'
       OR token.hash <> sha256(convert_to('tmk_' || encode(key, 'hex'), 'UTF8')) THEN
        RAISE EXCEPTION 'Only a device token made for it can have a key.' USING ERRCODE = 'TM422';
    END IF;
END
$$;
GRANT EXECUTE ON FUNCTION core.token_key_check(core.token, bytea) TO tidemark_door;

-- Keeps the key of a token's new secret; the former secret's key works as long as that.
CREATE FUNCTION api.token_key_set(token_id bigint, key bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home  CONSTANT int := core.tenant();
    token CONSTANT core.token := core.token_lock(home, token_id);
BEGIN
    PERFORM core.token_key_check(token, key);
    UPDATE core.token k
    SET cipher_key = key,
        old_cipher_key = CASE WHEN token.old_hash IS NOT NULL THEN token.cipher_key END
    WHERE k.tenant_id = home AND k.id = token_id;
END
$$;
GRANT EXECUTE ON FUNCTION api.token_key_set(bigint, bytea) TO tidemark_web;

CREATE OR REPLACE VIEW api.token WITH (security_barrier) AS
SELECT k.id, k.kind, d.key AS device, k.name, k.prefix, k.is_backfill, k.created_at, k.last_used,
       k.expires_at, k.revoked_at, CASE WHEN k.old_until > now() THEN k.old_until END AS old_until,
       k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AS is_active,
       k.cipher_key IS NOT NULL AS is_encrypted
FROM core.token k
LEFT JOIN core.device d ON d.tenant_id = k.tenant_id AND d.id = k.device_id;

-- As before, with whether the server has the token's key.
CREATE OR REPLACE FUNCTION api.token_list(before_id bigint, with_inactive boolean, only_id bigint,
                                          row_limit int)
RETURNS SETOF api.token
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
DECLARE
    owner CONSTANT int := core.tenant();
    until CONSTANT bigint := coalesce(before_id, 9223372036854775807);
BEGIN
    RETURN QUERY
    SELECT k.id, k.kind, d.key, k.name, k.prefix, k.is_backfill, k.created_at, k.last_used,
           k.expires_at, k.revoked_at, CASE WHEN k.old_until > now() THEN k.old_until END,
           k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()),
           k.cipher_key IS NOT NULL
    FROM core.token k
    LEFT JOIN core.device d ON d.tenant_id = owner AND d.id = k.device_id
    -- both in one, for the tenant's index: that of all tenants' ids has other tenants' between
    WHERE k.tenant_id = owner AND (k.tenant_id, k.id) < (owner, until)
      AND (only_id IS NULL OR k.id = only_id)
      AND (with_inactive OR (k.revoked_at IS NULL
                             AND (k.expires_at IS NULL OR k.expires_at > now())))
    ORDER BY k.id DESC
    LIMIT row_limit;
END
$$;

SET LOCAL ROLE tidemark_door;

-- The keys that may have encrypted what comes in the name of a token: its secret's, and the former
-- one's. Whose token it is and whether it may be used is told by the secret they make.
CREATE FUNCTION api.token_keys(token_id bigint) RETURNS SETOF bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT u.key
    FROM core.token k
    CROSS JOIN LATERAL unnest(ARRAY[k.cipher_key, k.old_cipher_key]) AS u (key)
    WHERE k.id = token_id AND k.revoked_at IS NULL AND u.key IS NOT NULL;
END
$$;
GRANT EXECUTE ON FUNCTION api.token_keys(bigint) TO tidemark_ingest;

-- The same as api.token_key_set, for a token just made by an operator.
CREATE FUNCTION ops.token_key_set(token_id bigint, key bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    token core.token;
BEGIN
    SELECT * INTO STRICT token FROM core.token k WHERE k.id = token_id FOR NO KEY UPDATE;
    PERFORM core.token_key_check(token, key);
    UPDATE core.token k SET cipher_key = key WHERE k.id = token_id;
END
$$;
GRANT EXECUTE ON FUNCTION ops.token_key_set(bigint, bytea) TO tidemark_operator;

SET LOCAL ROLE tidemark_owner;
