-- Removing a tenant removes all that the store has under its name and number, and not only what the database
-- knows of: after a backup is restored, the store has objects that came after it.

CREATE INDEX archive_object ON core.archive (object);

-- Beginnings of keys below which everything is to be removed that no row speaks of.
CREATE TABLE core.store_gone (
    prefix text COLLATE "C" PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT core.protect('core.store_gone', NULL);

SET LOCAL ROLE tidemark_door;

CREATE FUNCTION core.store_note_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO core.store_gone (prefix)
    SELECT format('archive/%s/tenant=%s/', folder, OLD.slug)
    FROM unnest('{catalogue,costs,events,events.tombstones,samples,samples.tombstones}'::text[]) folder
    UNION ALL SELECT format('upload/%s/', OLD.id)
    ON CONFLICT (prefix) DO UPDATE SET at = clock_timestamp();
    RETURN NULL;
END
$$;

-- The next of them after the given one.
CREATE FUNCTION ops.store_gone_next(after text) RETURNS TABLE (prefix text, noted_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT g.prefix, g.at FROM core.store_gone g
                 WHERE g.prefix > store_gone_next.after ORDER BY g.prefix LIMIT 1;
END
$$;

-- All below it was removed, unless it was noted again since.
CREATE FUNCTION ops.store_gone_done(of_prefix text, of_noted_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM core.store_gone g WHERE g.prefix = of_prefix AND g.at = of_noted_at;
END
$$;

-- Which of the keys no row speaks of: they are of no file of the archive and of none that is being written,
-- no catalogue's, and no upload's (the keys of whose parts begin with its own).
CREATE FUNCTION ops.object_unknown(keys text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT u.key
    FROM unnest(keys) u (key)
    CROSS JOIN LATERAL (VALUES (regexp_replace(u.key, '\.json$', '.parquet'),
                                substring(u.key FROM '^upload/\d+/[0-9a-f]{2}/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})')::uuid))
        of (file, upload)
    WHERE NOT EXISTS (SELECT FROM core.archive a
                      WHERE a.object IN (of.file, regexp_replace(of.file, '^(archive/\w+)/', '\1.tombstones/')))
      AND NOT EXISTS (SELECT FROM core.archive_catalogue c WHERE c.object = u.key)
      AND NOT EXISTS (SELECT FROM core.archive_garbage g WHERE g.object = u.key)
      AND NOT EXISTS (SELECT FROM core.upload f WHERE f.id = of.upload);
END
$$;

GRANT EXECUTE ON FUNCTION ops.store_gone_next(text), ops.store_gone_done(text, timestamptz),
    ops.object_unknown(text[]) TO tidemark_worker;
GRANT EXECUTE ON FUNCTION core.store_note_gone() TO tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TRIGGER note_gone AFTER DELETE ON core.tenant
    FOR EACH ROW EXECUTE FUNCTION core.store_note_gone();
