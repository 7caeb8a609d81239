'use strict';
// The administration of devices and sites: adding, finding, changing, importing; by mouse and by
// keyboard, light and dark, on a phone, without scripts. Started by admin_devices.t.

const { setup, ok, is, enter, comeIn, inspect, main } = require('./browser.js');

const odd = `/admin/devices/${encodeURIComponent('odd/<b>key</b>')}`;
const text = async (page, selector) => (await page.textContent(selector)).replace(/\s+/g, ' ').trim();
const press = async (page, name) => (await Promise.all([page.waitForNavigation(),
  page.getByRole('button', { name, exact: true }).click()]))[0];

const list = ['key,name,site,timezone', 'meter-001,Renamed,,', 'new-1,One,shed,Europe/Berlin',
  'new-2,Two,nowhere,', ',Nobody,,', ''].join('\n');

// What a person does on these pages; `page` may be without scripts.
async function work(page, way) {
  await page.goto(`${setup.url}/`);
  await Promise.all([page.waitForNavigation(), page.click('.menu >> text=Administration')]);
  is(new URL(page.url()).pathname, '/admin/devices', `${way}: the menu leads to the administration`);
  is(await page.locator('.rows tbody tr').count(), 50, `${way}: a page of devices`);
  await Promise.all([page.waitForNavigation(), page.click('.pager >> text=Next page')]);
  is(await page.locator('.rows tbody tr').count(), way === 'with scripts' ? 11 : 13, `${way}: and the next`);

  await page.goto(`${setup.url}/admin/devices`);
  await page.fill('[name=q]', 'METER 17');
  await press(page, 'Search');
  is(await text(page, '.rows tbody th'), 'Meter 17meter-017', `${way}: a search finds by name`);
  is(await page.inputValue('[name=q]'), 'METER 17', `${way}: and stays in its field`);

  await page.click('details.fold > summary');
  await page.fill('.form [name=key]', 'meter-001');
  await page.fill('.form [name=name]', 'Kept');
  const refused = await press(page, 'Add the device');
  is(refused.status(), 422, `${way}: a key that is taken is refused`);
  ok(await page.isVisible('.form [name=key][aria-invalid=true]'), `${way}: its field says so`);
  is(await page.inputValue('.form [name=name]'), 'Kept', `${way}: what was typed is kept`);
  const described = await page.getAttribute('.form [name=key]', 'aria-describedby');
  ok((await text(page, `#${described}`)).includes('already'), `${way}: the field is described by what is wrong`);
  await page.fill('.form [name=key]', `added ${way}`);
  await press(page, 'Add the device');
  is(await text(page, '[role=status]'), 'The device is added. It can send as soon as it has a token.', `${way}: a device is added`);
  is(await text(page, 'h1'), 'Kept', `${way}: and one is on its page`);

  await page.selectOption('[name=site]', 'barn');
  await page.fill('[name=config]', '{"metrics": []}');
  is((await press(page, 'Save')).status(), 422, `${way}: a configuration that cannot be is refused`);
  is(await page.inputValue('[name=site]'), 'barn', `${way}: the choice is kept`);
  await page.fill('[name=config]', '{"note": "x"}');
  await press(page, 'Save');
  is(await text(page, '[role=status]'), 'The changes are saved.', `${way}: a good one is saved`);
  await press(page, 'Retire the device');
  is(await text(page, '.page-head .state'), 'Retired', `${way}: it is retired`);
  await press(page, 'Put back into use');
  ok(await page.isVisible('button:text("Retire the device")'), `${way}: and back`);

  await page.goto(setup.url + odd);
  await Promise.all([page.waitForNavigation(), page.click('tr:has-text("power_w") >> text=Correct')]);
  await page.selectOption('[name=role]', 'storage');
  await press(page, 'Correct the series');
  ok((await text(page, 'tr:has-text("power_w")')).includes('Storage'), `${way}: a series is corrected`);

  await page.goto(`${setup.url}/admin/devices/import`);
  await page.fill('[name=text]', list);
  await press(page, 'Preview');
  is(await page.locator('tr.wrong').count(), 2, `${way}: the preview shows what is wrong`);
}

async function testWork(browser) {
  const page = await enter(browser, setup.person);
  await work(page, 'with scripts');
  await page.setInputFiles('#file', { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('key\nfrom-file\n') });
  await page.waitForFunction(() => document.querySelector('[name=text]').value.includes('from-file'));
  ok(true, 'a file that is chosen goes into the field');
  await press(page, 'Import 2 devices');
  ok((await text(page, '[role=status]')).includes('changed after the preview'), 'another text than was shown is not stored');
  await press(page, 'Import 1 device');
  is(await text(page, '[role=status]'), 'The devices are imported.', 'the shown one is');
  ok(!page.complaints.some((one) => !one.includes('422')), 'and nothing complains', page.complaints);
  await page.context().close();
}

async function testPlain(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await work(page, 'without scripts');
  ok(!(await page.isVisible('#file')), 'without scripts there is no field that would do nothing');
  await page.context().close();
}

async function testSites(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/admin/sites`);
  await page.click('details.fold > summary');
  await page.fill('[name=key]', 'attic');
  await page.fill('[name=timezone]', 'Europe/Nowhere');
  is((await press(page, 'Add the site')).status(), 422, 'a zone that there is not is refused');
  await page.fill('[name=timezone]', 'Europe/Lisbon');
  await press(page, 'Add the site');
  is(await text(page, 'h1'), 'attic', 'a site is added');
  await press(page, 'Remove the site');
  is(await text(page, '[role=status]'), 'The site is removed.', 'and removed');
  await page.goto(`${setup.url}/admin/sites/barn`);
  ok(!(await page.isVisible('text="Remove the site"')), 'one with devices cannot be');
  await page.context().close();
}

// By the keyboard alone: a device is added, every stop is seen.
async function testKeyboard(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/admin/devices`);
  await page.focus('details.fold > summary');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  is(await page.evaluate(() => document.activeElement.name), 'key', 'the form opens, and its first field is next');
  await page.keyboard.type('by-keyboard');
  const faint = [];
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return { name: document.activeElement.name || document.activeElement.textContent.trim(),
        isRinged: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
    });
    if (!stop.isRinged) faint.push(stop.name);
    if (stop.name === 'Add the device') break;
  }
  ok(faint.length === 0, 'every stop is plain to see', faint);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  is(await text(page, 'h1'), 'by-keyboard', 'and the device is there');
  await page.context().close();
}

// ---- every page and state, every way ----

async function wrongForm(page) {
  await page.goto(`${setup.url}/admin/devices`);
  await page.click('details.fold > summary');
  await press(page, 'Add the device');
}

async function preview(page) {
  await page.goto(`${setup.url}/admin/devices/import`);
  await page.fill('[name=text]', list);
  await press(page, 'Preview');
}

// The editor of rate schedules, by the keyboard: the week is painted, the rules follow, the preview too.
async function testPainting(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/admin/rates/${setup.rate}/edit`);
  const cell = (d, h) => `table[data-season="0"] tbody tr:nth-child(${d + 1}) td:nth-child(${h + 2})`;
  ok(await page.isHidden('#rules table'), 'with scripts the rules are put away');
  const was = await page.textContent(cell(0, 0));
  await page.click('.picks label:nth-of-type(2)');
  const [fresh] = await Promise.all([
    page.waitForResponse((answer) => answer.url().endsWith('/edit') && answer.request().method() === 'POST'),
    (async () => {
      await page.focus(cell(0, 0));
      await page.keyboard.press('Space');
      await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('ArrowDown');
    })(),
  ]);
  is(fresh.status(), 200, 'painting asks for a preview');
  ok(await page.textContent(cell(0, 1)) !== was, 'Space and Shift with an arrow paint');
  is(await page.evaluate((selector) => document.activeElement === document.querySelector(selector), cell(1, 1)), true,
    'an arrow alone walks');
  const rules = await page.$$eval('[name^=w][name$=_days]', (all) => all.map((one) => {
    const row = one.name.replace('_days', '');
    const value = (column) => document.querySelector(`[name=${row}_${column}]`).value;
    return [value('period'), one.value, value('from'), value('to')].join(' ');
  }));
  ok(rules.includes('peak mon 00:00 02:00'), 'what is painted is a rule', rules);
  await Promise.all([page.waitForNavigation(), page.click('text=Save as a new version')]);
  is(new URL(page.url()).search, '?done=changed', 'and is saved');
  await page.context().close();
}

// Rows of the editor by the keyboard: other hours for demand, what a charge has more, what is wrong
// beside its field, all of it saved.
async function testRows(browser) {
  const page = await enter(browser, setup.person);
  const edit = `${setup.url}/admin/rates/${setup.rate}/edit`;
  const focused = () => page.evaluate(() => document.activeElement.name || document.activeElement.textContent.trim());
  const walk = async (...texts) => {
    const names = [];
    for (const words of texts) {
      await page.keyboard.press('Tab');
      names.push(await focused());
      if (words) await page.keyboard.type(words);
    }
    return names.join(' ');
  };
  const answered = () => page.waitForResponse((answer) => answer.url() === edit && answer.request().method() === 'POST');
  await page.goto(edit);
  await page.focus('text="Other hours for demand"');
  await page.keyboard.press('Enter');
  is(await walk('off_peak', '', '', '', ''), 'd0_period d0_seasons d0_days d0_from d0_to', 'the first row is next');
  const [shown] = await Promise.all([answered(), walk('peak', 'winter', 'mon', '17:00', '25:00')]);
  is(shown.status(), 200, 'typing asks for a preview');
  await page.waitForFunction(() => document.getElementById('d1-error').textContent !== '');
  ok(/^to must be a time/i.test(await page.textContent('#d1-error')), 'what is wrong stands beside its row', await page.textContent('#d1-error'));
  is(await focused(), 'd1_to', 'and the focus stays where it is');
  is(await page.getAttribute('[name=d1_to]', 'aria-describedby'), 'd1-error', 'which a screen reader finds from its field');
  is(await page.getAttribute('[name=d2_period]', 'aria-label'), 'Rule of demand 3: Period', 'a further row is there to fill in');
  await Promise.all([answered(), (async () => {
    await page.keyboard.press('Control+A');
    await page.keyboard.type('21:00');
  })()]);
  await page.waitForFunction(() => document.getElementById('d1-error').textContent === '');
  ok(!(await page.$('tr.wrong')), 'what is mended is not wrong');

  await page.focus('[name=c2_type]');
  await page.keyboard.type('Demand');
  is(await walk('Peak', '', '', '4', '', ''), 'c2_name c2_season c2_period c2_price c2_per c2_of', 'a charge is typed');
  is(await walk(''), 'More', 'then what it has more');
  await page.keyboard.press('Enter');
  is(await walk('', '', '', '30', '80', '11', ''), 'c2_tiers_of c2_tiers_begin c2_tiers_count c2_window c2_ratchet c2_cycles c2_dates', 'field by field');
  await page.focus('text="Save as a new version"');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  is(new URL(page.url()).search, '?done=changed', 'it is saved');
  await page.goto(edit);
  is(await page.$$eval('[name=d0_period], [name=d1_seasons], [name=d1_to], [name=c2_window], [name=c2_ratchet], [name=c2_cycles]', (all) => all.map((one) => one.value).join(' ')),
    'off_peak winter 21:00 30 80 11', 'and comes back');
  ok(page.complaints.length === 0, 'nothing is complained of', page.complaints);
  await page.context().close();
}

async function testLooks(browser) {
  const page = await enter(browser, setup.person);
  for (const path of ['/admin/devices', '/admin/devices?q=none-at-all', odd, `${odd}?series=1&done=saved`,
    '/admin/sites', '/admin/sites/barn', '/admin/devices/import', '/admin/rates',
    `/admin/rates/${setup.rate}`, `/admin/rates/${setup.rate}/edit`]) {
    is((await page.goto(setup.url + path)).status(), 200, `${path}: is there`);
    await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
    await inspect(page, path);
  }
  await wrongForm(page);
  await inspect(page, 'a refused form');
  await preview(page);
  await inspect(page, 'a preview');
  await page.goto(`${setup.url}/login`);
  await page.context().clearCookies();
  await comeIn(page, setup.other);
  for (const path of ['/admin/devices', '/admin/sites', '/admin/rates']) {
    await page.goto(setup.url + path);
    await inspect(page, `${path}, empty`);
  }
  await page.context().close();
}

main([testWork, testPlain, testSites, testKeyboard, testPainting, testRows, testLooks, ...require('./files.js')]);
