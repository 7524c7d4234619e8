// What a page may weigh: everything that comes over the wire until it is interactive, fonts apart. A machine can hold this budget,
// so it is a test; what takes time is measured (make measure-…).
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

const on = stage();
let console_, browser, pages, state;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  pages = await showcase(await World.of(console_));
  state = await signedIn(browser, console_.url);
});
after(on.close);

test('no page weighs more than its budget, on the first visit', async (t) => {
  for (const [name, path] of pages) {
    const { total, document, program } = await weigh(path);
    await t.test(`${name}: ${Math.round(total / 1000)} kB, of these the page ${Math.round(document / 1000)} kB`, () => {
      assert.ok(document > 0 && program > 0 && total > document + program, `everything was weighed: ${total}, ${document}, ${program}`);
      assert.ok(total <= whole, `${total} bytes`);
      assert.ok(document <= itself, `${document} bytes`);
    });
  }
});

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
