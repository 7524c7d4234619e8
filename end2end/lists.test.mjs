// Lists, and what is done from them: the inbox in its order, several decided at once, filters in the address, the audit trail. Every
// walk is taken without JavaScript too: lists are documents, and deciding is a form.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { openPage, press, signedIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world, admins;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
  // Signed in once: a console lets nobody sign in as often as there are tests here.
  admins = await signedIn(browser, console_.url);
});
after(on.close);

const rows = (page) => page.locator('.inbox-row h2').allInnerTexts();
const row = (page, text) => page.locator('.inbox-row', { hasText: text });

/** An open recommendation whose headline says which one it is. */
const recommend = (incident, strategy = {}, more = {}) =>
  world.recommend(incident, { analysis_summary: `Trouble ${incident} was seen.`, strategy, ...more });

for (const javascript of [false, true]) {
  const how = javascript ? 'with JavaScript' : 'without JavaScript';
  const named = (name) => `${name}-${javascript ? 'js' : 'nojs'}`;
  const open = (state = admins) => openPage(browser, console_.url, { javascript, state });

  test(`${how}: a risky one comes before a mild one with the same deadline, whichever came first`, async () => {
    const incidents = ['low', 'high', 'medium'].map((risk) => [risk, named(`inc-order-${risk}`)]);
    for (const [risk, incident] of incidents) await recommend(incident, { estimated_risk: risk });
    const page = await open();
    await page.goto('/approvals?q=inc-order');
    const order = await rows(page);
    assert.deepEqual(order, ['high', 'medium', 'low'].map((risk) => `Trouble ${named(`inc-order-${risk}`)} was seen`));
    assert.match(await page.innerText('.head'), /higher risk sooner/);
    for (const [, incident] of incidents) await world.reject(await find(incident), 'the order was seen');
    await page.context().close();
  });

  test(`${how}: filters stand in the address, and a link shows what its sender saw`, async () => {
    const incident = named('inc-filter');
    await recommend(incident);
    const page = await open();
    await page.goto('/approvals');
    await page.fill('[name=q]', incident);
    await page.selectOption('[name=severity]', 'high');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL((url) => url.searchParams.get('q') === incident && url.searchParams.get('severity') === 'high');
    assert.equal((await rows(page)).length, 1);
    await page.selectOption('[name=severity]', 'low');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('Nothing matches').waitFor();
    await page.goBack();
    assert.equal((await rows(page)).length, 1);
    await world.reject(await find(incident), 'the filter was seen');
    await page.context().close();
  });

  test(`${how}: several are decided at once, each by its own ticket; what can't be taken says why and stops nothing else`, async () => {
    const [fine, stale, risky, left] = ['fine', 'stale', 'risky', 'left'].map((name) => named(`inc-several-${name}`));
    await recommend(fine);
    await recommend(stale);
    await recommend(risky, { estimated_risk: 'high' });
    await recommend(left);
    const page = await open();
    await page.goto('/approvals?q=inc-several');
    for (const incident of [fine, stale, risky, left]) await row(page, `Trouble ${incident} was seen`).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Review selected' }).click();
    await page.waitForURL((url) => url.pathname === '/approvals/review' && url.searchParams.getAll('id').length === 4);
    assert.equal(await page.locator('.review-item').count(), 4);

    // Each shows its own ticket, and nothing is ticked before it was read.
    const item = (incident) => page.locator('.review-item', { hasText: `Trouble ${incident} was seen` });
    const digests = await page.locator('input[name^="ticket."]').evaluateAll((inputs) => inputs.map((input) => input.value));
    assert.equal(new Set(digests).size, 4);
    assert.equal(await page.locator('input[type=checkbox]:checked').count(), 0);
    assert.match(await item(fine).innerText(), /SCALE_TARGET_REPLICAS/);

    assert.equal((await press(page, 'Approve ticked')).status(), 422);
    await page.getByRole('alert').getByText(/Tick what you have read/).waitFor();

    // A newer answer takes the place of one of them while the page is open.
    await recommend(stale, {}, { analysis_summary: 'A second look.' });
    for (const incident of [fine, stale, risky]) await item(incident).getByRole('checkbox').check();
    await page.fill('[name=reason]', 'seen at once');
    assert.equal((await press(page, 'Approve ticked')).status(), 409);
    const alert = await page.getByRole('alert').first().innerText();
    assert.match(alert, /Two were not decided/);
    assert.match(await item(stale).innerText(), /A newer recommendation/);
    assert.match(await item(risky).innerText(), /Type my-app to approve/i, 'high risk needs its target typed');
    assert.match(await item(fine).innerText(), /Approved[^]*by admin[^]*Watch the run/);
    assert.equal(await page.inputValue('[name=reason]'), 'seen at once', 'what was typed stays');
    assert.ok(await item(risky).getByRole('checkbox').isChecked());
    assert.ok(!(await item(left).getByRole('checkbox').isChecked()));
    assert.equal((await find(left)).state, 'open', 'what was not ticked stays as it was');

    await item(risky).getByLabel('Type my-app to approve').fill('my-app');
    assert.equal((await press(page, 'Approve ticked')).status(), 200);
    assert.equal(new URL(page.url()).pathname, '/approvals/review', 'a reload repeats nothing');
    assert.match(await item(risky).innerText(), /1 of 2 given/);
    const run = await item(fine).getByRole('link', { name: 'Watch the run' }).getAttribute('href');
    assert.match(run, /^\/runs\//);
    const record = (await world.first.get(`/api/v1/recommendations/${(await find(fine, 'decided')).id}`)).body;
    assert.equal(record.decisions[0].reason, 'seen at once');
    assert.ok(digests.includes(record.decisions[0].ticket_digest), 'what was read is what was approved');

    // And rejecting: a reason is needed, and one is enough for all of them.
    await item(left).getByRole('checkbox').check();
    await item(risky).getByRole('checkbox').check();
    await page.fill('[name=reason]', '');
    assert.equal((await press(page, 'Reject ticked')).status(), 422);
    await page.locator('#f-reason-error').waitFor();
    await page.fill('[name=reason]', 'the node is drained');
    assert.equal((await press(page, 'Reject ticked')).status(), 200);
    for (const incident of [left, risky]) assert.match(await item(incident).innerText(), /Rejected[^]*by admin/);
    await page.context().close();
  });

  test(`${how}: what was decided says what and by whom; who may not decide is offered nothing to select`, async () => {
    const incident = named('inc-whom');
    await world.reject(await recommend(incident), 'not now');
    const vera = await console_.user(named('vera'), 'viewer');
    const page = await open(await signedIn(browser, console_.url, vera));
    await page.goto(`/approvals?state=decided&q=${incident}`);
    assert.match(await row(page, incident).innerText(), /Rejected[^]*by token m\.okafor/);
    await recommend(incident);
    await page.goto(`/approvals?q=${incident}`);
    assert.equal(await row(page, incident).count(), 1);
    assert.equal(await page.getByRole('checkbox').count(), 0);
    assert.equal((await page.goto('/approvals/review?id=x')).status(), 403);
    await world.reject(await find(incident), 'seen');
    await page.context().close();
  });

  test(`${how}: a recommendation without an object of its own is told by its parameters, and one that misses it is flagged`, async () => {
    const silent = named('inc-silent');
    const resource = { kind: 'Deployment', namespace: 'production', name: 'payment-service' };
    const incident = { id: silent, signal_type: 'OOMKilled', severity: 'high' };
    await recommend(silent, {}, { incident });
    const page = await open();
    await page.goto(`/approvals?q=${silent}`);
    assert.match(await row(page, silent).innerText(), /production \/ Deployment my-app/);
    await recommend(silent, {}, { incident: { ...incident, resource } });
    await page.reload();
    assert.match(await row(page, silent).innerText(), /Acts on production \/ Deployment my-app, but the incident is about production \/ Deployment payment-service/);
    await world.reject(await find(silent), 'seen');
    await page.context().close();
  });

  test(`${how}: a run on the same object is said in the inbox, and the list of runs says on what, by whom and for how long`, async () => {
    const run = await world.approve(await recommend(named('inc-before')));
    await world.until(run, 'succeeded');
    const again = named('inc-again');
    await recommend(again);
    const page = await open();
    await page.goto('/approvals');
    assert.match(await row(page, `Trouble ${again} was seen`).innerText(), /The same was run on it[^]*went through/);
    await page.goto('/runs?workflow_id=oomkill-scale-down&state=succeeded&since=1h');
    const line = page.locator('.run-line', { has: page.locator(`a[href="/runs/${run}"]`) });
    assert.match(await line.innerText(), /Succeeded[^]*production \/ Deployment my-app[^]*approved by token m\.okafor[^]*not assessed[^]*\ds/);
    assert.equal(await page.locator('a a').count(), 0, 'links do not nest');
    await page.goto('/runs?since=1h&q=nothing+like+this');
    await page.getByText('No run matches').waitFor();
    await world.reject(await find(again), 'seen');
    await page.context().close();
  });

  test(`${how}: the overview counts what waits, and says how the engine is`, async () => {
    const waiting = [];
    for (let n = 0; n < 8; n += 1) waiting.push(await recommend(named(`inc-many-${n}`)));
    const page = await open();
    await page.goto('/');
    const count = (await world.first.get('/api/v1/recommendations?state=open')).body.items.length;
    assert.ok(count >= waiting.length && count <= 12, `${count} are open`);
    const word = ['Eight', 'Nine', 'Ten', 'Eleven', 'Twelve'][count - 8];
    assert.match(await page.locator('.nav .n').first().innerText(), new RegExp(`\\b${count}\\b`));
    assert.match(await page.innerText('h1'), new RegExp(`^${word} are waiting for a decision`));
    await page.getByRole('link', { name: `All ${count} that wait` }).waitFor();
    assert.match(await page.innerText('main'), /Can start[^]*Sandbox/);
    for (const one of waiting) await world.reject(one, 'counted');
    await page.context().close();
  });

  test(`${how}: the audit trail is read, filtered and exported`, async () => {
    const incident = named('inc-audit');
    const made = await recommend(incident);
    await world.approve(made, { parameters: { ...(await seed('recommendation')).strategies[0].parameters, SCALE_TARGET_REPLICAS: 2 } });
    const page = await open();
    await page.goto('/audit');
    const of = (action) => page.locator('tbody > tr', { has: page.locator(`.object a[href="/recommendations/${made.id}"]`) }).filter({ hasText: action });
    const ticket = of('ticket.make').first();
    assert.match(await ticket.innerText(), new RegExp(`Ticket made[^]*Trouble ${incident} was seen[^]*SCALE_TARGET_REPLICAS[^]*1 (→|became) `));
    assert.match(await of('decision.approve').first().innerText(), /Approved[^]*it fits/);
    assert.equal(await page.locator('.audit del').count(), 0, 'what changed does not read as taken away');

    await page.selectOption('[name=action]', 'decision.');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL((url) => url.searchParams.get('action') === 'decision.');
    const actions = await page.locator('.audit .act code').allInnerTexts();
    assert.ok(actions.length > 0 && actions.every((action) => action.startsWith('decision.')), String(actions));
    const export_ = async (button, file) => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button, exact: true }).click()]);
      assert.equal(download.suggestedFilename(), file);
      return readFile(await download.path(), 'utf8');
    };
    const lines = (await export_('Export what matches', 'audit.jsonl')).trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines.pop(), { end: { rows: lines.length, whole: false } });
    assert.ok(lines.length >= actions.length && lines.every((line) => line.action.startsWith('decision.')));
    assert.match(await export_('Export what matches as CSV', 'audit.csv'), /^sequence,at,actor_id,/);

    await page.getByRole('button', { name: 'Look now' }).click();
    await page.locator('.chain', { hasText: 'Unbroken' }).waitFor();
    const exported = page.locator('.audit > tbody > tr', { hasText: 'audit.export' }).first();
    assert.match(await exported.innerText(), /Trail exported/);
    await exported.locator('summary', { hasText: 'Details' }).click();
    assert.match(await exported.locator('details[open]').innerText(), /By a page: POST \/audit\/exports from 127\.0\.0\.1, request /);

    await page.locator('summary', { hasText: 'Legal hold' }).click();
    await page.getByLabel('Reason').fill(`case of ${incident}`);
    await page.getByRole('button', { name: 'Set the hold' }).click();
    await page.getByText(`Case of ${incident}. Nothing is removed`).waitFor();
    await page.locator('summary', { hasText: 'Release the hold' }).click();
    await page.getByLabel('Reason').fill('it is closed');
    await page.getByRole('button', { name: 'Release', exact: true }).click();
    await page.locator('summary', { hasText: 'Legal hold' }).waitFor();

    await page.goto(`/recommendations/${made.id}`);
    await page.getByRole('link', { name: 'Who did what to it' }).click();
    await page.waitForURL((url) => url.pathname === '/audit' && url.searchParams.get('object') === made.id);
    await page.goto('/audit?from=2001-01-01&to=2001-01-02');
    await page.getByText('No row matches').waitFor();
    await page.context().close();
  });
}

test('nothing of all that made the browser complain', async () => {
  const page = await openPage(browser, console_.url, { state: admins });
  for (const path of ['/', '/approvals', '/approvals?state=any', '/approvals/review', '/runs', '/audit']) {
    assert.equal((await page.goto(path)).status(), 200, path);
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

/** The newest recommendation of an incident. */
async function find(incident, state = 'open') {
  return until(`a recommendation of ${incident}`, async () => {
    const { body } = await world.first.get(`/api/v1/recommendations?incident=${incident}&state=${state}`);
    return body.items[0];
  });
}
