// Signing in at a real provider, Dex, in a real browser: the way there and back with and without JavaScript, the role that a group gives,
// signing out, and that disabling takes effect at the next request.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { openPage, press, signedIn } from './lib/browser.mjs';
import { builtDex, freePort, kilgore, nobody } from './lib/dex.mjs';
import { stage } from './lib/stage.mjs';

const program = await builtDex();
const there = { skip: program ? false : 'there is no Go to build Dex with' };

const on = stage();
let url, dex, dataDir, console_, browser;
before(async () => {
  if (!program) return;
  // Dex has to know the console's address before it is there.
  url = `http://127.0.0.1:${await freePort()}`;
  [dex, dataDir, browser] = await Promise.all([on.dex(program, url), on.directory(), on.browser()]);
  console_ = await start();
});
after(on.close);

const start = (env = {}) => on.console({ listen: new URL(url).host, dataDir, env: { ...dex.env, ...env } });
const path = (page) => new URL(page.url()).pathname + new URL(page.url()).search;
const at = (page, where) => page.waitForURL((to) => to.origin === url && to.pathname + to.search === where);
const text = (page) => page.locator('main').innerText();

/** From the console's sign-in page to Dex, and there by this connector. */
async function toDex(page, connector) {
  await page.getByRole('button', { name: 'Sign in with Dex' }).click();
  const link = page.locator(`a[href*="/dex/auth/${connector}"]`);
  await link.waitFor();
  await link.focus();
  await page.keyboard.press('Enter');
}

/** Signs in as who is in the group "authors", from where the console leads to sign-in; resolves when the page wanted is there. */
async function signInThere(page, wanted, javascript = true) {
  await page.goto(wanted);
  await toDex(page, 'mock');
  if (!javascript) await page.getByRole('button', { name: 'Continue' }).click();
  await at(page, wanted);
}

/** Nothing of the console's own pages may be amiss. */
const close = async (page) => {
  assert.deepEqual(page.faults.filter((fault) => fault.includes(url) && !/status of 403/.test(fault)), []);
  await page.context().close();
};

for (const javascript of [true, false]) {
  test(`a person signs in at Dex with JavaScript ${javascript ? 'on' : 'off'} and has the role of their group`, there, async () => {
    const page = await openPage(browser, url, { javascript });
    await signInThere(page, '/runs?state=failed', javascript);
    assert.equal((await page.locator('.who').innerText()).trim(), kilgore);
    await page.goto('/settings');
    const account = await text(page);
    for (const told of ['Dex', 'authors', 'operator']) assert.match(account, new RegExp(told));
    assert.equal(await page.locator('[name=old_password]').count(), 0);
    assert.equal((await page.goto('/audit')).status(), 403);
    const strict = (await page.context().cookies()).filter(({ name }) => name.startsWith('__Host-'));
    assert.ok(strict.length >= 1 && strict.every(({ sameSite, httpOnly, secure }) => sameSite === 'Strict' && httpOnly && secure), JSON.stringify(strict));

    await page.goto('/settings');
    await page.locator('form.out').getByRole('button').click();
    await at(page, '/login?out=still');
    assert.match(await text(page), /You are still signed in at Dex/);
    await page.goto('/runs');
    assert.equal(path(page), '/login?next=%2Fruns');
    await close(page);
  });
}

test('who is in no group is told that no role is given to them, and may go back', there, async () => {
  const page = await openPage(browser, url);
  await page.goto('/login');
  await toDex(page, 'local');
  await page.fill('[name=login]', nobody.email);
  await page.fill('[name=password]', nobody.password);
  await page.locator('#submit-login').click();
  await at(page, '/login/oidc/callback');
  await page.getByText('Dex names no group of yours').waitFor();
  assert.match(await text(page), /Request [0-9a-f-]{36}/);
  await page.getByRole('button', { name: 'Sign in with Dex' }).waitFor();
  await close(page);
});

test('disabling the person takes effect at their next request', there, async () => {
  const page = await openPage(browser, url);
  await signInThere(page, '/runs');
  await console_.run('user', 'disable', kilgore);
  await page.goto('/runs');
  assert.equal(path(page), '/login?next=%2Fruns');
  await toDex(page, 'mock');
  await page.getByText('Your account is disabled here').waitFor();
  await console_.run('user', 'enable', kilgore);
  await close(page);
});

test('blocking the group does, too, on the page of accounts', there, async () => {
  const admin = await openPage(browser, url, { state: await signedIn(browser, url) });
  const page = await openPage(browser, url);
  await signInThere(page, '/runs');
  await admin.goto('/settings/accounts');
  const row = admin.locator('tr', { hasText: kilgore });
  assert.match(await row.innerText(), /Dex[\s\S]*authors/);
  const { violations } = await new AxeBuilder({ page: admin }).setLegacyMode().analyze();
  assert.deepEqual(violations.map(({ id, help }) => `${id}: ${help}`), []);
  await press(admin, 'Block authors');
  await page.goto('/runs');
  assert.equal(path(page), '/login?next=%2Fruns');
  await press(admin, 'Unblock authors');
  await page.goto('/runs');
  assert.equal(path(page), '/runs', 'let in again, in the same session');
  await close(page);
  await close(admin);
});

test('the pages before sign-in can be used by everybody', there, async () => {
  for (const width of [1440, 360]) {
    const page = await openPage(browser, url, { width });
    for (const [where, status] of [['/login', 200], ['/login?out=still', 200], ['/login/oidc/callback?error=access_denied&state=x', 403]]) {
      assert.equal((await page.goto(where)).status(), status);
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
      assert.deepEqual(violations.map(({ id, help }) => `${where} ${id}: ${help}`), []);
    }
    await close(page);
  }
});

test('after a restart with other roles and no local accounts the session goes on with what its groups give now', there, async () => {
  const page = await openPage(browser, url);
  await signInThere(page, '/runs');
  await console_.stop();
  console_ = await start({ KUBERNAUT_OIDC_ROLE: 'authors=admin', KUBERNAUT_LOCAL_ACCOUNTS: 'off' });
  assert.equal((await page.goto('/audit')).status(), 200, 'an admin by now');
  const other = await openPage(browser, url);
  await other.goto('/login');
  assert.equal(await other.locator('[name=password]').count(), 0);
  assert.equal(await other.getByRole('button', { name: 'Sign in with Dex' }).count(), 1);
  await console_.stop();
  console_ = await start({ KUBERNAUT_OIDC_ROLE: 'somebody-else=admin' });
  await page.goto('/runs');
  assert.equal(path(page), '/login?next=%2Fruns', 'nothing is left of it');
  await toDex(page, 'mock');
  await page.getByText('None of your groups at Dex is given a role here: authors').waitFor();
  // While the console was away their pages could not but note it.
  await Promise.all([other, page].map((open) => open.context().close()));
});
