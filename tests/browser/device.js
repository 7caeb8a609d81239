'use strict';
// A device's metrics over every span, the list of devices, events: with the API's numbers, by
// keyboard, light and dark, on a phone, on paper, without scripts. Started by device.t.

const { setup, ok, is, enter, inspect, inspectAsIs, main } = require('./browser.js');

const device = (key, query = '') => `/devices/${encodeURIComponent(key)}${query}`;
const get = async (path) => (await fetch(setup.url + path,
  { headers: { Authorization: `Bearer ${setup.token}` } })).json();
const text = async (page, selector) => (await page.textContent(selector)).replace(/\s+/g, ' ').trim();

// ---- a device ----

async function testFacts(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(setup.url + device('meter', '?metric=power_w'));
  const stats = await text(page, '.stats');
  ok(/Highest ?5\.43 kW/.test(stats), 'the one high reading is the highest', stats);
  const span = new URL(setup.url + await page.getAttribute('.below .more a', 'href')).searchParams;
  const all = await get(`/v1/devices/meter/samples?metric=power_w&limit=1000&from=${span.get('from')}&to=${span.get('to')}`);
  ok(stats.endsWith(`Readings${all.items.length}`), 'every reading of the 24 hours counts', [stats, all.items.length]);
  const line = await page.getAttribute('.plot .line', 'd');
  ok(line.split('M').length === 3, 'the line parts where two hours are missing', line.split('M').length);
  ok(Math.min(...line.match(/[ML][\d.]+ [\d.]+/g).map((at) => Number(at.split(' ')[1]))) < 60,
    'and reaches up to the high reading');
  ok((await text(page, '.chart-card desc')).includes('on average'), 'a sentence says what the drawing shows');

  await page.goto(setup.url + device('meter', '?metric=energy_kwh&range=7d&bucket=1d'));
  const list = await get('/v1/devices/meter/samples?metric=energy_kwh&bucket=1d');
  const sum = list.items.reduce((total, item) => total + item.sum, 0);
  ok((await text(page, '.stats')).startsWith(`Sum${sum.toFixed(sum < 9.995 ? 2 : 1)} kWh`), 'the sum is the API\u2019s', [await text(page, '.stats'), sum]);
  is((await page.$$('.chart-card .bar')).length, list.items.length, 'a bar for each day that has any');
  is((await page.$$('.chart-card .gap')).length, 7 - list.items.length, 'the others are gaps, not zeros');
  ok((await page.$$('.heat .hit')).length === 7 * 24, 'the heat map has a cell for each hour');

  const csv = await page.getAttribute('.below .more a', 'href');
  const answer = await page.request.get(setup.url + csv);
  is(answer.status(), 200, 'the CSV of what is shown is there');
  is((await answer.text()).trim().split('\n').length, list.items.length + 1, 'with a line for each bucket');
  await page.context().close();
}

async function testWays(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await page.goto(setup.url + device('meter'));
  await page.click('.choices >> text=30 days');
  await page.waitForLoadState();
  ok(page.url().includes('range=30d'), 'without scripts a link leads to another span');
  await page.click('.choices >> text="Day"');
  await page.waitForLoadState();
  ok(page.url().includes('range=30d') && page.url().includes('bucket=1d'), 'and to another step of it');
  await page.click('text=Earlier');
  await page.waitForLoadState();
  ok(/from=.*&to=/.test(page.url()), 'and to the span before');
  await page.click('text=Later');
  await page.waitForLoadState();
  ok((await page.$$('a[rel=next]')).length === 0, 'beyond today there is nothing to see');
  await page.click('summary:has-text("Choose dates")');
  await page.fill('#from', '2026-11-20');
  await page.fill('#to', '2026-11-01');
  const [answer] = await Promise.all([page.waitForNavigation(), page.click('.pick button')]);
  is(answer.status(), 422, 'dates the wrong way round are refused');
  is(await text(page, '[role=alert]'), 'The last day is before the first.', 'in words beside them');
  is(await page.inputValue('#from'), '2026-11-20', 'and stay as they were typed');
  is((await page.goto(setup.url + device('meter', '?metric=none'))).status(), 404, 'a metric that is not there is not found');
  await page.goto(setup.url + device('once'));
  await page.click('text=See the day of the last reading');
  await page.waitForLoadState();
  ok((await text(page, '.stats')).endsWith('Readings1'), 'a device silent for long leads to its last reading');
  ok((await page.$$('.plot .dot')).length === 1, 'which is a dot');
  await page.context().close();
}

async function testReadout(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(setup.url + device('meter', '?metric=battery_w'));
  await page.focus('.plot[tabindex]');
  await page.keyboard.press('End');
  const last = await text(page, '.chart-card .readout');
  ok(/\d/.test(last) && / W/.test(last), 'the keyboard reads the last value', last);
  await page.keyboard.press('ArrowLeft');
  ok(await text(page, '.chart-card .readout') !== last, 'an arrow goes to the one before');
  is(await page.getAttribute('.chart-card .readout', 'role'), 'status', 'readers are told');
  await page.keyboard.press('Escape');
  is(await text(page, '.chart-card .readout'), '', 'Escape puts it away');
  await page.hover('.chart-card .hit >> nth=3');
  ok(/W/.test(await text(page, '.chart-card .readout')), 'so does the pointer');
  ok(page.complaints.length === 0, 'and nothing complains', page.complaints);
  await page.context().close();
}

// What is new comes into the chart while somebody reads it and types beside it.
async function testLive(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(setup.url + device('meter', '?metric=battery_w'));
  const readings = async () => Number((await text(page, '.stats')).match(/Readings([\d\s]+)$/)[1].replace(/\s/g, ''));
  const before = await readings();
  await page.click('summary:has-text("Choose dates")');
  await page.fill('#from', '2026-11-01');
  await page.focus('.plot[tabindex]');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  const top = await page.evaluate(() => { window.scrollTo(0, 120); return window.scrollY; });
  await fetch(`${setup.url}/v1/event`, { method: 'POST',
    headers: { Authorization: `Bearer ${setup.device_token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ device: 'meter', metrics: { battery_w: 333 } }) });
  for (const end = Date.now() + 20000; Date.now() < end && !(await text(page, '.series-now')).includes('333');) {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.waitForTimeout(100);
  }
  ok((await text(page, '.series-now')).includes('333'), 'a new reading is the value now, without a reload');
  is(await readings(), before + 1, 'and is counted');
  ok((await text(page, '.chart-card .readout')).length > 0, 'what is read out stays');
  ok(await page.evaluate(() => document.activeElement.matches('.plot')), 'so does the focus');
  ok(await page.isVisible('#from') && await page.inputValue('#from') === '2026-11-01', 'and what was opened and typed');
  is(await page.evaluate(() => window.scrollY), top, 'and where one is');
  ok(page.complaints.length === 0, 'nothing complains', page.complaints);
  await page.context().close();
}

async function testMany(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(setup.url + device('hundred', '?metric=metric_050_w'));
  is((await page.$$('.devices tbody tr')).length, 25, 'of a hundred metrics a page is listed');
  await page.click('text=More metrics');
  await page.waitForLoadState();
  ok((await text(page, '#chart-title')) === 'metric_050_w', 'the next page shows the same metric');
  ok((await page.$$('.devices .spark')).length === 25, 'each has its last hours');
  await page.context().close();
}

// ---- lists ----

async function testDevices(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/devices`);
  is((await page.$$('.devices tbody tr')).length, 5, 'all devices are listed');
  await page.fill('#q', 'HUND');
  await Promise.all([page.waitForNavigation(), page.click('button:has-text("Search")')]);
  is((await page.$$('.devices tbody tr')).length, 1, 'a part of the key finds one, in any case');
  await page.goto(`${setup.url}/devices?q=%25`);
  is((await page.$$('.devices tbody tr')).length, 0, 'a percent sign is a percent sign');
  await page.goto(`${setup.url}/devices`);
  await page.click('.choices >> text=Live');
  await page.waitForLoadState();
  ok(page.url().includes('state=live'), 'a link filters by state');
  const states = await page.$$eval('.state', (all) => all.map((one) => one.textContent));
  ok(states.length > 0 && states.every((state) => state === 'Live'), 'only those are there', states);
  await page.context().close();
}

async function testEvents(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  // by when it happened: the text says how long ago
  const newest = () => page.getAttribute('.event-table tbody tr time', 'datetime');
  await page.goto(setup.url);
  await page.click('.menu >> text=Events');
  await page.waitForLoadState();
  is((await page.$$('.event-table tbody tr')).length, 50, 'a page of events');
  const first = await newest();
  await page.click('.pager >> text=Older');
  await page.waitForLoadState();
  is((await page.$$('.event-table tbody tr')).length, 50, 'the next one');
  ok(await newest() !== first, 'goes on where it ended');
  const second = await newest();
  await page.click('.pager >> text=Older');
  await page.waitForLoadState();
  is((await page.$$('.event-table tbody tr')).length, 20, 'the last one has the rest');
  await page.click('.pager >> text="Newer"');
  await page.waitForLoadState();
  is(await newest(), second, 'a page back is the page before');
  await page.click('.pager >> text="Newer"');
  await page.waitForLoadState();
  is(await newest(), first, 'and again, to the newest');
  is((await page.$$('.pager >> text="Newer"')).length, 0, 'beyond which there is none');
  await page.click('.pager >> text=Older');
  await page.waitForLoadState();
  await page.click('.pager >> text=Newest');
  await page.waitForLoadState();
  is(await newest(), first, 'and there is a way back');
  await page.fill('#type', 'boot');
  await page.fill('#data', '{"door": "open"}');
  await Promise.all([page.waitForNavigation(), page.click('button:has-text("Filter")')]);
  const list = await get(`/v1/events?type=boot&data=${encodeURIComponent('{"door": "open"}')}`);
  is((await page.$$('.event-table tbody tr')).length, list.items.length, 'filters find what the API finds');
  await page.fill('#data', 'open');
  const [answer] = await Promise.all([page.waitForNavigation(), page.click('button:has-text("Filter")')]);
  is(answer.status(), 422, 'what is no JSON is refused');
  is(await page.inputValue('#data'), 'open', 'and stays');
  await page.goto(`${setup.url}/events`);
  const shown = await page.$$eval('#counts-table tbody td', (cells) => cells.reduce((sum, cell) => sum + Number(cell.textContent.replace(/\D/g, '')), 0));
  is(shown, 120, 'the bars count all of them');
  is((await page.$$('.event-table script, .event-table pre *')).length, 0, 'markup in events is text');
  await page.context().close();
}

async function testEmpty(browser) {
  const page = await enter(browser, setup.other);
  await page.goto(`${setup.url}/events`);
  ok((await text(page, 'main')).includes('Nothing has happened yet'), 'a tenant without events is told so');
  await inspectAsIs(page, 'no events');
  ok((await page.goto(`${setup.url}/devices`)).ok(), 'so is one without devices');
  await inspectAsIs(page, 'no devices');
  is((await page.goto(setup.url + device('meter'))).status(), 404, 'another tenant\u2019s device is not there');
  await page.context().close();
}

// ---- every page, every way ----

const pages = [
  ['meter', device('meter')], ['bars', device('meter', '?metric=energy_kwh&range=30d')],
  ['below zero', device('meter', '?metric=battery_w&range=7d')],
  ['hundred metrics', device('hundred')], ['hostile names', device(setup.odd)],
  ['one reading', device('once')], ['no reading', device('empty')],
  ['devices', '/devices'], ['none found', '/devices?q=nothing-like-this'],
  ['events', '/events'], ['wrong filter', '/events?data=x&from=2026-11-20&to=2026-11-01'],
];

async function testLooks(browser) {
  const page = await enter(browser, setup.person);
  for (const [name, path] of pages) {
    await page.goto(setup.url + path);
    await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
    await inspect(page, name);
    const broken = await page.evaluate(() => /NaN|Infinity|undefined|null\b(?!<)/.test(
      [...document.querySelectorAll('svg')].map((svg) => svg.outerHTML).join('')));
    ok(!broken, `${name}: every number in its drawings is one`);
  }
  const complaints = page.complaints.filter((one) => !one.includes('422'));
  ok(complaints.length === 0, 'no complaint of the browser', complaints);
  await page.context().close();
}

async function testPaper(browser) {
  const page = await enter(browser, setup.person, { colorScheme: 'dark' });
  await page.goto(setup.url + device('meter'));
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const paper = await page.evaluate(() => ({
    ink: getComputedStyle(document.body).color,
    ground: getComputedStyle(document.querySelector('.card')).backgroundColor,
    isMenuThere: document.querySelector('.top').offsetHeight > 0,
    plot: document.querySelector('.plot').getBoundingClientRect().height,
  }));
  is(paper.ground, 'rgb(255, 255, 255)', 'on paper it is white, on dark screens too');
  ok(paper.ink !== paper.ground && !paper.isMenuThere && paper.plot > 100, 'with the chart, without the menu', paper);
  await page.context().close();
}

async function testWeight(browser) {
  const page = await enter(browser, setup.person);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  for (const [name, path] of pages) {
    bytes = 0;
    await page.goto(setup.url + path);
    ok(bytes > 0 && bytes < 50 * 1024, `${name} with all it needs is below 50 KiB`, bytes);
  }
  await page.context().close();
}

main([testFacts, testWays, testReadout, testLive, testMany, testDevices, testEvents, testEmpty, testLooks,
  testPaper, testWeight]);
