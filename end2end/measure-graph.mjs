// How a run of 1,000 tasks answers: `make measure-graph`. Interaction to next paint (the browser's own event timing) of selecting,
// zooming, panning and searching with every box drawn, and the page's size and time to be interactive, folded and whole.
import { cpus } from 'node:os';
import { openPage, signIn } from './lib/browser.mjs';
import { binary } from './lib/console.mjs';
import { steps } from './lib/graphs.mjs';
import { stage } from './lib/stage.mjs';
import { World } from './lib/world.mjs';

const on = stage();
try {
  const [console_, browser] = await Promise.all([on.console(), on.browser()]);
  const world = await World.of(console_);
  const id = await world.approve(await world.propose(steps(1000, 40, 1800)));
  await world.cancel(id);
  await world.until(id, 'cancelled');
  const page = await openPage(browser, console_.url);
  await signIn(page);
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}, Chromium ${browser.version()}, headless, no graphics card`);
  for (const [what, query] of [['folded', ''], ['every box drawn', '?unfold=all']]) {
    await page.goto(`/runs/${id}${query}`);
    await page.locator('html[data-alive]').waitFor();
    const [boxes, { size, ms }] = [await page.locator('.dag .node').count(), await page.evaluate(loaded)];
    console.log(`${what}: ${boxes} boxes, document ${(size / 1000).toFixed(0)} kB over the wire, interactive after ${ms.toFixed(0)} ms`);
  }
  await page.evaluate(() => {
    window.seen = [];
    new PerformanceObserver((list) => window.seen.push(...list.getEntries().map((e) => [e.name, e.duration, e.interactionId]))).observe({ type: 'event', durationThreshold: 16, buffered: false });
  });
  const acts = {
    'select a task': async (n) => page.locator('.dag .node').nth(n % 12).click(),
    'move by key': async () => page.keyboard.press(['j', 'l', 'k', 'h'][Math.floor(Math.random() * 4)]),
    zoom: async (n) => page.locator(`a[data-zoom="${n % 4 < 2 ? '-' : '+'}"]`).click(),
    'search, a letter': async (n) => page.locator('.dag-seek input[type=search]').press('task-0123'[n % 9]),
  };
  for (const [what, act] of Object.entries(acts)) {
    await page.evaluate(() => (window.seen.length = 0));
    for (let n = 0; n < 16; n += 1) {
      await act(n);
      await page.waitForTimeout(900);
    }
    const all = (await page.evaluate(() => window.seen)).filter(([, , id]) => id).map(([, ms]) => ms).sort((a, b) => a - b);
    const worst = all.at(-1) ?? 16;
    console.log(`${what}: interaction to next paint p50 ${all[all.length >> 1] ?? '≤ 16'} ms, longest ${worst} ms`);
  }
  const frame = await page.locator('.dag').boundingBox();
  await page.goto(`/runs/${id}?unfold=all`);
  await page.locator('html[data-alive]').waitFor();
  await page.evaluate(() => {
    window.frames = [];
    const tick = (now) => (window.frames.push(now), requestAnimationFrame(tick));
    requestAnimationFrame(tick);
  });
  await page.mouse.move(frame.x + 600, frame.y + 300);
  await page.mouse.down();
  for (let n = 0; n < 60; n += 1) await page.mouse.move(frame.x + 600 - n * 8, frame.y + 300 - n * 2);
  await page.mouse.up();
  const times = await page.evaluate(() => window.frames.slice(1).map((now, at) => now - window.frames[at]));
  console.log(`drag: ${times.length} frames, longest ${Math.max(...times).toFixed(0)} ms`);
} finally {
  await on.close();
}

function loaded() {
  const [navigation] = performance.getEntriesByType('navigation');
  return { size: navigation.transferSize, ms: performance.now() };
}
