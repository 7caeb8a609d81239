INSERT INTO core.partitioned VALUES ('core.sample', true);
