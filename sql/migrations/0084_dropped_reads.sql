-- A reader learns that what its transaction sees as kept was dropped before it was read.

-- Whether a chunk of samples (is_raw), or of what is made of them, was dropped since the moment that
-- the transaction sees: the table's rows are missing then without a word, as they are nowhere looked for. A
-- query sees the chunks of that moment, and pg_relation_filenode those of now.
CREATE FUNCTION api.has_dropped(is_raw boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM core.kept k JOIN pg_inherits i ON i.inhparent = k.relation
                   WHERE k.class = ANY (CASE WHEN is_raw THEN ARRAY['raw'] ELSE ARRAY['hourly', 'daily'] END)
                     AND pg_relation_filenode(i.inhrelid) IS NULL);
END
$$;
REVOKE ALL ON FUNCTION api.has_dropped(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.has_dropped(boolean) TO tidemark_web;
