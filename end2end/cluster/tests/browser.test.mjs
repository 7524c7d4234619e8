// The main job on a real cluster as a person does it, in a real Chromium: filled into the form, recommended by a model's token, approved
// with the mouse and by keyboard alone, watched without a reload, its log read, counted. SHOTS=DIR takes pictures to be looked at.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { awake, openPage, press, signIn, themes, widths } from '../../lib/browser.mjs';
import { follow, tabTo, write } from '../../lib/keyboard.mjs';
import { stage } from '../../lib/stage.mjs';
import { World, until } from '../../lib/world.mjs';
import { apply, kubectl } from './lib/kubectl.mjs';
import { namespace } from './lib/namespace.mjs';
import { image } from './lib/places.mjs';
import { steps } from './lib/playbooks.mjs';

const on = stage();
let [home, console_, world, browser, page] = [];

before(async () => {
  home = await namespace('browser-test');
  [console_, browser] = await Promise.all([on.console({ args: home.args }), on.browser()]);
  world = await World.of(console_);
  page = await openPage(browser, console_.url);
  await page.addInitScript(watchItself);
});

after(async () => {
  await on.close();
  await home?.remove();
});

const execution = () => world.execution(page.url().match(/runs\/([^?#]+)/)[1]);
const mark = () => page.evaluate(() => (window.seen.mark = 'this very page'));
const node = (name) => page.locator('.dag a.node', { hasText: name });

/** Waits until the run that is open is shown to stand so. */
const shows = (state) => page.locator('#run .head .line .state').first().and(page.getByText(state)).waitFor({ timeout: 90_000 });

/** What the page that was marked has shown since. */
async function seen() {
  const all = await page.evaluate(() => window.seen);
  assert.equal(all.mark, 'this very page', 'the page followed without a reload');
  assert.ok(all.shift <= 0.02, `the layout shifted by ${all.shift}:\n${all.shifted.join('\n')}\nnotices: ${JSON.stringify(all.notices)}`);
  return all;
}

/** Whether each of these came, in this order; more may have come between. */
function inOrder(all, wanted, what) {
  let from = 0;
  for (const one of wanted) {
    const at = all.indexOf(one, from);
    assert.ok(at >= 0, `${what}: ${one} in ${all.join(', ')}`);
    from = at + 1;
  }
}

test('a playbook with a hidden parameter is filled into the form', async () => {
  await signIn(page);
  await page.goto('/catalog');
  await page.getByRole('link', { name: /Register/ }).first().click();
  await page.fill('[name=workflow_id]', 'say-many-lines');
  await page.fill('[name=version]', '1.0.0');
  await page.fill('[name=title]', 'Say many lines');
  await page.fill('[name=description]', 'Says as many lines as it is told, then waits.');
  await page.fill('[name=container_image]', image('playbook-chatty'));
  await page.fill('[name="exposed.0.name"]', 'LINES');
  await page.selectOption('[name="exposed.0.type"]', 'integer');
  await page.check('[name="exposed.0.required"]');
  await page.fill('[name="exposed.0.description"]', 'How many lines');
  if (!(await page.locator('[name="hidden.0.name"]').count())) await page.locator('#hidden').getByRole('button', { name: /Add/ }).click();
  await page.fill('[name="hidden.0.name"]', 'HOLD');
  await page.fill('[name="hidden.0.value"]', 'yes');
  await page.fill('[name="hidden.0.description"]', 'Waits for a file');
  await press(page, 'Register');
  assert.equal(new URL(page.url()).pathname, '/catalog/say-many-lines');
  assert.match(await page.innerText('main'), /HOLD/);
});

test('a model recommends it; it is approved with the mouse, and graph, timeline and log follow by themselves', async () => {
  await page.goto('/approvals');
  await awake(page);
  await mark();
  const strategy = { workflow_id: 'say-many-lines', action_type: 'say_lines', confidence: 0.8, rationale: 'Somebody has to.', estimated_risk: 'low', parameters: { LINES: 40 } };
  await world.recommend('inc-browser', { analysis_summary: 'Something is quiet.', strategies: [strategy] });
  const link = page.getByRole('link', { name: /Something is quiet/ });
  await link.waitFor();
  await seen();
  await link.click();
  const ticket = page.getByRole('complementary', { name: 'Run ticket' });
  await ticket.getByText('HOLD').first().waitFor();
  assert.match(await ticket.innerText(), new RegExp(image('playbook-chatty').slice(-4)), 'the image by its digest');
  await shoot('recommendation');
  await page.fill('[name=reason]', 'too quiet');
  await press(page, 'Approve');
  await mark();
  assert.equal(await page.locator('.dag a.node').count(), 1, 'every task from the first second');
  await shows('Running');
  await page.locator('.log').getByText('0000040 of 40').waitFor({ timeout: 60_000 });
  const { tasks: [task], name } = await execution();
  const live = await page.evaluate(() => window.seen);
  inOrder(live.states, ['Pending', 'Running'], 'the run');
  inOrder(live.nodes.execute, ['pending', 'running'], 'the task in the graph');
  inOrder(live.rows.execute, ['pending', 'running'], 'the task in the timeline');
  await shoot('running');
  const [attempt] = task.attempts;
  const inTheLog = async () => (await page.locator('.log-box li > span').allTextContents()).join('\n');
  const cluster = ['--namespace', home.name];
  assert.equal(await inTheLog(), (await kubectl([...cluster, 'logs', attempt.pod, '--container', 'step-execute'])).trimEnd(), 'the log while it runs');
  await kubectl([...cluster, 'exec', attempt.pod, '--container', 'step-execute', '--', 'touch', '/tmp/go']);
  await shows('Succeeded');
  const { nodes, rows } = await seen();
  assert.deepEqual([nodes.execute.at(-1), rows.execute.at(-1)], ['succeeded', 'succeeded']);
  await kubectl([...cluster, 'delete', 'pipelinerun', name, '--wait=true']);
  await page.reload();
  assert.equal((await inTheLog()).split('\n').length, 40, 'the log without the pod');
  await page.getByRole('link', { name: /^Parameters/ }).click();
  await page.getByRole('row', { name: /HOLD/ }).getByText('yes', { exact: true }).waitFor();
});

test("the seed's three steps are approved by keyboard alone, and the graph follows each of them", async () => {
  const { id } = await world.propose(await steps());
  await page.goto(`/recommendations/${id}`);
  await awake(page);
  await write(page, /^Reason/, 'by keyboard alone');
  assert.equal(await follow(page, 'Approve'), 200);
  await mark();
  assert.equal(await page.locator('.dag a.node').count(), 3);
  assert.equal(await page.locator('.dag path.edge').count(), 2);
  await page.locator('.dag a.node.running').first().waitFor({ timeout: 60_000 });
  await shoot('three-running');
  await shows('Succeeded');
  const { nodes, rows } = await seen();
  for (const name of ['restart-pods', 'scale-deployment', 'create-gitops-pr']) {
    inOrder(nodes[name], ['pending', 'running', 'succeeded'], `${name} in the graph`);
    inOrder(rows[name], ['pending', 'running', 'succeeded'], `${name} in the timeline`);
  }
  await tabTo(page, /^create-gitops-pr, succeeded/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'create-gitops-pr' }).waitFor();
  await page.getByRole('link', { name: /^Results/ }).click();
  await page.getByRole('table', { name: 'Results' }).getByText('pull_request').waitFor();
  await shoot('three-ended');
});

test('what somebody applies with kubectl is in the inbox at once, says where it comes from, and runs once approved', async () => {
  await page.goto('/approvals');
  await awake(page);
  await mark();
  const spec = await steps({ reason: 'applied by somebody with kubectl' });
  await apply({ apiVersion: 'workflowexecution.kubernaut.ai/v1alpha1', kind: 'WorkflowExecution', metadata: { name: 'applied', namespace: home.name }, spec: { ...spec, steps: spec.steps.slice(0, 1) } });
  const link = page.getByRole('link', { name: /applied by somebody with kubectl/ });
  await link.waitFor();
  await seen();
  await shoot('inbox');
  await link.click();
  await page.locator('main').getByText('WorkflowExecution').first().waitFor();
  await shoot('applied');
  await press(page, /^Approve/);
  await shows('Succeeded');
  assert.equal((await execution()).name, 'applied');
  await until('kubectl to say so', async () => /Completed/.test(await kubectl(['--namespace', home.name, 'get', 'workflowexecution', 'applied'])));
});

test('all of it is counted in Effectiveness, and the list of runs shows it', async () => {
  await page.goto('/effectiveness');
  const row = page.getByRole('row', { name: /say-many-lines/ });
  assert.match(await row.innerText(), /100\s?%[^]*\) of 1\b/);
  await shoot('effectiveness');
  await page.goto('/runs');
  assert.equal(await page.locator('.run-line', { hasText: 'Succeeded' }).count(), 3);
  await shoot('runs');
  assert.deepEqual(page.faults, []);
});

/** Pictures of the page that is open. */
async function shoot(name) {
  if (!process.env.SHOTS) return;
  await mkdir(process.env.SHOTS, { recursive: true });
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(process.env.SHOTS, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Runs in the page before anything else: notes how the run and its tasks are shown to stand, and how far the layout shifts. */
function watchItself() {
  const seen = (window.seen = { shift: 0, shifted: [], notices: [], states: [], nodes: {}, rows: {} });
  const name = ({ node }) => `${node?.nodeName} ${node?.className ?? node?.textContent}`;
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources, startTime } of list.getEntries()) {
      const scrolled = sources.length > 0 && sources.every(({ node }) => (node?.closest ? node : node?.parentElement)?.closest('.log-box, .log-foot'));
      // A run that waits for its volume says so for as long as it does, above all else: that is news, and makes room for itself.
      const noticed = seen.notices.some(({ at }) => Math.abs(startTime - at) < 500);
      // Lines that come move the lines before them, and what stands under the last.
      if (hadRecentInput || scrolled || noticed) continue;
      seen.shift += value;
      seen.shifted.push(`${value.toFixed(4)}: ${sources.map(name).join(', ')}`);
    }
  }).observe({ type: 'layout-shift', buffered: true });
  const words = ['pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled', 'timed_out', 'lost'];
  const note = (all, one) => one && all.at(-1) !== one && all.push(one);
  const look = () => {
    const notice = document.querySelector('#run .head .note')?.textContent.trim() ?? '';
    if (notice !== (seen.notices.at(-1)?.text ?? '')) seen.notices.push({ text: notice, at: performance.now() });
    note(seen.states, document.querySelector('#run .head .line .state')?.textContent.trim());
    for (const [where, selector] of [['nodes', '.dag a.node'], ['rows', '.time-rows a.r']]) {
      for (const shown of document.querySelectorAll(selector)) {
        const task = shown.getAttribute('data-name') ?? shown.querySelector('.text')?.textContent;
        note((seen[where][task] ??= []), words.find((word) => shown.classList.contains(word)));
      }
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['class'] });
}
