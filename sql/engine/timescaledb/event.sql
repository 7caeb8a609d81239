-- Events: a hypertable, compressed by tenant.
SELECT public.create_hypertable('core.event', public.by_range('time', interval '7 days'),
                                create_default_indexes => false);
ALTER TABLE core.event SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'tenant_id',
    timescaledb.orderby = 'time, key'
);
CALL public.add_columnstore_policy('core.event', after => interval '3 days');
