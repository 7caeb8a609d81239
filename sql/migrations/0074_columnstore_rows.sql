-- What is beside a chunk's columnstore is in everybody's plans.

-- engine: columnstore
