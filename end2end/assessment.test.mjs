// Did it help? In the demo scene, as a newcomer meets it: an alert fires, somebody approves, the run goes through, and within a minute or so
// its page says by itself whether it helped, and what that rests on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { World, until } from './lib/world.mjs';

const on = stage();
let console_, browser, world, state;

before(async () => {
  const demo = on.console({ args: ['--scene', 'demo'], env: { KUBERNAUT_ASSESS_AFTER: '30s' } });
  [console_, browser] = await Promise.all([demo, on.browser()]);
  world = await World.of(console_);
  state = await signedIn(browser, console_.url);
});
after(on.close);

/** The recommendation that waits about this workload. */
const waiting = (name) =>
  until(`a recommendation about ${name}`, async () => {
    const { body } = await world.first.get('/api/v1/recommendations?state=open&limit=50');
    return body.items.find((one) => one.incident.resource?.name === name && one.strategies[0].errors.length === 0);
  });

test('a newcomer approves, waits a minute, and reads whether it helped; who knows better says so', async () => {
  const run = await world.approve(await waiting('my-app'));
  await world.until(run, 'succeeded');
  const page = await openPage(browser, console_.url, { state });
  await page.goto(`/runs/${run}`);
  await awake(page);
  const section = page.locator('#assessment');
  assert.match(await section.innerText(), /Nobody has looked yet/);
  // The page follows: nothing is loaded anew by hand.
  await section.getByRole('table').waitFor({ timeout: 90_000 });

  const { body } = await world.first.get(`/api/v1/executions/${run}/assessment`);
  assert.ok(['effective', 'ineffective', 'inconclusive'].includes(body.verdict), JSON.stringify(body));
  const signal = body.evidence.find(({ of }) => of === 'signal');
  assert.notEqual(signal.says, 'nothing', 'the sandbox knows its alerts');
  if (body.verdict === 'effective') assert.equal(signal.says, 'helped');
  if (signal.says === 'did_not') assert.notEqual(body.verdict, 'effective', 'a firing alert is never effective');
  for (const line of body.evidence) assert.match(await section.innerText(), new RegExp(line.words.slice(1, 20).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  const { violations } = await new AxeBuilder({ page }).include('#assessment').analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target}`), []);

  await section.getByText('You know better?').click();
  await section.getByLabel('What it came to').selectOption('ineffective');
  await section.getByLabel('Reason').fill('It was the nightly job.');
  await section.getByRole('button', { name: 'Overrule the verdict' }).click();
  await page.waitForURL(/#assessment$/);
  assert.match(await page.locator('#assessment').innerText(), /Did not help[^]*It was the nightly job\./);
  await page.context().close();
});

test('the models are held to their word, in a picture, a table and a file', async () => {
  const page = await openPage(browser, console_.url, { state, javascript: false });
  await page.goto('/effectiveness?days=all&by=version');
  const section = page.locator('section', { hasText: "Does the models' word hold?" }).last();
  assert.ok((await section.locator('svg.chart:visible').count()) >= 1);
  assert.match(await section.innerText(), /Brier score 0\.\d{3} of \d+ runs/);
  assert.match(await page.locator('section', { hasText: 'Is the newer version better?' }).last().innerText(), /too early to tell|better|worse/);
  const file = await world.first.get('/effectiveness/csv?table=calibration&days=all');
  const [head, ...rows] = file.body.trim().split('\n');
  assert.ok(head.startsWith('model,said_from') && rows.length > 3, head);
  await page.context().close();
});

test('what many runs show together stands on a page of its own, without scripts too', async () => {
  const page = await openPage(browser, console_.url, { state, javascript: false });
  await page.goto('/effectiveness');
  await page.getByRole('link', { name: 'Patterns', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Patterns' }).waitFor();
  const { items } = (await world.first.get('/api/v1/patterns')).body;
  assert.equal(await page.locator('main tbody tr').count(), items.length, 'as programs are told');
  if (items.length) {
    await page.getByRole('link', { name: 'Its runs' }).first().click();
    await page.waitForURL(/\/runs\?(q|workflow_id)=/);
    await page.goBack();
  } else {
    await page.getByText('No pattern in this time').waitFor();
  }
  await page.context().close();
});
