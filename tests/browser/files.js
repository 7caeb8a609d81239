'use strict';
// The pages of files and of the archive: sending several at once with odd names, previews, fetching,
// deleting, bringing a day back; with and without scripts. Run by admin_devices.js, on its stack.

const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');
const { setup, ok, is, enter, inspect } = require('./browser.js');

const text = async (page, selector) => (await page.textContent(selector)).replace(/\s+/g, ' ').trim();
const press = async (page, name) => (await Promise.all([page.waitForNavigation(),
  page.getByRole('button', { name, exact: true }).click()]))[0];

// ---- pictures ----

// A chunk of a PNG (ISO/IEC 15948): length, type, data, and the CRC-32 of the last two.
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  let crc = 0xffffffff;
  for (const byte of body) {
    crc ^= byte;
    for (let i = 0; i < 8; i += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const size = Buffer.alloc(4);
  const sum = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([size, body, sum]);
}

function picture(width, height, colour) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), ...Array(width).fill(Buffer.from(colour))]);
  const bytes = zlib.deflateSync(Buffer.concat(Array(height).fill(row)));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', bytes), chunk('IEND', Buffer.alloc(0))]);
}

const sent = [
  { name: 'Zähler im Keller 1.png', mimeType: 'image/png', buffer: picture(64, 48, [30, 120, 200]) },
  { name: 'a "quoted" & <b>bold; \'name\'.txt', mimeType: 'text/plain', buffer: Buffer.from('100 %\n') },
  { name: `計測器 ${'very-long-name-'.repeat(9)}.bin`, mimeType: 'application/x-thing', buffer: crypto.randomBytes(6 << 20) },
  { name: '100%25 empty.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) },
];

const names = (page) => page.$$eval('.uploads tbody th a bdi', (all) => all.map((one) => one.textContent));

// ---- files ----

async function testNone(browser) {
  const page = await enter(browser, setup.other);
  for (const [path, title] of [['/uploads', 'Files'], ['/archives', 'Archive']]) {
    await page.goto(setup.url + path);
    is(await text(page, 'h1'), title, `${title} of a tenant that has none`);
    ok(await page.isVisible('.none-yet'), '  say so');
    await inspect(page, `${title}, none`);
  }
  await page.context().close();
}

async function testSending(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/uploads`);
  await page.evaluate(() => {
    const state = document.getElementById('upload-progress');
    new MutationObserver(() => {
      const bar = state.querySelector('progress');
      sessionStorage.said = `${sessionStorage.said || ''}${state.firstChild.textContent.trim()}|${bar ? bar.value / bar.max : ''}\n`;
    }).observe(state, { childList: true });
  });
  await page.fill('#upload-device', 'odd/<b>key</b>');
  await page.setInputFiles('#upload-file', sent);
  await press(page, 'Send');
  await page.waitForSelector('[role=status]:not([hidden])');
  is(new URL(page.url()).pathname, '/uploads', 'files were sent, and the list is shown again');
  const said = (await page.evaluate(() => sessionStorage.said)).trim().split('\n');
  is(said[0], 'Sending …|', 'while they are sent the page says so');
  ok(said.slice(1).every((one) => /^(\d+ % sent|Sent; being stored …)\|[01]/.test(one)), '  and how much is', said);
  ok(said[said.length - 1].startsWith('Sent; being stored …|1'), '  up to the end', said);
  const listed = await names(page);
  is(JSON.stringify([...listed].sort()), JSON.stringify(sent.map((file) => file.name).sort()), 'each has its name');
  is(await page.locator('.uploads tbody a[href="/devices/odd%2F%3Cb%3Ekey%3C%2Fb%3E"]').count(), sent.length, '  and its device');
  for (const file of sent) {
    const link = page.locator('.uploads tbody th a').nth(listed.indexOf(file.name));
    const [download] = await Promise.all([page.waitForEvent('download'), link.evaluate((a) => { a.download = ''; a.click(); })]);
    const got = fs.readFileSync(await download.path());
    ok(got.equals(file.buffer), `what was sent is fetched: ${file.name}`, got.length);
  }
  const shown = await page.$$eval('.upload-preview', (all) => all.map((one) => [one.complete, one.naturalWidth, one.naturalHeight]));
  is(JSON.stringify(shown), '[[true,64,48]]', 'pictures have previews');
  await inspect(page, 'Files');
  await page.context().close();
}

async function testRefused(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/uploads`);
  await page.fill('#upload-device', 'no such device');
  await page.setInputFiles('#upload-file', sent.slice(0, 1));
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.waitForSelector('#upload-progress.bad');
  is(await text(page, '#upload-progress'), 'device: the tenant has none of this key', 'what is refused is told');
  is(await page.inputValue('#upload-device'), 'no such device', '  and what was filled in stays');
  ok(await page.isEnabled('button:text-is("Send")'), '  to be sent again');
  await inspect(page, 'Files, refused');
  await page.goto(`${setup.url}/uploads`);
  await page.setInputFiles('#upload-file', sent.slice(0, 1));
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.waitForSelector('#upload-progress.bad');
  ok((await text(page, '#upload-progress')).startsWith('You were logged out; nothing was stored.'), 'who was logged out meanwhile is told so');
  is(new URL(page.url()).search, '', '  and not that the files are stored');
  await page.context().close();
}

// Sending and deleting without scripts; `sent` is there.
async function testPlainFiles(browser) {
  const page = await enter(browser, setup.person, { javaScriptEnabled: false });
  await page.goto(`${setup.url}/uploads`);
  await page.setInputFiles('#upload-file', [{ ...sent[1], name: 'plain "1".txt' }, sent[0]]);
  await press(page, 'Send');
  is(await text(page, '[role=status]'), 'The files are stored.', 'without scripts, too, one is told');
  ok((await names(page)).includes('plain "1".txt'), '  and the files are there');
  await press(page, 'Delete plain "1".txt');
  is(await text(page, '[role=status]'), 'The file is deleted.', 'a file is deleted');
  ok(!(await names(page)).includes('plain "1".txt'), '  and gone');
  await page.context().close();
}

async function testViewer(browser) {
  const page = await enter(browser, setup.viewer);
  for (const path of ['/uploads', '/archives']) {
    await page.goto(setup.url + path);
    ok(await page.locator('tbody tr').count() > 0, `a viewer sees ${path}`);
    is(await page.locator('main form[method=post]').count(), 0, '  and changes nothing');
  }
  await page.context().close();
}

async function testArchives(browser) {
  const page = await enter(browser, setup.person);
  await page.goto(`${setup.url}/uploads`);
  await Promise.all([page.waitForNavigation(), page.click('text=The archive of finished days')]);
  is(new URL(page.url()).pathname, '/archives', 'the page of files leads to the archive');
  await inspect(page, 'Archive');
  const places = await page.$$eval('.archives .state', (all) => all.map((one) => one.textContent));
  is(places.join(), 'In the database,Archive alone', 'it says where each day is');
  const days = await page.$$eval('.archives th a', (all) => all.map((one) => one.firstChild.textContent));
  await page.fill('#from', days[1]);
  await press(page, 'Filter');
  is(await text(page, '.card-head button'), 'Restore 1 day', 'of days that are chosen those that are not there may be brought back at once');
  await inspect(page, 'Archive, of chosen days');
  await page.goto(`${setup.url}/archives`);
  await press(page, `Restore ${days[1]}`);
  ok((await text(page, '[role=status]')).startsWith('The day will be brought back'), 'a day is brought back');
  is(await page.locator('tbody form[action$=restore]').count(), 0, '  and not asked for again');
  await press(page, `Verify ${days[0]}, samples`);
  ok((await text(page, '[role=status]')).startsWith('The file will be read'), 'a file is verified');
  await inspect(page, 'Archive, a day wanted back and a file to be verified');
  const until = Date.now() + 30000;
  while (await text(page, 'tr:nth-child(2) .state') !== 'Restored' && Date.now() < until) {
    await page.waitForTimeout(200);
    await page.reload();
  }
  is(await text(page, 'tr:nth-child(2) .state'), 'Restored', 'the day is there then');
  while (await text(page, 'tr:nth-child(1) [data-label=Verified] .state') === 'Being verified' && Date.now() < until) {
    await page.waitForTimeout(200);
    await page.reload();
  }
  is(await text(page, 'tr:nth-child(1) [data-label=Verified] .state'), 'Sound', 'the file is sound');
  await inspect(page, 'Archive, a file that was verified');
  await page.context().close();
}

module.exports = [testNone, testSending, testRefused, testPlainFiles, testArchives, testViewer];
