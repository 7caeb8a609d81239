// For each NAME of the arguments: reads NAME.parquet with DuckDB and compares every value with those of
// NAME.ndjson, as export.py does.
'use strict';
const assert = require('assert');
const fs = require('fs');
const { DuckDBInstance } = require('@duckdb/node-api');
const TIMES = ['time', 'arrived', 'from', 'to', 'at'];

function micros(text) {
    const [seconds, fraction = ''] = text.replace(/Z$/, '').split('.');
    return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function wantedValue(name, item, more) {
    if (TIMES.includes(name)) return item[name] === null ? null : micros(item[name]);
    if (name === 'unit' && more.units) return more.units[item.metric] ?? more.no_unit;
    if (name === 'labels') return item.labels ?? {};
    return name in item ? item[name] : more[name];
}

function shown(name, value) {
    if (value === null) return null;
    if (TIMES.includes(name)) return value.micros;
    if (name === 'labels' || name === 'data') return JSON.parse(value);
    if (typeof value === 'bigint') return Number(value);
    return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

async function difference(connection, name) {
    const more = JSON.parse(fs.readFileSync(`${name}.json`, 'utf8'));
    const items = fs.readFileSync(`${name}.ndjson`, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
    const result = await connection.runAndReadAll(`SELECT * FROM read_parquet('${name}.parquet')`);
    const columns = await result.getColumnsObject();
    if (result.columnNames().join() !== more.columns.join()) return `its columns are ${result.columnNames()}`;
    for (const column of more.columns) {
        const got = columns[column] ?? [];
        if (got.length !== items.length) return `${got.length} rows, ${items.length} items`;
        for (let i = 0; i < items.length; i++) {
            const value = shown(column, got[i]), wanted = wantedValue(column, items[i], more);
            try {
                assert.deepStrictEqual(value, wanted);
            } catch {
                return `${column} of row ${i} is ${String(value)}, not ${String(wanted)}`;
            }
        }
    }
    return `ok ${items.length}`;
}

(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    for (const name of process.argv.slice(2)) {
        console.log(await difference(connection, name).catch((error) => `unreadable: ${String(error.message).split('\n')[0]}`));
    }
})();
