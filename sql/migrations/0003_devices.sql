-- Devices, their series, and what the system remembers about series instead of searching
-- samples for it: the last value, and the log of what was changed after the fact.

CREATE TABLE core.device (
    tenant_id  int NOT NULL REFERENCES core.tenant,
    id         int GENERATED ALWAYS AS IDENTITY,
    key        text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
    name       text NOT NULL,
    model      text NOT NULL DEFAULT '',
    site_id    int,
    -- {"metrics": {"<metric>": {"unit": "…", "kind": "…", "role": "…"}}} overrules the names.
    config     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen  timestamptz,
    retired_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key),
    FOREIGN KEY (tenant_id, site_id) REFERENCES core.site
) WITH (fillfactor = 80);                           -- room for last_seen's updates
CREATE INDEX device_id ON core.device (id);
CREATE INDEX device_site ON core.device (tenant_id, site_id);
SELECT core.protect('core.device', 'tenant_id');

-- Machines' credentials, stored as a hash; `prefix` is what is shown to tell them apart.
CREATE TABLE core.token (
    tenant_id   int NOT NULL REFERENCES core.tenant,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    kind        text NOT NULL CHECK (kind IN ('device', 'api', 'admin')),
    device_id   int,                                -- bound to one device; NULL: to none
    name        text NOT NULL DEFAULT '',
    hash        bytea NOT NULL UNIQUE,
    prefix      text NOT NULL,
    is_backfill boolean NOT NULL DEFAULT false,     -- may send any age
    created_at  timestamptz NOT NULL DEFAULT now(),
    last_used   timestamptz,
    expires_at  timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES core.device
);
CREATE INDEX token_id ON core.token (id);
CREATE INDEX token_device ON core.token (tenant_id, device_id);
SELECT core.protect('core.token', 'tenant_id');

-- One metric of one device with one set of labels.
CREATE TABLE core.series (
    tenant_id  int NOT NULL,
    id         int GENERATED ALWAYS AS IDENTITY,
    device_id  int NOT NULL,
    metric     text NOT NULL CHECK (octet_length(metric) BETWEEN 1 AND 512),
    labels     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    unit       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('gauge', 'counter', 'delta')),
    role       text NOT NULL CHECK (role IN ('grid_import', 'grid_export', 'generation',
                                             'consumption', 'storage', 'sub_meter', 'none')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES core.device
);
-- Labels may be longer than an index entry, hence their digest.
CREATE UNIQUE INDEX series_identity
    ON core.series (tenant_id, device_id, metric, md5(labels::text));
SELECT core.protect('core.series', 'tenant_id');

-- Each series' newest sample, flushed by ingest every couple of seconds, so that no page
-- searches samples for "last". May lag; the worker repairs what a killed ingest did not flush.
CREATE TABLE core.series_last (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    time      timestamptz NOT NULL,
    value     float8 NOT NULL,
    PRIMARY KEY (tenant_id, series_id)
) WITH (fillfactor = 50);
SELECT core.protect('core.series_last', 'tenant_id');

-- The log of what was written late, corrected or deleted: samples of the series from from_time
-- to to_time, both inclusive. Written in the transaction that changes the samples. Readers take
-- rows with xid < pg_snapshot_xmin(pg_current_snapshot()) only, so that none is ever skipped.
CREATE TABLE core.change (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    from_time timestamptz NOT NULL,
    to_time   timestamptz NOT NULL CHECK (to_time >= from_time),
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX change_xid ON core.change (xid);
CREATE INDEX change_series ON core.change (tenant_id, series_id);
SELECT core.protect('core.change', 'tenant_id');

-- Unit, kind and role of a metric as its name tells them (`*_kwh` a delta in kWh, `*_w` a gauge
-- in W, …); of a dotted name (`measurement.field`) the last part counts, its beginning too for
-- the role. A device's configuration overrules it, see api.ingest_series.
CREATE FUNCTION core.series_guess(metric text, OUT unit text, OUT kind text, OUT role text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field text := lower(substring(metric from '[^.]*$'));
    known record;
BEGIN
    SELECT u.unit, u.kind INTO known
    FROM (VALUES
        ('kwh_total', 'kWh', 'counter'), ('wh_total', 'Wh', 'counter'), ('total', '', 'counter'),
        ('kwh', 'kWh', 'delta'), ('wh', 'Wh', 'delta'), ('kw', 'kW', 'gauge'), ('w', 'W', 'gauge'),
        ('watts', 'W', 'gauge'), ('va', 'VA', 'gauge'), ('var', 'var', 'gauge'),
        ('v', 'V', 'gauge'), ('mv', 'mV', 'gauge'), ('a', 'A', 'gauge'), ('ma', 'mA', 'gauge'),
        ('hz', 'Hz', 'gauge'), ('c', '°C', 'gauge'), ('celsius', '°C', 'gauge'),
        ('f', '°F', 'gauge'), ('pct', '%', 'gauge'), ('percent', '%', 'gauge'),
        ('lux', 'lx', 'gauge'), ('pa', 'Pa', 'gauge'), ('hpa', 'hPa', 'gauge'),
        ('ppm', 'ppm', 'gauge'), ('db', 'dB', 'gauge'), ('dbm', 'dBm', 'gauge'),
        ('ms', 'ms', 'gauge'), ('s', 's', 'gauge'), ('bytes', 'B', 'gauge'),
        ('m3', 'm³', 'gauge'), ('mm', 'mm', 'gauge'), ('mps', 'm/s', 'gauge')
    ) AS u (suffix, unit, kind)
    WHERE right(field, length(u.suffix) + 1) = '_' || u.suffix OR field = u.suffix
    ORDER BY length(u.suffix) DESC
    LIMIT 1;
    unit := coalesce(known.unit, '');
    kind := coalesce(known.kind, 'gauge');
    role := CASE
        WHEN unit NOT IN ('kWh', 'Wh', 'kW', 'W') THEN 'none'
        WHEN metric ~* '(^|\.)(grid_)?import' THEN 'grid_import'
        WHEN metric ~* '(^|\.)(grid_)?export' THEN 'grid_export'
        WHEN metric ~* '(^|\.)(generat|solar|pv|production|inverter|wind)' THEN 'generation'
        WHEN metric ~* '(^|\.)(battery|storage)' THEN 'storage'
        ELSE 'consumption'
    END;
END
$$;
