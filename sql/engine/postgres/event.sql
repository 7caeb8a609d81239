INSERT INTO core.partitioned VALUES ('core.event', true);
