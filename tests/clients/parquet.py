# Reads DIR/N.parquet with pyarrow and compares every value with DIR/N.txt, where numbers are in decimal,
# doubles as their bits, texts in hexadecimal, and "-" is NULL. Prints a line for each file:
# "N ok ROWS", or "N" and what differs.
import struct
import sys

import pyarrow as pa
import pyarrow.parquet as pq

folder, count = sys.argv[1], int(sys.argv[2])


def shown(table, name):
    column = table.column(name)
    if name == 'time':
        assert column.type == pa.timestamp('us', tz='UTC'), column.type
        column = column.cast(pa.int64())
    values = column.to_pylist()
    if name == 'flag':
        return ['-' if v is None else str(int(v)) for v in values]
    if name == 'real':
        return ['-' if v is None else struct.pack('>d', v).hex() for v in values]
    if name == 'text':
        assert column.type == pa.string(), column.type
        return ['-' if v is None else 'x' + v.encode().hex() for v in values]
    return ['-' if v is None else str(v) for v in values]


def difference(path, text):
    file = pq.ParquetFile(path)
    table = file.read()
    rows = [line.split() for line in open(text)]
    if table.num_rows != len(rows) or file.metadata.num_rows != len(rows):
        return f'{table.num_rows} rows, {len(rows)} were written'
    for i, name in enumerate(['flag', 'small', 'big', 'real', 'text', 'time']):
        wanted = [row[i] for row in rows]
        got = shown(table, name)
        if got != wanted:
            at = next(k for k in range(len(rows)) if got[k] != wanted[k])
            return f'{name} of row {at} is {got[at]}, {wanted[at]} was written'
        n_null = sum(file.metadata.row_group(g).column(i).statistics.null_count for g in range(file.num_row_groups))
        if n_null != wanted.count('-'):
            return f'{name}: {n_null} NULLs by the statistics, {wanted.count("-")} were written'
    return f'ok {len(rows)}'


for n in range(count):
    print(n, difference(f'{folder}/{n}.parquet', f'{folder}/{n}.txt'))
