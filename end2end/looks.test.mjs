// The main pages for who does not look at them as their makers do: who presses with a thumb, whose system chooses the colours, who
// reads while a page still loads. What every page looks like at every width is in pages.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { awake, openPage, signIn, themes } from './lib/browser.mjs';
import { seen } from './lib/keyboard.mjs';
import { invisible, tooSmall, watchShifts } from './lib/looks.mjs';
import { showcase } from './lib/showcase.mjs';
import { stage } from './lib/stage.mjs';
import { until, World } from './lib/world.mjs';

/** One of each kind. */
const main = [
  'overview', 'approvals', 'review', 'recommendation-risky', 'runs', 'run', 'run-failed', 'run-long-log', 'catalog', 'playbook',
  'register', 'effectiveness', 'audit', 'settings', 'settings-tokens', 'search-found', 'run-large',
];
/** Those that say something by colours. */
const coloured = ['overview', 'approvals', 'review', 'recommendation-risky', 'runs', 'run-failed', 'run-large', 'effectiveness', 'settings-tokens'];

const on = stage();
let console_, browser, pages, state;
/** What goes on folds and grows, as it should: what moves while a page loads is told from that when it is over. */
let large;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  const page = await openPage(browser, console_.url);
  await signIn(page);
  state = await page.context().storageState();
  await page.context().close();
  const world = await World.of(console_);
  pages = new Map((await showcase(world)).map(({ name, path }) => [name, path]));
  const id = pages.get('run-large').split('/').at(-1);
  large = until('the large run to end', async () => (await world.execution(id)).state === 'succeeded', 180);
});
after(on.close);

/** Opens each of these pages, two at a time; `check` answers what is wrong with it. */
async function each(t, names, options, check) {
  const context = (await openPage(browser, console_.url, { state, ...options })).context();
  await context.addInitScript(watchShifts);
  // On a slow way the typefaces come when the page is being read.
  await context.route('**/*.woff2', async (route) => {
    await wait(LATE);
    await route.continue();
  });
  const looked = names.map((name) =>
    t.test(name, async () => {
      if (name === 'run-large') await large;
      const page = await context.newPage();
      const typefaces = ['inter', 'jetbrains-mono'].map((name) => page.waitForResponse(`**/${name}.woff2`));
      await page.goto(pages.get(name), { waitUntil: 'domcontentloaded' });
      await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
      await Promise.all(typefaces);
      await page.evaluate(() => document.fonts.ready);
      await awake(page);
      const found = await check(page);
      assert.equal(found.length, 0, `${pages.get(name)}:\n${found.join('\n')}`);
      await page.close();
    }),
  );
  await Promise.all(looked);
  await context.close();
}

/** Milliseconds until a typeface comes. */
const LATE = 700;
/** So much is one word that ticks and is a hair wider for it. */
const HAIR = 0.0005;

/** What has moved since the page began. */
async function moved(page) {
  const shifts = await page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    return window.shifts;
  });
  return shifts.filter(({ value }) => value > HAIR).map(({ value, names }) => `moved by ${value.toFixed(5)}: ${names}`);
}

test('by a pointer: nothing moves while a page loads, and what is pressed is at least 24 pixels large', { concurrency: 2 }, (t) =>
  each(t, main, {}, async (page) => [...(await moved(page)), ...(await page.evaluate(tooSmall, 24))]),
);

test('by a thumb: nothing moves while a page loads, and what one acts with is at least 44 pixels large', { concurrency: 2 }, (t) =>
  each(t, main, { width: 360, touch: true }, async (page) => [...(await moved(page)), ...(await page.evaluate(tooSmall, 44))]),
);

test("in the system's own colours states and focus are still seen", { concurrency: 2 }, (t) =>
  each(t, coloured, {}, async (page) => {
    await page.emulateMedia({ forcedColors: 'active' });
    const found = [];
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await page.evaluate(invisible)).map((icon) => `${colorScheme}: ${icon}`));
    }
    for (let stop = 0; stop < 30; stop += 1) {
      await page.keyboard.press('Tab');
      const wrong = await page.evaluate(seen);
      if (wrong) found.push(`at ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 90))}: ${wrong}`);
    }
    // The contrast of texts is the system's then, and axe goes by the page's own colours.
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().disableRules('color-contrast').analyze();
    return [...found, ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`)];
  }),
);
