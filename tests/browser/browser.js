'use strict';
// A browser for the tests of pages, and the checks that hold for every page. Prints TAP.

const fs = require('fs');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const setup = JSON.parse(process.env.PAGES);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

let count = 0;
let failed = 0;

function ok(passed, name, why) {
  count += 1;
  console.log(`${passed ? 'ok' : 'not ok'} ${count} - ${name}`);
  if (!passed) {
    failed += 1;
    console.error(`#   Failed test '${name}'`);
    if (why !== undefined) console.error(`# ${JSON.stringify(why)}`);
  }
  return passed;
}

function is(got, expected, name) {
  return ok(got === expected, name, { got, expected });
}

// Every page is looked at in both: the colours of a scheme are the same at every width, what is
// beside what the same in every scheme. What the server sends is the same in both, so a page is turned
// from one to the other.
const ways = [['light', 1280], ['dark', 390]];

// Of axe's rules those that a scheme or a width can change the outcome of: how things look, and what
// depends on what is shown, as axe leaves out what a width hides, and names that hidden text gave are
// missing there. The others ask for structure, which is the same in every way: one is asked for them.
const rulesOfLooks = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size',
  'avoid-inline-spacing', 'css-orientation-lock',
  'link-name', 'button-name', 'label', 'aria-hidden-focus', 'empty-table-header'];

// Rows of a table are made by one loop of one template.
const alike = [['tbody tr:nth-child(n + 13)']];

// A window of its own, with its complaints (errors, violations of the policy) gathered.
async function open(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.setDefaultTimeout(20000);
  return page;
}

// By the form. What comes back is a session.
async function logIn(page, email, password) {
  await page.goto(`${setup.url}/login`);
  await page.fill('#email', email);
  await page.fill('#password', password);
  await page.click('button[type=submit]');
  await page.waitForLoadState();
}

const sessions = new Map();

// Logged in by the form the first time, then by that session's cookie. The window shows whatever
// it showed, or nothing yet.
async function comeIn(page, email) {
  if (!sessions.has(email)) {
    await logIn(page, email, setup.password);
    sessions.set(email, await page.context().cookies());
  }
  await page.context().addCookies(sessions.get(email));
}

// A window of a person who is logged in, with no page yet.
async function enter(browser, email, options) {
  const page = await open(browser, options);
  await comeIn(page, email);
  return page;
}

// Axe, which is on the page already where `rules` are given, finds nothing (by these rules; by all),
// and nothing is wider than the window.
async function inspectAsIs(page, name, rules) {
  if (!rules) await page.evaluate(axe);
  const found = await page.evaluate(async ([exclude, runOnly]) => {
    const result = await axe.run({ exclude }, { resultTypes: ['violations'], ...(runOnly ? { runOnly } : {}) });
    return result.violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' ')).slice(0, 3)]);
  }, [alike, rules]);
  ok(found.length === 0, `${name}: axe finds nothing`, found);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  ok(beyond <= 0, `${name}: nothing is wider than the window`, beyond);
}

// Light and wide by all rules, dark and narrow by those of looks; it is light and wide afterwards.
async function inspect(page, name) {
  let rules;
  for (const [colorScheme, width] of ways) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await inspectAsIs(page, `${name} (${colorScheme}, ${width} px)`, rules);
    rules = rulesOfLooks;
  }
  await page.emulateMedia({ colorScheme: ways[0][0] });
  await page.setViewportSize({ width: ways[0][1], height: 900 });
}

async function main(tests) {
  const browser = await chromium.launch({ executablePath: setup.chromium, args: flags });
  try {
    for (const test of tests) await test(browser);
  } catch (error) {
    ok(false, 'the tests came to their end', String(error && error.stack));
  }
  await browser.close();
  console.log(`1..${count}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

module.exports = { setup, ok, is, open, logIn, enter, comeIn, inspect, inspectAsIs, main };
