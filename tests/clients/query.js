// Asks DuckDB what the first argument says, in SQL, and prints each row as a JSON array, a line each: whole
// numbers as texts, timestamps as microseconds since 1970.
'use strict';
const { DuckDBInstance } = require('@duckdb/node-api');

function shown(value) {
    if (typeof value === 'bigint') return String(value);
    return value !== null && typeof value === 'object' && 'micros' in value ? String(value.micros) : value;
}

(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const result = await connection.runAndReadAll(process.argv[2]);
    for (const row of result.getRows()) console.log(JSON.stringify(row.map(shown)));
})().catch((error) => {
    console.log(`unreadable: ${error.message}`);
    process.exit(1);
});
