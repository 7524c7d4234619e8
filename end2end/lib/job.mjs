// A newcomer's whole job through the pages, in a real Chromium. Every page works without JavaScript, so the same walk is taken with
// and without it; only watching a run differs: with JavaScript the page follows by itself, without it the person reloads.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, press, signIn } from './browser.mjs';
import { admin } from './console.mjs';
import { stage } from './stage.mjs';
import { seed, until, World } from './world.mjs';

/** Declares the tests of the walk; they build on each other in their order. On a `phone` it is taken by thumb. */
export function job({ javascript, phone = false }) {
  const on = stage();
  let browser, console_, world, page, hurried, late;
  /** A page of somebody else. */
  const open = (url = console_.url) => openPage(browser, url, { javascript, ...(phone && { width: 360, height: 740, touch: true }) });

  before(async () => {
    [browser, console_, hurried] = await Promise.all([
      on.browser(),
      on.console(),
      on.console({ args: ['--approval-ttl', '45s'] }),
    ]);
    [world, page] = await Promise.all([World.of(console_), open()]);
    await page.addInitScript(watchItself);
    late = await openedTooEarly(await World.of(hurried));
  });

  /** A page with a recommendation that can be approved now, but not at the end of the walk: longer than a page may take to open. */
  async function openedTooEarly(other) {
    await other.register(await seed('hidden-oomkill-scale-down'));
    const shown = await open(hurried.url);
    await signIn(shown);
    const { id } = await other.recommend('inc-late');
    await shown.goto(`/recommendations/${id}`);
    assert.ok(await shown.getByRole('button', { name: 'Approve' }).isEnabled());
    const expired = async () => (await other.first.get(`/api/v1/recommendations/${id}`)).body.state === 'expired';
    return { shown, expired };
  }

  after(on.close);

  test('signing in: a wrong password says so and keeps the name, the right one leads to where one wanted to be', async () => {
    await page.goto('/catalog');
    assert.equal(new URL(page.url()).pathname, '/login');
    await page.fill('[name=username]', admin.username);
    await page.fill('[name=password]', 'not the password');
    assert.equal((await press(page, 'Sign in')).status(), 401);
    await page.getByRole('alert').getByText('User name or password is wrong.').waitFor();
    assert.equal(await page.inputValue('[name=username]'), admin.username);
    assert.equal(await page.inputValue('[name=password]'), '', 'a password is never sent back');
    await page.fill('[name=password]', admin.password);
    await press(page, 'Sign in');
    assert.equal(new URL(page.url()).pathname, '/catalog');
    await page.getByText('Register the first').or(page.getByText('No playbook')).first().waitFor();
  });

  test('a playbook is registered by pasting JSON; what is wrong is told before, and nothing of it is lost', async () => {
    const registration = await seed('hidden-oomkill-scale-down');
    await page.goto('/catalog/new?as=document');
    const wrong = JSON.stringify({ ...registration, version: 'one' }, null, 2);
    await page.fill('[name=document]', wrong);
    assert.equal((await press(page, 'Register')).status(), 422);
    assert.match(await page.getByRole('alert').innerText(), /\/version/);
    assert.equal(lines(await page.inputValue('[name=document]')), wrong);

    await page.fill('[name=document]', JSON.stringify(registration, null, 2));
    assert.equal((await press(page, 'Check')).status(), 200);
    await page.getByRole('status').getByText('All checks passed').waitFor();
    const preview = page.getByRole('complementary', { name: 'What the model will see' });
    assert.match(await preview.innerText(), /SCALE_TARGET_REPLICAS/);
    assert.doesNotMatch(await preview.textContent(), /REMEDIATION_TYPE|scale_down/, 'a model never sees a hidden parameter');

    await press(page, 'Register');
    assert.equal(new URL(page.url()).pathname, '/catalog/oomkill-scale-down');
    await page.getByRole('heading', { name: registration.title }).waitFor();
  });

  test('another one is registered by pasting YAML', async () => {
    const registration = await seed('oomkill-increase-memory');
    await page.goto('/catalog/new?as=document');
    await page.fill('[name=document]', yaml(registration));
    await press(page, 'Register');
    assert.equal(new URL(page.url()).pathname, '/catalog/oomkill-increase-memory');
    assert.match(await page.innerText('main'), /MEMORY_LIMIT_NEW/);
  });

  test('a third one is filled into the form', async () => {
    await page.goto('/catalog');
    await page.getByRole('link', { name: /Register/ }).first().click();
    await page.fill('[name=workflow_id]', 'wait-and-see');
    await page.fill('[name=version]', '0.1.0');
    await page.fill('[name=title]', 'Wait and see');
    await page.fill('[name=description]', 'Waits as long as it is told and changes nothing.');
    await page.fill('[name=container_image]', 'quay.io/kubernaut/playbook-sleep:v1');
    await page.fill('[name="exposed.0.name"]', 'sleep seconds');
    await page.selectOption('[name="exposed.0.type"]', 'integer');
    await page.check('[name="exposed.0.required"]');
    await page.fill('[name="exposed.0.description"]', 'How long to wait');
    assert.equal((await press(page, 'Register')).status(), 422);
    await page.locator('#f-exposed-0-name-error').waitFor();
    assert.equal(await page.inputValue('[name="exposed.0.name"]'), 'sleep seconds');
    await page.fill('[name="exposed.0.name"]', 'SLEEP_SECONDS');
    await press(page, 'Register');
    assert.equal(new URL(page.url()).pathname, '/catalog/wait-and-see');

    await page.goto('/catalog');
    for (const id of ['oomkill-scale-down', 'oomkill-increase-memory', 'wait-and-see']) await page.locator(`a[href^="/catalog/${id}"]`).waitFor();
  });

  test('a recommendation comes in and awaits its decision; its page says what would run', async () => {
    await world.recommend('inc-001');
    await page.goto('/approvals');
    await page.getByRole('link', { name: /OOMKilled event detected on deployment my-app/ }).click();
    const main = await page.innerText('main');
    assert.match(main, /over-allocation of resources/, 'the root cause');
    assert.match(main, /Scaling down will reduce application capacity/, 'the warnings');
    assert.match(main, /Node memory pressure detected on worker-2/, 'the context');
    assert.match(main, /85\s?%/, "the model's confidence");
    const ticket = page.getByRole('complementary', { name: 'Run ticket' });
    await ticket.getByText('REMEDIATION_TYPE').first().waitFor();
    assert.match(await ticket.innerText(), /registration/, 'where the hidden value comes from');
    await page.getByText('PipelineRun', { exact: true }).click();
    await ticket.getByText('playbook-executor').first().waitFor();
    const focused = page.locator(':focus');
    assert.ok((await focused.count()) === 0 || (await focused.getAttribute('value')) !== 'approve', 'focus never starts on Approve');
  });

  test('a bad value is told at its field and stays; a good one makes a ticket that shows both values', async () => {
    await page.getByText('Edit parameters').click();
    await page.fill('[name="p.TARGET_RESOURCE_NAME"]', 'my-app$(id)');
    await page.fill('[name="p.SCALE_TARGET_REPLICAS"]', '2');
    assert.equal((await press(page, 'Make a new ticket')).status(), 422);
    const error = page.locator('#f-p-TARGET_RESOURCE_NAME-error');
    await error.waitFor();
    assert.match(await error.innerText(), /\$\(/);
    assert.equal(await page.getAttribute('[name="p.TARGET_RESOURCE_NAME"]', 'aria-invalid'), 'true');
    assert.equal(await page.inputValue('[name="p.TARGET_RESOURCE_NAME"]'), 'my-app$(id)');
    assert.equal(await page.inputValue('[name="p.SCALE_TARGET_REPLICAS"]'), '2');

    await page.fill('[name="p.TARGET_RESOURCE_NAME"]', 'my-app');
    assert.equal((await press(page, 'Approve')).status(), 409, 'a change that is in no ticket is not approved away');
    assert.match(await page.locator('form.decide [role=alert]').innerText(), /SCALE_TARGET_REPLICAS.*make a new ticket/);
    assert.equal(await page.inputValue('[name="p.SCALE_TARGET_REPLICAS"]'), '2', 'what was typed stays');
    assert.equal((await press(page, 'Make a new ticket')).status(), 200);
    const row = page.locator('aside.ticket tr', { has: page.locator('del') });
    assert.equal(await row.count(), 1, 'one value differs from what the model said');
    assert.match(await row.locator('th').innerText(), /SCALE_TARGET_REPLICAS/);
    assert.equal(await row.locator('del').innerText(), '1');
    assert.equal(await row.locator('ins').innerText(), '2');
    assert.match(await row.innerText(), /operator/);
  });

  test('approved with a reason, it runs under the eyes of who approved it', async () => {
    const digest = await page.locator('aside.ticket [name=ticket_digest]').inputValue();
    await page.fill('[name=reason]', 'relieves worker-2 until the morning');
    await press(page, 'Approve');
    assert.match(new URL(page.url()).pathname, /^\/runs\//);
    assert.equal(await page.locator('.dag a.node').count(), 1, 'every task from the first second');
    if (javascript) await page.evaluate(() => (window.seen.mark = 'this very page'));
    await follow(page, 'Succeeded');
    if (javascript) await followed();
    const whole = await page.innerText('main');
    assert.match(whole, /approved by admin/);
    await page.locator('.log').getByText('=== Remediation Complete ===').waitFor();
    await page.getByRole('link', { name: /^Parameters/ }).click();
    await page.getByRole('row', { name: /SCALE_TARGET_REPLICAS/ }).getByText('2', { exact: true }).waitFor();
    await page.getByRole('link', { name: /^Results/ }).click();
    await page.getByRole('table', { name: 'Results' }).waitFor();
    assert.match(await page.getByRole('table', { name: 'Results' }).innerText(), /previous_replicas[^]*4/);
    const execution = await world.execution(page.url().match(/runs\/([^?]+)/)[1]);
    assert.equal(execution.ticket_digest, digest, 'what was approved is what ran');
  });

  test('it is counted in Effectiveness, and the audit trail tells it', async () => {
    await page.goto('/effectiveness');
    const row = page.getByRole('row', { name: /oomkill-scale-down/ });
    assert.match(await row.innerText(), /100\s?%/);
    assert.match(await row.innerText(), /\) of 1\b/);
    const charts = await page.locator('main section:has(svg.chart)').all();
    assert.ok(charts.length);
    for (const chart of charts) assert.equal(await chart.locator('svg.chart:visible').count(), 1, 'the one that fits');
    await page.goto('/audit?action=decision.approve');
    const act = page.getByRole('row', { name: /decision\.approve/ });
    assert.equal(await act.count(), 1);
    assert.match(await act.innerText(), /admin[^]*relieves worker-2 until the morning/);
    await page.goto('/runs');
    await page.locator('.run-line', { hasText: 'Succeeded' }).getByText(/approved by admin/).waitFor();
    await page.goto('/approvals');
    await page.getByText('Nothing awaits a decision').waitFor();
  });

  test('rejecting needs a reason; what was decided says by whom and can be decided no more', async () => {
    const { id } = await world.recommend('inc-002');
    await page.goto(`/recommendations/${id}`);
    assert.equal((await press(page, 'Reject')).status(), 422);
    await page.locator('#f-reason-error').waitFor();
    await page.fill('[name=reason]', 'the node is drained already');
    await press(page, 'Reject');
    const main = page.locator('main');
    await main.locator('.head').getByText('Rejected').waitFor();
    assert.match(await main.innerText(), /Rejected by admin[^]*the node is drained already/);
    assert.equal(await page.locator('[name=decision]').count(), 0);
  });

  test("high risk asks to type the target's name, and two people; the second one starts it", async () => {
    const { id } = await world.recommend('inc-003', { strategy: { estimated_risk: 'high' } });
    const colleague = await open();
    await signIn(colleague, await console_.user('robin', 'operator'));
    for (const who of [page, colleague]) {
      await who.goto(`/recommendations/${id}`);
      await who.fill('[name=reason]', 'no other way');
      await who.fill('[name=confirm]', 'my-ap');
      assert.equal((await press(who, /^Approve/)).status(), 422);
      await who.locator('#f-confirm-error').waitFor();
      assert.equal(await who.inputValue('[name=reason]'), 'no other way');
      await who.fill('[name=confirm]', 'my-app');
      await press(who, /^Approve/);
      if (who === page) await page.locator('main').getByText('Another person has to approve.').first().waitFor();
    }
    assert.match(new URL(page.url()).pathname, /^\/recommendations\//);
    assert.match(new URL(colleague.url()).pathname, /^\/runs\//);
    assert.match(await colleague.innerText('main'), /approved by admin, robin/);
    await colleague.context().close();
  });

  test('of steps in an order, the whole graph is there from the first second; a run can be cancelled', async () => {
    const steps = await seed('workflow-execution-spec');
    // What runs first writes until it is cancelled: the time to look at it is as long as it has to be.
    for (const step of steps.steps.filter(({ runAfter = [] }) => !runAfter.length)) step.image = 'registry.example.org/actions/endless:v1';
    const { id } = await world.propose(steps);
    await page.goto(`/recommendations/${id}`);
    await press(page, /^Approve/);
    const nodes = page.locator('.dag a.node');
    assert.equal(await nodes.count(), 3);
    assert.equal(await page.locator('.dag path.edge').count(), 2);
    if (javascript) await page.evaluate(() => (window.seen.mark = 'this very page'));
    await follow(page, 'Running');
    if (javascript) {
      await page.waitForFunction(() => window.seen.lines.length > 3);
      const { lines } = await followed();
      assert.deepEqual(lines, lines.toSorted((a, b) => a - b), 'lines were added as they were written, and none was taken away');
    }
    await nodes.filter({ hasText: 'create-gitops-pr' }).locator('rect').click();
    await page.getByRole('heading', { name: 'create-gitops-pr' }).waitFor();
    await page.locator('summary', { hasText: 'Cancel' }).click();
    await page.getByLabel('Reason').fill('the wrong cluster');
    await press(page, 'Cancel this run');
    await follow(page, 'Cancelled');
    assert.equal(await nodes.count(), 3);
    assert.equal(await page.getByText('Cancel this run').count(), 0);
  });

  test('what has expired, was superseded or decided is not approved, not even from a page that was open before', async () => {
    const { shown, expired } = late;
    await until('the recommendation to expire', expired, 90);
    // With JavaScript a page that was open has closed by itself; without it the button is refused.
    const tooLate = async (who) => javascript || assert.equal((await press(who, 'Approve')).status(), 409);
    await tooLate(shown);
    await shown.getByText('Nobody decided in time').waitFor();
    assert.equal(await shown.locator('[name=decision]').count(), 0);
    await shown.context().close();

    const older = await world.recommend('inc-004');
    await page.goto(`/recommendations/${older.id}`);
    await world.recommend('inc-004', { analysis_summary: 'A second look at my-app.' });
    await tooLate(page);
    await page.getByText('A newer recommendation for this incident').waitFor();
    assert.equal(await page.locator('[name=decision]').count(), 0);

    const taken = await world.recommend('inc-006');
    await page.goto(`/recommendations/${taken.id}`);
    await world.reject(taken, 'seen by somebody else');
    await tooLate(page);
    await page.getByRole('alert').waitFor();
    assert.match(await page.innerText('main'), /Rejected[^]*m\.okafor/, 'it says who was first');
    assert.equal(await page.locator('[name=decision]').count(), 0);
  });

  test('an address that leads nowhere and a page that one may not see say so', async () => {
    for (const path of ['/nowhere', '/runs/nothing', '/recommendations/nothing', '/catalog/nothing']) {
      assert.equal((await page.goto(path)).status(), 404, path);
      await page.getByRole('heading', { name: 'Nothing is here' }).waitFor();
    }
    const viewer = await open();
    await signIn(viewer, await console_.user('vera', 'viewer'));
    for (const path of ['/audit', '/catalog/new']) {
      assert.equal((await viewer.goto(path)).status(), 403, path);
      await viewer.getByRole('heading', { name: 'You may not see this' }).waitFor();
    }
    const { id } = await world.recommend('inc-005');
    await viewer.goto(`/recommendations/${id}`);
    assert.equal(await viewer.locator('[name=decision]:enabled').count(), 0, 'who may not decide is offered nothing to press');
    await viewer.context().close();
  });

  test('signing out ends it', async () => {
    await page.goto('/');
    if (phone) await page.locator('.nav-more summary').tap();
    await press(page, 'Sign out');
    assert.equal(new URL(page.url()).pathname, '/login');
    await page.goto('/runs');
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/login?next=%2Fruns');
    // An answer of 4xx that a test asked for is noted by the browser as well.
    assert.deepEqual(page.faults.filter((fault) => !/the server responded with a status of 4\d\d/.test(fault)), []);
  });

  /** Makes sure that the page that was marked has followed without a reload, and held still; resolves to what it has seen. */
  async function followed() {
    const seen = await page.evaluate(() => window.seen);
    assert.equal(seen.mark, 'this very page', 'the page followed without a reload');
    // Of these a third are the buttons that a run gets when it has ended.
    assert.ok(seen.shift <= 0.025, `the layout shifted by ${seen.shift}:\n${seen.shifted.join('\n')}`);
    return seen;
  }

  /** Waits until the run that the page shows is in this state. */
  async function follow(who, state) {
    const shown = who.locator('#run .head .line .state').first();
    if (javascript) await shown.and(who.getByText(state)).waitFor({ timeout: 40_000 });
    else {
      await until(`the page to say ${state}`, async () => {
        if ((await shown.innerText()).trim() === state) return true;
        await who.reload();
        return false;
      });
    }
  }
}

/** Runs in the page before anything else: notes how far the layout shifts, and how many lines the log has each time they change. */
function watchItself() {
  const seen = (window.seen = { shift: 0, shifted: [], lines: [] });
  const name = ({ node }) => `${node?.nodeName} ${node?.className ?? node?.textContent}`;
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      seen.shift += value;
      seen.shifted.push(`${value.toFixed(4)}: ${sources.map(name).join(', ')}`);
    }
  }).observe({ type: 'layout-shift', buffered: true });
  new MutationObserver(() => {
    const lines = Number(document.querySelector('.log-box')?.getAttribute('data-last') ?? 0);
    if (lines !== (seen.lines.at(-1) ?? 0)) seen.lines.push(lines);
  }).observe(document, { childList: true, subtree: true, attributeFilter: ['data-last'] });
}

/** The object as YAML: its keys in block style, their values in flow style. */
const yaml = (object) => Object.entries(object).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join('');

const lines = (text) => text.replaceAll('\r\n', '\n');
