'use strict';
// The pages of access in a browser: making and revoking tokens, inviting and joining, members,
// settings, the own account, the switches of tenant and theme; at four widths and colours, by
// keyboard alone, without scripts. Prints TAP.

const { setup, ok, is, open, enter, comeIn, inspect, inspectAsIs, main } = require('./browser.js');

const PAGES = ['/admin/tokens?all=1', `/admin/tokens/${setup.revoked}`, '/admin/users', `/admin/users/${setup.kay}`,
  '/admin/settings', '/admin/plugins', '/admin/plugins/mqtt%2F%3Cb%3Eroof', '/admin/audit', '/admin/audit?area=plugin', '/account',
  '/admin/rejects', '/admin/rejects?state=&reason=none'];

const text = (page, selector) => page.textContent(selector);

async function submit(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

// Every page, wide and narrow, light and dark, before and after something wrong was sent.
async function looks(browser) {
  const page = await open(browser);
  for (const path of ['/login', setup.invite, setup.reset, '/invite/none']) {
    await page.goto(setup.url + path);
    await inspect(page, path.replace(/(\w+\/).{20,}/, '$1…'));
  }
  await page.goto(setup.url + setup.invite);
  await submit(page, 'main form button');
  await inspect(page, 'an invitation with an error');
  await comeIn(page, setup.person);
  for (const path of PAGES) {
    await page.goto(setup.url + path);
    await inspect(page, path);
  }
  await page.click('.self > summary');
  await inspect(page, 'the open menu');
  await page.goto(`${setup.url}/admin/rejects`);
  await page.$$eval('main details', (all) => all.forEach((one) => { one.open = true; }));
  await inspect(page, 'what was sent in vain');
  for (const [path, button] of [['/admin/tokens', 'Make the token'], ['/admin/users', 'Make the link'], ['/admin/plugins', 'Register the plugin'],
    ['/account', 'Change the password']]) {
    await page.goto(setup.url + path);
    await page.$$eval('main details', (all) => all.forEach((one) => { one.open = true; }));
    await submit(page, `button:has-text("${button}")`);
    ok(await page.isVisible('.notice.bad'), `${path}: what is missing is told`);
    is(await page.getAttribute('[aria-invalid]', 'aria-describedby').then((id) => page.isVisible(`#${id} .error`)), true,
      `${path}: beside its field`);
    await inspect(page, `${path} with an error`);
  }
  await page.context().close();
}

// A token from its making to its end, without a script.
async function tokens(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await page.goto(`${setup.url}/admin/tokens`);
  await page.fill('#name', 'Roof <b>1</b>');
  await page.selectOption('#kind', 'api');
  await page.selectOption('#expires', '30');
  await submit(page, 'text=Make the token');
  const secret = (await text(page, '.once code')).trim();
  ok(/^tmk_[\w-]{32}$/.test(secret), 'a new token is shown');
  ok((await text(page, '.rows')).includes('Roof <b>1</b>'), 'and listed');
  await page.goto(`${setup.url}/admin/tokens`);
  ok(!(await page.content()).includes(secret), 'its secret is shown once');
  await submit(page, 'a:has-text("Roof")');
  await page.selectOption('#grace', '4');
  await submit(page, 'text=Make a new secret');
  ok((await text(page, '.once code')).trim() !== secret, 'a rotated one has another');
  ok((await text(page, '.facts')).includes('Former secret works until'), 'and the former works on');
  await page.fill('#name', 'Cellar');
  await submit(page, 'button:has-text("Save")');
  is(await text(page, 'h1'), 'Cellar', 'it is renamed');
  await submit(page, 'text=Revoke this token');
  ok((await text(page, '.notice')).includes('revoked'), 'it is revoked');
  ok(!(await text(page, 'main')).includes('Cellar'), 'and out of the list');
  await submit(page, 'text=Show ended ones too');
  ok((await text(page, '.rows')).includes('Cellar'), 'unless ended ones are asked for');
  await page.context().close();
}

// Inviting, joining, another role, a forgotten password, removal: with the keyboard alone where
// somebody types.
async function people(browser) {
  const admin = await enter(browser, setup.person);
  await admin.goto(`${setup.url}/admin/users`);
  await admin.focus('#email');
  await admin.keyboard.type('new@home.example');
  await admin.keyboard.press('Tab');
  await admin.keyboard.press('Tab');
  await Promise.all([admin.waitForNavigation(), admin.keyboard.press('Enter')]);
  const link = (await text(admin, '.once code')).trim();

  const guest = await open(browser);
  await guest.goto(link);
  is(await text(guest, 'h1'), 'Join Home & <Garden>', 'the link says where it leads');
  await guest.focus('#name');
  await guest.keyboard.type('Newman');
  await guest.keyboard.press('Tab');
  await guest.keyboard.type('a password to come in');
  await Promise.all([guest.waitForNavigation(), guest.keyboard.press('Enter')]);
  is(new URL(guest.url()).pathname, '/', 'the new person is in');
  ok((await text(guest, '.self')).includes('Newman'), 'by name');
  ok(!(await guest.isVisible('text=Administration')), 'and no admin');

  await admin.goto(`${setup.url}/admin/users`);
  ok(!(await text(admin, '[aria-labelledby=invites-title]')).includes('new@home.example'), 'the invitation is used');
  await submit(admin, 'a:has-text("Newman")');
  await admin.selectOption('#role', 'admin');
  await submit(admin, 'button:has-text("Save")');
  await guest.reload();
  ok(await guest.isVisible('text=Administration'), 'who is made an admin has the administration');
  await submit(admin, 'text=Make a password link');
  const reset = (await text(admin, '.once code')).trim();
  const other = await open(browser);
  await other.goto(reset);
  await other.fill('#password', 'another one to come in');
  await submit(other, 'text=Set the password');
  ok((await text(other, '.self')).includes('Newman'), 'a link sets the password');
  await guest.reload();
  is(new URL(guest.url()).pathname, '/login', 'and ends what was open');
  await submit(admin, 'text=People');
  await submit(admin, 'a:has-text("Newman")');
  await submit(admin, 'button:has-text("Remove Newman")');
  ok((await text(admin, '.notice')).includes('erased'), 'the member is removed');
  ok(!(await text(admin, 'main')).includes('Newman'), 'and gone');
  is(admin.complaints.concat(guest.complaints).length, 0, 'no errors, no violations of the policy');
  for (const page of [admin, guest, other]) await page.context().close();
}

// The switches: the menu opens by keyboard, closes by Escape where scripts run, works without.
async function switches(browser) {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open(browser, { javaScriptEnabled });
    const how = javaScriptEnabled ? '' : ' without scripts';
    await comeIn(page, setup.person);
    await page.goto(`${setup.url}/devices`);
    await page.focus('.self > summary');
    await page.keyboard.press('Enter');
    ok(await page.isVisible('.self-menu'), `the menu opens by keyboard${how}`);
    if (javaScriptEnabled) {
      await page.keyboard.press('Escape');
      ok(!(await page.isVisible('.self-menu')), 'Escape closes it');
      await page.click('.self > summary');
      await page.mouse.click(300, 700);
      ok(!(await page.isVisible('.self-menu')), 'and so does a click elsewhere');
      await page.click('.self > summary');
    }
    await submit(page, '.self-menu button:has-text("Dark")');
    is(await page.getAttribute('html', 'data-theme'), 'dark', `the theme is dark${how}`);
    is(new URL(page.url()).pathname, '/devices', `on the same page${how}`);
    if (javaScriptEnabled) await inspectAsIs(page, 'a dark page where the browser prefers light');
    await page.click('.self > summary');
    await submit(page, '.self-menu button:has-text("Second home")');
    ok((await text(page, '.self-name')).includes('Second home'), `another tenant is looked at${how}`);
    await page.click('.self > summary');
    await submit(page, '.self-menu button:has-text("Home &")');
    await page.click('.self > summary');
    await submit(page, '.self-menu button:has-text("Auto")');
    is(await page.getAttribute('html', 'data-theme'), null, `auto is the browser's${how}`);
    await page.context().close();
  }
}

main([looks, tokens, people, switches]);
