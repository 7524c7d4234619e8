// What a page may weigh: everything that comes over the wire until it is interactive, fonts apart; and how often it may ask the
// database. A machine can hold these budgets, so they are tests; what takes time is measured (make measure-…).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, signedIn } from './lib/browser.mjs';
import { showcase } from './lib/showcase.mjs';
import { stage } from './lib/stage.mjs';
import { until, World } from './lib/world.mjs';

/** Bytes as they are sent, compressed. */
const whole = 200_000;
/** Of the page itself: what grows with its data. */
const itself = 60_000;
/** Statements of one showing: who asks, what the frame tells, the page itself. */
const statements = 24;
/** What is decided together is read one by one, each as on its own page. */
const statementsOf = { review: 7 * 9 };
/** Whether a run can be undone or repeated is told from its recommendation, its ticket, its playbook, and what was made of it before. */
const statementsOfRun = 36;
const mostOf = (name) => statementsOf[name] ?? (/^run(-|$)/.test(name) ? statementsOfRun : statements);

const on = stage();
let console_, browser, pages, state;
const telling = { env: { RUST_LOG: 'warn,sqlx::query=debug' } };
before(async () => {
  [console_, browser] = await Promise.all([on.console(telling), on.browser()]);
  // What is done on a page is not part of its first showing.
  pages = (await showcase(await World.of(console_))).filter(({ act }) => !act);
  state = await signedIn(browser, console_.url);
});
after(on.close);

test('no page weighs more than its budget, on the first visit', async (t) => {
  for (const { name, path } of pages) {
    const { total, document, program } = await weigh(path);
    await t.test(`${name}: ${Math.round(total / 1000)} kB, of these the page ${Math.round(document / 1000)} kB`, () => {
      assert.ok(document > 0 && program > 0 && total > document + program, `everything was weighed: ${total}, ${document}, ${program}`);
      assert.ok(total <= whole, `${total} bytes`);
      assert.ok(document <= itself, `${document} bytes`);
    });
  }
});

test('no page asks the database oftener than its budget', async (t) => {
  for (const { name, path } of pages) {
    const asked = await askedBy(console_, path, state);
    await t.test(`${name}: ${asked} statements`, () => assert.ok(asked > 0 && asked <= mostOf(name), `${asked} statements`));
  }
});

test('a page asks as often with ninety days of history as with a few rows', async (t) => {
  const old = await on.console({ ...telling, args: ['--scene', 'demo'] });
  const theirs = await signedIn(browser, old.url);
  for (const path of ['/', '/approvals?state=any', '/approvals?state=decided', '/runs', '/catalog', '/findings', '/effectiveness', '/effectiveness/patterns', '/audit', '/search?q=oomkill']) {
    const [few, many] = [await askedBy(console_, path, state), await askedBy(old, path, theirs)];
    await t.test(`${path}: ${few} and ${many}`, () => assert.ok(many > 0 && many <= few + 1, `${few} with a few rows, ${many} with many`));
  }
});

/**
 * How many statements one showing of a page takes. The console looks after deadlines and news by itself now and then: the least of several
 * showings is the page's own.
 */
async function askedBy(console_, path, { cookies }) {
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '), accept: 'text/html' };
  const told = () => console_.output().split('"target":"sqlx::query"').length;
  const each = [];
  for (let showing = 0; showing < 15; showing += 1) {
    const before = told();
    await (await fetch(console_.url + path, { headers })).text();
    await new Promise((done) => setTimeout(done, 60)); // for the log's last lines to arrive
    each.push(told() - before);
    const least = Math.min(...each);
    if (each.filter((asked) => asked === least).length === 3) break;
  }
  return Math.min(...each);
}

/**
 * Opens a page with nothing in the cache; resolves to the bytes of all answers but fonts, and of these of the page's own and of
 * the program's. The program's arrival is the last thing that the page waits for.
 */
async function weigh(path) {
  const page = await openPage(browser, console_.url, { state });
  const network = await page.context().newCDPSession(page);
  const bytes = { total: 0, document: 0, program: 0 };
  const coming = new Map();
  network.on('Network.requestWillBeSent', ({ requestId, type, request }) => {
    // What the program asks for in its turn is not awaited; a stream would never end.
    if (!bytes.program) coming.set(requestId, request.url.endsWith('.wasm') ? 'Program' : type);
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = coming.get(requestId);
    if (!coming.delete(requestId) || kind === 'Font') return;
    bytes.total += encodedDataLength;
    if (kind === 'Document') bytes.document += encodedDataLength;
    if (kind === 'Program') bytes.program += encodedDataLength;
  });
  await network.send('Network.enable');
  await page.goto(path, { waitUntil: 'load' });
  await until(`all of ${path} to have come`, () => bytes.program > 0 && coming.size === 0);
  await page.context().close();
  return bytes;
}
