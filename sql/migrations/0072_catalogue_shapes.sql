-- What a catalogue has of configurations is what Tidemark itself reads of them: the mappings of adapters
-- and the metrics of devices, member by member, and only in the shape in which they are read. All else is
-- other programs' and may be a secret under any name, so none of it leaves the database.

SET LOCAL ROLE tidemark_door;

-- Of an object those members that are texts, or null, of these names (NULL: of any); {} of anything else.
CREATE FUNCTION core.catalogue_texts(value jsonb, names text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'object' THEN
        (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM jsonb_each(value) m
         WHERE jsonb_typeof(m.value) IN ('string', 'null') AND (names IS NULL OR m.key = ANY (names)))
        ELSE '{}' END
$$;

-- What metrics become, by their names: null, another name, or an object of the four that are read of one.
CREATE FUNCTION core.catalogue_metrics(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'object' THEN
        core.catalogue_texts(value, NULL)
            || (SELECT coalesce(jsonb_object_agg(m.key, core.catalogue_texts(m.value, '{name,unit,kind,role}')), '{}')
                FROM jsonb_each(value) m WHERE jsonb_typeof(m.value) = 'object')
        ELSE '{}' END
$$;

-- The mapping in an adapter's configuration, as domain/mapping reads it.
CREATE FUNCTION core.catalogue_mapping(config jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(part.name, part.value), '{}')
    FROM (VALUES ('device', CASE WHEN jsonb_typeof(config -> 'device') = 'array' THEN
                      (SELECT coalesce(jsonb_agg(i.value ORDER BY i.ord), '[]')
                       FROM jsonb_array_elements(config -> 'device') WITH ORDINALITY AS i (value, ord)
                       WHERE jsonb_typeof(i.value) = 'string') END),
                 ('devices', core.catalogue_texts(config -> 'devices', NULL)),
                 ('labels', core.catalogue_texts(config -> 'labels', NULL)),
                 ('metrics', core.catalogue_metrics(config -> 'metrics'))) AS part (name, value)
    WHERE config ? part.name AND part.value IS NOT NULL
$$;

-- A row as it leaves the database.
CREATE OR REPLACE FUNCTION core.catalogue_line(relation name, line jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE relation
        WHEN 'plugin' THEN line || jsonb_build_object('config', CASE
            WHEN line ->> 'kind' = 'adapter'
                 AND line ->> 'key' = ANY ('{acquisuite,collectd,egauge,emoncms,events,influxdb,otlp,prometheus,pvoutput,thingsboard}')
            THEN core.catalogue_mapping(line -> 'config') ELSE '{}' END)
        WHEN 'device' THEN line || jsonb_build_object('config', CASE
            WHEN line -> 'config' ? 'metrics'
            THEN jsonb_build_object('metrics', core.catalogue_metrics(line #> '{config,metrics}')) ELSE '{}' END)
        ELSE line END
$$;

DROP FUNCTION core.catalogue_scrub(jsonb);
DROP FUNCTION core.catalogue_scrub_text(text);
DROP FUNCTION core.catalogue_secret();
DROP FUNCTION core.catalogue_secret_word();
