// A whole life in the demo, as a newcomer watches it who touches nothing but Approve: alert, investigation, recommendation, decision, run, the
// alert clears, effective; and the unhappy one: what was recommended first does not help, is undone, and the next strategy does. Both at once,
// each on a page of its own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, signedIn } from './lib/browser.mjs';
import { approve, follow, incidentOf, succeeded, verdict } from './lib/life.mjs';
import { stage } from './lib/stage.mjs';

const on = stage();
let console_, browser, state;

before(async () => {
  // Longer than the sandbox's alerts take to clear, and no longer.
  const demo = on.console({ args: ['--scene', 'demo'], env: { KUBERNAUT_ASSESS_AFTER: '15s' } });
  [console_, browser] = await Promise.all([demo, on.browser()]);
  state = await signedIn(browser, console_.url);
});
after(on.close);

/** From the alert about this workload to what the scene's script recommends; resolves to the incident's path. */
async function recommended(page, workload) {
  await page.goto('/incidents');
  await page.locator('.run-line', { hasText: workload }).getByRole('link').first().click({ timeout: 40_000 });
  await page.waitForURL((url) => url.pathname.startsWith('/incidents/'));
  const incident = new URL(page.url()).pathname;
  assert.match(await page.locator('#signals').innerText(), new RegExp(workload));
  const investigation = page.locator('#investigations article').first();
  await investigation.locator('.state', { hasText: 'Answered' }).waitFor({ timeout: 40_000 });
  const told = await investigation.innerText();
  assert.match(told, /sandbox/i);
  assert.match(told, /No model was asked/, 'it says what it is');
  assert.doesNotMatch(told, /HolmesGPT/);
  assert.match(await investigation.textContent(), new RegExp(`Deployment ${workload}: \\d of \\d pods ready`), 'what it looked at');
  await investigation.getByRole('link', { name: 'Its recommendation' }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/recommendations/'));
  return incident;
}

/** The incident is over, and its page has all of it: as many runs, the last of which helped. */
async function over(page, incident, runs) {
  await incidentOf(page);
  assert.equal(new URL(page.url()).pathname, incident, 'all of it is of one incident');
  await page.locator('.head .state', { hasText: 'Resolved' }).waitFor();
  const rows = page.locator('#runs .run-row');
  assert.equal(await rows.count(), runs);
  assert.match(await rows.first().innerText(), /Helped/i);
  assert.equal(await page.locator('#recommendations .run-row').count(), runs);
}

test('a life in the demo, with nothing touched but Approve', { timeout: 200_000 }, async (t) => {
  const happy = t.test('what is recommended helps', async () => {
    const page = await openPage(browser, console_.url, { state });
    const incident = await recommended(page, 'my-app');
    await approve(page);
    await page.locator('#run .head .chip', { hasText: 'Sandbox' }).waitFor();
    await succeeded(page);
    assert.match(await verdict(page, 'Helped'), /It cleared at/);
    await over(page, incident, 1);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
  const unhappy = t.test('what is recommended does not help, is undone, and is followed by what does', async () => {
    const page = await openPage(browser, console_.url, { state });
    const incident = await recommended(page, 'inventory');
    const first = await approve(page);
    await succeeded(page);
    assert.match(await verdict(page, 'Did not help'), /It still fires/);

    await follow(page, 'Rollback');
    await page.getByText('MEMORY_LIMIT_NEW').first().waitFor();
    await approve(page);
    await page.locator('#after .made-of', { hasText: 'This run undoes' }).locator(`a[href="/runs/${first}"]`).waitFor();
    await succeeded(page);

    await page.locator('#after .made-of a').click();
    await page.waitForURL((url) => url.pathname === `/runs/${first}`);
    await follow(page, 'Next strategy');
    await approve(page);
    await succeeded(page);
    assert.match(await verdict(page, 'Helped'), /It cleared at/);
    await over(page, incident, 3);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
  await Promise.all([happy, unhappy]);
});
