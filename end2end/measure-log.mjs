// How a log of 200,000 lines scrolls: `make measure-log`. A run of the sandbox writes it, Chromium scrolls through it as a hand on
// a wheel would and as a hand on the scroll bar, and counts the frames. Lines that were not there when they came into sight are counted.
import { cpus } from 'node:os';
import { openPage, signIn } from './lib/browser.mjs';
import { chatty, talk } from './lib/chatty.mjs';
import { binary } from './lib/console.mjs';
import { scroll } from './lib/scroll.mjs';
import { stage } from './lib/stage.mjs';
import { World } from './lib/world.mjs';

const lines = Number(process.argv[2] ?? 200_000);
const on = stage();
try {
  const [console_, browser] = await Promise.all([on.console(), on.browser()]);
  const world = await World.of(console_);
  await world.register(chatty);
  const id = await talk(world, 'inc-1', lines);
  const began = performance.now();
  for (;;) {
    const { state } = await world.execution(id);
    if (!['pending', 'running'].includes(state)) break;
    await new Promise((done) => setTimeout(done, 500));
  }
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await page.goto(`/runs/${id}`);
  const box = page.locator('.log-box');
  await page.waitForFunction(() => document.querySelectorAll('.log-box .chunk').length > 3, null, { timeout: 30_000 });
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}, Chromium ${browser.version()}, headless, no graphics card`);
  console.log(`log: ${await box.getAttribute('data-last')} lines, written and archived in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  for (const [what, perFrame] of [['reading, 5 lines a frame', 120], ['skimming, a page a frame', 560], ['dragging the bar, 1/300 a frame', null]]) {
    const { frames, seconds, long, worst, blank } = await box.evaluate(scroll, perFrame);
    console.log(`${what}: ${(frames / seconds).toFixed(1)} frames a second, ${long} of ${frames} longer than 25 ms, longest ${worst.toFixed(0)} ms, nothing to read yet in ${blank}`);
  }
  const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize / 1e6);
  console.log(`elements on the page: ${await page.locator('*').count()}, JavaScript heap ${heap?.toFixed(1)} MB`);
} finally {
  await on.close();
}
