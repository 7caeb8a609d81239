SELECT public.create_hypertable('ops.system_metric', public.by_range('time', interval '7 days'),
                                create_default_indexes => false);
