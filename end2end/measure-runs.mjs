// When the first row of Runs is painted: `make measure-size`, or `node measure-runs.mjs NAME=DATABASE-URL …` on seeded databases.
// Each opening in a browser that has nothing cached, and again in one that has; the paint is the frame after the row stood there.
import { cpus } from 'node:os';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { binary } from './lib/console.mjs';
import { stage } from './lib/stage.mjs';

const rounds = 20;
const on = stage();
try {
  const browser = await on.browser();
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}, Chromium ${browser.version()}, headless, no graphics card`);
  for (const [name, url] of process.argv.slice(2).map((given) => given.split(/=(.*)/s))) {
    const console_ = await on.console({ env: { KUBERNAUT_DATABASE_URL: url } });
    const state = await signedIn(browser, console_.url);
    const [cold, warm, bytes] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      const page = await openPage(browser, console_.url, { state });
      const network = await page.context().newCDPSession(page);
      await network.send('Network.enable');
      let arrived = 0;
      const fonts = new Set();
      network.on('Network.responseReceived', ({ requestId, response }) => response.url.endsWith('.woff2') && fonts.add(requestId));
      network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => fonts.has(requestId) || (arrived += encodedDataLength));
      await page.addInitScript(noteFirstRow);
      for (const into of [cold, warm]) {
        await page.goto('/runs');
        await page.waitForFunction(() => window.firstRow);
        into.push(await page.evaluate(() => window.firstRow));
        if (into === cold) {
          await awake(page);
          bytes.push(arrived);
        }
      }
      await page.context().close();
    }
    console.log(`${name}: first row painted ${told(cold)} with nothing cached, ${told(warm)} again; ${(median(bytes) / 1000).toFixed(0)} kB over the wire, fonts apart`);
    await console_.stop();
  }
} finally {
  await on.close();
}

/** Runs in the page: milliseconds from the navigation's start to the frame that shows the first row. */
function noteFirstRow() {
  const seen = new MutationObserver(() => {
    if (!document.querySelector('main .rows > li')) return;
    seen.disconnect();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (window.firstRow = performance.now());
      port2.postMessage(0);
    });
  });
  seen.observe(document, { subtree: true, childList: true });
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function told(numbers) {
  return `p50 ${median(numbers).toFixed(0)} ms, slowest ${Math.max(...numbers).toFixed(0)} ms`;
}
