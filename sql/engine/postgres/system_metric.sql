INSERT INTO core.partitioned VALUES ('ops.system_metric', false);
