// When it goes wrong: a run is undone by the form on its page and both lead to each other; a finding is triaged and a recommendation is
// made of it. Plain forms, without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, signIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
});
after(on.close);

async function signedIn() {
  const page = await openPage(browser, console_.url, { javascript: false });
  await signIn(page);
  return page;
}

/** The section of a run's page that says what came before and after it. */
const around = (page) => page.locator('#after');

test('a run is undone with one form, a ticket of its own, and somebody else to approve it', async () => {
  const run = await world.approve(await world.recommend('inc-undo'));
  await world.until(run, 'succeeded');
  const page = await signedIn();
  await page.goto(`/runs/${run}`);
  await page.getByText('Roll back', { exact: true }).click();
  await around(page).getByText('SCALE_TARGET_REPLICAS=4').waitFor();
  await around(page).locator('[name=reason]').fill('It made things worse');
  await page.getByRole('button', { name: 'Make the rollback' }).click();
  await page.waitForURL(/\/recommendations\//);
  const id = page.url().split('/').at(-1);
  assert.equal(await page.locator('#decide [value=approve]').isEnabled(), false, 'who asked for it does not approve it');
  await page.getByRole('link', { name: 'the run that it undoes' }).click();
  await page.waitForURL((url) => url.pathname === `/runs/${run}`);
  await around(page).getByText(/^No rollback: a rollback of this run waits for its decision/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make the rollback' }).count(), 0);

  const undoing = await world.approve({ id });
  await world.until(undoing, 'succeeded');
  await page.goto(`/runs/${run}`);
  await around(page).getByText(/^No rollback: this run has been undone/).waitFor();
  await around(page).getByRole('link', { name: 'its run' }).click();
  await page.waitForURL((url) => url.pathname === `/runs/${undoing}`);
  await around(page).getByText(/^This run undoes/).locator('a').click();
  await page.waitForURL((url) => url.pathname === `/runs/${run}`);
  await page.context().close();
});

test('a finding is triaged with a reason, noticed again it counts, and a recommendation is made of it', async () => {
  const finding = {
    title: 'worker-2 is over-committed',
    description: 'Requests add up to 95 % of its memory.',
    severity: 'high',
    resource: { kind: 'Deployment', namespace: 'production', name: 'my-app' },
    suggested_workflow_id: 'oomkill-scale-down',
  };
  await world.recommend('inc-f1', { additional_findings: [finding] });
  await world.recommend('inc-f2', { additional_findings: [{ ...finding, title: 'Worker-2 is over-committed!' }] });
  const page = await signedIn();
  await page.goto('/');
  await page.getByRole('link', { name: 'One finding that nobody has looked at' }).click();
  await page.getByText('noticed 2 times').waitFor();
  await page.getByRole('link', { name: /worker-2 is over-committed/i }).click();
  const path = new URL(page.url()).pathname;

  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByText(/say why it needs nothing/i).first().waitFor();
  await page.locator('#triage [name=reason]').fill('It is replaced this week');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByText('It is replaced this week').waitFor();
  await page.goto('/findings');
  await page.getByText('Nothing is waiting to be looked at').waitFor();
  await page.goto('/findings?state=dismissed');
  await page.getByRole('link', { name: /worker-2/i }).waitFor();

  await page.goto(path);
  assert.equal(await page.locator('[name="p.TARGET_RESOURCE_NAME"]').inputValue(), 'my-app', 'filled with what the finding tells');
  await page.locator('[name="p.SCALE_TARGET_REPLICAS"]').fill('2');
  await page.getByRole('button', { name: 'Make the recommendation' }).click();
  await page.waitForURL(/\/recommendations\//);
  await page.getByText('SCALE_TARGET_REPLICAS').first().waitFor();
  await page.goto(path);
  await page.getByRole('link', { name: 'see what became of that' }).waitFor();
  await page.context().close();
});

test('the list of findings follows what comes in', async () => {
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await page.goto('/findings?q=thermal');
  await page.getByText('No finding matches').waitFor();
  await world.recommend('inc-f3', { additional_findings: [{ title: 'Thermal throttling on worker-3', severity: 'low' }] });
  await until('the new card to be there', () => page.getByRole('link', { name: /Thermal throttling/ }).count());
  await page.context().close();
});
