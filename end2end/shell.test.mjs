// The frame around every page by keyboard alone: the palette, the keys, the dialogs; and what of it is there without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, noteAnswers } from './lib/answers.mjs';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world, state, first, second;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
  first = await world.recommend('inc-3001');
  second = await world.recommend('inc-3002', { analysis_summary: 'The checkout service leaks memory.' });
  state = await signedIn(browser, console_.url);
});
after(on.close);

/** A page at `path` whose islands have come alive. */
async function at(path, options = {}) {
  const page = await openPage(browser, console_.url, { state, ...options });
  if (options.javascript !== false) await noteAnswers(page);
  await page.goto(path);
  if (options.javascript !== false) await awake(page);
  return page;
}
const path = (page) => new URL(page.url()).pathname + new URL(page.url()).search + new URL(page.url()).hash;
const focused = (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute('href') || document.activeElement?.nodeName);
const arrives = (page, where) => page.waitForURL((url) => url.pathname + url.search + url.hash === where);
const done = async (page) => {
  assert.deepEqual(page.faults, []);
  await page.context().close();
};

test('the palette opens by Ctrl K, finds while one types, is walked by arrows and left by Enter or Escape', async () => {
  const page = await at('/runs');
  await page.keyboard.press('Tab');
  const before = await focused(page);
  await page.keyboard.press('Control+k');
  const palette = page.locator('#palette');
  await palette.waitFor();
  assert.equal(await focused(page), 'palette-q');
  const options = palette.getByRole('option');
  await options.first().waitFor();
  assert.equal(await palette.locator('[aria-selected=true]').count(), 1);

  await page.keyboard.type('checkout');
  await palette.getByRole('option', { name: /checkout service leaks/ }).waitFor();
  await page.waitForFunction(() => {
    const chosen = document.getElementById('palette-q').getAttribute('aria-activedescendant');
    return /checkout service leaks/.test(document.getElementById(chosen)?.textContent);
  });
  await page.keyboard.press('Escape');
  assert.equal(await palette.isVisible(), false);
  assert.equal(await focused(page), before, 'the focus goes back to where it was');

  await page.keyboard.press('Control+k');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('cata');
  await answered(page, '/search?q=cata');
  await page.waitForFunction(() => /^Catalog/.test(document.querySelector('#palette-hits [aria-selected=true] .hit-title')?.textContent));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await arrives(page, '/catalog');
  await done(page);
});

test('Enter before the answer leads to the page of results, never to a hit of other words', async () => {
  const page = await at('/runs', { routed: true });
  // Answers to words are held back until the page is left.
  let release;
  const held = new Promise((done) => (release = done));
  await page.route(/\/search\?q=.+/, async (route) => {
    if (route.request().resourceType() === 'xhr') await held;
    await route.continue().catch(() => {});
  });
  await page.keyboard.press('Control+k');
  await page.locator('#palette [role=option]').first().waitFor();
  const asked = page.waitForRequest('**/search?q=inc-3001');
  await page.keyboard.type('inc-3001');
  await asked;
  await page.keyboard.press('Enter');
  await arrives(page, '/search?q=inc-3001');
  await page.getByRole('link', { name: /inc-3001/ }).waitFor();
  release();
  await page.context().close();
});

test('the palette says when nothing is found, and its control is a target of the pointer', async () => {
  const page = await at('/');
  await page.getByRole('link', { name: 'Search or jump to' }).click();
  assert.equal(new URL(page.url()).pathname, '/', 'no page is left for it');
  await page.keyboard.type('nothing like this');
  await page.locator('#palette').getByText('Nothing is found').waitFor();
  await page.mouse.click(4, 4);
  assert.equal(await page.locator('#palette').isVisible(), false, 'a press beside it closes it');
  await done(page);
});

test('single keys go to places, search, and list themselves', async () => {
  const page = await at('/');
  for (const [keys, where] of [['ga', '/approvals'], ['gr', '/runs'], ['gc', '/catalog'], ['go', '/'], ['gs', '/settings']]) {
    for (const key of keys) await page.keyboard.press(key);
    await arrives(page, where);
    await awake(page);
  }
  await page.goto('/runs');
  await awake(page);
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('type')), 'search');
  await page.keyboard.type('g?jka/');
  assert.equal(await page.inputValue('main input[type=search]'), 'g?jka/', 'no key does anything while one types');
  assert.equal(path(page), '/runs');

  await page.goto('/audit');
  await awake(page);
  await page.keyboard.press('?');
  const help = page.locator('#keys-help');
  await help.locator('kbd').first().waitFor();
  assert.match(await help.innerText(), /Next line/);
  await page.keyboard.press('Escape');
  assert.equal(await help.isVisible(), false);
  await done(page);
});

test('j and k walk the lines of a list, Enter opens; in the inbox a and r lead to the form, and decide nothing', async () => {
  const page = await at('/approvals');
  const links = await page.evaluate(() =>
    [...document.querySelectorAll('main .rows > li:not(:has(.rows))')].map((row) => row.querySelector('a[href^="/recommendations/"]').getAttribute('href')),
  );
  assert.equal(links.length, 2);
  await page.keyboard.press('j');
  assert.equal(await focused(page), links[0]);
  await page.keyboard.press('j');
  assert.equal(await focused(page), links[1]);
  await page.keyboard.press('j');
  assert.equal(await focused(page), links[1], 'the last line is the last');
  await page.keyboard.press('k');
  assert.equal(await focused(page), links[0]);
  const mark = await page.locator('main .rows > li:not(:has(.rows))').first().evaluate((row) => getComputedStyle(row).boxShadow);
  assert.notEqual(mark, 'none', 'the line is marked');
  await page.keyboard.press('Enter');
  await arrives(page, links[0]);

  for (const [key, part, at] of [['a', '#decide', 'decide'], ['r', '#reason', 'f-reason']]) {
    await page.goto('/approvals');
    await awake(page);
    await page.keyboard.press('j');
    await page.keyboard.press(key);
    await arrives(page, `${links[0]}${part}`);
    if (key === 'r') await page.waitForFunction((id) => document.activeElement?.id === id, at);
    assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BUTTON', 'the focus never starts on a button');
  }
  for (const { id } of [first, second]) assert.equal((await world.first.get(`/api/v1/recommendations/${id}`)).body.state, 'open');
  await done(page);
});

test('single keys can be switched off; keys with Ctrl stay', async () => {
  const page = await at('/settings');
  await page.locator('#looks [name=keys][value=off]').check();
  await page.getByRole('button', { name: 'Keep these' }).click();
  await page.getByText('Kept in this browser.').waitFor();
  await page.goto('/approvals');
  await awake(page);
  for (const key of ['j', '?', 'g', 'r']) await page.keyboard.press(key);
  assert.equal(await focused(page), 'BODY');
  assert.equal(await page.locator('dialog[open]').count(), 0);
  await page.keyboard.press('Control+k');
  await page.locator('#palette [role=option]').first().waitFor();
  assert.equal(path(page), '/approvals');
  await done(page);
});

test('without JavaScript the search is a page, the keys are a page, and a phone reaches every place', async () => {
  const page = await at('/', { javascript: false, width: 360 });
  await page.getByRole('link', { name: 'Search or jump to' }).click();
  assert.equal(path(page), '/search');
  await page.fill('main [name=q]', 'inc-3001');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('link', { name: /inc-3001/ }).click();
  assert.equal(path(page), `/recommendations/${first.id}`);
  for (const name of ['Effectiveness', 'Audit', 'Settings']) {
    await page.locator('.nav-more summary').click();
    await page.locator('.nav-more').getByRole('link', { name }).click();
    assert.equal(new URL(page.url()).pathname, `/${name.toLowerCase()}`);
  }
  await page.getByRole('link', { name: 'Keys', exact: true }).click();
  await page.getByText('Next line').waitFor();
  await done(page);
});

test('a token is made, shown once and revoked by plain forms', async () => {
  const page = await at('/settings/tokens', { javascript: false });
  await page.fill('#new [name=name]', 'laptop');
  await page.check('#new [name="role.viewer"]');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const secret = await page.locator('.once .secret code').innerText();
  assert.match(secret, /^kbn_[0-9a-f]{72}$/);
  assert.equal((await console_.api(secret).get('/api/v1/executions')).status, 200);
  await page.goto('/settings/tokens');
  assert.doesNotMatch(await page.content(), new RegExp(secret));
  await page.getByRole('row', { name: /laptop/ }).getByText('Revoke', { exact: true }).click();
  await page.getByRole('button', { name: 'Revoke it' }).click();
  await page.getByText('laptop is revoked').waitFor();
  assert.equal((await console_.api(secret).get('/api/v1/executions')).status, 401);
  await done(page);
});

test('a session elsewhere is ended by a plain form, and this one goes on', async () => {
  const elsewhere = await openPage(browser, console_.url, { state: await signedIn(browser, console_.url) });
  await elsewhere.goto('/runs');
  const page = await at('/settings/sessions', { javascript: false, state: await signedIn(browser, console_.url) });
  await page.getByRole('row', { name: /this one/ }).waitFor();
  await page.getByRole('button', { name: 'End all others' }).click();
  await page.getByText('All your other sessions are ended').waitFor();
  assert.equal(await page.locator('table.people tbody tr').count(), 1);
  await elsewhere.goto('/runs');
  assert.match(elsewhere.url(), /\/login/);
  for (const one of [page, elsewhere]) await one.context().close();
  state = await signedIn(browser, console_.url);
});

test('what palette and keys await has lines in its place', async () => {
  const page = await at('/runs', { routed: true });
  let answer;
  const awaited = new Promise((resolve) => (answer = resolve));
  await page.route(/\/search\?|\/settings\/keys/, async (route) => {
    await awaited;
    await route.continue();
  });
  await page.keyboard.press('Control+k');
  await page.locator('#palette .awaited').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#palette').waitFor({ state: 'hidden' });
  await page.keyboard.press('?');
  await page.locator('#keys-help .awaited').waitFor();
  answer();
  await page.locator('#keys-help .keys').first().waitFor();
  await until('nothing to be awaited', async () => (await page.locator('.awaited').count()) === 0);
  await done(page);
});

test('ids are copied in any row of a table, and a button that can do nothing is not there', async () => {
  const page = await at('/audit');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(() => navigator.clipboard.writeText(''));
  const button = page.locator('td.object .copy').nth(1);
  const id = await button.getAttribute('data-copy');
  await button.click();
  assert.equal(await until('something to be copied', () => page.evaluate(() => navigator.clipboard.readText())), id);
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  await page.getByRole('button', { name: 'Copied' }).waitFor({ state: 'detached' });
  await done(page);
  const plain = await at('/audit', { javascript: false });
  assert.equal(await plain.locator('.copy:visible').count(), 0);
  await done(plain);
});

test('what is copied as a command line is what the page shows, quoted for the shell', async () => {
  const page = await at(`/runs?q=${encodeURIComponent("it's $(x)")}`);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(() => navigator.clipboard.writeText(''));
  await page.getByText('The same by command line').click();
  await page.getByRole('button', { name: /Copy command: This list/ }).click();
  const copied = await until('something to be copied', () => page.evaluate(() => navigator.clipboard.readText()));
  assert.match(copied, /^curl .*\/api\/v1\/executions\?q=it%27s\+%24%28x%29'$/);
  await done(page);
});

test('the skip link is the first stop and leads to the content', async () => {
  const page = await at('/runs');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), '#main');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'main');
  await done(page);
});

test('the palette signs out, and a search belongs to no place of the navigation', async () => {
  // A session of its own: signing out ends it.
  const page = await at('/search', { state: await signedIn(browser, console_.url) });
  assert.equal(await page.locator('.nav [aria-current=page]').count(), 0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('sign out');
  await answered(page, '/search?q=sign%20out');
  await page.locator('#palette').getByRole('option', { name: 'Sign out' }).waitFor();
  await page.keyboard.press('Enter');
  await arrives(page, '/login');
  await page.goto('/runs');
  assert.equal(new URL(page.url()).pathname, '/login');
  await page.context().close();
});

test('a page comes alive on a machine that is never idle', async () => {
  const page = await openPage(browser, console_.url, { state });
  await page.addInitScript(() => {
    window.requestIdleCallback = (begin, options) => options?.timeout && setTimeout(begin, options.timeout);
  });
  await page.goto('/runs');
  await awake(page);
  await done(page);
});

for (const [motion, what] of [['no-preference', 'one page gives way to the next without a blink'], ['reduce', 'for who wants no motion there is none between two pages']]) {
  test(what, async () => {
    const page = await openPage(browser, console_.url, { state, motion });
    // The first frame may come after the page's load event: the test waits for it.
    await page.addInitScript(() => {
      window.revealed = new Promise(resolve => addEventListener('pagereveal', ({ viewTransition }) => resolve({ viewTransition }), { once: true }));
      window.transition = window.revealed.then(({ viewTransition }) =>
        viewTransition ? viewTransition.ready.then(() => document.getAnimations().map(({ effect }) => [effect.pseudoElement, effect.getTiming().duration])) : []);
    });
    await page.goto('/runs');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Catalog' }).click();
    await page.waitForURL('**/catalog');
    const animations = await page.evaluate(() => window.transition);
    const moved = animations.filter(([part]) => part?.startsWith('::view-transition'));
    if (motion === 'reduce') assert.deepEqual(moved, []);
    else {
      for (const part of ['root', 'nav', 'top']) assert.ok(moved.some(([moving]) => moving.endsWith(`(${part})`)), `${part} in ${moved}`);
      for (const [part, duration] of moved) assert.ok(duration <= 150, `${part} takes ${duration} ms`);
      await page.evaluate(() => window.revealed.then(({ viewTransition }) => viewTransition.finished));
    }
    await done(page);
  });
}
