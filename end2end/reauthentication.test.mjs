// An approval of high risk by somebody who signed in a while ago: the password is asked for, without JavaScript, and what was typed goes along.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openPage, signIn } from './lib/browser.mjs';
import { admin } from './lib/console.mjs';
import { stage } from './lib/stage.mjs';
import { seed, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world;
before(async () => {
  [console_, browser] = await Promise.all([on.console({ args: ['--recent-sign-in', '10s'] }), on.browser()]);
  world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
});
after(on.close);

test('who signed in a while ago gives the password, and approves what they read with the reason they typed', async () => {
  const { id } = await world.recommend('inc-proof', { strategy: { estimated_risk: 'high' } });
  const page = await openPage(browser, console_.url, { javascript: false });
  await signIn(page);
  await page.goto(`/recommendations/${id}`);
  const digest = await page.locator('#decide [name=ticket_digest]').getAttribute('value');
  await page.fill('[name=reason]', 'Two lines,\nboth kept.');
  await page.fill('[name=confirm]', 'my-app');
  await wait(11_000);
  await page.click('#decide [value=approve]');
  await page.getByRole('heading', { name: 'Sign in again to approve' }).waitFor();
  assert.equal(await page.locator('main [name=ticket_digest]').getAttribute('value'), digest);

  await page.fill('[name=proof_password]', 'a wrong one');
  await page.getByRole('button', { name: 'Sign in again and approve' }).click();
  await page.getByText('This is not your password').waitFor();
  await page.fill('[name=proof_password]', admin.password);
  await page.getByRole('button', { name: 'Sign in again and approve' }).click();
  await page.waitForURL(/#decided$/);
  const { body } = await world.first.get(`/api/v1/recommendations/${id}`);
  assert.equal(body.decisions.length, 1);
  assert.equal(body.decisions[0].ticket_digest, digest);
  assert.match(body.decisions[0].reason, /^Two lines,\s+both kept\.$/);
  await page.goto('/runs');
  assert.match(page.url(), /\/runs$/, 'still signed in');
  await page.context().close();
});
