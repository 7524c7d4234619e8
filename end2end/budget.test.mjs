// What a page may weigh: everything that comes over the wire until it is interactive, fonts apart. A machine can hold this budget,
// so it is a test; what takes time is measured (make measure-…).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, signIn } from './lib/browser.mjs';
import { showcase } from './lib/showcase.mjs';
import { stage } from './lib/stage.mjs';
import { World } from './lib/world.mjs';

/** Bytes as they are sent, compressed. */
const whole = 200_000;
/** Of the page itself: what grows with its data. */
const itself = 60_000;

const on = stage();
let console_, browser, pages, state;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  pages = await showcase(await World.of(console_));
  const page = await openPage(browser, console_.url);
  await signIn(page);
  state = await page.context().storageState();
  await page.context().close();
});
after(on.close);

test('no page weighs more than its budget, on the first visit', async (t) => {
  for (const [name, path] of pages) {
    const { total, document } = await weigh(path);
    await t.test(`${name}: ${Math.round(total / 1000)} kB, of these the page ${Math.round(document / 1000)} kB`, () => {
      assert.ok(total > document && document > 0, 'something was weighed');
      assert.ok(total <= whole, `${total} bytes`);
      assert.ok(document <= itself, `${document} bytes`);
    });
  }
});

/** Opens a page with nothing in the cache; resolves to the bytes of all answers but fonts, and of the page's own. */
async function weigh(path) {
  const page = await openPage(browser, console_.url, { state });
  const network = await page.context().newCDPSession(page);
  const kinds = new Map();
  const bytes = { total: 0, document: 0 };
  network.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId);
    if (kind === 'Font') return;
    bytes.total += encodedDataLength;
    if (kind === 'Document') bytes.document += encodedDataLength;
  });
  await network.send('Network.enable');
  await page.goto(path, { waitUntil: 'load' });
  // The program's arrival is the last thing that the page waits for.
  await page.waitForFunction(() => performance.getEntriesByType('resource').some(({ name, responseEnd }) => name.endsWith('.wasm') && responseEnd > 0));
  await page.context().close();
  return bytes;
}
