'use strict';
// What a person finds: the way in, the overview with the API's numbers, devices, problems; by
// mouse and by keyboard, light and dark, on a phone, without scripts. Started by pages.t.

const { setup, ok, is, open, logIn, enter, comeIn, inspect, inspectAsIs, main } = require('./browser.js');

const get = async (path) => (await fetch(setup.url + path,
  { headers: { Authorization: `Bearer ${setup.token}` } })).json();

const text = async (page, selector) => (await page.textContent(selector)).replace(/\s+/g, ' ').trim();

// ---- in and out ----

async function testLogin(browser) {
  const page = await open(browser);
  await page.goto(`${setup.url}/devices?after=a`);
  is(new URL(page.url()).pathname, '/login', 'whoever is not logged in is led to the login');
  await page.fill('#email', setup.person);
  await page.fill('#password', 'not the password');
  let [answer] = await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  is(answer.status(), 401, 'a wrong password is refused');
  const wrong = await text(page, '[role=alert]');
  is(await page.inputValue('#email'), setup.person, 'the e-mail stays');
  is(await page.inputValue('#password'), '', 'the password does not');
  await inspectAsIs(page, 'a refused login');
  await page.fill('#email', 'nobody@home.example');
  await page.fill('#password', 'not the password');
  await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  is(await text(page, '[role=alert]'), wrong, 'an unknown e-mail is refused in the same words');
  await page.fill('#email', setup.person);
  await page.fill('#password', setup.password);
  await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  is(page.url(), `${setup.url}/devices?after=a`, 'after the login one is where one wanted to go');

  await page.goto(`${setup.url}/login`);
  is(page.url(), `${setup.url}/`, 'who is logged in needs no login');
  await Promise.all([page.waitForNavigation(), page.click('text=Log out')]);
  is(new URL(page.url()).pathname, '/login', 'logging out leads to the login');
  await page.goto(`${setup.url}/`);
  is(new URL(page.url()).pathname, '/login', 'and the session is over');
  await page.context().close();
}

async function testNext(browser) {
  const page = await open(browser);
  for (const next of ['//evil.example/', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
    await page.goto(`${setup.url}/login?next=${encodeURIComponent(next)}`);
    is(await page.inputValue('[name=next]'), '/', `the login leads nowhere else: ${next}`);
  }
  await page.context().close();
}

async function testKeyboard(browser) {
  const page = await open(browser);
  await page.goto(`${setup.url}/login`);
  await page.waitForFunction(() => document.activeElement.name === 'email');
  await page.keyboard.type(setup.person);
  await page.keyboard.press('Tab');
  await page.keyboard.type(setup.password);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  is(page.url(), `${setup.url}/`, 'the keyboard alone logs in');
  await page.keyboard.press('Tab');
  is(await page.evaluate(() => document.activeElement.className), 'skip', 'the first stop skips the menu');
  await page.keyboard.press('Enter');
  is(await page.evaluate(() => document.activeElement.id), 'content', 'to the content');
  const faint = [];
  let stops = 0;
  for (; stops < 40; stops += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      const style = getComputedStyle(at);
      return { what: at.tagName, isRinged: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
    });
    if (stop.what === 'BODY') break;
    if (!stop.isRinged) faint.push(stop.what);
  }
  ok(stops >= 5 && faint.length === 0, 'every stop of the Tab key is plain to see', { stops, faint });
  await page.focus('.chart-card summary');
  await page.keyboard.press('Enter');
  ok(await page.isVisible('.chart-card table'), 'the numbers open by the keyboard');
  await page.context().close();
}

// ---- facts ----

// Local parts of an instant in the tenant's zone.
function local(time) {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: setup.zone, year: 'numeric',
    month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    .formatToParts(new Date(time));
  return Object.fromEntries(parts.map((part) => [part.type, part.value]));
}

const dayOf = (time) => { const p = local(time); return `${p.year}-${p.month}-${p.day}`; };

async function samples(device, metric) {
  const items = [];
  let cursor = '';
  do {
    const list = await get(`/v1/devices/${device}/samples?metric=${metric}&limit=1000${cursor}`);
    items.push(...list.items);
    cursor = list.next ? `&cursor=${encodeURIComponent(list.next)}` : '';
  } while (cursor);
  return items;
}

const sum = (items) => items.reduce((total, item) => total + item.value, 0);
const number = (shown) => Number(shown.replace(/\s/g, '').replace('\u2212', '-'));
// The same number as far as it is shown.
const isShown = (shown, value) => Math.abs(number(shown) - value) <= 0.5000001 *
  10 ** -((shown.trim().split('.')[1] || '').length);

async function testOverview(browser) {
  const page = await enter(browser, setup.person);
  // A page of yesterday's last second would be compared with today.
  await page.waitForTimeout(Number(local(Date.now()).hour) === 23 && Number(local(Date.now()).minute) === 59 ? 61000 : 0);
  await page.goto(`${setup.url}/`);
  const used = await samples('meter-1', 'energy_kwh');
  const made = await samples('roof', 'generation_kwh');
  const power = (await samples('meter-1', 'power_w')).pop().value;
  ok(isShown(await text(page, '.lead-figure .figure'), power), 'the live power is the API\u2019s last value');
  ok(isShown(await text(page, '.side-figure.made .figure'), (await samples('roof', 'generation_w')).pop().value),
    'so is the generation');

  const today = dayOf(Date.now());
  const unit = await text(page, '.today-figures .used .unit').catch(() => 'kWh');
  const scale = unit === 'Wh' ? 1000 : 1;
  const ofToday = (items) => items.filter((item) => dayOf(item.time) === today);
  ok(isShown(await text(page, '.today-figures .used .figure'), scale * sum(ofToday(used))),
    'today\u2019s use is the sum of the API\u2019s samples of the local day', [unit, sum(ofToday(used))]);
  ok(isShown(await text(page, '.today-figures .made .figure'), scale * sum(ofToday(made))),
    'so is today\u2019s generation');

  const rows = await page.$$eval('#hours-table tbody tr', (trs) => trs.map((tr) =>
    [...tr.children].map((cell) => cell.textContent.trim())));
  is(rows.length, 24, 'the table of hours has 24 of them');
  const hourScale = (await text(page, '#hours-table thead')).includes('kWh') ? 1 : 1000;
  const hours = rows.map((row) => row[0].slice(0, 14));
  const wrong = rows.filter(([name, cell], row) => {
    if (hours.indexOf(hours[row]) !== hours.lastIndexOf(hours[row])) return false; // the clock was set back
    const [, hour] = name.match(/, (\d\d):00/);
    const day = Number(name.match(/^\w+ (\d+)/)[1]);
    const items = used.filter((item) => {
      const p = local(item.time);
      return p.hour === hour && Number(p.day) === day;
    });
    return items.length === 0 ? cell !== '\u2013' : !isShown(cell, hourScale * sum(items));
  });
  ok(wrong.length === 0, 'each hour is the sum of its samples, a dash where there are none', wrong);
  ok(rows.some((row) => row[1] === '\u2013'), 'the hours without data are there too');
  is((await page.$$('#days-table tbody tr')).length, 30, 'the table of days has 30 of them');

  const thisMonth = (items) => items.filter((item) => dayOf(item.time).slice(0, 7) === today.slice(0, 7));
  const monthScale = (await text(page, '.month .used .unit')) === 'Wh' ? 1000 : 1;
  ok(isShown(await text(page, '.month .used .figure'), monthScale * sum(thisMonth(used))),
    'this month\u2019s use is the sum of its samples');
  const recent = await text(page, '.events');
  ok(recent.includes('alarm') && recent.includes('too <b>hot</b>'), 'what happened is told, markup is text');
  is((await page.$$('.gauge-part')).length, 3, 'used, generated and net have a gauge');

  const devices = await text(page, '.devices tbody');
  ok(devices.includes('meter-1') && devices.includes('roof'), 'devices are listed');
  ok(devices.includes('<b>key</b>'), 'markup in a key is text');
  is((await page.$$('.devices b')).length, 0, 'and no element');
  ok((await text(page, '.who')).includes('Home & <Garden>'), 'the tenant is named');
  is((await page.$$('.state')).length, 3, 'each device says whether it is live');
  await page.context().close();
}

// The page asks for itself again when it comes back into view.
const look = (page) => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));

async function testLive(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/`);
  const before = await text(page, '.lead-figure .figure');
  await page.click('[data-live=hours] summary');
  await page.focus('.devices tbody a');
  await page.locator('[data-live=hours] .hit').nth(20).hover();
  ok((await text(page, '[data-live=hours] .readout')).length > 0, 'the pointer reads an hour');
  await page.evaluate(() => { window.isSamePage = true; });
  let hidden = 0;
  const count = () => { hidden += 1; };
  page.on('request', count);
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }));
  await look(page);
  await page.waitForTimeout(200);
  is(hidden, 0, 'a page that nobody sees asks nothing');
  page.off('request', count);
  await page.evaluate(() => { delete document.hidden; });
  await fetch(`${setup.url}/v1/event`, { method: 'POST',
    headers: { Authorization: `Bearer ${setup.device_token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ device: 'meter-1', metrics: { power_w: 812 } }) });
  const deadline = Date.now() + 20000;
  let after = before;
  while (after !== '812' && Date.now() < deadline) {
    await look(page);
    await page.waitForTimeout(250);
    after = await text(page, '.lead-figure .figure');
  }
  is(after, '812', 'the live figure follows without a reload');
  ok(await page.evaluate(() => window.isSamePage), 'on the same page');
  ok(await page.isVisible('#hours-table'), 'what was opened stays open');
  ok((await text(page, '[data-live=hours] .readout')).length > 0 && (await page.$$('[data-live=hours] .hit.at')).length === 1,
    'what the pointer reads stays read');
  ok(await page.evaluate(() => document.activeElement.matches('.devices tbody a')), 'the focus stays where it was');
  ok(page.complaints.length === 0, 'and nothing complains', page.complaints);

  await page.context().clearCookies();
  const isLogin = (got) => new URL(got.url()).pathname === '/login';
  await Promise.all([page.waitForResponse(isLogin), look(page)]);
  let asked = 1;
  page.on('request', () => { asked += 1; });
  for (const end = Date.now() + 10000; asked > 0 && Date.now() < end;) { // the answer is seen a moment later
    asked = 0;
    await look(page);
    await page.waitForTimeout(200);
  }
  is(asked, 0, 'who is logged out is not asked for again');
  is(await text(page, '.lead-figure .figure'), '812', 'what is shown stays');
  await page.context().close();
}

// ---- every page, every way ----

// The list of devices and devices' pages are device.js's.
async function testLooks(browser) {
  const page = await open(browser);
  await page.goto(`${setup.url}/login`);
  await inspect(page, 'login');
  await comeIn(page, setup.person);
  for (const [name, path] of [['overview', '/'], ['energy', '/energy?range=7d'], ['costs', '/costs'],
    ['a day’s costs', '/costs?view=day'], ['bill', '/costs/bill'], ['what if', '/costs/what-if'],
    ['utility’s file', '/costs/compare']]) {
    const answer = await page.goto(setup.url + path);
    is(answer.status(), 200, `${name}: is there`);
    await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
    await inspect(page, name);
  }
  is((await page.goto(`${setup.url}/devices/${encodeURIComponent('odd/<b>key</b>')}`)).status(), 200, 'odd device: is there');
  ok(page.complaints.length === 0, 'no complaint of the browser', page.complaints);
  is((await page.goto(`${setup.url}/devices/none`)).status(), 404, 'problem page');
  await inspect(page, 'problem');
  await page.context().close();
}

async function testMoney(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/`);
  const shown = await text(page, '[data-live=money]');
  ok(/Today so far ?\$\d+\.\d\d/.test(shown) && /Peak ?\$\d/.test(shown), 'the overview says what today costs, and by period', shown);
  await page.goto(`${setup.url}/costs`);
  ok(shown.includes(await text(page, '.series-now .figure')), 'this month as the page of costs has it', shown);
  await page.goto(`${setup.url}/costs/bill`);
  await page.setViewportSize({ width: 718, height: 1050 }); // A4 within its margins
  await page.emulateMedia({ media: 'print' });
  const paper = await page.evaluate(() => ({
    head: document.querySelector('.bill thead').offsetHeight, row: getComputedStyle(document.querySelector('.bill tbody tr')).display,
    whose: document.querySelector('.on-paper').offsetHeight > 0 && document.querySelector('.on-paper').textContent,
    isMore: document.querySelector('.bill-sheet .below').offsetHeight > 0, over: document.documentElement.scrollWidth > 718,
  }));
  ok(paper.head > 5 && paper.row === 'table-row' && !paper.isMore && !paper.over, 'a bill on paper is a table of its lines, without links', paper);
  is(paper.whose, 'Home & <Garden>', 'and says whose it is');
  await page.context().close();
}

async function testPlain(browser) {
  const page = await open(browser, { javaScriptEnabled: false });
  await logIn(page, setup.person, setup.password);
  is(await text(page, 'h1'), 'Overview', 'without scripts one can log in');
  ok((await page.$$('.plot .bar')).length > 0, 'and see the charts');
  await page.click('.devices a');
  await page.waitForLoadState();
  ok(new URL(page.url()).pathname.startsWith('/devices/'), 'and go to a device');
  await page.goto(`${setup.url}/costs`);
  await page.click('text=Day by hour');
  await page.waitForLoadState();
  ok((await text(page, '#why')).includes('Evenings, version 1'), 'and see why a day costs what it does');
  await page.context().close();
}

async function testWeight(browser) {
  const page = await enter(browser, setup.person);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await page.goto(`${setup.url}/`, { waitUntil: 'networkidle' });
  ok(bytes > 0 && bytes < 50 * 1024, 'the overview with all it needs is below 50 KiB', bytes);
  console.log(`# ${bytes} bytes`);
  await page.context().close();
}

async function testOther(browser) {
  const page = await enter(browser, setup.other);
  await page.goto(`${setup.url}/`);
  const steps = await text(page, 'main');
  ok(steps.includes(`curl ${setup.url}/v1/event`) && steps.includes('--tenant other'),
    'a tenant without devices is shown the first steps');
  await inspectAsIs(page, 'first steps');
  is((await page.goto(`${setup.url}/devices`)).status(), 200, 'its list of devices is there');
  ok(!(await page.content()).includes('meter-1'), 'and empty');
  const foreign = await page.goto(`${setup.url}/devices/meter-1`);
  const foreignText = (await page.content()).replace(/[0-9a-f]{32}|\/devices\/[\w-]+/g, '');
  is(foreign.status(), 404, 'another tenant\u2019s device is not there');
  await page.goto(`${setup.url}/devices/nothing`);
  is((await page.content()).replace(/[0-9a-f]{32}|\/devices\/[\w-]+/g, ''), foreignText, 'as if it did not exist');
  await page.context().close();
}

// Last: it makes this address wait.
async function testThrottle(browser) {
  const page = await open(browser);
  let answer;
  for (let i = 0; i < 20; i += 1) {
    await page.goto(`${setup.url}/login`);
    await page.fill('#email', 'guess@home.example');
    await page.fill('#password', `guess ${i}`);
    [answer] = await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
    if (answer.status() !== 401) break;
  }
  is(answer.status(), 429, 'guessing is made to wait');
  ok(Number(answer.headers()['retry-after']) > 0, 'with a time to wait');
  ok(/Wait \d+ (second|minute)/.test(await text(page, '[role=alert]')), 'said in words too');
  await inspectAsIs(page, 'waiting');
  await page.context().close();
}

main([testLogin, testNext, testKeyboard, testOverview, testLive, testLooks, testMoney, testPlain, testWeight,
  testOther, testThrottle]);
