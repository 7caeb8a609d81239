// The editor of rate schedules: paints the week's periods hour by hour, adds rows as they fill, and
// keeps its preview fresh.
// The form is whole without it: what is painted is written into its table of rules.
(() => {
  'use strict';
  const form = document.querySelector('form[data-rates]');
  if (!form) return;

  const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'holidays'];
  const DAY_NAMES = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday', 'Holidays'];
  const SETS = { weekdays: [0, 1, 2, 3, 4], weekends: [5, 6], holidays: [7], all: [0, 1, 2, 3, 4, 5, 6, 7] };
  const MINUTES = 1440;
  const MOST_ROWS = 48;
  const TINTS = 6;
  const WAIT_MS = 600;

  const painter = document.getElementById('painter');
  const rulesTable = form.querySelector('[data-table="w"]');
  const field = (name) => form.elements.namedItem(name);
  const text = (name) => (field(name)?.value ?? '').trim();

  // ---- the form's rows ----

  const rowsOf = (letter, first) => {
    const rows = [];
    for (let i = 0; field(`${letter}${i}_${first}`); i += 1) rows.push(i);
    return rows;
  };

  const readPeriods = () => {
    const rows = rowsOf('p', 'name').map((i) => ({ name: text(`p${i}_name`), title: text(`p${i}_title`) }))
      .filter((row) => row.name);
    return rows.length ? rows : [{ name: 'all', title: 'All hours' }];
  };

  const readSeasons = () => {
    const names = rowsOf('s', 'name').map((i) => ({ name: text(`s${i}_name`), title: text(`s${i}_title`) }))
      .filter((row, i, all) => row.name && all.findIndex((one) => one.name === row.name) === i);
    return names.length ? names : [{ name: '', title: 'All year' }];
  };

  const minute = (time, fallback) => {
    const parts = /^(\d\d):(\d\d)$/.exec(time);
    return parts ? Number(parts[1]) * 60 + Number(parts[2]) : fallback;
  };

  // Words between commas; one with a comma in it stands in quotation marks.
  const wordsOf = (list) => (list.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [])
    .map((one) => one.trim().replace(/^"(.*)"$/, (all, inner) => inner.replace(/""/g, '"'))).filter(Boolean);
  const wordText = (name) => (/^"|,/.test(name) ? `"${name.replace(/"/g, '""')}"` : name);

  const readRules = () => rowsOf('w', 'period').map((i) => ({
    period: text(`w${i}_period`),
    seasons: wordsOf(text(`w${i}_seasons`)),
    days: text(`w${i}_days`).split(/[\s,]+/).filter(Boolean),
    from: minute(text(`w${i}_from`), 0),
    to: minute(text(`w${i}_to`), MINUTES),
  })).filter((rule) => rule.period);

  const hasHolidays = (rules) => rowsOf('h', 'day').some((i) => text(`h${i}_day`)) ||
    rules.some((rule) => rule.days.includes('holidays'));

  const classesOf = (days) => new Set(days.length === 0 ? SETS.all
    : days.flatMap((day) => SETS[day] ?? (DAYS.includes(day) ? [DAYS.indexOf(day)] : [])));

  // ---- the week, minute by minute: week[season][day][minute] is a period's number, or -1 ----

  let periods = [], seasons = [], week = [], nDays = 7, chosen = 0;

  const build = () => {
    const rules = readRules();
    periods = readPeriods();
    seasons = readSeasons();
    nDays = hasHolidays(rules) ? 8 : 7;
    chosen = Math.min(chosen, periods.length - 1);
    week = seasons.map(() => DAYS.map(() => new Int16Array(MINUTES).fill(periods.length === 1 ? 0 : -1)));
    for (const rule of rules) {
      const period = periods.findIndex((one) => one.name === rule.period);
      const days = classesOf(rule.days);
      seasons.forEach((season, s) => {
        if (rule.seasons.length && !rule.seasons.includes(season.name)) return;
        for (const d of days) {
          if (rule.from < rule.to) {
            week[s][d].fill(period, rule.from, rule.to);
          } else {
            week[s][d].fill(period, rule.from, MINUTES);
            week[s][d].fill(period, 0, rule.to);
          }
        }
      });
    }
  };

  // The fewest words for a set of days.
  const daysText = (days) => {
    if (days.length >= nDays) return '';
    const left = new Set(days);
    const words = [];
    for (const word of ['weekdays', 'weekends', 'holidays']) {
      if (SETS[word].every((day) => left.has(day))) {
        words.push(word);
        SETS[word].forEach((day) => left.delete(day));
      }
    }
    return [...words, ...[...left].map((day) => DAYS[day])].join(' ');
  };

  const clock = (at) => `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;

  // Spans of a day that are not of the period `base`.
  const spansOf = (day, base) => {
    const spans = [];
    for (let from = 0, to; from < MINUTES; from = to) {
      for (to = from + 1; to < MINUTES && day[to] === day[from];) to += 1;
      if (day[from] !== base && day[from] >= 0) spans.push(`${day[from]}|${from}|${to}`);
    }
    return spans;
  };

  // The period that most of the time is of goes first, then what differs.
  const rulesOf = () => {
    const counts = new Array(periods.length).fill(0);
    week.forEach((days) => days.slice(0, nDays).forEach((day) => day.forEach((p) => { if (p >= 0) counts[p] += 1; })));
    const base = counts.indexOf(Math.max(...counts));
    const together = new Map();
    week.forEach((days, s) => {
      const ofSeason = new Map();
      days.slice(0, nDays).forEach((day, d) => spansOf(day, base).forEach((span) => {
        ofSeason.set(span, [...(ofSeason.get(span) ?? []), d]);
      }));
      for (const [span, on] of ofSeason) {
        const key = `${span}|${daysText(on)}`;
        together.set(key, [...(together.get(key) ?? []), s]);
      }
    });
    const rules = [{ period: periods[base].name, seasons: '', days: '', from: '', to: '' }];
    for (const [key, in_] of together) {
      const [period, from, to, days] = key.split('|');
      rules.push({
        period: periods[period].name,
        seasons: in_.length === seasons.length ? '' : in_.map((s) => wordText(seasons[s].name)).join(', '),
        days, from: clock(Number(from)), to: clock(Number(to)),
      });
    }
    return rules;
  };

  // ---- more rows ----

  const rowsIn = (table) => [...table.tBodies[0].rows].filter((row) => !row.matches('.more'));

  // A copy of a row, empty, with the next number wherever the row's stands.
  const copyOf = (row, letter, number) => {
    const copy = row.cloneNode(true);
    copy.classList.remove('wrong');
    for (const node of copy.querySelectorAll('*')) {
      for (const name of ['name', 'id', 'aria-describedby']) {
        const value = node.getAttribute(name);
        if (value) node.setAttribute(name, value.replace(new RegExp(`^${letter}\\d+`), letter + number));
      }
      const label = node.getAttribute('aria-label');
      if (label) node.setAttribute('aria-label', label.replace(/\d+/, number + 1));
      if (node.matches('select')) node.selectedIndex = 0;
      else if (node.matches('input, textarea')) node.value = '';
      else if (node.matches('.problem-text')) node.textContent = '';
      else if (node.matches('details')) node.open = false;
    }
    return copy;
  };

  const addRow = (table) => {
    const rows = rowsIn(table);
    const last = rows[rows.length - 1];
    const more = last.nextElementSibling;
    table.tBodies[0].append(...[last, more].filter(Boolean).map((row) => copyOf(row, table.dataset.table, rows.length)));
  };

  // Behind the last row, once something stands in it, comes another.
  const grow = (table) => {
    const rows = rowsIn(table);
    const isBegun = [...rows[rows.length - 1].querySelectorAll('input, textarea')].some((one) => one.value.trim());
    if (isBegun && rows.length < MOST_ROWS) addRow(table);
  };

  const writeRules = () => {
    const rules = rulesOf();
    if (rules.length > MOST_ROWS) {
      say('This week has more rules than the form can hold.');
      return;
    }
    while (rowsIn(rulesTable).length < rules.length) addRow(rulesTable);
    rowsOf('w', 'period').forEach((i) => {
      for (const column of ['period', 'seasons', 'days', 'from', 'to']) {
        field(`w${i}_${column}`).value = rules[i]?.[column] ?? '';
      }
    });
  };

  // ---- what is seen ----

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };

  const status = make('p', { role: 'status', class: 'hint' });
  const say = (words) => { status.textContent = words; };

  const letterOf = (period) => (period < 0 ? '?' : period < 26 ? String.fromCharCode(65 + period) : String(period + 1));
  const titleOf = (period) => (period < 0 ? 'no period' : periods[period].title || periods[period].name);

  const look = (cell) => {
    const { s, d, h } = cell.at;
    const minutes = week[s][d].subarray(h * 60, h * 60 + 60);
    const isMixed = minutes.some((period) => period !== minutes[0]);
    cell.className = `${minutes[0] < 0 ? 'open' : `tint-${minutes[0] % TINTS}`}${isMixed ? ' mixed' : ''}`;
    cell.textContent = letterOf(minutes[0]);
    cell.setAttribute('aria-label', `${DAY_NAMES[d]} ${clock(h * 60)}: ${titleOf(minutes[0])}${isMixed ? ', and others' : ''}`);
  };

  const cellAt = (s, d, h) => painter.querySelector(`table[data-season="${s}"]`)?.tBodies[0].rows[d]?.cells[h + 1];

  const paint = (s, from, to) => {
    for (let d = Math.min(from.d, to.d); d <= Math.max(from.d, to.d); d += 1) {
      for (let h = Math.min(from.h, to.h); h <= Math.max(from.h, to.h); h += 1) {
        week[s][d].fill(chosen, h * 60, h * 60 + 60);
        look(cellAt(s, d, h));
      }
    }
    writeRules();
    refreshSoon();
  };

  const seasonTable = (season, s) => {
    const head = make('tr', {}, make('td'));
    for (let h = 0; h < 24; h += 1) head.append(make('th', { scope: 'col' }, String(h)));
    const body = make('tbody');
    for (let d = 0; d < nDays; d += 1) {
      const row = make('tr', {}, make('th', { scope: 'row' }, DAY_NAMES[d]));
      for (let h = 0; h < 24; h += 1) {
        const cell = make('td', { tabindex: d === 0 && h === 0 ? '0' : '-1', role: 'gridcell' });
        cell.at = { s, d, h };
        look(cell);
        row.append(cell);
      }
      body.append(row);
    }
    const title = season.title || season.name;
    return make('div', { class: 'table-box' },
      make('table', { class: 'week paint', role: 'grid', 'data-season': s, 'aria-label': `${title}, the period of each hour` },
        make('caption', {}, title), make('thead', {}, head), body));
  };

  const chooser = () => {
    const set = make('fieldset', { class: 'picks' }, make('legend', {}, 'Paint with'));
    periods.forEach((period, i) => {
      const radio = make('input', { type: 'radio', name: 'painted-with', value: i, form: 'nowhere' });
      radio.checked = i === chosen;
      radio.addEventListener('change', () => { chosen = i; });
      set.append(make('label', { class: 'pick-one' }, radio,
        make('span', { class: `period tint-${i % TINTS}` }, letterOf(i)), ` ${titleOf(i)}`));
    });
    return set;
  };

  const draw = () => {
    build();
    const hint = make('p', { class: 'hint' }, 'Draw over the hours, or walk with the arrow keys and paint with Space; with Shift the arrows paint.');
    painter.replaceChildren(...(periods.length > 1 ? [chooser(), hint, ...seasons.map(seasonTable)]
      : [make('p', { class: 'none-yet' }, 'All hours are of one period. Name two above to paint the week.')]), status);
  };

  // ---- mouse and keyboard ----

  let start = null;
  painter.addEventListener('pointerdown', (event) => {
    const cell = event.target.closest('td[role=gridcell]');
    if (!cell || event.button !== 0 || event.pointerType === 'touch') return;
    event.preventDefault();
    cell.focus();
    start = cell.at;
    paint(start.s, start, start);
  });
  painter.addEventListener('pointerover', (event) => {
    const cell = event.target.closest('td[role=gridcell]');
    if (cell && start && cell.at.s === start.s && event.buttons === 1) paint(start.s, start, cell.at);
  });
  document.addEventListener('pointerup', () => { start = null; });
  painter.addEventListener('click', (event) => {
    const cell = event.target.closest('td[role=gridcell]');
    if (cell && event.pointerType === 'touch') paint(cell.at.s, cell.at, cell.at);
  });

  const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -24], End: [0, 24] };
  painter.addEventListener('keydown', (event) => {
    const cell = event.target.closest('td[role=gridcell]');
    if (!cell) return;
    const { s, d, h } = cell.at;
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      paint(s, cell.at, cell.at);
      say(`${cell.getAttribute('aria-label')}`);
      return;
    }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const next = cellAt(s, Math.max(0, Math.min(nDays - 1, d + step[0])), Math.max(0, Math.min(23, h + step[1])));
    cell.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    next.focus();
    if (event.shiftKey) paint(s, next.at, next.at);
  });

  // ---- the preview ----

  let timer = 0, asking = null;

  const show = (fresh) => {
    for (const id of ['preview', 'wrongs', 'newer']) {
      const shown = document.getElementById(id), now = fresh.getElementById(id);
      if (shown.innerHTML !== now.innerHTML) shown.replaceChildren(...now.childNodes);
    }
    for (const error of form.querySelectorAll('[id$="-error"]')) {
      error.textContent = fresh.getElementById(error.id)?.textContent ?? '';
      error.closest('tr')?.classList.toggle('wrong', error.textContent !== '');
      if (error.matches('p') && error.textContent) error.closest('details')?.setAttribute('open', '');
    }
  };

  const refresh = async () => {
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    body.set('do', 'preview');
    try {
      const answer = await fetch(form.action, { method: 'POST', body, signal: asking.signal, headers: { Accept: 'text/html' } });
      if (answer.ok && !answer.redirected) show(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    } catch {
      // not to be reached now, or asked anew meanwhile: what is shown stays
    }
  };

  const refreshSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT_MS);
  };

  form.addEventListener('input', (event) => {
    if (event.target.name === 'painted-with') return;
    const table = event.target.closest('[data-table]');
    if (table) grow(table);
    refreshSoon();
  });
  form.addEventListener('change', (event) => {
    if (/^[pswh]\d+_/.test(event.target.name)) draw();
  });

  document.getElementById('weeks').hidden = true;
  document.getElementById('rules').open = rulesTable.querySelector('.wrong') !== null ||
    document.getElementById('w-error').textContent !== '';
  painter.hidden = false;
  draw();
})();
