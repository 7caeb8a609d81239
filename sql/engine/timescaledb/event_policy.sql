-- One hand compresses: the worker's. An earlier migration had a policy of the engine do it, whose job
-- may be running: it is ended before this transaction has locked anything that the job waits for;
-- which is why each policy goes in a transaction of its own.
CALL public.remove_columnstore_policy('core.event', if_exists => true);
