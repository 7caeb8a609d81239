'use strict';
// The page that puts readings right: a value set, readings counted and deleted, a device erased; the
// archive;
// without scripts, light and dark, on a phone. Started by corrections.t.

const { setup, ok, is, enter, inspect, main } = require('./browser.js');

const key = 'odd/<b>key</b>';
const path = `/admin/devices/${encodeURIComponent(key)}/corrections`;
const meter = `/admin/devices/${encodeURIComponent(key)}/meter`;
const text = async (page, selector) => (await page.textContent(selector)).replace(/\s+/g, ' ').trim();
const press = async (page, name) => (await Promise.all([page.waitForNavigation(),
  page.getByRole('button', { name, exact: true }).click()]))[0];

// The readings of energy as the API tells them.
async function readings(page) {
  const answer = await page.request.get(`${setup.url}/v1/devices/${encodeURIComponent(key)}/samples?metric=energy_kwh`);
  return (await answer.json()).items.map((item) => item.value).join(' ');
}

async function testWork(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await page.goto(`${setup.url}/admin/devices/${encodeURIComponent(key)}`);
  await Promise.all([page.waitForNavigation(), page.click('text=Correct readings')]);
  is(new URL(page.url()).pathname, path, 'the device leads to its corrections');

  // a value, at a time of Berlin's clock
  await page.selectOption('[name=series]', { label: 'energy_kwh' });
  await page.fill('[name=time]', '2026-06-01 13:00');
  await page.fill('[name=value]', 'many');
  is((await press(page, 'Set the value')).status(), 422, 'no number is refused');
  is(await page.inputValue('[name=time]'), '2026-06-01 13:00', 'what was typed is kept');
  ok(await page.isVisible('[name=value][aria-invalid=true]'), 'the field says what is wrong');
  await page.fill('[name=value]', '40.5');
  await page.fill('[name=time]', 'at noon');
  is((await press(page, 'Set the value')).status(), 422, 'no time is refused');
  await page.fill('[name=time]', '2126-06-01 13:00');
  is((await press(page, 'Set the value')).status(), 422, 'nor one to come');
  ok((await text(page, '#time-about')).includes('24 hours ahead'), 'and why');
  await page.fill('[name=time]', '2026-06-01 13:00');
  await press(page, 'Set the value');
  ok((await text(page, '[role=status]')).startsWith('The value is set.'), 'a value is set');
  is(await readings(page), '0 40.5 2 3 4 5', 'the one of that moment');
  await page.selectOption('[name=series]', { label: 'energy_kwh' });
  await page.fill('[name=time]', '2026-06-01T11:00:00Z');
  await page.fill('[name=value]', '40.5');
  await press(page, 'Set the value');
  ok((await text(page, '[role=status]')).startsWith('This was the value already'), 'the same again is told');

  // a deletion asks first
  await page.selectOption('[name=metric]', 'energy_kwh');
  await page.fill('[name=from]', '2026-06-01 14:00');
  await page.fill('[name=to]', '2026-06-01 14:00');
  is((await press(page, 'Count them')).status(), 422, 'an empty time is refused');
  await page.fill('[name=to]', '2026-06-01 16:00');
  await press(page, 'Count them');
  is(await text(page, '.chosen p'), '2 readings of energy_kwh, from 2026-06-01 14:00 until 2026-06-01 16:00 (Europe/Berlin).',
    'it says how many readings would go');
  is(await readings(page), '0 40.5 2 3 4 5', 'and deletes none yet');
  await press(page, 'Delete for good');
  ok((await text(page, '[role=status]')).startsWith('The readings are deleted.'), 'then they go');
  is(await readings(page), '0 40.5 4 5', 'those and no others');
  await page.fill('[name=from]', '2026-06-01 14:00');
  await page.fill('[name=to]', '2026-06-01 16:00');
  await page.selectOption('[name=metric]', 'energy_kwh');
  is((await press(page, 'Count them')).status(), 422, 'where there are none there is nothing to confirm');
  await page.context().close();
}

// What happened to a meter: each kind has a form of its own.
async function testMeter(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await page.goto(`${setup.url}/admin/devices/${encodeURIComponent(key)}`);
  await Promise.all([page.waitForNavigation(), page.click('a:text-is("Meter")')]);
  is(new URL(page.url()).pathname, meter, 'the device leads to its meter');
  ok(await page.isVisible('.none-yet'), 'of which nothing is noted');
  await Promise.all([page.waitForNavigation(), page.click('a:text-is("Factor")')]);
  await page.fill('[name=at]', '2026-06-01 13:00');
  await page.fill('[name=factor]', 'twice');
  is((await press(page, 'Enter it')).status(), 422, 'no number is refused');
  ok(await page.isVisible('[name=factor][aria-invalid=true]'), 'beside its field');
  await page.fill('[name=factor]', '1.5');
  await page.fill('[name=note]', 'a current transformer of 60:5');
  await press(page, 'Enter it');
  ok((await text(page, '[role=status]')).startsWith('It is entered.'), 'a factor is entered');
  is(await text(page, 'tbody th'), 'Factor × 1.5 · a current transformer of 60:5', 'and told');
  is(await text(page, 'tbody td'), 'from 1 Jun 2026, 13:00 on', 'with its time');
  await page.goto(`${setup.url}${meter}?kind=swap`);
  await page.fill('[name=at]', '2026-06-01 13:00');
  is((await press(page, 'Enter it')).status(), 422, 'what there is no counter of is not swapped');
  ok((await text(page, '#series-about')).includes('no counter'), 'and why');
  await page.goto(setup.url + meter);
  await press(page, 'Withdraw: Factor, from 1 Jun 2026, 13:00 on');
  ok((await text(page, '[role=status]')).startsWith('It is withdrawn'), 'it is withdrawn');
  ok((await text(page, 'tbody')).includes('withdrawn'), 'and stays in the list');
  await page.context().close();
}

async function wrongMeter(page) {
  await page.goto(`${setup.url}${meter}?kind=rollover`);
  await page.fill('[name=at]', '2026-06-01');
  await page.fill('[name=size]', '-1');
  await press(page, 'Enter it');
}

// The archive: what there is, and a day that is brought back.
async function testArchive(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await page.goto(`${setup.url}/uploads`);
  await Promise.all([page.waitForNavigation(), page.click('text=The archive of finished days')]);
  is(new URL(page.url()).pathname, '/archives', 'files lead to the archive');
  ok((await text(page, '.page-head')).includes('days in'), 'which says how much there is');
  const row = page.locator('.archives tr', { hasText: '2026-05-01' });
  is(await row.locator('.state').textContent(), 'Archive alone', 'a day that retention dropped');
  is(await page.getByRole('button', { name: /^Restore/ }).count(), 1, 'it alone can be brought back');
  const file = await page.request.get(setup.url + await row.locator('a').getAttribute('href'));
  is((await file.body()).subarray(0, 4).toString(), 'PAR1', 'its file is a link');
  await press(page, 'Restore 2026-05-01');
  ok((await text(page, '[role=status]')).startsWith('The day will be brought back'), 'it will be brought back');
  await page.context().close();
}

async function testErase(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(setup.url + path);
  await page.fill('[name=key]', 'odd');
  is((await press(page, 'Erase the device')).status(), 422, 'another key erases nothing');
  await page.fill('[name=key]', key);
  await press(page, 'Erase the device');
  is(await text(page, '[role=status]'), 'The device and all its data are erased.', 'its own does');
  is((await page.goto(setup.url + path)).status(), 404, 'it is gone');
  await page.context().close();
}

async function wrong(page) {
  await page.goto(setup.url + path);
  await page.fill('[name=time]', 'at noon');
  await press(page, 'Set the value');
}

async function question(page) {
  await page.goto(setup.url + path);
  await page.fill('[name=from]', '2026-01-01');
  await page.fill('[name=to]', '2027-01-01');
  await press(page, 'Count them');
}

async function testLooks(browser) {
  const shown = [['corrections', (page) => page.goto(setup.url + path)], ['corrections, refused', wrong],
    ['corrections, to be confirmed', question], ['corrections of a silent device',
      (page) => page.goto(`${setup.url}/admin/devices/silent/corrections`)],
    ['meter', (page) => page.goto(`${setup.url}${meter}?kind=swap`)], ['meter, refused', wrongMeter],
    ['archive', (page) => page.goto(`${setup.url}/archives`)]];
  const page = await enter(browser, setup.person);
  for (const [name, go] of shown) {
    await go(page);
    await inspect(page, name);
  }
  ok(!page.complaints.some((one) => !one.includes('422')), 'nothing complains', page.complaints);
  await page.context().close();
}

main([testWork, testMeter, testLooks, testArchive, testErase]);
