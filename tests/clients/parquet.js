// Reads DIR/N.parquet with DuckDB and compares every value with DIR/N.txt, as parquet.py does; also
// that looking for a column's least and greatest value by the statistics finds them.
'use strict';
const fs = require('fs');
const { DuckDBInstance } = require('@duckdb/node-api');

const [folder, count] = [process.argv[2], Number(process.argv[3])];
const bits = new DataView(new ArrayBuffer(8));

const shown = {
    flag: (v) => String(Number(v)),
    small: String,
    big: String,
    real: (v) => { bits.setFloat64(0, v); return bits.getBigUint64(0).toString(16).padStart(16, '0'); },
    text: (v) => 'x' + Buffer.from(v).toString('hex'),
    time: (v) => String(v.micros),
};
const names = Object.keys(shown);

async function difference(connection, path, text) {
    const lines = fs.readFileSync(text, 'utf8').split('\n').slice(0, -1).map((line) => line.split(' '));
    const columns = await (await connection.runAndReadAll(`SELECT * FROM '${path}'`)).getColumnsObject();
    for (const [at, name] of names.entries()) {
        const got = columns[name] || [];
        if (got.length !== lines.length) return `${got.length} rows, ${lines.length} were written`;
        for (let i = 0; i < got.length; i++) {
            const value = got[i] === null ? '-' : shown[name](got[i]);
            if (value !== lines[i][at]) return `${name} of row ${i} is ${value}, ${lines[i][at]} was written`;
        }
        const filled = lines.map((line) => line[at]).filter((value) => value !== '-' && !(name === 'real' && /^[7f]ff/.test(value)));
        if (name !== 'small' && name !== 'big') continue;
        for (const value of filled.slice(0, 3)) {
            const rows = await connection.runAndReadAll(`SELECT count(*) FROM '${path}' WHERE ${name} = ${value}`);
            const n = filled.filter((other) => other === value).length;
            if (Number(rows.getRows()[0][0]) !== n) return `${name} = ${value} is found ${rows.getRows()[0][0]} times, not ${n}`;
        }
    }
    return `ok ${lines.length}`;
}

(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    for (let n = 0; n < count; n++) console.log(n, await difference(connection, `${folder}/${n}.parquet`, `${folder}/${n}.txt`));
})();
