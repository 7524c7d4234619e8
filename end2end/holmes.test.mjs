// HolmesGPT itself investigates an incident, with a scripted model behind it: the root cause first, then a playbook; its answer is refused,
// mended and taken; the page shows it as it goes. A console that is stopped meanwhile begins anew.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { key } from './lib/holmes.mjs';
import { stage } from './lib/stage.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
after(on.close);

const alert = {
  status: 'firing', startsAt: '2025-11-23T03:00:00Z', endsAt: '0001-01-01T00:00:00Z', fingerprint: 'abcdef',
  labels: { alertname: 'KubePodCrashLooping', severity: 'critical', namespace: 'production', pod: 'web-1' },
  annotations: { summary: 'Pod web-1 is crash looping.' },
};
const labels = { signal_type: 'CrashLoopBackOff', severity: '*', environment: '*' };
const look = { tool: 'bash', arguments: { command: 'echo the pods', suggested_prefixes: ['echo'], timeout: 5 } };
const cause = 'The node is full of memory <b>and</b> kills pods.';

test('an incident is investigated by HolmesGPT', { timeout: 180_000 }, async () => {
  const model = await on.model();
  const [holmes, browser] = await Promise.all([on.holmes(model.url), on.browser()]);
  const env = { KUBERNAUT_HOLMES_URL: holmes.url, KUBERNAUT_HOLMES_API_KEY: key };
  const console_ = await on.console({ env });
  const world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'), { labels });
  const answer = await seed('recommendation');
  const incident = await world.alert('g', alert);
  const page = await openPage(browser, console_.url, { state: await signedIn(browser, console_.url) });
  await page.goto(`/incidents/${incident}`);
  await awake(page);

  model.says(look, cause, `\`\`\`json\n${JSON.stringify(answer)}\n\`\`\``, JSON.stringify(answer));
  await page.getByRole('button', { name: 'Investigate' }).click();
  await page.locator('#investigations .state', { hasText: 'Answered' }).waitFor({ timeout: 60_000 });
  const shown = page.locator('#investigations');
  assert.match(await shown.innerText(), /The node is full of memory <b>and<\/b> kills pods\./);
  assert.match(await shown.locator('.rows').textContent(), /bash echo the pods/);
  assert.match(await shown.innerText(), /400 tokens read, 80 tokens written, 0\.0018 US dollars/);

  const { body } = await world.first.get(`/api/v1/incidents/${incident}/investigations`);
  const [done] = body.items;
  assert.equal(done.attempts.length, 1);
  assert.ok(done.model?.includes('gpt-4o'), done.model);
  const said = done.steps.map(({ text }) => text).join('\n');
  assert.match(said, /told it what to change/);
  const recommendation = (await world.first.get(`/api/v1/recommendations/${done.recommendation}`)).body;
  assert.equal(recommendation.strategies[0].workflow_id, 'oomkill-scale-down');
  assert.equal(recommendation.model.investigation_id, done.id);

  // What the model was really sent, with HolmesGPT's own words around it.
  const [first, , choose, correct] = model.asked.map((question) => JSON.stringify(question));
  assert.ok(first.includes('KubePodCrashLooping') && !first.includes('oomkill-scale-down'));
  assert.ok(choose.includes('oomkill-scale-down') && choose.includes('The node is full of memory'));
  assert.ok(!choose.includes('REMEDIATION_TYPE'), 'a hidden parameter');
  assert.equal(model.asked[2].response_format.type, 'json_schema');
  assert.match(correct, /without the Markdown fence/);
  assert.deepEqual(page.faults, []);
});

test('a console that is stopped meanwhile begins anew', { timeout: 180_000 }, async () => {
  const model = await on.model();
  const holmes = await on.holmes(model.url);
  const dataDir = await on.directory();
  const start = () => on.console({ dataDir, env: { KUBERNAUT_HOLMES_URL: holmes.url, KUBERNAUT_HOLMES_API_KEY: key, KUBERNAUT_HOLMES_AUTOMATIC: 'critical' } });
  const before = await start();
  model.says('hang');
  const world = await World.of(before);
  const incident = await world.alert('g', alert);
  await until('the model to be asked', async () => model.asked.length === 1);
  await before.stop();
  model.says(cause);
  const again = await start();
  const viewer = again.api(await again.token('viewer', 'another viewer'));
  const done = await until('an answer', async () => {
    const { body } = await viewer.get(`/api/v1/incidents/${incident}/investigations`);
    return body.items[0]?.state === 'answered' && body.items[0];
  });
  assert.deepEqual(done.attempts.map(({ fault }) => fault), ['the console that asked HolmesGPT was stopped', 'No playbook of the catalog fits this signal, its severity and its environment.']);
  assert.equal(done.automatic, true);
  assert.equal(done.root_cause, cause);
});
