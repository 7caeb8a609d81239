-- Rows of compressed chunks are changed where they lie, however many a statement reaches.
SET LOCAL ROLE tidemark_door;
ALTER FUNCTION core.rollup_derive(text, timestamptz, int[], int[], timestamptz[], timestamptz[])
    SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
ALTER FUNCTION core.rollup_recast_some(int)
    SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
ALTER FUNCTION ops.tenant_remove(text)
    SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
ALTER FUNCTION ops.residue_erase()
    SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
SET LOCAL ROLE tidemark_owner;
