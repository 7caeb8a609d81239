#!/usr/bin/env python3
"""The known bills beside this file, worked out a second time: fractions instead of integers, the system's
zone database, tiers filled piece by piece, and the arithmetic that stands beside each line. Written without the C
code's structure so that both are not wrong in the same way. Prints TAP; called by tests/unit/bills.t."""
import ast
import glob
import json
import operator
import os
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction as F
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

DECIMALS = {'JPY': 0, 'BHD': 3}
DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
WORDS = {'weekdays': DAYS[:5], 'weekends': DAYS[5:], 'all': DAYS + ['holidays']}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
count = failed = 0


def ok(holds, name):
    global count, failed
    count += 1
    failed += not holds
    print('%sok %d - %s' % ('' if holds else 'not ', count, name.replace('#', '')))


def evaluate(text):
    """An expression of + - * / and brackets, exactly."""
    def walk(node):
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](walk(node.left), walk(node.right))
        return F(ast.get_source_segment(text, node))
    return walk(ast.parse(text, mode='eval').body)


def rounded(value, decimals, rounding):
    exact = Decimal(value.numerator) * Decimal(10) ** 30 / Decimal(value.denominator)
    return (exact / Decimal(10) ** 30).quantize(Decimal(1).scaleb(-decimals), rounding)


def easter(year):
    """Gauss's rule as the Nautical Almanac of 1900 has it: golden number, epact, Sunday after the full moon."""
    golden = year % 19 + 1
    century = year // 100 + 1
    solar = 3 * century // 4 - 12
    lunar = (8 * century + 5) // 25 - 5
    sunday = 5 * year // 4 - solar - 10
    epact = (11 * golden + 20 + lunar - solar) % 30
    epact += (epact == 25 and golden > 11) or epact == 24
    moon = 44 - epact + (30 if 44 - epact < 21 else 0)
    moon += 7 - (sunday + moon) % 7
    return date(year, 3, 1) + timedelta(moon - 1)


class Schedule:
    def __init__(self, document):
        self.document = document
        self.zone = ZoneInfo(document['timezone'])
        self.titles = {p['name']: p.get('title', p['name']) for p in document.get('periods', [{'name': 'all', 'title': 'All hours'}])}
        self.names = list(self.titles)
        self.seasons = list(dict.fromkeys(s['name'] for s in document.get('seasons', [{'name': 'year'}])))
        self.decimals = document.get('rounding', {}).get('decimals', DECIMALS.get(document['currency'], 2))
        self.rounding = ROUND_HALF_EVEN if document.get('rounding', {}).get('mode') == 'half_even' else ROUND_HALF_UP

    def holds(self, day):
        return self.document.get('valid_from', '') <= day.isoformat() < self.document.get('valid_to', '9')

    @lru_cache(maxsize=None)
    def season(self, day):
        for span in self.document.get('seasons', []):
            here, since, until = day.strftime('%m-%d'), span['from'], span['to']
            if (since <= here < until) if since < until else (here >= since or here < until):
                return span['name']
        return 'year'

    @lru_cache(maxsize=None)
    def is_holiday(self, day):
        for rule in self.document.get('holidays', []):
            if 'easter' in rule:
                found = easter(day.year) + timedelta(rule['easter'])
            elif 'on' in rule:
                found = date.fromisoformat('%d-%s' % (day.year, rule['on']))
                if rule.get('observed') == 'sunday_to_monday' and found.weekday() == 6:
                    found += timedelta(1)
            else:
                found = [d for d in (date(day.year, rule['month'], m) for m in range(1, 29))
                         if DAYS[d.weekday()] == rule['weekday']][rule['nth'] - 1]
            if found == day:
                return True
        return False

    @lru_cache(maxsize=None)
    def kind(self, day):
        return 'holidays' if self.is_holiday(day) else DAYS[day.weekday()]

    @lru_cache(maxsize=None)
    def pieces(self, kind, minute, use):
        """The quarter hour's periods, each with its minutes."""
        periods = [self.period(kind, m, use) for m in range(minute, minute + 15)]
        return [(period, len(list(same))) for period, same in groupby(periods)]

    @lru_cache(maxsize=None)
    def windows(self, use):
        """(kinds of days, first minute, minute after the last, period) of each window."""
        found = []
        for window in self.document.get(use) or self.document.get('windows', [{'period': self.names[0]}]):
            since, until = (sum(int(n) * w for n, w in zip(window.get(k, d).split(':'), (60, 1)))
                            for k, d in (('from', '00:00'), ('to', '24:00')))
            kinds = {k for word in window.get('days', ['all']) for k in WORDS.get(word, [word])}
            found.append((kinds, since, until, window['period']))
        return found

    def period(self, kind, minute, use):
        found = None
        for kinds, since, until, period in self.windows(use):
            if kind in kinds and since <= minute < until:
                found = period
        return found

    def price(self, charge, season, period):
        rows = [r for r in charge.get('prices', [charge])
                if r.get('season', season) == season and r.get('period', period) == period]
        return rows[-1] if rows else None

    @lru_cache(maxsize=None)
    def is_start(self, day):
        billing = self.document.get('billing', {})
        starts = [date.fromisoformat(d) for d in billing.get('starts', [])]
        if starts and starts[0] - timedelta(14) <= day <= starts[-1] + timedelta(14):
            return day in starts
        return day.day == billing.get('day', 1)

    def begins(self, day):
        """By the schedule that holds on that very day."""
        return next((s.is_start(day) for s in self.bill_of if s.holds(day)), day.day == 1)

    @lru_cache(maxsize=None)
    def cycle(self, day):
        since, until = day, day + timedelta(1)
        while not self.begins(since):
            since -= timedelta(1)
        while not self.begins(until):
            until += timedelta(1)
        return since, until

    def baseline(self, days):
        rows = self.document.get('baseline', [])
        return sum(F(r['kwh_per_day']) for d in days for r in rows if r.get('season', self.season(d)) == self.season(d))


number = lru_cache(maxsize=None)(F)    # of a text, read once


def code_of(charge):
    return charge['type'] + (':' + charge['name'] if 'name' in charge else '')


def days_of(since, until):
    return [since + timedelta(n) for n in range((until - since).days)]


def quarters(schedule, bill, since, until):
    """(instant, local day, minute, kWh in, kWh out) of each quarter hour."""
    at = datetime.combine(since, time(0), schedule.zone).astimezone(timezone.utc)
    end = datetime.combine(until, time(0), schedule.zone).astimezone(timezone.utc)
    known = {}
    while at < end:
        local = at.astimezone(schedule.zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        clock = '%02d:%02d' % (local.hour, local.minute)
        date_text = day.isoformat()
        holds = tuple(n for n, use in enumerate(bill['use']) if use.get('from', '') <= date_text < use.get('to', '9')
                      and use.get('between', ['00:00'])[0] <= clock < use.get('between', [0, '24:00'])[1])
        if holds not in known:
            known[holds] = [sum((F(bill['use'][n].get(name, '0')) for n in holds), F(0)) / 4 for name in ('kw', 'export_kw')]
        yield at, day, minute, *known[holds]
        at += timedelta(minutes=15)


def energy_lines(schedule, charge, bill, load):
    """(title, tier, kWh, unit, rate, amount) of the bill's days."""
    is_export = charge['type'] == 'export'
    use = 'export_windows' if is_export else 'windows'
    lines, filled, where = {}, {}, None
    points = {s['name']: {datetime.fromisoformat(p['from'].replace('Z', '+00:00')): F(p['rate']) for p in s['prices']}
              for s in schedule.document.get('price_series', [])}
    minutes = {s['name']: s['minutes'] for s in schedule.document.get('price_series', [])}
    for at, day, minute, energy_in, energy_out in load:
        energy = energy_out if is_export else energy_in
        reset = day if charge.get('tiers_begin') == 'day' else schedule.cycle(day)
        if reset != where:
            where, filled = reset, {}
            allowance = schedule.baseline([day] if isinstance(reset, date) else days_of(*reset))
        season = schedule.season(day)
        if not energy:
            continue
        for period, n_minutes in schedule.pieces(schedule.kind(day), minute, use):
            left = energy * n_minutes / 15
            price = schedule.price(charge, season, period)
            counter = period if charge.get('tiers_count') == 'period' else ''
            tiers = price.get('tiers', [price])
            bounds = [number(t['up_to']) * (allowance / 100 if charge.get('tier_unit') else 1) for t in tiers[:-1]]
            while left:
                used, tier = filled.get(counter, F(0)), 0
                while tier < len(bounds) and used >= bounds[tier]:
                    tier += 1
                part = min(left, bounds[tier] - used) if tier < len(bounds) else left
                if 'series' in price:
                    step = minutes[price['series']] * 60
                    start = datetime.fromtimestamp(at.timestamp() // step * step, timezone.utc)
                    rate = points[price['series']][start] * number(price.get('factor', '1')) + number(price.get('add', '0'))
                else:
                    rate = number(tiers[tier]['rate'])
                filled[counter] = used + part
                left -= part
                if bill['from'] <= day.isoformat() < bill['to']:
                    key = (season, period, tier + 1 if len(tiers) > 1 else 0)
                    line = lines.setdefault(key, [F(0), F(0), rate])
                    line[0] += part
                    line[1] += part * rate * (-1 if is_export else 1)
                    line[2] = rate if 'series' not in price else line[1] / line[0]
    order = lambda k: (schedule.seasons.index(k[0]), schedule.names.index(k[1]), k[2])
    return [(schedule.titles[k[1]], k[2], lines[k][0], 'kWh', lines[k][2], lines[k][1]) for k in sorted(lines, key=order)]


def caught(row, season, period):
    return row.get('season', season) == season and row.get('period', period) == period


def demands(version, code, loads):
    """(day, season, period of the row, kW) of each window that a row of the charge's prices has, by the version's prices and clock."""
    for charge in (c for c in version.document['charges'] if code_of(c) == code):
        length, windows = charge.get('window_minutes', 15), {}
        for at, day, minute, energy, _ in loads[version]:
            start = at - timedelta(minutes=minute % length)
            windows.setdefault(start, [day, minute - minute % length, []])[2].append(energy)
        for day, minute, energies in windows.values():
            period = version.pieces(version.kind(day), minute, 'demand_windows')[0][0]
            for name in {r.get('period') for r in charge.get('prices', [charge]) if caught(r, version.season(day), period)}:
                if len(energies) * 15 == length:
                    yield day, name, sum(energies) * 60 / length


def demand_lines(version, charge, bill, loads):
    """The highest of a cycle is that of all versions of the schedule; each has its price for its own days."""
    rows, code = charge.get('prices', [charge]), code_of(charge)
    measured = [d for other in version.family for d in demands(other, code, loads)]
    for n, row in enumerate(rows):
        highest = {}
        for day, name, kw in measured:
            if name == row.get('period') and version.season(day) == row.get('season', version.season(day)):
                highest.setdefault(version.cycle(day), []).append(kw)
        highest = {cycle: max(all_of) for cycle, all_of in highest.items()}
        for cycle, kw in highest.items():
            mine = [d for d in days_of(*cycle) if version.holds(d) and row.get('season', version.season(d)) == version.season(d)]
            first = min(d for d, name, of in measured if of == kw and version.cycle(d) == cycle and name == row.get('period'))
            if not mine or not bill['from'] <= (first if first in mine else mine[0]).isoformat() < bill['to']:
                continue
            if 'ratchet' in charge:
                since = cycle[0]
                for _ in range(charge['ratchet'].get('cycles', 11)):
                    since = version.cycle(since - timedelta(1))[0]
                before = [h for c, h in highest.items() if since <= c[0] < cycle[0]]
                kw = max([kw] + [h * F(charge['ratchet']['percent']) / 100 for h in before])
            share, base = F(len(mine), len(days_of(*cycle))), F(0)
            tiers = row.get('tiers', [row])
            for tier, of in enumerate(tiers):
                part = max(F(0), min(kw, F(of.get('up_to', '1000000'))) - base)
                base = F(of.get('up_to', '0'))
                if part:
                    title = version.titles[row['period']] if 'period' in row else ''
                    yield title, tier + 1 if len(tiers) > 1 else 0, part, 'kW', F(of['rate']), part * F(of['rate']) * share


def shares(schedule, charge, days):
    """How many of its days, months, years or dates fall on the days."""
    if charge['per'] == 'day':
        return F(len(days))
    if charge['per'] == 'date':
        return F(sum(d.strftime('%m-%d') in charge['dates'] for d in days))
    if charge['per'] == 'year':
        return sum(F(1, (date(d.year + 1, 1, 1) - date(d.year, 1, 1)).days) for d in days)
    return sum(F(1, (c[1] - c[0]).days) for c in map(schedule.cycle, days))


class Bill:
    """The lines of each version, charge by charge as somebody asks for them."""

    def __init__(self, versions, bill, is_exact=False):
        self.versions, self.bill, self.is_exact, self.made = versions, bill, is_exact, {}
        self.span = since, until = tuple(date.fromisoformat(bill[k]) for k in ('from', 'to'))
        self.days = {v: [day for day in days_of(since, until) if v.holds(day)] for v in versions}
        since, until = (date.fromisoformat(bill.get('rated_' + k, bill[k])) for k in ('from', 'to'))
        self.loads = {v: [q for q in (quarters(v, bill, since, until) if bill['use'] else []) if v.holds(q[1])] for v in versions}

    def base(self, version, charge):
        """What is printed of the charges that it is of."""
        before = [code_of(c) for c in version.document['charges']]
        before = before[:before.index(code_of(charge))]
        return sum((F(line[6]) for code in charge.get('on', before) for line in self.lines(version, code)), F(0))

    def minimum(self, version, charge):
        """Of all versions of the schedule that have it, and the last of the days that ask for it."""
        of = [(v, c) for v in version.family for c in v.document['charges'] if code_of(c) == code_of(charge) and self.days[v]]
        lacks = sum(shares(v, c, self.days[v]) * F(c['amount']) - self.base(v, c) for v, c in of)
        return max(F(0), lacks), max(self.days[v][-1] for v, _ in of)

    def minimums(self, version, charge):
        """To what is printed of a whole cycle; else of each cycle whose last day is asked for, exactly as it is of the whole."""
        for cycle in dict.fromkeys(map(version.cycle, self.days[version])):
            since, until = (d.isoformat() for d in cycle)
            whole = Bill(self.versions, dict(self.bill, **{'from': since, 'to': until, 'rated_to': until}), True)
            amount, last = (self if cycle == self.span else whole).minimum(version, charge)
            if last in self.days[version]:
                yield amount

    def lines(self, version, code):
        if (version, code) not in self.made:
            charge = next(c for c in version.document['charges'] if code_of(c) == code)
            self.made[version, code] = list(self.make(version, charge)) if self.days[version] else []
        return self.made[version, code]

    def make(self, version, charge):
        code, days = code_of(charge), self.days[version]
        if 'percent' in charge:
            made = [('', 0, F(0), '%', F(charge['percent']), self.base(version, charge) * F(charge['percent']) / 100)]
        elif charge['type'] == 'minimum':
            made = [('', 0, F(1), charge['per'], F(charge['amount']), amount) for amount in self.minimums(version, charge)]
        elif charge['type'] == 'fixed':
            share = shares(version, charge, days)
            unit = 'times' if charge['per'] == 'date' else charge['per']
            made = [('', 0, share, unit, F(charge['amount']), share * F(charge['amount']))] if share else []
        elif charge['type'] == 'demand':
            made = demand_lines(version, charge, self.bill, self.loads)
        else:
            made = energy_lines(version, charge, self.bill, self.loads[version])
        for title, tier, quantity, unit, rate, amount in made:
            money = amount if self.is_exact else rounded(amount, version.decimals, version.rounding)
            if money or not ('percent' in charge or charge['type'] == 'minimum'):
                yield code, title, tier, quantity, unit, rate, money

    def all_lines(self):
        return [line for v in self.versions for c in v.document['charges'] for line in self.lines(v, code_of(c))]


def check_arithmetic(line, schedule):
    steps = line['because'].split('; ')
    values = []
    for step in steps:
        mark = ' ~ ' if ' ~ ' in step else ' = '
        left, right = step.rsplit(mark, 1)
        values.append(evaluate(left))
        near = F(1, 1000000) if mark == ' ~ ' else F(0)
        if abs(values[-1] - evaluate(right)) > near:
            return False
    amount = rounded(values[-1], schedule.decimals, schedule.rounding)
    is_counted = line['unit'] == '%' or abs(values[0] - F(line['quantity'])) <= F(1, 10 ** 9)
    return amount == Decimal(line['amount']) and is_counted


def is_same(line, expected):
    code, title, tier, quantity, unit, rate, money = line
    return (code == expected['charge'] and title == (expected['period'] or '') and tier == expected['tier']
            and abs(quantity - F(expected['quantity'])) <= F(1, 10 ** 9) and unit == expected['unit']
            and abs(rate - F(expected['rate'])) <= F(1, 10 ** 9) and money == Decimal(expected['amount']))


def main():
    for path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), '*.json'))):
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        schedules = [Schedule(content[k]) for k in ('tariff', 'new_version', 'then') if k in content]
        schedule = schedules[0]
        for each in schedules:    # one of "then" is of another schedule
            each.bill_of = schedules
            each.family = [s for s in schedules if (s.document is content.get('then')) == (each.document is content.get('then'))]
        for bill in content['bills']:
            lines = Bill(schedules, bill).all_lines()
            name = '%s: %s' % (os.path.basename(path), bill['name'])
            same = len(lines) == len(bill['lines']) and all(map(is_same, lines, bill['lines']))
            ok(same, name)
            if not same:
                for line in lines:
                    print('#  ', *[float(x) if isinstance(x, F) else x for x in line])
            wrong = [line['because'] for line in bill['lines'] if not check_arithmetic(line, schedule)]
            ok(not wrong, 'and the arithmetic is right' + ''.join(': ' + w for w in wrong))
            total = sum((line[6] for line in lines), Decimal(0))
            decimals = DECIMALS.get(content['tariff']['currency'], 2)
            ok(rounded(F(total), decimals, schedule.rounding) == Decimal(bill['total']), 'and the total')
    print('1..%d' % count)
    return 1 if failed else 0


if __name__ == '__main__':
    raise SystemExit(main())
