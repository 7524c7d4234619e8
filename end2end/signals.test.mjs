// From a rule of a real Prometheus by a real Alertmanager to an incident on the page, and back: it fires, ends, fires again, and goes on
// while Alertmanager is started anew.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { programs, rule } from './lib/alerting.mjs';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { until } from './lib/world.mjs';

const on = stage();
after(on.close);
const found = await programs();

test('an alert is an incident for as long as it fires', { skip: !found && 'prometheus and prometheus-alertmanager are not installed', timeout: 90_000 }, async () => {
  const [console_, browser] = await Promise.all([on.console(), on.browser()]);
  const [viewer, ingest] = [console_.api(await console_.token('viewer')), await console_.token('ingest')];
  const incidents = async () => (await viewer.get('/api/v1/incidents')).body.items;
  const one = async (id) => (await viewer.get(`/api/v1/incidents/${id}`)).body;
  const state = await signedIn(browser, console_.url);
  const page = await openPage(browser, console_.url, { state });
  await page.goto('/incidents');
  await page.getByText('No incidents').waitFor();
  await awake(page);

  const alerting = await on.alerting(found, console_.url, ingest);
  alerting.fires(true);
  await page.locator('.run-line .state', { hasText: 'Firing' }).waitFor({ timeout: 30_000 });
  const [first] = await incidents();
  assert.deepEqual(
    { state: first.state, type: first.signal_type, severity: first.severity, resource: first.resource },
    { state: 'firing', type: 'ReplicasMismatch', severity: 'critical', resource: { kind: 'Deployment', namespace: rule.namespace, name: rule.deployment } },
  );
  await page.getByRole('link', { name: first.title }).click();
  await page.getByRole('heading', { level: 1, name: first.title }).waitFor();
  await awake(page);

  // Alertmanager says it again and again: it stays one signal.
  const repeated = await until('it to be told again', async () => (await one(first.id)).signals.find(({ count }) => count > 1));
  assert.equal((await incidents()).length, 1);
  alerting.fires(false);
  await page.locator('.head .state', { hasText: 'Resolved' }).waitFor();
  const over = await one(first.id);
  assert.equal(over.signals.length, 1);
  assert.ok(over.resolved_at > over.started_at, `${over.started_at} to ${over.resolved_at}`);

  alerting.fires(true);
  const second = await until('it to fire again', async () => (await incidents()).find(({ state }) => state === 'firing'));
  assert.notEqual(second.id, first.id);
  assert.equal(second.earlier, first.id);
  assert.equal((await one(second.id)).signals[0].fingerprint, repeated.fingerprint);

  await alerting.restart();
  const before = (await one(second.id)).signals[0].count;
  await until('it to be told after the restart', async () => (await one(second.id)).signals[0].count > before);
  assert.equal((await incidents()).length, 2, 'it is the same incident as before');
  alerting.fires(false);
  await until('it to end', async () => (await one(second.id)).state === 'resolved');

  // Without a program the pages say the same.
  const plain = await openPage(browser, console_.url, { state, javascript: false });
  await plain.goto('/incidents');
  assert.equal(await plain.locator('.run-line .state', { hasText: 'Resolved' }).count(), 2);
  await plain.goto(`/incidents/${second.id}`);
  await plain.getByRole('link', { name: 'The incident before it' }).click();
  assert.equal(new URL(plain.url()).pathname, `/incidents/${first.id}`);
  assert.deepEqual(page.faults, []);
});
