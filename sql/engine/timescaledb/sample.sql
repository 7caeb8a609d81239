-- Samples: a hypertable, compressed by series.
SELECT public.create_hypertable('core.sample', public.by_range('time', interval '7 days'),
                                create_default_indexes => false);
ALTER TABLE core.sample SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'tenant_id, series_id',
    timescaledb.orderby = 'time'
);
CALL public.add_columnstore_policy('core.sample', after => interval '7 days');
