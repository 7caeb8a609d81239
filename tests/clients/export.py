# For each NAME of the arguments: reads NAME.parquet with pyarrow and compares every value with those of
# NAME.ndjson, where what stands in NAME.json is added to each item. Prints a line for each: "ok ROWS
# GROUPS", or what differs.
import json
import math
import sys
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TIMES = ('time', 'arrived', 'from', 'to', 'at')


def micros(text):
    seconds, _, fraction = text.rstrip('Z').partition('.')
    at = datetime.strptime(seconds, '%Y-%m-%dT%H:%M:%S').replace(tzinfo=timezone.utc)
    return (at - EPOCH) // timedelta(microseconds=1) + int((fraction + '000000')[:6])


def wanted_value(name, item, more):
    if name in TIMES:
        return micros(item[name]) if item[name] is not None else None
    if name == 'unit' and 'units' in more:
        return more['units'].get(item['metric'], more['no_unit'])
    if name == 'labels':
        return item.get('labels', {})
    return item[name] if name in item else more[name]


def shown(column):
    if column.type == pa.timestamp('us', tz='UTC'):
        column = column.cast(pa.int64())
    values = column.to_pylist()
    return [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]


def difference(name):
    more = json.load(open(name + '.json'))
    items = [json.loads(line) for line in open(name + '.ndjson', encoding='utf-8')]
    file = pq.ParquetFile(name + '.parquet')
    table = file.read()
    if table.column_names != more['columns']:
        return f'its columns are {table.column_names}'
    if table.num_rows != len(items):
        return f'{table.num_rows} rows, {len(items)} items'
    for column in table.column_names:
        got = shown(table.column(column))
        if column in ('labels', 'data'):
            got = [v if v is None else json.loads(v) for v in got]
        for i, item in enumerate(items):
            wanted = wanted_value(column, item, more)
            if got[i] != wanted:
                return f'{column} of row {i} is {got[i]!r}, not {wanted!r}'
    return f'ok {len(items)} {file.num_row_groups}'


for argument in sys.argv[1:]:
    try:
        print(difference(argument))
    except (pa.ArrowInvalid, OSError) as error:
        print(f'unreadable: {error}'.splitlines()[0])
