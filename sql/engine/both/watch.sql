-- ---- what operators look at ----
-- Functions, as all that an operator may ask is one. None names a tenant's devices, series or
-- values; ops.tenant_usage counts by tenant.

-- How large the tables are, largest first. form: 'hypertable', 'partitions', 'table'.
-- compressed_bytes and uncompressed_bytes: of the compressed chunks, now and before; ratio: the
-- second by the first. NULL where nothing is compressed.
CREATE FUNCTION ops.storage()
RETURNS TABLE (relation text, form text, total_bytes bigint, compressed_bytes bigint,
               uncompressed_bytes bigint, ratio float8, chunks bigint, compressed_chunks bigint,
               row_estimate bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT x.relation::text, x.form, coalesce(x.total_bytes, 0), x.compressed_bytes, x.uncompressed_bytes,
           x.uncompressed_bytes::float8 / nullif(x.compressed_bytes, 0), x.chunks,
           x.compressed_chunks, coalesce(x.row_estimate, 0)
    FROM (SELECT t.relation, z.*
          FROM (SELECT k.relation, k.relation AS store FROM core.kept k
                UNION ALL
                SELECT a.aggregate, core.aggregate_store(a.aggregate) FROM core.aggregate a) t
          CROSS JOIN LATERAL core.relation_size(t.store) z
          WHERE t.store IS NOT NULL
          UNION ALL
          SELECT c.oid::regclass, 'table', pg_total_relation_size(c.oid), NULL, NULL, 0, 0,
                 greatest(c.reltuples, 0)::bigint
          FROM pg_class c
          WHERE c.relkind = 'r' AND NOT c.relispartition
            AND c.relnamespace IN ('core'::regnamespace, 'ops'::regnamespace)
            AND NOT EXISTS (SELECT FROM core.kept k WHERE k.relation = c.oid)) x
    ORDER BY 3 DESC, 1
$$;

-- The chunks (partitions) of a table, oldest first, or of all of them (NULL).
CREATE FUNCTION ops.chunk_list(of_relation text)
RETURNS TABLE (relation text, chunk text, from_time timestamptz, to_time timestamptz,
               is_compressed boolean, is_partial boolean, total_bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.relation::text, l.chunk::text, l.from_time, l.to_time, l.is_compressed, l.is_partial,
           core.chunk_size(k.relation, l.chunk)
    FROM core.kept k CROSS JOIN LATERAL core.chunk_list(k.relation) l
    WHERE of_relation IS NULL OR k.relation::text = of_relation
    ORDER BY k.relation::text, l.from_time
$$;

-- The worker's jobs: how often each is due, its last run, and the last 24 hours. is_overdue: it
-- has not ended well for three times as long as it should, nor for five minutes. last_detail: what
-- the last run that ended says it did, or why it failed.
CREATE FUNCTION ops.job_health()
RETURNS TABLE (name text, every_s int, last_started timestamptz, last_finished timestamptz,
               last_is_ok boolean, last_good timestamptz, last_seconds float8, last_detail text,
               runs_24h bigint, failures_24h bigint, is_running boolean, is_overdue boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT j.name, j.every_s, s.started_at, f.finished_at, f.is_ok, g.finished_at,
           extract(epoch FROM f.finished_at - f.started_at)::float8, f.detail, d.runs, d.failures,
           coalesce(s.finished_at IS NULL AND s.started_at > now() - interval '10 minutes', false),
           coalesce(g.finished_at < now() - make_interval(secs => greatest(3 * j.every_s, 300)),
                    true)
    FROM ops.job j
    LEFT JOIN LATERAL (SELECT r.started_at, r.finished_at FROM ops.job_run r WHERE r.name = j.name
                       ORDER BY r.started_at DESC LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT r.* FROM ops.job_run r
                       WHERE r.name = j.name AND r.finished_at IS NOT NULL
                       ORDER BY r.started_at DESC LIMIT 1) f ON true
    LEFT JOIN LATERAL (SELECT r.finished_at FROM ops.job_run r WHERE r.name = j.name AND r.is_ok
                       ORDER BY r.started_at DESC LIMIT 1) g ON true
    CROSS JOIN LATERAL (SELECT count(*) AS runs,
                               count(*) FILTER (WHERE NOT r.is_ok) AS failures
                        FROM ops.job_run r
                        WHERE r.name = j.name AND r.started_at > now() - interval '24 hours') d
    ORDER BY j.name
$$;

-- Runs of the jobs since `since` by hour ('1h') or day ('1d') of UTC.
CREATE FUNCTION ops.job_stat_list(grain text, since timestamptz)
RETURNS TABLE (name text, bucket timestamptz, runs bigint, failures bigint, avg_s float8,
               max_s float8)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.* FROM ops.job_stat_1h h WHERE grain = '1h' AND h.bucket >= since
    UNION ALL
    SELECT d.* FROM ops.job_stat_1d d WHERE grain = '1d' AND d.bucket >= since
    ORDER BY 1, 2
$$;

-- A statement's text without its values: strings and numbers become ?.
CREATE FUNCTION core.statement_shape(query text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT left(regexp_replace(regexp_replace(regexp_replace(
        regexp_replace(query, '--[^\n]*|/\*.*?\*/', ' ', 'g'),
        '\$([A-Za-z_]*)\$.*?\$\1\$|''(?:[^'']|'''')*''?', '?', 'g'),
        '(?<![\w$.])\d[\d.]*', '?', 'g'),
        '\s+', ' ', 'g'), 500)
$$;

GRANT EXECUTE ON FUNCTION core.statement_shape(text) TO tidemark_door;

-- Measurements of the installation since `since`, of one name or all (NULL): as taken ('raw'), or
-- by hour ('1h') or day ('1d') of UTC, for longer than the raw ones are kept where the engine
-- can. Raw ones are their own avg, min, max and last.
CREATE FUNCTION ops.system_metric_list(grain text, of_name text, since timestamptz)
RETURNS TABLE (name text, "time" timestamptz, avg float8, min float8, max float8, last float8,
               count bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.name, m.time, m.value, m.value, m.value, m.value, 1::bigint FROM ops.system_metric m
    WHERE grain = 'raw' AND m.time >= since AND (of_name IS NULL OR m.name = of_name)
    UNION ALL
    SELECT h.name, h.bucket, h.avg, h.min, h.max, h.last, h.count FROM ops.system_metric_1h h
    WHERE grain = '1h' AND h.bucket >= since AND (of_name IS NULL OR h.name = of_name)
    UNION ALL
    SELECT d.name, d.bucket, d.avg, d.min, d.max, d.last, d.count FROM ops.system_metric_1d d
    WHERE grain = '1d' AND d.bucket >= since AND (of_name IS NULL OR d.name = of_name)
    ORDER BY 1, 2
$$;

-- Samples and events that were stored per second, averages over `width`, since `since`. Measured
-- by the worker every minute.
CREATE FUNCTION ops.ingest_rate(since timestamptz, width interval)
RETURNS TABLE ("time" timestamptz, samples_per_s float8, events_per_s float8)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT date_bin(width, m.time, timestamptz '2000-01-01 00:00:00+00'),
           avg(m.value) FILTER (WHERE m.name = 'samples_per_s'),
           avg(m.value) FILTER (WHERE m.name = 'events_per_s')
    FROM ops.system_metric m
    WHERE m.name IN ('samples_per_s', 'events_per_s') AND m.time >= since
    GROUP BY 1
    ORDER BY 1
$$;

-- Rows that were ever put into samples and events, by the server's own counters; they fall when
-- a chunk is dropped.
CREATE FUNCTION ops.rows_stored(OUT samples bigint, OUT events bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(sum(s.n_tup_ins) FILTER (WHERE k.relation = 'core.sample'::regclass), 0)::bigint,
           coalesce(sum(s.n_tup_ins) FILTER (WHERE k.relation = 'core.event'::regclass), 0)::bigint
    FROM core.kept k
    CROSS JOIN LATERAL core.chunk_list(k.relation) l
    JOIN pg_stat_all_tables s ON s.relid = l.chunk
    WHERE k.relation IN ('core.sample'::regclass, 'core.event'::regclass)
$$;

-- What a row of the table takes on disk, with its indexes.
CREATE FUNCTION core.bytes_a_row(relation regclass) RETURNS float8
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(z.total_bytes / nullif(z.row_estimate, 0)::float8, 0)
    FROM core.relation_size(relation) z
$$;
GRANT EXECUTE ON FUNCTION core.bytes_a_row(regclass) TO tidemark_door;

SET LOCAL ROLE tidemark_door;

-- The statements that cost most time (pg_stat_statements, where it is installed: calls and times
-- since its statistics began), else those that have been running for over a second now (calls 1).
-- No values: shapes of statements of this database alone.
CREATE FUNCTION ops.slow_queries(row_limit int)
RETURNS TABLE (query text, calls bigint, mean_ms float8, max_ms float8, total_ms float8,
               n_rows bigint, source text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statements CONSTANT text := (
        SELECT format('%I.pg_stat_statements', n.nspname)
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_stat_statements');
BEGIN
    IF statements IS NOT NULL THEN
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT core.statement_shape(s.query), sum(s.calls)::bigint,'
                ' sum(s.total_exec_time) / sum(s.calls), max(s.max_exec_time), sum(s.total_exec_time),'
                ' sum(s.rows)::bigint, ''pg_stat_statements'' FROM %s s'
                ' WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())'
                ' AND s.query ~* ''^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY|CALL)'''
                ' GROUP BY 1 ORDER BY 5 DESC LIMIT $1', statements) USING row_limit;
            RETURN;
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            NULL;    -- made, but its library is not loaded
        END;
    END IF;
    RETURN QUERY
    SELECT core.statement_shape(a.query), 1::bigint, x.ms, x.ms, x.ms, NULL::bigint,
           'pg_stat_activity'
    FROM pg_stat_activity a
    CROSS JOIN LATERAL (SELECT extract(epoch FROM clock_timestamp() - a.query_start)::float8 * 1000
                               AS ms) x
    WHERE a.datname = current_database() AND a.state = 'active' AND a.pid <> pg_backend_pid()
      AND a.query_start < clock_timestamp() - interval '1 second'
    ORDER BY x.ms DESC
    LIMIT row_limit;
END
$$;

-- What each tenant has and sends. samples_24h: by closed hours; samples: of those
-- that are still kept, by closed months, days and hours; bytes: an estimate, its samples' and events' share of the tables.
CREATE FUNCTION ops.tenant_usage()
RETURNS TABLE (slug text, name text, status text, devices bigint, series bigint,
               samples_24h bigint, samples bigint, events_24h bigint, events bigint,
               bytes bigint, last_ingest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.slug, t.name, t.status, coalesce(d.n, 0), coalesce(s.n, 0), coalesce(s.day, 0),
           coalesce(s.kept, 0), coalesce(e.day, 0), coalesce(e.n, 0),
           (coalesce(s.kept, 0) * b.a_sample + coalesce(e.n, 0) * b.an_event)::bigint, d.seen
    FROM core.tenant t
    CROSS JOIN (SELECT core.bytes_a_row('core.sample') AS a_sample,
                       core.bytes_a_row('core.event') AS an_event) b
    LEFT JOIN (SELECT x.tenant_id, count(*) AS n, max(x.last_seen) AS seen
               FROM core.device x GROUP BY 1) d ON d.tenant_id = t.id
    LEFT JOIN (SELECT x.tenant_id, count(*) AS n, sum(h.n)::bigint AS day,
                      sum(coalesce(m.n, 0) + coalesce(y.n, 0) + coalesce(h.today, 0))::bigint AS kept
               FROM (SELECT o.tenant_id, o.horizon,
                            core.local_start('month', c.closed_until, z.timezone) AS month,
                            core.local_start('day', c.closed_until, z.timezone) AS today
                     FROM core.tenant_horizons('raw') o
                     JOIN core.tenant z ON z.id = o.tenant_id
                     CROSS JOIN core.rollup_state c) o
               JOIN core.series x ON x.tenant_id = o.tenant_id
               CROSS JOIN LATERAL (
                   SELECT sum(r.count) FILTER (WHERE r.bucket >= now() - interval '24 hours') AS n,
                          sum(r.count) FILTER (WHERE r.bucket >= o.today) AS today
                   FROM core.rollup_1h r
                   WHERE r.tenant_id = x.tenant_id AND r.series_id = x.id
                     AND r.bucket >= now() - interval '25 hours') h
               CROSS JOIN LATERAL (
                   SELECT sum(r.count) AS n FROM core.rollup_1d r
                   WHERE r.tenant_id = x.tenant_id AND r.series_id = x.id
                     AND r.bucket >= greatest(o.month, o.horizon)) y
               CROSS JOIN LATERAL (
                   SELECT sum(r.count) AS n FROM core.rollup_1mo r
                   WHERE r.tenant_id = x.tenant_id AND r.series_id = x.id
                     AND r.bucket >= o.horizon AND r.bucket < o.month) m
               GROUP BY 1) s ON s.tenant_id = t.id
    LEFT JOIN (SELECT x.tenant_id, sum(x.count)::bigint AS n,
                      sum(x.count) FILTER (WHERE x.bucket >= now() - interval '24 hours')::bigint
                          AS day
               FROM core.event_count_1h x GROUP BY 1) e ON e.tenant_id = t.id
    ORDER BY t.slug
$$;
GRANT EXECUTE ON FUNCTION ops.tenant_usage(), ops.slow_queries(int) TO tidemark_operator, tidemark_worker;

SET LOCAL ROLE tidemark_owner;
GRANT SELECT ON core.event_count_1h TO tidemark_door;
GRANT EXECUTE ON FUNCTION ops.storage(), ops.chunk_list(text), ops.job_health(),
    ops.job_stat_list(text, timestamptz),
    ops.system_metric_list(text, text, timestamptz), ops.ingest_rate(timestamptz, interval)
    TO tidemark_operator, tidemark_worker;
GRANT EXECUTE ON FUNCTION ops.rows_stored() TO tidemark_worker;
