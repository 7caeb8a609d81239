-- What an engine refreshes by itself is seen all at once. In batches, the newest first, an aggregate's
-- older buckets would be nowhere until the last batch is done.

SET LOCAL ROLE tidemark_owner;

-- engine: aggregate_batches

SELECT ops.aggregate_policies();
