// Takes pictures of every page at three widths in both themes, to be looked at:
//   node shots.mjs [--out DIR] [--scene] [--small] [NAME …]      NAME picks pages: recommendation, run-failed, …
// It starts a console and fills it; with --scene it is filled by the demo scene instead, and the pages are those that it links to.
// With --small there are two pictures of each page, small files for docs/: a desktop in the light and a phone in the dark.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { awake, openPage, signedIn, themes, widths } from './lib/browser.mjs';
import { showcase, shown, unasked, visit } from './lib/showcase.mjs';
import { stage } from './lib/stage.mjs';
import { troubles } from './lib/troubles.mjs';
import { World } from './lib/world.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, scene: { type: 'boolean', default: false }, small: { type: 'boolean', default: false } },
});
const out = values.out ?? fileURLToPath(new URL('results', import.meta.url));

/** What --small takes, and how much of a long page, in pixels. */
const small = ['1440-light', '360-dark'];
const tallest = 2400;

const on = stage();
try {
  const [console_, browser] = await Promise.all([on.console({ args: values.scene ? ['--scene', 'demo'] : [] }), on.browser()]);
  await mkdir(out, { recursive: true });
  const usual = { url: console_.url, state: await signedIn(browser, console_.url) };
  for (const one of await all(usual)) {
    if (positionals.length && !positionals.includes(one.name)) continue;
    const page = await visit(browser, one, usual);
    await shoot(page, one.name);
    for (const fault of unasked(page, one)) remark(`${one.path}: ${fault}`);
    await page.context().close();
  }

  /** All that there is to be taken; of the demo scene the pages that it links to. */
  async function all(usual) {
    if (!values.scene) return [...(await showcase(await World.of(console_))), ...(await troubles(on, browser))];
    const page = await openPage(browser, usual.url, usual);
    return (await linked(page)).map(shown);
  }
} finally {
  await on.close();
}

/** Pictures of the page that is open. */
async function shoot(page, name) {
  if (await page.locator('#palette').count()) await awake(page);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    const wider = await page.evaluate(() => document.fonts.ready.then(() => document.documentElement.scrollWidth - window.innerWidth));
    if (wider > 0) remark(`${name} scrolls sideways by ${wider} px at ${width}`);
    for (const colorScheme of themes) {
      if (values.small && !small.includes(`${width}-${colorScheme}`)) continue;
      await page.emulateMedia({ colorScheme });
      if (values.small) await makeRoom(page, width);
      // As it is seen: what the page asked for because of its size has come and is on the screen.
      await page.waitForTimeout(250);
      const file = join(out, `${name}-${width}-${colorScheme}`);
      if (values.small) await writeFile(`${file}.webp`, await webp(page));
      else await page.screenshot({ path: `${file}.png`, fullPage: true });
    }
  }
}

/** A window in which the page needs no scrolling, so that bars lie at its end and what is loaded in sight is there. */
async function makeRoom(page, width) {
  // What is as high as a part of the window grows with it: the second time nothing does.
  for (let time = 0; time < 2; time += 1) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width, height: Math.min(Math.max(height, 900), tallest) });
  }
}

/** The window as WebP, which only Chromium's own protocol makes: a tenth of a PNG. */
async function webp(page) {
  const browser = await page.context().newCDPSession(page);
  const { data } = await browser.send('Page.captureScreenshot', { format: 'webp', quality: 70 });
  await browser.detach();
  return Buffer.from(data, 'base64');
}

/** The pages of the navigation, and the first recommendation, run and playbook that they link to. */
async function linked(page) {
  const found = ['/', '/incidents', '/approvals', '/runs', '/catalog', '/effectiveness', '/audit'].map((path) => [path.slice(1) || 'overview', path]);
  for (const [name, list, link] of [
    ['recommendation', '/approvals', '/recommendations/'],
    ['run', '/runs', '/runs/'],
    ['playbook', '/catalog', '/catalog/'],
  ]) {
    const first = page.locator(`main .rows a[href^="${link}"]`).first();
    for (let wait = 0; wait < 60 && !(await first.count()); wait += 1) {
      if (wait) await page.waitForTimeout(1000);
      await page.goto(list);
    }
    found.push([name, await first.getAttribute('href')]);
  }
  return found;
}

function remark(text) {
  console.error(text);
  process.exitCode = 1;
}
