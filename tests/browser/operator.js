'use strict';
// Operators make, suspend and erase a tenant; what is shared is seen by those who have the link,
// without a way further in; problems are told. Without scripts where somebody works, both ways
// where somebody looks. Started by operator.t.

const { setup, ok, is, open, enter, inspect, main } = require('./browser.js');

const text = async (page, selector) => (await page.textContent(selector)).replace(/\s+/g, ' ').trim();
const press = async (page, name) => (await Promise.all([page.waitForNavigation(),
  page.getByRole('button', { name, exact: true }).click()]))[0];

// ---- the installation ----

async function testTenant(browser) {
  const page = await enter(browser, setup.operator, { javaScriptEnabled: false });
  is(new URL(page.url()).pathname, '/operator', 'an operator without a tenant begins with the installation');
  is(await page.locator('[aria-labelledby=tenants-title] tbody tr').count(), 2, 'its tenants are listed');
  is(await page.locator('.rows b').count(), 0, 'markup in their names is text');
  await Promise.all([page.waitForNavigation(), page.click('text=New tenant')]);
  await page.fill('#slug', 'Not a slug!');
  await page.fill('#name', 'Mills');
  is((await press(page, 'Make the tenant')).status(), 422, 'what is no slug is refused');
  is(await page.inputValue('#name'), 'Mills', 'what was typed is kept');
  ok(await page.isVisible('#slug[aria-invalid=true]'), 'the field says what is wrong');
  await page.fill('#slug', 'mills');
  await press(page, 'Make the tenant');
  is(await text(page, 'h1'), 'Mills', 'a tenant is made');
  ok((await text(page, '[role=status]')).startsWith('The tenant is there.'), 'and its operator told so');
  await page.fill('#name', 'Monsoon Mills');
  await press(page, 'Save');
  is(await text(page, 'h1'), 'Monsoon Mills', 'it is renamed');
  await press(page, 'Suspend Monsoon Mills');
  is(await text(page, '#door-title'), 'Suspended', 'it is suspended');
  await press(page, 'Reactivate');
  is(await text(page, '#door-title'), 'Suspend', 'and let in again');
  await page.fill('#confirm', 'home');
  is((await press(page, 'Erase for good')).status(), 422, 'another slug erases nothing');
  await page.fill('#confirm', 'mills');
  await press(page, 'Erase for good');
  is(await page.locator('[aria-labelledby=tenants-title] tbody tr').count(), 2, 'its own does');
  await page.context().close();
}

// By the keyboard alone from the login to a tenant's page; every stop is seen.
async function testKeyboard(browser) {
  const page = await enter(browser, setup.operator);
  await page.goto(`${setup.url}/operator`);
  const faint = [];
  let at = '';
  for (let i = 0; i < 30 && at !== 'Home & <Garden>'; i += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return { name: document.activeElement.textContent.trim(),
        isRinged: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
    });
    at = stop.name;
    if (!stop.isRinged) faint.push(at);
  }
  ok(faint.length === 0, 'every stop is plain to see', faint);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  is(await text(page, 'h1'), 'Home & <Garden>', 'the keyboard leads to a tenant');
  await page.context().close();
}

async function testOnlooker(browser) {
  const page = await enter(browser, setup.onlooker);
  await page.goto(`${setup.url}/operator`);
  ok(!(await page.isVisible('text=New tenant')), 'who may only look is offered nothing else');
  await page.goto(`${setup.url}/operator/tenants/home`);
  is(await page.locator('main button').count(), 0, 'on a tenant\u2019s page neither');
  is((await page.goto(`${setup.url}/operator/tenants`)).status(), 403, 'nor by the address');
  await page.context().close();
}

// The menu with all that it can hold is two lines on a phone, and whole.
async function testMenu(browser) {
  const page = await enter(browser, setup.admin, { viewport: { width: 390, height: 844 } });
  await page.goto(`${setup.url}/`);
  const menu = await page.$eval('.menu', (nav) => ({ entries: nav.children.length, height: nav.offsetHeight,
    beyond: nav.scrollWidth - nav.clientWidth }));
  ok(menu.entries === 8 && menu.height < 90 && menu.beyond <= 0, 'eight entries are two lines of a phone', menu);
  for (const [name, path] of [['Installation', '/operator'], ['Admin', '/admin/devices'], ['Events', '/events']]) {
    await Promise.all([page.waitForNavigation(), page.click(`.menu >> text=${name}`)]);
    is(new URL(page.url()).pathname, path, `${name} leads there`);
    ok(await page.isVisible('.menu a[aria-current]'), 'and says so');
  }
  await page.context().close();
}

// ---- shared links ----

async function testShare(browser) {
  const admin = await enter(browser, setup.admin, { javaScriptEnabled: false });
  await admin.goto(`${setup.url}/admin/shares`);
  await admin.fill('#name', 'Office <b>wall</b>');
  await admin.fill('#device', 'none-such');
  is((await press(admin, 'Make the link')).status(), 422, 'a device that is not there is not shared');
  await admin.fill('#device', 'meter');
  await press(admin, 'Make the link');
  const link = await text(admin, '.once code');
  ok(/\/share\/[\w-]{43}$/.test(link), 'a link is shown', link);
  await admin.goto(`${setup.url}/admin/shares`);
  ok(!(await admin.content()).includes(link), 'once');

  const guest = await open(browser);
  is((await guest.goto(link)).status(), 200, 'whoever has it sees the page');
  is(await text(guest, 'h1'), 'meter', 'of the device');
  is(await guest.locator('.menu, main form[method=post], a[href^="/devices"], a[href^="/admin"]').count(), 0, 'and nothing leads further');
  await Promise.all([guest.waitForNavigation(), guest.click('.choices >> text=7 days')]);
  ok(guest.url().startsWith(link) && guest.url().includes('range=7d'), 'its spans can be chosen');
  ok(await guest.isVisible('.plot'), 'and are drawn');

  await Promise.all([admin.waitForNavigation(), admin.click('tr:has-text("Office <b>wall</b>") button')]);
  ok((await text(admin, '[role=status]')).includes('no longer works'), 'it is withdrawn');
  is((await guest.goto(link)).status(), 404, 'and works no longer');
  await admin.context().close();
  await guest.context().close();
}

// ---- every page, every way ----

async function testLooks(browser) {
  const look = async (page, name, path, status) => {
    is((await page.goto(setup.url + path)).status(), status, `${name}: ${status}`);
    await page.$$eval('details:not(.self)', (all) => all.forEach((one) => { one.open = true; }));
    await inspect(page, name);
  };
  const guest = await open(browser);
  await look(guest, 'a shared overview', setup.overview, 200);
  await look(guest, 'a shared device', setup.device, 200);
  await look(guest, 'a link that ended', setup.ended, 404);
  await look(guest, 'nothing there', '/nothing-there', 404);
  await guest.context().close();
  const operator = await enter(browser, setup.operator);
  await look(operator, 'the installation', '/operator', 200);
  await look(operator, 'a new tenant', '/operator/tenants', 200);
  await look(operator, 'a tenant', '/operator/tenants/home', 200);
  await look(operator, 'a long name', `/operator/tenants/${setup.long}`, 200);
  await press(operator, 'Erase for good');
  await inspect(operator, 'an erasure without its slug');
  await operator.context().close();
  const viewer = await enter(browser, setup.viewer);
  await look(viewer, 'not for a viewer', '/admin/devices', 403);
  await look(viewer, 'nor the installation', '/operator', 403);
  await viewer.context().close();
  const admin = await enter(browser, setup.admin);
  await look(admin, 'links', '/admin/shares', 200);
  const all = [guest, operator, viewer, admin].flatMap((page) => page.complaints);
  ok(!all.some((one) => !/40[34]|422/.test(one)), 'no complaint of the browser', all);
  await admin.context().close();
}

async function testWeight(browser) {
  const page = await enter(browser, setup.operator);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  for (const path of ['/operator', '/operator/tenants/home', setup.overview, setup.device]) {
    bytes = 0;
    await page.goto(setup.url + path, { waitUntil: 'networkidle' });
    ok(bytes > 0 && bytes < 50 * 1024, `${path.slice(0, 16)} with all it needs is below 50 KiB`, bytes);
  }
  await page.context().close();
}

main([testTenant, testKeyboard, testOnlooker, testMenu, testShare, testLooks, testWeight]);
