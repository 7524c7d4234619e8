// Every page, at three widths and in both themes: accessible by axe without exceptions, nothing wider than the screen (nor than one
// that is zoomed), nothing on the browser's console, nothing that the Content-Security-Policy had to stop. Empty places, refusals,
// forms that came back and what opens above a page, too: all that lib/showcase.mjs and lib/troubles.mjs list.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { signedIn, themes, widths } from './lib/browser.mjs';
import { showcase, unasked, visit } from './lib/showcase.mjs';
import { stage } from './lib/stage.mjs';
import { troubles } from './lib/troubles.mjs';
import { World } from './lib/world.mjs';

/** A screen of 1440 × 900 at 200 %, and one of 1280 at 400 % (WCAG 1.4.10). */
const zoomed = [{ width: 720, height: 450 }, { width: 320, height: 900 }];

const on = stage();
let browser, usual, filled, troubled;
before(async () => {
  const console_ = await on.console();
  browser = await on.browser();
  // What leads to trouble takes its time, and so do runs; meanwhile there is something else to look at.
  filled = World.of(console_).then(showcase);
  usual = { url: console_.url, state: await signedIn(browser, console_.url) };
  troubled = filled.then(() => troubles(on, browser));
  for (const coming of [filled, troubled]) coming.catch(() => {});
});
after(on.close);

for (const [what, pages] of [['every page with something on it', () => filled], ['pages of trouble, and of nothing', () => troubled]]) {
  test(what, { concurrency: 2 }, async (t) => {
    const looked = (await pages()).map((shown) =>
      t.test(shown.name, async () => {
        const page = await visit(browser, shown, usual);
        await look(page, shown);
        await page.context().close();
      }),
    );
    await Promise.all(looked);
  });
}

/** Looks at the page that is open, at every width in both themes, everything unfolded. */
async function look(page, shown) {
  const found = [];
  const measure = async (how) => {
    for (const size of [...widths.map((width) => ({ width, height: 900 })), ...zoomed]) {
      await page.setViewportSize(size);
      const wide = await tooWide(page);
      if (wide) found.push(`at ${size.width}${how}: wider than the screen: ${wide}`);
    }
  };
  await measure('');
  // A dozen of what is folded: in long lists one row is like the other.
  await page.evaluate(() => [...document.querySelectorAll('details')].slice(0, 12).forEach((folded) => (folded.open = true)));
  await measure(', unfolded');
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page }).setLegacyMode();
      // All that a theme changes is colours.
      if (colorScheme !== themes[0]) axe.withRules('color-contrast');
      const { violations } = await axe.analyze();
      found.push(...violations.map((violation) => `at ${width}, ${colorScheme}: ${told(violation)}`));
    }
  }
  found.push(...unasked(page, shown));
  assert.equal(found.length, 0, `${shown.path}:\n${found.join('\n')}`);
}

/** What makes the page scroll sideways; nothing when it does not. */
function tooWide(page) {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= window.innerWidth) return '';
    const wide = [...document.body.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1);
    const names = wide.slice(0, 4).map((element) => `${element.nodeName}.${element.className}`);
    return `${document.documentElement.scrollWidth} px, ${names.join(', ')}`;
  });
}

/** A finding of axe in words: the rule, and each element with what is wrong. */
function told({ id, help, nodes }) {
  const each = nodes.map(({ target, html, any, all, none }) => {
    const why = [...any, ...all, ...none].map((check) => check.message).join('; ');
    return `    ${target}: ${html.slice(0, 160)}\n      ${why}`;
  });
  return [`${id}: ${help}`, ...each].join('\n');
}
