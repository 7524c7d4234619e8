// Every page, at three widths and in both themes: accessible by axe without exceptions, nothing wider than the screen (nor than one
// that is zoomed), nothing on the browser's console, nothing that the Content-Security-Policy had to stop. Empty places and forms
// that came back, too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { openPage, signIn, themes, widths } from './lib/browser.mjs';
import { showcase } from './lib/showcase.mjs';
import { stage } from './lib/stage.mjs';
import { World } from './lib/world.mjs';

/** A screen of 1440 × 900 at 200 %, and one of 1280 at 400 % (WCAG 1.4.10). */
const zoomed = [{ width: 720, height: 450 }, { width: 320, height: 900 }];

const on = stage();
let console_, bare, browser, filled, state;
before(async () => {
  [console_, bare, browser] = await Promise.all([on.console(), on.console(), on.browser()]);
  // Its runs take their time; meanwhile there is something else to look at.
  filled = World.of(console_).then(showcase);
  filled.catch(() => {});
});
after(on.close);

test('signing in, and being refused', async () => {
  const page = await openPage(browser, console_.url);
  await page.goto('/login');
  await look(page, '/login');
  await page.fill('[name=username]', 'admin');
  await page.fill('[name=password]', 'wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await look(page, '/login, refused', 401);
  await signIn(page);
  state = await page.context().storageState();
  await page.context().close();
});

test('empty places offer the next step', async () => {
  const page = await openPage(browser, bare.url);
  await signIn(page);
  for (const path of ['/', '/approvals', '/runs', '/catalog', '/effectiveness']) {
    assert.equal((await page.goto(path)).status(), 200);
    assert.ok((await page.locator('main .empty a').count()) > 0, path);
    await look(page, `empty ${path}`);
  }
  await page.context().close();
});

test('every page with something on it', { concurrency: 2 }, async (t) => {
  const looked = (await filled).map(([name, path, status = 200]) =>
    t.test(name, async () => {
      const page = await openPage(browser, console_.url, { state });
      assert.equal((await page.goto(path)).status(), status);
      await look(page, path, status);
      await page.context().close();
    }),
  );
  await Promise.all(looked);
});

test('forms that came back', { concurrency: 2 }, async (t) => {
  const open = new Map(await filled).get('recommendation');
  const sent = {
    'a rejection without a reason': async (page) => {
      await page.goto(open);
      await page.getByRole('button', { name: 'Reject' }).click();
      await page.locator('#f-reason-error').waitFor();
    },
    'a parameter with a bad value': async (page) => {
      await page.goto(open);
      await page.getByText('Edit parameters').click();
      await page.fill('[name="p.TARGET_RESOURCE_NAME"]', '$(x)');
      await page.getByRole('button', { name: 'Make a new ticket' }).click();
      await page.locator('#f-p-TARGET_RESOURCE_NAME-error').waitFor();
    },
    'an empty registration': async (page) => {
      await page.goto('/catalog/new');
      await page.getByRole('button', { name: 'Register' }).click();
      await page.getByRole('alert').waitFor();
    },
  };
  const looked = Object.entries(sent).map(([name, send]) =>
    t.test(name, async () => {
      const page = await openPage(browser, console_.url, { state });
      await send(page);
      await look(page, name, 422);
      await page.context().close();
    }),
  );
  await Promise.all(looked);
});

test('what opens above a page', { concurrency: 2 }, async (t) => {
  await filled;
  const awake = async (page) => {
    await page.goto('/runs');
    await page.locator('#keys-help[data-alive]').waitFor({ state: 'attached' });
  };
  const open = {
    'the palette with what waits': async (page) => {
      await awake(page);
      await page.locator('[data-palette]').click();
      await page.locator('#palette-hits [role=option]').first().waitFor();
    },
    'the palette with nothing found': async (page) => {
      await awake(page);
      await page.keyboard.press('Control+k');
      await page.keyboard.type('nothing like this');
      await page.locator('#palette-none').waitFor();
    },
    'the list of keys': async (page) => {
      await awake(page);
      await page.keyboard.press('?');
      await page.locator('#keys-help kbd').first().waitFor();
    },
    'a secret that is shown once': async (page, n) => {
      await page.goto('/settings/tokens');
      await page.fill('#new [name=name]', `shown-${n}`);
      await page.check('[name="role.viewer"]');
      await page.getByRole('button', { name: 'Make the token' }).click();
      await page.locator('.once').waitFor();
    },
  };
  const status = { 'a secret that is shown once': 201 };
  const looked = Object.entries(open).map(([name, act], n) =>
    t.test(name, async () => {
      const page = await openPage(browser, console_.url, { state });
      await act(page, n);
      await look(page, name, status[name]);
      await page.context().close();
    }),
  );
  await Promise.all(looked);
});

/** Looks at the page that is open, at every width in both themes, everything unfolded. `status` is what it was answered with. */
async function look(page, what, status = 200) {
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
  // The browser notes an answer of 4xx; the one that was asked for is no fault.
  const asked = (fault) => status >= 400 && fault.includes(`the server responded with a status of ${status}`);
  found.push(...page.faults.splice(0).filter((fault) => !asked(fault)));
  assert.equal(found.length, 0, `${what}:\n${found.join('\n')}`);
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
